"""Families and arrays against the same worlds written out by hand; indices that depend on the state against lists in Python."""

from __future__ import annotations

import time
from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsl import spec
from dsl.diagnostic import SpecError
from dsl.lint import lint
from dsl.parse import parse
from dsl.semantics import EvaluationError, enabled, evaluate, initial_states, reward
from dsl.source import Source
from dsl.typecheck import check


def typed(text: str) -> spec.Spec:
    source = Source("test", text)
    return check(parse(source), source)


def refused(text: str) -> list[str]:
    with pytest.raises(SpecError) as error:
        typed(text)
    return [d.code for d in error.value.diagnostics]


def world(body: str, before: str = "") -> spec.World:
    return typed(f"{before}\nworld W {{\n{body}\n}}").worlds[0]


def condition(body: str, phi: str) -> spec.Expr:
    return next(label for label in world(f"{body}\nlabel it = {phi}\naction wait {{ stay }}").labels if label.name == "it").condition


BUSY = "var x : {} = 0\nfor i in 0..3 {{ var busy[i] : 0..9 = i }}"


# ---------------------------------------------------------------- written out by hand


def test_a_family_is_what_it_says_written_out() -> None:
    family = world(
        "for i in 0..2 { var busy[i] : bool = i == 1; action start[i] when not busy[i] { busy[i]' = true }; label l[i] = busy[i] }"
    )
    assert [(v.name, v.initial) for v in family.variables] == [("busy[0]", False), ("busy[1]", True), ("busy[2]", False)]
    assert [a.name for a in family.actions] == ["start[0]", "start[1]", "start[2]"]
    assert [label.name for label in family.labels] == ["l[0]", "l[1]", "l[2]"]
    state = initial_states(family)[0][0]
    assert [c.action for c in enabled(family, state)] == ["start[0]", "start[2]"]
    assert enabled(family, state)[1].outcomes == (({"busy[0]": False, "busy[1]": True, "busy[2]": True}, Fraction(1)),)


def test_families_nest_and_ranges_depend_on_outer_names() -> None:
    body = (
        "for i in 0..2, j in i + 1..2 { var edge[i, j] : bool = false }\n"
        "for i in 1..2 { for j in 0..i - 1 { action cut[j, i] { edge[j, i]' = false } } }"
    )
    found = world(body)
    assert [v.name for v in found.variables] == ["edge[0, 1]", "edge[0, 2]", "edge[1, 2]"]
    assert [a.name for a in found.actions] == ["cut[0, 1]", "cut[0, 2]", "cut[1, 2]"]


def test_families_over_enums_and_mixed_indices() -> None:
    body = "for s in Side, k in 1..2 { var light[s, k] : bool = s == left }\naction wait { stay }\nlabel on = forall s in Side. light[s, 1]"
    found = world(body, "enum Side { left, right }")
    assert [(v.name, v.initial) for v in found.variables] == [
        ("light[left, 1]", True),
        ("light[left, 2]", True),
        ("light[right, 1]", False),
        ("light[right, 2]", False),
    ]
    assert evaluate(found.labels[0].condition, {"light[left, 1]": True, "light[right, 1]": True}) is True


def test_actions_of_a_family_may_share_one_name() -> None:
    found = world("var turn : 0..2 = 0\nfor i in 0..2 { action serve when turn == i { turn' = (i + 1) mod 3 } }")
    assert [a.name for a in found.actions] == ["serve"] * 3
    assert [enabled(found, {"turn": k})[0].outcomes[0][0]["turn"] for k in range(3)] == [1, 2, 0]


def test_a_reward_without_an_index_adds_up_over_its_family() -> None:
    found = world(
        "for i in 0..2 { action go[i] { stay }; reward r { [go[i]]: 10 ^ i }; reward own[i] { [go[i]]: 1 } }\n"
        "reward all { [go]: 1; [go[1]]: 5 }"
    )
    assert [r.name for r in found.rewards] == ["r", "own[0]", "own[1]", "own[2]", "all"]
    state = initial_states(found)[0][0]
    table = [[reward(found, name, state, choice, state) for choice in enabled(found, state)] for name in ("r", "own[2]", "all")]
    assert table == [[1, 10, 100], [0, 0, 1], [1, 6, 1]]


def test_members_whose_guard_never_holds_need_not_make_sense() -> None:
    found = world(
        "for i in 0..2 { var b[i] : bool = i == 0\n"
        "action pass[i] when i < 2 and b[i] { b[i]' = false, b[i + 1]' = true } }\n"
        "action wait { stay }"
    )
    assert [c.action for c in enabled(found, initial_states(found)[0][0])] == ["pass[0]", "wait"]
    assert [a.name for a in found.actions] == ["pass[0]", "pass[1]", "pass[2]", "wait"]


