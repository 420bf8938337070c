"""Statements over affine numbers -> formulas of the Spec: about policies, or about training, never both."""

from __future__ import annotations

from fractions import Fraction
from typing import assert_never

from dsl import affine, spec
from dsl.affine import Affine, Comparison, Junction, Known, Negation, Quantifier, Statement
from dsl.operators import IllTyped
from dsl.source import Span


def linear(number: Affine, span: Span) -> spec.Linear:
    terms: list[tuple[Fraction, spec.Term]] = []
    for coefficient, quantity in number.terms:
        if isinstance(quantity, (spec.ProbabilityOf, spec.ExpectationOf)):
            message = "one comparison mixes values of policies with probabilities over training"
            raise IllTyped("E412", span, message, "state the two in separate claims and join them in a theorem")
        terms.append((coefficient, quantity))
    return spec.Linear(tuple(terms), number.constant)


def formula(statement: Statement, span: Span) -> spec.Formula:
    """A statement about policies without quantifiers."""
    match statement:
        case Comparison(op=op, affine=number, text=text):
            return spec.Compare(op, linear(number, span), text)
        case Known(value=value):
            return spec.Truth(value)
        case Negation(arg=arg):
            return spec.Not(formula(arg, span))
        case Junction(kind=kind, args=args):
            done = tuple([formula(arg, span) for arg in args])
            return spec.And(done) if kind == "and" else spec.Or(done)
        case Quantifier(kind=kind):
            raise IllTyped("E404", span, f"`{kind}` may stand only at the beginning of a claim")
        case _:
            assert_never(statement)


def quantified(found: Statement, span: Span) -> spec.Quantified:
    if isinstance(found, Quantifier):
        return spec.Quantified(found.kind, found.variables, formula(found.body, span))
    return spec.Quantified("forall", (), formula(found, span))


def measure_formula(found: Statement, span: Span) -> spec.MeasureFormula:
    match found:
        case Comparison(op=op, affine=number, text=text):
            return spec.MeasureCompare(op, _measure_linear(number, span), text)
        case Known(value=value):  # a constant truth is the comparison -1 < 0 or 0 < 0
            return spec.MeasureCompare("<", spec.MeasureLinear((), Fraction(-1 if value else 0)), "true" if value else "false")
        case Negation(arg=arg):
            return spec.MeasureNot(measure_formula(arg, span))
        case Junction(kind=kind, args=args):
            done = tuple([measure_formula(arg, span) for arg in args])
            return spec.MeasureAnd(done) if kind == "and" else spec.MeasureOr(done)
        case Quantifier(kind=kind):
            raise IllTyped("E404", span, f"`{kind}` cannot stand in a claim about training")
        case _:
            assert_never(found)


def _measure_linear(number: affine.Affine, span: Span) -> spec.MeasureLinear:
    terms: list[tuple[Fraction, spec.ProbabilityOf | spec.ExpectationOf]] = []
    for coefficient, quantity in number.terms:
        if not isinstance(quantity, (spec.ProbabilityOf, spec.ExpectationOf)):
            raise IllTyped("E412", span, "one comparison mixes values of policies with probabilities over training")
        terms.append((coefficient, quantity))
    return spec.MeasureLinear(tuple(terms), number.constant)
