"""An error in a reachable state -> one diagnostic that shows the state and a shortest path to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from dsl.diagnostic import Diagnostic, SpecError
from dsl.semantics import EvaluationError, State, enabled, format_state, readable, reward, show
from dsl.spec import World

ENDS = 3  # steps shown at both ends of a long path
WIDE = 6  # variables; beyond this a step shows only what it changed

Path = list[tuple[str | None, dict[str, bool | int]]]  # (action that led here, state); None for the initial state


def examine(world: World, state: State, rewards: Sequence[str]) -> None:
    """One state by the reference semantics; raises EvaluationError where the world-model makes no sense in it."""
    for choice in enabled(world, state):
        for successor, _ in choice.outcomes:
            for name in rewards:
                reward(world, name, state, choice, successor)


def shortest_path(target: int, parent: Callable[[int], tuple[int, str] | None], named: Callable[[int], dict[str, bool | int]]) -> Path:
    """``parent``: the state from which a state was found first, and by which action; None: it is initial."""
    path: Path = []
    while (step := parent(target)) is not None:
        path.append((step[1], named(target)))
        target = step[0]
    path.append((None, named(target)))
    return path[::-1]


def spec_error(error: EvaluationError, world: World, path: Path) -> SpecError:
    """The error in the last state of the path."""
    state = format_state(world, path[-1][1])
    remedy = "; a world that may stay there for ever says `deadlock absorbs`" if error.code == "E303" else ""
    return SpecError([Diagnostic(error.code, error.span, f"{error.message}, in the state {state}", describe(world, path) + remedy)])


def initial_error(error: EvaluationError) -> SpecError:
    return SpecError([Diagnostic(error.code, error.span, error.message)])


def too_many(world: World, max_states: int, explored: int, transitions: int) -> SpecError:
    message = f"world `{world.name}` has more than {max_states} states: stopped with {explored} explored and {transitions} transitions"
    return SpecError([Diagnostic("E307", world.span, message, "narrow the ranges of its variables, or allow more with --max-states")])


def describe(world: World, path: Path) -> str:
    """``path: x = 0 --east--> x = 1 --east--> x = 2``, the middle of a long one left out."""
    if len(path) == 1:
        return "it is an initial state"
    steps: list[str] = []
    for (_, before), (action, after) in pairwise(path):
        changed = [v for v in world.variables if before[v.name] != after[v.name]]
        if len(world.variables) <= WIDE:
            text = format_state(world, after)
        else:
            text = ", ".join(f"{v.name} = {show(readable(after[v.name], v.type))}" for v in changed) or "the same"
        steps.append(f"--{action}--> {text}")
    if len(steps) > 2 * ENDS + 1:
        steps[ENDS:-ENDS] = [f"... {len(steps) - 2 * ENDS} more steps ..."]
    return " ".join([f"path: {format_state(world, path[0][1])}", *steps])
