"""What makes noise in a circuit at its balance: currents between nodes, device by device.

4 k T / R of a resistor (H. Nyquist, Phys. Rev. 32:110, 1928), 2 q I of a diode's, a collector's and a base's current
(W. Schottky, Ann. Phys. 362:541, 1918), and of an op-amp's macro-model `voltage_noise` in series with its input, which
rises as 1/f below `noise_corner`, and `current_noise` at either pin, whether or not `noise` is set in it; all at 27
degrees Celsius. Resistors that only compute make none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from ...circuit import GROUND, Device, Ensemble
from ...functions.expressions import Expression, Operand, as_expression, call, evaluate
from ...parts import (
    OTA,
    Behaviour,
    Capacitor,
    CurrentSource,
    Diode,
    IdealGain,
    Line,
    MacroModel,
    Multiplier,
    OnePole,
    OpAmp,
    Part,
    Resistor,
    Switch,
    Transconductance,
    Transconductor,
    Transistor,
    VoltageGain,
    VoltageSource,
)
from ...parts.crossbar import Crossbar
from ...values.arrays import Array
from ...values.errors import Unrealisable
from ...values.physics import CHARGE, FOUR_K_T
from ..devices.elements import Formula, diode_current, place_inner, transistor_currents
from ..equations.samples import split_samples
from ..equations.system import System

QUIET = (
    Behaviour,
    Capacitor,
    CurrentSource,
    Line,
    Multiplier,
    Switch,
    Transconductance,
    Transconductor,
    VoltageGain,
    VoltageSource,
)
WHITE, FLICKER = "white", "flicker"  # what a formula gives: A^2/Hz, and A^2 that are divided by the frequency
MILLI = 1e-3  # S: the current into a macro-model's node `difference` for a volt between its inputs


class NoiseSource(NamedTuple):
    """Noise of a device: a current between two nodes, of a one-sided density `power`, (samples,), A^2/Hz.

    Where `flickers` it is `power` / f, with `power` in A^2.
    """

    device: str
    ends: tuple[str, str]
    power: Array
    flickers: bool


def find_noise_sources(ensemble: Ensemble, system: System, voltages: Array) -> tuple[NoiseSource, ...]:
    """Return what makes noise at voltages of all nodes, (nodes, samples). `system`: that of the ensemble.

    Raises Unrealisable for a part whose noise is not known.
    """
    index = {node: k for k, node in enumerate(system.nodes)}
    found = []
    for device in ensemble.circuit.devices:
        for element, numbers, skeleton in split_samples(ensemble, device, _split_device):
            assert isinstance(element, Formula)
            assert skeleton is not None
            at = [voltages[index[node]] for node in element.sensed]
            power = np.broadcast_to(evaluate(skeleton, [*at, *numbers]), (system.samples,))
            if np.any(power != 0.0) and any(system.laws[index[node]] >= 0 for node in element.ends):
                found.append(NoiseSource(device.name, element.ends, power, element.gives == FLICKER))
    return tuple(found)


def _split_device(device: Device, initial: Mapping[str, float | Array]) -> Iterator[Formula]:
    """Yield the densities of a device's noise as formulas of the voltages."""
    yield from _split(device.name, device.part, tuple(node.lower() for node in device.nodes))


def _split(name: str, part: Part, nodes: tuple[str, ...]) -> Iterator[Formula]:
    match part:
        case Resistor(resistance):
            if not part.is_computing:
                yield _thermal(name, (nodes[0], nodes[1]), resistance)
        case Crossbar():
            for crossing in part.crossings():
                if isinstance(crossing.part, Resistor):
                    first, second = (nodes[port] for port in crossing.ports)
                    yield _thermal(name, (first, second), crossing.part.resistance)
        case Diode():
            anode, cathode = nodes
            if part.resistance:
                inner = f"{name}.junction"
                yield _thermal(name, (anode, inner), part.resistance)
                anode = inner
            yield _shot(name, (anode, cathode), (anode, cathode), diode_current(part))
        case Transistor():
            collector, base, emitter = nodes
            sensed = (base, emitter, collector)
            flow, of_emitter, of_collector = transistor_currents(part)
            yield _shot(name, (collector, emitter), sensed, flow - of_collector)
            yield _shot(name, (base, emitter), sensed, of_emitter + of_collector)
        case OTA():
            at = dict(zip(part.ports, nodes, strict=True))
            for inner, piece, its in part.elements():
                yield from _split(f"{name}.{inner}", piece, place_inner(name, at, its))
        case OpAmp(model=MacroModel() as model):
            power = MILLI * MILLI * as_expression(model.voltage_noise) * as_expression(model.voltage_noise)
            into = (GROUND, f"{name}.difference")
            yield Formula(name, into, (), power, WHITE)
            yield Formula(name, into, (), power * as_expression(model.noise_corner), FLICKER)
            current = as_expression(model.current_noise)
            for pin in nodes[:2]:
                yield Formula(name, (GROUND, pin), (), current * current, WHITE)
        case OpAmp(model=IdealGain() | OnePole()):
            pass
        case _ if not isinstance(part, QUIET):
            what = "vendor's model" if isinstance(part, OpAmp) else part.what
            raise Unrealisable(f"noise: device {name}: the noise of a {what} is not known")


def _thermal(name: str, ends: tuple[str, str], ohms: Operand) -> Formula:
    return Formula(name, ends, (), FOUR_K_T / as_expression(ohms), WHITE)


def _shot(name: str, ends: tuple[str, str], sensed: tuple[str, ...], current: Expression) -> Formula:
    return Formula(name, ends, sensed, 2.0 * CHARGE * call("abs", current), WHITE)
