"""Binomial tails and Clopper-Pearson bounds against sums of exact fractions."""

from __future__ import annotations

import random
from fractions import Fraction
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prover.checker.rules import binomial_tail
from prover.training.bounds import WIDTH, clopper_pearson_lower, clopper_pearson_upper, lower_bound, tail_at_most

DELTAS = [Fraction(1, 20), Fraction(1, 100), Fraction(1, 10**12), Fraction(9, 10), Fraction(999, 1000), Fraction(1, 3)]


def tail(successes: int, size: int, p: Fraction) -> Fraction:
    return sum((comb(size, i) * p**i * (1 - p) ** (size - i) for i in range(successes, size + 1)), Fraction(0))


@given(st.integers(1, 30), st.data())
def test_the_tail_is_exact(size: int, data: st.DataObject) -> None:
    successes = data.draw(st.integers(0, size))
    p = data.draw(st.fractions(0, 1, max_denominator=50))
    exact = tail(successes, size, p)
    for delta in (*DELTAS, exact, exact - Fraction(1, 10**30), exact + Fraction(1, 10**30)):
        if 0 < delta < 1:
            assert tail_at_most(successes, size, p, delta) == (exact <= delta)


@pytest.mark.parametrize("delta", DELTAS)
@pytest.mark.parametrize("size", [1, 2, 5, 17, 60])
def test_the_bound_is_sound_and_close(size: int, delta: Fraction) -> None:
    for successes in range(size + 1):
        bound = clopper_pearson_lower(successes, size, delta)
        assert 0 <= bound < 1
        if successes == 0:
            assert bound == 0
            continue
        assert tail(successes, size, bound) <= delta
        assert tail(successes, size, min(bound + WIDTH, Fraction(1))) > delta
        assert bound.denominator < 10**8 or bound < Fraction(1, 1000)


def test_mirror_image() -> None:
    for successes in range(8):
        upper = clopper_pearson_upper(successes, 7, Fraction(1, 20))
        assert (upper == 1) == (successes == 7)
        assert tail(7 - successes, 7, 1 - upper) <= Fraction(1, 20) or upper == 1


def test_known_values() -> None:
    """0.1 ** (1 / 10) and the tables of Clopper and Pearson's paper (two-sided 95 %: 2.5 % on this side)."""
    assert abs(float(clopper_pearson_lower(10, 10, Fraction(1, 10))) - 0.1 ** (1 / 10)) < 1e-8
    assert abs(float(clopper_pearson_lower(8, 10, Fraction(1, 40))) - 0.4439045) < 1e-6
    assert abs(float(clopper_pearson_upper(8, 10, Fraction(1, 40))) - 0.9747893) < 1e-6


@pytest.mark.parametrize(("successes", "size"), [(95_000, 100_000), (1, 100_000), (100_000, 100_000), (99_999, 100_000)])
def test_large_samples(successes: int, size: int) -> None:
    delta = Fraction(1, 100)
    bound = clopper_pearson_lower(successes, size, delta)
    assert tail_at_most(successes, size, bound, delta)
    assert not tail_at_most(successes, size, min(bound + WIDTH, Fraction(1)), delta)


def test_a_claim_at_the_exact_edge() -> None:
    """One success of one: the best bound is delta itself, and nothing above it."""
    delta = Fraction(1, 3)
    assert lower_bound(1, 1, delta, [delta]) == delta
    just_below = delta - Fraction(1, 10**40)
    assert just_below < lower_bound(1, 1, delta, [just_below]) <= delta
    assert lower_bound(1, 1, delta, [delta + Fraction(1, 10**40)]) <= delta


def test_wanted_bounds_are_never_taken_on_trust() -> None:
    draw = random.Random(5)
    for _ in range(60):
        size = draw.randint(1, 40)
        successes = draw.randint(1, size)
        delta = Fraction(draw.randint(1, 99), 100)
        best = clopper_pearson_lower(successes, size, delta)
        near = best + Fraction(draw.randint(-4, 4), 4 * 10**9)
        bound = lower_bound(successes, size, delta, [near, Fraction(draw.randint(1, 9), 10)])
        assert binomial_tail(size, successes, bound, delta)
        assert bound >= best


@pytest.mark.parametrize(("successes", "size", "delta"), [(2, 1, "1/2"), (-1, 3, "1/2"), (0, 0, "1/2"), (1, 2, "0"), (1, 2, "1")])
def test_nonsense_is_refused(successes: int, size: int, delta: str) -> None:
    with pytest.raises(ValueError, match=r"sample|delta"):
        clopper_pearson_lower(successes, size, Fraction(delta))
