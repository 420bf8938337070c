"""Worlds by hand, for tests of the prover: short names for the nodes of a typed spec."""

from __future__ import annotations

from fractions import Fraction

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
    Reward,
    RewardClause,
    Unary,
    Var,
    Variable,
    World,
)
from dsl.types import Bool, Char, Enum, Int, Rational, Type

SPAN = Span("test.spec", 1, 1, 1, 2)
BOOL, INT, RATIONAL, CHAR = Bool(), Int(), Rational(), Char()

Operand = Expr | bool | int | Fraction


def const(value: bool | int | Fraction) -> Const:
    return Const(value, BOOL if isinstance(value, bool) else INT if isinstance(value, int) else RATIONAL, SPAN)


def lift(value: Operand) -> Expr:
    return const(value) if isinstance(value, bool | int | Fraction) else value


def var(variable: Variable, primed: bool = False) -> Var:
    return Var(variable.name, variable.type, primed, SPAN)


def variable(name: str, type: Type, initial: bool | int | None = None) -> Variable:
    return Variable(name, type, initial, SPAN)


def unary(op: str, arg: Operand) -> Unary:
    arg = lift(arg)
    type: Type = BOOL if op == "not" else INT if op in ("floor", "ceil") else arg.type
    return Unary(op, arg, type, SPAN)


def nary(op: str, *args: Operand) -> Nary:
    parts = tuple(lift(arg) for arg in args)
    type: Type = BOOL if op in ("and", "or") else RATIONAL if any(isinstance(p.type, Rational) for p in parts) else INT
    return Nary(op, parts, type, SPAN)


def binary(op: str, left: Operand, right: Operand) -> Binary:
    left, right = lift(left), lift(right)
    if op in ("==", "!=", "<", "<=", ">", ">=", "=>", "<=>"):
        return Binary(op, left, right, BOOL, SPAN)
    rational = op == "/" or isinstance(left.type, Rational) or isinstance(right.type, Rational)
    return Binary(op, left, right, RATIONAL if rational else INT, SPAN)


def if_(condition: Operand, then: Operand, otherwise: Operand) -> If:
    then, otherwise = lift(then), lift(otherwise)
    type = RATIONAL if isinstance(otherwise.type, Rational) else then.type
    return If(lift(condition), then, otherwise, type, SPAN)


def grid(*rows: str) -> Grid:
    return Grid("course", tuple(tuple(ord(c) for c in row) for row in rows))


def lookup(table: Grid, x: Operand, y: Operand) -> Lookup:
    return Lookup(table, lift(x), lift(y), CHAR, SPAN)


def char(c: str) -> Const:
    return Const(ord(c), CHAR, SPAN)


def outcome(probability: Operand, **assignments: Operand) -> Outcome:
    return Outcome(lift(probability), tuple(Assignment(name, lift(value), SPAN) for name, value in assignments.items()), SPAN)


def action(name: str, guard: Operand | None, *outcomes: Outcome) -> Action:
    return Action(name, None if guard is None else lift(guard), outcomes, SPAN)


def clause(action: str | None, guard: Operand | None, value: Operand) -> RewardClause:
    return RewardClause(action, None if guard is None else lift(guard), lift(value), SPAN)


def reward(name: str, *clauses: RewardClause) -> Reward:
    return Reward(name, clauses, SPAN)


def world(
    variables: list[Variable],
    actions: list[Action],
    rewards: list[Reward] | None = None,
    *,
    init: InitOutcomes | InitUniform | None = None,
    deadlock_absorbs: bool = False,
) -> World:
    return World("W", tuple(variables), init, tuple(actions), (), tuple(rewards or ()), deadlock_absorbs, SPAN)


def one_of(name: str, *members: str) -> Enum:
    return Enum(name, members)


def corridor(width: int, height: int) -> World:
    """A field with moves that may slip; a reward that reads the next state."""
    x, y = variable("x", Int(0, width - 1), 0), variable("y", Int(0, height - 1), 0)
    slip = Fraction(1, 10)
    return world(
        [x, y],
        [
            action("east", binary("<", var(x), width - 1), outcome(1 - slip, x=nary("+", var(x), 1)), outcome(slip)),
            action("west", None, outcome(1 - slip, x=nary("max", binary("-", var(x), 1), 0)), outcome(slip)),
            action("north", binary("<", var(y), height - 1), outcome(1, y=nary("+", var(y), 1))),
        ],
        [reward("points", clause("east", binary(">", var(x, primed=True), var(x)), 1), clause(None, None, Fraction(-1, 4)))],
    )
