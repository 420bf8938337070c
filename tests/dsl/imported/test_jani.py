"""Worlds imported from JANI models."""

from __future__ import annotations

import json
from fractions import Fraction
from importlib.util import find_spec
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from dsl import operators
from dsl.diagnostic import Diagnostic, SpecError
from dsl.imported.jani import load
from dsl.imported.jani_json import parse, path_to
from dsl.imported.request import Request, Setting
from dsl.semantics import evaluate
from dsl.source import Source, Span
from dsl.spec import Synchronised, World
from prover.worlds.explore import explore
from prover.worlds.mdp import Mdp
from tests.dsl.imported.test_prism import greatest

SPAN = Span("test.spec", 1, 1, 1, 2)
needs_storm = pytest.mark.skipif(find_spec("stormpy") is None, reason="stormpy is not installed")


def op(name: str, left: Any, right: Any) -> dict[str, Any]:
    return {"op": name, "left": left, "right": right}


def integers(low: Any, high: Any) -> dict[str, Any]:
    return {"kind": "bounded", "base": "int", "lower-bound": low, "upper-bound": high}


def edge(source: str, *destinations: dict[str, Any], action: str | None = None, guard: Any = None) -> dict[str, Any]:
    entry: dict[str, Any] = {"location": source, "destinations": list(destinations)}
    if action is not None:
        entry["action"] = action
    if guard is not None:
        entry["guard"] = {"exp": guard}
    return entry


def to(target: str, probability: Any = None, **values: Any) -> dict[str, Any]:
    entry: dict[str, Any] = {"location": target, "assignments": [{"ref": name, "value": value} for name, value in values.items()]}
    if probability is not None:
        entry["probability"] = {"exp": probability}
    return entry


def automaton(name: str, edges: list[Any], locations: tuple[Any, ...] = ("here",), **more: Any) -> dict[str, Any]:
    places = [place if isinstance(place, dict) else {"name": place} for place in locations]
    return {"name": name, "locations": places, "initial-locations": [places[0]["name"]], "edges": edges, **more}


def model(automata: list[Any], syncs: list[Any] | None = None, type: str = "mdp", **more: Any) -> dict[str, Any]:
    system: dict[str, Any] = {"elements": [{"automaton": a["name"]} for a in automata]}
    if syncs is not None:
        system["syncs"] = [{"synchronise": parts, **({} if result is None else {"result": result})} for parts, result in syncs]
    actions = {a for automaton_ in automata for e in automaton_["edges"] if (a := e.get("action"))} | {r for _, r in syncs or [] if r}
    declared = [{"name": name} for name in sorted(actions)]
    return (
        {"jani-version": 1, "name": "m", "type": type, "actions": declared, "variables": [], "properties": []}
        | more
        | {
            "automata": automata,
            "system": system,
        }
    )


def variable(name: str, type: Any, initial: Any = None, transient: bool = False) -> dict[str, Any]:
    entry = {"name": name, "type": type}
    if initial is not None:
        entry["initial-value"] = initial
    return entry | ({"transient": True} if transient else {})


def read(document: Any, **settings: Any) -> World:
    text = document if isinstance(document, str) else json.dumps(document, ensure_ascii=False, indent=1)
    given_ = {name: Setting(name, operators.constant(value, SPAN), SPAN) for name, value in settings.items()}
    return load(Request("W", "m.jani", Source("m.jani", text), given_, SPAN, SPAN))


def error(document: Any, **settings: Any) -> Diagnostic:
    with pytest.raises(SpecError) as caught:
        read(document, **settings)
    return caught.value.diagnostics[0]


def size(mdp: Mdp) -> tuple[int, int, int]:
    return mdp.states, mdp.choices, mdp.transitions


# ---------------------------------------------------------------- models, each about some rules


