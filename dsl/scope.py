"""What the checkers share: the names that are known so far, the diagnostics so far, the text behind a span.

A name whose declaration has an error stays known, with the value None ("poisoned"): whoever uses it says nothing more.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import field

from dsl import spec, syntax
from dsl.affine import Affine, Statement
from dsl.arrays import Directory
from dsl.diagnostic import Diagnostic
from dsl.operators import IllTyped
from dsl.record import dataclass
from dsl.semantics import children
from dsl.source import Source, Span
from dsl.types import Enum, Type

MAX_DEPTH = 250  # of a typed expression
MAX_SIZE = 100_000  # nodes of one typed expression
MAX_EXPANSION = 500_000  # nodes that all the uses of functions, labels, properties and arrays may come to
MAX_WRITTEN = 1_000_000  # nodes of syntax that all the members of families may come to
MAX_DIAGNOSTICS = 200
MAX_SUGGESTIONS = 100  # difflib is slow: a file with thousands of unknown names gets no more hints than this

BUILT_IN_FUNCTIONS = ("abs", "ceil", "floor", "max", "min", "near_optimal")
BUILT_IN_NAMES = (*BUILT_IN_FUNCTIONS, "bool", "int", "rational", "infinity", "self")


@dataclass(frozen=True, slots=True)
class Function:
    """A checked ``def``: in ``body`` the parameters are placeholder variables."""

    name: str
    parameters: tuple[tuple[str, Type], ...]
    result: Type | None
    body: spec.Expr


@dataclass(frozen=True, slots=True)
class PolicyFunction:
    """A checked score (``body`` Affine) or property (``body`` Statement) of one policy, written ``self``."""

    name: str
    type: str
    body: Affine | Statement


@dataclass(frozen=True, slots=True)
class WorldNames:
    """The names of a world, complete before its expressions are checked; labels are added in the order of use.

    ``numbered``: the actions of an imported world whose combinations of commands are called ``name#i.j``.
    ``states``, ``commands``, ``incomes``: how variables and labels, actions, and rewards are written where that is not the name.
    """

    name: str
    variables: dict[str, Type | None]
    labels: dict[str, spec.Expr | None]
    actions: frozenset[str]
    rewards: frozenset[str]
    numbered: frozenset[str] = frozenset()
    states: Directory = field(default_factory=lambda: Directory({}, {}))  # variables and labels
    commands: Directory = field(default_factory=lambda: Directory({}, {}))
    incomes: Directory = field(default_factory=lambda: Directory({}, {}))  # rewards

    def has_action(self, name: str) -> bool:
        base, _, places = name.rpartition("#")
        return name in self.actions or (base in self.numbered and re.fullmatch(r"[1-9][0-9.]*", places) is not None)


@dataclass
class Scope:
    """Everything at the top level; filled in the order of dependencies."""

    sources: dict[str, Source]
    declarations: dict[str, syntax.Declaration] = field(default_factory=dict)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    constants: dict[str, spec.Const | spec.Grid | None] = field(default_factory=dict)
    functions: dict[str, Function | None] = field(default_factory=dict)
    enums: dict[str, Enum] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)  # declared under a built-in name, which has been reported
    members: dict[str, list[tuple[Enum, int]]] = field(default_factory=dict)
    state_names: dict[str, str] = field(default_factory=dict)  # a variable or label -> a world that declares it
    world_names: dict[str, WorldNames | None] = field(default_factory=dict)
    worlds: dict[str, spec.World | None] = field(default_factory=dict)
    templates: set[str] = field(default_factory=set)  # worlds with parameters
    policy_types: dict[str, spec.PolicyType | None] = field(default_factory=dict)
    policies: dict[str, str | None] = field(default_factory=dict)  # a named policy -> its type
    scores: dict[str, PolicyFunction | None] = field(default_factory=dict)
    properties: dict[str, PolicyFunction | None] = field(default_factory=dict)
    trainings: dict[str, str | None] = field(default_factory=dict)  # -> its policy type
    expanded: int = 0
    written: int = 0
    suggestions: int = 0
    measures: dict[int, tuple[spec.Expr, int, int]] = field(default_factory=dict)

    # ------------------------------------------------ diagnostics

    def error(self, code: str, span: Span, message: str, hint: str | None = None) -> None:
        self.diagnostics.append(Diagnostic(code, span, message, hint))

    def refuse(self, broken: IllTyped) -> None:
        self.error(broken.code, broken.span, broken.message, broken.hint)

    def unsupported(self, span: Span, what: str, code: str = "E290") -> None:
        self.error(code, span, f"{what} is not supported yet")

    def similar(self, name: str, known: Iterable[str]) -> str | None:
        """A hint if a known name is close."""
        self.suggestions += 1
        if self.suggestions > MAX_SUGGESTIONS or len(name) > 200:
            return None
        from difflib import get_close_matches

        close = get_close_matches(name, list(known), n=1)
        return f"did you mean `{close[0]}`?" if close else None

    def kind(self, name: str) -> str | None:
        """What a top-level name is, as a noun with its article."""
        if name in BUILT_IN_FUNCTIONS:
            return "a built-in function"
        if name in self.members:
            return "a member of an enum"
        return described(self.declarations[name]) if name in self.declarations else None

    # ------------------------------------------------ text

    def text(self, span: Span) -> str:
        """What the user wrote, on one line, without comments."""
        source = self.sources.get(span.file)
        if source is None:
            return ""
        lines = list(source.lines[span.line - 1 : span.end_line])
        if not lines:
            return ""
        lines[-1] = lines[-1][: span.end_column - 1]
        lines[0] = lines[0][span.column - 1 :]
        return re.sub(r"\s+", " ", " ".join(line.split("//")[0] if len(lines) > 1 else line for line in lines)).strip()

    # ------------------------------------------------ sizes

    def measure(self, expr: spec.Expr) -> tuple[int, int]:
        """Nodes and depth of the tree; the parts are measured before the whole, each once."""
        todo = [expr]
        while todo:
            node = todo[-1]
            if id(node) in self.measures:
                todo.pop()
                continue
            missing = [part for part in children(node) if id(part) not in self.measures]
            if missing:
                todo.extend(missing)
                continue
            parts = [self.measures[id(part)] for part in children(node)]
            size, depth = 1 + sum(p[1] for p in parts), 1 + max((p[2] for p in parts), default=0)
            self.measures[id(node)] = (node, size, depth)  # the node is kept, so that its id stays its own
            todo.pop()
        _, size, depth = self.measures[id(expr)]
        return size, depth

    def bounded(self, expr: spec.Expr, span: Span) -> spec.Expr:
        """The expression itself, or E215 if it has become too large or too deep."""
        size, depth = self.measure(expr)
        if depth > MAX_DEPTH:
            raise IllTyped("E215", span, f"this expression is nested more than {MAX_DEPTH} deep, functions and labels expanded")
        if size > MAX_SIZE:
            raise IllTyped("E215", span, f"this expression has more than {MAX_SIZE} parts, functions and labels expanded")
        return expr

    def charge(self, size: int, span: Span) -> None:
        """Count an expansion against the budget of the whole spec."""
        self.expanded += size
        if self.expanded > MAX_EXPANSION:
            raise IllTyped("E215", span, f"functions, labels, properties and arrays expand to more than {MAX_EXPANSION} parts")

    def write(self, size: int, span: Span) -> None:
        """Count a member of a family against the budget of the whole spec."""
        self.written += size
        if self.written > MAX_WRITTEN:
            raise IllTyped("E215", span, f"the families of this spec have more than {MAX_WRITTEN} parts, written out")


def described(declaration: syntax.Declaration) -> str:
    match declaration:
        case syntax.Const(value=syntax.GridLiteral()):
            return "a grid"
        case syntax.Const():
            return "a constant"
        case syntax.Def():
            return "a function"
        case syntax.EnumType():
            return "an enum"
        case syntax.Param():
            return "a parameter"
        case syntax.World() | syntax.WorldComposition() | syntax.WorldImport():
            return "a world"
        case syntax.PolicyType():
            return "a policy type"
        case syntax.Policy():
            return "a policy"
        case syntax.Score():
            return "a score"
        case syntax.Property():
            return "a property"
        case syntax.Training():
            return "a training"
        case syntax.Distribution():
            return "a distribution"
        case syntax.Claim():
            return "a claim"
        case syntax.Theorem():
            return "a theorem"
        case syntax.Find():
            return "a find"
        case syntax.Assume():
            return "an assumption"
        case syntax.Import():
            return "an import"
