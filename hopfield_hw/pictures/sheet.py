"""A sheet for schematics: parts, wires and text by points, in schemdraw; what is at fault is in colour."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import pairwise
from types import MappingProxyType
from typing import TypeAlias

import schemdraw
import schemdraw.elements as elm
from matplotlib.axes import Axes

from ..circuit import Device
from ..parts import (
    Behaviour,
    Capacitor,
    CurrentSource,
    Diode,
    Part,
    Resistor,
    Switch,
    Transconductance,
    Transconductor,
    VoltageGain,
    VoltageSource,
)
from ..values.si_text import format_si

Point: TypeAlias = tuple[float, float]

FAULT = "#D55E00"
# The page in schemdraw's units, in which a resistor's zigzag is 1 long.
WIDTH, HEIGHT, BOTTOM = 17.0, 8.6, -1.1
FONT_SIZE = 7.0
NAME_LENGTH, SHORT_NAME = 14, 9
LINE_LENGTH = 80
SYMBOLS: Mapping[type[Part], type[elm.Element2Term]] = MappingProxyType(
    {
        Resistor: elm.Resistor,
        Capacitor: elm.Capacitor,
        VoltageSource: elm.SourceV,
        CurrentSource: elm.SourceI,
        Transconductance: elm.SourceControlledI,
        Transconductor: elm.SourceControlledI,
        VoltageGain: elm.SourceControlledV,
        Behaviour: elm.SourceControlledV,
        Switch: elm.Switch,
        Diode: elm.Diode,
    }
)


class Sheet:
    """A drawing in an axis."""

    def __init__(self, axes: Axes, faults: Collection[str]) -> None:
        self.axes = axes
        self.faults = faults
        self.drawing = schemdraw.Drawing(canvas=axes, lw=1.0, fontsize=FONT_SIZE)
        self.width = WIDTH
        self.notes: list[str] = []

    def colour(self, device: Device | None) -> str:
        """Return the colour of a device: FAULT for one at fault."""
        return "black" if device is None or device.name not in self.faults else FAULT

    def part(self, device: Device, start: Point, end: Point) -> None:
        """Put a two-terminal device between two points."""
        symbol = SYMBOLS.get(type(device.part), elm.ResistorIEC)
        self.drawing.add(symbol().endpoints(start, end).color(self.colour(device)))

    def put(self, element: elm.Element, device: Device | None = None) -> None:
        """Put an element of schemdraw, in the colour of a device."""
        self.drawing.add(element.color(self.colour(device)))

    def wire(self, *points: Point, dashed: bool = False) -> None:
        """Draw a line through points."""
        for start, end in pairwise(points):
            self.drawing.add(elm.Line().endpoints(start, end).style(ls="--" if dashed else "-"))

    def dot(self, at: Point, *, terminal: bool = False) -> None:
        """Mark a junction, or a terminal."""
        self.drawing.add(elm.Dot(open=terminal).at(at))

    def ground(self, at: Point, *, theta: float = 0.0) -> None:
        """Put a ground symbol."""
        self.drawing.add(elm.Ground().at(at).theta(theta))

    def to_ground(self, device: Device, at: Point, length: float = 2.6) -> None:
        """Put a device from a junction down to ground, with its name and value on its right."""
        x, y = at
        self.dot(at)
        self.part(device, at, (x, y - length))
        self.ground((x, y - length))
        aside = 0.42 if isinstance(device.part, Resistor | Capacitor) else 0.75
        self.text((x + aside, y - length / 2.0), describe(device, "\n"), "left center", device)

    def triangle(self, device: Device, at: Point, *, scale: float, theta: float = 0.0) -> None:
        """Put an amplifier with one input at a point; it is 2.17 long and 2.5 wide, times `scale`."""
        self.put(elm.Opamp(sign=False).scale(scale).theta(theta).at(at), device)

    def text(self, at: Point, text: str, where: str, device: Device | None = None) -> None:
        """Write text; `where`: the horizontal and vertical alignment, such as "left bottom"."""
        horizontal, vertical = where.split()
        colour = self.colour(device)
        self.axes.text(*at, text, ha=horizontal, va=vertical, fontsize=FONT_SIZE, color=colour, linespacing=1.3)

    def finish(self) -> None:
        """Show the drawing with its notes below it."""
        self.text((0.0, BOTTOM), "\n".join(_in_two_lines(note) for note in self.notes), "left bottom")
        self.drawing.draw(show=False)
        self.axes.set(xlim=(0.0, self.width), ylim=(BOTTOM, HEIGHT), aspect="equal")
        self.axes.axis("off")


def describe(device: Device, separator: str = " = ") -> str:
    """Return a device's name and value; a source that a voltage controls with that voltage."""
    part, value = device.part, device.part.conductance
    text = "?"
    if isinstance(part, Resistor) or value is None:
        text = "?" if part.value is None else format_si(part.value, part.unit)
    elif isinstance(part, Transconductance | Transconductor):
        text = f"{format_si(value, 'S')} * {shorten(device.nodes[2], SHORT_NAME)}"
    return f"{shorten(device.name)}{separator}{text}"


def shorten(name: str, length: int = NAME_LENGTH) -> str:
    """Return a name, its middle left out where it is long."""
    return name if len(name) <= length else f"{name[: length - 6]}..{name[-4:]}"


def _in_two_lines(text: str) -> str:
    first, second = text[:LINE_LENGTH], text[LINE_LENGTH:]
    if len(second) > LINE_LENGTH:
        second = f"{second[: LINE_LENGTH - 3]}..."
    return f"{first}\n{second}" if second else first
