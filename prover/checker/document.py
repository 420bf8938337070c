"""Text -> JSON value, and the readers that turn its parts into integers, exact numbers and names; anything unexpected is Rejected."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from math import lcm
from typing import Any, NoReturn

DIGITS = 100_000  # of one numerator or denominator
DEPTH = 400  # of brackets; far inside the interpreter's own limit
CHUNK = 4_000  # digits that int() and str() convert under their default limit

TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)|[\[{\]}]', re.DOTALL)
NUMBER = re.compile(rf"(-?)([0-9]{{1,{DIGITS}}})(?:/([0-9]{{1,{DIGITS}}}))?")


class Rejected(Exception):
    """The document does not prove its claim; the message says why."""


def require(condition: bool, reason: str) -> None:
    if not condition:
        raise Rejected(reason)


def parse(text: str) -> Any:
    """Strict JSON: no duplicate keys, no floats, integers of at most 18 digits, nesting of at most DEPTH."""
    depth = 0
    for token in TOKEN.finditer(text):
        if token[0] in "[{":
            depth += 1
            require(depth <= DEPTH, "nesting is too deep")
        elif token[0] in "]}":
            depth -= 1
    try:
        return json.loads(text, object_pairs_hook=_object, parse_int=_small, parse_float=_refuse, parse_constant=_refuse)
    except ValueError as error:
        raise Rejected(f"not JSON: {error}") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    require(len(result) == len(pairs), "a key occurs twice")
    return result


def _small(text: str) -> int:
    require(len(text) <= 18, "an integer is too long")
    return int(text)


def _refuse(text: str) -> NoReturn:
    raise Rejected(f"not an exact number: {text[:20]}")


def shallow(value: Any, depth: int = DEPTH) -> None:
    """Rejects a value nested deeper than ``depth``, so that what follows may recurse on it."""
    level = [value]
    while level:
        require(depth >= 0, "nesting is too deep")
        depth -= 1
        level = [x for outer in level if isinstance(outer, list) for x in outer if isinstance(x, list)]


def fields(value: Any, names: str) -> list[Any]:
    """The values of an object that has exactly these keys, in this order."""
    keys = names.split()
    require(type(value) is dict and value.keys() == set(keys), f"expected an object with the keys {names}")
    return [value[key] for key in keys]


def array(value: Any, length: int | None = None) -> list[Any]:
    require(type(value) is list and length in (None, len(value)), "expected a list" + ("" if length is None else f" of {length}"))
    result: list[Any] = value
    return result


def integer(value: Any, low: int, high: int | None = None) -> int:
    """An integer with low <= value < high."""
    if type(value) is not int or value < low or (high is not None and value >= high):
        raise Rejected("expected an index or count in its range")
    return value


def name(value: Any) -> str:
    require(type(value) is str, "expected a string")
    return str(value)


def boolean(value: Any) -> bool:
    require(type(value) is bool, "expected true or false")
    return bool(value)


def one_of(value: Any, words: str) -> str:
    require(type(value) is str and value in words.split(), f"expected one of {words}")
    return str(value)


def number(value: Any) -> Fraction:
    """``-?digits`` or ``-?digits/digits``, ASCII, exact."""
    match = NUMBER.fullmatch(value) if type(value) is str else None
    if match is None:
        raise Rejected("expected an exact number as a string")
    sign, numerator, denominator = match.groups()
    bottom = 1 if denominator is None else _int(denominator)
    require(bottom != 0, "a denominator is 0")
    top = _int(numerator)
    return Fraction(-top if sign else top, bottom)


def whole(value: Any) -> int:
    """``-?digits``: an integer as a string."""
    match = NUMBER.fullmatch(value) if type(value) is str else None
    if match is None or match[3] is not None:
        raise Rejected("expected an integer as a string")
    return -_int(match[2]) if match[1] else _int(match[2])


def _int(digits: str) -> int:
    result = 0
    for start in range(0, len(digits), CHUNK):  # int() refuses more than 4,300 digits
        chunk = digits[start : start + CHUNK]
        result = result * 10 ** len(chunk) + int(chunk)
    return result


def show(value: Fraction) -> str:
    """The number in decimal digits, however long."""
    parts = [_show(abs(value.numerator))] + ([_show(value.denominator)] if value.denominator != 1 else [])
    return ("-" if value < 0 else "") + "/".join(parts)


def _show(value: int) -> str:
    chunks: list[str] = []
    while value >= 10**CHUNK:
        value, rest = divmod(value, 10**CHUNK)
        chunks.append(str(rest).zfill(CHUNK))
    return str(value) + "".join(reversed(chunks))


def distinct(values: list[Any], what: str) -> None:
    require(len(set(values)) == len(values), f"{what} occurs twice")


def shares(values: list[Fraction], what: str) -> tuple[tuple[int, ...], int]:
    """Positive shares that sum to exactly 1, as integers over one denominator."""
    bottom = lcm(*(value.denominator for value in values))
    tops = tuple(value.numerator * (bottom // value.denominator) for value in values)
    require(bool(tops) and min(tops) > 0, f"{what}: expected shares greater than 0")
    require(sum(tops) == bottom, f"{what}: the shares do not sum to 1")
    return tops, bottom
