"""The long proof of fixed point, part of `make verify-full`: a million outputs, in three forms, bit for bit."""

from __future__ import annotations

import json
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from oracles.fixed import Oracle
from random_maps import random_map

from hopfield_hw.integers.fixed_point import QFormat
from hopfield_hw.integers.icarus import simulate_verilog
from hopfield_hw.integers.lowering import FixedPoint, lower_to_integers
from hopfield_hw.integers.machine import FixedMachine
from hopfield_hw.recurrent import GRU, LSTM, RNN

SIZE, STEPS = 8, 42_000  # three cells of 8 outputs: 1,008,000
REPORT = Path("build/verify_fixed.json")
CASES: dict[str, tuple[Any, FixedPoint]] = {
    "LSTM": (
        LSTM,
        FixedPoint(signals=QFormat(word=16, fraction=12), weights=QFormat(word=12, fraction=9)),
    ),
    "GRU": (
        GRU,
        FixedPoint(
            signals=QFormat(word=10, fraction=7, rounding="floor", overflow="wrap"),
            weights=QFormat(word=8, fraction=5),
            activations=QFormat(word=12, fraction=10, rounding="nearest_up"),
            address_bits=6,
            index="nearest",
        ),
    ),
    "RNN": (
        RNN,
        FixedPoint(
            signals=QFormat(word=12, fraction=9, rounding="toward_zero"),
            weights=QFormat(word=10, fraction=7, rounding="nearest_up"),
            address_bits=8,
            index="floor",
        ),
    ),
}
MAP_FORMATS = (
    FixedPoint(signals=QFormat(word=12, fraction=8), weights=QFormat(word=8, fraction=5), address_bits=6),
    FixedPoint(
        signals=QFormat(word=9, fraction=6, rounding="floor", overflow="wrap"),
        weights=QFormat(word=8, fraction=4, rounding="toward_zero"),
        activations=QFormat(word=11, fraction=9, rounding="nearest_up"),
        address_bits=5,
        index="nearest",
    ),
)


def differing(name: str) -> dict[str, Any]:
    """Run one cell in all three forms; return how many outputs differ from the vectorised ones."""
    kind, formats = CASES[name]
    rng = np.random.default_rng([2026, len(name)])
    rows = len(kind.gates) * SIZE
    arrays = (0.7 * rng.normal(size=shape) for shape in ((rows, 2), (rows, SIZE), 2 * rows))
    w, r, b = arrays
    graph = kind(input_weights=w, recurrent_weights=r, bias=b).graph()
    program = lower_to_integers(graph, formats)
    x = rng.integers(formats.signals.lowest // 2, formats.signals.highest // 2, size=(STEPS, 2))
    machine, oracle = FixedMachine(program), Oracle(graph, formats)
    registers = {hold: raw[np.newaxis] for hold, raw in program.initial.items()}
    found, plain = [], []
    for u in x:
        registers, outputs = machine.step_raw({**registers, "x": u[np.newaxis]})
        found.append(outputs["y"][0])
        plain.append(oracle.step({"x": u.tolist()})["y"])
    vectorised = np.array(found)
    verilog = simulate_verilog(program, {"x": x}, stalls=True, timeout=3600.0)["y"]
    return {
        "cell": name,
        "outputs": int(vectorised.size),
        "distinct": int(np.unique(vectorised).size),
        "plain integers differ": int(np.count_nonzero(np.array(plain) != vectorised)),
        "Verilog differs": int(np.count_nonzero(verilog != vectorised)),
    }


def differing_maps(count: int = 60, steps: int = 300) -> dict[str, Any]:
    """Run random maps of every operator, signs and converters among them, in all three forms."""
    outputs, plain_wrong, verilog_wrong = 0, 0, 0
    for seed in range(count):
        rng = np.random.default_rng([2026, seed])
        graph, formats = random_map(rng, jumps=True), MAP_FORMATS[seed % len(MAP_FORMATS)]
        program = lower_to_integers(graph, formats)
        low, high = formats.signals.lowest, formats.signals.highest
        x = {step.name: rng.integers(low, high, size=(steps, step.size)) for step in program.of_kind("input")}
        verilog = simulate_verilog(program, x, stalls=seed % 2 == 0, timeout=3600.0)
        machine, oracle = FixedMachine(program), Oracle(graph, formats)
        registers = {hold: raw[np.newaxis] for hold, raw in program.initial.items()}
        for k in range(steps):
            registers, found = machine.step_raw({**registers, **{name: raw[k : k + 1] for name, raw in x.items()}})
            plain = oracle.step({name: raw[k].tolist() for name, raw in x.items()})
            for name, raw in found.items():
                outputs += int(raw.size)
                plain_wrong += int(np.count_nonzero(np.array(plain[name]) != raw[0]))
                verilog_wrong += int(np.count_nonzero(verilog[name][k] != raw[0]))
    return {
        "cell": f"{count} random maps",
        "outputs": outputs,
        "plain integers differ": plain_wrong,
        "Verilog differs": verilog_wrong,
    }


def main() -> int:
    """Run all cells, print what was found, write the report, and return 0 where no output differs."""
    with ProcessPoolExecutor() as pool:
        maps = pool.submit(differing_maps)
        reports = [*pool.map(differing, CASES), maps.result()]
    for report in reports:
        print(", ".join(f"{what} {value}" for what, value in report.items()))
    total = sum(report["outputs"] for report in reports)
    wrong = sum(report["plain integers differ"] + report["Verilog differs"] for report in reports)
    print(f"fixed point: {total} outputs in three forms, {wrong} differ")
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps(reports, indent=1) + "\n")
    return 0 if wrong == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
