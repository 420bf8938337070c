"""More problems in the spirit of ``tricky.json``; the oracle answers them, and a hand where it cannot."""

from __future__ import annotations

import random
from fractions import Fraction

from tests.cases.convert import Answer
from tests.cases.oracle import Bound, Problem, World, bound, cost, world

BAD = "bad"


def hit(op: str, value: str, states: str = BAD, steps: int | None = None) -> Bound:
    return bound("F", op, value, good=states, steps=steps)


def path(kind: str, good: str = "", bad: str = "", steps: int | None = None) -> Bound:
    """A path formula as a score."""
    return bound(kind, "<=", "1", good, bad, steps)


def total(safe: Bound | tuple[Bound, ...], *lines: str, start: str = "s", either: bool = False) -> Problem:
    return scored("total", safe, *lines, start=start, either=either)


def scored(score: str | Bound, safe: Bound | tuple[Bound, ...], *lines: str, start: str = "s", either: bool = False) -> Problem:
    return Problem(world(start, *lines), safe if isinstance(safe, tuple) else (safe,), score, either)


def chain(length: int, slip: str) -> list[str]:
    """A walk of ``length`` steps, each of which slips into bad; at the end a choice."""
    keep = 1 - Fraction(slip)
    steps = [f"c{i} on 1/10 c{i + 1} {keep} bad {slip}" for i in range(length)]
    return [*steps, f"c{length} rest 1 done", f"c{length} jump 9/10 done 1/2 bad 1/2"]


SIMPLE = ("s safe 10 done", "s risky 9 bad 1/2 done 1/2")
TINY = "1/1000000000000000000000000000000"  # 1e-30
ALMOST = "999999999999999999999999999999/1000000000000000000000000000000"

