"""``twostep export`` of worlds: what it writes, and what it refuses."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from dsl.imported.drn import load
from dsl.imported.request import Request
from dsl.source import Source, Span
from prover.worlds.explore import explore

ROOT = Path(__file__).resolve().parents[2]
SPAN = Span("test.spec", 1, 1, 1, 2)
ONE = """world Lane {
  var at : 0..2 = 0
  action on when at < 2 { 1/3: at' = at + 1; 2/3: stay }
  deadlock absorbs
  label home = at == 2
  reward steps { when at < 2: 1 }
}
"""
PRIMED = ONE.replace("when at < 2: 1 }", "when at' > at: 1 }")
TWO = ONE + ONE.replace("Lane", "Road")


def run(tmp_path: Path, text: str, *options: str) -> subprocess.CompletedProcess[str]:
    (tmp_path / "lane.spec").write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "prover", "export", str(tmp_path / "lane.spec"), *options]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120, check=False)


def test_a_world_as_an_explicit_file(tmp_path):
    done = run(tmp_path, ONE, "--to", "drn")
    assert (done.returncode, done.stderr) == (0, "")
    mdp = explore(load(Request("Lane", "lane.drn", Source("lane.drn", done.stdout), {}, SPAN, SPAN)))
    assert (mdp.states, mdp.choices, mdp.transitions) == (3, 3, 5)
    assert mdp.actions == ("on", "deadlock")


def test_a_world_as_a_program(tmp_path):
    done = run(tmp_path, ONE, "--to", "prism", "--out", "-")
    assert done.returncode == 0
    assert "  [on] (at < 2) -> (1/3) : (at'=(at + 1)) + (2/3) : true;\n" in done.stdout
    assert 'label "home" = (at = 2);\n' in done.stdout


@pytest.mark.parametrize("language", ["drn", "prism"])
def test_into_a_file(tmp_path, language):
    path = tmp_path / f"lane.{language}"
    done = run(tmp_path, TWO, "--to", language, "--world", "Road", "--out", str(path))
    assert (done.returncode, done.stdout) == (0, f"{path} written\n")
    assert path.read_text(encoding="utf-8").startswith("// world Road, written by twostep\n")


@pytest.mark.parametrize(
    ("text", "options", "status", "message"),
    [
        (TWO, ["--to", "drn"], 2, "choose a world with --world (the worlds of the spec: Lane, Road)"),
        (TWO, ["--to", "drn", "--world", "Path"], 2, "the spec has no world Path (its worlds: Lane, Road)"),
        ("const a = 1\n", ["--to", "prism"], 2, "choose a world with --world (the worlds of the spec: none)"),
        (
            PRIMED,
            ["--to", "prism"],
            2,
            "depends on the next state (at'), which PRISM cannot express; the explicit format can say it: --to drn",
        ),
        (ONE, ["--to", "smt2", "--world", "Lane"], 2, "--world goes with --to drn and --to prism"),
        (ONE, ["--to", "drn", "--out", "/no/such/folder/x"], 2, "cannot be written"),
        (ONE.replace("2/3", "1/3"), ["--to", "drn"], 3, "E302"),
    ],
)
def test_what_is_refused(tmp_path, text, options, status, message):
    done = run(tmp_path, text, *options)
    assert done.returncode == status
    assert message in done.stderr
    assert done.stdout == ""
