"""The rooms of the house: imports point one way, the checker stands alone, lark, z3 and flint have one door each."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FILES = sorted(path for package in ("dsl", "prover") for path in (ROOT / package).rglob("*.py"))

# A module may import its own room and the rooms before it.
ROOMS = (
    ("dsl",),
    ("prover.checker",),
    ("prover.verdict", "prover.flint"),
    ("prover.policies.controller",),  # data only: what products of worlds and policies follow
    ("prover.worlds",),
    ("prover.solve",),
    ("prover.policies",),
    ("prover.replay",),
    ("prover.stated",),
    ("prover.certificate", "prover.counterexample", "prover.flat_certificate", "prover.flat_counterexample"),
    ("prover.deadline", "prover.container"),
    ("prover.storey1", "prover.flat_storey1"),
    ("prover.lint",),
    ("prover.training",),
    ("prover.pipeline",),
    ("prover.report",),
    ("prover.commands",),
    ("prover.cli",),
    ("prover.__main__",),
)
TRUSTED_BY = {
    "prover.pipeline",
    "prover.storey1",
    "prover.flat_storey1",
    "prover.commands.prove",
    "prover.commands.verify",
}  # who may call the checker


def module(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room(name: str) -> int:
    for rank, prefixes in enumerate(ROOMS):
        if any(name == prefix or name.startswith(prefix + ".") for prefix in prefixes):
            return rank
    raise AssertionError(f"{name} is in no room: add it to ROOMS")


def imports(path: Path, at_run_time: bool = True) -> Iterator[str]:
    """The modules that a file imports, inside functions too; what only the type checker reads is left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for_types = {
        id(node)
        for branch in ast.walk(tree)
        if isinstance(branch, ast.If) and ast.unparse(branch.test) == "TYPE_CHECKING"
        for statement in branch.body
        for node in ast.walk(statement)
    }
    for node in ast.walk(tree):
        if at_run_time and id(node) in for_types:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            base = node.module or ""
            for alias in node.names:
                inner = ROOT / Path(*base.split("."), alias.name)
                yield f"{base}.{alias.name}" if inner.with_suffix(".py").is_file() or inner.is_dir() else base


def own(names: Iterator[str]) -> set[str]:
    return {name for name in names if name.split(".")[0] in ("dsl", "prover")}


@pytest.mark.parametrize("path", FILES, ids=module)
def test_imports_point_one_way(path: Path) -> None:
    name = module(path)
    if name == "prover":
        return
    for imported in own(imports(path)):
        assert room(imported) <= room(name), f"{name} imports {imported}, a room further on"


def test_there_is_no_cycle() -> None:
    graph = {module(path): own(imports(path)) - {module(path)} for path in FILES}
    try:
        tuple(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(" imports ".join(reversed(error.args[1])))


def test_the_language_knows_no_prover() -> None:
    for path in FILES:
        if module(path).startswith("dsl"):
            assert not any(name.startswith("prover") for name in imports(path, at_run_time=False)), path


def test_the_checker_needs_only_the_standard_library() -> None:
    for path in (ROOT / "prover" / "checker").glob("*.py"):
        for name in imports(path, at_run_time=False):
            assert name.startswith("prover.checker") or name.split(".")[0] in sys.stdlib_module_names, f"{path.name} imports {name}"


def test_few_call_the_checker() -> None:
    """The prover must not lean on the code that judges it: it meets the checker only where certificates are handed over."""
    callers = {module(path) for path in FILES if any(name.startswith("prover.checker") for name in imports(path))}
    assert {name for name in callers if not name.startswith("prover.checker")} <= TRUSTED_BY


@pytest.mark.parametrize(("library", "door"), [("lark", "dsl.parse"), ("z3", "prover.policies.smt"), ("flint", "prover.flint")])
def test_one_file_imports(library: str, door: str) -> None:
    doors = {module(path) for path in FILES if any(name.split(".")[0] == library for name in imports(path, at_run_time=False))}
    assert doors == {door}


def test_packages_are_empty() -> None:
    for path in FILES:
        if path.name == "__init__.py":
            assert path.read_text(encoding="utf-8") == "", path


def test_the_checker_prints_nothing_and_asserts_nothing() -> None:
    """An ``assert`` disappears under -O; soundness must not."""
    for path in (ROOT / "prover" / "checker").glob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        assert not any(isinstance(node, ast.Assert) for node in ast.walk(tree)), path
        if path.name != "__main__.py":
            assert not any(isinstance(node, ast.Name) and node.id == "print" for node in ast.walk(tree)), path


def loaded_after(code: str) -> set[str]:
    script = f"import sys\n{code}\nprint('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=True, timeout=120)
    return {name.split(".")[0] for name in done.stdout.split("\n")}


def test_help_loads_nothing_heavy() -> None:
    code = "from prover.cli import main\ntry:\n    main(['--help'])\nexcept SystemExit as left:\n    assert left.code == 0, left.code"
    assert not loaded_after(code) & {"lark", "z3", "numpy", "scipy", "rich", "flint", "sympy"}


def test_the_checker_loads_nothing_of_the_rest() -> None:
    names = loaded_after("import prover.checker.check")
    assert not names & {"dsl", "lark", "z3", "numpy", "rich", "flint", "click"}
