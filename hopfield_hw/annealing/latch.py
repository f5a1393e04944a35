"""A latch of the best state: the energy as a voltage, the least that it has been, and the outputs at that time."""

from __future__ import annotations

import numpy as np

from ..functions import Table
from ..functions.rectifiers import LeakyRelu
from ..graph import Activate, Affine
from ..graph.building import state
from .models import dense_of
from .neurons import Neurons
from .program import scale_of

# Rates in 1 / (R C): of the least energy towards a lower one, and of the latch towards the outputs while it falls.
FOLLOW, LATCH = 10.0, 50.0
# The comparator is fully open where the energy is so much below the least one so far, of the scale of the forces.
OPEN = 0.005


def add_latch(neurons: Neurons) -> None:
    """Add `energy`, E / (n scale) without its offset, `least`, its least value, and `best`, the outputs then.

        energy = sum_i s_i (-F_i / 2 + h_i / (2 scale)) / n
        least' = -FOLLOW max(least - energy, 0)
        best' = LATCH g (s - best), with g from 0 to 1 where least - energy is from 0 to OPEN / n

    `scale` is that of the forces, the root mean square over neurons of sqrt(sum_j J_ij^2), or that of the fields where
    there are no couplings. A fall of the energy by 0.003 of it brings `best` to the outputs but for 5% of the way, a
    larger one nearer; one of 0.001 by 63%, which is neither state and refused by `AnnealingCircuit.decisions`; one
    below 0.0001 changes nothing. Parts: a multiplier a neuron, two summers, a peak detector, a comparator, and a
    track-and-hold a neuron.
    """
    n, model = neurons.n, neurons.model
    scale = scale_of(model) * n
    half = np.asarray(-0.5 / n * np.eye(n))
    neurons.add(Affine(name="share", weights=half, bias=0.5 * model.fields / scale), "couplings")
    neurons.multiply("energies", "digital", "share")
    neurons.add(Affine(name="energy", weights=np.ones((1, n))), "energies")
    highest = (0.5 * float(np.abs(dense_of(model.couplings)).sum()) + float(np.abs(model.fields).sum())) / scale
    neurons.add(state("least", np.array([highest]), decay=0.0))
    neurons.add(Affine(name="more", weights=[[1.0]]), "least")
    neurons.add(Affine(name="less", weights=[[-1.0]]), "energy")
    neurons.add(Activate(name="fall", size=1, function=LeakyRelu(below=0.0)), "more", "less")
    neurons.drive("least", neurons.add(Affine(name="follow", weights=[[-FOLLOW]]), "fall"))
    comparator = Table(x=np.array([0.0, OPEN / n]), y=np.array([0.0, 1.0]))
    neurons.add(Activate(name="better", size=1, function=comparator), "fall")
    neurons.add(Affine(name="gate", weights=np.ones((n, 1))), "better")
    neurons.add(state("held", np.full(n, neurons.middle), decay=0.0))
    neurons.scale("old", "held", -1.0)
    neurons.multiply("change", "gate", "newer")
    neurons.add(Affine(name="newer", weights=np.eye(n)), "digital", "old")
    neurons.drive("held", neurons.scale("latch", "change", LATCH))
