"""Hypothesis strategies: expressions over a few variables, and worlds made of them; many have errors on purpose."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import cache
from itertools import combinations

from hypothesis import strategies as st

from dsl.spec import Action, Expr, InitOutcomes, InitUniform, Synchronised, Variable, World
from dsl.types import Bool, Enum, Int
from tests.prover.worlds.build import (
    BOOL,
    SPAN,
    action,
    binary,
    clause,
    const,
    grid,
    if_,
    lookup,
    nary,
    one_of,
    outcome,
    reward,
    unary,
    var,
    variable,
    world,
)

COURSE = grid("#..#", "#>.#", "####")
WIDE = 1 << 40

VARIABLES = (
    variable("x", Int(0, 3), 0),
    variable("y", Int(-2, 2), -1),
    variable("b", BOOL, False),
    variable("d", one_of("Dir", "north", "east", "south"), 0),
    variable("wide", Int(-WIDE, WIDE), 3),
    variable("huge", Int(0, WIDE), 0),
)


@cache
def numbers(variables: tuple[Variable, ...], primed: bool, depth: int, rational: bool) -> st.SearchStrategy[Expr]:
    """Integers, or rationals if allowed."""
    readable = [v for v in variables if isinstance(v.type, Int)]
    leaves: list[st.SearchStrategy[Expr]] = [st.integers(-3, 4).map(const)]
    if readable:
        leaves += [st.sampled_from([var(v, p) for v in readable for p in ({False, primed})])] * 2
    if rational:
        leaves.append(st.sampled_from([Fraction(1, 2), Fraction(-1, 3), Fraction(3, 4), Fraction(10**20, 7)]).map(const))
    leaf = st.one_of(leaves)
    if depth == 0:
        return leaf
    sub = numbers(variables, primed, depth - 1, rational)
    whole = numbers(variables, primed, depth - 1, False)
    anything = numbers(variables, primed, depth - 1, True)
    condition = conditions(variables, primed, depth - 1)
    options = [
        leaf,
        st.builds(nary, st.sampled_from(["+", "*", "min", "max"]), sub, sub),
        st.builds(nary, st.sampled_from(["+", "min", "max"]), sub, sub, sub),
        st.builds(binary, st.just("-"), sub, sub),
        st.builds(binary, st.sampled_from(["div", "mod"]), whole, whole),
        st.builds(lambda op, a, b: binary(op, a, nary("+", unary("abs", b), 1)), st.sampled_from(["div", "mod"]), whole, whole),
        st.builds(unary, st.sampled_from(["neg", "abs"]), sub),
        st.builds(unary, st.sampled_from(["floor", "ceil"]), anything),
        st.builds(lambda base, n: binary("^", base, n), sub, st.integers(0, 4)),
        st.builds(if_, condition, sub, sub),
    ]
    if rational:
        options.append(st.builds(binary, st.just("/"), sub, sub))
    return st.one_of(options)


@cache
def conditions(variables: tuple[Variable, ...], primed: bool, depth: int) -> st.SearchStrategy[Expr]:
    flags = [var(v, p) for v in variables if isinstance(v.type, Bool) for p in {False, primed}]
    enums = [var(v, p) for v in variables if isinstance(v.type, Enum) for p in {False, primed}]
    leaves: list[st.SearchStrategy[Expr]] = [st.booleans().map(const)]
    if flags:
        leaves.append(st.sampled_from(flags))
    if enums:
        leaves.append(st.builds(lambda e, i: binary("==", e, i), st.sampled_from(enums), st.integers(0, 2)))
    if depth == 0:
        return st.one_of(leaves)
    number = numbers(variables, primed, depth - 1, True)
    whole = numbers(variables, primed, depth - 1, False)
    sub = conditions(variables, primed, depth - 1)
    compare = st.builds(binary, st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), number, number)
    cell = st.builds(lambda x, y, c: binary("==", lookup(COURSE, x, y), ord(c)), whole, whole, st.sampled_from("#.>"))
    inside = st.builds(
        lambda x, y, c: binary("==", lookup(COURSE, binary("mod", x, 4), binary("mod", y, 3)), ord(c)), whole, whole, st.sampled_from("#.>")
    )
    return st.one_of(
        *leaves,
        *[compare] * 5,
        *[inside] * 3,
        cell,
        st.builds(nary, st.sampled_from(["and", "or"]), sub, sub),
        st.builds(nary, st.sampled_from(["and", "or"]), sub, sub, sub),
        st.builds(binary, st.sampled_from(["=>", "<=>", "==", "!="]), sub, sub),
        st.builds(unary, st.just("not"), sub),
        st.builds(if_, sub, sub, sub),
    )


def assigned(draw: st.DrawFn, target: Variable, variables: tuple[Variable, ...]) -> Expr:
    """Mostly in range: a flip or a step around, a value, anything clamped; now and then anything."""
    kind = draw(st.integers(0, 11))
    if isinstance(target.type, Bool):
        return draw(conditions(variables, False, 2)) if kind > 4 else unary("not", var(target))
    high = 2 if isinstance(target.type, Enum) else target.type.high
    low = 0 if isinstance(target.type, Enum) else target.type.low
    if isinstance(target.type, Enum):
        return const(draw(st.integers(0, 2))) if kind < 11 else draw(numbers(variables, False, 2, False))
    if kind < 6:
        around = binary("mod", nary("+", binary("-", var(target), low), draw(st.integers(1, 3))), high - low + 1)
        return nary("+", around, low)
    value = draw(numbers(variables, False, 2, False))
    return value if kind == 11 else nary("max", nary("min", value, high), low)


def probabilities(draw: st.DrawFn, variables: tuple[Variable, ...]) -> list[Expr]:
    match draw(st.integers(0, 11)):
        case 0 | 1 | 2:
            return [const(1)]
        case 3 | 4 | 5 | 9 | 10:
            weights = draw(st.lists(st.integers(0, 3), min_size=2, max_size=4).filter(any))
            return [const(Fraction(w, sum(weights))) for w in weights]
        case 6 | 7:
            x = [v for v in variables if v.name == "x"]
            share = binary("/", var(x[0]), 3) if x else const(Fraction(1, 3))
            return [share, binary("-", 1, share)]
        case 8:
            c = draw(conditions(variables, False, 1))
            total = nary("+", 1, if_(c, 1, 2))
            return [binary("/", 1, total), binary("-", 1, binary("/", 1, total)), const(0)]
        case _:
            return draw(st.lists(numbers(variables, False, 1, True), min_size=1, max_size=2))


@cache
def subsets(pool: tuple[Variable, ...], least: int = 1, most: int | None = None) -> list[tuple[Variable, ...]]:
    sizes = range(least, (len(pool) if most is None else most) + 1)
    return [chosen for size in sizes for chosen in combinations(pool, size)]


@st.composite
def worlds(draw: st.DrawFn, wide: bool = False) -> World:
    pool = VARIABLES if wide else VARIABLES[:4]
    variables = draw(st.sampled_from(subsets(pool)))
    names = ["go", "turn", "wait", "stop"]
    actions = []
    for _ in range(draw(st.integers(1, 4))):
        outcomes = []
        for probability in probabilities(draw, variables):
            targets = draw(st.sampled_from(subsets(variables, least=0, most=2)))
            outcomes.append(outcome(probability, **{t.name: assigned(draw, t, variables) for t in targets}))
        guard = draw(st.none() | st.none() | conditions(variables, False, 2))
        actions.append(action(names.pop(0) if draw(st.integers(0, 9)) < 9 else "go", guard, *outcomes))
    rewards = []
    for name in ("points", "damage")[: draw(st.integers(0, 2))]:
        clauses = [
            clause(
                draw(st.sampled_from([None, "go", "turn"])),
                draw(st.none() | conditions(variables, True, 1)),
                draw(numbers(variables, True, 1, True)),
            )
            for _ in range(draw(st.integers(0, 3)))
        ]
        rewards.append(reward(name, *clauses))
    init: InitOutcomes | InitUniform | None = None
    match draw(st.integers(0, 3)):
        case 0:
            targets = [v for v in variables if v.name in ("x", "b")]
            first = outcome(Fraction(1, 4), **{t.name: t.initial for t in targets})
            init = InitOutcomes((first, outcome(Fraction(3, 4), **{t.name: True if t.name == "b" else 2 for t in targets})), SPAN)
        case 1:
            narrow = tuple(v for v in variables if v.name not in ("wide", "huge"))
            condition = draw(conditions(narrow, False, 2))
            init = InitUniform(nary("or", condition, True) if draw(st.booleans()) else condition, SPAN)
    return world(list(variables), actions, rewards, init=init, deadlock_absorbs=draw(st.integers(0, 4)) > 0)


def simple(v: Variable, op: str, value: int) -> Expr:
    return binary(op, if_(var(v), 1, 0) if isinstance(v.type, Bool) else var(v), value)


def around(draw: st.DrawFn, target: Variable, _variables: tuple[Variable, ...]) -> Expr:
    """A value in range."""
    if isinstance(target.type, Bool):
        return unary("not", var(target))
    if isinstance(target.type, Enum):
        return const(draw(st.integers(0, 2)))
    low, size = target.type.low, target.type.high - target.type.low + 1
    return nary("+", binary("mod", nary("+", binary("-", var(target), low), draw(st.integers(1, 3))), size), low)


@st.composite
def composed_worlds(draw: st.DrawFn) -> World:
    """Commands of two or three parts that synchronise, beside commands that do not; numbered or not, a chain or not."""
    plain = draw(worlds())
    variables = draw(st.sampled_from(subsets(VARIABLES[:4], least=2)))
    owner = [draw(st.integers(0, 2)) for _ in variables]
    guards = st.one_of(
        st.none(), st.builds(simple, st.sampled_from(variables), st.sampled_from(["==", "!=", "<=", ">="]), st.integers(0, 2))
    )
    wild = draw(st.integers(0, 3)) == 0

    def command(name: str, part: int | None) -> Action:
        mine = tuple(v for v, p in zip(variables, owner, strict=True) if part is None or p == part)
        outcomes = []
        weights = draw(st.lists(st.integers(0, 3), min_size=1, max_size=3).filter(any))
        for probability in probabilities(draw, variables) if wild else [const(Fraction(w, sum(weights))) for w in weights]:
            targets = draw(st.sampled_from(subsets(mine, least=0, most=2)))
            outcomes.append(outcome(probability, **{t.name: (assigned if wild else around)(draw, t, variables) for t in targets}))
        return action(name, draw(conditions(variables, False, 2) if wild else guards), *outcomes)

    actions: list[Action | Synchronised] = []
    for name in draw(st.lists(st.sampled_from(["go", "turn", "both"]), min_size=1, max_size=2, unique=draw(st.integers(0, 9)) < 9)):
        parts = tuple(tuple(command(name, part) for _ in range(draw(st.integers(1, 3)))) for part in range(draw(st.integers(2, 3))))
        actions.append(Synchronised(name, parts, SPAN, draw(st.sampled_from([None, None, "", "go"]))))
    for name in draw(st.lists(st.sampled_from(["wait", "stop", "turn"]), max_size=2, unique=True)):
        labels = st.sampled_from([None, "", "go"])
        actions.insert(draw(st.integers(0, len(actions))), replace(command(name, None), label=draw(labels)))
    return replace(
        world(list(variables), [], list(plain.rewards) if set(plain.variables) <= set(variables) else []),
        actions=tuple(actions),
        numbered=draw(st.integers(0, 3)) > 0,
        chain=draw(st.integers(0, 2)) == 0,
        deadlock_absorbs=draw(st.integers(0, 7)) > 0,
        deadlock_pays=draw(st.booleans()),
    )
