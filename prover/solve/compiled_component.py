"""One strongly connected component as a system of its own, its nodes in any order, in compiled loops."""

from __future__ import annotations

import numpy as np
from numba import njit

from prover.solve.compiled_sweep import LAST, NODE


@njit(cache=True, nogil=True)
def localised(lo, order, cs, ts, succ, index, table, base, leak, u, narrow, nothing):
    """The rows of the nodes ``order`` with what lies outside, and is not going to change, added to what their choices earn.

    A choice keeps one transition at least: to the settled node, with the probability ``table[nothing]`` = 0.  ``narrow``: an array of the
    type of the new indices.  Returns cs, ts, successors, indices, earnings, leaks.
    """
    n = len(order)
    place = np.empty(n, np.int64)
    choices, transitions = 0, 0
    for a in range(n):
        i = order[a]
        place[i - lo] = a
        choices += np.int64(cs[i + 1]) - np.int64(cs[i])
        transitions += np.int64(ts[cs[i + 1]]) - np.int64(ts[cs[i]])
    new_cs = np.zeros(n + 1, np.uint32)
    new_ts = np.zeros(choices + 1, np.uint32)
    to = np.empty(transitions, np.uint32)
    of = np.empty(transitions, narrow.dtype)
    earned = np.zeros(choices + 1, np.float64)
    out = np.zeros(choices + 1, np.float64)
    c, k = 0, 0
    for a in range(n):
        i = order[a]
        for old in range(np.int64(cs[i]), np.int64(cs[i + 1])):
            earned[c] = base[old]
            out[c] = leak[old] if len(leak) > 1 else leak[0]
            begin = k
            for t in range(np.int64(ts[old]), np.int64(ts[old + 1])):
                w = np.int64(succ[t] & NODE)
                if lo <= w < lo + n:
                    to[k] = place[w - lo]
                    of[k] = index[t]
                    k += 1
                else:
                    p = table[index[t]]
                    earned[c] += p * u[w]
                    out[c] += p
            if k == begin:
                to[k] = n
                of[k] = nothing
                k += 1
            to[k - 1] |= LAST
            c += 1
            new_ts[c] = k
        new_cs[a + 1] = c
    return new_cs, new_ts, to[:k].copy(), of[:k].copy(), earned, out


@njit(cache=True, nogil=True)
def settled(limit, start, to, weight, right, x, enough):
    """Sweeps of x = right + P x in the order of the nodes; returns how many, and the last change in units of ``enough``."""
    n, columns = right.shape
    change, rounds = np.inf, 0
    while rounds < limit and change > 1.0:
        change = 0.0
        for i in range(n):
            for r in range(columns):
                value = right[i, r]
                for t in range(np.int64(start[i]), np.int64(start[i + 1])):
                    value += weight[t] * x[to[t], r]
                change = max(change, abs(value - x[i, r]) / enough[r])
                x[i, r] = value
        rounds += 1
    return rounds, change


@njit(cache=True, nogil=True)
def sources(cs, ts, succ):
    """For every node those that may lead to it, once for each transition."""
    n = len(cs) - 1
    start = np.zeros(n + 2, np.int64)
    for t in range(np.int64(ts[len(ts) - 1])):
        start[np.int64(succ[t] & NODE) + 1] += 1
    for i in range(n + 1):
        start[i + 1] += start[i]
    place = start.copy()
    source = np.empty(len(succ), np.uint32)
    for i in range(n):
        for t in range(np.int64(ts[cs[i]]), np.int64(ts[cs[i + 1]])):
            w = np.int64(succ[t] & NODE)
            source[place[w]] = i
            place[w] += 1
    return start, source


@njit(cache=True, nogil=True)
def distances(cs, leak, stop, start, source):
    """The least number of steps with which each node may leave."""
    n = len(cs) - 1
    result = np.zeros(n, np.int64)
    queue = np.empty(n, np.int64)
    end = 0
    for i in range(n):
        out = stop[i] != 0
        for c in range(np.int64(cs[i]), np.int64(cs[i + 1])):
            out = out or leak[c] > 0.0
        if out:
            result[i] = 1
            queue[end] = i
            end += 1
    at = 0
    while at < end:
        i = queue[at]
        at += 1
        for k in range(start[i], start[i + 1]):
            w = source[k]
            if result[w] == 0:
                result[w] = result[i] + 1
                queue[end] = w
                end += 1
    return result


@njit(cache=True, nogil=True)
def sweep_in(order, cs, first, succ, index, table, base, stop, u):
    """``sweep`` of all nodes in any order."""
    for i in order:
        best = 0.0 if stop[i] else -np.inf
        c, t, end = np.int64(cs[i]), np.int64(first[i]), np.int64(first[i + 1])
        acc = base[c]
        while t < end:
            s = succ[t]
            acc += table[index[t]] * u[s & NODE]
            t += 1
            if s & LAST:
                best = max(best, acc)
                c += 1
                acc = base[c]
        u[i] = best
