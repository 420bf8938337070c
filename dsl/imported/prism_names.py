"""The declarations of a PRISM model and the settings of the import -> what every name stands for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from dsl import operators, spec
from dsl.imported import prism_syntax as syntax
from dsl.imported.prism_typed import IDENTITY, Renaming, Typist, names_in
from dsl.imported.request import Request, Setting
from dsl.record import dataclass
from dsl.resolve import components
from dsl.types import Bool, Int, Rational, Type

TYPES: dict[str, Type] = {"int": Int(), "double": Rational(), "bool": Bool()}


@dataclass(frozen=True, slots=True)
class Instance:
    """A module, or another one's text under a renaming."""

    name: syntax.Name
    text: syntax.Module
    renaming: Renaming


@dataclass(frozen=True, slots=True)
class Declared:
    """A variable with its name after renaming; ``owner`` None: global."""

    name: str
    owner: str | None
    node: syntax.Variable
    renaming: Renaming


def instances(model: syntax.Model, typist: Typist) -> list[Instance]:
    """The modules in the order of the text."""
    nodes: dict[str, syntax.Module | syntax.Renamed] = {}
    for node in model.modules:
        if node.name.text in nodes:
            twice(node.name, nodes[node.name.text].name, "module", typist)
        else:
            nodes[node.name.text] = node
    found: list[Instance] = []
    for node in nodes.values():
        chain: list[syntax.Renamed] = []
        base: syntax.Module | syntax.Renamed | None = node
        while isinstance(base, syntax.Renamed) and base not in chain:
            chain.append(base)
            base = nodes.get(base.base.text)
        if isinstance(base, syntax.Module):
            renaming = IDENTITY
            for renamed in reversed(chain):
                renaming = Renaming(_pairs(renamed, typist), renaming)
            found.append(Instance(node.name, base, renaming))
        elif base is not None:
            typist.problems.error("E524", typist.span(node.name), f"module `{node.name.text}` is defined by itself")
        elif chain[-1] is node:
            hint = typist.problems.similar(chain[-1].base.text, nodes)
            typist.problems.error("E524", typist.span(node.base), f"`{node.base.text}` is not a module", hint)
    return found


def _pairs(node: syntax.Renamed, typist: Typist) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for old, new in node.pairs:
        if old.text in pairs:
            typist.problems.error("E524", typist.span(old), f"`{old.text}` is renamed twice")
        pairs[old.text] = new.text
    return pairs


def twice(name: syntax.Name, first: syntax.Name, what: str, typist: Typist) -> None:
    hint = f"first at line {typist.span(first).line}"
    typist.problems.error("E524", typist.span(name), f"{what} `{name.text}` is declared twice", hint)


# ---------------------------------------------------------------- one table of names


def declare(model: syntax.Model, modules: Iterable[Instance], typist: Typist) -> list[Declared]:
    """Constants, formulas and variables share one table; the variables, those of the modules after the global ones."""
    taken: dict[str, syntax.Name] = {}

    def new(name: syntax.Name, called: str, what: str, hint: str | None = None) -> bool:
        first = taken.setdefault(called, name)
        if first is not name or (called in typist.variables or called in typist.constants or called in typist.formulas):
            where = hint or f"first at line {typist.span(first).line}"
            typist.problems.error("E524", typist.span(name), f"{what} `{called}` is declared twice", where)
            return False
        return True

    for constant in model.constants:
        if new(constant.name, constant.name.text, "constant"):
            typist.constants[constant.name.text] = None
    for formula in model.formulas:
        if new(formula.name, formula.name.text, "formula"):
            typist.formulas[formula.name.text] = formula
    declared: list[Declared] = []
    for variable in model.variables:
        if new(variable.name, variable.name.text, "variable"):
            declared.append(Declared(variable.name.text, None, variable, IDENTITY))
            typist.variables[variable.name.text] = Bool() if variable.bounds is None else Int()
    for module in modules:
        for variable in module.text.variables:
            called = module.renaming(variable.name.text)
            unrenamed = module.renaming is not IDENTITY and called == variable.name.text
            hint = f"module `{module.name.text}` must rename it" if unrenamed else None
            if new(variable.name, called, "variable", hint):
                declared.append(Declared(called, module.name.text, variable, module.renaming))
                typist.variables[called] = Bool() if variable.bounds is None else Int()
    return declared


# ---------------------------------------------------------------- constants


def evaluate_constants(model: syntax.Model, request: Request, typist: Typist) -> None:
    """In the order of their dependencies; what the file leaves open, the settings of the import give."""
    nodes = {c.name.text: c for c in reversed(model.constants) if c.name.text in typist.constants}
    _check_settings(nodes, request, typist)
    uses = {name: _known_names(_of_constant(c), nodes, typist) for name, c in nodes.items()}
    uses |= {name: _known_names(f.body, nodes, typist) for name, f in typist.formulas.items()}
    order = list(components(uses))
    for cycle in order:
        if len(cycle) > 1 or cycle[0] in uses[cycle[0]]:
            _report_cycle(sorted(cycle), nodes, typist)
    typist.uses = {name: [n for n in uses[name] if n in typist.formulas] for name in typist.formulas if name not in typist.circular}
    for name, *others in order:
        if name in nodes and not others and name not in uses[name]:
            typist.constants[name] = _constant(nodes[name], request.settings, typist)


