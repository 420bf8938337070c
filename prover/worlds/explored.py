"""Packed states and compressed rows -> what a reader asks of them: valuations, truth of conditions, shortest paths."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from dsl.semantics import DEADLOCK, EvaluationError, evaluate
from dsl.spec import Expr, World
from prover.worlds.blocks import first_true
from prover.worlds.compile import Compiler
from prover.worlds.expand import Expansion
from prover.worlds.pack import BoolArray, IntArray, Layout, Rows, Words
from prover.worlds.rationals import FirstUse, Ids, RationalTable
from prover.worlds.trace import Path, shortest_path, spec_error
from prover.worlds.transitions import action_names

Numbers = npt.NDArray[np.int32]
BATCH = 1 << 15  # states; columns of larger batches leave the processor's cache


@dataclass
class Pieces:
    """The columns of an MDP while it is explored, one piece for each batch."""

    choices: list[Numbers] = field(default_factory=list)
    action: list[Ids] = field(default_factory=list)
    transitions: list[Numbers] = field(default_factory=list)
    successor: list[Numbers] = field(default_factory=list)
    found: int = 0  # transitions

    def append(self, expansion: Expansion) -> None:
        self.choices.append(expansion.choices.astype(np.int32))
        self.action.append(expansion.action)
        self.transitions.append(expansion.transitions.astype(np.int32))
        self.successor.append(expansion.successor)
        self.found += len(expansion.successor)

    def rows(self) -> CompressedRows:
        """The pieces are given up one by one, so that no column is in memory twice for long."""
        return CompressedRows(_starts(self.choices), joined(self.action), _starts(self.transitions), joined(self.successor))


class IndexedColumn:
    """A column of indices into a table that is renumbered by first use."""

    def __init__(self, table: RationalTable, used: FirstUse) -> None:
        self.table = table
        self._used = used
        self._pieces: list[Ids] = []

    def append(self, ids: Ids) -> None:
        self._used.see(ids, len(self.table.values))
        self._pieces.append(ids)

    def result(self) -> tuple[Ids, tuple[Fraction, ...]]:
        return self._used.renumber(joined(self._pieces)), self._used.table(self.table)


def joined(pieces: list[npt.NDArray[np.int32]]) -> npt.NDArray[np.int32]:
    """One column; empties the list."""
    whole = np.concatenate(pieces) if pieces else np.empty(0, dtype=np.int32)
    pieces.clear()
    return whole


def _starts(counts: list[Numbers]) -> IntArray:
    whole = joined(counts)
    starts = np.zeros(len(whole) + 1, dtype=np.int64)
    np.cumsum(whole, out=starts[1:])
    return starts


@dataclass(frozen=True, slots=True)
class CompressedRows:
    choice_start: IntArray
    action: Ids
    transition_start: IntArray
    successor: Numbers


@dataclass(frozen=True, slots=True)
class Explored:
    """The states found, ``initial`` of them initial; the rows may cover only those that have been expanded."""

    world: World
    layout: Layout
    compiler: Compiler
    words: Words
    initial: int
    rows: CompressedRows

    def valuation(self, state: int) -> tuple[bool | int, ...]:
        return self.layout.unpack([int(word[state]) for word in self.words])

    def named(self, state: int) -> dict[str, bool | int]:
        return dict(zip(self.layout.fields, self.valuation(state), strict=True))

    def holds(self, expr: Expr) -> BoolArray:
        """The truth of a state condition in every state; raises SpecError where it has no value."""
        column = self.compiler.condition(expr)
        size = len(self.words[0])
        truth = np.empty(size, dtype=np.bool_)
        for start in range(0, size, BATCH):
            rows = Rows(self.layout, tuple(word[start : start + BATCH] for word in self.words))
            failed = None if column.fails is None else first_true(column.fails(rows))
            if failed is not None:
                try:
                    evaluate(expr, self.named(start + failed))
                except EvaluationError as error:
                    raise spec_error(error, self.world, self.path(start + failed)) from None
                raise RuntimeError(f"a condition fails in columns but not by the reference semantics: {self.named(start + failed)}")
            truth[start : start + BATCH] = column(rows)
        return truth

    def path(self, state: int) -> Path:
        """A shortest path, since states are numbered in the order in which they were found."""
        distinct, first = np.unique(self.rows.successor, return_index=True)
        names = (*action_names(self.world), DEADLOCK)

        def parent(state: int) -> tuple[int, str] | None:
            if state < self.initial:
                return None
            choice = bisect_right(self.rows.transition_start, int(first[np.searchsorted(distinct, state)])) - 1
            return bisect_right(self.rows.choice_start, choice) - 1, names[self.rows.action[choice]]

        return shortest_path(state, parent, self.named)
