"""Markov chains solved in rationals: against dense elimination, and what has no solution."""

from __future__ import annotations

from fractions import Fraction

import pytest
from flint import fmpq
from hypothesis import given
from hypothesis import strategies as st

from prover.solve import chain
from tests.prover.build_spec import HALF, ONE, dense, f, few, q, reach


@st.composite
def chains(draw: st.DrawFn, leaks: bool = True) -> tuple[list[dict[int, Fraction]], list[list[Fraction]]]:
    size = draw(st.integers(1, 8))
    rows = []
    for _ in range(size):
        targets = draw(st.lists(st.integers(0, size - 1), max_size=4, unique=True))
        shares = [draw(st.integers(1, 5)) for _ in targets]
        rest = draw(st.integers(0, 2)) if leaks else 0
        rows.append({t: Fraction(p, sum(shares) + rest) for t, p in zip(targets, shares, strict=True)})
    constants = [[Fraction(draw(st.integers(-5, 5)), draw(st.integers(1, 4))) for _ in range(2)] for _ in range(size)]
    return rows, constants


def traps(rows: list[dict[int, Fraction]]) -> list[set[int]]:
    """Closed classes that keep all of their mass."""
    found = []
    for k in range(len(rows)):
        seen = reach(rows, k)
        if all(k in reach(rows, j) for j in seen) and all(sum(rows[j].values()) == 1 for j in seen) and seen not in found:
            found.append(seen)
    return found


@few(200)
@given(chains())
def test_solve_agrees_with_dense_elimination(given_chain: tuple[list[dict[int, Fraction]], list[list[Fraction]]]) -> None:
    rows, constants = given_chain
    sparse = [{t: q(p) for t, p in row.items()} for row in rows]
    right = [[q(x) for x in row] for row in constants]
    before = [dict(row) for row in sparse]
    closed = traps(rows)
    if closed:
        with pytest.raises(chain.Singular) as trap:
            chain.solve(sparse, right)
        assert set(trap.value.states) in closed
    else:
        found = chain.solve(sparse, right)
        for column in range(2):
            assert [f(x[column]) for x in found] == dense(rows, [row[column] for row in constants])
    assert sparse == before
    assert right == [[q(x) for x in row] for row in constants]


def test_a_ruin_chain_of_three_hundred_states() -> None:
    """From s of n, a fair game ends at n with chance s / n."""
    n = 300
    rows: list[chain.Row] = [{} for _ in range(n + 1)]
    for s in range(1, n):
        rows[s] = {s - 1: fmpq(1, 2), s + 1: fmpq(1, 2)}
    values = chain.solve(rows, [[fmpq(int(s == n))] for s in range(n + 1)])
    assert [v[0] for v in values] == [fmpq(s, n) for s in range(n + 1)]


def test_no_constants_and_no_rows() -> None:
    assert chain.solve([], []) == []
    assert chain.solve([{}, {0: fmpq(1)}], [[], []]) == [[], []]


@pytest.mark.parametrize("rows", [[{0: ONE}], [{1: ONE}, {0: ONE}], [{1: ONE}, {2: ONE}, {1: HALF, 2: HALF}]])
def test_a_class_that_keeps_its_mass_is_named(rows: list[dict[int, Fraction]]) -> None:
    with pytest.raises(chain.Singular) as trap:
        chain.solve([{t: q(p) for t, p in row.items()} for row in rows], [[fmpq(0)] for _ in rows])
    assert set(trap.value.states) == set().union(*traps(rows))


def test_mass_that_leaks_slowly_is_no_trap() -> None:
    leak = fmpq(1, 10**40)
    values = chain.solve([{1: fmpq(1)}, {0: 1 - leak}], [[fmpq(1)], [fmpq(0)]])
    assert values == [[10**40], [10**40 - 1]]
