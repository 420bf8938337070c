"""A small prover for tiny worlds, written against docs/proof-format.md alone: it shares no code with the checker.

Products are explored breadth-first, potentials are the optimal values, found by trying every stationary deterministic choice exactly.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from fractions import Fraction
from itertools import product as combinations
from typing import Any

F = Fraction
Json = Any


def text(value: Fraction | int) -> str:
    return str(Fraction(value))


def world(
    moves: dict[str, dict[str, dict[str, Any]]], start: dict[str, Any], atoms: dict[str, str], rewards: dict[str, Any], name: str = "W"
) -> Json:
    """moves: state -> action -> successor -> probability; atoms: name -> states; rewards: name -> {(state, action[, successor]): value}."""
    states = list(moves)
    actions = list(dict.fromkeys(action for row in moves.values() for action in row))
    table: list[str] = []
    choices: list[Json] = []
    index: dict[tuple[str, str], int] = {}
    for state, row in moves.items():
        for action, successors in row.items():
            index[state, action] = len(choices)
            for p in successors.values():
                if text(p) not in table:
                    table.append(text(p))
            choices.append(
                [states.index(state), actions.index(action), [[states.index(s), table.index(text(p))] for s, p in successors.items()]]
            )
    earned = {}
    for reward, entries in rewards.items():
        values = ["0"]
        at = []
        for (state, action, *successor), amount in entries.items():
            if text(amount) not in values:
                values.append(text(amount))
            for position, s in enumerate(moves[state][action]):
                if not successor or s == successor[0]:
                    at.append([index[state, action], position, values.index(text(amount))])
        earned[reward] = {"values": values, "at": at}
    return {
        "name": name,
        "variables": [["at", "|".join(states)]],
        "states": [[s] for s in states],
        "initial": [[states.index(s), text(p)] for s, p in start.items()],
        "actions": actions,
        "probabilities": table,
        "choices": choices,
        "rewards": earned,
        "atoms": [{"text": a, "states": [states.index(s) for s in where.split()]} for a, where in atoms.items()],
    }


# ---------------------------------------------------------------- objectives


def probability(path: Json, w: int = 0) -> Json:
    return {"world": w, "kind": "probability", "path": path}


def expected(mode: Json, reward: str = "r", w: int = 0) -> Json:
    return {"world": w, "kind": "expected", "reward": reward, "mode": mode}


def recurrence(atom: int, w: int = 0) -> Json:
    return {"world": w, "kind": "recurrence", "atom": atom}


def eventually(atom: int, bound: int | None = None) -> Json:
    return probability(["until", ["true"], ["atom", atom], bound])


def progress(path: Json, state: int, atoms: list[Json]) -> set[frozenset[str]]:
    """Clauses of obligations, each as JSON text."""
    head = path[0]
    if head in ("true", "false"):
        return {frozenset()} if head == "true" else set()
    if head in ("atom", "not-atom"):
        return {frozenset()} if (state in atoms[path[1]]["states"]) == (head == "atom") else set()
    if head == "next":
        return {frozenset({dump(path[1])})}
    if head == "and":
        return meet([progress(p, state, atoms) for p in path[1:]])
    if head == "or":
        return smallest(c for p in path[1:] for c in progress(p, state, atoms))
    _, left, right, bound = path
    first, second = progress(left, state, atoms), progress(right, state, atoms)
    if bound == 0:
        return second
    later = {frozenset({dump([head, left, right, None if bound is None else bound - 1])})}
    if head == "until":
        return smallest([*second, *meet([first, later])])
    return meet([second, smallest([*first, *later])])


def dump(value: Json) -> str:
    return json.dumps(value, separators=(",", ":"))


def smallest(clauses: Iterable[frozenset[str]]) -> set[frozenset[str]]:
    given = set(clauses)
    return {c for c in given if not any(d < c for d in given)}


def meet(parts: list[set[frozenset[str]]]) -> set[frozenset[str]]:
    return smallest(frozenset().union(*row) for row in combinations(*parts))


def key(memory: set[frozenset[str]]) -> str:
    if frozenset() in memory:
        return "true"
    return " | ".join(sorted(" & ".join(sorted(c)) for c in memory)) or "false"


def after(memory: str, state: int, atoms: list[Json]) -> str:
    if memory in ("true", "false"):
        return memory
    clauses = [[progress(json.loads(o), state, atoms) for o in c.split(" & ")] for c in memory.split(" | ")]
    return key(smallest(x for c in clauses for x in meet(c)))


# ---------------------------------------------------------------- products

Node = tuple[Any, ...]  # state, memory keys, controller node (or nothing)
Move = tuple[int, list[tuple[Fraction, Node]], list[Fraction], list[bool]]  # action, targets, earned by objective, idle by objective


class Product:
    """The product of world ``w`` with the objectives ``js`` (numbers into ``objectives``) and, perhaps, a controller."""

    def __init__(
        self,
        worlds: list[Json],
        objectives: list[Json],
        js: list[int],
        depth: int = 0,
        w: int = 0,
        policy: Json = None,
        index: int | None = None,
    ) -> None:
        self.world, self.w, self.js, self.depth, self.policy, self.index = worlds[w], w, js, depth, policy, index
        self.goals = [objectives[j] for j in js]
        self.rewards = []
        for goal in self.goals:
            table = {}
            if goal["kind"] == "expected":
                reward = self.world["rewards"][goal["reward"]]
                table = {(c, k): F(reward["values"][v]) for c, k, v in reward["at"]}
            self.rewards.append(table)
        self.layers: list[list[Node]] = []
        level = [n for n in dict.fromkeys(n for _, n in self.initial()) if not self.settled(n, 0)]
        for time in range(depth):
            self.layers.append(level)
            level = [n for n in dict.fromkeys(t for n in level for m in self.moves(n) for _, t in m[1]) if not self.settled(n, time + 1)]
        self.nodes = list(level)
        for node in self.nodes:
            for move in self.moves(node):
                self.nodes += [t for t in dict.fromkeys(t for _, t in move[1]) if t not in self.nodes and not self.settled(t, depth)]
        self.memories = list(dict.fromkeys(n[1] for layer in [*self.layers, self.nodes] for n in layer))

    def enter(self, goal: Json, old: str | None, state: int) -> str:
        atoms = self.world["atoms"]
        if goal["kind"] == "probability":
            return key(progress(goal["path"], state, atoms)) if old is None else after(old, state, atoms)
        if goal["kind"] == "expected" and goal["mode"][0] == "until":
            return "closed" if old == "closed" or state in atoms[goal["mode"][1]]["states"] else "open"
        return ""

    def initial(self) -> list[tuple[Fraction, Node]]:
        result = []
        for s, p in self.world["initial"]:
            memory = tuple(self.enter(goal, None, s) for goal in self.goals)
            if self.policy is None:
                result.append((F(p), (s, memory)))
            else:
                result += [(F(p) * F(w), (s, memory, n)) for w, at, n in self.policy["start"] if at == s]
        return result

    def settled(self, node: Node, time: int) -> bool:
        for goal, memory, table in zip(self.goals, node[1], self.rewards, strict=True):
            mode = goal.get("mode", [""])[0]
            done = {
                "": memory in ("true", "false"), "until": memory == "closed" or not any(table.values()),
                "horizon": mode == "horizon" and time >= goal["mode"][1],
            }.get(mode, not any(table.values()))  # fmt: skip
            if goal["kind"] == "recurrence" or not done:
                return False
        return True

    def moves(self, node: Node) -> list[Move]:
        rows = [(i, c) for i, c in enumerate(self.world["choices"]) if c[0] == node[0]]
        if self.policy is None:
            return [self.combine(node, [(F(1), i, c)], None) for i, c in rows]
        rule = next(r for r in self.policy["rules"] if r[:2] == [node[2], node[0]])
        play = {a: F(p) for a, p in rule[2]}
        return [self.combine(node, [(play[c[1]], i, c) for i, c in rows if c[1] in play], dict(rule[3]))]

    def combine(self, node: Node, played: list[tuple[Fraction, int, Json]], steps: dict[int, int] | None) -> Move:
        targets, earned, idle = [], [F(0)] * len(self.goals), [True] * len(self.goals)
        for share, i, (_, _, successors) in played:
            for k, (s, p) in enumerate(successors):
                chance = share * F(self.world["probabilities"][p])
                memory = tuple(self.enter(goal, old, s) for goal, old in zip(self.goals, node[1], strict=True))
                targets.append((chance, (s, memory) if steps is None else (s, memory, steps.get(s, node[2]))))
                for g, goal in enumerate(self.goals):
                    won = goal["kind"] == "probability" and memory[g] == "true" and node[1][g] != "true"
                    amount = F(won) if goal["kind"] != "expected" else F(0) if node[1][g] == "closed" else self.rewards[g].get((i, k), F(0))
                    earned[g] += chance * amount
                    idle[g] = idle[g] and amount == 0
        return played[0][2][1] if steps is None else -1, targets, earned, idle

    def json(self) -> Json:
        def row(node: Node) -> Json:
            return [node[0], self.memories.index(node[1]), *node[2:]]

        return {
            "world": self.w, "objectives": self.js, "policy": self.index, "depth": self.depth,
            "layers": [[row(n) for n in layer] for layer in self.layers], "nodes": [row(n) for n in self.nodes],
            "memories": [list(m) for m in self.memories],
        }  # fmt: skip


# ---------------------------------------------------------------- exact values

Value = Fraction | None  # None: -infinity


def solve(rows: list[list[Fraction]]) -> list[Fraction]:
    """The solution of a regular square system; each row ends with its right side."""
    n = len(rows)
    for i in range(n):
        pivot = next(k for k in range(i, n) if rows[k][i])
        rows[i], rows[pivot] = rows[pivot], rows[i]
        rows[i] = [x / rows[i][i] for x in rows[i]]
        for k in range(n):
            if k != i and rows[k][i]:
                rows[k] = [a - rows[k][i] * b for a, b in zip(rows[k], rows[i], strict=True)]
    return [row[-1] for row in rows]


def chain_values(
    nodes: list[Node], pick: dict[Node, Move], gain: Callable[[Move], Fraction], factor: Fraction, end: Callable[[set[Node]], Value]
) -> dict[Node, Value]:
    """The value of every node in the chain of these moves; ``end`` is the worth of a recurrent class (only if factor is 1)."""
    known: dict[Node, Value] = {}
    if factor == 1:
        reach = {n: {n} for n in nodes}
        for _ in nodes:
            for n in nodes:
                for _, t in pick[n][1]:
                    reach[n] |= reach.get(t, set())
        leaves = {n: any(t not in reach for x in reach[n] for _, t in pick[x][1]) for n in nodes}
        for n in nodes:
            if not leaves[n] and all(n in reach[x] for x in reach[n]):
                known[n] = end(reach[n])
        for n in nodes:
            if n not in known and any(x in known and known[x] is None for x in reach[n]):
                known[n] = None
    todo = [n for n in nodes if n not in known]
    rows = []
    for n in todo:
        row = [F(n == m) for m in todo] + [gain(pick[n])]
        for p, t in pick[n][1]:
            if t in todo:
                row[todo.index(t)] -= factor * p
            else:
                row[-1] += factor * p * (known.get(t) or 0)
        rows.append(row)
    return known | dict(zip(todo, solve(rows), strict=True))


def best(a: Value, b: Value) -> Value:
    return b if a is None else a if b is None else max(a, b)


def optimal(
    product: Product, weights: list[Fraction], finite: list[int], allowed: dict[int, list[int]], factor: Fraction | None
) -> dict[Node, Value]:
    """The best value of every tail node, over all stationary deterministic choices (positions, not numbers, of objectives)."""

    def group(i: int) -> bool:
        goal = product.goals[i]
        mode = goal.get("mode", [""])
        return (F(mode[1]) == factor if mode[0] == "discount" else False) if factor is not None else mode[0] in ("", "until", "total")

    def gain(move: Move) -> Fraction:
        return sum((w * x for i, (w, x) in enumerate(zip(weights, move[2], strict=True)) if group(i)), F(0))

    result: dict[Node, Value] = dict.fromkeys(product.nodes)
    options = [[m for m in product.moves(n) if m[0] in allowed.get(n[0], [m[0]])] for n in product.nodes]
    for row in combinations(*options):
        pick = dict(zip(product.nodes, row, strict=True))

        def end(members: set[Node], pick: dict[Node, Move] = pick) -> Value:
            if not all(pick[n][3][i] for n in members for i in finite):
                return None
            atoms = product.world["atoms"]
            met = [
                i
                for i, g in enumerate(product.goals)
                if g["kind"] == "recurrence" and any(n[0] in atoms[g["atom"]]["states"] for n in members)
            ]
            return sum((weights[i] for i in met), F(0))

        for node, value in chain_values(product.nodes, pick, gain, F(1) if factor is None else factor, end).items():
            result[node] = best(result[node], value)
    return result


def bound(
    product: Product, weights: dict[int, Any], finite: Iterable[int] = (), allowed: Json = None, position: int = 0
) -> tuple[Json, Value]:
    """The tightest bound lemma, and its value; ``position`` is the product's place in the evidence."""
    at = [F(weights.get(j, 0)) for j in product.js]
    inside = [product.js.index(j) for j in finite]
    limits = dict(allowed or [])
    goals = product.goals
    groups: list[Fraction | None] = []
    if inside or any(w and (g["kind"] != "expected" or g["mode"][0] in ("until", "total")) for w, g in zip(at, goals, strict=True)):
        groups.append(None)
    groups += dict.fromkeys(
        F(g["mode"][1]) for w, g in zip(at, goals, strict=True) if w and g["kind"] == "expected" and g["mode"][0] == "discount"
    )
    tails, later = [], dict.fromkeys(product.nodes, F(0))
    for factor in groups:
        value = optimal(product, at, inside, limits, factor)
        tails.append(
            {
                "discount": None if factor is None else text(factor),
                "potential": [None if value[n] is None else text(value[n]) for n in product.nodes],
            }
        )
        scale = F(1) if factor is None else factor**product.depth
        later = {n: None if later[n] is None or value[n] is None else later[n] + scale * value[n] for n in product.nodes}
    layers: list[Json] = []
    for time in reversed(range(product.depth)):
        now: dict[Node, Value] = dict.fromkeys(product.layers[time])
        for node in now:
            for action, targets, earned, _ in product.moves(node):
                ahead = [later.get(t, F(0)) for _, t in targets]
                if None in ahead or action not in limits.get(node[0], [action]):
                    continue
                value = sum((p * later.get(t, F(0)) for p, t in targets), F(0))
                for weight, x, goal in zip(at, earned, goals, strict=True):
                    mode = goal.get("mode", [""])
                    scale = F(mode[1]) ** time if mode[0] == "discount" else F(time < mode[1]) if mode[0] == "horizon" else F(1)
                    value += weight * x * scale
                now[node] = best(now[node], value)
        later = now
        layers.insert(0, [None if now[n] is None else text(now[n]) for n in product.layers[time]])
    total: Value = F(0)
    for share, node in product.initial():
        value = later.get(node, F(0))
        total = None if total is None or value is None else total + share * value
        won = sum((w for w, m, g in zip(at, node[1], goals, strict=True) if g["kind"] == "probability" and m == "true"), F(0))
        total = None if total is None else total + share * won
    lemma = {
        "rule": "bound", "product": position, "weights": [[j, text(w)] for j, w in weights.items()], "finite": list(finite),
        "allowed": allowed, "layers": layers, "tails": tails,
    }  # fmt: skip
    return lemma, total


