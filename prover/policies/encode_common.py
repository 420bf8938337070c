"""What the direct encodings share: what is asked of a player, names from states and actions, where runs may wait for ever."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from typing import TypeVar

from dsl.semantics import show
from prover.flint import fraction
from prover.policies.controller import Controller, Rule
from prover.policies.query import Query
from prover.solve.evaluate import evaluate, trivial_plan
from prover.worlds.components import maximal_end_components
from prover.worlds.product import Product, build

MAX_CONDITIONS = 4  # recurrence and infinite streams of one player; waits are told apart by all their subsets

Group = Fraction | None


class NotEncoded(Exception):
    """The direct encoding does not cover this query; the message is the reason for Unknown."""


def values_of(query: Query, product: Product, controller: Controller) -> list[Fraction | None]:
    """The exact value of every stream of the product under a controller; None: infinite."""
    if product.controller is None:
        atoms = query.atoms.of_world.get(product.mdp.world, [])
        conditions = [product.conditions.get(a, ()) for a in range(len(atoms))]
        product = build(product.mdp, conditions, product.streams, product.depth, controller)
    return [None if value is None else fraction(value) for value in evaluate(product, trivial_plan(product))]


@dataclass(frozen=True)
class Demand:
    """The streams of ``product`` that a claim reads for one player, and which of them are to be finite or infinite."""

    player: str
    product: Product
    used: frozenset[int]
    finite: frozenset[int]
    infinite: frozenset[int]

    @property
    def groups(self) -> list[Group]:
        """The time scales that go on behind the layers."""
        streams = [self.product.streams[i] for i in sorted(self.used)]
        return list(dict.fromkeys(s.group for s in streams if s.kind != "horizon"))

    @property
    def conditions(self) -> tuple[int, ...]:
        """The streams that depend on where a run ends up for ever."""
        found = [i for i in sorted(self.used) if self.product.streams[i].kind == "recurrence"] + sorted(self.infinite)
        if len(found) > MAX_CONDITIONS:
            raise NotEncoded(f"{len(found)} objectives speak of what recurs for ever; at most {MAX_CONDITIONS} are encoded directly")
        return tuple(found)

    def quiet(self, choice: int) -> bool:
        """Is nothing undiscounted and finite earned by it?

        Probabilities count: they are never earned twice, but can be earned on the way inside a closed set.
        """
        streams, earns = self.product.streams, self.product.earns
        return not any(earns[i][choice] for i in self.used - self.infinite if streams[i].kind != "horizon" and streams[i].group is None)

    def meets(self, condition: int, node: int) -> bool:
        stream = self.product.streams[condition]
        return stream.kind == "recurrence" and bool(self.product.conditions[stream.atom][self.product.nodes[node][0]])  # type: ignore[index]

    def earns(self, condition: int, choice: int) -> bool:
        return condition in self.infinite and bool(self.product.earns[condition][choice])

    def reward(self, stream: int, choice: int, group: Group, tail: bool) -> Fraction:
        """Of the stream, seen from the start; ``group`` None for the layers."""
        reward = fraction(self.product.reward[stream][choice])
        return reward * group**self.product.depth if tail and group is not None else reward


@dataclass(frozen=True)
class Wait:
    """A maximal end component of quiet choices in which the conditions ``met``, and only they, can recur for ever."""

    nodes: frozenset[int]
    choices: frozenset[int]
    met: frozenset[int]


def waits(demand: Demand) -> list[Wait]:
    product, found = demand.product, []
    for size in range(len(demand.conditions) + 1):
        for avoided in combinations(demand.conditions, size):
            nodes = [n for n in range(product.tail, len(product.nodes)) if not any(demand.meets(i, n) for i in avoided)]
            graph = {
                n: {
                    c: [product.successor[t] for t in product.transitions(c)]
                    for c in product.choices(n)
                    if demand.quiet(c) and not any(demand.earns(i, c) for i in avoided)
                }
                for n in nodes
            }
            for members, choices in maximal_end_components(graph):
                met = frozenset(
                    i for i in demand.conditions if any(demand.meets(i, n) for n in members) or any(demand.earns(i, c) for c in choices)
                )
                if len(met) == len(demand.conditions) - size:
                    found.append(Wait(frozenset(members), frozenset(choices), met))
    return found


class Names:
    """Readable names of a product's nodes and choices."""

    def __init__(self, product: Product) -> None:
        self.product = product
        self.time = [0] * product.tail + [product.depth] * (len(product.nodes) - product.tail)
        for t in range(product.depth):
            for n in range(product.layer_start[t], product.layer_start[t + 1]):
                self.time[n] = t

    def state(self, state: int) -> str:
        return ", ".join(f"{k}={v if isinstance(v, str) else show(v)}" for k, v in self.product.mdp.named(state).items())

    def node(self, node: int) -> str:
        state, memory, *control = self.product.nodes[node]
        parts = [self.state(state)]
        if len(self.product.memories) > 1:
            parts.append(f"m{memory}")
        if control:
            parts.append(f"n{control[0]}")
        if self.product.depth:
            parts.append(f"t{self.time[node]}" if node < self.product.tail else "later")
        return f"[{'; '.join(parts)}]"

    def action(self, choice: int) -> str:
        origin, mdp = self.product.origin[choice], self.product.mdp
        return "step" if origin < 0 else mdp.actions[int(mdp.action[origin])]


