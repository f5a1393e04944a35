"""The power sheet: supplies of packages, references, reset, and sections that are not used."""

from __future__ import annotations

from collections.abc import Sequence

from ...assembly.component import GROUND
from .loose import draw_connector, draw_loose
from .neuron import draw_stages
from .page import Page
from .stages import Amplifier, Contents, Placed, amplifier_pins, find_contents, unit_pins

LEFT, TOP = 22, 12
PACKAGE_WIDTH, PACKAGE_HEIGHT, PACKAGES = 34, 28, 8
IN_A_ROW, CONNECTOR_WIDTH = 4, 40
GROUND_AT = 21  # from the middle of a package to the symbol of ground, beyond the texts of its capacitors
SPARE = "spare_"


def draw_power(page: Page) -> None:
    """Draw the power sheet from top to bottom: packages, chains of op-amps, other parts, spare sections."""
    contents = find_contents(page.assembly, page.name)
    supplies = [placed for placed in contents.loose if is_supply_unit(placed)]
    capacitors = [placed for placed in contents.loose if _is_decoupling(page, placed)]
    spares = [a.placed for a in contents.amplifiers if a.placed.unit.role.startswith(SPARE)]
    y = _draw_packages(page, supplies, capacitors, TOP)
    points = dict(contents.points)
    for row in _rows([a for a in contents.amplifiers if not a.placed.unit.role.startswith(SPARE)]):
        own = {str(a.output): points.pop(str(a.output)) for a in row if str(a.output) in points}
        y = draw_stages(page, Contents(tuple(row), (), own), y)
    connectors = [p for p in contents.loose if p.component.symbol.startswith("Conn_")]
    x, top = LEFT + 14, y + 8
    for placed in connectors:
        y = max(y, draw_connector(page, placed, x, top))
        x += CONNECTOR_WIDTH
    _draw_flags(page, x, top + 2)
    rest = [p for p in contents.loose if p not in supplies and p not in capacitors and p not in connectors]
    y = draw_loose(page, rest, points, LEFT + 14, y + 4)
    y = page.join_rest(LEFT + 14, y + 4)
    if spares:
        page.sheet.text("Sections that are not used, tied off", 12, y + 2, 1.8)
        _draw_spares(page, spares, y + 8)


def is_supply_unit(placed: Placed) -> bool:
    """Whether a unit is the supply pins of a package."""
    return {"V+", "V-"} <= {pin.name for pin in unit_pins(placed)}


def _is_decoupling(page: Page, placed: Placed) -> bool:
    nets = set(placed.unit.pins.values())
    return placed.component.symbol == "C" and GROUND in nets and bool(nets & set(page.assembly.supplies))


def _rows(amplifiers: Sequence[Amplifier]) -> list[Sequence[Amplifier]]:
    """Return op-amps by rows of the sheet."""
    return [amplifiers[k : k + IN_A_ROW] for k in range(0, len(amplifiers), IN_A_ROW)]


def _draw_packages(page: Page, supplies: Sequence[Placed], capacitors: Sequence[Placed], y: int) -> int:
    """Draw the supply pins of each package, and from each rail to ground its capacitor."""
    page.sheet.text("Supply of each package, and a capacitor from each rail to ground", 12, y - 2, 1.8)
    waiting = list(capacitors)
    for k, placed in enumerate(supplies):
        x, row = LEFT + 8 + PACKAGE_WIDTH * (k % PACKAGES), y + 16 + PACKAGE_HEIGHT * (k // PACKAGES)
        at = page.place(placed, x, row, reference=(3.4, -5, "left"), value=(3.4, -3, "left"))
        for pin in unit_pins(placed):
            net = placed.unit.pins.get(pin.number)
            px, py = at[pin.number]
            if net is None:
                page.sheet.no_connect(px, py)
            elif net == GROUND:
                page.sheet.wire((px, py), (px - 2, py))
                page.sheet.power(GROUND, px - 2, py)
            else:
                own = next((c for c in waiting if net in c.unit.pins.values() and net in page.assembly.supplies), None)
                _draw_rail(page, net, (px, py), (x, row), own)
                if own is not None:
                    waiting.remove(own)
    rows = -(-len(supplies) // PACKAGES)
    bottom = y + 4 + PACKAGE_HEIGHT * rows
    return draw_loose(page, waiting, {}, LEFT + 14, bottom) if waiting else bottom


def _draw_rail(page: Page, net: str, pin: tuple[int, int], middle: tuple[int, int], capacitor: Placed | None) -> None:
    x, y = middle
    up = pin[1] < y
    rail = y - 8 if up else y + 8
    if net not in page.assembly.supplies:
        page.sheet.wire(pin, (x, rail))
        page.end(net, x, rail, 90 if up else 270)
        return
    page.sheet.wire(pin, (x, rail), (x + 5, rail))
    page.sheet.power(net, x + 5, rail)
    if capacitor is None:
        return
    page.sheet.wire((x + 5, rail), (x + 12, rail))
    is_first = capacitor.unit.pins["1"] == net
    at = page.place(capacitor, x + 12, y - 4 if up else y + 4, 270 if is_first is up else 90)
    outer = at["1" if is_first else "2"]
    inner = at["2" if is_first else "1"]
    page.sheet.wire((x + 12, rail), outer)
    page.sheet.wire(inner, (x + 12, y), (x + GROUND_AT, y))
    if up:
        page.sheet.power(GROUND, x + GROUND_AT, y)


def _draw_flags(page: Page, left: int, y: int) -> None:
    """Say of each supply, and of ground, that it is powered from outside."""
    for k, net in enumerate((*page.assembly.supplies, GROUND)):
        x = left + 26 * k
        page.sheet.wire((x, y), (x + 10, y))
        page.sheet.power(net, x, y)
        page.sheet.flag(x + 10, y)


def _draw_spares(page: Page, spares: Sequence[Placed], y: int) -> None:
    for k, placed in enumerate(spares):
        x, row = LEFT + 12 + 30 * (k % 8), y + 8 + 20 * (k // 8)
        pins = amplifier_pins(placed)
        assert pins is not None
        at = page.place(placed, x, row)
        out, minus, plus = (at[number] for number in pins)
        page.sheet.wire(minus, (minus[0] - 2, minus[1]), (minus[0] - 2, row - 8), (out[0] + 2, row - 8))
        page.sheet.wire((out[0] + 2, row - 8), (out[0] + 2, out[1]), out)
        page.name_net(placed.net(pins[0]), minus[0] - 1, row - 8)
        page.sheet.wire(plus, (plus[0], plus[1] + 2))
        page.end(placed.net(pins[2]), plus[0], plus[1] + 2, 270)
