"""Forged proofs are rejected, each for its own reason; so is whatever is no JSON document at all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from prover.checker.__main__ import main
from prover.checker.check import check, check_file, check_text
from prover.checker.document import Rejected
from tests.prover.checker import forgeries, proofs

ROOT = Path(__file__).resolve().parents[3]
FORGED = sorted((ROOT / "tests" / "forged").glob("*.json"))


@pytest.mark.parametrize(("name", "proof", "mutation", "reason"), forgeries.ALL, ids=[row[0] for row in forgeries.ALL])
def test_a_forgery_is_rejected(name, proof, mutation, reason):
    document = proofs.ALL[proof]()
    mutation(document)
    with pytest.raises(Rejected) as caught:
        check(document, permitted=proofs.PERMITTED)
    assert reason in str(caught.value), name


@pytest.mark.parametrize("path", FORGED, ids=lambda path: path.stem)
def test_a_stored_forgery_is_rejected(path):
    with pytest.raises(Rejected):
        check_file(path, permitted=proofs.PERMITTED)
    assert f"`{path.name}`" in (ROOT / "tests" / "forged" / "README.md").read_text(encoding="utf-8")


GOOD = json.dumps(proofs.total())
BAD_TEXTS = {
    "empty": "",
    "null": "null",
    "truncated": GOOD[: len(GOOD) // 2],
    "open string": GOOD[: GOOD.index('"Pi"') + 2],
    "trailing": GOOD + "x",
    "two documents": GOOD + GOOD,
    "byte order mark": "\ufeff" + GOOD,
    "duplicate key": GOOD.replace('"kind": "forall"', '"kind": "exists", "kind": "forall"'),
    "duplicate claim": GOOD.replace('"claim":', '"claim": {}, "claim":', 1),
    "escaped duplicate": GOOD.replace('"claim":', '"cl\\u0061im": {}, "claim":', 1),
    "NaN": GOOD.replace('"depth": 0', '"depth": NaN'),
    "Infinity": GOOD.replace('"depth": 0', '"depth": -Infinity'),
    "float": GOOD.replace('"depth": 0', '"depth": 0.0'),
    "exponent": GOOD.replace('"depth": 0', '"depth": 0e0'),
    "long integer": GOOD.replace('"depth": 0', '"depth": ' + "1" * 5_000),
    "negative zero": GOOD.replace('"depth": 0', '"depth": -1'),
    "brackets": "[" * 100_000,
    "closed brackets": "[" * 5_000 + "]" * 5_000,
    "objects": '{"a":' * 50_000,
    "quotes": '"' + '\\"' * 200_000,
    "control": GOOD.replace("a claim", "a\x00claim"),
    "comment": GOOD + "// sound",
    "single quotes": GOOD.replace('"', "'"),
}


@pytest.mark.parametrize("name", BAD_TEXTS)
def test_text_that_is_no_document_is_rejected(name):
    assert BAD_TEXTS[name] != GOOD
    with pytest.raises(Rejected):
        check_text(BAD_TEXTS[name])


@pytest.mark.parametrize("value", [None, 0, [], {}, "", True, float("nan"), {"format": "twostep-proof 1"}, {1: 2}, object()])
def test_other_values_are_rejected(value):
    with pytest.raises(Rejected):
        check(value)
    for key in proofs.total():
        with pytest.raises(Rejected):
            check(proofs.total() | {key: value})


def test_files_that_are_none(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "latin").write_bytes(b'{"format": "\xff"}')
    for path in (tmp_path, tmp_path / "missing", tmp_path / "fifo", tmp_path / "latin", "/dev/zero", "a\0b"):
        with pytest.raises(Rejected):
            check_file(path)


def test_command_line(tmp_path, capsys):
    good, bad = tmp_path / "good.proof", tmp_path / "bad\n.proof"
    good.write_text(json.dumps(proofs.samples()), encoding="utf-8")
    bad.write_text("{}", encoding="utf-8")
    assert main([]) == 2
    assert main(["--permit"]) == 2
    assert main(["-x", str(good)]) == 2
    capsys.readouterr()
    assert main(["--permit", "evaluation", str(good)]) == 0
    assert "VALID c: " in capsys.readouterr().out
    assert main([str(good)]) == 6
    assert "REJECTED an assumption that is not permitted" in capsys.readouterr().out
    assert main(["--permit", "evaluation", str(good), str(bad), str(good)]) == 6
    lines = capsys.readouterr().out.splitlines()
    assert ["VALID" in line for line in lines] == [True, False, True]


@pytest.mark.parametrize("flags", [[], ["-O"], ["-OO"]])
def test_as_a_program_of_its_own(tmp_path, flags):
    """Nothing rests on assert, and nothing is imported but the checker and the standard library."""
    good, bad = proofs.deterministic(), proofs.deterministic()
    forgeries.allowed_not_implied(bad)
    for name, document in (("good", good), ("bad", bad)):
        (tmp_path / name).write_text(json.dumps(document), encoding="utf-8")
    run = [
        sys.executable,
        "-I",
        *flags,
        "-c",
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); from prover.checker.__main__ import main; sys.exit(main(sys.argv[1:]))",
    ]
    assert subprocess.run([*run, "good"], cwd=tmp_path, check=False, capture_output=True).returncode == 0
    assert subprocess.run([*run, "bad"], cwd=tmp_path, check=False, capture_output=True).returncode == 6
