"""The long proof of fixed point, part of `make verify-full`: a million outputs, in three forms, bit for bit."""

from __future__ import annotations

import json
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from oracles.fixed import Oracle

from hopfield_hw.digital import GRU, LSTM, RNN
from hopfield_hw.engines.fixed import FixedMachine
from hopfield_hw.engines.icarus import simulate_verilog
from hopfield_hw.fixedpoint import QFormat
from hopfield_hw.lower.integer import FixedPoint, lower_to_integers

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


def main() -> int:
    """Run all cells, print what was found, write the report, and return 0 where no output differs."""
    with ProcessPoolExecutor() as pool:
        reports = list(pool.map(differing, CASES))
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
