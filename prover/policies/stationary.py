"""The stationary policy with the occupation measure of a mixture: pi(a | s) = x(s, a) / x(s).

For streams that are linear in the occupation measure it has the mixture's values (Altman 1999, theorem 3.1);
where memory or waiting matters it has others, so the caller evaluates it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from prover.flint import fmpq, fraction, rational
from prover.policies.arena import Point
from prover.policies.controller import Controller, Rule
from prover.solve import chain
from prover.solve.evaluate import distribution, reachable
from prover.worlds.components import strongly_connected_components
from prover.worlds.mdp import Mdp


def stationary(mixture: Sequence[tuple[fmpq, Point]]) -> Controller:
    product = mixture[0][1].product
    mdp = product.mdp
    visits: dict[int, dict[int, fmpq]] = {}
    waits: dict[int, dict[int, fmpq]] = {}
    for weight, point in mixture:
        for state, action, share, transient in _visits(point):
            table = visits if transient else waits
            row = table.setdefault(state, {})
            row[action] = row.get(action, fmpq(0)) + weight * share
    plays: dict[int, tuple[tuple[int, Fraction], ...]] = {}
    for table in (visits, waits):
        for state, actions in table.items():
            total = sum(actions.values(), fmpq(0))
            if state not in plays and total > 0:
                plays[state] = tuple((a, fraction(x / total)) for a, x in sorted(actions.items()) if x != 0)
    return memoryless(mdp, plays)


def _visits(point: Point) -> list[tuple[int, int, fmpq, bool]]:
    """(state, action, expected visits, is the node transient); discounted if the product's streams share one discount."""
    product, plan = point.product, point.plan
    nodes = reachable(product, plan)
    index = {n: k for k, n in enumerate(nodes)}
    factors = {stream.factor for stream in product.streams}
    factor = next(iter(factors)) if len(factors) == 1 else None
    g = fmpq(1) if factor is None else rational(factor)
    rows: list[chain.Row] = [{} for _ in nodes]  # incoming
    forward: list[list[int]] = []
    leaks = []
    for k, n in enumerate(nodes):
        targets = []
        leak = False
        for c, share in distribution(plan[n]):
            for t in product.transitions(c):
                successor = product.successor[t]
                if successor < 0:
                    leak = True
                    continue
                j = index[successor]
                targets.append(j)
                rows[j][k] = rows[j].get(k, fmpq(0)) + g * share * product.probability[t]
        forward.append(targets)
        leaks.append(leak)
    recurrent: set[int] = set()
    if g == 1:
        for component in strongly_connected_components(forward):
            inside = set(component)
            if not any(leaks[k] or any(t not in inside for t in forward[k]) for k in component):
                recurrent |= inside
    constants = [[fmpq(0)] for _ in nodes]
    for n, p in product.start:
        if n >= 0:
            constants[index[n]][0] += p
    rows = [{} if k in recurrent else {j: p for j, p in row.items() if j not in recurrent} for k, row in enumerate(rows)]
    values = chain.solve(rows, constants)
    result = []
    for k, n in enumerate(nodes):
        for c, share in distribution(plan[n]):
            action = int(product.mdp.action[product.origin[c]])
            visits = share if k in recurrent else share * values[k][0]
            result.append((product.nodes[n][0], action, visits, k not in recurrent))
    return result


def memoryless(mdp: Mdp, plays: Mapping[int, tuple[tuple[int, Fraction], ...]]) -> Controller:
    """One controller node; states that ``plays`` leaves out play their first action."""
    rules: dict[tuple[int, int], Rule] = {}
    queue = list(dict.fromkeys(s for s, _ in mdp.initial))
    seen = set(queue)
    for state in queue:
        actions = plays.get(state) or ((int(mdp.action[mdp.choice_start[state]]), Fraction(1)),)
        rules[0, state] = (actions, {})
        names = {a for a, _ in actions}
        for c in range(mdp.choice_start[state], mdp.choice_start[state + 1]):
            if int(mdp.action[c]) in names:
                for t in range(mdp.transition_start[c], mdp.transition_start[c + 1]):
                    successor = int(mdp.successor[t])
                    if successor not in seen:
                        seen.add(successor)
                        queue.append(successor)
    return Controller(tuple((Fraction(1), s, 0) for s, _ in mdp.initial), rules)
