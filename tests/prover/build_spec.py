"""Small worlds as tables, spec text into verdicts, and slow oracles that share no code with the prover."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from pathlib import Path
from typing import Any

from flint import fmpq
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from dsl.spec import Variable
from dsl.typecheck import load
from dsl.types import Int
from prover.pipeline import Report, prove
from prover.policies.context import Context
from prover.policies.controller import Controller
from prover.policies.named import workspace
from prover.policies.query import Builder, Query, interval
from prover.solve.exact import Supremum
from prover.verdict import Verdict
from prover.worlds.mdp import Mdp, RewardColumn
from prover.worlds.product import Product
from tests.prover.worlds.build import SPAN

ZERO, ONE = Fraction(0), Fraction(1)
HALF, THIRD = Fraction(1, 2), Fraction(1, 3)
Dist = Mapping[int, Fraction]


def few(examples: int) -> settings:
    """Hypothesis, the same examples on every run."""
    return settings(
        max_examples=examples,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=[
            HealthCheck.too_slow,
            HealthCheck.filter_too_much,
            HealthCheck.function_scoped_fixture,
            HealthCheck.data_too_large,
        ],
    )


# ---------------------------------------------------------------- worlds by hand


@dataclass(frozen=True)
class Table:
    """``moves[s][action]``: successor -> probability; ``pay[s, action, t]``; ``marks``: sets of states."""

    moves: tuple[Mapping[str, Dist], ...]
    pay: Mapping[tuple[int, str, int], Fraction]
    marks: tuple[frozenset[int], ...] = ()
    init: Mapping[int, Fraction] | None = None

    @property
    def start(self) -> Mapping[int, Fraction]:
        return {0: ONE} if self.init is None else self.init

    def conditions(self) -> list[list[bool]]:
        return [[s in mark for s in range(len(self.moves))] for mark in self.marks]

    def mdp(self) -> Mdp:
        actions = list(dict.fromkeys(name for row in self.moves for name in row))
        probabilities: dict[Fraction, int] = {}
        amounts = {ZERO: 0}
        choice_start, action, transition_start, successor, probability, earned = [0], [], [0], [], [], []
        for s, row in enumerate(self.moves):
            for name, law in row.items():
                action.append(actions.index(name))
                for t, p in law.items():
                    successor.append(t)
                    probability.append(probabilities.setdefault(p, len(probabilities)))
                    earned.append(amounts.setdefault(self.pay.get((s, name, t), ZERO), len(amounts)))
                transition_start.append(len(successor))
            choice_start.append(len(action))
        at = Variable("at", Int(0, max(1, len(self.moves) - 1)), 0, SPAN)
        return Mdp(
            world="W",
            variables=(at,),
            actions=tuple(actions),
            initial=tuple(self.start.items()),
            choice_start=choice_start,
            action=action,
            transition_start=transition_start,
            successor=successor,
            probability=probability,
            probabilities=tuple(probabilities),
            rewards={"pay": RewardColumn(earned, tuple(amounts))},
            valuation=lambda state: (state,),
            holds=lambda _: [],
        )


def chain_of(*rows: Mapping[int, Any], pay: Mapping[tuple[int, int], Any] | None = None, marks: tuple[frozenset[int], ...] = ()) -> Table:
    """One action everywhere; ``pay[s, t]``."""
    moves = tuple({"go": {t: Fraction(p) for t, p in row.items()}} for row in rows)
    return Table(moves, {(s, "go", t): Fraction(x) for (s, t), x in (pay or {}).items()}, marks)


AMOUNTS = [Fraction(n, d) for n, d in ((1, 1), (2, 1), (1, 2), (1, 3), (3, 1), (5, 2))]


@st.composite
def laws(draw: st.DrawFn, states: int) -> dict[int, Fraction]:
    targets = draw(st.lists(st.integers(0, states - 1), min_size=1, max_size=2, unique=True))
    if len(targets) == 1:
        return {targets[0]: ONE}
    part = draw(st.sampled_from([HALF, THIRD, Fraction(3, 4), Fraction(1, 10)]))
    return {targets[0]: part, targets[1]: 1 - part}


@st.composite
def tables(draw: st.DrawFn, least: int = 2, most: int = 4, actions: int = 2, pays: str = "any", marks: int = 2) -> Table:
    """``pays``: "any" sign anywhere; "loops": losses anywhere, gains only on the way down; "none"."""
    states = draw(st.integers(least, most))
    moves, pay = [], {}
    for s in range(states):
        row = {}
        for name in "abc"[: draw(st.integers(1, actions))]:
            law = row[name] = draw(laws(states))
            for t in law:
                if pays != "none" and draw(st.booleans()):
                    amount = draw(st.sampled_from(AMOUNTS)) * draw(st.sampled_from([1, -1]))
                    pay[s, name, t] = -abs(amount) if pays == "loops" and not all(t > s for t in law) else amount
        moves.append(row)
    sets = tuple(frozenset(draw(st.sets(st.integers(0, states - 1), max_size=2))) for _ in range(marks))
    init = draw(st.sampled_from([None, None, {0: THIRD, states - 1: 1 - THIRD}]))
    return Table(tuple(moves), pay, sets, init)


# ---------------------------------------------------------------- specs as text


def spec_file(text: str, folder: Path) -> Path:
    path = folder / "case.spec"
    path.write_text(text, encoding="utf-8")
    return path


def report_of(text: str, folder: Path, **options: Any) -> Report:
    return prove(spec_file(text, folder), **options)


def verdicts_of(text: str, folder: Path, **options: Any) -> dict[str, Verdict]:
    """Every statement's verdict; the spec must be free of errors."""
    report = report_of(text, folder, **options)
    assert [(d.code, d.message) for d in report.diagnostics if d.severity == "error"] == []
    return {result.name: result.verdict for result in report.results}


