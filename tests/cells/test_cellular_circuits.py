"""Cellular networks in ngspice: exact to the pixel, random templates, and the law of the cellular cell."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from oracles.images import EXPECTED, written

import hopfield_hw as hh
from hopfield_hw.cells import ChuaYang
from hopfield_hw.families import TEMPLATES, CellularNetwork, random_cellular
from hopfield_hw.spice.transient import simulate

LETTER = written("R", rows=14, columns=16)

pytestmark = pytest.mark.usefixtures("ngspice")


@pytest.mark.parametrize("cell", ["ideal", "chua_yang"])
@pytest.mark.parametrize("name", ["edge", "connected_components"])
def test_images_are_exact_to_the_pixel(name: str, cell: str) -> None:
    network = CellularNetwork(template=TEMPLATES[name], image=LETTER)
    circuit = hh.lower(network.graph(), cell=cell)
    wave = simulate(circuit, inputs=network.inputs, t_stop=network.t_stop, accuracy=1e-2, points=101)
    expected = np.where(EXPECTED[name](LETTER > 0), 1.0, -1.0)
    assert np.any(expected != LETTER)
    assert np.allclose(network.picture(wave), expected, atol=1e-5)  # the clamp lets 1e-6 of what is beyond 1 V through


@pytest.mark.parametrize("seed", range(3))
def test_random_templates_match_their_equation(seed: int) -> None:
    network = random_cellular(np.random.default_rng(seed))
    result = hh.verify(network.graph(), inputs=network.inputs)
    assert result.passed, str(result)


@pytest.mark.parametrize("clamp", [1.0, 250e3])
def test_the_clamp_has_the_law_that_it_states(clamp: float) -> None:
    """One cell without feedback settles at x = R I; y follows from the two resistances, by hand."""
    currents = np.array([-3e-3, -0.5e-3, 0.8e-3, 2e-3])
    network = hh.Network(
        weights=np.zeros((4, 4)), resistance=1e3, capacitance=1e-9, gain=hh.PiecewiseLinear(gain=2.0), bias=currents
    )
    cell = ChuaYang(clamp_resistance=clamp)
    wave = simulate(hh.lower(network.graph(), cell=cell), t_stop=30e-6, points=11)
    driven = 2.0 * 1e3 * currents
    beyond = np.sign(driven) * (1.0 + (np.abs(driven) - 1.0) * clamp / (clamp + 1e6))
    expected = np.where(np.abs(driven) > 1.0, beyond, driven)
    assert np.allclose(wave["output"].to_numpy()[-1], expected, atol=1e-7)


def test_clamps_with_a_slope_and_an_amplitude_for_each_neuron() -> None:
    rng = np.random.default_rng(5)
    network = hh.Network(
        weights=rng.normal(size=(3, 3)) * 1e-4,
        resistance=1e4,
        capacitance=1e-8,
        gain=hh.PiecewiseLinear(gain=[1.0, 2.0, 5.0], amplitude=[0.5, 1.0, 2.0]),
        initial=[1.0, -1.0, 0.5],
    )
    result = hh.verify(network.graph(), cell="chua_yang")
    assert result.passed, str(result)


@pytest.mark.parametrize("name", ["output_resistance", "clamp_resistance"])
def test_resistances_are_positive(name: str) -> None:
    values: dict[str, Any] = {name: 0.0}
    with pytest.raises(hh.InputError, match=rf"`ChuaYang\.{name} = 0\.0 Ohm`: must be positive"):
        ChuaYang(**values)
