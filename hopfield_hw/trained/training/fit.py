"""What the training scripts share: weights within a bound, Adam, and files of arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

DATA = Path(__file__).parent.parent / "data"
BOUND = 3.0  # of every weight and bias: what resistors of one decade build


def begin(seed: int, dtype: Any = torch.float64) -> None:
    """Make a run repeatable on one machine: one thread, one seed."""
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    torch.set_default_dtype(dtype)
    torch.use_deterministic_algorithms(True)


def parameters(module: Any, readout: Any) -> dict[str, Any]:
    """Return the first numbers of a recurrent module and a linear readout, to be trained; its second bias stays 0."""
    module.bias_hh_l0.data.zero_()
    free = {f"cell.{name}": p for name, p in module.named_parameters() if name != "bias_hh_l0"}
    free |= {f"readout.{name}": p for name, p in readout.named_parameters()}
    return {name: p.detach().clone().requires_grad_(True) for name, p in free.items()}


def run(module: Any, weights: Mapping[str, Any], inputs: Any) -> Any:
    """Return what a recurrent module with these weights gives, (T, B, H), from inputs, (T, B, I)."""
    own = {name.removeprefix("cell."): w for name, w in weights.items() if name.startswith("cell.")}
    return torch.func.functional_call(module, own, (inputs,))[0]


def bound(free: Mapping[str, Any]) -> dict[str, Any]:
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
        weights = bound(free)
        total = loss(weights, step)
        (total + decay * torch.cat([w.flatten() for w in weights.values()]).square().mean()).backward()
        optimiser.step()
        schedule.step()
        if step % max(1, steps // 10) == 0 or step == steps - 1:
            print(f"step {step:5d}  loss {total.item():.3e}", flush=True)
    return {name: w.detach() for name, w in bound(free).items()}


def save(name: str, weights: Mapping[str, Any], dtype: Any = np.float32) -> None:
    """Write arrays where the package loads them from."""
    np.savez(DATA / f"{name}.npz", **{key: w.numpy().astype(dtype) for key, w in weights.items()})
    largest = max(float(w.abs().max()) for w in weights.values())
    print(f"{name}.npz: {sum(w.numel() for w in weights.values())} numbers, the largest {largest:.3f}")
