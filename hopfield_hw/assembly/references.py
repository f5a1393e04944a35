"""References: numbers that follow from what a part is for, so that they stay when another part comes or goes.

Neuron k has the hundred k + 1 (the thousand where a hundred is not enough): R103 is the synapse from column 2 of the
first neuron. What all neurons share has the numbers below, and other operators those above.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..circuit import Circuit, Device, Role
from ..parts import Capacitor, Diode, Resistor
from .groups import Group, Groups, columns_of

SECOND = "_and"  # the end of the name of a second resistor for one value
# The slots of a neuron's resistors, behind those of its weights; each role has two.
RESISTORS = (
    Role.RESISTANCE,
    Role.BIAS,
    Role.INVERTER_IN,
    Role.INVERTER_FEEDBACK,
    Role.DRIVE_IN,
    Role.DRIVE_FEEDBACK,
    Role.DIVIDER_TOP,
    Role.DIVIDER_TAP,
    Role.BALANCE,
    Role.TAIL_RESISTANCE,
    Role.SWING,
    Role.OFFSET,
    Role.GAIN_IN,
    Role.GAIN_FEEDBACK,
    Role.LOAD,
    Role.FEEDBACK,
    Role.COMMON,
    Role.COMMON_LINE,
    Role.EDGE,
)
# What only a board has: its slots in each neuron, behind the roles.
HARDWARE = ("reset", "preset", "reset_master")
CAPACITORS = (Role.CAPACITANCE, Role.MASTER, Role.SLAVE)
# By what its op-amp is for, the slot of a capacitor that keeps it stable, behind the capacitors above.
COMPENSATED = ("", "inv", "pair", "drive", "gain", "scale", "current", "upper", "lower", "buffer")
CLAMPS = ("upper", "lower")
# What all neurons share: the resistors' slots; those of the board alone have theirs first.
SHARED_RESISTORS = (
    "reset_series",
    "reset_pull",
    "shunt_p",
    "shunt_n",
    "set_top",
    "set_tap",
    "R_reference_in",
    "R_reference_feedback",
    "R_tail_line",
    f"R_tail_line{SECOND}",
)
SHARED_CAPACITORS = 10  # slots before those of decoupling
PREFIXES: Mapping[type, str] = {Resistor: "R", Capacitor: "C", Diode: "D"}


class References:
    """The references of a circuit's resistors, capacitors and diodes, and of what a board has beside them.

    `base`: the step from one neuron to the next. `decoupling`: the slot before those of decoupling.
    """

    def __init__(self, circuit: Circuit, devices: Iterable[Device], groups: Groups) -> None:
        self._graph = circuit.graph
        self._width: dict[Group, int] = {}
        slots: dict[str, tuple[str, int, int]] = {}
        taken: dict[tuple[str, int], set[int]] = {}
        late: list[tuple[str, Group, Device]] = []
        names = {device.name for device in devices}
        for device in sorted(devices, key=lambda device: device.name):
            prefix, group = PREFIXES.get(type(device.part)), groups.of(device)
            if prefix is None or device.origin.role == Role.DECOUPLING:
                continue
            slot = self._slot(device, prefix, group, circuit, names)
            used = taken.setdefault((prefix, group.number), set())
            if slot is None or slot in used:
                late.append((prefix, group, device))
                continue
            used.add(slot)
            slots[device.name] = (prefix, group.number, slot)
        for prefix, group, device in late:
            used = taken[prefix, group.number]
            slot = max(self._end(prefix, group), *used, 0) + 1
            used.add(slot)
            slots[device.name] = (prefix, group.number, slot)
        highest = max([slot for _, _, slot in slots.values()] + [self._end("R", group) for group in groups.neurons])
        self.base = 100
        self.reserve(highest)
        self._slots = slots
        shared = [slot for prefix, number, slot in slots.values() if (prefix, number) == ("C", 0)]
        self.decoupling = max([SHARED_CAPACITORS, *shared])

    def reserve(self, highest: int) -> None:
        """Make room for slots up to this one."""
        while self.base <= highest:
            self.base *= 10

    def of_device(self, name: str) -> str:
        """Return the reference of a resistor, a capacitor or a diode."""
        prefix, number, slot = self._slots[name]
        return f"{prefix}{self.base * number + slot}"

    def at(self, prefix: str, group: Group, slot: int) -> str:
        """Return the reference of a slot of a group."""
        return f"{prefix}{self.base * group.number + slot}"

    def hardware(self, group: Group, what: str) -> str:
        """Return the reference of a resistor of HARDWARE."""
        return self.at("R", group, self._end("R", group) - len(HARDWARE) + HARDWARE.index(what) + 1)

    def _slot(self, device: Device, prefix: str, group: Group, circuit: Circuit, names: set[str]) -> int | None:
        role, element, name = device.origin.role, device.origin.element, device.name
        if group.number == 0:
            return SHARED_RESISTORS.index(name) + 1 if name in SHARED_RESISTORS else None
        second = name.endswith(SECOND) and name.removesuffix(SECOND) in names
        if prefix == "R" and role == Role.WEIGHT and len(element) == 2:
            columns = columns_of(self._graph, group)
            prefixes = [text for text in columns if text and name.startswith(text)]
            if not prefixes:
                return None
            return columns[max(prefixes, key=len)] + element[1] + 1 + (columns[""] if second else 0)
        if prefix == "R":
            weights = self._weights(group)
            return weights + 2 * RESISTORS.index(role) + 1 + second if role in RESISTORS else None
        if prefix == "D":
            return next((k + 1 for k, word in enumerate(CLAMPS) if name.endswith(f"_{word}")), None)
        if role in CAPACITORS:
            return CAPACITORS.index(role) + 1
        stem = self._stem(device, circuit)
        return len(CAPACITORS) + COMPENSATED.index(stem) + 1 if stem in COMPENSATED else None

    def _stem(self, device: Device, circuit: Circuit) -> str:
        """Return what the op-amp of a compensation is for: its name without operator and label."""
        stem = device.name.removeprefix("C_").removesuffix("_compensation")
        own = f"{device.origin.operator}_{circuit.label_of(device.origin)}"
        return stem.replace(own, "", 1).strip("_") if own in stem else device.name

    def _weights(self, group: Group) -> int:
        if group not in self._width:
            self._width[group] = 2 * columns_of(self._graph, group)[""]
        return self._width[group]

    def _end(self, prefix: str, group: Group) -> int:
        """Return the last slot that is fixed."""
        if group.number == 0:
            return len(SHARED_RESISTORS) if prefix == "R" else 0
        if prefix == "R":
            return self._weights(group) + 2 * len(RESISTORS) + len(HARDWARE)
        return len(CLAMPS) if prefix == "D" else len(CAPACITORS) + len(COMPENSATED)
