"""A nearly optimal policy by policy iteration in floats: where exact policy iteration starts on larger problems.

Floats only suggest: the policy is evaluated and improved in rationals afterwards, whatever comes out here.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence

from prover.flint import fmpq
from prover.solve.chain import Row

LARGE = 400  # problems below are not worth importing scipy
ROUNDS = 200


def suggest(options: Sequence[Sequence[int]], gains: Mapping[int, fmpq], moves: Mapping[int, Row], policy: list[int]) -> list[int] | None:
    """An improved policy, or None where floats break down.  ``policy`` must be proper."""
    import numpy as np
    from scipy.sparse import csr_matrix, identity
    from scipy.sparse.linalg import MatrixRankWarning, spsolve

    choices = [c for row in options for c in row]
    position = {c: k for k, c in enumerate(choices)}
    first = np.cumsum([0] + [len(row) for row in options])
    indptr, indices, data = [0], [], []
    try:
        for c in choices:
            for t, p in moves[c].items():
                indices.append(t)
                data.append(_float(p))
            indptr.append(len(indices))
        gain = np.array([_float(gains[c]) for c in choices])
    except OverflowError:
        return None
    matrix = csr_matrix((np.array(data), np.array(indices, dtype=np.int64), np.array(indptr)), shape=(len(choices), len(options)))
    chosen = np.array([position[c] for c in policy])
    unit = identity(len(options), format="csr")
    with warnings.catch_warnings():
        warnings.simplefilter("error", MatrixRankWarning)
        for _ in range(ROUNDS):
            try:
                values = spsolve((unit - matrix[chosen]).tocsc(), gain[chosen])
            except (MatrixRankWarning, RuntimeError):
                return None
            if not np.all(np.isfinite(values)):
                return None
            worth = gain + matrix @ values
            best = np.maximum.reduceat(worth, first[:-1])
            better = best > worth[chosen] + 1e-9 * (1 + np.abs(best))
            if not better.any():
                return [choices[k] for k in chosen]
            winners = np.flatnonzero(worth >= np.repeat(best, np.diff(first)))
            owner = np.searchsorted(first, winners, side="right") - 1
            leader = np.full(len(options), -1)
            leader[owner[::-1]] = winners[::-1]
            chosen = np.where(better, leader, chosen)
    return None


def _float(x: fmpq) -> float:
    return int(x.p) / int(x.q)
