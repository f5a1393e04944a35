"""The command line: exit statuses, messages on stderr, one object of JSON on stdout, no file where something failed."""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import xarray as xr

from hopfield_hw.cells import CELLS
from hopfield_hw.cli import COMMANDS, run
from hopfield_hw.cli import demo as demo_module
from hopfield_hw.cli.reporting import RESULT_KEYS
from hopfield_hw.designs import load_design, shipped_designs
from hopfield_hw.designs.export import design_circuit
from hopfield_hw.families import FAMILIES
from hopfield_hw.spice.dialects import DIALECTS
from hopfield_hw.spice.ngspice import REMEDY, VARIABLE

ERROR = "hopfield-hw: error: "
HINT = "; see `hopfield-hw --help`"
OWN_ENGINE = (
    f"ngspice: found {VARIABLE}='/nowhere', which is not executable; {REMEDY}; verified in our own engine instead"
)
MISSING = f"ngspice: found {VARIABLE}='/nowhere', which is not executable; {REMEDY}"
DESIGN = """\
title = "Two neurons"
citation = "none"
[network]
weights = [[0.0, -5.0e-5], [-5.0e-5, 0.0]]
resistance = 1.0e4
capacitance = 1.0e-8
gain = {kind = "tanh", gain = 10.0}
initial = [0.1, 0.05]
labels = ["a", "b"]
symmetric = true
[analysis]
t_stop = 1.0e-3
"""


class Said(NamedTuple):
    """What a command line left: its exit status, and what stood on stdout and on stderr."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one object on stdout."""
        content = json.loads(self.out, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
        assert isinstance(content, dict)
        return content

    @property
    def error(self) -> str:
        """The message on stderr: one line, and what the program calls it."""
        assert self.err.startswith(ERROR), self.err
        assert self.err.endswith("\n")
        assert self.err.count("\n") == 1, self.err
        return self.err.removeprefix(ERROR).rstrip("\n")


Command = Callable[..., Said]


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Command:
    """Run a command line in this process."""

    def command(*arguments: str | Path) -> Said:
        status = run([str(argument) for argument in arguments])
        return Said(status, *capsys.readouterr())

    return command


@pytest.fixture
def design(tmp_path: Path) -> Callable[..., Path]:
    """Write a design of two neurons, with a piece of its text changed."""

    def write(old: str = "", new: str = "") -> Path:
        assert old in DESIGN
        path = tmp_path / "mine" / "design.toml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(DESIGN.replace(old, new, 1) if old else DESIGN)
        return path

    return write


@pytest.fixture
def no_ngspice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "/nowhere")


