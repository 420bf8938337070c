"""The product of a large world with the memory of its streams, as arrays.

Unlike ``product.py`` there are no layers: the steps that a horizon has left are part of the memory.  Nodes in which no stream
can earn anything more are settled: successor -1 stands for all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from prover.worlds.mdp import Mdp
from prover.worlds.memory import Memories
from prover.worlds.objective import Stream
from prover.worlds.product import ProductTooLarge

Ints = npt.NDArray[Any]
Bools = npt.NDArray[np.bool_]
MAX_NODES = 40_000_000
MAX_PAIRS = 1 << 28  # states times memories, each with a place in a table of 4 bytes
MAX_STEPS = 1 << 20  # memories times letters


@dataclass(frozen=True)
class Gains:
    """What every choice earns in one stream, in expectation: ``table[index[c]]``, ``table[0]`` is 0.

    ``earns[c]``: does any transition of the choice earn something?  None: exactly those whose expectation is not 0.
    """

    index: Ints
    table: tuple[Fraction, ...]
    earns: Bools | None

    def nonzero(self) -> Bools:
        """The choices that earn something on some transition."""
        found: Bools = self.index != 0 if self.earns is None else self.earns
        return found

    def signs(self) -> set[int]:
        """1 if a choice can earn, -1 if one can lose (0 beside nothing else means that a choice earns 0 on average only)."""
        used = np.unique(self.index)
        return {(x > 0) - (x < 0) for x in (self.table[int(i)] for i in used) if x} | ({0} if self.earns is not None else set())


@dataclass(frozen=True)
class Flat:
    """Node n is world state ``state[n]`` with memory ``memory[n]``; its choices are those of the state, in order.

    ``successor`` is a node or -1; ``origin(c)`` the choice of the world; ``start`` (node or -1, probability);
    ``offset[i]`` what stream i has won before the first step.
    """

    mdp: Mdp
    streams: tuple[Stream, ...]
    memories: Memories
    numbers: tuple[int, ...]  # the memories that occur: memory[n] is an index into it
    state: Ints
    memory: Ints
    choice_start: Ints
    transition_start: Ints
    successor: Ints
    probability: Ints
    gains: tuple[Gains, ...]
    start: tuple[tuple[int, Fraction], ...]
    offset: tuple[Fraction, ...]
    letter: Ints  # what each state shows
    accepts: tuple[Bools | None, ...]  # of each stream: does it come true on a step, by (memory, letter)

    def wins(self, node: int, state: int, i: int) -> bool:
        """Does stream i come true on the step from the node to the state?"""
        table = self.accepts[i]
        return table is not None and bool(table[self.memory[node], self.letter[state]])

    @property
    def nodes(self) -> int:
        return len(self.state)

    def origin(self, choices: Ints, nodes: Ints) -> Ints:
        """The world's choices behind choices of these nodes."""
        world = np.asarray(self.mdp.choice_start)
        found: Ints = choices - self.choice_start[nodes] + world[self.state[nodes]]
        return found

    def memory_keys(self) -> list[list[str]]:
        """Of the memories that occur; where all is settled at once, of the first one, which shows what is counted."""
        return [self.memories.keys(number) for number in self.numbers or (0,)]


class _Monitor:
    """The memories that can occur and their steps, by the letters of the states."""

    def __init__(self, mdp: Mdp, conditions: Sequence[Sequence[bool]], streams: tuple[Stream, ...]) -> None:
        barren = [s.reward is not None and not any(_used(mdp, s.reward)) for s in streams]
        self.memories = memories = Memories(streams, barren, counting=True)
        letters = np.zeros(mdp.states, dtype=np.int64)
        for bit, atom in enumerate(memories.atoms):
            letters |= np.asarray(conditions[atom], dtype=np.int64) << bit
        distinct, classes = np.unique(letters, return_inverse=True)
        self.letter: Ints = classes.astype(np.int32)
        begin = [memories.begin(int(distinct[self.letter[s]])) for s, _ in mdp.initial]
        pending = list(dict.fromkeys(begin))
        self.open: dict[int, int] = {}  # memories that are not settled -> row
        rows: list[list[int]] = []
        seen = set(pending)
        for memory in pending:
            if memories.settled(memory):
                continue
            self.open[memory] = len(rows)
            row = [memories.step(memory, int(letter)) for letter in distinct]
            rows.append(row)
            if len(rows) * len(distinct) > MAX_STEPS or len(rows) * mdp.states > MAX_PAIRS:
                raise ProductTooLarge
            for after in row:
                if after not in seen:
                    seen.add(after)
                    pending.append(after)
        self.after = np.array(rows, dtype=np.int64).reshape(len(rows), len(distinct))  # memory by (row, letter)
        known = np.full(len(memories.memories), -1, dtype=np.int32)
        for memory, row_ in self.open.items():
            known[memory] = row_
        self.step: Ints = known[self.after]
        self.begin = [(s, p, memory) for (s, p), memory in zip(mdp.initial, begin, strict=True)]

    def accepts(self, i: int) -> Bools:
        """By (row, letter): does stream i come true on this step?"""
        won = np.array([self.memories.won(m, i) for m in range(len(self.memories.memories))], dtype=np.bool_)
        before = np.array([won[m] for m in self.open], dtype=np.bool_)
        found: Bools = won[self.after] & ~before[:, None]
        return found

    def closed(self, i: int) -> Bools:
        """By row: is the until stream or the horizon i over?"""
        return np.array([self.memories.closed(m, i) for m in self.open], dtype=np.bool_)


