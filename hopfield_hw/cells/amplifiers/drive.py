"""What brings -x to the voltage of a junction: a divider whose lower resistor rises with temperature, behind a gain.

A pair's curve is tanh(v / 2 V_T), and V_T = k T / q rises by 1 / T by kelvin. A divider of R_1 above R_2 (1 + c dT) has
the ratio f = R_2 / (R_1 + R_2), which rises by c (1 - f): equal to 1 / T at f = 1 - 1 / (c T), where the slope of the
curve no longer drifts to first order. An op-amp before it takes the rest of the gain.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...circuit import GROUND, Draft, Origin, Role
from ...graph import Activate
from ...parts import Resistor
from ...values.arrays import freeze, positive
from ...values.brief import Brief
from ...values.errors import InputError
from ...values.physics import ROOM_KELVIN
from ..summing import Summing
from .amplifier import new_node, open_loop_gain

LEAST_GAIN = 1e-6  # above 1: less is left out
UNCOMPENSATED = 0.05  # the ratio of a divider that does not compensate


@dataclass(frozen=True, kw_only=True)
class Divider(Brief):
    """`resistance`: of the lower resistor, ohms. `drift`: its temperature coefficient, 1/K; 0 does not compensate.

    By default that of a resistor made to compensate junctions, +3500 ppm/K. Raises InputError for a coefficient other
    than 0 that is not above 1 / T = 3332 ppm/K, where no ratio of the divider compensates.
    """

    resistance: float = 220.0
    drift: float = 3.5e-3

    def __post_init__(self) -> None:
        resistance = positive(self.resistance, "Divider.resistance", shape=(), unit="Ohm")
        object.__setattr__(self, "resistance", float(resistance))
        drift = float(freeze(self.drift, "Divider.drift", shape=(), unit="1/K"))
        object.__setattr__(self, "drift", drift)
        if drift != 0.0 and drift <= 1.0 / ROOM_KELVIN:
            raise InputError(
                f"`Divider.drift` = {drift:g}: must be above 1/T = {1.0 / ROOM_KELVIN:.6f} 1/K, as the drift of a "
                "divider is less than that of its lower resistor; or 0, which does not compensate"
            )

    @property
    def best(self) -> float:
        """The ratio that compensates a junction to first order."""
        return UNCOMPENSATED if self.drift == 0.0 else 1.0 - 1.0 / (ROOM_KELVIN * self.drift)

    def ratio(self, scale: float) -> float:
        """Return the ratio for an input that is to be scaled so much: the best one, or less without a gain."""
        return min(scale, self.best)

    def source_resistance(self, scale: float) -> float:
        """Return the resistance that the divider shows, ohms."""
        return self.resistance * (1.0 - self.ratio(scale))


def add_drive(
    draft: Draft, activate: Activate, k: int, source: str, *, scale: float, divider: Divider, make: Summing
) -> str:
    """Return a node at -scale x: a divider, and before it a gain that does not invert where it takes one.

    It drives the transistor whose collector is not the output's: a base that rises so far that its collector conducts
    would turn the output round.
    """
    name = draft.label(activate.name, k)
    ratio = divider.ratio(scale)
    gain = scale / ratio

    def origin(role: Role) -> Origin:
        return Origin(activate.name, role, (k,))

    if gain > 1.0 + LEAST_GAIN:
        at, output = new_node(draft, activate, k, "drive_tap"), new_node(draft, activate, k, "drive")
        gain *= 1.0 + gain / open_loop_gain(make)
        draft.add_resistor(f"R_{name}_drive_in", (at, GROUND), make.resistance / (gain - 1.0), origin(Role.DRIVE_IN))
        draft.add_resistor(f"R_{name}_drive_feedback", (output, at), make.resistance, origin(Role.DRIVE_FEEDBACK))
        draft.add_op_amp(f"{name}_drive", make.op_amp, (source, at), output, origin(Role.OP_AMP))
        source = output
    node = new_node(draft, activate, k, "base")
    top = divider.resistance * (1.0 / ratio - 1.0)
    draft.add_resistor(f"R_{name}_top", (source, node), top, origin(Role.DIVIDER_TOP))
    tap = Resistor(divider.resistance, drift=divider.drift)
    draft.add(f"R_{name}_tap", tap, (node, GROUND), origin(Role.DIVIDER_TAP))
    return node
