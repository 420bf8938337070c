"""A parser that cannot go on -> one diagnostic that says what was being read, written by hand for each situation.

The automaton answers one question here: would it take this terminal now?  Everything else is said in words.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from dsl.diagnostic import Diagnostic
from dsl.lexer import DECLARATIONS, END, LATER, OPENERS, RESERVED, SEPARATOR, Token
from dsl.situation import CLOSERS, ITEMS, Situation, shown
from dsl.table import Table

_RELATIONS = frozenset({"EQ", "NE", "LT", "LE", "GT", "GE"})
_TIGHT = frozenset({"PLUS", "MINUS", "TIMES", "DIVIDE", "MOD", "DIV", "POWER", "IN"}) | _RELATIONS
_TEMPORAL = frozenset({"F", "G", "X", "U"})
_LOOSER = frozenset({"AND", "OR", "IMPLIES", "IFF", "U", "COMMA", "THEN", "ELSE", "COLON", SEPARATOR, END})
MAX_QUOTED = 60  # characters of a hint that repeats what was written
_AFTER_EXPRESSION = frozenset({"THEN", "ELSE", "COLON", "FOR", "BECAUSE", "CONFIDENCE", "SATISFY", "OF"})
_MODES = "the modes are `horizon 50`, `discount 9/10`, `until goal` and `total`"
_DECLARATIONS = "declarations are const, def, enum, param, world, policies, policy, score, property, claim, ..."
_IMPORTERS = ["prism", "jani", "gymnasium", "drn"]
_SPOKEN = {"AND": "and", "&": "and", "OR": "or", "NOT": "not", "IMPLIES": "=>", "IFF": "<=>", "XOR": "!=", "TRUE": "true", "FALSE": "false"}


def explain(table: Table, states: Sequence[int], tokens: Sequence[Token], start: int, at: int, file: str) -> tuple[Diagnostic, int]:
    """The diagnostic for the token at position ``at`` (the parser began at ``start``), and how many braces stand open there."""
    situation = Situation(table, states, tokens, start, at, file)
    for rule in (_later, _misplaced, _signs, _branches, _brackets, _operator, _reserved, _blocks, _names, _separators, _keywords):
        diagnostic = rule(situation)
        if diagnostic is not None:
            break
    else:
        diagnostic = _expected(situation)
    return diagnostic, sum(token.type == "LBRACE" for token in situation.open)


def _begins_next(s: Situation) -> bool:
    """Whether the token cannot belong to the declaration being read: the file ends, or another one starts a line."""
    return s.at > s.start and (s.token.type == END or (s.token.first and (s.token.type in DECLARATIONS or s.token.text in LATER)))


def _later(s: Situation) -> Diagnostic | None:
    if s.token.type == RESERVED and s.takes("CLAIM"):
        return s.report("E121", f"`{s.token.text}` is not supported yet", "its block is skipped; take it out to prove the rest")
    return None


def _misplaced(s: Situation) -> Diagnostic | None:
    """A declaration inside a world: it is indented, so the brace is not what is missing."""
    token = s.token
    if not (token.first and token.type in DECLARATIONS and s.open and token.column > s.tokens[s.declaration].column):
        return None
    return s.report("E115", f"`{token.text}` does not stand inside braces", "move it out; or is a `}` missing above?")


def _signs(s: Situation) -> Diagnostic | None:
    """A line inside braces that starts with a sign, where the line above was meant to go on."""
    following = s.tokens[s.at + 1] if s.token.type == SEPARATOR else None
    if following is None and s.block == "reward" and s.item < s.at:
        return None
    sign = following or s.tokens[min(s.item, s.at)]
    before = s.tokens[s.at if following is not None else max(min(s.item, s.at) - 1, 0)]
    if sign.type not in ("PLUS", "MINUS") or not sign.first or before.type != SEPARATOR or before.text == ";":
        return None
    message = f"inside braces a line that starts with `{sign.text}` begins a new item"
    return s.report("E114", message, f"to go on, end the line above with `{sign.text}`", sign)


def _branches(s: Situation) -> Diagnostic | None:
    """An ``if`` that lacks its ``then`` or its ``else``."""
    ended = s.token.type in (SEPARATOR, END, "COMMA", *CLOSERS) or _begins_next(s)
    if not ended and s.token.type in s.table.names | {"ELSE", "NUMBER"}:
        ended = s.token.type == "ELSE" or not s.takes("COMMA")
    if not ended or not (s.takes("THEN") or s.takes("ELSE")) or s.takes("WHEN"):
        return None
    opener = _waiting_if(s)
    if s.takes("THEN"):
        return s.report("E111", "this `if` has no `then`", "write `if condition then a else b`", opener)
    return s.report("E111", "this `if` has no `else`", "every expression has a value: write `if condition then a else b`", opener)


def _waiting_if(s: Situation) -> Token | None:
    """The innermost ``if`` of the current brackets that has no ``else``."""
    depth, closed = 0, 0
    for token in reversed(s.tokens[s.declaration : s.at]):
        if token.type in CLOSERS:
            depth += 1
        elif token.type in OPENERS:
            depth -= 1
        elif depth == 0 and token.type == "ELSE":
            closed += 1
        elif depth == 0 and token.type == "IF":
            if closed == 0:
                return token
            closed -= 1
    return None


def _brackets(s: Situation) -> Diagnostic | None:
    """Brackets left open, closed twice, or closed by the wrong partner."""
    token = s.token
    opener = s.open[-1] if s.open else None
    if opener is not None and s.open[-1].type != "LBRACE" and (_begins_next(s) or token.type in (SEPARATOR, "RBRACE")):
        closer = ")" if opener.type == "LPAR" else "]"
        return s.report("E110", f"this `{opener.text}` is never closed", f"add the missing `{closer}`", opener)
    if _begins_next(s) and opener is not None:
        outer = next(each for each in reversed(s.open) if each.type == "LBRACE")
        return s.report("E110", "this `{` is never closed", f"add the missing `}}` before {shown(token)}", outer)
    if token.type in CLOSERS:
        if opener is None:
            return s.report("E110", f"this `{token.text}` closes nothing", f"remove it, or add the missing `{CLOSERS[token.type]}`")
        partner = {"LPAR": "RPAR", "LBRACE": "RBRACE"}.get(opener.type, "RSQB")
        if token.type != partner and s.takes(partner):
            closer = {"RPAR": ")", "RBRACE": "}", "RSQB": "]"}[partner]
            return s.report("E110", f"`{opener.text}` is closed by `{closer}`, not by `{token.text}`")
    return None


def _operator(s: Situation) -> Diagnostic | None:
    """Operators of other languages, and operators where the reading rules want parentheses."""
    token = s.token
    if token.type == "EQUAL" and s.after_expression and (s.takes("EQ") or s.takes("AND")):
        target = s.at - 2 if s.previous is not None and s.previous.type == "PRIME" else s.at - 1
        if s.block in ("action", "init") and s.tokens[target - 1].type == "AND" and _assigned(s, target):
            hint = f"write `, {s.text(target, s.at)} = ...`"
            return s.report("E108", "assignments are separated by a comma, not by `and`", hint, s.tokens[target - 1])
        if not s.takes("COLON") or s.block in ("reward", "policy"):
            return s.report("E108", "`=` defines; equality is written `==`", "write `==`")
    if token.type == "PARALLEL" and s.after_expression:
        return s.report("E103", "`||` is written `or`; it composes worlds only", "write `or`")
    bounded = _bounded_before(s) if token.type in _TIGHT and s.takes("AND") else None
    if bounded is not None and token.type in _RELATIONS:
        return s.report("E112", "a comparison under a bounded operator needs parentheses", _in_parentheses(s, bounded))
    if bounded is not None:
        return s.report("E112", "what follows a bound is one operand, or stands in parentheses", _in_parentheses(s, bounded))
    if token.type in ("LT", "GT", "GE", "EQ") and s.previous is not None and s.previous.type in _TEMPORAL:
        return s.report("E112", f"a bound is written `{s.previous.text}<=k`", "steps are whole numbers, so `< k` is `<= k - 1`")
    if token.type == "IFF" and s.takes("AND"):
        return s.report("E112", "`<=>` is not associative", "write parentheses: `(a <=> b) <=> c`")
    if token.type in _RELATIONS and s.takes("AND"):
        return s.report("E112", f"`{token.text}` cannot follow here without parentheses", "write `(...)` around what is compared")
    if s.previous is not None and s.previous.type == "EQUAL" and token.type in ("EQUAL", "GT", "LT"):
        pair = {"EQUAL": "==", "GT": "=>", "LT": "<="}[token.type]
        return s.report("E108", f"`= {token.text}` is no operator", f"write `{pair}` without a space")
    if token.type == "NUMBER" and s.previous is not None and s.previous.type == "DOT":
        return s.report("E106", f"`.{token.text}` is no number", f"write `0.{token.text}`")
    if token.type == "PRIME" and s.wants_expression:
        return s.report("E103", "strings and characters stand in double quotes", """write `"x"`""")
    if s.wants_expression and token.type in _TIGHT | {"AND", "OR", "IMPLIES", "IFF", "U"}:
        if token.text == "+":
            return s.lacks(f"expected an expression{s.after()}, found `+`", "there is no unary plus")
        return s.lacks(f"expected an expression{s.after()}, found {shown(token)}", f"`{token.text}` stands between two operands")
    return None


def _assigned(s: Situation, before: int) -> bool:
    """Whether the item already assigns something before this position."""
    return any(token.type == "EQUAL" for token in s.tokens[s.item : before])


def _in_parentheses(s: Situation, temporal: int) -> str:
    """How the bounded operator at this position is written with parentheses around what follows its bound."""
    tokens = s.tokens
    start = temporal + 3  # behind the operator, `<=` and a bound of one token
    if tokens[temporal + 2].type == "LPAR":
        start = _end_of_operand(tokens, temporal + 3) + 1
    end = _end_of_operand(tokens, s.at + 1)
    operand = s.text(start, end)
    return f"write `{s.text(temporal, start)} ({operand if len(operand) <= MAX_QUOTED else '...'})`"


def _end_of_operand(tokens: Sequence[Token], start: int) -> int:
    """The first position from ``start`` on that ends a comparison: a looser operator, a separator or the end of the brackets."""
    depth = 0
    for position in range(start, len(tokens)):
        kind = tokens[position].type
        if depth == 0 and (kind in _LOOSER or kind in CLOSERS):
            return position
        depth += (kind in OPENERS) - (kind in CLOSERS)
    return len(tokens) - 1


def _bounded_before(s: Situation) -> int | None:
    """Where the ``F<=k``, ``G<=k`` or ``U<=k`` starts directly under which the operand stands that just ended."""
    depth = 0
    tokens = s.tokens
    for position in range(s.at - 1, s.declaration, -1):
        kind = tokens[position].type
        if kind in CLOSERS:
            depth += 1
        elif kind in OPENERS:
            depth -= 1
            if depth < 0:
                return None
        elif depth == 0:
            if kind == "LE" and tokens[position - 1].type in _TEMPORAL:
                return position - 1
            if kind in ("AND", "OR", "IMPLIES", "IFF", SEPARATOR, "COMMA"):
                return None
    return None


def _reserved(s: Situation) -> Diagnostic | None:
    """A reserved word where a name should stand."""
    token = s.token
    if not (token.text.isidentifier() and token.type not in s.table.names):
        return None
    remedy = f"choose another name, or write `` `{token.text}` ``"
    if token.type == RESERVED and (s.takes("NAME") or token.first):
        return s.report("E113", f"`{token.text}` is reserved for a later version of the language", remedy)
    if not s.takes("NAME") or (token.first and (token.type in DECLARATIONS or token.type in ITEMS)):
        return None
    if token.type in _TEMPORAL:
        return s.report("E113", f"`{token.text}` is reserved: it is a temporal operator", remedy)
    return s.report("E113", f"`{token.text}` is a reserved word and cannot be a name", remedy)


def _names(s: Situation) -> Diagnostic | None:
    """Words that come close to what the language has."""
    token = s.token
    if token.type != "NAME":
        return None
    spoken = _SPOKEN.get(token.text.upper())
    if spoken is not None and spoken != token.text and s.after_expression:
        return s.report("E103", f"`{token.text}` is written `{spoken}`", f"write `{spoken}`")
    if s.takes("CLAIM") and (s.at == s.start or token.first):
        return s.report(
            "E109",
            f"`{token.text}` does not start a declaration",
            _nearest(token.text, [kind.lower() for kind in DECLARATIONS]) or _DECLARATIONS,
        )
    if s.after_expression and token.text == "W":
        return s.report("E109", "there is no weak until", "write `(a U b) or G a`")
    words = [word for word, kind in s.table.words.items() if s.takes(kind)]
    if not s.takes("NAME") and not s.after_expression and len(words) <= 12:
        hint = _nearest(token.text, words) or (f"one of {_listed(words)}" if words else None)
        if words:
            return s.report("E109", f"`{token.text}` cannot stand here", hint)
    return None


def _separators(s: Situation) -> Diagnostic | None:
    """Two things in a row with nothing between them, or a separator where none belongs."""
    token = s.token
    if token.type == SEPARATOR:
        if not s.open:
            return s.report("E114", "there is no `;` between declarations", "end the line instead")
        if token.text == ";" and s.wants_expression:
            return s.lacks(f"expected an expression{s.after()}, found `;`")
        return None
    following = s.tokens[s.at + 1].type if token.type in s.table.names else ""
    if s.block in ("action", "init") and following in ("PRIME", "EQUAL") and s.takes("COMMA", token.type) and _assigned(s, s.at):
        target = f"{token.text}'" if following == "PRIME" else token.text
        hint = f"write `, {target} = ...`; a new line or `;` starts another outcome"
        return s.report("E114", f"assignments are separated by a comma, and it is missing before {shown(token)}", hint)
    if s.takes(SEPARATOR, token.type) and s.open and s.open[-1].type == "LBRACE":
        return s.report("E114", f"expected a new line or `;` before {shown(token)}", "each item has a line of its own, or ends with `;`")
    if s.takes("COMMA", token.type) and s.open:
        return s.report("E114", f"expected a comma before {shown(token)}", f"write `, {token.text}`" if len(token.text) < 20 else None)
    return None


def _blocks(s: Situation) -> Diagnostic | None:
    """What each kind of braces holds."""
    token, block = s.token, s.block
    if block == "reward" and token.type == "COLON":
        return s.report("E115", "a reward's guard begins with `when`", "write `when guard: value`, or `[action] when guard: value`")
    if block == "reward" and s.previous is not None and s.previous.type == "RSQB" and s.takes("WHEN") and s.takes("COLON", token.type):
        behind = s.tokens[s.at : _end_of_operand(s.tokens, s.at) + 1]
        action = s.text(s.item, s.at)
        if behind[-1].type in ("COLON", "AND", "OR", "IMPLIES", "IFF"):
            return s.report("E115", "a reward's guard begins with `when`", f"put `when` before the condition: `{action} when guard: value`")
        return s.report("E115", "a colon stands before the value of a reward", f"write `{action}: {s.text(s.at, s.at + len(behind) - 1)}`")
    if block == "policy" and s.takes("WHEN"):
        return s.report("E115", "a rule begins with `when guard:` or `else:`", "write `when x < 3: east`")
    if block == "action" and token.type == "RBRACE" and s.takes("STAY"):
        return s.report("E115", "an action needs an outcome", "write `stay` for an action that changes nothing")
    if block == "init" and token.type == "RBRACE" and s.takes("STAY"):
        return s.report("E115", "`init` needs an outcome", "write `init { x = 0 }`, or `init uniform phi`")
    if block in ("world", "for") and s.takes("VAR"):
        hint = _nearest(token.text, ["var", "action", "label", "reward", "init", "deadlock", "for"])
        return s.report(
            "E115",
            f"{shown(token)} does not start an item of a world",
            hint or "a world holds var, action, label, reward, init, deadlock and for",
        )
    if token.type in ITEMS and s.takes("CLAIM"):
        return s.report("E115", f"`{token.text}` stands inside a world", "move it between the braces of `world W { ... }`")
    if s.takes("COMMA") and token.type == "RSQB" and _inside(s, "EXPECTATION"):
        return s.report("E116", "`E[...]` says how the reward is added up", f"write `E[r, horizon 50]`; {_MODES}")
    if s.previous is not None and s.previous.type == "COMMA" and _inside(s, "EXPECTATION") and s.takes("HORIZON") and not s.takes("NUMBER"):
        return s.report("E116", f"{shown(token)} is no way to add up a reward", _MODES)
    return None


def _inside(s: Situation, opener: str) -> bool:
    return bool(s.open) and s.open[-1].type == opener


def _keywords(s: Situation) -> Diagnostic | None:
    """The one word or sign that must come next."""
    token, previous = s.token, s.previous
    opener = s.open[-1] if s.open else None
    kind = s.tokens[s.declaration].type
    if kind in ("SCORE", "PROPERTY") and token.type in ("RPAR", "COMMA") and s.takes("COLON") and previous is not None:
        types = [name.text for word, name in pairwise(s.tokens) if word.type == "POLICIES" and name.type in s.table.names]
        hint = f"write `{previous.text} : {types[0]}`" if types else f"write `{previous.text} : Pi`, after `policies Pi over W`"
        return s.report("E109", f"`{previous.text}` needs its policy type", hint)
    if token.type == "DRAWN" and previous is not None and opener is not None and opener.type == "LPAR":
        called = s.tokens[next(i for i, each in enumerate(s.tokens) if each is opener) - 1].text
        drawn = f"{previous.text} ~ {s.tokens[s.at + 1].text}"
        if called in ("P", "E"):
            return s.report("E109", "what is drawn stands in square brackets", f"write `{called}[{drawn}](...)`")
    bracket = _bracketed_range(s)
    if bracket is not None:
        return bracket
    if token.type == "STRING" and previous is not None and previous.type == "NAME" and s.tokens[s.declaration].type == "WORLD":
        hint = _nearest(previous.text, _IMPORTERS) or f"one of {_listed(_IMPORTERS)}"
        return s.report("E109", f"`{previous.text}` is no format of worlds", hint, previous)
    if token.type == "BY":
        return s.report("E109", "only a `theorem` rests on named claims", "write `theorem name: phi by a, b`")
    if s.tokens[s.declaration].type == "ASSUME" and s.takes("BECAUSE"):
        return s.report(
            "E117", "an assumption says why it is made", 'write `assume name: phi because "the reason"`', s.tokens[s.declaration]
        )
    if token.type == "EQUAL" and s.takes("COLON"):
        return s.report("E109", f"expected `:`{s.after()}, found `=`", "write `:`")
    if token.type == "COLON" and s.takes("EQUAL"):
        return s.report("E109", f"expected `=`{s.after()}, found `:`", "write `=`")
    return None


def _bracketed_range(s: Situation) -> Diagnostic | None:
    """``[0..3]`` or ``(0..3)`` as a type."""
    opening = s.at if s.token.type == "LSQB" else s.at - 1
    if s.token.type == "DOTS" and s.open:
        opening = next(i for i, each in enumerate(s.tokens) if each is s.open[-1])
    if s.token.type not in ("LSQB", "DOTS") or opening <= s.start or s.tokens[opening].type not in ("LSQB", "LPAR"):
        return None
    end = _end_of_operand(s.tokens, opening + 1)
    inside = s.tokens[opening + 1 : end]
    if s.tokens[opening - 1].type not in ("COLON", "IN") or not any(token.type == "DOTS" for token in inside):
        return None
    written = s.text(opening + 1, end)
    hint = f"write `{written}`" if len(written) <= MAX_QUOTED else "drop the brackets"
    return s.report("E109", "a range stands without brackets", hint, s.tokens[opening])


def _expected(s: Situation) -> Diagnostic:
    """The rest: what kind of thing was expected after what."""
    found = f", found {shown(s.token)}"
    where = s.after()
    if s.takes("CLAIM") and (s.at == s.start or s.token.first):
        return s.report(
            "E109",
            f"{shown(s.token)} does not start a declaration",
            _DECLARATIONS,
        )
    if s.wants_expression:
        return s.lacks(f"expected an expression{where}{found}")
    spellings = {kind: spelling for spelling, kind in (s.table.words | s.table.symbols).items()}
    possible = [kind for kind in spellings if s.takes(kind)]
    if s.after_expression:
        ending = [spellings[kind] for kind in possible if kind in _AFTER_EXPRESSION]
        hint = f"`{ending[0]}` comes next" if len(ending) == 1 else "an operator is missing, or something is left over"
        return s.report(
            "E109",
            f"{shown(s.token)} cannot follow{where.removeprefix(' after')} here" if where else f"{shown(s.token)} cannot stand here",
            hint,
        )
    if s.takes("NAME"):
        return s.lacks(f"expected a name{where}{found}")
    if s.takes("STRING"):
        return s.lacks(f"expected a string in double quotes{where}{found}")
    if s.takes("GRID"):
        return s.lacks(f'expected `"""`{where}{found}', "a grid is written between triple quotes")
    if 1 <= len(possible) <= 4:
        return s.lacks(f"expected {_listed(spellings[kind] for kind in possible)}{where}{found}")
    return s.report("E109", f"{shown(s.token)} cannot stand here{where}")


def _listed(words: Iterable[str]) -> str:
    shown_words = [f"`{word}`" for word in words]
    return shown_words[0] if len(shown_words) == 1 else f"{', '.join(shown_words[:-1])} or {shown_words[-1]}"


def _nearest(word: str, words: Sequence[str]) -> str | None:
    """A hint at the word that was probably meant."""
    from difflib import get_close_matches

    near = get_close_matches(word.lower(), sorted(words), 1, 0.6)
    return f"did you mean `{near[0]}`?" if near else None
