"""Explicit worlds from DRN files."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsl.diagnostic import Diagnostic, SpecError
from dsl.imported.drn import load
from dsl.imported.explicit import distinct
from dsl.imported.recover import distribution, from_float, literal, simplest
from dsl.imported.request import Request
from dsl.source import Source, Span
from dsl.spec import World
from prover.worlds.explore import explore

SPAN = Span("test.spec", 1, 1, 1, 2)
TEXT = """// written by hand
@type: MDP
@parameters

@reward_models
energy time
@nr_states
4
@nr_choices
5
@model
state 0 [0, 2] init
//[x=0]
\taction a [0, 1/7]
\t\t1 : 1/3
\t\t2 : 2/3
\taction a [1.5, 0]
\t\t3 : 1
state 1 [2, 0]
\taction __NOLABEL__ [0, 0]
\t\t3 : 1
state 2 [0, 0] two "the third"
\taction b
\t\t2 : 0.25
\t\t0 : 0.75
state 3 [0, 0]
\taction 0 [0, 0]
\t\t3 : 1
"""


def read(text: str) -> World:
    return load(Request("W", "w.drn", Source("w.drn", text), {}, SPAN, SPAN))


def error(text: str) -> Diagnostic:
    with pytest.raises(SpecError) as caught:
        read(text)
    (diagnostic,) = caught.value.diagnostics
    return diagnostic


def chain(*rows: str, states: int = 2) -> str:
    return "\n".join(["@type: DTMC", "@parameters", "", "@reward_models", "", "@nr_states", str(states), "@model", *rows]) + "\n"


def test_states_choices_and_transitions():
    world = read(TEXT)
    mdp = explore(world)
    assert mdp.actions == ("a#1", "a#2", "unlabelled", "b", "0")
    assert list(mdp.choice_start) == [0, 2, 3, 4, 5]
    assert [(mdp.successor[t], mdp.probabilities[mdp.probability[t]]) for t in range(mdp.transitions)] == [
        (1, Fraction(1, 3)),
        (2, Fraction(2, 3)),
        (3, 1),
        (3, 1),
        (2, Fraction(1, 4)),
        (0, Fraction(3, 4)),
        (3, 1),
    ]
    assert [label.name for label in world.labels] == ["init", "two", "the third"]
    assert list(mdp.holds(world.labels[1].condition)) == [False, False, True, False]
    assert world.notes[1:] == ()


def test_rewards_of_states_and_actions_add_up():
    mdp = explore(read(TEXT))
    energy, time = ([column.table[i] for i in column.index] for column in (mdp.rewards["energy"], mdp.rewards["time"]))
    assert energy == [0, 0, Fraction(3, 2), 2, 0, 0, 0]
    assert time == [2 + Fraction(1, 7), 2 + Fraction(1, 7), 2, 0, 0, 0, 0]


def test_a_chain_needs_no_actions():
    mdp = explore(read(chain("state 0 init", "  0 : 0.5", "  1 : 0.5", "state 1", "  action x", "  1 : 1")))
    assert mdp.actions == ("step",)
    assert (mdp.states, mdp.choices, mdp.transitions) == (2, 2, 3)


def test_rounded_probabilities():
    rows = [
        "state 0 init",
        "0 : 0.333333",
        "1 : 0.333333",
        "2 : 0.333333",
        "state 1",
        "0 : 0.14285714",
        "1 : 0.85714285",
        "state 2",
        "2 : 1",
    ]
    world = read(chain(*rows, states=3))
    mdp = explore(world)
    assert mdp.probabilities == (Fraction(1, 3), Fraction(1, 7), Fraction(6, 7), 1)
    assert world.notes[1:] == ("world W: 2 rows of rounded probabilities were taken for fractions that sum to 1",)


def test_what_cannot_happen_is_dropped_and_successors_are_merged():
    mdp = explore(read(chain("state 0 init", "1 : 0.25", "0 : 0", "1 : 0.75", "state 1", "1 : 1")))
    assert (mdp.states, mdp.transitions) == (2, 2)
    assert mdp.probabilities == (1,)
    again = explore(read(chain("state 0 init", "1 : 1", "0 : 0", "state 1", "1 : 1", "0 : 0")))
    assert (again.states, again.transitions) == (2, 2)


def test_several_initial_states():
    world = read(chain("state 0 init", "0 : 1", "state 1 init", "1 : 1"))
    assert explore(world).initial == ((0, Fraction(1, 2)), (1, Fraction(1, 2)))
    assert world.notes[1:] == ("world W: the 2 states labelled init are initial with equal probability",)


def test_placeholders():
    text = chain("state 0 init", "0 : $0", "1 : $1", "state 1", "1 : 1").replace(
        "@nr_states", "@placeholders\n$0 : 1/3\n$1 : 2/3\n\n@nr_states"
    )
    assert explore(read(text)).probabilities == (Fraction(1, 3), Fraction(2, 3), 1)


ONE = "state 1", "1 : 1"


@pytest.mark.parametrize(
    ("text", "code", "line", "message"),
    [
        ("", "E521", 1, "the file ends before its `@model`"),
        ("@type: CTMC\n", "E523", 1, "a DRN file of type CTMC is not supported"),
        ("@type: POMDP\n", "E523", 1, "a DRN file of type POMDP is not supported"),
        ("@type: MDP\n@parameters\np q\n", "E523", 3, "the parameters p q have no values"),
        ("@nr_states\n2\n@model\n", "E521", 3, "the file does not say its `@type:`"),
        ("@type: MDP\n@model\n", "E521", 2, "the file does not say its `@nr_states`"),
        ("@type: MDP\n@nr_states\nmany\n", "E521", 3, "a number of states or choices is expected, not `many`"),
        ("@type: MDP\n@reward_models\na a\n", "E524", 3, "two reward models have one name"),
        ("hello\n", "E521", 1, "`hello` is no part of the head of a DRN file"),
        (chain("state 0 init", "0 : 0.5", "1 : 0.25", *ONE), "E521", 10, "the probabilities of this action sum to 3/4, not to 1"),
        (chain("state 0 init", "0 : -0.5", "1 : 1.5", *ONE), "E521", 10, "the probability -0.5 is negative"),
        (chain("state 0 init", "0 : half", *ONE), "E521", 10, "`half` is no probability: a decimal number or a fraction is expected"),
        (
            chain("state 0 init", "0 : [0.1, 1]", *ONE),
            "E521",
            10,
            "`[0.1, 1]` is no probability: a decimal number or a fraction is expected",
        ),
        (
            chain("state 0 init", "0 : 1e999999999", *ONE),
            "E521",
            10,
            "`1e999999999` is no probability: a decimal number or a fraction is expected",
        ),
        (chain("state 0 init", "0 : 1/0", *ONE), "E521", 10, "`1/0` is no probability: a decimal number or a fraction is expected"),
        (chain("state 0 init", "7 : 1", *ONE), "E521", 10, "there is no state 7: the file has 2 states, from 0"),
        (chain("state 0 init", "0 : 1"), "E521", 10, "the file says that it has 2 states, but it lists 1"),
        (chain("state 0 init", "0 : 1", *ONE, "state 2"), "E521", 13, "the file says that it has 2 states, and this is one more"),
        (chain("state 1 init", "0 : 1"), "E521", 9, "state 0 is expected here: states are listed in order, from 0"),
        (chain("state 0 init", *ONE), "E521", 9, "state 0 has no action"),
        (chain("state 0", "0 : 1", *ONE), "E521", 13, "no state has the label `init`"),
        (chain("state 0 init", "action a", *ONE), "E521", 10, "an action without transitions"),
        (chain("state 0 init", "action a", "0 : 1", "action b", "0 : 1", *ONE), "E521", 9, "state 0 of a DTMC has 2 actions"),
        (chain("state 0 {3} init", "0 : 1", *ONE), "E523", 9, "observations and exit rates are not supported"),
        (chain("state 0 [1] init", "0 : 1", *ONE), "E521", 9, "1 rewards for 0 reward models"),
        (chain("state 0 [1 init", "0 : 1", *ONE), "E521", 9, "the bracket of the rewards is not closed"),
        (chain("0 : 1", *ONE), "E521", 9, "a transition stands below an `action`"),
        (chain("action a", *ONE), "E521", 9, "an action stands below a `state`"),
        (chain("state 0 init", "zero : 1", *ONE), "E521", 10, "neither a state, nor an action, nor a transition `target : probability`"),
        (TEXT.replace("5\n@model", "6\n@model"), "E521", 28, "the file says that it has 6 choices, but it lists 5"),
        (TEXT.replace("[0, 1/7]", "[0, inf]"), "E521", 14, "`inf` is no reward: a decimal number or a fraction is expected"),
    ],
)
def test_broken_files(text, code, line, message):
    diagnostic = error(text)
    assert (diagnostic.code, diagnostic.span.file, diagnostic.span.line, diagnostic.message) == (code, "w.drn", line, message)


@given(st.integers(0, len(TEXT)), st.text(max_size=3))
def test_damaged_files_never_crash(place, inserted):
    for damaged in (TEXT[:place], TEXT[:place] + inserted + TEXT[place:], TEXT[:place] + TEXT[place + 1 :]):
        try:
            mdp = explore(read(damaged))
        except SpecError:
            continue
        assert mdp.states <= 4


# ---------------------------------------------------------------- numbers


@given(st.fractions(-50, 50, max_denominator=10**6), st.fractions(0, 1, max_denominator=10**9))
def test_the_simplest_fraction(middle, reach):
    found = simplest(middle - reach, middle + reach)
    assert middle - reach <= found <= middle + reach
    if found.denominator < 2_000:
        for denominator in range(1, found.denominator):
            nearest = Fraction(round(middle * denominator), denominator)
            assert not middle - reach <= nearest <= middle + reach


@given(st.integers(-(10**6), 10**6), st.integers(1, 10**6))
def test_a_double_is_read_as_the_fraction_it_was_made_from(numerator, denominator):
    assert from_float(numerator / denominator) == Fraction(numerator, denominator)


@given(st.lists(st.integers(1, 60), min_size=1, max_size=6), st.integers(9, 17))
def test_rounded_distributions(weights, digits):
    meant = [Fraction(w, sum(weights)) for w in weights]
    written = [literal(f"{float(p):.{digits}f}") for p in meant]
    assert all(w is not None for w in written)
    exact = distribution([value for value, _ in written], [slack for _, slack in written])
    assert exact is not None
    assert sum(exact) == 1
    assert all(abs(p - q) <= Fraction(1, 10**6) for p, q in zip(exact, meant, strict=True))
    if sum(value for value, _ in written) != 1:
        assert list(exact) == meant


def test_no_distribution():
    assert distribution([Fraction(1, 2), Fraction(1, 4)], [Fraction(1), Fraction(1)]) is None
    assert distribution([Fraction(3, 2), Fraction(-1, 2) + Fraction(1, 10**9)], [Fraction(1), Fraction(1)]) is None


def test_names_of_actions():
    assert distinct(["a", "b"]) == ("a", "b")
    assert distinct(["a", "b", "a", "a#1"]) == ("a#2", "b", "a#3", "a#1")
