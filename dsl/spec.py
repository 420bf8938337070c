"""The typed Spec: constants folded, functions, labels, scores and properties expanded, names bound.

This is what ``typecheck`` hands to the prover.  Nothing in it refers back to the text except spans.
Every expression is closed over the variables of one world; every storey-1 formula is a boolean
combination of linear comparisons over objectives of policies.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from fractions import Fraction

from dsl.record import dataclass
from dsl.source import Span
from dsl.types import Type

# ---------------------------------------------------------------- expressions over one world's state


@dataclass(frozen=True, slots=True)
class Const:
    value: bool | int | Fraction  # bool for Bool, int for Int, Enum, Char, Fraction for Rational
    type: Type
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Var:
    """A state variable; ``primed`` reads the next state (rewards only)."""

    name: str
    type: Type
    primed: bool
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Unary:
    """``not`` on bool; ``neg``, ``abs``, ``floor``, ``ceil`` on numbers."""

    op: str
    arg: Expr
    type: Type
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Nary:
    """``and or`` on bool (short-circuit, left to right); ``+ * min max`` on numbers; two or more arguments."""

    op: str
    args: tuple[Expr, ...]
    type: Type
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Binary:
    """``- / mod div ^`` on numbers; ``== != < <= > >=``; ``=> <=>`` on bool (``=>`` is short-circuit).

    ``/`` is exact and always Rational.  ``a div b`` is floor(a / b), ``a mod b`` is a - b * (a div b) (integers).
    ``^`` takes a constant integer exponent >= 0 or any when the base is constant (then it is folded).
    """

    op: str
    left: Expr
    right: Expr
    type: Type
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class If:
    """Lazy: only the branch taken is evaluated."""

    condition: Expr
    then: Expr
    otherwise: Expr
    type: Type
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Grid:
    """A constant table of characters; ``rows[y][x]`` is the code point at column x, row y (both from 0).

    ``element`` None: a grid of the spec.  Otherwise the table finds wrong indices of the array ``name``, and column 0 is this index.
    """

    name: str
    rows: tuple[tuple[int, ...], ...]
    element: int | None = None


@dataclass(frozen=True, slots=True)
class Lookup:
    """``grid[x, y]``; an index outside the grid is an error in a reachable state."""

    grid: Grid
    x: Expr
    y: Expr
    type: Type
    span: Span = field(compare=False)


Expr = Const | Var | Unary | Nary | Binary | If | Lookup

# ---------------------------------------------------------------- worlds


@dataclass(frozen=True, slots=True)
class Variable:
    """A state variable of type Bool, Int(low, high) (both bounds known) or Enum."""

    name: str
    type: Type
    initial: bool | int | None  # None: no default given
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Assignment:
    variable: str
    value: Expr
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One branch: with this probability these assignments are made, from the old values, all at once."""

    probability: Expr
    assignments: tuple[Assignment, ...]
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Action:
    """A command.  Several Actions may share a name if their guards exclude each other.

    ``label`` is what reward clauses call it (None: its name); an imported command without a label has the label "".
    """

    name: str
    guard: Expr | None
    outcomes: tuple[Outcome, ...]
    span: Span = field(compare=False)
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Synchronised:
    """An action in which every part takes one of its enabled commands at the same time; it is enabled if each part has one.

    Guards and values are read in the old state, probabilities multiply, and no variable is assigned by two parts
    (whoever builds one makes sure of that).  At most one command of a part may be enabled (E305), unless the world is
    ``numbered``: then every combination of enabled commands is a choice, in lexicographic order, and is called
    ``name#i.j`` after the places (from 1) of its commands in the parts that have more than one (``name`` if none has).
    ``label`` is what reward clauses call it (None: its name).
    """

    name: str
    parts: tuple[tuple[Action, ...], ...]
    span: Span = field(compare=False)
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Label:
    name: str
    condition: Expr
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class RewardClause:
    """Adds ``value`` on a transition of ``action`` (None: any) that meets ``guard`` (may read primes)."""

    action: str | None
    guard: Expr | None
    value: Expr
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Reward:
    """The sum of the clauses that apply to a transition (state, action, next state)."""

    name: str
    clauses: tuple[RewardClause, ...]
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class InitOutcomes:
    """``init { 1/2: x = 0; 1/2: x = 1 }``; variables not named keep their defaults."""

    outcomes: tuple[Outcome, ...]
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class InitUniform:
    """``init uniform phi``: uniform over the valuations that satisfy phi; variables with a default that phi does not read keep it."""

    condition: Expr
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Table:
    """An explicit world: rows of integers over the values of the one variable ``state : 0..n-1``.

    Choices of state s are ``choice_start[s] .. choice_start[s + 1]``, transitions of choice c likewise;
    ``probability[t]`` is an index into ``probabilities``; the successors of a choice are distinct, its probabilities
    positive and of sum exactly 1.  ``rewards[name]`` is (index, values): transition t earns ``values[index[t]]``, and
    ``values[0]`` is 0.  The sequences are lists or arrays of integers.
    """

    actions: tuple[str, ...]
    initial: tuple[tuple[int, Fraction], ...]
    choice_start: Sequence[int]
    action: Sequence[int]
    transition_start: Sequence[int]
    successor: Sequence[int]
    probability: Sequence[int]
    probabilities: tuple[Fraction, ...]
    rewards: Mapping[str, tuple[Sequence[int], tuple[Fraction, ...]]]


