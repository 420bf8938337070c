"""The syntax of claims, scores and properties -> statements over numbers that depend on policies (see ``affine``)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import assert_never

from dsl import affine, spec, syntax
from dsl.affine import Affine, Branch, Extreme, Known, Negation, Number, Quantifier, Statement
from dsl.check_expression import check, counted, known
from dsl.check_name import Context
from dsl.lower import formula, linear
from dsl.operators import IllTyped
from dsl.policy_terms import (
    SELF,
    Roles,
    applied,
    bound_type,
    bounded,
    functional,
    implicit,
    near_optimal,
    optimum,
    policy,
    refuse_impossible_bound,
    same_world,
    want_free,
)
from dsl.scope import BUILT_IN_FUNCTIONS, Scope
from dsl.semantics import MAX_BITS, bits
from dsl.source import Span
from dsl.types import Bool, is_number

Meaning = Number | Statement

# ---------------------------------------------------------------- entry points


def statement(node: syntax.Expr, roles: Roles) -> Statement | None:
    """A truth value without quantifiers."""
    found = prefixed(node, roles)
    if isinstance(found, Quantifier):
        _refuse_quantifier(found.kind, node.span, roles.scope)
        return None
    return found


def prefixed(node: syntax.Expr, roles: Roles) -> Statement | None:
    """A truth value that may begin with quantifiers."""
    found = meaning(node, roles)
    if isinstance(found, (Affine, Extreme, Branch)):
        message = "a truth value is needed here, but this is a number"
        roles.scope.error("E206", node.span, message, "compare it with another number")
        return None
    return found


def number(node: syntax.Expr, roles: Roles) -> Number | None:
    found = meaning(node, roles)
    if found is None or isinstance(found, (Affine, Extreme, Branch)):
        return found
    roles.scope.error("E206", node.span, "a number is needed here, but this is a truth value")
    return None


def _refuse_quantifier(kind: str, span: Span, scope: Scope) -> None:
    message = f"`{kind}` may stand only at the beginning of a claim, and all quantifiers are of one kind"
    scope.error("E404", span, message, "alternating and inner quantifiers are not supported: split the claim")


def meaning(node: syntax.Expr, roles: Roles) -> Meaning | None:
    scope = roles.scope
    try:
        found = _rule(node, roles)
        if isinstance(found, Affine) and any(bits(c) > MAX_BITS for c in (found.constant, *(c for c, _ in found.terms))):
            raise IllTyped("E208", node.span, f"a number in this combination has more than {MAX_BITS} bits")
        if found is None or isinstance(found, (Affine, Extreme, Branch)):
            return found
        return bounded(found, node.span)
    except IllTyped as broken:
        scope.refuse(broken)
    except affine.TooManyPieces:
        scope.error("E410", node.span, f"`min`, `max`, `abs` and `if` split this number into more than {affine.MAX_PIECES} cases")
    except affine.NotLinear:
        message = "a product or quotient of numbers that both depend on policies is not linear"
        scope.error("E403", node.span, message, "only multiples by constants are supported")
    return None


# ---------------------------------------------------------------- the rules


def _rule(node: syntax.Expr, roles: Roles) -> Meaning | None:
    match node:
        case syntax.Name():
            return _name(node, roles)
        case syntax.Number(value=value):
            return affine.number(value)
        case syntax.Boolean(value=value):
            return Known(value)
        case syntax.Call():
            return _call(node, roles)
        case syntax.Unary(op="not", arg=arg):
            return _negated(prefixed(arg, roles))
        case syntax.Unary(arg=arg):
            positive = number(arg, roles)
            return None if positive is None else affine.scale(Fraction(-1), positive)
        case syntax.Chain(operators=(("and" | "or") as op, *_), operands=operands):
            args = [statement(operand, roles) for operand in operands]
            ready = [arg for arg in args if arg is not None]
            return affine.junction(op, ready) if len(ready) == len(args) else None
        case syntax.Chain():
            return _arithmetic(node, roles)
        case syntax.Comparison(operators=operators, operands=operands):
            return _compared(operators, operands, roles)
        case syntax.Member():
            return _member(node, roles)
        case syntax.Binary(op="^"):
            return _constant(node, roles)
        case syntax.Binary(op=op, left=left, right=right):
            a, b = statement(left, roles), statement(right, roles)
            if a is None or b is None:
                return None
            return affine.junction("or", [Negation(a), b]) if op == "=>" else affine.either(a, b, Negation(b))
        case syntax.If():
            return _conditional(node, roles)
        case syntax.Quantifier():
            return _quantifier(node, roles)
        case syntax.ExpectedReward() | syntax.PathProbability():
            type = implicit(roles)
            if roles.implicit is None:
                raise IllTyped("E405", node.span, "this objective is applied to no policy", "name one after it: `P[...](pi)`")
            function = functional(node, type, roles.scope) if type is not None else None
            return None if function is None else applied(function, SELF, roles.scope, node.span)
        case syntax.Measure():
            return _measure(node, roles)
        case syntax.Qualified() | syntax.Index():
            return _constant(node, roles)
        case syntax.Text(span=span) | syntax.Prime(span=span):
            raise IllTyped("E209", span, "this has no value in a formula about policies")
        case syntax.Temporal(span=span) | syntax.Until(span=span):
            raise IllTyped("E209", span, "a temporal formula speaks of runs, not of policies", "write its probability: `P[...](pi)`")
        case _:
            assert_never(node)


def _constant(node: syntax.Expr, roles: Roles) -> Meaning | None:
    """Whatever does not depend on a policy is an expression without state."""
    expr = check(node, Context(roles.scope))
    value = None if expr is None else known(expr, roles.scope, "this")
    if expr is None or value is None:
        return None
    if isinstance(expr.type, Bool):
        return Known(bool(value))
    if not is_number(expr.type):
        raise IllTyped("E206", node.span, "only numbers and truth values stand in a formula about policies")
    return affine.number(Fraction(value))


def _name(node: syntax.Name, roles: Roles) -> Meaning | None:
    scope, name = roles.scope, node.name
    if name == roles.unknown:
        return affine.term(spec.Unknown(name))
    if name in roles.bound or name in scope.policies:
        raise IllTyped("E209", node.span, f"`{name}` is a policy, not a number", f"apply a score to it: `J({name})`")
    if name in scope.scores or name in scope.properties:
        if roles.implicit is None:
            raise IllTyped("E405", node.span, f"`{name}` is applied to no policy", f"write `{name}(pi)`")
        function, type = scope.scores.get(name) or scope.properties.get(name), implicit(roles)
        if function is None or type is None or not same_world(function, type, scope, node.span):
            return None
        return applied(function, SELF, scope, node.span)
    return _constant(node, roles)


def _negated(found: Statement | None) -> Statement | None:
    match found:
        case None:
            return None
        case Quantifier(kind=kind, variables=variables, body=body):
            return Quantifier("exists" if kind == "forall" else "forall", variables, Negation(body))
        case Negation(arg=arg):
            return arg
        case Known(value=value):
            return Known(not value)
        case _:
            return Negation(found)


def _arithmetic(node: syntax.Chain, roles: Roles) -> Number | None:
    args = [number(operand, roles) for operand in node.operands]
    ready = [arg for arg in args if arg is not None]
    if len(ready) < len(args):
        return None
    if node.operators[0] in "+-":
        signs = [Fraction(1), *(Fraction(1 if op == "+" else -1) for op in node.operators)]
        return affine.total([affine.scale(sign, arg) for sign, arg in zip(signs, ready, strict=True)])
    result = ready[0]
    for op, operand, arg in zip(node.operators, node.operands[1:], ready[1:], strict=True):
        if op == "*":
            result = affine.multiply(result, arg)
        elif op == "/":
            try:
                result = affine.divide(result, arg)
            except ZeroDivisionError:
                raise IllTyped("E304", operand.span, "division by zero in `/`") from None
        else:
            if affine.constant_of(result) is None or affine.constant_of(arg) is None:
                raise IllTyped("E403", node.span, f"`{op}` of a number that depends on a policy is not linear")
            return _whole(_constant(node, roles))
    return result


def _whole(found: Meaning | None) -> Number | None:
    return found if isinstance(found, (Affine, Extreme, Branch)) else None


def _conditional(node: syntax.If, roles: Roles) -> Meaning | None:
    test, then, otherwise = statement(node.condition, roles), meaning(node.then, roles), meaning(node.otherwise, roles)
    if test is None or then is None or otherwise is None:
        return None
    if isinstance(then, (Affine, Extreme, Branch)) and isinstance(otherwise, (Affine, Extreme, Branch)):
        return affine.branch(test, then, otherwise)
    if isinstance(then, (Affine, Extreme, Branch)) or isinstance(otherwise, (Affine, Extreme, Branch)):
        raise IllTyped("E206", node.span, "one branch of `if` is a number and the other a truth value")
    for part, found in ((node.then, then), (node.otherwise, otherwise)):
        if isinstance(found, Quantifier):
            _refuse_quantifier(found.kind, part.span, roles.scope)
            return None
    return affine.either(test, then, otherwise)


# ---------------------------------------------------------------- comparisons


def _compared(operators: Sequence[str], operands: Sequence[syntax.Expr], roles: Roles) -> Statement | None:
    values = [number(operand, roles) for operand in operands]
    links: list[Statement] = []
    for position, op in enumerate(operators):
        left, right = values[position], values[position + 1]
        if left is None or right is None:
            return None
        span = operands[position].span.until(operands[position + 1].span)
        refuse_impossible_bound(left, right, operands[position + 1].span)
        refuse_impossible_bound(right, left, operands[position].span)
        links.append(affine.compare(op, left, right, roles.scope.text(span)))
    return affine.junction("and", links)


def _member(node: syntax.Member, roles: Roles) -> Statement | None:
    """``x in a..b`` means the closed interval; ``x in {a, b}`` one of them."""
    match node.domain:
        case syntax.Range(low=low, high=high):
            return _compared(("<=", "<="), (low, node.arg, high), roles)
        case syntax.SetLiteral(members=members):
            equal = [_compared(("==",), (node.arg, member), roles) for member in members]
            ready = [link for link in equal if link is not None]
            return affine.junction("or", ready) if len(ready) == len(equal) else None
        case _:
            found = _constant(node, roles)
            return None if isinstance(found, (Affine, Extreme, Branch)) else found


# ---------------------------------------------------------------- calls


def _call(node: syntax.Call, roles: Roles) -> Meaning | None:
    scope, span = roles.scope, node.span
    if isinstance(node.function, (syntax.ExpectedReward, syntax.PathProbability)):
        _want_arguments(node, 1, "an objective")
        about = policy(node.args[0], roles)
        inline = None if about is None else functional(node.function, about[1], scope)
        return None if inline is None or about is None else applied(inline, about[0], scope, span)
    if not isinstance(node.function, syntax.Name):
        raise IllTyped("E209", node.function.span, "this cannot be applied")
    name = node.function.name
    if name in scope.scores or name in scope.properties:
        _want_arguments(node, 1, f"`{name}`")
        about, function = policy(node.args[0], roles), scope.scores.get(name) or scope.properties.get(name)
        if about is None or function is None or not same_world(function, about[1], scope, node.args[0].span):
            return None
        return applied(function, about[0], scope, span)
    match name:
        case "near_optimal":
            return _near_optimal(node, roles)
        case "max" | "min" if len(node.args) == 1:
            best = functional(node.args[0], implicit(roles), scope)
            return None if best is None else optimum(name, best, span, scope.text(span))
        case "max" | "min":
            args = [number(arg, roles) for arg in node.args]
            ready = [arg for arg in args if arg is not None]
            return affine.extreme(name, ready) if len(ready) == len(args) and ready else None
        case "abs":
            _want_arguments(node, 1, "`abs`")
            inside = number(node.args[0], roles)
            return None if inside is None else affine.absolute(inside)
    if name in scope.functions or name in BUILT_IN_FUNCTIONS:
        return _constant(node, roles)
    kind = scope.kind(name)
    if kind is not None:
        raise IllTyped("E209", node.function.span, f"`{name}` is {kind}; it cannot be applied")
    known_names = [*scope.scores, *scope.properties, *scope.functions, *BUILT_IN_FUNCTIONS]
    raise IllTyped("E201", node.function.span, f"`{name}` is not a score, a property or a function", scope.similar(name, known_names))


def _want_arguments(node: syntax.Call, count: int, what: str) -> None:
    if len(node.args) != count:
        raise IllTyped("E205", node.span, f"{what} takes {counted(count, 'argument')}, here are {len(node.args)}")


def _is_functional(node: syntax.Expr, scope: Scope) -> bool:
    if isinstance(node, syntax.Name):
        return node.name in scope.scores or node.name in scope.properties
    return isinstance(node, (syntax.ExpectedReward, syntax.PathProbability))


def _near_optimal(node: syntax.Call, roles: Roles) -> Statement | None:
    _want_arguments(node, 3, "`near_optimal`")
    first, second, third = node.args
    if _is_functional(second, roles.scope) and isinstance(first, syntax.Name) and not _is_functional(first, roles.scope):
        shown = ", ".join(roles.scope.text(arg.span) for arg in (second, first, third))
        hint = f"write `near_optimal({shown})`"
        raise IllTyped("E209", node.span, "`near_optimal` takes the score first, then the policy, then the distance", hint)
    about = policy(node.args[1], roles)
    score = None if about is None else functional(node.args[0], about[1], roles.scope)
    eps = number(node.args[2], roles)
    if about is None or score is None or eps is None or not same_world(score, about[1], roles.scope, node.args[1].span):
        return None
    return near_optimal(score, about[0], eps, roles.scope, node.span)


# ---------------------------------------------------------------- quantifiers and training


def _quantifier(node: syntax.Quantifier, roles: Roles) -> Statement | None:
    scope = roles.scope
    if node.kind == "sum":
        raise IllTyped("E490", node.span, "`sum` in a formula about policies is not supported yet")
    variables: list[tuple[str, str]] = []
    bound = dict(roles.bound)
    poisoned = False
    for binder in node.binders:
        type = bound_type(node.kind, binder, scope)
        poisoned = poisoned or type is None
        for name in binder.names:
            want_free(name, replace(roles, bound=bound))
            bound[name.name] = (name.name, type)
            variables.append((name.name, type or ""))
    body = prefixed(node.body, replace(roles, bound=bound, measures=False))
    if body is None or poisoned:
        return None
    if isinstance(body, Quantifier):
        if body.kind != node.kind:
            _refuse_quantifier(body.kind, node.body.span, scope)
            return None
        return Quantifier(node.kind, (*variables, *body.variables), body.body)
    return Quantifier(node.kind, tuple(variables), body)


def _measure(node: syntax.Measure, roles: Roles) -> Number | None:
    """``P[pi ~ T](event given condition)`` and ``E[pi ~ T](score)``; inside, the drawn policy is ``self``."""
    scope = roles.scope
    if not roles.measures:
        raise IllTyped("E412", node.span, "a probability over training may stand only in a claim of its own, without quantified policies")
    training = node.training
    if training.name not in scope.trainings:
        kind = scope.kind(training.name)
        if kind is not None:
            raise IllTyped("E209", training.span, f"`{training.name}` is {kind}, not a training")
        raise IllTyped("E201", training.span, f"`{training.name}` is not a training", scope.similar(training.name, scope.trainings))
    want_free(node.variable, roles)
    type = scope.trainings[training.name]
    inside = Roles(scope, {node.variable.name: (SELF, type)}, implicit=type)
    if node.kind == "P":
        event = _event(node.body, inside)
        given = None if node.given is None else _event(node.given, inside)
        if event is None or (node.given is not None and given is None):
            return None
        return affine.term(spec.ProbabilityOf(training.name, event, given))
    if node.given is not None:
        raise IllTyped("E490", node.given.span, "a conditional expectation is not supported yet")
    body = number(node.body, inside)
    if body is None:
        return None
    if not isinstance(body, Affine):
        raise IllTyped("E403", node.body.span, "an expectation over training is taken of a linear combination of scores")
    return affine.term(spec.ExpectationOf(training.name, SELF, linear(body, node.body.span), scope.text(node.span)))


def _event(node: syntax.Expr, roles: Roles) -> spec.Event | None:
    body = statement(node, roles)
    return None if body is None else spec.Event(SELF, formula(body, node.span), roles.scope.text(node.span))
