"""One choice of facts -> a proof document for the statement, or a law of the cells in which it fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from prover.certificate import Document
from prover.flint import fraction
from prover.training.bench import Bench, Refutation
from prover.training.bounds import lower_bound
from prover.training.cells import Cells, Inhabitant
from prover.training.evidence import Fact, Part
from prover.training.measure import Goal, Law, Literals, Tree, literals_of
from prover.training.plan import Plan, Selection
from prover.training.vocabulary import Inexpressible

Truths = dict[int, tuple[bool, Refutation]]  # event -> its truth for one policy


@dataclass(frozen=True)
class Failed:
    """What is given leaves room for a T that fails.  ``beyond``: impossible combinations that would help, but may not be used."""

    beyond: tuple[Literals, ...]
    stuck: tuple[str, ...]


class Attempt:
    def __init__(self, plan: Plan, bench: Bench, cells: Cells, permitted: Callable[[Literals], bool], selection: Selection) -> None:
        self.plan, self.bench, self.cells, self.permitted, self.selection = plan, bench, cells, permitted, selection
        facts = selection.facts
        assumed = tuple(fact.formula for fact in facts if fact.formula is not None)
        self.goal = Goal(len(selection.events), plan.body, assumed, plan.vocabulary.comparisons, selection.number)
        self.used: list[Refutation] = []
        self.truths: dict[int, list[Truths]] = {}  # of a mixture's or a sample's parts, by fact
        self.bounds: dict[int, Fraction] = {}
        self.means: dict[int, dict[int, list[Any]]] = {}
        for i, fact in enumerate(facts):
            self._take(i, fact)
        for k, optimum in enumerate(bench.first().optima):
            self.goal.column(["optimum", k, "lower"], ("optimum", k), -1, fraction(optimum.lower))
            self.goal.column(["optimum", k, "upper"], ("optimum", k), 1, fraction(optimum.upper))

    # ------------------------------------------------------------ facts

    def _take(self, i: int, fact: Fact) -> None:
        number = self.selection.number
        if fact.kind == "mixture":
            self.truths[i] = [self._truths(part, self.selection.events) for _, part in fact.parts]
            shares: dict[Literals, Fraction] = {}
            for (share, _), truths in zip(fact.parts, self.truths[i], strict=True):
                literals = tuple((number[e], held) for e, (held, _) in sorted(truths.items()))
                shares[literals] = shares.get(literals, Fraction(0)) + share
            for literals in shares:
                total = sum((share for other, share in shares.items() if set(literals) <= set(other)), Fraction(0))
                self.goal.at_least(["fact", i, [list(literal) for literal in literals]], literals, total)
            self._means(i, fact)
        elif fact.kind in ("runs", "samples"):
            successes = fact.successes
            if fact.kind == "runs":
                self.truths[i] = [self._truths(part, (fact.event,)) for _, part in fact.parts]
                successes = sum(1 for truths in self.truths[i] if fact.event in truths and truths[fact.event][0])
            self.bounds[i] = lower_bound(successes, fact.size, fact.delta, self._wanted())
            self.goal.at_least(["fact", i], ((number[fact.event], True),), self.bounds[i])

    def _truths(self, part: Part, events: tuple[int, ...]) -> Truths:
        found: Truths = {}
        for event in events:
            answer = self.bench.truth(self.plan.vocabulary.events[event], part.controller)
            if answer is not None:
                found[event] = answer
        return found

    def _means(self, i: int, fact: Fact) -> None:
        """The expectation of every score that the statement mentions."""
        mentioned = {t[1] for c in self.plan.vocabulary.comparisons for _, t in c.terms if t[0] == "expectation"}
        self.means[i] = {}
        for stream in sorted(mentioned):
            rows, mean = [], Fraction(0)
            for share, part in fact.parts:
                answer = self.bench.value(stream, part.controller)
                if answer is None:
                    raise Inexpressible(f"under policy {part.name} the score is infinite or not known exactly, so T has no expected score")
                mean += share * fraction(answer[0])
                rows.append(answer)
            self.means[i][stream] = rows
            for side, sign in (("lower", -1), ("upper", 1)):
                self.goal.column(["mean", i, stream, side], ("expectation", stream), sign, mean)

    def _wanted(self) -> Iterator[Fraction]:
        """The probabilities that the statement compares with: a sample that supports exactly one of them has to say so."""
        for comparison in self.plan.vocabulary.comparisons:
            numbers = [c for c, _ in comparison.terms] + [comparison.constant]
            for value in (-a / b for a in numbers for b in numbers if b):
                for bound in (value, 1 - value, 1 + value):
                    if 0 < bound < 1:
                        yield bound

    # ------------------------------------------------------------ the search

    def prove(self) -> Tree | Failed:
        """Asks for the combinations of events that the current law needs, until none is missing."""
        beyond: list[Literals] = []
        stuck: list[str] = []
        while True:
            outcome = self.goal.refute(self.plan.clock)
            if not isinstance(outcome, Law):
                # A proof file has no way to say that a sample without successes bounds nothing.
                return Failed((), ("one of the events asked about never happened",)) if 0 in self.bounds.values() else outcome
            beyond, stuck, progress = [], [], False
            for cell in outcome.cells:
                answer = self.cells.ask(self.named(cell))
                if isinstance(answer, str):
                    stuck.append(answer)
                elif not isinstance(answer, Inhabitant):
                    if self.permitted(answer):
                        self.goal.impossible.append(self.renumbered(answer))
                        progress = True
                    else:
                        beyond.append(answer)
            if not progress:
                reasons = [f"whether a combination of events is possible is not known: {why}" for why in dict.fromkeys(stuck)]
                return Failed(tuple(dict.fromkeys(beyond)), tuple(reasons))

    def members(self) -> list[tuple[Fraction, Inhabitant]] | None:
        """Policies and probabilities for which the facts hold and the statement fails; None if no such law has inhabited cells alone."""
        while True:
            outcome = self.goal.refute(self.plan.clock)
            if not isinstance(outcome, Law):
                return None
            answers = {cell: self.cells.ask(self.named(cell)) for cell in outcome.cells}
            missing = {cell for cell, answer in answers.items() if not isinstance(answer, Inhabitant)}
            if not missing:
                return [(outcome.cells[cell], answer) for cell, answer in answers.items() if isinstance(answer, Inhabitant)]
            self.goal.empty |= missing

    def named(self, cell: int) -> Literals:
        """The cell's literals, by the vocabulary's events."""
        return tuple((self.selection.events[k], held) for k, held in literals_of(cell, self.goal.events))

    def renumbered(self, literals: Literals) -> Literals:
        number = self.selection.number
        return tuple((number[event], held) for event, held in literals)

    def contradictory(self) -> bool:
        """Do the facts exclude every T, given which policies there are?  (The proof may need less than that to see it.)"""
        while True:
            outcome = self.goal.refute(self.plan.clock, negated=False)
            if not isinstance(outcome, Law):
                return True
            impossible = {cell for cell in outcome.cells if isinstance(self.cells.ask(self.named(cell)), tuple)}
            if not impossible:
                return False
            self.goal.empty |= impossible

    def given(self) -> list[str]:
        """The facts in words."""
        vocabulary, lines = self.plan.vocabulary, []
        for i, fact in enumerate(self.selection.facts):
            if i in self.bounds:
                share = percentage(self.bounds[i])
                text = vocabulary.text(vocabulary.events[fact.event])
                met = sum(1 for t in self.truths[i] if t.get(fact.event, (False,))[0]) if i in self.truths else fact.successes
                source = f"{met} of {fact.size} {fact.kind}"
                lines.append(f"P({text}) >= {share} from {source} with confidence {percentage(1 - fact.delta)}")
            elif fact.name is not None:
                lines.append(f"assumed: {fact.name}")
        return lines

    # ------------------------------------------------------------ the document

    def document(self, tree: Tree) -> dict[str, Any]:
        document = self.plan.document(self.selection)
        self.used = []
        used = sorted({row[0][1] for row in farkas_rows(tree) if row[0][0] == "impossible"})
        impossible = []
        for k in used:
            literals = self.goal.impossible[k]
            refutation = self.cells.refuted[tuple((self.selection.events[e], held) for e, held in literals)]
            impossible.append([[list(literal) for literal in literals], self._tree(document, refutation)])
        for row in farkas_rows(tree):
            if row[0][0] == "impossible":
                row[0][1] = used.index(row[0][1])
        proofs = [self._proof(document, i, fact) for i, fact in enumerate(self.selection.facts)]
        stage = self.bench.optima(max((r.depth for r in self.used), default=0))
        optima = [document.optimum(optimum, k) for k, optimum in enumerate(stage.optima)]
        for refutation in self.used:
            for arena in refutation.theory.arenas.values():
                if arena.product.controller is not None:
                    document.finite_under(arena)
        argument = {"kind": "measure", "proofs": proofs, "impossible": impossible, "tree": tree}
        return document.finish(self.plan.claim(document, self.selection), optima, argument)

    def _tree(self, document: Document, refutation: Refutation) -> list[Any]:
        self.used.append(refutation)
        return document.tree(refutation.tree, refutation.theory)

    def _proof(self, document: Document, i: int, fact: Fact) -> dict[str, Any] | None:
        number = self.selection.number
        if fact.kind == "mixture":
            truth = [
                [p, number[event], held, self._tree(document, refutation)]
                for p, truths in enumerate(self.truths[i])
                for event, (held, refutation) in truths.items()
            ]
            values = [
                [stream, [[document.bound(upper, arena.product), document.bound(lower, arena.product)] for _, upper, lower, arena in rows]]
                for stream, rows in self.means[i].items()
            ]
            return {"truth": truth, "values": values}
        if fact.kind == "runs":
            met = [(p, truths[fact.event][1]) for p, truths in enumerate(self.truths[i]) if fact.event in truths and truths[fact.event][0]]
            return {"bound": str(self.bounds[i]), "truth": [[p, self._tree(document, refutation)] for p, refutation in met]}
        return {"bound": str(self.bounds[i])} if fact.kind == "samples" else None


def farkas_rows(tree: Tree) -> Iterator[list[Any]]:
    """Every [row, multiplier] of the tree."""
    todo = [tree]
    while todo:
        node = todo.pop()
        if node[0] == "farkas":
            yield from node[1]
        elif node[0] == "split":
            todo += node[2:]


def percentage(share: Fraction) -> str:
    """Two decimals, rounded towards 0."""
    scaled = share * 10_000
    whole = scaled.numerator // scaled.denominator
    exactly = "" if scaled == whole else "..."
    return f"{whole / 100:g}{exactly} %"
