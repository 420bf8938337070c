"""Collapses zero-reward end components: waiting in one is free, so the potential is constant on it.

A class may *stop* where waiting for ever is possible: worth 0, or, with recurrence streams, the best weight
of the conditions that an end component inside it can visit for ever.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import TYPE_CHECKING

from dsl.record import dataclass
from prover.flint import fmpq
from prover.solve.live import Liveness
from prover.worlds.components import maximal_end_components
from prover.worlds.product import Product

if TYPE_CHECKING:
    from prover.solve.exact import Decision, Plan


@dataclass(frozen=True)
class Collapsed:
    """``classes``: lists of live tail nodes; ``internal``: zero choices that stay inside their class."""

    classes: list[list[int]]
    class_of: dict[int, int]
    internal: frozenset[int]
    stop: list[fmpq | None]
    home: list[tuple[frozenset[int], frozenset[int]] | None]  # where to wait: nodes and choices

    def expand(self, product: Product, liveness: Liveness, policy: list[int]) -> Plan:
        """The policy over classes as decisions over the tail's nodes."""
        tail = product.tail
        plan: list[Decision] = [choices[0] if choices else -1 for choices in liveness.choices[tail:]]
        for index, members in enumerate(self.classes):
            choice = policy[index]
            if choice < 0:
                home = self.home[index]
                if home is None:
                    raise RuntimeError("a class stops without a place to wait")
                nodes, choices = home
                for node in nodes:
                    inner = [c for c in liveness.choices[node] if c in choices]
                    share = fmpq(1, len(inner))
                    # Playing all of them visits the whole component for ever.
                    plan[node - tail] = inner[0] if len(inner) == 1 or not self._recurs(product) else tuple((c, share) for c in inner)
                reached = set(nodes)
            else:
                owner = next(n for n in members if choice in product.choices(n))
                plan[owner - tail] = choice
                reached = {owner}
            self._approach(product, liveness, members, reached, plan)
        return plan

    @staticmethod
    def _recurs(product: Product) -> bool:
        return any(stream.kind == "recurrence" for stream in product.streams)

    def _approach(self, product: Product, liveness: Liveness, members: list[int], reached: set[int], plan: Plan) -> None:
        """Inside the class every other member moves towards the nodes reached, on internal choices."""
        pending = [n for n in members if n not in reached]
        while pending:
            rest = []
            for node in pending:
                for c in liveness.choices[node]:
                    if c in self.internal and any(product.successor[t] in reached for t in product.transitions(c)):
                        plan[node - product.tail] = c
                        reached.add(node)
                        break
                else:
                    rest.append(node)
            if len(rest) == len(pending):
                raise RuntimeError("a collapsed component is not connected")
            pending = rest


def collapse(product: Product, weights: Mapping[int, fmpq], liveness: Liveness, zero: bytearray) -> Collapsed:
    tail, count = product.tail, len(product.nodes)
    live = [n for n in range(tail, count) if liveness.live[n]]
    inside = {n: [c for c in liveness.choices[n] if zero[c]] for n in live}
    components = _components(product, inside)
    classes: list[list[int]] = []
    class_of: dict[int, int] = {}
    internal: set[int] = set()
    for nodes, choices in components:
        for n in nodes:
            class_of[n] = len(classes)
        classes.append(sorted(nodes))
        internal |= choices
    for n in live:
        if n not in class_of:
            class_of[n] = len(classes)
            classes.append([n])
    stop: list[fmpq | None] = [None] * len(classes)
    home: list[tuple[frozenset[int], frozenset[int]] | None] = [None] * len(classes)
    conditions = {i: w for i, w in weights.items() if product.streams[i].kind == "recurrence"}
    if not conditions:
        for index, members in enumerate(classes):
            waiting = frozenset(n for n in members if liveness.stay[n])
            if waiting and any(c in internal for n in members for c in liveness.choices[n]):
                staying = frozenset(
                    c
                    for n in waiting
                    for c in inside[n]
                    if c in internal and all(product.successor[t] in waiting for t in product.transitions(c))
                )
                if staying:
                    stop[index], home[index] = fmpq(0), (frozenset(n for n in waiting if any(c in staying for c in inside[n])), staying)
        return Collapsed(classes, class_of, frozenset(internal), stop, home)
    negative = [i for i, w in conditions.items() if w < 0]
    for size in range(len(negative) + 1):
        for avoided in combinations(negative, size):
            kept = {n: list(cs) for n, cs in inside.items() if not any(_meets(product, n, i) for i in avoided)}
            kept = {n: [c for c in cs if all(product.successor[t] in kept for t in product.transitions(c))] for n, cs in kept.items()}
            for nodes, choices in _components(product, kept):
                if not all(liveness.stay[n] for n in nodes):
                    continue
                value = sum((w for i, w in conditions.items() if any(_meets(product, n, i) for n in nodes)), fmpq(0))
                index = class_of[next(iter(nodes))]
                old = stop[index]
                if old is None or value > old:
                    stop[index], home[index] = value, (frozenset(nodes), frozenset(choices))
    return Collapsed(classes, class_of, frozenset(internal), stop, home)


def _meets(product: Product, node: int, stream: int) -> bool:
    return bool(product.conditions[product.streams[stream].atom][product.nodes[node][0]])  # type: ignore[index]


def _components(product: Product, choices: Mapping[int, list[int]]) -> list[tuple[set[int], set[int]]]:
    """Maximal end components of the sub-MDP with these choices of these nodes (a settled successor leaves it)."""
    return maximal_end_components({n: {c: [product.successor[t] for t in product.transitions(c)] for c in cs} for n, cs in choices.items()})
