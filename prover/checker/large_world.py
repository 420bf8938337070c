"""A world of format 2 -> validated columns: one entry for each state, choice or transition.

Probabilities become integers over one denominator for each choice.  Whatever is done for every transition is done by iterators of the
standard library, so that a million of them take about a second.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import accumulate, chain, compress, count, repeat
from math import lcm
from operator import add, eq, gt, mul, sub
from typing import Any, NamedTuple

from prover.checker.arrays import Arrays
from prover.checker.document import array as listed
from prover.checker.document import distinct, fields, integer, name, number, require, shares

LAST = [b"\0" * n + b"\1" for n in range(256)]  # marks the last transition of a choice


class Reward(Mapping[int, Fraction]):
    """The expected reward of every choice, ``earned[c] / (bottom[c] * scale)``; as a mapping, of the choices that do not always earn 0."""

    def __init__(self, earned: list[int], scale: int, zero: bytes, bottom: Sequence[int]) -> None:
        self.earned, self.scale, self.zero, self.bottom = earned, scale, zero, bottom

    def __getitem__(self, choice: int) -> Fraction:
        if not 0 <= choice < len(self.zero) or self.zero[choice]:
            raise KeyError(choice)
        return Fraction(self.earned[choice], self.bottom[choice] * self.scale)

    def __iter__(self) -> Iterator[int]:
        return compress(count(), self.zero.translate(NOT))

    def __len__(self) -> int:
        return self.zero.count(0)


NOT = bytes([1]) + bytes(255)  # as a translation: 1 where there was 0


class LargeWorld(NamedTuple):
    """Choice c of state s: choice_start[s] <= c < choice_start[s + 1]; its transitions likewise.

    ``weight[t] / bottom[c]`` is a probability; ``last`` has a 1 at the last transition of every choice, ``owner`` the state of a choice.
    """

    size: int
    variables: tuple[str, ...]
    initial: tuple[tuple[int, Fraction], ...]
    choice_start: Sequence[int]
    action: Sequence[int]
    owner: Sequence[int]
    transition_start: Sequence[int]
    last: bytes
    successor: Sequence[int]
    weight: list[int]
    bottom: list[int]
    rewards: dict[str, Reward]
    atoms: list[bytes]  # 1 where the condition holds

    def enabled(self, state: int) -> list[int]:
        return list(self.action[self.choice_start[state] : self.choice_start[state + 1]])


def read_world(value: Any, arrays: Arrays) -> LargeWorld:
    keys = "name variables states initial actions probabilities choice_start action transition_start successor probability rewards atoms"
    label, variables, states, initial, actions, table, *columns, rewards, atoms = fields(value, keys)
    name(label)
    choice_start, action, transition_start, successor, probability = columns
    first = _starts(arrays.read(choice_start), "a state has no choice")
    size, choices = len(first) - 1, first[-1]
    begin = _starts(arrays.read(transition_start, choices + 1), "a choice has no successor")
    transitions = begin[-1]
    _states(states, variables, size, arrays)
    starts = [(integer(listed(row, 2)[0], 0, size), number(row[1])) for row in listed(initial)]
    distinct([state for state, _ in starts], "an initial state")
    shares([share for _, share in starts], "initial states")
    distinct([name(x) for x in listed(actions)], "an action")
    played = arrays.indices(action, choices, len(actions))
    require(_all_distinct(played, first), "an action of a state occurs twice")
    targets = arrays.indices(successor, transitions, size)
    require(_all_distinct(targets, begin), "a successor occurs twice")
    weight, bottom = _weights(arrays.indices(probability, transitions, len(listed(table))), begin, [number(x) for x in table])
    last = ends(begin)
    require(type(rewards) is dict, "expected an object of rewards")
    earned = {name(key): _reward(reward, arrays, weight, bottom, last) for key, reward in rewards.items()}
    owner = array("I", chain.from_iterable(map(repeat, count(), map(sub, first[1:], first[:-1]))))
    return LargeWorld(
        size, tuple(column for column, _ in variables), tuple(starts), first, played, owner, begin, last, targets, weight, bottom, earned,
        [_atom(atom, arrays, size) for atom in listed(atoms)],
    )  # fmt: skip


def _starts(start: array[int], reason: str) -> array[int]:
    """0 = start[0] < start[1] < ...: every part has at least one member."""
    require(len(start) >= 2 and start[0] == 0, "starts must begin with 0 and have an end")
    require(all(map(gt, start[1:], start[:-1])), reason)
    return start


def _states(columns: Any, variables: Any, size: int, arrays: Arrays) -> None:
    """Every value is of its variable's type; no two states are equal (as numbers with one digit for each variable)."""
    kinds = [(name(listed(row, 2)[0]), name(row[1])) for row in listed(variables)]
    distinct([column for column, _ in kinds], "a variable")
    codes: Sequence[int] | list[int] = [0] * size
    for (_, kind), column in zip(kinds, listed(columns, len(kinds)), strict=True):
        values = arrays.read(column, size)
        low, high = 0, 1
        if ".." in kind:
            low, high = (int(part) for part in kind.split(".."))
        elif kind != "bool":
            distinct(kind.split("|"), "a member of an enum")
            high = kind.count("|")
        require(min(values) >= low and max(values) <= high, "a value outside its variable's type")
        codes = list(map(add, map(mul, codes, repeat(high - low + 1)), map(sub, values, repeat(low))))
    require(len(set(codes)) == size, "a state occurs twice")


