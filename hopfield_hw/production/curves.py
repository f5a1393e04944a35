"""How the parts of an amplifier change its gain curve: measured once, in the circuit, one part at a time.

The curve of a drawn amplifier is taken as v = (1 + a) g((1 + s) x + e) + d with g the nominal one. a, s, e and d are
linear in the parts' values: for each part the curve is swept with its value a step above and a step below, and half of
the difference is fitted, by least squares over the inner part of the curve, with g, x g', g' and 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from ..benches.gain_curves import LOAD, SOURCE, Bench, cut_bench, gain_curve
from ..circuit import Circuit, Device
from ..functions import Table
from ..graph import Activate, Graph
from ..parts import MacroModel, OpAmp, Part
from ..parts.parameters import Parameter, value_of, with_values
from ..tolerance.draws import Column
from ..values.arrays import Array
from ..values.physics import ROOM

# The values that shape a curve at rest; of the others (bandwidth, slew rate, ...) it knows nothing.
SHAPING = ("resistance", "offset", "bias_current", "saturation_current")
RELATIVE, VOLTS, AMPERES = 5e-3, 1e-3, 1e-9  # steps
SPAN = 3.0  # of the fit, in units of amplitude by slope
POINTS = 120
WITHIN = 0.999
TERMS = ("amplitude", "slope", "shift", "level")

Key = tuple[str, Parameter]


class Change(NamedTuple):
    """What one unit of a part's value (SI) does: to amplitude and slope, parts of 1; shift of x and level of v, volts.

    `left`: of the measured change, the part that the four do not explain.
    """

    amplitude: float
    slope: float
    shift: float
    level: float
    left: float


@dataclass(frozen=True, kw_only=True, eq=False)
class CurveChanges:
    """The nominal curves of a circuit's amplifiers, and what each part does to them.

    `kinds`: by element, which of `curves` it has. `changes`: by element, by part and parameter, its Change; parts that
    all amplifiers share are there with each element.
    """

    kinds: tuple[int, ...]
    curves: tuple[Table, ...] = field(repr=False)
    changes: tuple[Mapping[Key, Change], ...] = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class _Amplifier:
    """An amplifier on its bench: what is measured of it depends on no more than what is compared."""

    devices: tuple[Device, ...]
    wanted: tuple[tuple[Parameter, ...], ...]
    temperature: float
    reach: float
    slope: float
    amplitude: float
    bench: Bench = field(compare=False, repr=False)


def find_curve_changes(
    circuit: Circuit, columns: tuple[Column, ...] = (), *, temperature: float = ROOM
) -> CurveChanges:
    """Return the curves of a circuit's amplifiers, and how the parts of these columns change them.

    Amplifiers of equal parts are measured once, and in one process those of an earlier call are not measured again.
    `temperature`: degrees Celsius.
    """
    graph = circuit.graph
    assert isinstance(graph, Graph)
    (activate,) = graph.of_type(Activate)
    wanted: dict[str, list[Parameter]] = {}
    for column in columns:
        if column.parameter.name in SHAPING:
            wanted.setdefault(column.device, []).append(column.parameter)
    known: dict[tuple[object, ...], tuple[int, tuple[tuple[Change, ...], ...]]] = {}
    kinds, curves, changes = [], [], []
    for element in range(activate.size):
        bench = cut_bench(circuit, element=element, activate=activate.name)
        own = tuple(d for d in bench.circuit.devices if d.name not in (SOURCE, LOAD))
        its = tuple(tuple(wanted.get(d.name, ())) for d in own)
        signature = tuple((d.origin.role, d.part, parameters) for d, parameters in zip(own, its, strict=True))
        if signature not in known:
            amplifier = _Amplifier(
                devices=bench.circuit.devices,
                wanted=its,
                temperature=temperature,
                reach=_reach(circuit, bench),
                slope=bench.slope,
                amplitude=bench.amplitude,
                bench=bench,
            )
            curve, measured = _measure(amplifier)
            curves.append(curve)
            known[signature] = len(curves) - 1, measured
        kind, found = known[signature]
        kinds.append(kind)
        changes.append(
            {
                (d.name, parameter): change
                for d, parameters, moved in zip(own, its, found, strict=True)
                for parameter, change in zip(parameters, moved, strict=True)
            }
        )
    return CurveChanges(kinds=tuple(kinds), curves=tuple(curves), changes=tuple(changes))


@lru_cache(maxsize=256)
def _measure(amplifier: _Amplifier) -> tuple[Table, tuple[tuple[Change, ...], ...]]:
    """Return an amplifier's curve, and what each wanted parameter of each of its devices does to it."""
    bench, degrees = amplifier.bench, amplifier.temperature
    curve = gain_curve(bench, temperature=degrees, span=amplifier.reach)
    own = [d for d in amplifier.devices if d.name not in (SOURCE, LOAD)]
    if not any(amplifier.wanted):
        return curve, ((),) * len(own)
    end = SPAN * bench.unit
    x, v = bench.sweep(-end, end, POINTS, degrees)
    slope = np.gradient(v, x)
    basis = np.stack([v, x * slope, slope, np.ones_like(v)], axis=1)
    scale = np.linalg.norm(basis, axis=0)

    def change(device: Device, parameter: Parameter) -> Change:
        step = _step(device.part, parameter)
        up, down = (
            _with(bench, device, parameter, sign * step).sweep(-end, end, POINTS, degrees)[1] for sign in (1.0, -1.0)
        )
        difference = (up - down) / (2.0 * step)
        weights = np.linalg.lstsq(basis / scale, difference, rcond=None)[0]
        size = float(np.linalg.norm(difference))
        left = float(np.linalg.norm(difference - basis / scale @ weights)) / size if size else 0.0
        four = (weights / scale).tolist()
        return Change(four[0], four[1], four[2], four[3], left)

    return curve, tuple(
        tuple(change(device, parameter) for parameter in parameters)
        for device, parameters in zip(own, amplifier.wanted, strict=True)
    )


def _reach(circuit: Circuit, bench: Bench) -> float:
    """Return the largest x that op-amps can give and sense, volts: beyond it a curve may turn round."""
    models = [d.part.model for d in circuit.devices if isinstance(d.part, OpAmp)]
    ends = [
        min(abs(end) for end in (*model.swing(), *model.common_mode())) * WITHIN
        for model in models
        if isinstance(model, MacroModel)
    ]
    return min([20.0 * bench.unit, *ends])


def _step(part: Part, parameter: Parameter) -> float:
    if parameter.name == "offset":
        return VOLTS
    return AMPERES if parameter.name == "bias_current" else RELATIVE * value_of(part, parameter)


def _with(bench: Bench, device: Device, parameter: Parameter, step: float) -> Bench:
    part = with_values(device.part, {parameter: value_of(device.part, parameter) + step})
    devices = tuple(d._replace(part=part) if d.name == device.name else d for d in bench.circuit.devices)
    return replace(bench, circuit=replace(bench.circuit, devices=devices))


def apply_changes(changes: CurveChanges, columns: tuple[Column, ...]) -> Array:
    """Return by how much each column moves each element's curve, (columns, elements, 4), in the order of TERMS."""
    found = np.zeros((len(columns), len(changes.changes), len(TERMS)))
    for k, column in enumerate(columns):
        for element, its in enumerate(changes.changes):
            change = its.get((column.device, column.parameter))
            if change is not None:
                found[k, element] = change[: len(TERMS)]
    return found
