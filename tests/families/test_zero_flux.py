"""Zero flux: outside the grid lie copies of its rim, in every machine, against NumPy's `pad(mode="edge")`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import hopfield_hw as hh
from hopfield_hw.families import CellularNetwork, Template, random_cellular
from hopfield_hw.graph import Affine, Stencil, parse_graph
from hopfield_hw.integers.fixed_point import QFormat
from hopfield_hw.integers.lowering import FixedPoint, lower_to_integers
from hopfield_hw.integers.machine import FixedMachine
from hopfield_hw.transforms import add_delay
from hopfield_hw.values.arrays import Array

# Rows and columns of images: one pixel, one row, one column, and grids that the template reaches over at both ends.
SHAPES = [(1, 1), (1, 5), (4, 1), (2, 2), (1, 2), (3, 4)]
SIDES = [(1, 1), (3, 3), (1, 3), (5, 3), (7, 7)]


def padded(template: Array, grid: Array) -> Array:
    """Return the sum over a template of a grid padded by copies of its rim."""
    high, wide = (side // 2 for side in template.shape)
    around = np.pad(grid, ((high, high), (wide, wide)), mode="edge")
    rows, columns = grid.shape
    return np.sum([w * around[p : p + rows, q : q + columns] for (p, q), w in np.ndenumerate(template)], axis=0)


def matrix(template: Array, shape: tuple[int, int]) -> Array:
    """Return the map as a matrix, from the images that are 1 in one pixel."""
    pixels = np.eye(int(np.prod(shape)))
    return np.stack([padded(template, pixel.reshape(shape)).reshape(-1) for pixel in pixels], axis=1)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("sides", SIDES)
def test_weights(sides: tuple[int, int], shape: tuple[int, int], rng: np.random.Generator) -> None:
    template, grid = rng.normal(size=sides), rng.normal(size=shape)
    stencil = Stencil(template=template, shape=shape, boundary="zero_flux")
    wanted = matrix(template, shape)
    assert np.allclose(stencil.apply(grid.reshape(-1)), padded(template, grid).reshape(-1), atol=1e-13)
    assert np.allclose(stencil.matrix, wanted, atol=1e-13)
    values, rows, columns = stencil.entries()
    assert len(set(zip(rows.tolist(), columns.tolist(), strict=True))) == len(values)  # one device for each pair
    rebuilt = np.zeros_like(wanted)
    rebuilt[rows, columns] = values
    assert np.allclose(rebuilt, wanted, atol=1e-13)
    assert not np.any(stencil.constant)
    assert np.allclose(stencil.scale(2.0).matrix, 2.0 * wanted, atol=1e-13)


def test_a_copy_of_the_rim_is_no_reflection() -> None:
    """A template that reaches two cells far sees the rim twice, not the cell behind it."""
    stencil = Stencil(template=[[1.0, 0, 0, 0, 0]], shape=(1, 3), boundary="zero_flux")
    assert stencil.apply(np.array([1.0, 2.0, 3.0])).tolist() == [1.0, 1.0, 1.0]


def network(shape: tuple[int, int], rng: np.random.Generator, sides: tuple[int, int] = (3, 5)) -> CellularNetwork:
    template = Template(
        feedback=rng.normal(size=sides), control=rng.normal(size=(3, 3)), bias=0.2, boundary="zero_flux"
    )
    return CellularNetwork(template=template, image=rng.uniform(-1.0, 1.0, shape), initial=rng.normal(size=shape))


def solution(cells: CellularNetwork, t_stop: float, points: int) -> Array:
    """Return the outputs of the padded equation by SciPy."""
    shape, rc = cells.shape, cells.resistance * cells.capacitance
    driven = padded(cells.template.control, cells.image) + cells.template.bias

    def output(x: Array) -> Array:
        return (np.abs(x + 1.0) - np.abs(x - 1.0)) / 2.0

    def rhs(_: float, x: Array) -> Array:
        grid = x.reshape(shape)
        return (padded(cells.template.feedback, output(grid)) + driven - grid).reshape(-1) / rc

    times = np.linspace(0.0, t_stop, points)
    found = solve_ivp(rhs, (0.0, t_stop), cells.initial.reshape(-1), t_eval=times, rtol=1e-9, atol=1e-10)
    return output(found.y.T)


@pytest.mark.parametrize(("shape", "driven"), [((1, 1), True), ((1, 5), False), ((2, 2), True), ((4, 1), True)])
def test_reference(shape: tuple[int, int], driven: bool, rng: np.random.Generator) -> None:
    cells = network(shape, rng)
    inputs = cells.inputs if driven else None
    wave = hh.reference(cells.graph(driven=driven), inputs=inputs, t_stop=2e-6, points=21, accuracy=1e-3)
    assert np.allclose(wave["output"], solution(cells, 2e-6, 21), atol=2e-4)
    neurons = hh.reference(cells.network(), t_stop=2e-6, points=21, accuracy=1e-3)
    assert np.allclose(neurons["state"], wave["state"], atol=2e-4)


def test_many_cells_take_the_compiled_step(rng: np.random.Generator) -> None:
    cells = network((64, 65), rng)
    wave = hh.reference(cells.graph(), inputs=cells.inputs, t_stop=5e-7, points=3, accuracy=1e-3)
    assert np.allclose(wave["output"], solution(cells, 5e-7, 3), atol=1e-4)


def test_what_diffuses_is_kept() -> None:
    """The heat equation loses nothing through an edge without flux: the mean stays (one row, by its exact cosines)."""
    u = np.array([[0.9, -0.3, 0.2, 0.1]])
    template = Template(feedback=[[0.25, 0.5, 0.25]], boundary="zero_flux")
    cells = CellularNetwork(template=template, image=u)
    wave = hh.reference(cells.graph(), t_stop=5e-6, points=2)
    n, k = u.size, np.arange(u.size)
    waves = np.cos(np.pi * np.outer(np.arange(n) + 0.5, k) / n)
    parts = np.linalg.solve(waves, u[0]) * np.exp(-5.0 * (0.5 - 0.5 * np.cos(np.pi * k / n)))
    assert np.allclose(cells.picture(wave), waves @ parts, atol=1e-6)
    assert cells.picture(wave).mean() == pytest.approx(u.mean(), abs=1e-7)


def test_text_and_back(rng: np.random.Generator) -> None:
    graph = network((3, 4), rng).graph()
    again = parse_graph(graph.text)
    assert (again.text, again.hash) == (graph.text, graph.hash)
    weights = again.by_name["A"]
    assert isinstance(weights, Affine)
    assert isinstance(weights.weights, Stencil)
    assert weights.weights.boundary == "zero_flux"


@pytest.mark.parametrize("shape", [(1, 1), (1, 4), (3, 3)])
def test_delayed_and_in_discrete_time(shape: tuple[int, int], rng: np.random.Generator) -> None:
    cells = network(shape, rng)
    size = cells.initial.size
    dense = hh.Network(
        weights=matrix(cells.template.feedback, shape) / 1e3,
        resistance=1e3,
        capacitance=1e-9,
        gain=hh.PiecewiseLinear(),
        bias=(padded(cells.template.control, cells.image).reshape(-1) + cells.template.bias) / 1e3,
        initial=cells.initial.reshape(-1),
    )
    options: dict[str, Any] = {"t_stop": 1.6e-6, "points": 17, "accuracy": 1e-3}
    late = hh.reference(add_delay(cells.graph(driven=False), 0.7e-6), **options)
    assert np.allclose(late["state"], hh.reference(add_delay(dense, 0.7e-6), **options)["state"], atol=2e-4)
    wave = hh.reference(cells.map(), inputs=cells.inputs, t_stop=4.0)
    y = np.where(cells.initial >= 0.0, 1.0, -1.0)
    driven = padded(cells.template.control, cells.image) + cells.template.bias
    for step in wave["output"].to_numpy():
        assert np.array_equal(step, y.reshape(size))
        y = np.sign(padded(cells.template.feedback, y) + driven)


@pytest.mark.parametrize("shape", [(1, 1), (1, 4), (3, 3)])
def test_fixed_point(shape: tuple[int, int], rng: np.random.Generator) -> None:
    """Weights and inputs that the words hold exactly give the signs of the padded sum, bit by bit."""
    feedback, control = (np.rint(16.0 * rng.normal(size=(3, 3))) / 16.0 for _ in range(2))
    image = np.rint(16.0 * rng.uniform(-1.0, 1.0, shape)) / 16.0
    template = Template(feedback=feedback, control=control, bias=0.03125, boundary="zero_flux")
    cells = CellularNetwork(template=template, image=image)
    word = QFormat(word=24, fraction=14)
    machine = FixedMachine(lower_to_integers(cells.map(), FixedPoint(signals=word, weights=word)))
    y = np.where(image >= 0.0, 1.0, -1.0)
    state = machine.initial[np.newaxis]
    for _ in range(4):
        state, _ = machine.step(state, image.reshape(1, -1))
        y = np.where(padded(feedback, y) + padded(control, image) + 0.03125 >= 0.0, 1.0, -1.0)
        assert np.array_equal(state[0], y.reshape(-1))


@pytest.mark.parametrize("cell", ["ideal", "chua_yang"])
@pytest.mark.parametrize("shape", [(1, 1), (1, 4), (3, 2)])
@pytest.mark.usefixtures("ngspice")
def test_circuits(cell: str, shape: tuple[int, int], rng: np.random.Generator) -> None:
    cells = network(shape, rng)
    circuit = hh.lower(cells.graph(), cell=cell)
    wave = hh.simulate(circuit, inputs=cells.inputs, t_stop=2e-6, points=21)
    assert np.allclose(wave["output"], solution(cells, 2e-6, 21), atol=2e-3)


def test_random_networks_have_every_boundary() -> None:
    drawn = {random_cellular(np.random.default_rng(seed)).template.boundary for seed in range(40)}
    assert drawn == {"zero", "fixed", "periodic", "zero_flux"}
