"""Packed states and compressed rows -> what a reader asks of them: valuations, truth of conditions, shortest paths."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
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


class Growing:
    """An int32 column that arrives in pieces; it grows in place, so that it is never in memory twice."""

    def __init__(self) -> None:
        self._array = np.empty(1024, dtype=np.int32)
        self.size = 0

    def append(self, piece: npt.NDArray[np.signedinteger]) -> None:
        needed = self.size + len(piece)
        if needed > len(self._array):
            # no view of the array exists before `result`, so that its memory may move
            self._array.resize(max(needed, len(self._array) + len(self._array) // 4), refcheck=False)
        self._array[self.size : needed] = piece
        self.size = needed

    def result(self) -> Numbers:
        """The whole column; nothing can be appended any more."""
        self._array.resize(self.size, refcheck=False)
        return self._array


class RowsBuilder:
    """The rows of an MDP while it is explored."""

    def __init__(self) -> None:
        self._choices, self._action, self._transitions, self._successor = Growing(), Growing(), Growing(), Growing()

    @property
    def transitions(self) -> int:
        """How many there are so far."""
        return self._successor.size

    def append(self, expansion: Expansion) -> None:
        self._choices.append(expansion.choices)
        self._action.append(expansion.action)
        self._transitions.append(expansion.transitions)
        self._successor.append(expansion.successor)

    def result(self) -> CompressedRows:
        """All rows; nothing can be appended any more."""
        choices, transitions = _starts(self._choices.result()), _starts(self._transitions.result())
        return CompressedRows(choices, self._action.result(), transitions, self._successor.result())


class IndexedColumn:
    """A column of indices into a table that is renumbered by first use."""

    def __init__(self, table: RationalTable, used: FirstUse) -> None:
        self.table = table
        self._used = used
        self._ids = Growing()

    def append(self, ids: Ids) -> None:
        self._used.see(ids, len(self.table.values))
        self._ids.append(ids)

    def result(self) -> tuple[Ids, tuple[Fraction, ...]]:
        return self._used.renumber(self._ids.result()), self._used.table(self.table)


def _starts(counts: Numbers) -> IntArray:
    starts = np.zeros(len(counts) + 1, dtype=np.int64)
    np.cumsum(counts, out=starts[1:])
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
