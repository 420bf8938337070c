"""The syntax tree of a PRISM model; places are offsets into its text."""

from __future__ import annotations

from fractions import Fraction

from dsl.record import dataclass

# ---------------------------------------------------------------- expressions


@dataclass(frozen=True, slots=True)
class Number:
    """An ``int`` if it is written without point and exponent."""

    value: int | Fraction
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Boolean:
    value: bool
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Name:
    text: str
    start: int
    end: int


MINUS = "unary -"  # an operator: no function can be called so


@dataclass(slots=True)
class Apply:
    """An operator or function with its arguments.

    ``a - b + c`` is ``+`` of ``a``, MINUS of ``b`` and ``c``; chains of ``+ * & |`` are one node.  ``depth`` counts nested nodes.
    """

    op: str
    args: list[Expr]
    start: int
    end: int
    depth: int
    open: bool  # not in parentheses yet: a chain may grow


Expr = Number | Boolean | Name | Apply

# ---------------------------------------------------------------- declarations


@dataclass(frozen=True, slots=True)
class Constant:
    name: Name
    type: str  # int, double, bool
    value: Expr | None


@dataclass(frozen=True, slots=True)
class Formula:
    name: Name
    body: Expr


@dataclass(frozen=True, slots=True)
class Label:
    """``name`` is without the quotes; its place is with them."""

    name: Name
    condition: Expr


@dataclass(frozen=True, slots=True)
class Variable:
    """``bounds`` None: a truth value."""

    name: Name
    bounds: tuple[Expr, Expr] | None
    initial: Expr | None


@dataclass(frozen=True, slots=True)
class Assignment:
    name: Name
    value: Expr
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Update:
    probability: Expr | None
    assignments: tuple[Assignment, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Command:
    """``action`` None: ``[]``."""

    action: Name | None
    guard: Expr
    updates: tuple[Update, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Module:
    name: Name
    variables: tuple[Variable, ...]
    commands: tuple[Command, ...]


@dataclass(frozen=True, slots=True)
class Renamed:
    """``module name = base [ old = new, ... ] endmodule``."""

    name: Name
    base: Name
    pairs: tuple[tuple[Name, Name], ...]


@dataclass(frozen=True, slots=True)
class RewardItem:
    """``action`` None: a reward of states; the empty name: of the commands without a label."""

    action: Name | None
    guard: Expr
    value: Expr
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Rewards:
    """``name`` has the empty text if none is written."""

    name: Name
    items: tuple[RewardItem, ...]


# ---------------------------------------------------------------- composition


@dataclass(frozen=True, slots=True)
class Parallel:
    """``||`` (``shared`` None: on all the actions that two operands have), ``|||`` (on none), ``|[a, b]|``."""

    operands: tuple[Composition, ...]
    shared: tuple[Name, ...] | None


@dataclass(frozen=True, slots=True)
class Hide:
    operand: Composition
    actions: tuple[Name, ...]


@dataclass(frozen=True, slots=True)
class Relabel:
    """``P {a <- b}``: what was a is now b."""

    operand: Composition
    pairs: tuple[tuple[Name, Name], ...]


Composition = Name | Parallel | Hide | Relabel


@dataclass(frozen=True, slots=True)
class Model:
    kind: str  # mdp, dtmc
    constants: tuple[Constant, ...]
    formulas: tuple[Formula, ...]
    labels: tuple[Label, ...]
    variables: tuple[Variable, ...]  # global
    modules: tuple[Module | Renamed, ...]
    rewards: tuple[Rewards, ...]
    initial: Expr | None
    system: Composition | None
