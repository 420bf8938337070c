"""The second method: a whole claim as one satisfiability problem over flows and choices, handed to z3 at once.

Nothing of prover.solve.exact and nothing of the search modulo policies decides here; they share the product and the exact
evaluation of a controller, which confirms every counterexample.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product as tuples

from dsl.spec import PolicyType
from prover.policies.belongs import belongs
from prover.policies.constraints import Formula, Linear, System, at_most, boolean, conj, disj, neg, number, row, variable
from prover.policies.context import Context
from prover.policies.controller import Controller
from prover.policies.decide import Stage
from prover.policies.encode_common import Demand, NotEncoded, values_of
from prover.policies.encode_flow import Flow
from prover.policies.encode_optimum import bounds
from prover.policies.encode_tied import Look, Tied
from prover.policies.modulo import mixes
from prover.policies.query import OptimumOf, Skeleton, TheUnknown, ValueOf, evaluate
from prover.policies.smt import Algebraic, Model, Sat, Session, SolverUnknown, TimedOut, Unsat, approached, minimum

MAX_INFINITE = 4
Block = Flow | Tied
Branch = Mapping[tuple[str, int], bool]  # (player, stream of the query) -> finite


@dataclass(frozen=True)
class DirectCounterexample:
    """One controller of its type for each player, evaluated exactly; ``unknown`` is the value of a find's variable."""

    controllers: Mapping[str, Controller]
    unknown: Fraction | None


@dataclass(frozen=True)
class Edge:
    """The claim of a find holds up to ``value`` (None: infinity), itself included if ``attained``."""

    value: Fraction | None
    attained: bool


@dataclass(frozen=True)
class Encoding:
    """A system for one branch; ``whole``: it has a solution only if some policies have these values."""

    system: System
    blocks: Mapping[str, Block]
    whole: bool


def direct(context: Context, stage: Stage, deadline: float | None = None) -> str | DirectCounterexample:
    """"holds", a counterexample, or "unknown: reason".  ``deadline`` as time.monotonic() counts."""
    try:
        return Direct(context, stage, deadline).decide()
    except (NotEncoded, SolverUnknown) as reason:
        return f"unknown: {reason}"


def threshold(context: Context, stage: Stage, deadline: float | None = None) -> str | Edge:
    """The exact threshold of a find, or "unknown: reason"."""
    try:
        return Direct(context, stage, deadline).threshold()
    except (NotEncoded, SolverUnknown) as reason:
        return f"unknown: {reason}"


