"""The command bringup: the sheet, the comparison, its exit statuses, and what it refuses."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from hopfield_hw.cli import run
from hopfield_hw.values.errors import ConvergenceError

FEW = ["--samples", "8"]


@pytest.mark.usefixtures("ngspice")
def test_the_sheet_is_written_and_a_filled_in_table_is_compared(
    pair: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "sheet"
    assert run(["bringup", str(pair), *FEW, "-o", str(folder)]) == 0
    said, err = capsys.readouterr()
    assert err == ""
    assert "Without power" in said
    assert "xn_1" in said
    assert (folder / "bringup.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    rows = list(csv.DictReader((folder / "bringup.csv").read_text(encoding="utf-8").splitlines()))
    assert {row["state"] for row in rows} == {"reset", "start held", "start"}
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    lines = [f"{row['test point']},{row['state']},{row['expected']}" for row in rows]
    good.write_text("\n".join(["test point,state,volts", *lines]) + "\n", encoding="utf-8")
    assert run(["bringup", str(pair), *FEW, "--measured", str(good), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["status"], found["measured"]["verdict"], found["measured"]["suspects"]) == ("passed", "passed", [])
    few = tmp_path / "few.csv"
    few.write_text("\n".join(["test point,state,volts", *lines[:4]]) + "\n", encoding="utf-8")
    assert run(["bringup", str(pair), *FEW, "--measured", str(few)]) == 3
    assert f"4 of {len(lines)}, 0 outside of their bands" in capsys.readouterr().out
    # The inverter of neuron 0 gives nothing.
    lines = [f"vn_0,{line.split(',')[1]},0.0" if line.startswith("vn_0,") else line for line in lines]
    bad.write_text("\n".join(["test point,state,volts", *lines]) + "\n", encoding="utf-8")
    assert run(["bringup", str(pair), *FEW, "--measured", str(bad)]) == 1
    said = capsys.readouterr().out
    assert "vn_0 in start" in said
    assert "neuron 0" in said


@pytest.mark.parametrize("command", ["bringup", "board"])
def test_readings_are_not_replaced(
    command: str, pair: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    filled = tmp_path / "bringup.csv"
    filled.write_text("test point,state,volts,expected\nv_0,reset,,1\nv_1,reset,1.02,1\n", encoding="utf-8")
    before = filled.read_bytes()
    assert run([command, str(pair), "-o", str(tmp_path)]) == 2
    assert capsys.readouterr().err == (
        f"hopfield-hw: error: {str(filled)!r}: has 1 reading, which an empty table would replace; give another folder, "
        "or give the file another name\n"
    )
    assert filled.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bringup.csv", "pair"]


@pytest.mark.usefixtures("ngspice")
def test_bad_input_is_refused(pair: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("test point,state,volts\nv_9,reset,1\n", encoding="utf-8")
    for arguments, message in (
        (["--measured", str(wrong)], "measurement 'wrong.csv', line 2: test point 'v_9' is unknown"),
        (["--measured", str(tmp_path / "none.csv")], "there is no such file; give a CSV file of readings"),
        (["--accuracy", "2"], "--accuracy '2': must be above 0 and below 1, such as 1% or 0.01"),
        (["--samples", "1"], "`samples` = 1"),
        (["--reset-ohms", "-3"], "`--reset-ohms = -3.0 Ohm`: must be positive"),
    ):
        assert run(["bringup", str(pair), *FEW, *arguments]) == 2
        assert message in capsys.readouterr().err


@pytest.mark.usefixtures("ngspice")
def test_a_board_that_does_not_run_is_a_failure_of_the_simulator(
    pair: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ConvergenceError("bring_up: the board does not run")

    monkeypatch.setattr("hopfield_hw.cli.bringup.bring_up", fail)
    assert run(["bringup", str(pair)]) == 3
    assert "does not run" in capsys.readouterr().err
