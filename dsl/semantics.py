"""The reference semantics: one expression in one state -> its exact value; one world in one state -> its choices.

Slow and obvious on purpose: the explorer is compared with it, and every counterexample is replayed by it.
A state maps each variable to a ``bool`` or an ``int`` (an enum: the index of the member).
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import product
from math import ceil, floor, prod
from typing import assert_never

from dsl.record import dataclass
from dsl.source import Span
from dsl.spec import (
    Action,
    Assignment,
    Binary,
    Const,
    Expr,
    Grid,
    If,
    InitOutcomes,
    InitUniform,
    Lookup,
    Nary,
    Outcome,
    RewardClause,
    Synchronised,
    Table,
    Unary,
    Var,
    Variable,
    World,
)
from dsl.types import Bool, Char, Enum, Int, Rational, Type

State = Mapping[str, bool | int]
Value = bool | int | Fraction

DEADLOCK = "(deadlock)"  # the action of the self-loop that `deadlock absorbs` adds; it earns no reward
MAX_BITS = 10_000  # of a numerator or denominator; also keeps every number printable
MAX_VALUATIONS = 1_000_000  # that `init uniform` may try


class EvaluationError(Exception):
    """A state in which the world-model makes no sense: ``code`` is E3xx."""

    def __init__(self, code: str, message: str, span: Span) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.span = span


# ---------------------------------------------------------------- expressions

Steps = Generator[Expr, Value, Value]


def evaluate(expr: Expr, state: State, next_state: State | None = None) -> Value:
    """The value of ``expr``: bool for Bool, int for Int, Enum and Char, Fraction for Rational.

    The rules yield the subexpressions they need, so no expression is too deep for the interpreter's stack.
    """
    rules: list[Steps] = [_rule(expr, state, next_state)]
    value: Value | None = None
    while rules:
        try:
            needed = rules[-1].send(value)  # type: ignore[arg-type]  # None starts a generator
        except StopIteration as done:
            rules.pop()
            value = done.value
        else:
            rules.append(_rule(needed, state, next_state))
            value = None
    return value  # type: ignore[return-value]  # the last rule returned it


def holds(condition: Expr, state: State) -> bool:
    """Whether a state condition is true."""
    return evaluate(condition, state) is True


def _rule(expr: Expr, state: State, next_state: State | None) -> Steps:
    match expr:
        case Const(value=value):
            return _typed(value, expr)
        case Var(name=name, primed=primed):
            if not primed:
                return _typed(state[name], expr)
            if next_state is None:
                raise ValueError(f"{name}' has no value where there is no next state")
            return _typed(next_state[name], expr)
        case Unary(op=op, arg=arg):
            return _typed(unary(op, (yield arg)), expr)
        case Nary(op="and", args=args):
            for arg in args:
                if not (yield arg):
                    return False
            return True
        case Nary(op="or", args=args):
            for arg in args:
                if (yield arg):
                    return True
            return False
        case Nary(op=op, args=args):
            total: Value = yield args[0]
            for arg in args[1:]:
                total = _sized(binary(op, total, (yield arg), expr.span), expr.span)
            return _typed(total, expr)
        case Binary(op="=>", left=left, right=right):
            premise = yield left
            return (yield right) if premise else True
        case Binary(op=op, left=left, right=right):
            a = yield left
            b = yield right
            return _typed(_sized(binary(op, a, b, expr.span), expr.span), expr)
        case If(condition=condition, then=then, otherwise=otherwise):
            taken: Expr = then if (yield condition) else otherwise
            return _typed((yield taken), expr)
        case Lookup(grid=grid, x=x, y=y):
            column = yield x
            row = yield y
            return cell(grid, int(column), int(row), expr.span)
        case _:
            assert_never(expr)


def unary(op: str, value: Value) -> Value:
    match op:
        case "not":
            return not value
        case "neg":
            return -value
        case "abs":
            return value if value >= 0 else -value
        case "floor":
            return floor(value)
        case "ceil":
            return ceil(value)
    raise ValueError(f"no unary operator {op}")


def binary(op: str, a: Value, b: Value, span: Span) -> Value:
    """Every operator of two values that is not short-circuit; numbers are exact."""
    match op:
        case "+":
            return a + b
        case "-":
            return a - b
        case "*":
            return a * b
        case "/" | "div" | "mod" if b == 0:
            raise EvaluationError("E304", f"division by zero in `{op}`", span)
        case "/":
            return Fraction(a) / b
        case "div":
            return a // b
        case "mod":
            return a % b
        case "^":
            return power(a, int(b), span)
        case "min":
            return min(a, b)
        case "max":
            return max(a, b)
        case "==":
            return a == b
        case "<=>":
            return a == b
        case "!=":
            return a != b
        case "<":
            return a < b
        case "<=":
            return a <= b
        case ">":
            return a > b
        case ">=":
            return a >= b
    raise ValueError(f"no binary operator {op}")


def power(base: Value, exponent: int, span: Span) -> int | Fraction:
    """``base ^ exponent``, refused before it is computed if it would be too large."""
    if base == 0 and exponent < 0:
        raise EvaluationError("E304", "division by zero: 0 to a negative power", span)
    if base not in (0, 1, -1) and (bits(base) - 1) * abs(exponent) > MAX_BITS:
        raise EvaluationError("E309", f"this power has more than {MAX_BITS} bits", span)
    result: int | Fraction = Fraction(base) ** exponent
    return int(result) if not isinstance(base, Fraction) and exponent >= 0 else result


def bits(value: Value) -> int:
    """Of the longer of numerator and denominator."""
    return max(value.numerator.bit_length(), value.denominator.bit_length())


def cell(grid: Grid, x: int, y: int, span: Span) -> int:
    """The code point at column x, row y."""
    if not (0 <= y < len(grid.rows) and 0 <= x < len(grid.rows[y])):
        if grid.element is not None:
            raise EvaluationError("E306", f"`{grid.name}` has no element with index {show(x + grid.element)}", span)
        width, height = (len(grid.rows[0]) if grid.rows else 0), len(grid.rows)
        raise EvaluationError("E306", f"`{grid.name}[{show(x)}, {show(y)}]` is outside the grid of {width} columns and {height} rows", span)
    return grid.rows[y][x]


def _typed(value: Value, expr: Expr) -> Value:
    return Fraction(value) if isinstance(expr.type, Rational) else value


def _sized(value: Value, span: Span) -> Value:
    if bits(value) > MAX_BITS:
        raise EvaluationError("E309", f"this number has more than {MAX_BITS} bits", span)
    return value


# ---------------------------------------------------------------- worlds


STEP = "step"  # the one choice of a state of a chain


@dataclass(frozen=True, slots=True)
class Choice:
    """One enabled action: distinct successors in order of first appearance, probabilities > 0 that sum to 1.

    ``label`` is what reward clauses call it (None: its action).
    """

    action: str
    outcomes: tuple[tuple[dict[str, bool | int], Fraction], ...]
    label: str | None = None


def initial_states(world: World) -> list[tuple[dict[str, bool | int], Fraction]]:
    """Distinct states with probabilities > 0 that sum to 1."""
    defaults = {v.name: v.initial for v in world.variables if v.initial is not None}
    if world.table is not None:
        return [({world.variables[0].name: state}, p) for state, p in world.table.initial]
    match world.init:
        case None:
            return _distinct(world, [(_complete(world, defaults, world.span), Fraction(1))])
        case InitOutcomes(outcomes=outcomes, span=span):
            branches = []
            for outcome in outcomes:
                probability = _probability(outcome, defaults)
                state = _complete(world, _assigned(world, outcome, defaults), outcome.span)
                branches.append((state, probability))
            _sums_to_one([p for _, p in branches], "E308", "the initial probabilities", span)
            return _distinct(world, branches)
        case InitUniform(condition=condition, span=span):
            states = list(_satisfying(world, condition, defaults, span))
            if not states:
                raise EvaluationError("E308", "no state satisfies the condition of `init uniform`", span)
            return _distinct(world, [(state, Fraction(1, len(states))) for state in states])
        case _:
            assert_never(world.init)


def enabled(world: World, state: State) -> list[Choice]:
    """The choices of one state, in the order of the declarations."""
    if world.table is not None:
        return _listed(world, world.table, state)
    choices = commands(world, state)
    if world.chain and choices:
        share = Fraction(1, len(choices))
        return [Choice(STEP, tuple(_distinct(world, [(after, share * p) for c in choices for after, p in c.outcomes])))]
    if choices:
        return choices
    if world.deadlock_absorbs:
        return [Choice(DEADLOCK, ((dict(state), Fraction(1)),))]
    raise EvaluationError("E303", f"no action of world `{world.name}` is enabled", world.span)


def commands(world: World, state: State) -> list[Choice]:
    """The commands, and combinations of synchronised commands, that are enabled in one state."""
    choices: list[Choice] = []
    for action in world.actions:
        if isinstance(action, Synchronised):
            choices.extend(_together(world, action, state))
        elif action.guard is None or holds(action.guard, state):
            _alone(action.name, action.span, choices)
            choices.append(Choice(action.name, tuple(_branches(world, [action], state)), action.label))
    return choices


def _alone(name: str, span: Span, choices: Sequence[Choice]) -> None:
    if any(choice.action == name for choice in choices):
        raise EvaluationError("E305", f"two actions named `{name}` are enabled", span)


def _together(world: World, action: Synchronised, state: State) -> Iterator[Choice]:
    parts = [[(k, c) for k, c in enumerate(part) if c.guard is None or holds(c.guard, state)] for part in action.parts]
    if not world.numbered and all(parts) and any(len(part) > 1 for part in parts):
        raise EvaluationError("E305", f"two actions named `{action.name}` are enabled", action.span)
    for combination in product(*parts):
        places = [str(k + 1) for (k, _), part in zip(combination, action.parts, strict=True) if len(part) > 1]
        name = f"{action.name}#{'.'.join(places)}" if world.numbered and places else action.name
        label = action.name if action.label is None else action.label
        yield Choice(name, tuple(_branches(world, [c for _, c in combination], state)), label)


def _listed(world: World, table: Table, state: State) -> list[Choice]:
    here = int(state[world.variables[0].name])
    variable = world.variables[0].name
    choices = []
    for c in range(table.choice_start[here], table.choice_start[here + 1]):
        row = range(table.transition_start[c], table.transition_start[c + 1])
        outcomes = tuple(({variable: int(table.successor[t])}, table.probabilities[table.probability[t]]) for t in row)
        choices.append(Choice(table.actions[table.action[c]], outcomes))
    return choices


Drawn = Sequence[tuple[Choice, Mapping[tuple[bool | int, ...], Fraction]]]


def drawn(world: World, state: State) -> Drawn:
    """The commands that a chain draws from in one state, each with its probabilities of the next valuations."""
    return [(command, {_valuation(world, after): p for after, p in command.outcomes}) for command in commands(world, state)]


def _valuation(world: World, state: State) -> tuple[bool | int, ...]:
    return tuple(state[variable.name] for variable in world.variables)


def reward(world: World, reward_name: str, state: State, choice: Choice, next_state: State, among: Drawn | None = None) -> Fraction:
    """What one transition earns: the sum of the clauses that apply.

    The absorbing self-loop earns 0, or if the world says ``deadlock_pays`` the clauses without an action.
    A transition of a chain that several commands share earns the average over them, weighted by their probabilities;
    ``among`` is ``drawn`` of the state, for callers that ask about many of its transitions.
    """
    if choice.action == DEADLOCK and not world.deadlock_pays:
        return Fraction(0)
    if world.table is not None:
        return _paid(world, world.table, reward_name, state, choice, next_state)
    declaration = next(r for r in world.rewards if r.name == reward_name)
    if choice.action == DEADLOCK:
        of_states = (clause for clause in declaration.clauses if clause.action is None)
        return sum((_clause(clause, state, choice, next_state) for clause in of_states), Fraction(0))
    if not world.chain:
        return sum((_clause(clause, state, choice, next_state) for clause in declaration.clauses), Fraction(0))
    earned, total = Fraction(0), Fraction(0)
    next_valuation = _valuation(world, next_state)
    for command, shares in drawn(world, state) if among is None else among:
        share = shares.get(next_valuation)
        if share:
            earned += share * sum((_clause(clause, state, command, next_state) for clause in declaration.clauses), Fraction(0))
            total += share
    return earned / total


def _paid(world: World, table: Table, reward_name: str, state: State, choice: Choice, next_state: State) -> Fraction:
    variable = world.variables[0].name
    index, values = table.rewards[reward_name]
    for c in range(table.choice_start[state[variable]], table.choice_start[state[variable] + 1]):
        if table.actions[table.action[c]] == choice.action:
            row = range(table.transition_start[c], table.transition_start[c + 1])
            return values[index[next(t for t in row if table.successor[t] == next_state[variable])]]
    raise ValueError(f"{choice.action} is not enabled")


def _clause(clause: RewardClause, state: State, choice: Choice, next_state: State) -> Fraction:
    if clause.action is not None and clause.action != (choice.action if choice.label is None else choice.label):
        return Fraction(0)
    if clause.guard is not None and not evaluate(clause.guard, state, next_state):
        return Fraction(0)
    return Fraction(evaluate(clause.value, state, next_state))


def _branches(world: World, together: Sequence[Action], state: State) -> list[tuple[dict[str, bool | int], Fraction]]:
    """The outcomes of commands that are taken at the same time."""
    branches: list[tuple[tuple[Outcome, ...], Fraction]] = [((), Fraction(1))]
    for action in together:
        weights = [(_probability(outcome, state), outcome) for outcome in action.outcomes]
        _sums_to_one([p for p, _ in weights], "E302", f"the probabilities of action `{action.name}`", action.span)
        # an outcome of probability 0 never happens, so what it would assign is not looked at
        branches = [((*done, outcome), p * q) for done, p in branches for q, outcome in weights if q]
    return _distinct(world, [(_assigned_by(world, outcomes, state), p) for outcomes, p in branches])


def _probability(outcome: Outcome, state: State) -> Fraction:
    value = Fraction(evaluate(outcome.probability, state))
    if value < 0:
        raise EvaluationError("E302", f"the probability {show(value)} is negative", outcome.span)
    return value


def _sums_to_one(probabilities: list[Fraction], code: str, what: str, span: Span) -> None:
    total = sum(probabilities, Fraction(0))
    if total != 1:
        raise EvaluationError(code, f"{what} sum to {show(total)}, not to 1", span)


def _assigned(world: World, outcome: Outcome, state: State) -> dict[str, bool | int]:
    return _assigned_by(world, [outcome], state)


def _assigned_by(world: World, outcomes: Sequence[Outcome], state: State) -> dict[str, bool | int]:
    """All values are read from the old state; what is not named keeps its value."""
    after = dict(state)
    types = {v.name: v.type for v in world.variables}
    for outcome in outcomes:
        for assignment in outcome.assignments:
            after[assignment.variable] = _in_range(evaluate(assignment.value, state), types[assignment.variable], assignment)
    return after


def _in_range(value: Value, type: Type, assignment: Assignment) -> bool | int:
    if isinstance(value, Fraction) and value.denominator == 1:
        value = value.numerator
    if isinstance(value, Fraction) or not _fits(value, type):
        raise EvaluationError("E301", f"`{assignment.variable}` would become {show(value)}, outside its range {type}", assignment.span)
    return value


def _fits(value: bool | int, type: Type) -> bool:
    match type:
        case Bool():
            return isinstance(value, bool)
        case Int(low=low, high=high):
            return (low is None or low <= value) and (high is None or value <= high)
        case Enum(members=members):
            return 0 <= value < len(members)
        case Rational() | Char():
            return False
        case _:
            assert_never(type)


def _complete(world: World, values: Mapping[str, bool | int], span: Span) -> dict[str, bool | int]:
    missing = [v.name for v in world.variables if v.name not in values]
    if missing:
        raise EvaluationError("E308", f"variable `{missing[0]}` has no initial value", span)
    return {v.name: values[v.name] for v in world.variables}


def _distinct(world: World, branches: list[tuple[dict[str, bool | int], Fraction]]) -> list[tuple[dict[str, bool | int], Fraction]]:
    """Equal states merged in order of first appearance, probability 0 dropped, keys in the order of the variables."""
    merged: dict[tuple[bool | int, ...], Fraction] = {}
    for state, probability in branches:
        key = tuple(state[v.name] for v in world.variables)
        merged[key] = merged.get(key, Fraction(0)) + probability
    names = [v.name for v in world.variables]
    return [(dict(zip(names, key, strict=True)), probability) for key, probability in merged.items() if probability]


def _satisfying(world: World, condition: Expr, defaults: State, span: Span) -> Iterator[dict[str, bool | int]]:
    read = variables_read(condition)
    free = [v for v in world.variables if v.name in read or v.name not in defaults]
    domains = [domain(v) for v in free]
    if prod(size for size, _ in domains) > MAX_VALUATIONS:
        message = f"`init uniform` would have to try more than {MAX_VALUATIONS} valuations of {', '.join(v.name for v in free)}"
        raise EvaluationError("E307", message, span)
    for values in product(*(values for _, values in domains)):
        state = {**defaults, **{v.name: value for v, value in zip(free, values, strict=True)}}
        if holds(condition, state):
            yield _complete(world, state, span)


def domain(variable: Variable) -> tuple[int, range | tuple[bool, bool]]:
    """The number of values of a variable, and the values."""
    match variable.type:
        case Bool():
            return 2, (False, True)
        case Int(low=int(low), high=int(high)):
            return max(0, high - low + 1), range(low, high + 1)
        case Enum(members=members):
            return len(members), range(len(members))
    raise ValueError(f"variable {variable.name} has no finite range")


def variables_read(expr: Expr) -> set[str]:
    """The names of the variables in an expression."""
    names: set[str] = set()
    todo = [expr]
    while todo:
        node = todo.pop()
        if isinstance(node, Var):
            names.add(node.name)
        todo.extend(children(node))
    return names


def children(expr: Expr) -> tuple[Expr, ...]:
    match expr:
        case Const() | Var():
            return ()
        case Unary(arg=arg):
            return (arg,)
        case Nary(args=args):
            return args
        case Binary(left=left, right=right):
            return (left, right)
        case If(condition=condition, then=then, otherwise=otherwise):
            return (condition, then, otherwise)
        case Lookup(x=x, y=y):
            return (x, y)
        case _:
            assert_never(expr)


# ---------------------------------------------------------------- for readers


def readable(value: bool | int, type: Type) -> bool | int | str:
    """A value as people write it: an enum's member by its name, a character as itself."""
    match type:
        case Enum(members=members):
            return members[value]
        case Char():
            return chr(value)
        case Bool():
            return bool(value)
        case Int() | Rational():
            return value
        case _:
            assert_never(type)


def unreadable(value: bool | int | str, type: Type) -> bool | int:
    """The inverse of ``readable``; ValueError if ``value`` is not of that type or outside its range."""
    match type:
        case Enum(members=members) if isinstance(value, str) and value in members:
            return members.index(value)
        case Char() if isinstance(value, str) and len(value) == 1:
            return ord(value)
        case Bool() if isinstance(value, bool):
            return value
        case Int() if isinstance(value, int) and not isinstance(value, bool) and _fits(value, type):
            return value
    raise ValueError(f"{value!r} is not a value of {type}")


def format_state(world: World, state: State) -> str:
    """``x = 1, y = 2, rammed = false``."""
    return ", ".join(f"{v.name} = {show(readable(state[v.name], v.type))}" for v in world.variables)


def show(value: Value | str) -> str:
    """A value as the language writes it; a very long number is cut in the middle."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if bits(value) > MAX_BITS:
        return "a number too long to print"
    text = str(value)
    return text if len(text) <= 60 else f"{text[:25]}...{text[-25:]}"
