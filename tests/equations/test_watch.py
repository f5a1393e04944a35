"""A reference comes to an end: with an answer, or with an error that says what holds it up."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import hopfield_hw as hh
from hopfield_hw.analysis.amplification import amplification
from hopfield_hw.analysis.settling import settle
from hopfield_hw.equations import Watch, watch
from hopfield_hw.graph import Activate, Affine, Clock, Delay, Edge, Graph, Hold, Leak, Output
from hopfield_hw.values.errors import AccuracyError, InputError, SimulatorTimeout

CHATTER = r"the states chatter about \(0, 0\) from t = 0\.000[3-7]\d* of 0\.002 s on, where v jumps .* as Tanh or Piece"


@pytest.fixture(autouse=True)
def short_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "BLOCK", 10_000)


def sliding() -> hh.Network:
    return hh.Network(
        weights=[[0, 1e-4], [-1e-4, 0]],
        resistance=1e4,
        capacitance=1e-8,
        gain=hh.HardLimiter(amplitude=1.5),
        bias=[1e-5, 2e-5],
        initial=[0.5, -0.3],
    )


@pytest.mark.parametrize(
    "run",
    [
        lambda: hh.reference(sliding(), t_stop=2e-3),
        lambda: hh.reference_batch(sliding(), t_stop=2e-3),
        lambda: settle(sliding(), t_stop=2e-3),
        lambda: amplification(sliding().graph(), t_stop=2e-3),
    ],
    ids=["reference", "batch", "settle", "amplification"],
)
def test_states_that_chatter_about_a_jump_are_named(run: Callable[[], object]) -> None:
    with pytest.raises(AccuracyError, match=CHATTER):
        run()


def test_a_delayed_graph_that_chatters_is_named() -> None:
    operators = (
        Leak(name="x", resistance=[1e4], capacitance=[1e-8], initial=[0.3]),
        Activate(name="f", size=1, function=hh.HardLimiter(amplitude=1.0)),
        Delay(name="d", size=1, tau=5e-5, history=[0.0]),
        Affine(name="late", weights=[[1e-5]]),
        Affine(name="now", weights=[[-1e-4]]),
        Output(name="y", size=1),
    )
    links = (("x", "f"), ("f", "d"), ("d", "late"), ("late", "x"), ("f", "now"), ("now", "x"), ("x", "y"))
    graph = Graph(operators=operators, edges=tuple(Edge(*link) for link in links))
    with pytest.raises(AccuracyError, match=r"reference: the states chatter about .* where f jumps"):
        hh.reference(graph, t_stop=2e-3)


def test_the_steep_slope_that_the_error_speaks_of_helps() -> None:
    net = hh.Network(
        weights=[[0, 1e-4], [-1e-4, 0]],
        resistance=1e4,
        capacitance=1e-8,
        gain=hh.Tanh(gain=100.0, amplitude=1.5),
        bias=[1e-5, 2e-5],
        initial=[0.5, -0.3],
    )
    end = hh.reference(net, t_stop=2e-3)["state"].to_numpy()[-1]
    assert float(np.max(np.abs(end))) < 0.05


@pytest.mark.parametrize("run", [hh.reference, hh.reference_batch], ids=["reference", "batch"])
def test_a_reference_ends_with_its_time(run: Callable[..., object]) -> None:
    with pytest.raises(
        SimulatorTimeout, match=r"was at t = .* of 0\.002 s when its 0\.1 s were used up; allow it more"
    ):
        run(sliding(), t_stop=2e-3, timeout=0.1)


@pytest.mark.parametrize("timeout", [0.0, -1.0, np.nan])
def test_a_time_that_is_none_is_refused(timeout: float) -> None:
    with pytest.raises(InputError, match="`timeout = "):
        hh.reference(sliding(), t_stop=2e-3, timeout=timeout)


def halving() -> Graph:
    hold = Hold(name="h", clock=Clock(period=1e-6), initial=[1.0])
    links = (("h", "w"), ("w", "h"), ("h", "y"))
    operators = (hold, Affine(name="w", weights=[[0.5]]), Output(name="y", size=1))
    return Graph(operators=operators, edges=tuple(Edge(*link) for link in links))


def test_a_map_of_too_many_steps_is_refused() -> None:
    with pytest.raises(InputError, match=r"`t_stop` = 1e\+06 s: is 1e\+12 periods of 1e-06 s, and .* at most 8 GB"):
        hh.reference(halving(), t_stop=1e6)


def test_a_map_ends_with_its_time() -> None:
    with pytest.raises(SimulatorTimeout, match=r"when its 0\.05 s were used up"):
        hh.reference(halving(), t_stop=1.0, timeout=0.05)


def test_no_headway_is_told_from_slow_headway(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(watch.time, "monotonic", lambda: now)
    slow = Watch(halving(), 600.0, 1.0)
    for k in range(50):
        now = 11.0 * k
        slow.look(5e-3 * k, np.ones(1))
    now = 0.0
    still = Watch(halving(), 600.0, 1.0)
    for k in range(2):
        now = 11.0 * k
        still.look(1e-9 * k, np.ones(1))
    now = 22.0
    said = r"makes no headway from t = 0 of 1 s on, about the states \(1\): its steps"
    with pytest.raises(AccuracyError, match=said):
        still.look(2e-9, np.ones(1))
