"""Valid proofs, one for each thing that the format can say; ``ALL`` maps a name to a function that writes the document."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from tests.prover.checker.make import Document, eventually, expected, linear, probability, recurrence, stationary, text, value, world

F = Fraction
Json = Any
S, DONE, BAD = 0, 1, 2
SAFE, RISKY, STAY = 0, 1, 2
PLAIN = {"name": "Pi", "world": 0, "deterministic": False, "memoryless": False, "memory": None, "observes": None}


def risk(**more: Any) -> Json:
    """Safe earns 10; risky earns 9 and is bad half of the time."""
    half = F(1, 2)
    moves = {
        "s": {"safe": {"done": 1}, "risky": {"done": half, "bad": half}},
        "done": {"stay": {"done": 1}},
        "bad": {"stay": {"bad": 1}},
    }
    return world(moves, {"s": 1}, {"bad": "bad", "over": "done bad"}, {"r": {("s", "safe"): 10, ("s", "risky"): 9}}, **more)


def always(action: int) -> Json:
    return stationary({S: {action: 1}, DONE: {STAY: 1}, BAD: {STAY: 1}})


def near_optimal(eps: Any, policy: str = "pi") -> Json:
    return ["<", linear([(1, ["optimum", 0]), (-1, value(0, policy))], -F(eps))]


def safe(limit: Any, policy: str = "pi") -> Json:
    return ["<=", linear([(1, value(1, policy))], -F(limit))]


MAX_J = {"kind": "max", "type": 0, "body": [["1", 0]], "constant": "0"}


def near_optimal_is_safe(mode: Json, depth: int = 0, finite: tuple[int, ...] = (), **claim: Any) -> Json:
    """|J - max J| < 1/5 => P[F bad] <= 1/10; 10 - J = P(risky) = 2 P[F bad]."""
    body = ["or", ["not", near_optimal(F(1, 5))], safe(F(1, 10))]
    d = Document([risk()], [expected(mode), eventually(0)], body, optima=[MAX_J], **claim)
    d.evidence["policies"].append(always(SAFE))
    both = d.product([0, 1], depth)
    if finite:  # s earns at most 10 and loses the slack 1; elsewhere play idles
        potential = ["11" if node[0] == S else "0" for node in both[1].nodes]
        d.lemma({"rule": "well-defined", "product": 0, "objective": 0, "sign": "score", "slack": "1", "potential": potential})
    alone, chain = d.product([0], depth), d.product([0], depth, policy=0)
    cut, bound = d.bound(both, {0: 1, 1: 2}, finite)
    upper, _ = d.bound(alone, {0: 1}, finite)
    lower, _ = d.bound(chain, {0: -1}, finite)
    d.evidence["optima"] = [[{"lemma": lower}, {"lemma": upper}]]
    rows = [[["atom", 0], "1"], [["atom", 1], "2"], [["lemma", cut, "pi"], "1"], [["optimum", 0, "lower"], "1"]]
    inner = ["split", 0, ["split", 1, ["closed"], ["farkas", rows]], ["closed"]]
    tree = ["flag", "pi", 0, inner, ["closed"]] if finite else inner
    assert bound == 10
    return d.done({"kind": "refutation", "tree": tree})


def total() -> Json:
    """Every policy is proper, but without a finite lemma the flag must be decided: where J is -infinity pi is not near-optimal."""
    return near_optimal_is_safe(["total"], finite=(0,))


def until() -> Json:
    return near_optimal_is_safe(["until", 1], finite=(0,))


def discount() -> Json:
    """One a step for ever, half as much each time: J <= 2 and J >= 1 (the other action earns 1/2)."""
    place = world({"s": {"a": {"s": 1}, "b": {"s": F(1, 3), "t": F(2, 3)}}, "t": {"a": {"t": 1}}}, {"s": 1}, {}, {
        "r": {("s", "a"): 1, ("s", "b"): F(1, 2), ("t", "a"): 1},
    })  # fmt: skip
    body = ["and", ["<=", linear([(1, value(0))], -2)], ["<", linear([(-1, value(0))], F(9, 10))]]
    d = Document([place], [expected(["discount", "1/2"])], body)
    only = d.product([0])
    (up, _), (down, _) = d.bound(only, {0: 1}), d.bound(only, {0: -1})
    leaves = [["farkas", [[["atom", i], "1"], [["lemma", lemma, "pi"], "1"]]] for i, lemma in ((0, up), (1, down))]
    return d.done({"kind": "refutation", "tree": ["split", 0, ["split", 1, ["closed"], leaves[1]], leaves[0]]})


def discount_layers() -> Json:
    """The same with one layer before the tail."""
    return near_optimal_is_safe(["discount", "1/2"], depth=1)


def horizon() -> Json:
    return near_optimal_is_safe(["horizon", 3], depth=3)


def known_finite() -> Json:
    """The total score with a finite lemma: no flag is needed."""
    document = total()
    lemmas = document["evidence"]["lemmas"]
    lemmas.append({"rule": "finite", "product": 0, "objective": 0, "potential": ["0"] * 3})
    document["evidence"]["argument"]["tree"] = document["evidence"]["argument"]["tree"][3]
    return document


def maze(trap: bool = False) -> Json:
    """s: go (-1) to the goal, wait (-1) at s, harm (0) to bad; bad: wait (-1) or home (0) to the goal; a trap only waits."""
    moves = {
        "s": {"go": {"goal": 1}, "wait": {"s": 1}, "harm": {"bad": 1}, **({"fall": {"trap": 1}} if trap else {})},
        "goal": {"stay": {"goal": 1}},
        "bad": {"wait": {"bad": 1}, "home": {"goal": 1}},
        **({"trap": {"wait": {"trap": 1}}} if trap else {}),
    }
    rewards = {"r": {("s", "go"): -1, ("s", "wait"): -1, ("s", "harm"): 0, ("bad", "wait"): -1, ("bad", "home"): -3}}
    if trap:
        rewards["r"]["trap", "wait"] = -1
    return world(moves, {"s": 1}, {"bad": "bad"}, rewards)


def losing_loop(trap: bool = False) -> Json:
    """max J = -1 (go); harm earns -3: J + 2 P[F bad] <= -1 for finite J; a policy that waits for ever has J = -infinity."""
    body = ["or", ["not", near_optimal(F(1, 5))], safe(F(1, 10))]
    d = Document([maze(trap)], [expected(["total"]), eventually(0)], body, optima=[MAX_J])
    actions = d.worlds[0]["actions"]
    play = {0: {actions.index("go"): 1}, 1: {actions.index("stay"): 1}, 2: {actions.index("home"): 1}}
    d.evidence["policies"].append(stationary(play))
    alone = d.product([0])
    height = {0: "1", 1: "0", 2: "0", 3: "0"}
    potential = [height[node[0]] for node in alone[1].nodes]
    d.lemma({"rule": "well-defined", "product": 0, "objective": 0, "sign": "score", "slack": "1/2", "potential": potential})
    both, chain = d.product([0, 1]), d.product([0], policy=0)
    cut, bound = d.bound(both, {0: 1, 1: 2}, [0])
    upper, _ = d.bound(alone, {0: 1}, [0])
    lower, _ = d.bound(chain, {0: -1}, [0])
    assert bound == -1
    d.evidence["optima"] = [[{"lemma": lower}, {"lemma": upper}]]
    rows = [[["atom", 0], "1"], [["atom", 1], "2"], [["lemma", cut, "pi"], "1"], [["optimum", 0, "lower"], "1"]]
    inner = ["split", 0, ["split", 1, ["closed"], ["farkas", rows]], ["closed"]]
    return d.done({"kind": "refutation", "tree": ["flag", "pi", 0, inner, ["closed"]]})


def trap() -> Json:
    """The same with a state from which the score is lost for ever: its potential is null."""
    return losing_loop(trap=True)


def no_finite_policy() -> Json:
    """Every policy loses for ever: J(pi) < -5, by a bound of -infinity on the finite branch."""
    place = world({"s": {"a": {"s": 1}, "b": {"s": 1}}}, {"s": 1}, {}, {"r": {("s", "a"): -1, ("s", "b"): -2}})
    d = Document([place], [expected(["total"])], ["<", linear([(1, value(0))], 5)])
    only = d.product([0])
    d.lemma({"rule": "well-defined", "product": 0, "objective": 0, "sign": "score", "slack": "1", "potential": ["0"]})
    cut, bound = d.bound(only, {0: 1}, [0])
    assert bound is None
    return d.done({"kind": "refutation", "tree": ["flag", "pi", 0, ["farkas", [[["lemma", cut, "pi"], "1"]]], ["closed"]]})


def minimum() -> Json:
    """A cost: C = E[r, total] with r = 1 a step while not at the goal; min C = 1; C <= min C + 1/2 or C > 3/2."""
    half = F(1, 2)
    moves = {"s": {"fast": {"goal": 1}, "slow": {"s": half, "goal": half}}, "goal": {"stay": {"goal": 1}}}
    place = world(moves, {"s": 1}, {}, {"r": {("s", "fast"): 1, ("s", "slow"): 1}})
    body = ["and", ["<=", linear([(1, ["optimum", 0]), (-1, value(0))])], ["<=", linear([(1, value(0)), (-1, ["optimum", 0])], -1)]]
    d = Document([place], [expected(["total"])], body, optima=[{"kind": "min", "type": 0, "body": [["1", 0]], "constant": "0"}])
    d.evidence["policies"].append(stationary({0: {0: 1}, 1: {2: 1}}))
    alone, chain = d.product([0]), d.product([0], policy=0)
    d.lemma({"rule": "well-defined", "product": 0, "objective": 0, "sign": "cost", "slack": "1", "potential": ["4", "0"]})
    d.lemma({"rule": "finite", "product": 0, "objective": 0, "potential": ["2", "0"]})
    up, _ = d.bound(alone, {0: 1}, [0])
    down, _ = d.bound(alone, {0: -1}, [0])
    own, _ = d.bound(chain, {0: 1}, [0])
    d.evidence["optima"] = [[{"lemma": down}, {"lemma": own}]]
    first = ["farkas", [[["atom", 0], "1"], [["lemma", down, "pi"], "1"], [["optimum", 0, "upper"], "1"]]]
    second = ["farkas", [[["atom", 1], "1"], [["lemma", up, "pi"], "1"], [["optimum", 0, "lower"], "1"]]]
    return d.done({"kind": "refutation", "tree": ["split", 0, ["split", 1, ["closed"], second], first]})


def paths() -> Json:
    """P[F<=2 bad] + P[G<=1 not over-or-next ...]: bounded until, release, next, and, or; by enumeration of both worlds' ends."""
    path = [
        "or",
        ["and", ["next", ["next", ["atom", 0]]], ["release", ["false"], ["not-atom", 0], 1]],
        ["until", ["not-atom", 1], ["atom", 0], 1],
    ]
    d = Document([risk()], [probability(path), eventually(0, 2)], ["<=", linear([(1, value(0)), (1, value(1))], -1)])
    cut, bound = d.bound(d.product([0, 1]), {0: 1, 1: 1})
    assert bound == 1
    return d.done({"kind": "refutation", "tree": ["split", 0, ["closed"], ["farkas", [[["atom", 0], "1"], [["lemma", cut, "pi"], "1"]]]]})


