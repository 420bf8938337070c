"""Which endless sums have a value: certificates against their rule, loops by hand, and all deterministic policies."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import assume, given

from prover.solve.welldefined import Diverges, WellDefined, well_defined
from prover.worlds.objective import Stream
from prover.worlds.product import Product, build
from tests.prover.build_spec import HALF, ONE, THIRD, ZERO, Table, TooMany, all_supports, chain_of, dense, f, few, reach, tables

TOTAL = Stream("W", "total", reward="pay")
UNTIL = Stream("W", "until", reward="pay", atom=0)


def product_of(table: Table, stream: Stream = TOTAL) -> Product:
    return build(table.mdp(), table.conditions(), (stream,))


def require_certificate(found: WellDefined) -> None:
    """The rules `well-defined` and `finite` of the proof format, choice by choice."""
    product, i, slack = found.product, found.stream, f(found.slack)
    h = [f(x) for x in found.potential]
    assert slack > 0
    assert len(h) == len(product.nodes)
    for n in range(len(product.nodes)):
        for c in product.choices(n):
            after = {product.successor[t]: f(product.probability[t]) for t in product.transitions(c)}
            idle = not product.earns[i][c] and all((h[s] if s >= 0 else 0) == h[n] for s in after)
            r = f(product.reward[i][c])
            drift = found.sign * r + sum((p * h[s] for s, p in after.items() if s >= 0), ZERO) - h[n]
            assert idle or drift <= -slack
            if found.finite is not None:
                g = [f(x) for x in found.finite]
                assert g[n] >= -found.sign * r + sum((p * g[s] for s, p in after.items() if s >= 0), ZERO)


def gains(product: Product) -> list[Fraction | None]:
    """For every closed class of every deterministic policy: its reward a step, or None if nothing is paid in it."""
    found: list[Fraction | None] = []
    for support in all_supports(product, False):
        nodes = list(support)
        choice = [support[n][0] for n in nodes]
        leaks = [any(product.successor[t] < 0 for t in product.transitions(c)) for c in choice]
        rows = [
            {nodes.index(product.successor[t]): f(product.probability[t]) for t in product.transitions(c) if product.successor[t] >= 0}
            for c in choice
        ]
        seen = [reach(rows, k) for k in range(len(nodes))]
        for k in range(len(nodes)):
            if all(k in seen[j] and not leaks[j] for j in seen[k]):
                inner = sorted(seen[k])
                if not any(product.earns[0][choice[j]] for j in inner):
                    found.append(None)
                    continue
                cut = [{inner.index(t): p for t, p in rows[j].items() if t != k} for j in inner]
                reward = dense(cut, [f(product.reward[0][choice[j]]) for j in inner])
                time = dense(cut, [ONE] * len(inner))
                assert reward is not None
                assert time is not None
                found.append(reward[inner.index(k)] / time[inner.index(k)])
    return found


@pytest.mark.parametrize("stream", [TOTAL, UNTIL], ids=["total", "until"])
@pytest.mark.parametrize("pays", ["any", "loops"])
def test_against_all_deterministic_policies(stream: Stream, pays: str) -> None:
    @few(60)
    @given(tables(most=4, pays=pays))
    def run(table: Table) -> None:
        product = product_of(table, stream)
        try:
            paid = [g for g in gains(product) if g is not None]
        except TooMany:
            assume(False)
            raise
        found = well_defined(product, 0)
        score, cost = all(g < 0 for g in paid), all(g > 0 for g in paid)
        assert isinstance(found, WellDefined) == (score or cost)
        if isinstance(found, WellDefined):
            require_certificate(found)
            assert score if found.sign == 1 else cost
            assert (found.finite is None) == bool(paid)
        else:
            assert_loop(product, found)

    run()


def assert_loop(product: Product, found: Diverges) -> None:
    """The loop's reward is not negative, so that the sum does not count as a score."""
    assert found.loop
    assert found.gain >= 0
    assert all(c in product.choices(n) for n, c in found.loop)


# ---------------------------------------------------------------- by hand


def outcome(table: Table) -> WellDefined | Diverges:
    found = well_defined(product_of(table), 0)
    if isinstance(found, WellDefined):
        require_certificate(found)
    return found


