"""Counts of successes -> bounds on a probability that err with a chance of at most delta; every bound is checked in integers.

k successes among n independent draws: a bound b with P(Bin(n, b) >= k) <= delta is wrong (the true probability lies below b) with
a chance of at most delta, since the tail grows with the probability (Clopper & Pearson 1934).
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from functools import lru_cache
from math import comb, inf, lgamma, log, log1p

from prover.flint import fmpz

WIDTH = Fraction(1, 10**9)  # how far below the best bound a reported one may lie
CLOSER = 400  # halvings towards a bound that a claim asks for


def tail_at_most(successes: int, size: int, probability: Fraction, delta: Fraction) -> bool:
    """Whether P(Bin(size, probability) >= successes) <= delta, exactly."""
    _check(successes, size, delta)
    if not 0 <= probability <= 1:
        raise ValueError("a probability lies between 0 and 1")
    if successes == 0 or probability == 1:
        return delta >= 1
    if probability == 0:
        return True
    top, bottom = probability.numerator, probability.denominator
    rest = bottom - top
    # The tail is its first term times the sum of the products of the ratios (n - j) p / ((j + 1) (1 - p)).
    _, below, total = _split(successes, size, size, fmpz(top), fmpz(rest))
    first = fmpz(comb(size, successes)) * fmpz(top) ** successes * fmpz(rest) ** (size - successes)
    left = first * (below + total) * fmpz(delta.denominator)
    return bool(left <= fmpz(delta.numerator) * below * fmpz(bottom) ** size)


def _split(low: int, high: int, size: int, top: fmpz, rest: fmpz) -> tuple[fmpz, fmpz, fmpz]:
    """For the ratios low .. high - 1: product of numerators, product of denominators, sum of the partial products over the latter."""
    if high <= low:
        return fmpz(1), fmpz(1), fmpz(0)
    if high - low == 1:
        above, below = top * (size - low), rest * (low + 1)
        return above, below, above
    middle = (low + high) // 2
    p, q, t = _split(low, middle, size, top, rest)
    p2, q2, t2 = _split(middle, high, size, top, rest)
    return p * p2, q * q2, t * q2 + p * t2


@lru_cache(maxsize=4096)
def clopper_pearson_lower(successes: int, size: int, delta: Fraction) -> Fraction:
    """A bound within WIDTH of the best one, with a short denominator; 0 without successes."""
    _check(successes, size, delta)
    if successes == 0:
        return Fraction(0)
    guess = _guess(successes, size, _log(delta))
    step = WIDTH / 4
    high = min(Fraction(guess) + step, Fraction(1))
    while high > 0:  # at most a few rounds: the guess is good to about 10^-12
        candidate = _simplest(max(high - step, Fraction(0)), high)
        if tail_at_most(successes, size, candidate, delta):
            return candidate
        high -= step
        step *= 2 if high < Fraction(guess) - WIDTH else 1
    return Fraction(0)


def clopper_pearson_upper(successes: int, size: int, delta: Fraction) -> Fraction:
    """The mirror image: the true probability lies above it with a chance of at most delta."""
    return 1 - clopper_pearson_lower(size - successes, size, delta)


def lower_bound(successes: int, size: int, delta: Fraction, wanted: Iterable[Fraction] = ()) -> Fraction:
    """As ``clopper_pearson_lower``; if the sample supports one of the wanted bounds, or more than it, so does the result.

    So a claim is decided even where the best bound and what it needs agree in more digits than WIDTH shows.
    """
    best = clopper_pearson_lower(successes, size, delta)
    for bound in sorted(wanted):
        if best <= bound < min(best + 2 * WIDTH, Fraction(1)) and tail_at_most(successes, size, bound, delta):
            best = max(best, _beyond(bound, successes, size, delta))
    return best


def _beyond(bound: Fraction, successes: int, size: int, delta: Fraction) -> Fraction:
    """A supported bound above a supported one, or that one itself if nothing above it was found."""
    step = WIDTH
    for _ in range(CLOSER):
        candidate = _simplest(bound + step / 2, bound + step)
        if candidate <= 1 and tail_at_most(successes, size, candidate, delta):
            return candidate
        step /= 8
        if step < WIDTH / 8**40:
            break
    return bound


def _check(successes: int, size: int, delta: Fraction) -> None:
    if not 0 <= successes <= size or size < 1:
        raise ValueError("successes lie between 0 and the size of the sample")
    if not 0 < delta < 1:
        raise ValueError("delta lies strictly between 0 and 1")


def _guess(successes: int, size: int, target: float) -> float:
    """Where the logarithm of the tail meets that of delta, by bisection in floats."""
    low, high = 0.0, 1.0
    for _ in range(200):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if _log_tail(successes, size, middle) <= target:
            low = middle
        else:
            high = middle
    return low


def _log_tail(successes: int, size: int, p: float) -> float:
    """log P(Bin(size, p) >= successes), summed from the first term on until nothing is added."""
    if p >= 1.0 or p <= 0.0:
        return 0.0 if p >= 1.0 else -inf
    n, k = size, successes
    first = lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) + k * log(p) + (n - k) * log1p(-p)
    odds = p / (1.0 - p)
    term = total = 1.0
    shift = 0.0
    for i in range(k, n):
        ratio = (n - i) / (i + 1) * odds
        term *= ratio
        total += term
        if total > 1e250:  # keep the sum in range where the peak lies far above k
            total, term, shift = total * 1e-250, term * 1e-250, shift + log(1e250)
        if ratio < 1.0 and term < total * 1e-18:
            break
    return min(first + shift + log(total), 0.0)


def _log(x: Fraction) -> float:
    """Of a positive rational, however small."""
    return log(x.numerator) - log(x.denominator)


def _simplest(low: Fraction, high: Fraction) -> Fraction:
    """The fraction of least denominator in [low, high], 0 <= low <= high (Stern and Brocot)."""
    whole = low.numerator // low.denominator
    if whole == low:
        return Fraction(whole)
    if whole + 1 <= high:
        return Fraction(whole + 1)
    inner = _simplest(1 / (high - whole), 1 / (low - whole))
    return whole + 1 / inner
