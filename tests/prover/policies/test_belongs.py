"""Membership of controllers in types: each restriction on its own, and the prover's word against the checker's."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsl.spec import PolicyType, Variable
from dsl.types import Bool, Int
from prover.checker import controller as checked
from prover.checker import problem
from prover.policies.belongs import belongs
from prover.policies.controller import Controller
from prover.worlds.mdp import Mdp
from tests.prover.build_spec import HALF, ONE, few
from tests.prover.worlds.build import SPAN

# Four states (x, b): every action goes anywhere.
VALUES = [(x, b) for x in (0, 1) for b in (False, True)]
PLAY_A, PLAY_B, COIN = ((0, ONE),), ((1, ONE),), ((0, HALF), (1, HALF))
QUARTER = Fraction(1, 4)


def world() -> Mdp:
    variables = (Variable("x", Int(0, 1), 0, SPAN), Variable("b", Bool(), False, SPAN))
    return Mdp(
        world="W",
        variables=variables,
        actions=("a", "b"),
        initial=((0, HALF), (1, HALF)),
        choice_start=[0, 2, 4, 6, 8],
        action=[0, 1] * 4,
        transition_start=list(range(0, 36, 4)),
        successor=[0, 1, 2, 3] * 8,
        probability=[0] * 32,
        probabilities=(QUARTER,),
        rewards={},
        valuation=lambda s: VALUES[s],
        holds=lambda _: [],
    )


def kind(
    deterministic: bool = False, memoryless: bool = False, memory: int | None = None, observes: tuple[str, ...] | None = None
) -> PolicyType:
    return PolicyType("Pi", "W", deterministic=deterministic, memoryless=memoryless, memory=memory, observes=observes, span=SPAN)


TYPES = [kind(d, m, k, o) for d in (False, True) for m in (False, True) for k in (None, 1, 2) for o in (None, (), ("x",), ("x", "b"))]


def everywhere(play: object, moves: dict[int, int] | None = None) -> dict:
    return {(0, s): (play, moves or {}) for s in range(4)}


def start(*rows: tuple[Fraction, int, int]) -> tuple[tuple[Fraction, int, int], ...]:
    return rows or ((ONE, 0, 0), (ONE, 1, 0))


CONSTANT = Controller(start(), everywhere(PLAY_A))
LOOKS_AT_B = Controller(start(), {(0, s): (PLAY_B if VALUES[s][1] else PLAY_A, {}) for s in range(4)})
TOSSES = Controller(start(), everywhere(COIN))
ALTERNATES = Controller(start(), {(n, s): (PLAY_A if n == 0 else PLAY_B, dict.fromkeys(range(4), 1 - n)) for n in (0, 1) for s in range(4)})
REMEMBERS_B = Controller(
    start(), {(n, s): (PLAY_A if n == 0 else PLAY_B, {t: int(VALUES[t][1]) for t in range(4)}) for n in (0, 1) for s in range(4)}
)
STARTS_BY_B = Controller(start((ONE, 0, 0), (ONE, 1, 1)), {(n, s): (PLAY_A if n == 0 else PLAY_B, {}) for n in (0, 1) for s in range(4)})
MIXED_START = Controller(start((HALF, 0, 0), (HALF, 0, 1), (HALF, 1, 0), (HALF, 1, 1)), STARTS_BY_B.rules)
IDLE_NODES = Controller(MIXED_START.start, {(n, s): (PLAY_A, {}) for n in (0, 1) for s in range(4)})
THREE = Controller(start(), {(n, s): (PLAY_A if n else PLAY_B, dict.fromkeys(range(4), (n + 1) % 3)) for n in range(3) for s in range(4)})


@pytest.mark.parametrize(
    ("controller", "type", "expected"),
    [
        *((c, kind(), True) for c in (CONSTANT, TOSSES, ALTERNATES, MIXED_START, THREE)),
        (CONSTANT, kind(deterministic=True), True),
        (TOSSES, kind(deterministic=True), False),
        (MIXED_START, kind(deterministic=True), False),
        (ALTERNATES, kind(deterministic=True), True),
        (TOSSES, kind(memoryless=True), True),
        (ALTERNATES, kind(memoryless=True), False),
        (IDLE_NODES, kind(memoryless=True), True),
        (STARTS_BY_B, kind(memoryless=True), False),
        (ALTERNATES, kind(memory=2), True),
        (ALTERNATES, kind(memory=1), False),
        (THREE, kind(memory=2), False),
        (THREE, kind(memory=3), True),
        (MIXED_START, kind(memory=2), False),
        (IDLE_NODES, kind(memory=1), True),
        (CONSTANT, kind(observes=()), True),
        (LOOKS_AT_B, kind(observes=("x",)), False),
        (LOOKS_AT_B, kind(observes=("b",)), True),
        (REMEMBERS_B, kind(observes=("x",)), False),
        (REMEMBERS_B, kind(observes=("b",)), True),
        (STARTS_BY_B, kind(observes=("x",)), False),
        (STARTS_BY_B, kind(observes=("b",)), True),
        (MIXED_START, kind(observes=()), True),
        (ALTERNATES, kind(observes=()), True),
        (LOOKS_AT_B, kind(memoryless=True, deterministic=True, observes=("b",)), True),
        (LOOKS_AT_B, kind(memoryless=True, deterministic=True, observes=("x",)), False),
    ],
)
def test_by_hand(controller: Controller, type: PolicyType, expected: bool) -> None:
    assert belongs(controller, type, world()) == expected


def checker_says(controller: Controller, type: PolicyType) -> bool:
    choices = [[s, a, [[t, 0] for t in range(4)]] for s in range(4) for a in (0, 1)]
    read = problem.read_world(
        {
            "name": "W",
            "variables": [["x", "0..1"], ["b", "bool"]],
            "states": [list(v) for v in VALUES],
            "initial": [[0, "1/2"], [1, "1/2"]],
            "actions": ["a", "b"],
            "probabilities": ["1/4"],
            "choices": choices,
            "rewards": {},
            "atoms": [],
        }
    )
    observes = None if type.observes is None else list(type.observes)
    given = {
        "name": "Pi",
        "world": 0,
        "deterministic": type.deterministic,
        "memoryless": type.memoryless,
        "memory": type.memory,
        "observes": observes,
    }
    found = checked.read_controller(controller.to_json())
    checked.fits(found, read)
    return checked.belongs(found, problem._type(given, [read]), read)


@st.composite
def controllers(draw: st.DrawFn) -> Controller:
    """Everything varies a little, so that each restriction is met now and then."""
    nodes = draw(st.integers(1, 3))
    node = st.integers(0, nodes - 1)
    plays = draw(st.lists(st.sampled_from([PLAY_A, PLAY_B, COIN]), min_size=1, max_size=2))
    law = draw(st.sampled_from(["constant", "node", "state", "b"]))
    change = draw(st.sampled_from(["keep", "constant", "b", "any"]))
    target = draw(node)
    rules = {}
    for n in range(nodes):
        for s in range(4):
            pick = {"constant": 0, "node": n, "state": draw(st.integers(0, 1)), "b": int(VALUES[s][1])}[law]
            moves = {
                "keep": {},
                "constant": dict.fromkeys(range(4), target),
                "b": {t: target for t in range(4) if VALUES[t][1]},
                "any": draw(st.dictionaries(st.integers(0, 3), node, max_size=2)),
            }[change]
            rules[n, s] = (plays[pick % len(plays)], moves)
    rows: list[tuple[Fraction, int, int]] = []
    for s in (0, 1):
        if draw(st.integers(0, 3)) == 0:
            rows += [(HALF, s, 0), (HALF, s, nodes - 1)] if nodes > 1 else [(ONE, s, 0)]
        else:
            rows.append((ONE, s, draw(node)))
    return Controller(tuple(rows), rules)


@few(400)
@given(controllers(), st.sampled_from(TYPES))
def test_prover_and_checker_agree(controller: Controller, type: PolicyType) -> None:
    assert belongs(controller, type, world()) == checker_says(controller, type)


def test_nodes_that_see_more_than_the_type_may() -> None:
    """Memoryless and blind, but each node meets its own states: by nodes the rules look constant, by what is seen they are not."""
    rules = {(0, 0): (PLAY_A, {0: 1, 1: 1, 2: 1, 3: 1}), (1, 1): (PLAY_B, {})}
    controller = Controller(start(), rules)
    assert controller.is_memoryless
    assert not belongs(controller, kind(memoryless=True, observes=()), world())
    assert belongs(controller, kind(memoryless=True, observes=("b",)), world())


def test_finite_memory_is_read_from_the_successor_alone() -> None:
    """Two states that send one successor to different nodes remember more than the node."""
    rules = {(n, s): (PLAY_B if n else PLAY_A, {3: int(s == 0)}) for n in (0, 1) for s in range(4)}
    assert not belongs(Controller(start(), rules), kind(memory=2), world())
    assert belongs(Controller(start(), rules), kind(), world())
