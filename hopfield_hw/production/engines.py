"""The machines of a Monte Carlo: of a block of boards the static equation, or the whole circuits in our own engine; of
one board its circuit in ngspice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..board.design import Board
from ..circuit import Circuit
from ..ensemble.transient import run_samples
from ..parts import VoltageSource
from ..spice.analyses import run_transient
from ..tolerance.draws import Draws
from ..values.arrays import Array
from ..values.errors import SimulatorError
from ..values.physics import ROOM
from .samples import Maker
from .tasks import Task, Waves

ACCURACY = 1e-4
FIGURES = ("margins", "settling", "power", "energy")
SUPPLIES = ("V_supply_plus", "V_supply_minus", "V_reference_set")


@dataclass(frozen=True, kw_only=True, eq=False)
class Block:
    """The results of a few samples, (S,) each: margins, settling times (s), power (W), energies (J).

    `failures`: why a sample did not run, by its place. `notes`: what a machine warned of.
    """

    margins: Array
    settling: Array
    power: Array
    energy: Array
    failures: dict[int, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return it for a line of a file; NaN as null."""
        found: dict[str, Any] = {
            name: [None if not np.isfinite(v) else v for v in getattr(self, name).tolist()] for name in FIGURES
        }
        if self.failures:
            found["failures"] = {str(k): why for k, why in self.failures.items()}
        if self.notes:
            found["notes"] = list(self.notes)
        return found

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> Block:
        """Return what `to_json` gave. Raises KeyError, TypeError or ValueError for what it did not give."""
        arrays = {
            name: np.array([np.nan if v is None else v for v in entry[name]], dtype=np.float64) for name in FIGURES
        }
        if len({array.shape for array in arrays.values()}) > 1:
            raise ValueError("the figures of a block are of different samples")
        failures = {int(k): str(why) for k, why in entry.get("failures", {}).items()}
        return cls(**arrays, failures=failures, notes=tuple(entry.get("notes", ())))


def run_block(board: Board, task: Task, maker: Maker, values: Array, times: Array, power: Array) -> Block:
    """Return what boards of values (S, columns) do in all runs of a task: the least margin, the longest settling."""
    samples = maker.make(values)
    margins, settling = [], []
    for run, signal in enumerate(task.runs(board)):
        states, outputs = samples.run(board.realised.initial, times, signal)
        waves = Waves(times, states, outputs, samples.span)
        margins.append(task.judge(waves, run))
        settling.append(waves.settling())
    slowest = np.max(np.stack(settling), axis=0)
    return Block(margins=worst_margin(margins), settling=slowest, power=power, energy=power * slowest)


def run_in_ensemble(board: Board, task: Task, draws: Draws, times: Array, *, threads: int = 1) -> Block:
    """Return what boards do in our own engine, all at once; each that it does not deliver is left undecided."""
    ensemble = draws.ensemble
    sources = _supplies(ensemble.circuit)
    runs: list[Block] = []
    failures: dict[int, str] = {}
    notes: list[str] = []
    for run, signal in enumerate(task.runs(board)):
        found, said = run_samples(
            ensemble,
            inputs=signal,
            t_stop=float(times[-1]),
            points=times.size,
            accuracy=ACCURACY,
            currents=sources,
            workers=threads,
        )
        states, outputs = (found[name].to_numpy().transpose(1, 0, 2) for name in ("state", "output"))
        currents = dict(zip(sources, found["current"].to_numpy().transpose(2, 0, 1), strict=True))
        waves = Waves(times, states, outputs, _swing(board))
        runs.append(_judge(task, waves, run, _power(ensemble.circuit, currents, times)))
        failures |= {int(k): f"ensemble: {why}" for k, why in found.attrs["failures"].items()}
        notes += said
    return _worst(runs, failures, notes)


def run_in_ngspice(board: Board, task: Task, circuit: Circuit, times: Array, *, temperature: float = ROOM) -> Block:
    """Return what one board does in ngspice. A run that ngspice does not deliver leaves it undecided."""
    runs = []
    try:
        for run, signal in enumerate(task.runs(board)):
            waves, watts = simulate_board(board, circuit.driven(signal), times, temperature=temperature)
            runs.append(_judge(task, waves, run, watts[np.newaxis]))
    except SimulatorError as error:
        nothing = np.full(1, np.nan)
        return Block(margins=nothing, settling=nothing, power=nothing, energy=nothing, failures={0: str(error)[:400]})
    return _worst(runs, {}, [])


