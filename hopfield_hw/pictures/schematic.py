"""The schematic of one neuron, drawn from the devices that realise it, with their values."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from itertools import pairwise
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

import schemdraw
import schemdraw.elements as elm
from matplotlib.axes import Axes

from ..circuit import Circuit, Device, Switch
from ..graph import Activate, Affine, Graph, Hold, Leak
from ..transforms import in_si
from ..values.errors import InputError
from ..values.si_text import format_si

Point: TypeAlias = tuple[float, float]

FAULT = "#D55E00"
SYNAPSES = 3
# The page in schemdraw's units, in which a resistor's zigzag is 1 long, and the places of what stands at fixed ones.
WIDTH, HEIGHT = 17.0, 8.6
RAIL, BUS, AMPLIFIER, END = 1.9, 5.6, 11.6, 16.0
NODE, ROW, ROWS_ABOVE = 4.6, 1.53, 2
SYMBOLS: Mapping[str, type[elm.Element2Term]] = MappingProxyType(
    {
        "R": elm.Resistor,
        "C": elm.Capacitor,
        "V": elm.SourceV,
        "I": elm.SourceI,
        "G": elm.SourceControlledI,
        "E": elm.SourceControlledV,
        "B": elm.SourceControlledV,
    }
)
FONT_SIZE = 7.0
NAME_LENGTH, SHORT_NAME = 14, 9
LINE_LENGTH = 80


class Neuron(NamedTuple):
    """The devices of one neuron; what a cell does without is None.

    `into`: what flows into the summing node: up to SYNAPSES synapses, those at fault and then the strongest first,
    and one bias. `more`: how many there are besides.
    """

    into: tuple[Device, ...]
    more: int
    capacitor: Device
    leak: Device | None
    op_amp: Device | None
    amplifier: Device | None
    inverter: Device | None


def neuron_devices(circuit: Circuit, graph: Graph, neuron: str, faults: Collection[str] = ()) -> Neuron:
    """Return the devices that realise the neuron with a label, found by their origins in the graph.

    `faults`: names of devices that come first. Raises InputError for a label that the graph lacks, and for a cell
    that holds a neuron's state in no capacitor of its own, or whose leak and op-amp are not across that capacitor.
    """
    network = in_si(graph)
    leak, k = _located(network, neuron)
    if isinstance(leak, Hold):
        raise InputError(f"schematic: {neuron!r} is held by sample-and-holds, and is no neuron with a capacitor")
    synapses: list[Device] = []
    biases: list[Device] = []
    for source in network.drivers(leak):
        if isinstance(source, Affine):
            for j in range(source.input_size):
                synapses += circuit.devices_from(source.name, (k, j), "weights")
            synapses += circuit.devices_from(source.name, (k,), "common_line")
            biases += circuit.devices_from(source.name, (k,), "bias")
        else:
            synapses += circuit.devices_from(source.name, (k,), "edge")
    synapses.sort(key=lambda device: (device.name not in faults, -_conductance(device)))
    capacitor = _first(circuit, [leak.name], k, "capacitance")
    if capacitor is None:
        raise InputError(f"schematic: cell {circuit.cell!r} has no capacitor for neuron {neuron!r}; it cannot be drawn")
    leakage, op_amp = (_first(circuit, [leak.name], k, role) for role in ("resistance", "op_amp"))
    across = {() if leakage is None else leakage.nodes[:2], () if op_amp is None else op_amp.nodes[::3]}
    if any(set(nodes) != set(capacitor.nodes) for nodes in across if nodes):
        raise InputError(f"schematic: cell {circuit.cell!r} has a topology of its own, for which there is no drawing")
    activates = [operator.name for operator in network.targets(leak) if isinstance(operator, Activate)]
    return Neuron(
        into=(*synapses[:SYNAPSES], *biases[:1]),
        more=len(synapses[SYNAPSES:]) + len(biases[1:]),
        capacitor=capacitor,
        leak=leakage,
        op_amp=op_amp,
        amplifier=_first(circuit, activates, k, "function"),
        inverter=_first(circuit, activates, k, "inverter"),
    )


def draw_neuron(axes: Axes, circuit: Circuit, graph: Graph, neuron: str, faults: Collection[str] = ()) -> None:
    """Draw the schematic of a neuron into an axis, or the sample-and-hold pair of a clocked state.

    Devices named in `faults` are drawn in colour. Raises InputError as `neuron_devices` does.
    """
    state, k = _located(in_si(graph), neuron)
    if isinstance(state, Hold):
        sheet = _Sheet(axes, faults)
        _draw_hold(sheet, circuit, state, k)
        sheet.finish()
        return
    devices = neuron_devices(circuit, graph, neuron, faults)
    sheet = _Sheet(axes, faults)
    _draw_inputs(sheet, devices)
    at = _draw_passive(sheet, devices) if devices.op_amp is None else _draw_active(sheet, devices, devices.op_amp)
    _draw_output(sheet, devices, at)
    sheet.finish()


def _located(graph: Graph, neuron: str) -> tuple[Leak | Hold, int]:
    labels = graph.state_labels
    if neuron not in labels:
        raise InputError(f"schematic: the graph has no neuron {neuron!r:.80}; name one of {', '.join(labels):.200}")
    k = labels.index(neuron)
    for state in graph.states:
        if k < state.output_size:
            break
        k -= state.output_size
    return state, k


def _first(circuit: Circuit, operators: Iterable[str], k: int, role: str) -> Device | None:
    return next((device for name in operators for device in circuit.devices_from(name, (k,), role)), None)


def _conductance(device: Device) -> float:
    value = device.value
    if not isinstance(value, float):
        return 0.0
    return 1.0 / value if device.name[0] == "R" else abs(value)


class _Sheet:
    """A drawing in an axis, by points; what is at fault is in colour."""

    def __init__(self, axes: Axes, faults: Collection[str]) -> None:
        self.axes = axes
        self.faults = faults
        self.drawing = schemdraw.Drawing(canvas=axes, lw=1.0, fontsize=FONT_SIZE)

    def colour(self, device: Device | None) -> str:
        return "black" if device is None or device.name not in self.faults else FAULT

    def part(self, device: Device, start: Point, end: Point) -> None:
        """Put a two-terminal device between two points."""
        symbol = SYMBOLS[device.name[0]]
        self.drawing.add(symbol().endpoints(start, end).color(self.colour(device)))

    def wire(self, *points: Point, dashed: bool = False) -> None:
        for start, end in pairwise(points):
            self.drawing.add(elm.Line().endpoints(start, end).style(ls="--" if dashed else "-"))

    def dot(self, at: Point, *, terminal: bool = False) -> None:
        self.drawing.add(elm.Dot(open=terminal).at(at))

    def ground(self, at: Point, *, theta: float = 0.0) -> None:
        self.drawing.add(elm.Ground().at(at).theta(theta))

    def triangle(self, device: Device, at: Point, *, scale: float, theta: float = 0.0) -> None:
        """Put an amplifier with one input at a point; it is 2.17 long and 2.5 wide, times `scale`."""
        self.drawing.add(elm.Opamp(sign=False).scale(scale).theta(theta).at(at).color(self.colour(device)))

    def text(self, at: Point, text: str, where: str, device: Device | None = None) -> None:
        """Write text; `where`: the horizontal and vertical alignment, such as "left bottom"."""
        horizontal, vertical = where.split()
        colour = self.colour(device)
        self.axes.text(*at, text, ha=horizontal, va=vertical, fontsize=FONT_SIZE, color=colour, linespacing=1.3)

    def finish(self) -> None:
        self.drawing.draw(show=False)
        self.axes.set(xlim=(0.0, WIDTH), ylim=(0.0, HEIGHT), aspect="equal")
        self.axes.axis("off")


def _draw_inputs(sheet: _Sheet, devices: Neuron) -> None:
    """Draw what flows into the bus on the left, one row each, and the bus."""
    top = NODE + ROW * min(ROWS_ABOVE, len(devices.into) - 1)
    heights = [top - ROW * row for row in range(len(devices.into))]
    for device, y in zip(devices.into, heights, strict=True):
        sheet.part(device, (RAIL, y), (BUS, y))
        if device.name[0] == "R":
            sheet.text((RAIL - 0.15, y), _short(device.nodes[0]), "right center")
        else:
            sheet.ground((RAIL, y), theta=-90.0)
        sheet.text((BUS - 0.2, y + 0.52), _named(device), "right bottom", device)
    if devices.more:
        heights.append(heights[-1] - ROW + 0.2)
        sheet.wire((BUS - 1.2, heights[-1]), (BUS, heights[-1]), dashed=True)
        sheet.text((BUS - 1.4, heights[-1]), f"+ {devices.more} more", "right center")
    if heights:
        sheet.wire((BUS, heights[0]), (BUS, heights[-1]))
    for y in heights[1:-1]:
        sheet.dot((BUS, y))


def _draw_hold(sheet: _Sheet, circuit: Circuit, hold: Hold, k: int) -> None:
    """Draw follower, switch and capacitor, twice, and the follower that gives the state."""
    followers = [circuit.device(f"E_{hold.name}_{role}_{k}") for role in ("in", "held", "out")]
    x = RAIL
    sheet.text((x - 0.15, NODE), _short(followers[0].nodes[2]), "right center")
    for follower, role in zip(followers, ("master", "slave", None), strict=True):
        sheet.triangle(follower, (x, NODE), scale=0.6)
        sheet.text((x + 0.1, NODE + 0.85), _short(follower.name), "left bottom", follower)
        x += 1.3
        if role is None:
            break
        switch, capacitor = circuit.devices_from(hold.name, (k,), role)
        sheet.drawing.add(elm.Switch().endpoints((x, NODE), (x + 2.2, NODE)).color(sheet.colour(switch)))
        on = f"{format_si(switch.value.on, 'Ohm')} on" if isinstance(switch.value, Switch) else ""
        sheet.text((x + 1.1, NODE + 1.6), f"{_short(switch.name)}\n{on}\n{switch.nodes[2]}", "center bottom", switch)
        x += 2.6
        sheet.wire((x - 0.4, NODE), (x + 0.6, NODE))
        sheet.dot((x, NODE))
        sheet.part(capacitor, (x, NODE), (x, NODE - 2.6))
        sheet.ground((x, NODE - 2.6))
        sheet.text((x + 0.42, NODE - 1.3), _named(capacitor, "\n"), "left center", capacitor)
        x += 0.6
    sheet.wire((x, NODE), (END, NODE))
    sheet.dot((END, NODE), terminal=True)
    sheet.text((END, NODE + 0.25), _short(followers[2].nodes[0]), "right bottom")


def _draw_passive(sheet: _Sheet, devices: Neuron) -> Point:
    """Draw capacitor and leak from the node to ground; return where the amplifier's input is."""
    for device, x in ((devices.capacitor, BUS + 1.0), (devices.leak, BUS + 3.1)):
        if device is None:
            continue
        sheet.dot((x, NODE))
        sheet.part(device, (x, NODE), (x, NODE - 2.6))
        sheet.ground((x, NODE - 2.6))
        sheet.text((x + 0.42, NODE - 1.3), _named(device, "\n"), "left center", device)
    sheet.text((AMPLIFIER - 0.2, NODE + 0.1), _short(devices.capacitor.nodes[0]), "right bottom")
    sheet.wire((BUS if devices.into else BUS + 1.0, NODE), (AMPLIFIER, NODE))
    return AMPLIFIER, NODE


