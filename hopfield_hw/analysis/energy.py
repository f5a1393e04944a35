"""The energy of a network with symmetric weights."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp

from ..functions import Function, Gain
from ..graph import Activate, Affine, Graph, Input, Leak, Output
from ..graph.weights import Weights, freeze_weights
from ..transforms import in_si
from ..values.arrays import Array
from ..values.errors import InputError
from ..values.signals import as_signal

# A rise of up to this many times the accuracy, of the energy's range, counts as flat.
FLAT = 10.0
OTHER = "energy: the graph is not a Hopfield network, populations x -> g(x) -> T v + I -> x with the outputs g(x)"
KINDS = (Leak, Activate, Affine, Input, Output)


class _Form(NamedTuple):
    """A network of one population or several, over all neurons: T, I and R, and the gain of each population."""

    weights: Weights
    current: Array
    resistance: Array
    curves: tuple[tuple[Function, slice], ...]


def has_energy(graph: Graph, inputs: Any = None) -> bool:
    """Whether the graph is a Hopfield network with symmetric weights, monotone gains and constant inputs only."""
    try:
        form = _form(graph, inputs)
    except InputError:
        return False
    if not all(isinstance(curve, Gain) and curve.continuous for curve, _ in form.curves):
        return False
    return form.weights.is_symmetric


def energy(graph: Graph, output: Array, inputs: Any = None) -> Array:
    """Return E = -1/2 V^T T V - I^T V + sum_i (1/R_i) int_{g_i(0)}^{V_i} g_i^-1(v) dv, watts.

    `output`: V, (..., n), volts, of all populations one after the other; the result is (...,). `inputs`: a number,
    (m,), or a Signal that does not change; what they drive is a part of I. E never rises along a solution where T is
    symmetric (Hopfield, PNAS 81:3088, 1984), as it is for every bidirectional memory (Kosko 1988).

    Raises InputError for a graph that has no such energy, and for inputs that change.
    """
    form = _form(graph, inputs)
    if not has_energy(graph, inputs):
        raise InputError("energy: needs a Hopfield network with symmetric weights and a continuous gain")
    total: Array = -0.5 * np.sum(output * form.weights.apply(output), axis=-1) - output @ form.current
    for curve, part in form.curves:
        if isinstance(curve, Gain):
            # Rounding and interpolation may carry an output past the open ends of its range by some 1e-12.
            low, high = np.nextafter(curve.lower, np.inf), np.nextafter(curve.upper, -np.inf)
            inside = np.clip(output[..., part], low, high)
            total = total + np.sum(curve.inverse_integral(inside) / form.resistance[part], axis=-1)
    return total


def energy_rise(values: Array, *, skip: int = 0) -> float:
    """Return the largest rise above an earlier value, as a part of the range; 0 for an energy that never rises.

    `skip`: values at the start that are not counted. Of a circuit under `uic` it is one: its outputs at t = 0 are not
    yet those of its states.
    """
    values = values[skip:]
    rise = float(np.max(values - np.minimum.accumulate(values), initial=0.0))
    extent = float(np.ptp(values))
    return rise / extent if extent > 0.0 else 0.0


def _form(graph: Graph, inputs: Any) -> _Form:
    """Return the network that a graph is. Raises InputError where it is none."""
    network = in_si(graph)
    leaks, affines = network.of_type(Leak), network.of_type(Affine)
    gains = [op for leak in leaks for op in network.targets(leak) if isinstance(op, Activate)]
    shown = [driver for output in network.of_type(Output) for driver in network.drivers(output)]
    if not all(isinstance(op, KINDS) for op in network.operators) or len(gains) != len(leaks) or shown != gains:
        raise InputError(OTHER)
    if any(network.drivers(gain) != (leak,) for gain, leak in zip(gains, leaks, strict=True)):
        raise InputError(OTHER)
    if any(not isinstance(driver, Affine) for leak in leaks for driver in network.drivers(leak)):
        raise InputError(OTHER)
    ends = np.cumsum([0, *(leak.output_size for leak in leaks)]).tolist()
    parts = {leak.name: slice(a, b) for leak, a, b in zip(leaks, ends, ends[1:], strict=False)}
    current = np.zeros(ends[-1])
    blocks: dict[tuple[int, int], Any] = {}
    for affine in affines:
        (target, *others), drivers = network.targets(affine), network.drivers(affine)
        if others or len(drivers) != 1 or not isinstance(target, Leak):
            raise InputError(OTHER)
        if isinstance(drivers[0], Input):
            current[parts[target.name]] += _drive(network, affine, inputs)
            continue
        if drivers[0] not in gains:
            raise InputError(OTHER)
        key = leaks.index(target), gains.index(drivers[0])
        blocks[key] = blocks.get(key, 0.0) + affine.weights.compact
        current[parts[target.name]] += affine.constant
    return _Form(
        weights=freeze_weights(_join(blocks, leaks), "weights"),
        current=current,
        resistance=np.concatenate([leak.resistance for leak in leaks]),
        curves=tuple((gain.function, parts[leak.name]) for gain, leak in zip(gains, leaks, strict=True)),
    )


def _join(blocks: dict[tuple[int, int], Any], leaks: tuple[Leak, ...]) -> Any:
    """Return T of all populations: as it is where there is one, and sparse where there are several."""
    if len(leaks) == len(blocks) == 1:
        return blocks[0, 0]
    zero = {(i, j): (to.output_size, of.output_size) for i, to in enumerate(leaks) for j, of in enumerate(leaks)}
    whole = {key: sp.csr_array(blocks.get(key, shape)) for key, shape in zero.items()}
    return sp.csr_array(sp.block_array([[whole[i, j] for j in range(len(leaks))] for i in range(len(leaks))]))


def _drive(network: Graph, synapse: Affine, inputs: Any) -> Array:
    """Return the current that constant inputs drive through an Affine, amperes."""
    sources = network.of_type(Input)
    if len(sources) != 1:
        raise InputError(OTHER)
    signal = as_signal(0.0 if inputs is None else inputs, "inputs", sources[0].output_size)
    if bool(np.any(signal.values != signal.values[0])):
        raise InputError("energy: the inputs change with time, so there is no energy that falls; hold them constant")
    return synapse.weights.apply(signal.values[0]) + synapse.constant
