"""A file in Storm's explicit format (DRN), an MDP or a DTMC -> a world whose transitions are a table.

The lines of one file can be many millions, so each is split by hand and every number is read once for each spelling of it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from typing import NoReturn

from dsl.imported.explicit import Numbered, distinct, explicit_world
from dsl.imported.recover import distribution, literal
from dsl.imported.request import Problems, Request, on_trust
from dsl.semantics import DEADLOCK, STEP
from dsl.source import Span
from dsl.spec import Table, World

# what actions without a name are called; the third is what our semantics calls a loop that it adds itself
RENAMED = {"": "action", "__NOLABEL__": "unlabelled", DEADLOCK: "deadlock"}
SUPPORTED = ("MDP", "DTMC")
MAX_LABELS = 1_000


def load(request: Request) -> World:
    """Raises SpecError with the first mistake: what comes after a broken line of numbers cannot be trusted."""
    assert request.source is not None, "a format with a file"
    return _Reader(request, request.source.name, request.source.lines).world()


class _Reader:
    def __init__(self, request: Request, file: str, lines: Sequence[str]) -> None:
        self.request = request
        self.file = file
        self.lines = lines
        self.type = ""
        self.reward_names: tuple[str, ...] = ()
        self.states: int | None = None
        self.declared_choices: int | None = None
        self.placeholders: dict[str, str] = {}
        self.probabilities = Numbered()
        self.slacks: dict[int, Fraction] = {}  # of probabilities; the spelling with the most decimals counts
        self.spelled: dict[str, int] = {}  # text -> index of the probability
        self.vectors: dict[str, tuple[Fraction, ...]] = {}  # text of a bracket -> rewards
        self.rows: dict[tuple[int, ...], tuple[int, ...]] = {}  # probabilities of a row -> those that sum to 1
        self.sound: set[tuple[int, ...]] = set()  # probabilities of rows that stay as they are
        self.recovered = 0

    def world(self) -> World:
        for setting in self.request.settings.values():
            problems = Problems()
            problems.error("E522", setting.span, "a DRN file has no constants to give values to")
            problems.stop()
        return self.body(self.header())

    def fail(self, line: int, message: str, hint: str | None = None, code: str = "E521") -> NoReturn:
        """``line`` counts from 0."""
        text = self.lines[line].rstrip() if line < len(self.lines) else ""
        start = len(text) - len(text.lstrip()) + 1
        problems = Problems()
        problems.error(code, Span(self.file, line + 1, start, line + 1, max(len(text), start) + 1), message, hint)
        raise problems.failure()

    # ------------------------------------------------------------ what stands before @model

    def header(self) -> int:
        """The first line after ``@model``."""
        line = 0
        while line < len(self.lines) and self.lines[line].strip() != "@model":
            line = self.section(line, self.lines[line].strip())
        if line >= len(self.lines):
            self.fail(max(0, len(self.lines) - 1), "the file ends before its `@model`")
        if not self.type:
            self.fail(line, "the file does not say its `@type:`")
        if self.states is None:
            self.fail(line, "the file does not say its `@nr_states`")
        return line + 1

    def section(self, line: int, text: str) -> int:
        if not text or text.startswith("//"):
            return line + 1
        key, _, value = text.partition(":")
        following = self.lines[line + 1].strip() if line + 1 < len(self.lines) else ""
        match key:
            case "@type":
                self.type = value.strip().upper()
                if self.type not in SUPPORTED:
                    hint = "only MDP and DTMC can be read"
                    self.fail(line, f"a DRN file of type {value.strip()[:40] or '(none)'} is not supported", hint, "E523")
            case "@value_type":
                if value.strip() not in ("double", "rational"):
                    self.fail(line, f"numbers of type {value.strip()[:40]} are not supported", "double and rational are", "E523")
                return line + 1
            case "@parameters":
                if following and not following.startswith("@"):
                    self.fail(line + 1, f"the parameters {following[:80]} have no values", "give them values before it is written", "E523")
                return line + (1 if following.startswith("@") else 2)
            case "@reward_models":
                if following.startswith("@"):
                    return line + 1
                self.reward_names = tuple(following.split())
                if len(set(self.reward_names)) < len(self.reward_names):
                    self.fail(line + 1, "two reward models have one name", None, "E524")
                return line + 2
            case "@nr_states":
                self.states = self.count(line + 1, following)
                if self.states == 0:
                    self.fail(line + 1, "a world has at least one state")
                return line + 2
            case "@nr_choices":
                self.declared_choices = self.count(line + 1, following)
                return line + 2
            case "@placeholders":
                line += 1
                while line < len(self.lines) and (entry := self.lines[line].strip()):
                    name, colon, meant = entry.partition(":")
                    if not colon:
                        break
                    self.placeholders[name.strip()] = meant.strip()
                    line += 1
                return line
            case _:
                self.fail(line, f"`{text[:40]}` is no part of the head of a DRN file")
        return line + 1

    def count(self, line: int, text: str) -> int:
        if not re.fullmatch("[0-9]{1,12}", text):
            self.fail(min(line, len(self.lines) - 1), f"a number of states or choices is expected, not `{text[:40]}`")
        return int(text)

    # ------------------------------------------------------------ states, choices and transitions

    def body(self, first: int) -> World:
        lines, states = self.lines, self.states or 0
        choice_start, transition_start = [0], [0]
        action, successor, probability = list[int](), list[int](), list[int]()
        actions: dict[str, int] = {}
        labels: dict[str, list[int]] = {}  # the states that have them
        tables = [Numbered(Fraction(0)) for _ in self.reward_names]
        earned: list[list[int]] = [[] for _ in self.reward_names]
        sums: dict[tuple[int, int], list[int]] = {}
        nothing = (Fraction(0),) * len(self.reward_names)
        names = list[str]()  # of the choices of this state
        state, in_choice, state_line, choice_line = -1, False, first, first
        state_rewards = choice_rewards = nothing
        spelled, sound, add_successor, add_probability = self.spelled, self.sound, successor.append, probability.append

        def end_choice() -> None:
            start = transition_start[-1]
            ids, after = tuple(probability[start:]), successor[start:]
            if ids not in sound or (len(after) > 1 and len(set(after)) < len(after)):
                after, ids = self.row(choice_line, after, ids)
                successor[start:], probability[start:] = after, ids
            transition_start.append(len(successor))
            if nothing:
                both = id(state_rewards), id(choice_rewards)  # all of them stay alive in `vectors`
                if both not in sums:
                    sums[both] = [t.id(a + b) for t, a, b in zip(tables, state_rewards, choice_rewards, strict=True)]
                for column, value in zip(earned, sums[both], strict=True):
                    column.extend([value] * len(ids))

        def end_state() -> None:
            if in_choice:
                end_choice()
            if not names:
                self.fail(state_line, f"state {state} has no action", "a state that stays for ever has an action back to itself")
            if self.type == "DTMC" and len(names) > 1:
                self.fail(state_line, f"state {state} of a DTMC has {len(names)} actions")
            action.extend(actions.setdefault(name, len(actions)) for name in distinct(names))
            choice_start.append(len(action))

        for number in range(first, len(lines)):
            line = lines[number]
            head, colon, tail = line.partition(":")
            text = head.strip()
            if colon and text.isdecimal():
                if not in_choice:
                    if state < 0 or self.type == "MDP":
                        self.fail(number, "a transition stands below an `action`")
                    names.append(STEP)
                    in_choice, choice_line, choice_rewards = True, number, nothing
                target = int(text)
                if target >= states:
                    self.fail(number, f"there is no state {text[:20]}: the file has {states} states, from 0")
                found = spelled.get(tail)
                add_probability(self.probability(number, tail) if found is None else found)
                add_successor(target)
            elif text.startswith("action") and (text == "action" or text[6] in " \t["):
                if state < 0:
                    self.fail(number, "an action stands below a `state`")
                if in_choice:
                    end_choice()
                name, choice_rewards = self.named_rewards(number, line.strip()[6:].strip(), nothing)
                names.append(STEP if self.type == "DTMC" else RENAMED.get(name, name))
                in_choice, choice_line = True, number
            elif text.startswith("state") and text[5:6] in (" ", "\t"):
                if state >= 0:
                    end_state()
                state, state_line, in_choice, names = state + 1, number, False, []
                state_rewards = self.state(number, line.strip()[5:].strip(), state, labels, nothing)
            elif text and not text.startswith("//"):
                self.fail(number, "neither a state, nor an action, nor a transition `target : probability`")
        if state >= 0:
            end_state()
        self.counts(state + 1, len(action))
        index = {name: (column, tuple(table.values)) for name, column, table in zip(self.reward_names, earned, tables, strict=True)}
        initial, probabilities = self.initial(labels), tuple(self.probabilities.values)
        table = Table(tuple(actions), initial, choice_start, action, transition_start, successor, probability, probabilities, index)
        return explicit_world(
            self.request.name, table, labels, self.request.span, notes=on_trust(self.request, "DRN file", self.notes(labels))
        )

    def state(
        self, line: int, text: str, expected: int, labels: dict[str, list[int]], nothing: tuple[Fraction, ...]
    ) -> tuple[Fraction, ...]:
        """``5 [1, 0] init goal``: enters the labels, gives the rewards."""
        number, *rest = text.split(maxsplit=1)
        if number != str(expected):
            self.fail(line, f"state {expected} is expected here: states are listed in order, from 0")
        if expected >= (self.states or 0):
            self.fail(line, f"the file says that it has {self.states} states, and this is one more")
        if not rest:
            return nothing
        names, rewards = rest[0], nothing
        if names.startswith("["):
            inside, bracket, names = names[1:].partition("]")
            if not bracket:
                self.fail(line, "the bracket of the rewards is not closed")
            rewards = self.rewards(line, inside)
        if names.lstrip()[:1] in ("{", "!"):
            self.fail(line, "observations and exit rates are not supported", "only an MDP or a DTMC can be read", "E523")
        for name in names.split() if '"' not in names else [quoted or plain for quoted, plain in re.findall(r'"([^"]*)"|([^\s"]+)', names)]:
            if name not in labels:
                if len(labels) >= MAX_LABELS:
                    self.fail(line, f"the file has more than {MAX_LABELS} labels", None, "E527")
                labels[name] = []
            if labels[name][-1:] != [expected]:
                labels[name].append(expected)
        return rewards

    def named_rewards(self, line: int, text: str, nothing: tuple[Fraction, ...]) -> tuple[str, tuple[Fraction, ...]]:
        """``go [1, 0]``"""
        name, bracket, inside = text.partition("[")
        if not bracket:
            return name, nothing
        inside, closed, rest = inside.partition("]")
        if not closed or rest.strip():
            self.fail(line, "an action is a name and, in brackets, its rewards")
        return name.strip(), self.rewards(line, inside)

    def rewards(self, line: int, inside: str) -> tuple[Fraction, ...]:
        found = self.vectors.get(inside)
        if found is None:
            values = []
            for text in inside.split(","):
                number = literal(self.placeholders.get(text.strip(), text.strip()))
                if number is None:
                    self.fail(line, f"`{text.strip()[:40]}` is no reward: a decimal number or a fraction is expected")
                values.append(number[0])
            if len(values) != len(self.reward_names):
                self.fail(line, f"{len(values)} rewards for {len(self.reward_names)} reward models")
            found = self.vectors[inside] = tuple(values)
        return found

    def probability(self, line: int, spelling: str) -> int:
        """The index of a probability that is spelled like this for the first time."""
        text = spelling.strip()
        number = literal(self.placeholders.get(text, text))
        if number is None:
            hint = "intervals and functions of parameters cannot be read" if text[:1] in ("[", "(") else None
            self.fail(line, f"`{text[:40]}` is no probability: a decimal number or a fraction is expected", hint)
        value, slack = number
        if value < 0:
            self.fail(line, f"the probability {text[:40]} is negative")
        index = self.spelled[spelling] = self.probabilities.id(value)
        self.slacks[index] = min(slack, self.slacks.get(index, slack))
        return index

    def row(self, line: int, after: list[int], ids: tuple[int, ...]) -> tuple[list[int], tuple[int, ...]]:
        """Successors and probabilities of one choice: distinct, positive, of sum 1."""
        if not ids:
            self.fail(line, "an action without transitions")
        good = self.rows.get(ids)
        if good is None:
            values = [self.probabilities.values[i] for i in ids]
            exact = distribution(values, [self.slacks.get(i, Fraction(0)) for i in ids])
            if exact is None:
                total = sum(values, Fraction(0))
                self.fail(line, f"the probabilities of this action sum to {_short(total)}, not to 1")
            good = self.rows[ids] = tuple(self.probabilities.id(p) for p in exact)
        self.recovered += good != ids
        positive = all(self.probabilities.values[i] for i in good)
        if positive and good == ids:
            self.sound.add(ids)
        if positive and len(set(after)) == len(after):
            return after, good
        merged: dict[int, Fraction] = {}
        for target, index in zip(after, good, strict=True):
            merged[target] = merged.get(target, Fraction(0)) + self.probabilities.values[index]
        kept = {target: p for target, p in merged.items() if p}
        return list(kept), tuple(self.probabilities.id(p) for p in kept.values())

    # ------------------------------------------------------------ at the end

    def counts(self, states: int, choices: int) -> None:
        last = max(0, len(self.lines) - 1)
        while last and not self.lines[last].strip():
            last -= 1
        if states != self.states:
            self.fail(last, f"the file says that it has {self.states} states, but it lists {states}", "it may be cut off")
        if self.declared_choices is not None and choices != self.declared_choices:
            self.fail(last, f"the file says that it has {self.declared_choices} choices, but it lists {choices}", "it may be cut off")

    def initial(self, labels: dict[str, list[int]]) -> tuple[tuple[int, Fraction], ...]:
        states = labels.get("init", [])
        if not states:
            self.fail(len(self.lines) - 1, "no state has the label `init`")
        return tuple((state, Fraction(1, len(states))) for state in states)

    def notes(self, labels: dict[str, list[int]]) -> list[str]:
        notes = []
        if self.recovered:
            notes.append(f"{self.recovered} rows of rounded probabilities were taken for fractions that sum to 1")
        if (several := len(labels["init"])) > 1:
            notes.append(f"the {several} states labelled init are initial with equal probability")
        return notes


def _short(number: Fraction) -> str:
    return str(number) if len(str(number)) <= 40 else f"about {float(number):.12g}"
