"""One of each thing is added from outside the package, as the README says; list, export, verify and suites take it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import added
import numpy as np
import pytest

import hopfield_hw as hh
from hopfield_hw import functions
from hopfield_hw.cells import CELLS
from hopfield_hw.circuit import GROUND, Device, Origin, Role
from hopfield_hw.cli import COMMANDS, run
from hopfield_hw.families import BUILDERS, FAMILIES
from hopfield_hw.problems import PROBLEMS
from hopfield_hw.spice.dialects import DIALECTS
from hopfield_hw.testing import check_cell
from hopfield_hw.transforms import DELAYS

# Each is one line in its table.
LINES: tuple[tuple[Any, str, tuple[str, str]], ...] = (
    (CELLS, "twin", ("added:Twin", "two transconductors for each weight")),
    (DIALECTS, "telling", ("added:Telling", "ngspice with a remark")),
    (FAMILIES, "pair", ("added:random_pair", "two neurons alike")),
    (BUILDERS, "pair", ("added:pair", "two neurons alike")),
    (PROBLEMS, "pair", ("added:pair", "two neurons alike")),
    (DELAYS, "doubly_delayed", ("added:doubly_delayed", "twice the delay")),
    (COMMANDS, "greet", ("added:greet", "Say something kind.")),
)


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> None:
    for table, name, line in LINES:
        monkeypatch.setitem(table._entries, name, line)
    added_functions = MappingProxyType({**functions.FUNCTIONS, "hyperbola": added.Hyperbola})
    monkeypatch.setattr(functions, "FUNCTIONS", added_functions)


def test_the_list_shows_each(lines: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["list", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    tables = ("cells", "dialects", "random_families", "families", "problems", "delays")
    for title, (_, name, (_, summary)) in zip(tables, LINES, strict=False):
        assert shown[title][name] == summary


def test_the_command_runs_and_has_its_help(lines: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["greet", "you"]) == 0
    assert capsys.readouterr().out == "greetings to you\n"
    assert run(["--help"]) == 0
    assert "Say something kind." in capsys.readouterr().out


@pytest.fixture
def design(tmp_path: Path) -> Callable[[str], Path]:
    def write(network: str) -> Path:
        folder = tmp_path / "added_design"
        folder.mkdir()
        text = f'title = "Added"\ncitation = "none"\ndescription = "A design from outside."\n{network}'
        (folder / "design.toml").write_text(f"{text}[analysis]\nt_stop = 2e-3\n", encoding="utf-8")
        return folder

    return write


@pytest.mark.usefixtures("ngspice")
@pytest.mark.parametrize(
    "network",
    [
        '[network]\nproblem = "pair"\n',
        '[network]\nfamily = "pair"\n[network.arguments]\nweight = -1e-4\n',
        '[network]\nproblem = "pair"\n[delay]\nkind = "doubly_delayed"\ntau = 1e-5\n',
    ],
    ids=["problem", "family", "delay"],
)
def test_a_design_verifies_in_ngspice(
    lines: None, network: str, design: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = design(network)
    cell = "ideal" if "delay" in network else "twin"
    assert run(["verify", str(folder), "--cell", cell]) == 0, capsys.readouterr().out
    capsys.readouterr()
    assert run(["export", str(folder), "--to", "telling", "--cell", cell]) == 0
    deck = capsys.readouterr().out.splitlines()
    assert deck[1] == "* told by a dialect from outside"
    assert (deck[-1], any(line.startswith(".tran") for line in deck)) == (".end", True)


@pytest.mark.usefixtures("ngspice")
def test_random_instances_verify(lines: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["verify", "--random", "2", "--family", "pair", "--seed", "1", "--workers", "1"]) == 0


@pytest.mark.usefixtures("ngspice")
def test_the_suite_takes_the_cell() -> None:
    check_cell(added.Twin())


@pytest.mark.usefixtures("ngspice")
def test_the_function_runs_everywhere(lines: None) -> None:
    net = replace(added.pair(), gain=added.Hyperbola(amplitude=1.5))
    result = hh.verify(net, cell="twin")
    assert result.passed, str(result)
    assert result.energy is not None
    assert hh.parse_graph(net.graph().text).hash == net.graph().hash


def test_a_dialect_prints_a_part_of_its_own() -> None:
    circuit = hh.lower(added.pair())
    part = Device("N_1", added.Conductor(-1e-6), ("x_0", GROUND), Origin("x", Role.RESISTANCE, (0,)))
    more = replace(circuit, devices=(*circuit.devices, part))
    assert "\nG_N_1 x_0 0 x_0 0 -1e-06\n" in added.Telling().write(more)
    with pytest.raises(hh.Unrealisable, match=r"^device N_1: ngspice has no conductor$"):
        more.netlist()
    wrong = part._replace(part=added.Conductor(np.float64(1.0)))  # type: ignore[arg-type]
    with pytest.raises(hh.InputError, match=r"^device N_1: siemens = .*: must be a float"):
        replace(circuit, devices=(*circuit.devices, wrong))
