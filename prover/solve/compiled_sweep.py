"""Sweeps of Bellman's equation in floats, in compiled loops, and the values of one plan.

Successors carry a flag in their top bit: this is the last transition of its choice.  The loops then run over the
transitions of a node without a jump that depends on the data, which is worth a factor two.
"""

from __future__ import annotations

import numpy as np
from numba import njit

LAST = np.uint32(0x80000000)
NODE = np.uint32(0x7FFFFFFF)
DENSE = 40  # components up to this size are eliminated in place


@njit(cache=True, nogil=True)
def flagged(ts, succ):
    result = succ.copy()
    for c in range(1, len(ts)):
        result[np.int64(ts[c]) - 1] |= LAST
    return result


@njit(cache=True, nogil=True)
def self_loops(cs, ts, succ, index, table):
    """The choices that may return to their own node at once, and with what probability."""
    n = len(cs) - 1
    where = np.empty(len(ts) - 1, np.int64)
    weight = np.empty(len(ts) - 1, np.float64)
    found = 0
    for i in range(n):
        for c in range(np.int64(cs[i]), np.int64(cs[i + 1])):
            loop = 0.0
            for t in range(np.int64(ts[c]), np.int64(ts[c + 1])):
                if np.int64(succ[t]) == i:
                    loop += table[index[t]]
            if loop > 0.0:
                where[found] = c
                weight[found] = loop
                found += 1
    return where[:found].copy(), weight[:found].copy()


@njit(nogil=True, inline="always")
def _sweep(lo, hi, cs, first, succ, index, table, base, stop, u):
    change = 0.0
    c = np.int64(cs[lo])
    t = np.int64(first[lo])
    for i in range(lo, hi):
        best = 0.0 if stop[i] else -np.inf
        end = np.int64(first[i + 1])
        acc = base[c]
        while t < end:
            s = succ[t]
            acc += table[index[t]] * u[s & NODE]
            last = s >> np.uint32(31)
            c += np.int64(last)
            best = max(best, acc if last else -np.inf)
            acc = base[c] if last else acc
            t += 1
        change = max(change, abs(best - u[i]))
        u[i] = best
    return change


@njit(cache=True, nogil=True)
def sweep(lo, hi, cs, first, succ, index, table, base, stop, u):
    """One Gauss-Seidel sweep over the nodes ``lo .. hi``; returns the largest change."""
    return _sweep(lo, hi, cs, first, succ, index, table, base, stop, u)


@njit(cache=True, nogil=True)
def solve_components(k, component_start, cs, first, succ, index, table, base, stop, u, enough, limit):
    """Solve the components from the k-th on; returns the first whose changes do not fall to ``enough`` in ``limit`` sweeps, and they."""
    while k < len(component_start) - 1:
        lo, hi = component_start[k], component_start[k + 1]
        change = _sweep(lo, hi, cs, first, succ, index, table, base, stop, u)
        if hi - lo > 1 and change > enough:
            before = change
            rounds = 1
            while rounds < limit and change > enough:
                before = change
                change = _sweep(lo, hi, cs, first, succ, index, table, base, stop, u)
                rounds += 1
            if not change <= enough:
                return k, before, change
        k += 1
    return k, 0.0, 0.0


@njit(cache=True, nogil=True)
def greedy(lo, hi, cs, first, succ, index, table, base, stop, u, plan):
    """The best choices under u (-1: stop), the old ones where nothing is better by more than rounding; returns how many changed."""
    changed = 0
    t = np.int64(first[lo])
    for i in range(lo, hi):
        best = 0.0 if stop[i] else -np.inf
        chosen = -1
        mine = 0.0 if stop[i] and plan[i] == -1 else -np.inf
        c = np.int64(cs[i])
        end = np.int64(first[i + 1])
        acc = base[c]
        while t < end:
            s = succ[t]
            acc += table[index[t]] * u[s & NODE]
            t += 1
            if s & LAST:
                if acc > best:
                    best = acc
                    chosen = c
                if c == plan[i]:
                    mine = acc
                c += 1
                acc = base[c]
        if chosen != plan[i] and not best <= mine + 1e-13 * (1e-300 + abs(mine)):
            plan[i] = chosen
            changed += 1
    return changed


@njit(cache=True, nogil=True)
def chain(lo, hi, plan, ts, succ, index, table, leak, outside, right):
    """The plan's chain on the nodes ``lo .. hi``: local rows, ``right`` with the worth of what lies outside added, and what leaks out."""
    n = hi - lo
    size = 0
    for i in range(lo, hi):
        c = plan[i]
        if c >= 0:
            size += np.int64(ts[c + 1]) - np.int64(ts[c])
    start = np.zeros(n + 1, np.uint32)
    to = np.empty(size, np.uint32)
    weight = np.empty(size, np.float64)
    out = np.zeros(n, np.float64)
    k = 0
    for i in range(n):
        c = plan[lo + i]
        if c < 0:
            out[i] = 1.0
        else:
            out[i] = leak[c] if len(leak) > 1 else leak[0]
            for t in range(np.int64(ts[c]), np.int64(ts[c + 1])):
                w = np.int64(succ[t] & NODE)
                p = table[index[t]]
                if lo <= w < hi:
                    to[k] = w - lo
                    weight[k] = p
                    k += 1
                else:
                    out[i] += p
                    right[i, 0] += p * outside[w]
        start[i + 1] = k
    return start, to[:k], weight[:k], out


