"""Claims and finds over policies: a typed statement into a verdict whose evidence was checked or replayed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

from dsl.spec import Claim, Find, Not, Quantified
from prover import counterexample
from prover.certificate import Document, refutation
from prover.checker.check import Derived, check
from prover.flint import fraction
from prover.policies.belongs import belongs
from prover.policies.context import LARGEST_EXACT, Context
from prover.policies.decide import Decided, Found, decide, find
from prover.policies.modulo import Counterexample, Search
from prover.policies.optimum import Optimum
from prover.policies.query import Builder, Inequality, OptimumOf, Query, interval
from prover.policies.stationary import memoryless
from prover.policies.theory import Bounds, Stuck, Theory
from prover.verdict import Enclosure, Proved, Refuted, Unknown, Verdict
from prover.worlds.objective import Stream

Clock = Callable[[], None]
EXACT_SECONDS = 60.0  # for an exact answer in a world that is neither small nor large


def query_of(context: Context, body: Quantified, *, negated: bool = False) -> Query:
    builder = Builder(context.spec, body.variables)
    formula = Not(body.body) if negated else body.body
    return builder.query("forall", builder.skeleton(formula))


def prove_claim(context: Context, statement: Claim, body: Quantified, clock: Clock, method: str) -> Verdict:
    expected = context.size(query_of(context, body))
    if expected <= context.large:
        return _exact_claim(context, statement, body, clock, method)
    from prover.deadline import within
    from prover.flat_storey1 import prove_flat_claim

    verdict = prove_flat_claim(context, statement, body, clock)
    if isinstance(verdict, Unknown) and expected <= LARGEST_EXACT:
        return within(EXACT_SECONDS, lambda clock: _exact_claim(context, statement, body, clock, method)) or verdict
    return verdict


def _exact_claim(context: Context, statement: Claim, body: Quantified, clock: Clock, method: str) -> Verdict:
    if body.kind == "exists":
        return _exists(context, statement, body, clock, method)
    query = query_of(context, body)
    decided = _decide(context, query, clock, method)
    match decided.outcome:
        case Counterexample() as found:
            loose = decided.theory.loose(tuple((i, True) for i in range(len(query.inequalities))))
            try:
                shown = exhibit(context, query, found, decided.optima, clock)
                return Refuted(shown, method=decided.method)
            except counterexample.Mismatch:
                if loose is None or decided.method != "smt":
                    raise
                return Unknown(f"z3 finds a counterexample, but {loose}")  # its own optimum has no certificate
        case Stuck(reason):
            return Unknown(reason)
        case tree:
            proof = refutation(context, query, decided.theory, decided.optima, tree, statement.name, statement.text)
            accept(proof)
            return Proved(proof, note=_optima_note(query, decided.optima))


def _decide(context: Context, query: Query, clock: Clock, method: str) -> Decided:
    if method == "lazy":
        return decide(context, query, clock)
    from prover.policies.methods import decide_by

    return decide_by(context, query, clock, method)


def _exists(context: Context, statement: Claim, body: Quantified, clock: Clock, method: str) -> Verdict:
    """A counterexample to the negation is a witness; a proof of the negation refutes."""
    query = query_of(context, body, negated=True)
    decided = _decide(context, query, clock, method)
    match decided.outcome:
        case Counterexample() as found:
            loose = decided.theory.loose(tuple((i, True) for i in range(len(query.inequalities))))
            try:
                shown_witness = exhibit(context, query, found, decided.optima, clock)
            except counterexample.Mismatch:
                if loose is None or decided.method != "smt":
                    raise
                return Unknown(f"z3 finds a witness, but {loose}")
            witnesses = {name: found.controllers[name] for name, _ in body.variables if name in found.controllers}
            for name, type in body.variables:
                if name not in witnesses:  # the claim does not depend on it: any policy will do
                    mdp = context.mdp(context.spec.policy_type(type).world)
                    witnesses[name] = memoryless(mdp, {})
                    if not belongs(witnesses[name], context.spec.policy_type(type), mdp):
                        return Unknown(f"the claim does not depend on {name}, and no policy of its type was found")
            affirmed = query_of(context, body)
            shown = decide(context, affirmed, clock, witnesses)
            if not isinstance(shown.outcome, tuple):
                return Unknown("a witness was found, but its values could not be certified")
            proof = refutation(
                context, affirmed, shown.theory, shown.optima, shown.outcome, statement.name, statement.text, witnesses=witnesses
            )
            accept(proof)
            notes = [_optima_note(query, decided.optima), "for example:", *shown_witness.policy_lines()]
            return Proved(proof, note="\n".join(filter(None, notes)))
        case Stuck(reason):
            return Unknown(reason)
        case tree:
            proof = refutation(context, query, decided.theory, decided.optima, tree, statement.name, f"not ({statement.text})")
            accept(proof)
            text = "no policy does this: a proof of the negation was accepted by the checker"
            return Refuted(counterexample.Counterexample({}, None, (text,)))


def prove_find(context: Context, statement: Find, clock: Clock, precision: Fraction, method: str = "auto") -> Verdict:
    builder = Builder(context.spec, statement.body.variables)
    query = builder.query("find", builder.skeleton(statement.body.body), interval(statement))
    expected = context.size(query)
    if expected <= context.large:
        return _exact_find(context, statement, query, clock, precision, method)
    from prover.deadline import within
    from prover.flat_storey1 import prove_flat_find

    # An exact answer is worth some waiting for, but how long its rationals become nobody knows beforehand.
    if expected <= context.large_find:
        exact = within(EXACT_SECONDS, lambda clock: _exact_find(context, statement, query, clock, precision, method))
        if exact is not None and not isinstance(exact, Unknown):
            return exact
        return prove_flat_find(context, statement, clock, precision)
    verdict = prove_flat_find(context, statement, clock, precision)
    if isinstance(verdict, Unknown) and expected <= LARGEST_EXACT:
        return within(EXACT_SECONDS, lambda clock: _exact_find(context, statement, query, clock, precision, method)) or verdict
    return verdict


def _exact_find(context: Context, statement: Find, query: Query, clock: Clock, precision: Fraction, method: str) -> Verdict:
    found = find(context, query, clock, precision)
    if isinstance(found, Stuck):
        return Unknown(found.reason)
    if method in ("smt", "both"):
        from prover.policies.methods import compare_thresholds

        compare_thresholds(context, query, clock, found)
    decided = found.decided
    if not isinstance(decided.outcome, tuple):
        return Unknown("the search did not settle")
    shown = None
    if found.breaks is not None:
        shown = exhibit(context, query, found.breaks, decided.optima, clock)
    proof = refutation(context, query, decided.theory, decided.optima, decided.outcome, statement.name, statement.text, threshold=found)
    derived = accept(proof)
    if proof["evidence"]["argument"]["breaks"] is not None and not derived.exact:
        raise RuntimeError("the proof of an exact threshold shows only one side of it")
    value = _enclosure(found)
    notes = [] if shown is None else ["behind it the claim fails, for example:", *shown.lines()]
    if not derived.exact:
        notes.append("(certified: the claim holds so far; that it fails behind was replayed)")
    return Proved(proof, value=value, note="\n".join(filter(None, [_optima_note(query, decided.optima), *notes])) or None)


def _enclosure(found: Found) -> Enclosure:
    value = None if found.value is None else fraction(found.value)
    if found.exact or value is None or found.beyond is None:
        return Enclosure(value, value, found.attained if value is not None else None)
    ends = sorted((value, fraction(found.beyond)))
    return Enclosure(ends[0], ends[1], None)


def accept(proof: dict[str, Any], permitted: frozenset[str] = frozenset()) -> Derived:
    """The checker's word; Rejected here is a bug of the prover, and never becomes an answer."""
    return check(proof, permitted=permitted)


