"""A world -> its explicit MDP, breadth-first over packed states, first in batches, in large worlds by compiled code."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from fractions import Fraction
from math import inf
from typing import TYPE_CHECKING

from dsl.semantics import EvaluationError
from dsl.spec import World
from prover.worlds.blocks import Evaluator
from prover.worlds.chain import drawn
from prover.worlds.compile import Compiler
from prover.worlds.decision_tables import NARROW, WIDE, NotTabularError, Tables, decision_tables
from prover.worlds.expand import Expansion, SenselessRowError, SenselessStateError, expand
from prover.worlds.explored import BATCH, Explored, IndexedColumn, RowsBuilder
from prover.worlds.initial import number_initial
from prover.worlds.mdp import Mdp, RewardColumn
from prover.worlds.names import Codes, Numbering
from prover.worlds.pack import Rows, Words, layout
from prover.worlds.rationals import FirstUse, RationalTable
from prover.worlds.room import Room
from prover.worlds.state_index import StateIndex, state_index
from prover.worlds.table_batch import TableBatch
from prover.worlds.trace import examine, spec_error, too_many
from prover.worlds.transitions import compile_actions

if TYPE_CHECKING:
    from prover.worlds.walker import Walker

BATCH_TRANSITIONS = 1 << 19  # at most about so many in a batch, whatever the number of outcomes
MOST_STATES = 1 << 30  # state numbers are 32 bits, and a batch needs some of them for itself
PATIENCE, LOADED = 1.0, 0.15  # seconds lost to compiled code before it is loaded, about what that costs; where it is loaded already
STATE, TRANSITION = 3e-7, 1.5e-7  # seconds that compiled code takes for each


class Batches:
    """Expands as many states at a time as fit; ``batch``: so many.  ``tabular`` None: the world does not fit in tables."""

    def __init__(
        self,
        index: StateIndex,
        evaluator: Evaluator,
        tabular: TableBatch | None,
        rewards: int,
        table: RationalTable,
        batch: int | None,
    ) -> None:
        self._index, self._evaluator, self._tabular, self._rewards, self._table = index, evaluator, tabular, rewards, table
        self._fixed = batch is not None
        self._most = batch or BATCH

    @property
    def size(self) -> int:
        return self._index.size

    def states(self, start: int, stop: int) -> Words:
        return self._index.states(start, stop)

    def close(self) -> None:
        """No state will be numbered any more."""
        self._index.close()

    def expand(self, start: int) -> Expansion:
        """The rows of some states from ``start`` on.  Raises SenselessStateError, in the first of its states that makes no sense."""
        index = self._index
        rows = Rows(index.layout, index.states(start, min(index.size, start + self._most)))
        piece = None if self._tabular is None else self._tabular.expand(rows.words, index.number)
        if piece is None:
            try:
                piece = expand(rows, self._evaluator, self._rewards, index.number, self._table)
            except SenselessRowError as error:
                sensible = expand(rows.head(error.row), self._evaluator, self._rewards, index.number, self._table)
                raise SenselessStateError(sensible) from None
        if not self._fixed and len(piece.successor):
            self._most = max(1, min(BATCH, BATCH_TRANSITIONS * len(rows) // len(piece.successor)))
        return piece


def explore_batch(
    world: World,
    *,
    max_states: int,
    rewards: Sequence[str],
    progress: Callable[[int], None] | None = None,
    batch: int | None = None,
    patience: float | None = None,
    tabular: bool = True,
) -> Mdp:
    """``batch`` states are expanded at a time (None: as many as fit), by tables if ``tabular`` and the world fits in them.

    Once it would have saved ``patience`` seconds of work, compiled code takes over if it can.

    Raises SpecError, and TooWideError if a variable has no column or if there are too many combinations of commands.
    """
    max_states = min(max_states, MOST_STATES)
    form = layout(world.variables)
    compiler = Compiler(form)
    index = state_index(form)
    codes = Codes(world)
    numbering = Numbering(codes)
    probability = IndexedColumn(RationalTable(), FirstUse())
    earned = {name: IndexedColumn(RationalTable([Fraction(0)]), FirstUse([0])) for name in rewards}
    tables = [column.table for column in earned.values()]
    actions, deadlock = compile_actions(world, compiler, rewards, probability.table, tables, codes)
    initial = number_initial(world, form, compiler, index)
    evaluator = Evaluator(actions, deadlock, probability.table)

    def decided(widest: int) -> Tables | None:
        try:
            return decision_tables(compiler, actions, deadlock, world.numbered, probability.table, widest)
        except NotTabularError:
            return None

    decisions = decided(NARROW) if tabular else None
    by_table = None if decisions is None else TableBatch(decisions, len(rewards), probability.table)
    states: Batches | Walker = Batches(index, evaluator, by_table, len(rewards), probability.table, batch)
    rows = RowsBuilder()
    if patience is None:
        patience = LOADED if "numba" in sys.modules else PATIENCE
    begin = time.process_time()

    def add(piece: Expansion) -> None:
        if world.chain:
            piece = drawn(piece, codes.step, codes.deadlock, probability.table, tables)
        rows.append(piece, numbering.ids(piece.action))
        probability.append(piece.probability)
        for column, ids in zip(earned.values(), piece.rewards, strict=True):
            column.append(ids)

    def explored() -> Explored:
        return Explored(world, form, compiler, states.states(0, states.size), len(initial), rows.result(), numbering.names)

    room = Room(world)
    start = 0
    while start < states.size:
        room.check(states.size, start, rows.transitions)
        if states.size > max_states:
            raise too_many(world, max_states, start, rows.transitions)
        if time.process_time() - begin - STATE * start - TRANSITION * rows.transitions >= patience:
            patience = inf
            decisions = decisions or decided(WIDE)
            if decisions is not None:
                from prover.worlds.walker import Walker  # loads numba

                states = Walker(decisions, form, index, probability.table, len(rewards))
                index.close()
        try:
            piece = states.expand(start)
        except SenselessStateError as failure:
            add(failure.piece)
            start += len(failure.piece.choices)
            known = explored()
            try:
                examine(world, known.named(start), rewards)
            except EvaluationError as error:
                raise spec_error(error, world, known.path(start)) from None
            raise RuntimeError(f"explorer and reference semantics differ in state {known.named(start)} of {world.name}") from None
        except MemoryError:
            raise room.exhausted(states.size, start, rows.transitions) from None
        add(piece)
        start += len(piece.choices)
        if progress is not None:
            progress(states.size)

    states.close()
    known = explored()
    ids, probabilities = probability.result()
    return Mdp(
        world=world.name,
        variables=world.variables,
        actions=tuple(numbering.names),
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
        values=known.values,  # type: ignore[arg-type]
    )
