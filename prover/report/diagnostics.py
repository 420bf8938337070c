"""The codes of all diagnostics into one Markdown page: ``python -m prover.report.diagnostics > docs/diagnostics.md``."""

from __future__ import annotations

import sys

from dsl.codes_meaning import CODES as MEANING
from dsl.codes_syntax import CODES as SYNTAX

STAGES = {
    "E1": "Syntax",
    "E2": "Names and types",
    "E3": "Worlds",
    "E4": "Claims",
    "E5": "Files and imports",
    "W9": "Lint",
}
OPENING = """# Diagnostics

Every message has a code. `twostep explain CODE` shows the same text. Errors (E) stop before anything is proved, with exit status 3;
warnings (W) come from `twostep lint`.
"""


def page() -> str:
    """A section for each stage, a heading for each code."""
    codes = SYNTAX | MEANING
    parts = [OPENING]
    for prefix, stage in STAGES.items():
        parts.append(f"## {stage}\n")
        parts.extend(_entry(code, *codes[code]) for code in sorted(codes) if code.startswith(prefix))
    return "\n".join(parts)


def _entry(code: str, title: str, text: str) -> str:
    prose, _, examples = text.partition("\n\n")
    block = f"\n```\n{examples.strip()}\n```\n" if examples else ""
    return f"### {code}: {title}\n\n{prose.strip()}\n{block}"


if __name__ == "__main__":
    sys.stdout.write(page())
