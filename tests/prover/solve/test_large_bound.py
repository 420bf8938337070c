"""Bounds of the large solver: against the exact supremum on small products, and bracketed by checked potentials on random graphs."""

from __future__ import annotations

from fractions import Fraction
from random import Random

import numpy as np
import pytest
from flint import fmpq
from hypothesis import assume, given
from hypothesis import strategies as st

from prover.solve.exact import Unbounded, supremum
from prover.solve.large import Failure, Large, Solution
from prover.solve.potential import NULL
from prover.solve.rows import Gain, Rows
from prover.solve.welldefined import Diverges, well_defined
from prover.worlds.objective import Stream
from prover.worlds.product import build
from tests.prover.build_spec import f, few, q, tables
from tests.prover.solve.large_rows import Model, random_model, rows_of, start_of, stream_gain, table, violations

TOTAL = Stream("W", "total", reward="pay")
UNTIL = Stream("W", "until", reward="pay", atom=0)
REACH = Stream("W", "probability", path=("until", ("true",), ("atom", 0), None))
AVOID = Stream("W", "probability", path=("until", ("not-atom", 1), ("atom", 0), None))
WEIGHTS = [Fraction(n, d) for n, d in ((1, 1), (-1, 1), (2, 1), (-1, 2), (3, 2))]
NEAR = 2e-6
FACTORS = [Fraction(0), Fraction(1, 2), Fraction(9, 10), Fraction(999, 1000)]


def weighted(product, weights: dict[int, Fraction]) -> Gain:
    return Gain.weighted([(w, stream_gain(product, i)) for i, w in weights.items()])


def near(bound: Fraction, value: Fraction, scale: float = 1.0) -> bool:
    """Not below, and not much above; a value of zero is met as far as the gains are large."""
    return bound >= value and float(bound - value) <= NEAR * max(abs(float(value)), scale * (value == 0))


@pytest.mark.parametrize(
    "streams", [[TOTAL], [UNTIL], [REACH], [AVOID], [TOTAL, REACH], [UNTIL, AVOID]], ids=lambda s: "+".join(x.kind for x in s)
)
def test_the_exact_supremum(streams):
    met = []

    @few(150)
    @given(
        tables(most=5, actions=2, pays="loops" if any(s.sums_for_ever for s in streams) else "none"),
        st.lists(st.sampled_from(WEIGHTS), min_size=len(streams), max_size=len(streams)),
    )
    def run(made, signs):
        product = build(made.mdp(), made.conditions(), tuple(streams), 0)
        assume(product.nodes)
        for s in streams:
            if s.sums_for_ever:
                assume(not isinstance(well_defined(build(made.mdp(), made.conditions(), (s,), 0), 0), Diverges))
        weights = dict(enumerate(signs))
        finite = frozenset(i for i, s in enumerate(streams) if s.sums_for_ever)
        exact = supremum(product, {i: q(w) for i, w in weights.items()}, finite)
        rows, gain = rows_of(product), weighted(product, weights)
        watched = finite | set(weights)
        zero = np.array([not any(product.earns[i][c] for i in watched) for c in range(rows.choices)])
        large = Large(rows)
        found = large.maximise(gain, zero, None, start_of(product))
        if isinstance(exact, Unbounded):
            assert isinstance(found, Failure) or (found.upper is None)
            return
        assert isinstance(found, Solution)
        if exact.bound is None:
            assert found.upper is None
            return
        truth = f(exact.bound - sum((q(w) * product.offset[i] for i, w in weights.items()), fmpq(0)))
        assert found.upper is not None
        assert near(found.upper, truth, 10.0)
        met.append(truth)
        live = large.liveness(zero)
        values = table(found.potential, found.k)
        assert [v is not None for v in values] == live.live.tolist()
        assert violations(rows, gain, values, None, live.usable.tolist()) == 0
        assert all(v >= 0 for v, stay in zip(values, live.stay, strict=True) if stay and v is not None)
        below = large.lower(found.plan, gain, zero, None, start_of(product))
        assert isinstance(below, Solution)
        assert below.upper is not None
        assert near(below.upper, -truth, 10.0)
        assert sum(p * table(below.potential, below.k)[n] for n, p in start_of(product) if n >= 0 and p) == below.upper

    run()
    assert any(met)


