"""The parts of the checker against slower definitions."""

from __future__ import annotations

from fractions import Fraction
from itertools import chain, combinations, product
from math import comb

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prover.checker.controller import belongs, read_controller
from prover.checker.document import Rejected, number
from prover.checker.graph import almost_surely, end_components, inside
from prover.checker.problem import PolicyType, read_world
from prover.checker.product import advance, key, progress
from prover.checker.rules import binomial_tail
from tests.prover.checker.proofs import PLAIN, risk

F = Fraction


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 12), st.integers(0, 12), st.fractions(0, 1, max_denominator=20), st.fractions(0, 1, max_denominator=50))
def test_binomial_tail(size, successes, bound, delta):
    successes = min(successes, size)
    tail = sum(comb(size, i) * bound**i * (1 - bound) ** (size - i) for i in range(successes, size + 1))
    assert binomial_tail(size, successes, bound, delta) == (tail <= delta or bound == 0)  # no probability is below 0
    assert binomial_tail(size, successes, bound, tail)
    assert bound == 0 or not binomial_tail(size, successes, bound, tail - F(1, 10**40))


@pytest.mark.parametrize(
    "bad", ["", "-", "1/", "/2", "+1", "1 ", " 1", "1.5", "0x1", "٣", "1/2/3", "--1", "1/-1", "inf", "nan", None, 1, 1.0, True, [], "1_0"]
)
def test_numbers(bad):
    with pytest.raises(Rejected):
        number(bad)
    assert number("-0/7") == 0
    assert number("-12/18") == F(-2, 3)


# ---------------------------------------------------------------- graphs

GRAPHS = st.lists(st.lists(st.lists(st.integers(0, 4), max_size=2).map(tuple), max_size=2), min_size=5, max_size=5).map(
    lambda x: dict(enumerate(x))
)


def subsets(items):
    return chain.from_iterable(combinations(items, k) for k in range(len(items) + 1))


WHOLE = st.frozensets(st.integers(0, 4), max_size=2)  # nodes that play all their moves


@settings(max_examples=200, deadline=None)
@given(GRAPHS, WHOLE)
def test_inside_is_the_greatest_set_where_play_can_stay(graph, whole):
    def stays(n, c):
        within = [set(t) <= set(c) for t in graph[n]]
        return any(within) and (n not in whole or all(within))

    closed = [set(c) for c in subsets(graph) if all(stays(n, c) for n in c)]
    largest = set().union(*closed)
    result = inside(graph, whole)
    assert set(result) == largest
    assert all(result[n] == [t for t in graph[n] if set(t) <= largest] for n in result)


@settings(max_examples=200, deadline=None)
@given(GRAPHS)
def test_maximal_end_components(graph):
    def strongly(c):
        edges = {n: {x for t in graph[n] if set(t) <= c for x in t} for n in c}
        for n in c:
            seen, todo = {n}, [n]
            while todo:
                fresh = edges[todo.pop()] - seen
                seen |= fresh
                todo += fresh
            if seen != c:
                return False
        return all(any(set(t) <= c for t in graph[n]) for n in c)

    graph = {n: [t for t in moves if t] for n, moves in graph.items()}  # a move without targets ends the play: not with recurrence
    components = [set(c) for c in subsets(graph) if c and strongly(set(c))]
    largest = [c for c in components if not any(c < d for d in components)]
    assert sorted(map(sorted, end_components(graph))) == sorted(map(sorted, largest))


@settings(max_examples=200, deadline=None)
@given(GRAPHS, st.sets(st.integers(0, 4), max_size=2), st.lists(st.booleans(), min_size=10, max_size=10), WHOLE)
def test_almost_sure_reachability(graph, goal, ends, whole):
    goal -= whole
    leaving = {(n, k) for n in graph for k in range(len(graph[n])) if ends[2 * n + k] or not graph[n][k]}
    expected = set()
    for pick in product(*[range(len(graph[n])) or [None] for n in graph]):
        played = {n: range(len(graph[n])) if n in whole else [] if k is None else [k] for n, k in zip(graph, pick, strict=True)}
        out = {n: {t for k in played[n] for t in graph[n][k]} for n in graph}
        good = {n for n in graph if n in goal or any((n, k) in leaving for k in played[n])}
        for n in graph:  # every state that can be visited before the goal must be able to get there
            visited, todo = {n}, [n]
            while todo:
                here = todo.pop()
                fresh = (set() if here in goal else out[here]) - visited
                visited |= fresh
                todo += fresh

            def arrives(start, out=out, good=good):
                seen, todo = {start}, [start]
                while todo:
                    fresh = out[todo.pop()] - seen
                    seen |= fresh
                    todo += fresh
                return bool(seen & good)

            if all(arrives(v) for v in visited):
                expected.add(n)
    assert almost_surely(graph, goal, leaving, whole) == expected


