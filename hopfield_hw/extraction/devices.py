"""Devices of a flattened deck: what they are, between which nodes, and the statement that each comes from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from ..functions.expressions import Expression
from ..values.errors import InputError

# What a device is: a letter of SPICE, or an op-amp, whatever it is made of.
Kind = Literal["R", "C", "V", "I", "E", "G", "F", "H", "B", "D", "Q", "M", "J", "S", "OpAmp"]
GROUND = "0"
# Semiconductors: only a simulator knows what they do.
JUNCTIONS = frozenset({"D", "Q", "M", "J"})
# An E source of so much gain is an op-amp.
OPEN_LOOP = 1e4
# Whether a formula is of a voltage or of a current.
Gives = Literal["voltage", "current"]


@dataclass(frozen=True, kw_only=True, slots=True)
class FlatDevice:
    """One device of a deck without subcircuits.

    `name`: its path in lower case, `x1.r3` for R3 in X1. `nodes`: between which it is; of an op-amp (plus, minus,
    output, ground of the output). `value`: ohms, farads, volts, amperes, or a gain; None for an op-amp of a
    subcircuit. `sensed`: the nodes whose voltages control it. `control`: the source whose current does. `formula`:
    of the sensed voltages, what it `gives`. `wave`: the text of a source's waveform, empty for a constant. `where`:
    file and line. `model`: the name of a semiconductor's or a switch's model, or of an op-amp's subcircuit. `pins`: all
    nodes of a semiconductor or an op-amp in the order of its statement. `keys`: further parameters: those of a pulse,
    and of a switch.
    """

    name: str
    kind: Kind
    nodes: tuple[str, ...]
    where: str
    value: float | None = None
    sensed: tuple[str, ...] = ()
    control: str = ""
    formula: Expression | None = None
    gives: Gives = "voltage"
    wave: str = ""
    model: str = ""
    pins: tuple[str, ...] = ()
    keys: tuple[tuple[str, float], ...] = ()

    @property
    def all_nodes(self) -> tuple[str, ...]:
        """Every node that it touches or senses."""
        return (*self.nodes, *self.sensed, *self.pins)

    @property
    def is_op_amp(self) -> bool:
        """Whether it is an op-amp: a subcircuit that behaves as one, or an E source of a large gain."""
        return self.kind == "OpAmp" or (self.kind == "E" and abs(self.value or 0.0) >= OPEN_LOOP)

    @property
    def inputs(self) -> tuple[str, str]:
        """Of an op-amp, its non-inverting and its inverting input."""
        if self.kind == "OpAmp":
            return self.nodes[0], self.nodes[1]
        plus, minus = self.sensed
        return (plus, minus) if (self.value or 0.0) > 0.0 else (minus, plus)

    @property
    def output(self) -> tuple[str, str]:
        """Of an op-amp, its output and what that is against."""
        return (self.nodes[2], self.nodes[3]) if self.kind == "OpAmp" else (self.nodes[0], self.nodes[1])

    def with_inputs_exchanged(self) -> FlatDevice:
        """Return an op-amp with its inputs exchanged."""
        if self.kind != "OpAmp":
            return replace(self, sensed=self.sensed[::-1])
        exchanged = {self.nodes[0]: self.nodes[1], self.nodes[1]: self.nodes[0]}
        return replace(
            self,
            nodes=(self.nodes[1], self.nodes[0], *self.nodes[2:]),
            pins=tuple(exchanged.get(node, node) for node in self.pins),
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class FlatDeck:
    """A deck without subcircuits: its devices, and the definitions that a simulator needs beside them.

    `definitions`: the statements of subcircuits and models of op-amps; `models`: the lines of models of semiconductors.
    `labels`: by name of a capacitor, the label of the state that it holds, where that is known; `probes`: by node, the
    label of the state that is seen there. `notes`: what to tell.
    """

    title: str
    devices: tuple[FlatDevice, ...]
    definitions: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    labels: Mapping[str, str] | None = None
    probes: Mapping[str, str] | None = None
    notes: tuple[str, ...] = ()

    @cached_property
    def by_name(self) -> Mapping[str, FlatDevice]:
        """The devices by their names."""
        return {device.name: device for device in self.devices}

    def of(self, *kinds: Kind) -> Iterator[FlatDevice]:
        """Yield the devices of some kinds."""
        return (device for device in self.devices if device.kind in kinds)

    @property
    def op_amps(self) -> tuple[FlatDevice, ...]:
        """The op-amps."""
        return tuple(device for device in self.devices if device.is_op_amp)

    def device(self, name: str) -> FlatDevice:
        """Return a device by its name, in any case. Raises InputError for one that is not there."""
        found = self.by_name.get(name.lower())
        if found is None:
            known = ", ".join(list(self.by_name)[:8])
            raise InputError(f"deck: has no device {name!r:.60}; it has {known}, ...: name one of its devices")
        return found

    def with_devices(self, devices: Iterable[FlatDevice]) -> FlatDeck:
        """Return the deck with other devices."""
        return replace(self, devices=tuple(devices))

    def with_device(self, device: FlatDevice) -> FlatDeck:
        """Return the deck with one device in place of that of its name, or beside the others."""
        if device.name not in self.by_name:
            return self.with_devices((*self.devices, device))
        return self.with_devices(device if each.name == device.name else each for each in self.devices)

    def without(self, names: Iterable[str]) -> FlatDeck:
        """Return the deck without some devices."""
        gone = set(names)
        return self.with_devices(device for device in self.devices if device.name not in gone)

    @cached_property
    def fixed(self) -> Mapping[str, float]:
        """By node, its voltage where sources of constant voltage fix it: ground, supplies and references."""
        fixed = {GROUND: 0.0}
        sources = [device for device in self.of("V") if not device.wave]
        found = True
        while found:
            found = False
            for source in sources:
                (high, low), volts = source.nodes, source.value or 0.0
                if low in fixed and high not in fixed:
                    fixed[high], found = fixed[low] + volts, True
                elif high in fixed and low not in fixed:
                    fixed[low], found = fixed[high] - volts, True
        return fixed
