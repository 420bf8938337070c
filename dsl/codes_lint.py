"""The pages of W9xx: what is correct and probably not meant."""

from __future__ import annotations

from dsl.page_of_code import page

CODES: dict[str, tuple[str, str]] = {
    "W901": page(
        "declared and not used",
        """Nothing in the spec mentions this constant, function, enum, label, reward, score, property, policy or variable.
        Often a claim is missing, or uses another name than was meant.""",
        wrong="reward damage { when hurt: 1 }         // and no objective E[damage, ...]",
        right="property Safe(pi : Pi) = E[damage, horizon 50] <= 1",
    ),
    "W902": page(
        "vacuous premise",
        """The premise of this implication is false for every policy, so the claim holds for no reason: |J(pi) - max(J)| < 0
        never holds, `false` neither.""",
        wrong="forall pi : Pi. near_optimal(J, pi, 0) => Safe(pi)",
        right="forall pi : Pi. near_optimal(J, pi, 1/2) => Safe(pi)",
    ),
    "W903": page(
        "a name that hides another",
        "Inside the world (or function, or `sum`) the name means the nearer thing; outside it means the other.",
        wrong="const x = 3   world W { var x : 0..x = 0   ... }",
        right="const n = 3   world W { var x : 0..n = 0   ... }",
    ),
    "W904": page(
        "premise that no policy satisfies",
        """Found by proving it: the premise of this implication is false for every policy of the type, so the claim says nothing.""",
        wrong="forall pi : Pi. P[F done](pi) > 1/2 => Safe(pi)      // and nobody can be done",
        right="forall pi : Pi. near_optimal(J, pi, 1/2) => Safe(pi)",
    ),
    "W910": page(
        "a property that no policy can violate",
        """Found while proving: the conclusion holds for every policy, so the premise, and the score in it, do no work. The
        property may be too weak, or the world cannot go wrong.""",
        wrong="property Safe(pi : Pi) = P[F hurt] <= 1",
        right="property Safe(pi : Pi) = P[F hurt] <= 1/20",
    ),
}
