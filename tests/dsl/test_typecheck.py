"""From text to the typed Spec: what is expanded, folded and bound, and that nothing blows up."""

from __future__ import annotations

import time
from fractions import Fraction

import pytest

from dsl import spec
from dsl.diagnostic import SpecError
from dsl.lint import lint
from dsl.parse import parse
from dsl.semantics import enabled, initial_states
from dsl.source import Source
from dsl.typecheck import check
from dsl.types import Int

WORLD = """world W {
  var x : 0..4 = 0
  var b : bool = false
  action go when x < 4 { x' = x + 1 }
  action wait { stay }
  label far = x == 4
  reward points { [go]: 1 }
}
policies Pi over W
"""
SCORES = WORLD + "score J(pi : Pi) = E[points, horizon 5]\nproperty Safe(pi : Pi) = P[F<=5 far] <= 1/2\n"


def typed(text: str) -> spec.Spec:
    source = Source("test", text)
    return check(parse(source), source)


def refused(text: str) -> list[str]:
    with pytest.raises(SpecError) as error:
        typed(text)
    return [d.code for d in error.value.diagnostics]


def constant(text: str, declarations: str = "") -> object:
    """The value of a constant, seen as an initial value or as a weight."""
    world = "world W {\n  var x : bool = false\n  action a { stay }\n  reward r { c }\n}\n"
    value = typed(f"{declarations}\nconst c = {text}\n{world}").worlds[0].rewards[0].clauses[0].value
    assert isinstance(value, spec.Const)
    return value.value


# ---------------------------------------------------------------- constants and functions


@pytest.mark.parametrize("text", ["0.1", "10%", "1/10", "1e-1", "2 / 20", "1 - 9/10", "10^-1", "abs(-0.1)", "min(1, 1/10)"])
def test_one_tenth_is_one_tenth(text: str) -> None:
    assert constant(text) == Fraction(1, 10)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("7 div 2", 3),
        ("-7 div 2", -4),
        ("-7 mod 2", 1),
        ("2 ^ 3 ^ 2", 512),
        ("1 - 2 - 3", -4),
        ("1 - (2 - 3)", 2),
        ("12 / 2 / 3", 2),
        ("floor(-1/2)", -1),
        ("ceil(1/2)", 1),
        ("if 1 < 2 <= 2 then 5 else 1 / 0", 5),
        ("if 3 in 0..2 or 3 in {1, 3} then 1 else 0", 1),
        ("sum i in 1..10. i", 55),
        ("sum i, j in 0..2. i * j", 9),
        ("if exists i in 0..9. i * i == 49 then 1 else 0", 1),
        ("if forall i in 0..9. i * i < 49 then 1 else 0", 0),
        ("if false and 1 / 0 > 1 then 1 else 2", 2),
        ("if 1 != 2 <=> not (1 == 2) then 1 else 0", 1),
        ("f(3) + f(f(1))", 10),
        ('if course[1, 0] == "#" then 1 else 0', 0),
        ("if course[0, 1] == course[1, 0] then 1 else 0", 1),
        ("if E == Dir::E and E in Dir then 1 else 0", 1),
    ],
)
def test_folding(text: str, value: int) -> None:
    declarations = 'def f(n : int) : int = 2 * n\nenum Dir { N, E }\nconst course = grid """\n  #.\n  .#\n"""\n'
    assert constant(text, declarations) == value


def test_order_does_not_matter() -> None:
    assert constant("d + 1", "const d = f(e)\ndef f(n : int) = n + e\nconst e = 2") == 5


def test_functions_are_expanded_with_their_arguments() -> None:
    world = typed("def power(a : int, n : int) = a ^ n\n" + WORLD.replace("x == 4", "power(x, 2) == 16")).worlds[0]
    condition = world.labels[0].condition
    assert isinstance(condition, spec.Binary)
    assert isinstance(condition.left, spec.Binary)
    assert condition.left.op == "^"
    assert condition.left.type == Int(0, 16)
    assert refused("def power(a : int, n : int) = a ^ n\n" + WORLD.replace("x == 4", "power(2, x) == 16")) == ["E211"]


def test_labels_are_expanded() -> None:
    world = typed(WORLD.replace("x == 4", "not near and x == 4\n  label near = x < 2")).worlds[0]
    near = next(label for label in world.labels if label.name == "near").condition
    far = next(label for label in world.labels if label.name == "far").condition
    assert isinstance(far, spec.Nary)
    assert far.args[0] == spec.Unary("not", near, near.type, near.span)


