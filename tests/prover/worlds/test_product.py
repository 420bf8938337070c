"""The product with the streams' memories: probabilities and sums against the enumeration of all runs of a few steps."""

from __future__ import annotations

from fractions import Fraction

import pytest
from flint import fmpq
from hypothesis import given
from hypothesis import strategies as st

from prover.policies.controller import Controller, NoRule
from prover.solve.evaluate import evaluate, trivial_plan
from prover.worlds import automaton
from prover.worlds.automaton import Nnf
from prover.worlds.memory import CLOSED, OPEN
from prover.worlds.objective import Stream
from prover.worlds.product import ProductTooLarge, build
from tests.prover.build_spec import HALF, ONE, ZERO, Table, f, few, tables

TOTAL = Stream("W", "total", reward="pay")
UNTIL = Stream("W", "until", reward="pay", atom=0)
OFTEN = Stream("W", "recurrence", atom=0)


def probability(path: Nnf) -> Stream:
    return Stream("W", "probability", path=path)


def paths(depth: int = 2) -> st.SearchStrategy[Nnf]:
    """Formulas that are decided within a few steps."""
    leaf = st.sampled_from([("atom", 0), ("atom", 1), ("not-atom", 0), ("not-atom", 1), ("true",)])
    if depth == 0:
        return leaf
    part = paths(depth - 1)
    return st.one_of(
        leaf,
        st.builds(lambda w, a, b: (w, a, b), st.sampled_from(["and", "or"]), part, part),
        st.builds(lambda a: ("next", a), part),
        st.builds(lambda w, a, b, k: (w, a, b, k), st.sampled_from(["until", "release"]), part, part, st.integers(0, 2)),
    )


def holds(formula: Nnf, run: list[int], marks: tuple[frozenset[int], ...], at: int = 0) -> bool:
    """On a run long enough to decide it."""
    match formula[0]:
        case "true":
            return True
        case "atom":
            return run[at] in marks[formula[1]]
        case "not-atom":
            return run[at] not in marks[formula[1]]
        case "and":
            return all(holds(part, run, marks, at) for part in formula[1:])
        case "or":
            return any(holds(part, run, marks, at) for part in formula[1:])
        case "next":
            return holds(formula[1], run, marks, at + 1)
        case "until":
            return any(
                holds(formula[2], run, marks, at + j) and all(holds(formula[1], run, marks, at + i) for i in range(j))
                for j in range(formula[3] + 1)
            )
        case _:
            return all(
                holds(formula[2], run, marks, at + j) or any(holds(formula[1], run, marks, at + i) for i in range(j))
                for j in range(formula[3] + 1)
            )


def runs(table: Table, steps: int) -> list[tuple[list[int], Fraction]]:
    found = [([s], p) for s, p in table.start.items()]
    for _ in range(steps):
        found = [([*run, t], p * x) for run, p in found for t, x in next(iter(table.moves[run[-1]].values())).items()]
    return found


@few(120)
@given(tables(most=3, actions=1, pays="none"), paths(), st.integers(0, 2))
def test_bounded_formulas_against_all_runs(table: Table, path: Nnf, depth: int) -> None:
    length = automaton.longest_bound(path)
    product = build(table.mdp(), table.conditions(), (probability(path),), depth)
    (value,) = evaluate(product, trivial_plan(product))
    assert value is not None
    assert f(value) == sum((p for run, p in runs(table, length) if holds(path, run, table.marks)), ZERO)


@few(80)
@given(tables(most=4, actions=2), st.integers(0, 2))
def test_every_choice_of_the_world_is_there_once(table: Table, depth: int) -> None:
    mdp = table.mdp()
    product = build(mdp, table.conditions(), (TOTAL, UNTIL, probability(("until", ("true",), ("atom", 1), None))), depth)
    for n, (state, memory) in enumerate(product.nodes):
        assert [product.origin[c] for c in product.choices(n)] == list(range(mdp.choice_start[state], mdp.choice_start[state + 1]))
        for c in product.choices(n):
            assert sum((product.probability[t] for t in product.transitions(c)), fmpq(0)) == 1
            later = [product.successor[t] for t in product.transitions(c) if product.successor[t] >= 0]
            if n < product.tail:
                time = max(t for t in range(product.depth) if product.layer_start[t] <= n)
                assert all(product.layer_start[time + 1] <= s < ([*product.layer_start, len(product.nodes)])[time + 2] for s in later)
            else:
                assert all(s >= product.tail for s in later)
            paid = sum(
                (
                    p * table.pay.get((state, mdp.actions[mdp.action[product.origin[c]]], t), ZERO)
                    for t, p in table.moves[state][mdp.actions[mdp.action[product.origin[c]]]].items()
                ),
                ZERO,
            )
            assert f(product.reward[0][c]) == paid
            assert f(product.reward[1][c]) == (ZERO if product.memories[memory][1] == CLOSED else paid)
    assert len(set(product.nodes[product.tail :])) == len(product.nodes) - product.tail


