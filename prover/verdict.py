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
