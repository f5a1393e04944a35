"""The command doctor: what is installed, in which version, and how to get what is missing."""

from __future__ import annotations

import platform
import sys
from ctypes.util import find_library
from importlib import metadata
from typing import Annotated, Any, NamedTuple, TypeAlias

import typer

from ..integers.tools import find_tool
from ..spice.ngspice import find
from ..spice.run_folders import remove_old_folders
from ..values.errors import MissingExtra, SimulatorMissing
from .options import Json
from .reporting import emit, say_table, warn

DISTRIBUTION = "hopfield-hw"
PACKAGES = (
    *("numpy", "scipy", "xarray", "networkx", "matplotlib"),
    *("PySpice", "jsonschema", "schemdraw", "threadpoolctl", "rich", "typer"),
)
# For models from ONNX and PyTorch, fast fixed point, and Verilog: nothing else needs them.
EXTRAS = ("onnx", "safetensors", "numba", "distributed", "zarr", "dimod", "cvxpy", "clarabel")
HARDWARE_TOOLS = ("iverilog", "verilator", "yosys")
LIBRARY_REMEDY = "only PySpice's own simulators need it: `apt-get install libngspice0` on Debian or Ubuntu"


Clean: TypeAlias = Annotated[
    bool, typer.Option("--clean", help="Remove run folders of failed runs that are older than an hour.")
]


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


def doctor(clean: Clean = False, as_json: Json = False) -> int:
    """Show what is installed, and how to get what is missing."""
    if clean:
        return _clean(as_json)
    parts = examine()
    missing = [part for part in parts if part.missing]
    if as_json:
        content: dict[str, Any] = {"status": "incomplete" if missing else "complete"}
        emit({**content, "parts": [{**part._asdict(), "missing": not part.version} for part in parts]})
    else:
        say_table([(part.name, part.version or "missing", part.note or part.remedy) for part in parts])
    for part in missing:
        warn(f"{part.name} is missing: {part.remedy}", "error")
    if not missing:
        return 0
    return SimulatorMissing.exit_status if any(part.name == "ngspice" for part in missing) else MissingExtra.exit_status


def _clean(as_json: bool) -> int:
    removed = [str(path) for path in remove_old_folders()]
    if as_json:
        emit({"status": "done", "removed": removed})
    else:
        said = "no run folder is older than an hour" if not removed else f"run folders removed: {len(removed)}"
        say_table([(path, "") for path in removed], title=said)
    return 0


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
