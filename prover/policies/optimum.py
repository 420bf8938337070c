"""max(J) and min(J) over a policy type, with both of its bounds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from dsl.diagnostic import Diagnostic, SpecError
from dsl.record import dataclass
from dsl.spec import PolicyType
from prover.flint import fmpq, rational
from prover.policies.arena import Arena, Point, controller_of
from prover.policies.belongs import belongs
from prover.policies.context import Context
from prover.policies.controller import Controller
from prover.policies.query import OptimumQuery, Query
from prover.solve.exact import Supremum
from prover.solve.live import Support
from prover.worlds.product import Product


class NoPolicyFoundError(Exception):
    """The optimum over the type is not known from either side."""


Cases = tuple[Any, ...]  # ("lemma", Supremum) or ("choose", state, [(actions, Cases)...])
MAX_CASES = 20_000


@dataclass(frozen=True)
class Optimum:
    """lower <= optimum <= upper: ``attained`` is a controller of the type on one side, ``cases`` bound the other."""

    lower: fmpq
    upper: fmpq
    attained: Controller
    cases: Cases
    product: Product


def optimum(context: Context, query: Query, index: int, arena: Arena, clock: Callable[[], None]) -> Optimum:
    """SpecError E311 if the extremum is infinite."""
    wanted = query.optima[index]
    type = context.spec.policy_type(wanted.over)
    sign = fmpq(1) if wanted.kind == "max" else fmpq(-1)
    weights = {arena.product.stream_index(query.streams[s]): sign * rational(c) for c, s in wanted.body}
    for i, w in weights.items():
        if i in arena.flaggable and (w > 0) != (arena.flaggable[i] == 1):
            if wanted.kind == "min":
                raise SpecError([_infinite(query, wanted, "some policies lose for ever, so it is minus infinity")])
            grows = context.growth(query, arena.product.streams[i], 1 if w > 0 else -1)
            raise SpecError([grows or _infinite(query, wanted, "some policies make it grow for ever")])
    best = _Extremum(context, arena, type, weights, clock)
    bound, cases, point = best.solve(query, wanted)
    constant = sign * rational(wanted.constant)
    reached = sum((w * value for i, w in weights.items() if (value := point.vector[i]) is not None), fmpq(0))
    values = sorted((sign * (reached + constant), sign * (bound + constant)))
    return Optimum(values[0], values[1], controller_of(point), cases, arena.product)


def _infinite(query: Query, wanted: OptimumQuery, why: str) -> Diagnostic:
    stream = query.streams[wanted.body[0][1]]
    objective = query.origins[stream]
    return Diagnostic(
        "E311", objective.span, f"`{wanted.text}` is infinite: {why}", "bound the reward with `horizon` or `discount`, or end the episode"
    )


class _Extremum:
    """Branch and bound over what a restricted policy plays; for the default type, and wherever the relaxation is attained, one step."""

    def __init__(self, context: Context, arena: Arena, type: PolicyType, weights: dict[int, fmpq], clock: Callable[[], None]) -> None:
        self.context, self.arena, self.type, self.weights, self.clock = context, arena, type, weights, clock
        self.best: tuple[fmpq, Point] | None = None
        self.count = 0

    def solve(self, query: Query, wanted: OptimumQuery) -> tuple[fmpq, Cases, Point]:
        relaxed = self.ask({})
        if relaxed is None:
            raise SpecError([_infinite(query, wanted, "under every policy the losses go on for ever")])
        bound, cases = self.descend(relaxed, {})
        if self.best is None and self.type.observes is None:
            # The best deterministic memoryless policy is in the type: the optimum lies between it and the relaxation.
            simple = _Extremum(
                self.context, self.arena, replace(self.type, deterministic=True, memoryless=True, memory=None), self.weights, self.clock
            )
            simple.descend(relaxed, {})
            self.best = simple.best
        if self.best is None:
            raise NoPolicyFoundError(f"no policy of type {self.type.name} was found that attains `{wanted.text}`")
        return bound, cases, self.best[1]

    def ask(self, support: Support) -> Supremum | None:
        answer = self.arena.sup(self.weights, frozenset(), support)
        if not isinstance(answer, Supremum):
            raise SpecError(
                [
                    Diagnostic(
                        "E311",
                        self.type.span,
                        "an optimum over this policy type is infinite",
                        "bound the reward with `horizon` or `discount`",
                    )
                ]
            )
        return answer if answer.bound is not None else None

    def value(self, point: Point) -> fmpq | None:
        total = fmpq(0)
        for i, w in self.weights.items():
            if w != 0:
                value = point.vector[i]
                if value is None:
                    return None
                total += w * value
        return total

    def descend(self, relaxed: Supremum, support: Support) -> tuple[fmpq, Cases]:
        """An upper bound of the type's policies under the support, with its cases; the best policy met is kept."""
        self.clock()
        self.count += 1
        assert relaxed.bound is not None
        point = self.arena.join(relaxed.plan)
        value = self.value(point)
        inside = belongs(controller_of(point), self.type, point.product.mdp)
        if inside and value is not None and (self.best is None or value > self.best[0]):
            self.best = (value, point)
        if (self.best is not None and relaxed.bound <= self.best[0]) or self.count > MAX_CASES:
            return relaxed.bound, ("lemma", relaxed)
        state = None if inside else self.split(point, support)
        if state is None:
            return relaxed.bound, ("lemma", relaxed)
        mdp = self.arena.product.mdp
        bound: fmpq | None = None
        branches = []
        for c in range(mdp.choice_start[state], mdp.choice_start[state + 1]):
            extended = {**support, state: frozenset({int(mdp.action[c])})}
            answer = self.arena.sup(self.weights, frozenset(), extended)
            if not isinstance(answer, Supremum):
                continue
            if answer.bound is None:
                branches.append((tuple(extended[state]), ("lemma", answer)))
                continue
            part, cases = self.descend(answer, extended)
            branches.append((tuple(extended[state]), cases))
            bound = part if bound is None or part > bound else bound
        assert bound is not None
        return bound, ("choose", state, branches)

    def split(self, point: Point, support: Support) -> int | None:
        """A state where the plan looks at more than the state; only deterministic memoryless types are split."""
        if not (self.type.deterministic and self.type.memoryless) or self.type.observes is not None:
            return None
        return next((s for s, actions in sorted(point.plays().items()) if len(actions) > 1 and s not in support), None)
