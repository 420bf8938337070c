"""Each code of meaning has a spec that shows it, and the exact text that people read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dsl.codes_meaning import CODES
from dsl.diagnostic import Diagnostic, SpecError, render
from dsl.imports import load_files
from dsl.lint import lint
from dsl.source import Source
from dsl.typecheck import check_files

FOLDER = Path(__file__).parent.parent / "diagnostics"
FIXTURES = sorted(path for path in FOLDER.glob("*.spec") if re.match(r"[EW][2-9]\d\d_", path.name) and path.name[:4] in CODES)
# these need a world explored (E303 ..), a chain of files (E504) or a proof (W910)
ELSEWHERE = {"E303", "E305", "E307", "E310", "E311", "E504", "E510", "E511", "E512", "E513", "E514", "E515", "E516", "E530", "W904", "W910"}


def checked(path: Path) -> tuple[list[Diagnostic], dict[str, Source]]:
    """The diagnostics, with the texts that they speak of."""
    sources = {str(path): Source(str(path), path.read_text(encoding="utf-8"))}
    try:
        files, sources = load_files(path)
        typed = check_files(files, sources)
    except SpecError as error:
        return list(error.diagnostics), sources
    return list(lint(files[-1], typed)), sources


def diagnostics(path: Path) -> list[Diagnostic]:
    return checked(path)[0]


def rendered(path: Path) -> str:
    found, sources = checked(path)
    return "".join(render(d, sources) + "\n" for d in found).replace(str(path), path.name).replace(f"{path.parent}/", "")


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_text_of_diagnostics(path: Path) -> None:
    assert rendered(path) == path.with_suffix(".expected").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_fixture_shows_its_code(path: Path) -> None:
    assert path.name[:4] in {d.code for d in diagnostics(path)}
    assert {d.code for d in diagnostics(path)} <= set(CODES)


def test_every_code_has_a_fixture() -> None:
    assert set(CODES) - ELSEWHERE == {path.name[:4] for path in FIXTURES}


def test_every_code_in_the_source_is_documented() -> None:
    sources = (Path(__file__).parent.parent.parent / "dsl").rglob("*.py")
    used = {code for path in sources for code in re.findall(r'"([EW][2-9]\d\d)"', path.read_text(encoding="utf-8"))}
    assert used == set(CODES)


@pytest.mark.parametrize("code", sorted(CODES))
def test_pages_have_a_wrong_and_a_right_example(code: str) -> None:
    title, text = CODES[code]
    assert title
    assert "wrong:  " in text
    assert "right:  " in text
