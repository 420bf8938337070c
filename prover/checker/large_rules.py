"""The rules of format 2 about sums of rewards: tables over a product of stationary nodes -> theorems about its policies.

The theorems are those of ``rules``; X_t is the node at time t of a run under an arbitrary policy of the product.  Tables are integers
over one denominator.  What differs is said at ``bound``: tables of the layers speak of all nodes, and null may stand at fewer of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import compress, count, repeat
from math import lcm
from operator import add, mul, not_
from typing import NamedTuple

from prover.checker.arrays import Numbers
from prover.checker.document import Rejected, require
from prover.checker.large_graph import Arrivals, Graph, Scaled, reaching, scaled, staying
from prover.checker.large_product import Product
from prover.checker.large_world import LargeWorld, Reward
from prover.checker.problem import Objective
from prover.checker.rules import Bound

SUMMED = ("total", "until")
UNDISCOUNTED = ("probability", "total", "until")


def losing(place: LargeWorld, goal: Objective, sign: int, slack: Fraction) -> None:
    """Theorem: the objective is well-defined with this sign.  ``well_defined`` with h = 0, whatever the product: a choice earns nothing,
    or sign * its expected reward is at most -slack (a choice that an until objective no longer pays earns nothing)."""
    require(slack > 0, "well-definedness needs a positive slack")
    require(goal.kind in SUMMED, "only total and until objectives can be infinite")
    if isinstance(goal.reward, Reward):
        _small(goal.reward.earned, goal.reward.zero, place.bottom, goal.reward.scale, sign, slack)


def _small(earned: Sequence[int], idle: bytes, bottom: Sequence[int], scale: int, sign: int, slack: Fraction) -> None:
    """sign * earned / (bottom * scale) <= -slack in every row that is not idle."""
    factor, limit = sign * slack.denominator, -slack.numerator * scale
    fine = all(zero or factor * e <= limit * b for e, zero, b in zip(earned, idle, bottom, strict=True))
    require(fine, "well-defined: a choice neither idles nor loses the slack")


def well_defined(product: Product, objective: int, sign: int, slack: Fraction, table: Scaled | None) -> None:
    """Theorem: as in ``rules``: under every policy sign * objective is finite or -infinity.  Every choice of every node keeps h and earns
    nothing, or sign * earned + E[h] - h <= -slack.  No table: h = 0."""
    require(slack > 0, "well-definedness needs a positive slack")
    i = _position(product, objective)
    (earned, scale), idle, graph = product.earned[i], product.idle[i], product.graph
    if table is None:
        _small(earned, idle, graph.bottom, scale, sign, slack)
        return
    common = lcm(scale, slack.denominator)
    least = slack.numerator * (common // slack.denominator)
    gain = list(map(add, scaled(earned, sign * (common // scale)), scaled(list(graph.bottom), least)))
    own = [*table[0], 0]
    for row in graph.violated(table, table, (gain, common)):
        h = own[graph.owner[row]]
        require(bool(idle[row]) and all(own[t] == h for t in graph.after(row)), "well-defined: a choice neither idles nor loses the slack")


def finite(product: Product, objective: int, sign: int, table: Scaled) -> None:
    """Theorem: as in ``rules``: g >= -sign * earned + E[g] at every choice of every node, so no policy makes the objective infinite."""
    i = _position(product, objective)
    earned, scale = product.earned[i]
    if product.graph.violated(table, table, (scaled(earned, -sign), scale)):
        raise Rejected("finite: the potential is too small at a choice")


def _position(product: Product, objective: int) -> int:
    require(objective in product.objectives, "an objective that the product does not list")
    i = product.objectives.index(objective)
    require(product.goals[i].kind in SUMMED, "only total and until objectives can be infinite")
    return i


Values = tuple[Scaled, bytearray | None]  # of every node; a 1 where null stands (None: nowhere)


class Play(NamedTuple):
    """All choices of the product (``rows`` None), or the rows that a policy plays at some time; its nodes are those that have a row."""

    product: Product
    weights: list[Fraction]  # by position of the listed objectives
    finite: list[int]  # positions
    graph: Graph
    rows: Sequence[int] | None

    def gain(self, factors: list[Fraction]) -> Scaled:
        """Expected weighted reward of every row, each objective's multiplied by its factor."""
        parts = [(self.product.earned[i], factor) for i, factor in enumerate(factors) if factor]
        scale = lcm(*(below * factor.denominator for (_, below), factor in parts))
        total = None
        for (earned, below), factor in parts:
            part = scaled(earned if self.rows is None else list(map(earned.__getitem__, self.rows)), int(factor * scale / below))
            total = part if total is None else list(map(add, total, part))
        return ([0] * len(self.graph.owner) if total is None else total), scale

    def undiscounted(self) -> list[int]:
        """The weighted objectives that the undiscounted tail pays; a horizon that the memory counts is one of them."""
        goals, counts = self.product.goals, self.product.counts
        return [i for i, goal in enumerate(goals) if self.weights[i] and (goal.kind in UNDISCOUNTED or counts[i])]

    def idle(self) -> bytes:
        """1 for the rows that earn nothing of I and of the weighted undiscounted objectives."""
        kept = {*self.finite, *self.undiscounted()}
        rows = range(len(self.product.graph.owner)) if self.rows is None else self.rows
        result = bytes(repeat(1, len(rows)))
        for i in kept:
            result = bytes(map(mul, result, map(self.product.idle[i].__getitem__, rows)))
        return result


