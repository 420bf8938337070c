"""Warnings that take a proof: implications whose premise nobody satisfies, or whose conclusion nobody can violate."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from dsl.diagnostic import Diagnostic
from dsl.spec import Claim, Find, Formula, Not, Or, Quantified, Spec
from prover.policies.context import Context
from prover.policies.decide import decide
from prover.policies.named import workspace
from prover.policies.query import Builder, TheUnknown

MAX_STATES = 20_000  # a lint must be quick; larger worlds are left alone


def idle_claims(spec: Spec, path: Path) -> Iterator[Diagnostic]:
    """W904 and W910, in the order of the claims.  Raises SpecError where the world itself makes no sense."""
    context = workspace(spec, path.parent, max_states=MAX_STATES)
    for statement in spec.statements:
        body = statement.body
        if isinstance(statement, (Claim, Find)) and isinstance(body, Quantified) and body.kind == "forall" and body.variables:
            parts = _implication(body.body)
            if parts is None:
                continue
            premise, conclusion = parts
            if isinstance(statement, Claim) and _holds(context, body, Not(premise)):
                yield Diagnostic("W904", statement.span, f"no policy satisfies the premise of {statement.name}", "weaken the premise")
            elif _holds(context, body, conclusion):
                message = f"no policy can violate the conclusion of {statement.name}; its premise does no work"
                yield Diagnostic("W910", statement.span, message, "tighten the property, or claim it without the premise")


def _implication(formula: Formula) -> tuple[Formula, Formula] | None:
    """``A => B`` is written not A or B."""
    match formula:
        case Or((Not(premise), *rest)) if rest:
            return premise, rest[0] if len(rest) == 1 else Or(tuple(rest))
    return None


def _holds(context: Context, body: Quantified, formula: Formula) -> bool:
    """Proved for every policy; False where it mentions the variable of a find."""
    builder = Builder(context.spec, body.variables)
    query = builder.query("forall", builder.skeleton(formula))
    if any(isinstance(term, TheUnknown) for inequality in query.inequalities for _, term in inequality.terms):
        return False
    return isinstance(decide(context, query, _no_clock).outcome, tuple)


def _no_clock() -> None:
    """A lint has no deadline."""
