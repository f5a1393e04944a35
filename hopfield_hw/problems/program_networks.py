"""Networks that settle at the solution of a linear or quadratic program: by penalty, and with multiplier neurons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np

from ..functions import Clip, Identity
from ..graph import Activate, Affine, Graph, Operator, Units
from ..graph.building import CIRCUIT_UNITS, network_graph, state
from ..values.arrays import freeze, positive
from ..values.errors import InputError
from ..values.names import unknown
from .programs import LinearProgram, QuadraticProgram


def penalty_network(
    program: QuadraticProgram | Mapping[str, Any],
    *,
    gain: float = 1000.0,
    step: float = 1.0,
    tau: float = 1.0,
    initial: Any = 0.0,
    units: Units = CIRCUIT_UNITS,
) -> Graph:
    """Return a network in which rows that are passed push back with a gain K:

        tau dx/dt = B(x - step (P x + q + K A^T (A x - C(A x)))) - x,    B clips to lower, upper; C to l, u

    D. W. Tank and J. J. Hopfield, IEEE Trans. CAS-33:533 (1986), with the limits of variables in the amplifiers. Its
    equilibrium lies outside of the rows by the multipliers over K, an error of the order of 1/K; the larger K, the
    faster, and stiffer, the network.

    `program`: a program, or a table of its fields. `gain`: K. `initial`: x(0), (n,) or one. Output: `output` = the
    clipped drive, x at rest.

    Raises InputError for what is not a program, values that are not positive, and an initial state of another size.
    """
    program = _program(program)
    n = program.size
    speed, push = _positive(step, "step"), _positive(gain, "gain")
    a, p = program.rows, program.quadratic
    operators: list[Operator] = [
        state("x", freeze(initial, "initial", shape=(n,)), tau=tau),
        Affine(name="step", weights=np.eye(n) - speed * (p + push * a.T @ a), bias=-speed * program.linear),
        Activate(name="within", size=n, function=Clip(lower=program.lower, upper=program.upper)),
    ]
    edges = [("x", "step"), ("step", "within"), ("within", "x")]
    if len(a):
        operators += [
            Affine(name="rows", weights=a),
            Activate(
                name="rows_within", size=len(a), function=Clip(lower=program.rows_lower, upper=program.rows_upper)
            ),
            Affine(name="back", weights=speed * push * a.T),
        ]
        edges += [("x", "rows"), ("rows", "rows_within"), ("rows_within", "back"), ("back", "within")]
    return network_graph(operators, edges, outputs=[("output", "within", n)], units=units)


def multiplier_network(
    program: QuadraticProgram | Mapping[str, Any],
    *,
    tau: float = 1.0,
    initial: Any = 0.0,
    multipliers: Any = 0.0,
    units: Units = CIRCUIT_UNITS,
) -> Graph:
    """Return a network with a neuron y for each row, an integrator, which settles exactly at the solution:

        tau dx/dt = B(x - (P x + q + A^T z)) - x,    tau dy/dt = z - y,    z = w - C(w),  w = y + A x

    B clips to lower, upper; C to l, u. z is where the multiplier y is going: with it in place of y in the gradient, the
    network is not stiff, and settles for linear programs too. Equations are rows with l = u. Projection networks with
    multipliers: Y. Xia and J. Wang, IEEE Trans. Neural Netw. 9:1331 (1998).

    `program`: a program, or a table of its fields. `initial`: x(0), (n,) or one; `multipliers`: y(0), (m,) or one.
    Outputs: `output`, the clipped drive, x at rest;
    `multiplier`, z, where there are rows.

    Raises InputError for what is not a program, a tau that is not positive, and shapes that do not meet.
    """
    program = _program(program)
    n = program.size
    m = len(program.rows)
    a = program.rows
    operators: list[Operator] = [
        state("x", freeze(initial, "initial", shape=(n,)), tau=tau),
        Affine(name="step", weights=np.eye(n) - program.quadratic - a.T @ a, bias=-program.linear),
        Activate(name="within", size=n, function=Clip(lower=program.lower, upper=program.upper)),
    ]
    edges = [("x", "step"), ("step", "within"), ("within", "x")]
    outputs = [("output", "within", n)]
    if m:
        operators += [
            state("y", freeze(multipliers, "multipliers", shape=(m,)), tau=tau, decay=0.0),
            Affine(name="rows", weights=a),
            Activate(name="rows_within", size=m, function=Clip(lower=program.rows_lower, upper=program.rows_upper)),
            # What drives a state is a current, and drives nothing else.
            Affine(name="rise", weights=a),
            Affine(name="fall", weights=-np.eye(m)),
            Affine(name="back", weights=a.T),
            Affine(name="forth", weights=-a.T),
        ]
        edges += [("x", "rows"), ("rows", "rows_within"), ("y", "rows_within"), ("x", "rise"), ("rise", "y")]
        edges += [("rows_within", "fall"), ("fall", "y"), ("rows_within", "back"), ("back", "within")]
        edges += [("y", "forth"), ("forth", "within")]
        operators += [Affine(name="z", weights=np.eye(m)), Affine(name="excess", weights=-np.eye(m))]
        operators.append(Activate(name="multiplier_z", size=m, function=Identity()))
        edges += [("y", "z"), ("z", "multiplier_z"), ("rows", "multiplier_z")]
        edges += [("rows_within", "excess"), ("excess", "multiplier_z")]
        outputs.append(("multiplier", "multiplier_z", m))
    return network_graph(operators, edges, outputs=outputs, units=units)


def _program(program: Any) -> QuadraticProgram:
    """Return a program as it is, and that of a table of its fields."""
    if isinstance(program, QuadraticProgram):
        return program
    if not isinstance(program, Mapping) or "linear" not in program:
        raise InputError(
            f"`program` = {program!r:.60}: must be a QuadraticProgram or a LinearProgram, or a table of one"
        )
    names = [field.name for field in fields(QuadraticProgram)]
    for name in program:
        if name not in names:
            raise InputError(unknown("`program`: field", name, names))
    return QuadraticProgram(**program) if "quadratic" in program else LinearProgram(**program)


def _positive(value: Any, name: str) -> float:
    return float(positive(value, name, shape=(), unit=""))
