"""KiCad projects as folders: all their files, written at once or not at all.

A project needs nothing outside its folder: symbols and footprints are in libraries of its own, found by
`${KIPRJMOD}`, and the models that its Sim.* fields name in `hopfield.lib`.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..assembly import Assembly
from ..values.errors import InputError
from .footprints import footprint
from .pcb import board_tree
from .reader import read_texts
from .sexpr import Quoted, Tree, write_tree
from .sheet import Sheet
from .symbols import LIBRARY, symbol

SYMBOLS_VERSION = 20241209  # of the file format: what KiCad 9 writes
ALWAYS = ("GND", "PWR_FLAG", "SUPPLY_MINUS", "SUPPLY_PLUS")
PRETTY = f"{LIBRARY}.pretty"


def write_project(folder: str | os.PathLike[str], sheets: Sequence[Sheet], assembly: Assembly) -> list[Path]:
    """Write the project of drawn sheets into a folder; return its files.

    Files of these names are replaced, others are left as they are; so is a board, which a person may have routed: a
    .kicad_pcb is written only where there is none. All is written beside its place first, then moved into it file by
    file, so that a failure before that leaves the folder as it was.

    Raises InputError for sheets of another project, two of one file, or none that is the root.
    """
    texts = project_files(sheets, assembly)
    board = f"{assembly.name}.kicad_pcb"
    if (Path(folder) / board).exists():
        del texts[board]
    return write_files(Path(folder), texts)


def project_files(sheets: Sequence[Sheet], assembly: Assembly) -> dict[str, str]:
    """Return by path in the project's folder the text of each of its files."""
    for sheet in sheets:
        if sheet.project != assembly.name:
            raise InputError(
                f"sheet {sheet.name!r} is of project {sheet.project!r}: must be of {assembly.name!r}, its assembly's"
            )
    if sum(sheet.is_root for sheet in sheets) != 1:
        raise InputError(f"project {assembly.name!r}: must have one root sheet, a sheet without a parent")
    names = [sheet.file for sheet in sheets]
    twice = next((name for k, name in enumerate(names) if name.lower() in [n.lower() for n in names[:k]]), None)
    if twice is not None:
        raise InputError(f"project {assembly.name!r}: two sheets have the file {twice}; name one otherwise")
    drawn = {sheet.file: write_tree(sheet.tree()) for sheet in sheets}
    board = write_tree(board_tree(assembly, read_texts(assembly.name, drawn)))
    return drawn | {f"{assembly.name}.kicad_pcb": board} | library_files(assembly)


def library_files(assembly: Assembly) -> dict[str, str]:
    """Return by path what a project has besides its sheets: settings, libraries and their tables."""
    name = f"{assembly.name}.kicad_pro"
    used = sorted({component.symbol for component in assembly.components} | set(ALWAYS))
    symbols: Tree = ["kicad_symbol_lib", ["version", SYMBOLS_VERSION], ["generator", Quoted("hopfield")]]
    symbols += [["generator_version", Quoted("9.0")], *(symbol(found).tree() for found in used)]
    places = {component.footprint for component in assembly.components if component.footprint}
    return {
        name: json.dumps({"meta": {"filename": name, "version": 3}}, indent=2) + "\n",
        f"{LIBRARY}.kicad_sym": write_tree(symbols),
        **{f"{PRETTY}/{found}.kicad_mod": write_tree(footprint(found).tree()) for found in sorted(places)},
        "sym-lib-table": _library_table("sym_lib_table", f"{LIBRARY}.kicad_sym"),
        "fp-lib-table": _library_table("fp_lib_table", PRETTY),
        f"{LIBRARY}.lib": assembly.library,
    }


def write_files(folder: Path, texts: Mapping[str, str]) -> list[Path]:
    """Write texts by their paths in a folder, all or none: first beside it, then each is moved into its place."""
    if folder.exists() and not folder.is_dir():
        raise InputError(f"folder {folder}: is a file; name a folder")
    folder.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=folder))
    try:
        for path, text in texts.items():
            target = beside / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8", newline="\n")
        for path in texts:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            if (folder / path).is_dir():
                raise InputError(f"{folder / path}: is a folder where a file is to be; remove it")
        for path in texts:
            os.replace(beside / path, folder / path)
    finally:
        shutil.rmtree(beside)
    return [folder / path for path in texts]


def _library_table(kind: str, path: str) -> str:
    return (
        f'({kind}\n  (version 7)\n  (lib (name "{LIBRARY}")(type "KiCad")'
        f'(uri "${{KIPRJMOD}}/{path}")(options "")(descr ""))\n)\n'
    )
