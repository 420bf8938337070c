"""Scores, properties and objectives applied to policies -> terms and statements about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from fractions import Fraction

from dsl import affine, spec, syntax
from dsl.affine import Affine, Known, Number, Quantity, Statement
from dsl.check_objective import check_objective
from dsl.operators import IllTyped
from dsl.record import dataclass
from dsl.scope import BUILT_IN_NAMES, PolicyFunction, Scope
from dsl.semantics import show
from dsl.source import Span

SELF = "self"  # the one policy that a score, a property, an event or an optimal policy speaks of
MAX_STATEMENT = 20_000  # nodes of a statement, properties expanded
MAX_DEPTH = 200


@dataclass(frozen=True, slots=True)
class Roles:
    """Where a formula stands: which policies it may speak of besides those that have a declaration."""

    scope: Scope
    bound: Mapping[str, tuple[str, str | None]] = field(default_factory=dict)  # as written -> (as in the Spec, policy type)
    implicit: str | None = None  # the type of the policy that a bare objective, score or property speaks of
    unknown: str | None = None  # the variable of a `find`
    measures: bool = False  # whether `P[pi ~ T](...)` may stand here


# ---------------------------------------------------------------- policies


def policy(node: syntax.Expr, roles: Roles) -> tuple[str, spec.PolicyType] | None:
    """A policy by its name: what the Spec calls it, and its type."""
    scope = roles.scope
    if not isinstance(node, syntax.Name):
        raise IllTyped("E209", node.span, "a policy is needed here, by its name")
    if node.name in roles.bound:
        internal, type = roles.bound[node.name]
    elif node.name in scope.policies:
        internal, type = node.name, scope.policies[node.name]
    else:
        kind = scope.kind(node.name)
        if kind is not None:
            raise IllTyped("E209", node.span, f"`{node.name}` is {kind}, not a policy")
        hint = scope.similar(node.name, [*roles.bound, *scope.policies])
        if hint is None and not roles.bound and scope.policy_types and (roles.measures or roles.unknown is not None):
            hint = f"put `forall {node.name} : {next(iter(scope.policy_types))}.` in front"
        raise IllTyped("E201", node.span, f"`{node.name}` is not a policy", hint)
    known = None if type is None else scope.policy_types[type]
    return None if known is None else (internal, known)


def want_free(name: syntax.Name, roles: Roles) -> None:
    """A bound policy is called like nothing a formula could mean (the names of claims never stand in formulas)."""
    declaration = roles.scope.declarations.get(name.name)
    statement = isinstance(declaration, (syntax.Claim, syntax.Theorem, syntax.Find, syntax.Assume))
    taken = name.name in BUILT_IN_NAMES or (roles.scope.kind(name.name) is not None and not statement)
    if taken or name.name in roles.bound or name.name == roles.unknown:
        raise IllTyped("E202", name.span, f"`{name.name}` already has a meaning here", "choose another name for the policy")


def bound_type(quantifier: str, binder: syntax.Binder, scope: Scope) -> str | None:
    """None if the type has an error of its own."""
    domain = binder.domain
    if binder.relation != ":" and isinstance(domain, syntax.Name) and domain.name in scope.policy_types:
        bound = ", ".join(name.name for name in binder.names)
        hint = f"write `{quantifier} {bound} : {domain.name}.`"
        raise IllTyped("E209", binder.span, f"`{domain.name}` is a policy type: a policy is bound with `:`, not with `in`", hint)
    if binder.relation != ":" or not isinstance(domain, syntax.Name):
        hint = "quantify over policies: `forall pi : Pi. ...`"
        raise IllTyped("E490", domain.span, "a quantifier over numbers is not supported yet", hint)
    if domain.name not in scope.policy_types:
        kind = scope.kind(domain.name)
        if kind is not None:
            raise IllTyped("E209", domain.span, f"`{domain.name}` is {kind}, not a policy type")
        raise IllTyped("E201", domain.span, f"`{domain.name}` is not a policy type", scope.similar(domain.name, scope.policy_types))
    type = scope.policy_types[domain.name]
    return None if type is None else type.name


def implicit(roles: Roles) -> spec.PolicyType | None:
    return None if roles.implicit is None else roles.scope.policy_types[roles.implicit]


def same_world(function: PolicyFunction, type: spec.PolicyType, scope: Scope, span: Span) -> bool:
    """A score speaks of the policies of one world."""
    own = scope.policy_types[function.type]
    if own is None:
        return False
    if own.world != type.world:
        message = f"`{function.name}` speaks of policies over world {own.world}, but this is a policy over world {type.world}"
        raise IllTyped("E405", span, message)
    return True


# ---------------------------------------------------------------- scores and properties


def functional(node: syntax.Expr, type: spec.PolicyType | None, scope: Scope) -> PolicyFunction | None:
    """What can be maximised: a score by its name, or an objective of the world of ``type``."""
    match node:
        case syntax.Name(name=name) if name in scope.scores:
            return scope.scores[name]
        case syntax.ExpectedReward() | syntax.PathProbability():
            if type is None:
                hint = "declare it as a score, and use its name"
                raise IllTyped("E405", node.span, "this objective does not say over which policies", hint)
            world = scope.world_names[type.world]
            objective = None if world is None else check_objective(node, world, scope)
            if objective is None:
                return None
            return PolicyFunction(objective.text, type.name, affine.term(spec.Value(objective, SELF)))
    raise IllTyped("E413", node.span, "a score is needed here, by its name and without arguments", "write `max(J)`, not `max(J(pi))`")


def applied(function: PolicyFunction, internal: str, scope: Scope, span: Span) -> Number | Statement:
    """The body with the policy's name in place of ``self``."""

    def change(quantity: Quantity) -> Quantity:
        if isinstance(quantity, spec.Value) and quantity.policy == SELF:
            return spec.Value(quantity.objective, internal)
        return quantity

    if isinstance(function.body, Affine):
        scope.charge(len(function.body.terms), span)
        return affine.rewritten_affine(function.body, change)
    scope.charge(size_of(function.body), span)
    return affine.rewritten(function.body, change)


