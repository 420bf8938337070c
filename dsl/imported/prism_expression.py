"""The tokens of an expression -> its tree, with two stacks instead of recursion: no expression is too deep for the interpreter.

Precedence, loosest first: ``?:``, ``=>``, ``<=>``, ``|``, ``&``, ``!``, ``= !=``, ``< <= > >=``, ``+ -``, ``* /``, unary minus; all
binary operators associate to the left.
"""

from __future__ import annotations

from collections.abc import Sequence

from dsl.imported.prism_lexer import Token, number, shown
from dsl.imported.prism_syntax import MINUS, Apply, Boolean, Expr, Name, Number
from dsl.record import dataclass

MAX_DEPTH = 200
LEVEL = {"=>": 1, "<=>": 2, "|": 3, "&": 4, "=": 6, "!=": 6, "<": 7, "<=": 7, ">": 7, ">=": 7, "+": 8, "-": 8, "*": 9, "/": 9}
NOT, NEGATIVE = 5, 10
CHAINS = ("&", "|", "+", "*")
KEYWORDS = frozenset(
    """
    bool clock const ctmc double dtmc endinit endinvariant endmodule endobservables endrewards endsystem false formula func global
    init int invariant label max mdp min module nondeterministic observable observables pomdp popta probabilistic pta rewards
    stochastic system true
    """.split()  # noqa: SIM905
)


