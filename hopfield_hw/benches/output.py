"""The output at rest: swing against a load, short-circuit currents, supply current."""

from __future__ import annotations

from typing import Any

from ..circuit import Circuit
from ..spice.analyses import find_balance
from .bench import LOWER, MINUS, OUT, PLUS, UPPER, Draft, under_test

OVERDRIVE = 0.25  # V, to either side of the middle of the supplies


def swing_circuit(op_amp: Any, *, load: float | None = None, upward: bool = True) -> Circuit:
    """Return the bench of the swing: the inputs are 0.5 V apart, so that the output goes as far as it can."""
    draft = Draft("Swing", under_test(op_amp))
    _overdrive(draft, upward)
    if load is not None:
        draft.load(float(load))
    return draft.circuit()


def short_circuit(op_amp: Any, *, upward: bool = True) -> Circuit:
    """Return the bench of the short circuit: as that of the swing, the output held at the middle of the supplies."""
    draft = Draft("Short circuit", under_test(op_amp))
    _overdrive(draft, upward)
    draft.hold(OUT, draft.amplifier.middle)
    return draft.circuit()


def supply_circuit(op_amp: Any) -> Circuit:
    """Return the bench of the supply current: a follower without load, at the middle of the supplies."""
    draft = Draft("Supply current", under_test(op_amp))
    draft.hold(PLUS, draft.amplifier.middle)
    draft.follow()
    return draft.circuit()


def measure_swing(op_amp: Any, *, load: float | None = None) -> tuple[float, float]:
    """Return the lowest and the highest output with a load, ohms (None: without), volts."""
    low, high = (
        float(find_balance(swing_circuit(op_amp, load=load, upward=upward)).voltage(OUT)[0].real)
        for upward in (False, True)
    )
    return low, high


def measure_short_circuit(op_amp: Any) -> tuple[float, float]:
    """Return the currents that the output sources and sinks into a short circuit, amperes, both positive."""
    source, sink = (
        float(find_balance(short_circuit(op_amp, upward=upward)).current(f"V_{OUT}")[0].real)
        for upward in (True, False)
    )
    return source, -sink


def measure_supply_current(op_amp: Any) -> float:
    """Return the supply current at rest, amperes: the mean of what both rails carry."""
    balance = find_balance(supply_circuit(op_amp))
    upper, lower = (float(balance.current(name)[0].real) for name in (UPPER, LOWER))
    return (lower - upper) / 2.0


def _overdrive(draft: Draft, upward: bool) -> None:
    drive = OVERDRIVE if upward else -OVERDRIVE
    draft.hold(PLUS, draft.amplifier.middle + drive)
    draft.hold(MINUS, draft.amplifier.middle - drive)
