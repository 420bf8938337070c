"""A proof document -> what it proves, or Rejected.  The last act compares the argument with the claim."""

from __future__ import annotations

import json
import stat
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

from prover.checker import measure
from prover.checker.document import Rejected, array, boolean, distinct, fields, integer, name, number, parse, require, show
from prover.checker.evidence import Proven, derive
from prover.checker.problem import Linear, Unknown, evaluate, read_claim, read_world
from prover.checker.tree import OverPolicies, Row, literal, refute
from prover.checker.words import statement

LARGEST = 2**31  # bytes of a file
ZIP = b"PK\x03\x04"  # how a zip file begins
FORMATS = ("twostep-proof 1", "twostep-proof 2")


class Derived(NamedTuple):
    """What the document proves: the claim, at the price of these assumptions and this much confidence.

    ``statement`` renders the claim's formulas; ``text`` is only what the file calls them.
    ``value`` (of a find): the threshold, or "infinity"; ``attained``: whether the claim is shown to hold there; ``exact``: whether
    it is shown to fail right behind (otherwise the file shows only that it holds so far); ``beyond``: or right behind this value.
    """

    name: str
    kind: str
    text: str
    statement: str
    confidence_lost: Fraction = Fraction(0)
    assumptions: tuple[str, ...] = ()
    value: Fraction | str | None = None
    attained: bool | None = None
    exact: bool = True
    beyond: Fraction | None = None

    def __str__(self) -> str:
        parts = [f"{self.name}: {self.statement}"]
        if self.value is not None:
            value = self.value if isinstance(self.value, str) else show(self.value)
            if self.exact:
                parts.append(f"threshold {value}, {'attained' if self.attained else 'not attained'}")
            else:
                behind = "not shown to fail behind" if self.beyond is None else f"shown to fail behind {show(self.beyond)}"
                parts.append(f"shown to hold up to {value}, {'included' if self.attained else 'excluded'}; {behind}")
        if self.confidence_lost:
            parts.append(f"with confidence {show(1 - self.confidence_lost)}")
        if self.assumptions:
            parts.append(f"assuming {', '.join(self.assumptions)}")
        return "; ".join(parts)


def check(
    document: Any,
    *,
    permitted: frozenset[str] = frozenset(),
    claim: Any = None,
    worlds: Any = None,
    arrays: Mapping[str, Any] | None = None,
    world_arrays: Mapping[str, Any] | None = None,
) -> Derived:
    """Raises Rejected unless the document proves its claim, and nothing else.

    ``claim`` and ``worlds``, if given, are what the document must speak of, exactly.  ``permitted`` names the assumptions that may be used.
    ``arrays`` belong to the document, ``world_arrays`` to ``worlds`` (format 2: little-endian integers in anything with a buffer).
    """
    try:
        return _check(document, permitted, claim, worlds, arrays or {}, world_arrays or {})
    except Rejected:
        raise
    except Exception as error:  # noqa: BLE001  whatever happens, it is not a proof
        raise Rejected(f"{type(error).__name__}: {str(error)[:200]}") from None


def check_text(text: str, *, permitted: frozenset[str] = frozenset(), claim: Any = None, worlds: Any = None) -> Derived:
    try:
        document = parse(text)
    except Rejected:
        raise
    except Exception as error:  # noqa: BLE001
        raise Rejected(f"{type(error).__name__}: {str(error)[:200]}") from None
    return check(document, permitted=permitted, claim=claim, worlds=worlds)


def check_file(
    path: str | Path,
    *,
    permitted: frozenset[str] = frozenset(),
    claim: Any = None,
    worlds: Any = None,
    world_arrays: Mapping[str, Any] | None = None,
) -> Derived:
    """A text of format 1, or a zip file with a document of either format."""
    try:
        status = Path(path).stat()
        require(stat.S_ISREG(status.st_mode), "not a regular file")
        require(status.st_size <= LARGEST, "the file is too large")
        if not _is_zip(Path(path)):
            return check_text(Path(path).read_bytes().decode("utf-8"), permitted=permitted, claim=claim, worlds=worlds)
    except (OSError, ValueError) as error:
        raise Rejected(f"cannot read the file: {error}") from None
    from prover.checker.container import opened

    try:
        with opened(Path(path)) as arrays:
            document = arrays.document()
            return check(document, permitted=permitted, claim=claim, worlds=worlds, arrays=arrays, world_arrays=world_arrays)
    except Rejected:
        raise
    except Exception as error:  # noqa: BLE001
        raise Rejected(f"cannot read the file: {type(error).__name__}: {str(error)[:200]}") from None