X = variable("x", integers(0, 3), 0)
COUNTER = model(
    [
        automaton(
            "count",
            [
                edge("here", to("here", x=op("+", "x", 1)), action="up", guard=op("<", "x", 3)),
                edge("here", to("here", 0.25, x=0), to("here", 0.75), action="up", guard=op(">", "x", 0)),
                edge("here", to("here", x=0), guard=op("=", "x", 3)),
            ],
        )
    ],
    [(["up"], "up")],
    variables=[X],
)
LOCATIONS = model(
    [
        automaton(
            "left",
            [
                edge("idle", to("busy", {"op": "/", "left": 1, "right": "N"}), to("idle", op("-", 1, op("/", 1, "N"))), action="go"),
                edge("busy", to("idle", cost=2), action="go"),
                edge("busy", to("busy", cost=1)),
            ],
            (
                {"name": "idle", "transient-values": [{"ref": "cost", "value": 1}]},
                {"name": "busy", "transient-values": [{"ref": "on", "value": True}]},
            ),
            variables=[variable("own", "bool", False)],
        ),
        automaton(
            "right",
            [edge("a", to("b", own=True), action="go"), edge("b", to("a"), action="back")],
            ("a", "b"),
            variables=[variable("own", "bool", False)],
        ),
    ],
    [(["go", "go"], "go"), ([None, "back"], "back")],
    constants=[{"name": "N", "type": "int"}],
    variables=[variable("cost", "real", 0, True), variable("on", "bool", False, True)],
)
INDEXED = model(
    [
        automaton(
            "a",
            [
                edge(
                    "here",
                    {
                        "location": "here",
                        "assignments": [
                            {"ref": "x", "value": op("%", op("+", "x", 1), 4), "index": 0},
                            {"ref": "y", "value": "x", "index": 1},
                            {"ref": "r", "value": op("+", "r", "y"), "index": 2},
                        ],
                    },
                    action="go",
                )
            ],
        ),
        automaton("b", [edge("here", to("here", z=True), action="go"), edge("here", to("here", r=op("*", 2, "x")), action="go")]),
    ],
    [(["go", "go"], "go")],
    variables=[X, variable("y", integers(0, 3), 0), variable("z", "bool", False), variable("r", "int", 0, True)],
)


def test_several_edges_of_one_action():
    world = read(COUNTER)
    assert world.numbered
    mdp = explore(world)
    assert {mdp.actions[a] for a in mdp.action} == {"count#1", "up#1", "up#2"}
    assert size(mdp) == (4, 7, 10)


def test_locations_are_variables_and_labels():
    world = read(LOCATIONS, N=3)
    assert [v.name for v in world.variables] == ["left.own", "right.own", "left", "right"]
    assert [label.name for label in world.labels] == ["on", "left.idle", "left.busy", "right.a", "right.b"]
    mdp = explore(world)
    on, busy = (list(mdp.holds(world.labels[k].condition)) for k in (0, 2))
    assert on == busy
    assert any(on)
    assert not all(on)


def test_rewards_of_locations_and_edges():
    world = read(LOCATIONS, N=1)
    # idle, a: 1 for the location; busy, b: a silent step earns 1, going back from b earns nothing; then busy, a: 2 by going
    assert greatest(explore(world), "cost", 1) == 1
    assert greatest(explore(world), "cost", 2) == 2
    assert greatest(explore(world), "cost", 3) == 3
    assert greatest(explore(world), "cost", 4) == 4


def test_assignments_in_sequence():
    world = read(INDEXED)
    assert not any(isinstance(action, Synchronised) for action in world.actions)
    mdp = explore(world)
    assert mdp.actions == ("go#1", "go#2")
    names = [v.name for v in world.variables]
    states = [dict(zip(names, mdp.valuation(s), strict=True)) for s in range(mdp.states)]
    assert all(state["x"] == state["y"] for state in states)
    # r becomes 2x at once with the first assignment and y is added: the old x is read
    assert greatest(mdp, "r", 1) == 1
    assert greatest(mdp, "r", 2) == 1 + (2 * 1 + 2)


def test_a_chain_draws_what_is_enabled():
    world = read(COUNTER | {"type": "dtmc"})
    assert world.chain
    assert size(explore(world)) == (4, 4, 9)


def test_a_composition_of_copies():
    one = automaton("p", [edge("a", to("b"), action="go"), edge("b", to("a"))], ("a", "b"), variables=[variable("n", "bool", True)])
    both = model([one], [(["go", None], "go"), ([None, "go"], "go")])
    both["system"]["elements"] = [{"automaton": "p"}, {"automaton": "p"}]
    world = read(both)
    assert [v.name for v in world.variables] == ["p#1.n", "p#2.n", "p#1", "p#2"]
    assert [action.name for action in world.actions] == ["p#1#1", "p#2#1", "go@1", "go@2"]
    assert size(explore(world)) == (4, 8, 8)


