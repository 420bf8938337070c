"""A batch of states and a synchronised action -> every combination of enabled commands, with successors and probabilities.

The parts never meet in Python: what each part may do in a state is a list of options, and the lists of the parts are
joined by state in numpy.  A part touches only its own bits of a packed state.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from prover.worlds.pack import BoolArray, IntArray, Rows, Words
from prover.worlds.rationals import Ids, RationalTable
from prover.worlds.transitions import CompiledAction, CompiledTogether, Earning


@dataclass(frozen=True, slots=True)
class Joint:
    """Choices in the order of states and combinations, transitions in the order of choices and outcomes."""

    earnings: tuple[Earning, ...]
    rows: Rows  # the batch
    code: IntArray  # of each choice
    state: IntArray  # of each choice: its row in the batch
    choice: IntArray  # of each transition
    words: Words  # successors
    probability: Ids


@dataclass(frozen=True, slots=True)
class _Part:
    """What one part may do: pairs (state, enabled command), and the options (pair, outcome), both in order."""

    count: IntArray  # for each state: enabled commands
    first_pair: IntArray  # for each state
    place: IntArray  # for each pair: which command
    options: IntArray  # for each pair: how many
    first_option: IntArray  # for each pair
    probability: Ids  # for each option
    kept: Words  # for each option: the bits that stay
    bits: Words  # for each option: the bits that are written


def join(action: CompiledTogether, rows: Rows, failed: BoolArray, table: RationalTable) -> Joint | None:
    """None: no state enables it.  Adds to ``failed`` the rows that make no sense; their choices mean nothing."""
    enabled = [_enabled(part, rows, failed) for part in action.parts]
    together = np.ones(len(rows), dtype=np.bool_)
    for matrix in enabled:
        together &= matrix.any(axis=1)
    if not action.numbered:
        ambiguous = np.zeros(len(rows), dtype=np.bool_)
        for matrix in enabled:
            ambiguous |= together & (matrix.sum(axis=1) > 1)
        failed |= ambiguous
        together &= ~ambiguous
    states = np.flatnonzero(together)
    if len(states) == 0:
        return None
    sub = rows if len(states) == len(rows) else rows.take(states)
    parts = []
    for commands, matrix in zip(action.parts, enabled, strict=True):
        part, wrong = _options(commands, matrix[states], sub)
        parts.append(part)
        failed[states] |= wrong

    total = np.ones(len(states), dtype=np.int64)
    for part in parts:
        total *= part.count
    state = np.repeat(np.arange(len(states)), total)
    rank: IntArray = np.arange(len(state)) - (np.cumsum(total) - total)[state]
    code = np.full(len(state), action.name, dtype=np.int64)
    pairs: list[IntArray] = []
    for part, weight in zip(reversed(parts), reversed(action.weights), strict=True):  # the last part varies fastest
        count = part.count[state]
        pair = part.first_pair[state] + rank % count
        rank //= count
        if weight:
            code += weight * part.place[pair]
        pairs.append(pair)

    choice = np.arange(len(state))
    words: Words = tuple(word[state] for word in sub.words)
    probability = np.full(len(state), table.id(Fraction(1)), dtype=np.int32)
    for part, pair in zip(parts, reversed(pairs), strict=True):
        chosen = pair[choice]
        options = part.options[chosen]
        option = part.first_option[chosen]
        if (options != 1).any():
            again = np.repeat(np.arange(len(choice)), options)
            option = option[again] + np.arange(len(again)) - (np.cumsum(options) - options)[again]
            choice, probability = choice[again], probability[again]
            words = tuple(word[again] for word in words)
        words = tuple((w & kept[option]) | bits[option] for w, kept, bits in zip(words, part.kept, part.bits, strict=True))
        probability = table.products(probability, part.probability[option])
    return Joint(action.earnings, rows, code, states[state], choice, words, probability)


def _enabled(part: tuple[CompiledAction, ...], rows: Rows, failed: BoolArray) -> BoolArray:
    matrix = np.ones((len(rows), len(part)), dtype=np.bool_)
    for k, command in enumerate(part):
        if command.guard is not None:
            if command.guard.fails is not None:
                failed |= command.guard.fails(rows)
            matrix[:, k] = command.guard(rows)
    return matrix


def _options(commands: tuple[CompiledAction, ...], enabled: BoolArray, rows: Rows) -> tuple[_Part, BoolArray]:
    """Also the rows that fail."""
    failed = np.zeros(len(rows), dtype=np.bool_)
    count = enabled.sum(axis=1)
    first_pair = np.cumsum(count) - count
    state, place = np.nonzero(enabled)
    pair_of = np.empty(enabled.shape, dtype=np.int64)
    pair_of[state, place] = np.arange(len(state))
    owner: list[IntArray] = []
    probability: list[Ids] = []
    kept: list[Words] = []
    bits: list[Words] = []
    for k, command in enumerate(commands):
        where = np.flatnonzero(enabled[:, k])
        if len(where) == 0:
            continue
        here = rows if len(where) == len(rows) else rows.take(where)
        branches, wrong = command.distribution(here)
        if wrong is not None:
            failed[where] |= wrong
        for branch in branches:
            fails = branch.effect.fails(here)
            if fails is not None:
                failed[where] |= fails if branch.alive is None else fails & branch.alive
            alive = slice(None) if branch.alive is None else np.flatnonzero(branch.alive)
            owned = pair_of[where[alive], k]
            owner.append(owned)
            ids = branch.probability if isinstance(branch.probability, int) else branch.probability[alive]
            probability.append(np.broadcast_to(np.asarray(ids, dtype=np.int32), len(owned)))
            kept.append(tuple(np.full(len(owned), ~branch.effect.cleared(i), dtype=np.int64) for i in range(len(rows.words))))
            bits.append(tuple(word[alive] for word in branch.effect.bits(here)))
    if not owner:  # no command has a distribution that makes sense
        nothing = np.zeros(len(state), dtype=np.int64)
        empty: Words = tuple(np.empty(0, dtype=np.int64) for _ in rows.words)
        return _Part(count, first_pair, place, nothing, nothing, np.empty(0, dtype=np.int32), empty, empty), failed
    owners = np.concatenate(owner)
    order = np.argsort(owners, kind="stable")  # outcomes of a command stay in their order
    options = np.bincount(owners, minlength=len(state))
    return (
        _Part(
            count,
            first_pair,
            place,
            options,
            np.cumsum(options) - options,
            np.concatenate(probability)[order],
            tuple(np.concatenate(column)[order] for column in zip(*kept, strict=True)),
            tuple(np.concatenate(column)[order] for column in zip(*bits, strict=True)),
        ),
        failed,
    )
