"""The place where a parser stopped, and what it would have taken there: the facts that syntax messages are made of."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from dsl.diagnostic import Diagnostic
from dsl.lexer import DECLARATIONS, END, OPENERS, SEPARATOR, Token
from dsl.record import dataclass
from dsl.source import Span
from dsl.table import Table

CLOSERS = {"RPAR": "(", "RSQB": "[", "RBRACE": "{"}
ITEMS = frozenset({"VAR", "ACTION", "LABEL", "REWARD", "INIT", "DEADLOCK"})  # what starts an item of a world, but for


@dataclass(frozen=True)
class Situation:
    """Where the parser stands: its states, the tokens of the declaration so far, the token that it cannot take."""

    table: Table
    states: Sequence[int]
    tokens: Sequence[Token]
    start: int
    at: int
    file: str

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    @property
    def previous(self) -> Token | None:
        return self.tokens[self.at - 1] if self.at > self.start else None

    @cached_property
    def declaration(self) -> int:
        """The position of the keyword that starts the declaration being read."""
        for position in range(self.at, self.start - 1, -1):
            token = self.tokens[position]
            if token.type in DECLARATIONS and (position < self.at or position == self.start):
                return position
        return self.start

    @cached_property
    def open(self) -> list[Token]:
        """The brackets that the declaration has opened and not closed, outermost first."""
        result: list[Token] = []
        for token in self.tokens[self.declaration : self.at]:
            if token.type in OPENERS:
                result.append(token)
            elif token.type in CLOSERS and result:
                result.pop()
        return result

    @cached_property
    def block(self) -> str:
        """The keyword before the innermost open brace, in lower case; empty outside braces."""
        opener = next((token for token in reversed(self.open) if token.type == "LBRACE"), None)
        if opener is None:
            return ""
        position = next(i for i in range(self.at - 1, -1, -1) if self.tokens[i] is opener)
        for token in reversed(self.tokens[self.declaration : position]):
            if token.type in DECLARATIONS or token.type in ITEMS or token.type in ("FOR", "MIXTURE"):
                return token.text
            if token.type in (SEPARATOR, "LBRACE"):
                return ""
        return ""

    def takes(self, *terminals: str) -> bool:
        """Whether the parser would take these terminals one after another, all reductions included."""
        rows, productions = self.table.rows, self.table.productions
        states = list(self.states)
        for terminal in terminals:
            while True:
                entry = rows[states[-1]].get(terminal)
                if entry is None:
                    return False
                if entry >= 0:
                    states.append(entry)
                    break
                production = productions[-1 - entry]
                del states[len(states) - production.size :]
                states.append(rows[states[-1]][production.origin])
                if terminal == END and states[-1] == self.table.end:
                    return True
        return True

    @cached_property
    def item(self) -> int:
        """The position of the first token of the item being read; outside braces, of the declaration."""
        depth = 0
        for position in range(self.at - 1, self.declaration, -1):
            kind = self.tokens[position].type
            if kind in CLOSERS:
                depth += 1
            elif kind in OPENERS and depth > 0:
                depth -= 1
            elif depth == 0 and kind in (SEPARATOR, "LBRACE"):
                return position + 1
        return self.declaration

    def text(self, start: int, end: int) -> str:
        """The tokens from ``start`` to before ``end`` as they were written, on one line."""
        shown_tokens: list[str] = []
        for before, token in zip([None, *self.tokens[start:end]], self.tokens[start:end], strict=False):
            apart = before is not None and (before.end_line, before.end_column) != (token.line, token.column)
            shown_tokens.append(f" {token.text}" if apart else token.text)
        return "".join(shown_tokens)

    @cached_property
    def wants_expression(self) -> bool:
        return self.takes("NUMBER")

    @cached_property
    def after_expression(self) -> bool:
        return self.takes("AND") or self.takes("PLUS")

    def report(self, code: str, message: str, hint: str | None = None, at: Token | None = None) -> Diagnostic:
        token = self.token if at is None else at
        return Diagnostic(code, Span(self.file, token.line, token.column, token.end_line, token.end_column), message, hint)

    def lacks(self, message: str, hint: str | None = None) -> Diagnostic:
        """Something should stand before the token; pointed at behind the last token where the line ends there."""
        token, previous = self.token, self.previous
        if previous is None or previous.type == SEPARATOR or previous.end_line == token.line:
            return self.report("E109", message, hint)
        span = Span(self.file, previous.end_line, previous.end_column, previous.end_line, previous.end_column + 1)
        return Diagnostic("E109", span, message, hint)

    def after(self) -> str:
        """`` after `...` ``, or nothing at the start."""
        previous = self.previous
        return "" if previous is None or previous.type == SEPARATOR else f" after {shown(previous)}"


def shown(token: Token) -> str:
    """A token as messages call it."""
    if token.type == END:
        return "the end of the file"
    if token.type == SEPARATOR:
        return "`;`" if token.text == ";" else "the end of the line"
    if token.type == "GRID":
        return "the grid"
    text = token.text if len(token.text) <= 30 else f"{token.text[:27]}..."
    return text if text.startswith("`") else f"`{text}`"