def test_initial_states_that_are_left_open():
    free = model([automaton("a", [edge("here", to("here"))])], variables=[variable("x", integers(0, 3)), variable("y", "bool", True)])
    assert len(explore(read(free)).initial) == 4
    restricted = free | {"restrict-initial": {"exp": op("∧", op(">", "x", 1), "y")}}
    world = read(restricted)
    assert [p for _, p in explore(world).initial] == [Fraction(1, 2)] * 2
    assert "world W: the initial states that the file leaves open are drawn with equal probability" in world.notes


def test_edges_that_nothing_synchronises():
    world = read(model([automaton("a", [edge("here", to("here"), action="x"), edge("here", to("here"), action="y")])], [(["x"], "x")]))
    assert [action.name for action in world.actions] == ["x"]
    assert world.notes[1:] == ("world W: a never takes y: no synchronisation names it",)


def test_functions_are_expanded():
    twice = {"name": "twice", "type": "int", "parameters": [{"name": "n", "type": "int"}], "body": op("*", 2, "n")}
    call = {"op": "call", "function": "twice", "args": ["x"]}
    of = model([automaton("a", [edge("here", to("here", x=op("%", op("+", call, 1), 4)))])], variables=[X], functions=[twice])
    assert size(explore(read(of))) == (3, 3, 3)  # 0, 1, 3, 3


@needs_storm
@pytest.mark.parametrize("document", [COUNTER, COUNTER | {"type": "dtmc"}])
def test_storm_counts_as_many(document):
    import stormpy

    parsed, _ = stormpy.parse_jani_model_from_string(json.dumps(document, ensure_ascii=False))
    built = stormpy.build_model(parsed)
    assert (built.nr_states, built.nr_choices, built.nr_transitions) == size(explore(read(document)))


# ---------------------------------------------------------------- expressions


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        (0.1, Fraction(1, 10)),
        (1e-3, Fraction(1, 1000)),
        (op("/", 1, 3), Fraction(1, 3)),
        (op("pow", 2, 10), 1024),
        (op("pow", 2, "x"), 8),
        (op("pow", "x", 2), 9),
        (op("log", 8, 2), 3),
        ({"op": "floor", "exp": op("log", 9, 2)}, 3),
        ({"op": "ceil", "exp": op("log", op("+", "x", 2), 2)}, 3),
        ({"op": "ceil", "exp": op("/", "x", 2)}, 2),
        ({"op": "trc", "exp": op("/", op("-", 0, "x"), 2)}, -1),
        ({"op": "sgn", "exp": op("-", 1, "x")}, -1),
        ({"op": "abs", "exp": op("-", 1, "x")}, 2),
        (op("%", "x", 2), 1),
        (op("min", "x", op("max", 1, 2)), 2),
        ({"op": "ite", "if": op("≤", "x", 2), "then": 1, "else": {"op": "ite", "if": op("≠", "x", 3), "then": 2, "else": 5}}, 5),
        (op("⇒", op("≥", "x", 4), False), True),
        (op("∧", {"op": "¬", "exp": op("=", "x", 0)}, op("∨", False, op("<", "x", 4))), True),
    ],
)
def test_operators(expression, value):
    boolean = isinstance(value, bool)
    target = variable("t", "bool" if boolean else "real", False if boolean else 0, True)
    place = {"name": "here", "transient-values": [{"ref": "t", "value": expression}]}
    world = read(model([automaton("a", [edge("here", to("here"))], (place,))], variables=[variable("x", integers(0, 3), 3), target]))
    expr = world.labels[0].condition if boolean else world.rewards[0].clauses[0].value
    assert evaluate(expr, {"x": 3}) == value


def test_long_chains_are_flat():
    condition: Any = op("=", "x", 0)
    choice: Any = 0
    for k in range(900):
        condition = op("∨", op("=", "x", k % 4), condition)
        choice = {"op": "ite", "if": op("=", "x", k % 4), "then": 0, "else": choice} if k < 150 else choice
    assert explore(read(model([automaton("a", [edge("here", to("here", x=choice), guard=condition)])], variables=[X]))).states == 1


