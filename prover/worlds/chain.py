"""The commands enabled in a state -> one choice that draws one of them uniformly: a Markov chain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np

from prover.worlds.expand import Expansion, leaders, merged
from prover.worlds.rationals import Ids, RationalTable


def drawn(expansion: Expansion, step: int, deadlock: int, probabilities: RationalTable, rewards: Sequence[RationalTable]) -> Expansion:
    """One choice for each state, called ``step``; the self-loop of a deadlock keeps its name."""
    count = expansion.choices
    state = np.repeat(np.arange(len(count)), count)
    share = np.array([probabilities.id(Fraction(1, n)) if n else 0 for n in range(int(count.max(initial=0)) + 1)], dtype=np.int32)
    probability = probabilities.products(expansion.probability, np.repeat(share[count[state]], expansion.transitions))
    action = np.full(len(count), step, dtype=np.int64)
    action[state[expansion.action == deadlock]] = deadlock
    # np.bincount would count in floats, exact far beyond any number of transitions
    transitions = np.bincount(state, weights=expansion.transitions, minlength=len(count)).astype(np.int64)
    result = Expansion(np.ones_like(count), action, transitions, expansion.successor, probability, expansion.rewards)
    leader = leaders(result)
    if leader is None:
        return result
    earned = tuple(_averages(ids, probability, leader, probabilities, table) for ids, table in zip(result.rewards, rewards, strict=True))
    return merged(replace(result, rewards=earned), probabilities)


def _averages(ids: Ids, probability: Ids, leader: np.ndarray, probabilities: RationalTable, table: RationalTable) -> Ids:
    """What shared transitions earn on average, weighted by their probabilities, at the place of the first."""
    followers = np.flatnonzero(leader != np.arange(len(leader)))
    groups: dict[int, list[tuple[int, int]]] = {}
    for place, first in zip(followers.tolist(), leader[followers].tolist(), strict=True):
        if first not in groups:
            groups[first] = [(int(probability[first]), int(ids[first]))]
        groups[first].append((int(probability[place]), int(ids[place])))
    known: dict[tuple[tuple[int, int], ...], int] = {}
    averaged = ids.copy()
    for first, pairs in groups.items():
        key = tuple(pairs)
        if key not in known:
            total = sum((probabilities.values[p] for p, _ in key), Fraction(0))
            known[key] = table.id(sum((probabilities.values[p] * table.values[r] for p, r in key), Fraction(0)) / total)
        averaged[first] = known[key]
    return averaged
