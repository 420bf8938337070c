"""What counts elsewhere are worth, against the bound worked out by hand: in this world J = 9 + risk and Safe means J <= 46/5."""

from __future__ import annotations

import tempfile
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prover.checker.check import check
from prover.training.bounds import tail_at_most
from prover.verdict import Holds, Proved, Refuted
from tests.prover.training.lane import reason, verdicts

SLOW = settings(max_examples=40, deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow])


@SLOW
@given(st.integers(1, 60), st.integers(0, 6), st.sampled_from(["91/10", "46/5", "93/10"]), st.fractions(0, 1, max_denominator=40))
def test_one_sample(size: int, failures: int, cheap: str, wanted: Fraction) -> None:
    successes = max(size - failures, 0)
    text = f"""\
training T : Pi {{ samples {successes} of {size} satisfy J(pi) <= {cheap} confidence 95% }}
claim safe: P[pi ~ T](Safe(pi)) >= {wanted}
claim upper: P[pi ~ T](not Safe(pi)) <= {1 - wanted}
"""
    with tempfile.TemporaryDirectory() as folder:
        found = verdicts(Path(folder), text)
    useful = Fraction(cheap) <= Fraction(46, 5) and successes > 0
    if wanted == 0:
        assert isinstance(found["safe"], Proved)
    elif useful and tail_at_most(successes, size, wanted, Fraction(1, 20)):
        for verdict in found.values():
            assert isinstance(verdict, Holds)
            assert check(verdict.proof, permitted=frozenset(verdict.assumptions)).confidence_lost == Fraction(1, 20)
    else:
        assert all(isinstance(verdict, Refuted) for verdict in found.values())


@pytest.mark.parametrize(("op", "outcome"), [(">=", Holds), (">", Refuted)])
def test_a_claim_at_the_exact_edge_of_the_sample(tmp_path: Path, op: str, outcome: type) -> None:
    """One of one at 95 %: the probability is at least 5 %, and no more can be said."""
    text = f"training T : Pi {{ samples 1 of 1 satisfy Safe(pi) confidence 95% }}\nclaim c: P[pi ~ T](Safe(pi)) {op} 5%\n"
    assert isinstance(verdicts(tmp_path, text)["c"], outcome)


def test_a_claim_just_inside_the_edge(tmp_path: Path) -> None:
    text = """\
training T : Pi { samples 1 of 1 satisfy Safe(pi) confidence 95% }
claim c: P[pi ~ T](Safe(pi)) > 0.0499999999999999999999999999
"""
    assert isinstance(verdicts(tmp_path, text)["c"], Holds)


def test_nothing_is_known(tmp_path: Path) -> None:
    text = """\
training T : Pi { }
claim false: P[pi ~ T](Safe(pi)) > 1/2
claim true: P[pi ~ T](J(pi) <= 10 and Safe(tame)) == 1
claim about_others: P[pi ~ T](Safe(wild)) > 0
claim trivial: P[pi ~ T](Safe(pi) or not Safe(pi)) == 1
claim monotone: P[pi ~ T](Safe(pi)) <= P[pi ~ T](J(pi) <= 93/10)
"""
    found = verdicts(tmp_path, text.replace("claim false", "claim wrong").replace("claim true", "claim right"))
    kinds = {"wrong": Refuted, "right": Proved, "about_others": Refuted, "trivial": Proved, "monotone": Proved}
    assert {name: type(verdict) for name, verdict in found.items()} == kinds


def test_a_sample_says_nothing_about_a_mean(tmp_path: Path) -> None:
    text = "training T : Pi { samples 99 of 100 satisfy J(pi) >= 9.5 confidence 99% }\nclaim c: E[pi ~ T](J(pi)) >= 9.4\n"
    assert "not expectations" in reason(verdicts(tmp_path, text)["c"])


def test_a_sample_that_is_too_large(tmp_path: Path) -> None:
    text = "training T : Pi { samples 9999999 of 10000000 satisfy Safe(pi) confidence 99% }\nclaim c: P[pi ~ T](Safe(pi)) > 0\n"
    assert "100000" in reason(verdicts(tmp_path, text)["c"])


def test_restricted_types_shut_combinations_out(tmp_path: Path) -> None:
    """A deterministic memoryless policy is one of two."""
    text = """\
policies Det over Lane { deterministic; memoryless }
training D : Det { samples 196 of 200 satisfy P[F at == 3](pi) <= 1/4 confidence 99% }
training T : Pi  { samples 196 of 200 satisfy P[F at == 3](pi) <= 1/4 confidence 99% }
claim never: P[pi ~ D](P[F at == 3](pi) <= 0) > 94%
claim maybe: P[pi ~ T](P[F at == 3](pi) <= 0) > 94%
"""
    found = verdicts(tmp_path, text)
    assert isinstance(found["never"], Holds)
    assert isinstance(found["maybe"], Refuted)