def choice_of_homes() -> Json:
    """x reaches a home a or a home b and can cycle through both."""
    moves = {"x": {"a": {"a": 1}, "b": {"b": 1}}, "a": {"stay": {"a": 1}, "back": {"x": 1}}, "b": {"stay": {"b": 1}, "leave": {"x": 1}}}
    return world(moves, {"x": 1}, {"a": "a", "b": "b"}, {"r": {}})


def recurrent() -> Json:
    """P[GF a] + P[GF b] - P[GF x] <= 1: on both homes at once x is met again and again."""
    place = choice_of_homes()
    place["atoms"].append({"text": "x", "states": [0]})
    body = ["<=", linear([(1, value(0)), (1, value(1)), (-1, value(2))], -1)]
    d = Document([place], [recurrence(0), recurrence(1), recurrence(2)], body)
    cut, bound = d.bound(d.product([0, 1, 2]), {0: 1, 1: 1, 2: -1})
    assert bound == 1
    return d.done({"kind": "refutation", "tree": ["split", 0, ["closed"], ["farkas", [[["atom", 0], "1"], [["lemma", cut, "pi"], "1"]]]]})


def witness() -> Json:
    """exists pi: J >= 19/2 and P[F bad] >= 1/4, by a coin at the start."""
    body = ["and", ["<=", linear([(-1, value(0))], F(19, 2))], ["<=", linear([(-1, value(1))], F(1, 4))]]
    d = Document([risk()], [expected(["horizon", 1]), eventually(0)], body, kind="exists")
    rules = [[n, s, [[a, "1"]], []] for n, a in ((0, SAFE), (1, RISKY)) for s, a in ((S, a), (DONE, STAY), (BAD, STAY))]
    d.evidence["policies"].append({"start": [["1/2", S, 0], ["1/2", S, 1]], "rules": rules})
    chain = d.product([0, 1], 1, policy=0)
    j, _ = d.bound(chain, {0: -1})
    p, _ = d.bound(chain, {1: -1})
    tree = [
        "split",
        0,
        ["split", 1, ["closed"], ["farkas", [[["atom", 1], "1"], [["lemma", p, "pi"], "1"]]]],
        ["farkas", [[["atom", 0], "1"], [["lemma", j, "pi"], "1"]]],
    ]
    return d.done({"kind": "witness", "policies": [["pi", 0]], "tree": tree})


