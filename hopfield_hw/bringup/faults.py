"""The faults that each block may have: of its parts, open, short, a decade off, exchanged; of its op-amp, dead."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import NamedTuple

from ..circuit import Device, Role
from ..parts import Capacitor, Diode, MacroModel, OpAmp, Resistor, Transistor
from ..parts.parameters import Parameter
from ..production.circuit_faults import OPEN, SHORT
from .blocks import RESISTANCE, VOLTAGE, Block, Changes, bridge_of

FORCED = ("V_forced", VOLTAGE)
SATURATION, OFFSET = Parameter("saturation_current"), Parameter("offset", in_model=True)
DRIVEN = 200.0  # V, at the input of an op-amp that is driven to an end of its swing
GONE = 1e-9  # of a transistor's saturation current, where it is open
FLOATING = 1e12  # ohms, between a dead output and anything
FAR = 1e-6  # parts of a value: resistors that differ by less are alike
OF_PAIRS, OF_WAYS = 3.0, 1.0  # the logarithm of how much rarer
DEAD = 50.0  # ohms, of an output that is stuck


class Hypothesis(NamedTuple):
    """One fault of a part, or of two that are exchanged.

    `devices`: those at fault. `words`: what is wrong with them. `changes`: values of parts that make it; several where
    it may go either way in each condition, as an op-amp whose inputs are exchanged does. `dead`: the block's op-amp
    does not work. `rarity`: what its likelihood counts less than that of a single part, as there are many pairs.
    """

    devices: tuple[str, ...]
    words: str
    changes: tuple[Changes, ...]
    dead: bool = False
    rarity: float = 0.0

    @property
    def key(self) -> tuple[tuple[str, ...], str]:
        """What it is called by in all blocks."""
        return self.devices, self.words


def faults_by_block(blocks: Sequence[Block]) -> list[list[Hypothesis]]:
    """Return the faults of each block, those of others among them whose parts are in it too."""
    own = [faults_of(block) for block in blocks]
    found = []
    for b, block in enumerate(blocks):
        names = {name for d in block.parts for name in (d.name, bridge_of(d.name))}
        known = {d.name for d in block.alive.devices}
        here = {one.key: one for one in own[b]}
        for one in (one for others in own for one in others):
            if one.dead or one.key in here or not any(name in names for name, _ in one.changes[0]):
                continue
            ways = tuple({key: value for key, value in way.items() if key[0] in known} for way in one.changes)
            here[one.key] = one._replace(changes=ways)
        found.append(list(here.values()))
    return found


def faults_of(block: Block) -> list[Hypothesis]:
    """Return the faults that a block may have, and that show at rest."""
    found = [*_of_op_amp(block.alive.device(block.op_amp))]
    resistors = []
    for device in block.parts:
        if device.origin.role == Role.PRESET:
            continue
        found += _of_part(device)
        if isinstance(device.part, Resistor):
            resistors.append(device)
    for one, other in combinations(resistors, 2):
        if _may_exchange(one, other):
            a, b = one.part, other.part
            assert isinstance(a, Resistor)
            assert isinstance(b, Resistor)
            changes: Changes = {(one.name, RESISTANCE): b.resistance, (other.name, RESISTANCE): a.resistance}
            found.append(Hypothesis((one.name, other.name), "are exchanged", (changes,), rarity=OF_PAIRS))
    return found


def _may_exchange(one: Device, other: Device) -> bool:
    """Whether two resistors differ, and are both synapses of a neuron, or neither of them."""
    synapses = [d.origin.role == Role.WEIGHT for d in (one, other)]
    if synapses[0] != synapses[1] or (synapses[0] and one.origin.element[:1] != other.origin.element[:1]):
        return False
    a, b = one.part.value, other.part.value
    return a is not None and b is not None and abs(a / b - 1.0) > FAR


def _of_part(device: Device) -> Iterator[Hypothesis]:
    name, part = device.name, device.part
    if isinstance(part, Resistor):
        ohms = part.resistance
        for words, value in (
            ("is open", OPEN),
            ("is short", SHORT),
            ("is 10 times its value", 10.0 * ohms),
            ("is a tenth of its value", 0.1 * ohms),
        ):
            yield Hypothesis((name,), words, ({(name, RESISTANCE): value},))
    elif isinstance(part, Capacitor):
        yield Hypothesis((name,), "is short", ({(bridge_of(name), RESISTANCE): SHORT},))
    elif isinstance(part, Transistor):
        yield Hypothesis((name,), "is open", ({(name, SATURATION): GONE * part.saturation_current},))
        yield Hypothesis((name,), "is short", ({(bridge_of(name), RESISTANCE): SHORT},))
    elif isinstance(part, Diode):
        yield Hypothesis((name,), "is open", ({(name, SATURATION): GONE * part.saturation_current},))


def _of_op_amp(device: Device) -> Iterator[Hypothesis]:
    name, part = device.name, device.part
    assert isinstance(part, OpAmp)
    assert isinstance(part.model, MacroModel)
    low, high = part.model.swing()

    def at(volts: float, ohms: float = DEAD) -> Changes:
        return {FORCED: volts, ("R_forced", RESISTANCE): ohms}

    yield Hypothesis((name,), f"has its output stuck at {high:+.3g} V", (at(high),), dead=True)
    yield Hypothesis((name,), f"has its output stuck at {low:+.3g} V", (at(low),), dead=True)
    yield Hypothesis((name,), "has its output stuck at 0 V", (at(0.0),), dead=True)
    yield Hypothesis((name,), "drives its output no more", (at(0.0, FLOATING),), dead=True)
    # An amplifier that is driven to an end of its swing still gives no more current than it can.
    up, down = ({(name, OFFSET): sign * DRIVEN} for sign in (1.0, -1.0))
    yield Hypothesis((name,), "is driven to the upper end of its swing", (up,))
    yield Hypothesis((name,), "is driven to the lower end of its swing", (down,))
    yield Hypothesis((name,), "has its inputs exchanged", (up, down), rarity=OF_WAYS)
