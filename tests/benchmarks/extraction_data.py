"""A benchmark of reading circuits back: networks, their decks in several styles, faulty decks, and waveforms.

`extraction_data.py FOLDER [CASES] [SEED]` writes it, byte for byte the same each time; see `index.json` in the folder.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import hopfield_hw as hh
from hopfield_hw.values.arrays import Array

sys.path.append(str(Path(__file__).resolve().parent.parent))
from extraction.planted import KINDS, NoPlaceError, draw_network, draw_weights, plant

VERSION = 1
SEED, CASES = 1986, 120
LEAST, MOST = 2, 8
STARTS, POINTS, LENGTH, NOISE = 4, 201, 6.0, 0.01
ACCURACY = 1e-6
SUPPLY = 10.0
DIGITS = 4
LICENCE = """\
CC0-1.0. To the extent possible under law, the authors have waived all copyright and related or neighbouring rights to \
this data set: Creative Commons CC0 1.0 Universal, https://creativecommons.org/publicdomain/zero/1.0/legalcode"""
ABOUT = """\
Each folder is one case. case.json: the network C_i dx_i/dt = -x_i/R_i + sum_j T_ij g_j(x_j) + I_i (T in siemens, to i \
from j; R ohms, C farads, I amperes; g_j(x) = a_j tanh(b_j x / a_j), b the gain, a the amplitude in volts), what node \
voltage is which state, and the fault: its kind, the devices and nodes, and values before and after. good.cir: a deck \
of the network. faulty.cir: the same with the fault. waves.csv, noisy.csv: states from four starts, without noise, and \
with normal noise of 1% of the range of each state. The task: from a deck alone the network; from faulty.cir and the \
network the fault; from the waveforms and good.cir, or alone, the network."""


class Drawn(NamedTuple):
    """A network, a deck of it, and by state the voltage that it is."""

    network: hh.Network
    deck: str
    states: tuple[str, ...]


def by_cell(cell: str) -> Callable[[int, np.random.Generator], Drawn]:
    """Return what draws a network as a netlist of a cell."""

    def make(n: int, rng: np.random.Generator) -> Drawn:
        network = draw_network(n, rng, is_passive=cell == "hopfield_tank")
        circuit = hh.lower(network, cell=cell)
        states = tuple(f"{'-' if probe.scale < 0.0 else ''}v({probe.node})" for probe in circuit.states)
        return Drawn(network, circuit.netlist("ngspice"), states)

    return make


class Values(NamedTuple):
    """Parts of a board by hand: resistors of synapses (0 where none), leaks, biases (0 where none), farads, gains."""

    synapses: Array
    leaks: Array
    biases: Array
    farads: Array
    gain: Array
    amplitude: Array

    def network(self) -> hh.Network:
        """Return the network of passive nodes, which all resistors load."""
        given = self.synapses != 0.0
        conductances = np.where(given, 1.0 / np.where(given, self.synapses, 1.0), 0.0)
        pulls = np.where(self.biases != 0.0, 1.0 / np.where(self.biases != 0.0, self.biases, 1.0), 0.0)
        loads = np.sum(np.abs(conductances), axis=1) + np.abs(pulls) + 1.0 / self.leaks
        return hh.Network(
            weights=conductances,
            resistance=1.0 / loads,
            capacitance=self.farads,
            gain=hh.Tanh(gain=self.gain, amplitude=self.amplitude),
            bias=SUPPLY * pulls,
        )


def rounded(values: Array) -> Array:
    """Return values with four digits, as they are written."""
    return np.array([float(f"{each:.{DIGITS}g}") for each in np.ravel(values)]).reshape(np.shape(values))


