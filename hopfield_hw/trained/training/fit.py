"""What the training scripts share: weights within a bound, full-batch Adam, and files of arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

DATA = Path(__file__).parent.parent / "data"
BOUND = 3.0  # of every weight and bias: what resistors of one decade build


def begin(seed: int) -> None:
    """Make a run repeatable on one machine: one thread, float64, one seed."""
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    torch.use_deterministic_algorithms(True)


def bounded(free: Mapping[str, Any]) -> dict[str, Any]:
    """Return BOUND tanh(v / BOUND) of every array: within the bound whatever the free numbers are."""
    return {name: BOUND * torch.tanh(v / BOUND) for name, v in free.items()}


def minimise(
    loss: Callable[[dict[str, Any], int], Any], free: dict[str, Any], *, steps: int, rate: float, decay: float
) -> dict[str, Any]:
    """Return the weights that Adam finds in `steps`, its rate falling to 0 along a cosine.

    `loss`: of the bounded weights and the number of the step; `decay` times the mean square of the weights is added.
    """
    optimiser = torch.optim.Adam(free.values(), lr=rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for step in range(steps):
        optimiser.zero_grad()
        weights = bounded(free)
        total = loss(weights, step)
        (total + decay * torch.cat([w.flatten() for w in weights.values()]).square().mean()).backward()
        optimiser.step()
        schedule.step()
        if step % max(1, steps // 10) == 0 or step == steps - 1:
            print(f"step {step:5d}  loss {total.item():.3e}", flush=True)
    return {name: w.detach() for name, w in bounded(free).items()}


def save(name: str, weights: Mapping[str, Any]) -> None:
    """Write arrays, float32, where the package loads them from."""
    np.savez(DATA / f"{name}.npz", **{key: w.numpy().astype(np.float32) for key, w in weights.items()})
    print(f"{name}.npz: {sum(w.numel() for w in weights.values())} numbers, the largest {max_size(weights):.3f}")


def max_size(weights: Mapping[str, Any]) -> float:
    """Return the largest absolute value."""
    return max(float(w.abs().max()) for w in weights.values())
