"""Rounded numbers -> the rationals they were written for: short fractions within the rounding, rows of sum exactly 1.

A probability of 1/3 reaches us as 0.333333 or 0.33333333333333337.  Nothing can prove which number was meant, so every
row that is changed here is reported by the caller.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction

NEAR = Fraction(1, 10**6)  # a row may miss 1 by this much, and no entry is moved further
DOUBLE = Fraction(1, 2**50)  # relative: a few roundings of a double
COMMON = 10_000  # the largest common denominator that is tried for a row
MAX_DIGITS = 1_000
MAX_EXPONENT = 1_000

_LITERAL = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]{1,6}))?(?:/([0-9]+))?")


def literal(text: str) -> tuple[Fraction, Fraction] | None:
    """A decimal number or a fraction of integers -> its value and how far its last digit lets the number meant lie away.

    None: it is no number of this kind, or too long to be one.
    """
    match = _LITERAL.fullmatch(text)
    if match is None or len(text) > MAX_DIGITS:
        return None
    sign, whole, decimals, exponent, divisor = match.groups()
    if not (whole or decimals):
        return None
    if divisor is not None:
        if decimals is not None or exponent is not None or not int(divisor):
            return None
        return Fraction(int(sign + whole), int(divisor)), Fraction(0)
    power = int(exponent or "0") - len(decimals or "")
    if abs(power) > MAX_EXPONENT:
        return None
    scale = Fraction(10) ** power
    value = int(f"{sign}{whole}{decimals or ''}") * scale
    return value, Fraction(0) if decimals is None and exponent is None else max(scale, abs(value) * DOUBLE)


def from_float(value: float) -> Fraction:
    """The simplest rational among those that round to (nearly) this double."""
    exact = Fraction(value)
    slack = abs(exact) * DOUBLE
    return simplest(exact - slack, exact + slack)


def simplest(low: Fraction, high: Fraction) -> Fraction:
    """The fraction of the smallest denominator in low..high (and of these the one nearest to 0)."""
    if low > high:
        raise ValueError("an empty interval")
    if low <= 0 <= high:
        return Fraction(0)
    if high < 0:
        return -simplest(-high, -low)
    whole: list[int] = []  # continued fraction of both ends, as far as it is common
    while (first := -(-low.numerator // low.denominator)) > high:
        whole.append(first - 1)
        low, high = 1 / (high - (first - 1)), 1 / (low - (first - 1))
    result = Fraction(first)
    for term in reversed(whole):
        result = term + 1 / result
    return result


def distribution(values: Sequence[Fraction], slacks: Sequence[Fraction]) -> tuple[Fraction, ...] | None:
    """Probabilities that are meant to sum to 1 -> ones that do; ``slacks`` bound the rounding of each.

    First each by itself becomes the simplest fraction within its rounding; if these do not sum to 1, the least common
    denominator with which all round to a sum of 1; else the row is divided by its sum.  None: it misses 1 by too much.
    """
    total = sum(values, Fraction(0))
    if total == 1:
        return tuple(values)
    if abs(total - 1) > NEAR or any(value < 0 for value in values):
        return None
    reach = [min(NEAR, slack) for slack in slacks]
    alone = tuple(simplest(max(v - s, Fraction(0)), v + s) if s else v for v, s in zip(values, reach, strict=True))
    if sum(alone, Fraction(0)) == 1 and all(a > 0 or v == 0 for a, v in zip(alone, values, strict=True)):
        return alone
    for denominator in range(2, COMMON + 1):
        numerators = [round(value * denominator) for value in values]
        if sum(numerators) == denominator and all(
            abs(Fraction(n, denominator) - v) <= s and (n > 0 or v == 0) for n, v, s in zip(numerators, values, reach, strict=True)
        ):
            return tuple(Fraction(n, denominator) for n in numerators)
    return tuple(value / total for value in values)