@few(80)
@given(
    tables(most=5, actions=3),
    st.sampled_from(FACTORS),
    st.sampled_from(WEIGHTS),
)
def test_a_discount(made, factor, weight):
    product = build(made.mdp(), made.conditions(), (Stream("W", "discount", reward="pay", factor=factor),), 0)
    assume(product.nodes)
    rows, gain = rows_of(product), weighted(product, {0: weight})
    exact = supremum(product, {0: q(weight)})
    found = Large(rows).maximise(gain, None, factor, start_of(product))
    assert isinstance(found, Solution)
    assert near(found.upper, f(exact.bound), 10.0)
    assert violations(rows, gain, table(found.potential, found.k), factor, [True] * rows.choices) == 0


def require_verified(large: Large, found: Solution, gain: Gain, zero: np.ndarray) -> None:
    """The potential passes; with one node lowered below what its choices are worth, or given a value where it has none, it does not."""
    assert large.verify(found.potential, found.k, gain, zero, None)
    node = int(np.flatnonzero(found.potential != NULL)[0])
    for wrong in (-(2**found.k) * 1000, NULL):
        table = found.potential.copy()
        table[node] = wrong
        assert not large.verify(table, found.k, gain, zero, None)


@pytest.mark.parametrize("loss", [False, True], ids=["settling pays", "only losses"])
def test_random_graphs_are_bracketed(loss):
    rng = Random(8)
    solved, merged = 0, 0
    for _ in range(120):
        model = random_model(rng, rng.choice([3, 10, 60]), loss)
        rows, gain, zero = model.rows(), model.gain(), model.zero()
        large = Large(rows)
        live = large.liveness(zero)
        start = [(0, Fraction(1, 3)), (1, Fraction(1, 3)), (-1, Fraction(1, 3))]
        found = large.maximise(gain, zero, None, start)
        assert isinstance(found, Solution)
        if not (live.live[0] and live.live[1]):
            assert found.upper is None
            continue
        values = table(found.potential, found.k)
        assert violations(rows, gain, values, None, live.usable.tolist()) == 0
        assert all(v >= 0 for v, stay in zip(values, live.stay, strict=True) if stay and v is not None)
        assert found.upper == sum(values[n] / 3 for n in (0, 1))
        require_verified(large, found, gain, zero)
        assert found.gap <= NEAR * (abs(found.estimate) or 10.0)
        below = large.lower(found.plan, gain, zero, None, start)
        reverse = table(below.potential, below.k)
        used = np.zeros(rows.choices, bool)
        reached = [n for n, v in enumerate(reverse) if v is not None]
        used[found.plan[reached]] = True
        only = [v if v is not None else Fraction(0) for v in reverse]
        assert violations(rows, gain.negated(), only, None, used.tolist()) == 0
        assert float(found.upper + below.upper) <= 2 * NEAR * (abs(found.estimate) or 10.0)
        _, system = large._system(zero, None)
        merged += system.merged
        solved += 1
    assert solved > 60
    assert merged > 20


def test_a_second_direction_and_a_warm_start_change_nothing():
    rng = Random(9)
    for _ in range(40):
        model, other = random_model(rng, 30), Random(rng.random())
        rows, zero = model.rows(), model.zero()
        first = model.gain()
        second = Gain(first.index, [v * other.choice([1, 2, 3]) if v < 0 else v * other.choice([1, 5]) for v in first.values])
        large, start = Large(rows), [(0, Fraction(1))]
        one = large.maximise(first, zero, None, start)
        two = large.maximise(second, zero, None, start, warm=one)
        cold = Large(rows).maximise(second, zero, None, start)
        assert (two.upper is None) == (cold.upper is None)
        if two.upper is not None:
            assert two.gap <= NEAR * (abs(two.estimate) or 10.0)
            assert abs(two.estimate - cold.estimate) <= NEAR * max(1e-3, abs(cold.estimate))
            assert violations(rows, second, table(two.potential, two.k), None, large.liveness(zero).usable.tolist()) == 0


def test_a_finer_tolerance():
    model = random_model(Random(4), 40)
    large, zero, start = Large(model.rows()), model.zero(), [(3, Fraction(1))]
    gaps = [large.maximise(model.gain(), zero, None, start, tolerance=t).gap for t in (1e-3, 1e-6, 1e-9, 1e-12)]
    assert all(gap <= t * 10 for gap, t in zip(gaps, (1e-3, 1e-6, 1e-9, 1e-12), strict=True))


