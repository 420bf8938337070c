"""What an importer of worlds gets, and how it says what is wrong with a file: every mistake, each at its place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field

from dsl import spec
from dsl.diagnostic import Diagnostic, SpecError
from dsl.record import dataclass
from dsl.semantics import show
from dsl.source import Source, Span

MAX_DIAGNOSTICS = 200
MAX_SUGGESTIONS = 100  # difflib is slow


@dataclass(frozen=True, slots=True)
class Setting:
    """``N = 3`` in the braces, evaluated; ``span`` covers it in the spec; ``text`` is the value if it is a string."""

    name: str
    value: spec.Const
    span: Span = field(compare=False)
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """``world name = format "written" { settings }``; ``source`` is the text of the file, None for a format without one."""

    name: str
    written: str
    source: Source | None
    settings: Mapping[str, Setting]
    span: Span = field(compare=False)  # of the whole declaration
    path_span: Span = field(compare=False)  # of the string


def on_trust(request: Request, kind: str, changed: Iterable[str]) -> tuple[str, ...]:
    """The notes of a world: that the importer reads a ``kind`` of file as it is meant, and what it ``changed``."""
    with_ = ", ".join(f"{s.name} = {show(s.value.value) if s.text is None else s.text}" for s in request.settings.values())
    read = f'world {request.name} is the {kind} "{request.written}"{f" with {with_}" if with_ else ""}, as this importer reads it'
    return (read, *(f"world {request.name}: {note}" for note in changed))


class Problems:
    """The diagnostics about one file; after MAX_DIAGNOSTICS of them the import stops."""

    def __init__(self) -> None:
        self.diagnostics: list[Diagnostic] = []
        self.said: set[Diagnostic] = set()
        self.suggestions = 0

    def error(self, code: str, span: Span, message: str, hint: str | None = None) -> None:
        diagnostic = Diagnostic(code, span, message, hint)
        if diagnostic in self.said:  # a formula, or a module under another name, is read several times
            return
        self.said.add(diagnostic)
        self.diagnostics.append(diagnostic)
        if len(self.diagnostics) >= MAX_DIAGNOSTICS:
            raise self.failure()

    def similar(self, name: str, known: Iterable[str]) -> str | None:
        """A hint if a known name is close."""
        self.suggestions += 1
        if self.suggestions > MAX_SUGGESTIONS or len(name) > 200:
            return None
        from difflib import get_close_matches

        close = get_close_matches(name, list(known), n=1)
        return f"did you mean `{close[0]}`?" if close else None

    def failure(self) -> SpecError:
        return SpecError(self.diagnostics)

    def stop(self) -> None:
        """Ends a stage: raises if it found anything."""
        if self.diagnostics:
            raise self.failure()
