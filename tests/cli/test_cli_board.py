"""The commands board, montecarlo and faults: what they write and print, their exit statuses, and what they refuse."""

from __future__ import annotations

import csv
import json
from importlib.util import find_spec
from pathlib import Path

import pytest
from pair_design import BOARD, EXPECTED
from pair_design import PAIR as NETWORK

from hopfield_hw.cli import run

PAIR = NETWORK + EXPECTED + BOARD


@pytest.fixture
def pair(pair: Path) -> Path:
    """The design, with the answer that it expects."""
    pair.write_text(PAIR, encoding="utf-8")
    return pair


@pytest.mark.usefixtures("ngspice")
def test_a_board_is_designed_verified_and_written(
    pair: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "new" / "folder"
    assert run(["board", str(pair), "--verify", "-o", str(folder)]) == 0
    said, err = capsys.readouterr()
    assert err == ""
    rows = {line.split("  ")[0]: line for line in said.splitlines()}
    assert rows["op-amps"].endswith("  TL074 on 12 V, -12 V")
    assert rows["verdict"].endswith("passed")
    assert " done, margin 4." in rows["task"]
    assert "FAILED" not in said
    lists = ["bringup.csv", "bringup.html", "kicad", "parts.csv", "placement.csv"]
    decks = ["board.cir", "board.json", "board.ltspice.cir", "board.png", "board.xyce.cir"]
    assert sorted(path.name for path in folder.iterdir()) == [*decks, *lists]
    report = json.loads((folder / "board.json").read_text())
    assert (report["status"], report["neurons"], report["op_amp"]) == ("passed", 2, "TL074")
    assert report["nrmse"] == report["verification"]["nrmse"] < 5e-3
    with (folder / "parts.csv").open() as file:
        lines = list(csv.DictReader(file))
    deck = (folder / "board.cir").read_text()
    assert deck.rstrip().endswith(".end")
    names = [name for line in lines for name in line["References"].split()]
    assert len(names) == len(set(names)) == sum(int(line["Quantity"]) for line in lines)
    (synapses,) = (line for line in lines if "R102" in line["References"].split())
    assert {"R102", "R201"} <= set(synapses["References"].split())
    written = next(line for line in deck.splitlines() if line.startswith("R_syn_0_1 "))
    assert synapses["Value"] == f"{float(written.split()[3]) / 1e3:g}k"
    (op_amps,) = (line for line in lines if line["Value"] == "TL074")
    assert op_amps["MPN"] == "TL074CDR"
    assert 4 * int(op_amps["Quantity"]) >= deck.count("\nX_")


@pytest.mark.usefixtures("ngspice")
def test_a_board_written_twice_is_the_same(pair: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written = []
    for name in ("first", "second"):
        assert run(["board", str(pair), "-o", str(tmp_path / name)]) == 0
        paths = [path for path in sorted((tmp_path / name).rglob("*")) if path.is_file()]
        written.append({path.relative_to(tmp_path / name): path.read_bytes() for path in paths})
    assert written[0] == written[1]
    assert len(written[0]) > 20
    assert capsys.readouterr().err == ""


@pytest.mark.usefixtures("ngspice")
def test_a_board_that_fails_a_check_says_so(pair: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["board", str(pair), "--supplies", "3.4,-3.4", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["status"], found["passed"], found["verification"]) == ("failed", False, None)
    failed = [check["name"] for check in found["checks"] if not check["passed"]]
    assert "supply" in failed
    assert run(["board", str(pair), "--supplies", "3.4,-3.4"]) == 1
    assert "FAILED  supply: TL074 on 6.8 V" in capsys.readouterr().out


@pytest.mark.usefixtures("ngspice")
def test_a_board_that_misses_its_task_has_failed(pair: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pair.write_text(PAIR.replace("outputs = [1.0, -1.0]", "outputs = [-1.0, 1.0]"), encoding="utf-8")
    assert run(["board", str(pair), "--verify"]) == 1
    said = capsys.readouterr().out
    assert "NOT done, margin -4." in said


@pytest.mark.usefixtures("ngspice")
def test_monte_carlo_counts_and_goes_on(pair: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = tmp_path / "study.jsonl"
    asked = ["montecarlo", str(pair), "--samples", "40", "--seed", "3", "--tolerance", "5%", "--json"]
    assert run([*asked, "--workers", "1", "--resume", str(kept)]) == 0
    first = json.loads(capsys.readouterr().out)
    assert (first["status"], first["yield"]["count"], first["yield"]["trials"]) == ("done", 40, 40)
    assert run([*asked, "--workers", "2", "--resume", str(kept)]) == 0
    again = json.loads(capsys.readouterr().out)
    assert again == first
    assert run(["montecarlo", str(pair), "--samples", "40", "--seed", "3"]) == 0
    said = capsys.readouterr().out
    assert "yield" in said
    assert "tolerance" in said


@pytest.mark.usefixtures("ngspice")
def test_a_study_is_written_with_its_page_and_samples(
    pair: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "new" / "study"
    assert run(["montecarlo", str(pair), "--samples", "30", "--tolerance", "5%", "-o", str(folder)]) == 0
    assert "written  " in capsys.readouterr().out
    report = json.loads((folder / "yield.json").read_text())
    with (folder / "samples.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert [float(line["margin"]) for line in lines] == report["margins"]
    machine = "equation" if find_spec("numba") is None else "ensemble"
    assert (report["tolerance"], report["engine"], report["seed"]) == (0.05, machine, 1)
    synapses = [float(line["R_syn_0_1.resistance"]) for line in lines]
    assert 1.02 < max(synapses) / min(synapses) <= 1.05 / 0.95
    assert (folder / "yield.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.usefixtures("ngspice")
def test_monte_carlo_at_several_temperatures(pair: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["montecarlo", str(pair), "--samples", "8", "--workers", "1", "--json"]
    assert run([*asked, "--temperature", "70,-10"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["quantity"], found["points"]) == ("temperature", [-10.0, 70.0])
    assert [one["trials"] for one in found["yields"]] == [8, 8]
    assert run([*asked, "--temperature", "70", "--engine", "equation"]) == 0
    alone = json.loads(capsys.readouterr().out)
    assert (alone["temperature"], alone["engine"]) == (70.0, found["engine"])
    assert run([*asked, "--temperature", "70", "--engine", "ensemble"]) == 2


@pytest.mark.usefixtures("ngspice")
def test_faults_are_shown_and_written(pair: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "faults.csv"
    asked = ["faults", str(pair), "--engine", "ngspice", "--kind", "dead", "--part", "X_v_0_pair", "-o", str(file)]
    assert run(asked) == 0
    said = capsys.readouterr().out
    assert "test point" in said
    assert said.count("X_v_0_pair at ") >= 3
    with file.open() as text:
        lines = list(csv.DictReader(text))
    assert [(line["fault"], len(line["test point"]) > 0) for line in lines] == [("dead", True)] * 3
    assert {line["task"] for line in lines} >= {"fails"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["montecarlo", "PAIR", "--temperature", "warm"],
            "--temperature 'warm': must be degrees Celsius, such as 0,25,70",
        ),
        (
            ["montecarlo", "PAIR", "--executor", "host"],
            "`executor` = 'host': must be the address of a scheduler, such as tcp://host:8786",
        ),
        (
            ["montecarlo", "PAIR", "--executor", "tcp://host:8786", "--workers", "2"],
            "`workers` = 2: the executor has its own; leave one of them out",
        ),
        (
            ["montecarlo", "PAIR", "--temperature", "20,300"],
            "`--temperature` = 300: must be from -55 to 150 degrees Celsius, where parts are made for",
        ),
        (
            ["montecarlo", "PAIR", "--temperature", "20,30", "--resume", "study.jsonl"],
            "--resume: a file is of one study, and --temperature 20,30 of several; give one of them",
        ),
        (
            ["board", "max_cut"],
            "max_cut: its network is a graph: a board is made of a Network, without delays and clocks",
        ),
        (
            ["board", "delayed_inhibition"],
            "delayed_inhibition: its feedback has delays: a board is made of a Network, without delays and clocks",
        ),
        (["board", "PAIR", "--supplies", "12"], "--supplies '12': must be two voltages with a comma, such as 12,-12"),
        *(
            (
                ["board", "PAIR", "--supplies", rails],
                f"--supplies {rails!r}: the first one must be the upper rail, above the second, such as 12,-12",
            )
            for rails in ("-12,12", "12,12")
        ),
        (["board", "PAIR", "-o", "PAIR"], "'PAIR': is a file; give a folder, or a path where one can be made"),
        (["montecarlo", "PAIR", "-o", "PAIR"], "'PAIR': is a file; give a folder, or a path where one can be made"),
        (
            ["montecarlo", "PAIR", "--seed", "18446744073709551616"],
            "`seed` = 18446744073709551616: must be a whole number from 0 to 18446744073709551615",
        ),
        (
            ["board", "PAIR", "--series", "E7"],
            "`series`: series 'E7' is unknown: must be one of E6, E12, E24, E48, E96, E192; or "
            "give the values of your stock",
        ),
        (
            ["board", "PAIR", "--amplifier", "exct"],
            "`amplifier`: amplifier 'exct' is unknown: must be one of exact, differential_pair, ota, piecewise_linear, "
            "diode_clamp, zener_clamp; did you mean 'exact'?; or give an Amplifier",
        ),
        (["board", "PAIR", "--timeout", "0"], "`--timeout = 0.0 s`: must be positive"),
        *(
            (
                ["montecarlo", "PAIR", "--tolerance", text],
                f"--tolerance {text!r}: must be above 0 and below 100%, such as 5% or 0.05",
            )
            for text in ("150%", "100%", "5", "0", "-5%", "nan", "inf")
        ),
        *(
            (
                ["montecarlo", "PAIR", "--tolerance", text],
                f"--tolerance {text!r}: must be a percentage, such as 5%, or a part of 1, such as 0.05",
            )
            for text in ("some", "%", "")
        ),
        (["montecarlo", "PAIR", "--engine", "xyce"], "--engine 'xyce': must be ensemble, equation or ngspice"),
        (["montecarlo", "PAIR", "--samples", "0"], "--samples 0: must be at least 1"),
        (["montecarlo", "PAIR", "--workers", "0"], "--workers 0: must be at least 1"),
        (["faults", "PAIR", "--engine", "xyce"], "--engine 'xyce': must be equation or ngspice"),
        (["faults", "PAIR", "--workers", "0"], "--workers 0: must be at least 1"),
        (
            ["faults", "PAIR", "--kind", "loose"],
            "--kind 'loose': must be one of open, short, times ten, by ten, swapped, dead",
        ),
        (
            ["faults", "PAIR", "--part", "R_9"],
            "find_fault_effects: `parts` holds 'R_9': must be names of the board's parts",
        ),
        (["montecarlo", "PAIR", "--seed", "-1"], "--seed -1: must be 0 or above"),
    ],
    ids=lambda value: " ".join(value[:3]) if isinstance(value, list) else "",
)
def test_bad_input_is_refused(
    pair: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert run([str(pair) if word == "PAIR" else word for word in arguments]) == 2
    assert capsys.readouterr().err == f"hopfield-hw: error: {message.replace('PAIR', str(pair))}\n"


@pytest.mark.usefixtures("ngspice")
def test_a_network_that_no_board_realises_names_the_constraint(pair: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pair.write_text(PAIR.replace("-5.0e-5, 0.0]", "-5.0e-11, 0.0]"), encoding="utf-8")
    assert run(["board", str(pair)]) == 2
    err = capsys.readouterr().err
    assert err.startswith("hopfield-hw: error: design_board: resistors: the largest conductance is 1e+06 times")
    assert "allow that (`limits`), or set the smallest weights to 0" in err


def test_a_study_without_a_task_is_refused(pair: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pair.write_text(NETWORK + BOARD, encoding="utf-8")
    assert run(["montecarlo", str(pair)]) == 2
    assert capsys.readouterr().err == (
        "hopfield-hw: error: montecarlo: pair expects no answer, so that there is no task; give it `expected`\n"
    )


def test_boards_need_ngspice(pair: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("HOPFIELD_HW_NGSPICE", "/nowhere")
    assert run(["board", str(pair)]) == 3
    assert "HOPFIELD_HW_NGSPICE='/nowhere'" in capsys.readouterr().err
