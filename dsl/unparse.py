"""Expressions, types and intervals -> documents with no more parentheses than reading them back needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from dsl import syntax
from dsl.layout import LINE, SOFT, Doc, Group, Nest, joined

# Binding strength, as the levels of the grammar, loosest first.
IFF, IMPLIES, OR, AND, UNTIL, PREFIX, COMPARISON, SUM, PRODUCT, NEGATION, POWER, ATOM = range(12)
_CHAINS = {"or": OR, "and": AND, "+": SUM, "-": SUM, "*": PRODUCT, "/": PRODUCT, "mod": PRODUCT, "div": PRODUCT}
_BINARY = {"<=>": (IFF, IMPLIES, IMPLIES), "=>": (IMPLIES, OR, IMPLIES), "^": (POWER, ATOM, NEGATION)}  # own level, left, right


def expression(node: syntax.Expr) -> Doc:
    """``node`` where nothing can follow that would change how it is read."""
    return _at(node, IFF, False)


def name(node: syntax.Name) -> str:
    return f"`{node.name}`" if node.quoted else node.name


def reference(node: syntax.Reference | syntax.Expr) -> str | Doc:
    """What names a variable, an action, a label or a reward."""
    match node:
        case syntax.Name():
            return name(node)
        case syntax.Qualified(parts):
            return "::".join(name(part) for part in parts)
    return expression(node)


def indexed(base: str, args: Sequence[syntax.Expr]) -> list[Doc]:
    """``base[args]``, or just ``base``; ``E [`` and ``P [`` keep apart, for ``E[`` and ``P[`` are tokens."""
    if not args:
        return [base]
    gap = " " if base in ("E", "P") or base.endswith(("::E", "::P")) else ""
    return [base + gap, *_bracketed("[", args, "]")]


def type_(node: syntax.Type) -> Doc:
    if isinstance(node, syntax.Range):
        return Group([_at(node.low, SUM, True), "..", _at(node.high, SUM, True)])
    return reference(node)


def binder(node: syntax.Binder) -> Doc:
    names = ", ".join(name(each) for each in node.names)
    return Group([names, " : " if node.relation == ":" else " in ", type_(node.domain)])


def interval(node: syntax.Interval) -> Doc:
    left, right = "[" if node.low_closed else "(", "]" if node.high_closed else ")"
    return Group([left, expression(node.low), ", ", expression(node.high), right])


def parameters(nodes: Sequence[syntax.Parameter]) -> Doc:
    return Group(["(", Nest([SOFT, *joined([Group([name(p.name), " : ", type_(p.type)]) for p in nodes], [",", LINE])]), SOFT, ")"])


def _bracketed(left: str, args: Sequence[syntax.Expr], right: str) -> list[Doc]:
    if not args:
        return [left + right]
    return [Group([left, Nest([SOFT, *joined([expression(arg) for arg in args], [",", LINE])]), SOFT, right])]


def _at(node: syntax.Expr, level: int, followed: bool) -> Doc:
    """``node`` as an operand: in parentheses if it binds looser than ``level``, or reaches right where an operator follows."""
    if isinstance(node, syntax.If | syntax.Quantifier):
        needed = followed
    else:
        needed = _level(node) < level
    if needed:
        return Group(["(", _body(node, False), ")"])
    return _body(node, followed)


def _level(node: syntax.Expr) -> int:
    match node:
        case syntax.Binary(op):
            return _BINARY[op][0]
        case syntax.Chain(operators):
            return _CHAINS[operators[0]]
        case syntax.Until():
            return UNTIL
        case syntax.Unary(op):
            return PREFIX if op == "not" else NEGATION
        case syntax.Temporal():
            return PREFIX
        case syntax.Comparison() | syntax.Member():
            return COMPARISON
    return ATOM


def _body(node: syntax.Expr, followed: bool) -> Doc:
    match node:
        case syntax.Name() | syntax.Qualified():
            return reference(node)
        case syntax.Number(text) | syntax.Text(text):
            return text
        case syntax.Boolean(value):
            return "true" if value else "false"
        case syntax.Call(function, args):
            return Group([_body(function, False), *_bracketed("(", args, ")")])
        case syntax.Index(base, args):
            shown = reference(base)
            return Group(indexed(shown, args) if isinstance(shown, str) else [shown, *_bracketed("[", args, "]")])
        case syntax.Prime(arg):
            return Group([_body(arg, False), "'"])
        case syntax.Unary(op, arg):
            return Group(["not " if op == "not" else "-", _at(arg, PREFIX if op == "not" else NEGATION, followed)])
        case syntax.Chain(operators, operands):
            return _operators(operators, operands, _CHAINS[operators[0]] + 1, followed)
        case syntax.Comparison(operators, operands):
            return _operators(operators, operands, SUM, followed)
        case syntax.Member(arg, domain):
            return Group([_at(arg, SUM, True), " in ", _domain(domain)])
        case syntax.Binary(op, left, right):
            _, left_level, right_level = _BINARY[op]
            start, end = _at(left, left_level, True), _at(right, right_level, followed)
            return Group([start, "^", end]) if op == "^" else Group([start, f" {op}", LINE, end])
        case syntax.If(condition, then, otherwise):
            branches: list[Doc] = [LINE, "then ", expression(then), LINE, "else ", expression(otherwise)]
            return Group(["if ", expression(condition), Nest(branches)])
        case syntax.Quantifier(kind, binders, body):
            return Group([f"{kind} ", *joined([binder(b) for b in binders], [", "]), ".", Nest([LINE, expression(body)])])
        case syntax.Temporal(op, None, arg):
            return Group([f"{op} ", _at(arg, PREFIX, followed)])
        case syntax.Temporal(op, bound, arg):
            return Group([f"{op}<=", _bound(bound), " ", _tight(arg, followed)])
        case syntax.Until(left, right, None):
            return Group([_at(left, PREFIX, True), " U", LINE, _at(right, UNTIL, followed)])
        case syntax.Until(left, right, bound):
            return Group([_at(left, PREFIX, True), " U<=", _bound(bound), " ", _tight(right, followed)])
        case syntax.PathProbability(path):
            return Group(["P[", Nest([SOFT, expression(path)]), SOFT, "]"])
        case syntax.ExpectedReward(reward, mode):
            return Group(["E[", expression(reward), ", ", _mode(mode), "]"])
        case syntax.Measure(kind, variable, training, body, given):
            inside = [expression(body)] if given is None else [expression(body), LINE, "given ", expression(given)]
            return Group([f"{kind}[{name(variable)} ~ {name(training)}](", Nest([SOFT, *inside]), SOFT, ")"])
    assert_never(node)


def _operators(operators: tuple[str, ...], operands: tuple[syntax.Expr, ...], level: int, followed: bool) -> Doc:
    """Operands with operators between them; a line breaks after an operator, where a newline ends nothing.

    A fraction of two numbers is written without spaces, where it is read first.
    """
    parts: list[Doc] = [_at(operands[0], level, True)]
    last = len(operators) - 1
    for index, operator in enumerate(operators):
        if index == 0 and operator == "/" and isinstance(operands[0], syntax.Number) and isinstance(operands[1], syntax.Number):
            parts += ["/", operands[1].text]
            continue
        parts += [f" {operator}", LINE, _at(operands[index + 1], level, followed or index < last)]
    return Group(parts)


def _domain(node: syntax.Range | syntax.SetLiteral | syntax.Expr) -> Doc:
    match node:
        case syntax.SetLiteral(members):
            return Group(_bracketed("{", members, "}"))
        case syntax.Range():
            return type_(node)
    return reference(node)


def _bound(node: syntax.Expr | None) -> Doc:
    """A number or a name stands as it is, everything else in parentheses."""
    if isinstance(node, syntax.Number | syntax.Name):
        return _body(node, False)
    return "" if node is None else Group(["(", expression(node), ")"])


def _tight(node: syntax.Expr, followed: bool) -> Doc:
    """What follows a bound: a comparison, sum, ... stands in parentheses there."""
    loose = _level(node) not in (PREFIX, ATOM)
    return Group(["(", expression(node), ")"]) if loose else _at(node, PREFIX, followed)


def _mode(node: syntax.Mode) -> Doc:
    return node.kind if node.value is None else Group([f"{node.kind} ", expression(node.value)])
