"""Problems: the published networks with the answers that they are known for, right and wrong ones."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from hopfield_hw.equations import solve_batch
from hopfield_hw.functions import Logistic
from hopfield_hw.networks.network import Network
from hopfield_hw.problems import PROBLEMS, ad_converter, build_problem, memory, read_patterns
from hopfield_hw.problems.ad_converter import UNCLEAR, codes, visited_codes
from hopfield_hw.problems.answers import period_and_swing
from hopfield_hw.problems.learning_rules import hebb, projection
from hopfield_hw.problems.memory import corrupt
from hopfield_hw.values.errors import InputError

Floats = npt.NDArray[np.float64]

DIGITS = Path(__file__).parents[2] / "circuits" / "digit_memory" / "digits.csv"
# 160 inputs between -0.5 and 15.5, none of them on a transition.
INPUTS = np.linspace(-0.45, 15.45, 160)
IDEAL_CODES = np.floor(INPUTS + 0.5)
SETTLED = 1.3e-4  # 20 time constants of the slowest of the four neurons, bit 0


def converted(network: Network, inputs: Floats, **others: Any) -> Floats:
    """Return the outputs (inputs, bits) of a converter that is reset before each input, which is in its bias here."""
    weights = network.input_weights[:, 0]
    graphs = [replace(network, bias=network.bias + weights * x, input_weights=None).graph() for x in inputs]
    wave = solve_batch(graphs, t_stop=SETTLED, points=2, rtol=1e-7, **others)
    return np.asarray(wave.output.values[:, -1])


@cache
def reset_conversions(gain: float) -> Floats:
    return converted(ad_converter(gain=gain), INPUTS)


def test_converter_has_the_weights_of_the_paper() -> None:
    network = ad_converter(siemens=1e-6)
    weights = [[0, -2, -4, -8], [-2, 0, -8, -16], [-4, -8, 0, -32], [-8, -16, -32, 0]]
    np.testing.assert_allclose(network.weights, np.array(weights) * 1e-6, rtol=1e-15)
    np.testing.assert_allclose(network.bias, [-0.5e-6, -2e-6, -8e-6, -32e-6], rtol=1e-15)
    np.testing.assert_allclose(network.input_weights, [[1e-6], [2e-6], [4e-6], [8e-6]], rtol=1e-15)
    # 1/R_i: synapses, input, and the resistor from the reference of -1 V.
    np.testing.assert_allclose(1.0 / network.resistance, [15.5e-6, 30e-6, 56e-6, 96e-6], rtol=1e-15)
    assert network.gain == Logistic(gain=500.0)
    assert network.symmetric


def test_reset_converter_is_off_by_one_code_at_16_of_160_inputs() -> None:
    found = codes(reset_conversions(500.0))
    wrong = found != IDEAL_CODES
    assert set(found.tolist()) == set(range(16))
    assert wrong.sum() == 16
    assert np.abs(found - IDEAL_CODES).max() == 1
    # The wrong one farthest from a transition, which lie halfway between the codes, in LSB.
    distance = np.abs(INPUTS - 0.5 - np.round(INPUTS - 0.5))
    assert distance[wrong].max() == pytest.approx(0.35)
    # Both halves of the range err alike: complementing bits and x is a symmetry of the network.
    np.testing.assert_array_equal(found, 15 - found[::-1])


def test_equal_time_constants_make_it_worse() -> None:
    network = ad_converter()
    equal = replace(network, capacitance=1e-9 * network.resistance[0] / network.resistance)
    found = codes(converted(equal, INPUTS))
    assert (found != IDEAL_CODES).sum() == 40
    assert sorted(set(range(16)) - set(found.tolist())) == [4, 11]


@pytest.mark.parametrize(("gain", "unclear"), [(300.0, 16), (400.0, 0), (500.0, 0)])
def test_outputs_reach_their_rails_to_a_hundredth_only_at_high_gain(gain: float, unclear: int) -> None:
    """The leak that comes with physical resistors holds outputs back; a gain of 500 leaves 0.16%."""
    output = reset_conversions(gain)
    away = np.abs(output - np.round(output)).max(axis=1)
    assert (away > 0.01).sum() == unclear
    assert gain != 500.0 or away.max() == pytest.approx(0.0016, abs=1e-4)


# x, and the codes that are stable there in the limit of high gain, where a bit is on if its net current is above zero.
STABLE = {0: {0}, 3: {3, 4}, 5: {3, 5, 8}, 7: {7, 8}, 8: {7, 8}, 11: {7, 11, 12}, 15: {15}}
# Of these, the codes with a bit whose net current is exactly zero: at any finite gain that bit stays at one half.
MARGINAL = {5: {3}, 11: {7}}


@pytest.mark.parametrize("x", STABLE)
def test_stable_corners(x: int) -> None:
    """Started at each corner, u as its currents hold it, the network stays at the stable ones that are not marginal."""
    network = ad_converter(siemens=1.0, capacitance=1e-4)  # the same R C as with 10 uS and 1 nF, and exact sums
    bits = (np.arange(16)[:, np.newaxis] >> np.arange(4)) % 2
    held = replace(network, bias=network.bias + x * network.input_weights[:, 0], input_weights=None)
    drive = bits @ held.weights.T + held.bias
    assert {code for code in range(16) if np.array_equal(drive[code] > 0.0, bits[code] == 1)} == STABLE[x]
    marginal = MARGINAL.get(x, set())
    assert {code for code in STABLE[x] if np.any(drive[code] == 0.0)} == marginal

    start = held.resistance * np.abs(drive) * (2 * bits - 1)
    output = solve_batch(held.graph(), initial=start, t_stop=5.0 * SETTLED, points=2, rtol=1e-6).output.values[:, -1]
    found = codes(output)
    assert {code for code in range(16) if found[code] == code} == STABLE[x] - marginal
    for code in marginal:
        np.testing.assert_allclose(output[code], np.where(drive[code] == 0.0, 0.5, bits[code]), atol=0.01)


def test_codes_are_those_of_clear_bits() -> None:
    output = np.array([[0.0, 0.0, 0.0, 0.0], [1.0, 0.0, 0.95, 0.02], [0.0, 0.0, 0.0, 1.0], [1.0, 0.5, 0.0, 0.0]])
    assert codes(output).tolist() == [0, 5, 8, UNCLEAR]


def test_visited_codes_are_held_long_enough_and_lie_in_the_window() -> None:
    held = [0, 0, 0, 1, 3, 3, 3, UNCLEAR, 3, 3, 2, 2, 2]
    output = np.array([[0.5, 0.5] if code == UNCLEAR else [code % 2, code // 2] for code in held], dtype=np.float64)
    times = np.arange(13.0)
    assert visited_codes(times, output, start=0.0, stop=12.0, dwell=1.5) == (0, 3, 2)
    assert visited_codes(times, output, start=0.0, stop=12.0, dwell=0.0) == (0, 1, 3, 2)
    assert visited_codes(times, output, start=4.0, stop=9.0, dwell=1.0) == (3,)
    assert visited_codes(times, output, start=20.0, stop=30.0, dwell=1.0) == ()


def test_stored_patterns_are_the_images() -> None:
    stored = read_patterns(DIGITS)
    assert stored.labels == ("0", "1", "3", "4", "7")
    assert stored.shape == (8, 8)
    assert set(np.unique(stored.values).tolist()) == {-1.0, 1.0}
    seven = "\n".join("".join("#" if v > 0 else "." for v in row) for row in stored.values[4].reshape(8, 8))
    expected = "...#####\n...####.\n.....##.\n...###..\n...###..\n...##...\n...#....\n..##...."
    assert seven == expected
    assert stored.distances(stored.values[0])["4"] == 18


def test_levels_are_cut_at_the_middle_of_their_range(tmp_path: Path) -> None:
    path = tmp_path / "levels.csv"
    path.write_text("# a comment\na,0,4,5,10\n\nb,10,10,0,0\n", encoding="utf-8")
    stored = read_patterns(path)
    assert (stored.labels, stored.shape) == (("a", "b"), (2, 2))
    assert stored.values.tolist() == [[-1, -1, 1, 1], [1, 1, -1, -1]]


def test_hebb_is_the_mean_outer_product_without_its_diagonal() -> None:
    patterns = np.array([[1.0, 1.0, -1.0, -1.0], [1.0, -1.0, 1.0, -1.0]])
    expected = [[0.0, 0.0, 0.0, -0.5], [0.0, 0.0, -0.5, 0.0], [0.0, -0.5, 0.0, 0.0], [-0.5, 0.0, 0.0, 0.0]]
    np.testing.assert_array_equal(hebb(patterns), expected)


def test_projection_holds_overlapping_patterns_and_hebb_does_not() -> None:
    patterns = read_patterns(DIGITS).values
    weights = projection(patterns)
    exact = patterns.T @ np.linalg.solve(patterns @ patterns.T, patterns)
    np.fill_diagonal(exact, 0.0)
    # Nine decimals are kept, so that netlists do not depend on the linear algebra library.
    np.testing.assert_array_equal(weights, np.round(weights, 9))
    np.testing.assert_allclose(weights, exact, rtol=0.0, atol=0.51e-9)
    np.testing.assert_array_equal(weights, weights.T)
    margins = (patterns * (patterns @ weights)).min(axis=1)
    assert margins.min() > 0.8
    assert (patterns * (patterns @ hebb(patterns))).min(axis=1).max() < 0.0


def test_projection_of_dependent_patterns_is_that_of_the_others() -> None:
    patterns = read_patterns(DIGITS).values
    np.testing.assert_allclose(projection(np.vstack([patterns, -patterns[:2]])), projection(patterns), atol=2e-9)


def test_corruption_flips_the_pixels_that_its_seed_says() -> None:
    pattern = read_patterns(DIGITS).values[0]
    first, again, other = (corrupt(pattern, 10, seed) for seed in (1, 1, 2))
    assert (first != pattern).sum() == (other != pattern).sum() == 10
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    np.testing.assert_array_equal(corrupt(pattern, 0, 1), pattern)


def test_every_digit_is_recalled_from_forty_corruptions_of_ten_pixels() -> None:
    stored = read_patterns(DIGITS)
    network = memory(patterns=DIGITS, recall="0", flipped=10, seed=0)
    starts = [0.1 * corrupt(pattern, 10, seed) for pattern in stored.values for seed in range(40)]
    wave = solve_batch(network.graph(), initial=starts, t_stop=2e-3, points=2, rtol=1e-6)
    np.testing.assert_array_equal(np.sign(wave.output.values[:, -1]), np.repeat(stored.values, 40, axis=0))


def test_memory_starts_at_the_corrupted_pattern_and_is_passive() -> None:
    network = memory(patterns=DIGITS, recall="3", flipped=10, seed=1984, start=0.2)
    np.testing.assert_array_equal(network.initial, 0.2 * corrupt(read_patterns(DIGITS).values[2], 10, 1984))
    assert (network.resistance * np.abs(network.weights).sum(axis=1)).max() == pytest.approx(0.887, abs=1e-3)


def test_period_and_swing_are_those_of_a_sine_once_it_has_settled() -> None:
    times = np.linspace(0.0, 10.0, 2001)
    values = 0.3 + 0.7 * np.sin(2.0 * np.pi * times / 0.97) + np.exp(-5.0 * times)
    period, swing = period_and_swing(times, values)
    assert period == pytest.approx(0.97, rel=1e-6)
    assert swing == pytest.approx(1.4, rel=1e-6)


@pytest.mark.parametrize("values", [np.zeros(101), np.linspace(0.0, 1.0, 101)], ids=["constant", "rising"])
def test_no_oscillation_has_no_period(values: Floats) -> None:
    period, _ = period_and_swing(np.linspace(0.0, 1.0, 101), values)
    assert np.isnan(period)


def file_with(text: str) -> Callable[[Path], Any]:
    def read(folder: Path) -> Any:
        path = folder / "patterns.csv"
        path.write_text(text, encoding="utf-8")
        return read_patterns(path)

    return read


GIVEN: dict[str, Any] = {"patterns": DIGITS, "recall": "3", "flipped": 10, "seed": 1}

REFUSED: dict[str, tuple[Callable[[Path], Any], str]] = {
    "unknown problem": (
        lambda _: build_problem("ad_convertor", {}),
        f"problem 'ad_convertor' is unknown: must be one of {', '.join(PROBLEMS)}; did you mean 'ad_converter'?",
    ),
    "unknown argument": (
        lambda _: build_problem("ad_converter", {"bit": 4}),
        "problem 'ad_converter': argument 'bit' is unknown: must be one of bits, siemens, capacitance, gain; "
        "did you mean 'bits'?",
    ),
    "missing argument": (
        lambda _: build_problem("memory", {"patterns": DIGITS, "recall": "3", "seed": 1}),
        "problem 'memory': the argument 'flipped' is missing; must have patterns, recall, flipped, seed",
    ),
    "bits": (
        lambda _: ad_converter(bits=13),
        "`ad_converter.bits` = 13: must be a whole number from 1 to 12",
    ),
    "bits, not whole": (
        lambda _: build_problem("ad_converter", {"bits": 4.0}),
        "`ad_converter.bits` = 4.0: must be a whole number from 1 to 12",
    ),
    "siemens": (
        lambda _: ad_converter(siemens=-1e-5),
        "`ad_converter.siemens = -1e-05 S`: must be positive",
    ),
    "capacitance": (
        lambda _: ad_converter(capacitance=-1e-9),
        "`Network.capacitance[0] = -1e-09 F`: must be positive",
    ),
    "rule": (
        lambda _: memory(**GIVEN, rule="heb"),
        "memory: rule 'heb' is unknown: must be one of hebb, storkey, projection; did you mean 'hebb'?",
    ),
    "pattern": (
        lambda _: memory(**{**GIVEN, "recall": "8"}),
        "pattern '8' is unknown: must be one of 0, 1, 3, 4, 7",
    ),
    "flipped": (
        lambda _: memory(**{**GIVEN, "flipped": 65}),
        "`memory.flipped` = 65: must be a whole number from 0 to 64",
    ),
    "patterns, not a path": (
        lambda _: build_problem("memory", {**GIVEN, "patterns": "digits.csv"}),
        "`memory.patterns` = 'digits.csv': must be a Path; a design.toml has it in network.files",
    ),
    "no such file": (
        lambda folder: read_patterns(folder / "none.csv"),
        "none.csv: cannot be read (",
    ),
    "no patterns": (
        file_with("# nothing\n"),
        "patterns.csv: must hold lines of one length, each a label and the levels of its pixels",
    ),
    "lines of two lengths": (
        file_with("a,1,2\nb,1\n"),
        "patterns.csv: must hold lines of one length, each a label and the levels of its pixels",
    ),
    "not a number": (
        file_with("a,1,x\n"),
        "patterns.csv: must hold numbers after each label (",
    ),
    "NaN": (
        file_with("a,1,nan\n"),
        "patterns.csv: holds NaN or infinite levels: must be finite",
    ),
    "a label twice": (
        file_with("a,1,2\na,2,1\n"),
        "patterns.csv: the labels are a, a: must differ; rename one",
    ),
}


@pytest.mark.parametrize(("make", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(make: Callable[[Path], Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        make(tmp_path)
    assert str(caught.value).startswith(message)
    assert message.endswith("(") or str(caught.value) == message


def test_every_problem_says_where_it_comes_from() -> None:
    for make in PROBLEMS.values():
        text = f"{sys.modules[make.__module__].__doc__} {make.__doc__}"
        assert re.search(r"\b(19|20)\d\d\b", text), make