# ---------------------------------------------------------------- memories

ATOM = st.sampled_from([("atom", 0), ("not-atom", 0), ("atom", 1), ("true",), ("false",)])
PATHS = st.recursive(
    ATOM,
    lambda p: st.one_of(
        st.tuples(st.just("next"), p), st.tuples(st.sampled_from(["and", "or"]), p, p),
        st.tuples(st.just("until"), p, p, st.sampled_from([None, 0, 1, 2])),
        st.tuples(st.just("release"), p, p, st.sampled_from([0, 1, 2])),
    ),
    max_leaves=4,
)  # fmt: skip


def holds(path, run, t):
    """By definition, on a run that ends in a loop of its last letter (t beyond the end reads the last letter)."""
    match path:
        case ("true",) | ("false",):
            return path[0] == "true"
        case (("atom" | "not-atom") as head, a):
            return (a in run[min(t, len(run) - 1)]) == (head == "atom")
        case ("next", p):
            return holds(p, run, t + 1)
        case ("and", p, r):
            return holds(p, run, t) and holds(r, run, t)
        case ("or", p, r):
            return holds(p, run, t) or holds(r, run, t)
        case ("until", p, r, bound):
            last = t + bound if bound is not None else max(t, len(run)) + 1
            return any(holds(r, run, k) and all(holds(p, run, i) for i in range(t, k)) for k in range(t, last + 1))
        case ("release", p, r, bound):
            return all(holds(r, run, k) or any(holds(p, run, i) for i in range(t, k)) for k in range(t, t + bound + 1))
    raise AssertionError(path)


@settings(max_examples=300, deadline=None)
@given(PATHS, st.lists(st.sets(st.sampled_from([0, 1])), min_size=1, max_size=4))
def test_a_memory_becomes_true_exactly_on_the_runs_that_satisfy_the_path(path, run):
    atoms = [frozenset(t for t in range(len(run)) if a in run[t]) for a in (0, 1)]
    memory = progress(path, 0, atoms)
    for t in range(1, len(run) + 30):
        memory = advance(memory, min(t, len(run) - 1), atoms)
    assert (key(memory) == "true") == holds(path, run, 0)


# ---------------------------------------------------------------- types


def kind(**limits):
    row = PLAIN | limits
    return PolicyType(0, row["deterministic"], row["memoryless"], row["memory"], row["observes"])


def test_membership():
    world = read_world(risk())
    rest = [[n, s, [[2, "1"]], []] for n in (0, 1) for s in (1, 2)]
    pure = read_controller({"start": [["1", 0, 0]], "rules": [[0, 0, [[0, "1"]], []], *rest]})
    coin = read_controller({"start": [["1", 0, 0]], "rules": [[0, 0, [[0, "1/2"], [1, "1/2"]], []], *rest]})
    drawn = read_controller({"start": [["1/2", 0, 0], ["1/2", 0, 1]], "rules": [[0, 0, [[0, "1"]], []], [1, 0, [[1, "1"]], []], *rest]})
    blind = kind(observes=())
    verdicts = {
        "plain": [belongs(c, kind(), world) for c in (pure, coin, drawn)],
        "deterministic": [belongs(c, kind(deterministic=True), world) for c in (pure, coin, drawn)],
        "memoryless": [belongs(c, kind(memoryless=True), world) for c in (pure, coin, drawn)],
        "memory 1": [belongs(c, kind(memory=1), world) for c in (pure, coin, drawn)],
        "memory 2": [belongs(c, kind(memory=2), world) for c in (pure, coin, drawn)],
        "observes nothing": [belongs(c, blind, world) for c in (pure, coin, drawn)],
        "observes at": [belongs(c, kind(observes=(0,)), world) for c in (pure, coin, drawn)],
    }
    assert verdicts == {
        "plain": [True, True, True],
        "deterministic": [True, False, False],
        "memoryless": [True, True, False],
        "memory 1": [True, True, False],
        "memory 2": [True, True, False],
        "observes nothing": [False, False, False],
        "observes at": [True, True, True],
    }
