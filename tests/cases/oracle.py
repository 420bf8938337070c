"""A slow and simple second opinion in fractions, sharing no code with the prover.

Every deterministic policy is tried: a choice for each state (class DM), or for each state with all that the run has done so far
that matters (class HR; the values of all policies are the convex hull of theirs).  Thresholds over a hull are small linear programs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from tests.cases.convert import TYPES, Answer, ident, is_at, number

ZERO, ONE = Fraction(0), Fraction(1)
OPEN, YES, NO = 0, 1, 2


@dataclass(frozen=True)
class Move:
    reward: Fraction
    to: tuple[tuple[str, Fraction], ...]


@dataclass(frozen=True)
class World:
    """States without moves stay for ever."""

    initial: tuple[tuple[str, Fraction], ...]
    moves: Mapping[str, Mapping[str, Move]]

    @property
    def states(self) -> list[str]:
        found = dict.fromkeys(state for state, _ in self.initial)
        for state, actions in self.moves.items():
            found.update(dict.fromkeys([state, *(target for move in actions.values() for target, _ in move.to)]))
        return list(found)


def world(initial: str, *lines: str) -> World:
    """``world("s", "s risky 9 bad 1/2 done 1/2", ...)``: state, action, reward, targets; a single target needs no probability."""
    moves: dict[str, dict[str, Move]] = {}
    for line in lines:
        state, action, reward, *targets = line.split()
        assert action not in moves.setdefault(state, {}), line
        moves[state][action] = Move(Fraction(reward), distribution(targets))
    return World(distribution(initial.split()), moves)


def distribution(words: Sequence[str]) -> tuple[tuple[str, Fraction], ...]:
    pairs = ((words[0], ONE),) if len(words) == 1 else tuple((words[i], Fraction(words[i + 1])) for i in range(0, len(words), 2))
    assert sum(p for _, p in pairs) == 1, words
    return pairs


@dataclass(frozen=True)
class Bound:
    """``kind``: F (hit ``good``), G (never ``bad``), U (not ``bad`` until ``good``), E (expected total of ``cost`` by state and action)."""

    kind: str
    op: str
    value: Fraction
    good: tuple[str, ...] = ()
    bad: tuple[str, ...] = ()
    steps: int | None = None
    cost: Mapping[tuple[str, str], Fraction] = field(default_factory=dict)

    def begin(self, state: str) -> int:
        return self.after(OPEN, state, 0)

    def after(self, status: int, state: str, time: int) -> int:
        """The status of the path formula when the run comes to ``state`` at ``time``; G holds unless it becomes NO."""
        if status != OPEN or (self.steps is not None and time > self.steps):
            return status
        if state in self.good:
            return YES
        return NO if state in self.bad else OPEN

    def text(self, within: str = "total") -> str:
        limit = "" if self.steps is None else f"<={self.steps}"
        formula = {
            "F": f"P[F{limit} ({is_at(self.good)})]",
            "G": f"P[G{limit} (not ({is_at(self.bad)}))]",
            "U": f"P[(not ({is_at(self.bad)})) U{limit} ({is_at(self.good)})]",
            "E": f"E[cost, {within}]",
        }[self.kind]
        return f"{formula} {self.op} {number(self.value)}"

    def is_met(self, value: Fraction) -> bool:
        return {"<": value < self.value, "<=": value <= self.value, ">": value > self.value, ">=": value >= self.value}[self.op]


def bound(kind: str, op: str, value: str, good: str = "", bad: str = "", steps: int | None = None) -> Bound:
    return Bound(kind, op, Fraction(value), tuple(good.split()), tuple(bad.split()), steps)


def cost(op: str, value: str, **prices: str) -> Bound:
    """``cost("<=", "1/10", s_risky="2")``: in state s, action risky costs 2."""
    table = {(name.rsplit("_", 1)[0], name.rsplit("_", 1)[1]): Fraction(price) for name, price in prices.items()}
    return Bound("E", op, Fraction(value), cost=table)


@dataclass(frozen=True)
class Problem:
    """``score``: total, horizon k, discount q, or a Bound's path formula (op and value unused). ``safe``: all (and) or some (or) hold."""

    world: World
    safe: tuple[Bound, ...]
    score: str | Bound = "total"
    either: bool = False

    @property
    def horizon(self) -> int | None:
        return int(self.score.split()[1]) if isinstance(self.score, str) and self.score.startswith("horizon") else None

    @property
    def discount(self) -> Fraction:
        return Fraction(self.score.split()[1]) if isinstance(self.score, str) and self.score.startswith("discount") else ONE

    @property
    def bounds(self) -> tuple[Bound, ...]:
        """Those of safety, then the score if it is one."""
        return (*self.safe, *([self.score] if isinstance(self.score, Bound) else []))

    def is_safe(self, values: Sequence[Fraction]) -> bool:
        met = [b.is_met(v) for b, v in zip(self.safe, values, strict=True)]
        return any(met) if self.either else all(met)


