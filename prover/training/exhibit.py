"""A law of the cells -> a training distribution over actual policies, replayed: every fact holds of it and the statement does not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from prover.counterexample import WitnessPolicy, rules_in_words, short, show_value
from prover.flint import fraction
from prover.policies.policy_file import write
from prover.policies.query import Skeleton, evaluate, references
from prover.training.bench import Bench
from prover.training.cells import Inhabitant
from prover.training.evidence import Fact
from prover.training.plan import Plan
from prover.training.vocabulary import Comparison, Term

AGREES = "it agrees with:"


@dataclass(frozen=True)
class TrainingCounterexample:
    """T as a mixture: the policies with their probabilities, and what comes of it."""

    training: str
    weights: Mapping[str, Fraction]
    policies: Mapping[str, WitnessPolicy]
    explanation: tuple[str, ...]
    trace: None = None
    unknown: None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "policies": {name: policy.to_json() | {"weight": str(self.weights[name])} for name, policy in self.policies.items()},
            "trace": [],
            "trace_probability": None,
            "explanation": list(self.explanation),
        }

    def lines(self) -> list[str]:
        agrees = any(line.startswith(AGREES) for line in self.explanation)
        result = [
            f"the evidence does not imply it: training {self.training} may be this mixture"
            if agrees
            else f"training {self.training} is this mixture:"
        ]
        for name, policy in self.policies.items():
            result.append(f"with probability {short(self.weights[name])}, policy {name}:")
            for weight, rules in policy.mixture:
                if len(policy.mixture) > 1:
                    result.append(f"  in {short(weight)} of its runs:")
                result.extend(f"    {rule}" if len(policy.mixture) > 1 else f"  {rule}" for rule in rules)
            result.extend(f"  {text} = {value}" for text, value in policy.objectives.items())
        return [*result, *self.explanation]


@dataclass(frozen=True)
class Member:
    name: str
    weight: Fraction
    policy: Inhabitant


class Distribution:
    """A mixture of actual policies: probabilities of events and expectations, exactly; None where they are not certain."""

    def __init__(self, plan: Plan, bench: Bench, members: Sequence[Member]) -> None:
        self.plan, self.bench, self.members = plan, bench, members

    def probability(self, events: Sequence[int]) -> Fraction | None:
        total = Fraction(0)
        for member in self.members:
            truths = [member.policy.truth.get(event) for event in events]
            if False in truths:
                continue
            if None in truths:
                return None
            total += member.weight
        return total

    def term(self, term: Term) -> tuple[Fraction, Fraction] | None:
        """Between which numbers the term lies."""
        if term[0] == "optimum":
            optimum = self.bench.first().optima[term[1]]
            return fraction(optimum.lower), fraction(optimum.upper)
        if term[0] == "expectation":
            total = Fraction(0)
            for member in self.members:
                value = member.policy.values.get(term[1])
                if value is None:
                    return None
                total += member.weight * value
            return total, total
        value = self.probability(term[1:])
        return None if value is None else (value, value)

    def holds(self, comparison: Comparison) -> bool | None:
        low = high = comparison.constant
        for c, term in comparison.terms:
            between = self.term(term)
            if between is None:
                return None
            ends = sorted((c * between[0], c * between[1]))
            low, high = low + ends[0], high + ends[1]
        strict = comparison.op == "<"
        if high < 0 or (high == 0 and not strict):
            return True
        return False if low > 0 or (low == 0 and strict) else None

    def truth(self, skeleton: Skeleton) -> bool | None:
        known = {i: self.holds(self.plan.vocabulary.comparisons[i]) for i in references(skeleton)}
        return evaluate(skeleton, {i: held for i, held in known.items() if held is not None})

    def satisfies(self, fact: Fact, bound: Fraction | None) -> bool:
        if fact.kind == "assumed":
            return fact.formula is not None and self.truth(fact.formula) is True
        if bound is None:
            return True  # a mixture: it is this one
        likely = self.probability([fact.event])
        return likely is not None and likely >= bound

    # ------------------------------------------------------------ for readers

    def exhibit(self, given: Sequence[str]) -> TrainingCounterexample:
        """``given``: the facts that it agrees with, in words."""
        plan, query = self.plan, self.plan.query
        mdp = plan.context.mdp(plan.type.world)
        signs = self.bench.signs()
        policies = {}
        for member in self.members:
            worth = {query.origins[query.streams[i]].text: show_value(query, i, v, signs) for i, v in member.policy.values.items()}
            words = tuple((weight, rules_in_words(plan.context, plan.type.name, part)) for weight, part in member.policy.parts)
            policies[member.name] = WitnessPolicy(member.name, write(member.policy.controller, mdp), worth, words)
        weights = {member.name: member.weight for member in self.members}
        lines = (*self.explanation(), *(f"{AGREES} {line}" for line in given))
        return TrainingCounterexample(plan.training.name, weights, policies, lines)

    def explanation(self) -> list[str]:
        lines = []
        for i in references(self.plan.body):
            for _, term in self.plan.vocabulary.comparisons[i].terms:
                between = self.term(term)
                if between is not None and term[0] != "optimum" and between[0] == between[1]:
                    lines.append(f"{self.words(term)} = {short(between[0])}")
        return list(dict.fromkeys(lines))

    def words(self, term: Term) -> str:
        name = self.plan.training.name
        if term[0] == "expectation":
            return f"E[pi ~ {name}]({self.plan.query.origins[self.plan.query.streams[term[1]]].text})"
        return f"P[pi ~ {name}]({' and '.join(self.plan.vocabulary.text(self.plan.vocabulary.events[e]) for e in term[1:])})"
