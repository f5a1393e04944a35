"""A piecewise linear curve from three op-amps: a gain, and two precision clamps behind a resistor; and a buffer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...circuit import GROUND, Draft, Origin, Role, Stage
from ...functions import Function, PiecewiseLinear
from ...graph import Activate
from ...parts import D1N4148, Diode, MacroModel
from ...values.arrays import positive
from ...values.brief import Brief
from ...values.errors import Unrealisable
from ..summing import Summing
from .amplifier import (
    Curve,
    check_limits,
    check_reference,
    curves_of,
    hold_level,
    new_node,
    open_loop_gain,
)

LEAST_INPUT_RESISTANCE = 1e6  # ohms, between the inputs of an op-amp whose loop a diode opens


@dataclass(frozen=True, kw_only=True)
class ThreeOpAmps(Brief):
    """v = min(max(b x, -a), a): each clamp is an op-amp with a diode in its loop that holds a node at its level.

    The knee is the diode's voltage over the open-loop gain, so that neither slope nor amplitude drifts. `diode`: of the
    clamps. `resistance`: between the gain and the clamped node, ohms. The levels +-a come from the references by
    dividers with followers, which all elements of one amplitude share.

    Closed form: the gain is R_f / R = b (1 + (1 + b) / A), with A of the open loop.
    """

    diode: Diode = D1N4148
    resistance: float = 2e3
    name: str = "piecewise_linear"
    curves: tuple[type[Function], ...] = (PiecewiseLinear,)
    in_parts: bool = True
    reach: float = 2.0

    def __post_init__(self) -> None:
        resistance = positive(self.resistance, "ThreeOpAmps.resistance", shape=(), unit="Ohm")
        object.__setattr__(self, "resistance", float(resistance))

    def add(self, draft: Draft, activate: Activate, inputs: Sequence[str], make: Summing) -> None:
        """Add gain, clamps and buffer of each element. Raises Unrealisable as `Amplifier.add` does."""
        check_limits(self, activate, make)
        _check_inputs(activate, make)
        curves = curves_of(self, activate)
        check_reference(self, activate, max((curve.amplitude for curve in curves), default=0.0), make)
        draft.sketch(activate, Stage.PARTS_AMPLIFIER)
        for k, (curve, source) in enumerate(zip(curves, inputs, strict=True)):
            self._add_element(draft, activate, k, curve, source, make)

    def _add_element(self, draft: Draft, activate: Activate, k: int, curve: Curve, source: str, make: Summing) -> None:
        name, output = draft.label(activate.name, k), draft.nodes(activate)[k]
        at, gained = new_node(draft, activate, k, "gain_sum"), new_node(draft, activate, k, "gain")
        held = new_node(draft, activate, k, "held")

        def origin(role: Role) -> Origin:
            return Origin(activate.name, role, (k,))

        feedback = make.resistance * curve.slope * (1.0 + (1.0 + curve.slope) / open_loop_gain(make))
        draft.add_resistor(f"R_{name}_gain_in", (source, at), make.resistance, origin(Role.GAIN_IN))
        draft.add_resistor(f"R_{name}_gain_feedback", (gained, at), feedback, origin(Role.GAIN_FEEDBACK))
        draft.add_op_amp(f"{name}_gain", make.op_amp, (GROUND, at), gained, origin(Role.OP_AMP))
        draft.add_resistor(f"R_{name}_load", (gained, held), self.resistance, origin(Role.LOAD))
        for word, level in (("upper", curve.amplitude), ("lower", -curve.amplitude)):
            out = new_node(draft, activate, k, word)
            ends = (held, out) if level > 0.0 else (out, held)
            draft.add(f"D_{name}_{word}", self.diode, ends, origin(Role.CLAMP))
            at_level = hold_level(draft, activate, level, make)
            draft.add_op_amp(f"{name}_{word}", make.op_amp, (at_level, held), out, origin(Role.OP_AMP))
        draft.add_op_amp(f"{name}_buffer", make.op_amp, (held, output), output, origin(Role.OP_AMP))


def _check_inputs(activate: Activate, make: Summing) -> None:
    """Raise Unrealisable for an op-amp whose inputs load each other where a clamp's loop is open, volts apart."""
    model = make.op_amp.model
    if isinstance(model, MacroModel) and model.input_resistance < LEAST_INPUT_RESISTANCE:
        raise Unrealisable(
            f"Activate {activate.name!r}: the inputs of {model.name} have {model.input_resistance:.3g} Ohm between "
            f"them, and stand volts apart where a clamp is open: must be {LEAST_INPUT_RESISTANCE:g} Ohm at least; take "
            "an op-amp with FET inputs"
        )
