"""``verify``: certificates through the independent checker once more; nothing of the prover is loaded for it."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from prover.commands.status import OK, REJECTED, SPEC, colour, gravest, require_all, tell_diagnostics
from prover.report.text import printable

if TYPE_CHECKING:
    from prover.checker.check import Derived


ASSUMED = "an assumption that is not permitted: "


@click.command()
@click.argument("proofs", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PROOF...")
@click.option("--permit", multiple=True, metavar="NAME", help="An assumption that proofs may use; may be given several times.")
@click.option("--rebuild", type=click.Path(path_type=Path), metavar="SPEC", help="Also build world and claim from the spec and compare.")
def verify(proofs: tuple[Path, ...], permit: tuple[str, ...], rebuild: Path | None) -> int:
    """Check certificates again, without the prover."""
    require_all([*proofs, *([rebuild] if rebuild is not None else [])])
    return gravest(_verify(path, frozenset(permit), rebuild) for path in proofs)


def _verify(path: Path, permitted: frozenset[str], rebuild: Path | None) -> int:
    from prover.checker.check import check_file, document_of
    from prover.checker.document import Rejected

    expected: dict[str, Any] = {}
    try:
        if rebuild is not None:
            from dsl.diagnostic import SpecError
            from prover.pipeline import stated

            document = document_of(path)
            carried = document.get("claim") if isinstance(document, dict) else None
            name = carried.get("name") if isinstance(carried, dict) else None
            try:
                claim, worlds = stated(rebuild, str(name), carried)
            except SpecError as error:
                tell_diagnostics(error.diagnostics)
                return SPEC
            except KeyError:
                return _tell(path, "REJECTED", f"{rebuild} states nothing named {name}")
            expected = {"claim": claim, "worlds": worlds}
            if document.get("format") == "twostep-proof 2":
                from prover.container import Arrays

                arrays = Arrays()
                expected["worlds"] = [arrays.world(world, f"w{k}.") for k, world in enumerate(worlds)]
                expected["world_arrays"] = arrays.members
            # What the spec itself takes as given may be used for its claims.
            permitted |= {fact["name"] for fact in claim.get("facts", ()) if "name" in fact}
        derived = check_file(path, permitted=permitted, **expected)
    except (Rejected, OSError, UnicodeDecodeError) as error:
        reason = str(error)
        if ASSUMED in reason:
            names = reason.split(ASSUMED, 1)[1].split("; ")
            flags = " ".join(f"--permit {shlex.quote(name)}" for name in names)
            reason += f"\n  if you accept that: twostep verify {shlex.quote(str(path))} {flags}"
        return _tell(path, "REJECTED", reason)
    return _tell(path, "VALID", describe(derived) + (f" (as in {rebuild})" if rebuild is not None else ""))


def describe(derived: Derived) -> str:
    """One line: what was proved, at what price."""
    return " ".join(str(derived).split())


def _tell(path: Path, word: str, text: str) -> int:
    good = word == "VALID"
    click.echo(f"{click.style(word.ljust(8), fg='green' if good else 'red', bold=True)} {printable(f'{path}: {text}')}", color=colour())
    return OK if good else REJECTED
