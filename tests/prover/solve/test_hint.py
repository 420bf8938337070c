"""Float hints never change an exact answer, whatever they say."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flint import fmpq
from hypothesis import given
from hypothesis import strategies as st

from prover.solve import exact, hint
from tests.prover.build_spec import few

Problem = tuple[list[list[int]], dict[int, fmpq], dict[int, dict[int, fmpq]], list[int]]


@st.composite
def problems(draw: st.DrawFn) -> Problem:
    """Discounted: every policy is proper."""
    size = draw(st.integers(1, 6))
    options, gains, moves = [], {}, {}
    for _ in range(size):
        row = []
        for _ in range(draw(st.integers(1, 3))):
            c = len(gains)
            gains[c] = fmpq(draw(st.integers(-4, 4)), draw(st.integers(1, 3)))
            targets = draw(st.lists(st.integers(0, size - 1), min_size=1, max_size=2, unique=True))
            moves[c] = {t: fmpq(9, 10 * len(targets)) for t in targets}
            row.append(c)
        options.append(row)
    return options, gains, moves, [row[0] for row in options]


def values_of(problem: Problem, policy: list[int]) -> list[fmpq]:
    _, gains, moves, _ = problem
    return [v[0] for v in exact.chain.solve([moves[c] for c in policy], [[gains[c]] for c in policy])]


@few(60)
@given(problems())
def test_the_suggestion_is_a_policy_and_nearly_best(problem: Problem) -> None:
    options, gains, moves, policy = problem
    found = hint.suggest(options, gains, moves, policy)
    assert found is not None
    assert all(c in row for c, row in zip(found, options, strict=True))
    best, _ = exact.iterate(*problem)
    assert all(abs(float(int((a - b).p) / int((a - b).q))) < 1e-6 for a, b in zip(best, values_of(problem, found), strict=True))


def worst(options: list[list[int]], *_: object) -> list[int]:
    return [row[-1] for row in options]


@pytest.mark.parametrize("suggest", [worst, lambda *_: None])
def test_a_bad_suggestion_does_no_harm(suggest: Callable[..., list[int] | None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hint, "LARGE", 10**9)
    options, gains, moves = [[0, 1], [2, 3]], {0: fmpq(0), 1: fmpq(1), 2: fmpq(2), 3: fmpq(-1)}, {0: {1: fmpq(1)}, 1: {}, 2: {}, 3: {}}
    expected = exact.iterate(options, gains, moves, [1, 3])
    assert expected == ([fmpq(2), fmpq(2)], [0, 2])
    monkeypatch.setattr(hint, "LARGE", 1)
    monkeypatch.setattr(hint, "suggest", suggest)
    assert exact.iterate(options, gains, moves, [1, 3]) == expected


def test_an_improper_suggestion_falls_back_to_the_proper_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Going round for nothing is what floats may suggest; the exact values must come from the policy that stops."""
    options, gains, moves = [[0, 1]], {0: fmpq(0), 1: fmpq(-1)}, {0: {0: fmpq(1)}, 1: {}}
    monkeypatch.setattr(hint, "LARGE", 1)
    monkeypatch.setattr(hint, "suggest", lambda *_: [0])
    values, policy = exact.iterate(options, gains, moves, [1])
    assert (values, policy) == ([fmpq(-1)], [1])


def test_floats_that_break_down_suggest_nothing() -> None:
    huge = fmpq(10) ** 400
    assert hint.suggest([[0]], {0: huge}, {0: {}}, [0]) is None
    assert hint.suggest([[0]], {0: fmpq(1)}, {0: {0: fmpq(1)}}, [0]) is None
