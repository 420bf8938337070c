"""What an arena answers about a direction: a bound for every policy, one for memoryless policies, or a ray without a bound."""

from __future__ import annotations

from collections.abc import Mapping

from dsl.record import dataclass
from prover.flint import fmpq
from prover.solve.exact import Supremum, Unbounded
from prover.solve.live import Support


@dataclass(frozen=True)
class Combined:
    """A bound for memoryless policies: the largest of the bounds for each action that ``states`` can play.

    Each of these states is visited at most once a run, so drawing its action on arrival is drawing it at the start:
    the law of the run is a mixture of the laws with that action fixed.
    """

    weights: Mapping[int, fmpq]
    finite: frozenset[int]
    support: Support
    states: tuple[int, ...]
    parts: tuple[Supremum, ...]
    bound: fmpq | None


Lemma = Supremum | Combined


@dataclass(frozen=True)
class Ray:
    """A direction in which a player's streams have no bound."""

    player: str
    ray: Unbounded
    gains: tuple[fmpq, ...]  # what one round of the loop earns, by stream of the product
