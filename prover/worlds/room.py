"""How much memory there is left: exploration stops before the machine starts to swap."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from dsl.diagnostic import Diagnostic, SpecError
from dsl.spec import World

if sys.platform != "win32":
    import resource

RESERVE = 1 << 28  # bytes that stay free, for what follows and for others; on small machines an eighth of the memory
STEP = 1 << 16  # states between two looks


class Room:
    """``check`` raises SpecError E307 once too little memory is left; it looks only now and then."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._next = STEP

    def check(self, found: int, explored: int, transitions: int) -> None:
        """``found`` states so far, ``explored`` of them with ``transitions``."""
        if found < self._next:
            return
        self._next = found + STEP
        free = available()
        if free is not None and free < min(RESERVE, memory() // 8):
            raise self.exhausted(found, explored, transitions)

    def exhausted(self, found: int, explored: int, transitions: int) -> SpecError:
        """The diagnostic."""
        reached = f"stopped at {found} states, {explored} of them explored, and {transitions} transitions, with {used() >> 20} MB in use"
        message = f"world `{self._world.name}` does not fit in memory: {reached}"
        hint = "narrow the ranges of its variables, leave out what no claim needs, or use a machine with more memory"
        return SpecError([Diagnostic("E307", self._world.span, message, hint)])


def available() -> int | None:
    """Bytes that can be had without swapping; None: nobody knows."""
    found = [left for left in (_of_machine(), _of_group(), _of_process()) if left is not None]
    return min(found, default=None)


def memory() -> int:
    """Bytes of the machine."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return RESERVE * 8


def used() -> int:
    """The most bytes that this process has had in memory; 0 where the system does not say."""
    if sys.platform == "win32":
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak << 10


def _of_machine() -> int | None:
    for line in _lines("/proc/meminfo"):
        name, _, value = line.partition(":")
        if name == "MemAvailable":
            return int(value.split()[0]) << 10
    return max(0, memory() - used())


def _of_group() -> int | None:
    """What the control group of a container leaves; its cache can be had."""
    limit = _lines("/sys/fs/cgroup/memory.max")
    if not limit or not limit[0].isdigit():
        return None
    current = _lines("/sys/fs/cgroup/memory.current")
    cache = [int(line.split()[1]) for line in _lines("/sys/fs/cgroup/memory.stat") if line.startswith(("inactive_file ", "active_file "))]
    return int(limit[0]) - int(current[0]) + sum(cache) if current else None


def _of_process() -> int | None:
    """What is left of the address space, where that is limited (``ulimit -v``)."""
    if sys.platform == "win32":
        return None
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    pages = _lines("/proc/self/statm")
    if limit == resource.RLIM_INFINITY or not pages:
        return None
    return limit - int(pages[0].split()[0]) * resource.getpagesize()


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError):
        return []
