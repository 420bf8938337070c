"""Both indices against a dictionary: numbers by first appearance, across batches and growth."""

from __future__ import annotations

import numpy as np
import pytest

from dsl.types import Int
from prover.worlds.pack import Layout, layout
from prover.worlds.state_index import DirectIndex, HashIndex
from tests.prover.worlds.build import variable

ONE_WORD = layout([variable("x", Int(0, 9_999), 0)])
TWO_WORDS = layout([variable("x", Int(0, 1 << 40), 0), variable("y", Int(0, 1 << 40), 0)])


@pytest.mark.parametrize(("index", "form"), [(DirectIndex, ONE_WORD), (HashIndex, ONE_WORD), (HashIndex, TWO_WORDS)])
def test_numbers_by_first_appearance(index: type, form: Layout) -> None:
    random = np.random.default_rng(7)
    states, numbered = index(form), dict[tuple[int, ...], int]()
    for size in [1, 5, 0, 300, 3_000, 20, 6_000]:
        keys = tuple(random.integers(0, 100 if form.words == 2 else 10_000, size) << (33 * word) for word in range(form.words))
        expected = [numbered.setdefault(key, len(numbered)) for key in zip(*(word.tolist() for word in keys), strict=True)]
        assert states.number(keys).tolist() == expected
        assert states.size == len(numbered)
    stored = states.states(0, states.size)
    assert list(zip(*(word.tolist() for word in stored), strict=True)) == list(numbered)


def test_a_view_of_states_survives_growth() -> None:
    states = HashIndex(ONE_WORD)
    states.number((np.arange(10, dtype=np.int64),))
    (view,) = states.states(0, 10)
    states.number((np.arange(5_000, dtype=np.int64),))
    assert view.tolist() == list(range(10))
