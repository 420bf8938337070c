"""Format 2 against format 1: the same evidence gives the same theorem, and what is accepted is not false by brute force."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from random import Random

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dsl.diagnostic import SpecError
from prover.certificate import refutation
from prover.checker.arrays import NULL
from prover.checker.check import check, check_file
from prover.checker.document import Rejected
from prover.container import Arrays, write
from prover.pipeline import prove
from prover.policies.decide import decide
from prover.policies.modulo import Counterexample
from prover.policies.theory import Stuck
from prover.verdict import Proved
from tests.prover import brute, random_claims
from tests.prover.build_spec import query_of
from tests.prover.checker import make, proofs
from tests.prover.checker.inline import inlined, packed, small
from tests.prover.checker.make import Document, eventually, expected, linear, stationary, value
from tests.prover.checker.nudge import nudge
from tests.prover.checker.oracle import is_false
from tests.prover.checker.test_nudges import PATH, places, probability
from tests.prover.checker.to_large import Large, Unconvertible, convertible
from tests.prover.test_cli import run

F = Fraction
ROOT = Path(__file__).resolve().parents[3]
WITHOUT = {  # what only format 1 can say
    "recurrent", "deterministic", "optimum_by_cases", "exact_support", "drawn_beforehand", "named", "samples", "runs", "mixture", "assumed",
}  # fmt: skip
LARGE = {name: large for name, write_ in proofs.ALL.items() if (large := convertible(write_)) is not None}
PLAIN = {name: inlined(large.document, large.arrays.members) for name, large in LARGE.items()}


def verdict(document, arrays):
    """Why it is rejected; None: accepted."""
    try:
        check(document, arrays=arrays)
    except Rejected as reason:
        return str(reason)
    return None


def test_what_format_2_can_say():
    assert proofs.ALL.keys() - LARGE.keys() == WITHOUT


@pytest.mark.parametrize("name", LARGE)
def test_the_same_is_derived(name, tmp_path):
    old, large = proofs.ALL[name](), LARGE[name]
    derived = check(old)
    arrays = Arrays()
    worlds = [arrays.world(world, f"another{k}.") for k, world in enumerate(old["worlds"])]
    given = {"claim": old["claim"], "worlds": worlds, "world_arrays": arrays.members}
    assert check(large.document, arrays=large.arrays.members, **given) == derived
    write(tmp_path / "a.proof", large.document, large.arrays.members)
    assert check_file(tmp_path / "a.proof", **given) == derived
    write(tmp_path / "b.proof", large.document, dict(reversed(large.arrays.members.items())))
    assert (tmp_path / "a.proof").read_bytes() == (tmp_path / "b.proof").read_bytes()
    assert check(*packed(PLAIN[name])[:1], arrays=packed(PLAIN[name])[1]) == derived
    assert not is_false(small(PLAIN[name]))


@pytest.mark.parametrize(
    "name", ["boat_race_laps", "box_left_alone", "delivery", "interruption_not_counted", "shutdown_bonus", "unhackable"]
)
def test_what_the_prover_proves(name):
    converted = 0
    for result in prove(ROOT / "examples" / "proved" / f"{name}.spec").results:
        if isinstance(result.verdict, Proved):
            try:
                large = Large(result.verdict.proof)
            except Unconvertible:
                continue
            assert check(large.document, arrays=large.arrays.members) == check(result.verdict.proof)
            converted += 1
    assert converted


@settings(max_examples=800, deadline=None)
@given(st.sampled_from(sorted(PLAIN)), st.integers(0, 2**32))
def test_a_nudged_proof_is_rejected_or_true(name, seed):
    plain = nudge(PLAIN[name], Random(seed))
    try:
        document, arrays = packed(plain)
    except (OverflowError, TypeError, KeyError):
        assume(False)
        raise
    reason = verdict(document, arrays)
    if reason is None:
        assert not is_false(small(plain))
    else:
        assert "Error" not in reason, "rejected by accident"


OBJECTIVE = st.one_of(
    PATH.map(probability),
    st.sampled_from([["horizon", 0], ["horizon", 1], ["horizon", 3], ["discount", "1/2"], ["discount", "0"]]).map(expected),
)


@settings(max_examples=250, deadline=None)
@given(
    places(),
    st.lists(OBJECTIVE, min_size=1, max_size=2),
    st.lists(st.sampled_from([-2, -1, 1, 2]), min_size=2, max_size=2),
    st.integers(0, 1),
    st.data(),
)
def test_random_worlds(place, goals, weights, extra, data):
    """The best bound of a direction is accepted, for all policies or for a mixture of two; the claim that it could be undercut is not."""
    assume(len(place["choices"]) <= 5)
    depth = max([g["mode"][1] for g in goals if g.get("mode", [""])[0] == "horizon"], default=0) + extra
    chain = data.draw(st.booleans())
    terms = [(w, value(j)) for j, w in enumerate(weights[: len(goals)])]
    d = Document([place], goals, ["<=", linear(terms)], "exists" if chain else "forall")
    if chain:
        enabled = {s: [c[1] for c in place["choices"] if c[0] == s] for s in range(len(place["states"]))}
        rules = [[node, s, [[actions[-node], "1"]], []] for node in (0, 1) for s, actions in enabled.items()]
        starts = [[share, s, node] for s, _ in place["initial"] for node, share in enumerate(("1/3", "2/3"))]
        assume(len(place["initial"]) == 1)
        d.evidence["policies"].append({"start": starts, "rules": rules})
    product = d.product(list(range(len(goals))), depth, 0 if chain else None)
    assume(len(product[1].nodes) <= 6)
    cut, bound = d.bound(product, dict(enumerate(weights[: len(goals)])))
    rows = [[["atom", 0], "1"], [["lemma", cut, "pi"], "1"]]
    tree = ["split", 0, ["closed"], ["farkas", rows]]
    argument = {"kind": "witness", "policies": [["pi", 0]], "tree": tree} if chain else {"kind": "refutation", "tree": tree}
    d.claim["body"] = ["<=", linear(terms, -bound)]
    try:
        large = Large(d.done(argument))
    except Unconvertible:
        assume(False)
        raise
    check(large.document, arrays=large.arrays.members)
    assert not is_false(small(inlined(large.document, large.arrays.members)))
    large.document["claim"]["body"] = json.loads(json.dumps(["<=", linear(terms, -bound + F(1, 10**9))]))
    with pytest.raises(Rejected):
        check(large.document, arrays=large.arrays.members)


def lost_for_ever(depth):
    """A maze with a trap, J + 2 P[F bad] <= -1 for finite J, after so many layers: at the trap every table has null."""
    d = Document([proofs.maze(trap=True)], [expected(["total"]), eventually(0)], ["<=", linear([(1, value(0)), (2, value(1))], 1)])
    alone = d.product([0])
    potential = ["1" if node[0] == 0 else "0" for node in alone[1].nodes]
    d.lemma({"rule": "well-defined", "product": 0, "objective": 0, "sign": "score", "slack": "1/2", "potential": potential})
    cut, bound = d.bound(d.product([0, 1], depth), {0: 1, 1: 2}, [0])
    assert bound == -1
    leaf = ["farkas", [[["atom", 0], "1"], [["lemma", cut, "pi"], "1"]]]
    return d.done({"kind": "refutation", "tree": ["flag", "pi", 0, ["split", 0, ["closed"], leaf], ["closed"]]})


@pytest.mark.parametrize("depth", [0, 1, 2, 3])
def test_null_in_layers(depth):
    large = Large(lost_for_ever(depth))
    plain = inlined(large.document, large.arrays.members)
    assert verdict(*packed(plain)) is None
    lemma = plain["evidence"]["lemmas"][1]
    tables = [*lemma["layers"], lemma["tails"][0][1]]
    assert all(NULL in table["values"] for table in tables)
    for table in tables:
        for node, old in enumerate(list(table["values"])):
            if old == NULL:
                free = table is tables[0]  # no layer before it has a null that rests on this one
                table["values"][node] = -1000  # no policy with finite J gets there, and who stays loses more and more
                assert (verdict(*packed(plain)) is None) == free
                table["values"][node] = 1000  # no choice of the first layer leads there
                assert (verdict(*packed(plain)) is None) == (free and depth > 0)
            else:
                table["inline"] = "i8"
                table["values"][node] = NULL
                assert "where a node is live" in verdict(*packed(plain))
                table["values"][node] = old - 1
                assert verdict(*packed(plain)) is not None
            table["values"][node] = old


def test_whatever_the_search_proves(tmp_path):
    """Random worlds and claims, loops that lose included."""
    seen = []

    @settings(max_examples=60, deadline=None)
    @given(st.randoms(use_true_random=False))
    def run(rng):
        kind = rng.choice(["endless", "bounded", "discount", "mixture"])
        place = random_claims.world(rng, kind == "endless" and rng.random() < 0.5)
        objectives = list(dict.fromkeys(random_claims.objective(rng, kind) for _ in range(rng.randint(1, 2))))
        text = brute.text(place, objectives, random_claims.claim(rng, len(objectives), ("pi",)), "", variables=("pi",))
        try:
            context, query = query_of(text, tmp_path)
            decided = decide(context, query, lambda: None)
        except SpecError:
            assume(False)
            raise
        if isinstance(decided.outcome, Counterexample | Stuck):
            return
        proof = refutation(context, query, decided.theory, decided.optima, decided.outcome, "c", "text")
        document = json.loads(json.dumps(proof))
        try:
            large = Large(document)
        except Unconvertible:
            return
        assert check(large.document, arrays=large.arrays.members) == check(document)
        seen.append(kind)

    run()
    assert len(seen) >= 10


@pytest.mark.parametrize("depth", [0, 2])
@pytest.mark.parametrize("dead", [None, 0, 7])
def test_a_policy_that_loses_for_ever_has_no_finite_value(depth, dead):
    """exists pi: J < -5, by waiting; whatever stands at a dead node, the bound is -infinity, and J is not known to be finite."""
    d = Document([proofs.maze()], [expected(["total"])], ["<", linear([(1, value(0))], 5)], "exists")
    wait = d.worlds[0]["actions"].index("wait")
    d.evidence["policies"].append(stationary({0: {wait: 1}}))
    alone = d.product([0])
    potential = ["1" if node[0] == 0 else "0" for node in alone[1].nodes]
    d.lemma({"rule": "well-defined", "product": 0, "objective": 0, "sign": "score", "slack": "1/2", "potential": potential})
    never, bound = d.bound(d.product([0], depth, 0), {0: 1}, [0])
    assert bound is None
    leaf = ["farkas", [[["lemma", never, "pi"], "1"]]]
    tree = ["flag", "pi", 0, leaf, ["closed"]]
    document = d.done({"kind": "witness", "policies": [["pi", 0]], "tree": tree})
    large = Large(document)
    plain = inlined(large.document, large.arrays.members)
    lemma = plain["evidence"]["lemmas"][1]
    for table in [*lemma["layers"], lemma["tails"][0][1]]:
        if dead is not None:
            table["values"] = [dead if v == NULL else v for v in table["values"]]
    assert verdict(*packed(plain)) is None
    plain["evidence"]["argument"]["tree"] = leaf  # as if J were known to be finite
    assert "may be infinite" in verdict(*packed(plain))


def test_what_is_closed_stays_closed():
    """E[r, until there]: s earns 1 and goes there; from there play comes back, but earns no more."""
    place = make.world({"s": {"a": {"t": 1}}, "t": {"a": {"s": F(1, 2), "t": F(1, 2)}}}, {"s": 1}, {"there": "t"}, {"r": {("s", "a"): 1}})
    goals = [expected(["until", 0]), probability(["next", ["next", ["not-atom", 0]]])]
    d = Document([place], goals, ["<=", linear([(1, value(0)), (2, value(1))], -2)])
    both = d.product([0, 1])
    potential = ["2" if n[1][0] == "open" else "0" for n in both[1].nodes]
    d.lemma({"rule": "well-defined", "product": 0, "objective": 0, "sign": "score", "slack": "1/2", "potential": potential})
    cut, bound = d.bound(both, {0: 1, 1: 2}, [0])
    assert bound == 2
    leaf = ["farkas", [[["atom", 0], "1"], [["lemma", cut, "pi"], "1"]]]
    document = d.done({"kind": "refutation", "tree": ["flag", "pi", 0, ["split", 0, ["closed"], leaf], ["closed"]]})
    large = Large(document)
    assert check(large.document, arrays=large.arrays.members) == check(document)


def test_an_idle_choice_keeps_the_potential():
    """+1, 0, +1, 0, ...: a potential that the idle choices restore shows nothing."""
    place = make.world({"s": {"a": {"t": 1}}, "t": {"a": {"s": 1}}}, {"s": 1}, {}, {"r": {("s", "a"): 1}})
    d = Document([place], [expected(["total"])], ["<", linear([(1, value(0))], -100)])
    both = d.product([0])
    d.lemma({"rule": "well-defined", "product": 0, "objective": 0, "sign": "score", "slack": "1", "potential": ["2", "0"]})
    assert [node[0] for node in both[1].nodes] == [0, 1]
    large = Large(d.done({"kind": "refutation", "tree": ["flag", "pi", 0, ["closed"], ["closed"]]}))
    assert "neither idles" in verdict(large.document, large.arrays.members)


def test_verify_and_rebuild(tmp_path, capsys):
    spec = ROOT / "examples" / "proved" / "delivery.spec"
    (result,) = (r for r in prove(spec, claim="reward_specification").results if r.name == "reward_specification")
    large = Large(result.verdict.proof)
    good, bad = tmp_path / "good.proof", tmp_path / "bad.proof"
    write(good, large.document, large.arrays.members)
    assert run("verify", good) == 0
    assert run("verify", good, "--rebuild", spec) == 0
    capsys.readouterr()
    plain = inlined(large.document, large.arrays.members)
    plain["worlds"][0]["actions"][0] += "_"  # the same proof, of a world with another name for an action
    write(bad, *packed(plain))
    assert run("verify", bad) == 0
    assert run("verify", bad, "--rebuild", spec) == 6
    assert "another world" in capsys.readouterr().out
    bad.write_bytes(good.read_bytes()[:1000])
    assert run("verify", bad) == 6
    assert run("verify", bad, "--rebuild", spec) == 6


def test_a_plan_that_is_no_function_of_the_state():
    """For a memoryless type: what is played at s must not change with time, even where play does not come back."""
    plain = json.loads(json.dumps(PLAIN["horizon"]))
    plain["claim"]["types"][0]["memoryless"] = True
    assert verdict(*packed(plain)) is None
    for plan in plain["evidence"]["policies"][0]["parts"][0][2][1:]:
        plan["values"] = [1, 2, 3]
    assert "not about a policy of its type" in verdict(*packed(plain))
    plain["claim"]["types"][0]["memoryless"] = False
    assert verdict(*packed(plain)) is None


@pytest.mark.parametrize("flags", [[], ["--steps", "3"], ["--steps", "3", "--counted"]])
def test_the_benchmark_writes_valid_proofs(flags):
    run_ = [sys.executable, "benchmarks/checker.py", "--transitions", "3000", *flags]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    assert subprocess.run(run_, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout.startswith("VALID")


def test_a_policy_that_first_falls_into_the_trap_has_no_finite_value():
    """In the tail its plan goes from s to the goal; but at the start it fell, and never comes to s again."""
    d = Document([proofs.maze(trap=True)], [expected(["total"])], ["<", linear([(1, value(0))], 5)], "exists")
    alone = d.product([0])
    potential = ["1" if node[0] == 0 else "0" for node in alone[1].nodes]
    d.lemma({"rule": "well-defined", "product": 0, "objective": 0, "sign": "score", "slack": "1/2", "potential": potential})
    leaf = ["farkas", [[["lemma", 1, "pi"], "1"]]]
    large = Large(d.done({"kind": "witness", "policies": [], "tree": ["flag", "pi", 0, ["farkas", []], ["closed"]]}))
    plain = inlined(large.document, large.arrays.members)
    assert plain["evidence"]["products"][0]["state"]["values"] == [0, 1, 2, 3]  # s, goal, bad, trap
    fall, go, stay, wait = 3, 0, 4, 7  # choices
    plans = [[fall, -1, -1, -1], [go, stay, -1, wait]]
    plain["evidence"]["policies"] = [{"parts": [["1", 0, [{"inline": "i4", "values": plan} for plan in plans]]]}]
    zero = {"inline": "u1", "values": [0, 0, 0, 0]}
    bound = {"rule": "bound", "product": 0, "policy": [0, 0], "weights": [[0, "1"]], "finite": [0], "denominator": "1"}
    plain["evidence"]["lemmas"].append({**bound, "layers": [zero], "tails": [[None, zero]]})
    plain["evidence"]["argument"] = {"kind": "witness", "policies": [["pi", 0]], "tree": ["flag", "pi", 0, leaf, ["closed"]]}
    assert verdict(*packed(plain)) is None
    plain["evidence"]["policies"][0]["parts"][0][2][0]["values"] = [go, -1, -1, -1]  # now J is -1
    assert "finite anyway" in verdict(*packed(plain))
