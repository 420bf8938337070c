"""``export``: claims or a world of a spec as text for other tools."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from prover.commands.status import OK, SPEC, require_all, tell_diagnostics
from prover.report.files import FileError, require_folder, require_writable, write_text

if TYPE_CHECKING:
    from dsl.spec import Spec, World

STANDARD = "-"  # the standard output


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--to", "language", type=click.Choice(["smt2", "drn", "prism"]), required=True, help="Which language to write.")
@click.option("--world", metavar="NAME", help="Which world to write, if the spec has several.")
@click.option("--out", type=click.Path(path_type=Path), metavar="PATH", help="smt2: a folder, one file for each claim; else a file, or -.")
def export(file: Path, language: str, world: str | None, out: Path | None) -> int:
    """Write the claims of a spec for another solver, or a world for another model checker.

    smt2: every claim as SMT-LIB 2; unsat means that it is true. drn: the explicit world in Storm's format, every number exact.
    prism: the world as a program in the PRISM language.
    """
    require_all([file])
    from dsl.diagnostic import SpecError

    try:
        if language == "smt2":
            if world is not None:
                raise FileError("--world goes with --to drn and --to prism: claims name their own worlds")
            return _claims(file, out)
        return _world(file, language, world, out)
    except SpecError as error:
        tell_diagnostics(error.diagnostics)
        return SPEC


def _claims(file: Path, out: Path | None) -> int:
    if out is not None:
        require_folder(out)
    from prover.pipeline import export_smt2

    for name, text in export_smt2(file).items():
        if out is None:
            click.echo(text, nl=not text.endswith("\n"))
        else:
            path = out / f"{name}.smt2"
            write_text(path, text)
            click.echo(f"{path} written")
    return OK


def _world(file: Path, language: str, name: str | None, out: Path | None) -> int:
    if out is not None and str(out) != STANDARD:
        require_writable(out)
    from dsl.typecheck import load

    spec, _ = load(file)
    text = "".join(f"{line}\n" for line in _lines(_chosen(spec, name), language))
    if out is None or str(out) == STANDARD:
        click.echo(text, nl=False)
    else:
        write_text(out, text)
        click.echo(f"{out} written")
    return OK


def _chosen(spec: Spec, name: str | None) -> World:
    """Raises FileError if there is no such world, or no one world."""
    known = ", ".join(world.name for world in spec.worlds) or "none"
    if name is not None:
        for world in spec.worlds:
            if world.name == name:
                return world
        raise FileError(f"the spec has no world {name} (its worlds: {known})")
    if len(spec.worlds) != 1:
        raise FileError(f"choose a world with --world (the worlds of the spec: {known})")
    return spec.worlds[0]


def _lines(world: World, language: str) -> Iterable[str]:
    if language == "drn":
        from prover.worlds.explore import explore
        from prover.worlds.export_drn import drn

        return drn(world, explore(world))
    from prover.worlds.export_prism import NoProgramError, prism

    try:
        return list(prism(world))
    except NoProgramError as error:
        raise FileError(f"{error}; the explicit format can say it: --to drn") from None
