"""One world (or one fixed policy in it) as a theory: suprema of directions, and the policies found so far.

An arena answers "how large can w . O get?" exactly and remembers the best policies as points of the
achievable set; every answer is kept, because a potential is a lemma for every claim about the same streams.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from dsl.record import dataclass
from prover.flint import fmpq
from prover.policies.controller import Controller
from prover.policies.unfold import unfold
from prover.solve.evaluate import Vector, distribution, evaluate, reachable, recurrent, trivial_plan
from prover.solve.exact import Decision, Plan, Supremum, Unbounded, supremum
from prover.solve.live import Support, allowed_choices, liveness
from prover.worlds.product import Product

Direction = tuple[tuple[int, fmpq], ...]  # stream of the product, weight


@dataclass(frozen=True)
class Point:
    """A policy and the exact value of every stream (None: infinite)."""

    product: Product
    plan: Plan
    vector: Vector

    def low(self, i: int) -> fmpq | None:
        """Of the value of stream i, which is exact here."""
        return self.vector[i]

    high = low

    def plays(self) -> dict[int, set[int]]:
        """World state -> actions that the plan plays there on some run (settled nodes excepted)."""
        mdp = self.product.mdp
        found: dict[int, set[int]] = {}
        for node in reachable(self.product, self.plan):
            for c, _ in distribution(self.plan[node]):
                origin = self.product.origin[c]
                if origin >= 0:
                    found.setdefault(self.product.nodes[node][0], set()).add(int(mdp.action[origin]))
        return found

    def respects(self, support: Support) -> bool:
        """Is the point a limit of policies that play exactly the support?  Its actions must lie in it, and where it goes on
        for ever, playing the whole support must be able to go on for ever as well."""
        if not support:
            return True
        if not all(actions <= support.get(state, actions) for state, actions in self.plays().items()):
            return False
        product = self.product
        watched = [i for i, s in enumerate(product.streams) if s.group is None and s.kind != "horizon" and self.vector[i] is not None]
        ends = recurrent(product, self.plan) if watched else set()
        if not ends:
            return True
        zero = bytearray(not any(product.earns[i][c] for i in watched) for c in range(len(product.origin)))
        stay = liveness(product, zero, allowed_choices(product, support), support).stay
        return all(stay[node] for node in ends)


@dataclass
class Arena:
    """``flaggable``: streams that some policy makes infinite, with their sign (1: minus infinity is possible)."""

    product: Product
    flaggable: Mapping[int, int]
    points: list[Point] = field(default_factory=list)
    suprema: list[Supremum] = field(default_factory=list)
    asked: dict[tuple[Direction, frozenset[int], tuple[tuple[int, frozenset[int]], ...]], Supremum | Unbounded] = field(
        default_factory=dict
    )

    def finite_set(self, weights: Mapping[int, fmpq], finite: frozenset[int]) -> frozenset[int]:
        """The streams that a bound must assume finite: those given, and every weighted total or until stream."""
        return finite | {i for i, w in weights.items() if w != 0 and self.product.streams[i].sums_for_ever}

    def sup(self, weights: Mapping[int, fmpq], finite: frozenset[int], support: Support) -> Supremum | Unbounded:
        """The supremum over the policies with these streams finite; its policy joins the points."""
        direction = tuple(sorted((i, w) for i, w in weights.items() if w != 0))
        finite = self.finite_set(weights, finite)
        key = (direction, finite, tuple(sorted(support.items())))
        known = self.asked.get(key)
        if known is None:
            known = self.asked[key] = supremum(self.product, dict(direction), finite, support)
            if isinstance(known, Supremum):
                self.suprema.append(known)
        if isinstance(known, Supremum) and known.bound is not None:
            self.join(known.plan)
        return known

    def join(self, plan: Plan) -> Point:
        if self.product.controller is not None:
            plan = trivial_plan(self.product)
        vector = evaluate(self.product, plan)
        for point in self.points:
            if (
                point.vector == vector
                and point.product is self.product
                and (self.product.controller or point.plays() == _plays(self.product, plan))
            ):
                return point
        point = Point(self.product, list(plan), vector)
        self.points.append(point)
        return point

    def loops(self, ray: Unbounded, base: Point, rounds: int) -> None:
        """A point that goes around a gaining loop about ``rounds`` times and then follows ``base``: finite if it is, but far out."""
        stay, leave = 1 - fmpq(1, rounds), fmpq(1, rounds)
        loop = set(ray.loop)
        plan: list[Decision] = []
        for node, (going, stopping) in enumerate(zip(ray.plan, base.plan, strict=True)):
            toward = self._toward(node, loop)
            if node not in loop and toward is not None:
                going = toward
            parts: dict[int, fmpq] = {}
            for decision, weight in ((going, stay), (stopping, leave)):
                for c, p in distribution(decision):
                    if c >= 0:
                        parts[c] = parts.get(c, fmpq(0)) + weight * p
            total = sum(parts.values(), fmpq(0))
            plan.append(-1 if not parts else tuple((c, p / total) for c, p in parts.items()))
        self.join(plan)

    def _toward(self, node: int, loop: set[int]) -> int | None:
        for c in self.product.choices(node):
            if any(self.product.successor[t] in loop for t in self.product.transitions(c)):
                return c
        return None


def _plays(product: Product, plan: Plan) -> dict[int, set[int]]:
    return Point(product, plan, []).plays()


def controller_of(point: Point) -> Controller:
    """The point's plan as a controller: its nodes are the product's memories (and times), plus one for settled runs."""
    return unfold(point.product, point.plan) if point.product.controller is None else point.product.controller
