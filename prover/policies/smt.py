"""Constraints into z3: four distinct answers, exact rationals in and out; and the master of the search modulo policies.

The only file that imports z3.  Terms are flat (no if-then-else): deeply nested ones hang z3 outside of its time limit.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import z3

from prover.policies.constraints import Formula, Linear, System
from prover.policies.query import Literals, Query, evaluate, references

if TYPE_CHECKING:
    from prover.policies.theory import Flags, Theory, Threshold
    from prover.solve import lp

MEMORY_MB = 4096
DIGITS = 4000  # Python refuses to print or read longer decimal numbers


class SolverUnknown(Exception):
    """z3 gave up, ran out of time or of memory; ``reason`` is for the verdict Unknown."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Algebraic(Exception):
    """A model's value is an irrational algebraic number."""


@dataclass(frozen=True)
class Sat:
    model: Model


@dataclass(frozen=True)
class Unsat:
    pass


@dataclass(frozen=True)
class Unknown:
    reason: str


@dataclass(frozen=True)
class TimedOut:
    pass


Answer = Sat | Unsat | Unknown | TimedOut


class Model:
    def __init__(self, model: Any) -> None:
        self._model = model

    def truth(self, name: str) -> bool:
        return bool(z3.is_true(self._model.eval(z3.Bool(name), model_completion=True)))

    def value(self, name: str) -> Fraction:
        """Exactly; ``Algebraic`` if it is not rational."""
        return _fraction(self._model.eval(z3.Real(name), model_completion=True))

    def near(self, name: str, digits: int = 30) -> Fraction:
        """The value, or a rational within 10^-digits of it."""
        value = self._model.eval(z3.Real(name), model_completion=True)
        return _fraction(value.approx(digits)) if z3.is_algebraic_value(value) else _fraction(value)

    def at(self, linear: Linear) -> Fraction:
        return linear.constant + sum((c * self.value(name) for name, c in linear.terms), Fraction(0))


def _fraction(value: Any) -> Fraction:
    if z3.is_rational_value(value):
        return Fraction(_integer(value.numerator()), _integer(value.denominator()))
    if z3.is_int_value(value):
        return Fraction(_integer(value))
    if z3.is_algebraic_value(value):
        raise Algebraic
    raise SolverUnknown(f"z3 answered {value} where a number was asked for")


def _integer(value: Any) -> int:
    """Through binary digits for long numbers, which have no limit on their length."""
    text = value.as_string()
    return int(text) if len(text) < DIGITS else _decimal(text)


def _decimal(text: str) -> int:
    if text.startswith("-"):
        return -_decimal(text[1:])
    result = 0
    for k in range(0, len(text), DIGITS):
        part = text[k : k + DIGITS]
        result = result * 10 ** len(part) + int(part)
    return result


def rational(value: Fraction) -> Any:
    """A z3 real, exactly."""
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > 3 * DIGITS:
        raise SolverUnknown(f"a number has more than {DIGITS - 400} digits")
    return z3.RealVal(f"{value.numerator}/{value.denominator}")


def lower(formula: Formula) -> Any:
    """The formula as a z3 term."""
    match formula[0]:
        case "true" | "false":
            return z3.BoolVal(formula[0] == "true")
        case "bool":
            return z3.Bool(formula[1])
        case "not":
            return z3.Not(lower(formula[1]))
        case "and":
            return z3.And(*map(lower, formula[1:]))
        case "or":
            return z3.Or(*map(lower, formula[1:]))
        case "times":
            return z3.Real(formula[1]) == z3.Real(formula[2]) * z3.Real(formula[3])
    _, op, linear = formula
    left, right = _sum(linear), rational(-linear.constant)
    return left < right if op == "<" else left <= right if op == "<=" else left == right


def _sum(linear: Linear) -> Any:
    parts = [z3.Real(name) if c == 1 else rational(c) * z3.Real(name) for name, c in linear.terms]
    return parts[0] if len(parts) == 1 else z3.Sum(parts)


