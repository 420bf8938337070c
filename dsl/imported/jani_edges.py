"""Edges of automata that are taken together -> one command: its guard, its outcomes, what it earns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from math import prod

from dsl import operators
from dsl.imported.jani_json import Broken, Node, items, members, need, string
from dsl.imported.jani_model import Automaton, Model
from dsl.record import dataclass
from dsl.source import Span
from dsl.spec import Assignment, Const, Expr, Outcome
from dsl.types import Bool

MAX_OUTCOMES = 100_000


@dataclass(frozen=True, slots=True)
class Edge:
    automaton: Automaton
    node: Node
    action: str | None
    source: int


@dataclass(frozen=True, slots=True)
class Command:
    """``earns``: the values of transient variables, expected over the outcomes; ones that are always 0 are left out."""

    guard: Expr | None
    outcomes: tuple[Outcome, ...]
    earns: Mapping[str, Expr]
    span: Span


@dataclass(frozen=True, slots=True)
class Writes:
    """What an edge assigns: shared variables, and with which indices anything."""

    shared: frozenset[str]
    indices: frozenset[int]


def edges_of(automaton: Automaton) -> list[Edge]:
    edges = []
    for node in items(need(automaton.node, "edges", "an automaton"), "`edges`"):
        entries = members(node, "an edge")
        if "rate" in entries:
            raise Broken("E523", node, "edges with a `rate` are not supported")
        source = _place(automaton, need(node, "location", "an edge"))
        action = string(entries["action"], "the action of an edge") if "action" in entries else None
        edges.append(Edge(automaton, node, action, source))
    return edges


def _place(automaton: Automaton, node: Node) -> int:
    place = automaton.locations.get(string(node, "a location"))
    if place is None:
        raise Broken("E524", node, f"the automaton `{automaton.name[:80]}` has no location `{str(node.value)[:80]}`")
    return place


def writes(model: Model, edge: Edge) -> Writes:
    shared, indices = set(), set()
    for destination in items(need(edge.node, "destinations", "an edge"), "`destinations`"):
        for index, _, assignment in _assignments(edge, destination):
            indices.add(index)
            variable = model.declared(edge.automaton, need(assignment, "ref", "an assignment"))
            if variable.name in model.globals:
                shared.add(variable.name)
    return Writes(frozenset(shared), frozenset(indices))


def command(model: Model, edges: Sequence[Edge]) -> Command:
    """Raises Broken."""
    span = model.expressions.places.span(edges[0].node)
    guards = [guard for edge in edges for guard in _guards(model, edge)]
    guard = operators.nary("and", guards, span) if guards else None
    outcomes, earnings = [], []
    choices = [items(need(e.node, "destinations", "an edge"), "`destinations`") for e in edges]
    for edge, listed in zip(edges, choices, strict=True):
        if not listed:
            raise Broken("E521", edge.node, "an edge has at least one destination")
    if prod(map(len, choices)) > MAX_OUTCOMES:
        raise Broken("E527", edges[0].node, f"edges that are taken together have more than {MAX_OUTCOMES} outcomes")
    for destinations in product(*choices):
        outcome, earned = _outcome(model, edges, destinations)
        outcomes.append(outcome)
        earnings.append(earned)
    return Command(guard, tuple(outcomes), _expected(outcomes, earnings, span), span)


def _guards(model: Model, edge: Edge) -> list[Expr]:
    automaton, guards = edge.automaton, []
    if automaton.place is not None:
        guards.append(at(automaton, edge.source, model.expressions.places.span(need(edge.node, "location", "an edge"))))
    written = members(edge.node, "an edge").get("guard")
    if written is not None:
        exp = need(written, "exp", "a guard")
        guards.append(model.expressions.boolean(exp, model.resolve(automaton), model.functions_of(automaton), "a guard"))
    return guards


def at(automaton: Automaton, place: int, span: Span) -> Expr:
    """Whether the automaton is in this location."""
    if automaton.place is None:
        return operators.constant(True, span)
    return operators.binary("==", automaton.place, Const(place, automaton.place.type, span), span)


def _outcome(model: Model, edges: Sequence[Edge], destinations: Sequence[Node]) -> tuple[Outcome, dict[str, Expr]]:
    """One destination for each edge, all reached at once."""
    places = model.expressions.places
    span = places.span(destinations[0])
    shares, moves, groups = list[Expr](), list[Assignment](), list[tuple[int, Edge, Node]]()
    for edge, destination in zip(edges, destinations, strict=True):
        automaton = edge.automaton
        target = _place(automaton, need(destination, "location", "a destination"))
        if automaton.place is not None and target != edge.source:
            moves.append(Assignment(automaton.place.name, Const(target, automaton.place.type, span), span))
        written = members(destination, "a destination").get("probability")
        if written is not None:
            exp = need(written, "exp", "a probability")
            shares.append(model.expressions.number(exp, model.resolve(automaton), model.functions_of(automaton), "a probability"))
        groups += _assignments(edge, destination)
    now = _assigned(model, groups)
    spans = {}
    for _, edge, node in groups:
        spans[model.declared(edge.automaton, need(node, "ref", "an assignment")).name] = places.span(node)
    earned, assignments = dict[str, Expr](), list[Assignment]()
    for variable in model.variables():
        if variable.name not in now:
            continue
        if not variable.transient:
            assignments.append(Assignment(variable.name, now[variable.name], spans[variable.name]))
        elif isinstance(variable.type, Bool):
            model.expressions.notes[f"what edges assign to the transient variable {variable.name} is not used"] = None
        else:
            earned[variable.name] = now[variable.name]
    probability = operators.nary("*", shares, span) if shares else operators.constant(1, span)
    return Outcome(probability, (*assignments, *moves), span), earned


def _assignments(edge: Edge, destination: Node) -> list[tuple[int, Edge, Node]]:
    found = []
    for holder, what in ((edge.node, "an edge"), (destination, "a destination")):
        for node in items(members(holder, what).get("assignments"), "`assignments`"):
            at = members(node, "an assignment").get("index")
            index = 0 if at is None else at.value
            if isinstance(index, bool) or not isinstance(index, int):
                raise Broken("E521", node, "the index of an assignment is an integer")
            found.append((index, edge, node))
    return found


def _assigned(model: Model, groups: Sequence[tuple[int, Edge, Node]]) -> dict[str, Expr]:
    """The new values: assignments of one index happen at once, those of a higher index see what came before."""
    now: dict[str, Expr] = {}
    start = {v.name: v.initial for v in model.variables() if v.transient and v.initial is not None} if groups else {}
    for index in sorted({index for index, _, _ in groups}):
        new: dict[str, Expr] = {}
        before = {**start, **now}
        for _, edge, node in (group for group in groups if group[0] == index):
            variable = model.declared(edge.automaton, need(node, "ref", "an assignment"))
            exp = need(node, "value", "an assignment")
            value = model.expressions.read(exp, model.resolve(edge.automaton, before), model.functions_of(edge.automaton))
            if not operators.fits(value.type, variable.type):
                message = f"`{variable.name[:80]}` is {operators.described(variable.type)}, but this is {operators.described(value.type)}"
                raise Broken("E525", node, message)
            if variable.name in new and new[variable.name] != value:
                raise Broken("E526", node, f"`{variable.name[:80]}` is assigned twice at the same time, and not the same value")
            new[variable.name] = value
        now |= new
    return now


def _expected(outcomes: Sequence[Outcome], earnings: Sequence[Mapping[str, Expr]], span: Span) -> dict[str, Expr]:
    """What is earned may depend on the outcome, which no policy sees coming: its expectation does the same."""
    earns = {}
    zero = operators.constant(0, span)
    for name in dict.fromkeys(name for earned in earnings for name in earned):
        values = [earned.get(name, zero) for earned in earnings]
        if all(value == values[0] for value in values):
            earns[name] = values[0]
        else:
            parts = [operators.nary("*", [o.probability, value], span) for o, value in zip(outcomes, values, strict=True) if value != zero]
            earns[name] = operators.nary("+", parts, span)
    return {name: value for name, value in earns.items() if value != zero}
