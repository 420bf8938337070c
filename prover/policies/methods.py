"""Which method decides: the search modulo policies, the direct encoding, or both against each other."""

from __future__ import annotations

from collections.abc import Callable

from prover.policies.context import Context
from prover.policies.decide import Decided, decide
from prover.policies.query import Query


def decide_by(context: Context, query: Query, clock: Callable[[], None], method: str) -> Decided:
    return decide(context, query, clock)
