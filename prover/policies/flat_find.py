"""Claims and thresholds in large worlds: the search repeated with tighter bounds until it settles."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from prover.flint import fmpq, fraction, rational
from prover.policies.flat_arena import FlatPolicy, TooHardError
from prover.policies.flat_decide import FlatStage, flat_stage
from prover.policies.modulo import Counterexample
from prover.policies.query import Interval, Query
from prover.policies.theory import Stuck, Threshold, Tree
from prover.worlds.product import ProductTooLarge

if TYPE_CHECKING:
    from prover.policies.context import Context

Clock = Callable[[], None]
TOLERANCES = (2.0**-20, 2.0**-34, 2.0**-44)  # of the bounds, relative; what follows is beyond what floats search
MAX_TRIALS = 60
NEAR = (Fraction(3, 4), Fraction(1))  # of the step: there a trial may be any number, so it is the shortest


@dataclass(frozen=True, eq=False)
class FlatDecided:
    """``outcome``: a tree (the claim holds), a counterexample, or why neither was found; ``stage`` None: not even begun."""

    stage: FlatStage | None
    outcome: Tree | Counterexample | Stuck


def decide_flat(context: Context, query: Query, clock: Clock, fixed: Mapping[str, FlatPolicy] | None = None) -> FlatDecided:
    """Proves or refutes a ``forall`` query."""
    stage: FlatStage | None = None
    outcome: Tree | Counterexample | Stuck = Stuck("no bounds were tried")
    for tolerance in TOLERANCES:
        try:
            stage = flat_stage(context, query, clock, tolerance, fixed)
        except (TooHardError, ProductTooLarge) as reason:
            return FlatDecided(stage, outcome if stage is not None else Stuck(str(reason) or TOO_LARGE))
        outcome = stage.search.decide()
        if not isinstance(outcome, Stuck):
            break
    return FlatDecided(stage, outcome)


TOO_LARGE = "the world times the memory of the objectives is too large"


@dataclass(frozen=True, eq=False)
class FlatFound:
    """The claim holds up to ``value`` (None: infinity; included if ``attained``), shown by ``tree``; ``breaks`` shows that it
    fails behind ``beyond`` (None: at nothing in the interval)."""

    stage: FlatStage
    tree: Tree
    value: fmpq | None
    attained: bool
    breaks: Counterexample | None
    beyond: fmpq | None


def find_flat(context: Context, query: Query, clock: Clock, precision: Fraction) -> FlatFound | Stuck:
    """Encloses the threshold: what fails is met from counterexample to counterexample, what holds is proved a little before it."""
    interval = query.unknown
    if interval is None:
        raise ValueError("find needs an unknown")
    stage: FlatStage | None = None
    best: FlatFound | Stuck = Stuck("no bounds were tried")
    for tolerance in (min(TOLERANCES[0], float(precision) / 8), float(precision) / 1024, TOLERANCES[-1]):
        try:
            stage = flat_stage(context, query, clock, tolerance)
        except (TooHardError, ProductTooLarge) as reason:
            return best if stage is not None else Stuck(str(reason) or TOO_LARGE)
        found = _enclose(stage, interval, clock, precision)
        if isinstance(found, FlatFound) or isinstance(best, Stuck):
            best = found
        if isinstance(found, FlatFound) and _narrow(found, precision):
            return found
    return best


def _narrow(found: FlatFound, precision: Fraction) -> bool:
    if found.value is None or found.beyond is None:
        return True
    return abs(found.beyond - found.value) <= _width(found.beyond, precision)


def _width(value: fmpq, precision: Fraction) -> fmpq:
    wide = rational(precision)
    return wide * max(abs(value), wide)


def _enclose(stage: FlatStage, interval: Interval, clock: Clock, precision: Fraction) -> FlatFound | Stuck:
    sign = fmpq(1) if interval.direction == "maximal" else fmpq(-1)
    first, closed = (interval.low, interval.low_closed) if sign == 1 else (interval.high, interval.high_closed)
    end, end_closed = (interval.high, interval.high_closed) if sign == 1 else (interval.low, interval.low_closed)
    stage.search.certifying = False  # until the last counterexample is known
    outcome = stage.search.decide()
    if isinstance(outcome, Stuck):
        return outcome
    if not isinstance(outcome, Counterexample):
        return FlatFound(stage, outcome, None if end is None else rational(end), end is not None and end_closed, None, None)
    breaks, step = outcome, fmpq(0)
    last: Threshold | None = None  # under which ``breaks`` was found
    for _ in range(MAX_TRIALS):
        clock()
        if breaks.edge is None:
            return Stuck("the threshold is not bounded on the side of the counterexamples")
        step = step if step != 0 else _width(breaks.edge, precision) / 2
        trial = rational(simplest(*sorted(fraction(breaks.edge - sign * step * rational(share)) for share in NEAR)))
        begun = first is not None and sign * (trial - rational(first)) <= 0
        if begun:
            trial = rational(first)  # type: ignore[arg-type]  # begun: there is a first
        attained = closed if begun else True
        threshold = Threshold(trial, attained, interval.direction)
        outcome = stage.search.decide(threshold)
        if isinstance(outcome, Counterexample):
            breaks, step, last = outcome, fmpq(0), threshold
            if begun and breaks.edge is not None and sign * (breaks.edge - rational(first)) <= 0:  # type: ignore[arg-type]
                return Stuck(f"the claim fails at the beginning of the interval already, at {interval.name} = {first}")
        elif isinstance(outcome, Stuck):
            if begun:
                return outcome
            step = step * 8
        else:
            stage.search.certifying = True
            certain = stage.search.decide(last)
            if not isinstance(certain, Counterexample):
                return Stuck("the values of the policies behind the threshold could not be certified tightly enough")
            if certain.unknown == certain.edge:
                if end is None or certain.edge != rational(end):
                    return Stuck("the claim was seen to fail at a value, but not behind it")
                return FlatFound(stage, outcome, trial, attained, None, certain.edge)  # nothing lies behind the interval's end
            return FlatFound(stage, outcome, trial, attained, certain, certain.edge)
    return Stuck("the threshold was not enclosed")


def simplest(low: Fraction, high: Fraction) -> Fraction:
    """The rational with the least denominator in [low, high] (Stern 1858, Brocot 1861)."""
    if high < 0:
        return -simplest(-high, -low)
    if low <= 0:
        return Fraction(0)
    # Both ends share the beginning of their continued fractions; behind it the simpler one is taken.
    quotients: list[int] = []
    while True:
        whole = -(-low.numerator // low.denominator)
        if whole <= high:
            quotients.append(whole)
            break
        whole -= 1
        quotients.append(whole)
        low, high = 1 / (high - whole), 1 / (low - whole)
    value = Fraction(quotients.pop())
    while quotients:
        value = quotients.pop() + 1 / value
    return value
