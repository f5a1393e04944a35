"""Mixed runs: an analog network in ngspice, converters, and a digital LSTM."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import hopfield_hw as hh
from hopfield_hw.graph import Quantise


def network() -> hh.Network:
    rng = np.random.default_rng(3)
    return hh.Network(
        weights=rng.normal(size=(4, 4)) * 1.2e-4,
        resistance=1e4,
        capacitance=1e-7,
        gain=hh.Tanh(gain=2.0),
        bias=rng.normal(size=4) * 3e-5,
        initial=rng.normal(size=4) * 0.3,
    )


def lstm() -> hh.recurrent.LSTM:
    rng = np.random.default_rng(4)
    return hh.recurrent.LSTM(input_weights=rng.normal(size=(24, 4)), recurrent_weights=rng.normal(size=(24, 6)))


def converter(levels: int, size: int = 4) -> Quantise:
    return Quantise(name="adc", size=size, levels=levels, lower=-1.0, upper=1.0)


@pytest.mark.usefixtures("ngspice")
@pytest.mark.parametrize("cell", ["ideal", "hopfield_tank", "active_rc"])
def test_codes_differ_at_thresholds_alone(cell: str) -> None:
    result = hh.run_mixed(network(), lstm(), converter(256), period=1e-4, t_stop=5e-3, cell=cell)
    assert result.passed
    assert result.codes.shape == (51, 4)
    assert result.output.shape == (51, 6)
    assert result.differing <= 4
    assert result.sqnr > 40.0
    assert set(np.unique(np.rint((result.codes + 1.0) * 127.5) - (result.codes + 1.0) * 127.5).round(9)) == {0.0}
    assert str(result).splitlines()[0] == "result  passed"


@pytest.mark.usefixtures("ngspice")
def test_a_circuit_that_is_another_network_is_seen() -> None:
    """Mutation: with a weight changed after the reference, codes differ that no threshold explains."""
    net = network()
    other = replace(net, weights=net.weights + np.diag([2e-5, 0.0, 0.0, 0.0]))
    good = hh.run_mixed(net, lstm(), converter(256), period=1e-4, t_stop=5e-3)

    class Swapped(hh.Ideal):
        def fragments(self, graph: hh.Graph) -> Any:
            return super().fragments(other.graph())

    bad = hh.run_mixed(net, lstm(), converter(256), period=1e-4, t_stop=5e-3, cell=Swapped())
    assert good.unexplained == 0 < bad.unexplained
    assert not bad.passed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"t_stop": 1.5e-4}, "`t_stop` = 0.00015 s: must be a whole number of periods of 0.0001 s, at least 1"),
        ({"converter": converter(256, 3)}, "`converter` has 3 elements: must have 4, one for each output"),
        ({"period": -1.0}, "`period = -1.0 s`: must be positive"),
    ],
)
def test_wrong_input_is_refused(arguments: dict[str, Any], message: str) -> None:
    given = {"converter": converter(256), "period": 1e-4, "t_stop": 5e-3} | arguments
    with pytest.raises(hh.InputError) as refused:
        hh.run_mixed(network(), lstm(), **given)
    assert str(refused.value) == message
