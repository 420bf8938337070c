"""Work under a deadline, in a child process that can be killed whatever it is doing.

A solver may overrun its own limits (inside one call to a C library no Python code runs), so the limit is kept from outside.
"""

from __future__ import annotations

import os
import pickle
import select
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")


def within(seconds: float, work: Callable[[Callable[[], None]], T]) -> T | None:
    """The result of ``work(clock)``, or None if it takes longer; an exception of the child is raised here."""
    receive, send = os.pipe()
    child = os.fork()
    if child == 0:
        _child(receive, send, work)
    os.close(send)
    try:
        data = _read(receive, time.monotonic() + seconds)
    finally:
        os.close(receive)
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    if data is None:
        return None
    good, value = pickle.loads(data)  # noqa: S301  written by our own child
    if not good:
        raise value
    return value  # type: ignore[no-any-return]


def _read(descriptor: int, deadline: float) -> bytes | None:
    """Everything until the other end closes; None when the deadline comes first."""
    chunks: list[bytes] = []
    while True:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([descriptor], [], [], left)[0]:
            return None
        chunk = os.read(descriptor, 1 << 20)
        if not chunk:
            return b"".join(chunks)
        chunks.append(chunk)


def _child(receive: int, send: int, work: Callable[[Callable[[], None]], object]) -> None:
    """Never returns: the child must not run the parent's clean-up."""
    status = 1
    try:
        os.close(receive)
        try:
            answer: tuple[bool, object] = (True, work(lambda: None))
        except BaseException as error:  # noqa: BLE001  carried over to the parent
            answer = (False, error)
        try:
            data = pickle.dumps(answer)
        except Exception:  # noqa: BLE001
            data = pickle.dumps((False, RuntimeError(f"{type(answer[1]).__name__}: {answer[1]}")))
        with os.fdopen(send, "wb") as stream:
            stream.write(data)
        status = 0
    finally:
        os._exit(status)
