"""Counterexamples: what the replay refuses, the truth of inequalities between bounds, and what readers are shown."""

from __future__ import annotations

from dataclasses import fields
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from flint import fmpq

from prover import storey1
from prover.counterexample import Mismatch, exhibit, holds, readable, short, trace_lines
from prover.policies.controller import Controller
from prover.policies.decide import Decided, decide
from prover.policies.modulo import Counterexample
from prover.policies.query import Inequality, OptimumOf, TheUnknown, ValueOf
from prover.policies.theory import Bounds
from prover.replay import Step, Trace
from prover.verdict import Refuted
from prover.worlds.objective import Stream
from tests.prover.build_spec import HALF, ONE, query_of, report_of, verdicts_of

SPEC = """\
world W {
  var x : 0..2 = 0
  action left when x == 0 { x' = 1 }
  action right when x == 0 { 1/3: x' = 1; 2/3: x' = 2 }
  deadlock absorbs
  reward pay { [left]: 1
    [right]: 3 }
}
policies Pi over W
score J(pi : Pi) = E[pay, total]
property Safe(pi : Pi) = P[F x == 2] <= 1/2
claim c: forall pi : Pi. near_optimal(J, pi, 1) => Safe(pi)
"""


def changed(found: Counterexample, **changes: Any) -> Counterexample:
    return Counterexample(**{**{field.name: getattr(found, field.name) for field in fields(found)}, **changes})


def decided(folder: Path) -> tuple[Any, Any, Decided, Counterexample]:
    context, query = query_of(SPEC, folder)
    outcome = decide(context, query, lambda: None)
    assert isinstance(outcome.outcome, Counterexample)
    return context, query, outcome, outcome.outcome


def bounds_of(outcome: Decided) -> list[Bounds]:
    return [Bounds(o.lower, o.upper) for o in outcome.optima]


def test_a_counterexample_survives_its_replay(tmp_path: Path) -> None:
    context, query, outcome, found = decided(tmp_path)
    shown = exhibit(context, query, found, bounds_of(outcome), storey1.signs(context, query))
    assert set(shown.policies) == {"pi"}
    worth = {text: Fraction(value) for text, value in shown.policies["pi"].objectives.items()}
    assert worth["E[pay, total]"] > 2
    assert worth["P[F x == 2]"] > HALF
    assert shown.trace is not None
    assert shown.trace.steps[-1].state == {"x": 2}
    assert "fails: P[F x == 2] <= 1/2" in shown.explanation
    assert any("max(J) = 3" in line for line in shown.explanation)


def test_a_policy_that_breaks_nothing_is_a_mismatch(tmp_path: Path) -> None:
    context, query, outcome, found = decided(tmp_path)
    mdp = context.mdp("W")
    rules = {(0, s): (((int(mdp.action[mdp.choice_start[s]]), ONE),), {}) for s in range(mdp.states)}
    harmless = changed(found, controllers={"pi": Controller(((ONE, 0, 0),), rules)})
    with pytest.raises(Mismatch):
        exhibit(context, query, harmless, bounds_of(outcome), storey1.signs(context, query))


def test_optima_known_too_roughly_are_a_mismatch(tmp_path: Path) -> None:
    """Near-optimal for every value of the optimum between its bounds, or not at all."""
    context, query, _, found = decided(tmp_path)
    with pytest.raises(Mismatch):
        exhibit(context, query, found, [Bounds(fmpq(3), fmpq(4))], storey1.signs(context, query))


def test_a_wrong_replay_never_reads_refuted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from prover.replay import Replay

    monkeypatch.setattr(Replay, "value", lambda *_: Fraction(0))
    with pytest.raises(Mismatch):
        report_of(SPEC, tmp_path)


