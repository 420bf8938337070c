"""A batch of states -> one block for each action: the states that enable it, their successors and probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from prover.worlds.pack import BoolArray, IntArray, Rows, Words, first_true
from prover.worlds.rationals import RationalTable
from prover.worlds.synchronise import Joint, join
from prover.worlds.transitions import Branch, Compiled, CompiledAction, CompiledTogether, Earning

Selection = IntArray | slice  # rows of the batch; a slice is all of them
ALL = slice(None)


@dataclass(frozen=True, slots=True)
class Block:
    """One action on the states that enable it."""

    action: int
    earnings: tuple[Earning, ...]
    states: Selection
    rows: Rows  # those states
    branches: list[Branch]
    words: list[Words]  # the successors of each branch
    choice: IntArray  # choices that these states have before this one
    first: IntArray  # transitions that these states have before this choice


@dataclass(frozen=True, slots=True)
class JointBlock:
    """A synchronised action on the states that enable it; ``choices`` and ``transitions`` that each state of the batch has before."""

    joint: Joint
    choices: IntArray
    transitions: IntArray


@dataclass(frozen=True, slots=True)
class Blocks:
    blocks: list[Block | JointBlock]
    choices: IntArray  # of each state
    transitions: IntArray  # of each state
    failed: int | None  # the first state of the batch that makes no sense; the blocks then mean nothing


class Evaluator:
    """``deadlock``: the self-loop where no action is enabled; None: that is an error."""

    def __init__(self, actions: Sequence[Compiled], deadlock: CompiledAction | None, probabilities: RationalTable) -> None:
        self._actions = actions
        self._deadlock = deadlock
        self._probabilities = probabilities
        names = [action.name for action in actions]
        self._ambiguous = {name for name in names if names.count(name) > 1}

    def evaluate(self, rows: Rows) -> Blocks:
        size = len(rows)
        failed = np.zeros(size, dtype=np.bool_)
        choices, transitions = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.int64)
        named = {name: np.zeros(size, dtype=np.bool_) for name in self._ambiguous}
        blocks: list[Block | JointBlock] = []

        def alone(action: CompiledAction, states: Selection, part: Rows) -> None:
            branches, wrong = action.distribution(part)
            if wrong is not None:
                failed[states] |= wrong
            for branch in branches:
                wrong = branch.effect.fails(part)
                if wrong is not None:
                    failed[states] |= wrong if branch.alive is None else wrong & branch.alive
            words = [branch.effect.successors(part) for branch in branches]
            before = choices[states].copy(), transitions[states].copy()
            blocks.append(Block(action.name, action.earnings, states, part, branches, words, *before))
            choices[states] += 1
            transitions[states] += sum(branch.alive is None for branch in branches)
            for branch in branches:
                if branch.alive is not None:
                    transitions[states] += branch.alive

        for action in self._actions:
            if isinstance(action, CompiledTogether):
                joint = join(action, rows, failed, self._probabilities)
                if joint is None:
                    continue
                blocks.append(JointBlock(joint, choices.copy(), transitions.copy()))
                counts = np.bincount(joint.state, minlength=size)
                choices += counts
                transitions += np.bincount(joint.state[joint.choice], minlength=size)
                if action.name in named:
                    named[action.name] |= counts > 0
                continue
            states, part = self._enabling(action, rows, failed)
            if len(part) == 0:
                continue
            if action.name in named:
                failed[states] |= named[action.name][states]
                named[action.name][states] = True
            alone(action, states, part)
        stuck = np.flatnonzero(choices == 0)
        if len(stuck):
            if self._deadlock is None:
                failed[stuck] = True
            else:
                alone(self._deadlock, stuck, rows.take(stuck))
        return Blocks(blocks, choices, transitions, first_true(failed))

    def _enabling(self, action: CompiledAction, rows: Rows, failed: BoolArray) -> tuple[Selection, Rows]:
        if action.guard is None:
            return ALL, rows
        if action.guard.fails is not None:
            failed |= action.guard.fails(rows)
        states = np.flatnonzero(np.broadcast_to(action.guard(rows), len(rows)))
        return (ALL, rows) if len(states) == len(rows) else (states, rows.take(states))
