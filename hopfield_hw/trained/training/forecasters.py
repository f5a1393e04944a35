"""Fit a recurrent cell with a linear readout to the next value of a series."""

from __future__ import annotations

from typing import Any

import torch

from ...values.arrays import Array
from .fit import minimise, parameters, run


def fit_forecaster(
    kind: Any, series: Array, *, hidden: int, window: int, washout: int, steps: int, noise: float, decay: float
) -> dict[str, Any]:
    """Return the weights of `kind` (torch.nn.LSTM or GRU) and its readout after training on windows of a scaled series.

    Windows start every quarter of their length, from a state of 0; their first `washout` errors do not count. `noise`:
    the deviation of what is added to the inputs, drawn anew at each step, so that small errors of a state die out.
    """
    module, readout = kind(1, hidden), torch.nn.Linear(hidden, 1)
    x = torch.as_tensor(series.copy()).unfold(0, window + 1, window // 4).T.unsqueeze(-1)

    def loss(weights: dict[str, Any], step: int) -> Any:
        hidden_states = run(module, weights, x[:-1] + noise * torch.randn_like(x[:-1]))
        forecast = torch.nn.functional.linear(hidden_states, weights["readout.weight"], weights["readout.bias"])
        return (forecast - x[1:])[washout:].square().mean()

    return minimise(loss, parameters(module, readout), steps=steps, rate=0.02, decay=decay)
