"""A product of the evidence -> its nodes, layers and moves, recomputed from the world, the objectives' memories and the controller.

The file only names the nodes; every move is derived here, and a node that a run can reach must be named or settled.
"""

from __future__ import annotations

import json
import re
from fractions import Fraction
from math import lcm
from typing import Any, NamedTuple

from prover.checker.controller import Controller, fits
from prover.checker.document import Rejected, array, distinct, fields, integer, name, parse, require, shallow
from prover.checker.problem import Choice, Objective, Path, World, read_path

Memory = frozenset[frozenset[Path]]  # minimal disjunctive normal form: one clause of obligations must hold from the next state on
Node = tuple[int, ...]  # state, memory index and, with a policy, controller node
TRUE: Memory = frozenset({frozenset()})
FALSE: Memory = frozenset()
CLAUSES = 2_000
COUNTER = re.compile(r"0|[1-9][0-9]{0,17}")


class Move(NamedTuple):
    """One choice of a node, or what the policy plays there; ``earns[i]`` is the expected reward of listed objective i,
    None if every transition earns 0; ``weights[k] / bottom`` is the probability of target k."""

    action: int
    targets: tuple[int, ...]
    weights: tuple[int, ...]
    bottom: int
    earns: tuple[Fraction | None, ...]


class Product(NamedTuple):
    """Nodes are numbered; ``layers[t]`` and ``nodes`` are lists of these numbers, in the order of the file."""

    world: int
    objectives: list[int]
    goals: list[Objective]
    policy: int | None
    layers: list[list[int]]
    nodes: list[int]
    initial: list[tuple[Fraction, int]]
    offsets: list[Fraction]  # of each listed objective: the probability that it is already won at the start
    state: list[int]  # of each node
    atoms: list[frozenset[int]]  # the world's
    moves: dict[int, list[Move]]  # of each listed node

    @property
    def depth(self) -> int:
        return len(self.layers)


def minimal(clauses: set[frozenset[Path]]) -> Memory:
    require(len(clauses) <= CLAUSES, "a memory is too large")
    return frozenset(clause for clause in clauses if not any(other < clause for other in clauses))


def conjunction(left: Memory, right: Memory) -> Memory:
    require(len(left) * len(right) <= CLAUSES, "a memory is too large")
    return minimal({a | b for a in left for b in right})


def progress(path: Path, state: int, atoms: list[frozenset[int]]) -> Memory:
    """What the run from the next state on must satisfy, so that the run from ``state`` on satisfies ``path``.

    The run satisfies a co-safe path if and only if its memory becomes TRUE after finitely many states (induction over the path).
    """
    match path:
        case ("true",):
            return TRUE
        case ("atom", atom):
            return TRUE if state in atoms[atom] else FALSE
        case ("not-atom", atom):
            return FALSE if state in atoms[atom] else TRUE
        case ("next", arg):
            return frozenset({frozenset({arg})})
        case ("and", *args):
            result = TRUE
            for arg in args:
                result = conjunction(result, progress(arg, state, atoms))
            return result
        case ("or", *args):
            return minimal({clause for arg in args for clause in progress(arg, state, atoms)})
        case (("until" | "release") as head, left, right, bound):
            now, first = progress(right, state, atoms), progress(left, state, atoms)
            if bound == 0:
                return now
            later = frozenset({frozenset({(head, left, right, None if bound is None else bound - 1)})})
            if head == "until":
                return minimal(set(now) | set(conjunction(first, later)))
            return conjunction(now, minimal(set(first) | set(later)))
    return FALSE  # ("false",), the only path left


def advance(memory: Memory, state: int, atoms: list[frozenset[int]]) -> Memory:
    result: set[frozenset[Path]] = set()
    for clause in memory:
        part = TRUE
        for obligation in clause:
            part = conjunction(part, progress(obligation, state, atoms))
        result |= part
    return minimal(result)


def key(memory: Memory) -> str:
    if memory == TRUE:
        return "true"
    clauses = sorted(" & ".join(sorted(json.dumps(path, separators=(",", ":")) for path in clause)) for clause in memory)
    return " | ".join(clauses) or "false"


