"""Projects written again over those that a person has rearranged: what stays, what follows, what is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from kicad_rearranged import NOTE, add_hole, edit_sheet, gaps, move_right_of, move_where, places, wires

import hopfield_hw as hh
from hopfield_hw.assembly import Assembly, assemble
from hopfield_hw.kicad import commands
from hopfield_hw.kicad.gates import check_project
from hopfield_hw.kicad.keeping.report import GONE, NEW, REDRAWN, UNCHANGED, UPDATED, Change
from hopfield_hw.kicad.keeping.update import update_project
from hopfield_hw.kicad.sexpr import Quoted, Tree, every, need, read_tree, word, write_tree
from hopfield_hw.values.errors import InputError

NEURON, ROOT = "neuron_1.kicad_sch", "memory.kicad_sch"
WEIGHTS = 2e-6 * np.array([[0, -1, 1, 1], [-1, 0, 1, 1], [1, 1, 0, -1], [1, 1, -1, 0]])
BIAS = np.array([1e-6, 0, 0, 0])
needs_kicad = pytest.mark.skipif(commands.find_kicad() is None, reason="kicad-cli is not installed: KiCad is not asked")


def make(weights: np.ndarray, bias: np.ndarray, name: str = "memory") -> Assembly:
    n = len(weights)
    network = hh.Network(
        weights=weights,
        resistance=1e5,
        capacitance=1e-8,
        gain=hh.Tanh(gain=5.0),
        bias=bias,
        initial=[0.1] * n,
    )
    return assemble(hh.design_board(network, op_amp="TL074", force=True, title=f"Memory of {n}"), name=name)


@pytest.fixture(scope="module")
def assembly() -> Assembly:
    return make(WEIGHTS, BIAS)


@pytest.fixture(scope="module")
def other() -> Assembly:
    """The board after a change: a sign, a synapse gone, a bias new."""
    weights, bias = WEIGHTS.copy(), BIAS.copy()
    weights[1, 2], weights[1, 3], bias[1] = -2e-6, 0.0, 0.5e-6
    return make(weights, bias)


@pytest.fixture(scope="module")
def written(assembly: Assembly, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("written") / "memory"
    update_project(folder, assembly)
    return folder


@pytest.fixture
def project(written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(written, tmp_path / "memory"))


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def rearrange(folder: Path) -> None:
    """Move the right part of a neuron's sheet, 14 symbols of it, with its wires; add a note."""

    def change(tree: Tree) -> None:
        right = {x: sum(float(need(s, "at")[1]) > x * 1.27 for s in every(tree, "symbol")) for x in gaps(tree)}
        column = next(x for x, count in right.items() if count == 13)
        assert move_right_of(tree, column, 6) == 13
        assert move_where(tree, lambda x: x < min(right) * 1.27, -2) == 1
        tree.insert(-1, NOTE)

    edit_sheet(folder / NEURON, change)


def test_a_first_write_says_that_all_is_new(assembly: Assembly, tmp_path: Path) -> None:
    found = update_project(tmp_path / "new", assembly)
    assert {sheet.how for sheet in found.sheets} == {NEW}
    assert set(found.written) == set(contents(tmp_path / "new"))
    assert check_project(tmp_path / "new", assembly, kicad=False).passed


def test_an_unchanged_board_leaves_all_bytes(project: Path, assembly: Assembly) -> None:
    before = contents(project)
    found = update_project(project, assembly)
    assert contents(project) == before
    assert (found.changed, found.written) == (False, ())
    assert {sheet.how for sheet in found.sheets} == {UNCHANGED}
    assert "nothing changed" in str(found)


def test_a_rearranged_sheet_of_an_unchanged_board_is_left(project: Path, assembly: Assembly) -> None:
    rearrange(project)
    before = contents(project)
    found = update_project(project, assembly)
    assert contents(project) == before
    sheet = found.sheet(NEURON)
    assert (sheet.how, sheet.moved, sheet.added) == (UNCHANGED, 14, ("text 'my note'",))


