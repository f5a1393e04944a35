"""The network of measured waveforms, in the form of what is read from decks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from ..functions import Tanh
from ..values.errors import InputError
from .extraction import Extraction
from .recordings import Recording
from .waveforms import WaveformFit, fit_waveforms


def as_recordings(source: Any) -> list[Recording] | None:
    """Return measured waveforms as recordings; None for what are none, a deck or a circuit.

    Of a dataset its state over (time, neuron), or over (sample, time, neuron) or (draw, time, neuron), is taken.
    """
    if isinstance(source, Recording):
        return [source]
    if isinstance(source, xr.Dataset):
        if "state" not in source or "time" not in source:
            raise InputError(
                "extract: the dataset has no `state` over `time`; give what `simulate` or `reference` return"
            )
        states, times = source["state"].to_numpy(), source["time"].to_numpy()
        runs = states[np.newaxis] if states.ndim == 2 else states
        return [Recording(times=times, states=run, label=f"sample {k}") for k, run in enumerate(runs)]
    if isinstance(source, Sequence) and not isinstance(source, str) and source:
        if all(isinstance(each, Recording) for each in source):
            return list(source)
        if all(isinstance(each, xr.Dataset) for each in source):
            return [recording for each in source for recording in as_recordings(each) or []]
    return None


def read_waveforms(recordings: Sequence[Recording], capacitance: Any) -> Extraction:
    """Return the network of waveforms, with the standard errors of its values, and what they do not tell.

    Raises InputError without capacitances: currents divide by them, and waveforms do not tell them.
    """
    if capacitance is None:
        raise InputError(
            "extract: waveforms do not tell capacitances, only T/C, 1/(R C) and I/C: give `capacitance`, (n,) or "
            "one, farads"
        )
    fit = fit_waveforms(recordings, capacitance=capacitance)
    n = len(fit.slopes)
    unknown = [f"T[{i}, {j}]" for i, j in np.argwhere(~np.asarray(fit.identified)).tolist()]
    shown = ", ".join(unknown[:6]) + (f" and {len(unknown) - 6} more" if len(unknown) > 6 else "")
    return Extraction(
        weights=fit.weights,
        resistance=fit.resistance,
        capacitance=fit.capacitance,
        bias=fit.bias,
        gains=tuple(
            Tanh(gain=float(slope), amplitude=float(a)) for slope, a in zip(fit.slopes, fit.amplitude, strict=True)
        ),
        labels=tuple(str(k) for k in range(n)),
        signs=np.ones(n),
        offsets=np.zeros(n),
        way="waveforms",
        uncertainty=_uncertainty(fit),
        unexplained=(f"not told by these waveforms: {shown}",) if unknown else (),
        notes=fit.notes,
    )


def _uncertainty(fit: WaveformFit) -> dict[str, Any]:
    weights = np.where(fit.identified, fit.weight_errors, np.inf)
    return {
        "weights": weights,
        "resistance": fit.resistance_errors,
        "bias": fit.bias_errors,
        "slopes": fit.slope_errors,
    }
