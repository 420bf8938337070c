"""The actions of a world -> tables of integers from which compiled code reads choices and successors, one state at a time.

Every guard, assignment, distribution and reward reads a few variables, and these take few bits of a packed state.  Its
values for all their combinations are computed beforehand, in columns, so that a table holds exactly what the explorer of batches computes.
An entry -1 stands for what has no value.  The guards of up to 62 commands share a table: entry = the set of those that hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from dsl.spec import Expr, Nary
from prover.worlds.column import Column
from prover.worlds.compile import Compiler
from prover.worlds.pack import Field, IntArray, Rows, Words
from prover.worlds.rationals import RationalTable
from prover.worlds.tabulate import Reads, reads
from prover.worlds.transitions import Compiled, CompiledAction, CompiledTogether, Earning, Update

BLOCK = 62  # commands whose guards share a word
JOINED = 12  # bits: tables are joined as long as they stay in the processor's cache
NARROW, WIDE = 16, 20  # bits of one table: in any world, and in one that is known to be large
WIDE_RATIONALS = 14  # bits of one table of rationals
ENTRIES = 4  # all tables together have as many entries as so many of the largest
FAILED = -1


class NotTabularError(Exception):
    """Something reads too many bits, or there are too many entries."""


class Tables(NamedTuple):
    """Ranges are pairs of columns, or one column of starts with one more entry than there are things.

    A reader says where the index into a table stands in a packed state: runs of bits (word, shift, mask) that move to a position.
    Words of the next state follow those of the state.
    """

    words: int
    parts: int  # of the action that has most
    commands: int  # of the action that has most
    numbered: bool
    deadlock: int  # the action of the self-loop, or -1
    one: int  # index of the probability 1
    reader: IntArray
    run: IntArray  # [run, (word, shift, mask, position)]
    block: IntArray  # starts of the groups of guards
    group: IntArray  # [group, (reader, offset)]
    guards: IntArray
    action: IntArray  # [action, (code, first part, last part + 1, is its name taken by an earlier one)]
    part: IntArray  # [part, (first command, last command + 1, weight)]
    command: IntArray  # [command, (reader, offset, first branch, last branch + 1)]
    distributions: IntArray  # entry = place of the first probability
    probabilities: IntArray  # indices of rationals, -1 where an outcome has probability 0
    kept: IntArray  # [branch, word]
    written: IntArray  # [branch, word]
    update: IntArray  # starts of the updates of the branches
    updates: IntArray  # [update, (reader, word, offset)]
    values: IntArray  # bits in their place
    earning: IntArray  # [action * rewards + reward, (reader or -1, offset or index)]
    earned: IntArray  # indices of rationals


def decision_tables(
    compiler: Compiler,
    actions: Sequence[Compiled],
    deadlock: CompiledAction | None,
    numbered: bool,
    probabilities: RationalTable,
    widest: int,
) -> Tables:
    """``widest``: bits of one table.  Raises NotTabularError."""
    return _Builder(compiler, probabilities, widest).tables(actions, deadlock, numbered)


class _Builder:
    def __init__(self, compiler: Compiler, probabilities: RationalTable, widest: int) -> None:
        self._widest = widest
        self._compiler = compiler
        self._layout = compiler.layout
        self._probabilities = probabilities
        self._readers: dict[Reads, int] = {}
        self._reader_starts, self._runs = [0], list[tuple[int, int, int, int]]()
        self._entries = 0

    def tables(self, actions: Sequence[Compiled], deadlock: CompiledAction | None, numbered: bool) -> Tables:
        commands: list[CompiledAction] = []
        action_rows: list[tuple[int, int, int, int]] = []
        part_rows: list[tuple[int, int, int]] = []
        taken: set[int] = set()
        most = 1
        for action in [*actions, *([deadlock] if deadlock else [])]:
            first = len(part_rows)
            together = isinstance(action, CompiledTogether)
            parts = action.parts if isinstance(action, CompiledTogether) else ((action,),)
            weights = action.weights if isinstance(action, CompiledTogether) else (0,)
            for part, weight in zip(parts, weights, strict=True):
                part_rows.append((len(commands), len(commands) + len(part), weight))
                commands.extend(part)
            action_rows.append((action.name, first, len(part_rows), int(not together and action.name in taken)))
            taken.add(action.name)
            most = max(most, sum(len(part) for part in parts))
        block, group, guards = self._guards(commands[: len(commands) - (deadlock is not None)])
        command_rows, distributions, ids, branches = self._commands(commands)
        kept, written, update, updates, values = self._branches(branches)
        earnings = [earning for action in [*actions, *([deadlock] if deadlock else [])] for earning in action.earnings]
        earning_rows, earned = self._earnings(earnings)
        return Tables(
            words=self._layout.words,
            parts=max(last - first for _, first, last, _ in action_rows),
            commands=most,
            numbered=numbered,
            deadlock=len(actions) if deadlock else -1,
            one=self._probabilities.id(Fraction(1)),
            reader=_column(self._reader_starts),
            run=_rows(self._runs, 4),
            block=block,
            group=group,
            guards=guards,
            action=_rows(action_rows, 4),
            part=_rows(part_rows, 3),
            command=command_rows,
            distributions=distributions,
            probabilities=ids,
            kept=kept,
            written=written,
            update=update,
            updates=updates,
            values=values,
            earning=earning_rows,
            earned=earned,
        )

    # ------------------------------------------------------------ what is read

    def _fields(self, read: Reads) -> list[tuple[Field, bool]]:
        fields = [(self._layout.fields[name], primed) for name, primed in read]
        return sorted(((f, p) for f, p in fields if f.bits), key=lambda pair: (pair[1], pair[0].word, pair[0].shift))

    def _bits(self, read: Reads) -> int:
        return sum(field.bits for field, _ in self._fields(read))

    def _reader(self, read: Reads) -> int:
        found = self._readers.get(read)
        if found is None:
            found = self._readers[read] = len(self._readers)
            runs: list[tuple[int, int, int, int]] = []
            position = 0
            for field, primed in self._fields(read):
                word = field.word + (self._layout.words if primed else 0)
                if runs and runs[-1][0] == word and runs[-1][1] + runs[-1][2].bit_length() == field.shift:
                    before = runs.pop()
                    runs.append((word, before[1], before[2] | field.mask << before[2].bit_length(), before[3]))
                else:
                    runs.append((word, field.shift, field.mask, position))
                position += field.bits
            self._runs.extend(runs)
            self._reader_starts.append(len(self._runs))
        return found

    def _combinations(self, read: Reads, widest: int) -> tuple[int, IntArray, Rows]:
        """Size of a table, and its entries that have a meaning: their places, and states that have these values."""
        fields = self._fields(read)
        bits = sum(field.bits for field, _ in fields)
        self._entries += 1 << bits
        if bits > widest or self._entries > ENTRIES << self._widest:
            raise NotTabularError
        place = np.arange(1 << bits)
        meant = np.ones(len(place), dtype=np.bool_)
        now, after = self._zeros(len(place)), self._zeros(len(place))
        position = 0
        for field, primed in fields:
            offset = (place >> position) & field.mask
            meant &= offset <= field.high - field.low
            (after if primed else now)[field.word][:] |= offset << field.shift
            position += field.bits
        chosen = np.flatnonzero(meant)
        rows = Rows(self._layout, tuple(word[chosen] for word in now))
        if any(primed for _, primed in read):
            rows = rows.then(tuple(word[chosen] for word in after))
        return len(place), chosen, rows

    def _zeros(self, size: int) -> Words:
        return tuple(np.zeros(size, dtype=np.int64) for _ in range(self._layout.words))

    # ------------------------------------------------------------ guards

    def _guards(self, commands: Sequence[CompiledAction]) -> tuple[IntArray, IntArray, IntArray]:
        starts, groups, tables = [0], list[tuple[int, int]](), list[IntArray]()
        size = 0
        for begin in range(0, len(commands), BLOCK):
            block = commands[begin : begin + BLOCK]
            for read, tests in self._grouped(block):
                length, place, rows = self._combinations(read, self._widest)
                entries = np.full(length, FAILED, dtype=np.int64)
                true = np.full(len(place), (1 << len(block)) - 1, dtype=np.int64)
                failed = np.zeros(len(place), dtype=np.bool_)
                for bit, column in tests:
                    true &= np.where(column(rows), -1, ~(1 << bit))
                    if column.fails is not None:
                        failed |= column.fails(rows)
                entries[place] = np.where(failed, FAILED, true)
                groups.append((self._reader(read), size))
                tables.append(entries)
                size += length
            if starts[-1] == len(groups):  # no guard at all
                groups.append((self._reader(()), size))
                tables.append(np.array([(1 << len(block)) - 1], dtype=np.int64))
                size += 1
            starts.append(len(groups))
        return _column(starts), _rows(groups, 2), _joined(tables)

    def _grouped(self, block: Sequence[CompiledAction]) -> list[tuple[Reads, list[tuple[int, Column]]]]:
        """Tests of guards, those that read nearly the same together."""
        tests: dict[Reads, list[tuple[int, Column]]] = {}
        for bit, command in enumerate(block):
            if command.guard is not None and command.source.guard is not None:
                for read, column in self._conjuncts(command.source.guard, command.guard):
                    tests.setdefault(read, []).append((bit, column))
        groups: list[tuple[Reads, list[tuple[int, Column]]]] = []
        for read, list_ in sorted(tests.items(), key=lambda item: -self._bits(item[0])):
            unions = [(self._bits(_union(other, read)), i) for i, (other, _) in enumerate(groups)]
            possible = [(bits, i) for bits, i in unions if bits <= max(JOINED, self._bits(groups[i][0]))]
            if possible:
                i = min(possible)[1]
                groups[i] = (_union(groups[i][0], read), groups[i][1] + list_)
            else:
                groups.append((read, list_))
        return groups

    def _conjuncts(self, guard: Expr, column: Column) -> list[tuple[Reads, Column]]:
        """A guard that reads many bits as the conjunction of tests that read few."""
        whole = reads([guard])
        if self._bits(whole) <= JOINED:
            return [(whole, column)]
        parts = _flattened(guard)
        columns = [self._compiler.condition(part) for part in parts]
        if any(c.fails is not None for c in columns):
            return [(whole, column)]  # later conjuncts are not looked at where earlier ones are false
        bins: list[list[Expr]] = []
        for part in parts:
            for bin_ in bins:
                if self._bits(reads([*bin_, part])) <= JOINED:
                    bin_.append(part)
                    break
            else:
                bins.append([part])
        return [
            (reads(bin_), self._compiler.condition(bin_[0] if len(bin_) == 1 else Nary("and", tuple(bin_), guard.type, guard.span)))
            for bin_ in bins
        ]

    # ------------------------------------------------------------ distributions and what they assign

    def _commands(self, commands: Sequence[CompiledAction]) -> tuple[IntArray, IntArray, IntArray, list[tuple[Update, ...]]]:
        command_rows: list[tuple[int, int, int, int]] = []
        tables: list[IntArray] = []
        ids: list[IntArray] = []
        branches: list[tuple[Update, ...]] = []
        size = listed = 0
        for command in commands:
            read = reads(outcome.probability for outcome in command.source.outcomes)
            length, place, rows = self._combinations(read, min(self._widest, WIDE_RATIONALS))
            found, wrong = command.distribution(rows)
            matrix = np.empty((len(place), len(found)), dtype=np.int64)
            for j, branch in enumerate(found):
                matrix[:, j] = branch.probability if branch.alive is None else np.where(branch.alive, branch.probability, -1)
            entries = np.full(length, FAILED, dtype=np.int64)
            start = listed + np.arange(len(place)) * len(found)
            entries[place] = start if wrong is None else np.where(wrong, FAILED, start)
            command_rows.append((self._reader(read), size, len(branches), len(branches) + len(found)))
            tables.append(entries)
            ids.append(matrix.ravel())
            branches.extend(branch.effect.updates for branch in found)
            size += length
            listed += matrix.size
        return _rows(command_rows, 4), _joined(tables), _joined(ids), branches

    def _branches(self, branches: Sequence[tuple[Update, ...]]) -> tuple[IntArray, IntArray, IntArray, IntArray, IntArray]:
        kept = np.full((len(branches), self._layout.words), -1, dtype=np.int64)
        written = np.zeros((len(branches), self._layout.words), dtype=np.int64)
        starts, rows, tables = [0], list[tuple[int, int, int]](), list[IntArray]()
        known: dict[tuple[object, ...], tuple[int, int, int]] = {}
        size = 0
        for i, updates in enumerate(branches):
            for update in updates:
                kept[i, update.field.word] &= ~(update.field.mask << update.field.shift)
            for read, word, members in self._merged(updates):
                key = (word, *((update.field.name, update.value) for update in members))
                if not read and all(update.fails is None for update in members):
                    written[i, word] |= int(self._bits_written(members, self._combinations(read, self._widest)[2])[0])
                    continue
                if key not in known:
                    length, place, states = self._combinations(read, self._widest)
                    entries = np.full(length, FAILED, dtype=np.int64)
                    entries[place] = self._bits_written(members, states)
                    known[key] = (self._reader(read), word, size)
                    tables.append(entries)
                    size += length
                rows.append(known[key])
            starts.append(len(rows))
        return kept, written, _column(starts), _rows(rows, 3), _joined(tables)

    def _merged(self, updates: Sequence[Update]) -> list[tuple[Reads, int, list[Update]]]:
        """Updates of one word that read little share a table."""
        groups: list[tuple[Reads, int, list[Update]]] = []
        for update in updates:
            read = reads([update.value])
            for i, (other, word, members) in enumerate(groups):
                constant = (not read and update.fails is None) or (not other and members[0].fails is None)
                if word == update.field.word and (read == other or (not constant and self._bits(_union(other, read)) <= JOINED - 2)):
                    groups[i] = (_union(other, read), word, [*members, update])
                    break
            else:
                groups.append((read, update.field.word, [update]))
        return groups

    def _bits_written(self, updates: Sequence[Update], rows: Rows) -> IntArray:
        bits = np.zeros(len(rows), dtype=np.int64)
        failed = np.zeros(len(rows), dtype=np.bool_)
        for update in updates:
            bits |= (update.offset(rows) & update.field.mask) << update.field.shift
            if update.fails is not None:
                failed |= update.fails(rows)
        return np.where(failed, FAILED, bits)

    # ------------------------------------------------------------ rewards

    def _earnings(self, earnings: Sequence[Earning]) -> tuple[IntArray, IntArray]:
        rows: list[tuple[int, int]] = []
        tables: list[IntArray] = []
        known: dict[int, tuple[int, int]] = {}
        size = 0
        for earning in earnings:
            if isinstance(earning.ids, int):
                rows.append((-1, earning.ids))
                continue
            if id(earning) not in known:
                read = () if earning.total is None else reads([earning.total])
                length, place, states = self._combinations(read, min(self._widest, WIDE_RATIONALS))
                entries = np.full(length, FAILED, dtype=np.int64)
                values = earning.ids(states)
                entries[place] = values if earning.fails is None else np.where(earning.fails(states), FAILED, values)
                known[id(earning)] = (self._reader(read), size)
                tables.append(entries)
                size += length
            rows.append(known[id(earning)])
        return _rows(rows, 2), _joined(tables)


def _flattened(expr: Expr) -> list[Expr]:
    if isinstance(expr, Nary) and expr.op == "and":
        return [part for arg in expr.args for part in _flattened(arg)]
    return [expr]


def _union(a: Reads, b: Reads) -> Reads:
    return tuple(sorted({*a, *b}))


def _column(values: Sequence[int]) -> IntArray:
    return np.array(values, dtype=np.int64)


def _rows(values: Sequence[tuple[int, ...]], width: int) -> IntArray:
    return np.array(values, dtype=np.int64).reshape(len(values), width)


def _joined(tables: Sequence[IntArray]) -> IntArray:
    return np.concatenate(tables) if tables else np.empty(0, dtype=np.int64)