def _draw_active(sheet: _Sheet, devices: Neuron, op_amp: Device) -> Point:
    """Draw the op-amp that holds the node at ground, with its feedback; return where the amplifier's input is."""
    left, right, back = BUS + 0.9, BUS + 4.5, BUS + 2.1
    out = (right, NODE - 0.5)
    colour = sheet.colour(op_amp)
    sheet.drawing.add(elm.Opamp().scale(0.8).theta(0.0).at((back, NODE)).anchor("in1").color(colour))
    sheet.wire((BUS, NODE), (back, NODE))
    sheet.wire((back, NODE - 1.0), (back - 0.5, NODE - 1.0))
    sheet.ground((back - 0.5, NODE - 1.0))
    sheet.wire((back + 1.73, out[1]), out)
    top = NODE
    for device in (devices.leak, devices.capacitor):
        if device is not None:
            top += 1.45
            sheet.part(device, (left, top), (right, top))
            sheet.text(((left + right) / 2.0, top + 0.4), _named(device), "center bottom", device)
    sheet.wire((left, NODE), (left, top))
    sheet.wire(out, (right, top))
    for at in ((left, NODE), out):
        sheet.dot(at)
    gain = f"{_short(op_amp.name)}\nA = {op_amp.value:g}" if isinstance(op_amp.value, float) else _short(op_amp.name)
    sheet.text((back + 0.2, NODE - 1.7), gain, "left top", op_amp)
    sheet.text((BUS + 0.1, NODE - 0.1), _short(devices.capacitor.nodes[0], SHORT_NAME), "left top")
    sheet.text((AMPLIFIER - 0.2, out[1] - 0.15), _short(op_amp.nodes[0], SHORT_NAME), "right top")
    sheet.wire(out, (AMPLIFIER, out[1]))
    return AMPLIFIER, out[1]


