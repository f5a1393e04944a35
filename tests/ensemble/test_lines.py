"""Lines in the ensemble engine: reflections in closed form, delays of each sample's own, networks with delays."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba")

import hopfield_hw as hh
from hopfield_hw.circuit import Circuit, Device, Origin, Probe, Role
from hopfield_hw.ensemble import backends
from hopfield_hw.parts import Capacitor, Line, Resistor, VoltageSource
from hopfield_hw.simulation import simulate
from hopfield_hw.values.measures import nrmse

ORIGIN = Origin("x", Role.FUNCTION, (0,))
DELAY, RISE, SOURCE, LOAD = 1e-4, 1.3e-5, 150.0, 350.0


def line(voltage: Any, load: Any, delay: float = DELAY, initial: float = 0.0) -> Circuit:
    """Return a source behind 150 Ohm that drives a line of 50 Ohm, with a load at its end."""
    return Circuit(
        title="a line",
        cell="none",
        graph_hash="",
        devices=(
            Device("V_in", VoltageSource(voltage), ("in", "0"), ORIGIN),
            Device("R_in", Resistor(SOURCE), ("in", "near"), ORIGIN),
            Device("T", Line(delay, 50.0, initial), ("near", "0", "far", "0"), ORIGIN),
            Device("Load", load, ("far", "0"), ORIGIN),
        ),
        initial={},
        states=(Probe("near", "near"), Probe("far", "far")),
        outputs=(),
    )


def reflected(times: Any, wave: Any, delay: float = DELAY) -> Any:
    """Return the voltages at both ends: a lattice of waves, each reflected by (R - Z) / (R + Z)."""
    at_source, at_load = (SOURCE - 50.0) / (SOURCE + 50.0), (LOAD - 50.0) / (LOAD + 50.0)
    near, far = 0.25 * wave(times), np.zeros_like(times)
    size = 0.25
    for k in range(40):
        far += size * (1.0 + at_load) * wave(times - (2 * k + 1) * delay)
        size *= at_load
        near += size * (1.0 + at_source) * wave(times - (2 * k + 2) * delay)
        size *= at_source
    return np.stack([near, far], axis=1)


def test_reflections_of_a_ramp_are_a_lattice() -> None:
    found = simulate(line(((0.0, 0.0), (RISE, 2.0)), Resistor(LOAD)), engine="ensemble", t_stop=1.1e-3, accuracy=1e-5)
    times = found["time"].to_numpy()
    exact = reflected(times, lambda t: 2.0 * np.clip(t / RISE, 0.0, 1.0))
    assert np.max(np.abs(found["state"].to_numpy()[1:] - exact[1:])) < 1e-4


def test_a_jump_is_hit_again_and_again() -> None:
    """The source is on from the start, the line empty: its ends jump each time a wave arrives."""
    found = simulate(line(2.0, Resistor(LOAD)), engine="ensemble", t_stop=1.1e-3, points=1234)
    times = found["time"].to_numpy()
    exact = reflected(times, lambda t: 2.0 * (t > 0.0))
    assert np.ptp(exact[:, 1]) > 0.5
    assert np.max(np.abs(found["state"].to_numpy()[1:] - exact[1:])) < 1e-4
    assert found.attrs["steps"] < 8 * 2000


def test_what_travels_at_the_start_arrives() -> None:
    """A line full of 0.7 V that goes to its end: half of 2 (0.7 V) falls across a load of its impedance."""
    found = simulate(line(0.0, Resistor(50.0), initial=0.7), engine="ensemble", t_stop=3e-4, points=1001)
    late = found["time"].to_numpy() > DELAY
    np.testing.assert_allclose(found["state"].to_numpy()[~late, 1][1:], 0.7, atol=1e-6)
    np.testing.assert_allclose(found["state"].to_numpy()[late, 1], 0.0, atol=1e-6)


def test_samples_have_delays_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """11 lines into a capacitor, exact where no reflection has come back; the past is kept again where it is too long.

    The capacitor is charged through 50 Ohm from 2 (2 V / 4).
    """
    monkeypatch.setattr(backends, "ROOM", 16)
    delays = np.linspace(0.9e-4, 1.7e-4, 11)
    circuits = [line(2.0, Capacitor(1e-6), delay=delay) for delay in delays.tolist()]
    found = simulate(circuits, engine="ensemble", t_stop=2.5e-4, accuracy=1e-5, points=501)
    times = found["time"].to_numpy()
    for k, delay in enumerate(delays):
        known = times < 3.0 * delay
        exact = 1.0 - np.exp(-np.maximum(times - delay, 0.0) / 5e-5)
        assert np.max(np.abs(found["state"].to_numpy()[k, known, 1][1:] - exact[known][1:])) < 2e-5


NETWORK = hh.Network(
    weights=[[0.0, -6e-5], [5e-5, 0.0]],
    resistance=1e4,
    capacitance=1e-8,
    gain=hh.Tanh(gain=3.0),
    initial=[0.3, -0.1],
)


def late_network(**how: Any) -> Any:
    return hh.transforms.add_delay(NETWORK, how.pop("tau", 7e-5), **how)


@pytest.mark.parametrize(
    "graph",
    [
        late_network(),
        late_network(history=[-0.5, 0.2]),
        late_network(tau=hh.Signal(times=[0.0, 5e-4, 2e-3], values=[[5e-5], [9e-5], [6e-5]])),
        hh.transforms.add_neutral_delays(NETWORK, [[[0.0, 0.3], [-0.2, 0.0]]], [1.1e-4]),
    ],
    ids=["a delay", "another history", "a delay that varies", "a neutral one"],
)
def test_networks_with_delays_follow_their_equations(graph: Any) -> None:
    how: dict[str, Any] = {"t_stop": 1.5e-3, "points": 601}
    found = simulate(graph, engine="ensemble", accuracy=1e-5, **how)
    expected = hh.reference(graph, **how)
    assert nrmse(expected["state"].to_numpy()[1:], found["state"].to_numpy()[1:]) < 2e-5


def test_a_line_that_is_longer_is_seen() -> None:
    made = hh.lower(late_network(), cell="ideal")
    longer = replace(
        made,
        devices=tuple(
            d._replace(part=replace(d.part, delay=1.02 * d.part.delay)) if isinstance(d.part, Line) else d
            for d in made.devices
        ),
    )
    waves = [simulate(one, engine="ensemble", t_stop=1e-3, points=201)["state"].to_numpy() for one in (made, longer)]
    assert nrmse(waves[0][1:], waves[1][1:]) > 1e-3
