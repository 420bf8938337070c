"""A small world -> its explicit MDP, one state at a time by the reference semantics; numpy is not imported."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from fractions import Fraction
from math import prod

from dsl.diagnostic import SpecError
from dsl.semantics import EvaluationError, domain, drawn, enabled, evaluate, initial_states, reward, variables_read
from dsl.spec import Expr, InitUniform, World
from prover.worlds.mdp import Mdp, RewardColumn
from prover.worlds.trace import initial_error, shortest_path, spec_error, too_many

MAX_UNIFORM = 5_000  # valuations of an `init uniform`; the explorer of batches is faster beyond

State = tuple[bool | int, ...]


class _Table:
    """Distinct rationals in the order of first use."""

    def __init__(self, *values: Fraction) -> None:
        self.ids = {value: index for index, value in enumerate(values)}

    def id(self, value: Fraction) -> int:
        return self.ids.setdefault(value, len(self.ids))


def explore_small(
    world: World,
    *,
    limit: int,
    max_states: int,
    rewards: Sequence[str],
    progress: Callable[[int], None] | None = None,
) -> Mdp | None:
    """None if the world has more than ``limit`` states; raises SpecError."""
    if limit < max_states and initial_valuations(world) > MAX_UNIFORM:
        return None
    names = [v.name for v in world.variables]
    try:
        start = initial_states(world)
    except EvaluationError as error:
        raise initial_error(error) from None
    states: list[State] = []
    number: dict[State, int] = {}

    def numbered(state: dict[str, bool | int]) -> int:
        key = tuple(state[name] for name in names)
        found = number.get(key)
        if found is None:
            found = number[key] = len(states)
            states.append(key)
        return found

    def named(state: int) -> dict[str, bool | int]:
        return dict(zip(names, states[state], strict=True))

    initial = tuple((numbered(state), probability) for state, probability in start)
    actions = {name: index for index, name in enumerate(dict.fromkeys(action.name for action in world.actions))}
    probabilities = _Table()
    earned = {name: (_Table(Fraction(0)), list[int]()) for name in rewards}
    choice_start, action, transition_start, successor, probability = [0], list[int](), [0], list[int](), list[int]()

    def parent(state: int) -> tuple[int, str] | None:
        if state < len(initial):
            return None
        choice = bisect_right(transition_start, successor.index(state)) - 1
        return bisect_right(choice_start, choice) - 1, list(actions)[action[choice]]

    def error_in(state: int, error: EvaluationError) -> SpecError:
        return spec_error(error, world, shortest_path(state, parent, named))

    state = 0
    while state < len(states):
        if len(states) > max_states:
            raise too_many(world, max_states, state, len(successor))
        if len(states) > limit:
            return None
        here = named(state)
        try:
            choices = enabled(world, here)
            among = drawn(world, here) if world.chain and rewards else None
            earnings = [
                reward(world, name, here, choice, after, among) for choice in choices for after, _ in choice.outcomes for name in rewards
            ]
        except EvaluationError as error:
            raise error_in(state, error) from None
        for choice in choices:
            action.append(actions.setdefault(choice.action, len(actions)))
            for after, p in choice.outcomes:
                successor.append(numbered(after))
                probability.append(probabilities.id(p))
            transition_start.append(len(successor))
        for position, value in enumerate(earnings):
            table, index = earned[rewards[position % len(rewards)]]
            index.append(table.id(value))
        choice_start.append(len(action))
        state += 1
        if progress is not None:
            progress(len(states))

    def holds(expr: Expr) -> Sequence[bool]:
        truth: list[bool] = []
        for state in range(len(states)):
            try:
                truth.append(evaluate(expr, named(state)) is True)
            except EvaluationError as error:
                raise error_in(state, error) from None
        return truth

    return Mdp(
        world=world.name,
        variables=world.variables,
        actions=tuple(actions),
        initial=initial,
        choice_start=choice_start,
        action=action,
        transition_start=transition_start,
        successor=successor,
        probability=probability,
        probabilities=tuple(probabilities.ids),
        rewards={name: RewardColumn(index, tuple(table.ids)) for name, (table, index) in earned.items()},
        valuation=lambda state: states[state],
        holds=holds,
    )


def initial_valuations(world: World) -> int:
    """How many valuations the initial distribution has to look at."""
    if not isinstance(world.init, InitUniform):
        return 1
    read = variables_read(world.init.condition)
    return prod(domain(v)[0] for v in world.variables if v.name in read or v.initial is None)
