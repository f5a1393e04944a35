"""A page of a project: a sheet, and how the nets of an assembly end on it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from ...assembly import Assembly
from ...assembly.assembly import ROOT
from ...assembly.component import GROUND
from ..geometry import CHARACTER
from ..sheet import Sheet
from ..symbols import symbol
from .stages import Branch, Placed, unit_pins

# Between the centres of parts in a row, and between rows.
STEP, ROW = 10, 5
SWITCHED = 15  # between the centres of parts in a row with a switch
STUB = 3  # from a row up to the name of a net between two parts, above their own texts
# By whether a switch is seen from its other end, and has what closes it below: its angle and mirror.
SWITCH = {(False, False): (0, ""), (True, False): (0, "y"), (False, True): (0, "x"), (True, True): (180, "")}
# By the side to which a wire ends, and whether a supply's symbol stands on it: how the wire goes on.
SUPPLY_WIRES = {
    (0, True): ((1, 0),),
    (0, False): ((1, 0),),
    (180, True): ((-1, 0),),
    (180, False): ((-1, 0),),
    (90, True): ((0, -1),),
    (90, False): ((0, -1), (-4, -1)),
    (270, True): ((0, 1), (4, 1)),
    (270, False): ((0, 1),),
}


class Page:
    """A sheet that is being drawn.

    A net ends in the symbol of its supply, in a hierarchical label where other sheets have it too, or in a label.
    """

    def __init__(self, assembly: Assembly, sheet: Sheet, name: str) -> None:
        self.assembly, self.sheet, self.name = assembly, sheet, name
        self.joined: set[str] = set()
        self.driven = frozenset(_driven(assembly, name))
        self.outside = {
            net
            for net, pins in assembly.nets.items()
            if net not in (GROUND, *assembly.supplies)
            and name != ROOT
            and any(self._sheet_of(*pin) != name for pin in pins)
        }

    def _sheet_of(self, reference: str, pin: str) -> str:
        return next(u.sheet for u in self.assembly.by_reference[reference].units if pin in u.pins)

    @property
    def passed_on(self) -> tuple[str, ...]:
        """The nets of this sheet that others have too, those that it drives last."""
        here = {
            net
            for component in self.assembly.components
            for unit in component.units
            if unit.sheet == self.name
            for net in unit.pins.values()
            if net in self.outside
        }
        return tuple(sorted(here, key=lambda net: (net in self.driven, natural(net))))

    def order(self, net: str) -> tuple[object, ...]:
        """Return the place of a net among others: what neurons give first, then references and what else there is."""
        head, number = natural(net)
        return (number == -1, number, head)

    def kind_of(self, net: str) -> str:
        """Return the shape of a net's hierarchical label: output where this sheet drives it."""
        return "output" if net in self.driven else "input"

    def end(self, net: str | None, x: int, y: int, angle: int = 180) -> None:
        """Draw how a net ends at a point, for a wire that comes from the side opposite to `angle`."""
        if net is None:
            self.sheet.no_connect(x, y)
        elif net == GROUND or net in self.assembly.supplies:
            points = [(x, y), *((x + dx, y + dy) for dx, dy in SUPPLY_WIRES[angle, self.points_up(net)])]
            self.sheet.wire(*points)
            self.sheet.power(net, *points[-1])
        elif net in self.outside:
            self.joined.add(net)
            self.sheet.port(net, x, y, angle, self.kind_of(net))
        else:
            self.sheet.label(net, x, y, angle)

    def points_up(self, net: str) -> bool:
        """Whether the symbol of a supply stands on its wire; that of ground and of a negative one hangs."""
        return self.assembly.supplies.get(net, -1.0) > 0.0

    def join_rest(self, x: int, y: int) -> int:
        """Draw how the nets that leave the sheet elsewhere than at an end go on, from (x, y); return how far down."""
        for net in self.passed_on:
            if net not in self.joined:
                self.sheet.wire((x, y), (x + 4, y))
                self.sheet.label(net, x + 4, y, 0)
                self.end(net, x, y)
                y += 3
        return y

    def name_net(self, net: str | None, x: int, y: int, angle: int = 0) -> None:
        """Write a net's name at a wire, so that it joins what has the name elsewhere on the sheet."""
        if net is not None and net != GROUND and net not in self.assembly.supplies:
            self.sheet.label(net, x, y, angle)

    def place(
        self,
        placed: Placed,
        x: int,
        y: int,
        angle: int = 0,
        mirror: str = "",
        **texts: Any,
    ) -> Mapping[str, tuple[int, int]]:
        """Place a unit and return by pin number where wires meet it."""
        return self.sheet.place(placed.component, placed.unit, x, y, angle, mirror, **texts)

    def row(
        self, branch: Branch, x: int, y: int, *, weight: int | None = None, downwards: bool = False
    ) -> tuple[int, int]:
        """Draw parts in series from left to right along y, the first centred at x; return the outer ends' x.

        `weight`: how far left of its first part the weight is written that it makes. `downwards`: whether a switch has
        what closes it below.
        """
        ends: list[int] = []
        step = step_of(branch)
        for k, part in enumerate(branch.parts):
            assert part.ends is not None
            centre = x + step * k
            is_turned = part.ends[0] != unit_ends(part)[0]
            is_weight = weight is not None and k == 0 and "Weight" in part.component.fields
            shown = {"Weight": (-weight, -1, "left")} if weight is not None and is_weight else {}
            control = [p.number for p in unit_pins(part) if p.number not in part.ends]
            if control:  # mirrored, not turned: what closes it stays on its side
                at = self.place(part, centre, y, *SWITCH[is_turned, downwards])
            else:
                at = self.place(part, centre, y, 180 if is_turned else 0, show=shown)
            for number in control:
                cx, cy = at[number]
                beyond = cy + 1 if cy > y else cy - 1
                self.sheet.wire((cx, cy), (cx, beyond))
                self.end(part.unit.pins[number], cx, beyond, 270 if cy > y else 90)
            left, right = at[part.ends[0]], at[part.ends[1]]
            if k:
                self.sheet.wire((ends[-1], y), left)
                self._name_between(branch, k, centre - step, y)
            ends += [left[0], right[0]]
        return ends[0], ends[-1]

    def _name_between(self, branch: Branch, k: int, before: int, y: int) -> None:
        """Name the net before the k-th part of a row: on its wire, or on a stub where both parts have texts there."""
        at = before + _right(branch.parts[k - 1])
        if _is_switched(branch):
            self.name_net(branch.nets[k], at, y)
        else:
            self.sheet.wire((at, y), (at, y - STUB))
            self.name_net(branch.nets[k], at, y - STUB, 180)

    def column(self, branch: Branch, x: int, y: int) -> tuple[int, int]:
        """Draw parts in series downwards at x, the first centred at y; return the outer ends' y."""
        ends: list[int] = []
        for k, part in enumerate(branch.parts):
            assert part.ends is not None
            is_turned = part.ends[0] != unit_ends(part)[0]
            at = self.place(part, x, y + STEP * k, 90 if is_turned else 270)
            top, bottom = at[part.ends[0]], at[part.ends[1]]
            if k:
                self.sheet.wire((x, ends[-1]), top)
                self.name_net(branch.nets[k], x, ends[-1] + 1)
            ends += [top[1], bottom[1]]
        return ends[0], ends[-1]