ROWS: dict[str, Problem] = {
    # total reward: loops that lose, loops that wait
    "losing-loop": total(hit("<=", "1/10"), "s loop -1 s", "s out 5 done", "s dare 4 bad 1/2 done 1/2"),
    "unsafe-only-by-losing-for-ever": total(hit("<=", "1/10", "pit"), "s out 1 done", "s in 100 pit", "pit lose -1 pit"),
    "unsafe-if-never-leaving": total(hit(">=", "1/2", "done"), "s loop -1 s", "s out 5 done", "s slow -1 s 1/2 done 1/2"),
    "losing-loop-with-an-exit": total(hit("<", "1/3"), "s in 2 pit", "s out 1 done", "pit lose -1 pit", "pit climb 0 bad 1/3 done 2/3"),
    "losing-cycle-of-two": total(hit("<=", "1/4"), "a on -2 b", "b on 1 a", "a out 3 done", "b out 5 bad 1/2 done 1/2", start="a"),
    "zero-loop": total(hit("<=", "1/2"), "s wait 0 s", "s go -1 bad", "s out 2 done"),
    "zero-loop-is-the-optimum": total(hit("<=", "1/4"), "s wait 0 s", "s go -1 bad 1/2 done 1/2"),
    "zero-loop-that-gambles": total(hit("<=", "1/3"), "s wait 0 s", "s try 0 s 1/2 bad 1/4 done 1/4", "s out 0 done", "bad pay -3 done"),
    "waiting-in-bad": total(hit("<=", "1/5"), "s safe 1 done", "s risky 3/4 bad", "bad wait 0 bad", "bad back 1/8 done"),
    "wait-or-lose": total(hit("<=", "1/3"), "s wait 0 s", "s lose -1 s", "s take 1 t", "t wait 0 t", "t go -1/2 bad", "t back -2 s"),
    # end components with several exits
    "component-two-exits": total(hit("<=", "1/5"), "a ab 0 b", "b ba 0 a", "a out 1 done", "b leave 3/4 done 1/2 bad 1/2", start="a"),
    "component-three-exits": total(
        (hit("<=", "1/5"), hit("<", "1/3", "worse")),
        *("a ab 0 b 1/2 c 1/2", "b ba 0 a", "c ca 0 a", "a out 3 done", "b out 5/2 bad 1/3 done 2/3", "c out 2 worse"),
        start="a",
    ),
    "component-with-risk-inside": total(
        hit("<=", "3/10"), "a ab 0 b", "b ba 0 a 9/10 bad 1/10", "b stay 0 b", "a out 1 done", "bad on -1 done", start="a"
    ),
    "component-through-bad": total(hit("<=", "1/2"), "s go 0 bad", "bad back 0 s", "s out 2 done", "bad out 1 done"),
    # bounds at exactly the maximal risk
    "bound-at-max-risk-open": total(hit("<=", "1/2"), *SIMPLE),
    "bound-at-max-risk-closed": total(hit("<", "1/2"), *SIMPLE),
    "bound-just-below-max-risk": total(hit("<=", "499999999999999999999/1000000000000000000000"), *SIMPLE),
    "bound-one-closed": total(hit("<", "1"), "s wait 0 s", "s try 1 t", "t pay -2 s", "s go -2 bad", "t fall 0 bad"),
    "bound-zero-closed": total(hit(">", "0"), *SIMPLE),
    "bound-at-least-zero": total(hit(">=", "0"), *SIMPLE),
    "optimum-is-unsafe": total(hit("<=", "1/10"), "s safe 9 done", "s risky 10 bad 1/2 done 1/2"),
    "optimum-on-the-bound": total(hit("<=", "1/2"), "s safe 9 done", "s risky 10 bad 1/2 done 1/2", "s mad 8 bad"),
    # several bounds
    "and-of-two": total((hit("<=", "1/5"), hit("<", "1/10", "worse")), "s safe 4 done", "s p 3 bad", "s q 2 worse 1/2 bad 1/2"),
    "and-open-and-closed-tie": total((hit("<=", "1/2"), hit("<", "1/2", "worse")), "s safe 4 done", "s p 3 bad", "s q 3 worse"),
    "or-of-two": total((hit("<=", "1/5"), hit("<=", "1/10", "worse")), "s safe 4 done", "s p 3 bad", "s q 2 worse", either=True),
    "or-one-unbreakable": total(
        (hit("<=", "1/5"), hit("<=", "1/2", "worse")), "s safe 4 done", "s p 3 bad", "s q 2 worse 1/2 bad 1/2", either=True
    ),
    "or-strict-both": total((hit("<", "1/4"), hit("<", "1/3", "worse")), "s safe 4 done", "s p 3 bad", "s q 2 worse", either=True),
    "or-three-corners": total(
        (hit("<=", "2/5"), hit("<", "2/5", "worse")),
        "s safe 4 done",
        "s p 3 bad",
        "s q 2 worse",
        "s both 1 m",
        "m on 0 w",
        "w on 0 bad 1/2 worse 1/2",
        either=True,
    ),
    # objectives that are probabilities
    "reach-past-bad": scored(
        path("F", "goal"), hit("<=", "1/4"), "s near 0 bad", "bad on 0 goal 1/2 lost 1/2", "s far 0 goal 4/5 lost 1/5", "s none 0 lost"
    ),
    "reach-both": scored(path("F", "goal bad"), hit("<=", "1/4"), "s g 0 goal 3/4 lost 1/4", "s b 0 bad 1/2 lost 1/2", "goal on 0 done"),
    "reach-with-waiting": scored(
        path("F", "goal"),
        hit("<", "1/3"),
        "s wait 0 s",
        "s try 0 s 1/2 goal 1/4 bad 1/4",
        "bad on 0 goal 1/10 lost 9/10",
        "s out 0 goal 3/5 lost 2/5",
    ),
    "avoid-until": scored(path("U", "goal", "bad"), hit("<=", "1/3"), "s a 0 goal 1/2 bad 1/2", "bad on 0 goal", "s b 0 goal 2/3 lost 1/3"),
    "globally-as-score": scored(path("G", bad="bad"), hit("<=", "1/4", "goal"), "s wait 0 s", "s go 0 goal 2/3 bad 1/3", "goal on 0 s"),
    # discounting
    "discount-then-rest": scored("discount 1/2", hit("<=", "1/4"), "s a 1 m", "s b 2 done", "m c 3/2 bad 1/2 done 1/2", "m d 2 done"),
    "discount-zero": scored("discount 0", hit("<=", "1/4"), "s a 1 m", "s b 1 done", "s c 1/2 bad", "m go 100 bad", "m out -100 done"),
    "discount-late": scored(
        "discount 9/10", hit("<", "1/2"), "s a 0 t", "t b 0 u", "u c 1 done", "u d 9/10 bad", "s e 1/2 bad 1/2 done 1/2"
    ),
    # horizons
    "horizon-none": scored("horizon 0", hit("<=", "1/2"), *SIMPLE),
    "horizon-none-bounded": scored("horizon 0", hit("<=", "0", steps=0), *SIMPLE),
    "horizon-one": scored("horizon 1", hit("<=", "1/4", steps=1), "s on 1 t", "s off 1/2 bad", "t on 5 bad"),
    "horizon-one-bound-two": scored("horizon 1", hit("<=", "1/4", steps=2), "s on 1 t", "s off 1/2 done", "t on 5 bad", "t off -5 done"),
    "horizon-two-paid-loop": scored("horizon 2", hit("<=", "1/3", steps=2), "s on 1 s", "s off 1/2 bad", "bad on -1 s"),
    "horizon-two-in-time": scored("horizon 2", hit("<", "1/2", steps=1), "s on 1 t", "s off 7/4 bad", "t on 1 bad", "t off 1 t"),
    "horizon-three-clock": scored(
        "horizon 3", hit("<=", "1/5", steps=3), "s on 2 s 1/2 t 1/2", "s off 1 t", "t on -1 bad 1/2 s 1/2", "t off 0 s"
    ),
    # where it starts
    "two-starts": total(hit("<=", "1/5"), "s safe 4 done", "s risky 3 bad", "t safe 2 done", "t risky 3/2 bad", start="s 1/3 t 2/3"),
    "starts-bad-sometimes": total(hit("<=", "1/10"), "s safe 4 done", "s risky 3 bad", "bad on 1/2 done", start="s 19/20 bad 1/20"),
    "starts-bad-too-often": total(hit("<=", "1/20"), "s safe 4 done", "s risky 3 bad", "bad on 1/2 done", start="s 9/10 bad 1/10"),
    "starts-on-the-bound": total(hit("<=", "1/10"), "s safe 4 done", "s risky 3 bad", start="s 9/10 bad 1/10"),
    # numbers
    "edge-of-1e-30": total(hit("<=", "0"), f"s safe 1 done {ALMOST} bad {TINY}", "s other 1/2 done"),
    "edge-of-1e-30-at-bound": total(hit("<=", TINY), f"s safe 1 done {ALMOST} bad {TINY}", "s other 1/2 bad"),
    "edge-of-1e-30-loop": total(hit("<=", "1/2"), f"s wait 0 s {ALMOST} bad {TINY}", "s out 1 done", "bad pay 1/2 done"),
    "near-tie-1e-15": total(hit("<=", "1/3"), "s safe 1000000000000000/1000000000000001 done", "s risky 1 bad"),
    "near-tie-other-side": total(hit("<=", "1/3"), "s safe 1 done", "s risky 999999999999999/1000000000000000 bad"),
    "big-and-small": total(hit("<=", "1/2"), "s safe 1000000000000000000001 done", "s risky 1000000000000000000000 bad"),
    "long-chain": total(hit("<=", "1/2"), *chain(24, "1/100"), start="c0"),
    "long-chain-closed": total(hit("<", "1/2"), *chain(20, "1/1000"), start="c0"),
    "slow-loop": total(hit("<=", "1/3"), "s on 0 s 999999/1000000 t 1/1000000", "t good 1 done", "t evil 1/2 bad 1/2 done 1/2"),
    # what cannot be reached
    "unreachable-garbage": total(hit("<=", "1/10"), *SIMPLE, "x pump 5 x", "x out 1000 done", "y up 1 z", "z down -1 y", "y fall 3 bad"),
    # safety by expected cost
    "cost": total(cost("<=", "1/5", s_risky="2", t_slow="1/3"), "s risky 1 t", "s safe 2 t", "t slow 1/2 done", "t fast 1 done"),
    "cost-strict": total(cost("<", "2", s_risky="2"), "s risky 1 done", "s safe 3 done"),
    "cost-at-least": total(cost(">=", "1", s_work="2", s_half="1"), "s work 1 done", "s half 2 done", "s lazy 3/2 done"),
    "cost-of-both-signs": total(cost("<=", "0", s_a="1", t_b="-2", t_c="1"), "s a 3 t", "s skip 2 t", "t b 1 done", "t c 3/4 done"),
    "cost-per-round": total(cost("<=", "3/2", s_try="1"), "s try 1 s 1/2 done 1/2", "s quit 5/2 done"),
    "cost-and-risk": total(
        (cost("<=", "1/2", s_risky="1"), hit("<=", "1/8")), "s risky 2 done 3/4 bad 1/4", "s safe 3 done", "s mad 1 bad"
    ),
    # what must happen
    "must-reach": total(hit(">=", "3/4", "goal"), "s work 5 goal 4/5 done 1/5", "s lazy 4 done", "s sloppy 9/2 goal 1/2 done 1/2"),
    "must-reach-strictly": total(hit(">", "3/4", "goal"), "s work 5 goal", "s lazy 4 done", "s wait 0 s"),
    "must-reach-cannot-fail": total(hit(">=", "1", "goal"), "s on 1 s 1/2 goal 1/2"),
    "must-reach-in-time": total(hit(">=", "1/2", "goal", 2), "s work 2 t", "t on 0 goal", "s detour 3/2 u", "u on 0 t", "s lazy 1 done"),
    # bounded and other path formulas
    "in-time": total(hit("<=", "1/4", steps=2), "s fast 2 bad", "s slow 3 t", "t on 0 u", "u on 0 bad", "t fall -1 bad"),
    "in-time-none": total(hit("<=", "0", steps=0), *SIMPLE),
    "globally": total(bound("G", ">=", "9/10", bad="bad"), *SIMPLE),
    "globally-for-two": total(bound("G", ">", "1/2", bad="bad", steps=2), "s a 2 t", "t b 0 u", "u c 0 bad", "s d 1 t", "t e -1 bad"),
    "until": total(bound("U", ">=", "2/3", "goal", "bad"), "s a 3 bad 1/2 m 1/2", "bad on 0 goal", "m on 0 goal", "s b 4 m", "s c 1 done"),
    "until-in-time": total(
        bound("U", ">=", "1/2", "goal", "bad", 2), "s a 3 m", "m wait 0 m", "m on 0 goal", "s b 4 goal 3/4 bad 1/4", "bad on 0 goal"
    ),
    # classes that differ
    "memory-pays": total(hit("<=", "2/3", "x end"), "s go 0 x 1/3 y 2/3", "x on 0 m", "y on 0 m", "m good 1 done", "m evil 0 end"),
    "memory-of-harm": total(
        hit("<=", "1/2", "bad end"), "s go 0 bad 1/4 m 3/4", "bad on 0 m", "m good 2 done", "m evil 1 end 1/2 done 1/2"
    ),
    "clock-pays": scored("horizon 2", hit("<=", "1/2", steps=2), "x on 1 x", "x exit 3 done", "x trick 2 bad", "bad go 3 done", start="x"),
}


