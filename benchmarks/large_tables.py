"""The figures of the large worlds -> tables: what each column shows, and what stands above them."""

from __future__ import annotations

import datetime
import statistics
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

Json = dict[str, Any]
Column = tuple[str, Callable[[Json], str]]
Section = tuple[str, str, list[Column], list[Json]]
LIMIT = 120  # seconds for one process of Storm, and twice that for one of ours without the independent checker


def seconds(x: float | None) -> str:
    return "" if x is None else f"{x:.3f}" if x < 1 else f"{x:.2f}" if x < 10 else f"{x:.1f}"


def count(x: float | None) -> str:
    return "" if x is None else f"{x:,.0f}"


def ratio(x: float | None) -> str:
    return "" if x is None else f"{x:.2f}"


def small(x: float | None) -> str:
    return "" if x is None else f"{x:.1e}"


def gap(row: Json) -> float | None:
    ends = [row["lower"], row["upper"]] if row.get("lower") else row.get("enclosure") or []
    if len(ends) < 2:
        return None
    low, high = map(Fraction, ends)
    return float((high - low) / max(abs(high), Fraction(1, 10**12)))


def value(ends: Sequence[str]) -> str:
    """An exact fraction as it is, an enclosure by its ends with the digits that tell them apart."""
    if len(ends) != 2:
        return " ".join(ends)
    low, high = map(Fraction, ends)
    if low == high:
        return str(low) if len(str(low)) < 24 else f"{float(low):.12g} exactly"
    return f"{float(low):.14g} .. {float(high):.14g}"


def exactly(row: Json) -> str:
    truth, ends = row["truth"], row["proved"]
    if truth is None or len(ends) != 2:
        return ""
    low, high = map(Fraction, ends)
    return f"{truth}: met exactly" if low == high == truth else f"{truth}: inside" if low <= truth <= high else f"WRONG: {truth}"


def difference(row: Json) -> float | None:
    """How far Storm's value is outside our enclosure."""
    ends, found = row["enclosure"], row["storm_value"]
    if len(ends) != 2 or found is None:
        return None
    low, high = (float(Fraction(x)) for x in ends)
    return max(0.0, low - found, found - high)


def figure(title: str, name: str, shown: Callable[[float | None], str] = seconds) -> Column:
    return title, lambda row: shown(row[name])


EXPLORATION: list[Column] = [
    ("model", lambda row: row["id"]),
    figure("states", "states", count),
    figure("twostep, s", "build"),
    figure("Storm, s", "storm_build"),
    figure("Storm full, s", "storm_full"),
    figure("twostep, states/s", "rate", count),
    figure("Storm, states/s", "storm_rate", count),
    figure("twostep / Storm", "rate_ratio", ratio),
    figure("twostep, MB", "peak", count),
    figure("Storm, MB", "storm_peak", count),
    figure("MB ratio", "peak_ratio", ratio),
]
SOLVING: list[Column] = [
    ("query", lambda row: row["id"]),
    figure("twostep, s", "solve"),
    figure("of it integers, s", "integers"),
    figure("Storm default, s", "default"),
    ("Storm sound, s", lambda row: seconds(row["sound"]) or str(row["storm_failed"] or "")),
    figure("solve / sound", "sound_ratio", ratio),
    figure("build + solve ratio", "total_ratio", ratio),
    figure("first, s", "first"),
    ("checker, s", lambda row: seconds(row["checker"]) or str(row["checker_error"] or "")),
    ("gap", lambda row: small(gap(row))),
    figure("error of Storm's default", "storm_error", small),
    ("reference", lambda row: row["verdict"]),
]
DOUBLED: list[Column] = [
    ("query", lambda row: row["id"].removesuffix(":num")),
    ("precision", lambda row: row["precision"]),
    figure("twostep, s", "solve"),
    figure("Storm, s", "default"),
    figure("twostep / Storm", "solve_ratio", ratio),
    figure("first, s", "first"),
    ("certified", lambda row: value(row["enclosure"]) or str(row["error"])),
    ("gap", lambda row: small(gap(row))),
    ("Storm is off by", lambda row: small(difference(row))),
    ("prove, s", lambda row: seconds(row["prove"]) or str(row["prove_error"] or "")),
    ("prove says", lambda row: value(row["proved"])),
    ("truth", exactly),
]
HARDER: list[Column] = [
    ("model", lambda row: row["id"]),
    ("truth", lambda row: str(row["truth"])),
    ("prove says", lambda row: value(row["proved"])),
    figure("prove, s", "prove"),
    figure("first, s", "first"),
    ("Storm default says", lambda row: "" if not row["default_values"] else f"{row['default_values'][0]:.6g}"),
    figure("Storm default, s", "default"),
    ("Storm sound says", lambda row: "no answer" if not row["sound_values"] else f"{row['sound_values'][0]:.6g}"),
    ("Storm sound, s", lambda row: seconds(row["sound"]) or f"> {LIMIT}"),
]
CURVE: list[Column] = [
    ("grid", lambda row: f"{row['grid'].n} x {row['grid'].n}"),
    figure("states", "states", count),
    ("objectives", lambda row: str(1 + max(len(bound) for bound in row["grid"].bounds))),
    ("claims", lambda row: str(len(row["grid"].bounds))),
    figure("twostep build, s", "build"),
    figure("Storm build, s", "storm_build"),
    figure("twostep solve, s", "solve"),
    figure("Storm default, s", "default"),
    figure("solve ratio", "solve_ratio", ratio),
    figure("build + solve ratio", "total_ratio", ratio),
    figure("MB ratio", "peak_ratio", ratio),
    ("values", lambda row: row["verdict"] if not row["storm_failed"] else f"{row['verdict']} (Storm: {row['storm_failed']})"),
]


