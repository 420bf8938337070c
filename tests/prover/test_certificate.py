"""Proof documents: what they carry, that the checker takes them as JSON, and that a prover's slip makes the checker refuse them."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dsl.diagnostic import SpecError
from prover.certificate import refutation
from prover.checker.check import check
from prover.checker.document import Rejected
from prover.policies.decide import decide
from prover.policies.modulo import Counterexample
from prover.policies.theory import Stuck
from prover.verdict import Proved
from tests.prover import brute, random_claims
from tests.prover.build_spec import few, query_of, verdicts_of

SPEC = """\
enum Mood { calm, angry }
world W {
  var x : 0..2 = 0
  var mood : Mood = calm
  var hit : bool = false
  init { 1/4: x = 1; 3/4: x = 0 }
  action go when x < 2 { 2/3: x' = x + 1; 1/3: hit' = true, mood' = angry, x' = 2 }
  action wait when x < 2 { stay }
  deadlock absorbs
  reward pay { [go]: 1
    [wait]: -1/2 }
}
policies Pi over W
score J(pi : Pi) = E[pay, total]
property Safe(pi : Pi) = P[F hit] <= 5/9
claim c: forall pi : Pi. near_optimal(J, pi, 1) => Safe(pi)
"""


def proof_of(text: str, folder: Path) -> dict[str, Any]:
    (verdict,) = verdicts_of(text, folder).values()
    assert isinstance(verdict, Proved)
    found: dict[str, Any] = json.loads(json.dumps(verdict.proof))
    return found


def test_the_world_as_the_file_writes_it(tmp_path: Path) -> None:
    world = proof_of(SPEC, tmp_path)["worlds"][0]
    assert world["variables"] == [["x", "0..2"], ["mood", "calm|angry"], ["hit", "bool"]]
    assert world["initial"] == [[0, "1/4"], [1, "3/4"]]
    assert world["states"][:2] == [[1, "calm", False], [0, "calm", False]]
    assert [atom["text"] for atom in world["atoms"]] == ["hit"]
    assert all(world["states"][s][2] for s in world["atoms"][0]["states"])
    assert set(world["rewards"]["pay"]["values"]) == {"0", "1", "-1/2"}


def test_everything_is_written_once(tmp_path: Path) -> None:
    evidence = proof_of(SPEC, tmp_path)["evidence"]
    for part in ("products", "lemmas", "policies"):
        shown = [json.dumps(item, sort_keys=True) for item in evidence[part]]
        assert len(set(shown)) == len(shown)
    assert {lemma["rule"] for lemma in evidence["lemmas"]} >= {"well-defined", "bound"}
    assert len(evidence["optima"]) == 1


def change(document: dict[str, Any], path: list[Any], value: Any) -> dict[str, Any]:
    changed = deepcopy(document)
    target = changed
    for key in path[:-1]:
        target = target[key]
    assert target[path[-1]] != value
    target[path[-1]] = value
    return changed


SLIPS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "a stronger claim": lambda d: change(d, ["claim", "body"], ["false"]),
    "a start that is too much": lambda d: change(d, ["worlds", 0, "initial"], [[0, "3/4"], [1, "1/2"]]),
    "a probability": lambda d: change(d, ["worlds", 0, "probabilities", 0], "1/7"),
    "no tree": lambda d: change(d, ["evidence", "argument", "tree"], ["closed"]),
    "no optimum": lambda d: change(d, ["evidence", "optima"], [[None, None]]),
    "no lemmas": lambda d: change(d, ["evidence", "lemmas"], []),
    "another format": lambda d: change(d, ["format"], "twostep-proof 2"),
}


@pytest.mark.parametrize("slip", SLIPS)
def test_slips_are_refused(slip: str, tmp_path: Path) -> None:
    document = proof_of(SPEC, tmp_path)
    assert check(document).kind == "forall"
    with pytest.raises(Rejected):
        check(SLIPS[slip](document))


def test_every_potential_matters(tmp_path: Path) -> None:
    """A used bound with any one entry lowered is no bound any more, or proves too little."""
    document = proof_of(SPEC, tmp_path)
    refused = 0
    for k, lemma in enumerate(document["evidence"]["lemmas"]):
        for t, tail in enumerate(lemma.get("tails", ())):
            for n, value in enumerate(tail["potential"]):
                if value is not None:
                    with pytest.raises(Rejected):
                        check(change(document, ["evidence", "lemmas", k, "tails", t, "potential", n], str(Fraction(value) - 1)))
                    refused += 1
    assert refused


KINDS = ["endless", "bounded", "discount", "mixture"]


@pytest.mark.parametrize("restrict", random_claims.RESTRICTIONS)
def test_whatever_is_proved_is_accepted(restrict: str, tmp_path: Path) -> None:
    """Random worlds and claims, loops that lose included: the checker takes every proof that the search comes to."""
    seen = []

    @few(60)
    @given(st.randoms(use_true_random=False))
    def run(rng: Random) -> None:
        kind = rng.choice(KINDS)
        world = random_claims.world(rng, kind == "endless" and rng.random() < 0.5)
        objectives = list(dict.fromkeys(random_claims.objective(rng, kind) for _ in range(rng.randint(1, 2))))
        players = ("pi",) if rng.random() < 0.7 else ("pi", "rho")
        text = brute.text(world, objectives, random_claims.claim(rng, len(objectives), players), restrict, variables=players)
        try:
            context, query = query_of(text, tmp_path)
            decided = decide(context, query, lambda: None)
        except SpecError:
            assume(False)
            raise
        if isinstance(decided.outcome, Counterexample | Stuck):
            return
        proof = refutation(context, query, decided.theory, decided.optima, decided.outcome, "c", "text")
        derived = check(json.loads(json.dumps(proof)))
        assert derived.kind == "forall"
        seen.append(derived)

    run()
    assert len(seen) >= 10
