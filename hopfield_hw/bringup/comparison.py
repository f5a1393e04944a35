"""A measured board beside the table of what it should be: which points are off, and which part is at fault."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import log
from typing import Any, Literal, NamedTuple

import numpy as np

from ..values.arrays import Array
from ..values.errors import InputError
from ..values.report import Report
from ..verification.diagnosis import Suspect
from .bring_up import BringUp
from .measured import Reading
from .naming import Dictionary, Meter, Named, name_fault

SIGMAS = 3.0  # of the instrument, beside the band of the parts
MOST_SHOWN = 12
BEYOND = 2.0  # times a supply: no reading is so large
SURE = 3.0  # by how much the likelihood of a fault must beat that of none, beside how many are weighed


class Outside(NamedTuple):
    """One reading that is outside of its band: where, what was measured, expected, and how far it may be off, volts."""

    point: str
    condition: str
    volts: float
    expected: float
    band: float

    def __str__(self) -> str:
        return (
            f"{self.point} in {self.condition}: {self.volts:+.4g} V, must be {self.expected:+.4g} +- {self.band:.2g} V"
        )


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class BringUpComparison(Report):
    """What a measurement says of a board.

    `readings`: how many, of the `asked` ones in the table. `outside`: those outside of their bands, the worst first.
    `suspects`: the parts that are likeliest at fault, the likeliest first, where one is looked for. `explained`:
    whether a fault of one part explains what was measured. `skipped`: conditions in which too little was measured to
    look for one.
    """

    table: BringUp = field(repr=False)
    readings: int
    asked: int
    outside: tuple[Outside, ...]
    suspects: tuple[Suspect, ...]
    explained: bool
    skipped: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether all points were read, and are inside of their bands."""
        return self.verdict == "passed"

    @property
    def verdict(self) -> Literal["passed", "failed", "incomplete"]:
        """Return "failed" where a reading is outside of its band, "incomplete" where none is and some are missing."""
        if self.outside:
            return "failed"
        return "passed" if self.readings >= self.asked else "incomplete"

    def rows(self) -> list[tuple[str, str]]:
        said = [
            ("board", self.table.title),
            ("verdict", self.verdict),
            ("readings", f"{self.readings} of {self.asked}, {len(self.outside)} outside of their bands"),
        ]
        said += [("outside", str(one)) for one in self.outside[:MOST_SHOWN]]
        if len(self.outside) > MOST_SHOWN:
            said.append(("outside", f"and {len(self.outside) - MOST_SHOWN} more"))
        if not self.outside and not self.suspects:
            return [*said, ("fault", "none is seen" + ("" if self.passed else " in what was read"))]
        if not self.suspects:
            said.append(("fault", "none is named: measure the outputs of op-amps in each state, " + self._missing()))
        elif not self.explained:
            points = {one.point for one in self.outside}
            again = f"{points.pop()} was misread (measure it again), " if len(points) == 1 else ""
            what = f"{again}two at once, or a net that is cut or bridged"
            said.append(("fault", f"no fault of one part explains it: {what}"))
        for k, suspect in enumerate(self.suspects):
            what = "likeliest" if k == 0 and self.explained else "nearest" if k == 0 else "then"
            said.append((what, describe(suspect, self.table)))
        return said

    def _missing(self) -> str:
        return f"which were not in {', '.join(self.skipped)}" if self.skipped else "for no part makes it likelier"

    def figures(self) -> dict[str, Any]:
        return {
            "verdict": self.verdict,
            "asked": self.asked,
            "readings": self.readings,
            "outside": [one._asdict() for one in self.outside],
            "explained": self.explained,
            "suspects": [
                {
                    "neuron": one.neuron,
                    "devices": list(one.devices),
                    "references": [self.table.references.get(name) for name in one.devices],
                    "weight": one.weight,
                    "change": one.change,
                    "explained": one.explained,
                }
                for one in self.suspects
            ],
        }


