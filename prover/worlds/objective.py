"""Objectives of the spec into *streams*: rewards paid along a run, which a product of the world can carry.

A safe path formula becomes 1 minus the probability of its co-safe negation, F G phi becomes
1 minus P[G F not phi]; after that every objective is a constant plus a multiple of one stream.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any, assert_never

from dsl.diagnostic import Diagnostic, SpecError
from dsl.record import dataclass
from dsl.source import Span
from dsl.spec import Atom, Const, Discount, Expected, Expr, Horizon, Nary, Objective, Probability, Total, Unary, UntilState
from dsl.types import Bool
from prover.worlds import automaton
from prover.worlds.automaton import Nnf

NOWHERE = Span("", 1, 1, 1, 1)


@dataclass(frozen=True)
class Stream:
    """One reward stream of one world; ``kind`` is probability, recurrence, total, until, horizon or discount."""

    world: str
    kind: str
    path: Nnf | None = None  # probability (co-safe)
    atom: int | None = None  # recurrence and until: index of the state condition
    reward: str | None = None
    steps: int = 0  # horizon
    factor: Fraction | None = None  # discount

    @property
    def sums_for_ever(self) -> bool:
        """Total and until rewards: the only streams whose sum can be infinite."""
        return self.kind in ("total", "until")

    @property
    def group(self) -> Fraction | None:
        """The discount factor of the stream's tail; None for undiscounted."""
        return self.factor

    def to_json(self, world: int) -> dict[str, object]:
        """The objective as proof files write it."""
        match self.kind:
            case "probability":
                return {"world": world, "kind": "probability", "path": _lists(self.path)}
            case "recurrence":
                return {"world": world, "kind": "recurrence", "atom": self.atom}
            case "total":
                mode: list[object] = ["total"]
            case "until":
                mode = ["until", self.atom]
            case "horizon":
                mode = ["horizon", self.steps]
            case _:
                mode = ["discount", str(self.factor)]
        return {"world": world, "kind": "expected", "reward": self.reward, "mode": mode}


def _lists(formula: Any) -> Any:
    return [_lists(part) for part in formula] if isinstance(formula, tuple) else formula


@dataclass(frozen=True)
class Affine:
    """constant + scale * stream."""

    constant: Fraction
    scale: Fraction
    stream: Stream


class Atoms:
    """Numbers the state conditions of each world in the order in which they are met."""

    def __init__(self) -> None:
        self.of_world: dict[str, list[Atom]] = {}

    def number(self, world: str, atom: Atom) -> int | bool:
        condition = atom.condition
        if isinstance(condition, Const):
            return bool(condition.value)
        known = self.of_world.setdefault(world, [])
        if atom not in known:
            known.append(atom)
        return known.index(atom)


def stream(objective: Objective, atoms: Atoms) -> Affine:
    """The objective as an affine function of one stream; SpecError E401 if its path formula is outside the fragments."""
    world = objective.world
    one = Fraction(1)
    if isinstance(objective, Expected):
        result: Stream
        match objective.mode:
            case Horizon(steps):
                result = Stream(world, "horizon", reward=objective.reward, steps=steps)
            case Discount(factor):
                result = Stream(world, "discount", reward=objective.reward, factor=factor)
            case Total():
                result = Stream(world, "total", reward=objective.reward)
            case UntilState(condition=condition):
                number = atoms.number(world, condition)
                if number is True:  # the goal holds at once: nothing is ever earned
                    result = Stream(world, "horizon", reward=objective.reward, steps=0)
                elif number is False:
                    result = Stream(world, "total", reward=objective.reward)
                else:
                    result = Stream(world, "until", reward=objective.reward, atom=number)
            case other:
                assert_never(other)
        return Affine(Fraction(0), one, result)
    return _probability(objective, atoms)


def _probability(objective: Probability, atoms: Atoms) -> Affine:
    world = objective.world
    path = automaton.normal_form(objective.path, lambda atom: atoms.number(world, atom))
    if automaton.is_cosafe(path):
        return Affine(Fraction(0), Fraction(1), Stream(world, "probability", path=path))
    opposite = automaton.negate(path)
    if automaton.is_cosafe(opposite):
        return Affine(Fraction(1), Fraction(-1), Stream(world, "probability", path=opposite))
    for formula, constant, scale in ((path, 0, 1), (opposite, 1, -1)):
        condition = automaton.recurrence(formula)
        if condition is not None:
            state = _expression(world, condition, atoms)
            number = atoms.number(world, Atom(state, state_text(world, condition, atoms)))
            if isinstance(number, bool):  # always or never, whatever is played
                certain: Nnf = ("true",) if number else ("false",)
                return Affine(Fraction(constant), Fraction(scale), Stream(world, "probability", path=certain))
            return Affine(Fraction(constant), Fraction(scale), Stream(world, "recurrence", atom=number))
    message = f"`{objective.text}` is neither a safety nor a co-safety formula, nor of the form G F state or F G state"
    raise SpecError([Diagnostic("E401", objective.span, message, "split it into parts that are, or bound its operators")])


def _expression(world: str, condition: Nnf, atoms: Atoms) -> Expr:
    """A state condition in normal form as one expression."""
    span = NOWHERE
    match condition[0]:
        case "true" | "false":
            return Const(condition[0] == "true", Bool(), span)
        case "atom":
            return atoms.of_world[world][condition[1]].condition
        case "not-atom":
            return Unary("not", atoms.of_world[world][condition[1]].condition, Bool(), span)
        case word:
            return Nary(word, tuple(_expression(world, part, atoms) for part in condition[1:]), Bool(), span)


def state_text(world: str, condition: Nnf, atoms: Atoms) -> str:
    match condition[0]:
        case "true" | "false":
            return str(condition[0])
        case "atom":
            return atoms.of_world[world][condition[1]].text
        case "not-atom":
            return f"not ({atoms.of_world[world][condition[1]].text})"
        case word:
            return f" {word} ".join(f"({state_text(world, part, atoms)})" for part in condition[1:])