def deep(levels: int) -> Any:
    expression: Any = "x"
    for _ in range(levels):
        expression = op("-", 0, expression)
    return expression


# ---------------------------------------------------------------- errors


def broken(**changes: Any) -> dict[str, Any]:
    return COUNTER | changes


def guarded(guard: Any) -> dict[str, Any]:
    return model([automaton("a", [edge("here", to("here"), guard=guard)])], variables=[X])


@pytest.mark.parametrize(
    ("document", "code", "message"),
    [
        ("", "E521", "the file ends inside the model"),
        ('{"type": ', "E521", "the file ends inside the model"),
        ('{"type": "mdp" "x": 1}', "E521", "`,` or `}` is expected"),
        ('{"type": "mdp", "type": "mdp"}', "E524", "`type` stands twice in this object"),
        ('{"type": "md\n"}', "E521", "this string is broken"),
        ('{"type": tru}', "E521", "a value is expected"),
        ('{"type": "mdp"} x', "E521", "there is more text after the model"),
        ("[" * 5000, "E527", "nested more than 2000 deep"),
        ('{"a": 1e999999999}', "E527", "this number is too long"),
        ("[]", "E521", "a JANI model is an object, not an array"),
        ("{}", "E521", "a JANI model has no `type`"),
        (broken(type="ctmc"), "E523", "a JANI model of type ctmc is not supported (`type`)"),
        (broken(type="pta"), "E523", "a JANI model of type pta (probabilistic timed automaton) is not supported (`type`)"),
        (broken(automata=3), "E521", "`automata` is an array, not a number (`automata`)"),
        (broken(variables=[{"type": "bool"}]), "E521", "a variable has no `name` (`variables[0]`)"),
        (broken(variables=[variable("x", "int", 0)]), "E523", "the variable `x` has infinitely many values (`variables[0]`)"),
        (
            broken(variables=[variable("x", "clock")]),
            "E523",
            "the variable `x` is of type clock, which is not supported (`variables[0].type`)",
        ),
        (broken(variables=[variable("x", {"kind": "array", "base": "int"})]), "E523", "is of kind array, which is not supported"),
        (broken(variables=[X, X]), "E524", "`x` is declared twice (`variables[1]`)"),
        (broken(variables=[variable("x", integers(0, 3), 7)]), "E525", "the initial value 7 of `x` is outside its range 0..3"),
        (broken(variables=[]), "E524", "`x` is neither a constant nor a variable"),
        (guarded("y"), "E524", "`y` is neither a constant nor a variable (`automata[0].edges[0].guard.exp`)"),
        (guarded(op("nand", "x", "x")), "E523", "the operator `nand` is not supported (`automata[0].edges[0].guard.exp`)"),
        (guarded({"op": "¬"}), "E521", "the operation `¬` has no `exp` (`automata[0].edges[0].guard.exp`)"),
        (guarded({"constant": "e"}), "E523", "the constants e and π are not rational"),
        (guarded("x"), "E525", "a guard is a truth value, but this is an integer"),
        (guarded(op("∧", "x", True)), "E525", "`and` needs a truth value, but this is an integer"),
        (guarded(op("=", deep(300), 0)), "E527", "this expression is nested more than 150 deep"),
        (guarded(op("=", op("log", "x", 2), 0)), "E523", "the logarithm of"),
        (guarded(op("=", op("pow", "x", 0.5), 0)), "E523", "a power with a fraction as its exponent may be irrational"),
        (guarded({"op": "call", "function": "f", "args": []}), "E524", "there is no function `f`"),
        (model([automaton("a", [edge("there", to("here"))])]), "E524", "the automaton `a` has no location `there`"),
        (model([automaton("a", [edge("here")])]), "E521", "an edge has at least one destination"),
        (model([automaton("a", [])]), "E523", "nothing can happen in this model"),
        (model([automaton("a", [edge("here", to("here", y=1))])]), "E524", "there is no variable `y`"),
        (
            model([automaton("a", [edge("here", to("here", x=True))])], variables=[X]),
            "E525",
            "`x` is an integer, but this is a truth value",
        ),
        (
            model([automaton("a", [edge("here", to("here"), action="go")])], [(["go", "go"], "go")]),
            "E521",
            "the composition has 1 elements",
        ),
        (
            model(
                [automaton(n, [edge("here", to("here", x=k), action="go")]) for k, n in enumerate("ab")],
                [(["go", "go"], "go")],
                variables=[X],
            ),
            "E526",
            "`x` is assigned twice at the same time, and not the same value",
        ),
    ],
)
def test_broken_models(document, code, message):
    diagnostic = error(document)
    assert diagnostic.code == code
    assert message in diagnostic.message
    assert diagnostic.span.file == "m.jani"


