"""Policies of a large world that break a claim: their certified values, what breaks, and a run replayed by the reference semantics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from heapq import heappop, heappush
from math import log
from typing import Any, cast

import numpy as np

from dsl import semantics
from prover.counterexample import Counterexample, Mismatch, short
from prover.flint import fmpq, fraction
from prover.policies.context import Context
from prover.policies.flat_arena import FlatPoint, FlatPolicy, TooHardError
from prover.policies.flat_decide import FlatOptimum
from prover.policies.modulo import Counterexample as Found
from prover.policies.query import OptimumOf, Query, ValueOf
from prover.replay import Step, Trace
from prover.verdict import between
from prover.worlds.flat import Flat
from prover.worlds.objective import Atoms
from prover.worlds.objective import stream as affine_of

MAX_VISITED = 400_000
LIKELY = 30
Ends = tuple[Fraction, Fraction]


@dataclass(frozen=True)
class FlatWitness:
    """``objectives``: the user's text of each objective, and the ends between which its value is certified."""

    states: int  # in which the policy has something to decide
    plans: int
    objectives: Mapping[str, Ends]

    def to_json(self) -> dict[str, Any]:
        return {
            # no controller: the plan is an array of the proof
            "objectives": {text: {"lower": str(low), "upper": str(high)} for text, (low, high) in self.objectives.items()},
        }

    def lines(self, name: str) -> list[str]:
        drawn = f"one of {self.plans} plans, drawn at the start; " if self.plans > 1 else ""
        head = f"policy {name}: {drawn}decides in {self.states:,} states (the plan is in the proof)"
        return [head, *(f"  {text} {enclosed(ends)}" for text, ends in self.objectives.items())]


def enclosed(ends: Ends) -> str:
    low, high = ends
    if low == high:
        return f"= {short(low)}"
    return between(low, high)


def show(context: Context, query: Query, optima: Sequence[FlatOptimum], found: Found | None) -> Counterexample:
    """``found`` None: no policy does what the claim asks for.  Raises Mismatch if the run does not survive its replay."""
    if found is None:
        return Counterexample({}, None, ("no policy does this: a proof of the negation was accepted by the checker",))
    policies = {}
    for player, policy in found.controllers.items():
        flat = cast("FlatPolicy", policy)
        streams = dict.fromkeys(t.stream for q in query.inequalities for _, t in q.terms if isinstance(t, ValueOf) and t.policy == player)
        policies[player] = FlatWitness(
            _decisions(flat), len(flat.parts), {text: ends for i in streams for text, ends in _value(query, flat, i)}
        )
    lines = dict.fromkeys(_explain(query, i, held, optima) for i, held in found.literals)
    unknown = None if found.unknown is None or query.unknown is None else (query.unknown.name, fraction(found.unknown))
    return Counterexample(policies, most_telling(context, query, found), tuple(lines), unknown)


def _decisions(policy: FlatPolicy) -> int:
    """World states with a choice that some plan of the policy reaches."""
    states: set[int] = set()
    for _, point in policy.parts:
        product, plan = point.arena.product, point.arena.reached(point)
        several = np.diff(product.choice_start) > 1
        states.update(np.unique(product.state[(plan >= 0) & several]).tolist())
    return len(states)


def _value(query: Query, policy: FlatPolicy, i: int) -> list[tuple[str, Ends]]:
    stream = query.streams[i]
    low = high = fmpq(0)
    for share, point in policy.parts:
        k = point.arena.product.streams.index(stream)
        try:
            point.certify(k, 1)
            point.certify(k, -1)
        except TooHardError:  # the proof needs one side, and has it
            return []
        below, above = point.low(k), point.high(k)
        if below is None or above is None:
            return []
        low, high = low + fmpq(share.numerator, share.denominator) * below, high + fmpq(share.numerator, share.denominator) * above
    affine = affine_of(query.origins[stream], Atoms())
    ends = sorted(affine.constant + affine.scale * fraction(x) for x in (low, high))
    return [(query.origins[stream].text, (ends[0], ends[1]))]


def _explain(query: Query, index: int, held: bool, optima: Sequence[FlatOptimum]) -> str:
    facts = []
    for _, term in query.inequalities[index].terms:
        if isinstance(term, OptimumOf):
            ends = (fraction(optima[term.index].lower), fraction(optima[term.index].upper))
            facts.append(f"{query.optima[term.index].text} {enclosed(ends)}")
    tail = f"   [{', '.join(facts)}]" if facts else ""
    return f"{'holds' if held else 'fails'}: {query.texts[index]}{tail}"


# ---------------------------------------------------------------- the run


