"""Tables explored by columns: the same MDP, in the same order, as the reference explorer gives."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsl.diagnostic import SpecError
from dsl.imported.explicit import explicit_world
from dsl.spec import Table, World
from prover.worlds.explore import explore
from prover.worlds.listed import explore_table
from prover.worlds.mdp import Mdp
from prover.worlds.small import explore_small
from tests.prover.worlds.build import SPAN, binary, var

PROBABILITIES = (Fraction(1, 3), Fraction(2, 3), Fraction(1), Fraction(1, 2))
ROWS = ((2,), (0, 1), (1, 0), (3, 3))
REWARDS = (Fraction(0), Fraction(5), Fraction(-1, 7), Fraction(0))


@st.composite
def tables(draw: st.DrawFn) -> World:
    size = draw(st.integers(1, 6))
    choice_start, transition_start, action, successor, probability, earned = [0], [0], [], [], [], []
    for _ in range(size):
        for name in draw(st.lists(st.integers(0, 3), min_size=1, max_size=3, unique=True)):
            row = draw(st.sampled_from([row for row in ROWS if len(row) <= size]))
            action.append(name)
            successor += draw(st.lists(st.integers(0, size - 1), min_size=len(row), max_size=len(row), unique=True))
            probability += row
            earned += [draw(st.integers(0, 3)) for _ in row]
            transition_start.append(len(successor))
        choice_start.append(len(action))
    starts = draw(st.lists(st.integers(0, size - 1), min_size=1, max_size=3, unique=True))
    initial = tuple((state, Fraction(1, len(starts))) for state in starts)
    names = ("north", "east", "south", "west")
    rewards = {"points": (earned, REWARDS)}
    table = Table(names, initial, choice_start, action, transition_start, successor, probability, PROBABILITIES, rewards)
    return explicit_world("W", table, {"odd": range(1, size, 2)}, SPAN)


def content(mdp: Mdp, world: World) -> tuple[object, ...]:
    columns = [[int(i) for i in c] for c in (mdp.choice_start, mdp.action, mdp.transition_start, mdp.successor, mdp.probability)]
    rewards = {name: ([int(i) for i in column.index], column.table) for name, column in mdp.rewards.items()}
    truth = [bool(t) for t in mdp.holds(world.labels[0].condition)]
    valuations = [mdp.valuation(state) for state in range(mdp.states)]
    return mdp.actions, mdp.initial, columns, mdp.probabilities, rewards, truth, valuations


@given(tables())
def test_as_the_reference_explorer(world):
    reference = explore_small(world, limit=100, max_states=100, rewards=("points",))
    assert reference is not None
    assert content(explore_table(world, world.table, max_states=100, rewards=("points",)), world) == content(reference, world)


def ring(size: int) -> World:
    """0 -> 1 -> ... -> 0, and a state that nobody reaches."""
    after = [*[(state + 1) % size for state in range(size)], 0]
    starts = list(range(size + 2))
    table = Table(("on",), ((0, Fraction(1)),), starts, [0] * (size + 1), starts, after, [0] * (size + 1), (Fraction(1),), {})
    return explicit_world("Ring", table, {}, SPAN)


def test_a_large_table_is_explored_by_columns():
    world = ring(1000)
    mdp = explore(world)
    assert (mdp.states, mdp.choices, mdp.transitions) == (1000, 1000, 1000)
    assert list(mdp.successor[:3]) == [1, 2, 3]
    assert mdp.valuation(999) == (999,)
    assert isinstance(mdp.valuation(3)[0], int)
    assert list(mdp.columns()[0]) == list(range(1000))


def test_too_many_states():
    with pytest.raises(SpecError, match="E307"):
        explore(ring(1000), max_states=999)


def test_a_condition_without_a_value_shows_the_path():
    world = ring(400)
    here = var(world.variables[0])
    with pytest.raises(SpecError) as error:
        explore(world).holds(binary("==", binary("div", 1, binary("-", 3, here)), 1))
    (diagnostic,) = error.value.diagnostics
    assert diagnostic.code == "E304"
    assert diagnostic.hint == "path: state = 0 --on--> state = 1 --on--> state = 2 --on--> state = 3"
    assert "in the state state = 3" in diagnostic.message
