"""Where finite policies live: Stay and Live of a product, the two fixpoints behind every undiscounted bound.

A *support* fixes, for some states of the world, exactly which actions a memoryless policy plays there
with positive probability; whoever visits such a state for ever plays all of them for ever.
"""

from __future__ import annotations

from collections.abc import Mapping

from dsl.record import dataclass
from prover.worlds.product import Product

Support = Mapping[int, frozenset[int]]  # world state -> actions (indices of the MDP)


def allowed_choices(product: Product, support: Support) -> list[list[int]]:
    """The choices of every node that the support leaves."""
    mdp = product.mdp
    result = []
    for node, key in enumerate(product.nodes):
        actions = support.get(key[0])
        choices = product.choices(node)
        result.append(list(choices) if actions is None else [c for c in choices if mdp.action[product.origin[c]] in actions])
    return result


@dataclass(frozen=True)
class Liveness:
    """Over all nodes of the product; entries of layer nodes are meaningful for ``live`` only."""

    stay: bytearray
    live: bytearray
    choices: list[list[int]]  # per node: the allowed choices all of whose successors are live (empty if not live)


def liveness(product: Product, zero: bytearray, allowed: list[list[int]], support: Support) -> Liveness:
    """Stay: nodes where zero choices can go on for ever.  Live: nodes from which some policy reaches Stay, or settles, almost surely."""
    count, tail = len(product.nodes), product.tail
    decided = [key[0] in support for key in product.nodes]
    targets = [[product.successor[t] for t in product.transitions(c)] for c in range(len(product.origin))]
    into: list[list[int]] = [[] for _ in range(count)]  # choices that may lead into the node
    owner = [0] * len(product.origin)
    for node in range(count):
        for c in allowed[node]:
            owner[c] = node
            for t in targets[c]:
                if t >= 0:
                    into[t].append(c)

    # Stay, the greatest fixpoint: remove nodes that have run out of zero choices inside.
    stay = bytearray(count)
    inside = bytearray(len(product.origin))
    remaining = [0] * count
    pending = []
    for node in range(tail, count):
        good = [c for c in allowed[node] if zero[c]]
        for c in good:
            inside[c] = 1
        remaining[node] = len(good)
        stay[node] = 1
        if not good or (decided[node] and len(good) < len(allowed[node])):
            stay[node] = 0
            pending.append(node)
    while pending:
        node = pending.pop()
        for c in into[node]:
            if inside[c]:
                inside[c] = 0
                source = owner[c]
                remaining[source] -= 1
                if stay[source] and (not remaining[source] or decided[source]):
                    stay[source] = 0
                    pending.append(source)

    # Live: alternate "can still reach the target" with "remove choices that may leave".
    live = bytearray(b"\1" * count)
    usable = bytearray(len(product.origin))
    for node in range(count):
        for c in allowed[node]:
            usable[c] = 1
    while True:
        reach = bytearray(count)
        queue = []
        for node in range(count):
            if live[node] and (stay[node] or any(usable[c] and min(targets[c]) < 0 for c in allowed[node])):
                reach[node] = 1
                queue.append(node)
        while queue:
            node = queue.pop()
            for c in into[node]:
                source = owner[c]
                if usable[c] and live[source] and not reach[source]:
                    reach[source] = 1
                    queue.append(source)
        dying = [node for node in range(count) if live[node] and not reach[node]]
        if not dying:
            break
        while dying:
            node = dying.pop()
            if not live[node]:
                continue
            live[node] = 0
            for c in into[node]:
                source = owner[c]
                if usable[c]:
                    usable[c] = 0
                    if live[source] and (decided[source] or not any(usable[d] for d in allowed[source])):
                        dying.append(source)
    return Liveness(stay, live, [[c for c in allowed[node] if usable[c]] if live[node] else [] for node in range(count)])
