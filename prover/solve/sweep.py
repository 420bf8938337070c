"""A large system and a gain -> values and a plan in floats: sweeps in topological order, policy iteration where they are slow.

Nothing here is trusted: potential.py rounds the values up and checks them in integers.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from prover.solve import compiled_graph as graph
from prover.solve import compiled_sweep as compiled
from prover.solve import component
from prover.solve.order import Ordered, narrow
from prover.solve.rows import Floats, Ints, to_float

SWEEPS = 24  # of a component before policy iteration is considered
LARGE = 8_000  # nodes of a component that is worth an order of its own
PATIENCE = 48  # predicted sweeps that are still preferred to policy iteration
IMPROVING = 6  # sweeps after each evaluation: cheaper than another evaluation
ROUNDS = 100  # of policy iteration in one component
FAILURES = 3  # evaluations of one component that may fail
LONG = 400  # sweeps where the plan's equations are out of reach
FACTORISED = 2_000  # components up to this size are factorised unasked
LARGEST = 300_000  # ... and none beyond this
WORK = 5e9  # the squares of the bandwidths: what a factorisation may cost at most; a plane of n nodes, where it is cheap, has about 4 n^2
ITERATIONS = 1_000  # of BiCGSTAB
ENDLESS = 1e12  # expected steps of a plan beyond which floats cannot tell it from one that never stops
HURRY = 1 - 2.0**-10


class Diverged(Exception):
    """Values grow without bound, or floats break down."""


@dataclass(eq=False)
class Numbers:
    """An ordered system in floats for one discount; a choice's self-loop is solved for: its row is divided by what leaves."""

    ordered: Ordered
    stop: Ints
    succ: Ints  # flagged: see compiled_sweep
    index: Ints
    table: Floats
    first: Ints
    scale: Floats | None  # of every choice; None: all 1.  0: it never leaves its node
    leak: Floats  # of every choice, or one number for all: the discount's part
    scratch: Floats  # n + 1 zeros, and zeros again after each use
    orders: dict[int, Ints] = field(default_factory=dict, repr=False)  # of large components, by their first nodes: see component.py
    steps: Floats = field(init=False, repr=False)  # a guess at how many a good plan expects
    _proper: Ints | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        self.steps = np.ones(self.n)

    @property
    def n(self) -> int:
        return self.ordered.n

    def base(self, gain: Floats, margin: float) -> Floats:
        """What each choice earns before it leaves its node; one entry more, which the loops read and do not use."""
        result = np.empty(len(gain) + 1)
        result[-1] = 0.0
        np.add(gain, margin, out=result[:-1])
        if self.scale is not None:
            result[:-1] *= self.scale
            result[:-1][self.scale == 0] = -np.inf
        return result

    def earned(self, gain: Floats, margin: float, plan: Ints) -> Floats:
        """What the plan's choices earn before they leave their nodes; an empty ``gain``: nothing but the margin."""
        result = np.zeros(len(plan))
        playing = plan >= 0
        chosen = plan[playing]
        amounts = (gain[chosen] if len(gain) else 0.0) + margin
        result[playing] = amounts if self.scale is None else amounts * self.scale[chosen]
        return result

    def proper(self) -> Ints:
        """A plan that stops almost surely, if there is one."""
        if self._proper is None:
            o = self.ordered
            plan = np.full(self.n, -1, np.int64)
            graph.proper(*graph.predecessors(o.cs, o.ts, o.succ, self.n), self.stop, plan)
            self._proper = plan
        return self._proper


def numbers(ordered: Ordered, stop: Ints, probabilities: list[Fraction], discount: Fraction | None) -> Numbers:
    factor = 1.0 if discount is None else to_float(discount)
    plain = np.array([to_float(p) for p in probabilities])
    first = ordered.ts[ordered.cs]
    succ = compiled.flagged(ordered.ts, ordered.succ)
    index, table = ordered.index, plain * factor
    leak = np.array([1.0 - factor])
    where, weight = compiled.self_loops(ordered.cs, ordered.ts, ordered.succ, ordered.index, plain)
    scale: Floats | None = None
    if len(where):
        n, starts = ordered.n, ordered.ts.astype(np.int64)
        stays = 1.0 - factor * weight
        part = np.where(stays > 1e-15, 1.0 / np.maximum(stays, 1e-15), 0.0)
        scale = np.ones(len(ordered.origin))
        scale[where] = part
        leak = (1.0 - factor) * scale if factor != 1.0 else leak
        sizes = starts[where + 1] - starts[where]
        ends = np.cumsum(sizes)
        t = np.repeat(starts[where] - ends + sizes, sizes) + np.arange(ends[-1])
        owner = np.searchsorted(ordered.cs, where, side="right") - 1
        own = (succ[t] & compiled.NODE) == np.repeat(owner, sizes)
        values = np.where(own, 0.0, table[index[t]] * np.repeat(part, sizes))
        extra, inverse = np.unique(values, return_inverse=True)
        index = narrow(index, 2**32).copy() if len(table) + len(extra) > 2**16 else narrow(index, len(table) + len(extra)).copy()
        index[t] = (inverse + len(table)).astype(index.dtype)
        succ[t] = np.where(own, np.uint32(n) | (succ[t] & compiled.LAST), succ[t])
        table = np.concatenate([table, extra])
    return Numbers(ordered, stop, succ, index, table, first, scale, leak, np.zeros(ordered.n + 1))