Mode = TypeVar("Mode", bound=Hashable)


def unfolded(
    product: Product,
    begin: Callable[[int], Mode],
    play: Callable[[int, Mode], Mapping[int, Fraction]],
    arrive: Callable[[int, Mode, int], Mode],
) -> Controller:
    """A policy over (node of the product, mode) as a controller; settled runs play first actions.

    ``play`` gives choices of the product with probabilities, ``arrive(node, mode, next)`` the mode in the next node.
    """
    mdp, time = product.mdp, Names(product).time
    number: dict[Hashable, int] = {}

    def index(node: int, mode: Mode) -> int:
        return number.setdefault((time[node], product.nodes[node][1], mode), len(number))

    rest = number.setdefault("settled", 0)
    rules: dict[tuple[int, int], Rule] = {}
    begun = {product.nodes[n][0]: n for n, _ in product.start if n >= 0}
    start = []
    queue: list[tuple[int, Mode]] = []
    settled: list[int] = []
    for state, _ in mdp.initial:
        if state in begun:
            mode = begin(begun[state])
            start.append((Fraction(1), state, index(begun[state], mode)))
            queue.append((begun[state], mode))
        else:
            start.append((Fraction(1), state, rest))
            settled.append(state)
    seen = set(queue)
    for node, mode in queue:
        actions: dict[int, Fraction] = {}
        moves: dict[int, int] = {}
        for c, share in play(node, mode).items():
            origin = product.origin[c]
            action = int(mdp.action[origin])
            actions[action] = actions.get(action, Fraction(0)) + share
            for t in range(mdp.transition_start[origin], mdp.transition_start[origin + 1]):
                moves.setdefault(int(mdp.successor[t]), rest)
            for t in product.transitions(c):
                following = product.successor[t]
                if following >= 0:
                    after = (following, arrive(node, mode, following))
                    moves[product.nodes[following][0]] = index(*after)
                    if after not in seen:
                        seen.add(after)
                        queue.append(after)
        settled += [s for s, target in moves.items() if target == rest]
        rules[index(node, mode), product.nodes[node][0]] = (tuple(sorted(actions.items())), moves)
    for state in settled:
        if (rest, state) not in rules:
            first = mdp.choice_start[state]
            rules[rest, state] = (((int(mdp.action[first]), Fraction(1)),), {})
            settled += [int(mdp.successor[t]) for t in range(mdp.transition_start[first], mdp.transition_start[first + 1])]
    return Controller(tuple(start), rules)
