"""Is a total or until reward a function of policies?  The certificates of the checker's `well-defined` and `finite` rules.

Zero-reward end components are collapsed (waiting is free); in what is left every loop must lose (a score) or
every loop must pay (a cost).  The table h is the value of an optimal stopping problem with delta added to every
step: Puterman 1994, section 7.2, read as a certificate.
"""

from __future__ import annotations

from collections.abc import Mapping

from dsl.record import dataclass
from prover.flint import fmpq
from prover.solve import chain
from prover.solve.exact import iterate
from prover.worlds.components import maximal_end_components, strongly_connected_components
from prover.worlds.product import Product


@dataclass(frozen=True)
class WellDefined:
    """``sign`` 1: a score (infinite only as -infinity); -1: a cost.  ``finite``: the table showing it never is, or None."""

    product: Product
    stream: int
    sign: int
    slack: fmpq
    potential: list[fmpq]
    finite: list[fmpq] | None


@dataclass(frozen=True)
class Diverges:
    """A loop over these nodes and choices whose reward is paid for ever, and its reward a step under either sign."""

    product: Product
    loop: list[tuple[int, int]]  # node, choice
    gain: fmpq


def well_defined(product: Product, stream: int) -> WellDefined | Diverges:
    """``product`` has depth 0 and no controller."""
    folded = _Folded(product, stream)
    failures = []
    for sign in (1, -1):
        outcome = folded.certificate(sign)
        if not isinstance(outcome, Diverges):
            slack, table = outcome
            finite = None if folded.loops else folded.spread(folded.stopping(-sign, fmpq(0)))
            return WellDefined(product, stream, sign, slack, table, finite)
        failures.append(outcome)
    return failures[0]


def diverges(product: Product, stream: int, sign: int) -> Diverges | None:
    """The loop that keeps ``sign`` times the stream from being a score, if there is one."""
    outcome = _Folded(product, stream).certificate(sign)
    return outcome if isinstance(outcome, Diverges) else None


class _Folded:
    """The product with its zero-reward end components collapsed."""

    def __init__(self, product: Product, stream: int) -> None:
        self.product, self.stream = product, stream
        count = len(product.nodes)
        zero = {
            n: {c: [product.successor[t] for t in product.transitions(c)] for c in product.choices(n) if not product.earns[stream][c]}
            for n in range(count)
        }
        internal: set[int] = set()
        self.class_of = [-1] * count
        self.classes: list[list[int]] = []
        for nodes, choices in maximal_end_components(zero):
            for n in nodes:
                self.class_of[n] = len(self.classes)
            self.classes.append(sorted(nodes))
            internal |= choices
        for n in range(count):
            if self.class_of[n] < 0:
                self.class_of[n] = len(self.classes)
                self.classes.append([n])
        self.options: list[list[int]] = []
        self.moves: dict[int, chain.Row] = {}
        self.owner: dict[int, int] = {}
        for members in self.classes:
            choices_here = []
            for n in members:
                for c in product.choices(n):
                    if c in internal:
                        continue
                    row: chain.Row = {}
                    for t in product.transitions(c):
                        if product.successor[t] >= 0:
                            k = self.class_of[product.successor[t]]
                            row[k] = row.get(k, fmpq(0)) + product.probability[t]
                    self.moves[c], self.owner[c] = row, n
                    choices_here.append(c)
            self.options.append(choices_here)
        graph: Mapping[int, Mapping[int, list[int]]] = {
            k: {c: list(self.moves[c]) + ([-1] if sum(self.moves[c].values(), fmpq(0)) < 1 else []) for c in choices}
            for k, choices in enumerate(self.options)
        }
        self.loops = maximal_end_components(graph)

    def stopping(self, sign: int, slack: fmpq) -> list[fmpq]:
        """Values of: stop for 0, or go on and earn sign * reward + slack.  Raises chain.Singular when going on for ever gains."""
        gains = {c: sign * self.product.reward[self.stream][c] + slack for c in self.moves}
        moves = dict(self.moves)
        options = []
        for k, choices in enumerate(self.options):
            stop = -1 - k
            gains[stop], moves[stop] = fmpq(0), {}
            options.append([stop, *choices])
        values, _ = iterate(options, gains, moves, [o[0] for o in options])
        return values

    def spread(self, values: list[fmpq]) -> list[fmpq]:
        return [values[k] for k in self.class_of]

    def certificate(self, sign: int) -> tuple[fmpq, list[fmpq]] | Diverges:
        slack = fmpq(1)
        while True:
            try:
                return slack, self.spread(self.stopping(sign, slack))
            except chain.Singular as trap:
                policy: list[int] = trap.args[0]
                gain = self.gain(policy, trap.states, sign)
                if gain >= 0:
                    loop = [(self.owner[policy[k]], policy[k]) for k in trap.states]
                    return Diverges(self.product, loop, sign * gain)
                slack = -gain / 2  # this loop loses; each loop found brings the slack below what it loses

    def gain(self, policy: list[int], states: list[int], sign: int) -> fmpq:
        """Reward a step in the recurrent class: reward of one return to a state, over its expected length."""
        local = {k: i for i, k in enumerate(states)}
        # Cut the class at a state that it visits for ever: take a bottom component of the policy's graph.
        rows: list[chain.Row] = []
        constants = []
        target = self._recurrent(policy, states)
        for k in states:
            row = {local[t]: p for t, p in self.moves[policy[k]].items() if t != target}
            rows.append(row)
            constants.append([sign * self.product.reward[self.stream][policy[k]], fmpq(1)])
        reward, steps = chain.solve(rows, constants)[local[target]]
        return reward / steps

    def _recurrent(self, policy: list[int], states: list[int]) -> int:
        local = {k: i for i, k in enumerate(states)}
        bottom = strongly_connected_components([[local[t] for t in self.moves[policy[k]] if t in local] for k in states])[0]
        return states[bottom[0]]
