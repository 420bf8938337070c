"""The composition of a JANI model -> actions, and what they earn.

A silent edge is an action of its own.  A synchronisation vector is an action in which automata take one edge each; it
stays unexpanded where the edges do not interfere, and is multiplied out where they do (or where they earn differently).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from math import prod

from dsl.imported.jani_edges import Command, Edge, command, edges_of, writes
from dsl.imported.jani_json import Broken, Node, items, members, need, string
from dsl.imported.jani_model import Model
from dsl.record import dataclass
from dsl.source import Span
from dsl.spec import Action, RewardClause, Synchronised

MAX_COMBINATIONS = 50_000
SILENT = "tau"


@dataclass(frozen=True, slots=True)
class Vector:
    """Some automata, each with its edges for its action."""

    name: str
    parts: tuple[tuple[Edge, ...], ...]
    node: Node


class Composition:
    """``actions`` in order, ``clauses`` for each reward."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.actions: list[Action | Synchronised] = []
        self.clauses: dict[str, list[RewardClause]] = {}
        self._names: set[str] = set()
        self._single: dict[int, Command] = {}
        self._combinations = 0
        edges = [edges_of(automaton) for automaton in model.automata]
        vectors = list(self._vectors(edges))
        self._names.update(vector.name for vector in vectors)
        for automaton, own in zip(model.automata, edges, strict=True):
            silent = [edge for edge in own if edge.action is None]
            base = automaton.name if automaton.name not in self._names else f"{automaton.name}.{SILENT}"
            for k, edge in enumerate(silent):
                self._alone(self._unique(f"{base}#{k + 1}"), [edge])
        for vector in vectors:
            self._together(vector)
        if not self.actions:
            raise Broken("E523", model.root, "nothing can happen in this model: it has no edges that can be taken")

    def _unique(self, name: str) -> str:
        while name in self._names:
            name += "'"
        self._names.add(name)
        return name

    def _vectors(self, edges: Sequence[Sequence[Edge]]) -> Iterator[Vector]:
        """Vectors that share a result are ``a@1``, ``a@2``, ...: a policy has to tell them apart."""
        root = members(self.model.root, "a JANI model")
        syncs = members(root["system"], "`system`").get("syncs") if "system" in root else None
        if syncs is None and len(edges) == 1:
            for name in dict.fromkeys(edge.action for edge in edges[0] if edge.action is not None):
                yield Vector(name, (tuple(e for e in edges[0] if e.action == name),), self.model.root)
            return
        nodes = items(syncs, "`syncs`")
        results = [self._result(node) for node in nodes]
        used: set[tuple[int, str]] = set()
        for k, (node, result) in enumerate(zip(nodes, results, strict=True)):
            together = items(need(node, "synchronise", "a synchronisation"), "`synchronise`")
            if len(together) != len(edges):
                raise Broken("E521", node, f"the composition has {len(edges)} elements, but here are {len(together)} actions")
            parts = []
            for place, entry in enumerate(together):
                if entry.value is not None:
                    action = string(entry, "an action")
                    used.add((place, action))
                    parts.append(tuple(edge for edge in edges[place] if edge.action == action))
            name = f"{result}@{results[: k + 1].count(result)}" if results.count(result) > 1 else result
            if parts and all(parts):
                yield Vector(name, tuple(parts), node)
        for place, own in enumerate(edges):
            for action in dict.fromkeys(edge.action for edge in own if edge.action is not None):
                if (place, action) not in used:
                    note = f"{self.model.automata[place].name} never takes {action}: no synchronisation names it"
                    self.model.expressions.notes[note] = None

    def _result(self, node: Node) -> str:
        result = members(node, "a synchronisation").get("result")
        return SILENT if result is None or result.value is None else string(result, "the result of a synchronisation")

    # ------------------------------------------------------------ one action

    def _together(self, vector: Vector) -> None:
        commands = [[self._of(edge) for edge in part] for part in vector.parts]
        alike = all(c.earns == part[0].earns for part in commands for c in part)
        if alike and not (len(vector.parts) > 1 and self._interfere(vector)):
            parts = tuple(tuple(Action(vector.name, c.guard, c.outcomes, c.span) for c in part) for part in commands)
            span = self.model.expressions.places.span(vector.node) if vector.node is not self.model.root else commands[0][0].span
            self.actions.append(Synchronised(vector.name, parts, span))
            for part in commands:
                self._earn(vector.name, part[0], span)
            return
        self._combinations += prod(len(part) for part in vector.parts)
        if self._combinations > MAX_COMBINATIONS:
            message = f"the edges of this synchronisation interfere and make more than {MAX_COMBINATIONS} combinations"
            raise Broken("E527", vector.node, message)
        for combination in product(*(enumerate(part, 1) for part in vector.parts)):
            places = [str(k) for (k, _), part in zip(combination, vector.parts, strict=True) if len(part) > 1]
            name = f"{vector.name}#{'.'.join(places)}" if places else vector.name
            self._alone(name if not places else self._unique(name), [edge for _, edge in combination])

    def _alone(self, name: str, edges: Sequence[Edge]) -> None:
        whole = self._of(edges[0]) if len(edges) == 1 else command(self.model, edges)
        self.actions.append(Action(name, whole.guard, whole.outcomes, whole.span))
        self._earn(name, whole, whole.span)

    def _earn(self, name: str, whole: Command, span: Span) -> None:
        for reward, value in whole.earns.items():
            self.clauses.setdefault(reward, []).append(RewardClause(name, None, value, span))

    def _of(self, edge: Edge) -> Command:
        found = self._single.get(id(edge))
        if found is None:
            found = self._single[id(edge)] = command(self.model, [edge])
        return found

    def _interfere(self, vector: Vector) -> bool:
        """Whether two parts may assign one variable, or read what the other has just assigned."""
        parts = [[writes(self.model, edge) for edge in part] for part in vector.parts]
        shared = [frozenset().union(*(w.shared for w in part)) for part in parts]
        if sum(len(names) for names in shared) > len(frozenset().union(*shared)):
            return True
        return any(shared) and len({index for part in parts for w in part for index in w.indices}) > 1
