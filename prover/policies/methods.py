"""Which method decides: the search modulo policies, the direct encoding in z3, or both against each other.

The direct encoding has no certificate of its own: what it finds true still needs the search's tree, what it finds false is replayed.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from prover.flint import rational
from prover.policies.context import Context
from prover.policies.decide import Decided, Found, decide, stages
from prover.policies.modulo import Counterexample
from prover.policies.optimum import NoPolicyFoundError
from prover.policies.query import Query
from prover.policies.theory import Stuck, Theory
from prover.worlds.product import ProductTooLarge

PATIENCE = 20.0  # seconds for z3, whose non-linear solver may never return
UNCERTIFIED = "z3 finds no counterexample, but no certificate was found either"


class DisagreementError(RuntimeError):
    """Two methods gave opposite answers: a bug, never a verdict."""


def decide_by(context: Context, query: Query, clock: Callable[[], None], method: str) -> Decided:
    """``method``: auto, smt, lazy or both."""
    if method == "smt":
        second = _direct(context, query, clock)
        if isinstance(second.outcome, Counterexample):
            return second
        if isinstance(second.outcome, Stuck) and second.outcome.reason != UNCERTIFIED:
            return second
        return decide(context, query, clock)
    first = decide(context, query, clock)
    if method == "lazy" or (method == "auto" and not isinstance(first.outcome, Stuck)):
        return first
    second = _direct(context, query, clock)
    refuted = isinstance(second.outcome, Counterexample)
    if method == "both":
        holds = isinstance(second.outcome, Stuck) and second.outcome.reason == UNCERTIFIED
        if (isinstance(first.outcome, tuple) and refuted) or (isinstance(first.outcome, Counterexample) and holds):
            raise DisagreementError("the search and the direct encoding disagree")
    if isinstance(first.outcome, Stuck) and (refuted or _says_more(second.outcome)):
        return second
    return first


def compare_thresholds(context: Context, query: Query, clock: Callable[[], None], found: Found) -> None:
    """z3's threshold beside the search's, where both are exact; DisagreementError if they differ."""
    from prover.policies.encode import Edge, threshold

    try:
        stage = stages(context, query, clock)[0]()
    except (ProductTooLarge, NoPolicyFoundError):
        return
    edge = threshold(context, stage, time.monotonic() + PATIENCE)
    if isinstance(edge, Edge) and found.exact:
        value = None if edge.value is None else rational(edge.value)
        if value != found.value or (value is not None and edge.attained != found.attained):
            raise DisagreementError(f"the search finds the threshold {found.value}, the direct encoding {edge.value}")


def _says_more(outcome: object) -> bool:
    return isinstance(outcome, Stuck) and outcome.reason == UNCERTIFIED


def _direct(context: Context, query: Query, clock: Callable[[], None]) -> Decided:
    """The direct encoding as a Decided: a counterexample, or Stuck (UNCERTIFIED where z3 says that the claim holds)."""
    from prover.policies.encode import DirectCounterexample, direct

    deadline = time.monotonic() + PATIENCE
    try:
        stage = stages(context, query, clock)[0]()
    except (ProductTooLarge, NoPolicyFoundError) as reason:
        return Decided(query, Theory(query, {}, []), [], Stuck(str(reason) or "the world times the memory of the objectives is too large"))
    outcome = direct(context, stage, deadline)
    found: Counterexample | Stuck
    if isinstance(outcome, DirectCounterexample):
        unknown = None if outcome.unknown is None else rational(outcome.unknown)
        found = Counterexample((), outcome.controllers, unknown, None, dict.fromkeys(outcome.controllers))
    else:
        found = Stuck(UNCERTIFIED if outcome == "holds" else outcome.removeprefix("unknown: "))
    return Decided(query, stage.theory, stage.optima, found, method="smt")
