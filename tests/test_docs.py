"""The pages agree with the program: generated pages are up to date, links lead somewhere, named commands exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from prover.cli import twostep
from prover.report.diagnostics import STAGES, page

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def test_the_page_of_diagnostics_is_up_to_date() -> None:
    written = (ROOT / "docs" / "diagnostics.md").read_text(encoding="utf-8")
    assert written == page(), "write it again: python -m prover.report.diagnostics > docs/diagnostics.md"


def test_every_code_has_a_section() -> None:
    text = page()
    assert len(re.findall(r"^### [EW][0-9]{3}: ", text, re.MULTILINE)) >= 30
    assert all(f"## {stage}" in text for stage in STAGES.values())


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for target in re.findall(r"(?<![PE])\[[^\]\n]+\]\(([\w./:-]+)\)", text):
        if "://" not in target:
            assert (path.parent / target).exists(), target
    for target in re.findall(r"examples/[a-z_]+/[a-z_]+\.spec", text):
        assert (ROOT / target).is_file(), target


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_named_commands_exist(path: Path) -> None:
    for verb in re.findall(r"`twostep ([a-z]+)|^\$? ?twostep ([a-z]+)", path.read_text(encoding="utf-8"), re.MULTILINE):
        assert "".join(verb) in twostep.commands


def test_the_examples_name_each_other_correctly() -> None:
    for path in (ROOT / "examples").rglob("*.spec"):
        for target in re.findall(r"examples/[a-z_]+/[a-z_]+\.spec", path.read_text(encoding="utf-8")):
            assert (ROOT / target).is_file(), f"{path.name} names {target}"
