"""Numbers that depend on policies or on training -> formulas: comparisons of linear terms.

A number is affine in its terms, the greatest or least of several numbers (``abs(x)`` is the greater of x and -x),
or one of two by a condition.  All three are closed under sums and under multiples by constants, so every comparison
becomes, exactly, a boolean combination of affine comparisons.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import assert_never

from dsl.record import dataclass
from dsl.spec import ExpectationOf, ProbabilityOf, Term

Quantity = Term | ProbabilityOf | ExpectationOf

MAX_PIECES = 256


class TooManyPieces(Exception):
    pass


class NotLinear(Exception):
    pass


# ---------------------------------------------------------------- numbers


@dataclass(frozen=True, slots=True)
class Affine:
    terms: tuple[tuple[Fraction, Quantity], ...]
    constant: Fraction


@dataclass(frozen=True, slots=True)
class Extreme:
    """The greatest (``max``) or least (``min``) of the arguments."""

    kind: str
    args: tuple[Number, ...]


@dataclass(frozen=True, slots=True)
class Branch:
    condition: Statement
    then: Number
    otherwise: Number


Number = Affine | Extreme | Branch

# ---------------------------------------------------------------- statements


@dataclass(frozen=True, slots=True)
class Comparison:
    """``affine < 0`` or ``affine <= 0``; ``text`` is what the user wrote."""

    op: str
    affine: Affine
    text: str


@dataclass(frozen=True, slots=True)
class Known:
    value: bool


@dataclass(frozen=True, slots=True)
class Negation:
    arg: Statement


@dataclass(frozen=True, slots=True)
class Junction:
    kind: str  # "and" | "or"
    args: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Quantifier:
    kind: str  # "forall" | "exists"
    variables: tuple[tuple[str, str], ...]
    body: Statement


Statement = Comparison | Known | Negation | Junction | Quantifier

# ---------------------------------------------------------------- arithmetic


def number(value: Fraction | int) -> Affine:
    return Affine((), Fraction(value))


def term(quantity: Quantity) -> Affine:
    return Affine(((Fraction(1), quantity),), Fraction(0))


def constant_of(x: Number) -> Fraction | None:
    return x.constant if isinstance(x, Affine) and not x.terms else None


def add(x: Number, y: Number) -> Number:
    match x, y:
        case Affine(), Affine():
            return _sum(x, y)
        case Extreme(kind=kind, args=args), _:
            return capped(Extreme(kind, tuple(add(arg, y) for arg in args)))
        case Branch(), _:
            return capped(Branch(x.condition, add(x.then, y), add(x.otherwise, y)))
        case _:
            return add(y, x)


def total(numbers: Sequence[Number]) -> Number:
    """The sum; many affine numbers are added in one go."""
    coefficients: dict[Quantity, Fraction] = {}
    constant = Fraction(0)
    others: list[Number] = []
    for x in numbers:
        if isinstance(x, Affine):
            constant += x.constant
            for coefficient, quantity in x.terms:
                coefficients[quantity] = coefficients.get(quantity, Fraction(0)) + coefficient
        else:
            others.append(x)
    result: Number = Affine(tuple((c, q) for q, c in coefficients.items() if c), constant)
    for x in others:
        result = add(x, result)
    return result


def scale(factor: Fraction, x: Number) -> Number:
    match x:
        case Affine(terms=terms, constant=constant):
            return Affine(tuple((factor * c, t) for c, t in terms) if factor else (), factor * constant)
        case Extreme(kind=kind, args=args):
            turned = kind if factor >= 0 else ("min" if kind == "max" else "max")
            return Extreme(turned, tuple(scale(factor, arg) for arg in args))
        case Branch(condition=condition, then=then, otherwise=otherwise):
            return Branch(condition, scale(factor, then), scale(factor, otherwise))
        case _:
            assert_never(x)


def multiply(x: Number, y: Number) -> Number:
    """One of the two must be a constant, whichever way the conditions fall."""
    factor = constant_of(x)
    if factor is not None:
        return scale(factor, y)
    if isinstance(x, Branch):
        return capped(Branch(x.condition, multiply(x.then, y), multiply(x.otherwise, y)))
    if constant_of(y) is not None or isinstance(y, Branch):
        return multiply(y, x)
    raise NotLinear


def divide(x: Number, y: Number) -> Number:
    """By a constant; ZeroDivisionError if it is 0."""
    divisor = constant_of(y)
    if divisor is not None:
        return scale(1 / divisor, x)
    if isinstance(y, Branch):
        return capped(Branch(y.condition, divide(x, y.then), divide(x, y.otherwise)))
    raise NotLinear


def extreme(kind: str, args: Sequence[Number]) -> Number:
    known = [constant_of(arg) for arg in args]
    constants = [c for c in known if c is not None]
    if len(constants) == len(args):
        return number(max(constants) if kind == "max" else min(constants))
    return capped(Extreme(kind, tuple(args)))


def absolute(x: Number) -> Number:
    return extreme("max", [x, scale(Fraction(-1), x)])


def branch(condition: Statement, then: Number, otherwise: Number) -> Number:
    if isinstance(condition, Known):
        return then if condition.value else otherwise
    return capped(Branch(condition, then, otherwise))


def pieces(x: Number) -> int:
    match x:
        case Affine():
            return 1
        case Extreme(args=args):
            return sum(pieces(arg) for arg in args)
        case Branch(then=then, otherwise=otherwise):
            return pieces(then) + pieces(otherwise)
        case _:
            assert_never(x)


def capped(x: Number) -> Number:
    if pieces(x) > MAX_PIECES:
        raise TooManyPieces
    return x


def _sum(x: Affine, y: Affine) -> Affine:
    both = total([x, y])
    if not isinstance(both, Affine):
        raise TypeError("a sum of affine numbers is affine")
    return both


# ---------------------------------------------------------------- comparisons


def compare(op: str, left: Number, right: Number, text: str) -> Statement:
    """``== != < <= > >=`` as a combination of ``affine < 0`` and ``affine <= 0``."""
    match op:
        case "<" | "<=":
            return below(op, add(left, scale(Fraction(-1), right)), text)
        case ">" | ">=":
            return compare("<" if op == ">" else "<=", right, left, text)
        case "==":
            return junction("and", [compare("<=", left, right, text), compare("<=", right, left, text)])
        case "!=":
            return junction("or", [compare("<", left, right, text), compare("<", right, left, text)])
    raise ValueError(f"no comparison {op}")


def below(op: str, x: Number, text: str) -> Statement:
    """``x < 0`` or ``x <= 0``: the greatest is below when all are, the least when one is."""
    match x:
        case Affine(terms=(), constant=constant):
            return Known(constant < 0 or (op == "<=" and constant == 0))
        case Affine():
            return Comparison(op, x, text)
        case Extreme(kind=kind, args=args):
            return junction("and" if kind == "max" else "or", [below(op, arg, text) for arg in args])
        case Branch(condition=condition, then=then, otherwise=otherwise):
            return either(condition, below(op, then, text), below(op, otherwise, text))
        case _:
            assert_never(x)


def either(condition: Statement, then: Statement, otherwise: Statement) -> Statement:
    """``if condition then .. else ..`` on statements."""
    return junction("or", [junction("and", [condition, then]), junction("and", [Negation(condition), otherwise])])


def junction(kind: str, args: Sequence[Statement]) -> Statement:
    """Nested junctions of one kind become flat; one argument stands for itself."""
    flat: list[Statement] = []
    for arg in args:
        flat.extend(arg.args if isinstance(arg, Junction) and arg.kind == kind else (arg,))
    return flat[0] if len(flat) == 1 else Junction(kind, tuple(flat))


# ---------------------------------------------------------------- walks


def rewritten(statement: Statement, change: Callable[[Quantity], Quantity]) -> Statement:
    """Every term replaced; terms that become equal are added up."""
    match statement:
        case Comparison(op=op, affine=affine, text=text):
            return below(op, rewritten_affine(affine, change), text)
        case Known():
            return statement
        case Negation(arg=arg):
            return Negation(rewritten(arg, change))
        case Junction(kind=kind, args=args):
            return Junction(kind, tuple(rewritten(arg, change) for arg in args))
        case Quantifier(kind=kind, variables=variables, body=body):
            return Quantifier(kind, variables, rewritten(body, change))
        case _:
            assert_never(statement)


def rewritten_affine(affine: Affine, change: Callable[[Quantity], Quantity]) -> Affine:
    result = number(affine.constant)
    return _sum(result, Affine(tuple((c, change(q)) for c, q in affine.terms), Fraction(0)))


def comparisons(statement: Statement) -> list[Comparison]:
    found: list[Comparison] = []
    todo = [statement]
    while todo:
        node = todo.pop()
        match node:
            case Comparison():
                found.append(node)
            case Known():
                pass
            case Negation(arg=arg):
                todo.append(arg)
            case Junction(args=args):
                todo.extend(reversed(args))
            case Quantifier(body=body):
                todo.append(body)
            case _:
                assert_never(node)
    return found
