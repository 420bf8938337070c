"""An expression of a PRISM model -> a typed expression over the variables of the world; names are looked up, formulas written out.

Numbers are exact: ``0.1`` is 1/10, ``/`` is division of rationals.  ``mod(a, b)`` wants b > 0 and is never negative,
``round(x)`` is floor(x + 1/2).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from dsl import operators, spec
from dsl.imported import prism_functions as functions
from dsl.imported import prism_syntax as syntax
from dsl.imported.prism_lexer import Positions
from dsl.imported.request import Problems
from dsl.operators import IllTyped, constant
from dsl.scope import MAX_SIZE, Scope
from dsl.semantics import EvaluationError
from dsl.source import Span
from dsl.types import Bool, Int, Rational, Type

MAX_DEPTH = 250  # formulas written out
MAX_EXPANSION = 2_000_000  # nodes that all the uses of formulas may come to


class Renaming:
    """The replacement of names that makes one module of another; the identity for the text as it stands."""

    def __init__(self, pairs: dict[str, str] | None = None, inner: Renaming | None = None) -> None:
        self.pairs = pairs or {}
        self.inner = inner

    def __call__(self, name: str) -> str:
        before = name if self.inner is None else self.inner(name)
        return self.pairs.get(before, before)


IDENTITY = Renaming()


class Typist:
    """The names of one model and what they stand for; None: declared, but wrong (and said)."""

    def __init__(self, positions: Positions, problems: Problems) -> None:
        self.positions, self.problems = positions, problems
        self.constants: dict[str, spec.Const | None] = {}
        self.variables: dict[str, Type | None] = {}
        self.formulas: dict[str, syntax.Formula] = {}
        self.done: dict[tuple[str, Renaming], spec.Expr | None] = {}
        self.uses: dict[str, list[str]] = {}  # the formulas that a formula uses; none for one that is circular
        self.circular: set[str] = set()
        self.sizes = Scope({})
        self.expanded = 0

    def span(self, node: syntax.Expr | syntax.Assignment | syntax.Update | syntax.Command | syntax.RewardItem) -> Span:
        return self.positions.span(node.start, node.end)

    # ------------------------------------------------ entry points

    def condition(self, node: syntax.Expr, renaming: Renaming, what: str) -> spec.Expr | None:
        expr = self.check(node, renaming)
        if expr is not None and not isinstance(expr.type, Bool):
            message = f"{what} must be a truth value, but this is {operators.described(expr.type)}"
            self.problems.error("E525", self.span(node), message)
            return None
        return expr

    def quantity(self, node: syntax.Expr, renaming: Renaming, what: str) -> spec.Expr | None:
        expr = self.check(node, renaming)
        if expr is not None and isinstance(expr.type, Bool):
            self.problems.error("E525", self.span(node), f"{what} must be a number, but this is a truth value", "write `... ? 1 : 0`")
            return None
        return expr

    def value(self, node: syntax.Expr, renaming: Renaming, name: str, type: Type) -> spec.Expr | None:
        """An expression that a variable or constant of this type can hold; ranges are not compared."""
        expr = self.check(node, renaming)
        if expr is None or operators.fits(expr.type, type):
            return None if expr is None else operators.converted(expr, type)
        hint = "round it: `floor(...)`, `ceil(...)`" if isinstance(type, Int) and isinstance(expr.type, Rational) else None
        message = f"`{name}` holds {operators.described(type)}, but this is {operators.described(expr.type)}"
        self.problems.error("E525", self.span(node), message, hint)
        return None

    def known(self, expr: spec.Expr | None, what: str) -> spec.Const | None:
        """The value of an expression that reads no variable."""
        if expr is None:
            return None
        try:
            value = operators.constant_value(expr)
        except EvaluationError as error:
            self.problems.error(error.code, error.span, error.message)
            return None
        if value is None:
            self.problems.error("E525", expr.span, f"{what} must be a constant")
            return None
        return expr if isinstance(expr, spec.Const) else constant(value, expr.span)

    def check(self, node: syntax.Expr, renaming: Renaming) -> spec.Expr | None:
        """None if something in it is wrong (and was said)."""
        try:
            expr = self.typed(node, renaming)
        except IllTyped as broken:
            self.problems.error("E525" if broken.code == "E206" else broken.code, broken.span, broken.message, broken.hint)
            return None
        if expr is not None:
            size, depth = self.sizes.measure(expr)
            if depth > MAX_DEPTH or size > MAX_SIZE:
                message = f"with its formulas written out, this expression has {size:,} parts and is {depth} deep"
                self.problems.error("E527", self.span(node), message, f"at most {MAX_SIZE:,} parts and depth {MAX_DEPTH}")
                return None
        return expr

    # ------------------------------------------------ the rules

    def typed(self, node: syntax.Expr, renaming: Renaming) -> spec.Expr | None:
        match node:
            case syntax.Number(value=value) | syntax.Boolean(value=value):
                return constant(value, self.span(node))
            case syntax.Name():
                return self.named(node, renaming)
            case syntax.Apply(op=op, args=args):
                span = self.span(node)
                if op not in RULES:
                    op = renaming(op)  # functions are renamed like everything else
                if op not in RULES and op not in functions.RULES:
                    for arg in args:
                        self.check(arg, renaming)
                    hint = self.problems.similar(op, functions.RULES)
                    raise IllTyped("E524", span, f"PRISM has no function `{op}`", hint)
                if op in ("floor", "ceil") and isinstance(args[0], syntax.Apply) and args[0].op == "log" and len(args) == 1:
                    exact = self.rounded_log(op, args[0], renaming, span)
                    if exact is not None:
                        return exact
                ready: list[spec.Expr] = []
                for arg in args:  # no comprehension: it would cost a frame of the stack on every level
                    checked = self.check(arg, renaming)
                    if checked is not None:
                        ready.append(checked)
                if len(ready) < len(args):
                    return None
                return RULES[op](op, ready, span) if op in RULES else functions.RULES[op](op, ready, span)

    def rounded_log(self, op: str, node: syntax.Apply, renaming: Renaming, span: Span) -> spec.Expr | None:
        """A logarithm is irrational as a rule, but rounded it is known exactly."""
        checked = [self.check(arg, renaming) for arg in node.args]
        ready = [arg for arg in checked if isinstance(arg, spec.Const)]
        return functions.rounded_logarithm(op, ready, span) if len(ready) == len(checked) == 2 else None

    def named(self, node: syntax.Name, renaming: Renaming) -> spec.Expr | None:
        """A formula is written out before a module is renamed, so what is renamed is its contents."""
        name, span = node.text, self.span(node)
        if name in self.formulas:
            return self.formula(name, renaming, span)
        name = renaming(name)
        if name in self.formulas:
            return self.formula(name, IDENTITY, span)
        if name in self.constants:
            value = self.constants[name]
            return None if value is None else spec.Const(value.value, value.type, span)
        if name in self.variables:
            type = self.variables[name]
            return None if type is None else spec.Var(name, type, False, span)
        renamed = f" (here renamed from `{node.text}`)" if name != node.text else ""
        hint = self.problems.similar(name, [*self.variables, *self.constants, *self.formulas])
        raise IllTyped("E524", span, f"`{name}`{renamed} is not declared", hint)

    def formula(self, name: str, renaming: Renaming, span: Span) -> spec.Expr | None:
        """What a formula uses is written out before it, so that long chains of formulas need no deep recursion."""
        todo = [name]
        while todo:
            current = todo[-1]
            missing = [used for used in self.uses.get(current, ()) if (used, renaming) not in self.done]
            if missing and (current, renaming) not in self.done:
                todo.extend(missing)
                continue
            todo.pop()
            if (current, renaming) not in self.done:
                self.done[current, renaming] = None if current in self.circular else self.check(self.formulas[current].body, renaming)
        meaning = self.done[name, renaming]
        if meaning is not None:
            self.expanded += self.sizes.measure(meaning)[0]
            if self.expanded > MAX_EXPANSION:
                raise IllTyped("E527", span, f"the formulas of the model come to more than {MAX_EXPANSION:,} parts, written out")
        return meaning


# ---------------------------------------------------------------- operators


def _junction(op: str, args: Sequence[spec.Expr], span: Span) -> spec.Expr:
    for arg in args:
        _want_bool(arg, op)
    return operators.nary("and" if op == "&" else "or", args, span)


def _implication(op: str, args: Sequence[spec.Expr], span: Span) -> spec.Expr:
    for arg in args:
        _want_bool(arg, op)
    return operators.binary(op, args[0], args[1], span)


def _negation(op: str, args: Sequence[spec.Expr], span: Span) -> spec.Expr:
    _want_bool(args[0], op)
    return operators.unary("not", args[0], span)


def _equality(op: str, args: Sequence[spec.Expr], span: Span) -> spec.Expr:
    if operators.joined(args[0].type, args[1].type) is None:
        found = f"{operators.described(args[0].type)} with {operators.described(args[1].type)}"
        raise IllTyped("E525", span, f"`{op}` compares {found}")
    return operators.binary("==" if op == "=" else op, args[0], args[1], span)


def _order(op: str, args: Sequence[spec.Expr], span: Span) -> spec.Expr:
    for arg in args:
        functions.want_number(arg, f"`{op}`")
    return operators.binary(op, args[0], args[1], span)


def _arithmetic(op: str, args: Sequence[spec.Expr], span: Span) -> spec.Expr:
    for arg in args:
        functions.want_number(arg, f"`{op}`")
    return operators.nary(op, args, span)


def _quotient(op: str, args: Sequence[spec.Expr], span: Span) -> spec.Expr:
    for arg in args:
        functions.want_number(arg, f"`{op}`")
    return operators.binary("/", args[0], args[1], span)


def _negative(op: str, args: Sequence[spec.Expr], span: Span) -> spec.Expr:  # noqa: ARG001
    functions.want_number(args[0], "`-`")
    return operators.unary("neg", args[0], span)


def _conditional(op: str, args: Sequence[spec.Expr], span: Span) -> spec.Expr:  # noqa: ARG001
    _want_bool(args[0], "?")
    if operators.joined(args[1].type, args[2].type) is None:
        found = f"{operators.described(args[1].type)} and {operators.described(args[2].type)}"
        raise IllTyped("E525", span, f"the branches of `?` are {found}")
    return operators.conditional(args[0], args[1], args[2], span)


def _want_bool(arg: spec.Expr, op: str) -> None:
    if not isinstance(arg.type, Bool):
        raise IllTyped("E525", arg.span, f"`{op}` needs a truth value, but this is {operators.described(arg.type)}")


RULES: dict[str, Callable[[str, Sequence[spec.Expr], Span], spec.Expr]] = {
    "&": _junction,
    "|": _junction,
    "=>": _implication,
    "<=>": _implication,
    "!": _negation,
    "=": _equality,
    "!=": _equality,
    "<": _order,
    "<=": _order,
    ">": _order,
    ">=": _order,
    "+": _arithmetic,
    "*": _arithmetic,
    "/": _quotient,
    syntax.MINUS: _negative,
    "?:": _conditional,
}


def names_in(node: syntax.Expr) -> Iterator[str]:
    """Every name that an expression reads."""
    todo: list[syntax.Expr] = [node]
    while todo:
        current = todo.pop()
        if isinstance(current, syntax.Name):
            yield current.text
        elif isinstance(current, syntax.Apply):
            todo.extend(current.args)
