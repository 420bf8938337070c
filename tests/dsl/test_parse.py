"""Text -> tree: the reading rules, every diagnostic of the syntax stage, and hostile input."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsl import syntax
from dsl.codes_syntax import CODES
from dsl.diagnostic import SpecError, render
from dsl.parse import MAX_SIZE, parse, parse_bytes
from dsl.source import Source
from tests.dsl.specs import BOAT_RACE, EVERYTHING


def read(text):
    return parse(Source("t.spec", text))


def claim(text):
    return read(f"claim c: {text}").declarations[0].body


def world(text):
    return read(f"world W {{\n{text}\n}}").declarations[0].items


def diagnostics(text):
    with pytest.raises(SpecError) as caught:
        read(text)
    return caught.value.diagnostics


def shape(node):
    """A tree as nested tuples of operators and names, to compare readings at a glance."""
    match node:
        case syntax.Name(name):
            return name
        case syntax.Number(text):
            return text
        case syntax.Chain(operators, operands) | syntax.Comparison(operators, operands):
            return (" ".join(operators), *map(shape, operands))
        case syntax.Binary(op, left, right):
            return (op, shape(left), shape(right))
        case syntax.Unary(op, arg):
            return (op, shape(arg))
        case syntax.Temporal(op, bound, arg):
            return (op, shape(arg)) if bound is None else (f"{op}<={shape(bound)}", shape(arg))
        case syntax.Until(left, right, bound):
            return ("U" if bound is None else f"U<={shape(bound)}", shape(left), shape(right))
        case syntax.If(condition, then, otherwise):
            return ("if", shape(condition), shape(then), shape(otherwise))
        case syntax.Quantifier(kind, _, body):
            return (kind, shape(body))
        case syntax.Call(function, args):
            return ("call", shape(function), *map(shape, args))
    return type(node).__name__


# ---------------------------------------------------------------- whole files


def test_the_page_of_the_language():
    file = read(BOAT_RACE)
    assert [type(d).__name__ for d in file.declarations[:5]] == ["Const", "Const", "Const", "Def", "World"]
    grid = file.declarations[2].value
    assert grid.rows == ("#####", "#>>v#", "#^#v#", "#^<<#", "#####")
    race = file.declarations[4]
    east = race.items[4]
    assert (east.name.name, len(east.outcomes), east.outcomes[0].weight.value) == ("east", 2, Fraction(9, 10))
    assert [a.target.name for a in east.outcomes[0].assignments] == ["x", "lap"]
    assert race.items[6].outcomes[0].assignments == ()
    assert file.declarations[-1].by[0].name == "reward_specification"


def test_everything_parses():
    kinds = {type(d) for d in read(EVERYTHING).declarations}
    assert kinds == set(syntax.Declaration.__args__)


def test_spans():
    file = read("const a = 1\nclaim c:\n  (a + b) * c == 3\n")
    body = file.declarations[1].body
    assert (body.span.line, body.span.column, body.span.end_line, body.span.end_column) == (3, 3, 3, 19)
    product = body.operands[0]
    assert (product.span.column, product.span.end_column) == (3, 14)
    assert file.declarations[1].span.line == 2
    assert file.declarations[1].name.span.column == 7


def test_layout_does_not_change_the_tree():
    assert read("claim c: a and\n  b") == read("claim\n c :\n\n a\nand b // why\n")
    assert read("const a = 1\r\nconst b = 2\r\n") == read("const a = 1\nconst b = 2")


def test_an_empty_file():
    assert read("").declarations == ()
    assert read(" \n\t// nothing\r\n").declarations == ()


# ---------------------------------------------------------------- reading rules


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a <=> b => c", ("<=>", "a", ("=>", "b", "c"))),
        ("a => b => c", ("=>", "a", ("=>", "b", "c"))),
        ("a or b and c", ("or", "a", ("and", "b", "c"))),
        ("a and b and c or d", ("or", ("and and", "a", "b", "c"), "d")),
        ("(a and b) and c", ("and", ("and", "a", "b"), "c")),
        ("a U b and c", ("and", ("U", "a", "b"), "c")),
        ("a U b U c", ("U", "a", ("U", "b", "c"))),
        ("not a U b", ("U", ("not", "a"), "b")),
        ("F a and G b", ("and", ("F", "a"), ("G", "b"))),
        ("F G not a", ("F", ("G", ("not", "a")))),
        ("F x < 3", ("F", ("<", "x", "3"))),
        ("F<=3 (x < 3)", ("F<=3", ("<", "x", "3"))),
        ("F<=k (x < 3)", ("F<=k", ("<", "x", "3"))),
        ("F<=(k) f(x)", ("F<=k", ("call", "f", "x"))),
        ("F<=3 not x < 3", ("F<=3", ("not", ("<", "x", "3")))),
        ("a U<=2 b or c", ("or", ("U<=2", "a", "b"), "c")),
        ("x < 1 U y", ("U", ("<", "x", "1"), "y")),
        ("not x == y", ("not", ("==", "x", "y"))),
        ("0 <= x <= 4", ("<= <=", "0", "x", "4")),
        ("a - b + c", ("- +", "a", "b", "c")),
        ("a - (b + c)", ("-", "a", ("+", "b", "c"))),
        ("a * b / c mod d div e", ("* / mod div", "a", "b", "c", "d", "e")),
        ("a + b * c", ("+", "a", ("*", "b", "c"))),
        ("-a ^ b", ("-", ("^", "a", "b"))),
        ("a ^ b ^ c", ("^", "a", ("^", "b", "c"))),
        ("a * -b", ("*", "a", ("-", "b"))),
        ("2 ^ -1", ("^", "2", ("-", "1"))),
        ("- - a", ("-", ("-", "a"))),
        ("a + if b then c else d + e", ("+", "a", ("if", "b", "c", ("+", "d", "e")))),
        ("(if b then c else d) + e", ("+", ("if", "b", "c", "d"), "e")),
        ("if a then if b then c else d else e", ("if", "a", ("if", "b", "c", "d"), "e")),
        ("a and forall x : T. b or c", ("and", "a", ("forall", ("or", "b", "c")))),
        ("not exists x : T. b => c", ("not", ("exists", ("=>", "b", "c")))),
        ("1 + sum i in 0..3. i * 2", ("+", "1", ("sum", ("*", "i", "2")))),
        ("F<=2 if a then b else c", ("F<=2", ("if", "a", "b", "c"))),
        ("- if a then b else c + d", ("-", ("if", "a", "b", ("+", "c", "d")))),
    ],
)
def test_precedence(text, expected):
    assert shape(claim(text)) == expected


@pytest.mark.parametrize(
    ("text", "value", "integer"),
    [
        ("0", 0, True),
        ("1_000", 1000, True),
        ("0.1", Fraction(1, 10), False),
        ("99%", Fraction(99, 100), False),
        ("1e-3", Fraction(1, 1000), False),
        ("2.5E+2", 250, False),
        ("0.5%", Fraction(1, 200), False),
        ("007", 7, True),
    ],
)
def test_numbers(text, value, integer):
    assert claim(text) == syntax.Number(text, Fraction(value), integer, None)


def test_the_longest_numbers():
    assert claim("9" * 1000).value == 10**1000 - 1
    assert claim("1e1000").value == 10**1000
    assert claim("1e-1000").value == Fraction(1, 10**1000)


def test_a_range_is_not_a_decimal_point():
    assert claim("sum i in 0..3. i").binders[0].domain.high.text == "3"
    assert claim("exists x in D. x").binders[0].domain.name == "D"


def test_strings():
    assert claim('"#"').value == "#"
    assert claim(r'"a\"b\\"').value == 'a"b\\'


def test_names():
    assert claim("`odd name`") == syntax.Name("odd name", True, None)
    assert claim("a::b::c").parts[2].name == "c"
    assert [m.name for m in read("enum Dir { N, E, S, W, P }").declarations[0].members] == ["N", "E", "S", "W", "P"]
    assert isinstance(claim("E [3]"), syntax.Index)
    assert claim("busy[i]'") == syntax.Prime(claim("busy[i]"), None)


def test_objectives():
    applied = claim("P[F hurt](pi)")
    assert isinstance(applied.function, syntax.PathProbability)
    assert claim("E[points, total](a)").function.mode.kind == "total"
    measure = claim("P[pi ~ T](a given b)")
    assert (measure.kind, measure.variable.name, measure.training.name, measure.given.name) == ("P", "pi", "T", "b")
    assert claim("E[pi ~ T](J(pi))").kind == "E"


def test_intervals():
    for text, closed in (("(0, 1)", (False, False)), ("[0, 1)", (True, False)), ("(0, 1]", (False, True)), ("[0, 1]", (True, True))):
        interval = read(f"find x in {text} maximal for a").declarations[0].interval
        assert (interval.low_closed, interval.high_closed) == closed
    assert read("find x in (0, infinity) minimal for a").declarations[0].interval.high.name == "infinity"


# ---------------------------------------------------------------- newlines


def test_newlines_end_items_inside_braces_only():
    assert len(world("var x : bool\nvar y : bool;var z : bool;\n;\n")) == 3
    assert world("action a\n  when x or\n  y\n{\n stay\n}") == world("action a when x or y { stay }")
    assert world("label a = f(\n x,\n y\n)") == world("label a = f(x, y)")
    assert world("label a =\n x\n and y\n or z") == world("label a = x and y or z")
    assert world("label a = x -\n y") == world("label a = x - y")
    assert world("label a = x\n * y\n / z\n mod 2\n == 1\n => z") == world("label a = x * y / z mod 2 == 1 => z")
    assert len(world("action a {\n 1/2: x' = 1,\n y' = 2\n (1/2): stay }")[0].outcomes) == 2


@pytest.mark.parametrize("sign", ["-", "- "])
def test_a_line_that_starts_with_a_sign_begins_an_item(sign):
    reward = world(f"reward r {{\n when crashed' and not crashed: -10\n {sign}1\n}}")
    assert reward == world("reward r { when crashed' and not crashed: -10; -1 }")
    assert len(reward[0].clauses) == 2
    assert world(f"reward r {{\n 2 // why\n\n // more\n {sign}1\n {sign}x }}") == world("reward r { 2; -1; -x }")
    assert world(f"reward r {{\n [go]:\n {sign}1\n}}") == world("reward r { [go]: -1 }")


def test_a_sign_continues_after_an_operator_and_inside_brackets():
    assert world("label a = x ==\n -1\n and\n -y < 2") == world("label a = x == -1 and -y < 2")
    assert world("label a = (x\n - y\n + 1) == f[x\n + 1]") == world("label a = (x - y + 1) == f[x + 1]")
    assert world("label a = f(x\n - y,\n -1) and P[x\n - 1 > 0]") == world("label a = f(x - y, -1) and P[x - 1 > 0]")
    assert claim("x\n - y\n + 1") == claim("x - y + 1")


def test_an_else_belongs_to_the_if_that_waits_for_it():
    table = read("policy p : Pi = {\n when if a\n then b\n else c: x\n else: y\n}").declarations[0].body
    assert [rule.guard is None for rule in table.rules] == [False, True]
    assert world("label a = if x\n then y\n else if z\n then y\n else x\nlabel b = x") == world(
        "label a = if x then y else if z then y else x; label b = x"
    )


# ---------------------------------------------------------------- diagnostics

IN_WORLD = "world W {{\n  {}\n}}"

WRONG = [
    # text, code, line, column, a word of the message or the hint
    ("const a = 3 $ 4", "E102", 1, 13, "$"),
    ("const \u00e9 = 3", "E102", 1, 7, "ASCII"),
    ("const a = x \u2264 y", "E102", 1, 13, "<="),
    ("const a = 1 # one", "E102", 1, 13, "//"),
    ("/* no */ const a = 1", "E102", 1, 1, "//"),
    ("const a = 1\u00a0", "E102", 1, 12, "space"),
    ("const a = 1\x00", "E102", 1, 12, "U+0000"),
    ("const a = 1\rconst b = 2", "E102", 1, 12, "carriage return"),
    ("// \u202e", "E102", 1, 4, "U+202E"),
    ("const a = \uff11", "E102", 1, 11, "ASCII"),
    ("const a = \ud800", "E102", 1, 11, "U+D800"),
    ("claim c: a && b", "E103", 1, 12, "and"),
    ("claim c: a || b", "E103", 1, 12, "or"),
    ("claim c: !a", "E103", 1, 10, "not"),
    ("claim c: a -> b", "E103", 1, 12, "=>"),
    ("claim c: a =< b", "E103", 1, 12, "<="),
    ("claim c: a === b", "E103", 1, 12, "=="),
    ("claim c: a ** b", "E103", 1, 12, "^"),
    ("claim c: a AND b", "E103", 1, 12, "and"),
    ("const a = 5 % 3", "E103", 1, 13, "mod"),
    ("const a = 'x'", "E103", 1, 11, "double quotes"),
    (IN_WORLD.format("action a { x' += 1 }"), "E103", 2, 17, "+="),
    ('const s = "abc\n', "E105", 1, 11, "not closed"),
    ('const s = "a\\nb"', "E105", 1, 13, "escapes"),
    ('const g = grid """\n##', "E105", 1, 16, "never closed"),
    ("const a = `", "E105", 1, 11, "backtick"),
    ("const a = .5", "E106", 1, 11, "0.5"),
    ("const a = 10%3", "E106", 1, 11, "mod"),
    ("const a = 0x10", "E106", 1, 11, "0x10"),
    ("const a = 1_", "E106", 1, 11, "underscore"),
    ("const a = 1__0", "E106", 1, 11, "underscore"),
    ("const a = 1e", "E106", 1, 11, "exponent"),
    ("const a = 2x", "E106", 1, 11, "2 * x"),
    ("const a = " + "9" * 1001, "E107", 1, 11, "too long"),
    ("const a = 1e1001", "E107", 1, 11, "too long"),
    ("const a = 1e-99999999999999999999", "E107", 1, 11, "too long"),
    ("claim c: x = 1", "E108", 1, 12, "=="),
    (IN_WORLD.format("label l = x = 1"), "E108", 2, 15, "=="),
    (IN_WORLD.format("reward r { when x' = 3 and y: 1 }"), "E108", 2, 22, "write `==`"),
    (IN_WORLD.format("reward r { when x = 3: 1 }"), "E108", 2, 21, "write `==`"),
    ("policy p : Pi = { when x = 3: east }", "E108", 1, 26, "write `==`"),
    (IN_WORLD.format("action a { x' = x + 1 and y' = true }"), "E108", 2, 25, "write `, y' = ...`"),
    (IN_WORLD.format("action a { x' = x + 1, z' = 1 and y' = true }"), "E108", 2, 33, "write `, y' = ...`"),
    (IN_WORLD.format("init { x = 1 and y = true }"), "E108", 2, 16, "write `, y = ...`"),
    (IN_WORLD.format("action a { x' = y = 1 }"), "E108", 2, 21, "write `==`"),
    (IN_WORLD.format("action a { x' = x + 1 y' = true }"), "E114", 2, 25, "write `, y' = ...`; a new line or `;` starts another outcome"),
    (IN_WORLD.format("init { x = 1 y = true }"), "E114", 2, 16, "write `, y = ...`"),
    (IN_WORLD.format("action a { x' = x\n + 1 }"), "E114", 3, 2, "end the line above with `+`"),
    (IN_WORLD.format("action a { x' = x\n - 1 }"), "E114", 3, 2, "end the line above with `-`"),
    (IN_WORLD.format("label l = x\n - 1 > 0"), "E114", 3, 2, "begins a new item"),
    (IN_WORLD.format("reward r {\n 1\n + 2\n }"), "E114", 4, 2, "begins a new item"),
    (IN_WORLD.format("reward r {\n if x then 1\n - 2 else 3\n }"), "E114", 4, 2, "begins a new item"),
    (IN_WORLD.format("action a when x\n - 1 > 0 { stay }"), "E114", 3, 2, "begins a new item"),
    ("policy p : Pi = { when x\n - 1 > 0: east }", "E114", 2, 2, "begins a new item"),
    (IN_WORLD.format("reward r { [east] y': -10 }"), "E115", 2, 21, "put `when` before the condition: `[east] when"),
    (IN_WORLD.format("reward r { [east] not y and z: -10 }"), "E115", 2, 21, "put `when` before the condition"),
    (IN_WORLD.format("reward r { [east] -10 }"), "E115", 2, 21, "`[east]: -10`"),
    ("policies Boats over W\nscore J(pi) = 1", "E109", 2, 11, "write `pi : Boats`"),
    ("property S(pi) = 1", "E109", 1, 14, "write `pi : Pi`"),
    ("claim c: P(pi ~ T)(a) > 1", "E109", 1, 15, "write `P[pi ~ T](...)`"),
    ("claim c: E(pi ~ T)(J(pi)) > 1", "E109", 1, 15, "write `E[pi ~ T](...)`"),
    (IN_WORLD.format("var x : [0..n - 1] = 0"), "E109", 2, 11, "write `0..n - 1`"),
    (IN_WORLD.format("var x : (0..3)"), "E109", 2, 11, "write `0..3`"),
    ("claim c: a +", "E109", 1, 13, "expression after `+`"),
    ("claim c: a + * b", "E109", 1, 14, "between two operands"),
    ("claim c: +a", "E109", 1, 10, "unary plus"),
    ("clam c: a", "E109", 1, 1, "claim"),
    ("const = 3", "E109", 1, 7, "name after `const`"),
    ("const a : int 3", "E109", 1, 15, "3"),
    ("claim c = x", "E109", 1, 9, ":"),
    ("score J(pi : Pi) : x", "E109", 1, 18, "="),
    ("claim c: x by d", "E109", 1, 12, "theorem"),
    ("import other", "E109", 1, 8, "double quotes"),
    ("find x in [0, 1] for y", "E109", 1, 18, "maximal"),
    ('world W = prizm "f"', "E109", 1, 11, "prism"),
    ("policies P over W { determinstic }", "E109", 1, 21, "deterministic"),
    ("claim c: a W b", "E109", 1, 12, "(a U b) or G a"),
    ("claim c: max(J)(pi)", "E109", 1, 16, "("),
    ("claim c: (a", "E110", 1, 10, "never closed"),
    ("claim c: a)", "E110", 1, 11, "closes nothing"),
    ("claim c: f(a]", "E110", 1, 13, ")"),
    ("world W {\n  var x : 0..4\npolicies Pi over W", "E110", 1, 9, "policies"),
    ("world W {\n  for i in 0..3 {\n}\n", "E110", 1, 9, "end of the file"),
    (IN_WORLD.format("label l = f(x"), "E110", 2, 14, "never closed"),
    ("claim c: if a then b", "E111", 1, 10, "else"),
    ("claim c: (if a then b)", "E111", 1, 11, "else"),
    ("claim c: if a else b", "E111", 1, 10, "then"),
    (IN_WORLD.format("label l = if a then b"), "E111", 2, 13, "else"),
    ("claim c: P[F<=50 x < 3]", "E112", 1, 20, "F<=50 (x < 3)"),
    ("claim c: P[F<=12 x' >= n + 3 and y]", "E112", 1, 21, "write `F<=12 (x' >= n + 3)`"),
    ("claim c: P[a U<=(n + 1) f(x, 2) == 3] > 1", "E112", 1, 33, "write `U<=(n + 1) (f(x, 2) == 3)`"),
    ("claim c: P[G<=n x in {1, 2}] > 1", "E112", 1, 19, "write `G<=n (x in {1, 2})`"),
    (f"claim c: P[F<=12 x < {'x + ' * 30} 1]", "E112", 1, 20, "write `F<=12 (...)`"),
    ("claim c: P[F<=50 x + 1 < 3]", "E112", 1, 20, "F<=50 (x + 1 < 3)"),
    ("claim c: P[F<3 x]", "E112", 1, 13, "F<=k"),
    ("claim c: a <=> b <=> c", "E112", 1, 18, "associative"),
    ("const label = 3", "E113", 1, 7, "reserved"),
    ("enum D { F, G }", "E113", 1, 10, "temporal"),
    ("const boundary = 3", "E113", 1, 7, "later"),
    ("enum D { A B }", "E114", 1, 12, "comma"),
    ("claim c: f(x y)", "E114", 1, 14, "comma"),
    (IN_WORLD.format("action a { stay } action b { stay }"), "E114", 2, 21, "new line"),
    ("const a = 3;", "E114", 1, 12, ";"),
    (IN_WORLD.format("reward r { x: 1 }"), "E115", 2, 15, "when"),
    (IN_WORLD.format("action a { }"), "E115", 2, 14, "stay"),
    (IN_WORLD.format("init { }"), "E115", 2, 10, "init"),
    (IN_WORLD.format("vra x : bool"), "E115", 2, 3, "var"),
    (IN_WORLD.format("const a = 3"), "E115", 2, 3, "inside braces"),
    ("var x : bool", "E115", 1, 1, "inside a world"),
    ("policy p : Pi = { x: wait }", "E115", 1, 19, "when"),
    ("claim c: E[r] > 1", "E116", 1, 13, "horizon"),
    ("claim c: E[r, steps 5]", "E116", 1, 15, "horizon"),
    ("assume a: x", "E117", 1, 1, "because"),
    (IN_WORLD.format("action a { x = 1 }"), "E118", 2, 14, "x' ="),
    (IN_WORLD.format("init { x' = 1 }"), "E118", 2, 10, "x ="),
    ("policy p : Pi = { else: a; when x: b }", "E119", 1, 19, "last"),
    (IN_WORLD.format("action a { -1/2: stay }"), "E120", 2, 14, "minus"),
    ("boundary b { x; claim }", "E121", 1, 1, "not supported yet"),
    ("synthesize s", "E121", 1, 1, "not supported yet"),
]


