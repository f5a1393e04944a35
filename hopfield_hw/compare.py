"""Verification: a graph's circuit in ngspice, held against the graph's differential equation."""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import xarray as xr

from .analysis.amplification import Amplification, amplification
from .analysis.diagnosis import Suspect, diagnose
from .analysis.energy import FLAT, energy, energy_rise, has_energy
from .arrays import Array, positive
from .cells import Cell
from .circuit import Circuit
from .engines.deck_text import read_deck, with_nodes
from .engines.transient import AccuracyWarning, Deck, circuit_deck, simulate_deck
from .errors import InputError
from .graph import Delay, Graph, HasGraph, as_graph, in_si
from .lower import lower
from .reference import Program, input_signal, solve, stop_time
from .units import format_si
from .usual import warn_of_stop
from .waves import checked_accuracy, nrmse, nrmse_each, ranges, sqnr

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .plots import Picture

Settled = Literal["same", "different", "not settled"]
# A state is settled where it moves by less than this part of its range over the last twentieth of the run; settled
# states are the same where they agree to ten times the tolerance (an NRMSE averages, a single point does not).
SETTLED_PART = 1e-3
SETTLED_WINDOW = 20
SAME = 10.0
# A network counts as resting where no state moves by more than this part of the largest one.
REST = 1e-12


class Worst(NamedTuple):
    """Where the waveforms are furthest apart: `error` is the difference as a part of the neuron's range."""

    neuron: str
    time: float
    error: float
    volts: float


@dataclass(frozen=True, kw_only=True, eq=False)
class EnergyReport:
    """Energy over time in both machines. `rise`: its largest rise, a part of the range; `flat`: what counts as none."""

    spice: Array
    reference: Array
    rise: float
    rise_reference: float
    flat: float

    @property
    def falls(self) -> bool:
        """Whether the energy never rises, in both machines."""
        return max(self.rise, self.rise_reference) <= self.flat


@dataclass(frozen=True, kw_only=True, eq=False)
class Verification:
    """What a verification found. `passed`: NRMSE within the tolerance up to the gate, and the same settled state.

    `gate`: the time up to which waveforms count; before t_stop only where the network itself amplifies small errors
    100-fold by then (`growth`) and the whole waveforms are further apart than the tolerance (`cut`). `self_check`: the
    error of ngspice's run, as NRMSE, that runs with a step and with half of it tell.
    """

    passed: bool
    nrmse: float
    worst: Worst
    settled: Settled
    tolerance: float
    accuracy: float
    gate: float
    cut: bool
    growth: float
    energy: EnergyReport | None
    seconds: Mapping[str, float]
    cell: str
    version: int
    self_check: float
    warning: str
    suspects: tuple[Suspect, ...]
    wave: xr.Dataset = field(repr=False)
    ref: xr.Dataset = field(repr=False)
    circuit: Circuit = field(repr=False)
    graph: Graph = field(repr=False)
    engine: str = "ngspice"

    @property
    def neurons(self) -> int:
        """The number of states."""
        return int(self.ref.sizes["neuron"])

    @property
    def devices(self) -> int:
        """The number of devices in the compiled netlist."""
        return len(self.circuit.devices)

    @property
    def sqnr(self) -> float:
        """10 log10 of the power of the reference's outputs by that of what the circuit is off by, dB."""
        return sqnr(self.ref["output"].to_numpy(), self.wave["output"].to_numpy())

    @property
    def status(self) -> Literal["passed", "fell short"]:
        """In words, whether it passed."""
        return "passed" if self.passed else "fell short"

    def to_json(self) -> dict[str, Any]:
        """Return the report as JSON-able values."""
        energy_values = self.energy and {"rise": self.energy.rise, "flat": self.energy.flat, "falls": self.energy.falls}
        return {
            "status": self.status,
            "nrmse": self.nrmse,
            "worst_error": {**self.worst._asdict()},
            "settled": self.settled,
            "tolerance": self.tolerance,
            "accuracy": self.accuracy,
            "gate": self.gate,
            "cut": self.cut,
            "growth": self.growth,
            "energy": energy_values,
            "neurons": self.neurons,
            "devices": self.devices,
            "seconds": dict(self.seconds),
            "cell": self.cell,
            "engine": self.engine,
            "version": self.version,
            "self_check": self.self_check,
            "warning": self.warning,
            "suspects": [
                {"neuron": s.neuron, "weight": s.weight, "devices": list(s.devices), "change": s.change}
                for s in self.suspects
            ],
        }

    def rows(self) -> list[tuple[str, str]]:
        """Return the report as (what, value) rows."""
        where = f"neuron {self.worst.neuron} at {format_si(self.worst.time, 's')}"
        rows = [
            ("result", self.status),
            ("cell", f"{self.cell}, neurons {self.neurons}, devices {self.devices}"),
            ("NRMSE", f"{self.nrmse:.2e} (tolerance {self.tolerance:.0e})"),
            ("worst error", f"{self.worst.error:.2e} of the range, {format_si(self.worst.volts, 'V')}, {where}"),
            ("settled state", self.settled),
            ("self-check", f"{self.self_check:.1e}" + (f"; {self.warning}" if self.warning else "")),
            ("seconds", ", ".join(f"{name} {value:.2f}" for name, value in self.seconds.items())),
            ("engine", f"{self.engine} {self.version}"),
        ]
        if self.circuit.clock is not None:
            rows.insert(3, ("SQNR", f"{self.sqnr:.1f} dB of the outputs"))
        if self.energy is not None:
            said = "never rises" if self.energy.falls else f"rises by {self.energy.rise:.1e} of its range"
            rows.insert(-3, ("energy", said))
        if self.cut:
            said = f"compared up to {format_si(self.gate, 's')}: the network amplifies small errors 100-fold after it"
            rows.insert(-3, ("self-amplifying", said))
        rows += [("nearest to the fault", _format_suspect(suspect)) for suspect in self.suspects]
        return rows

    def __str__(self) -> str:
        rows = self.rows()
        width = max(len(what) for what, _ in rows)
        return "\n".join(f"{what:<{width}}  {value}" for what, value in rows)

    def plot(self, path: Path | str | None = None, *, picture: Picture | None = None) -> Figure:
        """Return the one-page picture, and write it where a path is given."""
        from .plots import plot_verification, save_figure

        figure = plot_verification(self, picture=picture)
        if path is not None:
            save_figure(figure, path)
        return figure


