"""ngspice, of version 39 on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

from ...circuit import Device
from ...functions.expressions import Expression
from ...parts import Diode, Line, Subcircuit, Transistor
from .dialect import Analysis, Dialect, number, with_letter, wrap
from .pspice import translate_library

PACE = "hopfield_hw_pace"
# A transmission line ends a step wherever the slope of what went in changes by more than REL times the larger slope
# (and 1 V/s). At the default of 1 these are all peaks and all noise, and steps grow shorter without end; the change is
# never above twice the larger slope.
NO_BREAKS = 3.0
JUNCTION, ACTIVE = 0.65, 1.0  # volts: base to emitter of a transistor that conducts, and collector to emitter


class Ngspice(Dialect):
    """ngspice (ngspice user's manual, version 39)."""

    name: ClassVar[str] = "ngspice"
    suffix: ClassVar[str] = ".cir"

    def format_current(self, name: str, ends: Sequence[str], formula: Expression, inputs: Sequence[str]) -> str:
        """Return a G source: the SW model of ngspice 39 does not converge at its threshold."""
        if name[0] == "B":
            return super().format_current(name, ends, formula, inputs)
        return f"{with_letter('G', name)} {' '.join(ends)} cur='{self.expression(formula, inputs)}'"

    def format_line(self, device: Device, line: Line) -> str:
        z, volts = line.impedance, line.initial
        start = f"{volts!r},{volts / z!r},{volts!r},{-volts / z!r}"
        values = f"Z0={number(z)} TD={line.delay!r} REL={NO_BREAKS!r} IC={start}"
        return f"{with_letter('T', device.name)} {' '.join(device.nodes)} {values}"

    def format_breakdown_drift(self, diode: Diode) -> str:
        """Return TCV, by which the breakdown voltage falls, V/K."""
        return f"TCV={number(-diode.breakdown_drift)}"

    def format_conducting(self, transistor: Transistor, *, as_diode: bool) -> str:
        """Return IC: V_BE and V_CE, volts. Without it V_BE is that of the nodes, 0 V where `.ic` names none, between
        rails that are volts away, and the first step may not converge.
        """
        sign = -1.0 if transistor.polarity == "pnp" else 1.0
        return f" IC={number(sign * JUNCTION)},{number(sign * (JUNCTION if as_diode else ACTIVE))}"

    def format_library(self, part: Subcircuit) -> list[str]:
        """Return the library as ngspice reads it; vendors write for PSpice."""
        return translate_library(str(part.library), part.name)

    def format_choice(self, left: str, right: str, above: str, otherwise: str) -> str:
        return f"({left}>{right}?{above}:{otherwise})"

    def format_table(self, x: str, points: Sequence[tuple[float, float]]) -> str:
        """Return a `pwl`, which goes on straight beyond its ends: a further point on either side makes it flat."""
        (first, low), (last, high) = points[0], points[-1]
        span = last - first
        flat = ((first - span, low), *points, (last + span, high))
        return f"pwl({x},{','.join(f'{px!r},{py!r}' for px, py in flat)})"

    def format_analysis(self, analysis: Analysis) -> str:
        options: tuple[str, ...] = (f"reltol={number(analysis.reltol)}",)
        if analysis.current is not None:
            options = format_tight(reltol=analysis.reltol, current=analysis.current)
        saved, start = analysis.nodes, analysis.initial
        return format_transient(start, saved, t_stop=analysis.t_stop, step=analysis.step, options=options)


def format_tight(
    *,
    reltol: float,
    voltage: float = 0.0,
    current: float = 1e-15,
    charge: float = 1e-24,
    truncation: float = 1.0,
    gmin: float = 1e-18,
) -> tuple[str, ...]:
    """Return the words of `.options` with which only `reltol` shows in the error of trapezoidal steps.

    `voltage`, `current`, `charge`: what counts as none, V (at least 1e-3 reltol), A and C. `truncation`: by how much
    errors of a step are taken to be overestimated. `gmin`: S across junctions.
    """
    return (
        "method=trap",
        "maxord=2",
        f"reltol={number(reltol)}",
        f"vntol={number(max(reltol * 1e-3, voltage))}",
        f"abstol={number(current)}",
        f"chgtol={number(charge)}",
        f"trtol={number(truncation)}",
        f"gmin={number(gmin)}",
        "itl4=200",
    )


def format_transient(
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
    increasing times after 0 at each of which a step ends, as a separate source of 0 V has corners there.
    Up to the next one ngspice then takes steps of about half of the way.
    """
    start = wrap(".ic", (f"v({node})={volts + 0.0!r}" for node, volts in initial.items()))
    save = wrap(".save", (f"v({node})" for node in dict.fromkeys(nodes)))
    pace = [*wrap(f"V_{PACE} {PACE} 0 PWL(0 0", (f"{t!r} 0" for t in pauses)), *["+ )"][: len(pauses)]]
    run = f".tran {step if first is None else first!r} {t_stop!r} 0 {step!r} uic"
    lines = [*pace, *start, *save, *wrap(".options", options), run, ".end"]
    return "\n".join(lines) + "\n"
