"""A part of `make verify-full`: gradients by the adjoint against central differences, on 100 random circuits.

Ideal cells of random graphs, cells of op-amps of every level, and small circuits of semiconductors, most with inputs
that have corners. Of each a neuron at a random time, and the four
parameters that it is most sensitive to and four others. Differences are those of runs with
a tolerance of 1e-11, extrapolated from three steps, with how far the last two extrapolations are apart, and what the
error of a run makes. A parameter is judged against the largest sensitivity of the circuit; how far it is off of its own
is said where differences know that to a third of the goal. Where no three steps agree, a formula jumps or a limit is
touched within the step: those are named and counted.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from random_graphs import TAU, random_graph

import hopfield_hw as hh
from hopfield_hw.circuit import Circuit, Device, Ensemble, Origin, Probe, Role
from hopfield_hw.ensemble.backends import choose_run
from hopfield_hw.ensemble.equations.layout import plan
from hopfield_hw.ensemble.equations.system import build_system
from hopfield_hw.ensemble.gradients import find_gradients
from hopfield_hw.ensemble.runs import Job, run
from hopfield_hw.parts import (
    BZX84C6V2,
    D1N4148,
    Capacitor,
    OnePole,
    OpAmp,
    Pulse,
    Resistor,
    Transistor,
    VoltageSource,
)
from hopfield_hw.parts.parameters import find_parameter, with_values
from hopfield_hw.values.errors import HopfieldHWError, InputError, NoEffectWarning, UnusualValueWarning

SEED, CIRCUITS, PARAMETERS = 13, 100, 8
GOAL = 1e-5
TIGHT = 1e-11
# The largest step of differences, as a part of a value, a hundred times that of its usual size where it is 0; how many.
LONGEST_STEP, STEPS = 4e-2, 6
SMOOTH = ("hopfield", "stencil", "static_field", "two_populations", "product")
CELLS: tuple[tuple[str, str | None], ...] = (
    ("inverting_integrator", "TL074"),
    ("inverting_integrator", "one_pole"),
    ("inverting_integrator", "ideal"),
    ("active_rc", "TL074"),
    ("active_rc", "ideal"),
    ("hopfield_tank", None),
    ("gm_c", None),
    ("summing_amplifier", "one_pole"),
)
REPORT = Path("build/verify_gradients.json")


class Comparison(NamedTuple):
    """A parameter's derivative by the adjoint and by differences, and how far those are known; of relative changes."""

    parameter: str
    adjoint: float
    differences: float
    known: float


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One circuit. `largest`: of d(objective)/d(value) x value. `failure`: why it was not compared."""

    index: int
    kind: str
    comparisons: tuple[Comparison, ...] = ()
    largest: float = 0.0
    self_check: float = np.inf
    failure: str = ""
    seconds: float = 0.0

    def unresolved(self) -> list[str]:
        """Return the parameters whose differences do not agree with each other."""
        return [one.parameter for one in self.comparisons if one.known > GOAL * self.largest]

    def error(self) -> float:
        """Return the worst parameter's error as a part of the largest sensitivity, of those that are resolved."""
        good = [one for one in self.comparisons if one.known <= GOAL * self.largest]
        return max((abs(one.adjoint - one.differences) / self.largest for one in good), default=np.nan)

    def own_errors(self) -> list[float]:
        """Return errors as parts of each derivative, where differences know it to a third of the goal."""
        good = [one for one in self.comparisons if one.differences and one.known <= GOAL / 3.0 * abs(one.differences)]
        return [abs(one.adjoint - one.differences) / abs(one.differences) for one in good]