UNKNOWN = {"name": "eps", "low": "0", "low_closed": False, "high": "50", "high_closed": True, "direction": "maximal"}


def margin(strict: bool = True) -> Json:
    """find eps maximal: eps* = 1/5, attained for the strict reading; for |J - max J| <= eps it is not attained."""
    head = "<" if strict else "<="
    near = [head, linear([(1, ["optimum", 0]), (-1, value(0)), (-1, ["unknown"])])]
    d = Document(
        [risk()],
        [expected(["horizon", 1]), eventually(0)],
        ["or", ["not", near], safe(F(1, 10))],
        kind="find",
        optima=[MAX_J],
        unknown=UNKNOWN,
    )
    d.evidence["policies"] += [always(SAFE), always(RISKY)]
    both = d.product([0, 1], 1)
    cut, _ = d.bound(both, {0: 1, 1: 2})
    upper, _ = d.bound(both, {0: 1})
    values = []
    for p in (0, 1):
        chain = d.product([0, 1], 1, policy=p)
        values += [[p, j, d.bound(chain, {j: 1})[0], d.bound(chain, {j: -1})[0]] for j in (0, 1)]
    d.evidence["optima"] = [[{"lemma": values[0][3]}, {"lemma": upper}]]
    rows = [[["atom", 0], "1"], [["atom", 1], "2"], [["lemma", cut, "pi"], "1"], [["optimum", 0, "lower"], "1"], [["threshold"], "1"]]
    tree = ["split", 0, ["split", 1, ["closed"], ["farkas", rows]], ["closed"]]

    def point(unknown: str, risky: Fraction) -> Json:
        return {"unknown": unknown, "weights": [["pi", [text(1 - risky), text(risky)]]]}

    breaks = {
        "policies": [["pi", [0, 1]]], "values": values, "inside": point("1/2", F(1, 4)), "edge": point("1/5", F(1, 5)),
        "literals": [[0, True], [1, False]],
    }  # fmt: skip
    return d.done({"kind": "threshold", "value": "1/5", "attained": True, "tree": tree, "breaks": breaks})


