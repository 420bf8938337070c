"""JANI expressions -> typed expressions; constants are folded, functions expanded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction

from dsl import operators
from dsl.imported.jani_json import Broken, Node, Places, items, kind, need, string
from dsl.operators import IllTyped
from dsl.record import dataclass
from dsl.semantics import MAX_BITS, bits
from dsl.source import Span
from dsl.spec import Const, Expr
from dsl.types import Bool, Int, Rational, Type

MAX_DEPTH = 150  # of nested operators; chains of one operator count once
MAX_NODES = 2_000_000  # that one file may expand to
MAX_CASES = 1_000  # values of a variable argument of `pow` or `log`

JUNCTIONS = {"∧": "and", "∨": "or", "+": "+", "*": "*", "min": "min", "max": "max"}
BINARY = {"⇒": "=>", "=": "==", "≠": "!=", "<": "<", "≤": "<=", ">": ">", "≥": ">=", "-": "-", "/": "/"}
ROUNDING = {"floor": "floor", "ceil": "ceil"}

Resolve = Callable[[str, Node], Expr]  # a name and where it stands -> its meaning


@dataclass(frozen=True, slots=True)
class Scope:
    """What names mean: the parameters of the function that is being expanded, then what stands around all functions."""

    around: Resolve
    functions: Mapping[str, Function]
    bound: Mapping[str, Expr]

    def resolve(self, name: str, node: Node) -> Expr:
        return self.bound[name] if name in self.bound else self.around(name, node)


@dataclass(frozen=True, slots=True)
class Function:
    parameters: tuple[tuple[str, Type], ...]
    result: Type
    body: Node


class Expressions:
    """Translates the expressions of one file."""

    def __init__(self, places: Places) -> None:
        self.places = places
        self.notes: dict[str, None] = {}
        self.nodes = 0

    def read(self, node: Node, resolve: Resolve, functions: Mapping[str, Function]) -> Expr:
        """Raises Broken."""
        try:
            return self._read(node, Scope(resolve, functions, {}), 0)
        except IllTyped as error:
            raise Broken("E525", node, error.message, error.hint) from None

    def boolean(self, node: Node, resolve: Resolve, functions: Mapping[str, Function], what: str) -> Expr:
        expr = self.read(node, resolve, functions)
        if not isinstance(expr.type, Bool):
            raise Broken("E525", node, f"{what} is a truth value, but this is {operators.described(expr.type)}")
        return expr

    def number(self, node: Node, resolve: Resolve, functions: Mapping[str, Function], what: str) -> Expr:
        expr = self.read(node, resolve, functions)
        if not isinstance(expr.type, Int | Rational):
            raise Broken("E525", node, f"{what} is a number, but this is {operators.described(expr.type)}")
        return expr

    def _read(self, node: Node, scope: Scope, depth: int) -> Expr:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise Broken("E527", node, f"the expressions of the file have more than {MAX_NODES} parts when functions are expanded")
        if depth > MAX_DEPTH:
            raise Broken("E527", node, f"this expression is nested more than {MAX_DEPTH} deep")
        span = self.places.span(node)
        match node.value:
            case bool(value):
                return operators.constant(value, span)
            case int() | Fraction():
                return operators.rational(Fraction(node.value), span)
            case str(name):
                return scope.resolve(name, node)
            case dict(entries) if "op" in entries:
                return self._operation(node, string(entries["op"], "`op`"), scope, depth + 1, span)
            case dict(entries) if "constant" in entries:
                raise Broken("E523", node, "the constants e and π are not rational", "worlds have exact rational numbers")
            case dict():
                raise Broken("E521", node, "an expression of this form is not known: it has no `op`")
        raise Broken("E521", node, f"an expression is expected, not {kind(node)}")

    def _operation(self, node: Node, op: str, scope: Scope, depth: int, span: Span) -> Expr:
        def part(key: str, of: Node = node) -> Expr:
            return self._read(need(of, key, f"the operation `{op}`"), scope, depth)

        try:
            match op:
                case _ if op in JUNCTIONS:
                    args = [self._read(operand, scope, depth) for operand in _operands(node, op)]
                    return operators.nary(JUNCTIONS[op], args, span)
                case "-" if "exp" in node.value:  # type: ignore[operator]  # an object
                    return operators.unary("neg", part("exp"), span)
                case _ if op in BINARY:
                    return operators.binary(BINARY[op], part("left"), part("right"), span)
                case "¬":
                    return operators.unary("not", part("exp"), span)
                case "floor" | "ceil":
                    inner = need(node, "exp", f"the operation `{op}`")
                    if isinstance(inner.value, dict) and "op" in inner.value and inner.value["op"].value == "log":
                        return self._logarithm(inner, part("left", inner), part("right", inner), op, span)
                    return operators.unary(op, part("exp"), span)
                case "abs":
                    return operators.unary("abs", part("exp"), span)
                case "sgn":
                    return _sign(part("exp"), span)
                case "trc":
                    value = part("exp")
                    up, down = operators.unary("ceil", value, span), operators.unary("floor", value, span)
                    return operators.conditional(operators.binary("<", value, operators.constant(0, span), span), up, down, span)
                case "ite":
                    return self._conditional(node, scope, depth, span)
                case "%":
                    return self._remainder(part("left"), part("right"), span)
                case "pow":
                    return _power(node, part("left"), part("right"), span)
                case "log":
                    return self._logarithm(node, part("left"), part("right"), None, span)
                case "call":
                    return self._call(node, scope, depth)
        except IllTyped as error:
            raise Broken("E525", node, error.message, error.hint) from None
        raise Broken("E523", node, f"the operator `{op[:40]}` is not supported")

    def _conditional(self, node: Node, scope: Scope, depth: int, span: Span) -> Expr:
        """A chain of ``ite`` in the else branches counts as one level."""
        cases: list[tuple[Expr, Expr]] = []
        last = node
        while isinstance(last.value, dict) and "op" in last.value and last.value["op"].value == "ite":
            condition, then, last = (need(last, key, "the operation `ite`") for key in ("if", "then", "else"))
            cases.append((self._read(condition, scope, depth), self._read(then, scope, depth)))
        result = self._read(last, scope, depth)
        for condition_, then_ in reversed(cases):
            result = operators.conditional(condition_, then_, result, span)
        return result

    def _remainder(self, left: Expr, right: Expr, span: Span) -> Expr:
        for operand in (left, right):
            if not (isinstance(operand.type, Int) and operand.type.low is not None and operand.type.low >= 0):
                self.notes["a % b is read as a - b * floor(a / b), also where one of them is negative"] = None
        return operators.binary("mod", left, right, span)

    def _logarithm(self, node: Node, value: Expr, base: Expr, rounding: str | None, span: Span) -> Expr:
        if not isinstance(base, Const) or base.value <= 1:
            raise Broken("E523", node, "the base of a logarithm is a constant greater than 1")
        if isinstance(value, Const):
            result = _log(Fraction(value.value), Fraction(base.value), rounding)
            if result is None:
                raise Broken("E523", node, "this logarithm is no rational number", "round it with floor or ceil")
            return operators.constant(result, span)

        def case(k: int) -> Expr:
            result = _log(Fraction(k), Fraction(base.value), rounding)
            if result is None:
                raise Broken("E523", node, f"the logarithm of {k} is no rational number", "round it with floor or ceil")
            return operators.constant(result, span)

        return _cases(node, value, case, "the argument of `log`", span)

    def _call(self, node: Node, scope: Scope, depth: int) -> Expr:
        name = string(need(node, "function", "a call"), "the name of a function")
        function = scope.functions.get(name)
        if function is None:
            raise Broken("E524", node, f"there is no function `{name[:80]}`")
        args = items(need(node, "args", "a call"), "`args`")
        if len(args) != len(function.parameters):
            raise Broken("E525", node, f"`{name}` has {len(function.parameters)} parameters, but here are {len(args)} arguments")
        bound: dict[str, Expr] = {}
        for (parameter, type), arg in zip(function.parameters, args, strict=True):
            bound[parameter] = value = self._read(arg, scope, depth)
            if not operators.fits(value.type, type):
                raise Broken("E525", arg, f"`{parameter}` is {operators.described(type)}, but this is {operators.described(value.type)}")
        return self._read(function.body, Scope(scope.around, scope.functions, bound), depth)


def _operands(node: Node, op: str) -> list[Node]:
    """The operands of a chain of one operator, however it is nested, from left to right."""
    operands: list[Node] = []
    todo = [node]
    while todo:
        at = todo.pop()
        if isinstance(at.value, dict) and "op" in at.value and at.value["op"].value == op:
            todo += [need(at, "right", f"the operation `{op}`"), need(at, "left", f"the operation `{op}`")]
        else:
            operands.append(at)
    return operands


def _sign(value: Expr, span: Span) -> Expr:
    zero, one = operators.constant(0, span), operators.constant(1, span)
    rest = operators.conditional(operators.binary("<", value, zero, span), operators.constant(-1, span), zero, span)
    return operators.conditional(operators.binary(">", value, zero, span), one, rest, span)


def _power(node: Node, base: Expr, exponent: Expr, span: Span) -> Expr:
    if isinstance(exponent, Const):
        if isinstance(exponent.value, Fraction) and exponent.value.denominator != 1:
            raise Broken("E523", node, "a power with a fraction as its exponent may be irrational")
        return operators.binary("^", base, operators.constant(int(exponent.value), span), span)
    return _cases(node, exponent, lambda k: operators.binary("^", base, operators.constant(k, span), span), "the exponent of `pow`", span)


def _cases(node: Node, value: Expr, case: Callable[[int], Expr], what: str, span: Span) -> Expr:
    """One branch for each value of an integer whose range is known."""
    if not (isinstance(value.type, Int) and value.type.low is not None and value.type.high is not None):
        raise Broken("E523", node, f"{what} is a constant or an integer of known range")
    low, high = value.type.low, value.type.high
    if high - low >= MAX_CASES:
        raise Broken("E523", node, f"{what} has more than {MAX_CASES} values")
    result = case(high)
    for k in range(high - 1, low - 1, -1):
        result = operators.conditional(operators.binary("==", value, operators.constant(k, span), span), case(k), result, span)
    return result


def _log(value: Fraction, base: Fraction, rounding: str | None) -> int | None:
    """The logarithm rounded as asked, or itself if it is an integer."""
    if value <= 0:
        return None
    k, at = 0, Fraction(1)
    while at < value:
        k, at = k + 1, at * base
        if bits(at) > MAX_BITS:
            return None
    while at / base >= value:
        k, at = k - 1, at / base
        if bits(at) > MAX_BITS:
            return None
    # base^(k - 1) < value <= base^k
    if at == value or rounding == "ceil":
        return k
    return k - 1 if rounding == "floor" else None
