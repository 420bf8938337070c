"""Stay and Live against their definitions, with exact supports, and what a support changes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from prover.solve.live import allowed_choices, liveness
from prover.worlds.objective import Stream
from prover.worlds.product import Product, build
from tests.prover.build_spec import HALF, ONE, SETTLED, Table, few, stay_and_live, tables

TOTAL = Stream("W", "total", reward="pay")
UNTIL = Stream("W", "until", reward="pay", atom=0)


def product_of(table: Table, *streams: Stream, depth: int = 0) -> Product:
    return build(table.mdp(), table.conditions(), streams, depth)


def zero(product: Product) -> bytearray:
    return bytearray(not any(row[c] for row in product.earns) for c in range(len(product.origin)))


@few(150)
@given(tables(most=5, actions=3), st.sampled_from([(TOTAL,), (UNTIL,)]))
def test_without_a_support(table: Table, streams: tuple[Stream, ...]) -> None:
    product = product_of(table, *streams)
    found = liveness(product, zero(product), allowed_choices(product, {}), {})
    stay, live = stay_and_live(product, range(len(streams)))
    nodes = range(len(product.nodes))
    assert {n for n in nodes if found.stay[n]} == stay
    assert {n for n in nodes if found.live[n]} == live
    for n in nodes:
        safe = [
            c for c in product.choices(n) if all(s == SETTLED or s in live for s in (product.successor[t] for t in product.transitions(c)))
        ]
        assert found.choices[n] == (safe if n in live else [])


def naive(product: Product, support: dict[int, frozenset[int]]) -> tuple[set[int], set[int]]:
    """With exact supports: a decided node stays only if all it plays stays, and lives only if all it plays leads to live nodes."""
    mdp, quiet = product.mdp, zero(product)
    nodes = range(len(product.nodes))
    allowed = {
        n: [
            c
            for c in product.choices(n)
            if product.nodes[n][0] not in support or mdp.action[product.origin[c]] in support[product.nodes[n][0]]
        ]
        for n in nodes
    }
    goes = {c: {product.successor[t] for t in product.transitions(c)} for n in nodes for c in allowed[n]}
    decided = {n for n in nodes if product.nodes[n][0] in support}
    stay = set(nodes)
    while True:
        good = {n: [c for c in allowed[n] if quiet[c] and goes[c] <= stay | {SETTLED}] for n in stay}
        kept = {n for n in stay if (good[n] == allowed[n] if n in decided else good[n]) and good[n]}
        if kept == stay:
            break
        stay = kept
    live = set(nodes)
    while True:
        usable = {n: [c for c in allowed[n] if goes[c] <= live | {SETTLED}] for n in live}
        possible = {n for n in live if (usable[n] == allowed[n] if n in decided else bool(usable[n])) or n in stay}
        near = set(stay & possible)
        while more := {n for n in possible - near if any(goes[c] & (near | {SETTLED}) for c in usable[n])}:
            near |= more
        if near == live:
            return stay, live
        live = near


@few(150)
@given(tables(most=5, actions=2), st.data())
def test_with_a_support(table: Table, data: st.DataObject) -> None:
    product = product_of(table, TOTAL)
    mdp = product.mdp
    support = {}
    for s in data.draw(st.sets(st.integers(0, len(table.moves) - 1), max_size=2)):
        enabled = mdp.action[mdp.choice_start[s] : mdp.choice_start[s + 1]]
        support[s] = frozenset(data.draw(st.sets(st.sampled_from(enabled), min_size=1)))
    allowed = allowed_choices(product, support)
    found = liveness(product, zero(product), allowed, support)
    stay, live = naive(product, support)
    assert {n for n in range(len(product.nodes)) if found.stay[n]} == stay
    assert {n for n in range(len(product.nodes)) if found.live[n]} == live


def test_a_support_that_plays_a_paying_action_too_cannot_wait() -> None:
    """Waiting is free, working pays: exactly {wait} stays, exactly {wait, work} does not, and is then not alive either."""
    table = Table(({"wait": {0: ONE}, "work": {0: ONE}},), {(0, "work", 0): -ONE})
    product = product_of(table, TOTAL)
    for actions, alive in (({0}, True), ({0, 1}, False), ({1}, False)):
        support = {0: frozenset(actions)}
        found = liveness(product, zero(product), allowed_choices(product, support), support)
        assert (bool(found.stay[0]), bool(found.live[0])) == (alive, alive)


def test_a_chance_of_leaving_for_good_is_enough_to_live_and_a_chance_of_a_trap_is_not() -> None:
    def live(law: dict[int, object]) -> bool:
        table = Table(({"go": law}, {"wait": {1: ONE}}, {"lose": {2: ONE}}), {(0, "go", 0): -ONE, (2, "lose", 2): -ONE})  # type: ignore[dict-item]
        product = product_of(table, TOTAL)
        return bool(liveness(product, zero(product), allowed_choices(product, {}), {}).live[0])

    assert live({0: HALF, 1: HALF})
    assert not live({1: HALF, 2: HALF})


def test_a_support_that_may_lose_for_ever_is_not_alive() -> None:
    """Resting or a trap: who may choose lives, who plays both with positive chance does not."""
    table = Table(({"rest": {1: ONE}, "fall": {2: ONE}}, {"wait": {1: ONE}}, {"lose": {2: ONE}}), {(2, "lose", 2): -ONE})
    product = product_of(table, TOTAL)
    for support, alive in (({}, True), ({0: frozenset([0])}, True), ({0: frozenset([0, 1])}, False)):
        assert bool(liveness(product, zero(product), allowed_choices(product, support), support).live[0]) is alive
