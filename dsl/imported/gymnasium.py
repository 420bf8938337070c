"""A Gymnasium environment that lists its transitions (``P``, as the toy-text ones do) -> a world.

``P[state][action]`` is a list of (probability, next state, reward, terminated), in doubles.  What happens after a
terminated transition is cut off: its target is absorbing, by itself or, if the run also passes there, as a copy.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from fractions import Fraction
from importlib.util import find_spec
from typing import Any, NoReturn

from dsl.imported.explicit import Numbered, explicit_world
from dsl.imported.recover import DOUBLE, distribution, from_float
from dsl.imported.request import Problems, Request, on_trust
from dsl.record import dataclass
from dsl.source import Span
from dsl.spec import Table, World

REWARD = "points"
ID = re.compile(r"(?:[A-Za-z0-9_]+/)?[A-Za-z0-9_]+(?:-v[0-9]{1,9})?")
ACTIONS = {
    "FrozenLakeEnv": ("left", "down", "right", "up"),
    "CliffWalkingEnv": ("up", "right", "down", "left"),
    "TaxiEnv": ("south", "north", "east", "west", "pickup", "dropoff"),
}
TILES = {b"S": "start", b"F": "frozen", b"H": "hole", b"G": "goal"}
NO_WORLD = ("render_mode", "max_episode_steps", "disable_env_checker")  # settings of `make` that change no transition

Branch = tuple[Fraction, int, Fraction, bool]


@dataclass(frozen=True, slots=True)
class Environment:
    """``steps[state][action]``: the branches, exact; ``notes`` say what was changed for that."""

    steps: tuple[tuple[tuple[Branch, ...], ...], ...]
    initial: tuple[tuple[int, Fraction], ...]
    actions: tuple[str, ...]
    labels: dict[str, bytes]
    notes: tuple[str, ...]


def load(request: Request) -> World:
    """Raises SpecError."""
    if find_spec("gymnasium") is None:
        _fail(request.span, "E530", "gymnasium is not installed", "pip install twostep[gymnasium]")
    return world_of(_make(request), request)


def _fail(span: Span, code: str, message: str, hint: str | None = None) -> NoReturn:
    problems = Problems()
    problems.error(code, span, message, hint)
    raise problems.failure()


def _make(request: Request) -> Any:
    import gymnasium

    if ID.fullmatch(request.written) is None:
        _fail(request.path_span, "E524", f"`{request.written[:80]}` is no name of an environment", "such as FrozenLake-v1")
    settings: dict[str, Any] = {}
    for setting in request.settings.values():
        if setting.name in NO_WORLD:
            _fail(setting.span, "E522", f"`{setting.name}` does not change the transitions of an environment")
        value = setting.value.value if setting.text is None else setting.text
        settings[setting.name] = float(value) if isinstance(value, Fraction) else value
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about old versions; the version is in the spec
        try:
            return gymnasium.make(request.written, disable_env_checker=True, **settings).unwrapped
        except gymnasium.error.Error as error:
            _fail(request.path_span, "E524", f"gymnasium does not make `{request.written}`: {_first_line(error)}")
        except Exception as error:  # noqa: BLE001  # whatever the constructor of an environment raises for these settings
            span = next(iter(request.settings.values())).span if request.settings else request.path_span
            _fail(span, "E522", f"`{request.written}` cannot be made with these settings: {type(error).__name__}: {_first_line(error)}")


def _first_line(error: Exception) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", str(error)).split("\n")[0][:200]


def world_of(made: Any, request: Request) -> World:
    """``made`` is the environment without its wrappers."""
    if getattr(made, "P", None) is None or getattr(made, "initial_state_distrib", None) is None:
        message = f"`{request.written}` does not list its transitions"
        _fail(request.path_span, "E523", message, "only environments with a table `P` can be read, such as FrozenLake-v1")
    try:
        environment = _read(made)
    except (TypeError, ValueError, KeyError, IndexError, OverflowError) as error:
        _fail(request.path_span, "E521", f"the table `P` of `{request.written}` makes no sense: {_first_line(error)}")
    return _world(environment, request)


# ---------------------------------------------------------------- the environment, exactly


def _read(made: Any) -> Environment:
    """Raises ValueError and the like where the table is not one."""
    size = len(made.P)
    notes: dict[str, None] = {}
    steps = tuple(tuple(_branches(made.P[s][a], size, (s, a), notes) for a in range(len(made.P[s]))) for s in range(size))
    weights = _exact([float(p) for p in made.initial_state_distrib], "the initial distribution", notes)
    if len(weights) != size:
        raise ValueError(f"{len(weights)} initial probabilities for {size} states")
    most = max((len(row) for row in steps), default=0)
    if not all(steps):
        raise ValueError("a state has no action")
    known = ACTIONS.get(type(made).__name__, ())
    actions = known if len(known) == most else tuple(f"a{k}" for k in range(most))
    limit = getattr(getattr(made, "spec", None), "max_episode_steps", None)
    if limit:
        notes[f"the time limit of {limit} steps is no part of the world: objectives have a horizon"] = None
    initial = tuple((s, p) for s, p in enumerate(weights) if p)
    return Environment(steps, initial, actions, _labels(made, size), tuple(notes))


def _branches(listed: Any, size: int, where: tuple[int, int], notes: dict[str, None]) -> tuple[Branch, ...]:
    """Distinct targets (a terminated one differs from one that is not), probabilities > 0 of sum 1, rewards averaged."""
    rows = [(float(p), int(target), from_float(float(earned)), bool(terminated)) for p, target, earned, terminated in listed]
    shares = _exact([p for p, *_ in rows], f"P[{where[0]}][{where[1]}]", notes)
    merged: dict[tuple[int, bool], tuple[Fraction, Fraction]] = {}
    for (_, target, earned, terminated), share in zip(rows, shares, strict=True):
        if not 0 <= target < size:
            raise ValueError(f"P[{where[0]}][{where[1]}] leads to {target}, which is no state")
        before, sum_ = merged.get((target, terminated), (Fraction(0), Fraction(0)))
        merged[target, terminated] = before + share, sum_ + share * earned
    return tuple((p, target, sum_ / p, terminated) for (target, terminated), (p, sum_) in merged.items() if p)


def _exact(doubles: Sequence[float], what: str, notes: dict[str, None]) -> tuple[Fraction, ...]:
    if any(not 0 <= p <= 1 for p in doubles):
        raise ValueError(f"{what} has a probability outside 0..1")
    values = [Fraction(p) for p in doubles]
    exact: tuple[Fraction, ...] | None = tuple(from_float(p) for p in doubles)
    if exact is None or sum(exact) != 1:
        exact = distribution(values, [value * DOUBLE for value in values])
    if exact is None:
        raise ValueError(f"the probabilities of {what} sum to {float(sum(values)):.12g}")
    for double, fraction in zip(values, exact, strict=True):
        if double != fraction:
            notes.setdefault("probabilities are doubles in the environment and were read as the fractions next to them, of sum 1", None)
    return exact


def _labels(made: Any, size: int) -> dict[str, bytes]:
    kind = type(made).__name__
    if kind == "FrozenLakeEnv":
        tiles = [bytes(tile) for row in made.desc for tile in row]
        if len(tiles) == size:
            return {label: bytes(tile == letter for tile in tiles) for letter, label in TILES.items() if letter in tiles}
    if kind == "CliffWalkingEnv":
        cliff = [bool(cell) for row in made._cliff for cell in row]
        start = int(made.start_state_index)
        if len(cliff) == size:
            return {
                "start": bytes(s == start for s in range(size)),
                "cliff": bytes(cliff),
                "goal": bytes(s == size - 1 for s in range(size)),
            }
    return {}


# ---------------------------------------------------------------- the world


def _world(environment: Environment, request: Request) -> World:
    steps = environment.steps
    size = len(steps)
    passed = _passed(environment)
    ends = sorted({target for row in steps for branches in row for _, target, _, terminated in branches if terminated})
    absorbing = {s: s for s in ends if s not in passed}
    copies = [s for s in ends if s in passed]
    absorbing |= {s: size + k for k, s in enumerate(copies)}
    final = set(absorbing.values())
    origin = [*range(size), *copies]
    choice_start, action, transition_start = [0], list[int](), [0]
    successor, probability, earned = list[int](), list[int](), list[int]()
    probabilities, rewards = Numbered(), Numbered(Fraction(0))
    for state, source in enumerate(origin):
        for number, branches in enumerate(steps[source]):
            action.append(number)
            for p, target, points, terminated in [(Fraction(1), state, Fraction(0), False)] if state in final else branches:
                successor.append(absorbing[target] if terminated else target)
                probability.append(probabilities.id(p))
                earned.append(rewards.id(points))
            transition_start.append(len(successor))
        choice_start.append(len(action))
    table = Table(
        environment.actions,
        environment.initial,
        choice_start,
        action,
        transition_start,
        successor,
        probability,
        tuple(probabilities.values),
        {REWARD: (earned, tuple(rewards.values))},
    )
    labels = {name: [s for s, source in enumerate(origin) if flags[source]] for name, flags in environment.labels.items()}
    labels["terminated"] = sorted(final)
    notes = environment.notes
    if copies:
        notes = (*notes, f"{len(copies)} states, from {size} on, are copies of states in which runs end and also pass")
    return explicit_world(request.name, table, labels, request.span, notes=on_trust(request, "environment", notes))


def _passed(environment: Environment) -> set[int]:
    """The states in which the run can be without having ended."""
    found = {state for state, _ in environment.initial}
    todo = list(found)
    while todo:
        for branches in environment.steps[todo.pop()]:
            for _, target, _, terminated in branches:
                if not terminated and target not in found:
                    found.add(target)
                    todo.append(target)
    return found