def signs(context: Context, query: Query) -> dict[Stream, int]:
    return {s: context.well_defined(query, s).sign for s in query.streams if s.sums_for_ever}


def exhibit(context: Context, query: Query, found: Counterexample, optima: list[Optimum], clock: Clock) -> counterexample.Counterexample:
    """The counterexample, replayed against optima whose bounds the checker accepted."""
    bounds = [Bounds(o.lower, o.upper) for o in optima]
    certify_optima(context, query, optima, clock)
    complete = dict(found.controllers)
    for name, _ in query.named:
        complete.setdefault(name, context.controller(name, clock))
    return counterexample.exhibit(context, query, replace(found, controllers=complete), bounds, signs(context, query))


def certify_optima(context: Context, query: Query, optima: list[Optimum], clock: Clock) -> None:
    """The checker must agree that every optimum lies between its bounds before a refutation may use them."""
    if not optima:
        return
    inequalities = []
    for k, o in enumerate(optima):
        inequalities.append(Inequality("<=", ((Fraction(1), OptimumOf(k)),), -fraction(o.upper)))
        inequalities.append(Inequality("<=", ((Fraction(-1), OptimumOf(k)),), fraction(o.lower)))
    skeleton = ("and", *(("ref", i) for i in range(len(inequalities))))
    bounded = replace(
        query,
        kind="forall",
        variables=(),
        named=(),
        unknown=None,
        inequalities=tuple(inequalities),
        texts=("",) * len(inequalities),
        skeleton=skeleton,
    )
    theory = Theory(bounded, {}, [Bounds(o.lower, o.upper) for o in optima])
    tree = Search(bounded, theory, {}, clock).decide()
    if not isinstance(tree, tuple):
        raise RuntimeError("the optima do not lie between their own bounds")
    accept(refutation(context, bounded, theory, optima, tree, "optima", "bounds of the optima"))


def _optima_note(query: Query, optima: list[Optimum]) -> str | None:
    parts = []
    for wanted, o in zip(query.optima, optima, strict=True):
        low, high = counterexample.short(fraction(o.lower)), counterexample.short(fraction(o.upper))
        parts.append(f"{wanted.text} = {low}" if o.lower == o.upper else f"{wanted.text} between {low} and {high}")
    return ", ".join(parts) or None


def stated_claim(context: Context, statement: Claim | Find, clock: Clock) -> dict[str, Any]:
    """What a proof of the statement must claim, and in which worlds; no proving."""
    body = statement.body
    if not isinstance(body, Quantified):
        raise TypeError("a claim about policies")
    builder = Builder(context.spec, body.variables)
    unknown = interval(statement) if isinstance(statement, Find) else None
    query = builder.query("find" if unknown else body.kind, builder.skeleton(body.body), unknown)
    document = Document(context, query)
    for name, type in query.named:
        document.named.append((name, type, context.controller(name, clock)))
    kind = "find" if unknown else body.kind
    return document.finish(document.claim(statement.name, kind, statement.text), [], {})

