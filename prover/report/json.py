"""A report into one JSON object that follows ``schema.json``: numbers of the model as rational strings."""

from __future__ import annotations

import json
from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any, assert_never

from prover.report.save import NOWHERE, Saved
from prover.verdict import Enclosure, Holds, Proved, Refuted, Result, Unknown

if TYPE_CHECKING:
    from dsl.diagnostic import Diagnostic
    from prover.pipeline import Report

SCHEMA = 1


def schema() -> dict[str, Any]:
    """The JSON schema of one report object."""
    from importlib import resources

    text = resources.files("prover.report").joinpath("schema.json").read_text(encoding="utf-8")
    document: dict[str, Any] = json.loads(text)
    return document


def line(report: Report, tool: str, saved: Sequence[Saved] = ()) -> str:
    """One object on one line, as ``--json`` writes it."""
    return json.dumps(to_object(report, tool, saved), separators=(",", ":"), ensure_ascii=False)


def to_object(report: Report, tool: str, saved: Sequence[Saved] = ()) -> dict[str, Any]:
    """``saved`` runs beside ``report.results``; empty: nothing was written to files."""
    places = tuple(saved) or (NOWHERE,) * len(report.results)
    return {
        "schema": SCHEMA,
        "tool": tool,
        "file": report.file,
        "seed": report.seed,
        "worlds": [
            {
                "name": world.name,
                "states": world.states,
                "choices": world.choices,
                "transitions": world.transitions,
                "seconds": round(world.seconds, 3),
            }
            for world in report.worlds
        ],
        "results": [_result(result, place) for result, place in zip(report.results, places, strict=True)],
        "diagnostics": [_diagnostic(diagnostic) for diagnostic in report.diagnostics],
    }


def _result(result: Result, saved: Saved) -> dict[str, Any]:
    document: dict[str, Any] = {
        "name": result.name,
        "kind": result.kind,
        "verdict": "unknown",
        "statement": " ".join(result.statement.split()),
        "line": result.line,
        "seconds": round(result.seconds, 3),
        "method": result.method,
        "reason": None,
        "confidence": None,
        "assumptions": [],
        "note": None,
        "value": None,
        "certificate": saved.certificate,
        "counterexample": None,
    }
    match result.verdict:
        case Proved(assumptions=assumptions, value=value, note=note):
            changes = {"verdict": "proved", "assumptions": list(assumptions), "value": enclosure(value), "note": note}
        case Holds(confidence=confidence, assumptions=assumptions):
            changes = {"verdict": "holds", "confidence": str(confidence), "assumptions": list(assumptions)}
        case Refuted(counterexample=counterexample, assumptions=assumptions):
            changes = {"verdict": "refuted", "assumptions": list(assumptions), "counterexample": _counterexample(counterexample, saved)}
        case Unknown(reason=reason, value=value):
            changes = {"reason": reason, "value": enclosure(value)}
        case _:
            assert_never(result.verdict)
    return document | changes


def _counterexample(counterexample: Any, saved: Saved) -> dict[str, Any]:
    """As the counterexample writes itself; a policy that was written to a file is named by it instead of repeated."""
    document: dict[str, Any] = dict(counterexample.to_json())
    policies = {}
    for name, policy in document.get("policies", {}).items():
        file = saved.policies.get(name)
        policies[name] = {"file": file} | {key: value for key, value in policy.items() if file is None or key != "controller"}
    return document | {"policies": policies}


def enclosure(value: Enclosure | None) -> dict[str, Any] | None:
    """``"infinity"`` where there is no bound."""
    if value is None:
        return None
    return {"lower": _bound(value.lower), "upper": _bound(value.upper), "attained": value.attained}


def _bound(value: Fraction | None) -> str:
    return "infinity" if value is None else str(value)


def _diagnostic(diagnostic: Diagnostic) -> dict[str, Any]:
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity,
        "file": diagnostic.span.file,
        "line": diagnostic.span.line,
        "column": diagnostic.span.column,
        "message": diagnostic.message,
        "hint": diagnostic.hint,
    }
