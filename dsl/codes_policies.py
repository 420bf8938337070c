"""The pages of E51x: named policies and policy files."""

from __future__ import annotations

from dsl.page_of_code import page

CODES: dict[str, tuple[str, str]] = {
    "E510": page(
        "a policy file that cannot be read",
        "Policy files are regular files in the spec's own directory or below, symbolic links followed.",
        wrong='policy trained : Pi = file "../runs/seed_17.json"',
        right='policy trained : Pi = file "runs/seed_17.json"',
    ),
    "E511": page(
        "a malformed policy file",
        """A policy file is JSON: states are named by their variables, actions by their names, probabilities are strings. What
        `twostep prove --out` writes for a counterexample is such a file.""",
        wrong='{"format": "twostep-policy 1", "rules": [{"state": {"x": 1}, "action": {"east": 0.5, "wait": 0.5}}]}',
        right='{"format": "twostep-policy 1", "rules": [{"state": {"x": 1}, "action": {"east": "1/2", "wait": "1/2"}}]}',
    ),
    "E512": page(
        "a policy that says nothing for a state",
        "A policy must decide in every state that it can reach; a state whose only outcome is an absorbing deadlock needs no rule.",
        wrong="policy p : Pi = { when x < 3: east }",
        right="policy p : Pi = { when x < 3: east; else: wait }",
    ),
    "E513": page(
        "a policy that plays what it cannot",
        "In a state that the policy reaches, its action is not enabled, or the probabilities of its actions do not sum to 1.",
        wrong="policy p : Pi = { else: { 1/2: east; 1/3: wait } }",
        right="policy p : Pi = { else: { 1/2: east; 1/2: wait } }",
    ),
    "E514": page(
        "a policy outside its type",
        "The policy randomises, remembers or looks at more than its policy type allows.",
        wrong="policies Pi over W { deterministic }   policy p : Pi = { else: { 1/2: east; 1/2: wait } }",
        right="policies Pi over W   policy p : Pi = { else: { 1/2: east; 1/2: wait } }",
    ),
    "E515": page(
        "an optimum that no policy attains",
        "`maximize J subject to P` names one policy; if none satisfies P, or the supremum is only approached, there is nothing to name.",
        wrong="policy p : Pi = maximize J subject to Safe      // with Safe = P[F hurt] < 1/10",
        right="policy p : Pi = maximize J subject to Safe      // with Safe = P[F hurt] <= 1/10",
    ),
    "E516": page(
        "runs without files",
        "The pattern of `runs` matches no policy file, too many, or cannot be followed.",
        wrong='training T : Pi { runs "rnus/*.json" confidence 99% }',
        right='training T : Pi { runs "runs/*.json" confidence 99% }',
    ),
}
