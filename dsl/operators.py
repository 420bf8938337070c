"""Typed operands -> a typed node: the typing rule of every operator, exact folding, ranges of integers.

A rule that is broken raises ``IllTyped``; the checker turns it into a diagnostic.  A constant operation that has
no value (``1 / 0``) is left as it stands, because it may never be evaluated: ``if n == 0 then 0 else 1 / n``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from dsl import ranges
from dsl.record import dataclass
from dsl.semantics import MAX_BITS, EvaluationError, Value, bits, children, evaluate
from dsl.source import Span
from dsl.spec import Binary, Const, Expr, Grid, If, Lookup, Nary, Unary, Var
from dsl.types import Bool, Char, Enum, Int, Rational, Type, is_number

COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")


@dataclass
class IllTyped(Exception):
    code: str
    span: Span
    message: str
    hint: str | None = None


# ---------------------------------------------------------------- leaves


def constant(value: Value, span: Span, type: Type | None = None) -> Const:
    """A literal; an integer's type is the range of that one integer."""
    if type is not None:
        return Const(value, type, span)
    match value:
        case bool():
            return Const(value, Bool(), span)
        case int():
            return Const(value, ranges.integer(value, value), span)
        case Fraction():
            return Const(value, Rational(), span)


def rational(value: Fraction, span: Span) -> Const:
    """A number literal: an integer if it is one."""
    return constant(value.numerator if value.denominator == 1 else value, span)


# ---------------------------------------------------------------- operators


def unary(op: str, arg: Expr, span: Span) -> Expr:
    match op:
        case "not":
            _want_bool(arg, "`not`")
            if isinstance(arg, Unary) and arg.op == "not":
                return arg.arg
            return _fold(Unary(op, arg, Bool(), span))
        case "neg" | "abs":
            _want_number(arg, "`-`" if op == "neg" else "`abs`")
            return _fold(Unary(op, arg, ranges.negated(arg.type) if op == "neg" else ranges.absolute(arg.type), span))
        case "floor" | "ceil":
            _want_number(arg, f"`{op}`")
            if isinstance(arg.type, Int):
                return replace(arg, span=span) if isinstance(arg, Const) else arg
            return _fold(Unary(op, arg, Int(), span))
    raise ValueError(f"no unary operator {op}")


def nary(op: str, args: Sequence[Expr], span: Span) -> Expr:
    """``and or`` on booleans, ``+ * min max`` on numbers; nested nodes of the same operator become one."""
    if op in ("and", "or"):
        return _junction(op, args, span)
    for arg in args:
        _want_number(arg, f"`{op}`")
    flat = _flat(op, args)
    if len(flat) == 1:
        return flat[0]
    type = flat[0].type
    for arg in flat[1:]:
        type = ranges.arithmetic(op, type, arg.type)
    return _fold(Nary(op, tuple(flat), type, span))


def binary(op: str, left: Expr, right: Expr, span: Span) -> Expr:
    match op:
        case "=>" | "<=>":
            _want_bool(left, f"`{op}`")
            _want_bool(right, f"`{op}`")
            if op == "=>" and isinstance(left, Const):
                return right if left.value else constant(True, span)
            return _fold(Binary(op, left, right, Bool(), span))
        case "==" | "!=":
            _want_comparable(left, right, op)
            return _fold(Binary(op, left, right, Bool(), span))
        case "<" | "<=" | ">" | ">=":
            _want_number(left, f"`{op}`")
            _want_number(right, f"`{op}`")
            return _fold(Binary(op, left, right, Bool(), span))
        case "-":
            _want_number(left, "`-`")
            _want_number(right, "`-`")
            return _fold(Binary(op, left, right, ranges.arithmetic("+", left.type, ranges.negated(right.type)), span))
        case "/":
            _want_number(left, "`/`")
            _want_number(right, "`/`")
            return _fold(Binary(op, left, right, Rational(), span))
        case "div" | "mod":
            _want_integer(left, f"`{op}`")
            _want_integer(right, f"`{op}`")
            type = ranges.quotient(left.type, right.type) if op == "div" else ranges.remainder(right.type)
            return _fold(Binary(op, left, right, type, span))
        case "^":
            return _power(left, right, span)
    raise ValueError(f"no binary operator {op}")


def conditional(condition: Expr, then: Expr, otherwise: Expr, span: Span) -> Expr:
    _want_bool(condition, "the condition of `if`")
    type = joined(then.type, otherwise.type)
    if type is None:
        raise IllTyped("E206", span, f"the branches of `if` are {described(then.type)} and {described(otherwise.type)}")
    if isinstance(condition, Const):
        return converted(then if condition.value else otherwise, type)
    return If(condition, then, otherwise, type, span)


def lookup(grid: Grid, x: Expr, y: Expr, span: Span) -> Expr:
    _want_integer(x, f"the column of `{grid.name}`")
    _want_integer(y, f"the row of `{grid.name}`")
    return _fold(Lookup(grid, x, y, Char(), span))


# ---------------------------------------------------------------- types


def joined(a: Type, b: Type) -> Type | None:
    """The least type that holds the values of both; None if there is none."""
    match a, b:
        case Int(), Int():
            return ranges.integer(ranges.least(a.low, b.low), ranges.greatest(a.high, b.high))
        case (Int() | Rational()), (Int() | Rational()):
            return Rational()
    return a if a == b else None