def plays(product: Product, weights: list[Fraction], kept: list[int], rows: Sequence[int] | None) -> Play:
    return Play(product, weights, kept, product.graph if rows is None else product.graph.select(rows), rows)


def _filled(table: Numbers) -> tuple[list[int], bytearray | None]:
    """The numbers with 0 for null, and a 1 where null is (None: nowhere)."""
    if None not in table:
        return table, None  # type: ignore[return-value]
    return [x or 0 for x in table], bytearray(x is None for x in table)


def _hold(play: Play, now: Values, later: Values, gain: Scaled) -> None:
    """now >= gain + E[later] in every row whose targets are all numbers, of every node that has a number."""
    for row in play.graph.violated(now[0], later[0], gain):
        targets = play.graph.after(row)
        exempt = later[1] is not None and any(t < play.graph.size and later[1][t] for t in targets)
        if not exempt and not (now[1] is not None and now[1][play.graph.owner[row]]):
            raise Rejected("the potential is too small at a choice")


def tail(play: Play, factor: Fraction | None, table: Numbers, below: int) -> Values:
    """Theorem: from each live node no policy (with finite I) earns more than the value in the objectives of this discount group.

    Discounted: as in ``rules``.  Undiscounted: let A be the nodes with numbers.  A policy with finite I almost surely only visits live
    nodes, takes choices whose successors are all live, and settles or ends inside Stay (``rules.live``).  All live nodes are in A,
    so the inequality holds for every choice taken, and V(X_t) + the sum of what is earned is a supermartingale; V is bounded, 0 where
    play has settled, and >= 0 on Stay (which is part of Live, so of A).
    """
    goals = play.product.goals
    group = play.undiscounted() if factor is None else [i for i, g in enumerate(goals) if g.kind == "discount" and g.factor == factor]
    gain = play.gain([weight if i in group else Fraction(0) for i, weight in enumerate(play.weights)])
    values, nulls = _filled(table)
    now = (values, below), nulls
    if factor is None:
        _undiscounted(play, values, nulls)
        _hold(play, now, now, gain)
        return now
    require(nulls is None, "null in a discounted tail")
    _hold(play, now, ((scaled(values, factor.numerator), below * factor.denominator), None), gain)
    return now


