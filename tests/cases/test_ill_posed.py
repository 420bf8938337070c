"""Problems that have no answer are refused with a diagnostic, in whatever class, and what cannot be reached is nobody's business."""

from __future__ import annotations

from pathlib import Path

import pytest

from prover.cli import main
from prover.verdict import Proved
from tests.cases.verdicts import decide, require, require_refused

CLAIM = "claim c: forall pi : Pi. near_optimal(J, pi, 1/5) => Safe(pi)"
VARIABLE = "var x : 0..3 = 0"
STAY = "action stay_here when x >= 2 { stay }"
MOVES = f"action a when x == 0 {{ x' = 2 }}; action b when x == 0 {{ 1/2: x' = 2; 1/2: x' = 3 }}; {STAY}"


def spec(
    actions: str = MOVES,
    reward: str = "[a]: 10; [b]: 9",
    *,
    variable: str = VARIABLE,
    score: str = "E[r, total]",
    safe: str = "P[F x == 3] <= 1/10",
    claim: str = CLAIM,
    type: str = "",
) -> str:
    return f"""world W {{
  {variable}
  {actions}
  reward r {{ {reward} }}
}}
policies Pi over W{type}
score J(pi : Pi) = {score}
property Safe(pi : Pi) = {safe}
{claim}
"""


CYCLE = "action up when x == 0 { x' = 1 }; action down when x == 1 { x' = 0 }"
OUT = "action out when x == 0 { x' = 2 }"
DOWN = CYCLE.split("; ")[1]
TOSS = "action toss when x == 0 { 1/2: x' = 0; 1/2: x' = 1 }"
WALK = "action go when x == 0 { 1/2: x' = 0; 1/2: x' = 1 }; action go when x == 1 { 1/2: x' = 0; 1/2: x' = 1 }"

REFUSED: dict[str, tuple[str, str]] = {
    # total rewards that are no numbers: E310 where they grow or do not settle (with the loop), E311 where every policy loses for ever
    "positive-loop": (spec(f"action wait when x == 0 {{ stay }}; {OUT}; {STAY}", "[wait]: 1"), "E310"),
    "positive-loop-tiny": (spec(f"action wait when x == 0 {{ stay }}; {OUT}; {STAY}", "[wait]: 1e-300"), "E310"),
    "positive-loop-behind-luck": (
        spec(f"action on when x == 0 {{ 1e-30: x' = 1; 1 - 1e-30: x' = 2 }}; action wait when x == 1 {{ stay }}; {STAY}", "[wait]: 1"),
        "E310",
    ),
    "positive-end": (spec(reward="[a]: 1; when x == 3: 1/1000000"), "E310"),
    "oscillation-no-exit": (spec(CYCLE, "[up]: 1; [down]: -1"), "E310"),
    "oscillation-with-exit": (spec(f"{CYCLE}; {OUT}; {STAY}", "[up]: 1; [down]: -1; [out]: 5"), "E310"),
    "oscillation-deterministic-type": (
        spec(f"{CYCLE}; {OUT}; {STAY}", "[up]: 1; [down]: -1", type=" { deterministic; memoryless }"),
        "E310",
    ),
    "mean-zero-walk": (spec(f"{WALK}; {OUT}; {STAY}", "when x == 0 and x' == 1: 1; when x == 1 and x' == 0: -1"), "E310"),
    "mean-zero-coin": (spec(f"{TOSS}; {DOWN}; {OUT}; {STAY}", "[toss]: -1; [down]: 2"), "E310"),
    "mean-positive-coin": (spec(f"{TOSS}; {DOWN}; {OUT}; {STAY}", "[toss]: -1; [down]: 2001/1000"), "E310"),
    "no-optimum": (spec("action wait { stay }", "-1"), "E311"),
    "no-optimum-by-cycle": (spec(CYCLE, "[up]: 1; [down]: -2"), "E311"),
    "no-optimum-with-some-chance": (
        spec("action on when x == 0 { 1e-30: x' = 1; 1 - 1e-30: x' = 2 }; action w when x >= 1 { stay }", "when x == 1: -1"),
        "E311",
    ),
    # distributions
    "mass-less": (spec("action a when x == 0 { 1/2: x' = 2; 1/4: x' = 3 }; " + STAY, "[a]: 1"), "E302"),
    "mass-less-by-1e-18": (spec("action a when x == 0 { 1/2: x' = 2; 1/2 - 1e-18: x' = 3 }; " + STAY, "[a]: 1"), "E302"),
    "mass-more-by-1e-18": (spec("action a when x == 0 { 1/2: x' = 2; 1/2 + 1e-18: x' = 3 }; " + STAY, "[a]: 1"), "E302"),
    "mass-negative": (spec("action a when x == 0 { 3/2: x' = 2; (0 - 1/2): x' = 3 }; " + STAY, "[a]: 1"), "E302"),
    "mass-in-one-state": (spec("action a when x < 2 { (1 + x) / 2: x' = x + 1; 1/2: x' = x + 2 }; " + STAY, "[a]: 1"), "E302"),
    "mass-initial": (spec(variable="var x : 0..3; init { 1/2: x = 0; 1/2 - 1e-18: x = 2 }"), "E308"),
    # worlds
    "deadlock": (spec("action a when x == 0 { x' = 2 }", "[a]: 1"), "E303"),
    "two-of-one-name": (spec(f"action a when x <= 1 {{ x' = 2 }}; action a when x <= 0 {{ x' = 3 }}; {STAY}", "[a]: 1"), "E305"),
    "beyond-the-range": (spec("action a { x' = x + 1 }", "[a]: -1"), "E301"),
    "below-the-range": (spec("action a { x' = x - 1 }", "[a]: -1"), "E301"),
    "no-integer": (spec("action a { x' = x / 2 + 1/2 }", "0"), "E206"),
    "division-by-zero": (
        spec(f"action a when x == 0 {{ x' = 1 }}; action b when x == 1 and 1 / (x - 1) > 0 {{ x' = 2 }}; {STAY}", "[a]: 1"),
        "E304",
    ),
    "division-in-a-reward": (spec(reward="[a]: 1 / (x' - 2)"), "E304"),
    "division-in-a-probability": (spec("action a when x == 0 { 1 / x: x' = 2 }; " + STAY, "[a]: 1"), "E304"),
    # numbers of claims
    "discount-one": (spec(score="E[r, discount 1]"), "E402"),
    "discount-over-one": (spec(score="E[r, discount 3/2]"), "E402"),
    "discount-negative": (spec(score="E[r, discount -1/2]"), "E402"),
    "horizon-negative": (spec(score="E[r, horizon -1]"), "E402"),
    "horizon-broken": (spec(score="E[r, horizon 5/2]"), "E206"),
    "horizon-endless": (spec(score="E[r, horizon 10^18]"), "E402"),
    "negative-distance": (spec(claim="claim c: forall pi : Pi. near_optimal(J, pi, -1e-30) => Safe(pi)"), "E406"),
    "bound-over-one": (spec(safe="P[F x == 3] <= 1 + 1e-30"), "E407"),
    "bound-below-zero": (spec(safe="P[F x == 3] >= -1/10"), "E407"),
    "find-in-nothing": (spec(claim="find m in (1, 1] maximal for forall pi : Pi. near_optimal(J, pi, m) => Safe(pi)"), "E408"),
    "find-backwards": (spec(claim="find m in [2, 1] maximal for forall pi : Pi. near_optimal(J, pi, m) => Safe(pi)"), "E408"),
    "find-the-wrong-way": (spec(claim="find m in [0, 9] minimal for forall pi : Pi. near_optimal(J, pi, m) => Safe(pi)"), "E408"),
    # names
    "unknown-state": (spec(safe="P[F y == 3] <= 1/10"), "E203"),
    "unknown-label": (spec(safe="P[F harm] <= 1/10"), "E203"),
    "unknown-action": (spec(reward="[fly]: 10"), "E212"),
    "unknown-reward": (spec(score="E[q, total]"), "E212"),
}

