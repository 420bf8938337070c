"""The compiled fixpoints and the collapse against live.py, collapse.py and their definitions."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prover.solve import liveness_large
from prover.solve.collapse import collapse
from prover.solve.large import Large
from prover.solve.live import allowed_choices, liveness
from prover.worlds.components import maximal_end_components
from prover.worlds.objective import Stream
from prover.worlds.product import build
from tests.prover.build_spec import few, tables
from tests.prover.solve.large_rows import Model, random_model, rows_of

TOTAL = Stream("W", "total", reward="pay")
UNTIL = Stream("W", "until", reward="pay", atom=0)


@pytest.fixture(params=[0, 3], ids=["backwards", "passes"])
def passes(request, monkeypatch):
    monkeypatch.setattr(liveness_large, "PASSES", request.param)


@few(100)
@given(tables(most=6, actions=3), st.sampled_from([(TOTAL,), (UNTIL,), (TOTAL, UNTIL)]))
def test_as_on_small_products(table, streams):
    product = build(table.mdp(), table.conditions(), streams, 0)
    if not product.nodes:
        return
    zero = bytearray(not any(row[c] for row in product.earns) for c in range(len(product.origin)))
    small = liveness(product, zero, allowed_choices(product, {}), {})
    large = Large(rows_of(product))
    mask = np.array(list(zero), dtype=bool)
    found = large.liveness(mask)
    assert found.stay.tolist() == [bool(x) for x in small.stay]
    assert found.live.tolist() == [bool(x) for x in small.live]
    assert np.flatnonzero(found.usable).tolist() == sorted(c for row in small.choices for c in row)
    _, system = large._system(mask, None)
    folded = collapse(product, {}, small, zero)
    classes = large._classes(system).tolist()
    groups = {}
    for node, k in enumerate(classes):
        if k < system.ordered.n:
            groups.setdefault(k, []).append(node)
    assert sorted(groups.values()) == sorted(folded.classes)
    stops = {tuple(groups[k]) for k in groups if system.stop[k]}
    assert stops == {tuple(members) for members, stop in zip(folded.classes, folded.stop, strict=True) if stop is not None}


def naive(model: Model):
    """Stay, Live and the usable choices by their definitions."""
    nodes = range(len(model.moves))
    stay = set(nodes)
    while True:
        kept = {n for n in stay if any(g == 0 and set(law) - {-1} <= stay for g, law in model.moves[n])}
        if kept == stay:
            break
        stay = kept
    live = set(nodes)
    while True:
        safe = {n: [law for _, law in model.moves[n] if set(law) - {-1} <= live] for n in live}
        near = set(stay & live)
        while more := {n for n in live - near if any(set(law) & (near | {-1}) for law in safe[n])}:
            near |= more
        if near == live:
            return stay, live
        live = near


@pytest.mark.usefixtures("passes")
def test_on_random_graphs():
    rng = Random(5)
    for _ in range(150):
        model = random_model(rng, rng.choice([4, 12, 40]))
        for row in model.moves[:2]:  # traps: some nodes die
            row[:] = [(g - 1, {max(0, t) % 2: p for t, p in zip(law, [1], strict=False)}) for g, law in row[:1]]
        stay, live = naive(model)
        found = Large(model.rows()).liveness(model.zero())
        assert set(np.flatnonzero(found.stay)) == stay
        assert set(np.flatnonzero(found.live)) == live


@pytest.mark.usefixtures("passes")
def test_the_collapsed_classes_are_the_end_components():
    rng = Random(6)
    several = 0
    for _ in range(150):
        model = random_model(rng, rng.choice([5, 15, 40]))
        large = Large(model.rows())
        zero = model.zero()
        live = large.liveness(zero)
        options, c = {}, 0
        for n, row in enumerate(model.moves):
            options[n] = {}
            for _, law in row:
                if zero[c] and live.usable[c] and live.live[n]:
                    options[n][c] = list(law)
                c += 1
        expected = sorted(sorted(nodes) for nodes, _ in maximal_end_components({n: cs for n, cs in options.items() if live.live[n]}))
        _, system = large._system(zero, None)
        groups = {}
        for node, k in enumerate(large._classes(system).tolist()):
            if k < system.ordered.n and system.stop[k]:
                groups.setdefault(k, []).append(node)
        assert sorted(groups.values()) == expected
        several += any(len(group) > 1 for group in expected)
    assert several > 20


def test_a_mask_of_choices():
    model = Model([[(0, {0: 1}), (1, {-1: 1})], [(0, {0: 1}), (0, {1: 1})]])
    free = Large(model.rows()).liveness(model.zero())
    assert free.stay.tolist() == [True, True]
    bound = Large(model.rows(), np.array([False, True, True, True])).liveness(model.zero())
    assert bound.stay.tolist() == [False, True]
    assert bound.usable.tolist() == [False, True, True, True]
