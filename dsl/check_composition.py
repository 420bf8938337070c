"""Compositions and worlds with parameters -> typed worlds: parameters get their values, compositions their components."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dsl import operators, resolve, spec, syntax
from dsl.check_expression import check, known
from dsl.check_name import Context
from dsl.check_type import type_of
from dsl.check_world import Typed, typed_world
from dsl.compose import Component, composed
from dsl.operators import IllTyped
from dsl.scope import BUILT_IN_NAMES, Scope
from dsl.types import Int

MAX_PARTS = 10_000  # variables, commands, labels and rewards of a composed world


def check_compositions(kept: Sequence[syntax.Declaration], scope: Scope) -> None:
    """All other worlds are known already.  A world with parameters is checked where it is used, once for each choice of arguments."""
    compositions = {d.name.name: d for d in kept if isinstance(d, syntax.WorldComposition)}
    instances = _Instances(kept, scope)
    uses = {name: [i.world.name for i in node.instances if i.world.name in compositions] for name, node in compositions.items()}
    for cycle in resolve.components(uses):
        if len(cycle) > 1 or cycle[0] in uses[cycle[0]]:
            first = min((compositions[name] for name in cycle), key=lambda d: (d.span.file, d.span.line))
            scope.error("E204", first.name.span, f"world {first.name.name} is composed of itself: {', '.join(sorted(cycle)[:8])}")
            instances.broken.update(cycle)
        elif not compositions[cycle[0]].parameters:
            enter(cycle[0], instances.build(cycle[0], {}), scope)


def enter(name: str, found: Typed | None, scope: Scope) -> None:
    """A world under its name; if it has an error, claims about it may still be checked as far as its names are known."""
    scope.worlds[name] = None if found is None else found[0]
    if found is not None:
        scope.world_names[name] = found[1]


class _Instances:
    """Worlds by their names and arguments, each built once."""

    def __init__(self, kept: Sequence[syntax.Declaration], scope: Scope) -> None:
        self.declared = {d.name.name: d for d in kept if isinstance(d, (syntax.World, syntax.WorldComposition))}
        self.scope = scope
        self.broken: set[str] = set()
        self.built: dict[tuple[str, tuple[spec.Expr, ...]], Typed | None] = {}

    def build(self, name: str, local: Mapping[str, spec.Expr]) -> Typed | None:
        """A world with its arguments; without parameters it is taken from the scope where it is there."""
        key = (name, tuple(local.values()))
        if key not in self.built:
            node = self.declared[name]
            if isinstance(node, syntax.WorldComposition):
                self.built[key] = self._composition(node, local)
            else:
                self.built[key] = typed_world(node, local, self.scope) if node.parameters else self._known(name)
        return self.built[key]

    def _known(self, name: str) -> Typed | None:
        world, names = self.scope.worlds.get(name), self.scope.world_names[name]
        return None if world is None or names is None else (world, names)

    # ------------------------------------------------ composition

    def _composition(self, node: syntax.WorldComposition, local: Mapping[str, spec.Expr]) -> Typed | None:
        scope = self.scope
        components: list[Component] = []
        seen: dict[str, syntax.Instance] = {}
        complete = True
        for instance in node.instances:
            name = instance.world if instance.alias is None else instance.alias
            if not self._named(name, instance, seen):
                complete = False
                continue
            found = self._component(instance, local)
            if found is None:
                complete = False
                continue
            alias = None if len(node.instances) == 1 and instance.alias is None else name.name
            components.append(Component(alias, found[0], found[1], instance.span))
            if sum(_parts(component.world) for component in components) > MAX_PARTS:
                scope.error("E215", node.span, f"this composition has more than {MAX_PARTS} variables, actions, labels and rewards")
                return None
        if not complete:
            return None
        try:
            scope.charge(sum(_size(component.world, scope) for component in components), node.span)
            return composed(node.name.name, components, node.span)
        except IllTyped as broken:
            scope.refuse(broken)
            return None

    def _named(self, name: syntax.Name, instance: syntax.Instance, seen: dict[str, syntax.Instance]) -> bool:
        """Components have different names, which are no names of enums (``Dir::north`` is a member)."""
        scope = self.scope
        first = seen.setdefault(name.name, instance)
        if first is not instance:
            if instance.alias is None:
                hint = f"name the copies: `{scope.text(first.span)} as a || {scope.text(instance.span)} as b`"
                scope.error("E221", instance.span, f"world {name.name} is a component twice, under one name", hint)
            else:
                scope.error("E221", name.span, f"two components are called `{name.name}`", "choose another name after `as`")
            return False
        if name.name in scope.enums or (instance.alias is not None and name.name in BUILT_IN_NAMES):
            what = "an enum" if name.name in scope.enums else "a built-in name"
            scope.error("E202", name.span, f"`{name.name}` is also {what}", "choose another name for the component")
            return False
        return True

    def _component(self, instance: syntax.Instance, local: Mapping[str, spec.Expr]) -> Typed | None:
        scope, name = self.scope, instance.world.name
        if name not in scope.world_names:
            kind = scope.kind(name)
            if kind is not None:
                scope.error("E209", instance.world.span, f"`{name}` is {kind}, not a world")
            else:
                scope.error("E201", instance.world.span, f"`{name}` is not a world", scope.similar(name, scope.world_names))
            return None
        node = self.declared.get(name)
        if node is None:
            return self._imported(instance)
        if name in self.broken:
            return None
        arguments = self._arguments(instance, node, local)
        return None if arguments is None else self.build(name, arguments)

    def _imported(self, instance: syntax.Instance) -> Typed | None:
        """An imported world composes like any other if the name of an action says which command it is."""
        scope, name = self.scope, instance.world.name
        world, names = scope.worlds.get(name), scope.world_names[name]
        if instance.args:
            scope.error("E205", instance.span, f"world {name} has no parameters")
            return None
        if world is None or names is None:
            return None
        if world.table is not None or world.chain or any(map(_odd, world.actions)):
            what = (
                "it is a chain"
                if world.chain
                else "it is a table"
                if world.table is not None
                else "not all of its commands have a name of their own"
            )
            hint = "compose it in the language it comes from"
            scope.error("E221", instance.span, f"the imported world {name} cannot be a component: {what}", hint)
            return None
        return world, names

    # ------------------------------------------------ arguments

    def _arguments(
        self, instance: syntax.Instance, node: syntax.World | syntax.WorldComposition, local: Mapping[str, spec.Expr]
    ) -> dict[str, spec.Expr] | None:
        scope, name = self.scope, node.name.name
        if len(instance.args) != len(node.parameters):
            wanted = ", ".join(scope.text(p.span) for p in node.parameters)
            hint = f"it is declared `{name}({wanted})`" if node.parameters else "it has no parameters"
            code = "E220" if not instance.args else "E205"
            many = f"{len(node.parameters)} argument{'s' if len(node.parameters) != 1 else ''}"
            scope.error(code, instance.span, f"world {name} takes {many}, here are {len(instance.args)}", hint)
            return None
        given: dict[str, spec.Expr] = {}
        for parameter, arg in zip(node.parameters, instance.args, strict=True):
            if parameter.name.name in given:
                scope.error("E202", parameter.name.span, f"parameter `{parameter.name.name}` is named twice")
                return None
            value = self._argument(parameter, arg, given, local)
            if value is None:
                return None
            given[parameter.name.name] = value
        return given

    def _argument(
        self, parameter: syntax.Parameter, arg: syntax.Expr, given: Mapping[str, spec.Expr], local: Mapping[str, spec.Expr]
    ) -> spec.Expr | None:
        """A constant of the parameter's type, which may use the parameters before it."""
        scope, name = self.scope, parameter.name.name
        type = type_of(parameter.type, scope, given)
        expr = check(arg, Context(scope, local=local))
        value = None if expr is None else known(expr, scope, f"argument `{name}`")
        if type is None or expr is None or value is None:
            return None
        if not operators.fits(expr.type, type):
            message = f"parameter `{name}` is {operators.described(type)}, but this is {operators.described(expr.type)}"
            scope.error("E206", arg.span, message)
            return None
        if isinstance(type, Int) and ((type.low is not None and value < type.low) or (type.high is not None and value > type.high)):
            scope.error("E216", arg.span, f"this is outside the range {type} of parameter `{name}`")
            return None
        folded = expr if isinstance(expr, spec.Const) else operators.constant(value, arg.span)
        return operators.converted(folded, type)


def _odd(action: spec.Action | spec.Synchronised) -> bool:
    """Whether choices are called otherwise than the action."""
    several = isinstance(action, spec.Synchronised) and any(len(part) > 1 for part in action.parts)
    return several or action.label not in (None, action.name)


def _parts(world: spec.World) -> int:
    """Compositions of compositions can double with every line, so this is looked at before they are built."""
    return len(world.variables) + len(world.actions) + len(world.labels) + len(world.rewards)


def _size(world: spec.World, scope: Scope) -> int:
    """Nodes of all expressions."""
    commands = [c for a in world.actions for c in ((a,) if isinstance(a, spec.Action) else (c for part in a.parts for c in part))]
    outcomes = [o for c in commands for o in c.outcomes]
    exprs = [c.guard for c in commands] + [o.probability for o in outcomes] + [a.value for o in outcomes for a in o.assignments]
    exprs += [label.condition for label in world.labels]
    exprs += [e for reward in world.rewards for clause in reward.clauses for e in (clause.guard, clause.value)]
    return sum(scope.measure(expr)[0] for expr in exprs if expr is not None)
