"""What a statement about training may rest on.

The evidence of T belongs to T, which the statement names.  Without ``by`` everything before the statement may be used, and
storey 1 is asked directly.  With ``by`` only the claims and assumptions named, and what they rest on: then an impossible
combination of events has to follow from the bodies of these claims by propositional logic and linear arithmetic.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, product

from dsl.spec import Assume, Claim, MeasureFormula, PolicyType, Quantified, Spec
from prover.flint import fmpq, rational
from prover.policies.modulo import mixes
from prover.policies.query import Builder, Inequality, OptimumOf, OptimumQuery, Skeleton, ValueOf, implicants
from prover.solve import lp
from prover.training.vocabulary import SELF, renamed
from prover.verdict import Holds, Proved, Verdict

MAX_CLAUSES = 2_000
MAX_INSTANCES = 64


@dataclass
class Permission:
    """``claims``: what implies impossible combinations (None: storey 1 itself); ``measures``: the claims about training that are named."""

    claims: list[tuple[str, Quantified]] | None
    assumptions: list[Assume] = field(default_factory=list)
    measures: list[MeasureFormula] = field(default_factory=list)


def permission(spec: Spec, statement: Claim, established: Mapping[str, Verdict] | None) -> Permission:
    """``established`` None: every claim counts as proved (what a statement may name does not depend on that)."""
    before = list(spec.statements[: spec.statements.index(statement)])
    if statement.by is None:
        return Permission(None, [s for s in before if isinstance(s, Assume)])
    found = Permission([])
    seen: set[str] = set()
    todo = list(statement.by)
    known = {s.name: s for s in spec.statements if isinstance(s, (Claim, Assume))}
    for name in todo:
        item = known.get(name)
        if item is None or name in seen:
            continue
        seen.add(name)
        if isinstance(item, Assume):
            found.assumptions.append(item)
            continue
        verdict = None if established is None else established.get(name)
        earlier = spec.statements[: spec.statements.index(item)]
        todo += [s.name for s in earlier if isinstance(s, Assume)] if item.by is None else item.by
        if not isinstance(item.body, Quantified):
            found.measures.append(item.body)
            proof = verdict.proof if isinstance(verdict, (Proved, Holds)) else None
            if item.by is None and isinstance(proof, dict) and proof["evidence"]["argument"].get("impossible"):
                todo += [s.name for s in earlier if isinstance(s, Claim) and isinstance(s.body, Quantified)]
        elif established is None or isinstance(verdict, (Proved, Holds)):
            assert found.claims is not None
            found.claims.append((name, item.body))
    return found


def proved_claims(spec: Spec, established: Mapping[str, Verdict]) -> list[tuple[str, Quantified]]:
    """Every claim about policies that is proved."""
    return [
        (s.name, s.body)
        for s in spec.statements
        if isinstance(s, Claim) and isinstance(s.body, Quantified) and isinstance(established.get(s.name), (Proved, Holds))
    ]


def covers(claimed: PolicyType, type: PolicyType) -> bool:
    """Is every policy of ``type`` a policy of ``claimed``?  (Errs towards no.)"""
    return claimed.world == type.world and (claimed.name == type.name or mixes(claimed))


def instances(builder: Builder, body: Quantified, type: PolicyType) -> Iterator[Skeleton]:
    """The claim with the policy drawn from T, or named policies, in the place of its variables."""
    if body.kind != "forall":
        return
    choices: list[list[str]] = []
    for _, over in body.variables:
        wide = builder.spec.policy_type(over)
        options = [SELF] if covers(wide, type) else []
        options += [name for name, named in builder.named.items() if covers(wide, builder.spec.policy_type(named))]
        choices.append(options)
    for names in islice(product(*choices), MAX_INSTANCES):
        yield builder.skeleton(renamed(body.body, dict(zip([variable for variable, _ in body.variables], names, strict=True))))


def follows(builder: Builder, premises: Iterable[Skeleton], literals: Sequence[Skeleton], type: PolicyType) -> bool:
    """Do the premises exclude that all the literals hold?  By linear arithmetic over values and optima, whatever the world."""
    clauses = implicants(("and", *literals, *premises), True, MAX_CLAUSES)
    if clauses is None:
        return False
    return all(_contradictory(builder, [(builder.inequalities[i], holds) for i, holds in clause], type) for clause in clauses)


def _contradictory(builder: Builder, literals: Sequence[tuple[Inequality, bool]], type: PolicyType) -> bool:
    rows = [_row(inequality, holds) for inequality, holds in literals]
    columns = {column for row in rows for column in row.coefficients}
    for column in columns:
        if isinstance(column, ValueOf) and builder.streams[column.stream].kind in ("probability", "recurrence"):
            rows.append(lp.Row({column: fmpq(-1)}, fmpq(0), "<="))
            rows.append(lp.Row({column: fmpq(1)}, fmpq(-1), "<="))
        if isinstance(column, OptimumOf) and builder.optima[column.index].over == type.name:
            rows.append(_at_best(builder.optima[column.index], column))
    return isinstance(lp.feasible(rows), lp.Infeasible)


def _at_best(optimum: OptimumQuery, column: OptimumOf) -> lp.Row[ValueOf | OptimumOf]:
    """The drawn policy does not exceed the maximum (or fall below the minimum)."""
    sign = fmpq(1) if optimum.kind == "max" else fmpq(-1)
    total: dict[ValueOf | OptimumOf, fmpq] = {ValueOf(stream, SELF): sign * rational(c) for c, stream in optimum.body}
    total[column] = -sign
    return lp.Row(total, sign * rational(optimum.constant), "<=")


def _row(inequality: Inequality, holds: bool) -> lp.Row[ValueOf | OptimumOf]:
    sign = fmpq(1) if holds else fmpq(-1)
    op = inequality.op if holds else ("<=" if inequality.op == "<" else "<")
    total = {term: sign * rational(c) for c, term in inequality.terms if isinstance(term, (ValueOf, OptimumOf))}
    return lp.Row(total, sign * rational(inequality.constant), op)