def document_of(path: Path) -> Any:
    """The document alone, of a file of either kind; ValueError and OSError if the file cannot be read."""
    if not _is_zip(path):
        return parse(path.read_bytes().decode("utf-8"))
    from prover.checker.container import opened

    with opened(path) as arrays:
        return arrays.document()


def _is_zip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(ZIP)) == ZIP


def _check(
    document: Any, permitted: frozenset[str], claim: Any, worlds: Any, arrays: Mapping[str, Any], world_arrays: Mapping[str, Any]
) -> Derived:
    label, stated, places, evidence = fields(document, "format claim worlds evidence")
    require(label in FORMATS, "another format")
    require(claim is None or _same(claim, stated), "another claim")
    fields(evidence, "policies products lemmas optima argument")
    if label == FORMATS[0]:
        require(worlds is None or _same(worlds, places), "another world")
        require(not arrays, "arrays are for format 2")
        read_worlds = [read_world(world) for world in array(places)]
        goal = read_claim(stated, read_worlds)
        proven = derive(goal, read_worlds, evidence)
    else:
        from prover.checker import large_evidence, large_world
        from prover.checker.arrays import Arrays, same

        require(worlds is None or same(worlds, world_arrays, places, arrays), "another world")
        members = Arrays(arrays)
        large = [large_world.read_world(world, members) for world in array(places)]
        goal = read_claim(stated, large)
        proven = large_evidence.derive(goal, large, evidence, members)
        members.finish()
    return _conclude(proven, evidence["argument"], permitted, statement(stated, places))


def _conclude(proven: Proven, argument: Any, permitted: frozenset[str], words: str) -> Derived:
    goal = proven.claim
    match goal.kind:
        case "forall":
            kind, tree = fields(argument, "kind tree")
            require(kind == "refutation", "a forall claim needs a refutation")
            refute(tree, [("not", goal.body)], OverPolicies(proven, goal.atoms, {}))
        case "exists":
            kind, policies, tree = fields(argument, "kind policies tree")
            require(kind == "witness", "an exists claim needs a witness")
            refute(tree, [("not", goal.body)], OverPolicies(proven, goal.atoms, _instances(proven, policies)))
        case "find":
            value, attained, exact, beyond = _find(proven, argument)
            return Derived(goal.name, goal.kind, goal.text, words, value=value, attained=attained, exact=exact, beyond=beyond)
        case "measure":
            lost, assumptions = measure.check(proven, argument, permitted)
            return Derived(goal.name, goal.kind, goal.text, words, lost, assumptions)
        case _:
            raise Rejected("another kind of claim")
    return Derived(goal.name, goal.kind, goal.text, words)


def _same(left: Any, right: Any) -> bool:
    """Equal as JSON (1, 1.0 and true are three different things)."""
    return json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)


def _instances(proven: Proven, value: Any) -> dict[str, int]:
    """One policy of its type for every variable."""
    pairs = [(name(array(pair, 2)[0]), integer(pair[1], 0, len(proven.controllers))) for pair in array(value)]
    distinct([variable for variable, _ in pairs], "a variable")
    require({variable for variable, _ in pairs} == set(proven.claim.variables), "a witness for every variable")
    for variable, policy in pairs:
        require(proven.fits_type(policy, proven.claim.names[variable]), "a witness that does not belong to its type")
    return dict(pairs)


def _find(proven: Proven, argument: Any) -> tuple[Fraction | str, bool, bool, Fraction | None]:
    """Theorem: the body holds for every value of the interval before the threshold (and at it, if attained), and right behind fails,
    the latter only if the file shows a break there (third result); or it shows one right behind another value (fourth result)."""
    enclosed = type(argument) is dict and "beyond" in argument
    kind, stated, attained, tree, breaks, *rest = fields(argument, "kind value attained tree breaks" + " beyond" * enclosed)
    interval = proven.claim.unknown
    if interval is None or kind != "threshold":
        raise Rejected("a find claim needs a threshold")
    sign = 1 if interval.maximal else -1
    end, closed = (interval.high, interval.high_closed) if interval.maximal else (interval.low, interval.low_closed)
    boolean(attained)
    if stated == "infinity":
        require(end is None and not attained and breaks is None, "infinity: of an interval without an end, where nothing breaks")
        refute(tree, [("not", proven.claim.body)], OverPolicies(proven, proven.claim.atoms, {}))
        return "infinity", False, True, None
    value = number(stated)
    within = interval.contains(value)
    closure = Unknown(interval.low, True, interval.high, True, interval.maximal)
    require(closure.contains(value) and (within or not attained), "a threshold outside the interval")
    row = Row(Linear({("unknown",): Fraction(sign)}, -sign * value), "<=" if attained else "<")
    refute(tree, [("not", proven.claim.body)], OverPolicies(proven, proven.claim.atoms, {}, row))
    at_end = value == end and attained == closed  # at the end of the interval nothing is left to break
    require(not at_end or breaks is None, "nothing is left to break")
    if rest:
        edge = number(rest[0])
        require(breaks is not None and sign * (edge - value) >= 0, "what fails lies behind what holds")
        _breaks(proven, interval, breaks, edge, at=False)
        return value, attained, False, edge
    if breaks is not None:
        _breaks(proven, interval, breaks, value, at=within and not attained)
    return value, attained, at_end or breaks is not None, None


