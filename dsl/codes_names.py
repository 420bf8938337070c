"""The pages of E2xx: names and types."""

from __future__ import annotations

from dsl.page_of_code import page

CODES: dict[str, tuple[str, str]] = {
    "E201": page(
        "unknown name",
        "Nothing with this name is declared, in this spec or in what it imports. Order does not matter, spelling does.",
        wrong="const eps = 1/2   claim c: forall pi : Pi. near_optimal(J, pi, epz) => Safe(pi)",
        right="const eps = 1/2   claim c: forall pi : Pi. near_optimal(J, pi, eps) => Safe(pi)",
    ),
    "E202": page(
        "name already taken",
        """Names are unique: at the top level of a spec with its imports, among the variables and labels of a world, among its
        rewards, and policies bound by `forall`, `exists` or `pi ~ T` may not be called like anything declared. Built-in
        names cannot be declared.""",
        wrong="const lap = 3   const lap = 4",
        right="const lap = 3   const laps = 4",
    ),
    "E203": page(
        "not a variable of the world",
        """Expressions inside a world, in rules of a policy and in objectives read the variables and labels of that world, and
        constants.""",
        wrong="var lap : 0..3 = 0   label done = lapp == 3",
        right="var lap : 0..3 = 0   label done = lap == 3",
    ),
    "E204": page(
        "circular definition",
        """Constants, functions, labels, scores, properties and policies may use each other, but none may need its own value.
        There is no recursion.""",
        wrong="const a = b + 1   const b = a - 1",
        right="const a = 2       const b = a - 1",
    ),
    "E205": page(
        "wrong number of arguments",
        """A function is called with as many arguments as it has parameters; a score and a property have one, a policy; a grid
        has two indices.""",
        wrong="near_optimal(J, pi)",
        right="near_optimal(J, pi, 1/2)",
    ),
    "E206": page(
        "wrong type",
        """Every operator takes values of one kind: `and`, `or`, `not`, `=>` truth values, `+ - * /` and `<` numbers, `div` and
        `mod` integers, `==` two values of one kind. Nothing is converted silently: a truth value is not 0 or 1, and a
        rational is not an integer until it is rounded.""",
        wrong="label done = lap          action go { lap' = lap / 2 }",
        right="label done = lap == 3     action go { lap' = lap div 2 }",
    ),
    "E207": page(
        "not a constant",
        """Ranges, initial values, horizons, discounts, bounds, weights and confidences are fixed before the world runs, so
        they may not read variables.""",
        wrong="var x : 0..4 = 0   var y : 0..x = 0",
        right="const n = 4        var y : 0..n = 0",
    ),
    "E208": page(
        "number too large",
        "Arithmetic is exact, so numbers are kept to 10,000 bits (some 3,000 digits).",
        wrong="const huge = 10^10^9",
        right="const large = 10^9",
    ),
    "E209": page(
        "a name of another kind",
        """The name is declared, but as something that cannot stand here: a score is not a number until it is applied to a
        policy, a policy is not a number, a grid is not a character until it is looked up.""",
        wrong="claim c: forall pi : Pi. pi >= 1",
        right="claim c: forall pi : Pi. J(pi) >= 1",
    ),
    "E210": page(
        "no next state here",
        """`x'` is the value of x in the next state. It stands on the left of an assignment, and in the guards and values of
        rewards.""",
        wrong="action go { x' = x' + 1 }",
        right="action go { x' = x + 1 }",
    ),
    "E211": page(
        "exponent",
        "The exponent of `^` is a constant integer; a negative one needs a constant base.",
        wrong="reward r { 2 ^ x }",
        right="reward r { x ^ 2 }",
    ),
    "E212": page(
        "the world has no such action or reward",
        "Rewards name actions, policies name actions, and objectives name rewards of the world they are about.",
        wrong="action east { stay }   reward r { [west]: 1 }",
        right="action east { stay }   reward r { [east]: 1 }",
    ),
    "E213": page(
        "a grid that is no rectangle",
        "All rows of a grid have the same width. The common margin and the blank ends of rows do not count.",
        wrong='''const g = grid """
  ###
  #
"""''',
        right='''const g = grid """
  ###
  #.#
"""''',
    ),
    "E214": page(
        "a string that is no character",
        "Inside expressions a string stands for one character of a grid.",
        wrong='course[x, y] == "##"',
        right='course[x, y] == "#"',
    ),
    "E215": page(
        "expression too large",
        """Functions and labels are written out where they are used, `sum` and `forall` over ranges too; what comes out is
        limited in size and depth.""",
        wrong="sum i in 0..1000000. i",
        right="1000000 * 1000001 div 2",
    ),
    "E216": page(
        "empty range, or a value outside it",
        """In `low..high` both ends belong to the range, so low is at most high; a constant that is declared with a range lies
        in it.""",
        wrong="var x : 4..0 = 0",
        right="var x : 0..4 = 0",
    ),
    "E290": page(
        "declaration not supported yet",
        """The grammar already reads this construct, the checker does not give it a meaning yet: `param`, families (`for i in
        ...`) and arrays, worlds with parameters, `||`, imported worlds.""",
        wrong="var busy[i] : bool = false",
        right="var busy_0 : bool = false   var busy_1 : bool = false",
    ),
}
