"""What a spec can call the parts of an imported model, and which text of a model is refused where."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from dsl import spec
from dsl.diagnostic import SpecError
from dsl.parse import parse
from dsl.semantics import evaluate
from dsl.source import Source
from dsl.typecheck import check, load
from prover.pipeline import prove
from prover.verdict import Proved, Refuted

WALK = """mdp
const int n;
module walk
  x : [0..n];
  goal : bool;
  [step] x<n & !goal -> 0.5 : (x'=x+1) + 0.5 : (goal'=true);
  [step] x=1 & !goal -> (x'=0);
  [] x=n & !goal -> (goal'=true);
  [] x=n & !goal -> (x'=0);
  [one] goal & x<n -> (x'=n);
endmodule
module timer
  t : [0..5];
  [step] t<5 -> (t'=t+1);
  [step] t<4 -> (t'=t+2);
endmodule
label "goal" = goal & x=n;
label "G" = x>0;
label "half way" = 2*x>=n;
rewards
  [step] true : 1;
endrewards
rewards "reward"
  true : 2;
endrewards
"""


def write(folder: Path, model: str, spec_text: str, settings: str = "") -> Path:
    (folder / "model.prism").write_text(model, encoding="utf-8")
    (folder / "root.spec").write_text(f'world W = prism "model.prism"{settings}\npolicies Pi over W\n{spec_text}', encoding="utf-8")
    return folder / "root.spec"


def world(folder: Path, model: str = WALK, settings: str = " { n = 2 }") -> spec.World:
    return load(write(folder, model, "", settings))[0].world("W")


def complaints(folder: Path, model: str, settings: str = "") -> list[tuple[str, int, int]]:
    """Code, line and column, those in the model."""
    with pytest.raises(SpecError) as error:
        load(write(folder, model, "", settings))
    assert {Path(d.span.file).name for d in error.value.diagnostics} == {"model.prism"}
    return [(d.code, d.span.line, d.span.column) for d in error.value.diagnostics]


# ---------------------------------------------------------------- names


def test_names(tmp_path):
    found = world(tmp_path)
    assert [v.name for v in found.variables] == ["x", "goal", "t"]
    assert [a.name for a in found.actions] == ["step", "walk#1", "walk#2", "one"]
    assert [label.name for label in found.labels] == ['"goal"', "G", "half way", "init", "deadlock"]
    assert [r.name for r in found.rewards] == ["reward#2", "reward"]
    assert found.notes == ('world W is the PRISM model "model.prism" with n = 2, as this importer reads it',)


def test_a_module_called_like_an_action(tmp_path):
    model = "mdp module go x : bool; [go] x -> true; [go] !x -> true; [] x -> true; [] !x -> true; endmodule"
    assert [a.name for a in world(tmp_path, model, "").actions] == ["go#1", "go#2", "go##1", "go##2"]


def test_names_in_claims_and_policies(tmp_path):
    statements = """score Steps(pi : Pi) = E[`reward#2`, total]
property Home(pi : Pi) = P[F `"goal"`] >= 1/4
policy p : Pi = { when goal and x < 2: one; when x == 2: `walk#1`; when x == 1: `step#2.1`; else: `step#1.1` }
claim labels: forall pi : Pi. P[F (goal and x == 2)](pi) == P[F `"goal"`](pi) and P[X (`G` or goal)](pi) == 1
claim half: forall pi : Pi. P[F `half way`](pi) >= 1/2
claim stuck: P[F (`deadlock` and not goal)](p) > 0
claim begins: forall pi : Pi. P[`init`](pi) == 1
claim steps: Steps(p) == 5/2
claim more: Steps(p) > 5/2
"""
    report = prove(write(tmp_path, WALK, statements, " { n = 2 }"))
    assert not report.diagnostics
    verdicts = {result.name: type(result.verdict) for result in report.results}
    assert verdicts == {"labels": Proved, "half": Proved, "stuck": Proved, "begins": Proved, "steps": Proved, "more": Refuted}


def test_numbers_of_commands_that_do_not_exist(tmp_path):
    with pytest.raises(SpecError) as error:
        load(write(tmp_path, WALK, "policy p : Pi = { when x > 0: `walk#3`; else: `step#` }\n", " { n = 2 }"))
    assert [d.code for d in error.value.diagnostics] == ["E212", "E212"]


def test_state_rewards_in_deadlocks_count(tmp_path):
    model = """mdp module m x : [0..1]; [a] x=0 -> (x'=1); endmodule rewards "r" true : 1; [a] true : 1; [] true : 50; endrewards"""
    report = prove(write(tmp_path, model, "claim total_of_r: forall pi : Pi. E[r, horizon 4](pi) == 5\n"))
    assert [type(result.verdict) for result in report.results] == [Proved]


def test_several_initial_states(tmp_path):
    found = world(tmp_path, "mdp module m x : [0..3]; y : bool; [a] y -> (x'=0); endmodule init y & x>1 endinit", "")
    assert found.init is not None
    assert "same probability" in found.notes[1]
    assert [(v.name, v.initial) for v in found.variables] == [("x", None), ("y", True)]
    one = world(tmp_path, "mdp module m x : [0..3]; y : bool; [a] y -> (x'=0); endmodule init !y & 2=x endinit", "")
    assert one.init is None
    assert [v.initial for v in one.variables] == [2, False]


# ---------------------------------------------------------------- expressions


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.1+0.2", Fraction(3, 10)),
        ("1e-2", Fraction(1, 100)),
        (".5", Fraction(1, 2)),
        ("1/3", Fraction(1, 3)),
        ("7-2-1", 4),
        ("8/4/2", Fraction(1)),
        ("-2*3+1", -5),
        ("mod(-7,3)", 2),
        ("floor(-1/2)", -1),
        ("ceil(-1/2)", 0),
        ("round(-5/2)", -2),
        ("round(5/2)", 3),
        ("round(2)", 2),
        ("pow(2,10)", 1024),
        ("pow(2.0,-2)", Fraction(1, 4)),
        ("func(pow,3,2)", 9),
        ("min(3,1/2,2)", Fraction(1, 2)),
        ("max(3)", 3),
        ("log(8,2)", Fraction(3)),
        ("log(1/9,3)", Fraction(-2)),
        ("floor(log(10,2))", 3),
        ("ceil(log(10,2))", 4),
        ("floor(log(1/10,1/2))", 3),
        ("true ? 1 : false ? 2 : 3", 1),
        ("false ? 1 : false ? 2 : 3", 3),
        ("(true | false & false) ? 1 : 0", 1),  # & before |
        ("(!true & false) ? 1 : 0", 0),  # ! before &
        ("(!1=2) ? 1 : 0", 1),  # = before !
        ("(true <=> false => false) ? 1 : 0", 1),  # <=> before =>
        ("(false => true => false) ? 1 : 0", 0),  # to the left
        ("(1<2 = true) ? 1 : 0", 1),  # < before =
    ],
)
def test_values(tmp_path, text, value):
    found = world(tmp_path, f"mdp const double c = {text}; module m x : bool; [] true -> true; endmodule rewards true : c; endrewards", "")
    assert evaluate(found.rewards[0].clauses[0].value, {"x": False}) == value


@pytest.mark.parametrize(("base", "state"), [("pow(2,x)", 3), ("pow(x,2)", 3), ("pow(0.5,x-1)", 0), ("mod(7,x)", 2), ("mod(-7,x)", 3)])
def test_values_that_depend_on_the_state(tmp_path, base, state):
    model = f"mdp module m x : [0..5]; [] true -> true; endmodule rewards true : {base}; endrewards"
    value = evaluate(world(tmp_path, model, "").rewards[0].clauses[0].value, {"x": state})
    expected = {"pow(2,x)": 8, "pow(x,2)": 9, "pow(0.5,x-1)": 2, "mod(7,x)": 1, "mod(-7,x)": 2}
    assert value == expected[base]


def test_functions_are_renamed_too(tmp_path):
    model = """mdp
module m
  x : [0..5];
  [] x<2 -> (x'=min(x+1,3));
endmodule
module n = m [ x=y, min=max ] endmodule
"""
    actions = world(tmp_path, model, "").actions
    values = [evaluate(a.outcomes[0].assignments[0].value, {"x": 0, "y": 0}) for a in actions if isinstance(a, spec.Action)]
    assert values == [1, 3]


# ---------------------------------------------------------------- what is refused


def declared(text: str) -> str:
    return f"mdp\nmodule m\n  x : [0..5]; b : bool;\n  [a] x<5 -> (x'=x+1);\n{text}\nendmodule\n"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("[] b = !b -> true;", ("E521", 5, 8)),
        ("[] b ? x=1 ? b : b : b -> true;", ("E521", 5, 12)),
        ("[] x^2 > 1 -> true;", ("E521", 5, 5)),
        ("[] true -> (x'=1), (b'=true);", ("E521", 5, 18)),
        ("[] true -> (x'=1) + 0.5 : (x'=2);", ("E521", 5, 12)),
        ("[] neg(x) > 1 -> true;", ("E524", 5, 4)),
        ("[] true -> (x'=1) & (x'=2);", ("E321", 5, 21)),
        ("[] true -> 0.5 : (x'=1) + 0.6 : (x'=2);", ("E302", 5, 1)),
        ("[] log(x,2) > 1 -> true;", ("E523", 5, 4)),
        ("[] mod(x,0-1) = 1 -> true;", ("E525", 5, 10)),
        ("[] mod(1/2,2) = 1 -> true;", ("E525", 5, 8)),
        ("[] pow(2,-1) = 1 -> true;", ("E525", 5, 4)),
        ("y : [3..1];", ("E216", 5, 6)),
        ("y : [0..2] init 4;", ("E322", 5, 17)),
        ("y : clock;", ("E523", 5, 5)),
        ("invariant x<2 endinvariant", ("E523", 5, 1)),
        ("mdp : bool;", ("E521", 5, 1)),
    ],
)
def test_one_mistake(tmp_path, text, found):
    assert complaints(tmp_path, declared(text)) == [found]


@pytest.mark.parametrize(
    ("kind", "code"), [("ctmc", "E523"), ("pta", "E523"), ("pomdp", "E523"), ("popta", "E523"), ("smg", "E523"), ("stochastic", "E523")]
)
def test_kinds_of_models(tmp_path, kind, code):
    assert complaints(tmp_path, declared("").replace("mdp", kind, 1)) == [(code, 1, 1)]


@pytest.mark.parametrize(
    ("kind", "chain"), [("mdp", False), ("nondeterministic", False), ("dtmc", True), ("probabilistic", True), ("", False)]
)
def test_kinds_that_are_read(tmp_path, kind, chain):
    assert world(tmp_path, declared("").replace("mdp", kind, 1), "").chain is chain


def test_every_mistake_once_and_at_most_two_hundred(tmp_path):
    assert len(complaints(tmp_path, declared("[] y=1 -> true;\n" * 300))) == 200
    model = "mdp\nformula f = y;\nmodule m\n  x : bool;\n  [] f -> true;\nendmodule\nmodule n = m [ x=z ] endmodule\n"
    assert complaints(tmp_path, model) == [("E524", 2, 13)]


def test_a_state_in_which_the_model_makes_no_sense(tmp_path):
    report = prove(write(tmp_path, declared("[] x=5 -> (x'=x+1);"), "claim c: forall pi : Pi. P[F x == 5](pi) <= 1\n"))
    assert [(d.code, Path(d.span.file).name, d.span.line) for d in report.diagnostics] == [("E301", "model.prism", 5)]
    assert any(Path(name).name == "model.prism" for name in report.sources)


@pytest.mark.parametrize("written", ["../model.prism", "/etc/hostname", "missing.prism", "", "."])
def test_files_outside_the_tree(tmp_path, written):
    inside = tmp_path / "inside"
    inside.mkdir()
    (tmp_path / "model.prism").write_text(WALK, encoding="utf-8")
    (inside / "root.spec").write_text(f'world W = prism "{written}"\n', encoding="utf-8")
    with pytest.raises(SpecError) as error:
        load(inside / "root.spec")
    assert [d.code for d in error.value.diagnostics] in (["E501"], ["E502"], ["E505"])


def test_files_below_and_beside(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "model.prism").write_text(WALK, encoding="utf-8")
    (tmp_path / "sub" / "part.spec").write_text('world V = prism "model.prism" { n = 1 }\n', encoding="utf-8")
    (tmp_path / "root.spec").write_text('import "sub/part.spec"\nworld W = prism "./sub/model.prism" { n = 2 }\n', encoding="utf-8")
    found, sources = load(tmp_path / "root.spec")
    assert [w.name for w in found.worlds] == ["V", "W"]
    assert str(tmp_path / "sub" / "model.prism") in sources


# ---------------------------------------------------------------- settings


OPEN = """mdp const int n; const double p; const bool b; const int twice = 2*n;
module m x : [0..twice]; [] b -> p : (x'=n) + 1-p : true; endmodule
"""


def test_settings_are_expressions_of_the_spec(tmp_path):
    found = load(
        write(tmp_path, OPEN, "const k = 3\ndef half(x : rational) : rational = x / 2\n", " { n = k - 1, p = half(1/2); b = k > 2 }")
    )[0].world("W")
    assert str(found.variables[0].type) == "0..4"
    assert found.notes[0].endswith("with n = 2, p = 1/4, b = true, as this importer reads it")
    (action,) = found.actions
    assert isinstance(action, spec.Action)
    assert [str(evaluate(o.probability, {})) for o in action.outcomes] == ["1/4", "3/4"]


@pytest.mark.parametrize(
    ("settings", "codes"),
    [
        ("", ["E522", "E522", "E522"]),
        (" { n = 1/2; p = true; b = 1 }", ["E522", "E522", "E522"]),
        (" { n = 4/2; p = 1; b = true }", []),
        (" { n = 1; n = 2; p = 1; b = true }", ["E522"]),
        (" { n = 1; p = 1; b = true; twice = 2; m = 1 }", ["E522", "E522"]),
        (" { n = m; p = 1; b = true }", ["E201"]),
    ],
)
def test_settings(tmp_path, settings, codes):
    path = write(tmp_path, OPEN, "", settings)
    if not codes:
        load(path)
        return
    with pytest.raises(SpecError) as error:
        load(path)
    assert [d.code for d in error.value.diagnostics] == codes
    assert all(d.span.file == str(path) for d in error.value.diagnostics)


def test_a_text_that_is_no_file_has_no_models():
    with pytest.raises(SpecError) as error:
        check(parse(Source("text", 'world W = prism "model.prism"\n')), Source("text", ""))
    assert [d.code for d in error.value.diagnostics] == ["E501"]


def test_bytes_that_are_no_text(tmp_path):
    write(tmp_path, OPEN, "")
    (tmp_path / "model.prism").write_bytes(b"mdp // caf\xe9\n")
    with pytest.raises(SpecError) as error:
        load(tmp_path / "root.spec")
    assert [(d.code, d.span.line, d.span.column) for d in error.value.diagnostics] == [("E101", 1, 11)]
