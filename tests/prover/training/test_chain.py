"""Whole chains: from evidence through storey 1 to a theorem about training, every verdict with its price."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest

from dsl.spec import Claim
from dsl.typecheck import load
from prover.checker.check import check
from prover.pipeline import stated
from prover.policies.named import workspace
from prover.training.bounds import clopper_pearson_lower
from prover.training.decide import stated_measure
from prover.training.exhibit import TrainingCounterexample
from prover.verdict import Holds, Proved, Refuted, Verdict
from tests.prover.training.lane import CHAIN, reason, verdicts, write_runs

RUNS = 'training T : Pi { runs "runs/*.json" confidence 99% }\n'
SAMPLES = "training T : Pi { samples 196 of 200 satisfy J(pi) <= 91/10 confidence 99% }\n"
COUNT = "196 of 200 samples satisfy J(pi) <= 91/10"
RULE = "claim tame_is_safe: forall pi : Pi. J(pi) <= 91/10 => Safe(pi)\n"


def held(verdict: Verdict) -> tuple[Fraction, tuple[str, ...]]:
    assert isinstance(verdict, Holds), verdict
    check(verdict.proof, permitted=frozenset(verdict.assumptions))
    return verdict.confidence, verdict.assumptions


def refuted(verdict: Verdict) -> TrainingCounterexample:
    assert isinstance(verdict, Refuted), verdict
    assert isinstance(verdict.counterexample, TrainingCounterexample)
    assert sum(verdict.counterexample.weights.values()) == 1
    assert json.loads(json.dumps(verdict.counterexample.to_json()))
    assert verdict.counterexample.lines()
    return verdict.counterexample


def test_a_chain_from_policy_files(tmp_path: Path) -> None:
    write_runs(tmp_path / "runs", ["0"] * 12 + ["1/20"] * 11 + ["1"])
    found = verdicts(tmp_path, RUNS + CHAIN)
    assert isinstance(found["tame_is_safe"], Proved)
    assert held(found["learns"]) == (Fraction(99, 100), ())
    assert held(found["safe_enough"]) == (Fraction(99, 100), ())


def test_the_proof_is_what_the_spec_states(tmp_path: Path) -> None:
    write_runs(tmp_path / "runs", ["0"] * 23 + ["1"])
    found = verdicts(tmp_path, RUNS + CHAIN)
    for name in ("learns", "safe_enough"):
        verdict = found[name]
        assert isinstance(verdict, Holds)
        claim, worlds = stated(tmp_path / "lane.spec", name)
        check(verdict.proof, claim=claim, worlds=worlds)


def test_the_claim_of_a_proof_is_recognised_without_proving(tmp_path: Path) -> None:
    write_runs(tmp_path / "runs", ["0"] * 50)
    text = """\
assume idle: P[pi ~ T](J(pi) >= 95/10) <= 1/2 because "no reason"
assume meek: forall pi : Pi. J(pi) <= 92/10 because "the others were thrown away"
claim shared: P[pi ~ T](J(pi) <= 91/10) > 89% and P[pi ~ T](Safe(pi)) > 89%
claim full: P[pi ~ T](J(pi) <= 91/10) > 90.5% and P[pi ~ T](Safe(pi)) > 90.5%
claim sure: P[pi ~ T](J(pi) <= 93/10) == 1
"""
    found = verdicts(tmp_path, RUNS + text)
    whole, _ = load(tmp_path / "lane.spec")
    context = workspace(whole, tmp_path)
    assert isinstance(found["sure"], Proved)
    assert found["sure"].assumptions == ("meek",)
    for statement in whole.statements:
        if isinstance(statement, Claim):
            verdict = found[statement.name]
            assert isinstance(verdict, (Proved, Holds))
            claim = verdict.proof["claim"]
            assert stated_measure(context, statement, lambda: None, claim)["claim"] == claim
            other = {**claim, "facts": []}
            assert stated_measure(context, statement, lambda: None, other)["claim"] != other


def test_every_run_counts(tmp_path: Path) -> None:
    """The bound of 23 of 24 at 99 % is 75.37... %, of 22 of 24 it is 68.3... %."""
    assert clopper_pearson_lower(23, 24, Fraction(1, 100)) > Fraction(7, 10) > clopper_pearson_lower(22, 24, Fraction(1, 100))
    write_runs(tmp_path / "runs", ["0"] * 22 + ["1"] * 2)
    shown = refuted(verdicts(tmp_path, RUNS + CHAIN)["safe_enough"])
    assert shown.weights.keys() == shown.policies.keys()


def test_runs_at_the_boundary_of_the_event(tmp_path: Path) -> None:
    """J = 91/10 exactly satisfies <= and not <."""
    write_runs(tmp_path / "runs", ["1/10"] * 30)
    found = verdicts(tmp_path, RUNS + "claim a: P[pi ~ T](J(pi) <= 91/10) > 80%\nclaim b: P[pi ~ T](J(pi) < 91/10) > 0\n")
    assert held(found["a"]) == (Fraction(99, 100), ())
    refuted(found["b"])


def test_two_questions_to_one_sample_share_its_delta_or_pay_twice(tmp_path: Path) -> None:
    write_runs(tmp_path / "runs", ["0"] * 50)
    both = "P[pi ~ T](J(pi) <= 91/10) > {p} and P[pi ~ T](Safe(pi)) > {p}"
    low, high = clopper_pearson_lower(50, 50, Fraction(1, 200)), clopper_pearson_lower(50, 50, Fraction(1, 100))
    assert low < Fraction(905, 1000) < high
    found = verdicts(tmp_path, RUNS + f"claim easy: {both.format(p='89%')}\nclaim hard: {both.format(p='90.5%')}\n")
    assert held(found["easy"])[0] == Fraction(99, 100)
    assert held(found["hard"])[0] == Fraction(98, 100)


def test_a_theorem_from_several_claims_pays_for_each_question(tmp_path: Path) -> None:
    write_runs(tmp_path / "runs", ["0"] * 50)
    text = """\