def test_world_runs() -> None:
    world = typed(WORLD).worlds[0]
    state = initial_states(world)[0][0]
    assert [choice.action for choice in enabled(world, state)] == ["go", "wait"]


# ---------------------------------------------------------------- formulas


def body(claim: str, more: str = "") -> spec.Formula:
    statement = typed(SCORES + more + "claim c: " + claim + "\n").statements[-1]
    assert isinstance(statement, spec.Claim)
    assert isinstance(statement.body, spec.Quantified)
    return statement.body.body


def value(policy: str = "p") -> spec.Value:
    compare = body(f"forall {policy} : Pi. J({policy}) < 0")
    assert isinstance(compare, spec.Compare)
    term = compare.linear.terms[0][1]
    assert isinstance(term, spec.Value)
    return term


def below(op: str, coefficient: int, constant: Fraction | int) -> spec.Compare:
    return spec.Compare(op, spec.Linear(((Fraction(coefficient), value()),), Fraction(constant)), "")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("J(p) < 3", below("<", 1, -3)),
        ("J(p) <= 3", below("<=", 1, -3)),
        ("J(p) > 3", below("<", -1, 3)),
        ("J(p) >= 3", below("<=", -1, 3)),
        ("J(p) == 3", spec.And((below("<=", 1, -3), below("<=", -1, 3)))),
        ("J(p) != 3", spec.Or((below("<", 1, -3), below("<", -1, 3)))),
        ("1 < J(p) <= 3", spec.And((below("<", -1, 1), below("<=", 1, -3)))),
        ("J(p) in 1..3", spec.And((below("<=", -1, 1), below("<=", 1, -3)))),
        ("2 * J(p) / 2 - 3 < 0", below("<", 1, -3)),
        ("J(p) + J(p) < J(p) + 3", below("<", 1, -3)),
        ("E[points, horizon 5](p) < 3", below("<", 1, -3)),
        ("abs(J(p)) < 3", spec.And((below("<", 1, -3), below("<", -1, -3)))),
        ("abs(J(p)) > 3", spec.Or((below("<", -1, 3), below("<", 1, 3)))),
        ("max(J(p), 7) < 3", spec.And((below("<", 1, -3), spec.Truth(False)))),
        ("min(J(p), 2) < 3", spec.Or((below("<", 1, -3), spec.Truth(True)))),
        ("not J(p) < 3", spec.Not(below("<", 1, -3))),
        ("not not J(p) < 3", below("<", 1, -3)),
        ("J(p) < 3 => J(p) < 4", spec.Or((spec.Not(below("<", 1, -3)), below("<", 1, -4)))),
        ("J(p) - J(p) < 1", spec.Truth(True)),
        ("if 1 < 2 then J(p) < 3 else J(p) < 4", None),
    ],
)
def test_comparisons(text: str, expected: spec.Formula | None) -> None:
    found = body(f"forall p : Pi. {text}")
    if expected is not None:
        assert found == expected


def test_conditional_numbers_split_into_cases() -> None:
    small = below("<", 1, -1)
    cases = spec.Or((spec.And((small, spec.Truth(True))), spec.And((spec.Not(small), below("<", 1, -3)))))
    assert body("forall p : Pi. (if J(p) < 1 then 0 else J(p)) < 3") == cases


def test_text_is_what_was_written() -> None:
    found = body("forall p : Pi. J(p)   >= 2  // more\n  - 1 and Safe(p)")
    assert isinstance(found, spec.And)
    assert [part.text for part in found.args if isinstance(part, spec.Compare)] == ["J(p) >= 2 - 1", "P[F<=5 far] <= 1/2"]


def test_near_optimal_is_two_strict_comparisons() -> None:
    found = body("forall p : Pi. near_optimal(J, p, 1/2)")
    optimum = spec.Optimum("max", "Pi", ((Fraction(1), value().objective),), Fraction(0), "")
    gap = ((Fraction(1), value()), (Fraction(-1), optimum))
    other = ((Fraction(-1), value()), (Fraction(1), optimum))
    assert found == spec.And(tuple(spec.Compare("<", spec.Linear(terms, Fraction(-1, 2)), "") for terms in (gap, other)))
    assert found == body("forall p : Pi. abs(J(p) - max(J)) < 50%")
    assert found == body("forall p : Pi. near_optimal(E[points, horizon 5], p, 1/2)")


