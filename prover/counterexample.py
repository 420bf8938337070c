"""Counterexamples: policies by name, their values, what breaks, and the most probable run that shows it; all replayed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, Protocol

from dsl.record import dataclass
from prover.flint import fraction
from prover.policies.arena import controller_of
from prover.policies.belongs import belongs
from prover.policies.context import Context
from prover.policies.controller import Actions, Controller
from prover.policies.modulo import Counterexample as Found
from prover.policies.policy_file import write
from prover.policies.query import Inequality, Literals, OptimumOf, Query, TheUnknown, ValueOf, evaluate
from prover.policies.theory import Bounds
from prover.replay import Replay, Step, Trace
from prover.worlds.objective import Stream

SHOWN_RULES = 16
SHOWN_STEPS = 12
LIKELY = 30


class Mismatch(RuntimeError):
    """The replay disagrees with the search: a bug, never an answer."""


@dataclass(frozen=True)
class WitnessPolicy:
    """``objectives``: the user's text of each objective and its exact value ("-infinity" or "infinity" where it has none)."""

    name: str
    document: Mapping[str, Any]
    objectives: Mapping[str, str]
    mixture: tuple[tuple[Fraction, tuple[str, ...]], ...]  # weight, the rules of one deterministic part in words

    def to_json(self) -> dict[str, Any]:
        return {"controller": dict(self.document), "objectives": dict(self.objectives)}

    def lines(self, name: str) -> list[str]:
        """What the policy plays, and what it is worth."""
        result = []
        for weight, rules in self.mixture:
            result.append(f"policy {name}:" if len(self.mixture) == 1 else f"policy {name}, with probability {short(weight)}:")
            result.extend(f"  {rule}" for rule in rules)
        return [*result, *(f"  {text} = {readable(value)}" for text, value in self.objectives.items())]


class Witness(Protocol):
    """A policy as a reader meets it, in a small world or (flat_counterexample.py) in a large one."""

    def to_json(self) -> dict[str, Any]: ...

    def lines(self, name: str) -> list[str]: ...


@dataclass(frozen=True)
class Counterexample:
    policies: Mapping[str, Witness]
    trace: Trace | None
    explanation: tuple[str, ...]  # one line for each comparison that breaks the claim
    unknown: tuple[str, Fraction] | None = None

    def to_json(self) -> dict[str, Any]:
        steps = [] if self.trace is None else [step_json(step) for step in self.trace.steps]
        return {
            "policies": {name: policy.to_json() for name, policy in self.policies.items()},
            "trace": steps,
            "trace_probability": None if self.trace is None else str(self.trace.probability),
            "explanation": list(self.explanation),
        }

    def lines(self) -> list[str]:
        result = []
        if self.unknown is not None:
            result.append(f"with {self.unknown[0]} = {short(self.unknown[1])}")
        result.extend(self.policy_lines())
        result.extend(self.explanation)
        if self.trace is not None:
            result.append(f"trace (probability {short(self.trace.probability)}, replayed):")
            result.extend(trace_lines(self.trace))
        return result

    def policy_lines(self) -> list[str]:
        """What each policy plays, and what it is worth."""
        return [line for name, policy in self.policies.items() for line in policy.lines(name)]


def readable(value: str) -> str:
    return value if "infinity" in value else short(Fraction(value))


def short(x: Fraction) -> str:
    """The exact number if it is readable, else its size."""
    text = str(x)
    if len(text) <= 24:
        return text
    try:
        return f"about {float(x):.6g}"
    except OverflowError:
        return f"about 2^{x.numerator.bit_length() - x.denominator.bit_length()}"


def step_json(step: Step) -> dict[str, Any]:
    return {"state": dict(step.state), "action": step.action}


def trace_lines(trace: Trace) -> list[str]:
    """The first state whole, then what changes."""
    lines = []
    previous: Mapping[str, Any] = {}
    for step in trace.steps:
        changed = {k: v for k, v in step.state.items() if previous.get(k, None) != v or k not in previous}
        shown = ", ".join(f"{k} = {str(v).lower() if isinstance(v, bool) else v}" for k, v in changed.items()) or "(the same state)"
        lines.append(f"  {shown}" + (f"  --{step.action}-->" if step.action is not None else ""))
        previous = step.state
    if len(lines) > SHOWN_STEPS:
        half = SHOWN_STEPS // 2
        lines = [*lines[:half], f"  ... {len(lines) - 2 * half} steps more ...", *lines[-half:]]
    return lines


