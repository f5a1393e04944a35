"""The two machines of a Monte Carlo: the static equation of a block of boards, and ngspice with one of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..board.design import Board
from ..circuit import Circuit
from ..parts import VoltageSource
from ..spice.analyses import Result, run_transient
from ..values.arrays import Array
from ..values.errors import SimulatorError
from ..values.physics import ROOM
from .samples import Maker
from .tasks import Task, Waves

ACCURACY = 1e-4
SUPPLIES = ("V_supply_plus", "V_supply_minus", "V_reference_set")


@dataclass(frozen=True, kw_only=True, eq=False)
class Block:
    """The results of a few samples, (S,) each: margins, settling times (s), power (W), energies (J)."""

    margins: Array
    settling: Array
    power: Array
    energy: Array
    failure: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return it for a line of a file; NaN as null."""
        found: dict[str, Any] = {
            name: [None if not np.isfinite(v) else v for v in getattr(self, name).tolist()]
            for name in ("margins", "settling", "power", "energy")
        }
        return found | ({"failure": self.failure} if self.failure else {})

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> Block:
        """Return what `to_json` gave."""
        arrays = {
            name: np.array([np.nan if v is None else v for v in entry[name]], dtype=np.float64)
            for name in ("margins", "settling", "power", "energy")
        }
        return cls(**arrays, failure=str(entry.get("failure", "")))


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


def run_in_ngspice(board: Board, task: Task, circuit: Circuit, times: Array, *, temperature: float = ROOM) -> Block:
    """Return what one board does in ngspice. A run that ngspice does not deliver leaves it undecided."""
    margins, settling, power, energy = [], [], [], []
    try:
        for run, signal in enumerate(task.runs(board)):
            waves, watts = simulate_board(board, circuit.driven(signal), times, temperature=temperature)
            margins.append(task.judge(waves, run))
            settling.append(waves.settling())
            power.append(float(np.trapezoid(watts, times)) / float(times[-1]))
            until = times <= (settling[-1][0] if np.isfinite(settling[-1][0]) else -1.0)
            energy.append(float(np.trapezoid(watts[until], times[until])) if until.any() else np.nan)
    except SimulatorError as error:
        nothing = np.full(1, np.nan)
        return Block(margins=nothing, settling=nothing, power=nothing, energy=nothing, failure=str(error)[:400])
    return Block(
        margins=worst_margin(margins),
        settling=np.max(np.stack(settling), axis=0),
        power=np.array([np.mean(power)]),
        energy=np.array([np.max(energy)]),
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

    `initial`: node voltages to start from; those of the circuit by default. `temperature`: degrees Celsius.
    """
    sources = [name for name in SUPPLIES if any(d.name == name for d in circuit.devices)]
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
    gain = board.scaled.gain
    swing = float(np.max(np.asarray(gain.upper)) - np.min(np.asarray(gain.lower)))
    waves = Waves(times, states[:, np.newaxis, :], outputs[:, np.newaxis, :], swing)
    return waves, _power(circuit, run, sources, times)


def _power(circuit: Circuit, run: Result, sources: list[str], times: Array) -> Array:
    """Return -sum v i of the supplies: a source's current flows into its plus."""
    total = np.zeros(times.size)
    for name in sources:
        part = circuit.device(name).part
        assert isinstance(part, VoltageSource)
        volts = part.voltage
        if isinstance(volts, float):
            level: Any = volts
        else:
            points = np.asarray(volts, dtype=np.float64)
            level = np.interp(times, points[:, 0], points[:, 1])
        total = total - level * np.interp(times, run.axis, np.real(run.current(name)))
    return total


def worst_margin(margins: list[Array]) -> Array:
    """Return the least margin; a failure in one run is one whatever another left open, else NaN."""
    found = np.stack(margins)
    least = np.fmin.reduce(found, axis=0)
    return np.where(np.isnan(found).any(axis=0) & ~(least <= 0.0), np.nan, least)
