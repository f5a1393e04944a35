"""Benchmarks: ratios and counts taken side by side in one run, written to build/bench.json. `make bench`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp

import hopfield_hw as hh
from hopfield_hw.reference import Program
from hopfield_hw.reference.batch_solver import integrate

REPORT = Path("build/bench.json")
COMMAND = "make bench"
ROUNDS = 9


def main() -> int:
    """Run every benchmark, print the values beside their goals, and write the report."""
    rows: list[dict[str, Any]] = [*netlist_text(), *batched_ode(), *compile_memory()]
    for row in rows:
        met = row["value"] <= row["goal"] if row["better"] == "lower" else row["value"] >= row["goal"]
        print(f"{'ok  ' if met else 'MISS'} {row['name']}: {row['value']:.3g} {row['unit']} (goal {row['goal']:g})")
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps(rows, indent=1) + "\n")
    return 0


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


def batched_ode(n: int = 128, batch: int = 512, t_stop: float = 20.0) -> Iterable[dict[str, Any]]:
    """Time many initial states in one call against the floor, a loop of solve_ivp, and one stacked solve_ivp."""
    rng = np.random.default_rng(0)
    weights, bias = rng.normal(size=(n, n)) * 1.8 / np.sqrt(n), rng.normal(size=n) * 0.5
    start = rng.normal(size=(batch, n))
    units = {"volts": 1.0, "siemens": 1.0, "seconds": 1.0}
    program = Program([hh.Network.dimensionless(weights, gain=hh.Tanh(), bias=bias, **units).graph()])
    times = np.linspace(0.0, t_stop, 5)
    tolerances = {"rtol": 1e-6, "atol": 1e-8}
    transposed = np.ascontiguousarray(weights.T)
    calls: list[int] = []

    def counted(t: Any, x: Any, rows: Any, out: Any) -> None:
        calls.append(len(x))
        program.batch_rhs(t, x, rows, out)

    middle = 0.5 * (integrate(counted, start, times, **tolerances).states[:, -1] + start)

    def floor() -> None:
        for rows in calls:
            np.tanh(middle[:rows]) @ transposed

    def stacked(method: Any) -> None:
        def rhs(_: float, y: Any) -> Any:
            x = y.reshape(batch, n)
            return (np.tanh(x) @ transposed + bias - x).reshape(-1)

        solve_ivp(rhs, (0.0, t_stop), start.reshape(-1), method=method, t_eval=times, **tolerances)

    def loop(count: int = 32) -> None:
        for k in range(count):
            solve_ivp(
                lambda _, x: weights @ np.tanh(x) + bias - x,
                (0.0, t_stop),
                start[k],
                method="DOP853",
                t_eval=times,
                **tolerances,
            )

    medians = interleaved(
        {
            "ours": lambda: integrate(program.batch_rhs, start, times, **tolerances),
            "floor": floor,
            "stacked": lambda: stacked("DOP853"),
            "stacked RK45": lambda: stacked("RK45"),
            "loop": loop,
        },
        rounds=ROUNDS,
    )
    ours = medians["ours"]
    about = f"batched ODE, N = {n}, {batch} states, rtol 1e-6"
    yield row(f"{about}, against its own products and tanh", ours / medians["floor"], 1.8, "lower")
    yield row(f"{about}, solve_ivp per state against ours", medians["loop"] * batch / 32 / ours, 4.0, "higher")
    yield row(f"{about}, one stacked solve_ivp (DOP853) against ours", medians["stacked"] / ours, 1.3, "higher")
    yield row(f"{about}, one stacked solve_ivp (RK45) against ours", medians["stacked RK45"] / ours, 1.3, "higher")


def compile_memory(n: int = 500) -> Iterable[dict[str, Any]]:
    """Measure the peak memory of a process that compiles a dense network to text."""
    code = (
        "import resource\nfrom tests.benchmarks.run import dense_network\nimport hopfield_hw as hh\n"
        f"text = hh.lower(dense_network({n}).graph()).netlist()\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2)"
    )
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    yield row(f"peak memory of compiling N = {n} dense", float(done.stdout), 1.0, "lower", unit="GiB")


def interleaved(tasks: dict[str, Callable[[], object]], *, rounds: int) -> dict[str, float]:
    """Return the median seconds of each task, taken in turns, so that a busy machine slows all of them."""
    seconds: dict[str, list[float]] = {name: [] for name in tasks}
    for _ in range(rounds):
        for name, task in tasks.items():
            start = time.perf_counter()
            task()
            seconds[name].append(time.perf_counter() - start)
    return {name: float(np.median(taken)) for name, taken in seconds.items()}


def row(name: str, value: float, goal: float, better: str, *, unit: str = "ratio") -> dict[str, Any]:
    """Return one line of the report."""
    against = f"at most {goal:g}" if better == "lower" else f"at least {goal:g}"
    fields = {"name": name, "value": value, "goal": goal, "better": better, "unit": unit}
    return {**fields, "against": against, "command": COMMAND}


if __name__ == "__main__":
    sys.exit(main())
