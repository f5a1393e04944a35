"""Our own engine against ngspice: many samples, large dense networks, oscillators that drift apart, a cold start."""

from __future__ import annotations

import resource
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import matplotlib
import numpy as np
from measuring import row

import hopfield_hw as hh
from hopfield_hw.circuit import Circuit, Ensemble
from hopfield_hw.ensemble.backends import choose_run
from hopfield_hw.ensemble.equations.layout import plan
from hopfield_hw.ensemble.equations.system import build_system
from hopfield_hw.ensemble.runs import Job, read, run
from hopfield_hw.simulation import simulate
from hopfield_hw.spice.transient import AccuracyWarning, circuit_deck, measure_waves
from hopfield_hw.tolerance.draws import Draws, draw_factors
from hopfield_hw.tolerance.tolerances import Tolerances
from hopfield_hw.values.arrays import Array
from hopfield_hw.values.measures import nrmse

matplotlib.use("Agg")
from matplotlib import pyplot as plt

OHMS, FARADS, T_STOP, POINTS = 1e4, 1e-8, 4e-3, 401
SAMPLES, NEURONS, ACCURACY = 1000, 32, 1e-3
PROCESSES = 2
# Samples that ngspice runs, for its time; and for its waveforms, with tolerances of 1e-6 at most.
TIMED, HELD = 3, 50
OSCILLATORS = 256
OSCILLATOR_STEPS = (3e-5, 2e-5, 1e-5, 5e-6, 1e-6)  # tolerances of steps; the first that is accurate enough counts
SIZES, NGSPICE_SIZES = (50, 100, 200, 500, 1000, 2000), (50, 100)
DENSE_CELL = hh.InvertingIntegrator(op_amp="one_pole")
STEP = 1e-6  # the tolerance of a step of a large dense network
PLOT = Path("build/dense_networks.png")


def samples_at_once() -> Iterator[dict[str, Any]]:
    """1,000 samples of 32 neurons of three TL074 each, with everything that a run needs, against ngspice."""
    draws = _draw(_network(NEURONS), SAMPLES)
    _warm(draws)
    found, seconds = _timed(lambda: _waves(draws, ACCURACY))
    tight = _waves(draws, ACCURACY / 30.0)
    worst = max(map(nrmse, tight[:, 1:], found[:, 1:]))
    taken = [_ngspice_seconds(draws.circuit(k), tight[k]) for k in range(TIMED)]
    ratio = SAMPLES * median(taken) / PROCESSES / seconds
    said = f"1,000 samples of {NEURONS} neurons, ngspice on {PROCESSES} processes to our engine on {PROCESSES} threads"
    yield row(said, ratio, 200.0, "higher")
    yield row("the same, seconds of our engine with its self-check", seconds, 20.0, "lower", unit="s")
    yield row("the same, largest NRMSE of a sample against a tight run", worst, 1e-3, "lower", unit="NRMSE")
    held = max(nrmse(_ngspice(draws.circuit(k), 1e-5)[1:], tight[k, 1:]) for k in range(HELD))
    yield row(
        f"{HELD} samples against ngspice at reltol 1e-7 or less, largest NRMSE", held, 3e-4, "lower", unit="NRMSE"
    )


