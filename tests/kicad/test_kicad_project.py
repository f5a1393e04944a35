"""Projects as folders: what is written, that it is written whole, that KiCad takes it, and its simulation."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from kicad_board import small_assembly, small_sheets

from hopfield_hw import simulate
from hopfield_hw.assembly import Assembly
from hopfield_hw.kicad import commands
from hopfield_hw.kicad.gates import check_project
from hopfield_hw.kicad.netlist import read_net_list
from hopfield_hw.kicad.project import project_files, write_files, write_project
from hopfield_hw.kicad.reader import read_project, read_texts
from hopfield_hw.kicad.sheet import Sheet
from hopfield_hw.kicad.simulate import make_deck, simulate_project
from hopfield_hw.values.errors import InputError, KiCadError, KiCadMissing
from hopfield_hw.values.measures import nrmse

needs_kicad = pytest.mark.skipif(commands.find_kicad() is None, reason="kicad-cli is not installed: KiCad is not asked")


@pytest.fixture(scope="module")
def assembly() -> Assembly:
    return small_assembly()


@pytest.fixture(scope="module")
def project(assembly: Assembly, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project") / "small"
    write_project(folder, small_sheets(assembly), assembly)
    return folder / "small.kicad_pro"


def test_all_files_of_a_project_are_written(project: Path) -> None:
    names = {str(path.relative_to(project.parent)) for path in project.parent.rglob("*") if path.is_file()}
    assert names == {
        "small.kicad_pro",
        "small.kicad_sch",
        "small.kicad_pcb",
        "neuron_1.kicad_sch",
        "neuron_2.kicad_sch",
        "power.kicad_sch",
        "hopfield.kicad_sym",
        "hopfield.lib",
        "sym-lib-table",
        "fp-lib-table",
        *(
            f"hopfield.pretty/{name}.kicad_mod"
            for name in ("R_0805", "C_0805", "SOIC14", "SOIC16", "TP_1.5", "HDR_02", "HDR_03")
        ),
    }


@needs_kicad
def test_kicad_finds_nothing_and_its_net_list_is_the_assembly(project: Path, assembly: Assembly) -> None:
    before = {path: path.read_bytes() for path in project.parent.rglob("*") if path.is_file()}
    found = check_project(project.parent, assembly, kicad=True)
    assert found.verdict == "passed", str(found)
    assert found.to_json()["verdict"] == "passed"
    after = {path: path.read_bytes() for path in project.parent.rglob("*") if path.is_file()}
    assert after == before  # KiCad wrote nothing among the user's files


@needs_kicad
def test_own_reader_and_kicad_give_names_and_places_alike(project: Path) -> None:
    listed, own = read_net_list(commands.export_net_list(project)), read_project(project)
    assert dict(own.nets) == dict(listed.nets)
    assert dict(own.free) == dict(listed.free)
    places = {reference: part.units[0].place for reference, part in own.components.items()}
    assert places == {reference: part.place for reference, part in listed.components.items()}


def test_without_kicad_it_says_what_was_not_compared(
    project: Path, assembly: Assembly, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    found = check_project(project.parent, assembly)
    assert (found.verdict, found.passed) == ("passed without KiCad", True)
    assert [gate.name for gate in found.gates if gate.verdict == "skipped"] == [
        "KiCad: rules",
        "KiCad: net list",
        "KiCad: board",
    ]
    assert "not compared" in str(found)
    with pytest.raises(KiCadMissing, match="apt-get"):
        check_project(project.parent, assembly, kicad=True)


@needs_kicad
def test_a_failure_of_kicad_is_an_error_with_its_message(project: Path, tmp_path: Path) -> None:
    (tmp_path / "no.kicad_sch").write_text("(kicad_sch (version 20250114")
    with pytest.raises(KiCadError, match="status"):
        commands.check_rules(tmp_path / "no.kicad_pro")
    with pytest.raises(KiCadError, match=r"more than 0\.01 s"):
        commands.export_spice(project, timeout=0.01)


@needs_kicad
def test_pictures_and_pdf(project: Path, tmp_path: Path) -> None:
    pictures = commands.export_pictures(project)
    assert sorted(pictures) == ["small-neuron_1.svg", "small-neuron_2.svg", "small-power.svg", "small.svg"]
    assert all("<svg" in text for text in pictures.values())
    assert commands.export_pdf(project, tmp_path / "all.pdf").read_bytes().startswith(b"%PDF")


@needs_kicad
def test_kicads_spice_net_list_runs_as_the_circuit(project: Path, assembly: Assembly, ngspice: str) -> None:
    del ngspice
    found = simulate_project(project, assembly, t_stop=1.5e-3)
    wanted = simulate(assembly.circuit, t_stop=1.5e-3)
    assert float(np.ptp(wanted.state.values)) > 0.1  # it has grown from 0.01 V
    assert nrmse(found.state.values, wanted.state.values) < 1e-3
    assert nrmse(found.output.values, wanted.output.values) < 1e-3


@needs_kicad
def test_a_wrong_resistor_shows_in_the_simulation(project: Path, assembly: Assembly, ngspice: str, tmp_path) -> None:
    del ngspice
    other = tmp_path / "other"
    write_project(other, small_sheets(assembly), assembly)
    path = other / "neuron_1.kicad_sch"
    path.write_text(path.read_text().replace('"22k"', '"24k"'))
    found = simulate_project(other / project.name, assembly, t_stop=1.5e-3)
    wanted = simulate(assembly.circuit, t_stop=1.5e-3)
    assert nrmse(found.state.values, wanted.state.values) > 1e-2


def test_a_deck_of_other_drawings_is_refused(assembly: Assembly) -> None:
    drawings = read_texts(assembly.name, project_files(small_sheets(assembly), assembly))
    with pytest.raises(InputError, match="no net for node"):
        make_deck(".title KiCad schematic\nR1 a b 1k\n.end\n", assembly, drawings)


def test_a_routed_board_is_left_as_it_is(tmp_path: Path, assembly: Assembly) -> None:
    write_project(tmp_path, small_sheets(assembly), assembly)
    (tmp_path / "small.kicad_pcb").write_text("routed by hand")
    (tmp_path / "notes.txt").write_text("mine")
    write_project(tmp_path, small_sheets(assembly), assembly)
    assert (tmp_path / "small.kicad_pcb").read_text() == "routed by hand"
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_a_failed_write_leaves_the_folder_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("old")
    (tmp_path / "b.txt").mkdir()
    with pytest.raises(InputError, match=r"b\.txt"):
        write_files(tmp_path, {"a.txt": "new", "b.txt": "new"})
    assert (tmp_path / "a.txt").read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", "b.txt"]
    with pytest.raises(InputError, match="is a file"):
        write_files(tmp_path / "a.txt", {"c.txt": "new"})


def test_sheets_that_are_no_project_are_refused(assembly: Assembly) -> None:
    root, *others = small_sheets(assembly)
    with pytest.raises(InputError, match="one root sheet"):
        project_files(others, assembly)
    with pytest.raises(InputError, match=r"neuron_1\.kicad_sch"):
        project_files([root, *others, others[0]], assembly)
    with pytest.raises(InputError, match="is of project 'other'"):
        project_files([Sheet(project="other", name="root", title="")], assembly)


HASHED = """
import hashlib, sys
sys.path.insert(0, sys.argv[1])
from kicad_board import small_assembly, small_sheets
from hopfield_hw.kicad.project import project_files
assembly = small_assembly()
files = project_files(small_sheets(assembly), assembly)
print(hashlib.sha256("".join(name + files[name] for name in sorted(files)).encode()).hexdigest())
"""


def test_the_same_bytes_whatever_the_seed_of_hashes() -> None:
    tests = str(Path(__file__).parent.parent)
    found = set()
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        ended = subprocess.run(
            [sys.executable, "-c", HASHED, tests], env=environment, capture_output=True, text=True, check=True
        )
        found.add(ended.stdout)
    assert len(found) == 1
