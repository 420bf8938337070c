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
    "E217": page(
        "a name that several components have",
        """In a composed world `a::pos` is the `pos` of component `a`. The short name `pos` is enough where only one component
        has it.""",
        wrong="world Team = Robot(0) as a || Robot(4) as b   P[F pos == 2]",
        right="world Team = Robot(0) as a || Robot(4) as b   P[F a::pos == 2]",
    ),
    "E218": page(
        "array or element",
        """A family `for i in 0..3 { var busy[i] : bool = false }` declares an array: the elements `busy[0]` to `busy[3]`, one for
        each member. Expressions and assignments are about elements. An index in a declaration is the index of that one element,
        never a number of elements; all elements of an array have as many indices, of the same kinds.""",
        wrong="var busy[4] : bool = false   label any = busy",
        right="for i in 0..3 { var busy[i] : bool = false }   label any = exists i in 0..3. busy[i]",
    ),
    "E219": page(
        "said once for the whole world",
        "`init` and `deadlock absorbs` are about the whole world, so they cannot be repeated by a family.",
        wrong="for i in 0..3 { var busy[i] : bool   deadlock absorbs }",
        right="for i in 0..3 { var busy[i] : bool = false }   deadlock absorbs",
    ),
    "E220": page(
        "a world without its arguments",
        """A world with parameters stands for as many worlds as there are arguments. Policies, claims and compositions need one of
        them.""",
        wrong="world Robot(start : int) { ... }   policies Pi over Robot",
        right="world Robot(start : int) { ... }   world One = Robot(0)   policies Pi over One",
    ),
    "E221": page(
        "components that do not fit together",
        """Components have different names: a world that is a component twice is named with `as`. Their initial distributions are
        independent, and what comes out has at most 10,000 outcomes. An imported world can be a component if its actions are
        simply named (no Markov chain, no table, no unnamed commands).""",
        wrong="world Pair = Robot || Robot",
        right="world Pair = Robot as a || Robot as b",
    ),
    "E290": page(
        "declaration not supported yet",
        "The grammar already reads this construct, the checker does not give it a meaning yet: `param`.",
        wrong="param d in [1/20, 1/5]",
        right="const d = 1/10",
    ),
}
