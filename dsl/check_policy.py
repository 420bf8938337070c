"""The syntax of policy types, scores, properties and policies -> their typed forms."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from dsl import spec, syntax
from dsl.affine import Affine
from dsl.check_expression import condition, known_integer, quantity
from dsl.check_formula import number, statement
from dsl.check_name import Context
from dsl.check_reference import action_name, variables_named
from dsl.lower import formula, linear
from dsl.operators import IllTyped, constant
from dsl.policy_terms import SELF, Roles, optimum, want_free
from dsl.scope import PolicyFunction, Scope, WorldNames
from dsl.semantics import show, variables_read

MAX_MEMORY = 1_000

# ---------------------------------------------------------------- policy types


def check_policy_type(node: syntax.PolicyType, scope: Scope) -> spec.PolicyType | None:
    world_name = node.world.name
    if world_name not in scope.world_names:
        kind = scope.kind(world_name)
        message = f"`{world_name}` is {kind}, not a world" if kind else f"`{world_name}` is not a world"
        code = "E209" if kind else "E201"
        scope.error(code, node.world.span, message, None if kind else scope.similar(world_name, scope.world_names))
        return None
    world = scope.world_names[world_name]
    if world_name in scope.templates:
        hint = f"give them: `world {world_name}1 = {world_name}(...)`"
        scope.error("E220", node.world.span, f"world {world_name} has parameters, so it is not one world", hint)
    if world is None:
        return None
    memory: int | None = None
    observes: tuple[str, ...] | None = None
    kinds = [restriction.kind for restriction in node.restrictions]
    for position, restriction in enumerate(node.restrictions):
        if restriction.kind in kinds[:position]:
            scope.error("E202", restriction.span, f"`{restriction.kind}` is written twice")
        elif restriction.kind == "observes":
            observes = _observed(restriction, world, scope)
        elif restriction.memory is not None:
            memory = known_integer(restriction.memory, scope, "the number of memory nodes")
            if memory is not None and not 1 <= memory <= MAX_MEMORY:
                message = f"the number of memory nodes is from 1 to {MAX_MEMORY}, but this is {show(memory)}"
                scope.error("E417", restriction.memory.span, message)
    if "memory" in kinds and "memoryless" in kinds:
        scope.error("E417", node.span, "a policy type is either `memoryless` or has `memory`", "`memoryless` is `memory 1`")
    return spec.PolicyType(
        node.name.name, world.name, "deterministic" in kinds, "memoryless" in kinds, memory, observes, node.span
    )


def _observed(restriction: syntax.Restriction, world: WorldNames, scope: Scope) -> tuple[str, ...]:
    names: list[str] = []
    for reference in restriction.observed:
        for name in variables_named(reference, world, scope):
            if name in names:
                scope.error("E202", reference.span, f"`{name}` is named twice")
            else:
                names.append(name)
    return tuple(names)


def policy_type(node: syntax.Name, scope: Scope) -> spec.PolicyType | None:
    """The policy type that a declaration names, or a diagnostic."""
    if node.name in scope.policy_types:
        return scope.policy_types[node.name]
    kind = scope.kind(node.name)
    if kind is not None:
        scope.error("E209", node.span, f"`{node.name}` is {kind}, not a policy type")
    else:
        scope.error("E201", node.span, f"`{node.name}` is not a policy type", scope.similar(node.name, scope.policy_types))
    return None


# ---------------------------------------------------------------- scores and properties


def check_policy_function(node: syntax.Score | syntax.Property, scope: Scope) -> PolicyFunction | None:
    """A score's body is linear, a property's a statement; the parameter is called ``self`` in both."""
    word = "score" if isinstance(node, syntax.Score) else "property"
    if len(node.parameters) != 1:
        message = f"a {word} has one parameter, a policy; here are {len(node.parameters)}"
        scope.error("E205", node.name.span, message, f"write `{word} {node.name.name}(pi : Pi) = ...`")
        return None
    parameter = node.parameters[0]
    if not isinstance(parameter.type, syntax.Name):
        scope.error("E209", parameter.type.span, f"the parameter of a {word} is a policy")
        return None
    type = policy_type(parameter.type, scope)
    try:
        want_free(parameter.name, Roles(scope))
    except IllTyped as broken:
        scope.refuse(broken)
        return None
    if type is None:
        return None
    roles = Roles(scope, {parameter.name.name: (SELF, type.name)}, implicit=type.name)
    if isinstance(node, syntax.Property):
        body = statement(node.body, roles)
        return None if body is None else PolicyFunction(node.name.name, type.name, body)
    value = number(node.body, roles)
    if value is not None and not isinstance(value, Affine):
        message = "a score is linear in objectives: `abs`, `min`, `max` and `if` may not depend on the policy here"
        scope.error("E403", node.body.span, message, "state it as a property")
        return None
    return None if value is None else PolicyFunction(node.name.name, type.name, value)


def declared_score(function: PolicyFunction, node: syntax.Score) -> spec.Optimum | None:
    """The score as a max(J) term; None where its optimum is not defined (it mentions other policies)."""
    try:
        best = optimum("max", function, node.span)
    except IllTyped:
        return None
    if not best.terms:
        return spec.Optimum("max", function.type, (), best.constant, f"max({function.name})")
    term = best.terms[0][1]
    return term if isinstance(term, spec.Optimum) else None


# ---------------------------------------------------------------- policies


def check_policy(node: syntax.Policy, scope: Scope) -> spec.Policy | None:
    type = policy_type(node.type, scope)
    if type is None:
        return None
    world = scope.world_names[type.world]
    if world is None:
        return None
    body: spec.OptimalPolicy | spec.TablePolicy | spec.FilePolicy | None
    match node.body:
        case syntax.PolicyFile(path=path):
            body = spec.FilePolicy(path.value)
        case syntax.Table():
            body = _table(node.body, type, world, scope)
        case syntax.Optimal():
            body = _optimal(node.body, type, scope)
    return None if body is None else spec.Policy(node.name.name, type.name, body, node.span)


def _optimal(node: syntax.Optimal, type: spec.PolicyType, scope: Scope) -> spec.OptimalPolicy | None:
    roles = Roles(scope, {SELF: (SELF, type.name)}, implicit=type.name)
    value = number(node.objective, roles)
    subject = None if node.subject_to is None else statement(node.subject_to, roles)
    if value is None or (node.subject_to is not None and subject is None):
        return None
    if not isinstance(value, Affine):
        scope.error("E403", node.objective.span, "what is maximised must be linear in objectives of the policy")
        return None
    if any(not isinstance(quantity, spec.Value) or quantity.policy != SELF for _, quantity in value.terms):
        scope.error("E416", node.objective.span, "what is maximised may speak only of the policy itself")
        return None
    try:
        constraint = None if subject is None or node.subject_to is None else formula(subject, node.subject_to.span)
        body = linear(value, node.objective.span)
    except IllTyped as broken:
        scope.refuse(broken)
        return None
    return spec.OptimalPolicy("max" if node.kind == "maximize" else "min", body, constraint, scope.text(node.span))


def _table(node: syntax.Table, type: spec.PolicyType, world: WorldNames, scope: Scope) -> spec.TablePolicy | None:
    before = len(scope.diagnostics)
    context = Context(scope, world)
    rules: list[spec.Rule] = []
    for rule in node.rules:
        guard = None if rule.guard is None else condition(rule.guard, context, "a guard")
        actions = _actions(rule.action, type, context)
        rules.append(spec.Rule(guard, actions))
        _want_observed([guard, *(probability for probability, _ in actions)], type, scope)
    return None if len(scope.diagnostics) > before else spec.TablePolicy(tuple(rules))


def _actions(node: syntax.Reference | syntax.Randomised, type: spec.PolicyType, context: Context) -> tuple[tuple[spec.Expr, str], ...]:
    scope = context.scope
    if not isinstance(node, syntax.Randomised):
        name = action_name(node, context.world, scope)
        return () if name is None else ((constant(1, node.span), name),)
    actions: list[tuple[spec.Expr, str]] = []
    for choice in node.choices:
        probability = quantity(choice.weight, context, "a probability")
        name = action_name(choice.target, context.world, scope)
        if name is not None and any(name == known for _, known in actions):
            scope.error("E202", choice.target.span, f"action `{name}` is named twice in one rule")
        if probability is not None and name is not None:
            actions.append((probability, name))
    if type.deterministic and len(node.choices) > 1:
        scope.error("E414", node.span, f"policies of type {type.name} are deterministic, but this rule randomises")
    constants = [p.value for p, _ in actions if isinstance(p, spec.Const)]
    if any(p < 0 for p in constants):
        scope.error("E414", node.span, "a probability of an action is negative")
    elif len(constants) == len(node.choices) and sum(constants) != 1:
        scope.error("E414", node.span, f"the probabilities of this rule sum to {show(Fraction(sum(constants)))}, not to 1")
    return tuple(actions)


def _want_observed(exprs: Sequence[spec.Expr | None], type: spec.PolicyType, scope: Scope) -> None:
    if type.observes is None:
        return
    for expr in exprs:
        hidden = sorted(variables_read(expr) - set(type.observes)) if expr is not None else []
        if expr is not None and hidden:
            scope.error("E414", expr.span, f"policies of type {type.name} do not observe `{hidden[0]}`")


def belongs(actual: spec.PolicyType, wanted: spec.PolicyType) -> bool:
    """Whether every policy of one type is a policy of the other, as far as the declarations say."""
    unrestricted = not wanted.deterministic and not wanted.memoryless and wanted.memory is None and wanted.observes is None
    return actual.name == wanted.name or (actual.world == wanted.world and unrestricted)


