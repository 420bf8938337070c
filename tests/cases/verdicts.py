"""Verdicts against answers: every proof is checked once more, from its text, and every counterexample must name its policies."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from prover.checker.check import check
from prover.pipeline import Report, prove
from prover.verdict import FlatProof, Proved, Refuted, Result
from tests.cases.convert import Answer, Expected, expected_of


def decide(text: str, folder: Path) -> Report:
    path = folder / "case.spec"
    path.write_text(text, encoding="utf-8")
    return prove(path)


def told(result: Result) -> Any:
    """The verdict in the shape of ``Expected``; a text where there is no answer."""
    match result.verdict:
        case Proved(proof, _, value):
            if isinstance(proof, FlatProof):
                check(json.loads(json.dumps(proof.document)), arrays=proof.arrays)
            else:
                check(json.loads(json.dumps(proof)))
            if value is None:
                return True
            return (value.lower, value.attained) if value.lower == value.upper else f"between {value.lower} and {value.upper}"
        case Refuted(counterexample):
            if ". " in result.statement:  # over policies: there is one to show
                assert set(counterexample.policies) == {"pi"}
                assert counterexample.trace is not None
            return False
        case other:
            return f"{type(other).__name__}: {getattr(other, 'reason', '')}"


def require(report: Report, expected: Expected) -> None:
    assert not report.diagnostics, [(d.code, d.message) for d in report.diagnostics]
    answers = {result.name: told(result) for result in report.results}
    wrong = {name: (answers.get(name), expected.get(name)) for name in answers.keys() | expected if answers.get(name) != expected.get(name)}
    assert not wrong, f"(got, expected): {wrong}"


def require_answer(report: Report, answer: Answer, stated: bool) -> None:
    require(report, {"stated": stated, **expected_of(answer)})


def require_refused(report: Report, *codes: str) -> None:
    assert tuple(d.code for d in report.diagnostics) == codes, [(d.code, d.message) for d in report.diagnostics]
    assert not report.results
