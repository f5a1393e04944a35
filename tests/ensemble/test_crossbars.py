"""Large dense networks: the weights of a crossbar as one device, and factors that lack them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from small_circuits import ORIGIN, circuit

pytest.importorskip("numba")

from scipy.sparse import csr_array

import hopfield_hw as hh
from hopfield_hw.circuit import Device, Ensemble, Probe, Role
from hopfield_hw.circuit.crossbars import expand_crossbars
from hopfield_hw.ensemble.equations.layout import FEW, FILL, plan
from hopfield_hw.ensemble.equations.system import build_system
from hopfield_hw.equations import solve
from hopfield_hw.parts import Capacitor, Resistor, Transconductance, VoltageSource
from hopfield_hw.parts.crossbar import Crossbar
from hopfield_hw.simulation import DENSE, simulate
from hopfield_hw.values.errors import InputError
from hopfield_hw.values.measures import nrmse

CELLS = {"ideal": "ideal", "op-amps": hh.cells.InvertingIntegrator(), "tank": "hopfield_tank"}


def dense(n: int, *, scale: float = 1.0) -> hh.Network:
    """Return a symmetric network, which comes to rest."""
    rng = np.random.default_rng(7)
    weights = rng.normal(size=(n, n)) / np.sqrt(n)
    weights = scale * (weights + weights.T) / 2.0
    np.fill_diagonal(weights, 0.0)
    resistance = 1.0 / (1e-4 + np.abs(weights * 1e-4).sum(axis=1))
    return hh.Network(
        weights=weights * 1e-4,
        resistance=0.9 * resistance,
        capacitance=1e-8,
        gain=hh.Tanh(gain=3.0),
        initial=0.1 * rng.normal(size=n),
    )


@pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)
def test_a_crossbar_is_its_parts(cell: Any) -> None:
    """The same netlist, line by line, and the same waveforms, from one device as from one for each weight."""
    network = dense(6)
    one, many = (hh.lower(network, cell=cell, crossbars=crossbars) for crossbars in (True, False))
    assert sum(isinstance(d.part, Crossbar) for d in one.devices) == 1
    lines = [sorted(circuit.netlist().splitlines()) for circuit in (one, many)]
    assert [line for line in lines[0] if line[0] in "RG"] == [line for line in lines[1] if line[0] in "RG"]
    assert re.search(r"^[RG]_syn_0_1 ", one.netlist(), re.MULTILINE)
    assert expand_crossbars(one).device(("G" if cell == "ideal" else "R") + "_syn_0_1").origin.element == (0, 1)
    waves = [simulate(made, engine="ensemble", t_stop=1e-4, points=51)["state"].to_numpy() for made in (one, many)]
    assert nrmse(waves[0][1:], waves[1][1:]) < 1e-5


def test_factors_lack_weights_alone_and_waveforms_do_not_show_it() -> None:
    circuit = hh.lower(dense(24), cell=CELLS["op-amps"])
    system = build_system(Ensemble(circuit=circuit, size=1))
    assert len(system.weak) == 24 * 23  # op-amps without a resistance hold their outputs, which no weight moves
    whole, pruned = (plan(system, 1e-3, with_weak=with_weak) for with_weak in (True, False))
    assert (whole.is_whole, pruned.is_whole) == (True, False)
    assert pruned.layout.columns.size < whole.layout.columns.size / 2
    np.testing.assert_array_equal(whole.layout.linear_starts[-1], pruned.layout.linear_starts[-1])
    wave = simulate(circuit, engine="ensemble", t_stop=1e-3, points=101, accuracy=1e-5)["state"].to_numpy()
    exact = solve(dense(24), t_stop=1e-3, points=101, accuracy=1e-6)["state"].to_numpy()
    assert nrmse(exact[1:], wave[1:]) < 5e-5


def test_weights_that_no_capacitor_slows_need_whole_factors() -> None:
    """Transconductances between resistors alone, in loops of a gain above 1, beside a capacitor that charges.

    With factors that lack the weights Newton's method diverges however short a step is; the run is made again with all.
    """
    weights = 2e-3 * np.array([[0, 1, -1, 1], [-1, 0, 1, 1], [1, -1, 0, 1], [-1, -1, -1, 0]], dtype=float)
    nodes = [f"n{k}" for k in range(4)]
    parts: list[Device] = [
        Device("V_in", VoltageSource(1.0), ("in", "0"), ORIGIN),
        Device("R_in", Resistor(1e3), ("in", "out"), ORIGIN),
        Device("C", Capacitor(1e-9), ("out", "0"), ORIGIN),
        Device("G_in", Transconductance(1e-3), ("0", "n0", "out", "0"), ORIGIN),
    ]
    parts += [Device(f"R_{node}", Resistor(1e3), (node, "0"), ORIGIN) for node in nodes]
    weight = ORIGIN._replace(role=Role.WEIGHT)
    for i, j in zip(*np.nonzero(weights), strict=True):
        part = Transconductance(float(weights[i, j]))
        parts.append(Device(f"G_{i}_{j}", part, ("0", nodes[i], nodes[j], "0"), weight))
    first = circuit(("R", Resistor(1.0), ("out", "0")))
    made = replace(first, devices=tuple(parts), states=tuple(Probe(node, node) for node in nodes))
    assert not plan(build_system(Ensemble(circuit=made, size=1)), 1e-4).is_whole
    assert np.abs(np.linalg.eigvals(1e3 * weights)).max() > 1.0
    found = simulate(made, engine="ensemble", t_stop=2e-5, points=51)
    exact = np.linalg.solve(1e-3 * np.eye(4) - weights, [1e-3, 0.0, 0.0, 0.0])
    assert found.attrs["failures"] == {}
    np.testing.assert_allclose(found["state"].to_numpy()[-1], exact, rtol=1e-4)


def test_a_large_network_is_lowered_with_a_crossbar_by_itself() -> None:
    n = int(np.sqrt(DENSE)) + 2
    network = dense(n)
    found = simulate(network, engine="ensemble", cell=CELLS["op-amps"], t_stop=1e-3, points=101, accuracy=1e-3)
    exact = solve(network, t_stop=1e-3, points=101, accuracy=1e-4)["state"].to_numpy()
    assert nrmse(exact[1:], found["state"].to_numpy()[1:]) < 2e-3


def test_bad_crossbars_are_refused() -> None:
    def made(values: list[float], **how: Any) -> Crossbar:
        matrix = csr_array(np.array([values]))
        given: dict[str, Any] = {"row_labels": ("0",), "column_labels": ("0", "1"), "elements": (0, 1)}
        return Crossbar(siemens=matrix, **given | how)

    with pytest.raises(
        InputError, match=r"^device R_x: a conductance of -1.0 S: must be finite, of a resistor positive"
    ):
        made([1.0, -1.0]).check("R_x")
    with pytest.raises(InputError, match=r"^device R_x: a conductance of 1e-310 S: must be finite, of a resistor"):
        made([1.0, 1e-310]).check("R_x")
    with pytest.raises(InputError, match=r"^device R_x: a crossbar of 1 x 2 needs a label for each row and column$"):
        made([1.0, 1.0], row_labels=()).check("R_x")
    made([1.0, -1.0], loads=False).check("G_x")


def test_a_sparse_network_whose_factors_would_fill_up_is_solved_without_its_weights() -> None:
    """Few weights a neuron, but between neurons anywhere: an order of elimination without much fill there is none."""
    n, rng = 150, np.random.default_rng(3)
    rows, columns = np.repeat(np.arange(n), 3), rng.integers(0, n, 3 * n)
    values = np.where(rows == columns, 0.0, 5e-5 * rng.normal(size=3 * n))
    weights = csr_array((values, (rows, columns)), shape=(n, n))
    network = hh.Network(
        weights=weights, resistance=1e4, capacitance=1e-8, gain=hh.Tanh(gain=2.0), initial=0.1 * rng.normal(size=n)
    )
    made = hh.lower(network, cell=hh.cells.InvertingIntegrator())
    system = build_system(Ensemble(circuit=made, size=1))
    assert len(system.weak) < FEW * system.unknowns
    whole, pruned = plan(system, 1e-3, with_weak=True), plan(system, 1e-3)
    assert (whole.is_whole, pruned.is_whole) == (True, False)
    assert whole.layout.columns.size > FILL * pruned.layout.columns.size
    found = simulate(made, engine="ensemble", t_stop=4e-4, points=51)
    expected = hh.reference(network, t_stop=4e-4, points=51)
    assert nrmse(expected["state"].to_numpy(), found["state"].to_numpy()) < 1e-4