def exhibit(context: Context, query: Query, found: Found, bounds: list[Bounds], signs: Mapping[Stream, int]) -> Counterexample:
    """Replays the policies and checks that the claim is false under them; raises Mismatch otherwise.

    ``bounds`` are certified enclosures of the optima; ``signs`` tell which infinity an unbounded stream goes to.
    """
    values: dict[tuple[str, int], Fraction | None] = {}
    replays: dict[str, Replay] = {}
    types = dict(query.players)
    for player, controller in found.controllers.items():
        type = context.spec.policy_type(types[player])
        if not belongs(controller, type, context.mdp(type.world)):
            raise Mismatch(f"the policy found for {player} does not belong to its type")
        replays[player] = replay(context, query, types[player], controller)
        for i in used_streams(query, player):
            values[player, i] = replays[player].value(query.streams[i])
    unknown = None if found.unknown is None else fraction(found.unknown)
    truth = {
        i: holds(query.inequalities[i], query.streams, values, bounds, unknown, signs)
        for i in range(len(query.inequalities))
        if all(not isinstance(t, ValueOf) or (t.policy, t.stream) in values for _, t in query.inequalities[i].terms)
    }
    if evaluate(query.skeleton, {i: v for i, v in truth.items() if v is not None}) is not False:
        raise Mismatch("a counterexample does not survive its replay")
    policies = {}
    for player, controller in found.controllers.items():
        if player in dict(query.named):
            continue
        mdp = context.mdp(context.spec.policy_type(types[player]).world)
        worth = {query.origins[query.streams[i]].text: show_value(query, i, values[player, i], signs) for i in used_streams(query, player)}
        policies[player] = WitnessPolicy(player, write(controller, mdp), worth, parts(context, types[player], found, player, controller))
    literals = found.literals or tuple((i, v) for i, v in truth.items() if v is not None)
    lines = tuple(dict.fromkeys(explain(query, i, truth.get(i), bounds) for i, _ in literals if truth.get(i) is not None))
    unknown_named = None if unknown is None or query.unknown is None else (query.unknown.name, unknown)
    return Counterexample(policies, most_telling(context, query, literals, found, replays), lines, unknown_named)


def replay(context: Context, query: Query, type: str, controller: Controller) -> Replay:
    world = context.spec.policy_type(type).world
    return Replay(context.spec.world(world), context.mdp(world), query.atoms.of_world.get(world, []), controller)


def used_streams(query: Query, player: str) -> list[int]:
    return list(dict.fromkeys(t.stream for q in query.inequalities for _, t in q.terms if isinstance(t, ValueOf) and t.policy == player))


def holds(
    inequality: Inequality,
    streams: Sequence[Stream],
    values: Mapping[tuple[str, int], Fraction | None],
    bounds: list[Bounds],
    unknown: Fraction | None,
    signs: Mapping[Stream, int],
) -> bool | None:
    """The truth of an inequality for all values of the optima within their bounds; None if they leave it open or infinities clash."""
    low = high = inequality.constant
    infinite = set()
    for c, term in inequality.terms:
        match term:
            case ValueOf(stream, policy):
                value = values[policy, stream]
                if value is None:
                    infinite.add(c * -signs[streams[stream]] > 0)
                else:
                    low, high = low + c * value, high + c * value
            case OptimumOf(k):
                ends = sorted(c * fraction(b) for b in (bounds[k].lower, bounds[k].upper))
                low, high = low + ends[0], high + ends[1]
            case TheUnknown():
                if unknown is None:
                    return None
                low, high = low + c * unknown, high + c * unknown
    if infinite:
        return None if len(infinite) > 1 else not infinite.pop()
    strict = inequality.op == "<"
    if high < 0 or (high == 0 and not strict):
        return True
    return False if low > 0 or (low == 0 and strict) else None


def show_value(query: Query, stream: int, value: Fraction | None, signs: Mapping[Stream, int]) -> str:
    """In terms of the user's objective (a safe formula is one minus its stream)."""
    from prover.worlds.objective import Atoms
    from prover.worlds.objective import stream as affine_of

    s = query.streams[stream]
    if value is None:
        return "-infinity" if signs[s] == 1 else "infinity"
    affine = affine_of(query.origins[s], Atoms())
    return str(affine.constant + affine.scale * value)


