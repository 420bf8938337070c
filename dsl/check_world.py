"""The syntax of a world -> a typed world: ranges, initial values, actions, labels, rewards."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TypeVar

from dsl import operators, resolve, spec, syntax
from dsl.check_expression import check, condition, known, quantity
from dsl.check_name import Context
from dsl.check_type import type_of
from dsl.operators import constant
from dsl.scope import Scope, WorldNames
from dsl.semantics import Value, show
from dsl.source import Span
from dsl.types import Enum, Int, Rational, Type

# ---------------------------------------------------------------- names


def names_of_world(world: syntax.World, scope: Scope) -> WorldNames | None:
    """The names a world declares, before any of its expressions is looked at; None: something in it is not supported yet."""
    supported = True
    if world.parameters:
        scope.unsupported(world.parameters[0].span, "a world with parameters")
        supported = False
    for item in world.items:
        if isinstance(item, syntax.Family):
            scope.unsupported(item.span, "a family of declarations (`for ... in`)")
            supported = False
        elif isinstance(item, (syntax.Variable, syntax.Action, syntax.Label, syntax.Reward)) and item.indices:
            scope.unsupported(item.name.span, "an array of variables, actions, labels or rewards")
            supported = False
    if not supported:
        return None
    states = _unique([i for i in world.items if isinstance(i, (syntax.Variable, syntax.Label))], world, scope)
    rewards = _unique([i for i in world.items if isinstance(i, syntax.Reward)], world, scope)
    variables = {v.name.name: _variable_type(v, scope) for v in states.values() if isinstance(v, syntax.Variable)}
    labels: dict[str, spec.Expr | None] = {name: None for name, item in states.items() if isinstance(item, syntax.Label)}
    actions = frozenset(i.name.name for i in world.items if isinstance(i, syntax.Action))
    return WorldNames(world.name.name, variables, labels, actions, frozenset(rewards))


Named = syntax.Variable | syntax.Label | syntax.Reward


def _unique(items: Sequence[Named], world: syntax.World, scope: Scope) -> dict[str, Named]:
    found: dict[str, Named] = {}
    for item in items:
        first = found.setdefault(item.name.name, item)
        if first is not item:
            where = resolve.place(first.name.span)
            scope.error("E202", item.name.span, f"`{item.name.name}` is declared twice in world {world.name.name}", f"first at {where}")
    return found


def _variable_type(variable: syntax.Variable, scope: Scope) -> Type | None:
    type = type_of(variable.type, scope)
    if isinstance(type, Rational) or (isinstance(type, Int) and type.low is None):
        hint = "give a range: `0..10`" if isinstance(type, Int) else "count in small units: an integer range"
        scope.error("E328", variable.type.span, f"variable `{variable.name.name}` has infinitely many values", hint)
        return None
    return type


# ---------------------------------------------------------------- the world


def check_world(world: syntax.World, names: WorldNames, scope: Scope) -> spec.World | None:
    """None if the world has an error; every error in it has been said."""
    before = len(scope.diagnostics)
    context = Context(scope, names)
    for label in _labels_in_order(world, scope):
        names.labels[label.name.name] = condition(label.condition, context, f"label `{label.name.name}`")
    variables = [_variable(v, names, scope) for v in _first(world, syntax.Variable)]
    actions = [_action(a, context) for a in world.items if isinstance(a, syntax.Action)]
    if not actions:
        scope.error("E324", world.name.span, f"world {world.name.name} has no action", "an action that waits: `action wait { stay }`")
    rewards = [_reward(r, context) for r in _first(world, syntax.Reward)]
    init = _init(world, variables, context)
    if len(scope.diagnostics) > before or any(type is None for type in names.variables.values()):
        return None
    meanings = [(label, names.labels[label.name.name]) for label in _first(world, syntax.Label)]
    labels = [spec.Label(label.name.name, meaning, label.span) for label, meaning in meanings if meaning is not None]
    return spec.World(
        name=world.name.name,
        variables=tuple(v for v in variables if v is not None),
        init=init,
        actions=tuple(actions),
        labels=tuple(labels),
        rewards=tuple(rewards),
        deadlock_absorbs=any(isinstance(item, syntax.Deadlock) for item in world.items),
        span=world.span,
    )


Item = TypeVar("Item", syntax.Variable, syntax.Label, syntax.Reward)


def _first(world: syntax.World, kind: type[Item]) -> list[Item]:
    """The items of one kind, without those whose name is taken."""
    taken: set[str] = set()
    found: list[Item] = []
    for item in world.items:
        if isinstance(item, (syntax.Variable, syntax.Label)) == issubclass(kind, (syntax.Variable, syntax.Label)):
            if isinstance(item, kind) and item.name.name not in taken:
                found.append(item)
            if isinstance(item, (syntax.Variable, syntax.Label, syntax.Reward)):
                taken.add(item.name.name)
    return found


def _labels_in_order(world: syntax.World, scope: Scope) -> list[syntax.Label]:
    """Labels may use labels, not in circles."""
    labels = {label.name.name: label for label in reversed(_first(world, syntax.Label))}
    uses = {name: [n.name for n in resolve.names_used(label.condition) if n.name in labels] for name, label in labels.items()}
    ordered: list[syntax.Label] = []
    for cycle in resolve.components(uses):
        if len(cycle) > 1 or cycle[0] in uses[cycle[0]]:
            first = min((labels[name] for name in cycle), key=lambda label: (label.span.line, label.span.column))
            scope.error("E204", first.name.span, f"label `{first.name.name}` is defined by itself: {', '.join(sorted(cycle)[:8])}")
        else:
            ordered.append(labels[cycle[0]])
    return ordered


def _variable(variable: syntax.Variable, names: WorldNames, scope: Scope) -> spec.Variable | None:
    name = variable.name.name
    type = names.variables[name]
    value: bool | int | None = None
    if variable.initial is not None and type is not None:
        expr = _value(variable.initial, Context(scope), name, type)
        found = None if expr is None else known(expr, scope, f"the initial value of `{name}`")
        if found is None:
            return None
        value = int(found) if isinstance(found, Fraction) else found
        if not contains(type, found):
            scope.error("E322", variable.initial.span, f"the initial value {show(found)} of `{name}` is outside its range {type}")
            return None
    return None if type is None else spec.Variable(name, type, value, variable.span)


def contains(type: Type, value: Value) -> bool:
    match type:
        case Int(low=low, high=high):
            return (low is None or low <= value) and (high is None or value <= high)
        case _:
            return True


def _value(node: syntax.Expr, context: Context, name: str, type: Type) -> spec.Expr | None:
    """A value that a variable of this type can take, ranges aside."""
    expr = check(node, context)
    if expr is None or operators.fits(expr.type, type):
        return expr
    if isinstance(expr, spec.Const) and isinstance(expr.value, Fraction) and expr.value.denominator == 1 and isinstance(type, Int):
        return constant(expr.value.numerator, node.span)
    hint = "round it: `div`, `floor` or `ceil`" if isinstance(type, Int) and isinstance(expr.type, Rational) else None
    message = f"`{name}` holds {operators.described(type)}, but this is {operators.described(expr.type)}"
    context.scope.error("E206", node.span, message, hint)
    return None


# ---------------------------------------------------------------- actions


def _action(action: syntax.Action, context: Context) -> spec.Action:
    guard = None if action.guard is None else condition(action.guard, context, "a guard")
    outcomes = _outcomes(action.outcomes, context, "E302", action.name.span, f"the probabilities of action `{action.name.name}`")
    return spec.Action(action.name.name, guard, outcomes, action.span)


def _outcomes(nodes: Sequence[syntax.Outcome], context: Context, code: str, span: Span, what: str) -> tuple[spec.Outcome, ...]:
    """Typed outcomes; probabilities that are all constant must sum to 1 here and now."""
    outcomes: list[spec.Outcome] = []
    for node in nodes:
        weight = constant(1, node.span) if node.weight is None else quantity(node.weight, context, "a probability")
        assignments = _assignments(node, context)
        if weight is not None:
            outcomes.append(spec.Outcome(weight, assignments, node.span))
    constants = [o.probability.value for o in outcomes if isinstance(o.probability, spec.Const)]
    for outcome in outcomes:
        if isinstance(outcome.probability, spec.Const) and outcome.probability.value < 0:
            context.scope.error(code, outcome.probability.span, f"the probability {show(outcome.probability.value)} is negative")
    if len(constants) == len(nodes) and sum(constants) != 1:
        hint = "write a probability before each outcome: `1/2: ...`" if any(n.weight is None for n in nodes) and len(nodes) > 1 else None
        context.scope.error(code, span, f"{what} sum to {show(Fraction(sum(constants)))}, not to 1", hint)
    return tuple(outcomes)


def _assignments(outcome: syntax.Outcome, context: Context) -> tuple[spec.Assignment, ...]:
    scope, world = context.scope, context.world
    done: dict[str, spec.Assignment] = {}
    seen: set[str] = set()
    for node in outcome.assignments:
        if world is None or not isinstance(node.target, syntax.Name):
            scope.unsupported(node.target.span, "an assignment to one element of an array")
            continue
        name = node.target.name
        if name not in world.variables:
            hint = "a label is computed, not assigned" if name in world.labels else scope.similar(name, world.variables)
            scope.error("E203", node.target.span, f"`{name}` is not a variable of world {world.name}", hint)
            check(node.value, context)
            continue
        if name in seen:
            scope.error("E321", node.target.span, f"`{name}` is assigned twice in one outcome")
            continue
        seen.add(name)
        type = world.variables[name]
        value = check(node.value, context) if type is None else _value(node.value, context, name, type)
        if type is None or value is None:
            continue
        if isinstance(value, spec.Const) and not contains(type, value.value):
            scope.error("E301", node.span, f"`{name}` would become {show(value.value)}, outside its range {type}")
        done[name] = spec.Assignment(name, value, node.span)
    return tuple(done.values())


# ---------------------------------------------------------------- rewards and initial states


def _reward(reward: syntax.Reward, context: Context) -> spec.Reward:
    scope, world = context.scope, context.world
    primed = Context(scope, world, primes=True)
    clauses: list[spec.RewardClause] = []
    for node in reward.clauses:
        action = None
        if node.action is not None:
            action = action_name(node.action, world, scope)
        guard = None if node.guard is None else condition(node.guard, primed, "a guard")
        value = quantity(node.value, primed, f"a value of reward `{reward.name.name}`")
        if value is not None:
            clauses.append(spec.RewardClause(action, guard, value, node.span))
    return spec.Reward(reward.name.name, tuple(clauses), reward.span)


def action_name(node: syntax.Reference, world: WorldNames | None, scope: Scope) -> str | None:
    """An action that the world has, or a diagnostic."""
    if not isinstance(node, syntax.Name):
        scope.unsupported(node.span, "an array of actions")
        return None
    if world is not None and node.name not in world.actions:
        scope.error("E212", node.span, f"world {world.name} has no action `{node.name}`", scope.similar(node.name, world.actions))
        return None
    return node.name


def _init(world: syntax.World, variables: Sequence[spec.Variable | None], context: Context) -> spec.InitOutcomes | spec.InitUniform | None:
    scope = context.scope
    nodes = [item for item in world.items if isinstance(item, (syntax.InitOutcomes, syntax.InitUniform))]
    for again in nodes[1:]:
        scope.error("E325", again.span, f"world {world.name.name} has two `init`")
    missing = [v for v in variables if v is not None and v.initial is None]
    if not nodes:
        for variable in missing:
            _say_missing(variable, scope)
        return None
    match nodes[0]:
        case syntax.InitUniform(condition=phi, span=span):
            typed = condition(phi, context, "the condition of `init uniform`")
            return None if typed is None else spec.InitUniform(typed, span)
        case syntax.InitOutcomes(outcomes=branches, span=span):
            outcomes = _outcomes(branches, context, "E308", span, "the initial probabilities")
            for outcome in outcomes:
                for assignment in outcome.assignments:
                    known(assignment.value, scope, f"the initial value of `{assignment.variable}`")
                known(outcome.probability, scope, "an initial probability")
            for variable in missing:
                if any(variable.name not in {a.variable for a in outcome.assignments} for outcome in outcomes):
                    _say_missing(variable, scope)
            return spec.InitOutcomes(outcomes, span)


def _say_missing(variable: spec.Variable, scope: Scope) -> None:
    type = variable.type
    match type:
        case Enum(members=members):
            written = members[0]
        case Int(low=low):
            written = str(low)
        case _:
            written = "false"
    hint = f"write `var {variable.name} : {type} = {written}`, or an `init`"
    scope.error("E323", variable.span, f"variable `{variable.name}` has no initial value", hint)