def converted(expr: Expr, type: Type) -> Expr:
    """An integer constant where a rational is wanted becomes one; anything else is left alone."""
    if isinstance(type, Rational) and isinstance(expr, Const) and isinstance(expr.type, Int):
        return Const(Fraction(expr.value), type, expr.span)
    return expr


def fits(actual: Type, wanted: Type) -> bool:
    """Whether a value of ``actual`` can stand where ``wanted`` is asked for; ranges are not compared."""
    return joined(actual, wanted) is not None and not (isinstance(actual, Rational) and isinstance(wanted, Int))


def described(type: Type) -> str:
    match type:
        case Bool():
            return "a truth value"
        case Int():
            return "an integer"
        case Rational():
            return "a rational number"
        case Enum(name=name):
            return f"a member of {name}"
        case Char():
            return "a character"


def constant_value(expr: Expr) -> Value | None:
    """The value of a constant expression; None if it reads a variable.  EvaluationError if it has no value."""
    if isinstance(expr, Const):
        return expr.value
    todo: list[Expr] = [expr]
    while todo:
        node = todo.pop()
        if isinstance(node, Var):
            return None
        todo.extend(children(node))
    return evaluate(expr, {})


# ---------------------------------------------------------------- folding


def _fold(node: Unary | Nary | Binary | Lookup) -> Expr:
    if not all(isinstance(arg, Const) for arg in children(node)):
        return node
    try:
        value = evaluate(node, {})
    except EvaluationError:
        return node
    return constant(value, node.span, None if isinstance(node.type, Int) else node.type)


def _junction(op: str, args: Sequence[Expr], span: Span) -> Expr:
    """Constants are dropped, or decide; what stands after one that decides is never evaluated."""
    for arg in args:
        _want_bool(arg, f"`{op}`")
    neutral = op == "and"
    flat = _flat(op, args)
    kept: list[Expr] = []
    for arg in flat:
        if not isinstance(arg, Const):
            kept.append(arg)
        elif arg.value is not neutral:
            kept.append(arg)
            break
    if not kept:
        return constant(neutral, span)
    return kept[0] if len(kept) == 1 else Nary(op, tuple(kept), Bool(), span)


def _flat(op: str, args: Sequence[Expr]) -> list[Expr]:
    flat: list[Expr] = []
    for arg in args:
        if isinstance(arg, Nary) and arg.op == op:
            flat.extend(arg.args)
        else:
            flat.append(arg)
    return flat


def _power(left: Expr, right: Expr, span: Span) -> Expr:
    _want_number(left, "`^`")
    _want_integer(right, "the exponent of `^`")
    if not isinstance(right, Const):
        if is_parameter(right):
            return Binary("^", left, right, Rational() if isinstance(left.type, Rational) else Int(), span)
        raise IllTyped("E211", right.span, "the exponent of `^` must be a constant")
    exponent = int(right.value)
    if isinstance(left, Const):
        base = left.value
        if base == 0 and exponent < 0:
            raise IllTyped("E304", span, "division by zero: 0 to a negative power")
        if base not in (0, 1, -1) and (bits(base) - 1) * abs(exponent) > MAX_BITS:
            raise IllTyped("E208", span, f"this power is a number of more than {MAX_BITS} bits")
        power = Fraction(base) ** exponent
        return constant(power if isinstance(base, Fraction) or exponent < 0 else int(power), span)
    if exponent < 0:
        raise IllTyped("E211", right.span, "a negative exponent needs a constant base", "write 1 / (x ^ n)")
    if exponent > MAX_BITS:
        raise IllTyped("E208", span, f"the exponent is greater than {MAX_BITS}")
    return Binary("^", left, right, ranges.powered(left.type, exponent), span)


def is_parameter(expr: Expr) -> bool:
    """Inside the body of a function, an argument that is not known yet counts as a possible constant."""
    todo = [expr]
    found = False
    while todo:
        node = todo.pop()
        if isinstance(node, Var):
            if not node.name.startswith(PARAMETER):
                return False
            found = True
        todo.extend(children(node))
    return found


PARAMETER = "\0"  # no variable's name starts so: the placeholder of a function's parameter in its checked body

# ---------------------------------------------------------------- rules


def _want_bool(expr: Expr, what: str) -> None:
    if not isinstance(expr.type, Bool):
        raise IllTyped("E206", expr.span, f"{what} needs a truth value, but this is {described(expr.type)}", _boolean_hint(expr))


def _boolean_hint(expr: Expr) -> str | None:
    return "compare it: `... != 0`" if is_number(expr.type) else None


def _want_number(expr: Expr, what: str) -> None:
    if not is_number(expr.type):
        raise IllTyped("E206", expr.span, f"{what} needs a number, but this is {described(expr.type)}")


def _want_integer(expr: Expr, what: str) -> None:
    if not isinstance(expr.type, Int):
        hint = "round it with `floor` or `ceil`" if isinstance(expr.type, Rational) else None
        raise IllTyped("E206", expr.span, f"{what} needs an integer, but this is {described(expr.type)}", hint)


def _want_comparable(left: Expr, right: Expr, op: str) -> None:
    if joined(left.type, right.type) is None:
        span = left.span.until(right.span)
        raise IllTyped("E206", span, f"`{op}` compares {described(left.type)} with {described(right.type)}; they are never equal")
