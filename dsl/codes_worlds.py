"""The pages of E3xx: world-models."""

from __future__ import annotations

from dsl.page_of_code import page

CODES: dict[str, tuple[str, str]] = {
    "E301": page(
        "assignment outside the range",
        """In a reachable state an outcome gives a variable a value outside its range (or a value that is no integer). The
        range is a promise that is checked, never a clamp.""",
        wrong="var x : 0..4 = 0   action east { x' = x + 1 }",
        right="var x : 0..4 = 0   action east when x < 4 { x' = x + 1 }",
    ),
    "E302": page(
        "probabilities that are no distribution",
        """The probabilities of the outcomes of an action are at least 0 and sum to exactly 1 in every reachable state where it
        is enabled.""",
        wrong="action go { 90%: x' = 1; 5%: x' = 0 }",
        right="action go { 90%: x' = 1; 10%: x' = 0 }",
    ),
    "E303": page(
        "a state without actions",
        "In every reachable state some action is enabled, unless the world says that it stays there for ever.",
        wrong="world W { var x : 0..1 = 0   action go when x == 0 { x' = 1 } }",
        right="world W { var x : 0..1 = 0   action go when x == 0 { x' = 1 }   deadlock absorbs }",
    ),
    "E304": page(
        "division by zero",
        """`/`, `div` and `mod` by zero have no value, nor has 0 to a negative power. `and`, `or`, `=>` and `if` do not
        evaluate what they do not need.""",
        wrong="action go when 6 / x > 2 { stay }",
        right="action go when x > 0 and 6 / x > 2 { stay }",
    ),
    "E305": page(
        "two actions of one name enabled",
        """Several actions may share a name if no reachable state enables two of them: a policy chooses by the name. This goes for the
        actions of one name in each component of a composed world.""",
        wrong="action go when x <= 2 { x' = 3 }   action go when x >= 2 { x' = 0 }",
        right="action go when x <= 2 { x' = 3 }   action go when x > 2 { x' = 0 }",
    ),
    "E306": page(
        "index outside the grid or the array",
        """`course[x, y]` is column x of row y, both from 0. In a reachable state the cell does not exist, or an array has no element
        with that index. What is not evaluated cannot be wrong: a guard that decides before, or `i > 0 and busy[i - 1]`, is enough.""",
        wrong="""action east when course[x + 1, y] != "#" { x' = x + 1 }         // at the last column""",
        right="""action east when x < 4 and course[x + 1, y] != "#" { x' = x + 1 }""",
    ),
    "E307": page(
        "too many states",
        """The world has more states than `--max-states` allows or than fit in memory, or `init uniform` ranges over too many
        valuations. Narrow the ranges, drop variables, or raise the limit.""",
        wrong="var clock : 0..1000000000 = 0",
        right="var clock : 0..100 = 0",
    ),
    "E308": page(
        "bad initial distribution",
        """The probabilities in `init` are at least 0 and sum to exactly 1; every variable gets a value; `init uniform` has a
        state to start in.""",
        wrong="init { 1/2: x = 0; 1/4: x = 1 }",
        right="init { 1/2: x = 0; 1/2: x = 1 }",
    ),
    "E309": page(
        "number too large",
        "In a reachable state a number outgrows 10,000 bits.",
        wrong="reward r { (x ^ 9999) ^ 9999 }",
        right="reward r { x ^ 3 }",
    ),
    "E310": page(
        "objective not well-defined",
        """An undiscounted sum must be a number for every policy, or minus infinity for policies that keep losing. Here some
        loop earns for ever, or its rewards cancel for ever without coming to rest.""",
        wrong="reward r { [wait]: 1 }   score J(pi : Pi) = E[r, total]",
        right="reward r { [wait]: 1 }   score J(pi : Pi) = E[r, discount 99/100]",
    ),
    "E311": page(
        "max(J) is infinite",
        """No policy keeps the score finite, so max(J) is no number and nothing is near it. Usually a goal cannot be reached,
        or a step that should end the run does not.""",
        wrong="reward cost { -1 }   score J(pi : Pi) = E[cost, total]           // no state where it stops",
        right="reward cost { -1 }   score J(pi : Pi) = E[cost, until done]",
    ),
    "E321": page(
        "variable assigned twice",
        """All assignments of an outcome happen at once, so each variable stands there at most once. Two elements of an array are
        taken as one unless their indices differ by a constant: `busy[x]` and `busy[x + 1]`.""",
        wrong="action go { x' = 1, x' = 2 }",
        right="action go { x' = 2 }",
    ),
    "E322": page(
        "initial value outside the range",
        "The value after `=` lies in the variable's range.",
        wrong="var x : 0..4 = 5",
        right="var x : 0..4 = 0",
    ),
    "E323": page(
        "no initial value",
        "Every variable has a default or gets its value in every branch of `init`; `init uniform` may choose it.",
        wrong="world W { var x : 0..4   action wait { stay } }",
        right="world W { var x : 0..4 = 0   action wait { stay } }",
    ),
    "E324": page(
        "a world without actions",
        "A world in which nothing can be done has no policies.",
        wrong="world W { var x : bool = false }",
        right="world W { var x : bool = false   action wait { stay } }",
    ),
    "E325": page(
        "two initial distributions",
        "A world has at most one `init`.",
        wrong="init uniform x < 2   init { x = 0 }",
        right="init uniform x < 2",
    ),
    "E328": page(
        "a variable with infinitely many values",
        "Worlds are finite: a variable is a `bool`, a range of integers or an enum.",
        wrong="var x : int = 0",
        right="var x : 0..100 = 0",
    ),
}