@dataclass(frozen=True, slots=True)
class World:
    """``chain``: what is enabled in a state is drawn uniformly, so that every state has one choice (a Markov chain as PRISM reads it).
    ``deadlock_pays``: in the loop that ``deadlock_absorbs`` adds, clauses without an action are paid (PRISM's rewards of states).
    ``table``: the transitions are listed there; then ``actions`` is empty and ``init`` None.
    ``notes``: what an import took on trust or changed, for reports.
    """

    name: str
    variables: tuple[Variable, ...]
    init: InitOutcomes | InitUniform | None  # None: the variables' defaults
    actions: tuple[Action | Synchronised, ...]
    labels: tuple[Label, ...]
    rewards: tuple[Reward, ...]
    deadlock_absorbs: bool
    span: Span = field(compare=False)
    numbered: bool = False
    chain: bool = False
    table: Table | None = None
    notes: tuple[str, ...] = ()
    deadlock_pays: bool = False


# ---------------------------------------------------------------- path formulas and objectives


@dataclass(frozen=True, slots=True)
class Atom:
    """A state condition; ``text`` is how the user wrote it, for reports."""

    condition: Expr
    text: str = field(compare=False)


@dataclass(frozen=True, slots=True)
class PathNot:
    arg: Path


@dataclass(frozen=True, slots=True)
class PathAnd:
    args: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class PathOr:
    args: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Next:
    arg: Path


@dataclass(frozen=True, slots=True)
class Until:
    """``left U right``, ``left U<=bound right``.  ``F`` is Until(true, .); ``G phi`` is PathNot(F not phi)."""

    left: Path
    right: Path
    bound: int | None


Path = Atom | PathNot | PathAnd | PathOr | Next | Until


@dataclass(frozen=True, slots=True)
class Horizon:
    steps: int


@dataclass(frozen=True, slots=True)
class Discount:
    factor: Fraction  # 0 <= factor < 1, checked


@dataclass(frozen=True, slots=True)
class UntilState:
    condition: Atom


@dataclass(frozen=True, slots=True)
class Total:
    pass


@dataclass(frozen=True, slots=True)
class Expected:
    """``E[reward, horizon | discount | until | total]`` in ``world``."""

    world: str
    reward: str
    mode: Horizon | Discount | UntilState | Total
    text: str = field(compare=False)
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Probability:
    """``P[path]`` in ``world``."""

    world: str
    path: Path
    text: str = field(compare=False)
    span: Span = field(compare=False)


Objective = Expected | Probability

# ---------------------------------------------------------------- storey 1: formulas over policies


@dataclass(frozen=True, slots=True)
class Value:
    """The value of an objective under a policy: a quantified policy variable or a named policy."""

    objective: Objective
    policy: str


@dataclass(frozen=True, slots=True)
class Optimum:
    """``max(J)`` or ``min(J)`` over the policy type ``over``; J is given as its linear body (no constant, no optimum inside)."""

    kind: str  # "max" | "min"
    over: str
    body: tuple[tuple[Fraction, Objective], ...]
    constant: Fraction
    text: str = field(compare=False)


@dataclass(frozen=True, slots=True)
class Unknown:
    """The variable of a ``find``."""

    name: str


Term = Value | Optimum | Unknown


@dataclass(frozen=True, slots=True)
class Linear:
    """sum of coefficient * term + constant; terms are distinct, coefficients non-zero."""

    terms: tuple[tuple[Fraction, Term], ...]
    constant: Fraction


@dataclass(frozen=True, slots=True)
class Compare:
    """``linear < 0``, ``linear <= 0`` (op "<" or "<="); other comparisons are desugared to these."""

    op: str
    linear: Linear
    text: str = field(compare=False)


@dataclass(frozen=True, slots=True)
class Truth:
    value: bool


@dataclass(frozen=True, slots=True)
class Not:
    arg: Formula


@dataclass(frozen=True, slots=True)
class And:
    args: tuple[Formula, ...]


@dataclass(frozen=True, slots=True)
class Or:
    args: tuple[Formula, ...]


Formula = Compare | Truth | Not | And | Or


@dataclass(frozen=True, slots=True)
class Quantified:
    """``forall`` or ``exists`` over policy variables (name, policy type), a quantifier-free body.

    No quantifier: ``kind`` is "forall" and ``variables`` is empty (a closed formula over named policies).
    """

    kind: str  # "forall" | "exists"
    variables: tuple[tuple[str, str], ...]
    body: Formula


# ---------------------------------------------------------------- policies


