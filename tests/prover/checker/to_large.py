"""Documents of format 1 -> format 2, where the same evidence can be said there.

Stationary products are explored anew, so layers have values at all nodes: where format 1 lists none they are computed backwards.
"""

from __future__ import annotations

import copy
import json
from array import array
from collections.abc import Callable
from fractions import Fraction
from math import lcm
from typing import Any

from prover.container import Arrays
from tests.prover.checker import make
from tests.prover.checker.make import Node

Json = Any
F = Fraction


class Unconvertible(Exception):
    """Format 2 has no words for it."""


class Stationary(make.Product):
    """Time is no part of a node: a horizon does not settle."""

    def settled(self, node: Node, _: int) -> bool:
        for goal, memory, table in zip(self.goals, node[1], self.rewards, strict=True):
            mode = goal.get("mode", [""])
            if goal["kind"] == "probability":
                done = memory in ("true", "false")
            else:
                done = not any(table.values()) or (mode[0] == "until" and memory == "closed") or (mode[0] == "horizon" and mode[1] == 0)
            if not done:
                return False
        return True


Part = tuple[
    str, list[dict[Node, int]], list[dict[Node, int]]
]  # weight; at every time the choices, and the controller's nodes, of the nodes


class Large:
    """``document`` and ``arrays`` are the result."""

    def __init__(self, document: Json) -> None:
        self.old = old = document
        self.arrays = Arrays()
        claim = old["claim"]
        if claim["policies"] or claim["kind"] == "measure" or any(goal["kind"] == "recurrence" for goal in claim["objectives"]):
            raise Unconvertible
        for type_ in claim["types"]:
            if type_["memory"] is not None or type_["observes"] is not None:
                raise Unconvertible
        self.products: list[Json] = []
        self.policies: list[Json] = []
        self.lemmas: list[Json] = []
        self.built: dict[tuple[int, tuple[int, ...]], tuple[int, Stationary, dict[Node, int]]] = {}
        self.plans: dict[int, tuple[int, list[Part]]] = {}  # old product with a policy -> new policy and its parts
        self.worlds = [self.arrays.world(world, f"w{k}.") for k, world in enumerate(old["worlds"])]
        self.lemma_of = {}
        finite = {(r["product"], r["objective"]): r for r in old["evidence"]["lemmas"] if r["rule"] == "finite"}
        for k, lemma in enumerate(old["evidence"]["lemmas"]):
            if lemma["rule"] == "finite":
                continue
            if lemma["rule"] == "cases":
                raise Unconvertible
            convert = self.bound if lemma["rule"] == "bound" else lambda x: self.well_defined(x, finite.get((x["product"], x["objective"])))
            self.lemma_of[k] = convert(lemma)
        evidence = {
            "products": self.products, "policies": self.policies, "lemmas": self.lemmas, "optima": self.rename(old["evidence"]["optima"]),
            "argument": self.argument(old["evidence"]["argument"]),
        }  # fmt: skip
        self.document = json.loads(json.dumps({"format": "twostep-proof 2", "claim": claim, "worlds": self.worlds, "evidence": evidence}))

    # ------------------------------------------------------------ products and policies

    def product(self, old: int) -> tuple[int, Stationary, dict[Node, int]]:
        given = self.old["evidence"]["products"][old]
        key = given["world"], tuple(given["objectives"])
        if key not in self.built:
            built = Stationary(self.old["worlds"], self.old["claim"]["objectives"], given["objectives"], 0, given["world"])
            number = len(self.products)
            self.products.append(
                {
                    "world": given["world"],
                    "objectives": given["objectives"],
                    "memories": [list(m) for m in built.memories],
                    "state": self.arrays.integers(f"p{number}.state", [n[0] for n in built.nodes]),
                    "memory": self.arrays.integers(f"p{number}.memory", [built.memories.index(n[1]) for n in built.nodes]),
                }
            )
            self.built[key] = number, built, {node: i for i, node in enumerate(built.nodes)}
        return self.built[key]

    def layers(self, old: int) -> list[list[tuple[Node, Any]]]:
        """Of every layer and of the tail: the nodes, with what is left of the row (the controller's node)."""
        given = self.old["evidence"]["products"][old]
        memories = [tuple(row) for row in given["memories"]]
        return [[((s, memories[m]), rest) for s, m, *rest in layer] for layer in [*given["layers"], given["nodes"]]]

    def policy(self, old: int) -> tuple[int, list[Part]]:
        """Every start node of the controller becomes a part of its own."""
        if old not in self.plans:
            given = self.old["evidence"]["products"][old]
            controller = self.old["evidence"]["policies"][given["policy"]]
            starts = [row for row in controller["start"] if F(row[0])]
            if any(F(weight) != 1 for weight, *_ in starts) and len({state for _, state, _ in starts}) > 1:
                raise Unconvertible
            begins = [starts] if all(F(weight) == 1 for weight, *_ in starts) else [[row] for row in starts]
            parts = [self.part(old, rows) for rows in begins]
            number, built, _ = self.product(old)
            rows = []
            for i, (weight, plans, _) in enumerate(parts):
                tables = [[plan.get(n, -1) for n in built.nodes] for plan in plans]
                rows.append([weight, number, [self.signed(f"q{old}.{i}.{t}", table) for t, table in enumerate(tables)]])
            self.policies.append({"parts": rows})
            self.plans[old] = len(self.policies) - 1, parts
        return self.plans[old]

    def part(self, old: int, starts: list[Json]) -> Part:
        given = self.old["evidence"]["products"][old]
        controller = self.old["evidence"]["policies"][given["policy"]]
        world = self.old["worlds"][given["world"]]
        choice = {(s, a): c for c, (s, a, _) in enumerate(world["choices"])}
        rules = {(node, state): (play, dict(after)) for node, state, play, after in controller["rules"]}
        _, built, _ = self.product(old)
        depth = given["depth"]
        plans: list[dict[Node, int]] = []
        memories: list[dict[Node, int]] = []
        now = {(s, next(m for state, m in ((n[0], n[1]) for _, n in built.initial()) if state == s)): k for _, s, k in starts}
        for time in range(depth + 1):
            plan: dict[Node, int] = {}
            held: dict[Node, int] = {}
            following: dict[Node, int] = {}
            todo = [(n, k) for n, k in now.items() if not built.settled(n, time)]
            while todo:
                node, memory = todo.pop()
                if held.get(node, memory) != memory:
                    raise Unconvertible
                if node in held:
                    continue
                play, after = rules.get((memory, node[0]), ([], {}))
                if len(play) != 1:
                    raise Unconvertible
                held[node], plan[node] = memory, choice[node[0], play[0][0]]
                move = next(m for m in built.moves(node) if m[0] == play[0][0])
                for _, target in move[1]:
                    if not built.settled(target, time):
                        arrival = after.get(target[0], memory)
                        if time == depth:
                            todo.append((target, arrival))
                        elif following.setdefault(target, arrival) != arrival:
                            raise Unconvertible
            plans.append(plan)
            memories.append(held)
            now = following
        return starts[0][0], plans, memories

    def signed(self, name: str, values: list[int]) -> Json:
        self.arrays.members[name] = array("i", values).tobytes()
        return {"array": name, "type": "i4", "length": len(values)}

    # ------------------------------------------------------------ lemmas

    def table(self, values: list[Any], below: int, name: str) -> Json:
        return self.arrays.numbers(name, [None if v is None else int(v * below) for v in values])

    def lemma(self, lemma: Json) -> int:
        self.lemmas.append(lemma)
        return len(self.lemmas) - 1

    def well_defined(self, lemma: Json, finite: Json | None) -> int:
        number, built, _ = self.product(lemma["product"])
        if self.old["evidence"]["products"][lemma["product"]]["depth"]:
            raise Unconvertible
        (order,) = self.layers(lemma["product"])
        tables = []
        for given in (lemma, finite):
            at = None if given is None else {node: F(x) for (node, _), x in zip(order, given["potential"], strict=True)}
            tables.append(None if at is None else [at[node] for node in built.nodes])
        below = lcm(*(x.denominator for table in tables for x in table or ()))
        name = f"h{len(self.lemmas)}"
        return self.lemma({
            "rule": "well-defined", "product": number, "objective": lemma["objective"], "sign": lemma["sign"], "slack": lemma["slack"],
            "denominator": str(below), "table": self.table(tables[0], below, name),
            "finite": None if tables[1] is None else self.table(tables[1], below, name + ".finite"),
        })  # fmt: skip

    def bound(self, lemma: Json) -> int:
        if lemma["allowed"] is not None:
            raise Unconvertible
        if self.old["evidence"]["products"][lemma["product"]]["policy"] is None:
            return self.lemma(self.one_bound(lemma, None, None))
        policy, parts = self.policy(lemma["product"])
        numbers = [self.lemma(self.one_bound(lemma, [policy, k], part)) for k, part in enumerate(parts)]
        return numbers[0] if len(numbers) == 1 else self.lemma({"rule": "mixture", "policy": policy, "parts": numbers})

    def one_bound(self, lemma: Json, policy: Json, part: Part | None) -> Json:
        old = lemma["product"]
        depth = self.old["evidence"]["products"][old]["depth"]
        number, built, _ = self.product(old)
        order = self.layers(old)

        def found(time: int, values: list[Any]) -> dict[Node, Any]:
            """What format 1 says of the nodes (of this part of the policy) at this time."""
            rows = zip(order[time], values, strict=True)
            mine = {n: x for (n, rest), x in rows if part is None or part[2][time].get(n) == rest[0]}
            return {node: None if x is None else F(x) for node, x in mine.items()}

        members = built.nodes if part is None else list(part[1][-1])
        tails = []
        later: dict[Node, Any] = dict.fromkeys(members, F(0))
        for tail in lemma["tails"]:
            at = self.completed(
                found(depth, tail["potential"]), members, built, lemma, tail["discount"], None if part is None else part[1][-1]
            )
            tails.append([tail["discount"], at])
            factor = F(1) if tail["discount"] is None else F(tail["discount"]) ** depth
            later = {n: None if later[n] is None or at[n] is None else later[n] + factor * at[n] for n in members}
        weights = [F(dict(lemma["weights"]).get(j, 0)) for j in built.js]
        layers: list[dict[Node, Any]] = []
        for time in reversed(range(depth)):
            known = found(time, lemma["layers"][time])
            plan = None if part is None else part[1][time]
            later = {
                node: known[node] if node in known else self.backup(built, node, plan and plan[node], weights, time, later)
                for node in (built.nodes if plan is None else plan)
            }
            layers.insert(0, later)
        every = [table for _, table in tails] + layers
        below = lcm(*(x.denominator for table in every for x in table.values() if x is not None))
        name = f"v{len(self.lemmas)}"

        def written(table: dict[Node, Any], suffix: str) -> Json:
            return self.table([table.get(node, F(0)) for node in built.nodes], below, name + suffix)

        return {
            "rule": "bound", "product": number, "policy": policy, "weights": lemma["weights"],
            "finite": lemma["finite"], "denominator": str(below), "layers": [written(t, f".{k}") for k, t in enumerate(layers)],
            "tails": [[factor, written(table, f".tail{k}")] for k, (factor, table) in enumerate(tails)],
        }  # fmt: skip

    def completed(
        self, known: dict[Node, Any], members: Any, built: Stationary, lemma: Json, discount: str | None, plan: dict[Node, int] | None
    ) -> dict[Node, Any]:
        """Adds the nodes where only a horizon is left to earn for, and those from which play goes on to nodes that are known."""
        factor = F(1) if discount is None else F(discount)
        weights = [F(dict(lemma["weights"]).get(j, 0)) for j in built.js]
        modes = [goal.get("mode", ["total"]) for goal in built.goals]
        group = [m == ["discount", discount] if discount is not None else m[0] in ("total", "until") for m in modes]
        missing = [node for node in members if node not in known]
        for node in missing:
            if make.Product.settled(built, node, max((m[1] for m in modes if m[0] == "horizon"), default=0)):
                known[node] = F(0)
        while missing := [node for node in missing if node not in known]:
            ready = [n for n in missing if all(t in known or built.settled(t, 0) for m in built.moves(n) for _, t in m[1])]
            if not ready:
                raise Unconvertible
            for node in ready:
                inside = [w if of_group else F(0) for w, of_group in zip(weights, group, strict=True)]
                known[node] = self.backup(built, node, plan and plan[node], inside, 0, {n: v and factor * v for n, v in known.items()})
        return known

    def backup(self, built: Stationary, node: Node, choice: int | None, weights: list[Fraction], time: int, later: dict[Node, Any]) -> Any:
        best = None
        rows = [i for i, c in enumerate(built.world["choices"]) if c[0] == node[0]]
        for c, move in zip(rows, built.moves(node), strict=True):
            ahead = [later.get(t, F(0)) for _, t in move[1]]
            if (choice is not None and c != choice) or None in ahead:
                continue
            value = sum((p * v for (p, _), v in zip(move[1], ahead, strict=True)), F(0))
            for weight, x, goal in zip(weights, move[2], built.goals, strict=True):
                mode = goal.get("mode", [""])
                value += weight * x * (F(mode[1]) ** time if mode[0] == "discount" else F(time < mode[1]) if mode[0] == "horizon" else F(1))
            best = value if best is None else max(best, value)
        return best

    # ------------------------------------------------------------ what names lemmas and policies

    def rename(self, value: Json) -> Json:
        """Lemmas by their new numbers, in optima and trees."""
        match value:
            case {"lemma": i}:
                return {"lemma": self.lemma_of[i]}
            case {"choose": _} | ["choose", *_]:
                raise Unconvertible
            case ["lemma", int(i), str(policy)]:
                return ["lemma", self.lemma_of[i], policy]
            case list():
                return [self.rename(x) for x in value]
        return value

    def only(self, policy: int) -> int:
        """The new policy of an old one that is used in one product."""
        products = [k for k, p in enumerate(self.old["evidence"]["products"]) if p["policy"] == policy and k in self.plans]
        if len(products) != 1:
            raise Unconvertible
        return self.plans[products[0]][0]

    def argument(self, old: Json) -> Json:
        new: Json = copy.deepcopy(old)
        new["tree"] = self.rename(old["tree"])
        if old["kind"] == "witness":
            new["policies"] = [[variable, self.only(p)] for variable, p in old["policies"]]
        if old.get("breaks"):
            new["breaks"]["policies"] = [[variable, [self.only(p) for p in numbers]] for variable, numbers in old["breaks"]["policies"]]
            new["breaks"]["values"] = [
                [self.only(p), j, self.lemma_of[upper], self.lemma_of[lower]] for p, j, upper, lower in old["breaks"]["values"]
            ]
        return new


def convertible(write: Callable[[], Json]) -> Large | None:
    try:
        return Large(write())
    except Unconvertible:
        return None
