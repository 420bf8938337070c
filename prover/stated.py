"""A query -> the claim of a proof document, whatever proves it (docs/proof-format.md)."""

from __future__ import annotations

from typing import Any

from dsl.spec import PolicyType, Variable
from dsl.types import Enum
from prover.policies.context import Context
from prover.policies.controller import Controller
from prover.policies.query import Inequality, OptimumOf, Query, Skeleton, TheUnknown, ValueOf, references


class Stated:
    """What a proof of the query speaks of: worlds and types by their index, and the claim over them."""

    def __init__(self, context: Context, query: Query) -> None:
        self.context, self.query = context, query
        self.worlds = list(dict.fromkeys([s.world for s in query.streams] + [context.spec.policy_type(t).world for _, t in query.players]))
        if not self.worlds:
            self.worlds = [world.name for world in context.spec.worlds[:1]]
        self.types: list[str] = []
        self.named: list[tuple[str, str, Controller]] = []

    def type(self, name: str) -> int:
        if name not in self.types:
            self.types.append(name)
        return self.types.index(name)

    def atom(self, inequality: int) -> int:
        """The checker numbers the comparisons of the body in the order in which they first occur."""
        return references(self.query.skeleton).index(inequality)

    def claim(self, name: str, kind: str, text: str) -> dict[str, Any]:
        query = self.query
        return {
            "name": name,
            "kind": kind,
            "text": text,
            "objectives": [s.to_json(self.worlds.index(s.world)) for s in query.streams],
            "optima": [
                {
                    "kind": o.kind,
                    "type": self.type(o.over),
                    "body": [[str(c), s] for c, s in o.body],
                    "constant": str(o.constant),
                }
                for o in query.optima
            ],
            "variables": [[player, self.type(type)] for player, type in query.variables],
            "policies": [{"name": n, "type": self.type(t), "controller": c.to_json()} for n, t, c in self.named],
            "unknown": self.unknown(),
            "body": self.formula(query.skeleton),
            "types": [self.type_json(self.context.spec.policy_type(t)) for t in self.types],
        }

    def unknown(self) -> dict[str, Any] | None:
        u = self.query.unknown
        if u is None:
            return None
        return {
            "name": u.name,
            "low": None if u.low is None else str(u.low),
            "low_closed": u.low_closed,
            "high": None if u.high is None else str(u.high),
            "high_closed": u.high_closed,
            "direction": u.direction,
        }

    def type_json(self, type: PolicyType) -> dict[str, Any]:
        return {
            "name": type.name,
            "world": self.worlds.index(type.world),
            "deterministic": type.deterministic,
            "memoryless": type.memoryless,
            "memory": type.memory,
            "observes": None if type.observes is None else list(type.observes),
        }

    def formula(self, skeleton: Skeleton) -> list[Any]:
        if skeleton[0] == "ref":
            return inequality_json(self.query.inequalities[skeleton[1]])
        return [skeleton[0], *(self.formula(part) for part in skeleton[1:])]

    def complete(self, claim: dict[str, Any]) -> None:
        """Types that were met after the claim was written."""
        claim["types"] = [self.type_json(self.context.spec.policy_type(t)) for t in self.types]


def inequality_json(inequality: Inequality) -> list[Any]:
    terms = []
    for c, term in inequality.terms:
        match term:
            case ValueOf(stream, policy):
                terms.append([str(c), ["value", stream, policy]])
            case OptimumOf(index):
                terms.append([str(c), ["optimum", index]])
            case TheUnknown():
                terms.append([str(c), ["unknown"]])
    return [inequality.op, {"terms": terms, "constant": str(inequality.constant)}]


def type_text(variable: Variable) -> str:
    return "|".join(variable.type.members) if isinstance(variable.type, Enum) else str(variable.type)
