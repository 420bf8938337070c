"""Small exact linear programs over the rationals: feasibility with strict rows, Motzkin multipliers, optima.

A dense two-phase simplex with Bland's rule.  The programs have a handful of rows (the literals of an
implicant) and a few dozen columns (policies found so far); nothing here grows with the world.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Generic, TypeVar

from dsl.record import dataclass
from prover.flint import fmpq

V = TypeVar("V", bound=Hashable)
ZERO, ONE = fmpq(0), fmpq(1)


@dataclass(frozen=True)
class Row(Generic[V]):
    """sum coefficients[v] * v + constant  op  0, with op "<", "<=" or "="."""

    coefficients: Mapping[V, fmpq]
    constant: fmpq
    op: str


@dataclass(frozen=True)
class Feasible(Generic[V]):
    """A point that satisfies every row, strict rows strictly."""

    point: dict[V, fmpq]


@dataclass(frozen=True)
class Infeasible:
    """Motzkin multipliers, one for each row (>= 0; any sign for an equality): the weighted sum of the left sides is
    at least 0 everywhere (on the non-negative variables' orthant), and positive, or a strict row has a positive multiplier.
    """

    multipliers: list[fmpq]


def feasible(rows: Sequence[Row[V]], nonnegative: frozenset[V] = frozenset()) -> Feasible[V] | Infeasible:
    """Variables outside ``nonnegative`` are free."""
    if not rows:
        return Feasible({})
    names = _names(rows)
    columns = _columns(names, nonnegative)
    strict = any(row.op == "<" for row in rows)
    matrix, right = _standard(rows, columns, ONE if strict else None)
    if strict:
        cap = [ZERO] * len(matrix[0])
        cap[len(columns)] = ONE  # the slack of the strict rows, at most 1
        matrix.append(cap)
        right.append(ONE)
    equalities = {i for i, row in enumerate(rows) if row.op == "="}
    cost = [ZERO] * len(matrix[0])
    if strict:
        cost[len(columns)] = -ONE
    outcome = _simplex(matrix, right, cost, equalities)
    if outcome.status == "infeasible" or (strict and outcome.objective == 0):
        return Infeasible([-y for y in outcome.duals[: len(rows)]])
    point = dict.fromkeys(names, ZERO)
    for (name, sign), value in zip(columns, outcome.values, strict=False):
        point[name] += sign * value
    return Feasible(point)


def minimum(
    rows: Sequence[Row[V]], objective: Mapping[V, fmpq], nonnegative: frozenset[V] = frozenset()
) -> tuple[fmpq, dict[V, fmpq]] | None:
    """The least value of the objective over the *closure* of the rows (strict read as non-strict), and a point; None if unbounded below."""
    names = _names(rows, objective)
    columns = _columns(names, nonnegative)
    matrix, right = _standard(rows, columns, None)
    cost = [sign * objective.get(name, ZERO) for name, sign in columns]
    outcome = _simplex(matrix, right, cost, {i for i, row in enumerate(rows) if row.op == "="})
    if outcome.status == "infeasible":
        raise ValueError("the rows have no common point")
    if outcome.status == "unbounded":
        return None
    point = dict.fromkeys(names, ZERO)
    for (name, sign), value in zip(columns, outcome.values, strict=True):
        point[name] += sign * value
    return outcome.objective, point


def _names(rows: Sequence[Row[V]], objective: Mapping[V, fmpq] | None = None) -> list[V]:
    found: dict[V, None] = {}
    for row in rows:
        found.update(dict.fromkeys(row.coefficients))
    found.update(dict.fromkeys(objective or ()))
    return list(found)


def _columns(names: Sequence[V], nonnegative: frozenset[V]) -> list[tuple[V, int]]:
    return [(name, sign) for name in names for sign in ((1,) if name in nonnegative else (1, -1))]


def _standard(rows: Sequence[Row[V]], columns: Sequence[tuple[V, int]], slack: fmpq | None) -> tuple[list[list[fmpq]], list[fmpq]]:
    matrix = []
    for row in rows:
        line = [sign * row.coefficients.get(name, ZERO) for name, sign in columns]
        if slack is not None:
            line.append(slack if row.op == "<" else ZERO)
        matrix.append(line)
    return matrix, [-row.constant for row in rows]


@dataclass(frozen=True)
class _Outcome:
    status: str  # "optimal", "infeasible", "unbounded"
    objective: fmpq
    values: list[fmpq]
    duals: list[fmpq]


def _simplex(matrix: list[list[fmpq]], right: list[fmpq], cost: list[fmpq], equalities: set[int]) -> _Outcome:
    """Minimises cost.x over matrix.x <= right (rows in ``equalities``: =), x >= 0; duals y: y.matrix <= cost, y <= 0 on inequalities."""
    count, width = len(matrix), len(cost)
    slacks = [i for i in range(count) if i not in equalities]
    artificial = width + len(slacks)
    total = artificial + count
    table: list[list[fmpq]] = []
    signs = []
    for i in range(count):
        sign = ONE if right[i] >= 0 else -ONE
        line = [sign * x for x in matrix[i]] + [ZERO] * (len(slacks) + count) + [sign * right[i]]
        if i not in equalities:
            line[width + slacks.index(i)] = sign
        line[artificial + i] = ONE
        table.append(line)
        signs.append(sign)
    basis = [artificial + i for i in range(count)]
    first = [ZERO] * artificial + [ONE] * count + [ZERO]
    for line in table:
        first = [f - x for f, x in zip(first, line, strict=True)]
    _pivot_all(table, basis, first, artificial)
    if first[-1] != 0:
        # Reduced cost of an artificial is 1 - y_i in the signed system.
        return _Outcome("infeasible", ZERO, [], [signs[i] * (ONE - first[artificial + i]) for i in range(count)])
    for i, b in enumerate(basis):  # drive artificials out where a real column can take their place
        if b >= artificial:
            column = next((j for j in range(artificial) if table[i][j] != 0), None)
            if column is not None:
                _pivot(table, basis, first, i, column)
    second = cost + [ZERO] * (len(slacks) + count + 1)
    for i, b in enumerate(basis):
        factor = second[b]
        if factor != 0:
            second = [x - factor * y for x, y in zip(second, table[i], strict=True)]
    if not _pivot_all(table, basis, second, artificial):
        return _Outcome("unbounded", ZERO, [], [])
    values = [ZERO] * total
    for i, b in enumerate(basis):
        values[b] = table[i][-1]
    return _Outcome("optimal", -second[-1], values[:width], [-signs[i] * second[artificial + i] for i in range(count)])


def _pivot_all(table: list[list[fmpq]], basis: list[int], objective: list[fmpq], width: int) -> bool:
    """Pivots until no reduced cost is negative; False if the objective is unbounded below."""
    while True:
        column = next((j for j in range(width) if objective[j] < 0), None)
        if column is None:
            return True
        best = None
        for i, line in enumerate(table):
            if line[column] > 0:
                ratio = line[-1] / line[column]
                if best is None or ratio < best[0] or (ratio == best[0] and basis[i] < basis[best[1]]):
                    best = (ratio, i)
        if best is None:
            return False
        _pivot(table, basis, objective, best[1], column)


def _pivot(table: list[list[fmpq]], basis: list[int], objective: list[fmpq], row: int, column: int) -> None:
    scale = table[row][column]
    line = table[row] = [x / scale if x else x for x in table[row]]  # rows are mostly zeros
    for i, other in enumerate(table):
        if i != row and other[column] != 0:
            factor = other[column]
            table[i] = [x - factor * y if y else x for x, y in zip(other, line, strict=True)]
    factor = objective[column]
    if factor != 0:
        objective[:] = [x - factor * y if y else x for x, y in zip(objective, line, strict=True)]
    basis[row] = column
