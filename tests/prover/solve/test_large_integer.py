"""The compiled inequality against fractions: it counts what is violated, narrow and wide alike, and its moves end in potentials."""

from __future__ import annotations

from fractions import Fraction
from random import Random

import numpy as np
import pytest

from prover.solve import potential
from prover.solve.large import Large
from prover.solve.potential import Inequality, inequality
from tests.prover.solve.large_rows import Model, random_model, violations

K = 20


def prepared(model: Model, discount: Fraction | None, wide: bool, monkeypatch) -> tuple[Large, Inequality]:
    """Over all choices; ``wide``: as if words were needed twice."""
    large = Large(model.rows())
    gain = model.gain()
    if wide:
        monkeypatch.setattr(potential, "lcm", lambda *_: 2**70)
    stop = np.zeros(len(model.moves), np.uint8)
    made = inequality(large.base, stop, large.probabilities, discount, gain, gain.index[large.base.origin], K, 2.0**10)
    monkeypatch.undo()
    assert made.wide == wide
    return large, made


@pytest.mark.parametrize("discount", [None, Fraction(9, 10), Fraction(0)])
@pytest.mark.parametrize("wide", [False, True], ids=["narrow", "wide"])
def test_the_same_choices_are_violated(wide, discount, monkeypatch):
    rng = Random(1)
    counts = set()
    for _ in range(80):
        model = random_model(rng, 12)
        large, made = prepared(model, discount, wide, monkeypatch)
        level = rng.choice([0, 2**K, -(2**K)])
        numerators = np.array([level + rng.choice([0, 0, 1, -1, rng.randrange(-(2**22), 2**22)]) for _ in model.moves])
        v = np.zeros(len(numerators) + 1, np.int64)
        v[:-1] = numerators[large.base.members]
        values = [Fraction(int(x), 2**K) for x in numerators]
        expected = violations(model.rows(), model.gain(), values, discount, [True] * len(model.laws))
        found = made.run(2, v)[0]
        # Probabilities over 3 or 12 are enclosed in wide sums: a violation may be seen where there is none, never the other way round.
        assert found >= expected if wide else found == expected
        assert found <= expected + 4
        assert made.holds(v) == (found == 0)
        counts.add(found)
    assert len(counts) > 5


@pytest.mark.parametrize("wide", [False, True], ids=["narrow", "wide"])
def test_repairing_and_tightening_end_in_potentials(wide, monkeypatch):
    rng = Random(2)
    done, moved = 0, 0
    for _ in range(60):
        model = random_model(rng, 12)
        large, made = prepared(model, Fraction(1, 2), wide, monkeypatch)
        v = np.zeros(len(model.moves) + 1, np.int64)
        v[:-1] = [rng.randrange(-(2**20), 2**24) for _ in model.moves]
        if not made.repaired(v):
            continue
        done += 1

        def legal(v: np.ndarray, model: Model = model, large: Large = large) -> bool:
            values = [Fraction(int(v[large.base.class_of[n]]), 2**K) for n in range(len(model.moves))]
            return violations(model.rows(), model.gain(), values, Fraction(1, 2), [True] * len(model.laws)) == 0

        assert legal(v)
        before = v.copy()
        moved += made.tightened(v)
        assert legal(v)
        assert (v <= before).all()
    assert done > 50
    assert moved > 40


@pytest.mark.parametrize("wide", [False, True], ids=["narrow", "wide"])
def test_equal_values_cancel_exactly(wide, monkeypatch):
    """Waiting is free on a loop of thirds: a constant is a potential, one unit less at one node is none."""
    third = Fraction(1, 3)
    model = Model([[(Fraction(0), dict.fromkeys(range(3), third))] for _ in range(3)])
    _, made = prepared(model, None, wide, monkeypatch)
    v = np.array([7, 7, 7, 0])
    assert made.holds(v)
    v[1] -= 1
    assert not made.holds(v)


def test_values_beyond_the_limit_prove_nothing(monkeypatch):
    model = Model([[(Fraction(0), {0: Fraction(1)})]])
    _, made = prepared(model, None, False, monkeypatch)
    assert made.holds(np.array([made.limit, 0]))
    assert not made.holds(np.array([made.limit + 1, 0]))


def test_no_word_is_long_enough():
    model = Model([[(Fraction(1), {-1: Fraction(1)})]])
    large = Large(model.rows())
    gain = model.gain()
    with pytest.raises(OverflowError):
        inequality(large.base, np.zeros(1, np.uint8), large.probabilities, None, gain, gain.index, 50, 2.0**20)


@pytest.mark.parametrize(("p", "d"), [(0, 5), (1, -1), (2**61, 2**60), (2**61 - 1, -(2**60) + 1), (3, 0), (2**33 + 7, -(2**35) - 9)])
def test_products_of_two_words(p, d):
    """Through a layer of one choice: its worth is p d / 2^61, rounded up."""
    from prover.solve import compiled_integer as compiled

    one, half = np.array([0, 1], np.uint32), np.array([p], np.int64)
    later, v, plan = np.array([0, d], np.int64), np.zeros(2, np.int64), np.zeros(1, np.int32)
    gain = np.zeros((1, 2), np.int64)
    leak = np.zeros(2, np.int64)
    compiled.layer(
        one, one, np.array([1], np.uint32), np.zeros(1, np.uint8), half, half, leak, gain, np.zeros(1, np.int32), 61, 0, later, v, plan
    )
    assert v[0] == -((-p * d) >> 61)


def test_what_is_an_integer_is_proved_to_be_one():
    third = Fraction(1, 3)
    steps = [[(Fraction(0), {i: third, i + 1: third, i - 1: third} if i else {0: third, 1: 2 * third})] for i in range(39)]
    model = Model([*steps, [(Fraction(1), {-1: Fraction(1)})]])
    for sign in (1, -1):
        gain = model.gain() if sign == 1 else model.gain().negated()
        quiet = np.array([earned == 0 for row in model.moves for earned, _ in row])
        found = Large(model.rows()).maximise(gain, quiet, None, [(0, Fraction(1))])
        assert found.upper == sign


def test_snapping_down():
    k = 30
    v = np.array([2**k + 5, 2**k - 5, -(2**k) + 5, 2**k + 2**12, 0, 3], dtype=np.int64)
    assert list(potential.snapped_down(v, k)) == [2**k, 2**k - 5, -(2**k), 2**k + 2**12, 0, 0]
