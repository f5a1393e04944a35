"""What an amplifier is: devices that take -x to a gain curve v = g(x)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple, Protocol, runtime_checkable

from ...circuit import GROUND, Draft, Origin, Role
from ...functions import Function
from ...graph import Activate
from ...parts import IdealGain
from ...values.errors import Unrealisable
from ..elements import curve_of
from ..summing import Summing


@runtime_checkable
class Amplifier(Protocol):
    """A way to make a gain curve. `name`: what users call it. `curves`: the functions that it makes.

    `in_parts`: whether it is made of parts alone. `reach`: where its amplitude is: at b x = reach a.
    """

    @property
    def name(self) -> str: ...

    @property
    def curves(self) -> tuple[type[Function], ...]: ...

    @property
    def in_parts(self) -> bool: ...

    @property
    def reach(self) -> float: ...

    def add(self, draft: Draft, activate: Activate, inputs: Sequence[str], make: Summing) -> None:
        """Add the devices of each element of an Activate, from a node that carries -x to the operator's own.

        `make`: its op-amps, the resistance of inputs, ohms, and the two references, volts.

        Raises Unrealisable for a function that it does not make, and for values out of its reach.
        """
        ...


class Curve(NamedTuple):
    """One gain curve to be made: `slope` at zero, and `amplitude`."""

    slope: float
    amplitude: float


def curves_of(amplifier: Amplifier, activate: Activate) -> list[Curve]:
    """Return slope and amplitude by element. Raises Unrealisable for a function that the amplifier does not make."""
    found = []
    for k in range(activate.size):
        function = curve_of(activate, k)
        if type(function) not in amplifier.curves:
            raise Unrealisable(
                f"Activate {activate.name!r}: amplifier {amplifier.name!r} makes {_words(amplifier.curves)}, not "
                f"{type(function).__name__}; take {_able(type(function))}"
            )
        values = function.params()
        found.append(Curve(float(values["gain"]), float(values["amplitude"])))
    return found


def check_limits(amplifier: Amplifier, activate: Activate, make: Summing) -> None:
    """Raise Unrealisable where the op-amp's output has no limits, which diodes that open a loop need."""
    if isinstance(make.op_amp.model, IdealGain):
        raise Unrealisable(
            f"Activate {activate.name!r}: amplifier {amplifier.name!r} opens the loop of op-amps, and an ideal gain "
            "has no limits; give op_amp=OnePole(), or the model of a part"
        )


def check_reference(amplifier: Amplifier, activate: Activate, needed: float, make: Summing) -> None:
    """Raise Unrealisable where the reference is below what is needed, volts."""
    if make.reference < needed:
        raise Unrealisable(
            f"Activate {activate.name!r}: amplifier {amplifier.name!r} needs a reference of {needed:.4g} V at least, "
            f"not {make.reference:g} V; give reference={math.ceil(10.0 * needed) / 10.0:g}"
        )


def open_loop_gain(make: Summing) -> float:
    """Return the gain of the op-amps at direct current; infinite where their model states none."""
    return math.inf if make.op_amp.value is None else make.op_amp.value


def references(draft: Draft, activate: Activate, make: Summing) -> tuple[str, str]:
    """Return the nodes of the positive and the negative reference."""
    positive = draft.supply("reference_p", make.reference, activate)
    return positive, draft.supply("reference_n", -make.reference, activate)


def add_level(draft: Draft, activate: Activate, volts: float, make: Summing) -> str:
    """Return a node at a part of a reference, for inputs that draw no current; equal ones share a divider."""
    top, low = references(draft, activate, make)
    rail = top if volts > 0.0 else low
    text = f"{abs(volts):.9g}".replace(".", "p").replace("-", "m").replace("+", "")
    part = abs(volts) / make.reference
    if part == 1.0:
        return rail
    node = f"level_{'p' if volts > 0.0 else 'n'}_{text}"
    if draft.is_first(node):
        draft.claim(node, activate, "_level")
        origin = Origin(activate.name, Role.LEVEL, ())
        draft.add_resistor(f"R_{node}_top", (rail, node), make.resistance * (1.0 - part), origin)
        draft.add_resistor(f"R_{node}_tap", (node, GROUND), make.resistance * part, origin)
    return node


def hold_level(draft: Draft, activate: Activate, volts: float, make: Summing) -> str:
    """Return a node that a follower holds at a level, for inputs that draw current: of a clamp whose loop is open.

    There the inputs of its op-amp stand apart by volts, and its differential resistance loads the level: 300 kOhm of an
    NE5532, in each of many clamps, moved a bare divider by 2% of the amplitude.
    """
    level = add_level(draft, activate, volts, make)
    if level in references(draft, activate, make):
        return level
    held = f"{level}_held"
    if draft.is_first(held):
        draft.claim(held, activate, "_level_held")
        draft.add_op_amp(held, make.op_amp, (level, held), held, Origin(activate.name, Role.LEVEL, ()))
        draft.start(held, volts)
    return held


def new_node(draft: Draft, activate: Activate, k: int, role: str) -> str:
    """Return a node of one element's own, as in `v_base_3` for the role "base"."""
    node = f"{activate.name}_{role}{draft.suffix(activate.name, k)}"
    draft.claim(node, activate, role)
    return node


def _able(kind: type[Function]) -> str:
    from .table import AMPLIFIERS

    names = [f"{amplifier.name!r}" for amplifier in AMPLIFIERS.values() if kind in amplifier.curves]
    return " or ".join(names) if names else "another gain curve: no amplifier makes this one"


def _words(kinds: Sequence[type[Function]]) -> str:
    return " or ".join(kind.__name__ for kind in kinds)
