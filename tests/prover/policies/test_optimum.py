"""max(J) and min(J) over every kind of type, with both of their bounds; infinite ones are refused."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dsl.diagnostic import SpecError
from prover.policies.decide import stage
from prover.policies.optimum import Optimum
from prover.solve.evaluate import evaluate, trivial_plan
from tests.prover import brute, random_claims
from tests.prover.build_spec import codes_of, f, few, query_of

HORIZON = """\
world W {
  var x : 0..1 = 0
  action work when x == 0 { stay }
  action finish when x == 0 { x' = 1 }
  deadlock absorbs
  reward pay { [work]: 1
    [finish]: 5 }
}
"""


def optimum(text: str, folder: Path) -> Optimum:
    context, query = query_of(text, folder)
    depth = max((s.steps for s in query.streams if s.kind == "horizon"), default=0)
    found = stage(context, query, depth, lambda: None, None).optima[0]
    # The policy that is shown has the value on its side, by its own chain.
    wanted = query.optima[0]
    chain = context.product(query, found.product.mdp.world, found.product.streams, depth, found.attained)
    values = evaluate(chain, trivial_plan(chain))
    total = wanted.constant + sum((c * f(v) for c, s in wanted.body if (v := values[chain.stream_index(query.streams[s])]) is not None), Fraction(0))
    assert total == f(found.lower if wanted.kind == "max" else found.upper)
    return found


@pytest.mark.parametrize(("restrict", "most", "least"), [("", 7, 3), (" { deterministic }", 7, 3), (" { deterministic; memoryless }", 5, 3)])
def test_a_horizon_rewards_looking_at_the_clock(restrict: str, most: int, least: int, tmp_path: Path) -> None:
    head = f"{HORIZON}policies Pi over W{restrict}\nscore J(pi : Pi) = E[pay, horizon 3]\n"
    top = optimum(head + "claim c: forall pi : Pi. J(pi) <= max(J)\n", tmp_path)
    bottom = optimum(head + "claim c: forall pi : Pi. J(pi) >= min(J)\n", tmp_path)
    assert (top.lower, top.upper, bottom.lower, bottom.upper) == (most, most, least, least)
    assert top.attained.is_memoryless or "memoryless" not in restrict


def test_constants_and_signs(tmp_path: Path) -> None:
    found = optimum(f"{HORIZON}policies Pi over W\nscore J(pi : Pi) = 1/2 - 2 * P[G x == 0] - E[pay, horizon 1]\nclaim c: forall pi : Pi. J(pi) <= max(J)\n", tmp_path)
    assert (found.lower, found.upper) == (Fraction(-5, 2), Fraction(-5, 2))  # work once, finish later: 1/2 - 0 - ... - 1, but never staying
