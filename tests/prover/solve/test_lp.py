"""Exact linear programs: against z3, against the vertices, and against their own multipliers."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations

import pytest
import z3
from flint import fmpq
from hypothesis import given
from hypothesis import strategies as st

from prover.solve import lp
from tests.prover.build_spec import dense, f, few, q

NAMES = ("x", "y", "z")
Rows = list[lp.Row[str]]


@st.composite
def systems(draw: st.DrawFn, ops: tuple[str, ...] = ("<", "<=", "<=", "=")) -> tuple[Rows, frozenset[str]]:
    names = NAMES[: draw(st.integers(1, 3))]
    numbers = st.integers(-3, 3).map(fmpq) | st.sampled_from([fmpq(1, 2), fmpq(-2, 3)])
    rows = [
        lp.Row({n: draw(numbers) for n in names if draw(st.integers(0, 3))}, draw(numbers), draw(st.sampled_from(ops)))
        for _ in range(draw(st.integers(1, 6)))
    ]
    return rows, frozenset(draw(st.sets(st.sampled_from(names))))


def left_side(row: lp.Row[str], point: dict[str, fmpq]) -> fmpq:
    return row.constant + sum((c * point[n] for n, c in row.coefficients.items()), fmpq(0))


def satisfied(row: lp.Row[str], point: dict[str, fmpq]) -> bool:
    left = left_side(row, point)
    return bool(left < 0 if row.op == "<" else left <= 0 if row.op == "<=" else left == 0)


def real(x: fmpq) -> z3.ArithRef:
    return z3.Q(int(x.p), int(x.q))


def constraints(rows: Rows, nonnegative: frozenset[str], close: bool) -> list[z3.BoolRef]:
    found = [z3.Real(n) >= 0 for n in nonnegative]
    for row in rows:
        left = real(row.constant) + z3.Sum([real(c) * z3.Real(n) for n, c in row.coefficients.items()])
        found.append(left == 0 if row.op == "=" else left < 0 if row.op == "<" and not close else left <= 0)
    return found


def possible(rows: Rows, nonnegative: frozenset[str], close: bool = False) -> bool:
    solver = z3.Solver()
    solver.add(*constraints(rows, nonnegative, close))
    return bool(solver.check() == z3.sat)


def require_motzkin(rows: Rows, multipliers: list[fmpq], nonnegative: frozenset[str]) -> None:
    assert len(multipliers) == len(rows)
    assert all(u >= 0 for u, row in zip(multipliers, rows, strict=True) if row.op != "=")
    for name in NAMES:
        total = sum((u * row.coefficients.get(name, fmpq(0)) for u, row in zip(multipliers, rows, strict=True)), fmpq(0))
        assert total >= 0 if name in nonnegative else total == 0
    constant = sum((u * row.constant for u, row in zip(multipliers, rows, strict=True)), fmpq(0))
    strict = any(u > 0 for u, row in zip(multipliers, rows, strict=True) if row.op == "<")
    assert constant > 0 or (constant == 0 and strict)


@few(250)
@given(systems())
def test_feasible_agrees_with_z3(system: tuple[Rows, frozenset[str]]) -> None:
    rows, nonnegative = system
    outcome = lp.feasible(rows, nonnegative)
    if isinstance(outcome, lp.Feasible):
        assert all(satisfied(row, outcome.point) for row in rows)
        assert all(outcome.point.get(n, fmpq(0)) >= 0 for n in nonnegative)
    else:
        require_motzkin(rows, outcome.multipliers, nonnegative)
    assert isinstance(outcome, lp.Feasible) == possible(rows, nonnegative)


def vertices(rows: list[lp.Row[str]]) -> list[dict[str, Fraction]]:
    """Points of x, y >= 0 (and the rows, read as closed) where two of the edges meet."""
    edges = [({n: f(c) for n, c in row.coefficients.items()}, f(row.constant)) for row in rows]
    edges += [({"x": Fraction(-1)}, Fraction(0)), ({"y": Fraction(-1)}, Fraction(0))]
    found = []
    for pair in combinations(edges, 2):
        # a.p + c = 0 as p = (I - A) p - c
        system = [[a.get("x", Fraction(0)), a.get("y", Fraction(0))] for a, _ in pair]
        equations = [{k: Fraction(int(k == i)) - system[i][k] for k in range(2)} for i in range(2)]
        solved = dense(equations, [-c for _, c in pair])
        if solved is None:
            continue
        point = dict(zip(("x", "y"), solved, strict=True))
        if all(sum((a.get(n, Fraction(0)) * point[n] for n in point), c) <= 0 for a, c in edges):
            found.append(point)
    return found


@few(150)
@given(st.lists(st.tuples(*[st.integers(-4, 4)] * 3), min_size=1, max_size=4), st.integers(-3, 3), st.integers(-3, 3), st.booleans())
def test_minimum_is_the_least_vertex(lines: list[tuple[int, int, int]], a: int, b: int, strict: bool) -> None:
    """A bounded part of the plane has its minimum in a corner, strict rows read as closed."""
    rows = [lp.Row({"x": fmpq(p), "y": fmpq(r)}, fmpq(c), "<" if strict else "<=") for p, r, c in lines]
    rows.append(lp.Row({"x": fmpq(1), "y": fmpq(1)}, fmpq(-10), "<="))
    corners = vertices(rows)
    plane = frozenset(("x", "y"))
    objective = {"x": fmpq(a), "y": fmpq(b)}
    if not corners:
        with pytest.raises(ValueError, match="no common point"):
            lp.minimum(rows, objective, plane)
        return
    found = lp.minimum(rows, objective, plane)
    assert found is not None
    value, point = found
    assert f(value) == min(a * v["x"] + b * v["y"] for v in corners)
    assert value == a * point["x"] + b * point["y"]
    closed = [lp.Row(row.coefficients, row.constant, "<=") for row in rows]
    assert all(satisfied(row, point) for row in closed)
    assert min(point.values()) >= 0


@few(120)
@given(systems(), st.lists(st.integers(-2, 2), min_size=3, max_size=3))
def test_minimum_agrees_with_z3(system: tuple[Rows, frozenset[str]], objective: list[int]) -> None:
    rows, nonnegative = system
    goal = {n: fmpq(c) for n, c in zip(NAMES, objective, strict=True)}
    if not possible(rows, nonnegative, close=True):
        with pytest.raises(ValueError, match="no common point"):
            lp.minimum(rows, goal, nonnegative)
        return
    found = lp.minimum(rows, goal, nonnegative)
    left = z3.Sum([real(c) * z3.Real(n) for n, c in goal.items()])
    solver = z3.Solver()
    solver.add(*constraints(rows, nonnegative, close=True))
    if found is None:  # for any bound there is a point below it
        solver.add(left < -(10**6))
        assert solver.check() == z3.sat
    else:
        solver.add(left < real(found[0]))
        assert solver.check() == z3.unsat
        assert found[0] == sum((c * found[1][n] for n, c in goal.items()), fmpq(0))


def test_strict_rows_at_their_boundary() -> None:
    """x <= 1 and x >= 1 meet; x < 1 and x >= 1 do not, and only the strict row's multiplier says why."""
    below, above = lp.Row({"x": fmpq(1)}, fmpq(-1), "<="), lp.Row({"x": fmpq(-1)}, fmpq(1), "<=")
    assert lp.feasible([below, above]) == lp.Feasible({"x": fmpq(1)})
    strict = lp.Row({"x": fmpq(1)}, fmpq(-1), "<")
    outcome = lp.feasible([strict, above])
    assert isinstance(outcome, lp.Infeasible)
    assert outcome.multipliers[0] > 0
    require_motzkin([strict, above], outcome.multipliers, frozenset())


