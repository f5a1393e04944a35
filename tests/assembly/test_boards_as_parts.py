"""Designed boards as components, and their bills of materials."""

from __future__ import annotations

import csv
import io
from typing import Any

import numpy as np
import pytest
from assembled import integrators, network

import hopfield_hw as hh
from hopfield_hw.assembly import assemble, check_against_circuit, list_bill, write_bill
from hopfield_hw.assembly.packages import PACKAGES
from hopfield_hw.designs import load_design
from hopfield_hw.designs.boards import board_of


def memory(n: int) -> hh.Network:
    """Return the Hebbian memory of two random patterns."""
    patterns = np.random.default_rng(n).choice([-1.0, 1.0], (2, n))
    patterns[1] = patterns[0] * np.where(np.arange(n) % 2, 1.0, -1.0)
    weights = patterns.T @ patterns * 2e-5
    np.fill_diagonal(weights, 0.0)
    return hh.Network(
        weights=weights, capacitance=1e-8, resistance=1e4, gain=hh.Tanh(gain=4.0), initial=0.1 * patterns[0]
    )


@pytest.mark.usefixtures("ngspice")
@pytest.mark.parametrize("n", [2, 4, 8, 16])
def test_a_designed_memory_is_its_circuit(n: int) -> None:
    board = hh.design_board(memory(n), force=True, title="a memory")
    assembly = assemble(board)
    check_against_circuit(assembly, board.circuit)
    assert (assembly.name, assembly.title) == ("a_memory", "a memory")
    assert len(assembly.sheets) == n + 2
    assert all(assembly.by_role[f"test_xn_{k}"][0].reference == f"TP{100 * (k + 1) + 1}" for k in range(n))
    kept = {component.value for component in assembly.components if component.symbol == "C" if component.simulated}
    assert "100n" in kept


@pytest.mark.usefixtures("ngspice")
@pytest.mark.parametrize("name", ["ad_converter_board", "letter_memory"])
def test_the_board_of_a_shipped_design_is_its_circuit(name: str) -> None:
    board = board_of(load_design(name))
    assembly = assemble(board)
    check_against_circuit(assembly, board.circuit)
    assert sum(line.quantity for line in list_bill(assembly)) == sum(c.bought for c in assembly.components)


@pytest.mark.usefixtures("ngspice")
@pytest.mark.parametrize(("part", "symbol"), [("TL072", "OpAmp_Dual"), ("op07", "OpAmp_Single")])
def test_a_board_keeps_the_op_amp_that_was_asked_for(part: str, symbol: str) -> None:
    """TL072 and TL074 have one data sheet and one model, in other packages, each with its own decoupling."""
    board = hh.design_board(memory(2), op_amp=part, force=True)
    assembly = assemble(board)
    check_against_circuit(assembly)
    packages = [component for component in assembly.components if component.symbol.startswith("OpAmp")]
    assert {(component.symbol, component.value) for component in packages} == {(symbol, part.upper())}
    decoupling = [component for component in assembly.components if component.roles[0].startswith("C_decoupling")]
    assert len(decoupling) == 2 * len(packages)


def test_the_bill_counts_every_part_once() -> None:
    assembly = assemble(integrators(network(3, inputs=2)))
    rows = list(csv.DictReader(io.StringIO(write_bill(assembly))))
    assert list(rows[0]) == [
        "Quantity",
        "References",
        "Value",
        "Footprint",
        "MPN",
        "Manufacturer",
        "Tolerance",
        "Dielectric",
        "TempCo",
        "Price",
    ]
    named = [reference for row in rows for reference in row["References"].split()]
    assert sorted(named) == sorted(component.reference for component in assembly.components if component.bought)
    assert not [reference for reference in named if reference.startswith("TP")]
    assert all(int(row["Quantity"]) == len(row["References"].split()) for row in rows)
    assert {row["Price"] for row in rows} == {""}
    for row in rows:
        for reference in row["References"].split():
            component = assembly.by_reference[reference]
            assert (component.value, component.footprint) == (row["Value"], row["Footprint"])
            for name in ("MPN", "Manufacturer", "Tolerance", "Dielectric", "TempCo"):
                assert component.fields.get(name, "") == row[name]
    by_value = {row["Value"]: row for row in rows if row["MPN"]}
    assert by_value["SSM2212"]["MPN"] == "SSM2212RZ"
    kinds: dict[tuple[Any, ...], int] = {}
    for row in rows:
        key = (row["References"].rstrip("0123456789 ")[:1], *list(row.values())[2:])
        kinds[key] = kinds.get(key, 0) + 1
    assert max(kinds.values()) == 1


def test_every_package_has_decoupling_at_both_of_its_supplies() -> None:
    assembly = assemble(integrators(network(3, inputs=1)))
    packages = [c for c in assembly.components if c.symbol in PACKAGES and PACKAGES[c.symbol].supply]
    capacitors = [c for c in assembly.components if c.value == "100n"]
    assert len(capacitors) == 2 * len(packages)
    assert {c.fields["Dielectric"] for c in capacitors} == {"X7R"}
    for sign in ("+12V", "-12V"):
        assert sum({sign, "GND"} == set(c.pins.values()) for c in capacitors) == len(packages)
