"""syntax.File -> canonical text: two spaces a level, at most one blank line, comments kept; ``parse(format(x)) == x``.

A block that the author wrote on one line stays there while it fits; a claim whose body began on a new line keeps that.
A comment stays if it has a line for itself between two items or ends the line of one; one from the middle of an item goes above it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from dsl import syntax
from dsl.layout import HARD, LINE, Break, Doc, Group, Nest, joined
from dsl.lexer import lex
from dsl.page import Page
from dsl.parse import grammar_table
from dsl.source import Source
from dsl.unparse import binder, expression, indexed, interval, name, parameters, reference, type_


def format(file: syntax.File, source: Source) -> str:
    """The canonical text of ``file``, which was parsed from ``source``."""
    formatter = _Formatter(Page(lex(source, grammar_table()).comments))
    formatter.page.items(file.declarations, formatter.declaration, (len(source.lines) + 1, 1))
    return "".join(f"{line}\n" for line in formatter.page.lines)


_Before = syntax.Name | syntax.Interval


class _Formatter:
    def __init__(self, page: Page) -> None:
        self.page = page

    def declaration(self, node: syntax.Declaration) -> None:
        page = self.page
        head: Doc
        match node:
            case syntax.Const(called, type, value):
                head = _annotated(f"const {name(called)}", type)
                page.leaf(
                    node, Group([head, f' = grid """{value.text}"""']) if isinstance(value, syntax.GridLiteral) else _defined(head, value)
                )
            case syntax.Def(called, given, result, body):
                page.leaf(node, _defined(Group([f"def {name(called)}", parameters(given), _annotated("", result)]), body))
            case syntax.EnumType(called, members):
                inside: list[Doc] = joined([name(member) for member in members], [",", LINE])
                page.leaf(node, Group([f"enum {name(called)} {{", Nest([LINE, *inside]), LINE, "}"]))
            case syntax.Param(called, limits):
                page.leaf(node, Group([f"param {name(called)} in ", interval(limits)]))
            case syntax.World(called, given, items):
                head = Group([f"world {name(called)}", parameters(given) if given else ""])
                page.block(node, head, items, _never_inline, self.world_item)
            case syntax.WorldComposition(called, given, instances):
                head = Group([f"world {name(called)}", parameters(given) if given else "", " ="])
                page.leaf(node, Group([head, Nest([LINE, *joined([_instance(each) for each in instances], [" ||", LINE])])]))
            case syntax.WorldImport(called, kind, path, ()):
                page.leaf(node, f"world {name(called)} = {kind} {path.text}")
            case syntax.WorldImport(called, kind, path, settings):
                page.block(node, f"world {name(called)} = {kind} {path.text}", settings, _setting, lambda s: page.leaf(s, _setting(s)))
            case syntax.PolicyType(called, world, ()):
                page.leaf(node, f"policies {name(called)} over {name(world)}")
            case syntax.PolicyType(called, world, restrictions):
                head = f"policies {name(called)} over {name(world)}"
                page.block(node, head, restrictions, _restriction, lambda r: page.leaf(r, _restriction(r)))
            case syntax.Policy():
                self.policy(node)
            case syntax.Score(called, given, body):
                page.leaf(node, _defined(Group([f"score {name(called)}", parameters(given)]), body))
            case syntax.Property(called, given, body):
                page.leaf(node, _defined(Group([f"property {name(called)}", parameters(given)]), body))
            case syntax.Training(called, of, evidence):
                page.block(node, f"training {name(called)} : {name(of)}", evidence, _evidence, self.evidence)
            case syntax.Distribution(called, world, situations):
                head = f"distribution {name(called)} over {name(world)}"
                page.block(node, head, situations, _situation, lambda s: page.leaf(s, _situation(s)))
            case syntax.Claim(called, body):
                self.statement(node, f"claim {name(called)}:", called, body, [])
            case syntax.Theorem(called, body, by):
                self.statement(node, f"theorem {name(called)}:", called, body, [] if by is None else [LINE, "by ", _names(by)])
            case syntax.Find(called, limits, kind, body):
                head = Group([f"find {name(called)} in ", interval(limits), f" {kind} for"])
                self.statement(node, head, limits, body, [])
            case syntax.Assume(called, body, because):
                self.statement(node, f"assume {name(called)}:", called, body, [LINE, f"because {because.text}"])
            case syntax.Import(path):
                page.leaf(node, f"import {path.text}")
            case _:
                assert_never(node)

    def statement(self, node: syntax.Declaration, head: Doc, before: _Before, body: syntax.Expr, rest: list[Doc]) -> None:
        """A claim and its kin; ``before`` is what stands before the body."""
        if body.span.line > before.span.end_line:
            self.page.headed(node, head, (body.span.line, body.span.column), [expression(body), *rest])
        else:
            self.page.leaf(node, Group([head, Nest([LINE, expression(body), *rest])]))

    def policy(self, node: syntax.Policy) -> None:
        head = f"policy {name(node.name)} : {name(node.type)} ="
        match node.body:
            case syntax.Table(rules):
                self.page.block(node, head, rules, _rule, lambda rule: self.page.leaf(rule, _rule(rule)))
            case syntax.Optimal(kind, objective, constraint):
                goal: list[Doc] = [f"{kind} ", expression(objective)]
                if constraint is not None:
                    goal += [LINE, "subject to ", expression(constraint)]
                self.page.leaf(node, Group([head, Nest([LINE, *goal])]))
            case syntax.PolicyFile(path):
                self.page.leaf(node, f"{head} file {path.text}")
            case _:
                assert_never(node.body)

    def world_item(self, node: syntax.WorldItem) -> None:
        page = self.page
        head: Doc
        match node:
            case syntax.Variable(called, indices, type, initial):
                head = Group(["var ", *indexed(name(called), indices), _annotated("", type)])
                page.leaf(node, head if initial is None else _defined(head, initial))
            case syntax.Action(called, indices, guard, outcomes):
                start: list[Doc] = ["action ", *indexed(name(called), indices)]
                head = Group(start if guard is None else [*start, " when ", expression(guard)])
                page.block(node, head, outcomes, _outcome, lambda outcome: page.leaf(outcome, _outcome(outcome)))
            case syntax.Label(called, indices, condition):
                page.leaf(node, _defined(Group(["label ", *indexed(name(called), indices)]), condition))
            case syntax.Reward(called, indices, clauses):
                head = Group(["reward ", *indexed(name(called), indices)])
                page.block(node, head, clauses, _clause, lambda clause: page.leaf(clause, _clause(clause)))
            case syntax.InitOutcomes(outcomes):
                page.block(node, "init", outcomes, _start, lambda outcome: page.leaf(outcome, _start(outcome)))
            case syntax.InitUniform(condition):
                page.leaf(node, Group(["init uniform ", Nest([expression(condition)])]))
            case syntax.Deadlock():
                page.leaf(node, "deadlock absorbs")
            case syntax.Family(binders, items):
                head = Group(["for ", *joined([binder(each) for each in binders], [", "])])
                page.block(node, head, items, _never_inline, self.world_item)
            case _:
                assert_never(node)

    def evidence(self, node: syntax.Evidence) -> None:
        if isinstance(node, syntax.Mixture):
            self.page.block(node, "mixture", node.parts, _weighted, lambda part: self.page.leaf(part, _weighted(part)))
        else:
            self.page.leaf(node, _evidence(node))


def _never_inline(item: syntax.WorldItem) -> Doc:  # noqa: ARG001
    return HARD


# ---------------------------------------------------------------- parts


def _annotated(head: str, type: syntax.Type | None) -> Doc:
    return head if type is None else Group([f"{head} : ", type_(type)])


def _defined(head: Doc, value: syntax.Expr) -> Doc:
    return Group([head, " =", Nest([LINE, expression(value)])])


def _names(names: Sequence[syntax.Name]) -> str:
    return ", ".join(name(each) for each in names)


def _instance(node: syntax.Instance) -> Doc:
    parts: list[Doc] = [name(node.world)]
    if node.args:
        parts += ["(", *joined([expression(arg) for arg in node.args], [",", LINE]), ")"]
    if node.alias is not None:
        parts.append(f" as {name(node.alias)}")
    return Group(parts)


def _setting(node: syntax.Setting) -> Doc:
    return _defined(name(node.name), node.value)


def _outcome(node: syntax.Outcome) -> Doc:
    return _outcome_with(node, "'")


def _start(node: syntax.Outcome) -> Doc:
    return _outcome_with(node, "")


def _outcome_with(node: syntax.Outcome, prime: str) -> Doc:
    effects: list[Doc] = [Group([reference(a.target), f"{prime} = ", expression(a.value)]) for a in node.assignments]
    weight: list[Doc] = [] if node.weight is None else [expression(node.weight), ": "]
    return Group([*weight, Nest(joined(effects or ["stay"], [",", LINE]))])


def _clause(node: syntax.RewardClause) -> Doc:
    parts: list[Doc] = [] if node.action is None else [Group(["[", reference(node.action), "]"])]
    if node.guard is not None:
        parts.append(Group(["when ", expression(node.guard)]))
    return Group([*joined(parts, [" "]), ": " if parts else "", expression(node.value)])


def _restriction(node: syntax.Restriction) -> Doc:
    if node.memory is not None:
        return Group(["memory ", expression(node.memory)])
    if node.observed:
        return Group(["observes ", *joined([reference(each) for each in node.observed], [", "])])
    return node.kind


def _weighted(node: syntax.WeightedReference) -> Doc:
    return Group([expression(node.weight), ": ", reference(node.target)])


def _rule(node: syntax.PolicyRule) -> Doc:
    guard: list[Doc] = ["else: "] if node.guard is None else ["when ", expression(node.guard), ": "]
    if isinstance(node.action, syntax.Randomised):
        choices = joined([_weighted(choice) for choice in node.action.choices], [Break("; ")])
        return Group([*guard, Group(["{", Nest([LINE, *choices]), LINE, "}"])])
    return Group([*guard, reference(node.action)])


def _evidence(node: syntax.Evidence) -> Doc:
    match node:
        case syntax.Mixture(parts):
            return Group(["mixture { ", *joined([_weighted(part) for part in parts], ["; "]), " }"])
        case syntax.Runs(pattern, confidence):
            return Group([f"runs {pattern.text} confidence ", expression(confidence)])
        case syntax.Samples(successes, size, event, confidence):
            counts: list[Doc] = ["samples ", expression(successes), " of ", expression(size), " satisfy ", expression(event)]
            return Group([*counts, " confidence ", expression(confidence)])
        case syntax.LaterEvidence(kind, later):
            return Group([f"{kind} ", *joined([expression(part) for part in later], [" "])])
    assert_never(node)


def _situation(node: syntax.Situation) -> Doc:
    return Group([expression(node.weight), ": ", expression(node.condition)])
