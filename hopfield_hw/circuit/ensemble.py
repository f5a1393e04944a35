"""Samples of a circuit that differ in the values of its parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import zip_longest
from typing import Any

import numpy as np

from ..parts import Part
from ..parts.parameters import Parameter, find_parameter, gather_values, with_values
from ..values.arrays import Array, freeze
from ..values.errors import InputError
from .circuit import Circuit
from .device import Device

ONE_TOPOLOGY = "the circuits of an ensemble have one topology, and differ in the values of their parts"


@dataclass(frozen=True, kw_only=True, eq=False)
class Ensemble:
    """Samples of a circuit.

    `circuit`: the nominal one. `values`: by device and parameter, those of the samples, (samples,), SI units. `parts`:
    by device, the whole parts of the samples, where no values say how they differ. `initial`: by node, where it starts
    in each sample, (samples,), volts; the others start as in the circuit. `size`: how many samples.

    Raises InputError for a device or a parameter that is not there, other shapes, and values that a part cannot have.
    """

    circuit: Circuit
    size: int
    values: Mapping[str, Mapping[Parameter, Array]] = field(default_factory=dict, repr=False)
    parts: Mapping[str, tuple[Part, ...]] = field(default_factory=dict, repr=False)
    initial: Mapping[str, Array] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        frozen: dict[str, dict[Parameter, Array]] = {}
        for name, changes in self.values.items():
            part = self.circuit.device(name).part
            for parameter, values in changes.items():
                if find_parameter(part, parameter.name) != parameter:
                    raise InputError(f"ensemble: device {name}: a {part.what} has no parameter {parameter.name!r:.40}")
                row = freeze(values, f"ensemble: {name}.{parameter.name}", shape=(self.size,))
                for extreme in (float(row.min()), float(row.max())):
                    with_values(part, {parameter: extreme}).check(name)
                frozen.setdefault(name, {})[parameter] = row
        for name, parts in self.parts.items():
            if len(parts) != self.size:
                raise InputError(f"ensemble: device {name}: has {len(parts)} parts for {self.size} samples")
        starts = {
            node: freeze(volts, f"ensemble: start of {node}", shape=(self.size,), unit="V")
            for node, volts in self.initial.items()
        }
        object.__setattr__(self, "values", frozen)
        object.__setattr__(self, "initial", starts)

    @classmethod
    def of(cls, circuits: Sequence[Circuit]) -> Ensemble:
        """Return circuits as samples of the first one.

        Raises InputError for circuits with other devices or nodes, or devices of other kinds.
        """
        if not circuits:
            raise InputError("ensemble: `circuits` is empty: must be a Circuit, or a list with at least one")
        for k, one in enumerate(circuits):
            if not isinstance(one, Circuit):
                raise InputError(
                    f"ensemble: `circuits[{k}]` is a {type(one).__name__}: must be a Circuit; lower a network first"
                )
        first = circuits[0]
        for k, one in enumerate(circuits):
            for own, other in zip_longest(one.devices, first.devices):
                if own is None or other is None or (own.name, own.nodes) != (other.name, other.nodes):
                    raise InputError(
                        f"ensemble: `circuits[{k}]` has {_name(own)} where the first has {_name(other)}: {ONE_TOPOLOGY}"
                    )
        values: dict[str, dict[Parameter, Array]] = {}
        whole: dict[str, tuple[Part, ...]] = {}
        for device, *others in zip(*(one.devices for one in circuits), strict=True):
            if all(other.part is device.part or other.part == device.part for other in others):
                continue
            parts = (device.part, *(other.part for other in others))
            found = gather_values(parts)
            if found is None:
                whole[device.name] = parts
            else:
                values[device.name] = found
        initial: dict[str, Any] = {}
        if any(one.initial != first.initial for one in circuits):
            for node in dict.fromkeys(node for one in circuits for node in one.initial):
                initial[node] = np.array([one.initial.get(node, 0.0) for one in circuits])
        slowest = replace(first, time_constant=max(one.time_constant for one in circuits))
        return cls(circuit=slowest, size=len(circuits), values=values, parts=whole, initial=initial)

    @classmethod
    def as_samples(cls, circuits: Any, what: str) -> Ensemble:
        """Return one circuit, a list of them, or an Ensemble as an Ensemble. `what`: is asked for them, for messages.

        Raises InputError for anything else, and as `of` does.
        """
        if isinstance(circuits, Circuit):
            return cls(circuit=circuits, size=1)
        if isinstance(circuits, Ensemble):
            return circuits
        if isinstance(circuits, str | bytes) or not isinstance(circuits, Sequence):
            raise InputError(
                f"{what}: `circuits` is a {type(circuits).__name__}: must be a Circuit, a list of them, or an "
                "Ensemble; lower a network first; of Draws give `.ensemble`"
            )
        return cls.of(circuits)

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, sample: int) -> Circuit:
        """Return the circuit of a sample, by its place."""
        if not 0 <= sample < self.size:
            raise IndexError(f"ensemble: sample {sample} of {self.size}")
        changed = {name: parts[sample] for name, parts in self.parts.items()}
        for name, changes in self.values.items():
            part = self.circuit.device(name).part
            changed[name] = with_values(part, {key: float(values[sample]) for key, values in changes.items()})
        devices = tuple(
            device._replace(part=changed[device.name]) if device.name in changed else device
            for device in self.circuit.devices
        )
        starts = {node: float(volts[sample]) for node, volts in self.initial.items()}
        return replace(self.circuit, devices=devices, initial={**self.circuit.initial, **starts})

    def take(self, samples: range) -> Ensemble:
        """Return some of the samples, by their places."""
        if not len(samples) or not 0 <= min(samples) <= max(samples) < self.size:
            raise InputError(f"ensemble: `samples` = {samples}: must be of the {self.size} samples, and not empty")
        places = list(samples)
        values = {name: {key: row[places] for key, row in changes.items()} for name, changes in self.values.items()}
        parts = {name: tuple(whole[k] for k in samples) for name, whole in self.parts.items()}
        initial = {node: volts[places] for node, volts in self.initial.items()}
        return replace(self, size=len(samples), values=values, parts=parts, initial=initial)

    def driven(self, inputs: Any) -> Ensemble:
        """Return the samples with their input sources set, as `Circuit.driven` does."""
        return self if inputs is None else replace(self, circuit=self.circuit.driven(inputs))

    @cached_property
    def starts(self) -> Mapping[str, float | Array]:
        """By node, in lower case, where it starts, volts: a number, or one for each sample."""
        starts: dict[str, float | Array] = {node.lower(): volts for node, volts in self.circuit.initial.items()}
        return starts | {node.lower(): volts for node, volts in self.initial.items()}


def _name(device: Device | None) -> str:
    return "no further device" if device is None else f"{device.name} ({' '.join(device.nodes)})"
