"""The root sheet: the crossbar of rails, a block for each neuron, connectors, the table of weights."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from ...assembly.assembly import POWER
from ...graph import Affine
from .loose import draw_connector
from .page import Page
from .stages import Placed

TOP, LEFT = 24, 16  # of the first rail
RAIL, NARROW, MANY = 4, 2, 12  # between rails, and where there are many
GAP = 3  # between blocks
PITCH = 6  # between columns of the table
BLOCK, PIN = 24, 2  # width of a block, and between its pins
HIGH = 150  # of blocks in one column; of more there are columns as many as makes the sheet about square
LANDSCAPE = 1.41  # width of a sheet by its height
HEADING = 56  # the width of what is written above a table
SHOWN = 16  # columns of weights in the table


def draw_root(page: Page, pages: Mapping[str, Page]) -> None:
    """Draw the root sheet. `pages`: the pages of the sub-sheets by name, drawn before, in their order."""
    neurons = [name for name in pages if name != POWER]
    x, bottom = LEFT, TOP
    for column in _columns(neurons, pages):
        x, lowest = _draw_column(page, column, pages, x)
        bottom = max(bottom, lowest)
    right = x + 10
    y = TOP
    if POWER in pages:
        y = _draw_block(page, pages[POWER], right, y, number=len(pages) + 1) + 8
    y = _draw_connectors(page, right, y)
    wide, high = _measure_weights(page)
    beside = max((right - 8 + wide) / LANDSCAPE, bottom, y + 4 + high)
    below = max((LEFT + wide) / LANDSCAPE, max(bottom, y) + 6 + high)
    if beside < below:
        _draw_weights(page, right - 8, y + 4)
    else:
        _draw_weights(page, LEFT, max(bottom, y) + 6)


def _columns(neurons: Sequence[str], pages: Mapping[str, Page]) -> list[list[str]]:
    """Return the neurons by column, all about alike."""
    total = sum(_height(pages[name]) + GAP for name in neurons)
    count = max(1, math.ceil(math.sqrt(total / HIGH)))
    share = -(-len(neurons) // count)
    return [list(neurons[k : k + share]) for k in range(0, len(neurons), share)]


def _height(page: Page) -> int:
    inputs = [net for net in page.passed_on if net not in page.driven]
    return PIN * max(len(inputs), len(page.passed_on) - len(inputs)) + 2


def _draw_column(page: Page, names: Sequence[str], pages: Mapping[str, Page], x: int) -> tuple[int, int]:
    """Draw blocks one below the other with the rails on their left; return where the next column begins, its floor."""
    used: dict[str, int] = {}
    for name in names:
        for net in pages[name].passed_on:
            if net not in pages[name].driven:
                used[net] = used.get(net, 0) + 1
    order = sorted(used, key=page.order)
    rails = [net for net in order if used[net] > 1]
    pitch = RAIL if len(rails) <= MANY else NARROW
    at = {net: x + pitch * k for k, net in enumerate(rails)}
    lone = max((len(net) for net in order if used[net] == 1), default=0)
    block = x + pitch * len(rails) + 4 + (lone if lone else 0)
    y, lowest = TOP, dict.fromkeys(rails, TOP)
    numbers = {name: k for k, name in enumerate(pages, 2)}
    for name in names:
        sub = pages[name]
        pins = _block_ports(sub, y)
        drawn = page.sheet.sub_sheet(
            name,
            block,
            y,
            BLOCK,
            _height(sub),
            *pins,
            page=numbers[name],
        )
        for net, _, row in pins[0]:
            if net in at:
                page.sheet.wire((at[net], row), drawn[net])
                lowest[net] = row
            else:
                page.sheet.wire((block - 2, row), drawn[net])
                page.sheet.label(net, block - 2, row, 180)
        _name_outputs(page, pins[1], drawn)
        y += _height(sub) + GAP
    for net in rails:
        page.sheet.wire((at[net], TOP - 3), (at[net], lowest[net]))
        page.sheet.label(net, at[net], TOP - 3, 90)
    longest = max((len(net) for name in names for net in pages[name].driven), default=6)
    return block + BLOCK + 6 + longest, y


def _block_ports(sub: Page, y: int) -> tuple[list[tuple[str, str, int]], list[tuple[str, str, int]]]:
    inputs = sorted((net for net in sub.passed_on if net not in sub.driven), key=sub.order)
    outputs = sorted((net for net in sub.passed_on if net in sub.driven), key=sub.order)
    left, right = (
        [(net, sub.kind_of(net), y + PIN * (k + 1)) for k, net in enumerate(nets)] for nets in (inputs, outputs)
    )
    return left, right


def _name_outputs(page: Page, ports: Sequence[tuple[str, str, int]], drawn: Mapping[str, tuple[int, int]]) -> None:
    for net, _, _ in ports:
        x, y = drawn[net]
        page.sheet.wire((x, y), (x + 3, y))
        page.sheet.label(net, x + 3, y, 0)


def _draw_block(page: Page, sub: Page, x: int, y: int, number: int) -> int:
    left, right = _block_ports(sub, y)
    height = _height(sub)
    drawn = page.sheet.sub_sheet(sub.name, x, y, BLOCK, height, left, right, page=number)
    _name_outputs(page, right, drawn)
    for net, _, row in left:
        page.sheet.wire((x - 3, row), drawn[net])
        page.sheet.label(net, x - 3, row, 180)
    return y + height


def _draw_connectors(page: Page, x: int, y: int) -> int:
    """Draw what the root sheet has itself, connectors and points to measure, one below the other."""
    for component in page.assembly.components:
        for unit in component.units:
            if unit.sheet == page.name:
                y = draw_connector(page, Placed(component, unit), x + 14, y + 4) + 2
    return y


def _measure_weights(page: Page) -> tuple[int, int]:
    """Return the width and the height of the tables that `_draw_weights` writes."""
    graph = page.assembly.circuit.graph
    shapes = [affine.weights.matrix.shape for affine in graph.of_type(Affine)] if graph is not None else []
    shown = [(rows, columns) for rows, columns in shapes if max(rows, columns) <= SHOWN]
    wide = max((max(HEADING, 10 + PITCH * columns) for _, columns in shown), default=HEADING)
    return wide, sum(14 + 3 * rows for rows, _ in shown) + 6 * (len(shapes) - len(shown))


def _draw_weights(page: Page, x: int, y: int) -> None:
    """Write the weights of the network as a table, in the unit that suits them."""
    graph = page.assembly.circuit.graph
    if graph is None:
        return
    for affine in graph.of_type(Affine):
        matrix = affine.weights.matrix
        matrix = matrix.toarray() if hasattr(matrix, "toarray") else matrix
        rows, columns = matrix.shape
        if columns > SHOWN or rows > SHOWN:
            said = f"{affine.name}: {rows} x {columns} weights, see the neurons' sheets"
            page.sheet.text(said, x, y, role=f"{affine.name} size")
            y += 6
            continue
        role = f"{affine.name} weights"
        page.sheet.text(f"Weights {affine.name}, uS (row: into, column: from) and bias, uA", x, y, 1.6, role=role)
        for j in range(columns):
            page.sheet.text(str(j), x + 6 + PITCH * j, y + 5, role=f"{role} column {j}")
        page.sheet.text("bias", x + 6 + PITCH * columns, y + 5, role=f"{role} bias")
        for i in range(rows):
            page.sheet.text(str(i), x, y + 8 + 3 * i, role=f"{role} row {i}")
            for j in range(columns):
                said = f"{1e6 * matrix[i, j]:+.3g}" if matrix[i, j] else "."
                page.sheet.text(said, x + 4 + PITCH * j, y + 8 + 3 * i, role=f"{role} {i} {j}")
            bias = float(affine.bias[i]) if affine.bias is not None else 0.0
            said = f"{1e6 * bias:+.3g}" if bias else "."
            page.sheet.text(said, x + 6 + PITCH * columns, y + 8 + 3 * i, role=f"{role} bias {i}")
        y += 14 + 3 * rows
