"""The differential pair as an amplifier of parts: two matched transistors, a tail, and an op-amp.

I_c2 = alpha I_T / (1 + exp(-(v_b2 - v_b1) / V_T)) (Gray, Hurst, Lewis and Meyer, Analysis and Design of Analog
Integrated Circuits, section 3.5.1), half a tanh of half the argument.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ...circuit import GROUND, Draft, Origin, Role, Stage
from ...functions import Function, Logistic, Tanh
from ...graph import Activate
from ...parts import SSM2212, Transistor
from ...values.arrays import positive
from ...values.brief import Brief
from ...values.physics import THERMAL
from ..elements import curve_of
from ..pair import Wiring, add_transistors
from ..summing import Summing
from .amplifier import Curve, add_level, check_reference, curves_of, new_node, references
from .drive import Divider, add_drive

LEAST_REFERENCE = 2.0  # volts: half of it is across the tail's resistor, and its transistor must not saturate


@dataclass(frozen=True, kw_only=True)
class DifferentialPair(Brief):
    """v = R_s (I_c2 - I_0), with both collectors at ground: a tanh with I_0 = alpha I_T / 2, a logistic with none.

    `transistor`: of the pair and its tail. `tail_current`: I_T, amperes, from a transistor whose base all pairs share:
    an op-amp holds the emitter of one like it at half the negative reference. `divider`: what drives the base; it
    takes the drift of V_T off the slope. What is left at 50 degrees Celsius is below 0.1% of slope and amplitude; with
    `Divider(drift=0)` the slope falls by 7%.

    Closed forms: v_b = 2 V_T b x / a (4 for the logistic), R_s = 2 a / (alpha I_T) (1), corrected for base currents:
    alpha = beta / (beta + 1), and v_b (1 + R_b I_T / (2 V_T beta)) (1 + V_T / V_A) with R_b the resistance at each base
    and V_A the Early voltage, as the collector junction of the transistor that is driven sees the drive.
    """

    transistor: Transistor = SSM2212
    tail_current: float = 1e-4
    divider: Divider = field(default_factory=Divider)
    name: str = "differential_pair"
    curves: tuple[type[Function], ...] = (Tanh, Logistic)
    in_parts: bool = True
    reach: float = 6.0

    def __post_init__(self) -> None:
        tail = positive(self.tail_current, "DifferentialPair.tail_current", shape=(), unit="A")
        object.__setattr__(self, "tail_current", float(tail))

    def add(self, draft: Draft, activate: Activate, inputs: Sequence[str], make: Summing) -> None:
        """Add the pair of each element, and the line of their tails. Raises Unrealisable as `Amplifier.add` does."""
        check_reference(self, activate, LEAST_REFERENCE, make)
        curves = curves_of(self, activate)
        draft.sketch(activate, Stage.DRIVEN_PAIR)
        line = self._add_tail_line(draft, activate, make)
        for k, (curve, source) in enumerate(zip(curves, inputs, strict=True)):
            self._add_element(draft, activate, k, curve, source, line, make)

    @property
    def _alpha(self) -> float:
        return self.transistor.beta / (self.transistor.beta + 1.0)

    def _tail_resistance(self, make: Summing) -> float:
        """Return what carries the tail's emitter current at half the reference; its base current comes on top."""
        return 0.5 * make.reference * self._alpha / self.tail_current

    def _add_element(
        self, draft: Draft, activate: Activate, k: int, curve: Curve, source: str, line: str, make: Summing
    ) -> None:
        is_tanh = isinstance(curve_of(activate, k), Tanh)
        scale = (2.0 if is_tanh else 4.0) * THERMAL * curve.slope / curve.amplitude
        bulk = self.divider.source_resistance(scale)
        scale *= 1.0 + bulk * self.tail_current * self._alpha / (2.0 * THERMAL * self.transistor.beta)
        scale *= 1.0 + THERMAL / self.transistor.early_voltage
        base = add_drive(draft, activate, k, source, scale=scale, divider=self.divider, make=make)
        positive_rail, negative_rail = references(draft, activate, make)
        name = draft.label(activate.name, k)
        other, tail = new_node(draft, activate, k, "balance"), new_node(draft, activate, k, "tail")
        emitter = new_node(draft, activate, k, "emitter")

        def origin(role: Role) -> Origin:
            return Origin(activate.name, role, (k,))

        draft.add_resistor(f"R_{name}_balance", (other, GROUND), bulk, origin(Role.BALANCE))
        draft.add(f"Q_{name}_tail", self.transistor, (emitter, line, tail), origin(Role.TAIL))
        resistance = self._tail_resistance(make)
        draft.add_resistor(f"R_{name}_tail", (tail, negative_rail), resistance, origin(Role.TAIL_RESISTANCE))
        full = self._alpha * self.tail_current
        wiring = Wiring(
            bases=(base, other),
            held=GROUND,
            reference=positive_rail,
            swing=(2.0 if is_tanh else 1.0) * curve.amplitude / full,
            offset=make.reference / (0.5 * full) if is_tanh else None,
        )
        add_transistors(draft, activate, k, wiring, self.transistor, make.op_amp)

    def _add_tail_line(self, draft: Draft, activate: Activate, make: Summing) -> str:
        """Return the node of the bases of all tails; the first operator makes what holds it."""
        level = add_level(draft, activate, -0.5 * make.reference, make)
        line, sense = "tail_line", "tail_sense"
        if draft.is_first(line):
            for node in (line, sense):
                draft.claim(node, activate, "_tail_line")
            origin = Origin(activate.name, Role.TAIL_LINE, ())
            _, rail = references(draft, activate, make)
            draft.add_op_amp(line, make.op_amp, (level, sense), line, origin)
            draft.add(f"Q_{line}", self.transistor, (GROUND, line, sense), origin)
            draft.add_resistor(f"R_{line}", (sense, rail), self._tail_resistance(make), origin)
        return line
