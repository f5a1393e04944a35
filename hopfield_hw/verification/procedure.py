"""The procedure of a verification: a circuit in one simulator, judged by the graph's differential equation."""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import xarray as xr

from ..analysis.amplification import amplification
from ..analysis.energy import FLAT, energy, energy_rise, has_energy
from ..circuit import Circuit
from ..equations import Along, Growth, Waveform, input_signal, solve, stop_time
from ..graph import Delay, Graph
from ..graph.usual_values import warn_of_stop
from ..spice.decks.nodes import Place
from ..spice.decks.text import read_deck, with_nodes
from ..spice.transient import AccuracyWarning, circuit_deck
from ..transforms import in_si
from ..values.arrays import Array, positive
from ..values.errors import AccuracyError, InputError, SimulatorTimeout
from ..values.grids import EDGE
from ..values.measures import check_accuracy, nrmse, ranges
from ..values.si_text import format_si
from ..values.signals import Signal
from .coverage import Devices
from .diagnosis import Judged, Suspect, diagnose, find_changed
from .effects import Effects
from .evidence import GROWTH, LOCAL, SAME, Findings, Settled, Verdict, compare_ends, faults, find, too_short
from .own_runs import OwnRuns
from .report import EnergyReport, Verification, Worst
from .simulators import InNgspice, InOwnEngine, Wanted
from .starting import starts_elsewhere
from .starts import choose
from .steps import Run, make_run

# A network counts as resting where no state moves by more than this part of the largest one.
REST = 1e-12
# Further starts are chosen until each device is seen to so much.
GOAL = 0.05
# Runs of its own choice are so many time constants long. What a clocked network takes for one, in periods.
LENGTH, EDGES = 3.0, 4.0
# A time in which states stand still, as a part of the fastest time constant.
STILL = 1e-3


