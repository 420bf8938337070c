"""Verdicts: what twostep says of a statement, and on what it rests."""

from __future__ import annotations

from dataclasses import field
from fractions import Fraction
from typing import Any

from dsl.record import dataclass


@dataclass(frozen=True)
class FlatProof:
    """The proof document of a large world, and the arrays that it names (format 2 of docs/proof-format.md)."""

    document: dict[str, Any]
    arrays: dict[str, Any]


@dataclass(frozen=True)
class Enclosure:
    """The threshold of a ``find``: between lower and upper (None: infinity); exact when they are equal."""

    lower: Fraction | None
    upper: Fraction | None
    attained: bool | None


@dataclass(frozen=True)
class Proved:
    """``proof`` is the proof document that the checker accepted (JSON-ready, but for the arrays of a large one)."""

    proof: dict[str, Any] | FlatProof = field(repr=False)
    assumptions: tuple[str, ...] = ()
    value: Enclosure | None = None
    note: str | None = None


@dataclass(frozen=True)
class Holds:
    """Rests on a sample: true with this confidence (exact rational)."""

    proof: dict[str, Any] = field(repr=False)
    confidence: Fraction
    assumptions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Refuted:
    """``counterexample`` was replayed by the reference semantics (see prover/counterexample.py)."""

    counterexample: Any
    assumptions: tuple[str, ...] = ()
    method: str = "lazy"  # "smt": found by the direct encoding
    proof: FlatProof | None = field(default=None, repr=False)  # large worlds: the policy as a witness of the negation


@dataclass(frozen=True)
class Unknown:
    """Neither proved nor refuted: why, and what would decide it."""

    reason: str
    value: Enclosure | None = None


Verdict = Proved | Holds | Refuted | Unknown


@dataclass(frozen=True)
class Result:
    """One line of the answer.  ``kind``: well_defined, claim, theorem, find."""

    name: str
    kind: str
    verdict: Verdict
    line: int
    seconds: float
    method: str
    statement: str = field(default="")


class Stopped(KeyboardInterrupt):
    """The user interrupted; ``report`` (of prover/pipeline.py) has the verdicts reached so far, the others are unknown."""

    def __init__(self, report: Any) -> None:
        super().__init__("while claims were decided")
        self.report = report


def between(low: Fraction, high: Fraction) -> str:
    """``between 0.363644746 and 0.363644753``: with two digits more than the width needs, rounded outwards."""
    digits = 2
    while digits < 40 and (high - low) * 10 ** (digits - 2) < 1:
        digits += 1
    return f"between {_decimal(low, digits, up=False)} and {_decimal(high, digits, up=True)}"


def _decimal(value: Fraction, digits: int, *, up: bool) -> str:
    scaled = value * 10**digits
    whole = -(-scaled.numerator // scaled.denominator) if up else scaled.numerator // scaled.denominator
    sign, whole = ("-", -whole) if whole < 0 else ("", whole)
    return f"{sign}{whole // 10**digits}.{whole % 10**digits:0{digits}d}"
