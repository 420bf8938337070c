"""Arguments into a command, its result into an exit status: the ``twostep`` program.

Commands import the language, the prover and the checker when they run, so that ``--help`` and small commands start at once.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys
from collections.abc import Sequence

import click

from prover.commands.export import export
from prover.commands.language import explain, fmt, lint
from prover.commands.prove import prove
from prover.commands.status import INTERRUPTED, OK, PIPE_CLOSED, USAGE, complain, internal_error, version
from prover.commands.verify import verify
from prover.report.files import FileError

YOUNG = 20_000  # objects between two collections: start-up makes as many that all stay, and proofs leave few cycles behind
MAX_DIGITS = 100_000  # of one number, as in the proof format; Python's own limit stops at 4,300


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command and leave with its exit status."""
    sys.set_int_max_str_digits(MAX_DIGITS)
    gc.set_threshold(YOUNG)
    atexit.register(gc.freeze)  # what is alive at the end goes with the process, without a search for cycles in it
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        status = twostep.main(args=None if arguments is None else list(arguments), prog_name="twostep", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        status = USAGE
    except FileError as error:
        complain(str(error))
        status = USAGE
    except (KeyboardInterrupt, click.Abort) as error:
        where = str(error) or str(error.__cause__ or "")  # click makes an Abort of an interrupt
        complain(f"interrupted{where and ' '}{where}; nothing was decided")
        status = INTERRUPTED
    except (BrokenPipeError, SystemExit):  # click leaves with 1 when the reader is gone; that would read as refuted
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = PIPE_CLOSED
    except OSError as error:
        complain(f"cannot go on: {error.strerror or error}")
        status = USAGE
    except Exception:  # noqa: BLE001  # the last resort of the whole program
        status = internal_error()
    sys.exit(status if isinstance(status, int) else OK)


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


for command in (prove, verify, fmt, lint, explain, export):
    twostep.add_command(command)
