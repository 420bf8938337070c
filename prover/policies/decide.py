"""One query, decided: arenas for its worlds, exact optima, the search, and deeper unrolling where time scales mix."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from fractions import Fraction

from dsl.diagnostic import Diagnostic, SpecError
from dsl.record import dataclass
from dsl.spec import PolicyType
from prover.flint import fmpq, rational
from prover.policies.arena import Arena
from prover.policies.context import Context
from prover.policies.controller import Controller
from prover.policies.modulo import Counterexample, Search, mixes
from prover.policies.optimum import NoPolicyFoundError, Optimum, optimum
from prover.policies.query import Interval, OptimumQuery, Query
from prover.policies.theory import Bounds, Stuck, Theory, Threshold, Tree
from prover.solve.evaluate import trivial_plan
from prover.worlds.automaton import longest_bound
from prover.worlds.objective import Stream
from prover.worlds.product import Product, ProductTooLarge

MAX_BISECTIONS = 60
PRECISION = Fraction(1, 10**6)
DEEPER = (8, 24, 64, 160)  # extra layers to try where objectives live on different time scales


@dataclass
class Decided:
    """``outcome``: a tree (the claim holds), a counterexample, or why neither was found."""

    query: Query
    theory: Theory
    optima: list[Optimum]
    outcome: Tree | Counterexample | Stuck
    threshold: Threshold | None = None
    method: str = "lazy"  # "smt": the direct encoding


@dataclass
class Stage:
    """A query with its theory at one unrolling depth."""

    query: Query
    theory: Theory
    optima: list[Optimum]
    search: Search
    types: Mapping[str, PolicyType | None] = field(default_factory=dict)


def stages(
    context: Context, query: Query, clock: Callable[[], None], fixed: Mapping[str, Controller] | None = None
) -> list[Callable[[], Stage]]:
    """The stages to try in turn: one, unless undiscounted and discounted tails (or two discounts) meet.

    ``fixed`` gives controllers for players that are neither variables nor named policies of the spec (witnesses).
    """
    least = max((s.steps for s in query.streams if s.kind == "horizon"), default=0)
    discounts = {s.factor for s in query.streams if s.kind == "discount"}
    endless = any(s.kind in ("total", "until", "recurrence", "probability") for s in query.streams)
    if not discounts or (len(discounts) == 1 and not endless):
        return [lambda: stage(context, query, least, clock, fixed)]
    bounded = [longest_bound(s.path) for s in query.streams if s.kind == "probability" and s.path is not None]
    least = max([least, *bounded])
    return [lambda extra=extra: stage(context, query, least + extra, clock, fixed) for extra in (0, *DEEPER)]  # type: ignore[misc]


def stage(context: Context, query: Query, depth: int, clock: Callable[[], None], fixed: Mapping[str, Controller] | None) -> Stage:
    spec = context.spec
    worlds: dict[str, list[Stream]] = {}
    for stream in query.streams:
        worlds.setdefault(stream.world, []).append(stream)
    flaggable: dict[str, dict[int, int]] = {}
    for world, streams in worlds.items():
        flaggable[world] = {}
        for i, stream in enumerate(streams):
            if stream.sums_for_ever:
                certificate = context.well_defined(query, stream)
                if certificate.finite is None:
                    flaggable[world][i] = certificate.sign
    arenas: dict[str, Arena] = {}
    shared: dict[str, Arena] = {}

    def world_arena(world: str) -> Arena:
        if world not in shared:
            shared[world] = Arena(context.product(query, world, tuple(worlds.get(world, ())), depth), flaggable.get(world, {}))
        return shared[world]

    types: dict[str, PolicyType | None] = {}
    for player, type_name in query.players:
        type = spec.policy_type(type_name)
        controller = (fixed or {}).get(player)
        if controller is None and player in dict(query.named):
            controller = context.controller(player, clock)
        if controller is None:
            types[player] = type
            arenas[player] = world_arena(type.world)
        else:
            types[player] = None
            made = context.product(query, type.world, tuple(worlds.get(type.world, ())), depth, controller)
            arenas[player] = fixed_arena(made, flaggable.get(type.world, {}))

    def optimum_arena(wanted: OptimumQuery) -> Arena:
        """Its own product where the other streams would only bring memory: for restricted types, and beside other time scales."""
        type = spec.policy_type(wanted.over)
        own = tuple(query.streams[i] for _, i in wanted.body)
        least = own_depth(own)
        if least is None or (mixes(type) and least == depth):
            return world_arena(type.world)
        made = context.product(query, type.world, own, least)
        return Arena(
            made, {i: flaggable[type.world][k] for i, s in enumerate(own) if (k := worlds[type.world].index(s)) in flaggable[type.world]}
        )

    optima = [optimum(context, query, k, optimum_arena(o), clock) for k, o in enumerate(query.optima)]
    theory = Theory(query, arenas, [Bounds(o.lower, o.upper) for o in optima])
    return Stage(query, theory, optima, Search(query, theory, types, clock), types)


def own_depth(streams: Sequence[Stream]) -> int | None:
    """The layers that these streams need by themselves; None if they live on different time scales."""
    groups = {s.factor for s in streams if s.kind != "horizon"}
    if len(groups) > 1:
        return None
    return max((s.steps for s in streams if s.kind == "horizon"), default=0)


def fixed_arena(product: Product, flaggable: Mapping[int, int]) -> Arena:
    """The arena of one policy: only what it makes infinite needs a flag."""
    arena = Arena(product, {})
    point = arena.join(trivial_plan(product))
    arena.flaggable = {i: sign for i, sign in flaggable.items() if point.vector[i] is None}
    return arena


def decide(context: Context, query: Query, clock: Callable[[], None], fixed: Mapping[str, Controller] | None = None) -> Decided:
    """Proves or refutes a ``forall`` query."""
    last: Decided | None = None
    for make in stages(context, query, clock, fixed):
        try:
            current = make()
        except ProductTooLarge:
            break
        except NoPolicyFoundError as reason:
            return last or Decided(query, Theory(query, {}, []), [], Stuck(str(reason)))
        outcome = current.search.decide()
        last = Decided(query, current.theory, current.optima, outcome)
        if not isinstance(outcome, Stuck):
            return last
    if last is None:
        raise SpecError(
            [Diagnostic("E307", next(iter(query.origins.values())).span, "the world times the memory of the objectives is too large", None)]
        )
    return last


@dataclass
class Found:
    """The threshold of a find: the claim holds up to ``value`` (None: infinity), itself included if ``attained``.

    ``breaks`` shows that it fails right behind.  ``exact`` False: only the proved side is known, ``value`` is a bound from that side.
    """

    decided: Decided
    value: fmpq | None
    attained: bool
    breaks: Counterexample | None
    exact: bool
    reason: str | None = None
    beyond: fmpq | None = None  # not exact: it certainly fails behind this value

    def width(self) -> fmpq:
        return abs(self.beyond - self.value) if self.beyond is not None and self.value is not None else fmpq(0)


def find(context: Context, query: Query, clock: Callable[[], None], precision: Fraction = PRECISION) -> Found | Stuck:
    """Lowers the threshold from counterexample to counterexample; every one is a vertex of finitely many."""
    interval = query.unknown
    if interval is None:
        raise ValueError("find needs an unknown")
    best: Found | Stuck = Stuck("no unrolling was tried")
    for make in stages(context, query, clock):
        try:
            current = make()
        except ProductTooLarge:
            break
        except NoPolicyFoundError as reason:
            return best if isinstance(best, Found) else Stuck(str(reason))
        outcome = _descend(current, query, clock, precision)
        if isinstance(outcome, Found) and (
            outcome.exact or outcome.width() <= rational(precision) * max(fmpq(1), abs(outcome.value or fmpq(0)))
        ):
            return outcome
        if isinstance(outcome, Found) or isinstance(best, Stuck):
            best = outcome
    return best


def _enclose(
    current: Stage, query: Query, clock: Callable[[], None], threshold: Threshold | None, breaks: Counterexample | None, precision: Fraction
) -> Found | None:
    """Bisects between what fails and what can be proved, where no exact answer comes (mixed time scales)."""
    interval = query.unknown
    if interval is None or threshold is None or breaks is None:
        return None
    start = interval.low if interval.direction == "maximal" else interval.high
    if start is None:
        return None
    good, bad = rational(start), threshold.value
    reach = bad  # what lies between here and ``bad`` was tried in vain
    best: Decided | None = None
    trial: fmpq = good
    for _ in range(MAX_BISECTIONS):
        clock()
        row = Threshold(trial, _contains(interval, trial), interval.direction)
        outcome = current.search.decide(row)
        if isinstance(outcome, tuple):
            good, best = trial, Decided(query, current.theory, current.optima, outcome, row)
        elif isinstance(outcome, Counterexample) and outcome.edge is not None:
            bad = reach = outcome.edge
            breaks = outcome
        else:
            reach = trial
        if trial == reach == good or abs(reach - good) <= rational(precision) * max(fmpq(1), abs(bad)):
            break
        trial = (good + reach) / 2
    return None if best is None else Found(best, good, _contains(interval, good), breaks, False, beyond=bad)


def _descend(current: Stage, query: Query, clock: Callable[[], None], precision: Fraction) -> Found | Stuck:
    interval = query.unknown
    assert interval is not None
    direction = interval.direction
    end = interval.high if direction == "maximal" else interval.low
    threshold: Threshold | None = None
    breaks: Counterexample | None = None
    while True:
        clock()
        outcome = current.search.decide(threshold)
        if isinstance(outcome, Stuck):
            return _enclose(current, query, clock, threshold, breaks, precision) or outcome
        if not isinstance(outcome, Counterexample):
            break
        if outcome.edge is None:
            return Stuck("the threshold is not bounded on the side of the counterexamples")
        breaks = outcome
        following = Threshold(outcome.edge, False, direction)
        if threshold is not None and (
            following.value == threshold.value or (following.value > threshold.value) == (direction == "maximal")
        ):
            return Stuck("the policies of this type approach the threshold without reaching it")
        threshold = following
    decided = Decided(query, current.theory, current.optima, outcome, threshold)
    if threshold is None:
        value = None if end is None else rational(end)
        closed = interval.high_closed if direction == "maximal" else interval.low_closed
        return Found(decided, value, end is not None and closed, None, True)
    if not _contains(interval, threshold.value):
        return Found(decided, threshold.value, False, breaks, True)
    closed_threshold = Threshold(threshold.value, True, direction)
    at_edge = current.search.decide(closed_threshold)
    if isinstance(at_edge, Counterexample):
        return Found(decided, threshold.value, False, at_edge, True)
    if isinstance(at_edge, Stuck):
        return Found(decided, threshold.value, False, breaks, True, at_edge.reason)
    return Found(Decided(query, current.theory, current.optima, at_edge, closed_threshold), threshold.value, True, breaks, True)


def _contains(interval: Interval, value: fmpq) -> bool:
    above = interval.low is None or value > rational(interval.low) or (interval.low_closed and value == rational(interval.low))
    return above and (
        interval.high is None or value < rational(interval.high) or (interval.high_closed and value == rational(interval.high))
    )
