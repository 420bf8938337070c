"""Values in floats -> a potential: numerators over 2^k that satisfy Bellman's inequality exactly.

V(i) >= gain + sum p V(w) for every choice, V >= 0 where waiting for ever is possible (docs: the potential).  A margin on
every choice in the float phase pays for rounding up; then integers decide, raise what is violated by a little, and
lower what has slack.  Whatever the floats were, only what the integers confirm comes out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, frexp, lcm

import numpy as np

from prover.solve import compiled_integer as compiled
from prover.solve.order import Ordered
from prover.solve.rows import Floats, Gain, Ints

NULL = compiled.NULL
WORD = 61  # bits of a value in one word
REPAIRS = 30
SNAP = 20  # bits behind the point within which a value is taken for an integer


@dataclass(eq=False)
class Inequality:
    """Bellman's inequality of a system for one gain and one k, as integers; ``wide``: sums take two words."""

    ordered: Ordered
    stop: Ints
    gain_index: Ints
    k: int
    wide: bool
    scale: int
    lower: Ints
    upper: Ints
    leak: Ints
    gain: Ints
    limit: int  # absolute values up to this cannot overflow

    def run(self, mode: int, v: Ints) -> tuple[int, int]:
        o = self.ordered
        passes = compiled.wide_pass if self.wide else compiled.narrow_pass
        rows = (o.cs, o.ts, o.succ, o.index, self.lower, self.upper, self.leak, self.gain, self.gain_index, self.stop, v)
        violated, moved = passes(mode, *rows)
        return int(violated), int(moved)

    def fits(self, v: Ints) -> bool:
        return int(v.max(initial=0)) <= self.limit and int(v.min(initial=0)) >= -self.limit

    def holds(self, v: Ints) -> bool:
        return self.fits(v) and self.run(2, v)[0] == 0

    def repaired(self, v: Ints) -> bool:
        """Raise what is violated until nothing is; False if that does not end soon."""
        for _ in range(REPAIRS):
            if not self.fits(v):
                return False
            if self.run(1, v)[0] == 0:
                return True
        return False

    def tightened(self, v: Ints) -> bool:
        """One sweep down from a potential to a potential; False if nothing moved."""
        return self.run(0, v)[1] > 0


def inequality(
    ordered: Ordered,
    stop: Ints,
    probabilities: Sequence[Fraction],
    discount: Fraction | None,
    gain: Gain,
    gain_index: Ints,
    k: int,
    largest: float,
    columns: int = 1,
) -> Inequality:
    """``largest``: a bound on the absolute values; ``gain_index`` per choice of ``ordered``.  OverflowError: no word is long enough."""
    factor = Fraction(1) if discount is None else discount
    table = [factor * p for p in probabilities]
    scale = lcm(*(p.denominator for p in table), (1 - factor).denominator) if table else 1
    bits = _bits(largest) + k + 2
    steepest = max((abs(g) for g in gain.values), default=Fraction(0))
    wide = scale.bit_length() + bits > WORD or int(steepest * 2**k * scale).bit_length() > WORD - 1
    if wide:
        scale = 2**WORD
        if bits > WORD or int(steepest * 2**k).bit_length() > WORD - 1:
            raise OverflowError
    lower = np.array([p.numerator * scale // p.denominator for p in table], dtype=np.int64)
    upper = np.array([-(-p.numerator * scale // p.denominator) for p in table], dtype=np.int64)
    rest = (1 - factor) * scale
    leak = np.array([rest.numerator // rest.denominator, ceil(rest)], dtype=np.int64)
    rounded = [-(-(g.numerator * 2**k * scale) // g.denominator) for g in gain.values]
    words: Ints
    if wide or columns == 2:
        words = np.array([[x >> 64, (x & (2**64 - 1)) - (2**64 if x >> 63 & 1 else 0)] for x in rounded], dtype=np.int64).reshape(-1, 2)
    else:
        words = np.array(rounded, dtype=np.int64)
    return Inequality(ordered, stop, gain_index, k, wide, scale, lower, upper, leak, words, 2 ** (bits - 2))


def rounded_up(u: Floats, k: int) -> Ints:
    """The numerators over 2^k not below u; the settled node stays 0."""
    v = np.ceil(np.ldexp(u, k)).astype(np.int64)
    v[-1] = 0
    return v


def snapped_down(v: Ints, k: int) -> Ints:
    """Numerators over 2^k a little above an integer become that integer: a guess, for the inequality to confirm or repair."""
    above = v & ((1 << k) - 1)
    return np.where(above <= (1 << k) >> SNAP, v - above, v)


def precision(margin: float) -> int:
    """A k with 2^-k at most an eighth of the margin."""
    return max(0, 4 - frexp(margin)[1])


def room(largest: float) -> int:
    """The greatest k with which values up to ``largest`` fit one word."""
    return WORD - 2 - _bits(largest)


def _bits(largest: float) -> int:
    return max(0, frexp(largest)[1])