# ---------------------------------------------------------------- runs with memory

Node = tuple[str, int, tuple[int, ...]]  # state, clock up to the last moment that matters, status of the path formulas
Policy = Callable[[Node], str]


class Runs:
    """The world together with what the run has done so far."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.formulas = [b for b in problem.bounds if b.kind != "E"]
        times = [b.steps + 1 for b in self.formulas if b.steps is not None]
        if problem.horizon is not None:
            times.append(problem.horizon)
        if problem.discount != 1:
            times.append(len(problem.world.states))  # by then these worlds have come to rest
        self.last = max(times, default=0)

    def start(self) -> list[tuple[Node, Fraction]]:
        return [((s, 0, tuple(f.begin(s) for f in self.formulas)), p) for s, p in self.problem.world.initial]

    def actions(self, node: Node) -> list[str]:
        return list(self.problem.world.moves.get(node[0], {}))

    def step(self, node: Node, action: str | None) -> tuple[Fraction, list[tuple[Node, Fraction]]]:
        state, clock, statuses = node
        if action is None:
            move = Move(ZERO, ((state, ONE),))
        else:
            move = self.problem.world.moves[state][action]
        time = min(clock + 1, self.last)
        following = []
        for target, p in move.to:
            moment = clock + 1 if clock < self.last else self.last + 1
            following.append(((target, time, tuple(f.after(x, target, moment) for f, x in zip(self.formulas, statuses, strict=True))), p))
        paid = self.problem.horizon is None or clock < self.problem.horizon
        return (move.reward if paid else ZERO), following

    def policies(self, key: Callable[[Node], Any]) -> Iterator[dict[Any, str]]:
        """Every choice of one action for each key that the choices reach."""
        stack: list[dict[Any, str]] = [{}]
        while stack:
            chosen = stack.pop()
            undecided = self._undecided(chosen, key)
            if undecided is None:
                yield chosen
            else:
                stack.extend({**chosen, key(undecided): action} for action in self.actions(undecided))

    def _undecided(self, chosen: Mapping[Any, str], key: Callable[[Node], Any]) -> Node | None:
        queue = [node for node, _ in self.start()]
        seen = set(queue)
        for node in queue:
            action = None
            if self.actions(node):
                action = chosen.get(key(node))
                if action is None:
                    return node
            for target, _ in self.step(node, action)[1]:
                if target not in seen:
                    seen.add(target)
                    queue.append(target)
        return None

    def values(self, play: Callable[[Node], Mapping[str, Fraction]]) -> tuple[Fraction | None, list[Fraction]]:
        """J (None: minus infinity) and the values of the bounds when ``play`` gives the distribution at each node."""

        def follow(node: Node) -> tuple[Fraction, list[Fraction], list[tuple[Node, Fraction]]]:
            reward, prices = ZERO, [ZERO] * len(self.problem.safe)
            merged: dict[Node, Fraction] = {}
            options = play(node) if self.actions(node) else {None: ONE}
            assert sum(options.values()) == 1
            for action, share in options.items():
                if action is not None:
                    assert action in self.actions(node)
                r, following = self.step(node, action)
                reward += share * r
                prices = [x + share * b.cost.get((node[0], str(action)), ZERO) for x, b in zip(prices, self.problem.safe, strict=True)]
                for target, p in following:
                    merged[target] = merged.get(target, ZERO) + share * p
            return reward, prices, [(t, p) for t, p in merged.items() if p]

        return self.evaluate(self.start(), follow, lambda node: node[2])

    def evaluate(self, start: Sequence[tuple[Any, Fraction]], follow: Callable, statuses: Callable[[Any], Sequence[int]]):
        """The values of a chain of any nodes over this problem."""
        chain = {}
        queue = [node for node, _ in start]
        for node in queue:
            if node not in chain:
                chain[node] = follow(node)
                queue.extend(target for target, _ in chain[node][2])
        graph = {node: row[2] for node, row in chain.items()}
        resting = bottom(graph)
        assert all(not any(chain[node][1]) for node in resting), "a price for ever"
        endless = self.problem.discount == 1 and loses_for_ever(graph, resting, lambda node: chain[node][0])

        def total(step: Callable[[Any], Fraction], discount: Fraction = ONE) -> Fraction:
            solved = solve(graph, step, set() if discount != 1 else resting, discount)
            return sum((p * solved[node] for node, p in start), ZERO)

        def chance(index: int, wanted: int) -> Fraction:
            reached = {node for node in graph if statuses(node)[index] == wanted}
            solved = solve(graph, lambda _: ZERO, reached | resting, ONE, lambda node: ONE if node in reached else ZERO)
            return sum((p * solved[node] for node, p in start), ZERO)

        values, k = [], 0
        for i, b in enumerate(self.problem.safe):
            if b.kind == "E":
                values.append(total(lambda node, i=i: chain[node][1][i]))
            else:
                values.append(1 - chance(k, NO) if b.kind == "G" else chance(k, YES))
                k += 1
        if isinstance(self.problem.score, Bound):
            return (1 - chance(k, NO) if self.problem.score.kind == "G" else chance(k, YES)), values
        return (None if endless else total(lambda node: chain[node][0], self.problem.discount)), values


class IllPosed(Exception):
    """Some run earns for ever, or its rewards never come to rest."""


def loses_for_ever(graph: Mapping[Any, Sequence[tuple[Any, Fraction]]], resting: set[Any], step: Callable[[Any], Fraction]) -> bool:
    """Whether some component that is never left has rewards; on average they must be negative.

    The average has the sign of what a run earns from a node until it comes back there.
    """
    loses = False
    left = {node for node in resting if step(node)}
    while left:
        node = left.pop()
        inside, queue = {node}, [node]
        for other in queue:
            for target, _ in graph[other]:
                if target not in inside:
                    inside.add(target)
                    queue.append(target)
        left -= inside
        earned = solve({n: graph[n] for n in inside}, step, {node}, ONE)
        if step(node) + sum(p * earned[target] for target, p in graph[node]) >= 0:
            raise IllPosed
        loses = True
    return loses


def bottom(graph: Mapping[Any, Sequence[tuple[Any, Fraction]]]) -> set[Any]:
    """The nodes of the strongly connected components that a run never leaves."""
    reach: dict[Any, set[Any]] = {}
    for node in graph:
        found, queue = {node}, [node]
        for other in queue:
            for target, _ in graph[other]:
                if target not in found:
                    found.add(target)
                    queue.append(target)
        reach[node] = found
    return {node for node in graph if all(node in reach[other] for other in reach[node])}


def solve(
    graph: Mapping[Any, Sequence[tuple[Any, Fraction]]],
    step: Callable[[Any], Fraction],
    ends: set[Any],
    discount: Fraction,
    final: Callable[[Any], Fraction] = lambda _: ZERO,
) -> dict[Any, Fraction]:
    """x = step + discount P x, and x = final at the ends; one node after the other is put into the others' equations."""
    value = {node: final(node) for node in ends}
    rows: dict[Any, tuple[Fraction, dict[Any, Fraction]]] = {}
    for node in graph:
        if node in value:
            continue
        constant, row = step(node), {}
        for target, p in graph[node]:
            if target in value:
                constant += discount * p * value[target]
            else:
                row[target] = row.get(target, ZERO) + discount * p
        rows[node] = (constant, row)
    order = list(rows)
    for node in order:
        constant, row = rows[node]
        scale = 1 - row.pop(node, ZERO)
        constant, row = constant / scale, {t: c / scale for t, c in row.items()}
        rows[node] = (constant, row)
        for other in order:
            if other != node and node in rows[other][1]:
                c = rows[other][1].pop(node)
                new = rows[other][1]
                for t, x in row.items():
                    new[t] = new.get(t, ZERO) + c * x
                rows[other] = (rows[other][0] + c * constant, new)
    return value | {node: constant for node, (constant, _) in rows.items()}