def draw_circuit(index: int) -> tuple[str, Circuit, float, Any]:
    """Return circuit `index`: what it is, the circuit, how long it runs, and its inputs."""
    rng = np.random.default_rng([SEED, index])
    which = index % 3
    if which == 0:
        kind = SMOOTH[int(rng.integers(len(SMOOTH)))]
        while True:
            try:
                made = hh.lower(random_graph(rng, kind))
                break
            except HopfieldHWError:
                continue
        return f"ideal {kind}", made, 4.0 * TAU, _signal(rng, made, 4.0 * TAU)
    if which == 1:
        cell, op_amp = CELLS[int(rng.integers(len(CELLS)))]
        n = int(rng.integers(2, 4))
        amplitude = 4e-5 if cell != "gm_c" else 2e-5
        network = hh.Network(
            weights=rng.normal(size=(n, n)) * amplitude,
            resistance=1e4,
            capacitance=rng.uniform(0.5e-8, 2e-8, n),
            gain=hh.Tanh(gain=float(rng.uniform(1.0, 4.0))),
            initial=rng.uniform(-0.4, 0.4, n),
            bias=rng.normal(size=n) * 3e-6,
            input_weights=rng.normal(size=(n, 1)) * 3e-5 if rng.random() < 0.6 else None,
        )
        made = hh.lower(network, cell=cell, rescale=True, **({} if op_amp is None else {"op_amp": op_amp}))
        return f"{cell} {op_amp or ''}".strip(), made, 4e-4, _signal(rng, made, 4e-4)
    name, devices, end = SMALL[int(rng.integers(len(SMALL)))](rng)
    origin = Origin("x", Role.FUNCTION, (0,))
    circuit = Circuit(
        title=name,
        cell="none",
        graph_hash="",
        devices=tuple(Device(device, part, nodes, origin) for device, part, nodes in devices),
        initial={"out": float(rng.uniform(-0.3, 0.3))},
        states=(Probe("0", "out"),),
        outputs=(),
    )
    return name, circuit, end, None


Devices = list[tuple[str, Any, tuple[str, ...]]]


def _drive(rng: np.random.Generator, end: float, volts: float) -> Any:
    if rng.random() < 0.3:
        return VoltageSource(Pulse(-volts, volts, 0.13 * end, 0.02 * end, 0.21 * end, 0.5 * end))
    times = np.sort(rng.uniform(0.0, end, 4))
    return VoltageSource(tuple(zip(times.tolist(), (volts * rng.uniform(-1.0, 1.0, 4)).tolist(), strict=True)))


def _clipper(rng: np.random.Generator) -> tuple[str, Devices, float]:
    part = D1N4148 if rng.random() < 0.5 else replace(D1N4148, capacitance=1e-11)
    r, c = float(rng.uniform(500.0, 5e3)), float(rng.uniform(0.5e-7, 2e-7))
    return (
        "diode clipper",
        [
            ("V_in", _drive(rng, 2e-3, 2.0), ("in", "0")),
            ("R", Resistor(r), ("in", "out")),
            ("C", Capacitor(c), ("out", "0")),
            ("D_up", part, ("out", "0")),
            ("D_down", part, ("0", "out")),
        ],
        2e-3,
    )


def _zener(rng: np.random.Generator) -> tuple[str, Devices, float]:
    return (
        "zener clipper",
        [
            ("V_in", _drive(rng, 2e-3, 12.0), ("in", "0")),
            ("R", Resistor(float(rng.uniform(5e3, 5e4))), ("in", "out")),
            ("C", Capacitor(1e-8), ("out", "0")),
            ("D", BZX84C6V2, ("0", "out")),
        ],
        2e-3,
    )


def _follower(rng: np.random.Generator) -> tuple[str, Devices, float]:
    r, c = rng.uniform(500.0, 5e3, 2).tolist(), float(rng.uniform(0.5e-8, 5e-8))
    return (
        "transistor stage",
        [
            ("V_cc", VoltageSource(5.0), ("cc", "0")),
            ("V_in", _drive(rng, 1e-3, 1.5), ("in", "0")),
            ("R_b", Resistor(20.0 * r[0]), ("in", "base")),
            ("C_b", Capacitor(1e-10), ("base", "0")),
            ("Q", Transistor(200.0, 1e-14, 80.0), ("out", "base", "0")),
            ("R_c", Resistor(r[1]), ("cc", "out")),
            ("C", Capacitor(c), ("out", "0")),
        ],
        1e-3,
    )


