"""Storeys 2 and 3: facts about a distribution T over policies, and events that exclude each other -> a claim about T.

The unknowns are the probabilities of the cells (the truth of every event, as bits), and expectations of objectives.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any, NamedTuple, NoReturn

from prover.checker.document import Rejected, array, boolean, distinct, fields, integer, number, require
from prover.checker.evidence import Proven
from prover.checker.problem import Atom, Fact, Formula, Linear, Term, cells
from prover.checker.rules import binomial_tail
from prover.checker.tree import Branch, OverPolicies, Row, literal, optimum_row, refute

Literals = dict[int, bool]  # event -> whether it happens


class Known(NamedTuple):
    """What one fact says: of a mixture the literals proved of each part and the range of each mean; of a sample the bound."""

    fact: Fact
    truth: list[Literals]
    means: dict[int, tuple[Fraction, Fraction]]  # objective -> (lower, upper)
    bound: Fraction | None = None


def check(proven: Proven, argument: Any, permitted: frozenset[str]) -> tuple[Fraction, tuple[str, ...]]:
    """The confidence lost and the assumptions used.  Every sample of the claim counts, used or not: to choose after seeing is not free."""
    kind, proofs, impossible, tree = fields(argument, "kind proofs impossible tree")
    claim = proven.claim
    require(kind == "measure" and len(array(proofs)) == len(claim.facts), "a measure claim needs a proof for every fact")
    assumptions = tuple(fact.name for fact in claim.facts if fact.name is not None)
    missing = [name for name in assumptions if name not in permitted]
    require(not missing, f"an assumption that is not permitted: {'; '.join(missing)}")
    lost = sum((fact.delta for fact in claim.facts), Fraction(0))
    require(lost < 1, "no confidence is left")
    known = [_known(proven, fact, proof) for fact, proof in zip(claim.facts, proofs, strict=True)]
    excluded = [_impossible(proven, *array(row, 2)) for row in array(impossible)]
    for term in (term for atom in claim.atoms for term in atom.linear.terms if term[0] == "expectation"):
        sure = proven.known_finite(None, term[1]) or any(_finite_parts(proven, fact, term[1]) for fact in claim.facts)
        require(sure, "an expectation of an objective that may be infinite")
    premises: list[Formula] = [("not", claim.body), *(fact.formula for fact in claim.facts if fact.formula is not None)]
    refute(tree, premises, OverMeasures(proven, claim.atoms, known, excluded))
    return lost, assumptions


def _finite_parts(proven: Proven, fact: Fact, objective: int) -> bool:
    return fact.kind == "mixture" and all(proven.known_finite(proven.policy_of[policy], objective) for _, policy in fact.parts)


def _known(proven: Proven, fact: Fact, proof: Any) -> Known:
    if fact.kind == "assumed":
        require(proof is None, "an assumed fact has no proof")
        return Known(fact, [], {})
    truth: list[Literals] = [{} for _ in fact.parts]
    if fact.kind == "mixture":
        rows, values = fields(proof, "truth values")
        for row in array(rows):
            part, event, held = integer(array(row, 4)[0], 0, len(truth)), integer(row[1], 0, len(proven.claim.events)), boolean(row[2])
            require(event not in truth[part], "the truth of an event is given twice")
            truth[part][event] = _holds(proven, fact.parts[part][1], event, held, row[3])
        return Known(fact, truth, dict(_mean(proven, fact, *array(row, 2)) for row in array(values)))
    successes = fact.successes
    bound, *rows = fields(proof, "bound truth" if fact.kind == "runs" else "bound")
    for row in array(rows[0]) if fact.kind == "runs" else []:
        part = integer(array(row, 2)[0], 0, len(truth))
        require(not truth[part], "a run is counted twice")
        truth[part][fact.event] = _holds(proven, fact.parts[part][1], fact.event, True, row[1])
        successes += 1
    require(0 <= number(bound) <= 1, "a bound that is no probability")
    require(binomial_tail(fact.size, successes, number(bound), fact.delta), "the sample does not support its bound")
    return Known(fact, truth, {}, number(bound))


def _holds(proven: Proven, policy: str, event: int, held: bool, tree: Any) -> bool:
    """Theorem: the event has this truth for the named policy (put in the place of the variable)."""
    claim = proven.claim
    instance = {claim.variables[0]: proven.policy_of[policy]}
    happens = claim.events[event]
    refute(tree, [("not", happens) if held else happens], OverPolicies(proven, claim.event_atoms, instance))
    return held


def _mean(proven: Proven, fact: Fact, objective: Any, lemmas: Any) -> tuple[int, tuple[Fraction, Fraction]]:
    """Theorem: the expectation of the objective is the average over the parts, each between its lemmas' bounds."""
    j = integer(objective, 0, len(proven.claim.objectives))
    low = high = Fraction(0)
    for (share, policy), row in zip(fact.parts, array(lemmas, len(fact.parts)), strict=True):
        upper, lower = array(row, 2)
        index = proven.policy_of[policy]
        low -= share * proven.value_bound(index, j, lower, -1)
        high += share * proven.value_bound(index, j, upper, 1)
    return j, (low, high)


