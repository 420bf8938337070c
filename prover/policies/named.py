"""The named policies of a spec as controllers: tables, files, and optima."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import assert_never

from dsl import semantics
from dsl.diagnostic import Diagnostic, SpecError
from dsl.spec import FilePolicy, OptimalPolicy, Policy, Spec, TablePolicy
from prover.policies import policy_file
from prover.policies.belongs import belongs
from prover.policies.context import Context, describe
from prover.policies.controller import Controller, Rule
from prover.worlds.mdp import Mdp


def workspace(spec: Spec, root: Path, *, max_states: int = 10_000_000, progress: Callable[[str], None] | None = None) -> Context:
    """A context that finds the spec's named policies."""
    return Context(spec, root, controller, max_states=max_states, progress=progress)


def controller(context: Context, name: str, clock: Callable[[], None]) -> Controller:
    """SpecError E510..E514 where the policy makes no sense in its world."""
    policy = context.spec.policy(name)
    type = context.spec.policy_type(policy.type)
    mdp = context.mdp(type.world)
    match policy.body:
        case TablePolicy():
            result = _table(mdp, policy, policy.body)
        case FilePolicy(path):
            result = policy_file.read(context.root / path, context.root, mdp, policy.span)
        case OptimalPolicy():
            from prover.policies.best import optimal

            result = optimal(context, policy, policy.body, clock)
        case other:
            assert_never(other)
    if not belongs(result, type, mdp):
        message = f"policy {name} does not belong to type {type.name}"
        raise SpecError([Diagnostic("E514", policy.span, message, "give it a type without that restriction, or change the policy")])
    return result


def _table(mdp: Mdp, policy: Policy, table: TablePolicy) -> Controller:
    actions = {name: k for k, name in enumerate(mdp.actions)}
    names = [v.name for v in mdp.variables]
    rules: dict[tuple[int, int], Rule] = {}
    queue = [s for s, _ in mdp.initial]
    for state in queue:
        if (0, state) in rules:
            continue
        values = dict(zip(names, mdp.valuation(state), strict=True))
        enabled = {int(mdp.action[c]): c for c in range(mdp.choice_start[state], mdp.choice_start[state + 1])}
        idle = policy_file.only_idles(mdp, state)
        if idle is not None:
            rules[0, state] = (((idle, Fraction(1)),), {})
            continue
        rule = next((r for r in table.rules if r.guard is None or semantics.evaluate(r.guard, values)), None)
        where = describe(mdp, state)
        if rule is None:
            raise SpecError(
                [Diagnostic("E512", policy.span, f"policy {policy.name} has no rule for {where}", "close the table with `else: action`")]
            )
        played: dict[int, Fraction] = {}
        for weight, action in rule.actions:
            share = Fraction(semantics.evaluate(weight, values))
            if share < 0:
                raise SpecError(
                    [Diagnostic("E513", policy.span, f"policy {policy.name} plays `{action}` with probability {share} in {where}", None)]
                )
            if share:
                if actions.get(action) not in enabled:
                    message = f"policy {policy.name} plays `{action}` where it is not enabled: {where}"
                    raise SpecError(
                        [Diagnostic("E513", policy.span, message, f"enabled there: {', '.join(mdp.actions[a] for a in enabled)}")]
                    )
                played[actions[action]] = played.get(actions[action], Fraction(0)) + share
        if sum(played.values()) != 1:
            message = f"the probabilities of policy {policy.name} sum to {sum(played.values())}, not to 1, in {where}"
            raise SpecError([Diagnostic("E513", policy.span, message, None)])
        rules[0, state] = (tuple(sorted(played.items())), {})
        for played_action in played:
            c = enabled[played_action]
            queue.extend(int(mdp.successor[t]) for t in range(mdp.transition_start[c], mdp.transition_start[c + 1]))
    return Controller(tuple((Fraction(1), s, 0) for s, _ in mdp.initial), rules)
