"""An oracle that shares no code with the prover: small worlds, claims and their answers by enumeration and Fractions.

A world is a table, a claim a nested tuple; ``text`` writes both as a spec.  ``Brute`` enumerates the deterministic policies
of the world times the memory of the objectives, values each by elimination, and asks z3 about mixtures of the values.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import product as tuples

import z3

LIMIT = 300  # policies


@dataclass(frozen=True)
class World:
    """``moves[s][action]``: successor -> probability; ``pay[s, action]``; ``goal``, ``bad``: sets of states; ``init``: state -> mass."""

    moves: tuple[dict[str, dict[int, Fraction]], ...]
    pay: dict[tuple[int, str], Fraction]
    goal: frozenset[int]
    bad: frozenset[int]
    init: dict[int, Fraction]


# Objectives: ("total",) ("until",) ("horizon", n) ("discount", g): the pay, before goal for until;
# ("F", l) ("G", l) ("U", l, l) ("X", l) ("Fk", k, l) ("GF", l) ("FG", l) with l in "goal", "bad".
# Linear: ([(coefficient, objective, "pi" | "rho" | "max" | "min" | "eps")], constant); "eps" has objective -1.
# Claims: ("cmp", op, linear) meaning linear op 0; ("not", c) ("and", c, c) ("or", c, c) ("=>", c, c)


def number(x: Fraction) -> str:
    return f"({x})" if x < 0 else str(x)


def objective_text(objective: tuple) -> str:
    match objective:
        case ("total",):
            return "E[pay, total]"
        case ("until",):
            return "E[pay, until goal]"
        case ("horizon", n):
            return f"E[pay, horizon {n}]"
        case ("discount", g):
            return f"E[pay, discount {g}]"
        case ("U", a, b):
            return f"P[(not {a}) U {b}]"
        case ("Fk", k, label):
            return f"P[F<={k} {label}]"
        case ("GF", label):
            return f"P[G F {label}]"
        case ("FG", label):
            return f"P[F G {label}]"
        case (word, label):
            return f"P[{word} {label}]"
    raise ValueError(objective)


def linear_text(linear: tuple) -> str:
    terms, constant = linear
    parts = []
    for c, i, who in terms:
        name = who if who == "eps" else f"{who}(O{i})" if who in ("max", "min") else f"O{i}({who})"
        parts.append(f"{number(c)} * {name}")
    return " + ".join([*parts, number(constant)])


def claim_text(claim: tuple) -> str:
    match claim:
        case ("cmp", op, linear):
            return f"{linear_text(linear)} {op} 0"
        case ("not", inner):
            return f"not ({claim_text(inner)})"
        case (word, *parts):
            return "(" + f" {word} ".join(f"({claim_text(part)})" for part in parts) + ")"
    raise ValueError(claim)


def text(
    world: World, objectives: list[tuple], claim: tuple, restrict: str = "", find: bool = False, variables: tuple[str, ...] = ("pi",)
) -> str:
    lines = [f"world W {{\n  var at : 0..{max(1, len(world.moves) - 1)}"]
    lines.append("  init { " + "; ".join(f"{p}: at = {s}" for s, p in world.init.items()) + " }")
    for s, actions in enumerate(world.moves):
        for name, row in actions.items():
            lines.append(f"  action {name} when at == {s} {{ " + "; ".join(f"{p}: at' = {t}" for t, p in row.items()) + " }")
    lines.append("  reward pay { " + "; ".join(f"[{a}] when at == {s}: {number(v)}" for (s, a), v in world.pay.items()) + " }")
    for name, states in (("goal", world.goal), ("bad", world.bad)):
        lines.append(f"  label {name} = " + (" or ".join(f"at == {s}" for s in sorted(states)) or "false"))
    lines.append("}")
    lines.append(f"policies Pi over W{restrict}")
    lines += [f"score O{i}(pi : Pi) = {objective_text(o)}" for i, o in enumerate(objectives)]
    body = f"forall {', '.join(variables)} : Pi. {claim_text(claim)}"
    lines.append(f"find eps in [0, infinity) maximal for {body}" if find else f"claim c: {body}")
    return "\n".join(lines) + "\n"


class TooMany(Exception):
    """The oracle does not answer."""


def solve(rows: list[dict[int, Fraction]], constants: list[Fraction]) -> list[Fraction]:
    """x = rows x + constants by Gauss and Jordan."""
    n = len(rows)
    table = [[Fraction(int(i == j)) - rows[i].get(j, Fraction(0)) for j in range(n)] + [constants[i]] for i in range(n)]
    for k in range(n):
        pivot = next(i for i in range(k, n) if table[i][k] != 0)
        table[k], table[pivot] = table[pivot], table[k]
        scale = table[k][k]
        table[k] = [x / scale for x in table[k]]
        for i in range(n):
            if i != k and table[i][k] != 0:
                factor = table[i][k]
                table[i] = [x - factor * y for x, y in zip(table[i], table[k], strict=True)]
    return [line[n] for line in table]


class Brute:
    def __init__(self, world: World, objectives: list[tuple]) -> None:
        self.world, self.objectives = world, objectives
        bounds = [o[1] if o[0] in ("horizon", "Fk") else 1 if o[0] == "X" else 0 for o in objectives]
        self.clock = max(bounds, default=0)

    # ------------------------------------------------------------ nodes: (state, clock, flags)

    def label(self, name: str, state: int) -> bool:
        return state in (self.world.goal if name == "goal" else self.world.bad)

    def flags(self, old: tuple, state: int, clock: int) -> tuple:
        """What each objective remembers: None undecided, else its answer (for until: has the goal been seen)."""
        after = []
        for objective, flag in zip(self.objectives, old, strict=True):
            if flag is None:
                match objective:
                    case ("until",):
                        flag = True if state in self.world.goal else None
                    case ("F", label):
                        flag = True if self.label(label, state) else None
                    case ("G", label):
                        flag = None if self.label(label, state) else False
                    case ("U", avoid, label):
                        flag = True if self.label(label, state) else False if self.label(avoid, state) else None
                    case ("X", label):
                        flag = self.label(label, state) if clock == 1 else None
                    case ("Fk", k, label):
                        flag = True if clock <= k and self.label(label, state) else False if clock >= k else None
            after.append(flag)
        return tuple(after)

    def successors(self, node: tuple, action: str) -> dict[tuple, Fraction]:
        state, clock, flags = node
        later = min(clock + 1, self.clock)
        # a saturated clock must not look like the step at which a bound is checked
        return {(t, later, self.flags(flags, t, clock + 1)): p for t, p in self.world.moves[state][action].items()}

    def start(self) -> dict[tuple, Fraction]:
        empty = (None,) * len(self.objectives)
        return {(s, 0, self.flags(empty, s, 0)): p for s, p in self.world.init.items()}

    def policies(self, tied: bool) -> Iterator[dict]:
        """Deterministic policies as tables over the reachable nodes (``tied``: over the states of the world)."""
        count = 0
        stack: list[dict] = [{}]
        while stack:
            table = stack.pop()
            queue, seen, missing = list(self.start()), set(self.start()), None
            for node in queue:
                key = node[0] if tied else node
                if key not in table:
                    missing = (key, node[0])
                    break
                for t in self.successors(node, table[key]):
                    if t not in seen:
                        seen.add(t)
                        queue.append(t)
            if missing is None:
                count += 1
                if count > LIMIT:
                    raise TooMany
                yield {node: table[node[0] if tied else node] for node in queue}
            else:
                stack += [{**table, missing[0]: action} for action in self.world.moves[missing[1]]]

    # ------------------------------------------------------------ the value of one policy

    def value(self, policy: dict) -> tuple[Fraction | None, ...]:
        nodes = list(policy)
        index = {n: k for k, n in enumerate(nodes)}
        rows = [{index[t]: p for t, p in self.successors(n, policy[n]).items()} for n in nodes]
        reach = [self._reach(rows, k) for k in range(len(nodes))]
        final = [all(k in reach[j] for j in reach[k]) for k in range(len(nodes))]
        return tuple(self._objective(i, objective, nodes, policy, rows, reach, final, index) for i, objective in enumerate(self.objectives))

    @staticmethod
    def _reach(rows: list[dict[int, Fraction]], start: int) -> set[int]:
        seen, queue = {start}, [start]
        for k in queue:
            for t in rows[k]:
                if t not in seen:
                    seen.add(t)
                    queue.append(t)
        return seen

    def _objective(self, i, objective, nodes, policy, rows, reach, final, index) -> Fraction | None:
        one, zero = Fraction(1), Fraction(0)
        pay = [self.world.pay.get((n[0], policy[n]), zero) for n in nodes]
        equations = [dict(row) for row in rows]
        constants = [zero] * len(nodes)
        kind = objective[0]
        if kind == "discount":
            equations = [{t: objective[1] * p for t, p in row.items()} for row in rows]
            constants = pay
        elif kind in ("total", "until", "horizon"):
            if kind == "until":
                pay = [zero if n[2][i] else x for n, x in zip(nodes, pay, strict=True)]
            if kind == "horizon":
                pay = [x if n[1] < objective[1] else zero for n, x in zip(nodes, pay, strict=True)]
            if any(final[k] and pay[k] != 0 for k in range(len(nodes))):
                return None
            constants = pay
            equations = [{} if final[k] else row for k, row in enumerate(equations)]
            constants = [zero if final[k] else x for k, x in enumerate(constants)]
        else:
            for k, n in enumerate(nodes):
                if final[k]:
                    equations[k] = {}
                    match objective:
                        case ("GF", label):
                            constants[k] = one if any(self.label(label, nodes[j][0]) for j in reach[k]) else zero
                        case ("FG", label):
                            constants[k] = one if all(self.label(label, nodes[j][0]) for j in reach[k]) else zero
                        case ("G", _):
                            constants[k] = zero if n[2][i] is False else one
                        case _:
                            constants[k] = one if n[2][i] is True else zero
        values = solve(equations, constants)
        return sum((p * values[index[n]] for n, p in self.start().items()), zero)

    # ------------------------------------------------------------ claims

    def answer(self, claim: tuple, variables: tuple[str, ...], restrict: str) -> bool | None:
        """Does it hold?  None: the oracle does not know (infinite values, too many policies, randomised memoryless types)."""
        try:
            fixed = "deterministic" in restrict and "memoryless" in restrict
            states = sorted({self.value(p) for p in self.policies(True)}, key=str)
            nodes = states if fixed else sorted({self.value(p) for p in self.policies(False)}, key=str)
        except TooMany:
            return None
        if any(x is None for v in [*states, *nodes] for x in v):
            return None
        if fixed:
            return self._holds(claim, variables, states, states, False)
        if any(o[0] == "discount" for o in self.objectives) and len(set(self.objectives)) > 1:
            return None  # mixed time scales need more memory than the product has
        if "memoryless" in restrict:
            if optima(states) != optima(nodes):
                return None
            if self._holds(claim, variables, nodes, nodes, True):
                return True
            return None if self._holds(claim, variables, states, nodes, False) else False
        return self._holds(claim, variables, nodes, nodes, True)

    def _holds(self, claim: tuple, variables: tuple[str, ...], points: list, best: list, mixed: bool) -> bool:
        ends = optima(best)
        if not mixed:
            return all(_truth(claim, dict(zip(variables, choice, strict=True)), ends) for choice in tuples(points, repeat=len(variables)))
        solver = z3.Solver()
        terms = {}
        for name in variables:
            shares = [z3.Real(f"{name}{k}") for k in range(len(points))]
            solver.add(*(s >= 0 for s in shares), z3.Sum(shares) == 1)
            for i in range(len(self.objectives)):
                terms[name, i] = z3.Sum([z3.Q(v[i].numerator, v[i].denominator) * s for s, v in zip(shares, points, strict=True)])
        solver.add(z3.Not(_term(claim, terms, ends)))
        return solver.check() == z3.unsat


def optima(points: list) -> dict[tuple[int, str], Fraction]:
    columns = list(zip(*points, strict=True))
    return {(i, who): pick(column) for i, column in enumerate(columns) for who, pick in (("max", max), ("min", min))}


def _truth(claim: tuple, values: dict, optima: dict) -> bool:
    match claim:
        case ("cmp", op, (terms, constant)):
            total = constant + sum((c * (optima[i, who] if who in ("max", "min") else values[who][i]) for c, i, who in terms), Fraction(0))
            return {"<": total < 0, "<=": total <= 0, ">": total > 0, ">=": total >= 0}[op]
        case ("not", inner):
            return not _truth(inner, values, optima)
        case (word, a, b):
            left, right = _truth(a, values, optima), _truth(b, values, optima)
            return {"and": left and right, "or": left or right, "=>": not left or right}[word]
    raise ValueError(claim)


def _term(claim: tuple, terms: dict, optima: dict):
    match claim:
        case ("cmp", op, (parts, constant)):
            total = z3.Q(constant.numerator, constant.denominator)
            for c, i, who in parts:
                q = z3.Q(c.numerator, c.denominator)
                total += q * (z3.Q(optima[i, who].numerator, optima[i, who].denominator) if who in ("max", "min") else terms[who, i])
            return {"<": total < 0, "<=": total <= 0, ">": total > 0, ">=": total >= 0}[op]
        case ("not", inner):
            return z3.Not(_term(inner, terms, optima))
        case (word, a, b):
            left, right = _term(a, terms, optima), _term(b, terms, optima)
            return {"and": z3.And(left, right), "or": z3.Or(left, right), "=>": z3.Implies(left, right)}[word]
    raise ValueError(claim)
