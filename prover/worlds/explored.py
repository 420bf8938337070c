"""Packed states and compressed rows -> what a reader asks of them: valuations, truth of conditions, shortest paths."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from dsl.semantics import EvaluationError, evaluate
from dsl.spec import Expr, World
from prover.worlds.compile import Compiler
from prover.worlds.expand import Expansion
from prover.worlds.pack import BoolArray, Layout, Rows, Words, first_true
from prover.worlds.rationals import FirstUse, Ids, RationalTable
from prover.worlds.trace import Path, shortest_path, spec_error

Numbers = npt.NDArray[np.int32]
BATCH = 1 << 14  # states; columns of larger batches leave the processor's cache
WIDTHS: tuple[Any, ...] = (np.uint8, np.uint16, np.int32)


class Growing:
    """A column of integers >= 0 that arrives in pieces; it grows in place and takes the narrowest type that holds them."""

    def __init__(self, width: int = 0) -> None:
        self._width = width
        self._array: Ids = np.empty(1024, dtype=WIDTHS[width])
        self.size = 0

    def append(self, piece: npt.NDArray[np.signedinteger]) -> None:
        needed = self.size + len(piece)
        if needed > len(self._array):
            # no view of the array exists before `result`, so that its memory may move
            self._array.resize(max(needed, len(self._array) + len(self._array) // 4), refcheck=False)
        if self._width + 1 < len(WIDTHS):
            width = _width(int(piece.max(initial=0)) + 1)
            if width > self._width:
                self._width = width
                self._array = self._array.astype(WIDTHS[width])
        self._array[self.size : needed] = piece
        self.size = needed

    def result(self) -> Ids:
        """The whole column; nothing can be appended any more."""
        self._array.resize(self.size, refcheck=False)
        return self._array


def _width(values: int) -> int:
    """The narrowest type for 0 .. values - 1."""
    return next(width for width, type in enumerate(WIDTHS) if values - 1 <= np.iinfo(type).max)


class RowsBuilder:
    """The rows of an MDP while it is explored."""

    def __init__(self) -> None:
        self._choices, self._action, self._transitions, self._successor = Growing(), Growing(), Growing(), Growing(len(WIDTHS) - 1)

    @property
    def transitions(self) -> int:
        """How many there are so far."""
        return self._successor.size

    def append(self, expansion: Expansion, action: Ids) -> None:
        self._choices.append(expansion.choices)
        self._action.append(action)
        self._transitions.append(expansion.transitions)
        self._successor.append(expansion.successor)

    def result(self) -> CompressedRows:
        """All rows; nothing can be appended any more."""
        choices, transitions = _starts(self._choices), _starts(self._transitions)
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
        ids, values = self._used.renumber(self._ids.result()), self._used.table(self.table)
        return ids.astype(WIDTHS[_width(len(values))], copy=False), values


def _starts(counts: Growing) -> npt.NDArray[Any]:
    sizes = counts.result()
    small = int(sizes.sum(dtype=np.int64)) < 1 << 31
    starts = np.zeros(counts.size + 1, dtype=np.int32 if small else np.int64)
    np.cumsum(sizes, out=starts[1:])
    return starts


@dataclass(frozen=True, slots=True)
class CompressedRows:
    choice_start: npt.NDArray[Any]
    action: Ids
    transition_start: npt.NDArray[Any]
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
    names: Sequence[str]  # of the actions

    def valuation(self, state: int) -> tuple[bool | int, ...]:
        return self.layout.unpack([int(word[state]) for word in self.words])

    def named(self, state: int) -> dict[str, bool | int]:
        return dict(zip(self.layout.fields, self.valuation(state), strict=True))

    def values(self, name: str) -> npt.NDArray[Any]:
        """The values of a variable in all states."""
        return self.layout.fields[name].column(self.words)

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

        def parent(state: int) -> tuple[int, str] | None:
            if state < self.initial:
                return None
            choice = bisect_right(self.rows.transition_start, int(first[np.searchsorted(distinct, state)])) - 1
            return bisect_right(self.rows.choice_start, choice) - 1, self.names[self.rows.action[choice]]

        return shortest_path(state, parent, self.named)
