"""A world -> the explicit MDP of its reachable states, numbered in breadth-first order.

Small worlds are explored one state at a time by the reference semantics, because importing numpy costs as much as
proving one of them; larger ones start over in batches.  Both give the same MDP.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dsl.spec import World
from prover.worlds.mdp import Mdp
from prover.worlds.small import explore_small

SMALL = 300  # states
WIDEST = 1 << 62  # values, and the number of values, that columns hold


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
    small = explore_small(world, limit=SMALL, max_states=max_states, rewards=wanted, progress=progress)
    if small is not None:
        return small
    from prover.worlds.batch import explore_batch
    from prover.worlds.pack import TooWideError

    try:
        return explore_batch(world, max_states=max_states, rewards=wanted, progress=progress)
    except TooWideError:
        large = explore_small(world, limit=max_states, max_states=max_states, rewards=wanted, progress=progress)
        if large is None:
            raise RuntimeError(f"world {world.name}: the limit is the number of states allowed") from None
        return large
