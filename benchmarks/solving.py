"""Solving alone, beside Storm, on the same matrices: models of the QVBS built by Storm, its check against the large solver.

    python benchmarks/solving.py FOLDER [--only REGEX] [--runs 3]      (FOLDER: consensus.4.prism, wlan.4.prism, ...; stormpy installed)

Storm: `float` is its default (no guarantee), `sound` its optimistic value iteration (1e-6).  twostep: everything from the rows on, the
order of the nodes and the liveness fixpoints included; its bound is certified in integers, `gap` is relative; `again`: a second direction.
The first line of twostep's numbers is warm: compiled loops are in numba's cache and loaded.
"""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from pathlib import Path
from typing import Any

import numpy as np

from prover.solve.large import Large, Solution
from prover.solve.rows import Gain, Rows


@dataclass(frozen=True)
class Case:
    file: str
    constants: str
    target: str
    reward: str = ""  # empty: the probability of reaching the target
    avoid: str = ""

    @property
    def query(self) -> str:
        return f'R{{"{self.reward}"}}max=? [ F {self.target} ]' if self.reward else f"Pmax=? [ F {self.target} ]"


DISAGREE = '("finished" & !"agree")'
CASES = (
    Case("consensus.2.prism", "K=16", DISAGREE),
    Case("consensus.4.prism", "K=4", DISAGREE),
    Case("consensus.4.prism", "K=4", '"finished"', "steps"),
    Case("zeroconf.prism", "N=1000,K=2,reset=false", "(l=4 & ip=1)"),
    Case("wlan.4.prism", "COL=0", "(s1=12 & s2=12)", "cost"),
    Case("firewire.true.prism", "delay=3,deadline=400", '"done"', "time"),
    Case("consensus.6.prism", "K=2", DISAGREE),
    Case("zeroconf.prism", "N=1000,K=8,reset=false", "(l=4 & ip=1)"),
    Case("haddad-monmege-mdp.prism", "N=20,p=0.7", '"Target"'),
    Case("haddad-monmege-mdp.prism", "N=100,p=0.7", '"Target"'),
    Case("haddad-monmege-mdp.prism", "N=300,p=0.7", '"Target"'),
)


def matrix(model: Any, target: list[bool], reward: str) -> tuple[Rows, Gain, np.ndarray, int]:
    """Storm's model without its target states: they are settled."""
    numbers = model.transition_matrix
    n, start = model.nr_states, [numbers.get_row_group_start(i) for i in range(model.nr_states)] + [numbers.nr_rows]
    earned: list[float] = [0.0] * numbers.nr_rows
    if reward:
        column = model.reward_models[reward]
        if column.has_state_action_rewards:
            earned = list(column.state_action_rewards)
        if column.has_state_rewards:
            for state, amount in enumerate(column.state_rewards):
                for row in range(start[state], start[state + 1]):
                    earned[row] += amount
    name, names = [-1] * n, 0
    for state in range(n):
        if not target[state]:
            name[state], names = names, names + 1
    choice_start, transition_start, successor, probability, gain = [0], [0], [], [], []
    for state in range(n):
        if target[state]:
            continue
        for row in range(start[state], start[state + 1]):
            hit = 0.0
            for entry in numbers.get_row(row):
                successor.append(name[entry.column])
                probability.append(entry.value)
                hit += entry.value * target[entry.column]
            gain.append(earned[row] if reward else hit)
            transition_start.append(len(successor))
        choice_start.append(len(transition_start) - 1)
    values, index = np.unique(probability, return_inverse=True)
    exact = [Fraction(x).limit_denominator(10**6) for x in values.tolist()]
    scale = lcm(*(p.denominator for p in exact))
    sums = np.add.reduceat(np.array([int(p * scale) for p in exact], dtype=np.int64)[index], transition_start[:-1])
    assert (sums == scale).all()
    amounts, which = np.unique(gain, return_inverse=True)
    made = Gain(which.astype(np.int32), [Fraction(x).limit_denominator(10**6) for x in amounts.tolist()])
    rows = Rows(np.array(choice_start), np.array(transition_start), np.array(successor, dtype=np.int32), index, exact)
    return rows, made, np.array(gain) == 0, name[model.initial_states[0]]


def best(runs: int, work: Callable[[], Any]) -> tuple[float, Any]:
    times, result = [], None
    for _ in range(runs):
        begin = time.perf_counter()
        result = work()
        times.append(time.perf_counter() - begin)
    return min(times), result


def main() -> None:
    import stormpy
    from stormpy import environments

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    print(f"{'':34} {'states':>8} {'float':>8} {'sound':>8} | {'twostep':>8} {'order':>7} {'again':>7} {'lower':>7} {'gap':>8}  value")
    warm = False
    for case in CASES:
        name = f"{case.file.removesuffix('.prism')} {case.constants} {case.reward}"
        if not re.search(options.only, name):
            continue
        program = stormpy.parse_prism_program(str(options.folder / case.file))
        program, _ = stormpy.instantiate_constants(program, case.constants)
        query = stormpy.parse_properties(case.query, program)[0]
        model = stormpy.build_model[float](program, query)
        storm = []
        for environment in (environments.Environment(), environments.sound()):
            if "haddad" in case.file and len(storm) == 1:
                storm.append(float("nan"))  # no answer within minutes
                continue
            work: Callable[[], Any] = lambda e=environment: stormpy.model_checking(model, query, only_initial_states=True, environment=e)  # noqa: B023, E731
            storm.append(best(options.runs, work)[0])
        hits = stormpy.model_checking(model, stormpy.parse_properties(case.target, program)[0])
        rows, gain, zero, initial = matrix(model, [hits[i] for i in range(model.nr_states)], case.reward)
        begin = [(initial, Fraction(1))]

        def solve(rows: Rows = rows, gain: Gain = gain, zero: Any = zero, begin: Any = begin) -> Any:
            large = Large(rows)
            return large, large.maximise(gain, zero, None, begin)

        if not warm:
            solve()
            warm = True
        order, _ = best(1, lambda rows=rows: Large(rows))
        total, (large, found) = best(options.runs, solve)
        again, _ = best(1, lambda: large.maximise(gain, zero, None, begin, warm=found))  # noqa: B023
        below, proved = best(1, lambda: large.lower(found.plan, gain, zero, None, begin))  # noqa: B023
        assert isinstance(found, Solution)
        assert isinstance(proved, Solution)
        assert found.upper is not None
        assert proved.upper is not None
        gap = float(found.upper + proved.upper) / float(found.upper)
        print(
            f"{name:34.34} {rows.nodes:8} {storm[0]:8.3f} {storm[1]:8.3f} | {total:8.3f} {order:7.3f} {again:7.3f} {below:7.3f} {gap:8.1e}"
            f"  {float(-proved.upper):.12g} .. {float(found.upper):.12g}",
            flush=True,
        )


if __name__ == "__main__":
    main()
