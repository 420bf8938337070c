"""A claim, as read -> one line of words, so that what was proved does not rest on the claim's own ``text``."""

from __future__ import annotations

from typing import Any

Json = Any  # of a claim that the checker has read: its shape is known to be right


def statement(claim: Json, worlds: Json) -> str:
    variables = ", ".join(f"{name} : {_type(claim['types'][kind])}" for name, kind in claim["variables"])
    body = _formula(claim["body"], claim, worlds)
    match claim["kind"]:
        case "find":
            unknown = claim["unknown"]
            low = ("[" if unknown["low_closed"] else "(") + (unknown["low"] or "-inf")
            high = (unknown["high"] or "inf") + ("]" if unknown["high_closed"] else ")")
            return (
                f"find {unknown['name']} in {low}, {high} {unknown['direction']} for "
                + (f"forall {variables}. " if variables else "")
                + body
            )
        case "measure":
            events = "; ".join(f"e{i} := {_formula(event, claim, worlds)}" for i, event in enumerate(claim["events"]))
            return f"{variables} drawn from T: {body} where {events}; given {'; '.join(_fact(f, claim, worlds) for f in claim['facts'])}"
    return (f"{claim['kind']} {variables}. " if variables else "") + body


def _type(kind: Json) -> str:
    limits = [word for word in ("deterministic", "memoryless") if kind[word]]
    limits += [f"memory {kind['memory']}"] if kind["memory"] is not None else []
    limits += ["observes " + ", ".join(kind["observes"])] if kind["observes"] is not None else []
    return str(kind["name"]) + (f" {{{'; '.join(limits)}}}" if limits else "")


def _fact(fact: Json, claim: Json, worlds: Json) -> str:
    match fact["kind"]:
        case "mixture":
            return "T = " + " + ".join(f"{share} {policy}" for share, policy in fact["parts"])
        case "runs":
            return f"{len(fact['parts'])} runs for e{fact['event']}"
        case "samples":
            return f"{fact['successes']} of {fact['size']} samples satisfy e{fact['event']}"
    return _formula(fact["formula"], claim, worlds)


def _formula(value: Json, claim: Json, worlds: Json) -> str:
    head, *rest = value
    match head:
        case "<" | "<=":
            terms = [(c, _term(term, claim, worlds)) for c, term in rest[0]["terms"]]
            return f"{_sum(terms, rest[0]['constant'])} {head} 0"
        case "not":
            return f"not ({_formula(rest[0], claim, worlds)})"
        case "and" | "or" if rest:
            return "(" + f" {head} ".join(_formula(arg, claim, worlds) for arg in rest) + ")"
    return str({"and": "true", "or": "false"}.get(head, head))


def _sum(terms: list[tuple[str, str]], constant: str) -> str:
    parts = [(c.startswith("-"), text if c in ("1", "-1") else f"{c.lstrip('-')} * {text}") for c, text in terms]
    if constant != "0" or not parts:
        parts.append((constant.startswith("-"), constant.lstrip("-")))
    first, *rest = parts
    return ("-" if first[0] else "") + first[1] + "".join((" - " if minus else " + ") + text for minus, text in rest)


def _term(term: Json, claim: Json, worlds: Json) -> str:
    match term:
        case ["value", j, policy]:
            return f"{_objective(claim['objectives'][j], worlds)}({policy})"
        case ["expectation", j]:
            return f"E[pi ~ T]({_objective(claim['objectives'][j], worlds)})"
        case ["optimum", k]:
            best = claim["optima"][k]
            body = _sum([(c, _objective(claim["objectives"][j], worlds)) for c, j in best["body"]], best["constant"])
            return f"{best['kind']}({body} over {_type(claim['types'][best['type']])})"
        case ["unknown"]:
            return str(claim["unknown"]["name"])
    return "P(" + " and ".join(f"e{event}" for event in term[1:]) + ")"


def _objective(goal: Json, worlds: Json) -> str:
    world = worlds[goal["world"]]
    match goal["kind"]:
        case "probability":
            return f"P[{_path(goal['path'], world)}]"
        case "recurrence":
            return f"P[G F {_path(['atom', goal['atom']], world)}]"
    mode, *rest = goal["mode"]
    return f"E[{goal['reward']}, {mode}{''.join(' ' + str(_path(['atom', x], world) if mode == 'until' else x) for x in rest)}]"


def _path(path: Json, world: Json) -> str:
    head, *rest = path
    match head:
        case "atom" | "not-atom":
            return ("" if head == "atom" else "not ") + f"({world['atoms'][rest[0]]['text']})"
        case "next":
            return f"X {_path(rest[0], world)}"
        case "and" | "or":
            return "(" + f" {head} ".join(_path(arg, world) for arg in rest) + ")"
        case "until" | "release":
            sign = ("U" if head == "until" else "R") + ("" if rest[2] is None else f"<={rest[2]}")
            return f"({_path(rest[0], world)} {sign} {_path(rest[1], world)})"
    return str(head)
