"""A query decided in large worlds -> a proof document of format 2 and its arrays (docs/proof-format.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, cast

import numpy as np

from prover.flint import fmpq
from prover.policies.context import Context
from prover.policies.flat_arena import FlatBound, FlatMixture, FlatPoint, FlatPolicy, Table
from prover.policies.flat_decide import FlatOptimum, FlatStage
from prover.policies.flat_defined import FlatDefined
from prover.policies.flat_search import FlatFixed
from prover.policies.modulo import Counterexample
from prover.policies.query import Query
from prover.policies.theory import Tree
from prover.stated import Stated, type_text
from prover.verdict import FlatProof
from prover.worlds.flat import Flat

FORMAT = "twostep-proof 2"
KINDS = (("u1", 0, 255), ("u2", 0, 65_535), ("u4", 0, 2**32 - 1), ("i4", -(2**31), 2**31 - 1))


class FlatDocument(Stated):
    """Everything is written once and named by its index; arrays in the narrowest type that holds them."""

    def __init__(self, context: Context, query: Query) -> None:
        super().__init__(context, query)
        self.arrays: dict[str, Any] = {}
        self.products: list[Flat] = []
        self.policies: list[FlatPolicy] = []
        self.lemmas: list[dict[str, Any]] = []
        self._lemma_of: dict[tuple[int, tuple[int, int] | None], int] = {}
        self._kept: list[object] = []  # keeps what `_lemma_of` names by identity alive

    # ------------------------------------------------------------ arrays

    def array(self, values: Any) -> dict[str, Any]:
        values = np.asarray(values)
        low, high = (int(values.min()), int(values.max())) if len(values) else (0, 0)
        kind = next((name for name, least, most in KINDS if least <= low and high <= most), "i8")
        name = f"a{len(self.arrays)}"
        self.arrays[name] = np.ascontiguousarray(values, dtype="<" + kind)
        return {"array": name, "type": kind, "length": len(values)}

    def numbers(self, table: Table) -> dict[str, Any]:
        """Numerators with nulls: -2^63 in an array, null in a list."""
        if table.numerators.dtype != object:
            return self.array(table.numerators)
        return {"numbers": [None if x is None else str(int(x)) for x in table.numerators]}

    # ------------------------------------------------------------ parts

    def product(self, product: Flat) -> int:
        known = next((k for k, other in enumerate(self.products) if other is product), None)
        if known is None:
            self.products.append(product)
            known = len(self.products) - 1
        return known

    def policy(self, policy: FlatPolicy) -> int:
        known = next((k for k, other in enumerate(self.policies) if other is policy), None)
        if known is None:
            self.policies.append(policy)
            known = len(self.policies) - 1
            for _, point in policy.parts:
                self.product(point.arena.product)
        return known

    def lemma(self, key: object, part: tuple[int, int] | None, lemma: dict[str, Any]) -> int:
        self.lemmas.append(lemma)
        self._lemma_of[id(key), part] = len(self.lemmas) - 1
        self._kept.append(key)
        return len(self.lemmas) - 1

    def well_defined(self, found: FlatDefined) -> None:
        table, finite = found.table, found.finite
        k = max((t.k for t in (table, finite) if t is not None), default=0)
        product = found.arena.product
        everywhere = product.streams[found.stream].kind == "total"  # until: the world may have other rewards behind its condition
        self.lemmas.append(
            {
                "rule": "well-defined",
                "product": None if table is None and finite is None and everywhere else self.product(product),
                "objective": self.query.streams.index(product.streams[found.stream]),
                "sign": "score" if found.sign == 1 else "cost",
                "slack": str(found.slack),
                "denominator": str(1 << k),
                "table": None if table is None else self.numbers(_scaled(table, k)),
                "finite": None if finite is None else self.numbers(_scaled(finite, k)),
            }
        )

    def bound(self, lemma: FlatBound | FlatMixture, part: tuple[int, int] | None = None) -> int:
        """``part``: the policy and the part of it that a bound of one plan is written for."""
        known = self._lemma_of.get((id(lemma), part))
        if known is not None:
            return known
        if isinstance(lemma, FlatMixture):
            policy = self.policy(lemma.policy)
            if len(lemma.parts) == 1:
                return self.bound(lemma.parts[0], (policy, 0))
            parts = [self.bound(one, (policy, k)) for k, one in enumerate(lemma.parts)]
            return self.lemma(lemma, None, {"rule": "mixture", "policy": policy, "parts": parts})
        product = lemma.arena.product
        streams = [self.query.streams.index(stream) for stream in product.streams]
        k = next((table.k for table in lemma.tables.values()), 0)
        return self.lemma(
            lemma,
            part,
            {
                "rule": "bound",
                "product": self.product(product),
                "policy": None if part is None else list(part),
                "weights": [[streams[i], str(w)] for i, w in sorted(lemma.weights.items())],
                "finite": sorted(streams[i] for i in lemma.finite),
                "denominator": str(1 << k),
                "layers": [],
                "tails": [[None if factor is None else str(factor), self.numbers(table)] for factor, table in lemma.tables.items()],
            },
        )

    def optimum(self, optimum: FlatOptimum, index: int) -> list[Any]:
        """[lower, upper]: one side bounds all policies, the other is the value of a policy that achieves it."""
        wanted = self.query.optima[index]
        achieved = {"lemma": self.bound(optimum.reached, (self.policy(optimum.attained), 0))}
        limited = {"lemma": self.bound(optimum.limit)}
        return [achieved, limited] if wanted.kind == "max" else [limited, achieved]

    def breaks(self, stage: FlatStage, found: Counterexample) -> dict[str, Any]:
        """How the claim fails right behind the counterexample's edge."""
        policies, values = [], []
        inside: list[list[Any]] = []
        edge: list[list[Any]] = []
        for player, _ in self.query.variables:
            known = cast("Sequence[FlatPoint]", stage.theory.arenas[player].points)
            parts = cast("Sequence[tuple[fmpq, fmpq, FlatPoint]] | None", found.parts.get(player))
            parts = parts or [(fmpq(1), fmpq(1), known[0])]  # any policy will do for a variable that does not matter
            numbers = []
            for _, _, point in parts:
                policy = self.policy(self.alone(point))
                numbers.append(policy)
                streams = point.arena.product.streams
                for i in sorted({i for i, _ in point.bounds}):
                    known_sides = [point.bounds.get((i, side)) for side in (1, -1)]
                    sides = [None if lemma is None else self.bound(lemma, (policy, 0)) for lemma in known_sides]
                    values.append([policy, self.query.streams.index(streams[i]), *sides])
            policies.append([player, numbers])
            inside.append([player, [str(here) for here, _, _ in parts]])
            edge.append([player, [str(there) for _, there, _ in parts]])
        return {
            "policies": policies,
            "values": values,
            "inside": {"unknown": str(found.unknown), "weights": inside},
            "edge": {"unknown": str(found.edge), "weights": edge},
            "literals": [[self.atom(i), held] for i, held in found.literals],
        }

    def alone(self, point: FlatPoint) -> FlatPolicy:
        """The policy that follows this plan, the same one each time."""
        return next((p for p in self.policies if len(p.parts) == 1 and p.parts[0][1] is point), FlatPolicy(((Fraction(1), point),)))

    def tree(self, tree: Tree) -> list[Any]:
        """The tree with lemmas and atoms by index."""
        match tree[0]:
            case "closed":
                return ["closed"]
            case "farkas":
                return ["farkas", [[self.row(name), str(u)] for name, u in tree[1]]]
            case "split":
                return ["split", self.atom(tree[1]), self.tree(tree[2]), self.tree(tree[3])]
            case "flag":
                return ["flag", tree[1], tree[2], self.tree(tree[3]), self.tree(tree[4])]
            case other:
                raise RuntimeError(f"a refutation in a large world has no {other}")

    def row(self, name: tuple[Any, ...]) -> list[Any]:
        if name[0] == "lemma":
            return ["lemma", self.bound(name[1]), name[2]]
        return ["atom", self.atom(name[1])] if name[0] == "atom" else list(name)

    # ------------------------------------------------------------ the whole

    def finish(self, claim: dict[str, Any], optima: list[Any], argument: dict[str, Any]) -> FlatProof:
        self.complete(claim)
        worlds = [self.world(world) for world in self.worlds]
        products = [
            {
                "world": self.worlds.index(product.mdp.world),
                "objectives": [self.query.streams.index(stream) for stream in product.streams],
                "memories": product.memory_keys(),
                "state": self.array(product.state),
                "memory": self.array(product.memory),
            }
            for product in self.products
        ]
        policies = []
        for policy in self.policies:
            parts = [[str(share), self.product(point.arena.product), [self.array(self.plan(point))]] for share, point in policy.parts]
            policies.append({"parts": parts})
        evidence = {"products": products, "policies": policies, "lemmas": self.lemmas, "optima": optima, "argument": argument}
        return FlatProof({"format": FORMAT, "claim": claim, "worlds": worlds, "evidence": evidence}, self.arrays)

    def plan(self, point: FlatPoint) -> Any:
        """The choices of the world that the plan takes where it comes, -1 elsewhere."""
        product, plan = point.arena.product, point.arena.reached(point)
        nodes = np.flatnonzero(plan >= 0)
        result = np.full(len(plan), -1, dtype=np.int64)
        result[nodes] = product.origin(plan[nodes], nodes)
        return result

    def world(self, name: str) -> dict[str, Any]:
        mdp = self.context.mdp(name)
        atoms = self.query.atoms.of_world.get(name, [])
        columns = self.context.conditions(name, atoms)
        rewards = {}
        for reward in dict.fromkeys(s.reward for s in self.query.streams if s.world == name and s.reward is not None):
            column = mdp.rewards[reward]
            rewards[reward] = {"values": [str(x) for x in column.table], "index": self.array(column.index)}
        return {
            "name": name,
            "variables": [[v.name, type_text(v)] for v in mdp.variables],
            "states": [self.array(column) for column in mdp.columns()],
            "initial": [[int(s), str(p)] for s, p in mdp.initial],
            "actions": list(mdp.actions),
            "probabilities": [str(p) for p in mdp.probabilities],
            "choice_start": self.array(mdp.choice_start),
            "action": self.array(mdp.action),
            "transition_start": self.array(mdp.transition_start),
            "successor": self.array(mdp.successor),
            "probability": self.array(mdp.probability),
            "rewards": rewards,
            "atoms": [
                {"text": atom.text, "holds": self.array(np.asarray(column, dtype=np.uint8))}
                for atom, column in zip(atoms, columns, strict=True)
            ],
        }


