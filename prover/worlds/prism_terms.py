"""Expressions and names of a world -> the text of the PRISM language."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from typing import TypeVar, assert_never

from dsl.semantics import children
from dsl.spec import Binary, Const, Expr, Grid, If, Lookup, Nary, Unary, Var
from dsl.types import Int

RESERVED = frozenset(
    re.findall(
        r"\w+",
        """A bool ceil clock const C ctmc deadlock double dtmc E endinit endinvariant endmodule endobservables endplayer endrewards
        endsystem F false filter floor formula func G global I init int invariant label log ma max mdp min mod module nondeterministic
        observable observables of P player Pmax Pmin pomdp popta pow prob probabilistic pta R rate rewards Rmax Rmin round S smg
        stochastic system true U W X""",
    )
)
T = TypeVar("T")
LONG = 1 << 63
COMPARISONS = {"==": "=", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}


class PrimedError(Exception):
    """The expression reads the next state."""


class Names:
    """Names of the spec -> identifiers of PRISM, no two alike."""

    def __init__(self) -> None:
        self.renamed: dict[str, str] = {}  # in the spec -> in the program, where they differ
        self._taken: set[str] = set(RESERVED)

    def of(self, name: str, *, kept: bool = True) -> str:
        """A new identifier, the name itself if that is possible; ``kept``: readers are told if it is not."""
        base = re.sub(r"[^A-Za-z0-9_]", "_", name) or "_"
        base = f"_{base}" if base[0].isdigit() else base
        own, count = base, 1
        while own in self._taken:
            count += 1
            own = f"{base}_{count}"
        self._taken.add(own)
        if kept and own != name:
            self.renamed[name] = own
        return own


class Terms:
    """Writes expressions; each grid that is looked up becomes a formula."""

    def __init__(self, variables: dict[str, str], names: Names) -> None:
        self.formulas: dict[str, str] = {}  # name -> text, in the order in which they are needed
        self._variables = variables
        self._names = names
        self._known: dict[tuple[str, str], str] = {}

    def text(self, expr: Expr) -> str:
        """In parentheses wherever it could be misread.  Raises PrimedError."""
        done: list[str] = []
        todo: list[tuple[Expr, bool]] = [(expr, False)]
        while todo:
            node, ready = todo.pop()
            parts = self._parts(node)
            if not ready:
                todo.append((node, True))
                todo.extend((child, False) for child in reversed(parts))
                continue
            texts = done[len(done) - len(parts) :]
            del done[len(done) - len(parts) :]
            done.append(self._node(node, texts))
        return done[0]

    def _parts(self, node: Expr) -> tuple[Expr, ...]:
        found = _cell_test(node)
        return children(node) if found is None else children(found[0])

    def _node(self, node: Expr, parts: Sequence[str]) -> str:
        found = _cell_test(node)
        if found is not None:
            lookup, op, wanted = found
            return self._formula(lookup.grid, parts, f"{op}{wanted}", lambda value: (value == wanted) == (op == "=="))
        match node:
            case Const(value=value):
                return number(value)
            case Var(name=name, primed=primed):
                if primed:
                    raise PrimedError(name)
                return self._variables[name]
            case Unary(op=op):
                return _unary(op, parts[0])
            case Nary(op="and" | "or" | "+" | "*" as op):
                symbol = {"and": "&", "or": "|"}.get(op, op)
                return f"({f' {symbol} '.join(parts)})"
            case Nary(op=op):
                result = parts[0]
                for part in parts[1:]:
                    result = f"{op}({result}, {part})"
                return result
            case Binary(op=op, left=left, right=right):
                return _binary(op, left, right, parts[0], parts[1])
            case If():
                return f"({parts[0]} ? {parts[1]} : {parts[2]})"
            case Lookup(grid=grid):
                return self._formula(grid, parts, "", None)
            case _:
                assert_never(node)

    def _formula(self, grid: Grid, parts: Sequence[str], what: str, test: Callable[[int], bool] | None) -> str:
        """``test`` None: the character itself; what lies outside the grid never matters in a state that can be reached."""
        x, y = parts
        key = f"{id(grid)}{what}", f"{x},{y}"
        name = self._known.get(key)
        if name is None:
            name = self._known[key] = self._names.of(f"{grid.name}_{len(self._known) + 1}", kept=False)
            self.formulas[name] = _value_at(grid, x, y) if test is None else _true_at(grid, x, y, test)
        return name


def number(value: bool | int | Fraction) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Fraction):
        text = _real(value.numerator) if value.denominator == 1 else f"{_real(value.numerator)}/{_real(value.denominator)}"
        return text if value >= 0 and value.denominator == 1 else f"({text})"
    return str(value) if value >= 0 else f"({value})"


def _real(value: int) -> str:
    """Long integers are read as real numbers only."""
    return str(value) if abs(value) < LONG else f"{value}.0"


def conjunction(parts: Iterable[str]) -> str:
    """``true`` if there are none."""
    needed = [part for part in parts if part != "true"]
    return " & ".join(needed) if needed else "true"


def _unary(op: str, part: str) -> str:
    match op:
        case "not":
            return f"(!{part})"
        case "neg":
            return f"(-({part}))"
        case "abs":
            return f"max({part}, -({part}))"
    return f"{op}({part})"


def _binary(op: str, left: Expr, right: Expr, a: str, b: str) -> str:
    match op:
        case "<=>":  # not every reader of the language knows it
            return f"({a} = {b})"
        case "=>" | "-" | "/":
            return f"({a} {op} {b})"
        case "div":
            return f"floor({a} / {b})"
        case "mod":
            if _at_least(left, 0) and _at_least(right, 1):
                return f"mod({a}, {b})"
            return f"({a} - {b} * floor({a} / {b}))"
        case "^":
            return f"pow({a}, {b})"
    return f"({a} {COMPARISONS[op]} {b})"


def _at_least(expr: Expr, bound: int) -> bool:
    return isinstance(expr.type, Int) and expr.type.low is not None and expr.type.low >= bound


# ---------------------------------------------------------------- grids


def _cell_test(node: Expr) -> tuple[Lookup, str, int] | None:
    """``grid[x, y] == "#"``: a set of cells says it shorter than the characters do."""
    if isinstance(node, Binary) and node.op in ("==", "!="):
        for one, other in ((node.left, node.right), (node.right, node.left)):
            if isinstance(one, Lookup) and isinstance(other, Const):
                return one, node.op, int(other.value)
    return None


def _true_at(grid: Grid, x: str, y: str, test: Callable[[int], bool]) -> str:
    blocks = []
    for first, last, row in _runs([tuple(map(test, row)) for row in grid.rows]):
        columns = [_between(x, a, b) for a, b, chosen in _runs(row) if chosen]
        if columns:
            where = "" if len(grid.rows) == 1 else f"{_between(y, first, last)} & "
            blocks.append(f"({where}({' | '.join(columns)}))")
    return " | ".join(blocks) if blocks else "false"


def _value_at(grid: Grid, x: str, y: str) -> str:
    rows = []
    for _, last, row in _runs(grid.rows):
        cells = [(b, str(cell)) for _, b, cell in _runs(row)]
        rows.append((last, _steps(x, cells)))
    return _steps(y, rows) if rows else "0"


def _steps(index: str, steps: Sequence[tuple[int, str]]) -> str:
    """The value of the first step whose end is not passed yet."""
    *before, (_, text) = steps
    for end, value in reversed(before):
        text = f"({index} <= {end} ? {value} : {text})"
    return text


def _between(index: str, first: int, last: int) -> str:
    return f"{index} = {first}" if first == last else f"({index} >= {first} & {index} <= {last})"


def _runs(cells: Sequence[T]) -> list[tuple[int, int, T]]:
    """Equal neighbours: first and last place, and what stands there."""
    runs: list[tuple[int, int, T]] = []
    for place, cell in enumerate(cells):
        if runs and runs[-1][2] == cell:
            runs[-1] = (runs[-1][0], place, cell)
        else:
            runs.append((place, place, cell))
    return runs
