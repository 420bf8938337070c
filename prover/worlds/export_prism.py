"""A world -> a program in the PRISM language: one module, one command for each action.

PRISM's rewards know the state and the action, never the next state; worlds whose rewards read it are refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import product
from math import prod

from dsl.semantics import EvaluationError, initial_states
from dsl.spec import Action, Const, InitOutcomes, InitUniform, Outcome, RewardClause, Synchronised, Table, Variable, World
from dsl.types import Bool, Enum, Int, Rational
from prover.worlds.prism_terms import Names, PrimedError, Terms, conjunction, number
from prover.worlds.trace import initial_error

MAX_INITIAL = 10_000
MAX_COMMANDS = 1_000_000


class NoProgramError(Exception):
    """The world cannot be written in PRISM; the text is one sentence that says why."""


def prism(world: World) -> Iterator[str]:
    """The lines, without their ends.  Raises NoProgramError; SpecError for an initial distribution that makes no sense."""
    return _Program(world).lines()


class _Program:
    def __init__(self, world: World) -> None:
        self.world = world
        self.names = Names()
        self.variables = {v.name: self.names.of(v.name) for v in world.variables}
        self.module = self.names.of("world", kept=False)
        self.terms = Terms(self.variables, self.names)
        self.actions: dict[str, str] = {"": ""}  # label -> action of the program
        self.moves = ""  # the formula that says that something can happen, if a deadlock can be
        self.initial, self.drawn = self._initial()
        self.started = self.names.of("started", kept=False) if self.drawn else ""

    def lines(self) -> Iterator[str]:
        world = self.world
        try:
            commands = list(self._listed(world.table) if world.table is not None else self._commands())
            labels = list(self._labels())
            rewards = list(self._rewards())
        except PrimedError as error:
            raise NoProgramError(
                f"a reward of world {world.name} depends on the next state ({error}'), which PRISM cannot express"
            ) from None
        yield f"// world {world.name}, written by twostep"
        for note in world.notes:
            yield f"// {_one_line(note)}"
        for name, own in self.names.renamed.items():
            yield f"// {own} stands for {_one_line(name)}"
        for v in world.variables:
            if isinstance(v.type, Enum):
                meanings = ", ".join(f"{k} = {_one_line(member)}" for k, member in enumerate(v.type.members))
                yield f"// {self.variables[v.name]}: {meanings}"
        if self.drawn:
            yield f"// the initial state is drawn while {self.started} is false: everything happens one step later than in the world"
        yield "dtmc" if world.chain else "mdp"
        yield ""
        for name, text in self.terms.formulas.items():
            yield f"formula {name} = {text};"
        yield ""
        yield f"module {self.module}"
        for v in world.variables:
            yield f"  {self.variables[v.name]} : {_range(v)} init {number(self.initial[v.name])};"
        if self.drawn:
            yield f"  {self.started} : bool init false;"
        yield ""
        yield from (f"  {command}" for command in commands)
        yield "endmodule"
        yield ""
        yield from labels
        yield from rewards

    def _initial(self) -> tuple[Mapping[str, bool | int], list[tuple[dict[str, bool | int], Fraction]]]:
        """The first initial state, and all of them if there are several."""
        if isinstance(self.world.init, InitOutcomes | InitUniform) or self.world.table is not None:
            try:
                states = initial_states(self.world)
            except EvaluationError as error:
                raise initial_error(error) from None
            if len(states) > MAX_INITIAL:
                raise NoProgramError(f"world {self.world.name} has {len(states)} initial states; at most {MAX_INITIAL} can be written")
            return states[0][0], states if len(states) > 1 else []
        try:
            return initial_states(self.world)[0][0], []
        except EvaluationError as error:
            raise initial_error(error) from None

    def _action(self, label: str) -> str:
        if label not in self.actions:
            self.actions[label] = self.names.of(label)
        return self.actions[label]

    # ------------------------------------------------------------ commands

    def _command(self, label: str, guards: Sequence[str], updates: Sequence[tuple[str, str]]) -> str:
        guard = conjunction([*([self.started] if self.drawn else []), *guards])
        if not updates:
            right = "true"  # the world has no state in which this can be done
        elif len(updates) == 1 and updates[0][0] == "1":
            right = updates[0][1]
        else:
            right = " + ".join(f"{p} : {update}" for p, update in updates)
        return f"[{self._action(label)}] {guard} -> {right};"

    def _commands(self) -> Iterator[str]:
        enabled: list[str] = []
        for action in self.world.actions:
            alternatives = [(action,)] if isinstance(action, Action) else product(*action.parts)
            label = action.name if action.label is None else action.label
            if isinstance(action, Synchronised) and prod(len(part) for part in action.parts) > MAX_COMMANDS:
                raise NoProgramError(f"the commands of action {action.name} have more than {MAX_COMMANDS} combinations")
            for together in alternatives:
                guards = [self.terms.text(part.guard) for part in together if part.guard is not None]
                enabled.append(conjunction(guards))
                taken = all(_may_be_distribution(part) for part in together)
                yield self._command(label, guards, list(self._updates(together)) if taken else [])
        if self.world.deadlock_absorbs and "true" not in enabled:
            self.moves = self.names.of("moves", kept=False)
            self.terms.formulas[self.moves] = " | ".join(f"({guard})" for guard in enabled)
            stay = conjunction([*([self.started] if self.drawn else []), f"!{self.moves}"])
            yield f"[{self.names.of('deadlock', kept=False)}] {stay} -> true;"
        yield from self._draw()

    def _updates(self, together: Sequence[Action]) -> Iterator[tuple[str, str]]:
        for outcomes in product(*(part.outcomes for part in together)):
            if any(isinstance(o.probability, Const) and o.probability.value == 0 for o in outcomes):
                continue
            factors = [self.terms.text(o.probability) for o in outcomes]
            factors = [factor for factor in factors if factor not in ("1", "(1)")]
            assigned = [update for outcome in outcomes for update in self._assignments(outcome)]
            yield " * ".join(factors) if factors else "1", " & ".join(assigned) if assigned else "true"

    def _assignments(self, outcome: Outcome) -> Iterator[str]:
        for assignment in outcome.assignments:
            value = self.terms.text(assignment.value)
            # a rational that is an integer in every state that can be reached is still no integer to PRISM
            value = f"floor({value})" if isinstance(assignment.value.type, Rational) else value
            yield f"({self.variables[assignment.variable]}'={value})"

    def _draw(self) -> Iterator[str]:
        """The command that draws the initial state."""
        if not self.drawn:
            return
        updates = []
        for state, p in self.drawn:
            values = [f"({self.variables[name]}'={number(value)})" for name, value in state.items()]
            updates.append(f"{number(p)} : {' & '.join([*values, f'({self.started}' + chr(39) + '=true)'])}")
        yield f"[{self.names.of('start', kept=False)}] !{self.started} -> {' + '.join(updates)};"

    def _listed(self, table: Table) -> Iterator[str]:
        if len(table.action) > MAX_COMMANDS:
            raise NoProgramError(
                f"world {self.world.name} has {len(table.action)} choices; at most {MAX_COMMANDS} can be written, or use drn"
            )
        (state,) = self.variables.values()
        for source in range(len(table.choice_start) - 1):
            for choice in range(table.choice_start[source], table.choice_start[source + 1]):
                row = range(table.transition_start[choice], table.transition_start[choice + 1])
                updates = [(number(table.probabilities[table.probability[t]]), f"({state}'={table.successor[t]})") for t in row]
                yield self._command(table.actions[table.action[choice]], [f"{state}={source}"], updates)
        yield from self._draw()

    # ------------------------------------------------------------ labels and rewards

    def _labels(self) -> Iterator[str]:
        names = Names()
        for label in self.world.labels:
            own = names.of(label.name)
            if own != label.name:
                yield f'// "{own}" stands for the label {_one_line(label.name)}'
            started = [self.started] if self.drawn else []
            yield f'label "{own}" = {conjunction([*started, self.terms.text(label.condition)])};'

    def _rewards(self) -> Iterator[str]:
        names = Names()
        for reward in self.world.rewards:
            own = names.of(reward.name)
            yield ""
            if own != reward.name:
                yield f'// "{own}" stands for the reward {_one_line(reward.name)}'
            yield f'rewards "{own}"'
            if self.world.table is not None:
                yield from self._paid(self.world.table, reward.name)
            else:
                # a clause of an action without commands is never paid, and may not be written
                paid = [clause for clause in reward.clauses if clause.action is None or clause.action in self.actions]
                yield from (f"  {self._clause(clause)}" for clause in paid)
                if not paid:
                    yield "  true : 0;"
            yield "endrewards"

    def _clause(self, clause: RewardClause) -> str:
        guards = [self.started] if self.drawn else []
        if clause.action is None and self.moves and not self.world.deadlock_pays:
            guards.append(self.moves)
        if clause.guard is not None:
            guards.append(self.terms.text(clause.guard))
        head = "" if clause.action is None else f"[{self._action(clause.action)}] "
        return f"{head}{conjunction(guards)} : {self.terms.text(clause.value)};"

    def _paid(self, table: Table, name: str) -> Iterator[str]:
        """The expectation of what each choice earns."""
        index, values = table.rewards[name]
        (state,) = self.variables.values()
        for source in range(len(table.choice_start) - 1):
            for choice in range(table.choice_start[source], table.choice_start[source + 1]):
                row = range(table.transition_start[choice], table.transition_start[choice + 1])
                earned = sum((table.probabilities[table.probability[t]] * values[index[t]] for t in row), Fraction(0))
                if earned:
                    guard = conjunction([*([self.started] if self.drawn else []), f"{state}={source}"])
                    yield f"  [{self._action(table.actions[table.action[choice]])}] {guard} : {number(earned)};"


def _may_be_distribution(action: Action) -> bool:
    """False: its probabilities are constants that sum to something else, so no state that can be reached enables it."""
    shares = [Fraction(o.probability.value) for o in action.outcomes if isinstance(o.probability, Const)]
    return all(p >= 0 for p in shares) and (len(shares) < len(action.outcomes) or sum(shares) == 1)


def _range(variable: Variable) -> str:
    match variable.type:
        case Bool():
            return "bool"
        case Int(low=int(low), high=int(high)):
            return f"[{low}..{high}]"
        case Enum(members=members):
            return f"[0..{len(members) - 1}]"
    raise ValueError(f"variable {variable.name} has no finite range")


def _one_line(text: str) -> str:
    return " ".join(text.split())
