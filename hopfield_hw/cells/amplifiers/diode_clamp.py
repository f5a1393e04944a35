"""Diodes in the feedback of an op-amp: a curve near a tanh, which goes on rising as a logarithm, and drifts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ...circuit import Draft, Stage
from ...functions import Function, Tanh
from ...graph import Activate
from ...parts import D1N4148, Diode, Part
from ...values.arrays import positive
from ...values.brief import Brief
from ...values.physics import THERMAL
from ..summing import Summing
from .amplifier import curves_of
from .feedback_clamp import add_clamped_stage, add_scaled_output, find_amplitude


@dataclass(frozen=True, kw_only=True)
class DiodeClamp(Brief):
    """Two diodes, one in each direction, across R_f: i = v / R_f + 2 I_S sinh(v / (N V_T)), scaled to the amplitude.

    It is within some 5% of a tanh, and its amplitude, which is that at b x = 3.4 a, falls by 0.5% by kelvin: take it
    where neither matters. `diode`. `resistance`: R_f, ohms.
    """

    diode: Diode = D1N4148
    resistance: float = 2e4
    name: str = "diode_clamp"
    curves: tuple[type[Function], ...] = (Tanh,)
    in_parts: bool = True
    reach: float = 3.4

    def __post_init__(self) -> None:
        resistance = positive(self.resistance, "DiodeClamp.resistance", shape=(), unit="Ohm")
        object.__setattr__(self, "resistance", float(resistance))

    def add(self, draft: Draft, activate: Activate, inputs: Sequence[str], make: Summing) -> None:
        """Add both stages of each element. Raises Unrealisable as `Amplifier.add` does."""
        curves = curves_of(self, activate)
        draft.sketch(activate, Stage.PARTS_AMPLIFIER)
        unit, saturation = self.diode.emission * THERMAL, self.diode.saturation_current

        def voltage(current: float) -> float:
            return unit * math.asinh(current / (2.0 * saturation)) + self.diode.resistance * current

        leak = 1.0 + 2.0 * saturation * self.resistance / unit  # of the diodes at 0 V, on the slope
        natural = find_amplitude(voltage, self.resistance, self.reach * leak)

        def clamp(at: str, out: str) -> Sequence[tuple[str, Part, tuple[str, str]]]:
            return (("upper", self.diode, (out, at)), ("lower", self.diode, (at, out)))

        for k, (curve, source) in enumerate(zip(curves, inputs, strict=True)):
            ratio = curve.amplitude / natural
            out = add_clamped_stage(
                draft,
                activate,
                k,
                source,
                gain=curve.slope / ratio * leak,
                resistance=self.resistance,
                clamp=clamp,
                make=make,
            )
            add_scaled_output(draft, activate, k, out, ratio=ratio, make=make)
