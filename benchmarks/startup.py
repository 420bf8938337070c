"""What starting costs: ``twostep prove`` on a small world beside ``python -c "import z3"``, in the same interpreter.

    python benchmarks/startup.py [SPEC] [RUNS]

The runs are interleaved, so that both meet the same load; the goal is a ratio of at most 2 (of medians, wall clock).  Bytecode is
cached, as it is for whoever installed the package: with PYTHONDONTWRITEBYTECODE in the environment a checkout is compiled anew by
every run, so here the variable is dropped and a folder of our own takes the cache.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent
SPEC = "examples/proved/boat_race_laps.spec"
GOAL = 2.0


def measured(command: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """Seconds on the clock, seconds of user and system time."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begin = time.perf_counter()
    subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, check=True)
    wall = time.perf_counter() - begin
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main(spec: str = SPEC, runs: str = "15") -> None:
    commands = {
        "twostep prove": [sys.executable, "-m", "prover", "prove", spec],
        "import z3": [sys.executable, "-c", "import z3"],
        "nothing": [sys.executable, "-c", "pass"],
    }
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    with tempfile.TemporaryDirectory() as cache:
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"} | {"PYTHONPYCACHEPREFIX": cache}
        for command in commands.values():  # fills the caches
            measured(command, environment)
        for _ in range(int(runs)):
            for name, command in commands.items():
                times[name].append(measured(command, environment))
    walls = {name: median(wall for wall, _ in rows) for name, rows in times.items()}
    cpus = {name: median(cpu for _, cpu in rows) for name, rows in times.items()}
    for name in commands:
        print(f"{name:14} {walls[name]:.3f} s wall, {cpus[name]:.3f} s user + system")
    ratio = walls["twostep prove"] / walls["import z3"]
    print(f"ratio {ratio:.2f} wall, {cpus['twostep prove'] / cpus['import z3']:.2f} user + system (goal: at most {GOAL:g})")


if __name__ == "__main__":
    main(*sys.argv[1:])
