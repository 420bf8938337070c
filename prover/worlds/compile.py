"""Typed expressions -> columns: functions from a batch of states to numpy arrays, exact.

A numeric column is an int64 numerator over a denominator that is a constant; its bounds are known beforehand
from the ranges of the variables, so nothing can overflow.  What does not fit this form (a divisor that varies, numbers
beyond 62 bits) raises NotColumnarError, and the nearest enclosing condition or the whole expression is tabulated
instead: the reference semantics, once for each distinct combination of the variables that it reads.

Laziness: both branches are computed for all rows, and ``fails`` says in which rows a *needed* part has no value.
The values of failing rows mean nothing, but stay inside the bounds.
"""

from __future__ import annotations

from math import lcm
from typing import Any, assert_never

import numpy as np

from dsl.semantics import evaluate
from dsl.spec import Binary, Const, Expr, If, Lookup, Nary, Unary, Var
from dsl.types import Bool
from prover.worlds.column import LIMIT, Array, Column, Fails, NotColumnarError, Run, either
from prover.worlds.pack import BoolArray, Layout, Rows
from prover.worlds.tabulate import FAILED, Tabulated, reads

MAX_DEPTH = 200  # of nested calls; deeper expressions are tabulated, the reference semantics has no such limit


class Compiler:
    """Compiles expressions over one layout; equal subexpressions become one column, computed once a batch."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self._columns: dict[tuple[object, ...], Column] = {}

    def condition(self, expr: Expr) -> Column:
        """Never raises NotColumnarError."""
        try:
            return self._compile(expr, 0)
        except NotColumnarError:
            return self._tabulated(expr)

    def number(self, expr: Expr) -> Column:
        """Raises NotColumnarError."""
        return self._compile(expr, 0)

    # ------------------------------------------------------------ one rule for each kind of node

    def _compile(self, expr: Expr, depth: int) -> Column:
        if depth > MAX_DEPTH:
            raise NotColumnarError
        match expr:
            case Const(value=bool(value)):
                return self._constant(int(value), 1, True)
            case Const(value=value):
                return self._constant(value.numerator, value.denominator, False)
            case Var(name=name, primed=primed):
                field = self.layout.fields[name]
                return self._make(
                    ("var", name, primed), (), field.low, field.high, 1, field.boolean, lambda rows: rows.column(name, primed), None, primed
                )
            case Unary(op=op, arg=arg):
                return self._unary(op, self._compile(arg, depth + 1))
            case Nary(op="and" | "or" as op, args=args):
                return self._connective(op, [self._compile(arg, depth + 1) for arg in args])
            case Nary(op=op, args=args):
                total = self._compile(args[0], depth + 1)
                for arg in args[1:]:
                    total = self._arithmetic(op, total, self._compile(arg, depth + 1))
                return total
            case Binary(op="=>", left=left, right=right):
                return self._connective("or", [self._unary("not", self._compile(left, depth + 1)), self._compile(right, depth + 1)])
            case Binary(op="==" | "!=" | "<" | "<=" | ">" | ">=" | "<=>" as op, left=left, right=right):
                try:
                    return self._comparison(op, self._compile(left, depth + 1), self._compile(right, depth + 1))
                except NotColumnarError:
                    return self._tabulated(expr)
            case Binary(op=op, left=left, right=right):
                return self._arithmetic(op, self._compile(left, depth + 1), self._compile(right, depth + 1))
            case If(condition=condition, then=then, otherwise=otherwise):
                return self._if(*(self._compile(part, depth + 1) for part in (condition, then, otherwise)))
            case Lookup():
                return self._lookup(expr, self._compile(expr.x, depth + 1), self._compile(expr.y, depth + 1))
            case _:
                assert_never(expr)

    def _unary(self, op: str, a: Column) -> Column:
        def make(low: int, high: int, denominator: int, run: Run) -> Column:
            return self._make((op, a.key), (a,), low, high, denominator, a.boolean, run, a.fails)

        d = a.denominator
        match op:
            case "not":
                return make(1 - a.high, 1 - a.low, 1, lambda rows: np.logical_not(a(rows)))
            case "neg":
                return make(-a.high, -a.low, d, lambda rows: -a(rows))
            case "abs":
                low = 0 if a.low <= 0 <= a.high else min(abs(a.low), abs(a.high))
                return make(low, max(abs(a.low), abs(a.high)), d, lambda rows: np.abs(a(rows)))
            case "floor" | "ceil" if d == 1:
                return a
            case "floor":
                return make(a.low // d, a.high // d, 1, lambda rows: a(rows) // d)
            case "ceil":
                return make(-(-a.low // d), -(-a.high // d), 1, lambda rows: -(-a(rows) // d))
        raise ValueError(f"no unary operator {op}")

    def _connective(self, op: str, args: list[Column]) -> Column:
        """``and``, ``or``: an argument counts only where the ones before it leave the answer open."""
        neutral = 1 if op == "and" else 0
        kept: list[Column] = []
        for arg in args:
            if arg.constant and arg.low == neutral:
                continue
            kept.append(arg)
            if arg.constant:
                break
        if not kept:
            return self._constant(neutral, 1, True)
        if len(kept) == 1:
            return kept[0]
        ufunc: Any = np.logical_and if op == "and" else np.logical_or

        def run(rows: Rows) -> Array:
            total = kept[0](rows)
            for arg in kept[1:]:
                total = ufunc(total, arg(rows))
            return total

        def failing(rows: Rows) -> BoolArray:
            failed: Array = np.zeros(len(rows), dtype=np.bool_)
            open_: Array = np.ones(len(rows), dtype=np.bool_)
            for arg in kept:
                if arg.fails is not None:
                    failed = failed | (open_ & arg.fails(rows))
                value = arg(rows)
                open_ = open_ & (value if op == "and" else np.logical_not(value))
            return failed

        lows, highs = [arg.low for arg in kept], [arg.high for arg in kept]
        low, high = (min(lows), min(highs)) if op == "and" else (max(lows), max(highs))
        fails = failing if any(arg.fails is not None for arg in kept) else None
        return self._make((op, *(arg.key for arg in kept)), kept, low, high, 1, True, run, fails)

    def _comparison(self, op: str, a: Column, b: Column) -> Column:
        if not a.boolean:
            a, b = self._common(a, b)
        ufunc: Any
        match op:
            case "==" | "<=>":
                ufunc, always, never = np.equal, a.low == a.high == b.low == b.high, a.high < b.low or b.high < a.low
            case "!=":
                ufunc, always, never = np.not_equal, a.high < b.low or b.high < a.low, a.low == a.high == b.low == b.high
            case "<":
                ufunc, always, never = np.less, a.high < b.low, a.low >= b.high
            case "<=":
                ufunc, always, never = np.less_equal, a.high <= b.low, a.low > b.high
            case ">":
                ufunc, always, never = np.greater, a.low > b.high, a.high <= b.low
            case _:
                ufunc, always, never = np.greater_equal, a.low >= b.high, a.high < b.low
        low, high = int(always), int(not never)
        return self._make((op, a.key, b.key), (a, b), low, high, 1, True, lambda rows: ufunc(a(rows), b(rows)), either(a.fails, b.fails))

    def _arithmetic(self, op: str, a: Column, b: Column) -> Column:
        fails = either(a.fails, b.fails)
        key = (op, a.key, b.key)
        match op:
            case "+":
                a, b = self._common(a, b)
                return self._make(key, (a, b), a.low + b.low, a.high + b.high, a.denominator, False, lambda rows: a(rows) + b(rows), fails)
            case "-":
                a, b = self._common(a, b)
                return self._make(key, (a, b), a.low - b.high, a.high - b.low, a.denominator, False, lambda rows: a(rows) - b(rows), fails)
            case "min":
                a, b = self._common(a, b)
                low, high = min(a.low, b.low), min(a.high, b.high)
                return self._make(key, (a, b), low, high, a.denominator, False, lambda rows: np.minimum(a(rows), b(rows)), fails)
            case "max":
                a, b = self._common(a, b)
                low, high = max(a.low, b.low), max(a.high, b.high)
                return self._make(key, (a, b), low, high, a.denominator, False, lambda rows: np.maximum(a(rows), b(rows)), fails)
            case "*":
                corners = [x * y for x in (a.low, a.high) for y in (b.low, b.high)]
                d = a.denominator * b.denominator
                return self._make(key, (a, b), min(corners), max(corners), d, False, lambda rows: a(rows) * b(rows), fails)
            case "/" if b.constant and b.low != 0:
                sign = 1 if b.low > 0 else -1
                return self._arithmetic("*", a, self._constant(sign * b.denominator, abs(b.low), False))
            case "div" | "mod" if a.denominator == b.denominator == 1:
                return self._division(op, a, b)
            case "^" if b.constant and b.denominator == 1 and 0 <= b.low <= 62:
                n = b.low
                ends = [a.low**n, a.high**n] + ([0] if a.low < 0 < a.high else [])
                return self._make(key, (a, b), min(ends), max(ends), a.denominator**n, False, lambda rows: np.power(a(rows), n), fails)
        raise NotColumnarError

    def _division(self, op: str, a: Column, b: Column) -> Column:
        fails = either(a.fails, b.fails)
        divisor: Run = b
        if b.low <= 0 <= b.high:
            fails = either(a.fails, b.fails, lambda rows: np.broadcast_to(b(rows) == 0, len(rows)))
            divisor = _never_zero(b)
        largest = max(abs(b.low), abs(b.high), 1)
        if op == "mod":
            low, high = (0, largest - 1) if b.low >= 0 else (1 - largest, largest - 1)
            return self._make((op, a.key, b.key), (a, b), low, high, 1, False, lambda rows: a(rows) % divisor(rows), fails)
        if a.low >= 0 and b.low >= 0:
            low, high = a.low // largest, a.high // max(b.low, 1)
        else:
            high = max(abs(a.low), abs(a.high))
            low = -high
        return self._make((op, a.key, b.key), (a, b), low, high, 1, False, lambda rows: a(rows) // divisor(rows), fails)

    def _if(self, c: Column, a: Column, b: Column) -> Column:
        if c.constant:
            return a if c.low else b
        if not a.boolean:
            a, b = self._common(a, b)

        def failing(rows: Rows) -> BoolArray:
            taken = c(rows)
            failed: Array = np.zeros(len(rows), dtype=np.bool_)
            if c.fails is not None:
                failed = failed | c.fails(rows)
            if a.fails is not None:
                failed = failed | (taken & a.fails(rows))
            if b.fails is not None:
                failed = failed | (~taken & b.fails(rows))
            return failed

        fails = None if c.fails is None and a.fails is None and b.fails is None else failing
        low, high = min(a.low, b.low), max(a.high, b.high)
        key, args = ("if", c.key, a.key, b.key), (c, a, b)
        return self._make(key, args, low, high, a.denominator, a.boolean, lambda rows: np.where(c(rows), a(rows), b(rows)), fails)

    def _lookup(self, expr: Lookup, x: Column, y: Column) -> Column:
        """A table of the cells that the bounds of the indices allow; cells outside the grid hold -1."""
        if x.denominator != 1 or y.denominator != 1:
            raise NotColumnarError
        rows_ = expr.grid.rows
        width, height = max((len(row) for row in rows_), default=0), len(rows_)
        x_low, x_high = max(x.low, -1), min(x.high, width)
        y_low, y_high = max(y.low, -1), min(y.high, height)
        if x_low > x_high or y_low > y_high:
            raise NotColumnarError  # always outside
        inside = [
            [rows_[j][i] if 0 <= j < height and 0 <= i < len(rows_[j]) else -1 for i in range(x_low, x_high + 1)]
            for j in range(y_low, y_high + 1)
        ]
        cells = np.array(inside, dtype=np.int64).ravel()
        columns = x_high - x_low + 1

        def run(rows: Rows) -> Array:
            i, j = x(rows), y(rows)
            if (x.low, x.high) != (x_low, x_high):
                i = np.clip(i, x_low, x_high)
            if (y.low, y.high) != (y_low, y_high):
                j = np.clip(j, y_low, y_high)
            found: Array = cells[(j - y_low) * columns + (i - x_low)]
            return found

        low, high = int(cells.min()), int(cells.max())
        fails = either(x.fails, y.fails)
        key = ("grid", expr.grid, x.key, y.key)
        if low == -1:
            made = self._make(key, (x, y), low, high, 1, False, run, lambda rows: np.broadcast_to(made(rows) == -1, len(rows)))
            made.fails = either(x.fails, y.fails, made.fails)
            made.shared = True
            return made
        return self._make(key, (x, y), low, high, 1, False, run, fails)

    # ------------------------------------------------------------ building blocks

    def _tabulated(self, expr: Expr) -> Column:
        if not isinstance(expr.type, Bool):
            raise NotColumnarError
        table = Tabulated(self.layout, reads([expr]), lambda state, after: int(evaluate(expr, state, after)))
        primed = any(p for _, p in table.reads)
        raw = Column(len(self._columns), -1, 1, 1, False, primed, table, None)
        raw.shared = True
        self._columns[("table", raw.key)] = raw
        return self._make(("truth", raw.key), (raw,), 0, 1, 1, True, lambda rows: raw(rows) == 1, lambda rows: raw(rows) == FAILED)

    def _constant(self, numerator: int, denominator: int, boolean: bool) -> Column:
        if abs(numerator) >= LIMIT or denominator >= LIMIT:
            raise NotColumnarError
        key = ("constant", numerator, denominator, boolean)
        found = self._columns.get(key)
        if found is None:
            value = np.asarray(bool(numerator)) if boolean else np.asarray(numerator, dtype=np.int64)
            found = Column(len(self._columns), numerator, numerator, denominator, boolean, False, lambda _: value, None)
            self._columns[key] = found
        return found

    def _common(self, a: Column, b: Column) -> tuple[Column, Column]:
        """Both over one denominator."""
        d = lcm(a.denominator, b.denominator)
        return self._scaled(a, d), self._scaled(b, d)

    def _scaled(self, a: Column, denominator: int) -> Column:
        factor = denominator // a.denominator
        if factor == 1:
            return a
        if factor >= LIMIT:
            raise NotColumnarError
        key = ("scaled", a.key, denominator)
        return self._make(key, (a,), a.low * factor, a.high * factor, denominator, False, lambda rows: a(rows) * factor, a.fails)

    def scaled(self, column: Column, denominator: int) -> Column:
        """The same numbers over a multiple of the denominator.  Raises NotColumnarError."""
        return self._scaled(column, denominator)

    def _make(
        self,
        key: tuple[object, ...],
        args: tuple[Column, ...] | list[Column],
        low: int,
        high: int,
        denominator: int,
        boolean: bool,
        run: Run,
        fails: Fails | None,
        primed: bool = False,
    ) -> Column:
        if low <= -LIMIT or high >= LIMIT or denominator >= LIMIT:
            raise NotColumnarError
        if low == high and fails is None:
            return self._constant(low, denominator, boolean)
        found = self._columns.get(key)
        if found is not None:
            found.shared = True
            return found
        if fails is not None:
            for arg in args:
                arg.shared = True  # read for the value and for the failures
        primed = primed or any(arg.primed for arg in args)
        found = self._columns[key] = Column(len(self._columns), low, high, denominator, boolean, primed, run, fails)
        return found


def _never_zero(divisor: Column) -> Run:
    """The divisor, and 1 in rows that fail for it."""
    divisor.shared = True

    def run(rows: Rows) -> Array:
        value = divisor(rows)
        return np.where(value == 0, 1, value)

    return run
