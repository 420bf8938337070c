"""Questions to storey 1 that one statement about training asks: which combinations of events are possible, what a given policy satisfies.

All questions share the arenas, the optima and the unrolling depths, so that their lemmas can stand in one proof document.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction

from prover.counterexample import replay, used_streams
from prover.flint import fmpq
from prover.policies.arena import Arena
from prover.policies.context import Context
from prover.policies.controller import Controller
from prover.policies.decide import Stage, fixed_arena, stages
from prover.policies.modulo import Counterexample, Search
from prover.policies.optimum import NoPolicyFoundError
from prover.policies.query import Inequality, Query, Skeleton, references
from prover.policies.theory import Stuck, Theory, Tree
from prover.solve.exact import Supremum
from prover.training.vocabulary import SELF
from prover.worlds.objective import Stream
from prover.worlds.product import ProductTooLarge

NOTHING = Inequality("<=", (), Fraction(0))


@dataclass(frozen=True)
class Refutation:
    """``tree`` shows that the formula asked about holds for the policy (or for all)."""

    tree: Tree
    theory: Theory
    depth: int  # which of the unrollings


class Bench:
    """The policy drawn from T is the player SELF: any policy of the type, or a given controller."""

    def __init__(self, context: Context, query: Query, clock: Callable[[], None]) -> None:
        self.context, self.query, self.clock = context, query, clock
        self._makers = stages(context, query, clock)
        self._stages: list[Stage] = []
        self._arenas: dict[tuple[int, int], tuple[Controller, Arena]] = {}
        self._truths: dict[tuple[Skeleton, int], tuple[bool, Refutation] | None] = {}
        self._named: dict[tuple[str, int], Fraction | None] | None = None

    def stage(self, depth: int) -> Stage | None:
        """The stage at an unrolling, from the first on; None behind the last."""
        while len(self._stages) <= depth:
            if len(self._stages) == len(self._makers):
                return None
            try:
                made = self._makers[len(self._stages)]()
            except (ProductTooLarge, NoPolicyFoundError):
                self._makers = self._makers[: len(self._stages)]
                return None
            arenas = {player: _settled(arena) for player, arena in made.theory.arenas.items()}
            self._stages.append(replace(made, theory=Theory(made.query, arenas, made.theory.optima)))
        return self._stages[depth]

    def optima(self, depth: int) -> Stage:
        """The stage whose bounds of the optima a proof with refutations up to this depth states: no less tight than theirs."""
        stage = self.stage(depth)
        if stage is None:
            raise RuntimeError("this unrolling was not built")
        return stage

    def arena(self, controller: Controller, depth: int) -> Arena:
        """The chain that a controller makes of T's world."""
        key = (id(controller), depth)
        if key not in self._arenas:
            stage = self.optima(depth)
            base = stage.theory.arenas[SELF].product
            world = base.mdp.world
            made = self.context.product(self.query, world, base.streams, base.depth, controller)
            arena = fixed_arena(made, stage.theory.arenas[SELF].flaggable)
            self._arenas[key] = (controller, arena)
        return self._arenas[key][1]

    def ask(self, skeleton: Skeleton, controller: Controller | None = None) -> Refutation | Counterexample | Stuck:
        """Does the formula hold for every policy of the type (or for this one, which the caller keeps alive)?"""
        outcome: Tree | Counterexample | Stuck = Stuck("the world times the memory of the objectives is too large")
        # What the formula does not mention must not be told apart into finite and infinite cases.
        asked = set(references(skeleton))
        inequalities = tuple(q if i in asked else NOTHING for i, q in enumerate(self.query.inequalities))
        depth = 0
        while (stage := self.stage(depth)) is not None:
            self.clock()
            query = replace(self.query, skeleton=skeleton, inequalities=inequalities)
            arenas, types = dict(stage.theory.arenas), dict(stage.types)
            if controller is not None:
                arenas[SELF], types[SELF] = self.arena(controller, depth), None
            theory = Theory(query, arenas, stage.theory.optima)
            outcome = Search(query, theory, types, self.clock).decide()
            if isinstance(outcome, tuple):
                return Refutation(outcome, theory, depth)
            if isinstance(outcome, Counterexample):
                return outcome
            depth += 1
        return outcome if isinstance(outcome, Stuck) else Stuck("no unrolling was tried")

    def truth(self, skeleton: Skeleton, controller: Controller) -> tuple[bool, Refutation] | None:
        """Whether the policy satisfies the formula, with the proof; None if neither could be shown."""
        key = (skeleton, id(controller))
        if key not in self._truths:
            self._truths[key] = None
            for held in (True, False):
                answer = self.ask(skeleton if held else ("not", skeleton), controller)
                if isinstance(answer, Refutation):
                    self._truths[key] = held, answer
                    break
        return self._truths[key]

    def value(self, stream: int, controller: Controller) -> tuple[fmpq, Supremum, Supremum, Arena] | None:
        """The exact value of a stream under the policy with its upper and its lower bound; None if it is infinite."""
        depth = 0
        while (stage := self.stage(depth)) is not None:
            arena = self.arena(controller, depth)
            i = arena.product.stream_index(stage.query.streams[stream])
            value = arena.points[0].vector[i]
            upper, lower = (arena.sup({i: fmpq(sign)}, frozenset(), {}) for sign in (1, -1))
            if value is None or not isinstance(upper, Supremum) or not isinstance(lower, Supremum):
                return None
            if upper.bound == value and lower.bound == -value:
                return value, upper, lower, arena
            depth += 1
        return None

    # ------------------------------------------------------------ for replays

    def first(self) -> Stage:
        return self.optima(0)

    def signs(self) -> dict[Stream, int]:
        return {s: self.context.well_defined(self.query, s).sign for s in self.query.streams if s.sums_for_ever}

    def named_values(self) -> dict[tuple[str, int], Fraction | None]:
        """The replayed values of the named policies that events compare with."""
        if self._named is None:
            self._named = {}
            for name, type in self.query.named:
                made = replay(self.context, self.query, type, self.context.controller(name, self.clock))
                for i in used_streams(self.query, name):
                    self._named[name, i] = made.value(self.query.streams[i])
        return self._named


def _settled(arena: Arena) -> Arena:
    return arena if arena.product.controller is None else fixed_arena(arena.product, arena.flaggable)
