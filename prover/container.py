"""A document with arrays -> a zip file; integers -> arrays of the smallest type; a world of format 1 -> one of format 2."""

from __future__ import annotations

import json
import sys
import zipfile
from array import array
from collections.abc import Iterable, Mapping
from itertools import accumulate
from pathlib import Path
from typing import Any

TYPES = (("u1", "B", 0, 2**8), ("u2", "H", 0, 2**16), ("u4", "I", 0, 2**32), ("i4", "i", -(2**31), 2**31), ("i8", "q", -(2**63) + 1, 2**63))
NULL = -(2**63)
LEVEL = 3  # of compression: potentials hardly shrink, whatever the effort


def write(path: str | Path, document: Mapping[str, Any], arrays: Mapping[str, Any]) -> None:
    """The same bytes for the same content."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        text = json.dumps(document, separators=(",", ":"), ensure_ascii=False)
        _add(archive, "proof.json", text.encode())
        for name in sorted(arrays):
            _add(archive, name, memoryview(arrays[name]).cast("B") if memoryview(arrays[name]).nbytes else b"")


def _add(archive: zipfile.ZipFile, name: str, data: Any) -> None:
    entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    archive.writestr(entry, data, compresslevel=LEVEL)


class Arrays:
    """Collects the arrays of a document; equal ones are stored once."""

    def __init__(self) -> None:
        self.members: dict[str, bytes] = {}
        self._known: dict[tuple[str, bytes], str] = {}

    def integers(self, name: str, values: Iterable[int]) -> dict[str, Any]:
        """What stands in the document for these integers; ``name`` is used unless an equal array has one."""
        return self._integers(name, values if isinstance(values, (list, array)) else [int(x) for x in values])

    def _integers(self, name: str, values: list[int] | array[int]) -> dict[str, Any]:
        low, high = (min(values), max(values)) if values else (0, 0)
        kind, code = next((kind, code) for kind, code, least, end in TYPES if least <= low and high < end)
        return self._add(name, kind, array(code, values))

    def _add(self, name: str, kind: str, values: array[int]) -> dict[str, Any]:
        if sys.byteorder == "big":
            values.byteswap()
        data = values.tobytes()
        label = self._known.setdefault((kind, data), name)
        if label == name:
            if self.members.get(name, data) != data:
                raise ValueError(f"two arrays named {name}")
            self.members[name] = data
        return {"array": label, "type": kind, "length": len(values)}

    def numbers(self, name: str, values: Iterable[int | None]) -> dict[str, Any]:
        """Integers of any size, or None."""
        rows = list(values)
        given = [x for x in rows if x is not None]
        if not all(-(2**63) < x < 2**63 for x in given):
            return {"numbers": [None if x is None else str(x) for x in rows]}
        if len(given) == len(rows):
            return self._integers(name, given)
        return self._add(name, "i8", array("q", [NULL if x is None else x for x in rows]))

    def world(self, world: Mapping[str, Any], prefix: str) -> dict[str, Any]:
        """A world of format 1 in the terms of format 2; ``prefix`` begins the names of its arrays."""

        def column(name: str, values: Iterable[int]) -> dict[str, Any]:
            return self.integers(prefix + name, list(values))

        choices = world["choices"]
        counts = [0] * len(world["states"])
        for state, _, _ in choices:
            counts[state] += 1
        moves = [move for *_, row in choices for move in row]
        start = list(accumulate((len(row) for *_, row in choices), initial=0))
        rewards = {}
        for k, (name, reward) in enumerate(world["rewards"].items()):
            index = [0] * len(moves)
            for choice, position, value in reward["at"]:
                index[start[choice] + position] = value
            values = reward["values"]
            if not values or (len(reward["at"]) < len(moves) and values[0] != "0"):
                raise ValueError("the first value of a reward must be 0")
            rewards[name] = {"values": values, "index": column(f"reward{k}", index)}
        return {
            "name": world["name"],
            "variables": world["variables"],
            "states": [
                column(f"state{k}", (_digit(state[k], kind) for state in world["states"])) for k, (_, kind) in enumerate(world["variables"])
            ],
            "initial": world["initial"],
            "actions": world["actions"],
            "probabilities": world["probabilities"],
            "choice_start": column("choice_start", accumulate(counts, initial=0)),
            "action": column("action", (action for _, action, _ in choices)),
            "transition_start": column("transition_start", start),
            "successor": column("successor", (successor for successor, _ in moves)),
            "probability": column("probability", (index for _, index in moves)),
            "rewards": rewards,
            "atoms": [
                {"text": atom["text"], "holds": column(f"atom{k}", _marks(atom["states"], len(world["states"])))}
                for k, atom in enumerate(world["atoms"])
            ],
        }


def _digit(value: Any, kind: str) -> int:
    return kind.split("|").index(value) if isinstance(value, str) else int(value)


def _marks(members: Iterable[int], size: int) -> list[int]:
    marks = [0] * size
    for member in members:
        marks[member] = 1
    return marks