def test_a_strict_row_that_is_far_away_does_not_limit_the_others() -> None:
    rows = [lp.Row({"x": fmpq(1)}, fmpq(-1, 10**12), "<"), lp.Row({"x": fmpq(-1)}, fmpq(0), "<")]
    outcome = lp.feasible(rows)
    assert isinstance(outcome, lp.Feasible)
    assert 0 < outcome.point["x"] < fmpq(1, 10**12)


@pytest.mark.parametrize(
    ("constant", "op", "good"), [(0, "<=", True), (0, "<", False), (1, "<=", False), (-1, "<", True), (1, "=", False), (0, "=", True)]
)
def test_rows_without_variables(constant: int, op: str, good: bool) -> None:
    outcome = lp.feasible([lp.Row({}, fmpq(constant), op)])
    assert isinstance(outcome, lp.Feasible) == good


def test_no_rows() -> None:
    assert lp.feasible([]) == lp.Feasible({})
    assert lp.minimum([], {"x": fmpq(1)}) is None
    assert lp.minimum([], {"x": fmpq(1)}, frozenset("x")) == (fmpq(0), {"x": fmpq(0)})


def test_degenerate_rows_do_not_cycle() -> None:
    """Beale's example, on which the simplex method without an anti-cycling rule runs for ever."""
    data = [("1/4", "-60", "-1/25", "9"), ("1/2", "-90", "-1/50", "3")]
    rows = [lp.Row({k: q(Fraction(x)) for k, x in enumerate(line)}, fmpq(0), "<=") for line in data]
    rows.append(lp.Row({2: fmpq(1)}, fmpq(-1), "<="))
    objective = {k: q(Fraction(x)) for k, x in enumerate(("-3/4", "150", "-1/50", "6"))}
    found = lp.minimum(rows, objective, frozenset(range(4)))
    assert found is not None
    assert found[0] == fmpq(-1, 20)
