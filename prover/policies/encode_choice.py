"""One decision for each view: what a restricted policy may look at, what it plays and how its memory moves, as variables.

A view is the state, what is observed of it, or (for policies with the product's memory) the node of the product; ``nodes``
gives it a finite memory beside.  Booleans u say which actions have positive probability; where several copies of a view are
met, reals p are its probabilities, elsewhere the flow itself is the policy.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from fractions import Fraction

from prover.flint import fraction
from prover.policies.constraints import (
    Formula,
    Linear,
    System,
    at_most,
    boolean,
    disj,
    equal,
    implies,
    neg,
    number,
    one_of,
    positive,
    variable,
)
from prover.policies.controller import Controller, Rule
from prover.policies.encode_common import Demand, Group, Names, NotEncoded, unfolded
from prover.policies.smt import Model

ZERO, ONE = Fraction(0), Fraction(1)
Place = tuple[int, int]  # node of the product, node of the controller
View = Hashable
Key = tuple[int, View]
MAX_PLACES = 400


@dataclass(frozen=True)
class Look:
    """``observes``: columns of the valuation, None for all; ``by_node``: the product's memory and time can be seen too.

    With ``coins`` a policy that sees the node may randomise in the layers, where that costs no products of variables.
    """

    nodes: int = 1
    deterministic: bool = True
    observes: tuple[int, ...] | None = None
    by_node: bool = False
    coins: bool = False
    sure: bool = True  # no choice of a node at the start: what a bounded memory means


class Choices:
    """The variables of a policy and their rows; ``decode`` reads it off a model."""

    def __init__(self, system: System, demand: Demand, look: Look) -> None:
        self.system, self.demand, self.product, self.look = system, demand, demand.product, look
        self.mdp = self.product.mdp
        self.names = Names(self.product)
        self.tail_groups = demand.groups
        self.places = [(n, q) for n in range(len(self.product.nodes)) for q in range(look.nodes)]
        if len(self.places) > MAX_PLACES:
            raise NotEncoded(f"{len(self.places)} places are too many for one encoding of a restricted policy type")
        if look.by_node and not look.deterministic:
            raise ValueError("randomised policies that see the product are plain flows")
        self._decisions()
        self._start()

    def view(self, state: int) -> View:
        values = self.mdp.valuation(state)
        return values if self.look.observes is None else tuple(values[k] for k in self.look.observes)

    def seen(self, node: int) -> View:
        return node if self.look.by_node else self.view(self.product.nodes[node][0])

    def key(self, place: Place) -> Key:
        return place[1], self.seen(place[0])

    def fixed(self, key: Key) -> bool:
        """Is one action played there for sure?"""
        return self.look.deterministic and not (self.look.coins and self.look.by_node and key[1] < self.product.tail)  # type: ignore[operator]

    def _text(self, key: Key) -> str:
        states = self.states_of[key[1]]
        text = self.names.node(states[0]) if self.look.by_node else "[" + self._seen_text(states[0]) + "]"
        return f"{self.demand.player} {text}" + (f" node {key[0]}" if self.look.nodes > 1 else "")

    def _seen_text(self, state: int) -> str:
        if self.look.observes is None:
            return self.names.state(state)
        parts = self.names.state(state).split(", ")
        return ", ".join(parts[k] for k in self.look.observes) or "anything"

    def u(self, key: Key, action: int) -> str:
        return f"plays {self._text(key)} {self.mdp.actions[action]}"

    def p(self, key: Key, action: int) -> str:
        return f"p {self._text(key)} {self.mdp.actions[action]}"

    def move(self, node: int, following: int, target: int) -> Formula:
        """On arriving in the state ``following`` the memory moves from ``node`` to ``target``, wherever it comes from."""
        if self.look.nodes == 1:
            return ("true",)
        return boolean(f"moves {self.demand.player} node {node} in [{self.names.state(following)}] to node {target}")

    def sees(self, node: int, state: int, following: int, target: int) -> Formula:
        """With partial observation the move is also a function of what is observed before and after."""
        if self.look.nodes == 1 or self.look.observes is None:
            return ("true",)
        before, after = self._seen_text(state), self._seen_text(following)
        return boolean(f"sees {self.demand.player} node {node} [{before}] to [{after}] node {target}")

    def _decisions(self) -> None:
        """Every view plays something; where two copies share a view, probabilities tie them."""
        self.system.section(f"{self.demand.player}: one decision for each view")
        self.states_of: dict[View, list[int]] = {}
        nodes = range(len(self.product.nodes))
        if self.look.by_node:
            self.states_of = {n: [n] for n in nodes}
            states = {n: self.product.nodes[n][0] for n in nodes}
        else:
            for s in range(self.mdp.states):
                self.states_of.setdefault(self.view(s), []).append(s)
            states = {s: s for s in range(self.mdp.states)}
        self.actions: dict[Key, list[int]] = {}
        for view, members in self.states_of.items():
            actions = list(dict.fromkeys(a for m in members for a in self._enabled(states[m])))
            for q in range(self.look.nodes):
                self.actions[q, view] = actions
        copies: dict[Key, int] = {}
        for place in self.places:
            times = 1 if place[0] < self.product.tail else max(1, len(self.tail_groups))
            copies[self.key(place)] = copies.get(self.key(place), 0) + times
        self.tied: set[Key] = set()
        for key, actions in self.actions.items():
            names = [self.system.boolean(self.u(key, a)) for a in actions]
            if self.fixed(key):
                for formula in one_of(names):
                    self.system.add(formula)
                continue
            self.system.add(disj(boolean(name) for name in names))
            if copies.get(key, 0) > 1 and len(actions) > 1:
                self.tied.add(key)
                total = number(-ONE)
                for a, name in zip(actions, names, strict=True):
                    share = variable(self.system.share(self.p(key, a)))
                    total = total.plus(share)
                    self.system.add(implies(boolean(name), positive(share)))
                    self.system.add(implies(neg(boolean(name)), at_most(share, Linear())))
                self.system.add(equal(total, Linear()))
        if self.look.nodes > 1:
            self._moves()

    def _moves(self) -> None:
        done: set[str] = set()
        nodes = range(self.look.nodes)
        for s in range(self.mdp.states):
            for c in range(self.mdp.choice_start[s], self.mdp.choice_start[s + 1]):
                for t in range(self.mdp.transition_start[c], self.mdp.transition_start[c + 1]):
                    following = int(self.mdp.successor[t])
                    for q in nodes:
                        for options in ([self.move(q, following, k) for k in nodes], [self.sees(q, s, following, k) for k in nodes]):
                            names = [option[1] for option in options if option[0] == "bool"]
                            if names and names[0] not in done:
                                done.add(names[0])
                                for formula in one_of([self.system.boolean(name) for name in names]):
                                    self.system.add(formula)

    def _enabled(self, state: int) -> list[int]:
        return [int(self.mdp.action[c]) for c in range(self.mdp.choice_start[state], self.mdp.choice_start[state + 1])]

    def _action(self, choice: int) -> int:
        return int(self.mdp.action[self.product.origin[choice]])

    def plays(self, place: Place, choice: int) -> Formula:
        return boolean(self.u(self.key(place), self._action(choice)))

    def after(self, place: Place, choice: int) -> list[tuple[Formula, Place]]:
        """The places that the choice may lead to, each under the condition that the memory moves there."""
        nodes = self.product.nodes
        reached = [self.product.successor[t] for t in self.product.transitions(choice)]
        return [(self.move(place[1], nodes[n][0], q), (n, q)) for n in reached if n >= 0 for q in range(self.look.nodes)]

    def _at(self, place: Place) -> str:
        return f"{self.demand.player} {self.names.node(place[0])}" + (f" node {place[1]}" if self.look.nodes > 1 else "")

    def _start(self) -> None:
        self.entry: dict[Place, Linear] = {}
        self.begin: dict[Key, str] = {}
        for n, p in self.product.start:
            if n < 0:
                continue
            if self.look.nodes == 1:
                self.entry[n, 0] = number(fraction(p))
                continue
            view = self.seen(n)
            for q in range(self.look.nodes):
                if (q, view) not in self.begin:
                    seen = self._seen_text(self.states_of[view][0])
                    name = self.begin[q, view] = self.system.share(f"starts {self.demand.player} [{seen}] node {q}")
                    if self.look.deterministic or self.look.sure:
                        self.system.add(disj([equal(variable(name), Linear()), equal(variable(name), number(ONE))]))
                self.entry[n, q] = Linear({self.begin[q, view]: fraction(p)})
        for view in {view for _, view in self.begin}:
            self.system.add(equal(Linear({self.begin[q, view]: ONE for q in range(self.look.nodes)}), number(ONE)))

    def x(self, place: Place, choice: int, group: Group) -> str:
        scale = f" discount {group}" if group is not None and len(self.tail_groups) > 1 else ""
        return f"x {self._at(place)} {self.names.action(choice)}{scale}"

    # ------------------------------------------------------------ back to a policy

    def decode(self, model: Model) -> Controller | None:
        plays = {key: self._law(model, key) for key in self.actions}
        if self.look.by_node:
            return unfolded(
                self.product,
                lambda _: 0,
                lambda n, _: {c: plays[0, n][self._action(c)] for c in self.product.choices(n) if self._action(c) in plays[0, n]},
                lambda _n, _m, _f: 0,
            )
        mdp = self.mdp
        start = []
        for s, _ in mdp.initial:
            known = [(model.near(name), q) for (q, view), name in self.begin.items() if view == self.view(s)]
            start += [(weight, s, q) for weight, q in known if weight] or [(ONE, s, 0)]
        rules: dict[tuple[int, int], Rule] = {}
        queue = [(q, s) for _, s, q in start]
        for q, s in queue:
            if (q, s) in rules:
                continue
            law = {a: share for a, share in plays[q, self.view(s)].items() if a in self._enabled(s)} or {self._enabled(s)[0]: ONE}
            total = sum(law.values(), ZERO)
            moves: dict[int, int] = {}
            for c in range(mdp.choice_start[s], mdp.choice_start[s + 1]):
                if int(mdp.action[c]) in law:
                    for t in range(mdp.transition_start[c], mdp.transition_start[c + 1]):
                        following = int(mdp.successor[t])
                        target = next((k for k in range(self.look.nodes) if self._moves_to(model, q, following, k)), 0)
                        moves[following] = target
                        queue.append((target, following))
            rules[q, s] = (tuple((a, share / total) for a, share in sorted(law.items())), moves)
        return Controller(tuple(start), rules)

    def _moves_to(self, model: Model, node: int, following: int, target: int) -> bool:
        return self.look.nodes == 1 or model.truth(self.move(node, following, target)[1])

    def _law(self, model: Model, key: Key) -> dict[int, Fraction]:
        """From the probabilities if the view has some, from the flow if one passes, else even."""
        support = [a for a in self.actions[key] if model.truth(self.u(key, a))]
        if key in self.tied:
            law = {a: model.near(self.p(key, a)) for a in support}
            last = support[-1]
            return {**law, last: ONE - sum((share for a, share in law.items() if a != last), ZERO)}
        if len(support) > 1:
            for place in self.places:
                if self.key(place) == key and (place[0] < self.product.tail or self.tail_groups):
                    group = self.tail_groups[0] if place[0] >= self.product.tail else None
                    flow = {self._action(c): model.near(self.x(place, c, group)) for c in self.product.choices(place[0])}
                    total = sum(flow.values(), ZERO)
                    if total:
                        return {a: flow.get(a, ZERO) / total for a in support}
        return {a: Fraction(1, len(support)) for a in support}