def _unkey(text: str, goal: Objective, atoms: int, counting: bool) -> Any:
    if goal.kind != "probability":
        counted = counting and goal.kind == "horizon" and COUNTER.fullmatch(text) is not None
        require(counted or text in (("open", "closed") if goal.kind == "until" else ("",)), "a memory key that does not fit its objective")
        return text
    if text in ("true", "false"):
        return TRUE if text == "true" else FALSE
    clauses = [[parse(obligation) for obligation in clause.split(" & ")] for clause in text.split(" | ")]
    shallow(clauses)
    memory = minimal({frozenset(read_path(path, atoms) for path in clause) for clause in clauses})
    require(key(memory) == text, "a memory key that is not in normal form")
    return memory


def read_memories(value: Any, goals: list[Objective], atoms: int, counting: bool = False) -> list[tuple[Any, ...]]:
    """Rows of keys, one key for every listed objective; ``counting``: that of a horizon may be the number of steps left."""
    rows = [zip(array(row, len(goals)), goals, strict=True) for row in array(value)]
    table = [tuple(_unkey(name(k), goal, atoms, counting) for k, goal in row) for row in rows]
    distinct(table, "a memory")
    return table


class Builder:
    """Numbers the nodes and memories that occur, and derives moves; lives for one product."""

    def __init__(self, world: World, goals: list[Objective], controller: Controller | None, memories: list[tuple[Any, ...]]) -> None:
        self.world, self.goals, self.controller = world, goals, controller
        self.memories = memories
        self.memory_ids = {memory: i for i, memory in enumerate(memories)}
        self.node_ids: dict[Node, int] = {}
        self.nodes: list[Node] = []
        self.steps: dict[tuple[int, int], int] = {}

    def number(self, node: Node) -> int:
        if node not in self.node_ids:
            self.node_ids[node] = len(self.nodes)
            self.nodes.append(node)
        return self.node_ids[node]

    def memory(self, memory: tuple[Any, ...]) -> int:
        if memory not in self.memory_ids:
            self.memory_ids[memory] = len(self.memories)
            self.memories.append(memory)
        return self.memory_ids[memory]

    def begin(self, state: int) -> int:
        return self.memory(tuple(self._enter(goal, goal.path, state, True) for goal in self.goals))

    def step(self, memory: int, state: int) -> int:
        if (memory, state) not in self.steps:
            old = self.memories[memory]
            self.steps[memory, state] = self.memory(tuple(self._enter(g, m, state, False) for g, m in zip(self.goals, old, strict=True)))
        return self.steps[memory, state]

    def _enter(self, goal: Objective, old: Any, state: int, start: bool) -> Any:
        atoms = self.world.atoms
        if goal.kind == "probability":
            return progress(old, state, atoms) if start else advance(old, state, atoms)
        if goal.kind == "until":
            return "closed" if old == "closed" or state in atoms[goal.atom] else "open"
        return ""

    def settles(self, memory: int) -> int | None:
        """The time from which no listed objective can earn anything more; None: never."""
        time = 0
        for goal, part in zip(self.goals, self.memories[memory], strict=True):
            if goal.kind == "horizon":
                time = max(time, goal.steps)
            elif goal.kind == "probability":
                if part not in (TRUE, FALSE):
                    return None
            elif goal.kind == "recurrence" or (goal.reward and part != "closed"):
                return None
        return time

    def moves(self, node: Node) -> list[Move]:
        choices = self.world.choices[node[0]]
        if self.controller is None:
            return [self._move(node, choice.action, [(choice, Fraction(1))]) for choice in choices]
        rule = self.controller.rules.get((node[2], node[0]))
        if rule is None:
            raise Rejected("a node without a rule of its policy")
        return [self._move(node, -1, [(choice, rule.play[choice.action]) for choice in choices if choice.action in rule.play])]

    def _move(self, node: Node, action: int, played: list[tuple[Choice, Fraction]]) -> Move:
        memory = node[1]
        bottom = lcm(*(choice.bottom * share.denominator for choice, share in played))
        targets, weights, arrivals = [], [], []
        for choice, share in played:
            scale = bottom // (choice.bottom * share.denominator) * share.numerator
            for successor, weight in zip(choice.successors, choice.weights, strict=True):
                after = self.step(memory, successor)
                arrivals.append(after)
                targets.append(self.number((successor, after, *self._control(node, successor))))
                weights.append(weight * scale)
        earns: list[Fraction | None] = []
        for i, goal in enumerate(self.goals):
            if goal.kind == "probability":
                fresh = self.memories[memory][i] != TRUE
                won = [w for w, a in zip(weights, arrivals, strict=True) if self.memories[a][i] == TRUE] if fresh else []
                earns.append(Fraction(sum(won), bottom) if won else None)
            elif not goal.reward or self.memories[memory][i] == "closed":
                earns.append(None)
            else:
                amounts = [share * goal.reward[choice.number] for choice, share in played if choice.number in goal.reward]
                earns.append(sum(amounts, Fraction(0)) if amounts else None)
        return Move(action, tuple(targets), tuple(weights), bottom, tuple(earns))

    def _control(self, node: Node, successor: int) -> tuple[int, ...]:
        if self.controller is None:
            return ()
        return (self.controller.rules[node[2], node[0]].after.get(successor, node[2]),)


