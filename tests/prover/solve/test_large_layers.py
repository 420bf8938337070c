"""Backward induction against the same recursion in fractions."""

from __future__ import annotations

from fractions import Fraction
from random import Random

import numpy as np
import pytest

from prover.solve.large import Failure, Large
from prover.solve.layers import Layers
from prover.solve.potential import NULL
from prover.solve.rows import Gain
from tests.prover.solve.large_rows import Model, random_model

STEPS = 6


def exact(model: Model, gains: list[Gain], last: list[Fraction | None], discount: Fraction) -> list[list[Fraction | None]]:
    layers = [last]
    for gain in reversed(gains):
        later, now, c = layers[0], [], 0
        for row in model.moves:
            worth = []
            for _, law in row:
                if all(t < 0 or later[t] is not None for t in law):
                    worth.append(gain.values[gain.index[c]] + discount * sum(p * (later[t] if t >= 0 else 0) for t, p in law.items()))
                c += 1
            now.append(max(worth, default=None))
        layers.insert(0, now)
    return layers


@pytest.mark.parametrize("discount", [None, Fraction(9, 10), Fraction(1, 3)])
@pytest.mark.parametrize("long", [False, True], ids=["short denominators", "long denominators"])
def test_every_layer(long, discount):
    rng = Random(3)
    dead = 0
    for _ in range(40):
        model = random_model(rng, 8)
        if long:  # primes whose product leaves no room in one word
            for n, row in enumerate(model.moves):
                p = Fraction(1, [10007, 10009, 10037, 10039, 10061][n % 5])
                row[:] = [(g, {n: p, (n + 1) % 8: 1 - p}) for g, _ in row]
        gain = model.gain()
        gains = [Gain(gain.index, [v * (1 + t) for v in gain.values]) for t in range(STEPS)]
        last = [rng.choice([None, Fraction(rng.randrange(-9, 9))]) for _ in model.moves]
        terminal = np.array([NULL if x is None else int(x) for x in last])
        found = Large(model.rows()).backward(gains, STEPS, (terminal, 0), discount)
        assert isinstance(found, Layers)
        truth = exact(model, gains, last, Fraction(1) if discount is None else discount)
        for t in range(STEPS + 1):
            for n, value in enumerate(truth[t]):
                bound = int(found.potential[t, n])
                assert (bound == NULL) == (value is None)
                dead += value is None
                if value is not None:
                    assert 0 <= Fraction(bound, 2**found.k) - value <= (STEPS - t) * Fraction(2, 2**found.k)
        for t in range(STEPS):  # the plan's choice meets the bound
            later = [None if x == NULL else Fraction(int(x), 2**found.k) for x in found.potential[t + 1]]
            c = 0
            for n, row in enumerate(model.moves):
                if found.potential[t, n] != NULL:
                    _, law = row[found.plan[t, n] - c]
                    worth = gains[t].values[gains[t].index[found.plan[t, n]]]
                    worth += (discount or 1) * sum(p * later[s] for s, p in law.items() if s >= 0) if discount != 0 else 0
                    assert abs(Fraction(int(found.potential[t, n]), 2**found.k) - worth) <= Fraction(2, 2**found.k)
                c += len(row)
    assert dead > 20


def test_one_gain_for_all_steps_and_nothing_at_the_end():
    model = random_model(Random(7), 8)
    one = Large(model.rows()).backward(model.gain(), STEPS)
    many = Large(model.rows()).backward([model.gain()] * STEPS, STEPS, (np.zeros(8, np.int64), 0))
    assert (one.potential == many.potential).all()
    truth = exact(model, [model.gain()] * STEPS, [Fraction(0)] * 8, Fraction(1))
    assert [float(x) for x in truth[0]] == pytest.approx((one.potential[0] / 2.0**one.k).tolist())


def test_too_many_layers():
    model = random_model(Random(7), 8)
    assert isinstance(Large(model.rows()).backward(model.gain(), 10**9), Failure)
