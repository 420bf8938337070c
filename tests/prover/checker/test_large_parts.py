"""The parts of the checker for large proofs against slower definitions."""

from __future__ import annotations

from fractions import Fraction
from itertools import accumulate, chain, combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prover.checker import graph as small
from prover.checker.arrays import same
from prover.checker.document import Rejected
from prover.checker.large_graph import Arrivals, Graph, reaching, staying
from prover.checker.large_rules import mixture
from prover.checker.large_world import ends, sums
from prover.checker.rules import Bound

F = Fraction
SIZE = 5
ROWS = st.lists(st.tuples(st.integers(0, SIZE - 1), st.sets(st.integers(0, SIZE), min_size=1, max_size=3), st.booleans()), max_size=9)


def graph(rows):
    """Rows of (node, targets, idle), each target as likely as the next."""
    targets = [sorted(after) for _, after, _ in rows]
    start = list(accumulate(map(len, targets), initial=0))
    weight = [1] * start[-1]
    return Graph(SIZE, [row[0] for row in rows], start, ends(start), list(chain.from_iterable(targets)), weight, [len(t) for t in targets])


def moves(rows):
    """For ``graph.py``: settled targets are left out."""
    return {n: [tuple(t for t in after if t < SIZE) for node, after, _ in rows if node == n] for n in range(SIZE)}


@settings(max_examples=500, deadline=None)
@given(ROWS)
def test_stay_and_live(rows):
    g = graph(rows)
    idle = bytes(row[2] for row in rows)
    arrivals = Arrivals(g)
    stay = staying(g, idle, arrivals)
    assert {n for n in range(SIZE) if stay[n]} == set(small.inside(moves([row for row in rows if row[2]])))
    position = dict.fromkeys(range(SIZE), 0)
    leaving = set()
    for node, after, _ in rows:
        if SIZE in after:
            leaving.add((node, position[node]))
        position[node] += 1
    goal = {n for n in range(SIZE) if stay[n]}
    live = reaching(g, stay, arrivals)
    assert {n for n in range(SIZE) if live[n]} == small.almost_surely(moves(rows), goal, leaving)


@settings(max_examples=300, deadline=None)
@given(ROWS)
def test_stay_is_the_greatest_set(rows):
    g = graph(rows)
    best = set()
    for size in range(SIZE + 1):
        for members in map(set, combinations(range(SIZE), size)):
            if all(any(n == node and idle and after <= members | {SIZE} for node, after, idle in rows) for n in members):
                best |= members
    assert {n for n, stays in enumerate(staying(g, bytes(row[2] for row in rows), Arrivals(g))) if stays} == best


NUMBERS = st.lists(st.integers(-6, 6), min_size=SIZE, max_size=SIZE)


@settings(max_examples=300, deadline=None)
@given(
    ROWS, NUMBERS, NUMBERS, st.lists(st.integers(-3, 3), min_size=9, max_size=9), st.integers(1, 4), st.integers(1, 4), st.integers(1, 4)
)
def test_violations(rows, now, later, gain, one, two, three):
    expected = []
    for r, (node, after, _) in enumerate(rows):
        ahead = sum((F(later[t], two) for t in after if t < SIZE), F(0)) / len(after)
        if F(now[node], one) < F(gain[r], three * len(after)) + ahead:
            expected.append(r)
    g = graph(rows)
    assert g.violated((now, one), (later, two), (gain[: len(rows)], three)) == expected
    for chosen in ([], list(range(len(rows)))[::-2]):
        part = g.select(chosen)
        found = part.violated((now, one), (later, two), ([gain[r] for r in chosen], three))
        assert [chosen[r] for r in found] == [r for r in chosen if r in expected]
        assert [list(part.after(k)) for k in range(len(chosen))] == [sorted(rows[r][1]) for r in chosen]
    marked = bytes(n % 2 for n in range(SIZE + 1))
    assert g.reaching(marked) == [r for r, (_, after, _) in enumerate(rows) if any(n % 2 for n in after)]


@given(st.lists(st.lists(st.integers(-(10**30), 10**30), min_size=1, max_size=300), max_size=6))
def test_sums(parts):
    start = list(accumulate(map(len, parts), initial=0))
    assert list(sums(chain.from_iterable(parts), ends(start))) == [sum(part) for part in parts]


def test_mixtures():
    bound = Bound(0, 3, {0: F(1)}, frozenset({0}), None, F(6))
    assert mixture([(F(1, 3), bound), (F(2, 3), bound._replace(value=F(9)))], 3).value == 8
    assert mixture([(F(1, 3), bound), (F(2, 3), bound._replace(value=None))], 3).value is None
    for other in (bound._replace(weights={0: F(2)}), bound._replace(finite=frozenset()), bound._replace(world=1)):
        with pytest.raises(Rejected):
            mixture([(F(1, 3), bound), (F(2, 3), other)], 3)


def test_a_reward_may_be_called_array():
    """The name alone does not make an object one."""
    column = {"array": "a", "type": "u1", "length": 1}
    world = {"rewards": {"array": {"values": ["0", "1"], "index": column}}}
    assert same(world, {"a": b"\0"}, world, {"a": b"\0"})
    assert not same(world, {"a": b"\0"}, world, {"a": b"\1"})
    with pytest.raises(Rejected):
        same(world, {"a": b"\0"}, {"rewards": {"array": "a"}}, {}) or same(column, {"a": b"\0"}, {**column, "array": {}}, {})