# ---------------------------------------------------------------- answers


def answer(problem: Problem, policy_class: str) -> Answer:
    runs = Runs(problem)
    key: Callable[[Node], Any] = (lambda node: node) if policy_class == "HR" else (lambda node: node[0])
    points = {}
    for chosen in runs.policies(key):
        j, values = runs.values(lambda node, chosen=chosen: {chosen[key(node)]: ONE})
        points[j, tuple(values)] = None
    finite = [(j, values) for j, values in points if j is not None]
    optimum = max(j for j, _ in finite)
    if policy_class == "DM":
        unsafe = any(not problem.is_safe(values) for _, values in points)
        sup = max((j for j, values in finite if not problem.is_safe(values)), default=None)
        return Answer(optimum, sup, sup is not None, unsafe)
    broken = list(enumerate(problem.safe))
    ways = [broken] if problem.either else [[one] for one in broken]
    unsafe = any(threshold([(ZERO, values) for _, values in points], way)[0] is not None for way in ways)
    found = [threshold(finite, way) for way in ways]
    sup = max((s for s, _ in found if s is not None), default=None)
    return Answer(optimum, sup, sup is not None and any(attained for s, attained in found if s == sup), unsafe)


def threshold(points: Sequence[tuple[Fraction, Sequence[Fraction]]], broken: Sequence[tuple[int, Bound]]) -> tuple[Fraction | None, bool]:
    """sup of J over the mixtures of the points that break all these bounds (None: there is no such mixture), and whether one has it.

    Breaking a non-strict bound is an open condition: it is met with room t > 0 to spare, which is maximised.
    """
    mass = ([ONE] * len(points) + [ZERO], "=", ONE)
    room = ([ZERO] * len(points) + [ONE], "<=", ONE)
    rows = [mass, room]
    for i, b in broken:
        sign = ONE if b.op in ("<", "<=") else -ONE
        is_open = b.op in ("<=", ">=")
        rows.append(([sign * (values[i] - b.value) for _, values in points] + [-ONE if is_open else ZERO], ">=", ZERO))
    spare = [ZERO] * len(points) + [ONE]
    if not maximum(spare, rows):
        return None, False
    objective = [j for j, _ in points] + [ZERO]
    sup = maximum(objective, rows)
    assert sup is not None
    return sup, bool(maximum(spare, [*rows, (objective, ">=", sup)]))


