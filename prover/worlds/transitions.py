"""Actions of a world -> functions from a batch of states to successors, probabilities and rewards, still action by action."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import lcm

import numpy as np

from dsl.semantics import DEADLOCK, evaluate
from dsl.spec import Action, Assignment, Const, Expr, If, Nary, Outcome, Reward, Synchronised, Variable, World
from dsl.types import Int, Rational
from prover.worlds.column import Column, Fails, NotColumnarError, either, rational
from prover.worlds.compile import Compiler
from prover.worlds.names import Codes
from prover.worlds.pack import BoolArray, Field, IntArray, Rows, Words, bounds
from prover.worlds.rationals import Ids, Numerators, RationalTable
from prover.worlds.tabulate import FAILED, State, Tabulated, reads

# ---------------------------------------------------------------- assignments


@dataclass(frozen=True, slots=True)
class Update:
    """``offset`` is the new value minus the variable's low end; meaningless where it fails."""

    field: Field
    offset: Callable[[Rows], IntArray]
    fails: Fails | None
    value: Expr  # what is assigned


def compile_update(compiler: Compiler, variable: Variable, assignment: Assignment) -> Update:
    field = compiler.layout.fields[assignment.variable]
    low, high = bounds(variable)
    try:
        column = compiler.number(assignment.value)
        if column.denominator != 1 or column.boolean != field.boolean:
            raise NotColumnarError
    except NotColumnarError:
        return _tabulated_update(compiler, field, assignment)
    fails = column.fails
    if column.low < low or column.high > high:
        column.shared = True

        def outside(rows: Rows) -> BoolArray:
            value = column(rows)
            return np.broadcast_to((value < low) | (value > high), len(rows))

        fails = either(fails, outside)
    if field.boolean:
        return Update(field, lambda rows: column(rows).astype(np.int64), fails, assignment.value)
    return Update(field, (lambda rows: column(rows) - low) if low else column, fails, assignment.value)


def _tabulated_update(compiler: Compiler, field: Field, assignment: Assignment) -> Update:
    def offset(now: State, _: State) -> int | None:
        value = evaluate(assignment.value, now)
        if Fraction(value).denominator != 1 or not field.low <= value <= field.high:
            return None
        return int(value) - field.low

    table = Tabulated(compiler.layout, reads([assignment.value]), offset)
    return Update(field, table, lambda rows: table(rows) == FAILED, assignment.value)


@dataclass(frozen=True, slots=True)
class Effect:
    """One outcome without its probability."""

    updates: tuple[Update, ...]

    def successors(self, rows: Rows) -> Words:
        words = []
        for index, word in enumerate(rows.words):
            fields = [update for update in self.updates if update.field.word == index]
            if fields:
                cleared = 0
                for update in fields:
                    cleared |= update.field.mask << update.field.shift
                word = word & ~cleared
                for update in fields:
                    word |= update.offset(rows) << update.field.shift
            words.append(word)
        return tuple(words)

    def cleared(self, word: int) -> int:
        """The bits of a word that are assigned."""
        bits = 0
        for update in self.updates:
            if update.field.word == word:
                bits |= update.field.mask << update.field.shift
        return bits

    def bits(self, rows: Rows) -> Words:
        """What stands in those bits afterwards, and 0 elsewhere."""
        words = tuple(np.zeros(len(rows), dtype=np.int64) for _ in rows.words)
        for update in self.updates:
            # a value outside the range, in a row that fails, must not reach into other fields
            words[update.field.word][:] |= (update.offset(rows) & update.field.mask) << update.field.shift
        return words

    def fails(self, rows: Rows) -> BoolArray | None:
        fails = either(*(update.fails for update in self.updates))
        return None if fails is None else fails(rows)


# ---------------------------------------------------------------- distributions


@dataclass(frozen=True, slots=True)
class Branch:
    """One outcome in a batch: indices of its probabilities, one or one for each row; ``alive`` None: all rows have it."""

    effect: Effect
    probability: int | Ids
    alive: BoolArray | None


