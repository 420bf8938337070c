"""The syntax tree of a spec and of what it imports -> the typed Spec, or every diagnostic of this stage at once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import assert_never

from dsl import check_expression, operators, spec, syntax
from dsl.check_claim import check_premises, check_statement
from dsl.check_expression import known
from dsl.check_name import Context
from dsl.check_policy import check_policy, check_policy_function, check_policy_type, declared_score
from dsl.check_training import check_training
from dsl.check_type import type_of
from dsl.check_world import typed_world
from dsl.diagnostic import SpecError
from dsl.imports import load_files
from dsl.operators import PARAMETER
from dsl.resolve import declare, in_order, written_items
from dsl.scope import MAX_DIAGNOSTICS, Function, Scope
from dsl.source import Source
from dsl.types import Int, Type


def load(path: Path) -> tuple[spec.Spec, dict[str, Source]]:
    """Read, parse and check a spec with everything it imports; SpecError with all that the failing stage found."""
    files, sources = load_files(path)
    return check_files(files, sources), sources


def check_files(files: Sequence[syntax.File], sources: dict[str, Source]) -> spec.Spec:
    """The files in the order of their imports (the root last) as one spec."""
    scope = Scope(sources)
    kept = declare([declaration for file in files for declaration in file.declarations], scope)
    _poison(kept, scope)
    ordered = in_order(kept, scope)
    for node in ordered:
        if isinstance(node, syntax.Const):
            scope.constants[node.name.name] = _constant(node, scope)
        elif isinstance(node, syntax.Def):
            scope.functions[node.name.name] = _function(node, scope)
    _worlds(kept, scope)
    for declaration in kept:
        if isinstance(declaration, syntax.PolicyType):
            scope.policy_types[declaration.name.name] = check_policy_type(declaration, scope)
    _policy_names(kept, scope)
    policies: dict[str, spec.Policy | None] = {}
    for node in ordered:
        match node:
            case syntax.Score(name=name):
                scope.scores[name.name] = check_policy_function(node, scope)
            case syntax.Property(name=name):
                scope.properties[name.name] = check_policy_function(node, scope)
            case syntax.Policy(name=name):
                policies[name.name] = check_policy(node, scope)
            case syntax.Const() | syntax.Def():
                pass
            case _:
                assert_never(node)
    trainings = [check_training(d, scope) for d in kept if isinstance(d, syntax.Training)]
    claims = [d for d in kept if isinstance(d, (syntax.Claim, syntax.Theorem, syntax.Find, syntax.Assume))]
    statements = [check_statement(claim, scope) for claim in claims]
    check_premises(claims, scope)
    if scope.diagnostics:
        distinct = SpecError(dict.fromkeys(scope.diagnostics)).diagnostics  # a name that is used twice in one place is reported once
        raise SpecError(distinct[:MAX_DIAGNOSTICS])
    scores = [(d.name.name, _score(d, scope)) for d in kept if isinstance(d, syntax.Score)]
    return spec.Spec(
        worlds=tuple(world for world in scope.worlds.values() if world is not None),
        policy_types=tuple(type for type in scope.policy_types.values() if type is not None),
        policies=tuple(p for d in kept if isinstance(d, syntax.Policy) and (p := policies[d.name.name]) is not None),
        trainings=tuple(training for training in trainings if training is not None),
        statements=tuple(statement for statement in statements if statement is not None),
        scores=tuple((name, best) for name, best in scores if best is not None),
    )


def check(file: syntax.File, source: Source) -> spec.Spec:
    """One file that imports nothing."""
    return check_files([file], {source.name: source})


# ---------------------------------------------------------------- the layers


def _poison(kept: Sequence[syntax.Declaration], scope: Scope) -> None:
    """Every name is known as what it is declared to be, before it is known what it means."""
    for declaration in kept:
        match declaration:
            case syntax.Const(name=name):
                scope.constants[name.name] = None
            case syntax.Def(name=name):
                scope.functions[name.name] = None
            case syntax.Score(name=name):
                scope.scores[name.name] = None
            case syntax.Property(name=name):
                scope.properties[name.name] = None
            case syntax.Policy(name=name):
                scope.policies[name.name] = None
            case syntax.Training(name=name):
                scope.trainings[name.name] = None
            case syntax.PolicyType(name=name):
                scope.policy_types[name.name] = None
            case syntax.World(name=name, items=items):
                scope.world_names[name.name] = None
                states = (item for item in written_items(items) if isinstance(item, (syntax.Variable, syntax.Label)))
                scope.state_names.update((item.name.name, name.name) for item in states)
            case syntax.WorldComposition(name=name) | syntax.WorldImport(name=name):
                scope.world_names[name.name] = None
            case syntax.Param(name=name, span=span):
                scope.constants[name.name] = None
                scope.unsupported(span, "`param`")
            case syntax.Distribution(span=span):
                scope.unsupported(span, "`distribution`", "E490")
            case _:
                pass


def _constant(node: syntax.Const, scope: Scope) -> spec.Const | spec.Grid | None:
    if isinstance(node.value, syntax.GridLiteral):
        if node.type is not None:
            scope.error("E206", node.type.span, "a grid has no type of its own", "leave the type out")
        return _grid(node, node.value, scope)
    type = None if node.type is None else type_of(node.type, scope)
    expr = check_expression.check(node.value, Context(scope))
    value = None if expr is None else known(expr, scope, f"constant `{node.name.name}`")
    if expr is None or value is None or (node.type is not None and type is None):
        return None
    folded = expr if isinstance(expr, spec.Const) else operators.constant(value, expr.span)
    if type is None:
        return folded
    whole = isinstance(type, Int) and not isinstance(value, bool) and value == int(value)
    if not operators.fits(folded.type, type) and not whole:
        message = f"`{node.name.name}` is declared as {operators.described(type)}, but this is {operators.described(folded.type)}"
        scope.error("E206", node.value.span, message)
        return None
    if isinstance(type, Int):
        if (type.low is not None and value < type.low) or (type.high is not None and value > type.high):
            scope.error("E216", node.value.span, f"this is outside the declared range {type}")
            return None
        return operators.constant(int(value), node.value.span)
    converted = operators.converted(folded, type)
    return converted if isinstance(converted, spec.Const) else None


def _grid(node: syntax.Const, literal: syntax.GridLiteral, scope: Scope) -> spec.Grid | None:
    rows = tuple(tuple(ord(character) for character in row) for row in literal.rows)
    if not rows or not rows[0]:
        scope.error("E213", literal.span, f"grid `{node.name.name}` is empty")
        return None
    for number, row in enumerate(rows):
        if len(row) != len(rows[0]):
            message = f"row {number} of grid `{node.name.name}` has {len(row)} columns, row 0 has {len(rows[0])}"
            scope.error("E213", literal.span, message, "all rows are equally wide; write `.` for an empty cell at the end of a row")
            return None
    return spec.Grid(node.name.name, rows)


def _function(node: syntax.Def, scope: Scope) -> Function | None:
    parameters: list[tuple[str, Type]] = []
    local: dict[str, spec.Expr] = {}
    complete = True
    for parameter in node.parameters:
        name = parameter.name.name
        if name in local:
            scope.error("E202", parameter.name.span, f"parameter `{name}` is named twice")
            complete = False
            continue
        type = type_of(parameter.type, scope)
        if type is None:
            complete = False
            continue
        parameters.append((name, type))
        local[name] = spec.Var(PARAMETER + name, type, False, parameter.span)
    result = None if node.result is None else type_of(node.result, scope)
    body = check_expression.check(node.body, Context(scope, local=local)) if complete else None
    if body is None or (node.result is not None and result is None):
        return None
    if result is not None and not operators.fits(body.type, result):
        message = f"`{node.name.name}` is declared to be {operators.described(result)}, but its body is {operators.described(body.type)}"
        scope.error("E206", node.body.span, message)
        return None
    return Function(node.name.name, tuple(parameters), result, body)


def _worlds(kept: Sequence[syntax.Declaration], scope: Scope) -> None:
    for declaration in kept:
        match declaration:
            case syntax.World(name=name, parameters=()):
                found = typed_world(declaration, {}, scope)
                scope.worlds[name.name] = None if found is None else found[0]
            case syntax.World(name=name) | syntax.WorldComposition(name=name, parameters=(_, *_)):
                scope.templates.add(name.name)
            case syntax.WorldImport():
                _imported(declaration, scope)
            case _:
                pass
    if any(isinstance(declaration, syntax.WorldComposition) for declaration in kept):
        from dsl.check_composition import check_compositions  # most specs have none

        check_compositions(kept, scope)


def _imported(declaration: syntax.WorldImport, scope: Scope) -> None:
    from dsl.imported.load import load as load_world
    from dsl.imported.load import names_of

    world = load_world(declaration, scope)
    if world is not None:
        scope.worlds[world.name] = world
        scope.world_names[world.name] = names_of(world)


def _policy_names(kept: Sequence[syntax.Declaration], scope: Scope) -> None:
    """Named policies and trainings are known by their types before any formula is checked."""
    for declaration in kept:
        match declaration:
            case syntax.Policy(name=name, type=type):
                known_type = scope.policy_types.get(type.name)
                scope.policies[name.name] = None if known_type is None else known_type.name
            case syntax.Training(name=name, type=type):
                known_type = scope.policy_types.get(type.name)
                scope.trainings[name.name] = None if known_type is None else known_type.name
            case _:
                pass


def _score(node: syntax.Score, scope: Scope) -> spec.Optimum | None:
    function = scope.scores[node.name.name]
    return None if function is None else declared_score(function, node)