def _draw_output(sheet: _Sheet, devices: Neuron, at: Point) -> None:
    """Draw the amplifier with its curve, the inverter, and their terminals."""
    x, y = at
    end, tap = (END, y), END - 1.2
    if devices.amplifier is None:
        sheet.wire(at, end)
    else:
        amplifier = devices.amplifier
        sheet.triangle(amplifier, at, scale=0.75)
        sheet.wire((x + 1.62, y), end)
        sheet.text((x + 0.1, y + 1.05), _short(amplifier.name), "left bottom", amplifier)
        sheet.text((END + 0.1, y + 0.25), _short(amplifier.nodes[0]), "right bottom")
        curve = f"{amplifier.name}: {amplifier.nodes[0]} = {amplifier.value}"
        sheet.text((0.0, 0.0), _in_two_lines(curve), "left bottom")
    sheet.dot(end, terminal=True)
    if devices.inverter is not None:
        inverter = devices.inverter
        sheet.dot((tap, y))
        sheet.wire((tap, y), (tap, y - 0.9))
        sheet.triangle(inverter, (tap, y - 0.9), scale=0.45, theta=-90.0)
        sheet.wire((tap, y - 1.87), (tap, y - 2.5))
        sheet.dot((tap, y - 2.5), terminal=True)
        sheet.text((tap - 0.65, y - 1.35), f"{_short(inverter.name)}\n= {inverter.value:g}", "right center", inverter)
        sheet.text((tap + 0.2, y - 2.5), _short(inverter.nodes[0], SHORT_NAME), "left center")


def _named(device: Device, separator: str = " = ") -> str:
    """Return a device's name and value; a source that a voltage controls with that voltage."""
    value = device.value
    text = format_si(value, device.primitive.unit) if isinstance(value, float) else "?"
    control = f" * {_short(device.nodes[2], SHORT_NAME)}" if device.name[0] == "G" else ""
    return f"{_short(device.name)}{separator}{text}{control}"


def _in_two_lines(text: str) -> str:
    first, second = text[:LINE_LENGTH], text[LINE_LENGTH:]
    if len(second) > LINE_LENGTH:
        second = f"{second[: LINE_LENGTH - 3]}..."
    return f"{first}\n{second}" if second else first


def _short(name: str, length: int = NAME_LENGTH) -> str:
    return name if len(name) <= length else f"{name[: length - 6]}..{name[-4:]}"
