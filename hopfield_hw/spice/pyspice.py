"""A circuit as a PySpice `Circuit`, for people who work in PySpice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..circuit import Circuit
from ..values.errors import MissingExtra
from .dialects.ngspice import Ngspice

if TYPE_CHECKING:
    from PySpice.Spice.Netlist import Circuit as PySpiceCircuit


def to_pyspice(circuit: Circuit) -> PySpiceCircuit:
    """Return a PySpice `Circuit` whose netlist has the same lines.

    PySpice prefixes and checks the names of its element classes, so the lines go in as raw SPICE, unchanged. Initial
    conditions are the simulator's there: `simulator.initial_condition(**circuit.initial)`. Where PySpice does not find
    the library of ngspice, set NGSPICE_LIBRARY_PATH to what `hopfield-hw doctor` says.
    Raises MissingExtra where PySpice cannot be imported.
    """
    try:
        from PySpice.Spice.Netlist import Circuit as PySpiceCircuit
    except ImportError as error:
        raise MissingExtra(f"to_pyspice needs PySpice ({error}); install it: pip install PySpice") from None
    target = PySpiceCircuit(circuit.title)
    dialect = Ngspice()
    devices = [device for block in circuit.blocks for device in block.devices]  # in the order of the netlist
    lines = [*dialect.format_devices(devices, circuit.initial), *dialect.format_models(devices)]
    target.raw_spice += "\n".join(lines) + "\n"
    return target
