"""The reference semantics against a naive oracle, and every way in which a state can make no sense."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsl import operators
from dsl.semantics import (
    DEADLOCK,
    Choice,
    EvaluationError,
    enabled,
    evaluate,
    format_state,
    holds,
    initial_states,
    readable,
    reward,
    unreadable,
)
from dsl.source import Source, Span
from dsl.spec import Binary, Const, Expr, Grid, If, Lookup, Nary, Unary, Var, World
from dsl.typecheck import check
from dsl.types import Bool, Char, Enum, Int, Rational

HERE = Span("test", 1, 1, 1, 2)
GRID = Grid("g", ((35, 46), (46, 35)))


def world(body: str) -> World:
    from dsl.parse import parse

    source = Source("test", "enum Dir { N, E }\nworld W {\n" + body + "\n}\n")
    return check(parse(source), source).worlds[0]


# ---------------------------------------------------------------- expressions

X, B = Var("x", Int(-3, 3), False, HERE), Var("b", Bool(), False, HERE)


def numbers(inner: st.SearchStrategy[Expr], truths: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    return st.one_of(
        st.builds(lambda op, a: operators.unary(op, a, HERE), st.sampled_from(["neg", "abs", "floor", "ceil"]), inner),
        st.builds(
            lambda op, args: operators.nary(op, args, HERE),
            st.sampled_from(["+", "*", "min", "max"]),
            st.lists(inner, min_size=2, max_size=3),
        ),
        st.builds(lambda op, a, b: operators.binary(op, a, b, HERE), st.sampled_from(["-", "/"]), inner, inner),
        st.builds(
            lambda op, a, b: operators.binary(op, operators.unary("floor", a, HERE), operators.unary("ceil", b, HERE), HERE),
            st.sampled_from(["div", "mod"]),
            inner,
            inner,
        ),
        st.builds(lambda a, n: operators.binary("^", a, operators.constant(n, HERE), HERE), inner, st.integers(0, 3)),
        st.builds(lambda c, a, b: operators.conditional(c, a, b, HERE), truths, inner, inner),
    )


def truths(inner: st.SearchStrategy[Expr], arithmetic: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    return st.one_of(
        st.builds(lambda a: operators.unary("not", a, HERE), inner),
        st.builds(lambda op, args: operators.nary(op, args, HERE), st.sampled_from(["and", "or"]), st.lists(inner, min_size=2, max_size=3)),
        st.builds(lambda op, a, b: operators.binary(op, a, b, HERE), st.sampled_from(["=>", "<=>", "==", "!="]), inner, inner),
        st.builds(
            lambda op, a, b: operators.binary(op, a, b, HERE), st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), arithmetic, arithmetic
        ),
        st.builds(lambda c, a, b: operators.conditional(c, a, b, HERE), inner, inner, inner),
    )


LITERAL = st.one_of(
    st.just(X),
    st.integers(-4, 4).map(lambda n: operators.constant(n, HERE)),
    st.fractions(-2, 2, max_denominator=4).map(lambda f: operators.constant(f, HERE)),
)
TRUTH = st.one_of(
    st.just(B), st.booleans().map(lambda b: operators.constant(b, HERE)), st.builds(lambda n: operators.binary("<", X, n, HERE), LITERAL)
)
NUMBER = st.recursive(LITERAL, lambda inner: numbers(inner, TRUTH), max_leaves=12)
FORMULA = st.recursive(TRUTH, lambda inner: truths(inner, NUMBER), max_leaves=12)


class NoValue(Exception):
    pass


def oracle(expr: Expr, state: dict[str, Any]) -> Any:
    """The same meaning, written down a second time and without care for stack or size."""
    match expr:
        case Const(value=value):
            return value
        case Var(name=name):
            return state[name]
        case Unary(op=op, arg=arg):
            functions: dict[str, Any] = {"not": lambda v: not v, "neg": lambda v: -v, "abs": abs, "floor": math.floor, "ceil": math.ceil}
            return functions[op](oracle(arg, state))
        case Nary(op="and", args=args):
            return all(oracle(arg, state) for arg in args)
        case Nary(op="or", args=args):
            return any(oracle(arg, state) for arg in args)
        case Nary(op=op, args=args):
            values = [oracle(arg, state) for arg in args]
            return {"+": sum, "*": math.prod, "min": min, "max": max}[op](values)
        case If(condition=condition, then=then, otherwise=otherwise):
            return oracle(then, state) if oracle(condition, state) else oracle(otherwise, state)
        case Binary(op="=>", left=left, right=right):
            return not oracle(left, state) or oracle(right, state)
        case Binary(op=op, left=left, right=right):
            a, b = oracle(left, state), oracle(right, state)
            if op in ("/", "div", "mod") and b == 0:
                raise NoValue
            table: dict[str, Any] = {
                "-": lambda: a - b,
                "/": lambda: Fraction(a) / b,
                "div": lambda: math.floor(Fraction(a, b)),
                "mod": lambda: a - b * math.floor(Fraction(a, b)),
                "^": lambda: Fraction(a) ** b,
                "==": lambda: a == b,
                "<=>": lambda: a == b,
                "!=": lambda: a != b,
                "<": lambda: a < b,
                "<=": lambda: a <= b,
                ">": lambda: a > b,
                ">=": lambda: a >= b,
            }
            return table[op]()
    raise AssertionError(expr)


@given(st.one_of(NUMBER, FORMULA), st.integers(-3, 3), st.booleans())
def test_evaluate_agrees_with_the_oracle(expr: Expr, x: int, b: bool) -> None:
    state = {"x": x, "b": b}
    try:
        expected = oracle(expr, state)
    except NoValue:
        with pytest.raises(EvaluationError) as error:
            evaluate(expr, state)
        assert error.value.code == "E304"
        return
    value = evaluate(expr, state)
    assert value == expected
    assert {Bool: bool, Int: int, Rational: Fraction}[type(expr.type)] is type(value)


@given(NUMBER, st.integers(-3, 3), st.booleans())
def test_inferred_ranges_hold(expr: Expr, x: int, b: bool) -> None:
    try:
        value = evaluate(expr, {"x": x, "b": b})
    except EvaluationError:
        return
    if isinstance(expr.type, Int):
        assert expr.type.low is None or expr.type.low <= value
        assert expr.type.high is None or value <= expr.type.high


def test_lazy_operators_do_not_evaluate_what_they_do_not_need() -> None:
    x = Var("x", Int(), False, HERE)
    bad = Binary("==", Binary("/", x, Const(0, Int(0, 0), HERE), Rational(), HERE), x, Bool(), HERE)
    false, true = Const(False, Bool(), HERE), Const(True, Bool(), HERE)
    state = {"x": 1}
    assert evaluate(Nary("and", (false, bad), Bool(), HERE), state) is False
    assert evaluate(Nary("or", (true, bad), Bool(), HERE), state) is True
    assert evaluate(Binary("=>", false, bad, Bool(), HERE), state) is True
    assert evaluate(If(true, false, bad, Bool(), HERE), state) is False
    for strict in (Nary("and", (bad, false), Bool(), HERE), Binary("<=>", false, bad, Bool(), HERE), Binary("=>", bad, true, Bool(), HERE)):
        with pytest.raises(EvaluationError, match="E304"):
            evaluate(strict, state)


@pytest.mark.parametrize(("x", "y"), [(0, 0), (1, 0), (0, 1), (1, 1)])
def test_lookup_reads_column_then_row(x: int, y: int) -> None:
    index = [Const(i, Int(i, i), HERE) for i in (x, y)]
    assert evaluate(Lookup(GRID, index[0], index[1], Char(), HERE), {}) == GRID.rows[y][x]


@pytest.mark.parametrize(("x", "y"), [(-1, 0), (0, -1), (2, 0), (0, 2)])
def test_lookup_outside_is_an_error(x: int, y: int) -> None:
    with pytest.raises(EvaluationError, match="E306"):
        evaluate(Lookup(GRID, Const(x, Int(), HERE), Const(y, Int(), HERE), Char(), HERE), {})


def test_deep_expressions_need_no_stack() -> None:
    expr: Expr = Var("x", Int(), False, HERE)
    for _ in range(5_000):
        expr = Unary("neg", expr, Int(), HERE)
    assert evaluate(expr, {"x": 7}) == 7


def test_primes_read_the_next_state() -> None:
    primed = Var("x", Int(), True, HERE)
    assert evaluate(primed, {"x": 1}, {"x": 2}) == 2
    with pytest.raises(ValueError, match="no next state"):
        evaluate(primed, {"x": 1})


def test_numbers_that_grow_are_refused() -> None:
    x = Var("x", Int(), False, HERE)
    power = Binary("^", x, Const(9_999, Int(), HERE), Int(), HERE)
    assert evaluate(power, {"x": 1}) == 1
    with pytest.raises(EvaluationError, match="E309"):
        evaluate(Binary("^", power, Const(9_999, Int(), HERE), Int(), HERE), {"x": 2})
    with pytest.raises(EvaluationError, match="E309"):
        evaluate(Nary("*", (power, power), Int(), HERE), {"x": 2})


# ---------------------------------------------------------------- worlds


def test_choices_in_order_and_merged() -> None:
    w = world("var x : 0..2 = 0\naction b { 1/2: x' = 1; 1/4: x' = 0; 1/4: x' = 1; 0: x' = x + 7 }\naction a when x == 0 { stay }")
    assert enabled(w, {"x": 0}) == [
        Choice("b", (({"x": 1}, Fraction(3, 4)), ({"x": 0}, Fraction(1, 4)))),
        Choice("a", (({"x": 0}, Fraction(1)),)),
    ]


def test_assignments_happen_at_once() -> None:
    w = world("var x : 0..2 = 0\nvar y : 0..2 = 1\naction swap { x' = y, y' = x }")
    assert enabled(w, {"x": 0, "y": 2})[0].outcomes == (({"x": 2, "y": 0}, Fraction(1)),)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("action a { x' = x + 5 }", "E301"),
        ("action a { x' = x - 1 }", "E301"),
        ("action a { 1 - x: x' = 0; 1/2: stay }", "E302"),
        ("action a { x - 1: x' = 0; 2 - x: stay }", "E302"),
        ("action a when x == 2 { stay }", "E303"),
        ("action a { x' = 6 div x }", "E304"),
        ("action a { stay }\naction a when x < 2 { x' = 1 }", "E305"),
    ],
)
def test_states_that_make_no_sense(body: str, code: str) -> None:
    with pytest.raises(EvaluationError, match=code):
        enabled(world("var x : 0..4 = 0\n" + body), {"x": 0})


def test_deadlock_absorbs_and_earns_nothing() -> None:
    w = world("var x : 0..1 = 0\naction a when x == 1 { stay }\nreward r { 5 }\ndeadlock absorbs")
    assert enabled(w, {"x": 0}) == [Choice(DEADLOCK, (({"x": 0}, Fraction(1)),))]
    assert reward(w, "r", {"x": 0}, Choice(DEADLOCK, ()), {"x": 0}) == 0
    assert reward(w, "r", {"x": 1}, Choice("a", ()), {"x": 1}) == 5


def test_reward_sums_the_clauses_that_apply() -> None:
    w = world("var x : 0..4 = 0\naction a { x' = 1 }\naction b { stay }\nreward r {\n[a]: 1\nwhen x' == 1: 1/2\n[b] when x == 0: x' - 3\n}")
    assert reward(w, "r", {"x": 0}, Choice("a", ()), {"x": 1}) == Fraction(3, 2)
    assert reward(w, "r", {"x": 0}, Choice("b", ()), {"x": 0}) == -3
    assert reward(w, "r", {"x": 2}, Choice("b", ()), {"x": 2}) == 0


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("var x : 0..2 = 1", [((1, False), 1)]),
        (
            "var x : 0..2\ninit { 1/2: x = 0; 1/4: x = 2; 1/4: x = 0; 0: x = 1 }",
            [((0, False), Fraction(3, 4)), ((2, False), Fraction(1, 4))],
        ),
        ("var x : 0..2 = 1\ninit uniform x != 1", [((0, False), Fraction(1, 2)), ((2, False), Fraction(1, 2))]),
        ("var x : 0..1\ninit uniform true", [((0, False), Fraction(1, 2)), ((1, False), Fraction(1, 2))]),
        ("var x : 0..2 = 2\ninit uniform b or not b", [((2, False), Fraction(1, 2)), ((2, True), Fraction(1, 2))]),
    ],
)
def test_initial_states(body: str, expected: list[tuple[tuple[int, bool], Fraction]]) -> None:
    w = world(body + "\nvar b : bool = false\naction a { stay }")
    assert [((s["x"], s["b"]), p) for s, p in initial_states(w)] == expected


def test_initial_distributions_that_make_no_sense() -> None:
    with pytest.raises(EvaluationError, match="E308"):
        initial_states(world("var x : 0..2\ninit uniform x > 5\naction a { stay }"))
    many = "\n".join(f"var x{i} : 0..999" for i in range(9))
    with pytest.raises(EvaluationError, match="E307"):
        initial_states(world(many + "\ninit uniform true\naction a { stay }"))


# ---------------------------------------------------------------- for readers


@pytest.mark.parametrize(
    ("value", "type", "text"), [(True, Bool(), True), (3, Int(0, 4), 3), (1, Enum("Dir", ("N", "E")), "E"), (35, Char(), "#")]
)
def test_readable_and_back(value: int, type: Any, text: object) -> None:
    assert readable(value, type) == text
    assert unreadable(readable(value, type), type) == value


@pytest.mark.parametrize(
    ("value", "type"),
    [(1, Bool()), (True, Int(0, 4)), (5, Int(0, 4)), ("W", Enum("Dir", ("N", "E"))), (0, Enum("Dir", ("N",))), ("##", Char())],
)
def test_unreadable_refuses(value: Any, type: Any) -> None:
    with pytest.raises(ValueError, match="is not a value of"):
        unreadable(value, type)


def test_format_state() -> None:
    w = world("var x : 0..4 = 1\nvar d : Dir = E\nvar rammed : bool = false\naction a { stay }")
    assert format_state(w, initial_states(w)[0][0]) == "x = 1, d = E, rammed = false"
    assert holds(w.actions[0].outcomes[0].probability, {}) is False
