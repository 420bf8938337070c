"""A world -> its explicit MDP, breadth-first over batches of packed states, in numpy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from dsl.semantics import DEADLOCK, MAX_VALUATIONS, EvaluationError, evaluate, initial_states, variables_read
from dsl.spec import Action, InitUniform, World
from prover.worlds.blocks import Evaluator, first_true
from prover.worlds.compile import Compiler
from prover.worlds.expand import BatchError, expand
from prover.worlds.explored import BATCH, Explored, IndexedColumn, RowsBuilder
from prover.worlds.mdp import Mdp, RewardColumn
from prover.worlds.pack import Layout, Rows, TooWideError, bounds, layout
from prover.worlds.rationals import FirstUse, RationalTable
from prover.worlds.small import initial_valuations
from prover.worlds.state_index import StateIndex, state_index
from prover.worlds.trace import examine, initial_error, spec_error, too_many
from prover.worlds.transitions import Branch, Effect, action_names, compile_actions

BATCH_TRANSITIONS = 1 << 19  # at most about so many in a batch, whatever the number of outcomes
MOST_STATES = 1 << 30  # state numbers are 32 bits, and a batch needs some of them for itself

Initial = tuple[tuple[int, Fraction], ...]


def explore_batch(
    world: World,
    *,
    max_states: int,
    rewards: Sequence[str],
    progress: Callable[[int], None] | None = None,
    batch: int | None = None,
) -> Mdp:
    """``batch`` states are expanded at a time (None: as many as fit).  Raises SpecError, and TooWideError if a variable has no column."""
    max_states = min(max_states, MOST_STATES)
    if world.chain or world.table is not None:
        raise TooWideError(world.name)
    actions_ = [action for action in world.actions if isinstance(action, Action)]
    if len(actions_) < len(world.actions):
        raise TooWideError(world.name)
    outcomes = sum(len(action.outcomes) for action in actions_)
    batch = batch or max(1, min(BATCH, BATCH_TRANSITIONS // max(outcomes, 1)))
    form = layout(world.variables)
    compiler = Compiler(form)
    index = state_index(form)
    probability = IndexedColumn(RationalTable(), FirstUse())
    earned = {name: IndexedColumn(RationalTable([Fraction(0)]), FirstUse([0])) for name in rewards}
    actions = compile_actions(world, compiler, rewards, probability.table, [column.table for column in earned.values()])
    names = action_names(world)
    deadlock = (len(names), Branch(Effect(()), probability.table.id(Fraction(1)), None)) if world.deadlock_absorbs else None
    evaluator = Evaluator(actions, deadlock)
    initial = _initial(world, form, compiler, index)
    rows = RowsBuilder()

    def explored() -> Explored:
        return Explored(world, form, compiler, index.states(0, index.size), len(initial), rows.result())

    start = 0
    while start < index.size:
        if index.size > max_states:
            raise too_many(world, max_states, start, rows.transitions)
        stop = min(index.size, start + batch)
        try:
            expansion = expand(Rows(form, index.states(start, stop)), evaluator, len(rewards), index.number, probability.table)
        except BatchError as failure:
            known, state = explored(), start + failure.row
            try:
                examine(world, known.named(state), rewards)
            except EvaluationError as error:
                raise spec_error(error, world, known.path(state)) from None
            raise RuntimeError(f"explorer and reference semantics differ in state {known.named(state)} of {world.name}") from None
        rows.append(expansion)
        probability.append(expansion.probability)
        for column, ids in zip(earned.values(), expansion.rewards, strict=True):
            column.append(ids)
        start = stop
        if progress is not None:
            progress(index.size)

    known = explored()
    absorbed = world.deadlock_absorbs and len(known.rows.action) > 0 and int(known.rows.action.max()) == len(names)
    ids, probabilities = probability.result()
    return Mdp(
        world=world.name,
        variables=world.variables,
        actions=(*names, DEADLOCK) if absorbed else names,
        initial=initial,
        choice_start=known.rows.choice_start,  # type: ignore[arg-type]  # arrays are sequences in all that is asked of them
        action=known.rows.action,  # type: ignore[arg-type]
        transition_start=known.rows.transition_start,  # type: ignore[arg-type]
        successor=known.rows.successor,  # type: ignore[arg-type]
        probability=ids,  # type: ignore[arg-type]
        probabilities=probabilities,
        rewards={name: RewardColumn(*column.result()) for name, column in earned.items()},  # type: ignore[arg-type]
        valuation=known.valuation,
        holds=known.holds,  # type: ignore[arg-type]
    )


def _initial(world: World, form: Layout, compiler: Compiler, index: StateIndex) -> Initial:
    """Numbers the initial states, in the order of the reference semantics."""
    valuations = initial_valuations(world)
    try:
        if isinstance(world.init, InitUniform) and valuations <= MAX_VALUATIONS:
            return _uniform(world, world.init, valuations, form, compiler, index)
        states = initial_states(world)
    except EvaluationError as error:
        raise initial_error(error) from None
    packed = np.array([form.pack(tuple(state.values())) for state, _ in states], dtype=np.int64)
    numbers = index.number(tuple(np.ascontiguousarray(word) for word in packed.T))
    return tuple((int(n), p) for n, (_, p) in zip(numbers, states, strict=True))


def _uniform(world: World, init: InitUniform, valuations: int, form: Layout, compiler: Compiler, index: StateIndex) -> Initial:
    """The valuations that the reference semantics tries, in its order, as columns."""
    read = variables_read(init.condition)
    columns: dict[str, npt.NDArray[Any]] = {}
    inner = valuations
    for variable in world.variables:
        low, high = bounds(variable)
        if variable.name in read or variable.initial is None:
            inner //= high - low + 1
            columns[variable.name] = np.arange(valuations) // inner % (high - low + 1) + low
        else:
            columns[variable.name] = np.full(valuations, int(variable.initial), dtype=np.int64)
    rows = Rows(form, form.pack_columns(columns, valuations))
    condition = compiler.condition(init.condition)
    failed = None if condition.fails is None else first_true(condition.fails(rows))
    if failed is not None:
        values = form.unpack([int(word[failed]) for word in rows.words])
        evaluate(init.condition, dict(zip(form.fields, values, strict=True)))  # raises EvaluationError
    chosen = np.flatnonzero(np.broadcast_to(condition(rows), valuations))
    if len(chosen) == 0:
        raise EvaluationError("E308", "no state satisfies the condition of `init uniform`", init.span)
    index.number(rows.take(chosen).words)
    share = Fraction(1, len(chosen))
    return tuple((n, share) for n in range(len(chosen)))