def codes_of(text: str, folder: Path) -> list[str]:
    report = report_of(text, folder)
    assert not report.results
    return [d.code for d in report.diagnostics]


def query_of(text: str, folder: Path) -> tuple[Context, Query]:
    """The last statement as a ``forall`` (or find) query."""
    path = spec_file(text, folder)
    spec, _ = load(path)
    statement = spec.statements[-1]
    builder = Builder(spec, statement.body.variables)
    unknown = interval(statement) if hasattr(statement, "low") else None
    return workspace(spec, folder), builder.query("find" if unknown else "forall", builder.skeleton(statement.body.body), unknown)


# ---------------------------------------------------------------- oracles


def dense(rows: Sequence[Dist], constants: Sequence[Fraction]) -> list[Fraction] | None:
    """x = rows x + constants by Gauss and Jordan; None if singular."""
    n = len(rows)
    table = [[Fraction(int(i == j)) - rows[i].get(j, ZERO) for j in range(n)] + [constants[i]] for i in range(n)]
    for k in range(n):
        pivot = next((i for i in range(k, n) if table[i][k] != 0), None)
        if pivot is None:
            return None
        table[k], table[pivot] = table[pivot], table[k]
        scale = table[k][k]
        table[k] = [x / scale for x in table[k]]
        for i in range(n):
            if i != k and table[i][k] != 0:
                factor = table[i][k]
                table[i] = [x - factor * y for x, y in zip(table[i], table[k], strict=True)]
    return [line[n] for line in table]


def q(x: Fraction | int) -> fmpq:
    return fmpq(Fraction(x).numerator, Fraction(x).denominator)


def f(x: fmpq) -> Fraction:
    return Fraction(int(x.p), int(x.q))


def reach(rows: Sequence[Mapping[int, Any]], start: int) -> set[int]:
    seen, queue = {start}, [start]
    for k in queue:
        for t in rows[k]:
            if t not in seen:
                seen.add(t)
                queue.append(t)
    return seen


SETTLED = -1


