"""`maximize J subject to P`: one policy that attains the optimum, chosen deterministically."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from dsl.diagnostic import Diagnostic, SpecError
from dsl.spec import And, Compare, Formula, Linear, Not, OptimalPolicy, Optimum, Or, Policy, Unknown, Value
from prover.flint import fraction
from prover.policies.context import Context
from prover.policies.controller import Controller
from prover.policies.optimum import NoPolicyFoundError
from prover.policies.query import Builder, Interval

SELF = "self"
BOUND = "value"


def optimal(context: Context, policy: Policy, body: OptimalPolicy, clock: Callable[[], None]) -> Controller:
    """Finds the extremum v of the score among the policies that satisfy the property, then a policy that reaches v.

    The extremum is the threshold up to which "no such policy scores better than v" fails: the same search as a claim.
    SpecError E515 if no policy satisfies the property, or none attains the supremum.
    """
    from prover.policies.decide import Found, decide, find
    from prover.policies.modulo import Counterexample

    if body.subject_to is None:
        return _free(context, policy, body, clock)
    sign = Fraction(1) if body.kind == "max" else Fraction(-1)
    # For all pi: P(pi) => sign * J(pi) <= v, minimal in v: the constrained extremum.
    builder = Builder(context.spec, ((SELF, policy.type),))
    score = Linear((*((sign * c, t) for c, t in body.body.terms), (Fraction(-1), Unknown(BOUND))), sign * body.body.constant)
    claim: Formula = Or((Not(body.subject_to), Compare("<=", score, body.text)))
    query = builder.query("find", builder.skeleton(claim), Interval(BOUND, None, False, None, False, "minimal"))
    found = find(context, query, clock)
    if not isinstance(found, Found) or not found.exact:
        reason = found.reason if hasattr(found, "reason") else "the search did not settle"
        raise SpecError([_error(policy, f"no optimal policy was found for `{policy.name}`: {reason}")])
    if found.value is None:
        raise SpecError([_error(policy, f"no policy satisfies what `{policy.name}` is subject to")])
    value = fraction(found.value)
    # A policy with P and sign * J >= v: the counterexample to its absence.
    builder = Builder(context.spec, ((SELF, policy.type),))
    reached = Linear(tuple((-sign * c, t) for c, t in body.body.terms), value - sign * body.body.constant)
    query = builder.query("forall", builder.skeleton(Not(And((body.subject_to, Compare("<=", reached, body.text))))))
    outcome = decide(context, query, clock).outcome
    if not isinstance(outcome, Counterexample):
        raise SpecError(
            [_error(policy, f"the supremum {sign * value} of `{policy.name}` is not attained by any policy that satisfies the property")]
        )
    return outcome.controllers[SELF]


def _free(context: Context, policy: Policy, body: OptimalPolicy, clock: Callable[[], None]) -> Controller:
    """Without a property: the policy that the optimum itself was found with."""
    from prover.policies.decide import stage

    terms: list[tuple[Fraction, object]] = []
    for c, term in body.body.terms:
        if not isinstance(term, Value):
            raise SpecError([_error(policy, f"the score of `{policy.name}` must be a linear function of its objectives")])
        terms.append((c, term.objective))
    optimum = Optimum(body.kind, policy.type, tuple(terms), body.body.constant, body.text)  # type: ignore[arg-type]
    builder = Builder(context.spec, ())
    skeleton = builder.skeleton(Compare("<=", Linear(((Fraction(1), optimum),), Fraction(0)), body.text))
    if skeleton == ("true",) or not builder.optima:
        raise SpecError([_error(policy, f"the score of `{policy.name}` is constant")])
    query = builder.query("forall", skeleton)
    depth = max((s.steps for s in query.streams if s.kind == "horizon"), default=0)
    try:
        reached = stage(context, query, depth, clock, None).optima[0]
    except NoPolicyFoundError as reason:
        raise SpecError([_error(policy, str(reason))]) from None
    if reached.lower != reached.upper:
        raise SpecError(
            [_error(policy, f"the optimum of `{policy.name}` is only known to lie between {reached.lower} and {reached.upper}")]
        )
    return reached.attained


def _error(policy: Policy, message: str) -> Diagnostic:
    return Diagnostic("E515", policy.span, message, "relax the property, or name the policy by a table")
