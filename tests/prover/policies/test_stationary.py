"""Stationary policies with the occupation measure of a mixture: they keep the values that are linear in it."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import assume, given
from hypothesis import strategies as st

from prover.policies.arena import Point
from prover.policies.stationary import memoryless, stationary
from prover.solve.evaluate import evaluate, trivial_plan
from prover.worlds.objective import Stream
from prover.worlds.product import build
from tests.prover.build_spec import HALF, ONE, ZERO, Table, f, few, q, tables

TOTAL = Stream("W", "total", reward="pay")
DISCOUNTED = Stream("W", "discount", reward="pay", factor=Fraction(2, 3))


def mixture(table: Table, stream: Stream, data: st.DataObject) -> tuple[list[tuple[Fraction, Point]], Fraction | None]:
    """Two deterministic plans, and the mean of their values."""
    product = build(table.mdp(), table.conditions(), (stream,))
    parts, mean = [], ZERO
    for weight in (Fraction(1, 3), Fraction(2, 3)):
        plan = [data.draw(st.sampled_from(list(product.choices(n)))) for n in range(len(product.nodes))]
        (value,) = evaluate(product, plan)
        if value is None:
            return [], None
        parts.append((weight, Point(product, plan, [value])))
        mean += weight * f(value)
    return parts, mean


def value_of(table: Table, stream: Stream, parts: list[tuple[Fraction, Point]]) -> Fraction | None:
    controller = stationary([(q(w), p) for w, p in parts])
    assert controller.is_memoryless
    made = build(table.mdp(), table.conditions(), (stream,), 0, controller)
    (value,) = evaluate(made, trivial_plan(made))
    return None if value is None else f(value)


@few(60)
@given(tables(most=4, actions=2), st.data())
def test_discounted_mixtures(table: Table, data: st.DataObject) -> None:
    parts, mean = mixture(table, DISCOUNTED, data)
    if parts and parts[0][1].product.nodes:
        assert value_of(table, DISCOUNTED, parts) == mean


@st.composite
def downward(draw: st.DrawFn) -> Table:
    """Every step goes to a higher state, the last one waits: all visits are transient but those of the last."""
    table = draw(tables(least=3, most=5, actions=2))
    last = len(table.moves) - 1
    moves = [{a: {min(last, s + 1 + t): p for t, p in law.items()} for a, law in row.items()} for s, row in enumerate(table.moves[:-1])]
    moves = [{a: law if sum(law.values()) == 1 else {last: ONE} for a, law in row.items()} for row in moves]
    pay = {(s, a, t): Fraction(draw(st.integers(-3, 3))) for s, row in enumerate(moves) for a, law in row.items() for t in law}
    return Table((*moves, {"a": {last: ONE}}), pay, (), table.init)


@few(60)
@given(downward(), st.data())
def test_total_mixtures_of_runs_that_end(table: Table, data: st.DataObject) -> None:
    parts, mean = mixture(table, TOTAL, data)
    assume(parts and parts[0][1].product.nodes)
    assert value_of(table, TOTAL, parts) == mean


def test_the_shares_are_those_of_the_visits() -> None:
    """One part leaves at once, the other goes round twice as often: 1/3 of the visits leave."""
    table = Table(({"stay": {0: HALF, 1: HALF}, "leave": {1: ONE}}, {"rest": {1: ONE}}), {(0, "stay", 0): -ONE})
    product = build(table.mdp(), [], (TOTAL,))
    first, second = [product.choices(0)[0], product.choices(1)[0]], [product.choices(0)[1], product.choices(1)[0]]
    points = [(HALF, Point(product, plan, evaluate(product, plan))) for plan in (first, second)]
    controller = stationary([(q(w), p) for w, p in points])
    assert dict(controller.rules[0, 0][0]) == {0: Fraction(2, 3), 1: Fraction(1, 3)}


def test_where_it_goes_on_for_ever_the_transient_visits_decide() -> None:
    """A state in which one part waits for ever, and that the other passes: the passing part's law wins."""
    table = Table(({"wait": {0: ONE}, "go": {1: ONE}}, {"rest": {1: ONE}}), {(0, "go", 1): ONE})
    product = build(table.mdp(), [], (TOTAL,))
    points = [(HALF, Point(product, plan, evaluate(product, plan))) for plan in ([0, 2], [1, 2])]
    controller = stationary([(q(w), p) for w, p in points])
    assert dict(controller.rules[0, 0][0]) == {1: ONE}


def test_states_left_out_play_their_first_action() -> None:
    table = Table(({"a": {1: ONE}, "b": {0: ONE}}, {"b": {0: ONE}, "a": {1: ONE}}), {})
    controller = memoryless(table.mdp(), {0: ((0, ONE),)})
    assert {s: actions for (_, s), (actions, _) in controller.rules.items()} == {0: ((0, ONE),), 1: ((1, ONE),)}
    assert controller.start == ((ONE, 0, 0),)
