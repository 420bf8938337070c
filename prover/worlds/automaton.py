"""Path formulas into deterministic monitors: negation normal form, fragments, progression.

A monitor state is the formula that the run from the next state on must satisfy, kept in minimal
disjunctive normal form over *obligations* (formulas about the future).  A minimal DNF of a monotone
function is unique, so equal obligations are equal states and there are finitely many
(Bacchus & Kabanza 1998, formula progression).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from dsl.spec import Atom, Next, Path, PathAnd, PathNot, PathOr, Until

# A path formula in negation normal form, in the spelling of the proof file:
# ("true",) ("false",) ("atom", a) ("not-atom", a) ("and", ...) ("or", ...) ("next", f)
# ("until", f, g, bound) ("release", f, g, bound)
Nnf = tuple[Any, ...]
State = frozenset[frozenset[Nnf]]  # a disjunction of conjunctions of obligations

TRUE: State = frozenset({frozenset()})
FALSE: State = frozenset()
MAX_CLAUSES = 4096


class FormulaTooLarge(Exception):
    """The monitor's formulas grow beyond MAX_CLAUSES conjunctions."""


def normal_form(path: Path, atom: Callable[[Atom], int | bool], positive: bool = True) -> Nnf:
    """Pushes negations to the atoms; ``atom`` numbers a state condition, or says that it is constant."""
    match path:
        case Atom():
            number = atom(path)
            if isinstance(number, bool):
                return ("true",) if number == positive else ("false",)
            return ("atom", number) if positive else ("not-atom", number)
        case PathNot(arg):
            return normal_form(arg, atom, not positive)
        case PathAnd(args) | PathOr(args):
            word = "and" if isinstance(path, PathAnd) == positive else "or"
            return (word, *(normal_form(arg, atom, positive) for arg in args))
        case Next(arg):
            return ("next", normal_form(arg, atom, positive))
        case Until(left, right, bound):
            word = "until" if positive else "release"
            return (word, normal_form(left, atom, positive), normal_form(right, atom, positive), bound)


def negate(formula: Nnf) -> Nnf:
    duals = {"true": "false", "atom": "not-atom", "and": "or", "until": "release"}
    duals |= {b: a for a, b in duals.items()}
    match formula[0]:
        case "true" | "false":
            return (duals[formula[0]],)
        case "atom" | "not-atom":
            return (duals[formula[0]], formula[1])
        case "and" | "or":
            return (duals[formula[0]], *map(negate, formula[1:]))
        case "next":
            return ("next", negate(formula[1]))
        case _:
            return (duals[formula[0]], negate(formula[1]), negate(formula[2]), formula[3])


def is_cosafe(formula: Nnf) -> bool:
    """No unbounded release: whatever makes it true shows after finitely many steps."""
    if formula[0] == "release" and formula[3] is None:
        return False
    return all(is_cosafe(part) for part in formula[1:] if isinstance(part, tuple))


def is_safe(formula: Nnf) -> bool:
    return is_cosafe(negate(formula))


def recurrence(formula: Nnf) -> Nnf | None:
    """The state condition c if the formula is G F c, else None."""
    match formula:
        case ("release", ("false",), ("until", ("true",), condition, None), None) if not _temporal(condition):
            found: Nnf = condition
            return found
    return None


def _temporal(formula: Nnf) -> bool:
    if formula[0] in ("next", "until", "release"):
        return True
    return any(_temporal(part) for part in formula[1:] if isinstance(part, tuple))


def longest_bound(formula: Nnf) -> int:
    """An upper bound on the steps after which a formula with only bounded operators is decided; 0 beside unbounded ones."""
    match formula[0]:
        case "next":
            return 1 + longest_bound(formula[1])
        case "until" | "release":
            return (formula[3] or 0) + max(longest_bound(formula[1]), longest_bound(formula[2]))
        case _:
            return max((longest_bound(part) for part in formula[1:] if isinstance(part, tuple)), default=0)


def start(formula: Nnf) -> State:
    """The monitor before it has seen the first state; progress it with that state."""
    return frozenset({frozenset({formula})})


def progress(state: State, holds: Callable[[int], bool]) -> State:
    """The monitor after a state in which atom a holds iff ``holds(a)``."""
    result: State = FALSE
    for clause in state:
        step: State = TRUE
        for obligation in sorted(clause, key=key_of):
            step = _and(step, _step(obligation, holds))
            if not step:
                break
        result = _or(result, step)
        if result == TRUE:
            break
    return result


def _step(formula: Nnf, holds: Callable[[int], bool]) -> State:
    match formula[0]:
        case "true":
            return TRUE
        case "false":
            return FALSE
        case "atom":
            return TRUE if holds(formula[1]) else FALSE
        case "not-atom":
            return FALSE if holds(formula[1]) else TRUE
        case "and":
            result = TRUE
            for part in formula[1:]:
                result = _and(result, _step(part, holds))
            return result
        case "or":
            result = FALSE
            for part in formula[1:]:
                result = _or(result, _step(part, holds))
            return result
        case "next":
            return _obligation(formula[1])
        case word:
            _, left, right, bound = formula
            later = None
            if bound != 0:
                later = _obligation((word, left, right, None if bound is None else bound - 1))
            now = _step(right, holds)
            if word == "until":
                return now if later is None else _or(now, _and(_step(left, holds), later))
            return now if later is None else _and(now, _or(_step(left, holds), later))


def _obligation(formula: Nnf) -> State:
    return frozenset({frozenset({formula})})


def _minimal(clauses: set[frozenset[Nnf]]) -> State:
    if len(clauses) > MAX_CLAUSES:
        raise FormulaTooLarge
    return frozenset(c for c in clauses if not any(d < c for d in clauses))


def _or(left: State, right: State) -> State:
    if left == TRUE or right == TRUE:
        return TRUE
    if not left or not right:
        return left or right
    return _minimal(set(left | right))


def _and(left: State, right: State) -> State:
    if left == TRUE:
        return right
    if right == TRUE:
        return left
    if len(left) * len(right) > MAX_CLAUSES:
        raise FormulaTooLarge
    return _minimal({a | b for a in left for b in right})


def key_of(formula: Nnf) -> str:
    return json.dumps(formula, separators=(",", ":"))


def key(state: State) -> str:
    """The name of a monitor state in proof files."""
    if state == TRUE:
        return "true"
    if not state:
        return "false"
    return " | ".join(sorted(" & ".join(sorted(map(key_of, clause))) for clause in state))
