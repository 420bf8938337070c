"""A world and its explicit MDP -> text in Storm's explicit format (DRN), every number exact.

The format has rewards of choices, not of transitions: what a choice earns is written as its expectation, which leaves the
value of every objective as it is.  It has no initial distribution either: if the start is drawn, a state before the
others draws it, one step earlier.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction

from dsl.semantics import DEADLOCK, format_state
from dsl.spec import World
from prover.worlds.mdp import Mdp

START = "(start)"  # the action of the state that draws the initial one
INITIAL = "init"  # the label that marks it


def drn(world: World, mdp: Mdp) -> Iterator[str]:
    """The lines, without their ends.  Raises SpecError where a label has no value."""
    drawn = len(mdp.initial) > 1
    labels = _labels(world, mdp)
    rewards = list(mdp.rewards)
    yield f"// world {world.name}, written by twostep"
    for note in world.notes:
        yield f"// {_one_line(note)}"
    if drawn:
        yield f"// the action {START} of state 0 draws the initial state: everything happens one step later than in the world"
    if any(_reads_next(mdp, name) for name in rewards):
        yield "// rewards that depend on the next state are written as their expectations"
    yield f"@type: {'DTMC' if world.chain and not drawn else 'MDP'}"
    yield "@value_type: rational"
    yield "@parameters"
    yield ""
    yield "@reward_models"
    yield " ".join(_word(name) for name in rewards)
    yield "@nr_states"
    yield str(mdp.states + drawn)
    yield "@nr_choices"
    yield str(mdp.choices + drawn)
    yield "@model"
    nothing = f" [{', '.join('0' for _ in rewards)}]" if rewards else ""
    if drawn:
        yield f"state 0{nothing} {INITIAL}"
        yield f"\taction {START}{nothing}"
        for state, probability in mdp.initial:
            yield f"\t\t{state + 1} : {probability}"
    yield from _states(world, mdp, labels, nothing, drawn)


def _states(world: World, mdp: Mdp, labels: Sequence[tuple[str, Sequence[bool]]], nothing: str, drawn: bool) -> Iterator[str]:
    names = [v.name for v in world.variables]
    actions = ["deadlock" if action == DEADLOCK else _word(action) for action in mdp.actions]
    probabilities = [str(p) for p in mdp.probabilities]
    earned = _Earned(mdp)
    initial = -1 if drawn else mdp.initial[0][0]
    for state in range(mdp.states):
        here = "".join(f" {name}" for name, column in labels if column[state])
        yield f"state {state + drawn}{nothing}{f' {INITIAL}' if state == initial else ''}{here}"
        yield f"//[{_one_line(format_state(world, dict(zip(names, mdp.valuation(state), strict=True))))}]"
        for choice in range(mdp.choice_start[state], mdp.choice_start[state + 1]):
            yield f"\taction {actions[mdp.action[choice]]}{earned.by(choice) if nothing else ''}"
            for t in range(mdp.transition_start[choice], mdp.transition_start[choice + 1]):
                yield f"\t\t{mdp.successor[t] + drawn} : {probabilities[mdp.probability[t]]}"


class _Earned:
    """What choices earn, as text; equal rows of probabilities and rewards are added up once."""

    def __init__(self, mdp: Mdp) -> None:
        self._mdp = mdp
        self._known: dict[tuple[int, ...], str] = {}

    def by(self, choice: int) -> str:
        mdp = self._mdp
        row = range(mdp.transition_start[choice], mdp.transition_start[choice + 1])
        key = (*(mdp.probability[t] for t in row), *(column.index[t] for column in mdp.rewards.values() for t in row))
        found = self._known.get(key)
        if found is None:
            sums = (expected(mdp, name, choice) for name in mdp.rewards)
            found = self._known[key] = f" [{', '.join(map(str, sums))}]"
        return found


def expected(mdp: Mdp, reward: str, choice: int) -> Fraction:
    """What a choice earns on average."""
    column = mdp.rewards[reward]
    row = range(mdp.transition_start[choice], mdp.transition_start[choice + 1])
    return sum((mdp.probabilities[mdp.probability[t]] * column.table[column.index[t]] for t in row), Fraction(0))


def _reads_next(mdp: Mdp, reward: str) -> bool:
    index = mdp.rewards[reward].index
    return any(
        index[t] != index[mdp.transition_start[c]]
        for c in range(mdp.choices)
        for t in range(mdp.transition_start[c] + 1, mdp.transition_start[c + 1])
    )


def _labels(world: World, mdp: Mdp) -> list[tuple[str, Sequence[bool]]]:
    """Under names that the format can carry; ``init`` is the format's own."""
    first = [state for state, _ in mdp.initial]
    labels = []
    for label in world.labels:
        column = mdp.holds(label.condition)
        if label.name == INITIAL and [state for state in range(mdp.states) if column[state]] == sorted(first):
            continue
        name = f"{INITIAL}_" if label.name == INITIAL else label.name
        labels.append((name if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) else f'"{_one_line(name)}"', column))
    return labels


def _word(name: str) -> str:
    return re.sub(r"[\s\[\]]", "_", name)


def _one_line(text: str) -> str:
    return re.sub(r'[\r\n"]', " ", text)
