"""Rows of transitions between nodes: inequalities over all of them, the part where play can stay, the part from which it gets there.

A row is one choice of a node.  Targets are nodes, or ``size``: settled, where play ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, chain, compress, count, repeat
from math import lcm
from operator import add, lt, mul, not_, sub
from typing import NamedTuple

from prover.checker.large_world import ends, sums

Scaled = tuple[list[int], int]  # integers over one denominator


class Graph(NamedTuple):
    """``owner[r]`` is the node of row r; its transitions are start[r] <= k < start[r + 1], with probability weight[k] / bottom[r].

    ``last`` has a 1 at the last transition of every row.
    """

    size: int
    owner: Sequence[int]
    start: Sequence[int]
    last: bytes
    target: Sequence[int]
    weight: Sequence[int]
    bottom: Sequence[int]

    def select(self, rows: Sequence[int]) -> Graph:
        """The graph of these rows alone."""
        begins = list(map(self.start.__getitem__, rows))
        stops = list(map(self.start.__getitem__, map(add, rows, repeat(1))))
        picked = list(chain.from_iterable(map(range, begins, stops)))
        start = list(accumulate(map(sub, stops, begins), initial=0))
        return Graph(
            self.size,
            list(map(self.owner.__getitem__, rows)),
            start,
            ends(start),
            list(map(self.target.__getitem__, picked)),
            list(map(self.weight.__getitem__, picked)),
            list(map(self.bottom.__getitem__, rows)),
        )

    def after(self, row: int) -> Sequence[int]:
        return self.target[self.start[row] : self.start[row + 1]]

    def sums(self, values: Sequence[int]) -> list[int]:
        """For every row the weighted sum of the targets' values; ``values`` has an entry for settled too."""
        return list(sums(map(mul, self.weight, map(values.__getitem__, self.target)), self.last))

    def reaching(self, marked: bytes | bytearray) -> list[int]:
        """The rows with a target that is marked; ``marked`` has an entry for settled too."""
        hits = list(compress(accumulate(map(marked.__getitem__, self.target)), self.last))
        return list(compress(count(), map(lt, chain((0,), hits), hits)))

    def violated(self, now: Scaled, later: Scaled, gain: Scaled) -> list[int]:
        """The rows with now(owner) < gain + E[later(target)], later(settled) = 0; ``gain`` is over the row's denominator times its own."""
        scale = lcm(now[1], later[1], gain[1])
        own, ahead, earned = (scaled(values, scale // below) for values, below in (now, later, gain))
        left = map(mul, map(own.__getitem__, self.owner), self.bottom)
        right = map(add, earned, self.sums([*ahead, 0]))
        return list(compress(count(), map(lt, left, right)))


def scaled(values: list[int], factor: int) -> list[int]:
    return values if factor == 1 else list(map(mul, values, repeat(factor)))


class Arrivals:
    """For every node the rows that may arrive there (a row once for each of its transitions to the node)."""

    def __init__(self, graph: Graph) -> None:
        rows = list(chain.from_iterable(map(repeat, count(), map(sub, graph.start[1:], graph.start[:-1]))))
        order = sorted(range(len(rows)), key=graph.target.__getitem__)
        self.rows = list(map(rows.__getitem__, order))
        number = [0] * (graph.size + 1)
        for target in graph.target:
            number[target] += 1
        self.start = list(accumulate(number, initial=0))

    def at(self, node: int) -> list[int]:
        return self.rows[self.start[node] : self.start[node + 1]]


def staying(graph: Graph, idle: bytes, arrivals: Arrivals) -> bytearray:
    """1 for the nodes of Stay: the greatest set of nodes with an idle row all of whose targets are in the set or settled."""
    alive = bytearray(idle)
    rows_left = [0] * graph.size
    for node in compress(graph.owner, alive):
        rows_left[node] += 1
    result = bytearray(map(bool, rows_left))
    todo = [node for node, rows in enumerate(rows_left) if not rows]
    owner = graph.owner
    while todo:
        for row in arrivals.at(todo.pop()):
            if alive[row]:
                alive[row] = 0
                node = owner[row]
                rows_left[node] -= 1
                if not rows_left[node]:
                    result[node] = 0
                    todo.append(node)
    return result


def reaching(graph: Graph, goal: bytearray, arrivals: Arrivals) -> bytearray:
    """1 for the nodes from which some policy almost surely reaches the goal or settles.

    Greatest fixpoint: keep the nodes from which the goal or settling can be reached by rows that never go outside what is kept.  A node
    that is lost takes with it whatever has no row left that stays inside (and is no goal).
    """
    owner = graph.owner
    leaving = graph.reaching(bytearray(graph.size) + b"\1")
    kept = bytearray(repeat(1, graph.size))
    outside = bytearray(len(owner))  # rows with a target that is not kept
    inside = [0] * graph.size  # number of the other rows
    for node in owner:
        inside[node] += 1
    while True:
        found = bytearray(map(mul, goal, kept))
        for row in leaving:
            if not outside[row] and kept[owner[row]]:
                found[owner[row]] = 1
        todo = list(compress(count(), found))
        while todo:
            for row in arrivals.at(todo.pop()):
                if not outside[row] and not found[owner[row]] and kept[owner[row]]:
                    found[owner[row]] = 1
                    todo.append(owner[row])
        lost = list(compress(count(), map(mul, kept, map(not_, found))))
        if not lost:
            return kept
        kept = found
        while lost:
            for row in arrivals.at(lost.pop()):
                if not outside[row]:
                    outside[row] = 1
                    node = owner[row]
                    inside[node] -= 1
                    if not inside[node] and kept[node] and not goal[node]:
                        kept[node] = 0
                        lost.append(node)
