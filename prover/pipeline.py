"""The sentence: load, check, build the worlds, prove, check the proofs, report."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from dsl.diagnostic import Diagnostic, SpecError
from dsl.record import dataclass
from dsl.source import Source
from dsl.spec import Assume, Claim, Find, Quantified, Spec
from prover.policies.context import Context, WorldSummary
from prover.verdict import Refuted, Result, Stopped, Unknown, Verdict

Statement = Claim | Find
DIGITS = 1_000_000
INTERRUPTED = "interrupted before it was decided"


@dataclass(frozen=True)
class Report:
    """Results in the order of the file; a spec with errors has diagnostics and no results."""

    file: str
    seed: int
    worlds: tuple[WorldSummary, ...]
    results: tuple[Result, ...]
    diagnostics: tuple[Diagnostic, ...]
    sources: Mapping[str, Source]


def prove(
    path: Path | str,
    *,
    claim: str | None = None,
    method: str = "auto",
    timeout: Fraction | float | None = None,
    max_states: int = 10_000_000,
    precision: Fraction = Fraction(1, 10**6),
    progress: Callable[[str], None] | None = None,
) -> Report:
    """Every claim, theorem and find of the spec (or only ``claim`` and what it rests on) with its verdict.

    ``timeout`` is in seconds, for each statement; ``precision`` bounds the width of a threshold that has no exact answer.
    Raises Stopped when interrupted.
    """
    from dsl.typecheck import load
    from prover.policies.named import workspace

    _allow_long_numbers()
    path = Path(path)
    context: Context | None = None
    sources: Mapping[str, Source] = {}
    try:
        spec, sources = load(path)
        context = workspace(spec, path.parent, max_states=max_states, progress=progress)
        wanted = selected(spec, claim)
        explore_worlds(context)
        results, complete = decide_all(context, wanted, method, timeout, precision)
        if claim is not None:
            asked = rests_on(spec, claim)
            results = [result for result in results if result.name in asked]
    except SpecError as error:
        sources = sources or _sources(path)
        return Report(str(path), 0, tuple(context.summaries) if context else (), (), error.diagnostics, sources)
    report = Report(str(path), 0, tuple(context.summaries), tuple(results), (), sources)
    if not complete:
        raise Stopped(report)
    return report


def _allow_long_numbers() -> None:
    """Exact values can have more digits than Python prints by default."""
    if 0 < sys.get_int_max_str_digits() < DIGITS:
        sys.set_int_max_str_digits(DIGITS)


def _sources(path: Path) -> dict[str, Source]:
    """What can still be read of a spec whose loading failed, for rendering."""
    from dsl.imports import load_files

    try:
        return load_files(path)[1]
    except SpecError:
        from dsl.parse import parse_bytes

        try:
            return {str(path): parse_bytes(str(path), path.read_bytes())}
        except (OSError, SpecError):
            return {}


def selected(spec: Spec, claim: str | None) -> list[Statement]:
    """The statements to decide: all, or the one asked for and those that it names."""
    statements = [s for s in spec.statements if not isinstance(s, Assume)]
    if claim is None:
        return statements
    names = {claim}
    for statement in reversed(statements):
        if statement.name in names and isinstance(statement, Claim):
            if statement.by is not None:
                names.update(statement.by)
            elif not isinstance(statement.body, Quantified):
                names.update(s.name for s in statements if s.span.line < statement.span.line)
    return [s for s in statements if s.name in names] if any(s.name == claim for s in statements) else []


def rests_on(spec: Spec, claim: str) -> set[str]:
    """The statement and those that it names, directly or through others."""
    names, pending = set[str](), [claim]
    while pending:
        name = pending.pop()
        if name not in names:
            names.add(name)
            pending += [n for s in spec.statements if s.name == name and isinstance(s, Claim) for n in s.by or ()]
    return names


def explore_worlds(context: Context) -> None:
    """Worlds first: what is wrong with one is an error of the spec, whichever claim meets it."""
    for world in context.spec.worlds:
        if any(type.world == world.name for type in context.spec.policy_types):
            context.mdp(world.name)


def decide_all(
    context: Context, wanted: list[Statement], method: str, timeout: Fraction | float | None, precision: Fraction
) -> tuple[list[Result], bool]:
    """The results, and whether nobody interrupted; after an interrupt all is unknown that was not decided."""
    established: dict[str, Verdict] = {}
    results = []
    complete = True
    for statement in wanted:
        context.progress(f"proving {statement.name}")
        begin = time.perf_counter()
        verdict: Verdict = Unknown(INTERRUPTED)
        try:
            if complete:
                verdict = _within(timeout, lambda clock, s=statement: verdict_of(context, s, established, clock, method, precision))  # type: ignore[misc]
        except (KeyboardInterrupt, SystemError) as error:
            if not _is_interrupt(error):
                raise
            complete = False
        established[statement.name] = verdict
        verdict = _with_notes(verdict, context.spec)
        kind = "find" if isinstance(statement, Find) else statement.kind
        used = method_of(statement, verdict, method)
        results.append(Result(statement.name, kind, verdict, statement.span.line, time.perf_counter() - begin, used, statement.text))
    return results, complete


def _is_interrupt(error: BaseException | None) -> bool:
    """A compiled function that is interrupted raises a SystemError behind which the interrupt stands."""
    while error is not None:
        if isinstance(error, KeyboardInterrupt):
            return True
        error = error.__cause__ or error.__context__
    return False


def _with_notes(verdict: Verdict, spec: Spec) -> Verdict:
    """What the imported worlds took on trust is assumed by every verdict of the spec."""
    notes = tuple(dict.fromkeys(note for world in spec.worlds for note in world.notes))
    if not notes or isinstance(verdict, Unknown):
        return verdict
    return replace(verdict, assumptions=(*verdict.assumptions, *notes))


def method_of(statement: Statement, verdict: Verdict, asked: str) -> str:
    """What reached the verdict: the search, unless the direct encoding was asked for or found the counterexample by itself.

    Finds and statements about training are always decided by the search (``both`` compares the thresholds of finds).
    """
    if isinstance(verdict, Refuted) and verdict.method == "smt":
        return "smt"
    if isinstance(statement, Claim) and isinstance(statement.body, Quantified):
        return "lazy" if asked == "auto" else asked
    return "both" if asked == "both" and isinstance(statement, Find) else "lazy"


def verdict_of(
    context: Context, statement: Statement, established: Mapping[str, Verdict], clock: Callable[[], None], method: str, precision: Fraction
) -> Verdict:
    from prover import storey1

    if isinstance(statement, Find):
        return storey1.prove_find(context, statement, clock, precision, method)
    if isinstance(statement.body, Quantified):
        return storey1.prove_claim(context, statement, statement.body, clock, method)
    from prover.training.decide import decide_measure

    return decide_measure(context, statement, established, clock)


def _within(timeout: Fraction | float | None, work: Callable[[Callable[[], None]], Verdict]) -> Verdict:
    if timeout is None:
        return work(lambda: None)
    from prover.deadline import within

    outcome = within(float(timeout), work)
    return Unknown(f"no answer within {float(timeout):g} s; a longer --timeout may decide it") if outcome is None else outcome


def stated(path: Path | str, name: str, carried: dict[str, Any] | None = None) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The claim and the worlds that a proof of this statement must carry, built by the reference semantics alone.

    ``carried`` is the claim in the proof: a statement about training can be proved from more or less of its evidence.
    KeyError if the spec states nothing of that name.
    """
    from dsl.typecheck import load
    from prover import storey1
    from prover.policies.named import workspace
    from prover.worlds.small import explore_small

    path = Path(path)
    spec, _ = load(path)
    context = workspace(spec, path.parent)
    for world in spec.worlds:
        limit = context.max_states
        mdp = explore_small(world, limit=limit, max_states=limit, rewards=tuple(r.name for r in world.rewards), progress=None)
        if mdp is None:
            raise RuntimeError("the reference exploration has no limit but the number of states")
        context.mdps[world.name] = mdp
    statement = next((s for s in spec.statements if s.name == name and not isinstance(s, Assume)), None)
    if statement is None:
        raise KeyError(name)
    if not isinstance(statement.body, Quantified):
        from prover.training.decide import stated_measure

        document = stated_measure(context, statement, lambda: None, carried)
    else:
        document = storey1.stated_claim(context, statement, lambda: None)
    return document["claim"], document["worlds"]


def export_smt2(path: Path | str) -> dict[str, str]:
    """Every query that the claims of the spec ask, as SMT-LIB 2 text by name; unsat means that the claim is true."""
    from dsl.typecheck import load
    from prover.policies.export import scripts
    from prover.policies.named import workspace

    path = Path(path)
    spec, _ = load(path)
    return scripts(workspace(spec, path.parent))
