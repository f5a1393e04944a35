"""The conformance suite over the table of cells, over a cell of one's own, and over cells that are wrong."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import pytest

import hopfield_hw as hh
from hopfield_hw.cells import CELLS, Cell, Fragment, HopfieldTank, Ideal
from hopfield_hw.circuit import Draft
from hopfield_hw.graph import Graph
from hopfield_hw.testing import check_cell


@pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS.keys())
def test_every_cell_of_the_table_conforms(cell: Cell, ngspice: str) -> None:
    check_cell(cell)


@dataclass(frozen=True, kw_only=True)
class Altered:
    """A cell of one's own: another one, whose finished devices are altered."""

    base: Cell
    fault: str
    name: str = "altered"
    law: str = "as its base, but for the fault"

    def fragments(self, graph: Graph) -> Iterable[Fragment]:
        for fragment in self.base.fragments(graph):
            yield Fragment(fragment.operators, lambda draft, build=fragment.build: self._build(draft, build))

    def rescaling(self, graph: Graph) -> dict[str, float]:
        return self.base.rescaling(graph)

    def _build(self, draft: Draft, build: object) -> None:
        start = len(draft.devices)
        build(draft)  # type: ignore[operator]
        for k in range(start, len(draft.devices)):
            device = draft.devices[k]
            if self.fault == "none":
                continue
            if self.fault == "sign" and device.name.startswith("G_"):
                draft.devices[k] = device._replace(part=device.part.with_value(-(device.value or 0.0)))
            if self.fault == "transposed" and device.name.startswith("G_syn_") and device.name.count("_") == 3:
                i, j = device.origin.element
                origin = device.origin._replace(element=(j, i))
                draft.devices[k] = device._replace(origin=origin, nodes=_swap(device.nodes))
            if self.fault == "capacitor" and device.name == "C_x_1":
                draft.devices[k] = device._replace(part=device.part.with_value(1.02 * (device.value or 0.0)))
            if self.fault == "origin" and device.name == "C_x_0":
                draft.devices[k] = device._replace(origin=device.origin._replace(operator="nobody"))


def _swap(nodes: tuple[str, ...]) -> tuple[str, ...]:
    ground, to, source, other = nodes
    return ground, source.replace("v_", "x_"), to.replace("x_", "v_"), other


def test_a_cell_of_ones_own_conforms(ngspice: str) -> None:
    check_cell(Altered(base=Ideal(), fault="none"))


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("sign", "with 0 -> 1 alone connected|does not match its equations"),
        ("transposed", "does not match its equations"),
        ("capacitor", "does not match its equations"),
        ("origin", "C_x_0 comes from 'nobody', which is not in the graph"),
    ],
)
def test_a_wrong_cell_is_caught(fault: str, message: str, ngspice: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_cell(Altered(base=Ideal(), fault=fault))


def test_a_cell_without_a_law_is_refused() -> None:
    with pytest.raises(AssertionError, match="`law` must state the equation"):
        check_cell(replace(HopfieldTank(), law=""))


def test_unknown_cell_names_the_table() -> None:
    graph = hh.Network(weights=[[0.0]], resistance=1e4, capacitance=1e-7).graph()
    with pytest.raises(hh.InputError, match=f"cell 'ideel': must be one of {', '.join(CELLS)}"):
        hh.lower(graph, cell="ideel")
