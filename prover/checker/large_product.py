"""A product of format 2 -> its nodes and rows, recomputed from the world and the objectives' memories.

A node is (state, memory); the file only names the nodes.  Time is no part of a node: a lemma brings its own layers.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import accumulate, chain
from operator import mul, not_, sub
from typing import Any, NamedTuple

from prover.checker.arrays import Arrays
from prover.checker.document import array as listed
from prover.checker.document import distinct, fields, integer, require
from prover.checker.large_graph import Graph, Scaled
from prover.checker.large_world import LargeWorld, Reward, ends, sums
from prover.checker.problem import Objective, Path
from prover.checker.product import TRUE, advance, progress, read_memories

Memory = tuple[Any, ...]  # of every listed objective: a normal form, "open" or "closed", or ""


class Product(NamedTuple):
    """``graph`` has a row for every choice of every node; ``initial`` are nodes or ``graph.size``, settled."""

    world: int
    place: LargeWorld
    objectives: list[int]
    goals: list[Objective]
    state: Sequence[int]  # of every node
    graph: Graph
    earned: list[Scaled]  # of every listed objective: expected reward of every row, over the row's denominator times the scale
    idle: list[bytes]  # of every listed objective: 1 where every transition of the row earns 0
    counts: tuple[bool, ...]  # of each listed objective: is it a horizon that the memory counts?
    initial: list[tuple[Fraction, int]]
    offsets: list[Fraction]  # of each listed objective: the probability that it is already won at the start

    @property
    def size(self) -> int:
        return self.graph.size


class Memories:
    """What is remembered of the objectives listed; states enter by their class: the truth of the atoms that matter."""

    def __init__(self, place: LargeWorld, goals: list[Objective], counts: tuple[bool, ...]) -> None:
        self.goals, self.counts = goals, counts
        used = sorted({atom for goal in goals for atom in _atoms(goal)})
        truths = list(zip(*(place.atoms[atom] for atom in used), strict=True)) if used else [()] * place.size
        self.classes = list(dict.fromkeys(truths))
        numbers = {truth: i for i, truth in enumerate(self.classes)}
        self.of_state = list(map(numbers.__getitem__, truths))
        self.atoms = [_example(dict(zip(used, truth, strict=True)), len(place.atoms)) for truth in self.classes]
        self.known: dict[tuple[Memory | None, int], Memory] = {}

    def enter(self, old: Memory | None, kind: int) -> Memory:
        """The memory after a state of this class; at the start from None."""
        if (old, kind) not in self.known:
            self.known[old, kind] = self._enter(old, self.atoms[kind])
        return self.known[old, kind]

    def _enter(self, old: Memory | None, atoms: list[frozenset[int]]) -> Memory:
        result: list[Any] = []
        for i, goal in enumerate(self.goals):
            if goal.kind == "probability":
                result.append(progress(goal.path, 0, atoms) if old is None else advance(old[i], 0, atoms))
            elif goal.kind == "until":
                result.append("closed" if (old is not None and old[i] == "closed") or 0 in atoms[goal.atom] else "open")
            elif self.counts[i]:
                result.append(str(goal.steps if old is None else max(0, int(old[i]) - 1)))
            else:
                result.append("")
        return tuple(result)

    def earns(self, memory: Memory, i: int) -> bool:
        """Whether the expected reward of listed objective i is (still) paid."""
        return bool(self.goals[i].reward) and memory[i] not in ("closed", "0")

    def settled(self, memory: Memory) -> bool:
        """No listed objective can earn anything more, at any time."""
        for i, goal in enumerate(self.goals):
            if goal.kind == "probability":
                if memory[i] and memory[i] != TRUE:
                    return False
            elif self.earns(memory, i) and not (goal.kind == "horizon" and goal.steps == 0):
                return False
        return True


def _atoms(goal: Objective) -> set[int]:
    if goal.kind == "until":
        return {goal.atom}
    found: set[int] = set()
    todo: list[Path] = [goal.path]
    while todo:
        path = todo.pop()
        if path[:1] in (("atom",), ("not-atom",)):
            found.add(path[1])
        todo += [part for part in path if type(part) is tuple]
    return found


def _example(truth: dict[int, int], atoms: int) -> list[frozenset[int]]:
    """The atoms of a world with one state, 0, of this class."""
    return [frozenset({0}) if truth.get(atom) else frozenset() for atom in range(atoms)]


class Part(NamedTuple):
    """The rows of all nodes with one memory: their world choices, with the successors and weights of the transitions."""

    memory: Memory
    owner: Sequence[int]
    choice: Sequence[int]
    start: Sequence[int]
    last: bytes
    successor: Sequence[int]
    weight: Sequence[int]
    bottom: Sequence[int]


class Nodes:
    """The nodes listed, found by memory and state."""

    def __init__(self, place: LargeWorld, mind: Memories, table: list[Memory], state: array[int], memory: array[int]) -> None:
        self.place, self.mind, self.size, self.state = place, mind, len(state), state
        members: list[list[int]] = [[] for _ in table]
        for node, k in enumerate(memory):
            members[k].append(node)
        self.of: dict[Memory, dict[int, int]] = {}  # memory -> state -> node
        for held, nodes in zip(table, members, strict=True):
            if nodes:
                require(not mind.settled(held), "a settled node is listed")
                self.of[held] = dict(zip(map(state.__getitem__, nodes), nodes, strict=True))
                require(len(self.of[held]) == len(nodes), "a node is listed twice")

    def find(self, memory: Memory) -> Callable[[int], int]:
        """The node of a state with this memory; -1: it is missing."""
        if self.mind.settled(memory):
            return lambda _: self.size
        nodes = self.of.get(memory, {})
        return lambda state: nodes.get(state, -1)

    def part(self, memory: Memory) -> Part:
        place, nodes = self.place, self.of[memory]
        if len(nodes) == place.size:
            owner = list(map(nodes.__getitem__, place.owner))
            choices = range(len(place.action))
            return Part(memory, owner, choices, place.transition_start, place.last, place.successor, place.weight, place.bottom)
        first, begin = place.choice_start, place.transition_start
        choice = [c for s in nodes for c in range(first[s], first[s + 1])]
        owner = [node for s, node in nodes.items() for _ in range(first[s], first[s + 1])]
        picked = [k for c in choice for k in range(begin[c], begin[c + 1])]
        start = list(accumulate((begin[c + 1] - begin[c] for c in choice), initial=0))
        successor, weight = (list(map(column.__getitem__, picked)) for column in (place.successor, place.weight))
        return Part(memory, owner, choice, start, ends(start), successor, weight, list(map(place.bottom.__getitem__, choice)))

    def targets(self, part: Part) -> list[int]:
        """The node in which each transition arrives."""
        of_state = self.mind.of_state
        find = [self.find(self.mind.enter(part.memory, kind)) for kind in range(len(self.mind.classes))]
        if len(part.choice) == len(self.place.action):
            return list(map([find[kind](state) for state, kind in enumerate(of_state)].__getitem__, part.successor))
        return list(map({state: find[of_state[state]](state) for state in set(part.successor)}.__getitem__, part.successor))


def read_product(value: Any, worlds: list[LargeWorld], objectives: list[Objective], arrays: Arrays) -> Product:
    """Reads the nodes and checks: distinct, unsettled, initial ones listed, closed under all choices."""
    world, numbers, memories, state, memory = fields(value, "world objectives memories state memory")
    place = worlds[integer(world, 0, len(worlds))]
    goals = [objectives[integer(j, 0, len(objectives))] for j in listed(numbers)]
    distinct(numbers, "an objective of a product")
    require(all(goal.world == world for goal in goals), "an objective of another world")
    require(all(goal.kind != "recurrence" for goal in goals), "a recurrence objective in a product of format 2")
    table = read_memories(memories, goals, len(place.atoms), counting=True)
    states = arrays.indices(state, None, place.size)
    counts = tuple(goal.kind == "horizon" and bool(table) and all(row[i] != "" for row in table) for i, goal in enumerate(goals))
    mind = Memories(place, goals, counts)
    nodes = Nodes(place, mind, table, states, arrays.indices(memory, len(states), len(table)))
    parts = [nodes.part(held) for held in nodes.of]
    begins = [mind.enter(None, mind.of_state[s]) for s, _ in place.initial]
    initial = [(share, nodes.find(held)(s)) for (s, share), held in zip(place.initial, begins, strict=True)]
    target = _joined([nodes.targets(part) for part in parts])
    require(min(chain(target, (node for _, node in initial))) >= 0, "a node is missing")
    won = [[p for (_, p), held in zip(place.initial, begins, strict=True) if held[i] == TRUE] for i in range(len(goals))]
    start = parts[0].start if len(parts) == 1 else list(accumulate(chain.from_iterable(_lengths(p.start) for p in parts), initial=0))
    last = b"".join(part.last for part in parts)
    owner, weight, bottom = (_joined([part[k] for part in parts]) for k in (1, 6, 7))
    incomes = [_income(mind, i, parts) for i in range(len(goals))]
    return Product(
        world, place, numbers, goals, states, Graph(len(states), owner, start, last, target, weight, bottom),
        [earned for earned, _ in incomes], [idle for _, idle in incomes], counts, initial, [sum(shares, Fraction(0)) for shares in won],
    )  # fmt: skip


def _lengths(start: Sequence[int]) -> Iterator[int]:
    return map(sub, start[1:], start[:-1])


def _joined(columns: list[Any]) -> Any:
    return columns[0] if len(columns) == 1 else list(chain.from_iterable(columns))


def _income(mind: Memories, i: int, parts: list[Part]) -> tuple[Scaled, bytes]:
    """What every row earns of listed objective i, and a 1 where it never earns anything."""
    reward = mind.goals[i].reward
    if isinstance(reward, Reward):
        earned = [list(map(reward.earned.__getitem__, p.choice)) if mind.earns(p.memory, i) else [0] * len(p.choice) for p in parts]
        idle = [bytes(map(reward.zero.__getitem__, p.choice)) if mind.earns(p.memory, i) else b"\1" * len(p.choice) for p in parts]
        return (_joined(earned), reward.scale), b"".join(idle)
    wins = _joined([_wins(mind, i, part) for part in parts])
    return (wins, 1), bytes(map(not_, wins))


def _wins(mind: Memories, i: int, part: Part) -> list[int]:
    """The weight with which each row wins probability objective i: its memory becomes true, and was not."""
    won = [part.memory[i] != TRUE and mind.enter(part.memory, kind)[i] == TRUE for kind in range(len(mind.classes))]
    if not any(won):
        return [0] * len(part.choice)
    flags = bytes(map(won.__getitem__, mind.of_state))
    return list(sums(map(mul, part.weight, map(flags.__getitem__, part.successor)), part.last))
