"""The evidence of a document -> what its lemmas prove: signs, finite objectives, bounds, and the optima's bounds."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations
from math import prod
from typing import Any, NamedTuple

from prover.checker import rules
from prover.checker.controller import belongs, fits, read_controller
from prover.checker.document import Rejected, array, distinct, fields, integer, name, number, one_of, require
from prover.checker.problem import Claim, Optimum, PolicyType, World
from prover.checker.product import Product, read_product
from prover.checker.rules import Bound


class Proven(NamedTuple):
    """What was derived about the claim's worlds; policies are numbered as in the file: evidence first, then the claim's named ones."""

    claim: Claim
    worlds: list[Any]  # World, or in format 2 LargeWorld
    controllers: list[Any]  # Controller, or in format 2 Policy
    policy_of: dict[str, int]  # named policy -> number
    signs: dict[int, int]  # well-defined objective -> 1 (finite or -infinity) or -1 (finite or +infinity)
    finite: set[tuple[int | None, int]]  # (policy or None for all, objective)
    bounds: dict[int, Bound]  # by lemma
    optima: list[tuple[Fraction | None, Fraction | None]]

    def known_finite(self, policy: int | None, objective: int) -> bool:
        return not self.claim.objectives[objective].improper or (None, objective) in self.finite or (policy, objective) in self.finite

    def fits_type(self, policy: int, kind: int) -> bool:
        """Whether the controller is a policy of the type's world and belongs to the type."""
        of = self.claim.types[kind]
        fits(self.controllers[policy], self.worlds[of.world])
        return belongs(self.controllers[policy], of, self.worlds[of.world])

    def value_bound(self, policy: int, objective: int, lemma: Any, sign: int) -> Fraction:
        """sign * (the objective's value under this policy) is at most this."""
        bound = self.bounds.get(integer(lemma, 0))
        if bound is None or bound.value is None or bound.policy != policy or bound.weights != {objective: sign}:
            raise Rejected("a value's lemma does not bound it")
        return bound.value


def derive(claim: Claim, worlds: list[World], value: dict[str, Any]) -> Proven:
    """Checks every product, lemma and optimum of the evidence."""
    policies, products, lemmas, optima = (array(value[key]) for key in ("policies", "products", "lemmas", "optima"))
    controllers = [read_controller(c) for c in policies] + [read_controller(c) for _, _, c in claim.named]
    proven = Proven(claim, worlds, controllers, {n: len(policies) + i for i, (n, _, _) in enumerate(claim.named)}, {}, set(), {}, [])
    for label, kind, _ in claim.named:
        require(proven.fits_type(proven.policy_of[label], kind), "a named policy that does not belong to its type")
    for label in {label for fact in claim.facts for _, label in fact.parts}:
        require(proven.fits_type(proven.policy_of[label], claim.names[claim.variables[0]]), "a part that does not belong to T's type")
    built = [read_product(product, worlds, claim.objectives, controllers) for product in products]
    steps = {"well-defined": _well_defined, "finite": _finite, "bound": _bound, "cases": _cases}  # later rules rest on earlier ones
    require(all(type(lemma) is dict and name(lemma.get("rule")) in steps for lemma in lemmas), "not a lemma")
    for rule, step in steps.items():
        for i, lemma in enumerate(lemmas):
            if lemma["rule"] == rule:
                step(proven, built, i, lemma)
    for j, goal in enumerate(claim.objectives):
        require(not goal.improper or j in proven.signs, "a total or until objective without a well-defined lemma")
    require(len(optima) == len(claim.optima), "a pair of lemmas for every optimum")
    proven.optima.extend(optimum(proven, best, pair) for best, pair in zip(claim.optima, optima, strict=True))
    return proven


def _numbers(values: Any, length: int) -> list[Fraction]:
    return [number(x) for x in array(values, length)]


