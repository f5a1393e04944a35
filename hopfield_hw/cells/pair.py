"""The differential pair: two transistors share a tail current as the logistic of their base voltages.

I_c2 = alpha I_tail / (1 + exp(-(v_b2 - v_b1)/V_T)) with alpha = beta/(beta + 1), which is half a tanh of half the
argument (Gray, Hurst, Lewis and Meyer, Analysis and Design of Analog Integrated Circuits, section 3.5.1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from ..circuit import GROUND, Draft, Origin, Role, Stage
from ..functions import Function, Logistic, Tanh
from ..graph import Activate
from ..parts import CurrentSource, OpAmp, Transistor
from ..values.arrays import positive
from ..values.brief import Brief
from ..values.errors import Unrealisable
from ..values.physics import THERMAL
from .summing import Summing

COLLECTOR = 2.0  # volts: the bases stay below it, so that no collector junction conducts


@dataclass(frozen=True, kw_only=True)
class Pair(Brief):
    """Two NPN transistors, an op-amp that holds a collector at 2 V, and two resistors: one tanh or logistic.

    `beta`: forward current gain. `early_voltage`: volts. `tail_current`: amperes. `calibrated`: the tail current is
    raised by (beta + 1)/beta, which gives back what the base currents take.
    """

    beta: float = 200.0
    early_voltage: float = 100.0
    saturation_current: float = 1e-14
    tail_current: float = 1e-4
    calibrated: bool = True

    def __post_init__(self) -> None:
        units = {"beta": "A/A", "early_voltage": "V", "saturation_current": "A", "tail_current": "A"}
        for name, unit in units.items():
            allow_inf = name == "early_voltage"
            value = positive(getattr(self, name), f"Pair.{name}", shape=(), unit=unit, allow_inf=allow_inf)
            object.__setattr__(self, name, float(value))


def base_scale(activate: Activate, curve: Function) -> float:
    """Return the base voltage by volt of the function's argument. Raises Unrealisable for another function."""
    if isinstance(curve, Tanh):
        return 2.0 * THERMAL * float(curve.slope) / _amplitude(curve)
    if isinstance(curve, Logistic):
        return 4.0 * THERMAL * float(curve.slope) / _amplitude(curve)
    raise Unrealisable(
        f"Activate {activate.name!r}: a differential pair is a tanh or a logistic, not a {type(curve).__name__}; "
        "use activation='exact'"
    )


class Wiring(NamedTuple):
    """How a pair is wired: the bases, the second of which raises the output; the node that the collectors are held at.

    `reference`: the node that `offset`, ohms, takes a constant current from; None for no offset. `swing`: ohms.
    `tail`: of an ideal current source, amperes; None where the caller adds a tail at `<operator>_emitter_<label>`.
    """

    bases: tuple[str, str]
    held: str
    reference: str
    swing: float
    offset: float | None
    tail: float | None = None


def add_transistors(
    draft: Draft, activate: Activate, k: int, wiring: Wiring, transistor: Transistor, op_amp: OpAmp
) -> None:
    """Add the two transistors of one element, and the op-amp that takes the second one's current, to its output.

    v = V_c + R_s I_c2 - (R_s / R_o) (V_ref - V_c) with V_c where the collectors are held.
    """
    name, output = draft.label(activate.name, k), draft.nodes(activate)[k]
    label = name.removeprefix(activate.name)
    emitter, collector = f"{activate.name}_emitter{label}", f"{activate.name}_collector{label}"
    for node, role in ((emitter, "emitter"), (collector, "collector")):
        draft.claim(node, activate, role)

    def origin(role: Role) -> Origin:
        return Origin(activate.name, role, (k,))

    first, second = wiring.bases
    draft.add(f"Q_{name}_1", transistor, (wiring.held, first, emitter), origin(Role.PAIR))
    draft.add(f"Q_{name}_2", transistor, (collector, second, emitter), origin(Role.PAIR))
    if wiring.tail is not None:
        draft.add(f"I_{name}_tail", CurrentSource(wiring.tail), (emitter, GROUND), origin(Role.TAIL))
    draft.add_resistor(f"R_{name}_swing", (output, collector), wiring.swing, origin(Role.SWING))
    if wiring.offset is not None:
        draft.add_resistor(f"R_{name}_offset", (wiring.reference, collector), wiring.offset, origin(Role.OFFSET))
    draft.add_op_amp(f"{name}_pair", op_amp, (wiring.held, collector), output, origin(Role.OP_AMP))


def add_pair(draft: Draft, activate: Activate, k: int, curve: Function, base: str, pair: Pair, make: Summing) -> None:
    """Add the pair of one element, with an ideal tail: from its base voltage to a f(x), on the operator's node.

    v = V_c + R_f (I_c2 - (V_ref - V_c)/R_ref): R_f sets the amplitude, R_ref takes off V_c, and half of a tanh.
    """
    draft.sketch(activate, Stage.PAIR)
    held = draft.supply("collector", COLLECTOR, activate)
    reference = draft.supply("reference_p", make.reference, activate)
    transistor = Transistor(pair.beta, pair.saturation_current, pair.early_voltage)
    swing = _amplitude(curve) * (2.0 if isinstance(curve, Tanh) else 1.0)
    taken = COLLECTOR + (swing / 2.0 if isinstance(curve, Tanh) else 0.0)
    feedback = swing / pair.tail_current
    tail = pair.tail_current * ((pair.beta + 1.0) / pair.beta if pair.calibrated else 1.0)
    offset = feedback * (make.reference - COLLECTOR) / taken
    wiring = Wiring(bases=(GROUND, base), held=held, reference=reference, swing=feedback, offset=offset, tail=tail)
    add_transistors(draft, activate, k, wiring, transistor, make.op_amp)


def _amplitude(curve: Function) -> float:
    return float(curve.params()["amplitude"])
