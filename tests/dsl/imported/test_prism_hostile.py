"""Whatever stands in the file, an import ends soon, with a world or with diagnostics."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsl import operators, spec
from dsl.diagnostic import SpecError
from dsl.imported.prism import load
from dsl.imported.request import MAX_DIAGNOSTICS, Request, Setting
from dsl.source import Source, Span
from tests.dsl.imported.models import MODELS, OPEN

SPAN = Span("root.spec", 1, 1, 1, 2)
TEXTS = sorted({model.text for model in MODELS.values()})
WORDS = sorted(
    {word for text in TEXTS for word in text.split()}
    | {"[", "]", "(", ")", "'", "..", "->", "<-", "|[", "||", "?", ":", ";", "&", "-", "1e9"}
)


def outcome(text: str) -> spec.World | tuple[str, ...]:
    """The world, or the codes of the diagnostics, whose places lie in the text."""
    given_values = {"K": 2, "fast": True, "p": 1}
    known = {name: Setting(name, operators.constant(value, SPAN), SPAN) for name, value in given_values.items() if f" {name};" in text}
    source = Source("model.prism", text)
    try:
        return load(Request("W", "model.prism", source, known, SPAN, SPAN))
    except SpecError as error:
        found = error.diagnostics
    assert 1 <= len(found) <= MAX_DIAGNOSTICS
    for span in (d.span for d in found if d.span.file == "model.prism"):
        assert 1 <= span.line <= len(source.lines)
        assert 1 <= span.column <= len(source.lines[span.line - 1]) + 1
    return tuple(d.code for d in found)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_truncated_files(data):
    text = data.draw(st.sampled_from(TEXTS))
    outcome(text[: data.draw(st.integers(0, len(text)))])


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_files_with_a_piece_lost_or_doubled(data):
    text = data.draw(st.sampled_from(TEXTS))
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 20)))
    outcome(text[:start] + data.draw(st.sampled_from(["", text[start:end] * 2, *WORDS])) + text[end:])


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=60))
def test_words_in_any_order(words):
    outcome("mdp module m x : [0..3]; " + " ".join(words))


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=100))
def test_any_text(text):
    outcome(text)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.sampled_from(["x", "y", "1", "0.5", "b", "(", ")", "+", "-", "*", "/", "!", "&", "|", "=>", "=", "<", "?", ":", "min(", ","]),
        max_size=25,
    )
)
def test_any_expression(words):
    outcome(f"mdp module m x : [0..3]; y : [0..1]; b : bool; [] {' '.join(words)} -> true; endmodule")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "mdp",
        "mdp module m x:[0..9]; [] " + "(" * 100_000,
        "mdp module m x:[0..9]; [] x=" + "(1+2*" * 300 + "2" + ")" * 300 + "->true; endmodule",
        "mdp module m x:[0..9]; [] " + "!" * 100_000 + "true->true; endmodule",
        "mdp module m x:[0..9]; [] x=" + "x=1?2:" * 10_000 + "1->true; endmodule",
        "mdp module m x:[0..9]; [] x=" + "9" * 1_000_000 + "->true; endmodule",
        "mdp const int n = pow(10,pow(10,9)); module m x:[0..9]; [] true->true; endmodule",
        "mdp const int a=2; "
        + "".join(f"const int a{'b' * i}b=a{'b' * i}*a{'b' * i};" for i in range(60))
        + "module m x:[0..9]; endmodule",
        "mdp formula f=x=1;" + "".join(f"formula f{'g' * i}g=f{'g' * i}&f{'g' * i};" for i in range(60)) + "module m x:[0..9]; endmodule",
        "mdp formula f=x=1" + "&x=1" * 20_000 + ";" + "".join(f"formula g{i}=f|x=2;" for i in range(200)) + "module m x:[0..9]; endmodule",
        "mdp module m x:bool; endmodule system " + "(" * 10_000 + "m" + ")" * 10_000 + " endsystem",
        "mdp module m x:bool; endmodule system m" + "/{a}" * 10_000 + " endsystem",
        '"' * 100_000,
        "x " * 100_000,
        "\x00\x01\x7f" * 100_000,
    ],
    ids=range(16),
)
def test_too_deep_too_long_too_large(text):
    begin = time.perf_counter()
    assert not isinstance(outcome(text), spec.World)
    assert time.perf_counter() - begin < 30


def test_long_but_well_formed():
    many = "".join(f"[a] x={i % 9} -> 0.5:(x'=x+1)+0.5:true;\n" for i in range(3_000))
    found = outcome(
        "mdp module m x:[0..9]; "
        + many
        + "[] "
        + "x=1&" * 5_000
        + "true -> true; [] "
        + "(" * 500
        + "true"
        + ")" * 500
        + "->true; endmodule"
    )
    assert isinstance(found, spec.World)
    assert len(found.actions) == 3_002


def test_the_fuzzed_models_are_fine():
    assert isinstance(outcome(OPEN), spec.World)
