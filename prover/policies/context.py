"""What the claims of one spec share: explored worlds, state conditions, well-definedness, named policies."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from dsl.diagnostic import Diagnostic, SpecError
from dsl.record import dataclass
from dsl.semantics import show
from dsl.spec import Atom, Objective, Spec
from prover.policies.controller import Controller
from prover.policies.query import Query
from prover.solve.welldefined import Diverges, WellDefined, diverges, well_defined
from prover.worlds.automaton import longest_bound
from prover.worlds.explore import explore
from prover.worlds.mdp import Mdp
from prover.worlds.objective import Stream
from prover.worlds.product import Product, build


@dataclass(frozen=True)
class WorldSummary:
    name: str
    states: int
    choices: int
    transitions: int
    seconds: float


# States, times the steps that horizons and bounds count:
LARGE = 2_500  # beyond this claims are first tried with certified enclosures
LARGE_FIND = 15_000  # beyond this thresholds are enclosed, not exact
LARGEST_EXACT = 20_000  # up to here the exact methods try what the enclosures leave open

BETWEEN = 0.2  # seconds between two messages of progress

Finder = Callable[["Context", str, Callable[[], None]], Controller]  # (context, named policy, clock)


class Context:
    """Everything here is computed once, when first asked for."""

    def __init__(
        self,
        spec: Spec,
        root: Path,
        finder: Finder,
        *,
        max_states: int = 10_000_000,
        progress: Callable[[str], None] | None = None,
        large: tuple[int, int] = (LARGE, LARGE_FIND),
    ) -> None:
        self.spec, self.root, self.max_states = spec, root, max_states
        self.large, self.large_find = large
        self.progress = progress or _silent
        self.mdps: dict[str, Mdp] = {}
        self.summaries: list[WorldSummary] = []
        self._columns: dict[tuple[str, Atom], Sequence[bool]] = {}
        self._defined: dict[tuple[Stream, Atom | None], WellDefined] = {}
        self.controllers: dict[str, Controller] = {}
        self._finder = finder
        self.flat: dict[Any, Any] = {}  # the arenas of large worlds (flat_decide.py), the last one used at the end

    def mdp(self, world: str) -> Mdp:
        known = self.mdps.get(world)
        if known is None:
            begin = time.perf_counter()
            known = explore(
                self.spec.world(world),
                max_states=self.max_states,
                progress=_exploring(world, self.progress),
            )
            self.mdps[world] = known
            self.summaries.append(WorldSummary(world, known.states, known.choices, known.transitions, time.perf_counter() - begin))
        return known

    def controller(self, policy: str, clock: Callable[[], None]) -> Controller:
        """The named policy as a controller; finding an optimal one is itself a search, so the finder is handed in."""
        known = self.controllers.get(policy)
        if known is None:
            known = self.controllers[policy] = self._finder(self, policy, clock)
        return known

    def conditions(self, world: str, atoms: Sequence[Atom]) -> list[Sequence[bool]]:
        """Where each state condition holds, one column for each."""
        result = []
        for atom in atoms:
            column = self._columns.get((world, atom))
            if column is None:
                column = self._columns[world, atom] = self.mdp(world).holds(atom.condition)
            result.append(column)
        return result

    def product(self, query: Query, world: str, streams: tuple[Stream, ...], depth: int, controller: Controller | None = None) -> Product:
        return build(self.mdp(world), self.conditions(world, query.atoms.of_world.get(world, [])), streams, depth, controller)

    def size(self, query: Query) -> int:
        """The nodes to expect: the states of the query's largest world, once for each step that its horizons and bounds count."""
        worlds = {stream.world for stream in query.streams} | {self.spec.policy_type(type).world for _, type in query.players}
        steps = 1 + max((max(s.steps, longest_bound(s.path) if s.path is not None else 0) for s in query.streams), default=0)
        return steps * max((self.mdp(world).states for world in worlds), default=0)

    def well_defined(self, query: Query, stream: Stream) -> WellDefined:
        """The certificate of a total or until stream; SpecError E310 that shows the loop if there is none."""
        atom = None if stream.atom is None else query.atoms.of_world[stream.world][stream.atom]
        key = (stream, atom)
        known = self._defined.get(key)
        if known is None:
            outcome = well_defined(self.product(query, stream.world, (stream,), 0), 0)
            if isinstance(outcome, Diverges):
                raise SpecError([self._diverges(outcome, query.origins[stream])])
            known = self._defined[key] = outcome
        return known

    def growth(self, query: Query, stream: Stream, sign: int) -> Diagnostic | None:
        """The loop around which ``sign`` times the reward grows for ever, as a diagnostic."""
        outcome = diverges(self.product(query, stream.world, (stream,), 0), 0, sign)
        return None if outcome is None else self._diverges(outcome, query.origins[stream])

    def _diverges(self, outcome: Diverges, objective: Objective) -> Diagnostic:
        mdp = outcome.product.mdp
        steps = []
        for node, choice in outcome.loop[:6]:
            action = mdp.actions[int(mdp.action[outcome.product.origin[choice]])]
            steps.append(f"({describe(mdp, outcome.product.nodes[node][0])}) --{action}-->")
        loop = " ".join(reversed(steps)) + (" ..." if len(outcome.loop) > 6 else " back")
        gain = f"{'+' if outcome.gain > 0 else ''}{outcome.gain}"
        text = "is paid for ever" if outcome.gain != 0 else "adds up to 0 a round and never settles"
        message = f"`{objective.text}` is not well defined: around this loop the reward {text} ({gain} a step): {loop}"
        return Diagnostic("E310", objective.span, message, "bound it with `horizon`, weigh it with `discount`, or end the episode")


def _exploring(world: str, tell: Callable[[str], None]) -> Callable[[int], None]:
    """``exploring W: 1,200,000 states, 830,000 states/s``, a few times a second."""
    begin = last = time.perf_counter()

    def told(states: int) -> None:
        nonlocal last
        now = time.perf_counter()
        if now - last >= BETWEEN:
            last = now
            tell(f"exploring {world}: {states:,} states, {round(states / (now - begin), -3):,.0f} states/s")

    return told


def _silent(message: str) -> None:
    """Nobody watches."""


def describe(mdp: Mdp, state: int) -> str:
    return ", ".join(f"{name} = {value if isinstance(value, str) else show(value)}" for name, value in mdp.named(state).items())
