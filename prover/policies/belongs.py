"""Does a controller belong to a policy type?"""

from __future__ import annotations

from dsl.spec import PolicyType
from prover.policies.controller import Controller
from prover.worlds.mdp import Mdp


def belongs(controller: Controller, type: PolicyType, mdp: Mdp) -> bool:
    if type.deterministic and not controller.is_deterministic:
        return False
    if type.memoryless and not controller.is_memoryless:
        return False
    if type.memory is not None:
        nodes = {node for _, _, node in controller.start} | {node for node, _ in controller.rules}
        nodes |= {n for _, moves in controller.rules.values() for n in moves.values()}
        if len(nodes) > type.memory and not controller.is_memoryless:
            return False
    return type.observes is None or _sees_only(controller, type.observes, mdp)


def _sees_only(controller: Controller, observes: tuple[str, ...], mdp: Mdp) -> bool:
    """Start nodes, actions and moves are functions of what is observed."""
    columns = [k for k, variable in enumerate(mdp.variables) if variable.name in observes]

    def seen(state: int) -> tuple[bool | int, ...]:
        values = mdp.valuation(state)
        return tuple(values[k] for k in columns)

    for view in {seen(state) for _, state, _ in controller.start}:
        laws = set()
        for state in {s for _, s, _ in controller.start if seen(s) == view}:
            laws.add(tuple(sorted((node, weight) for weight, s, node in controller.start if s == state and weight)))
        if len(laws) > 1:
            return False
    plays: dict[tuple[int, tuple[bool | int, ...]], object] = {}
    moves: dict[tuple[int, tuple[bool | int, ...], tuple[bool | int, ...]], int] = {}
    for (node, state), (actions, targets) in controller.rules.items():
        view = seen(state)
        if plays.setdefault((node, view), tuple(sorted(actions))) != tuple(sorted(actions)):
            return False
        names = {action for action, _ in actions}
        for c in range(mdp.choice_start[state], mdp.choice_start[state + 1]):
            if int(mdp.action[c]) not in names:
                continue
            for t in range(mdp.transition_start[c], mdp.transition_start[c + 1]):
                successor = int(mdp.successor[t])
                target = targets.get(successor, node)
                if moves.setdefault((node, view, seen(successor)), target) != target:
                    return False
    return True
