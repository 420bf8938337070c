"""Rows -> the same rows renumbered for solving: successors' components first, memory read in sequence.

Inside a component the nodes stand in post-order of a depth-first search, so a sweep mostly reads what it has just written.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from prover.solve import compiled_graph as graph
from prover.solve.rows import Ints, Rows


@dataclass(frozen=True, eq=False)
class Ordered:
    """Nodes and choices renumbered; the settled successor is node ``n``.

    ``origin[c]`` and ``members`` (of class k: ``members[class_start[k]:class_start[k+1]]``) name the choices and nodes
    of the rows it was made from, ``class_of`` the class of each of their nodes (``n`` and above: dropped).
    ``component_start``: the components, in the order to solve them in.
    """

    cs: Ints
    ts: Ints
    succ: Ints
    index: Ints
    origin: Ints
    members: Ints
    class_start: Ints
    class_of: Ints
    component_start: Ints

    @property
    def n(self) -> int:
        return len(self.cs) - 1


def order(rows: Rows, allowed: Ints | None = None) -> Ordered:
    n = rows.nodes
    cs, ts = rows.choice_start.astype(np.uint32, copy=False), rows.transition_start.astype(np.uint32, copy=False)
    succ = np.minimum(rows.successor.astype(np.uint32), np.uint32(n))  # -1 wraps to the largest number
    index = narrow(rows.index, len(rows.probabilities))
    keep = np.ones(rows.choices, np.uint8) if allowed is None else allowed.astype(np.uint8)
    if allowed is not None and not allowed.all():
        origin: Ints | None
        identity = np.arange(n, dtype=np.uint32)
        cs, ts, succ, index, origin = graph.renumber(cs, ts, succ, index, identity, np.arange(n + 1), identity, keep, n)
        keep = np.ones(len(origin), np.uint8)
    else:
        origin = None
    return _sorted(cs, ts, succ, index, origin, keep)


def _sorted(cs: Ints, ts: Ints, succ: Ints, index: Ints, origin: Ints | None, keep: Ints) -> Ordered:
    n = len(cs) - 1
    members, start = graph.components(cs, ts, succ, n)
    class_of = np.empty(n + 1, np.uint32)
    class_of[members] = np.arange(n, dtype=np.uint32)
    class_of[n] = n
    cs, ts, succ, index, moved = graph.renumber(cs, ts, succ, index, members, np.arange(n + 1), class_of, keep, n)
    return Ordered(cs, ts, succ, index, moved if origin is None else origin[moved], members, np.arange(n + 1), class_of, start)


def quotient(base: Ordered, class_of: Ints, classes: int, keep: Ints) -> Ordered:
    """Nodes of one class merged, nodes with class ``classes`` dropped, other choices dropped; ordered anew.

    No kept choice may lead to a dropped node.
    """
    n = base.n
    alive = np.flatnonzero(class_of[:n] < classes)
    by_class = alive[np.argsort(class_of[alive], kind="stable")].astype(np.uint32)
    class_start = np.searchsorted(class_of[by_class], np.arange(classes + 1)).astype(np.int64)
    narrowed = class_of.astype(np.uint32)
    cs, ts, succ, index, origin = graph.renumber(base.cs, base.ts, base.succ, base.index, by_class, class_start, narrowed, keep, n)
    inner = _sorted(cs, ts, succ, index, origin, np.ones(len(origin), np.uint8))
    sizes = np.diff(class_start)[inner.members]
    start = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    flat = np.repeat(class_start[inner.members] - start[:-1], sizes) + np.arange(start[-1])
    names = np.full(n + 1, classes, np.uint32)
    names[alive] = inner.class_of[class_of[alive]]
    return Ordered(inner.cs, inner.ts, inner.succ, inner.index, inner.origin, by_class[flat], start, names, inner.component_start)


def behind(origin: Ints, plan: Ints) -> Ints:
    """The choices that those of the plan were made from; -1 stays."""
    result = np.full(len(plan), -1, np.int64)
    chosen = plan >= 0
    result[chosen] = origin[plan[chosen]]
    return result


def narrow(index: Ints, size: int) -> Ints:
    """The shortest of three types: less memory is read, and loops are compiled for three types only."""
    return index.astype(np.uint8 if size <= 2**8 else np.uint16 if size <= 2**16 else np.uint32, copy=False)
