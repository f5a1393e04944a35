"""How fast a dense network becomes text, and how much memory that takes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from measuring import interleaved, row

import hopfield_hw as hh


def dense_network(n: int) -> hh.Network:
    """Return a dense network of n neurons."""
    weights = np.random.default_rng(n).normal(size=(n, n)) * 1e-4 / np.sqrt(n)
    return hh.Network(weights=weights, resistance=1e4, capacitance=1e-7, gain=hh.Tanh(gain=5.0))


def netlist_text(n: int = 200) -> Iterable[dict[str, Any]]:
    """Time the text of a dense circuit against a plain loop of f-strings, and against PySpice."""
    network = dense_network(n)
    circuit = hh.lower(network.graph(), cell="ideal")
    weights = network.weights.tolist()

    def loop() -> str:
        lines = []
        for i in range(n):
            lines.append(f"C_x_{i} x_{i} 0 {1e-7!r}")
            lines.append(f"R_x_{i} x_{i} 0 {1e4!r}")
            lines.append(f"B_v_{i} v_{i} 0 V=tanh(5.0*v(x_{i}))")
        for i in range(n):
            for j in range(n):
                lines.append(f"G_syn_{i}_{j} 0 x_{i} v_{j} 0 {weights[i][j]!r}")
        return "\n".join(lines) + "\n"

    def pyspice() -> str:
        from PySpice.Spice.Netlist import Circuit

        made = Circuit("dense")
        for i in range(n):
            made.C(f"x_{i}", f"x_{i}", made.gnd, 1e-7)
            made.R(f"x_{i}", f"x_{i}", made.gnd, 1e4)
            made.BehavioralSource(f"v_{i}", f"v_{i}", made.gnd, voltage_expression=f"tanh(5.0*v(x_{i}))")
        for i in range(n):
            for j in range(n):
                made.VCCS(f"syn_{i}_{j}", made.gnd, f"x_{i}", f"v_{j}", made.gnd, transconductance=weights[i][j])
        return str(made)

    medians = interleaved({"ours": circuit.netlist, "loop": loop, "pyspice": pyspice}, rounds=3)
    about = f"netlist text, N = {n} dense"
    yield row(f"{about}, against a loop of f-strings", medians["ours"] / medians["loop"], 2.0, "lower")
    yield row(f"{about}, PySpice against ours", medians["pyspice"] / medians["ours"], 4.0, "higher")


def compile_memory(n: int = 500) -> Iterable[dict[str, Any]]:
    """Measure the peak memory of a process that compiles a dense network to text."""
    code = (
        "import resource\nfrom circuit_text import dense_network\nimport hopfield_hw as hh\n"
        f"text = hh.lower(dense_network({n}).graph()).netlist()\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([os.getcwd(), str(Path(__file__).parent)])}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    yield row(f"peak memory of compiling N = {n} dense", float(done.stdout), 1.0, "lower", unit="GiB")