def solve(system: Numbers, gain: Floats, margin: float, u: Floats, plan: Ints) -> None:
    """Bring ``u`` (n + 1 floats, any start) to V = max gain + margin + P V, to a quarter of the margin; ``plan`` becomes its best plan."""
    o, base = system.ordered, system.base(gain, margin)
    common = (o.cs, system.first, system.succ, system.index, system.table, base, system.stop, u)
    enough = margin / 4
    k = 0
    while True:
        with np.errstate(all="ignore"):
            k, before, change = compiled.solve_components(k, o.component_start, *common, enough, SWEEPS)
        if k >= len(o.component_start) - 1:
            break
        lo, hi = int(o.component_start[k]), int(o.component_start[k + 1])
        _component(system, lo, hi, common, base, enough, before, change, plan)
        k += 1
    compiled.greedy(0, system.n, *common, plan)


def _component(
    system: Numbers, lo: int, hi: int, common: tuple[Ints, ...], base: Floats, enough: float, before: float, change: float, plan: Ints
) -> None:
    u, first = common[-1], common[1]
    started, failures = False, 0
    for done in range(ROUNDS):
        rate = change / before if before > 0 else 1.0
        if not started and rate < 1 and np.log(enough / change) / np.log(rate) <= PATIENCE:
            for _ in range(2 * PATIENCE):
                change = compiled.sweep(lo, hi, *common)
                if change <= enough:
                    return
        compiled.greedy(lo, hi, *common, plan)
        if hi - lo >= LARGE and not done and not _scattered(system, lo, hi, plan):
            kept = (system.orders, system.steps, _solve_chain)
            if component.solve(lo, hi, system.ordered.ts, system.leak, common, enough, plan, *kept):
                return
            compiled.greedy(lo, hi, *common, plan)
        work = _evaluated(system, lo, hi, base, enough, plan, u)
        if work is None and not started:
            # Whatever is better than a plan that stops also stops: begin with one.
            _hurry(system, lo, hi, common, plan)
            work = _evaluated(system, lo, hi, base, enough, plan, u)
            if work is None:
                plan[lo:hi] = system.proper()[lo:hi]
                work = _evaluated(system, lo, hi, base, enough, plan, u)
        failures += work is None
        if failures > FAILURES:
            break
        # As much is spent on sweeps as on the evaluation: at worst twice what the better of the two would need.
        sweeps = LONG if work is None else IMPROVING + int(work / float(first[hi] - first[lo]))
        started = True
        for _ in range(sweeps):
            before, change = change, compiled.sweep(lo, hi, *common)
            if change <= enough:
                return
        if not np.isfinite(change):
            break
    raise Diverged(f"the values of a component of {hi - lo} nodes did not converge: a gain without end, or floats are too short")


