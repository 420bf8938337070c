"""The wheel, installed where nothing of the checkout can be imported: it carries the grammar and the schema, and it proves."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / "examples" / "proved" / "deterministic_only.spec"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("build")
    pytest.importorskip("hatchling")
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    return next(out.glob("*.whl"))


def test_what_it_carries(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {"dsl/grammar.lark", "prover/report/schema.json", "prover/checker/check.py"} <= names
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"dsl", "prover"}
    assert not any(name.endswith((".pyc", ".spec")) for name in names)


def test_it_proves_an_example(wheel: Path, tmp_path: Path) -> None:
    """Unpacked into a folder of its own and run from elsewhere; only the dependencies come from this environment."""
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    spec = tmp_path / "a.spec"
    spec.write_text(EXAMPLE.read_text(encoding="utf-8"), encoding="utf-8")
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")} | {"PYTHONPATH": str(site)}
    where = [sys.executable, "-c", "import dsl, prover; print(dsl.__file__, prover.__file__)"]
    found = subprocess.run(where, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True, timeout=60)
    assert all(path.startswith(str(site)) for path in found.stdout.split())
    command = [sys.executable, "-m", "prover", "prove", str(spec)]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "PROVED" in done.stdout
