"""Source -> syntax.File: a table-driven LALR(1) parser whose reductions build the tree directly.

lark compiles ``grammar.lark`` into the table and is imported only when no table is cached.  Nothing here recurses: however
deep a text nests, it costs a list, and a tree above ``MAX_DEPTH`` is a diagnostic.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from dsl import table
from dsl.build import BUILDERS, DEEPENING, Builder
from dsl.diagnostic import Diagnostic, SpecError
from dsl.lexer import DECLARATIONS, END, LATER, MAX_DEPTH, Token, lex
from dsl.source import Source, Span
from dsl.syntax import File
from dsl.table import Production, Table

MAX_SIZE = 1024 * 1024  # bytes; a spec is written by hand or by a small script, and this many already take seconds
MAX_DIAGNOSTICS = 50
SPLIT = "split it with `import`, or read a large world with `world W = prism ...`"


def parse(source: Source) -> File:
    """The tree of ``source``; raises SpecError with every syntax error that was found.

    After an error the parser goes on at the next declaration, so each declaration reports its own first error.
    """
    if len(source.text) > MAX_SIZE:
        raise SpecError([_too_large(source.name, len(source.text), MAX_SIZE, "a spec", SPLIT)])
    rules = grammar_table()
    lexed = lex(source, rules)
    diagnostics, file = lexed.diagnostics, None
    if lexed.complete:
        file = _parse_tokens(source, lexed.tokens, rules, diagnostics)
    if diagnostics or file is None:
        raise SpecError(diagnostics[:MAX_DIAGNOSTICS])
    return file


def parse_bytes(name: str, data: bytes) -> Source:
    """The bytes of a file as text, unchanged; raises SpecError where they are too many or no UTF-8 text."""
    return decoded(name, data, MAX_SIZE, "a spec", SPLIT)


def decoded(name: str, data: bytes, largest: int, what: str, hint: str | None = None) -> Source:
    """The same for any kind of file, which has at most ``largest`` bytes."""
    if len(data) > largest:
        raise SpecError([_too_large(name, len(data), largest, what, hint)])
    if data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        message, hint = "the file begins with a byte order mark", "save it as UTF-8 without BOM"
        raise SpecError([Diagnostic("E101", Span(name, 1, 1, 1, 2), message, hint)])
    try:
        return Source(name, data.decode("utf-8"))
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line = before.count(b"\n") + 1
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8")) + 1
        message = f"byte {error.start + 1} of the file, 0x{data[error.start]:02X}, is not UTF-8"
        raise SpecError([Diagnostic("E101", Span(name, line, column, line, column + 1), message, "save the file as UTF-8")]) from None


def _too_large(name: str, size: int, largest: int, what: str, hint: str | None) -> Diagnostic:
    return Diagnostic("E101", Span(name, 1, 1, 1, 1), f"the file has {size:,} bytes; {what} has at most {largest:,}", hint)


# ---------------------------------------------------------------- the grammar


@cache
def grammar_text() -> str:
    """``grammar.lark``: inside the package when installed from a wheel, beside it in a checkout."""
    here = Path(__file__).resolve().parent
    inside = here / "grammar.lark"
    return (inside if inside.is_file() else here.parent / "grammar.lark").read_text(encoding="utf-8")


@cache
def grammar_table() -> Table:
    return table.load(grammar_text(), compile_grammar)


def compile_grammar(grammar: str) -> Table:
    """The table that lark makes of a grammar; raises lark's GrammarError where it is none."""
    from lark import Lark
    from lark.lexer import PatternStr
    from lark.parsers.lalr_analysis import Shift

    compiled = Lark(grammar, parser="lalr", lexer="basic", maybe_placeholders=True)
    states = compiled.parse_interactive("").parser_state.parse_conf.parse_table
    words, symbols, patterns = {}, {}, {}
    for terminal in compiled.terminals:
        if not isinstance(terminal.pattern, PatternStr):
            patterns[terminal.name] = terminal.pattern.to_regexp()
        elif terminal.pattern.value.isalpha():
            words[terminal.pattern.value] = terminal.name
        else:
            symbols[terminal.pattern.value] = terminal.name
    productions: dict[Any, int] = {}
    order = sorted(states.states)
    number = {state: index for index, state in enumerate(order)}
    rows = []
    for state in order:
        row = {}
        for symbol, (action, argument) in states.states[state].items():
            row[symbol] = number[argument] if action is Shift else -1 - productions.setdefault(argument, len(productions))
        rows.append(dict(sorted(row.items())))
    names = frozenset(rule.expansion[0].name for rule in compiled.rules if rule.origin.name == "name")
    return Table(
        words,
        symbols,
        patterns,
        names,
        tuple(_production(rule) for rule in productions),
        tuple(rows),
        number[states.start_states["start"]],
        number[states.end_states["start"]],
    )


