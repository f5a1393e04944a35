"""Two decks compared as netlists by netgen-lvs, a program that finds what differs by structure and values alone."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

from hopfield_hw.extraction.devices import FlatDeck, FlatDevice

# Mesh generators are called `netgen` too: the program must say what it is.
PROGRAMS = ("netgen-lvs", "netgen")
SETUP = """\
permute default
property default
property r tolerance {value 1e-7}
property c tolerance {value 1e-7}
property r parallel none
property c parallel none
"""
NONE = "no matching"
SECONDS = 60.0


class Told(NamedTuple):
    """What was told: the devices that have no partner or another value, and the last words."""

    devices: set[str]
    said: str


def find_netgen() -> str | None:
    """Return the path of netgen-lvs; None where it is missing."""
    for name in PROGRAMS:
        path = shutil.which(name)
        if path is not None:
            asked = subprocess.run(
                [path, "-batch", "quit"], capture_output=True, text=True, check=False, timeout=SECONDS, input=""
            )
            if "Netgen 1." in asked.stdout + asked.stderr:
                return path
    return None


def compare_netlists(program: str, good: FlatDeck, bad: FlatDeck) -> Told:
    """Return what differs between two decks by netgen: devices of the bad one, and such as are missing there."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "good.spice").write_text(_netlist(good), encoding="utf-8")
        (place / "bad.spice").write_text(_netlist(bad), encoding="utf-8")
        (place / "setup.tcl").write_text(SETUP, encoding="utf-8")
        words = [program, "-batch", "lvs", "good.spice board", "bad.spice board", "setup.tcl", "told.out"]
        done = subprocess.run(
            [*words, "-json", "-blackbox"],
            cwd=place,
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
            input="",
        )
        said = next((line for line in reversed(done.stdout.splitlines()) if line.startswith("Result")), "no result")
        report = place / "told.json"
        if not report.exists():
            return Told(set(), said)
        cells = json.loads(report.read_text(encoding="utf-8"))
    names = {device.name for deck in (good, bad) for device in deck.devices}
    devices = {_plain(name) for cell in cells for name in _names(cell)}
    return Told({name for name in devices if name in names}, said)


def _names(cell: dict[str, Any]) -> Iterator[str]:
    """Yield the instances that netgen lists in a cell."""
    for pair in cell.get("properties", []):
        yield from (side[0] for side in pair)
    for group in cell.get("badelements", []):
        yield from (instance[0] for side in group for instance in side if not instance[0].startswith(f"({NONE}"))


def _plain(name: str) -> str:
    return name.lower().removeprefix("/").removeprefix("x:").replace(":", ".")


def _netlist(deck: FlatDeck) -> str:
    """Return a deck as resistors, capacitors, and boxes for all else."""
    boxes: dict[str, int] = {}
    lines = []
    for device in deck.devices:
        if device.kind in ("R", "C"):
            lines.append(f"{device.name} {' '.join(device.nodes)} {device.value!r}")
            continue
        nodes = device.pins or (*device.nodes, *device.sensed)
        box = f"box_{device.kind.lower()}{len(nodes)}{_gain(device)}"
        boxes[box] = len(nodes)
        lines.append(f"X{device.name} {' '.join(nodes)} {box}")
    heads = [
        line
        for box, count in boxes.items()
        for line in (f".subckt {box} {' '.join(f'p{k}' for k in range(count))}", ".ends")
    ]
    return "\n".join(["* board", *heads, ".subckt board", *lines, ".ends", ".end"]) + "\n"


def _gain(device: FlatDevice) -> str:
    """Return what tells sources of different values or formulas apart, as a part of a name."""
    if device.value is None:
        return "" if device.formula is None else f"_{crc32(str(device.formula).encode())}"
    return f"_{device.value:g}".replace("-", "m").replace("+", "").replace(".", "p")
