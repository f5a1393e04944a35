"""The operational amplifier: one part, with a model that says how far it is from ideal."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple

from ..functions.expressions import ARGUMENT, maximum, minimum
from ..values.arrays import freeze, positive
from ..values.errors import InputError
from ..values.names import unknown
from .behaviour import Behaviour
from .part import Part
from .passive import Capacitor, Resistor
from .sources import Transconductance, VoltageGain
from .subcircuit import Subcircuit

INPUT_STAGE = 1e-3  # S: the transconductance of a one-pole model's input stage; any value gives the same amplifier
LIMITER = 1.0  # S: of what holds the one-pole model's inner node within its swing
GROUND = "0"


def word(value: float) -> str:
    """Return a number as a part of a name."""
    return f"{value:.13g}".replace("-", "m").replace("+", "").replace(".", "p")


class Element(NamedTuple):
    """One element of a model: its name, its part, and its nodes, which are ports or inner ones."""

    name: str
    part: Part
    nodes: tuple[str, ...]


class OpAmpModel(ABC):
    """How an op-amp is made of simpler parts, between the nodes `plus`, `minus`, `output` and ground."""

    @abstractmethod
    def elements(self) -> tuple[Element, ...]:
        """Return what it is made of."""

    @property
    def poles(self) -> tuple[str, ...]:
        """The inner nodes, with capacitors, that have the voltage of the output without load."""
        return ()

    @property
    def supplies(self) -> Mapping[str, float]:
        """By further node of its subcircuit, the voltage of a supply; none for a model without rails of its own."""
        return MappingProxyType({})

    @property
    def label(self) -> str:
        """The name of its subcircuit, the same for equal models and for those alone: its kind and its parameters."""
        names = [field.name for field in fields(self)]  # type: ignore[arg-type]
        return "_".join([type(self).__name__.lower(), *(word(getattr(self, name)) for name in names)])


@dataclass(frozen=True, slots=True)
class IdealGain(OpAmpModel):
    """v(output) = A (v(plus) - v(minus)): no pole, no limits, no output resistance. `gain`: A."""

    gain: float = 1e7

    def __post_init__(self) -> None:
        object.__setattr__(self, "gain", float(positive(self.gain, "IdealGain.gain", shape=(), unit="V/V")))

    def elements(self) -> tuple[Element, ...]:
        return (Element("gain", VoltageGain(self.gain), ("output", GROUND, "plus", "minus")),)


@dataclass(frozen=True, slots=True, kw_only=True)
class OnePole(OpAmpModel):
    """One pole, rails and an output resistance: A(s) = A / (1 + s A / (2 pi GBW)), limited to the output's swing.

    `gain`: A, of the open loop at direct current. `gain_bandwidth`: GBW, hertz. `lower`, `upper`: the ends of the
    output's swing without load, volts. `output_resistance`: of the open loop, ohms.

    An input stage of transconductance g charges a capacitor g / (2 pi GBW) beside a resistor A / g; a limiter conducts
    beyond the swing, so that the amplifier leaves saturation at once; a follower with the output resistance drives the
    output.

    Raises InputError for values that are not positive, and a swing that does not hold 0 V.
    """

    gain: float = 2e5
    gain_bandwidth: float = 3e6
    lower: float = -13.5
    upper: float = 13.5
    output_resistance: float = 75.0

    def __post_init__(self) -> None:
        for name, unit in (("gain", "V/V"), ("gain_bandwidth", "Hz"), ("output_resistance", "Ohm")):
            value = positive(getattr(self, name), f"OnePole.{name}", shape=(), unit=unit)
            object.__setattr__(self, name, float(value))
        for name in ("lower", "upper"):
            value = freeze(getattr(self, name), f"OnePole.{name}", shape=(), unit="V")
            object.__setattr__(self, name, float(value))
        if not (-math.inf < self.lower < 0.0 < self.upper < math.inf):
            raise InputError(f"`OnePole`: the swing {self.lower:g} to {self.upper:g} V must hold 0 V")

    def elements(self) -> tuple[Element, ...]:
        beyond = maximum(ARGUMENT - self.upper, 0.0) + minimum(ARGUMENT - self.lower, 0.0)
        capacitance = INPUT_STAGE / (2.0 * math.pi * self.gain_bandwidth)
        return (
            Element("input", Transconductance(INPUT_STAGE), (GROUND, "pole", "plus", "minus")),
            Element("gain", Resistor(self.gain / INPUT_STAGE, is_computing=True), ("pole", GROUND)),
            Element("pole", Capacitor(capacitance), ("pole", GROUND)),
            Element("limit", Behaviour(LIMITER * beyond, "current"), ("pole", GROUND, "pole")),
            Element("follower", VoltageGain(1.0), ("drive", GROUND, "pole", GROUND)),
            Element("output", Resistor(self.output_resistance, is_computing=True), ("drive", "output")),
        )

    @property
    def poles(self) -> tuple[str, ...]:
        return ("pole",)


@dataclass(frozen=True, slots=True)
class OpAmp(Part):
    """An operational amplifier. `model`: how it behaves. `offset`: in series with the non-inverting input, volts.

    A model with supplies has their nodes besides: they follow the output's, in the order of its `supplies`.
    """

    model: OpAmpModel | Subcircuit = field(default_factory=IdealGain)
    offset: float = 0.0
    what: ClassVar[str] = "op-amp"
    units: ClassVar[Mapping[str, str]] = MappingProxyType({"offset": "V"})

    @property
    def ports(self) -> tuple[str, ...]:
        return ("plus", "minus", "output", *self.model.supplies)

    @property
    def sensed(self) -> tuple[int, ...]:
        return (0, 1)

    @property
    def held(self) -> int:
        return 2

    @property
    def physical(self) -> bool:
        return True

    @property
    def value(self) -> float | None:
        """The gain of the open loop, V/V; None for a model that states none."""
        gain = getattr(self.model, "gain", None)
        return gain if isinstance(gain, float) else None

    def with_value(self, value: float) -> OpAmp:
        """Return the op-amp with another gain. Raises InputError for a model that states none."""
        if self.value is None:
            raise InputError(f"an op-amp of {type(self.model).__name__} states no gain; give another model")
        model: Any = self.model
        return replace(self, model=replace(model, gain=value))

    def check(self, name: str) -> None:
        if not isinstance(self.model, OpAmpModel | Subcircuit):
            raise InputError(f"device {name}: model = {self.model!r:.60}: must be an OpAmpModel or a Subcircuit")
        super(OpAmp, self).check(name)

    @property
    def unit(self) -> str:
        return "V/V"


# By name, the models that need no data sheet.
OP_AMPS: Mapping[str, OpAmpModel] = MappingProxyType({"ideal": IdealGain(), "one_pole": OnePole()})


def as_op_amp(value: Any, name: str = "op_amp") -> OpAmp:
    """Return an op-amp: as it is, from its model, from a gain (V/V), from a name of OP_AMPS, or from that of a part.

    A part such as "TL074", in any case, is the typical macro-model of its data sheet on the supplies of that sheet.
    Raises InputError for anything else, and for a gain that is not positive and finite.
    """
    if isinstance(value, OpAmp):
        return value
    if isinstance(value, OpAmpModel | Subcircuit):
        return OpAmp(value)
    if isinstance(value, str):
        with suppress(ValueError):
            value = float(value)
    if isinstance(value, str):
        return OpAmp(OP_AMPS[value] if value in OP_AMPS else _part(value, name))
    return OpAmp(IdealGain(float(positive(value, name, shape=(), unit="V/V"))))


def _part(value: str, name: str) -> OpAmpModel:
    """Return the model of a part that has a data sheet. They are read when one is asked for."""
    from .data_sheet import find_data_sheet, shipped_names

    parts = shipped_names()
    if value.lower() not in map(str.lower, parts):
        known = [*OP_AMPS, *parts]
        raise InputError(f"`{name}`: {unknown('op-amp', value, known)}; or give a gain, a model, or a Subcircuit")
    return find_data_sheet(value).model()
