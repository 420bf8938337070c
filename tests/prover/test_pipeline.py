"""The whole way: selection of statements, errors instead of verdicts, timeouts, and what a claim must say."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from dsl.typecheck import load
from prover import pipeline, storey1
from prover.checker.check import check
from prover.checker.document import Rejected
from prover.pipeline import prove, selected, stated
from prover.verdict import Proved, Refuted, Unknown, Verdict
from tests.prover.build_spec import report_of, spec_file, verdicts_of

SPEC = """\
world W {
  var x : 0..2 = 0
  action go when x < 2 { x' = x + 1 }
  action risk when x == 0 { 1/2: x' = 2; 1/2: stay }
  deadlock absorbs
  reward pay { [go]: 1 }
}
policies Pi over W
score J(pi : Pi) = E[pay, total]
property Quick(pi : Pi) = P[X x == 2] >= 1/2
training T : Pi { mixture { 1: fixed } }
policy fixed : Pi = { else: go }
claim first: forall pi : Pi. J(pi) <= 2
claim second: exists pi : Pi. Quick(pi)
claim about: P[pi ~ T](J(pi) >= 2) >= 1
theorem third: P[pi ~ T](J(pi) >= 1) >= 1 by about
find eps in (0, 5] maximal for forall pi : Pi. near_optimal(J, pi, eps) => P[X x == 2](pi) < 1/2
claim wrong: forall pi : Pi. J(pi) < 2
"""


def test_results_in_the_order_of_the_file(tmp_path: Path) -> None:
    report = report_of(SPEC, tmp_path)
    assert not [d for d in report.diagnostics if d.severity == "error"]
    assert [(r.name, r.kind, type(r.verdict)) for r in report.results] == [
        ("first", "claim", Proved), ("second", "claim", Proved), ("about", "claim", Proved), ("third", "theorem", Proved),
        ("eps", "find", Proved), ("wrong", "claim", Refuted),
    ]  # fmt: skip
    assert [r.line for r in report.results] == sorted(r.line for r in report.results)
    assert [(w.name, w.states) for w in report.worlds] == [("W", 3)]


@pytest.mark.parametrize(
    ("claim", "expected"),
    [
        ("first", ["first"]),
        ("third", ["first", "second", "about", "third"]),
        ("eps", ["eps"]),
        ("nobody", []),
        ("about", ["first", "second", "about"]),
        (None, ["first", "second", "about", "third", "eps", "wrong"]),
    ],
)
def test_what_is_selected(claim: str | None, expected: list[str], tmp_path: Path) -> None:
    spec, _ = load(spec_file(SPEC, tmp_path))
    assert [s.name for s in selected(spec, claim)] == expected


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (("action go when x < 2 { x' = x + 1 }", "action go when x < 2 { x' = x + 3 }"), "E3"),
        (("1/2: stay }", "1/3: stay }"), "E302"),
        (("[go]: 1 }", "[go]: 1\n    when x == 2: 1 }"), None),
        (("policies Pi", "policies Pj"), "E2"),
    ],
)
def test_errors_leave_no_results(change: tuple[str, str], code: str | None, tmp_path: Path) -> None:
    report = report_of(SPEC.replace(*change), tmp_path)
    if code is None:
        assert all(d.severity != "error" for d in report.diagnostics) or not report.results
    else:
        assert report.results == ()
        assert any(d.code.startswith(code) or d.code.startswith("E3") for d in report.diagnostics)
        assert set(report.sources) == {str(tmp_path / "case.spec")}


def test_a_missing_file(tmp_path: Path) -> None:
    report = prove(tmp_path / "nothing.spec")
    assert [d.code for d in report.diagnostics] == ["E501"]
    assert report.results == ()


def test_an_ill_defined_objective_is_an_error_of_the_spec(tmp_path: Path) -> None:
    text = """\
world W {
  var x : 0..1 = 0
  action up when x == 0 { x' = 1 }
  action down when x == 1 { x' = 0 }
  reward pay { [up]: 1
    [down]: -1 }
}
policies Pi over W
claim fine: forall pi : Pi. P[F x == 1](pi) >= 1
claim c: forall pi : Pi. E[pay, total](pi) <= 1
"""
    report = report_of(text, tmp_path)
    assert [d.code for d in report.diagnostics if d.severity == "error"] == ["E310"]
    assert report.results == ()


def test_too_many_states(tmp_path: Path) -> None:
    report = report_of(SPEC, tmp_path, max_states=2)
    assert report.results == ()
    assert [d.severity for d in report.diagnostics] == ["error"]


# ---------------------------------------------------------------- deadlines


def slowly(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """The statement of this name takes for ever."""
    original: Callable[..., Verdict] = pipeline.verdict_of

    def work(context: object, statement: object, *rest: object) -> Verdict:
        while statement.name == name:  # type: ignore[attr-defined]
            pass
        return original(context, statement, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(pipeline, "verdict_of", work)


def test_a_timeout_is_unknown_and_the_others_are_decided(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slowly(monkeypatch, "first")
    begin = time.monotonic()
    found = verdicts_of(SPEC, tmp_path, timeout=Fraction(3, 2))
    assert time.monotonic() - begin < 10
    assert isinstance(found["first"], Unknown)
    assert "1.5 s" in found["first"].reason
    assert {name: type(v) for name, v in found.items() if name != "first"} == {
        "second": Proved,
        "about": Proved,
        "third": Proved,
        "eps": Proved,
        "wrong": Refuted,
    }


def test_a_premise_that_ran_out_of_time_is_no_premise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slowly(monkeypatch, "about")
    found = verdicts_of(SPEC.replace("by about", "by first"), tmp_path, timeout=Fraction(3, 2), claim="first")
    assert isinstance(found["first"], Proved)


def test_errors_cross_the_deadline(tmp_path: Path) -> None:
    text = SPEC.replace("policy fixed : Pi = { else: go }", "policy fixed : Pi = { when x == 0: go; else: risk }")
    report = report_of(text, tmp_path, timeout=30)
    assert [d.code for d in report.diagnostics if d.severity == "error"] == ["E513"]


# ---------------------------------------------------------------- the checker's word


@pytest.mark.parametrize("claim", ["first", "second", "eps", "wrong_exists", "near"])
@pytest.mark.parametrize("timeout", [None, 30])
def test_a_rejected_certificate_is_never_an_answer(
    claim: str, timeout: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Proofs, witnesses, thresholds, refuted existence, and the optima behind a counterexample: all need the checker."""

    def refuse(*_: object, **__: object) -> None:
        raise Rejected("not today")

    monkeypatch.setattr(storey1, "check", refuse)
    text = SPEC + "claim wrong_exists: exists pi : Pi. J(pi) > 2\nclaim near: forall pi : Pi. near_optimal(J, pi, 1) => J(pi) > 1000\n"
    with pytest.raises(Rejected, match="not today"):
        report_of(text, tmp_path, claim=claim, timeout=timeout)


def test_the_program_leaves_with_six(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from prover import cli

    def refuse(*_: object, **__: object) -> None:
        raise Rejected("not today")

    monkeypatch.setattr(storey1, "check", refuse)
    with pytest.raises(SystemExit) as left:
        cli.main(["prove", str(spec_file(SPEC, tmp_path))])
    assert left.value.code == 6
    shown = capsys.readouterr()
    assert "PROVED" not in shown.out
    assert "not today" in shown.err


# ---------------------------------------------------------------- what a proof must say


@pytest.mark.parametrize("name", ["first", "second", "eps", "about", "third"])
def test_the_claim_and_the_worlds_are_stated_independently(name: str, tmp_path: Path) -> None:
    verdict = verdicts_of(SPEC, tmp_path)[name]
    assert isinstance(verdict, Proved)
    claim, worlds = stated(tmp_path / "case.spec", name)
    proof = json.loads(json.dumps(verdict.proof))
    permitted = frozenset(verdict.assumptions)
    assert check(proof, claim=json.loads(json.dumps(claim)), worlds=json.loads(json.dumps(worlds)), permitted=permitted).name == name
    other, _ = stated(tmp_path / "case.spec", "wrong")
    with pytest.raises(Rejected):
        check(proof, claim=json.loads(json.dumps(other)), permitted=permitted)


def test_a_statement_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        stated(spec_file(SPEC, tmp_path), "nobody")
