"""A name in an expression over one state -> what it stands for; or why it stands for nothing here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace

from dsl import spec, syntax
from dsl.operators import IllTyped, constant
from dsl.record import dataclass
from dsl.scope import Scope, WorldNames

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
    if context.world is not None and text in context.world.variables:
        type = context.world.variables[text]
        return None if type is None else spec.Var(text, type, False, span)
    if context.world is not None and text in context.world.labels:
        meaning = context.world.labels[text]
        if meaning is None:
            return None
        scope.charge(scope.measure(meaning)[0], span)
        return meaning
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
        hint = boolean or scope.similar(text, [*world.variables, *world.labels, *around])
        return IllTyped("E203", node.span, f"`{text}` is not a variable of world {world.name}", hint)
    if text in scope.state_names:
        return IllTyped("E207", node.span, f"`{text}` depends on the state of world {scope.state_names[text]}; a constant is needed here")
    return IllTyped("E201", node.span, f"`{text}` is not declared", boolean or scope.similar(text, around))


def check_qualified(node: syntax.Qualified, scope: Scope) -> spec.Expr:
    """``Dir::N``: a member of an enum."""
    first, last = node.parts[0].name, node.parts[-1].name
    if len(node.parts) == 2 and first in scope.enums:
        type = scope.enums[first]
        if last in type.members:
            return constant(type.members.index(last), node.span, type)
        raise IllTyped("E201", node.parts[-1].span, f"`{last}` is not a member of enum {first}", scope.similar(last, type.members))
    raise IllTyped("E290", node.span, "a variable of one component of a world is not supported yet")
