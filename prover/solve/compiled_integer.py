"""Bellman's inequality in integers, in compiled loops: what a potential satisfies is decided here without rounding errors.

Values are numerators over 2^k, probabilities numerators over ``scale``; where a probability is no multiple of 1/scale,
``lower`` and ``upper`` enclose it.  Since a choice's probabilities add up to one, V(i) >= g + sum p V(w) holds if and
only if  g + sum p (V(w) - V(i)) <= 0;  each difference takes the bound that makes the sum larger.  In this form equal
values cancel exactly, whatever the rounding of the probabilities.  A discount is one more step to the settled node.
The caller makes sure that nothing overflows: sums fit 62 bits in the narrow loops, values fit 61 bits in the wide ones.
"""

from __future__ import annotations

import numpy as np
from numba import njit

NULL = -(2**63)  # no value: not live


@njit(cache=True, nogil=True)
def narrow_pass(raise_only, cs, ts, succ, index, lower, upper, leak, gain, gain_index, stop, v):
    """Returns how many choices are violated.  Meanwhile raises violated nodes, or (``raise_only`` 0) lowers the others as far as one step
    allows (then the result is again a potential if the input was one); ``raise_only`` 2: only counts."""
    n = len(cs) - 1
    violated, moved = 0, 0
    for i in range(n):
        mine = v[i]
        down = np.int64(4611686018427387904)
        up = np.int64(0)
        if stop[i]:
            down = mine
            if mine < 0:
                violated += 1
                up = -mine
        for c in range(np.int64(cs[i]), np.int64(cs[i + 1])):
            total = gain[gain_index[c]]
            step_low, step_high = leak[0], leak[1]
            if step_high:
                total += (step_low if mine > 0 else step_high) * -mine
            for t in range(np.int64(ts[c]), np.int64(ts[c + 1])):
                w = succ[t]
                d = v[w] - mine
                j = index[t]
                if np.int64(w) != i:
                    step_low += lower[j]
                    step_high += upper[j]
                total += (upper[j] if d > 0 else lower[j]) * d
            if total > 0:
                violated += 1
                if step_low > 0:
                    up = max(up, -((-total) // step_low))
            elif step_high > 0:
                down = min(down, (-total) // step_high)
        if raise_only == 2:
            continue
        if up > 0:
            v[i] = mine + up
            moved += 1
        elif raise_only == 0 and 0 < down < 4611686018427387904:
            v[i] = mine - down
            moved += 1
    return violated, moved


@njit(nogil=True, inline="always")
def _product(p, d):
    """p d for p >= 0 and any d, in two words (high, low)."""
    negative = d < 0
    x = np.uint64(-d) if negative else np.uint64(d)
    a = np.uint64(p)
    mask = np.uint64(0xFFFFFFFF)
    shift = np.uint64(32)
    al, ah, xl, xh = a & mask, a >> shift, x & mask, x >> shift
    low = al * xl
    middle = ah * xl + (low >> shift)
    cross = al * xh + (middle & mask)
    high = ah * xh + (middle >> shift) + (cross >> shift)
    low = (cross << shift) | (low & mask)
    if negative:
        low = ~low + np.uint64(1)
        high = ~high + np.uint64(1 if low == 0 else 0)
    return np.int64(high), low


@njit(nogil=True, inline="always")
def _sum(ah, al, bh, bl):
    low = al + bl
    return ah + bh + np.int64(1 if low < al else 0), low


@njit(cache=True, nogil=True)
def wide_pass(raise_only, cs, ts, succ, index, lower, upper, leak, gain, gain_index, stop, v):
    """``narrow_pass`` with sums of two words; ``gain`` has two columns.  Moves may fall short by rounding, never too far down."""
    n = len(cs) - 1
    violated, moved = 0, 0
    for i in range(n):
        mine = v[i]
        down = np.int64(4611686018427387904)
        up = np.int64(0)
        if stop[i]:
            down = mine
            if mine < 0:
                violated += 1
                up = -mine
        for c in range(np.int64(cs[i]), np.int64(cs[i + 1])):
            high, low = np.int64(gain[gain_index[c], 0]), np.uint64(gain[gain_index[c], 1])
            step_low, step_high = leak[0], leak[1]
            if step_high:
                ph, pl = _product(step_low if mine > 0 else step_high, -mine)
                high, low = _sum(high, low, ph, pl)
            for t in range(np.int64(ts[c]), np.int64(ts[c + 1])):
                w = succ[t]
                d = v[w] - mine
                j = index[t]
                if np.int64(w) != i:
                    step_low += lower[j]
                    step_high += upper[j]
                if d != 0:
                    ph, pl = _product(upper[j] if d > 0 else lower[j], d)
                    high, low = _sum(high, low, ph, pl)
            size = np.float64(high) * 18446744073709551616.0 + np.float64(low)
            if high > 0 or (high == 0 and low > 0):
                violated += 1
                if step_low > 0:
                    up = max(up, np.int64(min(size / step_low * (1.0 + 1e-14), 1e18)) + 1)
            elif step_high > 0:
                down = min(down, max(np.int64(0), np.int64(min(-size / step_high * (1.0 - 1e-14), 1e18)) - 1))
        if raise_only == 2:
            continue
        if up > 0:
            v[i] = mine + up
            moved += 1
        elif raise_only == 0 and 0 < down < 4611686018427387904:
            v[i] = mine - down
            moved += 1
    return violated, moved


@njit(cache=True, nogil=True)
def layer(cs, ts, succ, index, lower, upper, leak, gain, gain_index, shift, scale, later, v, plan):
    """One step backwards: the least numerators v(i) >= gain + sum p later(w) for every choice, and the best choices.

    ``scale`` > 0: one word, quotients by it.  Otherwise two words and probabilities over 2^shift.  A choice that may lead
    to NULL is left out, a node without choices is NULL.
    """
    n = len(cs) - 1
    for i in range(n):
        start = later[i] if later[i] != NULL else np.int64(0)
        best = np.int64(NULL)
        chosen = -1
        for c in range(np.int64(cs[i]), np.int64(cs[i + 1])):
            high, low = np.int64(gain[gain_index[c], 0]), np.uint64(gain[gain_index[c], 1])
            one = np.int64(low) if scale > 0 else np.int64(0)
            dead = False
            if leak[1]:
                p = leak[0] if start > 0 else leak[1]
                if scale > 0:
                    one += p * -start
                else:
                    ph, pl = _product(p, -start)
                    high, low = _sum(high, low, ph, pl)
            for t in range(np.int64(ts[c]), np.int64(ts[c + 1])):
                w = succ[t]
                if later[w] == NULL:
                    dead = True
                    break
                d = later[w] - start
                p = upper[index[t]] if d > 0 else lower[index[t]]
                if scale > 0:
                    one += p * d
                elif d != 0:
                    ph, pl = _product(p, d)
                    high, low = _sum(high, low, ph, pl)
            if dead:
                continue
            if scale > 0:
                value = start - ((-one) // scale)
            else:
                # The quotient by 2^shift, rounded up; it fits one word.
                rest = low & ((np.uint64(1) << np.uint64(shift)) - np.uint64(1))
                quotient = np.int64((low >> np.uint64(shift)) | (np.uint64(high) << np.uint64(64 - shift)))
                value = start + quotient + np.int64(1 if rest else 0)
            if chosen < 0 or value > best:
                best = value
                chosen = c
        v[i] = best
        plan[i] = chosen