def _used(mdp: Mdp, reward: str) -> list[int]:
    column = mdp.rewards[reward]
    return [int(i) for i in np.unique(np.asarray(column.index)) if column.table[int(i)]]


def flatten(mdp: Mdp, conditions: Sequence[Sequence[bool]], streams: tuple[Stream, ...]) -> Flat:
    """``conditions[a][s]``: does state condition a hold in state s.  ProductTooLarge beyond MAX_NODES nodes.

    Recurrence streams are not handled: ValueError.
    """
    if any(stream.kind == "recurrence" for stream in streams):
        raise ValueError("recurrence streams have no flat product")
    from prover.worlds.flat_kernels import reach

    monitor = _Monitor(mdp, conditions, streams)
    world = _Rows(mdp)
    count = max(1, len(monitor.open))
    ids = np.full(mdp.states * count, -1, dtype=np.int32)
    offset = [Fraction(0)] * len(streams)
    begin: dict[tuple[int, int], Fraction] = {}
    lost = Fraction(0)
    for state, share, memory in monitor.begin:
        for i in range(len(streams)):
            if monitor.memories.won(memory, i):
                offset[i] += share
        row = monitor.open.get(memory)
        if row is None:
            lost += share
        else:
            begin[state, row] = begin.get((state, row), Fraction(0)) + share
    first_state = np.array([s for s, _ in begin], dtype=np.int32)
    first_row = np.array([r for _, r in begin], dtype=np.int32)
    state_, memory_ = reach(
        world.choice_start, world.transition_start, world.successor, monitor.letter, monitor.step, ids, first_state, first_row, count
    )
    if len(state_) > MAX_NODES:
        raise ProductTooLarge
    start = [(n, share) for n, share in enumerate(begin.values())]
    if lost:
        start.append((-1, lost))
    return _assemble(mdp, world, streams, monitor, ids, count, state_, memory_, tuple(start), tuple(offset))


class _Rows:
    """The world's rows as arrays of fixed types."""

    def __init__(self, mdp: Mdp) -> None:
        kind = np.int32 if mdp.transitions < 1 << 31 else np.int64
        self.choice_start = np.ascontiguousarray(mdp.choice_start, dtype=kind)
        self.transition_start = np.ascontiguousarray(mdp.transition_start, dtype=kind)
        self.successor = np.ascontiguousarray(mdp.successor, dtype=np.int32)
        self.probability = np.asarray(mdp.probability)


