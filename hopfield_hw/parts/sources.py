"""Independent sources and their waveforms, and sources that a voltage controls."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import ClassVar, NamedTuple, TypeAlias

from ..values.errors import InputError
from .part import Part


class Pulse(NamedTuple):
    """The waveform of a clock: `first` volts, from `delay` on `second` for `width`, again every `period`; seconds.

    `edge`: how long it rises and falls; not 0, as a simulator would take one of its own steps for it.
    """

    first: float
    second: float
    delay: float
    edge: float
    width: float
    period: float


Points: TypeAlias = "tuple[tuple[float, float], ...]"
Waveform: TypeAlias = "float | Points | Pulse"


@dataclass(frozen=True, slots=True)
class VoltageSource(Part):
    """A voltage: constant, volts; or points ((t, v), ...) with straight lines between; or a Pulse.

    `alternating`: its amplitude in small-signal analyses, volts.
    """

    voltage: Waveform
    alternating: float = 0.0
    what: ClassVar[str] = "voltage source"
    ports = ("plus", "minus")
    units: ClassVar[Mapping[str, str]] = MappingProxyType({"voltage": "V", "alternating": "V"})

    @property
    def held(self) -> int:
        return 0

    def check(self, name: str) -> None:
        if isinstance(self.voltage, tuple):
            if not self.voltage or not _is_waveform(self.voltage):
                raise InputError(
                    f"device {name} = {self.voltage!r:.80}: must be increasing (time, volts) points of finite floats, "
                    "or a Pulse with edges"
                )
            return
        super(VoltageSource, self).check(name)


@dataclass(frozen=True, slots=True)
class CurrentSource(Part):
    """A constant current from its first node, through the source, to its second, amperes."""

    current: float
    what: ClassVar[str] = "current source"
    ports = ("from", "to")
    units: ClassVar[Mapping[str, str]] = MappingProxyType({"current": "A"})


@dataclass(frozen=True, slots=True)
class VoltageGain(Part):
    """A voltage-controlled voltage source, ideal: v = gain (v(control_plus) - v(control_minus))."""

    gain: float
    what: ClassVar[str] = "voltage-controlled voltage source"
    ports = ("plus", "minus", "control_plus", "control_minus")
    units: ClassVar[Mapping[str, str]] = MappingProxyType({"gain": "V/V"})

    @property
    def sensed(self) -> tuple[int, ...]:
        return (2, 3)

    @property
    def held(self) -> int:
        return 0


@dataclass(frozen=True, slots=True)
class Transconductance(Part):
    """A voltage-controlled current source, ideal: i = siemens (v(plus) - v(minus)), from `from` to `to`."""

    siemens: float
    what: ClassVar[str] = "voltage-controlled current source"
    ports = ("from", "to", "plus", "minus")
    units: ClassVar[Mapping[str, str]] = MappingProxyType({"siemens": "S"})

    @property
    def sensed(self) -> tuple[int, ...]:
        return (2, 3)

    @property
    def conductance(self) -> float:
        return self.siemens

    def with_conductance(self, siemens: float) -> Transconductance:
        return replace(self, siemens=siemens)


def _is_waveform(value: tuple[object, ...]) -> bool:
    if isinstance(value, Pulse):
        finite = all(type(number) is float and math.isfinite(number) for number in value)
        return finite and min(value.delay, value.width) >= 0.0 and min(value.edge, value.period) > 0.0
    points = [point for point in value if isinstance(point, tuple)]
    moments = [point[0] for point in points]
    finite = all(type(number) is float and math.isfinite(number) for point in points for number in point)
    return len(points) == len(value) and finite and moments == sorted(set(moments))
