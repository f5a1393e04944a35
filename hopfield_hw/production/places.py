"""Where the values of a board's parts stand in its static equation: found once, then read for many boards at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..board.realised import reference_volts
from ..circuit import Circuit, Device, Role
from ..graph import Affine, Graph, Input, Leak
from ..parts import Capacitor, MacroModel, OpAmp, Resistor
from ..tolerance.draws import Column
from ..values.arrays import Array
from ..values.errors import InputError

Indices = npt.NDArray[np.intp]
FIGURES = ("offset", "bias_current", "offset_current", "gain")


class Groups(NamedTuple):
    """Resistors that act as one: `first` and `second`, their places, (k,); no second where that is -1.

    `parallel`: whether two stand side by side, (k,); else in a row.
    """

    first: Indices
    second: Indices
    parallel: npt.NDArray[np.bool_]

    def conductances(self, ohms: Array) -> Array:
        """Return the conductances of all groups, (samples, k), from those of all parts, (samples, parts)."""
        one = ohms[:, self.first]
        two = ohms[:, self.second]
        with np.errstate(divide="ignore", invalid="ignore"):
            both = np.where(self.parallel, 1.0 / one + 1.0 / two, 1.0 / (one + two))
            return np.asarray(np.where(self.second < 0, 1.0 / one, both))


@dataclass(frozen=True, kw_only=True, eq=False)
class Places:
    """The parts of a board by what they do in its static equation.

    `rows`, `columns`: of each weight; `complement`: whether its rail is a complement. `inverter_in`, `inverter_out`,
    `inverter`: of each complement rail, its resistors and its op-amp, with `inverted` the rail it inverts. `bias_row`,
    `bias_side`: the neuron of a bias, and +1 or -1 for its reference. Op-amps are numbered in the circuit's order.
    `rails`: what the rails add to the offset of each, volts: the rejections of supply and common mode.
    """

    circuit: Circuit = field(repr=False)
    size: int
    parts: dict[str, int]
    nominal: Array
    weights: Groups
    rows: Indices
    columns: Indices
    complement: npt.NDArray[np.bool_]
    inputs: Groups
    input_rows: Indices
    input_columns: Indices
    input_count: int
    leaks: Groups
    leak_rows: Indices
    biases: Groups
    bias_row: Indices
    bias_side: Array
    capacitors: Indices
    capacitor_rows: Indices
    inverter_in: Groups
    inverter_out: Groups
    inverter: Indices
    inverted: Indices
    integrators: Indices
    op_amps: dict[str, int]
    figures: Array
    rails: Array
    reference: float
    followers: tuple[int, int]
    reference_in: Groups
    reference_out: Groups


def find_places(circuit: Circuit) -> Places:
    """Return where the parts of a board stand. Raises InputError for another cell."""
    graph = circuit.graph
    if circuit.cell != "inverting_integrator" or not isinstance(graph, Graph) or len(graph.of_type(Leak)) != 1:
        raise InputError(
            f"samples: a circuit of cell {circuit.cell!r}: must be of 'inverting_integrator', one population"
        )
    leak = graph.of_type(Leak)[0]
    n = leak.output_size
    passive = [d for d in circuit.devices if isinstance(d.part, Resistor | Capacitor)]
    parts = {d.name: k for k, d in enumerate(passive)}
    nominal = np.array([d.part.value for d in passive], dtype=np.float64)
    amplifiers = [d for d in circuit.devices if isinstance(d.part, OpAmp)]
    op_amps = {d.name: k for k, d in enumerate(amplifiers)}
    by_output = {d.nodes[2]: k for k, d in enumerate(amplifiers)}

    def grouped(devices: Iterable[list[Device]]) -> Groups:
        return _groups(devices, parts)

    inverters = _inverters(circuit)
    external = {source.name for source in graph.of_type(Input)}
    weights: list[tuple[int, int, str | None, list[Device]]] = []
    driven: list[tuple[int, int, str | None, list[Device]]] = []
    for affine in graph.of_type(Affine):
        goes_to = driven if graph.drivers(affine)[0].name in external else weights
        for i, j in zip(*(part.tolist() for part in affine.weights.entries()[1:]), strict=True):
            devices = _resistors(circuit, affine.name, (i, j), Role.WEIGHT)
            rail = next((node for d in devices for node in d.nodes if node in inverters), None)
            if devices:
                goes_to.append((i, j, rail, devices))
    if any(rail is not None for _, _, rail, _ in driven):
        raise InputError("samples: the board has inverters behind its inputs, which the static equation has not")
    rails = {rail: j for _, j, rail, _ in weights if rail is not None}
    affines = [affine.name for affine in graph.of_type(Affine)]
    biases = [
        (k, _resistors(circuit, name, (k,), Role.BIAS))
        for name in affines
        for k in range(n)
        if _resistors(circuit, name, (k,), Role.BIAS)
    ]
    leaks = [(k, _resistors(circuit, leak.name, (k,), Role.RESISTANCE)) for k in range(n)]
    leaks = [(k, devices) for k, devices in leaks if devices]
    capacitors = [
        (k, parts[d.name])
        for k in range(n)
        for d in circuit.devices_from(leak.name, (k,), Role.CAPACITANCE)
        if isinstance(d.part, Capacitor)
    ]
    integrators = [op_amps[d.name] for k in range(n) for d in circuit.devices_from(leak.name, (k,), Role.OP_AMP)]
    if len(integrators) != n:
        raise InputError(f"samples: {n} neurons have {len(integrators)} integrators: the board is not whole")
    has = {d.name for d in circuit.devices}
    return Places(
        circuit=circuit,
        size=n,
        parts=parts,
        nominal=nominal,
        weights=grouped(devices for *_, devices in weights),
        rows=np.array([i for i, *_ in weights], dtype=np.intp),
        columns=np.array([j for _, j, *_ in weights], dtype=np.intp),
        complement=np.array([rail is not None for _, _, rail, _ in weights], dtype=np.bool_),
        inputs=grouped(devices for *_, devices in driven),
        input_rows=np.array([i for i, *_ in driven], dtype=np.intp),
        input_columns=np.array([j for _, j, *_ in driven], dtype=np.intp),
        input_count=sum(source.output_size for source in graph.of_type(Input)),
        leaks=grouped(devices for _, devices in leaks),
        leak_rows=np.array([k for k, _ in leaks], dtype=np.intp),
        biases=grouped(devices for _, devices in biases),
        bias_row=np.array([k for k, _ in biases], dtype=np.intp),
        bias_side=np.array([-1.0 if any("reference_n" in d.nodes for d in devices) else 1.0 for _, devices in biases]),
        capacitors=np.array([at for _, at in capacitors], dtype=np.intp),
        capacitor_rows=np.array([k for k, _ in capacitors], dtype=np.intp),
        inverter_in=grouped(inverters[rail][0] for rail in rails),
        inverter_out=grouped(inverters[rail][1] for rail in rails),
        inverter=np.array([by_output[rail] for rail in rails], dtype=np.intp),
        inverted=np.array(list(rails.values()), dtype=np.intp),
        integrators=np.array(integrators, dtype=np.intp),
        op_amps=op_amps,
        figures=np.array([[_figure(d, name) for name in FIGURES] for d in amplifiers]),
        rails=np.array([_rail_error(d) for d in amplifiers]),
        reference=reference_volts(circuit, "reference_p") if biases else 0.0,
        followers=(op_amps.get("X_reference_p", -1), op_amps.get("X_reference_n", -1)),
        reference_in=grouped([[circuit.device("R_reference_in")]] if "R_reference_in" in has else []),
        reference_out=grouped([[circuit.device("R_reference_feedback")]] if "R_reference_in" in has else []),
    )


def column_places(places: Places, columns: tuple[Column, ...]) -> tuple[Indices, Indices, Indices, Indices, Indices]:
    """Return (columns of passive parts, their places), and (columns of op-amps' figures, op-amps, figures)."""
    passive = [(k, places.parts[c.device]) for k, c in enumerate(columns) if c.device in places.parts]
    active = [
        (k, places.op_amps[c.device], FIGURES.index(c.parameter.name))
        for k, c in enumerate(columns)
        if c.device in places.op_amps and c.parameter.name in FIGURES
    ]
    first = np.array(passive, dtype=np.intp).reshape(-1, 2).T
    second = np.array(active, dtype=np.intp).reshape(-1, 3).T
    return first[0], first[1], second[0], second[1], second[2]


def _groups(groups: Iterable[list[Device]], parts: dict[str, int]) -> Groups:
    first, second, parallel = [], [], []
    for devices in groups:
        if len(devices) > 2:
            raise InputError(f"samples: {devices[0].name} is made of {len(devices)} resistors: must be one or two")
        first.append(parts[devices[0].name])
        second.append(parts[devices[1].name] if len(devices) == 2 else -1)
        parallel.append(len({frozenset(d.nodes) for d in devices}) == 1)
    return Groups(np.array(first, dtype=np.intp), np.array(second, dtype=np.intp), np.array(parallel, dtype=bool))


def _resistors(circuit: Circuit, operator: str, element: tuple[int, ...], role: Role) -> list[Device]:
    return [d for d in circuit.devices_from(operator, element, role) if isinstance(d.part, Resistor)]


def _inverters(circuit: Circuit) -> dict[str, tuple[list[Device], list[Device]]]:
    """Return by complement rail the resistors before its inverter and across it."""
    found: dict[str, tuple[list[Device], list[Device]]] = {}
    for device in circuit.devices:
        operator, role, element = device.origin
        if role == Role.INVERTER_FEEDBACK and isinstance(device.part, Resistor):
            feedback = _resistors(circuit, operator, element, Role.INVERTER_FEEDBACK)
            outputs = [d.nodes[2] for d in circuit.devices_from(operator, element, Role.OP_AMP)]
            rail = next(node for d in feedback for node in d.nodes if node in outputs)
            found[rail] = _resistors(circuit, operator, element, Role.INVERTER_IN), feedback
    return found


def _figure(device: Device, name: str) -> float:
    assert isinstance(device.part, OpAmp)
    model = device.part.model
    if name == "gain":
        return float(device.part.value or np.inf)
    value = float(getattr(model, name, 0.0)) if isinstance(model, MacroModel) else 0.0
    return value + (device.part.offset if name == "offset" else 0.0)


def _rail_error(device: Device) -> float:
    """Return what the rails add to an op-amp's offset with its inputs at ground, volts."""
    model = device.part.model if isinstance(device.part, OpAmp) else None
    if not isinstance(model, MacroModel):
        return 0.0
    middle, whole = 0.5 * (model.supply_plus + model.supply_minus), model.supply_plus - model.supply_minus
    return model.by_supply * (whole - model.nominal_supply) - model.by_common_mode * middle