def _of_constant(constant: syntax.Constant) -> syntax.Expr:
    return syntax.Boolean(True, 0, 0) if constant.value is None else constant.value


def _known_names(node: syntax.Expr, constants: Mapping[str, syntax.Constant], typist: Typist) -> list[str]:
    return list(dict.fromkeys(n for n in names_in(node) if n in constants or n in typist.formulas))


def _report_cycle(cycle: list[str], nodes: Mapping[str, syntax.Constant], typist: Typist) -> None:
    typist.circular.update(name for name in cycle if name in typist.formulas)
    first = nodes[cycle[0]].name if cycle[0] in nodes else typist.formulas[cycle[0]].name
    message = f"`{cycle[0]}` is defined by itself" if len(cycle) == 1 else f"these are defined by each other: {', '.join(cycle[:8])}"
    typist.problems.error("E524", typist.span(first), message)


def _constant(node: syntax.Constant, settings: Mapping[str, Setting], typist: Typist) -> spec.Const | None:
    name, type = node.name.text, TYPES[node.type]
    if node.value is None:
        return _given(settings[name], node.type, typist) if name in settings else None
    return typist.known(typist.value(node.value, IDENTITY, name, type), f"constant `{name}`")


def _given(setting: Setting, wanted: str, typist: Typist) -> spec.Const | None:
    value, type = setting.value, TYPES[wanted]
    if isinstance(type, Int) and isinstance(value.type, Rational) and value.value == int(value.value):
        return operators.constant(int(value.value), value.span)
    if operators.fits(value.type, type):
        converted = operators.converted(value, type)
        return converted if isinstance(converted, spec.Const) else None
    message = f"constant `{setting.name}` of the model is of type `{wanted}`, but this is {operators.described(value.type)}"
    typist.problems.error("E522", setting.span, message)
    return None


def _check_settings(nodes: Mapping[str, syntax.Constant], request: Request, typist: Typist) -> None:
    for setting in request.settings.values():
        node = nodes.get(setting.name)
        if node is None:
            hint = typist.problems.similar(setting.name, nodes)
            typist.problems.error("E522", setting.span, f"the model has no constant `{setting.name}`", hint)
        elif node.value is not None:
            where = typist.span(node.name)
            message = f"constant `{setting.name}` has its value in the model already"
            typist.problems.error("E522", setting.span, message, f"see {where.file}:{where.line}")
    missing = [c for c in nodes.values() if c.value is None and c.name.text not in request.settings]
    all_given = "; ".join(f"{c.name.text} = {'true' if c.type == 'bool' else '...'}" for c in reversed(missing))
    for constant in missing:
        where = typist.span(constant.name)
        message = f"constant `{constant.name.text}` of the model ({where.file}:{where.line}) has no value"
        typist.problems.error("E522", request.path_span, message, f"give it after the file: `{{ {all_given} }}`")


# ---------------------------------------------------------------- variables


def variables(declared: Iterable[Declared], initial: bool, typist: Typist) -> Iterator[spec.Variable]:
    """Those that are in order; ``initial``: their first values come from ``init ... endinit``."""
    ranges = {each.name: _range(each, typist) for each in declared}
    typist.done.clear()  # formulas that were written out for a constant, before the ranges were known
    typist.variables.update(ranges)
    for each in declared:
        node, type = each.node, ranges[each.name]
        if node.initial is not None and initial:
            span = typist.span(node.initial)
            typist.problems.error("E526", span, f"variable `{each.name}` has an initial value, but the model has an `init` construct")
        if type is None:
            continue
        first: bool | int | None = type.low if isinstance(type, Int) else False
        if node.initial is not None:
            expr = typist.value(node.initial, each.renaming, each.name, type)
            value = typist.known(expr, f"the initial value of `{each.name}`")
            if value is None:
                continue
            first = bool(value.value) if isinstance(type, Bool) else int(value.value)
            if isinstance(type, Int) and not (type.low is not None and type.high is not None and type.low <= first <= type.high):
                typist.problems.error("E322", value.span, f"the initial value {first} of `{each.name}` is outside its range {type}")
        yield spec.Variable(each.name, type, None if initial else first, typist.span(node.name))


def _range(declared: Declared, typist: Typist) -> Type | None:
    if declared.node.bounds is None:
        return Bool()
    ends: list[int] = []
    for node in declared.node.bounds:
        what = f"an end of the range of `{declared.name}`"
        value = typist.known(typist.value(node, declared.renaming, declared.name, Int()), what)
        if value is not None:
            ends.append(int(value.value))
    if len(ends) < 2:
        return None
    low, high = ends
    if low > high:
        span = typist.span(declared.node.bounds[0])
        typist.problems.error("E216", span, f"the range {low}..{high} of `{declared.name}` is empty")
        return None
    return Int(low, high)
