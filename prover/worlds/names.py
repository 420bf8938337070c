"""What choices are called -> small integers: every command and every combination of commands has a code, and gets a number once it occurs.

The numbers are those of the reference semantics: declared names first, then the others in the order in which they occur.
"""

from __future__ import annotations

from bisect import bisect_right

import numpy as np
import numpy.typing as npt

from dsl.semantics import DEADLOCK, STEP
from dsl.spec import Synchronised, World
from prover.worlds.pack import WORD_BITS, IntArray, TooWideError
from prover.worlds.rationals import Ids

DENSE = 1 << 18  # codes that get a table of their own


class Codes:
    """Raises TooWideError if there are more combinations than a word can count."""

    def __init__(self, world: World) -> None:
        declared = list(dict.fromkeys(action.name for action in world.actions))
        known = {name: code for code, name in enumerate(declared)}
        self._names = [*declared, STEP, DEADLOCK]
        self._declared = len(declared)
        self.step, self.deadlock = len(declared), len(declared) + 1
        self._of: list[tuple[int, tuple[int, ...]]] = []
        self._bases: list[int] = []
        self._combined: list[tuple[str, tuple[tuple[int, int], ...]]] = []  # name, (weight, commands) of the parts that are numbered
        self.size = len(self._names)
        for action in world.actions:
            if not isinstance(action, Synchronised):
                self._of.append((known[action.name], ()))
                continue
            many = [len(part) if len(part) > 1 and world.numbered else 1 for part in action.parts]
            if max(many, default=1) == 1:
                self._of.append((known[action.name], (0,) * len(many)))
                continue
            weights, total = [0] * len(many), 1
            for p in reversed(range(len(many))):
                if many[p] > 1:
                    weights[p], total = total, total * many[p]
            self._of.append((self.size, tuple(weights)))
            self._bases.append(self.size)
            self._combined.append((action.name, tuple((w, n) for w, n in zip(weights, many, strict=True) if n > 1)))
            self.size += total
            if self.size >> WORD_BITS:
                raise TooWideError(action.name)

    def of(self, position: int) -> tuple[int, tuple[int, ...]]:
        """The code of an action, and for each part what the place of its command adds."""
        return self._of[position]

    def text(self, code: int) -> str:
        if code < len(self._names):
            return self._names[code]
        which = bisect_right(self._bases, code) - 1
        name, parts = self._combined[which]
        offset = code - self._bases[which]
        return f"{name}#{'.'.join(str(offset // weight % count + 1) for weight, count in parts)}"

    @property
    def declared(self) -> range:
        return range(self._declared)


class Numbering:
    """Codes -> numbers, as they occur."""

    def __init__(self, codes: Codes) -> None:
        self._codes = codes
        self._dense = np.full(codes.size, -1, dtype=np.int32) if codes.size <= DENSE else None
        self._number: dict[int, int] = {}
        self._of_name: dict[str, int] = {}  # two synchronised actions may have one name
        self.names: list[str] = []
        for code in codes.declared:
            self._new(code)

    def ids(self, codes: IntArray) -> Ids:
        if self._dense is not None:
            found: Ids = self._dense[codes]
            missing = np.flatnonzero(found < 0)
            if len(missing):
                distinct, first = np.unique(codes[missing], return_index=True)
                for code in distinct[np.argsort(first)].tolist():
                    self._new(code)
                found = self._dense[codes]
            return found
        distinct, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
        numbers: npt.NDArray[np.int32] = np.empty(len(distinct), dtype=np.int32)
        for place in np.argsort(first).tolist():
            code = int(distinct[place])
            numbers[place] = self._number[code] if code in self._number else self._new(code)
        return numbers[inverse]

    def _new(self, code: int) -> int:
        name = self._codes.text(code)
        number = self._number[code] = self._of_name.setdefault(name, len(self.names))
        if number == len(self.names):
            self.names.append(name)
        if self._dense is not None:
            self._dense[code] = number
        return number
