"""Rows of an explicit world, as they are read -> ``spec.World`` with a table over the one variable ``state``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

from dsl.source import Span
from dsl.spec import Binary, Const, Expr, Grid, Label, Lookup, Reward, Table, Var, Variable, World
from dsl.types import Bool, Char, Int

STATE = "state"


class Numbered:
    """Distinct values in the order in which they came, each with its index."""

    def __init__(self, *values: Fraction) -> None:
        self.values = list(values)
        self._ids = {value: index for index, value in enumerate(values)}

    def id(self, value: Fraction) -> int:
        found = self._ids.get(value)
        if found is None:
            found = self._ids[value] = len(self.values)
            self.values.append(value)
        return found


def explicit_world(name: str, table: Table, labels: Mapping[str, Iterable[int]], span: Span, *, notes: Sequence[str] = ()) -> World:
    """``labels``: the states that have them."""
    size = len(table.choice_start) - 1
    variable = Variable(STATE, Int(0, size - 1), None, span)
    rewards = tuple(Reward(reward, (), span) for reward in table.rewards)
    return World(
        name,
        (variable,),
        None,
        (),
        tuple(Label(label, _in(variable, size, label, states, span), span) for label, states in labels.items()),
        rewards,
        False,
        span,
        table=table,
        notes=tuple(notes),
    )


def _in(variable: Variable, size: int, name: str, states: Iterable[int], span: Span) -> Expr:
    """Whether the state is one of those; a set of states is a grid of one row."""
    flags = bytearray(size)
    for one in states:
        flags[one] = 1
    grid = Grid(name, (tuple(flags),))
    state, row, yes = Var(variable.name, variable.type, False, span), Const(0, Int(0, 0), span), Const(1, Char(), span)
    return Binary("==", Lookup(grid, state, row, Char(), span), yes, Bool(), span)


def distinct(names: Sequence[str]) -> tuple[str, ...]:
    """The actions of one state under names of their own: those that share one become ``a#1``, ``a#2``, ..."""
    if len(set(names)) == len(names):
        return tuple(names)
    taken = set(names)
    count: dict[str, int] = {}
    result = []
    for name in names:
        own = name
        if names.count(name) > 1:
            while True:
                count[name] = count.get(name, 0) + 1
                own = f"{name}#{count[name]}"
                if own not in taken:
                    break
            taken.add(own)
        result.append(own)
    return tuple(result)
