"""Random mixtures and random statements about them, against the arithmetic of the one decision that the world has."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prover.checker.check import check
from prover.verdict import Proved, Refuted
from tests.prover.training.lane import verdicts

SLOW = settings(max_examples=60, deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow])
RISKS = [Fraction(k, 10) for k in range(11)]
EVENTS = {
    "Safe(pi)": lambda risk: risk / 2 <= Fraction(1, 10),
    "J(pi) > 9.4": lambda risk: 9 + risk > Fraction(94, 10),
    "J(pi) >= 9.4": lambda risk: 9 + risk >= Fraction(94, 10),
    "near_optimal(J, pi, 1/2)": lambda risk: 1 - risk < Fraction(1, 2),
    "not (J(pi) == 9.5) => J(pi) < J(half)": lambda risk: risk <= Fraction(1, 2),
    "P[G at != 3](pi) > 3/4 or J(pi) == 10": lambda risk: risk / 2 < Fraction(1, 4) or risk == 1,
}


@dataclass(frozen=True)
class Comparison:
    text: str
    truth: bool | None  # None: its condition is impossible


@st.composite
def mixtures(draw: st.DrawFn) -> list[tuple[Fraction, Fraction]]:
    """(share, risk)"""
    risks = draw(st.lists(st.sampled_from(RISKS), min_size=1, max_size=4, unique=True))
    shares = draw(st.lists(st.integers(1, 6), min_size=len(risks), max_size=len(risks)))
    return [(Fraction(share, sum(shares)), risk) for share, risk in zip(shares, risks, strict=True)]


@st.composite
def comparisons(draw: st.DrawFn, parts: list[tuple[Fraction, Fraction]]) -> Comparison:
    def probability(*names: str) -> Fraction:
        return sum((share for share, risk in parts if all(EVENTS[name](risk) for name in names)), Fraction(0))

    a, b = draw(st.sampled_from(list(EVENTS))), draw(st.sampled_from(list(EVENTS)))
    kind = draw(st.sampled_from(["event", "given", "sum", "mean", "complement"]))
    if kind == "given":
        left, value = f"P[pi ~ T]({a} given {b})", probability(a, b) / probability(b) if probability(b) else None
    elif kind == "sum":
        left, value = f"2 * P[pi ~ T]({a}) - P[pi ~ T](not ({b}))", 2 * probability(a) - 1 + probability(b)
    elif kind == "mean":
        left = f"E[pi ~ T](J(pi)) - P[pi ~ T]({a})"
        value = sum((share * (9 + risk) for share, risk in parts), Fraction(0)) - probability(a)
    elif kind == "complement":
        left, value = f"P[pi ~ T](({a}) and not ({b}))", probability(a) - probability(a, b)
    else:
        left, value = f"P[pi ~ T]({a})", probability(a)
    op = draw(st.sampled_from(["<", "<=", ">", ">=", "=="]))
    bound = (value or Fraction(0)) + draw(st.sampled_from([Fraction(0), Fraction(1, 10**12), Fraction(-1, 7), Fraction(1, 3)]))
    # Both sides shifted: a bare probability may only be compared with numbers from 0 to 1.
    text = f"{left} + 5 {op} {bound + 5}"
    if value is None:
        return Comparison(text, None)
    return Comparison(text, {"<": value < bound, "<=": value <= bound, ">": value > bound, ">=": value >= bound, "==": value == bound}[op])


@st.composite
def statements(draw: st.DrawFn) -> tuple[list[tuple[Fraction, Fraction]], str, bool]:
    parts = draw(mixtures())
    first, second = draw(comparisons(parts)), draw(comparisons(parts))
    word = draw(st.sampled_from(["and", "or", "=>", "only"]))
    defined = first.truth is not None
    truth = bool(first.truth)
    text = f"({first.text})"
    if word != "only":
        text += f" {word} ({second.text})"
        defined = defined and second.truth is not None
        one, two = bool(first.truth), bool(second.truth)
        truth = {"and": one and two, "or": one or two, "=>": two or not one}[word]
    return parts, text, defined and truth


@SLOW
@given(statements())
def test_random_mixtures(case: tuple[list[tuple[Fraction, Fraction]], str, bool]) -> None:
    parts, text, truth = case
    lines = [f"policy p{k} : Pi = {{ else: {{ {1 - risk}: safe; {risk}: risky }} }}" for k, (_, risk) in enumerate(parts)]
    mixture = "; ".join(f"{share}: p{k}" for k, (share, _) in enumerate(parts))
    with tempfile.TemporaryDirectory() as folder:
        spec = "\n".join([*lines, f"training T : Pi {{ mixture {{ {mixture} }} }}", f"claim c: {text}", ""])
        verdict = verdicts(Path(folder), spec)["c"]
    assert isinstance(verdict, Proved if truth else Refuted), (text, parts, verdict)
    if isinstance(verdict, Proved):
        check(verdict.proof)
