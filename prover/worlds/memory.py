"""Streams -> the memory that a product keeps of a run: one monitor state or one word for each stream, and how a step changes it."""

from __future__ import annotations

from collections.abc import Sequence

from prover.worlds import automaton
from prover.worlds.objective import Stream

Memory = tuple[automaton.State | str, ...]

OPEN, CLOSED, NONE = "open", "closed", ""


class Memories:
    """Numbers the memories in the order in which they occur.

    A *letter* is what a state shows of the atoms that the streams use: bit ``bit[a]`` says whether atom a holds.
    ``barren[i]``: stream i earns nothing anywhere, whatever happens.  ``counting``: a horizon is part of the memory, as the
    number of steps that are left; otherwise the product counts them in its layers.
    """

    def __init__(self, streams: Sequence[Stream], barren: Sequence[bool], counting: bool = False) -> None:
        self.streams, self.barren, self.counting = tuple(streams), tuple(barren), counting
        self.atoms = sorted({a for s in streams for a in atoms_of(s)})
        self.bit = {a: bit for bit, a in enumerate(self.atoms)}
        self.memories: list[Memory] = []
        self._id: dict[Memory, int] = {}
        self._step: dict[tuple[int, int], int] = {}

    def begin(self, letter: int) -> int:
        """The memory after the first state."""
        initial: list[automaton.State | str] = []
        for stream in self.streams:
            if stream.path is not None:
                initial.append(automaton.start(stream.path))
            else:
                initial.append(OPEN if stream.kind == "until" else NONE)
                if self.counting and stream.kind == "horizon":
                    initial[-1] = str(stream.steps + 1)  # the first state is not a step yet
        return self._advance(tuple(initial), letter)

    def step(self, memory: int, letter: int) -> int:
        """The memory after the next state."""
        after = self._step.get((memory, letter))
        if after is None:
            after = self._step[memory, letter] = self._advance(self.memories[memory], letter)
        return after

    def _advance(self, memory: Memory, letter: int) -> int:
        after: list[automaton.State | str] = []
        for stream, part in zip(self.streams, memory, strict=True):
            if isinstance(part, frozenset):
                after.append(automaton.progress(part, lambda a: bool(letter >> self.bit[a] & 1)))
            elif stream.kind == "until":
                assert stream.atom is not None
                after.append(CLOSED if part == CLOSED or letter >> self.bit[stream.atom] & 1 else OPEN)
            elif self.counting and stream.kind == "horizon":
                after.append(str(max(0, int(part) - 1)))
            else:
                after.append(NONE)
        key = tuple(after)
        known = self._id.get(key)
        if known is None:
            known = self._id[key] = len(self.memories)
            self.memories.append(key)
        return known

    def settled(self, memory: int, time: int = 0) -> bool:
        """Can no stream earn anything more, at this time?  (A horizon that is counted here knows by itself.)"""
        for stream, part, barren in zip(self.streams, self.memories[memory], self.barren, strict=True):
            if barren:
                continue
            match stream.kind:
                case "probability":
                    if part != automaton.TRUE and part != automaton.FALSE:
                        return False
                case "until":
                    if part != CLOSED:
                        return False
                case "horizon":
                    if part != "0" if self.counting else time < stream.steps:
                        return False
                case _:
                    return False
        return True

    def won(self, memory: int, i: int) -> bool:
        """Has the path formula of stream i come true?"""
        return self.memories[memory][i] == automaton.TRUE

    def closed(self, memory: int, i: int) -> bool:
        """Is the until stream, or the horizon that is counted, over?"""
        return self.memories[memory][i] == CLOSED or (self.counting and self.memories[memory][i] == "0")

    def keys(self, memory: int) -> list[str]:
        """As proof files write the memory."""
        return [part if isinstance(part, str) else automaton.key(part) for part in self.memories[memory]]


def atoms_of(stream: Stream) -> set[int]:
    """The state conditions that the memory of a stream depends on."""
    found: set[int] = set() if stream.atom is None else {stream.atom}
    pending = [stream.path] if stream.path is not None else []
    while pending:
        formula = pending.pop()
        if formula[0] in ("atom", "not-atom"):
            found.add(formula[1])
        else:
            pending.extend(part for part in formula[1:] if isinstance(part, tuple))
    return found