def test_a_wrong_value_in_the_search_never_reads_refuted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The arena believes in more harm than there is."""
    from prover.policies import arena

    original = arena.evaluate
    monkeypatch.setattr(arena, "evaluate", lambda product, plan: [None if v is None else v + fmpq(9, 10) for v in original(product, plan)])
    text = SPEC.replace("claim c: forall pi : Pi. near_optimal(J, pi, 1) => Safe(pi)", "claim c: forall pi : Pi. P[F x == 2](pi) <= 2/3")
    try:
        found = verdicts_of(text, tmp_path)["c"]
    except (Mismatch, RuntimeError):
        return
    assert not isinstance(found, Refuted)


# ---------------------------------------------------------------- truth between bounds

TOTAL, COST = Stream("W", "total", reward="pay"), Stream("W", "total", reward="cost")
SIGNS = {TOTAL: 1, COST: -1}


@pytest.mark.parametrize(
    ("op", "value", "expected"),
    [("<", 4, True), ("<", 5, None), ("<=", 5, True), ("<", 6, None), ("<", 7, False), ("<=", 7, None), ("<=", 8, False), ("<", 8, False)],
)
def test_an_optimum_between_five_and_seven(op: str, value: int, expected: bool | None) -> None:
    """value < optimum, for all optima from 5 to 7."""
    row = Inequality(op, ((ONE, ValueOf(0, "pi")), (-ONE, OptimumOf(0))), Fraction(0))
    assert holds(row, [TOTAL], {("pi", 0): Fraction(value)}, [Bounds(fmpq(5), fmpq(7))], None, SIGNS) is expected


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        ([(1, 0)], True),  # -infinity <= 0
        ([(-1, 0)], False),
        ([(1, 1)], False),  # a cost: +infinity
        ([(-1, 1)], True),
        ([(1, 0), (-1, 1)], True),
        ([(1, 0), (1, 1)], None),
        ([(1, 0), (1, 2)], True),
        ([(-2, 0), (1, 2)], False),
    ],
)
def test_infinite_values(terms: list[tuple[int, int]], expected: bool | None) -> None:
    streams = [TOTAL, COST, Stream("W", "recurrence", atom=0)]
    row = Inequality("<=", tuple((Fraction(c), ValueOf(i, "pi")) for c, i in terms), Fraction(0))
    assert holds(row, streams, {("pi", 0): None, ("pi", 1): None, ("pi", 2): ONE}, [], None, SIGNS) is expected


def test_the_unknown() -> None:
    row = Inequality("<", ((ONE, TheUnknown()),), Fraction(-2))
    assert holds(row, [], {}, [], None, {}) is None
    assert holds(row, [], {}, [], Fraction(1), {}) is True
    assert holds(row, [], {}, [], Fraction(2), {}) is False


# ---------------------------------------------------------------- what readers see


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("1/3", "1/3"),
        ("-infinity", "-infinity"),
        ("infinity", "infinity"),
        (str(Fraction(10**30, 3 * 10**30 + 1)), "about 0.333333"),
        (str(10**400 + 1), "about 2^1328"),
    ],
)
def test_numbers(value: str, expected: str) -> None:
    assert readable(value) == expected


def test_long_fractions_of_every_size() -> None:
    assert short(Fraction(1, 10**400 + 1)).startswith("about")
    assert short(Fraction(1, 3)) == "1/3"


def test_traces_show_what_changes_and_leave_out_the_middle() -> None:
    steps = tuple(Step({"x": k, "on": True}, "go") for k in range(30))
    lines = trace_lines(Trace((*steps, Step({"x": 29, "on": True}, None)), ONE))
    assert lines[0] == "  x = 0, on = true  --go-->"
    assert lines[1] == "  x = 1  --go-->"
    assert lines[-1] == "  (the same state)"
    assert len(lines) == 13
    assert "19 steps more" in lines[6]


def test_infinite_values_are_shown_as_such(tmp_path: Path) -> None:
    text = """\
world W {
  var x : bool = false
  action pace when not x { stay }
  action go when not x { x' = true }
  deadlock absorbs
  reward pay { [pace]: -1 }
}
policies Pi over W
claim c: forall pi : Pi. E[pay, total](pi) >= -10
"""
    verdict = verdicts_of(text, tmp_path)["c"]
    assert isinstance(verdict, Refuted)
    (policy,) = verdict.counterexample.policies.values()
    assert set(policy.objectives) == {"E[pay, total]"}
    value = policy.objectives["E[pay, total]"]
    assert value == "-infinity" or Fraction(value) < -10
    assert any("E[pay, total] = " in line for line in verdict.counterexample.lines())


def test_safe_formulas_are_shown_as_they_were_stated(tmp_path: Path) -> None:
    """P[G x < 2] is kept as one minus the chance of x == 2; the reader sees P[G x < 2]."""
    text = SPEC[: SPEC.index("claim")] + "claim c: forall pi : Pi. P[G x < 2](pi) >= 1/2\n"
    verdict = verdicts_of(text, tmp_path)["c"]
    assert isinstance(verdict, Refuted)
    shown = verdict.counterexample.policies["pi"].objectives
    assert set(shown) == {"P[G x < 2]"}
    assert Fraction(shown["P[G x < 2]"]) < HALF
    document = verdict.counterexample.to_json()
    assert document["trace"][-1] == {"state": {"x": 2}, "action": None}
    assert Fraction(document["trace_probability"]) <= Fraction(2, 3)
