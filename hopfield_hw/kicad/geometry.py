"""Where things of a sheet lie: turned and mirrored symbols, the room of a text, wires split where others meet them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import pairwise
from typing import NamedTuple

Point = tuple[int, int]  # in grid units, x to the right, y downwards

ANGLES = (0, 90, 180, 270)
MIRRORS = ("", "x", "y")
CHARACTER = 0.9  # width of a character of KiCad's own font, of its size
LINE = 1.6  # height of a line of text, of its size


class Room(NamedTuple):
    """A rectangle, in grid units."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: Room) -> bool:
        """Whether two rectangles have a point in common that is inside both."""
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )

    def moved(self, x: float, y: float) -> Room:
        """Return the rectangle elsewhere."""
        return Room(self.left + x, self.top + y, self.right + x, self.bottom + y)


def turn(x: float, y: float, angle: int, mirror: str = "") -> tuple[float, float]:
    """Return where a point of a symbol, y upwards, lies from the origin of the placed one, y downwards.

    It is turned counterclockwise by `angle` degrees, then mirrored at the x axis (`x`: top and bottom change) or at
    the y axis.
    """
    for _ in range(angle // 90):
        x, y = -y, x
    if mirror == "x":
        y = -y
    elif mirror == "y":
        x = -x
    return x, -y


def text_room(shown: str, x: float, y: float, side: str, size: float, grid: float) -> Room:
    """Return the room of a line of text that begins (`left`), ends (`right`) or has its centre at a point."""
    width, half = CHARACTER * size * len(shown) / grid, size / grid / 2
    left = {"left": x, "right": x - width, "centre": x - width / 2}[side]
    return Room(left, y - half, left + width, y + half)


def split_wires(
    wires: Iterable[tuple[Point, Point]], pins: Collection[Point]
) -> tuple[list[tuple[Point, Point]], list[Point]]:
    """Return wires split at the ends of others and at pins, and the points where three or more of them meet."""
    drawn = list(wires)
    ends = {point for wire in drawn for point in wire} | set(pins)
    columns: dict[int, list[int]] = {}
    rows: dict[int, list[int]] = {}
    for x, y in ends:
        columns.setdefault(x, []).append(y)
        rows.setdefault(y, []).append(x)
    pieces: set[tuple[Point, Point]] = set()
    for (x1, y1), (x2, y2) in drawn:
        if x1 == x2:
            on = [(x1, y) for y in sorted(columns[x1]) if min(y1, y2) <= y <= max(y1, y2)]
        else:
            on = [(x, y1) for x in sorted(rows[y1]) if min(x1, x2) <= x <= max(x1, x2)]
        pieces.update(pairwise(on))
    count: dict[Point, int] = {}
    for piece in pieces:
        for point in piece:
            count[point] = count.get(point, 0) + 1
    joined = set(count)
    for point in pins:
        count[point] = count.get(point, 0) + 1
    return sorted(pieces), sorted(point for point in joined if count[point] > 2)
