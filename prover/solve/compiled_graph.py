"""Compressed rows -> components, renumbered rows and the fixpoints of liveness, in compiled loops.

Conventions of all compiled loops: the choices of node i are ``cs[i] .. cs[i+1]``, the transitions of choice c are
``ts[c] .. ts[c+1]``; ``succ`` is unsigned (numba then drops the test for negative indices) and the settled successor is
the extra node n, whose value is 0 for ever.  The three ``compiled_*`` files alone import numba: only large worlds load it.
"""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def components(cs, ts, succ, n):
    """Strongly connected components (Pearce 2016, without recursion), successors' components first.

    Component k is ``order[start[k]:start[k+1]]``, its nodes in post-order of the search.
    """
    index = np.zeros(n + 1, np.uint32)  # 0: unseen; below ``label``: on the path or the stack; else in a finished component
    order = np.empty(n, np.uint32)
    start = np.zeros(n + 1, np.int64)
    stack = np.empty(n, np.uint32)
    path = np.empty(n, np.uint32)
    resume = np.empty(n, np.int64)
    is_root = np.empty(n, np.uint8)
    label = np.uint32(4294967295)
    index[n] = label
    top, found, out = 0, 0, 0
    clock = np.uint32(1)
    for first in range(n):
        if index[first] != 0:
            continue
        depth = 0
        path[0] = first
        resume[0] = ts[cs[first]]
        is_root[0] = 1
        index[first] = clock
        clock += np.uint32(1)
        while depth >= 0:
            v = path[depth]
            end = np.int64(ts[cs[np.int64(v) + 1]])
            mine = index[v]
            root = is_root[depth]
            t = resume[depth]
            child = -1
            while t < end:
                w = succ[t]
                low = index[w]
                if low == 0:
                    child = np.int64(w)
                    break  # the same transition is looked at again on the way back
                if low < mine:
                    mine = low
                    root = 0
                t += 1
            index[v] = mine
            is_root[depth] = root
            if child >= 0:
                resume[depth] = t
                depth += 1
                path[depth] = child
                resume[depth] = ts[cs[child]]
                is_root[depth] = 1
                index[child] = clock
                clock += np.uint32(1)
                continue
            depth -= 1
            if not root:
                stack[top] = v
                top += 1
                continue
            low_top = top
            while low_top > 0 and index[stack[low_top - 1]] >= mine:
                low_top -= 1
            for k in range(low_top, top):
                w = stack[k]
                index[w] = label
                order[out] = w
                out += 1
            clock -= np.uint32(top - low_top + 1)
            top = low_top
            index[v] = label
            order[out] = v
            out += 1
            label -= np.uint32(1)
            found += 1
            start[found] = out
    return order, start[: found + 1]


@njit(cache=True, nogil=True)
def renumber(cs, ts, succ, index, members, class_start, class_of, keep, settled):
    """The rows whose node k has the kept choices of the old nodes ``members[class_start[k]:class_start[k+1]]``."""
    count = len(class_start) - 1
    choices, transitions = 0, 0
    for m in members:
        for c in range(np.int64(cs[m]), np.int64(cs[np.int64(m) + 1])):
            if keep[c]:
                choices += 1
                transitions += np.int64(ts[c + 1]) - np.int64(ts[c])
    new_cs = np.empty(count + 1, np.uint32)
    new_ts = np.empty(choices + 1, np.uint32)
    new_succ = np.empty(transitions, np.uint32)
    new_index = np.empty(transitions, index.dtype)
    origin = np.empty(choices, np.uint32)
    a, b = 0, 0
    new_cs[0] = 0
    new_ts[0] = 0
    for k in range(count):
        for j in range(class_start[k], class_start[k + 1]):
            m = np.int64(members[j])
            for c in range(np.int64(cs[m]), np.int64(cs[m + 1])):
                if keep[c]:
                    for t in range(np.int64(ts[c]), np.int64(ts[c + 1])):
                        w = np.int64(succ[t])
                        new_succ[b] = count if w == settled else class_of[w]
                        new_index[b] = index[t]
                        b += 1
                    origin[a] = c
                    a += 1
                    new_ts[a] = b
        new_cs[k + 1] = a
    return new_cs, new_ts, new_succ, new_index, origin


@njit(cache=True, nogil=True)
def shrink(cs, ts, succ, good, inside, limit):
    """Remove nodes left without a choice that is ``inside`` and leads to good nodes only; True when nothing is left to remove.

    Passes in the order of the nodes: one or two suffice unless long zero-gain loops die from behind.
    """
    n = len(cs) - 1
    for _ in range(limit):
        changed = False
        c = np.int64(cs[0])
        for i in range(n):
            last = np.int64(cs[i + 1])
            if not good[i]:
                while c < last:
                    inside[c] = 0
                    c += 1
                continue
            left = False
            while c < last:
                if inside[c]:
                    for t in range(np.int64(ts[c]), np.int64(ts[c + 1])):
                        if not good[succ[t]]:
                            inside[c] = 0
                            changed = True
                            break
                    if inside[c]:
                        left = True
                c += 1
            if not left:
                good[i] = 0
                changed = True
        if not changed:
            return True
    return False


@njit(cache=True, nogil=True)
def predecessors(cs, ts, succ, n):
    """(owner of every choice; starts, choices): the choices that may lead into a node."""
    owner = np.empty(len(ts) - 1, np.uint32)
    starts = np.zeros(n + 2, np.int64)
    for w in succ:
        starts[np.int64(w) + 1] += 1
    for i in range(n + 1):
        starts[i + 1] += starts[i]
    fill = starts[:-1].copy()
    into = np.empty(len(succ), np.uint32)
    for i in range(n):
        for c in range(np.int64(cs[i]), np.int64(cs[i + 1])):
            owner[c] = i
            for t in range(np.int64(ts[c]), np.int64(ts[c + 1])):
                w = np.int64(succ[t])
                into[fill[w]] = c
                fill[w] += 1
    return owner, starts, into


