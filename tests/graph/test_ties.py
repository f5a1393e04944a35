"""Ties and halves: a drive of 0 keeps the state, and a number halfway goes to the even level, in every machine."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

import hopfield_hw as hh
from hopfield_hw.equations import decision_margins
from hopfield_hw.equations.asynchronous import run_asynchronous
from hopfield_hw.equations.sequences import run_sequence
from hopfield_hw.families import dense_memory, discrete_bam, discrete_hopfield
from hopfield_hw.graph import Affine, Clock, Edge, Graph, Hold, Input, Output, Quantise, Sign, tie_band, tie_bands
from hopfield_hw.integers.fixed_point import QFormat
from hopfield_hw.integers.icarus import simulate_verilog
from hopfield_hw.integers.lowering import FixedPoint, lower_to_integers
from hopfield_hw.integers.machine import FixedMachine
from hopfield_hw.transforms import in_si
from hopfield_hw.values.arrays import Array
from hopfield_hw.values.errors import InputError, Unrealisable

PERIOD = 1e-3
# Steps of the weights: whole numbers, decimals that binary does not hold, and a step that no grid of decimals has.
STEPS = [1.0, 0.1, np.pi * 1e-3]


def drawn(seed: int, n: int = 6) -> tuple[Array, Array, Array]:
    """Small whole weights and biases, whose sums are often 0, and a start."""
    rng = np.random.default_rng([36, seed])
    return rng.integers(-2, 3, (n, n)), rng.integers(-1, 2, n), rng.choice([-1, 1], n)


def by_the_law(weights: Array, bias: Array, x: Array, steps: int) -> Array:
    """The law in whole numbers, where a sum of 0 is one. Returns (steps + 1, n)."""
    found = [x.astype(np.int64)]
    for _ in range(steps):
        drive = weights @ found[-1] + bias
        found.append(np.where(drive == 0, found[-1], np.sign(drive)))
    return np.array(found)


def ties_in(weights: Array, bias: Array, states: Array) -> int:
    return int(np.count_nonzero(states[:-1] @ weights.T + bias == 0))


def graph_of(seed: int, step: float, *, form: Any = np.asarray, volts: float = 1.0) -> tuple[Graph, Array]:
    """The network with weights of that step, and the states that it goes through."""
    weights, bias, x = drawn(seed)
    states = by_the_law(weights, bias, x, 6)
    assert ties_in(weights, bias, states) > 0
    graph = discrete_hopfield(form(step * weights), bias=step * bias, initial=x)
    return replace(graph, units=hh.Units(volts_per_unit=volts, seconds_per_unit=PERIOD)), states


SEEDS = [k for k in range(40) if ties_in(*drawn(k)[:2], by_the_law(*drawn(k), 6)) > 3][:4]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("form", [np.asarray, sp.csr_array])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_tie_keeps_the_state_in_floating_point(seed: int, form: Any, step: float) -> None:
    graph, states = graph_of(seed, step, form=form, volts=0.25)
    wave = hh.reference(graph, t_stop=6 * PERIOD)
    np.testing.assert_array_equal(wave["state"].to_numpy(), 0.25 * states)
    run = run_sequence(graph, np.zeros((6, 3, 0))).outputs  # many at once, unrolled
    np.testing.assert_array_equal(run, np.repeat(states[:6, np.newaxis], 3, axis=1))


@pytest.mark.usefixtures("ngspice")
@pytest.mark.filterwarnings("ignore::hopfield_hw.AccuracyWarning")  # of a neuron at rest, whose range is next to 0
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("cell", ["ideal", "active_rc"])
@pytest.mark.parametrize("seed", SEEDS[:2])
def test_a_tie_keeps_the_state_in_a_circuit(seed: int, cell: str, step: float) -> None:
    graph, states = graph_of(seed, step, volts=2.0)
    wave = hh.simulate(hh.lower(graph, cell=cell), t_stop=6 * PERIOD)
    np.testing.assert_allclose(wave["state"].to_numpy(), 2.0 * states, atol=1e-2)


@pytest.mark.parametrize("word", [3, 4, 12])
@pytest.mark.parametrize("step", [1.0, 0.1])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_tie_keeps_the_state_in_integers(seed: int, step: float, word: int) -> None:
    """Words for +1 and -1 are enough: the sum is compared before it is rounded; weights are off by half of 2^-20."""
    graph, states = graph_of(seed, step)
    formats = FixedPoint(signals=QFormat(word=word, fraction=1), weights=QFormat(word=24, fraction=20))
    machine = FixedMachine(lower_to_integers(graph, formats))
    inputs = np.zeros((6, 2, 0))
    np.testing.assert_array_equal(run_sequence(machine, inputs).outputs[:, 0], states[:6])
    long = run_sequence(machine, np.zeros((1200, 1, 0))).outputs[:, 0]  # in machine code, where numba is there
    weights, bias, x = drawn(seed)
    np.testing.assert_array_equal(long, by_the_law(weights, bias, x, 1200)[:1200])


@pytest.mark.usefixtures("iverilog")
@pytest.mark.parametrize("step", [1.0, 0.1])
def test_a_tie_keeps_the_state_in_verilog(step: float) -> None:
    graph, states = graph_of(SEEDS[0], step)
    formats = FixedPoint(signals=QFormat(word=4, fraction=1), weights=QFormat(word=24, fraction=20))
    clock = (Input(name="u", size=1), Output(name="z", size=1))  # something that says for how many steps
    driven = replace(graph, operators=(*graph.operators, *clock), edges=(*graph.edges, Edge("u", "z")))
    found = simulate_verilog(lower_to_integers(driven, formats), {"u": np.zeros((6, 1), dtype=np.int64)})
    np.testing.assert_array_equal(0.5 * found["y"], states[:6])


@pytest.mark.parametrize("step", STEPS)
def test_a_tie_keeps_the_state_one_neuron_at_a_time(step: float) -> None:
    """The same order in whole numbers; and neurons without any drive stay as they are."""
    weights, bias, x = drawn(SEEDS[0])
    graph, _ = graph_of(SEEDS[0], step)
    found = run_asynchronous(graph, rng=np.random.default_rng(5), max_sweeps=7).states[0]
    rng, own = np.random.default_rng(5), x.copy()
    for _ in range(7):
        before = own.copy()
        for i in rng.permutation(own.size).tolist():
            drive = int(weights[i] @ own + bias[i])
            own[i] = own[i] if drive == 0 else np.sign(drive)
        if np.array_equal(own, before):
            break
    np.testing.assert_array_equal(found, own)


def test_both_memories_keep_their_states_at_ties() -> None:
    bam = discrete_bam([[1.0, -1.0], [0.3, -0.3]], initial_x=[1.0, 1.0], initial_y=[1.0, 1.0])
    # M^T x = (1.3, -1.3), so y = (1, -1); M y = (2, 0.6): decided. With bias -2 the first is a tie of 0.
    tied = discrete_bam([[1.0, -1.0], [0.3, -0.3]], bias_x=[-2.0, -0.6], initial_x=[-1.0, 1.0], initial_y=[1.0, 1.0])
    for graph, expected in ((bam, [1.0, 1.0]), (tied, None)):
        states = hh.reference(graph, t_stop=3e-3)["state"].to_numpy()
        x = states[:, :2]
        if expected is not None:
            np.testing.assert_array_equal(x[-1], expected)
        else:  # x = (-1, 1): M^T x = (-0.7, 0.7), y = (-1, 1), M y - I = (-4, -1.2)
            np.testing.assert_array_equal(states[1], [-1.0, -1.0, -1.0, 1.0])
    # Two patterns that differ at the last neuron pull it alike to either side.
    memory = dense_memory([[1.0, 1.0, 1.0], [1.0, 1.0, -1.0]], degree=3, initial=[-1.0, -1.0, 1.0], discrete=True)
    assert memory.by_name["v"].value(np.zeros(3), np.array([1.0, -1.0, 1.0])).tolist() == [1.0, -1.0, 1.0]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("terms", "band"),
    [
        ([2.0, -4.0, 6.0], 1.0),  # a step of 2
        ([0.1, 0.2, -0.3], 0.05),
        ([1.0 / 3.0, 0.5], 1.0 / 12.0),
        ([3e15, 3e15, -1.0], 0.5),  # whole numbers, however large
        ([], 0.5),
        ([0.0, 0.0], 0.5),
        ([np.pi, -np.pi, 2**0.5], 0.5 * 2**0.5),  # the least of 2 pi +- sqrt 2 and +- sqrt 2
        ([np.pi, 3.0], 0.5 * (np.pi - 3.0)),
    ],
)
def test_the_band_is_half_of_the_least_sum(terms: list[float], band: float) -> None:
    assert tie_band(terms) == pytest.approx(band, rel=1e-9)


def test_the_band_of_many_terms_on_no_grid_is_a_part_of_their_sum(rng: np.random.Generator) -> None:
    terms = rng.normal(size=40)
    assert tie_band(terms.tolist()) == pytest.approx(1e-9 * np.abs(terms).sum())
    rounding = float(np.abs(sum(np.concatenate([terms, -terms])[rng.permutation(80)].tolist())))
    assert rounding < tie_band(terms.tolist())


def test_bands_are_by_row_with_the_bias() -> None:
    weights = np.array([[0.0, 4.0], [0.3, 0.0]])
    for form in (np.asarray, sp.csr_array):
        affine = Affine(name="syn", weights=form(weights), bias=[2.0, 0.2])
        assert tie_bands(affine) == pytest.approx([1.0, 0.05])


def test_the_weights_are_those_given() -> None:
    graph = discrete_hopfield([[0.0, 1.0], [1.0, 0.0]])
    assert graph.of_type(Affine)[0].weights.matrix.tolist() == [[0.0, 1.0], [1.0, 0.0]]
    same = hh.parse_graph(graph.text)
    assert same.hash == graph.hash
    assert Edge("x", "v", "tie") in graph.edges
    sign = in_si(replace(graph, units=hh.Units(volts_per_unit=0.5))).by_name["v"]
    assert isinstance(sign, Sign)
    assert (sign.amplitude, sign.band.tolist()) == (0.5, [0.25, 0.25])


def test_a_circuit_that_cannot_hold_a_tie_can_be_known_beforehand() -> None:
    """Of 14 weights on no grid the band is 1e-9: the margin says that a tie is decided by less than any circuit has."""
    rng = np.random.default_rng(7)
    half = rng.normal(size=(14, 7))
    tied = discrete_hopfield(np.concatenate([half, -half], axis=1), initial=np.ones(14))
    fair = discrete_hopfield(np.ones((14, 14)), bias=1.0, initial=np.ones(14))
    margins = [decision_margins(graph, np.ones((1, 14)))["v"] for graph in (tied, fair)]
    assert margins[0].shape == (1, 14)
    assert margins[0].max() < 1e-8
    # |15 - 1/2| of 15
    np.testing.assert_allclose(margins[1], 14.5 / 15.0)


REFUSED = {
    "no band": (
        lambda: Sign(name="v", size=2, band=[0.5, 0.0]),  # type: ignore[arg-type]
        "`v.band[1] = 0.0 V`: must be positive",
    ),
    "another size": (
        lambda: Sign(name="v", size=2, band=[0.5] * 3),  # type: ignore[arg-type]
        "`v.band` has shape (3,): must have shape (2,)",
    ),
    "no amplitude": (
        lambda: Sign(name="v", size=1, band=[0.5], amplitude=-1.0),  # type: ignore[arg-type]
        "`v.amplitude = -1.0 V`: must be positive",
    ),
    "a pair": (
        lambda: hh.lower(discrete_hopfield(np.ones((2, 2))), cell=hh.ActiveRC(activation="pair")),
        "Sign 'v': is a comparator, not a differential pair; use activation='exact'",
    ),
    "ties of something else": (
        lambda: run_asynchronous(_other_ties(), rng=np.random.default_rng(0)),
        "run_asynchronous: the ties of 'v' are not those of the Hold; drive them by it",
    ),
}


def _other_ties() -> Graph:
    graph = discrete_hopfield(np.ones((2, 2)))
    edges = tuple(Edge("syn", "v", "tie") if edge == Edge("x", "v", "tie") else edge for edge in graph.edges)
    return replace(graph, edges=edges)


@pytest.mark.parametrize(("act", "message"), REFUSED.values(), ids=REFUSED)
def test_wrong_input_is_refused(act: Any, message: str) -> None:
    with pytest.raises((InputError, Unrealisable)) as refused:
        act()
    assert str(refused.value) == message


# Halves


CONVERTERS = [(5, -1.0, 1.0), (4, 0.0, 3.0), (9, -0.5, 0.5), (2, 0.0, 1.0)]


def halves(levels: int, lower: float, upper: float) -> tuple[list[float], list[float]]:
    """Numbers at every middle, just beside it, and beyond the ends; and the levels they go to, in exact fractions."""
    step = (Fraction(upper) - Fraction(lower)) / (levels - 1)
    middles = [float(Fraction(lower) + step * (k + Fraction(1, 2))) for k in range(levels - 1)]
    numbers = [*middles, *(m + d for m in middles for d in (-1e-3, 1e-3)), lower - 7.0, upper + 7.0]
    places = [min(max(round((Fraction(x) - Fraction(lower)) / step), 0), levels - 1) for x in numbers]
    return numbers, [float(Fraction(lower) + step * k) for k in places]


def converting(levels: int, lower: float, upper: float, size: int, period: float = 1.0) -> Graph:
    operators = (
        Input(name="u", size=size),
        Hold(name="x", clock=Clock(period=period), initial=np.zeros(size)),
        Quantise(name="q", size=size, levels=levels, lower=lower, upper=upper),
        Output(name="y", size=size),
    )
    return Graph(operators=operators, edges=(Edge("u", "q"), Edge("q", "x"), Edge("q", "y")))


@pytest.mark.parametrize("form", CONVERTERS)
def test_halves_in_floating_and_fixed_point(form: tuple[int, float, float]) -> None:
    numbers, expected = halves(*form)
    graph = converting(*form, len(numbers))
    assert run_sequence(graph, [numbers]).outputs[0, 0].tolist() == expected
    kept = QFormat(word=24, fraction=16)
    machine = FixedMachine(lower_to_integers(graph, FixedPoint(signals=kept, weights=kept)))
    assert run_sequence(machine, [numbers]).outputs[0, 0].tolist() == expected


@pytest.mark.usefixtures("ngspice")
@pytest.mark.parametrize("form", CONVERTERS)
def test_halves_in_a_circuit(form: tuple[int, float, float]) -> None:
    numbers, expected = halves(*form)
    wave = hh.simulate(hh.lower(converting(*form, len(numbers), PERIOD)), t_stop=2 * PERIOD, inputs=numbers)
    np.testing.assert_allclose(wave["state"].to_numpy()[-1], expected, atol=1e-6)


@pytest.mark.usefixtures("iverilog")
@pytest.mark.parametrize("form", CONVERTERS)
def test_halves_in_verilog(form: tuple[int, float, float]) -> None:
    numbers, expected = halves(*form)
    kept = QFormat(word=24, fraction=16)
    program = lower_to_integers(converting(*form, len(numbers)), FixedPoint(signals=kept, weights=kept))
    found = simulate_verilog(program, {"u": kept.quantise([numbers])})
    assert kept.value(found["y"])[0].tolist() == expected


@pytest.mark.parametrize("form", [(9, -0.9, 0.7), (6, 0.1, 1.1), (1001, -0.3, 0.7)])
def test_a_number_beside_a_half_goes_where_it_is_exactly(form: tuple[int, float, float]) -> None:
    """Steps that binary does not hold: the floats beside each middle, against exact fractions."""
    levels, lower, upper = form
    step = (Fraction(upper) - Fraction(lower)) / (levels - 1)
    middles = np.array([float(Fraction(lower) + step * (k + Fraction(1, 2))) for k in range(levels - 1)])
    x = np.concatenate([np.nextafter(middles, -9.0), middles, np.nextafter(middles, 9.0)])
    found = Quantise(name="q", size=x.size, levels=levels, lower=lower, upper=upper).value(x)
    places = [round((Fraction(v) - Fraction(lower)) / step) for v in x.tolist()]
    np.testing.assert_array_equal(np.rint((found - lower) / float(step)), places)
