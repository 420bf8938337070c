"""The exact supremum of a weighted sum of streams over all policies, with its potential and a best policy.

Policy iteration in rationals (Howard 1960): it starts from a proper policy and switches only on strict
improvement, since a loop without gain also satisfies Bellman's equation.  The values it ends with are the
potential of the checker's `bound` rule.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from dsl.record import dataclass
from prover.flint import fmpq, rational
from prover.solve import chain, hint
from prover.solve.collapse import Collapsed, collapse
from prover.solve.live import Support, allowed_choices, liveness
from prover.worlds.product import Product

Decision = int | tuple[tuple[int, fmpq], ...]  # a choice of the product, or a distribution over choices
Plan = list[Decision]  # one decision for each node
Value = fmpq | None  # None: not live


@dataclass(frozen=True)
class Supremum:
    """sup w . O <= ``bound`` over the policies whose streams in ``finite`` are finite.

    ``bound`` None: there is no such policy.  ``exact``: the plan attains the bound.  Potentials: ``layers`` over the nodes
    before the tail, one table over the tail's nodes for each discount group.
    """

    weights: Mapping[int, fmpq]
    finite: frozenset[int]
    support: Support
    bound: fmpq | None
    layers: list[Value]
    tails: dict[Fraction | None, list[Value]]
    plan: Plan


@dataclass(frozen=True)
class Unbounded:
    """The weighted sum has no upper bound: ``plan`` loops with positive gain on the tail nodes ``loop``."""

    plan: Plan
    loop: list[int]


def supremum(
    product: Product, weights: Mapping[int, fmpq], finite: frozenset[int] = frozenset(), support: Support | None = None
) -> Supremum | Unbounded:
    """``weights`` and ``finite`` name streams by their index in the product.  ``finite`` must hold every weighted total or until stream."""
    support = {} if support is None else support
    weights = {i: w for i, w in weights.items() if w != 0}
    if any(product.streams[i].sums_for_ever and i not in finite for i in weights):
        raise ValueError("a weighted total or until stream must be among the finite ones")
    tail, count = product.tail, len(product.nodes)
    allowed = allowed_choices(product, support)
    groups: dict[Fraction | None, dict[int, fmpq]] = {}
    for i, w in weights.items():
        if product.streams[i].kind != "horizon":
            groups.setdefault(product.streams[i].group, {})[i] = w
    if finite:
        groups.setdefault(None, {})
    plan: list[Decision] = [choices[0] if choices else -1 for choices in allowed]
    tails: dict[Fraction | None, list[Value]] = {}
    usable = allowed
    if None in groups:
        undiscounted = _Undiscounted(product, groups[None], finite, support, allowed)
        outcome = undiscounted.solve()
        if isinstance(outcome, Unbounded):
            return outcome
        tails[None], usable = outcome, undiscounted.liveness.choices
        for node in range(tail, count):
            plan[node] = undiscounted.plan[node - tail]
    # With several groups the plan follows the heaviest-looking one; only the bound must be right.
    for factor, part in groups.items():
        if factor is not None:
            table, decisions = _discounted(product, part, factor, allowed)
            tails[factor] = list(table)
            if None not in groups or not groups[None]:
                for node in range(tail, count):
                    if decisions[node - tail] in usable[node]:
                        plan[node] = decisions[node - tail]
    layers = _layers(product, weights, tails, usable, plan)
    everything = layers + _joined(product, tails)
    bound: Value = fmpq(0)
    for node, p in product.start:
        if node >= 0:
            value = everything[node]
            if value is None:
                bound = None
                break
            bound = bound + p * value if bound is not None else None
    if bound is not None:
        bound += sum((w * product.offset[i] for i, w in weights.items()), fmpq(0))
    return Supremum(weights, finite, support, bound, layers, tails, plan)


def _gain(product: Product, weights: Mapping[int, fmpq], choice: int) -> fmpq:
    total = fmpq(0)
    for i, w in weights.items():
        r = product.reward[i][choice]
        if r != 0:
            total += w * r
    return total


def _joined(product: Product, tails: Mapping[Fraction | None, list[Value]]) -> list[Value]:
    """What reaching a tail node is worth at the time when the tail begins."""
    size = len(product.nodes) - product.tail
    result: list[Value] = [fmpq(0)] * size
    for factor, table in tails.items():
        scale = fmpq(1) if factor is None else rational(factor) ** product.depth
        for n, value in enumerate(table):
            old = result[n]
            result[n] = None if value is None or old is None else old + scale * value
    return result


def _layers(
    product: Product, weights: Mapping[int, fmpq], tails: Mapping[Fraction | None, list[Value]], usable: list[list[int]], plan: Plan
) -> list[Value]:
    before: list[Value] = [None] * product.tail
    values = before + _joined(product, tails)
    for node in range(product.tail - 1, -1, -1):
        best: Value = None
        for c in usable[node]:
            value = _gain(product, weights, c)
            for t in product.transitions(c):
                successor = product.successor[t]
                if successor >= 0:
                    later = values[successor]
                    if later is None:
                        break
                    value += product.probability[t] * later
            else:
                if best is None or value > best:
                    best, plan[node] = value, c
        values[node] = best
    return values[: product.tail]


def _discounted(product: Product, weights: Mapping[int, fmpq], factor: Fraction, allowed: list[list[int]]) -> tuple[list[fmpq], list[int]]:
    tail, count = product.tail, len(product.nodes)
    g = rational(factor)
    gains = {c: _gain(product, weights, c) for node in range(tail, count) for c in allowed[node]}
    moves = {
        c: {product.successor[t] - tail: g * product.probability[t] for t in product.transitions(c) if product.successor[t] >= 0}
        if g
        else {}
        for c in gains
    }
    options = [allowed[node] for node in range(tail, count)]
    return iterate(options, gains, moves, [max(o, key=gains.__getitem__) for o in options])


def iterate(
    options: list[list[int]], gains: Mapping[int, fmpq], moves: Mapping[int, chain.Row], policy: list[int]
) -> tuple[list[fmpq], list[int]]:
    """Policy iteration from a proper policy; ``options[n]`` are choice ids, ``moves[c]`` weighted successors.

    Raises chain.Singular (with the policy in ``args``) when an improved policy never leaves a component: its gain is positive.
    """
    policy = list(policy)
    if len(options) >= hint.LARGE:
        suggested = hint.suggest(options, gains, moves, policy)
        if suggested is not None:
            try:
                return _improve(options, gains, moves, suggested)
            except chain.Singular:
                pass  # the suggestion need not be proper; the given policy is
    return _improve(options, gains, moves, policy)


def _improve(
    options: list[list[int]], gains: Mapping[int, fmpq], moves: Mapping[int, chain.Row], policy: list[int]
) -> tuple[list[fmpq], list[int]]:
    while True:
        try:
            values = [v[0] for v in chain.solve([moves[c] for c in policy], [[gains[c]] for c in policy])]
        except chain.Singular as trap:
            trap.args = (policy,)
            raise
        changed = False
        for n, choices in enumerate(options):
            if len(choices) == 1:
                continue
            best, value = policy[n], values[n]
            for c in choices:
                if c == policy[n]:
                    continue
                candidate = gains[c]
                for t, p in moves[c].items():
                    candidate += p * values[t]
                if candidate > value:
                    best, value = c, candidate
            if best != policy[n]:
                policy[n], changed = best, True
        if not changed:
            return values, policy


class _Undiscounted:
    """The undiscounted tail: zero-reward end components collapsed, then policy iteration from a policy that stops."""

    def __init__(
        self, product: Product, weights: Mapping[int, fmpq], finite: frozenset[int], support: Support, allowed: list[list[int]]
    ) -> None:
        self.product, self.weights = product, weights
        watched = finite | set(weights)
        zero = bytearray(len(product.origin))
        for c in range(len(product.origin)):
            zero[c] = not any(product.earns[i][c] for i in watched)
        self.zero = zero
        self.liveness = liveness(product, zero, allowed, support)
        self.plan: Plan = []

    def solve(self) -> list[Value] | Unbounded:
        product, tail, count = self.product, self.product.tail, len(self.product.nodes)
        folded: Collapsed = collapse(product, self.weights, self.liveness, self.zero)
        gains: dict[int, fmpq] = {}
        moves: dict[int, chain.Row] = {}
        options: list[list[int]] = []
        for index, members in enumerate(folded.classes):
            choices = []
            if folded.stop[index] is not None:
                stop = -1 - index
                value = folded.stop[index]
                assert value is not None
                gains[stop], moves[stop] = value, {}
                choices.append(stop)
            for node in members:
                for c in self.liveness.choices[node]:
                    if c not in folded.internal:
                        gains[c] = _gain(product, self.weights, c)
                        row: chain.Row = {}
                        for t in product.transitions(c):
                            successor = product.successor[t]
                            if successor >= 0:
                                k = folded.class_of[successor]
                                row[k] = row.get(k, fmpq(0)) + product.probability[t]
                        moves[c] = row
                        choices.append(c)
            options.append(choices)
        start = _proper(options, moves)
        try:
            values, policy = iterate(options, gains, moves, start)
        except chain.Singular as trap:
            policy = trap.args[0]
            self.plan = folded.expand(product, self.liveness, policy)
            loop = [node for k in trap.states for node in folded.classes[k]]
            full: Plan = [choices[0] if choices else -1 for choices in self.liveness.choices[:tail]]
            return Unbounded(full + self.plan, loop)
        self.plan = folded.expand(product, self.liveness, policy)
        table: list[Value] = [None] * (count - tail)
        for index, members in enumerate(folded.classes):
            for node in members:
                table[node - tail] = values[index]
        return table


def _proper(options: list[list[int]], moves: Mapping[int, chain.Row]) -> list[int]:
    """For every class a choice that comes nearer to stopping: all of them together stop almost surely."""
    policy: list[int | None] = [None] * len(options)
    into: list[list[tuple[int, int]]] = [[] for _ in options]
    queue = []
    for n, choices in enumerate(options):
        for c in choices:
            for t in moves[c]:
                into[t].append((n, c))
            if policy[n] is None and sum(moves[c].values(), fmpq(0)) < 1:
                policy[n] = c
                queue.append(n)
    for n in queue:
        for source, c in into[n]:
            if policy[source] is None:
                policy[source] = c
                queue.append(source)
    if any(c is None for c in policy):
        raise RuntimeError("a live node cannot stop")
    return [c for c in policy if c is not None]
