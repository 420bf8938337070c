"""Work under a deadline: killed in time whatever it does, its result and its exceptions carried over."""

from __future__ import annotations

import os
import time
from fractions import Fraction

import pytest

from dsl.diagnostic import Diagnostic, SpecError
from prover.checker.document import Rejected
from prover.deadline import within
from prover.verdict import Proved
from tests.prover.worlds.build import SPAN

GRACE = 0.5  # seconds over the limit, on a busy machine


def spin(_clock: object) -> None:
    while True:
        pass


def in_c(_clock: object) -> int:
    """One call that runs no Python code for a long time."""
    return sum(1 for _ in [pow(3, 10**8)])


@pytest.mark.parametrize("work", [spin, in_c, lambda _: time.sleep(60)], ids=["busy", "in C", "asleep"])
def test_a_child_that_takes_too_long_is_killed(work: object) -> None:
    begin = time.monotonic()
    assert within(0.2, work) is None  # type: ignore[arg-type]
    assert time.monotonic() - begin < 0.2 + GRACE


def test_nothing_is_left_behind() -> None:
    before = len(os.listdir("/proc/self/fd"))
    pids = []

    def work(_clock: object) -> int:
        return os.getpid()

    for _ in range(5):
        pids.append(within(10, work))
        assert within(0.01, spin) is None
    assert len(os.listdir("/proc/self/fd")) == before
    assert len(set(pids)) == 5
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)  # type: ignore[arg-type]
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_results_are_carried_over() -> None:
    verdict = Proved({"a": ["1/2"] * 1000}, note="x")
    assert within(10, lambda _: verdict) == verdict
    assert within(10, lambda _: Fraction(10**4000, 7)) == Fraction(10**4000, 7)
    big = "x" * (5 << 20)  # more than a pipe holds
    assert within(30, lambda _: big) == big


def test_none_is_a_result_like_the_deadline() -> None:
    begin = time.monotonic()
    assert within(30, lambda _: None) is None
    assert time.monotonic() - begin < 10


@pytest.mark.parametrize(
    "error",
    [
        Rejected("a number is missing"),
        SpecError([Diagnostic("E310", SPAN, "not well defined", "hint")]),
        KeyError("k"),
        KeyboardInterrupt(),
    ],
)
def test_exceptions_are_raised_here(error: BaseException) -> None:
    def work(_clock: object) -> None:
        raise error

    with pytest.raises(type(error)) as raised:
        within(10, work)
    assert raised.value.args == error.args
    if isinstance(error, SpecError):
        assert isinstance(raised.value, SpecError)
        assert raised.value.diagnostics == error.diagnostics


def test_an_exception_that_cannot_travel_still_is_one() -> None:
    def work(_clock: object) -> None:
        class Local(Exception):
            pass

        raise Local("here")

    with pytest.raises(RuntimeError, match="Local: here"):
        within(10, work)


def test_a_child_that_dies_is_not_an_answer() -> None:
    """Killed from outside, or out of memory: neither a result nor None, which would read as a timeout."""
    with pytest.raises((EOFError, RuntimeError, OSError)):
        within(10, lambda _: os.kill(os.getpid(), 9))


def test_the_clock_of_the_child_never_stops_it() -> None:
    assert within(10, lambda clock: [clock() for _ in range(3)]) == [None] * 3
