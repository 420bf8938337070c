"""A JANI model, an MDP or a DTMC -> a world: locations become variables, transient variables labels and rewards."""

from __future__ import annotations

from dsl import operators
from dsl.imported.jani_compose import Composition
from dsl.imported.jani_edges import at
from dsl.imported.jani_expression import Expressions
from dsl.imported.jani_json import Broken, Node, Places, items, members, need, parse, path_to, string
from dsl.imported.jani_model import Declared, Model, read_model
from dsl.imported.request import Problems, Request, on_trust
from dsl.semantics import variables_read
from dsl.spec import Const, Expr, InitUniform, Label, Reward, RewardClause, Var, Variable, World
from dsl.types import Bool

TYPES = {"mdp": False, "dtmc": True}  # is every choice drawn?
NAMES = {"ma": "Markov automaton", "ta": "timed automaton", "pta": "probabilistic timed automaton"}


def load(request: Request) -> World:
    """Raises SpecError with the first mistake, or with all that is wrong with the settings."""
    assert request.source is not None, "a format with a file"
    places = Places(request.source)
    root = Node(None, 0, 0)
    try:
        root = parse(request.source.text.removeprefix("\ufeff"))
        return _world(root, request, Expressions(places))
    except Broken as error:
        where = path_to(root, error.node) if root.value is not None else ""
        problems = Problems()
        problems.error(error.code, places.span(error.node), error.message + (f" (`{where}`)" if where else ""), error.hint)
        raise problems.failure() from None


def _world(root: Node, request: Request, expressions: Expressions) -> World:
    kind = string(need(root, "type", "a JANI model"), "the type of a model")
    if kind not in TYPES:
        message = f"a JANI model of type {kind[:20]}{f' ({NAMES[kind]})' if kind in NAMES else ''} is not supported"
        raise Broken("E523", need(root, "type", "a JANI model"), message, "mdp and dtmc are")
    model = read_model(root, request, expressions)
    for variable in model.variables():
        if variable.transient:
            model.definitions[variable.name] = _definition(model, variable)
    composition = Composition(model)
    variables = [_state_variable(v, expressions) for v in model.variables() if not v.transient]
    for automaton in model.automata:
        if automaton.place is not None:
            initial = automaton.initial[0] if len(automaton.initial) == 1 else None
            variables.append(Variable(automaton.place.name, automaton.place.type, initial, automaton.place.span))
    init = _initial(model, variables)
    labels, rewards = _labels(model), _rewards(model, composition)
    return World(
        request.name,
        tuple(variables),
        init,
        tuple(composition.actions),
        labels,
        rewards,
        True,
        request.span,
        numbered=True,
        chain=TYPES[kind],
        notes=on_trust(request, "JANI model", expressions.notes),
    )


def _state_variable(variable: Declared, expressions: Expressions) -> Variable:
    initial = None if variable.initial is None else variable.initial.value
    assert not isinstance(initial, float)
    return Variable(variable.name, variable.type, initial, expressions.places.span(variable.node))  # type: ignore[arg-type]  # no rational: checked


def _initial(model: Model, variables: list[Variable]) -> InitUniform | None:
    """None: the one state of the initial values.  What the file leaves open is drawn with equal probability."""
    spans = model.expressions.places
    conditions = []
    for automaton, holder in [(None, model.root), *((a, a.node) for a in model.automata)]:
        written = members(holder, "a model").get("restrict-initial")
        if written is not None:
            exp = need(written, "exp", "`restrict-initial`")
            conditions.append(model.expressions.boolean(exp, model.resolve(automaton), model.functions_of(automaton), "`restrict-initial`"))
    conditions = [c for c in conditions if not (isinstance(c, Const) and c.value is True)]
    for automaton in model.automata:
        if len(automaton.initial) > 1:
            span = spans.span(need(automaton.node, "initial-locations", "an automaton"))
            conditions.append(operators.nary("or", [at(automaton, place, span) for place in automaton.initial], span))
    if not conditions and all(v.initial is not None for v in variables):
        return None
    model.expressions.notes["the initial states that the file leaves open are drawn with equal probability"] = None
    read = set().union(*(variables_read(c) for c in conditions))
    for v in variables:  # a variable that the conditions read would be free otherwise
        if v.name in read and v.initial is not None:
            conditions.append(_is(v))
    whole = operators.nary("and", conditions, spans.span(model.root)) if conditions else operators.constant(True, spans.span(model.root))
    return InitUniform(whole, spans.span(model.root))


def _is(variable: Variable) -> Expr:
    here = Var(variable.name, variable.type, False, variable.span)
    return operators.binary("==", here, Const(variable.initial, variable.type, variable.span), variable.span)  # type: ignore[arg-type]


def _definition(model: Model, variable: Declared) -> Expr:
    """The value in a state: what the location says (of the first automaton that says something), else the initial value."""
    assert variable.initial is not None, "transient variables have one"
    result: Expr = operators.converted(variable.initial, variable.type)
    for automaton in reversed(model.automata):
        for place in reversed(range(len(automaton.location_nodes))):
            node = automaton.location_nodes[place]
            for entry in items(members(node, "a location").get("transient-values"), "`transient-values`"):
                if model.declared(automaton, need(entry, "ref", "a transient value")) is not variable:
                    continue
                exp = need(entry, "value", "a transient value")
                value = model.expressions.read(exp, model.resolve(automaton), model.functions_of(automaton))
                if not operators.fits(value.type, variable.type):
                    message = f"`{variable.name[:80]}` is {operators.described(variable.type)}, not {operators.described(value.type)}"
                    raise Broken("E525", exp, message)
                span = model.expressions.places.span(entry)
                result = operators.conditional(at(automaton, place, span), value, result, span)
    return result


def _labels(model: Model) -> tuple[Label, ...]:
    """Transient truth values, and ``automaton.location`` where there are several."""
    labels = [
        Label(variable.name, model.definitions[variable.name], model.expressions.places.span(variable.node))
        for variable in model.variables()
        if variable.transient and isinstance(variable.type, Bool)
    ]
    for automaton in model.automata:
        if automaton.place is not None:
            for name, place in automaton.locations.items():
                span = model.expressions.places.span(automaton.location_nodes[place])
                labels.append(Label(f"{automaton.name}.{name}", at(automaton, place, span), span))
    return tuple(labels)


def _rewards(model: Model, composition: Composition) -> tuple[Reward, ...]:
    """Transient numbers: a step earns what the location left says, and what its edges assign."""
    rewards = []
    for variable in model.variables():
        if not variable.transient or isinstance(variable.type, Bool) or variable.initial is None:
            continue
        if variable.initial.value != 0:
            model.expressions.notes[f"the transient variable {variable.name} is no reward: it is not 0 where nothing assigns it"] = None
            continue
        span = model.expressions.places.span(variable.node)
        clauses = []
        here = model.definitions[variable.name]
        if not (isinstance(here, Const) and here.value == 0):
            clauses.append(RewardClause(None, None, here, span))
        rewards.append(Reward(variable.name, (*clauses, *composition.clauses.get(variable.name, ())), span))
    return tuple(rewards)