def exact(optimum: str, sup: str | None, attained: bool) -> Answer:
    return Answer(Fraction(optimum), None if sup is None else Fraction(sup), attained, sup is not None)


# Stochastic memoryless policies, by hand.  Where the run decides once only, memory is of no use and the answer is that of class HR.
MEMORYLESS: dict[str, Answer] = {
    "zero-loop": exact("2", "1/2", False),  # leaving by go with q, by out with 1 - q: J = 2 - 3q, risk q > 1/2
    "bound-at-max-risk-open": exact("10", None, False),
    "bound-at-max-risk-closed": exact("10", "9", True),
    "optimum-is-unsafe": exact("10", "10", True),
    "starts-on-the-bound": exact("18/5", "18/5", False),  # any chance of risky breaks the bound
    "near-tie-other-side": exact("1", "2999999999999999/3000000000000000", False),  # 1 - 1e-15 / 3
    "memory-pays": exact("1", "1/2", False),  # evil with q: J = 1 - q, risk 1/3 + 2q/3 > 2/3, so q > 1/2
    "cost-strict": exact("3", "1", True),  # only risky for certain costs 2
    "must-reach-cannot-fail": exact("2", None, False),
    "horizon-none-bounded": exact("0", None, False),
    "two-starts": exact("8/3", "77/30", False),  # cheapest at t: the risk of 1/5 costs 1/10
    "and-open-and-closed-tie": exact("4", "7/2", True),  # q with exactly 1/2
}


