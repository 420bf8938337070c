"""Large components: sweeps in an order of their own and policy iteration agree, the bounds meet, thin slow chains are solved exactly."""

from __future__ import annotations

from fractions import Fraction

import pytest

from prover.solve import component, sweep
from prover.solve.large import Large, Solution
from tests.prover.solve.large_rows import Model
from tests.prover.solve.test_large_sweep import bracket, corridors

HALF = Fraction(1, 2)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_an_order_changes_no_value(monkeypatch, seed):
    model, ends, solve = corridors(16, seed), [], component.solve

    def watched(*known):
        ends.append(solve(*known))
        return ends[-1]

    monkeypatch.setattr(component, "solve", watched)
    without = bracket(model)
    assert not ends  # too small to be worth it
    monkeypatch.setattr(sweep, "LARGE", 50)
    monkeypatch.setattr(sweep, "_scattered", lambda *_: False)
    monkeypatch.setattr(sweep, "SWEEPS", 2)
    monkeypatch.setattr(sweep, "PATIENCE", 0)
    low, high = bracket(model)
    assert ends
    assert all(ends)
    assert high - low <= 2e-6 * abs(low)
    assert max(low, without[0]) <= min(high, without[1])


def test_a_thin_chain_that_hardly_ever_ends():
    """Two arms of 2,500 nodes, from each of which half of the runs go back to the middle: 7/10, after 2^2500 steps."""
    arm, free = 2500, Fraction(0)
    moves = [[(free, {0: Fraction(1)}), (free, {1: Fraction(7, 10), arm + 1: Fraction(3, 10)})]]
    for first, prize in ((1, HALF), (arm + 1, free)):
        last = first + arm - 1
        moves += [[(prize if n == last else free, {-1 if n == last else n + 1: HALF, 0: HALF})] for n in range(first, last + 1)]
    model = Model(moves)
    found = Large(model.rows()).maximise(model.gain(), model.zero(), None, [(0, Fraction(1))])
    assert isinstance(found, Solution)
    assert found.upper is not None
    assert 0 <= found.upper - Fraction(7, 10) <= Fraction(1, 10**6)
