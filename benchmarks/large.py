"""Large worlds beside Storm, on the same machine in the same run: public models and generated worlds of growing size.

    python -m benchmarks.large [--models DIR] [--runs 3] [--only REGEX] [--markdown] [--write docs/performance.md]   (from the root)

Every measurement is a process of its own (benchmarks/our_side.py, benchmarks/storm_side.py), so that its peak memory means something; the
two tools take turns and the table shows medians.  Both do everything twice and are timed the second time: imports and the loading
of compiled code are not counted; the column `first` shows what a fresh process needs, after the imports, with kernels in numba's cache.
Storm's time for a row is its build for the property and its default check, which guarantees nothing; ours is build and solve, with
bounds that integers have confirmed from both sides.  States a second are compared with the faster of Storm's two builds.
Models are looked for in DIR, by default ../shared/models; without them only the generated worlds are measured.  --write replaces the
section between the two markers of that file.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from benchmarks.large_rows import HARD, Grid, Row, claims_curve, objectives_curve, rows_of, states_curve
from benchmarks.large_tables import (
    CURVE,
    CURVES,
    DOUBLED,
    EXPLORATION,
    EXPLORED,
    HARDER,
    LIMIT,
    MULTI,
    SOLVED,
    SOLVING,
    WRONG,
    Json,
    Section,
    report,
    seconds,
)

ROOT = Path(__file__).resolve().parent.parent
BEGIN, END = "<!-- large worlds: begin -->", "<!-- large worlds: end -->"


def child(module: str, job: Json, limit: float = LIMIT) -> Json:
    """What the process has said before it ended, or was ended; ``error`` says why it said no more."""
    command = [sys.executable, "-m", f"benchmarks.{module}", json.dumps(job)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    said: Json = {}
    try:
        out, err = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        said["error"] = f"no answer in {limit:g} s"
    for line in out.splitlines():
        if line.startswith("@"):
            said.update(json.loads(line[1:]))
    if process.returncode and "error" not in said:
        said["error"] = (err.strip().splitlines() or [f"exit {process.returncode}"])[-1][:200]
    return said


class Medians:
    """The figures of several runs under one name each."""

    def __init__(self) -> None:
        self.runs: list[Json] = []

    def add(self, said: Json) -> None:
        self.runs.append(said)

    def get(self, name: str) -> float | None:
        known = [float(run[name]) for run in self.runs if run.get(name) is not None]
        return statistics.median(known) if known else None

    def any(self, name: str) -> Any:
        return next((run[name] for run in self.runs if name in run), None)


# ---------------------------------------------------------------- one row


class Bench:
    def __init__(self, runs: int, checker_limit: float, beside: bool) -> None:
        self.runs, self.checker_limit, self.beside = runs, checker_limit, beside

    def measure(self, ours: Json, storm: Json, variants: Sequence[bool] = (False, True)) -> tuple[Medians, list[Medians]]:
        """Ours and Storm's, in turns; an environment in which Storm did not answer is not asked again."""
        mine, theirs = Medians(), [Medians() for _ in variants]
        environments = list(storm["environments"])
        if ours.get("warm", True):
            child("our_side", {**ours, "warm": False}, 600)  # kernels that are not in the cache yet
        for _ in range(self.runs):
            mine.add(child("our_side", ours, 2 * LIMIT))
            for full, kept in zip(variants, theirs, strict=True):
                if not self.beside or (not full and not environments):
                    continue
                said = child("storm_side", {**storm, "full": full, "environments": environments})
                kept.add(said)
                if not full and said.get("error"):
                    environments = [kind for kind in environments if kind in said]
        return mine, theirs

    def single(self, row: Row, folder: Path) -> Json:
        path = placed(folder, row.id, row.spec())
        mine, (cut, full) = self.measure({"task": "bounds", "path": str(path)}, asked(row, folder, "default", "sound"))
        checked = child("our_side", {"task": "checker", "path": str(path), "warm": False}, self.checker_limit)
        return {
            **figures(mine, cut, full),
            "id": row.id,
            "verdict": judged(row, mine, full),
            "checker": checked.get("checker"),
            "checker_error": checked.get("error"),
            "storm_error": off(row, cut),
        }

    def double(self, row: Row, folder: Path, precision: str) -> Json:
        path = placed(folder, row.id, row.spec())
        job = {"task": "find", "path": str(path), "precision": precision}
        mine, (cut,) = self.measure(job, asked(row, folder, "default"), (False,))
        proved = child("our_side", {**job, "task": "prove", "warm": False}, self.checker_limit)
        return {
            **figures(mine, cut, Medians()),
            "id": row.id,
            "precision": precision,
            "enclosure": (mine.any("enclosures") or [[]])[0],
            "storm_value": (cut.any("default_values") or [None])[0],
            "prove": proved.get("prove"),
            "prove_error": proved.get("error"),
            "proved": (proved.get("enclosures") or [[]])[0],
            "truth": row.truth,
            "error": mine.any("error"),
        }

    def hard(self, row: Row, folder: Path) -> Json:
        path = placed(folder, row.id, row.spec())
        job = {"task": "prove", "path": str(path)}
        mine, (cut,) = self.measure(job, asked(row, folder, "default", "sound"), (False,))
        return {
            "id": row.id,
            "truth": row.truth,
            "prove": mine.get("prove"),
            "first": mine.get("first"),
            "proved": (mine.any("enclosures") or [[]])[0],
            "default": cut.get("default"),
            "storm_build": cut.get("build"),
            "sound": cut.get("sound"),
            "default_values": cut.any("default_values"),
            "sound_values": cut.any("sound_values"),
        }

    def grid(self, grid: Grid, folder: Path, task: str) -> Json:
        path = placed(folder, f"grid_{grid.n}_{grid.bands}_{len(grid.bounds)}", grid.spec())
        prism = path.with_suffix(".prism")
        prism.write_text(grid.prism(), encoding="utf-8")
        storm = {"path": str(prism), "constants": "", "properties": grid.properties(), "environments": ["default"]}
        mine, (cut,) = self.measure({"task": task, "path": str(path)}, storm, (False,))
        return {
            **figures(mine, cut, Medians()),
            "grid": grid,
            "verdict": mine.any("error") or agreement(mine, cut),
        }