def read_product(value: Any, worlds: list[World], objectives: list[Objective], controllers: list[Controller]) -> Product:
    """Reads the nodes and checks: distinct, unsettled, initial ones listed, every move from a layer into the next, the tail closed."""
    world, listed, policy, depth, layers, nodes, memories = fields(value, "world objectives policy depth layers nodes memories")
    place = worlds[integer(world, 0, len(worlds))]
    goals = [objectives[integer(j, 0, len(objectives))] for j in array(listed)]
    distinct(listed, "an objective of a product")
    require(all(goal.world == world for goal in goals), "an objective of another world")
    require(len(array(layers)) == integer(depth, 0), "a product's depth is not the number of its layers")
    require(all(goal.steps <= depth for goal in goals), "a product that is shallower than a horizon")
    controller = None if policy is None else controllers[integer(policy, 0, len(controllers))]
    if controller is not None:
        fits(controller, place)
    table = read_memories(memories, goals, len(place.atoms))
    build = Builder(place, goals, controller, table)
    states, known = len(place.states), len(table)

    def read(row: Any) -> int:
        parts = array(row, 2 if controller is None else 3)
        return build.number((integer(parts[0], 0, states), integer(parts[1], 0, known), *(integer(n, 0) for n in parts[2:])))

    lists = [[read(row) for row in array(layer)] for layer in [*layers, nodes]]
    initial = []
    for state, share in place.initial:
        starts: list[Any] = [(Fraction(1), ())] if controller is None else [(w, (n,)) for w, s, n in controller.start if s == state]
        initial += [(share * weight, build.number((state, build.begin(state), *node))) for weight, node in starts]
    moves = _close(build, lists, [node for _, node in initial])
    won = [[p for p, node in initial if build.memories[build.nodes[node][1]][i] == TRUE] for i in range(len(goals))]
    offsets = [sum(shares, Fraction(0)) for shares in won]
    at = [node[0] for node in build.nodes]
    return Product(world, listed, goals, policy, lists[:-1], lists[-1], initial, offsets, at, place.atoms, moves)


def _close(build: Builder, lists: list[list[int]], initial: list[int]) -> dict[int, list[Move]]:
    """The moves of all listed nodes (the last list is the tail), after the checks that make the lists complete."""
    moves: dict[int, list[Move]] = {}
    since: dict[int, int | None] = {}  # memory -> the time from which it is settled

    def settled(node: int, time: int) -> bool:
        memory = build.nodes[node][1]
        if memory not in since:
            since[memory] = build.settles(memory)
        start = since[memory]
        return start is not None and start <= time

    members = [set(listed) for listed in lists]
    require(all(node in members[0] or settled(node, 0) for node in initial), "an initial node is missing")
    for time, listed in enumerate(lists):
        distinct(listed, "a node")
        after = members[min(time + 1, len(lists) - 1)]
        for node in listed:
            require(not settled(node, time), "a settled node is listed")
            if node not in moves:
                moves[node] = build.moves(build.nodes[node])
            for move in moves[node]:
                if not all(target in after or settled(target, time + 1) for target in move.targets):
                    raise Rejected("a node is missing")
    return moves