def maximum(objective: Sequence[Fraction], rows: Sequence[tuple[Sequence[Fraction], str, Fraction]]) -> Fraction | None:
    """The greatest value of a bounded linear program over x >= 0, None if nothing satisfies the rows: the simplex method, Bland's rule."""
    n, m = len(objective), len(rows)
    slacks = [i for i, (_, sense, _) in enumerate(rows) if sense != "="]
    width = n + len(slacks) + m
    table = []
    for i, (coefficients, sense, right) in enumerate(rows):
        row = [*coefficients, *([ZERO] * (width - n)), right]
        if sense != "=":
            row[n + slacks.index(i)] = ONE if sense == "<=" else -ONE
        if right < 0:
            row = [-x for x in row]
        row[n + len(slacks) + i] = ONE
        table.append(row)
    basis = [n + len(slacks) + i for i in range(m)]

    def pivot(i: int, k: int) -> None:
        table[i] = [x / table[i][k] for x in table[i]]
        for other in range(m):
            if other != i and table[other][k]:
                factor = table[other][k]
                table[other] = [x - factor * y for x, y in zip(table[other], table[i], strict=True)]
        basis[i] = k

    def climb(price: Sequence[Fraction], columns: int) -> Fraction:
        while True:
            gains = (price[k] - sum(price[basis[i]] * table[i][k] for i in range(m)) for k in range(columns))
            k = next((k for k, gain in enumerate(gains) if gain > 0), None)
            if k is None:
                return sum((price[basis[i]] * table[i][-1] for i in range(m)), ZERO)
            _, _, i = min((table[i][-1] / table[i][k], basis[i], i) for i in range(m) if table[i][k] > 0)
            pivot(i, k)

    if climb([ZERO] * (n + len(slacks)) + [-ONE] * m, width) < 0:
        return None
    for i in range(m):  # an artificial variable left in the basis is zero: put another in its place, or the row says nothing
        if basis[i] >= n + len(slacks):
            k = next((k for k in range(n + len(slacks)) if table[i][k]), None)
            if k is not None:
                pivot(i, k)
    return climb([*objective, *([ZERO] * (width - n))], n + len(slacks))


