"""The pages of E4xx, claims, and E5xx, files and imports."""

from __future__ import annotations

from dsl.page_of_code import page

CODES: dict[str, tuple[str, str]] = {
    "E401": page(
        "path formula of no supported kind",
        """Supported are formulas whose truth shows after finitely many steps (co-safe: `F`, `U`, `X`, anything bounded), those
        whose falsity does (safe: `G`, anything bounded), and `G F phi`, `F G phi` of a state condition.""",
        wrong="P[G F ready and F G calm]",
        right="P[G F ready]",
    ),
    "E402": page(
        "how an objective adds up",
        """A horizon and the bound of a temporal operator are integers from 0 to 1,000,000; a discount is at least 0 and less
        than 1; `E[...]` takes one reward.""",
        wrong="E[points, discount 1]",
        right="E[points, discount 99/100]   E[points, total]",
    ),
    "E403": page(
        "not linear",
        """Scores are linear in objectives, and claims compare linear terms: a number that depends on a policy may be
        multiplied and divided by constants only.""",
        wrong="score J(pi : Pi) = E[points, total] * P[F done]",
        right="score J(pi : Pi) = 2 * E[points, total] + P[F done]",
    ),
    "E404": page(
        "quantifiers only at the beginning",
        """A claim is `forall ...` or `exists ...` over policies followed by a formula without quantifiers. `forall` and
        `exists` may not be mixed.""",
        wrong="forall a : Pi. exists b : Pi. J(a) < J(b)",
        right="forall a, b : Pi. J(a) < J(b) => Safe(a)",
    ),
    "E405": page(
        "which policy?",
        """An objective, score or property is applied to a policy over its own world. In scores, properties and `maximize` the
        policy may be left out.""",
        wrong="claim c: P[F hurt] <= 1/20",
        right="claim c: forall pi : Pi. P[F hurt](pi) <= 1/20",
    ),
    "E406": page(
        "negative distance",
        """near_optimal(J, pi, eps) is |J(pi) - max(J)| < eps, false for every policy when eps is negative: the claim would
        hold for no reason.""",
        wrong="near_optimal(J, pi, -1/2)",
        right="near_optimal(J, pi, 1/2)   abs(J(pi) - J(other)) < 1/2",
    ),
    "E407": page(
        "no probability",
        "A probability lies between 0 and 1; comparing it with a number outside is a slip, often a missing `%`.",
        wrong="P[F hurt](pi) <= 5",
        right="P[F hurt](pi) <= 5%",
    ),
    "E408": page(
        "find",
        """`find x in I maximal for phi` needs an interval with a number in it, and a phi that stays true when x becomes
        smaller (`minimal`: greater): then there is one threshold. It is checked by how x occurs.""",
        wrong="find m in (0, 50] minimal for forall pi : Pi. near_optimal(J, pi, m) => Safe(pi)",
        right="find m in (0, 50] maximal for forall pi : Pi. near_optimal(J, pi, m) => Safe(pi)",
    ),
    "E409": page(
        "what a theorem rests on",
        "After `by` stand names of claims, theorems and assumptions, and no theorem rests on itself.",
        wrong="theorem t: P[pi ~ T](Safe(pi)) > 95% by t",
        right="theorem t: P[pi ~ T](Safe(pi)) > 95% by reward_specification, adequate_learning",
    ),
    "E410": page(
        "too many cases",
        """`abs`, `min`, `max` and `if` over numbers that depend on policies, `<=>` and properties are written out into cases;
        there are limits.""",
        wrong="abs(abs(...(J(a) - J(b))...)) < 1      // hundreds of cases",
        right="abs(J(a) - J(b)) < 1",
    ),
    "E411": page(
        "numbers of evidence",
        """The weights of a mixture are at least 0 and sum to exactly 1; of n samples 0 to n satisfy the event; a confidence
        lies strictly between 0 and 1.""",
        wrong="samples 201 of 200 satisfy Safe(pi) confidence 99%",
        right="samples 188 of 200 satisfy Safe(pi) confidence 99%",
    ),
    "E412": page(
        "policies and training in one claim",
        """A claim speaks of policies or of a training process, not of both: a value J(pi) and a probability P[pi ~ T](...)
        have different verdicts.""",
        wrong="claim c: forall pi : Pi. P[q ~ T](Safe(q)) > J(pi)",
        right="claim c: P[q ~ T](Safe(q)) > 95%",
    ),
    "E413": page(
        "the optimum of what?",
        "`max(J)`, `min(J)` and `near_optimal(J, ...)` take the score itself: the optimum runs over its policies.",
        wrong="J(pi) >= max(J(pi)) - 1",
        right="J(pi) >= max(J) - 1",
    ),
    "E414": page(
        "rules of a policy",
        """The first rule whose guard holds decides. The probabilities of a rule are at least 0 and sum to 1; a
        deterministic policy has none, and a policy that `observes` some variables reads only those.""",
        wrong="policy p : Pi = { else: { 1/2: wait; 1/4: east } }",
        right="policy p : Pi = { else: { 1/2: wait; 1/2: east } }",
    ),
    "E416": page(
        "an optimum of a score that mentions others",
        "max(J) and `maximize J` are for scores made of objectives of the one policy, not of other policies or other optima.",
        wrong="score Gap(pi : Pi) = max(J) - J(pi)   policy worst : Pi = maximize Gap",
        right="policy worst : Pi = minimize J",
    ),
    "E417": page(
        "restrictions of a policy type",
        "`memory k` has 1 to 1000 nodes, and a type is either `memoryless` or has memory.",
        wrong="policies Pi over W { memoryless; memory 2 }",
        right="policies Pi over W { memory 2 }",
    ),
    "E490": page(
        "not supported yet",
        """The grammar already reads this construct, the checker does not give it a meaning yet: `regret`, `certificates`,
        `uniform`, `learner` and `assume` as evidence, `distribution`, conditional expectations, quantifiers over numbers.""",
        wrong="training T : Pi { regret 40 over 10000 episodes of J }",
        right='training T : Pi { runs "runs/*.json" confidence 99% }',
    ),
    "E501": page(
        "a file that cannot be read",
        "An import names a file by its path from the importing file.",
        wrong='import "wrold.spec"',
        right='import "world.spec"',
    ),
    "E502": page(
        "an import that leaves the directory",
        """A spec reads files of its own directory and below, symbolic links followed, so that reading a spec reads nothing
        else on the machine.""",
        wrong='import "../shared/world.spec"',
        right='import "shared/world.spec"',
    ),
    "E503": page(
        "circular import",
        "A file may be imported in many places (it is read once), but not by itself, directly or through others.",
        wrong='a.spec: import "b.spec"   b.spec: import "a.spec"',
        right='a.spec: import "b.spec"   b.spec: import "c.spec"',
    ),
    "E504": page(
        "too many imports",
        "A spec consists of at most 256 files, at most 32 imports deep.",
        wrong="a chain of a hundred files, each importing the next",
        right="one file that imports the others",
    ),
    "E505": page(
        "not a regular file",
        "Directories, pipes and devices are not read.",
        wrong='import "worlds"',
        right='import "worlds/race.spec"',
    ),
}
