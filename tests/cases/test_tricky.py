"""Small problems with exact right answers, chosen to break provers: verdict, eps*, max(J) and attainment, in every policy class."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from tests.cases.convert import statements_of, tricky_answer, tricky_spec
from tests.cases.verdicts import decide, require_answer, require_refused

PROBLEMS = Path(__file__).resolve().parents[2].parent / "shared" / "cases" / "tricky.json"
ROWS: dict[str, dict[str, Any]] = {}
if PROBLEMS.is_file():
    ROWS = {row["name"]: row for row in json.loads(PROBLEMS.read_text(encoding="utf-8"))["rows"]}
ANSWERED = [(name, policy_class) for name, row in ROWS.items() for policy_class in sorted(row.get("answers", ()))]
REFUSED = {"oscillating-total": "E310", "mass-one-minus-1e-18": "E302", "gamma-one": "E402", "bound-over-one": "E407"}

pytestmark = pytest.mark.skipif(not ROWS, reason="the shared problems (../shared/cases) are not here")


@pytest.mark.parametrize(("name", "policy_class"), ANSWERED)
def test_row(name: str, policy_class: str, tmp_path: Path) -> None:
    row = ROWS[name]
    given = row["answers"][policy_class]
    answer = tricky_answer(given)
    stated = answer.holds(row["near"], Fraction(row["eps"]))
    assert given["verdict"] == ("holds" if stated else "fails")
    require_answer(decide(tricky_spec(row, policy_class, statements_of(answer)), tmp_path), answer, stated)


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if "error" in row])
def test_refused(name: str, tmp_path: Path) -> None:
    require_refused(decide(tricky_spec(ROWS[name], ROWS[name]["class"], ()), tmp_path), REFUSED[name])


def test_every_row_is_asked() -> None:
    assert len(ROWS) == 30
    assert {name for name, _ in ANSWERED} | set(REFUSED) == set(ROWS)
