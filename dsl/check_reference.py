"""A reference to actions, rewards or observed variables of a world -> their full names, or a diagnostic.

Where all elements of an array make sense (a reward for any of its actions, what a policy observes), its bare name means them all.
"""

from __future__ import annotations

from collections.abc import Iterable

from dsl import syntax
from dsl.check_expression import element_indices
from dsl.check_name import Context, array_of, base_of, state_base, state_names, written
from dsl.operators import IllTyped
from dsl.scope import Scope, WorldNames
from dsl.spec import Const


def actions_named(node: syntax.Reference, context: Context) -> tuple[str, ...]:
    """One action, or all elements of an array of actions; empty after a diagnostic."""
    return _checked(node, "action", context)


def action_name(node: syntax.Reference, world: WorldNames | None, scope: Scope) -> str | None:
    """The one action that a reference means."""
    return _single(node, _checked(node, "action", Context(scope, world)), "action", world, scope)


def reward_name(node: syntax.Reference, world: WorldNames, scope: Scope) -> str | None:
    """The one reward that a reference means."""
    return _single(node, _checked(node, "reward", Context(scope, world)), "reward", world, scope)


def variables_named(node: syntax.Reference, world: WorldNames, scope: Scope) -> tuple[str, ...]:
    """One variable, or all elements of an array of variables."""
    return _checked(node, "variable", Context(scope, world))


def _single(node: syntax.Reference, found: tuple[str, ...], kind: str, world: WorldNames | None, scope: Scope) -> str | None:
    arrays = {} if world is None else (world.commands if kind == "action" else world.incomes).arrays
    whole = not isinstance(node, syntax.Index) and any(found[0] in known.elements.values() for known in arrays.values() if found)
    if whole:
        message = f"`{scope.text(node.span)}` is an array of {kind}s; one of them is needed here"
        scope.error("E218", node.span, message, f"write `{found[0]}`")
        return None
    return found[0] if found else None


def _checked(node: syntax.Reference, kind: str, context: Context) -> tuple[str, ...]:
    if context.world is None:
        return ()
    try:
        return _named(node, kind, context.world, context)
    except IllTyped as broken:
        context.scope.refuse(broken)
        return ()


def _named(node: syntax.Reference, kind: str, world: WorldNames, context: Context) -> tuple[str, ...]:
    name = node.base if isinstance(node, syntax.Index) else node
    if not isinstance(name, (syntax.Name, syntax.Qualified)):
        raise IllTyped("E209", name.span, f"the name of {'an' if kind == 'action' else 'a'} {kind} is needed here")
    text = written(name)
    if kind == "action" and not isinstance(node, syntax.Index) and world.has_action(text):
        return (text,)
    base = state_base(name, world) if kind == "variable" else base_of(name, world, kind)
    directory = {"variable": world.states, "action": world.commands, "reward": world.incomes}[kind]
    if base is None or (kind == "variable" and (base in world.labels or _of_labels(base, world))):
        raise _unknown(name, kind, world, context.scope)
    if not isinstance(node, syntax.Index):
        return tuple(directory.arrays[base].elements.values()) if base in directory.arrays else (base,)
    known = array_of(base, directory.arrays, node.base)
    indices = element_indices(node, known, context)
    if indices is None:
        return ()
    for index in indices:
        if not isinstance(index, Const):
            raise IllTyped("E207", index.span, f"an index of an array of {kind}s must be a constant here")
    found = known.elements.get(tuple(int(index.value) for index in indices if isinstance(index, Const)))
    if found is None:
        raise IllTyped("E306", node.span, f"`{context.scope.text(node.span)}` does not exist for some members of the family")
    return (found,)


def _of_labels(base: str, world: WorldNames) -> bool:
    known = world.states.arrays.get(base)
    return known is not None and next(iter(known.elements.values())) in world.labels


def _unknown(node: syntax.Name | syntax.Qualified, kind: str, world: WorldNames, scope: Scope) -> IllTyped:
    text = written(node)
    if kind == "variable":
        return IllTyped("E203", node.span, f"`{text}` is not a variable of world {world.name}", scope.similar(text, state_names(world)))
    names, directory = (world.actions, world.commands) if kind == "action" else (world.rewards, world.incomes)
    around: Iterable[str] = [*sorted(names), *directory.arrays, *directory.short]
    return IllTyped("E212", node.span, f"world {world.name} has no {kind} `{text}`", scope.similar(text, around))