def _amplifier(rng: np.random.Generator) -> tuple[str, Devices, float]:
    r = rng.uniform(1e3, 1e4, 2).tolist()
    return (
        "one-pole amplifier at its rails",
        [
            ("V_in", _drive(rng, 1e-3, 3.0), ("in", "0")),
            ("R_1", Resistor(r[0]), ("in", "sum")),
            ("R_2", Resistor(3.0 * r[1]), ("sum", "out")),
            ("C_2", Capacitor(float(rng.uniform(1e-9, 1e-8))), ("sum", "out")),
            ("X", OpAmp(OnePole(gain_bandwidth=float(rng.uniform(1e5, 3e6)))), ("0", "sum", "out")),
            ("R_load", Resistor(2e3), ("out", "0")),
        ],
        1e-3,
    )


SMALL: tuple[Callable[[np.random.Generator], tuple[str, Devices, float]], ...] = (
    _clipper,
    _zener,
    _follower,
    _amplifier,
)


def _signal(rng: np.random.Generator, circuit: Circuit, end: float) -> Any:
    if not circuit.inputs:
        return None
    times = np.concatenate(([0.0], np.sort(rng.uniform(0.0, end, 3))))
    return hh.Signal(times=times, values=rng.uniform(-0.5, 0.5, (4, len(circuit.inputs))))


def changed(circuit: Circuit, name: str, value: float) -> Circuit:
    """Return a circuit with another value of a parameter, by the name that `find_gradients` gives it."""
    owner, field = name.split(".")
    if field == "initial":
        return replace(circuit, initial={**circuit.initial, owner: value})
    part = circuit.device(owner).part
    if isinstance(part, VoltageSource):
        wave: Any = part.voltage
        if isinstance(wave, Pulse):
            wave = wave._replace(**{field: value})
        elif isinstance(wave, tuple):
            k = int(field.removeprefix("voltage[").removesuffix("]"))
            wave = tuple((t, value if j == k else v) for j, (t, v) in enumerate(wave))
        else:
            wave = value
        new: Any = replace(part, voltage=wave)
    else:
        parameter = find_parameter(part, field)
        assert parameter is not None
        new = with_values(part, {parameter: value})
    devices = tuple(d._replace(part=new) if d.name == owner else d for d in circuit.devices)
    return replace(circuit, devices=devices)


def differences(
    circuit: Circuit, name: str, nominal: float, size: float, moment: tuple[int, float], noise: float
) -> tuple[float, float]:
    """Return d(state)/d(value) x size by central differences, and how far it is known.

    Of three steps each, extrapolated; of the windows of three the one that is known best. `noise`: of a run, volts.
    """
    neuron, seconds = moment
    steps = LONGEST_STEP * 0.5 ** np.arange(STEPS) * (1.0 if nominal else 100.0) * size
    try:
        circuits = [changed(circuit, name, float(nominal + sign * step)) for step in steps for sign in (1.0, -1.0)]
    except InputError:
        return np.nan, np.inf
    groups = [circuits] if not isinstance(_part(circuit, name), VoltageSource) else [[one] for one in circuits]
    waves = np.concatenate([tight(group, seconds)[:, neuron] for group in groups]) * circuit.states[neuron].scale
    slopes = (waves[0::2] - waves[1::2]) / (2.0 * steps) * size
    first = (4.0 * slopes[1:] - slopes[:-1]) / 3.0
    best = (16.0 * first[1:] - first[:-1]) / 15.0
    known = np.maximum(np.abs(best - first[1:]), noise * size / steps[2:])
    k = int(np.argmin(known))
    return float(best[k]), float(known[k])


def _part(circuit: Circuit, name: str) -> Any:
    owner, field = name.split(".")
    return None if field == "initial" else circuit.device(owner).part


def tight(circuits: list[Circuit], seconds: float, tolerance: float = TIGHT) -> Any:
    """Return the voltages of the states at a time, (samples, neurons)."""
    grid = np.array([0.0, seconds])
    made = plan(build_system(Ensemble.of(circuits)), seconds)
    found = run(Job(made, circuits[0], grid, choose_run("numba", 1)[1], None), tolerance, 0.02 * seconds)
    if found.failures:
        raise RuntimeError(f"a tight run fails: {found.failures}")
    return found.waves[:, -1, : len(circuits[0].states)]