def program(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run the program in its own process."""
    code = "from hopfield_hw.cli import main; main()"
    return subprocess.run([sys.executable, "-c", code, *arguments], text=True, check=False, timeout=120, **options)


# What it does


@pytest.mark.usefixtures("ngspice")
def test_verify_says_what_it_found(cli: Command) -> None:
    said = cli("verify", "flip_flop", "--cell", "hopfield_tank")
    assert (said.status, said.err) == (0, "")
    rows = dict(line.split("  ", 1) for line in said.out.splitlines()[1:])
    assert {key: rows[key].strip() for key in ("result", "settled state", "energy")} == {
        "result": "passed",
        "settled state": "same",
        "energy": "never rises",
    }
    assert rows["cell"].strip() == "hopfield_tank, neurons 2, devices 10"
    assert rows["outputs at the end, V"].strip() == "0.999909, -0.999909"


@pytest.mark.usefixtures("ngspice")
def test_verify_writes_one_object(cli: Command) -> None:
    said = cli("verify", "flip_flop", "--json")
    assert (said.status, said.err) == (0, "")
    assert set(RESULT_KEYS) <= set(said.json)
    assert said.json["status"] == "passed"
    assert said.json["nrmse"] <= 1e-4
    assert said.json["neurons"] == 2
    assert set(said.json["seconds"]) == {"compile", "reference", "ngspice", "evidence"}
    assert said.json["answers"][0]["ok"] is True


@pytest.mark.usefixtures("ngspice")
def test_verify_judges_by_the_accuracy_asked_for(cli: Command) -> None:
    said = cli("verify", "flip_flop", "--accuracy", "1e-5", "--json")
    assert (said.status, said.json["tolerance"]) == (0, 1e-5)


@pytest.mark.usefixtures("ngspice")
def test_verify_runs_a_case(cli: Command) -> None:
    said = cli("verify", "flip_flop", "--case", "other_state", "--json")
    assert said.status == 0
    assert said.json["design"] == "flip_flop_other_state"
    assert said.json["answers"][0]["found"] == "-0.999909, 0.999909"


@pytest.mark.usefixtures("ngspice")
def test_verify_draws_the_picture(cli: Command, tmp_path: Path) -> None:
    said = cli("verify", "flip_flop", "--plot", tmp_path / "page.png")
    assert said.status == 0
    assert (tmp_path / "page.png").read_bytes()[:4] == b"\x89PNG"
    assert [path.name for path in tmp_path.iterdir()] == ["page.png"]


@pytest.mark.usefixtures("ngspice")
def test_an_edited_deck_fails_with_status_1(cli: Command, tmp_path: Path) -> None:
    deck = tmp_path / "edited.cir"
    assert cli("export", "flip_flop", "--to", "ngspice", "-o", deck) == (0, "", "")
    assert cli("verify", "flip_flop", "--deck", deck).status == 0
    deck.write_text(deck.read_text().replace("C_x_1 x_1 0 1e-08", "C_x_1 x_1 0 2e-08"))
    said = cli("verify", "flip_flop", "--deck", deck, "--json")
    assert (said.status, said.err, said.json["status"]) == (1, "", "failed")
    assert [suspect["devices"] for suspect in said.json["suspects"]] == [["C_x_1"]]


@pytest.mark.usefixtures("ngspice")
def test_a_wrong_answer_fails_though_the_waveforms_agree(cli: Command, design: Callable[..., Path]) -> None:
    expected = '[expected]\nkind = "settled"\noutputs = [-1.0, 1.0]\ntolerance = 1.0e-2\n[analysis]'
    said = cli("verify", design("[analysis]", expected), "--json")
    assert (said.status, said.json["status"]) == (1, "failed")
    assert said.json["nrmse"] <= 1e-4


@pytest.mark.usefixtures("ngspice")
def test_a_network_file_is_a_design(cli: Command, tmp_path: Path) -> None:
    load_design("flip_flop").network.to_json(tmp_path / "net.json")
    said = cli("verify", tmp_path / "net.json", "--json")
    assert (said.status, said.json["design"]) == (0, "net")


@pytest.mark.usefixtures("ngspice")
def test_random_networks_are_counted(cli: Command) -> None:
    said = cli("verify", "--random", "2", "--seed", "188", "--workers", "1", "--json")
    assert (said.status, said.err) == (0, "")
    assert set(RESULT_KEYS) <= set(said.json)
    assert (said.json["networks"], said.json["seed"], said.json["status"]) == (2, 188, "passed")
    assert said.json["quantiles"]["largest"] == said.json["nrmse"] <= 1e-4
    table = cli("verify", "--random", "2", "--seed", "188", "--workers", "1").out
    assert "2 of family hopfield, seed 188, cell ideal" in table
    assert "gain curve" in table


@pytest.mark.usefixtures("ngspice")
def test_simulate_writes_waveforms_and_a_picture(cli: Command, tmp_path: Path) -> None:
    waves, picture = tmp_path / "run.nc", tmp_path / "run.svg"
    said = cli("simulate", "flip_flop", "-o", waves, "--plot", picture, "--json")
    assert (said.status, said.err, said.json["status"]) == (0, "", "done")
    with xr.open_dataset(waves, engine="scipy") as dataset:
        assert dict(dataset.sizes) == {"time": 2001, "neuron": 2}
        assert dataset["state"].attrs["units"] == "V"
        assert abs(float(dataset["output"][-1, 0]) - 0.9999092) < 1e-4
    assert "<svg" in picture.read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run.nc", "run.svg"]


def test_an_exported_deck_runs_as_it_is(cli: Command, tmp_path: Path, ngspice: str) -> None:
    for cell in ("ideal", "hopfield_tank", "inverting_integrator"):
        assert (
            cli("export", "ad_converter_4bit", "--to", "ngspice", "--cell", cell, "-o", tmp_path / "deck.cir").status
            == 0
        )
        command = [ngspice, "-n", "-b", "-r", "out.raw", "deck.cir"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
        assert "No. of Data Rows" in done.stdout, done
        assert (tmp_path / "out.raw").stat().st_size > 10_000
        (tmp_path / "out.raw").unlink()


def test_export_depends_on_the_design_alone(cli: Command) -> None:
    first, second = (cli("export", "limit_cycle", "--to", "ngspice").out for _ in range(2))
    assert first == second
    assert (
        first.splitlines()[0] == "* Limit cycle of two neurons, one of which excites the other and is inhibited by it"
    )
    assert first.splitlines()[-2].startswith(".tran ")
    assert first.endswith(" uic\n.end\n")


TRACES = {
    "a device": (
        ["R_syn_3_7"],
        "syn.weights[3, 7] = 4.354 uS",
        "hopfield_tank",
        "R_syn_3_7 v_7 x_3 229664.9170487",
    ),
    "in a cell": (
        ["r_syn_3_7", "--cell", "inverting_integrator"],
        "syn.weights[3, 7] = 4.354 uS",
        "inverting_integrator",
        "R_syn_3_7 v_7 x_sum_3 229664.9170487",
    ),
    "a weight": (["3,7"], "syn.weights[3, 7] = 4.354 uS", "ideal", "G_syn_3_7 0 x_3 v_7 0 4.3541696e-06"),
    "by its role": (["weights[3,7]"], "syn.weights[3, 7] = 4.354 uS", "ideal", "G_syn_3_7 0 x_3 v_7 0 4.3541696e-06"),
    "in full": (["syn.weights[3, 7]"], "syn.weights[3, 7] = 4.354 uS", "ideal", "G_syn_3_7 0 x_3 v_7 0 4.3541696e-06"),
    "a capacitor": (["capacitance[5]"], "x.capacitance[5] = 100 nF", "ideal", "C_x_5 x_5 0 1e-07"),
    "an amplifier": (["B_v_5"], "v.function[5]", "ideal", "B_v_5 v_5 0 V=tanh(10.0*v(x_5))"),
}


@pytest.mark.parametrize(("arguments", "element", "cell", "line"), TRACES.values(), ids=TRACES)
def test_trace_goes_both_ways(cli: Command, arguments: list[str], element: str, cell: str, line: str) -> None:
    said = cli("trace", "digit_memory", *arguments)
    assert said.status == 0
    rows = [row.split(maxsplit=1) for row in said.out.splitlines()[1:]]
    assert rows[:2] == [["element", element], ["cell", cell]]
    (number, found) = rows[2][1].split(maxsplit=1)
    assert found == line
    deck = cli("export", "digit_memory", "--to", "ngspice", "--cell", cell).out.splitlines()
    assert deck[int(number) - 1] == line


def test_trace_of_a_weight_that_is_0(cli: Command) -> None:
    assert "none: it is 0" in cli("trace", "digit_memory", "3,3").out
    common = cli("trace", "strongest_of_eight", "0,1", "--cell", "winner_take_all").out
    assert "no dedicated device; merged with other weights" in common
    said = cli("trace", "digit_memory", "3,3", "--json")
    assert said.status == 0
    assert (said.json["element"], said.json["value"], said.json["devices"]) == ("syn.weights[3, 3]", 0.0, [])


def test_list_shows_what_there_is(cli: Command) -> None:
    said = cli("list", "--json")
    assert said.status == 0
    assert list(said.json["designs"]) == list(shipped_designs())
    assert said.json["cells"].keys() == set(CELLS)
    assert said.json["dialects"].keys() == set(DIALECTS)
    assert said.json["engines"].keys() == {"ngspice"}
    table = cli("list").out
    assert all(
        name in table
        for part in ("designs", "families", "delays", "templates", "random_families", "cells")
        for name in said.json[part]
    )


@pytest.mark.usefixtures("ngspice")
def test_doctor_finds_everything(cli: Command) -> None:
    said = cli("doctor", "--json")
    assert (said.status, said.err, said.json["status"]) == (0, "", "complete")
    parts = {part["name"]: part for part in said.json["parts"]}
    assert int(parts["ngspice"]["version"]) >= 30
    assert "KLU" in parts["ngspice"]["note"]
    assert all(parts[name]["version"] for name in ("Python", "numpy", "scipy", "matplotlib", "PySpice", "xarray"))
    assert "libngspice" in parts


@pytest.mark.usefixtures("no_ngspice")
def test_doctor_says_how_to_get_ngspice(cli: Command) -> None:
    said = cli("doctor")
    assert (said.status, said.error) == (3, f"ngspice is missing: {MISSING}")
    assert any(line.startswith("ngspice") and "missing" in line for line in said.out.splitlines())


@pytest.mark.usefixtures("ngspice")
def test_doctor_says_how_to_get_a_package(cli: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    module = sys.modules["hopfield_hw.cli.doctor"]  # the package has a function of this name
    monkeypatch.setattr(module, "PACKAGES", ("numpy", "no-such-package"))
    said = cli("doctor")
    assert (said.status, said.error) == (2, "no-such-package is missing: pip install no-such-package")


PROGRAMS = {"kicad-cli": "bookworm-backports", "netgen-lvs": "apt-get", "chromium": "apt-get"}


@pytest.mark.usefixtures("ngspice")
@pytest.mark.parametrize("name", PROGRAMS)
def test_doctor_names_what_checks_the_files_of_boards(cli: Command, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (part,) = (part for part in cli("doctor", "--json").json["parts"] if part["name"] == name)
    assert not part["needed"]
    assert part["missing"] == (shutil.which(name) is None)
    assert part["missing"] or part["version"][0].isdigit()
    which = shutil.which
    monkeypatch.setattr(shutil, "which", lambda program, **how: which(program, **how) if program == "ngspice" else None)
    said = cli("doctor", "--json")
    assert (said.status, said.json["status"]) == (0, "complete")
    (part,) = (part for part in said.json["parts"] if part["name"] == name)
    assert part["missing"]
    assert PROGRAMS[name] in part["remedy"]


@pytest.mark.skipif(os.name != "posix", reason="a script stands for the program")
def test_doctor_takes_no_generator_of_meshes_for_netgen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = sys.modules["hopfield_hw.cli.doctor"]
    program = tmp_path / "netgen"
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(module, "NETGEN", ("netgen",))
    for says, version in (("NETGEN-6.2", ""), ("Netgen 1.5.133 compiled", "1.5.133")):
        program.write_text(f"#!/bin/sh\necho {says}\n")
        program.chmod(0o755)
        assert module.netgen().version == version


# The demo, with a fault on a design that takes less time than its own


@pytest.fixture
def small_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo_module, "MEMORY", "flip_flop")


@pytest.mark.usefixtures("ngspice")
def test_demo_designs_verifies_and_draws_a_board(cli: Command, tmp_path: Path) -> None:
    said = cli("demo", "-o", tmp_path / "new" / "folder", "--json")
    assert (said.status, said.err) == (0, "")
    assert [path.name for path in (tmp_path / "new" / "folder").iterdir()] == ["letter_memory.png"]
    content = said.json
    assert set(RESULT_KEYS) <= set(content)
    assert (content["status"], content["design"], content["op_amp"]) == ("passed", "letter_memory", "TL074")
    assert content["verification"]["nrmse"] < content["verification"]["tolerance"] == 5e-3
    assert content["task"]["margin"] > 4.0
    assert content["checks"]


@pytest.mark.usefixtures("ngspice", "small_demo")
def test_demo_finds_and_names_a_planted_fault(cli: Command, tmp_path: Path) -> None:
    said = cli("demo", "--break", "sign:0,1", "-o", tmp_path)
    assert (said.status, said.err) == (1, "")
    told = dict(re.split(" {2,}", line) for line in said.out.splitlines()[-3:])
    assert told == {
        "planted fault": "sign:0,1, in G_syn_0_1",
        "suspects": "G_syn_0_1",
        "verdict": "the fault was detected and located: G_syn_0_1",
    }
    assert [path.name for path in tmp_path.iterdir()] == ["flip_flop_sign_0_1.png"]


@pytest.mark.usefixtures("no_ngspice")
def test_demo_without_ngspice_runs_our_own_engine(cli: Command, tmp_path: Path) -> None:
    said = cli("demo", "-o", tmp_path)
    assert (said.status, said.err.strip()) == (0, f"hopfield-hw: warning: {OWN_ENGINE}")
    assert "pattern recalled" in said.out
    assert re.search(r"engine +ensemble", said.out)
    assert [path.name for path in tmp_path.iterdir()] == ["letter_memory.png"]


# Bad input: status 2, one line, nothing written

LABEL = "must be letters, digits and underscores, at most 64 characters; rename it"
BAD_DESIGNS = {
    "NaN": (
        "-5.0e-5], [",
        "nan], [",
        "`Network.weights[0, 1] = nan`: must be finite; replace missing or infinite values",
    ),
    "infinite C": (
        "1.0e-8",
        "inf",
        "`Network.capacitance[0] = inf`: must be finite; replace missing or infinite values",
    ),
    "shape": (
        ", [-5.0e-5, 0.0]]",
        "]",
        "`Network.weights` has shape (1, 2): must be (n, n) with at least one neuron",
    ),
    "empty": (
        "[[0.0, -5.0e-5], [-5.0e-5, 0.0]]",
        "[]",
        "`Network.weights` has shape (0,): must be (n, n) with at least one neuron",
    ),
    "C = 0": ("1.0e-8", "0.0", "`Network.capacitance[0] = 0.0 F`: must be positive"),
    "C < 0": ("1.0e-8", "[1.0e-8, -1.0e-8]", "`Network.capacitance[1] = -1e-08 F`: must be positive"),
    "R < 0": ("1.0e4", "-1.0e4", "`Network.resistance[0] = -10000.0 Ohm`: must be positive"),
    "asymmetric": (
        "[-5.0e-5, 0.0]]",
        "[-4.0e-5, 0.0]]",
        "`Network.weights[0, 1]` = -5e-05 and `weights[1, 0]` = -4e-05: symmetric=True is claimed; make them equal, or "
        "drop the claim",
    ),
    "unknown key": (
        "t_stop",
        "t_stopp",
        "key 'analysis.t_stopp' is unknown: must be one of analysis.accuracy, analysis.inputs, analysis.t_stop; did "
        "you mean 'analysis.t_stop'?",
    ),
    "not TOML": (
        "[network]",
        "[network",
        "is not TOML (Expected ']' at the end of a table declaration (at line 3, column 9))",
    ),
    "colliding labels": (
        '"b"',
        '"A"',
        "`Network.labels`: 'a' and 'A' are one name in SPICE, which ignores case; rename one of them",
    ),
    "reserved label": ('"b"', '"gnd"', "`Network.labels[1]` = 'gnd': is reserved in SPICE; rename it"),
    "line in a label": ('"b"', '"b\\n.control"', f"`Network.labels[1]` = 'b\\n.control': {LABEL}"),
    "dot in a label": ('"b"', '".include"', f"`Network.labels[1]` = '.include': {LABEL}"),
    "space in a label": ('"b"', '"shell ls"', f"`Network.labels[1]` = 'shell ls': {LABEL}"),
}


@pytest.mark.parametrize(("old", "new", "message"), BAD_DESIGNS.values(), ids=BAD_DESIGNS)
def test_a_bad_design_is_refused(
    cli: Command, design: Callable[..., Path], tmp_path: Path, old: str, new: str, message: str
) -> None:
    path = design(old, new)
    output = tmp_path / "out.nc"
    said = cli("simulate", path, "-o", output)
    assert (said.status, said.out, said.error) == (2, "", f"mine/design.toml: {message}")
    for command in (["verify"], ["export", "--to", "ngspice", "-o", output], ["trace", "0,1"]):
        again = cli(command[0], path, *command[1:])
        assert (again.status, again.err) == (2, said.err)
    assert not output.exists()
    content = cli("verify", path, "--json").json
    assert (content["status"], content["kind"]) == ("error", "InputError")
    assert content["message"] == said.error


def test_an_unrealisable_leak_is_refused_with_its_cure(cli: Command, design: Callable[..., Path], ngspice: str) -> None:
    path = design("[[0.0, -5.0e-5], [-5.0e-5, 0.0]]", "[[0.0, -5.0e-4], [-5.0e-4, 0.0]]")
    said = cli("verify", path, "--cell", "hopfield_tank", "--json")
    assert (said.status, said.json["kind"]) == (2, "Unrealisable")
    assert said.error == (
        "hopfield_tank, neuron a of 'x': its weights add up to 500 uS, above 1/R = 100 uS, so its leak would be "
        "negative; the exact cure is to multiply state, weights and bias by s = 0.2 at most and the slope by 1/s, gain "
        "10 becomes 50: lower(..., rescale=True) or --rescale does it; or use cell='inverting_integrator'"
    )
    assert cli("verify", path, "--cell", "hopfield_tank", "--rescale").status == 0


BAD_COMMANDS = {
    "no command": ([], f"Missing command{HINT}"),
    "unknown command": (["bend"], f"No such command 'bend'{HINT}"),
    "no design": (["verify"], "verify: must have a DESIGN or --random N; `hopfield-hw list` shows the designs"),
    "unknown design": (
        ["verify", "flipflop"],
        f"design 'flipflop' is unknown: must be one of {', '.join(shipped_designs())}; did you "
        "mean 'flip_flop'?; or give the path of a folder with a design.toml, of a design.toml, or of a network .json",
    ),
    "no file": (
        ["verify", "none/design.toml"],
        "'none/design.toml': there is no such file; give the path of a design.toml or of a network .json",
    ),
    "pickles": (
        ["verify", "net.npz"],
        "'net.npz': must be a folder with a design.toml, a design.toml, or a network .json",
    ),
    "not JSON": (
        ["verify", "net.json"],
        "net.json: is not JSON (Expecting property name enclosed in double quotes: line 1 column 2 (char 1))",
    ),
    "cell": (
        ["verify", "flip_flop", "--cell", "foo"],
        f"cell 'foo': must be one of {', '.join(CELLS)}, or a cell object of your own",
    ),
    "case": (["verify", "flip_flop", "--case", "x"], "--case 'x': flip_flop has no such case; its cases: other_state"),
    "dialect": (["export", "flip_flop", "--to", "xyz"], "dialect 'xyz': must be one of ngspice, ltspice, xyce"),
    "no dialect": (["export", "flip_flop"], f"Missing option '--to'{HINT}"),
    "accuracy": (
        ["verify", "flip_flop", "--accuracy", "2"],
        "`--accuracy` = 2.0: is an NRMSE and must be from 1e-09 to below 1, such as 1e-4",
    ),
    "accuracy 0": (
        ["simulate", "flip_flop", "--accuracy", "0"],
        "`--accuracy` = 0.0: is an NRMSE and must be from 1e-09 to below 1, such as 1e-4",
    ),
    "timeout": (["verify", "flip_flop", "--timeout", "-1"], "`--timeout = -1.0 s`: must be positive"),
    "picture": (
        ["verify", "flip_flop", "--plot", "page.gif"],
        "'page.gif': has the suffix '.gif'; must be one of .png, .pdf, .svg",
    ),
    "waveforms": (["simulate", "flip_flop", "-o", "run.csv"], "'run.csv': has the suffix '.csv'; must be one of .nc"),
    "no folder": (
        ["export", "flip_flop", "--to", "ngspice", "-o", "none/deck.cir"],
        "'none/deck.cir': there is no folder 'none'; make it first",
    ),
    "a folder": (
        ["export", "flip_flop", "--to", "ngspice", "-o", "."],
        "'.': is a folder; give the name of a file in it",
    ),
    "no deck": (
        ["verify", "flip_flop", "--deck", "none.cir"],
        "deck 'none.cir': cannot be read ([Errno 2] No such file or directory: 'none.cir'); give a netlist or its path",
    ),
    "a script": (
        ["verify", "flip_flop", "--deck", "script.cir"],
        "deck line 2 `.control`: this makes ngspice run commands, and a deck to verify is a circuit, not a script; "
        "remove it",
    ),
    "both": (
        ["verify", "flip_flop", "--random", "3"],
        "verify: DESIGN has no meaning here: --random verifies random networks; leave it out",
    ),
    "plot of many": (
        ["verify", "--random", "3", "--plot", "x.png"],
        "verify: --plot has no meaning here: --random verifies random networks; leave it out",
    ),
    "seed of one": (
        ["verify", "flip_flop", "--seed", "3"],
        "verify: --seed has no meaning here: only --random uses it; leave it out",
    ),
    "none at random": (["verify", "--random", "0"], "--random 0: must be at least 1 network"),
    "seed": (["verify", "--random", "1", "--seed", "-1"], "--seed -1: must be 0 or above"),
    "workers": (["verify", "--random", "1", "--workers", "0"], "--workers 0: must be at least 1 process"),
    "family": (["verify", "--random", "1", "--family", "x"], f"--family 'x': must be one of {', '.join(FAMILIES)}"),
    "fault": (["demo", "--break", "sign:70,3"], "fault sign:70,3: there is no neuron 70; must be 0 to 63"),
    "no fault": (
        ["demo", "--break", "sign:3,3"],
        "fault sign:3,3: syn.weights[3, 3] is 0, so no device realises it; choose another",
    ),
    "device": (
        ["trace", "flip_flop", "R_syn_9_9"],
        f"flip_flop: has no device 'R_syn_9_9' in any cell ({', '.join(CELLS)}); take a name from the "
        "netlist that `export` writes, or give a weight as weights[to, from]",
    ),
    "weight": (
        ["trace", "flip_flop", "7,1"],
        "'7,1': syn.weights[to, from] has the shape (2, 2); indices count from 0",
    ),
}


@pytest.mark.parametrize(("arguments", "message"), BAD_COMMANDS.values(), ids=BAD_COMMANDS)
def test_a_bad_command_line_is_refused(
    cli: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    (tmp_path / "net.json").write_text("{")
    (tmp_path / "script.cir").write_text("* a deck\n.control\nshell ls\n.endc\n")
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    said = cli(*arguments)
    assert (said.status, said.out, said.error) == (2, "", message)
    assert sorted(tmp_path.iterdir()) == before


def test_a_usage_error_is_an_object_too(cli: Command) -> None:
    said = cli("verify", "--jsn", "--json")
    assert (said.status, said.json["status"], said.json["kind"]) == (2, "error", "UsageError")
    assert said.json["message"] == said.error


# A simulator that does not deliver: status 3, with the remedy


@pytest.mark.usefixtures("no_ngspice")
def test_verify_without_ngspice_runs_our_own_engine(cli: Command, tmp_path: Path) -> None:
    said = cli("verify", "flip_flop", "--plot", tmp_path / "page.png")
    assert (said.status, said.err.strip()) == (0, f"hopfield-hw: warning: {OWN_ENGINE}")
    assert [path.name for path in tmp_path.iterdir()] == ["page.png"]
    content = cli("verify", "flip_flop", "--json").json
    assert set(RESULT_KEYS) <= set(content)
    assert (content["status"], content["engine"], content["neurons"], content["devices"]) == (
        "passed",
        "ensemble",
        2,
        8,
    )
    assert content["nrmse"] < content["tolerance"]
    said = cli("verify", "flip_flop", "--engine", "both")
    assert (said.status, said.error) == (3, MISSING)


@pytest.mark.usefixtures("no_ngspice")
def test_a_deck_without_ngspice_is_not_verified(cli: Command, tmp_path: Path) -> None:
    deck = tmp_path / "flip_flop.cir"
    deck.write_text(design_circuit(load_design("flip_flop")).netlist())
    said = cli("verify", "flip_flop", "--deck", deck)
    message = f"{MISSING}; not verified: flip_flop: its circuit (cell ideal, devices 8) was not simulated"
    assert (said.status, said.error) == (3, message)
    assert "0.999909, -0.999909" in said.out


@pytest.mark.usefixtures("ngspice")
def test_verify_in_both_engines(cli: Command) -> None:
    content = cli("verify", "flip_flop", "--engine", "both", "--json").json
    assert (content["status"], content["engine"].split()[::3]) == ("passed", ["ngspice", "ensemble"])
    assert 0.0 < content["apart"] < 2.0 * content["tolerance"]


@pytest.mark.usefixtures("no_ngspice")
def test_bad_input_comes_before_a_missing_ngspice(cli: Command, design: Callable[..., Path]) -> None:
    assert cli("verify", design("1.0e-8", "0.0")).status == 2
    assert cli("verify", "flip_flop", "--deck", "none.cir").status == 2


@pytest.mark.usefixtures("no_ngspice")
def test_other_commands_without_ngspice(cli: Command, tmp_path: Path) -> None:
    said = cli("verify", "--random", "3")
    assert (said.status, said.error) == (3, f"{MISSING}; none of the 3 random networks was verified")
    said = cli("simulate", "flip_flop", "-o", tmp_path / "run.nc")
    assert (said.status, said.error) == (3, MISSING)
    assert list(tmp_path.iterdir()) == []
    assert cli("export", "flip_flop", "--to", "ngspice").status == 0


FAKES = {
    "hung": (
        "sleep 60",
        "SimulatorTimeout",
        "ngspice 39: did not finish in 0.5 s and was stopped; allow more time, or ask for less accuracy or a shorter "
        "t_stop",
    ),
    "killed": ("ulimit -c 0; kill -9 $$", "SimulatorCrash", "ngspice 39: was killed by signal 9 (SIGKILL)"),
    "truncated": (
        '"$REAL" "$@" >/dev/null; head -c 3000 out.raw > cut; mv cut out.raw',
        "TruncatedOutput",
        "raw file `",
    ),
    "not converging": (
        "echo 'doAnalyses: TRAN:  Timestep too small; time = 1' > log.txt; exit 1",
        "ConvergenceError",
        "ngspice 39: gave up",
    ),
    "full disk": (
        "echo 'Warning: rawfile write error !!' > log.txt",
        "DiskFull",
        "ngspice 39: could not write its output: `Warning: rawfile write error !!`; make room, or set TMPDIR to a "
        "folder on a larger disk",
    ),
}


@pytest.mark.parametrize(("body", "kind", "message"), FAKES.values(), ids=FAKES)
def test_a_simulator_that_fails_has_status_3(
    cli: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    ngspice: str,
    body: str,
    kind: str,
    message: str,
) -> None:
    fake, output = tmp_path / "ngspice-fake", tmp_path / "out"
    fake.write_text(f'#!/bin/sh\nif [ "$1" = --version ]; then echo "** ngspice-39 : fake"; exit 0; fi\n{body}\n')
    fake.chmod(0o755)
    output.mkdir()
    monkeypatch.setenv(VARIABLE, str(fake))
    monkeypatch.setenv("REAL", ngspice)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    timeout = ("--timeout", "0.5") if kind == "SimulatorTimeout" else ()
    for command in (
        ["verify", "flip_flop", "--plot", output / "page.png"],
        ["simulate", "flip_flop", "-o", output / "r.nc"],
    ):
        said = cli(*command, *timeout, "--json")
        assert (said.status, said.json["status"], said.json["kind"]) == (3, "error", kind)
        assert said.error.startswith(message)
        assert said.json["message"] == said.error
        assert (Path(said.json["folder"]) / "deck.cir").is_file()
        assert f"run folder kept: {said.json['folder']}" in said.error
    assert list(output.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full is not there to stand for a full disk")
def test_a_full_disk_has_status_3(cli: Command) -> None:
    message = "'/dev/full': cannot be written (No space left on device); make room"
    said = cli("export", "flip_flop", "--to", "ngspice", "-o", "/dev/full")
    assert (said.status, said.error) == (3, message)
    assert Path("/dev/full").is_char_device()
    with Path("/dev/full").open("w") as full:
        done = program("export", "flip_flop", "--to", "ngspice", stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 3
    assert done.stderr == f"{ERROR}stdout: cannot be written (No space left on device); make room\n"


def test_a_failed_write_leaves_the_old_file(cli: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(path: Path, *_: Any, **__: Any) -> int:
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    output = tmp_path / "deck.cir"
    output.write_text("the old deck\n")
    monkeypatch.setattr(Path, "write_text", fail)
    said = cli("export", "flip_flop", "--to", "ngspice", "-o", output)
    assert said.status == 3
    assert output.read_text() == "the old deck\n"
    assert list(tmp_path.iterdir()) == [output]


# On a terminal and in a pipe


@pytest.mark.usefixtures("ngspice")
def test_a_pipe_sees_no_progress() -> None:
    environment = {**os.environ, "FORCE_COLOR": "1", "COLUMNS": "40"}
    done = program("verify", "--random", "2", "--seed", "188", "--workers", "1", capture_output=True, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert "\x1b" not in done.stdout
    assert max(len(line) for line in done.stdout.splitlines()) > 80


@pytest.mark.usefixtures("ngspice")
def test_a_terminal_sees_progress() -> None:
    ours, theirs = pty.openpty()
    try:
        environment = {**os.environ, "TERM": "xterm"}
        done = program("verify", "flip_flop", "--json", stdout=subprocess.PIPE, stderr=theirs, env=environment)
        shown = os.read(ours, 100_000).decode()
    finally:
        os.close(theirs)
        os.close(ours)
    assert done.returncode == 0
    assert json.loads(done.stdout)["status"] == "passed"
    assert "flip_flop, cell ideal: devices 8, in ngspice" in shown


def test_a_closed_pipe_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = program("export", "digit_memory", "--to", "ngspice", stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, "")


def test_help_and_version(cli: Command) -> None:
    said = cli("--help")
    assert said.status == 0
    assert all(f"\n  {name}" in said.out for name in COMMANDS)
    assert "..." not in said.out.partition("Commands:")[2], "the first line of each command's help must fit"
    assert cli("--version").out.startswith("hopfield-hw ")
    for name in COMMANDS:
        assert cli(name, "--help").status == 0


def test_what_is_not_expected_is_not_swallowed(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str) -> None:
        raise ZeroDivisionError(name)

    monkeypatch.setattr("hopfield_hw.cli.tracing.load_design", broken)
    with pytest.raises(ZeroDivisionError):
        run(["trace", "flip_flop", "0,1"])


@pytest.mark.usefixtures("ngspice")
def test_a_deck_says_which_cell_it_is(cli: Command, tmp_path: Path) -> None:
    deck = tmp_path / "tank.cir"
    assert cli("export", "flip_flop", "--to", "ngspice", "--cell", "hopfield_tank", "-o", deck).status == 0
    deck.write_text(deck.read_text().replace("R_syn_0_1 vn_1 x_0 20000\n", "R_syn_0_1 v_1 x_0 20000\n"))
    said = cli("verify", "flip_flop", "--deck", deck, "--json")
    assert (said.status, said.json["cell"]) == (1, "hopfield_tank")
    assert [suspect["devices"] for suspect in said.json["suspects"]] == [["R_syn_0_1"]]
    assert said.json["suspects"][0]["change"] == "goes to v_1, and should go to vn_1"


@pytest.mark.usefixtures("ngspice")
def test_a_wrong_answer_is_not_shown_as_passed(cli: Command, tmp_path: Path) -> None:
    shipped = (load_design("flip_flop").folder / "design.toml").read_text()
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "design.toml").write_text(shipped.replace("outputs = [0.9999092, -0.9999092]", "outputs = [0.5, -0.5]"))
    said = cli("verify", folder)
    assert said.status == 1
    assert "failed" in said.out.splitlines()[1]
    assert "0.999909, -0.999909; expected: 0.5, -0.5" in said.out
