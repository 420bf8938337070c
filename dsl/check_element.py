"""An array and typed indices -> the value of an element, now or in the next state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dsl import arrays, spec, syntax
from dsl.arrays import Array
from dsl.check_name import Context, meaning
from dsl.operators import IllTyped, constant
from dsl.resolve import names_used
from dsl.source import Span


def want_element(node: syntax.Index, known: Array, indices: Sequence[spec.Expr], context: Context) -> None:
    """Indices that can name no element are an error here and now, unless a loop brought them."""
    arrays.want_indices(known, indices, node.span)
    if arrays.missing(known, indices) and not in_loop(node, context):
        raise IllTyped("E306", node.span, f"`{context.scope.text(node.span)}` does not exist", arrays.described(known))


def in_loop(node: syntax.Index, context: Context) -> bool:
    """Whether an index depends on a loop: then it may be wrong where it is never evaluated (``i > 0 and busy[i - 1]``)."""
    return any(name.name in context.local for arg in node.args for name in names_used(arg))


def element(node: syntax.Index, known: Array, indices: Sequence[spec.Expr], context: Context, primed: bool) -> spec.Expr | None:
    """None if an element has no type or meaning, because of an error in its declaration."""
    poisoned = False

    def value(name: str) -> spec.Expr:
        nonlocal poisoned
        expr = value_of(name, context, node.span, primed)
        poisoned = poisoned or expr is None
        return constant(False, node.span) if expr is None else expr

    context.scope.charge(0 if all(isinstance(i, spec.Const) for i in indices) else 4 * len(known.elements), node.span)
    labels = context.world is not None and next(iter(known.elements.values())) in context.world.labels
    if labels and arrays.missing(known, indices):  # an error wherever it is evaluated, so no label need be known
        return arrays.read(known, indices, lambda _: constant(True, node.span), node.span)
    expr = arrays.read(known, indices, value, node.span)
    return None if poisoned else expr


def value_of(name: str, context: Context, span: Span, primed: bool) -> spec.Expr | None:
    """A variable or label by its full name; only variables have a next state."""
    if primed and context.world is not None and name in context.world.labels:
        label = context.scope.text(span).removesuffix("'")
        raise IllTyped("E210", span, "only a variable has a prime", f"`{label}` is a label: write its condition with primes")
    expr = meaning(name, context, span)
    return replace(expr, primed=True) if primed and isinstance(expr, spec.Var) else expr
