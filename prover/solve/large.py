"""The large-scale solver: a product and a direction -> a plan, its value in floats, and a potential that integers confirm.

Everything that does not depend on the direction is done once: the order of the nodes, the fixpoints of liveness, the
collapsed components, the probabilities as floats.  Floats search, the integers of potential.py decide; where floats are
no use (slowly mixing chains) and the system is small, the exact solver takes over; else there is a Failure, never a wrong bound.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from prover.solve import compiled_graph as graph
from prover.solve import compiled_sweep, potential, sweep
from prover.solve.direction import Direction, Found
from prover.solve.layers import Layers, backward
from prover.solve.liveness_large import Fixpoints, System, collapse, fixpoints
from prover.solve.order import Ordered, behind, narrow, order, quotient
from prover.solve.rows import Floats, Gain, Ints, Rows, to_float

Start = Sequence[tuple[int, Fraction]]
KEPT = 4  # systems of different sets of finite streams, or discounted


@dataclass(frozen=True, eq=False)
class Liveness:
    """Masks over nodes and choices; what live.py computes."""

    stay: Ints
    live: Ints
    usable: Ints


@dataclass(frozen=True, eq=False)
class Solution:
    """``potential``: numerators over 2^k, potential.NULL where a node is not live; Python integers, and None, where they do not fit a word.

    ``upper``: what the potential proves about the start; None: a start is not live, no policy's sums are finite.
    ``estimate``: what the plan is worth, in floats.  ``plan``: -1 where a node is not live.
    """

    plan: Ints
    value: Floats
    potential: Ints
    k: int
    upper: Fraction | None
    estimate: float
    ordered_values: Floats
    ordered_plan: Ints
    ordered: Ordered  # what ``ordered_plan`` is a plan of

    @property
    def gap(self) -> float:
        return float("inf") if self.upper is None else to_float(self.upper) - self.estimate


@dataclass(frozen=True)
class Failure:
    """No certificate: the values grow without bound, or floats break down on a system too large for exact numbers."""

    reason: str


class Large:
    def __init__(self, rows: Rows, allowed: Ints | None = None) -> None:
        """``allowed``: a mask over the choices; every node must keep one."""
        self.rows = rows
        self.base: Ordered = order(rows, allowed)
        self.probabilities = list(rows.probabilities)
        self._systems: dict[bytes, System] = {}
        self._numbers: dict[tuple[bytes, Fraction | None], sweep.Numbers] = {}
        self._chains: list[tuple[Ints, tuple[int, ...] | None, tuple[Ints, Ints, Large]]] = []  # of the last plans asked about

    # ------------------------------------------------------------ preparation

    def liveness(self, zero: Ints) -> Liveness:
        found = self._fixpoints(zero)
        n, base = self.rows.nodes, self.base
        stay, live, usable = np.zeros(n, bool), np.zeros(n, bool), np.zeros(self.rows.choices, bool)
        stay[base.members] = found.stay[:-1] != 0
        live[base.members] = found.live[:-1] != 0
        usable[base.origin] = (found.usable & np.repeat(found.live[:-1], _sizes(base))) != 0
        return Liveness(stay, live, usable)

    def _fixpoints(self, zero: Ints) -> Fixpoints:
        key = np.packbits(zero).tobytes()
        known = self._systems.get(key)
        return known.fixpoints if known is not None else fixpoints(self.base, zero[self.base.origin])

    def _system(self, zero: Ints | None, discount: Fraction | None) -> tuple[bytes, System]:
        if discount is None and zero is None:
            raise ValueError("without a discount the solver must know which choices earn nothing")
        key = b"" if discount is not None else np.packbits(np.asarray(zero)).tobytes()
        known = self._systems.get(key)
        if known is None:
            base, n = self.base, self.base.n
            if discount is None:
                known = collapse(base, np.asarray(zero)[base.origin])
            else:
                ones = np.ones(n + 1, np.uint8)
                everything = Fixpoints(ones, ones, np.ones(len(base.origin), np.uint8))
                known = System(base, everything, base, np.zeros(n, np.uint8), np.zeros(len(base.origin), np.uint8), False)
            if len(self._systems) >= KEPT:
                oldest = next(iter(self._systems))
                del self._systems[oldest]
                self._numbers = {name: numbers for name, numbers in self._numbers.items() if name[0] != oldest}
            self._systems[key] = known
        return key, known

    def _prepared(self, zero: Ints | None, discount: Fraction | None) -> tuple[System, sweep.Numbers]:
        if discount is not None and not 0 <= discount < 1:
            raise ValueError("a discount lies in [0, 1)")
        key, system = self._system(zero, discount)
        known = self._numbers.get((key, discount))
        if known is None:
            known = self._numbers[key, discount] = sweep.numbers(system.ordered, system.stop, self.probabilities, discount)
        return system, known

    def _choices(self, system: System) -> Ints:
        """The choices of the rows behind those of the system."""
        return self.base.origin if system.ordered is self.base else self.base.origin[system.ordered.origin]

    def _classes(self, system: System) -> Ints:
        """The class of every node of the rows; the number of classes: not live."""
        return self.base.class_of[:-1] if system.ordered is self.base else system.ordered.class_of[self.base.class_of[:-1]]

    # ------------------------------------------------------------ bounds

    def maximise(
        self,
        gain: Gain,
        zero: Ints | None,
        discount: Fraction | None,
        start: Start,
        warm: Solution | None = None,
        tolerance: float = 1e-6,
    ) -> Solution | Failure:
        """The supremum of the summed gain over all policies (whose gains are finite, without a discount), from above.

        ``zero``: mask of the choices that earn nothing in any stream that must stay finite.  ``tolerance``: the relative gap aimed at.
        """
        system, numbers = self._prepared(zero, discount)
        classes = self._classes(system)
        begin: dict[int, Fraction] = {}
        for node, p in start:
            k = int(classes[node]) if node >= 0 else numbers.n
            if node >= 0 and k >= numbers.n and p:
                return self._solution(system, numbers.n, None)
            begin[k] = begin.get(k, Fraction(0)) + p
        begin = {k: p for k, p in begin.items() if k < numbers.n and p}
        gain_index = gain.index[self._choices(system)]
        task = Direction(system, numbers, self.probabilities, discount, gain, gain_index, begin, tolerance)
        outcome = task.solve(warm.ordered_plan if warm is not None and warm.ordered is system.ordered else None)
        if isinstance(outcome, str):
            return Failure(outcome)
        return self._solution(system, numbers.n, outcome)

    def _solution(self, system: System, n: int, found: Found | None) -> Solution:
        nodes = self.rows.nodes
        if found is None:
            nothing = np.full(nodes, -1, np.int64)
            classes = self._classes(system)
            table = np.where(classes < n, 0, potential.NULL)  # of no gain: nothing else matters where no policy is admitted
            plan, values = np.full(n, -1, np.int64), np.zeros(n + 1)
            return Solution(nothing, np.full(nodes, np.nan), table, 0, None, float("nan"), values, plan, system.ordered)
        classes = self._classes(system)
        numerators = found.numerators.copy()
        numerators[n] = None if numerators.dtype == object else potential.NULL
        values = found.values.copy()
        values[n] = np.nan
        base, ordered = self.base, system.ordered
        chosen = found.plan if ordered is base else behind(ordered.origin, found.plan)
        members = np.arange(base.n, dtype=np.uint32) if ordered is base else ordered.members
        plan = np.full(base.n, -1, np.int64)
        graph.expand(ordered.class_start, members, chosen, base.cs, base.ts, base.succ, system.internal, plan)
        result = np.full(nodes, -1, np.int64)
        result[base.members] = behind(base.origin, plan)
        bound, estimate = found.upper, found.estimate
        return Solution(result, values[classes], numerators[classes], found.k, bound, estimate, found.values, found.plan, ordered)

    def lower(
        self, plan: Ints, gain: Gain, zero: Ints | None, discount: Fraction | None, start: Start, tolerance: float = 1e-6
    ) -> Solution | Failure:
        """The plan is worth at least ``-upper`` of the result: a potential of the plan's chain for the gain negated.

        NULL where the plan does not lead from the start.
        """
        nodes, choices, chain = self._chain(plan, start)
        place = np.full(self.rows.nodes + 1, -1, np.int64)
        place[nodes] = np.arange(len(nodes))
        part = Gain(gain.index[choices], gain.negated().values)
        begin = [(int(place[node]) if node >= 0 else -1, p) for node, p in start]
        inner = chain.maximise(part, None if zero is None else zero[choices], discount, begin, None, tolerance)
        if isinstance(inner, Failure):
            return inner
        count = self.rows.nodes
        whole = np.full(count, -1, np.int64)
        whole[nodes] = behind(choices, inner.plan)
        value = np.full(count, np.nan)
        value[nodes] = inner.value
        table: Ints = np.full(count, None if inner.potential.dtype == object else potential.NULL, inner.potential.dtype)
        table[nodes] = inner.potential
        return Solution(whole, value, table, inner.k, inner.upper, inner.estimate, inner.ordered_values, inner.ordered_plan, inner.ordered)

    def _chain(self, plan: Ints, start: Start | None) -> tuple[Ints, Ints, Large]:
        """What the plan reaches (from everywhere if ``start`` is None): nodes, their choices, and the chain with one choice for each."""
        begin = None if start is None else tuple(node for node, p in start if node >= 0 and p)
        for known, origin, made in self._chains:
            if known is plan and origin == begin:
                return made
        made = self._made_chain(plan, begin)
        self._chains = [*self._chains[1 - KEPT :], (plan, begin, made)]
        return made

    def _made_chain(self, plan: Ints, start: tuple[int, ...] | None) -> tuple[Ints, Ints, Large]:
        rows, n = self.rows, self.rows.nodes
        cs, ts = rows.choice_start.astype(np.uint32, copy=False), rows.transition_start.astype(np.uint32, copy=False)
        succ = np.minimum(rows.successor.astype(np.uint32), np.uint32(n))
        if start is None:
            nodes = np.flatnonzero(plan >= 0)
        else:
            starts = np.array(start, dtype=np.int64)
            nothing = np.zeros(len(rows.probabilities))
            index = narrow(rows.index, len(nothing))
            nodes = compiled_sweep.reachable(plan, ts, succ, index, nothing, np.zeros(1), starts)[0].astype(np.int64)
        if (plan[nodes] < 0).any():
            raise ValueError("the plan leads to nodes where it has no choice")
        keep = np.zeros(rows.choices, np.uint8)
        keep[plan[nodes]] = 1
        names = np.full(n + 1, len(nodes), np.uint32)
        names[nodes] = np.arange(len(nodes), dtype=np.uint32)
        index = narrow(rows.index, len(rows.probabilities))
        alone = np.arange(len(nodes) + 1)
        c, t, s, i, origin = graph.renumber(cs, ts, succ, index, nodes.astype(np.uint32), alone, names, keep, n)
        successor = np.where(s == len(nodes), -1, s.astype(np.int64))
        return nodes, origin.astype(np.int64), Large(Rows(c.astype(np.int64), t.astype(np.int64), successor, i, rows.probabilities))

    def evaluate(
        self, plan: Ints, gains: Sequence[Gain], zero: Ints | None, discount: Fraction | None, start: Start | None = None
    ) -> Floats:
        """What the plan is worth in floats, one row for each gain; nan where it has no choice, or earns for ever.

        With ``start`` also where the plan does not lead from there.
        """
        nodes, choices, chain = self._chain(plan, start)
        result = np.full((len(gains), self.rows.nodes), np.nan)
        if not len(nodes):
            return result
        system, numbers = chain._prepared(None if zero is None else zero[choices], discount)
        n = numbers.n
        origin = choices[chain._choices(system)]
        right = np.empty((n, len(gains)))
        only = np.where(system.stop != 0, -1, system.ordered.cs[:-1].astype(np.int64))
        for column, gain in enumerate(gains):
            right[:, column] = numbers.earned(gain.floats()[gain.index[origin]], 0.0, only)
        x = np.zeros((n, len(gains)))
        enough = np.maximum(np.abs(right).max(axis=0, initial=0.0), 1e-300) * 1e-12
        if n and sweep.evaluate(numbers, 0, n, only, right, np.zeros(n + 1), x, enough) is None:
            return result
        x = np.concatenate([x, np.full((1, len(gains)), np.nan)])
        result[:, nodes] = x[chain._classes(system)].T
        return result

    def verify(self, table: Ints, k: int, gain: Gain, zero: Ints | None, discount: Fraction | None) -> bool:
        """Whether the table (numerators over 2^k in one word, of every node) is a potential: node by node, nothing collapsed."""
        base, n = self.base, self.base.n
        live, usable, stay = np.ones(n, np.uint8), np.ones(len(base.origin), np.uint8), np.zeros(n, np.uint8)
        if discount is None:
            if zero is None:
                raise ValueError("without a discount it must be known which choices earn nothing")
            found = self._fixpoints(zero)
            live, usable, stay = found.live[:-1], found.usable, found.stay[:-1]
        numerators = table[base.members]
        if ((numerators != potential.NULL) != (live != 0)).any():
            return False
        names = np.full(n + 1, int(live.sum()), np.int64)
        names[:-1][live != 0] = np.arange(int(live.sum()))
        part = quotient(base, names, int(live.sum()), usable)
        v = np.zeros(part.n + 1, np.int64)
        v[:-1] = numerators[part.members]
        largest = to_float(Fraction(max(1, int(np.abs(v).max(initial=0))), 2**k))
        origin = base.origin[part.origin]
        return potential.inequality(part, stay[part.members], self.probabilities, discount, gain, gain.index[origin], k, largest).holds(v)

    # ------------------------------------------------------------ horizons

    def backward(
        self, gains: Gain | Sequence[Gain], steps: int, terminal: tuple[Ints, int] | None = None, discount: Fraction | None = None
    ) -> Layers | Failure:
        """Potentials of ``steps`` layers before ``terminal`` (numerators over 2^k of every node, and k; NULL: must not be reached)."""
        found = backward(self.base, self.probabilities, gains, steps, terminal, discount)
        return Failure(found) if isinstance(found, str) else found


def _sizes(ordered: Ordered) -> Ints:
    """The number of choices of every node."""
    starts: Ints = ordered.cs.astype(np.int64)
    return starts[1:] - starts[:-1]
