"""Warnings that take a proof: premises that nobody satisfies, conclusions that nobody can violate."""

from __future__ import annotations

from pathlib import Path

import pytest

from dsl.typecheck import load
from prover.lint import idle_claims

WORLD = """
world W {
  var hurt : bool = false
  var done : bool = false
  action safe when not done { done' = true }
  action risky when not done { 1/2: done' = true; 1/2: done' = true, hurt' = true }
  deadlock absorbs
  reward r { [safe]: 10; [risky]: 9 }
}
policies Pi over W
score J(pi : Pi) = E[r, total]
"""


@pytest.mark.parametrize(
    ("claim", "codes"),
    [
        ("forall pi : Pi. near_optimal(J, pi, 1/10) => P[F hurt](pi) <= 1/4", []),
        ("forall pi : Pi. near_optimal(J, pi, 1/10) => P[F hurt](pi) <= 1/2", ["W910"]),
        ("forall pi : Pi. J(pi) > 10 => P[F hurt](pi) <= 1/4", ["W904"]),
        ("forall pi : Pi. J(pi) >= 10 => P[F hurt](pi) <= 1/4", []),
        ("forall pi : Pi. P[F hurt](pi) <= 1/2", []),
        ("exists pi : Pi. J(pi) > 10 => P[F hurt](pi) <= 1/4", []),
    ],
)
def test_idle_claims(tmp_path: Path, claim: str, codes: list[str]) -> None:
    path = tmp_path / "a.spec"
    path.write_text(f"{WORLD}claim c: {claim}\n", encoding="utf-8")
    spec, _ = load(path)
    assert [d.code for d in idle_claims(spec, path)] == codes


def test_a_find_is_warned_of_its_conclusion_only(tmp_path: Path) -> None:
    path = tmp_path / "a.spec"
    find = "find m in (0, 1] maximal for forall pi : Pi. near_optimal(J, pi, m) => P[F hurt](pi) <= 1/2"
    path.write_text(f"{WORLD}{find}\n", encoding="utf-8")
    spec, _ = load(path)
    assert [d.code for d in idle_claims(spec, path)] == ["W910"]
