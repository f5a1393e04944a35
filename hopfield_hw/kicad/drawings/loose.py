"""Parts that belong to no stage: in rows, each pin with the name of its net."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...assembly.component import GROUND
from .page import Page
from .stages import Placed, unit_pins

WIDE, ACROSS = 38, 270  # between parts, names of nets included; the width of a row


def draw_loose(page: Page, loose: Sequence[Placed], points: Mapping[str, Placed], x: int, y: int) -> int:
    """Draw parts, the tallest first, then points to measure, in rows from (x, y); return how far down they go."""
    at, row, tallest = x, y, 0
    for placed in sorted(loose, key=lambda one: -sum(_reach(one))):
        above, below = _reach(placed)
        if at > x + ACROSS:
            at, row, tallest = x, row + tallest, 0
        draw_named(page, placed, at, row + above)
        at += WIDE
        tallest = max(tallest, above + below)
    if loose:
        row += tallest
    at, shown = x, 0
    for net, placed in points.items():
        if at > x + ACROSS:
            at, row = x, row + 10
        page.place(placed, at, row + 5)
        page.sheet.wire((at - 3, row + 5), (at, row + 5))
        page.end(net, at - 3, row + 5)
        at, shown = at + WIDE // 2, shown + 1
    return row + (10 if shown else 0)


def draw_connector(page: Page, placed: Placed, x: int, y: int) -> int:
    """Draw a connector, pin 1 at y and its wires on the left; return how far down it goes.

    A supply's wire turns up or down, so that its symbol meets no other wire.
    """
    pins = unit_pins(placed)
    at = page.place(placed, x, y, value=(4, len(pins) - 1, "left"), reference=(0.5, -2.4))
    for k, pin in enumerate(pins):
        px, py = at[pin.number]
        net = placed.unit.pins.get(pin.number)
        if net is None:
            page.sheet.no_connect(px, py)
        elif net in page.assembly.supplies:
            turn = py - 4 if page.points_up(net) else py + 4
            page.sheet.wire((px, py), (px - 3, py), (px - 3, turn))
            page.sheet.power(net, px - 3, turn)
        else:
            far = 12 if net == GROUND and k + 1 < len(pins) else 2
            page.sheet.wire((px, py), (px - far, py))
            page.end(net, px - far, py)
    return y + 2 * len(pins) + 6


def draw_named(page: Page, placed: Placed, x: int, y: int) -> None:
    """Draw a unit with a wire and the name of its net at each pin."""
    at = page.place(placed, x, y)
    for pin in unit_pins(placed):
        px, py = at[pin.number]
        net = placed.unit.pins.get(pin.number)
        angle = {0: 180, 180: 0, 90: 270, 270: 90}[pin.angle]
        if net is None:
            page.sheet.no_connect(px, py)
            continue
        dx, dy = {0: (2, 0), 180: (-2, 0), 90: (0, -2), 270: (0, 2)}[angle]
        page.sheet.wire((px, py), (px + dx, py + dy))
        page.end(net, px + dx, py + dy, angle)


def _reach(placed: Placed) -> tuple[int, int]:
    """Return how much room a unit needs above and below its middle, names of nets included."""
    pins = unit_pins(placed)
    above = max(pin.y + (14 if pin.angle == 270 else 5) for pin in pins)
    below = max(-pin.y + (14 if pin.angle == 90 else 5) for pin in pins)
    return max(above, 6), max(below, 6)
