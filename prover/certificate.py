"""A decided query into the proof document that the checker reads (docs/proof-format.md)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prover.flint import fmpq, fraction, rational
from prover.policies.arena import Arena, controller_of
from prover.policies.context import Context
from prover.policies.controller import Controller
from prover.policies.decide import Found
from prover.policies.lemma import Combined, Lemma
from prover.policies.optimum import Cases, Optimum
from prover.policies.query import Query
from prover.policies.theory import Theory, Tree
from prover.solve.exact import Supremum, supremum
from prover.solve.welldefined import WellDefined
from prover.stated import Stated, type_text
from prover.worlds.mdp import Mdp
from prover.worlds.product import Product

FORMAT = "twostep-proof 1"


class Document(Stated):
    """Collects worlds, policies, products and lemmas; everything is written once and named by its index."""

    def __init__(self, context: Context, query: Query) -> None:
        super().__init__(context, query)
        self.policies: list[Controller] = []
        self.products: list[tuple[Product, tuple[str, int] | None]] = []
        self.lemmas: list[dict[str, Any]] = []
        self._lemma_of: dict[int, int] = {}
        self._kept: list[object] = []  # keeps what `_lemma_of` names by identity alive
        for stream in query.streams:
            if stream.sums_for_ever:
                self.well_defined(context.well_defined(query, stream), query.streams.index(stream))

    # ------------------------------------------------------------ parts

    def evidence_policy(self, controller: Controller) -> int:
        for k, known in enumerate(self.policies):
            if known is controller:
                return k
        self.policies.append(controller)
        return len(self.policies) - 1

    def product(self, product: Product) -> int:
        for k, (known, _) in enumerate(self.products):
            if known is product:
                return k
        policy = None
        if product.controller is not None:
            named = next((i for i, (_, _, c) in enumerate(self.named) if c is product.controller), None)
            policy = ("named", named) if named is not None else ("evidence", self.evidence_policy(product.controller))
        self.products.append((product, policy))
        return len(self.products) - 1

    def objective(self, product: Product, index: int) -> int:
        return self.query.streams.index(product.streams[index])

    def well_defined(self, certificate: WellDefined, objective: int) -> None:
        index = self.product(certificate.product)
        self.lemmas.append(
            {
                "rule": "well-defined",
                "product": index,
                "objective": objective,
                "sign": "score" if certificate.sign == 1 else "cost",
                "slack": str(certificate.slack),
                "potential": [str(h) for h in certificate.potential],
            }
        )
        if certificate.finite is not None:
            self.lemmas.append(
                {"rule": "finite", "product": index, "objective": objective, "potential": [str(g) for g in certificate.finite]}
            )

    def bound(self, lemma: Lemma, product: Product) -> int:
        known = self._lemma_of.get(id(lemma))
        if known is not None:
            return known
        self._kept.append(lemma)
        if isinstance(lemma, Combined):
            parts = [self.bound(part, product) for part in lemma.parts]
            self.lemmas.append({"rule": "cases", "states": list(lemma.states), "parts": parts})
            self._lemma_of[id(lemma)] = len(self.lemmas) - 1
            return len(self.lemmas) - 1
        layers = [[_value(v) for v in lemma.layers[product.layer_start[t] : product.layer_start[t + 1]]] for t in range(product.depth)]
        self.lemmas.append(
            {
                "rule": "bound",
                "product": self.product(product),
                "weights": [[self.objective(product, i), str(w)] for i, w in sorted(lemma.weights.items())],
                "finite": sorted(self.objective(product, i) for i in lemma.finite),
                "allowed": [[state, sorted(actions)] for state, actions in sorted(lemma.support.items())] or None,
                "layers": layers,
                "tails": [
                    {"discount": None if factor is None else str(factor), "potential": [_value(v) for v in table]}
                    for factor, table in lemma.tails.items()
                ],
            }
        )
        self._lemma_of[id(lemma)] = len(self.lemmas) - 1
        return len(self.lemmas) - 1

    def finite_under(self, arena: Arena) -> None:
        """A fixed policy needs no flags for what it makes finite, which a bound without weights shows."""
        summed = frozenset(i for i, stream in enumerate(arena.product.streams) if stream.sums_for_ever and i not in arena.flaggable)
        if summed:
            shown = arena.sup({}, summed, {})
            if not isinstance(shown, Supremum) or shown.bound is None:
                raise RuntimeError("a finite value without its lemma")
            self.bound(shown, arena.product)

    def optimum(self, optimum: Optimum, index: int) -> list[Any]:
        """[lower, upper]: one side bounds all policies, the other is the value of a policy that achieves it."""
        wanted, product = self.query.optima[index], optimum.product
        sign = fmpq(1) if wanted.kind == "max" else fmpq(-1)
        chain = self.context.product(self.query, product.mdp.world, product.streams, product.depth, optimum.attained)
        weights = {chain.stream_index(self.query.streams[s]): -sign * rational(c) for c, s in wanted.body}
        reached = supremum(chain, weights, frozenset(i for i in weights if chain.streams[i].sums_for_ever))
        if not isinstance(reached, Supremum):
            raise RuntimeError("a fixed policy has no unbounded direction")
        self.evidence_policy(optimum.attained)
        achieved = {"lemma": self.bound(reached, chain)}
        limited = self.cases(optimum.cases, product)
        return [achieved, limited] if wanted.kind == "max" else [limited, achieved]

    def cases(self, cases: Cases, product: Product) -> dict[str, Any]:
        if cases[0] == "lemma":
            return {"lemma": self.bound(cases[1], product)}
        return {"choose": cases[1], "options": [[list(actions), self.cases(part, product)] for actions, part in cases[2]]}

    # ------------------------------------------------------------ trees

    def tree(self, tree: Tree, theory: Theory) -> list[Any]:
        """The tree with lemmas and atoms by index; nested to the depth of the case distinctions."""
        match tree[0]:
            case "closed":
                return ["closed"]
            case "farkas":
                return ["farkas", [[self.row(name, theory), str(u)] for name, u in tree[1]]]
            case "split":
                return ["split", self.atom(tree[1]), self.tree(tree[2], theory), self.tree(tree[3], theory)]
            case "flag":
                return ["flag", tree[1], tree[2], self.tree(tree[3], theory), self.tree(tree[4], theory)]
            case _:
                return ["choose", tree[1], tree[2], [[list(actions), self.tree(part, theory)] for actions, part in tree[3]]]

    def row(self, name: tuple[Any, ...], theory: Theory) -> list[Any]:
        if name[0] == "lemma":
            _, lemma, player = name
            return ["lemma", self.bound(lemma, theory.arenas[player].product), player]
        return ["atom", self.atom(name[1])] if name[0] == "atom" else list(name)

    # ------------------------------------------------------------ thresholds

    def breaks(self, found: Found, theory: Theory) -> dict[str, Any] | None:
        """How the claim fails right behind its threshold; None where a policy type admits no mixtures to show it with."""
        counterexample = found.breaks
        if counterexample is None or any(parts is None for parts in counterexample.parts.values()):
            return None
        policies, values = [], []
        inside: list[list[Any]] = []
        edge: list[list[Any]] = []
        for player, _ in self.query.variables:
            numbers = []
            known = theory.arenas[player].points
            parts = counterexample.parts.get(player) or [
                (fmpq(1), fmpq(1), point) for point in known[:1]
            ]  # any policy, if it does not matter
            if not parts or any(value is None for _, _, point in parts for value in point.vector):
                return None  # an infinite value has no lemma that a break could cite
            for _, _, point in parts:
                controller = controller_of(point)
                number = self.evidence_policy(controller)
                numbers.append(number)
                base = theory.arenas[player].product
                values += self.values(number, controller, base)
            policies.append([player, numbers])
            inside.append([player, [str(here) for here, _, _ in parts]])
            edge.append([player, [str(there) for _, there, _ in parts]])
        for name, _, controller in self.named:
            base = theory.arenas[name].product
            values += self.values(None, controller, base)
        at = not found.attained and self.contains(found.value)
        return {
            "policies": policies,
            "values": values,
            "inside": {"unknown": str(counterexample.unknown), "weights": inside},
            "edge": {"unknown": str(found.value), "weights": inside if at else edge},
            "literals": [[self.atom(i), held] for i, held in counterexample.literals],
        }

    def contains(self, value: fmpq | None) -> bool:
        u = self.query.unknown
        if u is None or value is None:
            return False
        x = fraction(value)
        above = u.low is None or x > u.low or (x == u.low and u.low_closed)
        return above and (u.high is None or x < u.high or (x == u.high and u.high_closed))

    def values(self, number: int | None, controller: Controller, base: Product) -> list[list[Any]]:
        """[policy, objective, upper lemma, lower lemma] for every stream that is finite under the controller."""
        chain = (
            base
            if base.controller is controller
            else self.context.product(self.query, base.mdp.world, base.streams, base.depth, controller)
        )
        rows = []
        for i, stream in enumerate(chain.streams):
            finite = frozenset([i]) if stream.sums_for_ever else frozenset()
            upper, lower = (supremum(chain, {i: fmpq(sign)}, finite) for sign in (1, -1))
            if not isinstance(upper, Supremum) or not isinstance(lower, Supremum) or upper.bound is None:
                continue
            policy: Any = number if number is not None else ("named", next(k for k, (_, _, c) in enumerate(self.named) if c is controller))
            rows.append([policy, self.objective(chain, i), self.bound(upper, chain), self.bound(lower, chain)])
        return rows

    # ------------------------------------------------------------ the whole

    def finish(self, claim: dict[str, Any], optima: list[Any], argument: dict[str, Any]) -> dict[str, Any]:
        self.complete(claim)
        count = len(self.policies)
        products = []
        for product, policy in self.products:
            index = None if policy is None else (policy[1] if policy[0] == "evidence" else count + policy[1])
            products.append(self.product_json(product, index))
        for row in (argument.get("breaks") or {}).get("values", ()):
            if isinstance(row[0], tuple):
                row[0] = count + row[0][1]
        return {
            "format": FORMAT,
            "claim": claim,
            "worlds": [world_json(self.context, self.query, world) for world in self.worlds],
            "evidence": {
                "policies": [c.to_json() for c in self.policies],
                "products": products,
                "lemmas": self.lemmas,
                "optima": optima,
                "argument": argument,
            },
        }

    def product_json(self, product: Product, policy: int | None) -> dict[str, Any]:
        used: dict[int, int] = {}
        nodes = [[node[0], used.setdefault(node[1], len(used)), *node[2:]] for node in product.nodes]
        starts = product.layer_start
        return {
            "world": self.worlds.index(product.mdp.world),
            "objectives": [self.query.streams.index(s) for s in product.streams],
            "policy": policy,
            "depth": product.depth,
            "layers": [nodes[starts[t] : starts[t + 1]] for t in range(product.depth)],
            "nodes": nodes[product.tail :],
            "memories": [product.memory_keys(m) for m in used],
        }


def _value(value: fmpq | None) -> str | None:
    return None if value is None else str(value)


def world_json(context: Context, query: Query, world: str) -> dict[str, Any]:
    """The explicit world as the proof file carries it."""
    mdp: Mdp = context.mdp(world)
    atoms = query.atoms.of_world.get(world, [])
    columns = context.conditions(world, atoms)
    choices = []
    for s in range(mdp.states):
        for c in range(mdp.choice_start[s], mdp.choice_start[s + 1]):
            row = [[int(mdp.successor[t]), int(mdp.probability[t])] for t in range(mdp.transition_start[c], mdp.transition_start[c + 1])]
            choices.append([s, int(mdp.action[c]), row])
    rewards: dict[str, Any] = {}
    for name in dict.fromkeys(s.reward for s in query.streams if s.world == world and s.reward is not None):
        column = mdp.rewards[name]
        at: list[list[int]] = []
        for c in range(mdp.choices):
            first = int(mdp.transition_start[c])
            end = int(mdp.transition_start[c + 1])
            at.extend([c, t - first, int(column.index[t])] for t in range(first, end) if column.index[t])
        rewards[name] = {"values": [str(x) for x in column.table], "at": at}
    return {
        "name": world,
        "variables": [[v.name, type_text(v)] for v in mdp.variables],
        "states": [list(mdp.named(s).values()) for s in range(mdp.states)],
        "initial": [[int(s), str(p)] for s, p in mdp.initial],
        "actions": list(mdp.actions),
        "probabilities": [str(p) for p in mdp.probabilities],
        "choices": choices,
        "rewards": rewards,
        "atoms": [
            {"text": atom.text, "states": [s for s in range(mdp.states) if column[s]]} for atom, column in zip(atoms, columns, strict=True)
        ],
    }


def refutation(
    context: Context,
    query: Query,
    theory: Theory,
    optima: list[Optimum],
    tree: Tree,
    name: str,
    text: str,
    *,
    threshold: Found | None = None,
    witnesses: Mapping[str, Controller] | None = None,
) -> dict[str, Any]:
    """The proof of a ``forall`` query, of a find up to its threshold, or of an ``exists`` by witnesses."""
    document = Document(context, query)
    fixed = witnesses or {}
    for policy, type in query.named:
        controller = theory.arenas[policy].product.controller
        if controller is None:
            raise RuntimeError(f"{policy} is not a fixed policy")
        if policy not in fixed:
            document.named.append((policy, type, controller))
    for arena in theory.arenas.values():
        if arena.product.controller is not None:
            document.finite_under(arena)
    optima_json = []
    for k, optimum in enumerate(optima):
        optima_json.append(document.optimum(optimum, k))
    body = document.tree(tree, theory)
    if threshold is not None:
        argument: dict[str, Any] = {
            "kind": "threshold",
            "value": "infinity" if threshold.value is None else str(threshold.value),
            "attained": threshold.attained,
            "tree": body,
            "breaks": document.breaks(threshold, theory) if threshold.exact else None,
        }
        kind = "find"
    elif fixed:
        argument = {"kind": "witness", "policies": [[p, document.evidence_policy(c)] for p, c in fixed.items()], "tree": body}
        kind = "exists"
    else:
        argument, kind = {"kind": "refutation", "tree": body}, "forall"
    claim = document.claim(name, kind, text)
    return document.finish(claim, optima_json, argument)
