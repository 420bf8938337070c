"""Exact values of a Markov chain: x = b + P x, solved by eliminating states component by component.

Components are solved in reverse topological order; inside one, states are eliminated in the order of
least fill (Daws 2005, state elimination), so that a chain without large cycles costs one pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heapify, heappop, heappush

from prover.flint import fmpq
from prover.worlds.components import strongly_connected_components

Row = dict[int, fmpq]


class Singular(Exception):
    """A component is never left: the system has no unique solution.  ``states`` are its states."""

    def __init__(self, states: Sequence[int]) -> None:
        super().__init__("a recurrent class without an exit")
        self.states = list(states)


def solve(rows: Sequence[Row], constants: Sequence[list[fmpq]]) -> list[list[fmpq]]:
    """x[s] = constants[s] + sum rows[s][t] * x[t], for every column of the constants at once.

    ``rows[s]`` has only positive entries that sum to at most 1; a missing rest leads to value 0.
    Raises Singular when some component keeps all of its mass for ever.
    """
    values: list[list[fmpq]] = [[] for _ in rows]
    for component in strongly_connected_components([list(row) for row in rows]):
        if len(component) == 1:
            s = component[0]
            value = list(constants[s])
            loop = None
            for t, p in rows[s].items():
                if t == s:
                    loop = p
                else:
                    for k, x in enumerate(values[t]):
                        if x != 0:
                            value[k] += p * x
            if loop is not None:
                if loop == 1:
                    raise Singular(component)
                value = [x / (1 - loop) for x in value]
            values[s] = value
        else:
            _solve_component(component, rows, constants, values)
    return values


def _solve_component(component: list[int], rows: Sequence[Row], constants: Sequence[list[fmpq]], values: list[list[fmpq]]) -> None:
    inside = set(component)
    local: dict[int, Row] = {}
    right: dict[int, list[fmpq]] = {}
    sources: dict[int, set[int]] = {s: set() for s in component}
    for s in component:
        row: Row = {}
        value = list(constants[s])
        for t, p in rows[s].items():
            if t in inside:
                row[t] = p
                sources[t].add(s)
            else:
                for k, x in enumerate(values[t]):
                    if x != 0:
                        value[k] += p * x
        local[s], right[s] = row, value
    cost = {s: len(local[s]) * len(sources[s]) for s in component}
    heap = [(c, s) for s, c in cost.items()]
    heapify(heap)
    eliminated: list[int] = []
    gone: set[int] = set()
    while heap:
        c, s = heappop(heap)
        if s in gone or cost[s] != c:
            continue
        row = local[s]
        loop = row.pop(s, None)
        sources[s].discard(s)
        if loop is not None:
            if loop == 1:
                raise Singular(component)
            scale = 1 / (1 - loop)
            for t in row:
                row[t] *= scale
            right[s] = [x * scale for x in right[s]]
        gone.add(s)
        eliminated.append(s)
        touched = set(row)
        for u in sources[s]:
            target = local[u]
            q = target.pop(s)
            for t, p in row.items():
                old = target.get(t)
                if old is None:
                    target[t] = q * p
                    sources[t].add(u)
                else:
                    target[t] = old + q * p
            right[u] = [x + q * y for x, y in zip(right[u], right[s], strict=True)]
            touched.add(u)
        for t in row:
            sources[t].discard(s)
        for t in touched:
            new = len(local[t]) * len(sources[t])
            if cost[t] != new:
                cost[t] = new
                heappush(heap, (new, t))
    # A state's row names only states that were eliminated after it.
    for s in reversed(eliminated):
        value = right[s]
        for t, p in local[s].items():
            value = [x + p * y for x, y in zip(value, values[t], strict=True)]
        values[s] = value
