"""Claims into inequalities and skeletons: what is kept apart, what is folded, and the booleans of implicants."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prover.policies.query import Inequality, OptimumOf, Query, Skeleton, TheUnknown, ValueOf, evaluate, implicants, references
from tests.prover.build_spec import HALF, ONE, few, query_of

SPEC = """\
world W {
  var x : 0..2 = 0
  action go when x < 2 { x' = x + 1 }
  action wait { stay }
  label end = x == 2
  reward pay { [go]: 1 }
}
policies Pi over W
score J(pi : Pi) = E[pay, horizon 3]
score S(pi : Pi) = 1 - P[F end]
policy lazy : Pi = { else: wait }
"""


def query(statement: str, folder: Path) -> Query:
    return query_of(SPEC + statement + "\n", folder)[1]


def skeletons(depth: int = 3) -> st.SearchStrategy[Skeleton]:
    leaf = st.sampled_from([("true",), ("false",), *(("ref", i) for i in range(4))])
    if depth == 0:
        return leaf
    part = skeletons(depth - 1)
    return st.one_of(
        leaf,
        part.map(lambda p: ("not", p)),
        st.lists(part, min_size=1, max_size=3).map(lambda ps: ("and", *ps)),
        st.lists(part, min_size=1, max_size=3).map(lambda ps: ("or", *ps)),
    )


def truth(skeleton: Skeleton, values: tuple[bool, ...]) -> bool:
    match skeleton[0]:
        case "true" | "false":
            return bool(skeleton[0] == "true")
        case "ref":
            return values[skeleton[1]]
        case "not":
            return not truth(skeleton[1], values)
        case "and":
            return all(truth(p, values) for p in skeleton[1:])
        case _:
            return any(truth(p, values) for p in skeleton[1:])


ALL = list(product((False, True), repeat=4))


@few(200)
@given(skeletons(), st.booleans())
def test_implicants_are_the_disjunctive_normal_form(skeleton: Skeleton, positive: bool) -> None:
    clauses = implicants(skeleton, positive, 10_000)
    assert clauses is not None
    for values in ALL:
        assert any(all(values[i] == held for i, held in clause) for clause in clauses) == (truth(skeleton, values) == positive)
    assert len(set(clauses)) == len(clauses)


@few(200)
@given(skeletons(), st.dictionaries(st.integers(0, 3), st.booleans()))
def test_three_values_say_no_more_than_all_completions(skeleton: Skeleton, known: dict[int, bool]) -> None:
    completions = {truth(skeleton, v) for v in ALL if all(v[i] == b for i, b in known.items())}
    found = evaluate(skeleton, known)
    assert found is None or completions == {found}
    if len(known) == 4:
        assert {found} == completions


@few(100)
@given(skeletons())
def test_references_in_the_order_of_their_first_occurrence(skeleton: Skeleton) -> None:
    text = str(skeleton)
    found = references(skeleton)
    assert sorted(set(found)) == sorted(found)
    positions = [text.index(f"('ref', {i})") for i in found]
    assert positions == sorted(positions)
    assert all((f"('ref', {i})" in text) == (i in found) for i in range(4))


def test_too_many_implicants_are_not_listed() -> None:
    wide: Skeleton = ("and", *(("or", ("ref", 2 * i), ("ref", 2 * i + 1)) for i in range(5)))
    assert implicants(wide, True, 31) is None
    clauses = implicants(wide, True, 32)
    assert clauses is not None
    assert len(clauses) == 32
    assert implicants(wide, False, 5) == [((2 * i, False), (2 * i + 1, False)) for i in range(5)]


# ---------------------------------------------------------------- from specs


def test_near_optimal_is_two_comparisons_over_one_optimum(tmp_path: Path) -> None:
    q = query("claim c: forall pi : Pi. near_optimal(J, pi, 1/2) => S(pi) >= 1/4", tmp_path)
    assert [s.kind for s in q.streams] == ["horizon", "probability"]
    assert len(q.optima) == 1
    assert (q.optima[0].kind, q.optima[0].over, q.optima[0].body) == ("max", "Pi", ((ONE, 0),))
    assert Inequality("<=", ((ONE, ValueOf(1, "pi")),), Fraction(-3, 4)) in q.inequalities  # 1 - P >= 1/4
    assert any(OptimumOf(0) in [t for _, t in i.terms] for i in q.inequalities)


def test_the_same_comparison_twice_is_one_inequality(tmp_path: Path) -> None:
    q = query("claim c: forall pi : Pi. J(pi) <= 1 or not (J(pi) <= 1)", tmp_path)
    assert q.inequalities == (Inequality("<=", ((ONE, ValueOf(0, "pi")),), -ONE),)
    assert evaluate(q.skeleton, {0: True}) is True
    assert evaluate(q.skeleton, {0: False}) is True


@pytest.mark.parametrize(
    ("claim", "value"),
    [("J(pi) - J(pi) <= 0", True), ("J(pi) - J(pi) < 0", False), ("0 * J(pi) < 1", True), ("2 * J(pi) >= 1 + 2 * J(pi)", False)],
)
def test_what_cancels_is_decided_at_once(claim: str, value: bool, tmp_path: Path) -> None:
    q = query(f"claim c: forall pi : Pi. {claim}", tmp_path)
    assert q.inequalities == ()
    assert evaluate(q.skeleton, {}) is value


def test_named_policies_are_players_behind_the_variables(tmp_path: Path) -> None:
    q = query("claim c: forall a, b : Pi. J(a) + J(b) <= 2 * J(lazy) + 6", tmp_path)
    assert q.variables == (("a", "Pi"), ("b", "Pi"))
    assert q.named == (("lazy", "Pi"),)
    assert q.players == (*q.variables, *q.named)
    assert {t: c for c, t in q.inequalities[0].terms} == {ValueOf(0, "a"): 1, ValueOf(0, "b"): 1, ValueOf(0, "lazy"): -2}


def test_the_unknown_of_a_find(tmp_path: Path) -> None:
    q = query("find eps in (0, 5/2] minimal for forall pi : Pi. J(pi) <= eps / 2 + 2", tmp_path)
    assert q.unknown is not None
    assert (q.unknown.low, q.unknown.low_closed, q.unknown.high, q.unknown.high_closed) == (0, False, Fraction(5, 2), True)
    assert q.unknown.direction == "minimal"
    assert {t: c for c, t in q.inequalities[0].terms}[TheUnknown()] == -HALF


def test_optima_of_affine_scores_carry_their_constants(tmp_path: Path) -> None:
    q = query("claim c: forall pi : Pi. max(S) >= S(pi)", tmp_path)
    assert (q.optima[0].body, q.optima[0].constant) == (((-ONE, 0),), ONE)
