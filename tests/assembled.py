"""Circuits and boards for tests of what boards carry, and the deck that components alone make."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

import hopfield_hw as hh
from hopfield_hw.assembly import Assembly, Component, write_library
from hopfield_hw.board.additions import buffer_references, decouple, start_rails
from hopfield_hw.cells.inverting_integrator import InvertingIntegrator
from hopfield_hw.circuit import Circuit
from hopfield_hw.graph import Affine, Clock, Edge, Graph, Hadamard, Hold, Input, Leak, Output
from hopfield_hw.parts import OpAmp, as_op_amp
from hopfield_hw.parts.data_sheet import amplifiers_of, find_data_sheet

PERIOD = 1e-3
TANH, LINEAR = hh.Tanh(gain=4.0), hh.PiecewiseLinear(gain=4.0)
# By amplifier, a gain curve that it makes.
GAINS: Mapping[str, Any] = {
    "differential_pair": TANH,
    "ota": TANH,
    "diode_clamp": TANH,
    "zener_clamp": LINEAR,
    "piecewise_linear": LINEAR,
}


def op_amp(name: str = "TL074", supplies: tuple[float, float] = (12.0, -12.0)) -> OpAmp:
    """Return an op-amp of a data sheet on its supplies."""
    return as_op_amp(find_data_sheet(name).model(supplies))


def network(n: int, *, gain: Any = TANH, inputs: int = 0, seed: int = 1) -> hh.Network:
    """Return a dense network of random weights and biases, none of them 0 off the diagonal."""
    rng = np.random.default_rng(seed)
    weights = rng.uniform(0.2, 1.0, (n, n)) * rng.choice([-1.0, 1.0], (n, n)) * 4e-5 / max(1.0, n / 4.0)
    np.fill_diagonal(weights, 0.0)
    given: dict[str, Any] = {} if not inputs else {"input_weights": rng.uniform(1e-5, 4e-5, (n, inputs))}
    return hh.Network(
        weights=weights,
        capacitance=1e-8,
        resistance=1e4,
        gain=gain,
        bias=rng.choice([-1.0, 1.0], n) * 1e-5,
        initial=rng.uniform(-0.3, 0.3, n),
        **given,
    )


def integrators(
    net: hh.Network,
    *,
    amplifier: str = "differential_pair",
    part: str = "TL074",
    common_line: bool = False,
    buffered: bool = True,
) -> Circuit:
    """Return the circuit of a network in parts, with the buffers and the decoupling of a board or without them."""
    cell = InvertingIntegrator(op_amp=op_amp(part), amplifier=amplifier, reference=5.0, common_line=common_line)
    circuit = hh.lower(net.graph(), cell=cell, title="integrators")
    if not buffered:
        return circuit
    buffered_ones = start_rails(buffer_references(circuit, cell.op_amp, 1e4), net)
    return decouple(buffered_ones, amplifiers_of(part))


def alike(n: int) -> hh.Network:
    """Return a network of uniform inhibition."""
    weights = np.full((n, n), -3e-5)
    np.fill_diagonal(weights, 1e-5)
    bias, initial = np.linspace(1e-5, 2e-5, n), np.linspace(-0.3, 0.3, n)
    return hh.Network(weights=weights, capacitance=1e-8, resistance=1e4, gain=TANH, bias=bias, initial=initial)


def clocked() -> Graph:
    """Return a graph with products, sample-and-holds, inputs, and weights that see a sum of two drivers."""
    return Graph(
        operators=(
            Input(name="u", size=2),
            Hold(name="x", clock=Clock(period=PERIOD), initial=[0.2, -0.1]),
            Affine(name="w", weights=[[0.5, -0.25], [0.0, 1.5]], bias=[0.1, -0.2]),
            Hadamard(name="p", size=2),
            Output(name="y", size=2),
        ),
        edges=(
            *(Edge(source, "w") for source in ("u", "x")),
            *(Edge(source, "p", "left") for source in ("u", "w")),
            Edge("x", "p", "right"),
            Edge("p", "x"),
            Edge("w", "x"),
            Edge("p", "y"),
            Edge("w", "y"),
        ),
    )


def linear() -> Graph:
    """Return a linear system of two states, which cells without gain curves hold."""
    return Graph(
        operators=(
            Leak(name="x", capacitance=[1e-8, 1e-8], resistance=[1e4, 1e4], initial=[0.3, -0.2]),
            Affine(name="w", weights=[[0.0, 5e-5], [-8e-5, 0.0]]),
            Output(name="y", size=2),
        ),
        edges=(Edge("x", "w"), Edge("w", "x"), Edge("x", "y")),
    )


def in_rc(graph: Graph, supplies: tuple[float, float] = (12.0, -12.0)) -> Circuit:
    """Return a graph in summers, multipliers and sample-and-holds."""
    return hh.lower(graph, cell=hh.ActiveRC(op_amp=op_amp(supplies=supplies), multiplier="ad633"), title="active RC")


def _in_amplifiers(name: str) -> Circuit:
    # With buffered references ngspice 39 finds no start for an OTA between them.
    return integrators(network(3, gain=GAINS[name], inputs=2), amplifier=name, buffered=name != "ota")


# Circuits of parts alone, each another way.
CIRCUITS: Mapping[str, Callable[[], Circuit]] = {
    **{name: partial(_in_amplifiers, name) for name in GAINS},
    "references that are sources": lambda: integrators(network(3), buffered=False),
    "common line": lambda: integrators(alike(4), common_line=True),
    "clocked": lambda: in_rc(clocked()),
    "linear in active RC": lambda: in_rc(linear()),
    "summing amplifier": lambda: hh.lower(linear(), cell=hh.SummingAmplifier(op_amp=op_amp())),
    "crossbar as one device": lambda: hh.lower(
        network(4).graph(),
        cell=InvertingIntegrator(op_amp=op_amp(), amplifier="differential_pair", reference=5.0),
        crossbars=True,
    ),
}


def without(net: hh.Network, i: int, j: int) -> hh.Network:
    """Return a network without one synapse."""
    weights = net.weights.toarray() if hasattr(net.weights, "toarray") else np.array(net.weights)
    weights[i, j] = 0.0
    return replace(net, weights=weights)


def write_components(assembly: Assembly) -> list[str]:
    """Return a deck of an assembly's components, written from their pins, values and Sim.* fields as KiCad does."""
    library = write_library(assembly).split("\n")
    ports = {words[1]: words[2:] for words in map(str.split, library) if words and words[0] == ".subckt"}
    simulated = [component for component in assembly.components if component.simulated]
    return [*(_element(component, ports) for component in simulated), *library]


def _element(component: Component, ports: Mapping[str, list[str]]) -> str:
    fields, reference = component.fields, component.reference
    nets = {
        pin: f"open_{reference}_{pin}" if net is None else "0" if net == "GND" else net
        for pin, net in component.pins.items()
    }
    kind = fields.get("Sim.Device", "")
    if not kind:
        return f"{reference} {nets['1']} {nets['2']} {component.value}"
    at = {model: nets[pin] for pin, _, model in (word.partition("=") for word in fields["Sim.Pins"].split())}
    if kind == "V":
        return f"V{reference} {at['+']} {at['-']} {fields['Sim.Params'].replace('=', ' ')}"
    if kind == "D":
        return f"{reference} {at['A']} {at['K']} {fields['Sim.Name']}"
    name = fields["Sim.Name"]
    order = [port for port in ports[name] if "=" not in port]
    return " ".join([f"X{reference}", *(at[port] for port in order), name, fields.get("Sim.Params", "")])
