"""What hardware people run on Verilog: the linter of Verilator, and Yosys, which counts cells and memories."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from ..dialects.verilog import write_verilog
from ..errors import SimulatorCrash, SimulatorMissing, SimulatorTimeout
from ..lower.integer import IntegerProgram

# By program: the package of Debian, and of Homebrew.
PACKAGES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "iverilog": ("iverilog", "icarus-verilog"),
        "vvp": ("iverilog", "icarus-verilog"),
        "verilator": ("verilator", "verilator"),
        "yosys": ("yosys", "yosys"),
    }
)
MODULE = "recurrent_cell"
TIMEOUT = 600.0


class Netlist(NamedTuple):
    """What synthesis without a target library makes of a module: gates and registers, and memories."""

    cells: int
    registers: int
    memories: int
    memory_bits: int


def find_tool(name: str) -> str:
    """Return the path of a program. Raises SimulatorMissing, which says how to get it."""
    path = shutil.which(name)
    if path is None:
        debian, brew = PACKAGES[name]
        how = f"`apt-get install {debian}` on Debian or Ubuntu, `brew install {brew}` on macOS"
        raise SimulatorMissing(f"{name}: found none on PATH; install it: {how}")
    return path


def run_tool(command: Sequence[str], folder: Path, timeout: float) -> str:
    """Run a program in a folder and return what it printed.

    Raises SimulatorTimeout and, where its status is not 0, SimulatorCrash with the beginning of what it said.
    """
    tool = Path(command[0]).name
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=timeout, check=False, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired:
        raise SimulatorTimeout(f"{tool}: did not finish in {timeout:g} s and was stopped; allow more time") from None
    if done.returncode != 0:
        said = " ".join((done.stderr or done.stdout).split())
        raise SimulatorCrash(f"{tool}: ended with status {done.returncode}: {said[:300]}")
    return done.stdout


def lint(program: IntegerProgram, *, timeout: float = TIMEOUT) -> None:
    """Check the Verilog of a program by Verilator with all its warnings. Raises SimulatorCrash with the first ones."""
    verilator = find_tool("verilator")
    with tempfile.TemporaryDirectory(prefix="hopfield_hw_") as name:
        _written(program, Path(name))
        run_tool([verilator, "--lint-only", "-Wall", f"{MODULE}.v"], Path(name), timeout)


def synthesise(program: IntegerProgram, *, timeout: float = TIMEOUT) -> Netlist:
    """Return what Yosys makes of the Verilog of a program. Raises SimulatorErrors as `lint` does."""
    yosys = find_tool("yosys")
    with tempfile.TemporaryDirectory(prefix="hopfield_hw_") as name:
        folder = Path(name)
        _written(program, folder)
        script = f"read_verilog {MODULE}.v; synth -top {MODULE}; tee -q -o stat.json stat -json"
        run_tool([yosys, "-q", "-p", script], folder, timeout)
        found = json.loads((folder / "stat.json").read_text(encoding="utf-8"))["design"]
    kinds = found["num_cells_by_type"]
    registers = sum(number for kind, number in kinds.items() if "DFF" in kind)
    return Netlist(found["num_cells"], registers, found["num_memories"], found["num_memory_bits"])


def _written(program: IntegerProgram, folder: Path) -> None:
    (folder / f"{MODULE}.v").write_text(write_verilog(program, MODULE), encoding="utf-8")
