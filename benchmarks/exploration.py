"""Exploration of one world of a million states: states a second and peak memory, beside Storm where stormpy is installed.

usage: python benchmarks/exploration.py [--side 50] [--counter 20] [--runs 3]

Every run is a process of its own; the two tools take turns, so that they meet the same load of the machine.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent

SPEC = """
world Depot {
  var x : 0..SIDE = 0
  var y : 0..SIDE = 0
  var load : 0..COUNTER = 0
  var wear : 0..COUNTER = 0

  action east  when x < SIDE { 90%: x' = x + 1; 10%: stay }
  action west  when x > 0    { 90%: x' = x - 1; 10%: stay }
  action north when y < SIDE { 90%: y' = y + 1; 10%: stay }
  action south when y > 0    { 90%: y' = y - 1; 10%: stay }
  action work { 1/2: load' = min(load + 1, COUNTER); 1/2: wear' = min(wear + 1, COUNTER) }

  reward points { [east]: 1; [work] when load < COUNTER: 1/2 }
}
"""

PRISM = """
mdp
module depot
  x : [0..SIDE] init 0;
  y : [0..SIDE] init 0;
  load : [0..COUNTER] init 0;
  wear : [0..COUNTER] init 0;
  [east]  x < SIDE -> 0.9: (x'=x+1) + 0.1: true;
  [west]  x > 0    -> 0.9: (x'=x-1) + 0.1: true;
  [north] y < SIDE -> 0.9: (y'=y+1) + 0.1: true;
  [south] y > 0    -> 0.9: (y'=y-1) + 0.1: true;
  [work]  true -> 0.5: (load'=min(load+1,COUNTER)) + 0.5: (wear'=min(wear+1,COUNTER));
endmodule
rewards "points"
  [east] true : 1;
  [work] load < COUNTER : 0.5;
endrewards
"""


def filled(text: str, side: int, counter: int) -> str:
    return text.replace("SIDE", str(side - 1)).replace("COUNTER", str(counter - 1))


def twostep(side: int, counter: int) -> dict[str, Any]:
    sys.path.insert(0, str(ROOT))
    from dsl.parse import parse
    from dsl.source import Source
    from dsl.typecheck import check
    from prover.worlds.explore import explore

    source = Source("depot.spec", filled(SPEC, side, counter))
    world = check(parse(source), source).world("Depot")
    start = time.perf_counter()
    mdp = explore(world)
    return {"seconds": time.perf_counter() - start, "states": mdp.states, "choices": mdp.choices, "transitions": mdp.transitions}


def storm(side: int, counter: int) -> dict[str, Any]:
    import tempfile

    import stormpy

    with tempfile.NamedTemporaryFile("w", suffix=".prism") as file:
        file.write(filled(PRISM, side, counter))
        file.flush()
        program = stormpy.parse_prism_program(file.name)
    start = time.perf_counter()
    model = stormpy.build_model(program)
    return {
        "seconds": time.perf_counter() - start,
        "states": model.nr_states,
        "choices": model.nr_choices,
        "transitions": model.nr_transitions,
    }


TOOLS = {"twostep": twostep, "storm": storm}


def run(tool: str, side: int, counter: int) -> dict[str, Any]:
    """One exploration in a process of its own."""
    command = [sys.executable, __file__, "--tool", tool, "--side", str(side), "--counter", str(counter)]
    finished = subprocess.run(command, capture_output=True, text=True, check=True)
    result: dict[str, Any] = json.loads(finished.stdout.splitlines()[-1])
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--side", type=int, default=50, help="cells along each side of the field")
    parser.add_argument("--counter", type=int, default=20, help="values of each of the two counters")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--tool", choices=TOOLS, help="one run of this tool, as JSON")
    options = parser.parse_args()
    if options.tool:
        result = TOOLS[options.tool](options.side, options.counter)
        print(json.dumps({**result, "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}))
        return
    tools = ["twostep", *(["storm"] if importlib.util.find_spec("stormpy") else [])]
    results: dict[str, list[dict[str, Any]]] = {tool: [] for tool in tools}
    for _ in range(options.runs):
        for tool in tools:
            results[tool].append(run(tool, options.side, options.counter))
    print(f"{'tool':8} {'states':>9} {'choices':>9} {'transitions':>11} {'seconds':>8} {'states/s':>10} {'peak MB':>8}")
    medians: dict[str, float] = {}
    for tool, runs in results.items():
        seconds = medians[tool] = statistics.median(r["seconds"] for r in runs)
        first, peak = runs[0], statistics.median(r["peak_mb"] for r in runs)
        counts = f"{first['states']:9} {first['choices']:9} {first['transitions']:11}"
        print(f"{tool:8} {counts} {seconds:8.2f} {first['states'] / seconds:10.0f} {peak:8.0f}")
    if "storm" in medians:
        print(f"storm / twostep: {medians['storm'] / medians['twostep']:.2f}")


if __name__ == "__main__":
    main()
