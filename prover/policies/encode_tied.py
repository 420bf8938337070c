"""Policies that must play alike in different places: one decision for each view, tied across the copies of a state in the product.

A view is what the policy may look at: the state, what it observes of it, or (for deterministic policies with the product's
memory) the node; ``nodes`` gives it a finite memory beside.  Booleans u say which actions have positive probability.  Under one
support every node either leads on (ranks show that it leaves for good) or waits for ever in a set that the support never leaves;
then the flow is the only solution of its equations.  Deterministic policies and views with one copy need no products of
variables: x(n, c) / x(n) is the policy.  Elsewhere x(n, c) = p(view, action) * x(n).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from fractions import Fraction
from functools import partial

from prover.policies.constraints import (
    Formula,
    Linear,
    System,
    at_most,
    boolean,
    conj,
    disj,
    equal,
    implies,
    less,
    neg,
    number,
    one_of,
    positive,
    variable,
)  # fmt: skip
from prover.policies.controller import Controller, Rule
from prover.policies.encode_common import Demand, Group, Names, NotEncoded, exact, unfolded
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


class Tied:
    exact = True

    def __init__(self, system: System, demand: Demand, look: Look) -> None:
        self.system, self.demand, self.product, self.look = system, demand, demand.product, look
        self.mdp = self.product.mdp
        self.names = Names(self.product)
        self.tail_groups = demand.groups
        self.ends = None in demand.groups
        self.places = [(n, q) for n in range(len(self.product.nodes)) for q in range(look.nodes)]
        if len(self.places) > MAX_PLACES:
            raise NotEncoded(f"{len(self.places)} places are too many for one encoding of a restricted policy type")
        if look.by_node and not look.deterministic:
            raise ValueError("randomised policies that see the product are plain flows")
        self.kinds = self._kinds()
        self.late: dict[Place, Linear] = {}  # what enters the tail
        self.values = {i: number(exact(self.product.offset[i])) for i in sorted(demand.used - demand.infinite)}
        self.diverging = {i: Linear() for i in demand.infinite}
        self._decisions()
        self._start()
        self._reach()
        if self.ends:
            self._ends()
        for group in [None, *(g for g in self.tail_groups if g is not None)]:
            self._flow(group)
        for mass in self.diverging.values():
            system.add(positive(mass))

    def _kinds(self) -> list[frozenset[int]]:
        """The sets of conditions that may recur together."""
        found = [frozenset[int]()]
        for i in self.demand.conditions if self.ends else ():
            found += [kind | {i} for kind in found]
        return found

    # ------------------------------------------------------------ decisions

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

    def move(self, node: int, view: View, following: View, target: int) -> Formula:
        if self.look.nodes == 1:
            return ("true",)
        a, b = self._seen_text(self.states_of[view][0]), self._seen_text(self.states_of[following][0])
        return boolean(f"moves {self.demand.player} node {node} [{a}] to [{b}] node {target}")

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
        done: set[tuple[View, View]] = set()
        for s in range(self.mdp.states):
            for c in range(self.mdp.choice_start[s], self.mdp.choice_start[s + 1]):
                for t in range(self.mdp.transition_start[c], self.mdp.transition_start[c + 1]):
                    pair = (self.view(s), self.view(int(self.mdp.successor[t])))
                    if pair not in done:
                        done.add(pair)
                        for q in range(self.look.nodes):
                            names = [self.system.boolean(self.move(q, *pair, target)[1]) for target in range(self.look.nodes)]
                            for formula in one_of(names):
                                self.system.add(formula)

    def _enabled(self, state: int) -> list[int]:
        return [int(self.mdp.action[c]) for c in range(self.mdp.choice_start[state], self.mdp.choice_start[state + 1])]

    def _action(self, choice: int) -> int:
        return int(self.mdp.action[self.product.origin[choice]])

    def plays(self, place: Place, choice: int) -> Formula:
        return boolean(self.u(self.key(place), self._action(choice)))

    def after(self, place: Place, choice: int) -> list[tuple[Formula, Place]]:
        """The places that the choice may lead to, each under the condition that the memory moves there."""
        found = []
        for t in self.product.transitions(choice):
            n = self.product.successor[t]
            if n >= 0:
                for q in range(self.look.nodes):
                    step = ("true",) if self.look.nodes == 1 else self.move(place[1], self.seen(place[0]), self.seen(n), q)
                    found.append((step, (n, q)))
        return found

    def _at(self, place: Place) -> str:
        return f"{self.demand.player} {self.names.node(place[0])}" + (f" node {place[1]}" if self.look.nodes > 1 else "")

    # ------------------------------------------------------------ where runs go

    def _start(self) -> None:
        self.entry: dict[Place, Linear] = {}
        self.begin: dict[Key, str] = {}
        for n, p in self.product.start:
            if n < 0:
                continue
            if self.look.nodes == 1:
                self.entry[n, 0] = number(exact(p))
                continue
            view = self.seen(n)
            for q in range(self.look.nodes):
                if (q, view) not in self.begin:
                    seen = self._seen_text(self.states_of[view][0])
                    name = self.begin[q, view] = self.system.share(f"starts {self.demand.player} [{seen}] node {q}")
                    if self.look.deterministic:
                        self.system.add(disj([equal(variable(name), Linear()), equal(variable(name), number(ONE))]))
                self.entry[n, q] = Linear({self.begin[q, view]: exact(p)})
        for view in {view for _, view in self.begin}:
            self.system.add(equal(Linear({self.begin[q, view]: ONE for q in range(self.look.nodes)}), number(ONE)))

    def active(self, place: Place) -> Formula:
        return boolean(f"reaches {self._at(place)}")

    def _reach(self) -> None:
        self.system.section(f"{self.demand.player}: what may be reached")
        for place in self.places:
            self.system.boolean(self.active(place)[1])
        for place, mass in self.entry.items():
            self.system.add(implies(positive(mass), self.active(place)))
        for place in self.places:
            choices = self.product.choices(place[0])
            enabled = {self._action(c) for c in choices}
            for a in self.actions[self.key(place)]:
                if a not in enabled:
                    self.system.add(implies(self.active(place), neg(boolean(self.u(self.key(place), a)))))
            for c in choices:
                for step, target in self.after(place, c):
                    self.system.add(implies(conj([self.active(place), self.plays(place, c), step]), self.active(target)))

    def stays(self, place: Place, kind: frozenset[int]) -> Formula:
        return boolean(f"stays {self._at(place)}" + "".join(f" {i}" for i in sorted(kind)))

    def _rank(self, place: Place, why: str) -> Linear:
        return variable(self.system.real(f"rank {self._at(place)} {why}"))

    def _ends(self) -> None:
        """Each place of the tail that is reached waits for ever with one kind of conditions, or leads on and leaves."""
        system = self.system
        system.section(f"{self.demand.player}: where runs wait for ever")
        tail = [place for place in self.places if place[0] >= self.product.tail]
        for place in tail:
            node = place[0]
            for kind in self.kinds:
                system.boolean(self.stays(place, kind)[1])
            for k, kind in enumerate(self.kinds):
                here = self.stays(place, kind)
                for other in self.kinds[k + 1 :]:
                    system.add(disj([neg(here), neg(self.stays(place, other))]))
                system.add(implies(here, self.active(place)))
                if any(self.demand.meets(i, node) for i in self.demand.conditions if i not in kind):
                    system.add(neg(here))
                    continue
                for c in self.product.choices(node):
                    avoids = self.demand.quiet(c) and not any(self.demand.earns(i, c) for i in self.demand.conditions if i not in kind)
                    closed = self._complete(c) and avoids
                    going = conj([here, self.plays(place, c)])
                    if not closed:
                        system.add(neg(going))
                    else:
                        for step, target in self.after(place, c):
                            system.add(implies(conj([going, step]), self.stays(target, kind)))
                for i in kind:
                    if not self.demand.meets(i, node):
                        system.add(implies(here, self._nears(place, f"to {i}", partial(self.demand.earns, i))))
            staying = disj(self.stays(place, kind) for kind in self.kinds)
            leaving = self._nears(place, "to leave", lambda c: not self._complete(c))
            system.add(disj([neg(self.active(place)), staying, leaving]))

    def _complete(self, choice: int) -> bool:
        """None of its successors is settled."""
        return all(self.product.successor[t] >= 0 for t in self.product.transitions(choice))

    def _nears(self, place: Place, why: str, done: Callable[[int], bool]) -> Formula:
        """Some action that is played is done at once, or may lead to a place of lower rank (places at the goal have any rank)."""
        reasons = []
        for c in self.product.choices(place[0]):
            if done(c):
                reasons.append(self.plays(place, c))
                continue
            for step, target in self.after(place, c):
                if target != place:
                    reasons.append(conj([self.plays(place, c), step, less(self._rank(target, why), self._rank(place, why))]))
        return disj(reasons)

    # ------------------------------------------------------------ flows

    def x(self, place: Place, choice: int, group: Group) -> str:
        scale = f" discount {group}" if group is not None and len(self.tail_groups) > 1 else ""
        return f"x {self._at(place)} {self.names.action(choice)}{scale}"

    def _flow(self, group: Group) -> None:
        """Layers belong to the undiscounted pass; the tail of the undiscounted scale waits, the others fade."""
        system, product = self.system, self.product
        scale = f" discounted by {group}" if group is not None else ""
        system.section(f"{self.demand.player}: the flow{scale}")
        g = ONE if group is None else group
        first = 0 if group is None else product.tail
        last = len(product.nodes) if group is not None or self.ends else product.tail
        places = [place for place in self.places if first <= place[0] < last]
        inflow = {place: (self.entry if group is None else self.late).get(place, Linear()) for place in places}
        late: dict[Place, Linear] = {p: m for p, m in self.entry.items() if p[0] >= product.tail}
        for place in places:
            n = place[0]
            tail = n >= product.tail
            leaving = Linear()
            shares: dict[int, str] = {}
            for c in product.choices(n):
                name = shares[c] = system.share(self.x(place, c, group))
                leaving.add(name, ONE)
                system.add(implies(neg(self.plays(place, c)), at_most(variable(name), Linear())))
                self._earn(name, c, group, tail)
            self._tie(place, shares, leaving, group)
            for target, mass in self._split(place, shares, group).items():
                if not tail and target[0] >= product.tail:
                    late[target] = late.get(target, Linear()).plus(mass)
                if target in inflow:
                    inflow[target] = inflow[target].plus(mass, g if tail else ONE)
            if tail and group is None:
                self._waits(place, leaving)
        for place, arriving in inflow.items():
            leaving = Linear()
            for c in product.choices(place[0]):
                leaving.add(self.x(place, c, group), ONE)
            if place[0] >= product.tail and group is None:
                for kind in self.kinds:
                    leaving.add(self._z(place, kind), ONE)
            system.add(equal(leaving, arriving))
        if group is None:
            self.late = late

    def _z(self, place: Place, kind: frozenset[int]) -> str:
        return f"z {self._at(place)}" + "".join(f" {i}" for i in sorted(kind))

    def _waits(self, place: Place, going: Linear) -> None:
        for kind in self.kinds:
            mass = variable(self.system.share(self._z(place, kind)))
            self.system.add(implies(neg(self.stays(place, kind)), at_most(mass, Linear())))
            self.system.add(implies(self.stays(place, kind), at_most(going, Linear())))
            for i in kind:
                if i in self.demand.infinite:
                    self.diverging[i].add(self._z(place, kind), ONE)
                else:
                    self.values[i].add(self._z(place, kind), ONE)

    def _earn(self, name: str, choice: int, group: Group, tail: bool) -> None:
        for i, value in self.values.items():
            stream = self.product.streams[i]
            if not tail or (stream.group == group and stream.kind != "horizon"):
                reward = self.demand.reward(i, choice, group, tail)
                if reward:
                    value.add(name, reward)

    def _tie(self, place: Place, shares: dict[int, str], leaving: Linear, group: Group) -> None:
        """Every action that is played gets its share, the same one in every copy."""
        key = self.key(place)
        if self.fixed(key) or len(shares) == 1:
            return
        if key not in self.tied:
            for c, name in shares.items():
                self.system.add(disj([neg(self.plays(place, c)), positive(variable(name)), at_most(leaving, Linear())]))
            return
        scale = "" if group is None else f" discount {group}"
        total = self.system.real(f"passes {self._at(place)}{scale}")
        self.system.add(equal(variable(total), leaving))
        for c, name in shares.items():
            self.system.add(("times", name, self.p(key, self._action(c)), total))

    def _split(self, place: Place, shares: dict[int, str], group: Group) -> dict[Place, Linear]:
        """What arrives where; with a memory, all of it in the node that the move names."""
        product = self.product
        arrives: dict[int, Linear] = {}
        for c, name in shares.items():
            for t in product.transitions(c):
                if product.successor[t] >= 0:
                    arrives.setdefault(product.successor[t], Linear()).add(name, exact(product.probability[t]))
        if self.look.nodes == 1:
            return {(n, 0): mass for n, mass in arrives.items()}
        found: dict[Place, Linear] = {}
        scale = "" if group is None else f" discount {group}"
        for n, mass in arrives.items():
            total = mass.scaled(-ONE)
            for q in range(self.look.nodes):
                name = self.system.share(f"y {self._at(place)} {self._at((n, q))}{scale}")
                self.system.add(implies(neg(self.move(place[1], self.seen(place[0]), self.seen(n), q)), at_most(variable(name), Linear())))
                total.add(name, ONE)
                found[n, q] = variable(name)
            self.system.add(equal(total, Linear()))
        return found

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
                        target = next((k for k in range(self.look.nodes) if self._moves_to(model, q, s, following, k)), 0)
                        moves[following] = target
                        queue.append((target, following))
            rules[q, s] = (tuple((a, share / total) for a, share in sorted(law.items())), moves)
        return Controller(tuple(start), rules)

    def _moves_to(self, model: Model, node: int, state: int, following: int, target: int) -> bool:
        return self.look.nodes == 1 or model.truth(self.move(node, self.view(state), self.view(following), target)[1])

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
