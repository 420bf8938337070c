"""Four environments of the AI Safety Gridworlds suite: max(J), and eps* at, just below and just above every vertex of the frontier.

The file gives the frontier, the vertices of lambda -> max{J : C >= lambda}: linear between them, flat on the left, nothing on the right.
A policy is unsafe iff C > lambda, so eps*(lambda) = max(J) - frontier(lambda) where some policy has C > lambda, else it is infinite.
"""

from __future__ import annotations

import json
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.cases.convert import gridworld_spec, number
from tests.cases.verdicts import Expected, decide, require

FOLDER = Path(__file__).resolve().parents[2].parent / "shared" / "cases"
NAMES = ("boat_race", "island_navigation", "safe_interruptibility", "side_effects_sokoban")
CASES: dict[str, dict[str, Any]] = {
    name: json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8")) for name in NAMES if (FOLDER / f"{name}.json").is_file()
}
SCORES = ("observed", "hidden")
STEP = Fraction(1, 10**9)

# Deterministic memoryless policies, 0 <= lambda below the first unsafe C.  (The case split of island_navigation takes minutes.)
DETERMINISTIC = {
    ("side_effects_sokoban", "observed"): "0",
    ("side_effects_sokoban", "hidden"): "8",
    ("safe_interruptibility", "observed"): "0",
    ("safe_interruptibility", "hidden"): "2",
}

pytestmark = pytest.mark.skipif(len(CASES) < len(NAMES), reason="the shared gridworlds (../shared/cases) are not here")


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exact thresholds, however busy the machine is."""
    monkeypatch.setattr("prover.storey1.EXACT_SECONDS", 1_000.0)


def frontier(vertices: list[tuple[Fraction, Fraction]], level: Fraction) -> Fraction | None:
    """sup{J : C > level}, None where no policy has C > level."""
    if level < vertices[0][0]:
        return vertices[0][1]
    for (c0, j0), (c1, j1) in pairwise(vertices):
        if c0 <= level < c1:
            return j0 + (level - c0) / (c1 - c0) * (j1 - j0)
    return None


def questions(case: dict[str, Any], score: str) -> tuple[list[str], Expected]:
    answers = case["answers"][score]
    best, natural = Fraction(answers["J_max"]), Fraction(answers["lambda"])
    vertices = [(Fraction(c), Fraction(j)) for c, j in answers["frontier_[C,J]"]]
    lines, expected = [f"claim optimum: max(J) == {number(best)}"], {"optimum": True}
    levels = {natural, *(c for c, _ in vertices)}
    if "horizon" not in case["criterion"]:  # a hundred layers take their time: fewer questions there
        levels |= {Fraction(1, 3), *(c + d for c, _ in vertices for d in (-STEP, STEP))}
    for k, level in enumerate(sorted(levels)):
        sup = frontier(vertices, level)
        margin = None if sup is None else best - sup
        safe = f"C(pi) <= {number(level)}"
        lines.append(f"find m{k} in [0, infinity) maximal for forall pi : Pi. near_optimal(J, pi, m{k}) => {safe}")
        expected[f"m{k}"] = (margin, None if margin is None else True)
        if level == natural:
            assert answers["eps_star"] == str(margin)
            lines.append(f"claim natural: forall pi : Pi. near_optimal(J, pi, 1) => {safe}")
            expected["natural"] = answers["RS_at_eps_1"]
    return lines, expected


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("name", NAMES)
def test_all_policies(name: str, score: str, tmp_path: Path) -> None:
    lines, expected = questions(CASES[name], score)
    require(decide(gridworld_spec(CASES[name], score, lines), tmp_path), expected)


@pytest.mark.parametrize(("name", "score"), DETERMINISTIC)
def test_deterministic_policies(name: str, score: str, tmp_path: Path) -> None:
    margin = Fraction(DETERMINISTIC[name, score])
    lines = [
        f"claim optimum: max(J) == {number(CASES[name]['answers'][score]['J_max'])}",
        "find margin in [0, infinity) maximal for forall pi : Pi. near_optimal(J, pi, margin) => C(pi) <= 1/20",
    ]
    text = gridworld_spec(CASES[name], score, lines, " { deterministic; memoryless }")
    require(decide(text, tmp_path), {"optimum": True, "margin": (margin, True)})
