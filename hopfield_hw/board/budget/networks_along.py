"""The right-hand sides of networks along waveforms."""

from __future__ import annotations

import numpy as np

from ...networks.network import Network
from ...values.arrays import Array, dense
from ..realised import Crossbar


def crossbar_of(network: Network) -> Crossbar:
    """Return what a network conducts, as if all of its weights came from rails."""
    n = network.capacitance.size
    weights = dense(network.weights)
    return Crossbar(
        positive=weights,
        negative=np.zeros((n, n)),
        inputs=network.input_weights,
        ratios=-np.ones(n),
        bias=np.zeros(n),
        current=np.asarray(network.bias),
        leak=1.0 / network.resistance,
        capacitance=np.asarray(network.capacitance),
    )


def rates_along(network: Network, states: Array, inputs: Array | None) -> Array:
    """Return dx/dt = (-x/R + T g(x) + B u + I)/C at states, (P, n), and inputs, (P, m)."""
    return rates_of_crossbar(crossbar_of(network), states, network.gain.value(states), inputs)


def rates_of_crossbar(crossbar: Crossbar, states: Array, outputs: Array, inputs: Array | None) -> Array:
    """Return dx/dt of a crossbar at states and outputs, (P, n), and inputs, (P, m)."""
    total = crossbar.positive + crossbar.negative * crossbar.ratios
    into = outputs @ total.T + crossbar.current - states * crossbar.leak
    if crossbar.inputs is not None and inputs is not None:
        into = into + inputs @ crossbar.inputs.T
    return np.asarray(into / crossbar.capacitance)
