"""What each imperfection of op-amps adds to the first-order equation, from a run of the board with ideal op-amps."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ...circuit import GROUND, Circuit, Device, Role
from ...graph import Activate, Affine, Graph, Input, Leak, Operator
from ...parts import Diode, MacroModel, OpAmp, Resistor
from ...spice.analyses import Result
from ...values.arrays import Array
from ..loops import find_loops
from ..realised import Crossbar, conductance_of
from .first_order import Source
from .responses import Curves

STATIC = ("offset", "gain", "rejection")


class Seen(NamedTuple):
    """An op-amp along a run: its output, both inputs, volts, and the current that it gives, amperes; (P,) each.

    `is_open`: a diode opens its loop, so that its speed and its limits belong to the curve.
    """

    device: Device
    model: MacroModel
    output: Array
    plus: Array
    minus: Array
    current: Array
    is_open: bool

    @property
    def common_mode(self) -> Array:
        return 0.5 * (self.plus + self.minus)


@dataclass(frozen=True, kw_only=True, eq=False)
class Run:
    """A run of a circuit on an even grid, (P,): `states` and `outputs`, (P, n), and its op-amps by name."""

    times: Array
    states: Array
    outputs: Array
    op_amps: dict[str, Seen]

    @property
    def slopes(self) -> dict[str, float]:
        """The largest |dv/dt| of each op-amp's output over its slew rate; 1 where a clamp lets go of its loop."""
        step = self.times[1] - self.times[0]
        return {
            name: float(np.max(np.abs(np.gradient(seen.output, step)))) / seen.model.slew_rate
            for name, seen in self.op_amps.items()
        }


def read_run(circuit: Circuit, whole: Circuit, result: Result, times: Array) -> Run:
    """Return a run on a grid. `whole`: the circuit whose op-amps have all their figures."""
    # The first sample of a start as it is (`uic`) is none of the waveform.
    axis = result.axis[1:]

    def at(node: str) -> Array:
        if node == GROUND:
            return np.zeros(times.size)
        return np.interp(times, axis, np.real(result.voltage(node))[1:])

    opened = {node for device in circuit.devices if isinstance(device.part, Diode) for node in device.nodes}
    seen = {}
    for device in whole.devices:
        model = device.part.model if isinstance(device.part, OpAmp) else None
        if isinstance(model, MacroModel):
            plus, minus, output, *_ = device.nodes
            current = 1e-3 * at(f"{device.name}.current")
            seen[device.name] = Seen(device, model, at(output), at(plus), at(minus), current, output in opened)
    return Run(
        times=times,
        states=np.stack([probe.scale * at(probe.node) for probe in circuit.states], axis=1),
        outputs=np.stack([probe.scale * at(probe.node) for probe in circuit.outputs], axis=1),
        op_amps=seen,
    )


def input_error(name: str, seen: Seen, step: float) -> Array:
    """Return e(t) of one imperfection of an op-amp, volts, (P,); see `first_order`."""
    model, y = seen.model, seen.output
    if seen.is_open and name not in STATIC:
        return np.zeros(y.shape)
    fast = 2.0 * math.pi * model.gain_bandwidth

    def rate(values: Array) -> Array:
        return np.asarray(np.gradient(values, step, edge_order=2))

    if name == "offset":
        own = seen.device.part.offset if isinstance(seen.device.part, OpAmp) else 0.0
        return np.full(y.shape, model.offset + own)
    if name == "gain":
        return (0.5 * (model.supply_plus + model.supply_minus) - y) / model.gain
    if name == "rejection":
        middle = 0.5 * (model.supply_plus + model.supply_minus)
        whole = model.supply_plus - model.supply_minus
        return (seen.common_mode - middle) * model.by_common_mode + (whole - model.nominal_supply) * model.by_supply
    if name == "gain_bandwidth":
        return -rate(y) / fast
    if name == "second_pole" and math.isfinite(model.second_pole):
        return -rate(rate(y)) / fast / (2.0 * math.pi * model.second_pole)
    if name == "slew_rate":
        asked = rate(y)
        part = np.minimum(np.abs(asked) / model.slew_rate, 0.999)
        return -asked / fast * (1.0 / np.sqrt(1.0 - part**2) - 1.0)
    if name == "output_resistance":
        loaded = 1.0 + model.output_resistance / model.load
        drop = model.output_resistance * seen.current / loaded
        found = -(rate(y / loaded + drop) - rate(y)) / fast
        # The gain stage starts where the output does, and rises by the drop at once: a pulse of this area.
        found[0] -= 2.0 * drop[0] / (fast * step)
        return np.asarray(found)
    return np.zeros(y.shape)