def _breaks(proven: Proven, interval: Unknown, value: Any, threshold: Fraction, at: bool) -> None:
    """Theorem: the body fails at the threshold (``at``), or else at every value between it and ``inside``'s unknown.

    The literals make the body false.  They hold at ``inside``; at ``edge`` they hold read non-strictly.  Values of policies that are
    mixed at the start are linear in the weights, so on the segment every literal holds, up to but not including the edge.
    """
    sign = 1 if interval.maximal else -1
    policies, values, inside, edge, literals = fields(value, "policies values inside edge literals")
    mixed = {name(array(row, 2)[0]): [integer(p, 0, len(proven.controllers)) for p in array(row[1])] for row in array(policies)}
    require(len(mixed) == len(policies) and mixed.keys() == set(proven.claim.variables), "policies for every variable")
    for variable, numbers in mixed.items():
        kind = proven.claim.names[variable]
        require(len(numbers) == 1 or proven.claim.types[kind].convex, "a mixture in a type that is not closed under mixing")
        require(all(proven.fits_type(policy, kind) for policy in numbers), "a policy that does not belong to its type")
    ranges = dict(_range(proven, row) for row in array(values))
    pairs = [(integer(array(row, 2)[0], 0, len(proven.claim.atoms)), boolean(row[1])) for row in array(literals)]
    distinct([atom for atom, _ in pairs], "a literal")
    require(evaluate(proven.claim.body, dict(pairs)) is False, "the literals do not break the claim")
    for point, strictly in ((inside, True), (edge, False)):
        unknown, weights = fields(point, "unknown weights")
        beyond = sign * (number(unknown) - threshold)
        require(beyond == 0 if at or not strictly else beyond > 0, "a break at the wrong value")
        require(not strictly or interval.contains(number(unknown)), "a break outside the interval")
        shares = {name(array(row, 2)[0]): [number(x) for x in array(row[1])] for row in array(weights)}
        require(shares.keys() == mixed.keys(), "weights for every variable")
        for variable, parts in shares.items():
            require(len(parts) == len(mixed[variable]) and sum(parts) == 1 and min(parts) >= 0, "weights of a mixture")
        for atom, held in pairs:
            row = literal(proven.claim.atoms[atom], held)
            largest = _largest(proven, row.linear, number(unknown), mixed, shares, ranges)
            require(largest < 0 or (largest == 0 and not (strictly and row.kind == "<")), "a literal does not hold at the break")


Ends = tuple[Fraction | None, Fraction | None]


def _range(proven: Proven, row: Any) -> tuple[tuple[int, int], Ends]:
    """[policy, objective, upper lemma, lower lemma] -> the interval in which the value lies; a null lemma leaves its end open."""
    policy, objective, upper, lower = array(row, 4)
    key = integer(policy, 0), integer(objective, 0)
    low = None if lower is None else -proven.value_bound(*key, lower, -1)
    return key, (low, None if upper is None else proven.value_bound(*key, upper, 1))


def _largest(
    proven: Proven,
    linear: Linear,
    unknown: Fraction,
    mixed: dict[str, list[int]],
    shares: dict[str, list[Fraction]],
    ranges: dict[tuple[int, int], Ends],
) -> Fraction:
    """The largest value that the linear form can have, given the intervals of its terms."""
    total = linear.constant
    for term, coefficient in linear.terms.items():
        if term[0] == "unknown":
            total += coefficient * unknown
        elif term[0] == "optimum":
            side = proven.optima[term[1]][coefficient > 0]
            if side is None:
                raise Rejected("an optimum without the lemma that a literal needs")
            total += coefficient * side
        else:
            _, j, policy = term
            parts = zip(mixed[policy], shares[policy], strict=True) if policy in mixed else [(proven.policy_of[policy], Fraction(1))]
            for index, share in parts:
                if share:
                    end = ranges.get((index, j), (None, None))[coefficient > 0]
                    if end is None:
                        raise Rejected("a value that is not given")
                    total += coefficient * share * end
    return total
