"""What all test benches share: an op-amp between its supplies, and devices around it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..circuit import Circuit, Device, Origin, Role
from ..parts import OpAmp, Part, Resistor, VoltageGain, VoltageSource, as_op_amp
from ..parts.subcircuit import Subcircuit
from ..values.errors import InputError

GROUND = "0"
AMPLIFIER = "X_amp"
PLUS, MINUS, OUT, MIDDLE = "plus_in", "minus_in", "out", "middle"
UPPER, LOWER = "V_upper", "V_lower"


@dataclass(frozen=True)
class UnderTest:
    """An op-amp with supplies of its own: which of them is the upper rail, and which the lower, volts."""

    op_amp: OpAmp
    upper: float
    lower: float
    upper_pin: str
    lower_pin: str

    @property
    def middle(self) -> float:
        """Half way between the rails, volts."""
        return (self.upper + self.lower) / 2.0

    @property
    def span(self) -> float:
        """From rail to rail, volts."""
        return self.upper - self.lower


def under_test(op_amp: Any) -> UnderTest:
    """Return an op-amp for a bench, from whatever `as_op_amp` takes.

    Raises InputError for a model without rails of its own, and for supplies that are no two rails.
    """
    if isinstance(op_amp, UnderTest):
        return op_amp
    chosen = as_op_amp(op_amp)
    supplies: Mapping[str, float] = chosen.model.supplies
    if not supplies:
        raise InputError(
            f"bench: {type(chosen.model).__name__} has no supplies; give a part of `hopfield-hw parts`, a "
            "MacroModel or a Subcircuit"
        )
    ordered = sorted(supplies, key=lambda pin: supplies[pin])
    low, high = ordered[0], ordered[-1]
    if not supplies[low] < supplies[high]:
        raise InputError(f"bench: the supplies are {supplies[low]:g} V alone: must be two rails")
    return UnderTest(chosen, supplies[high], supplies[low], high, low)


@dataclass
class Draft:
    """The devices of a bench. The rails stand between `upper`, `lower` and `floor`, which is ground unless it moves."""

    title: str
    amplifier: UnderTest
    moved: bool = False
    upper_signal: float = 0.0
    lower_signal: float = 0.0
    devices: list[Device] = field(default_factory=list)

    def __post_init__(self) -> None:
        floor = "floor" if self.moved else GROUND
        at = {self.amplifier.upper_pin: "upper", self.amplifier.lower_pin: "lower"}
        for name, node, volts, signal in (
            (UPPER, "upper", self.amplifier.upper, self.upper_signal),
            (LOWER, "lower", self.amplifier.lower, self.lower_signal),
        ):
            self.add(name, VoltageSource(volts, signal), node, floor, role=Role.SUPPLY)
        supplies = self.amplifier.op_amp.model.supplies
        for pin, volts in supplies.items():
            if pin not in at:
                at[pin] = pin
                self.add(f"V_{pin}", VoltageSource(volts), pin, floor, role=Role.SUPPLY)
        rails = tuple(at[pin] for pin in supplies)
        self.add(AMPLIFIER, self.amplifier.op_amp, PLUS, MINUS, OUT, *rails, role=Role.OP_AMP)

    def add(self, name: str, part: Part, *nodes: str, role: Role = Role.INPUT) -> None:
        """Add a device."""
        self.devices.append(Device(name, part, nodes, Origin("bench", role, ())))

    def hold(self, node: str, volts: float, name: str = "", *, signal: float = 0.0, to: str = GROUND) -> None:
        """Hold a node at a voltage above another one; `signal`: its part in an analysis of small signals, volts."""
        self.add(name or f"V_{node}", VoltageSource(volts, signal), node, to)

    def load(self, ohms: float) -> None:
        """Load the output with a resistor to the middle of the supplies."""
        self.hold(MIDDLE, self.amplifier.middle)
        self.add("R_load", Resistor(ohms), OUT, MIDDLE)

    def follow(self) -> None:
        """Connect the output to the inverting input, by an ideal buffer that draws nothing."""
        self.add("E_follow", VoltageGain(1.0), MINUS, GROUND, OUT, GROUND)

    def circuit(self) -> Circuit:
        """Return the bench as a circuit."""
        return Circuit(
            title=f"{self.title}: {part_name(self.amplifier.op_amp)}",
            cell="bench",
            graph_hash="none",
            devices=tuple(self.devices),
            initial={},
            states=(),
            outputs=(),
        )


def part_name(op_amp: OpAmp) -> str:
    """Return what an op-amp is called."""
    model: Any = op_amp.model
    kind = "subcircuit " if isinstance(model, Subcircuit) else ""
    return f"{kind}{getattr(model, 'name', type(model).__name__)}"
