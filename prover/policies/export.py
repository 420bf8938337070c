"""The direct query of a claim as SMT-LIB 2 text, for any solver that reads it.

``sat`` means: there are numbers for which the claim fails; for most types they come from policies.  ``unsat``: the claim holds
in that case.  A claim holds when all of its files are unsat: one for each way of its rewards to be finite or infinite.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from fractions import Fraction

from dsl.spec import Assume, Find, Not, Quantified
from prover.policies.constraints import Formula, Linear, System
from prover.policies.context import Context
from prover.policies.decide import Stage, stages
from prover.policies.encode import Branch, Direct
from prover.policies.encode_common import NotEncoded
from prover.policies.query import Builder, interval
from prover.policies.smt import SolverUnknown


def smt2(context: Context, stage: Stage, deadline: float | None = None, title: str = "") -> dict[str, str]:
    """File stem -> text; more than one file only where rewards can be infinite.

    Raises NotEncoded or SolverUnknown, with the reason, where there is no direct encoding (an extremum is computed first).
    """
    problem = Direct(context, stage, deadline)
    files = {}
    for branch in problem.branches():
        encoding = problem.encoding(branch, 0)
        if encoding is not None:
            stem = "_".join(f"{player}_{stream}_{'finite' if finite else 'infinite'}" for (player, stream), finite in branch.items())
            files[stem or "claim"] = text(encoding.system, list(_about(problem, branch, encoding.whole, title)))
    return files


def scripts(context: Context, seconds: float = 60) -> dict[str, str]:
    """Every claim and find of the spec (a find: does a value of its interval break it?), or, in a comment, why there is no encoding."""
    files: dict[str, str] = {}
    for statement in context.spec.statements:
        body = statement.body
        if not isinstance(body, Quantified):
            if not isinstance(statement, Assume):
                files[statement.name] = (
                    f"; {statement.text}\n; about training: it is decided over the events' probabilities, not asked of an SMT solver\n"
                )
            continue
        builder = Builder(context.spec, body.variables)
        unknown = interval(statement) if isinstance(statement, Find) else None
        query = builder.query(
            "find" if unknown else "forall", builder.skeleton(Not(body.body) if body.kind == "exists" else body.body), unknown
        )
        title = f"{statement.text}" + ("\nThe claim says that policies exist: sat means that they do." if body.kind == "exists" else "")
        try:
            stage = stages(context, query, lambda: None)[0]()
            made = smt2(context, stage, time.monotonic() + seconds, title)
        except (NotEncoded, SolverUnknown) as reason:
            files[statement.name] = "".join(f"; {line}\n" for line in f"{title}\nno direct encoding: {reason}".splitlines())
            continue
        for stem, script in made.items():
            files[statement.name if stem == "claim" else f"{statement.name}_{stem}"] = script
    return files


def _about(problem: Direct, branch: Branch, whole: bool, title: str) -> Iterator[str]:
    if title:
        yield title
    yield "The world and the negation of the claim; unsat: the claim holds" + (" in this case." if branch else ".")
    yield "sat: some policies break it." if whole else "sat says nothing: the constraints admit more than the policies of the type."
    query = problem.query
    for k, written in enumerate(query.texts):
        yield f"inequality {k}: {written}"
    for (low, high), optimum in zip(problem.optima, query.optima, strict=True):
        yield f"{optimum.text} over {optimum.over}: " + (f"{low}" if low == high else f"between {low} and {high}")
    for (player, stream), finite in branch.items():
        yield f"case: {query.origins[query.streams[stream]].text} of {player} is {'finite' if finite else 'infinite'}"
    yield "x: expected visits of a state with an action; z: chance of waiting there for ever; plays: the action has a positive probability"


def text(system: System, comments: list[str]) -> str:
    """The system as a script; comments cannot break out of their lines."""
    lines = [f"; {part}" for comment in comments for part in comment.splitlines()]
    lines += [f"(set-logic {system.logic})"]
    lines += [f"(declare-const {symbol(name)} Bool)" for name in system.booleans]
    lines += [f"(declare-const {symbol(name)} Real)" for name in system.reals]
    for heading, formulas in system.sections:
        if heading and formulas:
            lines += ["", *(f"; {part}" for part in heading.splitlines())]
        lines += [f"(assert {term(formula)})" for formula in formulas]
    return "\n".join([*lines, "", "(check-sat)", ""])


def symbol(name: str) -> str:
    """A quoted symbol; the two characters that it cannot hold are replaced (no name of the language has them)."""
    return "|" + name.replace("\\", "/").replace("|", "/") + "|"


def term(formula: Formula) -> str:
    match formula[0]:
        case "true" | "false":
            return str(formula[0])
        case "bool":
            return symbol(formula[1])
        case "not" | "and" | "or":
            return f"({formula[0]} {' '.join(map(term, formula[1:]))})"
        case "times":
            return f"(= {symbol(formula[1])} (* {symbol(formula[2])} {symbol(formula[3])}))"
    _, op, linear = formula
    return f"({op} {total(linear)} {constant(-linear.constant)})"


def total(linear: Linear) -> str:
    parts = [symbol(name) if c == 1 else f"(* {constant(c)} {symbol(name)})" for name, c in linear.terms]
    return parts[0] if len(parts) == 1 else f"(+ {' '.join(parts)})"


def constant(value: Fraction) -> str:
    """A decimal literal or a quotient of two; SMT-LIB has no negative literals."""
    size = f"{abs(value.numerator)}.0" if value.denominator == 1 else f"(/ {abs(value.numerator)}.0 {value.denominator}.0)"
    return f"(- {size})" if value < 0 else size
