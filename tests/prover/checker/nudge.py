"""Random small changes of a proof: a number, an index, a flag, an order, a lost or doubled entry."""

from __future__ import annotations

import copy
from fractions import Fraction
from random import Random
from typing import Any

Json = Any


def leaves(value: Json) -> list[tuple[Json, Any]]:
    """(container, key) of everything inside."""
    result, todo = [], [value]
    while todo:
        outer = todo.pop()
        for key in outer if isinstance(outer, dict) else range(len(outer)):
            result.append((outer, key))
            if isinstance(outer[key], dict | list):
                todo.append(outer[key])
    return result


def nudge(document: Json, random: Random) -> Json:
    """A changed copy."""
    while True:
        result = _nudge(document, random)
        if result != document:
            return result


def _nudge(document: Json, random: Random) -> Json:
    result = copy.deepcopy(document)
    part = random.choice(["evidence", "evidence", "evidence", "claim", "worlds"])
    places = leaves(result[part])
    for _ in range(random.choice([1, 1, 1, 2, 3])):
        outer, key = random.choice(places)
        if isinstance(outer, list) and key >= len(outer):
            continue
        _change(outer, key, random, places)
    return result


def _change(outer: Json, key: Any, random: Random, places: list[tuple[Json, Any]]) -> None:
    old = outer[key]
    match old:
        case bool():
            outer[key] = not old
        case int():
            outer[key] = random.choice([old + 1, max(0, old - 1), random.randrange(4)])
        case str():
            try:
                x = Fraction(old)
            except ValueError:
                return
            step = Fraction(1, random.choice([1, 2, 5, 10, 10**30]))
            outer[key] = str(random.choice([x + step, x - step, -x, 2 * x, x / 2, 1 - x, Fraction(0), Fraction(1)]))
            if random.random() < 0.1:
                outer[key] = None
        case list() if old:
            i, k = random.randrange(len(old)), random.randrange(len(old))
            how = random.randrange(5)
            if how == 0:
                old.pop(i)
            elif how == 1:
                old[i], old[k] = old[k], old[i]
            elif how == 2:
                old.append(copy.deepcopy(old[i]))
            elif how == 3:
                other = random.choice(places)
                if not isinstance(other[0], list) or other[1] < len(other[0]):
                    outer[key] = copy.deepcopy(other[0][other[1]])
            else:
                old[i] = copy.deepcopy(old[k])
        case None:
            outer[key] = random.choice(["0", "1", 1, "1/2"])
