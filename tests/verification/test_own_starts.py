"""Runs chosen by verify show what no run asked for can: where waveforms are alike, or inputs at rest."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

import hopfield_hw as hh
from hopfield_hw.families import discrete_hopfield
from hopfield_hw.graph import Graph, as_graph
from hopfield_hw.transforms import add_delay
from hopfield_hw.verification.own_runs import OwnRuns
from hopfield_hw.verification.random_set import draw

SIZES = {"resistance": 10e3, "capacitance": 10e-9}
FLIP_FLOP = hh.Network(weights=[[0, -4e-5], [-4e-5, 0]], gain=hh.Tanh(gain=5.0), initial=[0.2, -0.2], **SIZES).graph()
TOGETHER = hh.Network(
    weights=[[0, 3e-5], [3e-5, 0]], gain=hh.Tanh(gain=2.0), initial=[0.1, 0.1], bias=[1e-5, 1e-5], **SIZES
).graph()
RING = hh.Network(weights=[[0, -2e-4], [-2e-4, 0]], initial=[0.1, 0.1], **SIZES)
SMALL = hh.Network(weights=[[3e-5, -5e-5], [2e-5, 0]], initial=[5e-3, -3e-3], **SIZES).graph()
DRIVEN = hh.Network(
    weights=[[0, -5e-5], [-5e-5, 0]],
    gain=hh.Tanh(gain=10.0),
    initial=[0.1, 0.05],
    input_weights=1e-4 * np.eye(2),
    **SIZES,
).graph()


def changed(text: str, *changes: tuple[str, str]) -> str:
    """Return a deck with words changed, each of which it must have."""
    for k, (old, _) in enumerate(changes):
        assert old in text
        text = text.replace(old, f"<{k}>")
    for k, (_, new) in enumerate(changes):
        text = text.replace(f"<{k}>", new)
    return text


def judged(graph: Graph, deck: str, **run: object) -> hh.Verification:
    """Verify the right circuit, which must pass, and return what is said of the wrong one."""
    right = hh.verify(graph, **run)  # type: ignore[arg-type]
    assert right.passed, right
    assert right.starts >= 2
    return hh.verify(graph, deck=deck, **run)  # type: ignore[arg-type]


def test_two_neurons_that_excite_themselves_are_no_flip_flop(ngspice: str) -> None:
    crossed = changed(
        hh.lower(FLIP_FLOP).netlist(), ("x_0 v_1 0 -4e-05", "x_0 v_0 0 4e-05"), ("x_1 v_0 0 -4e-05", "x_1 v_1 0 4e-05")
    )
    result = judged(FLIP_FLOP, crossed)
    assert result.verdict == "failed"
    assert result.nrmse < 1e-4
    assert result.reasons[0].startswith("started elsewhere by verify itself, at ")


@pytest.mark.parametrize("ohms", [1e-3, 1.0, 100.0])
def test_states_that_move_alike_may_not_be_connected(ohms: float, ngspice: str) -> None:
    deck = f"{hh.lower(TOGETHER).netlist()}R_s x_0 x_1 {ohms!r}\n"
    assert judged(TOGETHER, deck).verdict == "failed"


def test_a_delayed_ring_is_not_two_neurons_alone(ngspice: str) -> None:
    late = add_delay(RING, tau=2e-4)
    crossed = changed(hh.lower(late).netlist(), ("x_0 v_late_1", "x_0 v_late_0"), ("x_1 v_late_0", "x_1 v_late_1"))
    assert judged(late, crossed, t_stop=2e-3).verdict == "failed"


def test_a_map_of_states_that_move_alike(ngspice: str) -> None:
    units = hh.Units(volts_per_unit=1.0, seconds_per_unit=1e-3)
    pair = replace(
        discrete_hopfield(np.array([[0.0, 1.0], [1.0, 0.0]]), initial=[1.0, 1.0], bias=[0.5, -1.5]), units=units
    )
    alone = changed(hh.lower(pair).netlist(), ("syn_0 x_1 0", "syn_0 x_0 0"), ("syn_1 x_0 0", "syn_1 x_1 0"))
    assert judged(pair, alone, t_stop=5e-3).verdict == "failed"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("V=tanh(v(x_0))", "V=v(x_0)"),
        ("V=tanh(v(x_0))", "V=max(-0.01,tanh(v(x_0)))"),
        ("R_x_0 x_0 0 10000", "R_x_0 x_0 0 14285.714285714286\n* "),
    ],
)
def test_a_curve_beyond_what_the_run_reached(old: str, new: str, ngspice: str) -> None:
    deck = changed(hh.lower(SMALL).netlist(), (old, new))
    if "R_x_0" in old:  # it takes the place of a synapse, as long as the curve is straight
        deck = re.sub(r"^G_syn_0_0 .*$", "* none", deck, flags=re.MULTILINE)
    assert judged(SMALL, deck).verdict == "failed"


def test_inputs_that_rest_or_are_alike(ngspice: str) -> None:
    rest = changed(hh.lower(DRIVEN).driven([0.3, 0.2]).netlist(), ("G_syn_u_0_0 0 x_0 u_0 0 0.0001", "I_b 0 x_0 3e-5"))
    result = judged(DRIVEN, rest, inputs=[0.3, 0.2])
    assert "with other inputs" in result.reasons[0]
    alike = changed(hh.lower(DRIVEN).driven([0.3, 0.3]).netlist(), ("x_0 u_0", "x_0 u_1"), ("x_1 u_1", "x_1 u_0"))
    assert judged(DRIVEN, alike, inputs=[0.3, 0.3]).verdict == "failed"


def test_a_delay_longer_than_the_run_is_not_seen(ngspice: str) -> None:
    late = add_delay(RING, tau=3e-3)
    found = hh.verify(late, t_stop=2e-3).coverage.smallest
    assert min(size for name, size in found.items() if name.startswith("T_")) > 1.0
    seen = hh.verify(add_delay(RING, tau=2e-4), t_stop=2e-3).coverage.smallest
    assert max(size for name, size in seen.items() if name.startswith("T_")) < 0.05


def test_a_start_that_the_deck_states_is_no_fault(ngspice: str) -> None:
    """Capacitors of a deck that start with IC= are started elsewhere all the same; a buffered copy cannot be."""
    text = hh.lower(FLIP_FLOP).netlist()
    stated = re.sub(r"^(C_x_0 .*)$", r"\1 IC=0.2", text, flags=re.MULTILINE)
    result = hh.verify(FLIP_FLOP, deck=stated)
    assert (result.verdict, result.starts) == ("passed", 2)


def test_a_start_that_does_not_run_is_told_of(ngspice: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(OwnRuns, "from_starts", lambda *_, **__: [])
    assert hh.verify(FLIP_FLOP).warning == "2 of 2 starts chosen by verify do not run in ngspice"


def test_the_jumps_of_a_neutral_network_that_is_started_elsewhere_are_no_fault(ngspice: str) -> None:
    """They come back with each delay, as steep as a step: 2e-4 of a range here."""
    graph = as_graph(draw(2026, 161, "neutral"))
    assert hh.verify(graph, t_stop=20e-3).verdict == "passed"
