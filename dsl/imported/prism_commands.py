"""The commands of the modules -> typed commands of one world, and which of them belong together under one action."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from dsl import operators, spec
from dsl.imported import prism_syntax as syntax
from dsl.imported.prism_names import Instance
from dsl.imported.prism_typed import Renaming, Typist
from dsl.record import dataclass
from dsl.semantics import show
from dsl.source import Span


@dataclass(frozen=True, slots=True)
class Command:
    """``writes``: the variables that it assigns, each with a place where it does."""

    module: str
    action: spec.Action  # its label is the action's name in the module, "" for none
    writes: Mapping[str, Span]


@dataclass(frozen=True, slots=True)
class Typed:
    """A module: its commands in the order of the text, and its alphabet (commands that are never enabled count)."""

    name: str
    commands: tuple[Command, ...]
    alphabet: frozenset[str]
    span: Span


def typed_module(instance: Instance, owners: Mapping[str, str | None], typist: Typist) -> Typed:
    """``owners``: the module that may write a variable, None for a global one."""
    commands: list[Command] = []
    alphabet: set[str] = set()
    for node in instance.text.commands:
        label = "" if node.action is None else instance.renaming(node.action.text)
        alphabet.add(label)
        command = _command(node, label, instance, owners, typist)
        if command is not None and not _never(command.action.guard):
            commands.append(command)
    return Typed(instance.name.text, tuple(commands), frozenset(alphabet - {""}), typist.span(instance.name))


def _never(guard: spec.Expr | None) -> bool:
    return isinstance(guard, spec.Const) and guard.value is False


def _command(node: syntax.Command, label: str, instance: Instance, owners: Mapping[str, str | None], typist: Typist) -> Command | None:
    renaming, span = instance.renaming, typist.span(node)
    guard = typist.condition(node.guard, renaming, "a guard")
    writes: dict[str, Span] = {}
    outcomes = [_outcome(update, instance, owners, writes, typist) for update in node.updates]
    ready = [outcome for outcome in outcomes if outcome is not None]
    if guard is None or len(ready) < len(outcomes):
        return None
    probabilities = [o.probability.value for o in ready if isinstance(o.probability, spec.Const)]
    for outcome in ready:
        if isinstance(outcome.probability, spec.Const) and outcome.probability.value < 0:
            typist.problems.error("E302", outcome.probability.span, f"the probability {show(outcome.probability.value)} is negative")
    if len(probabilities) == len(ready) and sum(probabilities) != 1:
        hint = "numbers are read exactly: write `1/3`, not `0.333`"
        total = show(Fraction(sum(probabilities)))
        typist.problems.error("E302", span, f"the probabilities of this command sum to {total}, not to 1", hint)
    kept = tuple(o for o in ready if not (isinstance(o.probability, spec.Const) and o.probability.value == 0))
    always = isinstance(guard, spec.Const) and guard.value is True
    return Command(instance.name.text, spec.Action(label, None if always else guard, kept, span, label), writes)


def _outcome(
    node: syntax.Update, instance: Instance, owners: Mapping[str, str | None], writes: dict[str, Span], typist: Typist
) -> spec.Outcome | None:
    span = typist.span(node)
    one = operators.constant(1, span)
    probability = one if node.probability is None else typist.quantity(node.probability, instance.renaming, "a probability")
    done: dict[str, spec.Assignment] = {}
    for each in node.assignments:
        assignment = _assignment(each, instance.renaming, typist)
        if assignment is None:
            continue
        if assignment.variable in done:
            typist.problems.error("E321", assignment.span, f"`{assignment.variable}` is assigned twice in one update")
        owner = owners[assignment.variable]
        if owner is not None and owner != instance.name.text:
            message = f"module `{instance.name.text}` cannot write `{assignment.variable}`, a variable of module `{owner}`"
            hint = "declare it `global`, or write it in a synchronised command there"
            typist.problems.error("E526", typist.span(each.name), message, hint)
        writes.setdefault(assignment.variable, typist.span(each.name))
        done[assignment.variable] = assignment
    if probability is None or len(done) < len(node.assignments):
        return None
    return spec.Outcome(probability, tuple(done.values()), span)


def _assignment(node: syntax.Assignment, renaming: Renaming, typist: Typist) -> spec.Assignment | None:
    name = renaming(node.name.text)
    if name not in typist.variables:
        what = "a constant" if name in typist.constants else "a formula" if name in typist.formulas else None
        hint = f"it is {what}" if what else typist.problems.similar(name, typist.variables)
        typist.problems.error("E524", typist.span(node.name), f"`{name}` is not a variable", hint)
        typist.check(node.value, renaming)
        return None
    type = typist.variables[name]
    if type is None:
        return None
    value = typist.value(node.value, renaming, name, type)
    return None if value is None else spec.Assignment(name, value, typist.span(node))


# ---------------------------------------------------------------- for labels


def enabled(actions: Sequence[spec.Action | spec.Synchronised], span: Span) -> spec.Expr:
    """That some command, or combination of synchronised commands, is enabled."""
    return operators.nary("or", [_together(a.parts if isinstance(a, spec.Synchronised) else ((a,),), span) for a in actions], span)


def _together(parts: Sequence[Sequence[spec.Action]], span: Span) -> spec.Expr:
    always = operators.constant(True, span)
    some = [operators.nary("or", [c.guard or always for c in part], span) for part in parts]
    return operators.nary("and", some, span)
