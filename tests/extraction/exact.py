"""Networks drawn at random for all cells and gains, and how far what is read back is from them."""

from __future__ import annotations

from typing import Any

import numpy as np

import hopfield_hw as hh
from hopfield_hw.extraction import Extraction
from hopfield_hw.functions import Gain

GAINS: tuple[type[Gain], ...] = (
    hh.Tanh,
    hh.Logistic,
    hh.PiecewiseLinear,
    hh.Arctan,
    hh.Algebraic,
    hh.HardLimiter,
)


def draw_any(index: int, family: type[Gain], rng: np.random.Generator) -> hh.Network:
    """Return a network of 1 to 8 neurons: some of one neuron, without a weight, without a bias, with inputs."""
    n = 1 if index % 10 == 0 else int(rng.integers(1, 9))
    weights = (
        rng.normal(size=(n, n)) * 1e-5 * (rng.random((n, n)) < rng.choice([0.0, 0.3, 0.8, 1.0], p=[0.1, 0.3, 0.3, 0.3]))
    )
    inputs = rng.normal(size=(n, int(rng.integers(1, 4)))) * 1e-6 * (rng.random((n, 1)) < 0.8)
    with_inputs = index % 2 == 1 and bool(np.any(inputs))
    sums = np.sum(np.abs(weights), axis=1) + (np.sum(np.abs(inputs), axis=1) if with_inputs else 0.0)
    parameters: dict[str, Any] = {"amplitude": rng.uniform(0.5, 5.0, n)}
    if family is not hh.HardLimiter:
        parameters["gain"] = rng.uniform(1.0, 20.0, n)
    return hh.Network(
        weights=weights,
        resistance=rng.uniform(0.3, 0.9, n) / (sums + 2e-5),
        capacitance=rng.uniform(0.5, 2.0, n) * 1e-7,
        gain=family(**parameters),
        bias=rng.normal(size=n) * 1e-5 * (rng.random() < 0.8),
        initial=rng.normal(size=n) * 0.1,
        input_weights=inputs if with_inputs else None,
    )


def error_of(found: Extraction, network: hh.Network) -> float:
    """Return the largest relative error of any value; weights and biases count by the largest of their kind."""
    n = len(network.capacitance)
    size = float(np.max(np.abs(network.weights), initial=0.0)) or float(np.max(1.0 / network.resistance))
    errors = [
        np.max(np.abs(found.weights - network.weights)) / size,
        np.max(np.abs(found.resistance / network.resistance - 1.0)),
        np.max(np.abs(found.capacitance / network.capacitance - 1.0)),
        np.max(np.abs(found.bias - network.bias)) / (float(np.max(np.abs(network.bias))) or size),
    ]
    if network.input_weights is not None and np.size(network.input_weights):
        errors.append(
            np.max(np.abs(found.input_weights - network.input_weights)) / np.max(np.abs(network.input_weights))
        )
    if found.linear.size:
        errors.append(np.max(np.abs(found.linear)) / size)
    for k in range(n):
        gain = found.gains[k]
        if gain is None:  # nothing depends on this state
            errors.append(np.inf if np.any(network.weights[:, k]) else 0.0)
        elif type(gain) is not type(network.gain):
            errors.append(np.inf)
        else:
            wanted = network.gain.params()
            errors += [
                abs(float(np.max(value)) / float(np.broadcast_to(wanted[name], n)[k]) - 1.0)
                for name, value in gain.params().items()
            ]
    return float(np.max(errors))