def gain_of(table: Table) -> Fraction:
    found = outcome(table)
    assert isinstance(found, Diverges)
    return f(found.gain)


LOSE = Table(
    ({"lose": {0: ONE}, "win": {1: ONE}}, {"rest": {1: ONE}}), {(0, "lose", 0): Fraction(-1, 10**9), (0, "win", 1): Fraction(10**9)}
)


def test_a_single_state_that_gains_is_a_cost() -> None:
    """Paid for ever in one direction only: minus infinity read from the other side."""
    found = outcome(chain_of({0: 1}, pay={(0, 0): 1}))
    assert isinstance(found, WellDefined)
    assert (found.sign, found.finite) == (-1, None)


def test_plus_one_minus_one() -> None:
    assert gain_of(chain_of({1: 1}, {0: 1}, pay={(0, 1): 1, (1, 0): -1})) == 0


def test_a_fair_coin_that_pays_and_charges() -> None:
    table = chain_of({0: HALF, 1: HALF}, {0: 1}, pay={(0, 0): 1, (0, 1): -1})
    assert gain_of(table) == 0


def test_a_loop_that_gains_beside_one_that_loses() -> None:
    table = Table(({"up": {0: ONE}, "down": {0: ONE}},), {(0, "up", 0): THIRD, (0, "down", 0): -ONE})
    assert gain_of(table) == THIRD


def test_losses_however_small_beside_gains_however_large() -> None:
    found = outcome(LOSE)
    assert isinstance(found, WellDefined)
    assert (found.sign, found.finite) == (1, None)
    assert 0 < f(found.slack) < Fraction(1, 10**9)


def test_a_mean_that_loses_although_single_steps_gain() -> None:
    found = outcome(chain_of({0: HALF, 1: HALF}, {0: 1}, pay={(0, 0): 1, (0, 1): -2}))
    assert isinstance(found, WellDefined)
    assert found.sign == 1


def test_a_mean_that_gains_although_single_steps_lose() -> None:
    found = outcome(chain_of({0: HALF, 1: HALF}, {0: 1}, pay={(0, 0): -1, (0, 1): 2}))
    assert isinstance(found, WellDefined)
    assert found.sign == -1


def test_waiting_is_free_and_ends_are_finite() -> None:
    table = Table(({"wait": {0: ONE}, "go": {1: ONE}}, {"rest": {1: ONE}}), {(0, "go", 1): Fraction(5)})
    found = outcome(table)
    assert isinstance(found, WellDefined)
    assert found.finite is not None


def test_a_bad_loop_that_no_run_reaches() -> None:
    table = Table(({"stay": {0: ONE}}, {"up": {2: ONE}}, {"down": {1: ONE}}), {(1, "up", 2): ONE, (2, "down", 1): -ONE})
    found = outcome(table)
    assert isinstance(found, WellDefined)
    assert found.finite is not None


def test_a_bad_loop_behind_the_goal_of_an_until() -> None:
    table = Table(({"go": {1: ONE}}, {"up": {1: ONE}, "down": {1: ONE}}), {(1, "up", 1): ONE, (1, "down", 1): -ONE}, (frozenset([1]),))
    assert isinstance(well_defined(product_of(table, UNTIL), 0), WellDefined)
    assert isinstance(well_defined(product_of(table, TOTAL), 0), Diverges)


def test_a_bet_through_free_states() -> None:
    """A free component from which +1 leads away and -1 back: the way round is not free, and adds up to nothing."""
    table = Table(
        ({"swap": {1: ONE}, "out": {2: ONE}}, {"swap": {0: ONE}}, {"back": {1: ONE}}),
        {(0, "out", 2): ONE, (2, "back", 1): -ONE},
    )
    assert gain_of(table) == 0


def test_a_gain_that_is_left_with_every_round() -> None:
    """It earns one with each round, but each round may be the last: finite."""
    found = outcome(chain_of({0: HALF, 1: HALF}, {1: 1}, pay={(0, 0): 1}))
    assert isinstance(found, WellDefined)
    assert found.finite is not None
