"""The syntax of training processes -> evidence with exact numbers."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any, assert_never

from dsl import spec, syntax
from dsl.check_expression import known_integer, known_number
from dsl.check_formula import statement
from dsl.check_policy import belongs, policy_type
from dsl.lower import formula
from dsl.operators import IllTyped
from dsl.policy_terms import SELF, Roles, policy
from dsl.resolve import parts
from dsl.scope import Scope
from dsl.semantics import show

MAX_SAMPLES = 10_000_000


def check_training(node: syntax.Training, scope: Scope) -> spec.Training | None:
    type = policy_type(node.type, scope)
    if type is None:
        return None
    evidence = [_evidence(item, type, scope) for item in node.evidence]
    return spec.Training(node.name.name, type.name, tuple(e for e in evidence if e is not None), node.span)


def _evidence(node: syntax.Evidence, type: spec.PolicyType, scope: Scope) -> spec.Evidence | None:
    match node:
        case syntax.Mixture():
            return _mixture(node, type, scope)
        case syntax.Runs(pattern=pattern, confidence=confidence, span=span):
            level = _confidence(confidence, scope)
            return None if level is None else spec.Runs(pattern.value, level, span)
        case syntax.Samples():
            return _samples(node, type, scope)
        case syntax.LaterEvidence(kind=kind, span=span):
            scope.unsupported(span, f"`{kind}` as evidence", "E490")
            return None
        case _:
            assert_never(node)


def _mixture(node: syntax.Mixture, type: spec.PolicyType, scope: Scope) -> spec.Mixture | None:
    found: list[tuple[Fraction, str]] = []
    for part in node.parts:
        weight = known_number(part.weight, scope, "a weight of a mixture")
        if weight is not None and weight < 0:
            scope.error("E411", part.weight.span, f"the weight {show(weight)} is negative")
            weight = None
        try:
            about = policy(part.target, Roles(scope))
        except IllTyped as broken:
            scope.refuse(broken)
            continue
        if about is None or weight is None:
            continue
        if not belongs(about[1], type):
            message = f"`{about[0]}` is of type {about[1].name}, but this training yields policies of type {type.name}"
            scope.error("E405", part.target.span, message)
        found.append((weight, about[0]))
    if len(found) < len(node.parts):
        return None
    total = sum((weight for weight, _ in found), Fraction(0))
    if total != 1:
        scope.error("E411", node.span, f"the weights of the mixture sum to {show(total)}, not to 1")
        return None
    return spec.Mixture(tuple(found), node.span)


def _samples(node: syntax.Samples, type: spec.PolicyType, scope: Scope) -> spec.Samples | None:
    successes = known_integer(node.successes, scope, "the number of successes")
    size = known_integer(node.size, scope, "the number of samples")
    confidence = _confidence(node.confidence, scope)
    bound = dict.fromkeys(_policy_names(node.event, scope), (SELF, type.name))
    if len(bound) > 1:
        message = f"the event speaks of {len(bound)} undeclared policies: {', '.join(bound)}"
        scope.error("E201", node.event.span, message, "use one name for the sampled policy")
        return None
    event = statement(node.event, Roles(scope, bound, implicit=type.name))
    if event is not None and not bound and not _mentions_implicitly(node.event, scope):
        message = "the event does not mention the sampled policy, so it is the same for every sample"
        scope.error("E405", node.event.span, message, _sampled_hint(node.event, scope))
        return None
    if size is not None and not 1 <= size <= MAX_SAMPLES:
        scope.error("E411", node.size.span, f"the number of samples is from 1 to {MAX_SAMPLES}, but this is {show(size)}")
        return None
    if successes is not None and size is not None and not 0 <= successes <= size:
        scope.error("E411", node.successes.span, f"{show(successes)} of {show(size)} samples cannot satisfy the event")
        return None
    if successes is None or size is None or confidence is None or event is None:
        return None
    try:
        typed = spec.Event(SELF, formula(event, node.event.span), scope.text(node.event.span))
    except IllTyped as broken:
        scope.refuse(broken)
        return None
    return spec.Samples(successes, size, typed, confidence, node.span)


def _policy_names(event: syntax.Expr, scope: Scope) -> list[str]:
    """The sampled policy has no binder: it is the undeclared name that scores and properties are applied to."""
    return list(dict.fromkeys(name for name in _applied_to(event, scope) if scope.kind(name) is None))


def _applied_to(event: Any, scope: Scope) -> Iterator[str]:
    todo: list[Any] = [event]
    while todo:
        node = todo.pop()
        if isinstance(node, (syntax.ExpectedReward, syntax.PathProbability)):
            continue
        if isinstance(node, syntax.Call):
            function = node.function
            called = function.name if isinstance(function, syntax.Name) else None
            objective = isinstance(function, (syntax.ExpectedReward, syntax.PathProbability))
            takes_policy = objective or called in scope.scores or called in scope.properties
            position = 0 if takes_policy else 1
            if (takes_policy or called == "near_optimal") and len(node.args) > position:
                argument = node.args[position]
                if isinstance(argument, syntax.Name):
                    yield argument.name
        todo.extend(reversed(list(parts(node))))


def _mentions_implicitly(event: syntax.Expr, scope: Scope) -> bool:
    """Whether a score, a property or an objective stands in it that is applied to no policy, as in ``satisfy Safe``."""
    todo: list[Any] = [event]
    while todo:
        node = todo.pop()
        match node:
            case syntax.ExpectedReward() | syntax.PathProbability():
                return True
            case syntax.Name(name=name) if name in scope.scores or name in scope.properties:
                return True
            case syntax.Call(function=syntax.Name(name="near_optimal"), args=args):
                todo.extend(args[2:])
            case syntax.Call(function=syntax.Name(name="max" | "min"), args=(_,)):
                pass
            case syntax.Call(function=syntax.Name(name=name), args=args):
                todo.extend(() if name in scope.scores or name in scope.properties else args)
            case syntax.Call():
                pass
            case _:
                todo.extend(parts(node))
    return False


def _sampled_hint(event: syntax.Expr, scope: Scope) -> str:
    """The sampled policy is any name without a declaration."""
    free = next(name for name in ("pi", "p", "sampled", "drawn") if scope.kind(name) is None or name == "drawn")
    hint = f"an undeclared name stands for the sampled policy, as in `Safe({free})`"
    if isinstance(event, syntax.Call) and isinstance(event.function, syntax.Name):
        args = [scope.text(arg.span) for arg in event.args]
        if event.function.name == "near_optimal" and len(args) == 3:
            return f"write `near_optimal({args[0]}, {free}, {args[2]})`: an undeclared name stands for the sampled policy"
        if len(args) == 1:
            return f"write `{event.function.name}({free})`: an undeclared name stands for the sampled policy"
    return hint


def _confidence(node: syntax.Expr, scope: Scope) -> Fraction | None:
    level = known_number(node, scope, "a confidence")
    if level is not None and not 0 < level < 1:
        scope.error("E411", node.span, f"a confidence lies strictly between 0 and 1, but this is {show(level)}")
        return None
    return level