def test_quantifiers_merge_and_flip() -> None:
    def quantified(text: str) -> spec.Quantified:
        statement = typed(SCORES + f"claim c: {text}\n").statements[0]
        assert isinstance(statement, spec.Claim)
        assert isinstance(statement.body, spec.Quantified)
        return statement.body

    merged = quantified("forall a, b : Pi. forall c : Pi. J(a) < J(b)")
    assert (merged.kind, merged.variables) == ("forall", (("a", "Pi"), ("b", "Pi"), ("c", "Pi")))
    flipped = quantified("not forall a : Pi. Safe(a)")
    assert (flipped.kind, type(flipped.body)) == ("exists", spec.Not)
    assert quantified("1 < 2") == spec.Quantified("forall", (), spec.Truth(True))


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("F far", "Until(T, A, None)"),
        ("G far", "not Until(T, A, None)"),
        ("not F not far", "not Until(T, A, None)"),
        ("G<=3 far", "not Until(T, A, 3)"),
        ("X F<=2 far", "X Until(T, A, 2)"),
        ("G F far", "not Until(T, not Until(T, A, None), None)"),
        ("F G far", "Until(T, not Until(T, A, None), None)"),
        ("b U far and not X far", "(Until(A, A, None) and not X A)"),
        ("far => F b", "(A or Until(T, A, None))"),
    ],
)
def test_paths(text: str, path: str) -> None:
    def shown(node: spec.Path) -> str:
        match node:
            case spec.Atom(condition=spec.Const(value=True)):
                return "T"
            case spec.Atom():
                return "A"
            case spec.PathNot(arg=arg):
                return f"not {shown(arg)}"
            case spec.Next(arg=arg):
                return f"X {shown(arg)}"
            case spec.Until(left=left, right=right, bound=bound):
                return f"Until({shown(left)}, {shown(right)}, {bound})"
            case spec.PathAnd(args=args):
                return f"({' and '.join(map(shown, args))})"
            case spec.PathOr(args=args):
                return f"({' or '.join(map(shown, args))})"

    found = typed(WORLD + f"score S(pi : Pi) = P[{text}]\n").scores[0][1].body[0][1]
    assert isinstance(found, spec.Probability)
    assert shown(found.path) == path


def test_scores_are_linear_in_objectives() -> None:
    scores = dict(typed(SCORES + "score K(pi : Pi) = 2 * J - P[F far] / 2 + 1\nscore L(q : Pi) = K(q) - 2 * J(q)\n").scores)
    assert [(c, type(o).__name__) for c, o in scores["K"].body] == [(2, "Expected"), (Fraction(-1, 2), "Probability")]
    assert [(c, type(o).__name__) for c, o in scores["L"].body] == [(Fraction(-1, 2), "Probability")]
    assert scores["L"].constant == 1


def test_a_score_may_share_the_name_of_a_reward_or_label() -> None:
    scores = typed(WORLD + "score points(pi : Pi) = E[points, horizon 5] + P[F far]\nscore far(pi : Pi) = P[F far]\n").scores
    assert [name for name, _ in scores] == ["points", "far"]


# ---------------------------------------------------------------- policies, training, find


def test_optimal_policies_speak_of_self() -> None:
    policy = typed(SCORES + "policy p : Pi = maximize J - P[F far] subject to Safe and near_optimal(J, self, 3)\n").policies[0]
    assert isinstance(policy.body, spec.OptimalPolicy)
    assert {t.policy for _, t in policy.body.body.terms if isinstance(t, spec.Value)} == {"self"}


def test_events_are_equal_whatever_the_policy_is_called() -> None:
    text = """policy p : Pi = { when far: wait; else: { 1/2: go; 1/2: wait } }
training T : Pi {
  mixture { 98%: p; 2%: p }
  samples 9 of 10 satisfy Safe(sigma) and J(sigma) > 1 confidence 99%
  runs "runs/*.json" confidence 0.9
}
claim c: P[q ~ T](Safe(q) and J(q) > 1) - P[r ~ T](Safe(r) and J(r) > 1) + P[s ~ T](Safe(s) given J(s) > 1) >= E[t ~ T](J(t))
"""
    found = typed(SCORES + text)
    samples = found.trainings[0].evidence[1]
    assert isinstance(samples, spec.Samples)
    statement = found.statements[0]
    assert isinstance(statement, spec.Claim)
    assert isinstance(statement.body, spec.MeasureCompare)
    terms = statement.body.linear.terms
    assert [coefficient for coefficient, _ in terms] == [1, -1]  # two of the four cancel
    assert isinstance(terms[1][1], spec.ProbabilityOf)
    assert samples.event.variable == "self"
    assert terms[1][1].given is not None


