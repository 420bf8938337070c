"""One function per rule about the sums of rewards: a table over a product -> a theorem about its policies.

Throughout, X_t is the node at time t of a run under an arbitrary policy (history-dependent, randomised) of the product.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import chain, combinations
from itertools import product as every
from typing import NamedTuple

from prover.checker.document import Rejected, require
from prover.checker.graph import Graph, almost_surely, end_components, inside
from prover.checker.product import Move, Product

ZERO = Fraction(0)
Table = dict[int, Fraction | None]  # node -> value; None: not live; a node that is absent is settled and worth 0


class Bound(NamedTuple):
    """sum of weights * objectives <= value for every policy of the world (``policy`` None) or for one controller, provided that
    the objectives in ``finite`` are finite, with ``allowed``, that it is memoryless and plays in the states named exactly those actions,
    and, with ``memoryless``, that it is so; value None: no such policy exists."""

    world: int
    policy: int | None
    weights: dict[int, Fraction]
    finite: frozenset[int]
    allowed: dict[int, frozenset[int]] | None
    value: Fraction | None
    memoryless: bool = False


def average(move: Move, value: Table) -> Fraction | None:
    """The expected value after the move; None if a node that is not live can follow."""
    total, bottom = 0, 1
    for weight, target in zip(move.weights, move.targets, strict=True):
        entry = value.get(target, ZERO)
        if entry is None:
            return None
        top, below = entry.as_integer_ratio()
        if below == bottom:
            total += weight * top
        elif bottom % below == 0:
            total += weight * top * (bottom // below)
        else:
            total, bottom = total * below + weight * top * bottom, bottom * below
    return Fraction(total, bottom * move.bottom)


def well_defined(product: Product, objective: int, sign: int, slack: Fraction, potential: list[Fraction]) -> None:
    """Theorem: under every policy sign * objective is finite or -infinity, and finite only if almost surely finitely many choices earn.

    Every choice keeps h and earns nothing (an idle one), or loses at least ``slack`` of sign * earned + h.  So the expected
    sum of sign * earned up to T is at most max h - min h - slack * E[choices that are not idle]: if their expected number is
    finite the sum converges absolutely, otherwise it tends to -infinity.
    """
    require(product.policy is None and slack > 0, "well-definedness speaks of all policies and needs a positive slack")
    i = _position(product, objective)
    h: Table = dict(zip(product.nodes, potential, strict=True))
    for node, own in zip(product.nodes, potential, strict=True):
        for move in product.moves[node]:
            earned = move.earns[i]
            if earned is None and all(h.get(target, ZERO) == own for target in move.targets):
                continue
            after = average(move, h)
            if after is None or sign * (earned or 0) + after - own > -slack:
                raise Rejected("well-defined: a choice neither idles nor loses the slack")


def finite(product: Product, objective: int, sign: int, potential: list[Fraction]) -> None:
    """Theorem (the objective is well-defined with this sign): no policy of the product makes it infinite.

    g(X_t) + sum over s < t of -sign * earned is a supermartingale in expectation, so the expected sum of -sign * earned stays below
    max g - min g: sign * objective is not -infinity.
    """
    i = _position(product, objective)
    g: Table = dict(zip(product.nodes, potential, strict=True))
    for node, own in zip(product.nodes, potential, strict=True):
        for move in product.moves[node]:
            after = average(move, g)
            if after is None or own < -sign * (move.earns[i] or 0) + after:
                raise Rejected("finite: the potential is too small at a choice")


def _position(product: Product, objective: int) -> int:
    require(objective in product.objectives, "an objective that the product does not list")
    i = product.objectives.index(objective)
    require(product.goals[i].kind in ("total", "until"), "only total and until objectives can be infinite")
    return i


class Restricted(NamedTuple):
    """A product with the choices that the lemma allows, and the lemma's weights by position of the listed objectives."""

    product: Product
    weights: list[Fraction]
    finite: list[int]  # positions
    allowed: dict[int, frozenset[int]] | None

    def moves(self, node: int) -> list[Move]:
        moves = self.product.moves[node]
        if self.allowed is None:
            return moves
        actions = self.allowed.get(self.product.state[node])
        return moves if actions is None else [move for move in moves if move.action in actions]

    def gain(self, move: Move, factors: list[Fraction]) -> Fraction:
        """Expected weighted reward, each objective's multiplied by its factor."""
        return sum((f * earned for f, earned in zip(factors, move.earns, strict=True) if f and earned), ZERO)

    def undiscounted(self) -> list[int]:
        kinds = ("probability", "recurrence", "total", "until")
        return [i for i, goal in enumerate(self.product.goals) if self.weights[i] and goal.kind in kinds]


