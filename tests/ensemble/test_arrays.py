"""The engine on libraries of arrays: the same numbers as the compiled kernels, without Numba, and on torch and CuPy."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from small_circuits import circuit

import hopfield_hw as hh
from hopfield_hw import cells
from hopfield_hw.board import design_board
from hopfield_hw.circuit import Circuit, Ensemble
from hopfield_hw.ensemble import backends, runs
from hopfield_hw.ensemble.arrays import equations
from hopfield_hw.ensemble.arrays.factors import factorise, plan_elimination, solve
from hopfield_hw.ensemble.arrays.library import Library, load_library
from hopfield_hw.ensemble.equations.layout import LANES, Layout, plan
from hopfield_hw.ensemble.equations.ordering import fill_in, order_unknowns
from hopfield_hw.ensemble.equations.system import build_system
from hopfield_hw.ensemble.runs import Job, Run
from hopfield_hw.functions.expressions import Argument, tanh
from hopfield_hw.parts import D1N4148, Behaviour, Capacitor, CurrentSource, Pulse, Resistor, Transistor, VoltageSource
from hopfield_hw.simulation import simulate
from hopfield_hw.tolerance import Tolerances, draw_factors, vary
from hopfield_hw.values.errors import InputError, MissingExtra, Unrealisable

DRIVE = VoltageSource(((0.0, 0.0), (1e-3, 3.0), (3e-3, -3.0), (4e-3, 0.0)))


def pulse() -> list[Circuit]:
    wave = VoltageSource(Pulse(0.0, 1.0, 1e-4, 1e-6, 2e-4, 1e-3))
    return [
        circuit(("V", wave, ("in", "0")), ("R", Resistor(r), ("in", "out")), ("C", Capacitor(1e-7), ("out", "0")))
        for r in (500.0, 2e3)
    ]


def diode() -> list[Circuit]:
    part = replace(D1N4148, capacitance=1e-9)
    return [
        circuit(("V", DRIVE, ("in", "0")), ("R", Resistor(1e5), ("in", "out")), ("D", part, ("out", "0"))),
    ]


def transistor() -> list[Circuit]:
    return [
        circuit(
            ("V", DRIVE, ("in", "0")),
            ("V_cc", VoltageSource(5.0), ("cc", "0")),
            ("R_c", Resistor(1e3), ("cc", "out")),
            ("Q", Transistor(200.0, 1e-14, 80.0), ("out", "base", "0")),
            ("R_b", Resistor(1e5), ("in", "base")),
            ("C", Capacitor(1e-8), ("out", "0")),
        )
    ]


def drawn(count: int = 19, cell: str = "inverting_integrator") -> list[Circuit]:
    """Samples that leave a point of balance at times of their own."""
    network = hh.Network(
        weights=[[0.0, -6e-4, 0.0], [-6e-4, 0.0, 1e-4], [0.0, 1e-4, 2e-4]],
        resistance=1e4,
        capacitance=1e-8,
        gain=hh.Tanh(gain=3.0),
        initial=[0.3, 0.29, -0.1],
    )
    made = hh.lower(network, cell=cell, **({} if cell == "gm_c" else {"op_amp": "TL074"}))
    which = Tolerances(capacitors="5%") if cell == "gm_c" else Tolerances(resistors="5%", capacitors="5%")
    draws = draw_factors(vary(made, which), seed=2, samples=count)
    return [draws.circuit(k) for k in range(count)]


def transconductors() -> list[Circuit]:
    return drawn(3, "gm_c")


def clamps() -> list[Circuit]:
    weights = [[0.0, 5e-5], [-5e-5, 0.0]]
    gain = hh.PiecewiseLinear(gain=2.0)
    return [
        design_board(
            hh.Network(weights=weights, resistance=1e4, capacitance=1e-7, gain=gain, initial=[0.4, -0.1])
        ).circuit
    ]


def clocked() -> list[Circuit]:
    network = hh.Network(
        weights=[[0.0, 1e-4], [-1e-4, 0.0]],
        resistance=1e4,
        capacitance=1e-8,
        gain=hh.Tanh(gain=2.0),
        initial=[0.3, -0.1],
    )
    return [hh.lower(hh.transforms.hold_outputs(network, period=2e-3), cell="active_rc")]


def comparator() -> list[Circuit]:
    """An output that no capacitor holds, and that changes within a step of what does."""
    limit = Behaviour(tanh(100.0 * Argument(0)), "voltage")
    return [
        circuit(
            ("V", VoltageSource(1.0), ("in", "0")),
            ("R", Resistor(1e3), ("in", "held")),
            ("C", Capacitor(1e-6), ("held", "0")),
            ("B", limit, ("out", "0", "held")),
            initial={"held": -1.0},
        )
    ]


def crossbar() -> list[Circuit]:
    """A network whose weights are one device."""
    rng = np.random.default_rng(7)
    weights = 5e-5 * rng.normal(size=(12, 12)) * (rng.uniform(size=(12, 12)) < 0.4)
    network = hh.Network(
        weights=weights,
        resistance=1e3,
        capacitance=1e-7,
        gain=hh.Tanh(gain=3.0),
        initial=0.2 * rng.normal(size=12),
    )
    return [hh.lower(network, cell=cells.InvertingIntegrator(), crossbars=True)]


CIRCUITS = (pulse, diode, transistor, drawn, transconductors, clamps, clocked, comparator, crossbar)
TOLERANCE = 1e-5


def run(circuits: list[Circuit], backend: backends.Backend, seconds: float = 4e-3) -> Run:
    """Return one run, with a tolerance of its steps of TOLERANCE."""
    made = plan(build_system(Ensemble.of(circuits)), seconds)
    _, run_all = backends.choose_run(backend, 1)
    job = Job(made, circuits[0], np.linspace(0.0, seconds, 301), run_all, None)
    return runs.run(job, TOLERANCE, 0.05 * seconds)


@pytest.mark.parametrize(
    "circuits", [pulse, diode, transistor, drawn, transconductors, clamps, clocked, comparator, crossbar]
)
@pytest.mark.parametrize("backend", ["numpy", "torch", "cupy"])
def test_the_numbers_are_those_of_the_kernels(circuits: Callable[[], list[Circuit]], backend: backends.Backend) -> None:
    pytest.importorskip("numba")
    if backend != "numpy":
        pytest.importorskip(f"array_api_compat.{backend}")
    expected, found = run(circuits(), "numba"), run(circuits(), backend)
    assert expected.failures == found.failures == {}
    assert np.ptp(expected.waves) > 0.1
    assert expected.counts == found.counts
    # Roundings move the ends of steps, which a comparator's output shows as it switches.
    near = (0.1 if circuits is comparator else 1e-3) * TOLERANCE
    assert np.max(np.abs(found.waves - expected.waves)) < near * np.max(np.abs(expected.waves))
    assert found.counts == pytest.approx(expected.counts, rel=0.01)


def test_a_crossbar_is_a_full_matrix_or_a_sparse_one(monkeypatch: pytest.MonkeyPatch) -> None:
    full = run(crossbar(), "numpy", 1e-4)
    monkeypatch.setattr(equations, "FULL", 1.1)
    sparse = run(crossbar(), "numpy", 1e-4)
    np.testing.assert_allclose(sparse.waves, full.waves, rtol=1e-9, atol=1e-12)


def test_without_numba_numpy_takes_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    def load() -> Any:
        raise ModuleNotFoundError("No module named 'numba'", name="numba")

    monkeypatch.setattr(backends, "_load", load)
    charged = circuit(
        ("V", VoltageSource(1.0), ("in", "0")),
        ("R", Resistor(1e3), ("in", "out")),
        ("C", Capacitor(1e-6), ("out", "0")),
    )
    found = simulate(charged, engine="ensemble", t_stop=5e-3, accuracy=1e-6)
    times = found["time"].to_numpy()
    assert found.attrs["backend"] == "numpy"
    assert np.max(np.abs(found["state"].to_numpy()[:, 0] - (1.0 - np.exp(-times / 1e-3)))) < 2e-6
    with pytest.raises(MissingExtra) as error:
        simulate(charged, engine="ensemble", t_stop=5e-3, backend="numba")
    assert str(error.value) == (
        "`backend='numba'` needs the package numba (No module named 'numba'); install it: pip install '.[fast]'"
    )


def test_the_numbers_do_not_depend_on_what_runs_together(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = run(drawn(11), "numpy", 2e-4)
    monkeypatch.setattr(backends, "load_library", lambda name: Library(name, np, None, together=1, numbers=1000))
    found = run(drawn(11), "numpy", 2e-4)
    np.testing.assert_allclose(found.waves, expected.waves, rtol=1e-8, atol=1e-11)
    assert found.counts == expected.counts


def test_a_sample_that_fails_is_named_and_the_others_are_returned() -> None:
    small = [
        circuit(
            ("I_in", CurrentSource(current), ("0", "out")),
            ("D", D1N4148, ("out", "0")),
            ("C", Capacitor(1e-9), ("out", "0")),
        )
        for current in (1e-4, 1e300)
    ]
    found = run(small, "numpy", 1e-4)
    assert found.failures == {1: "Newton's method does not converge, however short the step"}
    assert np.all(np.isfinite(found.waves[0]))
    assert np.all(np.isnan(found.waves[1, 1:]))


@pytest.mark.parametrize("full", [0, 12, 40])
def test_stages_solve_what_a_dense_solver_does(full: int) -> None:
    """Matrices whose last rows are full, not at all or altogether."""
    rng = np.random.default_rng(full)
    n = 40
    filled = (rng.uniform(size=(n, n)) < 0.06) | np.eye(n, dtype=bool)
    filled[n - full :, n - full :] = True
    matrix = filled[..., np.newaxis] * rng.normal(size=(n, n, LANES)) + 12.0 * np.eye(n)[..., np.newaxis]
    rows, columns = (axis.astype(np.int32) for axis in np.nonzero(filled))
    order = order_unknowns(rows, columns, n)
    place = np.empty(n, dtype=np.int32)
    place[order] = np.arange(n)
    pattern = fill_in(place[rows], place[columns], n)
    nothing = dict.fromkeys(Layout._fields, np.zeros(0))
    g = Layout(**nothing | {"n": n, **pattern._asdict()})  # type: ignore[arg-type]
    library = load_library("numpy")
    elimination = plan_elimination(library, g, LANES)
    assert n - elimination.head >= full
    entries = np.zeros((pattern.columns.size + 1, LANES))
    for i, j in zip(rows, columns, strict=True):
        entries[pattern.place(int(place[i]), int(place[j]))] = matrix[i, j]
    b = rng.normal(size=(n, LANES))
    x = solve(np, elimination, factorise(np, elimination, entries), b[order].copy())[place]
    expected = np.linalg.solve(matrix.transpose(2, 0, 1), b.T[..., np.newaxis])[..., 0].T
    np.testing.assert_allclose(x, expected, rtol=1e-9, atol=1e-12)


def test_bad_input(monkeypatch: pytest.MonkeyPatch) -> None:
    (made, *_) = diode()
    with pytest.raises(InputError) as error:
        simulate(made, engine="ensemble", t_stop=1e-3, backend="jax")
    assert str(error.value) == "ensemble: `backend` = 'jax': must be numba, numpy, cupy or torch"
    late = hh.load_design("sequence_memory")
    with pytest.raises(Unrealisable, match=r"^ensemble: `backend` = 'numpy' has no transmission lines: it must be 'nu"):
        simulate(hh.lower(late.network, cell="ideal"), engine="ensemble", t_stop=1e-3, backend="numpy")
    monkeypatch.setitem(sys.modules, "array_api_compat", None)
    with pytest.raises(MissingExtra, match=r"^`backend='cupy'` needs the packages cupy and array-api-compat \(.*\);"):
        simulate(made, engine="ensemble", t_stop=1e-3, backend="cupy")
    with pytest.raises(MissingExtra, match=r"; install them: pip install array-api-compat torch$"):
        simulate(made, engine="ensemble", t_stop=1e-3, backend="torch")
