"""One query in large worlds: flat arenas, enclosed optima, and the search over them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from dsl.diagnostic import Diagnostic, SpecError
from dsl.spec import PolicyType
from prover.flint import fmpq, rational
from prover.policies.flat_arena import FlatArena, FlatBound, FlatPolicy, TooHardError
from prover.policies.flat_defined import FlatDefined, flat_well_defined
from prover.policies.flat_search import FlatFixed, FlatSearch, FlatTheory, belongs
from prover.policies.query import OptimumQuery, Query
from prover.policies.theory import Bounds
from prover.worlds.flat import flatten
from prover.worlds.objective import Stream

if TYPE_CHECKING:
    from prover.policies.context import Context

KEPT = 2  # products that wait for further claims


@dataclass(frozen=True, eq=False)
class FlatOptimum:
    """lower <= optimum <= upper: ``attained`` reaches one side (shown by ``reached``), ``limit`` bounds the other."""

    lower: fmpq
    upper: fmpq
    attained: FlatPolicy
    reached: FlatBound
    limit: FlatBound


@dataclass(frozen=True, eq=False)
class FlatStage:
    """``defined``: the certificates of the total and until streams of the query."""

    query: Query
    theory: FlatTheory
    optima: list[FlatOptimum]
    search: FlatSearch
    defined: Mapping[Stream, FlatDefined]


def flat_stage(
    context: Context,
    query: Query,
    clock: Callable[[], None],
    tolerance: float,
    fixed: Mapping[str, FlatPolicy] | None = None,
) -> FlatStage:
    """``fixed``: policies that stand for variables.  TooHardError where a large world cannot be treated like this."""
    worlds: dict[str, list[Stream]] = {}
    for stream in query.streams:
        if stream.kind == "recurrence":
            raise TooHardError("what happens infinitely often (`G F`, `F G`) in a world of this size")
        worlds.setdefault(stream.world, []).append(stream)
    shared: dict[str, FlatArena] = {}
    defined: dict[Stream, FlatDefined] = {}
    for world, streams in worlds.items():
        arena, certificates = _arena(context, query, world, tuple(streams))
        arena.refine(tolerance)
        shared[world] = arena
        defined.update(certificates)
    arenas: dict[str, FlatArena | FlatFixed] = {}
    types: dict[str, PolicyType | None] = {}
    for player, type_name in query.players:
        type = context.spec.policy_type(type_name)
        policy = (fixed or {}).get(player)
        if policy is not None:
            arenas[player], types[player] = FlatFixed(policy.parts[0][1].arena.product, policy), None
        elif player in dict(query.named):
            raise TooHardError(f"the named policy {player}: in worlds of this size claims speak of quantified policies only")
        elif type.world in shared:
            arenas[player], types[player] = shared[type.world], type
        else:
            raise TooHardError(f"the claim says nothing about {player}'s objectives")
    optima = [_optimum(context, query, k, shared) for k in range(len(query.optima))]
    theory = FlatTheory(query, arenas, [Bounds(o.lower, o.upper) for o in optima])
    return FlatStage(query, theory, optima, FlatSearch(query, theory, types, clock), defined)


def _arena(context: Context, query: Query, world: str, streams: tuple[Stream, ...]) -> tuple[FlatArena, Mapping[Stream, FlatDefined]]:
    """Shared by the claims about the same streams: what was solved for one is a lemma, or a point, for the others."""
    atoms = tuple(query.atoms.of_world.get(world, ()))
    key = (world, streams, atoms)
    known = context.flat.pop(key, None)
    if known is None:
        while len(context.flat) >= KEPT:
            context.flat.pop(next(iter(context.flat)))
        context.progress(f"building the product of {world} with the memory of {len(streams)} objectives")
        arena = FlatArena(flatten(context.mdp(world), context.conditions(world, atoms), streams), {}, progress=context.progress)
        defined = {stream: flat_well_defined(arena, i) for i, stream in enumerate(streams) if stream.sums_for_ever}
        arena.flaggable = {streams.index(stream): found.sign for stream, found in defined.items() if found.finite is None}
        known = arena, defined
    context.flat[key] = known
    return known  # type: ignore[no-any-return]  # contexts know nothing of arenas


def _optimum(context: Context, query: Query, index: int, shared: Mapping[str, FlatArena]) -> FlatOptimum:
    """SpecError E311 if the extremum is infinite."""
    wanted = query.optima[index]
    type = context.spec.policy_type(wanted.over)
    arena = shared[type.world]
    sign = fmpq(1) if wanted.kind == "max" else fmpq(-1)
    weights = {arena.product.streams.index(query.streams[s]): sign * rational(c) for c, s in wanted.body}
    for i, w in weights.items():
        if i in arena.flaggable and (w > 0) != (arena.flaggable[i] == 1):
            raise _infinite(query, wanted, "some policies make it grow for ever" if wanted.kind == "max" else "some policies lose for ever")
    limit = arena.sup(weights, frozenset(), {})
    if limit.bound is None:
        raise _infinite(query, wanted, "under every policy the losses go on for ever")
    point = arena.join(limit.plan)
    policy = FlatPolicy(((Fraction(1), point),))
    if not belongs(policy, type):
        raise TooHardError(f"no policy of type {type.name} was found that attains `{wanted.text}`")
    reached = arena.fixed(point, {i: -w for i, w in weights.items()})
    if reached.bound is None:
        raise TooHardError(f"the policy found for `{wanted.text}` loses for ever")
    constant = sign * rational(wanted.constant)
    values = sorted((sign * (constant - reached.bound), sign * (limit.bound + constant)))
    return FlatOptimum(values[0], values[1], policy, reached, limit)


def _infinite(query: Query, wanted: OptimumQuery, why: str) -> SpecError:
    objective = query.origins[query.streams[wanted.body[0][1]]]
    message = f"`{wanted.text}` is infinite: {why}"
    return SpecError([Diagnostic("E311", objective.span, message, "bound the reward with `horizon` or `discount`, or end the episode")])
