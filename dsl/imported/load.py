"""``world W = prism "f.prism" { N = 3 }`` -> a typed world: the settings are evaluated, the importer of the format does the rest."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec

from dsl import check_expression, operators, spec, syntax
from dsl.check_name import Context
from dsl.diagnostic import SpecError
from dsl.imported.request import Request, Setting
from dsl.imports import LARGEST, world_path
from dsl.scope import Scope, WorldNames
from dsl.semantics import STEP

Importer = Callable[[Request], spec.World]  # raises SpecError with all that is wrong


def load(node: syntax.WorldImport, scope: Scope) -> spec.World | None:
    """None if something is wrong with the import (and was said)."""
    importer = _importer(node.format)
    if importer is None:
        scope.unsupported(node.span, f"a world imported from `{node.format}`")
        return None
    settings = _settings(node, scope)
    source = scope.sources.get(world_path(node)) if node.format in LARGEST else None
    if node.format in LARGEST and source is None:
        scope.error("E501", node.path.span, "a text that is no file has no directory to import from")
        return None
    if settings is None:
        return None
    try:
        return importer(Request(node.name.name, node.path.value, source, settings, node.span, node.path.span))
    except SpecError as error:
        scope.diagnostics.extend(error.diagnostics)
        return None


def names_of(world: spec.World) -> WorldNames:
    """What specs can call the parts of an imported world."""
    if world.table is not None:
        actions = frozenset(world.table.actions)
    elif world.chain:
        actions = frozenset({STEP})
    else:
        actions = frozenset(action.name for action in world.actions)
    together = frozenset(a.name for a in world.actions if isinstance(a, spec.Synchronised)) if world.numbered else frozenset[str]()
    return WorldNames(
        world.name,
        {variable.name: variable.type for variable in world.variables},
        {label.name: label.condition for label in world.labels},
        actions,
        frozenset(reward.name for reward in world.rewards),
        together,
    )


def _importer(format: str) -> Importer | None:
    name = f"dsl.imported.{format}"
    if find_spec(name) is None:
        return None
    importer: Importer = import_module(name).load
    return importer


def _settings(node: syntax.WorldImport, scope: Scope) -> dict[str, Setting] | None:
    settings: dict[str, Setting] = {}
    complete = True
    for setting in node.settings:
        name = setting.name.name
        if isinstance(setting.value, syntax.Text) and node.format == "gymnasium" and name not in settings:
            nothing = operators.constant(False, setting.value.span)
            settings[name] = Setting(name, nothing, setting.span, setting.value.value)
            continue
        expr = check_expression.check(setting.value, Context(scope))
        value = None if expr is None else check_expression.known(expr, scope, f"the value of `{name}`")
        if name in settings:
            scope.error("E522", setting.name.span, f"`{name}` is given twice")
            complete = False
        elif expr is None or value is None:
            complete = False
        else:
            constant = expr if isinstance(expr, spec.Const) else operators.constant(value, setting.value.span)
            settings[name] = Setting(name, constant, setting.span)
    return settings if complete else None
