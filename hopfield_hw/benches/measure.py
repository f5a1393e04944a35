"""All benches of one op-amp: its data sheet, its model and what was measured, side by side."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ..parts import MacroModel
from ..parts.data_sheet import FIGURES, DataSheet, figure_text
from ..values.report import Report, text_table
from ..values.si_text import format_si
from .bench import UnderTest, part_name, under_test
from .inputs import measure_common_mode, measure_currents, measure_impedance, measure_offset, measure_rejections
from .noise import measure_noise
from .open_loop import measure_open_loop, measure_output_resistance
from .output import measure_short_circuit, measure_supply_current, measure_swing
from .steps import USUAL, measure_recovery, measure_slew, shows_slew

TOLERANCE = 0.05
LOADS = (1e4, 2e3)  # Ohm: of the swing
LOAD = 2e3  # Ohm: at which an open loop is measured where neither model nor sheet says
CAPACITANCES = (100e-12, 500e-12)  # F: of the phase margin with a load
HEADS = ("figure", "min", "typ", "max", "model", "measured", "deviation", "")
# Between its terminals, of a FET or CMOS part: what gmin and the tolerances of a simulator leave to be seen.
MOST_OHMS = 1e14


class Row(NamedTuple):
    """One figure: what it is, its unit, the sheet's bounds, the model's value, and the measured one.

    `deviation`: of what was measured from the model, or from the sheet where there is no model of ours: relative; of dB
    that of the ratio; of swings and limits of common mode relative to half of the supply. `ok`: whether it is within
    5%. None stands for what is not there, and `ok` for what is not compared, such as short circuits on other supplies
    than the sheet's, and slew rates for which the step is too small.
    """

    figure: str
    unit: str
    minimum: float | None
    typical: float | None
    maximum: float | None
    model: float | None
    measured: float | str
    deviation: float | None
    ok: bool | None


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Measurement(Report):
    """What the benches give for an op-amp. It has passed where something was compared and all of it is within 5%."""

    part: str
    supplies: tuple[float, float]
    table: tuple[Row, ...] = field(repr=False)

    @property
    def compared(self) -> tuple[Row, ...]:
        """The rows that have something to be compared with."""
        return tuple(row for row in self.table if row.ok is not None)

    @property
    def passed(self) -> bool:
        """Whether all that was compared is within 5%, and anything was."""
        return bool(self.compared) and all(row.ok for row in self.compared)

    @property
    def worst(self) -> Row | None:
        """The row that deviates most; None where nothing was compared."""
        return max(self.compared, key=lambda row: abs(row.deviation or 0.0), default=None)

    def rows(self) -> list[tuple[str, str]]:
        within = sum(bool(row.ok) for row in self.compared)
        result = "within 5%" if self.passed else "beyond 5%" if self.compared else "not compared"
        found = [("part", self.part), ("supplies", f"{self.supplies[0]:g} V, {self.supplies[1]:g} V")]
        found += [("result", result), ("figures", f"{within} of {len(self.compared)} compared within 5%")]
        if self.worst is not None:
            found.append(("worst", f"{self.worst.figure}, {100.0 * (self.worst.deviation or 0.0):+.2g}%"))
        table = text_table(self.lines(), HEADS).splitlines()
        return [*found, *(("" if k else "measured", line) for k, line in enumerate(table))]

    def figures(self) -> dict[str, Any]:
        rows = [row._asdict() for row in self.table]
        return {"part": self.part, "supplies": list(self.supplies), "passed": self.passed, "figures": rows}

    def lines(self) -> list[tuple[str, ...]]:
        """Return the table as texts, under HEADS."""
        return [_line(row) for row in self.table]


def measure(op_amp: Any, *, sheet: DataSheet | None = None) -> Measurement:
    """Return what all benches give for an op-amp on its own supplies, beside its model and its data sheet.

    `op_amp`: a name of `hopfield-hw parts`, a MacroModel or a Subcircuit. `sheet`: of a Subcircuit, what it is compared
    with; of a MacroModel, whose bounds are shown.

    Raises InputError for a model without supplies, and a SimulatorError where ngspice does not deliver.
    """
    chosen = under_test(op_amp)
    model = chosen.op_amp.model
    known = model if isinstance(model, MacroModel) else None
    rows = [_row(found, known, sheet, chosen) for found in _measured(chosen, known, sheet)]
    return Measurement(part=part_name(chosen.op_amp), supplies=(chosen.upper, chosen.lower), table=tuple(rows))


class _Found(NamedTuple):
    """A figure as measured, with its unit; and what the model says of one that is no figure of a sheet."""

    figure: str
    unit: str
    measured: float | str
    model: float | str | None = None


def _measured(chosen: UnderTest, known: MacroModel | None, sheet: DataSheet | None) -> Iterator[_Found]:
    """Yield all that is measured, in the order of the table."""
    stated = sheet.model(corner="typical") if sheet is not None else None
    expected = known if known is not None else stated
    load = LOAD if expected is None else expected.load
    loop = measure_open_loop(chosen, load=load)
    impedance = measure_impedance(chosen)
    bias, offset = measure_currents(chosen)
    common, supply = measure_rejections(chosen, load=load)
    slew = measure_slew(chosen, expected=USUAL if expected is None else expected.slew_rate, load=load)
    noise = measure_noise(
        chosen, gain_bandwidth=loop.gain_bandwidth, bias_current=bias, resistance=impedance.resistance
    )
    source, sink = measure_short_circuit(chosen)
    yield _Found("offset", "V", measure_offset(chosen, load=load))
    yield _Found("bias_current", "A", bias)
    yield _Found("offset_current", "A", offset)
    yield _Found("gain", "V/V", loop.gain)
    yield _Found("gain_bandwidth", "Hz", loop.gain_bandwidth)
    yield _Found("phase_margin", "deg", loop.phase_margin)
    for farads in CAPACITANCES:
        margin = measure_open_loop(chosen, capacitance=farads).phase_margin
        yield _Found(f"phase_margin, {format_si(farads, 'F')}", "deg", margin)
    yield _Found("slew_rate", "V/s", slew.up)
    shown = expected is not None and shows_slew(chosen, expected.slew_rate, expected.gain_bandwidth)
    yield _Found("slew_rate, falling", "V/s", slew.down, expected.slew_rate if expected is not None and shown else None)
    yield _Found("output_resistance", "Ohm", measure_output_resistance(chosen, load=load))
    yield _Found("source_current", "A", source)
    yield _Found("sink_current", "A", sink)
    for ohms in (None, *LOADS):
        loaded = "" if ohms is None else f", {format_si(ohms, 'Ohm')}"
        swing = measure_swing(chosen, load=ohms)
        for side, volts in zip((False, True), swing, strict=True):
            limit = None if expected is None else _swing(expected, chosen, ohms, upward=side)
            yield _Found(f"swing, {'upper' if side else 'lower'}{loaded}", "V", volts, limit)
    yield _Found("supply_current", "A", measure_supply_current(chosen))
    yield _Found("common_mode_rejection", "dB", common)
    yield _Found("supply_rejection", "dB", supply)
    lower, upper, beyond = measure_common_mode(chosen)
    limits = (None, None) if expected is None else expected.on(chosen.upper, chosen.lower).common_mode()
    yield _Found("common mode, lower", "V", lower, limits[0])
    yield _Found("common mode, upper", "V", upper, limits[1])
    yield _Found("beyond common mode", "", beyond, None if expected is None else expected.beyond_common_mode)
    yield _Found("voltage_noise", "V/sqrt(Hz)", noise.voltage)
    yield _Found("noise_corner", "Hz", noise.corner)
    yield _Found("current_noise", "A/sqrt(Hz)", noise.current)
    yield _Found("input_capacitance", "F", impedance.common)
    yield _Found("differential_capacitance", "F", impedance.differential)
    yield _Found("input_resistance", "Ohm", impedance.resistance)
    recovery = measure_recovery(chosen, slew=min(slew))
    yield _Found("recovery, leaves the rail", "s", recovery.left)
    yield _Found("recovery, within 1%", "s", recovery.settled)


def _swing(model: MacroModel, chosen: UnderTest, ohms: float | None, *, upward: bool) -> float:
    """Return where the output ends with a load to the middle of the supplies: where swing(current) = its voltage."""
    at = model.on(chosen.upper, chosen.lower)
    end = at.swing()[upward]
    if ohms is None:
        return end
    slope = at.headroom_plus_resistance if upward else at.headroom_minus_resistance
    return chosen.middle + (end - chosen.middle) / (1.0 + slope / ohms)


def _row(found: _Found, known: MacroModel | None, sheet: DataSheet | None, chosen: UnderTest) -> Row:
    name, unit, measured, wanted = found
    figure = sheet.figures.get(name) if sheet is not None else None
    if name in FIGURES:
        wanted = _expected(name, known, chosen) if known is not None else figure.typical if figure else None
    row = Row(name, unit, None, None, None, None, measured, None, None)
    if figure is not None:
        row = row._replace(minimum=figure.minimum, typical=figure.typical, maximum=figure.maximum)
    if isinstance(measured, str):
        if wanted is None or measured == wanted:
            return row._replace(ok=None if wanted is None else True, deviation=None if wanted is None else 0.0)
        return row._replace(measured=f"{measured}, model {wanted}", deviation=1.0, ok=False)
    if wanted is None:
        return row
    deviation = _deviation(name, unit, measured, float(wanted), chosen)
    ok = None if deviation is None else abs(deviation) <= TOLERANCE
    return row._replace(model=float(wanted), deviation=deviation, ok=ok)


def _expected(name: str, model: MacroModel, chosen: UnderTest) -> float | None:
    """Return what a model has on these supplies; None where the sheet's figure is of another supply, or not shown."""
    value = float(getattr(model, name))
    beside = chosen.span - model.nominal_supply
    if name in ("source_current", "sink_current") and abs(beside) > 1e-9 * chosen.span:
        return None
    if name == "slew_rate" and not shows_slew(chosen, value, model.gain_bandwidth):
        return None
    # On other supplies the offset is another one, and so is what it drives through the resistance between the inputs.
    shift = beside * ratio(-model.supply_rejection)
    if name == "offset":
        return value + shift
    return value - 2.0 * shift / model.input_resistance if name == "offset_current" else value


def _deviation(name: str, unit: str, measured: float, wanted: float, chosen: UnderTest) -> float | None:
    if not math.isfinite(wanted) or (unit == "Ohm" and wanted > MOST_OHMS):
        return None
    if unit == "dB":
        return ratio(measured - wanted) - 1.0
    if name.startswith(("swing", "common mode")):
        return (measured - wanted) / (chosen.span / 2.0)
    if wanted == 0.0:
        return None if measured == 0.0 else math.inf
    return measured / wanted - 1.0


def ratio(decibels: float) -> float:
    """Return the ratio of voltages that a number of dB is."""
    return math.pow(10.0, decibels / 20.0)


def _line(row: Row) -> tuple[str, ...]:
    texts = [_text(value, row.unit) for value in (row.minimum, row.typical, row.maximum, row.model, row.measured)]
    deviation = "" if row.deviation is None or isinstance(row.measured, str) else f"{100.0 * row.deviation:+.2f}%"
    return (row.figure, *texts, deviation, {None: "", True: "ok", False: "beyond 5%"}[row.ok])


def _text(value: float | str | None, unit: str) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return figure_text(value, unit)
