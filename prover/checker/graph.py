"""Fixpoints on a product's tail: where play can stay, what almost surely gets there, and maximal end components.

A graph maps each node to its moves, each move the targets that are listed nodes (settled ones are left out: they end the play).
"""

from __future__ import annotations

Graph = dict[int, list[tuple[int, ...]]]


def _arrivals(graph: Graph) -> dict[int, list[tuple[int, int]]]:
    """node -> the (node, move index) that may arrive there."""
    result: dict[int, list[tuple[int, int]]] = {node: [] for node in graph}
    for node, moves in graph.items():
        for k, targets in enumerate(moves):
            for target in set(targets):
                if target in result:
                    result[target].append((node, k))
    return result


def inside(graph: Graph, whole: frozenset[int] = frozenset()) -> Graph:
    """The greatest sub-graph in which every node has a move, and all targets are nodes of it; a node of ``whole`` keeps all its moves."""
    arrivals = _arrivals(graph)
    alive = {(node, k) for node, moves in graph.items() for k, targets in enumerate(moves) if all(t in graph for t in targets)}
    count = {node: sum((node, k) in alive for k in range(len(moves))) for node, moves in graph.items()}
    count |= {node: 0 for node in whole & graph.keys() if count[node] < len(graph[node])}
    todo = [node for node, moves in count.items() if moves == 0]
    gone = set(todo)
    while todo:
        for source in arrivals[todo.pop()]:
            if source in alive:
                alive.remove(source)
                count[source[0]] -= count[source[0]] if source[0] in whole else 1
                if count[source[0]] == 0 and source[0] not in gone:
                    gone.add(source[0])
                    todo.append(source[0])
    return {n: [targets for k, targets in enumerate(moves) if (n, k) in alive] for n, moves in graph.items() if n not in gone}


def almost_surely(graph: Graph, goal: set[int], leaving: set[tuple[int, int]], whole: frozenset[int] = frozenset()) -> set[int]:
    """The nodes from which some policy almost surely reaches ``goal`` or leaves (a move in ``leaving`` may end the play).

    Greatest fixpoint: keep the nodes that can reach the goal by moves that never go outside what is kept; in ``whole`` the policy
    plays every move, so all of them must stay inside.
    """
    arrivals = _arrivals(graph)
    kept = set(graph)
    while True:
        safe = {(node, k) for node in kept for k, targets in enumerate(graph[node]) if all(target in kept for target in targets)}
        reached = (goal & kept) | {node for node, k in safe & leaving}
        todo = list(reached)
        while todo:
            for node, k in arrivals[todo.pop()]:
                if node not in reached and (node, k) in safe:
                    reached.add(node)
                    todo.append(node)
        reached -= {node for node in reached & whole if any((node, k) not in safe for k in range(len(graph[node])))}
        if reached == kept:
            return kept
        kept = reached


def end_components(graph: Graph) -> list[set[int]]:
    """The maximal end components: split into strongly connected parts and drop the moves that leave them, until nothing leaves."""
    result = []
    todo = [inside(graph)]
    while todo:
        current = todo.pop()
        for part in _strong(current):
            within = {node: [targets for targets in current[node] if part.issuperset(targets)] for node in part}
            if all(len(within[node]) == len(current[node]) for node in part):
                if all(within.values()):
                    result.append(part)
            else:
                rest = inside(within)
                if rest:
                    todo.append(rest)
    return result


def _strong(graph: Graph) -> list[set[int]]:
    """Strongly connected components (Tarjan, with an explicit stack)."""
    index: dict[int, int] = {}
    low: dict[int, int] = {}
    path: list[int] = []
    on_path: set[int] = set()
    result = []
    for root in graph:
        if root in index:
            continue
        work = [(root, iter([t for targets in graph[root] for t in targets]))]
        index[root] = low[root] = len(index)
        path.append(root)
        on_path.add(root)
        while work:
            node, successors = work[-1]
            for target in successors:
                if target not in index:
                    index[target] = low[target] = len(index)
                    path.append(target)
                    on_path.add(target)
                    work.append((target, iter([t for targets in graph[target] for t in targets])))
                    break
                if target in on_path:
                    low[node] = min(low[node], index[target])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    part: set[int] = set()
                    while node not in part:
                        part.add(path.pop())
                    on_path -= part
                    result.append(part)
    return result
