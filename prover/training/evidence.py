"""Each kind of evidence about T -> facts: what the evidence is asked, and the chance that the answer misleads.

A sample may be asked about several events; every question costs its delta.  Which questions are asked depends on the statement alone,
never on the counts, and they come as a growing chain of *levels* (each asks all that the one before asks, no less cautiously).
So reporting the first level that suffices is free: a false report at a level needs a bound of that level to be wrong.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path, PurePosixPath
from typing import Any

from dsl.diagnostic import Diagnostic, SpecError
from dsl.source import Span
from dsl.spec import Mixture, PolicyType, Runs, Samples
from prover.policies import policy_file
from prover.policies.belongs import belongs
from prover.policies.context import Context
from prover.policies.controller import Controller
from prover.policies.query import Skeleton

MAX_RUNS = 100_000  # as many as a proof file may carry


@dataclass(frozen=True)
class Part:
    """A policy of a mixture or of a run, by the name that the proof gives it."""

    name: str
    controller: Controller
    type: str


@dataclass(frozen=True)
class Fact:
    """``kind``: mixture, runs, samples or assumed, as in proof files; ``name`` if it is an assumption."""

    kind: str
    name: str | None = None
    parts: tuple[tuple[Fraction, Part], ...] = ()  # share (mixture) and policy
    event: int = -1
    successes: int = 0
    size: int = 0
    delta: Fraction = Fraction(0)
    formula: Skeleton | None = None  # over the vocabulary's comparisons

    def to_json(self, number: dict[int, int], formula: list[Any] | None) -> dict[str, Any]:
        match self.kind:
            case "mixture":
                return {"kind": "mixture", "parts": [[str(share), part.name] for share, part in self.parts]}
            case "runs":
                names = [part.name for _, part in self.parts]
                return {"kind": "runs", "parts": names, "event": number[self.event], "delta": str(self.delta)}
            case "samples":
                return {
                    "kind": "samples",
                    "name": self.name,
                    "event": number[self.event],
                    "successes": self.successes,
                    "size": self.size,
                    "delta": str(self.delta),
                }
            case _:
                return {"kind": "assumed", "name": self.name, "formula": formula}


def mixture(evidence: Mixture, controllers: dict[str, Controller], types: dict[str, str]) -> Fact:
    shares: dict[str, Fraction] = {}
    for share, name in evidence.parts:
        shares[name] = shares.get(name, Fraction(0)) + share
    parts = tuple((share, Part(name, controllers[name], types[name])) for name, share in shares.items() if share)
    return Fact("mixture", parts=parts)


def levels(
    samples: Sequence[tuple[Samples, int]], runs: Sequence[tuple[Runs, tuple[Part, ...]]], asked: Sequence[Sequence[int]]
) -> list[tuple[Fact, ...]]:
    """The chain of questions; ``asked`` are groups of events to ask about, the most relevant group first.

    First nothing; then, group by group, the samples counted for an event of the groups so far and all runs asked about these events, once
    with the deltas of the runs shared among the questions and once without; at last the remaining samples one by one.
    """
    chain: list[tuple[Fact, ...]] = [()]
    events: list[int] = []
    counted = [counted_elsewhere(sample, event) for sample, event in samples]
    for group in asked:
        events += [event for event in group if event not in events]
        relevant = tuple(fact for fact in counted if fact.event in events)
        for share in (len(events), 1):
            # A bound at delta / m is implied by the one at delta: the level that shares is implied by the one that does not.
            questions = tuple(drawn(run, parts, event, share) for run, parts in runs for event in events)
            chain.append((*relevant, *questions))
    for fact in counted:
        if fact not in chain[-1]:
            chain.append((fact, *chain[-1]))
    return _increasing(chain)


def _increasing(chain: list[tuple[Fact, ...]]) -> list[tuple[Fact, ...]]:
    """Without repetitions, and without a level that is more cautious about a question than one before it."""
    result: list[tuple[Fact, ...]] = []
    for level in chain:
        eager = {_question(fact): fact.delta for earlier in result for fact in earlier}
        kept = tuple(replace(fact, delta=max(fact.delta, eager.get(_question(fact), fact.delta))) for fact in level)
        if kept not in result:
            result.append(kept)
    return result


def _question(fact: Fact) -> tuple[Any, ...]:
    return fact.kind, fact.name, fact.event, tuple(id(part) for _, part in fact.parts)


def drawn(run: Runs, parts: tuple[Part, ...], event: int, share: int) -> Fact:
    return Fact("runs", None, tuple((Fraction(0), part) for part in parts), event, 0, len(parts), (1 - run.confidence) / share)


def counted_elsewhere(sample: Samples, event: int) -> Fact:
    name = f"{sample.successes} of {sample.size} samples satisfy {sample.event.text}"
    return Fact("samples", " ".join(name.split()), (), event, sample.successes, sample.size, 1 - sample.confidence)


# ---------------------------------------------------------------- runs


def read_runs(context: Context, runs: Runs, type: PolicyType) -> tuple[Part, ...]:
    """The policies in the files that match, in the order of their paths; equal policies share one part.

    SpecError E510 to E512 for a file that is no policy, E514 for a policy of another type, E516 for a pattern without files.
    """
    root, mdp = context.root, context.mdp(type.world)
    parts: dict[str, Part] = {}
    found = []
    for path in matching(root, runs.pattern, runs.span):
        controller = policy_file.read(path, root, mdp, runs.span)
        name = f"file {path.relative_to(root).as_posix()}"
        if not belongs(controller, type, mdp):
            message = f"policy {name} does not belong to type {type.name}"
            raise _error("E514", runs.span, message, "train policies of that type, or widen the type")
        key = json.dumps(controller.to_json())
        found.append(parts.setdefault(key, Part(name, controller, type.name)))
    return tuple(found)


def matching(root: Path, pattern: str, span: Span) -> list[Path]:
    """The files below ``root`` that match; sorted, at least one."""
    pure = PurePosixPath(pattern)
    if not pattern or "\0" in pattern or "\\" in pattern or pure.is_absolute() or ".." in pure.parts or ":" in pure.parts[0]:
        message = f"the pattern `{pattern}` leaves the directory of the spec"
        raise _error("E516", span, message, "write a path relative to the spec, below it")
    found = []
    try:
        for path in root.glob(pattern):
            if path.is_file():
                found.append(path)
            if len(found) > MAX_RUNS:
                raise _error("E516", span, f"more than {MAX_RUNS} files match `{pattern}`", None)
    except (ValueError, NotImplementedError, OSError) as error:
        raise _error("E516", span, f"the pattern `{pattern}` cannot be followed: {error}", None) from None
    if not found:
        raise _error("E516", span, f"no file matches `{pattern}`", "the path is relative to the spec")
    return sorted(found, key=lambda path: path.relative_to(root).as_posix())


def _error(code: str, span: Span, message: str, hint: str | None) -> SpecError:
    return SpecError([Diagnostic(code, span, message, hint)])