claim cheap: P[pi ~ T](J(pi) <= 91/10) > 90.5%
claim quick: P[pi ~ T](J(pi) <= 95/10 or J(pi) >= 99/10) > 90.5%
theorem both: P[pi ~ T](J(pi) <= 91/10) > 90.5% and P[pi ~ T](J(pi) <= 95/10 or J(pi) >= 99/10) > 90.5% by cheap, quick
"""
    found = verdicts(tmp_path, RUNS + text)
    assert held(found["cheap"])[0] == held(found["quick"])[0] == Fraction(99, 100)
    assert held(found["both"])[0] == Fraction(98, 100)


def test_a_count_made_elsewhere_is_an_assumption(tmp_path: Path) -> None:
    found = verdicts(tmp_path, SAMPLES + RULE + "theorem safe: P[pi ~ T](Safe(pi)) > 94%\n")
    assert held(found["safe"]) == (Fraction(99, 100), (COUNT,))


def test_distinct_samples_add_and_a_shared_one_counts_once(tmp_path: Path) -> None:
    text = """\
training T : Pi {
  samples 196 of 200 satisfy J(pi) <= 91/10 confidence 99%
  samples 100 of 100 satisfy J(pi) >= 901/100 confidence 98%
}
claim cheap: P[pi ~ T](J(pi) <= 91/10) > 94%
claim also_cheap: P[pi ~ T](J(pi) <= 91/10) >= 93%
claim paid: P[pi ~ T](J(pi) >= 901/100) > 96%
theorem both: P[pi ~ T](J(pi) <= 91/10 and J(pi) >= 901/100) > 90% by cheap, paid
theorem once: P[pi ~ T](J(pi) <= 91/10) > 93.5% by cheap, also_cheap
"""
    found = verdicts(tmp_path, text)
    assert held(found["cheap"])[0] == held(found["also_cheap"])[0] == Fraction(99, 100)
    assert held(found["paid"])[0] == Fraction(98, 100)
    assert held(found["both"])[0] == Fraction(97, 100)
    assert held(found["once"])[0] == Fraction(99, 100)


def test_by_restricts_what_may_be_used(tmp_path: Path) -> None:
    text = SAMPLES + RULE + "claim cheap: P[pi ~ T](J(pi) <= 91/10) > 94%\n" + "\n".join(
        f"theorem {name}: P[pi ~ T](Safe(pi)) > 94%{by}"
        for name, by in (("all", ""), ("named", " by tame_is_safe, cheap"), ("rule", " by tame_is_safe"), ("count", " by cheap"))
    )  # fmt: skip
    found = verdicts(tmp_path, text + "\n")
    for name in ("all", "named", "rule"):
        assert held(found[name]) == (Fraction(99, 100), (COUNT,))
    assert "name tame_is_safe" in reason(found["count"])


def test_by_needs_the_claim_that_fits(tmp_path: Path) -> None:
    text = RULE.replace("tame_is_safe", "other").replace("91/10", "90/10")
    found = verdicts(tmp_path, SAMPLES + text + RULE + "theorem safe: P[pi ~ T](Safe(pi)) > 94% by other\n")
    assert "tame_is_safe" in reason(found["safe"])


def test_arithmetic_needs_no_claim(tmp_path: Path) -> None:
    """Whoever breaks with at most 1/20 breaks with at most 1/10, in any world."""
    text = """\