@pytest.mark.parametrize(
    ("kind", "text", "fine"),
    [
        ("maximal", "near_optimal(J, p, e) => Safe(p)", True),
        ("maximal", "J(p) >= e", True),
        ("maximal", "not J(p) < e - 1", True),
        ("minimal", "J(p) <= 2 * e", True),
        ("minimal", "abs(J(p)) <= e", True),
        ("minimal", "J(p) >= e", False),
        ("maximal", "abs(J(p)) <= e", False),
        ("maximal", "J(p) == e", False),
        ("maximal", "(if J(p) < e then 1 else 0) >= 1", False),
    ],
)
def test_find_is_monotone(kind: str, text: str, fine: bool) -> None:
    claim = SCORES + f"find e in (0, infinity) {kind} for forall p : Pi. {text}\n"
    if fine:
        found = typed(claim).statements[0]
        assert isinstance(found, spec.Find)
        assert (found.low, found.high, found.low_closed) == (0, None, False)
    else:
        assert refused(claim) == ["E408"]


# ---------------------------------------------------------------- diagnostics


def test_one_mistake_is_said_once() -> None:
    text = WORLD.replace("x == 4", "y == 4").replace("0..4 = 0", "0..n = 0")
    text += "score J(pi : Pi) = E[points, horizon k]\nclaim c: J(p) > far\n"
    text += "policy p : Pi = maximize J\nproperty S(pi : Pi) = J >= 1 and P[F far] > 0\nclaim d: forall q : Pi. S(q) => J(q) > 1\n"
    assert sorted(refused(text)) == ["E201", "E201", "E203", "E207"]  # n, k, y, and far in claim c


def test_all_mistakes_at_once_but_not_without_end() -> None:
    assert refused("const a = x1\nconst b = x2\nconst c = true + 1\n") == ["E201", "E201", "E206"]
    assert len(refused("".join(f"const a{i} = b{i}\n" for i in range(5_000)))) == 200


@pytest.mark.parametrize(
    "text",
    [
        "".join(f"def f{i}(x : int) = {f'f{i - 1}(x) + f{i - 1}(x)' if i else 'x'}\n" for i in range(60)),
        "".join(f"def f{i}(x : int) = {f'-f{i - 1}(x)' if i else 'x'}\n" for i in range(3_000)),
        "".join(f"const c{i} = {f'c{i - 1} * c{i - 1}' if i else '7'}\n" for i in range(60)),
        "const a = 10^10^9\n",
        "const a = sum i in 0..10^18. i\n",
        SCORES + "".join(f"property S{i}(pi : Pi) = {f'S{i - 1} <=> S{i - 1}' if i else 'Safe'}\n" for i in range(60)),
        SCORES + "".join(f"property S{i}(pi : Pi) = {f'not (S{i - 1} and Safe)' if i else 'Safe'}\n" for i in range(2_000)),
        SCORES + "".join(f"score K{i}(pi : Pi) = {f'2^9999 * K{i - 1}' if i else 'J'}\n" for i in range(200)),
        SCORES + "claim c: forall p : Pi. " + "(Safe(p) <=> " * 90 + "Safe(p)" + ")" * 90 + "\n",
        WORLD + "score K(pi : Pi) = P[" + "(far <=> " * 90 + "F far" + ")" * 90 + "]\n",
        WORLD + "score K(pi : Pi) = P[" + "if far then far else " * 190 + "F far]\n",
    ],
    ids=range(11),
)
def test_blow_ups_are_refused_quickly(text: str) -> None:
    started = time.monotonic()
    assert set(refused(text)) <= {"E208", "E215", "E309", "E410"}
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    "text",
    [
        WORLD.replace("x == 4", "not " * 190 + "b"),
        WORLD.replace("x == 4", "(b and " * 95 + "b" + ")" * 95),
        SCORES + "claim c: forall p : Pi. " + "(Safe(p) and " * 95 + "Safe(p)" + ")" * 95 + "\n",
        WORLD + "score K(pi : Pi) = P[" + "(far U " * 95 + "F far" + ")" * 95 + "]\n",
        WORLD.replace("x == 4", "x" + " + x - x" * 5_000 + " > 0"),
        SCORES + "claim c: forall p : Pi. J(p)" + " + J(p)" * 5_000 + " > 0\n",
    ],
    ids=range(6),
)
def test_deep_and_long_but_fine(text: str) -> None:
    found = typed(text)
    assert hash(found) == hash(found)


def test_lint_is_quiet_about_the_example() -> None:
    source = Source("test", SCORES.replace("  var b : bool = false\n", "") + "claim c: forall p : Pi. near_optimal(J, p, 1) => Safe(p)\n")
    file = parse(source)
    assert lint(file, check(file, source)) == ()