def asked(row: Row, folder: Path, *environments: str) -> Json:
    """The job for Storm."""
    return {"path": str(folder / row.file), "constants": row.constants, "properties": [row.property], "environments": list(environments)}


def placed(folder: Path, name: str, text: str) -> Path:
    path = folder / (re.sub(r"[^A-Za-z0-9]+", "_", name) + ".spec")
    path.write_text(text, encoding="utf-8")
    return path


def figures(mine: Medians, cut: Medians, full: Medians) -> Json:
    """The medians that all tables share, and the ratios of them."""
    build, solve, states = mine.get("build"), mine.get("solve"), mine.get("states")
    their_build, default, sound = cut.get("build"), cut.get("default"), cut.get("sound")
    rates = [quotient(kept.get("states"), kept.get("build")) for kept in (cut, full)]
    known = [rate for rate in rates if rate is not None]
    rate, their_rate = quotient(states, build), max(known, default=None)
    return {
        "states": states,
        "build": build,
        "solve": solve,
        "integers": mine.get("integers"),
        "first": mine.get("first"),
        "peak": mine.get("peak_mb"),
        "idle": mine.get("idle_mb"),
        "parts": mine.any("parts"),
        "nodes": mine.get("nodes"),
        "storm_build": their_build,
        "storm_full": full.get("build"),
        "default": default,
        "sound": sound,
        "storm_peak": cut.get("peak_mb"),
        "storm_idle": cut.get("idle_mb"),
        "rate": rate,
        "storm_rate": their_rate,
        "faster": "" if their_rate is None else "property" if their_rate == rates[0] else "full",
        "rate_ratio": quotient(rate, their_rate),
        "total_ratio": quotient(plus(build, solve), plus(their_build, default)),
        "solve_ratio": quotient(solve, default),
        "sound_ratio": quotient(solve, sound),
        "peak_ratio": quotient(mine.get("peak_mb"), cut.get("peak_mb")),
        "failed": mine.any("error"),
        "storm_failed": cut.any("error"),
        "lower": mine.any("lower"),
        "upper": mine.any("upper"),
    }


def quotient(a: float | None, b: float | None) -> float | None:
    return None if a is None or not b else a / b