def _assemble(
    mdp: Mdp,
    world: _Rows,
    streams: tuple[Stream, ...],
    monitor: _Monitor,
    ids: Ints,
    count: int,
    state: Ints,
    memory: Ints,
    start: tuple[tuple[int, Fraction], ...],
    offset: tuple[Fraction, ...],
) -> Flat:
    from prover.worlds.flat_kernels import hits, rows

    form = (world.choice_start, world.transition_start, world.successor)
    found = rows(state, memory, *form, world.probability, monitor.letter, monitor.step, ids, count)
    choice_start, transition_start, origin, successor, probability = found
    rewards = {s.reward: expectation(mdp, s.reward) for s in streams if s.reward is not None}
    gains = []
    for i, stream in enumerate(streams):
        if stream.reward is None:
            accepts = monitor.accepts(i)
            choices, won = hits(state, memory, *form, monitor.letter, accepts)
            gains.append(_accepted(len(origin), choices, world.probability[won].astype(np.int64), mdp.probabilities))
            continue
        gain = rewards[stream.reward]
        paid = None
        if stream.kind in ("until", "horizon"):
            paid = np.repeat(~monitor.closed(i)[memory], np.diff(choice_start))
        index = gain.index[origin] if paid is None else np.where(paid, gain.index[origin], 0)
        earns = None if gain.earns is None else gain.earns[origin] if paid is None else gain.earns[origin] & paid
        gains.append(Gains(index, gain.table, earns))
    tables = tuple(monitor.accepts(i) if s.kind == "probability" else None for i, s in enumerate(streams))
    return Flat(
        mdp, streams, monitor.memories, tuple(monitor.open), state, memory, choice_start, transition_start, successor,
        probability, tuple(gains), start, offset, monitor.letter, tables,
    )  # fmt: skip


def _accepted(choices: int, choice: Ints, chance: Ints, probabilities: Sequence[Fraction]) -> Gains:
    """The probability of coming true, from the transitions on which that happens."""
    index = np.zeros(choices, dtype=np.int32)
    table = _Table()
    if len(choice):
        first = np.flatnonzero(np.diff(choice, prepend=-1))
        size = np.diff(first, append=len(choice))
        index[choice[first]] = _sums(first, size, chance, list(probabilities), table)
    return Gains(index, tuple(table.values), None)


def expectation(mdp: Mdp, reward: str) -> Gains:
    """What every choice of the world earns in expectation."""
    column = mdp.rewards[reward]
    index = np.asarray(column.index)
    starts = np.asarray(mdp.transition_start)[:-1].astype(np.int64)
    size = np.diff(np.asarray(mdp.transition_start)).astype(np.int64)
    table = _Table()
    translate = np.array([table.id(x) for x in column.table], dtype=np.int32)
    found = translate[index[starts]]
    lowest = np.minimum.reduceat(index, starts) if len(starts) else index
    highest = np.maximum.reduceat(index, starts) if len(starts) else index
    varies = np.flatnonzero(lowest != highest)  # elsewhere every transition earns the same
    if len(varies):
        size_, at = size[varies], starts[varies]
        places = np.repeat(at - (np.cumsum(size_) - size_), size_) + np.arange(int(size_.sum()))
        width = len(column.table)
        code = np.asarray(mdp.probability)[places].astype(np.int64) * width + index[places]
        used, inverse = np.unique(code, return_inverse=True)
        values = [mdp.probabilities[int(k) // width] * column.table[int(k) % width] for k in used]
        found[varies] = _sums(np.cumsum(size_) - size_, size_, inverse.astype(np.int64), values, table)
    signs = {(x > 0) - (x < 0) for x in (column.table[int(i)] for i in np.unique(index)) if x}
    earns = None
    if len(signs) > 1:
        earns = np.maximum.reduceat(index != 0, starts)
    return Gains(found, tuple(table.values), earns)


class _Table:
    """Distinct rationals; 0 has the number 0."""

    def __init__(self) -> None:
        self.values: list[Fraction] = [Fraction(0)]
        self._id: dict[Fraction, int] = {Fraction(0): 0}

    def id(self, value: Fraction) -> int:
        found = self._id.get(value)
        if found is None:
            found = self._id[value] = len(self.values)
            self.values.append(value)
        return found


def _sums(first: Ints, size: Ints, code: Ints, values: Sequence[Fraction], table: _Table) -> Ints:
    """For each group of ``size`` codes from ``first`` on, the number of the sum of their values in the table.

    Groups with equal codes are summed once: the numbers of equal beginnings are carried from place to place.
    """
    result = np.zeros(len(first), dtype=np.int32)
    pending = np.arange(len(first))
    known = np.zeros(len(first), dtype=np.int64)  # the number of the sum so far
    place = 0
    while len(pending):
        going = size[pending] > place
        done = pending[~going]
        result[done] = known[done]
        pending = pending[going]
        if len(pending) == 0:
            break
        pair = (known[pending] << 32) | code[first[pending] + place]
        distinct, inverse = np.unique(pair, return_inverse=True)
        sums = np.array([table.id(table.values[int(k) >> 32] + values[int(k) & 0xFFFFFFFF]) for k in distinct], dtype=np.int64)
        known[pending] = sums[inverse]
        place += 1
    return result
