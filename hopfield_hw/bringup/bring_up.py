"""What the builder of a board measures, and what it should be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..board.design import Board
from ..circuit import GROUND, Device, Probe
from ..parts import Capacitor, OpAmp, Resistor
from ..production.usual import usual_tolerances
from ..tolerance.tolerances import Tolerances
from ..values.arrays import Array, whole
from ..values.errors import InputError
from ..values.report import Report
from ..values.si_text import format_si
from .bench import Bench, Condition, conditions_of, make_bench
from .order import order_of_tests
from .points import BoardPoint, find_points
from .runs import SUPPLIES, Readings, read_boards, read_once

SAMPLES, LEAST_SAMPLES = 48, 8
SIGMAS = 4.0  # of the spread of drawn boards: how wide a band is
LEAST = 1e-3  # V: the narrowest half of a band, what a meter shows
SAME = 0.25  # of the swing: outputs that are further from the nominal ones are those of another state
MOVES = 0.02  # of the swing: what moves more is not at rest
EMPTY_OHMS = 1e9  # in place of an op-amp that is not in its socket


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class BringUp(Report):
    """The expected voltage of every test point of a board in every condition, with its band.

    `points`: (P,), `conditions`: (C,). `volts`: (C, P), of the nominal board, and `band`: (C, P), by how much it may be
    off by the tolerances of its parts, 4 sigma of `samples` drawn boards; without the instrument's own error.
    `currents`, `current_band`: (C, 2), amperes from the upper supply and into the lower one; `empty`: (2,), without
    op-amps. `settling`: (C,), seconds from letting go, NaN where states are held. `at_rest`: (C,); a board that moves
    by design is not compared there. `elsewhere`: (C,), the part of drawn boards that settles to another state.
    `references`: by device what the board calls it.
    """

    bench: Bench = field(repr=False)
    points: tuple[BoardPoint, ...]
    conditions: tuple[Condition, ...]
    volts: Array
    band: Array
    currents: Array
    current_band: Array
    empty: Array
    settling: Array
    at_rest: Array
    elsewhere: Array
    tolerances: Tolerances = field(repr=False)
    samples: int
    seed: int
    references: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def board(self) -> Board:
        """The board."""
        return self.bench.board

    @property
    def title(self) -> str:
        """Of its sheet."""
        return self.board.title

    def point(self, name: str) -> int | None:
        """Return the place of a test point by its name, in any case; None for an unknown one."""
        return next((k for k, point in enumerate(self.points) if point.name.lower() == name.lower()), None)

    def condition(self, name: str) -> int | None:
        """Return the place of a condition by its name, in any case; None for an unknown one."""
        return next((k for k, one in enumerate(self.conditions) if one.name.lower() == name.lower()), None)

    @property
    def order(self) -> tuple[str, ...]:
        """The order of tests, as sentences."""
        return order_of_tests(self)

    def called(self, device: str) -> str:
        """Return what the board calls a device, beside its name in the circuit."""
        reference = self.references.get(device)
        return device if reference is None else f"{reference} ({device})"

    def table(self) -> list[tuple[str, ...]]:
        """Return a row for each test point: its name, what it is, and by condition what it should be."""
        return [
            (
                point.name,
                point.words,
                *(
                    f"{self.volts[c, p]:+z.3f} +- {self.band[c, p]:.3f} V" if self.at_rest[c] else "moves"
                    for c in range(len(self.conditions))
                ),
            )
            for p, point in enumerate(self.points)
        ]

    def rows(self) -> list[tuple[str, str]]:
        said = [
            ("board", self.title),
            ("test points", f"{len(self.points)}, in {len(self.conditions)} conditions"),
            ("bands", f"{SIGMAS:g} sigma of {self.samples} boards of drawn parts"),
        ]
        for c, condition in enumerate(self.conditions):
            what = [
                f"{format_si(self.currents[c, k], 'A', 3)} +- {format_si(self.current_band[c, k], 'A', 3)} {rail}"
                for k, rail in enumerate(("from the upper supply", "into the lower one"))
            ]
            if np.isfinite(self.settling[c]):
                what.append(f"settled after {format_si(self.settling[c], 's', 3)}")
            if not self.at_rest[c]:
                what.append("does not come to rest: look at it with a scope")
            if self.elsewhere[c] > 0.0:
                what.append(f"{self.elsewhere[c]:.0%} of drawn boards settle elsewhere")
            said.append((condition.name, ", ".join(what)))
        if not self.bench.holds:
            said.append(("reset", f"holds no states: its loop gain is {self.bench.loop_gain:.2g}"))
        return said

    def figures(self) -> dict[str, Any]:
        return {
            "title": self.title,
            "neurons": self.board.network.size,
            "samples": self.samples,
            "seed": self.seed,
            "loop_gain_held": self.bench.loop_gain,
            "held": self.bench.held,
            "empty": self.empty.tolist(),
            "order": list(self.order),
            "conditions": [
                {
                    "name": one.name,
                    "held": one.held,
                    "currents": self.currents[c].tolist(),
                    "current_band": self.current_band[c].tolist(),
                    "settling": self.settling[c],
                    "at_rest": bool(self.at_rest[c]),
                    "elsewhere": self.elsewhere[c],
                }
                for c, one in enumerate(self.conditions)
            ],
            "points": [
                {
                    "name": point.name,
                    "kind": point.kind,
                    "what": point.words,
                    "volts": self.volts[:, p].tolist(),
                    "band": self.band[:, p].tolist(),
                }
                for p, point in enumerate(self.points)
            ],
        }


def bring_up(
    board: Board,
    *,
    starts: Any = None,
    reset_ohms: Any = None,
    tolerances: Tolerances | None = None,
    samples: int = SAMPLES,
    seed: int = 1,
    workers: int = 1,
    references: Mapping[str, str] | None = None,
) -> BringUp:
    """Return what the builder of a board measures, and what it should be.

    All of it is computed from the board's circuit: with its states held at 0 V, then at each start, then let go from
    there, run in our own engine with the nominal parts, and with drawn ones for the bands. `starts`: by name, states
    (n,), volts on the board's scale, or a Start with inputs; by default "start", the board's own. `reset_ohms`: what
    holds a state, see `make_bench`. `tolerances`: `usual_tolerances` by default. `samples`: boards drawn, `seed` by
    what. `workers`: threads. `references`: by device what the board calls it, as R103.

    Raises InputError for wrong arguments, and ConvergenceError where the nominal board does not run.
    """
    bench = make_bench(board, starts, reset_ohms=reset_ohms)
    spread = usual_tolerances(board) if tolerances is None else tolerances
    if not isinstance(spread, Tolerances):
        raise InputError(f"bring_up: `tolerances` = {tolerances!r:.60}: must be Tolerances")
    count = whole(samples, "samples", LEAST_SAMPLES, 100_000)
    threads = whole(workers, "workers", 1, 1024)
    points, conditions = find_points(board.circuit), conditions_of(bench)
    readings = read_boards(bench, points, conditions, spread, samples=count, seed=seed, workers=threads)
    outputs = [k for k, point in enumerate(points) if point.kind == "output"]
    swing = _swing(board)
    same = _same(readings, outputs, SAME * swing)
    volts = readings.volts[0]
    band = np.maximum(_band(readings.volts, same), LEAST)
    return BringUp(
        bench=bench,
        points=points,
        conditions=conditions,
        volts=volts,
        band=band,
        currents=readings.currents[0],
        current_band=_band(readings.currents, same),
        empty=_empty_currents(bench),
        settling=readings.settling,
        at_rest=readings.moving[0] <= MOVES * swing,
        elsewhere=1.0 - np.mean(same[1:], axis=0),
        tolerances=spread,
        samples=count,
        seed=seed,
        references=dict(references or {}),
    )


def _swing(board: Board) -> float:
    gain = board.scaled.gain
    return float(np.max(np.asarray(gain.upper)) - np.min(np.asarray(gain.lower)))


def _same(readings: Readings, outputs: list[int], far: float) -> Array:
    """Return which boards are in the state of the nominal one in each condition, (S, C)."""
    found = readings.volts[:, :, outputs] if outputs else readings.volts
    off = np.max(np.abs(found - found[0]), axis=2)
    return np.asarray(off <= far)


def _band(values: Array, same: Array) -> Array:
    """Return 4 sigma about the nominal values, (C, ...), of the boards that are in the same state."""
    off = np.where(same[:, :, np.newaxis], values - values[0], np.nan)[1:]
    known = np.isfinite(off).any(axis=0)
    with np.errstate(invalid="ignore"):
        rms = np.sqrt(np.nanmean(np.where(known, off, 0.0) ** 2, axis=0))
    return np.asarray(np.where(known, SIGMAS * rms, np.inf))


def _empty_currents(bench: Bench) -> Array:
    """Return what the supplies give while no op-amp is in its socket, (2,), amperes."""

    def without(device: Device) -> tuple[Device, ...]:
        if not isinstance(device.part, OpAmp):
            return (device,)
        return tuple(
            Device(f"R_empty_{k}_{device.name}", Resistor(EMPTY_OHMS), (node, GROUND), device.origin)
            for k, node in enumerate(device.nodes[:3])
            if node != GROUND
        )

    circuit = bench.board.circuit
    devices = tuple(
        one for device in circuit.devices if not isinstance(device.part, Capacitor) for one in without(device)
    )
    probes = (Probe("supply", "supply_plus"),)
    return read_once(replace(circuit, devices=devices, initial={}, states=(), outputs=probes, graph=None), SUPPLIES)
