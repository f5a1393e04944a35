"""Random networks, to verify machines against each other."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp

from ..functions import GAINS, Gain, Table
from ..networks.network import Network

# Listed, so that a seed gives the same network whatever curves are added.
CURVES = ("tanh", "logistic", "piecewise_linear", "arctan", "algebraic", "table")


def random_network(rng: np.random.Generator) -> Network:
    """Return a network of 2 to 64 neurons with gains from 1 to 100 and six gain curves.

    Symmetric or not, dense or sparse, with R near 10 kOhm and C near 100 nF, each spread over a factor of four. The
    weights R T are normal with a standard deviation near 1 / sqrt(inputs), and so is R I with one near 1 V: nodes swing
    by a few amplitudes, and most networks settle or oscillate rather than amplify errors without end (that takes
    stronger weights than biases).
    """
    n = int(np.round(2.0 * 32.0 ** rng.uniform()))
    dense = n < 6 or bool(rng.integers(2))
    present = np.ones((n, n), dtype=bool) if dense else rng.uniform(size=(n, n)) < rng.uniform(0.1, 0.4)
    resistance = 1e4 * 2.0 ** rng.uniform(-1.0, 1.0, n)
    weights = rng.normal(size=(n, n)) * present * 1e-4 / np.sqrt(max(present.mean() * n, 1.0))
    if bool(rng.integers(2)):
        weights = np.triu(weights) + np.triu(weights, 1).T
    return Network(
        weights=weights if dense else sp.csr_array(weights),
        resistance=resistance,
        capacitance=1e-7 * 2.0 ** rng.uniform(-1.0, 1.0, n),
        gain=random_gain(rng, n),
        bias=rng.normal(size=n) * 1e-4,
        initial=rng.uniform(-3.0, 3.0, n),
    )


def random_gain(rng: np.random.Generator, n: int) -> Gain:
    """Return one of six curves, with a gain from 1 to 100 (log-uniform), for n neurons."""
    curve: Any = GAINS[str(rng.choice(CURVES))]
    gain = 100.0 ** rng.uniform()
    if curve is Table:
        x = np.linspace(-3.0, 3.0, 13) / gain
        return Table(x=x, y=np.tanh(gain * x))
    spread = rng.uniform(0.9, 1.1, n)
    found: Gain = curve(gain=np.minimum(gain * spread, 100.0), amplitude=rng.uniform(0.5, 2.0))
    return found
