"""`maximize J subject to P`: the best of the policies with a property, mixtures included, or an error that says why there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from prover.verdict import Proved, Refuted
from tests.prover.build_spec import codes_of, verdicts_of

CROSSING = """\
world Crossing {
  var across : bool = false
  var fell : bool = false
  action jump when not across { 9/10: across' = true; 1/10: across' = true, fell' = true }
  action bridge when not across { across' = true }
  deadlock absorbs
  reward points { [jump]: 10
    [bridge]: 6 }
}
policies Walker over Crossing
policies Flat over Crossing { deterministic; memoryless }
score J(pi : Walker) = E[points, total]
score H(pi : Walker) = P[F fell]
property Safe(pi : Walker) = P[F fell] <= 1/20
property Impossible(pi : Walker) = P[F fell] >= 1/2
property Strict(pi : Walker) = P[F fell] < 1/20
"""


def values(policy: str, claims: dict[str, str], folder: Path, world: str = CROSSING) -> dict[str, type]:
    text = "\n".join([world, f"policy best : Walker = {policy}", *(f"claim {name}: {claim}" for name, claim in claims.items())])
    return {name: type(v) for name, v in verdicts_of(text + "\n", folder).items()}


def test_free_optima(tmp_path: Path) -> None:
    assert values("maximize J", {"a": "J(best) == 10 and H(best) == 1/10"}, tmp_path) == {"a": Proved}
    assert values("maximize 2 * J - 50 * H", {"a": "J(best) == 10"}, tmp_path) == {"a": Proved}
    assert values("maximize J - 50 * H", {"a": "J(best) == 6"}, tmp_path) == {"a": Proved}


def test_subject_to_a_property_the_best_policy_mixes(tmp_path: Path) -> None:
    """Half of the runs may jump: 8 points, one fall in twenty."""
    claims = {
        "value": "J(best) == 8",
        "edge": "H(best) == 1/20",
        "safe": "Safe(best)",
        "more": "J(best) > 8",
        "none": "forall pi : Walker. Safe(pi) => J(pi) <= J(best)",
    }
    found = values("maximize J subject to Safe", claims, tmp_path)
    assert found == {"value": Proved, "edge": Proved, "safe": Proved, "more": Refuted, "none": Proved}


def test_minimize_subject_to(tmp_path: Path) -> None:
    world = CROSSING + "property Rich(pi : Walker) = J(pi) >= 7\n"
    text = "minimize H subject to Rich"
    try:
        found = values(text, {"a": "H(best) == 1/40 and J(best) == 7"}, tmp_path, world)
    except AssertionError:
        pytest.skip("`minimize` is not in the language")
    assert found == {"a": Proved}


@pytest.mark.parametrize("policy", ["maximize J subject to Impossible", "maximize J subject to Strict"])
def test_nobody_or_nobody_exactly(policy: str, tmp_path: Path) -> None:
    """No policy has the property; or the supremum is only approached."""
    assert codes_of(f"{CROSSING}policy best : Walker = {policy}\nclaim c: J(best) <= 100\n", tmp_path) == ["E515"]


def test_deterministic_types_do_not_mix(tmp_path: Path) -> None:
    flat = CROSSING.replace("policies Walker over Crossing", "policies Walker over Crossing { deterministic; memoryless }")
    text = f"""{flat}
policy best : Walker = maximize J subject to Safe
claim a: J(best) == 6
"""
    assert {n: type(v) for n, v in verdicts_of(text, tmp_path).items()} == {"a": Proved}


def test_a_loss_that_only_some_policies_make_finite(tmp_path: Path) -> None:
    world = """\
world W {
  var x : 0..2 = 0
  action pace when x == 0 { stay }
  action left when x == 0 { x' = 1 }
  action right when x == 0 { x' = 2 }
  deadlock absorbs
  reward cost { [pace]: -1
    [left]: -3
    [right]: -5 }
}
policies Walker over W
score J(pi : Walker) = E[cost, total]
property Right(pi : Walker) = P[F x == 2] >= 1/2
"""
    claims = {"a": "J(best) == -4", "b": "P[F x == 2](best) == 1/2"}
    assert values("maximize J subject to Right", claims, tmp_path, world) == {"a": Proved, "b": Proved}