def draw_values(n: int, rng: np.random.Generator) -> Values:
    weights = draw_weights(n, rng)
    there = weights != 0.0
    return Values(
        synapses=rounded(np.where(there, 1.0 / np.where(there, weights, 1.0), 0.0)),
        leaks=rounded(rng.uniform(15e3, 30e3, n)),
        biases=rounded(rng.choice([-1.0, 0.0, 1.0], n) * rng.uniform(150e3, 400e3, n)),
        farads=rounded(rng.uniform(80e-9, 150e-9, n)),
        gain=rounded(rng.uniform(4.0, 8.0, n)),
        amplitude=rounded(rng.uniform(2.0, 6.0, n)),
    )


def _resistors(values: Values, upper: bool) -> list[str]:
    lines = []
    for (i, j), ohms in np.ndenumerate(values.synapses):
        if ohms:
            lines.append(f"RT_{i}_{j} {'out' if ohms > 0.0 else 'nout'}{j} in{i} {abs(ohms) / 1e3:.{DIGITS}g}k")
    for i, ohms in enumerate(values.biases):
        if ohms:
            lines.append(f"RB_{i} {'vp' if ohms > 0.0 else 'vn'} in{i} {abs(ohms) / 1e3:.{DIGITS}g}k")
    return [line.upper() for line in lines] if upper else lines


def by_hand(n: int, rng: np.random.Generator) -> Drawn:
    """Return passive nodes in upper case, with a section of each kind of part."""
    values = draw_values(n, rng)
    lines = ["BOARD OF PASSIVE NODES", f"VCC VP 0 DC {SUPPLY:g}", f"VEE VN 0 DC -{SUPPLY:g}", "* SYNAPSES"]
    lines += [*_resistors(values, upper=True), "* NEURONS"]
    for i in range(n):
        gain, amplitude = float(values.gain[i]), float(values.amplitude[i])
        lines += [
            f"C{i} IN{i} 0 {values.farads[i] * 1e9:.{DIGITS}g}N",
            f"RL{i} IN{i} 0 {values.leaks[i] / 1e3:.{DIGITS}g}K",
            f"B{i} OUT{i} 0 V={amplitude!r}*TANH({gain!r}*V(IN{i})/{amplitude!r})",
            f"E{i} NOUT{i} 0 OUT{i} 0 -1",
        ]
    return Drawn(values.network(), "\n".join([*lines, ".END"]) + "\n", tuple(f"v(in{i})" for i in range(n)))


def by_subcircuits(n: int, rng: np.random.Generator) -> Drawn:
    """Return passive nodes with amplifiers as subcircuits that have parameters."""
    values = draw_values(n, rng)
    lines = [
        "board of subcircuits",
        ".subckt amplifier in out nout gain=1 top=1",
        "Bp out 0 V={top*tanh(gain*v(in)/top)}",
        "En nout 0 0 out 1",
        ".ends",
        f".param supply={SUPPLY:g}",
        "Vp vp 0 {supply}",
        "Vn vn 0 {-supply}",
    ]
    for i in range(n):
        lines += [
            f"X{i} in{i} out{i} nout{i} amplifier gain={float(values.gain[i])!r} top={float(values.amplitude[i])!r}",
            f"C{i} in{i} 0 {float(values.farads[i])!r}",
            f"RL{i} in{i} 0 {float(values.leaks[i])!r}",
        ]
    lines += _resistors(values, upper=False)
    return Drawn(values.network(), "\n".join([*lines, ".end"]) + "\n", tuple(f"v(in{i})" for i in range(n)))


STYLES: Mapping[str, Callable[[int, np.random.Generator], Drawn]] = {
    "netlist, hopfield_tank": by_cell("hopfield_tank"),
    "by hand, upper case": by_hand,
    "netlist, inverting_integrator": by_cell("inverting_integrator"),
    "subcircuits with parameters": by_subcircuits,
    "netlist, summing_amplifier": by_cell("summing_amplifier"),
}


