"""Raw little-endian members of a proof -> integer arrays; each is read when it is needed, and all must be named by the document."""

from __future__ import annotations

import re
import sys
from array import array
from collections.abc import Mapping
from typing import Any

from prover.checker.document import array as listed
from prover.checker.document import fields, integer, name, require, whole

CODES = {"u1": ("B", 1), "u2": ("H", 2), "u4": ("I", 4), "i4": ("i", 4), "i8": ("q", 8)}
NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}")
NULL = -(2**63)  # in an i8 array of numbers
LENGTH = 2**31

Numbers = list[int | None]


class Arrays:
    """The members by name (anything with a contiguous buffer), and which of them the document has named, as what."""

    def __init__(self, members: Mapping[str, Any]) -> None:
        self.members = members
        self.named: dict[str, tuple[str, int]] = {}

    def read(self, value: Any, length: int | None = None) -> array[int]:
        """``{"array": name, "type": t, "length": n}``; ``length``: what n must be."""
        label, kind, size = fields(value, "array type length")
        require(NAME.fullmatch(name(label)) is not None and label != "proof.json", "not a name of an array")
        require(name(kind) in CODES, "not a type of an array")
        require(length in (None, integer(size, 0, LENGTH)), "an array of the wrong length")
        require(label in self.members, "an array is missing")
        require(self.named.setdefault(label, (kind, size)) == (kind, size), "an array is named as two different ones")
        code, width = CODES[kind]
        result = array(code)
        require(result.itemsize == width, "integers of another width than this machine's")
        data = memoryview(self.members[label])
        require(data.nbytes == size * width, "an array has another size than declared")
        result.frombytes(data.cast("B") if data.nbytes else b"")
        if sys.byteorder == "big":
            result.byteswap()
        return result

    def indices(self, value: Any, length: int | None, limit: int) -> array[int]:
        """An array of integers in [0, limit)."""
        result = self.read(value, length)
        require(not result or (min(result) >= 0 and max(result) < limit), "an index in an array is out of range")
        return result

    def numbers(self, value: Any, length: int) -> Numbers:
        """An array, or ``{"numbers": [...]}``: integers of any size; None: null."""
        if type(value) is dict and "numbers" in value:
            rows = listed(fields(value, "numbers")[0], length)
            return [None if row is None else whole(row) for row in rows]
        read = self.read(value, length)
        if read.typecode == "q" and read and min(read) == NULL:
            return [None if x == NULL else x for x in read]
        return list(read)

    def finish(self) -> None:
        require(set(self.members) == self.named.keys(), "an array that the document does not name")


def same(left: Any, left_arrays: Mapping[str, Any], right: Any, right_arrays: Mapping[str, Any]) -> bool:
    """Equal as JSON, arrays by the integers in them."""
    todo = [(left, right)]
    while todo:
        a, b = todo.pop()
        if type(a) is not type(b):
            return False
        if type(a) is dict:
            if a.keys() != b.keys():
                return False
            if type(a.get("array")) is str:  # a reward may have this name too
                if Arrays(left_arrays).read(a) != Arrays(right_arrays).read(b):
                    return False
            else:
                todo += [(a[key], b[key]) for key in a]
        elif type(a) is list:
            if len(a) != len(b):
                return False
            todo += zip(a, b, strict=True)
        elif a != b:
            return False
    return True
