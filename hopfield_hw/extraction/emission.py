"""A flat deck as text for ngspice: with its states held along a path, or let go from somewhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from ..spice.dialects.ngspice import Ngspice
from ..spice.ngspice import run
from ..spice.rawfile import Plot
from ..values.arrays import Array
from ..values.errors import ConvergenceError
from .devices import FlatDeck, FlatDevice
from .nodal import StateCapacitor

PATH = "hopfield_hw_path"
CLAMP = "hopfield_hw_clamp"
# Of a solution at rest: what counts as none in volts, by part of `reltol`, and amperes; the conductance of junctions.
VOLTS, OPTIONS = 1e-2, "abstol=1e-12 gmin=1e-14 itl1=500 itl2=500"
WIDE = 6  # points on a line of the text
# Before states are let go they are held for a part of the run, by conductances that would bring them there in a part of
# that.
GATE, HELD, FIRM = "hopfield_hw_gate", 1e-3, 1000.0


def format_devices(devices: Iterable[FlatDevice]) -> list[str]:
    """Return devices as lines of ngspice. Names keep their path, with the letter of their kind before it."""
    return [line for device in devices for line in _format(device)]


def _format(device: FlatDevice) -> list[str]:
    dialect = Ngspice()
    name, nodes = f"{device.kind}_{device.name}", " ".join(device.nodes)
    match device.kind:
        case "OpAmp":
            keys = [f"{key}={value!r}" for key, value in device.keys]
            return [" ".join([f"X_{device.name}", *device.pins, device.model, *keys])]
        case "D" | "Q" | "M" | "J":
            keys = [f"{key}={value!r}" for key, value in device.keys]
            return [" ".join([name, *device.pins, device.model, *keys])]
        case "S":
            return [f"{name} {nodes} {' '.join(device.sensed)} {device.model}"]
        case "E" | "G":
            return [f"{name} {nodes} {' '.join(device.sensed)} {device.value!r}"]
        case "F" | "H":
            return [f"{name} {nodes} V_{device.control} {device.value!r}"]
        case "B":
            assert device.formula is not None
            what = "V" if device.gives == "voltage" else "I"
            return [f"{name} {nodes} {what}={dialect.expression(device.formula, device.sensed)}"]
        case "V" | "I":
            wave = (
                f"DC {device.value!r} {device.wave}"
                if device.wave and device.wave != "input"
                else f"DC {device.value!r}"
            )
            return [f"{name} {nodes} {wave}"]
    return [f"{name} {nodes} {device.value!r}"]


def _text(deck: FlatDeck, lines: Sequence[str]) -> str:
    kept = [*format_devices(deck.devices), *deck.models, *deck.definitions]
    return "\n".join(["* read back", *kept, *lines]) + "\n"


def hold_states(
    deck: FlatDeck,
    states: Sequence[StateCapacitor],
    points: Array,
    nodes: Sequence[str],
    *,
    reltol: float,
    timeout: float,
) -> tuple[Array, Array]:
    """Return the currents into held capacitors, (points, n), amperes, and the voltages of nodes, (points, nodes).

    `points`: the voltages that the states are held at, one after the other, (points, n), volts; each solution starts
    from the one before it. Raises a SimulatorError where ngspice does not find one.
    """
    held = {name for state in states for name in state.names}
    last = len(points) - 1
    lines = [f"V_{PATH} {PATH} 0 0"]
    for k, state in enumerate(states):
        column = points[:, k]
        keep = np.flatnonzero(np.abs(np.diff(column, 2)) > 1e-12 * max(float(np.max(np.abs(column))), 1e-12)) + 1
        at = sorted({0, last, *keep.tolist()})
        pairs = [
            (-1.0, float(column[0])),
            *((float(p), float(column[p])) for p in at),
            (last + 1.0, float(column[last])),
        ]
        inside = [f"{x!r},{y!r}" for x, y in pairs]
        chunks = [",".join(inside[p : p + WIDE]) for p in range(0, len(inside), WIDE)]
        tail = [f"+ ,{chunk}" for chunk in chunks[1:]]
        # The clamp's own current is that of a source of 0 V in series, as a B source reports none.
        lines += [f"V_{CLAMP}{k} {state.nodes[0]} {CLAMP}{k} 0"]
        lines += [f"B_{CLAMP}{k} {CLAMP}{k} {state.nodes[1]} V=pwl(v({PATH}),{chunks[0]}", *tail, "+ )"]
    saved = [f"i(V_{CLAMP}{k})" for k in range(len(states))] + [f"v({node})" for node in nodes]
    lines += _saves(saved)
    lines += [f".options reltol={reltol!r} vntol={VOLTS * reltol!r} {OPTIONS}", f".dc V_{PATH} 0 {last} 1", ".end"]
    plot = run(_text(deck.without(held), lines), t_stop=None, timeout=timeout)
    currents = np.stack([_column(plot, f"i(v_{CLAMP}{k})") for k in range(len(states))], axis=1)
    volts = np.stack([_column(plot, f"v({node})") for node in nodes], axis=1) if nodes else np.zeros((last + 1, 0))
    return currents, volts


def ramp_states(
    deck: FlatDeck,
    states: Sequence[StateCapacitor],
    ranges: Sequence[tuple[float, float]],
    seconds: float,
    *,
    timeout: float,
) -> tuple[Array, Array, Array]:
    """Return times, and the voltages of held states and the currents into their capacitors, (times, n) each.

    One state after the other goes from the middle of its range to the low end, to the high end, back, and to the
    middle, `seconds` from end to end, and 3 of these in all; the others stay in the middle. Other capacitors are there.
    Raises a SimulatorError where ngspice does not deliver.
    """
    held = {name for state in states for name in state.names}
    t_stop = 3.0 * seconds * len(states)
    lines = []
    for k, (state, (low, high)) in enumerate(zip(states, ranges, strict=True)):
        middle = 0.5 * (low + high)
        path = ((0.0, middle), (0.5, low), (1.5, high), (2.5, low), (3.0, middle))
        pairs = " ".join(f"{(3.0 * k + part) * seconds!r} {volts!r}" for part, volts in path)
        lines += [f"V_{CLAMP}{k} {state.nodes[0]} {CLAMP}{k} 0"]
        lines += [f"V_{PATH}{k} {CLAMP}{k} {state.nodes[1]} PWL({'' if k == 0 else f'0 {middle!r} '}{pairs})"]
    nodes = dict.fromkeys(node for state in states for node in state.nodes if node != "0")
    lines += _saves([*(f"i(V_{CLAMP}{k})" for k in range(len(states))), *(f"v({node})" for node in nodes)])
    plot = _run_transient(deck.without(held), lines, 1e-6, t_stop, seconds / 200.0, timeout)
    times = np.real(plot.data[:, 0]).astype(float)
    currents = np.stack([_column(plot, f"i(v_{CLAMP}{k})") for k in range(len(states))], axis=1)
    return times, _voltages(plot, states), currents


def let_go(
    deck: FlatDeck,
    states: Sequence[StateCapacitor],
    start: Array,
    *,
    t_stop: float,
    step: float,
    reltol: float,
    timeout: float,
    at_rest: Mapping[str, float] | None = None,
) -> tuple[Array, Array]:
    """Return times, seconds, and the voltages of the states, (times, n), from a start, (n,), volts.

    The run begins at rest with the states held at the start, by sources that let go at time 0; other capacitors are
    there as they are. `at_rest`: by name of a capacitor that smooths a reference, where it starts, volts.
    """
    kept = deck.without(at_rest or ())
    hold = HELD * t_stop
    lines = [f"V_{GATE} {GATE} 0 PULSE(1 0 {0.9 * hold!r} {0.1 * hold!r} {0.1 * hold!r} {2.0 * t_stop!r})"]
    at = [(state.nodes, FIRM * state.capacitance / hold, x) for state, x in zip(states, start, strict=True)]
    for name, rest in (at_rest or {}).items():
        ends, farads = (deck.by_name[name].nodes[0], deck.by_name[name].nodes[1]), deck.by_name[name].value or 0.0
        lines.append(f"C_{name} {' '.join(ends)} {farads!r}")
        at.append((ends, FIRM * farads / hold, rest))
    for k, ((high, low), siemens, x) in enumerate(at):
        lines.append(f"B_{GATE}{k} {high} {low} I={siemens!r}*v({GATE})*(v({high})-v({low})-({float(x)!r}))")
    lines += format_devices(deck.by_name[name] for state in states for name in state.names)
    nodes = dict.fromkeys(node for state in states for node in state.nodes if node != "0")
    lines += _saves([f"v({node})" for node in nodes])
    held = {name for state in states for name in state.names}
    plot = _run_transient(kept.without(held), lines, reltol, hold + t_stop, step, timeout)
    times = np.real(plot.data[:, 0]).astype(float) - hold
    free = times >= 0.0
    return times[free], _voltages(plot, states)[free]


def _run_transient(
    deck: FlatDeck, lines: Sequence[str], reltol: float, t_stop: float, step: float, timeout: float
) -> Plot:
    """Return a run from its point of balance, which is looked for in several ways.

    Newton's method alone may leave the domain of a formula on its way there, where growing conductances do not.
    """
    options = f".options method=gear reltol={reltol!r} abstol=1e-12 vntol={max(reltol * 1e-2, 1e-9)!r} trtol=3 itl4=200"
    *others, last = ("", " noopiter", " noopiter itl1=500")

    def attempt(more: str) -> Plot:
        text = _text(deck, [*lines, options + more, f".tran {step!r} {t_stop!r} 0 {step!r}", ".end"])
        return run(text, t_stop=t_stop, timeout=timeout)

    for more in others:
        try:
            return attempt(more)
        except ConvergenceError:
            continue
    return attempt(last)


def _voltages(plot: Plot, states: Sequence[StateCapacitor]) -> Array:
    """Return the voltages across the capacitors of states, (times, n)."""

    def voltage(node: str) -> Array:
        return np.zeros(len(plot.data)) if node == "0" else _column(plot, f"v({node})")

    return np.stack([voltage(state.nodes[0]) - voltage(state.nodes[1]) for state in states], axis=1)


def _saves(names: Sequence[str]) -> list[str]:
    return [" ".join([".save", *names[k : k + WIDE]]) for k in range(0, len(names), WIDE)]


def _column(plot: Plot, name: str) -> Array:
    return np.real(plot.column(name)).astype(float)