def _undiscounted(play: Play, values: list[int], nulls: bytearray | None) -> None:
    """No live node has null, and no node of Stay a negative value; Stay and Live are only computed if something hangs on them."""
    if nulls is None and min(values, default=0) >= 0:
        return
    graph, idle = play.graph, play.idle()
    negative = any(values[node] < 0 for node in compress(graph.owner, idle))  # a node without an idle row is not in Stay
    dead = nulls is not None and any(nulls[node] for node in graph.owner)
    require(not dead or bool(play.finite), "null must not stand where a node is live")
    if not (negative or dead):
        return
    arrivals = Arrivals(graph)
    stay = staying(graph, idle, arrivals)
    if any(values[node] < 0 for node in compress(count(), stay)):
        raise Rejected("a negative potential where play can stay for ever")
    if dead and nulls is not None and any(map(mul, nulls, reaching(graph, stay, arrivals))):
        raise Rejected("null must not stand where a node is live")


class Policy(NamedTuple):
    """Part of a policy: at time t it plays, in every node of the product, the row rows[min(t, len(rows) - 1)][node] (-1: none)."""

    rows: list[list[int]]


def bound(
    product: Product,
    weights: dict[int, Fraction],
    finite_set: frozenset[int],
    below: int,
    layers: Sequence[Numbers],
    tails: list[tuple[Fraction | None, Numbers]],
    policy: tuple[int, Policy] | None,
) -> Bound:
    """Theorem: weights . objectives <= value for every policy of the product whose objectives in I are finite; with ``policy``, for it.

    Let N be the number of layers, A_t the nodes with numbers at time t (A_N: in all tails).  In the tail by ``tail``.  Backwards, such a
    policy is at time t only at nodes of A_t, and only takes choices whose successors are in A_{t+1} or settled: if A_{t+1} contains all
    nodes where it can be at time t + 1, a choice with another successor is not taken, and a node with null at t has only such choices.
    So V_t >= earned at time t + E[V_{t+1}] for what is taken, at all nodes whether reached at t or not.  A horizon objective is
    paid by the layers t < steps, and N is at least its steps; one that the memory counts is paid at the nodes where steps are left, and
    belongs to the undiscounted tail (a counter that has reached 0 stays there).  A settled node earns nothing at any time.
    The value is the expectation over the start plus what is won at once; a null at the start: no policy has finite I.
    A policy plays only at nodes that have a row at that time; play begins in such nodes and stays in them (``closed``).  It has finite I if
    and only if it almost surely gets to Stay or settles: otherwise the value is None, although numbers may stand at dead nodes.
    """
    listed = product.objectives
    require(all(j in listed and w for j, w in weights.items()), "weights: objectives of the product, not 0")
    by_position = [weights.get(j, Fraction(0)) for j in listed]
    summed = {j for j, goal in zip(listed, product.goals, strict=True) if goal.kind in SUMMED}
    require(summed & weights.keys() <= finite_set <= summed, "finite: every weighted total or until objective, and no others than such")
    kept = [listed.index(j) for j in finite_set]
    depth = len(layers)
    layered = [g.kind == "horizon" and not counted for g, counted in zip(product.goals, product.counts, strict=True)]
    deepest = max((g.steps for g, w, outside in zip(product.goals, by_position, layered, strict=True) if w and outside), default=0)
    require(deepest <= depth, "fewer layers than a horizon")
    last = len(policy[1].rows) - 1 if policy is not None else 0
    require(last <= depth, "fewer layers than a policy has plans")
    play = _at(product, by_position, kept, policy, depth)
    discounts = {goal.factor for j, goal in zip(listed, product.goals, strict=True) if goal.kind == "discount" and j in weights}
    given = [factor for factor, _ in tails]
    needed: set[Fraction | None] = {*discounts, *([None] if play.undiscounted() or finite_set else [])}
    require(len(set(given)) == len(given) and needed <= set(given) <= needed | {None}, "one tail for each discount group")
    alive = _alive(play) if policy is not None and kept else None
    later: Values = ([0] * product.size, 1), None
    for factor, table in tails:
        later = _plus(later, tail(play, factor, table, below), Fraction(1) if factor is None else factor**depth)
    incomes: dict[tuple[Fraction, ...], Scaled] = {}
    for time in reversed(range(depth)):
        if time < last:
            play = _at(product, by_position, kept, policy, time)
        factors = [
            Fraction(0) if outside and time >= goal.steps else weight * goal.factor**time
            for weight, goal, outside in zip(by_position, product.goals, layered, strict=True)
        ]
        if time < last or tuple(factors) not in incomes:
            incomes = {tuple(factors): play.gain(factors)}
        later = _layer(play, layers[time], below, later, incomes[tuple(factors)])
        alive = None if alive is None else _alive_before(play, alive)
    total: Fraction | None = Fraction(0)
    (values, scale), nulls = later
    for share, node in product.initial:
        null = node < product.size and ((nulls is not None and nulls[node]) or (alive is not None and not alive[node]))
        total = None if total is None or null else total + share * Fraction(values[node] if node < product.size else 0, scale)
    if total is not None:
        total += sum((w * offset for w, offset in zip(by_position, product.offsets, strict=True)), Fraction(0))
    return Bound(product.world, None if policy is None else policy[0], weights, finite_set, None, total)


