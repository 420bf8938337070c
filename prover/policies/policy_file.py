"""Policy files: JSON that names states by their variables and actions by their names, to controllers and back.

    { "format": "twostep-policy 1", "world": "Race",
      "start": [ { "weight": "1", "state": {"x": 1}, "node": "0" } ],
      "rules": [ { "node": "0", "state": {"x": 1}, "action": "east", "next": [ { "state": {"x": 2}, "node": "1" } ] } ] }

A rule applies to the states that agree with its ``state`` (variables left out match anything); the first that applies decides.
``action`` is a name or an object of probabilities.  ``node``, ``start`` and ``next`` may be left out where one node is enough.
"""

from __future__ import annotations

import json
import stat
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

from dsl.diagnostic import Diagnostic, SpecError
from dsl.semantics import unreadable
from dsl.source import Span
from prover.policies.controller import Controller, Rule
from prover.worlds.mdp import DEADLOCK, Mdp

FORMAT = "twostep-policy 1"
MAX_BYTES = 64 * 1024 * 1024
MAX_DEPTH = 64
MAX_DIGITS = 1000


class _Malformed(Exception):
    pass


def read(path: Path, root: Path, mdp: Mdp, span: Span) -> Controller:
    """The controller in the file; SpecError E510 (cannot be read), E511 (malformed), E512 (says nothing for a reachable state)."""
    shown = path.name
    try:
        resolved = path.resolve(strict=True)
        if not resolved.is_relative_to(root.resolve()):
            raise _error(
                "E510", span, f"policy file `{shown}` lies outside the spec's directory", "keep policy files beside or below the spec"
            )
        status = resolved.stat()
        if not stat.S_ISREG(status.st_mode):
            raise _error("E510", span, f"policy file `{shown}` is not a regular file", None)
        if status.st_size > MAX_BYTES:
            raise _error("E510", span, f"policy file `{shown}` is larger than {MAX_BYTES} bytes", None)
        text = resolved.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        raise _error("E511", span, f"policy file `{shown}` is not UTF-8", None) from None
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise _error("E510", span, f"policy file `{shown}` cannot be read: {reason}", "the path is relative to the spec") from None
    try:
        return parse(text, mdp)
    except _Malformed as error:
        raise _error("E511", span, f"policy file `{shown}`: {error}", None) from None
    except _Silent as error:
        raise _error(
            "E512", span, f"policy file `{shown}` says nothing for a state that it reaches: {error}", "add a rule for it"
        ) from None


class _Silent(Exception):
    pass


def _error(code: str, span: Span, message: str, hint: str | None) -> SpecError:
    return SpecError([Diagnostic(code, span, message, hint)])


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise _Malformed("an object names one key twice")
    return result


def _refuse(token: str) -> Any:
    raise _Malformed(f'{token} is not a number here; write probabilities as strings such as "1/3"')


def _integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise _Malformed(f"a number has more than {MAX_DIGITS} digits")
    return int(digits)


def parse(text: str, mdp: Mdp) -> Controller:
    depth = 0
    for character in text:
        depth += (character in "[{") - (character in "]}")
        if depth > MAX_DEPTH:
            raise _Malformed("nested too deeply")
    try:
        document = json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse, parse_float=_refuse, parse_int=_integer)
    except ValueError as error:
        raise _Malformed(f"not JSON: {error}") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise _Malformed(f'the top level must be an object with "format": "{FORMAT}"')
    unknown = set(document) - {"format", "world", "start", "rules"}
    if unknown:
        raise _Malformed(f"unknown key `{min(unknown)}`")
    if document.get("world", mdp.world) != mdp.world:
        raise _Malformed(f"it is for world {document['world']}, not {mdp.world}")
    return _Reader(mdp, document).controller()


