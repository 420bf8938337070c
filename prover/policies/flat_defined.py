"""Is a total or until reward of a large world a function of policies?  The certificates of ``welldefined.py``, with compiled sweeps.

With rewards of one sign the table h = 0 is a certificate: every choice either earns nothing or earns (or costs) at least the slack.
Otherwise h is the value of a stopping problem with the slack added to every step that is not free waiting.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from prover.policies.flat_arena import FlatArena, Table, TooHardError

if TYPE_CHECKING:
    import numpy.typing as npt

    from prover.solve.large import Failure, Solution
    from prover.solve.rows import Gain

LOOSE = 0.25  # relative: any bound will do
SLACKS = (Fraction(1, 4), Fraction(1, 2**8), Fraction(1, 2**14), Fraction(1, 2**20))  # of the smallest reward


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
    return _mixed(arena, i)


def _finite(arena: FlatArena, i: int, sign: int) -> Table | None:
    """A bound on -sign times the reward over all choices, so over all policies."""
    from prover.solve.large import Failure
    from prover.solve.rows import Gain

    large, gains = arena.large, arena.product.gains[i]
    quiet = arena.zero([i])
    if not large.liveness(quiet).usable.all():
        return None  # some choice leads where the reward never stops
    gain = Gain(gains.index, [-sign * x for x in gains.table])
    outcome = large.maximise(gain, quiet, None, list(arena.product.start), None, LOOSE)
    return None if isinstance(outcome, Failure) else Table(outcome.potential, outcome.k)


def _mixed(arena: FlatArena, i: int) -> FlatDefined:
    """Waiting for free is collapsed by the solver, which makes h equal there; every other step must lose the slack against h."""
    from prover.solve.large import Failure
    from prover.solve.rows import Gain

    product, gains = arena.product, arena.product.gains[i]
    stopping = _Stopping(arena, arena.zero([i]))
    smallest = min(abs(x) for x in gains.table if x)
    reason = ""
    for sign in (1, -1):
        for share in SLACKS:
            slack = share * smallest
            outcome = stopping.maximise(Gain(gains.index, [sign * x + slack for x in gains.table]))
            if isinstance(outcome, Failure):
                reason = outcome.reason
                continue
            rest = stopping.maximise(Gain(gains.index, [-sign * x for x in gains.table]))
            finite = None if isinstance(rest, Failure) else Table(rest.potential, rest.k)
            return FlatDefined(arena, i, sign, slack, Table(outcome.potential, outcome.k), finite)
    raise TooHardError(
        f"no certificate was found that the sum of {product.streams[i].reward} is well defined ({reason}); "
        "bound it with `horizon`, weigh it with `discount`, or end the episode"
    )


class _Stopping:
    """The product in which every node may also stop, for 0."""

    def __init__(self, arena: FlatArena, quiet: npt.NDArray[np.bool_]) -> None:
        from prover.solve.large import Large
        from prover.solve.rows import Rows

        product = arena.product
        after = product.choice_start[1:].astype(np.int64)  # a node's new choice comes after its others
        transitions = product.transition_start[after].astype(np.int64)
        probabilities = list(product.mdp.probabilities)
        if Fraction(1) not in probabilities:
            probabilities.append(Fraction(1))
        sizes = np.insert(np.diff(product.transition_start), after, 1)
        transition_start = np.zeros(len(sizes) + 1, dtype=np.int64)
        np.cumsum(sizes, out=transition_start[1:])
        self.after, self.start = after, list(product.start)
        owner = np.repeat(np.arange(product.nodes), np.diff(product.choice_start))
        first = product.transition_start[:-1]
        low, high = np.minimum.reduceat(product.successor, first), np.maximum.reduceat(product.successor, first)
        self.waits = np.flatnonzero(quiet & (low == owner) & (high == owner))  # h is equal there, so the slack is not asked for
        self.quiet = np.insert(quiet, after, True)
        index = product.probability.astype(np.int32)
        rows = Rows(
            product.choice_start + np.arange(product.nodes + 1),
            transition_start,
            np.insert(product.successor, transitions, -1),
            np.insert(index, transitions, probabilities.index(Fraction(1))),
            probabilities,
        )
        self.large = Large(rows)

    def maximise(self, gain: Gain) -> Solution | Failure:
        from prover.solve.rows import Gain

        values = [*gain.values, Fraction(0)]
        index = gain.index.copy()
        index[self.waits] = len(values) - 1
        stopped = Gain(np.insert(index, self.after, len(values) - 1), values)
        return self.large.maximise(stopped, self.quiet, None, self.start, None, LOOSE)
