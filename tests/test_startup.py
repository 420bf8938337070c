"""What a short run may load: libraries and modules that it does not need stay out, because loading them takes longer than the proof."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from dsl.parse import grammar_table

ROOT = Path(__file__).resolve().parent.parent
SCRIPT = """
import sys
from prover.cli import main
try:
    main(sys.argv[1:])
except SystemExit as left:
    assert left.code == 0, left.code
print(*sys.modules, sep="\\n", file=sys.stderr)
"""


@pytest.fixture(scope="module")
def loaded() -> set[str]:
    """The modules that are in memory after one small spec."""
    grammar_table()  # in the cache from now on
    command = [sys.executable, "-c", SCRIPT, "prove", "examples/proved/boat_race_laps.spec"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "2 proved" in done.stdout
    return set(done.stderr.split())


def test_no_library_that_is_not_needed(loaded):
    assert not {name.split(".")[0] for name in loaded} & {"lark", "numpy", "scipy", "z3", "rich", "sympy", "stormpy"}


def test_the_numbers_of_flint_without_the_rest(loaded):
    assert "flint.types.fmpq" in loaded
    assert not loaded & {"flint", "flint.types.arb", "flint.types.fmpz_poly", "flint.types.fmpq_mat"}


def test_nothing_heavy_of_the_standard_library(loaded):
    heavy = {"difflib", "email", "hashlib", "importlib.metadata", "importlib.resources", "random", "socket", "tempfile", "zipfile"}
    assert not loaded & heavy


def test_nothing_for_other_commands(loaded):
    assert not {name for name in loaded if name.startswith(("prover.training.", "prover.policies.smt", "prover.policies.encode"))}


def test_a_later_import_gets_all_of_flint():
    code = "from prover.flint import fmpq, fmpz\nimport flint\nassert flint.fmpq is fmpq and flint.fmpz is fmpz and flint.arb(1) == 1"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=120, check=True)
    code = "import flint\nfrom prover.flint import fmpq\nassert flint.fmpq is fmpq"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=120, check=True)