def margin_of_a_closed_claim() -> Json:
    """|J - max J| <= eps => P[F bad] < 1/10: at eps = 1/5 the claim fails itself."""
    document = margin(strict=False)
    body = document["claim"]["body"]
    body[2][0] = "<"
    breaks = document["evidence"]["argument"]["breaks"]
    breaks["inside"] = breaks["edge"]
    document["evidence"]["argument"]["attained"] = False
    return document


def margin_at_the_end() -> Json:
    """In (0, 1/10] nothing is violated."""
    document = margin()
    document["claim"]["unknown"]["high"] = "1/10"
    document["evidence"]["argument"] |= {"value": "1/10", "breaks": None}
    tree = document["evidence"]["argument"]["tree"]
    tree[2][3][1].append([["unknown", "high"], "1"])
    tree[2][3][1] = [row for row in tree[2][3][1] if row[0] != ["threshold"]]
    return document


def unlimited() -> Json:
    """P[F bad] <= 1/2 whatever the unknown: infinity."""
    near = ["<", linear([(1, ["optimum", 0]), (-1, value(0)), (-1, ["unknown"])])]
    claim = {"kind": "find", "optima": [MAX_J], "unknown": UNKNOWN | {"high": None, "high_closed": False}}
    d = Document([risk()], [expected(["horizon", 1]), eventually(0)], ["or", ["not", near], safe(F(1, 2))], **claim)
    cut, _ = d.bound(d.product([1]), {1: 1})
    d.evidence["optima"] = [[None, None]]
    tree = ["split", 0, ["split", 1, ["closed"], ["farkas", [[["atom", 1], "1"], [["lemma", cut, "pi"], "1"]]]], ["closed"]]
    return d.done({"kind": "threshold", "value": "infinity", "attained": False, "tree": tree, "breaks": None})


