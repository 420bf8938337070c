"""``prove``: the main job, from files on the command line to verdicts, certificates and an exit status."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import click

from prover.commands.status import (
    INTERRUPTED,
    OK,
    REFUTED,
    REJECTED,
    SPEC,
    SPECS,
    UNKNOWN,
    colour,
    complain,
    gravest,
    internal_error,
    require_all,
    tell_diagnostics,
    version,
)
from prover.report.files import FileError, require_folder, require_writable, write_text

if TYPE_CHECKING:
    from prover.pipeline import Report
    from prover.report.save import Saved


SPELLING = re.compile(r"[0-9]{1,100}(\.[0-9]{1,100})?([eE][-+]?[0-9]{1,3})?|[0-9]{1,100}/[0-9]{1,100}")


def rational(value: str | Fraction) -> Fraction:
    """A positive rational: 5, 0.25, 1e-6 or 1/3; short, so that no option can fill the memory."""
    if isinstance(value, Fraction):
        return value
    if not SPELLING.fullmatch(value) or re.search(r"/0+$", value):
        raise click.BadParameter(f"{value!r} is not a positive number like 5, 0.25, 1e-6 or 1/3")
    number = Fraction(value)
    if number <= 0:
        raise click.BadParameter(f"{value!r} is not positive")
    return number


@click.command()
@SPECS
@click.option("--claim", metavar="NAME", help="Only this claim, theorem or find (and what it rests on).")
@click.option("--method", type=click.Choice(["auto", "smt", "lazy", "both"]), default="auto", show_default=True, help="How to prove.")
@click.option("--timeout", type=rational, metavar="SECONDS", help="At most this long for one claim; then it is unknown.")
@click.option("--max-states", type=click.IntRange(min=1), default=10_000_000, show_default=True, help="Refuse larger worlds.")
@click.option("--precision", type=rational, default=Fraction(1, 10**6), metavar="Q", help="Width of a `find` that has no exact answer.")
@click.option("--json", "json_path", metavar="PATH", help="Write one JSON object per file, one per line; - is the standard output.")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Write certificates and counterexamples into this folder.")
def prove(
    files: tuple[Path, ...],
    claim: str | None,
    method: str,
    timeout: Fraction | None,
    max_states: int,
    precision: Fraction,
    json_path: str | None,
    out: Path | None,
) -> int:
    """Prove or refute what the specs claim, and check every certificate."""
    require_all(files)
    if json_path not in (None, "-"):
        require_writable(Path(json_path or ""))
    if out is not None:
        require_folder(out)
    from prover.checker.document import Rejected
    from prover.pipeline import prove as prove_spec
    from prover.report import json, save
    from prover.verdict import Stopped

    places = save.folders(out, files) if out is not None else {}
    started = time.monotonic()
    statuses: list[int] = []
    objects: list[str] = []
    reports: list[Report] = []
    saved: list[Saved] = []
    for file in files:
        try:
            with progress() as tell:
                report = prove_spec(
                    file, claim=claim, method=method, timeout=timeout, max_states=max_states, precision=precision, progress=tell
                )
            stopped = False
        except Stopped as interrupt:
            report, stopped = interrupt.report, True
        except (FileError, BrokenPipeError):
            raise
        except Rejected as error:
            complain(f"{file}: the checker rejected a certificate ({error}); this is a bug of twostep, and no verdict was reached")
            statuses.append(REJECTED)
            continue
        except Exception:  # noqa: BLE001  # the other files still get their verdicts
            statuses.append(internal_error(f"{file}: "))
            continue
        kept = save.save(report.results, places[file]) if file in places else ()
        if claim is not None and not report.results and not report.diagnostics:
            raise click.UsageError(f"{file} has no claim, theorem or find named {claim!r}")
        statuses.append(status_of(report))
        reports.append(report)
        saved.extend(kept)
        if json_path is not None:
            objects.append(json.line(report, version(), kept))
        tell_diagnostics(report.diagnostics, report.sources)
        if json_path != "-":
            tell_report(report, kept)
        else:
            click.echo(objects[-1])
        if stopped:
            statuses.append(INTERRUPTED)
            break
    if json_path not in (None, "-"):
        write_text(Path(json_path or ""), "".join(f"{line}\n" for line in objects))
    if json_path != "-" and reports:
        tell_summary(reports, saved, files, time.monotonic() - started)
    return INTERRUPTED if INTERRUPTED in statuses else gravest(statuses)


def status_of(report: Report) -> int:
    from prover.verdict import Refuted, Unknown

    if any(diagnostic.severity == "error" for diagnostic in report.diagnostics):
        return SPEC
    verdicts = [result.verdict for result in report.results]
    if any(isinstance(verdict, Refuted) for verdict in verdicts):
        return REFUTED
    return UNKNOWN if any(isinstance(verdict, Unknown) for verdict in verdicts) else OK


def progress() -> AbstractContextManager[Callable[[str], None] | None]:
    """A line that changes in place, on a terminal only."""
    if not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        return nullcontext()
    from prover.report.progress import Progress

    return Progress()


def tell_report(report: Report, saved: Sequence[Saved]) -> None:
    from prover.report.text import lines

    for line in lines(report, saved):
        click.echo(line, color=colour())


def tell_summary(reports: Sequence[Report], saved: Sequence[Saved], files: Sequence[Path], seconds: float) -> None:
    from prover.report.text import next_step, summary

    results = [result for report in reports for result in report.results]
    codes = [diagnostic.code for report in reports for diagnostic in report.diagnostics if diagnostic.severity == "error"]
    if results or not codes:
        click.echo(summary(results, seconds), color=colour())
    hint = f"twostep explain {codes[0]}" if codes else next_step(results, saved, [str(file) for file in files])
    if hint is not None:
        click.echo(f"  next: {hint}")
