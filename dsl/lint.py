"""A spec that is correct -> warnings about what it probably does not mean: unused names, premises that never hold, hidden names.

Only what the text shows; that no policy can violate a property is found while proving (W910).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from dsl import spec, syntax
from dsl.diagnostic import Diagnostic
from dsl.resolve import names_used, parts, written_items
from dsl.scope import described

Checked = syntax.Const | syntax.Def | syntax.EnumType | syntax.Score | syntax.Property | syntax.Policy


def lint(file: syntax.File, typed: spec.Spec) -> tuple[Diagnostic, ...]:
    """The warnings in the order of the text.  A file without any statement is taken as one that others import."""
    found = [*_vacuous(file, typed), *_hidden(file)]
    if typed.statements and any(isinstance(d, (syntax.Claim, syntax.Theorem, syntax.Find, syntax.Assume)) for d in file.declarations):
        found += _unused(file)
    return tuple(sorted(found, key=lambda d: (d.span.line, d.span.column, d.code)))


# ---------------------------------------------------------------- unused


def _unused(file: syntax.File) -> Iterator[Diagnostic]:
    used: set[str] = set()
    for declaration in file.declarations:
        own = _declared(declaration)
        used.update(name.name for name in names_used(declaration) if all(name is not mine for mine in own))
    for declaration in file.declarations:
        if isinstance(declaration, Checked) and declaration.name.name not in used:
            if isinstance(declaration, syntax.EnumType) and any(member.name in used for member in declaration.members):
                continue
            what = described(declaration).split(" ", 1)[1]
            yield Diagnostic("W901", declaration.name.span, f"{what} `{declaration.name.name}` is not used")
        if isinstance(declaration, (syntax.World, syntax.WorldComposition)):
            yield from _unused_in(declaration, used)


def _unused_in(world: syntax.World | syntax.WorldComposition, used: set[str]) -> Iterator[Diagnostic]:
    if world.parameters and world.name.name not in used:
        yield Diagnostic("W901", world.name.span, f"world {world.name.name} has parameters and is nowhere given any, so it is not checked")
    elif isinstance(world, syntax.World):
        for item in written_items(world.items):
            if isinstance(item, (syntax.Variable, syntax.Label, syntax.Reward)) and item.name.name not in used:
                what = type(item).__name__.lower()
                yield Diagnostic("W901", item.name.span, f"{what} `{item.name.name}` of world {world.name.name} is not used")


def _declared(declaration: syntax.Declaration) -> list[syntax.Name]:
    """The names that a declaration introduces: standing there is no use of them.  An assignment to a variable is none either."""
    match declaration:
        case syntax.Import():
            return []
        case syntax.World(name=name, items=items):
            written = list(written_items(items))
            own = [item.name for item in written if isinstance(item, (syntax.Variable, syntax.Label, syntax.Reward, syntax.Action))]
            return [name, *own, *_targets(written)]
        case syntax.EnumType(name=name, members=members):
            return [name, *members]
        case _:
            return [declaration.name]


def _targets(items: Iterable[syntax.WorldItem]) -> Iterator[syntax.Name]:
    for item in items:
        if isinstance(item, (syntax.Action, syntax.InitOutcomes)):
            for outcome in item.outcomes:
                for assignment in outcome.assignments:
                    target = assignment.target.base if isinstance(assignment.target, syntax.Index) else assignment.target
                    if isinstance(target, syntax.Name):
                        yield target


# ---------------------------------------------------------------- vacuous


def _vacuous(file: syntax.File, typed: spec.Spec) -> Iterator[Diagnostic]:
    zeros = {d.name.name for d in file.declarations if isinstance(d, syntax.Const) and _is_zero(d.value, frozenset())}
    for declaration in file.declarations:
        if not isinstance(declaration, (syntax.Claim, syntax.Theorem, syntax.Find, syntax.Assume, syntax.Property)):
            continue
        for node in _below(declaration.body):
            if isinstance(node, syntax.Binary) and node.op == "=>":
                reason = _never(node.left, frozenset(zeros))
                if reason is not None:
                    message = "the premise holds for no policy, so the implication says nothing"
                    yield Diagnostic("W902", node.left.span, message, reason)
    for statement in typed.statements:
        if isinstance(statement, spec.Find) or not isinstance(statement.body, spec.Quantified):
            continue
        if statement.span.file == file.span.file and statement.body.body == spec.Truth(True):
            yield Diagnostic("W902", statement.span, "this statement mentions no policy that could violate it")


def _never(premise: syntax.Expr, zeros: frozenset[str]) -> str | None:
    match premise:
        case syntax.Boolean(value=False):
            return "it is `false`"
        case syntax.Call(function=syntax.Name(name="near_optimal"), args=(_, _, eps)) if _is_zero(eps, zeros):
            return "no distance is less than 0"
        case syntax.Chain(operators=("and", *_), operands=operands):
            return next((reason for operand in operands if (reason := _never(operand, zeros)) is not None), None)
    return None


def _is_zero(node: Any, zeros: frozenset[str]) -> bool:
    match node:
        case syntax.Number(value=value):
            return value == 0
        case syntax.Name(name=name):
            return name in zeros
        case syntax.Chain(operators=(("/" | "*"), *_), operands=(first, *_)):
            return _is_zero(first, zeros)
    return False


def _below(node: Any) -> Iterator[Any]:
    todo = [node]
    while todo:
        current = todo.pop()
        yield current
        todo.extend(reversed(list(parts(current))))


# ---------------------------------------------------------------- hidden


def _hidden(file: syntax.File) -> Iterator[Diagnostic]:
    top: dict[str, str] = {}
    for declaration in file.declarations:
        if not isinstance(declaration, syntax.Import):
            top[declaration.name.name] = described(declaration)
        if isinstance(declaration, syntax.EnumType):
            top.update((member.name, f"a member of enum {declaration.name.name}") for member in declaration.members)
    for declaration in file.declarations:
        for name, what in _inner(declaration):
            hidden = top.get(name.name, "")
            if hidden.startswith(("a constant", "a grid", "a function", "a member")):
                yield Diagnostic("W903", name.span, f"{what} `{name.name}` hides {hidden} of that name")


def _inner(declaration: syntax.Declaration) -> Iterator[tuple[syntax.Name, str]]:
    match declaration:
        case syntax.World(items=items, parameters=parameters):
            for item in written_items(items):
                if isinstance(item, (syntax.Variable, syntax.Label)):
                    yield item.name, type(item).__name__.lower()
            for parameter in parameters:
                yield parameter.name, "parameter"
        case syntax.Def(parameters=parameters) | syntax.WorldComposition(parameters=parameters):
            for parameter in parameters:
                yield parameter.name, "parameter"
        case _:
            pass
    for node in _below(declaration):
        if isinstance(node, (syntax.Quantifier, syntax.Family)):
            for binder in node.binders:
                if binder.relation == "in":
                    for name in binder.names:
                        yield name, "bound name"
