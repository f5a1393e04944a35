"""The command extract: decks and waveforms back to networks, and against designs."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

import hopfield_hw as hh
from hopfield_hw.circuit import Circuit
from hopfield_hw.cli import run
from hopfield_hw.cli.checks import Job
from hopfield_hw.cli.extract import _intended
from hopfield_hw.cli.verify import _warn_of_another_graph
from hopfield_hw.designs import load_design
from hopfield_hw.designs.boards import board_of
from hopfield_hw.extraction import compare

BOARDS = Path(__file__).parents[1] / "extraction" / "boards"
CELL = "hopfield_tank"


@pytest.fixture
def deck(tmp_path: Path) -> Path:
    path = tmp_path / "flip_flop.cir"
    assert run(["export", "flip_flop", "--to", "ngspice", "--cell", CELL, "-o", str(path)]) == 0
    return path


def _edit(deck: Path, device: str, value: str) -> None:
    lines = deck.read_text().splitlines()
    changed = [" ".join([*line.split()[:3], value]) if line.startswith(f"{device} ") else line for line in lines]
    assert changed != lines
    deck.write_text("\n".join(changed) + "\n")


def test_a_deck_of_ours_is_its_design(deck: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run(["extract", str(deck), "--against", "flip_flop"]) == 0
    said = capsys.readouterr().out
    assert "differences  none above 0.001" in said
    assert "agrees with the circuit's transient in ngspice" in said


def test_a_wrong_part_is_named_with_its_values(deck: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _edit(deck, "R_syn_0_1", "33000")
    capsys.readouterr()
    picture = tmp_path / "page.png"
    assert run(["extract", str(deck), "--against", "flip_flop", "--plot", str(picture)]) == 1
    said = capsys.readouterr().out
    assert "r_syn_0_1 is 33 kOhm, and should be 20 kOhm" in said
    assert "T[0, 1] is 39.39% low (-30.3 uS, intended -50 uS)" in said
    assert picture.stat().st_size > 10_000
    assert run(["extract", str(deck), "--against", "flip_flop", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["status"] == "failed"
    assert told["differences"]["findings"][0]["devices"] == ["r_syn_0_1"]
    assert told["network"]["agreement"]["nrmse"] < 1e-3


def test_a_board_against_another_deck(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = BOARDS / "latch_pair.cir"
    (tmp_path / "parts.lib").write_bytes((BOARDS / "parts.lib").read_bytes())
    text = good.read_text()
    line = next(line for line in text.splitlines() if line.upper().startswith("RS1") or line.upper().startswith("R5 "))
    bad = tmp_path / "bad.cir"
    bad.write_text(text.replace(line, " ".join([*line.split()[:3], "91k"])))
    assert run(["extract", str(bad), "--against", str(good)]) == 1
    assert f"{line.split()[0].lower()} is 91 kOhm, and should be" in capsys.readouterr().out


def test_waveforms_of_a_scope(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    net = hh.Network(
        weights=[[0.0, -6e-5], [6e-5, 0.0]], resistance=1e4, capacitance=1e-7, gain=hh.Tanh(gain=4.0), bias=1e-6
    )
    rng = np.random.default_rng(3)
    waves = hh.reference_batch(net, initial=rng.uniform(-1.0, 1.0, (6, 2)), t_stop=6e-3, points=1501)
    lines = ["Time (s),CH1 (V),CH2 (V)"]
    for run_of in waves["state"].to_numpy():
        noisy = run_of + 0.003 * rng.normal(size=run_of.shape)
        lines += [f"{t:.7g},{x:.6g},{y:.6g}" for t, (x, y) in zip(waves["time"].to_numpy(), noisy, strict=True)]
    scope = tmp_path / "scope.csv"
    scope.write_text("\n".join(lines) + "\n")
    assert run(["extract", str(scope), "--capacitance", "100n", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["network"]
    assert found["way"] == "waveforms"
    np.testing.assert_allclose(found["weights"], net.weights, atol=1e-2 * 6e-5)
    assert run(["extract", str(scope)]) == 2
    assert "waveforms do not tell capacitances" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nofile.cir"], "deck 'nofile.cir': cannot be read"),
        (["nofile.cir", "--against", "nothing"], "design 'nothing' is unknown"),
        (["nofile.cir", "--capacitance", "1n"], "--capacitance: is for waveforms; a deck has its own capacitors"),
        (["nofile.cir", "--plot", "page.txt"], "page.txt"),
    ],
)
def test_bad_input_is_named(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["extract", *arguments]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.usefixtures("ngspice")
def test_the_deck_of_a_board_is_compared_with_the_designs_board(pair: Path, tmp_path: Path) -> None:
    """It is in the board's volts, ohms and seconds, and its head says of which graph it is."""
    board = board_of(load_design(str(pair)))
    deck, edited = tmp_path / "board.cir", tmp_path / "edited.cir"
    deck.write_text(board.circuit.netlist(), encoding="utf-8")
    edited.write_text(deck.read_text(), encoding="utf-8")
    ohms = next(line.split()[3] for line in deck.read_text().splitlines() if line.startswith("R_syn_0_1 "))
    _edit(edited, "R_syn_0_1", repr(1.1 * float(ohms)))
    wanted, circuit = _intended(str(pair), deck)
    assert isinstance(circuit, Circuit)
    assert circuit.netlist() == board.circuit.netlist()
    assert compare(deck, wanted).agrees
    found = compare(edited, wanted)
    assert not found.agrees
    assert found.findings[0].devices == ("r_syn_0_1",)


@pytest.mark.usefixtures("ngspice")
def test_a_deck_of_another_graph_says_so(pair: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    deck = tmp_path / "board.cir"
    deck.write_text(board_of(load_design(str(pair)), state_scale=7.0).circuit.netlist(), encoding="utf-8")
    _, circuit = _intended(str(pair), deck)
    assert circuit is not None
    assert capsys.readouterr().err == (
        "hopfield-hw: warning: the deck says that it was made of another graph than pair, or than its board as it is "
        "designed now; where that is so by other scales, give the deck that it should be to --against\n"
    )
    _warn_of_another_graph(Job(load_design(str(pair)), "inverting_integrator", deck=deck))
    assert f"`hopfield-hw extract {deck} --against pair`" in capsys.readouterr().err


@pytest.mark.usefixtures("ngspice")
def test_weights_are_shown_one_by_one_and_what_leads_nowhere_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    deck = tmp_path / "two.cir"
    deck.write_text(
        "two\nC1 a 0 100n\nR1 a 0 10k\nC2 b 0 100n\nR2 b 0 10k\nB1 y 0 V=tanh(2*v(a))\nR21 y b 5k\n"
        "E1 w 0 b 0 1\nR12 w a 20k\nR3 w lost 4.7k\nR4 y off 1k\nC9 off 0 1n\n"
    )
    run(["extract", str(deck)])
    said = [re.split(r"\s{2,}", line, maxsplit=1) for line in capsys.readouterr().out.splitlines()]
    rows = {line[0]: line[1] for line in said if len(line) == 2}
    assert rows["network"] == "2 states, 1 weights, 1 without a curve"
    assert rows["T to c1"] == "50 uS from c2 without a curve"
    assert rows["T to c2"] == "200 uS from c1"
    assert rows["note"] == "r3 leads to node lost, where nothing else is: it carries no current"