def live(play: Restricted) -> tuple[Graph, set[int]]:
    """The idle choices that can be kept up for ever (Stay), and the nodes from which some policy almost surely gets to Stay or settles.

    Theorem: almost surely a policy whose objectives in I are finite ends in an end component of choices that earn nothing for I
    (well-definedness), and there it wins no probability objective either, since a memory does not return; so it settles or
    ends inside Stay, never visits a node that is not live, and never takes a choice that may lead to one.  In a state where ``allowed``
    says what is played, all of it is, time and again: who is there for ever takes every such choice for ever.
    """
    kept = {*play.finite, *play.undiscounted()}
    idle: Graph = {}
    all_moves: Graph = {}
    leaving = set()
    members = set(play.product.nodes)
    for node in play.product.nodes:
        moves = play.moves(node)
        listed = [tuple(target for target in move.targets if target in members) for move in moves]
        all_moves[node] = listed
        idle[node] = [targets for move, targets in zip(moves, listed, strict=True) if all(move.earns[i] is None for i in kept)]
        leaving |= {(node, k) for k, targets in enumerate(listed) if len(targets) < len(moves[k].targets)}
    whole = frozenset(node for node in members if play.allowed is not None and play.product.state[node] in play.allowed)
    stay = inside({node: moves if node not in whole or len(moves) == len(all_moves[node]) else [] for node, moves in idle.items()}, whole)
    return stay, almost_surely(all_moves, set(stay), leaving, whole) if play.finite else members


def tail(play: Restricted, factor: Fraction | None, value: Table) -> None:
    """Theorem: from each live node no policy (with finite I) earns more than the value in the objectives of this discount group.

    V(X_0) >= E[sum over t < T of factor^t * earned] + factor^T * E[V(X_T)].  Discounted: the last term vanishes.  Undiscounted:
    V is bounded, and almost surely the run settles (worth 0) or ends in an end component E of idle choices.  There V is constant; it
    is >= 0 since E is inside Stay; with recurrence objectives it is >= what E is worth: let A be those of negative weight that E
    avoids, then E lies in a maximal end component C of the idle choices outside A's states, and C is worth at least as much.
    """
    goals = play.product.goals
    group = play.undiscounted() if factor is None else [i for i, g in enumerate(goals) if g.kind == "discount" and g.factor == factor]
    factors = [weight if i in group else ZERO for i, weight in enumerate(play.weights)]
    if factor is None:
        stay, alive = live(play)
        fits = all((entry is not None) == (node in alive) for node, entry in value.items())
        require(fits, "null must stand exactly where a node is not live")
        recurrent = [i for i in group if goals[i].kind == "recurrence"]
        if recurrent:
            _end_values(play, stay, recurrent, value)
        elif any((value[node] or ZERO) < 0 for node in stay):
            raise Rejected("a negative potential where play can stay for ever")
    require(factor is None or None not in value.values(), "null in a discounted tail")
    for node, own in value.items():
        for move in play.moves(node) if own is not None else ():
            after = average(move, value)
            if after is not None and own is not None and own < play.gain(move, factors) + (after if factor is None else factor * after):
                raise Rejected("the potential is too small at a choice")


def _end_values(play: Restricted, stay: Graph, recurrent: list[int], value: Table) -> None:
    goals, state = play.product.goals, play.product.state
    require(len(recurrent) <= 10, "more than 10 recurrence objectives")
    holds = {i: {node for node in stay if state[node] in play.product.atoms[goals[i].atom]} for i in recurrent}
    negative = [i for i in recurrent if play.weights[i] < 0]
    for avoided in chain.from_iterable(combinations(negative, size) for size in range(len(negative) + 1)):
        banned = set().union(*(holds[i] for i in avoided))
        rest = {node: moves for node, moves in stay.items() if node not in banned}
        for component in end_components(rest):
            worth = sum((play.weights[i] for i in recurrent if holds[i] & component), ZERO)
            if any((value[node] or ZERO) < worth for node in component):
                raise Rejected("a potential below the worth of an end component")