def test_several_streams_of_one_plan():
    rng = Random(10)
    for _ in range(40):
        model = random_model(rng, 25)
        rows, zero, gain = model.rows(), model.zero(), model.gain()
        large = Large(rows)
        found = large.maximise(gain, zero, None, [(0, Fraction(1))])
        if found.upper is None:
            continue
        halved = Gain(gain.index, [v / 2 for v in gain.values])
        values = large.evaluate(found.plan, [gain, halved], zero, None)
        assert np.allclose(values[0], found.value, rtol=1e-5, atol=1e-5, equal_nan=True)
        assert np.allclose(values[1], values[0] / 2, equal_nan=True)


def test_gains_without_end_are_a_failure():
    model = Model(
        [[(Fraction(1), {0: Fraction(1, 2), 1: Fraction(1, 2)}), (Fraction(0), {-1: Fraction(1)})], [(Fraction(1), {0: Fraction(1)})]]
    )
    found = Large(model.rows()).maximise(model.gain(), model.zero(), None, [(0, Fraction(1))])
    assert isinstance(found, Failure)


def test_nothing_to_gain():
    model = Model(
        [[(Fraction(0), {0: Fraction(1, 2), 1: Fraction(1, 2)})], [(Fraction(0), {0: Fraction(1)}), (Fraction(0), {-1: Fraction(1)})]]
    )
    found = Large(model.rows()).maximise(model.gain(), model.zero(), None, [(0, Fraction(1))])
    assert (found.upper, found.potential.tolist()) == (0, [0, 0])


def test_a_cost_paid_until_an_end_that_comes_late():
    """From either state the end comes with chance 1/10 after a cost of 10: the worth is -100."""
    model = Model([[(Fraction(-10), {1 - n: Fraction(9, 10), -1: Fraction(1, 10)})] for n in range(2)])
    found = Large(model.rows()).maximise(model.gain(), model.zero(), None, [(0, Fraction(1))])
    assert near(found.upper, Fraction(-100))


def slow_chain(length: int) -> Model:
    """Two long ladders of coin flips, any tail leads back to the middle: the ends are reached after about 2^length rounds."""
    middle = length
    moves = []
    for n in range(2 * length + 1):
        if n == middle:
            law = {n - 1: Fraction(7, 10), n + 1: Fraction(3, 10)}
            moves.append([(Fraction(0), {n: Fraction(1)}), (Fraction(0), law)])
        elif n in (0, 2 * length):
            moves.append([(Fraction(n == 0), {-1: Fraction(1)})])
        else:
            moves.append([(Fraction(0), {n + (1 if n > middle else -1): Fraction(1, 2), middle: Fraction(1, 2)})])
    return Model(moves)


@pytest.mark.parametrize("length", [3, 20, 100])
def test_chains_that_mix_slowly(length):
    model = slow_chain(length)
    rows, zero = model.rows(), model.zero()
    large = Large(rows)
    found = large.maximise(model.gain(), zero, None, [(length, Fraction(1))])
    assert near(found.upper, Fraction(7, 10))
    values = table(found.potential, found.k)
    assert violations(rows, model.gain(), values, None, large.liveness(zero).usable.tolist()) == 0
    below = large.lower(found.plan, model.gain(), zero, None, [(length, Fraction(1))])
    assert near(below.upper, Fraction(-7, 10))


def test_no_node_at_all():
    one = np.zeros(1, np.int64)
    rows = Rows(one, one, np.zeros(0, np.int64), np.zeros(0, np.int64), [])
    found = Large(rows).maximise(Gain(np.zeros(0, np.int32), [Fraction(1)]), np.zeros(0, bool), None, [(-1, Fraction(1))])
    assert isinstance(found, Solution)
    assert (found.upper, len(found.plan)) == (0, 0)


def test_only_some_systems_are_kept():
    model = random_model(Random(11), 30)
    large, start = Large(model.rows()), [(0, Fraction(1))]
    bounds = []
    for k in range(7):
        zero = model.zero() & (np.arange(len(model.laws)) % 7 != k)
        found = large.maximise(model.gain(), zero, None, start)
        assert isinstance(found, Solution)
        bounds.append(found.upper)
    zero = model.zero() & (np.arange(len(model.laws)) % 7 != 0)
    assert large.maximise(model.gain(), zero, None, start).upper == bounds[0]