def test_until_closes_in_the_goal_itself() -> None:
    """The step into the goal is paid, the step out of it is not."""
    table = Table(
        ({"go": {1: ONE}}, {"go": {2: ONE}}, {"go": {2: ONE}}), {(0, "go", 1): Fraction(3), (1, "go", 2): Fraction(5)}, (frozenset([1]),)
    )
    product = build(table.mdp(), table.conditions(), (UNTIL,))
    assert [product.memories[m] for _, m in product.nodes] == [(OPEN,)]
    assert evaluate(product, trivial_plan(product)) == [3]
    begins = Table(table.moves, table.pay, table.marks, {1: ONE})
    product = build(begins.mdp(), begins.conditions(), (UNTIL,))
    assert (product.nodes, product.start) == ([], [(-1, fmpq(1))])


def test_offset_counts_what_is_true_at_the_start() -> None:
    table = Table(({"go": {0: ONE}}, {"go": {1: ONE}}), {}, (frozenset([1]),), {0: Fraction(1, 4), 1: Fraction(3, 4)})
    product = build(table.mdp(), table.conditions(), (probability(("until", ("true",), ("atom", 0), None)), OFTEN))
    assert product.offset == [fmpq(3, 4), 0]
    assert evaluate(product, trivial_plan(product)) == [fmpq(3, 4), fmpq(3, 4)]


def test_layers_carry_their_discount_and_horizons_end() -> None:
    table = Table(({"go": {0: ONE}},), {(0, "go", 0): ONE})
    streams = (Stream("W", "discount", reward="pay", factor=HALF), Stream("W", "horizon", reward="pay", steps=2))
    product = build(table.mdp(), [], streams, 3)
    assert [f(x) for x in product.reward[0]] == [1, HALF, HALF**2, 1]
    assert [f(x) for x in product.reward[1]] == [1, 1, 0, 0]
    assert list(product.earns[1]) == [1, 1, 0, 0]


def test_a_horizon_alone_leaves_no_tail() -> None:
    table = Table(({"go": {0: ONE}},), {(0, "go", 0): ONE})
    product = build(table.mdp(), [], (Stream("W", "horizon", reward="pay", steps=4),), 4)
    assert (len(product.nodes), product.tail) == (4, 4)


def test_a_reward_that_is_never_paid_needs_no_nodes() -> None:
    table = Table(({"go": {0: ONE}},), {})
    assert build(table.mdp(), [], (TOTAL,)).nodes == []
    assert len(build(table.mdp(), [[False]], (OFTEN,)).nodes) == 1


def test_a_controller_turns_the_world_into_a_chain() -> None:
    table = Table(({"a": {0: ONE}, "b": {1: ONE}}, {"a": {1: ONE}}), {(0, "a", 0): ONE, (0, "b", 1): Fraction(4)})
    rules = {(0, 0): (((0, Fraction(1, 3)), (1, Fraction(2, 3))), {1: 5}), (5, 1): (((0, ONE),), {})}
    product = build(table.mdp(), [], (TOTAL,), 0, Controller(((ONE, 0, 0),), rules))
    assert product.nodes == [(0, 0, 0), (1, 0, 5)]
    assert product.origin == [-1, -1]
    assert f(product.reward[0][0]) == 3
    assert evaluate(product, trivial_plan(product)) == [fmpq(9, 2)]


def test_a_controller_without_a_rule_for_what_it_reaches() -> None:
    table = Table(({"a": {1: ONE}}, {"a": {1: ONE}}), {(0, "a", 1): ONE})
    with pytest.raises(NoRule) as missing:
        build(table.mdp(), [], (TOTAL,), 0, Controller(((ONE, 0, 0),), {(0, 0): (((0, ONE),), {})}))
    assert (missing.value.node, missing.value.state) == (0, 1)


def test_limits() -> None:
    table = Table(tuple({"go": {(s + 1) % 5: ONE}} for s in range(5)), {(0, "go", 1): ONE})
    with pytest.raises(ProductTooLarge):
        build(table.mdp(), [], (TOTAL,), max_nodes=4)
    assert len(build(table.mdp(), [], (TOTAL,), max_nodes=5).nodes) == 5
    with pytest.raises(ValueError, match="horizon"):
        build(table.mdp(), [], (Stream("W", "horizon", reward="pay", steps=3),), 2)
