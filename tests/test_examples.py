"""Every example, and every complete spec in the docs, has the verdict that its folder or its heading says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dsl.format import format as canonical
from dsl.parse import parse
from dsl.source import Source
from prover.pipeline import Report, prove
from prover.verdict import Holds, Proved, Refuted, Unknown

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = sorted((ROOT / "examples").rglob("*.spec"))
FENCE = re.compile(r"^```spec (proved|refuted|unknown)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
IN_DOCS = [
    (path.name, number, verdict, text)
    for path in [*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md"]
    for number, (verdict, text) in enumerate(FENCE.findall(path.read_text(encoding="utf-8")), start=1)
]


def outcome(report: Report) -> str:
    """As the exit status counts: refuted before unknown before proved."""
    assert not [d for d in report.diagnostics if d.severity == "error"], report.diagnostics
    assert report.results
    verdicts = [result.verdict for result in report.results]
    if any(isinstance(verdict, Refuted) for verdict in verdicts):
        return "refuted"
    return "unknown" if any(isinstance(verdict, Unknown) for verdict in verdicts) else "proved"


def test_there_are_examples_of_every_kind() -> None:
    assert len(EXAMPLES) >= 10
    assert {path.relative_to(ROOT / "examples").parts[0] for path in EXAMPLES} == {"proved", "refuted", "unknown"}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example(path: Path) -> None:
    report = prove(path)
    assert outcome(report) == path.relative_to(ROOT / "examples").parts[0], [(r.name, r.verdict) for r in report.results]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example_tells_its_story_first(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.startswith("// ")
    assert len(text.splitlines()) <= 100


@pytest.mark.parametrize(("page", "number", "verdict", "text"), IN_DOCS, ids=lambda value: str(value) if not str(value).count("\n") else "")
def test_docs(page: str, number: int, verdict: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / f"{Path(page).stem}_{number}.spec"
    path.write_text(text, encoding="utf-8")
    assert outcome(prove(path)) == verdict


# What the comments of the examples promise, worked out by hand.
VERDICTS = {
    "refuted/boat_race": {"reward_specification": Refuted, "racing_costs_points": Proved},
    "refuted/absent_supervisor": {"reward_specification": Refuted, "behaves_while_watched": Proved},
    "refuted/distributional_shift": {"reward_specification": Refuted, "safe_where_trained": Proved},
    "refuted/shutdown_indifference": {"paid_for_work": Refuted, "paid_when_off": Refuted, "indifferent": Proved},
    "refuted/zero_tolerance": {"zero_tolerance": Refuted, "small_tolerance": Proved},
    "refuted/mostly_careful": {"reward_specification": Proved, "good_on_average": Proved, "safe_enough": Refuted},
    "proved/delivery": {"reward_specification": Proved, "adequate_learning": Holds, "safe_enough": Holds},
    "proved/field_trial": {"reward_specification": Proved, "safe_enough": Holds},
    "unknown/two_time_scales": {"exactly_two": Unknown, "about_two": Proved, "same_scale": Proved},
}
MARGINS = {
    "proved/boat_race_laps": "6",
    "proved/box_left_alone": "1/2",
    "proved/interruption_not_counted": "3/40",
    "proved/varied_training": "1/5",
    "proved/shutdown_bonus": "1/20",
    "proved/deterministic_only": "2",
    "proved/delivery": "39/500",
}


@pytest.mark.parametrize("name", VERDICTS)
def test_each_claim(name: str) -> None:
    results = {result.name: type(result.verdict) for result in prove(ROOT / "examples" / f"{name}.spec").results}
    assert {claim: results.get(claim) for claim in VERDICTS[name]} == VERDICTS[name]


@pytest.mark.parametrize("name", MARGINS)
def test_each_margin(name: str) -> None:
    report = prove(ROOT / "examples" / f"{name}.spec", claim="margin")
    verdict = next(result.verdict for result in report.results if result.name == "margin")
    assert isinstance(verdict, Proved)
    assert verdict.value is not None
    assert (str(verdict.value.lower), str(verdict.value.upper), verdict.value.attained) == (MARGINS[name], MARGINS[name], True)


def test_examples_are_in_their_canonical_layout() -> None:
    for path in EXAMPLES:
        source = Source(str(path), path.read_text(encoding="utf-8"))
        assert canonical(parse(source), source) == source.text, path