# ---------------------------------------------------------------- documents


def linear(terms: Iterable[tuple[Any, Json]], constant: Any = 0) -> Json:
    return {"terms": [[text(c), t] for c, t in terms], "constant": text(constant)}


def value(j: int, policy: str = "pi") -> Json:
    return ["value", j, policy]


class Document:
    """Collects a proof: worlds and claim at once, then products and lemmas one by one."""

    def __init__(self, worlds: list[Json], objectives: list[Json], body: Json, kind: str = "forall", **claim: Json) -> None:
        plain = {"name": "Pi", "world": 0, "deterministic": False, "memoryless": False, "memory": None, "observes": None}
        self.worlds, self.objectives = worlds, objectives
        self.claim = {
            "name": "c", "kind": kind, "text": "a claim", "objectives": objectives, "types": [plain], "policies": [],
            "variables": [["pi", 0]], "optima": [], "unknown": None, "body": body, **claim,
        }  # fmt: skip
        self.evidence: dict[str, Any] = {"policies": [], "products": [], "lemmas": [], "optima": [], "argument": None}

    def product(self, js: list[int], depth: int = 0, policy: int | None = None, w: int = 0) -> tuple[int, Product]:
        controllers = [*self.evidence["policies"], *(p["controller"] for p in self.claim["policies"])]
        built = Product(self.worlds, self.objectives, js, depth, w, None if policy is None else controllers[policy], policy)
        self.evidence["products"].append(built.json())
        return len(self.evidence["products"]) - 1, built

    def bound(
        self, product: tuple[int, Product], weights: dict[int, Any], finite: Iterable[int] = (), allowed: Json = None
    ) -> tuple[int, Value]:
        lemma, value = bound(product[1], weights, finite, allowed, product[0])
        return self.lemma(lemma), value

    def lemma(self, lemma: Json) -> int:
        self.evidence["lemmas"].append(lemma)
        return len(self.evidence["lemmas"]) - 1

    def done(self, argument: Json) -> Json:
        self.evidence["argument"] = argument
        document = {"format": "twostep-proof 1", "claim": self.claim, "worlds": self.worlds, "evidence": self.evidence}
        return json.loads(json.dumps(document))


def stationary(play: dict[int, dict[int, Any]], start: int = 0) -> Json:
    """A controller with one node: state -> action -> probability."""
    return {"start": [["1", start, 0]], "rules": [[0, s, [[a, text(p)] for a, p in row.items()], []] for s, row in play.items()]}
