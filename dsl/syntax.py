"""The syntax tree: what stands in a .spec file, nothing resolved; one frozen dataclass per construct.

Spans do not take part in comparisons, so two texts that differ only in layout give equal trees.
Parentheses leave no node; literals keep their spelling.
"""

from __future__ import annotations

from dataclasses import field
from fractions import Fraction

from dsl.record import dataclass
from dsl.source import Span

# ---------------------------------------------------------------- names and literals


@dataclass(frozen=True, slots=True)
class Name:
    """An identifier, where it is declared and where it is used; ``quoted``: written in backticks (not part of ``name``)."""

    name: str
    quoted: bool
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Qualified:
    """``a::pos``; two or more parts."""

    parts: tuple[Name, ...]
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Number:
    """``text`` is the spelling (``1_000``, ``1e-3``, ``99%``), ``value`` what it means, exactly; ``integer``: digits only, so an int."""

    text: str
    value: Fraction
    integer: bool
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Text:
    """A string; of length 1 it can be a character.  ``text`` is the spelling with its quotes and escapes, ``value`` the content."""

    text: str
    value: str
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Boolean:
    value: bool
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class GridLiteral:
    '''``grid """ ... """``: ``text`` is everything between the quotes as written, ``rows`` its lines without margin.

    The first and the last line are dropped when blank, so is the white space that all rows start with and the blank end of a row.
    '''

    text: str
    rows: tuple[str, ...]
    span: Span = field(compare=False)


# ---------------------------------------------------------------- expressions


@dataclass(frozen=True, slots=True)
class Call:
    """``f(x, y)``; ``function`` is a Name or Qualified, or an objective that is applied: ``P[F hurt](pi)``."""

    function: Expr
    args: tuple[Expr, ...]
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Index:
    """``c[x, y]``: a grid lookup or a member of a family."""

    base: Expr
    args: tuple[Expr, ...]
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Prime:
    """``x'``, ``busy[i]'``: the value in the next state.  Whether it is allowed is checked later."""

    arg: Expr
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Unary:
    """``op`` is ``-`` or ``not``."""

    op: str
    arg: Expr
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Chain:
    """Operators of one level, read from left to right: ``a - b + c`` is operators ("-", "+") and operands (a, b, c).

    The levels are ``or``; ``and``; ``+ -``; ``* / mod div``.  Always one operand more than operators, two or more operands.
    A parenthesised chain inside a chain is an operand of its own.
    """

    operators: tuple[str, ...]
    operands: tuple[Expr, ...]
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Comparison:
    """``0 <= x < 4`` is operators ("<=", "<") and operands (0, x, 4): the conjunction of the neighbours' comparisons.

    Operators: ``== != < <= > >=``.
    """

    operators: tuple[str, ...]
    operands: tuple[Expr, ...]
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Range:
    """``low..high``, both ends included; stands only after ``:`` and ``in``."""

    low: Expr
    high: Expr
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class SetLiteral:
    """``{a, b, c}``; stands only after ``in``; one or more members."""

    members: tuple[Expr, ...]
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Member:
    """``x in 0..3``, ``x in {N, S}``, ``x in Dir``."""

    arg: Expr
    domain: Range | SetLiteral | Expr
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Binary:
    """``op`` is ``=>`` (right associative), ``<=>`` or ``^`` (right associative)."""

    op: str
    left: Expr
    right: Expr
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class If:
    condition: Expr
    then: Expr
    otherwise: Expr
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Binder:
    """``a, b : Pi`` or ``i in 0..3``; ``relation`` is ``:`` or ``in``; ``domain`` a type (see Type)."""

    names: tuple[Name, ...]
    relation: str
    domain: Type
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Quantifier:
    """``kind`` is ``forall``, ``exists`` or ``sum``; the body goes as far right as it can."""

    kind: str
    binders: tuple[Binder, ...]
    body: Expr
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Temporal:
    """``F phi``, ``G<=k phi``, ``X phi``; ``op`` is ``F``, ``G`` or ``X``; ``X`` never has a bound."""

    op: str
    bound: Expr | None
    arg: Expr
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Until:
    """``left U right``, ``left U<=k right`` (right associative)."""

    left: Expr
    right: Expr
    bound: Expr | None
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Mode:
    """How an expected reward is added up: ``kind`` is ``horizon``, ``discount``, ``until`` (with a value) or ``total`` (None)."""

    kind: str
    value: Expr | None
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class ExpectedReward:
    """``E[points, horizon 50]``; applied to a policy it is the function of a Call."""

    reward: Expr
    mode: Mode
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class PathProbability:
    """``P[F hurt]``; applied to a policy it is the function of a Call."""

    path: Expr
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Measure:
    """``P[pi ~ T](event given condition)`` and ``E[pi ~ T](body)``; ``kind`` is ``P`` or ``E``."""

    kind: str
    variable: Name
    training: Name
    body: Expr
    given: Expr | None
    span: Span = field(compare=False)


