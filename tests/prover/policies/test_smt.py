"""The layer over z3: four answers, exact numbers; and the master that chooses implicants, against the normal form."""

from __future__ import annotations

import time
from fractions import Fraction
from pathlib import Path
from random import Random

import pytest

from dsl.diagnostic import SpecError
from prover.policies import modulo
from prover.policies.constraints import Linear, System, neg, row
from prover.policies.decide import decide
from prover.policies.modulo import Counterexample
from prover.policies.smt import Algebraic, Sat, Session, SolverUnknown, TimedOut, Unsat, minimum, rational
from tests.prover import brute, random_claims
from tests.prover.test_methods_agree import clock, load_text


def linear(constant: object, **coefficients: object) -> Linear:
    return Linear({name: Fraction(c) for name, c in coefficients.items()}, Fraction(constant))  # type: ignore[arg-type]


def system(*formulas: tuple) -> System:
    made = System()
    for formula in formulas:
        made.add(formula)
    return made


def test_sat_has_exact_values() -> None:
    tiny = Fraction(1, 10**400)
    answer = Session(system(row(linear(-tiny, x=1), "="))).check()
    assert isinstance(answer, Sat)
    assert answer.model.value("x") == tiny


def test_long_numbers_come_back_or_are_refused() -> None:
    product = system(*(row(linear(-(10**3000), **{name: 1}), "=") for name in "ab"), ("times", "x", "a", "b"))
    answer = Session(product).check()
    assert isinstance(answer, Sat)
    assert answer.model.value("x") == 10**6000
    with pytest.raises(SolverUnknown):
        rational(Fraction(10**5000))


def test_unsat_is_strict() -> None:
    assert isinstance(Session(system(row(linear(-1, x=1), "<="), row(linear(1, x=-1), "<"))).check(), Unsat)
    assert isinstance(Session(system(row(linear(-1, x=1), "<="), row(linear(1, x=-1), "<="))).check(), Sat)


def test_assumptions_are_taken_back() -> None:
    session = Session(system(row(linear(-1, x=1), "<=")))
    assert isinstance(session.check([row(linear(2, x=-1), "<=")]), Unsat)
    assert isinstance(session.check(), Sat)


def test_a_deadline_in_the_past() -> None:
    assert isinstance(Session(system(), time.monotonic() - 1).check(), TimedOut)


def test_irrational_values_are_noticed() -> None:
    answer = Session(system(("times", "two", "x", "x"), row(linear(-2, two=1), "="), row(linear(0, x=-1), "<"))).check()
    assert isinstance(answer, Sat)
    with pytest.raises(Algebraic):
        answer.model.value("x")
    assert abs(answer.model.near("x") ** 2 - 2) < Fraction(1, 10**20)


def test_minimum_tells_attained_from_approached() -> None:
    closed = system(row(linear(Fraction(1, 3), x=-1), "<="))
    open_ = system(row(linear(Fraction(1, 3), x=-1), "<"))
    x = linear(0, x=1)
    assert minimum(closed, x) == (Fraction(1, 3), True)
    assert minimum(open_, x) == (Fraction(1, 3), False)
    assert isinstance(minimum(system(row(linear(0, x=1), "<"), row(linear(0, x=-1), "<")), x), Unsat)
    assert "no lower bound" in minimum(system(), x).reason  # type: ignore[union-attr]


def test_negation_of_rows() -> None:
    for op in ("<", "<="):
        formula = row(linear(-1, x=2), op)
        assert isinstance(Session(system(formula, neg(formula))).check(), Unsat)
    assert isinstance(Session(system(neg(row(linear(-1, x=2), "=")), row(linear(-1, x=2), "<="))).check(), Sat)


# ---------------------------------------------------------------- the master


def verdict(text: str, path: Path) -> str:
    context, query = load_text(text, path)
    try:
        outcome = decide(context, query, clock(30)).outcome
    except SpecError as refused:
        return str(refused.diagnostics[0].code)
    return "fails" if isinstance(outcome, Counterexample) else "holds" if isinstance(outcome, tuple) else outcome.reason


@pytest.mark.parametrize("seed", range(40))
def test_the_master_agrees_with_the_normal_form(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = Random(seed)
    world = random_claims.world(rng, False)
    objectives = [("F", "bad"), ("F", "goal"), ("total",)]
    claim = random_claims.boolean(rng, 3, ("pi",), 4, True)
    text = brute.text(world, objectives, claim, rng.choice(random_claims.RESTRICTIONS))
    plain = verdict(text, tmp_path / "a.spec")
    monkeypatch.setattr(modulo, "MAX_IMPLICANTS", 0)
    chosen = verdict(text, tmp_path / "b.spec")
    assert chosen == plain or not {chosen, plain} <= {"holds", "fails"}


@pytest.mark.parametrize("seed", range(6))
def test_twelve_inequalities(seed: int, tmp_path: Path) -> None:
    """More clauses than the normal form may have: six disjunctions of two, under one implication."""
    rng = Random(1000 + seed)
    world = random_claims.world(rng, False)
    objectives = [("F", "bad"), ("F", "goal"), ("X", "goal")]
    pairs = [("or", *(random_claims.atom(rng, 3, ("pi",), False) for _ in range(2))) for _ in range(6)]
    claim = pairs[0]
    for pair in pairs[1:]:
        claim = ("and", claim, pair)
    claim = ("=>", claim, random_claims.safe(rng, 2, "pi"))
    known = brute.Brute(world, objectives).answer(claim, ("pi",), "")
    found = verdict(brute.text(world, objectives, claim), tmp_path / "a.spec")
    assert known is not None
    assert found == ("holds" if known else "fails")
