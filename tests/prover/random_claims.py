"""Small worlds and claims drawn from a random source, for comparing methods."""

from __future__ import annotations

from fractions import Fraction
from random import Random

from tests.prover.brute import World

RESTRICTIONS = ("", " { deterministic; memoryless }", " { memoryless }")
NUMBERS = [Fraction(n, d) for n, d in ((0, 1), (1, 1), (1, 2), (1, 3), (2, 3), (3, 4), (2, 1), (3, 1), (3, 2))]


def split(rng: Random, targets: list[int]) -> dict[int, Fraction]:
    if len(targets) == 1:
        return {targets[0]: Fraction(1)}
    whole = rng.choice((2, 3, 4, 5))
    part = rng.randint(1, whole - 1)
    return {targets[0]: Fraction(part, whole), targets[1]: Fraction(whole - part, whole)}


def some(rng: Random, states: int) -> frozenset[int]:
    return frozenset(rng.sample(range(states), rng.choice((1, 1, 2)) if states > 2 else 1))


def world(rng: Random, loops: bool) -> World:
    """``loops``: any action may pay, always a loss; else pay is a reward or a loss, and paid only on the way down."""
    states = rng.randint(2, 5)
    moves: list[dict[str, dict[int, Fraction]]] = []
    pay: dict[tuple[int, str], Fraction] = {}
    for s in range(states):
        actions: dict[str, dict[int, Fraction]] = {}
        for name in "abc"[: rng.choice((1, 2, 2, 3)) if s < states - 1 else 1]:
            targets = rng.sample(range(states), rng.choice((1, 1, 2)))
            actions[name] = split(rng, targets)
            amount = rng.choice(NUMBERS)
            down = all(t > s for t in targets)
            if rng.random() < 0.6 and amount and (loops or down):
                pay[s, name] = -amount if loops and not down else rng.choice((amount, amount, -amount))
        moves.append(actions)
    init = {0: Fraction(1)} if rng.random() < 0.7 else split(rng, rng.sample(range(states), 2))
    return World(tuple(moves), pay, some(rng, states), some(rng, states), init)


def objective(rng: Random, kind: str) -> tuple:
    a, b = rng.choice((("goal", "bad"), ("bad", "goal")))
    paths = [("F", a), ("G", b), ("U", a, b), ("GF", a), ("FG", b), ("F", "bad"), ("F", "goal")]
    bounded = [("X", a), ("Fk", rng.randint(0, 2), b), ("horizon", rng.randint(0, 3))]
    match kind:
        case "endless":
            return rng.choice([*paths, ("total",), ("until",), ("total",)])
        case "bounded":
            return rng.choice(bounded)
        case "discount":
            return rng.choice([("discount", Fraction(1, 2)), ("discount", Fraction(9, 10)), ("discount", Fraction(0))])
    return rng.choice([*paths, ("total",), *bounded])


def atom(rng: Random, count: int, who: tuple[str, ...], optima: bool) -> tuple:
    def scale() -> Fraction:
        return rng.choice((Fraction(1), Fraction(1), Fraction(2), Fraction(1, 2))) * rng.choice((1, 1, -1))

    terms: dict[tuple[int, str], Fraction] = {}
    for _ in range(rng.choice((1, 1, 2))):
        terms[rng.randrange(count), rng.choice(who)] = scale()
    if optima and rng.random() < 0.4:
        terms[rng.randrange(count), rng.choice(("max", "max", "min"))] = scale()
    parts = [(c, i, name) for (i, name), c in terms.items()]
    return ("cmp", rng.choice(("<", "<=", ">", ">=")), (parts, rng.choice(NUMBERS) * rng.choice((1, -1))))


def boolean(rng: Random, count: int, who: tuple[str, ...], depth: int, optima: bool) -> tuple:
    if depth == 0 or rng.random() < 0.25:
        return atom(rng, count, who, optima)
    word = rng.choice(("not", "and", "or", "or", "=>"))
    parts = [boolean(rng, count, who, depth - 1, optima) for _ in range(1 if word == "not" else 2)]
    return (word, *parts)


def near(score: int, who: str, eps: Fraction | None) -> tuple:
    """Is the score of the policy within eps of the best?  None: the unknown of a find."""
    if eps is None:
        return ("cmp", "<", ([(Fraction(1), score, "max"), (Fraction(-1), score, who), (Fraction(-1), -1, "eps")], Fraction(0)))
    return ("cmp", "<", ([(Fraction(1), score, "max"), (Fraction(-1), score, who)], -eps))


def safe(rng: Random, count: int, who: str) -> tuple:
    bound = rng.choice((Fraction(0), Fraction(1, 10), Fraction(1, 2), Fraction(2, 3), Fraction(1)))
    return ("cmp", rng.choice(("<=", "<=", "<", ">=")), ([(Fraction(1), rng.randrange(count), who)], -bound))


def claim(rng: Random, count: int, who: tuple[str, ...]) -> tuple:
    if rng.random() < 0.4:
        eps = rng.choice([x for x in NUMBERS if x])
        return ("=>", near(0, who[0], eps), safe(rng, count, who[-1]))
    return boolean(rng, count, who, 3 if len(who) == 1 else 2, True)
