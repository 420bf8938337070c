"""Format 2 with horizons that the memory counts: no layers, and the same bounds as with them."""

from __future__ import annotations

import copy
from fractions import Fraction
from math import lcm

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from prover.checker.check import check
from prover.checker.document import Rejected
from prover.container import Arrays
from tests.prover.checker import make
from tests.prover.checker.inline import inlined, packed, small
from tests.prover.checker.make import Document, expected, linear, probability, value, world
from tests.prover.checker.oracle import is_false
from tests.prover.checker.test_nudges import PATH, places

F = Fraction


class Counting(make.Product):
    """The memory of a horizon is the number of steps left."""

    def enter(self, goal, old, state):
        if goal.get("mode", [""])[0] == "horizon":
            return str(goal["mode"][1] if old is None else max(0, int(old) - 1))
        return super().enter(goal, old, state)

    def settled(self, node, _):
        done = []
        for goal, memory, table in zip(self.goals, node[1], self.rewards, strict=True):
            done.append(
                memory in (("true", "false") if goal["kind"] == "probability" else ("0",)) or (bool(table) and not any(table.values()))
            )
        return all(done)

    def combine(self, node, played, steps):
        action, targets, earned, idle = super().combine(node, played, steps)
        over = [memory == "0" for memory in node[1]]
        earned = [F(0) if done else x for done, x in zip(over, earned, strict=True)]
        return action, targets, earned, [done or x for done, x in zip(over, idle, strict=True)]


class AsTotals(Counting):
    """The same nodes; the horizons presented as totals, so that ``make.bound`` finds the best stationary table."""

    def __init__(self, built):
        self.__dict__.update(built.__dict__)
        self.goals = [{**goal, "mode": ["total"]} if "mode" in goal else goal for goal in built.goals]

    def enter(self, goal, old, state):
        if goal.get("mode") == ["total"]:
            return str(max(0, int(old) - 1))
        return make.Product.enter(self, goal, old, state)

    def initial(self):
        return self.starts


def counted(place, goals, weights):
    """A plain document with the best bound, and the bound."""
    built = Counting([place], goals, list(range(len(goals))))
    starts = built.initial()
    totals = AsTotals(built)
    totals.starts = starts
    lemma, bound = make.bound(totals, weights)
    table = [F(x) for x in lemma["tails"][0]["potential"]] if lemma["tails"] else []
    below = lcm(*(x.denominator for x in table))
    arrays = Arrays()
    product = {
        "world": 0,
        "objectives": list(range(len(goals))),
        "memories": [list(m) for m in built.memories],
        "state": arrays.integers("state", [n[0] for n in built.nodes]),
        "memory": arrays.integers("memory", [built.memories.index(n[1]) for n in built.nodes]),
    }
    upper = {
        "rule": "bound", "product": 0, "policy": None, "weights": lemma["weights"], "finite": [], "denominator": str(below), "layers": [],
        "tails": [[None, arrays.integers("upper", [int(x * below) for x in table])]],
    }  # fmt: skip
    terms = [(w, value(j)) for j, w in weights.items()]
    d = Document([place], goals, ["<=", linear(terms, -bound)])
    document = d.done({"kind": "refutation", "tree": ["split", 0, ["closed"], ["farkas", [[["atom", 0], "1"], [["lemma", 0, "pi"], "1"]]]]})
    document["format"] = "twostep-proof 2"
    document["worlds"] = [arrays.world(place, "w.")]
    document["evidence"] |= {"products": [product], "lemmas": [upper]}
    return inlined(document, arrays.members), bound


def verdict(plain):
    document, arrays = packed(plain)
    try:
        check(document, arrays=arrays)
    except Rejected as reason:
        return str(reason)
    return None


@settings(max_examples=150, deadline=None)
@given(places(), st.integers(0, 3), st.integers(1, 2), st.none() | PATH, st.sampled_from([-2, -1, 1, 2]), st.sampled_from([-2, -1, 1, 2]))
def test_the_same_bound_as_with_layers(place, steps, more, path, weight, other):
    assume(len(place["choices"]) <= 5 and place["rewards"]["r"]["at"])
    assume(any(F(place["rewards"]["r"]["values"][v]) for *_, v in place["rewards"]["r"]["at"]))
    goals = [expected(["horizon", steps]), *([] if path is None else [probability(path)])]
    weights = dict(enumerate([weight, other][: len(goals)]))
    assume(len(Counting([place], goals, list(weights)).nodes) <= 7)
    plain, bound = counted(place, goals, weights)
    layered = make.Product([place], goals, list(weights), steps + more)
    assume(len(layered.nodes) <= 5)
    assert make.bound(layered, weights)[1] == bound
    assert verdict(plain) is None
    assert not is_false(small(plain))
    for table in (plain["evidence"]["lemmas"][0]["tails"][0][1]["values"],):
        for node in range(len(table)):
            if plain["evidence"]["products"][0]["state"]["values"][node] == place["initial"][0][0]:
                table[node] -= 10**6
                plain["evidence"]["lemmas"][0]["tails"][0][1]["inline"] = "i8"
                assert verdict(plain) is not None
                table[node] += 10**6


PLACE = world(
    {"s": {"a": {"s": F(1, 2), "t": F(1, 2)}}, "t": {"a": {"t": 1}}},
    {"s": 1},
    {"there": "t"},
    {"r": {("s", "a"): 1}},
)


def example():
    """E[r, horizon 3] = 1 + 1/2 + 1/4."""
    plain, bound = counted(PLACE, [expected(["horizon", 3])], {0: 1})
    assert bound == F(7, 4)
    return plain


def test_forged_counters():
    good = example()
    assert verdict(good) is None
    product = good["evidence"]["products"][0]
    assert product["memories"] == [["3"], ["2"], ["1"]]

    def forged(change, reason):
        plain = copy.deepcopy(good)
        change(plain["evidence"]["products"][0], plain["evidence"]["lemmas"][0])
        found = verdict(plain)
        assert found is not None
        assert reason in found

    def keys(*row):
        return lambda p, _: p.update(memories=[[k] for k in row])

    forged(keys("3", "3", "1"), "a memory occurs twice")
    forged(keys("4", "2", "1"), "a node is missing")  # a start with a larger counter
    forged(keys("2", "1", "0"), "a settled node is listed")
    forged(keys("3", "1", "0"), "a settled node is listed")
    forged(keys("3", "5", "1"), "a node is missing")  # a counter that goes up
    forged(keys("3", "1", "2"), "too small")  # the tables of two counters exchanged
    forged(keys("", "2", "1"), "a node is missing")  # mixed: no counters
    for text in ("03", "-3", "+3", "3.0", "٣", " 3", "open", "1" * 5000):
        forged(keys(text, "2", "1"), "key")
    forged(lambda _, lemma: lemma.update(tails=[]), "one tail for each")

    def uncounted(p, lemma):
        p.update(memories=[[""]], state={"inline": "u1", "values": [0, 1]}, memory={"inline": "u1", "values": [0, 0]})
        lemma.update(tails=[])

    forged(uncounted, "fewer layers")


@pytest.mark.parametrize("steps", [0, 1, 5])
def test_any_number_of_steps(steps):
    plain, bound = counted(PLACE, [expected(["horizon", steps])], {0: 1})
    assert bound == 2 - F(2, 2**steps)
    assert verdict(plain) is None
