"""The kinds of device that a circuit is made of, and the values that they take."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from ..values.errors import InputError
from ..values.names import NAME


class Primitive(NamedTuple):
    """A kind of device: what it is, its ports in netlist order, and the unit of its value."""

    what: str
    ports: tuple[str, ...]
    unit: str


class Pulse(NamedTuple):
    """The waveform of a clock: `first` volts, from `delay` on `second` for `width`, again every `period`; seconds.

    `edge`: how long it rises and falls.
    """

    first: float
    second: float
    delay: float
    edge: float
    width: float
    period: float


class Switch(NamedTuple):
    """An analog switch, `off` ohms at a control of 0 V and `on` ohms at 1 V; its conductance is linear between."""

    on: float
    off: float


class Transistor(NamedTuple):
    """An NPN transistor (Gummel and Poon 1970): forward current gain, saturation current A, Early voltage V."""

    beta: float
    saturation_current: float
    early_voltage: float


class Line(NamedTuple):
    """A lossless transmission line: impedance, ohms; delay, seconds; the voltage along it before t = 0, volts."""

    impedance: float
    delay: float
    initial: float


class Multiplier(NamedTuple):
    """A four-quadrant multiplier: W = (1 + e)(X + x0)(Y + y0)/U + Z + z0 + fx X + fy Y + nx c(X) Y + ny c(Y) X.

    `x`, `y`, `z`: the nodes of its inputs. `unit`: U, volts. The errors, all 0 by default: `gain` e, offsets in volts,
    feedthrough fx and fy, and nonlinearity nx and ny as parts of the full scale of 10 V (c(X) is a cubic
    of X / 10 V with a peak of 1, and 0 at both ends).
    """

    x: str
    y: str
    z: str
    unit: float = 10.0
    gain: float = 0.0
    x_offset: float = 0.0
    y_offset: float = 0.0
    z_offset: float = 0.0
    x_feedthrough: float = 0.0
    y_feedthrough: float = 0.0
    x_nonlinearity: float = 0.0
    y_nonlinearity: float = 0.0


Points: TypeAlias = "tuple[tuple[float, float], ...]"
Value: TypeAlias = "float | str | Points | Pulse | Switch | Transistor | Multiplier | Line"

PRIMITIVES: Mapping[str, Primitive] = MappingProxyType(
    {
        "R": Primitive("resistor", ("a", "b"), "Ohm"),
        "C": Primitive("capacitor", ("plus", "minus"), "F"),
        "V": Primitive("voltage source", ("plus", "minus"), "V"),
        "I": Primitive("current source", ("from", "to"), "A"),
        "G": Primitive("voltage-controlled current source", ("from", "to", "plus", "minus"), "S"),
        "E": Primitive("voltage-controlled voltage source", ("plus", "minus", "control_plus", "control_minus"), "V/V"),
        "B": Primitive("behavioural voltage source", ("plus", "minus"), "V"),
        "Q": Primitive("NPN transistor", ("collector", "base", "emitter"), ""),
        "T": Primitive("transmission line", ("near", "near_minus", "far", "far_minus"), "s"),
    }
)
POSITIVE = frozenset({"R", "C"})
# Ports that only sense: something else must drive their nodes.
SENSING: Mapping[str, tuple[int, ...]] = MappingProxyType({"G": (2, 3), "E": (2, 3)})


def check_value(name: str, value: object) -> None:
    """Refuse a value that a device of this name does not take."""
    kind = name[0]
    if kind == "T" and isinstance(value, Line):
        if all(type(part) is float and math.isfinite(part) for part in value) and min(value[:2]) > 0.0:
            return
        raise InputError(f"device {name} = {value}: its impedance and delay must be positive, all of it finite floats")
    if kind == "Q" or isinstance(value, Switch | Transistor):
        if (kind == "Q") != isinstance(value, Transistor) or (kind == "G") != isinstance(value, Switch):
            raise InputError(f"device {name} = {value!r:.80}: Q takes a Transistor, and G a number or a Switch")
        if not _all_positive(value):
            raise InputError(f"device {name} = {value!r:.80}: must be of positive finite numbers")
        return
    if type(value) is float and kind != "T":
        if not math.isfinite(value) or (value <= 0.0 and kind in POSITIVE):
            unit = PRIMITIVES[kind].unit
            raise InputError(f"device {name} = {value} {unit}: must be finite, and positive for R and C")
        return
    if kind == "B" and isinstance(value, Multiplier):
        nodes, numbers = value[:3], value[3:]
        if all(NAME.fullmatch(n) or n == "0" for n in nodes) and all(map(math.isfinite, numbers)) and value.unit > 0.0:
            return
    if kind == "B" and isinstance(value, str) and value and value.isprintable() and value.isascii():
        return
    if kind == "V" and isinstance(value, tuple) and value and not isinstance(value, Line) and _is_waveform(value):
        return
    raise InputError(
        f"device {name} = {value!r:.80}: must be a float (of Python, not of NumPy), one line of text for B, "
        "increasing (time, volts) points or a Pulse for V, or a Line for T"
    )


def _all_positive(value: object) -> bool:
    numbers = value if isinstance(value, tuple) else ()
    # An infinite Early voltage is one that is not there.
    return all(type(number) is float and number > 0.0 for number in numbers) and all(map(math.isfinite, numbers[:2]))


def _is_waveform(value: tuple[object, ...]) -> bool:
    if isinstance(value, Pulse):
        return all(type(number) is float and math.isfinite(number) for number in value) and min(value[2:]) >= 0.0
    points = [point for point in value if isinstance(point, tuple)]
    moments = [point[0] for point in points]
    finite = all(type(number) is float and math.isfinite(number) for point in points for number in point)
    return len(points) == len(value) and finite and moments == sorted(set(moments))
