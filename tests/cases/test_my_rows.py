"""Small problems of many kinds against an oracle that tries every policy, in every class; and problems that have no answer."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from prover.verdict import Proved, Refuted, Unknown
from tests.cases.convert import ABOVE, Answer, claim_text, statements_of
from tests.cases.oracle import IllPosed, Problem, answer, replayed, spec
from tests.cases.rows import MEMORYLESS, ROWS, hit, random_problem, scored
from tests.cases.verdicts import decide, require_answer

SEEDS = [*range(30), 126, 149, 203, 208]  # the last four are ill-posed


def check(problem: Problem, policy_class: str, right: Answer, folder: Path) -> None:
    """Every statement, and every counterexample once more by the oracle's own reading of its policy."""
    eps = Fraction(1, 3) if right.margin is None else right.margin / 2 + ABOVE
    report = decide(spec(problem, policy_class, [f"claim stated: {claim_text('>', eps)}", *statements_of(right)]), folder)
    require_answer(report, right, right.holds(">", eps))
    premises = {"above_margin": (right.margin or 0) + ABOVE, "closed_at_margin": right.margin, "all_safe": None, "stated": eps}
    for result in report.results:
        if isinstance(result.verdict, Refuted):
            score, values = replayed(problem, result.verdict.counterexample.policies["pi"].document)
            assert not problem.is_safe(values), result.name
            gap = premises[result.name]
            if gap is not None:
                assert score is not None
                assert right.optimum - score < gap or (result.name == "closed_at_margin" and right.optimum - score == gap)


@pytest.mark.parametrize("policy_class", ["HR", "DM"])
@pytest.mark.parametrize("name", ROWS)
def test_row(name: str, policy_class: str, tmp_path: Path) -> None:
    check(ROWS[name], policy_class, answer(ROWS[name], policy_class), tmp_path)


@pytest.mark.parametrize("name", MEMORYLESS)
def test_stochastic_memoryless(name: str, tmp_path: Path) -> None:
    check(ROWS[name], "SM", MEMORYLESS[name], tmp_path)


@pytest.mark.parametrize("seed", SEEDS)
def test_random(seed: int, tmp_path: Path) -> None:
    problem = random_problem(seed)
    for policy_class in ("HR", "DM"):
        try:
            right = answer(problem, policy_class)
        except IllPosed:
            report = decide(spec(problem, policy_class, [f"claim stated: {claim_text('>', '1')}"]), tmp_path)
            assert [d.code for d in report.diagnostics] in (["E310"], ["E311"])
            assert not report.results
        else:
            check(problem, policy_class, right, tmp_path)


def test_irrational_threshold(tmp_path: Path) -> None:
    """Dare with chance q in both of two steps: J = (1 - q)(2 - q/2), and the risk 1 - (1 - q/2)^2 is over 1/2 iff q > 2 - sqrt(2).

    So eps* = 2 - sqrt(1/2): whatever is answered must be true of it.
    """
    problem = scored("horizon 2", hit("<=", "1/2", steps=2), "m dare 0 bad 1/2 m 1/2", "m rest 1 m", start="m")
    find = "find margin in [0, infinity) maximal for forall pi : Pi. near_optimal(J, pi, margin) => Safe(pi)"
    claims = [f"claim below: {claim_text('>', '1292/1000')}", f"claim above: {claim_text('>', '1293/1000')}"]
    below, above, margin = (result.verdict for result in decide(spec(problem, "SM", [*claims, find]), tmp_path).results)
    assert isinstance(below, Proved | Unknown)
    assert isinstance(above, Refuted | Unknown)
    assert isinstance(margin, Proved | Unknown)
    if margin.value is not None:
        low, high = margin.value.lower, margin.value.upper
        assert low is None or (2 - low) ** 2 > Fraction(1, 2)
        assert high is None or (2 - high) ** 2 < Fraction(1, 2)
