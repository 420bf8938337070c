"""The exact value of every stream under one plan: a Markov chain solved in rationals."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from prover.flint import fmpq, rational
from prover.solve import chain
from prover.solve.exact import Decision, Plan, Unbounded
from prover.worlds.components import strongly_connected_components
from prover.worlds.product import Product

Vector = list[fmpq | None]  # None: infinite


def distribution(decision: Decision) -> list[tuple[int, fmpq]]:
    return [(decision, fmpq(1))] if isinstance(decision, int) else list(decision)


def reachable(product: Product, plan: Plan) -> list[int]:
    """The nodes that the plan visits with positive probability, in breadth-first order."""
    seen = dict.fromkeys(n for n, _ in product.start if n >= 0)
    queue = list(seen)
    for node in queue:
        for c, _ in distribution(plan[node]):
            for t in product.transitions(c):
                successor = product.successor[t]
                if successor >= 0 and successor not in seen:
                    seen[successor] = None
                    queue.append(successor)
    return queue


def trivial_plan(product: Product) -> Plan:
    """The plan of a product with a controller: its only choice everywhere."""
    return [product.choice_start[n] for n in range(len(product.nodes))]


def recurrent(product: Product, plan: Plan) -> set[int]:
    """The nodes that the plan, once there, visits for ever."""
    nodes = reachable(product, plan)
    index = {n: k for k, n in enumerate(nodes)}
    targets = [[product.successor[t] for c, _ in distribution(plan[n]) for t in product.transitions(c)] for n in nodes]
    found: set[int] = set()
    for component in strongly_connected_components([[index[t] for t in row if t >= 0] for row in targets]):
        inside = {nodes[k] for k in component}
        if all(t in inside for k in component for t in targets[k]):
            found |= inside
    return found


def loop_gains(product: Product, ray: Unbounded) -> list[fmpq]:
    """What each stream earns on the way back to one node of a recurrent loop (0 for what is discounted)."""
    index = {n: k for k, n in enumerate(ray.loop)}
    graph = [
        [index[product.successor[t]] for c, _ in distribution(ray.plan[n]) for t in product.transitions(c) if product.successor[t] in index]
        for n in ray.loop
    ]
    bottom = [ray.loop[k] for k in strongly_connected_components(graph)[0]]
    target, local = bottom[0], {n: k for k, n in enumerate(bottom)}
    rows: list[chain.Row] = []
    constants = []
    for n in bottom:
        row: chain.Row = {}
        gain = [fmpq(0) for _ in product.streams]
        for c, share in distribution(ray.plan[n]):
            for i, stream in enumerate(product.streams):
                if stream.group is None and stream.kind != "horizon":
                    gain[i] += share * product.reward[i][c]
            for t in product.transitions(c):
                successor = product.successor[t]
                if successor != target:
                    row[local[successor]] = row.get(local[successor], fmpq(0)) + share * product.probability[t]
        rows.append(row)
        constants.append(gain)
    return chain.solve(rows, constants)[local[target]]


def evaluate(product: Product, plan: Plan) -> Vector:
    """One value for each stream; None where the sum is infinite (or has no limit)."""
    nodes = reachable(product, plan)
    index = {n: k for k, n in enumerate(nodes)}
    rows: list[chain.Row] = []
    leaks: list[bool] = []
    decisions = [distribution(plan[n]) for n in nodes]
    for decision in decisions:
        row: chain.Row = {}
        leak = False
        for c, share in decision:
            for t in product.transitions(c):
                successor = product.successor[t]
                if successor < 0:
                    leak = True
                else:
                    k = index[successor]
                    row[k] = row.get(k, fmpq(0)) + share * product.probability[t]
        rows.append(row)
        leaks.append(leak)
    result: Vector = [None] * len(product.streams)
    groups: dict[Fraction | None, list[int]] = {}
    for i, stream in enumerate(product.streams):
        groups.setdefault(stream.group, []).append(i)
    for factor, streams in groups.items():
        constants = [[sum((share * product.reward[i][c] for c, share in d), fmpq(0)) for i in streams] for d in decisions]
        if factor is None:
            values, infinite = _undiscounted(product, nodes, rows, leaks, decisions, streams, constants)
        else:
            values, infinite = _discounted(product, nodes, rows, factor, constants), set()
        for column, i in enumerate(streams):
            if i not in infinite:
                total = product.offset[i]
                for n, p in product.start:
                    if n >= 0:
                        total += p * values[index[n]][column]
                result[i] = total
    return result


def _undiscounted(
    product: Product,
    nodes: Sequence[int],
    rows: list[chain.Row],
    leaks: Sequence[bool],
    decisions: Sequence[list[tuple[int, fmpq]]],
    streams: Sequence[int],
    constants: list[list[fmpq]],
) -> tuple[list[list[fmpq]], set[int]]:
    """Recurrent classes first: what they earn is infinite, what they visit for ever counts for recurrence streams."""
    infinite: set[int] = set()
    rows, constants = list(rows), list(constants)
    for component in strongly_connected_components([list(row) for row in rows]):
        inside = set(component)
        if any(leaks[k] or any(t not in inside for t in rows[k]) for k in component):
            continue
        final = []
        for i in streams:
            stream = product.streams[i]
            if stream.kind == "recurrence":
                holds = product.conditions[stream.atom]  # type: ignore[index]
                final.append(fmpq(1) if any(holds[product.nodes[nodes[k]][0]] for k in component) else fmpq(0))
            else:
                if any(product.earns[i][c] for k in component for c, _ in decisions[k]):
                    infinite.add(i)
                final.append(fmpq(0))
        for k in component:
            rows[k], constants[k] = {}, final
    return chain.solve(rows, constants), infinite


def _discounted(
    product: Product, nodes: Sequence[int], rows: Sequence[chain.Row], factor: Fraction, constants: Sequence[list[fmpq]]
) -> list[list[fmpq]]:
    """Layers carry their discount in their rewards; the tail is discounted step by step and once more for the time before it."""
    g = rational(factor)
    scaled: list[chain.Row] = []
    weights: list[list[fmpq]] = []
    begin = g**product.depth
    for n, row, constant in zip(nodes, rows, constants, strict=True):
        if n < product.tail:
            scaled.append(row)
            weights.append(list(constant))
        else:
            scaled.append({t: g * p for t, p in row.items()} if g else {})
            weights.append([begin * x for x in constant])
    return chain.solve(scaled, weights)
