"""Any function of a state (and the next) -> a column: the function is called once for each distinct combination of what it reads.

This is how expressions with no int64 form are still evaluated exactly, by the reference semantics.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np

from dsl.semantics import EvaluationError, children
from dsl.spec import Expr, Var
from prover.worlds.pack import IntArray, Layout, Rows

State = Mapping[str, bool | int]
Reads = tuple[tuple[str, bool], ...]  # (variable, primed)
FAILED = -1
DENSE = 1 << 18  # combinations that get a table of their own


class Tabulated:
    """``function`` returns an integer >= 0; FAILED stands for an EvaluationError or a result None."""

    def __init__(self, layout: Layout, reads: Reads, function: Callable[[State, State], int | None]) -> None:
        self.reads = reads
        self._fields = [(layout.fields[name], primed) for name, primed in reads]
        self._function = function
        size = 1
        for field, _ in self._fields:
            size *= field.high - field.low + 1
        self._radix = size < 1 << 62
        self._known: dict[tuple[int, ...], int] = {}
        self._dense: IntArray | None = np.full(size, FAILED - 1, dtype=np.int64) if size <= DENSE else None

    def __call__(self, rows: Rows) -> IntArray:
        columns = [rows.column(field.name, primed).astype(np.int64) for field, primed in self._fields]
        if not columns:
            return np.full(len(rows), self._value(()), dtype=np.int64)
        key = columns[0] - self._fields[0][0].low
        for column, (field, _) in zip(columns[1:], self._fields[1:], strict=True):
            if self._radix:
                key = key * (field.high - field.low + 1) + (column - field.low)
            else:  # number the distinct values on both sides first, so that the pairs fit
                key = np.unique(key, return_inverse=True)[1]
                distinct, other = np.unique(column, return_inverse=True)
                key = key * len(distinct) + other
        if self._dense is not None:
            found: IntArray = self._dense[key]
            missing = np.flatnonzero(found < FAILED)
            if len(missing):
                distinct, first = np.unique(key[missing], return_index=True)
                self._dense[distinct] = self._values(columns, missing[first])
                found = self._dense[key]
            return found
        _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
        return self._values(columns, first)[inverse]

    def _values(self, columns: list[IntArray], rows: IntArray) -> IntArray:
        combinations = zip(*(column[rows].tolist() for column in columns), strict=True)
        return np.array([self._value(values) for values in combinations], dtype=np.int64)

    def _value(self, values: tuple[int, ...]) -> int:
        found = self._known.get(values)
        if found is None:
            now: dict[str, bool | int] = {}
            after: dict[str, bool | int] = {}
            for (field, primed), value in zip(self._fields, values, strict=True):
                (after if primed else now)[field.name] = bool(value) if field.boolean else value
            try:
                result = self._function(now, after)
            except EvaluationError:
                result = None
            found = self._known[values] = FAILED if result is None else result
        return found


def reads(exprs: Iterable[Expr]) -> Reads:
    """The variables that the expressions read."""
    names: dict[tuple[str, bool], None] = {}
    todo = list(exprs)
    while todo:
        node = todo.pop()
        if isinstance(node, Var):
            names[node.name, node.primed] = None
        todo.extend(children(node))
    return tuple(sorted(names))
