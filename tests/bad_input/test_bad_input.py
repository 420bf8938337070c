"""Hostile and hopeless input to the program: clear diagnostics, the right exit status, bounded time and memory, no half-written files."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MEMORY = 2 << 30  # bytes of address space: libraries reserve more than they use
SECONDS = 5.0  # of processor time: the machine may be busy with other tests

WORLD = """world W {
  var x : 0..2 = 0
  action safe when x == 0 { x' = 1 }
  action risky when x == 0 { 1/2: x' = 1; 1/2: x' = 2 }
  deadlock absorbs
  reward r { [safe]: 10; [risky]: 9 }
}
policies Pi over W
score J(pi : Pi) = E[r, total]
property Safe(pi : Pi) = P[F x == 2] <= 1/10
"""
CLAIM = "claim c: forall pi : Pi. near_optimal(J, pi, 1/5) => Safe(pi)\n"
FALSE = "claim c: forall pi : Pi. near_optimal(J, pi, 1/4) => Safe(pi)\n"


@dataclass(frozen=True)
class Ran:
    status: int
    out: str
    err: str

    def codes(self) -> list[str]:
        """The codes of the diagnostics, in order."""
        return [line.split(" error ", 1)[1].split(":", 1)[0] for line in self.err.splitlines() if ": error E" in line]


def run(*arguments: object, cwd: Path) -> Ran:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))

    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-m", "prover", *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", "OPENBLAS_NUM_THREADS": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        preexec_fn=limit,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    ran = Ran(done.returncode, done.stdout.decode("utf-8"), done.stderr.decode("utf-8"))
    assert "Traceback" not in ran.err, ran.err[-2000:]
    assert len(ran.err) < 20_000, "nobody reads that much"
    assert seconds < SECONDS, f"{seconds:.1f} s"
    return ran


def refused(ran: Ran, *codes: str) -> None:
    assert (ran.status, ran.codes()) == (3, list(codes)), ran.err[:2000]


def prove(text: str | bytes, folder: Path, *options: object) -> Ran:
    path = folder / "a.spec"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return run("prove", path.name, *options, cwd=folder)


def nested(opening: str, inside: str, closing: str, times: int) -> str:
    return f"{WORLD}claim c: {opening * times}{inside}{closing * times}\n"


TEXTS: dict[str, tuple[str | bytes, tuple[str, ...]]] = {
    # mistakes: one diagnostic for each
    "two-unknown-names": (WORLD.replace("x == 2]", "y == 2]") + CLAIM.replace("Safe", "Sfe"), ("E203", "E201")),
    "type-error": (WORLD + "claim c: forall pi : Pi. J(pi) + true > 0 => Safe(pi)\n", ("E206",)),
    "number-as-truth": (WORLD + "claim c: forall pi : Pi. J(pi) => Safe(pi)\n", ("E206",)),
    "cyclic-constant": ("const a = b\nconst b = a\n" + WORLD + CLAIM, ("E204",)),
    "cyclic-function": ("def f(n : int) : int = g(n)\ndef g(n : int) : int = f(n)\n" + WORLD + CLAIM, ("E204",)),
    "self-made-score": (WORLD + "score K(pi : Pi) = K(pi)\n" + CLAIM, ("E204",)),
    # depth and size
    "parentheses": (nested("(", "1 < 2", ")", 10_000), ("E1",)),
    "nots": (nested("not ", "1 < 2", "", 10_000), ("E1",)),
    "minuses": (nested("-", "1 < 2", "", 10_000), ("E1",)),
    "ifs": (nested("if true then 1 < 2 else ", "1 < 2", "", 10_000), ("E1",)),
    "arrows": (nested("true => ", "1 < 2", "", 10_000), ("E1",)),
    "powers-chain": (nested("2 ^ ", "1 < 2", "", 10_000), ("E1",)),
    "braces": ("world W " + "{" * 10_000 + "\n", ("E1",)),
    "power-tower": ("const a = 10^10^9\n" + WORLD + CLAIM, ("E",)),
    "huge-power": ("const a = 10^1000000000\n" + WORLD + CLAIM, ("E",)),
    "huge-exponent": ("const a = 1e1000000000\n" + WORLD + CLAIM, ("E",)),
    "huge-number": ("const a = " + "9" * 200_000 + "\n" + WORLD + CLAIM, ("E",)),
    "doubling-functions": (
        "def f0(n : int) : int = n + n\n"
        + "".join(f"def f{i}(n : int) : int = f{i - 1}(n) + f{i - 1}(n)\n" for i in range(1, 60))
        + WORLD.replace("[safe]: 10", "[safe]: f59(x)")
        + CLAIM,
        ("E215",),
    ),
    "squaring-constants": ("const a0 = 3\n" + "".join(f"const a{i} = a{i - 1} * a{i - 1}\n" for i in range(1, 60)) + WORLD + CLAIM, ("E",)),
    # bytes
    "no-utf-8": (b"const a = \xff\xfe\n" + WORLD.encode(), ("E1",)),
    "cut-utf-8": (WORLD.encode() + b"// \xe2\x82", ("E1",)),
    "nul": (WORLD.replace("score J", "score \0J") + CLAIM, ("E1",)),
    "byte-order-mark": (b"\xef\xbb\xbf" + (WORLD + CLAIM).encode(), ("E1",)),
    "utf-16": ((WORLD + CLAIM).encode("utf-16"), ("E1",)),
    "wide-digits": ("const a = \uff11\n" + WORLD + CLAIM, ("E1",)),
    "look-alike": ("const \u0430 = 1\n" + WORLD + CLAIM, ("E1",)),
    "control": ("const a = 1\x1b[2J\n" + WORLD + CLAIM, ("E1",)),
    # state spaces
    "huge-range": (
        WORLD.replace("0..2 = 0", "0..10^18 = 0").replace("deadlock", "action more { x' = x + 1 }; deadlock") + CLAIM,
        ("E307",),
    ),
    "forty-booleans": (
        "world W {\n"
        + "".join(f"  var b{i} : bool = false\n  action f{i} {{ b{i}' = not b{i} }}\n" for i in range(40))
        + "  reward r { [f0]: -1 }\n}\npolicies Pi over W\nscore J(pi : Pi) = E[r, horizon 3]\nclaim c: max(J) == 0\n",
        ("E307",),
    ),
    "forty-booleans-at-once": (
        "world W {\n"
        + "".join(f"  var b{i} : bool\n" for i in range(40))
        + "  init uniform true\n  action a { stay }\n}\npolicies Pi over W\nscore J(pi : Pi) = P[F b0]\nclaim c: max(J) == 1\n",
        ("E307",),
    ),
    "huge-horizon": (WORLD.replace("E[r, total]", "E[r, horizon 10^18]") + CLAIM, ("E402",)),
    "huge-bound": (WORLD.replace("P[F x == 2]", "P[F<=1000001 (x == 2)]") + CLAIM, ("E402",)),
}


@pytest.mark.parametrize("name", TEXTS)
def test_text(name: str, tmp_path: Path) -> None:
    text, codes = TEXTS[name]
    ran = prove(text, tmp_path, "--max-states", 5_000, "--json", "report.json", "--out", "out")
    assert ran.status == 3, ran.err[:2000]
    assert len(ran.codes()) == len(codes), ran.err[:2000]
    assert all(found.startswith(code) for found, code in zip(ran.codes(), codes, strict=True)), ran.err[:2000]
    (told,) = [json.loads(line) for line in (tmp_path / "report.json").read_text(encoding="utf-8").splitlines()]
    assert told["results"] == []
    assert [d["code"] for d in told["diagnostics"]] == ran.codes()
    assert list((tmp_path / "out").iterdir()) == []
    assert all(ord(character) >= 32 or character == "\n" for character in ran.err), "control characters reach the terminal"


def test_huge_file(tmp_path: Path) -> None:
    with (tmp_path / "a.spec").open("wb") as file:
        file.truncate(50 * 1024 * 1024)
    refused(run("prove", "a.spec", cwd=tmp_path), "E101")
    (tmp_path / "a.spec").write_bytes(WORLD.encode() + b"// filler\n" * (5 * 1024 * 1024))
    assert len(run("prove", "a.spec", cwd=tmp_path).codes()) == 1


# ---------------------------------------------------------------- policy files

GOOD = '{"format": "twostep-policy 1", "world": "W", "rules": [{"state": {"x": 0}, "action": "safe"}]}'
NAMED = WORLD + 'policy p : Pi = file "p.json"\nclaim c: Safe(p)\n'

POLICIES: dict[str, tuple[str | bytes, str]] = {
    "truncated": (GOOD[:40], "E511"),
    "empty": ("", "E511"),
    "junk-after": (GOOD + "]", "E511"),
    "duplicate-keys": (GOOD.replace('"world"', '"rules": [], "world"'), "E511"),
    "nan": (GOOD.replace('"safe"', '{"safe": NaN}'), "E511"),
    "infinite": (GOOD.replace('"safe"', '{"safe": 1e999}'), "E511"),
    "true-as-number": (GOOD.replace('"x": 0', '"x": true'), "E511"),
    "float": (GOOD.replace('"safe"', '{"safe": 1.0}'), "E511"),
    "wrong-action": (GOOD.replace("safe", "fly"), "E511"),
    "wrong-variable": (GOOD.replace('"x"', '"y"'), "E511"),
    "wrong-value": (GOOD.replace('"x": 0', '"x": 9'), "E511"),
    "wrong-world": (GOOD.replace('"W"', '"V"'), "E511"),
    "wrong-format": (GOOD.replace("policy 1", "policy 9"), "E511"),
    "unknown-key": (GOOD.replace('"world"', '"code": "x", "world"'), "E511"),
    "mass": (GOOD.replace('"safe"', '{"safe": "1/2", "risky": "499999999999999999/1000000000000000000"}'), "E511"),
    "zero-division": (GOOD.replace('"safe"', '{"safe": "1/0"}'), "E511"),
    "many-digits": (GOOD.replace('"safe"', '{"safe": "' + "9" * 100_000 + '/1"}'), "E511"),
    "number-of-many-digits": (GOOD.replace('"x": 0', '"x": ' + "9" * 1_000_000), "E511"),
    "deep": ("[" * 100_000, "E511"),
    "list": ("[]", "E511"),
    "no-utf-8": (b"\xff\xfe" + GOOD.encode(), "E511"),
    "byte-order-mark": (b"\xef\xbb\xbf" + GOOD.encode(), "E511"),
    "lone-surrogate": (GOOD.replace('"safe"', '"\\ud800"'), "E511"),
    "silent": (GOOD.replace('{"x": 0}', '{"x": 1}'), "E512"),
}


@pytest.mark.parametrize("name", POLICIES)
def test_policy_file(name: str, tmp_path: Path) -> None:
    content, code = POLICIES[name]
    (tmp_path / "p.json").write_bytes(content if isinstance(content, bytes) else content.encode())
    refused(prove(NAMED, tmp_path), code)


def test_good_policy_file(tmp_path: Path) -> None:
    (tmp_path / "p.json").write_text(GOOD, encoding="utf-8")
    assert prove(NAMED, tmp_path).status == 0


@pytest.mark.parametrize("kind", ["missing", "directory", "fifo", "device", "loop", "outside"])
def test_policy_path(kind: str, tmp_path: Path) -> None:
    place(kind, tmp_path / "here" / "p.json")
    refused(prove(NAMED, tmp_path / "here"), "E510")


def place(kind: str, path: Path) -> None:
    path.parent.mkdir()
    outside = path.parent.parent / path.name
    outside.write_text(GOOD, encoding="utf-8")
    match kind:
        case "directory":
            path.mkdir()
        case "fifo":
            os.mkfifo(path)
        case "device":
            path.symlink_to("/dev/zero")
        case "loop":
            path.symlink_to(path)
        case "outside":
            path.symlink_to(outside)


# ---------------------------------------------------------------- imports


@pytest.mark.parametrize(
    ("kind", "codes"),
    [("missing", "E501"), ("directory", "E505 E501"), ("fifo", "E505"), ("device", "E502"), ("loop", "E501"), ("outside", "E502")],
)
def test_import_path(kind: str, codes: str, tmp_path: Path) -> None:
    place(kind, tmp_path / "here" / "b.spec")
    ran = prove('import "b.spec"\n' + WORLD + CLAIM, tmp_path / "here")
    assert ran.status == 3
    assert len(ran.codes()) == 1
    assert ran.codes()[0] in codes.split(), ran.err


@pytest.mark.parametrize("written", ["../b.spec", "/etc/passwd", "x/../../b.spec", "", "a\\u0000b", "~/b.spec", "x" * 5_000])
def test_import_text(written: str, tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "b.spec").write_text("const secret = 1\n", encoding="utf-8")
    ran = prove(f'import "{written}"\n' + WORLD + CLAIM, tmp_path / "here")
    assert ran.status == 3
    assert len(ran.codes()) == 1, ran.err
    assert "root:" not in ran.err


def test_import_cycle(tmp_path: Path) -> None:
    (tmp_path / "b.spec").write_text('import "a.spec"\n', encoding="utf-8")
    refused(prove('import "b.spec"\n' + WORLD + CLAIM, tmp_path), "E503")


def test_import_of_itself(tmp_path: Path) -> None:
    refused(prove('import "a.spec"\n' + WORLD + CLAIM, tmp_path), "E503")


def test_chain_of_imports(tmp_path: Path) -> None:
    for i in range(200):
        (tmp_path / f"b{i}.spec").write_text(f'import "b{i + 1}.spec"\n', encoding="utf-8")
    refused(prove('import "b0.spec"\n' + WORLD + CLAIM, tmp_path), "E504")


# ---------------------------------------------------------------- the command line


@pytest.mark.parametrize("kind", ["missing", "directory", "fifo", "device", "loop"])
def test_spec_path(kind: str, tmp_path: Path) -> None:
    place(kind, tmp_path / "here" / "a.spec")
    ran = run("prove", "a.spec", cwd=tmp_path / "here")
    assert ran.status == 2
    assert ran.err.count("error:") == 1


def everything(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.mark.parametrize("claim", [CLAIM, FALSE])
@pytest.mark.parametrize(
    "options",
    [
        ("--out", "a.spec/out"),
        ("--out", "a.spec"),
        ("--out", "\x7f/" * 2_000),
        ("--json", "."),
        ("--json", "a.spec/r.json"),
        ("--json", "no/r.json"),
    ],
    ids=["out-below-a-file", "out-is-a-file", "out-too-long", "json-is-a-folder", "json-below-a-file", "json-in-no-folder"],
)
def test_unwritable(options: tuple[str, ...], claim: str, tmp_path: Path) -> None:
    ran = prove(WORLD + claim, tmp_path, *options)
    assert ran.status == 2
    assert ran.out == ""
    assert ran.err.count("error:") == 1, ran.err
    assert everything(tmp_path) == ["a.spec"]


def test_full_disk(tmp_path: Path) -> None:
    """A limit on the size of files stops the writing in the middle: nothing stays under the final name, nor beside it."""
    (tmp_path / "a.spec").write_text(WORLD + CLAIM, encoding="utf-8")
    script = """import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200))