def deterministic() -> Json:
    """Deterministic memoryless policies: P[F bad] is 0 or 1/2, so J > 9 => P[F bad] <= 0, false for mixtures."""
    body = ["or", ["<=", linear([(1, value(0))], -9)], ["<=", linear([(1, value(1))])]]
    kind = PLAIN | {"deterministic": True, "memoryless": True}
    d = Document([risk()], [expected(["horizon", 1]), eventually(0)], body, types=[kind])
    both = d.product([0, 1], 1)
    tame, _ = d.bound(both, {1: 1}, allowed=[[S, [SAFE]]])
    wild, _ = d.bound(both, {0: 1}, allowed=[[S, [RISKY]]])
    cases = [
        [[SAFE], ["split", 1, ["closed"], ["farkas", [[["atom", 1], "1"], [["lemma", tame, "pi"], "1"]]]]],
        [[RISKY], ["split", 0, ["closed"], ["farkas", [[["atom", 0], "1"], [["lemma", wild, "pi"], "1"]]]]],
    ]
    return d.done({"kind": "refutation", "tree": ["choose", "pi", S, cases]})


def optimum_by_cases() -> Json:
    """A deterministic memoryless policy cannot visit both homes: max P[F a and F b] = 0 (with memory: 1)."""
    moves = {"x": {"a": {"a": 1}, "b": {"b": 1}}, "a": {"back": {"x": 1}}, "b": {"back": {"x": 1}}}
    place = world(moves, {"x": 1}, {"a": "a", "b": "b"}, {"r": {}})
    visit = [["until", ["true"], ["atom", a], None] for a in (0, 1)]
    kind = PLAIN | {"deterministic": True, "memoryless": True}
    body = ["<=", linear([(1, ["optimum", 0])])]
    d = Document([place], [probability(["and", *visit])], body, types=[kind], optima=[MAX_J])
    d.evidence["policies"].append(stationary({0: {0: 1}, 1: {2: 1}, 2: {2: 1}}))
    both = d.product([0])
    options = [[[a], {"lemma": d.bound(both, {0: 1}, allowed=[[0, [a]]])[0]}] for a in (0, 1)]
    lower, _ = d.bound(d.product([0], policy=0), {0: -1})
    d.evidence["optima"] = [[{"lemma": lower}, {"choose": 0, "options": options}]]
    rows = [[["atom", 0], "1"], [["optimum", 0, "upper"], "1"]]
    return d.done({"kind": "refutation", "tree": ["split", 0, ["closed"], ["farkas", rows]]})


