"""The explicit MDP: compressed rows of integers; probabilities and rewards are indices into tables of rationals.

States, choices and transitions are numbered 0.. in breadth-first order.  The columns are any
sequences of integers: plain lists for small worlds (numpy is not imported for them), numpy arrays
for large ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction

from dsl.record import dataclass
from dsl.spec import Expr, Variable

DEADLOCK = "(deadlock)"  # the action of the self-loop that `deadlock absorbs` adds; it earns no reward


@dataclass(frozen=True)
class RewardColumn:
    """One reward: ``table[index[t]]`` is what transition t earns; ``table[0]`` is 0."""

    index: Sequence[int]
    table: tuple[Fraction, ...]


@dataclass(frozen=True)
class Mdp:
    """Choices of state s are ``choice_start[s] .. choice_start[s + 1]``, transitions of choice c likewise.

    ``action[c]`` is an index into ``actions``; choices of a state are in the order of the declarations;
    transitions of a choice go to distinct successors, with probabilities > 0 that sum to exactly 1.
    """

    world: str
    variables: tuple[Variable, ...]
    actions: tuple[str, ...]
    initial: tuple[tuple[int, Fraction], ...]  # distinct states, probabilities > 0, sum exactly 1
    choice_start: Sequence[int]
    action: Sequence[int]
    transition_start: Sequence[int]
    successor: Sequence[int]
    probability: Sequence[int]
    probabilities: tuple[Fraction, ...]
    rewards: Mapping[str, RewardColumn]
    valuation: Callable[[int], tuple[bool | int, ...]]  # state -> values in the order of `variables` (enums: indices)
    holds: Callable[[Expr], Sequence[bool]]  # a state condition (no primes) -> truth in every state
    values: Callable[[str], Sequence[int]] | None = None  # a variable -> its value in every state; None: ask `valuation`

    @property
    def states(self) -> int:
        return len(self.choice_start) - 1

    @property
    def choices(self) -> int:
        return len(self.action)

    @property
    def transitions(self) -> int:
        return len(self.successor)

    def columns(self) -> list[Sequence[int]]:
        """For each variable its values in all states."""
        if self.values is not None:
            return [self.values(v.name) for v in self.variables]
        states = [self.valuation(s) for s in range(self.states)]
        return [[int(state[k]) for state in states] for k in range(len(self.variables))]

    def named(self, state: int) -> dict[str, bool | int | str]:
        """The state as a reader knows it: variable name -> bool, integer or enum member."""
        from dsl.semantics import readable

        return {v.name: readable(x, v.type) for v, x in zip(self.variables, self.valuation(state), strict=True)}
