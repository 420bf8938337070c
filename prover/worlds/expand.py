"""A batch of states -> their choices and transitions in compressed rows, in the order of the reference semantics.

The results of every action are written to the places that the choices of earlier actions leave free; then the
successors are numbered, and equal successors of one choice become one transition.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from prover.worlds.blocks import ALL, Block, Evaluator, JointBlock, Selection
from prover.worlds.pack import BoolArray, IntArray, Rows, Words, first_true
from prover.worlds.rationals import Ids, RationalTable

Numbers = npt.NDArray[np.int32]
MAX_LAG = 16  # choices with more outcomes are searched for equal successors by sorting


@dataclass(frozen=True, slots=True)
class Expansion:
    """Choices of the states, transitions of the choices, and one column of indices for each reward."""

    choices: IntArray  # for each state, how many
    action: IntArray  # codes
    transitions: IntArray  # for each choice, how many
    successor: Numbers
    probability: Ids
    rewards: tuple[Ids, ...]


class SenselessStateError(Exception):
    """The world makes no sense in the first state that has no row in ``piece``."""

    def __init__(self, piece: Expansion) -> None:
        super().__init__()
        self.piece = piece


class SenselessRowError(Exception):
    """``row`` is the first state of the batch in which the world-model makes no sense."""

    def __init__(self, row: int) -> None:
        super().__init__(row)
        self.row = row


def expand(rows: Rows, evaluator: Evaluator, rewards: int, number: Callable[[Words], Numbers], table: RationalTable) -> Expansion:
    """``number`` gives packed states their numbers.  Raises SenselessRowError, and then nothing has been numbered."""
    keys, expansion = _transitions(rows, evaluator, rewards)
    return merged(replace(expansion, successor=number(keys)), table)


def _transitions(rows: Rows, evaluator: Evaluator, rewards: int) -> tuple[Words, Expansion]:
    """Packed successors, and all the rest."""
    batch = evaluator.evaluate(rows)
    if batch.failed is not None:
        if batch.failed:
            _transitions(rows.head(batch.failed), evaluator, rewards)  # an earlier state may earn a reward without a value
        raise SenselessRowError(batch.failed)
    choice_at, transition_at = _before(batch.choices), _before(batch.transitions)
    choices, total = int(batch.choices.sum()), int(batch.transitions.sum())
    out = _Places(
        np.empty(choices, dtype=np.int64),
        np.empty(choices, dtype=np.int64),
        tuple(np.empty(total, dtype=np.int64) for _ in rows.words),
        np.empty(total, dtype=np.int32),
        tuple(np.zeros(total, dtype=np.int32) for _ in range(rewards)),
    )
    failed = np.zeros(len(rows), dtype=np.bool_)
    for block in batch.blocks:
        if isinstance(block, JointBlock):
            _place_joint(block, choice_at, transition_at, out, failed)
        else:
            _place(block, choice_at, transition_at, out, failed)
    first = first_true(failed)
    if first is not None:
        raise SenselessRowError(first)
    unnumbered = np.empty(0, dtype=np.int32)
    return out.keys, Expansion(batch.choices, out.action, out.outcomes, unnumbered, out.probability, out.earned)


@dataclass(frozen=True, slots=True)
class _Places:
    """Columns of choices and transitions that the blocks fill."""

    action: IntArray
    outcomes: IntArray
    keys: Words
    probability: Ids
    earned: tuple[Ids, ...]


def _place(block: Block, choice_at: IntArray, transition_at: IntArray, out: _Places, failed: BoolArray) -> None:
    place = block.first + transition_at[block.states]
    start = place.copy()
    places: list[IntArray] = []
    for branch, words in zip(block.branches, block.words, strict=True):
        alive: Selection = ALL if branch.alive is None else np.flatnonzero(branch.alive)
        at = place[alive].copy()
        for key, word in zip(out.keys, words, strict=True):
            key[at] = word[alive]
        out.probability[at] = branch.probability if isinstance(branch.probability, int) else branch.probability[alive]
        place[alive] += 1
        places.append(at)
    choice = block.choice + choice_at[block.states]
    out.action[choice] = block.action
    out.outcomes[choice] = place - start
    wrong = _earn(block, places, out.earned)
    if wrong is not None:
        failed[block.states] |= wrong


def _place_joint(block: JointBlock, choice_at: IntArray, transition_at: IntArray, out: _Places, failed: BoolArray) -> None:
    joint = block.joint
    state = joint.state[joint.choice]  # of each transition; both columns are in the order of the states
    choice = (block.choices + choice_at)[joint.state] + _rank(joint.state)
    at = (block.transitions + transition_at)[state] + _rank(state)
    out.action[choice] = joint.code
    out.outcomes[choice] = np.bincount(joint.choice, minlength=len(choice))
    for key, word in zip(out.keys, joint.words, strict=True):
        key[at] = word
    out.probability[at] = joint.probability
    pairs: Rows | None = None
    for column, earning in zip(out.earned, joint.earnings, strict=True):
        if isinstance(earning.ids, int):
            column[at] = earning.ids
        elif earning.primed:
            pairs = pairs or joint.rows.take(state).then(joint.words)
            column[at] = earning.ids(pairs)
            if earning.fails is not None:
                failed[state[earning.fails(pairs)]] = True
        else:
            column[at] = earning.ids(joint.rows)[state]
            if earning.fails is not None:
                failed[state[earning.fails(joint.rows)[state]]] = True


def _rank(state: IntArray) -> IntArray:
    """The place of each entry among its equals, which stand side by side."""
    place = np.arange(len(state))
    new = np.ones(len(state), dtype=np.bool_)
    new[1:] = state[1:] != state[:-1]
    return place - np.maximum.accumulate(np.where(new, place, 0))


def _earn(block: Block, places: list[IntArray], earned: tuple[Ids, ...]) -> BoolArray | None:
    """Writes the reward indices of a block; the rows of the block in which a reward has no value."""
    wrong: BoolArray | None = None
    pairs: list[Rows | None] = [None] * len(places)
    for column, earning in zip(earned, block.earnings, strict=True):
        if isinstance(earning.ids, int):
            if earning.ids:
                for at in places:
                    column[at] = earning.ids
            continue
        ids = None if earning.primed else earning.ids(block.rows)
        for i, (branch, at) in enumerate(zip(block.branches, places, strict=True)):
            alive: Selection = ALL if branch.alive is None else np.flatnonzero(branch.alive)
            source = block.rows
            if earning.primed:
                pair = pairs[i]
                if pair is None:
                    now = block.rows if branch.alive is None else block.rows.take(np.flatnonzero(branch.alive))
                    pair = pairs[i] = now.then(tuple(word[alive] for word in block.words[i]))
                source = pair
                column[at] = earning.ids(source)
            elif ids is not None:
                column[at] = ids[alive]
            if earning.fails is not None:
                if wrong is None:
                    wrong = np.zeros(len(block.rows), dtype=np.bool_)
                fails = earning.fails(source)
                wrong[alive] |= fails if earning.primed else fails[alive]
    return wrong


def _before(counts: IntArray) -> IntArray:
    """For each, the sum of those before it."""
    return np.cumsum(counts) - counts


# ---------------------------------------------------------------- equal successors of one choice


def merged(expansion: Expansion, table: RationalTable) -> Expansion:
    """Equal successors of one choice become one, at its first place, with the sum of the probabilities.

    What they earn is equal, since a reward depends on state, action and next state only.  (A caller that merges choices of
    different actions sees to the rewards itself.)
    """
    leader = leaders(expansion)
    if leader is None:
        return expansion
    place = np.arange(len(leader))
    removed = np.flatnonzero(leader != place)
    probability, pending = expansion.probability.copy(), removed
    while len(pending):  # one round adds at most one to each leader
        to, first = np.unique(leader[pending], return_index=True)
        probability[to] = table.sums(probability[to], probability[pending[first]])
        pending = np.delete(pending, first)
    keep = np.ones(len(leader), dtype=np.bool_)
    keep[removed] = False
    choice = np.repeat(np.arange(len(expansion.transitions)), expansion.transitions)
    return Expansion(
        expansion.choices,
        expansion.action,
        expansion.transitions - np.bincount(choice[removed], minlength=len(expansion.transitions)),
        expansion.successor[keep],
        probability[keep],
        tuple(column[keep] for column in expansion.rewards),
    )


def leaders(expansion: Expansion) -> IntArray | None:
    """For each transition the first of its choice with the same successor; None: all successors are distinct."""
    widest = int(expansion.transitions.max(initial=0))
    if widest < 2:
        return None
    return _leaders_by_lag(expansion, widest) if widest <= MAX_LAG else _leaders_by_sorting(expansion)


def _leaders_by_lag(expansion: Expansion, widest: int) -> IntArray | None:
    successor = expansion.successor
    leader: IntArray | None = None
    start = np.cumsum(expansion.transitions) - expansion.transitions
    first_of: IntArray | None = None
    for lag in range(1, widest):
        later = np.flatnonzero(successor[lag:] == successor[:-lag]) + lag
        if len(later) == 0:
            continue
        if first_of is None:
            first_of = np.repeat(start, expansion.transitions)
        later = later[later - lag >= first_of[later]]
        if len(later):
            if leader is None:
                leader = np.arange(len(successor))
            leader[later] = later - lag  # the largest lag is the first of its equals
    return leader


def _leaders_by_sorting(expansion: Expansion) -> IntArray | None:
    choice = np.repeat(np.arange(len(expansion.transitions), dtype=np.int64), expansion.transitions)
    pair = (choice << 32) | expansion.successor
    _, first, inverse = np.unique(pair, return_index=True, return_inverse=True)
    return first[inverse] if len(first) < len(pair) else None
