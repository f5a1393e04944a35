"""Train an RNN, an LSTM and a GRU on the latch problem: python -m hopfield_hw.trained.training.latch"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from ..latch import KINDS, latch_sequences
from .fit import begin, minimise, parameters, run, save

HIDDEN, LENGTHS, BATCH, STEPS = 8, (10, 60), 64, 800
# What the bias of the gate that keeps the state begins with: 2.8 within the bound. From 0 neither learnt 40 steps.
OPEN = 5.0


def main() -> None:
    for kind in KINDS:
        begin(seed=1)
        rng = np.random.default_rng(1)
        module, readout = getattr(torch.nn, kind)(1, HIDDEN), torch.nn.Linear(HIDDEN, 1)
        if kind != "RNN":
            module.bias_ih_l0.data[HIDDEN : 2 * HIDDEN] = OPEN  # f of i, f, g, o; z of r, z, n

        def loss(weights: dict[str, Any], step: int, module: Any = module, rng: np.random.Generator = rng) -> Any:
            length = int(rng.integers(*LENGTHS))
            inputs, first = (torch.as_tensor(array) for array in latch_sequences(length, BATCH, rng))
            end = run(module, weights, inputs)[-1]
            logit = torch.nn.functional.linear(end, weights["readout.weight"], weights["readout.bias"])[:, 0]
            return torch.nn.functional.softplus(-first * logit).mean()

        save(f"latch_{kind.lower()}", minimise(loss, parameters(module, readout), steps=STEPS, rate=0.02, decay=1e-4))


if __name__ == "__main__":
    main()