def test_constants_are_bound_in_braces():
    open_ = error(LOCATIONS)
    assert (open_.code, open_.message) == ("E522", "the file leaves the constant `N` open")
    assert error(LOCATIONS, N=True).message == "`N` is an integer in the file"
    assert error(LOCATIONS, N=3, K=1).message == "the file has no constant `K`"
    assert error(broken(constants=[{"name": "K", "type": "int", "value": 2}]), K=3).message == "`K` has a value in the file"


def test_a_probability_that_is_none_shows_the_edge():
    world = read(model([automaton("a", [edge("here", to("here", 0.5), to("here", 0.25))])]))
    with pytest.raises(SpecError) as caught:
        explore(world)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "E302"
    assert diagnostic.span.file == "m.jani"
    assert diagnostic.span.line > 10


def test_paths_and_spans():
    root = parse('{"a": [1, {"b": [true, "x"]}]}')
    inner = root.value["a"].value[1].value["b"].value[1]  # type: ignore[union-attr, index, call-overload]
    assert path_to(root, inner) == "a[1].b[1]"
    assert path_to(root, root) == ""


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


@given(JSON)
def test_json_is_read_as_json(document):
    def plain(node: Any) -> Any:
        if isinstance(node.value, dict):
            return {key: plain(child) for key, child in node.value.items()}
        return [plain(child) for child in node.value] if isinstance(node.value, list) else node.value

    for indent in (None, 2):
        text = json.dumps(document, indent=indent)
        node = parse(text)
        assert plain(node) == document
        assert (node.start, node.end) == (0, len(text))


DAMAGED = json.dumps(LOCATIONS, ensure_ascii=False)


@given(st.integers(0, len(DAMAGED)), st.text(max_size=2), st.integers(0, 3))
def test_damaged_models_never_crash(place, inserted, removed):
    try:
        explore(read(DAMAGED[:place] + inserted + DAMAGED[place + removed :], N=2))
    except SpecError:
        return


@given(JSON, st.sampled_from(["type", "variables", "constants", "automata", "system", "functions", "restrict-initial"]))
def test_strange_models_never_crash(part, key):
    try:
        explore(read(LOCATIONS | {key: part}, N=2))
    except SpecError:
        return


def test_functions_do_not_see_the_parameters_of_their_callers():
    inner = {"name": "inner", "type": "int", "parameters": [], "body": "x"}
    outer = {
        "name": "outer",
        "type": "int",
        "parameters": [{"name": "x", "type": "int"}],
        "body": op("+", "x", {"op": "call", "function": "inner", "args": []}),
    }
    target = variable("t", "int", 0, True)
    place = {"name": "here", "transient-values": [{"ref": "t", "value": {"op": "call", "function": "outer", "args": [7]}}]}
    world = read(
        model(
            [automaton("a", [edge("here", to("here"))], (place,))],
            variables=[variable("x", integers(0, 3), 3), target],
            functions=[inner, outer],
        )
    )
    assert evaluate(world.rewards[0].clauses[0].value, {"x": 2}) == 9


def test_recursion_ends():
    call = {"op": "call", "function": "f", "args": ["n"]}
    f = {"name": "f", "type": "int", "parameters": [{"name": "n", "type": "int"}], "body": call}
    of = model([automaton("a", [edge("here", to("here", x={"op": "call", "function": "f", "args": ["x"]}))])], variables=[X], functions=[f])
    assert error(of).message.startswith("this expression is nested more than 150 deep")


