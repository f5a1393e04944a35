"""Symbols and footprints: on the grid, with the pins of their packages, and as KiCad takes them."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from hopfield_hw.assembly import Component, Unit
from hopfield_hw.kicad import commands
from hopfield_hw.kicad.footprints import TABLE as FOOTPRINTS
from hopfield_hw.kicad.footprints import footprint
from hopfield_hw.kicad.netlist import read_net_list
from hopfield_hw.kicad.reader import read_project
from hopfield_hw.kicad.sexpr import every, read_tree, word, write_tree
from hopfield_hw.kicad.sheet import Sheet
from hopfield_hw.kicad.symbols import TABLE, symbol
from hopfield_hw.values.errors import InputError

NAMES = (*TABLE, "Conn_01", "Conn_17")
# By symbol the footprint that its parts have.
BODIES = {
    "R": "R_0805",
    "C": "C_1210",
    "D": "SOD123",
    "DZ": "SOD123",
    "LM4040": "SOT23",
    "OpAmp_Single": "SOIC8",
    "OpAmp_Dual": "SOIC8",
    "OpAmp_Quad": "SOIC14",
    "LM13700": "SOIC16",
    "AD633": "SOIC8",
    "DG442": "SOIC16",
    "CD4066B": "SOIC14",
    "TP": "TP_1.5",
    "Conn_17": "HDR_17",
}


@pytest.mark.parametrize("name", NAMES)
def test_pins_are_numbered_once_and_apart(name: str) -> None:
    found = symbol(name)
    numbers = [pin.number for pin in found.pins]
    assert len(numbers) == len(set(numbers)) > 0
    for unit in found.units:
        assert len(set(unit.at.values())) == len(unit.pins)
    assert write_tree(read_tree(write_tree(found.tree("hopfield:")))) == write_tree(found.tree("hopfield:"))


@pytest.mark.parametrize(("name", "body"), BODIES.items())
def test_pins_are_the_pads_of_the_footprint(name: str, body: str) -> None:
    assert {pin.number for pin in symbol(name).pins} == {pad.number for pad in footprint(body).pads}


def test_a_matched_pair_leaves_two_pads_free() -> None:
    assert {pin.number for pin in symbol("SSM2212").pins} == {"1", "2", "3", "6", "7", "8"}


@pytest.mark.parametrize(
    ("name", "unit", "names"),
    [
        ("OpAmp_Quad", 1, {"-": "2", "+": "3", "OUT": "1"}),
        ("OpAmp_Quad", 5, {"V+": "4", "V-": "11"}),
        ("OpAmp_Dual", 2, {"-": "6", "+": "5", "OUT": "7"}),
        ("SSM2212", 2, {"C": "8", "B": "7", "E": "6"}),
        ("LM13700", 1, {"-": "4", "+": "3", "OUT": "5", "BIAS": "1", "DIODE": "2"}),
        ("LM13700", 2, {"-": "13", "+": "14", "OUT": "12", "BIAS": "16", "DIODE": "15"}),
        ("AD633", 1, {"X1": "7", "X2": "8", "Y1": "1", "Y2": "2", "Z": "4", "W": "5"}),
        ("DG442", 2, {"D": "15", "S": "14", "IN": "16"}),
        ("CD4066B", 3, {"D": "8", "S": "9", "IN": "6"}),
        ("DZ", 1, {"K": "1", "A": "2"}),
    ],
)
def test_pins_have_the_numbers_of_data_sheets(name: str, unit: int, names: dict[str, str]) -> None:
    assert {pin.name: pin.number for pin in symbol(name).units[unit - 1].pins} == names


def test_the_inverting_input_is_on_top_and_a_transistor_stands() -> None:
    at = symbol("OpAmp_Quad").units[0].at
    assert at["2"][1] > at["3"][1]
    assert at["2"][0] == at["3"][0] < at["1"][0]
    collector, base, emitter = (symbol("SSM2212").units[0].at[number] for number in "123")
    assert collector[1] > base[1] > emitter[1]
    assert base[0] < collector[0] == emitter[0]


@pytest.mark.parametrize("name", [*FOOTPRINTS, "HDR_05"])
def test_pads_do_not_touch(name: str) -> None:
    found = footprint(name)
    for a, b in itertools.combinations(found.pads, 2):
        apart = max(abs(a.x - b.x) - (a.width + b.width) / 2, abs(a.y - b.y) - (a.height + b.height) / 2)
        assert apart >= 0.2
    tree = read_tree(write_tree(found.tree()))
    assert [word(pad) for pad in every(tree, "pad")] == [pad.number for pad in found.pads]


@pytest.mark.parametrize("find", [symbol, footprint])
@pytest.mark.parametrize("name", ["R_0804", "Conn_00", "HDR_41", "hopfield:R", ""])
def test_other_names_are_refused(find, name: str) -> None:
    with pytest.raises(InputError, match=r"unknown|1 to 40"):
        find(name)


def every_orientation(folder: Path) -> tuple[Path, dict[str, tuple[str, str]]]:
    """Draw every unit of every symbol in every orientation, with a label at each pin; return the pins by label."""
    sheet = Sheet(project="turned", name="root", title="Every orientation", paper="A0")
    wanted = {}
    parts = [(s, number) for s in TABLE.values() if s.prefix[0] != "#" for number in range(1, len(s.units) + 1)]
    for row, (drawn, number) in enumerate(parts):
        for column, (angle, mirror) in enumerate(itertools.product((0, 90, 180, 270), ("", "x", "y"))):
            reference = f"{drawn.prefix}{100 * (row + 1) + column}"
            unit = Unit(number=number, role=reference, device="", sheet="root", pins={})
            component = Component(reference=reference, symbol=drawn.name, value="1k", footprint="", units=(unit,))
            x, y = 30 + 34 * column, 20 + 20 * row
            places = sheet.place(component, unit, x, y, angle, mirror)
            for pin in drawn.units[number - 1].pins:
                if pin.kind != "no_connect":
                    wanted[f"N{row}_{column}_{pin.number}"] = (reference, pin.number)
                    sheet.label(f"N{row}_{column}_{pin.number}", *places[pin.number])
    path = folder / "turned.kicad_sch"
    path.write_text(write_tree(sheet.tree()))
    return path, wanted


def test_turned_and_mirrored_pins_lie_where_they_are_read(tmp_path: Path) -> None:
    path, wanted = every_orientation(tmp_path)
    found = read_project(path).nets
    free = {pin.number for s in TABLE.values() for pin in s.pins if pin.kind == "no_connect"}
    assert {
        f"/{label}": frozenset({pin}) for label, pin in wanted.items() if pin[1] not in free
    }.items() <= found.items()


@pytest.mark.skipif(commands.find_kicad() is None, reason="kicad-cli is not installed: nothing to compare with")
def test_turned_and_mirrored_pins_lie_where_kicad_has_them(tmp_path: Path) -> None:
    path, wanted = every_orientation(tmp_path)
    found = read_net_list(commands.export_net_list(path)).nets
    assert {f"/{label}": frozenset({pin}) for label, pin in wanted.items()} == dict(found)
