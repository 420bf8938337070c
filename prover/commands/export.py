"""``export``: claims of a spec as text for other tools."""

from __future__ import annotations

from pathlib import Path

import click

from prover.commands.status import OK, SPEC, require_all, tell_diagnostics
from prover.report.files import require_folder, write_text


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--to", "language", type=click.Choice(["smt2"]), required=True, help="Which language to write.")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="One file per claim, in this folder.")
def export(file: Path, language: str, out: Path | None) -> int:
    """Write the claims of a spec for another solver: unsat means that the claim is true."""
    require_all([file])
    if out is not None:
        require_folder(out)
    from dsl.diagnostic import SpecError
    from prover.pipeline import export_smt2

    try:
        scripts = {"smt2": export_smt2}[language](file)
    except SpecError as error:
        tell_diagnostics(error.diagnostics)
        return SPEC
    for name, text in scripts.items():
        if out is None:
            click.echo(text, nl=not text.endswith("\n"))
        else:
            path = out / f"{name}.{language}"
            write_text(path, text)
            click.echo(f"{path} written")
    return OK