def test_labels_of_an_array_may_use_each_other() -> None:
    found = world("for i in 0..4 { var b[i] : bool = true; label upto[i] = b[i] and (i == 0 or upto[i - 1]) }\naction wait { stay }")
    last = next(label for label in found.labels if label.name == "upto[4]").condition
    for values in product([False, True], repeat=5):
        assert evaluate(last, {f"b[{k}]": value for k, value in enumerate(values)}) is all(values)
    assert refused("world W {\nfor i in 0..2 { label l[i] = l[(i + 1) mod 3] }\naction wait { stay }\n}") == ["E204"]
    assert refused("world W {\nvar x : 0..2 = 0\nfor i in 0..2 { label l[i] = l[x] }\naction wait { stay }\n}") == ["E204"]


# ---------------------------------------------------------------- indices that depend on the state


@pytest.mark.parametrize("range_", ["0..3", "1..2", "0..9", "-2..1", "2..2"])
@pytest.mark.parametrize("index", ["x", "x + 1", "3 - x", "x * x", "2 * x"])
def test_reading_at_an_index_of_the_state(range_: str, index: str) -> None:
    low, _, high = range_.partition("..")
    body = BUSY.format(range_).replace(" = 0\n", f" = {low}\n")
    try:
        phi: spec.Expr | None = condition(body, f"busy[{index}] == 7")
    except SpecError as refusal:
        phi = None
        codes = [d.code for d in refusal.diagnostics]
    if phi is None:
        assert codes == ["E306"]
        assert not any(0 <= eval(index, {"x": x}) <= 3 for x in range(int(low), int(high) + 1))
        return
    for x in range(int(low), int(high) + 1):
        at = eval(index, {"x": x})
        for k in range(4):
            state = {"x": x, **{f"busy[{j}]": 7 if j == k else 0 for j in range(4)}}
            if 0 <= at <= 3:
                assert evaluate(phi, state) is (at == k)
            else:
                with pytest.raises(EvaluationError) as error:
                    evaluate(phi, state)
                assert (error.value.code, error.value.message) == ("E306", f"`busy` has no element with index {at}")


def test_arrays_with_gaps_and_two_indices() -> None:
    body = "var x : 0..9 = 0\nvar y : 0..3 = 0\nfor i in 0..2, j in 0..i { var c[2 * i, j] : 0..9 = 0 }"
    phi = condition(body, "c[x, y] == 7")
    elements = {(2 * i, j) for i in range(3) for j in range(i + 1)}
    for x, y in product(range(10), range(4)):
        state = {"x": x, "y": y, **{f"c[{i}, {j}]": 7 if (i, j) == (x, y) else 0 for i, j in elements}}
        if (x, y) in elements:
            assert evaluate(phi, state) is True
        else:
            with pytest.raises(EvaluationError, match="E306"):
                evaluate(phi, state)


def test_conditions_protect_from_wrong_indices() -> None:
    phi = condition(BUSY.format("0..9"), "x <= 3 and busy[x] > 1 or x > 3 and (if x < 7 then busy[x - 4] > 1 else true)")
    for x in range(10):
        assert evaluate(phi, {"x": x, **{f"busy[{k}]": k for k in range(4)}}) is (x % 4 > 1 if x < 7 else True)


STEP = "var x : 0..4 = 0\nvar y : 0..4 = 0\nfor i in 0..3 {{ var b[i] : 0..9 = i }}\naction go {{ {} }}"


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.sampled_from(["b[x]' = 9 - y", "b[x + 1]' = b[x]", "b[x - 1]' = x", "x' = b[y]", "y' = 3", "b[3 - y]' = 2", "b[1]' = 5"]),
        min_size=1,
        max_size=3,
        unique=True,
    ),
    st.integers(0, 4),
    st.integers(0, 4),
    st.lists(st.integers(0, 9), min_size=4, max_size=4),
)
def test_writing_at_an_index_of_the_state(assignments: list[str], x: int, y: int, b: list[int]) -> None:
    about_x = [a for a in assignments if a.startswith("b[x")]
    others = [a for a in assignments if a.startswith("b[") and a not in about_x]
    text = STEP.format(", ".join(assignments))
    if others and len(about_x) + len(others) > 1:
        assert set(refused(f"world W {{\n{text}\n}}")) == {"E321"}
        return
    found = world(text)
    state = {"x": x, "y": y, **{f"b[{k}]": value for k, value in enumerate(b)}}
    expected: dict[str, int] | str = dict(state)
    try:
        for assignment in assignments:
            target, _, value = assignment.partition("' = ")
            values = {"x": x, "y": y, "b": _Strict(b)}
            index = eval(target[2:-1], values) if target.startswith("b[") else None
            result = eval(value, values)
            if index is not None and not 0 <= index <= 3:
                raise IndexError
            if not 0 <= result <= (4 if index is None else 9):
                raise ArithmeticError
            expected[target if index is None else f"b[{index}]"] = result  # type: ignore[index]
    except (IndexError, ArithmeticError):
        expected = "refused"
    try:
        (choice,) = enabled(found, state)
        outcomes: object = choice.outcomes
    except EvaluationError as error:
        outcomes = error.code
    assert outcomes in ("E306", "E301") if expected == "refused" else outcomes == ((expected, Fraction(1)),)