def compare(index: int, most: int = PARAMETERS) -> Trial:
    """Return one circuit's comparison. Values that are unusual in electronics are meant."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnusualValueWarning)
        warnings.simplefilter("ignore", NoEffectWarning)
        return _compare(index, most)


def _compare(index: int, most: int) -> Trial:
    began = time.process_time()
    kind, circuit, end, inputs = draw_circuit(index)
    rng = np.random.default_rng([SEED, index, 1])
    neuron = int(rng.integers(len(circuit.states)))
    seconds = float(rng.uniform(0.3, 1.0) * end)
    driven = circuit.driven(inputs)
    try:
        gradient = find_gradients(driven, (circuit.states[neuron].label, seconds), t_stop=end, accuracy=GOAL, workers=1)
    except (HopfieldHWError, ArithmeticError) as error:
        return Trial(index=index, kind=kind, failure=f"{type(error).__name__}: {error}")
    names = gradient["parameter"].to_numpy().tolist()
    nominal, units = gradient["nominal"].to_numpy(), gradient["unit"].to_numpy().tolist()
    usual = {"V": 1e-3, "A": 1e-9, "F": 1e-12}
    sizes = np.array([abs(value) or usual.get(unit, 1.0) for value, unit in zip(nominal, units, strict=True)])
    scaled = gradient.to_numpy() * sizes
    strongest = np.argsort(-np.abs(scaled), kind="stable")[: (most + 1) // 2].tolist()
    others = [k for k in rng.permutation(len(names)).tolist() if k not in strongest]
    chosen = [*strongest, *others[: most // 2]]
    comparisons = []
    ends = [tight([driven], seconds, tolerance)[0, neuron] for tolerance in (TIGHT, 10.0 * TIGHT)]
    noise = 0.2 * abs(ends[0] - ends[1]) * abs(driven.states[neuron].scale)
    for k in chosen:
        at = float(nominal[k]) if abs(nominal[k]) > 1e-11 * usual.get(units[k], 1.0) else 0.0
        size = float(sizes[k]) if at else usual.get(units[k], 1.0)
        found, known = differences(driven, names[k], at, size, (neuron, seconds), noise)
        own = float(gradient.to_numpy()[k]) * size
        comparisons.append(Comparison(parameter=names[k], adjoint=own, differences=found, known=known))
    return Trial(
        index=index,
        kind=kind,
        comparisons=tuple(comparisons),
        largest=float(np.max(np.abs(scaled))),
        self_check=gradient.attrs["self_check"],
        seconds=time.process_time() - began,
    )


def _trials(indices: list[int]) -> Iterator[Trial]:
    for index in indices:
        trial = compare(index)
        print(
            f"{trial.index:3} {trial.kind:34} error {trial.error():.1e} self-check {trial.self_check:.1e} "
            f"own {max(trial.own_errors(), default=np.nan):.1e} of {len(trial.own_errors())}/{len(trial.comparisons)} "
            f"unresolved {trial.unresolved()} {trial.failure} {trial.seconds:.1f} s",
            flush=True,
        )
        yield trial


def main(given: list[str]) -> int:
    """Compare the circuits, all by default, write the report, and return 0 where every one agrees."""
    trials = list(_trials([int(one) for one in given] or list(range(CIRCUITS))))
    compared = [trial for trial in trials if not trial.failure]
    wrong = [trial for trial in compared if not trial.error() <= GOAL]
    own = [error for trial in compared for error in trial.own_errors()]
    unresolved = {f"{trial.index} ({trial.kind})": trial.unresolved() for trial in compared if trial.unresolved()}
    said = {
        "circuits": len(trials),
        "failed": {trial.index: trial.failure for trial in trials if trial.failure},
        "disagree": {trial.index: trial.error() for trial in wrong},
        "worst error, of the largest sensitivity": max((trial.error() for trial in compared), default=np.nan),
        "parameters": sum(len(trial.comparisons) for trial in compared),
        "resolved of their own": len(own),
        "worst error, of its own": max(own, default=np.nan),
        "above the goal, of their own": sum(error > GOAL for error in own),
        "differences do not agree with each other": unresolved,
    }
    print(json.dumps(said, indent=1))
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps([asdict(trial) for trial in trials], indent=1) + "\n")
    return 0 if compared and not wrong and len(compared) == len(trials) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
