"""A differential pair: the divider at the first base, the tail below the emitters, the second collector upwards."""

from __future__ import annotations

from collections.abc import Sequence

from .page import ROW, STEP, Page
from .stages import Branch, Pair, named_pin

BESIDE = 11  # between parts that stand side by side
HALF = 8  # from the middle of a pair to its transistors


def draw_pair(page: Page, pair: Pair, x: int, y: int, entering: str | None) -> tuple[tuple[int, int], int]:
    """Draw a pair from x to the right, its bases at y; return where its second collector leaves upwards, and its floor.

    The collector's wire is drawn up to STEP above the bases, to the line that it feeds. `entering`: the net that a wire
    at (x, y) carries from the stage before; None where none does.
    """
    sheet = page.sheet
    signals = [branch for branch in pair.into if branch.first == pair.into[0].first]
    taps = [branch.turned() for branch in pair.into if branch not in signals]
    lasts: list[int] = []
    for k, signal in enumerate(signals):
        row = y - ROW * k
        first, last = page.row(signal, x + 7, row)
        sheet.wire((x + 2, row), (first, row))
        lasts.append(last)
    base = max([x + 10, *(last + 2 for last in lasts)])
    for k, last in enumerate(lasts):
        sheet.wire((last, y - ROW * k), (base, y - ROW * k))
    if signals:
        top = y - ROW * (len(signals) - 1)
        sheet.wire((x, y), (x + 2, y), (x + 2, top))
        sheet.wire((base, y), (base, top))
        if entering is None or signals[0].first != entering:
            page.end(signals[0].first, x, y)
    depth = [y]
    depth += _hang(page, taps, base, y)
    left = base + BESIDE * max(len(taps) - 1, 0) + 13
    q1 = page.place(pair.input, left, y)
    right = left + 2 * HALF
    q2 = page.place(pair.other, right, y, mirror="y", reference=(3, 2.4, "left"), value=(3, 4.4, "left"))
    b1, c1, e1 = (q1[named_pin(pair.input, name)] for name in "BCE")
    b2, c2, e2 = (q2[named_pin(pair.other, name)] for name in "BCE")
    sheet.wire((base, y), b1)
    page.name_net(pair.input.net(named_pin(pair.input, "B")), base + 1, y)
    sheet.wire(c1, (c1[0], c1[1] - 2), (c1[0] - 3, c1[1] - 2))
    page.end(pair.input.net(named_pin(pair.input, "C")), c1[0] - 3, c1[1] - 2)
    middle, joint = (e1[0] + e2[0]) // 2, e1[1] + 1
    sheet.wire(e1, (e1[0], joint), (e2[0], joint), e2)
    page.name_net(pair.input.net(named_pin(pair.input, "E")), e1[0], joint)
    if pair.tail is not None:
        tail = page.place(pair.tail, middle - 2, joint + 7)
        bt, ct, et = (tail[named_pin(pair.tail, name)] for name in "BCE")
        sheet.wire((middle, joint), ct)
        sheet.wire((bt[0] - 3, bt[1]), bt)
        page.end(pair.tail.net(named_pin(pair.tail, "B")), bt[0] - 3, bt[1])
        below = et[1] + 2
        sheet.wire(et, (middle, below))
        page.name_net(pair.tail.net(named_pin(pair.tail, "E")), middle, below)
        depth += _hang(page, [b.turned() for b in pair.degeneration], middle, below)
    start = b2[0] + 3
    sheet.wire(b2, (start, y))
    page.name_net(pair.other.net(named_pin(pair.other, "B")), b2[0], y)
    depth += _hang(page, [b.turned() for b in pair.balance], start + 8, y, back=start)
    edge = max(start + 8 + BESIDE * max(len(pair.balance) - 1, 0), c2[0])
    sheet.wire(c2, (c2[0], y - STEP), (edge, y - STEP))
    return (edge, y - STEP), max(depth)


def _hang(page: Page, branches: Sequence[Branch], x: int, y: int, back: int | None = None) -> list[int]:
    """Draw branches downwards, side by side from x, from a line at y; return their lower ends' y."""
    floors = []
    for k, branch in enumerate(branches):
        column = x + BESIDE * k
        top, bottom = page.column(branch, column, y + 5)
        page.sheet.wire((column, y), (column, top))
        page.sheet.wire((column, bottom), (column, bottom + 1))
        page.end(branch.last, column, bottom + 1, 270)
        floors.append(bottom + 4 + round(0.9 * len(branch.last or "")))
    if branches:
        page.sheet.wire((x if back is None else back, y), (x + BESIDE * (len(branches) - 1), y))
    return floors
