"""A name in an expression over one state -> what it stands for; or why it stands for nothing here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field, replace

from dsl import arrays, spec, syntax
from dsl.arrays import Array
from dsl.operators import IllTyped, constant
from dsl.record import dataclass
from dsl.scope import Scope, WorldNames
from dsl.source import Span

_BOOLEANS = frozenset({"True", "False", "TRUE", "FALSE"})


@dataclass(frozen=True, slots=True)
class Context:
    """Where an expression stands: which names it sees besides those at the top level."""

    scope: Scope
    world: WorldNames | None = None
    local: Mapping[str, spec.Expr] = field(default_factory=dict)
    primes: bool = False


def check_name(node: syntax.Name, context: Context) -> spec.Expr | None:
    scope, text, span = context.scope, node.name, node.span
    if text in context.local:
        return replace(context.local[text], span=span)
    base = state_base(node, context.world)
    if base is not None and context.world is not None:
        return meaning(base, context, span)
    if text in scope.constants:
        value = scope.constants[text]
        if isinstance(value, spec.Grid):
            raise IllTyped("E209", span, f"`{text}` is a grid", f"look up one character: `{text}[x, y]`")
        return None if value is None else replace(value, span=span)
    if text in scope.members:
        owners = scope.members[text]
        if len(owners) > 1:
            raise IllTyped("E209", span, f"`{text}` is a member of {len(owners)} enums", f"write `{owners[0][0].name}::{text}`")
        return constant(owners[0][1], span, owners[0][0])
    if text in scope.refused:
        return None
    raise unknown(node, context)


def check_qualified(node: syntax.Qualified, context: Context) -> spec.Expr | None:
    """``Dir::N``, a member of an enum, or ``a::pos``, a variable or label of a component."""
    scope = context.scope
    first, last = node.parts[0].name, node.parts[-1].name
    if len(node.parts) == 2 and first in scope.enums:
        type = scope.enums[first]
        if last in type.members:
            return constant(type.members.index(last), node.span, type)
        raise IllTyped("E201", node.parts[-1].span, f"`{last}` is not a member of enum {first}", scope.similar(last, type.members))
    base = state_base(node, context.world)
    if base is None:
        raise unknown_part(node, context)
    return meaning(base, context, node.span)


def meaning(name: str, context: Context, span: Span) -> spec.Expr | None:
    """A variable or label of the world by its full name."""
    world, scope = context.world, context.scope
    if world is None:
        raise ValueError(f"{name} outside a world")
    if name in world.states.arrays:
        known = world.states.arrays[name]
        raise IllTyped("E218", span, f"`{name}` is an array; one element has a value here", arrays.described(known))
    if name in world.variables:
        type = world.variables[name]
        return None if type is None else spec.Var(name, type, False, span)
    label = world.labels[name]
    if label is None:
        return None
    scope.charge(scope.measure(label)[0], span)
    return label


# ---------------------------------------------------------------- references


def written(node: syntax.Name | syntax.Qualified) -> str:
    """A name as worlds know it: ``pos``, ``a::pos``."""
    return node.name if isinstance(node, syntax.Name) else "::".join(part.name for part in node.parts)


def state_base(node: syntax.Expr, world: WorldNames | None) -> str | None:
    """The full name of a variable or label, or of an array of them; None: the world has none."""
    if world is None or not isinstance(node, (syntax.Name, syntax.Qualified)):
        return None
    text = written(node)
    found = (text,) if text in world.variables or text in world.labels else world.states.bases(text, ())
    return _one(found, text, node.span)


def base_of(node: syntax.Name | syntax.Qualified, world: WorldNames, kind: str) -> str | None:
    """The full name of an action or a reward (``kind``), or of an array of them."""
    text = written(node)
    names, directory = (world.actions, world.commands) if kind == "action" else (world.rewards, world.incomes)
    return _one(directory.bases(text, names), text, node.span)


def _one(found: tuple[str, ...], text: str, span: Span) -> str | None:
    if len(found) > 1:
        shown = " or ".join(f"`{name}`" for name in found[:4])
        raise IllTyped("E217", span, f"{len(found)} components have a `{text}`", f"write {shown}")
    return found[0] if found else None


def array_of(base: str, known: Mapping[str, Array], node: syntax.Expr) -> Array:
    if base not in known:
        raise IllTyped("E218", node.span, f"`{base}` is no array, so it has no elements")
    return known[base]


# ---------------------------------------------------------------- why a name means nothing


def unknown(node: syntax.Name, context: Context) -> IllTyped:
    scope, text, world = context.scope, node.name, context.world
    kind = scope.kind(text)
    if kind is not None:
        return IllTyped("E209", node.span, f"`{text}` is {kind}; it has no value here")
    if world is not None and (text in world.actions or text in world.rewards):
        return IllTyped("E209", node.span, f"`{text}` is {'an action' if text in world.actions else 'a reward'}; it has no value here")
    around = [*context.local, *scope.constants, *scope.members]
    boolean = f"write `{text.lower()}`" if text in _BOOLEANS and not node.quoted else None
    if world is not None:
        hint = boolean or scope.similar(text, [*state_names(world), *around])
        return IllTyped("E203", node.span, f"`{text}` is not a variable of world {world.name}", hint)
    if text in scope.state_names:
        return IllTyped("E207", node.span, f"`{text}` depends on the state of world {scope.state_names[text]}; a constant is needed here")
    return IllTyped("E201", node.span, f"`{text}` is not declared", boolean or scope.similar(text, around))


def unknown_part(node: syntax.Qualified, context: Context) -> IllTyped:
    text, world = written(node), context.world
    if world is None:
        last = node.parts[-1].name
        if last in context.scope.state_names:
            return IllTyped("E207", node.span, f"`{text}` depends on the state of a world; a constant is needed here")
        return IllTyped("E201", node.span, f"`{text}` is not declared", context.scope.similar(text, context.scope.enums))
    hint = context.scope.similar(text, state_names(world))
    return IllTyped("E203", node.span, f"`{text}` is not a variable of world {world.name}", hint)


def state_names(world: WorldNames) -> Sequence[str]:
    """All that can be written for variables and labels, elements of arrays left out."""
    elements = {name for known in world.states.arrays.values() for name in known.elements.values()}
    return [*(name for name in (*world.variables, *world.labels) if name not in elements), *world.states.arrays, *world.states.short]
