"""Plans over a product as controllers of the world: the same values, and no more memory than the plan uses."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prover.policies.unfold import unfold
from prover.solve.evaluate import evaluate, trivial_plan
from prover.solve.exact import Decision, Plan
from prover.worlds.objective import Stream
from prover.worlds.product import Product, build
from tests.prover.build_spec import HALF, ONE, Table, few, q, tables

STREAMS = {
    "total": Stream("W", "total", reward="pay"),
    "until": Stream("W", "until", reward="pay", atom=0),
    "reach": Stream("W", "probability", path=("until", ("not-atom", 1), ("atom", 0), None)),
    "both": Stream("W", "probability", path=("and", ("until", ("true",), ("atom", 0), None), ("until", ("true",), ("atom", 1), 3))),
    "often": Stream("W", "recurrence", atom=1),
    "forever": Stream("W", "recurrence", atom=0),
    "discount": Stream("W", "discount", reward="pay", factor=HALF),
    "horizon": Stream("W", "horizon", reward="pay", steps=2),
}


@st.composite
def plans(draw: st.DrawFn, product: Product) -> Plan:
    plan: list[Decision] = []
    for n in range(len(product.nodes)):
        choices = draw(st.lists(st.sampled_from(list(product.choices(n))), min_size=1, max_size=2, unique=True))
        share = draw(st.sampled_from([HALF, Fraction(1, 3)]))
        plan.append(choices[0] if len(choices) == 1 else ((choices[0], q(share)), (choices[1], q(1 - share))))
    return plan


@pytest.mark.parametrize(
    ("names", "depth"),
    [
        (("total",), 0),
        (("until", "reach"), 0),
        (("both", "often"), 0),
        (("discount",), 1),
        (("horizon",), 2),
        (("horizon", "reach", "discount"), 3),
    ],
)
def test_an_unfolded_plan_keeps_its_values(names: tuple[str, ...], depth: int) -> None:
    streams = tuple(STREAMS[n] for n in names)

    @few(30)
    @given(tables(most=3, actions=2), st.data())
    def run(table: Table, data: st.DataObject) -> None:
        product = build(table.mdp(), table.conditions(), streams, depth)
        plan = data.draw(plans(product))
        controller = unfold(product, plan)
        # In its own product, and unrolled differently.
        for other in (depth, depth + 1):
            made = build(table.mdp(), table.conditions(), streams, other, controller)
            assert evaluate(made, trivial_plan(made)) == evaluate(product, plan)
        # Beside a stream that never settles: settled runs have rules as well.
        beside = build(table.mdp(), table.conditions(), (*streams, STREAMS["forever"]), depth, controller)
        assert evaluate(beside, trivial_plan(beside))[: len(streams)] == evaluate(product, plan)
        if all(isinstance(d, int) for d in plan):
            assert controller.is_deterministic

    run()


def test_a_plan_that_looks_at_the_state_is_memoryless() -> None:
    """Also behind the goal, where the settled run goes on doing what it did before."""
    table = Table(({"a": {1: ONE}, "b": {0: ONE}}, {"a": {0: ONE}, "b": {1: ONE}}), {}, (frozenset([1]), frozenset()))
    product = build(table.mdp(), table.conditions(), (STREAMS["reach"],))
    controller = unfold(product, [product.choices(n)[0] for n in range(len(product.nodes))])
    assert controller.is_memoryless
    assert {s: actions for (_, s), (actions, _) in controller.rules.items()} == {0: ((0, ONE),), 1: ((0, ONE),)}


def test_a_plan_that_looks_at_time_is_not() -> None:
    table = Table(({"a": {0: ONE}, "b": {0: ONE}},), {(0, "a", 0): ONE})
    product = build(table.mdp(), [], (STREAMS["horizon"],), 2)
    controller = unfold(product, [product.choices(0)[0], product.choices(1)[1]])
    assert not controller.is_memoryless
    assert controller.is_deterministic


def test_a_start_that_is_settled_already() -> None:
    table = Table(({"a": {1: ONE}, "b": {0: ONE}}, {"a": {1: ONE}}), {}, (frozenset([1]), frozenset()), {0: HALF, 1: HALF})
    product = build(table.mdp(), table.conditions(), (STREAMS["reach"],))
    controller = unfold(product, [product.choices(0)[1]])
    assert sorted(s for _, s, _ in controller.start) == [0, 1]
    made = build(table.mdp(), table.conditions(), (STREAMS["reach"],), 0, controller)
    assert evaluate(made, trivial_plan(made)) == [q(HALF)]
