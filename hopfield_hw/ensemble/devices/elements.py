"""A circuit as elements that have none in them: op-amps and OTAs are taken apart, nodes are those of the whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from scipy.sparse import csr_array

from ...circuit import GROUND, Device
from ...functions.expressions import (
    Argument,
    Expression,
    Operand,
    Operation,
    as_expression,
    call,
    exp,
    maximum,
    minimum,
)
from ...parts import (
    OTA,
    Behaviour,
    Capacitor,
    CurrentSource,
    Diode,
    IdealGain,
    Line,
    Multiplier,
    OpAmp,
    OpAmpModel,
    Part,
    Resistor,
    Subcircuit,
    Switch,
    Transconductance,
    Transconductor,
    Transistor,
    VoltageGain,
    VoltageSource,
)
from ...parts.crossbar import Crossbar
from ...parts.op_amp import Element as Piece
from ...parts.sources import Waveform
from ...values.arrays import Array, SparseArray
from ...values.errors import InputError, Unrealisable
from ...values.physics import THERMAL

# Beyond this current a junction goes on straight, so that Newton's method comes back from there in a few iterations;
# no circuit of signals has it.
STRAIGHT = 10.0  # A
CURRENT_NODE = "#i"  # how the node of a current ends


@dataclass(frozen=True, slots=True)
class Symbol(Expression):
    """In a formula, a value of a part that differs from sample to sample, by its place among those of the device."""

    index: int


class Linear(NamedTuple):
    """A current from the first node to the second: `value` (v(plus) - v(minus)), siemens, or farads of its rate.

    `value`: a number, or a formula of Symbols.
    """

    device: str
    ends: tuple[str, str]
    sensed: tuple[str, str]
    value: Operand
    is_rate: bool = False


class Formula(NamedTuple):
    """What a formula of voltages gives: a current from the first node to the second, a charge of it, or a voltage.

    `gives`: "current", amperes, "charge", coulombs, or "voltage", volts, of the first node above the second.
    """

    device: str
    ends: tuple[str, str]
    sensed: tuple[str, ...]
    formula: Expression
    gives: str


class Coupling(NamedTuple):
    """Currents out of nodes, i_k = sum_j `siemens`_kj v(columns_j), the same in all samples, of a crossbar."""

    device: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    siemens: SparseArray


class Source(NamedTuple):
    """A node whose voltage to ground a waveform gives."""

    device: str
    node: str
    waveform: Waveform


class Delay(NamedTuple):
    """A lossless line: at each of its ports, nodes (plus, minus, out), comes out what entered the other `delay` before.

    `out`: the node of what comes out, volts; see `kernels.delays`. `delay`: seconds. `initial`: what entered at the
    near one before t = 0, volts; nothing did at the far one. Both are numbers, or formulas of Symbols.
    """

    device: str
    near: tuple[str, str, str]
    far: tuple[str, str, str]
    delay: Operand
    initial: Operand


class Start(NamedTuple):
    """Where a node starts, volts: a number, or one for each sample."""

    node: str
    volts: float | Array


Element = Linear | Formula | Coupling | Source | Delay | Start


def split_device(device: Device, initial: Mapping[str, float | Array]) -> Iterator[Element]:
    """Yield the elements of a device, and where its inner nodes start if the nodes around it, in lower
    case, start at `initial`, volts.

    Raises Unrealisable for a part that has none here.
    """
    yield from _split(device.name, device.part, tuple(node.lower() for node in device.nodes), initial)


def _split(name: str, part: Part, nodes: tuple[str, ...], initial: Mapping[str, float | Array]) -> Iterator[Element]:
    ends = nodes[:2]
    match part:
        case Resistor(resistance):
            yield Linear(name, _two(ends), _two(ends), 1.0 / resistance)
        case Crossbar():
            yield from _crossbar(name, part, nodes)
        case Capacitor(capacitance):
            yield Linear(name, _two(ends), _two(ends), capacitance, is_rate=True)
        case Transconductance(siemens):
            yield Linear(name, _two(ends), _two(nodes[2:]), siemens)
        case CurrentSource(current):
            yield Formula(name, _two(ends), (), as_expression(current), "current")
        case VoltageSource(voltage):
            yield from _source(name, ends, voltage)
        case VoltageGain(gain):
            yield Formula(name, _two(ends), nodes[2:], gain * (Argument(0) - Argument(1)), "voltage")
        case Behaviour(formula, gives):
            yield Formula(name, _two(ends), nodes[2:], formula, gives)
        case Transconductor():
            yield Formula(name, _two(ends), nodes[2:], part.current(), "current")
        case Switch():
            yield Formula(name, _two(ends), nodes, part.current(), "current")
        case Multiplier():
            yield Formula(name, (nodes[0], GROUND), nodes[1:], part.output(), "voltage")
        case Line():
            yield from _line(name, part, nodes)
        case Diode():
            yield from _diode(name, part, nodes)
        case Transistor():
            yield from _transistor(name, part, nodes)
        case OTA():
            at = dict(zip(part.ports, nodes, strict=True))
            for inner, piece, its in part.elements():
                yield from _split(f"{name}.{inner}", piece, place_inner(name, at, its), initial)
        case OpAmp(model=OpAmpModel()):
            yield from _op_amp(name, part, nodes, initial)
        case OpAmp():
            yield from _vendor_op_amp(name, part, nodes)
        case _:
            raise Unrealisable(
                f"device {name}: the engine 'ensemble' has no equations of a {part.what}; run the circuit in ngspice"
            )


def _crossbar(name: str, part: Crossbar, nodes: tuple[str, ...]) -> Iterator[Element]:
    """Yield what each node has to ground, and what the others take from it."""
    matrix = part.siemens
    rows, columns = nodes[: matrix.shape[0]], nodes[matrix.shape[0] :]
    yield Coupling(name, rows, columns, csr_array(-matrix))
    if not part.loads:
        return
    yield Coupling(name, columns, rows, csr_array(-matrix.T))
    for axis, its in ((1, rows), (0, columns)):
        sums: list[float] = matrix.sum(axis=axis).tolist()
        for node, siemens in zip(its, sums, strict=True):
            yield Linear(name, (node, GROUND), (node, GROUND), siemens)


def _source(name: str, ends: tuple[str, ...], voltage: Any) -> Iterator[Element]:
    """Yield a node that is given; of a voltage that differs from sample to sample a formula."""
    plus, minus = ends
    if plus == minus:
        raise InputError(f"device {name}: a voltage source with both ends at node {plus}: give it two nodes")
    if isinstance(voltage, Expression):
        yield Formula(name, (plus, minus), (), voltage, "voltage")
    elif minus == GROUND:
        yield Source(name, plus, voltage)
    else:
        yield Source(name, f"{name}.waveform", voltage)
        yield Formula(name, (plus, minus), (f"{name}.waveform",), Argument(0), "voltage")


def _op_amp(name: str, part: OpAmp, nodes: tuple[str, ...], initial: Mapping[str, float | Array]) -> Iterator[Element]:
    model = part.model
    assert isinstance(model, OpAmpModel)
    plus, minus, output, *supplies = nodes
    if isinstance(model, IdealGain):
        formula = model.gain * (Argument(0) - Argument(1) + part.offset)
        yield Formula(name, (output, GROUND), (plus, minus), formula, "voltage")
        return
    if part.offset:
        shifted = f"{name}.offset"
        yield Formula(name, (shifted, plus), (), as_expression(part.offset), "voltage")
        plus = shifted
    at = dict(zip(("plus", "minus", "output", *model.supplies), (plus, minus, output, *supplies), strict=True))
    start = initial.get(output, 0.0)
    for pole in model.poles:
        yield Start(f"{name}.{pole}", start)
    for inner, piece, its in _elements_of(model):
        yield from _split(f"{name}.{inner}", piece, place_inner(name, at, its), initial)


@lru_cache(maxsize=1024)
def _elements_of(model: OpAmpModel) -> tuple[Piece, ...]:
    """Return what a model is made of; many op-amps have one model."""
    return model.elements()


def _vendor_op_amp(name: str, part: OpAmp, nodes: tuple[str, ...]) -> Iterator[Element]:
    from .vendors import split_subcircuit

    assert isinstance(part.model, Subcircuit)
    at = dict(zip(part.ports, nodes, strict=True))
    if part.offset:
        yield Formula(name, (f"{name}.offset", at["plus"]), (), as_expression(part.offset), "voltage")
        at["plus"] = f"{name}.offset"
    yield from split_subcircuit(name, part.model, at)


def place_inner(name: str, at: Mapping[str, str], nodes: tuple[str, ...]) -> tuple[str, ...]:
    """Return the nodes of an element within a part: its ports, ground, and inner ones named after the part."""
    return tuple(GROUND if node == GROUND else at.get(node, f"{name}.{node}") for node in nodes)


def _line(name: str, part: Line, nodes: tuple[str, ...]) -> Iterator[Element]:
    """Yield the resistance at both ends, against what comes out there, and the delay between them."""
    near, far = (*_two(nodes[:2]), f"{name}.near"), (*_two(nodes[2:]), f"{name}.far")
    for plus, minus, out in (near, far):
        yield Linear(name, (plus, minus), (plus, minus), 1.0 / part.impedance)
        yield Linear(name, (plus, minus), (out, GROUND), -1.0 / part.impedance)
    yield Delay(name, near, far, part.delay, 2.0 * part.initial)


def _diode(name: str, part: Diode, nodes: tuple[str, ...]) -> Iterator[Element]:
    """Yield Shockley's current with breakdown, the charge of the junction as SPICE has it, and the resistance."""
    anode, cathode = nodes
    if part.resistance:
        inner = f"{name}.junction"
        yield Linear(name, (anode, inner), (anode, inner), 1.0 / part.resistance)
        anode = inner
    yield Formula(name, (anode, cathode), (anode, cathode), diode_current(part), "current")
    if part.capacitance:
        yield Formula(name, (anode, cathode), (anode, cathode), _depletion(part.capacitance), "charge")


