"""A large product and a horizon -> potentials of every layer by backward induction in integers, rounded up at each step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from prover.solve import compiled_integer as compiled
from prover.solve import potential
from prover.solve.order import Ordered, behind
from prover.solve.rows import Gain, Ints, to_float

MEMORY = 6 * 2**30  # bytes for all layers
PRECISION = 44  # each layer costs 2^-44 at most


@dataclass(frozen=True, eq=False)
class Layers:
    """``potential[t]``: numerators over 2^k that bound what can still be earned from time t on; NULL: no choice is left."""

    potential: Ints
    k: int
    plan: Ints


def backward(
    base: Ordered,
    probabilities: Sequence[Fraction],
    gains: Gain | Sequence[Gain],
    steps: int,
    terminal: tuple[Ints, int] | None,
    discount: Fraction | None,
) -> Layers | str:
    """``terminal``: numerators of every node and their k.  A string says why there is no answer."""
    n = base.n
    if (steps + 1) * n * 12 > MEMORY:
        return f"{steps} layers of {n} nodes do not fit the memory"
    listed = [gains] * steps if isinstance(gains, Gain) else list(gains)
    if len(listed) != steps:
        raise ValueError("one gain for each step")
    last = np.zeros(n + 1, np.int64)
    given = 0
    if terminal is not None:
        last[:-1], given = terminal[0][base.members], terminal[1]
    known = last[last != potential.NULL]
    largest = to_float(Fraction(int(np.abs(known).max(initial=0)), 2**given))
    largest += sum(max((abs(to_float(g)) for g in gain.values), default=0.0) for gain in listed) + steps * 2.0**-20
    k = min(PRECISION, potential.room(2 * largest)) if given == 0 else given
    if k > potential.room(2 * largest):
        return "the terminal values are too precise for one word"
    if terminal is not None and given == 0:
        last[last != potential.NULL] <<= k
    table = np.full((steps + 1, n + 1), 0, np.int64)
    plan = np.full((steps, n), -1, np.int32)
    table[steps] = last
    stop = np.zeros(n, np.uint8)
    ready: dict[int, tuple[potential.Inequality, Ints]] = {}
    for t in range(steps - 1, -1, -1):
        gain = listed[t]
        if id(gain) not in ready:
            gain_index = gain.index[base.origin]
            ready[id(gain)] = (
                potential.inequality(base, stop, probabilities, discount, gain, gain_index, k, 2 * largest, columns=2),
                gain_index,
            )
        rows, gain_index = ready[id(gain)]
        narrow = 0 if rows.wide else rows.scale
        numbers = (rows.lower, rows.upper, rows.leak, rows.gain, gain_index, potential.WORD, narrow)
        compiled.layer(base.cs, base.ts, base.succ, base.index, *numbers, table[t + 1], table[t], plan[t])
    result = np.empty((steps + 1, n), np.int64)
    result[:, base.members] = table[:, :-1]
    choices = np.empty((steps, n), np.int32)
    for t in range(steps):
        choices[t, base.members] = behind(base.origin, plan[t])
    return Layers(result, k, choices)
