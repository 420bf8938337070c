"""Path formulas by progression, against their meaning on words that repeat, written down directly."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsl.spec import Atom, Next, PathAnd, PathNot, PathOr, Until
from prover.worlds import automaton
from prover.worlds.automaton import Nnf
from tests.prover.build_spec import few
from tests.prover.worlds.build import BOOL, const

ATOMS = 2
Word = tuple[list[int], int]  # letters (bit a: atom a holds) and where the last one goes back to


@st.composite
def words(draw: st.DrawFn) -> Word:
    letters = draw(st.lists(st.integers(0, 3), min_size=1, max_size=5))
    return letters, draw(st.integers(0, len(letters) - 1))


def formulas(cosafe: bool, depth: int = 3) -> st.SearchStrategy[Nnf]:
    leaf = st.sampled_from([("true",), ("false",), ("atom", 0), ("atom", 1), ("not-atom", 0), ("not-atom", 1)])
    if depth == 0:
        return leaf
    part = formulas(cosafe, depth - 1)
    bound = st.integers(0, 3)
    free = "until" if cosafe else "release"
    return st.one_of(
        leaf,
        st.builds(lambda w, a, b: (w, a, b), st.sampled_from(["and", "or"]), part, part),
        st.builds(lambda w, a, b, c: (w, a, b, c), st.sampled_from(["and", "or"]), part, part, part),
        st.builds(lambda a: ("next", a), part),
        st.builds(lambda a, b: (free, a, b, None), part, part),
        st.builds(lambda w, a, b, k: (w, a, b, k), st.sampled_from(["until", "release"]), part, part, bound),
    )


def meaning(formula: Nnf, word: Word) -> list[bool]:
    """The truth at every position; unbounded operators as fixpoints."""
    letters, back = word
    size = len(letters)
    after = [k + 1 if k + 1 < size else back for k in range(size)]
    match formula[0]:
        case "true":
            return [True] * size
        case "false":
            return [False] * size
        case "atom":
            return [bool(x >> formula[1] & 1) for x in letters]
        case "not-atom":
            return [not x >> formula[1] & 1 for x in letters]
        case "and":
            return [all(column) for column in zip(*(meaning(part, word) for part in formula[1:]), strict=True)]
        case "or":
            return [any(column) for column in zip(*(meaning(part, word) for part in formula[1:]), strict=True)]
        case "next":
            inner = meaning(formula[1], word)
            return [inner[after[k]] for k in range(size)]
    _, left, right, bound = formula
    a, b = meaning(left, word), meaning(right, word)
    until = formula[0] == "until"
    truth = list(b)  # with bound 0
    for _ in range(size + 1 if bound is None else bound):
        truth = [(b[k] or (a[k] and truth[after[k]])) if until else (b[k] and (a[k] or truth[after[k]])) for k in range(size)]
    if bound is None and not until:  # the greatest fixpoint
        truth = [True] * size
        for _ in range(size + 1):
            truth = [b[k] and (a[k] or truth[after[k]]) for k in range(size)]
    return truth


def monitor(formula: Nnf, word: Word) -> automaton.State:
    """The monitor once it repeats, or is decided."""
    letters, back = word
    state = automaton.start(formula)
    seen = set()
    position = 0
    while (position, state) not in seen:
        seen.add((position, state))
        letter = letters[position]
        state = automaton.progress(state, lambda a, x=letter: bool(x >> a & 1))
        if state in (automaton.TRUE, automaton.FALSE):
            break
        position = position + 1 if position + 1 < len(letters) else back
    return state


@few(400)
@given(formulas(True), words())
def test_a_cosafe_formula_is_true_exactly_when_its_monitor_says_so(formula: Nnf, word: Word) -> None:
    assert automaton.is_cosafe(formula)
    assert (monitor(formula, word) == automaton.TRUE) == meaning(formula, word)[0]


@few(400)
@given(formulas(False), words())
def test_a_safe_formula_is_false_exactly_when_its_monitor_says_so(formula: Nnf, word: Word) -> None:
    assert automaton.is_safe(formula)
    assert (monitor(formula, word) == automaton.FALSE) == (not meaning(formula, word)[0])


@few(200)
@given(formulas(True) | formulas(False), words())
def test_negation(formula: Nnf, word: Word) -> None:
    opposite = automaton.negate(formula)
    assert automaton.negate(opposite) == formula
    assert meaning(opposite, word) == [not x for x in meaning(formula, word)]


@few(200)
@given(formulas(True), st.lists(st.integers(0, 3), min_size=1, max_size=6))
def test_monitors_are_minimal_and_named_by_one_key(formula: Nnf, letters: list[int]) -> None:
    state = automaton.start(formula)
    for letter in letters:
        state = automaton.progress(state, lambda a, x=letter: bool(x >> a & 1))
        assert not any(c < d for c in state for d in state)
        name = automaton.key(state)
        assert (name == "true") == (state == automaton.TRUE)
        assert (name == "false") == (state == automaton.FALSE)
        shuffled = frozenset(frozenset(sorted(clause, key=automaton.key_of, reverse=True)) for clause in sorted(state, key=len))
        assert automaton.key(shuffled) == name


def bounded(depth: int = 3) -> st.SearchStrategy[Nnf]:
    return formulas(True, depth).map(lambda f: _bind(f))


def _bind(formula: Nnf) -> Nnf:
    if formula[0] in ("until", "release"):
        return (formula[0], _bind(formula[1]), _bind(formula[2]), 2 if formula[3] is None else formula[3])
    return tuple(_bind(part) if isinstance(part, tuple) else part for part in formula)


@few(200)
@given(bounded(), st.lists(st.integers(0, 3), min_size=1, max_size=1))
def test_bounded_formulas_are_decided_in_time(formula: Nnf, letters: list[int]) -> None:
    steps = automaton.longest_bound(formula)
    state = automaton.start(formula)
    for _ in range(steps + 1):
        state = automaton.progress(state, lambda a: bool(letters[0] >> a & 1))
    assert state in (automaton.TRUE, automaton.FALSE)


# ---------------------------------------------------------------- from the spec's formulas

P, Q = Atom(const(0), "p"), Atom(const(1), "q")
TRUE = Atom(const(True), "true")


def number(atom: Atom) -> int | bool:
    return bool(atom.condition.value) if atom.condition.type == BOOL else int(atom.condition.value)  # type: ignore[union-attr]


def finally_(path: object, bound: int | None = None) -> Until:
    return Until(TRUE, path, bound)  # type: ignore[arg-type]


def globally(path: object) -> PathNot:
    return PathNot(finally_(PathNot(path)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (P, ("atom", 0)),
        (PathNot(P), ("not-atom", 0)),
        (PathNot(TRUE), ("false",)),
        (PathNot(PathAnd((P, PathNot(Q)))), ("or", ("not-atom", 0), ("atom", 1))),
        (PathNot(PathOr((P, Q))), ("and", ("not-atom", 0), ("not-atom", 1))),
        (PathNot(Next(P)), ("next", ("not-atom", 0))),
        (PathNot(Until(P, Q, 3)), ("release", ("not-atom", 0), ("not-atom", 1), 3)),
        (globally(P), ("release", ("false",), ("atom", 0), None)),
        (PathNot(globally(P)), ("until", ("true",), ("not-atom", 0), None)),
    ],
)
def test_normal_form(path: object, expected: Nnf) -> None:
    assert automaton.normal_form(path, number) == expected  # type: ignore[arg-type]


def test_recurrence_is_recognised_and_nothing_else() -> None:
    assert automaton.recurrence(automaton.normal_form(globally(finally_(P)), number)) == ("atom", 0)
    assert automaton.recurrence(automaton.normal_form(PathNot(finally_(globally(P))), number)) == ("not-atom", 0)
    assert automaton.recurrence(automaton.normal_form(globally(finally_(P, 5)), number)) is None
    assert automaton.recurrence(automaton.normal_form(globally(finally_(Next(P))), number)) is None
    assert automaton.recurrence(automaton.normal_form(finally_(globally(P)), number)) is None


def test_fragments() -> None:
    both = automaton.normal_form(PathAnd((finally_(P), globally(Q))), number)
    assert not automaton.is_cosafe(both)
    assert not automaton.is_safe(both)
    assert automaton.is_cosafe(automaton.normal_form(finally_(P, 9), number))
    assert automaton.is_safe(automaton.normal_form(finally_(P, 9), number))


def test_a_monitor_that_grows_too_large_is_refused() -> None:
    """Each of thirteen pairs may be kept in two ways: 2 ** 13 clauses."""
    pairs = tuple(
        ("or", ("next", ("until", ("atom", 0), ("atom", 1), k)), ("next", ("until", ("atom", 1), ("atom", 0), k))) for k in range(13)
    )
    with pytest.raises(automaton.FormulaTooLarge):
        automaton.progress(automaton.start(("and", *pairs)), lambda _: True)


def test_keys_are_those_of_the_proof_format() -> None:
    formula = ("until", ("not-atom", 1), ("and", ("atom", 0), ("next", ("atom", 1))), 4)
    state = automaton.progress(automaton.start(formula), lambda a: a == 0)
    assert automaton.key(state) == '["atom",1] | ["until",["not-atom",1],["and",["atom",0],["next",["atom",1]]],3]'
    assert automaton.longest_bound(formula) == 5