class _Reader:
    def __init__(self, mdp: Mdp, document: Mapping[str, Any]) -> None:
        self.mdp = mdp
        self.variables = {v.name: (k, v.type) for k, v in enumerate(mdp.variables)}
        self.actions = {name: k for k, name in enumerate(mdp.actions)}
        self.nodes: dict[str, int] = {}
        self.rules: dict[
            int, list[tuple[dict[int, bool | int], tuple[tuple[int, Fraction], ...], list[tuple[dict[int, bool | int], int]]]]
        ] = {}
        for entry in self.listing(document.get("rules"), "rules"):
            fields = self.fields(entry, {"node", "state", "action", "next"})
            node = self.node(fields.get("node", "0"))
            following = []
            for item in self.listing(fields.get("next", []), "next"):
                target = self.fields(item, {"state", "node"})
                following.append((self.condition(target.get("state", {})), self.node(target.get("node", "0"))))
            rule = (self.condition(fields.get("state", {})), self.play(fields.get("action")), following)
            self.rules.setdefault(node, []).append(rule)
        self.begin = []
        for item in self.listing(document.get("start", [{"weight": "1", "state": {}, "node": "0"}]), "start"):
            fields = self.fields(item, {"weight", "state", "node"})
            self.begin.append(
                (self.probability(fields.get("weight", "1")), self.condition(fields.get("state", {})), self.node(fields.get("node", "0")))
            )

    @staticmethod
    def listing(value: Any, name: str) -> list[Any]:
        if not isinstance(value, list):
            raise _Malformed(f"`{name}` must be a list")
        return value

    @staticmethod
    def fields(value: Any, known: set[str]) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise _Malformed("an entry must be an object")
        unknown = set(value) - known
        if unknown:
            raise _Malformed(f"unknown key `{min(unknown)}`")
        return value

    def node(self, name: Any) -> int:
        if not isinstance(name, str):
            raise _Malformed("a node is named by a string")
        return self.nodes.setdefault(name, len(self.nodes))

    def condition(self, value: Any) -> dict[int, bool | int]:
        if not isinstance(value, dict):
            raise _Malformed("`state` must be an object of variables")
        result = {}
        for name, shown in value.items():
            if name not in self.variables:
                raise _Malformed(f"`{name}` is not a variable of world {self.mdp.world}")
            column, type = self.variables[name]
            try:
                result[column] = unreadable(shown, type)
            except (ValueError, TypeError, KeyError):
                raise _Malformed(f"{json.dumps(shown)} is not a value of `{name}` ({type})") from None
        return result

    @staticmethod
    def probability(value: Any) -> Fraction:
        if not isinstance(value, str) or len(value) > 10_000 or not set(value) <= set("0123456789/"):
            raise _Malformed('a probability is a string such as "1/3"')
        try:
            result = Fraction(value)
        except (ValueError, ZeroDivisionError):
            raise _Malformed(f"`{value}` is not a probability") from None
        if result > 1:
            raise _Malformed(f"`{value}` is more than 1")
        return result

    def play(self, value: Any) -> tuple[tuple[int, Fraction], ...]:
        parts = {value: "1"} if isinstance(value, str) else value
        if not isinstance(parts, dict) or not parts:
            raise _Malformed("`action` must be an action's name or an object of probabilities")
        result = []
        for name, share in parts.items():
            if name not in self.actions:
                raise _Malformed(f"`{name}` is not an action of world {self.mdp.world}")
            p = self.probability(share)
            if p:
                result.append((self.actions[name], p))
        if sum(p for _, p in result) != 1:
            raise _Malformed("the probabilities of an `action` do not sum to 1")
        return tuple(sorted(result))

    def controller(self) -> Controller:
        """Unfolds the rules over what the controller reaches."""
        mdp = self.mdp
        start = []
        for state, _ in mdp.initial:
            values = mdp.valuation(state)
            parts = [(weight, state, node) for weight, condition, node in self.begin if all(values[k] == x for k, x in condition.items())]
            if sum(weight for weight, _, _ in parts) != 1:
                raise _Malformed(f"the `start` weights of {_show(mdp, state)} do not sum to 1")
            start.extend(parts)
        rules: dict[tuple[int, int], Rule] = {}
        queue = [(node, state) for weight, state, node in start if weight]
        for node, state in queue:
            if (node, state) in rules:
                continue
            idle = only_idles(mdp, state)
            if idle is not None:
                rules[node, state] = (((idle, Fraction(1)),), {})
                continue
            values = mdp.valuation(state)
            rule = next((r for r in self.rules.get(node, ()) if all(values[k] == x for k, x in r[0].items())), None)
            if rule is None:
                raise _Silent(_show(mdp, state))
            moves: dict[int, int] = {}
            enabled = {int(mdp.action[c]): c for c in range(mdp.choice_start[state], mdp.choice_start[state + 1])}
            for action, _ in rule[1]:
                if action not in enabled:
                    raise _Malformed(f"action `{mdp.actions[action]}` is not enabled in {_show(mdp, state)}")
                c = enabled[action]
                for t in range(mdp.transition_start[c], mdp.transition_start[c + 1]):
                    successor = int(mdp.successor[t])
                    reached = mdp.valuation(successor)
                    target = next((n for condition, n in rule[2] if all(reached[k] == x for k, x in condition.items())), node)
                    if target != node:
                        moves[successor] = target
                    queue.append((target, successor))
            rules[node, state] = (rule[1], moves)
        return Controller(tuple(start), rules)


def only_idles(mdp: Mdp, state: int) -> int | None:
    """The action of a deadlock that absorbs: there is nothing to decide, so no policy has to mention it."""
    first = mdp.choice_start[state]
    action = int(mdp.action[first])
    return action if mdp.choice_start[state + 1] - first == 1 and mdp.actions[action] == DEADLOCK else None


def _show(mdp: Mdp, state: int) -> str:
    return ", ".join(f"{name} = {str(value).lower() if isinstance(value, bool) else value}" for name, value in mdp.named(state).items())


def write(controller: Controller, mdp: Mdp) -> dict[str, Any]:
    """The JSON object that ``parse`` reads back as the same controller."""
    single = len({node for node, _ in controller.rules}) == 1
    rules = []
    for (node, state), (actions, moves) in sorted(controller.rules.items()):
        if only_idles(mdp, state) is not None:
            continue
        entry: dict[str, Any] = {} if single else {"node": str(node)}
        entry["state"] = mdp.named(state)
        entry["action"] = mdp.actions[actions[0][0]] if len(actions) == 1 else {mdp.actions[a]: str(p) for a, p in actions}
        if moves:
            entry["next"] = [{"state": mdp.named(s), "node": str(n)} for s, n in sorted(moves.items())]
        rules.append(entry)
    document: dict[str, Any] = {"format": FORMAT, "world": mdp.world}
    if not single:
        document["start"] = [{"weight": str(w), "state": mdp.named(s), "node": str(n)} for w, s, n in controller.start if w]
    return {**document, "rules": rules}
