"""One direction on a large system -> a plan and a bound that integers confirm, as near to the plan's worth as is asked for.

The margin that pays for rounding costs the bound about margin times expected steps: it is chosen by what the float phase finds.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from prover.solve import potential, sweep
from prover.solve.liveness_large import System
from prover.solve.rows import Floats, Gain, Ints, to_float
from prover.solve.slow import SlowSolution, slow

EPSILON = 2.0**-52
FIRST_MARGIN = 2.0**-38  # of the steepest gain
TIGHTENINGS = 60


@dataclass(frozen=True, eq=False)
class Found:
    plan: Ints  # over the system
    values: Floats
    numerators: Ints
    k: int
    upper: Fraction
    estimate: float


class Direction:
    """One direction on one system: margins are tried until the integers confirm a bound that is near enough."""

    def __init__(
        self,
        system: System,
        numbers: sweep.Numbers,
        probabilities: list[Fraction],
        discount: Fraction | None,
        gain: Gain,
        gain_index: Ints,
        begin: dict[int, Fraction],
        tolerance: float,
    ) -> None:
        self.system, self.numbers, self.probabilities, self.discount = system, numbers, probabilities, discount
        self.gain, self.gain_index, self.begin, self.tolerance = gain, gain_index, begin, tolerance
        self.floats = gain.floats()[gain_index]
        self.steepest = max((abs(to_float(g)) for g in gain.values), default=0.0)
        self.starts = np.array(list(begin), dtype=np.int64)
        self.weights = np.array([to_float(p) for p in begin.values()])
        self.best: Found | None = None
        self.reason = "no margin led to a potential"

    def solve(self, warm: Ints | None) -> Found | str:
        n = self.numbers.n
        u, plan = np.zeros(n + 1), np.full(n, -1, np.int64)
        if not np.isfinite(self.steepest):
            return "a gain is too large for floats"
        if self.steepest == 0.0:
            plan = self.numbers.proper().copy() if self.discount is None else self.numbers.ordered.cs[:-1].astype(np.int64)
            return Found(plan, u, np.zeros(n + 1, np.int64), 0, Fraction(0), 0.0)
        margin = self.steepest * FIRST_MARGIN
        if warm is not None:
            self._resume(warm, margin, u, plan)
        for _ in range(8):
            try:
                sweep.solve(self.numbers, self.floats, margin, u, plan)
            except sweep.Diverged as why:
                self.reason = str(why)
                u[:] = 0.0
                plan[:] = -1
                margin /= 2.0**10
                if margin < self.steepest * 2.0**-60:
                    break
                continue
            following = self._certify(margin, u, plan)
            if following is None:
                break
            margin = following
        if self.best is not None and self._near(self.best):
            return self.best
        model = (self.numbers.ordered, self.system.stop, self.probabilities, self.discount)
        exact = slow(*model, self.gain, self.gain_index, self.begin, self.tolerance)
        if isinstance(exact, SlowSolution):
            return Found(exact.plan, exact.values, exact.numerators, exact.k, exact.upper, exact.estimate)
        if self.best is not None:
            return self.best
        return self.reason if exact is None else exact

    def _resume(self, warm: Ints, margin: float, u: Floats, plan: Ints) -> None:
        plan[:] = warm
        right = self.numbers.earned(self.floats, margin, plan).reshape(-1, 1)
        n = self.numbers.n
        x = np.zeros((n, 1))
        if sweep.evaluate(self.numbers, 0, n, plan, right, np.zeros(n + 1), x, np.array([margin])) is not None:
            u[:-1] = x[:, 0]

    def _expected(self, plan: Ints, gain: Floats | None, enough: float) -> float | None:
        """What the plan earns from the start, in floats; without a gain its steps.  None: they cannot tell."""
        if not len(self.starts):
            return 0.0
        numbers = self.numbers
        right = numbers.earned(np.zeros(0), 1.0, plan) if gain is None else numbers.earned(gain, 0.0, plan)
        guess = numbers.steps if gain is None else np.zeros(numbers.n)
        with np.errstate(all="ignore"):
            found = sweep.worth(numbers, plan, right.reshape(-1, 1), guess.reshape(-1, 1), self.starts, np.array([enough]))
        if found is None:
            return None
        members, worth = found
        return float(self.weights @ worth[np.searchsorted(members, self.starts), 0])

    def _near(self, found: Found) -> bool:
        gap = to_float(found.upper) - found.estimate
        return gap <= self.tolerance * self._scale(found.estimate)

    def _scale(self, estimate: float) -> float:
        return abs(estimate) if estimate else self.steepest

    def _certify(self, margin: float, u: Floats, plan: Ints) -> float | None:
        """Keep what the integers confirm; returns the margin to try next, None: nothing better to expect."""
        numbers = self.numbers
        expected_steps = self._expected(plan, None, 1e-2)
        estimate = None
        if expected_steps is not None:
            # The values are those of the plan, with the margin on each of its steps.
            estimate = float(self.weights @ u[self.starts]) - margin * expected_steps
            if abs(estimate) <= 2.0**10 * margin * expected_steps:  # what is subtracted is not known so well
                estimate = self._expected(plan, self.floats, 1e-6 * self.tolerance * max(self._scale(estimate), 1e-300))
        if expected_steps is None or estimate is None:
            self.reason = "floats cannot evaluate the plan"
            return None
        largest = float(np.abs(u).max(initial=0.0))
        if not np.isfinite(largest) or not np.isfinite(estimate):
            return None
        target = self.tolerance * self._scale(estimate) / 2
        floor = 16 * EPSILON * largest
        if margin * expected_steps > target and margin > 2 * floor:
            return max(floor, min(margin / 4, target / expected_steps / 2))
        k = potential.precision(margin)
        finest = potential.room(2 * largest)
        if k > finest:
            k = finest
            if k < 0 or 2.0**-k > margin / 2:
                self.reason = "values too large for one word"
                return None
        spare = min(finest, k + 12)  # fractions of the margin left for the integers to tighten
        if margin <= 2 * floor:
            k = spare
        try:
            inequality = potential.inequality(
                numbers.ordered, self.system.stop, self.probabilities, self.discount, self.gain, self.gain_index, k, 2 * largest
            )
        except OverflowError:
            self.reason = "values too large for one word"
            return None
        v = potential.rounded_up(u, k)
        if not inequality.repaired(v):
            self.reason = "rounding breaks the inequality"
            return margin * 16 if margin <= 64 * floor else None
        # The last pass of the repair found nothing violated.
        upper = self._at_start(v, k)
        if self.best is None or upper < self.best.upper:
            self.best = Found(plan.copy(), u.copy(), v.copy(), k, upper, estimate)
        for _ in range(TIGHTENINGS):
            if to_float(upper) - estimate <= self.tolerance * self._scale(estimate) or not inequality.tightened(v):
                break
            upper = self._at_start(v, k)
        if upper < self.best.upper and inequality.holds(v):
            self.best = Found(plan.copy(), u.copy(), v.copy(), k, upper, estimate)
        snapped = potential.snapped_down(v, k)  # certainty is common, and a bound of 1 + 2^-50 decides nothing about it
        if self._at_start(snapped, k) < self.best.upper and inequality.repaired(snapped):
            upper = self._at_start(snapped, k)
            if upper < self.best.upper:
                self.best = Found(plan.copy(), u.copy(), snapped, k, upper, estimate)
        return None

    def _at_start(self, v: Ints, k: int) -> Fraction:
        return sum((p * int(v[i]) for i, p in self.begin.items()), Fraction(0)) * Fraction(1, 2**k)
