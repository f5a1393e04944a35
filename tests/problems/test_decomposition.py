"""Signal decomposition: the published weights, planted parts, and bad input."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import hopfield_hw as hh
from hopfield_hw.equations import solve_batch
from hopfield_hw.problems import build_problem, decomposition, planted_signal
from hopfield_hw.values.errors import InputError

PARTS = np.random.default_rng(6).normal(size=(6, 16)) / 4.0


def test_it_has_the_published_weights_and_energy() -> None:
    network = decomposition(parts=PARTS, siemens=1.0)
    products = PARTS @ PARTS.T
    np.testing.assert_allclose(network.weights, np.diag(np.diag(products)) - products, atol=1e-15)
    np.testing.assert_allclose(network.bias, -0.5 * np.diag(products))
    np.testing.assert_array_equal(network.input_weights, PARTS)
    # At corners -V^T T V / 2 - I^T V is |x - sum V_k e_k|^2 / 2 but for |x|^2 / 2: the sign of I follows.
    x = np.random.default_rng(0).normal(size=16)
    for bits in np.random.default_rng(1).integers(0, 2, (8, 6)).astype(float):
        energy = -0.5 * bits @ network.weights @ bits - (network.bias + network.input_weights @ x) @ bits
        assert energy == pytest.approx(0.5 * np.sum((x - bits @ PARTS) ** 2) - 0.5 * x @ x)


def test_planted_parts_are_found() -> None:
    network = decomposition(parts=PARTS, siemens=1e-4)
    signals, there = zip(*(planted_signal(PARTS, seed=seed, noise=0.02) for seed in range(6)), strict=True)
    driven = [network.bias + network.input_weights @ x for x in signals]
    graphs = [hh.Network(**fields(network), bias=bias).graph() for bias in driven]
    wave = solve_batch(
        graphs, t_stop=20.0 * float((network.resistance * network.capacitance).max()), points=2, rtol=1e-4
    )
    np.testing.assert_array_equal(wave.output.to_numpy()[:, -1] > 0.5, there)


def fields(network: hh.Network) -> dict[str, Any]:
    return {name: getattr(network, name) for name in ("weights", "resistance", "capacitance", "gain")}


def test_a_signal_is_the_sum_of_its_parts() -> None:
    x, there = planted_signal(PARTS, seed=2)
    np.testing.assert_allclose(x, PARTS[there].sum(axis=0))
    assert planted_signal(PARTS, seed=2, share=0.0)[1].sum() == 0
    assert build_problem("decomposition", {"parts": PARTS.tolist()}).graph().kind == "ode"  # type: ignore[union-attr]


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "nothing": (
        lambda: decomposition(parts=[[1.0, 0.0], [0.0, 0.0]]),
        "`decomposition.parts[1]` is all 0: would be in every signal; leave it out",
    ),
    "one part as numbers": (
        lambda: decomposition(parts=[1.0, 2.0]),
        "`decomposition.parts` has shape (2,): must be (k, n), 1 to 1000 parts",
    ),
    "a share": (lambda: planted_signal(PARTS, seed=0, share=2.0), "`share` = 2: must be from 0 to 1"),
    "siemens": (lambda: decomposition(parts=PARTS, siemens=0.0), "`decomposition.siemens = 0.0 S`: must be positive"),
}


@pytest.mark.parametrize(("make", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        make()
    assert str(caught.value) == message
