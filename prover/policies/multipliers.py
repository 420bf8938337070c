"""Motzkin multipliers cut to a few bits, so that the directions asked for, and the potentials that answer, stay short."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from prover.flint import fmpq
from prover.solve import lp

BITS = 32  # of a multiplier in the search

Column = tuple[Any, ...]  # ("value", player, stream) ("optimum", k) ("unknown",) ("part", player, index) ("ray", player, index)
RowName = tuple[
    Any, ...
]  # ("atom", i) ("lemma", Lemma, player) ("optimum", k, "lower" | "upper") ("unknown", "low" | "high") ("threshold",)


def rounded(named: Sequence[tuple[RowName, lp.Row[Column]]], multipliers: Sequence[fmpq]) -> list[fmpq]:
    """Multipliers of the literals cut to BITS bits; those of the background rows again such that optima and unknown cancel."""
    largest = max((u for (name, _), u in zip(named, multipliers, strict=True) if name[0] == "atom"), default=fmpq(0))
    if largest == 0:
        return list(multipliers)
    result = [_short(u / largest) if name[0] == "atom" else fmpq(0) for (name, _), u in zip(named, multipliers, strict=True)]
    left: dict[Column, fmpq] = {}
    for (name, row), u in zip(named, result, strict=True):
        if name[0] == "atom" and u != 0:
            for column, c in row.coefficients.items():
                if column[0] != "value":
                    left[column] = left.get(column, fmpq(0)) + u * c
    for column, excess in left.items():
        for i in reversed(range(len(named))):
            name, row = named[i]
            if excess != 0 and name[0] != "atom" and row.coefficients.get(column, fmpq(0)) * excess < 0:
                result[i] = -excess / row.coefficients[column]
                excess = fmpq(0)
        if excess != 0:
            return list(multipliers)
    return result


def _short(u: fmpq) -> fmpq:
    """0 <= u <= 1 to a multiple of a power of two, relatively as near as BITS bits allow."""
    if u == 0:
        return u
    top, bottom = int(u.p), int(u.q)
    shift = max(0, bottom.bit_length() - top.bit_length() + BITS)
    if bottom.bit_length() <= BITS:
        return u
    return fmpq(((top << shift) + bottom // 2) // bottom, 1 << shift)