def test_a_rearranged_sheet_is_kept_while_the_board_changes(project: Path, assembly: Assembly, other: Assembly) -> None:
    rearrange(project)
    before, drawn = places(project / NEURON), wires(project / NEURON)
    untouched = (project / "neuron_2.kicad_sch").read_bytes()
    board = (project / "memory.kicad_pcb").read_bytes()
    found = update_project(project, other)
    after = places(project / NEURON)
    gone = assembly.by_role["R_syn_1_3"][0].reference
    new = other.by_role["R_syn_bias_1"][0].reference
    flipped = other.by_role["R_syn_1_2"][0]
    sheet = found.sheet(NEURON)
    # What the report says, and that it is so.
    assert (sheet.how, sheet.moved, sheet.added) == (UPDATED, 14, ("text 'my note'",))
    assert sheet.kept == len(before) - 1
    assert (sheet.new, sheet.gone) == ((new,), (gone,))
    weights = [assembly.by_role["R_syn_1_2"][0].fields["Weight"], flipped.fields["Weight"]]
    assert sheet.changed == (Change(flipped.reference, "Weight", *weights),)
    assert [line.split(" at ")[0] for line in sheet.joined] == [
        "2 wires away that ended",
        "label v_3",
        "label v_2 -> vn_2",
        f"{new} pin 1: named reference_p",
        f"{new} pin 2: named x_sum_1",
    ]
    assert len(set(before) - set(after)) == len(set(after) - set(before)) == 1
    assert all(before[key] == after[key] for key in before if key in after)
    assert wires(project / NEURON) < drawn
    assert len(drawn - wires(project / NEURON)) == 2
    assert '"my note"' in (project / NEURON).read_text()
    # The others: drawn anew where the board asks for it, and left where not.
    assert found.sheet(ROOT).how == REDRAWN
    assert (project / "neuron_2.kicad_sch").read_bytes() == untouched
    assert (project / "memory.kicad_pcb").read_bytes() == board
    assert found.board == (
        f"{flipped.reference} pad 1: net '/v_2', must be '/vn_2'",
        f"{gone} is on the board, and not in the assembly",
        f"{new} is not on the board",
    )
    assert found.written == (ROOT, NEURON)
    # A second time nothing is to be done.
    now = contents(project)
    again = update_project(project, other)
    assert contents(project) == now
    assert {s.how for s in again.sheets} == {UNCHANGED}
    assert again.sheet(NEURON).moved == 14
    (project / "memory.kicad_pcb").unlink()
    assert update_project(project, other).written == ("memory.kicad_pcb",)
    check = check_project(project, other)
    assert check.passed, str(check)