def _judge(task: Task, waves: Waves, run: int, watts: Array) -> Block:
    """Return the figures of boards in one run; `watts`: (S, P)."""
    times, settling = waves.times, waves.settling()
    until = times <= np.where(np.isfinite(settling), settling, -1.0)[:, np.newaxis]
    # A trapezoid as long as its later end is before the board has settled.
    pieces = 0.5 * (watts[:, 1:] + watts[:, :-1]) * np.diff(times)
    spent = np.sum(np.where(until[:, 1:], pieces, 0.0), axis=1)
    return Block(
        margins=task.judge(waves, run),
        settling=settling,
        power=np.sum(pieces, axis=1) / float(times[-1]),
        energy=np.where(until[:, 0], spent, np.nan),
    )


def _worst(runs: list[Block], failures: dict[int, str], notes: list[str]) -> Block:
    """Return the figures of all runs: the least margin, the longest settling, the mean power, the largest energy."""
    return Block(
        margins=worst_margin([run.margins for run in runs]),
        settling=np.max(np.stack([run.settling for run in runs]), axis=0),
        power=np.mean(np.stack([run.power for run in runs]), axis=0),
        energy=np.max(np.stack([run.energy for run in runs]), axis=0),
        failures=failures,
        notes=tuple(dict.fromkeys(notes)),
    )


def simulate_board(
    board: Board,
    circuit: Circuit,
    times: Array,
    *,
    initial: Mapping[str, float] | None = None,
    probes: tuple[str, ...] = (),
    accuracy: float = ACCURACY,
    temperature: float = ROOM,
) -> tuple[Waves, Array]:
    """Return waveforms of one board in ngspice at times, and the power from its supplies, (P,), watts.

    `initial`: node voltages to start from; those of the circuit by default. `temperature`: degrees Celsius. The first
    power is the second one: at the start itself capacitances are charged at once.
    """
    sources = _supplies(circuit)
    names = {probe.node for probe in (*circuit.states, *circuit.outputs)}
    wanted = [f"v({node})" for node in sorted(names)] + [f"i({name})" for name in sources]
    run = run_transient(
        circuit,
        float(times[-1]),
        initial=circuit.initial if initial is None else initial,
        probes=(*wanted, *probes),
        accuracy=accuracy,
        temperature=temperature,
    )
    states = np.stack([p.scale * np.interp(times, run.axis, np.real(run.voltage(p.node))) for p in circuit.states], 1)
    outputs = np.stack([p.scale * np.interp(times, run.axis, np.real(run.voltage(p.node))) for p in circuit.outputs], 1)
    waves = Waves(times, states[:, np.newaxis, :], outputs[:, np.newaxis, :], _swing(board))
    currents = {name: np.interp(times, run.axis, np.real(run.current(name)))[np.newaxis] for name in sources}
    return waves, _power(circuit, currents, times)[0]


def _supplies(circuit: Circuit) -> list[str]:
    return [name for name in SUPPLIES if any(d.name == name for d in circuit.devices)]


def _swing(board: Board) -> float:
    gain = board.scaled.gain
    return float(np.max(np.asarray(gain.upper)) - np.min(np.asarray(gain.lower)))


def _power(circuit: Circuit, currents: Mapping[str, Array], times: Array) -> Array:
    """Return -sum v i of sources, (S, P), from the currents into their plus, (S, P) each."""
    total = np.zeros(1)
    for name, amperes in currents.items():
        part = circuit.device(name).part
        assert isinstance(part, VoltageSource)
        volts = part.voltage
        if isinstance(volts, float):
            level: Any = volts
        else:
            points = np.asarray(volts, dtype=np.float64)
            level = np.interp(times, points[:, 0], points[:, 1])
        total = total - level * amperes
    total[:, 0] = total[:, 1]
    return total


def worst_margin(margins: list[Array]) -> Array:
    """Return the least margin; a failure in one run is one whatever another left open, else NaN."""
    found = np.stack(margins)
    least = np.fmin.reduce(found, axis=0)
    return np.where(np.isnan(found).any(axis=0) & ~(least <= 0.0), np.nan, least)
