"""Exact values of policies: against forward simulation of the table, and against dense systems written by hand."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prover.policies.controller import Controller
from prover.solve.evaluate import evaluate, reachable, recurrent, trivial_plan
from prover.worlds.objective import Stream
from prover.worlds.product import Product, build
from tests.prover.build_spec import HALF, ONE, ZERO, Table, dense, f, few, reach, tables

TOTAL = Stream("W", "total", reward="pay")
UNTIL = Stream("W", "until", reward="pay", atom=0)
REACH = Stream("W", "probability", path=("until", ("not-atom", 1), ("atom", 0), None))
OFTEN = Stream("W", "recurrence", atom=0)
FACTOR = Fraction(3, 4)
DISCOUNTED = Stream("W", "discount", reward="pay", factor=FACTOR)
STEPS = 3
HORIZON = Stream("W", "horizon", reward="pay", steps=STEPS)
Key = tuple[int, int]  # state, controller node


@st.composite
def controllers(draw: st.DrawFn, table: Table) -> Controller:
    """Randomised, with two nodes, a mixed start, and moves that depend on the successor."""
    mdp = table.mdp()
    rules = {}
    for s in range(mdp.states):
        enabled = mdp.action[mdp.choice_start[s] : mdp.choice_start[s + 1]]
        for node in (0, 1):
            actions = draw(st.lists(st.sampled_from(enabled), min_size=1, max_size=2, unique=True))
            share = draw(st.sampled_from([HALF, Fraction(1, 5)])) if len(actions) == 2 else ONE
            play = ((actions[0], share), *((a, 1 - share) for a in actions[1:]))
            rules[node, s] = (play, draw(st.dictionaries(st.integers(0, mdp.states - 1), st.integers(0, 1), max_size=2)))
    weight = draw(st.sampled_from([ZERO, Fraction(1, 4), ONE]))
    start = [(w, s, n) for s in table.start for w, n in ((weight, 0), (1 - weight, 1))]
    return Controller(tuple(start), rules)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Table, Controller]:
    table = draw(tables(most=4, actions=2))
    return table, draw(controllers(table))


def steps(table: Table, controller: Controller, key: Key) -> list[tuple[Key, Fraction, Fraction]]:
    """(next, probability, pay)"""
    names = table.mdp().actions
    actions, moves = controller.rules[key[1], key[0]]
    return [
        ((t, moves.get(t, key[1])), share * p, table.pay.get((key[0], names[a], t), ZERO))
        for a, share in actions
        for t, p in table.moves[key[0]][names[a]].items()
    ]


def begin(table: Table, controller: Controller) -> dict[Key, Fraction]:
    law: dict[Key, Fraction] = {}
    for s, mass in table.start.items():
        for weight, state, node in controller.start:
            if state == s and weight:
                law[s, node] = law.get((s, node), ZERO) + mass * weight
    return law


def product_of(table: Table, controller: Controller, *streams: Stream, depth: int = 0) -> Product:
    return build(table.mdp(), table.conditions(), streams, depth, controller)


def value(table: Table, controller: Controller, stream: Stream, depth: int = 0) -> Fraction | None:
    product = product_of(table, controller, stream, depth=depth)
    (result,) = evaluate(product, trivial_plan(product))
    return None if result is None else f(result)


@few(40)
@given(cases())
def test_horizon_step_by_step(case: tuple[Table, Controller]) -> None:
    table, controller = case
    law, total = begin(table, controller), ZERO
    for _ in range(STEPS):
        after: dict[Key, Fraction] = {}
        for key, mass in law.items():
            for target, p, pay in steps(table, controller, key):
                total += mass * p * pay
                after[target] = after.get(target, ZERO) + mass * p
        law = after
    for depth in (STEPS, STEPS + 2):
        assert value(table, controller, HORIZON, depth) == total


@few(40)
@given(cases())
def test_discount_within_the_truncation_error(case: tuple[Table, Controller]) -> None:
    table, controller = case
    law, total, scale = begin(table, controller), ZERO, ONE
    for _ in range(12):
        after: dict[Key, Fraction] = {}
        for key, mass in law.items():
            for target, p, pay in steps(table, controller, key):
                total += scale * mass * p * pay
                after[target] = after.get(target, ZERO) + mass * p
        law, scale = after, scale * FACTOR
    largest = max((abs(x) for x in table.pay.values()), default=ZERO)
    found = {value(table, controller, DISCOUNTED, depth) for depth in (0, 1, 3)}
    assert len(found) == 1  # when the tail begins does not matter
    exact = found.pop()
    assert exact is not None
    assert abs(exact - total) <= scale * largest / (1 - FACTOR)


@few(40)
@given(cases())
def test_probability_between_what_is_settled_and_what_is_open(case: tuple[Table, Controller]) -> None:
    table, controller = case
    goal, bad = table.marks
    won, law = ZERO, {}
    for key, mass in begin(table, controller).items():
        if key[0] in goal:
            won += mass
        elif key[0] not in bad:
            law[key] = mass
    for _ in range(15):
        after: dict[Key, Fraction] = {}
        for key, mass in law.items():
            for target, p, _ in steps(table, controller, key):
                if target[0] in goal:
                    won += mass * p
                elif target[0] not in bad:
                    after[target] = after.get(target, ZERO) + mass * p
        law = after
    exact = value(table, controller, REACH)
    assert exact is not None
    assert won <= exact <= won + sum(law.values(), ZERO)


def by_hand(table: Table, controller: Controller, kind: str) -> Fraction | None:
    """The chain of (state, node), its closed classes, and one dense system."""
    first = begin(table, controller)
    keys = list(first)
    goal = table.marks[0]
    for key in keys:
        if not (kind == "until" and key[0] in goal):
            keys += [t for t, _, _ in steps(table, controller, key) if t not in keys]
    rows: list[dict[int, Fraction]] = [{} for _ in keys]
    gains, earns = [ZERO] * len(keys), [False] * len(keys)
    for k, key in enumerate(keys):
        if kind == "until" and key[0] in goal:
            continue
        for target, p, pay in steps(table, controller, key):
            rows[k][keys.index(target)] = rows[k].get(keys.index(target), ZERO) + p
            gains[k] += p * pay
            earns[k] |= pay != 0
    seen = [reach(rows, k) for k in range(len(keys))]
    for k in range(len(keys)):
        if rows[k] and all(k in seen[j] and rows[j] for j in seen[k]):
            if kind != "often" and any(earns[j] for j in seen[k]):
                return None
            gains[k] = ONE if kind == "often" and any(keys[j][0] in goal for j in seen[k]) else ZERO
            rows[k] = {}
        elif kind == "often":
            gains[k] = ZERO
    solved = dense(rows, gains)
    assert solved is not None
    return sum((mass * solved[keys.index(key)] for key, mass in first.items()), ZERO)


@pytest.mark.parametrize(("stream", "kind"), [(TOTAL, "total"), (UNTIL, "until"), (OFTEN, "often")], ids=["total", "until", "often"])
def test_endless_sums_and_recurrence(stream: Stream, kind: str) -> None:
    @few(50)
    @given(cases())
    def run(case: tuple[Table, Controller]) -> None:
        table, controller = case
        assert value(table, controller, stream) == by_hand(table, controller, kind)

    run()


@few(30)
@given(cases())
def test_streams_together_have_the_values_they_have_alone(case: tuple[Table, Controller]) -> None:
    table, controller = case
    streams = (TOTAL, UNTIL, REACH, OFTEN, DISCOUNTED, HORIZON)
    product = product_of(table, controller, *streams, depth=STEPS)
    together = [None if v is None else f(v) for v in evaluate(product, trivial_plan(product))]
    assert together == [value(table, controller, s, STEPS) for s in streams]


def test_reachable_and_recurrent_nodes_of_a_plan() -> None:
    table = Table(
        ({"go": {1: HALF, 2: HALF}, "stay": {0: ONE}}, {"on": {2: ONE}}, {"on": {1: ONE}}, {"never": {3: ONE}}), {}, (frozenset(),)
    )
    product = build(table.mdp(), table.conditions(), (OFTEN,))
    assert [product.nodes[n][0] for n in reachable(product, trivial_plan(product))] == [0, 1, 2]
    assert {product.nodes[n][0] for n in recurrent(product, trivial_plan(product))} == {1, 2}
    lazy = [((product.choice_start[0] + 1, f_one),) if n == 0 else c for n, c in enumerate(trivial_plan(product)) for f_one in [ONE]]
    assert {product.nodes[n][0] for n in reachable(product, lazy)} == {0}


def test_a_class_that_earns_with_average_nothing_is_not_finite() -> None:
    """+1 and -1 with equal chances: the sum has no limit, whatever its mean."""
    table = Table(
        ({"toss": {0: HALF, 1: HALF}}, {"toss": {0: HALF, 1: HALF}}), {(s, "toss", t): ONE if t else -ONE for s in (0, 1) for t in (0, 1)}
    )
    controller = Controller(((ONE, 0, 0),), {(0, s): (((0, ONE),), {}) for s in (0, 1)})
    product = build(table.mdp(), [], (TOTAL,), 0, controller)
    assert evaluate(product, trivial_plan(product)) == [None]
