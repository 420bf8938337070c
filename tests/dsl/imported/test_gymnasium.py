"""Worlds from Gymnasium environments that list their transitions."""

from __future__ import annotations

from fractions import Fraction
from importlib.util import find_spec
from types import SimpleNamespace
from typing import Any

import pytest

from dsl import operators
from dsl.diagnostic import SpecError
from dsl.imported import gymnasium as importer
from dsl.imported.gymnasium import load, world_of
from dsl.imported.request import Request, Setting
from dsl.source import Span
from dsl.spec import World
from dsl.typecheck import load as load_spec
from prover.worlds.explore import explore

SPAN = Span("test.spec", 1, 1, 1, 2)
needs_gymnasium = pytest.mark.skipif(find_spec("gymnasium") is None, reason="gymnasium is not installed")
THIRD, OTHER_THIRD = 1 / 3, (1 - 1 / 3) / 2  # not the same double


def request(name: str = "Line-v0", **settings: Any) -> Request:
    values = {
        key: Setting(key, operators.constant(False, SPAN), SPAN, value)
        if isinstance(value, str)
        else Setting(key, operators.constant(value, SPAN), SPAN)
        for key, value in settings.items()
    }
    return Request("W", name, None, values, SPAN, SPAN)


def made(table: Any, initial: Any, **more: Any) -> Any:
    return SimpleNamespace(P=table, initial_state_distrib=initial, **more)


# 0 stays, or goes to 1 or 2; from 1 a run can end in 2, or pass through it
TABLE = {
    0: {0: [(THIRD, 0, -1.0, False), (OTHER_THIRD, 0, -4.0, False), (OTHER_THIRD, 1, 0, False)], 1: [(1.0, 2, 0.1, True)]},
    1: {0: [(0.5, 2, 1, True), (0.5, 2, 0, False)], 1: [(1.0, 1, 0, False)]},
    2: {0: [(1.0, 0, 7, False)], 1: [(1.0, 1, 0, False)]},
}


def rows(world: World) -> dict[int, list[list[tuple[int, Fraction, Fraction]]]]:
    mdp = explore(world)
    column = mdp.rewards["points"]
    found = {}
    for s in range(mdp.states):
        choices = [range(mdp.transition_start[c], mdp.transition_start[c + 1]) for c in range(mdp.choice_start[s], mdp.choice_start[s + 1])]
        found[mdp.valuation(s)[0]] = [
            [(mdp.valuation(mdp.successor[t])[0], mdp.probabilities[mdp.probability[t]], column.table[column.index[t]]) for t in row]
            for row in choices
        ]
    return found


def test_fractions_merged_successors_and_the_end_of_runs():
    world = world_of(made(TABLE, [1.0, 0.0, 0.0]), request())
    half = Fraction(1, 2)
    assert rows(world) == {
        0: [[(0, Fraction(2, 3), Fraction(-5, 2)), (1, Fraction(1, 3), 0)], [(3, 1, Fraction(1, 10))]],
        1: [[(3, half, 1), (2, half, 0)], [(1, 1, 0)]],
        2: [[(0, 1, 7)], [(1, 1, 0)]],
        3: [[(3, 1, 0)], [(3, 1, 0)]],
    }
    assert [label.name for label in world.labels] == ["terminated"]
    assert explore(world).holds(world.labels[0].condition)[[*rows(world)].index(3)]
    assert any("read as the fractions" in note for note in world.notes)
    assert any("copies of states" in note for note in world.notes)


def test_a_state_that_only_ends_runs_is_absorbing_itself():
    table = [[[(1.0, 1, 5, True)]], [[(1.0, 0, 5, False)]]]
    world = world_of(made(table, [1.0, 0.0], spec=SimpleNamespace(max_episode_steps=200)), request())
    assert rows(world) == {0: [[(1, 1, 5)]], 1: [[(1, 1, 0)]]}
    assert world.notes[1:] == ("world W: the time limit of 200 steps is no part of the world: objectives have a horizon",)


