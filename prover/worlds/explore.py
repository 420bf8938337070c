"""A world -> the explicit MDP of its reachable states, numbered in breadth-first order.

Small worlds are explored one state at a time by the reference semantics, because importing numpy costs as much as
proving one of them; larger ones start over in batches.  Both give the same MDP.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from dsl.spec import Synchronised, World
from prover.worlds.mdp import Mdp
from prover.worlds.small import explore_small

SMALL = 300  # states
LITTLE = 16  # ... where numpy is loaded anyway
WORK = 5_000  # guards that the reference semantics evaluates in the time in which numpy is imported


class Interrupted(KeyboardInterrupt):
    """Says how far exploration came."""


def explore(
    world: World,
    *,
    max_states: int = 10_000_000,
    rewards: Sequence[str] | None = None,
    progress: Callable[[int], None] | None = None,
) -> Mdp:
    """``rewards`` None: all; ``progress`` is called now and then with the number of states found so far.

    Raises SpecError with one diagnostic for the first state, breadth-first, in which the world makes no sense:
    E301 value out of range, E302 bad distribution, E303 deadlock, E304 division by zero, E305 ambiguous action,
    E306 index outside a grid, E307 too many states, E308 bad initial distribution, E309 number too large.
    """
    wanted = tuple(dict.fromkeys(rewards)) if rewards is not None else tuple(reward.name for reward in world.rewards)
    declared = {reward.name for reward in world.rewards}
    for name in wanted:
        if name not in declared:
            raise ValueError(f"world {world.name} has no reward {name}")
    found = 0

    def tell(states: int) -> None:
        nonlocal found
        found = states
        if progress is not None:
            progress(states)

    try:
        return _explored(world, wanted, max_states, tell)
    except KeyboardInterrupt:
        raise Interrupted(f"while world `{world.name}` was explored, {found:,} states so far") from None


def _explored(world: World, wanted: Sequence[str], max_states: int, progress: Callable[[int], None]) -> Mdp:
    few = min(SMALL, max(1, WORK // max(1, _commands(world))))
    if "numpy" in sys.modules:  # then there is little to save
        few = min(few, LITTLE)
    small = explore_small(world, limit=few, max_states=max_states, rewards=wanted, progress=progress)
    if small is not None:
        return small
    if world.table is not None:
        from prover.worlds.listed import explore_table

        return explore_table(world, world.table, max_states=max_states, rewards=wanted, progress=progress)
    from prover.worlds.batch import explore_batch
    from prover.worlds.pack import TooWideError

    try:
        return explore_batch(world, max_states=max_states, rewards=wanted, progress=progress)
    except TooWideError:
        large = explore_small(world, limit=max_states, max_states=max_states, rewards=wanted, progress=progress)
        if large is None:
            raise RuntimeError(f"world {world.name}: the limit is the number of states allowed") from None
        return large


def _commands(world: World) -> int:
    return sum(sum(map(len, action.parts)) if isinstance(action, Synchronised) else 1 for action in world.actions)
