"""A circuit as ngspice text. Numbers are exponents, never SI suffixes (`1M` is one milli)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from ...circuit import Circuit, Device, Line, Multiplier, Pulse, Switch, Transistor

WIDTH = 110
PACE = "hopfield_hw_pace"
# A transmission line ends a step wherever the slope of what went in changes by more than REL times the larger slope
# (and 1 V/s). At the default of 1 these are all peaks and all noise, and steps grow shorter without end; the change is
# never above twice the larger slope.
NO_BREAKS = 3.0


def write_ngspice(circuit: Circuit) -> str:
    """Return the title, where it comes from, and one line a device; no analysis, no `.end`."""
    head = [
        f"* {circuit.title}",
        f"* cell {circuit.cell}; graph sha256 {circuit.graph_hash}",
    ]
    factors = sorted({abs(probe.scale) for probe in circuit.states} - {1.0})
    head += [f"* rescaled: states are {factor!r} times the voltages of their nodes" for factor in factors]
    return "\n".join([*head, *format_devices(circuit.devices)]) + "\n"


def format_devices(devices: Iterable[Device]) -> list[str]:
    """Return one line for each device (name, nodes, value), and one for each model that they share."""
    lines = []
    models: dict[Transistor, str] = {}
    for name, nodes, value, _ in devices:
        letter = name[0]
        if isinstance(value, Switch):
            lines.append(_format_switch(name, nodes, value))
        elif isinstance(value, Transistor):
            model = models.setdefault(value, f"model_{len(models)}")
            lines.append(f"{name} {' '.join(nodes)} {model}")
        elif letter == "G":
            a, b, c, d = nodes
            lines.append(f"{name} {a} {b} {c} {d} {value!r}")
        elif letter in "RCI":
            lines.append(f"{name} {nodes[0]} {nodes[1]} {value!r}")
        else:
            lines.append(f"{name} {' '.join(nodes)} {_format_value(letter, value)}")
    return lines + [f".model {name} {_format_model(model)}" for model, name in models.items()]


def format_analysis(
    initial: Mapping[str, float],
    nodes: Iterable[str],
    *,
    t_stop: float,
    step: float,
    options: Iterable[str],
    first: float | None = None,
    pauses: Sequence[float] = (),
) -> str:
    """Return initial conditions, the nodes to save, the options, a transient run with `uic`, and `.end`.

    `step`: the longest, seconds; ngspice begins with a hundredth of `first`, which is `step` by default. `pauses`:
    increasing times after 0 at each of which a step ends, as a source of 0 V with a node of its own has corners there.
    Up to the next one ngspice then takes steps of about half of the way.
    """
    start = wrap(".ic", (f"v({node})={volts!r}" for node, volts in initial.items()))
    save = wrap(".save", (f"v({node})" for node in dict.fromkeys(nodes)))
    pace = [*wrap(f"V_{PACE} {PACE} 0 PWL(0 0", (f"{t!r} 0" for t in pauses)), *["+ )"][: len(pauses)]]
    run = f".tran {step if first is None else first!r} {t_stop!r} 0 {step!r} uic"
    lines = [*pace, *start, *save, *wrap(".options", options), run, ".end"]
    return "\n".join(lines) + "\n"


def wrap(card: str, words: Iterable[str]) -> list[str]:
    """Return a card over as many continuation lines as it takes."""
    lines = [card]
    for word in words:
        if len(lines[-1]) + len(word) >= WIDTH:
            lines.append("+")
        lines[-1] += f" {word}"
    return [] if lines == [card] else lines


def _format_switch(name: str, nodes: tuple[str, ...], switch: Switch) -> str:
    """Return a switch as a conductance: the SW model of ngspice 39 does not converge at its threshold."""
    a, b, plus, minus = nodes
    conductance = f"{1.0 / switch.off!r}+{1.0 / switch.on - 1.0 / switch.off!r}*v({plus},{minus})"
    return f"{name} {a} {b} cur='({conductance})*v({a},{b})'"


def _format_model(model: Transistor) -> str:
    early = "" if model.early_voltage == math.inf else f" VAF={model.early_voltage!r}"
    return f"NPN(IS={model.saturation_current!r} BF={model.beta!r}{early})"


def _format_multiplier(part: Multiplier) -> str:
    """Return the law of a multiplier; errors of 0 are left out."""
    x, y = f"v({part.x})", f"v({part.y})"
    with_offsets = [f"({v}+{offset!r})" if offset else v for v, offset in ((x, part.x_offset), (y, part.y_offset))]
    terms = [f"{(1.0 + part.gain) / part.unit!r}*{'*'.join(with_offsets)}", "" if part.z == "0" else f"v({part.z})"]
    terms += [f"{part.z_offset!r}" if part.z_offset else ""]
    for v, other, through, bend in (
        (x, y, part.x_feedthrough, part.x_nonlinearity),
        (y, x, part.y_feedthrough, part.y_nonlinearity),
    ):
        terms += [f"{through!r}*{v}" if through else ""]
        # t - t^3 is 0 at both ends of the range and has its peak, 2/(3 sqrt 3), between.
        terms += [f"{bend * 2.598!r}*0.1*{v}*(1.0-(0.1*{v})**2)*{other}" if bend else ""]
    return "+".join(term for term in terms if term)


def _format_value(letter: str, value: object) -> str:
    if isinstance(value, Multiplier):
        return f"V={_format_multiplier(value)}"
    if letter == "B":
        return f"V={value}"
    if isinstance(value, Pulse):
        first, second, delay, edge, width, period = value
        return f"PULSE({first!r} {second!r} {delay!r} {edge!r} {edge!r} {width!r} {period!r})"
    if isinstance(value, Line):
        z, volts = value.impedance, value.initial
        start = f"{volts!r},{volts / z!r},{volts!r},{-volts / z!r}"
        return f"Z0={z!r} TD={value.delay!r} REL={NO_BREAKS!r} IC={start}"
    if isinstance(value, tuple):
        points = " ".join(f"{t!r} {v!r}" for t, v in value)
        return f"PWL({points})"
    return f"DC {value!r}" if letter == "V" else repr(value)
