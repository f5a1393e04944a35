"""Scales and parts with which a network becomes a circuit that keeps within the range of its op-amps."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ..cells.inverting_integrator import InvertingIntegrator
from ..circuit import Circuit, Role
from ..lowering import lower
from ..networks.network import Network
from ..parts import MacroModel, OpAmp
from ..parts.data_sheet import amplifiers_of
from ..parts.series import Series
from ..values.errors import UnusualValueWarning
from .additions import buffer_references, compensate, decouple, start_rails
from .checks import loop_rate, room_of_states
from .choice import Stock, choose_parts
from .loops import compensation, find_loops, neuron_delays
from .realised import read_network
from .rounding import Realisation, realise
from .scaling import Bounds, Limits, Scaling, fit_ohms, fit_seconds, fit_volts, reached_states, round_down
from .ways import Way

ROUNDED = 1.05  # what rounding may add to a delay
ATTEMPTS = 4  # of scales of states, each smaller, as other scales round to other parts


class Choices(NamedTuple):
    """What a board is made with: see `design_board`."""

    cell: InvertingIntegrator
    synaptic: Stock
    others: Stock
    capacitors: Series
    limits: Limits
    synapses: Way | None
    seed: int | None
    most_rounding: float | None
    compensated: bool
    product: str
    title: str

    @property
    def part(self) -> OpAmp:
        """The op-amp."""
        part = self.cell.op_amp
        assert isinstance(part, OpAmp)
        return part

    @property
    def model(self) -> MacroModel:
        """Its macro-model."""
        model = self.part.model
        assert isinstance(model, MacroModel)
        return model


class Fitted(NamedTuple):
    """A circuit of parts: its scales, the network on these, the rounding of its weights where they are not of
    resistors of a series, and the network that its parts come to.
    """

    scaling: Scaling
    scaled: Network
    rounding: Realisation | None
    circuit: Circuit
    realised: Network


def fit_circuit(network: Network, bounds: Bounds, given: Mapping[str, float | None], choices: Choices) -> Fitted:
    """Return the circuit of a network, made of parts that can be bought.

    `given`: scales by name, None for those to be chosen. The scale of states is chosen for the network, and again, by
    what the rounded parts come to, where these take a state out of the range of the op-amps' inputs or outputs.

    Raises Unrealisable with the binding constraint.
    """
    fitted = fit_volts(choices.model, bounds, choices.limits, choices.cell.reference)
    state = fitted.state
    for _ in range(ATTEMPTS):
        made = _make_circuit(network, bounds, replace(fitted, state=state), given, choices)
        room = room_of_states(made.circuit, choices.model)
        reached = float(np.max(reached_states(made.realised, bounds, made.scaling)))
        if reached <= room or given["state"] is not None:
            break
        state = round_down(state * room / reached)
    return made


def _make_circuit(
    network: Network, bounds: Bounds, fitted: Scaling, given: Mapping[str, float | None], choices: Choices
) -> Fitted:
    chosen = {name: value for name, value in given.items() if value is not None}
    cell, limits = choices.cell, choices.limits
    scaling = replace(fitted, **chosen)
    if "time" not in chosen:
        scaling = replace(scaling, time=_fit_time(scaling.apply(network), cell, bounds.rate * scaling.state, limits))
    ohms_factor = fit_ohms(
        scaling.apply(network),
        cell.reference,
        choices.model,
        limits,
        choices.capacitors,
        free="conductance" not in chosen,
    )
    scaling = replace(scaling, conductance=scaling.conductance * ohms_factor)
    scaled = scaling.apply(network)
    rounding = None
    if choices.synapses is not None:
        rounding = realise(scaled.weights, choices.synapses, seed=choices.seed, most=choices.most_rounding)
    as_made = scaled if rounding is None else replace(scaled, weights=rounding.weights, symmetric=False)
    circuit = lower(as_made.graph(), cell=cell, title=choices.title)
    kept = {d.name for d in circuit.devices if d.origin.role == Role.WEIGHT} if rounding is not None else set()
    circuit = choose_parts(circuit, choices.synaptic, choices.others, choices.capacitors, kept=kept)
    circuit = buffer_references(circuit, choices.part, limits.usual_resistance)
    if choices.compensated:
        circuit = compensate(circuit, _compensations(circuit, limits))
    circuit = decouple(start_rails(circuit, as_made), amplifiers_of(choices.product))
    return Fitted(scaling, scaled, rounding, circuit, read_network(circuit, scaled))


def _fit_time(scaled: Network, cell: InvertingIntegrator, rate: float, limits: Limits) -> float:
    """Return by how much time must be stretched for the amplifiers of the cell; `rate`: of the states, V/s, at most."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnusualValueWarning)
        circuit = lower(scaled.graph(), cell=cell)
    circuit = compensate(circuit, _compensations(circuit, limits))
    delay = max(neuron_delays(circuit).values())
    slope = float(np.max(np.abs(scaled.gain.slope)))
    return fit_seconds(loop_rate(scaled), ROUNDED * delay, max(1.0, slope) * rate, cell.op_amp.model, limits)


def _compensations(circuit: Circuit, limits: Limits) -> dict[str, float]:
    """Return by op-amp the capacitor that its loop needs."""
    found = {}
    for loop in find_loops(circuit):
        part = loop.device.part
        if (
            not isinstance(part, OpAmp)
            or not isinstance(part.model, MacroModel)
            or not loop.feedback
            or loop.capacitance
        ):
            continue
        if loop.phase_margin(part.model, limits.stray_capacitance) < limits.phase_margin:
            value = compensation(loop, part.model, limits)
            if value is not None:
                found[loop.device.name] = value
    return found
