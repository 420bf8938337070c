"""Suprema against the enumeration of policies, for every kind of stream; potentials against the rule of the proof format."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import pytest
from flint import fmpq
from hypothesis import assume, given
from hypothesis import strategies as st

from prover.solve.evaluate import distribution, evaluate
from prover.solve.exact import Supremum, Unbounded, supremum
from prover.solve.welldefined import Diverges, well_defined
from prover.worlds.objective import Stream
from prover.worlds.product import Product, build
from tests.prover.build_spec import HALF, ONE, Table, TooMany, best_by_enumeration, dense, f, few, q, reach, require_bound_rule, tables

TOTAL = Stream("W", "total", reward="pay")
UNTIL = Stream("W", "until", reward="pay", atom=0)
REACH = Stream("W", "probability", path=("until", ("true",), ("atom", 0), None))
AVOID = Stream("W", "probability", path=("until", ("not-atom", 1), ("atom", 0), None))
SOON = Stream("W", "probability", path=("until", ("true",), ("atom", 1), 1))
OFTEN, OFTEN_TOO = Stream("W", "recurrence", atom=0), Stream("W", "recurrence", atom=1)
WEIGHTS = [Fraction(n, d) for n, d in ((1, 1), (-1, 1), (2, 1), (-1, 2), (3, 2))]


def horizon(steps: int) -> Stream:
    return Stream("W", "horizon", reward="pay", steps=steps)


def discount(factor: Fraction) -> Stream:
    return Stream("W", "discount", reward="pay", factor=factor)


def product_of(table: Table, streams: Sequence[Stream], depth: int = 0) -> Product:
    return build(table.mdp(), table.conditions(), tuple(streams), depth)


def legitimate(table: Table, streams: Sequence[Stream]) -> bool:
    return not any(isinstance(well_defined(product_of(table, [s]), 0), Diverges) for s in streams if s.sums_for_ever)


def require_best(product: Product, weights: dict[int, Fraction], finite: frozenset[int]) -> None:
    """The bound is the best policy's value, the plan attains it, and the potential proves it."""
    answer = supremum(product, {i: q(w) for i, w in weights.items()}, finite)
    try:
        best = best_by_enumeration(product, weights, sorted(finite))
    except TooMany:
        assume(False)
        raise
    if isinstance(answer, Unbounded):
        require_gaining_loop(product, answer, weights)
        return
    require_bound_rule(product, answer)
    assert (None if answer.bound is None else f(answer.bound)) == best
    if best is not None:
        vector = evaluate(product, answer.plan)
        assert all(vector[i] is not None for i in finite)
        assert sum((w * f(v) for i, w in weights.items() if (v := vector[i]) is not None), Fraction(0)) == best


def require_gaining_loop(product: Product, answer: Unbounded, weights: dict[int, Fraction]) -> None:
    """The plan never leaves the loop, which earns more than nothing a step, and from which the product can still be left."""
    loop = sorted(answer.loop)
    played = {n: distribution(answer.plan[n]) for n in loop}
    rows = [
        {loop.index(product.successor[t]): f(p * product.probability[t]) for c, p in played[n] for t in product.transitions(c)}
        for n in loop
    ]
    gains = [sum((w * f(p * product.reward[i][c]) for i, w in weights.items() for c, p in played[n]), Fraction(0)) for n in loop]
    closed = [reach(rows, k) for k in range(len(loop))]
    inner = next(sorted(c) for c in closed if all(len(closed[k]) == len(c) for k in c))  # a class inside, cut at its first state
    rounds = [{inner.index(t): p for t, p in rows[k].items() if t != inner[0]} for k in inner]
    earned = dense(rounds, [gains[k] for k in inner])
    assert earned is not None
    assert earned[0] > 0


UNDISCOUNTED = [
    [TOTAL], [UNTIL], [REACH], [AVOID], [TOTAL, REACH], [UNTIL, AVOID], [TOTAL, UNTIL], [SOON, REACH],
]  # fmt: skip


