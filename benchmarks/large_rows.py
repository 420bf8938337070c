"""The rows of the comparison on large worlds: what Storm is asked, and the same question as a spec.

Models of others are read from a folder and copied, with the spec, into a temporary one: imports stay beside their spec.
The slip grid is generated in both languages, of any size, with any number of muddy bands that a policy may have to avoid.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path


@dataclass(frozen=True)
class Question:
    """The supremum (``minimal`` bound) or infimum (``maximal`` bound) of an objective among the policies that keep a constraint."""

    objective: str
    interval: str = "[0, 1]"
    constraint: str = ""
    bound: str = "minimal"

    def find(self, name: str) -> str:
        comparison = "<=" if self.bound == "minimal" else ">="
        premise = f"{self.constraint} => " if self.constraint else ""
        return f"find {name} in {self.interval} {self.bound} for\n  forall pi : Pi. {premise}{self.objective}(pi) {comparison} {name}\n"


@dataclass(frozen=True)
class Row:
    """``constants`` in Storm's spelling; ``states``: how many there must be; ``tight``: is asked once more to 1e-12."""

    id: str
    file: str
    constants: str
    property: str
    question: Question
    truth: Fraction | None = None
    rounded: bool = False  # the truth is known to so many digits only
    states: int | None = None
    tight: bool = False

    def spec(self) -> str:
        given = "; ".join(f"{name} = {'7/10' if value == '0.7' else value}" for name, value in _pairs(self.constants))
        world = f'world W = prism "{self.file}"' + (f" {{ {given} }}" if given else "")
        return f"{world}\npolicies Pi over W\n{self.question.find('v')}"


def _pairs(constants: str) -> list[tuple[str, str]]:
    return [(name, value) for name, _, value in (part.partition("=") for part in constants.split(",") if part)]


WLAN = "(s1 == 12 and s2 == 12)"
DISAGREE = "P[F (finished and not agree)]"
ADDRESS_USED = "P[F (l == 4 and ip == 1)]"
DELIVERED = "P[(not collision_max_backoff) U all_delivered]"

SINGLE = {
    "consensus.2-16:disagree": Question(DISAGREE),
    "consensus.2-16:steps_max": Question("E[steps, until finished]", "[0, 1000000]"),
    "consensus.4-4:disagree": Question(DISAGREE),
    "consensus.4-4:steps_max": Question("E[steps, until finished]", "[0, 1000000]"),
    "csma.3-2:all_before_max": Question(DELIVERED),
    "zeroconf.1000-2:correct_max": Question(ADDRESS_USED),
    "wlan.4-0:cost_max": Question(f"E[cost, until {WLAN}]", "[0, 1000000000]"),
    "firewire.true-3-400:time_max": Question("E[time, until done]", "[0, 1000000]"),
    "consensus.6-2:disagree": Question(DISAGREE),
    "zeroconf.1000-8:correct_max": Question(ADDRESS_USED),
}
DOUBLE = {
    "m.zeroconf4:num": Question(ADDRESS_USED, constraint="P[G (error == 0)](pi) >= 0.993141"),
    "m.team3:num": Question("P[F task1_compl]", constraint="E[w_1_total, total](pi) >= 2.210204082 and P[F task2_compl](pi) >= 0.5"),
    "m.dpm100:num": Question("E[power, horizon 100]", "[0, 1000]", "E[queue, horizon 100](pi) <= 70", "maximal"),
    "m.consensus.4-4:num": Question(DISAGREE, constraint="E[steps, until finished](pi) <= 1000"),
    "m.csma.3-2:num": Question(DELIVERED, constraint="E[time, until all_delivered](pi) <= 100"),
    "m.wlan.4:num": Question(f"E[time, until {WLAN}]", "[0, 1000000]", f"E[cost, until {WLAN}](pi) <= 100000"),
}
TRUTHS = {"m.zeroconf4:num": Fraction(5, 16256), "m.team3:num": Fraction(73, 98)}
TIGHT = {"m.zeroconf4:num", "m.team3:num", "m.consensus.4-4:num", "m.csma.3-2:num", "m.wlan.4:num"}

HARD = (
    Row(
        "haddad-monmege N=300",
        "haddad-monmege-mdp.prism",
        "N=300,p=0.7",
        'Pmax=? [ F "Target" ]',
        Question("P[F Target]"),
        Fraction(7, 10),
    ),
    Row(
        "negative-rewards",
        "negative-rewards.prism",
        "",
        'R{"reward"}max=? [ F "target" ]',
        Question("E[`reward`, until target]", "[-1000, 1000]"),
        Fraction(-100),
    ),
)


