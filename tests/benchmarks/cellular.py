"""How fast cells on a grid and sparse networks are solved, and how ngspice grows with the cells."""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from measuring import interleaved, row
from scipy.integrate import solve_ivp
from scipy.ndimage import convolve
from threadpoolctl import threadpool_limits

import hopfield_hw as hh
from hopfield_hw.equations import OdeProgram
from hopfield_hw.equations.runge_kutta import integrate
from hopfield_hw.equations.tableau import FIFTH
from hopfield_hw.families import TEMPLATES, CellularNetwork
from hopfield_hw.spice.dialects.ngspice import format_transient
from hopfield_hw.spice.ngspice import find
from hopfield_hw.spice.options import Settings
from hopfield_hw.spice.transient import circuit_deck
from hopfield_hw.values.signals import Signal

SIDES = (8, 16, 32)


def cells_on_a_grid(side: int = 256, constants: float = 10.0) -> Iterable[dict[str, Any]]:
    """Time RK45 on an image against solve_ivp over SciPy's convolution, with B u computed once: the same tolerance."""
    rng = np.random.default_rng(0)
    grey = rng.uniform(-1.0, 1.0, (side, side))
    images = {"diffusion": grey, "hole_filling": np.where(convolve(grey, np.ones((5, 5))) > 0.0, 1.0, -1.0)}
    for name, image in images.items():
        network = CellularNetwork(template=TEMPLATES[name], image=image, resistance=1.0, capacitance=1.0)
        template = network.template
        signal = None if network.inputs is None else Signal(times=[0.0], values=[network.inputs])
        program = OdeProgram([network.graph()], signal)
        outside: dict[str, Any] = {
            "mode": "wrap" if template.boundary == "periodic" else "constant",
            "cval": template.edge,
        }
        turned = template.feedback[::-1, ::-1]
        control = np.zeros((1, 1)) if template.control is None else template.control[::-1, ::-1]
        driven = convolve(image, control, **outside) + template.bias
        times = np.linspace(0.0, constants, 5)
        tolerances = {"rtol": 1e-6, "atol": 1e-6}

        def rhs(_: float, x: Any, turned: Any = turned, driven: Any = driven, outside: Any = outside) -> Any:
            grid = x.reshape(side, side)
            return (convolve(np.clip(grid, -1.0, 1.0), turned, **outside) + driven - grid).reshape(-1)

        def scipy(
            start: Any = program.initial, rhs: Any = rhs, times: Any = times, tolerances: Any = tolerances
        ) -> None:
            with threadpool_limits(limits=1, user_api="blas"):
                solve_ivp(rhs, (0.0, constants), start, method="RK45", t_eval=times, **tolerances)

        def ours(compiled: bool, program: Any = program, times: Any = times, tolerances: Any = tolerances) -> None:
            fused = program.fused if compiled else None
            options = {"tableau": FIFTH, "fused": fused, **tolerances}
            integrate(program.batch_rhs, program.initial[np.newaxis], times, **options)

        tasks = {"scipy": scipy, "ours": lambda: ours(True), "numpy": lambda: ours(False)}
        ours(True)  # compiles, or loads what was compiled
        medians = interleaved(tasks, rounds=3)
        about = f"{name.replace('_', ' ')} on {side} x {side}, RK45, rtol 1e-6, solve_ivp over convolve against ours"
        yield row(about, medians["scipy"] / medians["ours"], 3.0, "higher")
        yield row(f"{about} without Numba", medians["scipy"] / medians["numpy"], 1.2, "higher")


SPARSE = """
import resource, time
import numpy as np, scipy.sparse as sp
import hopfield_hw as hh
from hopfield_hw.equations import OdeProgram

n, rng = 10**5, np.random.default_rng(0)
entries = (rng.normal(size=10 * n) * 3e-5, (np.repeat(np.arange(n), 10), rng.integers(0, n, 10 * n)))
weights = sp.coo_array(entries, shape=(n, n)).tocsr()
network = hh.Network(
    weights=weights, resistance=1e4, capacitance=1e-7, gain=hh.Tanh(gain=2.0), initial=rng.normal(size=n)
)
graph, calls = network.graph(), 0
rhs = OdeProgram.rhs

def counted(self, *args, **kwargs):
    global calls
    calls += 1
    return rhs(self, *args, **kwargs)

def product(rounds=300, x=rng.normal(size=n)):
    start = time.perf_counter()
    for _ in range(rounds):
        network.weights @ x
    return (time.perf_counter() - start) / rounds

OdeProgram.rhs = counted
before = product()
start = time.perf_counter()
hh.reference(graph, t_stop=20e-3, points=21)
ours = time.perf_counter() - start
ratio = ours / (calls * 0.5 * (before + product()))
print(ratio, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2, calls, ours)
"""


def sparse_network() -> Iterable[dict[str, Any]]:
    """Time `hh.reference` of 10^5 neurons with ten edges each to twenty R C against its own sparse products."""
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    done = subprocess.run([sys.executable, "-c", SPARSE], capture_output=True, text=True, check=True, env=environment)
    ratio, memory, calls, seconds = (float(word) for word in done.stdout.split())
    about = f"reference of 10^5 sparse neurons to 20 R C ({calls:.0f} right-hand sides, {seconds:.0f} s)"
    yield row(f"{about}, against as many of its sparse products", ratio, 3.0, "lower")
    yield row(f"{about}, peak memory", memory, 1.0, "lower", unit="GiB")


def ngspice_growth(steps: int = 500) -> Iterable[dict[str, Any]]:
    """Measure the exponents e of time and memory ~ cells^e in ngspice, from 8 x 8 to 32 x 32 cells, `steps` steps."""
    for name in ("edge", "connected_components", "hole_filling"):
        taken = [_ngspice(name, side, steps) for side in SIDES]
        cells = np.log((SIDES[-1] / SIDES[0]) ** 2)
        seconds, memory = (np.log(last / first) / cells for first, last in zip(taken[0], taken[-1], strict=True))
        about = f"ngspice {find().version}, {name.replace('_', ' ')}, 8 x 8 to 32 x 32 cells, exponent of"
        yield row(f"{about} processor time ({taken[-1][0]:.1f} s at 32 x 32)", seconds, 1.3, "lower", unit="")
        yield row(f"{about} memory ({taken[-1][1]:.0f} MB at 32 x 32)", memory, 1.3, "lower", unit="")


def _ngspice(name: str, side: int, steps: int) -> tuple[float, float]:
    """Return the processor seconds and the megabytes that ngspice takes for a random image in cellular cells."""
    image = np.where(np.random.default_rng(side).uniform(size=(side, side)) < 0.5, 1.0, -1.0)
    network = CellularNetwork(template=TEMPLATES[name], image=image)
    deck = circuit_deck(hh.lower(network.graph(), cell="chua_yang"), network.inputs)
    t_stop = 20.0 * network.resistance * network.capacitance
    settings = Settings(t_stop / steps, 1e-4)
    analysis = format_transient(
        deck.initial,
        (probe.node for probe in deck.states),
        t_stop=t_stop,
        step=settings.step,
        options=(*settings.options(klu=deck.klu and find().klu), "acct"),
    )
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "deck.cir").write_text(deck.text + analysis)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [str(find().path), "-n", "-b", "-r", "out.raw", "deck.cir"]
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=folder)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    said = re.search(r"Maximum ngspice program size = +([\d.]+) +(k|M)B", done.stdout + done.stderr)
    memory = float("nan") if said is None else float(said[1]) * (1e-3 if said[2] == "k" else 1.0)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime, memory