training T : Pi { samples 99 of 100 satisfy P[F at == 3](pi) <= 1/20 confidence 99% }
claim irrelevant: forall pi : Pi. J(pi) >= 9
theorem safe: P[pi ~ T](Safe(pi)) > 90% by irrelevant
"""
    assert held(verdicts(tmp_path, text)["safe"])[0] == Fraction(99, 100)


def test_a_theorem_by_a_theorem_rests_on_what_that_rests_on(tmp_path: Path) -> None:
    text = "theorem first: P[pi ~ T](Safe(pi)) > 94% by tame_is_safe\ntheorem second: P[pi ~ T](not Safe(pi)) < 6% by first\n"
    found = verdicts(tmp_path, SAMPLES + RULE + text)
    assert held(found["second"]) == (Fraction(99, 100), (COUNT,))


def test_what_does_not_follow_is_refuted_by_a_training(tmp_path: Path) -> None:
    shown = refuted(verdicts(tmp_path, SAMPLES + RULE + "theorem safe: P[pi ~ T](Safe(pi)) > 95%\n")["safe"])
    assert any("Safe(pi)) = " in line for line in shown.explanation)


def test_assumptions_are_listed_and_only_those_needed(tmp_path: Path) -> None:
    text = """\
training T : Pi { }
assume learns: P[pi ~ T](J(pi) <= 91/10) >= 95% because "they said so"
assume meek: forall pi : Pi. J(pi) <= 92/10 because "the others were thrown away"
assume idle: P[pi ~ T](J(pi) >= 95/10) <= 1/2 because "no reason"
theorem most: P[pi ~ T](Safe(pi)) >= 95% by learns, idle, tame_is_safe
theorem all: P[pi ~ T](J(pi) <= 93/10) == 1
theorem unnamed: P[pi ~ T](J(pi) <= 93/10) == 1 by learns
theorem certain: P[pi ~ T](J(pi) >= 9) == 1
"""
    found = verdicts(tmp_path, RULE + text)
    for name, used in (("most", ("learns",)), ("all", ("meek",)), ("certain", ())):
        verdict = found[name]
        assert isinstance(verdict, Proved)
        assert verdict.assumptions == used
        check(verdict.proof, permitted=frozenset(used))
    assert "does not follow" in reason(found["unnamed"])


def test_assumptions_that_contradict_each_other_prove_nothing(tmp_path: Path) -> None:
    text = """\
training T : Pi { }
assume most: P[pi ~ T](J(pi) <= 91/10) >= 95% because "x"
assume few: P[pi ~ T](J(pi) <= 91/10) < 1/2 because "y"
theorem any: P[pi ~ T](J(pi) >= 95/10) > 1/2
"""
    assert "contradict" in reason(verdicts(tmp_path, text)["any"])


@pytest.mark.parametrize(
    ("claim", "outcome"),
    [
        ("P[pi ~ T](Safe(pi)) >= 3/4", Proved),
        ("P[pi ~ T](Safe(pi)) > 3/4", Refuted),
        ("P[pi ~ T](not Safe(pi)) == 1/4", Proved),
        ("P[pi ~ T](near_optimal(J, pi, 1/2) given not Safe(pi)) == 1/2", Proved),
        ("P[pi ~ T](near_optimal(J, pi, 51/100) given not Safe(pi)) == 1", Proved),
        ("P[pi ~ T](Safe(pi) given near_optimal(J, pi, 2)) == 3/4", Proved),
        ("P[pi ~ T](Safe(pi) given J(pi) > 10) <= 1", Refuted),
        ("P[pi ~ T](Safe(pi) given not Safe(pi)) == 0", Proved),
        ("E[pi ~ T](J(pi)) == 9 + 3/16", Proved),
        ("E[pi ~ T](max(J) - J(pi)) > 13/16", Refuted),
        ("E[pi ~ T](2 * J(pi)) - 8 * P[pi ~ T](J(pi) == 10) >= 17 + 3/8", Proved),
        ("P[pi ~ T](Safe(pi)) > 3/4 or (P[pi ~ T](J(pi) > J(half)) == 1/8 and not (E[pi ~ T](J(pi)) > 10))", Proved),
    ],
)
def test_a_mixture_is_exact(tmp_path: Path, claim: str, outcome: type) -> None:
    verdict = verdicts(tmp_path, f"training T : Pi {{ mixture {{ 3/4: tame; 1/8: half; 1/8: wild; 0: wild }} }}\nclaim c: {claim}\n")["c"]
    assert isinstance(verdict, outcome), verdict
    if isinstance(verdict, Proved):
        assert check(verdict.proof).confidence_lost == 0
        assert verdict.assumptions == ()
    else:
        assert refuted(verdict).weights == {"tame": Fraction(3, 4), "half": Fraction(1, 8), "wild": Fraction(1, 8)}


def test_conditional_probabilities_from_a_sample(tmp_path: Path) -> None:
    """Storey 1 proves the implication; only that the condition is possible rests on the sample."""
    write_runs(tmp_path / "runs", ["0"] * 60 + ["3/20"])
    text = """\
claim implied: P[pi ~ T](Safe(pi) given J(pi) <= 91/10) == 1
claim counted: P[pi ~ T](J(pi) <= 9 given Safe(pi)) > 80%
claim too_much: P[pi ~ T](J(pi) <= 9 given Safe(pi)) > 99%
"""
    found = verdicts(tmp_path, RUNS + text)
    assert held(found["implied"])[0] == Fraction(99, 100)
    assert held(found["counted"])[0] in (Fraction(99, 100), Fraction(98, 100))
    refuted(found["too_much"])