def large_dense_networks() -> Iterator[dict[str, Any]]:
    """One dense network of N op-amp neurons: time, memory, and waveforms, against ngspice where that ends.

    Each is one run with steps of STEP, set-up and compiling apart, beside one run of ngspice that is as near.
    """
    ours: dict[int, float] = {}
    theirs: dict[int, float] = {}
    for n in SIZES:
        network = _network(n)
        job, set_up = _timed(lambda network=network: _prepare(network))
        found, ours[n] = _timed(lambda job=job: run(job, STEP, T_STOP / 20.0))
        wave = read(found, job.circuit)[0][0]
        if n in NGSPICE_SIZES:
            plain = hh.lower(network, cell=DENSE_CELL)
            theirs[n] = _ngspice_seconds(plain, wave)
            off = nrmse(_ngspice(plain, 1e-4)[1:], _one(plain, 1e-4)[1:])
            yield row(f"a dense network of {n} neurons against ngspice, NRMSE", off, 3e-4, "lower", unit="NRMSE")
        if n == 1000:
            yield row(f"a dense network of {n} neurons, {POINTS} points", ours[n], 5.0, "lower", unit="s")
            yield row("the same, set-up", set_up, 5.0, "lower", unit="s")
            tight = read(run(job, STEP / 10.0, T_STOP / 20.0), job.circuit)[0][0]
            off = nrmse(tight[1:], wave[1:])
            yield row("the same, NRMSE of the worst neuron against a tight run", off, 1e-3, "lower", unit="NRMSE")
            used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
            yield row("the same, memory of the whole process", used, 1.0, "lower", unit="GiB")
    _draw_sizes(ours, theirs)
    slope = float(np.polyfit(np.log(SIZES[-3:]), np.log([ours[n] for n in SIZES[-3:]]), 1)[0])
    yield row("growth of our engine's time with N, 500 to 2,000, exponent", slope, 2.3, "lower", unit="")
    low, high = NGSPICE_SIZES
    growth = float(np.log(theirs[high] / theirs[low]) / np.log(high / low))
    yield row("growth of ngspice's time with N, 50 to 100, exponent", growth, 1.0, "higher", unit="")


def _prepare(network: hh.Network) -> Job:
    circuit = hh.lower(network, cell=DENSE_CELL, crossbars=True)
    made = plan(build_system(Ensemble(circuit=circuit, size=1)), T_STOP)
    return Job(made, circuit, np.linspace(0.0, T_STOP, POINTS), choose_run("numba", 1)[1], None)


def drifting_oscillators() -> Iterator[dict[str, Any]]:
    """Free-running pairs of op-amp neurons, each at a frequency of its own.

    Runs are compared with runs, at equal accuracy: neither side's time has that of the runs by which it checks itself.
    """
    weights = np.array([[2.0, -3.0], [3.0, 2.0]]) / OHMS
    network = hh.Network(
        weights=weights, resistance=OHMS, capacitance=FARADS, gain=hh.Tanh(gain=1.0), initial=[0.5, 0.0]
    )
    draws = _draw(network, OSCILLATORS)
    _warm(draws)
    found, checked = _timed(lambda: _waves(draws, ACCURACY))
    tight = _waves(draws, ACCURACY / 30.0)
    job = Job(
        plan(build_system(draws.ensemble), T_STOP),
        draws.circuit(0),
        np.linspace(0.0, T_STOP, POINTS),
        choose_run("numba", PROCESSES)[1],
        None,
    )
    for tolerance in OSCILLATOR_STEPS:
        one, seconds = _timed(lambda tolerance=tolerance: run(job, tolerance, T_STOP / 20.0))
        worst = max(map(nrmse, tight[:, 1:], read(one, job.circuit)[0][:, 1:]))
        if worst <= ACCURACY:
            break
    taken = [_ngspice_seconds(draws.circuit(k), tight[k]) for k in range(TIMED)]
    said = f"{OSCILLATORS} free-running oscillators, ngspice on {PROCESSES} processes to our engine"
    theirs = OSCILLATORS * median(taken) / PROCESSES
    yield row(f"{said}, one run each", theirs / seconds, 40.0, "higher")
    yield row("the same, largest NRMSE of a sample against a tight run", worst, ACCURACY, "lower", unit="NRMSE")
    yield row(f"{said} with its self-check", theirs / checked, 40.0, "higher")
    worst = max(map(nrmse, tight[:, 1:], found[:, 1:]))
    yield row("the same, largest NRMSE of a sample against a tight run", worst, ACCURACY, "lower", unit="NRMSE")


def cold_start() -> Iterator[dict[str, Any]]:
    """A first run in a new process, its kernels on disk, beside `import numba`, and beside the other imports."""
    libraries = "import hopfield_hw as hh, xarray, scipy.sparse, hopfield_hw.ensemble.transient"
    run = (
        "network = hh.Network(weights=[[0.0]], resistance=1e4, capacitance=1e-8, gain=hh.Tanh(gain=1.0), "
        "initial=[0.1]); hh.simulate(network, engine='ensemble', t_stop=1e-3)"
    )
    commands = {"numba": "import numba", "libraries": libraries, "run": f"{libraries}; {run}"}
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(5):
        for name, command in commands.items():
            seconds[name].append(_timed(lambda command=command: subprocess.run([sys.executable, "-c", command]))[1])
    numba, others, whole = (min(seconds[name]) for name in commands)
    yield row("a first run of our engine to `import numba`", whole / numba, 1.5, "lower")
    yield row("the same without the imports of xarray and scipy", (whole - others) / numba, 1.5, "lower")


