"""What makes noise in a circuit at its balance: white currents between nodes, device by device.

4 k T / R of a resistor (H. Nyquist, Phys. Rev. 32:110, 1928), 2 q I of a diode's, a collector's and a base's current
(W. Schottky, Ann. Phys. 362:541, 1918), and of an op-amp's macro-model `voltage_noise` in series with its input, which
rises as 1/f below `noise_corner`, and `current_noise` at either pin, whether or not `noise` is set in it; all at 27
degrees Celsius. Resistors that only compute make none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from ..circuit import GROUND, Circuit
from ..functions.expressions import Expression, Number, call, evaluate
from ..parts import (
    OTA,
    Behaviour,
    Capacitor,
    CurrentSource,
    Diode,
    IdealGain,
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
from ..values.arrays import Array
from ..values.errors import Unrealisable
from ..values.physics import CHARGE, FOUR_K_T
from .elements import diode_current, place_inner, transistor_currents
from .system import System

QUIET = (
    Behaviour,
    Capacitor,
    CurrentSource,
    Multiplier,
    Switch,
    Transconductance,
    Transconductor,
    VoltageGain,
    VoltageSource,
)
MILLI = 1e-3  # S: the current into a macro-model's node `difference` for a volt between its inputs


class NoiseSource(NamedTuple):
    """Noise of a device: a current between two nodes, of a one-sided density `power` (1 + corner / f), A^2/Hz.

    `power`: of the samples, (samples,). `corner`: Hz, (samples,), 0 for white noise.
    """

    device: str
    ends: tuple[str, str]
    power: Array
    corner: Array


class _Source(NamedTuple):
    """As a NoiseSource, of one part: its power is a formula of the voltages of the nodes `sensed`."""

    ends: tuple[str, str]
    sensed: tuple[str, ...]
    power: Expression
    corner: float = 0.0


def find_noise_sources(circuits: Sequence[Circuit], system: System, voltages: Array) -> tuple[NoiseSource, ...]:
    """Return what makes noise at voltages of all nodes, (nodes, samples). `system`: that of the circuits.

    Raises Unrealisable for a part whose noise is not known.
    """
    index = {node: k for k, node in enumerate(system.nodes)}
    found = []
    for devices in zip(*(circuit.devices for circuit in circuits), strict=True):
        name, part, nodes = devices[0].name, devices[0].part, tuple(node.lower() for node in devices[0].nodes)
        own = list(_split(name, part, nodes))
        power, corner = _evaluate(own, voltages, index)
        for sample, device in enumerate(devices):
            if device.part is not part and device.part != part:
                other = list(_split(name, device.part, nodes))
                power[:, [sample]], corner[:, [sample]] = _evaluate(other, voltages[:, [sample]], index)
        for k, source in enumerate(own):
            moves = any(system.laws[index[node]] >= 0 for node in source.ends)
            if moves and np.any(power[k] != 0.0):
                found.append(NoiseSource(name, source.ends, power[k], corner[k]))
    return tuple(found)


def _evaluate(sources: Sequence[_Source], voltages: Array, index: dict[str, int]) -> tuple[Array, Array]:
    """Return power and corner of sources, (sources, samples)."""
    power, corner = np.zeros((2, len(sources), voltages.shape[1]))
    for k, source in enumerate(sources):
        power[k] = evaluate(source.power, [voltages[index[node]] for node in source.sensed])
        corner[k] = source.corner
    return power, corner


def _split(name: str, part: Part, nodes: tuple[str, ...]) -> Iterator[_Source]:
    match part:
        case Resistor(resistance):
            if not part.is_computing:
                yield _Source((nodes[0], nodes[1]), (), Number(FOUR_K_T / resistance))
        case Diode():
            anode, cathode = nodes
            if part.resistance:
                inner = f"{name}.junction"
                yield _Source((anode, inner), (), Number(FOUR_K_T / part.resistance))
                anode = inner
            yield _Source((anode, cathode), (anode, cathode), _shot(diode_current(part)))
        case Transistor():
            collector, base, emitter = nodes
            sensed = (base, emitter, collector)
            flow, of_emitter, of_collector = transistor_currents(part)
            yield _Source((collector, emitter), sensed, _shot(flow - of_collector))
            yield _Source((base, emitter), sensed, _shot(of_emitter + of_collector))
        case OTA():
            at = dict(zip(part.ports, nodes, strict=True))
            for inner, piece, its in part.elements():
                yield from _split(f"{name}.{inner}", piece, place_inner(name, at, its))
        case OpAmp(model=MacroModel() as model):
            power = Number((MILLI * model.voltage_noise) ** 2)
            yield _Source((GROUND, f"{name}.difference"), (), power, model.noise_corner)
            for pin in nodes[:2]:
                yield _Source((GROUND, pin), (), Number(model.current_noise**2))
        case OpAmp(model=IdealGain() | OnePole()):
            pass
        case _ if not isinstance(part, QUIET):
            raise Unrealisable(f"noise: device {name}: the noise of a {part.what} is not known")


def _shot(current: Expression) -> Expression:
    return 2.0 * CHARGE * call("abs", current)
