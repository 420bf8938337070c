"""A refutation tree -> the certainty that some formulas cannot all be true.

The walk keeps what its branch supposes: the truth of atoms, which objectives are finite, which actions are chosen.  Every
case distinction is exhaustive, and every leaf shows that its suppositions contradict the premises or the rows.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any, NamedTuple, Protocol

from prover.checker.document import Rejected, array, integer, name, number, require
from prover.checker.evidence import Choices, Proven, choose, implied
from prover.checker.problem import Atom, Formula, Linear, Term, evaluate


class Row(NamedTuple):
    """``linear < 0``, ``linear <= 0`` or ``linear = 0``: ``kind`` is "<", "<=" or "="."""

    linear: Linear
    kind: str


class Branch(NamedTuple):
    truth: dict[int, bool]  # of atoms, by split
    finite: dict[tuple[str, int], bool]  # (policy, objective)
    chosen: dict[str, Choices]  # of each policy


class Theory(Protocol):
    """What the rows mean and which case distinctions are possible."""

    @property
    def atoms(self) -> list[Atom]: ...

    def flag(self, policy: Any, objective: Any, /) -> tuple[str, int]: ...

    def choose(self, policy: Any, state: Any, options: Any, branch: Branch, /) -> list[tuple[Choices, Any]]: ...

    def forced(self, branch: Branch, /) -> dict[int, bool]: ...

    def row(self, value: Any, branch: Branch, /) -> Row: ...


def refute(tree: Any, premises: list[Formula], theory: Theory) -> None:
    """Theorem: the premises are not all true."""
    todo: list[tuple[Any, Branch]] = [(tree, Branch({}, {}, {}))]
    while todo:
        node, branch = todo.pop()
        match node:
            case ["split", atom, held, failed]:
                require(integer(atom, 0, len(theory.atoms)) not in branch.truth, "an atom is split twice")
                for value, child in ((True, held), (False, failed)):
                    todo.append((child, branch._replace(truth={**branch.truth, atom: value})))
            case ["flag", policy, objective, finite, infinite]:
                flag = theory.flag(policy, objective)
                require(flag not in branch.finite, "a flag is decided twice")
                for value, child in ((True, finite), (False, infinite)):
                    todo.append((child, branch._replace(finite={**branch.finite, flag: value})))
            case ["choose", policy, state, options]:
                for choices, child in theory.choose(policy, state, options, branch):
                    todo.append((child, branch._replace(chosen={**branch.chosen, policy: choices})))
            case ["closed"]:
                forced = theory.forced(branch)
                if all(branch.truth.get(atom, truth) == truth for atom, truth in forced.items()):
                    known = {**branch.truth, **forced}
                    require(any(evaluate(premise, known) is False for premise in premises), "a leaf that is not closed")
            case ["farkas", rows]:
                pairs = [(theory.row(array(pair, 2)[0], branch), number(pair[1])) for pair in array(rows)]
                require(contradictory(pairs), "a Farkas leaf whose sum is no contradiction")
            case _:
                raise Rejected("not a refutation tree")


def contradictory(pairs: list[tuple[Row, Fraction]]) -> bool:
    """Farkas: multipliers of inequalities are positive, the terms cancel, and what is left is c <= 0 with c > 0, or 0 < 0."""
    total: dict[Term, Fraction] = {}
    constant, strict = Fraction(0), False
    for row, multiplier in pairs:
        require(row.kind == "=" or multiplier > 0, "a multiplier that is not positive")
        strict = strict or row.kind == "<"
        constant += multiplier * row.linear.constant
        for term, coefficient in row.linear.terms.items():
            total[term] = total.get(term, Fraction(0)) + multiplier * coefficient
    return not any(total.values()) and (constant > 0 or (constant == 0 and strict))


def literal(atom: Atom, held: bool) -> Row:
    """The row of a decided atom."""
    if held:
        return Row(atom.linear, "<" if atom.strict else "<=")
    negated = Linear({term: -c for term, c in atom.linear.terms.items()}, -atom.linear.constant)
    return Row(negated, "<=" if atom.strict else "<")


class OverPolicies(NamedTuple):
    """Storey 1: each policy of the claim is arbitrary in its type, or, in ``instance`` and among the named ones, a given controller."""

    proven: Proven
    atoms: list[Atom]
    instance: dict[str, int]  # variable -> policy number
    threshold: Row | None = None

    def number(self, policy: str) -> int | None:
        return self.instance.get(policy, self.proven.policy_of.get(policy))

    def world(self, policy: str) -> int:
        require(policy in self.proven.claim.names, "a policy that the claim does not name")
        return self.proven.claim.types[self.proven.claim.names[policy]].world

    def flag(self, policy: Any, objective: Any) -> tuple[str, int]:
        world, goals = self.world(name(policy)), self.proven.claim.objectives
        require(goals[integer(objective, 0, len(goals))].world == world, "a flag of an objective of another world")
        require(not self.proven.known_finite(self.number(policy), objective), "a flag of an objective that is finite anyway")
        return policy, objective

    def choose(self, policy: Any, state: Any, options: Any, branch: Branch) -> list[tuple[Choices, Any]]:
        world = self.proven.worlds[self.world(name(policy))]
        kind = self.proven.claim.types[self.proven.claim.names[policy]]
        return choose(kind, world, branch.chosen.get(policy, {}), state, options)

    def finite(self, policy: str, objective: int, branch: Branch) -> bool:
        known = self.proven.known_finite(self.number(policy), objective)
        return known or branch.finite.get((policy, objective)) is True

    def forced(self, branch: Branch) -> dict[int, bool]:
        """Atoms decided by infinite terms: one is flagged infinite, and all that are or may be infinite push the same way."""
        result = {}
        infinite = {flag for flag, finite in branch.finite.items() if not finite}
        for i, atom in enumerate(self.atoms) if infinite else ():
            open_terms = [(t[2], t[1], c) for t, c in atom.linear.terms.items() if t[0] == "value" and not self.finite(t[2], t[1], branch)]
            ways = {(c > 0) == (self.proven.signs[j] < 0) for _, j, c in open_terms}  # True: up, to +infinity
            if len(ways) == 1 and any((policy, j) in infinite for policy, j, _ in open_terms):
                result[i] = not ways.pop()
        return result

    def row(self, value: Any, branch: Branch) -> Row:
        match value:
            case ["atom", i]:
                require(integer(i, 0) in branch.truth, "a row of an atom that the branch does not decide")
                values = [term for term in self.atoms[i].linear.terms if term[0] == "value"]
                require(all(self.finite(t[2], t[1], branch) for t in values), "a row with a value that may be infinite")
                return literal(self.atoms[i], branch.truth[i])
            case ["lemma", i, policy]:
                return self.lemma(integer(i, 0), name(policy), branch)
            case ["optimum", k, ("lower" | "upper") as side]:
                return optimum_row(self.proven, k, side)
            case ["unknown", ("low" | "high") as side] if self.proven.claim.unknown is not None:
                interval = self.proven.claim.unknown
                end, closed = (interval.low, interval.low_closed) if side == "low" else (interval.high, interval.high_closed)
                if end is not None:
                    sign = 1 if side == "high" else -1
                    return Row(Linear({("unknown",): Fraction(sign)}, -sign * end), "<=" if closed else "<")
            case ["threshold"] if self.threshold is not None:
                return self.threshold
        raise Rejected("not a row that may stand here")

    def lemma(self, i: int, policy: str, branch: Branch) -> Row:
        require(i in self.proven.bounds, "a row of a lemma that is not a bound")
        bound = self.proven.bounds[i]
        require(self.world(policy) == bound.world, "a lemma about another world")
        require(bound.policy is None or bound.policy == self.number(policy), "a lemma about another policy")
        require(all(self.finite(policy, j, branch) for j in bound.finite), "a lemma used where an objective of its I may be infinite")
        require(implied(bound, branch.chosen.get(policy, {})), "a lemma whose allowed choices the branch does not imply")
        kind = self.proven.claim.types[self.proven.claim.names[policy]]
        require(kind.memoryless or not bound.memoryless, "a lemma about memoryless policies")
        if bound.value is None:  # no policy with finite I exists
            return Row(Linear({}, Fraction(1)), "<=")
        return Row(Linear({("value", j, policy): w for j, w in bound.weights.items()}, -bound.value), "<=")


def optimum_row(proven: Proven, k: Any, side: str) -> Row:
    lower, upper = proven.optima[integer(k, 0, len(proven.optima))]
    end, sign = (lower, -1) if side == "lower" else (upper, 1)
    if end is None:
        raise Rejected("a row of an optimum without that lemma")
    return Row(Linear({("optimum", k): Fraction(sign)}, -sign * end), "<=")