ENSEMBLES = (samples_at_once, large_dense_networks, drifting_oscillators, cold_start)


def _network(n: int) -> hh.Network:
    """Return a symmetric network, which comes to rest in one of many states."""
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(n, n)) / np.sqrt(n)
    weights = (weights + weights.T) / 2.0 / OHMS
    np.fill_diagonal(weights, 0.0)
    initial = 0.1 * rng.normal(size=n)
    return hh.Network(weights=weights, resistance=OHMS, capacitance=FARADS, gain=hh.Tanh(gain=3.0), initial=initial)


def _draw(network: hh.Network, samples: int) -> Draws:
    circuit = hh.lower(network, cell=hh.InvertingIntegrator(op_amp="TL074"))
    tolerances = Tolerances(resistors=0.01, capacitors=0.05, offset=1e-3)
    return draw_factors(circuit, tolerances, seed=1, samples=samples)


def _waves(draws: Draws, accuracy: float) -> Array:
    """Return the states of all samples, (samples, times, neurons)."""
    found = simulate(
        draws.ensemble, engine="ensemble", t_stop=T_STOP, accuracy=accuracy, points=POINTS, workers=PROCESSES
    )
    assert not found.attrs["failures"], found.attrs["failures"]
    states: Array = found["state"].to_numpy()
    return states


def _one(circuit: Circuit, accuracy: float) -> Array:
    found: Array = simulate(circuit, engine="ensemble", t_stop=T_STOP, accuracy=accuracy, points=POINTS)[
        "state"
    ].to_numpy()
    return found


def _warm(draws: Draws) -> None:
    """Run one sample for a short time, so that the kernels are compiled."""
    simulate(draws.circuit(0), engine="ensemble", t_stop=T_STOP / 100.0, points=11)


def _ngspice(circuit: Circuit, accuracy: float) -> Array:
    """Return the states from one run of ngspice with settings for an accuracy, without a self-check."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AccuracyWarning)
        waves = measure_waves(
            circuit_deck(circuit), t_stop=T_STOP, whole=T_STOP, accuracy=accuracy, timeout=3600.0, error=None
        )
    grid = np.linspace(0.0, T_STOP, POINTS)
    return np.stack([np.interp(grid, waves.own_times, column) for column in waves.own_states.T], axis=1)


def _ngspice_seconds(circuit: Circuit, tight: Array) -> float:
    """Return the seconds of ngspice's fastest run that is as near to the tight waveform as we are."""
    best = np.inf
    for accuracy in (3e-3, 1e-3, 3e-4):
        wave, seconds = _timed(lambda accuracy=accuracy: _ngspice(circuit, accuracy))
        if nrmse(tight[1:], wave[1:]) <= ACCURACY:
            best = min(best, seconds)
            break
    return best


def _timed(task: Callable[[], Any]) -> tuple[Any, float]:
    start = time.perf_counter()
    found = task()
    return found, time.perf_counter() - start


def _draw_sizes(ours: dict[int, float], theirs: dict[int, float]) -> None:
    figure, axes = plt.subplots(figsize=(7.0, 5.0), layout="constrained")
    axes.loglog(list(ours), list(ours.values()), "o-", label="our engine, one run")
    axes.loglog(list(theirs), list(theirs.values()), "s-", label="ngspice, one run")
    axes.set(xlabel="neurons N, each of one-pole op-amps", ylabel="seconds", title="A dense network of N neurons, 4 ms")
    axes.grid(which="both", alpha=0.3)
    axes.legend()
    PLOT.parent.mkdir(exist_ok=True)
    figure.savefig(PLOT, dpi=150)
    plt.close(figure)
