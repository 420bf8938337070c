"""Variables -> bit fields of 62-bit words: one state is a few non-negative int64, mostly one.

A variable of `size` values takes the bits of `size - 1`; fields fill the words first come, first served.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dsl.spec import Variable
from dsl.types import Bool, Enum, Int

WORD_BITS = 62

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
Words = tuple[IntArray, ...]


class TooWideError(Exception):
    """A variable whose values or whose range do not fit in 62 bits: no column can hold it."""


@dataclass(frozen=True, slots=True)
class Field:
    """Where a variable stands: value - low, in ``bits`` bits of word ``word`` from ``shift`` on."""

    name: str
    boolean: bool
    low: int
    high: int
    word: int
    shift: int
    bits: int

    @property
    def mask(self) -> int:
        return (1 << self.bits) - 1

    def column(self, words: Words) -> npt.NDArray[Any]:
        """The values of the variable in every packed state: bool or int64."""
        raw = words[self.word]
        if self.shift:
            raw = raw >> self.shift
        raw = raw & self.mask
        if self.boolean:
            return raw.astype(np.bool_)
        return raw + self.low if self.low else raw

    def value(self, raw: int) -> bool | int:
        """The variable's value in the word ``raw``."""
        offset = (raw >> self.shift) & self.mask
        return bool(offset) if self.boolean else offset + self.low


@dataclass(frozen=True, slots=True)
class Layout:
    fields: Mapping[str, Field]  # in the order of the variables
    words: int
    bits: int  # used in all words together

    def pack(self, values: Sequence[bool | int]) -> tuple[int, ...]:
        """One state, values in the order of the variables."""
        words = [0] * self.words
        for field, value in zip(self.fields.values(), values, strict=True):
            words[field.word] |= (int(value) - field.low) << field.shift
        return tuple(words)

    def unpack(self, words: Sequence[int]) -> tuple[bool | int, ...]:
        return tuple(field.value(words[field.word]) for field in self.fields.values())

    def pack_columns(self, columns: Mapping[str, npt.NDArray[Any]], size: int) -> Words:
        """Many states, one column of values for each variable."""
        words = tuple(np.zeros(size, dtype=np.int64) for _ in range(self.words))
        for field in self.fields.values():
            words[field.word][:] |= (columns[field.name].astype(np.int64) - field.low) << field.shift
        return words


def layout(variables: Sequence[Variable]) -> Layout:
    """Raises TooWideError."""
    fields: dict[str, Field] = {}
    word, shift, total = 0, 0, 0
    for variable in variables:
        low, high = bounds(variable)
        bits = (high - low).bit_length()
        if bits > WORD_BITS or max(abs(low), abs(high)) >> WORD_BITS:
            raise TooWideError(variable.name)
        if shift + bits > WORD_BITS:
            word, shift = word + 1, 0
        fields[variable.name] = Field(variable.name, isinstance(variable.type, Bool), low, high, word, shift, bits)
        shift += bits
        total += bits
    return Layout(fields, word + 1, total)


def bounds(variable: Variable) -> tuple[int, int]:
    """The least and the greatest value, as integers."""
    match variable.type:
        case Bool():
            return 0, 1
        case Int(low=int(low), high=int(high)):
            return low, high
        case Enum(members=members):
            return 0, len(members) - 1
    raise ValueError(f"variable {variable.name} has no finite range")


class Rows:
    """A batch of packed states, possibly each with its next state; decodes the variables that are asked for."""

    __slots__ = ("columns", "layout", "memo", "memo_next", "next", "words")

    def __init__(self, layout: Layout, words: Words) -> None:
        self.layout = layout
        self.words = words
        self.next: Rows | None = None
        self.columns: dict[str, npt.NDArray[Any]] = {}
        self.memo: dict[int, npt.NDArray[Any]] = {}
        self.memo_next: dict[int, npt.NDArray[Any]] = {}

    def __len__(self) -> int:
        return len(self.words[0])

    def column(self, name: str, primed: bool = False) -> npt.NDArray[Any]:
        if primed:
            if self.next is None:
                raise ValueError(f"{name}' has no value where there is no next state")
            return self.next.column(name)
        found = self.columns.get(name)
        if found is None:
            found = self.columns[name] = self.layout.fields[name].column(self.words)
        return found

    def take(self, rows: IntArray) -> Rows:
        return Rows(self.layout, tuple(word[rows] for word in self.words))

    def head(self, size: int) -> Rows:
        return Rows(self.layout, tuple(word[:size] for word in self.words))

    def then(self, words: Words) -> Rows:
        """The same states, each with a next state; what was computed from the states alone is shared."""
        rows = Rows(self.layout, self.words)
        rows.columns, rows.memo = self.columns, self.memo
        rows.next = Rows(self.layout, words)
        return rows


def first_true(rows: BoolArray) -> int | None:
    first = int(np.argmax(rows)) if len(rows) else 0
    return first if len(rows) and rows[first] else None
