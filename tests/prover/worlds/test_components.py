"""Components against brute force on random graphs."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from prover.worlds.components import maximal_end_components, strongly_connected_components

SIZE = 6
nodes = st.integers(0, SIZE - 1)
graphs = st.lists(st.lists(nodes, max_size=3), min_size=SIZE, max_size=SIZE)
choices = st.lists(st.lists(st.lists(st.integers(0, SIZE), min_size=1, max_size=3), max_size=3), min_size=SIZE, max_size=SIZE)


def reachable(graph: list[list[int]], start: int) -> set[int]:
    seen, todo = {start}, [start]
    while todo:
        for target in graph[todo.pop()]:
            if target not in seen:
                seen.add(target)
                todo.append(target)
    return seen


@given(graphs)
@settings(deadline=None)
def test_strongly_connected_components(graph: list[list[int]]) -> None:
    reach = [reachable(graph, n) for n in range(SIZE)]
    found = strongly_connected_components(graph)
    assert {frozenset(c) for c in found} == {frozenset(m for m in reach[n] if n in reach[m]) for n in range(SIZE)}
    assert sorted(n for c in found for n in c) == list(range(SIZE))
    place = {n: i for i, c in enumerate(found) for n in c}
    assert all(place[target] <= place[n] for n in range(SIZE) for target in graph[n])  # successors first


def is_end_component(members: set[int], offered: dict[int, dict[int, list[int]]]) -> bool:
    inner = {n: [ts for ts in offered[n].values() if set(ts) <= members] for n in members}
    graph = [[t for ts in inner.get(n, []) for t in ts] for n in range(SIZE)]
    return all(inner.values()) and all(reachable(graph, n) == members for n in members)


@given(choices)
@settings(deadline=None)
def test_maximal_end_components(lists: list[list[list[int]]]) -> None:
    """A successor that is not a node (SIZE) leaves the graph."""
    number = iter(range(1000))
    offered = {n: {next(number): ts for ts in lists[n]} for n in range(SIZE)}
    subsets = [{n for n in range(SIZE) if bits >> n & 1} for bits in range(1, 1 << SIZE)]
    components = [members for members in subsets if is_end_component(members, offered)]
    largest = [members for members in components if not any(members < other for other in components)]
    found = maximal_end_components(offered)
    assert sorted(map(sorted, (members for members, _ in found))) == sorted(map(sorted, largest))
    for members, kept in found:
        assert kept == {c for n in members for c, ts in offered[n].items() if set(ts) <= members}


def test_deep_graphs_need_no_recursion() -> None:
    depth = 50_000
    found = strongly_connected_components([[n + 1] for n in range(depth)] + [[0]])
    assert len(found) == 1
    assert strongly_connected_components([[n + 1] for n in range(depth)] + [[]])[0] == [depth]
    assert len(maximal_end_components({n: {n: [(n + 1) % depth]} for n in range(depth)})) == 1
