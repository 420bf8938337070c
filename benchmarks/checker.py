"""The checker on large proofs: a slip grid of about so many transitions, its proof written once and checked in a process of its own.

    python benchmarks/checker.py [--transitions 1000000] [--steps 0] [--counted]      (run from the root)

The grid has four actions, each goes astray to both sides, and a share of every step falls into a pit.  The proof encloses the largest
probability of reaching the goal before a pit: a bound for all policies, and one for the chain of the best policy.
With steps, a horizon reward is bounded too, by a layer for each or in a product that counts them.
Printed: seconds of the whole process, peak memory, size of the file.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from prover.container import Arrays, write

Json = Any
BELOW = 2**32
LEAK = 50  # one step in so many ends in the pit


def grid(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Choice starts, successors and tenths of the choices of the cells (goal and pit, the last two states, stay where they are)."""
    cell = np.arange(n * n)
    x, y = cell % n, cell // n
    ways = [(1, 0), (0, 1), (-1, 0), (0, -1)]

    def move(dx: int, dy: int) -> np.ndarray:
        return np.clip(y + dy, 0, n - 1) * n + np.clip(x + dx, 0, n - 1)

    targets = [[move(dx, dy), move(dy, dx), move(-dy, -dx)] for dx, dy in ways]
    after = np.array(targets).transpose(2, 0, 1).reshape(-1, 3)
    after[after == n * n - 1] = n * n  # the far corner is the goal
    return np.arange(0, 4 * n * n, 4), after, np.broadcast_to(np.array([38, 5, 6]), after.shape)


