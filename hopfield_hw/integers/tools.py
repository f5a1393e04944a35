"""What hardware people run on Verilog: the linter of Verilator, and Yosys, which counts cells and memories."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from ..processes import TIMEOUT, run_program
from ..values.errors import SimulatorCrash, SimulatorMissing, SimulatorTimeout
from .lowering import IntegerProgram
from .verilog import write_verilog

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


class Netlist(NamedTuple):
    """What synthesis without a target library makes of a module.

    `memories`, `memory_bits`: the tables, which stay memories. `cells`: the gates and flip-flops of the rest;
    `registers`: the flip-flops of them.
    """

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
        done = run_program(command, folder, timeout)
    except subprocess.TimeoutExpired:
        raise SimulatorTimeout(f"{tool}: did not finish in {timeout:g} s and was stopped; allow more time") from None
    if done.status != 0:
        said = " ".join((done.complained or done.printed).split())
        raise SimulatorCrash(f"{tool}: ended with status {done.status}: {said[:300]}")
    return done.printed


def lint(program: IntegerProgram, *, timeout: float = TIMEOUT) -> None:
    """Check the Verilog of a program by Verilator with all its warnings. Raises SimulatorCrash with the first ones."""
    verilator = find_tool("verilator")
    with tempfile.TemporaryDirectory(prefix="hopfield_hw_") as name:
        _write(program, Path(name))
        run_tool([verilator, "--lint-only", "-Wall", f"{MODULE}.v"], Path(name), timeout)


def synthesise(program: IntegerProgram, *, timeout: float = TIMEOUT) -> Netlist:
    """Return what Yosys makes of the Verilog of a program. Raises SimulatorErrors as `lint` does."""
    yosys = find_tool("yosys")
    with tempfile.TemporaryDirectory(prefix="hopfield_hw_") as name:
        folder = Path(name)
        _write(program, folder)
        script = (
            f"read_verilog {MODULE}.v; synth -top {MODULE} -run begin:fine; dump -o memories.txt t:$mem*; "
            "opt -fast -full; techmap; opt -fast; abc -fast -g AND,OR,XOR,MUX; opt_clean; "
            "tee -q -o cells.json stat -json"
        )
        run_tool([yosys, "-q", "-p", script], folder, timeout)
        kinds = json.loads((folder / "cells.json").read_text(encoding="utf-8"))["design"]["num_cells_by_type"]
        dump = (folder / "memories.txt").read_text(encoding="utf-8")
    registers = sum(number for kind, number in kinds.items() if "DFF" in kind)
    cells = sum(number for kind, number in kinds.items() if not kind.startswith("$mem"))
    sizes, widths = (re.findall(rf"parameter .*\\{word} (\d+)", dump) for word in ("SIZE", "WIDTH"))
    bits = sum(int(size) * int(width) for size, width in zip(sizes, widths, strict=True))
    return Netlist(cells, registers, len(sizes), bits)


def _write(program: IntegerProgram, folder: Path) -> None:
    (folder / f"{MODULE}.v").write_text(write_verilog(program, MODULE), encoding="utf-8")