def plus(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else a + b


# ---------------------------------------------------------------- is it right?


def judged(row: Row, mine: Medians, full: Medians) -> str:
    """`ok`, or what is wrong: a state space that is not the whole one, or an enclosure without the reference value.

    Storm's full build says how large the state space is; where there is none, the reference, which may have cut off target states.
    """
    if mine.any("error"):
        return str(mine.any("error"))
    wrong = []
    for run in mine.runs:
        for what in ("states", "choices", "transitions"):
            expected = full.any(what) or (row.states if what == "states" else None)
            if expected is not None and run[what] != expected:
                wrong.append(f"WRONG: {run[what]} {what}, not {expected}")
        lower, upper = Fraction(run["lower"]), Fraction(run["upper"])
        slack = abs(row.truth) / 10**6 if row.truth is not None and row.rounded else Fraction(0)
        if lower > upper or (row.truth is not None and not lower - slack <= row.truth <= upper + slack):
            wrong.append("WRONG")
    return wrong[0] if wrong else "ok"


def off(row: Row, storm: Medians) -> float | None:
    """How far Storm's default is from the reference value, relatively."""
    values = storm.any("default_values")
    if not values or values[0] is None or row.truth is None:
        return None
    return abs(float(values[0]) / float(row.truth) - 1)


def agreement(mine: Medians, storm: Medians) -> str:
    """Storm's values lie within its own precision (1e-6 of one objective, 1e-4 of several) of the enclosures."""
    ends = [[mine.any("lower"), mine.any("upper")]] if mine.any("lower") else mine.any("enclosures") or []
    values = storm.any("default_values")
    if not values:
        return "alone"
    for pair, value in zip(ends, values, strict=False):
        if len(pair) < 2 or value is None:
            return str(pair[0]) if pair else "no answer"
        low, high = (float(Fraction(x)) for x in pair)
        if not low - 2e-4 <= value <= high + 2e-4:
            return f"Storm says {value:.7g}, not {low:.7g} .. {high:.7g}"
    return "agree"


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


# ---------------------------------------------------------------- the whole


def measured(bench: Bench, options: argparse.Namespace, folder: Path) -> list[Section]:
    """The sections: title, what it says, columns, rows."""
    single: list[Row] = []
    double: list[Row] = []
    hard: list[Row] = []
    if options.models is not None:
        for file in sorted(options.models.iterdir()):
            if file.suffix in (".prism", ".nm"):
                shutil.copy(file, folder)
        single, double = rows_of(options.models)
        hard = [row for row in HARD if (options.models / row.file).exists()]

    def wanted(name: str) -> bool:
        return re.search(options.only, name) is not None

    def one(name: str, work: Callable[[], Json]) -> Json:
        row = work()
        ours, theirs = plus(row.get("build"), row.get("solve")), plus(row.get("storm_build"), row.get("default"))
        told = f"{name}: {seconds(ours) or seconds(row.get('prove'))} s, Storm {seconds(theirs)} s"
        say(f"{told}  {row.get('verdict') or ''} {row.get('failed') or ''}")
        return row

    found = [one(row.id, lambda row=row: bench.single(row, folder)) for row in single if wanted(row.id)]  # type: ignore[misc]
    precise = [(row, p) for row in double if wanted(row.id) for p in (("1e-6", "1e-12") if row.tight else ("1e-6",))]
    doubles = [one(f"{row.id} {p}", lambda row=row, p=p: bench.double(row, folder, p)) for row, p in precise]  # type: ignore[misc]
    harder = [one(row.id, lambda row=row: bench.hard(row, folder)) for row in hard if wanted(row.id)]  # type: ignore[misc]
    curves = []
    for name, task, grids in (
        ("states", "bounds", states_curve(options.sizes)),
        ("objectives", "find", objectives_curve(options.side, (1, 2, 3, 4))),
        ("claims", "find", claims_curve(options.side, (1, 2, 4, 8))),
    ):
        if wanted(f"grid {name}"):
            rows = [one(f"grid {name} {g.n} {g.bands}", lambda g=g, t=task: bench.grid(g, folder, t)) for g in grids]  # type: ignore[misc]
            curves.append((f"Generated worlds: cost against {name}", CURVES[name], CURVE, rows))
    return [
        ("Exploration and memory", EXPLORED, EXPLORATION, found),
        ("One objective", SOLVED, SOLVING, found),
        ("Several objectives", MULTI, DOUBLED, doubles),
        ("Where floats are wrong", WRONG, HARDER, harder),
        *curves,
    ]


def replaced(path: Path, text: str) -> None:
    before, begin, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"{path} has no lines {BEGIN} and {END}")
    path.write_text(f"{before}{BEGIN}\n{text}{END}{after}", encoding="utf-8")


def profiled(options: argparse.Namespace, folder: Path) -> None:
    """Where our side spends its time, in place of a comparison."""
    for file in options.models.iterdir():
        if file.suffix in (".prism", ".nm"):
            shutil.copy(file, folder)
    single, double = rows_of(options.models)
    for task, rows in (("bounds", single), ("find", double)):
        for row in rows:
            if re.search(options.only, row.id):
                print(row.id, flush=True)
                job = {"task": task, "path": str(placed(folder, row.id, row.spec())), "profile": True}
                subprocess.run([sys.executable, "-m", "benchmarks.our_side", json.dumps(job)], cwd=ROOT, check=False)


def sizes(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(",")))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    usual = ROOT.parent / "shared" / "models"
    parser.add_argument("--models", type=Path, default=usual if usual.is_dir() else None, help="folder of models with a cases.json")
    parser.add_argument("--runs", type=int, default=3)
    generated = "`grid states`, `grid objectives` and `grid claims`"
    parser.add_argument("--only", default="", metavar="REGEX", help=f"rows whose name matches; the generated ones are {generated}")
    parser.add_argument("--sizes", type=sizes, default=(50, 100, 200, 400, 800), help="sides of the grids")
    parser.add_argument("--side", type=int, default=60, help="of the grids with several objectives or claims")
    parser.add_argument("--checker-limit", type=float, default=600, help="seconds for the independent checker on one proof")
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--write", type=Path, help="put the tables between the markers of this file")
    parser.add_argument("--profile", action="store_true", help="profile our side instead, on standard error")
    options = parser.parse_args()
    options.markdown = options.markdown or options.write is not None
    beside = importlib.util.find_spec("stormpy") is not None
    if not beside:
        say("stormpy is not installed: our side alone")
    with tempfile.TemporaryDirectory() as name:
        if options.profile:
            profiled(options, Path(name))
            return
        text = report(measured(Bench(options.runs, options.checker_limit, beside), options, Path(name)), options.markdown, options.runs)
    print(text)
    if options.write is not None:
        replaced(options.write, text)


if __name__ == "__main__":
    main()
