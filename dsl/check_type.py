"""A written type -> a type of values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

from dsl import spec, syntax
from dsl.check_expression import known_integer
from dsl.scope import Scope
from dsl.semantics import show
from dsl.types import Bool, Int, Rational, Type


def type_of(node: syntax.Type, scope: Scope, local: Mapping[str, spec.Expr] | None = None) -> Type | None:
    """A written type; a range has constant ends, which may use ``local``: parameters and loop names."""
    match node:
        case syntax.Name(name="bool"):
            return Bool()
        case syntax.Name(name="int"):
            return Int()
        case syntax.Name(name="rational"):
            return Rational()
        case syntax.Name(name=name) if name in scope.enums:
            return scope.enums[name]
        case syntax.Name(name=name, span=span):
            spellings = {"boolean": "bool", "Bool": "bool", "integer": "int", "Int": "int", "real": "rational", "float": "rational"}
            kind = scope.kind(name)
            if kind is not None:
                scope.error("E209", span, f"`{name}` is {kind}, not a type of values")
                return None
            near = spellings.get(name)
            hint = f"did you mean `{near}`?" if near else scope.similar(name, ["bool", "int", "rational", *scope.enums])
            scope.error("E201", span, f"`{name}` is not a type", hint)
            return None
        case syntax.Qualified(span=span):
            scope.error("E201", span, "this is not a type")
            return None
        case syntax.Range(low=low, high=high, span=span):
            a, b = known_integer(low, scope, "an end of a range", local), known_integer(high, scope, "an end of a range", local)
            if a is None or b is None:
                return None
            if a > b:
                scope.error("E216", span, f"the range {show(a)}..{show(b)} is empty")
                return None
            return Int(a, b)
        case _:
            assert_never(node)