@njit(cache=True, nogil=True)
def shrink_backwards(cs, owner, starts, into, good, inside):
    """What ``shrink`` does, in linear time whatever the order: from the removed nodes to the choices that lead there."""
    n = len(cs) - 1
    left = np.zeros(n, np.uint32)
    queue = np.empty(n + 1, np.uint32)
    end = 0
    for i in range(n):
        for c in range(np.int64(cs[i]), np.int64(cs[i + 1])):
            left[i] += inside[c]
    for i in range(n + 1):
        if i < n and good[i] and left[i] == 0:
            good[i] = 0
        if not good[i]:
            queue[end] = i
            end += 1
    at = 0
    while at < end:
        i = np.int64(queue[at])
        at += 1
        if i < n:
            for c in range(np.int64(cs[i]), np.int64(cs[i + 1])):
                inside[c] = 0
        for k in range(starts[i], starts[i + 1]):
            c = into[k]
            if inside[c]:
                inside[c] = 0
                source = owner[c]
                left[source] -= np.uint32(1)
                if good[source] and left[source] == 0:
                    good[source] = 0
                    queue[end] = source
                    end += 1


@njit(cache=True, nogil=True)
def reach(cs, ts, succ, usable, found, limit):
    """Spread ``found`` backwards along usable choices; True when nothing more can be found."""
    n = len(cs) - 1
    for round in range(limit):
        changed = False
        for k in range(n):
            i = k if round % 2 == 0 else n - 1 - k
            if found[i]:
                continue
            for c in range(np.int64(cs[i]), np.int64(cs[i + 1])):
                if usable[c]:
                    for t in range(np.int64(ts[c]), np.int64(ts[c + 1])):
                        if found[succ[t]]:
                            found[i] = 1
                            changed = True
                            break
                if found[i]:
                    break
        if not changed:
            return True
    return False


@njit(cache=True, nogil=True)
def reach_backwards(owner, starts, into, usable, found):
    """What ``reach`` does, in linear time whatever the order."""
    queue = np.empty(len(found), np.uint32)
    end = 0
    for i in range(len(found)):
        if found[i]:
            queue[end] = i
            end += 1
    at = 0
    while at < end:
        i = np.int64(queue[at])
        at += 1
        for k in range(starts[i], starts[i + 1]):
            c = into[k]
            source = owner[c]
            if usable[c] and not found[source]:
                found[source] = 1
                queue[end] = source
                end += 1


@njit(cache=True, nogil=True)
def crossing(cs, ts, succ, label, inside):
    """Drop the choices that may leave their node's component; returns (choices dropped, choices left that are not mere self-loops)."""
    n = len(cs) - 1
    dropped, moving = 0, 0
    for i in range(n):
        for c in range(np.int64(cs[i]), np.int64(cs[i + 1])):
            if inside[c]:
                moves = False
                for t in range(np.int64(ts[c]), np.int64(ts[c + 1])):
                    w = np.int64(succ[t])
                    moves = moves or w != i
                    if w == n or label[w] != label[i]:
                        inside[c] = 0
                        dropped += 1
                        break
                if inside[c] and moves:
                    moving += 1
    return dropped, moving


@njit(cache=True, nogil=True)
def expand(class_start, members, chosen, cs, ts, succ, inside, plan):
    """The choices of all classes as a plan of their members: inside they approach the owner of their class's choice, or wait (-1)."""
    reached = np.zeros(len(plan) + 1, np.uint8)
    for k in range(len(chosen)):
        a, b = class_start[k], class_start[k + 1]
        choice = chosen[k]
        left = b - a
        for j in range(a, b):
            m = np.int64(members[j])
            if choice < 0:
                for c in range(np.int64(cs[m]), np.int64(cs[m + 1])):
                    if inside[c]:
                        plan[m] = c
                        left -= 1
                        break
            elif np.int64(cs[m]) <= choice < np.int64(cs[m + 1]):
                plan[m] = choice
                reached[m] = 1
                left -= 1
        changed = choice >= 0
        while left and changed:
            changed = False
            for j in range(a, b):
                m = np.int64(members[j])
                if reached[m]:
                    continue
                for c in range(np.int64(cs[m]), np.int64(cs[m + 1])):
                    if inside[c]:
                        for t in range(np.int64(ts[c]), np.int64(ts[c + 1])):
                            if reached[succ[t]]:
                                plan[m] = c
                                reached[m] = 1
                                break
                    if reached[m]:
                        break
                if reached[m]:
                    left -= 1
                    changed = True


@njit(cache=True, nogil=True)
def proper(owner, starts, into, stop, plan):
    """A plan that stops almost surely: every node takes a choice that may come nearer; returns how many nodes cannot."""
    n = len(stop)
    seen = np.zeros(n + 1, np.uint8)
    queue = np.empty(n + 1, np.uint32)
    seen[n] = 1
    queue[0] = n
    end = 1
    for i in range(n):
        if stop[i]:
            plan[i] = -1
            seen[i] = 1
            queue[end] = i
            end += 1
    at = 0
    while at < end:
        i = np.int64(queue[at])
        at += 1
        for k in range(starts[i], starts[i + 1]):
            c = into[k]
            source = owner[c]
            if not seen[source]:
                seen[source] = 1
                plan[source] = c
                queue[end] = source
                end += 1
    return n + 1 - end
