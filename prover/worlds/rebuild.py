"""A world and the explicit world of a proof file -> the differences, for readers; none: the file carries this world.

The world is built again here by the reference semantics alone, one state at a time: nothing of the fast explorer is used.
The file may number states, choices and table entries as it likes.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from typing import Any

from dsl.semantics import EvaluationError, enabled, evaluate, format_state, initial_states, reward
from dsl.spec import Atom, Variable, World
from dsl.types import Bool, Enum

SHOWN = 20  # differences

State = tuple[bool | int, ...]
Key = tuple[State, str, State]  # a transition


class _MalformedError(Exception):
    pass


@dataclass(frozen=True, slots=True)
class _File:
    """What the file says, by valuations and names instead of numbers."""

    initial: dict[State, Fraction]
    choices: dict[State, dict[str, dict[State, Fraction]]]
    rewards: dict[str, dict[Key, Fraction]]  # what is not named earns 0
    atoms: list[tuple[str, set[State]]]


def compare(world: World, document: Mapping[str, Any], atoms: Iterable[Atom] | None = None) -> list[str]:
    """``document``: one entry of "worlds" in a proof file.  At most SHOWN differences are listed.

    ``atoms``: the state conditions of the spec; each of the file must have the text of one of them and hold in the same
    states.  None: the truth of conditions is not compared.
    """
    try:
        found = _read(world, document)
    except _MalformedError as error:
        return [str(error)]
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, ZeroDivisionError) as error:
        return [f"the world in the file is malformed: {type(error).__name__}: {error}"]
    try:
        return list(islice(_differences(world, found, atoms), SHOWN))
    except EvaluationError as error:
        return [f"the world cannot be built: {error.code}: {error.message}"]


# ---------------------------------------------------------------- the comparison


def _differences(world: World, found: _File, atoms: Iterable[Atom] | None) -> Iterator[str]:
    names = [v.name for v in world.variables]

    def key(state: Mapping[str, bool | int]) -> State:
        return tuple(state[name] for name in names)

    def text(state: State) -> str:
        return format_state(world, dict(zip(names, state, strict=True)))

    start = [(key(state), probability) for state, probability in initial_states(world)]
    yield from _distribution("the initial distribution", dict(start), found.initial, text)
    pending, reached = deque(state for state, _ in start), {state for state, _ in start}
    while pending:
        state = pending.popleft()
        here = dict(zip(names, state, strict=True))
        choices = {c.action: c for c in enabled(world, here)}
        expected = {name: {key(after): p for after, p in c.outcomes} for name, c in choices.items()}
        for successors in expected.values():
            for after in successors:
                if after not in reached:
                    reached.add(after)
                    pending.append(after)
        listed = found.choices.get(state)
        if listed is None:
            yield f"the file has no state {text(state)}"
            continue
        for action in expected.keys() - listed.keys():
            yield f"in {text(state)}: the file has no action {action}"
        for action in listed.keys() - expected.keys():
            yield f"in {text(state)}: the world does not enable action {action} of the file"
        for action in expected.keys() & listed.keys():
            yield from _distribution(f"in {text(state)}: action {action}", expected[action], listed[action], text)
        for name, earned in found.rewards.items():
            for action, successors in expected.items():
                for after in successors:
                    value = reward(world, name, here, choices[action], dict(zip(names, after, strict=True)))
                    if value != (claimed := earned.pop((state, action, after), Fraction(0))):
                        yield f"reward {name} on {text(state)} --{action}--> {text(after)}: the file says {claimed}, the world {value}"
    for state in found.choices.keys() - reached:
        yield f"the world does not reach the state {text(state)} of the file"
    for name, earned in found.rewards.items():
        for (state, action, after), value in earned.items():
            yield f"reward {name} on {text(state)} --{action}--> {text(after)}: the file says {value}, the world has no such transition"
    if atoms is not None:
        yield from _conditions(found, list(atoms), reached, names)


def _distribution(what: str, expected: dict[State, Fraction], listed: dict[State, Fraction], text: Any) -> Iterator[str]:
    for state in [*expected, *(s for s in listed if s not in expected)]:
        right, claimed = expected.get(state, Fraction(0)), listed.get(state, Fraction(0))
        if right != claimed:
            yield f"{what}: to {text(state)} with probability {claimed} in the file, {right} in the world"


def _conditions(found: _File, atoms: Sequence[Atom], reached: set[State], names: Sequence[str]) -> Iterator[str]:
    for text, states in found.atoms:
        candidates = [atom.condition for atom in atoms if atom.text == text]
        if not candidates:
            yield f"the condition `{text}` of the file is not in the spec"
            continue
        wrong = [
            sum((evaluate(condition, dict(zip(names, state, strict=True))) is True) != (state in states) for state in reached)
            for condition in candidates
        ]
        if all(wrong):
            yield f"the condition `{text}` has another truth in {min(wrong)} states of the file"


# ---------------------------------------------------------------- the file


def _read(world: World, document: Mapping[str, Any]) -> _File:
    if document["name"] != world.name:
        raise _MalformedError(f"the file is about world {document['name']}, not {world.name}")
    declared = [[v.name, _range(v)] for v in world.variables]
    if document["variables"] != declared:
        raise _MalformedError(f"the variables of the file are {document['variables']}, of the world {declared}")
    states = [_state(world, values) for values in document["states"]]
    if len(set(states)) != len(states):
        raise _MalformedError("the file lists a state twice")
    probabilities = [_number(p) for p in document["probabilities"]]
    actions = document["actions"]
    choices: dict[State, dict[str, dict[State, Fraction]]] = {state: {} for state in states}
    rows: list[tuple[State, str, list[State]]] = []
    for number, action, transitions in document["choices"]:
        successors = [states[_index(s)] for s, _ in transitions]
        state, name = states[_index(number)], actions[_index(action)]
        if name in choices[state] or len(set(successors)) != len(successors):
            raise _MalformedError("the file lists an action of a state, or a successor of a choice, twice")
        choices[state][name] = {after: probabilities[_index(p)] for after, (_, p) in zip(successors, transitions, strict=True)}
        rows.append((state, name, successors))
    known = {r.name for r in world.rewards}
    rewards: dict[str, dict[Key, Fraction]] = {}
    for name, column in document["rewards"].items():
        if name not in known:
            raise _MalformedError(f"the world has no reward {name}")
        earned = rewards[name] = {}
        for choice, position, value in column["at"]:
            state, action, successors = rows[_index(choice)]
            place = (state, action, successors[_index(position)])
            if place in earned:
                raise _MalformedError(f"the file says twice what a transition earns in {name}")
            earned[place] = _number(column["values"][_index(value)])
    atoms = [(atom["text"], {states[_index(s)] for s in atom["states"]}) for atom in document["atoms"]]
    initial = [(states[_index(s)], _number(p)) for s, p in document["initial"]]
    if len(dict(initial)) != len(initial):
        raise _MalformedError("the file lists an initial state twice")
    return _File(dict(initial), choices, rewards, atoms)


def _number(text: str) -> Fraction:
    """Digits and a stroke only: what else Fraction reads, such as an exponent, can be a number that fills the memory."""
    if re.fullmatch(r"-?[0-9]+(/[0-9]+)?", text) is None:
        raise ValueError(f"{text[:40]!r} is not a rational number")
    return Fraction(text)


def _index(value: object) -> int:
    """A count from 0; a negative one would read a list from its end."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"{value!r} is not an index")
    return value


def _state(world: World, values: Sequence[object]) -> State:
    state: list[bool | int] = []
    for variable, value in zip(world.variables, values, strict=True):
        match variable.type, value:
            case Bool(), bool():
                state.append(value)
            case Enum(members=members), str() if value in members:
                state.append(members.index(value))
            case _, int() if not isinstance(value, bool) and not isinstance(variable.type, Bool | Enum):
                state.append(value)
            case _:
                raise ValueError(f"{value!r} is not a value of {variable.name}")
    return tuple(state)


def _range(variable: Variable) -> str:
    """The type as the proof file writes it."""
    return "|".join(variable.type.members) if isinstance(variable.type, Enum) else str(variable.type)
