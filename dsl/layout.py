"""Documents -> lines of bounded width: text with places where it may break.

A group is laid out on one line if it fits; otherwise its own breaks become newlines and the groups inside decide for themselves
(Wadler, "A prettier printer", 2003, with the usual explicit stack).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Break:
    """A newline if its group is broken, else ``flat``."""

    flat: str


@dataclass(frozen=True, slots=True)
class Hard:
    """A newline always; breaks every group around it."""


@dataclass(frozen=True, slots=True)
class Nest:
    """Newlines inside ``parts`` are indented two spaces more."""

    parts: Sequence[Doc]


@dataclass(frozen=True, slots=True)
class Group:
    parts: Sequence[Doc]


Doc = str | Break | Hard | Nest | Group

LINE = Break(" ")
SOFT = Break("")
HARD = Hard()


def joined(docs: Iterable[Doc], separator: Sequence[Doc]) -> list[Doc]:
    """The documents with ``separator`` between each two."""
    result: list[Doc] = []
    for doc in docs:
        if result:
            result.extend(separator)
        result.append(doc)
    return result


def render(doc: Doc, indent: int, column: int, width: int) -> str:
    """The text of ``doc`` when it starts at ``column`` (from 0) in a line that is indented by ``indent``."""
    out: list[str] = []
    stack: list[tuple[int, bool, Doc]] = [(indent, True, doc)]
    while stack:
        margin, broken, top = stack.pop()
        if isinstance(top, str):
            out.append(top)
            column += len(top)
        elif isinstance(top, Hard) or (isinstance(top, Break) and broken and not _sign_follows(stack)):
            out.append("\n" + " " * margin)
            column = margin
        elif isinstance(top, Break):
            out.append(top.flat)
            column += len(top.flat)
        elif isinstance(top, Nest):
            stack.extend((margin + 2, broken, part) for part in reversed(top.parts))
        else:
            breaks = not _fits(top, width - column)
            stack.extend((margin, breaks, part) for part in reversed(top.parts))
    return "".join(out)


def _sign_follows(stack: Sequence[tuple[int, bool, Doc]]) -> bool:
    """Whether the text that comes next starts with `+` or `-`: no line does, unless it begins an item."""
    todo = [top for _, _, top in stack[-1:]]
    while todo:
        top = todo.pop()
        if isinstance(top, str):
            if top:
                return top[0] in "+-"
            if not todo:
                return False
        elif isinstance(top, Nest | Group):
            todo.extend(reversed(top.parts))
        else:
            return False
    return False


def _fits(group: Group, room: int) -> bool:
    """Whether the group on one line takes at most ``room`` columns."""
    stack: list[Doc] = [group]
    while stack:
        top = stack.pop()
        if isinstance(top, Hard):
            return False
        if isinstance(top, str):
            room -= len(top)
        elif isinstance(top, Break):
            room -= len(top.flat)
        else:
            stack.extend(reversed(top.parts))
        if room < 0:
            return False
    return True
