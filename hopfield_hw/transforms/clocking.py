"""Networks between continuous and discrete time: stepped by Euler, held between steps, and free-running maps."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np

from ..graph import Activate, Affine, Clock, Edge, Graph, Hold, Input, Leak, Operator, Output, Units
from ..graph.weights import diagonal_weights, freeze_weights
from ..networks.network import Network
from ..values.arrays import positive
from ..values.errors import InputError


def discretise(network: Network, *, step: float, method: Literal["euler", "zero_order_hold"] = "euler") -> Graph:
    """Return a network as a map: u' = (1 - a) u + a R (T g(u) + B w + I), with the output g(u).

    `step`: D, in the network's unit of time (seconds for one in SI units). `method`: "euler" has a_i = D / (R_i C_i),
    and a = 1 is an Elman cell with W = R T; "zero_order_hold" has a_i = 1 - exp(-D / (R_i C_i)), which is exact for
    outputs that are held between the steps.

    Raises InputError for a step that is not positive, for Euler with a above 2 (it would not be stable by itself), and
    for a neuron without a leak under "zero_order_hold".
    """
    size = float(positive(step, "step", shape=(), unit="s"))
    if method not in ("euler", "zero_order_hold"):
        raise InputError(f"`method` = {method!r:.40}: must be euler or zero_order_hold")
    ratio = size / (network.resistance * network.capacitance)
    if method == "euler":
        if bool(np.any(ratio > 2.0)):
            raise InputError(f"`step` = {size:g}: is {ratio.max():.3g} of the shortest R C, and Euler needs at most 2")
        part, drive = ratio, size / network.capacitance
    else:
        if not bool(np.all(np.isfinite(network.resistance))):
            raise InputError("`method` zero_order_hold: needs a finite R at every neuron; use euler")
        part = -np.expm1(-ratio)
        drive = part * network.resistance
    n = network.size
    clock = Clock(period=size)
    synapses = freeze_weights(network.weights, "weights").scale_rows(drive)
    operators: list[Operator] = [
        Hold(name="x", clock=clock, initial=network.initial),
        Activate(name="v", size=n, function=network.gain),
        Affine(name="keep", weights=diagonal_weights(1.0 - part)),
        Affine(name="syn", weights=synapses, bias=drive * network.bias),
        Output(name="y", size=n),
    ]
    edges = [
        Edge("x", "v"),
        Edge("x", "keep"),
        Edge("v", "syn"),
        Edge("keep", "x"),
        Edge("syn", "x"),
        Edge("v", "y"),
    ]
    if network.input_weights is not None:
        operators += [
            Input(name="u", size=network.input_weights.shape[1]),
            Affine(name="syn_u", weights=freeze_weights(network.input_weights, "input_weights").scale_rows(drive)),
        ]
        edges += [Edge("u", "syn_u"), Edge("syn_u", "x")]
    units = Units(volts_per_unit=network.volts_per_unit, seconds_per_unit=network.seconds_per_unit)
    return Graph(operators=tuple(operators), edges=tuple(edges), units=units)


def hold_outputs(network: Network, *, period: float) -> Graph:
    """Return a network whose outputs go back held: C_i du_i/dt = -u_i/R_i + sum_j T_ij V_j(k D) + (B w)_i + I_i.

    From k D to (k + 1) D the synapses see the outputs V of k D, from sample-and-holds; the state flows on between. At
    the edges it is what `discretise(..., method="zero_order_hold")` gives, whatever D is; it is not the free-running
    network, which it approaches as D goes to 0. `period`: D, in the network's unit of time.

    Raises InputError for a period that is not positive.
    """
    graph = network.graph()
    size = float(positive(period, "period", shape=(), unit="s"))
    initial = network.gain.value(network.initial)
    hold = Hold(name="held", clock=Clock(period=size), initial=initial)
    edges = [Edge("held", "syn") if (e.source, e.target) == ("v", "syn") else e for e in graph.edges]
    return Graph(operators=(*graph.operators, hold), edges=(*edges, Edge("v", "held")), units=graph.units)


def remove_clock(graph: Graph, *, time_constant: float) -> Graph:
    """Return a map without its clock: tau dx/dt = -x + F(x, u), each Hold a Leak with R = 1 and C = tau.

    It rests where the map does, and is another machine: between, it need not go where the map goes.
    `time_constant`: tau, in the graph's unit of time. Where the map says nothing of siemens, as its states are Holds,
    one unit is 1e-4 S: circuits have 10 kOhm.

    Raises InputError for a graph that is not a map, and a time constant that is not positive.
    """
    if graph.kind != "map":
        raise InputError(f"the graph is of kind {graph.kind!r}: free_running takes a map, whose states are Holds alone")
    tau = float(positive(time_constant, "time_constant", shape=(), unit="s"))
    operators = [
        Leak(
            name=op.name,
            capacitance=np.full(op.output_size, tau),
            resistance=np.ones(op.output_size),
            initial=op.initial,
        )
        if isinstance(op, Hold)
        else op
        for op in graph.operators
    ]
    siemens = graph.units.siemens_per_unit
    units = replace(graph.units, siemens_per_unit=1e-4 if siemens == 1.0 else siemens)
    return replace(graph, operators=tuple(operators), units=units)
