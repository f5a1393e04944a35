"""Many states: the short ways of the reference against plain formulas, and memory that stays linear."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.integrate import RK45, solve_ivp
from scipy.ndimage import correlate

import hopfield_hw as hh
from hopfield_hw.equations import OdeProgram, crossbar
from hopfield_hw.equations.runge_kutta import integrate
from hopfield_hw.equations.tableau import FIFTH
from hopfield_hw.families import TEMPLATES, CellularNetwork, Template
from hopfield_hw.graph import Activate, Affine, Edge, Graph, Input, Leak, Output, Stencil
from hopfield_hw.graph.weights.shifts import Shifts
from hopfield_hw.values.signals import Signal

MODES: dict[Any, Any] = {"zero": "constant", "fixed": "constant", "periodic": "wrap", "zero_flux": "nearest"}


@pytest.mark.parametrize("boundary", MODES)
def test_shifted_grids_are_a_correlation(boundary: Any) -> None:
    rng = np.random.default_rng(1)
    for _ in range(30):
        shape = (int(rng.integers(1, 7)), int(rng.integers(1, 7)))
        template = rng.integers(-1, 2, size=2 * rng.integers(0, 3, size=2) + 1) * rng.choice([1.0, 0.3])
        edge = rng.normal() if boundary == "fixed" else 0.0
        x = rng.normal(size=(3, *shape))
        stencil = Stencil(template=template, shape=shape, boundary=boundary, edge=edge)
        expected = [correlate(grid, stencil.template, mode=MODES[boundary], cval=edge) for grid in x]
        found = stencil.apply(x.reshape(3, -1)) + stencil.constant
        assert np.allclose(found.reshape(x.shape), expected, atol=1e-13)
        assert np.allclose(stencil.apply(x[0].reshape(-1)) + stencil.constant, expected[0].reshape(-1), atol=1e-13)


def cells(template: Template, shape: tuple[int, int], rng: np.random.Generator) -> tuple[CellularNetwork, Any]:
    """Return a cellular network and its right-hand side by SciPy's correlation, in seconds."""
    image = rng.uniform(-1.0, 1.0, shape)
    network = CellularNetwork(template=template, image=image, initial=rng.normal(size=shape), resistance=2e3)
    mode = MODES[template.boundary]
    driven = correlate(image, template.control, mode=mode, cval=template.edge) + template.bias

    def rhs(_: float, x: Any) -> Any:
        grid = x.reshape(shape)
        y = 0.5 * (np.abs(grid + 1.0) - np.abs(grid - 1.0))
        flowing = correlate(y, template.feedback, mode=mode, cval=template.edge) + driven - grid
        return flowing.reshape(-1) / (network.resistance * network.capacitance)

    return network, rhs


@pytest.mark.parametrize("boundary", MODES)
@pytest.mark.parametrize("compiled", [False, True])
def test_cells_on_a_grid_take_the_steps_of_solve_ivp(boundary: Any, compiled: bool) -> None:
    rng = np.random.default_rng(2)
    edge = -0.7 if boundary == "fixed" else 0.0
    template = Template(
        feedback=rng.normal(size=(3, 5)), control=rng.normal(size=(3, 3)), bias=0.2, boundary=boundary, edge=edge
    )
    network, rhs = cells(template, (64, 80), rng)
    program = OdeProgram([network.graph()], Signal(times=[0.0], values=[network.inputs]))
    assert np.allclose(program.rhs(0.0, program.initial), rhs(0.0, program.initial), rtol=1e-12, atol=1e-3)
    fused = program.fused if compiled else None
    if compiled and fused is None:
        pytest.skip("Numba is not installed")
    times = np.linspace(0.0, 3e-6, 7)
    options: dict[str, Any] = {"rtol": 1e-6, "atol": 1e-6}
    start = program.initial[np.newaxis]
    found = integrate(program.batch_rhs, start, times, tableau=FIFTH, fused=fused, **options)
    expected = solve_ivp(rhs, (0.0, times[-1]), program.initial, method="RK45", t_eval=times, **options)
    assert abs(found.evaluations - expected.nfev) <= 12
    assert np.max(np.abs(found.states[0] - expected.y.T)) < 1e-5


