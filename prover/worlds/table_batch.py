"""A batch of states and decision tables -> the rows of the states, all actions at once.

The number of numpy calls does not depend on the number of commands, so that the narrow levels of a world with many commands stay cheap.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from prover.worlds.decision_tables import BLOCK, Tables
from prover.worlds.expand import Expansion, Numbers, merged
from prover.worlds.pack import IntArray, Words
from prover.worlds.rationals import Ids, RationalTable


class TableBatch:
    """``rewards``: how many."""

    def __init__(self, tables: Tables, rewards: int, probabilities: RationalTable) -> None:
        self._tables = tables
        self._rewards = rewards
        self._probabilities = probabilities
        self._runs_of = [tables.run[tables.reader[r] : tables.reader[r + 1]].tolist() for r in range(len(tables.reader) - 1)]
        self._run_count = np.diff(tables.reader)
        self._groups = tables.group.tolist()
        self._command_of_bit = (BLOCK * np.arange(len(tables.block) - 1)[:, None] + np.arange(64)).ravel()  # the last two are never set
        self._part_of_command = np.repeat(np.arange(len(tables.part)), tables.part[:, 1] - tables.part[:, 0])
        self._first_part = tables.action[:, 1]
        self._parts = tables.action[:, 2] - self._first_part
        self._action_of_part = np.repeat(np.arange(len(tables.action)), self._parts)
        self._single = bool((self._parts == 1).all())
        self._varying = set(tables.command[:, 0][self._run_count[tables.command[:, 0]] > 0].tolist())  # readers of distributions
        self._dying = bool((tables.probabilities < 0).any())
        # columns of their own: reading one of a matrix takes twice as long
        self._code = _own(tables.action[:, 0])
        self._command_offset, self._first_branch = _own(tables.command[:, 1]), _own(tables.command[:, 2])
        self._outcome_count = tables.command[:, 3] - self._first_branch
        self._start = tables.distributions[self._command_offset]  # of distributions that do not vary
        self._kept = [_own(tables.kept[:, w]) for w in range(tables.words)]
        self._set = [_own(tables.written[:, w]) for w in range(tables.words)]
        self._first_update, self._updates = _own(tables.update[:-1]), np.diff(tables.update)
        self._update_reader, self._update_word, self._update_offset = (_own(tables.updates[:, i]) for i in range(3))
        self._run_word, self._run_shift, self._run_mask, self._run_position = (_own(tables.run[:, i]) for i in range(4))
        self._earning = tables.earning.reshape(len(tables.action), rewards, 2)
        codes = tables.action[:, 0].tolist()
        self._ambiguous = [(a, b) for a in range(len(codes)) if tables.action[a, 3] for b in range(a) if codes[a] == codes[b]]

    def expand(self, words: Words, number: Callable[[Words], Numbers]) -> Expansion | None:
        """None: some state makes no sense; then nothing has been numbered."""
        tables = self._tables
        enabled = self._enabled(words)
        if enabled is None:
            return None
        taken = self._taken(*enabled, len(words[0]))
        if taken is None:
            return None
        row, action, first, count, command = taken
        code = self._code[action]
        chosen: list[tuple[IntArray | None, IntArray]] = []  # for each slot the choices that have it (None: all), and their commands
        if self._single:
            chosen.append((None, command[first]))
        else:
            parts = self._parts[action]
            combinations = np.ones(len(row), dtype=np.int64)
            if len(count) and count.max() > 1:
                for slot in range(int(parts.max())):
                    have = np.flatnonzero(parts > slot)
                    combinations[have] *= count[first[have] + slot]
            several = bool((combinations != 1).any())
            if several:
                if not tables.numbered:
                    return None
                again = np.repeat(np.arange(len(row)), combinations)
                digits = np.arange(len(again)) - (np.cumsum(combinations) - combinations)[again]
                row, action, code, first, parts = row[again], action[again], code[again], first[again], parts[again]
            else:
                digits = combinations
            position = np.cumsum(count) - count  # in ``command``
            for slot in reversed(range(int(parts.max(initial=0)))):  # the last part varies fastest
                have = np.flatnonzero(parts > slot)
                entry = first[have] + slot
                place = position[entry]
                if several:
                    place += digits[have] % count[entry]
                    digits[have] //= count[entry]
                picked = command[place]
                if tables.numbered:
                    part = self._first_part[action[have]] + slot
                    code[have] += tables.part[part, 2] * (picked - tables.part[part, 0])
                chosen.append((None if len(have) == len(row) else have, picked))
            chosen.reverse()
        choices = np.bincount(row, minlength=len(words[0]))
        result = self._outcomes(words, row, chosen)
        if result is None:
            return None
        choice, after, probability = result
        state = row[choice]
        rewards = self._earned(words, action, choice, state, after)
        if rewards is None:
            return None
        transitions = np.bincount(choice, minlength=len(row))
        return merged(Expansion(choices, code, transitions, number(after), probability, rewards), self._probabilities)

    def _enabled(self, words: Words) -> tuple[IntArray, IntArray] | None:
        """The enabled commands of the states: rows and commands, in order."""
        tables = self._tables
        sets = np.empty((len(words[0]), len(tables.block) - 1), dtype="<i8")
        for block in range(sets.shape[1]):
            true: IntArray | None = None
            for g in range(int(tables.block[block]), int(tables.block[block + 1])):
                reader, offset = self._groups[g]
                holds = tables.guards[self._entry(reader, words, words) + offset]
                if holds.min() < 0:
                    return None
                true = holds if true is None else true & holds
            sets[:, block] = true
        bits = np.unpackbits(sets.view(np.uint8).reshape(-1), bitorder="little").view(np.bool_)
        found = np.flatnonzero(bits)
        row = found // (64 * sets.shape[1])
        return row, self._command_of_bit[found - row * (64 * sets.shape[1])]

    def _taken(self, row: IntArray, command: IntArray, size: int) -> tuple[IntArray, IntArray, IntArray, IntArray, IntArray] | None:
        """The actions that are enabled: rows, actions, and the entry of the first part; for each entry how many commands; the commands."""
        tables = self._tables
        if self._single:
            action, first = self._action_of_part[self._part_of_command[command]], np.arange(len(row))
            count = np.ones(len(row), dtype=np.int64)
        else:
            part = self._part_of_command[command]
            begin = _changes(row * len(tables.part) + part)
            count = np.diff(begin, append=len(command))
            row, of = row[begin], self._action_of_part[part[begin]]
            begin = _changes(row * len(tables.action) + of)
            complete = np.diff(begin, append=len(row)) == self._parts[of[begin]]
            first = begin[complete]
            row, action = row[first], of[first]
        if self._ambiguous:
            table = np.zeros((size, len(tables.action)), dtype=np.bool_)
            table[row, action] = True
            if any((table[:, a] & table[:, b]).any() for a, b in self._ambiguous):
                return None
        idle = np.ones(size, dtype=np.bool_)
        idle[row] = False
        stuck = np.flatnonzero(idle)
        if len(stuck):
            if tables.deadlock < 0:
                return None
            command, count = np.append(command, tables.part[-1, 0]), np.append(count, 1)
            row, order = np.append(row, stuck), np.argsort(np.append(row, stuck), kind="stable")
            row = row[order]
            action = np.append(action, np.full(len(stuck), tables.deadlock))[order]
            first = np.append(first, np.full(len(stuck), len(count) - 1))[order]
        return row, action, first, count, command

    def _entry(self, reader: int, now: Words, after: Words) -> IntArray | int:
        entry: IntArray | int = 0
        for word, shift, mask, position in self._runs_of[reader]:
            raw = now[word] if word < len(now) else after[word - len(now)]
            if shift:
                raw = raw >> shift
            raw = raw & mask
            if position:
                raw <<= position
                entry = raw | entry
            else:
                entry = raw
        return entry

    def _outcomes(self, words: Words, row: IntArray, chosen: list[tuple[IntArray | None, IntArray]]) -> tuple[IntArray, Words, Ids] | None:
        """For each transition its choice, its successor and the index of its probability."""
        tables = self._tables
        choice: IntArray = np.arange(len(row))
        after: Words = tuple(word[row] for word in words)
        probability: Ids = np.full(len(row), tables.one, dtype=np.int32)
        for having, command in chosen:
            place_of: IntArray | None = None
            if having is not None:
                place_of = np.full(len(row), -1, dtype=np.int64)
                place_of[having] = np.arange(len(having))
            source = row if having is None else row[having]
            start = self._start[command]
            if self._varying:
                offset = self._command_offset[command]
                for reader in self._varying.intersection(np.unique(tables.command[command, 0]).tolist()):
                    where = np.flatnonzero(tables.command[command, 0] == reader)
                    here = tuple(word[source[where]] for word in words)
                    offset[where] += self._entry(reader, here, here)
                start = tables.distributions[offset]
            if start.min() < 0:
                return None
            begin, outcomes = self._first_branch[command], self._outcome_count[command]
            # transitions whose choice has a command in this slot: expand each to the outcomes of the command
            which = choice if place_of is None else place_of[choice]
            counts = outcomes[which] if place_of is None else np.where(which >= 0, outcomes[which], 1)
            if (counts != 1).any():
                again = np.repeat(np.arange(len(choice)), counts)
                rank = np.arange(len(again)) - (np.cumsum(counts) - counts)[again]
                choice, probability, which = choice[again], probability[again], which[again]
                after = tuple(word[again] for word in after)
            else:
                rank = np.zeros(len(choice), dtype=np.int64)
            if place_of is None:
                touched: IntArray | slice = slice(None)
            else:
                touched = np.flatnonzero(which >= 0)
                which, rank = which[touched], rank[touched]
            ids = tables.probabilities[start[which] + rank]
            branch = begin[which] + rank
            if self._dying and ids.min() < 0:
                alive = ids >= 0
                keep = np.ones(len(choice), dtype=np.bool_)
                keep[touched] = alive
                choice, probability = choice[keep], probability[keep]
                after = tuple(word[keep] for word in after)
                if place_of is not None:
                    touched = np.flatnonzero((place_of[choice]) >= 0)
                ids, branch = ids[alive], branch[alive]
            probability[touched] = self._probabilities.products(probability[touched], ids.astype(np.int32))
            written = self._written(words, row[choice[touched]], branch)
            if written is None:
                return None
            for w, (word, bits) in enumerate(zip(after, written, strict=True)):
                word[touched] = (word[touched] & self._kept[w][branch]) | bits
        return choice, after, probability

    def _written(self, words: Words, state: IntArray, branch: IntArray) -> Words | None:
        """The bits that the branches assign in these states."""
        tables = self._tables
        written = tuple(column[branch] for column in self._set)
        count = self._updates[branch]
        for k in range(int(count.max(initial=0))):
            where = np.flatnonzero(count > k)
            update = self._first_update[branch[where]] + k
            reader = self._update_reader[update]
            first, runs = tables.reader[reader], self._run_count[reader]
            here = tuple(word[state[where]] for word in words)
            entry = self._update_offset[update]
            for r in range(int(runs.max(initial=0))):
                some: IntArray | slice = slice(None) if runs.min() > r else np.flatnonzero(runs > r)
                run = first[some] + r
                raw = here[0][some] if len(words) == 1 else np.choose(self._run_word[run], [word[some] for word in here])
                raw = raw >> self._run_shift[run]
                raw &= self._run_mask[run]
                if r:
                    raw <<= self._run_position[run]
                entry[some] += raw
            values = tables.values[entry]
            if values.min() < 0:
                return None
            if len(words) == 1:
                written[0][where] |= values
            else:
                target = self._update_word[update]
                for w, bits in enumerate(written):
                    bits[where] |= np.where(target == w, values, 0)
        return written

    def _earned(self, words: Words, action: IntArray, choice: IntArray, state: IntArray, after: Words) -> tuple[Ids, ...] | None:
        result = []
        of = action[choice]
        for r in range(self._rewards):
            readers = self._earning[:, r, 0]
            ids = self._earning[of, r, 1]
            for reader in np.unique(readers).tolist():
                if reader < 0:
                    continue
                where = np.flatnonzero(readers[of] == reader)
                if len(where) == 0:
                    continue
                here = tuple(word[state[where]] for word in words)
                ids[where] = self._tables.earned[ids[where] + self._entry(reader, here, tuple(word[where] for word in after))]
            if len(ids) and ids.min() < 0:
                return None
            result.append(ids.astype(np.int32))
        return tuple(result)


def _changes(keys: IntArray) -> IntArray:
    """Where a key differs from the one before it."""
    new = np.ones(len(keys), dtype=np.bool_)
    np.not_equal(keys[1:], keys[:-1], out=new[1:])
    return np.flatnonzero(new)


def _own(column: IntArray) -> IntArray:
    return np.ascontiguousarray(column)
