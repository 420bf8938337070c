"""The modules and how they are composed -> the actions of the world: commands alone, or commands of several modules at once.

A composition is a list of items; an item has one part for each module that takes part in it, and one command of every part
moves.  Nothing is multiplied out.  Every command and item gets a name of its own: ``a`` where only one has the label a, else
``a#1``, ``a#2``, ...; ``m#1``, ``m#2``, ... for the commands of module m without a label.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from dsl import spec
from dsl.imported import prism_syntax as syntax
from dsl.imported.prism_commands import Command, Typed
from dsl.imported.prism_typed import Typist
from dsl.record import dataclass
from dsl.source import Span

MAX_ITEMS = 100_000


@dataclass(frozen=True, slots=True)
class Item:
    """``label`` "": none, or hidden; ``order`` is the place of its first command in the text."""

    label: str
    parts: tuple[tuple[Command, ...], ...]
    order: int


@dataclass(frozen=True, slots=True)
class System:
    items: tuple[Item, ...]
    alphabet: frozenset[str]


def compose(modules: Sequence[Typed], system: syntax.Composition | None, span: Span, typist: Typist) -> System:
    """Without ``system``: all modules, synchronised on the actions that they have in common."""
    order = 0
    alone: dict[str, System] = {}
    for module in modules:
        items: dict[str, Item] = {}
        for command in module.commands:
            label = command.action.name
            key = label or f"#{order}"
            before = items.get(key, Item(label, ((),), order))
            items[key] = Item(label, ((*before.parts[0], command),), before.order)
            order += 1
        alone[module.name] = System(tuple(items.values()), module.alphabet)
    if system is None:
        composed = _parallel(list(alone.values()), None, span, typist)
    else:
        used: set[str] = set()
        composed = _composed(system, alone, used, span, typist)
        for module in modules:
            if module.name not in used:
                typist.problems.error("E526", module.span, f"module `{module.name}` does not occur in the `system` construct")
    return composed


def _composed(node: syntax.Composition, alone: Mapping[str, System], used: set[str], span: Span, typist: Typist) -> System:
    match node:
        case syntax.Name(text=name):
            if name not in alone:
                hint = typist.problems.similar(name, alone)
                typist.problems.error("E524", typist.span(node), f"`{name}` is not a module", hint)
                return System((), frozenset())
            if name in used:
                typist.problems.error("E526", typist.span(node), f"module `{name}` occurs twice in the `system` construct")
            used.add(name)
            return alone[name]
        case syntax.Parallel(operands=operands, shared=shared):
            systems = [_composed(operand, alone, used, span, typist) for operand in operands]
            return _parallel(systems, None if shared is None else frozenset(n.text for n in shared), span, typist)
        case syntax.Hide(operand=operand, actions=actions):
            inner = _composed(operand, alone, used, span, typist)
            hidden = frozenset(a.text for a in actions)
            return System(tuple(replace(i, label="") if i.label in hidden else i for i in inner.items), inner.alphabet - hidden)
        case syntax.Relabel(operand=operand, pairs=pairs):
            inner = _composed(operand, alone, used, span, typist)
            new = {old.text: fresh.text for old, fresh in pairs}
            items = tuple(replace(i, label=new.get(i.label, i.label)) for i in inner.items)
            return System(items, frozenset(new.get(a, a) for a in inner.alphabet))


def _parallel(systems: Sequence[System], shared: frozenset[str] | None, span: Span, typist: Typist) -> System:
    """``shared`` None: an action is shared by all the operands whose alphabet has it, if there are two."""
    counts = Counter(action for system in systems for action in system.alphabet)
    together = frozenset(a for a, n in counts.items() if n > 1) if shared is None else shared
    items = [item for system in systems for item in system.items if item.label not in together]
    for action in sorted(together):
        taking = [system for system in systems if action in system.alphabet] if shared is None else systems
        vectors = [Item(action, (), -1)]
        for system in taking:
            of_action = [item for item in system.items if item.label == action]
            if len(items) + len(vectors) * len(of_action) > MAX_ITEMS:
                typist.problems.error("E527", span, f"the composition of the modules has more than {MAX_ITEMS:,} synchronised actions")
                raise typist.problems.failure()
            vectors = [
                Item(action, (*v.parts, *i.parts), i.order if v.order < 0 else min(v.order, i.order)) for v in vectors for i in of_action
            ]
        items.extend(vectors)
    return System(tuple(sorted(items, key=lambda item: item.order)), frozenset(counts))


# ---------------------------------------------------------------- names


def actions(system: System, owners: Mapping[str, str | None], typist: Typist) -> tuple[spec.Action | spec.Synchronised, ...]:
    """The items as actions of the world; what two parts write at the same time is reported."""
    units = [unit for item in system.items for unit in _units(item)]
    counts = Counter(base for base, unit in units if _label(unit))
    labels = {base for base, unit in units if _label(unit)}
    numbers: Counter[str] = Counter()
    named: list[spec.Action | spec.Synchronised] = []
    for base, unit in units:
        unlabelled = not _label(unit)
        stem = base
        while unlabelled and stem in labels:
            stem += "#"
        numbers[stem] += 1
        name = f"{stem}#{numbers[stem]}" if unlabelled or counts[base] > 1 else stem
        if len(unit.parts) == 1:
            named.append(replace(unit.parts[0][0].action, name=name, label=unit.label))
        else:
            _check_writes(unit, owners, typist)
            parts = tuple(tuple(command.action for command in part) for part in unit.parts)
            named.append(spec.Synchronised(name, parts, unit.parts[0][0].action.span, unit.label))
    return tuple(named)


def _label(unit: Item) -> str:
    """What the modules call it, hidden or not."""
    return unit.parts[0][0].action.name if not unit.label else unit.label


def _units(item: Item) -> Iterable[tuple[str, Item]]:
    """The item itself if several modules take part, else its commands one by one; each with the stem of its name."""
    if not all(item.parts):
        return
    if len(item.parts) > 1:
        yield _label(item), item
        return
    for command in item.parts[0]:
        unit = Item(item.label, ((command,),), item.order)
        yield _label(unit) or command.module, unit


def _check_writes(item: Item, owners: Mapping[str, str | None], typist: Typist) -> None:
    for part in item.parts:
        for command in part:
            for name, span in command.writes.items():
                if owners[name] is None:
                    message = f"the global variable `{name}` is written under action `{_label(item)}`, in which several modules take part"
                    typist.problems.error("E526", span, message, "write it in a command without action, or give it to one module")