@pytest.mark.parametrize("streams", UNDISCOUNTED, ids=lambda s: "+".join(x.kind for x in s))
def test_undiscounted(streams: list[Stream]) -> None:
    pays = "loops" if any(s.sums_for_ever for s in streams) else "none"

    @few(25)
    @given(tables(most=4, pays=pays), st.lists(st.sampled_from(WEIGHTS), min_size=len(streams), max_size=len(streams)))
    def run(table: Table, weights: list[Fraction]) -> None:
        assume(legitimate(table, streams))
        finite = frozenset(i for i, s in enumerate(streams) if s.sums_for_ever)
        require_best(product_of(table, streams), dict(enumerate(weights)), finite)

    run()


@few(40)
@given(tables(most=3, pays="none"), st.lists(st.sampled_from(WEIGHTS), min_size=2, max_size=2), st.booleans())
def test_recurrence_of_either_sign(table: Table, weights: list[Fraction], reach: bool) -> None:
    streams = [OFTEN, OFTEN_TOO, REACH] if reach else [OFTEN, OFTEN_TOO]
    require_best(product_of(table, streams), dict(enumerate(weights)), frozenset())


@few(30)
@given(tables(most=3, pays="loops"), st.lists(st.sampled_from(WEIGHTS), min_size=2, max_size=2))
def test_recurrence_beside_a_total(table: Table, weights: list[Fraction]) -> None:
    streams = [OFTEN, TOTAL]
    assume(legitimate(table, streams))
    require_best(product_of(table, streams), dict(enumerate(weights)), frozenset([1]))


@few(30)
@given(tables(most=3, pays="loops"), st.sampled_from(WEIGHTS))
def test_a_finite_stream_without_a_weight_restricts_the_policies(table: Table, weight: Fraction) -> None:
    streams = [OFTEN, TOTAL]
    assume(legitimate(table, streams))
    require_best(product_of(table, streams), {0: weight}, frozenset([1]))


@pytest.mark.parametrize("factor", [Fraction(0), HALF, Fraction(9, 10)])
@pytest.mark.parametrize("depth", [0, 2])
def test_discounted(factor: Fraction, depth: int) -> None:
    @few(15)
    @given(tables(most=3), st.sampled_from(WEIGHTS))
    def run(table: Table, weight: Fraction) -> None:
        streams = [discount(factor), horizon(depth)]
        require_best(product_of(table, streams, depth), {0: weight, 1: ONE}, frozenset())

    run()


@pytest.mark.parametrize("others", [[], [REACH], [SOON], [OFTEN]], ids=["alone", "reach", "soon", "often"])
def test_horizons_are_unrolled(others: list[Stream]) -> None:
    @few(20)
    @given(tables(most=3), st.lists(st.sampled_from(WEIGHTS), min_size=2, max_size=2))
    def run(table: Table, weights: list[Fraction]) -> None:
        streams = [horizon(2), *others]
        require_best(product_of(table, streams, 2), dict(zip(range(len(streams)), weights, strict=False)), frozenset())

    run()


@few(25)
@given(tables(most=3), st.lists(st.sampled_from(WEIGHTS), min_size=3, max_size=3))
def test_mixed_time_scales_only_bound(table: Table, weights: list[Fraction]) -> None:
    """No policy beats the bound, the potential proves it, and unrolling never makes it worse."""
    streams = [discount(HALF), REACH, discount(Fraction(9, 10))]
    best = None
    before = None
    for depth in (0, 1, 2):
        product = product_of(table, streams, depth)
        answer = supremum(product, {i: q(w) for i, w in enumerate(weights)})
        assert isinstance(answer, Supremum)
        assert answer.bound is not None
        require_bound_rule(product, answer)
        if best is None:
            try:
                best = best_by_enumeration(product, dict(enumerate(weights)), [])
            except TooMany:
                assume(False)
        assert best is not None
        assert best <= f(answer.bound)
        assert before is None or f(answer.bound) <= before
        before = f(answer.bound)
        vector = evaluate(product, answer.plan)
        reached = sum((w * f(v) for w, v in zip(weights, vector, strict=True) if v is not None), Fraction(0))
        assert reached <= f(answer.bound)


