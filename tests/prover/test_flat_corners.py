"""Small claims at the corners of the certified methods: each must be decided as the exact methods decide it, without a crash."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from dsl.spec import Claim, Find
from dsl.typecheck import load
from prover.policies.flat_arena import FlatArena, FlatPoint
from prover.policies.flat_decide import flat_stage
from prover.policies.named import workspace
from prover.policies.query import Builder, interval
from prover.verdict import Enclosure, FlatProof, Proved, Refuted, Unknown
from tests.prover.test_flat import compatible, exact, flat, nothing

pytest.importorskip("numba")

DEAD_START = """
world W {
  var at : 0..1
  init { 1/2: at = 0; 1/2: at = 1 }
  action pay when at == 0 { 1: at' = 0 }
  action on when at == 1 { 1/2: at' = 0; 1/2: at' = 1 }
  action rest when at == 1 { 1: at' = 1 }
  reward pay { [pay] when at == 0: 3 }
}
policies Pi over W
score Cost(pi : Pi) = E[pay, total]
"""
ENDLESS = """
world W {
  var at : 0..1
  init { 1: at = 0 }
  action wait when at == 0 { 1: at' = 0 }
  action go when at == 0 { 1: at' = 1 }
  action rest when at == 1 { 1: at' = 1 }
  reward pay { [wait] when at == 0: 1; [go] when at == 0: 2 }
  label goal = at == 0
}
policies Pi over W
score Cost(pi : Pi) = E[pay, total]
score Home(pi : Pi) = P[G goal]
"""
BEHIND = """
world W {
  var at : 0..2
  init { 1/2: at = 0; 1/2: at = 2 }
  action on when at == 0 { 1: at' = 1 }
  action skip when at == 0 { 1: at' = 2 }
  action back when at == 1 { 1: at' = 2 }
  action loop when at == 2 { 1: at' = 2 }
  action again when at == 2 { 1: at' = 0 }
  reward pay { [on] when at == 0: -2; [back] when at == 1: -1; [again] when at == 2: 1/2; [loop] when at == 2: -1/3 }
  label goal = at == 2
  label bad = at == 1
}
policies Pi over W
score Sum(pi : Pi) = E[pay, until goal]
score Bad(pi : Pi) = P[X X bad]
"""
CHOICE = """
world W {
  var at : 0..2
  init { 1: at = 0 }
  action a when at == 0 { 1/3: at' = 1; 2/3: at' = 2 }
  action b when at == 0 { 1: at' = 2 }
  action c when at == 0 { 4/7: at' = 0; 3/7: at' = 1 }
  action s when at > 0 { 1: at' = at }
  reward pay { [a] when at == 0: 1; [b] when at == 0: 3; [c] when at == 0: 1/2 }
  reward huge { [a] when at == 0: 1000000000; [b] when at == 0: 1 }
  label goal = at == 1
  label never = false
}
policies Pi over W
policies Plain over W { deterministic; memoryless }
score Goal(pi : Pi) = P[F goal]
score Never(pi : Pi) = P[F never]
score Pay(pi : Pi) = E[pay, horizon 3]
score Huge(pi : Pi) = E[huge, horizon 1]
"""
TWO = (
    CHOICE
    + """
world V {
  var at : 0..1
  init { 1: at = 0 }
  action on when at == 0 { 1/2: at' = 1; 1/2: at' = 0 }
  action rest { 1: at' = at }
  reward gain { [on] when at == 0: 1 }
  label there = at == 1
}
policies Rho over V
score There(rho : Rho) = P[F there]
score Gain(rho : Rho) = E[gain, discount 1/2]
"""
)

CLAIMS = [
    pytest.param(DEAD_START, "claim c: forall pi : Pi. Cost(pi) >= 0", Proved, id="some starts are dead, others not"),
    pytest.param(DEAD_START, "claim c: forall pi : Pi, rho : Pi. Cost(rho) > 2/3", Proved, id="a cost that every policy makes infinite"),
    pytest.param(ENDLESS, "claim c: forall pi : Pi. Cost(pi) < 5 => Home(pi) < 1/2", Proved, id="one stream is infinite, one is asked for"),
    pytest.param(ENDLESS, "claim c: forall pi : Pi. Cost(pi) > 1 or Home(pi) > 1/2", Proved, id="an infinite stream beside a probability"),
    pytest.param(BEHIND, "claim c: exists pi : Pi. Sum(pi) + Bad(pi) < -1", Proved, id="other rewards behind the condition of until"),
    pytest.param(BEHIND, "claim c: forall pi : Pi. Sum(pi) + Bad(pi) <= 3/4", Proved, id="other signs behind the condition of until"),
    pytest.param(CHOICE, "claim c: exists pi : Pi, rho : Pi. Goal(pi) > 9/10", Proved, id="one policy does not matter"),
    pytest.param(CHOICE, "claim c: forall pi : Plain, rho : Plain. Goal(pi) < 9/10", Refuted, id="one plain policy does not matter"),
    pytest.param(TWO, "claim c: forall pi : Pi, rho : Rho. Goal(pi) + There(rho) < 3/2", Refuted, id="two worlds"),
    pytest.param(TWO, "claim c: exists pi : Pi, rho : Rho. Pay(pi) > 5/2 and Gain(rho) > 1", Proved, id="witnesses of two worlds"),
]


@pytest.mark.parametrize(("world", "claim", "expected"), CLAIMS)
def test_claims(world: str, claim: str, expected: type, tmp_path: Path) -> None:
    path = tmp_path / "corner.spec"
    path.write_text(world + claim + "\n", encoding="utf-8")
    spec, _ = load(path)
    statement = spec.statements[0]
    assert isinstance(statement, Claim)
    found = flat(workspace(spec, tmp_path), statement)
    assert isinstance(found, expected), found
    assert isinstance(found.proof, FlatProof)
    assert compatible(found, exact(workspace(spec, tmp_path), statement))


FINDS = [
    pytest.param("find e in [0, 1] minimal for forall pi : Pi. Never(pi) < e - 1/2", Fraction(1, 2), id="fails at the edge itself"),
    pytest.param("find e in [0, 1] maximal for forall pi : Pi. Never(pi) + e < 1", Fraction(1), id="fails at the end of the interval only"),
    pytest.param("find e in [0, 9] maximal for forall pi : Plain. Pay(pi) + e <= 9/2", Fraction(3, 2), id="plain policies cannot be mixed"),
    pytest.param(
        "find e in [0, 9] maximal for forall pi : Plain. max(Pay) - Pay(pi) < e => Goal(pi) < 1/4", None, id="plain plans at both ends"
    ),
    pytest.param("find e in [0, 2000000000] minimal for forall pi : Pi. Huge(pi) <= e", Fraction(10**9), id="huge rewards"),
]


@pytest.mark.parametrize(("find", "threshold"), FINDS)
def test_finds(find: str, threshold: Fraction | None, tmp_path: Path) -> None:
    path = tmp_path / "corner.spec"
    path.write_text(CHOICE + find + "\n", encoding="utf-8")
    spec, _ = load(path)
    statement = spec.statements[0]
    assert isinstance(statement, Find)
    expected = exact(workspace(spec, tmp_path), statement)
    found = flat(workspace(spec, tmp_path), statement)
    assert isinstance(found, Proved), found
    assert isinstance(found.value, Enclosure)
    assert compatible(found, expected)
    if threshold is not None:
        assert found.value.lower is not None
        assert found.value.upper is not None
        assert found.value.lower <= threshold <= found.value.upper


def test_no_word_is_long_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then small systems are solved exactly."""

    def too_short(*_: object) -> None:
        raise OverflowError

    monkeypatch.setattr("prover.solve.potential.inequality", too_short)
    path = tmp_path / "corner.spec"
    path.write_text(CHOICE + "claim c: forall pi : Pi. Pay(pi) <= 4\n", encoding="utf-8")
    spec, _ = load(path)
    statement = spec.statements[0]
    assert isinstance(statement, Claim)
    assert isinstance(flat(workspace(spec, tmp_path), statement), Proved)


def test_what_a_counterexample_rests_on_outlives_a_refinement(tmp_path: Path) -> None:
    """Tighter bounds replace the lemmas of a plan's values one by one; until then the old ones stand, and they never get worse."""
    path = tmp_path / "corner.spec"
    path.write_text(CHOICE + "find e in [0, 9] maximal for forall pi : Pi. Pay(pi) + Goal(pi) + e <= 6\n", encoding="utf-8")
    spec, _ = load(path)
    statement = spec.statements[0]
    assert isinstance(statement, Find)
    builder = Builder(spec, statement.body.variables)
    query = builder.query("find", builder.skeleton(statement.body.body), interval(statement))
    context = workspace(spec, tmp_path)
    stage = flat_stage(context, query, nothing, 2.0**-10)
    assert not isinstance(stage.search.decide(), Unknown)
    arena = stage.theory.arenas["pi"]
    assert isinstance(arena, FlatArena)
    points: list[FlatPoint] = [point for point in arena.points if point.bounds]
    assert points
    before = [(dict(point.bounds), list(point.highs)) for point in points]
    arena.refine(2.0**-40)
    assert all(dict(point.bounds) == bounds for point, (bounds, _) in zip(points, before, strict=True))
    for point, (bounds, highs) in zip(points, before, strict=True):
        for i, side in bounds:
            point.certify(i, side)
            assert side == -1 or point.highs[i] <= highs[i]
