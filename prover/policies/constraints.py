"""The terms of the direct encodings: booleans, linear rows and products over named variables, before any solver sees them.

One system goes two ways: into z3 (prover.policies.smt) and into SMT-LIB text (prover.policies.export).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

Formula = tuple[Any, ...]
# ("true",) ("false",) ("bool", name) ("not", f) ("and", f...) ("or", f...)
# ("row", op, Linear): Linear op 0 with op "<", "<=" or "="        ("times", x, p, y): x = p * y

TRUE: Formula = ("true",)
FALSE: Formula = ("false",)


@dataclass
class Linear:
    """sum of coefficients * real variables + constant; mutable while a row is being collected."""

    coefficients: dict[str, Fraction] = field(default_factory=dict)
    constant: Fraction = Fraction(0)

    def add(self, name: str, coefficient: Fraction) -> None:
        self.coefficients[name] = self.coefficients.get(name, Fraction(0)) + coefficient

    def plus(self, other: Linear, scale: Fraction = Fraction(1)) -> Linear:
        result = Linear(dict(self.coefficients), self.constant + scale * other.constant)
        for name, c in other.coefficients.items():
            result.add(name, scale * c)
        return result

    def scaled(self, scale: Fraction) -> Linear:
        return Linear({name: scale * c for name, c in self.coefficients.items()}, scale * self.constant)

    @property
    def terms(self) -> list[tuple[str, Fraction]]:
        return [(name, c) for name, c in self.coefficients.items() if c]

    def at(self, values: Mapping[str, Fraction]) -> Fraction:
        return self.constant + sum((c * values[name] for name, c in self.terms), Fraction(0))


def variable(name: str) -> Linear:
    return Linear({name: Fraction(1)})


def number(value: Fraction) -> Linear:
    return Linear({}, value)


def row(linear: Linear, op: str) -> Formula:
    if not linear.terms:
        value = linear.constant
        return TRUE if (value < 0 if op == "<" else value <= 0 if op == "<=" else value == 0) else FALSE
    return ("row", op, linear)


def less(left: Linear, right: Linear) -> Formula:
    return row(left.plus(right, Fraction(-1)), "<")


def at_most(left: Linear, right: Linear) -> Formula:
    return row(left.plus(right, Fraction(-1)), "<=")


def equal(left: Linear, right: Linear) -> Formula:
    return row(left.plus(right, Fraction(-1)), "=")


def positive(linear: Linear) -> Formula:
    return row(linear.scaled(Fraction(-1)), "<")


def boolean(name: str) -> Formula:
    return ("bool", name)


def neg(f: Formula) -> Formula:
    match f[0]:
        case "true":
            return FALSE
        case "false":
            return TRUE
        case "not":
            inner: Formula = f[1]
            return inner
        case "row" if f[1] != "=":
            return row(f[2].scaled(Fraction(-1)), "<=" if f[1] == "<" else "<")
    return ("not", f)


def conj(parts: Iterable[Formula]) -> Formula:
    kept = [p for p in parts if p != TRUE]
    if FALSE in kept:
        return FALSE
    return TRUE if not kept else kept[0] if len(kept) == 1 else ("and", *kept)


def disj(parts: Iterable[Formula]) -> Formula:
    kept = [p for p in parts if p != FALSE]
    if TRUE in kept:
        return TRUE
    return FALSE if not kept else kept[0] if len(kept) == 1 else ("or", *kept)


def implies(condition: Formula, conclusion: Formula) -> Formula:
    return disj([neg(condition), conclusion])


def one_of(names: list[str]) -> list[Formula]:
    """Exactly one of these booleans."""
    pairs = [disj([neg(boolean(a)), neg(boolean(b))]) for k, a in enumerate(names) for b in names[k + 1 :]]
    return [disj(boolean(name) for name in names), *pairs]


@dataclass
class System:
    """Declared variables (in order) and assertions, each under a heading that says what it stands for."""

    reals: dict[str, None] = field(default_factory=dict)
    booleans: dict[str, None] = field(default_factory=dict)
    sections: list[tuple[str, list[Formula]]] = field(default_factory=list)
    nonlinear: bool = False

    def real(self, name: str) -> str:
        self.reals[name] = None
        return name

    def share(self, name: str) -> str:
        """A real that is at least 0."""
        if name not in self.reals:
            self.real(name)
            self.add(row(Linear({name: Fraction(-1)}), "<="))
        return name

    def boolean(self, name: str) -> str:
        self.booleans[name] = None
        return name

    def section(self, heading: str) -> None:
        self.sections.append((heading, []))

    def add(self, formula: Formula) -> None:
        if formula == TRUE:
            return
        if not self.sections:
            self.section("")
        self.nonlinear = self.nonlinear or formula[0] == "times"
        self.sections[-1][1].append(formula)

    @property
    def assertions(self) -> list[Formula]:
        return [f for _, formulas in self.sections for f in formulas]

    @property
    def logic(self) -> str:
        return "QF_NRA" if self.nonlinear else "QF_LRA"
