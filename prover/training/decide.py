"""A claim or theorem about training -> its verdict: proved, held with a confidence, refuted by an exhibited training, or unknown.

The levels of evidence are tried from the one that costs no confidence on, first without assumptions.  A proof leaves only after the checker
has accepted it; a refutation only after its policies were replayed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from typing import Any

from dsl.spec import Assume, Claim, Quantified
from prover import storey1
from prover.policies.context import LARGEST_EXACT, Context
from prover.training.attempt import Attempt, Failed
from prover.training.bench import Bench
from prover.training.cells import Cells
from prover.training.evidence import Fact
from prover.training.exhibit import Distribution, Member
from prover.training.measure import Literals, Tree
from prover.training.permission import follows, instances, proved_claims
from prover.training.plan import Plan, Selection
from prover.training.vocabulary import Inexpressible
from prover.verdict import Holds, Proved, Refuted, Unknown, Verdict

Clock = Callable[[], None]


def decide_measure(context: Context, statement: Claim, established: Mapping[str, Verdict], clock: Clock) -> Verdict:
    """``established``: the verdicts of the other statements, as far as they are known."""
    try:
        return _Decision(context, statement, established, clock).verdict()
    except Inexpressible as reason:
        return Unknown(str(reason))


def stated_measure(context: Context, statement: Claim, clock: Clock, proof: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What a proof of the statement must claim, and in which worlds.

    A statement can be proved from less or from more of its evidence.  Given the claim of a ``proof``, the result agrees with it if
    it is one of these, and nothing is proved; without, the prover says how much is needed.
    """
    if proof is None:
        decision = _Decision(context, statement, None, clock)
        found = decision.search()
        return _stated(decision.plan, found[0].selection)
    plan = Plan(context, statement, None, clock)
    wanted = {fact.get("name") for fact in proof.get("facts", [])}
    made: dict[str, Any] = {}
    for level in plan.levels:
        made = _stated(plan, plan.select(level, tuple(fact for fact in plan.assumptions if fact.name in wanted)))
        if made["claim"] == proof:
            break
    return made


def _stated(plan: Plan, selection: Selection) -> dict[str, Any]:
    document = plan.document(selection)
    return document.finish(plan.claim(document, selection), [], {})


