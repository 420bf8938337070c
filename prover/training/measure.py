"""Facts about T and combinations of events that no policy satisfies -> a refutation of the statement's negation, or a law of the cells.

A cell is a truth assignment of the events, as bits.  The unknowns are the probabilities of the cells and the expectations; the case
distinctions over comparisons and the multipliers of each case are the tree that proof files carry.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from prover.flint import fmpq, fraction, rational
from prover.policies.query import Skeleton, evaluate, references
from prover.solve import lp
from prover.training.vocabulary import Comparison, Literal, Term

Literals = tuple[Literal, ...]
Column = tuple[Any, ...]  # ("cell", c) ("expectation", stream) ("optimum", k)
Named = tuple[list[Any], lp.Row[Column]]  # the row as proof files name it
Tree = list[Any]


@dataclass(frozen=True)
class Law:
    """A model of the rows in which the statement fails: the cells that have probability, and the expectations."""

    cells: dict[int, Fraction]


@dataclass
class Goal:
    """The statement and the assumed formulas over comparisons; ``events`` are numbered from 0, ``rows`` are the facts."""

    events: int
    body: Skeleton
    assumed: tuple[Skeleton, ...]
    comparisons: Sequence[Comparison]
    number: Mapping[int, int]  # event of the vocabulary -> its number here
    rows: list[Named] = field(default_factory=list)
    impossible: list[Literals] = field(default_factory=list)
    empty: set[int] = field(default_factory=set)  # cells kept out of the search for a counterexample; never in a proof

    def __post_init__(self) -> None:
        self._taken = 0
        self._excluded: dict[int, int] = {}
        self.order = references(("and", self.body, *self.assumed))
        self.rows.append((["mass"], lp.Row({("cell", c): fmpq(1) for c in range(2**self.events)}, fmpq(-1), "=")))

    # ------------------------------------------------------------ rows

    def agreeing(self, literals: Literals) -> dict[Column, fmpq]:
        return {("cell", c): fmpq(1) for c in range(2**self.events) if all(bool(c >> e & 1) == held for e, held in literals)}

    def at_least(self, name: list[Any], literals: Literals, share: Fraction) -> None:
        self.rows.append((name, lp.Row({cell: -one for cell, one in self.agreeing(literals).items()}, rational(share), "<=")))

    def column(self, name: list[Any], column: Column, sign: int, end: Fraction) -> None:
        """sign * column <= sign * end."""
        self.rows.append((name, lp.Row({column: fmpq(sign)}, -sign * rational(end), "<=")))

    def literal(self, index: int, holds: bool) -> lp.Row[Column]:
        comparison = self.comparisons[index]
        sign = fmpq(1) if holds else fmpq(-1)
        op = comparison.op if holds else ("<=" if comparison.op == "<" else "<")
        total: dict[Column, fmpq] = {}
        for c, term in comparison.terms:
            for column, share in self.expand(term).items():
                total[column] = total.get(column, fmpq(0)) + sign * rational(c) * share
        return lp.Row(total, sign * rational(comparison.constant), op)

    def expand(self, term: Term) -> dict[Column, fmpq]:
        if term[0] in ("probability", "joint"):
            return self.agreeing(tuple((self.number[e], True) for e in term[1:]))
        return {term: fmpq(1)}

    # ------------------------------------------------------------ the search

    def refute(self, clock: Callable[[], None], *, negated: bool = True) -> Tree | Law:
        """A tree that refutes (not body) and the assumptions (without ``negated``: the assumptions alone), or a law that satisfies them."""
        premise: Skeleton = ("not", self.body) if negated else ("true",)
        return self._case(("and", premise, *self.assumed), {}, clock)

    def _case(self, premises: Skeleton, truth: dict[int, bool], clock: Callable[[], None]) -> Tree | Law:
        clock()
        known = evaluate(premises, truth)
        if known is False:
            return ["closed"]
        named: list[Named] = [(["atom", self.order.index(i)], self.literal(i, holds)) for i, holds in truth.items()]
        named += self.rows
        gone = self._gone()
        cells = frozenset(("cell", c) for c in range(2**self.events) if c not in gone and c not in self.empty)
        outcome = lp.feasible([_over(row, cells) for _, row in named], cells)
        if isinstance(outcome, lp.Infeasible):
            return ["farkas", self._multipliers(named, outcome.multipliers, gone)]
        undecided = [i for i in self.order if i not in truth]
        if known is True or not undecided:
            return Law({c: fraction(p) for c in range(2**self.events) if (p := outcome.point.get(("cell", c), fmpq(0))) > 0})
        held = self._case(premises, {**truth, undecided[0]: True}, clock)
        if isinstance(held, Law):
            return held
        failed = self._case(premises, {**truth, undecided[0]: False}, clock)
        return failed if isinstance(failed, Law) else ["split", self.order.index(undecided[0]), held, failed]

    def _gone(self) -> dict[int, int]:
        """The cells that agree with impossible literals, and with which: they need no column."""
        while self._taken < len(self.impossible):
            for column in self.agreeing(self.impossible[self._taken]):
                self._excluded.setdefault(column[1], self._taken)
            self._taken += 1
        return self._excluded

    def _multipliers(self, named: Sequence[Named], multipliers: Sequence[fmpq], gone: Mapping[int, int]) -> list[Any]:
        """What is left over on a cell is cancelled by the cell being at least 0; an impossible one is first raised by being 0."""
        rows: list[Any] = []
        total: dict[Column, fmpq] = {}
        for (name, row), u in zip(named, multipliers, strict=True):
            if u != 0:
                rows.append([name, str(u)])
                for column, c in row.coefficients.items():
                    total[column] = total.get(column, fmpq(0)) + u * c
        raised: dict[int, fmpq] = {}
        for cell, i in gone.items():
            raised[i] = max(raised.get(i, fmpq(0)), -total.get(("cell", cell), fmpq(0)))
        for i, u in sorted(raised.items()):
            if u > 0:
                rows.append([["impossible", i], str(u)])
                for column in self.agreeing(self.impossible[i]):
                    total[column] = total.get(column, fmpq(0)) + u
        rows += [[["cell", column[1]], str(c)] for column, c in sorted(total.items()) if c != 0 and column[0] == "cell"]
        return rows


def _over(row: lp.Row[Column], cells: frozenset[Column]) -> lp.Row[Column]:
    return lp.Row({k: c for k, c in row.coefficients.items() if k[0] != "cell" or k in cells}, row.constant, row.op)


def literals_of(cell: int, events: int) -> Literals:
    return tuple((e, bool(cell >> e & 1)) for e in range(events))


