"""Does a controller belong to a policy type?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from dsl.spec import PolicyType
from prover.policies.controller import Controller
from prover.worlds.mdp import Mdp


def belongs(controller: Controller, type: PolicyType, mdp: Mdp) -> bool:
    """As docs/proof-format.md says under Controllers; the checker decides the same on its own."""
    if type.deterministic and not controller.is_deterministic:
        return False
    sight = _sight(type.observes, mdp)
    needs_no_memory = _function((sight(state), dict(actions)) for (_, state), (actions, _) in controller.rules.items())
    if type.memoryless:
        return needs_no_memory
    if type.memory is not None and not needs_no_memory and not _remembers(controller, type.memory, mdp):
        return False
    return type.observes is None or _sees_only(controller, sight, mdp)


def _sight(observes: tuple[str, ...] | None, mdp: Mdp) -> Callable[[int], object]:
    if observes is None:
        return lambda state: state
    columns = [k for k, variable in enumerate(mdp.variables) if variable.name in observes]
    return lambda state: tuple(mdp.valuation(state)[k] for k in columns)


def _function(pairs: Iterable[tuple[object, object]]) -> bool:
    """Does equal on the left mean equal on the right?"""
    known: dict[object, object] = {}
    return all(known.setdefault(key, value) == value for key, value in pairs)


def _steps(controller: Controller, mdp: Mdp) -> Iterator[tuple[int, int, int, int]]:
    """Node, state, successor, next node: every step that the rules foresee."""
    for (node, state), (actions, targets) in controller.rules.items():
        names = {action for action, _ in actions}
        for c in range(mdp.choice_start[state], mdp.choice_start[state + 1]):
            if int(mdp.action[c]) in names:
                for t in range(mdp.transition_start[c], mdp.transition_start[c + 1]):
                    successor = int(mdp.successor[t])
                    yield node, state, successor, targets.get(successor, node)


def _remembers(controller: Controller, memory: int, mdp: Mdp) -> bool:
    """No choice at the start, at most ``memory`` nodes, and the next node is a function of the node and of the successor."""
    nodes = {node for _, _, node in controller.start} | {node for node, _ in controller.rules}
    nodes |= {n for _, moves in controller.rules.values() for n in moves.values()}
    if len(nodes) > memory or any(weight not in (0, 1) for weight, _, _ in controller.start):
        return False
    return _function(((node, successor), after) for node, _, successor, after in _steps(controller, mdp))


def _sees_only(controller: Controller, sight: Callable[[int], object], mdp: Mdp) -> bool:
    """Start nodes, actions and moves are functions of what is observed."""
    starts: dict[int, dict[int, object]] = {}
    for weight, state, node in controller.start:
        if weight:
            starts.setdefault(state, {})[node] = weight
    return (
        _function((sight(state), law) for state, law in starts.items())
        and _function(((node, sight(state)), dict(actions)) for (node, state), (actions, _) in controller.rules.items())
        and _function(((node, sight(state), sight(s)), after) for node, state, s, after in _steps(controller, mdp))
    )
