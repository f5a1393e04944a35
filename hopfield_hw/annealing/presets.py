"""Presets: dynamics with numbers that were tuned on generated models, each with the kind that it is for."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ..values.errors import InputError
from ..values.names import unknown
from .dynamics import AmplitudeCorrection, BallisticBifurcation, DiscreteBifurcation, Dynamics, GainRamp
from .models import Model
from .polynomial import PolynomialModel
from .schedules import Constant, Geometric, Linear, Power

PRESETS: Mapping[str, Dynamics] = MappingProxyType(
    {
        # Ising models of any density up to some hundred neurons; the least time to solution on dense ones.
        "ballistic": BallisticBifurcation(
            t_stop=45.5, step=0.65, start=0.19, leak=Linear(start=1.34, stop=0.079), coupling=Constant(value=0.98)
        ),
        # The same ones by a network of one capacitor a neuron.
        "first_order": GainRamp(t_stop=44.0, step=0.36, start=0.2, gain=Linear(start=0.31, stop=3.11)),
        # First order with noise: more success in one anneal, in a longer time.
        "first_order_noise": GainRamp(
            t_stop=90.0,
            step=0.32,
            start=0.09,
            gain=Linear(start=0.26, stop=8.0),
            noise=Power(start=0.64, stop=0.0, exponent=0.5),
        ),
        "discrete": DiscreteBifurcation(
            t_stop=78.0, step=0.49, start=0.094, leak=Linear(start=0.55, stop=0.097), coupling=Constant(value=0.83)
        ),
        # Sparse graphs of a thousand neurons and more; 2,500 steps, and a longer t_stop finds more.
        "large": DiscreteBifurcation(
            t_stop=1875.0, step=0.75, start=0.1, leak=Linear(start=0.9, stop=0.1), coupling=Constant(value=0.56)
        ),
        # Unions of planar graphs of that size; 5,000 steps.
        "large_planar": DiscreteBifurcation(
            t_stop=3740.0,
            step=0.748,
            start=0.106,
            leak=Linear(start=0.867, stop=0.0415),
            coupling=Constant(value=0.778),
        ),
        # Large grids with couplings of both signs.
        "large_grid": AmplitudeCorrection(
            t_stop=1740.0,
            step=0.58,
            start=0.14,
            leak=Linear(start=0.547, stop=0.239),
            coupling=Constant(value=0.781),
            rate=0.108,
            target=0.695,
        ),
        "amplitude": AmplitudeCorrection(
            t_stop=64.0,
            step=0.31,
            start=0.11,
            leak=Linear(start=1.17, stop=0.20),
            coupling=Constant(value=0.557),
            rate=0.11,
            target=0.724,
        ),
        # Native 0/1 models of some tens of neurons: twenty steps a run; tuned on generated ones alone.
        "binary": GainRamp(
            t_stop=11.8,
            step=0.59,
            start=0.072,
            gain=Geometric(start=1.85, stop=31.5),
            noise=Power(start=0.054, stop=0.0),
            bound=2.0,
        ),
        # Groups: graph colouring.
        "colouring": GainRamp(
            t_stop=26.0, step=0.38, start=0.17, gain=Geometric(start=4.0, stop=40.0), noise=Power(start=0.2, stop=0.0)
        ),
    }
)


def default_preset(model: Model) -> Dynamics:
    """Return the preset for a kind of model: ballistic for quadratic Ising models, first order for others."""
    if model.kind == "binary":
        return PRESETS["binary"]
    if model.kind == "grouped":
        return PRESETS["colouring"]
    return PRESETS["first_order_noise" if isinstance(model, PolynomialModel) else "ballistic"]


def as_dynamics(value: Any) -> Dynamics:
    """Return a dynamics, or the preset of a name. Raises InputError for others."""
    if isinstance(value, Dynamics):
        return value
    if isinstance(value, str) and value in PRESETS:
        return PRESETS[value]
    if isinstance(value, str):
        raise InputError(unknown("preset", value, PRESETS))
    raise InputError(f"`dynamics` = {value!r:.60}: must be a Dynamics or the name of a preset: {', '.join(PRESETS)}")