def table(columns: Sequence[Column], rows: Sequence[Json], markdown: bool) -> str:
    cells = [[title for title, _ in columns], *([shown(row) for _, shown in columns] for row in rows)]
    if markdown:
        lines = ["| " + " | ".join(line) + " |" for line in cells]
        return "\n".join([lines[0], "|" + "---|" * len(columns), *lines[1:]])
    widths = [max(len(line[k]) for line in cells) for k in range(len(columns))]
    lines = []
    for first, *others in cells:
        lines.append("  ".join([first.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True))]))
    return "\n".join(lines)


EXPLORED = (
    "From the text of the model to the explicit MDP of its whole reachable state space. Storm builds for the property (it stops at "
    "targets) or in full, with all labels and rewards; the ratio is that of states a second, against the faster of the two. Memory is "
    "the peak of the process after building and solving, interpreter and libraries included."
)
SOLVED = (
    "Ours: conditions, product, order, an upper bound over all policies and a lower one for the best plan, relative gap at most 1e-6, "
    "both confirmed by compiled integers. Storm's default guarantees nothing; `sound` is optimistic value iteration. `checker` is the "
    "independent checker, pure Python, on the proof of the threshold; `first` is build and solve in a fresh process."
)
MULTI = (
    "The best value of one objective while others keep their bounds; building is excluded on both sides. Storm stops at an absolute "
    "1e-4; our enclosure is as narrow as the precision and certified. `prove` is everything, from the text to the word of the "
    "independent checker, in a fresh process; where it answers with a fraction, that is exact."
)
WRONG = "`prove` from the text to the checked proof, in a process that has its code loaded."
CURVES = {
    "states": "The largest probability of the goal.",
    "objectives": "The largest probability of the goal while each of several muddy bands is entered with probability at most 1/2.",
    "claims": "Thresholds of several claims about one world, each with a muddy band of its own.",
}


def report(sections: Sequence[Section], markdown: bool, runs: int) -> str:
    parts = []
    for title, text, columns, rows in sections:
        if rows:
            heading = f"### {title}\n\n{text}\n" if markdown else f"{title}\n"
            note = idle(rows) if columns is EXPLORATION and markdown else ""
            parts.append(f"{heading}\n{table(columns, rows, markdown)}\n{note}")
    if markdown:
        today = datetime.date.today()
        times = f"medians of {runs} interleaved runs" if runs > 1 else "single runs"
        intro = (
            f"`python -m benchmarks.large --models DIR --write docs/performance.md`, {today.day} {today:%B %Y}: {times}, each in a "
            "process of its own, both tools with their code loaded, one thread. Ratios below 1 favour twostep, except those of states a "
            "second. The models are those of the Quantitative Verification Benchmark Set and of the tests of Storm and PRISM."
        )
        parts.insert(0, intro + "\n")
    return "\n".join(parts)


def idle(rows: Sequence[Json]) -> str:
    """What the processes take before they read a model."""
    shares = [[row[name] for row in rows if row[name] is not None] for name in ("idle", "storm_idle")]
    if not all(shares):
        return ""
    mine, theirs = (f"{statistics.median(share):.0f} MB" for share in shares)
    return f"\nOf the memory, {mine} (twostep) and {theirs} (Storm) are taken before the model is read.\n"
