"""A large strongly connected component and a gain -> values in floats: sweeps in the order in which its best plans run backwards.

A node stands behind those that a good plan visits later (fewer expected steps to go): one sweep then carries news all along the plan.
Plans are evaluated loosely, only to give sweeps a start that they improve on, and to find that order.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from prover.solve import compiled_component as compiled
from prover.solve import compiled_sweep as flat
from prover.solve.order import narrow
from prover.solve.rows import Floats, Ints

ROUNDS = 40
PATIENCE = 60  # predicted sweeps that are preferred to another evaluation
SETTLING = 60  # sweeps of one plan before its equations are solved otherwise
LOOSE = 1e-3
ENDLESS = 1e12  # expected steps of a plan beyond which floats cannot tell it from one that never stops
HURRY = 12  # sweeps that look for a plan with few steps

Solver = Callable[[Ints, Ints, Floats, Floats, Floats, Floats, Floats], float | None]


class Local:
    """The component's rows with its nodes in a given order; what lies outside is part of the gain."""

    def __init__(self, lo: int, order: Ints, ts: Ints, leak: Floats, common: tuple[Ints, ...]) -> None:
        cs, _, succ, index, table, base, stop, u = common
        self.order, self.u, self.n = order, u, len(order)
        types = narrow(index[:0], len(table) + 1)
        rows = compiled.localised(lo, order, cs, ts, succ, index, table, base, leak, u, types, len(table))
        self.cs, self.ts, self.succ, self.index, self.earned, self.leak = rows
        self.table = np.append(table, 0.0)
        self.stop = stop[order]
        self.x = np.append(u[order], 0.0)
        self.shift = self.cs[:-1].astype(np.int64) - cs[order].astype(np.int64)
        self.first = self.ts[self.cs]

    @property
    def common(self) -> tuple[Ints, ...]:
        return self.cs, self.first, self.succ, self.index, self.table, self.earned, self.stop, self.x

    def plan_here(self, plan: Ints) -> Ints:
        chosen = plan[self.order]
        return np.where(chosen >= 0, chosen + self.shift, -1)

    def store(self, mine: Ints, plan: Ints) -> None:
        plan[self.order] = np.where(mine >= 0, mine - self.shift, -1)

    def sweeps(self, enough: float) -> float:
        """Sweep while that promises to end soon; returns the last change."""
        changes: list[float] = []
        while True:
            changes.append(float(flat.sweep(0, self.n, *self.common)))
            change = changes[-1]
            if change <= enough or not np.isfinite(change):
                break
            if len(changes) >= 8:
                rate = (change / changes[-5]) ** 0.25
                if rate >= 1 or np.log(enough / change) / np.log(rate) > PATIENCE:
                    break
        self.u[self.order] = self.x[:-1]
        return change

    def hurried(self) -> Ints:
        """A plan with few steps: swept from the numbers of steps that are needed with luck."""
        back = compiled.sources(self.cs, self.ts, self.succ)
        least = compiled.distances(self.cs, self.leak, self.stop, *back)
        order = np.argsort(least, kind="stable")
        x, plan = np.append(-least.astype(float), 0.0), np.full(self.n, -1, np.int64)
        earned = np.where(np.isneginf(self.earned), -np.inf, -1.0)
        rows = (self.cs, self.first, self.succ, self.index, self.table, earned, np.zeros_like(self.stop), x)
        for _ in range(HURRY):
            compiled.sweep_in(order, *rows)
        flat.greedy(0, self.n, *rows, plan)
        return plan

    def evaluated(self, mine: Ints, steps: Floats, enough: Floats, patience: int, solver: Solver | None) -> Floats | None:
        """The plan's worth, and its expected steps (``steps``: a guess); None: floats find no end.

        ``patience``: how many sweeps are preferred to solving the equations otherwise, which ``solver`` would do.
        """
        right, y = np.zeros((self.n, 2)), np.stack([self.x[:-1], steps], axis=1)
        playing = mine >= 0
        right[playing, 0] = self.earned[mine[playing]]
        right[playing, 1] = 1.0
        rows: tuple[Ints, Ints, Floats, Floats] = flat.chain(
            0, self.n, mine, self.ts, self.succ, self.index, self.table, self.leak, np.zeros(self.n + 1), right
        )
        with np.errstate(all="ignore"):
            change, sweeps, before = np.inf, 0, np.inf
            while change > 1.0 and sweeps < patience:
                if sweeps and not _remaining(change, before, SETTLING) <= patience - sweeps:
                    break
                before = change
                _, change = compiled.settled(SETTLING, *rows[:3], right, y, enough)
                sweeps += SETTLING
            if not change <= 1.0 and (solver is None or solver(*rows, right, y, enough) is None):
                return None
        return y if bool(np.all(np.isfinite(y)) and np.all(y[:, 1] >= 0) and np.all(y[:, 1] < ENDLESS)) else None

    def glimpsed(self, mine: Ints) -> Floats:
        """What some sweeps say about a plan's worth and steps: enough for an order."""
        right, y = np.ones((self.n, 2)), np.stack([self.x[:-1], np.ones(self.n)], axis=1)
        right[:, 0] = np.where(mine >= 0, self.earned[mine], 0.0)
        rows: tuple[Ints, Ints, Floats, Floats] = flat.chain(
            0, self.n, mine, self.ts, self.succ, self.index, self.table, self.leak, np.zeros(self.n + 1), right
        )
        compiled.settled(SETTLING // 2, *rows[:3], right, y, np.ones(2))
        return y


def _remaining(change: float, before: float, sweeps: int) -> float:
    """How many more sweeps bring ``change`` to 1, after ``sweeps`` have brought it down from ``before``."""
    if not np.isfinite(before):
        return 0.0
    return sweeps * float(np.log(change) / np.log(before / change)) if change < before else np.inf


def solve(
    lo: int,
    hi: int,
    ts: Ints,
    leak: Floats,
    common: tuple[Ints, ...],
    enough: float,
    plan: Ints,
    orders: dict[int, Ints],
    steps: Floats,
    solver: Solver,
) -> bool:
    """Bring the component to its fixpoint; False: not converged, and ``u`` is a start for something else.  ``orders`` and
    ``steps`` (expected, of all nodes) are kept for the next gain."""
    cs, u = common[0], common[-1]
    order = orders.get(lo)
    swept = order is not None
    if order is None:
        order = np.arange(lo, hi)
        flat.greedy(lo, hi, *common, plan)
    alone = int(cs[hi]) - int(cs[lo]) == hi - lo
    started = False
    for _ in range(ROUNDS):
        local = Local(lo, order, ts, leak, common)
        mine = local.plan_here(plan)
        final = alone and started
        change = np.inf
        if swept:
            with np.errstate(all="ignore"):
                change = local.sweeps(enough)
            if change <= enough:
                return True
            if not np.isfinite(change):
                return False
            moved = flat.greedy(0, local.n, *local.common, mine)
            final = started and moved == 0
        size = float(np.abs(local.x).max())
        y: Floats | None
        near = LOOSE * size if not started else max(change / 16, enough)
        if alone and not started:
            y = local.glimpsed(mine)
        elif final:
            y = local.evaluated(mine, steps[local.order], np.array([enough / 8, 1e-2]), 10 * SETTLING, solver)
        else:
            loose = np.array([near, 1e-2 * float(steps[lo:hi].max())])
            y = local.evaluated(mine, steps[local.order], loose, SETTLING, solver if started else None)
        if y is None and not started and not alone:
            mine = local.hurried()
            y = local.evaluated(mine, np.ones(local.n), np.array([near, 1.0]), 2 * SETTLING, solver)
        if y is None:
            return False
        local.store(mine, plan)
        u[local.order] = y[:, 0]
        steps[local.order] = y[:, 1]
        started = swept = True
        order = local.order[np.argsort(y[:, 1], kind="stable")]
        orders[lo] = order
    return False
