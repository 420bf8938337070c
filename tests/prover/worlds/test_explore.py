"""The two explorers against each other; the errors a user meets."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction
from math import inf
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from dsl.diagnostic import SpecError
from dsl.semantics import variables_read
from dsl.spec import Expr, InitOutcomes, InitUniform, World
from dsl.types import Int
from prover.worlds import state_index
from prover.worlds.batch import explore_batch
from prover.worlds.explore import explore
from prover.worlds.mdp import Mdp
from prover.worlds.small import explore_small
from tests.prover.worlds.build import (
    BOOL,
    SPAN,
    action,
    binary,
    clause,
    corridor,
    grid,
    if_,
    lookup,
    nary,
    outcome,
    reward,
    unary,
    var,
    variable,
    world,
)
from tests.prover.worlds.random_worlds import VARIABLES, composed_worlds, conditions, worlds

ROOT = Path(__file__).parents[3]
RELAXED = settings(deadline=None, max_examples=150, suppress_health_check=list(HealthCheck))


def content(mdp: Mdp) -> dict[str, object]:
    """All of an MDP as plain data."""
    return {
        "actions": mdp.actions,
        "initial": mdp.initial,
        "choice_start": [int(i) for i in mdp.choice_start],
        "action": [int(i) for i in mdp.action],
        "transition_start": [int(i) for i in mdp.transition_start],
        "successor": [int(i) for i in mdp.successor],
        "probability": [int(i) for i in mdp.probability],
        "probabilities": mdp.probabilities,
        "rewards": {name: ([int(i) for i in column.index], column.table) for name, column in mdp.rewards.items()},
        "states": [mdp.valuation(s) for s in range(mdp.states)],
    }


def names(world: World) -> tuple[str, ...]:
    return tuple(r.name for r in world.rewards)


def outcome_of(explorer, world: World, **options) -> object:
    """What an explorer makes of a world: the MDP, or the diagnostics."""
    try:
        return content(explorer(world, rewards=names(world), **options))
    except SpecError as error:
        return [(d.code, d.span, d.message, d.hint) for d in error.diagnostics]


@given(worlds(), st.sampled_from([1, 3, 1000]))
@RELAXED
def test_both_explorers_agree(world: World, batch: int) -> None:
    expected = outcome_of(explore_small, world, limit=100_000, max_states=100_000)
    assert outcome_of(explore_batch, world, max_states=100_000, batch=batch) == expected


@given(worlds(wide=True), st.sampled_from([2, 1000]))
@RELAXED
def test_both_explorers_agree_on_wide_states_and_large_numbers(world: World, batch: int) -> None:
    def bounded(explorer, **options) -> object:
        return outcome_of(explorer, world, max_states=150, **options)

    expected = bounded(explore_small, limit=150)
    found = bounded(explore_batch, batch=batch)
    if isinstance(expected, list) and expected[0][0] == "E307":
        assume(isinstance(found, list))
        assert found[0][0] in ("E307",) or found[0][0].startswith("E30")  # a batch may meet an error just behind the limit
    else:
        assert found == expected


@given(composed_worlds(), st.sampled_from([1, 2, 7, 1000]))
@settings(RELAXED, max_examples=300)
def test_both_explorers_agree_on_synchronised_commands(world: World, batch: int) -> None:
    expected = outcome_of(explore_small, world, limit=100_000, max_states=100_000)
    assert outcome_of(explore_batch, world, max_states=100_000, batch=batch, patience=inf) == expected
    assert outcome_of(explore_batch, world, max_states=100_000, batch=batch, patience=inf, tabular=False) == expected


@given(worlds(), conditions(VARIABLES[:4], False, 2))
@settings(RELAXED, max_examples=60)
def test_conditions_hold_in_the_same_states(world: World, condition: Expr) -> None:
    declared = {v.name for v in world.variables}
    assume(variables_read(condition) <= declared)
    try:
        small = explore_small(world, limit=100_000, max_states=100_000, rewards=())
        large = explore_batch(world, max_states=100_000, rewards=())
    except SpecError:
        assume(False)

    def truth(mdp: Mdp) -> object:
        try:
            return [bool(x) for x in mdp.holds(condition)]
        except SpecError as error:
            return [(d.code, d.message, d.hint) for d in error.diagnostics]

    assert truth(small) == truth(large)


def test_hash_index_gives_the_same_numbers_as_the_direct_table(monkeypatch: pytest.MonkeyPatch) -> None:
    example = corridor(8, 8)
    direct = content(explore_batch(example, max_states=10_000, rewards=("points",), batch=50))
    monkeypatch.setattr(state_index, "DIRECT_BITS", 0)
    assert content(explore_batch(example, max_states=10_000, rewards=("points",), batch=50)) == direct
    assert direct == content(explore_small(example, limit=10_000, max_states=10_000, rewards=("points",)))


def test_choices_transitions_and_rewards_of_a_corridor() -> None:
    mdp = explore(corridor(3, 1))
    assert (mdp.states, mdp.choices, mdp.transitions) == (3, 5, 9)
    assert mdp.actions == ("east", "west", "north")
    assert mdp.named(1) == {"x": 1, "y": 0}
    assert list(mdp.successor) == [1, 0, 0, 2, 1, 0, 1, 1, 2]  # west at the wall: both outcomes stay, one transition
    table, index = mdp.rewards["points"].table, mdp.rewards["points"].index
    assert [table[i] for i in index][:3] == [Fraction(3, 4), Fraction(-1, 4), Fraction(-1, 4)]
    assert table[0] == 0
    assert list(mdp.holds(binary("==", var(mdp.variables[0]), 2))) == [False, False, True]


def test_only_the_rewards_asked_for_are_built() -> None:
    assert explore(corridor(3, 1), rewards=()).rewards == {}
    with pytest.raises(ValueError, match="no reward"):
        explore(corridor(3, 1), rewards=("lap",))


def test_large_worlds_come_as_arrays_and_small_ones_as_lists() -> None:
    large, seen = explore(corridor(30, 30), progress=(calls := []).append), content(explore(corridor(10, 10)))
    assert large.states == 900
    assert not isinstance(large.successor, list)
    assert calls[-1] == 900
    assert isinstance(explore(corridor(4, 4)).successor, list)
    assert seen["choice_start"][-1] == len(seen["action"])


def test_deadlocks_absorb_without_reward() -> None:
    x = variable("x", Int(0, 400), 0)
    step = action("step", binary("<", var(x), 400), outcome(1, x=nary("+", var(x), 1)))
    rewards = [reward("cost", clause(None, None, -1))]
    mdp = explore(world([x], [step], rewards, deadlock_absorbs=True))
    assert mdp.actions == ("step", "(deadlock)")
    assert (mdp.states, mdp.choices, mdp.action[400], mdp.successor[400], mdp.rewards["cost"].index[400]) == (401, 401, 1, 400, 0)


def test_uniform_initial_states_in_batches() -> None:
    x, y = variable("x", Int(0, 99)), variable("y", Int(0, 99), 7)
    stay = action("stay", None, outcome(1))
    wide = explore(world([x, y], [stay], init=InitUniform(binary("<", var(x), var(y)), SPAN)))
    assert wide.states == 4950
    assert wide.initial[0] == (0, Fraction(1, 4950))
    assert wide.valuation(0) == (0, 1)
    assert wide.valuation(4949) == (98, 99)
    kept = explore(world([x, y], [stay], init=InitUniform(binary("<", var(x), 5), SPAN)))
    assert [kept.valuation(s) for s in range(kept.states)] == [(i, 7) for i in range(5)]


def test_small_worlds_do_not_import_numpy() -> None:
    """Importing it costs as much as proving a small example."""
    code = (
        "import sys; from prover.worlds.explore import explore; from tests.prover.worlds.build import corridor; "
        "explore(corridor(3, 3)); raise SystemExit('numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


# ---------------------------------------------------------------- errors


def diagnostic(world: World, both: bool = True, **options):
    """The diagnostic of the explorer, which is the same in batches."""
    with pytest.raises(SpecError) as caught:
        explore(world, **options)
    (found,) = caught.value.diagnostics
    if both:
        with pytest.raises(SpecError) as again:
            explore_batch(world, max_states=options.get("max_states", 10_000), rewards=names(world))
        assert again.value.diagnostics == caught.value.diagnostics
    return found


X = variable("x", Int(0, 3), 0)
STEP = outcome(1, x=nary("+", var(X), 1))


def test_out_of_range_shows_the_state_and_a_path() -> None:
    found = diagnostic(world([X], [action("east", None, STEP)]))
    assert found.code == "E301"
    assert "in the state x = 3" in found.message
    assert found.hint == "path: x = 0 --east--> x = 1 --east--> x = 2 --east--> x = 3"


def test_long_paths_are_shortened() -> None:
    x = variable("x", Int(0, 1000), 0)
    found = diagnostic(world([x], [action("east", None, outcome(1, x=nary("+", var(x), 1)))]))
    assert found.hint.startswith("path: x = 0 --east--> x = 1 --east--> x = 2 --east--> x = 3 ... 994 more steps ...")
    assert found.hint.endswith("--east--> x = 999 --east--> x = 1000")


@pytest.mark.parametrize(
    ("code", "build"),
    [
        ("E302", lambda: action("go", None, outcome(Fraction(1, 2)), outcome(Fraction(1, 3)))),
        ("E302", lambda: action("go", None, outcome(binary("-", 1, var(X))), STEP)),
        ("E302", lambda: action("go", None, outcome(binary("-", var(X), 1)), outcome(binary("-", 2, var(X)), x=3))),
        ("E303", lambda: action("go", binary("<", var(X), 2), STEP)),
        ("E304", lambda: action("go", None, outcome(1, x=nary("max", binary("div", 3, binary("-", 1, var(X))), 1)))),
        ("E304", lambda: action("go", binary("<", 0, binary("/", 1, var(X))), STEP)),
        ("E304", lambda: action("go", binary("<", 0, binary("/", 1, binary("-", 2, var(X)))), STEP)),
        ("E306", lambda: action("go", binary("==", lookup(grid("..."), var(X), 0), ord(".")), STEP)),
        ("E309", lambda: action("go", binary("<", binary("^", binary("^", 7, 1000), nary("+", var(X), 4)), 1), STEP)),
    ],
)
def test_errors_in_reachable_states(code: str, build) -> None:
    found = diagnostic(world([X], [build()]))
    assert found.code == code
    assert "in the state x = " in found.message


def test_two_actions_of_one_name() -> None:
    found = diagnostic(world([X], [action("go", binary("<", var(X), 2), STEP), action("go", binary(">=", var(X), 1), outcome(1))]))
    assert found.code == "E305"
    assert found.hint == "path: x = 0 --go--> x = 1"


def test_a_reward_without_a_value_is_found_before_a_later_state() -> None:
    bad = reward("r", clause("go", None, binary("/", 1, binary("-", 2, var(X, primed=True)))))
    found = diagnostic(world([X], [action("go", None, STEP)], [bad]))
    assert (found.code, found.hint) == ("E304", "path: x = 0 --go--> x = 1")


def test_a_branch_not_taken_is_no_error() -> None:
    value = if_(binary("==", var(X), 0), 1, binary("div", 6, var(X)))
    safe = nary("and", binary(">", var(X), 0), binary(">", binary("div", 6, var(X)), 1))
    w = world([X], [action("go", safe, outcome(1, x=nary("min", value, 3))), action("start", unary("not", safe), outcome(1, x=2))])
    assert content(explore(w)) == content(explore_batch(w, max_states=100, rewards=()))


def test_an_outcome_of_probability_zero_is_not_looked_at() -> None:
    p = binary("/", var(X), 3)
    w = world([X], [action("go", None, outcome(p), outcome(binary("-", 1, p), x=nary("+", var(X), 1)))])
    mdp = explore_batch(w, max_states=100, rewards=())
    assert mdp.states == 4
    assert content(mdp) == content(explore(w))


def test_too_many_states() -> None:
    found = diagnostic(corridor(40, 40), both=False, max_states=1000)
    assert (found.code, "more than 1000 states" in found.message) == ("E307", True)
    assert diagnostic(corridor(40, 40), both=False, max_states=10).code == "E307"


def test_bad_initial_distributions() -> None:
    stay = action("stay", None, outcome(1))
    half = InitOutcomes((outcome(Fraction(1, 2), x=1),), SPAN)
    assert diagnostic(world([X], [stay], init=half)).code == "E308"
    assert diagnostic(world([X], [stay], init=InitUniform(binary(">", var(X), 3), SPAN))).code == "E308"
    assert diagnostic(world([X], [stay], init=InitUniform(binary(">", binary("div", 1, var(X)), 3), SPAN))).code == "E304"


def test_values_beyond_a_machine_word() -> None:
    n = variable("n", Int(0, 10**30), 10**29)
    grow = action("grow", binary("<", var(n), 10**29 + 400), outcome(1, n=nary("+", var(n), 1)))
    mdp = explore(world([n], [grow], deadlock_absorbs=True))
    assert (mdp.states, mdp.valuation(400)) == (401, (10**29 + 400,))


def test_arithmetic_beyond_a_machine_word_stays_exact() -> None:
    x = variable("x", Int(0, 999), 0)
    huge = binary("mod", binary("^", nary("+", var(x), 2), 40), 1000)
    w = world([x], [action("go", None, outcome(1, x=huge)), action("next", None, outcome(1, x=binary("mod", nary("+", var(x), 1), 1000)))])
    mdp = explore(w, rewards=())
    assert mdp.states == 1000
    assert content(mdp) == content(explore_small(w, limit=2000, max_states=2000, rewards=()))


def test_many_outcomes_and_equal_successors() -> None:
    x = variable("x", Int(0, 999), 0)
    spread = [outcome(Fraction(1, 40), x=binary("mod", nary("+", var(x), i * i % 17), 1000)) for i in range(40)]
    w = world([x], [action("jump", None, *spread)])
    assert content(explore(w)) == content(explore_small(w, limit=2000, max_states=2000, rewards=()))


def test_a_reward_may_be_any_rational() -> None:
    x = variable("x", Int(1, 500), 1)
    w = world(
        [x],
        [action("go", None, outcome(1, x=nary("min", nary("+", var(x), 1), 500)))],
        [reward("r", clause(None, None, binary("/", 1, var(x)))), reward("q", clause(None, None, nary("*", var(x), Fraction(1, 3))))],
    )
    mdp = explore(w)
    assert [mdp.rewards["r"].table[i] for i in mdp.rewards["r"].index] == [Fraction(1, n) for n in range(1, 501)]
    assert mdp.rewards["q"].table[1] == Fraction(1, 3)


def test_types_of_valuations_are_python_values() -> None:
    b = variable("b", BOOL, False)
    x = variable("x", Int(0, 400), 0)
    mdp = explore(world([b, x], [action("go", None, outcome(1, b=unary("not", var(b)), x=nary("min", nary("+", var(x), 1), 400)))]))
    assert [type(v) for v in mdp.valuation(399)] == [bool, int]
