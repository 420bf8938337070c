"""The types of the specification language: what kind of value an expression has."""

from __future__ import annotations

from dsl.record import dataclass


@dataclass(frozen=True, slots=True)
class Bool:
    """true or false; values are Python ``bool``."""

    def __str__(self) -> str:
        return "bool"


@dataclass(frozen=True, slots=True)
class Int:
    """Integers ``low..high``; a missing bound is unknown, not infinite.  Values are Python ``int``."""

    low: int | None = None
    high: int | None = None

    def __str__(self) -> str:
        if self.low is None or self.high is None:
            return "int"
        return f"{self.low}..{self.high}"


@dataclass(frozen=True, slots=True)
class Rational:
    """Exact rationals; values are ``Fraction``."""

    def __str__(self) -> str:
        return "rational"


@dataclass(frozen=True, slots=True)
class Enum:
    """An enumeration; a value is the index of its member (Python ``int``)."""

    name: str
    members: tuple[str, ...]

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Char:
    """One character of a grid; a value is its code point (Python ``int``)."""

    def __str__(self) -> str:
        return "char"


Type = Bool | Int | Rational | Enum | Char


def is_number(type: Type) -> bool:
    return isinstance(type, (Int, Rational))
