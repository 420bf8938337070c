"""The command line: exit statuses, files that cannot be used, reports for people and machines."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import jsonschema
import pytest

from dsl.diagnostic import Diagnostic
from dsl.source import Source, Span
from prover import cli
from prover.checker.document import Rejected
from prover.commands.status import gravest
from prover.report import json as report_json
from prover.report.files import FileError, read_text, require_readable, write_text
from prover.report.save import folders
from prover.report.text import number, percentage, threshold
from prover.verdict import Enclosure, Holds, Proved, Refuted, Result, Unknown, Verdict

ROOT = Path(__file__).resolve().parents[2]
PROOF = {"format": "twostep-proof 1", "claim": {}, "worlds": [], "evidence": {}}


class Counterexample:
    def to_json(self) -> dict[str, Any]:
        policy = {"controller": {"rules": []}, "objectives": {"J": "1/2", "Far": "-infinity"}}
        return {"policies": {"pi": policy}, "trace": [{"state": {"at": 1}, "action": None}], "explanation": ["it breaks"]}

    def lines(self) -> list[str]:
        return ["policy pi: at start -> across", "but P[F broken] = 1/10 > 1/50"]


@dataclass
class World:
    name: str = "Race"
    states: int = 8
    choices: int = 24
    transitions: int = 31
    seconds: float = 0.01


VERDICTS: dict[str, Verdict] = {
    "proved": Proved(PROOF, value=Enclosure(Fraction(2, 25), Fraction(2, 25), True), note="max(J) = 9/10"),
    "holds": Holds(PROOF, Fraction(99, 100), ("A1",)),
    "refuted": Refuted(Counterexample()),
    "unknown": Unknown("the timeout was reached; a longer one may decide it"),
}


def report(*names: str, file: str = "a.spec", diagnostics: tuple[Diagnostic, ...] = ()) -> SimpleNamespace:
    results = tuple(Result(name, "claim", VERDICTS[name], 3 + i, 0.5, "lazy", f"forall pi : Pi. {name}") for i, name in enumerate(names))
    sources = {file: Source(file, "world W {\n}\n")}
    return SimpleNamespace(file=file, seed=0, worlds=(World(),), results=results, diagnostics=diagnostics, sources=sources)


ERROR = Diagnostic("E203", Span("a.spec", 1, 7, 1, 8), "`W` is empty", "give it an action")


@pytest.fixture
def prover(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[dict[str, Any]]]:
    """Put a prover in place that answers with these reports, one for each file; returns the calls it got."""

    def install(*answers: Any) -> list[dict[str, Any]]:
        calls: list[dict[str, Any]] = []
        queue = list(answers)

        def prove(path: Path, **options: Any) -> Any:
            calls.append({"path": path, **options})
            answer = queue.pop(0)
            if isinstance(answer, BaseException):
                raise answer
            return answer

        module = ModuleType("prover.pipeline")
        module.prove = prove  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "prover.pipeline", module)
        return calls

    return install


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "a.spec"
    path.write_text("world W { }\n", encoding="utf-8")
    return path


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as left:
        cli.main([str(argument) for argument in arguments])
    assert isinstance(left.value.code, int)
    return left.value.code


# ---------------------------------------------------------------- exit statuses


@pytest.mark.parametrize(
    ("names", "status"),
    [
        ((), 0),
        (("proved",), 0),
        (("proved", "holds"), 0),
        (("proved", "refuted"), 1),
        (("unknown", "refuted"), 1),
        (("proved", "unknown"), 4),
    ],
)
def test_status(prover: Callable[..., Any], spec: Path, names: tuple[str, ...], status: int) -> None:
    prover(report(*names))
    assert run("prove", spec) == status


def test_errors_in_the_spec(prover: Callable[..., Any], spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    prover(report(diagnostics=(ERROR,)))
    assert run("prove", spec) == 3
    said = capsys.readouterr()
    assert "error E203: `W` is empty" in said.err
    assert "next: twostep explain E203" in said.out


def test_a_warning_is_no_error(prover: Callable[..., Any], spec: Path) -> None:
    prover(report("proved", diagnostics=(replace(ERROR, code="W901"),)))
    assert run("prove", spec) == 0


def test_an_internal_error_is_no_verdict(prover: Callable[..., Any], spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    prover(ValueError("surprise"), report("refuted"))
    assert run("prove", spec, spec) == 5
    said = capsys.readouterr()
    assert "surprise" in said.err
    assert "REFUTED" in said.out


def test_a_rejected_certificate(prover: Callable[..., Any], spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    prover(Rejected("a number is missing"), report("refuted"))
    assert run("prove", spec, spec) == 6
    assert "a number is missing" in capsys.readouterr().err


def test_interrupted(prover: Callable[..., Any], spec: Path) -> None:
    prover(KeyboardInterrupt())
    assert run("prove", spec) == 130


def test_the_gravest_status_wins() -> None:
    order = [6, 5, 3, 1, 4, 0]
    for position, status in enumerate(order):
        assert gravest(order[position:]) == status
    assert gravest([]) == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["prove"],
        ["fuzz", "a.spec"],
        ["prove", "a.spec", "--method", "magic"],
        ["prove", "a.spec", "--timeout", "0"],
        ["prove", "a.spec", "--timeout", "inf"],
        ["prove", "a.spec", "--timeout", "1e999999999"],
        ["prove", "a.spec", "--precision", "-1"],
        ["prove", "a.spec", "--precision", "1/0"],
        ["prove", "a.spec", "--max-states", "0"],
        ["prove", "a.spec", "--max-states", "many"],
        ["export", "a.spec"],
        ["export", "a.spec", "--to", "latex"],
        ["explain"],
        ["verify"],
        ["--nonsense"],
    ],
)
def test_usage(arguments: list[str], prover: Callable[..., Any], spec: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(spec.parent)
    prover(report())
    assert run(*arguments) == 2


def test_options_arrive_exactly(prover: Callable[..., Any], spec: Path) -> None:
    calls = prover(report("proved"))
    assert run("prove", spec, "--claim", "proved", "--method", "both", "--timeout", "0.1", "--max-states", 7, "--precision", "1e-9") == 0
    call = calls[0]
    assert (call["claim"], call["method"], call["max_states"]) == ("proved", "both", 7)
    assert (call["timeout"], call["precision"]) == (Fraction(1, 10), Fraction(1, 10**9))
    assert call["progress"] is None


def test_a_claim_that_is_not_there(prover: Callable[..., Any], spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    prover(report())
    assert run("prove", spec, "--claim", "nothing") == 2
    assert "nothing" in capsys.readouterr().err


# ---------------------------------------------------------------- files that cannot be used


@pytest.mark.parametrize("verb", [["prove"], ["fmt"], ["lint"], ["verify"], ["export", "--to", "smt2"]])
def test_bad_files(verb: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    for path, words in ((tmp_path / "missing", "no such file"), (tmp_path, "a directory"), (fifo, "not a regular file")):
        assert run(*verb, path) == 2
        said = capsys.readouterr()
        assert words in said.err
        assert said.err.count("\n") == 1
        assert said.out == ""


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file(spec: Path) -> None:
    spec.chmod(0)
    assert run("prove", spec) == 2


def test_nothing_is_proved_if_the_report_cannot_be_written(prover: Callable[..., Any], spec: Path, tmp_path: Path) -> None:
    calls = prover(report("proved"))
    (tmp_path / "taken").write_text("", encoding="utf-8")
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    for path in (tmp_path, tmp_path / "no" / "x.json", fifo, ""):
        assert run("prove", spec, "--json", path) == 2
    assert run("prove", spec, "--out", tmp_path / "taken") == 2
    assert calls == []


def test_write_whole_or_nothing(tmp_path: Path) -> None:
    path, link = tmp_path / "x", tmp_path / "link"
    path.write_text("old", encoding="utf-8")
    path.chmod(0o640)
    link.symlink_to(path)
    write_text(link, "new\r\n")
    assert path.read_bytes() == b"new\r\n"
    assert path.stat().st_mode & 0o777 == 0o640
    assert link.is_symlink()
    with pytest.raises(UnicodeEncodeError):
        write_text(path, "half \ud800")
    assert path.read_bytes() == b"new\r\n"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["link", "x"]


def test_read_text(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"\xff")
    with pytest.raises(FileError, match="not UTF-8"):
        read_text(path)
    with pytest.raises(FileError):
        require_readable(Path("a\0b"))


# ---------------------------------------------------------------- reports


def test_text_report(prover: Callable[..., Any], spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    prover(report("proved", "holds", "refuted", "unknown"))
    assert run("prove", spec) == 1
    out = capsys.readouterr().out
    assert "\x1b" not in out
    for words in (
        "world Race: 8 states, 24 choices, 31 transitions",
        "PROVED   proved",
        "a.spec:3  proved = 2/25, attained",
        "max(J) = 9/10",
        "HOLDS    holds",
        "with confidence 99 %",
        "assumption used: A1",
        "REFUTED  refuted",
        "but P[F broken] = 1/10 > 1/50",
        "UNKNOWN  unknown",
        "the timeout was reached",
        "1 proved, 1 holds, 1 refuted, 1 unknown",
        "--out out",
    ):
        assert words in out


def test_hostile_names_do_not_steer_the_terminal(prover: Callable[..., Any], spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer = report("proved", diagnostics=(replace(ERROR, message="\x1b[2J"),))
    answer.results = (replace(answer.results[0], name="x\x1b[31m", statement="\x07"),)
    prover(answer)
    run("prove", spec)
    said = capsys.readouterr()
    assert "\x1b" not in said.out + said.err
    assert "\x07" not in said.out


def test_json_report(prover: Callable[..., Any], spec: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answers = (report("proved", "holds", "refuted", "unknown"), report(diagnostics=(ERROR,)))
    prover(*answers)
    path = tmp_path / "report.json"
    assert run("prove", spec, spec, "--json", path) == 3
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) == 2
    schema = report_json.schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    for line in lines:
        jsonschema.validate(json.loads(line), schema)
    first, second = map(json.loads, lines)
    assert [result["verdict"] for result in first["results"]] == ["proved", "holds", "refuted", "unknown"]
    assert first["results"][0]["value"] == {"lower": "2/25", "upper": "2/25", "attained": True}
    assert first["results"][1]["confidence"] == "99/100"
    assert first["results"][2]["counterexample"]["policies"]["pi"]["objectives"] == {"J": "1/2", "Far": "-infinity"}
    assert second["diagnostics"][0]["code"] == "E203"
    capsys.readouterr()
    prover(*answers)
    assert run("prove", spec, spec, "--json", "-") == 3
    assert capsys.readouterr().out.splitlines() == lines


def test_saved_evidence(prover: Callable[..., Any], spec: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    prover(report("proved", "refuted"))
    out = tmp_path / "deep" / "out"
    assert run("prove", spec, "--out", out, "--json", tmp_path / "r.json") == 1
    assert json.loads((out / "proved.proof").read_text(encoding="utf-8")) == PROOF
    assert (out / "refuted.counterexample.json").is_file()
    assert (out / "refuted.pi.json").is_file()
    assert f"certificate: {out / 'proved.proof'}" in capsys.readouterr().out
    document = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    jsonschema.validate(document, report_json.schema())
    assert document["results"][0]["certificate"] == str(out / "proved.proof")
    assert document["results"][1]["counterexample"]["policies"]["pi"]["file"] == str(out / "refuted.pi.json")


def test_folders_never_clash() -> None:
    out = Path("out")
    assert folders(out, [Path("a.spec")]) == {Path("a.spec"): out}
    places = folders(out, [Path("p/a.spec"), Path("r/a.spec"), Path("r/A.spec")])
    assert [str(place) for place in places.values()] == [str(out / "a"), str(out / "a-2"), str(out / "A-3")]


def test_numbers() -> None:
    assert number(Fraction(1, 3)) == "1/3"
    assert number(Fraction(-(10**30), 3 * 10**30 + 1)) == "-0.333333333..."
    assert number(Fraction(1, 10**30)).startswith("about 2^")
    assert percentage(Fraction(99, 100)) == "99 %"
    assert percentage(Fraction(1, 3)) == "1/3"
    assert threshold(Enclosure(None, None, None)).startswith("= infinity")
    assert threshold(Enclosure(Fraction(1), Fraction(2), None)) == "between 1 and 2"


@pytest.mark.parametrize("name", ["proved/boat_race_laps", "refuted/shutdown_indifference", "unknown/two_time_scales"])
def test_real_reports_follow_the_schema(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = run("prove", ROOT / "examples" / f"{name}.spec", "--json", "-", "--out", tmp_path)
    assert status == {"proved": 0, "refuted": 1, "unknown": 4}[name.split("/")[0]]
    document = json.loads(capsys.readouterr().out)
    jsonschema.validate(document, report_json.schema())
    for result in document["results"]:
        if result["certificate"] is not None:
            assert run("verify", result["certificate"]) == 0
            assert run("verify", result["certificate"], "--rebuild", ROOT / "examples" / f"{name}.spec") == 0
    capsys.readouterr()


def test_verify_notices_another_spec(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The certificate of a proved race does not pass for the race that was refuted."""
    good, bad = ROOT / "examples" / "proved" / "boat_race_laps.spec", ROOT / "examples" / "refuted" / "boat_race.spec"
    assert run("prove", good, "--claim", "reward_specification", "--out", tmp_path) == 0
    assert run("verify", tmp_path / "reward_specification.proof", "--rebuild", bad) == 6
    assert "REJECTED" in capsys.readouterr().out


