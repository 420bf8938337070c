from dsl.diagnostic import Diagnostic
from dsl.source import Span
def explain(rules, states, tokens, start, at, name):
    t=tokens[at]
    return Diagnostic("E110", Span(name,t.line,t.column,t.end_line,t.end_column), f"unexpected {t.type} {t.text!r}; {sorted(rules.rows[states[-1]])[:8]}")
