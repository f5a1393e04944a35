"""A circuit as ngspice text. Numbers are exponents, never SI suffixes (`1M` is one milli)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..circuit import Circuit, Device

WIDTH = 110


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
    """Return one line for each device: name, nodes, value."""
    lines = []
    for name, nodes, value, _ in devices:
        letter = name[0]
        if letter == "G" and len(nodes) == 4:
            a, b, c, d = nodes
            lines.append(f"{name} {a} {b} {c} {d} {value!r}")
        elif letter in "RCI":
            lines.append(f"{name} {nodes[0]} {nodes[1]} {value!r}")
        else:
            lines.append(f"{name} {' '.join(nodes)} {_format_value(letter, value)}")
    return lines


def format_analysis(
    initial: Mapping[str, float], nodes: Iterable[str], *, t_stop: float, step: float, options: Iterable[str]
) -> str:
    """Return initial conditions, the nodes to save, the options, a transient run with `uic`, and `.end`."""
    start = wrap(".ic", (f"v({node})={volts!r}" for node, volts in initial.items()))
    save = wrap(".save", (f"v({node})" for node in dict.fromkeys(nodes)))
    lines = [*start, *save, *wrap(".options", options), f".tran {step!r} {t_stop!r} 0 {step!r} uic", ".end"]
    return "\n".join(lines) + "\n"


def wrap(card: str, words: Iterable[str]) -> list[str]:
    """Return a card over as many continuation lines as it takes."""
    lines = [card]
    for word in words:
        if len(lines[-1]) + len(word) >= WIDTH:
            lines.append("+")
        lines[-1] += f" {word}"
    return [] if lines == [card] else lines


def _format_value(letter: str, value: object) -> str:
    if letter == "B":
        return f"V={value}"
    if isinstance(value, tuple):
        points = " ".join(f"{t!r} {v!r}" for t, v in value)
        return f"PWL({points})"
    return f"DC {value!r}" if letter == "V" else repr(value)