def _scattered(system: Numbers, lo: int, hi: int, plan: Ints) -> bool:
    """The plan's chain falls into many components with long ways inside: factorising them beats any order of sweeps."""
    o, right = system.ordered, np.zeros((hi - lo, 1))
    start, to, *_ = compiled.chain(lo, hi, plan, o.ts, system.succ, system.index, system.table, system.leak, np.zeros(system.n + 1), right)
    _, component_start = graph.components(np.arange(hi - lo + 1, dtype=np.uint32), start, to, hi - lo)
    return compiled.DENSE < int(np.diff(component_start).max()) <= max(FACTORISED, (hi - lo) // 8)


def _hurry(system: Numbers, lo: int, hi: int, common: tuple[Ints, ...], plan: Ints) -> None:
    """A plan that leaves the component soon: each step costs one, discounted so that a few sweeps suffice."""
    cs, first, succ, index, table, base, stop, _ = common
    steps = np.full(len(base), -1.0)
    steps[base == -np.inf] = -np.inf
    hurried = (cs, first, succ, index, table * HURRY, steps, stop, system.scratch)
    for _ in range(LONG):
        if compiled.sweep(lo, hi, *hurried) <= 1e-9:
            break
    compiled.greedy(lo, hi, *hurried, plan)
    system.scratch[lo:hi] = 0.0


def _evaluated(system: Numbers, lo: int, hi: int, base: Floats, enough: float, plan: Ints, u: Floats) -> float | None:
    """Write the plan's worth into ``u``; returns the cost.  None: it may never stop, its number of steps is out of all proportion."""
    playing = plan[lo:hi] >= 0
    right = np.zeros((hi - lo, 2))
    right[playing, 0] = base[plan[lo:hi][playing]]
    right[playing, 1] = 1.0
    x = np.zeros((hi - lo, 2))
    x[:, 0] = u[lo:hi]
    with np.errstate(all="ignore"):
        work = evaluate(system, lo, hi, plan, right, u, x, np.array([enough, 1e-2]))
    if work is None or not np.all((x[:, 1] >= 0) & (x[:, 1] < ENDLESS)):
        return None
    u[lo:hi] = x[:, 0]
    return work


def evaluate(system: Numbers, lo: int, hi: int, plan: Ints, right: Floats, outside: Floats, x: Floats, enough: Floats) -> float | None:
    """Bring ``x`` (any start) to the plan's worth on ``lo .. hi``, a column for each of ``right``; None: it may never stop.

    Returns what the factorisations cost, in transitions that a sweep visits in the same time.

    ``outside``: what the nodes before ``lo`` are worth to the first column; to the others they are worth nothing.
    """
    right = right.copy()
    rows: tuple[Ints, Ints, Floats, Floats] = compiled.chain(
        lo, hi, plan, system.ordered.ts, system.succ, system.index, system.table, system.leak, outside, right
    )
    return _solve_chain(*rows, right, x, enough)


def worth(system: Numbers, plan: Ints, right: Floats, guess: Floats, starts: Ints, enough: Floats) -> tuple[Ints, Floats] | None:
    """The nodes that the plan reaches from ``starts``, and its worth there, ``guess`` being a start; columns for all nodes."""
    rows: tuple[Ints, Ints, Ints, Floats, Floats] = compiled.reachable(
        plan, system.ordered.ts, system.succ, system.index, system.table, system.leak, starts
    )
    members = rows[0]
    y = guess[members]
    return (members, y) if _solve_chain(*rows[1:], right[members], y, enough) is not None else None


def _solve_chain(start: Ints, to: Ints, weight: Floats, out: Floats, right: Floats, y: Floats, enough: Floats) -> float | None:
    n, work = len(start) - 1, 0.0
    order, component_start = graph.components(np.arange(n + 1, dtype=np.uint32), start, to, n)
    local = np.full(n, -1, np.int64)
    k, last = 0, len(component_start) - 1
    while True:
        k = compiled.solve_chain(k, order, component_start, start, to, weight, out, right, y, 16, enough)
        if k < 0 or k >= last:
            break
        members = order[component_start[k] : component_start[k + 1]]
        cost = _component_solved(members, local, start, to, weight, right, y, enough)
        if cost is None:
            return None
        work += cost
        k += 1
    return work if k >= 0 and bool(np.isfinite(y).all()) else None


def _component_solved(
    members: Ints, local: Ints, start: Ints, to: Ints, weight: Floats, right: Floats, y: Floats, enough: Floats
) -> float | None:
    """One component of a chain: factorised where that is cheap (few chains fill in), else by BiCGSTAB (fast where the chain mixes fast)."""
    from scipy.sparse import csc_matrix, csr_matrix
    from scipy.sparse.csgraph import reverse_cuthill_mckee
    from scipy.sparse.linalg import bicgstab, splu

    data, indices, indptr, b = compiled.assemble(members, local, start, to, weight, right, y)
    size = len(members)
    if size > FACTORISED:
        rows = csr_matrix((data, indices, indptr), shape=(size, size))
        place = np.empty(size, np.int64)
        place[reverse_cuthill_mckee(rows)] = np.arange(size)
        width = np.abs(np.repeat(place, np.diff(indptr)) - place[indices])
        band = np.maximum.reduceat(width, indptr[:-1]).astype(float)
        if size > LARGEST or float(band @ band) > max(WORK, 16.0 * size**2):
            for r in range(b.shape[1]):
                rest = 0.1 * float(enough[r]) * size**0.5
                found, info = bicgstab(rows, b[:, r], y[members, r], rtol=1e-13, atol=rest, maxiter=ITERATIONS)
                if info != 0:
                    return None
                y[members, r] = found
            return float(ITERATIONS) * size
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            # The compressed rows of a matrix are the compressed columns of its transpose.
            factors = splu(csc_matrix((data, indices, indptr), shape=(size, size)))
            y[members] = factors.solve(b, trans="T")
    except (RuntimeError, Warning):
        return None
    return 100_000.0 + float(factors.nnz) ** 2 / size / 2
