"""A statement about training -> what is to be shown and what is given: events, comparisons, levels of facts, assumptions.

Nothing is proved here, so the plan is also what a proof of the statement is compared with.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from dsl.spec import Assume, Claim, Mixture, PolicyType, Quantified, Runs, Samples
from prover.certificate import Document
from prover.policies.context import Context
from prover.policies.query import Query, Skeleton, references
from prover.training import evidence
from prover.training.evidence import Fact, Part
from prover.training.permission import covers, permission
from prover.training.vocabulary import SELF, Inexpressible, Vocabulary, renamed, trainings
from prover.verdict import Verdict

MAX_EVENTS = 12  # of one proof


@dataclass(frozen=True)
class Selection:
    """What one proof takes as given, and the events that it speaks of."""

    facts: tuple[Fact, ...]
    events: tuple[int, ...]

    @property
    def number(self) -> dict[int, int]:
        return {event: k for k, event in enumerate(self.events)}

    @property
    def lost(self) -> Fraction:
        return sum((fact.delta for fact in self.facts), Fraction(0))


class Plan:
    """``levels`` of evidence, each asking more than the one before; ``assumptions`` that may be used, as facts."""

    def __init__(
        self,
        context: Context,
        statement: Claim,
        established: Mapping[str, Verdict] | None,
        clock: Callable[[], None],
        *,
        assume_all: bool = False,
    ) -> None:
        spec, body = context.spec, statement.body
        if isinstance(body, Quantified):
            raise TypeError("a statement about training")
        named = trainings(body)
        if len(named) != 1:
            raise Inexpressible("a statement about training has to speak of exactly one training process")
        self.context, self.statement, self.clock = context, statement, clock
        self.training = spec.training(named.pop())
        self.type: PolicyType = spec.policy_type(self.training.type)
        self.vocabulary = Vocabulary(spec, self.type.name)
        self.permission = permission(spec, statement, established)
        if assume_all:
            self.permission.assumptions = [s for s in spec.statements if isinstance(s, Assume)]
        mixture = next((e for e in self.training.evidence if isinstance(e, Mixture)), None)
        self.is_mixture = mixture is not None
        self.levels = [(self._mixture(mixture),)] if mixture is not None else self._levels()
        # A mixture is T itself: nothing has to be assumed of it.
        self.assumptions = [] if mixture is not None else [f for a in self.permission.assumptions if (f := self._assumed(a)) is not None]
        self.body = self.vocabulary.formula(body)
        self.query: Query = self.vocabulary.builder.query("forall", ("and", *self.vocabulary.events))

    @property
    def mentions_expectation(self) -> bool:
        return any(t[0] == "expectation" for i in references(self.body) for _, t in self.vocabulary.comparisons[i].terms)

    # ------------------------------------------------------------ evidence

    def _mixture(self, mixture: Mixture) -> Fact:
        names = [name for _, name in mixture.parts]
        controllers = {name: self.context.controller(name, self.clock) for name in names}
        return evidence.mixture(mixture, controllers, {name: self.context.spec.policy(name).type for name in names})

    def _levels(self) -> list[tuple[Fact, ...]]:
        vocabulary, items = self.vocabulary, self.training.evidence
        runs = [(e, evidence.read_runs(self.context, e, self.type)) for e in items if isinstance(e, Runs)]
        if any(isinstance(e, Samples) and e.size > evidence.MAX_RUNS for e in items):
            raise Inexpressible(f"a sample of more than {evidence.MAX_RUNS} policies is more than a proof file carries")
        samples = [(e, vocabulary.event(vocabulary.skeleton(e.event))) for e in items if isinstance(e, Samples)]
        about = [m for m in self.permission.measures if trainings(m) == {self.training.name}]
        groups = [[event for m in about for event in vocabulary.wanted(m)]] if about else []
        assert not isinstance(self.statement.body, Quantified)
        groups.append(vocabulary.wanted(self.statement.body))
        asked = [[vocabulary.event(e) for e in group if runs or e in vocabulary.events] for group in groups]
        return evidence.levels(samples, runs, asked)

    def _assumed(self, assumption: Assume) -> Fact | None:
        """As a fact about T; None if it says nothing that can be used here."""
        body, vocabulary = assumption.body, self.vocabulary
        if not isinstance(body, Quantified):
            usable = trainings(body) == {self.training.name}
            return Fact("assumed", assumption.name, formula=vocabulary.formula(body)) if usable else None
        if body.kind != "forall" or len(body.variables) != 1:
            return None
        variable, over = body.variables[0]
        if not covers(self.context.spec.policy_type(over), self.type):
            return None
        event = vocabulary.builder.skeleton(renamed(body.body, {variable: SELF}))
        return Fact("assumed", assumption.name, formula=vocabulary.surely(event))

    # ------------------------------------------------------------ the claim of a proof

    def select(self, level: tuple[Fact, ...], assumed: tuple[Fact, ...]) -> Selection:
        events = {fact.event for fact in level if fact.event >= 0}
        for skeleton in (self.body, *(fact.formula for fact in assumed)):
            if skeleton is not None:
                for i in references(skeleton):
                    events |= {e for _, t in self.vocabulary.comparisons[i].terms if t[0] in ("probability", "joint") for e in t[1:]}
        if len(events) > MAX_EVENTS:
            raise Inexpressible(f"the statement and its evidence speak of {len(events)} events; at most {MAX_EVENTS} are told apart")
        return Selection((*level, *assumed), tuple(sorted(events)))

    def document(self, selection: Selection) -> Document:
        """A document that knows the named policies and the parts of the evidence."""
        events = tuple(self.vocabulary.events[e] for e in selection.events)
        query = replace(self.query, skeleton=("and", *events))
        document = Document(self.context, query)
        for name, type in query.named:
            document.named.append((name, type, self.context.controller(name, self.clock)))
        for part in parts_of(selection.facts):
            if part.name not in {name for name, _, _ in document.named}:
                document.named.append((part.name, part.type, part.controller))
        return document

    def claim(self, document: Document, selection: Selection) -> dict[str, Any]:
        number = selection.number
        claim = document.claim(self.statement.name, "measure", self.statement.text)
        claim["body"] = self.formula(self.body, number)
        claim["events"] = [document.formula(self.vocabulary.events[e]) for e in selection.events]
        formulas = [None if fact.formula is None else self.formula(fact.formula, number) for fact in selection.facts]
        claim["facts"] = [fact.to_json(number, formula) for fact, formula in zip(selection.facts, formulas, strict=True)]
        return claim

    def formula(self, skeleton: Skeleton, number: dict[int, int]) -> list[Any]:
        if skeleton[0] == "ref":
            return self.vocabulary.comparisons[skeleton[1]].to_json(number)
        return [skeleton[0], *(self.formula(part, number) for part in skeleton[1:])]


def parts_of(facts: tuple[Fact, ...]) -> list[Part]:
    return list({part.name: part for fact in facts for _, part in fact.parts}.values())
