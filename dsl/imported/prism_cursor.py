"""A place among the tokens of a PRISM model -> the next token, if it is what the language wants there."""

from __future__ import annotations

from collections.abc import Sequence

from dsl.imported import prism_syntax as syntax
from dsl.imported.prism_expression import KEYWORDS, parse_expression, unexpected
from dsl.imported.prism_lexer import Token


class Cursor:
    """What is missing raises MistakeError; ``place`` then stands at what was found instead."""

    def __init__(self, tokens: Sequence[Token], place: int) -> None:
        self.tokens = tokens
        self.place = place

    @property
    def token(self) -> Token:
        return self.tokens[self.place]

    def at(self, text: str) -> bool:
        return self.tokens[self.place].text == text

    def accept(self, text: str) -> bool:
        found = self.at(text)
        self.place += found
        return found

    def expect(self, text: str, hint: str | None = None) -> Token:
        token = self.token
        if token.text != text:
            raise unexpected(token, f"`{text}`", hint)
        self.place += 1
        return token

    def name(self, what: str) -> syntax.Name:
        token = self.token
        if token.kind != "name" or token.text in KEYWORDS:
            hint = f"`{token.text}` is a word of the language" if token.text in KEYWORDS else None
            raise unexpected(token, what, hint)
        self.place += 1
        return syntax.Name(token.text, token.start, token.end)

    def quoted(self, what: str) -> syntax.Name:
        token = self.token
        if token.kind != "string":
            raise unexpected(token, what, "write it in double quotes")
        self.place += 1
        return syntax.Name(token.text[1:-1], token.start, token.end)

    def expression(self) -> syntax.Expr:
        expr, self.place = parse_expression(self.tokens, self.place)
        return expr
