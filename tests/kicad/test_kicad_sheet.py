"""Sheets: wires split where they meet, dots, names, texts that leave each other room, and what is refused."""

from __future__ import annotations

import itertools

import pytest
from kicad_board import small_assembly, small_sheets

from hopfield_hw.assembly import Component, Unit
from hopfield_hw.kicad.geometry import split_wires, text_room, turn
from hopfield_hw.kicad.reader import read_texts
from hopfield_hw.kicad.sexpr import every, need, word, write_tree
from hopfield_hw.kicad.sheet import Sheet
from hopfield_hw.values.errors import InputError


def new_sheet(**more) -> Sheet:
    return Sheet(project="p", name="root", title="T", supplies={"+12V": 12.0, "-12V": -12.0}, **more)


def resistor(reference: str = "R1", **more) -> tuple[Component, Unit]:
    unit = Unit(number=1, role=reference, device="", sheet="root", pins={"1": "a", "2": "b"})
    return Component(reference=reference, symbol="R", value="1k", footprint="R_0805", units=(unit,), **more), unit


def test_wires_are_split_where_others_end_and_dots_are_where_three_meet() -> None:
    wires, dots = split_wires([((0, 0), (10, 0)), ((4, 0), (4, 6)), ((0, 3), (10, 3))], [(10, 0), (2, 0), (7, 9)])
    assert dots == [(2, 0), (4, 0)]
    assert ((0, 0), (2, 0)) in wires
    assert ((4, 0), (4, 6)) in wires  # the wire that crosses it does not meet it
    assert ((0, 3), (10, 3)) in wires
    assert len(wires) == 5


def test_a_corner_has_no_dot() -> None:
    assert split_wires([((0, 0), (5, 0)), ((5, 0), (5, 5))], [(0, 0)]) == (
        [((0, 0), (5, 0)), ((5, 0), (5, 5))],
        [],
    )


@pytest.mark.parametrize(
    ("angle", "mirror", "at"),
    [(0, "", (3, -1)), (90, "", (-1, -3)), (180, "", (-3, 1)), (270, "", (1, 3)), (0, "x", (3, 1)), (0, "y", (-3, -1))],
)
def test_points_turn_with_their_symbol(angle: int, mirror: str, at: tuple[int, int]) -> None:
    assert turn(3, 1, angle, mirror) == at


def test_places_are_returned_and_written() -> None:
    sheet = new_sheet()
    assert sheet.place(*resistor(), 20, 10, 90) == {"1": (20, 13), "2": (20, 7)}
    (symbol,) = every(sheet.tree(), "symbol")
    assert [float(value) for value in need(symbol, "at")[1:]] == pytest.approx([25.4, 12.7, 90])
    fields = {word(field): word(field, 2) for field in every(symbol, "property")}
    assert fields["Footprint"] == "hopfield:R_0805"
    assert (fields["Reference"], fields["Value"]) == ("R1", "1k")


def test_uuids_follow_from_the_role_alone() -> None:
    first, second = new_sheet(), new_sheet()
    first.place(*resistor("R1"), 20, 10)
    first.place(*resistor("R2"), 40, 10)
    second.place(*resistor("R2"), 60, 30)
    keys = [{word(need(s, "uuid")) for s in every(sheet.tree(), "symbol")} for sheet in (first, second)]
    assert keys[1] < keys[0]
    other = Sheet(project="q", name="root", title="T")
    assert other.uuid != first.uuid


def test_names_of_power_are_their_values() -> None:
    sheet = new_sheet()
    for k, net in enumerate(("GND", "+12V", "-12V")):
        assert sheet.power(net, 10 * k, 10) == (10 * k, 10)
    sheet.flag(50, 10)
    drawn = [word(need(s, "lib_id")) for s in every(sheet.tree(), "symbol")]
    assert drawn == ["hopfield:GND", "hopfield:SUPPLY_PLUS", "hopfield:SUPPLY_MINUS", "hopfield:PWR_FLAG"]
    with pytest.raises(InputError, match="'V1' has no power symbol"):
        sheet.power("V1", 0, 0)


def test_the_smallest_paper_that_leaves_the_title_block_free() -> None:
    sheet = new_sheet()
    sheet.wire((10, 10), (100, 10))
    assert need(sheet.tree(), "paper")[1] == "A4"
    sheet.wire((10, 10), (10, 160))
    assert need(sheet.tree(), "paper")[1] == "A3"
    sheet.wire((10, 160), (2000, 160))
    assert need(sheet.tree(), "paper")[1] == "User"
    assert need(new_sheet(paper="A2").tree(), "paper")[1] == "A2"
    with pytest.raises(InputError, match="must be one of A4"):
        new_sheet(paper="B5").tree()


def test_what_no_sheet_has_is_refused() -> None:
    sheet = new_sheet()
    component, unit = resistor()
    sheet.place(component, unit, 20, 10)
    with pytest.raises(InputError, match="placed twice"):
        sheet.place(component, unit, 40, 10)
    with pytest.raises(InputError, match="horizontal or vertical"):
        sheet.wire((0, 0), (1, 1))
    other, _ = resistor("R2")
    with pytest.raises(InputError, match="it has 1 to 1"):
        sheet.place(other, Unit(number=2, role="x", device="", sheet="root", pins={}), 40, 10)
    with pytest.raises(InputError, match="angle 45"):
        sheet.place(*resistor("R3"), 40, 10, 45)
    with pytest.raises(InputError, match="no field 'Weight'"):
        sheet.place(*resistor("R4"), 40, 10, show={"Weight": (0, 0)})
    with pytest.raises(InputError, match="place of Value"):
        sheet.place(*resistor("R5"), 40, 10, value=(0, 0, "top"))
    with pytest.raises(InputError, match="shape 'inout'"):
        sheet.port("a", 0, 0, shape="inout")
    with pytest.raises(InputError, match="pin 'a' is there twice"):
        sheet.sub_sheet("s", 0, 0, 10, 10, [("a", "input", 2), ("a", "input", 4)], page=2)


def test_texts_leave_each_other_and_wires_room() -> None:
    assembly = small_assembly()
    for sheet in small_sheets(assembly):
        for a, b in itertools.combinations(sheet.texts, 2):
            assert not a.meets(b), (sheet.name, a, b)


def test_the_room_of_a_text() -> None:
    left, right = (text_room("abcd", 10, 5, side, 1.27, 1.27) for side in ("left", "right"))
    assert left.left == right.right == 10
    assert left.right - left.left == pytest.approx(right.right - right.left) == pytest.approx(3.6)


def test_nets_reach_through_sheets() -> None:
    assembly = small_assembly()
    found = read_texts(assembly.name, {sheet.file: write_tree(sheet.tree()) for sheet in small_sheets(assembly)})
    assert not found.problems
    assert {name.rsplit("/", 1)[-1]: pins for name, pins in found.nets.items()} == dict(assembly.nets)
