"""Coverage of the discrete Hopfield network: the change of a weight that turns a sign, and none smaller."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

import hopfield_hw as hh
from hopfield_hw.circuit import Device
from hopfield_hw.families import discrete_hopfield
from hopfield_hw.spice.dialects.dialect import number

GRAPH = replace(
    discrete_hopfield(
        np.array([[0.0, -1.0, 2.0], [-1.0, 0.0, 1.0], [2.0, 1.0, 0.0]]),
        bias=[0.5, -0.5, 0.0],
        initial=[1.0, -1.0, -1.0],
    ),
    units=hh.Units(volts_per_unit=1.0, seconds_per_unit=1e-3),
)


def test_a_sign_turns_at_the_change_that_coverage_says(ngspice: str) -> None:
    circuit = hh.lower(GRAPH)
    right = hh.verify(GRAPH, t_stop=5e-3)
    assert right.passed
    weights = [d for d in circuit.devices if d.origin.role in ("weights", "bias")]
    known = {device: right.coverage.smallest[device.name] for device in weights}

    def verdict(device: Device, factor: float) -> str:
        value = f" {number(device.value or 0.0)}\n"
        line = next(line for line in circuit.netlist().splitlines(keepends=True) if line.startswith(f"{device.name} "))
        assert line.endswith(value)
        changed = line.replace(value, f" {(device.value or 0.0) * factor!r}\n")
        return hh.verify(GRAPH, t_stop=5e-3, deck=circuit.netlist().replace(line, changed)).verdict

    seen = [(device, size) for device, size in known.items() if np.isfinite(size)][:3]
    for device, size in seen:
        assert {verdict(device, 1.0 + 1.05 * size), verdict(device, 1.0 - 1.05 * size)} == {"failed"}
    less = [{verdict(device, 1.0 + 0.5 * size), verdict(device, 1.0 - 0.5 * size)} for device, size in seen]
    assert any("passed" in each for each in less)


def test_followers_and_comparators_have_a_figure(ngspice: str) -> None:
    coverage = hh.verify(GRAPH, t_stop=5e-3).coverage
    assert coverage.untold == ()
    assert all(
        coverage.smallest[f"{name}_{k}"] < 1e-3 for name in ("E_x_in", "E_x_held", "E_x_out", "B_v") for k in (0, 1, 2)
    )