def _all_distinct(values: array[int], start: Sequence[int]) -> bool:
    """Whether the values between two consecutive starts are distinct, everywhere."""
    if len(values) == len(start) - 1:
        return True
    return sum(map(len, map(set, map(values.__getitem__, map(slice, start[:-1], start[1:]))))) == len(values)


def _weights(index: array[int], start: Sequence[int], table: list[Fraction]) -> tuple[list[int], list[int]]:
    """The weights of all transitions and the denominators of all choices; equal distributions are read once."""
    raw, width = index.tobytes(), index.itemsize
    bounds: Sequence[int] = start if width == 1 else [x * width for x in start]
    keys = list(map(raw.__getitem__, map(slice, bounds[:-1], bounds[1:])))
    ratios = [x.as_integer_ratio() for x in table]
    tops, bottoms = {}, {}
    for key in set(keys):
        pairs = [ratios[i] for i in array(index.typecode, key)]
        bottoms[key] = bottom = lcm(*(below for _, below in pairs))
        tops[key] = weights = [top * (bottom // below) for top, below in pairs]
        require(min(weights) > 0, "a choice: expected shares greater than 0")
        require(sum(weights) == bottom, "a choice: the shares do not sum to 1")
    return list(chain.from_iterable(map(tops.__getitem__, keys))), list(map(bottoms.__getitem__, keys))


def ends(start: Sequence[int]) -> bytes:
    return b"".join([LAST[n - 1] if n <= 256 else b"\0" * (n - 1) + b"\1" for n in map(sub, start[1:], start[:-1])])


def sums(values: Iterator[int], last: bytes) -> Iterator[int]:
    """The sum of the values of every choice: differences of the running sum at the ends."""
    running = list(compress(accumulate(values), last))
    return map(sub, running, chain((0,), running))


def _reward(value: Any, arrays: Arrays, weight: list[int], bottom: list[int], last: bytes) -> Reward:
    table, index = fields(value, "values index")
    amounts = [number(x) for x in listed(table)]
    scale = lcm(*(x.denominator for x in amounts))
    tops = [x.numerator * (scale // x.denominator) for x in amounts]
    column = arrays.indices(index, len(weight), len(tops))
    earned = list(sums(map(mul, weight, map(tops.__getitem__, column)), last))
    earns = list(compress(accumulate(map([int(x != 0) for x in tops].__getitem__, column)), last))
    return Reward(earned, scale, bytes(map(eq, chain((0,), earns), earns)), bottom)


def _atom(value: Any, arrays: Arrays, size: int) -> bytes:
    text, holds = fields(value, "text holds")
    name(text)
    return arrays.indices(holds, size, 2).tobytes() if holds.get("type") == "u1" else bytes(arrays.indices(holds, size, 2))