class Direct:
    def __init__(self, context: Context, stage: Stage, deadline: float | None) -> None:
        self.context, self.query, self.types, self.deadline = context, stage.query, stage.types, deadline
        self.products = {player: arena.product for player, arena in stage.theory.arenas.items()}
        self.flaggable = {player: dict(arena.flaggable) for player, arena in stage.theory.arenas.items()}
        self.column = stage.theory.column
        self.depth = max((p.depth for p in self.products.values()), default=max((s.steps for s in self.query.streams), default=0))
        self.optima = [bounds(context, self.query, wanted, self.depth, deadline) for wanted in self.query.optima]

    def remaining(self) -> None:
        if self.deadline is not None and time.monotonic() > self.deadline:
            raise SolverUnknown("z3 ran out of time")

    # ------------------------------------------------------------ the claim

    def reads(self, player: str) -> list[int]:
        """Streams of the query whose value for the player occurs."""
        terms = [term for inequality in self.query.inequalities for _, term in inequality.terms]
        return sorted({t.stream for t in terms if isinstance(t, ValueOf) and t.policy == player})

    def branches(self) -> list[Branch]:
        flags = [(p, s) for p, _ in self.query.players for s in self.reads(p) if self.column[p][s] in self.flaggable[p]]
        if len(flags) > MAX_INFINITE:
            raise NotEncoded(f"{len(flags)} objectives can be infinite; at most {MAX_INFINITE} are encoded directly")
        return [dict(zip(flags, values, strict=True)) for values in tuples((True, False), repeat=len(flags))]

    def demand(self, player: str, branch: Branch) -> Demand:
        column, product = self.column[player], self.products[player]
        used = frozenset(column[s] for s in self.reads(player))
        infinite = frozenset(column[s] for (p, s), finite in branch.items() if p == player and not finite)
        finite = frozenset(i for i in used if product.streams[i].sums_for_ever) - infinite
        return Demand(player, product, used, finite, infinite)

    def encoding(self, branch: Branch, level: int) -> Encoding | None:
        """Level 0 misses no policy; the levels behind it look for policies of a shape that can be written down."""
        system = System()
        blocks: dict[str, Block] = {}
        whole = True
        for player, _ in self.query.players:
            demand = self.demand(player, branch)
            type = self.types[player]
            made = _block(system, demand, type, level)
            if made is None:
                return None
            blocks[player] = made
            whole = whole and made.exact and (type is None or mixes(type) or isinstance(made, Tied))
        self.claim(system, blocks, branch)
        return Encoding(system, blocks, whole)

    def claim(self, system: System, blocks: Mapping[str, Block], branch: Branch) -> None:
        system.section("the extrema and the unknown")
        optima = []
        for k, (low, high) in enumerate(self.optima):
            if low == high:
                optima.append(number(low))
            else:
                name = system.real(f"optimum {k}")
                system.add(at_most(number(low), variable(name)))
                system.add(at_most(variable(name), number(high)))
                optima.append(variable(name))
        interval = self.query.unknown
        if interval is not None:
            unknown = variable(system.real(interval.name))
            for end, closed, sign in ((interval.low, interval.low_closed, -1), (interval.high, interval.high_closed, 1)):
                if end is not None:
                    system.add(row(unknown.plus(number(-end)).scaled(Fraction(sign)), "<=" if closed else "<"))
        atoms = [self.atom(system, k, blocks, branch, optima) for k in range(len(self.query.inequalities))]
        system.section("the claim is false")
        system.add(neg(_formula(self.query.skeleton, atoms)))

    def atom(self, system: System, index: int, blocks: Mapping[str, Block], branch: Branch, optima: Sequence[Linear]) -> Formula:
        inequality = self.query.inequalities[index]
        total = number(inequality.constant)
        pushes: set[bool] = set()
        for c, term in inequality.terms:
            match term:
                case ValueOf(stream, player):
                    i = self.column[player][stream]
                    if branch.get((player, stream)) is False:
                        pushes.add(c * self.flaggable[player][i] > 0)
                    else:
                        total = total.plus(blocks[player].values[i], c)
                case OptimumOf(k):
                    total = total.plus(optima[k], c)
                case TheUnknown():
                    total = total.plus(variable(self.query.unknown.name), c)  # type: ignore[union-attr]
        if len(pushes) == 2:
            return boolean(system.boolean(f"undefined {index}"))  # infinity minus infinity
        if pushes:
            return ("true",) if pushes.pop() else ("false",)
        return row(total, inequality.op)

    # ------------------------------------------------------------ answers

    def decide(self) -> str | DirectCounterexample:
        open_branch = None
        for branch in self.branches():
            outcome = self.settle(branch)
            if isinstance(outcome, DirectCounterexample):
                return outcome
            open_branch = open_branch or outcome
        return "holds" if open_branch is None else f"unknown: {open_branch}"

    def settle(self, branch: Branch) -> DirectCounterexample | str | None:
        """None: the claim cannot fail in this branch."""
        reason = "z3 found values for which no policy could be written down"
        for level in range(8):
            self.remaining()
            try:
                encoding = self.encoding(branch, level)
            except NotEncoded as limit:
                if level == 0:
                    raise
                reason = str(limit)
                continue
            if encoding is None:
                break
            answer = Session(encoding.system, self.deadline).check()
            if isinstance(answer, Unsat):
                if level == 0:
                    return None
                continue
            if isinstance(answer, TimedOut):
                return "z3 ran out of time"
            if not isinstance(answer, Sat):
                reason = answer.reason
                continue
            found = self.realise(encoding, answer.model)
            if found is not None:
                return found
        return reason

    def realise(self, encoding: Encoding, model: Model) -> DirectCounterexample | None:
        controllers: dict[str, Controller] = {}
        for player, block in encoding.blocks.items():
            try:
                controller = block.decode(model)
            except Algebraic:
                return None
            type = self.types[player]
            if controller is None or (type is not None and not belongs(controller, type, self.products[player].mdp)):
                return None
            controllers[player] = controller
        unknown: Fraction | None = None
        if self.query.unknown is not None:
            try:
                unknown = model.value(self.query.unknown.name)
            except Algebraic:
                return None
        return DirectCounterexample(controllers, unknown) if self.refutes(controllers, unknown) else None

    def refutes(self, controllers: Mapping[str, Controller], unknown: Fraction | None) -> bool:
        """Do these policies make the claim false, by exact evaluation?  (Whatever a player does that is left out.)"""
        values = {player: values_of(self.query, self.products[player], controller) for player, controller in controllers.items()}
        truth: dict[int, bool] = {}
        for index, inequality in enumerate(self.query.inequalities):
            low = high = inequality.constant
            pushes: set[bool] = set()
            left_open = [t for _, t in inequality.terms if isinstance(t, ValueOf) and t.policy not in values]
            if any(self.column[t.policy][t.stream] in self.flaggable[t.policy] for t in left_open):
                continue
            for c, term in inequality.terms:
                match term:
                    case ValueOf(stream, player) if player in values:
                        i = self.column[player][stream]
                        value = values[player][i]
                        if value is None:
                            pushes.add(c * self.flaggable[player][i] > 0)
                        else:
                            low, high = low + c * value, high + c * value
                    case OptimumOf(k):
                        ends = sorted(c * end for end in self.optima[k])
                        low, high = low + ends[0], high + ends[1]
                    case TheUnknown():
                        if unknown is None:
                            return False
                        low, high = low + c * unknown, high + c * unknown
            if len(pushes) == 2:
                continue
            if pushes:
                truth[index] = pushes.pop()
            elif left_open:
                continue
            elif high < 0 or (high == 0 and inequality.op == "<="):
                truth[index] = True
            elif low > 0 or (low == 0 and inequality.op == "<"):
                truth[index] = False
        return evaluate(self.query.skeleton, truth) is False

    # ------------------------------------------------------------ finds

    def threshold(self) -> str | Edge:
        interval = self.query.unknown
        if interval is None:
            raise ValueError("a threshold needs an unknown")
        sign = Fraction(1 if interval.direction == "maximal" else -1)
        least: tuple[Fraction, bool] | None = None
        for branch in self.branches():
            encoding = self.encoding(branch, 0)
            if encoding is None:
                raise NotEncoded("no encoding")
            search = approached if encoding.system.nonlinear else minimum
            outcome = search(encoding.system, variable(interval.name).scaled(sign), self.deadline)
            if isinstance(outcome, Unsat):
                continue
            if not isinstance(outcome, tuple):
                return f"unknown: {'z3 ran out of time' if isinstance(outcome, TimedOut) else outcome.reason}"
            if not encoding.whole:
                return "unknown: no complete encoding for this policy type"
            value, attained = outcome
            if least is None or value < least[0]:
                least = (value, attained)
            elif value == least[0]:
                least = (value, attained or least[1])
        if any(low != high for low, high in self.optima):
            return "unknown: an extremum of the claim is known only within bounds"
        if least is None:
            end, closed = (interval.high, interval.high_closed) if sign > 0 else (interval.low, interval.low_closed)
            return Edge(end, end is not None and closed)
        return Edge(sign * least[0], not least[1])


