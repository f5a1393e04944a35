"""Two zener diodes, back to back, in the feedback of an op-amp: a clip whose knees are soft."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ...circuit import Draft, Stage
from ...functions import Function, PiecewiseLinear
from ...graph import Activate
from ...parts import BZX84C6V2, Diode, Part
from ...values.arrays import positive
from ...values.brief import Brief
from ...values.errors import InputError
from ...values.physics import THERMAL
from ..summing import Summing
from .amplifier import curves_of, new_node
from .feedback_clamp import add_clamped_stage, add_scaled_output, find_amplitude

LEAST_INPUT = 1e3  # ohms: what drives the stage is not loaded by less


@dataclass(frozen=True, kw_only=True)
class ZenerClamp(Brief):
    """v clips at a zener voltage and a junction's, scaled to the amplitude, which is that at b x = 2 a.

    Within some percent of a piecewise linear curve. The zener's rise with temperature and the junction's fall nearly
    cancel. `diode`: the zener. `resistance`: R_f, ohms, at least; more where the gain would make the input less than
    1 kOhm.
    """

    diode: Diode = BZX84C6V2
    resistance: float = 1e4
    name: str = "zener_clamp"
    curves: tuple[type[Function], ...] = (PiecewiseLinear,)
    in_parts: bool = True
    reach: float = 2.0

    def __post_init__(self) -> None:
        resistance = positive(self.resistance, "ZenerClamp.resistance", shape=(), unit="Ohm")
        object.__setattr__(self, "resistance", float(resistance))
        if not math.isfinite(self.diode.breakdown):
            raise InputError("`ZenerClamp.diode`: has no breakdown voltage; give a zener diode, such as BZX84C6V2")

    def add(self, draft: Draft, activate: Activate, inputs: Sequence[str], make: Summing) -> None:
        """Add both stages of each element. Raises Unrealisable as `Amplifier.add` does."""
        curves = curves_of(self, activate)
        draft.sketch(activate, Stage.PARTS_AMPLIFIER)
        for k, (curve, source) in enumerate(zip(curves, inputs, strict=True)):
            resistance = self.resistance
            for _ in range(20):  # the amplitude falls by a little as the resistance grows
                natural = find_amplitude(self._voltage, resistance, self.reach)
                gain = curve.slope * natural / curve.amplitude
                resistance = max(self.resistance, LEAST_INPUT * gain)
            middle = new_node(draft, activate, k, "middle")

            def clamp(at: str, out: str, middle: str = middle) -> Sequence[tuple[str, Part, tuple[str, str]]]:
                return (("upper", self.diode, (middle, at)), ("lower", self.diode, (middle, out)))

            out = add_clamped_stage(
                draft, activate, k, source, gain=gain, resistance=resistance, clamp=clamp, make=make
            )
            add_scaled_output(draft, activate, k, out, ratio=curve.amplitude / natural, make=make)

    def _voltage(self, current: float) -> float:
        """Return the voltage of a zener diode and one in its other direction, at a current, volts."""
        diode = self.diode
        zener = diode.breakdown + diode.breakdown_emission * THERMAL * math.log(current / diode.breakdown_current)
        junction = diode.emission * THERMAL * math.log1p(current / diode.saturation_current)
        return zener + junction + 2.0 * diode.resistance * current
