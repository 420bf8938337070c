"""A policy that makes one stream infinite while others stay finite: reach a losing loop, then stay in it."""

from __future__ import annotations

from prover.flint import fmpq
from prover.solve.exact import Decision, Plan, Supremum, supremum
from prover.solve.live import Support, allowed_choices
from prover.worlds.components import maximal_end_components
from prover.worlds.product import Product


def diverging_plan(product: Product, stream: int, finite: frozenset[int], support: Support) -> Plan | None:
    """Plays every choice of an end component that earns for ``stream`` and nothing for ``finite``; None if none is reached."""
    allowed = allowed_choices(product, support)
    quiet = {
        n: {c: [product.successor[t] for t in product.transitions(c)] for c in allowed[n] if not any(product.earns[i][c] for i in finite)}
        for n in range(product.tail, len(product.nodes))
    }
    plan: list[Decision] | None = None
    goal: set[int] = set()
    base = supremum(product, {}, finite, support)
    if not isinstance(base, Supremum):
        return None
    plan = list(base.plan)
    for nodes, choices in maximal_end_components(quiet):
        if any(product.earns[stream][c] for c in choices):
            for n in nodes:
                inner = [c for c in allowed[n] if c in choices]
                plan[n] = inner[0] if len(inner) == 1 else tuple((c, fmpq(1, len(inner))) for c in inner)
            goal |= nodes
    if not goal:
        return None
    into: dict[int, list[tuple[int, int]]] = {}
    for n in range(len(product.nodes)):
        for c in allowed[n]:
            for t in product.transitions(c):
                into.setdefault(product.successor[t], []).append((n, c))
    queue = list(goal)
    live = base.tails.get(None)
    for target in queue:
        for n, c in into.get(target, ()):
            if n not in goal and all(_usable(product, live, product.successor[t], goal) for t in product.transitions(c)):
                goal.add(n)
                plan[n] = c
                queue.append(n)
    return plan


def _usable(product: Product, live: list[fmpq | None] | None, node: int, goal: set[int]) -> bool:
    """From the node the finite streams can still be kept finite."""
    return node < product.tail or node in goal or live is None or live[node - product.tail] is not None