def _production(rule: Any) -> Production:
    origin = str(rule.origin.name)
    absent = [0] * (len(rule.expansion) + 1)  # how many absent parts stand before each symbol
    if rule.options.empty_indices:
        runs = "".join("1" if empty else "0" for empty in rule.options.empty_indices).split("0")
        absent = [len(run) for run in runs]
    plan: list[int | None] = []
    for index, symbol in enumerate(rule.expansion):
        plan += [None] * absent[index]
        if not symbol.is_term:
            plan.append(-1 - index if symbol.name.startswith("_") else index)
        elif rule.options.keep_all_tokens or not symbol.filter_out:
            plan.append(index)
    plan += [None] * absent[len(rule.expansion)]
    name = str(rule.alias or origin)
    return Production(origin, name, len(rule.expansion), tuple(plan), origin.startswith("_"), bool(rule.options.expand1 and not rule.alias))


# ---------------------------------------------------------------- the parser


class _TooDeepError(Exception):
    """The tree under construction is too deep; the token is where the deep part starts."""

    def __init__(self, token: Token) -> None:
        super().__init__()
        self.token = token


def _parse_tokens(source: Source, tokens: list[Token], rules: Table, diagnostics: list[Diagnostic]) -> File | None:
    """The file, or None after an error; ``diagnostics`` grows by what was found."""
    builder = Builder(source.name, diagnostics)
    position, dangling = 0, 0  # dangling: braces that earlier errors left open, whose ends are no errors of their own
    spoiled = {diagnostic.span.line for diagnostic in diagnostics}
    file: File | None = None
    failed = False
    while True:
        run = _Run(rules, builder, tokens, position)
        try:
            position = run.go()
        except _TooDeepError as deep:
            message = f"this expression is nested more than {MAX_DEPTH} deep"
            diagnostics.append(Diagnostic("E104", builder.span(deep.token, deep.token), message, "name its parts with `const` or `def`"))
            position = run.position
        if run.result is not None:
            file = run.result
            break
        failed = True
        if run.failed_at is not None:
            from dsl.syntax_errors import explain

            states = _states_before(rules, tokens, run.start, position)
            diagnostic, left_open = explain(rules, states, tokens, run.start, position, source.name)
            if tokens[position].type == "RBRACE" and left_open == 0 and dangling > 0:
                dangling -= 1
            elif diagnostic.span.line not in spoiled:
                diagnostics.append(diagnostic)
            dangling += left_open
        position = _next_declaration(tokens, position)
        if tokens[position].type == END or len(diagnostics) >= MAX_DIAGNOSTICS:
            break
    return None if failed else file


def _states_before(rules: Table, tokens: list[Token], start: int, at: int) -> list[int]:
    """The states before the token ``at`` was looked at: the parser reduces on it before it finds out that it cannot take it."""
    rows, productions = rules.rows, rules.productions
    states = [rules.start]
    for token in tokens[start:at]:
        while (entry := rows[states[-1]][token.type]) < 0:
            production = productions[-1 - entry]
            del states[len(states) - production.size :]
            states.append(rows[states[-1]][production.origin])
        states.append(entry)
    return states


