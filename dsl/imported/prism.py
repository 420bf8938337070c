"""A PRISM model (``mdp`` or ``dtmc``) and values for its open constants -> a world.

The meaning is PRISM's: enabled commands are choices of their own, in a ``dtmc`` drawn uniformly; deadlocks get a loop, in which the
rewards of states are still earned; all initial states of an ``init`` construct are equally likely here (PRISM leaves that open).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from dsl import operators, semantics, spec
from dsl.imported import prism_commands, prism_compose, prism_names
from dsl.imported import prism_syntax as syntax
from dsl.imported.prism_lexer import Positions, lex
from dsl.imported.prism_parse import parse
from dsl.imported.prism_typed import IDENTITY, Typist
from dsl.imported.request import Problems, Request
from dsl.source import Span

MAX_DEADLOCK = 20_000  # nodes of the condition of the label `deadlock`; a larger one is left out


def load(request: Request) -> spec.World:
    """Raises SpecError with every mistake of the first stage that finds any."""
    if request.source is None:
        raise ValueError("a PRISM model is a file")
    problems, positions = Problems(), Positions(request.source)
    tokens = lex(request.source, positions, problems)
    model = parse(tokens, positions, problems)
    problems.stop()
    typist = Typist(positions, problems)
    modules = prism_names.instances(model, typist)
    declared = prism_names.declare(model, modules, typist)
    prism_names.evaluate_constants(model, request, typist)
    problems.stop()
    variables = tuple(prism_names.variables(declared, model.initial is not None, typist))
    for formula in typist.formulas.values():
        typist.check(formula.name, IDENTITY)
    owners = {each.name: each.owner for each in declared}
    typed = [prism_commands.typed_module(module, owners, typist) for module in modules]
    labels = _labels(model, typist)
    called = frozenset(label for module in typed for label in module.alphabet)
    rewards = _rewards(model, called, typist)
    start = None if model.initial is None else typist.condition(model.initial, IDENTITY, "the condition of `init`")
    whole = Span(request.source.name, 1, 1, 1, 1)
    if not modules or not variables:
        problems.error("E523", whole, f"a model without {'variables' if modules else 'modules'} is not supported")
    actions = prism_compose.actions(prism_compose.compose(typed, model.system, whole, typist), owners, typist)
    problems.stop()
    variables, init, first = _initial(variables, start, whole)
    return spec.World(
        name=request.name,
        variables=variables,
        init=init,
        actions=actions,
        labels=(*labels, *_built_in(labels, {v.name for v in variables}, actions, first, typist, whole)),
        rewards=rewards,
        deadlock_absorbs=True,
        span=request.span,
        numbered=True,
        chain=model.kind == "dtmc",
        notes=_notes(request, init is not None),
        deadlock_pays=True,
    )


def _notes(request: Request, several: bool) -> tuple[str, ...]:
    given = ", ".join(f"{s.name} = {semantics.show(s.value.value)}" for s in request.settings.values())
    notes = [f'world {request.name} is the PRISM model "{request.written}"{f" with {given}" if given else ""}, as this importer reads it']
    if several:
        notes.append(f"world {request.name} starts in each state that satisfies the model's `init` with the same probability")
    return tuple(notes)


# ---------------------------------------------------------------- labels


def _labels(model: syntax.Model, typist: Typist) -> tuple[spec.Label, ...]:
    """A label that has the name of a variable is called as in the model, with its quotes."""
    found: dict[str, spec.Label] = {}
    first: dict[str, syntax.Name] = {}
    for node in model.labels:
        condition = typist.condition(node.condition, IDENTITY, f"label `{node.name.text}`")
        if node.name.text in first:
            prism_names.twice(node.name, first[node.name.text], "label", typist)
            continue
        first[node.name.text] = node.name
        if condition is not None:
            name = f'"{node.name.text}"' if node.name.text in typist.variables else node.name.text
            found[name] = spec.Label(name, condition, typist.span(node.name))
    return tuple(found.values())


def _built_in(
    labels: Sequence[spec.Label],
    taken: set[str],
    actions: Sequence[spec.Action | spec.Synchronised],
    first: spec.Expr,
    typist: Typist,
    span: Span,
) -> tuple[spec.Label, ...]:
    """``init`` and ``deadlock``, where the model has no use of its own for the name."""
    taken = taken | {label.name for label in labels}
    found = [] if "init" in taken else [spec.Label("init", first, span)]
    if "deadlock" not in taken:
        stuck = operators.unary("not", prism_commands.enabled(actions, span), span)
        if typist.sizes.measure(stuck)[0] <= MAX_DEADLOCK:
            found.append(spec.Label("deadlock", stuck, span))
    return tuple(found)


# ---------------------------------------------------------------- rewards


def _rewards(model: syntax.Model, called: frozenset[str], typist: Typist) -> tuple[spec.Reward, ...]:
    """A structure without a name is called ``reward``."""
    found: dict[str, spec.Reward] = {}
    first: dict[str, syntax.Name] = {}
    written = Counter(node.name.text for node in model.rewards)
    for node in model.rewards:
        name = node.name.text
        if name and name in first:
            prism_names.twice(node.name, first[name], "the reward structure", typist)
            continue
        first[name] = node.name
        if not name:
            name, number = "reward", 1
            while name in found or name in written:
                number += 1
                name = f"reward#{number}"
        clauses = [_clause(item, name, called, typist) for item in node.items]
        found[name] = spec.Reward(name, tuple(c for c in clauses if c is not None), typist.span(node.name))
    return tuple(found.values())


def _clause(item: syntax.RewardItem, name: str, called: frozenset[str], typist: Typist) -> spec.RewardClause | None:
    guard = typist.condition(item.guard, IDENTITY, "a guard")
    value = typist.quantity(item.value, IDENTITY, f"a value of the reward `{name}`")
    action = None if item.action is None else item.action.text
    if item.action is not None and action and action not in called:
        hint = typist.problems.similar(action, called)
        typist.problems.error("E524", typist.span(item.action), f"no module has the action `{action}`", hint)
    if guard is None or value is None:
        return None
    always = isinstance(guard, spec.Const) and guard.value is True
    return spec.RewardClause(action, None if always else guard, value, typist.span(item))


# ---------------------------------------------------------------- initial states


def _initial(
    variables: tuple[spec.Variable, ...], start: spec.Expr | None, span: Span
) -> tuple[tuple[spec.Variable, ...], spec.InitUniform | None, spec.Expr]:
    """The variables with the values that ``init`` gives them, what is left of it, and the condition of being initial."""
    if start is None:
        return variables, None, operators.nary("and", [_equals(v, span) for v in variables], span)
    conditions = start.args if isinstance(start, spec.Nary) and start.op == "and" else (start,)
    read = Counter(name for condition in conditions for name in semantics.variables_read(condition))
    types = {v.name: v for v in variables}
    fixed: dict[str, bool | int] = {}
    rest: list[spec.Expr] = []
    for condition in conditions:
        found = _fixes(condition, types)
        if found is not None and read[found[0]] == 1:
            fixed[found[0]] = found[1]
        else:
            rest.append(condition)
    valued = tuple(spec.Variable(v.name, v.type, fixed.get(v.name), v.span) for v in variables)
    if not rest and len(fixed) == len(variables):
        return valued, None, start
    return valued, spec.InitUniform(operators.nary("and", rest, span) if rest else operators.constant(True, span), span), start


def _fixes(condition: spec.Expr, variables: Mapping[str, spec.Variable]) -> tuple[str, bool | int] | None:
    """The one value that the condition leaves to a variable."""
    match condition:
        case spec.Var(name=name):
            return name, True
        case spec.Unary(op="not", arg=spec.Var(name=name)):
            return name, False
        case spec.Binary(op="==", left=spec.Var(name=name), right=spec.Const(value=value)):
            pass
        case spec.Binary(op="==", left=spec.Const(value=value), right=spec.Var(name=name)):
            pass
        case _:
            return None
    inside = value in semantics.domain(variables[name])[1]
    return (name, bool(value) if isinstance(value, bool) else int(value)) if inside else None


def _equals(variable: spec.Variable, span: Span) -> spec.Expr:
    read = spec.Var(variable.name, variable.type, False, span)
    value = variable.initial if variable.initial is not None else False
    if isinstance(value, bool):
        return read if value else operators.unary("not", read, span)
    return operators.binary("==", read, operators.constant(value, span), span)
