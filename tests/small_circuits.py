"""Circuits of a few devices that no cell makes, for tests of engines."""

from __future__ import annotations

from typing import Any

from hopfield_hw.circuit import Circuit, Device, Origin, Probe, Role

ORIGIN = Origin("x", Role.FUNCTION, (0,))


def circuit(*devices: tuple[str, Any, tuple[str, ...]], probe: str = "out", **how: Any) -> Circuit:
    """Return a circuit of devices (name, part, nodes), with one state, the voltage of `probe`."""
    return Circuit(
        title="a small circuit",
        cell="none",
        graph_hash="",
        devices=tuple(Device(name, part, nodes, ORIGIN) for name, part, nodes in devices),
        initial=how.pop("initial", {}),
        states=(Probe("0", probe),),
        outputs=(),
        **how,
    )
