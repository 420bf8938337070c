"""The functions of the PRISM language on typed arguments -> typed expressions; what would be irrational is refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

from dsl import operators, spec
from dsl.operators import IllTyped, constant
from dsl.semantics import MAX_BITS, bits
from dsl.source import Span
from dsl.types import Bool, Int, Rational

MAX_EXPONENTS = 64  # values of an exponent that depends on the state


def want_number(arg: spec.Expr, what: str) -> None:
    if isinstance(arg.type, Bool):
        raise IllTyped("E525", arg.span, f"{what} needs a number, but this is a truth value")


def _want(count: int, op: str, args: Sequence[spec.Expr], span: Span) -> None:
    if len(args) != count:
        raise IllTyped("E525", span, f"`{op}` takes {count} argument{'s' if count > 1 else ''}, here are {len(args)}")
    for arg in args:
        want_number(arg, f"`{op}`")


def _extreme(op: str, args: Sequence[spec.Expr], span: Span) -> spec.Expr:
    for arg in args:
        want_number(arg, f"`{op}`")
    return operators.nary(op, args, span)


def _rounded(op: str, args: Sequence[spec.Expr], span: Span) -> spec.Expr:
    _want(1, op, args, span)
    if op != "round" or isinstance(args[0].type, Int):
        return operators.unary("floor" if op == "round" else op, args[0], span)
    half = constant(Fraction(1, 2), span)
    return operators.unary("floor", operators.nary("+", [args[0], half], span), span)


def _modulo(op: str, args: Sequence[spec.Expr], span: Span) -> spec.Expr:
    """Python's and mathematics' remainder, for a divisor that is positive; any other has no value (it divides by zero)."""
    _want(2, op, args, span)
    a, b = args
    for arg in args:
        if not isinstance(arg.type, Int):
            message = f"`mod` needs an integer, but this is {operators.described(arg.type)}"
            raise IllTyped("E525", arg.span, message, "`floor(...)` gives one")
    if isinstance(b, spec.Const) and b.value <= 0:
        raise IllTyped("E525", b.span, "`mod` needs a positive divisor")
    if isinstance(b.type, Int) and (b.type.low is None or b.type.low <= 0):
        zero = constant(0, b.span)
        b = operators.conditional(operators.binary(">", b, zero, b.span), b, zero, b.span)
    return operators.binary("mod", a, b, span)


def _power(op: str, args: Sequence[spec.Expr], span: Span) -> spec.Expr:
    _want(2, op, args, span)
    base, exponent = args
    whole = isinstance(base.type, Int) and isinstance(exponent.type, Int)
    if isinstance(exponent, spec.Const):
        if Fraction(exponent.value).denominator != 1:
            raise IllTyped("E523", exponent.span, "a power with a fractional exponent is irrational as a rule and is not supported")
        return _to_the(base, int(exponent.value), whole, span)
    if not isinstance(exponent.type, Int) or exponent.type.low is None or exponent.type.high is None:
        raise IllTyped("E523", exponent.span, "an exponent that depends on the state needs a known range of integers")
    low, high = exponent.type.low, exponent.type.high
    if high - low >= MAX_EXPONENTS:
        message = f"an exponent that depends on the state has at most {MAX_EXPONENTS} values, this has {high - low + 1}"
        raise IllTyped("E527", exponent.span, message)
    if low < 0 and whole:
        raise IllTyped("E525", exponent.span, "an integer to a negative power is no integer", "write the base as a double: `2.0`")
    result = _to_the(base, high, whole, span)
    for k in range(high - 1, low - 1, -1):
        equal = operators.binary("==", exponent, constant(k, span), span)
        result = operators.conditional(equal, _to_the(base, k, whole, span), result, span)
    return result


def _to_the(base: spec.Expr, exponent: int, whole: bool, span: Span) -> spec.Expr:
    if exponent < 0 and whole:
        raise IllTyped("E525", span, "an integer to a negative power is no integer", "write the base as a double: `2.0`")
    long = isinstance(base, spec.Const) and base.value not in (-1, 0, 1) and bits(base.value) * abs(exponent) > 2 * MAX_BITS
    if abs(exponent) > MAX_BITS or long:
        raise IllTyped("E527", span, f"this power is a number of more than {MAX_BITS} bits")
    positive = operators.binary("^", base, constant(abs(exponent), span), span)
    if exponent < 0:
        positive = operators.binary("/", constant(1, span), positive, span)
    return positive if whole else operators.converted(positive, Rational())


# ---------------------------------------------------------------- logarithms


def _logarithm(op: str, args: Sequence[spec.Expr], span: Span) -> spec.Expr:
    """Of constants, where it is an integer."""
    x, base = _of_logarithm(op, args, span)
    down, up = _logarithm_between(x, base, span)
    if down != up:
        raise IllTyped("E523", span, "this logarithm is irrational", "`floor(log(x, b))` and `ceil(log(x, b))` are supported")
    return constant(Fraction(down), span)


def rounded_logarithm(op: str, args: Sequence[spec.Const], span: Span) -> spec.Expr:
    """``floor`` or ``ceil`` of a logarithm."""
    x, base = _of_logarithm("log", args, span)
    down, up = _logarithm_between(x, base, span)
    return constant(down if op == "floor" else up, span)


def _of_logarithm(op: str, args: Sequence[spec.Expr], span: Span) -> tuple[Fraction, Fraction]:
    _want(2, op, args, span)
    x, base = args
    if not isinstance(x, spec.Const) or not isinstance(base, spec.Const):
        raise IllTyped("E523", span, "a logarithm that depends on the state is not supported")
    if x.value <= 0 or base.value <= 0 or base.value == 1:
        raise IllTyped("E525", span, "`log(x, b)` needs x > 0, b > 0 and b other than 1")
    return Fraction(x.value), Fraction(base.value)


def _logarithm_between(x: Fraction, base: Fraction, span: Span) -> tuple[int, int]:
    """The greatest integer below or at the logarithm, and the least above or at it."""
    if base < 1:
        down, up = _logarithm_between(x, 1 / base, span)
        return -up, -down
    if x < 1:
        down, up = _logarithm_between(1 / x, base, span)
        return -up, -down
    power, k = Fraction(1), 0
    while power * base <= x:
        power *= base
        k += 1
        if k > MAX_BITS:
            raise IllTyped("E527", span, f"this logarithm is greater than {MAX_BITS}")
    return k, k if power == x else k + 1


RULES: dict[str, Callable[[str, Sequence[spec.Expr], Span], spec.Expr]] = {
    "min": _extreme,
    "max": _extreme,
    "floor": _rounded,
    "ceil": _rounded,
    "round": _rounded,
    "mod": _modulo,
    "pow": _power,
    "log": _logarithm,
}
