"""The formatter: the tree survives, the text is a fixed point, no comment is lost."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsl import format as formatter
from dsl import syntax
from dsl.build import number_value
from dsl.lexer import OPENERS, lex
from dsl.page import WIDTH
from dsl.parse import grammar_table, parse
from dsl.source import Source, Span
from tests.dsl.specs import BOAT_RACE, EVERYTHING

HERE = Span("t", 1, 1, 1, 1)


def formatted(text):
    source = Source("t", text)
    return formatter.format(parse(source), source)


def comments(text):
    return Counter(comment.text for comment in lex(Source("t", text), grammar_table()).comments)


def check(text):
    """The laws of the formatter, on one text; its canonical form."""
    result = formatted(text)
    assert parse(Source("t", result)) == parse(Source("t", text)), result
    assert formatted(result) == result, result
    assert comments(result) == comments(text), result
    assert not re.search(r"[ \t]+$|\n\n\n|\A\n", re.sub(r'"""[\s\S]*?"""', '""', result), re.MULTILINE), result
    return result


# ---------------------------------------------------------------- hand-written


@pytest.mark.parametrize(
    "text", [BOAT_RACE, EVERYTHING, "", "// alone\n", "\n\n// a\n\n\n// b"], ids=["page", "everything", "empty", "comment", "two"]
)
def test_the_laws(text):
    check(text)


def test_the_page_of_the_language_is_nearly_canonical():
    changed = [line for line in formatted(BOAT_RACE).splitlines() if line not in BOAT_RACE.splitlines()]
    assert len(changed) < 20


SAME = [
    "const a = 1_000\nconst b = 1e-3\nconst c = 99%\nconst d = 0.10\n",
    'const g = grid """\n  #  #\n\t..\n   """\n',
    "claim c: a - (b - c) - d\n",
    "claim c: (a and b) and (c or d)\n",
    "claim c: (a => b) => c => d\n",
    "claim c: (if a then b else c) + (sum i in 0..3. i) * 2 + if a then b else c\n",
    "claim c: (a ^ b)^c\n".replace(" ^ ", "^"),
    "claim c: (-a)^2 + -a^2 + 1/2 * x / 3\n",
    "claim c: P[F<=50 (x < 3)] and P[F<=(n + 1) not a U b]\n",
    "claim c: (F a) == (not b) or (x in {1, 2}) == y\n",
    "claim c: `odd name`::`and` + `F`\n",
    "claim c: E [1] + E[r, total]\n",
    "find x in (0, 1] maximal for\n  a\n",
    "world W {\n  action a { x' = 1 }\n\n  action b {\n    stay\n  }\n}\n",
    "world W {  // a\n  // b\n  var x : bool  // c\n  // d\n}  // e\n// f\n",
    "claim c:  // a\n  x  // b\n",
    "policy p : Pi = { when a: { 1/2: x; 1/2: y }; else: z }\n",
    "const a = 1\n\n// two\nconst b = 2\n",
]


@pytest.mark.parametrize("text", SAME)
def test_canonical_text_stays(text):
    assert check(text) == text


CHANGED = [
    ("const   a=1 // x", "const a = 1  // x\n"),
    ("\n\nconst a = 1\n\n\n\nconst b = 2\n\n", "const a = 1\n\nconst b = 2\n"),
    ("claim c: ((a)) and (b and c)", "claim c: a and (b and c)\n"),
    ("claim c: (a * b) + (not (c))", "claim c: a * b + (not c)\n"),
    ("claim c: forall x:T.(a)", "claim c: forall x : T. a\n"),
    ("claim c:\n a", "claim c:\n  a\n"),
    ("world W{var x:bool;var y:bool}", "world W {\n  var x : bool\n  var y : bool\n}\n"),
    ("claim c: a and // why\n b", "// why\nclaim c: a and b\n"),
    ("const a = 1\r\nconst b = 2\r\n", "const a = 1\nconst b = 2\n"),
    ('const g = grid """\r\n##\r\n"""\r\n', 'const g = grid """\n##\n"""\n'),
    ("world W {\n}", "world W { }\n"),
    ("world W { action a { // no\n stay } }", "world W {\n  action a {  // no\n    stay\n  }\n}\n"),
    ("enum D {\n A,\n B\n}", "enum D { A, B }\n"),
]


@pytest.mark.parametrize(("text", "expected"), CHANGED)
def test_other_text_becomes_canonical(text, expected):
    assert check(text) == expected


def test_long_lines_break_after_operators():
    text = "world W {\n label l = " + " and ".join(f"first_condition_{i} == second_condition_{i}" for i in range(8)) + "\n}"
    result = check(text)
    assert max(map(len, result.splitlines())) <= WIDTH
    assert all(line.endswith((" and", "=", "{", "7", "}")) for line in result.splitlines())


