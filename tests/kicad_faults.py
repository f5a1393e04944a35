"""Faults to plant in the files of a KiCad project: one small change each, such as a person or a program makes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from hopfield_hw.kicad.sexpr import Quoted, Tree, every, first, need, read_tree, word, write_tree

GRID = 1.27


class Fault(NamedTuple):
    """A fault: its name, and what plants it in a folder."""

    name: str
    plant: Callable[[Path], None]


def edit(path: str, change: Callable[[Tree], None]) -> Callable[[Path], None]:
    def plant(folder: Path) -> None:
        tree = read_tree((folder / path).read_text())
        before = write_tree(tree)
        change(tree)
        after = write_tree(tree)
        assert after != before, "nothing was changed"
        (folder / path).write_text(after)

    return plant


def remove(kind: str, which: Callable[[Tree], bool] = lambda item: True) -> Callable[[Tree], None]:
    def change(tree: Tree) -> None:
        tree.remove(next(item for item in every(tree, kind) if which(item)))

    return change


def placed(tree: Tree, reference: str, unit: int = 1) -> Tree:
    return next(
        s for s in every(tree, "symbol") if instance(s)[2][1] == reference and word(need(s, "unit")) == str(unit)
    )


def instance(symbol: Tree) -> Tree:
    return need(need(need(symbol, "instances"), "project"), "path")


def is_symbol(name: str) -> Callable[[Tree], bool]:
    return lambda item: word(need(item, "lib_id")) == f"hopfield:{name}"


def set_field(reference: str, name: str, value: str, unit: int = 1) -> Callable[[Tree], None]:
    def change(tree: Tree) -> None:
        symbol = placed(tree, reference, unit)
        next(field for field in every(symbol, "property") if field[1] == name)[2] = Quoted(value)

    return change


def set_switch(reference: str, name: str, value: str) -> Callable[[Tree], None]:
    def change(tree: Tree) -> None:
        need(placed(tree, reference), name)[1] = value

    return change


def move(reference: str, dx: float, dy: float = 0.0) -> Callable[[Tree], None]:
    def change(tree: Tree) -> None:
        at = need(placed(tree, reference), "at")
        at[1], at[2] = float(at[1]) + dx * GRID, float(at[2]) + dy * GRID

    return change


def turn(reference: str, angle: int) -> Callable[[Tree], None]:
    def change(tree: Tree) -> None:
        need(placed(tree, reference), "at")[3] = angle

    return change


def mirror(reference: str, unit: int) -> Callable[[Tree], None]:
    def change(tree: Tree) -> None:
        symbol = placed(tree, reference, unit)
        symbol.insert(3, ["mirror", "x"])

    return change


def rename(reference: str, new: str, unit: int = 1) -> Callable[[Tree], None]:
    """Give another reference, in the field and in the instance."""

    def change(tree: Tree) -> None:
        symbol = placed(tree, reference, unit)
        instance(symbol)[2][1] = Quoted(new)
        next(field for field in every(symbol, "property") if field[1] == "Reference")[2] = Quoted(new)

    return change


def swap_units(reference: str, unit: int, other: int) -> Callable[[Tree], None]:
    def change(tree: Tree) -> None:
        symbol = placed(tree, reference, unit)
        need(symbol, "unit")[1] = other
        instance(symbol)[3][1] = other

    return change


def set_all_projects(name: str) -> Callable[[Tree], None]:
    def change(tree: Tree) -> None:
        for symbol in every(tree, "symbol"):
            need(need(symbol, "instances"), "project")[1] = Quoted(name)

    return change


def drop_instances(tree: Tree) -> None:
    for symbol in every(tree, "symbol"):
        symbol.remove(need(symbol, "instances"))


def empty_library(tree: Tree) -> None:
    del need(tree, "lib_symbols")[1:]


def drop_one_library_symbol(tree: Tree) -> None:
    library = need(tree, "lib_symbols")
    library.remove(next(s for s in every(library, "symbol") if s[1] == "hopfield:R"))


def move_library_pin(tree: Tree) -> None:
    symbol = next(s for s in every(need(tree, "lib_symbols"), "symbol") if s[1] == "hopfield:OpAmp_Quad")
    body = every(symbol, "symbol")[0]
    pins = every(body, "pin")
    need(pins[0], "number")[1], need(pins[1], "number")[1] = need(pins[1], "number")[1], need(pins[0], "number")[1]


def set_label(kind: str, name: str, new: str) -> Callable[[Tree], None]:
    def change(tree: Tree) -> None:
        next(item for item in every(tree, kind) if item[1] == name)[1] = Quoted(new)

    return change


def set_power(net: str, new: str) -> Callable[[Tree], None]:
    """Name another supply by a power symbol."""

    def change(tree: Tree) -> None:
        for symbol in every(tree, "symbol"):
            value = next(field for field in every(symbol, "property") if field[1] == "Value")
            if value[2] == net and "#PWR" in instance(symbol)[2][1]:
                value[2] = Quoted(new)
                return
        raise AssertionError("no such supply")

    return change


def add_junction(x: int, y: int) -> Callable[[Tree], None]:
    def change(tree: Tree) -> None:
        key = ["uuid", Quoted("00000000-0000-4000-8000-000000000001")]
        tree.append(["junction", ["at", x * GRID, y * GRID], ["diameter", 0], ["color", 0, 0, 0, 0], key])

    return change


def add_wire(*points: tuple[int, int]) -> Callable[[Tree], None]:
    def change(tree: Tree) -> None:
        ends = ["pts", *(["xy", x * GRID, y * GRID] for x, y in points)]
        key = ["uuid", Quoted("00000000-0000-4000-8000-000000000002")]
        tree.append(["wire", ends, ["stroke", ["width", 0], ["type", "default"]], key])

    return change


def add_no_connect(x: int, y: int) -> Callable[[Tree], None]:
    def change(tree: Tree) -> None:
        key = ["uuid", Quoted("00000000-0000-4000-8000-000000000003")]
        tree.append(["no_connect", ["at", x * GRID, y * GRID], key])

    return change


def shorten_wire(tree: Tree) -> None:
    """Draw a wire back by a grid step from its end at a resistor."""
    points = need(next(w for w in every(tree, "wire") if w[1][1][1] == str(16 * GRID).rstrip("0")), "pts")
    points[2][1] = float(points[2][1]) - GRID


def copy_symbol(reference: str, dx: int) -> Callable[[Tree], None]:
    """Paste a part beside itself, under its own reference."""

    def change(tree: Tree) -> None:
        symbol = placed(tree, reference)
        twin = read_tree(write_tree(symbol))
        need(twin, "uuid")[1] = Quoted("00000000-0000-4000-8000-000000000004")
        need(twin, "at")[1] = float(need(twin, "at")[1]) + dx * GRID
        tree.insert(tree.index(symbol), twin)

    return change


def set_sheet_file(tree: Tree) -> None:
    sheet = every(tree, "sheet")[0]
    next(field for field in every(sheet, "property") if field[1] == "Sheetfile")[2] = Quoted("neuron_2.kicad_sch")


def drop_sheet_pin(tree: Tree) -> None:
    sheet = every(tree, "sheet")[0]
    sheet.remove(first(sheet, "pin"))


def delete(path: str) -> Callable[[Path], None]:
    return lambda folder: (folder / path).unlink()


def cut(path: str) -> Callable[[Path], None]:
    """Keep the first half of a file, as a full disk does."""

    def plant(folder: Path) -> None:
        text = (folder / path).read_text()
        (folder / path).write_text(text[: len(text) // 2])

    return plant


def settings_of(name: str) -> Callable[[Path], None]:
    def plant(folder: Path) -> None:
        path = folder / "small.kicad_pro"
        content = json.loads(path.read_text())
        content["meta"]["filename"] = name
        path.write_text(json.dumps(content))

    return plant


def set_pad_net(tree: Tree) -> None:
    part = next(f for f in every(tree, "footprint") if any(p[2] == "R101" for p in every(f, "property")))
    pads = every(part, "pad")
    ends = [need(pad, "net") for pad in pads]
    ends[0][1:], ends[1][1:] = ends[1][1:], ends[0][1:]


NEURON, POWER, ROOT = "neuron_1.kicad_sch", "power.kicad_sch", "small.kicad_sch"

FAULTS = (
    Fault("a wire is gone", edit(NEURON, remove("wire"))),
    Fault("a wire ends a step before a pin", edit(NEURON, shorten_wire)),
    Fault("a dot is gone", edit(NEURON, remove("junction"))),
    Fault("a dot joins two wires that cross", edit(ROOT, add_junction(34, 34))),
    Fault("a wire joins two nets", edit(NEURON, add_wire((50, 28), (70, 28)))),
    Fault("a resistor is moved", edit(NEURON, move("R101", 2))),
    Fault("a resistor is off the grid", edit(NEURON, move("R101", 0.25))),
    Fault("a connector is turned round", edit(POWER, turn("J2", 180))),
    Fault("an op-amp is mirrored: its inputs change places", edit(NEURON, mirror("U1", 1))),
    Fault("a section of the package is taken twice", edit(NEURON, swap_units("U1", 1, 3))),
    Fault(
        "a unit's number differs from its instance's",
        edit(NEURON, lambda t: need(placed(t, "U1"), "unit").__setitem__(1, 2)),
    ),
    Fault("a reference is there twice", edit(NEURON, rename("R101", "R102"))),
    Fault("a reference has no number", edit(NEURON, rename("R101", "R?"))),
    Fault("a reference of another part", edit(NEURON, rename("R101", "R999"))),
    Fault("the shown reference is another", edit(NEURON, set_field("R101", "Reference", "R109"))),
    Fault("a part is pasted twice", edit(NEURON, copy_symbol("R103", 0))),
    Fault("a wrong resistor", edit(NEURON, set_field("R101", "Value", "220k"))),
    Fault("a wrong value in one unit", edit(NEURON, set_field("U1", "Value", "LM324"))),
    Fault("a wrong footprint", edit(NEURON, set_field("R101", "Footprint", "hopfield:C_0805"))),
    Fault("a wrong tolerance", edit(NEURON, set_field("R101", "Tolerance", "5%"))),
    Fault("a wrong model", edit(NEURON, set_field("U1", "Sim.Name", "OTHER"))),
    Fault("a part is not to be placed", edit(NEURON, set_switch("R101", "dnp", "yes"))),
    Fault("a part is not simulated", edit(NEURON, set_switch("R101", "exclude_from_sim", "yes"))),
    Fault("a part is not on the board", edit(NEURON, set_switch("R101", "on_board", "no"))),
    Fault("a resistor is gone", edit(NEURON, remove("symbol", is_symbol("R")))),
    Fault("a supply unit is gone", edit(POWER, remove("symbol", lambda s: word(need(s, "unit")) == "5"))),
    Fault("a flag of a supply is gone", edit(POWER, remove("symbol", is_symbol("PWR_FLAG")))),
    Fault("a power symbol names the other supply", edit(POWER, set_power("+12V", "-12V"))),
    Fault("a ground is named otherwise", edit(NEURON, set_power("GND", "AGND"))),
    Fault("a no_connect is gone and its pin at a wire", edit(POWER, add_wire((64, 28), (64, 32)))),
    Fault("a no_connect at a pin that is connected", edit(NEURON, add_no_connect(33, 40))),
    Fault("a hierarchical label is renamed", edit(NEURON, set_label("hierarchical_label", "V2", "VX"))),
    Fault("a hierarchical label is gone", edit(NEURON, remove("hierarchical_label"))),
    Fault("a label of the root joins another net", edit(ROOT, set_label("label", "V1", "V2"))),
    Fault("a pin of a sheet is gone", edit(ROOT, drop_sheet_pin)),
    Fault("a sheet is gone", edit(ROOT, remove("sheet"))),
    Fault("a sheet shows another's file", edit(ROOT, set_sheet_file)),
    Fault("a sheet's file is lost", delete(NEURON)),
    Fault("a sheet's file is cut off", cut(NEURON)),
    Fault("a sheet is of a version to come", edit(NEURON, lambda t: need(t, "version").__setitem__(1, 20990101))),
    Fault("the embedded symbols are gone", edit(NEURON, empty_library)),
    Fault("an embedded symbol is gone", edit(NEURON, drop_one_library_symbol)),
    Fault("pins of an embedded symbol change numbers", edit(NEURON, move_library_pin)),
    Fault("the instances are gone", edit(NEURON, drop_instances)),
    Fault("the instances are of another project", edit(NEURON, set_all_projects("other"))),
    Fault("the settings are of another project", settings_of("other.kicad_pro")),
    Fault("the settings are lost", delete("small.kicad_pro")),
    Fault("the table of symbols is lost", delete("sym-lib-table")),
    Fault("the table of footprints is lost", delete("fp-lib-table")),
    Fault("a footprint is lost", delete("hopfield.pretty/R_0805.kicad_mod")),
    Fault("the models are lost", delete("hopfield.lib")),
    Fault("a pad is at the wrong net", edit("small.kicad_pcb", set_pad_net)),
    Fault("a footprint is not on the board", edit("small.kicad_pcb", remove("footprint"))),
)
