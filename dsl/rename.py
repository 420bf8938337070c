"""A world of the Spec -> the same world as a component: its variables, labels and rewards carry the component's name."""

from __future__ import annotations

from dataclasses import replace

from dsl import spec
from dsl.arrays import Array, Directory
from dsl.scope import WorldNames
from dsl.semantics import children


class Renaming:
    """Each expression is rewritten once, so that what it shares stays shared."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.done: dict[int, tuple[spec.Expr, spec.Expr]] = {}  # the original is kept, so that its id stays its own

    def name(self, name: str) -> str:
        return f"{self.prefix}{name}"

    def expr(self, expr: spec.Expr) -> spec.Expr:
        todo = [expr]
        while todo:
            node = todo[-1]
            missing = [] if id(node) in self.done else [part for part in children(node) if id(part) not in self.done]
            if missing:
                todo.extend(missing)
                continue
            todo.pop()
            if id(node) not in self.done:
                self.done[id(node)] = (node, self._renamed(node))
        return self.done[id(expr)][1]

    def _renamed(self, node: spec.Expr) -> spec.Expr:
        def new(part: spec.Expr) -> spec.Expr:
            return self.done[id(part)][1]

        match node:
            case spec.Const():
                return node
            case spec.Var(name=name):
                return replace(node, name=self.name(name))
            case spec.Unary(arg=arg):
                return replace(node, arg=new(arg))
            case spec.Nary(args=args):
                return replace(node, args=tuple(new(arg) for arg in args))
            case spec.Binary(left=left, right=right):
                return replace(node, left=new(left), right=new(right))
            case spec.If(condition=condition, then=then, otherwise=otherwise):
                return replace(node, condition=new(condition), then=new(then), otherwise=new(otherwise))
            case spec.Lookup(grid=grid, x=x, y=y):
                table = grid if grid.element is None else replace(grid, name=self.name(grid.name))
                return replace(node, grid=table, x=new(x), y=new(y))

    def optional(self, expr: spec.Expr | None) -> spec.Expr | None:
        return None if expr is None else self.expr(expr)

    def outcome(self, outcome: spec.Outcome) -> spec.Outcome:
        assignments = [replace(a, variable=self.name(a.variable), value=self.expr(a.value)) for a in outcome.assignments]
        return replace(outcome, probability=self.expr(outcome.probability), assignments=tuple(assignments))

    def action(self, action: spec.Action) -> spec.Action:
        return replace(action, guard=self.optional(action.guard), outcomes=tuple(self.outcome(o) for o in action.outcomes))

    def reward(self, reward: spec.Reward) -> spec.Reward:
        clauses = [replace(c, guard=self.optional(c.guard), value=self.expr(c.value)) for c in reward.clauses]
        return replace(reward, name=self.name(reward.name), clauses=tuple(clauses))

    def world(self, world: spec.World) -> spec.World:
        """Actions keep their names: components meet in them."""
        init: spec.InitOutcomes | spec.InitUniform | None = world.init
        match init:
            case spec.InitOutcomes(outcomes=outcomes):
                init = replace(init, outcomes=tuple(self.outcome(o) for o in outcomes))
            case spec.InitUniform(condition=condition):
                init = replace(init, condition=self.expr(condition))
        return replace(
            world,
            variables=tuple(replace(v, name=self.name(v.name)) for v in world.variables),
            init=init,
            actions=tuple(
                self.action(a) if isinstance(a, spec.Action) else replace(a, parts=tuple(tuple(map(self.action, p)) for p in a.parts))
                for a in world.actions
            ),
            labels=tuple(replace(label, name=self.name(label.name), condition=self.expr(label.condition)) for label in world.labels),
            rewards=tuple(self.reward(r) for r in world.rewards),
        )

    def names(self, names: WorldNames) -> WorldNames:
        """Of actions too the full name is known, as one more way to write them."""
        return replace(
            names,
            variables={self.name(name): type for name, type in names.variables.items()},
            labels={self.name(name): None if meaning is None else self.expr(meaning) for name, meaning in names.labels.items()},
            rewards=frozenset(map(self.name, names.rewards)),
            states=self.directory(names.states),
            incomes=self.directory(names.incomes),
        )

    def directory(self, known: Directory) -> Directory:
        arrays = {self.name(base): self.array(array) for base, array in known.arrays.items()}
        return Directory(arrays, {short: tuple(map(self.name, full)) for short, full in known.short.items()})

    def array(self, array: Array) -> Array:
        return replace(array, name=self.name(array.name), elements={index: self.name(name) for index, name in array.elements.items()})