def build(n: int, steps: int, counted: bool = False) -> tuple[Json, Arrays]:
    _, after, weight = grid(n)
    cells = n * n
    goal, pit = cells, cells + 1
    # at a wall successors coincide: they are merged
    a, b, c = after.T
    twice_b, twice_c = b == a, c == a
    same = (b == c) & ~twice_b
    keep = np.stack([np.ones(len(a), bool), ~twice_b, ~twice_c & ~same, np.ones(len(a), bool)], axis=1)
    full = np.concatenate([after, np.full((len(a), 1), pit)], axis=1)
    tops = np.concatenate([weight, np.ones((len(a), 1), int)], axis=1).copy()
    tops[:, 0] += np.where(twice_b, tops[:, 1], 0) + np.where(twice_c, tops[:, 2], 0)
    tops[:, 1] += np.where(same, tops[:, 2], 0)
    counts = np.concatenate([keep.sum(1), [1, 1]])
    successor = np.concatenate([full[keep], [goal, pit]]).astype(np.int64)
    numerators = np.concatenate([tops[keep], [LEAK, LEAK]])
    table, index = np.unique(numerators, return_inverse=True)
    start = np.concatenate([[0], np.cumsum(counts)])
    choice_start = np.concatenate([np.arange(0, 4 * cells + 1, 4), [4 * cells + 1, 4 * cells + 2]])
    chance = numerators / LEAK

    def backed(value: np.ndarray) -> np.ndarray:
        return np.add.reduceat(chance * value[successor], start[:-1])

    value = np.zeros(cells + 2)
    value[goal] = 1
    for _ in range(2000):
        new = backed(value)[: 4 * cells].reshape(-1, 4).max(1)
        change = np.abs(new - value[:cells]).max()
        value[:cells] = new
        if change < 1e-13:
            break
    best = backed(value)[: 4 * cells].reshape(-1, 4).argmax(1) + np.arange(0, 4 * cells, 4)
    slack = LEAK * (4 / BELOW)
    upper = np.ceil((value[:cells] + slack) * BELOW).astype(np.int64)
    lower = np.ceil((slack - value[:cells]) * BELOW).astype(np.int64)

    arrays = Arrays()
    world = {
        "name": "Grid", "variables": [["at", f"0..{cells + 1}"]], "states": [arrays.integers("at", range(cells + 2))],
        "initial": [[0, "1"]], "actions": ["east", "north", "west", "south"], "probabilities": [str(Fraction(int(x), LEAK)) for x in table],
        "choice_start": arrays.integers("choice_start", choice_start.tolist()),
        "action": arrays.integers("action", [0, 1, 2, 3] * cells + [0, 0]),
        "transition_start": arrays.integers("transition_start", start.tolist()),
        "successor": arrays.integers("successor", successor.tolist()),
        "probability": arrays.integers("probability", index.tolist()),
        "rewards": {"points": {"values": ["0", "1"], "index": arrays.integers("points", (successor < cells).astype(int).tolist())}},
        "atoms": [
            {"text": "goal", "holds": arrays.integers("goal", [0] * cells + [1, 0])},
            {"text": "not pit", "holds": arrays.integers("pit", [1] * (cells + 1) + [0])},
        ],
    }  # fmt: skip
    path = ["until", ["atom", 1], ["atom", 0], None]
    objectives: list[Json] = [{"world": 0, "kind": "probability", "path": path}]
    plain = {"name": "Pi", "world": 0, "deterministic": True, "memoryless": True, "memory": None, "observes": None}
    top, bottom = Fraction(int(upper[0]), BELOW), -Fraction(int(lower[0]), BELOW)
    key = '["until",["atom",1],["atom",0],null]'
    products = [
        {"world": 0, "objectives": [0], "memories": [[key]], "state": arrays.integers("state", range(cells)),
         "memory": arrays.integers("memory", [0] * cells)}
    ]  # fmt: skip
    common = {"rule": "bound", "product": 0, "finite": [], "denominator": str(BELOW), "layers": []}
    lemmas: list[Json] = [
        {**common, "policy": None, "weights": [[0, "1"]], "tails": [[None, arrays.integers("upper", upper.tolist())]]},
        {**common, "policy": [0, 0], "weights": [[0, "-1"]], "tails": [[None, arrays.integers("lower", lower.tolist())]]},
    ]
    policies = [{"parts": [["1", 0, [arrays.integers("plan", best.tolist())]]]}]
    body: Json = ["and", ["<=", {"terms": [["1", ["optimum", 0]]], "constant": str(-top)}],
                  ["<=", {"terms": [["-1", ["optimum", 0]]], "constant": str(bottom)}]]  # fmt: skip
    leaves = [["farkas", [[["atom", k], "1"], [["optimum", 0, side], "1"]]] for k, side in enumerate(("upper", "lower"))]
    tree: Json = ["split", 0, ["split", 1, ["closed"], leaves[1]], leaves[0]]
    if steps:
        objectives.append({"world": 0, "kind": "expected", "reward": "points", "mode": ["horizon", steps]})
        earned = np.add.reduceat(chance * (successor < cells), start[:-1])
        tables: list[np.ndarray] = []
        now = np.zeros(cells + 2)
        for _ in range(steps):
            ahead = earned + backed(now)
            now = np.concatenate([ahead[: 4 * cells].reshape(-1, 4).max(1), ahead[4 * cells :]]) + 2 / BELOW
            now = np.ceil(now * BELOW) / BELOW
            tables.insert(0, (now * BELOW).astype(np.int64))
        copies = steps if counted else 1
        memories = [[str(left)] for left in range(steps, 0, -1)] if counted else [[""]]
        of_node = np.repeat(np.arange(copies), cells + 2).tolist()
        every = arrays.integers("every", [*range(cells + 2)] * copies)
        held = arrays.integers("held", of_node)
        products.append({"world": 0, "objectives": [1], "memories": memories, "state": every, "memory": held})
        layers = [] if counted else [arrays.integers(f"layer{t}", table.tolist()) for t, table in enumerate(tables)]
        tails = [[None, arrays.integers("steps", np.concatenate(tables).tolist())]] if counted else []
        lemmas.append({**common, "policy": None, "product": 1, "weights": [[1, "1"]], "layers": layers, "tails": tails})
        limit = Fraction(int(now[0] * BELOW), BELOW)
        body.append(["<=", {"terms": [["1", ["value", 1, "pi"]]], "constant": str(-limit)}])
        tree[2][2] = ["split", 2, ["closed"], ["farkas", [[["atom", 2], "1"], [["lemma", 2, "pi"], "1"]]]]
    claim = {
        "name": "enclosed", "kind": "forall", "text": "", "objectives": objectives, "types": [plain], "policies": [],
        "variables": [["pi", 0]], "optima": [{"kind": "max", "type": 0, "body": [["1", 0]], "constant": "0"}], "unknown": None,
        "body": body,
    }  # fmt: skip
    evidence = {
        "products": products, "policies": policies, "lemmas": lemmas, "optima": [[{"lemma": 1}, {"lemma": 0}]],
        "argument": {"kind": "refutation", "tree": tree},
    }  # fmt: skip
    return {"format": "twostep-proof 2", "claim": claim, "worlds": [world], "evidence": evidence}, arrays


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--transitions", type=int, default=1_000_000)
    parser.add_argument("--steps", type=int, default=0, help="of a horizon")
    parser.add_argument("--counted", action="store_true", help="the memory counts the steps, otherwise a layer for each")
    options = parser.parse_args()
    n = max(3, int((options.transitions / 16) ** 0.5))
    document, arrays = build(n, options.steps, options.counted)
    count = document["worlds"][0]["successor"]["length"]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "grid.proof"
        write(path, document, arrays.members)
        size = path.stat().st_size
        del document, arrays
        began = time.perf_counter()
        done = subprocess.run([sys.executable, "-m", "prover.checker", str(path)], capture_output=True, text=True, env=os.environ)
        seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    verdict = done.stdout.split(": ", 1)[1].split()[0]
    print(f"{verdict}: {count:,} transitions, {options.steps} steps: {seconds:.1f} s, peak {peak:.0f} MB, file {size / 2**20:.1f} MB")
    if verdict != "VALID":
        sys.exit(done.stdout + done.stderr)


if __name__ == "__main__":
    main()
