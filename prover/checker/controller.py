"""Finite-state controllers: read, checked against their world, compared with a policy type."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, NamedTuple

from prover.checker.document import array, distinct, fields, integer, number, require, shares
from prover.checker.problem import PolicyType, World


class Rule(NamedTuple):
    play: dict[int, Fraction]  # action -> probability
    after: dict[int, int]  # successor -> next node; a successor that is absent keeps the node


class Controller(NamedTuple):
    start: list[tuple[Fraction, int, int]]  # weight, initial state, node
    rules: dict[tuple[int, int], Rule]  # (node, state)


def read_controller(value: Any) -> Controller:
    start, rules = fields(value, "start rules")
    starts = [(number(array(row, 3)[0]), integer(row[1], 0), integer(row[2], 0)) for row in array(start)]
    distinct([row[1:] for row in starts], "a start")
    starts = [row for row in starts if row[0] != 0]
    result: dict[tuple[int, int], Rule] = {}
    for row in array(rules):
        node, state = integer(array(row, 4)[0], 0), integer(row[1], 0)
        play = [(integer(array(pair, 2)[0], 0), number(pair[1])) for pair in array(row[2])]
        after = [(integer(array(pair, 2)[0], 0), integer(pair[1], 0)) for pair in array(row[3])]
        distinct([action for action, _ in play], "an action of a rule")
        distinct([successor for successor, _ in after], "a successor of a rule")
        shares([share for _, share in play], "a rule")
        require((node, state) not in result, "a rule occurs twice")
        result[node, state] = Rule(dict(play), dict(after))
    return Controller(starts, result)


def fits(controller: Controller, world: World) -> None:
    """Rejects a controller that is not a policy of this world: it starts and moves wherever a run can be, by enabled actions."""
    initial = {state for state, _ in world.initial}
    require({state for _, state, _ in controller.start} == initial, "a controller starts in the wrong states")
    for state in initial:
        shares([weight for weight, at, _ in controller.start if at == state], "a controller's start")
    for (_, state), rule in controller.rules.items():
        require(state < len(world.states), "a rule for a state that does not exist")
        enabled = {choice.action for choice in world.choices[state]}
        require(rule.play.keys() <= enabled, "a rule plays an action that is not enabled")
    todo = [(node, state) for _, state, node in controller.start]
    seen = set(todo)
    while todo:
        node, state = todo.pop()
        require((node, state) in controller.rules, "a controller has no rule where it can be")
        rule = controller.rules[node, state]
        for choice in world.choices[state]:
            if choice.action in rule.play:
                fresh = {(rule.after.get(s, node), s) for s in choice.successors} - seen
                seen |= fresh
                todo.extend(fresh)


def belongs(controller: Controller, kind: PolicyType, world: World) -> bool:
    """Whether a controller that fits the world is a policy of the type; errs towards no."""

    def sight(state: int) -> Any:
        return state if kind.observes is None else tuple(world.states[state][column] for column in kind.observes)

    def functional(pairs: list[tuple[Any, Any]]) -> bool:
        known: dict[Any, Any] = {}
        return all(known.setdefault(key, value) == value for key, value in pairs)

    rules = controller.rules.items()
    pure = all(weight == 1 for weight, _, _ in controller.start)
    starts: dict[int, dict[int, Fraction]] = {}
    for weight, state, node in controller.start:
        starts.setdefault(state, {})[node] = weight
    steps = [  # node, state, successor, next node: every step that the rules foresee
        (node, state, s, rule.after.get(s, node))
        for (node, state), rule in rules
        for choice in world.choices[state]
        if choice.action in rule.play
        for s in choice.successors
    ]
    if kind.deterministic and not (pure and all(len(rule.play) == 1 for _, rule in rules)):
        return False
    if kind.memoryless and not functional([(sight(state), rule.play) for (_, state), rule in rules]):
        return False
    if kind.memory is not None and not functional([(sight(state), rule.play) for (_, state), rule in rules]):
        nodes = {node for _, _, node in controller.start} | {node for node, *_ in steps} | {node for *_, node in steps}
        if not (pure and len(nodes) <= kind.memory and functional([((node, s), after) for node, _, s, after in steps])):
            return False
    if kind.observes is not None and not kind.memoryless:
        play = functional([((node, sight(state)), rule.play) for (node, state), rule in rules])
        moves = functional([((node, sight(state), sight(s)), after) for node, state, s, after in steps])
        return play and moves and functional([(sight(state), nodes) for state, nodes in starts.items()])
    return True