def _block(system: System, demand: Demand, type: PolicyType | None, level: int) -> Block | None:
    """None: there is no such level for this type."""
    shapes = ((1, 1), (2, 1), (2, 3), (3, 6))
    if demand.product.controller is not None or type is None:
        return Flow(system, demand) if level < len(shapes) + 1 else None
    mdp = demand.product.mdp
    observes = None if type.observes is None else tuple(k for k, v in enumerate(mdp.variables) if v.name in type.observes)
    nodes = 1 if type.memoryless or type.memory is None else type.memory
    if type.memoryless or type.memory is not None:
        if level == 0:
            return Tied(system, demand, Look(nodes, type.deterministic, observes))
        # where the nonlinear one gives up, deterministic policies may refute
        return Tied(system, demand, Look(nodes, True, observes)) if level == 1 and not type.deterministic else None
    if mixes(type):
        if level == 0:
            return Flow(system, demand)
        if level == 1:
            return Tied(system, demand, Look(by_node=True, coins=True))
        return Flow(system, demand, *shapes[level - 2], clean=True) if level - 2 < len(shapes) else None
    if level == 0:
        return Flow(system, demand)
    if type.observes is None:
        return Tied(system, demand, Look(by_node=True)) if level == 1 else None
    return Tied(system, demand, Look(level, type.deterministic, observes)) if level <= 2 else None


def _formula(skeleton: Skeleton, atoms: Sequence[Formula]) -> Formula:
    match skeleton[0]:
        case "true" | "false":
            return (skeleton[0],)
        case "ref":
            return atoms[skeleton[1]]
        case "not":
            return neg(_formula(skeleton[1], atoms))
        case word:
            parts = [_formula(part, atoms) for part in skeleton[1:]]
            return conj(parts) if word == "and" else disj(parts)
