"""Three methods on random claims: the search modulo policies, the direct encodings, and enumeration."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from random import Random

import pytest
from flint import fmpq
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from dsl.diagnostic import SpecError
from dsl.typecheck import load
from prover.policies import modulo
from prover.policies.arena import controller_of
from prover.policies.context import Context
from prover.policies.controller import Controller
from prover.policies.decide import Decided, Found, Stage, decide, find, stages
from prover.policies.encode import Direct, DirectCounterexample, Edge, direct, threshold
from prover.policies.modulo import Counterexample
from prover.policies.named import workspace
from prover.policies.query import Builder, Query, ValueOf, interval
from prover.policies.theory import Stuck
from tests.prover import brute, random_claims

SCALE = int(os.environ.get("TWOSTEP_WORLDS", "10"))  # 10: about a thousand worlds in all
SLOW = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large]
FAST = settings(max_examples=6 * SCALE, derandomize=True, deadline=None, database=None, suppress_health_check=SLOW)
SECONDS = 5
SOURCES = st.one_of(st.randoms(use_true_random=False), st.integers(0, 2**32).map(Random))


def load_text(text: str, path: Path, which: int = 0) -> tuple[Context, Query]:
    path.write_text(text, encoding="utf-8")
    spec, _ = load(path)
    statement = spec.statements[which]
    builder = Builder(spec, statement.body.variables)
    if hasattr(statement, "low"):
        return workspace(spec, path.parent), builder.query("find", builder.skeleton(statement.body.body), interval(statement))
    return workspace(spec, path.parent), builder.query("forall", builder.skeleton(statement.body.body))


def clock(seconds: float = SECONDS):
    end = time.monotonic() + seconds

    def check() -> None:
        if time.monotonic() > end:
            raise modulo.Timeout

    return check


def staged(context: Context, query: Query, deepest: int = 2) -> Iterator[Stage]:
    for make in stages(context, query, clock())[:deepest]:
        yield make()


def lazily(context: Context, query: Query) -> str:
    """"holds", "fails" or "unknown: ..."; counterexamples are evaluated once more."""
    try:
        decided = decide(context, query, clock())
    except modulo.Timeout:
        return "unknown: out of time"
    outcome = decided.outcome
    if isinstance(outcome, Stuck):
        return f"unknown: {outcome.reason}"
    if not isinstance(outcome, Counterexample):
        return "holds"
    problem = Direct(context, next(staged(context, query)), None)
    if any(problem.refutes(full, None) for full in completions(decided, outcome)):
        return "fails"
    assert any(subtracts(problem, k) for k in range(len(query.inequalities))), "the counterexample does not refute the claim"
    return "unknown: infinity minus infinity"


def subtracts(problem: Direct, index: int) -> bool:
    """Can the inequality come to subtract infinity from infinity?"""
    pushes = set()
    for c, term in problem.query.inequalities[index].terms:
        if isinstance(term, ValueOf):
            sign = problem.flaggable[term.policy].get(problem.column[term.policy][term.stream])
            pushes |= set() if sign is None else {c * sign > 0}
    return len(pushes) == 2


def completions(decided: Decided, outcome: Counterexample) -> Iterator[dict[str, Controller]]:
    """The counterexample, and with some policy for the players that it leaves out."""
    yield dict(outcome.controllers)
    missing = [p for p, _ in decided.query.players if p not in outcome.controllers]
    if missing:
        arena = decided.theory.arenas[missing[0]]
        for weight in (0, 1, -1):
            for i in range(len(arena.product.streams)):
                arena.sup({i: fmpq(weight)}, frozenset(), {})
        for point in arena.points:
            yield {**outcome.controllers, **dict.fromkeys(missing, controller_of(point))}


def directly(context: Context, query: Query) -> str:
    answer: str | DirectCounterexample = "unknown: no stage"
    for stage in staged(context, query):
        answer = direct(context, stage, time.monotonic() + SECONDS)
        if isinstance(answer, DirectCounterexample):
            return "fails"
        if answer == "holds":
            return answer
    return str(answer)


def verdicts(text: str, path: Path) -> dict[str, str]:
    try:
        context, query = load_text(text, path)
        first = lazily(context, query)
    except SpecError:
        assume(False)
        raise
    return {"lazy": first, "direct": directly(context, query)}


def agree(world: brute.World, objectives: list[tuple], claim: tuple, restrict: str, variables: tuple[str, ...], path: Path) -> None:
    text = brute.text(world, objectives, claim, restrict, variables=variables)
    found = verdicts(text, path)
    known = brute.Brute(world, objectives).answer(claim, variables, restrict)
    if known is not None:
        found["brute"] = "holds" if known else "fails"
    settled = {verdict for verdict in found.values() if verdict in ("holds", "fails")}
    assert len(settled) <= 1, f"{found}\n{text}"


# Where a method once was wrong: what it overlooked, the claim, its verdict.
RING = """
world W {
  var at : 0..2
  init { 1: at = 0 }
  action a when at == 0 { 1: at' = 1 }
  action a when at == 1 { 1: at' = 2 }
  action b when at == 1 { 1: at' = 1 }
  action a when at == 2 { 1: at' = 0 }
  reward pay { [b]: -1 }
  label home = at == 0
}
policies Pi over W
policies Fixed over W { deterministic; memoryless }
"""
FOUND = [
    ("a probability is earned on the way into a closed set", "claim c: forall pi : Fixed. P[G home](pi) <= 1/10", "holds"),
    ("likewise, with what recurs there", "claim c: forall pi : Fixed. P[G home](pi) < P[F G home](pi) + 1", "holds"),
    ("a discounted reward may be paid for ever", "claim c: forall pi : Fixed. E[pay, discount 1/2](pi) >= 0 or P[F home](pi) < 1", "fails"),
    ("a policy without influence", "claim c: forall a, b : Pi. E[pay, total](a) + P[X home](b) >= -5", "fails"),
    ("a policy whose only part is infinite", "claim c: forall a, b : Pi. 2 * E[pay, total](a) - E[pay, total](b) >= -5", "fails"),
]


@pytest.mark.parametrize(("claim", "answer"), [row[1:] for row in FOUND], ids=[row[0] for row in FOUND])
def test_found(claim: str, answer: str, path: Path) -> None:
    assert verdicts(f"{RING}{claim}\n", path) == {"lazy": answer, "direct": answer}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "random.spec"


@pytest.mark.parametrize("kind", ["endless", "bounded", "discount", "mixture"])
@pytest.mark.parametrize("restrict", random_claims.RESTRICTIONS)
def test_one_policy(kind: str, restrict: str, path: Path) -> None:
    @settings(FAST, max_examples=5 * SCALE)
    @given(SOURCES)
    def run(rng: Random) -> None:
        world = random_claims.world(rng, rng.random() < 0.3)
        objectives = list(dict.fromkeys(random_claims.objective(rng, kind) for _ in range(rng.randint(1, 2))))
        if kind == "discount":
            objectives = objectives[:1]
        agree(world, objectives, random_claims.claim(rng, len(objectives), ("pi",)), restrict, ("pi",), path)

    run()


@pytest.mark.parametrize("restrict", random_claims.RESTRICTIONS[:2])
def test_two_policies(restrict: str, path: Path) -> None:
    @FAST
    @given(SOURCES)
    def run(rng: Random) -> None:
        world = random_claims.world(rng, rng.random() < 0.3)
        objectives = list(dict.fromkeys(random_claims.objective(rng, rng.choice(("endless", "mixture"))) for _ in range(2)))
        agree(world, objectives, random_claims.claim(rng, len(objectives), ("pi", "rho")), restrict, ("pi", "rho"), path)

    run()


@pytest.mark.parametrize("restrict", random_claims.RESTRICTIONS)
def test_losing_loops(restrict: str, path: Path) -> None:
    """Rewards that some policy makes infinite: no oracle, two methods."""

    @FAST
    @given(SOURCES)
    def run(rng: Random) -> None:
        world = random_claims.world(rng, True)
        objectives = [rng.choice((("total",), ("until",))), random_claims.objective(rng, "endless")]
        objectives = list(dict.fromkeys(objectives))
        agree(world, objectives, random_claims.claim(rng, len(objectives), ("pi",)), restrict, ("pi",), path)

    run()


def finds(text: str, path: Path) -> tuple[object, object]:
    try:
        context, query = load_text(text, path)
        found = find(context, query, clock())
        stage = next(staged(context, query))
    except (SpecError, modulo.Timeout):
        assume(False)
        raise
    if isinstance(found, Found):
        value = None if found.value is None else Fraction(int(found.value.p), int(found.value.q))
        lazy: object = Edge(value, found.attained) if found.exact and found.reason is None else found.reason
    else:
        lazy = found.reason
    return lazy, threshold(context, stage, time.monotonic() + SECONDS)


@pytest.mark.parametrize("restrict", random_claims.RESTRICTIONS)
def test_thresholds(restrict: str, path: Path) -> None:
    @FAST
    @given(SOURCES)
    def run(rng: Random) -> None:
        world = random_claims.world(rng, rng.random() < 0.3)
        kind = rng.choice(("endless", "bounded", "mixture"))
        objectives = list(dict.fromkeys(random_claims.objective(rng, kind) for _ in range(2)))
        claim = ("=>", random_claims.near(0, "pi", None), random_claims.safe(rng, len(objectives), "pi"))
        text = brute.text(world, objectives, claim, restrict, find=True)
        lazy, other = finds(text, path)
        if isinstance(lazy, Edge) and isinstance(other, Edge):
            assert lazy == other, text

    run()
