"""Random changes of valid proofs: what is still accepted is not false by brute force; random worlds are proved, and not over-proved."""

from __future__ import annotations

from fractions import Fraction
from random import Random

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from prover.checker.check import check
from prover.checker.document import Rejected
from tests.prover.checker import proofs
from tests.prover.checker.make import Document, expected, linear, probability, recurrence, stationary, value, world
from tests.prover.checker.nudge import nudge
from tests.prover.checker.oracle import is_false

F = Fraction
VALID = {name: write() for name, write in proofs.ALL.items()}


def verdict(document):
    """Why it is rejected; None: accepted."""
    try:
        check(document, permitted=proofs.PERMITTED)
    except Rejected as reason:
        return str(reason)
    return None


@settings(max_examples=1500, deadline=None)
@given(st.sampled_from(sorted(VALID)), st.integers(0, 2**32))
def test_a_nudged_proof_is_rejected_or_true(name, seed):
    document = nudge(VALID[name], Random(seed))
    reason = verdict(document)
    if reason is None:
        assert not is_false(document)
    else:
        assert "Error" not in reason, "rejected by accident"


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(VALID)), st.sampled_from(sorted(VALID)), st.integers(0, 2**32))
def test_a_borrowed_proof_is_rejected_or_true(mine, yours, seed):
    """The evidence of another problem, or of this problem before its world or claim was nudged."""
    document = nudge(VALID[mine], Random(seed))
    document["evidence"] = VALID[yours]["evidence"]
    if verdict(document) is None:
        assert not is_false(document)


# ---------------------------------------------------------------- worlds at random

SHARES = [[F(1)], [F(1, 2), F(1, 2)], [F(1, 3), F(2, 3)], [F(1, 10), F(9, 10)]]


@st.composite
def places(draw):
    n = draw(st.integers(1, 3))
    names = "xyz"[:n]
    moves = {}
    rewards = {}
    for s in names:
        moves[s] = {}
        for a in "ab"[: draw(st.integers(1, 2))]:
            shares = draw(st.sampled_from(SHARES))[:n] if n > 1 else SHARES[0]
            moves[s][a] = dict(zip(draw(st.permutations(names)), shares if sum(shares) == 1 else [F(1)], strict=False))
            if draw(st.booleans()):
                rewards[s, a] = draw(st.integers(-2, 2))
    start = draw(st.sampled_from([{"x": F(1)}, {"x": F(1, 4), names[-1]: F(3, 4)} if n > 1 else {"x": F(1)}]))
    atoms = {a: " ".join(s for s in names if draw(st.booleans())) for a in "pq"}
    return world(moves, start, atoms, {"r": rewards})


ATOM = st.sampled_from([["atom", 0], ["not-atom", 0], ["atom", 1], ["not-atom", 1], ["true"]])
PATH = st.recursive(
    ATOM,
    lambda inner: st.one_of(
        st.tuples(st.just("next"), inner),
        st.tuples(st.sampled_from(["and", "or"]), inner, inner),
        st.tuples(st.just("until"), inner, inner, st.sampled_from([None, 0, 1, 2])),
        st.tuples(st.just("release"), inner, inner, st.sampled_from([0, 1])),
    ).map(list),
    max_leaves=3,
)
OBJECTIVE = st.one_of(
    PATH.map(probability),
    st.builds(recurrence, st.sampled_from([0, 1])),
    st.sampled_from([["horizon", 1], ["horizon", 2], ["discount", "1/2"], ["discount", "0"]]).map(expected),
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
    """The best bound of a direction is accepted, for all policies or for one; the claim that it could be undercut is not."""
    assume(len(place["choices"]) <= 5)
    chain = data.draw(st.booleans())
    depth = max([g["mode"][1] for g in goals if g.get("mode", [""])[0] == "horizon"], default=0) + extra
    named = []
    if chain:
        enabled = {s: [c[1] for c in place["choices"] if c[0] == s] for s in range(len(place["states"]))}
        rules = stationary({s: {a: F(1, len(actions)) for a in actions} for s, actions in enabled.items()})
        named = [{"name": "sigma", "type": 0, "controller": rules | {"start": [["1", s, 0] for s, _ in place["initial"]]}}]
    who = "sigma" if chain else "pi"
    terms = [(w, value(j, who)) for j, w in enumerate(weights[: len(goals)])]
    d = Document([place], goals, ["<=", linear(terms)], policies=named)
    product = d.product(list(range(len(goals))), depth, 0 if chain else None)
    assume(len(product[1].nodes) <= 5)
    cut, bound = d.bound(product, dict(enumerate(weights[: len(goals)])))
    d.claim["body"] = ["<=", linear(terms, -bound)]
    rows = [[["atom", 0], "1"], [["lemma", cut, who], "1"]]
    document = d.done({"kind": "refutation", "tree": ["split", 0, ["closed"], ["farkas", rows]]})
    check(document)
    assert not is_false(document)
    d.claim["body"] = ["<=", linear(terms, -bound + F(1, 10**9))]
    assert verdict(d.done(d.evidence["argument"])) is not None
