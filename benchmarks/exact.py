"""Exact mode on grid worlds of growing size, one and two safety bounds, beside Storm's exact engine on the same explicit MDP.

    python benchmarks/exact.py [--sizes 10,20,30] [--runs 3] [--limit 120]      (run from the root, twostep installed)

twostep: the whole of ``prove`` (parse, explore, search, certificate, checker or replay).  Storm (stormpy, if installed): reading the
explicit MDP and the queries that the claim needs: max P[F goal], and for each bound max P[F goal] with P[F hazard] >= bound.
Storm stops its multi-objective search at a precision of 1e-4, also in exact mode; twostep's answers are exact and certified.
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from prover.pipeline import prove
from prover.verdict import Proved, Refuted
from prover.worlds.explore import explore

SPEC = """
const n = {n}
world Grid {{
  var x : 0..n - 1 = 0
  var y : 0..n - 1 = 0
  var fell : bool = false
  action east  when x < n - 1 and not fell {{ 8/10: x' = x + 1; 1/10: y' = min(y + 1, n - 1); 1/10: y' = max(y - 1, 0) }}
  action north when y < n - 1 and not fell {{ 8/10: y' = y + 1; 1/10: x' = min(x + 1, n - 1); 1/10: x' = max(x - 1, 0) }}
  action leap  when x < n - 2 and y < n - 2 and not fell {{ 9/10: x' = x + 2, y' = y + 2; 1/10: fell' = true }}
  deadlock absorbs
  label goal = x == n - 1 and y == n - 1
  label lost = fell
  label mud = x == n div 2 and y mod 3 == 1
  label thorns = y == n div 2 and x mod 4 == 2
}}
policies Pi over Grid
score J(pi : Pi) = P[F goal]
property Safe(pi : Pi) = {safe}
claim specified: forall pi : Pi. near_optimal(J, pi, 1/1000) => Safe(pi)
"""
CASES = (("mud",), ("mud", "thorns"), ("lost",))  # refuted, refuted, proved


def spec(n: int, bounds: Sequence[str]) -> str:
    return SPEC.format(n=n, safe=" and ".join(f"P[F {label}] <= 1/2" for label in bounds))


def median(runs: int, work: Callable[[], object]) -> float:
    times = []
    for _ in range(runs):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def drn(path: Path, text: Path) -> None:
    """The explicit MDP of the spec's world in Storm's exchange format."""
    from dsl.typecheck import load

    spec_, _ = load(text)
    world = spec_.worlds[0]
    mdp = explore(world)
    labels = {label.name: mdp.holds(label.condition) for label in world.labels}
    lines = ["@type: MDP", "@value_type: rational", "@parameters", "", "@reward_models", "", "@nr_states", str(mdp.states)]
    lines += ["@nr_choices", str(mdp.choices), "@model"]
    initial = {s for s, _ in mdp.initial}
    for s in range(mdp.states):
        names = [name for name, column in labels.items() if column[s]] + (["init"] if s in initial else [])
        lines.append(f"state {s} {' '.join(names)}".rstrip())
        for c in range(mdp.choice_start[s], mdp.choice_start[s + 1]):
            lines.append(f"\taction {c - mdp.choice_start[s]}")
            for t in range(mdp.transition_start[c], mdp.transition_start[c + 1]):
                lines.append(f"\t\t{mdp.successor[t]} : {mdp.probabilities[mdp.probability[t]]}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def storm(path: Path, bounds: Sequence[str]) -> None:
    import stormpy
    from stormpy import environments

    model = stormpy.build_model_from_drn[stormpy.Rational](str(path))
    queries = ['Pmax=? [F "goal"]'] + [f'multi(Pmax=? [F "goal"], P>=1/2 [F "{label}"])' for label in bounds]
    for query in queries:
        formula = stormpy.parse_properties(query)[0]
        stormpy.model_checking(model, formula, only_initial_states=True, environment=environments.exact())


def peer(runs: int, path: Path, bounds: Sequence[str], limit: int) -> float | None:
    """Storm's median, or None if a run takes longer than the limit (in seconds); a process of its own, which can be killed."""
    context = multiprocessing.get_context("fork")
    times = []
    for _ in range(runs):
        begin = time.perf_counter()
        child = context.Process(target=storm, args=(path, bounds))
        child.start()
        child.join(limit)
        if child.is_alive():
            child.kill()
            return None
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def has_storm() -> bool:
    try:
        import stormpy  # noqa: F401
    except ImportError:
        return False
    return True


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--sizes", default="10,20,30,40,50,60,70")
    arguments.add_argument("--runs", type=int, default=3)
    arguments.add_argument("--limit", type=int, default=120, help="seconds for one run of Storm")
    options = arguments.parse_args()
    beside = has_storm()
    print("| grid | states | choices | bounds | verdict | twostep, s | Storm exact, s | twostep / Storm |")
    print("|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for n in map(int, options.sizes.split(",")):
            for bounds in CASES:
                text = Path(folder) / f"grid_{n}_{len(bounds)}.spec"
                text.write_text(spec(n, bounds), encoding="utf-8")
                report = prove(text)
                verdict = report.results[0].verdict
                word = "proved" if isinstance(verdict, Proved) else "refuted" if isinstance(verdict, Refuted) else "unknown"
                ours = median(options.runs, lambda text=text: prove(text))  # type: ignore[misc]
                world = report.worlds[0]
                row = f"| {n} x {n} | {world.states} | {world.choices} | {', '.join(bounds)} | {word} | {ours:.2f} |"
                if beside:
                    path = Path(folder) / f"grid_{n}.drn"
                    drn(path, text)
                    theirs = peer(options.runs, path, bounds, options.limit)
                    if theirs is None:
                        row += f" > {options.limit} | < {ours / options.limit:.2f} |"
                    else:
                        row += f" {theirs:.2f} | {ours / theirs:.2f} |"
                else:
                    row += " (not installed) | |"
                print(row, flush=True)


if __name__ == "__main__":
    main()
