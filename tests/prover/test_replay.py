"""The reference replay: its values against the product's, and traces that are the most probable runs, found by trying all."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from random import Random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dsl.diagnostic import SpecError
from prover.policies.controller import Controller, NoRule
from prover.replay import Replay
from prover.solve.evaluate import evaluate, trivial_plan
from prover.worlds.objective import Stream
from tests.prover import brute, random_claims
from tests.prover.build_spec import ONE, ZERO, f, few, query_of

OBJECTIVES = [
    ("total",),
    ("until",),
    ("horizon", 3),
    ("discount", Fraction(2, 3)),
    ("F", "goal"),
    ("G", "bad"),
    ("U", "goal", "bad"),
    ("Fk", 2, "goal"),
    ("X", "bad"),
    ("GF", "goal"),
    ("FG", "bad"),
]


def random_controller(rng: Random, mdp: object) -> Controller:
    rules = {}
    for s in range(mdp.states):  # type: ignore[attr-defined]
        enabled = [int(a) for a in mdp.action[mdp.choice_start[s] : mdp.choice_start[s + 1]]]  # type: ignore[attr-defined]
        for node in (0, 1):
            chosen = rng.sample(enabled, min(len(enabled), rng.choice((1, 2))))
            play = tuple((a, Fraction(1, len(chosen))) for a in chosen)
            rules[node, s] = (play, {t: rng.randrange(2) for t in range(mdp.states) if rng.random() < 0.3})  # type: ignore[attr-defined]
    weight = rng.choice((ZERO, Fraction(1, 3), ONE))
    return Controller(tuple((w, s, n) for s, _ in mdp.initial for w, n in ((weight, 0), (1 - weight, 1))), rules)  # type: ignore[attr-defined]


@few(60)
@given(st.randoms(use_true_random=False))
def test_values_agree_with_the_product(rng: Random) -> None:
    """Two ways from the spec to the value that meet only in the rationals."""
    import tempfile

    world = random_claims.world(rng, True)
    objectives = rng.sample(OBJECTIVES, 3)
    claim = ("and", *[("cmp", "<=", ([(ONE, i, "pi")], ZERO)) for i in range(3)])
    with tempfile.TemporaryDirectory() as folder:
        try:
            context, query = query_of(brute.text(world, objectives, claim), Path(folder))
            mdp = context.mdp("W")
        except SpecError:
            assume(False)
            raise
        controller = random_controller(rng, mdp)
        depth = max((s.steps for s in query.streams if s.kind == "horizon"), default=0)
        product = context.product(query, "W", query.streams, depth, controller)
        replay = Replay(context.spec.world("W"), mdp, query.atoms.of_world.get("W", []), controller)
        expected = [None if v is None else f(v) for v in evaluate(product, trivial_plan(product))]
        assert [replay.value(s) for s in query.streams] == expected


WALK = """\
world W {
  var x : 0..3 = 0
  init { 2/3: x = 0; 1/3: x = 1 }
  action go when x < 2 { 3/4: x' = x + 1; 1/4: x' = 3 }
  action jump when x < 2 { 1/2: x' = 2; 1/2: stay }
  deadlock absorbs
  reward pay { [go]: 1 }
}
policies Pi over W
claim c: forall pi : Pi. P[F x == 2](pi) <= 1 and P[F x == 3](pi) <= 1 and P[G x < 2](pi) <= 1 and E[pay, total](pi) <= 9
"""


def replay_of(folder: Path, *rules: tuple[int, str]) -> tuple[Replay, tuple[Stream, ...]]:
    context, query = query_of(WALK, folder)
    mdp = context.mdp("W")
    number = {mdp.valuation(s)[0]: s for s in range(mdp.states)}
    plays = {number[x]: mdp.actions.index(a) for x, a in rules}
    for x in (2, 3):
        plays[number[x]] = mdp.actions.index("(deadlock)")
    controller = Controller(tuple((ONE, s, 0) for s, _ in mdp.initial), {(0, s): (((a, ONE),), {}) for s, a in plays.items()})
    return Replay(context.spec.world("W"), mdp, query.atoms.of_world["W"], controller), query.streams


def test_the_most_probable_run_to_an_event(tmp_path: Path) -> None:
    """To 2: from 1 at once (1/3 * 3/4 = 1/4) or from 0 by two steps (2/3 * 9/16 = 3/8)."""
    replay, streams = replay_of(tmp_path, (0, "go"), (1, "go"))
    trace = replay.trace(streams[0])
    assert trace is not None
    assert ([(step.state["x"], step.action) for step in trace.steps], trace.probability) == (
        [(0, "go"), (1, "go"), (2, None)],
        Fraction(3, 8),
    )
    trace = replay.trace(streams[1])
    assert trace is not None
    assert ([step.state["x"] for step in trace.steps], trace.probability) == ([0, 3], Fraction(1, 6))


def test_the_likeliest_run_stops_where_it_repeats(tmp_path: Path) -> None:
    replay, _ = replay_of(tmp_path, (0, "go"), (1, "go"))
    found = replay.likely()
    assert ([(s.state["x"], s.action) for s in found.steps], found.probability) == (
        [(0, "go"), (1, "go"), (2, "(deadlock)"), (2, None)],
        Fraction(3, 8),
    )
    assert len(replay.likely(limit=1).steps) == 2


def test_an_event_that_never_happens_has_no_trace(tmp_path: Path) -> None:
    replay, streams = replay_of(tmp_path, (0, "jump"), (1, "jump"))
    assert replay.trace(streams[1]) is None
    assert replay.value(streams[1]) == 0
    assert replay.value(streams[0]) == 1
    assert [replay.value(s) for s in streams][2:] == [1, 0]  # G x < 2 is one minus the chance of leaving; jumps earn nothing


def test_a_controller_that_is_silent(tmp_path: Path) -> None:
    replay, streams = replay_of(tmp_path, (0, "go"))
    with pytest.raises(NoRule):
        replay.value(streams[0])


def test_a_controller_that_plays_what_is_not_enabled(tmp_path: Path) -> None:
    replay, streams = replay_of(tmp_path, (0, "go"), (1, "(deadlock)"))
    with pytest.raises(StopIteration):
        replay.value(streams[0])
