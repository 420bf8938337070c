"""What a statement about training speaks of: events over one policy drawn from T, and comparisons linear in their probabilities.

P(not e) is written 1 - P(e).  P(e given f) > p becomes P(e and f) - p P(f) > 0, and P(f) > 0 is asked for beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from dsl import spec
from dsl.spec import (
    And,
    Compare,
    ExpectationOf,
    Formula,
    Linear,
    MeasureAnd,
    MeasureCompare,
    MeasureFormula,
    MeasureNot,
    MeasureOr,
    Not,
    Or,
    ProbabilityOf,
    Value,
)
from prover.policies.query import Builder, OptimumOf, Skeleton, ValueOf

SELF = "self"  # the policy drawn from T
Term = tuple[Any, ...]  # ("probability", e) ("joint", e, f) ("expectation", stream) ("optimum", k)
Literal = tuple[int, bool]  # an event and whether it happens


class Inexpressible(Exception):
    """The statement is outside of what this storey decides; the message says why."""


@dataclass(frozen=True)
class Comparison:
    """sum of coefficient * term + constant  op  0."""

    op: str
    terms: tuple[tuple[Fraction, Term], ...]
    constant: Fraction

    def to_json(self, number: Mapping[int, int]) -> list[Any]:
        """``number`` renames the events."""
        terms = [[str(c), [t[0], *(number[e] for e in t[1:])] if t[0] in ("probability", "joint") else list(t)] for c, t in self.terms]
        return [self.op, {"terms": terms, "constant": str(self.constant)}]


def trainings(formula: MeasureFormula) -> set[str]:
    return {quantity.training for comparison in comparisons(formula) for _, quantity in comparison.linear.terms}


def comparisons(formula: MeasureFormula) -> Iterator[MeasureCompare]:
    match formula:
        case MeasureCompare():
            yield formula
        case MeasureNot(arg):
            yield from comparisons(arg)
        case MeasureAnd(args) | MeasureOr(args):
            for part in args:
                yield from comparisons(part)


def renamed(formula: Formula, names: Mapping[str, str]) -> Formula:
    """The formula with other names for its policies."""
    match formula:
        case Compare(op, linear, text):
            terms = tuple((c, Value(t.objective, names.get(t.policy, t.policy)) if isinstance(t, Value) else t) for c, t in linear.terms)
            return Compare(op, Linear(terms, linear.constant), text)
        case Not(arg):
            return Not(renamed(arg, names))
        case And(args):
            return And(tuple(renamed(arg, names) for arg in args))
        case Or(args):
            return Or(tuple(renamed(arg, names) for arg in args))
    return formula


class Vocabulary:
    """Events and comparisons over one training type; all of them share one ``Builder`` and so its streams, optima and inequalities."""

    def __init__(self, whole: spec.Spec, type: str) -> None:
        self.builder = Builder(whole, ((SELF, type),))
        self.events: list[Skeleton] = []
        self.comparisons: list[Comparison] = []
        self._texts: dict[Skeleton, str] = {}

    def event(self, skeleton: Skeleton) -> int:
        """The number of exactly this event."""
        if skeleton not in self.events:
            self.events.append(skeleton)
        return self.events.index(skeleton)

    def literal(self, skeleton: Skeleton) -> Literal:
        """The event as one that is known already, or the complement of one."""
        if skeleton in self.events:
            return self.event(skeleton), True
        opposite = _complement(skeleton)
        if opposite in self.events:
            return self.event(opposite), False
        return (self.event(opposite), False) if skeleton[0] == "not" else (self.event(skeleton), True)

    # ------------------------------------------------------------ formulas about T

    def formula(self, formula: MeasureFormula) -> Skeleton:
        """Over ``comparisons``, by ("ref", i); every condition of a conditional probability has to be possible."""
        guards: list[Skeleton] = []
        body = self._formula(formula, guards)
        unique = list(dict.fromkeys(guards))
        return ("and", *unique, body) if unique else body

    def _formula(self, formula: MeasureFormula, guards: list[Skeleton]) -> Skeleton:
        match formula:
            case MeasureCompare(op, linear, _):
                total = _Sum(self)
                for condition in self._conditions(linear):
                    guard = _Sum(self)
                    guard.probability(Fraction(-1), [self.literal(condition)])
                    guards.append(self.comparison("<", guard))
                self._linear(linear, total)
                return self.comparison(op, total)
            case MeasureNot(arg):
                return ("not", self._formula(arg, guards))
            case MeasureAnd(args):
                return ("and", *(self._formula(arg, guards) for arg in args))
            case MeasureOr(args):
                return ("or", *(self._formula(arg, guards) for arg in args))

    def comparison(self, op: str, total: _Sum) -> Skeleton:
        terms = tuple(sorted(((c, t) for t, c in total.terms.items() if c), key=lambda pair: pair[1]))
        if not terms:
            return ("true",) if total.constant < 0 or (op == "<=" and total.constant == 0) else ("false",)
        made = Comparison(op, terms, total.constant)
        if made not in self.comparisons:
            self.comparisons.append(made)
        return ("ref", self.comparisons.index(made))

    def surely(self, skeleton: Skeleton) -> Skeleton:
        """P(event) >= 1."""
        total = _Sum(self)
        total.probability(Fraction(-1), [self.literal(skeleton)])
        total.constant += 1
        return self.comparison("<=", total)

    def _linear(self, linear: spec.MeasureLinear, total: _Sum) -> None:
        given = self._conditions(linear)
        if given and (len(given) > 1 or any(isinstance(q, ExpectationOf) or q.given is None for _, q in linear.terms)):
            raise Inexpressible("a conditional probability can be compared with a number, or with others under the same condition")
        condition = [self.literal(quantity) for quantity in given]
        for coefficient, quantity in linear.terms:
            if isinstance(quantity, ExpectationOf):
                self._expectation(coefficient, quantity, total)
            else:
                total.probability(coefficient, [self.literal(self.skeleton(quantity.event)), *condition])
        if condition:
            total.probability(linear.constant, condition)
        else:
            total.constant += linear.constant

    def _conditions(self, linear: spec.MeasureLinear) -> list[Skeleton]:
        given = [q.given for _, q in linear.terms if isinstance(q, ProbabilityOf) and q.given is not None]
        return list(dict.fromkeys(self.skeleton(event) for event in given))

    def skeleton(self, event: spec.Event) -> Skeleton:
        skeleton = self.builder.skeleton(event.body)
        self._texts.setdefault(skeleton, " ".join(event.text.split()))
        return skeleton

    def text(self, skeleton: Skeleton) -> str:
        """The event as the user wrote it, if it was written."""
        known = self._texts.get(skeleton)
        if known is not None:
            return known
        if skeleton[0] == "not":
            return f"not ({self.text(skeleton[1])})"
        return f" {skeleton[0]} ".join(map(self.text, skeleton[1:])) if skeleton[0] in ("and", "or") else skeleton[0]

    # ------------------------------------------------------------ what a sample should be asked

    def wanted(self, formula: MeasureFormula, positive: bool = True) -> list[Skeleton]:
        """The events whose probabilities have to be bounded from below to prove the formula; it depends on the statement alone."""
        match formula:
            case MeasureNot(arg):
                return self.wanted(arg, not positive)
            case MeasureAnd(args) | MeasureOr(args):
                return list(dict.fromkeys(event for arg in args for event in self.wanted(arg, positive)))
            case MeasureCompare(linear=linear):
                found: list[Skeleton] = []
                if all(isinstance(q, ProbabilityOf) for _, q in linear.terms) and _certain(formula, positive):
                    return []
                for coefficient, quantity in linear.terms:
                    if isinstance(quantity, ProbabilityOf):
                        found += self._bounds(quantity, (coefficient < 0) == positive)
                return list(dict.fromkeys(found))

    def _bounds(self, quantity: ProbabilityOf, from_below: bool) -> list[Skeleton]:
        event = self.skeleton(quantity.event)
        event = event if from_below else _complement(event)
        if quantity.given is None:
            return [event]
        condition = self.skeleton(quantity.given)
        return [("and", event, condition), ("not", ("and", _complement(event), condition))]

    def _expectation(self, coefficient: Fraction, quantity: ExpectationOf, total: _Sum) -> None:
        terms, constant = self.builder.linear(quantity.body)
        total.constant += coefficient * constant
        for c, term in terms:
            match term:
                case ValueOf(stream, policy) if policy == SELF:
                    total.add(("expectation", stream), coefficient * c)
                case OptimumOf(index):
                    total.add(("optimum", index), coefficient * c)
                case _:
                    raise Inexpressible("an expectation over training may mention the drawn policy only; compare others with a number")


def _certain(comparison: MeasureCompare, truth: bool) -> bool:
    """Has the comparison this truth whatever the probabilities in it are?"""
    linear = comparison.linear
    if truth:
        highest = linear.constant + sum((c for c, _ in linear.terms if c > 0), Fraction(0))
        return highest < 0 or (highest == 0 and comparison.op == "<=")
    lowest = linear.constant + sum((c for c, _ in linear.terms if c < 0), Fraction(0))
    return lowest > 0 or (lowest == 0 and comparison.op == "<")


def _complement(skeleton: Skeleton) -> Skeleton:
    return skeleton[1] if skeleton[0] == "not" else ("not", skeleton)


class _Sum:
    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.terms: dict[Term, Fraction] = {}
        self.constant = Fraction(0)

    def add(self, term: Term, coefficient: Fraction) -> None:
        self.terms[term] = self.terms.get(term, Fraction(0)) + coefficient

    def probability(self, coefficient: Fraction, literals: Sequence[Literal]) -> None:
        """Adds coefficient * P(one or two literals), by inclusion and exclusion over complements."""
        distinct = list(dict.fromkeys(literals))
        if len({event for event, _ in distinct}) < len(distinct):
            return
        failed = next((literal for literal in distinct if not literal[1]), None)
        if failed is not None:
            rest = [literal for literal in distinct if literal != failed]
            self.probability(coefficient, rest)
            self.probability(-coefficient, [*rest, (failed[0], True)])
        elif not distinct:
            self.constant += coefficient
        elif len(distinct) == 1:
            self.add(("probability", distinct[0][0]), coefficient)
        else:
            first, second = sorted(event for event, _ in distinct)
            self.add(("joint", first, second), coefficient)
