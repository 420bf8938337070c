"""The declarations of a JANI model -> constants, variables, functions and automata under the names that specs use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field

from dsl import operators
from dsl.imported.jani_expression import Expressions, Function, Resolve
from dsl.imported.jani_json import Broken, Node, flag, items, kind, members, need, string
from dsl.imported.request import Problems, Request
from dsl.record import dataclass
from dsl.spec import Const, Expr, Var
from dsl.types import Bool, Enum, Int, Rational, Type

MAX_ELEMENTS = 1_000


@dataclass(slots=True)
class Declared:
    """A variable; ``name`` is what specs call it.  A transient one has no place in the state."""

    name: str
    type: Type
    initial: Const | None
    transient: bool
    node: Node


@dataclass(slots=True)
class Automaton:
    """One element of the composition, a copy of an automaton of the file with variables of its own."""

    name: str
    node: Node
    names: dict[str, Declared]  # its own variables, by the names of the file
    functions: dict[str, Function]
    locations: dict[str, int]
    location_nodes: list[Node]
    initial: tuple[int, ...]
    place: Var | None = None  # the variable that says where it is; None if it has one location


@dataclass(slots=True)
class Model:
    root: Node
    request: Request
    expressions: Expressions
    constants: dict[str, Const] = field(default_factory=dict)
    globals: dict[str, Declared] = field(default_factory=dict)
    functions: dict[str, Function] = field(default_factory=dict)
    automata: list[Automaton] = field(default_factory=list)
    definitions: dict[str, Expr] = field(default_factory=dict)  # of transient variables: their values in a state

    def variables(self) -> Iterator[Declared]:
        yield from self.globals.values()
        for automaton in self.automata:
            yield from automaton.names.values()

    def resolve(self, automaton: Automaton | None, now: Mapping[str, Expr] | None = None) -> Resolve:
        """Names as one automaton (None: the model) sees them; ``now`` are values assigned before, by the names of specs."""

        def resolve(name: str, node: Node) -> Expr:
            declared = automaton.names.get(name) if automaton is not None else None
            if declared is None:
                declared = self.globals.get(name)
            if declared is None:
                constant = self.constants.get(name)
                if constant is None:
                    raise Broken("E524", node, f"`{name[:80]}` is neither a constant nor a variable")
                return constant
            if now is not None and declared.name in now:
                return now[declared.name]
            if declared.transient:
                value = self.definitions.get(declared.name)
                if value is None:
                    raise Broken("E523", node, f"the transient variable `{name[:80]}` cannot be read here")
                return value
            return Var(declared.name, declared.type, False, self.expressions.places.span(node))

        return resolve

    def declared(self, automaton: Automaton, node: Node) -> Declared:
        """The variable that an assignment names."""
        if not isinstance(node.value, str):
            raise Broken("E523", node, f"only variables can be assigned, not {kind(node)}")
        found = automaton.names.get(node.value) or self.globals.get(node.value)
        if found is None:
            raise Broken("E524", node, f"there is no variable `{node.value[:80]}`")
        return found

    def functions_of(self, automaton: Automaton | None) -> Mapping[str, Function]:
        return self.functions if automaton is None or not automaton.functions else {**self.functions, **automaton.functions}


def read_model(root: Node, request: Request, expressions: Expressions) -> Model:
    """Raises Broken; SpecError for settings that do not fit."""
    model = Model(root, request, expressions)
    entries = members(root, "a JANI model")
    _constants(model, items(entries.get("constants"), "`constants`"))
    model.functions = _functions(model, items(entries.get("functions"), "`functions`"))
    for node in items(entries.get("variables"), "`variables`"):
        name = string(need(node, "name", "a variable"), "the name of a variable")
        if name in model.globals or name in model.constants:
            raise Broken("E524", node, f"`{name[:80]}` is declared twice")
        model.globals[name] = _variable(model, node, name, name)
    _automata(model)
    return model


# ---------------------------------------------------------------- constants, functions, types


def _constants(model: Model, nodes: Sequence[Node]) -> None:
    settings = dict(model.request.settings)
    problems = Problems()
    for node in nodes:
        name = string(need(node, "name", "a constant"), "the name of a constant")
        if name in model.constants:
            raise Broken("E524", node, f"the constant `{name[:80]}` is declared twice")
        type = _type(model, need(node, "type", "a constant"), f"the constant `{name}`")
        written, setting = members(node, "a constant").get("value"), settings.pop(name, None)
        if written is not None:
            value = model.expressions.read(written, model.resolve(None), model.functions)
            if not isinstance(value, Const) or not operators.fits(value.type, type):
                raise Broken("E525", written, f"the value of the constant `{name}` is not constant or of another type")
            if setting is not None:
                problems.error("E522", setting.span, f"`{name}` has a value in the file")
        elif setting is None:
            hint = f'write jani "..." {{ {name} = ... }}'
            problems.error("E522", model.request.path_span, f"the file leaves the constant `{name}` open", hint)
            value = operators.constant(isinstance(type, Bool) or 1, model.request.path_span)  # only until `stop`
        elif not operators.fits(setting.value.type, type):
            problems.error("E522", setting.span, f"`{name}` is {operators.described(type)} in the file")
            value = setting.value
        else:
            value = setting.value
        model.constants[name] = value
    for name, setting in settings.items():
        problems.error("E522", setting.span, f"the file has no constant `{name}`", problems.similar(name, model.constants))
    problems.stop()


def _functions(model: Model, nodes: Sequence[Node]) -> dict[str, Function]:
    functions = {}
    for node in nodes:
        name = string(need(node, "name", "a function"), "the name of a function")
        parameters = []
        for parameter in items(members(node, "a function").get("parameters"), "`parameters`"):
            called = string(need(parameter, "name", "a parameter"), "the name of a parameter")
            parameters.append((called, _type(model, need(parameter, "type", "a parameter"), f"the parameter `{called}`")))
        result = _type(model, need(node, "type", "a function"), f"the function `{name}`")
        functions[name] = Function(tuple(parameters), result, need(node, "body", "a function"))
    return functions


def _type(model: Model, node: Node, what: str) -> Type:
    match node.value:
        case "bool":
            return Bool()
        case "int":
            return Int()
        case "real":
            return Rational()
        case str(name):
            raise Broken("E523", node, f"{what} is of type {name[:40]}, which is not supported")
        case dict(entries) if "kind" in entries and entries["kind"].value == "bounded":
            if need(node, "base", "a bounded type").value == "real":
                return Rational()
            low, high = (_bound(model, entries.get(key)) for key in ("lower-bound", "upper-bound"))
            if low is not None and high is not None and low > high:
                raise Broken("E525", node, f"{what} has no values: its bounds are {low} and {high}")
            return Int(low, high)
        case dict(entries) if "kind" in entries:
            raise Broken("E523", node, f"{what} is of kind {str(entries['kind'].value)[:40]}, which is not supported")
    raise Broken("E521", node, f"{what} has a type of no known form")


def _bound(model: Model, node: Node | None) -> int | None:
    if node is None:
        return None
    value = model.expressions.read(node, model.resolve(None), model.functions)
    if not isinstance(value, Const) or not isinstance(value.type, Int):
        raise Broken("E525", node, "a bound is a constant integer")
    return int(value.value)


# ---------------------------------------------------------------- variables


def _variable(model: Model, node: Node, written: str, name: str) -> Declared:
    entries = members(node, "a variable")
    type = _type(model, need(node, "type", "a variable"), f"the variable `{written}`")
    transient = flag(entries.get("transient"), "`transient`")
    if not transient and not isinstance(type, Bool) and not (isinstance(type, Int) and type.low is not None and type.high is not None):
        raise Broken("E523", node, f"the variable `{written[:80]}` has infinitely many values", "they are bool or bounded int")
    at = entries.get("initial-value")
    initial: Const | None = None
    if at is not None:
        value = model.expressions.read(at, model.resolve(None), model.functions)
        if not isinstance(value, Const) or not operators.fits(value.type, type):
            raise Broken("E525", at, f"the initial value of `{written[:80]}` is not constant or of another type")
        low, high = (type.low, type.high) if isinstance(type, Int) else (None, None)
        if (low is not None and value.value < low) or (high is not None and value.value > high):
            raise Broken("E525", at, f"the initial value {value.value} of `{written[:80]}` is outside its range {type}")
        initial = value
    elif transient:
        raise Broken("E521", node, f"the transient variable `{written[:80]}` has no `initial-value`")
    return Declared(name, type, initial, transient, node)


def _automata(model: Model) -> None:
    """The elements of the composition; a local variable keeps its name unless another has the same."""
    entries = members(model.root, "a JANI model")
    nodes = {}
    for node in items(need(model.root, "automata", "a JANI model"), "`automata`"):
        name = string(need(node, "name", "an automaton"), "the name of an automaton")
        if name in nodes:
            raise Broken("E524", node, f"the automaton `{name[:80]}` is declared twice")
        nodes[name] = node
    elements = []
    if "system" in entries:
        for element in items(need(entries["system"], "elements", "`system`"), "`elements`"):
            at = need(element, "automaton", "an element")
            if string(at, "`automaton`") not in nodes:
                raise Broken("E524", at, f"there is no automaton `{str(at.value)[:80]}`")
            if items(members(element, "an element").get("input-enable"), "`input-enable`"):
                raise Broken("E523", element, "`input-enable` is not supported")
            elements.append(str(at.value))
    elif len(nodes) == 1:
        elements = list(nodes)
    else:
        raise Broken("E521", model.root, "the model has several automata but no `system`")
    if not elements or len(elements) > MAX_ELEMENTS:
        raise Broken("E527", model.root, f"a model has 1 to {MAX_ELEMENTS} automata at work, not {len(elements)}")
    copies = [f"{name}#{elements[: k + 1].count(name)}" if elements.count(name) > 1 else name for k, name in enumerate(elements)]
    local = [
        string(need(v, "name", "a variable"), "the name of a variable")
        for name in elements
        for v in items(members(nodes[name], "an automaton").get("variables"), "`variables`")
    ]
    taken = [*model.globals, *local]
    shared = {name for name in local if taken.count(name) > 1}
    for copy, name in zip(copies, elements, strict=True):
        model.automata.append(_automaton(model, copy, nodes[name], shared))
    used: set[str] = set()
    for variable in model.variables():
        if variable.name in used:
            raise Broken("E524", variable.node, f"two variables are called `{variable.name[:80]}`")
        used.add(variable.name)
    for automaton in model.automata:
        if len(automaton.locations) > 1:
            called = automaton.name if automaton.name not in used else f"{automaton.name}.location"
            used.add(called)
            type = Enum(called, tuple(automaton.locations))
            automaton.place = Var(called, type, False, model.expressions.places.span(need(automaton.node, "locations", "an automaton")))


def _automaton(model: Model, name: str, node: Node, shared: set[str]) -> Automaton:
    entries = members(node, "an automaton")
    location_nodes = items(need(node, "locations", "an automaton"), "`locations`")
    locations: dict[str, int] = {}
    for location in location_nodes:
        called = string(need(location, "name", "a location"), "the name of a location")
        if called in locations:
            raise Broken("E524", location, f"the location `{called[:80]}` is declared twice")
        if "time-progress" in members(location, "a location"):
            raise Broken("E523", location, "locations with `time-progress` are not supported")
        locations[called] = len(locations)
    initial = []
    for at in items(need(node, "initial-locations", "an automaton"), "`initial-locations`"):
        place = locations.get(string(at, "an initial location"))
        if place is None:
            raise Broken("E524", at, f"there is no location `{str(at.value)[:80]}`")
        initial.append(place)
    if not initial:
        raise Broken("E521", node, f"the automaton `{name[:80]}` has no initial location")
    names: dict[str, Declared] = {}
    for variable in items(entries.get("variables"), "`variables`"):
        written = string(need(variable, "name", "a variable"), "the name of a variable")
        if written in names:
            raise Broken("E524", variable, f"`{written[:80]}` is declared twice")
        names[written] = _variable(model, variable, written, f"{name}.{written}" if written in shared else written)
    functions = _functions(model, items(entries.get("functions"), "`functions`"))
    return Automaton(name, node, names, functions, locations, location_nodes, tuple(dict.fromkeys(initial)))
