"""A world that is a table -> its explicit MDP: the states that can be reached, numbered in breadth-first order.

The reference explorer gives the same MDP one state at a time; here whole columns are gathered at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from dsl.semantics import EvaluationError, evaluate
from dsl.spec import Expr, Table, World
from prover.worlds.compile import Compiler
from prover.worlds.mdp import Mdp, RewardColumn
from prover.worlds.pack import BoolArray, IntArray, Rows, layout
from prover.worlds.trace import shortest_path, spec_error, too_many

Ids = npt.NDArray[np.int32]
V = TypeVar("V")
BATCH = 1 << 15  # states whose columns stay in the processor's cache


def explore_table(
    world: World,
    table: Table,
    *,
    max_states: int,
    rewards: Sequence[str],
    progress: Callable[[int], None] | None = None,
) -> Mdp:
    """Raises SpecError if more than ``max_states`` states can be reached."""
    choice_start = np.asarray(table.choice_start, dtype=np.int64)
    transition_start = np.asarray(table.transition_start, dtype=np.int64)
    order = _breadth_first(table, choice_start, transition_start)
    if len(order) > max_states:
        raise too_many(world, max_states, 0, 0)
    if progress is not None:
        progress(len(order))
    number = np.full(len(choice_start) - 1, -1, dtype=np.int32)
    number[order] = np.arange(len(order), dtype=np.int32)
    choices, new_choice_start = _gather(order, choice_start)
    transitions, new_transition_start = _gather(choices, transition_start)
    action, actions = _by_first_use(_column(table.action)[choices], table.actions)
    probability, probabilities = _by_first_use(_column(table.probability)[transitions], table.probabilities)
    earned = {}
    for name in rewards:
        index, values = table.rewards[name]
        earned[name] = RewardColumn(*_by_first_use(_column(index)[transitions], values, first=Fraction(0)))  # type: ignore[arg-type]
    mdp = Mdp(
        world=world.name,
        variables=world.variables,
        actions=actions,
        initial=tuple((int(number[state]), p) for state, p in table.initial),
        choice_start=new_choice_start,  # type: ignore[arg-type]  # arrays are sequences in all that is asked of them
        action=action,  # type: ignore[arg-type]
        transition_start=new_transition_start,  # type: ignore[arg-type]
        successor=number[_column(table.successor)[transitions]],  # type: ignore[arg-type]
        probability=probability,  # type: ignore[arg-type]
        probabilities=probabilities,
        rewards=earned,
        valuation=lambda state: (int(order[state]),),
        holds=lambda expr: _truth(world, mdp, order, expr),  # type: ignore[arg-type, return-value]
        values=lambda _: order,  # type: ignore[arg-type, return-value]
    )
    return mdp


def _column(values: Sequence[int]) -> Ids:
    return np.asarray(values, dtype=np.int32)


def _breadth_first(table: Table, choice_start: IntArray, transition_start: IntArray) -> IntArray:
    """The reachable states in the order in which they are found; plain lists, since levels can be as many as states."""
    after = table.successor if isinstance(table.successor, list) else _column(table.successor).tolist()
    bounds = transition_start[choice_start].tolist()
    order = [state for state, _ in table.initial]
    found = bytearray(len(choice_start))
    for state in order:
        found[state] = 1
    for state in order:  # grows while it is read
        for target in after[bounds[state] : bounds[state + 1]]:
            if not found[target]:
                found[target] = 1
                order.append(target)
    return np.asarray(order, dtype=np.int64)


def _gather(kept: IntArray, start: IntArray) -> tuple[IntArray, IntArray]:
    """The members of these rows one after the other, and where each row now starts."""
    counts = start[kept + 1] - start[kept]
    new = np.zeros(len(kept) + 1, dtype=np.int64)
    np.cumsum(counts, out=new[1:])
    return np.repeat(start[kept] - new[:-1], counts) + np.arange(new[-1]), new


def _by_first_use(ids: Ids, values: Sequence[V], first: V | None = None) -> tuple[Ids, tuple[V, ...]]:
    """The column and its table, renumbered in the order of first use; ``first`` has the number 0 whether it is used or not.

    Equal values share one number.
    """
    place: dict[V, int] = {} if first is None else {first: 0}
    used, position = np.unique(ids, return_index=True)
    new = np.zeros(len(values), dtype=np.int32)
    for old in used[np.argsort(position)].tolist():
        new[old] = place.setdefault(values[old], len(place))
    return new[ids], tuple(place)


def _truth(world: World, mdp: Mdp, order: IntArray, expr: Expr) -> BoolArray:
    """Of a state condition in every state; raises SpecError where it has no value."""
    form = layout(world.variables)  # one variable from 0 on, so a packed state is its value
    column = Compiler(form).condition(expr)
    (field,) = form.fields.values()
    truth = np.empty(len(order), dtype=np.bool_)
    for start in range(0, len(order), BATCH):
        rows = Rows(form, (order[start : start + BATCH],))
        failed = column.fails(rows) if column.fails is not None else np.zeros(1, dtype=np.bool_)
        if failed.any():
            state = start + int(np.argmax(failed))
            try:
                evaluate(expr, {field.name: int(order[state])})
            except EvaluationError as error:
                raise spec_error(error, world, shortest_path(state, _parent(mdp), lambda s: {field.name: int(order[s])})) from None
            raise RuntimeError(f"a condition fails in columns but not by the reference semantics: state {int(order[state])}")
        truth[start : start + BATCH] = column(rows)
    return truth


def _parent(mdp: Mdp) -> Callable[[int], tuple[int, str] | None]:
    """The state from which a state was found first, and by which action."""
    successor = np.asarray(mdp.successor)

    def parent(state: int) -> tuple[int, str] | None:
        if state < len(mdp.initial):
            return None
        transition = int(np.argmax(successor == state))
        choice = int(np.searchsorted(mdp.transition_start, transition, side="right")) - 1
        source = int(np.searchsorted(mdp.choice_start, choice, side="right")) - 1
        return source, mdp.actions[mdp.action[choice]]

    return parent