# ---------------------------------------------------------------- by hand

PAUSE = Table(
    ({"work": {0: ONE}, "wait": {0: ONE}, "quit": {1: ONE}}, {"rest": {1: ONE}}),
    {(0, "work", 0): -ONE, (0, "quit", 1): Fraction(3)},
)


def test_a_losing_loop_is_never_finite_and_waiting_is_worth_nothing() -> None:
    product = product_of(PAUSE, [TOTAL])
    best, least = supremum(product, {0: fmpq(1)}, frozenset([0])), supremum(product, {0: fmpq(-1)}, frozenset([0]))
    assert isinstance(best, Supremum)
    assert best.bound == 3
    assert isinstance(least, Unbounded)  # work as long as you like, then quit
    assert {product.nodes[n][0] for n in least.loop} == {0}


def test_no_policy_is_finite() -> None:
    product = product_of(Table(({"lose": {0: ONE}},), {(0, "lose", 0): -ONE}), [TOTAL])
    answer = supremum(product, {0: fmpq(1)}, frozenset([0]))
    assert isinstance(answer, Supremum)
    assert answer.bound is None
    assert answer.tails == {None: [None]}


def test_harm_and_then_idling_for_ever_does_not_escape() -> None:
    """V >= 0 where one may stay: without it the bound for -E would be below what idling after harm costs."""
    table = Table(({"harm": {1: ONE}, "idle": {0: ONE}}, {"idle": {1: ONE}}), {(0, "harm", 1): -ONE}, (frozenset([1]),))
    product = product_of(table, [TOTAL, REACH])
    answer = supremum(product, {0: fmpq(-1), 1: fmpq(-1, 2)}, frozenset([0]))
    assert isinstance(answer, Supremum)
    assert answer.bound == fmpq(1, 2)


def test_a_support_keeps_only_its_actions() -> None:
    table = Table(({"a": {0: ONE}, "b": {1: ONE}}, {"a": {1: ONE}}), {}, (frozenset([1]),))
    product = product_of(table, [REACH])
    values = [supremum(product, {0: fmpq(1)}, frozenset(), {0: frozenset([k])}) for k in (0, 1)]
    assert [v.bound for v in values if isinstance(v, Supremum)] == [0, 1]
    both = supremum(product, {0: fmpq(-1)}, frozenset(), {0: frozenset([0, 1])})
    assert isinstance(both, Supremum)
    assert both.bound == -1  # who plays both actions again and again leaves in the end


def test_a_weighted_total_must_be_assumed_finite() -> None:
    with pytest.raises(ValueError, match="finite"):
        supremum(product_of(PAUSE, [TOTAL]), {0: fmpq(1)})


def test_large_problems_start_from_the_float_hint(monkeypatch: pytest.MonkeyPatch) -> None:
    """A corridor of 450 states with two actions: the same answer with and without the hint."""
    from prover.solve import hint

    n = 450
    moves = tuple(
        {"slow": {s: HALF, min(s + 1, n): HALF}, "fast": {min(s + 1, n): ONE}} if s < n else {"end": {n: ONE}} for s in range(n + 1)
    )
    pay = {(s, "slow", t): -ONE for s in range(n) for t in (s, s + 1)} | {(s, "fast", s + 1): Fraction(-3, 2) for s in range(n)}
    product = product_of(Table(moves, pay), [TOTAL])
    asked = []
    original = hint.suggest

    def spy(*arguments: object) -> list[int] | None:
        asked.append(1)
        return original(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(hint, "suggest", spy)
    answer = supremum(product, {0: fmpq(1)}, frozenset([0]))
    assert isinstance(answer, Supremum)
    assert asked
    assert answer.bound == fmpq(-3, 2) * n
    require_bound_rule(product, answer)
