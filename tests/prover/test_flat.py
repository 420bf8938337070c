"""The certified methods for large worlds, made to decide small ones, beside the exact search."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from dsl.diagnostic import SpecError
from dsl.spec import Claim, Find, Quantified
from dsl.typecheck import load
from prover import storey1
from prover.flat_storey1 import prove_flat_claim, prove_flat_find
from prover.policies.context import Context
from prover.policies.named import workspace
from prover.verdict import Enclosure, FlatProof, Proved, Unknown, Verdict
from tests.prover import brute, random_claims

pytest.importorskip("numba")

SCALE = int(os.environ.get("TWOSTEP_WORLDS", "10"))
SLOW = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large]
SETTINGS = settings(max_examples=5 * SCALE, derandomize=True, deadline=None, database=None, suppress_health_check=SLOW)
SOURCES = st.one_of(st.randoms(use_true_random=False), st.integers(0, 2**32).map(Random))
EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*/*.spec"))
PRECISION = Fraction(1, 10**6)


def nothing() -> None:
    """No deadline."""


def flat(context: Context, statement: Claim | Find) -> Verdict:
    if isinstance(statement, Find):
        return prove_flat_find(context, statement, nothing, PRECISION)
    assert isinstance(statement.body, Quantified)
    return prove_flat_claim(context, statement, statement.body, nothing)


def exact(context: Context, statement: Claim | Find) -> Verdict:
    if isinstance(statement, Find):
        return storey1.prove_find(context, statement, nothing, PRECISION)
    assert isinstance(statement.body, Quantified)
    return storey1.prove_claim(context, statement, statement.body, nothing, "lazy")


def compatible(one: Verdict, other: Verdict) -> bool:
    """Unknown is compatible with everything; enclosures must overlap."""
    if isinstance(one, Unknown) or isinstance(other, Unknown):
        return True
    if isinstance(one, Proved) and isinstance(other, Proved):
        return one.value is None or other.value is None or overlap(one.value, other.value)
    return type(one) is type(other)


def overlap(one: Enclosure, other: Enclosure) -> bool:
    def ends(value: Enclosure) -> tuple[float, float]:
        infinite = float("inf")
        return (infinite if value.lower is None else value.lower), (infinite if value.upper is None else value.upper)  # type: ignore[return-value]

    (a, b), (c, d) = ends(one), ends(other)
    return a <= d and c <= b


@pytest.mark.parametrize("path", EXAMPLES, ids=[path.stem for path in EXAMPLES])
def test_examples(path: Path) -> None:
    spec, _ = load(path)
    context = workspace(spec, path.parent)
    for statement in spec.statements:
        if isinstance(statement, (Claim, Find)) and isinstance(statement.body, Quantified):
            try:
                expected = exact(context, statement)
            except SpecError:
                continue
            found = flat(context, statement)
            assert compatible(found, expected), (statement.name, found, expected)
            assert not isinstance(found, Proved) or isinstance(found.proof, FlatProof)


def test_most_examples_are_decided() -> None:
    """Unknown is an answer, but not the usual one."""
    decided = total = 0
    for path in EXAMPLES:
        spec, _ = load(path)
        context = workspace(spec, path.parent)
        for statement in spec.statements:
            plain = isinstance(statement, (Claim, Find)) and isinstance(statement.body, Quantified)
            if plain and statement.body.variables and not spec.policies:
                decided += not isinstance(flat(context, statement), Unknown)
                total += 1
    assert total >= 8
    assert decided >= 0.7 * total, (decided, total)


@pytest.mark.parametrize("kind", ["endless", "bounded", "discount"])
@pytest.mark.parametrize("variables", [("pi",), ("pi", "rho")], ids=["one", "two"])
def test_random_claims(kind: str, variables: tuple[str, ...], tmp_path: Path) -> None:
    path = tmp_path / "random.spec"
    answers: list[bool] = []

    @SETTINGS
    @given(SOURCES)
    def run(rng: Random) -> None:
        world = random_claims.world(rng, rng.random() < 0.3)
        objectives = list(dict.fromkeys(random_claims.objective(rng, kind) for _ in range(rng.randint(1, 2))))
        if kind == "discount":
            objectives = objectives[:1]
        text = brute.text(world, objectives, random_claims.claim(rng, len(objectives), variables), "", variables=variables)
        path.write_text(text, encoding="utf-8")
        spec, _ = load(path)
        context = workspace(spec, path.parent)
        statement = spec.statements[0]
        assert isinstance(statement, Claim)
        try:
            expected = exact(context, statement)
            found = flat(context, statement)
        except SpecError:
            assume(False)
            raise
        assert compatible(found, expected), (text, found, expected)
        if not isinstance(expected, Unknown):
            answers.append(not isinstance(found, Unknown))

    run()
    # A claim at its boundary has no certificate with slack; of random claims with round numbers many are.
    assert sum(answers) >= len(answers) / 3, (sum(answers), len(answers))