@dataclass(frozen=True, slots=True)
class PolicyType:
    name: str
    world: str
    deterministic: bool
    memoryless: bool
    memory: int | None  # memory k: a controller with k nodes
    observes: tuple[str, ...] | None
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class OptimalPolicy:
    """``maximize J`` / ``minimize J``, ``subject to`` a property of the policy (the bound variable is ``self``)."""

    kind: str  # "max" | "min"
    body: Linear
    subject_to: Formula | None
    text: str = field(compare=False)


@dataclass(frozen=True, slots=True)
class Rule:
    """``when guard: action`` or ``when guard: { 1/2: a; 1/2: b }``; guard None is ``else``."""

    guard: Expr | None
    actions: tuple[tuple[Expr, str], ...]  # probability (an expression over the state), action name


@dataclass(frozen=True, slots=True)
class TablePolicy:
    """The first rule whose guard holds decides."""

    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class FilePolicy:
    path: str  # as written, relative to the spec


@dataclass(frozen=True, slots=True)
class Policy:
    name: str
    type: str
    body: OptimalPolicy | TablePolicy | FilePolicy
    span: Span = field(compare=False)


# ---------------------------------------------------------------- storeys 2 and 3: training


@dataclass(frozen=True, slots=True)
class Event:
    """A storey-1 formula over the bound policy variable ``variable``."""

    variable: str
    body: Formula
    text: str = field(compare=False)


@dataclass(frozen=True, slots=True)
class Mixture:
    parts: tuple[tuple[Fraction, str], ...]  # probability, named policy; sums to 1 (checked)
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Runs:
    """Policies drawn i.i.d. from T, read from the files that match ``pattern``."""

    pattern: str
    confidence: Fraction
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Samples:
    """``samples k of n satisfy event confidence c``."""

    successes: int
    size: int
    event: Event
    confidence: Fraction
    span: Span = field(compare=False)


Evidence = Mixture | Runs | Samples


@dataclass(frozen=True, slots=True)
class Training:
    name: str
    type: str
    evidence: tuple[Evidence, ...]
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class ProbabilityOf:
    """``P[pi ~ T](event given condition)``."""

    training: str
    event: Event
    given: Event | None


@dataclass(frozen=True, slots=True)
class ExpectationOf:
    """``E[pi ~ T](J(pi))``: J as a Linear over the bound variable."""

    training: str
    variable: str
    body: Linear
    text: str = field(compare=False)


@dataclass(frozen=True, slots=True)
class MeasureLinear:
    terms: tuple[tuple[Fraction, ProbabilityOf | ExpectationOf], ...]
    constant: Fraction


@dataclass(frozen=True, slots=True)
class MeasureCompare:
    """``linear < 0`` or ``linear <= 0``."""

    op: str
    linear: MeasureLinear
    text: str = field(compare=False)


@dataclass(frozen=True, slots=True)
class MeasureNot:
    arg: MeasureFormula


@dataclass(frozen=True, slots=True)
class MeasureAnd:
    args: tuple[MeasureFormula, ...]


@dataclass(frozen=True, slots=True)
class MeasureOr:
    args: tuple[MeasureFormula, ...]


MeasureFormula = MeasureCompare | MeasureNot | MeasureAnd | MeasureOr

# ---------------------------------------------------------------- claims


@dataclass(frozen=True, slots=True)
class Claim:
    """``claim name: phi`` or ``theorem name: phi by a, b``.

    ``by`` None: everything that stands before it may be used; a tuple: only these claims and assumptions.
    """

    name: str
    kind: str  # "claim" | "theorem"
    body: Quantified | MeasureFormula
    by: tuple[str, ...] | None
    text: str = field(compare=False)
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Find:
    """``find x in I maximal|minimal for phi``; an absent bound of I is None."""

    name: str
    kind: str  # "maximal" | "minimal"
    low: Fraction | None
    low_closed: bool
    high: Fraction | None
    high_closed: bool
    body: Quantified
    text: str = field(compare=False)
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Assume:
    name: str
    body: Quantified | MeasureFormula
    because: str
    text: str = field(compare=False)
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Spec:
    """``statements`` are claims, theorems, finds and assumptions in the order of the file (imports first)."""

    worlds: tuple[World, ...]
    policy_types: tuple[PolicyType, ...]
    policies: tuple[Policy, ...]
    trainings: tuple[Training, ...]
    statements: tuple[Claim | Find | Assume, ...]
    scores: tuple[tuple[str, Optimum], ...] = ()  # declared scores as max(J) terms, for well-definedness and reports

    def world(self, name: str) -> World:
        return next(world for world in self.worlds if world.name == name)

    def policy_type(self, name: str) -> PolicyType:
        return next(type for type in self.policy_types if type.name == name)

    def policy(self, name: str) -> Policy:
        return next(policy for policy in self.policies if policy.name == name)

    def training(self, name: str) -> Training:
        return next(training for training in self.trainings if training.name == name)

