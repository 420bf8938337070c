"""Brute force: is the claim of a document false?  Evaluates every deterministic policy (and their mixtures) exactly, ignores the evidence.

One-sided: a claim called false is false; where no violation is found the answer is None.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import product as combinations
from math import comb, prod
from typing import Any

import z3

from tests.prover.checker.make import F, Move, Node, Product, chain_values, solve, stationary

Json = Any
INFINITE = float("inf")
LIMIT = 600  # policies of one world
TINY = F(1, 10**9)


class Skip(Exception):
    """Too large, or outside what this oracle knows."""


class IllPosed(Exception):
    """A sum that is not defined."""


def end_of_class(product: Product, pick: dict[Node, Move], i: int, members: set[Node]) -> Any:
    """0, 1 for a recurrence that is met, or +-infinity by the sign of the gain."""
    goal = product.goals[i]
    if goal["kind"] == "recurrence":
        return F(any(n[0] in product.world["atoms"][goal["atom"]]["states"] for n in members))
    if all(pick[n][3][i] for n in members):
        return F(0)
    nodes = list(members)
    table = []
    for n in nodes:  # h(n) - sum P h + gain = r(n), with h(first) = 0: the gain takes the first column
        row = [F(1)] + [F(n == m) for m in nodes[1:]] + [pick[n][2][i]]
        for p, t in pick[n][1]:
            if t != nodes[0]:
                row[nodes.index(t)] -= p
        table.append(row)
    gain = solve(table)[0]
    if gain == 0:
        raise IllPosed
    return INFINITE if gain > 0 else -INFINITE


def values(product: Product, layers: list[dict[Node, Move]], tail: dict[Node, Move], i: int) -> Any:
    """The value of listed objective i under one choice for each node."""
    goal = product.goals[i]
    mode = goal.get("mode", [""])
    factor = F(mode[1]) if mode[0] == "discount" else F(1)
    if mode[0] == "horizon":
        later: dict[Node, Any] = {}
    else:
        infinite: set[Node] = set()

        def end(members: set[Node]) -> Any:
            worth = end_of_class(product, tail, i, members)
            if worth in (INFINITE, -INFINITE):
                infinite.add(next(iter(members)))
                return None
            return worth

        later = dict(chain_values(product.nodes, tail, lambda m: m[2][i], factor, end))
        if None in later.values():
            signs = {end_of_class(product, tail, i, reach(tail, n)) for n in infinite}
            if len(signs) != 1:
                raise Skip
            sign = signs.pop()
            later = {n: sign if v is None else v for n, v in later.items()}
    for time in reversed(range(product.depth)):
        scale = F(mode[0] != "horizon" or time < mode[1])
        later = {n: scale * m[2][i] + factor * sum(p * later.get(t, 0) for p, t in m[1]) for n, m in layers[time].items()}
    total: Any = 0
    for share, node in product.initial():
        total += share * (later.get(node, 0) + (goal["kind"] == "probability" and node[1][i] == "true"))
    return total


def reach(tail: dict[Node, Move], node: Node) -> set[Node]:
    seen, todo = {node}, [node]
    while todo:
        fresh = {t for _, t in tail[todo.pop()][1] if t in tail} - seen
        seen |= fresh
        todo.extend(fresh)
    return seen


def depth_of(goals: list[Json]) -> int:
    return max([g["mode"][1] for g in goals if g.get("mode", [""])[0] == "horizon"], default=0)


def policy_values(claim: Json, worlds: list[Json], w: int, controller: Json = None, memoryless: bool = False) -> list[dict[int, Any]]:
    """objective -> value, for every deterministic policy of the world, or for the one controller."""
    js = [j for j, goal in enumerate(claim["objectives"]) if goal["world"] == w]
    depth = depth_of([claim["objectives"][j] for j in js])
    if depth > 8:
        raise Skip
    product = Product(worlds, claim["objectives"], js, depth, w, controller)
    levels = [*product.layers, product.nodes]
    options = [[(n, m) for m in product.moves(n)] for level in levels for n in level]
    if prod(len(o) for o in options) > LIMIT:
        raise Skip
    result = []
    for row in combinations(*options):
        if memoryless:
            chosen: dict[int, int] = {}
            if any(chosen.setdefault(n[0], m[0]) != m[0] for n, m in row):
                continue
        todo, levels_of = list(row), []
        for level in levels:
            levels_of.append(dict(todo[: len(level)]))
            todo = todo[len(level) :]
        result.append({j: values(product, levels_of[:-1], levels_of[-1], i) for i, j in enumerate(js)})
    return [v for k, v in enumerate(result) if v not in result[:k]]


def tossing(claim: Json, worlds: list[Json], w: int) -> list[dict[int, Any]]:
    """objective -> value, for memoryless policies that play one action, toss a fair coin or a skewed one in each state."""
    options = []
    for s in range(len(worlds[w]["states"])):
        actions = [c[1] for c in worlds[w]["choices"] if c[0] == s]
        pairs = [({a: F(1, k), b: 1 - F(1, k)}) for a in actions for b in actions for k in (2, 20) if a != b]
        options.append([(s, row) for row in [{a: F(1)} for a in actions] + pairs])
    if prod(len(o) for o in options) > LIMIT:
        raise Skip
    start = [["1", s, 0] for s, _ in worlds[w]["initial"]]
    controllers = [stationary(dict(row)) | {"start": start} for row in combinations(*options)]
    return [policy_values(claim, worlds, w, c)[0] for c in controllers]


def optima(claim: Json, worlds: list[Json]) -> list[Fraction]:
    result = []
    for optimum in claim["optima"]:
        kind = claim["types"][optimum["type"]]
        if kind["observes"] is not None or (kind["memory"] is not None):
            raise Skip
        vectors = policy_values(claim, worlds, kind["world"], memoryless=kind["memoryless"])
        if kind["memoryless"] and not kind["deterministic"]:
            raise Skip
        totals = [sum(F(w) * v[j] for w, j in optimum["body"]) for v in vectors]
        result.append((max if optimum["kind"] == "max" else min)(totals) + F(optimum["constant"]))
    if any(isinstance(x, float) for x in result):
        raise IllPosed
    return result


def q(value: Fraction | int) -> Any:
    return z3.Q(Fraction(value).numerator, Fraction(value).denominator)


def formula(value: Json, term: Any) -> Any:
    """z3's reading of a formula; ``term`` gives the z3 value of a term, or an infinity."""
    head, *rest = value
    if head in ("true", "false"):
        return z3.BoolVal(head == "true")
    if head == "not":
        return z3.Not(formula(rest[0], term))
    if head in ("and", "or"):
        return (z3.And if head == "and" else z3.Or)([formula(x, term) for x in rest])
    total: Any = q(F(rest[0]["constant"]))
    ends = set()
    for coefficient, t in rest[0]["terms"]:
        x = term(t)
        if isinstance(x, float):
            ends.add(x * float(F(coefficient)) > 0)
        else:
            total = total + q(F(coefficient)) * x
    if len(ends) == 2:
        raise Skip
    if ends:
        return z3.BoolVal(not ends.pop())
    return total < 0 if head == "<" else total <= 0


