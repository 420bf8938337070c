"""Every policy at once: the occupation measures of a product as linear constraints.

x(n, c) is how often choice c is expected in node n (discounted where the time scale is), z(n, w) the probability that the
run goes over to waiting for ever in n.  Flows alone admit circulations that no run reaches; ranks along positive flow
exclude them, so that the stationary policy x(n, c) / x(n) reproduces the flow.

A *clean* flow does one thing in a node: go on, or wait.  Mixtures of several clean flows with phases (how often a run has
passed a node where it could have waited) are what a controller can play; the plain flow is what decides.
"""

from __future__ import annotations

from fractions import Fraction

from prover.flint import fraction
from prover.policies.constraints import Linear, System, at_most, conj, disj, equal, less, number, positive, variable
from prover.policies.controller import Controller, mix
from prover.policies.encode_common import Demand, Group, Names, NotEncoded, Wait, unfolded, waits
from prover.policies.smt import Model
from prover.worlds.components import maximal_end_components

ZERO, ONE = Fraction(0), Fraction(1)
Place = tuple[int, int]  # phase, node
Doing = tuple[str, int]  # ("go", phase) or ("wait", index of the wait)


class Flow:
    """``values[i]``: the value of stream i of the product as a linear term; ``exact``: no policy and no more than policies."""

    def __init__(self, system: System, demand: Demand, copies: int = 1, phases: int = 1, clean: bool = False, ranked: bool = True) -> None:
        self.system, self.demand, self.product = system, demand, demand.product
        self.copies, self.phases, self.clean, self.ranked = copies, phases, clean, ranked
        self.names = Names(self.product)
        self.exact = len(demand.groups) <= 1
        if clean and not self.exact:
            raise NotEncoded("a mixture of time scales has no stationary policy to read off")
        self.waits: list[Wait] = waits(demand) if None in demand.groups else []
        self.able = {n for wait in self.waits for n in wait.nodes}
        self.loops = self._loops()
        self.values = {i: number(fraction(self.product.offset[i])) for i in sorted(demand.used - demand.infinite)}
        self.diverging = {i: Linear() for i in demand.infinite}
        self.weights: list[Linear] = []
        for copy in range(copies):
            self._copy(copy)
        if copies > 1:
            total = number(-ONE)
            for weight in self.weights:
                total = total.plus(weight)
            system.add(equal(total, Linear()))
        for mass in self.diverging.values():
            system.add(positive(mass))

    def _loops(self) -> list[frozenset[int]]:
        """The end components of the tail around which an undiscounted flow might circulate and earn."""
        product = self.product
        if None not in self.demand.groups or not self.ranked:
            return []
        nodes = range(product.tail, len(product.nodes))
        graph = {n: {c: [product.successor[t] for t in product.transitions(c)] for c in product.choices(n)} for n in nodes}
        streams = [i for i in self.demand.used - self.demand.infinite if product.streams[i].kind != "recurrence"]
        found = maximal_end_components(graph)
        return [frozenset(members) for members, choices in found if any(product.earns[i][c] for i in streams for c in choices)]

    # ------------------------------------------------------------ names

    def _tag(self, copy: int, phase: int) -> str:
        parts = ([str(copy)] if self.copies > 1 else []) + ([f"phase {phase}"] if self.phases > 1 else [])
        return self.demand.player + (f"({', '.join(parts)})" if parts else "")

    def x(self, copy: int, phase: int, node: int, choice: int, group: Group) -> str:
        scale = f" discount {group}" if group is not None and not self.exact else ""
        return f"x {self._tag(copy, phase)} {self.names.node(node)} {self.names.action(choice)}{scale}"

    def z(self, copy: int, phase: int, node: int, wait: int) -> str:
        met = "".join(f" {i}" for i in sorted(self.waits[wait].met))
        return f"z {self._tag(copy, phase)} {self.names.node(node)} waits{' with' + met if met else ''}"

    # ------------------------------------------------------------ rows

    def _copy(self, copy: int) -> None:
        system, product = self.system, self.product
        tag = self._tag(copy, 0)
        weight = number(ONE) if self.copies == 1 else variable(system.share(f"weight {tag}"))
        self.weights.append(weight)
        entry: dict[int, Linear] = {}
        for n, p in product.start:
            if n >= 0:
                entry[n] = entry.get(n, Linear()).plus(weight, fraction(p))
        system.section(f"{tag}: the flow through the first {product.depth} steps" if product.depth else f"{tag}: the start")
        for n in range(product.tail):
            total = Linear()
            for c in product.choices(n):
                name = system.share(self.x(copy, 0, n, c, None))
                total.add(name, ONE)
                self._earn(name, c, None, False)
                for t in product.transitions(c):
                    if product.successor[t] >= 0:
                        entry.setdefault(product.successor[t], Linear()).add(name, fraction(product.probability[t]))
            system.add(equal(total, entry.get(n, Linear())))
        for group in self.demand.groups:
            self._tail(copy, group, entry)

    def _earn(self, name: str, choice: int, group: Group, tail: bool) -> None:
        for i, value in self.values.items():
            stream = self.product.streams[i]
            if not tail or (stream.group == group and stream.kind != "horizon"):
                reward = self.demand.reward(i, choice, group, tail)
                if reward:
                    value.add(name, reward)

    def _tail(self, copy: int, group: Group, entry: dict[int, Linear]) -> None:
        system, product = self.system, self.product
        nodes = range(product.tail, len(product.nodes))
        phases = self.phases if group is None else 1
        inflow: dict[Place, Linear] = {(p, n): Linear() for p in range(phases) for n in nodes}
        for n in nodes:
            inflow[0, n] = inflow[0, n].plus(entry.get(n, Linear()))
        into: dict[Place, list[tuple[Place, str]]] = {}
        outflow: dict[Place, Linear] = {}
        g = ONE if group is None else group
        how = f", discounted by {group}" if group is not None else ", or waits for ever"
        system.section(f"{self._tag(copy, 0)}: what comes in goes out{how}")
        for place in inflow:
            phase, n = place
            after = min(phase + 1, phases - 1) if n in self.able else phase
            outflow[place] = Linear()
            for c in product.choices(n):
                name = system.share(self.x(copy, phase, n, c, group))
                outflow[place].add(name, ONE)
                self._earn(name, c, group, True)
                for t in product.transitions(c):
                    if product.successor[t] >= 0:
                        target = (after, product.successor[t])
                        inflow[target].add(name, g * fraction(product.probability[t]))
                        into.setdefault(target, []).append((place, name))
        for place, arriving in inflow.items():
            leaving = outflow[place]
            if group is None:
                leaving = leaving.plus(self._sinks(copy, place, leaving))
            system.add(equal(leaving, arriving))
        if group is None and self.loops:
            self._ranks(copy, entry, into, outflow)

    def _sinks(self, copy: int, place: Place, going: Linear) -> Linear:
        phase, n = place
        total = Linear()
        sinks = [k for k, wait in enumerate(self.waits) if n in wait.nodes]
        for k in sinks:
            name = self.system.share(self.z(copy, phase, n, k))
            total.add(name, ONE)
            for i in self.waits[k].met:
                if i in self.demand.infinite:
                    self.diverging[i].add(name, ONE)
                else:
                    self.values[i].add(name, ONE)
        if self.clean:
            everything = going.plus(total)
            for k in sinks:
                one = variable(self.z(copy, phase, n, k))
                self.system.add(disj([at_most(one, Linear()), at_most(everything.plus(one, -ONE), Linear())]))
        return total

    def _ranks(self, copy: int, entry: dict[int, Linear], into: dict[Place, list[tuple[Place, str]]], outflow: dict[Place, Linear]) -> None:
        self.system.section(f"{self._tag(copy, 0)}: a loop that is played is reached")
        for place, leaving in outflow.items():
            phase, n = place
            loop = next((loop for loop in self.loops if n in loop), None)
            if loop is None:
                continue

            def rank(at: Place) -> Linear:
                return variable(self.system.real(f"rank {self._tag(copy, at[0])} {self.names.node(at[1])}"))

            reasons = [at_most(leaving, Linear())]
            if phase == 0 and n in entry:
                reasons.append(positive(entry[n]))
            for source, name in into.get(place, ()):
                later = source[0] == phase and source[1] in loop
                if source != place:
                    reasons.append(conj([positive(variable(name)), *([less(rank(source), rank(place))] if later else [])]))
            self.system.add(disj(reasons))

    # ------------------------------------------------------------ back to a policy

    def decode(self, model: Model) -> Controller | None:
        """The policy of the flow; None if the flow both goes on and waits somewhere, or mixes time scales."""
        if self.product.controller is not None:
            return self.product.controller
        if not self.exact:
            return None
        parts = []
        for copy in range(self.copies):
            weight = model.at(self.weights[copy])
            if weight:
                part = self._decode_copy(model, copy)
                if part is None:
                    return None
                parts.append((weight, part))
        return mix(parts)

    def _decode_copy(self, model: Model, copy: int) -> Controller | None:
        product = self.product
        group = self.demand.groups[0] if self.demand.groups else None
        has_tail = bool(self.demand.groups)
        waiting: dict[Place, int] = {}
        for n in sorted(self.able):
            for phase in range(self.phases):
                mass = [k for k, wait in enumerate(self.waits) if n in wait.nodes and model.value(self.z(copy, phase, n, k))]
                if mass:
                    if len(mass) > 1 or any(model.value(self.x(copy, phase, n, c, group)) for c in product.choices(n)):
                        return None
                    waiting[phase, n] = mass[0]

        def enter(n: int, phase: int) -> Doing:
            wait = waiting.get((phase, n)) if n >= product.tail else None
            return ("go", phase) if wait is None else ("wait", wait)

        def play(n: int, mode: Doing) -> dict[int, Fraction]:
            word, k = mode
            choices = list(product.choices(n))
            if word == "wait":
                inner = [c for c in choices if c in self.waits[k].choices]
                return {c: Fraction(1, len(inner)) for c in inner}
            if n >= product.tail and not has_tail:
                return {choices[0]: ONE}
            flow = {c: model.value(self.x(copy, k, n, c, group if n >= product.tail else None)) for c in choices}
            total = sum(flow.values(), ZERO)
            return {c: v / total for c, v in flow.items() if v} if total else {choices[0]: ONE}

        def arrive(n: int, mode: Doing, following: int) -> Doing:
            word, k = mode
            if word == "wait":
                return word, k
            return enter(following, min(k + 1, self.phases - 1) if n in self.able else k)

        return unfolded(product, lambda n: enter(n, 0), play, arrive)
