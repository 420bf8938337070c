"""Paths from the command line into text, and text into files: regular files only, written whole or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path


class FileError(Exception):
    """A path that cannot be used as asked; the text is one sentence for the reader."""


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def require_readable(path: Path) -> None:
    """Refuse what is missing, unreadable or no regular file, without ever waiting for a pipe."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0))
    except FileNotFoundError:
        raise FileError(f"{path}: there is no such file") from None
    except (OSError, ValueError) as error:
        if path.is_dir():
            raise FileError(f"{path} is a directory, not a file") from None
        why = _reason(error) if isinstance(error, OSError) else str(error)
        raise FileError(f"{path} cannot be read: {why}") from None
    try:
        mode = os.fstat(descriptor).st_mode
    finally:
        os.close(descriptor)
    if stat.S_ISDIR(mode):
        raise FileError(f"{path} is a directory, not a file")
    if not stat.S_ISREG(mode):
        raise FileError(f"{path} is not a regular file")


def read_text(path: Path) -> str:
    """The text of a regular file in UTF-8; line ends are kept as they stand."""
    require_readable(path)
    try:
        return path.read_bytes().decode("utf-8")
    except OSError as error:
        raise FileError(f"{path} cannot be read: {_reason(error)}") from None
    except UnicodeDecodeError as error:
        raise FileError(f"{path} is not UTF-8 text (byte {error.start})") from None


def require_folder(path: Path) -> None:
    """Make the folder (and its parents) if it is not there, and see that files can be made in it."""
    import tempfile

    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except FileExistsError:
        raise FileError(f"{path} is not a folder") from None
    except RecursionError:  # pathlib makes the parents first, one call for each
        raise FileError(f"{str(path)[:100]}... cannot be used as a folder to write to: it is nested too deeply") from None
    except (OSError, ValueError) as error:
        why = _reason(error) if isinstance(error, OSError) else str(error)
        raise FileError(f"{path} cannot be used as a folder to write to: {why}") from None


def require_writable(path: Path) -> None:
    """See, before any work is done, that ``write_text`` to this path can succeed."""
    import tempfile

    try:
        exists = path.exists()
        regular = path.is_file()
        folder = path.resolve().parent
        if exists and not regular:
            raise FileError(f"{path} is {'a directory' if path.is_dir() else 'not a regular file'}; it cannot be written to")
        with tempfile.TemporaryFile(dir=folder):
            pass
    except (OSError, ValueError) as error:
        why = _reason(error) if isinstance(error, OSError) else str(error)
        raise FileError(f"{path} cannot be written: {why}") from None


def write_text(path: Path, text: str) -> None:
    """Write the whole text or nothing: a temporary file in the same folder, flushed to disk, then renamed.

    A link is followed, the permissions of a file that was there are kept.
    """
    import tempfile

    require_writable(path)
    target = path.resolve()
    try:
        descriptor, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:100]}.", suffix=".part")
    except OSError as error:
        raise FileError(f"{path} cannot be written: {_reason(error)}") from None
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, stat.S_IMODE(target.stat().st_mode) if target.exists() else 0o666 & ~_umask())
        os.replace(temporary, target)
    except OSError as error:
        Path(temporary).unlink(missing_ok=True)
        raise FileError(f"{path} cannot be written: {_reason(error)}") from None
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
