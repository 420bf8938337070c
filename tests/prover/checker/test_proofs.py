"""Valid proofs are accepted, and what is derived is what they claim."""

from __future__ import annotations

import json
from fractions import Fraction

import pytest

from prover.checker.check import check, check_file, check_text
from prover.checker.document import Rejected, number, show
from tests.prover.checker import proofs
from tests.prover.checker.oracle import is_false


@pytest.mark.parametrize("name", proofs.ALL)
def test_a_valid_proof_is_accepted(name, tmp_path):
    document = proofs.ALL[name]()
    derived = check(document, permitted=proofs.PERMITTED, claim=document["claim"], worlds=document["worlds"])
    assert derived.name == "c"
    assert derived.kind == document["claim"]["kind"]
    path = tmp_path / "a.proof"
    path.write_text(json.dumps(document), encoding="utf-8")
    assert check_file(path, permitted=proofs.PERMITTED) == derived
    assert check_text(json.dumps(document), permitted=proofs.PERMITTED) == derived
    assert not is_false(document)


def test_a_threshold_and_whether_it_is_attained():
    assert (check(proofs.margin()).value, check(proofs.margin()).attained) == (Fraction(1, 5), True)
    assert check(proofs.margin_of_a_closed_claim()).attained is False
    assert check(proofs.unlimited()).value == "infinity"


def test_a_threshold_shown_from_one_side():
    document = proofs.margin()
    document["evidence"]["argument"]["breaks"] = None
    derived = check(document)
    assert (derived.value, derived.exact) == (Fraction(1, 5), False)
    assert "shown to hold up to 1/5, included; not shown to fail behind" in str(derived)
    assert check(proofs.margin_at_the_end()).exact


def test_what_a_sample_costs():
    document = proofs.samples()
    derived = check(document, permitted=proofs.PERMITTED)
    assert derived.confidence_lost == Fraction(1, 100)
    assert derived.assumptions == ("evaluation",)
    unused = dict(document["claim"]["facts"][0], delta="1/50")
    document["claim"]["facts"].append(unused)
    document["evidence"]["argument"]["proofs"].append({"bound": "19/20"})
    assert check(document, permitted=proofs.PERMITTED).confidence_lost == Fraction(3, 100)
    assert check(proofs.runs()).assumptions == ()
    assert check(proofs.mixture()).confidence_lost == 0


def test_the_statement_is_rendered_from_the_formula():
    document = proofs.two_policies()
    document["claim"]["text"] = "something else\nVALID"
    derived = check(document)
    assert "forall a : Pi, b : Pi. E[r, horizon 1](a) + 2 * P[(true U (bad))](a) - E[r, horizon 1](b) - 2 *" in str(derived)
    assert "something else" not in str(derived)


@pytest.mark.parametrize("part", ["claim", "worlds"])
@pytest.mark.parametrize("name", proofs.ALL)
def test_another_claim_or_world_than_expected(name, part):
    document = proofs.ALL[name]()
    expected = {"claim": document["claim"], "worlds": document["worlds"]}
    other = json.loads(json.dumps(expected[part]))
    if part == "claim":
        other["types"][0]["deterministic"] = int(other["types"][0]["deterministic"])  # 0 is not false
    else:
        other[0]["probabilities"][0] = "1.0"
    with pytest.raises(Rejected, match="another"):
        check(document, permitted=proofs.PERMITTED, **{part: other})


@pytest.mark.parametrize("digits", [1, 4_000, 4_001, 8_000, 100_000])
def test_long_numbers_are_read_and_shown(digits):
    text = "-" + "7" * digits + "/" + "9" * (digits - 1) + "8"
    assert number(text).denominator > 0
    assert show(number("1" + "0" * (digits - 1))) == "1" + "0" * (digits - 1)
    assert number(show(number(text))) == number(text)


def test_a_long_threshold_is_printed():
    document = proofs.margin_at_the_end()
    tiny = "1/1" + "0" * 5_000
    document["claim"]["unknown"]["high"] = document["evidence"]["argument"]["value"] = tiny
    assert tiny in str(check(document))
