"""Policies that must play alike in different places: flows tied to one decision for each view, across the copies of a state.

Under one support every node either leads on (ranks show that it leaves for good) or waits for ever in a set that the support
never leaves; then the flow is the only solution of its equations.  Deterministic policies and views with one copy need no
products of variables: x(n, c) / x(n) is the policy.  Elsewhere x(n, c) = p(view, action) * x(n).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from prover.flint import fraction
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
    positive,
    variable,
)  # fmt: skip
from prover.policies.encode_choice import ONE, Choices, Look, Place
from prover.policies.encode_common import Demand, Group

__all__ = ["Look", "Tied"]


class Tied(Choices):
    """``values[i]``: the value of stream i of the product as a linear term."""

    exact = True

    def __init__(self, system: System, demand: Demand, look: Look) -> None:
        super().__init__(system, demand, look)
        self.ends = None in demand.groups
        self.kinds = self._kinds()
        self.late: dict[Place, Linear] = {}  # what enters the tail
        self.values = {i: number(fraction(self.product.offset[i])) for i in sorted(demand.used - demand.infinite)}
        self.diverging = {i: Linear() for i in demand.infinite}
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

    # ------------------------------------------------------------ where runs go

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
                    taken = conj([self.active(place), self.plays(place, c), step])
                    self.system.add(implies(taken, self.active(target)))
                    state, following = (self.product.nodes[n][0] for n in (place[0], target[0]))
                    self.system.add(implies(taken, self.sees(place[1], state, following, target[1])))

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
            if tail and group is None:  # ranks speak of what is reached; elsewhere a loop could feed itself
                system.add(disj([self.active(place), at_most(leaving, Linear())]))
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
                    arrives.setdefault(product.successor[t], Linear()).add(name, fraction(product.probability[t]))
        if self.look.nodes == 1:
            return {(n, 0): mass for n, mass in arrives.items()}
        found: dict[Place, Linear] = {}
        scale = "" if group is None else f" discount {group}"
        for n, mass in arrives.items():
            total = mass.scaled(-ONE)
            for q in range(self.look.nodes):
                name = self.system.share(f"y {self._at(place)} {self._at((n, q))}{scale}")
                moves = self.move(place[1], product.nodes[n][0], q)
                self.system.add(implies(neg(moves), at_most(variable(name), Linear())))
                total.add(name, ONE)
                found[n, q] = variable(name)
            self.system.add(equal(total, Linear()))
        return found
