"""The shipped networks: where their weights come from, and what they reach on data that they have not seen."""

from __future__ import annotations

import numpy as np
import pytest

import hopfield_hw as hh
from hopfield_hw.reference import StepProgram
from hopfield_hw.trained import Forecaster


def nrmse(forecast: np.ndarray, actual: np.ndarray) -> float:
    """Root mean square error by the deviation of the series, as is usual for forecasts."""
    return float(np.sqrt(np.mean((forecast - actual) ** 2)) / actual.std())


def test_the_mackey_glass_forecaster_is_what_it_says() -> None:
    found = hh.trained.mackey_glass()
    assert (found.cell.input_size, found.cell.hidden_size, found.readout.weights.shape) == (1, 4, (1, 4))
    arrays = (found.cell.input_weights, found.cell.recurrent_weights, found.cell.bias, found.readout.weights)
    assert max(float(np.abs(a).max()) for a in arrays) < 3.0
    assert np.abs(found.scale.scaled(np.concatenate([found.train, found.test]))).max() < 1.0


def test_it_forecasts_twenty_times_better_than_as_it_is_now() -> None:
    found = hh.trained.mackey_glass()
    u = found.scale.scaled(np.concatenate([found.train[-100:], found.test]))
    forecast = hh.run_sequence(StepProgram([found.graph()]), u[:-1, np.newaxis]).outputs[99:, 0, 0]
    assert nrmse(forecast, u[100:]) == pytest.approx(0.0423, abs=0.0005)  # as measured; rounding of the last digit
    assert nrmse(u[99:-1], u[100:]) == pytest.approx(0.818, abs=0.0005)


def test_a_forecaster_of_other_sizes_is_refused() -> None:
    found = hh.trained.mackey_glass()
    readout = hh.digital.Readout(weights=np.ones((2, 4)))
    with pytest.raises(hh.InputError, match="has 1 inputs and 2 outputs: must have one of each"):
        Forecaster(cell=found.cell, readout=readout, scale=found.scale, train=found.train, test=found.test)
    with pytest.raises(hh.InputError, match=r"'h' is no Output: .Readout.weights. of shape"):
        found.readout.after(found.cell.graph(), "h")
    with pytest.raises(hh.InputError, match="'y' has 2 elements"):
        found.readout.after(hh.digital.RNN(input_weights=np.ones((2, 1)), recurrent_weights=np.eye(2)).graph(), "y")
