"""All that a builder takes away: what is in the folder, that its decks are one circuit, and the worked board."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from extraction.netlists import compare_netlists, find_netgen
from refresh_worked_board import FOLDER, NAME, worked_board

import hopfield_hw as hh
from hopfield_hw import Board
from hopfield_hw.assembly import Assembly, assemble
from hopfield_hw.builder_files import DECKS
from hopfield_hw.extraction.devices import FlatDeck, FlatDevice
from hopfield_hw.extraction.flatten import flatten
from hopfield_hw.kicad.commands import find_kicad
from hopfield_hw.kicad.gates import check_project
from hopfield_hw.kicad.simulate import SpiceDeck, spice_deck
from hopfield_hw.values.errors import InputError

pytestmark = pytest.mark.usefixtures("ngspice")  # a design is run once, with op-amps without limits
needs_kicad = pytest.mark.skipif(find_kicad() is None, reason="kicad-cli is not installed: KiCad is not asked")
ROOT = Path(__file__).parents[1]
KEYS = {"start"}  # of op-amps: where they start, which is no part of the circuit


@pytest.fixture(scope="module")
def board() -> Board:
    return worked_board()


@pytest.fixture(scope="module")
def assembly(board: Board) -> Assembly:
    return assemble(board, name=NAME)


@pytest.fixture(scope="module")
def decks() -> Mapping[str, FlatDeck]:
    return {dialect: flatten(FOLDER / name) for name, dialect in DECKS.items()}


@pytest.fixture(scope="module")
def from_kicad(board: Board, assembly: Assembly) -> SpiceDeck:
    return spice_deck(FOLDER / "kicad" / f"{NAME}.kicad_pro", assembly, board.inputs)


def contents(folder: Path) -> dict[str, bytes]:
    """Return by path in a folder the bytes of each file."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def elements(deck: FlatDeck, names: Mapping[str, str] | None = None) -> Counter[tuple[Any, ...]]:
    """Return what a deck is made of, whatever its parts are called; `names`: of its nodes, those of another deck."""

    def node(name: str) -> str:
        return name if names is None else names[name]

    found: Counter[tuple[Any, ...]] = Counter()
    for device in deck.devices:
        nodes = tuple(node(name) for name in device.pins or device.nodes)
        both_ways = device.kind in ("R", "C")
        value = None if device.value is None else float(f"{device.value:.12g}")  # of text such as 3.3p
        found[(device.kind, tuple(sorted(nodes)) if both_ways else nodes, value, _model(device))] += 1
    return found


def _model(device: FlatDevice) -> tuple[Any, ...]:
    """Return what a device's model is: of a transistor without the path of its package."""
    name = device.model.partition("_")[2] if device.model.startswith("xq") else device.model
    return (name, device.wave, tuple(pair for pair in device.keys if pair[0] not in KEYS))


def test_the_worked_board_is_written_again_byte_for_byte(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")])}
    code = "import sys, pathlib, refresh_worked_board as w; w.write_worked_board(pathlib.Path(sys.argv[1]))"
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "new")], env=environment, check=True)
    new, committed = contents(tmp_path / "new"), contents(FOLDER)
    assert sorted(new) == sorted(committed)
    changed = [name for name in new if new[name] != committed[name]]
    assert not changed, f"out of date: {', '.join(changed)}: python tests/refresh_worked_board.py"


def test_the_folder_has_lists_decks_and_a_project() -> None:
    names = {path.name for path in FOLDER.iterdir()}
    assert names == {"parts.csv", "placement.csv", *DECKS, "kicad"}
    placed = (FOLDER / "placement.csv").read_text(encoding="utf-8").splitlines()
    board = (FOLDER / "kicad" / f"{NAME}.kicad_pcb").read_text(encoding="utf-8")
    assert len(placed) - 1 == board.count("(footprint ")


def test_the_committed_project_is_the_board(assembly: Assembly) -> None:
    found = check_project(FOLDER / "kicad", assembly, kicad=find_kicad() is not None)
    assert found.passed, str(found)


def test_written_over_itself_it_stays_the_same(board: Board, assembly: Assembly, tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path / "again")
    board.write(tmp_path / "again", assembly=assembly, with_bring_up=False)
    assert contents(tmp_path / "again") == contents(FOLDER)


