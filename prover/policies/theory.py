"""The MDP as a theory solver: is a conjunction of linear inequalities achievable by some policies?

Between the convex hull of the policies found so far (inner) and the bounds proved so far (outer): a point inside
is a candidate, a Motzkin vector that separates the hull becomes a question to each arena, whose answer either
closes the conjunction with a lemma or adds a policy (Forejt, Kwiatkowska & Parker 2012; here exact, with strict rows).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

from dsl.record import dataclass
from prover.flint import fmpq, rational
from prover.policies.arena import Arena, Point
from prover.policies.lemma import Combined, Lemma, Ray
from prover.policies.multipliers import Column, RowName, rounded
from prover.policies.query import Literals, OptimumOf, Query, TheUnknown, ValueOf
from prover.solve import lp
from prover.solve.evaluate import loop_gains
from prover.solve.exact import Unbounded
from prover.solve.live import Support

MIXED = "objectives on different time scales: the best bound misses the claim by"
REMEDY = (
    "slack in the claim, or one discount or one horizon for all its objectives, would decide it "
    "(with a discounted score and undiscounted safety, harm that stays reachable costs ever less the later it comes)"
)

Flags = Mapping[tuple[str, int], bool]  # (player, stream of the query) -> finite
Supports = Mapping[str, Support]
Tree = tuple[Any, ...]
# ("farkas", [(RowName, multiplier)...]) ("closed",) ("split", i, yes, no) ("flag", player, stream, finite, infinite)
# ("choose", player, state, [(actions, tree)...])


@dataclass(frozen=True)
class Bounds:
    """An optimum: between ``lower`` and ``upper`` (equal when exact)."""

    lower: fmpq
    upper: fmpq


@dataclass(frozen=True)
class Threshold:
    """An additional row on the unknown while a find is running: unknown <= value (closed) or < value, or mirrored."""

    value: fmpq
    closed: bool
    direction: str

    def row(self) -> lp.Row[Column]:
        sign = fmpq(1) if self.direction == "maximal" else fmpq(-1)
        return lp.Row({("unknown",): sign}, -sign * self.value, "<=" if self.closed else "<")


@dataclass(frozen=True)
class Closed:
    tree: Tree


@dataclass(frozen=True)
class Candidate:
    """Weights over the points of each player, and values of the optima and the unknown, that satisfy every literal."""

    mixture: Mapping[str, Sequence[tuple[fmpq, Point]]]
    unknown: fmpq | None


@dataclass(frozen=True)
class Stuck:
    reason: str


class Theory:
    def __init__(self, query: Query, arenas: Mapping[str, Arena], optima: Sequence[Bounds]) -> None:
        self.query, self.arenas, self.optima = query, arenas, optima
        self.column = {
            player: {self.query.streams.index(stream): i for i, stream in enumerate(arena.product.streams)}
            for player, arena in arenas.items()
        }
        self.lemmas: list[tuple[Lemma, str]] = []
        self.cases: dict[str, tuple[int, ...]] = {}  # for memoryless players: states whose action is fixed in every case
        self._combined: dict[object, Combined] = {}

    def missed(self, gap: fmpq) -> str:
        """Why the bounds found do not close a conjunction that no point found satisfies."""
        return f"{MIXED} {size(gap)}; {REMEDY}"

    # ------------------------------------------------------------ rows

    def literal_row(self, index: int, holds: bool) -> lp.Row[Column]:
        """The inequality or its negation as a row over values, optima and the unknown."""
        inequality = self.query.inequalities[index]
        sign = fmpq(1) if holds else fmpq(-1)
        op = inequality.op if holds else ("<=" if inequality.op == "<" else "<")
        coefficients: dict[Column, fmpq] = {}
        for c, term in inequality.terms:
            coefficients[_column(term)] = sign * rational(c)
        return lp.Row(coefficients, sign * rational(inequality.constant), op)

    def background(self, threshold: Threshold | None, used: set[Column]) -> list[tuple[RowName, lp.Row[Column]]]:
        """What is known of the optima and of the unknown."""
        rows: list[tuple[RowName, lp.Row[Column]]] = []
        for k, bounds in enumerate(self.optima):
            if ("optimum", k) in used:
                rows.append((("optimum", k, "upper"), lp.Row({("optimum", k): fmpq(1)}, -bounds.upper, "<=")))
                rows.append((("optimum", k, "lower"), lp.Row({("optimum", k): fmpq(-1)}, bounds.lower, "<=")))
        interval = self.query.unknown
        if interval is not None:
            if interval.low is not None:
                rows.append(
                    (("unknown", "low"), lp.Row({("unknown",): fmpq(-1)}, rational(interval.low), "<=" if interval.low_closed else "<"))
                )
            if interval.high is not None:
                rows.append(
                    (("unknown", "high"), lp.Row({("unknown",): fmpq(1)}, -rational(interval.high), "<=" if interval.high_closed else "<"))
                )
            if threshold is not None:
                rows.append((("threshold",), threshold.row()))
        return rows

    def truth(self, index: int, flags: Flags) -> bool | None:
        """An inequality with infinite terms that all push one way is decided by them; None otherwise, or without such terms."""
        pushes = set()
        for c, term in self.query.inequalities[index].terms:
            if isinstance(term, ValueOf) and flags.get((term.policy, term.stream)) is False:
                sign = self.arenas[term.policy].flaggable[self.column[term.policy][term.stream]]
                pushes.add(c * -sign > 0)
        if len(pushes) != 1:
            return None
        return not pushes.pop()

    def has_infinite(self, index: int, flags: Flags) -> bool:
        return any(
            isinstance(term, ValueOf) and flags.get((term.policy, term.stream)) is False for _, term in self.query.inequalities[index].terms
        )

    def rows(self, literals: Literals, flags: Flags, threshold: Threshold | None) -> list[tuple[RowName, lp.Row[Column]]]:
        named: list[tuple[RowName, lp.Row[Column]]] = []
        for index, holds in literals:
            if not self.has_infinite(index, flags):
                named.append((("atom", index), self.literal_row(index, holds)))
        used = {column for _, row in named for column in row.coefficients}
        return named + self.background(threshold, used)

    def certain(self, named: Sequence[tuple[RowName, lp.Row[Column]]]) -> list[tuple[RowName, lp.Row[Column]]]:
        """The rows with every optimum at its worse end: what satisfies them breaks the claim wherever the optimum lies."""
        result: list[tuple[RowName, lp.Row[Column]]] = []
        for name, row in named:
            if name[0] == "optimum":
                continue
            constant = row.constant
            for column, c in row.coefficients.items():
                if column[0] == "optimum":
                    bounds = self.optima[column[1]]
                    constant += c * (bounds.upper if c > 0 else bounds.lower)
            rest = {column: c for column, c in row.coefficients.items() if column[0] != "optimum"}
            result.append((name, lp.Row(rest, constant, row.op)))
        return result

    def loose(self, literals: Literals) -> str | None:
        """Says so if an optimum in these literals is only enclosed."""
        for i, _ in literals:
            for _, term in self.query.inequalities[i].terms:
                if isinstance(term, OptimumOf) and self.optima[term.index].lower != self.optima[term.index].upper:
                    bounds, wanted = self.optima[term.index], self.query.optima[term.index]
                    return f"{wanted.text} over {wanted.over} is only known to lie between {bounds.lower} and {bounds.upper}"
        return None

    def lemma_row(self, lemma: Lemma, player: str) -> lp.Row[Column]:
        back = {i: s for s, i in self.column[player].items()}
        coefficients: dict[Column, fmpq] = {("value", player, back[i]): w for i, w in lemma.weights.items()}
        if lemma.bound is None:
            return lp.Row({}, fmpq(1), "<=")
        return lp.Row(coefficients, -lemma.bound, "<=")

    def finite(self, player: str, flags: Flags) -> frozenset[int]:
        column = self.column[player]
        return frozenset(column[s] for (p, s), finite in flags.items() if p == player and finite)

    # ------------------------------------------------------------ the loop

    def check(
        self, literals: Literals, flags: Flags, supports: Supports, threshold: Threshold | None, rounds: int = 10_000
    ) -> Closed | Candidate | Stuck:
        named = self.rows(literals, flags, threshold)
        occurring = [t.policy for i, _ in literals for _, t in self.query.inequalities[i].terms if isinstance(t, ValueOf)]
        players = list(dict.fromkeys(occurring + [p for p, s in flags if not flags[p, s]]))
        for player in players:
            vacuous = self.ask(player, {}, flags, supports)
            if not isinstance(vacuous, Unbounded) and vacuous.bound is None:
                return Closed(("farkas", [(("lemma", vacuous, player), fmpq(1))]))
        known_leaf = self.refute(literals, flags, supports, threshold)
        if known_leaf is not None:
            return Closed(known_leaf)
        self.begin(named, players, flags, supports)
        rays: dict[str, list[Ray]] = {player: [] for player in players}
        for _ in range(rounds):
            points = {player: self.points(player, flags, supports) for player in players}
            rows, nonnegative = self.hull_rows(named, points, rays)
            outcome = lp.feasible(rows, nonnegative)
            if isinstance(outcome, lp.Feasible):
                return self._reach(outcome, points, rays, named, flags, supports)
            # Short multipliers keep the directions, and so the potentials, short; the exact ones decide where rounding says nothing.
            step = self._separate(named, rounded(named, outcome.multipliers[: len(named)]), players, flags, supports)
            known = isinstance(step, Ray) and any(step.gains == ray.gains for ray in rays[step.player])
            if known or (isinstance(step, fmpq) and not self._grew(players, points, flags, supports)):
                step = self._separate(named, outcome.multipliers[: len(named)], players, flags, supports)
            if isinstance(step, Closed):
                return step
            if isinstance(step, Ray):
                rays[step.player].append(step)
            elif not self._grew(players, points, flags, supports):
                leaf = self.refute(literals, flags, supports, threshold)
                if leaf is not None:
                    return Closed(leaf)
                return Stuck(self.missed(step))
        return Stuck("too many policies were needed")

    def begin(self, named: Sequence[tuple[RowName, lp.Row[Column]]], players: Sequence[str], flags: Flags, supports: Supports) -> None:
        """A first policy for every player; here the question whether there is any has brought one."""

    def _reach(
        self,
        outcome: lp.Feasible[Column],
        points: dict[str, list[Point]],
        rays: Mapping[str, Sequence[Ray]],
        named: Sequence[tuple[RowName, lp.Row[Column]]],
        flags: Flags,
        supports: Supports,
    ) -> Candidate | Stuck:
        """A point of the hulls and their rays: where it needs a ray, policies that loop ever longer stand for it."""
        stretch = 2
        bases = {player: list(known) for player, known in points.items()}
        found: lp.Feasible[Column] | lp.Infeasible = outcome
        if any(v[0] == "ray" and x != 0 for v, x in outcome.point.items()):
            found = lp.feasible(*self.hull_rows(named, points))
        while isinstance(found, lp.Infeasible):
            if stretch > 2**40:
                return Stuck("the claim's negation is approached along a loop that pays for ever, but no policy was found that reaches it")
            for player, loops in rays.items():
                for ray in loops:
                    for base in bases[player]:
                        self.arenas[player].loops(ray.ray, base, stretch)
                points[player] = self.points(player, flags, supports)
            stretch *= 16
            found = lp.feasible(*self.hull_rows(named, points))
        return self._candidate(found, points, named, flags, supports)

    def _grew(self, players: Sequence[str], before: Mapping[str, Sequence[Point]], flags: Flags, supports: Supports) -> bool:
        return any(len(self.points(player, flags, supports)) != len(before[player]) for player in players)

    def points(self, player: str, flags: Flags, supports: Supports) -> list[Point]:
        """The policies found so far that the branch admits."""
        finite, support = self.finite(player, flags), supports.get(player, {})
        cases = self.cases.get(player, ())
        return [
            p
            for p in self.arenas[player].points
            if all(p.vector[i] is not None for i in finite)
            and p.respects(support)
            and (not cases or all(len(actions) == 1 for state, actions in p.plays().items() if state in cases))
        ]

    def ask(self, player: str, weights: Mapping[int, fmpq], flags: Flags, supports: Supports) -> Lemma | Unbounded:
        arena, finite, support = self.arenas[player], self.finite(player, flags), supports.get(player, {})
        states = tuple(s for s in self.cases.get(player, ()) if s not in support)
        answer: Lemma | Unbounded
        if states:
            answer = self._combine(arena, weights, finite, support, states)
        else:
            answer = arena.sup(weights, finite, support)
        if not isinstance(answer, Unbounded) and not any(known is answer and p == player for known, p in self.lemmas):
            self.lemmas.append((answer, player))
        return answer

    def _combine(
        self, arena: Arena, weights: Mapping[int, fmpq], finite: frozenset[int], support: Support, states: tuple[int, ...]
    ) -> Combined | Unbounded:
        mdp = arena.product.mdp
        enabled = [[int(mdp.action[c]) for c in range(mdp.choice_start[s], mdp.choice_start[s + 1])] for s in states]
        parts = []
        for actions in product(*enabled):
            part = arena.sup(weights, finite, {**support, **{s: frozenset((a,)) for s, a in zip(states, actions, strict=True)}})
            if isinstance(part, Unbounded):
                return part
            parts.append(part)
        key = (id(arena), tuple(map(id, parts)))
        known = self._combined.get(key)
        if known is None:
            bounds = [part.bound for part in parts if part.bound is not None]
            known = Combined(parts[0].weights, parts[0].finite, support, states, tuple(parts), max(bounds) if bounds else None)
            self._combined[key] = known
        return known

    def hull_rows(
        self,
        named: Sequence[tuple[RowName, lp.Row[Column]]],
        points: Mapping[str, Sequence[Point]],
        rays: Mapping[str, Sequence[Ray]] | None = None,
    ) -> tuple[list[lp.Row[Column]], frozenset[Column]]:
        """The rows over weights of the points (they sum to 1 for each player) and amounts of the rays."""
        far = rays or {}
        rows = []
        for _, row in named:
            coefficients: dict[Column, fmpq] = {}
            for column, c in row.coefficients.items():
                if column[0] == "value":
                    _, player, stream = column
                    i = self.column[player][stream]
                    for k, point in enumerate(points[player]):
                        value = point.high(i) if c > 0 else point.low(i)  # the worse end, where a value is only enclosed
                        assert value is not None
                        part = ("part", player, k)
                        coefficients[part] = coefficients.get(part, fmpq(0)) + c * value
                    for k, ray in enumerate(far.get(player, ())):
                        part = ("ray", player, k)
                        coefficients[part] = coefficients.get(part, fmpq(0)) + c * ray.gains[i]
                else:
                    coefficients[column] = c
            rows.append(lp.Row(coefficients, row.constant, row.op))
        for player, found in points.items():
            rows.append(lp.Row({("part", player, k): fmpq(1) for k in range(len(found))}, fmpq(-1), "="))
        columns: list[Column] = [("part", player, k) for player, found in points.items() for k in range(len(found))]
        columns += [("ray", player, k) for player, loops in far.items() for k in range(len(loops))]
        return rows, frozenset(columns)

    def _separate(
        self,
        named: Sequence[tuple[RowName, lp.Row[Column]]],
        multipliers: Sequence[fmpq],
        players: Sequence[str],
        flags: Flags,
        supports: Supports,
    ) -> Closed | Ray | fmpq:
        """Asks each arena how far it goes in the separating direction; returns what is missing to a contradiction if there is none."""
        total, strict = fmpq(0), False
        directions: dict[str, dict[int, fmpq]] = {player: {} for player in players}
        proof: list[tuple[RowName, fmpq]] = []
        for (name, row), u in zip(named, multipliers, strict=True):
            if u == 0:
                continue
            proof.append((name, u))
            total += u * row.constant
            strict = strict or row.op == "<"
            for column, c in row.coefficients.items():
                if column[0] == "value":
                    i = self.column[column[1]][column[2]]
                    directions[column[1]][i] = directions[column[1]].get(i, fmpq(0)) - u * c
        for player, weights in directions.items():
            if not any(w != 0 for w in weights.values()):
                continue
            answer = self.ask(player, weights, flags, supports)
            if isinstance(answer, Unbounded):
                return Ray(player, answer, tuple(loop_gains(self.arenas[player].product, answer)))
            if answer.bound is None:
                return Closed(("farkas", [(("lemma", answer, player), fmpq(1))]))
            proof.append((("lemma", answer, player), fmpq(1)))
            total -= answer.bound
        if total > 0 or (total == 0 and strict):
            return Closed(("farkas", proof))
        return -total

    def _candidate(
        self,
        outcome: lp.Feasible[Column],
        points: Mapping[str, Sequence[Point]],
        named: Sequence[tuple[RowName, lp.Row[Column]]],
        flags: Flags,
        supports: Supports,
    ) -> Candidate | Stuck:
        """A point of the hull; with infinite flags it must also use, for each of them, a policy that makes it infinite."""
        infinite = [(player, stream) for (player, stream), finite in flags.items() if not finite]
        if infinite:
            rows, nonnegative = self.hull_rows(named, points)
            for player, stream in infinite:
                i = self.column[player][stream]
                parts = {("part", player, k): fmpq(-1) for k, point in enumerate(points[player]) if point.vector[i] is None}
                if not parts:
                    parts = self._diverge(player, i, flags, supports)
                    if not parts:
                        return Stuck(f"no policy was found that makes {self.query.streams[stream].reward} infinite and the rest finite")
                    return self._candidate(outcome, {p: self.points(p, flags, supports) for p in points}, named, flags, supports)
                rows.append(lp.Row(parts, fmpq(0), "<"))
            again = lp.feasible(rows, nonnegative)
            if isinstance(again, lp.Infeasible):
                return Stuck("the claim's negation holds only on the boundary of the policies with an infinite reward")
            outcome = again
        mixture = {
            player: [(w, point) for k, point in enumerate(found) if (w := outcome.point.get(("part", player, k), fmpq(0))) != 0]
            for player, found in points.items()
        }
        return Candidate(mixture, outcome.point.get(("unknown",)))

    def _diverge(self, player: str, stream: int, flags: Flags, supports: Supports) -> dict[Column, fmpq]:
        from prover.policies.diverge import diverging_plan

        arena = self.arenas[player]
        plan = diverging_plan(arena.product, stream, self.finite(player, flags), supports.get(player, {}))
        if plan is not None:
            point = arena.join(plan)
            if point.vector[stream] is None and point in self.points(player, flags, supports):
                return {("part", player, self.points(player, flags, supports).index(point)): fmpq(-1)}
        return {}

    # ------------------------------------------------------------ closing with what is known

    def refute(self, literals: Literals, flags: Flags, supports: Supports, threshold: Threshold | None) -> Tree | None:
        """A Farkas leaf from the literals and the lemmas found so far, or None."""
        named = self.rows(literals, flags, threshold)
        values = {c for _, row in named for c in row.coefficients if c[0] == "value"}
        players = {c[1] for c in values} | {p for p, _ in flags}
        for lemma, player in self.lemmas:
            if player in players and self.applies(lemma, player, flags, supports):
                row = self.lemma_row(lemma, player)
                if lemma.bound is None:
                    return ("farkas", [(("lemma", lemma, player), fmpq(1))])
                if set(row.coefficients) <= values:
                    named.append((("lemma", lemma, player), row))
        outcome = lp.feasible([row for _, row in named])
        if isinstance(outcome, lp.Feasible):
            return None
        return ("farkas", [(name, u) for (name, _), u in zip(named, outcome.multipliers, strict=True) if u != 0])

    def applies(self, lemma: Lemma, player: str, flags: Flags, supports: Supports) -> bool:
        arena = self.arenas[player]
        if any(i in arena.flaggable and i not in self.finite(player, flags) for i in lemma.finite):
            return False
        support = supports.get(player, {})
        return all(state in support and support[state] == actions for state, actions in lemma.support.items())


def _column(term: ValueOf | OptimumOf | TheUnknown) -> Column:
    match term:
        case ValueOf(stream, policy):
            return ("value", policy, stream)
        case OptimumOf(index):
            return ("optimum", index)
        case TheUnknown():
            return ("unknown",)


def size(x: fmpq) -> str:
    """The order of magnitude of a positive rational, for messages."""
    top, bottom = int(x.p), int(x.q)
    return (
        f"{top / bottom:.2g}" if abs(top.bit_length() - bottom.bit_length()) < 1000 else f"about 2^{top.bit_length() - bottom.bit_length()}"
    )
