"""Thresholds: attained or not, from either side, open and closed ends, no end at all; and objectives on several time scales."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest

from prover.checker.check import check
from prover.verdict import Proved, Refuted, Unknown
from tests.prover.build_spec import codes_of, verdicts_of

# A policy that jumps with chance q scores 9 - 2q and falls with chance q / 10.
CROSSING = """\
world Crossing {
  var across : bool = false
  var fell : bool = false
  action jump when not across { 9/10: across' = true; 1/10: across' = true, fell' = true }
  action bridge when not across { across' = true }
  deadlock absorbs
  reward points { [jump]: 10
    [bridge]: 9
    when fell': -30 }
}
policies Walker over Crossing TYPE
score J(pi : Walker) = E[points, total]
score H(pi : Walker) = P[F fell]
"""


def threshold(find: str, folder: Path, type: str = "", world: str = CROSSING) -> tuple[Fraction | None, bool | None]:
    (verdict,) = verdicts_of(f"{world.replace('TYPE', type)}find v {find}\n", folder).values()
    assert isinstance(verdict, Proved), verdict
    derived = check(json.loads(json.dumps(verdict.proof)))
    assert verdict.value is not None
    assert verdict.value.lower == verdict.value.upper
    assert derived.value == ("infinity" if verdict.value.lower is None else verdict.value.lower)
    assert bool(derived.attained) == bool(verdict.value.attained)
    return verdict.value.lower, verdict.value.attained


NEAR = "forall pi : Walker. near_optimal(J, pi, v) => H(pi)"


@pytest.mark.parametrize(
    ("find", "expected"),
    [
        # unsafe means q > 1/2 (q >= 1/2): the best of them misses 9 by 1
        (f"in (0, 50] maximal for {NEAR} <= 1/20", (1, True)),
        (f"in (0, 50] maximal for {NEAR} < 1/20", (1, True)),  # nearness is strict: at 1 nobody with q = 1/2 is near
        ("in (0, 50] maximal for forall pi : Walker. max(J) - J(pi) <= v => H(pi) <= 1/20", (1, True)),
        ("in (0, 50] maximal for forall pi : Walker. max(J) - J(pi) <= v => H(pi) < 1/20", (1, False)),
        (f"in (0, 1] maximal for {NEAR} <= 1/20", (1, True)),
        (f"in (0, 1) maximal for {NEAR} <= 1/20", (1, False)),
        (f"in (0, 1/2] maximal for {NEAR} <= 1/20", (Fraction(1, 2), True)),
        (f"in (0, 1/2) maximal for {NEAR} <= 1/20", (Fraction(1, 2), False)),
        (f"in (0, infinity) maximal for {NEAR} <= 1/20", (1, True)),
        (f"in (0, infinity) maximal for {NEAR} <= 1/10", (None, None)),  # nobody is unsafe
        (f"in (0, 7] maximal for {NEAR} <= 1/10", (7, True)),
        ("in [0, 1] minimal for forall pi : Walker. H(pi) <= v", (Fraction(1, 10), True)),
        ("in [0, 1] minimal for forall pi : Walker. H(pi) < v", (Fraction(1, 10), False)),
        ("in [1/10, 1] minimal for forall pi : Walker. H(pi) <= v", (Fraction(1, 10), True)),
        ("in (1/10, 1] minimal for forall pi : Walker. H(pi) <= v", (Fraction(1, 10), False)),
        ("in [1/2, 1] minimal for forall pi : Walker. H(pi) <= v", (Fraction(1, 2), True)),
        ("in [0, 20] minimal for forall pi : Walker. H(pi) >= 1/20 => J(pi) <= v", (8, True)),
        ("in [-50, 20] maximal for forall pi : Walker. J(pi) >= v", (7, True)),
        # fails for every value of the interval: at its open end, not attained (once attained there, and rejected by the checker)
        (f"in (0, 50] maximal for {NEAR} < 0", (0, False)),
        (f"in [0, 50] maximal for {NEAR} < 0", (0, True)),  # nobody is strictly nearer than 0
        (f"in (0, infinity) maximal for {NEAR} < 0", (0, False)),
        ("in [0, 1/20) minimal for forall pi : Walker. H(pi) <= v", (Fraction(1, 20), False)),
        ("in [0, 1] minimal for forall a, b : Walker. H(a) - H(b) <= v", (Fraction(1, 10), True)),
    ],
)
def test_thresholds(find: str, expected: tuple[object, bool | None], tmp_path: Path) -> None:
    assert threshold(find, tmp_path) == expected


@pytest.mark.parametrize(
    ("type", "expected"), [("", (1, True)), ("{ deterministic; memoryless }", (2, True)), ("{ memoryless }", (1, True))]
)
def test_the_threshold_depends_on_the_type(type: str, expected: tuple[int, bool], tmp_path: Path) -> None:
    assert threshold(f"in (0, 50] maximal for {NEAR} <= 1/20", tmp_path, type) == expected


def test_deterministic_policies_with_memory_are_enclosed(tmp_path: Path) -> None:
    """The threshold is 2, as without memory; nothing mixes here, but the search over histories only knows the mixtures' 1."""
    text = CROSSING.replace("TYPE", "{ deterministic }") + f"find v in (0, 50] maximal for {NEAR} <= 1/20\n"
    (verdict,) = verdicts_of(text, tmp_path).values()
    assert isinstance(verdict, Proved)
    assert verdict.value is not None
    assert verdict.value.lower is not None
    assert verdict.value.upper == 2
    assert 1 <= verdict.value.lower <= 2


@pytest.mark.parametrize("find", [f"in (0, 50] minimal for {NEAR} <= 1/20", "in [0, 1] maximal for forall pi : Walker. H(pi) <= v"])
def test_claims_that_are_not_monotone_that_way(find: str, tmp_path: Path) -> None:
    assert codes_of(f"{CROSSING.replace('TYPE', '')}find v {find}\n", tmp_path) == ["E408"]


@pytest.mark.parametrize(
    "find", ["in [1, 2] maximal for forall pi : Walker. J(pi) + v <= 9", "in [0, 1/20] minimal for forall pi : Walker. H(pi) <= v"]
)
def test_a_claim_that_holds_nowhere_in_the_interval(find: str, tmp_path: Path) -> None:
    """No value of the interval will do: that must not read as a threshold inside it that is attained."""
    (verdict,) = verdicts_of(f"{CROSSING.replace('TYPE', '')}find v {find}\n", tmp_path).values()
    if isinstance(verdict, Proved):
        assert verdict.value is not None
        assert not verdict.value.attained


def test_losing_for_ever_is_never_near(tmp_path: Path) -> None:
    """Who paces for ever is at minus infinity: only those who leave for the worse door set the margin."""
    world = """\
world W {
  var x : 0..2 = 0
  action pace when x == 0 { stay }
  action left when x == 0 { x' = 1 }
  action right when x == 0 { x' = 2 }
  deadlock absorbs
  reward pay { [pace]: -1
    [left]: -3
    [right]: -5 }
}
policies Walker over W TYPE
score J(pi : Walker) = E[pay, total]
"""
    assert threshold("in (0, 50] maximal for forall pi : Walker. near_optimal(J, pi, v) => P[F x == 1](pi) > 0", tmp_path, world=world) == (
        2,
        True,
    )
    assert threshold(
        "in (0, infinity) maximal for forall pi : Walker. near_optimal(J, pi, v) => P[F x > 0](pi) >= 1", tmp_path, world=world
    ) == (None, None)


# ---------------------------------------------------------------- several time scales

RISK = """\
world W {
  var x : 0..2 = 0
  action work when x == 0 { stay }
  action risk when x == 0 { 1/2: x' = 1; 1/2: x' = 2 }
  deadlock absorbs
  reward pay { [work]: 1
    [risk]: 5 }
}
policies Pi over W
score J(pi : Pi) = E[pay, discount 9/10]
score K(pi : Pi) = E[pay, discount 1/2]
score H(pi : Pi) = P[F x == 2]
"""


@pytest.mark.parametrize(
    ("claim", "expected"),
    [
        ("forall pi : Pi. near_optimal(J, pi, 1/100) => H(pi) <= 1/10", Refuted),  # risk late enough, and the discount hides it
        ("forall pi : Pi. J(pi) + 10 * H(pi) <= 14", Refuted),
        ("forall pi : Pi. J(pi) + 10 * H(pi) <= 151/10", Proved),
        ("forall pi : Pi. J(pi) + 10 * H(pi) < 15", Unknown),  # true: 15 is approached by working ever longer, and only bounded by depth
        ("forall pi : Pi. J(pi) + K(pi) <= 12", Proved),
        ("forall pi : Pi. J(pi) + K(pi) < 12", Refuted),
        ("forall pi : Pi. J(pi) + E[pay, horizon 3](pi) <= 15", Proved),
        ("forall pi : Pi. J(pi) + E[pay, horizon 3](pi) < 13", Refuted),
        ("forall pi : Pi. J(pi) >= 10 => P[F<=3 (x > 0)](pi) <= 0", Proved),
    ],
)
def test_mixed_time_scales(claim: str, expected: type, tmp_path: Path) -> None:
    (verdict,) = verdicts_of(f"{RISK}claim c: {claim}\n", tmp_path).values()
    assert type(verdict) is expected or (expected is Proved and isinstance(verdict, Unknown) and "12" in claim)
    if isinstance(verdict, Unknown):
        assert "time scales" in verdict.reason


@pytest.mark.parametrize("precision", [Fraction(1, 100), Fraction(1, 10**4)])
def test_enclosures_hold_the_true_threshold(precision: Fraction, tmp_path: Path) -> None:
    """sup J + 10 H = 15, approached by working ever longer: an interval around it, and a proof of the proved side."""
    (verdict,) = verdicts_of(
        f"{RISK}find v in [0, 100] minimal for forall pi : Pi. J(pi) + 10 * H(pi) <= v\n", tmp_path, precision=precision
    ).values()
    assert isinstance(verdict, Proved)
    assert verdict.value is not None
    low, high = verdict.value.lower, verdict.value.upper
    assert low is not None
    assert high is not None
    assert low <= 15 <= high
    assert high - low <= precision * 16
    derived = check(json.loads(json.dumps(verdict.proof)))
    assert derived.value == high
    assert not derived.exact


def test_a_threshold_that_a_type_only_approaches_is_enclosed(tmp_path: Path) -> None:
    """Memoryless: go to 1 with chance p < 1, meet both with chance p; the supremum 1 belongs to nobody.
    The proof of such an enclosure must not pretend to show where it breaks (once it did, and the checker rejected it)."""
    text = """\
world W {
  var x : 0..2 = 0
  action one when x == 0 { x' = 1 }
  action two when x == 0 { x' = 2 }
  action back when x == 1 { x' = 0 }
  deadlock absorbs
}
policies M over W { memoryless }
find v in [0, 2] minimal for forall pi : M. P[F x == 1 and F x == 2](pi) <= v
"""
    (verdict,) = verdicts_of(text, tmp_path).values()
    assert isinstance(verdict, Proved | Unknown)
    if isinstance(verdict, Proved):
        assert verdict.value is not None
        assert verdict.value.lower is not None
        assert verdict.value.upper is not None
        assert verdict.value.lower <= 1 <= verdict.value.upper
        assert verdict.proof["evidence"]["argument"]["breaks"] is None or verdict.value.lower == verdict.value.upper
