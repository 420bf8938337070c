"""Verdicts into files: a proof for what was proved, a counterexample and its policies for what was refuted."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dsl.record import dataclass
from prover.report.files import require_folder, write_text
from prover.verdict import FlatProof, Holds, Proved, Refuted

if TYPE_CHECKING:
    from prover.verdict import Result


@dataclass(frozen=True, slots=True)
class Saved:
    """Where the evidence of one result was written; None or empty: nowhere."""

    certificate: str | None = None
    counterexample: str | None = None
    policies: dict[str, str] = field(default_factory=dict)


NOWHERE = Saved()


def folders(out: Path, specs: Sequence[Path]) -> dict[Path, Path]:
    """One spec: ``out`` itself; several: a folder for each, named after the spec."""
    if len(specs) == 1:
        return {specs[0]: out}
    names = _distinct(_file_name(spec.stem) for spec in specs)
    return {spec: out / name for spec, name in zip(specs, names, strict=True)}


def save(results: Iterable[Result], folder: Path) -> tuple[Saved, ...]:
    """Write the evidence of every result that has any; in the order of the results."""
    results = tuple(results)
    require_folder(folder)
    names = _distinct(_file_name(result.name) for result in results)
    return tuple(_save_one(result, folder, name) for result, name in zip(results, names, strict=True))


def _save_one(result: Result, folder: Path, name: str) -> Saved:
    match result.verdict:
        case Proved(proof=proof) | Holds(proof=proof):
            return Saved(certificate=_save_proof(proof, folder / f"{name}.proof"))
        case Refuted(counterexample=counterexample, proof=witness):
            document = counterexample.to_json()
            policies = {}
            for policy, content in document.get("policies", {}).items():
                if (controller := content.get("controller")) is not None:
                    path = folder / f"{name}.{_file_name(policy)}.json"
                    write_text(path, _compact(controller))
                    policies[policy] = str(path)
            path = folder / f"{name}.counterexample.json"
            write_text(path, json.dumps(document, indent=1, ensure_ascii=False) + "\n")
            shown = None if witness is None else _save_proof(witness, folder / f"{name}.proof")
            return Saved(certificate=shown, counterexample=str(path), policies=policies)
        case _:
            return NOWHERE


def _save_proof(proof: dict[str, Any] | FlatProof, path: Path) -> str:
    if isinstance(proof, FlatProof):
        from prover.container import write

        write(path, proof.document, proof.arrays)
    else:
        write_text(path, _compact(proof))
    return str(path)


def _compact(document: Any) -> str:
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False) + "\n"


def _file_name(name: str) -> str:
    """A name that every file system takes."""
    return re.sub(r"[^A-Za-z0-9_-]+", "_", name).strip("_")[:100] or "result"


def _distinct(names: Iterable[str]) -> list[str]:
    seen: set[str] = set()
    result = []
    for name in names:
        candidate, number = name, 1
        while candidate.casefold() in seen:
            number += 1
            candidate = f"{name}-{number}"
        seen.add(candidate.casefold())
        result.append(candidate)
    return result