def test_a_board_that_cannot_be_bought_is_refused_before_anything_is_written(board: Board, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a board holds parts alone"):
        board.with_imperfections(ideal=True).write(tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_bring_up_that_is_refused_leaves_nothing(board: Board, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="samples"):
        board.write(tmp_path / "new", samples=1)
    assert not (tmp_path / "new").exists()


def test_the_decks_of_three_dialects_are_one_circuit(decks: Mapping[str, FlatDeck], board: Board) -> None:
    wanted = elements(decks["ngspice"])
    assert wanted.total() == 169
    for dialect in ("ltspice", "xyce"):
        assert elements(decks[dialect]) == wanted, dialect
    # The circuit itself has an input where decks have its voltage.
    inside = elements(flatten(board.circuit)) - wanted
    assert [kind for kind, *_ in inside] == ["V"]


def test_one_wrong_value_or_node_shows(decks: Mapping[str, FlatDeck]) -> None:
    deck = decks["ltspice"]
    for wrong in ({"value": 5.0e4}, {"nodes": ("v_1", "x_sum_0")}):
        other = deck.with_device(_changed(deck.by_name["r_x_0"], wrong))
        assert elements(other) != elements(decks["ngspice"])


def _changed(device: FlatDevice, values: Mapping[str, Any]) -> FlatDevice:
    return replace(device, **values)


@needs_kicad
def test_kicads_own_net_list_is_the_same_circuit(from_kicad: SpiceDeck, decks: Mapping[str, FlatDeck]) -> None:
    names = {name.lower(): node.lower() for node, name in from_kicad.names.items()}
    assert elements(flatten(from_kicad.text), names) == elements(decks["ngspice"])


@pytest.mark.parametrize("other", ["ltspice", "xyce", "KiCad"])
def test_netgen_finds_one_circuit(other: str, decks: Mapping[str, FlatDeck], request: pytest.FixtureRequest) -> None:
    program = find_netgen()
    if program is None:
        pytest.skip("netgen-lvs is not installed: decks are compared by the other tests alone")
    if other == "KiCad" and find_kicad() is None:
        pytest.skip("kicad-cli is not installed: KiCad is not asked")
    found = flatten(request.getfixturevalue("from_kicad").text) if other == "KiCad" else decks[other]
    plain = _with_plain_names(found)
    good = _with_plain_names(decks["ngspice"])
    told = compare_netlists(program, good, plain)
    assert (told.said, told.devices) == ("Result: Circuits match uniquely.", set())
    wrong = plain.with_device(_changed(next(plain.of("R")), {"value": 1.0}))
    assert compare_netlists(program, good, wrong).devices


def _with_plain_names(deck: FlatDeck) -> FlatDeck:
    """Return a deck with names of letters and numbers: netgen takes a / as a path, and an x as a subcircuit."""
    numbers = {"0": "0"}
    for node in (node for device in deck.devices for node in device.all_nodes):
        numbers.setdefault(node, f"n{len(numbers)}")

    def renamed(nodes: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(numbers[node] for node in nodes)

    return deck.with_devices(
        replace(d, name=f"{d.kind}{k}".lower(), nodes=renamed(d.nodes), sensed=renamed(d.sensed), pins=renamed(d.pins))
        for k, d in enumerate(sorted(deck.devices, key=lambda d: (d.kind, d.value or 0.0)))
    )


@pytest.fixture(scope="module")
def read_back(board: Board) -> hh.Extraction:
    return hh.extract(board.circuit)


def test_the_network_is_read_back_from_the_circuit(board: Board, read_back: hh.Extraction) -> None:
    """Its pairs have a common line: an op-amp drives their bases alone, and has its feedback through one of them."""
    wanted = board.realised
    np.testing.assert_allclose(read_back.weights, wanted.weights, rtol=1e-3, atol=1e-12)
    np.testing.assert_allclose(read_back.input_weights, wanted.input_weights, rtol=1e-3)
    np.testing.assert_allclose(read_back.resistance, wanted.resistance, rtol=1e-3)
    assert read_back.unexplained == ()


def test_the_network_that_is_read_back_does_what_the_circuit_does(read_back: hh.Extraction) -> None:
    """The op-amps' lags, half a microsecond of a time constant of 0.5 ms, are all that is between them."""
    found = read_back.agreement
    assert found is not None
    assert found.passed
    assert found.longest_lag == pytest.approx(4.8e-7, rel=0.1)
    assert 1e-3 < found.nrmse < 3e-3
    assert found.with_lags < 1e-4


@needs_kicad
def test_the_network_is_read_back_from_kicads_own_net_list(
    board: Board, from_kicad: SpiceDeck, read_back: hh.Extraction
) -> None:
    found = hh.extract(from_kicad.text, verify=False)
    named = {node.lower(): name.lower() for node, name in from_kicad.names.items()}
    places = [set(state.nodes) for state in found.states]
    order = [places.index({named[node] for node in state.nodes}) for state in read_back.states]
    np.testing.assert_allclose(found.weights[np.ix_(order, order)], read_back.weights, rtol=1e-6, atol=1e-14)
    np.testing.assert_allclose(found.resistance[order], read_back.resistance, rtol=1e-6)
    np.testing.assert_allclose(found.capacitance[order], read_back.capacitance, rtol=1e-12)
    np.testing.assert_array_equal(found.signs[order], read_back.signs)
    # The input is a constant there, and a constant is a bias.
    assert board.inputs is not None
    driven = read_back.bias + read_back.input_weights @ board.inputs.at(0.0)
    # Each was swept between ends of its own, which the middles of curves, and with them biases, depend on.
    np.testing.assert_allclose(found.bias[order], driven, rtol=1e-4)
