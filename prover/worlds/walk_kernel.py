"""Decision tables and packed states -> choices and successors, state by state in compiled code; imported only for large worlds.

Conventions: ``now`` holds the words of a state and then those of the next state.  ``cursor`` is (states found, choices, transitions).
Every function that can stop returns one of the constants below.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

DONE, SENSELESS, UNKNOWN, FULL, CROWDED = 0, 1, 2, 3, 4
# all done; the state makes no sense; the sum or product in ``asked`` is not known yet; no room for the results; none for new states
PRODUCT, SUM = 0, 1
MIX = np.uint64(0x9E3779B97F4A7C15)


@njit(cache=True, inline="always")
def _hash(key: Any) -> Any:
    mixed = np.uint64(key) * MIX
    mixed ^= mixed >> np.uint64(32)
    mixed *= MIX
    return mixed ^ (mixed >> np.uint64(29))


@njit(cache=True, inline="always")
def _entry(reader: Any, run: Any, which: Any, now: Any) -> Any:
    """The index into the table of a reader."""
    entry: Any = 0
    for r in range(reader[which], reader[which + 1]):
        entry |= ((now[run[r, 0]] >> run[r, 1]) & run[r, 2]) << run[r, 3]
    return entry


@njit(cache=True)
def _number(now: Any, words: Any, store: Any, slots: Any, direct: bool, size: Any) -> Any:
    """The number of the next state; a state that is new gets number ``size`` and is stored."""
    if direct:
        found = slots[now[words]]
        if found == 0:
            slots[now[words]] = size + 1
            store[size * words] = now[words]
            return size
        return np.int64(found) - 1
    mask = np.uint64(len(slots) - 1)
    mixed = _hash(now[words])
    for w in range(1, words):
        mixed = _hash(np.int64(mixed) ^ now[words + w])
    slot = mixed & mask
    while True:
        found = slots[slot]
        if found == 0:
            slots[slot] = size + 1
            for w in range(words):
                store[size * words + w] = now[words + w]
            return size
        same = True
        for w in range(words):
            if store[(np.int64(found) - 1) * words + w] != now[words + w]:
                same = False
                break
        if same:
            return np.int64(found) - 1
        slot = (slot + np.uint64(1)) & mask


@njit(cache=True)
def fill(store: Any, words: int, size: int, slots: Any) -> None:
    """Numbers the stored states in an empty index."""
    mask = np.uint64(len(slots) - 1)
    for state in range(size):
        mixed = _hash(store[state * words])
        for w in range(1, words):
            mixed = _hash(np.int64(mixed) ^ store[state * words + w])
        slot = mixed & mask
        while slots[slot] != 0:
            slot = (slot + np.uint64(1)) & mask
        slots[slot] = state + 1


@njit(cache=True)
def remember(known: Any, results: Any, operation: int, left: int, right: int, result: int) -> None:
    """What ``combined`` finds from now on."""
    key = (operation << 60) | (left << 30) | right
    mask = np.uint64(len(known) - 1)
    slot = _hash(key) & mask
    while known[slot] != -1:
        slot = (slot + np.uint64(1)) & mask
    known[slot] = key
    results[slot] = result


@njit(cache=True)
def _combined(known: Any, results: Any, operation: int, left: Any, right: Any) -> Any:
    """The index of the product or sum of two rationals, -1 if it is not known."""
    key = (operation << 60) | (left << 30) | right
    mask = np.uint64(len(known) - 1)
    slot = _hash(key) & mask
    while known[slot] != key:
        if known[slot] == -1:
            return -1
        slot = (slot + np.uint64(1)) & mask
    return results[slot]


@njit(cache=True)
def walk(
    tables: Any,
    begin: int,
    store: Any,
    slots: Any,
    direct: bool,
    known: Any,
    results: Any,
    asked: Any,
    choices: Any,
    codes: Any,
    transitions: Any,
    successor: Any,
    probability: Any,
    earned: Any,
    cursor: Any,
) -> Any:
    """Expands states from number ``begin`` on while there are states and room; returns why it stopped, and how many are done.

    What the state at which it stopped has written behind the cursor means nothing, except that states stay numbered: the next
    attempt finds them in the same order.  (One function, and no field of ``tables`` read in a loop: both cost more than the work.)
    """
    words: Any = np.int64(tables.words)
    one: Any = np.int64(tables.one)
    numbered = tables.numbered
    reader, run = tables.reader, tables.run
    block, group, guards = tables.block, tables.group, tables.guards
    action, part, command = tables.action, tables.part, tables.command
    distributions, ids = tables.distributions, tables.probabilities
    kept, written, update, updates, values = tables.kept, tables.written, tables.update, tables.updates, tables.values
    earning, earnings = tables.earning, tables.earned
    rewards = len(earned)
    now = np.empty(2 * words, dtype=np.int64)
    holds = np.zeros(len(block), dtype=np.int64)
    chosen, row = np.empty(tables.parts, dtype=np.int64), np.empty(tables.parts, dtype=np.int64)
    digit, place = np.empty(tables.parts, dtype=np.int64), np.empty(tables.parts, dtype=np.int64)
    enabled, first = np.empty(tables.commands, dtype=np.int64), np.empty(tables.parts + 1, dtype=np.int64)
    deadlock = np.int64(tables.deadlock)
    actions = len(action) - (1 if deadlock >= 0 else 0)
    size, choice, transition = cursor[0], cursor[1], cursor[2]
    done = 0
    while begin + done < size and done < len(choices):
        choices_before, transitions_before = choice, transition
        status = DONE
        for w in range(words):
            now[w] = store[(begin + done) * words + w]
        for b in range(len(block) - 1):
            true: Any = np.int64(-1)
            for g in range(block[b], block[b + 1]):
                entry = guards[group[g, 1] + _entry(reader, run, group[g, 0], now)]
                if entry < 0:
                    status = SENSELESS
                true &= entry
            holds[b] = true
        for a in range(actions + 1):
            if status != DONE:
                break
            listed = 0
            if a == actions:
                if choice > choices_before:
                    break
                if deadlock < 0:
                    status = SENSELESS
                    break
                first_part = action[a, 1]
                parts = 1
                first[0], first[1], enabled[0] = 0, 1, part[first_part, 0]
            else:
                first_part = action[a, 1]
                parts = action[a, 2] - first_part
                complete, ambiguous = True, False
                for p in range(parts):
                    first[p] = listed
                    for c in range(part[first_part + p, 0], part[first_part + p, 1]):
                        if (holds[c // 62] >> (c % 62)) & 1:
                            enabled[listed] = c
                            listed += 1
                    if listed == first[p]:
                        complete = False
                        break
                    ambiguous |= listed > first[p] + 1
                if not complete:
                    continue
                first[parts] = listed
                if ambiguous and not numbered:
                    status = SENSELESS
                    break
                if action[a, 3]:
                    for k in range(choices_before, choice):
                        if codes[k] == action[a, 0]:
                            status = SENSELESS
                    if status != DONE:
                        break
            for p in range(parts):
                place[p] = first[p]
            p = 0
            while p >= 0:  # every combination of enabled commands
                if choice == len(codes):
                    status = FULL
                    break
                code = action[a, 0]
                for p in range(parts):
                    c = enabled[place[p]]
                    chosen[p] = c
                    code += part[first_part + p, 2] * (c - part[first_part + p, 0])
                    start = distributions[command[c, 1] + _entry(reader, run, command[c, 0], now)]
                    if start < 0:
                        status = SENSELESS
                        break
                    row[p] = start
                    outcome = 0
                    while ids[start + outcome] < 0:
                        outcome += 1
                    digit[p] = outcome
                if status != DONE:
                    break
                before = transition
                p = 0
                while p >= 0:  # every combination of their outcomes
                    for w in range(words):
                        now[words + w] = now[w]
                    share = one
                    for p in range(parts):
                        branch = command[chosen[p], 2] + digit[p]
                        factor = ids[row[p] + digit[p]]
                        if share == one:
                            share = factor
                        elif factor != one:
                            product = _combined(known, results, PRODUCT, share, factor)
                            if product < 0:
                                asked[0], asked[1], asked[2] = PRODUCT, share, factor
                                status = UNKNOWN
                                break
                            share = product
                        for w in range(words):
                            now[words + w] = (now[words + w] & kept[branch, w]) | written[branch, w]
                        for u in range(update[branch], update[branch + 1]):
                            value = values[updates[u, 2] + _entry(reader, run, updates[u, 0], now)]
                            if value < 0:
                                status = SENSELESS
                            now[words + updates[u, 1]] |= value
                    if status != DONE:
                        break
                    if (size + 1) * words > len(store) or (not direct and 2 * (size + 1) > len(slots)):
                        status = CROWDED
                        break
                    after = _number(now, words, store, slots, direct, size)
                    if after == size:
                        size += 1
                    same = before
                    while same < transition and successor[same] != after:
                        same += 1
                    if same < transition:
                        total = _combined(known, results, SUM, np.int64(probability[same]), share)
                        if total < 0:
                            asked[0], asked[1], asked[2] = SUM, probability[same], share
                            status = UNKNOWN
                            break
                        probability[same] = total
                    else:
                        if same == len(successor):
                            status = FULL
                            break
                        successor[same] = after
                        probability[same] = share
                        for r in range(rewards):
                            value = earning[a * rewards + r, 1]
                            which = earning[a * rewards + r, 0]
                            if which >= 0:
                                value = earnings[value + _entry(reader, run, which, now)]
                                if value < 0:
                                    status = SENSELESS
                            earned[r, same] = value
                        if status != DONE:
                            break
                        transition += 1
                    p = parts - 1
                    while p >= 0:  # the last part varies fastest
                        c = chosen[p]
                        outcome = digit[p] + 1
                        outcomes = command[c, 3] - command[c, 2]
                        while outcome < outcomes and ids[row[p] + outcome] < 0:
                            outcome += 1
                        if outcome < outcomes:
                            digit[p] = outcome
                            break
                        outcome = 0
                        while ids[row[p] + outcome] < 0:
                            outcome += 1
                        digit[p] = outcome
                        p -= 1
                if status != DONE:
                    break
                codes[choice] = code
                transitions[choice] = transition - before
                choice += 1
                p = parts - 1
                while p >= 0:
                    place[p] += 1
                    if place[p] < first[p + 1]:
                        break
                    place[p] = first[p]
                    p -= 1
        if status != DONE:
            cursor[0], cursor[1], cursor[2] = size, choices_before, transitions_before
            return status, done
        choices[done] = choice - choices_before
        done += 1
    cursor[0], cursor[1], cursor[2] = size, choice, transition
    return DONE, done