@pytest.mark.parametrize("boundary", MODES)
def test_a_compiled_step_is_the_step_of_plain_formulas(boundary: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any template on any grid, one smaller than the template too; the slots in both orders."""
    pytest.importorskip("numba")
    monkeypatch.setattr(crossbar, "WORTH_COMPILING", 0)
    rng, tolerances = np.random.default_rng(7), {"rtol": 1e-3, "atol": 1e-2}
    for _ in range(40):
        shape = (int(rng.integers(1, 12)), int(rng.integers(1, 12)))
        feedback = rng.integers(-1, 2, size=2 * rng.integers(0, 4, size=2) + 1) * rng.choice([1.0, 0.3])
        edge = 0.4 if boundary == "fixed" else 0.0
        template = Template(feedback=feedback, bias=0.1, boundary=boundary, edge=edge)
        network = CellularNetwork(template=template, image=np.zeros(shape), initial=rng.normal(size=shape))
        program = OdeProgram([network.graph()])
        h, fused = 0.3 * program.shortest_time, program.fused
        assert fused is not None
        slots = np.zeros((FIFTH.stages + 3, program.size))
        slots[0] = x = program.initial
        slots[1] = program.rhs(0.0, x)
        for stage in range(1, FIFTH.stages):
            slots[1 + stage] = program.rhs(0.0, x + h * RK45.A[stage, :stage] @ slots[1 : 1 + stage])
        slots[-1] = x + h * RK45.B @ slots[1 : 1 + FIFTH.stages]
        slots[-2] = program.rhs(0.0, slots[-1])
        size = np.maximum(np.abs(x), np.abs(slots[-1]))
        error = h * RK45.E @ slots[1:-1] / (tolerances["atol"] + tolerances["rtol"] * size)
        for keep, forward in ((False, True), (True, True), (True, False)):
            found = np.full_like(slots, np.nan)[:: 1 if forward else -1]
            found[:2] = slots[:2]
            assert fused(found, h, keep=keep, **tolerances) == pytest.approx(np.sum(error**2), rel=1e-6)
            written = np.arange(FIFTH.stages + 3) if keep else [0, 1, FIFTH.stages + 1, FIFTH.stages + 2]
            assert np.allclose(found[written], slots[written], rtol=1e-12, atol=1e-12 * np.max(np.abs(slots[1])))


def test_without_numba_nothing_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    network = CellularNetwork(template=TEMPLATES["diffusion"], image=np.zeros((64, 64)))
    monkeypatch.setitem(sys.modules, "numba", None)
    monkeypatch.delitem(sys.modules, "hopfield_hw.equations.grid_kernels", raising=False)
    assert OdeProgram([network.graph()]).fused is None


def test_few_cells_are_not_compiled() -> None:
    network = CellularNetwork(template=TEMPLATES["diffusion"], image=np.zeros((63, 64)))
    assert OdeProgram([network.graph()]).fused is None


def test_what_constant_inputs_drive_is_evaluated_once(monkeypatch: pytest.MonkeyPatch) -> None:
    network, _ = cells(TEMPLATES["hole_filling"], (12, 12), np.random.default_rng(3))
    applied: list[int] = []
    into = Shifts.into

    def counted(self: Shifts, padded: Any, *others: Any) -> None:
        applied.append(padded.size)
        into(self, padded, *others)

    monkeypatch.setattr(Shifts, "into", counted)
    program = OdeProgram([network.graph()], Signal(times=[0.0], values=[network.inputs]))
    before = len(applied)
    for _ in range(5):
        program.rhs(0.0, program.initial)
    assert before == 3  # B u, and what the edges of A and B add
    assert len(applied) == before + 5  # A y, once a right-hand side


@pytest.mark.parametrize("form", ["dense", "sparse"])
def test_constant_inputs_are_a_part_of_the_short_way(form: str) -> None:
    """As with inputs that change, at the time when both are the same; for one state and for many."""
    rng = np.random.default_rng(4)
    weights: Any = rng.normal(size=(6, 6)) * (rng.uniform(size=(6, 6)) < 0.5)
    network = hh.Network(
        weights=weights if form == "dense" else sp.csr_array(weights),
        resistance=rng.uniform(0.5, 2.0, 6),
        capacitance=rng.uniform(0.5, 2.0, 6),
        bias=rng.normal(size=6),
        input_weights=rng.normal(size=(6, 2)),
    )
    graph = network.graph()
    constant = OdeProgram([graph], Signal(times=[0.0], values=[[0.3, -0.2]]))
    changing = OdeProgram([graph], Signal(times=[0.0, 1.0], values=[[0.3, -0.2], [9.0, 9.0]]))
    for x in (rng.normal(size=6), rng.normal(size=(1, 6)), rng.normal(size=(4, 6))):
        assert np.allclose(constant.rhs(0.0, x), changing.rhs(0.0, x), rtol=1e-13, atol=1e-13)


def test_constant_parts_of_draws_are_their_own() -> None:
    rng = np.random.default_rng(5)
    draws = [
        hh.Network(
            weights=rng.normal(size=(3, 3)), resistance=1.0, capacitance=1.0, input_weights=rng.normal(size=(3, 1))
        ).graph()
        for _ in range(4)
    ]
    signal = Signal(times=[0.0], values=[[0.7]])
    x = rng.normal(size=(4, 3))
    together = OdeProgram(draws, signal).rhs(np.zeros(2), x[[1, 3]], np.array([1, 3]))
    alone = [OdeProgram([draws[k]], signal).rhs(0.0, x[k]) for k in (1, 3)]
    assert np.allclose(together, alone, rtol=1e-13)


def test_the_inputs_of_a_graph_without_states_between_are_constant_too() -> None:
    """u -> gain -> weights -> x: two operators that constant inputs alone drive."""
    graph = Graph(
        operators=(
            Input(name="u", size=2),
            Activate(name="f", size=2, function=hh.Tanh(gain=2.0)),
            Affine(name="w", weights=[[1.0, 2.0]], bias=[0.5]),
            Leak(name="x", capacitance=[1.0], resistance=[1.0], initial=[0.0]),
            Output(name="o", size=1),
        ),
        edges=(Edge("u", "f"), Edge("f", "w"), Edge("w", "x"), Edge("x", "o")),
    )
    wave = hh.reference(graph, inputs=[0.1, -0.3], t_stop=40.0, points=3)
    assert wave["output"].to_numpy()[-1, 0] == pytest.approx(np.tanh(0.2) + 2.0 * np.tanh(-0.6) + 0.5, abs=1e-9)


LINEAR = """
import numpy as np, scipy.sparse as sp
import hopfield_hw as hh
from hopfield_hw.families import TEMPLATES, CellularNetwork
from hopfield_hw.transforms import add_delay_by_edge, distribute_delay, add_neutral_delays
from hopfield_hw.graph import Delay, parse_graph

def peak():
    line = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024

def sparse(n, rng=np.random.default_rng(0)):
    entries = (rng.normal(size=10 * n) * 3e-5, (np.repeat(np.arange(n), 10), rng.integers(0, n, 10 * n)))
    weights = sp.coo_array(entries, shape=(n, n)).tocsr()
    return hh.Network(weights=weights, resistance=1e4, capacitance=1e-7, initial=rng.normal(size=n))

def stiff(n):
    chain = sp.diags_array([np.full(n - 1, 3e-5)] * 2, offsets=[-1, 1], format="csr")
    capacitance = np.geomspace(1e-10, 1e-6, n)
    return hh.Network(weights=chain, resistance=1e4, capacitance=capacitance, gain=hh.Tanh(), initial=np.ones(n))

def grid(side):
    image = np.sign(np.random.default_rng(0).normal(size=(side, side)))
    return CellularNetwork(template=TEMPLATES["hole_filling"], image=image)

hh.reference(sparse(10).graph(), points=5)  # loads what is loaded late
before = peak()
STEPS
print(peak() - before)
"""
# MiB that each may take; a dense matrix would be 3,000 or more (20,000 cells), 800 (10,000), or 72 (3,000).
STEPS: dict[str, tuple[str, float]] = {
    "reference, sparse": ("hh.reference(sparse(20000).graph(), t_stop=2e-4, accuracy=1e-2, points=5)", 150),
    "reference, grid": (
        "net = grid(150); hh.reference(net.graph(), inputs=net.inputs, t_stop=2e-7, accuracy=1e-2, points=5)",
        200,
    ),
    "delays, sparse": (
        "net = sparse(20000); taus = net.weights * 0.0; taus.data[:] = 1e-4 * (1.0 + np.arange(taus.nnz) % 3);"
        "late = add_delay_by_edge(net, taus); assert len(late.of_type(Delay)) == 3;"
        "echo = sp.diags_array(np.full(20000, 0.4)); slow = distribute_delay(net, 1e-3, order=2);"
        "add_neutral_delays(slow, [echo, echo], [1e-3, 2e-3], leak='x')",
        400,
    ),
    "reference, stiff": ("hh.reference(stiff(3000).graph(), accuracy=1e-2, points=5)", 50),
    "text, sparse": ("g = sparse(20000).graph(); assert parse_graph(g.text).hash == g.hash", 250),
    "text, grid": ("g = grid(150).graph(); assert parse_graph(g.text).hash == g.hash", 150),
    "netlist, sparse": ("assert hh.lower(sparse(10000).graph()).netlist().count('G_syn_') > 99900", 300),
    "netlist, grid": ("assert hh.lower(grid(100).graph(), cell='chua_yang').netlist().count('G_A_') == 49600", 300),
}


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="the peak of memory is read from /proc")
@pytest.mark.parametrize("what", STEPS)
def test_memory_is_linear(what: str) -> None:
    steps, limit = STEPS[what]
    environment = {**os.environ, "PYTHONPATH": os.getcwd(), "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-c", LINEAR.replace("STEPS", steps)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    print(f"{what}: {float(done.stdout):.0f} MiB")
    assert float(done.stdout) < limit
