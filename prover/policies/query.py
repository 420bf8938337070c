"""A claim into the theory's terms: distinct linear inequalities over streams of policies, and a boolean skeleton over them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, assert_never

from dsl.record import dataclass
from dsl.spec import And, Compare, Find, Formula, Linear, Not, Objective, Optimum, Or, Spec, Truth, Unknown, Value
from prover.worlds.objective import Affine, Atoms, Stream, stream

Skeleton = tuple[Any, ...]  # ("ref", i) ("not", s) ("and", s...) ("or", s...) ("true",) ("false",)


@dataclass(frozen=True)
class ValueOf:
    """Stream ``stream`` of the query under the policy named ``policy``."""

    stream: int
    policy: str


@dataclass(frozen=True)
class OptimumOf:
    index: int


@dataclass(frozen=True)
class TheUnknown:
    pass


Term = ValueOf | OptimumOf | TheUnknown


@dataclass(frozen=True)
class Inequality:
    """sum of coefficient * term + constant  op  0; op is "<" or "<="."""

    op: str
    terms: tuple[tuple[Fraction, Term], ...]
    constant: Fraction


@dataclass(frozen=True)
class OptimumQuery:
    """The extremum of a linear body over a policy type (``kind`` is "max" or "min")."""

    kind: str
    over: str
    body: tuple[tuple[Fraction, int], ...]  # coefficient, stream
    constant: Fraction
    text: str


@dataclass(frozen=True)
class Interval:
    name: str
    low: Fraction | None
    low_closed: bool
    high: Fraction | None
    high_closed: bool
    direction: str  # "maximal" | "minimal"


@dataclass(frozen=True)
class Query:
    """``players`` are all policies by name with their types: the quantified variables first, then the named ones that occur."""

    kind: str  # "forall" | "exists" | "find"
    streams: tuple[Stream, ...]
    atoms: Atoms
    variables: tuple[tuple[str, str], ...]
    named: tuple[tuple[str, str], ...]
    optima: tuple[OptimumQuery, ...]
    unknown: Interval | None
    inequalities: tuple[Inequality, ...]
    texts: tuple[str, ...]
    skeleton: Skeleton
    origins: Mapping[Stream, Objective]  # where a stream comes from, for messages

    @property
    def players(self) -> tuple[tuple[str, str], ...]:
        return self.variables + self.named


class Builder:
    """Collects the streams, optima and inequalities of one query; several formulas may share it."""

    def __init__(self, spec: Spec, variables: Sequence[tuple[str, str]]) -> None:
        self.spec = spec
        self.variables = tuple(variables)
        self.atoms = Atoms()
        self.streams: list[Stream] = []
        self.named: dict[str, str] = {}
        self.optima: list[OptimumQuery] = []
        self.inequalities: list[Inequality] = []
        self.texts: list[str] = []
        self.origins: dict[Stream, Objective] = {}

    def query(self, kind: str, skeleton: Skeleton, unknown: Interval | None = None) -> Query:
        return Query(
            kind, tuple(self.streams), self.atoms, self.variables, tuple(self.named.items()), tuple(self.optima), unknown,
            tuple(self.inequalities), tuple(self.texts), skeleton, dict(self.origins),
        )  # fmt: skip

    def skeleton(self, formula: Formula) -> Skeleton:
        match formula:
            case Truth(value):
                return ("true",) if value else ("false",)
            case Not(arg):
                return ("not", self.skeleton(arg))
            case And(args):
                return ("and", *map(self.skeleton, args))
            case Or(args):
                return ("or", *map(self.skeleton, args))
            case Compare(op, linear, text):
                terms, constant = self.linear(linear)
                if not terms:
                    return ("true",) if constant < 0 or (op == "<=" and constant == 0) else ("false",)
                return ("ref", self.inequality(Inequality(op, terms, constant), text))

    def inequality(self, inequality: Inequality, text: str) -> int:
        if inequality not in self.inequalities:
            self.inequalities.append(inequality)
            self.texts.append(text)
        return self.inequalities.index(inequality)

    def linear(self, linear: Linear) -> tuple[tuple[tuple[Fraction, Term], ...], Fraction]:
        total: dict[Term, Fraction] = {}
        constant = linear.constant
        for coefficient, term in linear.terms:
            match term:
                case Value(objective, policy):
                    affine = self.affine(objective)
                    self.name(policy)
                    constant += coefficient * affine.constant
                    key: Term = ValueOf(self.stream(affine.stream), policy)
                    coefficient *= affine.scale
                case Optimum():
                    key = OptimumOf(self.optimum(term))
                case Unknown():
                    key = TheUnknown()
                case other:
                    assert_never(other)
            total[key] = total.get(key, Fraction(0)) + coefficient
        return tuple((c, t) for t, c in total.items() if c), constant

    def affine(self, objective: Objective) -> Affine:
        affine = stream(objective, self.atoms)
        self.origins.setdefault(affine.stream, objective)
        return affine

    def stream(self, stream: Stream) -> int:
        if stream not in self.streams:
            self.streams.append(stream)
        return self.streams.index(stream)

    def name(self, policy: str) -> None:
        if policy not in dict(self.variables):
            self.named.setdefault(policy, self.spec.policy(policy).type)

    def optimum(self, optimum: Optimum) -> int:
        constant = optimum.constant
        body: dict[int, Fraction] = {}
        for coefficient, objective in optimum.body:
            affine = self.affine(objective)
            constant += coefficient * affine.constant
            index = self.stream(affine.stream)
            body[index] = body.get(index, Fraction(0)) + coefficient * affine.scale
        query = OptimumQuery(optimum.kind, optimum.over, tuple((c, i) for i, c in body.items() if c), constant, optimum.text)
        if query not in self.optima:
            self.optima.append(query)
        return self.optima.index(query)


def interval(find: Find) -> Interval:
    return Interval(find.name, find.low, find.low_closed, find.high, find.high_closed, find.kind)


def evaluate(skeleton: Skeleton, truth: dict[int, bool]) -> bool | None:
    """Three-valued: None while the inequalities decided so far leave it open."""
    match skeleton[0]:
        case "true" | "false":
            return bool(skeleton[0] == "true")
        case "ref":
            return truth.get(skeleton[1])
        case "not":
            inner = evaluate(skeleton[1], truth)
            return None if inner is None else not inner
        case word:
            values = [evaluate(part, truth) for part in skeleton[1:]]
            decisive = bool(word == "or")
            if decisive in values:
                return decisive
            return None if None in values else not decisive


def references(skeleton: Skeleton) -> list[int]:
    """The inequalities in the order of their first occurrence."""
    if skeleton[0] == "ref":
        return [skeleton[1]]
    return list(dict.fromkeys(i for part in skeleton[1:] if isinstance(part, tuple) for i in references(part)))


Literals = tuple[tuple[int, bool], ...]


def implicants(skeleton: Skeleton, positive: bool, limit: int) -> list[Literals] | None:
    """The clauses of the disjunctive normal form of the skeleton (or of its negation); None if there are more than ``limit``."""
    match skeleton[0]:
        case "true" | "false":
            return [()] if (skeleton[0] == "true") == positive else []
        case "ref":
            return [((skeleton[1], positive),)]
        case "not":
            return implicants(skeleton[1], not positive, limit)
        case word:
            parts = [implicants(part, positive, limit) for part in skeleton[1:]]
            found: list[Literals]
            if (word == "or") == positive:
                found = []
                for part in parts:
                    if part is None:
                        return None
                    found.extend(part)
            else:
                found = [()]
                for part in parts:
                    if part is None:
                        return None
                    found = [_join(a, b) for a in found for b in part if not _clash(a, b)]
                    if len(found) > limit:
                        return None
            unique = list(dict.fromkeys(found))
            return unique if len(unique) <= limit else None


def _join(a: Literals, b: Literals) -> Literals:
    return tuple(sorted(set(a) | set(b)))


def _clash(a: Literals, b: Literals) -> bool:
    known = dict(a)
    return any(known.get(i, value) != value for i, value in b)
