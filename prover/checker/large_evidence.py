"""The evidence of a document of format 2 -> what its lemmas prove, in the terms of ``evidence``."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from prover.checker import large_rules as rules
from prover.checker.arrays import Arrays, Numbers
from prover.checker.document import Rejected, array, distinct, fields, integer, name, number, one_of, require, shares, whole
from prover.checker.evidence import Proven, optimum
from prover.checker.large_graph import Scaled
from prover.checker.large_product import Product, read_product
from prover.checker.large_rules import Policy
from prover.checker.large_world import LargeWorld
from prover.checker.problem import Claim
from prover.checker.rules import Bound

RULES = ("well-defined", "bound", "mixture")


class Mixture(NamedTuple):
    """Draws one of the parts at the start, and plays it."""

    world: int
    weights: list[Fraction]
    stationary: bool  # what is played is a function of the world's state, and there is one part


class Draft(NamedTuple):
    """A policy as it stands in the file: weights, products and plans of its parts."""

    weights: list[Fraction]
    products: list[int]
    plans: list[list[Any]]


class LargeProven(Proven):
    """``controllers`` are mixtures."""

    def fits_type(self, policy: int, kind: int) -> bool:
        """Whether the policy belongs to the type.  Where all is settled it may play anything, so also what the type asks for."""
        of, mixture = self.claim.types[kind], self.controllers[policy]
        require(mixture.world == of.world, "a policy of another world")
        alone = len(mixture.weights) == 1
        return of.memory is None and of.observes is None and (alone or not of.deterministic) and (mixture.stationary or not of.memoryless)


def derive(claim: Claim, worlds: list[LargeWorld], value: dict[str, Any], arrays: Arrays) -> Proven:
    """Checks every product, lemma and optimum of the evidence; one product after the other, with all that speaks of it.

    A bound may be checked before the lemma that makes its objectives well-defined: in the end every objective must be so.
    """
    products, policies, lemmas, optima = (array(value[key]) for key in ("products", "policies", "lemmas", "optima"))
    require(claim.kind != "measure" and not claim.named, "measures and named policies are for format 1")
    require(all(type(lemma) is dict and name(lemma.get("rule")) in RULES for lemma in lemmas), "not a lemma")
    proven = LargeProven(claim, worlds, [], {}, {}, set(), {}, [])
    drafts = [_draft(policy, len(products)) for policy in policies]
    about = [_product_of(lemma, len(products)) for lemma in lemmas]
    parts: dict[int, tuple[int, Bound]] = {}  # by lemma: of one part among several
    found: list[dict[int, tuple[int, bool]]] = [{} for _ in drafts]  # of every part the world, and whether a state decides what is played
    for p, described in enumerate(products):
        product = read_product(described, worlds, claim.objectives, arrays)
        played: dict[tuple[int, int], Policy] = {}
        for q, draft in enumerate(drafts):
            for k in range(len(draft.products)):
                if draft.products[k] == p:
                    played[q, k], stationary = _part(product, draft.plans[k], arrays)
                    found[q][k] = product.world, stationary
        for i in range(len(lemmas)):
            if about[i] == p and lemmas[i]["rule"] == "well-defined":
                _well_defined(proven, product, lemmas[i], arrays)
            elif about[i] == p:
                part, result = _bound(proven, product, played, lemmas[i], arrays)
                if result.policy is None or len(drafts[result.policy].weights) == 1:
                    _know(proven, i, result)
                else:
                    parts[i] = part, result
    for draft, known in zip(drafts, found, strict=True):
        require(len({world for world, _ in known.values()}) == 1, "a policy in two worlds")
        proven.controllers.append(Mixture(known[0][0], draft.weights, len(known) == 1 and known[0][1]))
    for i, lemma in enumerate(lemmas):
        if lemma["rule"] == "mixture":
            _know(proven, i, _combined(drafts, parts, lemma))
        elif about[i] is None:
            _well_defined(proven, None, lemma, arrays)
    for j, goal in enumerate(claim.objectives):
        require(not goal.improper or j in proven.signs, "a total or until objective without a well-defined lemma")
    require(len(optima) == len(claim.optima), "a pair of lemmas for every optimum")
    proven.optima.extend(optimum(proven, best, pair) for best, pair in zip(claim.optima, optima, strict=True))
    return proven


def _know(proven: Proven, i: int, bound: Bound) -> None:
    proven.bounds[i] = bound
    if bound.policy is not None and bound.value is not None:
        # In a finite chain that almost surely settles or stays idle, the expected number of earning steps is finite.
        proven.finite.update((bound.policy, j) for j in bound.finite)


def _product_of(lemma: dict[str, Any], products: int) -> int | None:
    """The product that a lemma speaks of; None: none (a mixture, or a well-defined sum of rewards with one sign)."""
    if lemma["rule"] == "mixture" or (lemma["rule"] == "well-defined" and lemma.get("product") is None):
        return None
    return integer(lemma.get("product"), 0, products)


def _draft(value: Any, products: int) -> Draft:
    rows = [array(part, 3) for part in array(fields(value, "parts")[0])]
    weights = [number(share) for share, _, _ in rows]
    shares(weights, "a policy")
    return Draft(weights, [integer(p, 0, products) for _, p, _ in rows], [array(plans) for _, _, plans in rows])


def _part(product: Product, plans: list[Any], arrays: Arrays) -> tuple[Policy, bool]:
    """The rows that are played, and whether the world's state alone decides what is played."""
    choices = [arrays.read(plan, product.size) for plan in plans]
    require(bool(choices), "a policy without a plan")
    first = _first_rows(product)
    part = Policy([_rows(product, first, plan) for plan in choices])
    rules.closed(product, part)
    return part, _of_state(product, choices)


