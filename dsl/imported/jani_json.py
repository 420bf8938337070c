"""JSON text -> nodes that know where they stand; numbers are exact, nothing recurses."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from fractions import Fraction
from json.decoder import JSONDecodeError, scanstring  # type: ignore[attr-defined]  # the reader of strings that json itself uses
from typing import NoReturn

from dsl.record import dataclass
from dsl.source import Source, Span

MAX_DEPTH = 2_000
MAX_DIGITS = 1_000
MAX_EXPONENT = 1_000
CUT_OFF = "the file ends inside the model: it may be cut off"

_SPACE = re.compile(r"[ \t\n\r]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?(?:[eE]([+-]?[0-9]+))?")
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None}


class Node:
    """``value``: dict[str, Node], list[Node], str, int, Fraction, bool or None; from offset ``start`` up to ``end``."""

    __slots__ = ("end", "start", "value")

    def __init__(self, value: dict[str, Node] | list[Node] | str | int | Fraction | bool | None, start: int, end: int) -> None:
        self.value = value
        self.start = start
        self.end = end


@dataclass
class Broken(Exception):
    """The file is not what it should be, here."""

    code: str
    node: Node
    message: str
    hint: str | None = None


def parse(text: str) -> Node:
    """Raises Broken with a node that covers the place of the mistake."""
    open_: list[tuple[Node, str]] = []  # objects and arrays that are not closed yet, each with the key that waits for its value
    position = _space(text, 0)
    while True:
        node = _value(text, position)
        if isinstance(node.value, dict | list) and node.end < 0:  # opened here
            if len(open_) >= MAX_DEPTH:
                _wrong(position, f"nested more than {MAX_DEPTH} deep", "E527")
            position = _space(text, position + 1)
            closing = "}" if isinstance(node.value, dict) else "]"
            if text[position : position + 1] != closing:
                key, position = _key(text, position, node)
                open_.append((node, key))
                continue
            node.end = position + 1
        position = node.end
        while True:  # the value is complete: it takes its place, and perhaps completes what it stands in
            if not open_:
                position = _space(text, position)
                if position < len(text):
                    _wrong(position, "there is more text after the model")
                return node
            outer, key = open_.pop()
            if isinstance(outer.value, dict):
                outer.value[key] = node
            else:
                outer.value.append(node)  # type: ignore[union-attr]
            position = _space(text, position)
            character = text[position : position + 1]
            if character == ",":
                key, position = _key(text, _space(text, position + 1), outer)
                open_.append((outer, key))
                break
            closing = "}" if isinstance(outer.value, dict) else "]"
            if character != closing:
                _wrong(position, f"`,` or `{closing}` is expected" if character else CUT_OFF)
            position += 1
            outer.end = position
            node = outer


def _space(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    return match.end() if match else position


def _wrong(position: int, message: str, code: str = "E521") -> NoReturn:
    raise Broken(code, Node(None, position, position + 1), message)


def _key(text: str, position: int, outer: Node) -> tuple[str, int]:
    """The key of the next member of an object, and where its value begins; an array has none."""
    if not isinstance(outer.value, dict):
        return "", position
    if text[position : position + 1] != '"':
        _wrong(position, "a name in double quotes is expected" if position < len(text) else CUT_OFF)
    key, end = _string(text, position)
    if key in outer.value:
        _wrong(position, f"`{key[:80]}` stands twice in this object", "E524")
    end = _space(text, end)
    if text[end : end + 1] != ":":
        _wrong(end, "`:` is expected" if end < len(text) else CUT_OFF)
    return key, _space(text, end + 1)


def _string(text: str, position: int) -> tuple[str, int]:
    try:
        value, end = scanstring(text, position + 1, True)
    except JSONDecodeError as error:
        _wrong(position, f"this string is broken: {error.msg[:1].lower()}{error.msg[1:]}")
    return str(value), int(end)


def _value(text: str, position: int) -> Node:
    """A value that is complete, or an object or array that begins here (its end is -1)."""
    character = text[position : position + 1]
    if character == "{":
        return Node({}, position, -1)
    if character == "[":
        return Node([], position, -1)
    if character == '"':
        value, end = _string(text, position)
        return Node(value, position, end)
    match = _NUMBER.match(text, position)
    if match is not None:
        return Node(_number(match), position, match.end())
    for word, meaning in _WORDS.items():
        if text.startswith(word, position):
            return Node(meaning, position, position + len(word))
    _wrong(position, "a value is expected" if character else CUT_OFF)


def _number(match: re.Match[str]) -> int | Fraction:
    digits, decimals, exponent = match[0], match[1], match[2]
    if len(digits) > MAX_DIGITS or abs(int((exponent or "0")[:12])) > MAX_EXPONENT:
        raise Broken("E527", Node(None, match.start(), match.end()), "this number is too long")
    return int(digits) if decimals is None and exponent is None else Fraction(digits)


# ---------------------------------------------------------------- what is asked of nodes


def kind(node: Node) -> str:
    match node.value:
        case dict():
            return "an object"
        case list():
            return "an array"
        case str():
            return "a string"
        case bool():
            return "a truth value"
        case int() | Fraction():
            return "a number"
    return "null"


def members(node: Node, what: str) -> dict[str, Node]:
    if not isinstance(node.value, dict):
        raise Broken("E521", node, f"{what} is an object, not {kind(node)}")
    return node.value


def items(node: Node | None, what: str) -> list[Node]:
    """Empty if the member is not there."""
    if node is None:
        return []
    if not isinstance(node.value, list):
        raise Broken("E521", node, f"{what} is an array, not {kind(node)}")
    return node.value


def string(node: Node, what: str) -> str:
    if not isinstance(node.value, str):
        raise Broken("E521", node, f"{what} is a string, not {kind(node)}")
    return node.value


def flag(node: Node | None, what: str) -> bool:
    if node is None:
        return False
    if not isinstance(node.value, bool):
        raise Broken("E521", node, f"{what} is true or false, not {kind(node)}")
    return node.value


def need(node: Node, key: str, what: str) -> Node:
    found = members(node, what).get(key)
    if found is None:
        raise Broken("E521", node, f"{what} has no `{key}`")
    return found


def known_keys(node: Node) -> Iterator[tuple[str, Node]]:
    if isinstance(node.value, dict):
        yield from node.value.items()
    elif isinstance(node.value, list):
        yield from ((f"[{index}]", child) for index, child in enumerate(node.value))


def path_to(root: Node, target: Node) -> str:
    """``automata[0].edges[3].guard``: the way down to the innermost node around the target; empty for the root."""
    path, node = "", root
    while node is not target:
        inside = next(((key, child) for key, child in known_keys(node) if child.start <= target.start and target.end <= child.end), None)
        if inside is None:
            break
        key, node = inside
        path += key if key.startswith("[") or not path else f".{key}"
    return path


class Places:
    """Offsets in the text of a file -> spans."""

    def __init__(self, source: Source) -> None:
        self._file = source.name
        self._starts = [0, *(match.end() for match in re.finditer("\n", source.text))]

    def span(self, node: Node) -> Span:
        first = bisect_right(self._starts, node.start) - 1
        last = bisect_right(self._starts, node.end) - 1
        return Span(self._file, first + 1, node.start - self._starts[first] + 1, last + 1, node.end - self._starts[last] + 1)
