"""Worlds that are explored by tables and compiled code: the same MDP, whatever the room; limits, interruptions and messages."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import inf
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from dsl.diagnostic import SpecError
from dsl.semantics import MAX_VALUATIONS
from dsl.spec import Action, Spec, Synchronised, World
from dsl.types import Int
from prover import cli
from prover.policies.context import Context
from prover.worlds import batch as batch_module
from prover.worlds import room, state_index, walker
from prover.worlds.batch import explore_batch
from prover.worlds.decision_tables import NARROW, NotTabularError
from prover.worlds.explore import Interrupted, explore
from prover.worlds.explored import Growing
from prover.worlds.small import explore_small
from tests.prover.worlds.build import SPAN, action, binary, clause, corridor, nary, outcome, reward, var, variable, world
from tests.prover.worlds.random_worlds import composed_worlds, worlds
from tests.prover.worlds.test_explore import content, names, outcome_of

RELAXED = settings(deadline=None, suppress_health_check=list(HealthCheck))


@given(st.one_of(worlds(), worlds(wide=True), composed_worlds(), composed_worlds()), st.sampled_from([1, 3, 1 << 16]), st.booleans())
@settings(RELAXED, max_examples=400)
def test_compiled_code_agrees(example: World, piece: int, hashed: bool) -> None:
    """With little room every piece is cut short, and the tables of states and of sums grow all the time."""
    expected = outcome_of(explore_small, example, limit=300, max_states=300)
    assume(not isinstance(expected, list) or expected[0][0] != "E307")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(walker, "PIECE", piece)
        patch.setattr(walker, "DIRECT_BITS", 0 if hashed else state_index.DIRECT_BITS)
        assert outcome_of(explore_batch, example, max_states=300, patience=0) == expected


def lanes(parts: int, width: int, *, numbered: bool = True) -> World:
    """``parts`` counters that move together: each waits, steps, jumps or returns, mostly one of them enabled."""
    counters = [variable(f"x{i}", Int(0, width - 1), 0) for i in range(parts)]

    def part(i: int) -> tuple[Action, ...]:
        x, before = var(counters[i]), var(counters[i - 1])
        return (
            action("move", binary("==", x, width - 1), outcome(1, **{f"x{i}": 0})),
            action("move", nary("and", binary("<", x, width - 1), binary("==", x, before)), outcome(1, **{f"x{i}": nary("+", x, 1)})),
            action("move", nary("and", binary("<", x, width - 1), binary("<", x, before)), outcome(1, **{f"x{i}": nary("+", x, 1)})),
            action("move", nary("and", binary("<", x, width - 1), binary(">", x, before)), outcome(1)),
            action(
                "move",
                nary("and", binary("==", x, 0), binary("==", before, 0)),
                outcome(Fraction(1, 3)),
                outcome(Fraction(2, 3), **{f"x{i}": min(2, width - 1)}),
            )
            if i == 0
            else action("move", nary("and", binary("==", x, 1), binary("==", before, 2)), outcome(1)),
        )

    move = Synchronised("move", tuple(part(i) for i in range(parts)), SPAN)
    first = var(counters[0])
    alone = action("reset", binary("==", first, 1), outcome(1, x0=0))
    return replace(world(counters, [], [reward("r", clause("move", None, first))]), actions=(move, alone), numbered=numbered)


WAYS = ({"patience": inf}, {"patience": inf, "tabular": False}, {"patience": 0})


def test_parts_that_move_together() -> None:
    example = lanes(6, 3)
    expected = content(explore_small(example, limit=10_000, max_states=10_000, rewards=("r",)))
    assert any(name.startswith("move#5.") for name in expected["actions"])
    for options in WAYS:
        assert content(explore_batch(example, max_states=10_000, rewards=("r",), **options)) == expected


def test_ten_parts_of_five_commands() -> None:
    """Nearly ten million combinations have names; the few that occur get them."""
    tables, blocks, compiled = (explore_batch(lanes(10, 3), max_states=100_000, rewards=("r",), **options) for options in WAYS)
    assert (tables.states, tables.choices, tables.transitions, len(tables.actions)) == (25_363, 64_973, 69_735, 50_946)
    assert content(tables) == content(blocks) == content(compiled)


def test_a_long_row_of_narrow_levels_grows_beyond_one_piece() -> None:
    clock, lap = variable("clock", Int(0, 8_999), 0), variable("lap", Int(0, 7), 0)
    tick = action("tick", binary("<", var(clock), 8_999), outcome(1, clock=nary("+", var(clock), 1)))
    turn = action(
        "turn",
        binary("==", binary("mod", var(clock), 3), 0),
        outcome(Fraction(1, 2), lap=binary("mod", nary("+", var(lap), 1), 8)),
        outcome(Fraction(1, 2)),
    )
    example = world([clock, lap], [tick, turn], [reward("late", clause("tick", binary(">", var(clock), 9), 1))], deadlock_absorbs=True)
    compiled = explore_batch(example, max_states=1_000_000, rewards=("late",), patience=0)
    assert compiled.states > 65_536
    plain = explore_batch(example, max_states=1_000_000, rewards=("late",), patience=inf, batch=5_000)
    for name in ("choice_start", "action", "transition_start", "successor", "probability"):
        assert np.array_equal(getattr(compiled, name), getattr(plain, name))
    assert np.array_equal(compiled.rewards["late"].index, plain.rewards["late"].index)
    assert (compiled.actions, compiled.probabilities) == (plain.actions, plain.probabilities)
    assert compiled.valuation(70_000) == plain.valuation(70_000)


def test_columns_are_as_narrow_as_their_values() -> None:
    mdp = explore(corridor(40, 40))
    assert (mdp.action.dtype, mdp.probability.dtype, mdp.successor.dtype) == (np.uint8, np.uint8, np.int32)
    column = Growing()
    pieces = [[3, 255], [256], [1] * 3_000, [65_535, 65_536, 0]]
    for piece in pieces:
        column.append(np.array(piece, dtype=np.int64))
    assert column.result().tolist() == [value for piece in pieces for value in piece]


def test_what_reads_too_much_for_tables_is_explored_all_the_same() -> None:
    assert (1 << NARROW) < MAX_VALUATIONS
    counters = [variable(f"n{i}", Int(0, 63), 0) for i in range(5)]
    total = nary("+", *(var(n) for n in counters))
    steps = [action(f"go{i}", binary("<", total, 6), outcome(1, **{n.name: nary("+", var(n), 1)})) for i, n in enumerate(counters)]
    example = world(counters, steps, deadlock_absorbs=True)
    with pytest.raises(NotTabularError):
        batch_module.decision_tables(*tables_of(example), NARROW)
    expected = content(explore_small(example, limit=1_000, max_states=1_000, rewards=()))
    assert content(explore_batch(example, max_states=1_000, rewards=(), patience=0)) == expected


def tables_of(example: World) -> tuple[object, ...]:
    """What ``decision_tables`` takes."""
    from prover.worlds.compile import Compiler
    from prover.worlds.names import Codes
    from prover.worlds.pack import layout
    from prover.worlds.rationals import RationalTable
    from prover.worlds.transitions import compile_actions

    compiler, probabilities = Compiler(layout(example.variables)), RationalTable()
    actions, deadlock = compile_actions(example, compiler, (), probabilities, (), Codes(example))
    return compiler, actions, deadlock, example.numbered, probabilities


# ---------------------------------------------------------------- limits and messages


def test_memory_that_runs_out_is_a_diagnostic(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "STEP", 500)
    explore(corridor(40, 40))
    monkeypatch.setattr(room, "available", lambda: 1 << 20)
    with pytest.raises(SpecError) as caught:
        explore(corridor(40, 40))
    (found,) = caught.value.diagnostics
    assert found.code == "E307"
    assert "does not fit in memory: stopped at " in found.message


def test_an_allocation_that_fails_is_the_same_diagnostic(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(batch_module.Batches, "expand", fails)
    with pytest.raises(SpecError, match="E307") as caught:
        explore_batch(corridor(40, 40), max_states=10_000, rewards=())
    assert "does not fit in memory" in caught.value.diagnostics[0].message


def test_memory_is_measured() -> None:
    assert 1 << 20 < room.used() < room.memory()
    left = room.available()
    assert left is not None
    assert 0 < left <= room.memory()


def test_an_interruption_says_how_far_it_came(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupt(states: int) -> None:
        if states > 500:
            raise KeyboardInterrupt

    with pytest.raises(Interrupted, match=r"while world `W` was explored, 5\d\d states so far"):
        explore(corridor(40, 40), progress=interrupt)
    monkeypatch.setattr("prover.worlds.batch.Batches.expand", lambda *_: interrupt(1_000))
    spec = tmp_path / "corridor.spec"
    spec.write_text(
        "world C { var x : 0..999 = 0; action go { x' = (x + 1) mod 1000 }; reward r { [go]: 1 } }\npolicies Pi over C\n"
        "score J(pi : Pi) = E[r, horizon 3]\nclaim c: forall pi : Pi. J(pi) <= 3\n"
    )
    with pytest.raises(SystemExit) as left:
        cli.main(["prove", str(spec)])
    assert left.value.code == cli.INTERRUPTED
    assert "interrupted while world `C` was explored, " in capsys.readouterr().err


def test_progress_tells_the_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("prover.policies.context.BETWEEN", 0.0)
    messages: list[str] = []
    example = corridor(60, 60)
    spec = Spec(worlds=(example,), policy_types=(), policies=(), trainings=(), statements=())
    Context(spec, Path(), lambda *_: None, progress=messages.append).mdp("W")
    assert messages[-1].startswith("exploring W: 3,600 states, ")
    assert messages[-1].endswith(" states/s")
    assert names(example) == ("points",)
