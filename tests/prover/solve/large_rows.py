"""Small products as arrays for the large solver, and the inequality of a potential in fractions, one choice at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from random import Random

import numpy as np

from prover.solve.potential import NULL
from prover.solve.rows import Gain, Rows
from prover.worlds.product import Product
from tests.prover.build_spec import f

Law = dict[int, Fraction]  # -1: settled


@dataclass
class Model:
    """``moves[node]``: the node's choices as (gain, law)."""

    moves: list[list[tuple[Fraction, Law]]]

    @property
    def laws(self) -> list[Law]:
        return [law for row in self.moves for _, law in row]

    @property
    def owners(self) -> list[int]:
        return [n for n, row in enumerate(self.moves) for _ in row]

    def rows(self) -> Rows:
        laws = self.laws
        distinct = sorted({p for law in laws for p in law.values()})
        return Rows(
            np.cumsum([0] + [len(row) for row in self.moves]),
            np.cumsum([0] + [len(law) for law in laws]),
            np.array([t for law in laws for t in law], dtype=np.int64),
            np.array([distinct.index(p) for law in laws for p in law.values()], dtype=np.int64),
            distinct,
        )

    def gain(self) -> Gain:
        return gain_of([g for row in self.moves for g, _ in row])

    def zero(self) -> np.ndarray:
        return np.array([g == 0 for row in self.moves for g, _ in row])


def gain_of(values: Sequence[Fraction]) -> Gain:
    distinct = sorted(set(values))
    return Gain(np.array([distinct.index(v) for v in values], dtype=np.int32), distinct)


def rows_of(product: Product) -> Rows:
    values = [f(p) for p in product.probability]
    distinct = sorted(set(values))
    index = np.array([distinct.index(p) for p in values], dtype=np.int64)
    successor = np.array(product.successor, dtype=np.int64)
    return Rows(np.array(product.choice_start), np.array(product.transition_start), successor, index, distinct)


def stream_gain(product: Product, stream: int) -> Gain:
    return gain_of([f(x) for x in product.reward[stream]])


def start_of(product: Product) -> list[tuple[int, Fraction]]:
    return [(n, f(p)) for n, p in product.start]


def table(numerators: np.ndarray, k: int) -> list[Fraction | None]:
    return [None if x is None or x == NULL else Fraction(int(x), 2**k) for x in numerators.tolist()]


def violations(rows: Rows, gain: Gain, values: Sequence[Fraction | None], discount: Fraction | None, usable: Sequence[bool]) -> int:
    """How many usable choices break the inequality; a usable choice may lead to valued nodes only."""
    broken = 0
    for n, mine in enumerate(values):
        for c in range(rows.choice_start[n], rows.choice_start[n + 1]):
            if not usable[c]:
                continue
            worth = Fraction(0)
            for t in range(rows.transition_start[c], rows.transition_start[c + 1]):
                if rows.successor[t] >= 0:
                    later = values[rows.successor[t]]
                    assert later is not None
                    worth += rows.probabilities[rows.index[t]] * later
            assert mine is not None
            broken += mine < gain.values[gain.index[c]] + (1 if discount is None else discount) * worth
    return broken


def random_model(rng: Random, nodes: int, loss: bool = False) -> Model:
    """Only settling pays (``loss``: nothing does), other gains are losses or nothing; some loops are free."""
    moves = []
    for n in range(nodes):
        row = []
        for _ in range(rng.choice([1, 1, 2, 3])):
            match rng.choice(["anywhere", "near", "free"]):
                case "anywhere":
                    targets = rng.sample(range(-1, nodes), rng.choice([1, 2, 3]))
                case "near":
                    targets = [max(-1, n - rng.randrange(4)), n]
                case _:
                    targets = [(n + rng.choice([-1, 1, 2])) % nodes for _ in range(rng.choice([1, 1, 2]))]
            targets = list(dict.fromkeys(targets))
            cuts = sorted(rng.sample(range(1, 12), len(targets) - 1))
            parts = [Fraction(b - a, 12) for a, b in zip([0, *cuts], [*cuts, 12], strict=True)]
            amount = Fraction(rng.choice([0, 0, 1, 2, 5]), rng.choice([1, 3]))
            row.append((amount if -1 in targets and not loss else -amount, dict(zip(targets, parts, strict=True))))
        moves.append(row)
    return Model(moves)