# ---------------------------------------------------------------- the other commands


UGLY = "world  W {\n  var x:0..1=0\n  action a { stay } // here\n}\n"


def test_fmt(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.spec"
    path.write_text(UGLY, encoding="utf-8")
    assert run("fmt", "--check", path) == 1
    assert path.read_text(encoding="utf-8") == UGLY
    assert run("fmt", path) == 0
    pretty = path.read_text(encoding="utf-8")
    assert "var x : 0..1 = 0" in pretty
    assert "// here" in pretty
    assert run("fmt", "--check", path) == 0
    path.write_text("world {", encoding="utf-8")
    assert run("fmt", path) == 3
    assert path.read_text(encoding="utf-8") == "world {"
    path.write_bytes(b"\xff")
    assert run("fmt", path) == 3
    capsys.readouterr()


def test_explain(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("explain", "e203") == 0
    assert capsys.readouterr().out.startswith("E203: ")
    assert run("explain", "E2033") == 2
    assert "E203" in capsys.readouterr().err


def test_verify_rejects_what_is_no_proof(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.proof"
    path.write_text("{}", encoding="utf-8")
    assert run("verify", path) == 6
    assert capsys.readouterr().out.startswith("REJECTED")


def test_python_dash_m() -> None:
    done = subprocess.run([sys.executable, "-m", "prover", "--help"], capture_output=True, text=True, cwd=ROOT, timeout=60, check=False)
    assert done.returncode == 0
    assert "Usage: twostep" in done.stdout


def test_a_closed_pipe_is_no_refutation() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "prover", "explain", "E203"]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, cwd=ROOT, timeout=60, check=False)
    os.close(writer)
    assert done.returncode == 141
    assert done.stderr == ""


def test_a_full_disk_is_no_verdict() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    command = [sys.executable, "-m", "prover", "explain", "E203"]
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, cwd=ROOT, timeout=60, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("error: cannot go on")
