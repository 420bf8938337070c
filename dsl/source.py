"""Source text with positions: where a piece of a spec stands."""

from __future__ import annotations

from functools import cached_property

from dsl.record import dataclass


@dataclass(frozen=True)
class Source:
    """The text of one file; ``name`` is how messages call it."""

    name: str
    text: str

    @cached_property
    def lines(self) -> tuple[str, ...]:
        return tuple(self.text.split("\n"))


@dataclass(frozen=True, slots=True)
class Span:
    """From ``line:column`` up to but not including ``end_line:end_column``; all count from 1."""

    file: str
    line: int
    column: int
    end_line: int
    end_column: int

    def until(self, other: Span) -> Span:
        """The span from the start of this one to the end of ``other``."""
        return Span(self.file, self.line, self.column, other.end_line, other.end_column)
