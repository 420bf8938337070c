"""Worlds imported from PRISM models: as many states, choices and transitions, and the same values, as PRISM's semantics gives."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from dsl import semantics, spec
from dsl.typecheck import load
from prover.worlds.explore import explore
from prover.worlds.mdp import Mdp
from tests.dsl.imported.models import MODELS, Model

STEPS = 6


def imported(folder: Path, text: str, constants: str = "") -> spec.World:
    (folder / "model.prism").write_text(text, encoding="utf-8")
    settings = f" {{ {constants} }}" if constants else ""
    (folder / "root.spec").write_text(f'world W = prism "model.prism"{settings}\npolicies Pi over W\n', encoding="utf-8")
    return load(folder / "root.spec")[0].world("W")


def size(mdp: Mdp) -> tuple[int, int, int]:
    return mdp.states, mdp.choices, mdp.transitions


def greatest(mdp: Mdp, reward: str, steps: int) -> Fraction:
    """The greatest expected sum over so many steps, by backward induction."""
    column = mdp.rewards[reward]
    value = [Fraction(0)] * mdp.states

    def of_choice(c: int) -> Fraction:
        row = range(mdp.transition_start[c], mdp.transition_start[c + 1])
        earned = {t: column.table[column.index[t]] + value[mdp.successor[t]] for t in row}
        return sum((mdp.probabilities[mdp.probability[t]] * earned[t] for t in row), Fraction(0))

    for _ in range(steps):
        value = [max(of_choice(c) for c in range(mdp.choice_start[s], mdp.choice_start[s + 1])) for s in range(mdp.states)]
    return sum((p * value[s] for s, p in mdp.initial), Fraction(0))


@pytest.mark.parametrize("name", MODELS)
def test_sizes_and_sums(tmp_path, name):
    model = MODELS[name]
    mdp = explore(imported(tmp_path, model.text, model.constants.replace(",", "; ")))
    assert size(mdp) == model.size
    assert [(r, str(greatest(mdp, r, STEPS))) for r, _ in model.rewards] == list(model.rewards)


@pytest.mark.parametrize("name", [name for name, model in MODELS.items() if model.storm is not None])
def test_storm_agrees(tmp_path, name):
    storm = pytest.importorskip("stormpy")
    model: Model = MODELS[name]
    path = tmp_path / "model.prism"
    path.write_text(model.storm or model.text, encoding="utf-8")
    program = storm.parse_prism_program(str(path))
    if model.constants:
        program, _ = storm.instantiate_constants(program, model.constants)
    built = storm.build_model[storm.Rational](program)
    assert (built.nr_states, built.nr_choices, built.nr_transitions) == model.size
    for reward, expected in model.rewards:
        name = "" if reward == "reward" else f'{{"{reward}"}}'
        optimum = "" if "dtmc" in model.text else "max"
        question = storm.parse_properties(f"R{name}{optimum}=? [C<={STEPS}]", program)[0]
        asked = storm.build_model[storm.Rational](program, question)
        found = storm.model_checking(asked, question)[asked.initial_states[0]]
        assert str(getattr(found, "lower", found)) == expected


def test_rewards_of_a_chain_with_many_outcomes(tmp_path):
    """1024 outcomes of one step: what a transition earns must not be found by going through all of them again."""
    module = "module m0\n x0 : [0..3];\n d0 : bool;\n [go] !d0 -> "
    module += " + ".join(f"1/4 : (x0'={i}) & (d0'=true)" for i in range(4)) + ";\nendmodule\n"
    copies = "".join(f"module m{i} = m0 [ x0=x{i}, d0=d{i} ] endmodule\n" for i in range(1, 5))
    world = imported(tmp_path, f'dtmc\n{module}{copies}rewards "r"\n [go] true : 1;\n x0=x1 : 2;\nendrewards\n')
    calls = 0
    original = semantics.commands

    def counted(*args):
        nonlocal calls
        calls += 1
        return original(*args)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(semantics, "commands", counted)
        mdp = explore(world)
    assert size(mdp) == (1025, 1025, 2048)
    assert greatest(mdp, "r", 1) == 3
    assert calls < 2 * 1025
