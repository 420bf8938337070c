"""Small PRISM models, each about one rule of the language, with the sizes of their state spaces.

``storm`` is the text for Storm where it reads less than the language (chained renaming, ``<=>``, ``func``) or means something
else, None where it has no such construct at all; the numbers of those were counted by hand.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Model:
    text: str
    size: tuple[int, int, int]  # states, choices, transitions
    constants: str = ""
    rewards: tuple[tuple[str, str], ...] = ()  # a reward and its greatest expected sum over six steps
    storm: str | None = ""  # "": the text itself


THREE = """mdp
// three modules: one action of all of them, one of two, several commands for each
const int n = 2;
formula full = x = n;
module a
  x : [0..n] init 0;
  [go] !full -> 0.5 : (x'=x+1) + 0.5 : true;
  [go] x > 0 -> (x'=x-1);
  [] full -> (x'=0);
  [idle] x < n -> true;
endmodule
module b
  y : [0..2];
  [go] y < 2 -> 1/3 : (y'=y+1) + 2/3 : (y'=0);
  [go] y = x -> (y'=mod(y+1,3));
  [swap] y > 0 -> (y'=y-1);
endmodule
module c
  z : bool init true;
  [go] z -> (z'=!z);
  [go] true -> true;
  [swap] !z -> 0.25 : (z'=true) + 0.75 : (z'=false);
endmodule
label "met" = x = 2 & y = 2;
rewards "moves"
  [go] true : 1 + x;
  [] true : 3;
  z : 0.5;
endrewards
rewards
  [swap] y = 1 : 2;
endrewards
"""

RENAMING = """mdp
// constants, variables, actions and what stands in formulas are renamed; a renamed module is renamed again
formula hungry = s=0;
formula other = t=0;
const double p = 0.3;
const double q = 0.6;
global left : [0..3] init 3;
module one
  s : [0..2];
  [take1] hungry & left>0 -> p : (s'=1) + 1-p : (s'=2);
  [] s=1 & left>0 -> (s'=2) & (left'=left-1);
  [rest] s=2 & other -> (s'=0);
endmodule
module two = one [ s=t, t=s, take1=take2, p=q ] endmodule
module three = one [ s=u, take1=take3, q=p ] endmodule
label "none" = left = 0;
"""

RENAMED_TWICE = RENAMING.replace("one [ s=u, take1=take3, q=p ]", "two [ t=u, s=t, take2=take3, q=p ]")

INITIAL = """mdp
module m
  x : [0..3];
  y : [0..3];
  b : bool;
  [up] x<3 -> 0.5:(x'=x+1)+0.5:(y'=x);
  [flip] true -> (b'=!b);
endmodule
init x+y=3 & !b endinit
"""

CHAIN = """dtmc
// enabled commands are drawn uniformly; an update of probability 0 never happens, whatever it assigns
module d
  x : [0..4] init 2;
  [] x>0 -> 0.5 : (x'=x-1) + 0.5 : (x'=max(0,x-2));
  [] x<4 & x>0 -> (x'=x+1);
  [a] x<3 -> 0 : (x'=x+100) + 1 : (x'=x);
endmodule
module e
  y : [0..2];
  [a] y<2 -> (y'=y+1);
  [a] y=1 -> (y'=0);
  [] y=2 -> (y'=0);
endmodule
rewards "paid"
  [a] true : 5;
  x=0 : 2;
  [] x=1 : 1/3;
endrewards
"""

DEADLOCKS = """mdp
// states are paid in deadlocks too, actions are not
module m
  x : [0..5] init 0;
  [a] x=0 -> 0.5 : (x'=1) + 0.5 : (x'=2);
  [b] x=0 -> (x'=3);
  [c] x=3 -> (x'=4);
endmodule
rewards "r"
  true : 1;
  x=1 : 10;
  [a] true : 7;
  [] true : 100;
endrewards
label "deadlock_here" = x=1;
"""

# Storm pays nothing where it adds the loop
LOOPS = DEADLOCKS.replace("[c] x=3 -> (x'=4);", "[c] x=3 -> (x'=4);\n  [loop] x=1|x=2|x=4 -> true;")

FUNCTIONS = """mdp
const int N = 7;
const int M = ceil(log(N,2));
const double half = 1/2;
module m
  x : [-5..5] init -3;
  y : [0..10] init floor(2.7);
  [a] x < 5 -> (x'=x+1) & (y'=mod(x,4));
  [b] true -> half : (y'=min(10,pow(2,y)>10 ? 10 : pow(2,y))) + 1-half : (y'=func(max,0,round(x/2)));
  [c] x>0 => y<3 -> (x'=-x);
  [d] (x=1 <=> y=1) & !x=2 & M=3 -> 1e-1 : (x'=ceil(y/3)) + .9 : (y'=floor(y/3));
endmodule
"""

FUNCTIONS_FOR_STORM = (
    FUNCTIONS.replace("func(max,0,", "max(0,")
    .replace("(x=1 <=> y=1)", "(x=1&y=1|x!=1&y!=1)")
    .replace("!x=2", "!(x=2)")
    .replace(".9", "0.9")
)

TRUTHS = """mdp
global g : bool init true;
module m
  a : bool;
  b : bool;
  [] a=b -> (a'=!b) & (g'=a|b);
  [] a!=b & g -> 0.5 : (b'=a) + 0.5 : (g'=false);
  [] !g -> (g'=(a?b:!b));
endmodule
"""

BLOCKED = """mdp
// an action that one module knows and never takes blocks the others
module a
  x : [0..2];
  [go] x<2 -> (x'=x+1);
  [on] true -> (x'=0);
endmodule
module b
  y : bool;
  [go] false -> true;
  [] true -> (y'=!y);
endmodule
"""

OPEN = """mdp
const int K;
const double p;
const bool fast;
const int twice = 2*K;
module walk
  x : [0..twice] init K;
  [] x>0 & x<twice -> p : (x'=x+1) + 1-p : (x'=fast ? 0 : x-1);
endmodule
rewards "steps"
  x>0 & x<twice : 1;
endrewards
"""

COMPOSED = """mdp
module a
  x : [0..1];
  [s] x=0 -> (x'=1);
  [t] x=1 -> (x'=0);
endmodule
module b
  y : [0..1];
  [s] y=0 -> (y'=1);
  [t] y=1 -> (y'=0);
endmodule
module c
  z : [0..1];
  [u] z=0 -> (z'=1);
  [t] z=1 -> (z'=0);
endmodule
rewards "of_s"
  [s] true : 1;
  [] true : 10;
endrewards
system SYSTEM endsystem
"""


def composed(system: str) -> str:
    return COMPOSED.replace("SYSTEM", system)


MODELS = {
    "three": Model(THREE, (18, 60, 120), rewards=(("moves", "49759/3888"), ("reward", "5"))),
    "renaming": Model(RENAMING, (54, 94, 139)),
    "renamed twice": Model(RENAMED_TWICE, (54, 94, 139), storm=RENAMING),
    "initial": Model(INITIAL, (28, 48, 68)),
    "chain": Model(CHAIN, (15, 15, 44), rewards=(("paid", "74176787/4478976"),)),
    "deadlocks": Model(DEADLOCKS, (5, 6, 7), rewards=(("r", "38"),), storm=LOOPS),
    "functions": Model(FUNCTIONS, (77, 259, 386), storm=FUNCTIONS_FOR_STORM),
    "truths": Model(TRUTHS, (2, 2, 2)),
    "blocked": Model(BLOCKED, (2, 4, 4)),
    "open": Model(OPEN, (9, 9, 16), "K=4,p=1/3,fast=false", (("steps", "452/81"),)),
    "default": Model(COMPOSED.replace("system SYSTEM endsystem", ""), (4, 5, 5), rewards=(("of_s", "2"),)),
    "all common": Model(composed("a || b || c"), (4, 5, 5), rewards=(("of_s", "2"),), storm=None),
    "interleaved": Model(composed("a ||| b ||| c"), (8, 24, 24), rewards=(("of_s", "4"),), storm=None),
    "on one": Model(composed("(a |[t]| b) |[t]| c"), (8, 13, 13), rewards=(("of_s", "4"),), storm=None),
    "nested": Model(composed("(a ||| b) || c"), (8, 16, 16), rewards=(("of_s", "3"),), storm=None),
    "hidden": Model(composed("(a || b)/{s} || c"), (4, 5, 5), rewards=(("of_s", "20"),), storm=None),
    "relabelled": Model(composed("(a{s<-u} || c) ||| b"), (4, 8, 8), rewards=(("of_s", "3"),), storm=None),
}
