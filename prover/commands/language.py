"""``fmt``, ``lint`` and ``explain``: commands about the text of a spec."""

from __future__ import annotations

import textwrap
from pathlib import Path

import click

from prover.commands.status import FOUND, OK, SPEC, SPECS, USAGE, complain, gravest, read_source, require_all, tell_diagnostics
from prover.report.files import write_text


@click.command()
@SPECS
@click.option("--check", is_flag=True, help="Write nothing; leave with 1 if a file is not in its canonical layout.")
def fmt(files: tuple[Path, ...], check: bool) -> int:
    """Write specs in their canonical layout, comments kept."""
    require_all(files)
    from dsl.diagnostic import SpecError
    from dsl.format import format as canonical
    from dsl.parse import parse

    statuses = []
    for path in files:
        try:
            source = read_source(path)
            text = canonical(parse(source), source)
        except SpecError as error:
            tell_diagnostics(error.diagnostics)
            statuses.append(SPEC)
            continue
        if text == source.text:
            continue
        if check:
            click.echo(f"{path} would be rewritten")
            statuses.append(FOUND)
        else:
            write_text(path, text)
            click.echo(f"{path} rewritten")
    return gravest(statuses)


@click.command()
@SPECS
def lint(files: tuple[Path, ...]) -> int:
    """Point at what is legal but suspicious; leave with 1 if there is anything."""
    require_all(files)
    from dsl.diagnostic import SpecError
    from dsl.imports import load_files
    from dsl.lint import lint as warnings_of
    from dsl.typecheck import check_files
    from prover.lint import idle_claims

    statuses = []
    for path in files:
        try:
            parsed, sources = load_files(path)
            spec = check_files(parsed, sources)
            found = (*warnings_of(parsed[-1], spec), *idle_claims(spec, path))
        except SpecError as error:
            tell_diagnostics(error.diagnostics)
            statuses.append(SPEC)
            continue
        tell_diagnostics(found, sources)
        statuses.append(FOUND if found else OK)
    return gravest(statuses)


@click.command()
@click.argument("code")
def explain(code: str) -> int:
    """Say what a diagnostic means and what to do about it."""
    from difflib import get_close_matches

    from dsl.codes_meaning import CODES as MEANING
    from dsl.codes_syntax import CODES as SYNTAX

    codes = SYNTAX | MEANING
    wanted = code.strip().upper()
    if wanted in codes:
        title, page = codes[wanted]
        click.echo(f"{wanted}: {title}\n")
        for line in page.split("\n"):
            click.echo("\n".join(textwrap.wrap(line, 100)) if len(line) > 100 else line)
        return OK
    near = get_close_matches(wanted, codes, n=3, cutoff=0.5)
    hint = f"; did you mean {' or '.join(near)}?" if near else f"; the codes are {min(codes)} to {max(codes)}"
    complain(f"there is no diagnostic {code}{hint}")
    return USAGE