def _literals(proven: Proven, value: Any) -> Literals:
    pairs = [(integer(array(row, 2)[0], 0, len(proven.claim.events)), boolean(row[1])) for row in array(value)]
    distinct([event for event, _ in pairs], "an event")
    return dict(pairs)


def _impossible(proven: Proven, value: Any, tree: Any) -> Literals:
    """Theorem: no policy of the type satisfies all the literals, so the probability of their conjunction is 0."""
    literals = _literals(proven, value)
    events = proven.claim.events
    premises = [events[event] if held else ("not", events[event]) for event, held in literals.items()]
    refute(tree, premises, OverPolicies(proven, proven.claim.event_atoms, {}))
    return literals


class OverMeasures(NamedTuple):
    """The rows of a tree about T: no flags and no choices."""

    proven: Proven
    atoms: list[Atom]
    known: list[Known]
    excluded: list[Literals]

    def flag(self, _policy: Any, _objective: Any, /) -> NoReturn:
        raise Rejected("a flag in a tree about a measure")

    def choose(self, _policy: Any, _state: Any, _options: Any, _branch: Branch, /) -> NoReturn:
        raise Rejected("a choice in a tree about a measure")

    def forced(self, _branch: Branch, /) -> dict[int, bool]:
        return {}

    def row(self, value: Any, branch: Branch) -> Row:
        events = len(self.proven.claim.events)
        match value:
            case ["atom", i]:
                require(integer(i, 0) in branch.truth, "a row of an atom that the branch does not decide")
                return literal(self.atoms[i], branch.truth[i])
            case ["cell", c]:
                return Row(Linear({("cell", integer(c, 0, 2**events)): Fraction(-1)}, Fraction(0)), "<=")
            case ["mass"]:
                return Row(Linear(cells(events, {}), Fraction(-1)), "=")
            case ["optimum", k, ("lower" | "upper") as side]:
                return optimum_row(self.proven, k, side)
            case ["impossible", i]:
                return Row(Linear(cells(events, self.excluded[integer(i, 0, len(self.excluded))]), Fraction(0)), "=")
            case ["fact", i, *rest]:
                return self.fact(self.known[integer(i, 0, len(self.known))], rest)
            case ["mean", i, j, ("lower" | "upper") as side]:
                known = self.known[integer(i, 0, len(self.known))]
                require(integer(j, 0) in known.means, "a mean that is not given")
                end, sign = known.means[j][side == "upper"], 1 if side == "upper" else -1
                return Row(Linear({("expectation", j): Fraction(sign)}, -sign * end), "<=")
        raise Rejected("not a row that may stand here")

    def fact(self, known: Known, rest: list[Any]) -> Row:
        """P(e) >= bound for a sample; P(literals) >= the share of the parts proved to satisfy them for a mixture."""
        if known.bound is not None and not rest:
            return self.at_least({known.fact.event: True}, known.bound)
        if known.fact.kind != "mixture" or len(rest) != 1:
            raise Rejected("not a row of this fact")
        literals = _literals(self.proven, rest[0])
        met = [share for (share, _), truth in zip(known.fact.parts, known.truth, strict=True) if literals.items() <= truth.items()]
        return self.at_least(literals, sum(met, Fraction(0)))

    def at_least(self, literals: Literals, share: Fraction) -> Row:
        total: dict[Term, Fraction] = {cell: -one for cell, one in cells(len(self.proven.claim.events), literals).items()}
        return Row(Linear(total, share), "<=")
