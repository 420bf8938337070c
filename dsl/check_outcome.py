"""The outcomes of an action or of an `init` -> typed outcomes: probabilities, and assignments to variables and elements of arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from dsl import arrays, operators, spec, syntax
from dsl.arrays import Array
from dsl.check_element import in_loop
from dsl.check_expression import check, element_indices, quantity
from dsl.check_name import Context, array_of, state_base, state_names, written
from dsl.expand import expanded
from dsl.operators import IllTyped, constant
from dsl.record import dataclass
from dsl.semantics import Value, show
from dsl.source import Span
from dsl.types import Int, Rational, Type


def check_outcomes(nodes: Sequence[syntax.Outcome], context: Context, code: str, span: Span, what: str) -> tuple[spec.Outcome, ...]:
    """Typed outcomes; probabilities that are all constant must sum to 1 here and now."""
    outcomes: list[spec.Outcome] = []
    for node in nodes:
        weight = constant(1, node.span) if node.weight is None else quantity(node.weight, context, "a probability")
        never = bool(context.local) and isinstance(weight, spec.Const) and weight.value == 0
        assignments = () if never else _assignments(node, context)
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


# ---------------------------------------------------------------- assignments


@dataclass(frozen=True, slots=True)
class _Place:
    """What an assignment is about; ``known`` None: a plain variable."""

    base: str
    known: Array | None
    indices: tuple[spec.Expr, ...]
    targets: tuple[arrays.Target, ...]


def _assignments(outcome: syntax.Outcome, context: Context) -> tuple[spec.Assignment, ...]:
    scope = context.scope
    done: dict[str, spec.Assignment] = {}
    checks: dict[str, list[spec.Expr]] = {}
    places: list[_Place] = []
    for node in outcome.assignments:
        try:
            place = _place(node.target, context)
        except IllTyped as broken:
            scope.refuse(broken)
            place = None
        if place is None:
            check(node.value, context)
            continue
        if _clashes(place, places, node, context):
            continue
        places.append(place)
        value = value_of(node.value, context, place.base, _type(place, context))
        if value is not None:
            _enter(place, value, node, context, done)
            exists = None if place.known is None else arrays.existence(place.known, place.indices, node.target.span)
            if exists is not None:
                checks.setdefault(place.targets[0].name, []).append(exists)
    return tuple(_guarded(assignment, checks.get(name, [])) for name, assignment in done.items())


def _guarded(assignment: spec.Assignment, checks: Sequence[spec.Expr]) -> spec.Assignment:
    """A wrong index is an error whatever else is assigned, so it is looked for before anything is decided."""
    value = assignment.value
    if not checks or not isinstance(value, spec.If):
        return assignment
    guard = operators.nary("and", [*checks, value.condition], value.condition.span)
    return replace(assignment, value=replace(value, condition=guard))


def _place(node: syntax.Reference, context: Context) -> _Place | None:
    scope, world = context.scope, context.world
    if world is None:
        raise ValueError("an assignment outside a world")
    name = node.base if isinstance(node, syntax.Index) else node
    base = state_base(name, world)
    if base is None or (base not in world.variables and base not in world.states.arrays):
        text = written(name) if isinstance(name, (syntax.Name, syntax.Qualified)) else scope.text(name.span)
        hint = "a label is computed, not assigned" if base is not None else scope.similar(text, state_names(world))
        raise IllTyped("E203", name.span, f"`{text}` is not a variable of world {world.name}", hint)
    if not isinstance(node, syntax.Index):
        if base in world.states.arrays:
            raise IllTyped("E218", node.span, f"`{base}` is an array; its elements are assigned one by one", f"write `{base}[...]' = ...`")
        return _Place(base, None, (), (arrays.Target(base, None, {}),))
    known = array_of(base, world.states.arrays, node.base)
    if next(iter(known.elements.values())) in world.labels:
        raise IllTyped("E203", name.span, f"`{base}` is not a variable of world {world.name}", "a label is computed, not assigned")
    indices = element_indices(node, known, context)
    if indices is None:
        return None
    targets = arrays.targets(known, indices, node.span)
    if not targets:
        where = " for some members of the family" if in_loop(node, context) else ""
        hint = f"guard the action, as in `when i < n`; {arrays.described(known)}" if where else arrays.described(known)
        raise IllTyped("E306", node.span, f"`{scope.text(node.span)}` does not exist{where}", hint)
    return _Place(base, known, tuple(indices), tuple(targets))


def _type(place: _Place, context: Context) -> Type | None:
    """What all the possible targets can hold, their ranges joined."""
    joined: Type | None = None
    for target in place.targets:
        type = None if context.world is None else context.world.variables[target.name]
        joined = type if joined is None or type is None else operators.joined(joined, type)
        if joined is None:
            return None
    return joined


def _clashes(place: _Place, before: Sequence[_Place], node: syntax.Assignment, context: Context) -> bool:
    names = {target.name for target in place.targets}
    for other in before:
        if other.base != place.base or names.isdisjoint(target.name for target in other.targets):
            continue
        text = context.scope.text(node.target.span)
        if len(place.targets) == 1 == len(other.targets) and place.targets[0].condition is None is other.targets[0].condition:
            context.scope.error("E321", node.target.span, f"`{text}` is assigned twice in one outcome")
            return True
        if not arrays.apart(place.indices, other.indices):
            message = f"`{text}` may be an element of `{place.base}` that this outcome has already assigned"
            hint = "two indices are known to differ if they differ by a constant, as `x` and `x + 1` do"
            context.scope.error("E321", node.target.span, message, hint)
            return True
    return False


def _enter(place: _Place, value: spec.Expr, node: syntax.Assignment, context: Context, done: dict[str, spec.Assignment]) -> None:
    """One assignment for each possible target: conditional, unless the indices are constants."""
    scope, world = context.scope, context.world
    types = [] if world is None else [world.variables[target.name] for target in place.targets]
    if isinstance(value, spec.Const) and all(type is not None and not contains(type, value.value) for type in types):
        name = place.targets[0].name if len(types) == 1 else scope.text(node.target.span)
        scope.error("E301", node.span, f"`{name}` would become {show(value.value)}, outside its range {types[0]}")
    for target, type in zip(place.targets, types, strict=True):
        if type is None:
            continue
        if target.condition is None:
            done[target.name] = spec.Assignment(target.name, value, node.span)
            continue
        try:
            scope.charge(scope.measure(target.condition)[0], node.target.span)
            written = _written(value, target, node, context)
        except IllTyped as broken:
            scope.refuse(broken)
            return
        kept = done[target.name].value if target.name in done else spec.Var(target.name, type, False, node.target.span)
        chosen = spec.If(target.condition, written, kept, operators.joined(written.type, kept.type) or type, node.span)
        done[target.name] = spec.Assignment(target.name, chosen, node.span)


def _written(value: spec.Expr, target: arrays.Target, node: syntax.Assignment, context: Context) -> spec.Expr:
    """`busy[x]' = not busy[x]`: where x is 2, this is `not busy[2]`."""
    try:
        return expanded(value, target.given, context.scope, node.target.span)
    except IllTyped as broken:
        if broken.code == "E215":
            raise
        return value  # what has no value for some index is an error only in a state that has this index


def contains(type: Type, value: Value) -> bool:
    match type:
        case Int(low=low, high=high):
            return (low is None or low <= value) and (high is None or value <= high)
        case _:
            return True


def value_of(node: syntax.Expr, context: Context, name: str, type: Type | None) -> spec.Expr | None:
    """A value that a variable of this type can take, ranges aside; None: not known, or the type is not."""
    expr = check(node, context)
    if expr is None or type is None:
        return None
    if operators.fits(expr.type, type):
        return expr
    if isinstance(expr, spec.Const) and isinstance(expr.value, Fraction) and expr.value.denominator == 1 and isinstance(type, Int):
        return constant(expr.value.numerator, node.span)
    hint = "round it: `div`, `floor` or `ceil`" if isinstance(type, Int) and isinstance(expr.type, Rational) else None
    message = f"`{name}` holds {operators.described(type)}, but this is {operators.described(expr.type)}"
    context.scope.error("E206", node.span, message, hint)
    return None
