"""Objectives of a spec into streams: constants, signs, fragments, and conditions that are always true or false."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from dsl.diagnostic import SpecError
from dsl.spec import Atom, Next, PathAnd, PathNot, PathOr, Probability, Until
from dsl.typecheck import load
from prover.worlds.objective import Affine, Atoms, Stream, stream
from tests.prover.build_spec import spec_file
from tests.prover.worlds.build import INT, SPAN, binary, const, var, variable

WORLD = """\
world W {
  var x : 0..2 = 0
  action go { x' = 2 }
  action stop { stay }
  label a = x == 1
  label b = x == 2
  label always = x >= 0 or true
  label never = false
  reward pay { [go]: 1 }
}
policies Pi over W
"""


def affine(objective: str, folder: Path) -> tuple[Affine, Atoms]:
    """The stream of one objective, in a spec that mentions nothing else."""
    spec, _ = load(spec_file(f"{WORLD}claim c: forall pi : Pi. {objective}(pi) <= 1\n", folder))
    ((_, term),) = spec.statements[0].body.body.linear.terms
    atoms = Atoms()
    return stream(term.objective, atoms), atoms


A, B = ("atom", 0), ("atom", 1)
TRUE, FALSE = ("true",), ("false",)
NOT_A = ("atom", 0)  # the front end folds negations of conditions into conditions


@pytest.mark.parametrize(
    ("objective", "constant", "scale", "expected"),
    [
        ("E[pay, total]", 0, 1, Stream("W", "total", reward="pay")),
        ("E[pay, horizon 7]", 0, 1, Stream("W", "horizon", reward="pay", steps=7)),
        ("E[pay, discount 2/3]", 0, 1, Stream("W", "discount", reward="pay", factor=Fraction(2, 3))),
        ("E[pay, discount 0]", 0, 1, Stream("W", "discount", reward="pay", factor=Fraction(0))),
        ("E[pay, until b]", 0, 1, Stream("W", "until", reward="pay", atom=0)),
        ("E[pay, until never]", 0, 1, Stream("W", "total", reward="pay")),
        ("E[pay, until not never]", 0, 1, Stream("W", "horizon", reward="pay", steps=0)),
        ("P[F a]", 0, 1, Stream("W", "probability", path=("until", TRUE, A, None))),
        ("P[G a]", 1, -1, Stream("W", "probability", path=("until", TRUE, NOT_A, None))),
        ("P[a U b]", 0, 1, Stream("W", "probability", path=("until", A, B, None))),
        ("P[not (a U b)]", 1, -1, Stream("W", "probability", path=("until", A, B, None))),
        ("P[G<=3 a]", 0, 1, Stream("W", "probability", path=("release", FALSE, ("not-atom", 0), 3))),
        ("P[X a]", 0, 1, Stream("W", "probability", path=("next", A))),
        ("P[G F a]", 0, 1, Stream("W", "recurrence", atom=0)),
        ("P[not F G a]", 0, 1, Stream("W", "recurrence", atom=0)),
        ("P[F G a]", 1, -1, Stream("W", "recurrence", atom=0)),
    ],
)
def test_streams(objective: str, constant: int, scale: int, expected: Stream, tmp_path: Path) -> None:
    found, _ = affine(objective, tmp_path)
    assert found == Affine(Fraction(constant), Fraction(scale), expected)


@pytest.mark.parametrize(
    ("objective", "text"), [("P[F G a]", "not a"), ("P[G F a]", "a"), ("P[G a]", "not a"), ("P[G<=3 a]", "not a"), ("E[pay, until b]", "b")]
)
def test_which_condition_it_is(objective: str, text: str, tmp_path: Path) -> None:
    _, atoms = affine(objective, tmp_path)
    assert [atom.text for atom in atoms.of_world["W"]] == [text]


def test_conditions_are_numbered_by_world_and_only_once() -> None:
    atoms = Atoms()
    assert [atoms.number(w, a) for w, a in (("V", X), ("W", Y), ("W", X), ("W", Y), ("V", X))] == [0, 0, 1, 0, 0]
    assert atoms.number("W", Atom(const(True), "true")) is True
    assert atoms.number("W", Atom(const(False), "false")) is False
    assert len(atoms.of_world["W"]) == 2


X, Y = Atom(binary("==", var(variable("x", INT)), 1), "x"), Atom(binary("==", var(variable("x", INT)), 2), "y")


def always(path: object) -> PathNot:
    return PathNot(Until(Atom(const(True), "true"), PathNot(path), None))  # type: ignore[arg-type]


def eventually(path: object) -> Until:
    return Until(Atom(const(True), "true"), path, None)  # type: ignore[arg-type]


@pytest.mark.parametrize("path", [PathAnd((eventually(X), always(Y))), always(PathOr((X, eventually(Y)))), always(eventually(Next(X)))])
def test_outside_the_fragments(path: Path) -> None:
    with pytest.raises(SpecError) as error:
        stream(Probability("W", path, "P[...]", SPAN), Atoms())
    assert [d.code for d in error.value.diagnostics] == ["E401"]


def test_f_g_by_hand_complements_its_condition() -> None:
    """A spec's F G arrives with the negation folded; a typed path need not."""
    atoms = Atoms()
    found = stream(Probability("W", eventually(always(X)), "P[F G x]", SPAN), atoms)
    assert (found.constant, found.scale, found.stream.kind) == (1, -1, "recurrence")
    assert found.stream.atom == 1
    assert [a.text for a in atoms.of_world["W"]] == ["x", "not (x)"]


def test_json_of_the_proof_file(tmp_path: Path) -> None:
    shown = {
        o: affine(o, tmp_path)[0].stream.to_json(3)
        for o in ("E[pay, until b]", "P[G F a]", "P[F<=2 a]", "E[pay, discount 1/2]", "E[pay, total]")
    }
    assert shown == {
        "E[pay, until b]": {"world": 3, "kind": "expected", "reward": "pay", "mode": ["until", 0]},
        "P[G F a]": {"world": 3, "kind": "recurrence", "atom": 0},
        "P[F<=2 a]": {"world": 3, "kind": "probability", "path": ["until", ["true"], ["atom", 0], 2]},
        "E[pay, discount 1/2]": {"world": 3, "kind": "expected", "reward": "pay", "mode": ["discount", "1/2"]},
        "E[pay, total]": {"world": 3, "kind": "expected", "reward": "pay", "mode": ["total"]},
    }


def test_only_endless_sums_can_be_infinite() -> None:
    kinds = {
        k: Stream("W", k, factor=Fraction(1, 2) if k == "discount" else None)
        for k in ("probability", "recurrence", "total", "until", "horizon", "discount")
    }
    assert {k for k, s in kinds.items() if s.sums_for_ever} == {"total", "until"}
    assert {k for k, s in kinds.items() if s.group is not None} == {"discount"}