def parts(context: Context, type: str, found: Found, player: str, controller: Controller) -> tuple[tuple[Fraction, tuple[str, ...]], ...]:
    mixed = found.parts.get(player)
    if mixed is None:
        return ((Fraction(1), rules_in_words(context, type, controller)),)
    return tuple((fraction(w), rules_in_words(context, type, controller_of(point))) for w, _, point in mixed if w != 0)


def rules_in_words(context: Context, type: str, controller: Controller) -> tuple[str, ...]:
    """The decisions that are decisions: states with more than one enabled action, and what is played there in which memory."""
    mdp = context.mdp(context.spec.policy_type(type).world)
    plays: dict[int, dict[Actions, list[int]]] = {}
    for (node, state), (actions, _) in sorted(controller.rules.items()):
        if mdp.choice_start[state + 1] - mdp.choice_start[state] > 1:
            plays.setdefault(state, {}).setdefault(actions, []).append(node)
    result = []
    for state, choices in sorted(plays.items()):
        where = ", ".join(f"{k} = {str(v).lower() if isinstance(v, bool) else v}" for k, v in mdp.named(state).items())
        words = []
        for actions, nodes in choices.items():
            play = mdp.actions[actions[0][0]] if len(actions) == 1 else ", ".join(f"{short(p)}: {mdp.actions[a]}" for a, p in actions)
            words.append(play if len(choices) == 1 else f"{play} (memory {ranges(nodes)})")
        result.append(f"at {where}: {'; '.join(words)}")
    if not result:
        return ("(there is nothing to decide)",)
    return tuple(
        result if len(result) <= SHOWN_RULES else [*result[:SHOWN_RULES], f"... {len(result) - SHOWN_RULES} rules more, in the policy file"]
    )


def ranges(numbers: Sequence[int]) -> str:
    """0, 1, 2, 5 as "0-2, 5"; what a memory stands for is in the policy file."""
    parts: list[list[int]] = []
    for n in numbers:
        if parts and n == parts[-1][1] + 1:
            parts[-1][1] = n
        else:
            parts.append([n, n])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in parts)


def explain(query: Query, index: int, held: bool | None, bounds: list[Bounds]) -> str:
    facts = []
    for _, term in query.inequalities[index].terms:
        if isinstance(term, OptimumOf):
            low, high = bounds[term.index].lower, bounds[term.index].upper
            shown = short(fraction(low)) if low == high else f"between {low} and {high}"
            facts.append(f"{query.optima[term.index].text} = {shown}")
    tail = f"   [{', '.join(facts)}]" if facts else ""
    return f"{'holds' if held else 'fails'}: {query.texts[index]}{tail}"


def most_telling(context: Context, query: Query, literals: Literals, found: Found, replays: Mapping[str, Replay]) -> Trace | None:
    """The most probable run that shows the last broken comparison: the unwanted event, or the end of all hope for the wanted one;
    for a sum, the likely run of the part of the mixture that pulls it the wrong way."""
    for index, held in reversed(literals):
        for c, term in query.inequalities[index].terms:
            if not isinstance(term, ValueOf) or term.policy not in replays:
                continue
            stream = query.streams[term.stream]
            grows = (c > 0) != held  # a failed `P <= bound`: too likely; a failed `P >= bound`: too unlikely
            if stream.kind == "probability":
                trace = replays[term.policy].trace(stream, grows)
                if trace is not None:
                    return trace
            elif not held:
                return _extreme(context, query, found, term, grows, replays).likely(min(stream.steps or LIKELY, LIKELY))
    return next((r.likely(LIKELY) for r in replays.values()), None)


def _extreme(context: Context, query: Query, found: Found, term: ValueOf, grows: bool, replays: Mapping[str, Replay]) -> Replay:
    """The part of the mixture with the largest (or smallest) value of the stream."""
    parts = [point for weight, _, point in found.parts.get(term.policy) or () if weight != 0]
    if len(parts) < 2:
        return replays[term.policy]
    stream = query.streams[term.stream]
    finite = [(value, k) for k, point in enumerate(parts) if (value := point.vector[point.product.stream_index(stream)]) is not None]
    chosen = parts[(max if grows else min)(finite)[1]] if finite else parts[0]
    return replay(context, query, dict(query.players)[term.policy], controller_of(chosen))
