"""The grammar itself: no conflicts, no text that is two terminals, and no two operators that give one tree."""

from __future__ import annotations

import logging
from itertools import combinations

import pytest
from lark import Lark, logger
from lark.lexer import PatternStr

from dsl.build import BUILDERS, DEEPENING
from dsl.lexer import DECLARATIONS, LATER, MAX_DEPTH
from dsl.parse import compile_grammar, grammar_table, grammar_text, parse
from dsl.source import Source
from dsl.table import from_json, load, to_json


@pytest.fixture(scope="module")
def compiled():
    records = []
    handler = logging.Handler()
    handler.emit = lambda record: records.append(record.getMessage())
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    try:
        lark = Lark(grammar_text(), parser="lalr", lexer="basic", maybe_placeholders=True)
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
    return lark, records


def test_no_conflicts(compiled):
    _, records = compiled
    assert [message for message in records if "onflict" in message or "ollision" in message] == []


def test_the_conflict_check_sees_conflicts(caplog):
    with caplog.at_level(logging.DEBUG, logger="lark"):
        Lark('start: e\n e: e "+" e | "1"', parser="lalr", lexer="basic")
    assert "Shift/Reduce" in caplog.text


def test_strict_mode_of_lark():
    pytest.importorskip("interegular")
    Lark(grammar_text(), parser="lalr", lexer="basic", maybe_placeholders=True, strict=True)


def test_each_spelling_is_one_terminal(compiled):
    lark, _ = compiled
    spellings = [terminal.pattern.value for terminal in lark.terminals if isinstance(terminal.pattern, PatternStr)]
    assert len(spellings) == len(set(spellings))


def test_every_rule_has_its_builder():
    named = {
        p.name for p in grammar_table().productions if not p.inline and not (p.unwrap and p.plan in ((0,), (1,)) and p.name == p.origin)
    }
    assert named - set(BUILDERS) <= {"$root_start"}
    assert set(BUILDERS) <= {p.name for p in grammar_table().productions}
    assert set(BUILDERS) >= DEEPENING


def test_the_words_of_the_lexer_are_those_of_the_grammar():
    table = grammar_table()
    assert set(table.words.values()) >= DECLARATIONS
    assert not LATER & set(table.words)


def test_names_begin_with_no_reserved_word():
    table = grammar_table()
    for word, terminal in table.words.items():
        text = f"const {word} = 1"
        if terminal in table.names:
            assert parse(Source("t", text)).declarations[0].name.name == word
        else:
            with pytest.raises(Exception, match="E1"):
                parse(Source("t", text))


def test_the_table_survives_the_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TWOSTEP_CACHE", str(tmp_path / "new" / "folder"))
    table = load(grammar_text(), compile_grammar)
    assert from_json(to_json(table)) == table

    def never(_):
        raise AssertionError("compiled twice")

    assert load(grammar_text(), never) == table
    [file] = (tmp_path / "new" / "folder").iterdir()
    for junk in (b"", b"{}", b"[]", b'{"words": 3', b"\xff\xfe", b"null", file.read_bytes()[:1000]):
        file.write_bytes(junk)
        assert load(grammar_text(), lambda _: table) is table


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path, monkeypatch):
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("TWOSTEP_CACHE", str(blocked / "below"))
    table = grammar_table()
    assert load(grammar_text(), lambda _: table) is table


def claim(text):
    return parse(Source("t", f"claim c: {text}")).declarations[0].body


FAMILIES = [
    [f"a {op} b" for op in ("+", "-", "*", "/", "mod", "div", "^", "and", "or", "=>", "<=>", "==", "!=", "<", "<=", ">", ">=")],
    ["not a", "-a", "a"],
    ["P[F a]", "P[G a]", "P[X a]", "P[a U a]", "P[F<=2 a]", "P[G<=2 a]", "P[F<=3 a]", "P[a U<=2 a]", "P[a]"],
    ["forall x : T. x", "exists x : T. x", "sum x in T. x", "forall x in T. x", "forall x : 0..1. x"],
    ["E[r, horizon 2]", "E[r, discount 2]", "E[r, until 2]", "E[r, total]", "P[r]"],
    ["P[x ~ T](a)", "E[x ~ T](a)", "P[x ~ T](a given b)"],
    ["true", "false", "a", "1", '"a"', "a'", "a(b)", "a[b]", "a::b"],
    ["a in b", "a in b..c", "a in {b, c}", "a in {b}"],
    ["0.1", "1/10", "10%", "1e-1", "1_0%"],
    ["a - b - c", "a - (b - c)", "a - b + c", "a + b - c"],
    ["a => b => c", "(a => b) => c"],
    ["a ^ b ^ c", "(a ^ b) ^ c", "-a ^ b", "(-a) ^ b"],
    ["a and b or c", "a and (b or c)", "a or b and c"],
    ["not a U b", "not (a U b)"],
    ["F a and b", "F (a and b)"],
]

DECLARED = [
    [f"find x in {left}0, 1{right} {kind} for c" for left in "([" for right in ")]" for kind in ("maximal", "minimal")],
    ["policy p : Pi = maximize J", "policy p : Pi = minimize J", "policy p : Pi = maximize J subject to J", 'policy p : Pi = file "J"'],
    ["policies P over W", *(f"policies P over W {{ {r} }}" for r in ("deterministic", "memoryless", "memory 2", "observes x"))],
    ["score J(pi : Pi) = x", "property J(pi : Pi) = x", "def J(pi : Pi) = x"],
    [f'world W = {kind} "f"' for kind in ("prism", "jani", "gymnasium", "drn")],
    ["claim c: x", "theorem c: x", "theorem c: x by y", 'assume c: x because "y"'],
    [f"training T : Pi {{ {kind} 4 }}" for kind in ("regret", "certificates", "uniform", "learner", "assume")],
    ["world W { reward r { 1 } }", "world W { reward r { [a]: 1 } }", "world W { reward r { when a: 1 } }"],
    ["world W { init { x = 1 } }", "world W { init uniform x }", "world W { action a { x' = 1 } }", "world W { label x = 1 }"],
]


@pytest.mark.parametrize("texts", FAMILIES, ids=lambda texts: texts[0])
def test_expressions_that_differ_give_trees_that_differ(texts):
    for left, right in combinations(texts, 2):
        assert claim(left) != claim(right), (left, right)


@pytest.mark.parametrize("texts", DECLARED, ids=lambda texts: texts[0])
def test_declarations_that_differ_give_trees_that_differ(texts):
    for left, right in combinations(texts, 2):
        assert parse(Source("t", left)) != parse(Source("t", right)), (left, right)


def test_depth_is_what_the_parser_promises():
    deep = "(" * (MAX_DEPTH - 1) + "1" + ")" * (MAX_DEPTH - 1)
    assert claim(deep) == claim("1")
