"""Columns of exact rationals -> columns of small integers: indices into one table of distinct Fractions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from prover.worlds.pack import IntArray

Ids = npt.NDArray[np.int32]
DENSE = 1 << 16  # numerators that get a table of their own
CHUNK = 1 << 20


class RationalTable:
    """Distinct rationals in the order in which they were first asked for."""

    def __init__(self, values: Iterable[Fraction] = ()) -> None:
        self.values: list[Fraction] = []
        self._id: dict[Fraction, int] = {}
        self._sums: dict[int, int] = {}
        self._products: dict[int, int] = {}
        for value in values:
            self.id(value)

    def id(self, value: Fraction) -> int:
        found = self._id.get(value)
        if found is None:
            found = self._id[value] = len(self.values)
            self.values.append(value)
        return found

    def sums(self, left: Ids, right: Ids) -> Ids:
        """The index of ``values[left] + values[right]``, row by row."""
        return _combined(left, right, self.sum)

    def products(self, left: Ids, right: Ids) -> Ids:
        """The index of ``values[left] * values[right]``, row by row."""
        one = self.id(Fraction(1))
        if (right == one).all():
            return left
        if (left == one).all():
            return right
        return _combined(left, right, self.product)

    def sum(self, left: int, right: int) -> int:
        pair = left << 32 | right
        found = self._sums.get(pair)
        if found is None:
            found = self._sums[pair] = self.id(self.values[left] + self.values[right])
        return found

    def product(self, left: int, right: int) -> int:
        pair = left << 32 | right
        found = self._products.get(pair)
        if found is None:
            found = self._products[pair] = self.id(self.values[left] * self.values[right])
        return found


def _combined(left: Ids, right: Ids, operation: Callable[[int, int], int]) -> Ids:
    pairs, inverse = np.unique((left.astype(np.int64) << 32) | right, return_inverse=True)
    return np.array([operation(pair >> 32, pair & 0xFFFFFFFF) for pair in pairs.tolist()], dtype=np.int32)[inverse]


class Numerators:
    """Integers n in low..high, standing for n / denominator -> indices into a table."""

    def __init__(self, table: RationalTable, low: int, high: int, denominator: int) -> None:
        self._table = table
        self._low = low
        self._denominator = denominator
        self._dense = np.full(high - low + 1, -1, dtype=np.int32) if high - low < DENSE else None

    def ids(self, numerators: IntArray) -> Ids:
        if self._dense is None:
            distinct, inverse = np.unique(numerators, return_inverse=True)
            return np.array([self._id(int(n)) for n in distinct], dtype=np.int32)[inverse]
        offsets = numerators - self._low if self._low else numerators
        found: Ids = self._dense[offsets]
        missing = found < 0
        if missing.any():
            for n in np.unique(numerators[missing]):
                self._dense[int(n) - self._low] = self._id(int(n))
            found = self._dense[offsets]
        return found

    def _id(self, numerator: int) -> int:
        return self._table.id(Fraction(numerator, self._denominator))


class FirstUse:
    """Renumbers a table in the order in which its entries occur in a column that arrives in pieces."""

    def __init__(self, first: Iterable[int] = ()) -> None:
        self._order: list[int] = list(first)
        self._seen = np.zeros(64, dtype=np.bool_)
        self._seen[self._order] = True

    def see(self, ids: Ids, size: int) -> None:
        """The next piece of the column; every index is below ``size``."""
        if len(self._order) == size:
            return
        if size > len(self._seen):
            self._seen = np.concatenate([self._seen, np.zeros(max(size, len(self._seen)), dtype=np.bool_)])
        fresh = ids[~self._seen[ids]]
        if len(fresh):
            distinct, position = np.unique(fresh, return_index=True)
            self._order.extend(int(i) for i in distinct[np.argsort(position)])
            self._seen[distinct] = True

    def table(self, table: RationalTable) -> tuple[Fraction, ...]:
        return tuple(table.values[i] for i in self._order)

    def renumber(self, ids: Ids) -> Ids:
        """In place."""
        if self._order != list(range(len(self._order))):
            new = np.zeros(max(self._order) + 1, dtype=np.int32)
            new[self._order] = np.arange(len(self._order), dtype=np.int32)
            for start in range(0, len(ids), CHUNK):
                ids[start : start + CHUNK] = new[ids[start : start + CHUNK]]
        return ids
