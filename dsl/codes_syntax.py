"""Codes of the syntax stage -> what ``twostep explain`` prints: a title, and a paragraph with a wrong and a right example."""

from __future__ import annotations

CODES: dict[str, tuple[str, str]] = {
    "E101": (
        "the file is no spec",
        (
            "A spec is UTF-8 text without a byte order mark, of at most 1 MiB. Save the file as UTF-8; split a long spec with "
            '`import "other.spec"`, and read a large world from its own format.\n\n'
            "wrong:  a file saved as UTF-16, or as `UTF-8 with BOM`\n"
            "right:  the same file saved as UTF-8"
        ),
    ),
    "E102": (
        "a character the language does not use",
        (
            "Names, numbers and operators are ASCII; white space is space, tab and end of line; a comment starts with `//`. "
            "Characters that a reader cannot see are refused everywhere, in comments and strings too.\n\n"
            "wrong:  label near = x \u2264 3   # close to the wall\n"
            "right:  label near = x <= 3  // close to the wall"
        ),
    ),
    "E103": (
        "an operator of another language",
        (
            "Logic is written in words (`and`, `or`, `not`), implication `=>`, equivalence `<=>`, the remainder `mod`, powers `^`. "
            "`||` composes worlds. Strings and characters stand in double quotes.\n\n"
            "wrong:  label done = lap == laps && !hurt\n"
            "right:  label done = lap == laps and not hurt"
        ),
    ),
    "E104": (
        "nested too deeply",
        (
            "Brackets and expressions nest at most 200 deep; a chain of one operator, however long, counts as one level. "
            "Give the inner parts names with `const`, `def` or `label`.\n\n"
            "wrong:  const a = ((((( ... 201 of them ... )))))\n"
            "right:  const inner = 1 + 2\n        const a = inner * 3"
        ),
    ),
    "E105": (
        "a string, grid or quoted name that is not closed",
        (
            'A string ends on the line where it began and knows two escapes, `\\"` and `\\\\`. '
            "Only a grid, between triple quotes, spans lines. "
            "A name in backticks is not empty.\n\n"
            'wrong:  import "boats.spec\n'
            'right:  import "boats.spec"'
        ),
    ),
    "E106": (
        "not a number",
        (
            "A number has a digit before its point, underscores only between digits, digits after its `e`, and ends before a name begins. "
            "A `%` makes it a percentage: `10%` is 1/10. There are no hexadecimal numbers.\n\n"
            "wrong:  const a = .5      const b = 2x      const c = 10%3\n"
            "right:  const a = 0.5     const b = 2 * x   const c = 10 mod 3"
        ),
    ),
    "E107": (
        "a number that is too long",
        (
            "Every number is kept exactly, so its size costs memory: at most 1,000 digits, exponents from -1,000 to 1,000.\n\n"
            "wrong:  const tiny = 1e-100000\n"
            "right:  const tiny = 1e-100"
        ),
    ),
    "E108": (
        "`=` where `==` is meant",
        (
            "`=` gives a name its meaning or a variable its next value; `==` compares.\n\n"
            "wrong:  label done = lap = laps\n"
            "right:  label done = lap == laps"
        ),
    ),
    "E109": (
        "something else was expected",
        (
            "The text up to here is the beginning of a declaration, and what comes next cannot continue it. "
            "The message says what was being read. Reading resumes at the next declaration that starts a line.\n\n"
            "wrong:  claim c: J(a) >=\n"
            "right:  claim c: J(a) >= 2"
        ),
    ),
    "E110": (
        "brackets that do not match",
        (
            "Every `(`, `[` and `{` needs its partner. An opening bracket without one is reported where it stands.\n\n"
            "wrong:  world W {\n          action wait { stay }\n        policies Pi over W\n"
            "right:  world W {\n          action wait { stay }\n        }\n        policies Pi over W"
        ),
    ),
    "E111": (
        "an `if` without `then` or `else`",
        (
            "`if` is an expression and always has a value, so it has both branches. "
            "To let an action happen only sometimes, give it a guard with `when`.\n\n"
            "wrong:  x' = if x < 4 then x + 1\n"
            "right:  x' = if x < 4 then x + 1 else x"
        ),
    ),
    "E112": (
        "parentheses are needed",
        (
            "After a bound, as in `F<=50`, one operand follows: a name, a call, something in parentheses, or `not`, `F`, `G`, `X`. "
            "`<=>` does not chain, and `x in S` is not compared. A bound is written with `<=` only.\n\n"
            "wrong:  P[F<=50 x < 3]\n"
            "right:  P[F<=50 (x < 3)]"
        ),
    ),
    "E113": (
        "a reserved word as a name",
        (
            "Words that start declarations, logical words, the temporal operators `F`, `G`, `X`, `U` and the words of later storeys "
            "(`boundary`, `ontology`, `detector`, `synthesize`) are no names. Backticks make a name of anything.\n\n"
            "wrong:  var label : bool\n"
            "right:  var tag : bool       or  var `label` : bool"
        ),
    ),
    "E114": (
        "a missing or a superfluous separator",
        (
            "Inside braces each item ends with its line or with `;`. "
            "Members of an enumeration, arguments and assignments are separated by commas. "
            "Between declarations stands nothing but white space.\n\n"
            "wrong:  action a { stay } action b { stay }\n"
            "right:  action a { stay }\n        action b { stay }"
        ),
    ),
    "E115": (
        "this block holds something else",
        (
            "A world holds var, action, label, reward, init, deadlock and for. A reward holds `[action] when guard: value`, a policy's "
            "table `when guard: action` and `else: action`, an action its outcomes; an action that changes nothing says `stay`.\n\n"
            "wrong:  reward damage { hurt: 1 }\n"
            "right:  reward damage { when hurt: 1 }"
        ),
    ),
    "E116": (
        "an expected reward without its mode",
        (
            "`E[r, mode]` says how the rewards of a run are added up: `horizon n`, `discount g`, `until goal` or `total`.\n\n"
            "wrong:  score J(pi : Pi) = E[points]\n"
            "right:  score J(pi : Pi) = E[points, horizon 50]"
        ),
    ),
    "E117": (
        "an assumption without its reason",
        (
            "An `assume` is an axiom, and every report that rests on it prints the reason.\n\n"
            "wrong:  assume calm: P[pi ~ T](Safe(pi)) > 1/2\n"
            'right:  assume calm: P[pi ~ T](Safe(pi)) > 1/2 because "measured in March"'
        ),
    ),
    "E118": (
        "a prime too few or too many",
        (
            "An action assigns next values, so its targets bear a prime; `init` assigns first values, so its targets do not.\n\n"
            "wrong:  action east { x = x + 1 }\n"
            "right:  action east { x' = x + 1 }"
        ),
    ),
    "E119": (
        "rules after `else`",
        (
            "The first rule whose guard holds decides, and `else` always holds, so it comes last.\n\n"
            "wrong:  policy p : Pi = { else: wait; when x < 3: east }\n"
            "right:  policy p : Pi = { when x < 3: east; else: wait }"
        ),
    ),
    "E120": (
        "a weight that begins with a minus",
        (
            "Weights are probabilities. One that could be negative is a mistake; `1 - p` is written so.\n\n"
            "wrong:  action a { -p + 1: x' = 1; p: stay }\n"
            "right:  action a { 1 - p: x' = 1; p: stay }"
        ),
    ),
    "E121": (
        "not supported yet",
        (
            "`boundary`, `ontology`, `detector` and `synthesize` are the declarations of later storeys of the two-step plan. "
            "Their names are reserved; their blocks are skipped with this message.\n\n"
            "wrong:  boundary skin { ... }\n"
            "right:  nothing in its place, for now"
        ),
    ),
}
