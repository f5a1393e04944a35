"""What the op-amps of a board are asked for, against what they can do.

It is measured: the board runs once with op-amps that give any voltage, current and slope. So a board that cannot work
is refused for what it would need, and not for what it does once it has failed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from ..circuit import GROUND, Circuit, Device
from ..graph import Activate
from ..parts import MacroModel, OpAmp
from ..spice.analyses import Result, run_transient
from ..values.arrays import Array
from .budget.imperfections import switch_on
from .checks import Check, nearest_to_limit
from .scaling import Limits
from .start import start_at_rest

# Enough to see extremes to a percent.
STEPS, ACCURACY = 300, 1e-4
# Slopes are taken between points this part of the run apart.
SLOPE_SPAN = 1e-4
STARTED = 1e-3  # of the run: before that, amplifiers whose start is not known find their place


class Demand(NamedTuple):
    """What one op-amp is asked for: volts at its output and inputs, amperes, volts a second."""

    device: Device
    lowest: float
    highest: float
    current: float
    input_lowest: float
    input_highest: float
    slew: float


def find_demands(circuit: Circuit, *, t_stop: float, inputs: Any = None, timeout: float = 600.0) -> tuple[Demand, ...]:
    """Return what each op-amp of a circuit is asked for over a run with op-amps that have no limits.

    Op-amps within an amplifier are left out, and keep their limits: they shape its curve, and may open their loop or
    end at a rail by design where that is flat.
    """
    ideal = start_at_rest(_without_limits(circuit), t_stop, inputs)
    run = run_transient(
        ideal.driven(inputs), t_stop, step=t_stop / STEPS, initial=ideal.initial, accuracy=ACCURACY, timeout=timeout
    )
    return tuple(
        _demand(d, run) for d in circuit.devices if isinstance(d.part, OpAmp) and not is_within_amplifier(circuit, d)
    )


def _without_limits(circuit: Circuit) -> Circuit:
    """Return the circuit with op-amps of their bandwidth alone, but for those within amplifiers, which have a swing."""
    free, limited = (switch_on(circuit, names) for names in (("gain_bandwidth",), ("gain_bandwidth", "swing")))
    devices = tuple(
        with_swing if isinstance(device.part, OpAmp) and is_within_amplifier(circuit, device) else without
        for device, without, with_swing in zip(circuit.devices, free.devices, limited.devices, strict=True)
    )
    return replace(circuit, devices=devices)


def is_within_amplifier(circuit: Circuit, device: Device) -> bool:
    """Return whether an op-amp is one of several of an amplifier, and not the one that gives its output."""
    operator, _, element = device.origin
    graph = circuit.graph
    if graph is None or len(element) != 1 or not isinstance(graph.by_name.get(operator), Activate):
        return False
    rails = {probe.node for probe in circuit.outputs} | {
        f"{operator}{end}_{graph.labels(graph.by_name[operator])[element[0]]}" for end in ("", "n")
    }
    return device.nodes[2] not in rails


def _demand(device: Device, run: Result) -> Demand:
    plus, minus, output, *_ = device.nodes
    at = {
        node: np.real(run.voltage(node)) if node != GROUND else np.zeros(run.axis.size)
        for node in (plus, minus, output)
    }
    current = 1e-3 * np.max(np.abs(np.real(run.voltage(f"{device.name}.current"))))
    both = np.concatenate([at[plus], at[minus]])
    v = at[output]
    return Demand(
        device=device,
        lowest=float(v.min()),
        highest=float(v.max()),
        current=float(current),
        input_lowest=float(both.min()),
        input_highest=float(both.max()),
        slew=_steepest(run.axis, v),
    )


def _steepest(times: Array, volts: Array) -> float:
    """Return the largest slope over spans that are long enough to be more than rounding."""
    span = SLOPE_SPAN * float(times[-1])
    grid = np.arange(STARTED * float(times[-1]), float(times[-1]), span)
    return float(np.max(np.abs(np.diff(np.interp(grid, times, volts))), initial=0.0)) / span


def check_demands(demands: tuple[Demand, ...], limits: Limits) -> Iterator[Check]:
    """Yield the checks of swing, common mode, current and slew, each of the op-amp that is nearest to its limit."""
    modelled = [(d, d.device.part.model) for d in demands if isinstance(d.device.part, OpAmp)]
    known = [(d, model) for d, model in modelled if isinstance(model, MacroModel)]
    yield nearest_to_limit(_swing(d, model) for d, model in known)
    yield nearest_to_limit(_common_mode(d, model) for d, model in known)
    yield nearest_to_limit(_current(d, model, limits) for d, model in known)
    yield nearest_to_limit(_slew(d, model, limits) for d, model in known if d.device.origin.element)


def _swing(demand: Demand, model: MacroModel) -> Check:
    low, high = model.swing(demand.current)[0], model.swing(demand.current)[1]
    over = max(demand.highest - high, low - demand.lowest)
    asked = demand.highest if demand.highest - high >= low - demand.lowest else demand.lowest
    end = high if demand.highest - high >= low - demand.lowest else low
    return Check(
        name="headroom",
        where=f"{demand.device.name} is asked for {asked:.3g} V, and ends at {end:.3g} V: beyond by",
        found=over,
        limit=0.0,
        unit="V",
        sense="at most",
        cure=f"take supplies {over:.2g} V further out, or scales smaller by {abs(end / asked) if asked else 1.0:.2g}",
    )


def _common_mode(demand: Demand, model: MacroModel) -> Check:
    low, high = model.common_mode()
    over = max(demand.input_highest - high, low - demand.input_lowest)
    over = over if math.isfinite(over) else -model.supply_plus + model.supply_minus
    beyond = (
        "the output runs to the upper rail: phase reversal" if model.beyond_common_mode == "reverse" else "inputs stop"
    )
    name = "phase reversal" if model.beyond_common_mode == "reverse" else "common mode"
    return Check(
        name=name,
        where=f"inputs of {demand.device.name} at {demand.input_lowest:.3g} to {demand.input_highest:.3g} V, range "
        f"{low:.3g} to {high:.3g} V ({beyond}): beyond by",
        found=over,
        limit=0.0,
        unit="V",
        sense="at most",
        cure=f"take a supply {max(over, 0.0):.2g} V further out, or an op-amp whose inputs reach it",
    )


def _current(demand: Demand, model: MacroModel, limits: Limits) -> Check:
    most = limits.output_current * min(model.source_current, model.sink_current)
    return Check(
        name="output current",
        where=f"{demand.device.name} is asked for",
        found=demand.current,
        limit=most,
        unit="A",
        sense="at most",
        cure=f"take resistors {demand.current / most:.2g} times as large, or a smaller output scale",
    )


def _slew(demand: Demand, model: MacroModel, limits: Limits) -> Check:
    most = limits.slew * model.slew_rate
    return Check(
        name="slew rate",
        where=f"{demand.device.name} is asked for",
        found=demand.slew * 1e-6,
        limit=most * 1e-6,
        unit="",
        sense="at most",
        cure=f"take a time scale {demand.slew / most:.2g} times as large (figures in V/us)",
    )