def test_long_things_of_all_kinds():
    name = "quite_a_long_name_for_a_thing"
    terms = " + ".join([name] * 9)
    check(
        f"def f({', '.join(f'{name}{i} : int' for i in range(6))}) : int = {terms}\n"
        f"enum E {{ {', '.join(f'{name}{i}' for i in range(9))} }}\n"
        f"claim c: {name}({', '.join([name] * 9)}) == if {terms} > 1 then {terms} else forall x : T. {terms} < 2\n"
        f"theorem t: P[pi ~ T]({name}(pi) and {terms} > 1 given {terms} > 3) > 95% by {name}, b\n"
        f"policy p : Pi = {{ when {terms} > 1: {{ 1/2: {name}_to_the_east; 1/2: {name}_to_the_west_and_further }}; else: x }}\n"
        f"world W {{ action a when {terms} > 1 {{ 1/2: x' = {terms}, y' = {terms}; 1/2: stay }} }}\n"
        f"policy q : Pi = maximize {terms} subject to {terms} > 1\n"
        f"world V = {' || '.join([name] * 9)}\n"
        f'assume a: {terms} > 1 because "{name * 4}"\n'
        f"score S(pi : Pi) = P[{name} U<=(1) {name} U {name}_x or F {name} and G<=2 {name}]\n"
    )


SIGNS = [
    ("world W { reward r { 1; -1; -x - 1 } }", "world W {\n  reward r { 1; -1; -x - 1 }\n}\n"),
    (
        "world W { reward r { // a\n when b: -10\n -1 // c\n\n // d\n - x } }",
        "world W {\n  reward r {  // a\n    when b: -10\n    -1  // c\n\n    // d\n    -x\n  }\n}\n",
    ),
    ("world W { label l = x -\n 1 > 0 }", "world W {\n  label l = x - 1 > 0\n}\n"),
]


@pytest.mark.parametrize(("text", "expected"), SIGNS)
def test_items_that_start_with_a_sign(text, expected):
    assert check(text) == expected


@pytest.mark.parametrize("count", range(4, 40, 3))
def test_no_line_goes_on_with_a_sign(count):
    """Whatever the place of the break: only an item starts a line with a sign."""
    name = "a_name_of_some_length"
    terms = " - ".join(["-" + name] * count)
    text = (
        f"world W {{\n init uniform {terms} == 1\n label l = {terms} == {terms}\n"
        f"action a when {terms} > 1 and {terms} < 2 or {terms} == {terms} {{ x' = {terms}, y' = if a then {terms} else {terms} }}\n"
        f"label m = f({terms}, {terms}) and P[({terms}) > 1 U {terms} > 2] > {terms}\n"
        f"action b {{ stay }}\n reward r {{ when {terms} > 1: {terms}; -{name} - 1 }} }}\n"
        f"policy p : Pi = {{ when {terms} > 1 => {terms} > 2: a; else: b }}\n"
    )
    result = check(text)
    assert [line.strip() for line in result.splitlines() if re.match(r"\s*[+-]", line)] == [f"-{name} - 1"]


# ---------------------------------------------------------------- random trees

NAMES = st.sampled_from(["a", "b", "E", "P", "horizon", "of", "x_1", "`and`", "`odd name`"])
NAME_NODES = NAMES.map(lambda text: syntax.Name(text.strip("`"), text.startswith("`"), HERE))
NUMBERS = st.sampled_from(["0", "12", "1_000", "0.50", "99%", "1e-3", "2E5"]).map(
    lambda text: syntax.Number(text, number_value(text), text.replace("_", "").isdigit(), HERE)
)
TEXTS = st.sampled_from([('"#"', "#"), ('"\\""', '"'), ('"a\\\\"', "a\\"), ('""', "")]).map(lambda pair: syntax.Text(*pair, HERE))
QUALIFIED = st.lists(NAME_NODES, min_size=2, max_size=3).map(lambda parts: syntax.Qualified(tuple(parts), HERE))
LEAVES = NAME_NODES | NUMBERS | TEXTS | QUALIFIED | st.booleans().map(lambda value: syntax.Boolean(value, HERE))
LEVELS = [("or",), ("and",), ("+", "-"), ("*", "/", "mod", "div")]


