"""What is installed, in which version, and how to get what is missing."""

from __future__ import annotations

import platform
import sys
from ctypes.util import find_library
from importlib import metadata
from typing import NamedTuple

from ..integers.tools import find_tool
from ..spice.ngspice import find
from ..values.errors import SimulatorMissing

DISTRIBUTION = "hopfield-hw"
PACKAGES = (
    *("numpy", "scipy", "xarray", "networkx", "matplotlib"),
    *("PySpice", "jsonschema", "schemdraw", "threadpoolctl", "rich", "typer"),
)
# For models from ONNX and PyTorch, fast fixed point, and Verilog: nothing else needs them.
EXTRAS = ("onnx", "safetensors", "numba")
HARDWARE_TOOLS = ("iverilog", "verilator", "yosys")
LIBRARY_REMEDY = "only PySpice's own simulators need it: `apt-get install libngspice0` on Debian or Ubuntu"


class Part(NamedTuple):
    """One thing that the package uses. `version` is empty where it is missing; `remedy` says how to get it."""

    name: str
    version: str
    note: str = ""
    remedy: str = ""
    needed: bool = True

    @property
    def missing(self) -> bool:
        """Whether it is not there, and needed."""
        return self.needed and not self.version


def examine() -> tuple[Part, ...]:
    """Return Python, the packages, ngspice, its shared library and what is optional, as they are on this machine."""
    python = Part("Python", platform.python_version(), sys.executable)
    return (
        python,
        package(DISTRIBUTION)._replace(needed=False),
        *(package(name) for name in PACKAGES),
        simulator(),
        library(),
        *(package(name)._replace(needed=False) for name in EXTRAS),
        *(hardware_tool(name) for name in HARDWARE_TOOLS),
    )


def package(name: str) -> Part:
    """Return an installed Python package."""
    try:
        return Part(name, metadata.version(name))
    except metadata.PackageNotFoundError:
        return Part(name, "", remedy=f"pip install {'.' if name == DISTRIBUTION else name}")


def simulator() -> Part:
    """Return the ngspice that the engine uses."""
    try:
        found = find()
    except SimulatorMissing as error:
        return Part("ngspice", "", remedy=str(error))
    solver = "with the KLU solver" if found.klu else "without the KLU solver (version 42 and later have it)"
    return Part("ngspice", str(found.version), f"{found.path}, {solver}")


def library() -> Part:
    """Return the shared library of ngspice, which only PySpice's own simulators need."""
    found = find_library("ngspice")
    if found is None:
        return Part("libngspice", "", remedy=LIBRARY_REMEDY, needed=False)
    return Part("libngspice", "found", f"PySpice's simulators find it with NGSPICE_LIBRARY_PATH={found}", needed=False)


def hardware_tool(name: str) -> Part:
    """Return a program that runs or checks Verilog."""
    try:
        return Part(name, "found", find_tool(name), needed=False)
    except SimulatorMissing as error:
        return Part(name, "", remedy=str(error), needed=False)
