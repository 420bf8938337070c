"""The syntax of ``P[...]`` and ``E[...]`` -> objectives of one world: path formulas, rewards, ways of adding up."""

from __future__ import annotations

from typing import assert_never

from dsl import spec, syntax
from dsl.check_expression import condition, known_integer, known_number
from dsl.check_name import Context
from dsl.check_reference import reward_name
from dsl.operators import constant, unary
from dsl.resolve import parts
from dsl.scope import Scope, WorldNames
from dsl.semantics import show
from dsl.source import Span

MAX_PATH = 10_000  # nodes of a path formula
MAX_PATH_DEPTH = 200
MAX_STEPS = 1_000_000  # of a horizon or a bounded operator


def check_objective(node: syntax.ExpectedReward | syntax.PathProbability, world: WorldNames, scope: Scope) -> spec.Objective | None:
    text = scope.text(node.span)
    match node:
        case syntax.ExpectedReward(reward=reward, mode=mode, span=span):
            name = _reward(reward, world, scope)
            how = _mode(mode, world, scope)
            return None if name is None or how is None else spec.Expected(world.name, name, how, text, span)
        case syntax.PathProbability(path=path, span=span):
            typed = check_path(path, Context(scope, world))
            if typed is None:
                return None
            if is_too_large(typed):
                limits = f"more than {MAX_PATH} parts or is nested more than {MAX_PATH_DEPTH} deep"
                scope.error("E410", span, f"this path formula has {limits}, `<=>` and `if` written out")
                return None
            if not (is_cosafe(typed) or is_safe(typed) or is_recurrence(typed)):
                scope.error(
                    "E401",
                    span,
                    "this path formula is neither co-safe nor safe, nor `G F phi` or `F G phi` of a state condition",
                    "bound the operators that wait (`F<=k`), or split it into several probabilities",
                )
                return None
            return spec.Probability(world.name, typed, text, span)
        case _:
            assert_never(node)


def _reward(node: syntax.Expr, world: WorldNames, scope: Scope) -> str | None:
    if not isinstance(node, (syntax.Name, syntax.Qualified, syntax.Index)):
        scope.error("E402", node.span, "`E[...]` takes the name of one reward", "add up several: `E[a, total] + 2 * E[b, total]`")
        return None
    return reward_name(node, world, scope)


def _mode(mode: syntax.Mode, world: WorldNames, scope: Scope) -> spec.Horizon | spec.Discount | spec.UntilState | spec.Total | None:
    if mode.value is None:
        return spec.Total()
    match mode.kind:
        case "horizon":
            steps = _steps(mode.value, scope, "a horizon")
            return None if steps is None else spec.Horizon(steps)
        case "discount":
            factor = known_number(mode.value, scope, "a discount")
            if factor is None:
                return None
            if not 0 <= factor < 1:
                hint = "for the undiscounted sum write `total`" if factor == 1 else None
                scope.error("E402", mode.value.span, f"a discount is at least 0 and less than 1, but this is {show(factor)}", hint)
                return None
            return spec.Discount(factor)
        case _:
            reached = condition(mode.value, Context(scope, world), "the condition after `until`")
            return None if reached is None else spec.UntilState(spec.Atom(reached, scope.text(mode.value.span)))


def _steps(node: syntax.Expr, scope: Scope, what: str) -> int | None:
    steps = known_integer(node, scope, what)
    if steps is None:
        return None
    if not 0 <= steps <= MAX_STEPS:
        scope.error("E402", node.span, f"{what} is an integer from 0 to {MAX_STEPS}, but this is {show(steps)}")
        return None
    return steps


# ---------------------------------------------------------------- path formulas


def is_temporal(node: syntax.Expr) -> bool:
    """Whether a temporal operator stands in it."""
    todo: list[object] = [node]
    while todo:
        current = todo.pop()
        if isinstance(current, (syntax.Temporal, syntax.Until)):
            return True
        todo.extend(parts(current))
    return False


