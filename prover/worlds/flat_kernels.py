"""Compiled loops over the rows of a large world; imported only when a world is large."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(cache=True)
def reach(
    choice_start: Any,
    transition_start: Any,
    successor: Any,
    letter: Any,
    step: Any,
    ids: Any,
    first_state: Any,
    first_row: Any,
    count: int,
) -> Any:
    """States and memories of the nodes that runs can reach, breadth-first; ``ids[state * count + memory]`` becomes the node."""
    capacity = max(1024, len(first_state))
    states = np.empty(capacity, dtype=np.int32)
    rows = np.empty(capacity, dtype=np.int32)
    found = 0
    for k in range(len(first_state)):
        ids[np.int64(first_state[k]) * count + first_row[k]] = found
        states[found] = first_state[k]
        rows[found] = first_row[k]
        found += 1
    node = 0
    while node < found:
        state = states[node]
        row = rows[node]
        for t in range(transition_start[choice_start[state]], transition_start[choice_start[state + 1]]):
            after = successor[t]
            target = step[row, letter[after]]
            if target >= 0:
                place = np.int64(after) * count + target
                if ids[place] < 0:
                    if found == capacity:
                        larger = np.empty(2 * capacity, dtype=np.int32)
                        larger[:found] = states
                        states = larger
                        larger = np.empty(2 * capacity, dtype=np.int32)
                        larger[:found] = rows
                        rows = larger
                        capacity *= 2
                    ids[place] = found
                    states[found] = after
                    rows[found] = target
                    found += 1
        node += 1
    return states[:found].copy(), rows[:found].copy()


@njit(cache=True)
def follow(plan: Any, transition_start: Any, successor: Any, start: Any) -> Any:
    """``plan`` where runs under it come, -1 elsewhere."""
    found = np.full(len(plan), -1, dtype=np.int64)
    stack = np.empty(len(plan) + 1, dtype=np.int64)
    size = 0
    for k in range(len(start)):
        if found[start[k]] < 0:
            found[start[k]] = plan[start[k]]
            stack[size] = start[k]
            size += 1
    while size > 0:
        size -= 1
        choice = plan[stack[size]]
        if choice < 0:
            continue
        for t in range(transition_start[choice], transition_start[choice + 1]):
            node = successor[t]
            if node >= 0 and found[node] < 0 and plan[node] >= 0:
                found[node] = plan[node]
                stack[size] = node
                size += 1
    return found


@njit(cache=True)
def rows(
    states: Any,
    memory: Any,
    choice_start: Any,
    transition_start: Any,
    successor: Any,
    index: Any,
    letter: Any,
    step: Any,
    ids: Any,
    count: int,
) -> Any:
    """Choices, transitions, successors and probability indices of the nodes, and the world's choice behind each of theirs."""
    nodes = len(states)
    starts = np.zeros(nodes + 1, dtype=np.uint32)
    size = 0
    choices = 0
    for n in range(nodes):
        first, last = choice_start[states[n]], choice_start[states[n] + 1]
        choices += last - first
        starts[n + 1] = choices
        size += transition_start[last] - transition_start[first]
    begins = np.zeros(choices + 1, dtype=np.uint32)
    origin = np.empty(choices, dtype=np.int32)
    target = np.empty(size, dtype=np.int32)
    chance = np.empty(size, dtype=index.dtype)
    c = 0
    k = 0
    for n in range(nodes):
        row = memory[n]
        for d in range(choice_start[states[n]], choice_start[states[n] + 1]):
            origin[c] = d
            for t in range(transition_start[d], transition_start[d + 1]):
                after = successor[t]
                following = step[row, letter[after]]
                target[k] = -1 if following < 0 else ids[np.int64(after) * count + following]
                chance[k] = index[t]
                k += 1
            c += 1
            begins[c] = k
    return starts, begins, origin, target, chance


@njit(cache=True)
def hits(states: Any, memory: Any, choice_start: Any, transition_start: Any, successor: Any, letter: Any, accepts: Any) -> Any:
    """The choices of the product and the world's transitions on which a monitor accepts, in order."""
    choices = np.empty(0, dtype=np.int64)
    transitions = np.empty(0, dtype=np.int64)
    size = 0
    for counting in (True, False):
        found = 0
        if not counting:
            choices = np.empty(size, dtype=np.int64)
            transitions = np.empty(size, dtype=np.int64)
        c = 0
        for n in range(len(states)):
            row = memory[n]
            for d in range(choice_start[states[n]], choice_start[states[n] + 1]):
                for t in range(transition_start[d], transition_start[d + 1]):
                    if accepts[row, letter[successor[t]]]:
                        if not counting:
                            choices[found] = c
                            transitions[found] = t
                        found += 1
                c += 1
        size = found
    return choices, transitions