def test_a_wrong_index_is_an_error_even_where_another_assignment_decides() -> None:
    found = world(STEP.format("b[x - 1]' = 1, b[x]' = 2"))
    with pytest.raises(EvaluationError, match="E306"):
        enabled(found, {"x": 0, "y": 0, **{f"b[{k}]": 0 for k in range(4)}})


class _Strict(list[int]):
    def __getitem__(self, index: int) -> int:  # type: ignore[override]
        if index < 0:
            raise IndexError
        return super().__getitem__(index)


def test_rewards_read_arrays_in_the_next_state() -> None:
    found = world(
        "var x : 0..1 = 0\n"
        "for i in 0..1 { var b[i] : bool = false }\n"
        "action go { b[x]' = true, x' = 1 - x }\n"
        "reward r { when b[x]': 1; when b[x']': 10; when b[1]': 100 }"
    )
    state = initial_states(found)[0][0]
    (choice,) = enabled(found, state)
    assert reward(found, "r", state, choice, choice.outcomes[0][0]) == 1


# ---------------------------------------------------------------- elsewhere in a spec


ARRAY = (
    "world W {\n"
    "  var n : 0..10 = 0\n"
    "  for i in 0..9 {\n"
    "    var slot[i] : bool = false\n"
    "    action fill[i] when not slot[i] { slot[i]' = true, n' = n + 1 }\n"
    "  }\n"
    "  deadlock absorbs\n"
    "}\n"
)


def test_policies_name_elements_and_observe_arrays() -> None:
    found = typed(
        ARRAY
        + (
            "policies Pi over W { observes slot }\n"
            "policies Few over W { observes slot[1], n }\n"
            "policy p : Pi = { when not slot[0]: fill[0]; else: { 1/2: fill[1]; 1/2: fill[2] } }"
        )
    )
    assert found.policy_types[0].observes == tuple(f"slot[{k}]" for k in range(10))
    assert found.policy_types[1].observes == ("slot[1]", "n")
    body = found.policies[0].body
    assert isinstance(body, spec.TablePolicy)
    assert [[name for _, name in rule.actions] for rule in body.rules] == [["fill[0]"], ["fill[1]", "fill[2]"]]
    assert refused(ARRAY + "policies Pi over W { observes slot, slot[3] }") == ["E202"]
    assert refused(ARRAY + "policies Pi over W { observes slots }") == ["E203"]
    assert refused(ARRAY + "policies Pi over W\npolicy p : Pi = { else: fill[n] }") == ["E207"]


def test_loop_names_are_not_seen_outside() -> None:
    assert refused("world W {\nfor i in 0..2 { var b[i] : bool = false }\nlabel l = b[i]\naction wait { stay }\n}") == ["E203"]
    assert refused("world W {\nfor i in 0..k { var b[i] : bool = false }\naction wait { stay }\n}") == ["E201"]
    assert refused("world W {\nvar k : 0..3 = 0\nfor i in 0..k { var b[i] : bool = false }\naction wait { stay }\n}") == ["E207"]


def test_an_empty_family_declares_nothing() -> None:
    assert world("for i in 1..0 { var b[i] : bool = false }\naction wait { stay }").variables == ()


def test_lint_sees_through_families() -> None:
    text = ARRAY + "policies Pi over W\nconst i = 2\nclaim c: forall p : Pi. P[F slot[i]](p) <= 1"
    source = Source("test", text)
    file = parse(source)
    assert [d.message for d in lint(file, check(file, source))] == ["bound name `i` hides a constant of that name"]
    unread = Source("test", text.replace("n' = n + 1", "n' = 1").replace("slot[i]](p)", "n == 1](p)").replace("n == 1", "true"))
    found = [d.message for d in lint(parse(unread), check(parse(unread), unread))]
    assert "variable `n` of world W is not used" in found
    assert "variable `slot` of world W is not used" not in found


def test_large_families_are_fast_and_larger_ones_refused() -> None:
    begin = time.perf_counter()
    body = (
        "var x : 0..4_999 = 0\n"
        "for i in 0..4_999 { var b[i] : bool = false }\n"
        "action go { b[x]' = not b[x], x' = (x + 1) mod 5_000 }\n"
        "label l = b[x]"
    )
    assert refused(f"world W {{\n{body}\n}}") == ["E215"]
    assert len(world(body.replace("4_999", "999").replace("5_000", "1_000").replace(" not b[x]", " true")).variables) == 1001
    assert time.perf_counter() - begin < 20


def test_budgets_hold_where_families_multiply() -> None:
    begin = time.perf_counter()
    nests = "".join(f"for i{k} in 0..9 {{ " for k in range(12)) + "}" * 12
    assert refused(f"world W {{\n{nests}\naction wait {{ stay }}\n}}") == ["E215"]
    family = "for i in 0..999 { var b[i] : bool = false }\naction wait { stay }"
    components = " || ".join(f"R({k}) as a{k}" for k in range(200))
    assert refused(f"world R(n : int) {{\n{family}\n}}\nworld W = {components}") == ["E215"]
    assert time.perf_counter() - begin < 60
