"""One measurement of Storm in a process of its own: a JSON job -> lines of JSON, each as soon as it is known.

    python -m benchmarks.storm_side '{"path": FILE, "constants": "K=2", "properties": [...], "full": false, "environments": ["default"]}'

Environments: default and sound.  Parsing and building count as build.  ``full``: all labels and rewards, no target states cut off.
Everything is done twice and timed the second time, so that both sides have their code loaded; the peak is taken after the first time.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from typing import Any


def emit(**known: Any) -> None:
    print("@" + json.dumps(known), flush=True)


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def build(job: dict[str, Any]) -> tuple[Any, list[Any], float]:
    import stormpy

    begin = time.perf_counter()
    program = stormpy.parse_prism_program(job["path"])
    if job["constants"]:
        program, _ = stormpy.instantiate_constants(program, job["constants"])
    properties = [stormpy.parse_properties(text, program)[0] for text in job["properties"]]
    model = stormpy.build_model(program, None if job["full"] else properties)
    return model, properties, time.perf_counter() - begin


def check(model: Any, properties: list[Any], kind: str) -> tuple[list[Any], float]:
    import stormpy
    from stormpy import environments

    environment = environments.sound() if kind == "sound" else environments.Environment()
    begin = time.perf_counter()
    results = [stormpy.model_checking(model, p, only_initial_states=True, environment=environment) for p in properties]
    seconds = time.perf_counter() - begin
    start = model.initial_states[0]
    return [_number(result[start] if hasattr(result, "__getitem__") else result) for result in results], seconds


def _number(value: Any) -> float | None:
    if hasattr(value, "value"):
        value = value.value
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def main() -> None:
    job = json.loads(sys.argv[1])
    import stormpy  # noqa: F401  the import is not timed
    from stormpy import environments  # noqa: F401

    emit(idle_mb=peak())
    model, properties, _ = build(job)
    if not job["full"]:
        check(model, properties, job["environments"][0])
    emit(peak_mb=peak())
    del model
    model, properties, seconds = build(job)
    emit(build=seconds, states=model.nr_states, choices=model.nr_choices, transitions=model.nr_transitions)
    for kind in [] if job["full"] else job["environments"]:
        values, seconds = check(model, properties, kind)
        emit(**{f"{kind}_values": values, kind: seconds})


if __name__ == "__main__":
    main()