Distribution = Callable[[Rows], tuple[list[Branch], BoolArray | None]]  # the rows that fail


def compile_distribution(compiler: Compiler, outcomes: Sequence[Outcome], effects: Sequence[Effect], table: RationalTable) -> Distribution:
    """Branches of probability 0 are dropped; rows with a negative probability or a sum other than 1 fail."""
    try:
        columns = [compiler.number(outcome.probability) for outcome in outcomes]
        if all(column.constant for column in columns):
            return _constant_distribution([rational(column) for column in columns], effects, table)
        common = lcm(*(column.denominator for column in columns))
        return _varying_distribution([compiler.scaled(column, common) for column in columns], common, effects, table)
    except NotColumnarError:
        return _tabulated_distribution(compiler, outcomes, effects, table)


def _constant_distribution(probabilities: list[Fraction], effects: Sequence[Effect], table: RationalTable) -> Distribution:
    if min(probabilities, default=Fraction(0)) < 0 or sum(probabilities) != 1:
        return lambda rows: ([], np.ones(len(rows), dtype=np.bool_))
    branches = [Branch(effect, table.id(p), None) for effect, p in zip(effects, probabilities, strict=True) if p]
    return lambda _: (branches, None)


def _varying_distribution(columns: list[Column], denominator: int, effects: Sequence[Effect], table: RationalTable) -> Distribution:
    numerators = [Numerators(table, min(max(c.low, 0), denominator), min(max(c.high, 0), denominator), denominator) for c in columns]
    fails = either(*(column.fails for column in columns))

    def distribution(rows: Rows) -> tuple[list[Branch], BoolArray | None]:
        failed = np.zeros(len(rows), dtype=np.bool_) if fails is None else fails(rows)
        total = np.zeros(len(rows), dtype=np.int64)
        branches = []
        for column, numerator, effect in zip(columns, numerators, effects, strict=True):
            value = np.broadcast_to(column(rows), len(rows))
            failed = failed | (value < 0) | (value > denominator)
            value = np.clip(value, 0, denominator)
            total += value
            branches.append(Branch(effect, numerator.ids(value), value > 0))
        return branches, failed | (total != denominator)

    return distribution


def _tabulated_distribution(
    compiler: Compiler, outcomes: Sequence[Outcome], effects: Sequence[Effect], table: RationalTable
) -> Distribution:
    rows_of: list[tuple[int, ...]] = []  # for each distribution met, indices into the table
    zero = -1

    def probabilities(now: State, _: State) -> int | None:
        values = [Fraction(evaluate(outcome.probability, now)) for outcome in outcomes]
        if min(values) < 0 or sum(values) != 1:
            return None
        rows_of.append(tuple(table.id(p) if p else zero for p in values))
        return len(rows_of) - 1

    which = Tabulated(compiler.layout, reads(outcome.probability for outcome in outcomes), probabilities)

    def distribution(rows: Rows) -> tuple[list[Branch], BoolArray | None]:
        index = which(rows)
        failed = index == FAILED
        if failed.all():
            return [], failed
        ids = np.array(rows_of, dtype=np.int32)[np.where(failed, 0, index)]
        return [Branch(effect, np.maximum(ids[:, j], 0), ids[:, j] != zero) for j, effect in enumerate(effects)], failed

    return distribution


# ---------------------------------------------------------------- rewards


@dataclass(frozen=True, slots=True)
class Earning:
    """What one action earns in one reward: an index for each row, or one for all."""

    ids: Callable[[Rows], Ids] | int
    fails: Fails | None
    primed: bool  # it reads the next state
    total: Expr | None = None  # what is earned, if it is not a constant


