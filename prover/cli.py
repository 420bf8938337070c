"""Arguments into calls, verdicts into an exit status: the ``twostep`` command.

Imports of the language, the prover and the checker stand inside the commands, so that ``--help`` and small
commands start at once.
"""

from __future__ import annotations

import os
import re
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from prover.report.files import FileProblem, read_text, require_folder, require_readable, require_writable, write_text

if TYPE_CHECKING:
    from dsl.diagnostic import Diagnostic
    from dsl.source import Source
    from prover.pipeline import Report
    from prover.report.save import Saved

OK, REFUTED, USAGE, SPEC, UNKNOWN, INTERNAL, REJECTED = 0, 1, 2, 3, 4, 5, 6
INTERRUPTED, PIPE_CLOSED = 130, 141
GRAVEST_FIRST = (REJECTED, INTERNAL, SPEC, REFUTED, UNKNOWN, OK)
MAX_DIGITS = 100_000  # of one number, as in the proof format; Python's own limit stops at 4,300


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command and leave with its exit status."""
    sys.set_int_max_str_digits(MAX_DIGITS)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        status = twostep.main(args=None if arguments is None else list(arguments), prog_name="twostep", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        status = USAGE
    except FileProblem as error:
        complain(str(error))
        status = USAGE
    except (KeyboardInterrupt, click.Abort):
        complain("interrupted; nothing was decided")
        status = INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = PIPE_CLOSED
    except OSError as error:
        complain(f"cannot go on: {error.strerror or error}")
        status = USAGE
    except Exception:  # noqa: BLE001  # the last resort of the whole program
        status = internal_error("")
    sys.exit(status if isinstance(status, int) else OK)


def complain(message: str) -> None:
    click.echo(f"{click.style('error:', fg='red', bold=True)} {message}", err=True)


def internal_error(where: str) -> int:
    """Say what happened and that it is ours; never a verdict."""
    click.echo(traceback.format_exc(), err=True, nl=False)
    complain(f"{where}internal error: this is a bug of twostep, and no verdict was reached")
    return INTERNAL


def gravest(statuses: Iterable[int]) -> int:
    """One exit status for several: the first in the list that occurs."""
    found = set(statuses)
    return next((status for status in GRAVEST_FIRST if status in found), OK)


def version() -> str:
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed

    try:
        return f"twostep {installed('twostep')}"
    except PackageNotFoundError:
        return "twostep (not installed)"


class Rational(click.ParamType):
    """A positive rational: 5, 0.25, 1e-6 or 1/3."""

    name = "rational"
    spelling = re.compile(r"[0-9]{1,100}(\.[0-9]{1,100})?([eE][-+]?[0-9]{1,3})?|[0-9]{1,100}/[0-9]{1,100}")

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Fraction:
        if isinstance(value, Fraction):
            return value
        text = str(value)
        if not self.spelling.fullmatch(text) or re.search(r"/0+$", text):
            self.fail(f"{text!r} is not a positive number like 5, 0.25, 1e-6 or 1/3", param, ctx)
        number = Fraction(text)
        if number <= 0:
            self.fail(f"{text!r} is not positive", param, ctx)
        return number


FILES = click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")


def show_version(context: click.Context, _parameter: click.Parameter, asked: bool) -> None:
    if asked and not context.resilient_parsing:
        click.echo(version())
        context.exit()


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option("--version", is_flag=True, expose_value=False, is_eager=True, callback=show_version, help="Show the version and leave.")
def twostep() -> None:
    """Prove or refute claims about every policy of a world-model, exactly.

    Exit status: 0 everything proved or holds, 1 something refuted, 2 usage, 3 the spec has errors, 4 something unknown, 5 internal error,
    6 a certificate was rejected.
    """


@twostep.command()
@FILES
@click.option("--claim", metavar="NAME", help="Only this claim, theorem or find (and what it rests on).")
@click.option("--method", type=click.Choice(["auto", "smt", "lazy", "both"]), default="auto", show_default=True, help="Which method proves.")
@click.option("--timeout", type=Rational(), metavar="SECONDS", help="At most this long for one claim; then it is unknown.")
@click.option("--max-states", type=click.IntRange(min=1), default=10_000_000, show_default=True, help="Refuse larger worlds.")
@click.option("--precision", type=Rational(), default=Fraction(1, 10**6), metavar="Q", help="Width of a `find` that has no exact answer.")
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
    for file in files:
        require_readable(file)
    if json_path not in (None, "-"):
        require_writable(Path(json_path or ""))
    if out is not None:
        require_folder(out)
    from prover.pipeline import prove as prove_spec
    from prover.report import json, save

    places = save.folders(out, files) if out is not None else {}
    started = time.monotonic()
    statuses, objects, reports, saved = [], [], [], []
    for file in files:
        try:
            with progress() as tell:
                report = prove_spec(
                    file, claim=claim, method=method, timeout=timeout, max_states=max_states, precision=precision, progress=tell
                )
            kept = save.save(report.results, places[file]) if file in places else ()
        except (FileProblem, BrokenPipeError):
            raise
        except Exception:  # noqa: BLE001  # the other files still get their verdicts
            statuses.append(internal_error(f"{file}: "))
            continue
        if claim is not None and not report.results and not report.diagnostics:
            raise click.UsageError(f"{file} has no claim, theorem or find named {claim!r}")
        statuses.append(status_of(report))
        reports.append(report)
        saved.extend(kept)
        objects.append(json.line(report, version(), kept))
        tell_diagnostics(report.diagnostics, report.sources)
        if json_path != "-":
            tell_report(report, kept)
        else:
            click.echo(objects[-1])
    if json_path not in (None, "-"):
        write_text(Path(json_path or ""), "".join(f"{line}\n" for line in objects))
    if json_path != "-":
        tell_summary(reports, saved, files, time.monotonic() - started)
    return gravest(statuses)


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


def tell_diagnostics(diagnostics: Iterable[Diagnostic], sources: dict[str, Source]) -> None:
    from dsl.diagnostic import render
    from prover.report.text import printable

    for diagnostic in diagnostics:
        click.echo(printable(render(diagnostic, sources)), err=True)


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


def colour() -> bool | None:
    """None lets click decide (a terminal or not); NO_COLOR in the environment switches colours off."""
    return False if os.environ.get("NO_COLOR") else None