def _well_defined(proven: Proven, products: list[Product], _: int, lemma: Any) -> None:
    _, p, j, sign, slack, potential = fields(lemma, "rule product objective sign slack potential")
    product = products[integer(p, 0, len(products))]
    direction = 1 if one_of(sign, "score cost") == "score" else -1
    rules.well_defined(product, integer(j, 0), direction, number(slack), _numbers(potential, len(product.nodes)))
    proven.signs[j] = direction


def _finite(proven: Proven, products: list[Product], _: int, lemma: Any) -> None:
    _, p, j, potential = fields(lemma, "rule product objective potential")
    product = products[integer(p, 0, len(products))]
    if integer(j, 0) not in proven.signs:
        raise Rejected("a finite lemma for an objective without a well-defined lemma")
    rules.finite(product, j, proven.signs[j], _numbers(potential, len(product.nodes)))
    proven.finite.add((product.policy, j))


def _bound(proven: Proven, products: list[Product], i: int, lemma: Any) -> None:
    _, p, weights, finite, allowed, layers, tails = fields(lemma, "rule product weights finite allowed layers tails")
    product = products[integer(p, 0, len(products))]
    pairs = [(integer(array(pair, 2)[0], 0), number(pair[1])) for pair in array(weights)]
    distinct([j for j, _ in pairs], "a weighted objective")
    objectives = [integer(j, 0, len(proven.claim.objectives)) for j in array(finite)]
    distinct(objectives, "an objective of finite")
    unsure = [j for j in objectives if j not in proven.signs and proven.claim.objectives[j].improper]
    require(not unsure, "a bound that rests on an objective without a well-defined lemma")
    tables = [[_entry(v) for v in array(layer)] for layer in array(layers)]
    ends = [(_entry(tail[0]), [_entry(v) for v in array(tail[1])]) for tail in (fields(t, "discount potential") for t in array(tails))]
    restriction = None if allowed is None else _allowed(allowed, proven.worlds[product.world])
    result = rules.bound(product, dict(pairs), frozenset(objectives), restriction, tables, ends)
    proven.bounds[i] = result
    if result.policy is not None and result.value is not None:
        # In a finite chain that almost surely settles or stays idle, the expected number of earning steps is finite.
        proven.finite.update((result.policy, j) for j in objectives)


def _cases(proven: Proven, _: list[Product], i: int, lemma: Any) -> None:
    _, states, parts = fields(lemma, "rule states parts")
    bounds = [proven.bounds.get(integer(part, 0)) for part in array(parts)]
    known = [part for part in bounds if part is not None]
    require(len(known) == len(bounds) > 0, "cases of something that is not a bound")
    world = proven.worlds[known[0].world]
    numbers = [integer(state, 0, len(world.states)) for state in array(states)]
    distinct(numbers, "a state of cases")
    enabled = [[choice.action for choice in world.choices[state]] for state in numbers]
    require(prod(map(len, enabled)) <= len(known), "cases: one is missing")
    proven.bounds[i] = rules.cases(known, numbers, enabled, world.following())


def _entry(value: Any) -> Fraction | None:
    return None if value is None else number(value)


def _allowed(value: Any, world: World) -> dict[int, frozenset[int]]:
    result = {}
    for row in array(value):
        state, actions = integer(array(row, 2)[0], 0, len(world.states)), array(row[1])
        enabled = [choice.action for choice in world.choices[state]]
        require(bool(actions) and all(type(a) is int and a in enabled for a in actions), "allowed: one or more enabled actions")
        require(state not in result, "allowed: a state occurs twice")
        result[state] = frozenset(actions)
    return result


Choices = dict[int, frozenset[int]]  # state -> actions; a memoryless policy plays exactly these there