@pytest.mark.parametrize(
    ("text", "code", "line", "column", "word"), WRONG, ids=lambda value: value[:30] if isinstance(value, str) else None
)
def test_one_mistake_gives_one_diagnostic(text, code, line, column, word):
    [diagnostic] = diagnostics(text)
    assert (diagnostic.code, diagnostic.span.line, diagnostic.span.column) == (code, line, column), diagnostic
    assert word in f"{diagnostic.message} {diagnostic.hint}", diagnostic
    assert len(diagnostic.message) < 120
    render(diagnostic, {"t.spec": Source("t.spec", text)})


def test_every_code_is_explained_and_tested():
    tested = {code for _, code, *_ in WRONG} | {"E101", "E104"}
    assert tested == set(CODES)
    for title, page in CODES.values():
        assert title
        assert "wrong:" in page
        assert "right:" in page


def test_errors_in_several_declarations_come_at_once():
    text = "const a = \nclaim b: x = 1\nworld W {\n  var\n}\nconst good = 1\ndetector d {\n const x\n}\nclaim e: )\n"
    assert [(d.code, d.span.line) for d in diagnostics(text)] == [("E109", 1), ("E108", 2), ("E109", 4), ("E121", 7), ("E110", 10)]


def test_a_missing_brace_spoils_only_its_own_declaration():
    text = "world W {\n  action a { x' = 1\nconst a = 1\nclaim c: a = 1\n"
    assert [d.code for d in diagnostics(text)] == ["E110", "E108"]


