"""The syntax of claims, theorems, finds and assumptions -> statements of the Spec."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import assert_never

from dsl import affine, resolve, spec, syntax
from dsl.affine import Comparison, Junction, Known, Negation, Quantifier, Statement
from dsl.check_expression import known_number
from dsl.check_formula import prefixed
from dsl.lower import measure_formula, quantified
from dsl.operators import IllTyped
from dsl.policy_terms import Roles
from dsl.scope import Scope
from dsl.semantics import show

StatementNode = syntax.Claim | syntax.Theorem | syntax.Find | syntax.Assume


def check_statement(node: StatementNode, scope: Scope) -> spec.Claim | spec.Find | spec.Assume | None:
    text = scope.text(node.span)
    try:
        match node:
            case syntax.Claim(name=name, span=span):
                body = _body(node, scope)
                return None if body is None else spec.Claim(name.name, "claim", body, None, text, span)
            case syntax.Theorem(name=name, by=by, span=span):
                body = _body(node, scope)
                used = None if by is None else tuple(used.name for used in by)
                return None if body is None else spec.Claim(name.name, "theorem", body, used, text, span)
            case syntax.Assume(name=name, because=because, span=span):
                body = _body(node, scope)
                return None if body is None else spec.Assume(name.name, body, because.value, text, span)
            case syntax.Find():
                return _find(node, scope)
            case _:
                assert_never(node)
    except IllTyped as broken:
        scope.refuse(broken)
        return None


def _body(node: syntax.Claim | syntax.Theorem | syntax.Assume, scope: Scope) -> spec.Quantified | spec.MeasureFormula | None:
    found = prefixed(node.body, Roles(scope, measures=True))
    if found is None:
        return None
    kinds = {
        isinstance(quantity, (spec.ProbabilityOf, spec.ExpectationOf))
        for comparison in affine.comparisons(found)
        for _, quantity in comparison.affine.terms
    }
    if kinds == {True, False}:
        message = "one claim mixes values of policies with probabilities over training"
        raise IllTyped("E412", node.body.span, message, "state the two in separate claims and join them in a theorem")
    return measure_formula(found, node.body.span) if kinds == {True} else quantified(found, node.body.span)


# ---------------------------------------------------------------- find


def _find(node: syntax.Find, scope: Scope) -> spec.Find | None:
    name, interval = node.name.name, node.interval
    low, high = _end(interval.low, scope), _end(interval.high, scope)
    found = prefixed(node.body, Roles(scope, unknown=name))
    if low is None or high is None or found is None:
        return None
    _check_interval(interval, low[0], high[0])
    if low[1] > 0 or high[1] < 0:
        raise IllTyped("E408", interval.span, "an interval runs from the lower end to the upper")
    directions = set(_directions(found, name))
    if not directions:
        raise IllTyped("E408", node.body.span, f"the claim does not mention `{name}`")
    wanted = -1 if node.kind == "maximal" else 1
    if directions != {wanted}:
        other = "minimal" if node.kind == "maximal" else "maximal"
        reached = "smaller" if node.kind == "maximal" else "greater"
        hint = f"did you mean `{other}`?" if directions == {-wanted} else "use the variable once, or on one side"
        message = f"`{node.kind}` needs a claim that still holds for {reached} values of `{name}`, and this one need not"
        raise IllTyped("E408", node.body.span, message, hint)
    body = quantified(found, node.body.span)
    return spec.Find(
        name, node.kind, low[0], interval.low_closed, high[0], interval.high_closed, body, scope.text(node.span), node.span
    )


def _end(node: syntax.Expr, scope: Scope) -> tuple[Fraction | None, int] | None:
    """An end of an interval and the sign of its infinity, 0 if it is finite."""
    match node:
        case syntax.Name(name="infinity"):
            return None, 1
        case syntax.Unary(op="-", arg=syntax.Name(name="infinity")):
            return None, -1
    value = known_number(node, scope, "an end of an interval")
    return None if value is None else (value, 0)


def _check_interval(interval: syntax.Interval, low: Fraction | None, high: Fraction | None) -> None:
    if (low is None and interval.low_closed) or (high is None and interval.high_closed):
        raise IllTyped("E408", interval.span, "an infinite end of an interval is open", "write a round bracket")
    if low is None or high is None:
        return
    if low > high or (low == high and not (interval.low_closed and interval.high_closed)):
        raise IllTyped("E408", interval.span, f"no number lies in the interval from {show(low)} to {show(high)}")


def _directions(statement: Statement, name: str) -> Iterable[int]:
    """For each occurrence of the variable: +1 if a greater value can only make the claim true, -1 if only false."""
    todo: list[tuple[Statement, int]] = [(statement, 1)]
    while todo:
        node, polarity = todo.pop()
        match node:
            case Comparison(affine=number):
                for coefficient, quantity in number.terms:
                    if quantity == spec.Unknown(name):
                        yield -polarity if coefficient > 0 else polarity
            case Negation(arg=arg):
                todo.append((arg, -polarity))
            case Junction(args=args):
                todo.extend((arg, polarity) for arg in args)
            case Quantifier(body=body):
                todo.append((body, polarity))
            case Known():
                pass
            case _:
                assert_never(node)


# ---------------------------------------------------------------- what a theorem rests on


def check_premises(nodes: Sequence[StatementNode], scope: Scope) -> None:
    """What stands after ``by`` is a claim, a theorem or an assumption, and theorems do not rest on each other in a circle."""
    provable = {n.name.name: n for n in nodes if not isinstance(n, syntax.Find)}
    uses: dict[str, list[str]] = {name: [] for name in provable}
    for node in nodes:
        if not isinstance(node, syntax.Theorem):
            continue
        for used in node.by or ():
            if used.name in provable:
                uses[node.name.name].append(used.name)
                continue
            kind = scope.kind(used.name)
            message = f"`{used.name}` is {kind}, not a claim" if kind else f"`{used.name}` is not a claim"
            scope.error("E409", used.span, message, None if kind else scope.similar(used.name, provable))
    for cycle in resolve.components(uses):
        if len(cycle) > 1 or cycle[0] in uses[cycle[0]]:
            node = min((provable[name] for name in cycle), key=lambda n: (n.span.file, n.span.line, n.span.column))
            scope.error("E409", node.name.span, f"theorem `{node.name.name}` rests on itself: {', '.join(sorted(cycle)[:8])}")
