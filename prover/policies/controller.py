"""Finite-state controllers: every policy that twostep evaluates, prints or reads back.

A controller is a mixture of start nodes; in (node, state) it plays a distribution over actions, and
on arriving in a successor it moves to the node that the rule lists for it (or keeps its node).
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from dsl.record import dataclass

Actions = tuple[tuple[int, Fraction], ...]  # (index into the MDP's actions, probability > 0)
Moves = Mapping[int, int]  # successor state -> node; absent: the node stays
Rule = tuple[Actions, Moves]


class NoRule(Exception):
    """The controller reaches a (node, state) for which it says nothing."""

    def __init__(self, node: int, state: int) -> None:
        super().__init__(f"no rule for node {node}, state {state}")
        self.node, self.state = node, state


@dataclass(frozen=True)
class Controller:
    start: tuple[tuple[Fraction, int, int], ...]  # weight, initial state, node; weights of a state sum to 1
    rules: Mapping[tuple[int, int], Rule]  # (node, state)

    def starts(self, state: int) -> list[tuple[Fraction, int]]:
        return [(weight, node) for weight, s, node in self.start if s == state and weight]

    def rule(self, node: int, state: int) -> Rule:
        try:
            return self.rules[node, state]
        except KeyError:
            raise NoRule(node, state) from None

    @property
    def is_deterministic(self) -> bool:
        return all(weight in (0, 1) for weight, _, _ in self.start) and all(len(actions) == 1 for actions, _ in self.rules.values())

    @property
    def is_memoryless(self) -> bool:
        """Every rule of a state plays the same: then neither nodes nor the start mixture matter."""
        plays: dict[int, dict[int, Fraction]] = {}
        return all(plays.setdefault(state, dict(actions)) == dict(actions) for (_, state), (actions, _) in self.rules.items())

    def to_json(self) -> dict[str, Any]:
        """As proof files write controllers (indices of states and actions)."""
        return {
            "start": [[str(weight), state, node] for weight, state, node in self.start],
            "rules": [
                [node, state, [[action, str(p)] for action, p in actions], [[s, n] for s, n in sorted(moves.items())]]
                for (node, state), (actions, moves) in sorted(self.rules.items())
            ],
        }


def mix(parts: list[tuple[Fraction, Controller]]) -> Controller:
    """The policy that draws one of the controllers at the start and follows it; weights sum to 1."""
    parts = [(weight, part) for weight, part in parts if weight]
    if len(parts) == 1:
        return parts[0][1]
    start: list[tuple[Fraction, int, int]] = []
    rules: dict[tuple[int, int], Rule] = {}
    base = 0
    for weight, part in parts:
        start.extend((weight * w, state, base + node) for w, state, node in part.start)
        for (node, state), (actions, moves) in part.rules.items():
            rules[base + node, state] = (actions, {s: base + n for s, n in moves.items()})
        base += 1 + max((n for n, _ in part.rules), default=0)
        base = max(base, 1 + max((node for _, _, node in start), default=0))
    return Controller(tuple(start), rules)
