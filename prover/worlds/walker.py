"""Decision tables -> the rows of the MDP, piece by piece, by compiled code that meets one state after another.

Where a batch pays for every action once a level of the breadth-first search, this pays for every state what it costs: so it serves
large worlds, whose levels may be narrow, once they have shown that they are worth loading a compiler for.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from prover.worlds.decision_tables import Tables
from prover.worlds.expand import Expansion, SenselessStateError
from prover.worlds.pack import IntArray, Layout, Words
from prover.worlds.rationals import Ids, RationalTable
from prover.worlds.state_index import DIRECT_BITS, StateIndex
from prover.worlds.walk_kernel import CROWDED, FULL, PRODUCT, SENSELESS, UNKNOWN, fill, remember, walk

PIECE = 1 << 16  # states, and twice as many choices and four times as many transitions


class Walker:
    """Takes over the states of ``index``; is itself an index of those found so far."""

    def __init__(self, tables: Tables, layout: Layout, index: StateIndex, probabilities: RationalTable, rewards: int) -> None:
        self._tables = tables
        self._words = layout.words
        self._probabilities = probabilities
        self._direct = layout.words == 1 and layout.bits <= DIRECT_BITS
        self._known = np.full(1 << 10, -1, dtype=np.int64)
        self._results = np.zeros(1 << 10, dtype=np.int32)
        self._remembered: list[tuple[int, int, int, int]] = []
        self._asked = np.zeros(3, dtype=np.int64)
        self.size = index.size
        self._store: IntArray = np.empty(2 * index.size * self._words, dtype=np.int64)
        for w, word in enumerate(index.states(0, index.size)):
            self._store[w : index.size * self._words : self._words] = word
        self._slots = np.zeros(1 << layout.bits if self._direct else 1 << (4 * self.size).bit_length(), dtype=np.int32)
        if self._direct:
            self._slots[self._store[: self.size]] = np.arange(1, self.size + 1, dtype=np.int32)
        else:
            fill(self._store, self._words, self.size, self._slots)
        self._choices = np.empty(PIECE, dtype=np.int64)
        self._codes, self._transitions = np.empty(2 * PIECE, dtype=np.int64), np.empty(2 * PIECE, dtype=np.int64)
        self._room(4 * PIECE, rewards)

    def states(self, start: int, stop: int) -> Words:
        """The packed states of these numbers; views."""
        table = self._store[start * self._words : stop * self._words].reshape(-1, self._words)
        return tuple(table[:, w] for w in range(self._words))

    def close(self) -> None:
        """No state will be numbered any more."""
        self._slots = np.zeros(0, dtype=np.int32)

    def expand(self, start: int) -> Expansion:
        """The rows of a piece of the states from ``start`` on, at least one.  Raises SenselessStateError."""
        while True:
            cursor = np.array([self.size, 0, 0], dtype=np.int64)
            piece = 0
            while True:
                status, done = walk(
                    self._tables,
                    start + piece,
                    self._store,
                    self._slots,
                    self._direct,
                    self._known,
                    self._results,
                    self._asked,
                    self._choices[piece:],
                    self._codes,
                    self._transitions,
                    self._successor,
                    self._probability,
                    self._earned,
                    cursor,
                )
                piece += done
                self.size = int(cursor[0])
                if status == UNKNOWN:
                    self._answer()
                elif status == CROWDED:
                    self._grow()
                else:
                    break
            if status == SENSELESS:
                raise SenselessStateError(self._piece(piece, cursor))
            if piece:
                return self._piece(piece, cursor)
            if status == FULL:  # one state has more than there is room for
                self._codes, self._transitions = (
                    np.empty(2 * len(self._codes), dtype=np.int64),
                    np.empty(2 * len(self._codes), dtype=np.int64),
                )
                self._room(2 * len(self._successor), len(self._earned))

    def _piece(self, states: int, cursor: IntArray) -> Expansion:
        choices, transitions = int(cursor[1]), int(cursor[2])
        return Expansion(
            self._choices[:states],
            self._codes[:choices],
            self._transitions[:choices],
            self._successor[:transitions],
            self._probability[:transitions],
            tuple(column[:transitions] for column in self._earned),
        )

    def _room(self, transitions: int, rewards: int) -> None:
        self._successor = np.empty(transitions, dtype=np.int32)
        self._probability: Ids = np.empty(transitions, dtype=np.int32)
        self._earned = np.empty((rewards, transitions), dtype=np.int32)

    def _answer(self) -> None:
        """Adds a sum or product that the compiled code asked for."""
        operation, left, right = self._asked.tolist()
        combine = self._probabilities.product if operation == PRODUCT else self._probabilities.sum
        self._remembered.append((operation, left, right, combine(left, right)))
        if 2 * len(self._remembered) > len(self._known):
            self._known = np.full(4 * len(self._known), -1, dtype=np.int64)
            self._results = np.zeros(len(self._known), dtype=np.int32)
            _remember_all(self._known, self._results, self._remembered)
        else:
            _remember_all(self._known, self._results, self._remembered[-1:])

    def _grow(self) -> None:
        """Room for half as many states again; at most half of the slots are taken."""
        if (self.size + 1) * self._words > len(self._store):
            # no view is alive between two pieces, so that the memory may move
            self._store.resize((self.size + self.size // 2 + PIECE) * self._words, refcheck=False)
        if not self._direct and 2 * (self.size + 1) > len(self._slots):
            size = 2 * len(self._slots)
            self.close()  # the old slots and the new ones are never in memory together
            self._slots = np.zeros(size, dtype=np.int32)
            fill(self._store, self._words, self.size, self._slots)


def _remember_all(known: IntArray, results: Ids, facts: Sequence[tuple[int, int, int, int]]) -> None:
    for operation, left, right, result in facts:
        remember(known, results, operation, left, right, result)