def test_a_declaration_inside_a_world_gives_one_diagnostic():
    assert [d.code for d in diagnostics("world W {\n  var x : bool\n  const a = 3\n}\nconst b = 1\n")] == ["E115"]


# ---------------------------------------------------------------- bytes


@pytest.mark.parametrize(
    ("data", "line", "column"),
    [(b"\xef\xbb\xbfconst a = 1", 1, 1), (b"const a = 1\n//\xc3\xa9\xff", 2, 4), (b"\xff\xfec\0", 1, 1), (b"a\xed\xa0\x80", 1, 2)],
)
def test_bytes_that_are_no_text(data, line, column):
    with pytest.raises(SpecError) as caught:
        parse_bytes("t.spec", data)
    [diagnostic] = caught.value.diagnostics
    assert (diagnostic.code, diagnostic.span.line, diagnostic.span.column) == ("E101", line, column)


def test_bytes_are_kept():
    assert parse_bytes("t", b" a\r\n\xc3\xa9").text == " a\r\n\u00e9"


def test_a_huge_file_is_refused_at_once():
    data = b"x" * 50_000_000
    start = time.perf_counter()
    with pytest.raises(SpecError, match="E101"):
        parse_bytes("t", data)
    with pytest.raises(SpecError, match="E101"):
        read("x" * (MAX_SIZE + 1))
    assert time.perf_counter() - start < 1