def verify(
    graph: Graph | HasGraph,
    *,
    cell: str | Cell = "ideal",
    t_stop: float | None = None,
    inputs: Any = None,
    accuracy: float = 1e-4,
    tolerance: float | None = None,
    rescale: bool = False,
    deck: str | Path | None = None,
    title: str = "hopfield_hw",
    timeout: float = 600.0,
) -> Verification:
    """Compile a graph (or what has a method `graph`), run it in ngspice and the reference, and say how far apart.

    `accuracy`: NRMSE that both machines aim at. `tolerance`: the NRMSE that passes; the accuracy by default.
    `deck`: text or path of a netlist to judge in place of the compiled one (edited by hand, say); it keeps the
    nodes of the compiled one. The other arguments are those of `lower`, `simulate` and `reference`.

    Raises InputError for wrong input, Unrealisable for values that the cell cannot build, and a SimulatorError where
    ngspice does not deliver.
    """
    start, graph = time.perf_counter(), as_graph(graph)
    circuit = lower(graph, cell=cell, rescale=rescale, title=title)
    return verify_circuit(
        graph,
        circuit,
        t_stop=t_stop,
        inputs=inputs,
        accuracy=accuracy,
        tolerance=tolerance,
        deck=deck,
        timeout=timeout,
        compiled=time.perf_counter() - start,
    )


def verify_circuit(
    graph: Graph,
    circuit: Circuit,
    *,
    t_stop: float | None = None,
    inputs: Any = None,
    accuracy: float = 1e-4,
    tolerance: float | None = None,
    deck: str | Path | None = None,
    nodes: Mapping[str, str] | None = None,
    timeout: float = 600.0,
    compiled: float = 0.0,
) -> Verification:
    """Hold a circuit that there is already (or a deck with its nodes) against a graph; see `verify`.

    `nodes`: for a deck with nodes of its own, the one of each neuron's state by its label. Its outputs are then not
    looked at: they count as what the graph gives for the states.
    """
    accuracy, timeout = checked_accuracy(accuracy, "accuracy"), float(positive(timeout, "timeout", shape=(), unit="s"))
    limit = accuracy if tolerance is None else float(positive(tolerance, "tolerance", shape=(), unit=""))
    if not graph.states:
        raise InputError("verify: the graph has no Leak and no Hold, so no state to compare; use simulate")
    judged = circuit_deck(circuit, inputs)
    if nodes is not None and graph.of_type(Delay):
        raise InputError("`nodes`: what Delays give cannot be told from states alone; keep the compiled nodes")
    if nodes is not None:
        judged = with_nodes(judged, nodes)
    if deck is not None:
        judged = read_deck(deck, like=judged)
    end = stop_time(in_si(graph), t_stop)
    warn_of_stop(end, circuit.time_constant, inputs)
    seconds = {"compile": compiled}
    start = time.perf_counter()
    ref = solve(graph, t_stop=end, inputs=inputs, accuracy=min(accuracy, limit))
    _refuse_rest(ref)
    growth = amplification(graph, t_stop=end, inputs=inputs)
    seconds["reference"] = time.perf_counter() - start
    start = time.perf_counter()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", AccuracyWarning)
        wave = simulate_deck(judged, t_stop=end, accuracy=accuracy, timeout=timeout, until=growth.gate)
    seconds["spice"] = time.perf_counter() - start
    if nodes is not None:
        wave = _with_outputs(graph, wave, ref, inputs)
    result = _judge(graph, circuit, wave, ref, growth, limit, seconds, caught, inputs)
    if result.passed:
        return result
    return _with_suspects(result, judged, inputs, timeout)


