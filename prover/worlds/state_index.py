"""Packed states -> their numbers in breadth-first order; states seen for the first time get the next numbers.

Both indices number new states by their first appearance in the batch, whatever order numpy writes in.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from prover.worlds.pack import IntArray, Layout, Words

DIRECT_BITS = 26  # a table of 4 bytes for each packed value, allocated by the system as it is touched
EMPTY = 0


class StateIndex(Protocol):
    layout: Layout
    size: int

    def number(self, keys: Words) -> npt.NDArray[np.int32]:
        """The number of every state of the batch; adds those that are new."""

    def states(self, start: int, stop: int) -> Words:
        """The packed states of these numbers; a view that later additions do not change."""

    def close(self) -> None:
        """No state will be numbered any more."""


def state_index(layout: Layout) -> StateIndex:
    return DirectIndex(layout) if layout.words == 1 and layout.bits <= DIRECT_BITS else HashIndex(layout)


class _Store:
    """Words of the states found so far, in growing arrays."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.size = 0
        self.words: Words = tuple(np.empty(1024, dtype=np.int64) for _ in range(layout.words))

    def reserve(self, size: int) -> None:
        capacity = len(self.words[0])
        if size > capacity:
            capacity = max(size, capacity + capacity // 2)
            grown = []
            for word in self.words:
                larger = np.empty(capacity, dtype=np.int64)
                larger[: self.size] = word[: self.size]
                grown.append(larger)
            self.words = tuple(grown)

    def append(self, keys: Words) -> None:
        count = len(keys[0])
        self.reserve(self.size + count)
        for word, key in zip(self.words, keys, strict=True):
            word[self.size : self.size + count] = key
        self.size += count

    def states(self, start: int, stop: int) -> Words:
        return tuple(word[start:stop] for word in self.words)


class DirectIndex(_Store):
    """``table[packed state]`` is the number plus one, 0 where the state is not known."""

    def __init__(self, layout: Layout) -> None:
        super().__init__(layout)
        self._table = np.zeros(1 << layout.bits, dtype=np.int32)

    def close(self) -> None:
        self._table = np.zeros(0, dtype=np.int32)

    def number(self, keys: Words) -> npt.NDArray[np.int32]:
        (key,) = keys
        table = self._table
        found: npt.NDArray[np.int32] = table[key]
        new = np.flatnonzero(found == EMPTY)
        if len(new):
            fresh = key[new]
            rank = np.arange(len(fresh), 0, -1, dtype=np.int32)
            np.maximum.at(table, fresh, rank)  # equal states: the greatest rank stays, the first appearance
            first = table[fresh] == rank
            distinct = fresh[first]
            table[distinct] = np.arange(self.size + 1, self.size + 1 + len(distinct), dtype=np.int32)
            self.append((distinct,))
            found[new] = table[fresh]
        found -= 1
        return found


class HashIndex(_Store):
    """Open addressing with linear probing, a whole batch a round; a slot holds the number plus one.

    The batch is written behind the known states while it is looked up, so that a slot can name a state of the
    batch that is not numbered yet; at the end only the new states stay.
    """

    def __init__(self, layout: Layout) -> None:
        super().__init__(layout)
        self._slots = np.zeros(1 << 12, dtype=np.int32)

    def close(self) -> None:
        self._slots = np.zeros(0, dtype=np.int32)

    def number(self, keys: Words) -> npt.NDArray[np.int32]:
        count = len(keys[0])
        known = self.size
        self._make_room(known + count)
        self.reserve(known + count)
        for word, key in zip(self.words, keys, strict=True):
            word[known : known + count] = key
        found, slot = self._probe(keys, known)
        fresh = np.flatnonzero(found >= known)
        if len(fresh) == 0:
            return found.astype(np.int32)
        # found[i] - known is one representative in the batch for all its equals: number each by its first equal
        group = found[fresh] - known
        first = np.full(count, count, dtype=np.int64)
        np.minimum.at(first, group, fresh)
        leaders = fresh[first[group] == fresh]
        number = np.empty(count, dtype=np.int64)
        number[leaders] = np.arange(known, known + len(leaders))
        found[fresh] = number[first[group]]
        self._slots[slot[leaders]] = number[leaders] + 1
        for word, key in zip(self.words, keys, strict=True):
            word[known : known + len(leaders)] = key[leaders]
        self.size = known + len(leaders)
        return found.astype(np.int32)

    def _probe(self, keys: Words, known: int) -> tuple[IntArray, IntArray]:
        """For each key its number, or ``known`` + a place of an equal key in the batch; and its slot."""
        slots, mask = self._slots, len(self._slots) - 1
        slot = _hash(keys) & mask
        found: IntArray = slot
        pending: IntArray | None = None  # None: all
        at = slot
        while True:
            entry = slots[at]
            free = np.flatnonzero(entry == EMPTY)
            if len(free):
                slots[at[free]] = (free if pending is None else pending[free]) + (known + 1)
                entry[free] = slots[at[free]]  # whichever of several writers stayed
            candidate = entry.astype(np.int64) - 1
            other = np.zeros(len(at), dtype=np.bool_)
            for word, key in zip(self.words, keys, strict=True):
                other |= word[candidate] != (key if pending is None else key[pending])
            if pending is None:
                found = candidate
                pending = np.flatnonzero(other)
            else:
                found[pending] = candidate  # overwritten as long as it is another state
                pending = pending[other]
            if len(pending) == 0:
                return found, slot
            at = slot[pending] = (slot[pending] + 1) & mask

    def _make_room(self, size: int) -> None:
        """At most half of the slots are ever taken."""
        if 2 * size <= len(self._slots):
            return
        self._slots = np.zeros(1 << (4 * size - 1).bit_length(), dtype=np.int32)
        mask = len(self._slots) - 1
        step = 1 << 20
        for start in range(0, self.size, step):
            stop = min(self.size, start + step)
            slot = _hash(self.states(start, stop)) & mask
            pending = np.arange(stop - start)
            while len(pending):
                at = slot[pending]
                free = self._slots[at] == EMPTY
                self._slots[at[free]] = pending[free] + (start + 1)
                pending = pending[self._slots[at] != pending + (start + 1)]
                slot[pending] = (slot[pending] + 1) & mask


def _hash(words: Words) -> IntArray:
    """Multiply and shift (the finaliser of splitmix64), word after word."""
    mixed = np.zeros(len(words[0]), dtype=np.uint64)
    for word in words:
        mixed = (mixed ^ word.view(np.uint64)) * np.uint64(0xBF58476D1CE4E5B9)
        mixed ^= mixed >> np.uint64(27)
        mixed *= np.uint64(0x94D049BB133111EB)
        mixed ^= mixed >> np.uint64(31)
    return (mixed & np.uint64(0x7FFFFFFFFFFFFFFF)).view(np.int64)
