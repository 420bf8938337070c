"""The product of a world (or of the chain that a controller makes of it) with the memory of its streams.

The first ``depth`` steps are unrolled in layers, so that horizons and discounts can be mixed; behind them
follows one stationary part, the tail.  Nodes in which no stream can earn anything more are *settled*:
they are not listed, and successor -1 stands for all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from functools import partial

from dsl.record import dataclass
from prover.flint import fmpq, rational
from prover.policies.controller import Controller, Moves
from prover.worlds import automaton
from prover.worlds.mdp import Mdp
from prover.worlds.memory import CLOSED, Memories, Memory
from prover.worlds.objective import Stream

Node = tuple[int, ...]  # state, memory, and, with a controller, its node

class ProductTooLarge(Exception):
    """More nodes than allowed."""


@dataclass
class Product:
    """Nodes ``0 ..``: the layers in order, then the tail; choices and transitions in compressed rows.

    ``reward[i][c]`` is the expected reward of stream i at choice c (a layer's discount already applied),
    ``earns[i][c]`` whether any of its transitions earns something.  ``origin[c]`` is the choice of the MDP
    (-1 for a controller's mixed choice).
    """

    mdp: Mdp
    streams: tuple[Stream, ...]
    depth: int
    controller: Controller | None
    conditions: Mapping[int, Sequence[bool]] = field(default_factory=dict)
    nodes: list[Node] = field(default_factory=list)
    layer_start: list[int] = field(default_factory=list)  # depth + 1 entries; the last is where the tail starts
    memories: list[Memory] = field(default_factory=list)
    start: list[tuple[int, fmpq]] = field(default_factory=list)  # (node or -1, probability)
    offset: list[fmpq] = field(default_factory=list)
    choice_start: list[int] = field(default_factory=list)
    origin: list[int] = field(default_factory=list)
    transition_start: list[int] = field(default_factory=list)
    successor: list[int] = field(default_factory=list)
    probability: list[fmpq] = field(default_factory=list)
    reward: list[list[fmpq]] = field(default_factory=list)
    earns: list[bytearray] = field(default_factory=list)

    @property
    def tail(self) -> int:
        return self.layer_start[-1]

    def choices(self, node: int) -> range:
        return range(self.choice_start[node], self.choice_start[node + 1])

    def transitions(self, choice: int) -> range:
        return range(self.transition_start[choice], self.transition_start[choice + 1])

    def stream_index(self, stream: Stream) -> int:
        return self.streams.index(stream)

    def memory_keys(self, memory: int) -> list[str]:
        return [part if isinstance(part, str) else automaton.key(part) for part in self.memories[memory]]


class _Builder:
    def __init__(
        self,
        mdp: Mdp,
        conditions: Sequence[Sequence[bool]],
        streams: tuple[Stream, ...],
        depth: int,
        controller: Controller | None,
        max_nodes: int,
    ) -> None:
        self.mdp, self.streams, self.controller, self.max_nodes = mdp, streams, controller, max_nodes
        self.product = Product(mdp, streams, depth, controller)
        self.one, self.zero = fmpq(1), fmpq(0)
        self.probabilities = [rational(p) for p in mdp.probabilities]
        self.choice_start, self.action = _listed(mdp.choice_start), _listed(mdp.action)
        self.transition_start, self.successor, self.index = _listed(mdp.transition_start), _listed(mdp.successor), _listed(mdp.probability)
        self.columns: list[tuple[Sequence[int], list[fmpq]] | None] = []
        for stream in streams:
            if stream.reward is None:
                self.columns.append(None)
            else:
                column = mdp.rewards[stream.reward]
                self.columns.append((_listed(column.index), [rational(x) for x in column.table]))
        barren = [
            s.kind in ("total", "discount", "until") and c is not None and not any(c[1][k] != 0 for k in set(c[0]))
            for s, c in zip(streams, self.columns, strict=True)
        ]
        self.memory = Memories(streams, barren)
        self.product.memories = self.memory.memories
        used = self.memory.atoms
        self.letters = [0] * mdp.states
        self.product.conditions = {a: conditions[a] for a in used}
        for bit, a in enumerate(used):
            column_ = conditions[a]
            for s in range(mdp.states):
                if column_[s]:
                    self.letters[s] |= 1 << bit

    # ------------------------------------------------------------ rows

    def build(self) -> Product:
        product, depth = self.product, self.product.depth
        product.reward = [[] for _ in self.streams]
        product.earns = [bytearray() for _ in self.streams]
        product.offset = [self.zero] * len(self.streams)
        ids: dict[Node, int] = {}
        product.layer_start.append(0)
        settle: dict[int, bool] = {}

        def number(node: Node, time: int) -> int:
            done = settle.get(node[1])
            if done is None:
                done = settle[node[1]] = self.memory.settled(node[1], time)
            if done:
                return -1
            known = ids.get(node)
            if known is None:
                if len(product.nodes) >= self.max_nodes:
                    raise ProductTooLarge
                known = ids[node] = len(product.nodes)
                product.nodes.append(node)
            return known

        begin: dict[int, fmpq] = {}
        for state, weight, extra in self.initial():
            memory = self.memory.begin(self.letters[state])
            for i, part in enumerate(product.memories[memory]):
                if part == automaton.TRUE:
                    product.offset[i] += weight
            node = number((state, memory, *extra), 0)
            begin[node] = begin.get(node, self.zero) + weight
        product.start = list(begin.items())
        product.choice_start.append(0)
        product.transition_start.append(0)
        row = 0
        for time in range(depth):
            end = len(product.nodes)
            product.layer_start.append(end)
            ids.clear()
            settle.clear()
            while row < end:
                self.row(row, time, partial(number, time=time + 1))
                row += 1
        settle.clear()
        while row < len(product.nodes):
            self.row(row, depth, partial(number, time=depth))
            row += 1
        return product

    def initial(self) -> list[tuple[int, fmpq, tuple[int, ...]]]:
        result: list[tuple[int, fmpq, tuple[int, ...]]] = []
        for state, mass in self.mdp.initial:
            weight = rational(mass)
            if self.controller is None:
                result.append((state, weight, ()))
            else:
                for part, node in self.controller.starts(state):
                    result.append((state, weight * rational(part), (node,)))
        return result

    def row(self, node: int, time: int, number: Callable[[Node], int]) -> None:
        product = self.product
        state, memory = product.nodes[node][:2]
        factors = [
            rational(s.factor) ** time if s.factor is not None and time < product.depth else self.one
            for s in self.streams
        ]
        if self.controller is None:
            for choice in range(self.choice_start[state], self.choice_start[state + 1]):
                self.choice([(choice, self.one, None)], memory, time, factors, number)
                product.origin.append(choice)
        else:
            actions, moves = self.controller.rule(product.nodes[node][2], state)
            parts: list[tuple[int, fmpq, tuple[int, Moves] | None]] = []
            for action, p in actions:
                choice = next(c for c in range(self.choice_start[state], self.choice_start[state + 1]) if self.action[c] == action)
                parts.append((choice, rational(p), (product.nodes[node][2], moves)))
            self.choice(parts, memory, time, factors, number)
            product.origin.append(-1)
        product.choice_start.append(len(product.origin))

    def choice(
        self,
        parts: Sequence[tuple[int, fmpq, tuple[int, Moves] | None]],
        memory: int,
        time: int,
        factors: Sequence[fmpq],
        number: Callable[[Node], int],
    ) -> None:
        product = self.product
        total = [self.zero] * len(self.streams)
        earns = [0] * len(self.streams)
        targets: dict[int, fmpq] = {}
        for choice, share, control in parts:
            for t in range(self.transition_start[choice], self.transition_start[choice + 1]):
                s = self.successor[t]
                p = self.probabilities[self.index[t]]
                if share is not self.one:
                    p = p * share
                after = self.memory.step(memory, self.letters[s])
                for i, stream in enumerate(self.streams):
                    gain = self.gain(i, stream, memory, after, t, time)
                    if gain is not None:
                        earns[i] = 1
                        total[i] += p * gain * factors[i]
                extra: tuple[int, ...] = () if control is None else (control[1].get(s, control[0]),)
                target = number((s, after, *extra))
                targets[target] = targets.get(target, self.zero) + p
        for i in range(len(self.streams)):
            product.reward[i].append(total[i])
            product.earns[i].append(earns[i])
        product.successor.extend(targets)
        product.probability.extend(targets.values())
        product.transition_start.append(len(product.successor))

    def gain(self, i: int, stream: Stream, memory: int, after: int, transition: int, time: int) -> fmpq | None:
        """What the transition earns for stream i before discounting; None if nothing."""
        match stream.kind:
            case "probability":
                memories = self.product.memories
                return self.one if memories[after][i] == automaton.TRUE and memories[memory][i] != automaton.TRUE else None
            case "recurrence":
                return None
            case "until":
                if self.product.memories[memory][i] == CLOSED:
                    return None
            case "horizon":
                if time >= stream.steps:
                    return None
        column = self.columns[i]
        assert column is not None
        index = column[0][transition]
        return column[1][index] if index else None


def _listed(column: Sequence[int]) -> list[int]:
    """A column as a list of Python integers, which are faster to read one by one than those of an array."""
    tolist = getattr(column, "tolist", None)
    return tolist() if tolist is not None else list(column)


def build(
    mdp: Mdp,
    conditions: Sequence[Sequence[bool]],
    streams: tuple[Stream, ...],
    depth: int = 0,
    controller: Controller | None = None,
    max_nodes: int = 2_000_000,
) -> Product:
    """``conditions[a][s]``: does state condition a hold in state s.  ``depth`` must reach every horizon."""
    if any(stream.kind == "horizon" and stream.steps > depth for stream in streams):
        raise ValueError("the depth of a product must reach every horizon")
    return _Builder(mdp, conditions, streams, depth, controller, max_nodes).build()