def value_of_supports(product: Product, support: Mapping[int, tuple[int, ...]]) -> list[Fraction | None]:
    """Every stream under the policy that plays the chosen choices of each node with equal chances; None: infinite."""
    nodes = list(support)
    index = {n: k for k, n in enumerate(nodes)}
    rows, gains, earns = [], [], []
    for n in nodes:
        share = Fraction(1, len(support[n]))
        row: dict[int, Fraction] = {}
        for c in support[n]:
            for t in product.transitions(c):
                k = index[product.successor[t]] if product.successor[t] >= 0 else SETTLED
                row[k] = row.get(k, ZERO) + share * f(product.probability[t])
        rows.append(row)
        gains.append([sum((share * f(product.reward[i][c]) for c in support[n]), ZERO) for i in range(len(product.streams))])
        earns.append([any(product.earns[i][c] for c in support[n]) for i in range(len(product.streams))])
    inner = [{t: p for t, p in row.items() if t != SETTLED} for row in rows]
    seen = [reach(inner, k) for k in range(len(nodes))]
    final = [all(SETTLED not in rows[j] and k in seen[j] for j in seen[k]) for k in range(len(nodes))]
    visited = set().union(*(seen[index[n]] for n, _ in product.start if n >= 0)) if any(n >= 0 for n, _ in product.start) else set()
    result: list[Fraction | None] = []
    for i, stream in enumerate(product.streams):
        constants = [row[i] for row in gains]
        equations: list[dict[int, Fraction]] = [dict(row) for row in inner]
        if stream.kind == "discount":
            assert stream.factor is not None
            for k, n in enumerate(nodes):
                if n >= product.tail:
                    equations[k] = {t: stream.factor * p for t, p in inner[k].items()}
                    constants[k] *= stream.factor**product.depth
        else:
            if stream.kind != "recurrence" and any(final[k] and earns[k][i] for k in visited):
                result.append(None)
                continue
            for k in range(len(nodes)):
                if final[k]:
                    equations[k] = {}
                    hit = stream.kind == "recurrence" and any(product.conditions[stream.atom][product.nodes[nodes[j]][0]] for j in seen[k])
                    constants[k] = ONE if hit else ZERO
        solved = dense(equations, constants)
        assert solved is not None
        result.append(f(product.offset[i]) + sum((f(p) * solved[index[n]] for n, p in product.start if n >= 0), ZERO))
    return result


class TooMany(Exception):
    """More policies than the oracle looks at."""


def all_supports(product: Product, mixed: bool, limit: int = 150) -> Iterator[dict[int, tuple[int, ...]]]:
    """Policies by the set of choices that each node they reach plays (``mixed``), or by one choice for each."""
    count = 0
    stack: list[dict[int, tuple[int, ...]]] = [{}]
    begin = [n for n, _ in product.start if n >= 0]
    while stack:
        table = stack.pop()
        queue = list(begin)
        missing = None
        for n in queue:
            if n not in table:
                missing = n
                break
            for c in table[n]:
                queue += [s for t in product.transitions(c) if (s := product.successor[t]) >= 0 and s not in queue]
        if missing is None:
            count += 1
            if count > limit:
                raise TooMany
            yield {n: table[n] for n in queue}
            continue
        choices = list(product.choices(missing))
        sizes = range(1, len(choices) + 1) if mixed and missing >= product.tail else (1,)
        stack += [{**table, missing: c} for size in sizes for c in combinations(choices, size)]


def best_by_enumeration(product: Product, weights: Mapping[int, Fraction], finite: Sequence[int]) -> Fraction | None:
    """The largest weighted sum among policies whose ``finite`` streams are finite; None if there is none."""
    recurs = any(s.kind == "recurrence" for s in product.streams)
    found = None
    for support in all_supports(product, recurs):
        vector = value_of_supports(product, support)
        if any(vector[i] is None for i in finite):
            continue
        total = sum((w * v for i, w in weights.items() if (v := vector[i]) is not None), ZERO)
        found = total if found is None or total > found else found
    return found


# ---------------------------------------------------------------- the bound rule of docs/proof-format.md, read naively


