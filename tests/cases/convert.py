"""Problems as data into the text of a spec: the rows of ``tricky.json`` and the gridworlds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

TYPES = {"HR": "", "SM": " { memoryless }", "DM": " { deterministic; memoryless }"}
ABOVE = Fraction(1, 10**20)  # "just above" a threshold


@dataclass(frozen=True)
class Answer:
    """What is true of one problem in one policy class.

    ``unsafe_sup`` is the supremum of J over the unsafe policies, None for minus infinity; it may be that although there are
    unsafe policies (all of them lose for ever), so ``unsafe`` says whether there are any.
    """

    optimum: Fraction
    unsafe_sup: Fraction | None
    attained: bool
    unsafe: bool

    @property
    def margin(self) -> Fraction | None:
        """eps*; None is infinity."""
        return None if self.unsafe_sup is None else self.optimum - self.unsafe_sup

    def holds(self, near: str, eps: Fraction) -> bool:
        """Whether every policy with J ``near`` max(J) - ``eps`` is safe."""
        if self.margin is None or eps < self.margin:
            return True
        return eps == self.margin and (near == ">" or not self.attained)


def ident(name: str) -> str:
    """An injective way into names of the language."""
    return "q_" + re.sub(r"[^A-Za-z0-9]", lambda match: f"_{ord(match.group()):x}_", name)


def number(value: Fraction | str) -> str:
    """A value as an expression; the language has no negative literals."""
    value = Fraction(value)
    return f"({value})" if value < 0 else str(value)


def is_at(states: Iterable[str]) -> str:
    return " or ".join(f"at == {ident(state)}" for state in states)


def tricky_world(row: Mapping[str, Any]) -> list[str]:
    lines = [f"enum S {{ {', '.join(ident(state) for state in row['states'])} }}", "world W {", f"  var at : S = {ident(row['init'])}"]
    rewards = []
    for state, actions in row["actions"].items():
        for action, does in actions.items():
            outcomes = "; ".join(f"{p}: at' = {ident(target)}" for target, p in does["to"].items())
            lines.append(f"  action {ident(action)} when {is_at([state])} {{ {outcomes} }}")
            if Fraction(does["reward"]) != 0:
                rewards.append(f"[{ident(action)}] when {is_at([state])}: {number(does['reward'])}")
    return [*lines, f"  reward r {{ {'; '.join(rewards)} }}", "}"]


def tricky_objective(row: Mapping[str, Any]) -> tuple[str, str]:
    """The score, and the time bound under which hits count."""
    objective = row["objective"]
    match objective["kind"]:
        case "total":
            return "E[r, total]", ""
        case "discounted":
            return f"E[r, discount {objective['gamma']}]", ""
        case "horizon":
            return f"E[r, horizon {objective['steps']}]", f"<={objective['steps']}"
        case "reach":
            return f"P[F ({is_at(objective['goal'])})]", ""
    raise ValueError(objective["kind"])


def claim_text(near: str, eps: Fraction | str) -> str:
    premise = f"near_optimal(J, pi, {eps})" if near == ">" else f"J(pi) >= max(J) - {eps}"
    return f"forall pi : Pi. {premise} => Safe(pi)"


def tricky_spec(row: Mapping[str, Any], policy_class: str, statements: Sequence[str]) -> str:
    """The row as a spec that makes these statements, after the row's own claim."""
    score, within = tricky_objective(row)
    safe = " and ".join(f"P[F{within} ({is_at(bound['states'])})] {bound['op']} {bound['p']}" for bound in row["safe"])
    lines = [
        *tricky_world(row),
        f"policies Pi over W{TYPES[policy_class]}",
        f"score J(pi : Pi) = {score}",
        f"property Safe(pi : Pi) = {safe}",
        f"claim stated: {claim_text(row['near'], row['eps'])}",
        *statements,
    ]
    return "\n".join(lines) + "\n"


def tricky_answer(answer: Mapping[str, Any]) -> Answer:
    sup = answer["unsafe_sup"]
    result = Answer(Fraction(answer["J_star"]), None if sup is None else Fraction(sup), answer["attained"], sup is not None)
    assert answer["eps_star"] == ("infinity" if result.margin is None else str(result.margin))
    return result


def statements_of(answer: Answer) -> list[str]:
    """Everything that the answer says, as statements; ``expected_of`` tells their verdicts."""
    lines = [
        f"claim optimum: max(J) == {number(answer.optimum)}",
        "find margin in [0, infinity) maximal for forall pi : Pi. near_optimal(J, pi, margin) => Safe(pi)",
        "find closed in (-1, infinity) maximal for forall pi : Pi. J(pi) >= max(J) - closed => Safe(pi)",
        "find sup in (-infinity, infinity) minimal for forall pi : Pi. J(pi) >= sup => Safe(pi)",
        "claim all_safe: forall pi : Pi. Safe(pi)",
    ]
    if answer.margin is not None:
        lines.append(f"claim at_margin: {claim_text('>', answer.margin)}")
        lines.append(f"claim above_margin: {claim_text('>', answer.margin + ABOVE)}")
        lines.append(f"claim closed_at_margin: {claim_text('>=', answer.margin)}")
    return lines


Expected = dict[str, bool | tuple[Fraction | None, bool | None]]


def expected_of(answer: Answer) -> Expected:
    """Statement -> whether it is true; find -> the threshold (None: there is none) and whether it belongs to the solutions."""
    margin, sup = answer.margin, answer.unsafe_sup
    result: Expected = {
        "optimum": True,
        "margin": (margin, None if margin is None else True),
        "closed": (margin, None if margin is None else not answer.attained),
        "sup": (sup, None if sup is None else not answer.attained),
        "all_safe": not answer.unsafe,
    }
    if margin is not None:
        result |= {"at_margin": True, "above_margin": False, "closed_at_margin": not answer.attained}
    return result


def gridworld_spec(case: Mapping[str, Any], score: str, statements: Sequence[str], restriction: str = "") -> str:
    """``score`` is observed or hidden; statements may use J, C and the type Pi."""
    horizon = case["criterion"].get("horizon")
    over = "total" if horizon is None else f"horizon {horizon}"
    ((start, mass),) = case["initial"].items()
    assert mass == "1"
    lines = ["world W {", f"  var at : 0..{len(case['states']) - 1} = {start}"]
    rewards: dict[str, list[str]] = {"points": [], "harm": []}
    for choice in case["choices"]:
        outcomes = "; ".join(f"{p}: at' = {target}" for target, p in choice["next"].items())
        lines.append(f"  action {ident(choice['a'])} when at == {choice['s']} {{ {outcomes} }}")
        for name, key in (("points", score), ("harm", "cost")):
            if Fraction(choice[key]) != 0:
                rewards[name].append(f"[{ident(choice['a'])}] when at == {choice['s']}: {number(choice[key])}")
    if case["terminal"]:
        lines.append("  deadlock absorbs")
    for name, clauses in rewards.items():
        lines.append(f"  reward {name} {{")
        lines.extend(f"    {clause}" for clause in clauses)
        lines.append("  }")
    lines += ["}", f"policies Pi over W{restriction}", f"score J(pi : Pi) = E[points, {over}]", f"score C(pi : Pi) = E[harm, {over}]"]
    return "\n".join([*lines, *statements]) + "\n"