def check_path(node: syntax.Expr, context: Context) -> spec.Path | None:
    """Subformulas without temporal operators become atoms, as large as they can be."""
    if not is_temporal(node):
        phi = condition(node, context, "a state condition")
        return None if phi is None else spec.Atom(phi, context.scope.text(node.span))
    scope = context.scope
    match node:
        case syntax.Unary(op="not", arg=arg):
            return _negated(check_path(arg, context))
        case syntax.Chain(operators=(("and" | "or") as op, *_), operands=operands):
            args = [check_path(operand, context) for operand in operands]
            ready = tuple(arg for arg in args if arg is not None)
            if len(ready) < len(args):
                return None
            return spec.PathAnd(ready) if op == "and" else spec.PathOr(ready)
        case syntax.Binary(op=("=>" | "<=>") as op, left=left, right=right):
            a, b = check_path(left, context), check_path(right, context)
            if a is None or b is None:
                return None
            if op == "=>":
                return spec.PathOr((negated(a), b))
            return spec.PathOr((spec.PathAnd((a, b)), spec.PathAnd((negated(a), negated(b)))))
        case syntax.If(condition=test, then=then, otherwise=otherwise):
            c, a, b = check_path(test, context), check_path(then, context), check_path(otherwise, context)
            if c is None or a is None or b is None:
                return None
            return spec.PathOr((spec.PathAnd((c, a)), spec.PathAnd((negated(c), b))))
        case syntax.Temporal(op=op, bound=limit, arg=arg, span=span):
            bound = None if limit is None else _steps(limit, scope, "the bound of a temporal operator")
            inner = check_path(arg, context)
            if inner is None or (limit is not None and bound is None):
                return None
            if op == "X":
                return spec.Next(inner)
            if op == "F":
                return spec.Until(_true(span), inner, bound)
            return spec.PathNot(spec.Until(_true(span), negated(inner), bound))
        case syntax.Until(left=left, right=right, bound=limit):
            bound = None if limit is None else _steps(limit, scope, "the bound of a temporal operator")
            a, b = check_path(left, context), check_path(right, context)
            return None if a is None or b is None or (limit is not None and bound is None) else spec.Until(a, b, bound)
        case _:
            scope.error("E206", node.span, "a temporal formula is a truth value of a whole run, not of one state")
            return None


def _true(span: Span) -> spec.Atom:
    return spec.Atom(constant(True, span), "true")


def _negated(path: spec.Path | None) -> spec.Path | None:
    return None if path is None else negated(path)


def negated(path: spec.Path) -> spec.Path:
    """No double negations, none in front of an atom."""
    match path:
        case spec.PathNot(arg=arg):
            return arg
        case spec.Atom(condition=phi, text=text):
            if isinstance(phi, spec.Unary) and phi.op == "not" and text.startswith("not "):
                return spec.Atom(phi.arg, text.removeprefix("not "))
            return spec.Atom(unary("not", phi, phi.span), f"not ({text})" if " " in text else f"not {text}")
        case _:
            return spec.PathNot(path)


def is_too_large(path: spec.Path) -> bool:
    """Counting stops as soon as it is known, because shared parts make a small graph a huge tree."""
    size = 0
    todo: list[tuple[spec.Path, int]] = [(path, 1)]
    while todo:
        node, depth = todo.pop()
        size += 1
        if size > MAX_PATH or depth > MAX_PATH_DEPTH:
            return True
        match node:
            case spec.Atom():
                pass
            case spec.PathNot(arg=arg) | spec.Next(arg=arg):
                todo.append((arg, depth + 1))
            case spec.PathAnd(args=args) | spec.PathOr(args=args):
                todo.extend((arg, depth + 1) for arg in args)
            case spec.Until(left=left, right=right):
                todo.extend(((left, depth + 1), (right, depth + 1)))
            case _:
                assert_never(node)
    return False


# ---------------------------------------------------------------- which automaton


def is_cosafe(path: spec.Path) -> bool:
    """Every run that satisfies it has a finite prefix that decides so (a syntactic, sufficient condition)."""
    match path:
        case spec.Atom():
            return True
        case spec.PathNot(arg=arg):
            return is_safe(arg)
        case spec.PathAnd(args=args) | spec.PathOr(args=args):
            return all(is_cosafe(arg) for arg in args)
        case spec.Next(arg=arg):
            return is_cosafe(arg)
        case spec.Until(left=left, right=right):
            return is_cosafe(left) and is_cosafe(right)
        case _:
            assert_never(path)


def is_safe(path: spec.Path) -> bool:
    """Every run that violates it has a finite prefix that decides so."""
    match path:
        case spec.Atom():
            return True
        case spec.PathNot(arg=arg):
            return is_cosafe(arg)
        case spec.PathAnd(args=args) | spec.PathOr(args=args):
            return all(is_safe(arg) for arg in args)
        case spec.Next(arg=arg):
            return is_safe(arg)
        case spec.Until(left=left, right=right, bound=bound):
            return bound is not None and is_safe(left) and is_safe(right)
        case _:
            assert_never(path)


def is_recurrence(path: spec.Path) -> bool:
    """``G F phi`` or ``F G phi`` with phi a state condition."""
    inner = path.arg if isinstance(path, spec.PathNot) else path
    match inner:  # F G phi is `true U not (true U not phi)`; G F phi is its negation for `not phi`
        case spec.Until(left=spec.Atom(condition=spec.Const(value=True)), right=spec.PathNot(arg=again), bound=None):
            match again:
                case spec.Until(left=spec.Atom(condition=spec.Const(value=True)), right=spec.Atom(), bound=None):
                    return True
    return False