def diode_current(part: Diode) -> Expression:
    """Return the current through a diode's junction, amperes, of the voltages of its anode and its cathode."""
    volts = Argument(0) - Argument(1)
    current = _junction(part.saturation_current, volts / (part.emission * THERMAL))
    if part.breakdown < float("inf"):
        broken = (-volts - part.breakdown) / (part.breakdown_emission * THERMAL)
        current = current - part.breakdown_current * _exponential(broken, STRAIGHT / part.breakdown_current)
    return current


def _depletion(farads: Operand) -> Expression:
    """Return the charge of a junction: C (2 - 2 sqrt(1 - v)) up to v = 0.5 V, where the capacitance goes on straight.

    SPICE has it so for VJ = 1 V, M = 0.5 and FC = 0.5, its defaults.
    """
    volts = Argument(0) - Argument(1)
    below, above = minimum(volts, 0.5), maximum(volts - 0.5, 0.0)
    # C (1 - v)^-1/2 is C sqrt(2) at 0.5 V, with the slope C sqrt(2).
    root = call("sqrt", 2.0)
    return as_expression(farads) * (2.0 - 2.0 * call("sqrt", 1.0 - below) + root * (above + 0.5 * above * above))


def _transistor(name: str, part: Transistor, nodes: tuple[str, ...]) -> Iterator[Element]:
    """Yield the currents of a transistor between its collector, its base and its emitter."""
    collector, base, emitter = nodes
    pairs = ((collector, emitter), (base, emitter), (base, collector))
    for ends, current in zip(pairs, transistor_currents(part), strict=True):
        yield Formula(name, ends, (base, emitter, collector), current, "current")


