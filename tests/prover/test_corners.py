"""Corners that once ended in an internal error or a rejected certificate; now each has its verdict."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from prover.pipeline import Report, prove
from prover.verdict import Proved, Refuted, Unknown

TIED = """
world W {
  var at : 0..3 = 0
  action a when at == 0 { at' = 3 }
  action b when at == 0 { 3/4: at' = 2; 1/4: at' = 1 }
  action a when at == 1 { at' = 3 }
  action b when at == 2 { stay }
  action a when at == 3 { at' = 0 }
  reward pay { [b] when at == 0 and at' == 2: 2; [a] when at == 1 and at' == 3: -1 }
}
policies Pi over W { memoryless }
score J(pi : Pi) = E[pay, horizon 3]
"""
LOSING = """
world W {
  var at : 0..1 = 0
  action a { stay }
  reward pay { when at == 0: -1 }
}
policies Pi over W
score K(pi : Pi) = P[X at == 0]
score J(pi : Pi) = E[pay, total]
"""
STEP = """
world W {
  var at : 0..1 = 0
  action a { at' = 1 }
  reward pay { 1 }
  label never = false
}
policies Pi over W
score J(pi : Pi) = E[pay, horizon 0]
"""
BARREN = """
world W {
  var at : 0..1 = 0
  action a { stay }
  reward pay { when at == 1: -2 }
}
policies Pi over W
"""


def run(folder: Path, text: str, *, method: str = "auto") -> Report:
    path = folder / "a.spec"
    path.write_text(text, encoding="utf-8")
    return prove(path, method=method)


@pytest.mark.parametrize(
    ("claim", "verdict"),
    [
        ("forall p : Pi. near_optimal(J, p, 1/4) => J(p) <= -2", Refuted),
        ("max(J) <= 3/2", Proved),
        ("max(J) >= 5/4", Proved),
        ("max(J) <= 5/4", Unknown),  # the optimum is 121/96, at 11/12; only its enclosure is certified
        ("forall p : Pi. J(p) <= max(J)", Unknown),
        ("exists p : Pi. J(p) > 5/4", Proved),
    ],
)
def test_an_optimum_that_is_only_enclosed(tmp_path: Path, claim: str, verdict: type) -> None:
    assert isinstance(run(tmp_path, f"{TIED}claim c: {claim}\n").results[0].verdict, verdict)


def test_a_break_with_an_infinite_value(tmp_path: Path) -> None:
    report = run(tmp_path, f"{LOSING}find m in (1/4, 3) maximal for forall pi : Pi. near_optimal(K, pi, m) => J(pi) >= -1\n")
    verdict = report.results[0].verdict
    assert isinstance(verdict, Proved)
    assert verdict.value is not None
    assert (verdict.value.lower, verdict.value.upper, verdict.value.attained) == (Fraction(1, 4), Fraction(1, 4), False)


def test_a_variable_that_the_break_does_not_mention(tmp_path: Path) -> None:
    report = run(tmp_path, f"{STEP}find m in (0, 1/2] maximal for forall pi, rho : Pi. near_optimal(J, pi, m) => J(pi) >= 1\n")
    verdict = report.results[0].verdict
    assert isinstance(verdict, Proved)
    assert verdict.value is not None
    assert (verdict.value.lower, verdict.value.attained) == (0, False)


def test_a_witness_that_does_not_matter(tmp_path: Path) -> None:
    assert isinstance(run(tmp_path, f"{STEP}claim c: exists p, q : Pi. J(p) <= 0\n").results[0].verdict, Proved)


def test_an_until_reward_that_is_never_earned(tmp_path: Path) -> None:
    report = run(tmp_path, f"{BARREN}claim c: forall pi : Pi. E[pay, until at == 1](pi) >= 0\n")
    assert isinstance(report.results[0].verdict, Proved)


@pytest.mark.parametrize(
    "claim",
    [
        "forall pi : Pi. P[G F never](pi) <= 0",
        "forall pi : Pi. P[F G not never](pi) >= 1",
        "forall pi : Pi. P[G F (at == 1 and not never)](pi) >= 1",
        "forall pi : Pi. P[F G (at == 1 or never)](pi) >= 1",
    ],
)
def test_recurrence_of_compound_and_constant_conditions(tmp_path: Path, claim: str) -> None:
    assert isinstance(run(tmp_path, f"{STEP}claim c: {claim}\n").results[0].verdict, Proved)


def test_a_minimum_that_is_minus_infinity_says_so(tmp_path: Path) -> None:
    report = run(tmp_path, f"{LOSING}claim c: min(J) < -100\n")
    assert [d.code for d in report.diagnostics] == ["E311"]
    assert "min(J)" in report.diagnostics[0].message


@pytest.mark.parametrize("method", ["lazy", "smt", "both"])
def test_all_methods_on_rays(tmp_path: Path, method: str) -> None:
    """How much is lost before leaving has no lower bound, though everyone who leaves has a finite sum."""
    world = """
world W {
  var at : 0..2 = 0
  action wait when at == 0 { stay }
  action go when at == 0 { 1/2: at' = 1; 1/2: stay }
  action home when at == 1 { at' = 0 }
  action end when at == 1 { at' = 2 }
  deadlock absorbs
  reward pay { [home]: -1 }
}
policies Pi over W
claim c: forall a : Pi. P[F at == 2](a) < 1 or E[pay, total](a) >= -7
claim d: forall a : Pi. P[F at == 2](a) > 0 or E[pay, total](a) <= 0
"""
    first, second = run(tmp_path, world, method=method).results
    assert isinstance(first.verdict, Refuted)
    assert isinstance(second.verdict, Proved)


def test_samples_that_cannot_both_be_typical(tmp_path: Path) -> None:
    """No policy satisfies both events, so the two counts contradict each other: nothing is concluded from them."""
    world = """
world W {
  var k : 0..2 = 0
  action go when k == 0 { 1/2: k' = 1; 1/2: k' = 2 }
  action safe when k == 0 { k' = 1 }
  deadlock absorbs
  reward r { [go]: 5; [safe]: 1 }
}
policies P over W
property Z(q : P) = P[F k == 2] <= 1/4
property H(q : P) = E[r, total] >= 4
training S : P {
  samples 188 of 200 satisfy Z confidence 99%
  samples 150 of 200 satisfy H confidence 99%
}
claim apart: forall q : P. not (Z(q) and H(q))
claim both: P[pi ~ S](Z(pi)) > 88% and P[pi ~ S](H(pi)) > 65%
"""
    first, second = run(tmp_path, world).results
    assert isinstance(first.verdict, Proved)
    assert isinstance(second.verdict, Unknown)
    assert "contradicts itself" in second.verdict.reason
