"""max(J) and min(J) over a policy type, computed from flows: the best policy found, and a bound that z3 confirms."""

from __future__ import annotations

from fractions import Fraction

from prover.policies.belongs import belongs
from prover.policies.constraints import Linear, System, less, number
from prover.policies.context import Context
from prover.policies.encode_common import Demand, NotEncoded, values_of
from prover.policies.encode_flow import Flow
from prover.policies.encode_tied import Look, Tied
from prover.policies.query import OptimumQuery, Query
from prover.policies.smt import Algebraic, Model, Sat, Session, SolverUnknown, Unsat, minimum

ROUNDS = 60  # improvements over a restricted type before the bounds are taken as they are


def bounds(context: Context, query: Query, wanted: OptimumQuery, depth: int, deadline: float | None) -> tuple[Fraction, Fraction]:
    """Two ends, equal where the optimum is known exactly.  ``depth``: layers where time scales mix.  Raises SolverUnknown."""
    return _Optimum(context, query, wanted, depth, deadline).bounds()


class _Optimum:
    def __init__(self, context: Context, query: Query, wanted: OptimumQuery, depth: int, deadline: float | None) -> None:
        self.query, self.wanted, self.deadline = query, wanted, deadline
        self.type = context.spec.policy_type(wanted.over)
        self.sign = Fraction(1 if wanted.kind == "max" else -1)
        used = {s.factor for s in (query.streams[i] for _, i in wanted.body) if s.kind != "horizon"}
        steps = max((query.streams[i].steps for _, i in wanted.body), default=0)
        # One time scale needs no more layers than its horizons; then the flow is exact.
        depth = steps if len(used) <= 1 else max(depth, steps)
        body = tuple(dict.fromkeys(query.streams[i] for _, i in wanted.body))
        self.product = context.product(query, self.type.world, body, depth)
        self.weights = {self.product.stream_index(query.streams[i]): self.sign * c for c, i in wanted.body}
        used_streams = frozenset(self.weights)
        finite = frozenset(i for i in used_streams if self.product.streams[i].sums_for_ever)
        self.demand = Demand(f"best {wanted.over}", self.product, used_streams, finite, frozenset())

    def objective(self, block: Flow | Tied) -> Linear:
        total = Linear()
        for i, w in self.weights.items():
            total = total.plus(block.values[i], w)
        return total

    def bounds(self) -> tuple[Fraction, Fraction]:
        low, high = self._bounds()
        constant = self.sign * self.wanted.constant
        ends = sorted((self.sign * (low + constant), self.sign * (high + constant)))
        return ends[0], ends[1]

    def _bounds(self) -> tuple[Fraction, Fraction]:
        restricted = self.type.memoryless or self.type.memory is not None
        system = System()
        relaxed = Flow(system, self.demand, ranked=False)
        outcome = minimum(system, self.objective(relaxed).scaled(Fraction(-1)), self.deadline)
        if not isinstance(outcome, tuple):
            raise SolverUnknown(f"the extremum `{self.wanted.text}`: {getattr(outcome, 'reason', 'none or out of time')}")
        high = -outcome[0]
        if relaxed.exact and not restricted and self.type.observes is None:
            return high, high
        variables = self.product.mdp.variables
        observes = None if self.type.observes is None else tuple(k for k, v in enumerate(variables) if v.name in self.type.observes)
        nodes = self.type.memory if self.type.memory is not None and not self.type.memoryless else 1
        by_node = not restricted and observes is None
        low: Fraction | None = None
        for deterministic in (True,) if self.type.deterministic or by_node else (True, False):
            whole = restricted and deterministic == self.type.deterministic
            low, high = self.climb(Look(nodes, deterministic, observes, by_node), low, high, whole)
            if low == high:
                break
        if low is None:
            raise SolverUnknown(f"no policy was found for `{self.wanted.text}`")
        return low, high

    def climb(self, look: Look, low: Fraction | None, high: Fraction, complete: bool) -> tuple[Fraction | None, Fraction]:
        """From policy to better policy; where the look is the whole type, halving the gap brings the bound down."""
        system = System()
        try:
            block = Tied(system, self.demand, look)
        except NotEncoded:
            return low, high
        session = Session(system, self.deadline)
        objective = self.objective(block)
        for _ in range(ROUNDS):
            if low == high:
                break
            aims: list[Fraction | None] = [low] if low is None or look.deterministic else [low + (high - low) / 2, low]
            for aim in aims:
                answer = session.check([] if aim is None else [less(number(aim), objective)])
                if isinstance(answer, Sat):
                    value = self.value(block, answer.model)
                    if value is None or (low is not None and value <= low):
                        return low, high
                    low = value
                    break
                if not isinstance(answer, Unsat) or aim is None:
                    return low, high
                if complete:
                    high = min(high, aim)
                if aim == low:
                    return low, high
        return low, high

    def value(self, block: Tied, model: Model) -> Fraction | None:
        try:
            controller = block.decode(model)
        except Algebraic:
            return None
        if controller is None or not belongs(controller, self.type, self.product.mdp):
            return None
        vector = values_of(self.query, self.product, controller)
        total = Fraction(0)
        for i, w in self.weights.items():
            value = vector[i]
            if value is None:
                return None
            total += w * value
        return total
