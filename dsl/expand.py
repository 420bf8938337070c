"""A checked function and typed arguments -> the function's body with the arguments in it, folded again."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import assert_never

from dsl import operators
from dsl.scope import Scope
from dsl.semantics import children
from dsl.source import Span
from dsl.spec import Binary, Const, Expr, If, Lookup, Nary, Unary, Var


def expanded(body: Expr, arguments: Mapping[str, Expr], scope: Scope, span: Span) -> Expr:
    """Placeholders replaced; the size is known before the work is done, so a blow-up costs nothing."""
    scope.charge(_size_after(body, arguments, scope), span)
    rules: list[Generator[Expr, Expr, Expr]] = [_rule(body, arguments)]
    value: Expr | None = None
    while rules:
        try:
            needed = rules[-1].send(value)  # type: ignore[arg-type]  # None starts a generator
        except StopIteration as done:
            rules.pop()
            value = done.value
        else:
            rules.append(_rule(needed, arguments))
            value = None
    return scope.bounded(value, span)  # type: ignore[arg-type]  # the last rule returned it


def _size_after(body: Expr, arguments: Mapping[str, Expr], scope: Scope) -> int:
    size = 0
    todo = [body]
    while todo:
        node = todo.pop()
        if isinstance(node, Var) and node.name in arguments:
            size += scope.measure(arguments[node.name])[0]
        else:
            size += 1
            todo.extend(children(node))
    return size


def _rule(node: Expr, arguments: Mapping[str, Expr]) -> Generator[Expr, Expr, Expr]:
    match node:
        case Const():
            return node
        case Var(name=name):
            return arguments.get(name, node)
        case Unary(op=op, arg=arg, span=span):
            return operators.unary(op, (yield arg), span)
        case Nary(op=op, args=args, span=span):
            done = []
            for arg in args:
                done.append((yield arg))  # noqa: PERF401  a comprehension cannot yield
            return operators.nary(op, done, span)
        case Binary(op=op, left=left, right=right, span=span):
            a = yield left
            b = yield right
            return operators.binary(op, a, b, span)
        case If(condition=condition, then=then, otherwise=otherwise, span=span):
            c = yield condition
            a = yield then
            b = yield otherwise
            return operators.conditional(c, a, b, span)
        case Lookup(grid=grid, x=x, y=y, span=span):
            a = yield x
            b = yield y
            return operators.lookup(grid, a, b, span)
        case _:
            assert_never(node)
