"""Which combinations of events are possible: each is refuted by storey 1 or inhabited by a policy, when somebody asks."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from prover import counterexample
from prover.flint import fraction
from prover.policies.arena import controller_of
from prover.policies.belongs import belongs
from prover.policies.controller import Controller
from prover.policies.modulo import Counterexample
from prover.policies.query import ValueOf, evaluate, references
from prover.policies.theory import Bounds, Stuck
from prover.replay import Replay
from prover.training.bench import Bench, Refutation
from prover.training.measure import Literals
from prover.training.plan import Plan
from prover.training.vocabulary import SELF


@dataclass(frozen=True)
class Inhabitant:
    """A policy of the type, its replayed values, and the events that are certain of it."""

    controller: Controller
    values: dict[int, Fraction | None]  # stream -> value; None: infinite
    truth: dict[int, bool]
    parts: tuple[tuple[Fraction, Controller], ...]  # what the policy draws from at the start

    def agrees(self, literals: Literals) -> bool:
        return all(self.truth.get(event) is held for event, held in literals)


class Cells:
    """Literals are over the vocabulary's events."""

    def __init__(self, plan: Plan, bench: Bench) -> None:
        self.plan, self.bench = plan, bench
        self.refuted: dict[Literals, Refutation] = {}
        self.inhabitants: list[Inhabitant] = []
        self.open: dict[Literals, str] = {}  # why neither was found

    def ask(self, literals: Literals) -> Literals | Inhabitant | str:
        """A part of the literals that no policy satisfies, a policy that satisfies all, or why neither was found."""
        for known in self.refuted:
            if set(known) <= set(literals):
                return known
        found = self._inhabitant(literals)
        if found is not None:
            return found
        if literals in self.open:
            return self.open[literals]
        answer = self._storey1(literals)
        if isinstance(answer, Refutation):
            return self._smallest(literals, answer)
        self.open[literals] = (
            answer if isinstance(answer, str) else "a policy was found, but an infinite value or an inexact optimum leaves its events open"
        )
        found = self._inhabitant(literals)
        return self.open[literals] if found is None else found

    def _inhabitant(self, literals: Literals) -> Inhabitant | None:
        return next((one for one in self.inhabitants if one.agrees(literals)), None)

    def _storey1(self, literals: Literals) -> Refutation | Inhabitant | str:
        events = self.plan.vocabulary.events
        simple_first = sorted(literals, key=lambda literal: self._size(literal[0]))  # the tree decides comparisons in this order
        wanted = ("and", *(events[e] if held else ("not", events[e]) for e, held in simple_first))
        answer = self.bench.ask(("not", wanted))
        match answer:
            case Refutation():
                return answer
            case Stuck(reason):
                return reason
            case Counterexample(controllers=controllers, parts=parts):
                controller = controllers.get(SELF) or self._any()
                if controller is None:
                    return "no policy of the type was found"
                drawn = [(fraction(weight), controller_of(point)) for weight, _, point in parts.get(SELF) or () if weight != 0]
                return self.settle(controller, tuple(drawn))

    def _size(self, event: int) -> int:
        return len(references(self.plan.vocabulary.events[event]))

    def _smallest(self, literals: Literals, answer: Refutation) -> Literals:
        """Leaves literals out as long as the rest is impossible; the policies met on the way are kept."""
        kept = literals
        for literal in sorted(literals, key=lambda literal: -self._size(literal[0])):
            shorter = tuple(other for other in kept if other != literal)
            if self._inhabitant(shorter) is not None:
                continue
            again = self._storey1(shorter)
            if isinstance(again, Refutation):
                kept, answer = shorter, again
        self.refuted[kept] = answer
        return kept

    def _any(self) -> Controller | None:
        stage = self.bench.first()
        arena = stage.theory.arenas[SELF]
        arena.sup({}, frozenset(), {})
        mdp = arena.product.mdp
        return next((c for point in arena.points if belongs(c := controller_of(point), self.plan.type, mdp)), None)

    def settle(self, controller: Controller, parts: tuple[tuple[Fraction, Controller], ...] = ()) -> Inhabitant:
        """Replays the policy by the reference semantics and decides every event that its values and the optima decide."""
        plan, query = self.plan, self.plan.query
        world = plan.context.spec.world(plan.type.world)
        mdp = plan.context.mdp(world.name)
        replay = Replay(world, mdp, query.atoms.of_world.get(world.name, []), controller)
        values = {i: replay.value(stream) for i, stream in enumerate(query.streams) if stream.world == world.name}
        known: dict[tuple[str, int], Fraction | None] = {(SELF, i): value for i, value in values.items()}
        known |= self.bench.named_values()
        bounds = [Bounds(o.lower, o.upper) for o in self.bench.first().optima]
        signs = self.bench.signs()
        truth: dict[int, bool] = {}
        for i, inequality in enumerate(query.inequalities):
            if all((t.policy, t.stream) in known for _, t in inequality.terms if isinstance(t, ValueOf)):
                held = counterexample.holds(inequality, query.streams, known, bounds, None, signs)
                if held is not None:
                    truth[i] = held
        events = {e: held for e, s in enumerate(plan.vocabulary.events) if (held := evaluate(s, truth)) is not None}
        one = Inhabitant(controller, values, events, parts or ((Fraction(1), controller),))
        self.inhabitants.append(one)
        return one
