"""The command parts: the list, a sheet, the benches, sheets and models of users."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hopfield_hw.cli import run
from hopfield_hw.parts.data_sheet import FIGURES, FOLDER

TL074 = (FOLDER / "tl074.toml").read_text(encoding="utf-8")
MODEL = """\
.subckt amp 1 2 3 4 5
Gin 0 g 1 2 1m
Rg g 0 150meg
Cg g 0 39.8p
Eout o 0 g 0 1
Ro o 5 125
Rs 3 4 21.4k
.ends
"""
ORDER = "plus,minus,supply_plus,supply_minus,output"


def test_the_list_has_every_part(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["parts"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["part", "what", "also", "data", "sheets"]
    assert [line.split()[0] for line in lines[1:]] == [
        "LM358",
        "MCP6002",
        "NE5532",
        "OP07",
        "OPA2134",
        "TL074",
        "TL074H",
    ]
    assert run(["parts", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert listed["status"] == "done"
    assert listed["parts"]["TL074"]["also"] == {"TL071": 1, "TL072": 2, "TL074C": 4, "TL072C": 2}


def test_a_part_shows_its_figures_and_where_they_stand(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["parts", "tl072"]) == 0
    text = capsys.readouterr().out
    assert text.splitlines()[0] == "TL074"
    rows = {line.split()[0]: line for line in text.splitlines() if line}
    assert rows["offset"].split() == ["offset", "3", "mV", "10", "mV", "TL071C,", "page", "3"]
    assert "estimate: no sheet that was read states it" in rows["output_resistance"]
    assert "read: a text copy of page 3" in text
    assert run(["parts", "TL074", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert set(shown["figures"]) == set(FIGURES)
    assert shown["figures"]["slew_rate"]["typ"] == 13e6
    assert shown["figures"]["slew_rate"]["page"] == "3"


@pytest.mark.usefixtures("ngspice")
def test_the_benches_say_sheet_beside_measured(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["parts", "TL074", "--bench"]) == 0
    text = capsys.readouterr().out
    assert "result    within 5%" in text
    (slew,) = [line for line in text.splitlines() if line.strip().startswith("slew_rate ")]
    assert slew.split()[:7] == ["slew_rate", "8", "V/us", "13", "V/us", "13", "V/us"]
    assert slew.split()[-1] == "ok"


@pytest.mark.usefixtures("ngspice")
def test_a_sheet_of_a_user_is_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "own.toml"
    path.write_text(TL074.replace('name = "TL074"', 'name = "OWN"'), encoding="utf-8")
    assert run(["parts", "--sheet", str(path), "--bench", "--json", "--supplies", "12,-12"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["status"], found["part"], found["supplies"]) == ("passed", "OWN", [12.0, -12.0])


@pytest.mark.usefixtures("ngspice")
def test_a_model_of_a_vendor_is_measured_against_a_sheet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "amp.lib"
    path.write_text(MODEL)
    asked = ["parts", "TL074", "--model", str(path), "--name", "amp", "--pins", ORDER, "--json"]
    assert run(asked) == 1  # it has neither a slew rate nor rails
    found = json.loads(capsys.readouterr().out)
    rows = {row["figure"]: row for row in found["figures"]}
    assert found["status"] == "failed"
    assert rows["output_resistance"]["ok"] is rows["supply_current"]["ok"] is True
    assert rows["slew_rate"]["ok"] is rows["offset"]["ok"] is False
    # Without a sheet there is nothing to compare with.
    assert run([*asked[:1], *asked[2:]]) == 0
    alone = json.loads(capsys.readouterr().out)
    assert (alone["status"], alone["passed"]) == ("done", False)
    assert all(row["ok"] is None for row in alone["figures"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--bench"], "--bench: name a part, or give --sheet or --model"),
        (["TL074", "--sheet", "own.toml"], "NAME and --sheet: give one of them"),
        (["--name", "amp"], "--name and --pins are of a vendor's model: give its file with --model too"),
        (["--model", "amp.lib"], "--model 'amp.lib': name its .subckt with --name"),
        (
            ["--model", "amp.lib", "--name", "amp"],
            "`Subcircuit.library` 'amp.lib': cannot be read (No such file or directory)",
        ),
        (["--sheet", "own.toml"], "own.toml: cannot be read (No such file or directory)"),
        (
            ["TL074", "--supplies", "12,-12"],
            "--supplies: is of the benches, and a data sheet says its own; give --bench too",
        ),
        (
            ["TL074", "--bench", "--supplies", "40,-40"],
            "--supplies: supply: TL074 on 80 V, must be at most 36 V; take a lower supply, or another op-amp",
        ),
        (
            ["TL074", "--bench", "--supplies", "12"],
            "--supplies '12': must be two voltages with a comma, such as 12,-12",
        ),
        (
            ["TL074", "--bench", "--supplies", "-12,12"],
            "--supplies '-12,12': the first one must be the upper rail, above the second, such as 12,-12",
        ),
        (
            ["TL074", "--bench", "--supplies", "0.5,-0.5"],
            "`MacroModel` TL074: supplies of 0.5 V and -0.5 V leave its output no room: it ends 0.5483 V and 0.5483 V "
            "from them",
        ),
    ],
    ids=[
        "no part",
        "two parts",
        "no model",
        "no name",
        "no file",
        "no sheet",
        "no bench",
        "much voltage",
        "one rail",
        "turned rails",
        "no room",
    ],
)
def test_bad_input_is_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["parts", *arguments]) == 2
    assert capsys.readouterr().err == f"hopfield-hw: error: {message}\n"
