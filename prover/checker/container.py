"""A zip file -> the document and the raw arrays in it; sizes are checked before anything is unpacked."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from prover.checker.document import Rejected, parse, require

DOCUMENT = "proof.json"
MEMBERS = 100_000
TEXT = 2**28  # bytes of the document
ARRAY = 2**31  # of one array
TOTAL = 2**33  # of all members


class Members(Mapping[str, bytes]):
    """The arrays of an open zip file by name, unpacked whenever they are asked for."""

    def __init__(self, archive: zipfile.ZipFile, size: int) -> None:
        """``size``: of the file."""
        self.archive = archive
        entries = archive.infolist()
        require(len(entries) <= MEMBERS, "too many members")
        self.entries = {entry.filename: entry for entry in entries}
        require(len(self.entries) == len(entries), "a member occurs twice")
        for entry in entries:
            require(entry.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED), "a member packed in another way")
            require(not entry.flag_bits & 1, "an encrypted member")
            require(0 <= entry.file_size <= (TEXT if entry.filename == DOCUMENT else ARRAY), "a member is too large")
        require(sum(entry.file_size for entry in entries) <= TOTAL, "the members are too large")
        require(sum(entry.compress_size for entry in entries) <= size, "members overlap")
        require(DOCUMENT in self.entries, f"no member {DOCUMENT}")

    def unpack(self, label: str) -> bytes:
        entry = self.entries[label]
        with self.archive.open(entry) as member:
            data = member.read(entry.file_size)
            require(len(data) == entry.file_size and not member.read(1), "a member has another size than declared")
        return data

    def document(self) -> Any:
        return parse(self.unpack(DOCUMENT).decode("utf-8"))

    def __getitem__(self, label: str) -> bytes:
        if label == DOCUMENT:
            raise KeyError(label)
        try:
            return self.unpack(label)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
            raise Rejected(f"a member cannot be unpacked: {error}") from None

    def __contains__(self, label: object) -> bool:
        return label != DOCUMENT and label in self.entries

    def __iter__(self) -> Iterator[str]:
        return (label for label in self.entries if label != DOCUMENT)

    def __len__(self) -> int:
        return len(self.entries) - 1


@contextmanager
def opened(path: Path) -> Iterator[Members]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield Members(archive, path.stat().st_size)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise Rejected(f"cannot read the file: {error}") from None