class MistakeError(Exception):
    """What is wrong at one place of the text."""

    def __init__(self, code: str, start: int, end: int, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.code, self.start, self.end, self.message, self.hint = code, start, end, message, hint


def unexpected(token: Token, wanted: str, hint: str | None = None) -> MistakeError:
    found = "the file ends" if token.kind == "end" else f"here is {shown(token.text)}"
    return MistakeError("E521", token.start, max(token.end, token.start + 1), f"{wanted} is missing: {found}", hint)


@dataclass(slots=True)
class _Pending:
    """On the stack of operators: ``binary`` and ``prefix`` wait for their last operand, ``(``, a call, ``?`` and ``:`` for more."""

    kind: str
    op: str
    level: int
    start: int
    first: int  # of a call: where its arguments begin among the operands


def parse_expression(tokens: Sequence[Token], place: int) -> tuple[Expr, int]:
    """The longest expression that starts at ``place``, and the place behind it."""
    return _Expression(tokens, place).parse()


class _Expression:
    def __init__(self, tokens: Sequence[Token], place: int) -> None:
        self.tokens = tokens
        self.place = place
        self.operands: list[Expr] = []
        self.pending: list[_Pending] = []

    def parse(self) -> tuple[Expr, int]:
        while True:
            self.operand()
            following = self.operator()
            while following == "operator":
                following = self.operator()
            if following == "end":
                return self.operands[0], self.place

    # ------------------------------------------------ operands

    def operand(self) -> None:
        """Prefixes and opening brackets, then one operand."""
        while True:
            token, following = self.tokens[self.place], self.tokens[min(self.place + 1, len(self.tokens) - 1)]
            self.place += 1
            if token.text == "(":
                self.push("(", "(", token)
            elif token.text == "-":
                self.push("prefix", MINUS, token, NEGATIVE)
            elif token.text == "!":
                if self.pending and self.pending[-1].level > NOT:
                    hint = "put it in parentheses: `(!...)`"
                    raise MistakeError("E521", token.start, token.end, "`!` binds less tightly than the operator before it", hint)
                self.push("prefix", "!", token, NOT)
            elif token.text == "func" and following.text == "(":
                self.place += 1
                called = self.tokens[self.place]
                if called.kind != "name" or self.tokens[self.place + 1].text != ",":
                    raise unexpected(called, "the name of a function and a comma")
                self.place += 2
                self.push("call", called.text, token)
            elif token.kind == "name" and following.text == "(" and (token.text not in KEYWORDS or token.text in ("min", "max")):
                self.place += 1
                self.push("call", token.text, token)
            else:
                self.place -= 1
                self.operands.append(self.leaf(token))
                self.place += 1
                return

    def push(self, kind: str, op: str, token: Token, level: int = 0) -> None:
        self.pending.append(_Pending(kind, op, level, token.start, len(self.operands)))
        if len(self.pending) > 10 * MAX_DEPTH:
            raise _too_deep(token.start, token.end)

    def leaf(self, token: Token) -> Expr:
        match token.kind:
            case "number":
                return Number(number(token.text), token.start, token.end)
            case "name" if token.text in ("true", "false"):
                return Boolean(token.text == "true", token.start, token.end)
            case "name" if token.text not in KEYWORDS:
                return Name(token.text, token.start, token.end)
            case "string":
                raise MistakeError("E523", token.start, token.end, f"the label {token.text} inside an expression is not supported")
        raise unexpected(token, "an expression")

    # ------------------------------------------------ operators

    def operator(self) -> str:
        """Take what follows an operand; what must follow now: an ``operand``, an ``operator``, or nothing, it is the ``end``."""
        token = self.tokens[self.place]
        level = LEVEL.get(token.text, 0) if token.kind == "symbol" else 0
        if level:
            self.reduce(level)
            self.place += 1
            self.push("binary", token.text, token, level)
            return "operand"
        self.reduce(1)
        top = self.pending[-1].kind if self.pending else ""
        if token.text == "?":
            if top == "?":
                message = "`?` inside the middle part of `... ? ... : ...`"
                raise MistakeError("E521", token.start, token.end, message, "put it in parentheses")
            self.place += 1
            self.push("?", "?", token)
            return "operand"
        if token.text == ":" and top == "?":
            self.pending[-1].kind = ":"
            self.place += 1
            return "operand"
        while self.pending and self.pending[-1].kind == ":":
            self.pending.pop()
            self.apply("?:", 3, self.operands[-3].start)
        if not self.pending:
            return "end"
        inner = self.pending[-1]
        if inner.kind == "call" and token.text == ",":
            self.place += 1
            return "operand"
        if inner.kind in ("call", "(") and token.text == ")":
            self.place += 1
            self.pending.pop()
            if inner.kind == "call":
                self.apply(inner.op, len(self.operands) - inner.first, inner.start, token.end)
            last = self.operands[-1]
            if isinstance(last, Apply):
                last.open = False
            return "operator"
        raise unexpected(token, "`:`" if inner.kind == "?" else "`)`", "numbers are compared with `=`" if token.text == "'" else None)

    def reduce(self, level: int) -> None:
        """Finish the operators on top of the stack that bind at least as tightly as this level."""
        while self.pending and self.pending[-1].level >= level:
            done = self.pending.pop()
            if done.kind == "prefix":
                self.apply(done.op, 1, done.start)
            else:
                self.combine(done.op)

    def combine(self, op: str) -> None:
        if op == "-":
            self.apply(MINUS, 1, self.operands[-1].start)
            op = "+"
        left, right = self.operands[-2], self.operands[-1]
        if op in CHAINS and isinstance(left, Apply) and left.op == op and left.open:
            self.operands.pop()
            left.args.append(right)
            left.end, left.depth = right.end, max(left.depth, _depth(right) + 1)
            self.check(left)
        else:
            self.apply(op, 2, left.start)

    def apply(self, op: str, count: int, start: int, end: int | None = None) -> None:
        args = self.operands[len(self.operands) - count :]
        del self.operands[len(self.operands) - count :]
        node = Apply(op, args, start, args[-1].end if end is None else end, 1 + max(map(_depth, args)), True)
        self.check(node)
        self.operands.append(node)

    def check(self, node: Apply) -> None:
        if node.depth > MAX_DEPTH:
            raise _too_deep(node.start, node.end)


def _depth(node: Expr) -> int:
    return node.depth if isinstance(node, Apply) else 0


def _too_deep(start: int, end: int) -> MistakeError:
    return MistakeError("E527", start, end, f"this expression is nested more than {MAX_DEPTH} deep", "name its parts with `formula`")
