"""Waveforms: the one shape in which every machine gives its answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .arrays import Array

if TYPE_CHECKING:
    import xarray as xr


def make_dataset(
    times: Array,
    state: Array,
    output: Array,
    *,
    neurons: Sequence[str],
    ports: Sequence[str],
    attrs: dict[str, Any],
    draws: int | None = None,
) -> xr.Dataset:
    """Return `state` (time, neuron) and `output` over the same, volts, with `time` in seconds.

    Outputs have a dimension `port` of their own where they are not labelled as the neurons are. With `draws` the
    first dimension of both is `draw`.
    """
    import xarray as xr

    batch = () if draws is None else ("draw",)
    same = tuple(neurons) == tuple(ports)
    dataset = xr.Dataset(
        {
            "state": ((*batch, "time", "neuron"), state, {"units": "V"}),
            "output": ((*batch, "time", "neuron" if same else "port"), output, {"units": "V"}),
        },
        coords={"time": ("time", times, {"units": "s"}), "neuron": list(neurons)},
        attrs=attrs,
    )
    return dataset if same else dataset.assign_coords(port=list(ports))
