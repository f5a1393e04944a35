"""The energy of a network with symmetric weights."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arrays import Array
from ..errors import InputError
from ..gain import Gain
from ..graph import Activate, Affine, Graph, Hadamard, Input, Leak, in_si
from ..graph.weights import apply_weights, linear
from ..signals import as_signal

# T_ij and T_ji count as equal within this part of the largest weight.
SYMMETRY = 1e-12
# A rise of up to this many times the accuracy, of the energy's range, counts as flat.
FLAT = 10.0
OTHER = "energy: the graph is not one Hopfield network, x -> g(x) -> T v + I -> x"


def has_energy(graph: Graph, inputs: Any = None) -> bool:
    """Whether the graph is one Hopfield network with symmetric weights, monotone gains and constant inputs only."""
    try:
        _, activate, synapse, _ = _parts(graph, inputs)
    except InputError:
        return False
    if not isinstance(activate.function, Gain) or not activate.function.continuous:
        return False
    weights: Any = linear(synapse.weights)
    return bool(abs(weights - weights.T).max() <= SYMMETRY * abs(weights).max())


def energy(graph: Graph, output: Array, inputs: Any = None) -> Array:
    """Return E = -1/2 V^T T V - I^T V + sum_i (1/R_i) int_{g_i(0)}^{V_i} g_i^-1(v) dv, watts.

    `output`: V, (..., n), volts; the result is (...,). `inputs`: a number, (m,), or a Signal that does not change; what
    they drive is a part of I. E never rises along a solution where T is symmetric (Hopfield, PNAS 81:3088, 1984).

    Raises InputError for a graph that has no such energy, and for inputs that change.
    """
    leak, activate, synapse, driven = _parts(graph, inputs)
    if not has_energy(graph, inputs) or not isinstance(activate.function, Gain):
        raise InputError("energy: needs a Hopfield network with symmetric weights and a continuous gain")
    curve = activate.function
    # Rounding and interpolation may carry an output past the open ends of its range by some 1e-12.
    inside = np.clip(output, np.nextafter(curve.lower, np.inf), np.nextafter(curve.upper, -np.inf))
    quadratic = -0.5 * np.sum(output * apply_weights(synapse.weights, output), axis=-1)
    leaking = np.sum(curve.inverse_integral(inside) / leak.resistance, axis=-1)
    result: Array = quadratic - output @ (synapse.offset + driven) + leaking
    return result


def energy_rise(values: Array) -> float:
    """Return the largest rise above an earlier value, as a part of the range; 0 for an energy that never rises."""
    rise = float(np.max(values - np.minimum.accumulate(values), initial=0.0))
    extent = float(np.ptp(values))
    return rise / extent if extent > 0.0 else 0.0


def _parts(graph: Graph, inputs: Any) -> tuple[Leak, Activate, Affine, Array]:
    """Return the operators of a Hopfield network, and the current that its inputs drive into each neuron, amperes."""
    network = in_si(graph)
    leaks, activates = network.of_type(Leak), network.of_type(Activate)
    affines = [affine for affine in network.of_type(Affine) if network.drivers(affine) == activates]
    from_inputs = [affine for affine in network.of_type(Affine) if affine not in affines]
    if len(leaks) == len(activates) == len(affines) == 1:
        leak, activate, affine = leaks[0], activates[0], affines[0]
        around = {op.name for op in network.drivers(leak)} == {op.name for op in network.of_type(Affine)}
        if around and network.drivers(activate) == leaks and not network.of_type(Hadamard):
            driven = [_current(network, synapse, inputs) for synapse in from_inputs]
            return leak, activate, affine, np.sum([np.zeros(leak.output_size), *driven], axis=0)
    raise InputError(OTHER)


def _current(network: Graph, synapse: Affine, inputs: Any) -> Array:
    sources = network.of_type(Input)
    if network.drivers(synapse) != sources or len(sources) != 1:
        raise InputError(OTHER)
    signal = as_signal(0.0 if inputs is None else inputs, "inputs", sources[0].output_size)
    if bool(np.any(signal.values != signal.values[0])):
        raise InputError("energy: the inputs change with time, so there is no energy that falls; hold them constant")
    return apply_weights(synapse.weights, signal.values[0]) + synapse.offset
