"""Half an LM13700 as an amplifier: a differential pair with current mirrors, and an op-amp that takes its current."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from ...circuit import GROUND, Draft, Origin, Role, Stage
from ...functions import Function, Tanh
from ...graph import Activate
from ...parts import LM13700, OTA
from ...values.arrays import positive
from ...values.brief import Brief
from ...values.physics import THERMAL
from ..summing import Summing
from .amplifier import Curve, check_reference, curves_of, new_node, references
from .drive import Divider, add_drive

LEAST_REFERENCE = 3.0  # volts: three junctions, and a transistor that must not saturate


@dataclass(frozen=True, kw_only=True)
class TransconductanceAmplifier(Brief):
    """v = R_s I_B tanh(v_b / 2 V_T), with I_B from the positive reference over a resistor.

    `ota`: its transistors; the two references are its supplies. `bias_current`: I_B, amperes. `divider`: what drives
    its input; it takes the drift of V_T off the slope. What is left at 50 degrees Celsius is the drift of I_B, whose
    resistor sees 2 V_ref less two junctions: 0.5% at 10 V. Its mirrors pass the currents of one sign on by some 0.4%
    more than those of the other, so that it is within 0.3% of a tanh.

    Closed forms: v_b = 2 V_T b x / a, I_B = (2 V_ref - 2 V_BE) / R_b, R_s = a / (r I_B), where r is what the mirrors
    pass on: of each 1 / (1 + V_BE / V_A), (1 - 2 / beta^2) and (1 + 2 V_CB / (beta V_A)).
    """

    ota: OTA = LM13700
    bias_current: float = 1e-4
    divider: Divider = field(default_factory=Divider)
    name: str = "ota"
    curves: tuple[type[Function], ...] = (Tanh,)
    in_parts: bool = True
    reach: float = 6.0

    def __post_init__(self) -> None:
        current = positive(self.bias_current, "TransconductanceAmplifier.bias_current", shape=(), unit="A")
        object.__setattr__(self, "bias_current", float(current))

    def add(self, draft: Draft, activate: Activate, inputs: Sequence[str], make: Summing) -> None:
        """Add the OTA of each element. Raises Unrealisable as `Amplifier.add` does."""
        check_reference(self, activate, LEAST_REFERENCE, make)
        curves = curves_of(self, activate)
        draft.sketch(activate, Stage.PARTS_AMPLIFIER)
        for k, (curve, source) in enumerate(zip(curves, inputs, strict=True)):
            self._add_element(draft, activate, k, curve, source, make)

    @property
    def _junction(self) -> float:
        return THERMAL * math.log(self.bias_current / self.ota.saturation_current)

    def _passed(self, beta: float, volts: float) -> float:
        """Return what a Wilson mirror passes on, with its output so far from its base."""
        early = self.ota.early_voltage
        base = 1.0 - 2.0 / (beta * beta + 2.0 * beta + 2.0)
        return base * (1.0 + 2.0 * volts / (beta * early)) / (1.0 + self._junction / early)

    def _gain(self, reference: float) -> float:
        """Return the current at the output by that into the bias, the mean of both signs."""
        npn, pnp, junction = self.ota.npn_beta, self.ota.pnp_beta, self._junction
        tail = self._passed(npn, reference - 3.0 * junction) * npn / (npn + 1.0)
        source = self._passed(pnp, reference - 2.0 * junction)
        up = self._passed(pnp, 2.0 * reference - 4.0 * junction)
        return tail * 0.5 * (source + up * self._passed(npn, reference - 2.0 * junction))

    def _add_element(self, draft: Draft, activate: Activate, k: int, curve: Curve, source: str, make: Summing) -> None:
        scale = 2.0 * THERMAL * curve.slope / curve.amplitude
        bulk = self.divider.source_resistance(scale)
        scale *= 1.0 + bulk * self.bias_current / (2.0 * THERMAL * (self.ota.npn_beta + 1.0))
        scale *= 1.0 + THERMAL / self.ota.early_voltage
        base = add_drive(draft, activate, k, source, scale=scale, divider=self.divider, make=make)
        top, low = references(draft, activate, make)
        name, output = draft.label(activate.name, k), draft.nodes(activate)[k]
        other, bias = new_node(draft, activate, k, "balance"), new_node(draft, activate, k, "bias")
        held = new_node(draft, activate, k, "current")

        def origin(role: Role) -> Origin:
            return Origin(activate.name, role, (k,))

        draft.add_resistor(f"R_{name}_balance", (other, GROUND), bulk, origin(Role.BALANCE))
        resistance = (2.0 * make.reference - 2.0 * self._junction) / self.bias_current
        draft.add_resistor(f"R_{name}_bias", (top, bias), resistance, origin(Role.TAIL_RESISTANCE))
        # The base has -x, and the op-amp behind inverts.
        draft.add(f"X_{name}_ota", self.ota, (base, other, bias, held, top, low), origin(Role.PAIR))
        swing = curve.amplitude / (self.bias_current * self._gain(make.reference))
        draft.add_resistor(f"R_{name}_swing", (output, held), swing, origin(Role.SWING))
        draft.add_op_amp(f"{name}_current", make.op_amp, (GROUND, held), output, origin(Role.OP_AMP))