class Session:
    """A solver with the assertions of a system; ``check`` may assume more."""

    def __init__(self, system: System | None = None, deadline: float | None = None, optimize: bool = False) -> None:
        """``deadline`` as time.monotonic() counts."""
        z3.set_param("memory_max_size", MEMORY_MB)
        self.deadline = deadline
        self.nonlinear = system is not None and system.nonlinear
        self._solver: Any = z3.Optimize() if optimize else z3.SolverFor("QF_NRA") if self.nonlinear else z3.Solver()
        if system is not None:
            for formula in system.assertions:
                self.add(formula)

    def add(self, formula: Formula) -> None:
        self._solver.add(lower(formula))

    def check(self, assuming: Sequence[Formula] = ()) -> Answer:
        if self.deadline is not None:
            left = int(1000 * (self.deadline - time.monotonic()))
            if left <= 0:
                return TimedOut()
            self._solver.set("timeout", left)
        self._solver.push()
        try:
            for formula in assuming:
                self.add(formula)
            answer = self._solver.check()
            if answer == z3.sat:
                return Sat(Model(self._solver.model()))
            if answer == z3.unsat:
                return Unsat()
            reason = str(self._solver.reason_unknown())
            return TimedOut() if reason in ("timeout", "canceled") else Unknown(f"z3: {reason}")
        except z3.Z3Exception as error:
            return Unknown(f"z3: {error}")
        finally:
            self._solver.pop()


def minimum(system: System, objective: Linear, deadline: float | None = None) -> tuple[Fraction, bool] | Unsat | Unknown | TimedOut:
    """The infimum and whether it is attained; linear systems only.

    z3's optimizer proposes it; two plain checks confirm that nothing is below and something is within 10^-30 of it.
    """
    session = Session(system, deadline, optimize=True)
    if deadline is not None:
        session._solver.set("timeout", max(1, int(1000 * (deadline - time.monotonic()))))
    try:
        handle = session._solver.minimize(_sum(objective) if objective.terms else z3.RealVal(0))
        answer = session._solver.check()
        if answer == z3.unsat:
            return Unsat()
        if answer != z3.sat:
            return Unknown(f"z3: {session._solver.reason_unknown()}")
        infinite, value, above = handle.lower_values()
    except z3.Z3Exception as error:
        return Unknown(f"z3: {error}")
    if _fraction(infinite) != 0:
        return Unknown("z3: the objective has no lower bound")
    infimum = _fraction(value) + objective.constant
    tried = confirmed(system, objective, infimum, deadline)
    if isinstance(tried, bool):
        return (infimum, tried) if tried == (_fraction(above) == 0) else Unknown("z3's optimizer and its solver disagree")
    return tried


def approached(system: System, objective: Linear, deadline: float | None = None) -> tuple[Fraction, bool] | Unsat | Unknown | TimedOut:
    """The infimum and whether it is attained, for nonlinear systems: halving by simplest fractions, which meets short ones exactly."""
    session = Session(system, deadline)

    def below(bound: Fraction) -> Answer:
        return session.check([("row", "<", objective.plus(Linear({}, -bound)))])

    first = session.check()
    if not isinstance(first, Sat):
        return first
    high = objective.constant + sum((c * first.model.near(name) for name, c in objective.terms), Fraction(0)) + Fraction(1, 10**9)
    low, step = high, Fraction(1)
    while True:
        low, step = low - step, 4 * step
        answer = below(low)
        if isinstance(answer, Unsat):
            break
        if not isinstance(answer, Sat) or step > 10**12:
            return answer if not isinstance(answer, Sat) else Unknown("z3: no lower bound was found")
        high = low
    for _ in range(200):
        middle = simplest(low, high)
        answer = below(middle)
        if isinstance(answer, Sat):
            high = middle
        elif isinstance(answer, Unsat):
            low = middle
            if isinstance(below(low + Fraction(1, 10**15)), Sat):
                outcome = confirmed(system, objective, low, deadline)
                return (low, outcome) if isinstance(outcome, bool) else outcome
        else:
            return answer
    return Unknown("the infimum is no short fraction")