@needs_kicad
def test_kicad_finds_nothing_on_all_sheets_rearranged(project: Path, other: Assembly) -> None:
    for path in project.glob("*.kicad_sch"):
        edit_sheet(path, lambda tree: move_right_of(tree, gaps(tree)[len(gaps(tree)) // 2], 4))
    (project / "memory.kicad_pcb").unlink()
    found = update_project(project, other)
    root = found.sheet(ROOT)
    assert root.how == UPDATED
    assert set(root.gone) == {"sheet neuron_1 pin v_2", "sheet neuron_1 pin v_3"}
    assert root.new == ("sheet neuron_1 pin vn_2",)
    check = check_project(project, other, kicad=True)
    assert check.verdict == "passed", str(check)


def random_board(rng: np.random.Generator, n: int) -> Assembly:
    weights = 2e-6 * rng.choice([-1, 0, 1], (n, n), p=[0.25, 0.35, 0.4]) * rng.choice([1, 0.5], (n, n))
    np.fill_diagonal(weights, 0.0)
    weights[0, 1] = 2e-6
    return make(weights, np.where(rng.random(n) < 0.4, 1e-6, 0.0))


@pytest.mark.parametrize(("seed", "before", "after"), [(0, 4, 3), (2, 3, 3), (6, 2, 3)])
def test_any_board_becomes_any_other(seed: int, before: int, after: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(seed)
    assembly, wanted = random_board(rng, before), random_board(rng, after)
    update_project(tmp_path, assembly)
    for path in sorted(tmp_path.glob("*.kicad_sch")):
        column, by = rng.random(), 2 * int(rng.integers(2, 8))
        edit_sheet(path, lambda tree, c=column, by=by: move_right_of(tree, gaps(tree)[int(c * len(gaps(tree)))], by))
    arranged = check_project(tmp_path, assembly, kicad=False)
    assert arranged.passed, str(arranged)
    kept = {path.name: places(path) for path in tmp_path.glob("*.kicad_sch")}
    found = update_project(tmp_path, wanted)
    assert sum(sheet.how == GONE for sheet in found.sheets) == max(before - after, 0)
    assert sum(sheet.how == NEW for sheet in found.sheets) == max(after - before, 0)
    for sheet in found.sheets:
        if sheet.how == UPDATED:
            now = places(tmp_path / sheet.file)
            assert all(kept[sheet.file][key] == now[key] for key in now if key in kept[sheet.file])
    (tmp_path / "memory.kicad_pcb").unlink()
    update_project(tmp_path, wanted)
    check = check_project(tmp_path, wanted)
    assert check.passed, str(check)
    assert not update_project(tmp_path, wanted).changed


def test_what_a_person_added_stays(project: Path, other: Assembly) -> None:
    def change(tree: Tree) -> None:
        root = word(need(read_tree((project / ROOT).read_text()), "uuid"))
        sheet = next(
            word(need(item, "uuid"))
            for item in every(read_tree((project / ROOT).read_text()), "sheet")
            if any(word(part, 2) == "neuron_1" for part in every(item, "property"))
        )
        add_hole(tree, "memory", f"/{root}/{sheet}")
        resistor = next(item for item in every(tree, "symbol") if word(need(item, "lib_id")) == "hopfield:R")
        at = need(resistor, "at")
        effects = ["effects", ["font", ["size", 1.27, 1.27]], ["hide", "yes"]]
        resistor.insert(-2, ["property", Quoted("Supplier"), Quoted("mine"), ["at", at[1], at[2], 0], effects])

    edit_sheet(project / NEURON, change)
    found = update_project(project, other)
    assert found.sheet(NEURON).how == UPDATED
    assert found.sheet(NEURON).added == ("H1",)
    text = (project / NEURON).read_text()
    assert text.count('"Supplier"') == 1
    assert text.count('"MountingHole"') == 2


def test_settings_and_tables_keep_what_else_they_hold(project: Path, other: Assembly) -> None:
    settings = {"meta": {"filename": "memory.kicad_pro", "version": 3}, "text_variables": {"MINE": "1"}}
    (project / "memory.kicad_pro").write_text(json.dumps(settings))
    row = '(lib (name "mine")(type "KiCad")(uri "${KIPRJMOD}/mine.kicad_sym")(options "")(descr ""))'
    (project / "sym-lib-table").write_text(f"(sym_lib_table (version 7) {row})")
    update_project(project, other)
    assert json.loads((project / "memory.kicad_pro").read_text()) == settings
    table = read_tree((project / "sym-lib-table").read_text())
    assert [word(need(lib, "name")) for lib in every(table, "lib")] == ["mine", "hopfield"]


def test_a_lost_sheet_is_drawn_anew(project: Path, assembly: Assembly) -> None:
    before = contents(project)
    (project / NEURON).unlink()
    found = update_project(project, assembly)
    assert (found.sheet(NEURON).how, found.written) == (NEW, (NEURON,))
    assert contents(project) == before


def break_text(path: Path) -> None:
    path.write_text(path.read_text()[:5000])


def other_kind(path: Path) -> None:
    path.write_text("(kicad_pcb (version 20241229))")


def no_uuid(path: Path) -> None:
    path.write_text("(kicad_sch (version 20250114) (lib_symbols))")


def newer(path: Path) -> None:
    path.write_text(path.read_text().replace("(version 20250114)", "(version 20991231)"))


def older(path: Path) -> None:
    path.write_text(path.read_text().replace("(version 20250114)", "(version 20211123)"))


def binary(path: Path) -> None:
    path.write_bytes(b"\xff\xfe\x00")


def of_another(path: Path) -> None:
    tree = read_tree(path.read_text())
    need(tree, "uuid")[1] = Quoted("11111111-2222-4333-8444-555555555555")
    path.write_text(write_tree(tree))


def short(path: Path) -> None:
    """Join two nets by a wire."""
    tree = read_tree(path.read_text())
    labels = [need(item, "at") for item in every(tree, "hierarchical_label")][:2]
    ends = ["pts", *(["xy", *at[1:3]] for at in labels)]
    key = ["uuid", Quoted("00000000-0000-4000-8000-000000000002")]
    tree.insert(-1, ["wire", ends, ["stroke", ["width", 0], ["type", "default"]], key])
    path.write_text(write_tree(tree))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (break_text, "neuron_1.kicad_sch: line .* cut off"),
        (other_kind, r"is a \(kicad_pcb ...\), no schematic of KiCad"),
        (no_uuid, r"has no \(uuid ...\)"),
        (newer, "version 20991231 is newer than"),
        (older, "version 20211123 is older than"),
        (binary, "is no text in UTF-8"),
        (of_another, "is no sheet 'neuron_1' of project 'memory'"),
    ],
)
def test_a_file_that_cannot_be_kept_is_refused(spoil, said: str, project: Path, other: Assembly) -> None:
    spoil(project / NEURON)
    before = contents(project)
    with pytest.raises(InputError, match=said) as refused:
        update_project(project, other)
    assert "redraw=True" in str(refused.value)
    assert contents(project) == before
    found = update_project(project, other, redraw=True)
    assert found.sheet(NEURON).how == REDRAWN
    (project / "memory.kicad_pcb").unlink()
    update_project(project, other)
    assert check_project(project, other, kicad=False).passed


def test_nothing_is_written_where_the_drawing_does_not_come_out_right(project: Path, other: Assembly) -> None:
    def change(tree: Tree) -> None:
        resistor = next(item for item in every(tree, "symbol") if word(need(item, "lib_id")) == "hopfield:R")
        need(resistor, "at")[1] = float(need(resistor, "at")[1]) + 0.3  # off the grid

    edit_sheet(project / NEURON, change)
    before = contents(project)
    with pytest.raises(InputError, match=r"cannot be kept: neuron_1\.kicad_sch: .*off the grid.*redraw=True"):
        update_project(project, other)
    assert contents(project) == before


def test_a_wire_that_a_person_drew_between_two_nets_is_taken_off(project: Path, assembly: Assembly) -> None:
    short(project / NEURON)
    assert not check_project(project, assembly, kicad=False).passed
    found = update_project(project, assembly).sheet(NEURON)
    assert (found.how, found.changed, found.new, found.gone) == (UPDATED, (), (), ())
    assert found.joined[0].endswith("taken off its wire")
    assert check_project(project, assembly, kicad=False).passed


def test_another_project_in_the_folder_is_refused(project: Path, assembly: Assembly, tmp_path: Path) -> None:
    before = contents(project)
    renamed = make(WEIGHTS, BIAS, name="another")
    with pytest.raises(InputError, match=r"holds project 'memory', must hold 'another' alone"):
        update_project(project, renamed)
    assert contents(project) == before
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="is a file, must be a folder"):
        update_project(tmp_path / "file", assembly)
    (project / "memory.kicad_pro").write_text("{")
    with pytest.raises(InputError, match="is no JSON"):
        update_project(project, assembly)