@njit(cache=True, nogil=True)
def solve_chain(k, order, component_start, start, to, weight, out, right, x, limit, enough):
    """x = right + P x along the chain's components from the k-th on; returns the first that needs a factorisation, or -1 - k: a trap."""
    columns = right.shape[1]
    local = np.full(len(order), -1, np.int64)
    matrix = np.empty((DENSE, DENSE))
    rest = np.empty(DENSE)
    while k < len(component_start) - 1:
        lo, hi = component_start[k], component_start[k + 1]
        size = hi - lo
        if size == 1:
            i = np.int64(order[lo])
            for r in range(columns):
                value = right[i, r]
                for t in range(np.int64(start[i]), np.int64(start[i + 1])):
                    value += weight[t] * x[to[t], r]
                x[i, r] = value
        elif size <= DENSE:
            # Grassmann, Taksar and Heyman 1985: no subtraction, hence no cancellation however slowly the chain leaves.
            for a in range(size):
                local[order[lo + a]] = a
            matrix[:size, :size] = 0.0
            for a in range(size):
                i = np.int64(order[lo + a])
                rest[a] = out[i]
                for r in range(columns):
                    x[i, r] = right[i, r]
                for t in range(np.int64(start[i]), np.int64(start[i + 1])):
                    w = np.int64(to[t])
                    b = local[w]
                    if b >= 0:
                        matrix[a, b] += weight[t]
                    else:
                        rest[a] += weight[t]
                        for r in range(columns):
                            x[i, r] += weight[t] * x[w, r]
            for a in range(size - 1, -1, -1):
                pivot = rest[a]
                for b in range(a):
                    pivot += matrix[a, b]
                if not pivot > 0.0:
                    return -1 - k
                i = np.int64(order[lo + a])
                for r in range(columns):
                    x[i, r] /= pivot
                rest[a] /= pivot
                for b in range(a):
                    matrix[a, b] /= pivot
                for d in range(a):
                    q = matrix[d, a]
                    if q != 0.0:
                        for b in range(a):
                            matrix[d, b] += q * matrix[a, b]
                        rest[d] += q * rest[a]
                        j = np.int64(order[lo + d])
                        for r in range(columns):
                            x[j, r] += q * x[i, r]
            for a in range(size):
                i = np.int64(order[lo + a])
                for r in range(columns):
                    for b in range(a):
                        x[i, r] += matrix[a, b] * x[order[lo + b], r]
            for a in range(size):
                local[order[lo + a]] = -1
        else:
            converged = False
            for _ in range(limit):
                change = 0.0
                for a in range(lo, hi):
                    i = np.int64(order[a])
                    for r in range(columns):
                        value = right[i, r]
                        for t in range(np.int64(start[i]), np.int64(start[i + 1])):
                            value += weight[t] * x[to[t], r]
                        change = max(change, abs(value - x[i, r]) / enough[r])
                        x[i, r] = value
                if change <= 1.0:
                    converged = True
                    break
            if not converged:
                return k
        k += 1
    return k


@njit(cache=True, nogil=True)
def reachable(plan, ts, succ, index, table, leak, starts):
    """The plan's chain on the nodes that it reaches from ``starts``: those nodes in their order, and the chain's rows."""
    n = len(plan)
    name = np.full(n + 1, -1, np.int64)
    queue = np.empty(n, np.uint32)
    end = 0
    for i in starts:
        if i < n and name[i] < 0:
            name[i] = 0
            queue[end] = i
            end += 1
    at, size = 0, 0
    while at < end:
        c = plan[queue[at]]
        at += 1
        if c >= 0:
            for t in range(np.int64(ts[c]), np.int64(ts[c + 1])):
                w = np.int64(succ[t] & NODE)
                size += 1
                if w < n and name[w] < 0:
                    name[w] = 0
                    queue[end] = w
                    end += 1
    members = np.sort(queue[:end])
    for k in range(end):
        name[members[k]] = k
    start = np.zeros(end + 1, np.uint32)
    to = np.empty(size, np.uint32)
    weight = np.empty(size, np.float64)
    out = np.zeros(end, np.float64)
    j = 0
    for k in range(end):
        c = plan[members[k]]
        if c < 0:
            out[k] = 1.0
        else:
            out[k] = leak[c] if len(leak) > 1 else leak[0]
            for t in range(np.int64(ts[c]), np.int64(ts[c + 1])):
                w = np.int64(succ[t] & NODE)
                if w < n:
                    to[j] = name[w]
                    weight[j] = table[index[t]]
                    j += 1
                else:
                    out[k] += table[index[t]]
        start[k + 1] = j
    return members, start, to[:j], weight[:j], out


@njit(cache=True, nogil=True)
def assemble(members, local, start, to, weight, right, x):
    """(I - P) of one component of a chain in compressed rows, and its right side; ``local`` is -1 everywhere, before and after."""
    size, columns = len(members), right.shape[1]
    total = size
    for a in range(size):
        i = np.int64(members[a])
        local[i] = a
        total += np.int64(start[i + 1]) - np.int64(start[i])
    data = np.empty(total, np.float64)
    columns_of = np.empty(total, np.int32)
    starts = np.zeros(size + 1, np.int32)
    b = np.empty((size, columns), np.float64)
    k = 0
    for a in range(size):
        i = np.int64(members[a])
        data[k] = 1.0
        columns_of[k] = a
        k += 1
        for r in range(columns):
            b[a, r] = right[i, r]
        for t in range(np.int64(start[i]), np.int64(start[i + 1])):
            w = np.int64(to[t])
            if local[w] >= 0:
                data[k] = -weight[t]
                columns_of[k] = local[w]
                k += 1
            else:
                for r in range(columns):
                    b[a, r] += weight[t] * x[w, r]
        starts[a + 1] = k
    for a in range(size):
        local[members[a]] = -1
    return data[:k], columns_of[:k], starts, b