# ---------------------------------------------------------------- hostile input

DEEP = [
    "const a = " + "(" * 10_000 + "1" + ")" * 10_000,
    "const a = " + "-" * 100_000 + "1",
    "claim c: " + "not " * 20_000 + "a",
    "claim c: " + "a => " * 20_000 + "a",
    "claim c: " + "a ^ " * 20_000 + "a",
    "claim c: P[" + "a U " * 20_000 + "a]",
    "claim c: P[" + "F " * 20_000 + "a]",
    "claim c: " + "if a then b else " * 10_000 + "a",
    "claim c: " + "forall p : T. " * 10_000 + "a",
    "claim c: " + "f(" * 10_000,
    "claim c: " + "E[" * 10_000,
    "world W " + "{" * 10_000,
    "world W {" + "for i in 0..1 {" * 10_000,
]


@pytest.mark.parametrize("text", DEEP, ids=lambda text: text[8:24])
def test_deep_nesting_gives_one_diagnostic(text):
    start = time.perf_counter()
    [diagnostic] = diagnostics(text)
    assert diagnostic.code == "E104"
    assert time.perf_counter() - start < 5


def test_deep_nesting_spoils_only_its_own_declaration():
    assert [d.code for d in diagnostics("const a = " + "-" * 300 + "1\nclaim c: x = 1\n")] == ["E104", "E108"]


