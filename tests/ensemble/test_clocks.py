"""Clocked circuits in the ensemble engine: maps, held outputs and what has not settled, against ngspice."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba")

import hopfield_hw as hh
from hopfield_hw.circuit import Circuit
from hopfield_hw.parts import Switch
from hopfield_hw.simulation import simulate
from hopfield_hw.spice.transient import AccuracyWarning
from hopfield_hw.values.measures import nrmse

NETWORK = hh.Network(
    weights=[[0.0, -6e-5], [5e-5, 0.0]],
    resistance=1e4,
    capacitance=1e-8,
    gain=hh.Tanh(gain=3.0),
    initial=[0.3, -0.1],
)
HELD = hh.transforms.hold_outputs(NETWORK, period=1e-5)
MAP = hh.transforms.discretise(NETWORK, step=2e-5)


def with_switches(circuit: Circuit, on: float) -> Circuit:
    devices = (d._replace(part=Switch(on, 1e15)) if isinstance(d.part, Switch) else d for d in circuit.devices)
    return replace(circuit, devices=tuple(devices))


@pytest.mark.usefixtures("ngspice")
@pytest.mark.parametrize("cell", ["ideal", "active_rc"])
@pytest.mark.parametrize(
    ("graph", "points", "limit"),
    [(HELD, None, 1e-4), (HELD, 201, 1e-4), (MAP, None, 1e-6)],
    ids=["held outputs", "their waveform", "a map"],
)
def test_a_clocked_circuit_is_that_of_ngspice(graph: Any, points: int | None, limit: float, cell: str) -> None:
    made = hh.lower(graph, cell=cell)
    how: dict[str, Any] = {"t_stop": 1e-4, "points": points}
    ours, theirs = simulate(made, engine="ensemble", **how), simulate(made, accuracy=3e-5, **how)
    np.testing.assert_array_equal(ours["time"].to_numpy(), theirs["time"].to_numpy())
    for what in ("state", "output"):
        assert nrmse(theirs[what].to_numpy()[1:], ours[what].to_numpy()[1:]) < limit


def test_a_map_is_its_equation_in_every_sample() -> None:
    """Switches of other resistances settle all the same: three circuits at once, each the map."""
    made = hh.lower(MAP, cell="ideal")
    found = simulate([with_switches(made, ohms) for ohms in (1.0, 1.1, 0.8)], engine="ensemble", t_stop=2e-4)
    expected = hh.reference(MAP, t_stop=2e-4)
    np.testing.assert_allclose(found["time"].to_numpy(), 2e-5 * np.arange(11))
    assert found["state"].shape == (3, 11, 2)
    for k in range(3):
        assert nrmse(expected["state"].to_numpy(), found["state"].to_numpy()[k]) < 1e-6


@pytest.mark.usefixtures("ngspice")
def test_a_clock_that_is_too_fast_is_told() -> None:
    """Switches of 1 MOhm: both engines see that the capacitors of the pairs are not charged at the end of a period."""
    slow, said = with_switches(hh.lower(MAP, cell="ideal"), 1e6), []
    for engine in ("ngspice", "ensemble"):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            simulate(slow, engine=engine, t_stop=1e-4)  # type: ignore[arg-type]
        said += [str(one.message) for one in caught if issubclass(one.category, AccuracyWarning)]
    assert [text.partition(":")[0] for text in said] == ["ngspice", "ensemble"]
    assert all("at the end of a period, what is sampled is still off by" in text for text in said)
    parts = [float(text.split("off by ")[1].split()[0]) for text in said]
    assert parts[1] == pytest.approx(parts[0], rel=0.1)