from prover.cli import main
main()"""
    done = subprocess.run(
        [sys.executable, "-B", "-c", script, "prove", "a.spec", "--out", "out", "--json", "r.json"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("error:") == 1
    assert "Traceback" not in done.stderr
    assert everything(tmp_path) == ["a.spec", "out"]


@pytest.mark.parametrize(
    "options",
    [
        ("--timeout", "0"),
        ("--timeout", "-1"),
        ("--timeout", "nan"),
        ("--timeout", "1e999999999"),
        ("--precision", "1/0"),
        ("--max-states", "0"),
        ("--method", "magic"),
        ("--claim", "nobody"),
    ],
    ids=" ".join,
)
def test_options(options: tuple[str, ...], tmp_path: Path) -> None:
    ran = prove(WORLD + CLAIM, tmp_path, *options)
    assert ran.status == 2
    assert ran.err


def test_max_states(tmp_path: Path) -> None:
    refused(prove(WORLD + CLAIM, tmp_path, "--max-states", 2), "E307")
    assert prove(WORLD + CLAIM, tmp_path, "--max-states", 3).status == 0


def test_written_whole(tmp_path: Path) -> None:
    """What is written on success is complete, and good for the checker."""
    assert prove(WORLD + CLAIM, tmp_path, "--out", "out", "--json", "r.json").status == 0
    json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    proofs = [path for path in everything(tmp_path) if path.startswith("out/")]
    assert len(proofs) == 1
    assert run("verify", *proofs, cwd=tmp_path).status == 0
    assert prove(WORLD + FALSE, tmp_path, "--out", "bad").status == 1
    assert all(json.loads((tmp_path / path).read_text(encoding="utf-8")) for path in everything(tmp_path) if path.startswith("bad/"))