def larger(inner):
    """Expressions one level above ``inner``."""
    some = st.lists(inner, min_size=1, max_size=3).map(tuple)
    ranges = st.builds(syntax.Range, inner, inner, st.just(HERE))
    domains = NAME_NODES | QUALIFIED | ranges
    references = NAME_NODES | QUALIFIED
    indexed = st.builds(syntax.Index, references, some, st.just(HERE))
    binders = st.builds(
        syntax.Binder, st.lists(NAME_NODES, min_size=1, max_size=2).map(tuple), st.sampled_from([":", "in"]), domains, st.just(HERE)
    )
    modes = st.builds(syntax.Mode, st.sampled_from(["horizon", "discount", "until"]), inner, st.just(HERE)) | st.just(
        syntax.Mode("total", None, HERE)
    )
    objectives = st.builds(syntax.PathProbability, inner, st.just(HERE)) | st.builds(syntax.ExpectedReward, inner, modes, st.just(HERE))
    return st.one_of(
        st.builds(syntax.Call, references | objectives, st.lists(inner, max_size=3).map(tuple), st.just(HERE)),
        indexed,
        st.builds(syntax.Prime, references | indexed, st.just(HERE)),
        st.builds(syntax.Unary, st.sampled_from(["-", "not"]), inner, st.just(HERE)),
        *(chains(syntax.Chain, level, inner) for level in LEVELS),
        chains(syntax.Comparison, ("==", "!=", "<", "<=", ">", ">="), inner),
        st.builds(syntax.Member, inner, domains | st.builds(syntax.SetLiteral, some, st.just(HERE)), st.just(HERE)),
        st.builds(syntax.Binary, st.sampled_from(["=>", "<=>", "^"]), inner, inner, st.just(HERE)),
        st.builds(syntax.If, inner, inner, inner, st.just(HERE)),
        st.builds(
            syntax.Quantifier,
            st.sampled_from(["forall", "exists", "sum"]),
            st.lists(binders, min_size=1, max_size=2).map(tuple),
            inner,
            st.just(HERE),
        ),
        st.builds(syntax.Temporal, st.sampled_from("FG"), st.none() | inner, inner, st.just(HERE)),
        st.builds(syntax.Temporal, st.just("X"), st.none(), inner, st.just(HERE)),
        st.builds(syntax.Until, inner, inner, st.none() | inner, st.just(HERE)),
        objectives,
        st.builds(syntax.Measure, st.sampled_from("PE"), NAME_NODES, NAME_NODES, inner, st.none() | inner, st.just(HERE)),
    )


def chains(kind, operators, inner):
    return st.integers(1, 3).flatmap(
        lambda count: st.builds(
            kind,
            st.lists(st.sampled_from(operators), min_size=count, max_size=count).map(tuple),
            st.lists(inner, min_size=count + 1, max_size=count + 1).map(tuple),
            st.just(HERE),
        )
    )


EXPRESSIONS = st.recursive(LEAVES, larger, max_leaves=12)


def in_world(expression):
    """The expression in places where newlines count."""
    name = syntax.Name("n", False, HERE)
    outcome = syntax.Outcome(None, (syntax.Assignment(name, expression, HERE),) * 2, HERE)
    return syntax.World(
        name,
        (),
        (
            syntax.Label(name, (expression,), expression, HERE),
            syntax.Action(name, (), expression, (outcome, replace(outcome, weight=syntax.Chain(("+",), (name, expression), HERE))), HERE),
            syntax.Reward(
                name, (), (syntax.RewardClause(name, expression, expression, HERE), syntax.RewardClause(None, None, name, HERE)), HERE
            ),
        ),
        HERE,
    )


@settings(max_examples=150, deadline=None)
@given(EXPRESSIONS)
def test_random_trees_survive(expression):
    name = syntax.Name("c", False, HERE)
    file = syntax.File((syntax.Claim(name, expression, HERE), in_world(expression)), HERE)
    text = formatter.format(file, Source("t", ""))
    assert parse(Source("t", text)) == file, text
    assert not re.search(r"^\s*[+-]", text, re.MULTILINE), text
    check(text)


# ---------------------------------------------------------------- random layout


def relaid(text, rng):
    """``text`` with its tokens laid out at random, and with comments where a newline may stand."""
    tokens = lex(Source("t", text), grammar_table()).tokens[:-1]
    out, stack, count = [], [], 0

    def comment():
        nonlocal count
        count += 1
        return f"// {count}\n"

    for index, token in enumerate(tokens):
        if token.type == "_SEP":
            out.append(rng.choice([";", "\n", " ;\n\n", "\n\n\n", f"  {comment()}", f"\n{comment()}", f"; {comment()} {comment()}"]))
            continue
        out.append(token.text)
        if token.type in OPENERS:
            stack.append(token.type)
        elif token.type in ("RPAR", "RSQB", "RBRACE"):
            stack.pop()
        beside_brace = token.type == "LBRACE" or (index + 1 < len(tokens) and tokens[index + 1].type == "RBRACE")
        free = not stack or stack[-1] != "LBRACE" or beside_brace or token.type in ("COMMA", "PLUS", "AND", "EQUAL")
        choices = [" "] * 12
        if free:
            choices += ["\n", "\n\n", f" {comment()}", f"\n  {comment()}\n"]
        out.append(rng.choice(choices))
    return "".join(out)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from([BOAT_RACE, EVERYTHING]), st.randoms(use_true_random=False))
def test_any_layout_is_formatted_and_keeps_its_comments(text, rng):
    laid = relaid(text, rng)
    assert parse(Source("t", laid)) == parse(Source("t", text)), laid
    check(laid)