Expr = (
    Name
    | Qualified
    | Number
    | Text
    | Boolean
    | Call
    | Index
    | Prime
    | Unary
    | Chain
    | Comparison
    | Member
    | Binary
    | If
    | Quantifier
    | Temporal
    | Until
    | ExpectedReward
    | PathProbability
    | Measure
)

Type = Name | Qualified | Range  # ``bool``, ``int``, ``Dir`` and ``Pi`` are Names; ``0..laps`` is a Range

Reference = Name | Qualified | Index  # what names a variable, action, label or reward; Index for a member of a family


@dataclass(frozen=True, slots=True)
class Interval:
    """``[low, high)``; an infinite end is the Name ``infinity`` (or its negation)."""

    low: Expr
    low_closed: bool
    high: Expr
    high_closed: bool
    span: Span = field(compare=False)


# ---------------------------------------------------------------- constants and functions


@dataclass(frozen=True, slots=True)
class Parameter:
    """``x : int`` or ``pi : Pi``."""

    name: Name
    type: Type
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Const:
    """``const laps = 3``, ``const n : int = 3``, ``const course = grid ...``."""

    name: Name
    type: Type | None
    value: Expr | GridLiteral
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Def:
    """``def wall(x: int, y: int) : bool = ...``."""

    name: Name
    parameters: tuple[Parameter, ...]
    result: Type | None
    body: Expr
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class EnumType:
    """``enum Dir { N, E, S, W }``."""

    name: Name
    members: tuple[Name, ...]
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Param:
    """``param d in [1/20, 1/5]``."""

    name: Name
    interval: Interval
    span: Span = field(compare=False)


# ---------------------------------------------------------------- worlds


@dataclass(frozen=True, slots=True)
class Variable:
    """``var x : 0..4 = 1``, ``var busy[i] : bool``; ``indices`` is empty for a plain variable."""

    name: Name
    indices: tuple[Expr, ...]
    type: Type
    initial: Expr | None
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Assignment:
    """``x' = e`` in an action, ``x = e`` in an init; ``target`` is without its prime."""

    target: Reference
    value: Expr
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Outcome:
    """``90%: x' = 1, y' = 2``; no weight means probability 1; ``stay`` is no assignments."""

    weight: Expr | None
    assignments: tuple[Assignment, ...]
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Action:
    """``action start[i] when guard { outcomes }``."""

    name: Name
    indices: tuple[Expr, ...]
    guard: Expr | None
    outcomes: tuple[Outcome, ...]
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Label:
    name: Name
    indices: tuple[Expr, ...]
    condition: Expr
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class RewardClause:
    """``[east] when guard: value``, ``when guard: value``, ``[east]: value`` or a bare ``value``; action None is any action."""

    action: Reference | None
    guard: Expr | None
    value: Expr
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Reward:
    name: Name
    indices: tuple[Expr, ...]
    clauses: tuple[RewardClause, ...]
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class InitOutcomes:
    """``init { 1/2: x = 0; 1/2: x = 1 }``."""

    outcomes: tuple[Outcome, ...]
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class InitUniform:
    """``init uniform phi``."""

    condition: Expr
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Deadlock:
    """``deadlock absorbs``."""

    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Family:
    """``for i in 0..3 { items }``; one or more binders, their ``relation`` is ``in``."""

    binders: tuple[Binder, ...]
    items: tuple[WorldItem, ...]
    span: Span = field(compare=False)


WorldItem = Variable | Action | Label | Reward | InitOutcomes | InitUniform | Deadlock | Family


@dataclass(frozen=True, slots=True)
class World:
    """``world W { items }``, ``world Robot(start : int) { items }``."""

    name: Name
    parameters: tuple[Parameter, ...]
    items: tuple[WorldItem, ...]
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Instance:
    """``Robot(0) as a``: one component; ``alias`` None keeps the world's own name."""

    world: Name
    args: tuple[Expr, ...]
    alias: Name | None
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class WorldComposition:
    """``world W = A || Robot(0) as b``; one or more instances."""

    name: Name
    parameters: tuple[Parameter, ...]
    instances: tuple[Instance, ...]
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Setting:
    """``N = 3`` in the braces of an imported world."""

    name: Name
    value: Expr
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class WorldImport:
    """``world W = prism "f.prism" { N = 3 }``; ``format`` is ``prism``, ``jani``, ``gymnasium`` or ``drn``."""

    name: Name
    format: str
    path: Text
    settings: tuple[Setting, ...]
    span: Span = field(compare=False)


