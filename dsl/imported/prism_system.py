"""The tokens between ``system`` and ``endsystem`` -> how the modules are composed.

``||`` and ``|||`` bind less tightly than ``|[a, b]|``, and that less than hiding ``/{a}`` and renaming ``{a <- b}``; where two
different parallel operators meet, parentheses must say which comes first.
"""

from __future__ import annotations

from collections.abc import Sequence

from dsl.imported.prism_cursor import Cursor
from dsl.imported.prism_expression import MistakeError
from dsl.imported.prism_lexer import Token
from dsl.imported.prism_syntax import Composition, Hide, Name, Parallel, Relabel

MAX_DEPTH = 50


def parse_system(tokens: Sequence[Token], place: int) -> tuple[Composition, int]:
    """The composition that starts at ``place``, and the place behind it."""
    parser = _System(tokens, place)
    return parser.parallel(0), parser.place


class _System(Cursor):
    def parallel(self, depth: int) -> Composition:
        operands = [self.hidden(depth)]
        operator = self.tokens[self.place]
        shared: tuple[Name, ...] | None = None
        if operator.text == "|[":
            self.place += 1
            shared = self.names()
            self.expect("]")
            self.expect("|")
            operands.append(self.hidden(depth))
        elif operator.text in ("||", "|||"):
            shared = None if operator.text == "||" else ()
            while self.accept(operator.text):
                operands.append(self.hidden(depth))
        token = self.tokens[self.place]
        if len(operands) > 1 and token.text in ("||", "|||", "|["):
            message = f"`{token.text}` after another parallel operator"
            raise MistakeError("E521", token.start, token.end, message, "put the operands in parentheses")
        return operands[0] if len(operands) == 1 else Parallel(tuple(operands), shared)

    def hidden(self, depth: int) -> Composition:
        found = self.single(depth)
        wrapped = 0
        while self.tokens[self.place].text in ("/", "{"):
            wrapped += 1
            token = self.tokens[self.place]
            if depth + wrapped > MAX_DEPTH:
                raise MistakeError("E527", token.start, token.end, f"the composition is nested more than {MAX_DEPTH} deep")
            if self.accept("/"):
                self.expect("{")
                found = Hide(found, self.names())
            else:
                self.expect("{")
                found = Relabel(found, self.pairs())
            self.expect("}")
        return found

    def single(self, depth: int) -> Composition:
        token = self.tokens[self.place]
        if not self.accept("("):
            return self.name("the name of a module")
        if depth >= MAX_DEPTH:
            raise MistakeError("E527", token.start, token.end, f"the composition is nested more than {MAX_DEPTH} deep")
        found = self.parallel(depth + 1)
        self.expect(")")
        return found

    def names(self) -> tuple[Name, ...]:
        names = [self.name("the name of an action")]
        while self.accept(","):
            names.append(self.name("the name of an action"))
        return tuple(names)

    def pairs(self) -> tuple[tuple[Name, Name], ...]:
        pairs: list[tuple[Name, Name]] = []
        while True:
            old = self.name("the name of an action")
            self.expect("<")  # `<-` is two tokens: in `x<-1` it is a comparison with -1
            self.expect("-")
            pairs.append((old, self.name("the name of an action")))
            if not self.accept(","):
                return tuple(pairs)