class Reading:
    """Variables of z3 for the values of the claim's policies, with what is known of them."""

    def __init__(self, document: Json) -> None:
        self.claim, self.worlds = document["claim"], document["worlds"]
        self.best = optima(self.claim, self.worlds)
        self.named = {
            p["name"]: policy_values(self.claim, self.worlds, self.claim["types"][p["type"]]["world"], p["controller"])[0]
            for p in self.claim["policies"]
        }
        self.unknown = z3.Real("unknown")

    def cases(self, name: str, kind: Json) -> list[tuple[dict[int, Any], Any]]:
        """(objective -> z3 value or infinity, constraint): the mixtures of the finite policies, and each policy alone."""
        if kind["observes"] is not None or kind["memory"] is not None:
            raise Skip
        if kind["memoryless"] and not kind["deterministic"]:
            vectors = tossing(self.claim, self.worlds, kind["world"])
        else:
            vectors = policy_values(self.claim, self.worlds, kind["world"], memoryless=kind["memoryless"])
        alone = [({j: x if isinstance(x, float) else q(x) for j, x in v.items()}, z3.BoolVal(True)) for v in vectors]
        finite = [v for v in vectors if not any(isinstance(x, float) for x in v.values())]
        if kind["deterministic"] or kind["memoryless"] or not finite:
            return alone
        weights = [z3.Real(f"{name}{i}") for i in range(len(finite))]
        mixed = {j: z3.Sum([w * q(v[j]) for w, v in zip(weights, finite, strict=True)]) for j in finite[0]}
        return [(mixed, z3.And(*[w >= 0 for w in weights], z3.Sum(weights) == 1)), *alone]

    def choices(self) -> list[tuple[dict[str, dict[int, Any]], Any]]:
        """One reading for each combination of cases of the variables."""
        names = [n for n, _ in self.claim["variables"]]
        rows = [self.cases(n, self.claim["types"][t]) for n, t in self.claim["variables"]]
        return [
            ({**{n: {j: x if isinstance(x, float) else q(x) for j, x in v.items()} for n, v in self.named.items()},
              **{n: row[0] for n, row in zip(names, combo, strict=True)}}, z3.And([row[1] for row in combo]))
            for combo in combinations(*rows)
        ]  # fmt: skip

    def read(self, body: Json, point: dict[str, dict[int, Any]]) -> Any:
        def term(t: Json) -> Any:
            return point[t[2]][t[1]] if t[0] == "value" else q(self.best[t[1]]) if t[0] == "optimum" else self.unknown

        return formula(body, term)


