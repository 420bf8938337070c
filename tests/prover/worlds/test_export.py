"""Worlds written for other tools: read back they are the same worlds, and Storm reads them as the same."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from importlib.util import find_spec

import pytest
from hypothesis import HealthCheck, assume, given, settings

from dsl.diagnostic import SpecError
from dsl.imported.drn import load as load_drn
from dsl.imported.request import Request
from dsl.source import Source
from dsl.spec import Label, Synchronised, World
from dsl.types import Int
from prover.worlds.explore import explore
from prover.worlds.export_drn import drn, expected
from prover.worlds.export_prism import NoProgramError, prism
from prover.worlds.mdp import Mdp
from tests.dsl.imported.models import MODELS
from tests.dsl.imported.test_jani import networks
from tests.dsl.imported.test_jani import read as jani
from tests.dsl.imported.test_prism import greatest, imported, size
from tests.prover.worlds.build import (
    BOOL,
    SPAN,
    action,
    binary,
    char,
    clause,
    corridor,
    grid,
    lookup,
    nary,
    one_of,
    outcome,
    reward,
    unary,
    var,
    variable,
    world,
)
from tests.prover.worlds.random_worlds import worlds

MANY = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
needs_storm = pytest.mark.skipif(find_spec("stormpy") is None, reason="stormpy is not installed")


def well_formed(of: World) -> Mdp:
    try:
        return explore(of)
    except SpecError:
        assume(False)
        raise


def back(text: str) -> World:
    return load_drn(Request("W", "w.drn", Source("w.drn", text), {}, SPAN, SPAN))


def rows(mdp: Mdp, state: int, shift: int = 0) -> list[tuple[object, ...]]:
    """The choices of a state, without the numbers of actions, probabilities and rewards."""
    found = []
    for c in range(mdp.choice_start[state], mdp.choice_start[state + 1]):
        span = range(mdp.transition_start[c], mdp.transition_start[c + 1])
        outcomes = [(int(mdp.successor[t]) + shift, mdp.probabilities[mdp.probability[t]]) for t in span]
        found.append((mdp.actions[mdp.action[c]].strip("()"), outcomes, {name: expected(mdp, name, c) for name in mdp.rewards}))
    return found


# ---------------------------------------------------------------- DRN


@MANY
@given(worlds())
def test_drn_and_back(original):
    mdp = well_formed(original)
    again = explore(back("\n".join(drn(original, mdp))))
    drawn = int(len(mdp.initial) > 1)
    assert again.states == mdp.states + drawn
    for state in range(mdp.states):
        assert rows(again, state + drawn) == rows(mdp, state, drawn)
    if drawn:
        ((name, outcomes, earned),) = rows(again, 0)
        assert (name, outcomes) == ("start", [(state + 1, p) for state, p in mdp.initial])
        assert not any(earned.values())


def test_labels_of_a_drn_file():
    x = variable("x", Int(0, 2), 0)
    step = action("on", None, outcome(1, x=binary("mod", nary("+", var(x), 1), 3)))
    labels = (
        Label("init", binary("==", var(x), 0), SPAN),
        Label("a b", binary("==", var(x), 1), SPAN),
        Label("two", binary("==", var(x), 2), SPAN),
    )
    text = "\n".join(drn(replace(world([x], [step]), labels=labels), explore(world([x], [step]))))
    again = back(text)
    assert [label.name for label in again.labels] == ["init", "a b", "two"]
    mdp = explore(again)
    assert [list(mdp.holds(label.condition)) for label in again.labels] == [
        [True, False, False],
        [False, True, False],
        [False, False, True],
    ]
    assert "//[x = 1]" in text


def test_rewards_of_the_next_state_become_expectations():
    of = corridor(3, 1)
    text = "\n".join(drn(of, explore(of)))
    assert "\taction east [13/20]" in text.split("\n")  # 9/10 * 1 - 1/4
    assert "// rewards that depend on the next state are written as their expectations" in text


@needs_storm
def test_storm_reads_drn(tmp_path):
    import stormpy

    of = replace(corridor(6, 4), labels=(Label("corner", binary("==", var(variable("x", Int(0, 5))), 5), SPAN),))
    mdp = explore(of)
    (tmp_path / "w.drn").write_text("\n".join(drn(of, mdp)))
    model = stormpy.build_model_from_drn[stormpy.Rational](str(tmp_path / "w.drn"))
    assert (model.nr_states, model.nr_choices, model.nr_transitions) == (mdp.states, mdp.choices, mdp.transitions)
    assert model.labeling.get_labels() >= {"corner", "init"}
    formula = stormpy.parse_properties('Pmax=? [F<=7 "corner"]')[0]
    value = Fraction(str(stormpy.model_checking(model, formula).get_value(model.initial_states[0])))
    # at least five of seven steps succeed
    assert value == sum(Fraction(n) * Fraction(9, 10) ** k * Fraction(1, 10) ** (7 - k) for n, k in ((21, 5), (7, 6), (1, 7)))


# ---------------------------------------------------------------- PRISM


def program(of: World) -> str:
    try:
        return "\n".join(prism(of)) + "\n"
    except NoProgramError:
        assume(False)
        raise


@MANY
@given(worlds())
def test_prism_and_back(original):
    mdp = well_formed(original)
    from dsl.imported.prism import load

    text = program(original)
    try:
        again = explore(load(Request("W", "w.prism", Source("w.prism", text), {}, SPAN, SPAN)))
    except SpecError as error:
        # constants that make no sense, in commands that are never enabled: only worlds built by hand have them
        assume(not {d.code for d in error.diagnostics} <= {"E302", "E304", "E309"})
        raise
    drawn = len(mdp.initial) > 1
    assert again.states == mdp.states + drawn
    place = {again.valuation(state)[: len(original.variables)]: state for state in range(drawn, again.states)}
    moved = [place[tuple(int(v) if not isinstance(v, bool) else v for v in mdp.valuation(state))] for state in range(mdp.states)]
    for state in range(mdp.states):
        wanted = [({(moved[s], p) for s, p in outcomes}, earned) for _, outcomes, earned in rows(mdp, state)]
        found = [(set(outcomes), earned) for _, outcomes, earned in rows(again, moved[state])]
        assert found == wanted


@needs_storm
@settings(parent=MANY, max_examples=25)
@given(original=worlds())
def test_storm_reads_prism(original, tmp_path_factory):
    import stormpy

    mdp = well_formed(original)
    path = tmp_path_factory.mktemp("prism") / "w.prism"
    path.write_text(program(original))
    try:
        model = stormpy.build_model[stormpy.Rational](stormpy.parse_prism_program(str(path)))
    except RuntimeError as error:
        assume("negative probabilities" not in str(error))  # in commands that are never enabled
        raise
    drawn = len(mdp.initial) > 1
    assert model.nr_states == mdp.states + drawn
    assert model.nr_choices == mdp.choices + drawn
    assert model.nr_transitions == mdp.transitions + drawn * len(mdp.initial)


def test_names_that_prism_cannot_use():
    x, y = variable("module", Int(0, 1), 0), variable("odd name", BOOL, False)
    go = action("F", None, outcome(1, **{"module": 1, "odd name": unary("not", var(y))}))
    lines = list(prism(replace(world([x, y], [go]), labels=(Label("init", var(y), SPAN),))))
    assert "// module_2 stands for module" in lines
    assert "// odd_name stands for odd name" in lines
    assert "  [F_2] true -> (module_2'=1) & (odd_name'=(!odd_name));" in lines
    assert 'label "init_2" = odd_name;' in lines


def test_grids_become_formulas():
    x, y = variable("x", Int(0, 3), 1), variable("y", Int(0, 2), 1)
    course = grid("####", "#>.#", "####")
    test = binary("==", lookup(course, var(x), var(y)), char("#"))
    lines = list(
        prism(replace(world([x, y], [action("go", test, outcome(1))], deadlock_absorbs=True), labels=(Label("wall", test, SPAN),)))
    )
    assert "formula course_1 = (y = 0 & ((x >= 0 & x <= 3))) | (y = 1 & (x = 0 | x = 3)) | (y = 2 & ((x >= 0 & x <= 3)));" in lines
    assert "  [go] course_1 -> true;" in lines
    assert 'label "wall" = course_1;' in lines


def test_enums_are_numbers():
    d = variable("d", one_of("Dir", "north", "east"), 1)
    lines = list(prism(world([d], [action("turn", None, outcome(1, d=0))])))
    assert "// d: 0 = north, 1 = east" in lines
    assert "  d : [0..1] init 1;" in lines


def test_rewards_of_the_next_state_are_refused():
    with pytest.raises(NoProgramError, match="depends on the next state"):
        list(prism(corridor(3, 1)))


def test_combinations_of_parts_become_commands():
    x, y = variable("x", Int(0, 1), 0), variable("y", Int(0, 1), 0)
    first = (
        action("a", binary("==", var(x), 0), outcome(Fraction(1, 2), x=1), outcome(Fraction(1, 2))),
        action("a", None, outcome(1, x=0)),
    )
    both = Synchronised("a", (first, (action("a", None, outcome(1, y=1)),)), SPAN)
    of = replace(world([x, y], [both], [reward("r", clause("a", None, 1))]), numbered=True)
    lines = list(prism(of))
    assert "  [a] (x = 0) -> (1/2) : (x'=1) & (y'=1) + (1/2) : (y'=1);" in lines
    assert "  [a] true -> (x'=0) & (y'=1);" in lines
    assert "  [a] true : 1;" in lines


# ---------------------------------------------------------------- imported worlds: numbered, synchronised, chains, tables


def same(again: World, mdp: Mdp) -> None:
    """As many of everything, and the same greatest sums over a few steps."""
    found = explore(again)
    assert size(found) == size(mdp)
    for name in mdp.rewards:
        assert greatest(found, name, 4) == greatest(mdp, name, 4)


def through_prism(of: World) -> World:
    from dsl.imported.prism import load

    return load(Request("W", "w.prism", Source("w.prism", "\n".join(prism(of)) + "\n"), {}, SPAN, SPAN))


@settings(parent=MANY, max_examples=30)
@given(networks())
def test_networks_of_automata_and_back(document):
    try:
        of = jani(document)
        mdp = explore(of)
    except SpecError as error:
        assume("nothing can happen" not in str(error))
        raise
    same(through_prism(of), mdp)
    table = back("\n".join(drn(of, mdp)))
    same(table, mdp)
    same(through_prism(table), mdp)


@pytest.mark.parametrize("name", sorted(MODELS))
def test_prism_models_and_back(name, tmp_path):
    of = imported(tmp_path, MODELS[name].text, MODELS[name].constants)
    mdp = explore(of)
    drawn = len(mdp.initial) > 1
    if not drawn:
        same(through_prism(of), mdp)
        same(back("\n".join(drn(of, mdp))), mdp)
    else:
        assert explore(through_prism(of)).states == mdp.states + 1
