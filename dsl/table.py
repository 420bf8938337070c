"""A compiled grammar: the terminals and the LALR(1) table as plain data, kept between runs in the user's cache.

Compiling ``grammar.lark`` takes most of a second and importing lark a tenth; reading the table back takes a few milliseconds.
The cache holds JSON, never code, and the grammar that it was made from; whatever is wrong with it, the grammar is compiled anew.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dsl.record import dataclass

FORMAT = 2  # of the cached file; part of its name


@dataclass(frozen=True, slots=True)
class Production:
    """One rule of the grammar, ready to reduce.

    ``plan`` makes the children from the right side: ``i`` takes the i-th value, ``-1 - i`` takes the members of the i-th value,
    which is a list, and None stands for an optional part that is absent.  ``inline``: the children themselves are the value.
    ``unwrap``: an only child is the value.
    """

    origin: str
    name: str
    size: int
    plan: tuple[int | None, ...]
    inline: bool
    unwrap: bool


@dataclass(frozen=True, slots=True)
class Table:
    """``rows[state][symbol]`` is the next state if >= 0, else reduce production ``-1 - entry``; ``end`` is the state that accepts.

    ``words`` and ``symbols`` give the terminal of a spelling, ``patterns`` the regular expressions of the others;
    ``names`` are the terminals that can be a name.
    """

    words: dict[str, str]
    symbols: dict[str, str]
    patterns: dict[str, str]
    names: frozenset[str]
    productions: tuple[Production, ...]
    rows: tuple[dict[str, int], ...]
    start: int
    end: int


def to_json(table: Table) -> dict[str, Any]:
    """Equal rows and equal sets of symbols are written once; a production is a list of its fields.

    A row is the number of its set of symbols, then the entry that all of them have or one entry for each.
    """
    sets: dict[tuple[str, ...], int] = {}
    distinct: dict[tuple[int, ...], int] = {}
    order = []
    for row in table.rows:
        symbols, entries = tuple(row), tuple(row.values())
        number = sets.setdefault(symbols, len(sets))
        written = (number, *(entries[:1] if len(set(entries)) == 1 else entries))
        order.append(distinct.setdefault(written, len(distinct)))
    return {
        "words": table.words,
        "symbols": table.symbols,
        "patterns": table.patterns,
        "names": sorted(table.names),
        "productions": [[p.origin, p.name, p.size, list(p.plan), p.inline, p.unwrap] for p in table.productions],
        "sets": [list(symbols) for symbols in sets],
        "distinct": [list(row) for row in distinct],
        "order": order,
        "start": table.start,
        "end": table.end,
    }


def from_json(data: dict[str, Any]) -> Table:
    """The inverse of ``to_json``; KeyError, TypeError, ValueError or IndexError where the data are not a table."""
    productions = tuple(Production(o, n, s, tuple(plan), i, u) for o, n, s, plan, i, u in data["productions"])
    sets = data["sets"]
    distinct: list[dict[str, int]] = []
    for number, *entries in data["distinct"]:
        symbols = sets[number]
        distinct.append(dict.fromkeys(symbols, entries[0]) if len(entries) == 1 else dict(zip(symbols, entries, strict=True)))
    rows = tuple(distinct[index] for index in data["order"])
    names = frozenset(data["names"])
    return Table(data["words"], data["symbols"], data["patterns"], names, productions, rows, data["start"], data["end"])


def cache_folder() -> Path:
    """Where this user's caches go on this system; ``TWOSTEP_CACHE`` overrides."""
    if chosen := os.environ.get("TWOSTEP_CACHE"):
        return Path(chosen)
    if sys.platform == "win32" and (local := os.environ.get("LOCALAPPDATA")):
        return Path(local) / "twostep"
    if base := os.environ.get("XDG_CACHE_HOME"):
        return Path(base) / "twostep"
    return Path.home() / ".cache" / "twostep"


def load(grammar: str, compile_grammar: Callable[[str], Table]) -> Table:
    """The table of ``grammar`` from the cache, else compiled and, if the disk allows it, cached."""
    try:
        path = cache_folder() / f"grammar-{FORMAT}-{zlib.crc32(grammar.encode()):08x}.json"
    except (OSError, RuntimeError):  # no home folder
        return compile_grammar(grammar)
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data["grammar"] == grammar:
            return from_json(data)
    except (OSError, KeyError, TypeError, ValueError, IndexError, RecursionError):
        pass
    table = compile_grammar(grammar)
    _store(path, json.dumps({"grammar": grammar, **to_json(table)}, separators=(",", ":")))
    return table


def _store(path: Path, text: str) -> None:
    """Write beside the place and move there, so that no reader sees half a file; a disk that refuses is no error."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft.write_text(text, encoding="utf-8")
        os.replace(draft, path)
    except OSError:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