def _scaled(table: Table, k: int) -> Table:
    """The same potential over 2^k."""
    if table.k == k:
        return table
    shift = k - table.k
    return Table(np.array([None if _null(x) else int(x) << shift for x in table.numerators], dtype=object), k)


def _null(x: Any) -> bool:
    return x is None or int(x) == -(2**63)


def flat_refutation(
    stage: FlatStage,
    context: Context,
    tree: Tree,
    name: str,
    text: str,
    *,
    witnesses: Mapping[str, FlatPolicy] | None = None,
    threshold: tuple[Any, bool, Counterexample | None] | None = None,
) -> FlatProof:
    """The proof of a ``forall`` query, of an ``exists`` by witnesses, or of a find up to its threshold (value, attained, what breaks)."""
    query = stage.query
    document = FlatDocument(context, query)
    for found in stage.defined.values():
        document.well_defined(found)
    for arena in cast("Mapping[str, object]", stage.theory.arenas).values():
        if isinstance(arena, FlatFixed):
            summed = frozenset(i for i, s in enumerate(arena.product.streams) if s.sums_for_ever and i not in arena.flaggable)
            if summed:
                document.bound(arena.sup({}, summed, {}))
    optima = [document.optimum(optimum, k) for k, optimum in enumerate(stage.optima)]
    body = document.tree(tree)
    if threshold is not None:
        value, attained, breaks = threshold
        shown = "infinity" if value is None else str(value)
        argument: dict[str, Any] = {"kind": "threshold", "value": shown, "attained": attained, "tree": body, "breaks": None}
        if breaks is not None:
            argument |= {"breaks": document.breaks(stage, breaks), "beyond": str(breaks.edge)}
        kind = "find"
    elif witnesses:
        argument = {"kind": "witness", "policies": [[p, document.policy(policy)] for p, policy in witnesses.items()], "tree": body}
        kind = "exists"
    else:
        argument, kind = {"kind": "refutation", "tree": body}, "forall"
    return document.finish(document.claim(name, kind, text), optima, argument)
