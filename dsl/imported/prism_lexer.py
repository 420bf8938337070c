"""The text of a PRISM model -> tokens with their places; what is no token is reported and left out."""

from __future__ import annotations

import re
from bisect import bisect_right
from fractions import Fraction
from typing import NamedTuple

from dsl.imported.request import Problems
from dsl.source import Source, Span

MAX_TOKENS = 2_000_000
MAX_DIGITS = 1_000  # of a number, and its greatest exponent of ten

_TOKEN = re.compile(
    r"(?P<space>(?:[ \t\r\n\f\v]+|//[^\n]*)+)"
    r"|(?P<number>(?:[0-9]+\.[0-9]+|\.[0-9]+|[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<name>[A-Za-z_][A-Za-z_0-9]*)"
    r"|(?P<string>\"[^\"\n]*\")"
    r"|(?P<foreign>&&|==)"
    r"|(?P<symbol><=>|=>|->|<=|>=|!=|\.\.|\|\[|\|\|\||\|\||[-+*/()\[\]{}<>=!&|?:;,'])"
    r"|(?P<junk>[^ \t\r\n\f\vA-Za-z_0-9\"&=<>!.|+*/()\[\]{}?:;,'-]+|.)"
)


class Token(NamedTuple):
    """``kind`` is number, name, string, symbol or end; ``start`` counts characters of the text."""

    kind: str
    text: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)


class Positions:
    """Offsets into a text -> spans."""

    def __init__(self, source: Source) -> None:
        self.name = source.name
        self.starts = [0, *(match.end() for match in re.finditer("\n", source.text))]

    def span(self, start: int, end: int) -> Span:
        first, last = bisect_right(self.starts, start), bisect_right(self.starts, end)
        return Span(self.name, first, start - self.starts[first - 1] + 1, last, end - self.starts[last - 1] + 1)


def lex(source: Source, positions: Positions, problems: Problems) -> list[Token]:
    """Ends with a token of kind ``end``."""
    tokens: list[Token] = []
    for match in _TOKEN.finditer(source.text):
        kind, text, start = match.lastgroup or "", match.group(), match.start()
        if kind == "space":
            continue
        if kind == "junk":
            what = "this string does not end on its line" if text == '"' else f"{shown(text)} has no meaning in a PRISM model"
            problems.error("E521", positions.span(start, match.end()), what)
            continue
        if kind == "foreign":
            text = text[0]
            problems.error("E521", positions.span(start, match.end()), f"`{text}{text}` is no operator of PRISM", f"write `{text}`")
            kind = "symbol"
        elif kind == "number" and not short(text):
            message = f"a number has at most {MAX_DIGITS} digits, and an exponent of that size"
            problems.error("E527", positions.span(start, match.end()), message)
            text = "1"
        tokens.append(Token(kind, text, start))
        if len(tokens) > MAX_TOKENS:
            problems.error("E527", positions.span(start, match.end()), f"the model has more than {MAX_TOKENS:,} words and symbols")
            raise problems.failure()
    tokens.append(Token("end", "", len(source.text)))
    return tokens


def short(number: str) -> bool:
    digits, _, exponent = number.lower().partition("e")
    return len(digits) <= MAX_DIGITS and len(exponent) <= 6 and abs(int(exponent or "0")) <= MAX_DIGITS


def number(text: str) -> int | Fraction:
    """What a number means, exactly: an integer if it has neither point nor exponent."""
    return int(text) if text.isdigit() else Fraction(text)


def shown(text: str) -> str:
    """A piece of the text for a message, whatever it holds."""
    printable = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text[:20])
    return f"`{printable}{'...' if len(text) > 20 else ''}`"