def random_problem(seed: int) -> Problem:
    """Four states to decide in, forward moves, waiting loops, losing loops; one or two bounds on what the run hits."""
    rng = random.Random(seed)
    decide = ["s", "t", "u"]
    moves = []
    for i, state in enumerate(decide):
        ahead = [*decide[i + 1 :], "done", "bad", "worse"]
        for k in range(rng.choice([2, 2, 3])):
            kind = rng.random()
            if kind < 0.12:
                moves.append(f"{state} a{k} 0 {state}")
            elif kind < 0.22:
                moves.append(f"{state} a{k} -1 {state}")
            elif kind < 0.34 and i > 0:
                moves.append(f"{state} a{k} -{rng.randint(1, 2)} {rng.choice(decide[:i])}")
            else:
                targets = rng.sample(ahead, k=min(len(ahead), rng.choice([1, 2])))
                weights = [rng.randint(1, 3) for _ in targets]
                shares = " ".join(f"{t} {Fraction(w, sum(weights))}" for t, w in zip(targets, weights, strict=True))
                moves.append(f"{state} a{k} {Fraction(rng.randint(-4, 8), 2)} {shares}")
        moves.append(f"{state} out {rng.randint(-2, 3)} done")
    moves.append(f"bad on {Fraction(rng.randint(-2, 1), 2)} done")
    hits = rng.choice([("bad",), ("bad", "worse"), ("bad worse",)])
    safe = tuple(hit(rng.choice(["<", "<="]), str(Fraction(rng.randint(0, 4), 8)), states) for states in hits)
    if safe[0].value == 0 and safe[0].op == "<":
        safe = (hit("<=", "0"), *safe[1:])
    made: World = world("s", *moves)
    return Problem(made, safe, "total", either=len(safe) == 2 and rng.random() < 0.3)
