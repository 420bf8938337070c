"""A large world as a theory: certified bounds of directions over flat products, and the plans found so far.

The counterpart of ``arena.py`` where exact vertices are out of reach: suprema come with a rational potential that is
a little above the truth, and the values of a plan are known between two such potentials.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from prover.flint import fmpq, fraction, rational
from prover.worlds.flat import Flat, Ints

if TYPE_CHECKING:
    from prover.solve.large import Large, Solution
    from prover.solve.rows import Gain


class TooHardError(Exception):
    """What a large world does not decide, and why."""


@dataclass(frozen=True)
class Table:
    """One potential: numerators over 2^k for every node; ``null`` marks nodes that are not live (None in object arrays)."""

    numerators: Any  # int64[n], or an array of Python integers and None
    k: int


@dataclass(frozen=True, eq=False)
class FlatBound:
    """w . O <= ``bound`` for the policies whose streams in ``finite`` are finite (with ``part``: for that plan).

    ``bound`` None: there is no such policy.  ``tables`` are the potentials, one for each discount (None: undiscounted).
    ``plan``: the best one found, a choice for every node (-1: it does not matter).
    """

    arena: FlatArena
    weights: Mapping[int, fmpq]
    finite: frozenset[int]
    bound: fmpq | None
    tables: Mapping[Fraction | None, Table]
    plan: Ints
    part: FlatPoint | None = None
    support: Mapping[int, frozenset[int]] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class FlatMixture:
    """A bound for a policy that draws one of its plans at the start: the weighted sum of theirs."""

    weights: Mapping[int, fmpq]
    finite: frozenset[int]
    bound: fmpq | None
    policy: FlatPolicy
    parts: tuple[FlatBound, ...]
    support: Mapping[int, frozenset[int]] = field(default_factory=dict)


@dataclass(eq=False)
class FlatPoint:
    """A plan and the values of the streams under it: between ``lows`` and ``highs``, certified for the (stream, side) in ``certified``.

    ``vector[i]`` is None where the stream is infinite.  ``bounds`` are the lemmas behind what was ever certified.
    """

    arena: FlatArena
    plan: Ints
    vector: list[fmpq | None]
    lows: list[fmpq | None]
    highs: list[fmpq | None]
    certified: set[tuple[int, int]] = field(default_factory=set)  # side 1: from above, -1: from below
    bounds: dict[tuple[int, int], FlatBound] = field(default_factory=dict)

    def low(self, i: int) -> fmpq | None:
        return self.lows[i]

    def high(self, i: int) -> fmpq | None:
        return self.highs[i]

    def respects(self, support: Mapping[int, frozenset[int]]) -> bool:
        """Large worlds know no case distinctions over what is played."""
        return not support

    def certify(self, i: int, side: int) -> None:
        """Bounds the value of stream i under the plan from above (1) or from below (-1)."""
        if (i, side) in self.certified or self.vector[i] is None:
            return
        lemma = self.arena.fixed(self, {i: fmpq(side)})
        if lemma.bound is None:
            raise TooHardError("a value of a plan that turned out to be infinite")
        known = self.bounds.get((i, side))
        if known is None or known.bound is None or lemma.bound < known.bound:  # a bound that something rests on never gets worse
            self.bounds[i, side] = lemma
            if side == 1:
                self.highs[i] = lemma.bound
            else:
                self.lows[i] = -lemma.bound
        self.certified.add((i, side))


@dataclass(frozen=True, eq=False)
class FlatPolicy:
    """A policy of the world that draws one of these plans at the start; the weights sum to 1."""

    parts: tuple[tuple[Fraction, FlatPoint], ...]


@dataclass(eq=False)
class FlatArena:
    """``flaggable``: streams that some policy makes infinite, with their sign; ``tolerance``: relative, of the bounds."""

    product: Flat
    flaggable: Mapping[int, int]
    tolerance: float = 1.0
    progress: Callable[[str], None] = lambda _: None
    suprema: list[FlatBound] = field(default_factory=list)
    asked: dict[Any, FlatBound] = field(default_factory=dict)
    _points: list[FlatPoint] = field(default_factory=list)
    _waiting: list[Ints] = field(default_factory=list)  # plans whose values nobody has asked for yet
    _large: Large | None = None
    _gains: list[Gain] = field(default_factory=list)
    _warm: dict[Fraction | None, Solution] = field(default_factory=dict)

    # ------------------------------------------------------------ the solver's view

    @property
    def large(self) -> Large:
        from prover.solve.large import Large
        from prover.solve.rows import Gain, Rows

        if self._large is None:
            product = self.product
            rows = Rows(
                product.choice_start, product.transition_start, product.successor, product.probability, list(product.mdp.probabilities)
            )
            self._large = Large(rows)
            self._gains = [Gain(gains.index, list(gains.table)) for gains in product.gains]
        return self._large

    def gain(self, weights: Mapping[int, fmpq], sign: int = 1) -> Gain:
        from prover.solve.rows import Gain

        self.large  # noqa: B018  builds the gains
        if not weights:
            return Gain(np.zeros(len(self.product.transition_start) - 1, dtype=np.int32), [Fraction(0)])
        return Gain.weighted([(sign * fraction(w), self._gains[i]) for i, w in weights.items()])

    def zero(self, streams: Sequence[int]) -> Any:
        """The choices that earn nothing in any of these streams."""
        quiet = np.ones(len(self.product.transition_start) - 1, dtype=np.bool_)
        for i in streams:
            quiet &= ~self.product.gains[i].nonzero()
        return quiet

    def finite_set(self, weights: Mapping[int, fmpq], finite: frozenset[int]) -> frozenset[int]:
        """The streams that a bound must assume finite: those given, and every weighted total or until stream."""
        return finite | {i for i, w in weights.items() if w != 0 and self.product.streams[i].sums_for_ever}

    def refine(self, tolerance: float) -> None:
        """Bounds asked for from now on are tighter; those of known plans and directions are computed again, from where they stand."""
        if tolerance < self.tolerance:
            self.tolerance = tolerance
            self.asked.clear()
            for point in self._points:
                point.certified.clear()

    # ------------------------------------------------------------ bounds

    def sup(self, weights: Mapping[int, fmpq], finite: frozenset[int], support: Mapping[int, frozenset[int]]) -> FlatBound:
        """A certified bound over the policies with these streams finite; the best plan found joins the points.

        TooHardError where there is no bound, or none was found.
        """
        if support:
            raise TooHardError("case distinctions over what a policy plays are not made in worlds of this size")
        direction = {i: w for i, w in sorted(weights.items()) if w != 0}
        finite = self.finite_set(direction, finite)
        key = (tuple(direction.items()), finite)
        known = self.asked.get(key)
        if known is None:
            known = self.asked[key] = self._solve(direction, finite, None)
            self.suprema.append(known)
        if known.bound is not None and known.tables:
            self._waiting.append(known.plan)
        return known

    def fixed(self, point: FlatPoint, weights: Mapping[int, fmpq], finite: frozenset[int] = frozenset()) -> FlatBound:
        """A certified bound for one plan."""
        direction = {i: w for i, w in sorted(weights.items()) if w != 0}
        finite = self.finite_set(direction, finite)
        key = (id(point), tuple(direction.items()), finite)
        known = self.asked.get(key)
        if known is None:
            known = self.asked[key] = self._solve(direction, finite, point)
        return known

    def reached(self, point: FlatPoint) -> Ints:
        """The plan in the nodes that it reaches, -1 elsewhere."""
        from prover.worlds.flat_kernels import follow

        start = np.array([node for node, _ in self.product.start if node >= 0], dtype=np.int64)
        found: Ints = follow(point.plan, self.product.transition_start, self.product.successor, start)
        return found

    def _told(self, point: FlatPoint | None) -> None:
        world, done = self.product.mdp.world, len(self.suprema)
        self.progress(f"solving {world}: direction {done + 1}" if point is None else f"solving {world}: the values of a plan")

    def _solve(self, weights: Mapping[int, fmpq], finite: frozenset[int], point: FlatPoint | None) -> FlatBound:
        self._told(point)
        streams = self.product.streams
        groups: dict[Fraction | None, dict[int, fmpq]] = {}
        for i, w in weights.items():
            groups.setdefault(streams[i].group, {})[i] = w
        if finite:
            groups.setdefault(None, {})
        if len(groups) > 1:
            raise TooHardError(
                "objectives on different time scales (two discounts, or one beside undiscounted ones) in a world of this size"
            )
        tables: dict[Fraction | None, Table] = {}
        plan = np.full(self.product.nodes, -1, dtype=np.int64) if point is None else point.plan
        bound: fmpq | None = fmpq(0)
        for factor, part in groups.items():
            solution = self._stationary(part, factor, finite, point)
            numerators = solution.potential
            if point is not None:  # the checker does not look at nodes that the plan does not reach
                numerators = np.where(self.reached(point) < 0, 0, numerators)
            bound = None if solution.upper is None else rational(solution.upper)
            limit = self._limit(part, solution.k)
            if bound is not None and limit is not None:
                numerators = _least(numerators, limit)
                bound = self._expected(numerators, solution.k)
            tables[factor] = Table(numerators, solution.k)
            if point is None:
                plan = solution.plan
        if bound is None:
            weights = {}  # the table is one of no gain: there is no such policy, whatever it would earn
        return FlatBound(self, weights, finite, self._at_start(weights, bound), tables, plan, point)

    def _limit(self, weights: Mapping[int, fmpq], k: int) -> Ints | int | None:
        """A potential that needs no solving, over 2^k: 0 where nothing can be gained; for a probability its weight until it has come
        true.  The smaller of two potentials is one again (each is at least what its own expectation brings, so at least the smaller's)."""
        if all(value <= 0 for value in self.gain(weights).values):
            return 0
        if len(weights) > 1:
            return None
        ((i, w),) = weights.items()
        if w < 0 or self.product.streams[i].kind != "probability":
            return None
        memories = self.product.memories
        open_ = np.array([not memories.won(number, i) for number in self.product.numbers], dtype=np.int64)
        most = -(-(fraction(w).numerator << k) // fraction(w).denominator)
        return open_[self.product.memory] * most if most < 1 << 62 else None

    def _expected(self, numerators: Any, k: int) -> fmpq:
        total = sum((share * int(numerators[node]) for node, share in self.product.start if node >= 0), Fraction(0))
        return rational(total / 2**k)

    def _at_start(self, weights: Mapping[int, fmpq], bound: fmpq | None) -> fmpq | None:
        if bound is None:
            return None
        return bound + sum((w * rational(self.product.offset[i]) for i, w in weights.items()), fmpq(0))

    def _stationary(
        self, weights: Mapping[int, fmpq], factor: Fraction | None, finite: frozenset[int], point: FlatPoint | None
    ) -> Solution:
        from prover.solve.large import Failure

        quiet = self.zero([*finite, *weights]) if factor is None else None
        start = list(self.product.start)
        if point is None:
            outcome = self.large.maximise(self.gain(weights), quiet, factor, start, self._warm.get(factor), self.tolerance)
        else:
            outcome = self.large.lower(point.plan, self.gain(weights, -1), quiet, factor, start, self.tolerance)
        if isinstance(outcome, Failure):
            raise TooHardError(outcome.reason)
        if point is None:
            self._warm[factor] = outcome
        return outcome

    # ------------------------------------------------------------ points

    @property
    def points(self) -> list[FlatPoint]:
        """The plans found so far, with their values."""
        while self._waiting:
            self.join(self._waiting.pop(0))
        return self._points

    def join(self, plan: Ints) -> FlatPoint:
        """The plan as a point; a plan whose values are as near as floats tell to those of a known one is that one."""
        for point in self._points:
            if point.plan is plan:
                return point
        vector = self._values(plan)
        for point in self._points:
            if all(_near(a, b) for a, b in zip(point.vector, vector, strict=True)):
                return point
        point = FlatPoint(self, plan, vector, list(vector), list(vector))
        self._points.append(point)
        return point

    def _values(self, plan: Ints) -> list[fmpq | None]:
        streams = self.product.streams
        values: list[fmpq | None] = [None] * len(streams)
        together: dict[Fraction | None, list[int]] = {}
        for i, stream in enumerate(streams):
            together.setdefault(stream.group, []).append(i)
        self.large  # noqa: B018  builds the gains
        pending = list(together.values())
        for members in pending:
            factor = streams[members[0]].group
            quiet = self.zero(members) if factor is None else None
            tables = self.large.evaluate(plan, [self._gains[i] for i in members], quiet, factor, list(self.product.start))
            found = [self._total(table, i) for i, table in zip(members, tables, strict=True)]
            if len(members) > 1 and not np.isfinite(found).all():
                pending += [[i] for i in members]  # one that earns for ever must not spoil the others
                continue
            for i, total in zip(members, found, strict=True):
                values[i] = None if not np.isfinite(total) else rational(Fraction(total).limit_denominator(1 << 60))
        return values

    def _total(self, table: Any, i: int) -> float:
        total = sum(float(share) * float(table[node]) for node, share in self.product.start if node >= 0)
        return total + float(self.product.offset[i])


def _near(a: fmpq | None, b: fmpq | None) -> bool:
    if a is None or b is None:
        return a is b
    return abs(a - b) <= fmpq(1, 1 << 44) * max(fmpq(1, 1 << 20), abs(a))


def _least(numerators: Any, limit: Ints | int) -> Any:
    """The smaller of the two, node by node; null stays."""
    if numerators.dtype != object:
        return np.minimum(numerators, limit)  # null is the smallest number
    limits = np.broadcast_to(limit, len(numerators)).tolist()
    return np.array([None if x is None else min(x, most) for x, most in zip(numerators, limits, strict=True)], dtype=object)
