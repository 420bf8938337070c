"""Claims and finds about large worlds: a typed statement into a verdict whose evidence the checker accepted.

A counterexample is a policy, and a policy is a witness of the negated claim: so a refutation has a proof too, and its most
telling run is replayed by the reference semantics.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import cast

from dsl.spec import Claim, Find, Not, Quantified
from prover.checker.check import Derived, check
from prover.flat_certificate import flat_refutation
from prover.flat_counterexample import enclosed, show
from prover.flint import fraction
from prover.policies.context import Context
from prover.policies.flat_arena import FlatPoint, FlatPolicy
from prover.policies.flat_decide import FlatStage
from prover.policies.flat_find import FlatDecided, decide_flat, find_flat
from prover.policies.flat_search import belongs
from prover.policies.modulo import Counterexample
from prover.policies.query import Builder, Query, interval
from prover.policies.theory import Stuck
from prover.verdict import Enclosure, FlatProof, Proved, Refuted, Unknown, Verdict

Clock = Callable[[], None]


def query_of(context: Context, body: Quantified, *, negated: bool = False) -> Query:
    builder = Builder(context.spec, body.variables)
    formula = Not(body.body) if negated else body.body
    return builder.query("forall", builder.skeleton(formula))


def prove_flat_claim(context: Context, statement: Claim, body: Quantified, clock: Clock) -> Verdict:
    """``forall``: a tree proves, a policy refutes; ``exists``: the other way round, of the negation."""
    affirm = body.kind == "exists"
    decided = decide_flat(context, query_of(context, body, negated=affirm), clock)
    match decided.outcome:
        case Stuck(reason):
            return Unknown(reason)
        case Counterexample() as found:
            text = statement.text if affirm else f"not ({statement.text})"
            proof = _witnessed(context, body, _stage(decided), found, statement.name, text, affirm, clock)
            if isinstance(proof, Stuck):
                return Unknown(proof.reason)
            shown = show(context, _stage(decided).query, _stage(decided).optima, found)
            if affirm:
                return Proved(proof, note="\n".join(["for example:", *shown.lines()]))
            return Refuted(shown, proof=proof)
        case tree:
            text = f"not ({statement.text})" if affirm else statement.text
            proof = flat_refutation(_stage(decided), context, tree, statement.name, text)
            accept(context, proof)
            if affirm:
                return Refuted(show(context, _stage(decided).query, _stage(decided).optima, None), proof=proof)
            return Proved(proof, note=optima_note(decided))


def _stage(decided: FlatDecided) -> FlatStage:
    if decided.stage is None:
        raise RuntimeError("an outcome without a stage")
    return decided.stage


def _witnessed(
    context: Context, body: Quantified, stage: FlatStage, found: Counterexample, name: str, text: str, affirm: bool, clock: Clock
) -> FlatProof | Stuck:
    """The policies found as witnesses: of the body (``affirm``), or of its negation."""
    witnesses = {player: cast("FlatPolicy", policy) for player, policy in found.controllers.items()}
    for variable, type in body.variables:
        if variable not in witnesses:  # the claim does not depend on it: any policy will do
            some = _any_policy(context, stage, variable, type)
            if some is None:
                return Stuck(f"the claim does not depend on {variable}, and no policy of its type was found")
            witnesses[variable] = some
    shown = decide_flat(context, query_of(context, body, negated=not affirm), clock, witnesses)
    if isinstance(shown.outcome, (Counterexample, Stuck)):
        return Stuck("a policy that breaks the claim was found, but its values could not be certified tightly enough")
    proof = flat_refutation(_stage(shown), context, shown.outcome, name, text, witnesses=witnesses)
    accept(context, proof)
    return proof


def _any_policy(context: Context, stage: FlatStage, player: str, type: str) -> FlatPolicy | None:
    points = cast("list[FlatPoint]", stage.theory.arenas[player].points)
    policies = [FlatPolicy(((Fraction(1), point),)) for point in points if None not in point.vector]
    return next((policy for policy in policies if belongs(policy, context.spec.policy_type(type))), None)


def prove_flat_find(context: Context, statement: Find, clock: Clock, precision: Fraction) -> Verdict:
    builder = Builder(context.spec, statement.body.variables)
    query = builder.query("find", builder.skeleton(statement.body.body), interval(statement))
    found = find_flat(context, query, clock, precision)
    if isinstance(found, Stuck):
        return Unknown(found.reason)
    proof = flat_refutation(
        found.stage, context, found.tree, statement.name, statement.text, threshold=(found.value, found.attained, found.breaks)
    )
    derived = accept(context, proof)
    if found.breaks is not None and derived.beyond is None:
        raise RuntimeError("the proof of an enclosure shows only one side of it")
    value = None if found.value is None else fraction(found.value)
    enclosure = Enclosure(value, value, found.attained if value is not None else None)
    notes = []
    if found.beyond is not None and value is not None:
        ends = sorted((value, fraction(found.beyond)))
        enclosure = Enclosure(ends[0], ends[1], None)
    if found.breaks is not None:
        shown = show(context, query, found.stage.optima, found.breaks)
        notes = ["behind it the claim fails, for example:", *shown.lines()]
    return Proved(proof, value=enclosure, note="\n".join(notes) or None)


def accept(context: Context, proof: FlatProof) -> Derived:
    """The checker's word; Rejected here is a bug of the prover, and never becomes an answer."""
    context.progress(f"checking the proof of {proof.document['claim']['name']}")
    return check(proof.document, arrays=proof.arrays)


def optima_note(decided: FlatDecided) -> str | None:
    stage = _stage(decided)
    optima = zip(stage.query.optima, stage.optima, strict=True)
    return ", ".join(f"{wanted.text} {enclosed((fraction(o.lower), fraction(o.upper)))}" for wanted, o in optima) or None
