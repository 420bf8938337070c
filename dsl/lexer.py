"""Text -> tokens, with the newlines that end an item turned into separators and the comments set aside.

The terminals are those of ``grammar.lark``; this module adds what a regular expression cannot say: which newlines count,
how deep brackets may nest, how long a number may be, and what to say about characters that are no token at all.
"""

from __future__ import annotations

import re

from dsl.diagnostic import Diagnostic
from dsl.record import dataclass
from dsl.source import Source, Span
from dsl.table import Table

MAX_DEPTH = 200  # brackets inside brackets, and nodes of the tree above one another
MAX_DIGITS = 1_000
MAX_EXPONENT = 1_000
MAX_ERRORS = 50  # lexical ones; after that many a file is something else than a spec

SEPARATOR = "_SEP"
END = "$END"
RESERVED = "RESERVED"  # a word of a later storey; no rule accepts it

OPENERS = frozenset({"LPAR", "LSQB", "LBRACE", "PROBABILITY", "EXPECTATION"})
DECLARATIONS = frozenset(
    {
        *("CONST", "DEF", "ENUM", "PARAM", "WORLD", "POLICIES", "POLICY", "SCORE", "PROPERTY"),
        *("TRAINING", "DISTRIBUTION", "CLAIM", "THEOREM", "FIND", "ASSUME", "IMPORT"),
    }
)
LATER = frozenset({"boundary", "ontology", "detector", "synthesize"})  # declarations of later storeys: reserved, not supported yet

# A newline does not end an item before these, nor after any word or operator that something must follow.
# `+` and `-` are not among them: a line that starts with a sign would be a second item that is silently added to the first.
_CONTINUES_BEFORE = frozenset(
    {
        *("AND", "OR", "IFF", "IMPLIES", "U", "EQ", "NE", "LE", "GE", "LT", "GT", "IN"),
        *("TIMES", "DIVIDE", "MOD", "DIV", "POWER", "PARALLEL"),
        *("LBRACE", "RPAR", "RSQB", "COMMA", "COLON", "EQUAL", "THEN", "DOT", "DOTS", "SCOPE", "DRAWN"),
    }
)
_CAN_END = frozenset({"NUMBER", "STRING", "GRID", "TRUE", "FALSE", "STAY", "RPAR", "RSQB", "RBRACE", "PRIME"})

# What other languages write, with the terminal it is read as, so that one slip gives one message.
_FOREIGN = {
    "&&": ("AND", "`&&` is written `and`"),
    "&": ("AND", "`&` is written `and`"),
    "|": ("OR", "`|` is written `or`"),
    "!": ("NOT", "`!` is written `not`"),
    "===": ("EQ", "`===` is written `==`"),
    "=<": ("LE", "`=<` is written `<=`"),
    "<>": ("NE", "`<>` is written `!=`"),
    "->": ("IMPLIES", "`->` is written `=>`"),
    "<->": ("IFF", "`<->` is written `<=>`"),
    "**": ("POWER", "`**` is written `^`"),
    "%": ("MOD", "`%` after an expression is written `mod`; only a number can be a percentage"),
    "+=": ("EQUAL", "there is no `+=`; write `x' = x + ...`"),
    "-=": ("EQUAL", "there is no `-=`; write `x' = x - ...`"),
    ":=": ("EQUAL", "`:=` is written `=`"),
}

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u0085\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]|\r(?!\n)")
_RUN_ON = re.compile(r"[A-Za-z0-9_]+")
_LOOSE_STRING = re.compile(r'"(\\.|[^"\\\r\n])*"')
_BLOCK_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_REST_OF_LINE = re.compile(r"[^\r\n]*")


@dataclass(slots=True)
class Token:
    """``type`` is the terminal; positions count from 1; ``first``: nothing but white space stands before it on its line."""

    type: str
    text: str
    line: int
    column: int
    end_line: int
    end_column: int
    first: bool


@dataclass(frozen=True, slots=True)
class Comment:
    """``text`` from ``//`` to the end of the line; ``own_line``: it has the line for itself."""

    text: str
    line: int
    column: int
    own_line: bool


@dataclass(slots=True)
class Lexed:
    tokens: list[Token]
    comments: list[Comment]
    diagnostics: list[Diagnostic]
    complete: bool  # False: reading stopped early, the tokens are not worth parsing


def lex(source: Source, table: Table) -> Lexed:
    """All tokens of ``source``, the last one ``$END``; never raises."""
    return _Lexer(source, table).run()