def _first_rows(product: Product) -> dict[int, int]:
    """The row of each node's first choice."""
    rows = len(product.graph.owner)
    return dict(zip(reversed(product.graph.owner), range(rows - 1, -1, -1), strict=True))


def _rows(product: Product, first: dict[int, int], plan: Sequence[int]) -> list[int]:
    """The row that is played in each node, -1 where there is no plan."""
    start, state = product.place.choice_start, product.state
    require(all(c == -1 or start[s] <= c < start[s + 1] for c, s in zip(plan, state, strict=True)), "a policy plays what is not enabled")
    return [-1 if c == -1 else first[n] + c - start[s] for n, (c, s) in enumerate(zip(plan, state, strict=True))]


def _of_state(product: Product, plans: list[Any]) -> bool:
    """Whether the choice is a function of the world's state, over all nodes and plans."""
    played: dict[int, int] = {}
    return all(c == -1 or played.setdefault(s, c) == c for plan in plans for s, c in zip(product.state, plan, strict=True))


def _below(value: Any) -> int:
    below = whole(value)
    require(below > 0, "a denominator must be greater than 0")
    return below


def _scaled(value: Any, below: int, size: int, arrays: Arrays) -> Scaled:
    numbers = arrays.numbers(value, size)
    if None in numbers:
        raise Rejected("null where only a number can stand")
    return numbers, below  # type: ignore[return-value]


def _well_defined(proven: Proven, product: Product | None, lemma: Any, arrays: Arrays) -> None:
    _, _, j, sign, slack, denominator, table, limits = fields(lemma, "rule product objective sign slack denominator table finite")
    direction = 1 if one_of(sign, "score cost") == "score" else -1
    goal = proven.claim.objectives[integer(j, 0, len(proven.claim.objectives))]
    below = _below(denominator)
    if product is None:
        require(table is None and limits is None, "a table without a product")
        rules.losing(proven.worlds[goal.world], goal, direction, number(slack))
    else:
        potential = None if table is None else _scaled(table, below, product.size, arrays)
        rules.well_defined(product, j, direction, number(slack), potential)
        if limits is not None:
            rules.finite(product, j, direction, _scaled(limits, below, product.size, arrays))
            proven.finite.add((None, j))
    proven.signs[j] = direction


class Layers(Sequence[Numbers]):
    """The tables of the layers, each read when it is its turn."""

    def __init__(self, values: list[Any], size: int, arrays: Arrays) -> None:
        self.values, self.size, self.arrays = values, size, arrays

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, time: Any) -> Any:
        return self.arrays.numbers(self.values[time], self.size)


def _bound(proven: Proven, product: Product, plays: dict[tuple[int, int], Policy], lemma: Any, arrays: Arrays) -> tuple[int, Bound]:
    """The part of the policy (0 without one), and what holds for it."""
    _, _, played, weights, finite, denominator, layers, tails = fields(lemma, "rule product policy weights finite denominator layers tails")
    pairs = [(integer(array(pair, 2)[0], 0), number(pair[1])) for pair in array(weights)]
    distinct([j for j, _ in pairs], "a weighted objective")
    objectives = [integer(j, 0, len(proven.claim.objectives)) for j in array(finite)]
    distinct(objectives, "an objective of finite")
    policy, part = None, 0
    if played is not None:
        q, part = integer(array(played, 2)[0], 0), integer(played[1], 0)
        require((q, part) in plays, "a bound on a policy that has no such part in this product")
        policy = q, plays[q, part]
    rows = [array(tail, 2) for tail in array(tails)]
    ends = [(None if factor is None else number(factor), arrays.numbers(table, product.size)) for factor, table in rows]
    tables = Layers(array(layers), product.size, arrays)
    return part, rules.bound(product, dict(pairs), frozenset(objectives), _below(denominator), tables, ends, policy)


def _combined(drafts: list[Draft], known: dict[int, tuple[int, Bound]], lemma: Any) -> Bound:
    _, policy, numbers = fields(lemma, "rule policy parts")
    weights = drafts[integer(policy, 0, len(drafts))].weights
    bounds = []
    for k, (i, share) in enumerate(zip(array(numbers, len(weights)), weights, strict=True)):
        part, bound = known.get(integer(i, 0), (None, None))
        if bound is None or bound.policy != policy or part != k:
            raise Rejected("a mixture of lemmas about other policies")
        bounds.append((share, bound))
    return rules.mixture(bounds, policy)