def exact_support() -> Json:
    """s: stay for free, or leave at a loss of 5.  A memoryless policy stays for ever (J = 0) or leaves for sure in the end (J = -5)."""
    place = world({"s": {"stay": {"s": 1}, "leave": {"goal": 1}}, "goal": {"rest": {"goal": 1}}}, {"s": 1}, {}, {"r": {("s", "leave"): -5}})
    body = ["or", ["<=", linear([(1, value(0))], 5)], ["<=", linear([(-1, value(0))])]]
    d = Document([place], [expected(["total"])], body, types=[PLAIN | {"memoryless": True}])
    only = d.product([0])
    d.lemma({"rule": "well-defined", "product": 0, "objective": 0, "sign": "score", "slack": "5", "potential": ["0", "0"]})
    d.lemma({"rule": "finite", "product": 0, "objective": 0, "potential": ["5", "0"]})
    stays, _ = d.bound(only, {0: -1}, [0], [[0, [0]]])
    leaves, bound = d.bound(only, {0: 1}, [0], [[0, [1]]])
    both = d.lemma(d.evidence["lemmas"][leaves] | {"allowed": [[0, [0, 1]]]})
    assert bound == -5
    gone = [["split", 0, ["closed"], ["farkas", [[["atom", 0], "1"], [["lemma", i, "pi"], "1"]]]] for i in (leaves, both)]
    still = ["split", 1, ["closed"], ["farkas", [[["atom", 1], "1"], [["lemma", stays, "pi"], "1"]]]]
    return d.done({"kind": "refutation", "tree": ["choose", "pi", 0, [[[0], still], [[1], gone[0]], [[0, 1], gone[1]]]]})


def drawn_beforehand() -> Json:
    """Every memoryless policy draws its action in s once: J <= 10 by the cases safe and risky."""
    body = ["<=", linear([(1, value(0))], -10)]
    d = Document([risk()], [expected(["horizon", 1])], body, types=[PLAIN | {"memoryless": True}])
    only = d.product([0], 1)
    parts = [d.bound(only, {0: 1}, allowed=[[S, [a]]])[0] for a in (SAFE, RISKY)]
    cases = d.lemma({"rule": "cases", "states": [S], "parts": parts})
    rows = [[["atom", 0], "1"], [["lemma", cases, "pi"], "1"]]
    return d.done({"kind": "refutation", "tree": ["split", 0, ["closed"], ["farkas", rows]]})


def named() -> Json:
    """A named policy with memory: risky at s only after it has come back; never, so it is safe."""
    half = F(1, 2)
    moves = {"s": {"safe": {"s": half, "done": half}, "risky": {"bad": 1}}, "done": {"stay": {"done": 1}}, "bad": {"stay": {"bad": 1}}}
    place = world(moves, {"s": 1}, {"bad": "bad"}, {"r": {}})
    rules = [[0, S, [[SAFE, "1"]], [[S, 1]]], [1, S, [[RISKY, "1"]], []], [0, DONE, [[STAY, "1"]], []], [1, BAD, [[STAY, "1"]], []]]
    rules += [[1, DONE, [[STAY, "1"]], []]]
    careful = {"name": "careful", "type": 0, "controller": {"start": [["1", S, 0]], "rules": rules}}
    body = ["<=", linear([(1, value(0, "careful"))], -half)]
    d = Document([place], [eventually(0)], body, policies=[careful], variables=[], types=[PLAIN | {"deterministic": True, "memory": 2}])
    cut, bound = d.bound(d.product([0], policy=0), {0: 1})
    assert bound == half
    return d.done(
        {"kind": "refutation", "tree": ["split", 0, ["closed"], ["farkas", [[["atom", 0], "1"], [["lemma", cut, "careful"], "1"]]]]}
    )


