"""The syntax of an expression over one state -> a typed expression; None if something in it is wrong (and was said)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import product
from typing import assert_never

from dsl import operators, spec, syntax
from dsl.arrays import Array
from dsl.check_element import element, value_of, want_element
from dsl.check_name import Context, array_of, check_name, check_qualified, state_base, unknown, unknown_part
from dsl.expand import expanded
from dsl.operators import IllTyped, constant
from dsl.resolve import names_used
from dsl.scope import BUILT_IN_FUNCTIONS, Scope
from dsl.semantics import EvaluationError, Value, show
from dsl.source import Span
from dsl.types import Bool, Char, Int, Rational, Type

MAX_RANGE = 10_000  # members of a range that `sum`, `forall` or `exists` runs over


# ---------------------------------------------------------------- entry points


def condition(node: syntax.Expr, context: Context, what: str) -> spec.Expr | None:
    """An expression that must be a truth value."""
    return _wanted(node, context, Bool(), what)


def quantity(node: syntax.Expr, context: Context, what: str) -> spec.Expr | None:
    """An expression that must be a number."""
    return _wanted(node, context, Rational(), what)


def _wanted(node: syntax.Expr, context: Context, type: Type, what: str) -> spec.Expr | None:
    expr = check(node, context)
    if expr is None:
        return None
    if not operators.fits(expr.type, type):
        hint = None
        if isinstance(type, Bool) and isinstance(expr.type, (Int, Rational)):
            hint = "compare it: `... != 0`"
        if isinstance(type, Rational) and isinstance(expr.type, Bool):
            hint = "write `if ... then 1 else 0`"
        wanted = "a number" if isinstance(type, Rational) else operators.described(type)
        message = f"{what} must be {wanted}, but this is {operators.described(expr.type)}"
        context.scope.error("E206", node.span, message, hint)
        return None
    return expr


def known_number(node: syntax.Expr, scope: Scope, what: str, local: Mapping[str, spec.Expr] | None = None) -> Fraction | None:
    """A constant number; ``local``: parameters and loop names."""
    expr = quantity(node, Context(scope, local=local or {}), what)
    value = None if expr is None else known(expr, scope, what)
    return None if value is None else Fraction(value)


def known_integer(node: syntax.Expr, scope: Scope, what: str, local: Mapping[str, spec.Expr] | None = None) -> int | None:
    """A constant integer."""
    value = known_number(node, scope, what, local)
    if value is None:
        return None
    if value.denominator != 1:
        scope.error("E206", node.span, f"{what} must be an integer, but it is {show(value)}")
        return None
    return value.numerator


def known(expr: spec.Expr, scope: Scope, what: str) -> Value | None:
    """The value of a constant expression."""
    try:
        value = operators.constant_value(expr)
    except EvaluationError as error:
        scope.error(error.code, error.span, error.message)
        return None
    if value is None:
        scope.error("E207", expr.span, f"{what} must be a constant")
    return value


# ---------------------------------------------------------------- the rules


def check(node: syntax.Expr, context: Context) -> spec.Expr | None:
    try:
        expr = _check(node, context)
        return None if expr is None else context.scope.bounded(expr, node.span)
    except IllTyped as broken:
        context.scope.refuse(broken)
        return None


def _check(node: syntax.Expr, context: Context) -> spec.Expr | None:
    match node:
        case syntax.Name():
            return check_name(node, context)
        case syntax.Qualified():
            return check_qualified(node, context)
        case syntax.Number(value=value, integer=integer, span=span):
            return constant(value.numerator if integer else value, span)
        case syntax.Text(value=value, span=span):
            if len(value) != 1:
                raise IllTyped("E214", span, "only a string of one character is a value", 'write "#"')
            return constant(ord(value), span, Char())
        case syntax.Boolean(value=value, span=span):
            return constant(value, span)
        case syntax.Call():
            return _call(node, context)
        case syntax.Index():
            return _index(node, context)
        case syntax.Prime():
            return _prime(node, context)
        case syntax.Unary(op=op, arg=arg, span=span):
            only = check(arg, context)
            return None if only is None else operators.unary("neg" if op == "-" else op, only, span)
        case syntax.Chain():
            return _chain(node, context)
        case syntax.Comparison():
            return _comparison(node, context)
        case syntax.Member():
            return _member(node, context)
        case syntax.Binary(op=op, left=left, right=right, span=span):
            a, b = check(left, context), check(right, context)
            return None if a is None or b is None else operators.binary(op, a, b, span)
        case syntax.If(condition=test, then=then, otherwise=otherwise, span=span):
            c, a, b = check(test, context), check(then, context), check(otherwise, context)
            return None if c is None or a is None or b is None else operators.conditional(c, a, b, span)
        case syntax.Quantifier():
            return _over_range(node, context)
        case syntax.Temporal(span=span) | syntax.Until(span=span):
            raise IllTyped("E209", span, "a temporal operator has no value in one state", "temporal formulas stand inside `P[...]`")
        case syntax.ExpectedReward(span=span) | syntax.PathProbability(span=span) | syntax.Measure(span=span):
            raise IllTyped("E209", span, "an objective depends on the policy; it has no value here")
        case _:
            assert_never(node)


def _prime(node: syntax.Prime, context: Context) -> spec.Expr | None:
    world, arg = context.world, node.arg
    if not context.primes:
        raise IllTyped("E210", node.span, "the next state has no value here", "primes stand left of `=` in outcomes, and in rewards")
    if isinstance(arg, syntax.Index):
        return _index(arg, context, primed=True)
    if isinstance(arg, syntax.Name) and arg.name in context.local:
        raise IllTyped("E210", node.span, "only a variable has a prime")
    base = state_base(arg, world)
    if base is None and world is not None and isinstance(arg, syntax.Name):
        raise unknown(arg, context)
    if base is None and world is not None and isinstance(arg, syntax.Qualified):
        raise unknown_part(arg, context)
    if base is None or world is None:
        raise IllTyped("E210", node.span, "only a variable has a prime")
    return value_of(base, context, node.span, primed=True)


def _chain(node: syntax.Chain, context: Context) -> spec.Expr | None:
    checked = [check(operand, context) for operand in node.operands]
    operands = [operand for operand in checked if operand is not None]
    if len(operands) < len(node.operands):
        return None
    kind = node.operators[0]
    if all(op == kind for op in node.operators) and kind in ("and", "or", "+", "*"):
        return operators.nary(kind, operands, node.span)
    if kind in "+-" and len(operands) > 2:  # a long sum stays flat: a - b + c is a + (-b) + c
        signed = [operands[0]]
        for op, operand in zip(node.operators, operands[1:], strict=True):
            signed.append(operand if op == "+" else operators.unary("neg", operand, operand.span))
        return operators.nary("+", signed, node.span)
    result = operands[0]
    for op, operand in zip(node.operators, operands[1:], strict=True):
        span = result.span.until(operand.span)
        result = operators.nary(op, [result, operand], span) if op in "+*" else operators.binary(op, result, operand, span)
        context.scope.bounded(result, node.span)
    return result


def _comparison(node: syntax.Comparison, context: Context) -> spec.Expr | None:
    operands = [check(operand, context) for operand in node.operands]
    links: list[spec.Expr] = []
    for op, left, right in zip(node.operators, operands, operands[1:], strict=False):
        if left is not None and right is not None:
            links.append(operators.binary(op, left, right, left.span.until(right.span)))
    return operators.nary("and", links, node.span) if len(links) == len(node.operators) else None


def _member(node: syntax.Member, context: Context) -> spec.Expr | None:
    arg = check(node.arg, context)
    match node.domain:
        case syntax.Range(low=low, high=high):
            a, b = check(low, context), check(high, context)
            if arg is None or a is None or b is None:
                return None
            links = [operators.binary("<=", a, arg, node.span), operators.binary("<=", arg, b, node.span)]
            return operators.nary("and", links, node.span)
        case syntax.SetLiteral(members=members):
            values = [check(member, context) for member in members]
            if arg is None:
                return None
            equal = [operators.binary("==", arg, value, node.span) for value in values if value is not None]
            return operators.nary("or", equal, node.span) if len(equal) == len(members) else None
        case syntax.Name(name=name) if name in context.scope.enums:
            if arg is not None and arg.type != context.scope.enums[name]:
                raise IllTyped("E206", node.arg.span, f"this is {operators.described(arg.type)}, not a member of {name}")
            return None if arg is None else constant(True, node.span)
        case _:
            raise IllTyped("E206", node.domain.span, "after `in` stands a range, a set in braces or an enum")


def _index(node: syntax.Index, context: Context, primed: bool = False) -> spec.Expr | None:
    """A cell of a grid or an element of an array; ``primed``: in the next state."""
    scope, world = context.scope, context.world
    text = node.base.name if isinstance(node.base, syntax.Name) else None
    if text is not None and text in context.local:
        raise IllTyped("E218", node.base.span, f"`{text}` is a value, so it has no elements")
    base = state_base(node.base, world)
    if base is not None and world is not None:
        known = array_of(base, world.states.arrays, node.base)
        indices = element_indices(node, known, context)
        return None if indices is None else element(node, known, indices, context, primed)
    if primed:
        raise IllTyped("E210", node.span, "only a variable has a prime")
    if text is None or text not in scope.constants:
        if text in scope.refused:
            return None
        if isinstance(node.base, syntax.Name) and scope.kind(node.base.name) is None:
            raise unknown(node.base, context)
        if isinstance(node.base, syntax.Qualified):
            raise unknown_part(node.base, context)
        raise IllTyped("E209", node.span, "only an array or a grid can be indexed")
    grid = scope.constants[text]
    args = [check(arg, context) for arg in node.args]
    if isinstance(grid, spec.Const):
        raise IllTyped("E209", node.base.span, f"`{text}` is {operators.described(grid.type)}, not a grid")
    if len(args) != 2:
        raise IllTyped("E205", node.span, f"a grid takes two indices, column and row; here are {len(args)}")
    x, y = args
    return None if grid is None or x is None or y is None else operators.lookup(grid, x, y, node.span)


def element_indices(node: syntax.Index, known: Array, context: Context) -> list[spec.Expr] | None:
    """Indices that are right in number and kind, and can be right in value."""
    indices = [check(arg, context) for arg in node.args]
    ready = [index for index in indices if index is not None]
    if len(ready) < len(indices):
        return None
    want_element(node, known, ready, context)
    return ready


# ---------------------------------------------------------------- functions and ranges


def _call(node: syntax.Call, context: Context) -> spec.Expr | None:
    scope, span = context.scope, node.span
    if not isinstance(node.function, syntax.Name):
        raise IllTyped("E209", node.function.span, "an objective depends on the policy; it has no value here")
    called = node.function.name
    if called not in scope.functions and called not in BUILT_IN_FUNCTIONS:
        kind = scope.kind(called)
        if kind is not None:
            raise IllTyped("E209", node.function.span, f"`{called}` is {kind}, not a function of numbers")
        hint = scope.similar(called, [*scope.functions, *BUILT_IN_FUNCTIONS])
        raise IllTyped("E201", node.function.span, f"`{called}` is not a function", hint)
    args = [check(arg, context) for arg in node.args]
    ready = [arg for arg in args if arg is not None]
    if called in BUILT_IN_FUNCTIONS:
        return _built_in(called, len(args), ready, span)
    function = scope.functions[called]
    if function is None:
        return None
    if len(args) != len(function.parameters):
        raise IllTyped("E205", span, f"`{called}` takes {counted(len(function.parameters), 'argument')}, here are {len(args)}")
    if len(ready) < len(args):
        return None
    for (parameter, type), arg in zip(function.parameters, ready, strict=True):
        if not operators.fits(arg.type, type):
            message = f"parameter `{parameter}` of `{called}` is {operators.described(type)}, but this is {operators.described(arg.type)}"
            raise IllTyped("E206", arg.span, message)
    matched = zip(function.parameters, ready, strict=True)
    given = {operators.PARAMETER + parameter: operators.converted(arg, type) for (parameter, type), arg in matched}
    body = expanded(function.body, given, scope, span)
    return replace(body, span=span)


def _built_in(called: str, count: int, args: list[spec.Expr], span: Span) -> spec.Expr | None:
    if called == "near_optimal":
        raise IllTyped("E209", span, "`near_optimal` speaks of a policy; it has no value here")
    if called in ("abs", "floor", "ceil"):
        if count != 1:
            raise IllTyped("E205", span, f"`{called}` takes one argument, here are {count}")
        return operators.unary(called, args[0], span) if args else None
    if count < 2:
        raise IllTyped("E205", span, f"`{called}` of numbers takes two or more arguments")
    return operators.nary(called, args, span) if len(args) == count else None


def _over_range(node: syntax.Quantifier, context: Context) -> spec.Expr | None:
    """``sum``, ``forall`` and ``exists`` over constant ranges and enums: written out."""
    context.scope.charge(1, node.span)
    found = bindings(node.binders, context, f"`{node.kind}`")
    if found is None:
        return None
    terms: list[spec.Expr] = []
    for binding in found:
        term = check(node.body, replace(context, local=binding))
        if term is None:
            return None  # one report is enough
        context.scope.charge(context.scope.measure(term)[0], node.span)
        terms.append(term)
    match node.kind:
        case "sum":
            return operators.nary("+", terms, node.span) if terms else constant(0, node.span)
        case "forall":
            return operators.nary("and", terms, node.span)
        case _:
            return operators.nary("or", terms, node.span)


def bindings(binders: Sequence[syntax.Binder], context: Context, what: str) -> list[Mapping[str, spec.Expr]] | None:
    """What the names stand for, in order, added to those that are local already; a range may depend on the names before it."""
    found: list[Mapping[str, spec.Expr]] = [context.local]
    earlier: set[str] = set()
    for binder in binders:
        depends = any(name.name in earlier for name in names_used(binder.domain))
        shared = None if depends else _domain(binder, context.local, context.scope)
        extended: list[Mapping[str, spec.Expr]] = []
        for binding in found:
            domain = _domain(binder, binding, context.scope) if depends else shared
            if domain is None:
                return None
            if len(extended) + len(domain) ** len(binder.names) > MAX_RANGE:
                raise IllTyped("E215", binder.span, f"{what} runs over more than {MAX_RANGE} values")
            names = [name.name for name in binder.names]
            extended.extend({**binding, **dict(zip(names, values, strict=True))} for values in product(domain, repeat=len(names)))
        found = extended
        earlier.update(name.name for name in binder.names)
    return found


def _domain(binder: syntax.Binder, local: Mapping[str, spec.Expr], scope: Scope) -> list[spec.Expr] | None:
    match binder.domain:
        case syntax.Range(low=low, high=high, span=span):
            a, b = known_integer(low, scope, "an end of a range", local), known_integer(high, scope, "an end of a range", local)
            if a is None or b is None:
                return None
            if b - a >= MAX_RANGE:
                raise IllTyped("E215", span, f"this range has more than {MAX_RANGE} members")
            return [constant(value, span) for value in range(a, b + 1)]
        case syntax.Name(name=name, span=span) if name in scope.enums:
            type = scope.enums[name]
            return [constant(index, span, type) for index in range(len(type.members))]
        case _:
            raise IllTyped("E209", binder.domain.span, "only ranges and enums can be run over in an expression of one state")


def counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
