"""Is a total or until reward of a large world a function of policies?  Certificates where its rewards have one sign, or all runs end.

With one sign the table h = 0 is a certificate: every choice either earns nothing or earns (or costs) at least the slack.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from prover.policies.flat_arena import FlatArena, Table, TooHardError

FINITE_TOLERANCE = 0.25  # any bound will do


@dataclass(frozen=True, eq=False)
class FlatDefined:
    """``sign`` 1: a score (infinite only as -infinity); -1: a cost.  ``table`` None: h = 0.

    ``finite``: the potential showing that it never is infinite, or None.
    """

    arena: FlatArena
    stream: int
    sign: int
    slack: Fraction
    table: Table | None
    finite: Table | None


def flat_well_defined(arena: FlatArena, i: int) -> FlatDefined:
    """TooHardError where no certificate is found; that is no proof that the reward is ill-defined."""
    gains = arena.product.gains[i]
    signs = gains.signs()
    if signs <= {1} or signs <= {-1}:
        sign = -1 if 1 in signs else 1
        used = {abs(gains.table[int(k)]) for k in np.unique(gains.index)} - {Fraction(0)}
        slack = min(used, default=Fraction(1))
        return FlatDefined(arena, i, sign, slack, None, _finite(arena, i, sign))
    return _ends(arena, i)


def _finite(arena: FlatArena, i: int, sign: int) -> Table | None:
    """A bound on -sign times the reward over all choices, so over all policies."""
    from prover.solve.large import Failure
    from prover.solve.rows import Gain

    large, gains = arena.large, arena.product.gains[i]
    quiet = arena.zero([i])
    if not large.liveness(quiet).usable.all():
        return None  # some choice leads where the reward never stops
    gain = Gain(gains.index, [-sign * x for x in gains.table])
    outcome = large.maximise(gain, zero=quiet, start=list(arena.product.start), tolerance=FINITE_TOLERANCE)
    return None if isinstance(outcome, Failure) else Table(outcome.potential, outcome.k)


def _ends(arena: FlatArena, i: int) -> FlatDefined:
    """Where every run settles, the reward plus one a step has a bound h, and r + P h - h <= -1 for every choice."""
    from prover.solve.large import Failure
    from prover.solve.rows import Gain

    gains = arena.product.gains[i]
    nothing = np.zeros(len(gains.index), dtype=np.bool_)
    live = arena.large.liveness(nothing)
    tables = []
    for sign in (1, -1):
        gain = Gain(gains.index, [sign * x + 1 for x in gains.table])
        outcome = (
            arena.large.maximise(gain, zero=nothing, start=list(arena.product.start), tolerance=FINITE_TOLERANCE)
            if live.usable.all()
            else Failure("some runs never end", ())
        )
        if isinstance(outcome, Failure):
            stream = arena.product.streams[i]
            raise TooHardError(
                f"whether the sum of {stream.reward} is well defined: it can grow and shrink, and in a world of this size that is only "
                f"shown where every run ends ({outcome.reason}); bound it with `horizon` or weigh it with `discount`"
            )
        tables.append(Table(outcome.potential, outcome.k))
    return FlatDefined(arena, i, 1, Fraction(1), tables[0], tables[1])
