"""The command doctor: what is installed, in which version, and how to get what is missing."""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
import sys
import tempfile
from ctypes.util import find_library
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any, NamedTuple, TypeAlias

import typer

from ..integers.tools import find_tool
from ..kicad import commands
from ..processes import run_program
from ..spice.ngspice import find
from ..spice.run_folders import remove_old_folders
from ..values.errors import KiCadError, KiCadMissing, MissingExtra, SimulatorMissing
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
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "chrome")
# Mesh generators are called `netgen` too: the program must say that it is this one.
NETGEN, NETGEN_SAYS = ("netgen-lvs", "netgen"), re.compile(r"Netgen (1\.\S+)")
SECONDS = 30.0  # for a program to say its version
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
        kicad(),
        netgen(),
        chromium(),
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


def kicad() -> Part:
    """Return the KiCad that checks the projects of boards; they are written without it."""
    path = commands.find_kicad()
    remedy = f"projects of boards are written without it, and checked by what comes along; {commands.HOW_TO_GET}"
    if path is None:
        return Part(commands.PROGRAM, "", remedy=remedy, needed=False)
    try:
        return Part(commands.PROGRAM, commands.kicad_version(), f"{path}, checks the projects of boards", needed=False)
    except (KiCadError, KiCadMissing) as error:
        return Part(commands.PROGRAM, "", remedy=f"{error}; {remedy}", needed=False)


def netgen() -> Part:
    """Return the netgen that compares net lists, which only tests ask."""
    for path in filter(None, map(shutil.which, NETGEN)):
        found = NETGEN_SAYS.search(_ask(path, "-batch", "quit"))
        if found is not None:
            return Part(NETGEN[0], found[1], f"{path}, compares decks as netlists in the tests", needed=False)
    remedy = "only the tests compare decks with it: `apt-get install netgen-lvs` on Debian or Ubuntu"
    return Part(NETGEN[0], "", remedy=remedy, needed=False)


def chromium() -> Part:
    """Return the browser in which the tests open pages; any other shows them."""
    for path in filter(None, map(shutil.which, CHROMIUM)):
        found = re.search(r"\d+(\.\d+)+", _ask(path, "--version"))
        if found is not None:
            return Part("chromium", found[0], f"{path}, opens reports in the tests", needed=False)
    remedy = "only the tests open reports in it, any browser shows them: `apt-get install chromium` on Debian"
    return Part("chromium", "", remedy=remedy, needed=False)


def _ask(*command: str) -> str:
    """Return what a program says; nothing where it does not answer."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            ended = run_program(command, Path(folder), SECONDS)
        except (OSError, subprocess.TimeoutExpired):
            return ""
    return ended.printed + ended.complained