# ---------------------------------------------------------------- specs


def spec(problem: Problem, policy_class: str, statements: Sequence[str]) -> str:
    """The problem in the language."""
    start = problem.world.initial
    named = [*problem.world.states, *(state for b in problem.bounds for state in (*b.good, *b.bad))]
    lines = [f"enum S {{ {', '.join(ident(state) for state in dict.fromkeys(named))} }}", "world W {"]
    if len(start) == 1:
        lines.append(f"  var at : S = {ident(start[0][0])}")
    else:
        lines += ["  var at : S", f"  init {{ {'; '.join(f'{p}: at = {ident(state)}' for state, p in start)} }}"]
    rewards = []
    for state, actions in problem.world.moves.items():
        for action, move in actions.items():
            outcomes = "; ".join(f"{p}: at' = {ident(target)}" for target, p in move.to)
            lines.append(f"  action {ident(action)} when {is_at([state])} {{ {outcomes} }}")
            if move.reward:
                rewards.append(f"[{ident(action)}] when {is_at([state])}: {number(move.reward)}")
    prices = {pair: price for b in problem.safe for pair, price in b.cost.items()}
    assert sum(b.kind == "E" for b in problem.safe) <= 1
    costs = [f"[{ident(action)}] when {is_at([state])}: {number(price)}" for (state, action), price in prices.items()]
    lines += ["  deadlock absorbs", f"  reward r {{ {'; '.join(rewards)} }}", f"  reward cost {{ {'; '.join(costs)} }}", "}"]
    score = problem.score.text().rsplit(" ", 2)[0] if isinstance(problem.score, Bound) else f"E[r, {problem.score}]"
    joined = (" or " if problem.either else " and ").join(b.text() for b in problem.safe)
    lines += [f"policies Pi over W{TYPES[policy_class]}", f"score J(pi : Pi) = {score}", f"property Safe(pi : Pi) = {joined}"]
    return "\n".join([*lines, *statements]) + "\n"


# ---------------------------------------------------------------- counterexamples


def replayed(problem: Problem, document: Mapping[str, Any]) -> tuple[Fraction | None, list[Fraction]]:
    """J and the values of the bounds under a policy file, by this module's own reading of it."""
    runs = Runs(problem)
    names = {ident(state): state for state in problem.world.states}
    actions = {ident(action): action for moves in problem.world.moves.values() for action in moves}

    def fits(condition: Mapping[str, Any], state: str) -> bool:
        return all(names[value] == state for value in condition.values())

    def follow(pair: tuple[str, Node]) -> tuple[Fraction, list[Fraction], list[tuple[tuple[str, Node], Fraction]]]:
        memory, node = pair
        rule = next((r for r in document["rules"] if r.get("node", "0") == memory and fits(r.get("state", {}), node[0])), None)
        if not runs.actions(node):
            return ZERO, [ZERO] * len(problem.safe), [((memory, target), p) for target, p in runs.step(node, None)[1]]
        assert rule is not None, f"no rule for {node[0]}"
        played = {rule["action"]: ONE} if isinstance(rule["action"], str) else {a: Fraction(p) for a, p in rule["action"].items()}
        assert sum(played.values()) == 1
        reward, prices, merged = ZERO, [ZERO] * len(problem.safe), {}
        for name, share in played.items():
            r, following = runs.step(node, actions[name])
            reward += share * r
            prices = [x + share * b.cost.get((node[0], actions[name]), ZERO) for x, b in zip(prices, problem.safe, strict=True)]
            for target, p in following:
                then = next((move["node"] for move in rule.get("next", []) if fits(move["state"], target[0])), memory)
                merged[then, target] = merged.get((then, target), ZERO) + share * p
        return reward, prices, list(merged.items())

    start = []
    for node, p in runs.start():
        shares = [entry for entry in document.get("start", [{}]) if fits(entry.get("state", {}), node[0])]
        assert sum(Fraction(entry.get("weight", "1")) for entry in shares) == 1
        start += [((entry.get("node", "0"), node), p * Fraction(entry.get("weight", "1"))) for entry in shares]
    merged_start: dict[tuple[str, Node], Fraction] = {}
    for pair, p in start:
        merged_start[pair] = merged_start.get(pair, ZERO) + p
    return runs.evaluate([(pair, p) for pair, p in merged_start.items() if p], follow, lambda pair: pair[1][2])
