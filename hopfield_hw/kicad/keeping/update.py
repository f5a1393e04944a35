"""A project written where it may be already, as a person has left it: their drawing is kept, the board's parts follow.

    report = update_project("board/kicad", assembly)
    print(report)               # sheet by sheet what changed, what is new, what is gone; what differs on the board

A sheet that nobody has rearranged is drawn anew; its mark says so (see `marks`). On another, symbols are found again by
their uuid, which follows from project, sheet and role.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from ...assembly import Assembly
from ...values.errors import InputError
from ..board_reader import compare_board
from ..compare import compare_nets, compare_parts
from ..drawings.draw import draw_sheets
from ..library_check import check_settings, compare_library, merge_table
from ..marks import is_as_drawn, read_mark
from ..pcb import board_tree
from ..project import PRETTY, library_files, project_files, write_files
from ..reader import Schematic, read_texts
from ..sexpr import Tree, every, need, number, read_tree, word, write_tree
from ..sheet import Sheet
from ..sheet_file import NEWEST, OLDEST, read_sheet_text
from ..symbols import LIBRARY
from .drawing import is_generated, uuid_of
from .merge import Merged, merge_sheet
from .report import GONE, NEW, REDRAWN, UNCHANGED, UPDATED, ProjectUpdate, SheetUpdate

SYMBOLS = f"{LIBRARY}.kicad_sym"
SAID = 6  # faults in a message
ADVICE = "nothing was written; redraw=True draws all sheets anew, and loses how they were arranged"


def update_project(
    folder: str | os.PathLike[str],
    assembly: Assembly,
    *,
    sheets: Sequence[Sheet] | None = None,
    redraw: bool = False,
) -> ProjectUpdate:
    """Write the project of an assembly into a folder, keep what a person has made of it, and return a report.

    Kept are the places of symbols and of their fields, wires, dots, labels, texts, graphics, pages, and what a person
    has added. References, values, fields and units follow the assembly. A name at a wire changes with its net; a part
    that is new lies below the drawing with the name of its net at each pin; one that is gone is taken out with the
    wires that it leaves hanging. A sheet that nobody has rearranged is drawn anew, and one that is as it has to be is
    left byte for byte. Sheets that the board has no more are taken off the root, their files left. A .kicad_pcb that
    is there is never written; the report says what of it differs. Settings and tables of libraries keep what else they
    hold.

    `sheets`: the drawings, by default those of `draw_sheets`. `redraw`: draw all anew, whatever is there.

    Raises InputError, with nothing written, for a folder that holds another project or a file of this name that is not
    a sheet of it, cannot be read or is of a newer version; and where the kept drawing does not come out right: its
    nets, its parts, or a fault of the drawing.
    """
    place = Path(folder)
    drawn = tuple(draw_sheets(assembly) if sheets is None else sheets)
    fresh = project_files(drawn, assembly)
    _refuse_others(place, assembly.name)
    root = f"{assembly.name}.kicad_sch"
    present: Mapping[str, str] = {}
    if not redraw:
        present = {sheet.file: read_text(place / sheet.file) for sheet in drawn if (place / sheet.file).exists()}
    trees = {file: _read(file, text) for file, text in present.items()}
    for sheet in drawn:
        if sheet.file in trees:
            _refuse_foreign(trees[sheet.file], sheet)
    updates: list[SheetUpdate] = []
    texts: dict[str, str] = {}
    own: set[str] = set()
    for sheet in drawn:
        if sheet.file not in trees:
            known = redraw and (place / sheet.file).exists()
            updates.append(SheetUpdate(sheet.file, REDRAWN if known else NEW))
            texts[sheet.file] = fresh[sheet.file]
            continue
        update, texts[sheet.file] = _update(trees[sheet.file], present[sheet.file], sheet, assembly, fresh[sheet.file])
        updates.append(update)
        own |= _references_added(texts[sheet.file])
    if root in trees:
        updates += _gone(read_tree(present[root]), read_tree(texts[root]))
    schematic = read_texts(assembly.name, texts)
    faults = find_faults(assembly, schematic, own)
    if faults:
        more = f"; and {len(faults) - SAID} more" if len(faults) > SAID else ""
        raise InputError(f"{place / root}: cannot be kept: {'; '.join(faults[:SAID])}{more}; {ADVICE}")
    texts |= _others(place, assembly, redraw=redraw)
    board = place / f"{assembly.name}.kicad_pcb"
    differences: tuple[str, ...] = ()
    if board.exists():
        differences = tuple(_on_board(compare_board(board, assembly, schematic), own))
    else:
        texts[board.name] = write_tree(board_tree(assembly, schematic))
    written = {path: text for path, text in texts.items() if not _is(place / path, text)}
    if written:
        write_files(place, written)
    return ProjectUpdate(
        name=assembly.name,
        folder=place,
        sheets=tuple(updates),
        written=tuple(sorted(written)),
        board=differences,
    )


def find_faults(assembly: Assembly, schematic: Schematic, own: Collection[str]) -> list[str]:
    """Return what is wrong of a schematic, without the parts that a person has added, by reference."""
    nets = {name: frozenset(pin for pin in pins if pin[0] not in own) for name, pins in schematic.nets.items()}
    free = [pin for pin in schematic.free.values() if pin[0] not in own]
    faults = [*schematic.problems, *compare_nets(assembly, nets, free)]
    added = {f"{reference} is not in the assembly" for reference in own}
    return faults + [fault for fault in compare_parts(assembly, schematic) if fault not in added]


def read_text(path: Path) -> str:
    """Return the text of a file. Raises InputError, which names it, where it cannot be read."""
    try:
        return read_sheet_text(path)
    except InputError as error:
        raise InputError(f"{path}: {error}; {ADVICE}") from None


def _read(file: str, text: str) -> Tree:
    try:
        return read_tree(text)
    except InputError as error:
        raise InputError(f"{file}: {error}; {ADVICE}") from None


def _refuse_others(folder: Path, name: str) -> None:
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder}: is a file, must be a folder")
    others = sorted(path.stem for path in folder.glob("*.kicad_pro") if path.stem != name)
    if others:
        raise InputError(
            f"{folder}: holds project {others[0]!r}, must hold {name!r} alone, as its sheets have names of files in "
            "common; name another folder"
        )


def _refuse_foreign(tree: Tree, sheet: Sheet) -> None:
    """Refuse a file that is no sheet of this project and place."""
    file = sheet.file
    if tree[0] != "kicad_sch":
        raise InputError(f"{file}: is a ({tree[0]} ...), no schematic of KiCad; {ADVICE}")
    try:
        version, found = round(number(need(tree, "version"))), uuid_of(tree)
        for kind in ("lib_symbols", "paper"):
            need(tree, kind)
    except InputError as error:
        raise InputError(f"{file}: {error}; {ADVICE}") from None
    if not OLDEST <= version <= NEWEST:
        which = "newer than" if version > NEWEST else "older than"
        raise InputError(
            f"{file}: version {version} is {which} those of KiCad 8 and 9, {OLDEST} to {NEWEST}, which can be kept; "
            f"{ADVICE}"
        )
    if found != sheet.uuid:
        raise InputError(
            f"{file}: is no sheet {sheet.name!r} of project {sheet.project!r}: its uuid is {found}, must be "
            f"{sheet.uuid}; name the project otherwise, or another folder; {ADVICE}"
        )
    for item in every(tree, "sheet") if sheet.is_root else ():
        fields = {word(part): word(part, 2) for part in every(item, "property")}
        name = fields.get("Sheetfile", "")
        if is_generated(item) and "/" in name.replace("\\", "/"):
            raise InputError(f"{file}: sheet {fields.get('Sheetname')!r} has the file {name}: move it back; {ADVICE}")


def _update(old: Tree, text: str, sheet: Sheet, assembly: Assembly, fresh: str) -> tuple[SheetUpdate, str]:
    """Return what is done to a sheet that is there, and its text."""
    as_drawn = is_as_drawn(old)
    same_drawing = as_drawn and read_mark(old) == read_mark(read_tree(fresh))
    try:
        merged = merge_sheet(old, sheet, assembly)
    except InputError as error:
        if as_drawn:
            return SheetUpdate(sheet.file, REDRAWN), fresh
        raise InputError(f"{sheet.file}: cannot be kept: {error}; {ADVICE}") from None
    if merged.log.is_empty and (not as_drawn or same_drawing):
        return _said(sheet.file, UNCHANGED, merged), text
    if as_drawn:
        return _said(sheet.file, REDRAWN, merged), fresh
    return _said(sheet.file, UPDATED, merged), write_tree(merged.tree)


def _said(file: str, how: str, merged: Merged) -> SheetUpdate:
    log = merged.log
    joined = () if how == REDRAWN else tuple(log.joined)
    return SheetUpdate(
        file,
        how,
        log.kept,
        merged.moved,
        tuple(log.changed),
        tuple(log.new),
        tuple(log.gone),
        joined,
        tuple(log.added),
    )


def _references_added(text: str) -> set[str]:
    """Return the references of parts that a person has added to a sheet."""
    tree = read_tree(text)
    found = set()
    for item in every(tree, "symbol"):
        if not is_generated(item):
            found |= {word(part, 2) for part in every(item, "property") if word(part) == "Reference"}
    return {reference for reference in found if not reference.startswith("#")}


def _gone(before: Tree, after: Tree) -> Iterator[SheetUpdate]:
    """Yield the sheets that were on the root and are there no more."""
    files = []
    for tree in (before, after):
        fields = [{word(p): word(p, 2) for p in every(item, "property")} for item in every(tree, "sheet")]
        files.append([found.get("Sheetfile", "?") for found in fields])
    yield from (SheetUpdate(file, GONE) for file in files[0] if file not in files[1])


def _on_board(differences: list[str], own: Collection[str]) -> Iterator[str]:
    added = {f"{reference} is on the board, and not in the assembly" for reference in own}
    yield from (difference for difference in differences if difference not in added)


def _others(folder: Path, assembly: Assembly, *, redraw: bool) -> dict[str, str]:
    """Return the files besides the sheets that have to be written: settings and tables keep what else they hold."""
    found = {}
    for path, text in library_files(assembly).items():
        there = folder / path
        if path.endswith(".kicad_pro") and there.exists() and not redraw:
            problems = list(check_settings(path, read_text(there)))
            if problems:
                raise InputError(f"{problems[0]}; {ADVICE}")
            continue
        if path.endswith("-table") and there.exists() and not redraw:
            try:
                found[path] = merge_table(read_text(there), text)
            except InputError as error:
                raise InputError(f"{path}: {error}; {ADVICE}") from None
            continue
        if path.startswith((PRETTY, SYMBOLS)) and there.exists() and not redraw:
            try:
                if not list(compare_library(path, read_tree(read_text(there)), read_tree(text))):
                    continue  # a person may have drawn it otherwise
            except InputError:
                pass  # broken: written anew
        found[path] = text
    return found


def _is(path: Path, text: str) -> bool:
    try:
        return path.read_bytes() == text.encode("utf-8")
    except OSError:
        return False
