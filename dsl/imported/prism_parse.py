"""The tokens of a PRISM model -> its syntax tree; after a mistake it goes on at the next command or declaration."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from dsl.imported import prism_syntax as syntax
from dsl.imported.prism_cursor import Cursor
from dsl.imported.prism_expression import MistakeError, unexpected
from dsl.imported.prism_lexer import Positions, Token
from dsl.imported.prism_system import parse_system
from dsl.imported.request import Problems

KINDS = {"mdp": "mdp", "nondeterministic": "mdp", "dtmc": "dtmc", "probabilistic": "dtmc"}
FOREIGN = {
    "ctmc": "a continuous-time Markov chain",
    "stochastic": "a continuous-time Markov chain",
    "ctmdp": "a continuous-time Markov decision process",
    "ma": "a Markov automaton",
    "pta": "a probabilistic timed automaton",
    "popta": "a partially observable probabilistic timed automaton",
    "pomdp": "a partially observable Markov decision process",
    "smg": "a stochastic game",
    "csg": "a concurrent stochastic game",
    "tsg": "a turn-based stochastic game",
    "imdp": "an interval Markov decision process",
    "idtmc": "an interval Markov chain",
    "lts": "a labelled transition system",
}
UNSUPPORTED = {
    "player": ("a player of a game", "endplayer"),
    "observables": ("partial observation", "endobservables"),
    "observable": ("partial observation", ";"),
    "invariant": ("an invariant of clocks", "endinvariant"),
}
OPENING = frozenset({"const", "formula", "label", "global", "module", "rewards", "init", "system", *KINDS, *UNSUPPORTED})

T = TypeVar("T")


def parse(tokens: Sequence[Token], positions: Positions, problems: Problems) -> syntax.Model:
    """What could be read; all the mistakes are in ``problems``."""
    return _Parser(tokens, positions, problems).model()


class _Parser(Cursor):
    def __init__(self, tokens: Sequence[Token], positions: Positions, problems: Problems) -> None:
        super().__init__(tokens, 0)
        self.positions, self.problems = positions, problems
        self.garbled = {diagnostic.span.line for diagnostic in problems.diagnostics}  # what is wrong there has been said

    def report(self, mistake: MistakeError) -> None:
        span = self.positions.span(mistake.start, mistake.end)
        if span.line not in self.garbled:
            self.problems.error(mistake.code, span, mistake.message, mistake.hint)

    def recovering(self, rule: Callable[[], T], stops: frozenset[str]) -> T | None:
        """The rule; after a mistake, on behind the next ``;`` or at a word that starts or ends something."""
        begun = self.place
        try:
            return rule()
        except MistakeError as mistake:
            self.report(mistake)
        self.place = max(self.place, begun + 1) if self.token.kind != "end" else self.place
        while self.token.kind != "end" and self.token.text not in stops:
            self.place += 1
            if self.tokens[self.place - 1].text == ";":
                break
        return None

    # ------------------------------------------------ the model

    def model(self) -> syntax.Model:
        kind: str | None = None
        constants: list[syntax.Constant] = []
        formulas: list[syntax.Formula] = []
        labels: list[syntax.Label] = []
        variables: list[syntax.Variable] = []
        modules: list[syntax.Module | syntax.Renamed] = []
        rewards: list[syntax.Rewards] = []
        initial: list[syntax.Expr] = []
        systems: list[syntax.Composition] = []
        rules: dict[str, Callable[[], None]] = {
            "const": lambda: constants.append(self.constant()),
            "formula": lambda: formulas.append(self.formula()),
            "label": lambda: labels.append(self.label()),
            "global": lambda: variables.append(self.global_variable()),
            "module": lambda: modules.append(self.module()),
            "rewards": lambda: rewards.append(self.rewards()),
            "init": lambda: initial.append(self.initial(initial)),
            "system": lambda: systems.append(self.system(systems)),
        }
        while self.token.kind != "end":
            token = self.token
            if token.text in KINDS:
                if kind is not None:
                    self.report(MistakeError("E521", token.start, token.end, "the type of the model is given twice"))
                kind = KINDS[token.text]
                self.place += 1
            elif token.text in FOREIGN:
                message = f"the model is {FOREIGN[token.text]} (`{token.text}`), which is not supported"
                self.report(MistakeError("E523", token.start, token.end, message, "`mdp` and `dtmc` are"))
                raise self.problems.failure()
            elif token.text in UNSUPPORTED:
                self.unsupported()
            elif token.text in rules:
                self.recovering(rules[token.text], OPENING)
            else:
                self.recovering(self.stray, OPENING)
        return syntax.Model(
            kind or "mdp",
            tuple(constants),
            tuple(formulas),
            tuple(labels),
            tuple(variables),
            tuple(modules),
            tuple(rewards),
            initial[0] if initial else None,
            systems[0] if systems else None,
        )

    def stray(self) -> None:
        raise unexpected(self.token, "a declaration", "a model is made of const, formula, global, module, label, rewards, init and system")

    def unsupported(self) -> None:
        token = self.token
        what, closing = UNSUPPORTED[token.text]
        self.report(MistakeError("E523", token.start, token.end, f"{what} (`{token.text}`) is not supported"))
        while self.token.kind != "end" and not self.at(closing):
            self.place += 1
        self.accept(closing)

    # ------------------------------------------------ declarations

    def constant(self) -> syntax.Constant:
        self.expect("const")
        type = "int"
        if self.token.text in ("int", "double", "bool"):
            type = self.token.text
            self.place += 1
        name = self.name("the name of the constant")
        value = self.expression() if self.accept("=") else None
        self.expect(";")
        return syntax.Constant(name, type, value)

    def formula(self) -> syntax.Formula:
        self.expect("formula")
        name = self.name("the name of the formula")
        self.expect("=")
        body = self.expression()
        self.expect(";")
        return syntax.Formula(name, body)

    def label(self) -> syntax.Label:
        self.expect("label")
        name = self.quoted("the name of the label")
        self.expect("=")
        condition = self.expression()
        self.expect(";")
        return syntax.Label(name, condition)

    def global_variable(self) -> syntax.Variable:
        self.expect("global")
        return self.variable()

    def variable(self) -> syntax.Variable:
        name = self.name("the name of a variable")
        self.expect(":")
        bounds = None
        token = self.token
        if token.text in ("int", "clock", "double"):
            what = "a clock" if token.text == "clock" else f"a variable of type `{token.text}`, which has infinitely many values,"
            raise MistakeError("E523", token.start, token.end, f"{what} is not supported", "give a range: `[0..10]`")
        if not self.accept("bool"):
            self.expect("[", "a variable is `bool` or has a range: `[0..10]`")
            low = self.expression()
            self.expect("..")
            bounds = (low, self.expression())
            self.expect("]")
        initial = self.expression() if self.accept("init") else None
        self.expect(";")
        return syntax.Variable(name, bounds, initial)

    def module(self) -> syntax.Module | syntax.Renamed:
        opening = self.expect("module")
        name = self.name("the name of the module")
        if self.accept("="):
            return self.renamed(name)
        variables: list[syntax.Variable] = []
        commands: list[syntax.Command] = []
        stops = frozenset(("endmodule", "module", "const", "formula", "label", "global", "rewards", "system"))
        while not self.at("endmodule"):
            if self.token.kind == "end" or self.token.text in stops:
                hint = f"module `{name.text}` begins at line {self.positions.span(opening.start, opening.end).line}"
                raise unexpected(self.token, "`endmodule`", hint)
            if self.token.text in UNSUPPORTED:
                self.unsupported()
            elif self.at("["):
                command = self.recovering(self.command, stops)
                if command is not None:
                    commands.append(command)
            else:
                variable = self.recovering(self.variable, stops)
                if variable is not None:
                    variables.append(variable)
        self.place += 1
        return syntax.Module(name, tuple(variables), tuple(commands))

    def renamed(self, name: syntax.Name) -> syntax.Renamed:
        base = self.name("the name of a module")
        self.expect("[")
        pairs: list[tuple[syntax.Name, syntax.Name]] = []
        while True:
            old = self.renameable()
            self.expect("=")
            pairs.append((old, self.renameable()))
            if not self.accept(","):
                break
        self.expect("]")
        self.expect("endmodule")
        return syntax.Renamed(name, base, tuple(pairs))

    def renameable(self) -> syntax.Name:
        """``min`` and ``max`` are words of the language, and functions that can be renamed."""
        token = self.token
        if token.text not in ("min", "max"):
            return self.name("a name")
        self.place += 1
        return syntax.Name(token.text, token.start, token.end)

    # ------------------------------------------------ commands

    def command(self) -> syntax.Command:
        start = self.expect("[").start
        action = None if self.at("]") else self.name("the name of an action")
        self.expect("]")
        guard = self.expression()
        self.expect("->")
        updates = [self.update()]
        while self.accept("+"):
            updates.append(self.update())
        end = self.expect(";", "updates are joined with `+`").end
        for update in updates:
            if update.probability is None and len(updates) > 1:
                raise MistakeError("E521", update.start, update.end, "where there are several updates, each has a probability")
        return syntax.Command(action, guard, tuple(updates), start, end)

    def update(self) -> syntax.Update:
        start = self.token.start
        probability = None
        following = self.tokens[min(self.place + 1, len(self.tokens) - 1)]
        if not self.assigns() and not (self.at("true") and following.text != ":"):
            probability = self.expression()
            self.expect(":", "an update is `p : (x'=1) & (y'=2)`")
        if self.accept("true"):
            return syntax.Update(probability, (), start, self.tokens[self.place - 1].end)
        assignments = [self.assignment()]
        while self.accept("&"):
            assignments.append(self.assignment())
        return syntax.Update(probability, tuple(assignments), start, assignments[-1].end)

    def assigns(self) -> bool:
        """Whether ``(x' = ...`` stands here."""
        ahead = self.tokens[self.place : self.place + 3]
        return len(ahead) == 3 and ahead[0].text == "(" and ahead[1].kind == "name" and ahead[2].text == "'"

    def assignment(self) -> syntax.Assignment:
        start = self.expect("(", "an assignment is `(x'=1)`").start
        name = self.name("a variable")
        self.expect("'")
        self.expect("=")
        value = self.expression()
        return syntax.Assignment(name, value, start, self.expect(")").end)

    # ------------------------------------------------ rewards, initial states, composition

    def rewards(self) -> syntax.Rewards:
        opening = self.expect("rewards")
        name = self.quoted("a name") if self.token.kind == "string" else syntax.Name("", opening.start, opening.end)
        items: list[syntax.RewardItem] = []
        stops = frozenset(("endrewards", "module", "const", "formula", "label", "global", "rewards", "system"))
        while not self.at("endrewards"):
            if self.token.kind == "end" or self.token.text in stops:
                raise unexpected(self.token, "`endrewards`", f"they begin at line {self.positions.span(opening.start, opening.end).line}")
            item = self.recovering(self.reward_item, stops)
            if item is not None:
                items.append(item)
        self.place += 1
        return syntax.Rewards(name, tuple(items))

    def reward_item(self) -> syntax.RewardItem:
        start, action = self.token.start, None
        if self.accept("["):
            action = syntax.Name("", start, self.token.end) if self.at("]") else self.name("the name of an action")
            self.expect("]")
        guard = self.expression()
        self.expect(":", "an item is `guard : value;`")
        value = self.expression()
        return syntax.RewardItem(action, guard, value, start, self.expect(";").end)

    def initial(self, before: Sequence[syntax.Expr]) -> syntax.Expr:
        opening = self.expect("init")
        if before:
            raise MistakeError("E521", opening.start, opening.end, "the model has two `init`")
        condition = self.expression()
        self.expect("endinit")
        return condition

    def system(self, before: Sequence[syntax.Composition]) -> syntax.Composition:
        opening = self.expect("system")
        if before or self.token.kind == "string":
            raise MistakeError("E523", opening.start, opening.end, "several `system` constructs are not supported")
        system, self.place = parse_system(self.tokens, self.place)
        self.expect("endsystem")
        return system