def own_terms(function: PolicyFunction, span: Span) -> tuple[tuple[tuple[Fraction, spec.Objective], ...], Fraction]:
    """The body of a score as a combination of objectives of the one policy."""
    terms: list[tuple[Fraction, spec.Objective]] = []
    if not isinstance(function.body, Affine):
        raise IllTyped("E413", span, f"`{function.name}` is a property; only a score has an optimum")
    for coefficient, quantity in function.body.terms:
        if not isinstance(quantity, spec.Value) or quantity.policy != SELF:
            message = f"`{function.name}` mentions another policy or another optimum, so its own optimum is not supported"
            raise IllTyped("E416", span, message)
        terms.append((coefficient, quantity.objective))
    return tuple(terms), function.body.constant


def optimum(kind: str, function: PolicyFunction, span: Span, text: str | None = None) -> Affine:
    """``max(J)`` or ``min(J)`` over the policy type that J is declared for."""
    terms, constant = own_terms(function, span)
    if not terms:
        return affine.number(constant)
    return affine.term(spec.Optimum(kind, function.type, terms, constant, text or f"{kind}({function.name})"))


def near_optimal(function: PolicyFunction, internal: str, eps: Number, scope: Scope, span: Span) -> Statement:
    """|J(pi) - max(J)| < eps: two strict comparisons."""
    value = applied(function, internal, scope, span)
    best = optimum("max", function, span)
    bound = affine.constant_of(eps)
    if bound is not None and bound < 0:
        message = f"no policy is that near to the optimum: |J(pi) - max(J)| < {show(bound)} is false for every policy"
        raise IllTyped("E406", span, message, "give a distance above 0; for a signed difference compare `J(pi)` with `max(J)` itself")
    if not isinstance(value, Affine):
        raise IllTyped("E413", span, f"`{function.name}` is a property; only a score has an optimum")
    gap = affine.add(value, affine.scale(Fraction(-1), best))
    return affine.compare("<", affine.Extreme("max", (gap, affine.scale(Fraction(-1), gap))), eps, scope.text(span))


def refuse_impossible_bound(probability: Number, bound: Number, span: Span) -> None:
    value = affine.constant_of(bound)
    if value is None or 0 <= value <= 1 or not isinstance(probability, Affine) or len(probability.terms) != 1:
        return
    coefficient, quantity = probability.terms[0]
    is_probability = isinstance(quantity, spec.ProbabilityOf) or (
        isinstance(quantity, spec.Value) and isinstance(quantity.objective, spec.Probability)
    )
    if is_probability and coefficient == 1 and probability.constant == 0:
        raise IllTyped("E407", span, f"a probability lies between 0 and 1, but it is compared with {show(value)}")


# ---------------------------------------------------------------- sizes


def size_of(statement: Statement) -> int:
    """Nodes and terms; counting stops soon after MAX_STATEMENT."""
    return measured(statement)[0]


def measured(statement: Statement) -> tuple[int, int]:
    size = depth = 0
    todo = [(statement, 1)]
    while todo and size <= MAX_STATEMENT and depth <= MAX_DEPTH:
        node, level = todo.pop()
        depth = max(depth, level)
        size += 1
        match node:
            case affine.Comparison(affine=Affine(terms=terms)):
                size += len(terms)
            case affine.Negation(arg=arg) | affine.Quantifier(body=arg):
                todo.append((arg, level + 1))
            case affine.Junction(args=args):
                todo.extend((arg, level + 1) for arg in args)
            case Known():
                pass
    return size, depth


def bounded(statement: Statement, span: Span) -> Statement:
    """The statement itself, or E410 if it has become too large or too deep."""
    size, depth = measured(statement)
    if size > MAX_STATEMENT:
        raise IllTyped("E410", span, f"this formula has more than {MAX_STATEMENT} parts, properties and cases written out")
    if depth > MAX_DEPTH:
        raise IllTyped("E410", span, f"this formula is nested more than {MAX_DEPTH} deep, properties and cases written out")
    return statement
