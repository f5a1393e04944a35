"""How long the package and its commands take to start, beside the packages that they stand on."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from functools import partial
from typing import Any

from measuring import interleaved, row

COMMAND_GOAL, IMPORT_GOAL = 2.0, 1.2
BASE = "import typer, numpy"
STACK = "import numpy, scipy.integrate, xarray"
COMMANDS = ("--help", "--version", "list")
IMPORTS = ("import hopfield_hw", "import hopfield_hw as hh; hh.Network")


def start_up(rounds: int = 7) -> Iterable[dict[str, Any]]:
    """Time starts, each in a process: commands against typer and NumPy, imports against NumPy, SciPy and xarray."""
    codes = {code: code for code in (BASE, STACK, *IMPORTS)}
    codes |= {name: f"from hopfield_hw.cli import run; run([{name!r}])" for name in COMMANDS}
    # The least of several times: what else the machine does only ever adds to one.
    least = interleaved({name: partial(_run, code) for name, code in codes.items()}, rounds=rounds, of=min)
    for name in COMMANDS:
        yield row(f"start of hopfield-hw {name}, against `{BASE}`", least[name] / least[BASE], COMMAND_GOAL, "lower")
    for name in IMPORTS:
        yield row(f"start of `{name}`, against `{STACK}`", least[name] / least[STACK], IMPORT_GOAL, "lower")


def _run(code: str) -> None:
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
