"""A compiled expression: a function from a batch of states to one numpy array, with bounds that are known beforehand."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy.typing as npt

from prover.worlds.pack import BoolArray, Rows

Array = npt.NDArray[Any]  # int64 or bool
Run = Callable[[Rows], Array]
Fails = Callable[[Rows], BoolArray]

LIMIT = 1 << 62


class NotColumnarError(Exception):
    """The expression has no int64 form."""


class Column:
    """A compiled expression: in every row low <= numerator <= high (bool: 0..1)."""

    __slots__ = ("_run", "boolean", "denominator", "fails", "high", "key", "low", "primed", "shared")

    def __init__(self, key: int, low: int, high: int, denominator: int, boolean: bool, primed: bool, run: Run, fails: Fails | None) -> None:
        self.key = key
        self.low = low
        self.high = high
        self.denominator = denominator
        self.boolean = boolean
        self.primed = primed
        self.shared = False
        self.fails = fails
        self._run = run

    @property
    def constant(self) -> bool:
        return self.low == self.high and self.fails is None

    def __call__(self, rows: Rows) -> Array:
        """Numerators (int64) or truth (bool); of shape () if constant."""
        if not self.shared:
            return self._run(rows)
        memo = rows.memo_next if self.primed else rows.memo
        found = memo.get(self.key)
        if found is None:
            found = memo[self.key] = self._run(rows)
        return found


def either(*fails: Fails | None) -> Fails | None:
    """Fails where one of them does."""
    present = [fail for fail in dict.fromkeys(fails) if fail is not None]
    if len(present) < 2:
        return present[0] if present else None

    def union(rows: Rows) -> BoolArray:
        total = present[0](rows)
        for fail in present[1:]:
            total = total | fail(rows)
        return total

    return union


def rational(column: Column) -> Fraction:
    """The value of a constant column."""
    return Fraction(column.low, column.denominator)
