"""The own reader against KiCad's: random drawings, whatever sense they make, have the same nets of the same names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hopfield_hw.assembly import Component, Unit
from hopfield_hw.kicad.commands import export_net_list, find_kicad
from hopfield_hw.kicad.geometry import split_wires
from hopfield_hw.kicad.netlist import NetList, read_net_list
from hopfield_hw.kicad.reader import Schematic, read_project
from hopfield_hw.kicad.sexpr import Tree, write_tree
from hopfield_hw.kicad.sheet import Sheet, make_uuid
from hopfield_hw.kicad.symbols.shapes import GRID

needs_kicad = pytest.mark.skipif(find_kicad() is None, reason="kicad-cli is not installed: nothing to compare with")
SPAN = 9  # grid steps of a scribble
KINDS = ("R", "C", "SSM2212", "OpAmp_Quad", "DG442", "TP")


def scribble(sheet: Sheet, rng: np.random.Generator, x0: int, y0: int, first: int) -> list[Tree]:
    """Place parts, labels and power symbols in a square of a sheet, and return wires and dots across it."""

    def point() -> tuple[int, int]:
        return x0 + int(rng.integers(SPAN)), y0 + int(rng.integers(SPAN))

    def some() -> tuple[int, int]:
        return points[int(rng.integers(len(points)))]

    pins: list[tuple[int, int]] = []
    for k in range(4):
        name = KINDS[int(rng.integers(len(KINDS)))]
        units = 1 if name in ("R", "C", "TP") else 2
        number = int(rng.integers(1, units + 1))
        reference = f"{'R' if name == 'R' else 'X'}{first + k}"
        unit = Unit(number=number, role=f"{reference}_{number}", device="", sheet="root", pins={})
        component = Component(reference=reference, symbol=name, value="1k", footprint="", units=(unit,))
        angle, mirror = 90 * int(rng.integers(4)), ("", "x", "y")[int(rng.integers(3))]
        pins += sheet.place(component, unit, *point(), angle, mirror).values()
    points = list(pins)
    for _ in range(3):
        sheet.label(f"{'AB'[int(rng.integers(2))]}_{first}", *(some() if rng.random() < 0.7 else point()))
    if rng.random() < 0.5:
        pins.append(sheet.power(("GND", "+12V")[int(rng.integers(2))], *some()))
    items: list[Tree] = []
    taken: set[tuple[int, int, int]] = set()
    lines: list[tuple[tuple[int, int], tuple[int, int]]] = []
    for _ in range(14):
        x, y = some() if rng.random() < 0.7 else point()
        length, across = int(rng.integers(1, 6)), int(rng.integers(2))
        steps = {(x + (n if across else 0), y + (0 if across else n), across) for n in range(length)}
        if steps & taken:  # KiCad makes one wire of two that lie on one another
            continue
        taken |= steps
        end = (x + length, y) if across else (x, y + length)
        points += [(x, y), end]
        lines.append(((x, y), end))
    # Where three meet without a dot, or a wire passes below a pin, KiCad's own answer hangs on the order of its items.
    pieces, dots = split_wires(lines, pins)
    for k, piece in enumerate(pieces):
        ends = ["pts", *(["xy", px * GRID, py * GRID] for px, py in piece)]
        key = ["uuid", make_uuid("scribble", "wire", first, k)]
        items.append(["wire", ends, ["stroke", ["width", 0], ["type", "default"]], key])
    for x, y in sorted({*dots, some(), some()}):
        key = ["uuid", make_uuid("scribble", "junction", first, x, y)]
        items.append(["junction", ["at", x * GRID, y * GRID], ["diameter", 0], ["color", 0, 0, 0, 0], key])
    return items


def write_scribbles(folder: Path, seed: int, count: int) -> Path:
    rng = np.random.default_rng(seed)
    sheet = Sheet(project="scribble", name="root", title="Scribbles", supplies={"+12V": 12.0}, paper="A0")
    items: list[Tree] = []
    for k in range(count):
        items += scribble(sheet, rng, 40 + 60 * (k % 12), 40 + 60 * (k // 12), 100 * (k + 1))
    tree = sheet.tree()
    path = folder / "scribble.kicad_sch"
    path.write_text(write_tree([*tree[:-2], *items, *tree[-2:]]))
    return path


def same_nets(own: Schematic, kicads: NetList) -> None:
    wanted = {frozenset(pins): name for name, pins in kicads.nets.items()}
    wanted |= {frozenset({pin}): name for name, pin in kicads.free.items()}
    found = {frozenset(pins): name for name, pins in own.nets.items()}
    found |= {frozenset({pin}): name for name, pin in own.free.items()}
    assert found == wanted


@needs_kicad
@pytest.mark.parametrize("seed", range(3))
def test_nets_of_scribbles_are_those_of_kicad(seed: int, tmp_path: Path) -> None:
    path = write_scribbles(tmp_path, seed, 60)
    listed = read_net_list(export_net_list(path))
    own = read_project(path)
    assert len(listed.components) == 240
    same_nets(own, listed)
    assert max(len(pins) for pins in own.nets.values()) > 5
