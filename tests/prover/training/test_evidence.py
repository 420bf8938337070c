"""Policy files of training runs: which are read, and what is wrong with those that are not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from prover.verdict import Holds
from tests.prover.training.lane import errors, policy, reason, verdicts, write_runs

CLAIM = "claim c: P[pi ~ T](J(pi) <= 91/10) > 50%\n"


def runs(pattern: str) -> str:
    return f'training T : Pi {{ runs "{pattern}" confidence 99% }}\n' + CLAIM


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("not json", "E511"),
        ('{"format": "twostep-policy 1"}', "E511"),
        (json.dumps(policy("0") | {"world": "Other"}), "E511"),
        (json.dumps(policy("0") | {"rules": []}), "E512"),
        (json.dumps({"format": "twostep-policy 1", "rules": [{"action": "fly"}]}), "E511"),
        (b"\xff\xfe\x00", "E511"),
    ],
)
def test_a_malformed_run(tmp_path: Path, content: str | bytes, code: str) -> None:
    write_runs(tmp_path / "runs", ["0"] * 3)
    (tmp_path / "runs" / "run_001.json").write_bytes(content if isinstance(content, bytes) else content.encode())
    assert errors(tmp_path, runs("runs/*.json")) == [code]


@pytest.mark.parametrize("pattern", ["runs/*.json", "runs", "../*.json", "/etc/*", "", "a/../../*", "runs/**x"])
def test_patterns_without_files(tmp_path: Path, pattern: str) -> None:
    (tmp_path / "runs").mkdir()
    assert errors(tmp_path, runs(pattern)) == ["E516"]


def test_a_link_out_of_the_tree(tmp_path: Path) -> None:
    inside = tmp_path / "spec"
    inside.mkdir()
    write_runs(tmp_path / "outside", ["0"])
    write_runs(inside / "runs", ["0"] * 5)
    (inside / "runs" / "link.json").symlink_to(tmp_path / "outside" / "run_000.json")
    assert errors(inside, runs("runs/*.json")) == ["E510"]


def test_a_run_of_another_type(tmp_path: Path) -> None:
    write_runs(tmp_path / "runs", ["0", "1/2"])
    text = 'policies Det over Lane { deterministic }\ntraining T : Det { runs "runs/*.json" confidence 99% }\n' + CLAIM
    assert errors(tmp_path, text) == ["E514"]


def test_folders_are_no_runs_and_subfolders_may_be_named(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    for name in ("a", "b"):
        write_runs(tmp_path / "runs" / name, ["0"] * 10)
    (tmp_path / "runs" / "a" / "folder.json").mkdir()
    verdict = verdicts(tmp_path, runs("runs/**/*.json"))["c"]
    assert isinstance(verdict, Holds)
    parts = verdict.proof["claim"]["facts"][0]["parts"]
    assert len(parts) == 20
    assert set(parts) == {"file runs/a/run_000.json"}  # equal policies are written once


def test_no_evidence(tmp_path: Path) -> None:
    assert "does not follow" not in str(verdicts(tmp_path, "training T : Pi { }\nclaim c: P[pi ~ T](J(pi) >= 9) == 1\n")["c"])


def test_two_trainings_in_one_statement(tmp_path: Path) -> None:
    text = "training S : Pi { mixture { 1: tame } }\ntraining T : Pi { mixture { 1: wild } }\n"
    found = verdicts(tmp_path, text + "claim c: P[pi ~ S](Safe(pi)) > P[pi ~ T](Safe(pi))\n")
    assert "exactly one training" in reason(found["c"])
