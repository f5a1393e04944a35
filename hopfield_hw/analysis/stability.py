"""How much delay a network bears before it oscillates."""

from __future__ import annotations

import numpy as np

from ..graph.weights import freeze_weights
from ..networks.network import Network
from ..values.errors import InputError


def critical_delay(network: Network) -> float:
    """Return the delay, seconds, from which on the origin of a symmetric network oscillates; infinite where none does.

    tau_c = R C (pi - arctan w)/w, w = sqrt(g^2 - 1), g = b |lambda_min(R T)|, b the slope at zero: the mode of the most
    negative eigenvalue, where g > 1 (Marcus and Westervelt, Phys. Rev. A 39:347, 1989, for one delay in all of the
    feedback). For g up to 1, or without a negative eigenvalue, no delay matters. It is a statement about small signals
    around zero state and zero bias; poles of amplifiers are not a pure delay, and are not told by it.

    Raises InputError unless R C, R and the slope are the same for all neurons and T is symmetric, and for no Network.
    """
    if not isinstance(network, Network):
        raise InputError(f"critical_delay: {network!r:.60}: must be a Network; a Graph has no weights")
    constants, slope = network.resistance * network.capacitance, np.broadcast_to(network.gain.slope, (network.size,))
    alike = all(np.allclose(values, values[0], rtol=1e-9) for values in (constants, network.resistance, slope))
    if not alike or not network.is_symmetric or not np.isfinite(constants).all():
        raise InputError("critical_delay: needs symmetric weights, and one finite R C and one slope for all neurons")
    weights = freeze_weights(network.weights, "weights").matrix
    least = float(np.min(np.linalg.eigvalsh(0.5 * (weights + weights.T)))) * float(network.resistance[0])
    g = -least * float(slope[0])
    if g <= 1.0:
        return float(np.inf)
    w = float(np.sqrt(g * g - 1.0))
    seconds = float(constants[0]) * network.seconds_per_unit
    return seconds * float(np.pi - np.arctan(w)) / w
