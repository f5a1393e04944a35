"""Gradients through time: exact for a linear map, and gates that keep them."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from hopfield_hw.analysis.gradients import gradient_flow
from hopfield_hw.equations import MapProgram
from hopfield_hw.functions import Identity
from hopfield_hw.recurrent import GRU, LSTM, RNN, RecurrentCell
from hopfield_hw.values.errors import InputError

SIZE = 6


def cell(kind: type[RecurrentCell], scale: float, forget: float = 0.0) -> RecurrentCell:
    rng = np.random.default_rng(1994)
    gates = len(kind.gates)
    recurrent = np.concatenate([np.linalg.qr(rng.normal(size=(SIZE, SIZE)))[0] * scale for _ in range(gates)])
    bias = np.zeros(2 * gates * SIZE)
    if kind is LSTM:
        bias[2 * SIZE : 3 * SIZE] = forget
    if kind is GRU:
        bias[:SIZE] = forget
    return kind(input_weights=0.3 * rng.normal(size=(gates * SIZE, 2)), recurrent_weights=recurrent, bias=bias)


@pytest.fixture
def inputs(rng: np.random.Generator) -> Any:
    return rng.normal(size=(60, 2))


@pytest.mark.parametrize("scale", [0.5, 1.0, 1.2])
def test_of_a_linear_map_it_is_the_power_of_its_matrix(scale: float, inputs: Any) -> None:
    linear = cell(RNN, scale)
    found = gradient_flow(
        RNN(
            input_weights=linear.input_weights, recurrent_weights=linear.recurrent_weights, activations=(Identity(),)
        ).graph(),
        inputs,
        lags=20,
    )
    expected = scale ** np.arange(1.0, 21.0)
    np.testing.assert_allclose(found.norms, expected, rtol=1e-12)
    np.testing.assert_allclose(found.singular, np.repeat(expected[:, np.newaxis], SIZE, axis=1), rtol=1e-12)
    assert found.rate == pytest.approx(scale, rel=1e-12)


@pytest.mark.parametrize("kind", [RNN, LSTM, GRU])
def test_against_differences_of_whole_runs(kind: type[RecurrentCell], inputs: Any) -> None:
    graph = cell(kind, 0.9, 1.0).graph()
    program = MapProgram([graph])
    lags = 5

    def end(h: Any) -> Any:
        for u in inputs[:lags]:
            h = program.step(h, u)[0]
        return h

    kicks = np.eye(program.size) * 1e-6
    slopes = np.stack([(end(program.initial + k) - end(program.initial - k)) / 2e-6 for k in kicks], axis=1)
    found = gradient_flow(graph, inputs[:lags], lags=lags)
    np.testing.assert_allclose(found.singular[-1], np.linalg.svd(slopes, compute_uv=False), atol=1e-8)


def test_gates_keep_what_a_plain_network_forgets(inputs: Any) -> None:
    """Weights of norm 0.2: the plain network keeps 0.2 at most a step, open gates keep sigmoid(4) = 0.982 of it."""
    plain = gradient_flow(cell(RNN, 0.2).graph(), inputs, lags=30)
    lstm = gradient_flow(cell(LSTM, 0.2, 4.0).graph(), inputs, lags=30, of=("c",))
    gru = gradient_flow(cell(GRU, 0.2, 4.0).graph(), inputs, lags=30)
    assert plain.rate < 0.2
    assert 0.95 < lstm.rate < 1.05
    assert 0.95 < gru.rate < 1.05
    assert plain.norms[-1] < 1e-9 < 0.3 < min(lstm.norms[-1], gru.norms[-1])


def test_strong_weights_explode() -> None:
    """At rest tanh has the slope 1, so weights of norm 1.5 grow by 1.5 a step."""
    still = RNN(input_weights=np.zeros((SIZE, 2)), recurrent_weights=cell(RNN, 1.5).recurrent_weights)
    found = gradient_flow(still.graph(), np.zeros((20, 2)), lags=10)
    assert found.rate == pytest.approx(1.5, rel=1e-12)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"inputs": np.zeros((5, 3))}, "`inputs` has shape (5, 3): must be (T, 2)"),
        ({"lags": 6}, "`lags` = 6: must be a whole number from 1 to 5, the steps given"),
        ({"of": ("s",)}, "'s': must be one of h, c"),
    ],
)
def test_wrong_input_is_refused(options: dict[str, Any], message: str) -> None:
    given: dict[str, Any] = {"inputs": np.zeros((5, 2)), "lags": 2, **options}
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        gradient_flow(cell(LSTM, 1.0).graph(), given.pop("inputs"), **given)
