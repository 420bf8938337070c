"""Chains that mix too slowly for floats: the exact solver on a small system, and its values rounded up to a potential."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, log2

import numpy as np

from prover.flint import fmpq, fraction, rational
from prover.solve import chain
from prover.solve.exact import iterate
from prover.solve.order import Ordered
from prover.solve.rows import Floats, Gain, Ints, to_float

LARGEST = 4000  # nodes that the exact solver is trusted to finish
THIN = 20_000  # ... if it has few transitions: elimination hardly fills in


@dataclass(frozen=True, eq=False)
class SlowSolution:
    plan: Ints
    values: Floats
    numerators: Ints  # Python integers where a word is too short
    k: int
    upper: Fraction
    estimate: float


def slow(
    ordered: Ordered,
    stop: Ints,
    probabilities: Sequence[Fraction],
    discount: Fraction | None,
    gain: Gain,
    gain_index: Ints,
    begin: dict[int, Fraction],
    tolerance: float,
) -> SlowSolution | str | None:
    """None: the system is too large; a string: why there is no potential."""
    n = ordered.n
    if n > (THIN if LARGEST and len(ordered.succ) <= 5 * n // 2 else LARGEST):
        return None
    factor = fmpq(1) if discount is None else rational(discount)
    table = [factor * rational(p) for p in probabilities]
    values = [rational(g) for g in gain.values]
    gains: dict[int, fmpq] = {}
    moves: dict[int, chain.Row] = {}
    options: list[list[int]] = []
    cs, ts = ordered.cs.tolist(), ordered.ts.tolist()
    succ, index, gain_of = ordered.succ.tolist(), ordered.index.tolist(), gain_index.tolist()
    for i in range(n):
        options.append([])
        if stop[i]:
            gains[-1 - i], moves[-1 - i] = fmpq(0), {}
            options[i].append(-1 - i)
        for c in range(cs[i], cs[i + 1]):
            row: chain.Row = {}
            for t in range(ts[c], ts[c + 1]):
                if succ[t] != n:
                    row[succ[t]] = row.get(succ[t], fmpq(0)) + table[index[t]]
            if row.get(i, fmpq(0)) == 1:
                if values[gain_of[c]] > 0:
                    return "a loop gains"
                continue  # it waits here for ever: that is what stopping means, or it loses
            gains[c], moves[c] = values[gain_of[c]], row
            options[i].append(c)
    start = _proper(options, moves)
    if start is None:
        return "a node cannot stop"
    try:
        _, plan = iterate(options, gains, moves, start)
        rows = [moves[c] for c in plan]
        pairs = chain.solve(rows, [[gains[c], fmpq(1 if c >= 0 else 0)] for c in plan])
        estimate = sum((p * fraction(pairs[i][0]) for i, p in begin.items()), Fraction(0))
        steps = sum((p * fraction(pairs[i][1]) for i, p in begin.items()), Fraction(1))
        target = Fraction(tolerance) * (abs(estimate) if estimate else max((abs(g) for g in gain.values), default=Fraction(1))) / 4
        while True:
            m = _power(target / steps)
            shifted = {c: g + (rational(m) if c >= 0 else 0) for c, g in gains.items()}
            try:
                raised, _ = iterate(options, shifted, moves, plan)
            except chain.Singular:
                target /= 2**20  # the margin made a losing loop gain
                if target.denominator.bit_length() > 100_000:
                    return "the least loss of a loop is out of reach"
                continue
            break
    except chain.Singular:
        return "a loop gains"
    k = m.denominator.bit_length() + 1
    numerators = [-(-int(v.p) * 2**k // int(v.q)) for v in raised]
    small = max((abs(x) for x in numerators), default=0) < 2**62
    out: Ints = np.array([*numerators, 0], dtype=np.int64 if small else object)
    upper = sum((p * numerators[i] for i, p in begin.items()), Fraction(0)) / 2**k
    floats = np.array([*(to_float(fraction(v[0])) for v in pairs), 0.0])
    return SlowSolution(np.array([max(c, -1) for c in plan]), floats, out, k, upper, to_float(estimate))


def _power(x: Fraction) -> Fraction:
    """A power of two, at most 1, not above x > 0."""
    return Fraction(1, 2 ** max(0, 1 + ceil(-log2(x.numerator) + log2(x.denominator))))


def _proper(options: list[list[int]], moves: dict[int, chain.Row]) -> list[int] | None:
    """For every node a choice that comes nearer to stopping."""
    policy: list[int | None] = [None] * len(options)
    into: list[list[tuple[int, int]]] = [[] for _ in options]
    queue: list[int] = []
    for n, choices in enumerate(options):
        for c in choices:
            for t in moves[c]:
                into[t].append((n, c))
            if policy[n] is None and sum(moves[c].values(), fmpq(0)) < 1:
                policy[n] = c
                queue.append(n)
    for n in queue:
        for source, c in into[n]:
            if policy[source] is None:
                policy[source] = c
                queue.append(source)
    result = [c for c in policy if c is not None]
    return result if len(result) == len(options) else None