def rows_of(folder: Path) -> tuple[list[Row], list[Row]]:
    """The rows with one objective and those with two that the folder's cases.json names and that are translated here."""
    single, double = [], []
    for case in json.loads((folder / "cases.json").read_text(encoding="utf-8")):
        name, value = case["id"], case["qvbs_value"]
        common = (name, case["file"], case["const"], case["prop"])
        if name in SINGLE:
            truth = None if value is None else Fraction(value)
            single.append(Row(*common, SINGLE[name], truth, isinstance(value, int), case["qvbs_states"]))
        elif name in DOUBLE:
            double.append(Row(*common, DOUBLE[name], TRUTHS.get(name), tight=name in TIGHT))
    return single, double


# ---------------------------------------------------------------- the generated world

GRID = """
const n = {n}
const wear = 1/(4*n)
world W {{
  var x : 0..n - 1 = 0
  var y : 0..n - 1 = 0
  var broken : bool = false
  action east  when not broken and x < n - 1 {{
    8/10 - wear: x' = x + 1; 1/10: y' = min(y + 1, n - 1); 1/10: y' = max(y - 1, 0); wear: x' = 0, y' = 0, broken' = true
  }}
  action north when not broken and y < n - 1 {{
    8/10 - wear: y' = y + 1; 1/10: x' = min(x + 1, n - 1); 1/10: x' = max(x - 1, 0); wear: x' = 0, y' = 0, broken' = true
  }}
  action leap  when not broken and x < n - 2 and y < n - 2 {{
    9/10 - wear: x' = x + 2, y' = y + 2; 1/10: stay; wear: x' = 0, y' = 0, broken' = true
  }}
  deadlock absorbs
  label goal = x == n - 1 and y == n - 1
{labels}
}}
policies Pi over W
{finds}
"""
PRISM = """
mdp
const double wear = 1/(4*{n});
module grid
  x : [0..{last}] init 0;
  y : [0..{last}] init 0;
  broken : bool init false;
  [] !broken & x<{last} -> 8/10-wear: (x'=x+1) + 1/10: (y'=min(y+1,{last})) + 1/10: (y'=max(y-1,0))
                         + wear: (x'=0)&(y'=0)&(broken'=true);
  [] !broken & y<{last} -> 8/10-wear: (y'=y+1) + 1/10: (x'=min(x+1,{last})) + 1/10: (x'=max(x-1,0))
                         + wear: (x'=0)&(y'=0)&(broken'=true);
  [] !broken & x<{last}-1 & y<{last}-1 -> 9/10-wear: (x'=x+2)&(y'=y+2) + 1/10: true + wear: (x'=0)&(y'=0)&(broken'=true);
  [] broken | (x={last} & y={last}) -> true;
endmodule
label "goal" = x={last} & y={last};
{labels}
"""


@dataclass(frozen=True)
class Grid:
    """A slip grid of n x n cells with muddy bands across the short way; ``bounds``: for each query the bands it must mostly avoid."""

    n: int
    bands: int = 0
    bounds: tuple[tuple[int, ...], ...] = ((),)

    def _band(self, i: int) -> tuple[int, int]:
        first = 2 * (i + 1) * self.n // (self.bands + 1)
        return first, self.n // 4

    def spec(self) -> str:
        labels = []
        for i in range(self.bands):
            first, half = self._band(i)
            labels.append(f"  label mud{i} = x + y >= {first} and x + y <= {first + 3} and x - y <= {half} and y - x <= {half}")
        finds = []
        for k, bound in enumerate(self.bounds):
            premise = " and ".join(f"P[F mud{i}](pi) <= 1/2" for i in bound)
            finds.append(Question("P[F goal]", constraint=premise).find(f"v{k}"))
        return GRID.format(n=self.n, labels="\n".join(labels), finds="".join(finds))

    def prism(self) -> str:
        labels = []
        for i in range(self.bands):
            first, half = self._band(i)
            labels.append(f'label "mud{i}" = x+y>={first} & x+y<={first + 3} & x-y<={half} & y-x<={half};')
        return PRISM.format(n=self.n, last=self.n - 1, labels="\n".join(labels))

    def properties(self) -> list[str]:
        queries = []
        for bound in self.bounds:
            goal, avoid = 'Pmax=? [ F "goal" ]', [f'P<=0.5 [ F "mud{i}" ]' for i in bound]
            queries.append(f"multi({', '.join([goal, *avoid])})" if bound else goal)
        return queries


def states_curve(sizes: tuple[int, ...]) -> list[Grid]:
    return [Grid(n) for n in sizes]


def objectives_curve(n: int, counts: tuple[int, ...]) -> list[Grid]:
    return [Grid(n, k, (tuple(range(k)),)) for k in counts]


def claims_curve(n: int, counts: tuple[int, ...]) -> list[Grid]:
    return [Grid(n, m, tuple((i,) for i in range(m))) for m in counts]