def draw_case(index: int, seed: int) -> tuple[dict[str, Any], dict[str, str]]:
    """Return what is said of a case, and its other files as text by name."""
    style = tuple(STYLES)[index % len(STYLES)]
    for attempt in range(100):
        rng = np.random.default_rng([seed, index, attempt])
        # Every style gets every kind in turn; one that it has no place for is replaced by the next.
        kind = KINDS[(index // len(STYLES) + attempt) % len(KINDS)]
        drawn = STYLES[style](int(rng.integers(LEAST, MOST + 1)), rng)
        try:
            faulty, fault = plant(drawn.deck, kind, rng)
            break
        except NoPlaceError:
            continue
    else:
        raise AssertionError(f"case {index}: no place for a fault")
    network = drawn.network
    n = len(drawn.states)
    gain = {name: np.broadcast_to(value, n).tolist() for name, value in network.gain.params().items()}
    about = {
        "case": index,
        "seed": [seed, index, attempt],
        "style": style,
        "neurons": n,
        "network": {
            "T": network.weights.tolist(),
            "R": network.resistance.tolist(),
            "C": network.capacitance.tolist(),
            "I": network.bias.tolist(),
            "gain": {"family": network.gain.kind, **gain},
        },
        "states": list(drawn.states),
        "fault": asdict(fault),
    }
    waves, noisy = _waveforms(network, rng)
    return about, {"good.cir": drawn.deck, "faulty.cir": faulty, "waves.csv": waves, "noisy.csv": noisy}


def _waveforms(network: hh.Network, rng: np.random.Generator) -> tuple[str, str]:
    n = len(network.resistance)
    starts = rng.uniform(-1.0, 1.0, (STARTS, n))
    t_stop = LENGTH * float(np.max(network.resistance * network.capacitance))
    found = hh.reference_batch(network, initial=starts, t_stop=t_stop, points=POINTS, accuracy=ACCURACY)
    times, states = found["time"].to_numpy(), found["state"].to_numpy()
    noise = rng.normal(size=states.shape) * NOISE * np.ptp(states, axis=1, keepdims=True)
    return _table(times, states), _table(times, states + noise)


def _table(times: Array, states: Array) -> str:
    """Return states, (starts, times, n), as CSV: start, seconds, volts of each state."""
    lines = [",".join(["start", "time", *(f"x{k}" for k in range(states.shape[2]))])]
    for start, waves in enumerate(states):
        for t, row in zip(np.broadcast_to(times, states.shape[1:2]), waves, strict=True):
            lines.append(",".join([str(start), f"{t:.7g}", *(f"{x:.7g}" for x in row)]))
    return "\n".join(lines) + "\n"


def write(folder: Path, cases: int = CASES, seed: int = SEED) -> dict[str, Any]:
    """Write the benchmark into a folder, and return its index."""
    kinds: Counter[str] = Counter()
    styles: Counter[str] = Counter()
    names = []
    for index in range(cases):
        about, files = draw_case(index, seed)
        name = f"case_{index:04d}"
        place = folder / name
        place.mkdir(parents=True, exist_ok=True)
        for file, text in files.items():
            (place / file).write_text(text, encoding="utf-8", newline="\n")
        _write_json(place / "case.json", about)
        names.append(name)
        kinds[about["fault"]["kind"]] += 1
        styles[about["style"]] += 1
    contents = {
        "name": "hopfield_hw extraction",
        "version": VERSION,
        "about": ABOUT,
        "licence": LICENCE,
        "seed": seed,
        "counts": {
            "cases": cases,
            "decks": 2 * cases,
            "waveforms": 2 * STARTS * cases,
            "faults": dict(sorted(kinds.items())),
            "styles": dict(sorted(styles.items())),
        },
        "cases": names,
    }
    _write_json(folder / "index.json", contents)
    return contents


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8", newline="\n")


def main(folder: str, *numbers: str) -> int:
    """Write the benchmark and print what is in it."""
    index = write(Path(folder), *map(int, numbers))
    print(json.dumps(index["counts"], indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]) if len(sys.argv) > 1 else __doc__)
