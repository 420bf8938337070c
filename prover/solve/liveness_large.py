"""Stay, Live and the collapse of zero end components on large products: what live.py and collapse.py mean, in linear passes.

Floats have no part in this: the checker recomputes Stay and Live, and both must agree.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from prover.solve import compiled_graph as graph
from prover.solve.order import Ordered, quotient
from prover.solve.rows import Ints

PASSES = 3  # over all nodes in their order; afterwards the walk backwards, which needs the predecessors


@dataclass(frozen=True, eq=False)
class Fixpoints:
    """In the numbers of ``base``.  ``stay`` and ``live`` have one entry more: the settled node, which is both."""

    stay: Ints
    live: Ints
    usable: Ints


@dataclass(frozen=True, eq=False)
class System:
    """What remains to be solved: ``ordered`` over classes; ``stop[k]``: class k may wait for ever, worth 0.

    ``internal``: the choices of ``base`` inside collapsed components.  ``merged``: some class has several nodes.
    """

    base: Ordered
    fixpoints: Fixpoints
    ordered: Ordered  # its members and choices are those of ``base``
    stop: Ints
    internal: Ints
    merged: bool


class _Passes:
    """The two operations on one graph, whichever way is faster."""

    def __init__(self, rows: Ordered) -> None:
        self.rows = rows
        self.back: tuple[Ints, Ints, Ints] | None = None

    def predecessors(self) -> tuple[Ints, Ints, Ints]:
        if self.back is None:
            self.back = graph.predecessors(self.rows.cs, self.rows.ts, self.rows.succ, self.rows.n)
        return self.back

    def shrink(self, good: Ints, inside: Ints) -> None:
        rows = self.rows
        if not graph.shrink(rows.cs, rows.ts, rows.succ, good, inside, PASSES):
            graph.shrink_backwards(rows.cs, *self.predecessors(), good, inside)

    def reach(self, usable: Ints, found: Ints) -> None:
        rows = self.rows
        if not graph.reach(rows.cs, rows.ts, rows.succ, usable, found, PASSES):
            graph.reach_backwards(*self.predecessors(), usable, found)


def fixpoints(base: Ordered, zero: Ints, passes: _Passes | None = None) -> Fixpoints:
    """``zero``: mask over the choices of ``base``."""
    n = base.n
    passes = _Passes(base) if passes is None else passes
    stay = np.ones(n + 1, np.uint8)
    passes.shrink(stay, zero.astype(np.uint8))
    live, usable = np.ones(n + 1, np.uint8), np.ones(len(zero), np.uint8)
    while True:
        found = stay & live
        passes.reach(usable, found)
        if not (live & ~found).any():
            return Fixpoints(stay, live, usable)
        live = found
        passes.shrink(live, usable)


def collapse(base: Ordered, zero: Ints) -> System:
    n = base.n
    passes = _Passes(base)
    found = fixpoints(base, zero, passes)
    label = np.repeat(np.arange(len(base.component_start) - 1, dtype=np.uint32), np.diff(base.component_start))
    good = found.stay & found.live
    good[n] = 0  # settling leaves a component
    inside = zero.astype(np.uint8) & found.usable
    graph.crossing(base.cs, base.ts, base.succ, label, inside)
    passes.shrink(good, inside)
    while True:
        _, moving = graph.crossing(base.cs, base.ts, base.succ, label, inside)
        if not moving:
            break
        label = _labels(base, good, inside)
        dropped, _ = graph.crossing(base.cs, base.ts, base.succ, label, inside)
        if not dropped:
            break
        passes.shrink(good, inside)
    everything = bool(found.live.all())
    if everything and not moving:
        return System(base, found, base, good[:n].copy(), inside, False)
    class_of = np.arange(n + 1, dtype=np.int64)
    if moving:
        nodes = np.flatnonzero(good[:n])
        first = np.full(int(label[nodes].max()) + 1, n, np.int64)
        np.minimum.at(first, label[nodes], nodes)
        class_of[nodes] = first[label[nodes]]
    class_of[found.live == 0] = n
    class_of[n] = n
    used = np.unique(class_of[:n])
    used = used[used < n]
    rank = np.full(n + 1, len(used), np.int64)
    rank[used] = np.arange(len(used))
    ordered = quotient(base, rank[class_of], len(used), found.usable & (1 - inside))
    stop = np.zeros(ordered.n, np.uint8)
    stop[ordered.class_of[np.flatnonzero(good[:n])]] = 1
    return System(base, found, ordered, stop, inside, bool(moving))


def _labels(base: Ordered, good: Ints, inside: Ints) -> Ints:
    """The strongly connected components of the good nodes under the inside choices."""
    n = base.n
    nodes = np.flatnonzero(good[:n])
    names = np.full(n + 1, len(nodes), np.uint32)
    names[nodes] = np.arange(len(nodes), dtype=np.uint32)
    alone = np.arange(len(nodes) + 1)
    cs, ts, succ, _, _ = graph.renumber(base.cs, base.ts, base.succ, base.index, nodes.astype(np.uint32), alone, names, inside, n)
    members, start = graph.components(cs, ts, succ, len(nodes))
    label = np.full(n, 2**32 - 1, np.uint32)
    label[nodes[members]] = np.repeat(np.arange(len(start) - 1, dtype=np.uint32), np.diff(start))
    return label
