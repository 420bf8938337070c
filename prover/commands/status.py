"""Exit statuses and messages of the command line: what every command shares."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from prover.report.files import FileError, require_readable
from prover.report.text import printable

if TYPE_CHECKING:
    from dsl.diagnostic import Diagnostic
    from dsl.source import Source

OK, REFUTED, USAGE, SPEC, UNKNOWN, INTERNAL, REJECTED = 0, 1, 2, 3, 4, 5, 6
FOUND = 1  # `fmt --check` and `lint` found something
INTERRUPTED, PIPE_CLOSED = 130, 141
GRAVEST_FIRST = (REJECTED, INTERNAL, SPEC, REFUTED, UNKNOWN, OK)

SPECS = click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")


def gravest(statuses: Iterable[int]) -> int:
    """One exit status for several: the first in the list that occurs."""
    found = set(statuses)
    return next((status for status in GRAVEST_FIRST if status in found), OK)


def complain(message: str) -> None:
    click.echo(f"{click.style('error:', fg='red', bold=True)} {printable(message)}", err=True, color=colour())


def internal_error(where: str = "") -> int:
    """Say what happened and that it is ours; never a verdict."""
    import traceback

    click.echo(traceback.format_exc(), err=True, nl=False)
    complain(f"{where}internal error: this is a bug of twostep, and no verdict was reached")
    return INTERNAL


def colour() -> bool | None:
    """None lets click decide (a terminal or not); NO_COLOR in the environment switches colours off."""
    return False if os.environ.get("NO_COLOR") else None


def version() -> str:
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed

    try:
        return f"twostep {installed('twostep')}"
    except PackageNotFoundError:
        return "twostep 0+unknown"


def require_all(files: Iterable[Path]) -> None:
    """Refuse the whole command if one of the files cannot be read, before any work is done."""
    for file in files:
        require_readable(file)


def read_source(path: Path) -> Source:
    """The text of a spec; raises SpecError where it is too large or no UTF-8 text."""
    from dsl.parse import MAX_SIZE, parse_bytes

    require_readable(path)
    try:
        with path.open("rb") as file:
            return parse_bytes(str(path), file.read(MAX_SIZE + 1))
    except OSError as error:
        raise FileError(f"{path} cannot be read: {(error.strerror or str(error)).lower()}") from None


def tell_diagnostics(diagnostics: Sequence[Diagnostic], sources: Mapping[str, Source] | None = None) -> None:
    """On the error stream, each with its line; without ``sources`` the files that the diagnostics name are read again."""
    from dsl.diagnostic import render

    shown = _sources(diagnostics) if sources is None else sources
    for diagnostic in diagnostics:
        click.echo(printable(render(diagnostic, dict(shown))), err=True)


def _sources(diagnostics: Sequence[Diagnostic]) -> dict[str, Source]:
    from dsl.diagnostic import SpecError

    sources = {}
    for name in {diagnostic.span.file for diagnostic in diagnostics}:
        with suppress(FileError, SpecError):
            sources[name] = read_source(Path(name))
    return sources
