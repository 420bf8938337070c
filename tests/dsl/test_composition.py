"""Parallel composition against its definition, worked out by hand from what the components can do; parameters; names of parts."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import prod
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsl import spec
from dsl.diagnostic import SpecError
from dsl.lint import lint
from dsl.parse import parse
from dsl.semantics import Choice, EvaluationError, enabled, evaluate, initial_states, reward
from dsl.source import Source
from dsl.typecheck import check, load

State = dict[str, bool | int]


def typed(text: str) -> spec.Spec:
    source = Source("test", text)
    return check(parse(source), source)


def refused(text: str) -> list[str]:
    with pytest.raises(SpecError) as error:
        typed(text)
    return [d.code for d in error.value.diagnostics]


# ---------------------------------------------------------------- the definition


def separate(state: State) -> dict[str, State]:
    """A state of the composed world -> the states of its components."""
    parts: dict[str, State] = {}
    for name, value in state.items():
        component, _, variable = name.partition("::")
        parts.setdefault(component, {})[variable] = value
    return parts


def joined(parts: dict[str, State]) -> State:
    return {f"{component}::{name}": value for component, state in parts.items() for name, value in state.items()}


def alone(world: spec.World, state: State) -> dict[str, Choice]:
    """The choices of a component, where it may also have none."""
    try:
        return {choice.action: choice for choice in enabled(world, state) if choice.action != "(deadlock)"}
    except EvaluationError as error:
        if error.code != "E303":
            raise
        return {}


def composed_choices(components: dict[str, spec.World], state: State) -> dict[str, dict[tuple[tuple[str, bool | int], ...], Fraction]]:
    """Action -> successor -> probability: whoever names the action moves, and all of them can; the others keep their states."""
    states = separate(state)
    can = {name: alone(world, states[name]) for name, world in components.items()}
    names = {name: {action.name for action in world.actions} for name, world in components.items()}
    result: dict[str, dict[tuple[tuple[str, bool | int], ...], Fraction]] = {}
    for action in set().union(*names.values()):
        moving = [name for name in components if action in names[name]]
        if not all(action in can[name] for name in moving):
            continue
        successors: dict[tuple[tuple[str, bool | int], ...], Fraction] = {}
        for combination in product(*(can[name][action].outcomes for name in moving)):
            after = {**states, **{name: outcome[0] for name, outcome in zip(moving, combination, strict=True)}}
            key = tuple(sorted(joined(after).items()))
            successors[key] = successors.get(key, Fraction(0)) + prod((p for _, p in combination), start=Fraction(1))
        result[action] = successors
    return result


def reachable(world: spec.World, most: int = 60) -> list[State]:
    found = {tuple(state.values()): state for state, _ in initial_states(world)}
    todo = list(found.values())
    while todo and len(found) < most:
        for choice in enabled(world, todo.pop()):
            for after, _ in choice.outcomes:
                if found.setdefault(tuple(after.values()), after) is after:
                    todo.append(after)
    return list(found.values())


def check_definition(whole: spec.World, components: dict[str, spec.World]) -> None:
    starts = [initial_states(component) for component in components.values()]
    expected: dict[tuple[tuple[str, bool | int], ...], Fraction] = {}
    for combination in product(*starts):
        key = tuple(sorted(joined(dict(zip(components, (s for s, _ in combination), strict=True))).items()))
        expected[key] = expected.get(key, Fraction(0)) + prod((p for _, p in combination), start=Fraction(1))
    assert {tuple(sorted(state.items())): p for state, p in initial_states(whole)} == expected
    for state in reachable(whole):
        found = {c.action: {tuple(sorted(after.items())): p for after, p in c.outcomes} for c in enabled(whole, state)}
        assert found.pop("(deadlock)", None) is None or not found
        assert found == composed_choices(components, state)
        for component, world in components.items():
            here = separate(state)[component]
            for label in world.labels:
                meaning = next(each for each in whole.labels if each.name == f"{component}::{label.name}")
                assert evaluate(meaning.condition, state) == evaluate(label.condition, here)
            for choice in enabled(whole, state):
                for after, _ in choice.outcomes:
                    for earned in world.rewards:
                        own = reward(world, earned.name, here, Choice(choice.action, ()), separate(after)[component])
                        assert reward(whole, f"{component}::{earned.name}", state, choice, after) == own


# ---------------------------------------------------------------- random components


@st.composite
def component(draw: st.DrawFn, name: str) -> str:
    """A world over x and y, with actions of the names a to d, alternatives of one name included."""
    lines = [f"  var x : 0..3 = {draw(st.integers(0, 3))}", "  var y : bool = false"]
    if draw(st.booleans()):
        lines.append(draw(st.sampled_from(["  init uniform x < 2", "  init { 1/3: x = 1, y = true; 2/3: y = false }"])))
    actions = draw(st.lists(st.sampled_from("abcd"), min_size=1, max_size=4, unique=True))
    for action in actions:
        bound = draw(st.integers(0, 3))
        steps = {"up": "x' = (x + 1) mod 4", "flip": "y' = not y", "both": "x' = 3 - x, y' = x == 1", "stay": "stay"}
        first, second = (steps[draw(st.sampled_from(sorted(steps)))] for _ in range(2))
        outcomes = draw(st.sampled_from([first, f"1/3: {first}; 2/3: {second}", f"1/4 * x: {first}; 1 - 1/4 * x: {second}"]))
        guard = draw(st.sampled_from(["", " when y", f" when x <= {bound}"]))
        lines.append(f"  action {action}{guard} {{ {outcomes} }}")
        if "x" in guard:
            lines.append(f"  action {action} when x > {bound} and y {{ {second} }}")
    lines += ["  deadlock absorbs", f"  label far = x >= {draw(st.integers(0, 3))} and y"]
    lines.append(f"  reward r {{ [{actions[0]}] when x' > x: 2; [{actions[-1]}]: 1/2; when y: x }}")
    return "\n".join([f"world {name} {{", *lines, "}"])


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_composition_is_what_its_definition_says(data: st.DataObject) -> None:
    a, b, c = (data.draw(component(name)) for name in ("A", "B", "C"))
    found = typed(f"{a}\n{b}\n{c}\nworld AB = A || B\nworld W = B || A as a || C\nworld N = AB as ab || C")
    worlds = {world.name: world for world in found.worlds}
    check_definition(worlds["AB"], {"A": worlds["A"], "B": worlds["B"]})
    check_definition(worlds["W"], {"B": worlds["B"], "a": worlds["A"], "C": worlds["C"]})
    check_definition(worlds["N"], {"ab": worlds["AB"], "C": worlds["C"]})


# ---------------------------------------------------------------- parameters and names

ROBOT = """
enum Pace { slow, fast }
world Robot(id : int, pace : Pace, chance : rational) {
  var pos : 0..4 + id = id
  action move[id] when pos < 4 { chance: pos' = pos + 1; 1 - chance: stay }
  action tick when pace == fast or pos < 3 { stay }
  label start = pos == id
  for i in 0..id { label at[i] = pos == i }
  reward steps { [move[id]]: 1; [tick]: id }
}
"""


def test_parameters_are_constants() -> None:
    world = typed(ROBOT + "world One = Robot(2 - 1, fast, 1/2)").worlds[0]
    assert [(v.name, str(v.type), v.initial) for v in world.variables] == [("pos", "0..5", 1)]
    assert [a.name for a in world.actions] == ["move[1]", "tick"]
    assert [label.name for label in world.labels] == ["start", "at[0]", "at[1]"]
    assert world.rewards[0].clauses[0].action == "move[1]"
    state = initial_states(world)[0][0]
    assert [p for _, p in enabled(world, state)[0].outcomes] == [Fraction(1, 2)] * 2


def test_compositions_have_parameters_too() -> None:
    found = typed(ROBOT + "world Pair(n : int) = Robot(n, fast, 1) as left || Robot(n + 1, slow, 1) as right\nworld P = Pair(1)")
    world = found.worlds[0]
    assert [v.name for v in world.variables] == ["left::pos", "right::pos"]
    assert [v.initial for v in world.variables] == [1, 2]
    assert [(a.name, isinstance(a, spec.Synchronised)) for a in world.actions] == [("move[1]", False), ("tick", True), ("move[2]", False)]


PAIR = ROBOT + "world W = Robot(0, fast, 1) as a || Robot(1, slow, 1) as b || Door\n"
DOOR = """world Door {
  var open : bool = false
  action tick { open' = not open }
  action idle { stay }
  label shut = not open
  reward r { [tick]: 1 }
}
"""


def until(statement: spec.Claim | spec.Find | spec.Assume) -> spec.Expr:
    """The condition in ``E[r, until condition](p) <= 1``."""
    match statement.body:
        case spec.Quantified(body=spec.Compare(linear=spec.Linear(terms=((_, spec.Value(objective=spec.Expected(mode=mode))),)))):
            assert isinstance(mode, spec.UntilState)
            return mode.condition.condition
    raise AssertionError(statement)


@pytest.mark.parametrize(
    ("phi", "same"),
    [
        ("open", "Door::open"),
        ("shut", "not open"),
        ("Door::shut", "not Door::open"),
        ("a::pos == 1", "1 == a::pos"),
        ("b::at[1]", "b::pos == 1"),
        ("a::start", "a::at[0]"),
        ("b::at[b::pos]", "if b::pos == 0 then b::at[0] else b::at[1]"),
    ],
)
def test_parts_of_components(phi: str, same: str) -> None:
    claims = [f"claim c{k}: forall p : Pi. E[r, until {each}](p) <= 1" for k, each in enumerate((phi, same))]
    found = typed(DOOR + PAIR + "\n".join(["policies Pi over W", *claims]))
    world = found.world("W")
    left, right = (until(statement) for statement in found.statements)
    for state in reachable(world):
        try:
            assert evaluate(left, state) == evaluate(right, state)
        except EvaluationError as error:
            if error.code != "E306" or int(state["b::pos"]) <= 1:
                raise


def test_actions_and_rewards_of_components() -> None:
    found = typed(
        DOOR
        + PAIR
        + "policies Pi over W { observes a::pos, open }\n"
        + "policy p : Pi = { when a::pos == 0: move[0]; when open: a::move[0]; else: { 1/2: b::tick; 1/2: move[1] } }\n"
        + "score J(pi : Pi) = E[r, horizon 3] + E[Door::r, horizon 2] + E[b::steps, horizon 3]\n"
    )
    policy = found.policies[0].body
    assert isinstance(policy, spec.TablePolicy)
    assert [[action for _, action in rule.actions] for rule in policy.rules] == [["move[0]"], ["move[0]"], ["tick", "move[1]"]]
    assert found.policy_types[0].observes == ("a::pos", "Door::open")
    rewards = [objective.reward for _, objective in found.scores[0][1].body if isinstance(objective, spec.Expected)]
    assert rewards == ["Door::r", "Door::r", "b::steps"]


def test_short_names_reach_into_compositions_of_compositions() -> None:
    text = DOOR + ROBOT + "world In = Robot(0, fast, 1) as a || Door\nworld Out = In || Robot(1, slow, 1) as a\n"
    observed = typed(text + "policies Pi over Out { observes In::a::pos, a::pos, open }").policy_types[0].observes
    assert observed == ("In::a::pos", "a::pos", "In::Door::open")
    assert refused(text + "policies Pi over Out { observes pos }") == ["E217"]
    assert refused(text + "policies Pi over Out { observes open, Door::open }") == ["E202"]


def test_a_deadlock_absorbs_if_all_components_say_so() -> None:
    text = "world A {\n  var x : bool = false\n  action a when not x { x' = true }\n  deadlock absorbs\n}\n"
    other = text.replace("world A", "world B").replace("action a", "action b")
    world = typed(text + other + "world W = A || B").world("W")
    assert [c.action for c in enabled(world, {"A::x": True, "B::x": True})] == ["(deadlock)"]
    assert [c.action for c in enabled(world, {"A::x": True, "B::x": False})] == ["b"]
    strict = typed(text + other.replace("  deadlock absorbs\n", "") + "world W = A || B").world("W")
    with pytest.raises(EvaluationError) as error:
        enabled(strict, {"A::x": True, "B::x": True})
    assert error.value.code == "E303"


def test_initial_distributions_multiply() -> None:
    start = "world {} {{\n  var x : 0..3\n  init {}\n  action {} {{ stay }}\n}}\n"
    text = (
        start.format("A", "{ 1/3: x = 0; 2/3: x = 1 }", "a")
        + start.format("B", "uniform x > 0", "b")
        + start.format("C", "uniform x < 2", "c")
    )
    found = typed(text + "world AB = A || B\nworld BC = B || C\nworld ABC = BC || A")
    for name, states in (("AB", 6), ("BC", 6), ("ABC", 12)):
        initial = initial_states(found.world(name))
        assert len(initial) == states
        assert sum(p for _, p in initial) == 1
    assert {(s["A::x"], s["B::x"]): p for s, p in initial_states(found.world("AB"))} == {
        (a, b): Fraction(a + 1, 9) for a in (0, 1) for b in (1, 2, 3)
    }
    assert isinstance(found.world("BC").init, spec.InitUniform)


def test_a_single_instance_keeps_its_names() -> None:
    found = typed(ROBOT + "world One = Robot(0, fast, 1)\nworld Two = Robot(0, fast, 1) as a")
    assert [[v.name for v in world.variables] for world in found.worlds] == [["pos"], ["a::pos"]]


def test_errors_in_a_world_with_parameters_are_reported_once() -> None:
    text = "world R(n : int) {\n  var x : 0..n = n + 1\n  action a { y' = 1 }\n}\nworld W = R(1) as a || R(1) as b || R(1) as c"
    assert sorted(refused(text)) == ["E203", "E322"]


def test_doubling_compositions_are_refused_in_time() -> None:
    lines = ["world W0 {\n  var x : bool = false\n  action a { stay }\n}"]
    lines += [f"world W{k + 1} = W{k} as a || W{k} as b" for k in range(40)]
    assert refused("\n".join(lines)) == ["E215"]


# ---------------------------------------------------------------- imported components and lint

LAMP = """mdp
module lamp
  on : bool init false;
  [{}] true -> 0.9 : (on'=!on) + 0.1 : true;
endmodule
label "lit" = on;
rewards "cost"
  [turn] true : 2;
endrewards
"""
ROOM = """world Lamp = prism "lamp.prism"
world Hand {
  var tired : bool = false
  action turn when not tired { tired' = true }
  action rest when tired { tired' = false }
}
world Room = Lamp || Hand
policies Pi over Room { observes on, tired }
score J(pi : Pi) = E[cost, horizon 3] + P[F lit]
"""


def test_an_imported_world_is_a_component_if_its_commands_are_named(tmp_path: Path) -> None:
    (tmp_path / "root.spec").write_text(ROOM, encoding="utf-8")
    (tmp_path / "lamp.prism").write_text(LAMP.format("turn"), encoding="utf-8")
    world = load(tmp_path / "root.spec")[0].world("Room")
    state = {"Lamp::on": False, "Hand::tired": False}
    (choice,) = enabled(world, state)
    assert [(after["Lamp::on"], p) for after, p in choice.outcomes] == [(True, Fraction(9, 10)), (False, Fraction(1, 10))]
    assert reward(world, "Lamp::cost", state, choice, choice.outcomes[0][0]) == 2
    (tmp_path / "lamp.prism").write_text(LAMP.format("").replace("[turn]", "[]"), encoding="utf-8")
    with pytest.raises(SpecError) as error:
        load(tmp_path / "root.spec")
    assert [d.code for d in error.value.diagnostics] == ["E221"]


def test_lint_points_at_patterns_that_nothing_uses() -> None:
    text = DOOR + "world R(n : int) {\n  action wait { stay }\n}\npolicies Pi over Door\nclaim c: forall p : Pi. E[r, horizon 2](p) <= 2"
    source = Source("test", text)
    file = parse(source)
    found = [d.message for d in lint(file, check(file, source))]
    assert "world R has parameters and is nowhere given any, so it is not checked" in found
