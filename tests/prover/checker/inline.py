"""Documents of format 2 with their arrays as lists, to be changed at will; packed again; their worlds in the terms of format 1."""

from __future__ import annotations

from array import array
from typing import Any

Json = Any
CODES = {"u1": "B", "u2": "H", "u4": "I", "i4": "i", "i8": "q"}


def inlined(value: Json, members: dict[str, bytes]) -> Json:
    """``{"array": ...}`` becomes ``{"inline": type, "values": [...]}``."""
    match value:
        case {"array": name, "type": kind}:
            return {"inline": kind, "values": array(CODES[kind], members[name]).tolist()}
        case dict():
            return {key: inlined(x, members) for key, x in value.items()}
        case list():
            return [inlined(x, members) for x in value]
    return value


def packed(plain: Json) -> tuple[Json, dict[str, bytes]]:
    """A document and its arrays; values that do not fit their type (or are no integers) are an OverflowError (TypeError)."""
    members: dict[str, bytes] = {}

    def walk(value: Json) -> Json:
        match value:
            case {"inline": kind, "values": values}:
                name = f"a{len(members)}"
                members[name] = array(CODES[kind], values).tobytes()
                return {"array": name, "type": kind, "length": len(values)}
            case dict():
                return {key: walk(x) for key, x in value.items()}
            case list():
                return [walk(x) for x in value]
        return value

    return walk(plain), members


def small(plain: Json) -> Json:
    """The same claim over worlds of format 1, for the oracle; of the evidence only the argument."""
    return {
        "claim": plain["claim"],
        "worlds": [_world(w) for w in plain["worlds"]],
        "evidence": {"argument": plain["evidence"]["argument"]},
    }


def _world(world: Json) -> Json:
    def values(of: Json) -> list[int]:
        return of["values"]

    first, begin = values(world["choice_start"]), values(world["transition_start"])
    moves = [list(pair) for pair in zip(values(world["successor"]), values(world["probability"]), strict=True)]
    owner = [s for s in range(len(first) - 1) for _ in range(first[s], first[s + 1])]
    played = enumerate(zip(owner, values(world["action"]), strict=True))
    columns = [_shown(values(column), kind) for column, (_, kind) in zip(world["states"], world["variables"], strict=True)]
    at = [(c, k - begin[c]) for c in range(len(owner)) for k in range(begin[c], begin[c + 1])]
    rewards = {}
    for name, reward in world["rewards"].items():
        entries = [[c, k, v] for (c, k), v in zip(at, values(reward["index"]), strict=True)]
        rewards[name] = {"values": reward["values"], "at": entries}
    return {
        **{key: world[key] for key in ("name", "variables", "initial", "actions", "probabilities")},
        "states": [list(row) for row in zip(*columns, strict=True)] if columns else [[]],
        "choices": [[s, a, moves[begin[c] : begin[c + 1]]] for c, (s, a) in played],
        "rewards": rewards,
        "atoms": [{"text": x["text"], "states": [s for s, holds in enumerate(values(x["holds"])) if holds]} for x in world["atoms"]],
    }


def _shown(values: list[int], kind: str) -> list[Any]:
    if kind == "bool":
        return [bool(v) for v in values]
    return values if ".." in kind else [kind.split("|")[v] for v in values]