def _refuse_rest(ref: xr.Dataset) -> None:
    """Refuse a network that does nothing: every circuit that does nothing either would agree with it."""
    states = ref["state"].to_numpy()
    if states.size and float(np.max(np.ptp(states, axis=0))) <= REST * float(np.max(np.abs(states))):
        raise InputError(
            "verify: the network rests where it starts, so there is nothing to compare; give it an initial state, a "
            "bias or inputs that move it"
        )


def _with_outputs(graph: Graph, wave: xr.Dataset, ref: xr.Dataset, inputs: Any) -> xr.Dataset:
    network = in_si(graph)
    program = Program([network], input_signal(network, inputs))
    outputs = program.outputs(wave["time"].to_numpy(), wave["state"].to_numpy())
    return ref.assign(state=wave["state"], output=ref["output"].copy(data=outputs)).assign_attrs(wave.attrs)


def _judge(
    graph: Graph,
    circuit: Circuit,
    wave: xr.Dataset,
    ref: xr.Dataset,
    growth: Amplification,
    limit: float,
    seconds: dict[str, float],
    caught: list[warnings.WarningMessage],
    inputs: Any,
) -> Verification:
    times = ref["time"].to_numpy()
    found, expected = wave["state"].to_numpy(), ref["state"].to_numpy()
    cut = growth.cut and nrmse(expected, found) > limit
    gate = growth.gate if cut else float(times[-1])
    counted = times <= gate
    each = nrmse_each(expected[counted], found[counted])
    difference = np.abs(found - expected)[counted] / ranges(expected[counted])
    k, i = np.unravel_index(int(np.argmax(difference)), difference.shape)
    volts = float(abs(found[k, i] - expected[k, i]))
    worst = Worst(str(ref["neuron"].to_numpy()[i]), float(times[k]), float(difference[k, i]), volts)
    settled = _settled(expected, found, limit)
    passed = float(each.max()) <= limit and (cut or settled != "different")
    return Verification(
        passed=passed,
        nrmse=float(each.max()),
        worst=worst,
        settled=settled,
        tolerance=limit,
        accuracy=wave.attrs["accuracy"],
        gate=gate,
        cut=cut,
        growth=growth.growth,
        energy=_energy(graph, wave, ref, inputs),
        seconds=seconds,
        cell=circuit.cell,
        version=wave.attrs["version"],
        self_check=wave.attrs["self_check"],
        warning="; ".join(str(item.message) for item in caught),
        suspects=(),
        wave=wave,
        ref=ref,
        circuit=circuit,
        graph=graph,
    )


def _settled(expected: Array, found: Array, limit: float) -> Settled:
    extent = ranges(expected)
    window = max(expected.shape[0] // SETTLED_WINDOW, 2)
    if float(np.max(np.ptp(expected[-window:], axis=0) / extent)) > SETTLED_PART:
        return "not settled"
    apart = float(np.max(np.abs(found[-1] - expected[-1]) / extent))
    return "same" if apart <= SAME * limit else "different"


def _energy(graph: Graph, wave: xr.Dataset, ref: xr.Dataset, inputs: Any) -> EnergyReport | None:
    if not has_energy(graph, inputs):
        return None
    spice, reference = (energy(graph, data["output"].to_numpy(), inputs) for data in (wave, ref))
    return EnergyReport(
        spice=spice,
        reference=reference,
        rise=energy_rise(spice),
        rise_reference=energy_rise(reference),
        flat=FLAT * float(wave.attrs["accuracy"]),
    )


def _with_suspects(result: Verification, judged: Deck, inputs: Any, timeout: float) -> Verification:
    try:
        suspects = diagnose(result.graph, result.circuit, judged, inputs=inputs, timeout=timeout)
    except InputError as error:
        return replace(result, warning=f"{result.warning}; {error}".lstrip("; "))
    return replace(result, suspects=suspects)


def _format_suspect(suspect: Suspect) -> str:
    devices = ", ".join(suspect.devices) if suspect.devices else "no device"
    return f"neuron {suspect.neuron}: {devices} ({suspect.weight}): {suspect.change}"
