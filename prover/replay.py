"""The reference replay: a controller run against the spec's own semantics, one state at a time, exactly.

Nothing of the explorer, of the products or of the potentials is used: states are valuations, steps come from
``dsl.semantics``, and the values are recomputed from a chain that is built here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from heapq import heappop, heappush
from math import log

from dsl import semantics
from dsl.record import dataclass
from dsl.spec import Atom, World
from prover.flint import fmpq, fraction, rational
from prover.policies.controller import Controller
from prover.solve import chain
from prover.worlds import automaton
from prover.worlds.components import strongly_connected_components
from prover.worlds.mdp import Mdp
from prover.worlds.objective import Stream

Key = tuple[int, int]  # state, controller node
MAX_NODES = 200_000  # that the search for a trace visits


@dataclass(frozen=True)
class Step:
    """A state as a reader knows it, and the action played there (None at the end)."""

    state: Mapping[str, bool | int | str]
    action: str | None


@dataclass(frozen=True)
class Trace:
    steps: tuple[Step, ...]
    probability: Fraction


class Replay:
    """One controller in one world, followed by the reference semantics."""

    def __init__(self, world: World, mdp: Mdp, atoms: Sequence[Atom], controller: Controller) -> None:
        self.world, self.mdp, self.atoms, self.controller = world, mdp, atoms, controller
        self.names = [v.name for v in world.variables]
        self.index = {tuple(mdp.valuation(s)): s for s in range(mdp.states)}
        self._enabled: dict[int, list[semantics.Choice]] = {}

    def state(self, s: int) -> dict[str, bool | int]:
        return dict(zip(self.names, self.mdp.valuation(s), strict=True))

    def number(self, state: Mapping[str, bool | int]) -> int:
        return self.index[tuple(state[n] for n in self.names)]

    def holds(self, atom: int | None, s: int) -> bool:
        if atom is None:
            raise ValueError("a stream without its state condition")
        return bool(semantics.evaluate(self.atoms[atom].condition, self.state(s)))

    def starts(self) -> list[tuple[Key, Fraction]]:
        found: dict[Key, Fraction] = {}
        for state, mass in semantics.initial_states(self.world):
            s = self.number(state)
            for weight, node in self.controller.starts(s):
                found[s, node] = found.get((s, node), Fraction(0)) + mass * weight
        return list(found.items())

    def moves(self, key: Key) -> list[tuple[str, Key, Fraction, int]]:
        """(action, next key, probability, next state)."""
        s, node = key
        if s not in self._enabled:
            self._enabled[s] = semantics.enabled(self.world, self.state(s))
        actions, targets = self.controller.rule(node, s)
        result = []
        for action, share in actions:
            name = self.mdp.actions[action]
            choice = next(c for c in self._enabled[s] if c.action == name)
            for state, p in choice.outcomes:
                t = self.number(state)
                result.append((name, (t, targets.get(t, node)), share * p, t))
        return result

    # ------------------------------------------------------------ values

    def value(self, stream: Stream) -> Fraction | None:
        """The stream's value; None if it is infinite.  Horizons are summed step by step, the rest by one exact linear system."""
        if stream.kind == "horizon":
            return self._horizon(stream)
        nodes: dict[tuple[Key, object], int] = {}
        rows: list[chain.Row] = []
        constants: list[list[fmpq]] = []
        earns: list[bool] = []
        start: list[tuple[int, Fraction]] = []
        total = Fraction(0)
        queue: list[tuple[Key, object]] = []

        def visit(node: tuple[Key, object]) -> int:
            if node not in nodes:
                nodes[node] = len(queue)
                queue.append(node)
            return nodes[node]

        for key, mass in self.starts():
            memory = self._begin(stream, key[0])
            if memory == automaton.TRUE:
                total += mass
            start.append((visit((key, memory)), mass))
        factor = fmpq(1) if stream.factor is None else rational(stream.factor)
        for key, memory in queue:
            row: chain.Row = {}
            gain, any_gain = fmpq(0), False
            if not self._over(memory):
                for action, target, p, t in self.moves(key):
                    after = self._after(stream, memory, t)
                    earned = self._earned(stream, memory, after, key[0], action, t)
                    any_gain = any_gain or earned != 0
                    q = rational(p)
                    gain += q * rational(earned)
                    if factor != 0:
                        k = visit((target, after))
                        row[k] = row.get(k, fmpq(0)) + factor * q
            rows.append(row)
            constants.append([gain])
            earns.append(any_gain)
        if stream.factor is None:
            for component in strongly_connected_components([list(row) for row in rows]):
                inside = set(component)
                if any(not rows[k] or any(t not in inside for t in rows[k]) for k in component):
                    continue
                if any(earns[k] for k in component):
                    return None
                worth = (
                    fmpq(1) if stream.kind == "recurrence" and any(self.holds(stream.atom, queue[k][0][0]) for k in component) else fmpq(0)
                )
                for k in component:
                    rows[k], constants[k] = {}, [worth]
        values = chain.solve(rows, constants)
        return total + sum((mass * fraction(values[k][0]) for k, mass in start), Fraction(0))

    def _horizon(self, stream: Stream) -> Fraction:
        law = dict(self.starts())
        total = Fraction(0)
        for _ in range(stream.steps):
            following: dict[Key, Fraction] = {}
            for key, mass in law.items():
                for action, target, p, t in self.moves(key):
                    total += mass * p * self._reward(stream, key[0], action, t)
                    following[target] = following.get(target, Fraction(0)) + mass * p
            law = following
        return total

    def _reward(self, stream: Stream, s: int, action: str, t: int) -> Fraction:
        choice = next(c for c in self._enabled[s] if c.action == action)
        return semantics.reward(self.world, str(stream.reward), self.state(s), choice, self.state(t))

    def _begin(self, stream: Stream, s: int) -> object:
        if stream.path is not None:
            return automaton.progress(automaton.start(stream.path), lambda a: self.holds(a, s))
        return stream.kind == "until" and self.holds(stream.atom, s)

    def _after(self, stream: Stream, memory: object, t: int) -> object:
        if isinstance(memory, frozenset):
            return automaton.progress(memory, lambda a: self.holds(a, t))
        return memory or (stream.kind == "until" and self.holds(stream.atom, t))

    @staticmethod
    def _over(memory: object) -> bool:
        if isinstance(memory, frozenset):
            return memory in (automaton.TRUE, automaton.FALSE)
        return memory is True

    def _earned(self, stream: Stream, memory: object, after: object, s: int, action: str, t: int) -> Fraction:
        if stream.kind == "probability":
            return Fraction(int(after == automaton.TRUE and memory != automaton.TRUE))
        return Fraction(0) if stream.kind == "recurrence" else self._reward(stream, s, action, t)

    # ------------------------------------------------------------ traces

    def trace(self, stream: Stream, happens: bool = True) -> Trace | None:
        """The most probable run that makes the path formula true; or the most probable one after which it cannot become true any more."""
        possible = None if happens else self._possible(stream)
        done: set[tuple[Key, object]] = set()
        heap: list[tuple[float, int, tuple[Key, object], Fraction, tuple[object, ...]]] = []
        for count, (key, mass) in enumerate(self.starts()):
            heappush(heap, (-_log(mass), count, (key, self._begin(stream, key[0])), mass, ()))
        count = len(heap)
        while heap and len(done) < MAX_NODES:
            cost, _, node, mass, past = heappop(heap)
            if node in done:
                continue
            done.add(node)
            key, memory = node
            if node not in possible if possible is not None else memory == automaton.TRUE:
                return self._unwind(past, key, mass)
            if self._over(memory):
                continue
            for action, target, p, t in self.moves(key):
                after = (target, self._after(stream, memory, t))
                if after not in done:
                    count += 1
                    heappush(heap, (cost - _log(p), count, after, mass * p, (past, key, action)))
        return None

    def _possible(self, stream: Stream) -> set[tuple[Key, object]]:
        """The nodes from which the path formula can still become true."""
        into: dict[tuple[Key, object], list[tuple[Key, object]]] = {}
        queue = [(key, self._begin(stream, key[0])) for key, _ in self.starts()]
        seen = set(queue)
        for node in queue:
            key, memory = node
            if self._over(memory) or len(seen) > MAX_NODES:
                continue
            for _, target, _, t in self.moves(key):
                after = (target, self._after(stream, memory, t))
                into.setdefault(after, []).append(node)
                if after not in seen:
                    seen.add(after)
                    queue.append(after)
        found = {node for node in seen if node[1] == automaton.TRUE}
        pending = list(found)
        while pending:
            for source in into.get(pending.pop(), ()):
                if source not in found:
                    found.add(source)
                    pending.append(source)
        return found

    def likely(self, limit: int = 30) -> Trace:
        """The run that takes the most probable step each time, until it repeats or ``limit`` steps."""
        key, mass = max(self.starts(), key=lambda item: item[1])
        steps: list[Step] = []
        seen: set[Key] = set()
        while key not in seen and len(steps) < limit:
            seen.add(key)
            action, target, p, _ = max(self.moves(key), key=lambda move: move[2])
            steps.append(Step(self.mdp.named(key[0]), action))
            key, mass = target, mass * p
        return Trace((*steps, Step(self.mdp.named(key[0]), None)), mass)

    def _unwind(self, past: tuple[object, ...], key: Key, mass: Fraction) -> Trace:
        steps = [Step(self.mdp.named(key[0]), None)]
        while past:
            previous, before, action = past
            steps.append(Step(self.mdp.named(before[0]), str(action)))  # type: ignore[index]
            past = previous  # type: ignore[assignment]
        return Trace(tuple(reversed(steps)), mass)



def _log(p: Fraction) -> float:
    """Of any positive rational, however small; only the order of the search depends on it."""
    return log(p.numerator) - log(p.denominator)
