"""The items of a world -> the items with its families written out: each member has its name, and knows what the loop names stand for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from dsl import arrays, operators, resolve, spec, syntax
from dsl.arrays import Directory, Index, element_name
from dsl.check_expression import MAX_RANGE, bindings, check, known
from dsl.check_name import Context
from dsl.check_type import type_of
from dsl.operators import IllTyped
from dsl.record import dataclass
from dsl.scope import Scope, WorldNames
from dsl.types import Enum, Int, Rational, Type

Named = syntax.Variable | syntax.Action | syntax.Label | syntax.Reward
Unnamed = syntax.InitOutcomes | syntax.InitUniform | syntax.Deadlock


@dataclass(frozen=True, slots=True)
class Member:
    """An item with a name: ``name`` is ``base`` with the values of its indices; ``local``: what parameters and loop names stand for."""

    item: Named
    base: str
    index: Index
    kinds: tuple[Enum | None, ...]
    name: str
    local: Mapping[str, spec.Expr]


@dataclass(frozen=True, slots=True)
class Outline:
    """A world before its expressions are looked at: members without those whose name was taken, the other items, all names."""

    members: tuple[Member, ...]
    others: tuple[Unnamed, ...]
    names: WorldNames
    local: Mapping[str, spec.Expr]


def outline_of(world: syntax.World, scope: Scope, local: Mapping[str, spec.Expr]) -> Outline | None:
    """``local``: the world's parameters.  None: its names are not known, and why has been said."""
    before = len(scope.diagnostics)
    found: list[Member] = []
    others: list[Unnamed] = []
    try:
        _collect(world.items, Context(scope, local=local), False, found, others, {})
    except IllTyped as broken:
        scope.refuse(broken)
    if len(scope.diagnostics) > before:
        return None
    members = _unique(found, world, scope)
    _want_free(world, members, scope)
    states = [m for m in members if isinstance(m.item, (syntax.Variable, syntax.Label))]
    variables = {m.name: _variable_type(m.item, scope, m) for m in states if isinstance(m.item, syntax.Variable)}
    labels: dict[str, spec.Expr | None] = {m.name: None for m in states if isinstance(m.item, syntax.Label)}
    actions = [m for m in members if isinstance(m.item, syntax.Action)]
    rewards = [m for m in members if isinstance(m.item, syntax.Reward)]
    names = WorldNames(
        world.name.name,
        variables,
        labels,
        frozenset(m.name for m in actions),
        frozenset(m.name for m in rewards),
        states=_directory(states, scope),
        commands=_directory(actions, scope),
        incomes=_directory(rewards, scope),
    )
    return Outline(tuple(members), tuple(others), names, local)


# ---------------------------------------------------------------- members


def _collect(
    items: Iterable[syntax.WorldItem],
    context: Context,
    looped: bool,
    found: list[Member],
    others: list[Unnamed],
    sizes: dict[int, int],
) -> None:
    """``sizes``: of the syntax of items that have been met in a family."""
    scope = context.scope
    for item in items:
        if isinstance(item, syntax.Family):
            _want_names(item, context)
            for local in bindings(item.binders, context, "this family") or ():
                scope.write(10, item.span)
                _collect(item.items, Context(scope, local=local), True, found, others, sizes)
        elif isinstance(item, (syntax.InitOutcomes, syntax.InitUniform, syntax.Deadlock)):
            if looped:
                word = "deadlock absorbs" if isinstance(item, syntax.Deadlock) else "init"
                raise IllTyped("E219", item.span, f"`{word}` is said once for the whole world, not in a family", "move it out of the `for`")
            others.append(item)
        else:
            if looped:
                sizes[id(item)] = sizes.get(id(item)) or _size(item)
                scope.write(sizes[id(item)], item.span)
            member = _member(item, context)
            if member is not None:
                found.append(member)
            if looped and len(found) > MAX_RANGE:
                raise IllTyped("E215", item.span, f"the families of this world have more than {MAX_RANGE} members")


def _size(item: Named) -> int:
    size, todo = 0, [item]
    while todo:
        size += 1
        todo.extend(resolve.parts(todo.pop()))
    return size


def _want_names(family: syntax.Family, context: Context) -> None:
    seen: set[str] = set()
    for name in (name for binder in family.binders for name in binder.names):
        if name.name in seen or name.name in context.local:
            raise IllTyped("E202", name.span, f"`{name.name}` is already the name of a loop or a parameter here", "choose another name")
        seen.add(name.name)


