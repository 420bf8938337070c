"""The worlds and the claim of a document -> exact, validated structures."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple, Protocol

from prover.checker.document import (
    Rejected,
    array,
    boolean,
    distinct,
    fields,
    integer,
    name,
    number,
    one_of,
    require,
    shallow,
    shares,
)

Path = tuple[Any, ...]  # ("until", f, g, bound or None) and so on, as in the file
Term = tuple[Any, ...]  # ("value", objective, policy), ("optimum", k), ("unknown",), ("cell", c), ("expectation", objective)
Formula = tuple[Any, ...]  # ("atom", i), ("true",), ("false",), ("not", F), ("and", F...), ("or", F...)
CLAIM = "name kind text objectives types policies variables optima unknown body"
SAMPLE = 100_000  # policies of one sample


class Choice(NamedTuple):
    """``weights[i] / bottom`` is the probability of ``successors[i]``."""

    number: int
    action: int
    successors: tuple[int, ...]
    weights: tuple[int, ...]
    bottom: int


class World(NamedTuple):
    """``rewards[name][choice]`` is the expected reward; a choice that earns nothing on any transition is absent."""

    variables: tuple[str, ...]
    states: list[tuple[Any, ...]]
    initial: tuple[tuple[int, Fraction], ...]
    choices: list[list[Choice]]  # of each state
    rewards: dict[str, dict[int, Fraction]]
    atoms: list[frozenset[int]]

    @property
    def size(self) -> int:
        return len(self.states)

    def enabled(self, state: int) -> list[int]:
        """The actions of a state."""
        return [choice.action for choice in self.choices[state]]

    def following(self) -> list[set[int]]:
        """The possible next states of every state."""
        return [{successor for choice in choices for successor in choice.successors} for choices in self.choices]


class Place(Protocol):
    """What a claim needs to know of a world, however it is stored."""

    @property
    def variables(self) -> tuple[str, ...]: ...

    @property
    def rewards(self) -> Mapping[str, Mapping[int, Fraction]]: ...

    @property
    def atoms(self) -> Sequence[object]: ...


class Objective(NamedTuple):
    """``kind``: probability, recurrence, total, until, horizon or discount; ``reward`` is empty for the first two."""

    world: int
    kind: str
    path: Path = ()
    atom: int = 0
    reward: Mapping[int, Fraction] | None = None
    steps: int = 0
    factor: Fraction = Fraction(1)

    @property
    def improper(self) -> bool:
        """Its sum may be infinite."""
        return self.kind in ("total", "until") and bool(self.reward)


class PolicyType(NamedTuple):
    world: int
    deterministic: bool
    memoryless: bool
    memory: int | None
    observes: tuple[int, ...] | None  # columns of the world's variables

    @property
    def convex(self) -> bool:
        """Closed under tossing a coin at the start (Kuhn: by a policy that remembers its own actions)."""
        return not self.deterministic and not self.memoryless and self.memory is None


class Optimum(NamedTuple):
    kind: str
    type: int
    body: dict[int, Fraction]
    constant: Fraction


class Linear(NamedTuple):
    terms: dict[Term, Fraction]
    constant: Fraction


class Atom(NamedTuple):
    """``linear < 0`` (strict) or ``linear <= 0``."""

    strict: bool
    linear: Linear


class Unknown(NamedTuple):
    low: Fraction | None
    low_closed: bool
    high: Fraction | None
    high_closed: bool
    maximal: bool

    def contains(self, value: Fraction) -> bool:
        above = self.low is None or value > self.low or (self.low_closed and value == self.low)
        below = self.high is None or value < self.high or (self.high_closed and value == self.high)
        return above and below


class Fact(NamedTuple):
    """What a measure claim takes as given about T: mixture, runs, samples (counted elsewhere), assumed; ``name`` if it is an assumption."""

    kind: str
    name: str | None = None
    parts: tuple[tuple[Fraction, str], ...] = ()  # share (of a mixture) and named policy
    event: int = 0
    successes: int = 0
    size: int = 0
    delta: Fraction = Fraction(0)
    formula: Formula | None = None


class Claim(NamedTuple):
    name: str
    kind: str
    text: str
    objectives: list[Objective]
    types: list[PolicyType]
    named: list[tuple[str, int, Any]]  # name, type, controller (not yet read)
    names: dict[str, int]  # variable or named policy -> type
    variables: list[str]
    optima: list[Optimum]
    unknown: Unknown | None
    body: Formula
    atoms: list[Atom]
    events: list[Formula]
    event_atoms: list[Atom]
    facts: list[Fact]


def read_world(value: Any) -> World:
    _, variables, states, initial, actions, table, choices, rewards, atoms = fields(
        value, "name variables states initial actions probabilities choices rewards atoms"
    )
    name(value["name"])
    columns = [(name(array(row, 2)[0]), name(row[1])) for row in array(variables)]
    distinct([column for column, _ in columns], "a variable")
    rows = [_valuation(row, columns) for row in array(states)]
    distinct(rows, "a state")
    starts = [(integer(array(row, 2)[0], 0, len(rows)), number(row[1])) for row in array(initial)]
    distinct([state for state, _ in starts], "an initial state")
    shares([share for _, share in starts], "initial states")
    distinct([name(action) for action in array(actions)], "an action")
    read = _choices(array(choices), len(rows), len(actions), [number(x) for x in array(table)])
    require(type(rewards) is dict, "expected an object of rewards")
    flat = [choice for of_state in read for choice in of_state]
    earned = {key: _reward(reward, flat) for key, reward in rewards.items()}
    return World(tuple(column for column, _ in columns), rows, tuple(starts), read, earned, [_atom(a, len(rows)) for a in array(atoms)])


def _valuation(row: Any, columns: list[tuple[str, str]]) -> tuple[Any, ...]:
    for value, (_, kind) in zip(array(row, len(columns)), columns, strict=True):
        if kind == "bool":
            boolean(value)
        elif ".." in kind:
            low, _, high = kind.partition("..")
            integer(value, int(low), int(high) + 1)
        else:
            require(name(value) in kind.split("|"), "a value outside its variable's type")
    return tuple(row)


def _choices(choices: list[Any], states: int, actions: int, table: list[Fraction]) -> list[list[Choice]]:
    result: list[list[Choice]] = [[] for _ in range(states)]
    known: dict[tuple[int, ...], tuple[tuple[int, ...], int]] = {}
    last = 0
    for index, row in enumerate(choices):
        state, action = integer(array(row, 3)[0], last, states), integer(row[1], 0, actions)
        last = state
        pairs = [array(pair, 2) for pair in array(row[2])]
        successors = tuple(integer(pair[0], 0, states) for pair in pairs)
        key = tuple(integer(pair[1], 0, len(table)) for pair in pairs)
        distinct(list(successors), "a successor")
        if key not in known:
            known[key] = shares([table[i] for i in key], "a choice")
        result[state].append(Choice(index, action, successors, *known[key]))
    for of_state in result:
        require(bool(of_state), "a state has no choice")
        distinct([choice.action for choice in of_state], "an action of a state")
    return result


def _reward(value: Any, choices: list[Choice]) -> dict[int, Fraction]:
    values, entries = fields(value, "values at")
    amounts = [number(x) for x in array(values)]
    result: dict[int, Fraction] = {}
    seen = []
    for entry in array(entries):
        choice = choices[integer(array(entry, 3)[0], 0, len(choices))]
        position, amount = integer(entry[1], 0, len(choice.successors)), amounts[integer(entry[2], 0, len(amounts))]
        seen.append((choice.number, position))
        if amount:  # a choice with entries that cancel stays: it earns 0 only on average
            result[choice.number] = result.get(choice.number, Fraction(0)) + Fraction(choice.weights[position], choice.bottom) * amount
    distinct(seen, "a reward entry")
    return result


def _atom(value: Any, states: int) -> frozenset[int]:
    text, members = fields(value, "text states")
    name(text)
    result = [integer(state, 0, states) for state in array(members)]
    distinct(result, "a state of an atom")
    return frozenset(result)


def read_path(value: Any, atoms: int) -> Path:
    """A co-safe path formula in negation normal form; the caller has bounded its depth."""
    head, *rest = array(value) or [None]
    match head, rest:
        case (("true" | "false"), []):
            return (head,)
        case (("atom" | "not-atom"), [atom]):
            return (head, integer(atom, 0, atoms))
        case (("and" | "or"), [_, *_]):
            return (head, *(read_path(arg, atoms) for arg in rest))
        case "next", [arg]:
            return (head, read_path(arg, atoms))
        case (("until" | "release"), [left, right, bound]):
            require(head == "until" or bound is not None, "an unbounded release is not co-safe")
            return (head, read_path(left, atoms), read_path(right, atoms), bound if bound is None else integer(bound, 0))
    raise Rejected("not a path formula")


def _objective(value: Any, worlds: Sequence[Place]) -> Objective:
    require(type(value) is dict, "expected an objective")
    world = integer(value.get("world"), 0, len(worlds))
    atoms = len(worlds[world].atoms)
    match value.get("kind"):
        case "probability":
            path = fields(value, "world kind path")[2]
            shallow(path)
            return Objective(world, "probability", path=read_path(path, atoms))
        case "recurrence":
            return Objective(world, "recurrence", atom=integer(fields(value, "world kind atom")[2], 0, atoms))
        case "expected":
            _, _, reward, mode = fields(value, "world kind reward mode")
            require(name(reward) in worlds[world].rewards, "a reward that the world does not have")
            table = worlds[world].rewards[reward]
            match mode:
                case ["total"]:
                    return Objective(world, "total", reward=table)
                case ["until", atom]:
                    return Objective(world, "until", reward=table, atom=integer(atom, 0, atoms))
                case ["horizon", steps]:
                    return Objective(world, "horizon", reward=table, steps=integer(steps, 0))
                case ["discount", factor]:
                    require(0 <= number(factor) < 1, "a discount outside [0, 1)")
                    return Objective(world, "discount", reward=table, factor=number(factor))
    raise Rejected("not an objective")


def _type(value: Any, worlds: Sequence[Place]) -> PolicyType:
    label, world, deterministic, memoryless, memory, observes = fields(value, "name world deterministic memoryless memory observes")
    name(label)
    columns = worlds[integer(world, 0, len(worlds))].variables
    seen = None
    if observes is not None:
        require(all(name(x) in columns for x in array(observes)), "an observed variable that the world does not have")
        seen = tuple(columns.index(x) for x in observes)
    return PolicyType(world, boolean(deterministic), boolean(memoryless), memory if memory is None else integer(memory, 1), seen)


def _optimum(value: Any, types: list[PolicyType], objectives: list[Objective]) -> Optimum:
    kind, over, body, constant = fields(value, "kind type body constant")
    world = types[integer(over, 0, len(types))].world
    weights = {integer(array(term, 2)[1], 0, len(objectives)): number(term[0]) for term in array(body)}
    require(len(weights) == len(body) and all(weights.values()), "an optimum's weights: distinct objectives, not 0")
    require(all(objectives[j].world == world for j in weights), "an optimum over another world")
    return Optimum(one_of(kind, "max min"), over, weights, number(constant))


def _unknown(value: Any) -> Unknown:
    label, low, low_closed, high, high_closed, direction = fields(value, "name low low_closed high high_closed direction")
    name(label)
    bounds = [None if bound is None else number(bound) for bound in (low, high)]
    return Unknown(bounds[0], boolean(low_closed), bounds[1], boolean(high_closed), one_of(direction, "maximal minimal") == "maximal")


class Atoms:
    """The distinct comparisons of some formulas, in the order in which they are first met (equal JSON: the same atom)."""

    def __init__(self) -> None:
        self.index: dict[str, int] = {}
        self.atoms: list[Atom] = []

    def read(self, value: Any, expand: Callable[[Any], dict[Term, Fraction]]) -> Formula:
        """Boolean structure over atoms; the caller has bounded the depth."""
        head, *rest = array(value) or [None]
        match head, rest:
            case (("true" | "false"), []):
                return (head,)
            case "not", [arg]:
                return (head, self.read(arg, expand))
            case (("and" | "or"), _):
                return (head, *(self.read(arg, expand) for arg in rest))
            case (("<" | "<="), [arg]):
                key = json.dumps(value, sort_keys=True)
                if key not in self.index:
                    self.index[key] = len(self.atoms)
                    self.atoms.append(Atom(head == "<", read_linear(arg, expand)))
                return ("atom", self.index[key])
        raise Rejected("not a formula")


def read_linear(value: Any, expand: Callable[[Any], dict[Term, Fraction]]) -> Linear:
    terms, constant = fields(value, "terms constant")
    result: dict[Term, Fraction] = {}
    for pair in array(terms):
        coefficient = number(array(pair, 2)[0])
        for term, share in expand(pair[1]).items():
            result[term] = result.get(term, Fraction(0)) + coefficient * share
    return Linear({term: coefficient for term, coefficient in result.items() if coefficient}, number(constant))


def evaluate(formula: Formula, truth: dict[int, bool]) -> bool | None:
    """Three-valued: None where the atoms decided leave it open."""
    match formula[0]:
        case "true" | "false":
            return bool(formula[0] == "true")
        case "atom":
            return truth.get(formula[1])
        case "not":
            value = evaluate(formula[1], truth)
            return None if value is None else not value
    stop = formula[0] == "or"  # the value that decides alone
    values = [evaluate(arg, truth) for arg in formula[1:]]
    return stop if stop in values else None if None in values else not stop


def read_claim(value: Any, worlds: Sequence[Place]) -> Claim:
    require(type(value) is dict, "expected a claim")
    kind = one_of(value.get("kind"), "forall exists find measure")
    measure = kind == "measure"
    label, _, text, objectives, types, policies, variables, optima, unknown, body, *rest = fields(
        value, CLAIM + " events facts" if measure else CLAIM
    )
    goals = [_objective(x, worlds) for x in array(objectives)]
    kinds = [_type(x, worlds) for x in array(types)]
    named = [(name(n), integer(t, 0, len(kinds)), c) for n, t, c in (fields(x, "name type controller") for x in array(policies))]
    bound = [(name(array(x, 2)[0]), integer(x[1], 0, len(kinds))) for x in array(variables)]
    distinct([n for n, _ in bound] + [n for n, _, _ in named], "a policy name")
    names = dict(bound) | {n: t for n, t, _ in named}
    best = [_optimum(x, kinds, goals) for x in array(optima)]
    require((unknown is not None) == (kind == "find"), "a find has an unknown, no other claim has one")
    interval = None if unknown is None else _unknown(unknown)

    def policy_term(term: Any) -> dict[Term, Fraction]:
        match term:
            case ["value", j, policy]:
                goal = goals[integer(j, 0, len(goals))]
                require(name(policy) in names and kinds[names[policy]].world == goal.world, "a value of a policy of another world")
                return {("value", j, policy): Fraction(1)}
            case ["optimum", k]:
                return {("optimum", integer(k, 0, len(best))): Fraction(1)}
            case ["unknown"] if interval is not None:
                return {("unknown",): Fraction(1)}
        raise Rejected("not a term")

    events: list[Any] = array(rest[0]) if measure else []
    facts: list[Any] = array(rest[1]) if measure else []
    require(not measure or (len(bound) == 1 and len(events) <= 12), "a measure claim has one variable and at most 12 events")

    def measure_term(term: Any) -> dict[Term, Fraction]:
        match term:
            case [("probability" | "joint") as head, *of] if len(of) == (1 if head == "probability" else 2):
                return cells(len(events), {integer(e, 0, len(events)): True for e in of})
            case ["expectation", j]:
                require(goals[integer(j, 0, len(goals))].world == kinds[bound[0][1]].world, "an expectation in another world")
                return {("expectation", j): Fraction(1)}
            case ["optimum", k]:
                return {("optimum", integer(k, 0, len(best))): Fraction(1)}
        raise Rejected("not a term of a measure claim")

    shallow([body, events, [fact.get("formula") for fact in facts if type(fact) is dict]])
    atoms, event_atoms = Atoms(), Atoms()
    formula = atoms.read(body, measure_term if measure else policy_term)
    happenings = [event_atoms.read(event, policy_term) for event in events]
    known = [_fact(fact, len(events), {n for n, _, _ in named}, lambda x: atoms.read(x, measure_term)) for fact in facts]
    return Claim(
        name(label), kind, name(text), goals, kinds, named, names, [n for n, _ in bound], best, interval,
        formula, atoms.atoms, happenings, event_atoms.atoms, known,
    )  # fmt: skip


def _fact(value: Any, events: int, named: set[str], formula: Callable[[Any], Formula]) -> Fact:
    require(type(value) is dict, "expected a fact")

    def policy(label: Any) -> str:
        require(name(label) in named, "a part that is not a named policy")
        return str(label)

    def delta(share: Any) -> Fraction:
        require(0 < number(share) < 1, "a delta outside (0, 1)")
        return number(share)

    match value.get("kind"):
        case "mixture":
            rows = [array(row, 2) for row in array(fields(value, "kind parts")[1])]
            parts = tuple((number(share), policy(label)) for share, label in rows)
            shares([share for share, _ in parts], "a mixture")
            return Fact("mixture", parts=parts)
        case "runs":
            _, runs, event, lost = fields(value, "kind parts event delta")
            drawn = tuple((Fraction(0), policy(label)) for label in array(runs))
            require(len(drawn) <= SAMPLE, "a sample that is too large")
            return Fact("runs", parts=drawn, event=integer(event, 0, events), size=len(drawn), delta=delta(lost))
        case "samples":
            _, label, event, successes, size, lost = fields(value, "kind name event successes size delta")
            count = integer(successes, 0, integer(size, 0, SAMPLE + 1) + 1)
            return Fact("samples", name(label), (), integer(event, 0, events), count, size, delta(lost))
        case "assumed":
            _, label, why = fields(value, "kind name formula")
            return Fact("assumed", name(label), formula=formula(why))
    raise Rejected("not a fact")


def cells(events: int, literals: dict[int, bool]) -> dict[Term, Fraction]:
    """The probability of a conjunction of events: the sum of the cells (truth of every event, as bits) that agree with it."""
    return {("cell", c): Fraction(1) for c in range(2**events) if all(bool(c >> e & 1) == held for e, held in literals.items())}
