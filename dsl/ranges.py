"""Ranges of operands -> the range of an operation on integers; a missing bound is unknown.  Not integers: rational."""

from __future__ import annotations

from dsl.semantics import MAX_BITS
from dsl.types import Int, Rational, Type


def integer(low: int | None, high: int | None) -> Int:
    """A bound too long to be of use is not kept."""
    short_low = None if low is None or low.bit_length() > MAX_BITS else low
    short_high = None if high is None or high.bit_length() > MAX_BITS else high
    return Int(short_low, short_high)


def least(a: int | None, b: int | None) -> int | None:
    return None if a is None or b is None else min(a, b)


def greatest(a: int | None, b: int | None) -> int | None:
    return None if a is None or b is None else max(a, b)


def negated(type: Type) -> Type:
    if not isinstance(type, Int):
        return type
    return Int(None if type.high is None else -type.high, None if type.low is None else -type.low)


def absolute(type: Type) -> Type:
    if not isinstance(type, Int):
        return type
    low, high = type.low, type.high
    inside = (low is None or low <= 0) and (high is None or high >= 0)
    ends = [abs(end) for end in (low, high) if end is not None]
    return Int(0 if inside else min(ends), max(ends) if len(ends) == 2 else None)


def arithmetic(op: str, a: Type, b: Type) -> Type:
    if not isinstance(a, Int) or not isinstance(b, Int):
        return Rational()
    match op:
        case "+":
            low = None if a.low is None or b.low is None else a.low + b.low
            high = None if a.high is None or b.high is None else a.high + b.high
            return integer(low, high)
        case "*":
            if a.low is None or a.high is None or b.low is None or b.high is None:
                return Int()
            corners = [x * y for x in (a.low, a.high) for y in (b.low, b.high)]
            return integer(min(corners), max(corners))
        case "min":
            return Int(least(a.low, b.low), min((h for h in (a.high, b.high) if h is not None), default=None))
        case "max":
            return Int(max((x for x in (a.low, b.low) if x is not None), default=None), greatest(a.high, b.high))
    raise ValueError(f"no arithmetic operator {op}")


def quotient(a: Type, b: Type) -> Type:
    if not isinstance(a, Int) or not isinstance(b, Int) or a.low is None or a.high is None or b.low is None or b.low <= 0 or b.high is None:
        return Int()
    corners = [x // y for x in (a.low, a.high) for y in (b.low, b.high)]
    return Int(min(corners), max(corners))


def remainder(b: Type) -> Type:
    if isinstance(b, Int) and b.low is not None and b.low > 0:
        return Int(0, None if b.high is None else b.high - 1)
    return Int()


def powered(type: Type, exponent: int) -> Type:
    if not isinstance(type, Int):
        return Rational()
    low, high = type.low, type.high
    if low is None or high is None or max(low.bit_length(), high.bit_length()) * exponent > MAX_BITS:
        return Int()
    ends = [low**exponent, high**exponent]
    return Int(0 if exponent % 2 == 0 and exponent and low <= 0 <= high else min(ends), max(ends))
