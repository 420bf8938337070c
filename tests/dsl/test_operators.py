"""The typing rule of every operator: for each operand a type it takes and the types it refuses."""

from __future__ import annotations

from fractions import Fraction

import pytest

from dsl import operators
from dsl.operators import IllTyped
from dsl.source import Span
from dsl.spec import Binary, Const, Expr, Grid, Nary, Unary, Var
from dsl.types import Bool, Char, Enum, Int, Rational, Type

HERE = Span("test", 1, 1, 1, 2)
DIR, ODD = Enum("Dir", ("N", "E")), Enum("Odd", ("N", "E"))
SAMPLES: dict[str, Type] = {"bool": Bool(), "int": Int(0, 4), "rational": Rational(), "enum": DIR, "char": Char()}
GRID = Grid("g", ((35, 46), (46, 35)))

NUMBERS = ("int", "rational")
N_ARY = {"and": ("bool",), "or": ("bool",), "+": NUMBERS, "*": NUMBERS, "min": NUMBERS, "max": NUMBERS}
BINARY = {
    "=>": ("bool",),
    "<=>": ("bool",),
    "<": ("int", "rational"),
    "<=": ("int", "rational"),
    ">": ("int", "rational"),
    ">=": ("int", "rational"),
    "-": ("int", "rational"),
    "/": ("int", "rational"),
    "div": ("int",),
    "mod": ("int",),
}


def var(type: Type) -> Expr:
    return Var("v", type, False, HERE)


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("op", ["not", "neg", "abs", "floor", "ceil"])
def test_unary(op: str, name: str) -> None:
    wanted = ("bool",) if op == "not" else ("int", "rational")
    if name in wanted:
        operators.unary(op, var(SAMPLES[name]), HERE)
    else:
        with pytest.raises(IllTyped) as error:
            operators.unary(op, var(SAMPLES[name]), HERE)
        assert error.value.code == "E206"


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("position", [0, 1, 2])
@pytest.mark.parametrize("op", N_ARY)
def test_n_ary(op: str, position: int, name: str) -> None:
    args = [var(SAMPLES[N_ARY[op][0]])] * 3
    args[position] = var(SAMPLES[name])
    if name in N_ARY[op]:
        result = operators.nary(op, args, HERE)
        assert isinstance(result.type, Rational) == (name == "rational")
    else:
        with pytest.raises(IllTyped):
            operators.nary(op, args, HERE)


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("position", [0, 1])
@pytest.mark.parametrize("op", BINARY)
def test_binary(op: str, position: int, name: str) -> None:
    args = [var(SAMPLES[BINARY[op][0]])] * 2
    args[position] = var(SAMPLES[name])
    if name in BINARY[op]:
        operators.binary(op, args[0], args[1], HERE)
    else:
        with pytest.raises(IllTyped):
            operators.binary(op, args[0], args[1], HERE)


@pytest.mark.parametrize("left", [*SAMPLES.values(), ODD])
@pytest.mark.parametrize("right", [*SAMPLES.values(), ODD])
@pytest.mark.parametrize("op", ["==", "!="])
def test_equality(op: str, left: Type, right: Type) -> None:
    if left == right or (isinstance(left, (Int, Rational)) and isinstance(right, (Int, Rational))):
        assert operators.binary(op, var(left), var(right), HERE).type == Bool()
    else:
        with pytest.raises(IllTyped):
            operators.binary(op, var(left), var(right), HERE)


@pytest.mark.parametrize("then", [*SAMPLES.values(), ODD])
@pytest.mark.parametrize("otherwise", [*SAMPLES.values(), ODD])
def test_conditional(then: Type, otherwise: Type) -> None:
    if operators.joined(then, otherwise) is not None:
        assert operators.conditional(var(Bool()), var(then), var(otherwise), HERE).type == operators.joined(then, otherwise)
    else:
        with pytest.raises(IllTyped):
            operators.conditional(var(Bool()), var(then), var(otherwise), HERE)


@pytest.mark.parametrize("name", [name for name in SAMPLES if name != "bool"])
def test_condition(name: str) -> None:
    with pytest.raises(IllTyped):
        operators.conditional(var(SAMPLES[name]), var(Bool()), var(Bool()), HERE)


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("position", [0, 1])
def test_lookup(position: int, name: str) -> None:
    index = [var(Int(0, 1)), var(Int(0, 1))]
    index[position] = var(SAMPLES[name])
    if name == "int":
        assert operators.lookup(GRID, index[0], index[1], HERE).type == Char()
    else:
        with pytest.raises(IllTyped):
            operators.lookup(GRID, index[0], index[1], HERE)