def scanner(table: Table) -> re.Pattern[str]:
    """One expression for all terminals; the name of the group that matched tells the kind."""
    symbols = "|".join(re.escape(symbol) for symbol in sorted(table.symbols, key=len, reverse=True))
    foreign = "|".join(re.escape(symbol) for symbol in sorted(_FOREIGN, key=len, reverse=True))
    longer = r"<->|->|=<|<>(?!=)|===|&&|\*\*|\+=|-=|:="
    lettered = "|".join(re.escape(symbol) for symbol in table.symbols if symbol[0].isalpha())  # E[ and P[
    patterns = table.patterns
    return re.compile(
        rf"(?P<space>[ \t]+)|(?P<newline>\r?\n)|(?P<comment>{patterns['COMMENT']})|(?P<block>/\*)|(?P<semicolon>;)"
        rf"|(?P<NAME>(?!{lettered}){patterns['NAME']})|(?P<NUMBER>{patterns['NUMBER']})"
        rf"|(?P<GRID>{patterns['GRID']})|(?P<STRING>{patterns['STRING']})|(?P<QUOTED>{patterns['QUOTED']})"
        rf"|(?P<longer>{longer})|(?P<symbol>{symbols})|(?P<foreign>{foreign})"
    )


class _Lexer:
    def __init__(self, source: Source, table: Table) -> None:
        self.source, self.table, self.text = source, table, source.text
        self.tokens: list[Token] = []
        self.comments: list[Comment] = []
        self.diagnostics: list[Diagnostic] = []
        self.line, self.line_start = 1, 0
        self.fresh = True  # nothing but white space on this line so far
        self.separator: Token | None = None  # a separator that waits for its next token
        self.brackets: list[tuple[str, int]] = []  # the open ones, each with the number of `if` that wait for their `else`
        self.complete = True

    def run(self) -> Lexed:
        text, match, words, symbols = self.text, scanner(self.table).match, self.table.words, self.table.symbols
        position, size = 0, len(text)
        if self.forbidden():
            size = 0
        while position < size and self.complete:
            found = match(text, position)
            if found is None:
                position = self.unreadable(position)
                continue
            kind, end = found.lastgroup, found.end()
            if kind == "NAME":
                word = found.group()
                self.push(words.get(word) or (RESERVED if word in LATER else "NAME"), word, position, end)
            elif kind == "symbol":
                symbol = found.group()
                if symbol == "." and end < size and text[end] in "0123456789" and self.leading_dot(position):
                    end = self.number_without_zero(position)
                else:
                    self.push(symbols[symbol], symbol, position, end)
            elif kind == "newline":
                self.newline(position, end)
            elif kind == "comment":
                comment = found.group().rstrip("\r")
                self.comments.append(Comment(comment.rstrip(), self.line, position - self.line_start + 1, self.fresh))
            elif kind == "NUMBER":
                end = self.number(found.group(), position, end)
            elif kind == "semicolon":
                if self.separator is None or self.separator.text != ";":
                    self.separator = self.token(SEPARATOR, ";", position, end)
                self.fresh = False
            elif kind in ("STRING", "QUOTED", "GRID"):
                if kind == "STRING" and text.startswith('"""', position):
                    end = self.open_grid(position)
                else:
                    self.push(kind, found.group(), position, end)
            elif kind in ("longer", "foreign"):
                end = self.foreign(found.group(), position, end)
            elif kind == "block":
                end = self.block_comment(position)
            position = end
        self.finish()
        return Lexed(self.tokens, self.comments, self.diagnostics, self.complete)

    # ------------------------------------------------------------ tokens and separators

    def token(self, kind: str, text: str, start: int, end: int) -> Token:
        column = start - self.line_start + 1
        return Token(kind, text, self.line, column, self.line, column + end - start, self.fresh)

    def push(self, kind: str, text: str, start: int, end: int) -> None:
        token = self.token(kind, text, start, end)
        if "\n" in text:
            self.line += text.count("\n")
            self.line_start = start + text.rindex("\n") + 1
            token.end_line, token.end_column = self.line, end - self.line_start + 1
        if self.separator is not None:
            self.separate(token)
        if self.fresh:
            self.fresh = False
            if self.brackets and kind in DECLARATIONS and not (kind == "ASSUME" and self.in_braces()):
                self.brackets.clear()  # whatever is still open is reported by the parser; the next declaration starts afresh
        self.tokens.append(token)
        if kind in OPENERS:
            self.open(kind, token)
        elif kind in ("RPAR", "RSQB"):
            if self.brackets and self.brackets[-1][0] != "LBRACE":
                self.brackets.pop()
        elif kind == "RBRACE":
            self.close_brace()
        elif kind == "IF" and self.brackets:
            opener, waiting = self.brackets[-1]
            self.brackets[-1] = (opener, waiting + 1)
        elif kind == "ELSE" and self.brackets:
            opener, waiting = self.brackets[-1]
            self.brackets[-1] = (opener, max(0, waiting - 1))

    def separate(self, token: Token) -> None:
        """Put the waiting separator before ``token``, unless it stands beside a brace or the newline does not count."""
        separator, previous = self.separator, self.tokens[-1] if self.tokens else None
        self.separator = None
        if separator is None:
            return
        in_braces = self.in_braces()
        if in_braces and (token.type == "RBRACE" or (previous is not None and previous.type == "LBRACE")):
            return
        if separator.text != ";":
            if not in_braces or previous is None:
                return
            waiting_if = token.type == "ELSE" and self.brackets[-1][1] > 0
            guard = token.type == "WHEN" and self.item_start() == "ACTION"
            if token.type in _CONTINUES_BEFORE or waiting_if or guard or not self.can_end(previous):
                return
        if in_braces:
            self.brackets[-1] = ("LBRACE", 0)
        self.tokens.append(separator)

    def item_start(self) -> str:
        """The first terminal of the item being read."""
        first = ""
        for token in reversed(self.tokens):
            if token.type in (SEPARATOR, "LBRACE"):
                break
            first = token.type
        return first

    def can_end(self, token: Token) -> bool:
        return token.type in _CAN_END or token.type in self.table.names

    def in_braces(self) -> bool:
        return bool(self.brackets) and self.brackets[-1][0] == "LBRACE"

    def newline(self, start: int, end: int) -> None:
        if self.separator is None:
            self.separator = self.token(SEPARATOR, "\n", start, end)
        self.line += 1
        self.line_start = end
        self.fresh = True

    def open(self, kind: str, token: Token) -> None:
        self.brackets.append((kind, 0))
        if len(self.brackets) > MAX_DEPTH:
            self.report("E104", self.span(token), f"brackets are nested more than {MAX_DEPTH} deep")
            self.complete = False

    def close_brace(self) -> None:
        """Close the innermost brace and whatever stands open inside it; the parser reports that."""
        if any(kind == "LBRACE" for kind, _ in self.brackets):
            while self.brackets.pop()[0] != "LBRACE":
                pass

    def finish(self) -> None:
        start = len(self.text) if self.complete else self.line_start
        if self.separator is not None and self.separator.text == ";" and not self.in_braces():
            self.tokens.append(self.separator)
        self.tokens.append(self.token(END, "", start, start))

    # ------------------------------------------------------------ numbers and strings

    def leading_dot(self, position: int) -> bool:
        """Whether the dot before a digit begins a number (``= .5``) instead of ending a binder (``Pi.5``)."""
        return position == 0 or self.text[position - 1] in " \t\n(,=[{+-*/<>:^"

    def number_without_zero(self, start: int) -> int:
        found = re.compile(r"\.[0-9_]+([eE][+-]?[0-9]+)?%?").match(self.text, start)
        end = found.end() if found is not None else start + 1
        text = self.text[start:end]
        self.report("E106", self.at(start, end), f"`{_short(text)}` has no digit before its point", f"write `0{_short(text)}`")
        self.push("NUMBER", "0", start, end)
        return end

    def number(self, text: str, start: int, end: int) -> int:
        rest = _RUN_ON.match(self.text, end)
        if rest is not None:
            whole, after = self.text[start : rest.end()], rest.group()
            if text.endswith("%"):
                message, hint = f"`{_short(whole)}` is not a number", "`%` makes a percentage; the remainder is `a mod b`"
            elif "__" in whole or whole.endswith("_"):
                message, hint = f"`{_short(whole)}` is not a number", "an underscore stands between two digits: `1_000`"
            elif after[0] in "eE":
                message, hint = f"`{_short(whole)}` is not a number", "an exponent has digits: `1e-3`"
            else:
                message, hint = f"`{_short(whole)}` is neither a number nor a name", "a name starts with a letter; `2 * x` needs its `*`"
            self.report("E106", self.at(start, rest.end()), message, hint)
            self.push("NUMBER", "0", start, rest.end())
            return rest.end()
        digits, _, exponent = text.rstrip("%").lower().partition("e")
        if len(digits) > MAX_DIGITS or len(exponent) > 6 or (exponent and abs(int(exponent)) > MAX_EXPONENT):
            limit = f"numbers have at most {MAX_DIGITS:,} digits and exponents up to {MAX_EXPONENT:,}"
            self.report("E107", self.at(start, end), f"the number `{_short(text)}` is too long", limit)
            text = "0"
        self.push("NUMBER", text, start, end)
        return end

    def open_grid(self, start: int) -> int:
        self.report("E105", self.at(start, start + 3), 'this `"""` is never closed', 'end the grid with another `"""`')
        self.complete = False
        return len(self.text)

    def block_comment(self, start: int) -> int:
        found = _BLOCK_COMMENT.match(self.text, start)
        self.report("E102", self.at(start, start + 2), "comments are written `// ...`, to the end of the line")
        if found is None:
            self.complete = False
            return len(self.text)
        if "\n" in found.group():
            self.line += found.group().count("\n")
            self.line_start = start + found.group().rindex("\n") + 1
        return found.end()

    # ------------------------------------------------------------ what is no token

    def forbidden(self) -> bool:
        """Control characters, invisible ones and lone carriage returns, wherever they stand: a reader would not see them."""
        for count, found in enumerate(_FORBIDDEN.finditer(self.text)):
            if count == MAX_ERRORS:
                break
            start = found.start()
            line = self.text.count("\n", 0, start) + 1
            column = start - self.text.rfind("\n", 0, start)
            span = Span(self.source.name, line, column, line, column + 1)
            char = found.group()
            what = "a carriage return without a line feed" if char == "\r" else f"the invisible character U+{ord(char):04X}"
            self.diagnostics.append(Diagnostic("E102", span, f"{what} is not allowed", "white space is space, tab and end of line"))
            self.complete = False
        return not self.complete

    def foreign(self, text: str, start: int, end: int) -> int:
        if text == "===" and self.text.startswith(">", end):
            end += 1
        kind, message = _FOREIGN[text]
        self.report("E103", self.at(start, end), message)
        self.push(kind, text, start, end)
        return end

    def unreadable(self, start: int) -> int:
        """Report the character at ``start`` and return the position after what it spoils."""
        char = self.text[start]
        rest = _REST_OF_LINE.match(self.text, start)
        line_end = rest.end() if rest is not None else start + 1
        if char == '"':
            loose = _LOOSE_STRING.match(self.text, start)
            if loose is not None:
                bad = re.search(r'\\[^"\\]', loose.group())
                at = start + (bad.start() if bad is not None else 0)
                self.report("E105", self.at(at, at + 2), 'a string knows only the escapes `\\"` and `\\\\`')
                line_end = loose.end()
            else:
                self.report("E105", self.at(start, line_end), "this string is not closed on its line")
            self.push("STRING", '""', start, line_end)
            return line_end
        if char == "`":
            close = self.text.find("`", start + 1, line_end)
            end = line_end if close < 0 else close + 1
            what = "this backtick is not closed on its line" if close < 0 else "a name in backticks is not empty and is ASCII"
            self.report("E105", self.at(start, end), what)
            self.push("NAME", "_", start, end)
            return end
        end = start + 1
        while end < line_end and self.text[end] == char:
            end += 1
        if char == "#":
            self.report("E102", self.at(start, end), "`#` is no token", "a comment starts with `//`")
            return line_end
        if char.isidentifier() or char.isdigit():
            while end < line_end and (self.text[end].isidentifier() or self.text[end].isdigit()):
                end += 1
            self.report("E102", self.at(start, end), f"{_shown(char)} is not ASCII", "names and numbers are written in ASCII")
            self.push("NAME", "_", start, end)
            return end
        self.report("E102", self.at(start, end), f"{_shown(char)} is no token of the language", _LOOKALIKE.get(char))
        self.fresh = False
        return end

    # ------------------------------------------------------------ reports

    def span(self, token: Token) -> Span:
        return Span(self.source.name, token.line, token.column, token.end_line, token.end_column)

    def at(self, start: int, end: int) -> Span:
        column = start - self.line_start + 1
        return Span(self.source.name, self.line, column, self.line, column + end - start)

    def report(self, code: str, span: Span, message: str, hint: str | None = None) -> None:
        self.diagnostics.append(Diagnostic(code, span, message, hint))
        if len(self.diagnostics) >= MAX_ERRORS:
            self.complete = False


_LOOKALIKE = {
    "\u2264": "write `<=`",
    "\u2265": "write `>=`",
    "\u2260": "write `!=`",
    "\u2227": "write `and`",
    "\u2228": "write `or`",
    "\u00ac": "write `not`",
    "\u21d2": "write `=>`",
    "\u2192": "write `=>`",
    "\u2200": "write `forall`",
    "\u2203": "write `exists`",
    "\u2212": "write `-`",
    "\u2013": "write `-`",
    "\u201c": 'write `"`',
    "\u201d": 'write `"`',
    "\u2018": "write `'`",
    "\u2019": "write `'`",
    "\u00a0": "this space is not an ordinary one",
    "?": "write `if c then a else b`",
    "\\": "a line needs no `\\` to go on; break it after an operator",
    "@": None,
}


def _shown(char: str) -> str:
    return f"`{char}`" if char.isprintable() else f"the character U+{ord(char):04X}"


def _short(text: str) -> str:
    return text if len(text) <= 24 else f"{text[:12]}...{text[-4:]}"