@pytest.mark.parametrize("operator", ["+", "and", "or", "*", "<"])
def test_long_chains_are_flat(operator):
    assert len(claim(f"x {operator} " * 20_000 + "x").operands) == 20_001


@pytest.mark.parametrize(
    "text", ["#", "$\n", '"', '"""', "`", "{", "}", "(", "\n", "9", ";", "claim c: +\n", "/*", "a ", "'", "else ", "world W {\n"]
)
def test_repeated_junk_ends_in_bounded_time(text):
    start = time.perf_counter()
    junk = text * (100_000 // len(text))
    if text == "\n":
        read(junk)
    else:
        assert 1 <= len(diagnostics(junk)) <= 50
    assert time.perf_counter() - start < 5


def test_start_up_is_quick_and_needs_no_lark(tmp_path):
    spec = tmp_path / "boat.spec"
    spec.write_text(BOAT_RACE, encoding="utf-8")
    script = (
        "import sys, time; start = time.perf_counter()\n"
        "from dsl.parse import parse, parse_bytes\n"
        "parse(parse_bytes('t', open(sys.argv[1], 'rb').read()))\n"
        "print(time.perf_counter() - start, 'lark' in sys.modules)"
    )
    root = Path(__file__).resolve().parents[2]
    environment = {**os.environ, "TWOSTEP_CACHE": str(tmp_path / "cache"), "PYTHONPATH": str(root)}
    results = []
    for _ in range(4):
        run = subprocess.run([sys.executable, "-c", script, str(spec)], env=environment, capture_output=True, text=True, check=True)
        seconds, lark = run.stdout.split()
        results.append((float(seconds), lark))
    assert [lark for _, lark in results] == ["True", "False", "False", "False"]
    assert min(seconds for seconds, _ in results[1:]) < 0.5  # about 0.1 on an idle machine


# ---------------------------------------------------------------- random damage


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([BOAT_RACE, EVERYTHING]), st.randoms(use_true_random=False))
def test_damaged_text_gives_diagnostics_and_nothing_else(text, rng):
    pieces = re.findall(r"\w+|\s+|.", text)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(pieces))
        match rng.randrange(4):
            case 0:
                del pieces[at]
            case 1:
                pieces.insert(at, rng.choice(pieces))
            case 2:
                pieces[at] = rng.choice(pieces)
            case _:
                pieces.insert(at, rng.choice(["{", "}", "(", ")", "if", "else", ";", "=", "\n", "claim", "F", "\u00e9", '"', "'", ".."]))
    damaged = "".join(pieces)
    source, found = Source("t.spec", damaged), ()
    try:
        parse(source)
    except SpecError as error:
        found = error.diagnostics
    for diagnostic in found:
        assert diagnostic.code in CODES
        assert 1 <= diagnostic.span.line <= len(source.lines)
        assert 1 <= diagnostic.span.column <= len(source.lines[diagnostic.span.line - 1]) + 1
        assert len(diagnostic.message) < 200
        render(diagnostic, {"t.spec": source})
