"""Exploration of large worlds: states a second and peak memory, beside Storm where stormpy is installed.

usage: python benchmarks/exploration.py [depot] [stations] [model.prism] [--constants "K = 2"] [--runs 3]

Both tools read the same PRISM model: one of the two below, or any file.  Every run is a process of its own; the two tools take
turns, so that they meet the same load of the machine.  Seconds are of the processor, and reading the model is not counted.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent

# A vehicle in a field: wide levels, no synchronisation.
DEPOT = """
mdp
module depot
  x : [0..49] init 0;
  y : [0..49] init 0;
  load : [0..19] init 0;
  wear : [0..19] init 0;
  [east]  x < 49 -> 0.9: (x'=x+1) + 0.1: true;
  [west]  x > 0  -> 0.9: (x'=x-1) + 0.1: true;
  [north] y < 49 -> 0.9: (y'=y+1) + 0.1: true;
  [south] y > 0  -> 0.9: (y'=y-1) + 0.1: true;
  [work]  true -> 0.5: (load'=min(load+1,19)) + 0.5: (wear'=min(wear+1,19));
endmodule
rewards "points"
  [east] true : 1;
  [work] load < 19 : 0.5;
endrewards
"""

# Stations that share a channel and a clock: deep and narrow, every tick synchronises all of them.
STATION = """
module station1
  mode1 : [0..3] init 0;  // wants, waits, sends, done
  wait1 : [0..15] init 0;
  tries1 : [0..4] init 0;
  [] mode1=0 & tries1=0 -> 1/2: (mode1'=1) & (wait1'=1) + 1/2: (mode1'=1) & (wait1'=2);
  [] mode1=0 & tries1>0 -> 1/4: (mode1'=1) & (wait1'=3) + 1/4: (mode1'=1) & (wait1'=6)
                         + 1/4: (mode1'=1) & (wait1'=11) + 1/4: (mode1'=1) & (wait1'=15);
  [tick] mode1=1 & wait1>0 -> (wait1'=wait1-1);
  [take1] mode1=1 & wait1=0 -> (mode1'=2);
  [clash1] mode1=1 & wait1=0 -> (mode1'=0) & (tries1'=min(tries1+1,4));
  [tick] mode1=2 -> true;
  [free1] mode1=2 -> 9/10: (mode1'=3) + 1/10: (mode1'=0) & (tries1'=min(tries1+1,4));
  [tick] mode1=3 -> true;
endmodule
"""
STATIONS = (
    """
mdp
const int END = 400;
module channel
  owner : [0..2] init 0;
  [take1] owner=0 -> (owner'=1);
  [take2] owner=0 -> (owner'=2);
  [clash1] owner>0 -> true;
  [clash2] owner>0 -> true;
  [free1] owner=1 -> (owner'=0);
  [free2] owner=2 -> (owner'=0);
endmodule
module timer
  now : [0..END] init 0;
  [tick] true -> (now'=min(now+1,END));
endmodule
"""
    + STATION
    + "module station2 = station1[mode1=mode2, wait1=wait2, tries1=tries2, take1=take2, clash1=clash2, free1=free2] endmodule\n"
    + """rewards "time"
  [tick] now < END : 1;
endrewards
"""
)
MODELS = {"depot": DEPOT, "stations": STATIONS}


def text_of(model: str) -> str:
    return MODELS[model] if model in MODELS else Path(model).read_text(encoding="utf-8")


def twostep(path: Path, constants: str) -> dict[str, Any]:
    sys.path.insert(0, str(ROOT))
    import prover.worlds.batch  # noqa: F401  # Storm's libraries are loaded before its clock starts, too
    from dsl.typecheck import load
    from prover.worlds.explore import explore

    spec = path.with_suffix(".spec")
    spec.write_text(f'world W = prism "{path.name}"' + (f" {{{constants}}}" if constants else "") + "\n", encoding="utf-8")
    world = load(spec)[0].world("W")
    start = time.process_time()
    mdp = explore(world)
    return {"seconds": time.process_time() - start, "states": mdp.states, "choices": mdp.choices, "transitions": mdp.transitions}


def storm(path: Path, constants: str) -> dict[str, Any]:
    import stormpy

    program = stormpy.parse_prism_program(str(path))
    if constants:
        program, _ = stormpy.instantiate_constants(program, constants.replace(" ", ""))
    start = time.process_time()
    model = stormpy.build_model(program)  # without properties: all states, labels and rewards
    return {
        "seconds": time.process_time() - start,
        "states": model.nr_states,
        "choices": model.nr_choices,
        "transitions": model.nr_transitions,
    }


TOOLS = {"twostep": twostep, "storm": storm}


def run(tool: str, model: str, constants: str) -> dict[str, Any]:
    """One exploration in a process of its own."""
    command = [sys.executable, __file__, model, "--tool", tool, "--constants", constants]
    finished = subprocess.run(command, capture_output=True, text=True, check=True)
    result: dict[str, Any] = json.loads(finished.stdout.splitlines()[-1])
    return result


def compare(model: str, constants: str, runs: int) -> None:
    tools = ["twostep", *(["storm"] if importlib.util.find_spec("stormpy") else [])]
    results: dict[str, list[dict[str, Any]]] = {tool: [] for tool in tools}
    for _ in range(runs):
        for tool in tools:
            results[tool].append(run(tool, model, constants))
    medians: dict[str, float] = {}
    for tool, outcomes in results.items():
        seconds = medians[tool] = statistics.median(r["seconds"] for r in outcomes)
        first, peak = outcomes[0], statistics.median(r["peak_mb"] for r in outcomes)
        counts = f"{first['states']:9} {first['choices']:9} {first['transitions']:11}"
        print(f"{Path(model).stem:16} {tool:8} {counts} {seconds:8.2f} {first['states'] / seconds:10.0f} {peak:8.0f}")
    if "storm" in medians:
        print(f"{Path(model).stem:16} storm / twostep: {medians['storm'] / medians['twostep']:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", default=list(MODELS), help="depot, stations or PRISM files")
    parser.add_argument("--constants", default="", help='values of the constants that a file leaves open: "N = 1000, K = 2"')
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--tool", choices=TOOLS, help="one run of this tool, as JSON")
    options = parser.parse_args()
    if options.tool:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.prism"
            path.write_text(text_of(options.models[0]), encoding="utf-8")
            result = TOOLS[options.tool](path, options.constants)
        print(json.dumps({**result, "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}))
        return
    print(f"{'model':16} {'tool':8} {'states':>9} {'choices':>9} {'transitions':>11} {'seconds':>8} {'states/s':>10} {'peak MB':>8}")
    for model in options.models:
        compare(model, options.constants, options.runs)


if __name__ == "__main__":
    main()
