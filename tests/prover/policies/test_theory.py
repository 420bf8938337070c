"""The theory solver's own answers: rows, infinite flags, separation and candidates, next to policies found by enumeration."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
import z3
from flint import fmpq
from hypothesis import assume, given
from hypothesis import strategies as st

from prover.policies.arena import Arena
from prover.policies.query import Inequality, Query, ValueOf
from prover.policies.theory import Bounds, Candidate, Closed, Stuck, Theory, Threshold
from prover.solve import lp
from prover.worlds.objective import Atoms, Stream
from prover.worlds.product import build
from tests.prover.build_spec import ONE, Table, TooMany, all_supports, f, few, query_of, tables, value_of_supports

REACH = Stream("W", "probability", path=("until", ("true",), ("atom", 0), None))
AVOID = Stream("W", "probability", path=("until", ("not-atom", 0), ("atom", 1), None))
TOTAL = Stream("W", "total", reward="pay")
NUMBERS = [Fraction(n, d) for n, d in ((0, 1), (1, 1), (-1, 1), (1, 2), (-1, 3), (2, 1))]


def query_over(streams: tuple[Stream, ...], inequalities: list[Inequality], players: tuple[str, ...] = ("pi",)) -> Query:
    variables = tuple((p, "Pi") for p in players)
    skeleton = ("and", *(("ref", i) for i in range(len(inequalities))))
    return Query("forall", streams, Atoms(), variables, (), (), None, tuple(inequalities), ("",) * len(inequalities), skeleton, {})


def theory_of(
    table: Table,
    streams: tuple[Stream, ...],
    inequalities: list[Inequality],
    players: tuple[str, ...] = ("pi",),
    flaggable: dict[int, int] | None = None,
) -> Theory:
    arena = Arena(build(table.mdp(), table.conditions(), streams), flaggable or {})
    return Theory(query_over(streams, inequalities, players), dict.fromkeys(players, arena), [])


@st.composite
def inequalities(draw: st.DrawFn, players: tuple[str, ...]) -> list[Inequality]:
    found = []
    for _ in range(draw(st.integers(1, 3))):
        terms = {ValueOf(draw(st.integers(0, 1)), draw(st.sampled_from(players))): draw(st.sampled_from(NUMBERS[1:])) for _ in range(2)}
        found.append(
            Inequality(draw(st.sampled_from(["<", "<="])), tuple((c, t) for t, c in terms.items()), draw(st.sampled_from(NUMBERS)))
        )
    return found


@pytest.mark.parametrize("players", [("pi",), ("pi", "rho")])
def test_a_conjunction_is_achievable_exactly_when_some_mixtures_achieve_it(players: tuple[str, ...]) -> None:
    """z3 over the mixtures of all deterministic policies, strict rows and couplings of two policies included."""

    @few(60)
    @given(tables(most=3, pays="none"), inequalities(players), st.lists(st.booleans(), min_size=3, max_size=3))
    def run(table: Table, rows: list[Inequality], held: list[bool]) -> None:
        streams = (REACH, AVOID)
        product = build(table.mdp(), table.conditions(), streams)
        try:
            points = sorted({tuple(value_of_supports(product, s)) for s in all_supports(product, False, 60)})  # type: ignore[type-var]
        except TooMany:
            assume(False)
            raise
        solver = z3.Solver()
        value = {}
        for p in players:
            shares = [z3.Real(f"{p}{k}") for k in range(len(points))]
            solver.add(*(s >= 0 for s in shares), z3.Sum(shares) == 1)
            for i in range(2):
                value[p, i] = z3.Sum([z3.Q(v[i].numerator, v[i].denominator) * s for s, v in zip(shares, points, strict=True)])
        for row, truth in zip(rows, held, strict=False):
            left = z3.Sum([z3.Q(c.numerator, c.denominator) * value[t.policy, t.stream] for c, t in row.terms]) + z3.Q(
                row.constant.numerator, row.constant.denominator
            )
            formula = left < 0 if row.op == "<" else left <= 0
            solver.add(formula if truth else z3.Not(formula))
        theory = theory_of(table, streams, rows, players)
        literals = tuple(enumerate(held[: len(rows)]))
        outcome = theory.check(literals, {}, {}, None)
        assert isinstance(outcome, Candidate if solver.check() == z3.sat else Closed), outcome
        if isinstance(outcome, Candidate):
            assert_candidate(rows, held, outcome)
        else:
            assert_farkas(theory, outcome, literals)

    run()


def assert_candidate(rows: list[Inequality], held: list[bool], candidate: Candidate) -> None:
    for parts in candidate.mixture.values():
        assert sum((w for w, _ in parts), fmpq(0)) == 1
    for row, truth in zip(rows, held, strict=False):
        left = row.constant + sum(
            (c * f(w * p.vector[t.stream]) for c, t in row.terms for w, p in candidate.mixture[t.policy]), Fraction(0)
        )
        assert ((left < 0) if row.op == "<" else (left <= 0)) == truth


def assert_farkas(theory: Theory, closed: Closed, literals: tuple[tuple[int, bool], ...]) -> None:
    """The multipliers cancel every value and leave a contradiction."""
    kind, parts = closed.tree
    assert kind == "farkas"
    total: dict[object, fmpq] = {}
    constant, strict = fmpq(0), False
    for name, u in parts:
        assert u > 0
        row = theory.literal_row(name[1], dict(literals)[name[1]]) if name[0] == "atom" else theory.lemma_row(name[1], name[2])
        constant += u * row.constant
        strict |= row.op == "<"
        for column, c in row.coefficients.items():
            total[column] = total.get(column, fmpq(0)) + u * c
    assert not any(total.values())
    assert constant > 0 or (constant == 0 and strict)


# ---------------------------------------------------------------- infinite values

LOSING = Table(
    ({"lose": {0: ONE}, "out": {1: ONE}}, {"rest": {1: ONE}}),
    {(0, "lose", 0): -ONE},
    (frozenset([1]), frozenset()),
)
LOW = Inequality("<=", ((ONE, ValueOf(0, "pi")),), Fraction(100))  # TOTAL <= -100
SURE = Inequality("<=", ((-ONE, ValueOf(1, "pi")),), ONE)  # REACH >= 1
DIFFERENCE = Inequality("<", ((ONE, ValueOf(0, "pi")), (-ONE, ValueOf(0, "rho"))), Fraction(0))


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ({}, None),
        ({"pi": True}, None),
        ({"pi": False}, True),
        ({"rho": False}, False),
        ({"pi": False, "rho": False}, None),
        ({"pi": False, "rho": True}, True),
    ],
)
def test_infinite_terms_decide_an_inequality_if_they_push_one_way(flags: dict[str, bool], expected: bool | None) -> None:
    theory = theory_of(LOSING, (TOTAL,), [DIFFERENCE], ("pi", "rho"), {0: 1})
    assert theory.truth(0, {(p, 0): finite for p, finite in flags.items()}) is expected


@pytest.mark.parametrize(("sign", "low"), [(1, True), (-1, False)])
def test_the_sign_of_the_infinity(sign: int, low: bool) -> None:
    theory = theory_of(LOSING, (TOTAL, REACH), [LOW], ("pi",), {0: sign})
    assert theory.truth(0, {("pi", 0): False}) is low


def test_far_out_but_finite_along_a_losing_loop() -> None:
    """As low as one likes and still sure to arrive: a policy that goes round a while."""
    theory = theory_of(LOSING, (TOTAL, REACH), [LOW, SURE], ("pi",), {0: 1})
    outcome = theory.check(((0, True), (1, True)), {("pi", 0): True}, {}, None)
    assert isinstance(outcome, Candidate)
    assert sum((w * p.vector[0] for w, p in outcome.mixture["pi"]), fmpq(0)) <= -100  # type: ignore[operator]
    assert all(p.vector[1] == 1 for _, p in outcome.mixture["pi"])


def test_an_infinite_sum_needs_a_policy_that_makes_it_so() -> None:
    theory = theory_of(LOSING, (TOTAL, REACH), [LOW, SURE], ("pi",), {0: 1})
    outcome = theory.check(((0, True),), {("pi", 0): False}, {}, None)
    assert isinstance(outcome, Candidate)
    assert any(p.vector[0] is None for _, p in outcome.mixture["pi"])
    # Never arriving has chance 0 here, so an infinite sum and a sure arrival exclude each other: only the boundary is left.
    assert isinstance(theory.check(((0, True), (1, True)), {("pi", 0): False}, {}, None), Stuck)


def test_no_policy_is_finite_closes_at_once() -> None:
    table = Table(({"lose": {0: ONE}},), {(0, "lose", 0): -ONE}, (frozenset(), frozenset()))
    theory = theory_of(table, (TOTAL, REACH), [LOW], ("pi",), {0: 1})
    outcome = theory.check(((0, False),), {("pi", 0): True}, {}, None)
    assert isinstance(outcome, Closed)
    ((name, _),) = outcome.tree[1]
    assert (name[0], name[1].bound) == ("lemma", None)


# ---------------------------------------------------------------- parts


@pytest.mark.parametrize(
    ("direction", "closed", "expected"),
    [
        ("maximal", True, (1, -3, "<=")),
        ("maximal", False, (1, -3, "<")),
        ("minimal", True, (-1, 3, "<=")),
        ("minimal", False, (-1, 3, "<")),
    ],
)
def test_threshold_rows(direction: str, closed: bool, expected: tuple[int, int, str]) -> None:
    row = Threshold(fmpq(3), closed, direction).row()
    assert (row.coefficients["unknown",], row.constant, row.op) == expected


def test_lemmas_are_used_under_their_conditions_only() -> None:
    theory = theory_of(LOSING, (TOTAL, REACH), [LOW, SURE], ("pi",), {0: 1})
    arena = theory.arenas["pi"]
    lemma = arena.sup({0: fmpq(1)}, frozenset([0]), {})
    limited = arena.sup({1: fmpq(1)}, frozenset(), {0: frozenset([1])})
    finite, infinite = {("pi", 0): True}, {("pi", 0): False}
    assert theory.applies(lemma, "pi", finite, {})  # type: ignore[arg-type]
    assert not theory.applies(lemma, "pi", {}, {})  # type: ignore[arg-type]
    assert not theory.applies(lemma, "pi", infinite, {})  # type: ignore[arg-type]
    assert not theory.applies(limited, "pi", {}, {})  # type: ignore[arg-type]
    assert not theory.applies(limited, "pi", {}, {"pi": {0: frozenset([0, 1])}})  # type: ignore[arg-type]
    assert theory.applies(limited, "pi", {}, {"pi": {0: frozenset([1])}})  # type: ignore[arg-type]


def test_optima_and_the_unknown_are_bounded_by_rows(tmp_path: Path) -> None:
    text = """\
world W {
  var x : 0..1 = 0
  action go { x' = 1 }
  reward pay { [go]: 1 }
}
policies Pi over W
score J(pi : Pi) = E[pay, horizon 2]
find e in (0, 5] minimal for forall pi : Pi. max(J) - J(pi) < e
"""
    _, query = query_of(text, tmp_path)
    theory = Theory(query, {}, [Bounds(fmpq(1), fmpq(2))])
    rows = dict(theory.background(Threshold(fmpq(4), False, "minimal"), {("optimum", 0)}))
    assert {name: (row.constant, row.op) for name, row in rows.items()} == {
        ("optimum", 0, "upper"): (-2, "<="),
        ("optimum", 0, "lower"): (1, "<="),
        ("unknown", "low"): (0, "<"),
        ("unknown", "high"): (-5, "<="),
        ("threshold",): (4, "<"),
    }
    assert isinstance(lp.feasible(list(rows.values())), lp.Feasible)