def compile_earning(compiler: Compiler, reward: Reward, action: str | None, table: RationalTable) -> Earning:
    """The sum of the clauses that apply, with the laziness of guards, is itself an expression.  ``action`` None: only those without."""
    nothing = Const(Fraction(0), Rational(), reward.span)
    terms: list[Expr] = []
    for clause in reward.clauses:
        if clause.action is None or clause.action == action:
            term = clause.value
            if clause.guard is not None:
                term = If(clause.guard, clause.value, nothing, Rational(), clause.span)
            terms.append(term)
    if not terms:
        return Earning(0, None, False)
    total = terms[0] if len(terms) == 1 else Nary("+", tuple(terms), Rational(), reward.span)
    try:
        column = compiler.number(total)
    except NotColumnarError:
        which = Tabulated(compiler.layout, reads([total]), lambda now, after: table.id(Fraction(evaluate(total, now, after))))
        primed = any(p for _, p in which.reads)
        return Earning(lambda rows: np.maximum(which(rows), 0).astype(np.int32), lambda rows: which(rows) == FAILED, primed, total)
    if column.constant:
        return Earning(table.id(rational(column)), None, False)
    numerators = Numerators(table, column.low, column.high, column.denominator)
    return Earning(lambda rows: numerators.ids(np.broadcast_to(column(rows), len(rows))), column.fails, column.primed, total)


# ---------------------------------------------------------------- actions


@dataclass(frozen=True, slots=True)
class CompiledAction:
    name: int  # its code (prover.worlds.names)
    guard: Column | None  # None: always enabled
    distribution: Distribution
    earnings: tuple[Earning, ...]  # in the order of the rewards asked for
    source: Action


@dataclass(frozen=True, slots=True)
class CompiledTogether:
    """A synchronised action; ``weights``: the code of a combination is ``name`` plus the sum of weight * place."""

    name: int
    parts: tuple[tuple[CompiledAction, ...], ...]
    weights: tuple[int, ...]
    numbered: bool
    earnings: tuple[Earning, ...]


Compiled = CompiledAction | CompiledTogether


def compile_actions(
    world: World,
    compiler: Compiler,
    rewards: Sequence[str],
    probabilities: RationalTable,
    tables: Sequence[RationalTable],
    codes: Codes,
) -> tuple[list[Compiled], CompiledAction | None]:
    """The actions, and the self-loop where none is enabled (None: that is an error).  ``tables``: one for each of the rewards."""
    variables = {variable.name: variable for variable in world.variables}
    declared = {reward.name: reward for reward in world.rewards}
    wanted = [(declared[name], table) for name, table in zip(rewards, tables, strict=True)]
    known: dict[str | None, tuple[Earning, ...]] = {}

    def earnings(label: str | None) -> tuple[Earning, ...]:
        if label not in known:
            known[label] = tuple(compile_earning(compiler, reward, label, table) for reward, table in wanted)
        return known[label]

    def effect(outcome: Outcome) -> Effect:
        return Effect(tuple(compile_update(compiler, variables[a.variable], a) for a in outcome.assignments))

    def command(action: Action, code: int, label: str | None) -> CompiledAction:
        guard = None if action.guard is None else compiler.condition(action.guard)
        if guard is not None and guard.constant and guard.low:
            guard = None
        elif guard is not None:
            guard.shared = True  # read by the distribution of a synchronised action and by the machine's tables
        effects = [effect(outcome) for outcome in action.outcomes]
        distribution = compile_distribution(compiler, action.outcomes, effects, probabilities)
        return CompiledAction(code, guard, distribution, earnings(label), action)

    def compiled(position: int, action: Action | Synchronised) -> Compiled:
        name, weights = codes.of(position)
        if isinstance(action, Action):
            return command(action, name, action.name if action.label is None else action.label)
        label = action.name if action.label is None else action.label
        parts = tuple(tuple(command(c, name, label) for c in part) for part in action.parts)
        return CompiledTogether(name, parts, weights, world.numbered, earnings(label))

    actions = [compiled(position, action) for position, action in enumerate(world.actions)]
    if not world.deadlock_absorbs:
        return actions, None
    stays = Action(DEADLOCK, None, (Outcome(Const(1, Int(None, None), world.span), (), world.span),), world.span)
    deadlock = command(stays, codes.deadlock, None)
    return actions, deadlock if world.deadlock_pays else replace(deadlock, earnings=tuple(Earning(0, None, False) for _ in wanted))