def simplest(low: Fraction, high: Fraction) -> Fraction:
    """The fraction with the least denominator strictly between (Stern and Brocot)."""
    whole = low.numerator // low.denominator
    if high > whole + 1:
        return Fraction(whole + 1) if whole + 1 > low else Fraction(whole + 2)
    low, high = low - whole, high - whole
    if low == 0:
        inverse = 1 / high
        return whole + Fraction(1, inverse.numerator // inverse.denominator + 1)
    return whole + 1 / simplest(1 / high, 1 / low)


def confirmed(system: System, objective: Linear, infimum: Fraction, deadline: float | None) -> bool | Unknown | TimedOut:
    """Is this the infimum of the objective?  If so, whether it is attained."""
    session = Session(system, deadline)
    gap = objective.plus(Linear({}, -infimum))
    below = session.check([("row", "<", gap)] if gap.terms else [("true" if gap.constant < 0 else "false",)])
    if isinstance(below, Sat):
        return Unknown("z3's optimizer overlooked a smaller value")
    if not isinstance(below, Unsat):
        return below
    reached = session.check([("row", "<=", gap)] if gap.terms else [])
    if isinstance(reached, Sat):
        return True
    if not isinstance(reached, Unsat):
        return reached
    near = session.check([("row", "<", gap.plus(Linear({}, -Fraction(1, 10**30))))])
    if isinstance(near, Sat):
        return False
    return near if not isinstance(near, Unsat) else Unknown("z3's optimizer claims a value that nothing comes near")


class Master:
    """Chooses implicants of the negated claim: booleans for its inequalities, reals for the values, optima and the unknown.

    Lemmas that the theory learns between two implicants become linear cuts.
    """

    def __init__(self, query: Query, theory: Theory, flags: Flags, threshold: Threshold | None, deadline: float | None = None) -> None:
        self.query, self.theory, self.flags, self.threshold = query, theory, flags, threshold
        self.order = references(query.skeleton)
        self.session = Session(None, deadline)
        self.cuts = 0
        names: dict[Any, str] = {}
        used: set[Any] = set()
        for i in self.order:
            decided = theory.truth(i, flags)
            if decided is not None:
                self.session.add(("bool", _name(i)) if decided else ("not", ("bool", _name(i))))
            elif not theory.has_infinite(i, flags):
                for holds in (True, False):
                    literal: Formula = ("bool", _name(i))
                    given = theory.literal_row(i, holds)
                    used |= set(given.coefficients)
                    self.session.add(("or", ("not", literal) if holds else literal, _row(given, names)))
        for _, given in theory.background(threshold, used):
            self.session.add(_row(given, names))
        self.names, self.used = names, used
        self.session.add(("not", _skeleton(query.skeleton)))

    def learn(self) -> None:
        """The lemmas found since the last call, as far as they hold in this branch for columns that occur."""
        lemmas = self.theory.lemmas
        players = {player for player, _ in self.query.players}
        for lemma, player in lemmas[self.cuts :]:
            if player in players and self.theory.applies(lemma, player, self.flags, {}):
                given = self.theory.lemma_row(lemma, player)
                if lemma.bound is None or set(given.coefficients) <= self.used:
                    self.session.add(_row(given, self.names))
        self.cuts = len(lemmas)

    def implicants(self) -> Iterator[Literals]:
        """Each is minimal: without any of its literals the claim would no longer be false.  Raises SolverUnknown."""
        while True:
            self.learn()
            answer = self.session.check()
            if isinstance(answer, Unsat):
                return
            if not isinstance(answer, Sat):
                raise SolverUnknown(answer.reason if isinstance(answer, Unknown) else "z3 ran out of time")
            truth = {i: answer.model.truth(_name(i)) for i in self.order}
            for i in self.order:
                value = truth.pop(i)
                if evaluate(self.query.skeleton, truth) is not False:
                    truth[i] = value
            yield tuple(sorted(truth.items()))
            others = [("not", ("bool", _name(i))) if value else ("bool", _name(i)) for i, value in truth.items()]
            self.session.add(("or", ("false",), *others))


def _name(inequality: int) -> str:
    return f"atom_{inequality}"


def _skeleton(skeleton: tuple[Any, ...]) -> Formula:
    match skeleton[0]:
        case "true" | "false":
            return (skeleton[0],)
        case "ref":
            return ("bool", _name(skeleton[1]))
        case word:
            return (word, *map(_skeleton, skeleton[1:])) if len(skeleton) > 1 else ("true" if word == "and" else "false",)


def _row(given: lp.Row[Any], names: dict[Any, str]) -> Formula:
    linear = Linear({}, _exact(given.constant))
    for column, c in given.coefficients.items():
        linear.add(names.setdefault(column, f"y_{len(names)}"), _exact(c))
    if not linear.terms:
        value = linear.constant
        return ("true" if (value < 0 if given.op == "<" else value <= 0 if given.op == "<=" else value == 0) else "false",)
    return ("row", given.op, linear)


def _exact(x: Any) -> Fraction:
    return Fraction(int(x.numerator), int(x.denominator))