def _next_declaration(tokens: list[Token], position: int) -> int:
    """Where to go on after an error at ``position``: the next declaration that starts a line; the block of a later storey is skipped."""
    if tokens[position].text in LATER:
        position = _after_block(tokens, position)
    elif tokens[position].type != END and not (tokens[position].first and tokens[position].type in DECLARATIONS):
        position += 1
    while tokens[position].type != END:
        token = tokens[position]
        if token.first and (token.type in DECLARATIONS or token.text in LATER):
            break
        position += 1
    return position


def _after_block(tokens: list[Token], position: int) -> int:
    """The position after the braces that the declaration at ``position`` opens, if it opens any."""
    depth = 0
    start = position
    while tokens[position].type != END:
        token = tokens[position]
        if depth == 0 and position > start and token.first and (token.type in DECLARATIONS or token.text in LATER):
            return position
        if token.type == "LBRACE":
            depth += 1
        elif token.type == "RBRACE":
            depth -= 1
            if depth <= 0:
                return position + 1
        position += 1
    return position


class _Run:
    """One run of the automaton, from one place in the text to the end or to the first error.

    Beside every state stands its value, its first and last token (for spans) and the depth of its tree.
    """

    def __init__(self, rules: Table, builder: Builder, tokens: list[Token], start: int) -> None:
        self.rules, self.builder, self.tokens = rules, builder, tokens
        self.start, self.position = start, start
        self.states = [rules.start]
        self.result: File | None = None
        self.failed_at: int | None = None

    def go(self) -> int:
        """Run; afterwards either ``result`` or ``failed_at`` is set.  The position where it stopped."""
        rows, productions, end_state = self.rules.rows, self.rules.productions, self.rules.end
        tokens, states, builder = self.tokens, self.states, self.builder
        values: list[Any] = []
        extents: list[tuple[Token, Token] | None] = []
        depths: list[int] = []
        for position in range(self.start, len(tokens)):
            token = tokens[position]
            self.position = position
            kind = token.type
            while True:
                entry = rows[states[-1]].get(kind)
                if entry is None:
                    self.failed_at = position
                    return position
                if entry >= 0:
                    states.append(entry)
                    values.append(token)
                    extents.append((token, token))
                    depths.append(0)
                    break
                production = productions[-1 - entry]
                size = production.size
                if size == 1 and production.unwrap and production.plan == (0,):
                    states[-1] = rows[states[-2]][production.origin]  # a rule that only passes its child on
                else:
                    cut = len(values) - size
                    parts = values[cut:]
                    extent = _extent(extents, cut)
                    depth = max(depths[cut:], default=0)
                    del states[cut + 1 :], values[cut:], extents[cut:], depths[cut:]
                    children = _children(production, parts)
                    if production.inline:
                        value: Any = children
                    elif production.unwrap and len(children) == 1:
                        value = children[0]
                    else:
                        if production.name in DEEPENING:
                            depth += 1
                            if depth > MAX_DEPTH and extent is not None:
                                raise _TooDeepError(extent[0])
                        value = BUILDERS[production.name](builder, children, extent)
                    states.append(rows[states[-1]][production.origin])
                    values.append(value)
                    extents.append(extent)
                    depths.append(depth)
                if kind == END and states[-1] == end_state:
                    self.result = values[-1]
                    return position
        raise ValueError("the tokens do not end in $END")


def _children(production: Production, parts: list[Any]) -> list[Any]:
    """The children that the plan takes from the values; a list that grows on the left is extended in place, so chains cost linear time."""
    plan = production.plan
    if production.inline and plan and plan[0] == -1:
        children: list[Any] = parts[0]
        plan = plan[1:]
    else:
        children = []
    for step in plan:
        if step is None:
            children.append(None)
        elif step >= 0:
            children.append(parts[step])
        else:
            children.extend(parts[-1 - step])
    return children


def _extent(extents: list[tuple[Token, Token] | None], cut: int) -> tuple[Token, Token] | None:
    """From the first token to the last of the values above ``cut``; None if they hold no token at all."""
    present = [extent for extent in extents[cut:] if extent is not None]
    return (present[0][0], present[-1][1]) if present else None
