"""The initial distribution of a world -> the first numbered states, in the order of the reference semantics."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from dsl.semantics import MAX_VALUATIONS, EvaluationError, evaluate, initial_states, variables_read
from dsl.spec import InitUniform, World
from prover.worlds.compile import Compiler
from prover.worlds.pack import Layout, Rows, bounds, first_true
from prover.worlds.small import initial_valuations
from prover.worlds.state_index import StateIndex
from prover.worlds.trace import initial_error

Initial = tuple[tuple[int, Fraction], ...]


def number_initial(world: World, form: Layout, compiler: Compiler, index: StateIndex) -> Initial:
    """Adds the initial states to an empty index.  Raises SpecError."""
    valuations = initial_valuations(world)
    try:
        if isinstance(world.init, InitUniform) and valuations <= MAX_VALUATIONS:
            return _uniform(world, world.init, valuations, form, compiler, index)
        states = initial_states(world)
    except EvaluationError as error:
        raise initial_error(error) from None
    packed = np.array([form.pack(tuple(state.values())) for state, _ in states], dtype=np.int64)
    numbers = index.number(tuple(np.ascontiguousarray(word) for word in packed.T))
    return tuple((int(n), p) for n, (_, p) in zip(numbers, states, strict=True))


def _uniform(world: World, init: InitUniform, valuations: int, form: Layout, compiler: Compiler, index: StateIndex) -> Initial:
    """The valuations that the reference semantics tries, in its order, as columns."""
    read = variables_read(init.condition)
    columns: dict[str, npt.NDArray[Any]] = {}
    inner = valuations
    for variable in world.variables:
        low, high = bounds(variable)
        if variable.name in read or variable.initial is None:
            inner //= high - low + 1
            columns[variable.name] = np.arange(valuations) // inner % (high - low + 1) + low
        else:
            columns[variable.name] = np.full(valuations, int(variable.initial), dtype=np.int64)
    rows = Rows(form, form.pack_columns(columns, valuations))
    condition = compiler.condition(init.condition)
    failed = None if condition.fails is None else first_true(condition.fails(rows))
    if failed is not None:
        values = form.unpack([int(word[failed]) for word in rows.words])
        evaluate(init.condition, dict(zip(form.fields, values, strict=True)))  # raises EvaluationError
    chosen = np.flatnonzero(np.broadcast_to(condition(rows), valuations))
    if len(chosen) == 0:
        raise EvaluationError("E308", "no state satisfies the condition of `init uniform`", init.span)
    index.number(rows.take(chosen).words)
    share = Fraction(1, len(chosen))
    return tuple((n, share) for n in range(len(chosen)))
