"""What the prover is doing now into one line of the terminal that changes in place."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.status import Status
from rich.text import Text


class Progress:
    """``with Progress() as tell: tell("exploring Race")``; the line is gone afterwards."""

    def __init__(self) -> None:
        self._status = Status("", console=Console(stderr=True))

    def __enter__(self) -> Progress:
        self._status.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._status.stop()

    def __call__(self, message: str) -> None:
        self._status.update(Text(message))
