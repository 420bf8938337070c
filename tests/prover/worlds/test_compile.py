"""Compiled columns against the reference semantics, row by row."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from dsl.semantics import EvaluationError, domain, evaluate
from dsl.spec import Expr
from dsl.types import Int
from prover.worlds.column import Column, NotColumnarError
from prover.worlds.compile import Compiler
from prover.worlds.pack import Layout, Rows, layout
from prover.worlds.tabulate import FAILED, Tabulated, reads
from tests.prover.worlds.build import BOOL, binary, const, if_, nary, unary, var, variable
from tests.prover.worlds.random_worlds import VARIABLES, conditions, numbers

READ = VARIABLES[:4]
STATES = [dict(zip((v.name for v in READ), values, strict=True)) for values in product(*(domain(v)[1] for v in READ))]
AFTER = STATES[7:] + STATES[:7]
RELAXED = settings(deadline=None, max_examples=200, suppress_health_check=list(HealthCheck))


def packed(form: Layout, states: list[dict[str, bool | int]]) -> Rows:
    columns = {name: np.array([state[name] for state in states]) for name in form.fields}
    return Rows(form, form.pack_columns(columns, len(states)))


FORM = layout(READ)


def check(expr: Expr, column: Column, rows: Rows) -> None:
    values = np.broadcast_to(column(rows), len(rows)).tolist()
    failed = [False] * len(rows) if column.fails is None else column.fails(rows).tolist()
    for state, after, value, wrong in zip(STATES, AFTER, values, failed, strict=True):
        try:
            expected = evaluate(expr, state, after)
        except EvaluationError:
            assert wrong
            continue
        assert not wrong
        assert expected == (value if column.boolean else Fraction(value, column.denominator))
        assert column.low <= value <= column.high


def fresh() -> Rows:
    return packed(FORM, STATES).then(packed(FORM, AFTER).words)


@given(conditions(READ, True, 3))
@RELAXED
def test_conditions(expr: Expr) -> None:
    check(expr, Compiler(FORM).condition(expr), fresh())


@given(numbers(READ, True, 3, True))
@RELAXED
def test_numbers(expr: Expr) -> None:
    try:
        column = Compiler(FORM).number(expr)
    except NotColumnarError:
        return
    check(expr, column, fresh())


def test_no_condition_is_too_deep() -> None:
    x = var(READ[0])
    total: Expr = x
    for _ in range(2_000):
        total = binary("-", total, 1)
    column = Compiler(FORM).condition(binary("<", total, -1998))
    rows = packed(FORM, STATES)
    assert column(rows).tolist() == [state["x"] - 2000 < -1998 for state in STATES]


def test_overflow_is_foreseen() -> None:
    wide = variable("wide", Int(0, 1 << 40), 0)
    compiler = Compiler(layout([wide]))
    with pytest.raises(NotColumnarError):
        compiler.number(nary("*", var(wide), var(wide)))
    huge = nary("*", const(1 << 70), var(wide))
    column = compiler.condition(binary(">", huge, 1 << 71))
    rows = Rows(compiler.layout, (np.array([1, 2, 3], dtype=np.int64),))
    assert column(rows).tolist() == [False, False, True]


def test_equal_subexpressions_are_one_column() -> None:
    compiler = Compiler(FORM)
    x = var(READ[0])
    assert compiler.number(nary("+", x, 1)) is compiler.number(nary("+", x, 1))
    assert compiler.condition(binary("<", x, 4)).constant  # by its range
    assert compiler.number(if_(binary("<=", 0, x), 2, x)).constant


def test_layouts_spill_into_more_words() -> None:
    variables = [variable(f"v{i}", Int(-5, 1 << 30), 0) for i in range(5)] + [variable("flag", BOOL, True)]
    form = layout(variables)
    assert form.words == 3
    values = (-5, 1 << 30, 7, 0, 12345, True)
    assert form.unpack(form.pack(values)) == values
    rows = Rows(form, tuple(np.array([word], dtype=np.int64) for word in form.pack(values)))
    assert [rows.column(v.name).tolist() for v in variables] == [[value] for value in values]


def test_tabulated_functions_are_called_once_for_each_combination() -> None:
    calls: list[tuple[bool | int, ...]] = []

    def halves(state, _after) -> int | None:
        calls.append(tuple(state.values()))
        return state["x"] // 2 if state["x"] < 3 else None

    expr = unary("floor", binary("/", var(READ[0]), 2))
    table = Tabulated(FORM, reads([expr]), halves)
    rows = packed(FORM, STATES)
    assert table(rows).tolist() == [state["x"] // 2 if state["x"] < 3 else FAILED for state in STATES]
    table(rows)
    assert calls == [(0,), (1,), (2,), (3,)]


def test_tabulated_functions_of_more_than_a_word() -> None:
    variables = [variable(f"v{i}", Int(0, 1 << 40), 0) for i in range(3)]
    form = layout(variables)
    states = [{"v0": i % 3, "v1": (i % 5) << 38, "v2": (i % 7) << 35} for i in range(100)]
    table = Tabulated(form, tuple((v.name, False) for v in variables), lambda state, _: state["v0"] + state["v1"] % 97 + state["v2"] % 89)
    assert table(packed(form, states)).tolist() == [s["v0"] + s["v1"] % 97 + s["v2"] % 89 for s in states]
