"""Strongly connected components and maximal end components of explicit graphs.

Iterative throughout: the depth of a graph is not limited by the interpreter's recursion limit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def strongly_connected_components(successors: Sequence[Sequence[int]]) -> list[list[int]]:
    """The components of the graph 0..n-1, in reverse topological order: successors come first (Tarjan 1972)."""
    count = len(successors)
    order = [0] * count  # 0: not seen; else 1 + the number at which it was seen
    low = [0] * count
    on_stack = bytearray(count)
    stack: list[int] = []
    result: list[list[int]] = []
    clock = 0
    for root in range(count):
        if order[root]:
            continue
        clock += 1
        order[root] = low[root] = clock
        stack.append(root)
        on_stack[root] = 1
        work = [(root, iter(successors[root]))]
        while work:
            node, rest = work[-1]
            for target in rest:
                if not order[target]:
                    clock += 1
                    order[target] = low[target] = clock
                    stack.append(target)
                    on_stack[target] = 1
                    work.append((target, iter(successors[target])))
                    break
                if on_stack[target] and order[target] < low[node]:
                    low[node] = order[target]
            else:
                work.pop()
                if work and low[node] < low[work[-1][0]]:
                    low[work[-1][0]] = low[node]
                if low[node] == order[node]:
                    component = []
                    while True:
                        member = stack.pop()
                        on_stack[member] = 0
                        component.append(member)
                        if member == node:
                            break
                    result.append(component)
    return result


def maximal_end_components(choices: Mapping[int, Mapping[int, Sequence[int]]]) -> list[tuple[set[int], set[int]]]:
    """``choices[node][choice]`` are the successors; one that is not a node leaves the graph.

    Returns (nodes, choices) of every maximal end component (de Alfaro 1997, section 3.3), in no particular order.
    """
    found: list[tuple[set[int], set[int]]] = []
    pending: list[set[int]] = [set(choices)]
    while pending:
        kept = _closed(choices, pending.pop())
        names = list(kept)
        index = {n: k for k, n in enumerate(names)}
        graph = [[index[t] for ts in kept[n].values() for t in ts] for n in names]
        components = strongly_connected_components(graph)
        if len(components) == 1:
            found.append((set(names), {c for n in names for c in kept[n]}))
        else:
            pending.extend({names[k] for k in component} for component in components)
    return found


def _closed(choices: Mapping[int, Mapping[int, Sequence[int]]], region: set[int]) -> dict[int, dict[int, Sequence[int]]]:
    """The choices that never leave the region, of the nodes that have any; nodes are dropped until that is so for all that are left."""
    kept = {n: {c: ts for c, ts in choices[n].items() if all(t in region for t in ts)} for n in region}
    into: dict[int, list[tuple[int, int]]] = {n: [] for n in region}
    for n, rows in kept.items():
        for c, ts in rows.items():
            for t in ts:
                into[t].append((n, c))
    dropped = [n for n, rows in kept.items() if not rows]
    while dropped:
        gone = dropped.pop()
        del kept[gone]
        for n, c in into[gone]:
            if n in kept and kept[n].pop(c, None) is not None and not kept[n]:
                dropped.append(n)
    return kept
