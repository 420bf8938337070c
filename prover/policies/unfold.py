"""A plan over the nodes of a product, read as a controller of the world."""

from __future__ import annotations

from fractions import Fraction

from prover.flint import fraction
from prover.policies.controller import Controller, Rule
from prover.solve.evaluate import distribution, reachable
from prover.solve.exact import Plan
from prover.worlds.product import Product


def unfold(product: Product, plan: Plan) -> Controller:
    """Controller nodes are numbered by (time, memory) in order of visit; the last one is for settled runs.

    A settled run plays, in each state, what the plan plays in some node of that state (so that a plan that looks
    only at the state stays memoryless), else the first action.
    """
    mdp = product.mdp
    order = reachable(product, plan)
    starts = product.layer_start
    time_of = [0] * len(product.nodes)
    for t in range(product.depth):
        for n in range(starts[t], starts[t + 1]):
            time_of[n] = t
    for n in range(product.tail, len(product.nodes)):
        time_of[n] = product.depth
    number: dict[tuple[int, int], int] = {}
    for n in order:
        number.setdefault((time_of[n], product.nodes[n][1]), len(number))
    rest = len(number)
    rules: dict[tuple[int, int], Rule] = {}
    played: dict[int, tuple[tuple[int, Fraction], ...]] = {}
    settled: list[int] = []
    for n in order:
        state = product.nodes[n][0]
        here = number[time_of[n], product.nodes[n][1]]
        actions: dict[int, Fraction] = {}
        moves: dict[int, int] = {}
        for c, share in distribution(plan[n]):
            origin = product.origin[c]
            action = int(mdp.action[origin])
            actions[action] = actions.get(action, Fraction(0)) + fraction(share)
            states = {int(mdp.successor[t]) for t in range(mdp.transition_start[origin], mdp.transition_start[origin + 1])}
            for t in product.transitions(c):
                successor = product.successor[t]
                if successor >= 0:
                    node = product.nodes[successor]
                    states.discard(node[0])
                    target = number[time_of[successor], node[1]]
                    if target != here:
                        moves[node[0]] = target
            for s in states:
                moves[s] = rest
                settled.append(s)
        key = (here, state)
        rules[key] = (tuple(sorted(actions.items())), moves)
        played.setdefault(state, rules[key][0])
    start = []
    begun = {product.nodes[n][0]: n for n, _ in product.start if n >= 0}
    for state, _ in mdp.initial:
        if state in begun:
            n = begun[state]
            start.append((Fraction(1), state, number[time_of[n], product.nodes[n][1]]))
        else:
            start.append((Fraction(1), state, rest))
            settled.append(state)
    seen = set(settled)
    queue = list(seen)
    for state in queue:
        first = ((int(mdp.action[mdp.choice_start[state]]), Fraction(1)),)
        actions_here = played.setdefault(state, first)
        rules[rest, state] = (actions_here, {})
        for c in range(mdp.choice_start[state], mdp.choice_start[state + 1]):
            if any(a == mdp.action[c] for a, _ in actions_here):
                for t in range(mdp.transition_start[c], mdp.transition_start[c + 1]):
                    s = int(mdp.successor[t])
                    if s not in seen:
                        seen.add(s)
                        queue.append(s)
    return Controller(tuple(start), rules)