def possible(*constraints: Any) -> bool:
    solver = z3.Solver()
    solver.add(*constraints)
    answer = solver.check()
    if answer == z3.unknown:
        raise Skip
    return bool(answer == z3.sat)


def is_false(document: Json) -> bool | None:
    """True: the claim is false (or ill-posed).  None: no violation was found."""
    try:
        return _is_false(document) or None
    except IllPosed:
        return True
    except Skip:
        return None


def _is_false(document: Json) -> bool:
    claim = document["claim"]
    reading = Reading(document)
    if claim["kind"] == "measure":
        return _measure(document, reading)
    points = reading.choices()
    if claim["kind"] == "exists":
        return not any(possible(c, reading.read(claim["body"], p)) for p, c in points)
    if claim["kind"] == "forall":
        return any(possible(c, z3.Not(reading.read(claim["body"], p))) for p, c in points)
    u, x = claim["unknown"], reading.unknown
    inside = []
    if u["low"] is not None:
        inside.append(x >= q(F(u["low"])) if u["low_closed"] else x > q(F(u["low"])))
    if u["high"] is not None:
        inside.append(x <= q(F(u["high"])) if u["high_closed"] else x < q(F(u["high"])))
    argument = document["evidence"]["argument"]

    def broken(*where: Any) -> bool:
        return any(possible(c, *inside, *where, z3.Not(reading.read(claim["body"], p))) for p, c in points)

    if argument["value"] == "infinity":
        return broken()
    v, sign = F(argument["value"]), 1 if u["direction"] == "maximal" else -1
    if broken(sign * x <= sign * q(v) if argument["attained"] else sign * x < sign * q(v)):
        return True
    if argument["breaks"] is None:  # the file shows only that the claim holds so far
        return False
    behind = [sign * x <= sign * q(v) + q(TINY), sign * x > sign * q(v) if argument["attained"] else sign * x >= sign * q(v)]
    return possible(*inside, *behind) and not broken(*behind)


def _measure(document: Json, reading: Reading) -> bool:
    """A distribution that satisfies the facts and violates the body."""
    claim = document["claim"]
    events = claim["events"]
    masses = [z3.Real(f"cell{c}") for c in range(2 ** len(events))]
    constraints: list[Any] = [m >= 0 for m in masses] + [z3.Sum(masses) == 1]
    points = reading.choices()

    def holds(c: int, point: dict[str, dict[int, Any]]) -> Any:
        return z3.And([reading.read(e, point) if c >> i & 1 else z3.Not(reading.read(e, point)) for i, e in enumerate(events)])

    for c, mass in enumerate(masses):
        if not any(possible(constraint, holds(c, p)) for p, constraint in points):
            constraints.append(mass == 0)
    means: dict[int, Any] = {}
    pi = claim["variables"][0][0]

    def chance(*es: int) -> Any:
        return z3.Sum([m for c, m in enumerate(masses) if all(c >> e & 1 for e in es)])

    def term(t: Json) -> Any:
        if t[0] == "expectation":
            return means.setdefault(t[1], z3.Real(f"mean{t[1]}"))
        return q(reading.best[t[1]]) if t[0] == "optimum" else chance(*t[1:])

    for fact in claim["facts"]:
        if fact["kind"] == "assumed":
            constraints.append(formula(fact["formula"], term))
            continue
        named = [n if isinstance(n, str) else n[1] for n in fact.get("parts", [])]
        own = [{pi: {j: x if isinstance(x, float) else q(x) for j, x in reading.named[n].items()}} for n in named]
        full = [{**{n: {j: q(x) for j, x in v.items()} for n, v in reading.named.items()}, **p} for p in own]
        if fact["kind"] == "mixture":
            parts = [(F(share), point) for (share, _), point in zip(fact["parts"], full, strict=True)]
            constraints += [mass == q(sum((s for s, p in parts if possible(holds(c, p))), F(0))) for c, mass in enumerate(masses)]
            for j in range(len(claim["objectives"])):
                constraints.append(term(["expectation", j]) == q(sum((F(s) * reading.named[n][j] for s, n in fact["parts"]), F(0))))
        else:
            e = fact["event"]
            k = fact["successes"] if fact["kind"] == "samples" else sum(possible(reading.read(events[e], p)) for p in full)
            n = fact["size"] if fact["kind"] == "samples" else len(named)
            constraints.append(chance(e) >= q(clopper_pearson(n, k, F(fact["delta"]))))
    return possible(*constraints, z3.Not(formula(claim["body"], term)))


def clopper_pearson(size: int, successes: int, delta: Fraction) -> Fraction:
    """The bound from above, within 2^-30."""
    low, high = F(0), F(1)
    for _ in range(30):
        b = (low + high) / 2
        tail = sum(comb(size, i) * b**i * (1 - b) ** (size - i) for i in range(successes, size + 1))
        low, high = (b, high) if tail <= delta else (low, b)
    return high
