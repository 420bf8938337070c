"""One measurement of twostep in a process of its own: a JSON job -> lines of JSON, each as soon as it is known.

    python -m benchmarks.our_side '{"task": "bounds" | "find" | "prove" | "checker", "path": ..., "precision": "1e-6"}'

bounds: build, then one certified bound from above over all policies and one from below for the best plan.  find: build, then every
threshold of the spec, enclosed; no independent checker.  prove: the whole pipeline.  checker: the independent checker on the proof.
bounds and find are done twice and timed the second time, so that compiled kernels are loaded; the peak is taken after the first time.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

TOLERANCE = 2.0**-20  # relative, of the bounds: just below Storm's 1e-6


def emit(**known: Any) -> None:
    print("@" + json.dumps(known), flush=True)


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def built(path: Path) -> tuple[Any, list[tuple[Any, Any]], float]:
    """The context with the explored world, the finds with their queries, and the seconds that this took."""
    from dsl.spec import Find
    from dsl.typecheck import load
    from prover.policies.named import workspace
    from prover.policies.query import Builder, interval
    from prover.worlds.explore import explore

    begin = time.perf_counter()
    spec, _ = load(path)
    asked = []
    for statement in spec.statements:
        if isinstance(statement, Find):
            builder = Builder(spec, statement.body.variables)
            asked.append((statement, builder.query("find", builder.skeleton(statement.body.body), interval(statement))))
    world = spec.worlds[0]
    rewards = [stream.reward for _, query in asked for stream in query.streams if stream.reward is not None]
    mdp = explore(world, rewards=rewards)
    seconds = time.perf_counter() - begin
    context = workspace(spec, path.parent)
    context.mdps[world.name] = mdp
    return context, asked, seconds


class IntegerCheck:
    """Adds up the seconds in which compiled integers confirm potentials, or bring them to where they can."""

    def __init__(self) -> None:
        from prover.solve.potential import Inequality

        self.seconds = 0.0
        run = Inequality.run

        def timed(inequality: Any, mode: int, v: Any) -> tuple[int, int]:
            begin = time.perf_counter()
            found = run(inequality, mode, v)
            self.seconds += time.perf_counter() - begin
            return found

        Inequality.run = timed  # type: ignore[method-assign,assignment]


def bounds(path: Path, integers: IntegerCheck) -> dict[str, Any]:
    from prover.flint import fmpq, fraction
    from prover.policies.flat_arena import FlatArena
    from prover.policies.flat_defined import flat_well_defined
    from prover.worlds.flat import flatten

    context, [(_, query)], build = built(path)
    mdp = context.mdps["W"]
    integers.seconds = 0.0
    begin = time.perf_counter()
    conditions = context.conditions("W", query.atoms.of_world.get("W", []))
    product = flatten(mdp, conditions, tuple(query.streams))
    arena = FlatArena(product, {}, TOLERANCE)
    flat = time.perf_counter()
    arena.large  # noqa: B018  orders the nodes
    ordered = time.perf_counter()
    for i, stream in enumerate(query.streams):
        if stream.sums_for_ever:
            flat_well_defined(arena, i)
    defined = time.perf_counter()
    above = arena.sup({0: fmpq(1)}, frozenset(), {})
    bounded = time.perf_counter()
    below = arena.fixed(arena.join(above.plan), {0: fmpq(-1)})
    end = time.perf_counter()
    if above.bound is None or below.bound is None:
        raise SystemExit("no bound")
    return {
        "build": build,
        "solve": end - begin,
        "parts": {
            "flatten": flat - begin,
            "order": ordered - flat,
            "defined": defined - ordered,
            "upper": bounded - defined,
            "lower": end - bounded,
        },
        "integers": integers.seconds,
        "states": mdp.states,
        "choices": mdp.choices,
        "transitions": mdp.transitions,
        "nodes": product.nodes,
        "lower": str(-fraction(below.bound)),
        "upper": str(fraction(above.bound)),
    }


def thresholds(path: Path, precision: Fraction) -> dict[str, Any]:
    from prover.flint import fraction
    from prover.policies.flat_find import FlatFound, find_flat

    context, asked, build = built(path)
    enclosures = []
    begin = time.perf_counter()
    for _, query in asked:
        found = find_flat(context, query, lambda: None, precision)
        if isinstance(found, FlatFound) and found.value is not None:
            ends = [fraction(found.value), fraction(found.value if found.beyond is None else found.beyond)]
            enclosures.append([str(x) for x in sorted(ends)])
        else:
            enclosures.append([getattr(found, "reason", "no answer")])
    mdp = context.mdps["W"]
    return {"build": build, "solve": time.perf_counter() - begin, "states": mdp.states, "enclosures": enclosures}


def prove(path: Path, precision: Fraction) -> dict[str, Any]:
    from prover.pipeline import prove as whole
    from prover.verdict import Proved, Unknown

    begin = time.perf_counter()
    report = whole(path, precision=precision)
    seconds = time.perf_counter() - begin
    enclosures = []
    for result in report.results:
        verdict = result.verdict
        value = verdict.value if isinstance(verdict, Proved) else None
        if value is not None:
            enclosures.append([str(value.lower), str(value.upper)])
        else:
            enclosures.append([verdict.reason if isinstance(verdict, Unknown) else "no threshold"])
    return {"prove": seconds, "enclosures": enclosures, "diagnostics": [d.message for d in report.diagnostics]}


def checker(path: Path, precision: Fraction) -> dict[str, Any]:
    """The seconds that a proof of the threshold spends in the independent checker."""
    from prover import flat_storey1
    from prover.verdict import Proved

    context, [(statement, _)], _ = built(path)
    check, seconds = flat_storey1.check, 0.0  # type: ignore[attr-defined]

    def timed(*proof: Any, **more: Any) -> Any:
        nonlocal seconds
        begin = time.perf_counter()
        derived = check(*proof, **more)
        seconds += time.perf_counter() - begin
        return derived

    flat_storey1.check = timed  # type: ignore[attr-defined]
    verdict = flat_storey1.prove_flat_find(context, statement, lambda: None, precision)
    return {"checker": seconds} if isinstance(verdict, Proved) else {"error": "no proof"}


def main() -> None:
    job = json.loads(sys.argv[1])
    sys.set_int_max_str_digits(1_000_000)
    path, precision = Path(job["path"]), Fraction(job.get("precision", "1e-6"))
    import numba  # noqa: F401  imports are not timed
    import numpy  # noqa: F401
    import scipy.sparse.csgraph  # noqa: F401

    from prover.policies import flat_find  # noqa: F401
    from prover.solve import large  # noqa: F401

    emit(idle_mb=peak())
    work: dict[str, Callable[[], dict[str, Any]]] = {
        "find": lambda: thresholds(path, precision),
        "prove": lambda: prove(path, precision),
        "checker": lambda: checker(path, precision),
    }
    if job["task"] == "bounds":
        integers = IntegerCheck()
        work["bounds"] = lambda: bounds(path, integers)
    once = work[job["task"]]
    if job.get("profile"):
        import cProfile
        import pstats

        once()
        profile = cProfile.Profile()
        profile.runcall(once)
        pstats.Stats(profile, stream=sys.stderr).sort_stats("tottime").print_stats(25)
        pstats.Stats(profile, stream=sys.stderr).sort_stats("cumulative").print_stats(45)
        return
    if job.get("warm", True):
        begin = time.perf_counter()
        first = once()
        emit(first=time.perf_counter() - begin, peak_mb=peak(), **{k: v for k, v in first.items() if k == "enclosures"})
    emit(**once())


if __name__ == "__main__":
    main()