def test_the_start_is_drawn():
    world = world_of(made([[[(1.0, s, 0, False)]] for s in range(3)], [1 / 3, 1 / 3, 1 / 3]), request())
    assert explore(world).initial == tuple((s, Fraction(1, 3)) for s in range(3))


@pytest.mark.parametrize(
    ("environment", "code", "message"),
    [
        (SimpleNamespace(), "E523", "`Line-v0` does not list its transitions"),
        (made([[[(0.5, 0, 0, False)]]], [1.0]), "E521", "the probabilities of P[0][0] sum to 0.5"),
        (made([[[(1.5, 0, 0, False), (-0.5, 0, 0, False)]]], [1.0]), "E521", "P[0][0] has a probability outside 0..1"),
        (made([[[(1.0, 4, 0, False)]]], [1.0]), "E521", "P[0][0] leads to 4, which is no state"),
        (made([[[(1.0, 0, float("nan"), False)]]], [1.0]), "E521", "makes no sense"),
        (made([[[(1.0, 0)]]], [1.0]), "E521", "makes no sense"),
        (made([[]], [1.0]), "E521", "a state has no action"),
        (made([[[(1.0, 0, 0, False)]]], [0.5, 0.5]), "E521", "2 initial probabilities for 1 states"),
    ],
)
def test_tables_that_make_no_sense(environment, code, message):
    with pytest.raises(SpecError) as caught:
        world_of(environment, request())
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == code
    assert message in diagnostic.message


def test_what_to_install(monkeypatch):
    monkeypatch.setattr(importer, "find_spec", lambda _: None)
    with pytest.raises(SpecError) as caught:
        load(request())
    (diagnostic,) = caught.value.diagnostics
    assert (diagnostic.code, diagnostic.hint) == ("E530", "pip install twostep[gymnasium]")


# ---------------------------------------------------------------- what gymnasium ships


@needs_gymnasium
def test_frozen_lake(tmp_path):
    path = tmp_path / "lake.spec"
    path.write_text(
        'world Lake = gymnasium "FrozenLake-v1" { is_slippery = true; map_name = "4x4" }\npolicies Pi over Lake\n', encoding="utf-8"
    )
    world = load_spec(path)[0].world("Lake")
    mdp = explore(world)
    assert (mdp.states, mdp.choices) == (16, 64)
    assert mdp.actions == ("left", "down", "right", "up")
    assert set(mdp.probabilities) == {Fraction(1, 3), Fraction(2, 3), Fraction(1)}
    assert {label.name: sum(mdp.holds(label.condition)) for label in world.labels} == {
        "start": 1,
        "frozen": 10,
        "hole": 4,
        "goal": 1,
        "terminated": 5,
    }


@needs_gymnasium
def test_settings_are_passed_on():
    certain = explore(load(request("FrozenLake-v1", is_slippery=False, map_name="8x8")))
    assert certain.probabilities == (1,)
    assert certain.states <= 64
    rare = explore(load(request("FrozenLake-v1", success_rate=Fraction(4, 5))))
    assert Fraction(1, 10) in rare.probabilities


@needs_gymnasium
def test_cliff_walking():
    world = load(request("CliffWalking-v1"))
    mdp = explore(world)
    assert (mdp.states, mdp.choices, mdp.transitions) == (38, 152, 152)
    assert [label.name for label in world.labels] == ["start", "cliff", "goal", "terminated"]
    assert set(mdp.rewards["points"].table) == {0, -1, -100}


@needs_gymnasium
@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (request("NoSuchThing-v0"), "E524"),
        (request("os:system-v0"), "E524"),
        (request("../x"), "E524"),
        (request("FrozenLake-v1", nonsense=3), "E522"),
        (request("FrozenLake-v1", map_name="9x9"), "E522"),
        (request("FrozenLake-v1", render_mode="human"), "E522"),
        (request("CartPole-v1"), "E523"),
    ],
)
def test_what_gymnasium_does_not_make(asked, code):
    with pytest.raises(SpecError) as caught:
        load(asked)
    assert [d.code for d in caught.value.diagnostics] == [code]
