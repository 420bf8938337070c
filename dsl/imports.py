"""A path -> the syntax trees of a spec and of everything it imports, each file once, what is imported first.

An import stays inside the directory tree of the root spec, symbolic links resolved, and reads regular files only:
a pipe would block, a device would never end.  The text of the files behind imported worlds is read here too, under
the same rules; what it means is found out later (dsl/imported).
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from dsl import syntax
from dsl.diagnostic import Diagnostic, SpecError
from dsl.parse import MAX_SIZE, decoded, parse, parse_bytes
from dsl.source import Source, Span

MAX_FILES = 256
MAX_DEPTH = 32

# The formats of imported worlds that are files, with the bytes that one may have: texts of people, of programs, of state spaces.
LARGEST = {"prism": 16 << 20, "jani": 64 << 20, "drn": 512 << 20}


def load_files(path: Path) -> tuple[list[syntax.File], dict[str, Source]]:
    """Raises SpecError with all the errors of reading and parsing; OSError never."""
    loader = _Loader(path)
    loader.read(path, str(path), str(path), Span(str(path), 1, 1, 1, 1), ())
    if loader.diagnostics:
        raise SpecError(loader.diagnostics)
    return loader.files, loader.sources


def world_path(node: syntax.WorldImport) -> str:
    """The path of an imported world's file as its spec writes it, a key of the sources."""
    return os.path.join(os.path.dirname(node.span.file), node.path.value)


class _Loader:
    def __init__(self, root: Path) -> None:
        self.tree = Path(os.path.realpath(root)).parent
        self.shown = root.parent
        self.files: list[syntax.File] = []
        self.sources: dict[str, Source] = {}
        self.diagnostics: list[Diagnostic] = []
        self.begun: set[Path] = set()

    def error(self, code: str, span: Span, message: str, hint: str | None = None) -> None:
        self.diagnostics.append(Diagnostic(code, span, message, hint))

    def read(self, path: Path, name: str, written: str, asked: Span, chain: tuple[Path, ...]) -> None:
        """Parse one file after everything it imports; ``written`` and ``asked`` are the import's, ``chain`` the files it stands in."""
        real = Path(os.path.realpath(path))
        if real in chain:
            cycle = " -> ".join(p.name for p in (*chain[chain.index(real) :], real))
            self.error("E503", asked, f"this import leads back to the file it stands in: {cycle}")
            return
        if real in self.begun:
            return
        self.begun.add(real)
        if len(self.begun) > MAX_FILES or len(chain) >= MAX_DEPTH:
            self.error("E504", asked, f"a spec imports at most {MAX_FILES} files, at most {MAX_DEPTH} deep")
            return
        data = self.bytes_of(real, written, asked)
        if data is None:
            return
        try:
            source = parse_bytes(name, data)
            self.sources[name] = source
            file = parse(source)
        except SpecError as error:
            self.diagnostics.extend(error.diagnostics)
            return
        for declaration in file.declarations:
            if isinstance(declaration, syntax.Import):
                self.follow(declaration, real, (*chain, real))
            elif isinstance(declaration, syntax.WorldImport) and declaration.format in LARGEST:
                self.world(declaration, real)
        self.files.append(file)

    def follow(self, node: syntax.Import, importer: Path, chain: tuple[Path, ...]) -> None:
        target = self.target(node.path, importer)
        if target is not None:
            self.read(target, self.name_of(target), node.path.value, node.path.span, chain)

    def world(self, node: syntax.WorldImport, importer: Path) -> None:
        """The text of a file that is not of this language; one that is read twice has one source."""
        target = self.target(node.path, importer)
        if target is None:
            return
        name, largest = self.name_of(target), LARGEST[node.format]
        data = self.bytes_of(target, node.path.value, node.path.span, largest)
        if data is None:
            return
        try:
            source = decoded(name, data, largest, "an imported world")
        except SpecError as error:
            self.diagnostics.extend(error.diagnostics)
            return
        self.sources[name] = self.sources[world_path(node)] = source

    def target(self, path: syntax.Text, importer: Path) -> Path | None:
        """The file that an import names, links resolved; None (and said) if it is outside the tree."""
        if not path.value or "\0" in path.value:
            self.error("E501", path.span, "this import names no file")
            return None
        target = Path(os.path.realpath(importer.parent / path.value))
        if Path(path.value).is_absolute() or not target.is_relative_to(self.tree):
            self.error("E502", path.span, "an import stays inside the directory of the spec", "copy the file next to the spec")
            return None
        return target

    def name_of(self, target: Path) -> str:
        return str(self.shown / target.relative_to(self.tree))

    def bytes_of(self, path: Path, written: str, asked: Span, largest: int = MAX_SIZE) -> bytes | None:
        """The content of a regular file, at most one byte more than it may have."""
        try:
            handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
        except (OSError, ValueError) as error:
            reason = (error.strerror or "it cannot be read").lower() if isinstance(error, OSError) else "no such file"
            self.error("E501", asked, f"cannot read `{written}`: {reason}")
            return None
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            os.close(handle)
            self.error("E505", asked, f"`{written}` is not a regular file")
            return None
        with os.fdopen(handle, "rb") as stream:
            try:
                return stream.read(largest + 1)
            except OSError as error:
                self.error("E501", asked, f"cannot read `{written}`: {(error.strerror or 'it cannot be read').lower()}")
                return None
