"""Diagnostics are data: a code, a place, one sentence, a hint; one renderer turns them into text."""

from __future__ import annotations

from collections.abc import Iterable

from dsl.record import dataclass
from dsl.source import Source, Span


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """``code`` is E1xx syntax, E2xx names and types, E3xx worlds, E4xx claims, E5xx files, W9xx lint."""

    code: str
    span: Span
    message: str
    hint: str | None = None

    @property
    def severity(self) -> str:
        return "warning" if self.code.startswith("W") else "error"


class SpecError(Exception):
    """The spec has errors; ``diagnostics`` are all that one stage found, in the order of the text."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(sorted(diagnostics, key=lambda d: (d.span.file, d.span.line, d.span.column, d.code)))
        super().__init__("; ".join(f"{d.code}: {d.message}" for d in self.diagnostics))

    def __reduce__(self) -> tuple[type[SpecError], tuple[tuple[Diagnostic, ...]]]:
        """Survives the way from a child process to its parent."""
        return type(self), (self.diagnostics,)


def render(diagnostic: Diagnostic, sources: dict[str, Source]) -> str:
    """Text for people: place, code, sentence; then the line with the span underlined, and the hint."""
    span = diagnostic.span
    head = f"{span.file}:{span.line}:{span.column}: {diagnostic.severity} {diagnostic.code}: {diagnostic.message}"
    source = sources.get(span.file)
    if source is None or not 1 <= span.line <= len(source.lines):
        return head if diagnostic.hint is None else f"{head}\n  hint: {diagnostic.hint}"
    line = source.lines[span.line - 1].rstrip("\r").replace("\t", " ")
    end = span.end_column if span.end_line == span.line else len(line) + 1
    start, shift = 0, ""
    if len(line) > 160:  # show a window of a very long line
        start = max(0, span.column - 40)
        shift = "..." if start else ""
        line = shift + line[start : start + 120] + ("..." if start + 120 < len(line) else "")
    column = span.column - 1 - start + len(shift)
    carets = "^" * max(1, min(end - span.column, len(line) - column))
    hint = f" {diagnostic.hint}" if diagnostic.hint else ""
    number = str(span.line).rjust(5)
    return f"{head}\n{number} | {line}\n      | {' ' * column}{carets}{hint}"
