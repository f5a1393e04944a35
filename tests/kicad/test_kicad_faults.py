"""Planted faults in the files of a project: each fails at least one gate, nearly all without KiCad."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from kicad_board import small_assembly, small_sheets
from kicad_faults import FAULTS, Fault

from hopfield_hw.assembly import Assembly
from hopfield_hw.kicad.commands import find_kicad
from hopfield_hw.kicad.gates import check_project
from hopfield_hw.kicad.project import write_project


@pytest.fixture(scope="module")
def assembly() -> Assembly:
    return small_assembly()


@pytest.fixture(scope="module")
def whole(assembly: Assembly, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole") / "small"
    write_project(folder, small_sheets(assembly), assembly)
    return folder


def test_the_project_without_a_fault_passes(whole: Path, assembly: Assembly) -> None:
    found = check_project(whole, assembly, kicad=False)
    assert found.verdict == "passed without KiCad", str(found)


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.name.replace(" ", "_") for fault in FAULTS])
def test_each_fault_fails_a_gate_without_kicad(fault: Fault, whole: Path, assembly: Assembly, tmp_path: Path) -> None:
    folder = tmp_path / "small"
    shutil.copytree(whole, folder)
    fault.plant(folder)
    found = check_project(folder, assembly, kicad=False)
    assert found.verdict == "failed"
    assert found.problems


def test_there_are_enough_faults() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS) >= 30


@pytest.mark.skipif(find_kicad() is None, reason="kicad-cli is not installed: KiCad's own gates are not tried")
@pytest.mark.parametrize("name", ["a wire is gone", "a sheet's file is cut off", "a flag of a supply is gone"])
def test_kicad_sees_faults_too(name: str, whole: Path, assembly: Assembly, tmp_path: Path) -> None:
    folder = tmp_path / "small"
    shutil.copytree(whole, folder)
    next(fault for fault in FAULTS if fault.name == name).plant(folder)
    gates = check_project(folder, assembly, kicad=True).gates
    assert any(gate.verdict == "failed" for gate in gates if gate.name.startswith("KiCad"))