ALLOWED: dict[str, str] = {
    "positive-loop-out-of-reach": spec(MOVES + "; action pump when x == 1 { stay }", "[a]: 10; [b]: 9; [pump]: 7"),
    "oscillation-out-of-reach": spec(
        "action a when x == 0 { x' = 2 }; action b when x == 0 { 1/2: x' = 2; 1/2: x' = 3 }; action on when x == 2 or x == 3 { stay };"
        " action up when x == 4 { x' = 5 }; action down when x == 5 { x' = 4 }",
        "[a]: 10; [b]: 9; [up]: 1; [down]: -1",
        variable="var x : 0..5 = 0",
    ),
    "division-by-zero-out-of-reach": spec(MOVES + "; action z when x == 1 and 1 / (x - 1) > 0 { stay }"),
    "mass-out-of-reach": spec(MOVES + "; action z when x == 1 { x / 2: x' = 2 }"),
    "overflow-out-of-reach": spec(MOVES + "; action z when x == 1 { x' = x + 9 }"),
    "loop-that-is-left-surely": spec(
        f"action a when x == 0 {{ 1/1000: x' = 2; 999/1000: stay }}; {STAY}", "[a]: 1", safe="P[F x == 3] <= 0"
    ),
    "distance-zero": spec(claim="claim c: forall pi : Pi. near_optimal(J, pi, 0) => Safe(pi)"),
    "bound-one": spec(safe="P[F x == 3] <= 1"),
    "discount-zero": spec(score="E[r, discount 0]", claim="claim c: max(J) == 10"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str, tmp_path: Path) -> None:
    text, code = REFUSED[name]
    require_refused(decide(text, tmp_path), code)


@pytest.mark.parametrize("name", ALLOWED)
def test_allowed(name: str, tmp_path: Path) -> None:
    report = decide(ALLOWED[name], tmp_path)
    assert not report.diagnostics, [(d.code, d.message) for d in report.diagnostics]
    assert all(isinstance(result.verdict, Proved) for result in report.results), report.results


def test_a_cost_may_be_infinite(tmp_path: Path) -> None:
    """Waiting for ever with any chance costs infinitely much: eps* is 0."""
    find = "find m in [0, 1] maximal for forall pi : Pi. near_optimal(J, pi, m) => Safe(pi)"
    text = spec(
        f"action wait when x == 0 {{ stay }}; {OUT}; {STAY}",
        "[wait]: 1",
        score="P[F x == 2]",
        safe="E[r, total] <= 3",
        claim=f"{CLAIM}\n{find}",
    )
    require(decide(text, tmp_path), {"c": False, "m": (0, True)})


@pytest.mark.parametrize("name", ["positive-loop", "mass-less-by-1e-18", "discount-one", "no-optimum"])
def test_exit_status(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Through the program, with and without a child process for the time limit."""
    path = tmp_path / "a.spec"
    path.write_text(REFUSED[name][0], encoding="utf-8")
    for options in ([], ["--timeout", "20"]):
        with pytest.raises(SystemExit) as left:
            main(["prove", str(path), *options])
        assert left.value.code == 3
        error = capsys.readouterr().err
        assert error.count(f"error {REFUSED[name][1]}") == 1
        assert "Traceback" not in error