def transistor_currents(part: Transistor) -> tuple[Expression, Expression, Expression]:
    """Return Ebers and Moll's currents with the Early effect, as SPICE has them with a reverse gain of 1, amperes.

    From collector to emitter, from base to emitter, and from base to collector, of the voltages of base, emitter and
    collector.
    """
    sign = 1.0 if part.polarity == "npn" else -1.0
    forward, back = sign * (Argument(0) - Argument(1)), sign * (Argument(0) - Argument(2))
    of_emitter = _junction(part.saturation_current, forward / THERMAL)
    of_collector = _junction(part.saturation_current, back / THERMAL)
    flow = of_emitter - of_collector
    if part.early_voltage < float("inf"):
        flow = flow * (1.0 - back / part.early_voltage)
    return sign * flow, (sign / part.beta) * of_emitter, sign * of_collector


def _junction(saturation: Operand, ratio: Expression) -> Expression:
    """Return I (exp(u) - 1), on along its tangent beyond STRAIGHT."""
    return Operation("*", as_expression(saturation), _exponential(ratio, STRAIGHT / saturation) - 1.0)


def _exponential(u: Expression, most: Operand) -> Expression:
    """Return exp(u), on along its tangent beyond a value."""
    end = call("log", most)
    return exp(minimum(u, end)) * (1.0 + maximum(u - end, 0.0))


def _two(nodes: tuple[str, ...]) -> tuple[str, str]:
    first, second = nodes
    return first, second