def _member(item: Named, context: Context) -> Member | None:
    values: list[int] = []
    kinds: list[Enum | None] = []
    for node in item.indices:
        expr = check(node, context)
        value = None if expr is None else known(expr, context.scope, f"an index of `{item.name.name}`")
        if expr is None or value is None:
            return None
        if not isinstance(expr.type, (Int, Enum)):
            hint = "an index is an integer or a member of an enum"
            raise IllTyped("E206", node.span, f"an index of `{item.name.name}` is {operators.described(expr.type)}", hint)
        values.append(int(value))
        kinds.append(arrays.kind(expr.type))
    name = element_name(item.name.name, tuple(values), kinds)
    return Member(item, item.name.name, tuple(values), tuple(kinds), name, context.local)


def _unique(found: Sequence[Member], world: syntax.World, scope: Scope) -> list[Member]:
    """Members without those whose name is taken.  Actions may share a name; a reward without its own index adds up over a family."""
    kept: list[Member] = []
    first: dict[tuple[str, str], Member] = {}
    said: set[int] = set()
    for member in found:
        sort = {syntax.Action: "action", syntax.Reward: "reward"}.get(type(member.item), "state")
        earlier = first.setdefault((sort, member.name), member)
        adds = isinstance(member.item, syntax.Reward) and earlier.item is member.item
        if earlier is member or isinstance(member.item, syntax.Action) or adds:
            kept.append(member)
        elif id(member.item) in said:
            continue
        elif earlier.item is member.item:
            said.add(id(member.item))
            hint = f"the loop's names belong in brackets after its name: `{member.base}[...]`"
            scope.error("E202", member.item.name.span, f"this family declares `{member.name}` more than once", hint)
        else:
            said.add(id(member.item))
            where = resolve.place(earlier.item.name.span)
            message = f"`{member.name}` is declared twice in world {world.name.name}"
            scope.error("E202", member.item.name.span, message, f"first at {where}")
    return kept


def _want_free(world: syntax.World, members: Sequence[Member], scope: Scope) -> None:
    """Parameters and loop names are not names of variables or labels, which they would hide."""
    states = {m.base: m for m in members if isinstance(m.item, (syntax.Variable, syntax.Label))}
    bound = [parameter.name for parameter in world.parameters]
    todo: list[syntax.WorldItem] = list(world.items)
    while todo:
        item = todo.pop()
        if isinstance(item, syntax.Family):
            bound.extend(name for binder in item.binders for name in binder.names)
            todo.extend(item.items)
    for name in bound:
        if name.name in states:
            what = "variable" if isinstance(states[name.name].item, syntax.Variable) else "label"
            scope.error("E202", name.span, f"`{name.name}` is also a {what} of world {world.name.name}", "choose another name")


def _directory(members: Sequence[Member], scope: Scope) -> Directory:
    """The arrays among the members; their elements agree in the number and kinds of indices."""
    elements: dict[str, dict[Index, str]] = {}
    first: dict[str, Member] = {}
    for member in members:
        model = first.setdefault(member.base, member)
        if type(model.item) is not type(member.item) or model.kinds != member.kinds:
            where = resolve.place(model.item.name.span)
            message = f"`{member.name}` and `{model.name}` have indices of different number or kind"
            if type(model.item) is not type(member.item):
                message = f"`{member.base}` is both a variable and a label"
            scope.error("E218", member.item.name.span, message, f"the other is at {where}")
        elif member.index:
            elements.setdefault(member.base, {})[member.index] = member.name
    for base, several in elements.items():
        _want_several(first[base], several, scope)
    return Directory({base: arrays.array(base, several, first[base].kinds) for base, several in elements.items()}, {})


def _want_several(member: Member, elements: Mapping[Index, str], scope: Scope) -> None:
    """``var slot[3]`` declares the one element ``slot[3]``; whoever writes it means three."""
    item = member.item
    if not isinstance(item, syntax.Variable) or len(elements) > 1 or member.local or member.kinds[0] is not None:
        return
    last = max(member.index[0] - 1, 0)
    hint = f"for all from 0 to {last}: `for i in 0..{last} {{ var {member.base}[i] : ... }}`"
    scope.error("E218", item.name.span, f"this declares the one variable `{member.name}`, not an array", hint)


def _variable_type(variable: syntax.Variable, scope: Scope, member: Member) -> Type | None:
    type = type_of(variable.type, scope, member.local)
    if isinstance(type, Rational) or (isinstance(type, Int) and type.low is None):
        hint = "give a range: `0..10`" if isinstance(type, Int) else "count in small units: an integer range"
        scope.error("E328", variable.type.span, f"variable `{member.name}` has infinitely many values", hint)
        return None
    return type