def _alive(play: Play) -> bytearray:
    """1 for the nodes from which the policy almost surely gets to Stay or settles."""
    arrivals = Arrivals(play.graph)
    return reaching(play.graph, staying(play.graph, play.idle(), arrivals), arrivals)


def _alive_before(play: Play, alive: bytearray) -> bytearray:
    """One step earlier: the nodes whose row leads to such nodes only."""
    result = bytearray(play.product.size)
    for node in play.graph.owner:
        result[node] = 1
    for row in play.graph.reaching(bytes(map(not_, alive)) + b"\0"):
        result[play.graph.owner[row]] = 0
    return result


def _at(product: Product, weights: list[Fraction], kept: list[int], policy: tuple[int, Policy] | None, time: int) -> Play:
    if policy is None:
        return plays(product, weights, kept, None)
    rows = policy[1].rows
    return plays(product, weights, kept, [row for row in rows[min(time, len(rows) - 1)] if row >= 0])


def _plus(left: Values, right: Values, factor: Fraction) -> Values:
    """left + factor * right; null where either is."""
    (a, one), (b, two) = left[0], right[0]
    scale = lcm(one, two * factor.denominator)
    values = list(map(add, scaled(a, scale // one), scaled(b, scale // (two * factor.denominator) * factor.numerator)))
    nulls = [part[1] for part in (left, right) if part[1] is not None]
    return (values, scale), bytearray(map(max, *nulls)) if len(nulls) == 2 else nulls[0] if nulls else None


def _layer(play: Play, table: Numbers, below: int, later: Values, gain: Scaled) -> Values:
    values, nulls = _filled(table)
    now = (values, below), nulls
    _hold(play, now, later, gain)
    if nulls is not None:
        blocked = bytearray(len(play.graph.owner))
        for row in () if later[1] is None else play.graph.reaching(later[1] + b"\0"):
            blocked[row] = 1
        fits = all(blocked[row] or not nulls[node] for row, node in enumerate(play.graph.owner))
        require(fits, "null must not stand where a node is live")
    return now


def mixture(parts: list[tuple[Fraction, Bound]], policy: int) -> Bound:
    """Theorem: what holds for the policies among which another draws at the start, holds for it with the weighted sum of the bounds.

    Its objectives in I are finite only if they are so for every part (each has positive weight, and infinite values have one sign).
    """
    first = parts[0][1]
    same = all((part.world, part.weights, part.finite) == (first.world, first.weights, first.finite) for _, part in parts)
    require(same, "a mixture of different bounds")
    total: Fraction | None = Fraction(0)
    for share, part in parts:
        total = None if total is None or part.value is None else total + share * part.value
    return Bound(first.world, policy, first.weights, first.finite, None, total)


def closed(product: Product, policy: Policy) -> None:
    """Wherever the policy can be at any time, it has a row."""
    size, plans = product.size, policy.rows
    require(all(node == size or plans[0][node] >= 0 for _, node in product.initial), "a policy has no plan where it starts")
    for time, plan in enumerate(plans):
        after = [*plans[min(time + 1, len(plans) - 1)], 0]
        graph = product.graph.select([row for row in plan if row >= 0])
        require(not graph.reaching(bytes(row < 0 for row in after)), "a policy has no plan where it can be")
