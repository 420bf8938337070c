"""An array and typed indices -> the element they name; indices that depend on the state become conditionals over the elements.

An index without an element is an error (E306) where it is evaluated, and only there, as outside a grid: the conditional
then looks up a table of one cell, whose only index is the element's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from dsl import operators, spec
from dsl.operators import IllTyped, constant
from dsl.record import dataclass
from dsl.source import Span
from dsl.types import Char, Enum, Int, Type

Index = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Array:
    """The members of families that share a name.

    ``kinds``: of each index, the enum it belongs to (None: integers).  ``elements``: the indices and the full name of each
    member.  ``following``: the beginning of some indices -> what can come next, in ascending order.
    """

    name: str
    kinds: tuple[Enum | None, ...]
    elements: dict[Index, str]
    following: dict[Index, list[int]]

    def has(self, prefix: Index) -> bool:
        return prefix in self.elements or prefix in self.following


@dataclass(frozen=True, slots=True)
class Directory:
    """How names of one kind are written: arrays by their base name; in composed worlds also shorter ways to write a name."""

    arrays: dict[str, Array]
    short: dict[str, tuple[str, ...]]

    def bases(self, written: str, names: Iterable[str]) -> tuple[str, ...]:
        """The full names, or base names of arrays, that ``written`` can mean; ``names`` are those that are no elements."""
        return (written,) if written in self.arrays or written in names else self.short.get(written, ())


def array(name: str, elements: dict[Index, str], kinds: tuple[Enum | None, ...]) -> Array:
    following: dict[Index, list[int]] = {}
    for index in sorted(elements):
        for length in range(len(index)):
            known = following.setdefault(index[:length], [])
            if not known or known[-1] != index[length]:
                known.append(index[length])
    return Array(name, kinds, elements, following)


def element_name(base: str, index: Index, kinds: Sequence[Enum | None]) -> str:
    """``busy[0]``, ``light[north, 2]``; without indices the base itself."""
    shown = [str(i) if kind is None else kind.members[i] for i, kind in zip(index, kinds, strict=True)]
    return f"{base}[{', '.join(shown)}]" if index else base


def described(known: Array) -> str:
    """The elements, for hints."""
    names = list(known.elements.values())
    shown = names if len(names) <= 4 else [*names[:2], "...", names[-1]]
    return "its elements: " + ", ".join(shown)


def kind(type: Type) -> Enum | None:
    return type if isinstance(type, Enum) else None


# ---------------------------------------------------------------- reading


def want_indices(known: Array, indices: Sequence[spec.Expr], span: Span) -> None:
    if len(indices) != len(known.kinds):
        wanted = "one index" if len(known.kinds) == 1 else f"{len(known.kinds)} indices"
        raise IllTyped("E205", span, f"`{known.name}` takes {wanted}, here are {len(indices)}", described(known))
    for index, wanted_kind in zip(indices, known.kinds, strict=True):
        if (wanted_kind is None and not isinstance(index.type, Int)) or (wanted_kind is not None and index.type != wanted_kind):
            wanted = "an integer" if wanted_kind is None else f"a member of {wanted_kind.name}"
            raise IllTyped("E206", index.span, f"an index of `{known.name}` is {wanted}, but this is {operators.described(index.type)}")


def read(known: Array, indices: Sequence[spec.Expr], leaf: Callable[[str], spec.Expr], span: Span) -> spec.Expr:
    """The element at ``indices``, with ``leaf`` for what each element is."""
    want_indices(known, indices, span)
    return _select(known, indices, (), leaf, span)


def missing(known: Array, indices: Sequence[spec.Expr]) -> bool:
    """Whether the values that the indices can take already rule out that there is such an element."""
    prefixes: list[Index] = [()]
    for index in indices:
        if isinstance(index, spec.Const):
            prefixes = [longer for prefix in prefixes if known.has(longer := (*prefix, int(index.value)))]
        else:
            prefixes = [(*prefix, member) for prefix in prefixes for member in known.following[prefix] if _possible(index.type, member)]
    return not prefixes


def _select(known: Array, indices: Sequence[spec.Expr], prefix: Index, leaf: Callable[[str], spec.Expr], span: Span) -> spec.Expr:
    if len(prefix) == len(indices):
        return leaf(known.elements[prefix])
    index, members = indices[len(prefix)], known.following[prefix]
    if isinstance(index, spec.Const):
        value = int(index.value)
        if known.has((*prefix, value)):
            return _select(known, indices, (*prefix, value), leaf, span)
        first = _select(known, indices, (*prefix, members[0]), leaf, span)
        outside = constant(value, span)
        return operators.conditional(_is_at(known, prefix, outside, value + 1, span), first, first, span)
    inside = [m for m in members if _possible(index.type, m)]
    if not inside:  # wrong wherever it is evaluated
        first = _select(known, indices, (*prefix, members[0]), leaf, span)
        return operators.conditional(_is_at(known, prefix, index, members[0], span), first, first, span)
    if isinstance(index.type, Enum):
        return _cases(known, indices, prefix, index.type, leaf, span)
    low, high = (index.type.low, index.type.high) if isinstance(index.type, Int) else (None, None)
    return _halves(known, indices, prefix, inside, (low, high), leaf, span)


def _possible(type: Type, member: int) -> bool:
    return not isinstance(type, Int) or ((type.low is None or type.low <= member) and (type.high is None or member <= type.high))


def _cases(
    known: Array, indices: Sequence[spec.Expr], prefix: Index, type: Enum, leaf: Callable[[str], spec.Expr], span: Span
) -> spec.Expr:
    """An index of an enum: every member has an element, or the index is a constant."""
    index, members = indices[len(prefix)], known.following[prefix]
    absent = [name for position, name in enumerate(type.members) if position not in members]
    if absent:
        message = f"`{known.name}` has no element for `{absent[0]}`, so this index must be a constant"
        raise IllTyped("E218", index.span, message, described(known))
    result = _select(known, indices, (*prefix, members[-1]), leaf, span)
    for member in reversed(members[:-1]):
        here = _select(known, indices, (*prefix, member), leaf, span)
        result = _either(known, operators.binary("==", index, constant(member, span, type), span), here, result, span)
    return result


def _halves(
    known: Array,
    indices: Sequence[spec.Expr],
    prefix: Index,
    members: Sequence[int],
    bounds: tuple[int | None, int | None],
    leaf: Callable[[str], spec.Expr],
    span: Span,
) -> spec.Expr:
    """A balanced tree of comparisons; at a leaf the index is in ``bounds``, and is looked up unless that leaves one value."""
    index, (low, high) = indices[len(prefix)], bounds
    if len(members) == 1:
        found = _select(known, indices, (*prefix, members[0]), leaf, span)
        if low == high == members[0]:
            return found
        return operators.conditional(_is_at(known, prefix, index, members[0], span), found, found, span)
    half = len(members) // 2
    split = members[half - 1]
    below = _halves(known, indices, prefix, members[:half], (low, split), leaf, span)
    above = _halves(known, indices, prefix, members[half:], (split + 1, high), leaf, span)
    return _either(known, operators.binary("<=", index, constant(split, span), span), below, above, span)


def _either(known: Array, condition: spec.Expr, then: spec.Expr, otherwise: spec.Expr, span: Span) -> spec.Expr:
    if isinstance(then, spec.Const) and then == otherwise:
        return then
    if operators.joined(then.type, otherwise.type) is None:
        raise IllTyped("E206", span, f"the elements of `{known.name}` differ in kind, so an index must be a constant")
    return operators.conditional(condition, then, otherwise, span)


def _is_at(known: Array, prefix: Index, index: spec.Expr, member: int, span: Span) -> spec.Expr:
    """True where the index is ``member``; evaluated anywhere else it is E306."""
    called = element_name(known.name, prefix, known.kinds[: len(prefix)])
    cell = spec.Grid(called, ((0,),), member)
    column = operators.binary("-", index, constant(member, span), span)
    return operators.binary("==", operators.lookup(cell, column, constant(0, span), span), constant(0, span, Char()), span)


# ---------------------------------------------------------------- writing


@dataclass(frozen=True, slots=True)
class Target:
    """An element that an assignment may be about, and when it is (None: always).

    ``given``: the variables that stand as indices, with the values that they have then.
    """

    name: str
    condition: spec.Expr | None
    given: Mapping[str, spec.Expr]


def targets(known: Array, indices: Sequence[spec.Expr], span: Span) -> list[Target]:
    """The elements that the indices can name."""
    want_indices(known, indices, span)
    if all(isinstance(index, spec.Const) for index in indices):
        only = known.elements.get(tuple(int(index.value) for index in indices if isinstance(index, spec.Const)))
        return [] if only is None else [Target(only, None, {})]
    found: list[Target] = []
    for index, name in known.elements.items():
        if not all(_may_be(expr, member) for expr, member in zip(indices, index, strict=True)):
            continue
        tests: list[spec.Expr] = []
        given: dict[str, spec.Expr] = {}
        for expr, member in zip(indices, index, strict=True):
            value = constant(member, span, kind(expr.type))
            if isinstance(expr, spec.Var):
                given[expr.name] = value
            if not isinstance(expr, spec.Const):
                tests.append(operators.binary("==", expr, value, span))
        found.append(Target(name, operators.nary("and", tests, span) if tests else None, given))
    return found


def existence(known: Array, indices: Sequence[spec.Expr], span: Span) -> spec.Expr | None:
    """An expression that is true where the indices name an element, and E306 elsewhere; None if they always do."""
    exists = _select(known, indices, (), lambda _: constant(True, span), span)
    return None if isinstance(exists, spec.Const) else exists


def _may_be(index: spec.Expr, member: int) -> bool:
    return int(index.value) == member if isinstance(index, spec.Const) else _possible(index.type, member)


def apart(a: Sequence[spec.Expr], b: Sequence[spec.Expr]) -> bool:
    """Whether two lists of indices certainly name different elements: in some place they differ by a constant that is not 0."""
    for x, y in zip(a, b, strict=True):
        (left, m), (right, n) = _offset(x), _offset(y)
        if left == right and m != n:
            return True
    return False


def _offset(index: spec.Expr) -> tuple[tuple[spec.Expr, ...], int]:
    """``x + 1`` is x and 1."""
    match index:
        case spec.Const(value=value):
            return (), int(value)
        case spec.Nary(op="+", args=args):
            return tuple(a for a in args if not isinstance(a, spec.Const)), sum(int(a.value) for a in args if isinstance(a, spec.Const))
        case spec.Binary(op="-", left=left, right=spec.Const(value=value)):
            terms, offset = _offset(left)
            return terms, offset - int(value)
    return (index,), 0
