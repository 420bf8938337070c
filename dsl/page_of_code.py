"""A title, an explanation and two examples -> the page that ``twostep explain`` shows for a code."""

from __future__ import annotations


def page(title: str, text: str, wrong: str, right: str) -> tuple[str, str]:
    """The text may be broken anywhere; the examples stand as they are."""
    return title, f"{' '.join(text.split())}\n\nwrong:  {wrong}\nright:  {right}"