def bound(
    product: Product,
    weights: dict[int, Fraction],
    finite_set: frozenset[int],
    allowed: dict[int, frozenset[int]] | None,
    layers: list[list[Fraction | None]],
    tails: list[tuple[Fraction | None, list[Fraction | None]]],
) -> Bound:
    """Theorem: weights . objectives <= value for every policy of the product whose objectives in I are finite (playing what is allowed).

    In the tail by ``tail``, one group of objectives with a common discount at a time; then backwards through the layers,
    V_t >= earned at time t + E[V_{t+1}] for every choice that a policy with finite I can take (a move that may reach a node
    that is not live is none).  The value is the expectation over the start, plus what is won at once.
    """
    listed = product.objectives
    require(all(j in listed and w for j, w in weights.items()), "weights: objectives of the product, not 0")
    by_position = [weights.get(j, ZERO) for j in listed]
    summed = {j for j, goal in zip(listed, product.goals, strict=True) if goal.kind in ("total", "until")}
    require(summed & weights.keys() <= finite_set <= summed, "finite: every weighted total or until objective, and no others than such")
    require(allowed is None or product.policy is None, "allowed goes with a product without policy")
    play = Restricted(product, by_position, [listed.index(j) for j in finite_set], allowed)
    discounts = {goal.factor for j, goal in zip(listed, product.goals, strict=True) if goal.kind == "discount" and j in weights}
    groups: set[Fraction | None] = {*discounts, *([None] if play.undiscounted() or finite_set else [])}
    require(len(tails) == len(groups) and {factor for factor, _ in tails} == groups, "one tail for each discount group")
    value: Table = dict.fromkeys(product.nodes, ZERO)
    for factor, potential in tails:
        require(len(potential) == len(product.nodes), "a potential for every node of the tail")
        table: Table = dict(zip(product.nodes, potential, strict=True))
        tail(play, factor, table)
        scale = Fraction(1) if factor is None else factor**product.depth
        value = {n: None if v is None or table[n] is None else v + scale * (table[n] or ZERO) for n, v in value.items()}
    require(len(layers) == product.depth, "a table for every layer")
    for time in reversed(range(product.depth)):
        value = _layer(play, time, layers[time], value)
    total: Fraction | None = ZERO
    for share, node in product.initial:
        entry = value.get(node, ZERO)
        total = None if entry is None or total is None else total + share * entry
    if total is not None:
        total += sum((w * offset for w, offset in zip(by_position, product.offsets, strict=True)), ZERO)
    return Bound(product.world, product.policy, weights, finite_set, allowed, total)


def cases(parts: list[Bound], states: list[int], actions: list[list[int]], successors: list[set[int]]) -> Bound:
    """Theorem: if no run visits any of the states twice, the largest of the parts' bounds holds for every memoryless policy.

    A memoryless policy plays in each of these states independently of the past, and at most once: drawing its actions there before the
    run gives the same law.  So its law is a mixture of those of the policies that play one action in each, and weights . objectives
    is at most the largest of theirs.  ``actions[k]``: what states[k] enables; ``successors``: of every state of the world.
    """
    require(bool(parts) and bool(states), "cases of nothing")
    for state in states:
        seen, todo = set(successors[state]), list(successors[state])
        while todo:
            fresh = successors[todo.pop()] - seen
            seen |= fresh
            todo.extend(fresh)
        require(state not in seen, "cases: a state that a run can visit twice")
    first = parts[0]
    base = {state: played for state, played in (first.allowed or {}).items() if state not in states}
    expected = [{**base, **{s: frozenset((a,)) for s, a in zip(states, combination, strict=True)}} for combination in every(*actions)]
    for part in parts:
        same = (part.world, part.weights, part.finite) == (first.world, first.weights, first.finite)
        require(same and part.policy is None and not part.memoryless, "cases of different bounds")
    require(all(any(part.allowed == case for part in parts) for case in expected), "cases: one is missing")
    values = [part.value for part in parts if part.value is not None]
    return Bound(first.world, None, first.weights, first.finite, base or None, max(values) if values else None, memoryless=True)


def _layer(play: Restricted, time: int, entries: list[Fraction | None], later: Table) -> Table:
    nodes = play.product.layers[time]
    require(len(entries) == len(nodes), "a value for every node of the layer")
    factors = [
        ZERO if goal.kind == "horizon" and time >= goal.steps else weight if goal.factor == 1 else weight * goal.factor**time
        for weight, goal in zip(play.weights, play.product.goals, strict=True)
    ]
    for node, entry in zip(nodes, entries, strict=True):
        dead, exempt = True, False
        for move in play.moves(node):
            after = average(move, later)
            if after is None:
                exempt = True
                continue
            dead = False
            if entry is not None and entry < play.gain(move, factors) + after:
                raise Rejected("the potential is too small at a choice of a layer")
        dead = dead or (exempt and play.allowed is not None and play.product.state[node] in play.allowed)
        require(dead == (entry is None), "null must stand exactly where a node is not live")
    return dict(zip(nodes, entries, strict=True))


def binomial_tail(size: int, successes: int, bound: Fraction, delta: Fraction) -> bool:
    """Whether P(Bin(size, b) >= successes) <= delta, in integers: sum over i of C(n, i) p^i (q - p)^(n - i) against delta * q^n, b = p / q.

    Theorem (Clopper and Pearson): if so, then whatever the true probability, the chance to see so many successes in independent draws
    while it is below b is at most delta (the tail grows with the probability); it is never below 0.
    """
    if bound == 0:
        return True
    top, rest = bound.numerator, bound.denominator - bound.numerator
    total = coefficient = power = 1  # at i = n: the sum divided by top^i, C(n, i), rest^(n - i)
    for i in range(size, successes, -1):
        coefficient = coefficient * i // (size - i + 1)
        power *= rest
        total = total * top + coefficient * power
    left, right = total * top**successes * delta.denominator, delta.numerator * bound.denominator**size
    return bool(left <= right)
