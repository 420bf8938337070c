"""A report into lines for people: verdict, name, place, statement; then what it rests on or what broke it."""

from __future__ import annotations

import shlex
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, assert_never

import click

from prover.report.save import NOWHERE, Saved
from prover.verdict import Enclosure, Holds, Proved, Refuted, Result, Unknown, Verdict, between

if TYPE_CHECKING:
    from prover.pipeline import Report

WIDTH = 110
LONGEST = 30  # lines of one counterexample
COLOURS = {"PROVED": "green", "HOLDS": "cyan", "REFUTED": "red", "UNKNOWN": "yellow"}


def word(verdict: Verdict) -> str:
    """The verdict as one word in capitals."""
    match verdict:
        case Proved():
            return "PROVED"
        case Holds():
            return "HOLDS"
        case Refuted():
            return "REFUTED"
        case Unknown():
            return "UNKNOWN"
        case _:
            assert_never(verdict)


def printable(text: str) -> str:
    """Control characters as escapes, so that no file name or comment can steer the terminal."""
    return "".join(c if c in "\n\t" or c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def lines(report: Report, saved: Sequence[Saved] = ()) -> Iterator[str]:
    """The results of one spec (its diagnostics are rendered elsewhere); click's styles, dropped off a terminal."""
    for world in report.worlds:
        counts = f"{_count(world.states, 'state')}, {_count(world.choices, 'choice')}, {_count(world.transitions, 'transition')}"
        yield click.style(f"world {world.name}: {counts}", dim=True)
    places = tuple(saved) or (NOWHERE,) * len(report.results)
    width = max((len(title(result)) for result in report.results), default=0)
    for result, place in zip(report.results, places, strict=True):
        yield from _result(result, place, report.file, min(width, 40))


def title(result: Result) -> str:
    """What the result is called in the report."""
    return f"well_defined {result.name}" if result.kind == "well_defined" and "well_defined" not in result.name else result.name


def summary(results: Sequence[Result], seconds: float) -> str:
    """``2 proved, 1 refuted (0.03 s)``; verdicts that did not occur are not named."""
    counts = Counter(word(result.verdict) for result in results)
    parts = [click.style(f"{counts[name]} {name.lower()}", fg=COLOURS[name]) for name in COLOURS if counts[name]]
    return f"{', '.join(parts) or 'nothing to prove'} ({seconds:.2f} s)"


def next_step(results: Sequence[Result], saved: Sequence[Saved], files: Sequence[str]) -> str | None:
    """One command that the reader may want now."""
    verdicts = [result.verdict for result in results]
    target = printable(shlex.quote(files[0])) if len(files) == 1 else "FILE"
    refuted = any(isinstance(verdict, Refuted) for verdict in verdicts)
    if refuted and not any(place.counterexample for place in saved):
        return f"twostep prove {target} --out out    (writes the policy that breaks it)"
    certificates = [place.certificate for place in saved if place.certificate is not None]
    if certificates:
        first = printable(shlex.quote(certificates[0]))
        return f"twostep verify {first}{' ...' if certificates[1:] else ''}    (checks again, without the prover)"
    if any(isinstance(verdict, (Proved, Holds)) for verdict in verdicts):
        return f"twostep prove {target} --out out    (writes the certificates)"
    return None


def _result(result: Result, saved: Saved, file: str, width: int) -> Iterator[str]:
    verdict = result.verdict
    name = word(verdict)
    value = getattr(verdict, "value", None)
    place = printable(f"{title(result).ljust(width)}  {file}:{result.line}")
    head = f"{click.style(name.ljust(8), fg=COLOURS[name], bold=True)} {place}"
    yield head + (printable(f"  {result.name} {threshold(value)}") if value is not None else "")
    yield from _wrapped(_body(result))
    match verdict:
        case Proved(assumptions=assumptions, note=note):
            yield from _indented((note or "").splitlines())
        case Holds(confidence=confidence, assumptions=assumptions):
            yield f"  with confidence {percentage(confidence)}"
        case Refuted(counterexample=counterexample, assumptions=assumptions):
            yield from _indented(counterexample.lines())
        case Unknown(reason=reason):
            assumptions = ()
            yield from _wrapped(reason)
        case _:
            assert_never(verdict)
    for assumption in assumptions:
        yield printable(f"  assumption used: {assumption}")
    if saved.certificate is not None:
        yield printable(f"  certificate: {saved.certificate}")
    if saved.counterexample is not None:
        yield printable(f"  counterexample: {saved.counterexample}")
    for policy, path in saved.policies.items():
        yield printable(f"  policy {policy}: {path}")


def _body(result: Result) -> str:
    """The statement without the word and the name that stand in the line above."""
    text = " ".join(result.statement.split())
    return text.removeprefix("claim ").removeprefix("theorem ").removeprefix(f"{result.name}:").lstrip() if result.kind != "find" else text


def _indented(lines: Sequence[str]) -> Iterator[str]:
    """The lines once each where they repeat; the middle of a long list is left out."""
    shown = [line for i, line in enumerate(lines) if i == 0 or line != lines[i - 1]]
    if len(shown) > LONGEST:
        cut = len(shown) - LONGEST + 1
        shown = [*shown[: LONGEST - 6], f"... {cut} lines more ...", *shown[-5:]]
    for line in shown:
        yield printable(f"  {line}".rstrip())


def threshold(value: Enclosure) -> str:
    """``= 2/25, attained`` or ``between 1/10 and 3/25``."""
    if value.lower is None and value.upper is None:
        return "= infinity (nothing breaks it)"
    if value.lower == value.upper:
        attained = {True: ", attained", False: ", not attained", None: ""}[value.attained]
        return f"= {number(value.lower)}{attained}"
    ends = (number(value.lower), number(value.upper))
    if value.lower is None or value.upper is None or not any(end.endswith("...") or len(end) > 9 for end in ends):
        return f"between {ends[0]} and {ends[1]}"
    return between(value.lower, value.upper)


def number(value: Fraction | None) -> str:
    """The exact rational if it is short, else the first decimals, marked by dots."""
    if value is None:
        return "infinity"
    text = str(value) if max(value.numerator.bit_length(), value.denominator.bit_length()) <= 64 else ""
    if text and len(text) <= 20:
        return text
    scaled = abs(value.numerator) * 10**9 // value.denominator
    sign = "-" if value < 0 else ""
    if scaled == 0 or scaled >= 10**24:
        return f"{sign}about 2^{value.numerator.bit_length() - value.denominator.bit_length()}"
    whole, part = divmod(scaled, 10**9)
    return f"{sign}{whole}.{part:09d}..."


def percentage(value: Fraction) -> str:
    """``99 %`` where two decimals are exact, else the rational."""
    scaled = value * 10_000
    if scaled.denominator != 1:
        return number(value)
    return f"{float(scaled) / 100:g} %"


def _count(size: int, noun: str) -> str:
    return f"{size} {noun}{'' if size == 1 else 's'}"


def _wrapped(text: str | None) -> Iterator[str]:
    if text:
        shown = printable(" ".join(text.split()))
        shown = shown if len(shown) <= 1000 else f"{shown[:1000]} ..."
        yield from textwrap.wrap(shown, WIDTH, initial_indent="  ", subsequent_indent="    ", break_long_words=False)
