"""Worlds with arrays: the explorer of batches and the reference semantics build the same MDP, and say the same where an index is wrong."""

from __future__ import annotations

import pytest

from dsl.diagnostic import SpecError
from dsl.parse import parse
from dsl.source import Source
from dsl.spec import World
from dsl.typecheck import check
from prover.worlds.batch import explore_batch
from prover.worlds.mdp import Mdp
from prover.worlds.small import explore_small

WORLD = """world W {{
  var x : 0..3 = 0
  var y : 0..3 = 0
  for i in {indices} {{ var b[i] : 0..2 = 0 }}
  action inc {{ b[x]' = {value}, x' = (x + 1) mod 4 }}
  action copy {{ b[y]' = b[x], y' = (y + 2) mod 4 }}
  action move when x < 3 and b[y] == 1 {{ 1/2: b[x]' = 0, b[x + 1]' = b[y]; 1/2: x' = 0 }}
  reward r {{ when b[x]' > 0: b[x'] + b[y]' }}
}}"""


def world(indices: str, value: str) -> World:
    source = Source("test", WORLD.format(indices=indices, value=value))
    return check(parse(source), source).worlds[0]


def content(mdp: Mdp) -> list[object]:
    rewards = [mdp.rewards["r"].table[int(index)] for index in mdp.rewards["r"].index]
    probabilities = [mdp.probabilities[int(index)] for index in mdp.probability]
    return [
        mdp.actions,
        [tuple(map(int, column)) for column in (mdp.choice_start, mdp.action, mdp.transition_start, mdp.successor)],
        probabilities,
        rewards,
        [mdp.valuation(state) for state in range(len(mdp.choice_start) - 1)],
    ]


def small(world: World) -> list[object]:
    mdp = explore_small(world, limit=10_000, max_states=10_000, rewards=["r"])
    assert mdp is not None
    return content(mdp)


def batch(world: World) -> list[object]:
    return content(explore_batch(world, max_states=10_000, rewards=["r"]))


@pytest.mark.parametrize("indices", ["0..3", "-1..3", "0..5"])
def test_the_same_mdp(indices: str) -> None:
    built = world(indices, "(b[x] + 1) mod 3")
    assert small(built) == batch(built)
    assert len(small(built)[-1]) > 100  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("indices", "value", "message"),
    [
        ("0..2", "(b[x] + 1) mod 3", "`b` has no element with index 3"),
        ("1..3", "(b[x] + 1) mod 3", "`b` has no element with index 0"),
        ("0..3", "b[x] + 1", "`b[0]` would become 3, outside its range 0..2"),
    ],
)
def test_the_same_error(indices: str, value: str, message: str) -> None:
    wrong = world(indices, value)
    with pytest.raises(SpecError) as by_reference:
        small(wrong)
    with pytest.raises(SpecError) as by_columns:
        batch(wrong)
    assert by_reference.value.diagnostics == by_columns.value.diagnostics
    assert by_reference.value.diagnostics[0].message.startswith(message)