def choose(kind: PolicyType, world: Any, chosen: Choices, state: Any, options: Any) -> list[tuple[Choices, Any]]:
    """The cases of what a memoryless policy plays in a state.  Theorem: one of them applies.

    A deterministic policy plays one of the enabled actions, a randomised one any non-empty set of them.
    """
    require(kind.memoryless, "choose is for memoryless policies")
    enabled = set(world.enabled(integer(state, 0, world.size)))
    require(state not in chosen, "a state is chosen for twice")
    cases = [(frozenset(integer(a, 0) for a in array(array(row, 2)[0])), row[1]) for row in array(options)]
    most = 1 if kind.deterministic else len(enabled)
    require(2 ** len(enabled) <= 2 * len(cases) + 2 or most == 1, "choose: the options do not cover the state")
    expected = (frozenset(actions) for size in range(1, most + 1) for actions in combinations(enabled, size))
    require(all(any(actions == case for case, _ in cases) for actions in expected), "choose: the options do not cover the state")
    return [({**chosen, state: actions}, child) for actions, child in cases]


def implied(lemma: Bound, chosen: Choices) -> bool:
    """Whether a policy that plays as chosen plays what the lemma speaks of."""
    return all(state in chosen and chosen[state] == actions for state, actions in (lemma.allowed or {}).items())


def optimum(proven: Proven, best: Optimum, pair: Any) -> tuple[Fraction | None, Fraction | None]:
    """Theorem: lower <= optimum <= upper, for the supremum (max) or infimum (min) of body + constant over the type.

    ``for_all`` (the upper side of a max, the lower of a min) bounds every policy of the type with finite improper objectives; where one is
    infinite, its sign makes the body -infinity (max) or +infinity (min), which no bound needs to mention.  The other side is
    what one policy of the type achieves.  The optimum is a real number: the first side holds it from one direction (well-definedness),
    a policy of the type with a finite value from the other, unless every objective is finite anyway.
    """
    sign = 1 if best.kind == "max" else -1
    kind = proven.claim.types[best.type]
    infinite = [j for j in best.body if not proven.known_finite(None, j)]
    require(all(best.body[j] * proven.signs[j] * sign > 0 for j in infinite), "an optimum that may be infinite on the wrong side")

    def bound(value: Any, direction: int) -> Bound:
        lemma = proven.bounds.get(integer(fields(value, "lemma")[0], 0))
        if lemma is None or lemma.world != kind.world or lemma.weights != {j: direction * w for j, w in best.body.items()}:
            raise Rejected("an optimum's lemma does not speak of it")
        return lemma

    def for_all(value: Any, direction: int) -> Fraction:
        """The largest bound over all cases of what a memoryless policy may play; a case without a policy of finite I has none."""
        result = []
        todo: list[tuple[Any, Choices]] = [(value, {})]
        while todo:
            case, chosen = todo.pop()
            if type(case) is dict and "choose" in case:
                state, options = fields(case, "choose options")
                todo += [(child, extended) for extended, child in choose(kind, proven.worlds[kind.world], chosen, state, options)]
                continue
            lemma = bound(case, direction)
            speaks = lemma.policy is None and implied(lemma, chosen) and (kind.memoryless or not lemma.memoryless)
            require(speaks, "an optimum's lemma speaks of fewer policies")
            require(
                all(j in infinite or proven.known_finite(None, j) for j in lemma.finite), "an optimum's lemma rests on other objectives"
            )
            result += [] if lemma.value is None else [lemma.value]
        require(bool(result), "an optimum that no policy reaches")
        return max(result)

    def by_one(value: Any, direction: int) -> Fraction:
        lemma = bound(value, direction)
        if lemma.policy is None or lemma.value is None or not proven.fits_type(lemma.policy, best.type):
            raise Rejected("an optimum's lemma is not about a policy of its type")
        return lemma.value

    lower, upper = array(pair, 2)
    low, high = (by_one, for_all) if sign > 0 else (for_all, by_one)
    result = (
        None if lower is None else best.constant - low(lower, -1),
        None if upper is None else best.constant + high(upper, 1),
    )
    exhibited = result[0] if sign > 0 else result[1]
    require((not infinite and kind.observes is None) or exhibited is not None, "an optimum that may be infinite or empty needs a policy")
    return result
