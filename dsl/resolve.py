"""Declarations -> a table of names, and the order in which constants, functions, scores, properties and policies can be checked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import is_dataclass
from typing import Any

from dsl import syntax
from dsl.scope import BUILT_IN_NAMES, Scope, described
from dsl.source import Span
from dsl.types import Enum

Ordered = syntax.Const | syntax.Def | syntax.Score | syntax.Property | syntax.Policy

# ---------------------------------------------------------------- names


def declare(declarations: Iterable[syntax.Declaration], scope: Scope) -> list[syntax.Declaration]:
    """Enter every top-level name once; the declarations that keep their name."""
    kept: list[syntax.Declaration] = []
    for declaration in declarations:
        if isinstance(declaration, syntax.Import):
            continue
        if _enter(declaration.name, declaration, scope):
            kept.append(declaration)
    for declaration in kept:
        if isinstance(declaration, syntax.EnumType):
            _enter_members(declaration, scope)
    return kept


def _enter(name: syntax.Name, declaration: syntax.Declaration, scope: Scope) -> bool:
    if name.name in BUILT_IN_NAMES:
        scope.refused.add(name.name)
        scope.error("E202", name.span, f"`{name.name}` is a built-in name", "choose another name")
        return False
    first = scope.declarations.get(name.name)
    if first is not None and not isinstance(first, syntax.Import):
        scope.error("E202", name.span, f"`{name.name}` is declared twice", f"it is {described(first)} at {place(first.name.span)}")
        return False
    scope.declarations[name.name] = declaration
    return True


def _enter_members(declaration: syntax.EnumType, scope: Scope) -> None:
    names = [member.name for member in declaration.members]
    type = Enum(declaration.name.name, tuple(dict.fromkeys(names)))
    scope.enums[declaration.name.name] = type
    for member in declaration.members:
        if member.name in scope.declarations or member.name in BUILT_IN_NAMES:
            scope.error("E202", member.span, f"`{member.name}` is also {scope.kind(member.name) or 'a built-in name'}")
        elif names.count(member.name) > 1 and member is not declaration.members[names.index(member.name)]:
            scope.error("E202", member.span, f"`{member.name}` is named twice in enum `{type.name}`")
        else:
            scope.members.setdefault(member.name, []).append((type, type.members.index(member.name)))


def place(span: Span) -> str:
    return f"{span.file}:{span.line}"


# ---------------------------------------------------------------- names in use


def parts(node: Any) -> Iterator[Any]:
    """The syntax nodes right below a node."""
    for name in node.__dataclass_fields__:
        value = getattr(node, name)
        for item in value if isinstance(value, tuple) else (value,):
            if is_dataclass(item) and not isinstance(item, Span):
                yield item


def names_used(node: Any, skip: tuple[type, ...] = ()) -> Iterator[syntax.Name]:
    """Every name in a declaration that is not bound inside it, in the order of the text; ``skip``: nodes to pass over."""
    todo: list[tuple[Any, frozenset[str]]] = [(node, frozenset())]
    while todo:
        current, bound = todo.pop()
        if isinstance(current, skip):
            continue
        if isinstance(current, syntax.Name):
            if current.name not in bound:
                yield current
            continue
        bound = bound | binds(current)
        todo.extend((part, bound) for part in reversed(list(parts(current))))


def binds(node: Any) -> frozenset[str]:
    """The names that a node binds in what stands below it."""
    match node:
        case syntax.Def() | syntax.Score() | syntax.Property() | syntax.World() | syntax.WorldComposition():
            return frozenset(p.name.name for p in node.parameters)
        case syntax.Quantifier() | syntax.Family():
            return frozenset(name.name for binder in node.binders for name in binder.names)
        case syntax.Measure():
            return frozenset({node.variable.name})
    return frozenset()


def written_items(items: Iterable[syntax.WorldItem]) -> Iterator[syntax.WorldItem]:
    """The items of a world and of its families, as they stand in the text."""
    todo = list(reversed(list(items)))
    while todo:
        item = todo.pop()
        if isinstance(item, syntax.Family):
            todo.extend(reversed(item.items))
        else:
            yield item


# ---------------------------------------------------------------- order


def in_order(declarations: Iterable[syntax.Declaration], scope: Scope) -> list[Ordered]:
    """What is used stands before what uses it; members of a cycle are reported and left out."""
    nodes = {d.name.name: d for d in declarations if isinstance(d, Ordered)}
    uses = {name: _uses(declaration, nodes) for name, declaration in nodes.items()}
    ordered: list[Ordered] = []
    for cycle in components(uses):
        name = cycle[0]
        if len(cycle) > 1 or name in uses[name]:
            _report_cycle(cycle, uses, nodes, scope)
        else:
            ordered.append(nodes[name])
    return ordered


def _uses(declaration: Ordered, nodes: dict[str, Ordered]) -> list[str]:
    """Inside an objective or a table, names are those of the world, of constants and of functions."""
    own = declaration.name
    anywhere = {n.name for n in names_used(declaration) if n is not own and isinstance(nodes.get(n.name), (syntax.Const, syntax.Def))}
    of_policies = (syntax.ExpectedReward, syntax.PathProbability, syntax.Table)
    outside = {n.name for n in names_used(declaration, of_policies) if n is not own and n.name in nodes}
    return sorted(anywhere | outside)


def _report_cycle(cycle: list[str], uses: dict[str, list[str]], nodes: dict[str, Ordered], scope: Scope) -> None:
    start = min(cycle, key=lambda name: (nodes[name].span.file, nodes[name].span.line, nodes[name].span.column))
    path, members = [start], set(cycle)
    while True:
        following = next(name for name in uses[path[-1]] if name in members)
        if following in path:
            path = [*path[path.index(following) :], following]
            break
        path.append(following)
    shown = path if len(path) <= 8 else [*path[:4], "...", *path[-3:]]
    scope.error("E204", nodes[path[0]].name.span, f"`{path[0]}` is defined by itself: {' -> '.join(shown)}")


def components(uses: dict[str, list[str]]) -> Iterator[list[str]]:
    """Strongly connected components, those that are used first (Tarjan's algorithm without recursion)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    on_stack: set[str] = set()
    for root in uses:
        if root in index:
            continue
        work: list[tuple[str, Iterator[str]]] = []

        def enter(name: str, work: list[tuple[str, Iterator[str]]] = work) -> None:
            index[name] = low[name] = len(index)
            stack.append(name)
            on_stack.add(name)
            work.append((name, iter(uses[name])))

        enter(root)
        while work:
            name, rest = work[-1]
            for following in rest:
                if following not in index:
                    enter(following)
                    break
                if following in on_stack:
                    low[name] = min(low[name], index[following])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[name])
                if low[name] == index[name]:
                    component = [stack.pop()]
                    while component[-1] != name:
                        component.append(stack.pop())
                    on_stack.difference_update(component)
                    yield component