def judge_circuit(
    graph: Graph,
    circuit: Circuit,
    *,
    engine: Literal["ngspice", "ensemble"],
    t_stop: float | None,
    inputs: Any,
    accuracy: float,
    tolerance: float | None,
    deck: str | Path | None,
    nodes: Mapping[str, Place] | None,
    timeout: float,
    compiled: float,
) -> Verification:
    """Return the verification of a circuit in one simulator; see `verify`."""
    accuracy, timeout = check_accuracy(accuracy, "accuracy"), float(positive(timeout, "timeout", shape=(), unit="s"))
    limit = accuracy if tolerance is None else float(positive(tolerance, "tolerance", shape=(), unit=""))
    if not graph.states:
        raise InputError("verify: the graph has no Leak and no Hold, so no state to compare; use simulate")
    intended = judged = circuit_deck(circuit, inputs)
    if nodes is not None and graph.of_type(Delay):
        raise InputError("`nodes`: what Delays give cannot be told from states alone; keep the compiled nodes")
    if nodes is not None and circuit.clock is not None:
        raise InputError("`nodes`: a clocked circuit holds its states in more nodes than these; keep the compiled ones")
    if nodes is not None:
        judged = with_nodes(judged, nodes)
    if deck is not None:
        judged = read_deck(deck, like=judged)
    simulator = InNgspice(circuit, judged) if engine == "ngspice" else InOwnEngine(circuit, judged, inputs)
    network = in_si(graph)
    end, signal = stop_time(network, t_stop), input_signal(network, inputs)
    warn_of_stop(end, circuit.time_constant, inputs)
    seconds = {"compile": compiled}
    start = time.perf_counter()
    ref = solve(graph, t_stop=end, inputs=inputs, accuracy=min(accuracy, limit))
    _refuse_rest(ref)
    seconds["reference"] = time.perf_counter() - start
    start = time.perf_counter()
    extents = _Extents(network, ref)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", AccuracyWarning)
        wanted = Wanted(
            t_stop=end,
            accuracy=accuracy,
            timeout=timeout,
            error=lambda found: extents.find(make_run(network, signal, found, start=SAME * limit)).steps.size,
            whole=end,
        )
        wave, waves = simulator.simulate(wanted)
    seconds[simulator.name] = time.perf_counter() - start
    start = time.perf_counter()
    run = make_run(network, signal, waves, start=SAME * limit)
    if nodes is not None:
        wave = _with_outputs(network, wave, ref, signal)
    findings = extents.find(run)
    whole, worst = _worst(wave, ref, skip=1 if judged.clock is None else 0)
    ends = compare_ends(ref["state"].to_numpy(), wave["state"].to_numpy(), limit)
    begun = starts_elsewhere(judged, wave, ref)
    reasons = [begun] if begun else faults(findings, limit)
    largest = float(np.max(np.abs(run.states)))
    turned, unsure = simulator.find_exchanged(volts=largest, fastest=_fastest(network, run), timeout=timeout)
    if turned:
        reasons.append(f"{', '.join(turned)}: inputs exchanged; with a pole and rails it runs to a rail")
    judged_by = _Judgement(graph, end, inputs, limit)
    doubt = too_short(run, end) or "; ".join(unsure) or None
    verdict = judged_by(findings, whole, ends, reasons, doubt)
    named = nodes is None
    devices = Devices(circuit, network, named=named)
    seen = devices.coverage(Effects(run.thin(), extents.all), limit)
    runs = [run]
    again = OwnRuns(
        graph=network,
        circuit=circuit,
        simulator=simulator,
        off=lambda other: find_of(other, extents).steps.size,
        t_stop=min(LENGTH * _longest(run), end),
        whole=end,
        accuracy=min(accuracy, limit),
        timeout=timeout,
    )
    silent = ""
    if verdict.verdict == "passed" and again.may_start():
        how: dict[str, Any] = {"goal": GOAL, "t_stop": again.t_stop, "other_inputs": again.drives()}
        starts = choose(network, devices, seen, signal, extents.all, run.states, limit, **how)
        delivered = again.from_starts(starts)
        if len(delivered) < len(starts):
            of = f"{len(starts) - len(delivered)} of {len(starts)} starts"
            silent = f"{of} chosen by verify do not run in {simulator.name}"
        for own, other in delivered:
            runs.append(other)
            found = faults(find_of(other, extents), limit * again.allowance)
            if found:
                driven = "" if own.inputs is signal else ", with other inputs"
                said = f"started elsewhere by verify itself, at {_format_states(own.states)}{driven}: {found[0]}"
                verdict = verdict._replace(verdict="failed", reasons=(*verdict.reasons, said))
            seen = seen.join(devices.coverage(Effects(other.thin(), extents.all), limit * again.allowance))
    suspects: tuple[Suspect, ...] = ()
    if verdict.verdict == "failed":
        failed = Judged(
            graph=graph,
            circuit=circuit,
            deck=judged,
            intended=intended.text,
            inputs=inputs,
            seen=seen,
            limit=limit,
            named=named,
        )
        # Where the start is wrong, a device that is as it should be is not at fault.
        suspects = tuple(find_changed(failed)[0]) if begun and named else () if begun else diagnose(failed)
        others = [_suspect_turned(circuit, name) for name in turned]
        known = {device.lower() for suspect in others for device in suspect.devices}
        suspects = (*others, *(s for s in suspects if not known.intersection(map(str.lower, s.devices))))
    seconds["evidence"] = time.perf_counter() - start
    return Verification(
        verdict=verdict.verdict,
        reasons=verdict.reasons,
        nrmse=whole,
        worst=worst,
        steps=findings.steps,
        outputs=findings.outputs,
        settled=ends,
        restarted=verdict.growth is not None and verdict.verdict != "failed",
        growth=verdict.growth,
        tolerance=limit,
        accuracy=wave.attrs["accuracy"],
        coverage=seen,
        starts=len(runs) - 1,
        energy=_energy(graph, wave, ref, inputs),
        seconds=seconds,
        cell=circuit.cell,
        version=str(wave.attrs["version"]),
        engine=simulator.name,
        self_check=wave.attrs["self_check"],
        warning="; ".join([*judged.notes, *filter(None, [silent]), *(str(item.message) for item in caught)]),
        suspects=suspects,
        wave=wave,
        ref=ref,
        circuit=circuit,
        graph=graph,
        inputs=inputs,
        start=begun,
    )