def stay_and_live(
    product: Product, watched: Sequence[int], allowed: Mapping[int, frozenset[int]] | None = None
) -> tuple[set[int], set[int]]:
    """Stay and Live of the tail by iterating their definitions (SETTLED counts as staying)."""
    tail = range(product.tail, len(product.nodes))
    mdp = product.mdp

    def choices(n: int) -> list[int]:
        actions = None if allowed is None else allowed.get(product.nodes[n][0])
        return [c for c in product.choices(n) if actions is None or int(mdp.action[product.origin[c]]) in actions]

    def targets(c: int) -> set[int]:
        return {product.successor[t] for t in product.transitions(c)}

    stay = set(tail)
    while True:
        kept = {
            n for n in stay if any(not any(product.earns[i][c] for i in watched) and targets(c) <= stay | {SETTLED} for c in choices(n))
        }
        if kept == stay:
            break
        stay = kept
    live = set(tail)
    while True:
        good = {n: [c for c in choices(n) if targets(c) <= live | {SETTLED}] for n in live}
        near = set(stay & live)
        while True:
            more = {n for n in live - near if any(targets(c) & (near | {SETTLED}) for c in good[n])}
            if not more:
                break
            near |= more
        if near == live:
            return stay, live
        live = near


def require_bound_rule(product: Product, answer: Supremum) -> None:
    """Asserts every inequality that the checker's bound rule asks for (types without exact supports)."""
    weights = {i: f(w) for i, w in answer.weights.items()}
    assert {i for i in weights if product.streams[i].sums_for_ever} <= set(answer.finite)
    undiscounted = [i for i in weights if product.streams[i].group is None and product.streams[i].kind != "horizon"]
    discounts = {product.streams[i].factor for i in weights if product.streams[i].kind == "discount"}
    groups = discounts | ({None} if undiscounted or answer.finite else set())
    assert set(answer.tails) == groups
    tail = product.tail

    def value(c: int, table: Mapping[int, Fraction | None], part: Sequence[int], factor: Fraction) -> Fraction | None:
        total = sum((weights[i] * f(product.reward[i][c]) for i in part), ZERO)
        for t in product.transitions(c):
            s = product.successor[t]
            if s >= 0:
                later = table[s]
                if later is None:
                    return None
                total += factor * f(product.probability[t]) * later
        return total

    ends: dict[int, Fraction | None] = dict.fromkeys(range(tail, len(product.nodes)), ZERO)
    for factor, table in answer.tails.items():
        known = {tail + k: None if v is None else f(v) for k, v in enumerate(table)}
        assert len(known) == len(product.nodes) - tail
        part = undiscounted if factor is None else [i for i in weights if product.streams[i].factor == factor]
        if factor is None:
            stay, live = stay_and_live(product, sorted(set(part) | set(answer.finite)))
            if not answer.finite:
                live = set(known)
            assert {n for n, v in known.items() if v is not None} == live
        else:
            live = set(known)
        for n in sorted(live):
            own = known[n]
            assert own is not None
            for c in product.choices(n):
                later = value(c, known, part, ONE if factor is None else factor)
                assert later is None or own >= later
            if factor is None and n in stay and not any(product.streams[i].kind == "recurrence" for i in part):
                assert own >= 0
        scale = ONE if factor is None else factor**product.depth
        for n, v in known.items():
            old = ends[n]
            ends[n] = None if v is None or old is None else old + scale * v
    everything: dict[int, Fraction | None] = {**{n: None if v is None else f(v) for n, v in enumerate(answer.layers)}, **ends}
    for n in range(tail):
        options = [later for c in product.choices(n) if (later := value(c, everything, list(weights), ONE)) is not None]
        own = everything[n]
        if own is None:
            assert not options
        else:
            assert options
            assert own >= max(options)
    parts = [(everything[n], f(p)) for n, p in product.start if n >= 0]
    if any(v is None for v, _ in parts):
        assert answer.bound is None
    else:
        total = sum((v * p for v, p in parts if v is not None), ZERO)
        total += sum((w * f(product.offset[i]) for i, w in weights.items()), ZERO)
        assert answer.bound is not None
        assert f(answer.bound) == total


def simple(controller: Controller) -> dict[int, dict[int, Fraction]]:
    """State -> action -> probability of a controller with one node."""
    return {state: dict(actions) for (_, state), (actions, _) in controller.rules.items()}