def step_of(branch: Branch) -> int:
    """Return how far the centres of parts in a row are apart: texts and names of nets in between find room."""
    switched = _is_switched(branch)
    step = SWITCHED if switched else STEP
    for k, (first, second) in enumerate(pairwise(branch.parts), 1):
        between = room_of(branch.nets[k]) if switched else 0
        step = max(step, _right(first) + between + _left(second))
    return step


def has_stub(branch: Branch) -> bool:
    """Whether the name of a net stands above a row, on a stub."""
    return len(branch.parts) > 1 and not _is_switched(branch)


def room_of(name: str | None) -> int:
    """Return how wide a name is."""
    return math.ceil(CHARACTER * len(name or ""))


def _is_switched(branch: Branch) -> bool:
    return any(len(part.unit.pins) > 2 for part in branch.parts)


def _right(part: Placed) -> int:
    """Return how far a part of a row reaches to the right, its value included where that lies beside a name."""
    return 4 if len(part.unit.pins) > 2 else max(3, 1 + room_of(part.component.value))


def _left(part: Placed) -> int:
    """Return how far a part of a row reaches to the left, its reference included."""
    return 4 if len(part.unit.pins) > 2 else max(3, 1 + room_of(part.component.reference))


def unit_ends(part: Placed) -> tuple[str, str]:
    """Return the pins of a two-ended part from left to right, as its symbol has them."""
    assert part.ends is not None
    across = [pin for pin in unit_pins(part) if pin.number in part.ends]
    left, right = sorted(across, key=lambda pin: pin.x)
    return left.number, right.number


def _driven(assembly: Assembly, name: str) -> Iterator[str]:
    """Yield the nets that pins of a sheet drive."""
    for component in assembly.components:
        for unit in component.units:
            if unit.sheet == name:
                pins = symbol(component.symbol).units[unit.number - 1].pins
                for pin in pins:
                    net = unit.pins.get(pin.number)
                    if net is not None and pin.kind in ("output", "power_out"):
                        yield net


def natural(net: str) -> tuple[str, int]:
    """Return a name and the number at its end, -1 where there is none."""
    head = net.rstrip("0123456789")
    tail = net[len(head) :]
    return head, int(tail) if tail else -1
