"""Networks from waveforms: exact cases, symmetries, intervals that hold, wrong weights that are seen, and refusals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import hopfield_hw as hh
from hopfield_hw.extraction.recordings import Noise, Recording, estimate_noise, find_step, lasting_variance
from hopfield_hw.extraction.shooting import Parameters, average, find_misfit, linearise
from hopfield_hw.extraction.waveforms import WaveformFit, fit_waveforms
from hopfield_hw.values.arrays import Array
from hopfield_hw.values.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Truth:
    """A network in SI units."""

    weights: Array = field(default_factory=lambda: np.array([[80e-6, -150e-6], [120e-6, 60e-6]]))
    resistance: Array = field(default_factory=lambda: np.array([10e3, 12e3]))
    capacitance: Array = field(default_factory=lambda: np.array([10e-9, 8e-9]))
    bias: Array = field(default_factory=lambda: np.array([10e-6, -5e-6]))
    slopes: Array = field(default_factory=lambda: np.array([3.0, 5.0]))
    amplitude: Array = field(default_factory=lambda: np.ones(2))

    def rate(self, _: float, x: Array) -> Array:
        y = self.amplitude * np.tanh(self.slopes * x / self.amplitude)
        return np.asarray((self.weights @ y - x / self.resistance + self.bias) / self.capacitance)


STARTS = [(1.2, 0.9), (-1.3, 0.4), (0.2, -1.1), (-0.4, -0.7), (0.9, -0.1), (-1.0, 1.2)]
T_STOP = 0.8e-3


def transients(
    truth: Any, starts: Sequence[Sequence[float]] = STARTS, *, samples: int = 400, t_stop: float = T_STOP
) -> list[Recording]:
    times = np.linspace(0.0, t_stop, samples)
    return [
        Recording(
            times=times,
            states=solve_ivp(
                truth.rate, (0.0, t_stop), start, t_eval=times, rtol=1e-10, atol=1e-12, method="DOP853"
            ).y.T,
            label=f"start {k}",
        )
        for k, start in enumerate(starts)
    ]


def noisy(recordings: list[Recording], volts: float, rng: np.random.Generator, step: float = 0.0) -> list[Recording]:
    found = []
    for one in recordings:
        states = one.states + volts * rng.normal(size=one.states.shape)
        found.append(replace(one, states=step * np.round(states / step) if step else states))
    return found


def check_exact(found: WaveformFit, truth: Truth, rtol: float) -> None:
    size = np.abs(truth.weights).max()
    np.testing.assert_allclose(found.weights, truth.weights, atol=rtol * size, rtol=0.0)
    np.testing.assert_allclose(found.resistance, truth.resistance, rtol=3.0 * rtol)
    np.testing.assert_allclose(found.slopes, truth.slopes, rtol=3.0 * rtol)
    np.testing.assert_allclose(found.bias, truth.bias, atol=3.0 * rtol * np.abs(truth.bias).max(), rtol=0.0)


@pytest.fixture(scope="module")
def clean() -> WaveformFit:
    return fit_waveforms(transients(Truth()), capacitance=Truth().capacitance)


@pytest.fixture(scope="module")
def given() -> list[Recording]:
    return noisy(transients(Truth()), 1e-3, np.random.default_rng(3))


@pytest.fixture(scope="module")
def measured(given: list[Recording]) -> WaveformFit:
    return fit_waveforms(given, capacitance=Truth().capacitance)


def test_clean_waveforms_give_the_network(clean: WaveformFit) -> None:
    check_exact(clean, Truth(), 1e-5)
    assert clean.certain
    assert clean.identified.all()
    assert clean.notes[-1].startswith("4 of 4 weights are known, the worst within ")
    assert len(clean.notes) == 1
    np.testing.assert_allclose(clean.starts, STARTS, atol=1e-5)


def test_the_network_goes_through_the_same_states(clean: WaveformFit) -> None:
    own = transients(Truth(), STARTS[:1])[0]
    wave = hh.reference(clean.network(), t_stop=T_STOP, points=own.times.size)
    np.testing.assert_allclose(wave["state"].to_numpy(), own.states, atol=1e-4)


def test_uneven_and_coarse_times_do_as_well() -> None:
    rng = np.random.default_rng(5)
    fine = transients(Truth(), samples=2000)
    picked = []
    for one in fine:
        at = np.sort(rng.choice(2000, 150, replace=False))
        picked.append(Recording(times=one.times[at], states=one.states[at]))
    check_exact(fit_waveforms(picked, capacitance=Truth().capacitance), Truth(), 2e-4)


def test_one_neuron() -> None:
    truth = Truth(
        weights=np.array([[250e-6]]),
        resistance=np.array([10e3]),
        capacitance=np.array([1e-8]),
        bias=np.array([2e-6]),
        slopes=np.array([2.0]),
        amplitude=np.ones(1),
    )
    check_exact(fit_waveforms(transients(truth, [(3.0,), (-3.0,), (0.1,)]), capacitance=1e-8), truth, 1e-4)


def test_units_of_time_and_volts_scale_the_answer(given: list[Recording], measured: WaveformFit) -> None:
    slow = [replace(one, times=1e3 * one.times + 7.0) for one in given]
    found = fit_waveforms(slow, capacitance=1e3 * Truth().capacitance)
    np.testing.assert_allclose(found.weights, measured.weights, rtol=1e-5)
    small = [replace(one, states=1e-2 * one.states) for one in given]
    found = fit_waveforms(small, capacitance=Truth().capacitance, amplitude=1e-2)
    np.testing.assert_allclose(found.weights, measured.weights, rtol=1e-5)
    np.testing.assert_allclose(found.bias, 1e-2 * measured.bias, rtol=1e-4)
    np.testing.assert_allclose(found.slopes, measured.slopes, rtol=1e-5)


def test_an_amplitude_scales_its_column_and_its_slope(given: list[Recording], measured: WaveformFit) -> None:
    found = fit_waveforms(given, capacitance=Truth().capacitance, amplitude=[2.0, "5V"])
    np.testing.assert_allclose(found.weights, measured.weights / [2.0, 5.0], rtol=1e-6)
    np.testing.assert_allclose(found.slopes, measured.slopes * [2.0, 5.0], rtol=1e-6)
    np.testing.assert_allclose(found.weight_errors, measured.weight_errors / [2.0, 5.0], rtol=1e-2)


def test_neurons_in_another_order_give_the_network_in_that_order(given: list[Recording], measured: WaveformFit) -> None:
    turned = [replace(one, states=one.states[:, ::-1]) for one in given]
    second = fit_waveforms(turned, capacitance=Truth().capacitance[::-1])
    np.testing.assert_allclose(second.weights[::-1, ::-1], measured.weights, atol=1e-2 * measured.weight_errors.max())
    np.testing.assert_allclose(second.weight_errors[::-1, ::-1], measured.weight_errors, rtol=1e-2)


def test_intervals_hold_and_a_wrong_weight_is_seen() -> None:
    rng = np.random.default_rng(11)
    held, seen = [], []
    wrong = Truth().weights.copy()
    wrong[0, 1] *= 1.1
    for _ in range(3):
        for truth in (Truth(), Truth(weights=wrong)):
            found = fit_waveforms(noisy(transients(truth), 0.02, rng, 1e-3), capacitance=truth.capacitance)
            assert found.chi_square == pytest.approx(1.0, abs=0.1)
            low, high = np.moveaxis(found.weight_intervals, -1, 0)
            held.append((low <= truth.weights) & (truth.weights <= high))
            inside = low[0, 1] <= Truth().weights[0, 1] <= high[0, 1]
            assert (
                found.slope_intervals.shape == found.resistance_intervals.shape == found.bias_intervals.shape == (2, 2)
            )
            if truth.weights is wrong:
                seen.append(not inside)
    assert np.mean(held) >= 0.85
    assert all(seen)


def test_a_noisy_channel_makes_its_own_row_less_known() -> None:
    alone = Truth(weights=np.diag([80e-6, 60e-6]))
    rng = np.random.default_rng(7)
    loud = [replace(one, states=one.states + [1e-3, 2e-2] * rng.normal(size=(400, 2))) for one in transients(alone)]
    found = fit_waveforms(loud, capacitance=alone.capacitance)
    leaks = np.sqrt(np.diag(found.covariance)[4:6])
    np.testing.assert_allclose(found.resistance_errors, leaks * found.resistance**2)
    for errors in (found.resistance_errors, found.bias_errors, np.diag(found.weight_errors), found.slope_errors):
        assert errors[1] > 5.0 * errors[0]


@pytest.mark.parametrize("starts", [STARTS[:1], [STARTS[0], STARTS[0]]], ids=["one", "the same twice"])
def test_one_transient_claims_nothing(starts: list[tuple[float, float]]) -> None:
    given = noisy(transients(Truth(), starts), 0.01, np.random.default_rng(2))
    found = fit_waveforms(given, capacitance=Truth().capacitance)
    assert not found.certain
    assert not found.identified.any()
    assert np.isinf(found.weight_intervals).all()
    assert np.isinf(found.bias_intervals).all()
    assert np.isinf(found.resistance_intervals[:, 1]).all()
    assert np.isinf(found.slope_intervals[:, 1]).all()
    several = "" if len(starts) == 1 else " (2 recordings begin at the same states)"
    assert found.notes[0] == (
        f"one transient{several} is not enough: other networks fit it as well, and its intervals would lie; nothing is "
        "claimed. Record transients from several different starts, at least as many as there are neurons"
    )
    assert found.rows()[0] == ("note", found.notes[0])


def test_a_state_that_does_not_move_is_named() -> None:
    truth = Truth(weights=np.array([[80e-6, -150e-6], [0.0, 0.0]]), bias=np.array([10e-6, 0.0]))
    starts = [(1.2, 0.0), (-1.3, 0.0), (0.3, 0.0)]
    given = noisy(transients(truth, starts), 0.01, np.random.default_rng(2))
    found = fit_waveforms(given, capacitance=truth.capacitance)
    assert "state 1 does not move: nothing can be told of row 1 and column 1 of the weights" in found.notes
    assert not found.identified[1].any()
    assert not found.identified[:, 1].any()


def test_a_curve_that_is_driven_where_it_is_straight_is_named() -> None:
    truth = Truth(slopes=np.array([3.0, 0.05]), weights=np.array([[80e-6, -2e-3], [120e-6, 60e-6]]))
    given = noisy(transients(truth, STARTS[:4]), 0.01, np.random.default_rng(2))
    found = fit_waveforms(given, capacitance=truth.capacitance)
    said = next(note for note in found.notes if note.startswith("curve 1 is driven where it is straight"))
    assert said.endswith(
        "its slope and column 1 of the weights trade off, and only T[:, j] b_j is told. Start from larger states"
    )
    assert not found.identified[:, 1].any()
    assert found.identified[:, 0].all()
    product = found.weights[0, 1] * found.slopes[1]
    assert product == pytest.approx(-2e-3 * 0.05, rel=0.1)


def test_a_curve_that_stays_saturated_is_named() -> None:
    truth = Truth(
        weights=np.array([[0.0, 50e-6], [80e-6, 0.0]]),
        bias=np.array([300e-6, 0.0]),
        slopes=np.array([8.0, 3.0]),
    )
    starts = [(1.5, 1.2), (2.0, -1.3), (4.0, 0.2), (3.0, -0.3)]
    given = noisy(transients(truth, starts), 0.01, np.random.default_rng(2))
    found = fit_waveforms(given, capacitance=truth.capacitance)
    assert any("curve 0" in note or "the slope of curve 0" in note for note in found.notes)
    assert not found.identified[:, 0].any()


@dataclass(frozen=True, kw_only=True)
class Driven(Truth):
    """A network with an input that changes, which the model does not know."""

    def rate(self, t: float, x: Array) -> Array:
        return super().rate(t, x) + np.array([4000.0 * np.sin(2e4 * t), 0.0])


def test_a_model_that_does_not_explain_the_samples_claims_nothing() -> None:
    given = noisy(transients(Driven(), STARTS[:3]), 0.01, np.random.default_rng(2))
    found = fit_waveforms(given, capacitance=Truth().capacitance)
    assert found.chi_square > 1.5
    assert not found.certain
    assert found.notes[0].startswith("the model does not explain the samples (chi-square ")


def test_a_converter_without_noise_is_accounted_for() -> None:
    given = noisy(transients(Truth(), samples=1000), 0.0, np.random.default_rng(0), 3.0 / 2**8)
    found = fit_waveforms(given, capacitance=Truth().capacitance)
    low, high = np.moveaxis(found.weight_intervals, -1, 0)
    assert found.identified.all()
    assert ((low <= Truth().weights) & (Truth().weights <= high)).all()
    assert found.chi_square < 1.3


def test_results_say_what_they_are(clean: WaveformFit) -> None:
    figures = clean.to_json()
    assert figures["identified"] == [[True, True], [True, True]]
    assert figures["weights"] == clean.weights.tolist()
    assert len(repr(clean)) <= 120
    assert not clean.weights.flags.writeable
    assert clean.covariance.shape == (10, 10)
    np.testing.assert_allclose(np.sqrt(np.diag(clean.covariance))[:4], clean.weight_errors.ravel())


def test_noise_is_estimated_with_and_without_a_converter() -> None:
    rng = np.random.default_rng(1)
    times = np.linspace(0.0, 1.0, 4000)
    signal = np.stack([np.exp(-3.0 * times), np.sin(5.0 * times)], axis=1)
    for volts, step in ((0.01, 0.0), (0.01, 0.005), (0.01, 0.02), (0.004, 0.02)):
        states = signal + volts * rng.normal(size=signal.shape)
        states = step * np.round(states / step) if step else states
        found = estimate_noise(Recording(times=times, states=states))
        np.testing.assert_allclose(found.step, step, rtol=1e-6)
        np.testing.assert_allclose(found.deviation, volts, rtol=0.15 if volts > 0.4 * step else 0.5)
        np.testing.assert_allclose(found.fresh + found.lasting, found.deviation**2 + step**2 / 12.0, rtol=1e-12)
        np.testing.assert_allclose(found.fresh, np.mean(np.diff(states, 3, axis=0) ** 2, axis=0) / 20.0, rtol=0.1)


def test_a_lasting_error_is_the_mean_over_the_noise() -> None:
    rng = np.random.default_rng(4)
    places = (np.arange(50) + 0.5) / 50.0
    for deviation in (0.0, 0.2, 0.35):
        drawn = places[:, None] + deviation * rng.normal(size=(50, 40_000))
        mean = (np.round(drawn) - places[:, None]).mean(axis=1)
        found = float(lasting_variance(np.array(deviation), np.array(1.0)))
        assert found == pytest.approx(np.mean(mean**2), rel=0.05, abs=1e-5)
    assert float(lasting_variance(np.array(1.0), np.array(0.0))) == 0.0


def test_steps_of_converters_are_found() -> None:
    rng = np.random.default_rng(6)
    smooth = rng.normal(size=3000)
    assert find_step(smooth) == 0.0
    assert find_step(np.round(smooth / 0.07) * 0.07 + 0.013) == pytest.approx(0.07)
    printed = np.array([float(f"{x:.4f}") for x in np.round(smooth / 0.0390625) * 0.0390625])
    assert find_step(printed) == pytest.approx(0.0390625, rel=1e-3)
    assert find_step(np.ones(50)) == 0.0


def test_normal_equations_are_the_derivatives_of_chi_square() -> None:
    rng = np.random.default_rng(8)
    given = noisy(transients(Truth(), STARTS[:2], samples=120), 0.05, rng)
    noise = [Noise(deviation=np.full(2, 0.05), step=np.zeros(2))] * 2
    blocks = average(given, noise, 40, np.ones(2), 1e-4)
    theta = Parameters(
        leak=np.array([1.1, 0.9]),
        weights=rng.normal(size=(2, 2)),
        bias=np.array([0.1, -0.2]),
        rate=np.array([2.0, 4.0]),
    ).joined()
    start = np.array(STARTS[:2])
    found = linearise(theta, start, blocks)
    for k in range(theta.size):
        step = np.zeros(theta.size)
        step[k] = 1e-5
        slope = (find_misfit(theta + step, start, blocks) - find_misfit(theta - step, start, blocks)) / 2e-5
        assert found.theta_gradient[k] == pytest.approx(slope / 2.0, rel=1e-5, abs=1e-4)
    for k in np.ndindex(2, 2):
        moved = np.zeros((2, 2))
        moved[k] = 1e-5
        slope = (find_misfit(theta, start + moved, blocks) - find_misfit(theta, start - moved, blocks)) / 2e-5
        assert found.start_gradient[k] == pytest.approx(slope / 2.0, rel=1e-5, abs=1e-4)


GIVEN = Recording(times=np.arange(30.0), states=np.zeros((30, 2)))
REFUSED: dict[str, tuple[Any, dict[str, Any], str]] = {
    "none": ([], {}, "`recordings` is empty: must have one Recording at least, and better one for each of many starts"),
    "number": (3, {}, "`recordings` = 3: must be a sequence of Recording(times=..., states=...)"),
    "array": (
        [np.zeros((3, 2))],
        {},
        "`recordings[0]` = array([[0., 0.],\n       [0., 0.],\n       [0., 0.]]): must be a Recording(times=..., "
        "states=...)",
    ),
    "other neurons": (
        [GIVEN, Recording(times=np.arange(30.0), states=np.zeros((30, 3)))],
        {},
        "`recordings[1]` has 3 channels and the first 2: all must have the same neurons in the same order",
    ),
    "family": ([GIVEN], {"family": "clip"}, "`family` = 'clip': must be one of tanh"),
    "capacitance": ([GIVEN], {"capacitance": 0.0}, "`capacitance[0] = 0.0 F`: must be positive"),
    "capacitances": ([GIVEN], {"capacitance": [1e-9] * 3}, "`capacitance` has shape (3,): must have shape (2,)"),
    "at rest": (
        [GIVEN],
        {},
        "`recordings`: no state moves by more than its noise in any of them: must have transients; start from other "
        "states than those of rest",
    ),
    "amplitude": ([GIVEN], {"amplitude": [1.0, -2.0]}, "`amplitude[1] = -2.0 V`: must be positive"),
}


@pytest.mark.parametrize(("recordings", "options", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_wrong_is_refused_by_name(recordings: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as refused:
        fit_waveforms(recordings, **{"capacitance": 1e-9, **options})
    assert str(refused.value) == message


BAD: dict[str, tuple[Any, Any, str]] = {
    "few": (np.arange(5.0), np.zeros((5, 1)), "Recording 'a': has 5 samples: must have 20 at least; record more"),
    "shapes": (
        np.arange(30.0),
        np.zeros((29, 1)),
        "Recording 'a': `times` has shape (30,) and `states` (29, 1): must be (samples,) and (samples, neurons), with "
        "one neuron at least; one row for each time",
    ),
    "falling": (
        np.array([0.0, 1.0, 1.0, *range(2, 30)]),
        np.zeros((31, 1)),
        "Recording 'a': time 1 s at sample 2 is not above 1 s before it; times must rise: write them with more digits, "
        "and give each transient as a recording of its own",
    ),
    "not a number": (
        np.arange(30.0),
        np.full((30, 1), np.nan),
        "`Recording 'a'.states[0, 0] = nan`: must be finite; replace missing or infinite values",
    ),
}


@pytest.mark.parametrize(("times", "states", "message"), BAD.values(), ids=BAD)
def test_recordings_that_are_wrong_are_refused(times: Any, states: Any, message: str) -> None:
    with pytest.raises(InputError) as refused:
        Recording(times=times, states=states, label="a")
    assert str(refused.value) == message
