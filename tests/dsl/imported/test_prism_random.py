"""Random models of two to four modules: Storm builds the same state space and finds the same greatest sums.

Left out is where it departs from PRISM: it pays nothing in deadlocks, and its mod(-3, 3) is 3.
"""

from __future__ import annotations

import random

import pytest

from prover.worlds.batch import explore_batch
from prover.worlds.explore import explore
from prover.worlds.small import explore_small
from tests.dsl.imported.test_prism import STEPS, greatest, imported, size

ACTIONS = ("", "", "a", "b", "c")


class Writer:
    """One random model.  A command that is always enabled keeps deadlocks away."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.modules = self.random.randint(2, 4)
        self.bounds = {f"x{m}": self.random.randint(1, 3) for m in range(self.modules)}
        self.flags = [f"b{m}" for m in range(self.modules) if self.random.random() < 0.5]
        self.chain = self.random.random() < 0.4

    def pick(self, *options: str) -> str:
        return self.random.choice(options)

    def number(self, depth: int = 2) -> str:
        if depth == 0 or self.random.random() < 0.4:
            return self.pick(*self.bounds, *self.bounds, "K", str(self.random.randint(0, 3)))
        a, b = self.number(depth - 1), self.number(depth - 1)
        return self.pick(f"({a}+{b})", f"({a}-{b})", f"{a}*{b}", f"min({a},{b})", f"max({a},{b})", f"mod(max(0,{a}),3)", f"floor({a}/2)")

    def truth(self, depth: int = 2) -> str:
        if depth == 0 or self.random.random() < 0.3:
            name = self.pick(*self.bounds)
            return self.pick(f"{name}<{self.bounds[name]}", f"{name}>0", f"{name}!={self.number(1)}", "busy", *self.flags)
        a, b = self.truth(depth - 1), self.truth(depth - 1)
        return self.pick(
            f"({a}&{b})", f"({a}|{b})", f"!({a})", f"({a}=>{b})", f"({a} ? {b} : {self.truth(0)})", f"{self.number()}<={self.number()}"
        )

    def update(self, module: int, shared: bool) -> str:
        name = f"x{module}"
        parts = [f"({name}'=max(0,min({self.bounds[name]},{self.number()})))"]
        if f"b{module}" in self.flags and self.random.random() < 0.5:
            parts.append(f"(b{module}'={self.truth(1)})")
        if not shared and self.random.random() < 0.2:
            parts.append("(g'=1-g)")
        self.random.shuffle(parts)
        return self.pick("&".join(parts), "&".join(parts), "true")

    def command(self, module: int) -> str:
        action = self.pick(*ACTIONS)
        weights = self.random.choice([[None], ["1/2", "0.5"], ["0.3", "0.2", "1/2"], ["1/(1+K)", "1-1/(1+K)"], ["0", "1"], ["p", "1-p"]])
        outcomes = [self.update(module, action != "") if w is None else f"{w}:{self.update(module, action != '')}" for w in weights]
        return f"  [{action}] {self.truth()} -> {' + '.join(outcomes)};"

    def text(self) -> str:
        lines = [
            "dtmc" if self.chain else "mdp",
            "const int K = 2;",
            "const double p = 1/4;",
            f"formula busy = {self.pick(*self.bounds)}>0;",
        ]
        lines.append("global g : [0..1];")
        for m in range(self.modules):
            lines.append(f"module m{m}")
            lines.append(f"  x{m} : [0..{self.bounds[f'x{m}']}] init {self.random.randint(0, 1)};")
            if f"b{m}" in self.flags:
                lines.append(f"  b{m} : bool;")
            lines += [self.command(m) for _ in range(self.random.randint(1, 4))]
            if m == 0:
                lines.append("  [idle] true -> true;")
            lines.append("endmodule")
        lines.append('rewards "r"')
        used = [action for action in ("a", "b", "c") if any(f"[{action}]" in line for line in lines)]
        for _ in range(3):
            label = self.pick("", "[] ", *(f"[{a}] " for a in used), "[idle] ")
            lines.append(f"  {label}{self.truth(1)} : {self.pick('1', '2.5', '1/3', 'x0', 'K*x1+1')};")
        return "\n".join([*lines, "endrewards", ""])


@pytest.mark.parametrize("seed", range(60))
def test_storm_agrees(tmp_path, seed):
    storm = pytest.importorskip("stormpy")
    writer = Writer(seed)
    text = writer.text()
    mdp = explore(imported(tmp_path, text))
    program = storm.parse_prism_program(str(tmp_path / "model.prism"))
    built = storm.build_model[storm.Rational](program)
    assert (built.nr_states, built.nr_choices, built.nr_transitions) == size(mdp), text
    question = storm.parse_properties(f'R{{"r"}}{"" if writer.chain else "max"}=? [C<={STEPS}]', program)[0]
    asked = storm.build_model[storm.Rational](program, question)
    found = storm.model_checking(asked, question)[asked.initial_states[0]]
    assert str(getattr(found, "lower", found)) == str(greatest(mdp, "r", STEPS)), text


@pytest.mark.parametrize("seed", range(30))
def test_both_explorers_agree(tmp_path, seed):
    """With deadlocks."""
    world = imported(tmp_path, Writer(seed).text().replace("  [idle] true -> true;\n", "").replace("[idle] ", ""))
    slow = explore_small(world, limit=10_000, max_states=10_000, rewards=("r",))
    fast = explore_batch(world, max_states=10_000, rewards=("r",))
    assert slow is not None
    assert slow.actions == fast.actions
    for column in ("choice_start", "action", "transition_start", "successor"):
        assert list(getattr(slow, column)) == list(getattr(fast, column)), column
    assert [slow.probabilities[i] for i in slow.probability] == [fast.probabilities[i] for i in fast.probability]
    earned = [[column.table[i] for i in column.index] for column in (slow.rewards["r"], fast.rewards["r"])]
    assert earned[0] == earned[1]