@dataclass(frozen=True, kw_only=True, eq=False)
class Place:
    """Where the errors of a board's op-amps go: into which node, rail or reference."""

    circuit: Circuit
    graph: Graph
    crossbar: Crossbar
    curves: Curves
    run: Run
    responses: list[dict[str, Array]]

    def source(self, name: str) -> Source:
        """Return what one imperfection of OF_OP_AMPS adds."""
        if name == "bias_current":
            return self._bias()
        found = Source.none(self.run.states.shape)
        step = float(self.run.times[1] - self.run.times[0])
        errors = {one: input_error(name, seen, step) for one, seen in self.run.op_amps.items()}
        for k, device in enumerate(self._of(Leak)):
            found.summing[:, k] = errors[device.name]
        for k, device in self._inverters():
            found.inverters[:, k] = errors[device.name]
        for k, answers in enumerate(self.responses):
            for one, table in answers.items():
                if one in errors:
                    found.rails[:, k] += np.interp(self.run.states[:, k], self.curves.x, table) * errors[one]
        references = self._references({one: errors[one] for one in errors if "reference" in one})
        found.current[:] += self._by_reference(references)
        for current, conductances in self._input_inverters(errors):
            found.current[:] += current[:, np.newaxis] * conductances
        return found

    def lag_of_compensation(self) -> Source:
        """Return what capacitors for stability add: a lag of R_f C_f of each of an amplifier's op-amps, and
        at the complements."""
        found = Source.none(self.run.states.shape)
        step = float(self.run.times[1] - self.run.times[0])
        rates = np.gradient(self.run.outputs, step, axis=0, edge_order=2)
        lags = {loop.device.name: loop.lag for loop in find_loops(self.circuit)}
        for k, answers in enumerate(self.responses):
            own = sum(lags[name] for name in answers if self.circuit.device(name).origin.element)
            found.rails[:, k] = -own * rates[:, k]
        for k, device in self._inverters():
            ratio = -self.crossbar.ratios[k]
            found.inverters[:, k] = lags[device.name] * ratio / (1.0 + ratio) * rates[:, k]
        return found

    def change_of_curves(self, table: Array) -> Source:
        """Return what another curve adds, v(x) by neuron off by a table, (n, Q)."""
        found = Source.none(self.run.states.shape)
        found.rails[:] = self.curves.at(table, self.run.states)
        return found

    def _bias(self) -> Source:
        found = self.change_of_curves(self.curves.change("bias_current"))
        for k, device in enumerate(self._of(Leak)):
            found.current[:, k] -= self.run.op_amps[device.name].model.input_current(-1.0)
        for k, device in self._inverters():
            ohms = self._feedback(device)
            found.inverters[:, k] = self.run.op_amps[device.name].model.input_current(-1.0) * ohms
        for device in self.circuit.devices:
            if device.name == "X_reference_n" and isinstance(device.part, OpAmp):
                model = device.part.model
                ohms = 2.0 * self._feedback(device)  # as an error of the input, which comes twice
                if isinstance(model, MacroModel):
                    e = {device.name: np.full(self.run.times.size, model.input_current(-1.0) * ohms / 2.0)}
                    found.current[:] += self._by_reference(self._references(e))
        return found

    def _feedback(self, device: Device) -> float:
        """Return the resistance of feedback and input of an inverter in parallel, ohms."""
        _, minus, *_ = device.nodes
        ends = [d for d in self.circuit.devices if isinstance(d.part, Resistor) and minus in d.nodes]
        return 1.0 / sum(1.0 / d.part.resistance for d in ends if isinstance(d.part, Resistor))

    def _of(self, kind: type) -> tuple[Device, ...]:
        operator: Operator = self.graph.of_type(kind)[0]
        return tuple(
            self.circuit.devices_from(operator.name, (k,), Role.OP_AMP)[0] for k in range(operator.output_size)
        )

    def _inverters(self) -> Iterator[tuple[int, Device]]:
        (activate,) = self.graph.of_type(Activate)
        for k in range(activate.output_size):
            for device in self.circuit.devices_from(activate.name, (k,), Role.OP_AMP):
                if device.name not in self.responses[k] and device.name in self.run.op_amps:
                    yield k, device

    def _references(self, errors: dict[str, Array]) -> tuple[Array, Array]:
        """Return by how much the positive and the negative reference are off, volts."""
        zero = np.zeros(self.run.times.size)
        plus = errors.get("X_reference_p", zero)
        ratios = [
            -d.part.resistance
            for d in self.circuit.devices
            if d.name == "R_reference_feedback" and isinstance(d.part, Resistor)
        ]
        entries = [
            d.part.resistance
            for d in self.circuit.devices
            if d.name == "R_reference_in" and isinstance(d.part, Resistor)
        ]
        ratio = ratios[0] / entries[0] if ratios and entries else -1.0
        return plus, ratio * plus + (1.0 - ratio) * errors.get("X_reference_n", zero)

    def _by_reference(self, references: tuple[Array, Array]) -> Array:
        plus, minus = references
        positive = self.crossbar.current > 0.0
        return np.where(positive, plus[:, np.newaxis], minus[:, np.newaxis]) * self.crossbar.bias

    def _input_inverters(self, errors: dict[str, Array]) -> Iterator[tuple[Array, Array]]:
        """Yield by how much each complement of an input is off, volts, and what conducts from it, (n,), siemens."""
        inputs = {one.name for one in self.graph.of_type(Input)}
        size = self.crossbar.capacitance.size
        for name, error in errors.items():
            device = self.run.op_amps[name].device
            operator, _, element = device.origin
            if operator not in inputs or not element:
                continue
            conductances = np.zeros(size)
            for affine in self.graph.of_type(Affine):
                for k in range(size):
                    devices = self.circuit.devices_from(affine.name, (k, element[0]), Role.WEIGHT)
                    if any(device.nodes[2] in d.nodes for d in devices):
                        conductances[k] += conductance_of(devices)
            yield 2.0 * error, conductances
