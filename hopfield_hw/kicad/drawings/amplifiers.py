"""An op-amp with the parts around it, drawn from left to right: rows into its input, feedback above, its output."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ...assembly.component import GROUND
from .page import ROW, STEP, Page, has_stub, room_of, step_of
from .pairs import draw_pair
from .stages import Amplifier, Branch, Placed

# From the names of nets to the first part of a row; from its last part to the bus; from the bus to the feedback.
TO_PART, TO_BUS, TO_FEEDBACK = 26, 4, 12
NEAR = 12  # to the first part, where no row says a weight
ABOVE = 8  # from the inverting input up to the first row of feedback
FEEDBACK_ROW = 6
MOST_ROWS = 24  # in one column; more are drawn in several
DANGLING = 14  # below a row with a switch, for the name of what closes it


class Drawn(NamedTuple):
    """What a stage takes: its edges, and where its output leaves it."""

    left: int
    top: int
    right: int
    bottom: int
    output: tuple[int, int]


def draw_amplifier(
    page: Page, stage: Amplifier, x: int, y: int, *, entering: str | None, points: dict[str, Placed]
) -> Drawn:
    """Draw a stage whose names of nets stand at x, and whose signal enters at y.

    `entering`: the net that a wire at (x, y) carries from the stage before; None where none does. `points`: points to
    measure by net; those drawn are taken out.
    """
    top = bottom = y
    if stage.pair is not None:
        collector, bottom = draw_pair(page, stage.pair, x, y, entering)
        y -= STEP
        bus = _bus(stage.inputs, collector[0] + 2)
        rows = _draw_rows(page, stage.inputs, collector[0] + 2, y - ROW, bus, step=-ROW)
        page.sheet.wire(collector, (bus, y))
        edges = [y]
        edges += rows
        top = min([top, *rows])
    else:
        edges = [y]
        straight = [b for b in stage.inputs if entering is not None and b.first == entering]
        others = [b for b in stage.inputs if b not in straight]
        bus = max(_bus(straight, x, entering), _bus(others, x))
        if straight:
            rows = [
                *_draw_rows(page, straight, x, y, bus, entering=entering),
                *_draw_rows(page, others, x, y + (ROW + 1) * len(straight), bus),
            ]
            page.sheet.wire((x, y), (x, rows[len(straight) - 1]))
        else:
            rows = _draw_rows(page, others, x, y - ROW * ((min(len(others), MOST_ROWS) - 1) // 2), bus)
        edges += rows
        top, bottom = min([top, *rows]), max([bottom, *rows])
        bottom += DANGLING if any(_is_switched(branch) for branch in others) else 0
    page.sheet.wire((bus, min(edges)), (bus, max(edges)))
    centre = bus + TO_FEEDBACK + 11
    pins = page.place(stage.placed, centre, y + 2)
    out, minus, plus = (pins[number] for number in stage.pins)
    inner = bus + TO_FEEDBACK
    right = max([out[0] + 5, *(inner + step_of(b) * (len(b.parts) - 1) + 10 for b in stage.feedback)])
    entry = bus if stage.inputs or stage.pair is not None else inner
    page.sheet.wire((entry, y), minus)
    if stage.minus != stage.output:
        page.name_net(stage.minus, entry + 1, y)
    rows = [y - ABOVE - FEEDBACK_ROW * k for k in range(max(len(stage.feedback), 1))]
    if stage.minus == stage.output:
        page.sheet.wire((inner, y), (inner, rows[0]), (right, rows[0]))
    for branch, row in zip(sorted(stage.feedback, key=_is_switched), rows, strict=False):
        room = right - inner
        start = inner + (room - step_of(branch) * (len(branch.parts) - 1)) // 2
        first_x, last_x = page.row(branch, start, row)
        page.sheet.wire((inner, row), (first_x, row))
        page.sheet.wire((last_x, row), (right, row))
    if stage.feedback:
        page.sheet.wire((inner, y), (inner, rows[len(stage.feedback) - 1]))
    if stage.feedback or stage.minus == stage.output:
        page.sheet.wire((right, rows[max(len(stage.feedback), 1) - 1]), (right, out[1]))
    drop = 3 if stage.plus == GROUND else 4
    page.sheet.wire(plus, (plus[0], plus[1] + drop))
    page.end(stage.plus, plus[0], plus[1] + drop, 270)
    end = right + 2
    page.sheet.wire(out, (end, out[1]))
    point = points.pop(str(stage.output), None)
    if point is not None:
        end += 3
        page.sheet.wire((end - 3, out[1]), (end, out[1]))
        page.place(point, end - 2, out[1])
    top = min(top, rows[-1] - above_feedback(stage))
    floor = plus[1] + drop + (4 if stage.plus == GROUND else room_of(stage.plus) + 2)
    return Drawn(x, top, end, max(bottom, floor), (end, out[1]))


def above_feedback(stage: Amplifier) -> int:
    """Return how much room the uppermost row of feedback needs above it."""
    return 8 if any(_is_switched(branch) for branch in stage.feedback) else 3


def _bus(branches: Sequence[Branch], x: int, entering: str | None = None) -> int:
    """Return where the bus stands that rows from x lead to."""
    if not branches:
        return x + 4
    return x + _lead(branches, entering) + max(step_of(b) * (len(b.parts) - 1) for b in branches) + 3 + TO_BUS


def _lead(branches: Sequence[Branch], entering: str | None) -> int:
    """Return how far from the names of nets the first part stands."""
    if any("Weight" in branch.parts[0].component.fields for branch in branches):
        return TO_PART
    return NEAR if entering is None else 6


def _draw_rows(
    page: Page,
    branches: Sequence[Branch],
    x: int,
    y: int,
    bus: int,
    *,
    entering: str | None = None,
    step: int = ROW,
) -> list[int]:
    """Draw branches in rows from x to a bus, those with a switch last; return the rows' y."""
    rows: list[int] = []
    ordered = sorted(branches, key=_is_switched)
    for branch in ordered:
        row = rows[-1] + step if rows else y
        if rows and has_stub(branch if step > 0 else ordered[len(rows) - 1]):
            row += 1 if step > 0 else -1
        rows.append(row)
        weighted = "Weight" in branch.parts[0].component.fields
        start = bus - TO_BUS - 3 - step_of(branch) * (len(branch.parts) - 1)
        first, last = page.row(branch, start, row, weight=start - x - 2 if weighted else None, downwards=True)
        page.sheet.wire((x, row), (first, row))
        page.sheet.wire((last, row), (bus, row))
        if entering is None or branch.first != entering:
            page.end(branch.first, x, row)
    return rows


def _is_switched(branch: Branch) -> bool:
    return any(len(part.unit.pins) > 2 for part in branch.parts)