class _Said(NamedTuple):
    """A verdict, why it is not passed, and how much the network amplifies where that was asked."""

    verdict: Verdict
    reasons: tuple[str, ...]
    growth: float | None


class _Judgement(NamedTuple):
    """What it takes to ask a network how much it amplifies."""

    graph: Graph
    end: float
    inputs: Any
    limit: float

    def __call__(self, findings: Findings, whole: float, ends: Settled, wrong: list[str], doubt: str | None) -> _Said:
        """Return the verdict on a run.

        `wrong`: what is wrong whatever the network does to errors; `doubt`: why nothing can be said of what passes.
        """
        growth = None
        reasons = list(wrong)
        if not whole <= self.limit or ends == "different":
            apart = f"NRMSE {whole:.1e} of the whole waveforms is above {self.limit:.0e}"
            growth = None if wrong else self._growth()
            if growth is None or growth < GROWTH:
                reasons.append(apart if not whole <= self.limit else "it settles in another state than the network")
                return _Said("failed", tuple(reasons), growth)
            if findings.local.size > LOCAL and ends == "different":
                reasons.append(
                    f"neuron {findings.local.what} is off by {findings.local.size:.0%} of what it moves around "
                    f"{format_si(findings.local.time, 's')}, and settles in another state"
                )
        if reasons:
            return _Said("failed", tuple(reasons), growth)
        if doubt is not None:
            return _Said("undecided", (doubt,), growth)
        if ends == "different":
            said = (
                f"it follows its equation step by step, but the network amplifies a difference {growth:.0e}-fold and "
                "they settle in different states; ask for more accuracy, or start it further from where it is undecided"
            )
            return _Said("undecided", (said,), growth)
        return _Said("passed", (), growth)

    def _growth(self) -> float | None:
        """Return by how much the network amplifies a perturbation; None where its equation does not tell in time."""
        try:
            return amplification(self.graph, t_stop=self.end, inputs=self.inputs).growth
        except (AccuracyError, SimulatorTimeout):
            return None


def output_ranges(outputs: Array) -> Array:
    """Return by output the larger of its range over time and its size, (m,): one at a limit hardly moves."""
    size = np.max(np.abs(outputs), axis=0, initial=0.0)
    return np.maximum(ranges(outputs), size) if outputs.size else np.ones(outputs.shape[1])


class _Extents:
    """The range of each state and output of a reference, volts, and what a run shows against them."""

    def __init__(self, network: Graph, ref: xr.Dataset) -> None:
        self.states, self.outputs = ranges(ref["state"].to_numpy()), output_ranges(ref["output"].to_numpy())
        self.all = np.concatenate([self.states, self.outputs])
        self.labels, ports = network.state_labels, ref["output"].dims[-1]
        self.ports = tuple(str(label) for label in ref[ports].to_numpy())

    def find(self, run: Run) -> Findings:
        """Return what a run shows."""
        return find(run, self.states, self.outputs, self.labels, self.ports)


def find_of(run: Run, extents: _Extents) -> Findings:
    """Return what a run from another start shows: against its own range, where that is larger."""
    states = np.maximum(extents.states, ranges(run.states))
    outputs = np.maximum(extents.outputs, output_ranges(run.outputs)) if run.outputs.size else extents.outputs
    return find(run, states, outputs, extents.labels, extents.ports)


