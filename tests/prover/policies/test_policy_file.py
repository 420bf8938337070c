"""Policy files: written and read back, matching of rules, and every way to be malformed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsl.diagnostic import SpecError
from dsl.typecheck import load
from prover.policies.controller import Controller
from prover.policies.policy_file import MAX_DEPTH, parse, read, write
from prover.solve.evaluate import evaluate, trivial_plan
from prover.worlds.explore import explore
from prover.worlds.mdp import Mdp
from prover.worlds.objective import Stream
from prover.worlds.product import build
from tests.prover.build_spec import HALF, ONE, ZERO, Table, few, spec_file, tables
from tests.prover.solve.test_evaluate import controllers
from tests.prover.worlds.build import SPAN

SPEC = """\
enum Dir { north, south }
world Race {
  var x : 0..2 = 0
  var up : bool = true
  var d : Dir = north
  init { 1/2: x = 0; 1/2: x = 1 }
  action east when x < 2 { x' = x + 1 }
  action flip when x < 2 { up' = not up, d' = south }
  deadlock absorbs
}
policies Pi over Race
"""
HEAD = {"format": "twostep-policy 1", "world": "Race"}


@pytest.fixture
def mdp(tmp_path: Path) -> Mdp:
    spec, _ = load(spec_file(SPEC, tmp_path))
    return explore(spec.world("Race"))


def text(*rules: Any, **more: Any) -> str:
    return json.dumps({**HEAD, **more, "rules": list(rules)})


# ---------------------------------------------------------------- there and back


@few(60)
@given(st.data())
def test_what_is_written_reads_back_with_the_same_behaviour(data: st.DataObject) -> None:
    table = data.draw(tables(most=3, actions=2))
    controller = data.draw(controllers(table))
    mdp = table.mdp()
    document = json.dumps(write(controller, mdp))
    again = parse(document, mdp)
    streams = (
        Stream("W", "horizon", reward="pay", steps=3),
        Stream("W", "discount", reward="pay", factor=HALF),
        Stream("W", "recurrence", atom=0),
    )
    values = []
    for one in (controller, again):
        product = build(mdp, table.conditions(), streams, 3, one)
        values.append(evaluate(product, trivial_plan(product)))
    assert values[0] == values[1]
    assert json.dumps(write(again, mdp)) == json.dumps(write(parse(json.dumps(write(again, mdp)), mdp), mdp))


def test_one_node_is_written_without_nodes() -> None:
    table = Table(({"a": {1: ONE}, "b": {0: ONE}}, {"a": {1: ONE}}), {})
    controller = Controller(((ONE, 0, 0),), {(0, 0): (((0, HALF), (1, HALF)), {}), (0, 1): (((0, ONE),), {})})
    assert write(controller, table.mdp()) == {
        "format": "twostep-policy 1",
        "world": "W",
        "rules": [{"state": {"at": 0}, "action": {"a": "1/2", "b": "1/2"}}, {"state": {"at": 1}, "action": "a"}],
    }
    assert parse(json.dumps(write(controller, table.mdp())), table.mdp()) == controller


# ---------------------------------------------------------------- matching


def test_the_first_rule_that_applies_decides(mdp: Mdp) -> None:
    controller = parse(text({"state": {"x": 1}, "action": "flip"}, {"action": "east"}, {"action": "flip"}), mdp)
    played = {mdp.named(s)["x"]: mdp.actions[actions[0][0]] for (_, s), (actions, _) in controller.rules.items() if mdp.named(s)["up"]}
    assert played == {0: "east", 1: "flip"}


def test_values_are_spelled_as_readers_know_them(mdp: Mdp) -> None:
    controller = parse(
        text({"state": {"up": True, "d": "north"}, "action": "flip"}, {"state": {"up": False, "d": "south"}, "action": "east"}), mdp
    )
    assert {(mdp.named(s)["d"], mdp.actions[a[0][0]]) for (_, s), (a, _) in controller.rules.items() if mdp.named(s)["x"] != 2} == {
        ("north", "flip"),
        ("south", "east"),
    }


def test_nodes_starts_and_moves(mdp: Mdp) -> None:
    begin = [{"weight": "1/4", "node": "a"}, {"weight": "3/4", "node": "b", "state": {}}]
    rules = [
        {"node": "a", "action": "east", "next": [{"state": {"x": 1}, "node": "b"}]},
        {"node": "b", "action": {"east": "1", "flip": "0"}},
    ]
    controller = parse(text(*rules, start=begin), mdp)
    assert [sorted(w for w, n in controller.starts(s)) for s, _ in mdp.initial] == [[HALF / 2, 3 * HALF / 2]] * 2
    first = controller.start[0][2]
    state = mdp.initial[0][0]
    assert set(controller.rule(first, state)[1].values()) == {controller.start[1][2]}
    assert controller.rule(controller.start[1][2], state)[0] == ((mdp.actions.index("east"), ONE),)


def test_the_world_may_be_left_out(mdp: Mdp) -> None:
    assert parse(json.dumps({"format": HEAD["format"], "rules": [{"action": "east"}]}), mdp).is_deterministic


# ---------------------------------------------------------------- malformed

EAST = {"action": "east"}
MALFORMED = {
    "not JSON": ("{", "not JSON"),
    "empty": ("", "not JSON"),
    "a list": ("[]", "top level"),
    "no format": (json.dumps({"rules": [EAST]}), "top level"),
    "another format": (json.dumps({"format": "twostep-policy 2", "rules": [EAST]}), "top level"),
    "unknown key": (text(EAST, extra=1), "unknown key `extra`"),
    "another world": (text(EAST, world="Boat"), "it is for world Boat"),
    "no rules": (json.dumps(HEAD), "`rules` must be a list"),
    "rules no list": (json.dumps({**HEAD, "rules": {}}), "`rules` must be a list"),
    "start no list": (text(EAST, start={}), "`start` must be a list"),
    "next no list": (text({**EAST, "next": "1"}), "`next` must be a list"),
    "rule no object": (text("east"), "must be an object"),
    "rule's key": (text({**EAST, "when": {}}), "unknown key `when`"),
    "next's key": (text({**EAST, "next": [{"weight": "1"}]}), "unknown key `weight`"),
    "start's key": (text(EAST, start=[{"action": "east"}]), "unknown key `action`"),
    "node a number": (text({**EAST, "node": 1}), "named by a string"),
    "state no object": (text({**EAST, "state": [0]}), "`state` must be an object"),
    "unknown variable": (text({**EAST, "state": {"y": 0}}), "`y` is not a variable"),
    "boolean for a number": (text({**EAST, "state": {"x": True}}), "is not a value of `x`"),
    "number for a boolean": (text({**EAST, "state": {"up": 1}}), "is not a value of `up`"),
    "out of range": (text({**EAST, "state": {"x": 3}}), "is not a value of `x`"),
    "no such member": (text({**EAST, "state": {"d": "west"}}), "is not a value of `d`"),
    "member by number": (text({**EAST, "state": {"d": 0}}), "is not a value of `d`"),
    "no action": (text({"state": {}}), "`action` must be"),
    "empty action": (text({"action": {}}), "`action` must be"),
    "unknown action": (text({"action": "west"}), "`west` is not an action"),
    "number as probability": (text({"action": {"east": 1}}), "a probability is a string"),
    "float": ('{"format": "twostep-policy 1", "rules": [{"action": {"east": 0.5, "flip": 0.5}}]}', "is not a number here"),
    "NaN": ('{"format": "twostep-policy 1", "rules": [{"action": {"east": NaN}}]}', "is not a number here"),
    "negative": (text({"action": {"east": "-1", "flip": "2"}}), "a probability is a string"),
    "decimal": (text({"action": {"east": "0.5", "flip": "0.5"}}), "a probability is a string"),
    "over 1": (text({"action": {"east": "3/2"}}), "more than 1"),
    "division by 0": (text({"action": {"east": "1/0"}}), "not a probability"),
    "two slashes": (text({"action": {"east": "1/2/3"}}), "not a probability"),
    "empty probability": (text({"action": {"east": ""}}), "not a probability"),
    "sum below 1": (text({"action": {"east": "1/2", "flip": "1/3"}}), "do not sum to 1"),
    "sum above 1": (text({"action": {"east": "1/2", "flip": "2/3"}}), "do not sum to 1"),
    "start's sum": (text(EAST, start=[{"weight": "1/2"}]), "`start` weights"),
    "start for one state": (text(EAST, start=[{"state": {"x": 0}}]), "`start` weights"),
    "key twice": ('{"format": "twostep-policy 1", "rules": [], "rules": [{"action": "east"}]}', "names one key twice"),
    "deep": ('{"format": "twostep-policy 1", "rules": ' + "[" * MAX_DEPTH + "]" * MAX_DEPTH + "}", "nested too deeply"),
    "absurd digits": (text({"action": {"east": "1" * 20_000}}), "a probability is a string"),
}


def code_of(path: Path, mdp: Mdp, root: Path | None = None) -> tuple[str, str]:
    with pytest.raises(SpecError) as error:
        read(path, root or path.parent, mdp, SPAN)
    (diagnostic,) = error.value.diagnostics
    return diagnostic.code, diagnostic.message


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed(name: str, mdp: Mdp, tmp_path: Path) -> None:
    content, reason = MALFORMED[name]
    path = tmp_path / "p.json"
    path.write_text(content, encoding="utf-8")
    code, message = code_of(path, mdp)
    assert code == "E511"
    assert reason in message
    assert "p.json" in message
    assert str(tmp_path) not in message


def test_an_action_that_is_not_enabled_where_it_is_played(tmp_path: Path) -> None:
    text_ = SPEC.replace("action flip when x < 2", "action flip when x == 0")
    spec, _ = load(spec_file(text_, tmp_path))
    path = tmp_path / "p.json"
    path.write_text(text({"action": "flip"}), encoding="utf-8")
    code, message = code_of(path, explore(spec.world("Race")))
    assert code == "E511"
    assert "`flip` is not enabled in x = 1" in message


def test_silence_for_a_reachable_state(mdp: Mdp, tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    path.write_text(text({"state": {"x": 0}, "action": "east"}), encoding="utf-8")
    code, message = code_of(path, mdp)
    assert code == "E512"
    assert "x = 1" in message


def test_states_that_are_not_reached_need_no_rule(mdp: Mdp) -> None:
    parse(text({"state": {"up": True}, "action": "east"}), mdp)


@pytest.mark.parametrize("name", ["missing.json", ".", "../outside.json", "loop.json", "link.json"])
def test_files_that_cannot_be_read(name: str, mdp: Mdp, tmp_path: Path) -> None:
    root = tmp_path / "inside"
    root.mkdir()
    (tmp_path / "outside.json").write_text(text(EAST), encoding="utf-8")
    (root / "loop.json").symlink_to(root / "loop.json")
    (root / "link.json").symlink_to(tmp_path / "outside.json")
    assert code_of(root / name, mdp, root)[0] == "E510"


def test_bytes_that_are_no_text(mdp: Mdp, tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    path.write_bytes(b'{"format": "\xff"}')
    assert code_of(path, mdp)[0] == "E511"


def test_a_start_of_weight_nothing_is_kept_out_of_the_way(mdp: Mdp) -> None:
    controller = parse(text(EAST, start=[{"weight": "1", "node": "0"}, {"weight": "0", "node": "ghost"}]), mdp)
    assert {n for w, _, n in controller.start if w == ZERO} & {n for n, _ in controller.rules} == set()
