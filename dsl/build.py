"""Reductions -> nodes of dsl.syntax: one function per rule of the grammar, in the order of the grammar.

A function gets the values of the right side: tokens that the rule names, nodes, tuples of nodes, None for what is absent.
What the grammar cannot say about one node alone (a prime on an assignment, the sign of a weight) is reported here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from dsl import syntax
from dsl.diagnostic import Diagnostic
from dsl.lexer import Token
from dsl.source import Span

Extent = tuple[Token, Token] | None

# Rules that put a level of nesting into the tree.
DEEPENING = frozenset(
    {
        *("binary", "chain", "until", "bounded_until", "unary", "temporal", "bounded_temporal", "comparison", "member", "set"),
        *("if", "quantifier", "parenthesised", "prime", "call", "index", "measure", "path_probability", "expected_reward", "family"),
    }
)


class Builder:
    """Makes the nodes of one file."""

    def __init__(self, file: str, diagnostics: list[Diagnostic]) -> None:
        self.file = file
        self.diagnostics = diagnostics
        self.primed: dict[int, syntax.Assignment] = {}  # the assignments whose target bears a prime; kept, so that no id is used twice

    def span(self, first: Token, last: Token) -> Span:
        return Span(self.file, first.line, first.column, last.end_line, last.end_column)

    def over(self, extent: Extent) -> Span:
        return Span(self.file, 1, 1, 1, 1) if extent is None else self.span(*extent)

    def report(self, code: str, span: Span, message: str, hint: str | None = None) -> None:
        self.diagnostics.append(Diagnostic(code, span, message, hint))


# ---------------------------------------------------------------- the file, constants and functions


def _start(b: Builder, c: list[Any], e: Extent) -> syntax.File:
    return syntax.File(tuple(c), b.over(e))


def _const(b: Builder, c: list[Any], e: Extent) -> syntax.Const:
    return syntax.Const(c[0], c[1], c[2], b.over(e))


def _grid(b: Builder, c: list[Any], e: Extent) -> syntax.GridLiteral:
    text = c[0].text[3:-3].replace("\r\n", "\n")
    lines = [line.rstrip() for line in text.split("\n")]
    if lines and not lines[0]:
        del lines[0]
    if lines and not lines[-1]:
        del lines[-1]
    margin = min((len(line) - len(line.lstrip()) for line in lines if line), default=0)
    return syntax.GridLiteral(text, tuple(line[margin:] for line in lines), b.over(e))


def _def(b: Builder, c: list[Any], e: Extent) -> syntax.Def:
    return syntax.Def(c[0], c[1], c[2], c[3], b.over(e))


def _enum(b: Builder, c: list[Any], e: Extent) -> syntax.EnumType:
    return syntax.EnumType(c[0], c[1], b.over(e))


def _param(b: Builder, c: list[Any], e: Extent) -> syntax.Param:
    return syntax.Param(c[0], c[1], b.over(e))


def _parameter(b: Builder, c: list[Any], e: Extent) -> syntax.Parameter:
    return syntax.Parameter(c[0], c[1], b.over(e))


def _interval(b: Builder, c: list[Any], e: Extent) -> syntax.Interval:
    return syntax.Interval(c[1], c[0].type == "LSQB", c[2], c[3].type == "RSQB", b.over(e))


def _range(b: Builder, c: list[Any], e: Extent) -> syntax.Range:
    return syntax.Range(c[0], c[1], b.over(e))


def _present(b: Builder, c: list[Any], e: Extent) -> tuple[Any, ...]:  # noqa: ARG001
    """A list that stands for itself: names, arguments, parameters, indices, outcomes."""
    return tuple(child for child in c if child is not None)


# ---------------------------------------------------------------- worlds


def _world(b: Builder, c: list[Any], e: Extent) -> syntax.World:
    return syntax.World(c[0], c[1] or (), _present(b, c[2:], e), b.over(e))


def _variable(b: Builder, c: list[Any], e: Extent) -> syntax.Variable:
    return syntax.Variable(c[0], c[1] or (), c[2], c[3], b.over(e))


def _action(b: Builder, c: list[Any], e: Extent) -> syntax.Action:
    for outcome in c[3]:
        for assignment in outcome.assignments:
            if id(assignment) not in b.primed:
                name = _spelling(assignment.target)
                b.report("E118", assignment.target.span, f"an action sets the next value of `{name}`", f"write `{name}' = ...`")
    return syntax.Action(c[0], c[1] or (), c[2], c[3], b.over(e))


def _label(b: Builder, c: list[Any], e: Extent) -> syntax.Label:
    return syntax.Label(c[0], c[1] or (), c[2], b.over(e))


def _reward(b: Builder, c: list[Any], e: Extent) -> syntax.Reward:
    return syntax.Reward(c[0], c[1] or (), _present(b, c[2:], e), b.over(e))


def _init_outcomes(b: Builder, c: list[Any], e: Extent) -> syntax.InitOutcomes:
    for outcome in c[0]:
        for assignment in outcome.assignments:
            if id(assignment) in b.primed:
                name = _spelling(assignment.target)
                b.report("E118", assignment.target.span, f"`init` has no step, so `{name}` takes no prime", f"write `{name} = ...`")
    return syntax.InitOutcomes(c[0], b.over(e))


def _init_uniform(b: Builder, c: list[Any], e: Extent) -> syntax.InitUniform:
    return syntax.InitUniform(c[1], b.over(e))


def _deadlock(b: Builder, c: list[Any], e: Extent) -> syntax.Deadlock:  # noqa: ARG001
    return syntax.Deadlock(b.over(e))


def _family(b: Builder, c: list[Any], e: Extent) -> syntax.Family:
    return syntax.Family(c[0], _present(b, c[1:], e), b.over(e))


def _outcome(b: Builder, c: list[Any], e: Extent) -> syntax.Outcome:
    _unsigned(b, c[0])
    effects = () if isinstance(c[1], Token) else tuple(c[1:])
    return syntax.Outcome(c[0], effects, b.over(e))


def _assignment(b: Builder, c: list[Any], e: Extent) -> syntax.Assignment:
    assignment = syntax.Assignment(c[0], c[-1], b.over(e))
    if len(c) == 3:  # the prime of the target is the second child
        b.primed[id(assignment)] = assignment
    return assignment


def _clause(b: Builder, c: list[Any], e: Extent) -> syntax.RewardClause:
    return syntax.RewardClause(c[0], c[1], c[2], b.over(e))


def _bare_clause(b: Builder, c: list[Any], e: Extent) -> syntax.RewardClause:
    return syntax.RewardClause(None, None, c[0], b.over(e))


def _composition(b: Builder, c: list[Any], e: Extent) -> syntax.WorldComposition:
    return syntax.WorldComposition(c[0], c[1] or (), tuple(c[2:]), b.over(e))


def _instance(b: Builder, c: list[Any], e: Extent) -> syntax.Instance:
    return syntax.Instance(c[0], c[1] or (), c[3], b.over(e))


def _world_import(b: Builder, c: list[Any], e: Extent) -> syntax.WorldImport:
    return syntax.WorldImport(c[0], c[1].text, _text(b, c[2]), _present(b, c[3:], e), b.over(e))


def _setting(b: Builder, c: list[Any], e: Extent) -> syntax.Setting:
    return syntax.Setting(c[0], c[1], b.over(e))


# ---------------------------------------------------------------- policies


def _policy_type(b: Builder, c: list[Any], e: Extent) -> syntax.PolicyType:
    return syntax.PolicyType(c[0], c[2], _present(b, c[3:], e), b.over(e))


def _restriction(b: Builder, c: list[Any], e: Extent) -> syntax.Restriction:
    kind = c[0].text
    memory = c[1] if kind == "memory" else None
    observed = tuple(c[1:]) if kind == "observes" else ()
    return syntax.Restriction(kind, memory, observed, b.over(e))


def _policy(b: Builder, c: list[Any], e: Extent) -> syntax.Policy:
    return syntax.Policy(c[0], c[1], c[2], b.over(e))


def _optimal(b: Builder, c: list[Any], e: Extent) -> syntax.Optimal:
    return syntax.Optimal(c[0].text, c[1], c[4], b.over(e))


def _policy_file(b: Builder, c: list[Any], e: Extent) -> syntax.PolicyFile:
    return syntax.PolicyFile(_text(b, c[1]), b.over(e))


def _table(b: Builder, c: list[Any], e: Extent) -> syntax.Table:
    for rule in c[:-1]:
        if rule.guard is None:
            b.report("E119", rule.span, "`else` is the last rule of a table", "the rules after it would never decide")
    return syntax.Table(tuple(c), b.over(e))


def _when_rule(b: Builder, c: list[Any], e: Extent) -> syntax.PolicyRule:
    return syntax.PolicyRule(c[0], c[1], b.over(e))


def _else_rule(b: Builder, c: list[Any], e: Extent) -> syntax.PolicyRule:
    return syntax.PolicyRule(None, c[0], b.over(e))


def _randomised(b: Builder, c: list[Any], e: Extent) -> syntax.Randomised:
    return syntax.Randomised(tuple(c), b.over(e))


def _weighted(b: Builder, c: list[Any], e: Extent) -> syntax.WeightedReference:
    _unsigned(b, c[0])
    return syntax.WeightedReference(c[0], c[1], b.over(e))


def _score(b: Builder, c: list[Any], e: Extent) -> syntax.Score:
    return syntax.Score(c[0], c[1], c[2], b.over(e))


def _property(b: Builder, c: list[Any], e: Extent) -> syntax.Property:
    return syntax.Property(c[0], c[1], c[2], b.over(e))


# ---------------------------------------------------------------- training


def _training(b: Builder, c: list[Any], e: Extent) -> syntax.Training:
    return syntax.Training(c[0], c[1], _present(b, c[2:], e), b.over(e))


def _mixture(b: Builder, c: list[Any], e: Extent) -> syntax.Mixture:
    return syntax.Mixture(tuple(c[1:]), b.over(e))


def _runs(b: Builder, c: list[Any], e: Extent) -> syntax.Runs:
    return syntax.Runs(_text(b, c[1]), c[3], b.over(e))


def _samples(b: Builder, c: list[Any], e: Extent) -> syntax.Samples:
    return syntax.Samples(c[1], c[3], c[5], c[7], b.over(e))


def _later(b: Builder, c: list[Any], e: Extent) -> syntax.LaterEvidence:
    return syntax.LaterEvidence(c[0].text, tuple(c[1:]), b.over(e))


def _distribution(b: Builder, c: list[Any], e: Extent) -> syntax.Distribution:
    return syntax.Distribution(c[0], c[2], tuple(c[3:]), b.over(e))


def _situation(b: Builder, c: list[Any], e: Extent) -> syntax.Situation:
    _unsigned(b, c[0])
    return syntax.Situation(c[0], c[1], b.over(e))


# ---------------------------------------------------------------- statements


def _claim(b: Builder, c: list[Any], e: Extent) -> syntax.Claim:
    return syntax.Claim(c[0], c[1], b.over(e))


def _theorem(b: Builder, c: list[Any], e: Extent) -> syntax.Theorem:
    return syntax.Theorem(c[0], c[1], c[3], b.over(e))


def _find(b: Builder, c: list[Any], e: Extent) -> syntax.Find:
    return syntax.Find(c[0], c[1], c[2].text, c[3], b.over(e))


def _assume(b: Builder, c: list[Any], e: Extent) -> syntax.Assume:
    return syntax.Assume(c[0], c[1], _text(b, c[3]), b.over(e))


def _import(b: Builder, c: list[Any], e: Extent) -> syntax.Import:
    return syntax.Import(_text(b, c[0]), b.over(e))


# ---------------------------------------------------------------- expressions


def _binary(b: Builder, c: list[Any], e: Extent) -> syntax.Binary:
    return syntax.Binary(c[1].text, c[0], c[2], b.over(e))


def _chain(b: Builder, c: list[Any], e: Extent) -> syntax.Chain:
    return syntax.Chain(tuple(token.text for token in c[1::2]), tuple(c[0::2]), b.over(e))


def _comparison(b: Builder, c: list[Any], e: Extent) -> syntax.Comparison:
    return syntax.Comparison(tuple(token.text for token in c[1::2]), tuple(c[0::2]), b.over(e))


def _until(b: Builder, c: list[Any], e: Extent) -> syntax.Until:
    return syntax.Until(c[0], c[1], None, b.over(e))


def _bounded_until(b: Builder, c: list[Any], e: Extent) -> syntax.Until:
    return syntax.Until(c[0], c[3], c[2], b.over(e))


def _unary(b: Builder, c: list[Any], e: Extent) -> syntax.Unary:
    return syntax.Unary(c[0].text, c[1], b.over(e))


def _temporal(b: Builder, c: list[Any], e: Extent) -> syntax.Temporal:
    return syntax.Temporal(c[0].text, None, c[1], b.over(e))


def _bounded_temporal(b: Builder, c: list[Any], e: Extent) -> syntax.Temporal:
    return syntax.Temporal(c[0].text, c[2], c[3], b.over(e))


def _member(b: Builder, c: list[Any], e: Extent) -> syntax.Member:
    return syntax.Member(c[0], c[1], b.over(e))


def _set(b: Builder, c: list[Any], e: Extent) -> syntax.SetLiteral:
    return syntax.SetLiteral(tuple(c), b.over(e))


def _if(b: Builder, c: list[Any], e: Extent) -> syntax.If:
    return syntax.If(c[0], c[1], c[2], b.over(e))


def _quantifier(b: Builder, c: list[Any], e: Extent) -> syntax.Quantifier:
    return syntax.Quantifier(c[0].text, tuple(c[1:-1]), c[-1], b.over(e))


def _binder(b: Builder, c: list[Any], e: Extent) -> syntax.Binder:
    return syntax.Binder(c[0], c[1].text, c[2], b.over(e))


def _parenthesised(b: Builder, c: list[Any], e: Extent) -> syntax.Expr:  # noqa: ARG001
    inner: syntax.Expr = c[0]
    return inner


def _prime(b: Builder, c: list[Any], e: Extent) -> syntax.Prime:
    return syntax.Prime(c[0], b.over(e))


def _call(b: Builder, c: list[Any], e: Extent) -> syntax.Call:
    return syntax.Call(c[0], c[1], b.over(e))


def _index(b: Builder, c: list[Any], e: Extent) -> syntax.Index:
    return syntax.Index(c[0], tuple(c[1:]), b.over(e))


def _measure(b: Builder, c: list[Any], e: Extent) -> syntax.Measure:
    return syntax.Measure(c[0].text[0], c[1], c[2], c[3], c[4], b.over(e))


def _path_probability(b: Builder, c: list[Any], e: Extent) -> syntax.PathProbability:
    return syntax.PathProbability(c[1], b.over(e))


def _expected_reward(b: Builder, c: list[Any], e: Extent) -> syntax.ExpectedReward:
    return syntax.ExpectedReward(c[1], c[2], b.over(e))


def _mode(b: Builder, c: list[Any], e: Extent) -> syntax.Mode:
    return syntax.Mode(c[0].text, c[1] if len(c) > 1 else None, b.over(e))


def _qualified(b: Builder, c: list[Any], e: Extent) -> syntax.Qualified:
    return syntax.Qualified(tuple(c), b.over(e))


def _number(b: Builder, c: list[Any], e: Extent) -> syntax.Number:
    text = c[0].text
    return syntax.Number(text, number_value(text), text.replace("_", "").isdigit(), b.over(e))


def _string(b: Builder, c: list[Any], e: Extent) -> syntax.Text:  # noqa: ARG001
    return _text(b, c[0])


def _true(b: Builder, c: list[Any], e: Extent) -> syntax.Boolean:  # noqa: ARG001
    return syntax.Boolean(True, b.over(e))


def _false(b: Builder, c: list[Any], e: Extent) -> syntax.Boolean:  # noqa: ARG001
    return syntax.Boolean(False, b.over(e))


def _name(b: Builder, c: list[Any], e: Extent) -> syntax.Name:
    quoted = c[0].type == "QUOTED"
    return syntax.Name(c[0].text[1:-1] if quoted else c[0].text, quoted, b.over(e))


# ---------------------------------------------------------------- parts of nodes


def number_value(text: str) -> Fraction:
    """What a NUMBER token means, exactly; the lexer has capped its digits and exponent."""
    digits, _, exponent = text.rstrip("%").replace("_", "").lower().partition("e")
    whole, _, decimals = digits.partition(".")
    power = int(exponent or "0") - len(decimals) - (2 if text.endswith("%") else 0)
    mantissa = int(whole + decimals)
    return Fraction(mantissa * 10**power) if power >= 0 else Fraction(mantissa, 10**-power)


def _text(b: Builder, token: Token | syntax.Text) -> syntax.Text:
    if isinstance(token, syntax.Text):
        return token
    return syntax.Text(token.text, re.sub(r"\\(.)", r"\1", token.text[1:-1]), b.span(token, token))


def _spelling(target: syntax.Reference) -> str:
    if isinstance(target, syntax.Index):
        return f"{_spelling(target.base)}[...]"  # type: ignore[arg-type]
    return "::".join(part.name for part in target.parts) if isinstance(target, syntax.Qualified) else target.name


def _unsigned(b: Builder, weight: syntax.Expr | None) -> None:
    """A weight does not start with a minus: a probability would be negative."""
    node: Any = weight
    while True:
        if isinstance(node, syntax.Chain | syntax.Comparison):
            node = node.operands[0]
        elif isinstance(node, syntax.Binary | syntax.Until):
            node = node.left
        else:
            break
    if isinstance(node, syntax.Unary) and node.op == "-":
        b.report("E120", node.span, "a weight does not begin with a minus", "weights are probabilities, 0 or more")


BUILDERS: dict[str, Callable[[Builder, list[Any], Extent], Any]] = {
    "start": _start,
    "const": _const,
    "grid": _grid,
    "def": _def,
    "enum": _enum,
    "param": _param,
    "parameter": _parameter,
    "interval": _interval,
    "range": _range,
    "world": _world,
    "variable": _variable,
    "action": _action,
    "label": _label,
    "reward": _reward,
    "init_outcomes": _init_outcomes,
    "init_uniform": _init_uniform,
    "deadlock": _deadlock,
    "family": _family,
    "outcome": _outcome,
    "assignment": _assignment,
    "clause": _clause,
    "bare_clause": _bare_clause,
    "composition": _composition,
    "instance": _instance,
    "world_import": _world_import,
    "setting": _setting,
    "policy_type": _policy_type,
    "restriction": _restriction,
    "policy": _policy,
    "optimal": _optimal,
    "policy_file": _policy_file,
    "table": _table,
    "when_rule": _when_rule,
    "else_rule": _else_rule,
    "randomised": _randomised,
    "weighted": _weighted,
    "score": _score,
    "property": _property,
    "training": _training,
    "mixture": _mixture,
    "runs": _runs,
    "samples": _samples,
    "later": _later,
    "distribution": _distribution,
    "situation": _situation,
    "claim": _claim,
    "theorem": _theorem,
    "find": _find,
    "assume": _assume,
    "import": _import,
    "binary": _binary,
    "chain": _chain,
    "comparison": _comparison,
    "until": _until,
    "bounded_until": _bounded_until,
    "unary": _unary,
    "temporal": _temporal,
    "bounded_temporal": _bounded_temporal,
    "member": _member,
    "set": _set,
    "if": _if,
    "quantifier": _quantifier,
    "binder": _binder,
    "parenthesised": _parenthesised,
    "prime": _prime,
    "call": _call,
    "index": _index,
    "measure": _measure,
    "path_probability": _path_probability,
    "expected_reward": _expected_reward,
    "mode": _mode,
    "qualified": _qualified,
    "number": _number,
    "string": _string,
    "true": _true,
    "false": _false,
    "name": _name,
    "names": _present,
    "arguments": _present,
    "parameters": _present,
    "indices": _present,
    "outcomes": _present,
    "loops": _present,
    "loop": _binder,
}