class _Decision:
    def __init__(
        self, context: Context, statement: Claim, established: Mapping[str, Verdict] | None, clock: Clock, *, assume_all: bool = False
    ) -> None:
        self.context, self.statement, self.established, self.clock = context, statement, established, clock
        self.plan = Plan(context, statement, established, clock, assume_all=assume_all)
        if context.size(self.plan.query) > LARGEST_EXACT:
            raise Inexpressible(f"statements about training are decided exactly, in worlds of at most {LARGEST_EXACT:,} states times steps")
        self.bench = Bench(context, self.plan.query, clock)
        self.cells = Cells(self.plan, self.bench)
        self._permitted: dict[Literals, bool] = {}

    def verdict(self) -> Verdict:
        attempt, outcome = self.search()
        return self.refute(attempt, outcome) if isinstance(outcome, Failed) else self.accept(attempt, outcome)

    def search(self) -> tuple[Attempt, Tree | Failed]:
        """The first choice of facts that suffices, or the last, which takes everything as given."""
        plan = self.plan
        assumptions = tuple(plan.assumptions)
        choices = [(level, assumed) for assumed in ((), assumptions) for level in plan.levels]
        last: tuple[Attempt, Failed] | None = None
        for level, assumed in choices if assumptions else choices[: len(plan.levels)]:
            attempt = self.attempt(level, assumed)
            outcome = attempt.prove()
            if not isinstance(outcome, Failed) and attempt.selection.lost >= 1:
                outcome = Failed((), ("so many questions to samples leave no confidence",))
            if not isinstance(outcome, Failed):
                return self.fewest(level, assumed, attempt, outcome)
            last = attempt, outcome
        if last is None:
            raise RuntimeError("there is always the level that takes nothing as given")
        return last

    def attempt(self, level: tuple[Fact, ...], assumed: tuple[Fact, ...]) -> Attempt:
        return Attempt(self.plan, self.bench, self.cells, self.permitted, self.plan.select(level, assumed))

    def fewest(self, level: tuple[Fact, ...], assumed: tuple[Fact, ...], attempt: Attempt, tree: Tree) -> tuple[Attempt, Tree | Failed]:
        """Leaves out the assumptions that the proof can do without."""
        for fact in assumed:
            rest = tuple(other for other in assumed if other is not fact)
            shorter = self.attempt(level, rest)
            outcome = shorter.prove()
            if not isinstance(outcome, Failed):
                attempt, tree, assumed = shorter, outcome, rest
        return attempt, tree

    def accept(self, attempt: Attempt, tree: Tree) -> Verdict:
        if attempt.contradictory():
            given = "; ".join(attempt.given())
            return Unknown(f"what is given contradicts itself, so that everything would follow: no policies do this ({given})")
        proof = attempt.document(deepcopy(tree))
        names = frozenset(fact.name for fact in attempt.selection.facts if fact.name is not None)
        derived = storey1.accept(proof, names)
        if derived.confidence_lost:
            return Holds(proof, 1 - derived.confidence_lost, derived.assumptions)
        return Proved(proof, derived.assumptions)

    # ------------------------------------------------------------ permission

    def permitted(self, literals: Literals) -> bool:
        """May the statement rest on the impossibility of these literals?"""
        claims = self.plan.permission.claims
        if claims is None:
            return True
        if literals not in self._permitted:
            self._permitted[literals] = self._follows([body for _, body in claims], literals)
        return self._permitted[literals]

    def _follows(self, bodies: Sequence[Quantified], literals: Literals) -> bool:
        vocabulary = self.plan.vocabulary
        builder = deepcopy(vocabulary.builder)
        premises = [skeleton for body in bodies for skeleton in instances(builder, body, self.plan.type)]
        wanted = [vocabulary.events[e] if held else ("not", vocabulary.events[e]) for e, held in literals]
        return follows(builder, premises, wanted, self.plan.type)

    # ------------------------------------------------------------ failure

    def refute(self, attempt: Attempt, failed: Failed) -> Verdict:
        """A training that agrees with everything that is given and with every assumption of the spec, or what would decide it."""
        plan = self.plan
        named = {fact.name for fact in plan.assumptions}
        if any(isinstance(s, Assume) and s.name not in named for s in self.context.spec.statements) and not plan.is_mixture:
            whole = _Decision(self.context, self.statement, self.established, self.clock, assume_all=True)
            if {fact.name for fact in whole.plan.assumptions} != named:
                return whole.exhibited(whole.attempt(whole.plan.levels[-1], tuple(whole.plan.assumptions))) or self.unknown(attempt, failed)
        return self.exhibited(attempt) or self.unknown(attempt, failed)

    def exhibited(self, attempt: Attempt) -> Refuted | None:
        plan = self.plan
        if plan.is_mixture:
            members = [Member(part.name, share, self.cells.settle(part.controller)) for share, part in plan.levels[-1][0].parts]
        else:
            found = attempt.members()
            if found is None:
                return None
            members = [Member(f"pi_{k}", weight, policy) for k, (weight, policy) in enumerate(found, start=1)]
        distribution = Distribution(plan, self.bench, members)
        agrees = all(distribution.satisfies(fact, attempt.bounds.get(i)) for i, fact in enumerate(attempt.selection.facts))
        if not agrees or distribution.truth(plan.body) is not False:
            return None
        storey1.certify_optima(self.context, plan.query, list(self.bench.first().optima), self.clock)
        names = tuple(fact.name for fact in attempt.selection.facts if fact.name is not None)
        return Refuted(distribution.exhibit(attempt.given()), names)

    def unknown(self, attempt: Attempt, failed: Failed) -> Unknown:
        plan = self.plan
        if failed.beyond:
            missing = "; ".join(self._needed(literals) for literals in failed.beyond)
            return Unknown(f"it does not follow from what it names: {missing}")
        if failed.stuck:
            return Unknown("; ".join(failed.stuck))
        given = attempt.given()
        if plan.mentions_expectation and any(fact.kind in ("runs", "samples") for fact in attempt.selection.facts):
            return Unknown("runs and samples bound probabilities of events, not expectations; compare P[pi ~ T](J(pi) >= c) with a number")
        if not given:
            return Unknown(f"nothing that may be used is known of training {plan.training.name}; give it evidence, or an assumption")
        return Unknown(f"it does not follow from what is known ({'; '.join(given)}), and no training that contradicts it was exhibited")

    def _needed(self, literals: Literals) -> str:
        vocabulary = self.plan.vocabulary
        words = " and ".join(vocabulary.text(vocabulary.events[e] if held else ("not", vocabulary.events[e])) for e, held in literals)
        helpful = [name for name, body in proved_claims(self.context.spec, self.established or {}) if self._follows([body], literals)]
        hint = f"name {helpful[0]}" if helpful else "state that as a claim and name it"
        return f"no policy satisfies {words}, but no claim named says so ({hint})"