def describe(suspect: Suspect, table: BringUp) -> str:
    """Return a suspect in words, with what the board calls its parts."""
    devices = " or ".join(table.called(name) for name in suspect.devices[:6])
    more = f" or {len(suspect.devices) - 6} more" if len(suspect.devices) > 6 else ""
    neuron = f"neuron {suspect.neuron}: " if suspect.neuron else ""
    return f"{neuron}{devices}{more}: {suspect.change}"


def compare_measurement(
    table: BringUp, readings: Sequence[Reading], *, meter: Meter | None = None
) -> BringUpComparison:
    """Return what readings of a board say beside its table.

    A reading may be off by its band and three standard deviations of the instrument, `meter`: 1% and 1 mV by default.
    Where one is off more, faults are weighed (`naming`), of the conditions in which every output that was measured in
    one was measured; the more points, the fewer parts are left.

    Raises InputError for no readings, and for one that is far beyond the supplies.
    """
    if not readings:
        raise InputError("compare_measurement: no readings; measure one point at least")
    _refuse_beyond_supplies(table, readings)
    instrument = Meter() if meter is None else meter
    outside = []
    for one in readings:
        expected, band = float(table.volts[one.condition, one.point]), float(table.band[one.condition, one.point])
        allowed = band + SIGMAS * float(instrument.deviation(np.asarray(expected)))
        if table.at_rest[one.condition] and not abs(one.volts - expected) <= allowed:
            names = table.points[one.point].name, table.conditions[one.condition].name
            outside.append(Outside(*names, one.volts, expected, allowed))
    outside.sort(key=lambda one: -abs(one.volts - one.expected) / one.band)
    conditions, measured = _whole(table, readings)
    skipped = [c.name for k, c in enumerate(table.conditions) if table.at_rest[k] and k not in conditions]
    named = _name(table, conditions, measured, instrument, frozenset(one.point for one in outside))
    found = named is not None and named.gain > SURE + log(max(named.weighed, 1))
    return BringUpComparison(
        table=table,
        readings=sum(bool(table.at_rest[one.condition]) for one in readings),
        asked=len(table.points) * int(np.count_nonzero(table.at_rest)),
        outside=tuple(outside),
        suspects=named.suspects if named is not None and (found or outside) else (),
        explained=named is not None and named.explains and found,
        skipped=tuple(skipped),
    )


def _refuse_beyond_supplies(table: BringUp, readings: Sequence[Reading]) -> None:
    model = table.bench.board.model
    for one in readings:
        if abs(one.volts) > BEYOND * max(abs(model.supply_plus), abs(model.supply_minus)):
            point, condition = table.points[one.point].name, table.conditions[one.condition].name
            raise InputError(
                f"measurement: {point} in {condition} is {one.volts:g} V, on supplies of {model.supply_plus:g} V and "
                f"{model.supply_minus:g} V; say its unit if that is not volts, as in `{one.volts:g} mV`"
            )


def _whole(table: BringUp, readings: Sequence[Reading]) -> tuple[list[int], dict[str, Array]]:
    """Return conditions, and by node what was measured in all of them: as many readings as can be had."""
    by: dict[int, dict[int, float]] = {}
    for one in readings:
        if table.at_rest[one.condition]:
            by.setdefault(one.condition, {})[one.point] = one.volts
    best: tuple[int, list[int], set[int]] = (0, [], set())
    for fewest in {len(points) for points in by.values()}:
        chosen = sorted(c for c, points in by.items() if len(points) >= fewest)
        common = set.intersection(*(set(by[c]) for c in chosen))
        if len(common) * len(chosen) > best[0]:
            best = len(common) * len(chosen), chosen, common
    _, conditions, points = best
    return conditions, {table.points[p].name: np.array([by[c][p] for c in conditions]) for p in sorted(points)}


def _name(
    table: BringUp, conditions: list[int], measured: dict[str, Array], meter: Meter, outside: frozenset[str]
) -> Named | None:
    if not conditions:
        return None
    dictionary = Dictionary(
        bench=table.bench,
        conditions=[table.conditions[c] for c in conditions],
        measured=measured,
        meter=meter,
        tolerances=table.tolerances,
        seed=table.seed,
        outside=outside,
    )
    return name_fault(dictionary) if dictionary.blocks else None