def two_policies() -> Json:
    """forall a, b: not (J(a) > J(b) and P(a) > P(b)): false in general, so only J + 2 P = 10 for both."""
    body = ["<=", linear([(1, value(0, "a")), (2, value(1, "a")), (-1, value(0, "b")), (-2, value(1, "b"))])]
    d = Document([risk()], [expected(["horizon", 1]), eventually(0)], body, variables=[["a", 0], ["b", 0]])
    both = d.product([0, 1], 1)
    up, _ = d.bound(both, {0: 1, 1: 2})
    down, _ = d.bound(both, {0: -1, 1: -2})
    rows = [[["atom", 0], "1"], [["lemma", up, "a"], "1"], [["lemma", down, "b"], "1"]]
    return d.done({"kind": "refutation", "tree": ["split", 0, ["closed"], ["farkas", rows]]})


def training(facts: Json, body: Json, limit: Any = "1/10") -> tuple[Document, Json]:
    """Events: 0 near-optimal (eps 1/5), 1 P[F bad] <= limit; the second result refutes 0 and not 1."""
    parts = [{"name": n, "type": 0, "controller": always(a)} for n, a in (("tame", SAFE), ("wild", RISKY))]
    events = [near_optimal(F(1, 5)), safe(limit)]
    d = Document(
        [risk()], [expected(["horizon", 1]), eventually(0)], body, "measure", optima=[MAX_J], policies=parts, events=events, facts=facts
    )
    both = d.product([0, 1], 1)
    cut, _ = d.bound(both, {0: 1, 1: 2})
    upper, _ = d.bound(both, {0: 1})
    chains = [d.product([0, 1], 1, policy=p) for p in (0, 1)]
    lower, _ = d.bound(chains[0], {0: -1})
    d.evidence["optima"] = [[{"lemma": lower}, {"lemma": upper}]]
    rows = [[["atom", 0], "1"], [["atom", 1], "2"], [["lemma", cut, "pi"], "1"], [["optimum", 0, "lower"], "1"]]
    tree = ["split", 0, ["split", 1, ["closed"], ["farkas", rows]], ["closed"]]
    d.chains = chains  # type: ignore[attr-defined]
    return d, tree


def likely(event: int, p: Any) -> Json:
    """P(event) > p."""
    return ["<", linear([(-1, ["probability", event])], p)]


def measured(d: Document, proofs: Json, tree: Json, impossible: Json) -> Json:
    return d.done({"kind": "measure", "proofs": proofs, "impossible": [[[[0, True], [1, False]], impossible]], "tree": tree})


CHAIN = ["split", 0, ["closed"], ["farkas", [[["atom", 0], "1"], [["fact", 0], "1"], [["impossible", 0], "1"], [["cell", 2], "1"]]]]


def samples() -> Json:
    """198 of 200 runs are near-optimal, so P(Safe) > 9/10 with confidence 99 %."""
    fact = {"kind": "samples", "name": "evaluation", "event": 0, "successes": 198, "size": 200, "delta": "1/100"}
    d, tree = training([fact], likely(1, F(9, 10)))
    return measured(d, [{"bound": "19/20"}], CHAIN, tree)


