"""Components -> one world, their parallel composition: actions that several name happen in all of them at once, the others alone.

Every variable belongs to one component, so whatever happens at once assigns different variables.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import product
from math import prod

from dsl import spec
from dsl.arrays import Array, Directory, array
from dsl.operators import IllTyped, constant, nary
from dsl.record import dataclass
from dsl.rename import Renaming
from dsl.scope import WorldNames
from dsl.semantics import EvaluationError, domain, initial_states, variables_read
from dsl.source import Span
from dsl.spec import World

MAX_INITIAL = 10_000  # outcomes of the initial distribution of a composed world


@dataclass(frozen=True, slots=True)
class Component:
    """``alias``: what the composition calls it; None: its names stay as they are (a single component)."""

    alias: str | None
    world: World
    names: WorldNames
    span: Span


def composed(name: str, components: Sequence[Component], span: Span) -> tuple[World, WorldNames]:
    """IllTyped if their initial distributions cannot be written as one, or their rewards not be added up alike."""
    parts = [(c, c.world, c.names) if c.alias is None else _renamed(c, Renaming(f"{c.alias}::")) for c in components]
    worlds = [world for _, world, _ in parts]
    absorbs = all(w.deadlock_absorbs for w in worlds)
    pays = {w.deadlock_pays for w in worlds if w.rewards} if absorbs else set()
    if len(pays) > 1:
        raise IllTyped("E221", span, "the components do not agree on whether rewards of states go on for ever in a deadlock")
    world = World(
        name=name,
        variables=tuple(v for w in worlds for v in w.variables),
        init=_initial(parts, span),
        actions=tuple(_actions(worlds)),
        labels=tuple(label for w in worlds for label in w.labels),
        rewards=tuple(reward for w in worlds for reward in w.rewards),
        deadlock_absorbs=absorbs,
        span=span,
        notes=tuple(dict.fromkeys(note for w in worlds for note in w.notes)),
        deadlock_pays=True in pays,
    )
    return world, _names(name, [(c, names) for c, _, names in parts])


def _renamed(component: Component, renaming: Renaming) -> tuple[Component, World, WorldNames]:
    return component, renaming.world(component.world), renaming.names(component.names)


# ---------------------------------------------------------------- actions


def _actions(worlds: Sequence[World]) -> Iterable[spec.Action | spec.Synchronised]:
    """In the order of first appearance; the parts of a synchronised action are the components that name it, in their order.

    A component that is composed itself brings its parts: composition is associative.
    """
    owners: dict[str, list[World]] = {}
    for world in worlds:
        for name in dict.fromkeys(action.name for action in world.actions):
            owners.setdefault(name, []).append(world)
    done: set[str] = set()
    for world in worlds:
        for action in world.actions:
            if len(owners[action.name]) == 1:
                yield action
            elif action.name not in done:
                done.add(action.name)
                parts = [part for owner in owners[action.name] for part in _parts(owner, action.name)]
                yield spec.Synchronised(action.name, tuple(parts), action.span)


def _parts(world: World, name: str) -> list[tuple[spec.Action, ...]]:
    together = [part for a in world.actions if isinstance(a, spec.Synchronised) and a.name == name for part in a.parts]
    return together or [tuple(a for a in world.actions if isinstance(a, spec.Action) and a.name == name)]


# ---------------------------------------------------------------- initial states


def _initial(parts: Sequence[tuple[Component, World, WorldNames]], span: Span) -> spec.InitOutcomes | spec.InitUniform | None:
    """The product of the initial distributions: components start independently."""
    inits = [(component, world) for component, world, _ in parts if world.init is not None]
    uniform = [world.init.condition for _, world in inits if isinstance(world.init, spec.InitUniform)]
    if not inits:
        return None
    if len(uniform) == len(inits):  # uniform over a product of sets, each over its own variables
        return spec.InitUniform(nary("and", uniform, span) if len(uniform) > 1 else uniform[0], span)
    listed = [_listed(component, world) for component, world in inits]
    if prod(len(outcomes) for outcomes in listed) > MAX_INITIAL:
        raise IllTyped("E221", span, f"the components' initial distributions together have more than {MAX_INITIAL} outcomes")
    outcomes = []
    for combination in product(*listed):
        probability = nary("*", [o.probability for o in combination], span) if len(combination) > 1 else combination[0].probability
        outcomes.append(spec.Outcome(probability, tuple(a for o in combination for a in o.assignments), span))
    return spec.InitOutcomes(tuple(outcomes), span)


def _listed(component: Component, world: World) -> tuple[spec.Outcome, ...]:
    if isinstance(world.init, spec.InitOutcomes):
        return world.init.outcomes
    read = set() if world.init is None else variables_read(world.init.condition)
    free = [v for v in world.variables if v.name in read or v.initial is None]
    message = f"`init uniform` of world {component.world.name} has more than {MAX_INITIAL} valuations to be listed beside another `init`"
    if prod(domain(v)[0] for v in free) > MAX_INITIAL:
        raise IllTyped("E221", component.span, message, "write the other components' `init` with `uniform` too")
    try:
        states = initial_states(world)
    except EvaluationError as error:
        raise IllTyped(error.code, component.span, error.message) from None
    return tuple(_outcome(world, state, probability, component.span) for state, probability in states)


def _outcome(world: World, state: dict[str, bool | int], probability: Fraction, span: Span) -> spec.Outcome:
    assignments = []
    for variable in world.variables:
        value = constant(state[variable.name], span, None if isinstance(state[variable.name], bool) else variable.type)
        assignments.append(spec.Assignment(variable.name, value, span))
    return spec.Outcome(constant(probability, span), tuple(assignments), span)


# ---------------------------------------------------------------- names


def _names(name: str, parts: Sequence[tuple[Component, WorldNames]]) -> WorldNames:
    names = [n for _, n in parts]
    states = _directory([n.states for n in names], [{**n.variables, **n.labels} for n in names])
    incomes = _directory([n.incomes for n in names], [n.rewards for n in names])
    short: dict[str, tuple[str, ...]] = {}
    arrays: dict[str, Array] = {}
    for component, known in parts:
        for base, members in known.commands.arrays.items():
            arrays[base] = _joined(arrays.get(base), members, component.span)
        elements = {element for members in known.commands.arrays.values() for element in members.elements.values()}
        bases = [*(known.actions - elements), *known.commands.arrays]
        if component.alias is not None:
            short.update((f"{component.alias}::{base}", (base,)) for base in bases)
            short.update((f"{component.alias}::{written}", bases) for written, bases in known.commands.short.items())
    return WorldNames(
        name,
        {variable: type for n in names for variable, type in n.variables.items()},
        {label: meaning for n in names for label, meaning in n.labels.items()},
        frozenset(action for n in names for action in n.actions),
        frozenset(reward for n in names for reward in n.rewards),
        states=states,
        commands=Directory(arrays, short),
        incomes=incomes,
    )


def _joined(a: Array | None, b: Array, span: Span) -> Array:
    """Components may each have some actions of one array (`move[0]`, `move[1]`)."""
    if a is not None and a.kinds != b.kinds:
        raise IllTyped("E221", span, f"the components have actions called `{b.name}` with indices of different number or kind")
    return b if a is None else array(b.name, {**a.elements, **b.elements}, b.kinds)


def _directory(directories: Sequence[Directory], names: Sequence[Iterable[str]]) -> Directory:
    """Every full name can be written from any of its parts on, if that is not the full name of something else."""
    arrays = {base: members for known in directories for base, members in known.arrays.items()}
    elements = {element for members in arrays.values() for element in members.elements.values()}
    full = dict.fromkeys([*arrays, *(name for known in names for name in known if name not in elements)])
    short: dict[str, list[str]] = {}
    for known in full:
        rest = known
        while "::" in rest:
            rest = rest.partition("::")[2]
            if rest not in full:
                short.setdefault(rest, []).append(known)
    return Directory(arrays, {written: tuple(meant) for written, meant in short.items()})
