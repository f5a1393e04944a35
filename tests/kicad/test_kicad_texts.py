"""Sheets of boards, to read: no text lies over another one or over a symbol, and all of it is on the paper."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from itertools import combinations, pairwise

import numpy as np
import pytest

import hopfield_hw as hh
from hopfield_hw.assembly import assemble
from hopfield_hw.designs.boards import board_of
from hopfield_hw.kicad.drawings.draw import draw_sheets
from hopfield_hw.kicad.geometry import Room, text_room, turn
from hopfield_hw.kicad.papers import PAPERS
from hopfield_hw.kicad.sexpr import Tree, every, first, need, number, word
from hopfield_hw.kicad.sheet import Sheet
from hopfield_hw.kicad.symbols.shapes import GRID

BOARDS = ("ad_converter_board", "letter_memory", "sixteen")
NEAR = 0.1  # grid units by which rooms of texts may reach into each other
TITLE = 60  # characters of a title that the block of a sheet holds


def memory_of_sixteen() -> hh.Board:
    """Two patterns in 16 neurons, with biases and an input."""
    patterns = np.random.default_rng(16).choice([-1.0, 1.0], (2, 16))
    weights = patterns.T @ patterns * 1e-5 / 16
    np.fill_diagonal(weights, 0.0)
    network = hh.Network(
        weights=weights,
        resistance=1e5,
        capacitance=1e-8,
        gain=hh.Tanh(gain=5.0),
        bias=np.where(np.arange(16) % 3 == 0, 1e-6, 0.0),
        input_weights=np.eye(16)[:, :1] * 1e-5,
        initial=0.1 * patterns[0],
    )
    return hh.design_board(network, op_amp="TL074", force=True, inputs=0.1, title="A memory of 16 neurons")


@cache
def sheets_of(name: str) -> tuple[Sheet, ...]:
    board = memory_of_sixteen() if name == "sixteen" else board_of(hh.load_design(name), force=True)
    return draw_sheets(assemble(board, name=name))


@pytest.mark.parametrize("name", BOARDS)
def test_no_text_lies_over_another_one(name: str) -> None:
    for sheet in sheets_of(name):
        texts = [_narrow(room) for room in (*sheet.texts, *(room for _, room in pin_numbers(sheet)))]
        found = [(a, b) for a, b in combinations(texts, 2) if a.meets(b)]
        assert not found, f"{sheet.name}: {found}"


@pytest.mark.parametrize("name", BOARDS)
def test_no_text_lies_over_a_symbol(name: str) -> None:
    for sheet in sheets_of(name):
        parts = list(outlines(sheet))
        found = [
            (reference, text) for text in map(_narrow, sheet.texts) for reference, points in parts if _has(text, points)
        ]
        assert not found, f"{sheet.name}: {found}"


@pytest.mark.parametrize("name", BOARDS)
def test_no_symbol_lies_over_another_one(name: str) -> None:
    for sheet in sheets_of(name):
        found = [(a, b) for (a, one), (b, other) in combinations(bodies_of(sheet), 2) if one.meets(other)]
        assert not found, f"{sheet.name}: {found}"


@pytest.mark.parametrize("name", BOARDS)
def test_all_is_on_a_paper_that_can_be_bought(name: str) -> None:
    for sheet in sheets_of(name):
        tree = sheet.tree()
        paper = word(need(tree, "paper"))
        width, height = PAPERS[paper]
        rooms = [*sheet.texts, *sheet.bodies, *(body for _, body in bodies_of(sheet))]
        assert min(min(room.left, room.top) for room in rooms) * GRID > 10.0
        assert max(room.right for room in rooms) * GRID < width - 10.0
        assert max(room.bottom for room in rooms) * GRID < height - 10.0
        block = need(tree, "title_block")
        assert len(word(need(block, "title"))) <= TITLE


def bodies_of(sheet: Sheet) -> Iterator[tuple[str, Room]]:
    """Yield the reference and the room of each symbol on a sheet, as its file has them."""
    for reference, points in outlines(sheet):
        across, down = zip(*points, strict=True)
        yield reference, Room(min(across), min(down), max(across), max(down))


def outlines(sheet: Sheet) -> Iterator[tuple[str, list[tuple[float, float]]]]:
    """Yield the reference of each symbol and points along its lines."""
    for part, drawn, (x, y, angle, mirror) in _placed(sheet):
        turned = (turn(px / GRID, py / GRID, angle, mirror) for px, py in _lines(drawn))
        yield _reference(part), [(x + px, y + py) for px, py in turned]


def pin_numbers(sheet: Sheet) -> Iterator[tuple[str, Room]]:
    """Yield the reference and the room of the number at each pin: above the middle of one that lies, or left of it."""
    for part, drawn, (x, y, angle, mirror) in _placed(sheet):
        hidden = first(_library(sheet)[word(need(part, "lib_id"))], "pin_numbers")
        for pin in every(drawn, "pin") if hidden is None else ():
            (px, py, towards), length = (number(need(pin, "at"), k) for k in (1, 2, 3)), number(need(pin, "length"))
            half = {0: (1, 0), 90: (0, 1), 180: (-1, 0), 270: (0, -1)}[int(towards)]
            middle = turn(px + half[0] * length / 2, py + half[1] * length / 2, angle, mirror)
            said = word(need(pin, "number"))
            room = text_room(said, 0.0, -0.7, "centre", 1.27, GRID)
            if (half[0] == 0) is (angle in (0, 180)):
                room = Room(room.top, room.left, room.bottom, room.right)
            yield _reference(part), room.moved(x + middle[0] / GRID, y + middle[1] / GRID)


def _placed(sheet: Sheet) -> Iterator[tuple[Tree, Tree, tuple[float, float, int, str]]]:
    library = _library(sheet)
    for part in every(sheet.tree(), "symbol"):
        symbol, unit = library[word(need(part, "lib_id"))], word(need(part, "unit"))
        drawn = next(one for one in every(symbol, "symbol") if word(one).endswith(f"_{unit}_1"))
        x, y, angle = (number(need(part, "at"), k) for k in (1, 2, 3))
        mirror = first(part, "mirror")
        yield part, drawn, (x / GRID, y / GRID, int(angle), word(mirror) if mirror else "")


@cache
def _library(sheet: Sheet) -> dict[str, Tree]:
    return {word(symbol): symbol for symbol in every(need(sheet.tree(), "lib_symbols"), "symbol")}


def _lines(drawn: Tree) -> Iterator[tuple[float, float]]:
    """Yield points along the lines of a symbol, in millimetres."""
    for item in every(drawn, "polyline"):
        points = [(number(point), number(point, 2)) for point in every(need(item, "pts"), "xy")]
        for first_one, last_one in pairwise(points):
            yield from zip(*map(_between, first_one, last_one), strict=True)
    for box in every(drawn, "rectangle"):
        (x1, y1), (x2, y2) = ((number(need(box, key)), number(need(box, key), 2)) for key in ("start", "end"))
        yield from ((x, y) for x in _between(x1, x2) for y in _between(y1, y2))
    for ring in every(drawn, "circle"):
        x, y, radius = number(need(ring, "center")), number(need(ring, "center"), 2), number(need(ring, "radius"))
        yield from ((x + radius * np.cos(turn), y + radius * np.sin(turn)) for turn in _between(0.0, 2.0 * np.pi))


def _between(first_one: float, last_one: float) -> list[float]:
    return [float(value) for value in np.linspace(first_one, last_one, 33)]


def _reference(part: Tree) -> str:
    return next(word(field, 2) for field in every(part, "property") if word(field) == "Reference")


def _has(room: Room, points: Iterable[tuple[float, float]]) -> bool:
    return any(room.left < x < room.right and room.top < y < room.bottom for x, y in points)


def _narrow(room: Room) -> Room:
    return Room(room.left + NEAR, room.top + NEAR, room.right - NEAR, room.bottom - NEAR)
