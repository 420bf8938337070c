"""The world of a proof file against the spec: every kind of lie is found."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest

from dsl.spec import Atom, World
from dsl.types import Enum, Int
from prover.worlds.explore import explore
from prover.worlds.rebuild import compare
from tests.prover.worlds.build import BOOL, action, binary, clause, nary, one_of, outcome, reward, unary, var, variable, world

X, B, D = variable("x", Int(0, 2), 0), variable("b", BOOL, False), variable("d", one_of("Dir", "north", "east"), 0)
DONE = Atom(binary("==", var(X), 2), "x == 2")


def example() -> World:
    return world(
        [X, B, D],
        [
            action(
                "go",
                binary("<", var(X), 2),
                outcome(Fraction(3, 4), x=nary("+", var(X), 1)),
                outcome(Fraction(1, 4), b=unary("not", var(B))),
            ),
            action("turn", None, outcome(1, d=1)),
        ],
        [reward("points", clause("go", None, var(X, primed=True)))],
    )


def document(world: World, atoms: list[Atom]) -> dict[str, Any]:
    mdp = explore(world)
    rows = [range(mdp.transition_start[c], mdp.transition_start[c + 1]) for c in range(mdp.choices)]
    owner = [s for s in range(mdp.states) for _ in range(mdp.choice_start[s], mdp.choice_start[s + 1])]
    return {
        "name": mdp.world,
        "variables": [[v.name, "|".join(v.type.members) if isinstance(v.type, Enum) else str(v.type)] for v in mdp.variables],
        "states": [list(mdp.named(s).values()) for s in range(mdp.states)],
        "initial": [[s, str(p)] for s, p in mdp.initial],
        "actions": list(mdp.actions),
        "probabilities": [str(p) for p in mdp.probabilities],
        "choices": [[owner[c], mdp.action[c], [[mdp.successor[t], mdp.probability[t]] for t in rows[c]]] for c in range(mdp.choices)],
        "rewards": {
            name: {
                "values": [str(v) for v in column.table],
                "at": [[c, i, column.index[t]] for c in range(mdp.choices) for i, t in enumerate(rows[c]) if column.index[t]],
            }
            for name, column in mdp.rewards.items()
        },
        "atoms": [{"text": a.text, "states": [s for s, truth in enumerate(mdp.holds(a.condition)) if truth]} for a in atoms],
    }


def test_the_explorers_world_is_the_world() -> None:
    found = json.loads(json.dumps(document(example(), [DONE])))
    assert compare(example(), found, [DONE]) == []
    assert compare(example(), found) == []


def test_numbering_does_not_matter() -> None:
    found = document(example(), [DONE])
    last = len(found["states"]) - 1
    found["states"].reverse()
    found["initial"] = [[last - s, p] for s, p in found["initial"]]
    found["choices"] = [[last - s, a, [[last - t, p] for t, p in ts]] for s, a, ts in found["choices"]]
    found["atoms"] = [{"text": a["text"], "states": [last - s for s in a["states"]]} for a in found["atoms"]]
    assert compare(example(), found, [DONE]) == []


LIES: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "another world": (lambda d: d.update(name="V"), "about world V"),
    "another range": (lambda d: d["variables"].__setitem__(0, ["x", "0..3"]), "variables of the file"),
    "another initial state": (lambda d: d["initial"].__setitem__(0, [1, "1"]), "the initial distribution"),
    "a state twice": (lambda d: d["states"].__setitem__(0, d["states"][1]), "a state twice"),
    "a state that is not reached": (lambda d: d["states"].append([2, True, "east"]) or d["states"].append([1, 1, "east"]), "malformed"),
    "another probability": (lambda d: d["probabilities"].__setitem__(d["choices"][0][2][0][1], "1/2"), "probability 1/2 in the file, 3/4"),
    "another successor": (lambda d: d["choices"][0][2][0].__setitem__(0, 0), "probability 3/4 in the file, 0 in the world"),
    "no choice": (lambda d: d["choices"].pop(), "the file has no action turn"),
    "another action": (lambda d: d["actions"].__setitem__(0, "come"), "does not enable action come"),
    "another reward": (lambda d: d["rewards"]["points"]["values"].__setitem__(1, "5"), "the file says 5, the world 1"),
    "no reward": (lambda d: d["rewards"]["points"]["at"].pop(), "the file says 0"),
    "an unknown reward": (lambda d: d["rewards"].update(laps={"values": [], "at": []}), "no reward laps"),
    "a reward from the end of a list": (lambda d: d["rewards"]["points"]["at"].__setitem__(0, [0, -1, 1]), "malformed"),
    "another truth": (lambda d: d["atoms"][0]["states"].pop(), "another truth in 1 states"),
    "an unknown condition": (lambda d: d["atoms"].append({"text": "x == 3", "states": []}), "not in the spec"),
    "a number without end": (lambda d: d["probabilities"].__setitem__(0, "1e999999999"), "malformed"),
    "nothing": (lambda d: d.clear(), "malformed"),
}


@pytest.mark.parametrize("lie", LIES)
def test_lies_are_found(lie: str) -> None:
    tell, expected = LIES[lie]
    found = document(example(), [DONE])
    tell(found)
    assert any(expected in difference for difference in compare(example(), found, [DONE]))


def test_an_unreachable_state_is_a_difference() -> None:
    x = variable("x", Int(0, 5), 0)
    found = document(narrow := world([x], [action("go", None, outcome(1, x=1))]), [])
    found["states"].append([5])
    found["choices"].append([2, 0, [[1, 0]]])
    assert compare(narrow, found) == ["the world does not reach the state x = 5 of the file"]
