"""Named policies: tables, files and optima as controllers, and what makes no sense in their world."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest

from dsl.diagnostic import SpecError
from dsl.typecheck import load
from prover.policies.named import workspace
from prover.verdict import Proved, Refuted
from tests.prover.build_spec import HALF, ONE, codes_of, spec_file, verdicts_of

WORLD = """\
world W {
  var x : 0..3 = 0
  action go when x < 3 { x' = x + 1 }
  action back when 0 < x and x < 3 { x' = x - 1 }
  deadlock absorbs
  reward pay { [go]: 1
    [back]: -1 }
}
policies Pi over W
policies Fixed over W { deterministic }
policies Flat over W { memoryless }
score J(pi : Pi) = E[pay, horizon 4]
"""


def table(body: str, folder: Path, type: str = "Pi") -> dict[int, dict[str, Fraction]]:
    """State -> action -> probability."""
    spec, _ = load(
        spec_file(f"{WORLD}policy p : {type} = {{ {body} }}\nclaim c: J(p) <= 9\n".replace("J(p)", "E[pay, horizon 4](p)"), folder)
    )
    context = workspace(spec, folder)
    found = context.controller("p", lambda: None)
    assert context.controller("p", lambda: None) is found
    mdp = context.mdp("W")
    return {int(mdp.valuation(s)[0]): {mdp.actions[a]: p for a, p in actions} for (_, s), (actions, _) in found.rules.items()}


def test_the_first_guard_that_holds(tmp_path: Path) -> None:
    assert table("when x == 1: back; when x < 2: go; else: go", tmp_path) == {0: {"go": ONE}, 1: {"back": ONE}}


def test_weights_may_depend_on_the_state(tmp_path: Path) -> None:
    found = table("when x == 0: go; else: { x / 4: go; 1 - x / 4: back }", tmp_path)
    assert found[1] == {"go": Fraction(1, 4), "back": Fraction(3, 4)}
    assert found[2] == {"go": HALF, "back": HALF}
    assert found[3] == {"(deadlock)": ONE}


def test_weight_nothing_is_not_played(tmp_path: Path) -> None:
    found = table("when x == 0: { 1 - x: go; 0 * x: back }; else: go", tmp_path)
    assert found[0] == {"go": ONE}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("when x == 0: go", "E512"),
        ("else: back", "E513"),
        ("else: { 1/2: go; 1/2: back }", "E513"),
        ("when x == 0: go; else: { x / 3: go; x / 4: back }", "E513"),
        ("when x == 0: go; else: { 1 + x: go; 0 - x: back }", "E513"),
    ],
)
def test_tables_that_make_no_sense(body: str, code: str, tmp_path: Path) -> None:
    assert codes_of(f"{WORLD}policy p : Pi = {{ {body} }}\nclaim c: J(p) <= 9\n", tmp_path) == [code]


def test_a_table_may_be_silent_where_it_never_comes(tmp_path: Path) -> None:
    assert set(table("when x == 0: go; when x == 1: back", tmp_path)) == {0, 1}


ALTERNATING = {
    "format": "twostep-policy 1",
    "rules": [
        {"node": "0", "state": {"x": 0}, "action": "go", "next": [{"node": "1"}]},
        {"node": "0", "action": "back"},
        {"node": "1", "action": "go", "next": [{"node": "0"}]},
    ],
}


def with_file(folder: Path, type: str, claim: str, document: object = ALTERNATING) -> str:
    (folder / "runs").mkdir(exist_ok=True)
    (folder / "runs" / "a.json").write_text(json.dumps(document), encoding="utf-8")
    return f'{WORLD}policy p : {type} = file "runs/a.json"\nclaim c: {claim}\n'


def test_a_file_with_memory(tmp_path: Path) -> None:
    """go, go, back, back: 0 1 2 1 0."""
    verdicts = verdicts_of(with_file(tmp_path, "Pi", "J(p) == 0 and P[F x == 2](p) == 1 and P[F x == 3](p) == 0"), tmp_path)
    assert isinstance(verdicts["c"], Proved)


@pytest.mark.parametrize("type", ["Flat", "Tiny"])
def test_a_file_outside_its_type(type: str, tmp_path: Path) -> None:
    text = with_file(tmp_path, type, "E[pay, horizon 4](p) <= 9").replace(
        "policies Flat", "policies Tiny over W { memory 1 }\npolicies Flat"
    )
    assert codes_of(text, tmp_path) == ["E514"]


def test_a_mixed_start_outside_its_type(tmp_path: Path) -> None:
    """Two nodes are enough memory, but a policy of type memory 2 makes no choice at the start (the checker says so too)."""
    mixed = {**ALTERNATING, "start": [{"weight": "1/2", "node": "0"}, {"weight": "1/2", "node": "1"}]}
    text = with_file(tmp_path, "Two", "E[pay, horizon 4](p) <= 9", mixed).replace(
        "policies Flat", "policies Two over W { memory 2 }\npolicies Flat"
    )
    assert codes_of(text, tmp_path) == ["E514"]


@pytest.mark.parametrize(
    ("name", "code"), [("missing.json", "E510"), ("../case.json", "E510"), ("bad.json", "E511"), ("silent.json", "E512")]
)
def test_files_that_cannot_be_used(name: str, code: str, tmp_path: Path) -> None:
    folder = tmp_path / "inside"
    folder.mkdir()
    (tmp_path / "case.json").write_text(json.dumps(ALTERNATING), encoding="utf-8")
    (folder / "bad.json").write_text("{}", encoding="utf-8")
    (folder / "silent.json").write_text(json.dumps({**ALTERNATING, "rules": [{"state": {"x": 3}, "action": "go"}]}), encoding="utf-8")
    assert code in codes_of(f'{WORLD}policy p : Pi = file "{name}"\nclaim c: J(p) <= 9\n', folder)


def test_policies_beside_quantified_ones(tmp_path: Path) -> None:
    text = f"""{WORLD}
policy steady : Pi = {{ else: go }}
policy best : Pi = maximize J
claim no_better: forall pi : Pi. J(pi) <= J(steady)
claim best_is_best: J(best) == J(steady) and J(best) == max(J)
claim worse: forall pi : Pi. J(pi) < J(best)
"""
    verdicts = verdicts_of(text, tmp_path)
    assert [type(verdicts[n]) for n in ("no_better", "best_is_best", "worse")] == [Proved, Proved, Refuted]


def test_a_named_policy_is_explored_only_when_it_is_mentioned(tmp_path: Path) -> None:
    spec, _ = load(spec_file(f"{WORLD}policy p : Pi = {{ when x == 0: go }}\nclaim c: forall pi : Pi. J(pi) <= 9\n", tmp_path))
    context = workspace(spec, tmp_path)
    with pytest.raises(SpecError):
        context.controller("p", lambda: None)
