"""A part of the long proof: the ensemble engine against ngspice, on all designs, test benches and many random circuits.

`verify_ensemble.py [designs|benches|random] [first] [count]` runs one part, or some of its circuits.

Both run at an accuracy of 1e-4, ngspice somewhat tighter. Where they differ by more, tight runs of both say which one
is off: where these agree, and ours agrees with them, it is ngspice's run. A circuit where both are off their tight runs
amplifies what steps leave, so that no two engines can agree; it is counted. Nothing is left out unnamed.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from random_graphs import KINDS, random_graph

import hopfield_hw as hh
from hopfield_hw.benches.bench import OUT
from hopfield_hw.benches.inputs import (
    common_mode_circuit,
    currents_circuit,
    follower_circuit,
    impedance_circuit,
    offset_circuit,
)
from hopfield_hw.benches.open_loop import open_loop_circuit
from hopfield_hw.benches.output import short_circuit, supply_circuit, swing_circuit
from hopfield_hw.benches.steps import recovery_circuit, slew_circuit
from hopfield_hw.cells.table import CELLS
from hopfield_hw.circuit import Circuit, Probe
from hopfield_hw.designs.shipped import shipped_designs
from hopfield_hw.families import FAMILIES
from hopfield_hw.graph import Graph, Hold, Input, as_graph
from hopfield_hw.lowering import lower
from hopfield_hw.parts.data_sheet import shipped_sheets
from hopfield_hw.simulation import simulate
from hopfield_hw.transforms import in_si
from hopfield_hw.values.errors import HopfieldHWError, InputError, SimulatorError, Unrealisable
from hopfield_hw.verification.random_set import draw, time_constant

SEED, RANDOM = 1992, 300
ACCURACY, THEIRS, TIGHT, LIMIT = 1e-4, 3e-5, 2e-6, 1e-4
TIMEOUT = 60.0  # seconds, of a run of ngspice
LEAST = 1e-3  # of the largest voltage
PERIODS, LENGTH = 20, 20.0  # of a run, in periods and in time constants
POINTS = 501
OF_OP_AMPS = tuple(name for name in CELLS if name != "ideal")


class Case(NamedTuple):
    """A circuit, or why there is none, and how to run it."""

    name: str
    circuit: Circuit | str
    how: dict[str, Any]


class Found(NamedTuple):
    """What a comparison found. `verdict`: "agrees", "ngspice is off", "amplifies", "not compared" or "FAILED"."""

    verdict: str
    error: float = float("nan")
    why: str = ""


def compare(case: Case) -> Found:
    """Run both engines, and say how far apart they are, NRMSE of states and outputs."""
    circuit = case.circuit
    if isinstance(circuit, str):
        return Found("not compared", why=circuit)
    try:
        ours = run(circuit, "ensemble", ACCURACY, case.how)
    except Unrealisable as error:
        return Found("not compared", why=str(error))
    except HopfieldHWError as error:
        return Found("FAILED", why=f"{type(error).__name__}: {error}")
    try:
        theirs = run(circuit, "ngspice", THEIRS, case.how)
    except (SimulatorError, Unrealisable) as error:
        return Found("not compared", why=f"ngspice: {error}")
    off = apart(theirs, ours)
    if off <= LIMIT:
        return Found("agrees", off)
    try:
        tight, their_tight = (run(circuit, engine, TIGHT, case.how) for engine in ("ensemble", "ngspice"))
    except HopfieldHWError as error:
        return Found("FAILED", off, f"no tight run: {error}")
    own, their_own, both = apart(tight, ours), apart(their_tight, theirs), apart(their_tight, tight)
    said = f"ours is {own:.1e} from its tight run, ngspice {their_own:.1e}, tight runs are {both:.1e} apart"
    if own > LIMIT and their_own > LIMIT:
        return Found("amplifies", off, said)
    return Found("ngspice is off" if own <= LIMIT and both <= LIMIT else "FAILED", off, said)


def run(circuit: Circuit, engine: Any, accuracy: float, how: dict[str, Any]) -> list[Any]:
    """Return states and outputs of a run, without the start, which is none of a circuit that is read at once."""
    own = {"timeout": TIMEOUT} if engine == "ngspice" else {"workers": 1}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = simulate(circuit, engine=engine, accuracy=accuracy, **how, **own)
    return [found[what].to_numpy()[1:] for what in ("state", "output") if found[what].size]


def apart(theirs: Sequence[Any], ours: Sequence[Any]) -> float:
    """Return the largest NRMSE; what moves by less than a thousandth of the largest voltage is measured by that."""
    worst = 0.0
    for one, other in zip(theirs, ours, strict=True):
        ranges = np.ptp(one, axis=0)
        size = np.maximum(ranges, LEAST * np.max(np.abs(one)))
        off = np.sqrt(np.mean((one - other) ** 2, axis=0)) / np.where(size > 0.0, size, 1.0)
        worst = max(worst, float(np.max(off)))
    return worst


def designs() -> Iterator[Case]:
    """Yield every design in every cell; those that a cell does not build say so."""
    for name in shipped_designs():
        design = hh.load_design(name)
        how = {"t_stop": design.t_stop, "inputs": design.inputs}
        for cell in CELLS:
            yield Case(f"{name} in {cell}", _build(as_graph(design.network), cell), _read(design.network, how))


def benches() -> Iterator[Case]:
    """Yield every test bench of every op-amp with a data sheet, from 0 V to where it rests, or through its steps."""
    for name, sheet in shipped_sheets().items():
        model = sheet.model()
        settle = 40.0 / model.slew_rate + 30.0 / (2.0 * np.pi * model.gain_bandwidth)
        length = 10.0 / model.slew_rate + 10.0 / (2.0 * np.pi * model.gain_bandwidth)
        made = {
            "offset": offset_circuit(model),
            "input currents": currents_circuit(model),
            "impedance": impedance_circuit(model, common=False),
            "common impedance": impedance_circuit(model, common=True),
            "common mode": common_mode_circuit(model),
            "follower": follower_circuit(model),
            "open loop": open_loop_circuit(model),
            "swing": swing_circuit(model),
            "lower swing": swing_circuit(model, upward=False),
            "short circuit": short_circuit(model),
            "supply": supply_circuit(model),
            "slew rate": slew_circuit(model, length=length),
            "recovery": recovery_circuit(model, length=length),
        }
        for what, circuit in made.items():
            stop = 8.0 * length if what in ("slew rate", "recovery") else settle
            probed = replace(circuit, states=(Probe("out", OUT),))
            yield Case(f"{name}, {what}", probed, {"t_stop": stop, "points": POINTS})


def random_circuits() -> Iterator[Case]:
    """Yield random circuits, by turns of a family in the ideal cell, one in op-amps, and a graph of any operators."""
    families, kinds = tuple(FAMILIES), tuple(KINDS)
    for k in range(RANDOM):
        rng = np.random.default_rng([SEED, k])
        if k % 3 == 2:
            kind = kinds[(k // 3) % len(kinds)]
            graph = random_graph(rng, kind)
        else:
            kind = families[(k // 3) % len(families)]
            graph = as_graph(draw(SEED, k, kind))
        cells = ("ideal",) if k % 3 == 0 else (*np.roll(OF_OP_AMPS, -(k // 3)).tolist(), "ideal")
        how: dict[str, Any] = {}
        inputs = sum(one.output_size for one in graph.of_type(Input))
        if inputs:
            how["inputs"] = rng.uniform(-0.5, 0.5, inputs)
        holds = in_si(graph).of_type(Hold)
        how["t_stop"] = PERIODS * holds[0].clock.period if holds else LENGTH * time_constant(graph)
        for cell in cells:
            circuit = _build(graph, cell)
            if not isinstance(circuit, str):
                break
        yield Case(f"{k} {kind} in {cell}", circuit, _read(graph, how))


def _read(network: Any, how: dict[str, Any]) -> dict[str, Any]:
    """Return how to run a network: a map is read once a period, everything else on a grid."""
    return how if as_graph(network).of_type(Hold) else {**how, "points": POINTS}


def _build(graph: Graph, cell: str) -> Circuit | str:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of values that electronics is not built of
            return lower(graph, cell=cell, rescale=True)
    except (Unrealisable, InputError) as error:
        return f"the cell does not build it: {error}"


PARTS = {"designs": designs, "benches": benches, "random": random_circuits}


def main() -> int:
    """Print what was found, a line each for what does not agree; return 1 where something failed or nothing agreed."""
    chosen = sys.argv[1:2] or list(PARTS)
    first, count = (int(sys.argv[2]) if len(sys.argv) > 2 else 0), int(sys.argv[3]) if len(sys.argv) > 3 else None
    failed = False
    for name in chosen:
        begin, counts, errors = time.process_time(), Counter[str](), []
        for k, case in enumerate(PARTS[name]()):
            if k < first or (count is not None and k >= first + count):
                continue
            found = compare(case)
            unbuilt = isinstance(case.circuit, str)
            counts["not built" if unbuilt else found.verdict] += 1
            if found.verdict == "agrees":
                errors.append(found.error)
            elif not unbuilt:
                print(f"  {name} {case.name}: {found.verdict}, {found.error:.1e}; {found.why:.300}", flush=True)
        failed |= bool(counts["FAILED"]) or not errors
        spread = f"NRMSE worst {max(errors):.1e}, median {np.median(errors):.1e}" if errors else "nothing agreed"
        said = ", ".join(f"{verdict} {number}" for verdict, number in sorted(counts.items()))
        print(f"{name}: {said}; {spread}; {time.process_time() - begin:.0f} s of this process", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
