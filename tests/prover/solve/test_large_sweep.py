"""The search in floats: every way to evaluate a plan gives the same values, plans that never stop are noticed, order does not matter."""

from __future__ import annotations

from fractions import Fraction
from random import Random

import numpy as np
import pytest

from prover.solve import slow, sweep
from prover.solve.large import Failure, Large, Solution
from tests.prover.solve.large_rows import Law, Model, random_model, table, violations

TENTH = Fraction(1, 10)


def corridors(size: int, seed: int) -> Model:
    """A square with slippery floor; each step costs one or three; one corner is the way out."""
    rng = Random(seed)
    moves = []
    for x in range(size):
        for y in range(size):
            row = []
            for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
                law: Law = {}
                for (a, b), p in (((dx, dy), 8 * TENTH), ((dy, dx), TENTH), ((-dy, -dx), TENTH)):
                    cell = min(max(x + a, 0), size - 1) * size + min(max(y + b, 0), size - 1)
                    t = -1 if cell == size * size - 1 else cell
                    law[t] = law.get(t, Fraction(0)) + p
                row.append((Fraction(rng.choice([-1, -1, -3])), law))
            moves.append(row)
    return Model(moves)


def walk(length: int, gain: Fraction = Fraction(0)) -> Model:
    """A fair walk between two ends; the upper one pays one.  ``gain`` on each step inside."""
    half = Fraction(1, 2)
    inner = [[(gain, {n - 1: half, n + 1: half})] for n in range(1, length - 1)]
    return Model([[(Fraction(0), {-1: Fraction(1)})], *inner, [(Fraction(1), {-1: Fraction(1)})]])


def bracket(model: Model, start: int = 0) -> tuple[float, float]:
    large, zero, gain = Large(model.rows()), model.zero(), model.gain()
    found = large.maximise(gain, zero, None, [(start, Fraction(1))])
    assert isinstance(found, Solution)
    values = table(found.potential, found.k)
    assert violations(model.rows(), gain, values, None, large.liveness(zero).usable.tolist()) == 0
    below = large.lower(found.plan, gain, zero, None, [(start, Fraction(1))])
    assert isinstance(below, Solution)
    return -float(below.upper), float(found.upper)


@pytest.fixture(params=["elimination", "factorisation", "iteration"])
def method(request, monkeypatch):
    monkeypatch.setattr(slow, "LARGEST", 0)  # floats alone
    if request.param != "elimination":
        # Components of up to 40 nodes are eliminated in the compiled loop; these models have larger ones.
        monkeypatch.setattr(sweep, "SWEEPS", 2)
        monkeypatch.setattr(sweep, "PATIENCE", 0)
    if request.param == "iteration":
        monkeypatch.setattr(sweep, "FACTORISED", 10)
        monkeypatch.setattr(sweep, "LARGEST", 10)
    return request.param


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_way_out_that_costs(method, seed):
    low, high = bracket(corridors(3 if method == "elimination" else 12, seed))
    assert high - low <= 2e-6 * abs(low)
    assert low < 0


def test_a_fair_walk(method):
    length = 21 if method == "elimination" else 101
    low, high = bracket(walk(length), length // 2)
    assert low <= 0.5 <= high
    assert high - low < 1e-6


@pytest.mark.usefixtures("method")
def test_a_walk_that_pays_on_the_way():
    """From the middle of 2 n steps the ends are n^2 steps away."""
    low, high = bracket(walk(61, Fraction(1, 7)), 30)
    assert low <= 900 / 7 + 0.5 <= high
    assert high - low < 1e-3


def test_the_order_of_the_nodes_does_not_matter():
    model = corridors(8, 5)
    rng = Random(0)
    low, high = bracket(model)
    for _ in range(3):
        names = list(range(len(model.moves)))
        rng.shuffle(names)
        moves = [model.moves[n] for n in names]
        place = {old: new for new, old in enumerate(names)} | {-1: -1}
        mixed = Model([[(g, {place[t]: p for t, p in law.items()}) for g, law in row] for row in moves])
        other_low, other_high = bracket(mixed, place[0])
        assert max(low, other_low) <= min(high, other_high)


@pytest.mark.usefixtures("method")
def test_a_long_loop_that_gains():
    """One unit is won in every round of sixty steps; leaving is always possible."""
    rounds = [[(Fraction(n == 7), {(n + 1) % 60: Fraction(1)}), (Fraction(0), {-1: Fraction(1)})] for n in range(60)]
    model = Model(rounds)
    assert isinstance(Large(model.rows()).maximise(model.gain(), model.zero(), None, [(0, Fraction(1))]), Failure)


def test_a_loop_that_loses_a_little():
    """A round loses a millionth: less than nothing, so the best is to leave at once for a half."""
    small = Fraction(-1, 10**6)
    rounds = [[(small if n == 0 else Fraction(0), {(n + 1) % 50: Fraction(1)}), (Fraction(1, 2), {-1: Fraction(1)})] for n in range(50)]
    low, high = bracket(Model(rounds), 25)
    assert low <= 0.5 <= high
    assert high - low < 1e-6


def test_self_loops_are_solved_for():
    """Waiting with chance 999999/1000000 is no reason to sweep a million times."""
    stay = Fraction(999_999, 1_000_000)
    model = Model(
        [[(Fraction(1, 3), {0: stay, 1: 1 - stay})], [(Fraction(2), {1: stay, -1: 1 - stay}), (Fraction(-(10**6)), {0: Fraction(1)})]]
    )
    low, high = bracket(model)
    truth = 10**6 / 3 + 2 * 10**6
    assert low <= truth <= high
    assert high - low <= 2e-6 * truth


def test_nothing_is_left_over_between_directions():
    model = random_model(Random(3), 50)
    large = Large(model.rows())
    _, numbers = large._prepared(model.zero(), None)
    first = large.maximise(model.gain(), model.zero(), None, [(0, Fraction(1))])
    assert not numbers.scratch.any()
    again = large.maximise(model.gain(), model.zero(), None, [(0, Fraction(1))])
    assert np.array_equal(first.potential, again.potential)
