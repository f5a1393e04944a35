"""What amplifiers with a clamp in their feedback share: an inverting stage that bends, and one that scales it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from scipy.optimize import brentq

from ...circuit import GROUND, Draft, Origin, Role
from ...graph import Activate
from ...parts import Part
from ..summing import Summing
from .amplifier import new_node, open_loop_gain


def find_amplitude(voltage: Callable[[float], float], resistance: float, reach: float) -> float:
    """Return the amplitude a_c of a clamp of v(i) across a resistor: v = a_c at a current of reach a_c / R.

    So much flows in where the slope alone would give reach times the amplitude; the clamp takes (reach - 1) a_c / R.
    """

    def excess(current: float) -> float:
        return current * resistance / (reach - 1.0) - voltage(current)

    low, high = 1e-15, 1.0
    current = float(brentq(excess, low, high, xtol=1e-18, rtol=1e-13))
    return voltage(current)


def add_clamped_stage(
    draft: Draft,
    activate: Activate,
    k: int,
    source: str,
    *,
    gain: float,
    resistance: float,
    clamp: Callable[[str, str], Sequence[tuple[str, Part, tuple[str, str]]]],
    make: Summing,
) -> str:
    """Add an inverting stage of a gain whose feedback, of a resistance, a clamp lies across; return its output.

    `clamp`: from the summing node and the output, its parts: the name, the part, and its nodes.
    """
    name = draft.label(activate.name, k)
    at, out = new_node(draft, activate, k, "gain_sum"), new_node(draft, activate, k, "gain")

    def origin(role: Role) -> Origin:
        return Origin(activate.name, role, (k,))

    loss = 1.0 + (1.0 + gain) / open_loop_gain(make)
    draft.add_resistor(f"R_{name}_gain_in", (source, at), resistance / (gain * loss), origin(Role.GAIN_IN))
    draft.add_resistor(f"R_{name}_gain_feedback", (out, at), resistance, origin(Role.GAIN_FEEDBACK))
    for word, part, nodes in clamp(at, out):
        draft.add(f"D_{name}_{word}", part, nodes, origin(Role.CLAMP))
    draft.add_op_amp(f"{name}_gain", make.op_amp, (GROUND, at), out, origin(Role.OP_AMP))
    return out


def add_scaled_output(draft: Draft, activate: Activate, k: int, source: str, *, ratio: float, make: Summing) -> None:
    """Add what scales a node to the operator's own: a divider and a follower, or a gain that does not invert."""
    name, output = draft.label(activate.name, k), draft.nodes(activate)[k]

    def origin(role: Role) -> Origin:
        return Origin(activate.name, role, (k,))

    tap = new_node(draft, activate, k, "scale")
    if ratio <= 1.0:
        # At a ratio of 1 the upper resistor is a wire, and the lower one a load.
        top = max(make.resistance * (1.0 - ratio), 1.0)
        low = top * ratio / (1.0 - ratio) if ratio < 1.0 else make.resistance
        draft.add_resistor(f"R_{name}_top", (source, tap), top, origin(Role.DIVIDER_TOP))
        draft.add_resistor(f"R_{name}_tap", (tap, GROUND), low, origin(Role.DIVIDER_TAP))
        draft.add_op_amp(f"{name}_scale", make.op_amp, (tap, output), output, origin(Role.OP_AMP))
        return
    raised = ratio * (1.0 + ratio / open_loop_gain(make))
    draft.add_resistor(f"R_{name}_top", (output, tap), make.resistance * (raised - 1.0), origin(Role.DIVIDER_TOP))
    draft.add_resistor(f"R_{name}_tap", (tap, GROUND), make.resistance, origin(Role.DIVIDER_TAP))
    draft.add_op_amp(f"{name}_scale", make.op_amp, (source, tap), output, origin(Role.OP_AMP))
