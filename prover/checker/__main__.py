"""``python -m prover.checker FILE...``: a line for each file; exit status 0 only if every file is valid, 6 otherwise, 2 on wrong usage."""

from __future__ import annotations

import sys

from prover.checker.check import check_file
from prover.checker.document import Rejected

USAGE = "usage: python -m prover.checker [--permit ASSUMPTION]... FILE..."


def main(arguments: list[str]) -> int:
    permitted, files = set(), []
    todo = iter(arguments)
    for argument in todo:
        if argument == "--permit":
            name = next(todo, None)
            if name is None:
                return _usage()
            permitted.add(name)
        elif argument.startswith("-"):
            return _usage()
        else:
            files.append(argument)
    if not files:
        return _usage()
    status = 0
    for file in files:
        try:
            line = f"VALID {check_file(file, permitted=frozenset(permitted))}"
        except Rejected as reason:
            line, status = f"REJECTED {reason}", 6
        _print(f"{file}: {line}")
    return status


def _usage() -> int:
    sys.stderr.write(USAGE + "\n")
    return 2


def _print(line: str) -> None:
    clean = "".join(letter if letter.isprintable() else "?" for letter in line)
    sys.stdout.write(clean.encode("ascii", "backslashreplace").decode() + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
