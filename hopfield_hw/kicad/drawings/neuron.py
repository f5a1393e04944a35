"""The sheet of a neuron: its stages from left to right, in boxes with their names, and what belongs to no stage."""

from __future__ import annotations

from ...assembly import Assembly
from ...circuit import Role
from .amplifiers import ABOVE, FEEDBACK_ROW, Drawn, above_feedback, draw_amplifier
from .loose import draw_loose
from .page import ROW, STEP, Page, room_of
from .stages import Amplifier, Contents, find_contents

LEFT, TOP = 28, 16
BETWEEN = 6  # stages, where the next one has a wire only; names of nets need NAMES more
NAMES = 14
HEAD = 5  # of a box above its stage, for its title
TITLES = {
    Role.CAPACITANCE: "Synapses and integrator",
    Role.INVERTER_FEEDBACK: "Complement",
    Role.FEEDBACK: "Adder",
    Role.FOLLOWER: "Follower",
}


def draw_neuron(page: Page) -> None:
    """Draw the sheet of a neuron: its op-amps in the order of the signal, then what is left over."""
    bottom = draw_stages(page, find_contents(page.assembly, page.name), TOP)
    page.join_rest(LEFT, bottom + 4)


def draw_stages(page: Page, contents: Contents, top: int) -> int:
    """Draw stages from left to right below `top`, then what belongs to none; return how far down that goes."""
    points = dict(contents.points)
    line = top + _height_above(contents)
    x, entering = LEFT, None
    boxes: list[tuple[Drawn, str]] = []
    at = (x, line)
    for k, stage in enumerate(contents.amplifiers):
        follows = entering is not None and entering in entries(stage)
        if boxes:
            x = at[0] + _between(stage, entering if follows else None)
        start = (x, at[1] if follows else line)
        if follows:
            page.sheet.wire(at, start)
            page.name_net(entering, at[0] + 1, at[1])
        drawn = draw_amplifier(page, stage, *start, entering=entering if follows else None, points=points)
        boxes.append((drawn, _title(page.assembly, stage)))
        at, entering = drawn.output, stage.output
        rest = contents.amplifiers[k + 1 : k + 2]
        goes_on = bool(rest) and entering in entries(rest[0])
        if not goes_on or entering in page.outside:
            _lead_out(page, entering, at, drawn, goes_on)
    if boxes:
        upper, lower = min(drawn.top for drawn, _ in boxes) - HEAD, max(drawn.bottom for drawn, _ in boxes) + 2
        for drawn, title in boxes:
            page.sheet.box(drawn.left, upper, drawn.output[0] - 1, lower, title)
        top = lower
    return draw_loose(page, contents.loose, points, LEFT, top + 8)


def _lead_out(page: Page, net: str | None, at: tuple[int, int], drawn: Drawn, goes_on: bool) -> None:
    """Draw how an output ends: at its point, or below it where its wire goes on to the next stage."""
    x, y = at
    if goes_on:
        page.sheet.wire((x + 3, y), (x + 3, y + 8))
        page.end(net, x + 3, y + 8, 270)
    else:
        page.sheet.wire((x, y), (x + 3, y))
        page.end(net, x + 3, y, 0)


def entries(stage: Amplifier) -> tuple[str | None, ...]:
    """Return the nets that a wire from the stage before may carry into a stage."""
    if stage.pair is not None:
        return tuple(branch.first for branch in stage.pair.into[:1])
    return tuple(branch.first for branch in stage.inputs)


def _between(stage: Amplifier, entering: str | None) -> int:
    """Return how far a stage stands from the one before, for the name of the wire that joins them and its own."""
    named = BETWEEN if entering is None or stage.pair is not None else max(BETWEEN, room_of(entering) + 2)
    return named + (NAMES if has_names(stage, entering) else 0)


def has_names(stage: Amplifier, entering: str | None) -> bool:
    """Whether names of nets stand on the left of a stage."""
    return any(net != entering for net in entries(stage))


def _height_above(contents: Contents) -> int:
    """Return how much room the first line of a signal needs above it."""
    above = 0
    for stage in contents.amplifiers:
        lift = STEP if stage.pair is not None else 0
        rows = ROW * (len(stage.inputs) // 2 + 1) if not lift else ROW * (len(stage.inputs) + 1)
        back = ABOVE + FEEDBACK_ROW * max(len(stage.feedback) - 1, 0) + above_feedback(stage)
        above = max(above, lift + max(rows, back))
    return above + HEAD


def _title(assembly: Assembly, stage: Amplifier) -> str:
    """Return what a stage is: by what its parts realise."""
    roles = {_role(assembly, stage.placed.unit.device)}
    parts = [part for branch in (*stage.inputs, *stage.feedback) for part in branch.parts]
    roles |= {_role(assembly, part.unit.device) for part in parts}
    if stage.pair is not None:
        return "Differential pair"
    return next((title for role, title in TITLES.items() if role in roles), "Amplifier")


def _role(assembly: Assembly, device: str) -> Role | None:
    return assembly.circuit.device(device).origin.role if device else None
