"""Storey 1 from spec to verdict: quantifiers, boundaries, several types and worlds, notes and thresholds; every proof is checked again."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest

from prover.checker.check import check
from prover.verdict import Proved, Refuted, Unknown
from tests.prover.build_spec import verdicts_of

# Right with chance q: J = 1 + 2q, H = 2q / 3.
SPEC = """\
world W {
  var x : 0..2 = 0
  action left when x == 0 { x' = 1 }
  action right when x == 0 { 1/3: x' = 1; 2/3: x' = 2 }
  deadlock absorbs
  reward pay { [left]: 1
    [right]: 3 }
}
world V {
  var n : 0..3 = 0
  action up when n < 3 { n' = n + 1 }
  action wait { stay }
  reward steps { [up]: 1 }
}
policies Pi over W
policies Qi over V
policies Dm over W { deterministic; memoryless }
score J(pi : Pi) = E[pay, total]
score H(pi : Pi) = P[F x == 2]
score N(q : Qi) = E[steps, total]
score D(d : Dm) = E[pay, total]
policy sure : Pi = { else: left }
policy half : Pi = { when x == 0: { 1/2: left; 1/2: right }; else: left }
"""
PROVED, REFUTED = Proved, Refuted


def verdict_of(claim: str, folder: Path) -> Proved | Refuted | Unknown:
    found = verdicts_of(f"{SPEC}claim c: {claim}\n", folder)["c"]
    if isinstance(found, Proved):
        assert check(json.loads(json.dumps(found.proof))).name == "c"
    return found  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("claim", "expected"),
    [
        # strict and not strict, at the boundary of what can be achieved
        ("forall pi : Pi. J(pi) <= 3", PROVED),
        ("forall pi : Pi. J(pi) < 3", REFUTED),
        ("forall pi : Pi. 1 <= J(pi) and H(pi) >= 0", PROVED),
        ("forall pi : Pi. J(pi) > 1", REFUTED),
        ("forall pi : Pi. J(pi) == 1 + 3 * H(pi)", PROVED),
        ("forall pi : Pi. J(pi) != 2", REFUTED),
        ("forall d : Dm. D(d) != 2", PROVED),
        ("forall pi : Pi. J(pi) >= 2 => H(pi) >= 1/3", PROVED),
        ("forall pi : Pi. J(pi) >= 2 => H(pi) > 1/3", REFUTED),
        ("forall pi : Pi. J(pi) > 2 => H(pi) > 1/3", PROVED),
        ("forall pi : Pi. near_optimal(J, pi, 1) => H(pi) > 1/3", PROVED),
        ("forall pi : Pi. max(J) - J(pi) <= 1 => H(pi) > 1/3", REFUTED),
        ("forall d : Dm. max(D) - D(d) < 2 => D(d) == 3", PROVED),
        ("forall d : Dm. max(D) - D(d) <= 2 => D(d) == 3", REFUTED),
        # existence: a witness, or a proof that there is none
        ("exists pi : Pi. J(pi) == 2", PROVED),
        ("exists pi : Pi. J(pi) == 2 and H(pi) > 1/3", REFUTED),
        ("exists pi : Pi. H(pi) == 2/3 and J(pi) == max(J)", PROVED),
        ("exists d : Dm. D(d) == 2", REFUTED),
        ("exists d : Dm. D(d) == max(D)", PROVED),
        ("exists a, b : Pi. J(a) == J(b) + 2", PROVED),
        ("exists a, b : Pi. J(a) > J(b) + 2", REFUTED),
        # several policies, named ones, several worlds
        ("forall a, b : Pi. J(a) < J(b) => H(a) < H(b)", PROVED),
        ("forall a, b : Pi. J(a) <= J(b) => H(a) < H(b)", REFUTED),
        ("forall a, b, c : Pi. J(a) < J(b) and J(b) < J(c) => H(c) - H(a) > H(b) - H(a)", PROVED),
        ("J(half) == 2 and H(half) == 1/3 and J(sure) == min(J)", PROVED),
        ("J(half) > 2", REFUTED),
        ("forall pi : Pi. J(pi) >= J(half) or J(pi) < 2", PROVED),
        ("exists pi : Pi. J(pi) > J(half) and H(pi) < 2/3", PROVED),
        ("max(J) - min(J) == 2", PROVED),
        ("max(J) < 3", REFUTED),
        ("max(N) == 3 and min(N) == 0", PROVED),
        ("true", PROVED),
        ("forall pi : Pi. J(pi) <= 3 or false", PROVED),
    ],
)
def test_claims(claim: str, expected: type, tmp_path: Path) -> None:
    assert type(verdict_of(claim, tmp_path)) is expected


def test_policies_of_two_worlds_in_one_claim(tmp_path: Path) -> None:
    assert isinstance(verdict_of("J(half) + max(N) == 5", tmp_path), Proved)


def test_the_witness_is_in_the_proof(tmp_path: Path) -> None:
    verdict = verdict_of("exists a, b : Pi. J(a) == J(b) + 2", tmp_path)
    assert isinstance(verdict, Proved)
    argument = verdict.proof["evidence"]["argument"]
    assert argument["kind"] == "witness"
    assert [name for name, _ in argument["policies"]] == ["a", "b"]


def test_a_refuted_existence_says_so(tmp_path: Path) -> None:
    verdict = verdict_of("exists pi : Pi. J(pi) > 3", tmp_path)
    assert isinstance(verdict, Refuted)
    assert verdict.counterexample.policies == {}
    assert "accepted by the checker" in verdict.counterexample.explanation[0]


def test_optima_are_noted(tmp_path: Path) -> None:
    verdict = verdict_of("forall pi : Pi. J(pi) <= max(J) and H(pi) <= max(H)", tmp_path)
    assert isinstance(verdict, Proved)
    assert verdict.note is not None
    assert "max(J) = 3" in verdict.note
    assert "max(H) = 2/3" in verdict.note


@pytest.mark.parametrize("method", ["auto", "lazy", "smt", "both"])
def test_methods(method: str, tmp_path: Path) -> None:
    text = f"{SPEC}claim yes: forall pi : Pi. J(pi) <= 3\nclaim no: forall pi : Pi. J(pi) < 3\nclaim some: exists pi : Pi. J(pi) >= 3\n"
    found = verdicts_of(text, tmp_path, method=method)
    assert {name: type(v) for name, v in found.items()} == {"yes": Proved, "no": Refuted, "some": Proved}


def test_a_find_shows_where_it_breaks(tmp_path: Path) -> None:
    text = f"{SPEC}find eps in (0, 50] maximal for forall pi : Pi. near_optimal(J, pi, eps) => H(pi) > 1/3\n"
    verdict = verdicts_of(text, tmp_path)["eps"]
    assert isinstance(verdict, Proved)
    assert verdict.value is not None
    assert (verdict.value.lower, verdict.value.upper, verdict.value.attained) == (1, 1, True)
    assert verdict.note is not None
    assert "behind it the claim fails, for example:" in verdict.note
    derived = check(json.loads(json.dumps(verdict.proof)))
    assert (derived.value, derived.attained, derived.exact) == (Fraction(1), True, True)


def test_a_claim_that_is_true_of_no_policy_of_a_world_with_nothing_to_decide(tmp_path: Path) -> None:
    text = """\
world W {
  var x : bool = false
  action go { x' = true }
}
policies Pi over W
claim yes: forall pi : Pi. P[X x](pi) == 1
claim no: exists pi : Pi. P[X x](pi) < 1
"""
    assert {name: type(v) for name, v in verdicts_of(text, tmp_path).items()} == {"yes": Proved, "no": Refuted}
