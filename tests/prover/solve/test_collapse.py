"""Zero-reward end components: what collapses, where a class may stop, and plans that reach what they promise."""

from __future__ import annotations

from fractions import Fraction

from flint import fmpq
from hypothesis import assume, given
from hypothesis import strategies as st

from prover.solve.collapse import Collapsed, collapse
from prover.solve.evaluate import evaluate
from prover.solve.live import Liveness, allowed_choices, liveness
from prover.worlds.objective import Stream
from prover.worlds.product import Product, build
from tests.prover.build_spec import HALF, ONE, Table, f, few, tables

TOTAL = Stream("W", "total", reward="pay")
OFTEN, OFTEN_TOO = Stream("W", "recurrence", atom=0), Stream("W", "recurrence", atom=1)


def fold(table: Table, *streams: Stream, weights: dict[int, Fraction] | None = None) -> tuple[Product, Liveness, Collapsed]:
    product = build(table.mdp(), table.conditions(), streams)
    zero = bytearray(not any(row[c] for row in product.earns) for c in range(len(product.origin)))
    alive = liveness(product, zero, allowed_choices(product, {}), {})
    chosen = (
        {i: fmpq(1) for i in range(len(streams))} if weights is None else {i: fmpq(w.numerator, w.denominator) for i, w in weights.items()}
    )
    return product, alive, collapse(product, chosen, alive, zero)


def together(product: Product, alive: Liveness, a: int, b: int) -> bool:
    """Can a run be kept, on free choices of live nodes, where both nodes are visited again and again?  By trying all sets of nodes."""
    nodes = [n for n in range(len(product.nodes)) if alive.live[n]]
    for bits in range(1 << len(nodes)):
        inside = {n for k, n in enumerate(nodes) if bits >> k & 1}
        if not {a, b} <= inside:
            continue
        kept = {
            n: [c for c in alive.choices[n] if not product.earns[0][c] and {product.successor[t] for t in product.transitions(c)} <= inside]
            for n in inside
        }
        if all(kept.values()) and all(inside <= everything(product, kept, n) for n in inside):
            return True
    return False


def everything(product: Product, kept: dict[int, list[int]], start: int) -> set[int]:
    seen, queue = {start}, [start]
    for n in queue:
        for c in kept[n]:
            for t in product.transitions(c):
                if product.successor[t] not in seen:
                    seen.add(product.successor[t])
                    queue.append(product.successor[t])
    return seen


@few(80)
@given(tables(most=4, actions=2))
def test_classes_are_the_free_end_components(table: Table) -> None:
    product, alive, folded = fold(table, TOTAL)
    live = [n for n in range(len(product.nodes)) if alive.live[n]]
    assert sorted(n for members in folded.classes for n in members) == live
    assert all(folded.class_of[n] == k for k, members in enumerate(folded.classes) for n in members)
    for a in live:
        for b in live:
            if a != b:
                assert (folded.class_of[a] == folded.class_of[b]) == together(product, alive, a, b)
    for c in folded.internal:
        owner = next(n for n in live if c in product.choices(n))
        assert not product.earns[0][c]
        assert {folded.class_of[product.successor[t]] for t in product.transitions(c)} == {folded.class_of[owner]}
    for k, members in enumerate(folded.classes):
        waits = any(together(product, alive, n, n) for n in members)
        assert (folded.stop[k] is not None) == waits


@few(60)
@given(tables(least=2, most=4, pays="none"), st.sampled_from([ONE, -ONE]), st.sampled_from([ONE, -ONE, Fraction(2)]))
def test_stopping_is_worth_what_its_plan_earns(table: Table, first: Fraction, second: Fraction) -> None:
    """The plan that stops in the class of the start earns the weight that ``stop`` promises."""
    assume(table.init is None)
    product, alive, folded = fold(table, OFTEN, OFTEN_TOO, weights={0: first, 1: second})
    start = folded.class_of[product.start[0][0]]
    assume(folded.stop[start] is not None)
    policy = []
    for k, members in enumerate(folded.classes):
        moves = [c for n in members for c in alive.choices[n] if c not in folded.internal]
        policy.append(-1 - k if folded.stop[k] is not None else moves[0])
    vector = evaluate(product, folded.expand(product, alive, policy))
    assert vector[0] is not None
    assert vector[1] is not None
    assert first * f(vector[0]) + second * f(vector[1]) == f(folded.stop[start])  # type: ignore[arg-type]


def test_a_class_with_two_conditions_visits_what_pays_and_avoids_what_costs() -> None:
    """A ring of three states that may also stay anywhere: visit 0, avoid 1."""
    ring = Table(tuple({"on": {(s + 1) % 3: ONE}, "stay": {s: ONE}} for s in range(3)), {}, (frozenset([0]), frozenset([1])))
    for weights, worth in (({0: ONE, 1: -ONE}, 1), ({0: ONE, 1: ONE}, 2), ({0: -ONE, 1: -ONE}, 0), ({0: -ONE, 1: Fraction(3)}, 3)):
        _, _, folded = fold(ring, OFTEN, OFTEN_TOO, weights=weights)
        assert len(folded.classes) == 1
        assert folded.stop == [worth]


def test_both_visited_together_or_not_at_all() -> None:
    """Without staying put the ring visits 1 as often as 0."""
    ring = Table(tuple({"on": {(s + 1) % 3: ONE}} for s in range(3)), {}, (frozenset([0]), frozenset([1])))
    assert fold(ring, OFTEN, OFTEN_TOO, weights={0: ONE, 1: Fraction(-3)})[2].stop == [-2]


def test_a_free_choice_that_may_leave_is_not_internal() -> None:
    table = Table(({"try": {0: HALF, 1: HALF}}, {"wait": {1: ONE}, "lose": {1: ONE}}), {(1, "lose", 1): -ONE})
    product, _, folded = fold(table, TOTAL)
    assert sorted(folded.classes) == [[0], [1]]
    assert folded.stop[folded.class_of[0]] is None
    assert folded.stop[folded.class_of[1]] == 0
    assert folded.internal == {product.choices(1)[0]}