def test_many_outcomes_are_counted_before_they_are_made():
    names = [f"a{k}" for k in range(12)]
    value = {"op": "%", "left": op("+", "g", 1), "right": 2}
    parts = [
        automaton(n, [edge("here", *[to("here", 0.1, **({"g": value} if n == "a0" else {"h": "g"})) for _ in range(10)], action="go")])
        for n in names
    ]
    shared = [variable(n, integers(0, 1), 0) for n in "gh"]
    assert error(model(parts, [(["go"] * 12, "go")], variables=shared)).code == "E527"


# ---------------------------------------------------------------- random networks, against Storm


def _number(draw: st.DrawFn, own: str) -> Any:
    return draw(st.sampled_from([own, "g", 0, 1, 2]))


def _assignments(draw: st.DrawFn, k: int, own: str) -> list[dict[str, Any]]:
    """Of its own variable, and of one that all read: the first automaton writes g and earns r, the second writes h."""
    shared = {0: ["g", "r"], 1: ["h"]}.get(k, [])
    found: dict[tuple[int, str], Any] = {}
    for _ in range(draw(st.integers(0, 3))):
        ref = draw(st.sampled_from([own, own, *shared]))
        changed = op("%", op("+", _number(draw, own), draw(st.integers(0, 2))), 3)
        # Storm drops what is earned with a higher index where automata move together
        index = 0 if ref == "r" else draw(st.sampled_from([0, 0, 0, 1]))
        found[index, ref] = {"h": {"op": "¬", "exp": "h"}, "r": _number(draw, own)}.get(ref, changed)
    return [{"ref": ref, "value": value, "index": index} for (index, ref), value in sorted(found.items(), key=lambda entry: entry[0])]


@st.composite
def networks(draw: st.DrawFn) -> dict[str, Any]:
    size_ = draw(st.integers(1, 3))
    automata = []
    for k in range(size_):
        own, places = f"v{k}", ("l", "m")[: draw(st.integers(1, 2))]
        edges = []
        for _ in range(draw(st.integers(1, 4))):
            shares = draw(st.sampled_from([[None], [0.25, 0.75]]))
            destinations = [
                {"location": draw(st.sampled_from(places)), "assignments": _assignments(draw, k, own)}
                | ({} if share is None else {"probability": {"exp": share}})
                for share in shares
            ]
            compared = op(draw(st.sampled_from(["=", "<", "≤", "≠"])), _number(draw, own), _number(draw, own))
            guard = draw(st.sampled_from([None, "h", {"op": "¬", "exp": "h"}, compared]))
            edges.append(edge(draw(st.sampled_from(places)), *destinations, action=draw(st.sampled_from([None, "a", "b"])), guard=guard))
        automata.append(automaton(f"p{k}", edges, places, variables=[variable(own, integers(0, 2), draw(st.integers(0, 2)))]))
    vector = st.lists(st.sampled_from([None, "a", "b"]), min_size=size_, max_size=size_).filter(any)
    syncs = draw(st.lists(st.tuples(vector, st.sampled_from(["a", "b", "c"])), min_size=1, max_size=3))
    shared = [variable("g", integers(0, 2), 0), variable("h", "bool", False), variable("r", "int", 0, True)]
    type = draw(st.sampled_from(["mdp", "mdp", "dtmc"]))
    return model(automata, syncs, type, variables=shared) | {"actions": [{"name": name} for name in "abc"]}


@needs_storm
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(networks())
def test_storm_reads_networks_alike(document):
    import stormpy

    try:
        mdp = explore(read(document))
    except SpecError as caught:
        assume("nothing can happen" not in str(caught))
        raise
    parsed, _ = stormpy.parse_jani_model_from_string(json.dumps(document, ensure_ascii=False))
    options = stormpy.BuilderOptions()
    options.set_build_all_reward_models()
    built = stormpy.build_model(parsed, options=options)
    assert (built.nr_states, built.nr_choices, built.nr_transitions) == size(mdp)
    if document["type"] == "mdp" and any(mdp.rewards["r"].index):
        formula = stormpy.parse_properties('R{"r"}max=? [C<=4]')[0]
        value = stormpy.model_checking(built, formula).get_value(built.initial_states[0])
        assert value == pytest.approx(float(greatest(mdp, "r", 4)))