def most_telling(context: Context, query: Query, found: Found) -> Trace | None:
    """The most probable run that makes the last path formula come true that the claim wanted rare; else a likely run."""
    some: FlatPoint | None = None
    for index, held in reversed(found.literals):
        for c, term in query.inequalities[index].terms:
            policy = cast("FlatPolicy | None", found.controllers.get(term.policy)) if isinstance(term, ValueOf) else None
            if policy is None or not isinstance(term, ValueOf):
                continue
            stream = query.streams[term.stream]
            best = max(policy.parts, key=lambda part: part[1].vector[part[1].arena.product.streams.index(stream)] or fmpq(0))[1]
            some = some or best
            if stream.kind == "probability" and (c > 0) != held:
                run = _winning(best, best.arena.product.streams.index(stream))
                if run is not None:
                    return replay(context, best.arena.product, run)
    return None if some is None else replay(context, some.arena.product, _likely(some))


Run = list[tuple[int, int, int]]  # (world state, choice of the world, next world state)


def _successors(product: Flat, plan: Any, node: int, origin: int) -> list[tuple[int, int, Fraction]]:
    """(node or -1, world state, probability) behind the planned choice of a node."""
    mdp, choice = product.mdp, int(plan[node])
    first, base = int(product.transition_start[choice]), int(mdp.transition_start[origin])
    size = int(product.transition_start[choice + 1]) - first
    return [
        (int(product.successor[first + j]), int(mdp.successor[base + j]), mdp.probabilities[int(mdp.probability[base + j])])
        for j in range(size)
    ]


def _origin(product: Flat, plan: Any, node: int) -> int:
    return int(plan[node]) - int(product.choice_start[node]) + int(product.mdp.choice_start[int(product.state[node])])


def _winning(point: FlatPoint, i: int) -> Run | None:
    """The most probable run under the plan that makes stream i come true; None if none was met among MAX_VISITED nodes."""
    product, plan = point.arena.product, point.plan
    wins = product.gains[i].nonzero()
    heap: list[tuple[float, int]] = []
    past: dict[int, tuple[int, int, int] | None] = {}
    cost: dict[int, float] = {}
    for node, share in product.start:
        if node >= 0:
            cost[node], past[node] = -log(share), None
            heappush(heap, (cost[node], node))
    done: set[int] = set()
    goal: tuple[float, int, int, int] | None = None
    while heap and len(done) < MAX_VISITED:
        here, node = heappop(heap)
        if goal is not None and goal[0] <= here:
            break
        if node in done or plan[node] < 0:
            continue
        done.add(node)
        origin = _origin(product, plan, node)
        for after, state, p in _successors(product, plan, node, origin):
            there = here - log(p)
            if wins[int(plan[node])] and product.wins(node, state, i):
                if goal is None or there < goal[0]:
                    goal = (there, node, origin, state)
            elif after >= 0 and there < cost.get(after, float("inf")):
                cost[after], past[after] = there, (node, origin, state)
                heappush(heap, (there, after))
    if goal is None:
        return None
    _, node, origin, state = goal
    run = [(int(product.state[node]), origin, state)]
    while (step := past[node]) is not None:
        node, origin, state = step
        run.append((int(product.state[node]), origin, state))
    return run[::-1]


def _likely(point: FlatPoint) -> Run:
    """The most probable step each time, until a node repeats."""
    product, plan = point.arena.product, point.plan
    node = max((n for n, _ in product.start if n >= 0), default=-1)
    run: Run = []
    seen: set[int] = set()
    while node >= 0 and node not in seen and plan[node] >= 0 and len(run) < LIKELY:
        seen.add(node)
        origin = _origin(product, plan, node)
        after, state, _ = max(_successors(product, plan, node, origin), key=lambda step: step[2])
        run.append((int(product.state[node]), origin, state))
        node = after
    return run


def replay(context: Context, product: Flat, run: Run) -> Trace | None:
    """The run again, one step at a time, by the reference semantics; its exact probability under the plan."""
    if not run:
        return None
    mdp, world = product.mdp, context.spec.world(product.mdp.world)
    names = [v.name for v in world.variables]

    def state(s: int) -> dict[str, bool | int]:
        return dict(zip(names, mdp.valuation(s), strict=True))

    chance = next((p for s, p in mdp.initial if s == run[0][0]), Fraction(0))
    steps = []
    for s, choice, t in run:
        action = mdp.actions[int(mdp.action[choice])]
        taken = next((c for c in semantics.enabled(world, state(s)) if c.action == action), None)
        p = Fraction(0) if taken is None else next((p for after, p in taken.outcomes if after == state(t)), Fraction(0))
        if p == 0:
            raise Mismatch("a run of the counterexample does not survive its replay")
        chance *= p
        steps.append(Step(mdp.named(s), action))
    return Trace((*steps, Step(mdp.named(run[-1][2]), None)), chance)