# ---------------------------------------------------------------- policies


@dataclass(frozen=True, slots=True)
class Restriction:
    """``deterministic``, ``memoryless``, ``memory k`` (with ``memory``) or ``observes x, y`` (with ``observed``)."""

    kind: str
    memory: Expr | None
    observed: tuple[Reference, ...]
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class PolicyType:
    """``policies Pi over W { restrictions }``."""

    name: Name
    world: Name
    restrictions: tuple[Restriction, ...]
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Optimal:
    """``maximize J subject to P``; ``kind`` is ``maximize`` or ``minimize``."""

    kind: str
    objective: Expr
    subject_to: Expr | None
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class WeightedReference:
    """``1/2: brake`` in a rule, ``98%: careful`` in a mixture."""

    weight: Expr
    target: Reference
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Randomised:
    """``{ 1/2: a; 1/2: b }``."""

    choices: tuple[WeightedReference, ...]
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class PolicyRule:
    """``when guard: wait``; guard None is ``else``."""

    guard: Expr | None
    action: Reference | Randomised
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Table:
    """``{ when a: wait; else: east }``; the first guard that holds decides."""

    rules: tuple[PolicyRule, ...]
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class PolicyFile:
    """``file "policies/seed_17.json"``."""

    path: Text
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Policy:
    """``policy greedy : Pi = ...``."""

    name: Name
    type: Name
    body: Optimal | Table | PolicyFile
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Score:
    """``score J(pi : Pi) = ...``."""

    name: Name
    parameters: tuple[Parameter, ...]
    body: Expr
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Property:
    """``property Safe(pi : Pi) = ...``."""

    name: Name
    parameters: tuple[Parameter, ...]
    body: Expr
    span: Span = field(compare=False)


# ---------------------------------------------------------------- training


@dataclass(frozen=True, slots=True)
class Mixture:
    """``mixture { 98%: careful; 2%: greedy }``."""

    parts: tuple[WeightedReference, ...]
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Runs:
    """``runs "runs/*.json" confidence 99%``."""

    pattern: Text
    confidence: Expr
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Samples:
    """``samples 188 of 200 satisfy near_optimal(J, pi, eps) confidence 99%``."""

    successes: Expr
    size: Expr
    event: Expr
    confidence: Expr
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class LaterEvidence:
    """Evidence that is read but not supported yet: ``regret``, ``certificates``, ``uniform``, ``learner``, ``assume``.

    ``parts`` are the words, numbers, strings and calls that follow; for ``assume`` the one formula.
    """

    kind: str
    parts: tuple[Expr, ...]
    span: Span = field(compare=False)


Evidence = Mixture | Runs | Samples | LaterEvidence


@dataclass(frozen=True, slots=True)
class Training:
    """``training T : Pi { evidence }``."""

    name: Name
    type: Name
    evidence: tuple[Evidence, ...]
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Situation:
    """``99%: phi`` in a distribution."""

    weight: Expr
    condition: Expr
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Distribution:
    """``distribution D over W { 99%: phi; 1%: psi }``."""

    name: Name
    world: Name
    situations: tuple[Situation, ...]
    span: Span = field(compare=False)


# ---------------------------------------------------------------- statements


@dataclass(frozen=True, slots=True)
class Claim:
    """``claim name: phi``."""

    name: Name
    body: Expr
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Theorem:
    """``theorem name: phi by a, b``; ``by`` None: nothing is named."""

    name: Name
    body: Expr
    by: tuple[Name, ...] | None
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Find:
    """``find x in (0, 50] maximal for phi``; ``kind`` is ``maximal`` or ``minimal``."""

    name: Name
    interval: Interval
    kind: str
    body: Expr
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Assume:
    """``assume name: phi because "why"``."""

    name: Name
    body: Expr
    because: Text
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Import:
    """``import "other.spec"``."""

    path: Text
    span: Span = field(compare=False)


Declaration = (
    Const
    | Def
    | EnumType
    | Param
    | World
    | WorldComposition
    | WorldImport
    | PolicyType
    | Policy
    | Score
    | Property
    | Training
    | Distribution
    | Claim
    | Theorem
    | Find
    | Assume
    | Import
)


@dataclass(frozen=True, slots=True)
class File:
    """All declarations in the order of the text."""

    declarations: tuple[Declaration, ...]
    span: Span = field(compare=False)
