"""The syntax of a world, its families written out -> a typed world: initial values, actions, labels, rewards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import TypeVar

from dsl import resolve, spec, syntax
from dsl.check_expression import check, condition, known, quantity
from dsl.check_family import Member, Outline, outline_of
from dsl.check_name import Context
from dsl.check_outcome import check_outcomes, contains, value_of
from dsl.check_reference import actions_named
from dsl.operators import constant
from dsl.scope import Scope, WorldNames
from dsl.semantics import show
from dsl.types import Enum, Int

Typed = tuple[spec.World, WorldNames]

# ---------------------------------------------------------------- the world


def typed_world(node: syntax.World, local: Mapping[str, spec.Expr], scope: Scope) -> Typed | None:
    """``local``: what its parameters stand for.  None if the world has an error; every error in it has been said."""
    found = outline_of(node, scope, local)
    if found is None:
        return None
    if not local:
        scope.world_names[node.name.name] = found.names
    world = _world(node, found, scope)
    return None if world is None else (world, found.names)


def _world(world: syntax.World, outline: Outline, scope: Scope) -> spec.World | None:
    before = len(scope.diagnostics)
    names = outline.names
    for label in _labels_in_order(outline, scope):
        item = label.item
        if isinstance(item, syntax.Label):
            names.labels[label.name] = condition(item.condition, Context(scope, names, label.local), f"label `{label.name}`")
    variables = [_variable(m, item, names, scope) for m, item in _of(outline, syntax.Variable)]
    actions = [_action(m, item, names, scope) for m, item in _of(outline, syntax.Action)]
    if not actions:
        scope.error("E324", world.name.span, f"world {world.name.name} has no action", "an action that waits: `action wait { stay }`")
    rewards = _rewards(outline, scope)
    init = _init(world, outline, variables, scope)
    if len(scope.diagnostics) > before or any(type is None for type in names.variables.values()):
        return None
    meanings = [(m.name, names.labels[m.name], item.span) for m, item in _of(outline, syntax.Label)]
    labels = [spec.Label(name, meaning, span) for name, meaning, span in meanings if meaning is not None]
    if len(labels) < len(names.labels):
        raise ValueError(f"a label of world {names.name} is used before its meaning is known")
    return spec.World(
        name=world.name.name,
        variables=tuple(v for v in variables if v is not None),
        init=init,
        actions=tuple(actions),
        labels=tuple(labels),
        rewards=tuple(rewards),
        deadlock_absorbs=any(isinstance(item, syntax.Deadlock) for item in outline.others),
        span=world.span,
    )


Item = TypeVar("Item", syntax.Variable, syntax.Action, syntax.Label, syntax.Reward)


def _of(outline: Outline, kind: type[Item]) -> Iterator[tuple[Member, Item]]:
    for member in outline.members:
        if isinstance(member.item, kind):
            yield member, member.item


# ---------------------------------------------------------------- labels


def _labels_in_order(outline: Outline, scope: Scope) -> list[Member]:
    """Labels may use labels, not in circles."""
    labels = {member.name: member for member, _ in reversed(list(_of(outline, syntax.Label)))}
    uses = {name: _labels_used(label, outline.names, scope) for name, label in labels.items()}
    ordered: list[Member] = []
    for cycle in resolve.components(uses):
        if len(cycle) > 1 or cycle[0] in uses[cycle[0]]:
            first = min((labels[name] for name in cycle), key=lambda label: (label.item.span.line, label.item.span.column, label.index))
            scope.error("E204", first.item.name.span, f"label `{first.name}` is defined by itself: {', '.join(sorted(cycle)[:8])}")
        else:
            ordered.append(labels[cycle[0]])
    return ordered


def _labels_used(label: Member, names: WorldNames, scope: Scope) -> list[str]:
    """Of an array the one element where its indices are known, otherwise all of them."""
    if not isinstance(label.item, syntax.Label):
        return []
    found: dict[str, None] = {}
    todo: list[tuple[object, frozenset[str]]] = [(label.item.condition, frozenset())]
    while todo:
        node, bound = todo.pop()
        bound = bound | resolve.binds(node)
        if isinstance(node, syntax.Name) and node.name in names.labels and node.name not in bound:
            found[node.name] = None
        known = names.states.arrays.get(node.base.name) if isinstance(node, syntax.Index) and isinstance(node.base, syntax.Name) else None
        if isinstance(node, syntax.Index) and known is not None:
            index = _known_index(node, {name: value for name, value in label.local.items() if name not in bound}, scope)
            elements = known.elements.values() if index is None else [known.elements[index]] if index in known.elements else []
            found.update((name, None) for name in elements if name in names.labels)
        todo.extend((part, bound) for part in resolve.parts(node))
    return list(found)


def _known_index(node: syntax.Index, local: Mapping[str, spec.Expr], scope: Scope) -> tuple[int, ...] | None:
    """The indices if they are constants; nothing is said if they are not."""
    before, suggestions = len(scope.diagnostics), scope.suggestions
    exprs = [check(arg, Context(scope, local=local)) for arg in node.args]
    del scope.diagnostics[before:]
    scope.suggestions = suggestions
    values = [int(expr.value) for expr in exprs if isinstance(expr, spec.Const)]
    return tuple(values) if len(values) == len(exprs) else None


# ---------------------------------------------------------------- variables


def _variable(member: Member, variable: syntax.Variable, names: WorldNames, scope: Scope) -> spec.Variable | None:
    name = member.name
    type = names.variables[name]
    value: bool | int | None = None
    if variable.initial is not None and type is not None:
        expr = value_of(variable.initial, Context(scope, local=member.local), name, type)
        found = None if expr is None else known(expr, scope, f"the initial value of `{name}`")
        if found is None:
            return None
        value = int(found) if isinstance(found, Fraction) else found
        if not contains(type, found):
            scope.error("E322", variable.initial.span, f"the initial value {show(found)} of `{name}` is outside its range {type}")
            return None
    return None if type is None else spec.Variable(name, type, value, variable.span)


# ---------------------------------------------------------------- actions


def _action(member: Member, action: syntax.Action, names: WorldNames, scope: Scope) -> spec.Action:
    context = Context(scope, names, member.local)
    guard = None if action.guard is None else condition(action.guard, context, "a guard")
    if member.local and isinstance(guard, spec.Const) and guard.value is False:
        # this member is never enabled: what it would do may not even exist (`when i < n` before `busy[i + 1]`)
        stay = spec.Outcome(constant(1, action.span), (), action.span)
        return spec.Action(member.name, guard, (stay,), action.span)
    outcomes = check_outcomes(action.outcomes, context, "E302", action.name.span, f"the probabilities of action `{member.name}`")
    return spec.Action(member.name, guard, outcomes, action.span)


# ---------------------------------------------------------------- rewards and initial states


def _rewards(outline: Outline, scope: Scope) -> list[spec.Reward]:
    """In a family, a reward without an index of its own has the clauses of all the members."""
    found: dict[str, spec.Reward] = {}
    for member, item in _of(outline, syntax.Reward):
        clauses = tuple(_clauses(member, item, Context(scope, outline.names, member.local)))
        earlier = found.get(member.name)
        found[member.name] = spec.Reward(member.name, clauses if earlier is None else earlier.clauses + clauses, item.span)
    return list(found.values())


def _clauses(member: Member, reward: syntax.Reward, context: Context) -> Iterator[spec.RewardClause]:
    primed = replace(context, primes=True)
    for node in reward.clauses:
        guard = None if node.guard is None else condition(node.guard, primed, "a guard")
        if member.local and isinstance(guard, spec.Const) and guard.value is False:
            continue
        actions: Sequence[str | None] = (None,) if node.action is None else actions_named(node.action, context)
        value = quantity(node.value, primed, f"a value of reward `{member.name}`")
        if value is not None:
            yield from (spec.RewardClause(action, guard, value, node.span) for action in actions)


def _init(
    world: syntax.World, outline: Outline, variables: Sequence[spec.Variable | None], scope: Scope
) -> spec.InitOutcomes | spec.InitUniform | None:
    context = Context(scope, outline.names, outline.local)
    nodes = [item for item in outline.others if isinstance(item, (syntax.InitOutcomes, syntax.InitUniform))]
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
            outcomes = check_outcomes(branches, context, "E308", span, "the initial probabilities")
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
    hint = f"write `{scope.text(variable.span)} = {written}`, or an `init`"
    scope.error("E323", variable.span, f"variable `{variable.name}` has no initial value", hint)
