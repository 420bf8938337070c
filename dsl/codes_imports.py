"""The pages of E52x: worlds imported from the files of other tools."""

from __future__ import annotations

from dsl.page_of_code import page

CODES: dict[str, tuple[str, str]] = {
    "E521": page(
        "a malformed model",
        "The file of an imported world is not written as its format asks. The place is in that file.",
        wrong="[go] x=0 -> 0.5 : (x'=1) 0.5 : (x'=2);          // in a PRISM model",
        right="[go] x=0 -> 0.5 : (x'=1) + 0.5 : (x'=2);",
    ),
    "E522": page(
        "constants of a model",
        """What a model leaves open gets its value in braces after the file: each constant without a value, with a value of its
        type, and no other.""",
        wrong='world W = prism "coin.prism"                        // the model says `const int K;`',
        right='world W = prism "coin.prism" { K = 2 }',
    ),
    "E523": page(
        "not supported in a model",
        """Worlds are finite and in discrete time, their policies see the whole state, and all numbers are rational. A model, or a
        part of one, that is of another kind cannot be imported.""",
        wrong="ctmc                                                // in a PRISM model",
        right="mdp",
    ),
    "E524": page(
        "names in a model",
        """Every name in a model is declared once, and not by itself; a module that is made of another by renaming renames all
        its variables.""",
        wrong="module two = one [ x=y ] endmodule                  // and module one has the variables x and z",
        right="module two = one [ x=y, z=w ] endmodule",
    ),
    "E525": page(
        "types in a model",
        """In the model a truth value stands where a number is needed, a double where an integer is, or something that depends on
        the state where a constant is.""",
        wrong="[] true -> (x'=x/2);                                // in a PRISM model: `/` gives a double",
        right="[] true -> (x'=floor(x/2));",
    ),
    "E526": page(
        "the rules of composition",
        """Modules that move together must not write the same variable. So a variable of a module is written there only, and a
        global one never under an action in which several modules take part. Every module stands once in `system`; variables have
        initial values only if there is no `init`.""",
        wrong="global g : bool;   module a [go] true -> (g'=true); endmodule   module b [go] true -> true; endmodule",
        right="module a g : bool; [go] true -> (g'=true); endmodule   module b [go] true -> true; endmodule",
    ),
    "E527": page(
        "a model too large to import",
        "A file, an expression, a number or a composition in it exceeds a limit, which the message names.",
        wrong="const int n = pow(10, pow(10, 9));",
        right="const int n = pow(10, 9);",
    ),
    "E530": page(
        "a library that is not installed",
        """Environments are made by Gymnasium, which twostep does not bring along. It is needed only by the specs that import one.""",
        wrong='world Lake = gymnasium "FrozenLake-v1"              // pip install twostep',
        right='world Lake = gymnasium "FrozenLake-v1"              // pip install "twostep[gymnasium]"',
    ),
}
