"""A fault that acts on several states at once, or through a neutral delay, is named by its device, first."""

from __future__ import annotations

import re

import numpy as np
import pytest

import hopfield_hw as hh
from hopfield_hw.arrays import Array
from hopfield_hw.graph import Delay, Graph, as_graph, in_si
from hopfield_hw.random_check import draw, time_constant
from hopfield_hw.reference import Along, Waveform, solve
from hopfield_hw.verification.changes import changed
from hopfield_hw.verification.effects import Value

SEED = 2026


def drawn(family: str, index: int) -> Graph:
    return as_graph(draw(SEED, index, family))


@pytest.mark.parametrize(
    ("family", "index", "cell", "device", "factor"),
    [
        ("brain_state_in_a_box", 13, "summing_stage", "R_syn_4_5", 1.05),
        ("delayed", 23, "cellular", "R_v_late_far_4", 1.05),
        ("delayed", 23, "ideal", "T_v_late_2", 1.05),
        ("neutral", 43, "ideal", "G_x_neutral_0_2_4", -1.0),
    ],
)
def test_it_is_named_first(family: str, index: int, cell: str, device: str, factor: float, ngspice: str) -> None:
    graph = drawn(family, index)
    netlist = hh.lower(graph, cell=cell, rescale=True).netlist()
    value = rf"(?m)^({device} .*?(?:TD=| ))(-?[0-9.e+-]+)( REL=.*)?$"
    deck, count = re.subn(value, lambda at: f"{at[1]}{factor * float(at[2])!r}{at[3] or ''}", netlist)
    assert count == 1
    result = hh.verify(graph, deck=deck, t_stop=20.0 * time_constant(graph), cell=cell, rescale=True)
    assert result.verdict == "failed"
    assert device in result.suspects[0].devices, [str(suspect) for suspect in result.suspects]


@pytest.mark.parametrize(
    "value",
    [
        Value("output", "v_late", (1,)),
        Value("delay", "v_late", (1,)),
        Value("argument", "v", (1,)),
        Value("weight", "syn", (1, 2)),
        Value("capacitance", "x", (1,)),
        Value("resistance", "x", (1,)),
        Value("drive", "x", (1,)),
    ],
    ids=lambda value: value.kind,
)
def test_a_changed_graph_is_the_graph_where_the_factor_is_1(value: Value) -> None:
    graph = in_si(drawn("delayed", 23))
    assert graph.of_type(Delay)
    solution = solve(graph, t_stop=5.0 * time_constant(graph), accuracy=1e-5)
    wave = Waveform(solution["time"].to_numpy(), solution["state"].to_numpy())

    def slope(of: Graph) -> Array:
        along = Along(of, None, wave)
        return along.slope(along.values(*wave))

    own, same, other = slope(graph), slope(changed(graph, value, 1.0)), slope(changed(graph, value, 1.1))
    np.testing.assert_allclose(same, own, rtol=1e-12, atol=1e-12 * np.abs(own).max())
    assert np.abs(other - own).max() > 1e-4 * np.abs(own).max()
