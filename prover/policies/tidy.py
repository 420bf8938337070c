"""Mixtures with short weights: a counterexample is to be read, and replayed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from prover.flint import fmpq
from prover.policies.multipliers import Column
from prover.solve import lp

DENOMINATORS = (1, 2, 3, 4, 5, 10, 20, 100, 1000, 10**4, 10**6, 10**9)


def tidy(rows: Sequence[lp.Row[Column]], nonnegative: frozenset[Column], point: Mapping[Column, fmpq]) -> dict[Column, fmpq]:
    """A point of the rows near the given one whose weights have a short denominator, if rounding finds any; else the point itself.

    The weights (``nonnegative``, named ("part", player, index)) of each player sum to 1 before and after.
    """
    for denominator in DENOMINATORS:
        weights = {v: fmpq(int(x.p) * denominator // int(x.q), denominator) for v, x in point.items() if v in nonnegative}
        for player in {v[1] for v in weights}:
            mine = [v for v in weights if v[1] == player]
            largest = max(mine, key=lambda v: point[v])
            weights[largest] += 1 - sum((weights[v] for v in mine), fmpq(0))
        left = []
        for row in rows:
            rest = {v: c for v, c in row.coefficients.items() if v not in weights}
            constant = row.constant + sum((c * weights[v] for v, c in row.coefficients.items() if v in weights), fmpq(0))
            left.append(lp.Row(rest, constant, row.op))
        outcome = lp.feasible(left)
        if isinstance(outcome, lp.Feasible):
            return {**weights, **outcome.point}
    return dict(point)
