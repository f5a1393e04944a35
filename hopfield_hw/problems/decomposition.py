"""Decomposition of a signal into parts of a dictionary, each there or not (Tank and Hopfield 1986)."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..functions import Logistic
from ..networks.network import Network
from ..values.arrays import Array, freeze, positive, whole
from ..values.errors import InputError

REFERENCE = 1.0  # volts: minus this, through a resistor, is the constant part of a bias
MOST_PARTS = 1000


def decomposition(
    *, parts: Any, siemens: float = 1e-5, capacitance: Any = 1e-9, gain: float = 100.0, resistance: Any = None
) -> Network:
    """Return the network that says which parts e_k a signal x = sum_k V_k e_k is made of, V_k = 0 or 1.

    T_kl = -e_k . e_l s, T_kk = 0;  I_k = (x . e_k - e_k . e_k / 2) s;  outputs from 0 to 1 V

    with s = `siemens`. Its energy is |x - sum_k V_k e_k|^2 / 2 and a term sum_k |e_k|^2 V_k (1 - V_k) / 2 that favours
    the corners, from which the sign of I_k follows. D. W. Tank and J. J. Hopfield, IEEE Trans. CAS-33:533 (1986).

    `parts`: (k, n), one row a part. x are the n inputs, volts. `resistance`: ohms, R_k; by default what the resistors
    add up to, 1/R_k = sum_l |T_kl| + sum_i |e_ki| s + |e_k|^2 s / 2. `gain`: the slope of the logistic curve at zero.

    Raises InputError for parts that are not rows, a part that is all 0, and values that are not positive.
    """
    rows = freeze(parts, "decomposition.parts")
    if rows.ndim != 2 or not rows.size or len(rows) > MOST_PARTS:
        raise InputError(f"`decomposition.parts` has shape {rows.shape}: must be (k, n), 1 to {MOST_PARTS} parts")
    products = rows @ rows.T
    power = np.diag(products).copy()
    if bool(np.any(power == 0.0)):
        raise InputError(
            f"`decomposition.parts[{int(np.argmin(power))}]` is all 0: would be in every signal; leave it out"
        )
    unit = float(positive(siemens, "decomposition.siemens", shape=(), unit="S"))
    synapses = -products
    np.fill_diagonal(synapses, 0.0)
    total = np.abs(synapses).sum(axis=1) + np.abs(rows).sum(axis=1) + 0.5 * power
    return Network(
        weights=synapses * unit,
        resistance=1.0 / (total * unit) if resistance is None else resistance,
        capacitance=capacitance,
        gain=Logistic(gain=gain),
        bias=-0.5 * REFERENCE * power * unit,
        input_weights=rows * unit,
        symmetric=True,
    )


def planted_signal(
    parts: Any, *, seed: int, noise: float = 0.0, share: float = 0.5
) -> tuple[Array, npt.NDArray[np.bool_]]:
    """Return a signal, (n,), and which parts, (k,), it was made of: each with probability `share`, and normal noise.

    Raises InputError for parts that are not rows, and a share out of range.
    """
    rows = freeze(parts, "parts")
    if rows.ndim != 2 or not rows.size:
        raise InputError(f"`parts` has shape {rows.shape}: must be (k, n), one row a part")
    chance = float(freeze(share, "share", shape=()))
    if not 0.0 <= chance <= 1.0:
        raise InputError(f"`share` = {chance:g}: must be from 0 to 1")
    rng = np.random.default_rng(whole(seed, "seed", 0, 2**63 - 1))
    there = rng.random(len(rows)) < chance
    signal = there @ rows + float(freeze(noise, "noise", shape=())) * rng.normal(size=rows.shape[1])
    return signal, there