@pytest.mark.parametrize(
    ("base", "exponent", "code"),
    [
        (var(Int(0, 2)), operators.constant(3, HERE), None),
        (var(Rational()), operators.constant(0, HERE), None),
        (operators.constant(2, HERE), operators.constant(-3, HERE), None),
        (var(Bool()), operators.constant(2, HERE), "E206"),
        (var(Int(0, 2)), operators.constant(Fraction(1, 2), HERE), "E206"),
        (operators.constant(2, HERE), var(Int(0, 2)), "E211"),
        (var(Int(0, 2)), operators.constant(-1, HERE), "E211"),
        (var(Int(0, 2)), operators.constant(10**9, HERE), "E208"),
        (operators.constant(10, HERE), operators.constant(10**9, HERE), "E208"),
        (operators.constant(0, HERE), operators.constant(-1, HERE), "E304"),
    ],
)
def test_power(base: Expr, exponent: Expr, code: str | None) -> None:
    if code is None:
        operators.binary("^", base, exponent, HERE)
        return
    with pytest.raises(IllTyped) as error:
        operators.binary("^", base, exponent, HERE)
    assert error.value.code == code


@pytest.mark.parametrize(
    ("expr", "type"),
    [
        (operators.nary("+", [var(Int(0, 4)), var(Int(-1, 2))], HERE), Int(-1, 6)),
        (operators.nary("*", [var(Int(-3, 4)), var(Int(-1, 2))], HERE), Int(-6, 8)),
        (operators.nary("min", [var(Int(0, 9)), var(Int(None, 5))], HERE), Int(None, 5)),
        (operators.nary("max", [var(Int(0, 9)), var(Int(None, 5))], HERE), Int(0, 9)),
        (operators.binary("-", var(Int(0, 4)), var(Int(1, 2)), HERE), Int(-2, 3)),
        (operators.binary("div", var(Int(-5, 9)), var(Int(2, 3)), HERE), Int(-3, 4)),
        (operators.binary("div", var(Int(-5, 9)), var(Int(0, 3)), HERE), Int()),
        (operators.binary("mod", var(Int()), var(Int(1, 3)), HERE), Int(0, 2)),
        (operators.binary("^", var(Int(-3, 2)), operators.constant(2, HERE), HERE), Int(0, 9)),
        (operators.unary("abs", var(Int(-3, 2)), HERE), Int(0, 3)),
        (operators.unary("abs", var(Int(-3, -2)), HERE), Int(2, 3)),
        (operators.unary("neg", var(Int(-3, 2)), HERE), Int(-2, 3)),
        (operators.unary("floor", var(Rational()), HERE), Int()),
        (operators.unary("floor", var(Int(0, 1)), HERE), Int(0, 1)),
        (operators.conditional(var(Bool()), var(Int(0, 1)), var(Int(3, 4)), HERE), Int(0, 4)),
        (operators.conditional(var(Bool()), var(Int(0, 1)), var(Rational()), HERE), Rational()),
    ],
)
def test_ranges(expr: Expr, type: Type) -> None:
    assert expr.type == type


def test_constants_fold_and_chains_stay_flat() -> None:
    x, two = var(Int(0, 4)), operators.constant(2, HERE)
    assert operators.binary("/", two, operators.constant(4, HERE), HERE) == Const(Fraction(1, 2), Rational(), HERE)
    inner = operators.nary("+", [x, x], HERE)
    assert operators.nary("+", [inner, x], HERE) == Nary("+", (x, x, x), Int(0, 12), HERE)
    unfolded = operators.binary("/", two, operators.constant(0, HERE), HERE)
    assert isinstance(unfolded, Binary)  # it may never be evaluated


def test_constants_in_junctions() -> None:
    b, true, false = var(Bool()), operators.constant(True, HERE), operators.constant(False, HERE)
    assert operators.nary("and", [true, b], HERE) == b
    assert operators.nary("or", [true, b], HERE) == true
    assert operators.nary("and", [b, false, b], HERE) == Nary("and", (b, false), Bool(), HERE)  # b may have no value
    assert operators.unary("not", operators.unary("not", b, HERE), HERE) == b
    assert operators.unary("not", b, HERE) == Unary("not", b, Bool(), HERE)
