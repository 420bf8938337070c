"""A large product as arrays: the rows of its choices, and exact numbers as indices into short tables.

A large world has millions of transitions and few distinct numbers, so every exact number is stored once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[Any]
Floats = NDArray[np.float64]
LIMIT = 2**31 - 2  # compiled loops index with 31 bits: the top bit of a successor marks the end of a choice


@dataclass(frozen=True, eq=False)
class Rows:
    """``successor`` -1: settled, worth 0 for ever.  Transition t has ``probabilities[index[t]]``; those of a choice add up to 1."""

    choice_start: Ints  # n + 1
    transition_start: Ints  # choices + 1
    successor: Ints
    index: Ints
    probabilities: Sequence[Fraction]

    def __post_init__(self) -> None:
        if max(len(self.choice_start), len(self.transition_start), len(self.successor)) > LIMIT:
            raise ValueError("more than 2^31 rows")

    @property
    def nodes(self) -> int:
        return len(self.choice_start) - 1

    @property
    def choices(self) -> int:
        return len(self.transition_start) - 1


@dataclass(frozen=True, eq=False)
class Gain:
    """The exact gain of choice c is ``values[index[c]]``."""

    index: Ints
    values: Sequence[Fraction]

    @classmethod
    def of_numerators(cls, numerators: Ints, denominator: int) -> Gain:
        values, index = np.unique(numerators, return_inverse=True)
        return cls(index.astype(np.int32), [Fraction(int(v), denominator) for v in values])

    @classmethod
    def weighted(cls, parts: Sequence[tuple[Fraction, Gain]]) -> Gain:
        """The sum of the parts, each times its weight."""
        parts = [(w, g) for w, g in parts if w]
        if not parts:
            raise ValueError("a direction needs a weight other than zero")
        if len(parts) == 1:
            (weight, gain), *_ = parts
            return cls(gain.index, [weight * v for v in gain.values])
        index = parts[0][1].index.astype(np.int64)
        values = [parts[0][0] * v for v in parts[0][1].values]
        for weight, gain in parts[1:]:
            size = len(gain.values)
            pairs, index = np.unique(index * size + gain.index, return_inverse=True)
            values = [values[p // size] + weight * gain.values[p % size] for p in pairs.tolist()]
        return cls(index.astype(np.int32), values)

    def negated(self) -> Gain:
        return Gain(self.index, [-v for v in self.values])

    def floats(self) -> Floats:
        return np.array([to_float(v) for v in self.values])


def to_float(x: Fraction) -> float:
    """The nearest float; what is out of range becomes an infinity and fails later, in the exact check."""
    try:
        return float(x)
    except OverflowError:
        return float("inf") if x > 0 else float("-inf")
