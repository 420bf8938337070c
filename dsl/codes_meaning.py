"""What each diagnostic about meaning says: code -> (title, a paragraph with a wrong and a right example)."""

from __future__ import annotations

from dsl import codes_claims, codes_imports, codes_lint, codes_names, codes_policies, codes_worlds

CODES: dict[str, tuple[str, str]] = {
    **codes_names.CODES,
    **codes_worlds.CODES,
    **codes_claims.CODES,
    **codes_policies.CODES,
    **codes_imports.CODES,
    **codes_lint.CODES,
}