def _fastest(network: Graph, run: Run) -> float:
    """Return a time, seconds, in which no state moves by more than a thousandth of what it might in its own."""
    if run.along.leaks:
        moved = Growth(network, run.along.inputs).first_step(run.states[0])
        return STILL * min(moved, float(run.times[-1]))
    return STILL * EDGE * run.along.holds[0].clock.period


def _suspect_turned(circuit: Circuit, name: str) -> Suspect:
    """Return what to say of an op-amp with its inputs exchanged; of one that only a deck has no neuron is known."""
    origin = next((device.origin for device in circuit.devices if device.name.lower() == name.lower()), None)
    label = "" if origin is None else circuit.label_of(origin)
    place = "op-amp" if origin is None else str(origin)
    return Suspect(neuron=label, weight=place, devices=(name,), explained=1.0, change="its inputs are exchanged")


def _longest(run: Run) -> float:
    """Return the longest of the time constants, delays and EDGES periods of a run's network, seconds."""
    delays = [
        float(np.max(delay.tau.values)) if isinstance(delay.tau, Signal) else delay.tau for delay in run.along.delays
    ]
    periods = [EDGES * hold.clock.period for hold in run.along.holds]
    return float(max([*run.windows.tolist(), *delays, *periods]))


def _format_states(x0: Array) -> str:
    shown = ", ".join(format_si(float(x), "V") for x in x0[:4])
    return shown if x0.size <= 4 else f"{shown}, ..."


def _refuse_rest(ref: xr.Dataset) -> None:
    """Refuse a network that does nothing: every circuit that does nothing either would agree with it."""
    states = ref["state"].to_numpy()
    if states.size and float(np.max(np.ptp(states, axis=0))) <= REST * float(np.max(np.abs(states))):
        raise InputError(
            "verify: the network rests where it starts, so there is nothing to compare; give it an initial state, a "
            "bias or inputs that move it"
        )


def _with_outputs(graph: Graph, wave: xr.Dataset, ref: xr.Dataset, signal: Signal | None) -> xr.Dataset:
    """Return the waves of a deck whose outputs are not probed, with what the graph gives for its states."""
    along = Along(graph, signal, Waveform(wave["time"].to_numpy(), wave["state"].to_numpy()))
    outputs = along.outputs(along.values(*along.waveform))
    return ref.assign(state=wave["state"], output=ref["output"].copy(data=outputs)).assign_attrs(wave.attrs)


def _worst(wave: xr.Dataset, ref: xr.Dataset, skip: int) -> tuple[float, Worst]:
    """Return the NRMSE of the whole waveforms of the states, and where they are furthest apart.

    Outputs are judged by the circuit's own states: a steep curve magnifies what the states are off by. `skip`: samples
    at t = 0 that are none: op-amps whose inner nodes start at 0 V have no output yet; `starts_elsewhere` judges starts.
    """
    times = ref["time"].to_numpy()[skip:]
    found, expected = wave["state"].to_numpy()[skip:], ref["state"].to_numpy()[skip:]
    difference = np.abs(found - expected) / ranges(expected)
    k, i = np.unravel_index(int(np.argmax(difference)), difference.shape)
    volts = float(abs(found[k, i] - expected[k, i]))
    worst = Worst(str(ref["neuron"].to_numpy()[i]), float(times[k]), float(difference[k, i]), volts)
    return nrmse(expected, found), worst


def _energy(graph: Graph, wave: xr.Dataset, ref: xr.Dataset, inputs: Any) -> EnergyReport | None:
    if not has_energy(graph, inputs):
        return None
    spice, reference = (energy(graph, data["output"].to_numpy(), inputs) for data in (wave, ref))
    return EnergyReport(
        spice=spice,
        reference=reference,
        rise=energy_rise(spice, skip=1),
        rise_reference=energy_rise(reference),
        flat=FLAT * float(wave.attrs["accuracy"]),
    )
