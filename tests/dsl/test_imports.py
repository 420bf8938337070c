"""Imports: each file once, inside the tree, whatever stands at the path."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dsl.diagnostic import SpecError
from dsl.imports import MAX_DEPTH, load_files
from dsl.typecheck import load

WORLD = "world W {\n  var x : 0..1 = 0\n  action go { x' = 1 - x }\n  label one = x == 1\n}\npolicies Pi over W\n"


def codes(path: Path) -> list[str]:
    with pytest.raises(SpecError) as error:
        load(path)
    return [d.code for d in error.value.diagnostics]


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.spec").write_text(text, encoding="utf-8")
    return folder / "root.spec"


def test_import_brings_names_and_statements_first(tmp_path: Path) -> None:
    root = write(
        tmp_path,
        root='claim last: forall pi : Pi. J(pi) >= 0\nimport "base.spec"\n',
        base='import "world.spec"\nscore J(pi : Pi) = P[F one]\nclaim first: forall pi : Pi. J(pi) <= 1\n',
        world=WORLD,
    )
    spec, sources = load(root)
    assert [statement.name for statement in spec.statements] == ["first", "last"]
    assert sorted(Path(name).name for name in sources) == ["base.spec", "root.spec", "world.spec"]
    assert all(spec.statements[0].span.file == name for name in sources if name.endswith("base.spec"))


def test_a_file_imported_twice_is_read_once(tmp_path: Path) -> None:
    root = write(tmp_path, root='import "a.spec"\nimport "b.spec"\n', a='import "c.spec"\n', b='import "./c.spec"\n', c="const n = 1\n")
    files, _ = load_files(root)
    assert len(files) == 4


def test_names_are_unique_across_files(tmp_path: Path) -> None:
    assert codes(write(tmp_path, root='import "a.spec"\nconst n = 2\n', a="const n = 1\n")) == ["E202"]


@pytest.mark.parametrize("written", ["../out.spec", "sub/../../out.spec", "link.spec", "/etc/hostname", "linked/out.spec"])
def test_leaving_the_tree(tmp_path: Path, written: str) -> None:
    inside = tmp_path / "inside"
    (inside / "sub").mkdir(parents=True)
    (tmp_path / "out.spec").write_text("const n = 1\n", encoding="utf-8")
    (inside / "link.spec").symlink_to(tmp_path / "out.spec")
    (inside / "linked").symlink_to(tmp_path)
    assert codes(write(inside, root=f'import "{written}"\n')) == ["E502"]


def test_links_inside_the_tree_are_followed(tmp_path: Path) -> None:
    (tmp_path / "link.spec").symlink_to(tmp_path / "a.spec")
    load(write(tmp_path, root='import "link.spec"\nimport "a.spec"\n', a="const n = 1\n"))


def test_what_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")  # opening it for reading would block for ever
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    root = write(tmp_path, root='import "folder"\nimport "pipe"\nimport "loop"\nimport "none"\nimport ""\n')
    assert codes(root) == ["E505", "E505", "E501", "E501", "E501"]
    assert codes(tmp_path / "missing.spec") == ["E501"]


def test_circles(tmp_path: Path) -> None:
    assert codes(write(tmp_path, root='import "a.spec"\n', a='import "b.spec"\n', b='import "root.spec"\n')) == ["E503"]


def test_long_chains(tmp_path: Path) -> None:
    for i in range(MAX_DEPTH + 5):
        write(tmp_path, **{f"c{i}": f'import "c{i + 1}.spec"\n'})
    assert codes(write(tmp_path, root='import "c0.spec"\n')) == ["E504"]


def test_all_errors_of_all_files(tmp_path: Path) -> None:
    root = write(tmp_path, root='import "a.spec"\nimport "b.spec"\n', a="const n =\n", b='import "none.spec"\n')
    found = codes(root)
    assert "E501" in found
    assert any(code.startswith("E1") for code in found)
    (tmp_path / "bytes.spec").write_bytes(b"const n = \xff\n")
    assert codes(tmp_path / "bytes.spec") == ["E101"]
