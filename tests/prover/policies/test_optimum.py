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
    total = wanted.constant + sum(
        (c * f(v) for c, s in wanted.body if (v := values[chain.stream_index(query.streams[s])]) is not None), Fraction(0)
    )
    assert total == f(found.lower if wanted.kind == "max" else found.upper)
    return found


@pytest.mark.parametrize(
    ("restrict", "most", "least"), [("", 7, 3), (" { deterministic }", 7, 3), (" { deterministic; memoryless }", 5, 3)]
)
def test_a_horizon_rewards_looking_at_the_clock(restrict: str, most: int, least: int, tmp_path: Path) -> None:
    head = f"{HORIZON}policies Pi over W{restrict}\nscore J(pi : Pi) = E[pay, horizon 3]\n"
    top = optimum(head + "claim c: forall pi : Pi. J(pi) <= max(J)\n", tmp_path)
    bottom = optimum(head + "claim c: forall pi : Pi. J(pi) >= min(J)\n", tmp_path)
    assert (top.lower, top.upper, bottom.lower, bottom.upper) == (most, most, least, least)
    assert top.attained.is_memoryless or "memoryless" not in restrict


def test_constants_and_signs(tmp_path: Path) -> None:
    found = optimum(
        f"{HORIZON}policies Pi over W\nscore J(pi : Pi) = 1/2 - 2 * P[G x == 0] - E[pay, horizon 1]\n"
        "claim c: forall pi : Pi. J(pi) <= max(J)\n",
        tmp_path,
    )
    assert f(found.lower) == f(found.upper) == Fraction(-1, 2)  # work in the first step, finish later


@pytest.mark.parametrize("restrict", ["", " { deterministic; memoryless }"])
@pytest.mark.parametrize("kind", ["endless", "bounded", "discount"])
@pytest.mark.parametrize("end", ["max", "min"])
def test_against_enumeration(restrict: str, kind: str, end: str, tmp_path: Path) -> None:
    """Deterministic policies over the states, or over states and memory: the best of them is the optimum of the type."""

    @few(20)
    @given(st.randoms(use_true_random=False))
    def run(rng: object) -> None:
        world = random_claims.world(rng, False)  # type: ignore[arg-type]
        objectives = [random_claims.objective(rng, kind)]  # type: ignore[arg-type]
        claim = ("cmp", "<=", ([(Fraction(1), 0, "pi"), (Fraction(-1), 0, end)], Fraction(0)))
        oracle = brute.Brute(world, objectives)
        try:
            points = [oracle.value(p)[0] for p in oracle.policies("memoryless" in restrict)]
            found = optimum(brute.text(world, objectives, claim, restrict), tmp_path)
        except (brute.TooMany, SpecError):
            assume(False)
            raise
        assume(None not in points)
        best = (max if end == "max" else min)(points)  # type: ignore[type-var]
        assert (f(found.lower), f(found.upper)) == (best, best)

    run()


LOOP = """\
world W {
  var x : 0..1 = 0
  action again when x == 0 { stay }
  action leave when x == 0 { x' = 1 }
  deadlock absorbs
  reward pay { [again]: AMOUNT
    [leave]: 3 }
}
policies Pi over W
policies Stay over W { deterministic; memoryless }
score J(pi : Pi) = SIGNE[pay, total]
"""


@pytest.mark.parametrize(
    ("amount", "sign", "end", "code"),
    [
        ("-1", "", "max", None),
        ("-1", "", "min", "E311"),
        ("1", "", "max", "E310"),
        ("1", "0 - ", "max", None),
        ("1", "0 - ", "min", "E311"),
        ("1", "", "min", None),
    ],
)
def test_infinite_optima_are_refused(amount: str, sign: str, end: str, code: str | None, tmp_path: Path) -> None:
    text = LOOP.replace("AMOUNT", amount).replace("SIGN", sign) + f"claim c: forall pi : Pi. J(pi) <= {end}(J) + 10\n"
    if code is None:
        assert f(optimum(text, tmp_path).lower) == (-3 if sign else 3)
    else:
        assert codes_of(text, tmp_path) == [code]


def test_under_every_policy_the_losses_go_on(tmp_path: Path) -> None:
    text = (
        LOOP.replace("AMOUNT", "-1")
        .replace("SIGN", "")
        .replace("  deadlock absorbs\n", "  action moan when x == 1 { stay }\n")
        .replace("[again]", "[moan]: -1\n    [again]")
    )
    assert codes_of(text + "claim c: forall pi : Pi. J(pi) <= max(J)\n", tmp_path) == ["E311"]
