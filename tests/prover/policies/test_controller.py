"""Controllers: what they are, and mixtures that have the weighted values of their parts."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prover.policies.controller import Controller, NoRule, mix
from prover.solve.evaluate import evaluate, trivial_plan
from prover.worlds.objective import Stream
from prover.worlds.product import build
from tests.prover.build_spec import HALF, ONE, ZERO, Table, f, few, tables
from tests.prover.solve.test_evaluate import controllers

STREAMS = (
    Stream("W", "horizon", reward="pay", steps=3),
    Stream("W", "discount", reward="pay", factor=HALF),
    Stream("W", "probability", path=("until", ("not-atom", 1), ("atom", 0), None)),
    Stream("W", "recurrence", atom=0),
)


def values(table: Table, controller: Controller) -> list[Fraction]:
    product = build(table.mdp(), table.conditions(), STREAMS, 3, controller)
    return [f(v) for v in evaluate(product, trivial_plan(product)) if v is not None]


@few(50)
@given(st.data())
def test_a_mixture_has_the_mean_of_the_values(data: st.DataObject) -> None:
    table = data.draw(tables(most=3, actions=2))
    parts = [data.draw(controllers(table)) for _ in range(3)]
    weights = data.draw(st.sampled_from([(HALF, HALF, ZERO), (Fraction(1, 7), Fraction(2, 7), Fraction(4, 7)), (ZERO, ONE, ZERO)]))
    mixed = mix(list(zip(weights, parts, strict=True)))
    expected = [
        sum((w * v for w, v in zip(weights, column, strict=True)), ZERO) for column in zip(*(values(table, p) for p in parts), strict=True)
    ]
    assert values(table, mixed) == expected
    for state in table.start:
        assert sum((w for w, s, _ in mixed.start if s == state), ZERO) == 1


PLAY_A, PLAY_B = ((0, ONE),), ((1, ONE),)


def test_mixing_one_part_is_the_part() -> None:
    part = Controller(((ONE, 0, 0),), {(0, 0): (PLAY_A, {})})
    assert mix([(ZERO, part), (ONE, part)]) is part


def test_nodes_of_the_parts_are_kept_apart() -> None:
    first = Controller(((ONE, 0, 0),), {(0, 0): (PLAY_A, {0: 3}), (3, 0): (PLAY_B, {})})
    second = Controller(((ONE, 0, 2),), {(2, 0): (PLAY_B, {0: 0}), (0, 0): (PLAY_A, {})})
    mixed = mix([(HALF, first), (HALF, second)])
    assert mixed.rules == {
        (0, 0): (PLAY_A, {0: 3}), (3, 0): (PLAY_B, {}), (6, 0): (PLAY_B, {0: 4}), (4, 0): (PLAY_A, {}),
    }  # fmt: skip
    assert mixed.start == ((HALF, 0, 0), (HALF, 0, 6))


def test_moves_to_nodes_without_rules_do_not_collide() -> None:
    """A move to a node that only the moves mention must not become a node of the next part."""
    first = Controller(((ONE, 0, 0),), {(0, 0): (PLAY_A, {1: 9})})
    second = Controller(((ONE, 0, 0),), {(k, 0): (PLAY_B, {}) for k in range(12)})
    mixed = mix([(HALF, first), (HALF, second)])
    target = mixed.rules[0, 0][1][1]
    assert (target, 1) not in mixed.rules
    with pytest.raises(NoRule):
        mixed.rule(target, 1)


@pytest.mark.parametrize(
    ("start", "rules", "deterministic", "memoryless"),
    [
        (((ONE, 0, 0),), {(0, 0): (PLAY_A, {})}, True, True),
        (((ONE, 0, 0), (ZERO, 0, 1)), {(0, 0): (PLAY_A, {})}, True, True),
        (((HALF, 0, 0), (HALF, 0, 1)), {(0, 0): (PLAY_A, {}), (1, 0): (PLAY_A, {})}, False, True),
        (((HALF, 0, 0), (HALF, 0, 1)), {(0, 0): (PLAY_A, {}), (1, 0): (PLAY_B, {})}, False, False),
        (((ONE, 0, 0),), {(0, 0): (((0, HALF), (1, HALF)), {})}, False, True),
        (((ONE, 0, 0),), {(0, 0): (PLAY_A, {0: 1}), (1, 0): (PLAY_B, {})}, True, False),
        (((ONE, 0, 0),), {(0, 0): (((0, HALF), (1, HALF)), {0: 1}), (1, 0): (((1, HALF), (0, HALF)), {})}, False, True),
    ],
)
def test_kinds(start: tuple, rules: dict, deterministic: bool, memoryless: bool) -> None:
    controller = Controller(start, rules)
    assert (controller.is_deterministic, controller.is_memoryless) == (deterministic, memoryless)


def test_rows_of_weight_nothing_are_no_starts() -> None:
    controller = Controller(((ZERO, 0, 1), (ONE, 0, 0), (HALF, 1, 0), (HALF, 1, 1)), {})
    assert controller.starts(0) == [(ONE, 0)]
    assert controller.starts(1) == [(HALF, 0), (HALF, 1)]


def test_json() -> None:
    controller = Controller(
        ((HALF, 0, 0), (HALF, 0, 1)), {(1, 0): (PLAY_B, {}), (0, 0): (((0, Fraction(1, 3)), (1, Fraction(2, 3))), {2: 1, 1: 0})}
    )
    assert controller.to_json() == {
        "start": [["1/2", 0, 0], ["1/2", 0, 1]],
        "rules": [[0, 0, [[0, "1/3"], [1, "2/3"]], [[1, 0], [2, 1]]], [1, 0, [[1, "1"]], []]],
    }