def runs() -> Json:
    """Ten runs, nine of them the safe policy."""
    fact = {"kind": "runs", "parts": ["tame"] * 9 + ["wild"], "event": 0, "delta": "1/20"}
    d, tree = training([fact], likely(1, F(3, 5)))
    upper, _ = d.bound(d.chains[0], {0: -1})  # type: ignore[attr-defined]
    high = d.evidence["optima"][0][1]["lemma"]
    assert high >= 0
    holds = ["split", 0, ["closed"], ["farkas", [[["atom", 0], "1"], [["lemma", upper, "pi"], "1"], [["optimum", 0, "upper"], "1"]]]]
    return measured(d, [{"bound": "151/250", "truth": [[part, holds] for part in range(9)]}], CHAIN, tree)


def mixture() -> Json:
    """T is 3/4 tame and 1/4 wild: P(Safe) > 7/10, P(near-optimal given Safe) > 9/10, E(J) >= 39/4."""
    fact = {"kind": "mixture", "parts": [["3/4", "tame"], ["1/4", "wild"]]}
    given = ["<", linear([(-1, ["joint", 0, 1]), (F(9, 10), ["probability", 1])])]
    mean = ["<=", linear([(-1, ["expectation", 0])], F(39, 4))]
    d, tree = training([fact], ["and", likely(1, F(7, 10)), given, mean])
    tame, wild = d.chains  # type: ignore[attr-defined]
    j, p = d.bound(tame, {0: -1})[0], d.bound(tame, {1: 1})[0]
    bad = d.bound(wild, {1: -1})[0]
    near = ["split", 0, ["closed"], ["farkas", [[["atom", 0], "1"], [["lemma", j, "pi"], "1"], [["optimum", 0, "upper"], "1"]]]]
    sound = ["split", 1, ["closed"], ["farkas", [[["atom", 1], "1"], [["lemma", p, "pi"], "1"]]]]
    unsound = ["split", 1, ["farkas", [[["atom", 1], "1"], [["lemma", bad, "pi"], "1"]]], ["closed"]]
    means = [[d.bound(c, {0: 1})[0], d.bound(c, {0: -1})[0]] for c in (tame, wild)]
    proof = {"truth": [[0, 0, True, near], [0, 1, True, sound], [1, 1, False, unsound]], "values": [[0, means]]}
    both, none = [["fact", 0, [[0, True], [1, True]]], "1"], [["fact", 0, [[1, False]]], "1"]
    leaves = [
        ["farkas", [[["atom", 0], "1"], both, [["cell", 2], "1"]]],
        ["farkas", [[["atom", 1], "10"], [both[0], "10"], [none[0], "9"], [["mass"], "9"]]],
        ["farkas", [[["atom", 2], "1"], [["mean", 0, 0, "lower"], "1"]]],
    ]
    argument = ["split", 0, ["split", 1, ["split", 2, ["closed"], leaves[2]], leaves[1]], leaves[0]]
    return measured(d, [proof], argument, tree)


def assumed() -> Json:
    """Assume P(near-optimal) >= 19/20."""
    why = ["<=", linear([(-1, ["probability", 0])], F(19, 20))]
    d, tree = training([{"kind": "assumed", "name": "learns", "formula": why}], likely(1, F(9, 10)))
    rows = [[["atom", 0], "1"], [["atom", 1], "1"], [["impossible", 0], "1"], [["cell", 2], "1"]]
    return measured(d, [None], ["split", 0, ["closed"], ["split", 1, ["farkas", rows], ["closed"]]], tree)


ALL = {
    f.__name__: f
    for f in (
        total, until, discount, discount_layers, horizon, known_finite, losing_loop, trap, no_finite_policy, minimum, paths, recurrent,
        witness, margin, margin_of_a_closed_claim, margin_at_the_end,
        unlimited, deterministic, optimum_by_cases, exact_support, drawn_beforehand, named, two_policies, samples, runs, mixture, assumed,
    )
}  # fmt: skip
PERMITTED = frozenset({"evaluation", "learns"})
