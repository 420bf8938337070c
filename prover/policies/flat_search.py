"""The search modulo policies in large worlds: the same loop, with certified enclosures in the place of exact vertices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice, product
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from dsl.spec import PolicyType
from prover.flint import fmpq, rational
from prover.policies.arena import Arena
from prover.policies.controller import Controller
from prover.policies.flat_arena import FlatArena, FlatMixture, FlatPoint, FlatPolicy, TooHardError
from prover.policies.modulo import Counterexample, Search, mixes
from prover.policies.query import Literals, OptimumOf, Query
from prover.policies.theory import Bounds, Candidate, Flags, Stuck, Supports, Theory, Threshold, Tree, size
from prover.solve import lp
from prover.worlds.flat import Flat

if TYPE_CHECKING:
    from prover.policies.arena import Point
    from prover.policies.multipliers import Column, RowName

MAX_SINGLES = 256  # choices of one plan for each player whose type does not mix
FINER = "some slack in the claim would decide it"


def belongs(policy: FlatPolicy, type: PolicyType) -> bool:
    """Is it certainly in the type?  A plan is deterministic, and memoryless where equal states play alike."""
    if type.memory is not None or type.observes is not None:
        return False
    if not (type.deterministic or type.memoryless):
        return True
    if len(policy.parts) > 1:
        return False
    return not type.memoryless or _plays_by_state(policy.parts[0][1])


def _plays_by_state(point: FlatPoint) -> bool:
    product, plan = point.arena.product, point.arena.reached(point)
    nodes = np.flatnonzero(plan >= 0)
    played = product.origin(plan[nodes], nodes)
    first = np.full(product.mdp.states, -1, dtype=np.int64)
    first[product.state[nodes]] = played
    return bool((first[product.state[nodes]] == played).all())


@dataclass(eq=False)
class FlatFixed:
    """The arena of one policy, as ``FlatArena`` is that of all."""

    product: Flat
    policy: FlatPolicy
    flaggable: Mapping[int, int] = field(default_factory=dict)
    asked: dict[Any, FlatMixture] = field(default_factory=dict)

    @property
    def points(self) -> list[FlatFixedPoint]:
        return [FlatFixedPoint(self.policy)]

    def sup(self, weights: Mapping[int, fmpq], finite: frozenset[int], support: Mapping[int, frozenset[int]]) -> FlatMixture:
        if support:
            raise TooHardError("a fixed policy has no cases")
        direction = {i: w for i, w in sorted(weights.items()) if w != 0}
        key = (tuple(direction.items()), finite)
        known = self.asked.get(key)
        if known is None:
            parts = tuple(point.arena.fixed(point, direction, finite) for _, point in self.policy.parts)
            total: fmpq | None = fmpq(0)
            for (share, _), part in zip(self.policy.parts, parts, strict=True):
                total = None if total is None or part.bound is None else total + rational(share) * part.bound
            known = self.asked[key] = FlatMixture(direction, parts[0].finite, total, self.policy, parts)
        return known


@dataclass(frozen=True, eq=False)
class FlatFixedPoint:
    """A fixed policy as the only point of its hull."""

    policy: FlatPolicy

    @property
    def vector(self) -> list[fmpq | None]:
        return [self.low(i) for i in range(len(self.policy.parts[0][1].vector))]

    def low(self, i: int) -> fmpq | None:
        return _mean([(share, point.low(i)) for share, point in self.policy.parts])

    def high(self, i: int) -> fmpq | None:
        return _mean([(share, point.high(i)) for share, point in self.policy.parts])

    def respects(self, support: Mapping[int, frozenset[int]]) -> bool:
        return not support


def _mean(parts: Sequence[tuple[Fraction, fmpq | None]]) -> fmpq | None:
    total = fmpq(0)
    for share, value in parts:
        if value is None:
            return None
        total += rational(share) * value
    return total


class FlatTheory(Theory):
    """The theory over flat arenas: a hull is known by enclosures, and rows are read at their worse ends."""

    def __init__(self, query: Query, arenas: Mapping[str, FlatArena | FlatFixed], optima: Sequence[Bounds]) -> None:
        # a flat arena answers the questions of an exact one, but for the case distinctions that it refuses
        super().__init__(query, cast("Mapping[str, Arena]", arenas), optima)

    def missed(self, gap: fmpq) -> str:
        return f"the certified bounds leave a gap of {size(gap)}; {FINER}" if gap > 0 else f"the claim is at its boundary; {FINER}"

    def loose(self, literals: Literals) -> str | None:
        for i, _ in literals:
            for _, term in self.query.inequalities[i].terms:
                if isinstance(term, OptimumOf):
                    bounds, wanted = self.optima[term.index], self.query.optima[term.index]
                    return f"{wanted.text} over {wanted.over} is only known to a width of {size(bounds.upper - bounds.lower)}; {FINER}"
        return None

    def begin(self, named: Sequence[tuple[RowName, lp.Row[Column]]], players: Sequence[str], flags: Flags, supports: Supports) -> None:
        """The policy of each player that goes furthest towards satisfying a literal about it alone."""
        for player in players:
            if self.points(player, flags, supports):
                continue
            for _, row in named:
                weights = {self.column[player][c[2]]: -x for c, x in row.coefficients.items() if c[0] == "value" and c[1] == player}
                if weights:
                    self.ask(player, weights, flags, supports)
                    break

    def _diverge(self, *_: object) -> dict[Column, fmpq]:
        raise TooHardError("policies that make a reward infinite are not constructed in worlds of this size")


class FlatSearch(Search):
    """Types that are not closed under mixing are only proved by relaxation, or refuted by single plans.

    ``certifying`` False: counterexamples rest on floats, and only say where to look.
    """

    certifying = True

    def decide(self, threshold: Threshold | None = None) -> Tree | Counterexample | Stuck:
        try:
            return super().decide(threshold)
        except TooHardError as reason:
            return Stuck(str(reason))

    def drawn(self, parts: Sequence[tuple[Fraction, Point]]) -> Controller:
        return cast("Controller", FlatPolicy(tuple(cast("Sequence[tuple[Fraction, FlatPoint]]", parts))))

    def _realise(
        self, candidate: Candidate, literals: Literals, flags: Flags, supports: Supports, threshold: Threshold | None
    ) -> Counterexample | None:
        """The literals must hold with the certified values of the policies."""
        if any(not finite for finite in flags.values()):
            return None
        points: dict[str, list[Any]] = {player: self.theory.points(player, flags, supports) for player in candidate.mixture}
        named = self.theory.certain(self.theory.rows(literals, flags, threshold))
        found = self._certified(named, points, flags, literals)
        alone = [p for p in points if (type := self.types[p]) is not None and not mixes(type)]
        if found is None or all(self._single(p, found) for p in alone):
            return found
        singles = [[[point] for point in points[p] if self._belongs(p, point)] for p in alone]
        for choice in islice(product(*singles), MAX_SINGLES):
            found = self._certified(named, {**points, **dict(zip(alone, choice, strict=True))}, flags, literals)
            if found is not None:
                return found
        raise TooHardError(
            "some policy of the world breaks the claim, but for this policy type no such policy was found in a world of this size"
        )

    def _single(self, player: str, found: Counterexample) -> bool:
        """Is one plan that the player's type admits enough, at the point found and at the edge?"""
        parts = found.parts[player]
        return parts is not None and len(parts) == 1 and self._belongs(player, cast("FlatPoint", parts[0][2]))

    def _belongs(self, player: str, point: FlatPoint) -> bool:
        type = self.types[player]
        return type is None or belongs(FlatPolicy(((Fraction(1), point),)), type)

    def _certified(
        self, named: Sequence[tuple[RowName, lp.Row[Column]]], points: Mapping[str, list[Any]], flags: Flags, literals: Literals
    ) -> Counterexample | None:
        """A mixture of these points whose bounds satisfy the literals."""
        rows, at_edge = named, None
        while True:
            found = self._fit(rows, points, flags, literals, set())
            if found is None:
                return at_edge
            # Only what the mixture uses is certified; then the mixture is chosen again among those.
            used: dict[str, list[Any]] = {p: [pt for _, _, pt in parts] for p, parts in found.parts.items() if parts is not None}
            sides = self._sides(named)
            loose = [
                (pt, i, side) for p, pts in used.items() for pt in pts if isinstance(pt, FlatPoint) for i, side in sides[p] - pt.certified
            ]
            if not loose or not self.certifying:
                if self.certifying and at_edge is None and found.unknown is not None and found.unknown == found.edge:
                    at_edge, rows = found, [*named, self._behind(found.edge)]  # a proof shows a value strictly behind the edge
                    continue
                return found
            for point, i, side in loose:
                point.certify(i, side)
            points = {**points, **{p: pts for p, pts in used.items() if pts}}

    def _behind(self, edge: fmpq) -> tuple[RowName, lp.Row[Column]]:
        sign = fmpq(1) if self.query.unknown is not None and self.query.unknown.direction == "maximal" else fmpq(-1)
        return ("threshold",), lp.Row({("unknown",): -sign}, sign * edge, "<")

    def _fix(self, *_: object) -> bool:
        return False

    def _branch(self, *_: object) -> Stuck:
        """What floats show and bounds do not confirm."""
        return Stuck(f"a policy seems to break the claim, but the bounds of its values are not tight enough to tell; {FINER}")

    def _sides(self, named: Sequence[tuple[RowName, lp.Row[Column]]]) -> dict[str, set[tuple[int, int]]]:
        """For each player the streams that the rows read, and at which end."""
        found: dict[str, set[tuple[int, int]]] = {player: set() for player, _ in self.query.players}
        for _, row in named:
            for column, c in row.coefficients.items():
                if column[0] == "value":
                    found[column[1]].add((self.theory.column[column[1]][column[2]], 1 if c > 0 else -1))
        return found
