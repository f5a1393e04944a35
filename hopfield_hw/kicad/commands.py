"""What KiCad itself says of a project: its rules, its net lists, its pictures, by its command line `kicad-cli`.

KiCad works on a copy of the project, with a home folder of its own, so that it writes nothing among a person's files
and settings. Any exit status other than those expected is a failure: an empty `lib_symbols` ends in a crash, a sheet
of a newer version is left out.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from ..processes import run_program
from ..values.errors import KiCadError, KiCadMissing
from .sexpr import Tree, read_tree

PROGRAM = "kicad-cli"
TIMEOUT = 120.0  # seconds for a call; one of 16 neurons takes about one
VIOLATIONS = 5  # its exit status where rules are broken
SUFFIXES = (".kicad_pro", ".kicad_sch", ".kicad_sym", ".kicad_pcb", ".kicad_mod", ".lib")
TABLES = ("sym-lib-table", "fp-lib-table")
HOW_TO_GET = "on Debian 12: apt-get install --no-install-recommends kicad/bookworm-backports; or see kicad.org"


class Violation(NamedTuple):
    """A rule that is broken: its severity and kind, as KiCad names them, and where."""

    severity: str
    kind: str
    said: str

    def __str__(self) -> str:
        return f"{self.severity} {self.kind}: {self.said}"


class BoardViolations(NamedTuple):
    """What KiCad finds of a board: broken rules, nets not routed yet, and where it differs from the schematic."""

    rules: tuple[Violation, ...]
    unconnected: tuple[Violation, ...]
    parity: tuple[Violation, ...]


def find_kicad() -> str | None:
    """Return the path of `kicad-cli`; None where it is not installed."""
    return shutil.which(PROGRAM)


def kicad_version() -> str:
    """Return the version of KiCad. Raises KiCadMissing where there is none."""
    with tempfile.TemporaryDirectory(prefix="kicad-") as home:
        return _run(["version"], Path(home), Path(home), TIMEOUT).strip()


def check_rules(project: str | Path, *, timeout: float = TIMEOUT) -> tuple[Violation, ...]:
    """Return what KiCad's electrical rules find in a project, of all severities; `project`: its .kicad_pro."""
    with _copied(Path(project)) as (folder, home, name):
        command = ["sch", "erc", "--severity-all", "--exit-code-violations", "--format", "json"]
        output = home / "erc.json"
        _run([*command, "-o", str(output), f"{name}.kicad_sch"], folder, home, timeout, (0, VIOLATIONS))
        found = json.loads(_text(output))
    return tuple(violation for sheet in found["sheets"] for violation in _violations(sheet["violations"]))


def check_board(project: str | Path, *, timeout: float = TIMEOUT) -> BoardViolations:
    """Return what KiCad's design rules find in a project's board, and where it differs from the schematic."""
    with _copied(Path(project)) as (folder, home, name):
        command = ["pcb", "drc", "--severity-all", "--exit-code-violations", "--schematic-parity", "--format", "json"]
        output = home / "drc.json"
        _run([*command, "-o", str(output), f"{name}.kicad_pcb"], folder, home, timeout, (0, VIOLATIONS))
        found = json.loads(_text(output))
    rules, unconnected, parity = (
        tuple(_violations(found.get(key, []))) for key in ("violations", "unconnected_items", "schematic_parity")
    )
    return BoardViolations(rules, unconnected, parity)


def export_net_list(project: str | Path, *, timeout: float = TIMEOUT) -> Tree:
    """Return KiCad's own net list of a project, as a tree."""
    return read_tree(_export(project, "netlist", ["--format", "kicadsexpr"], timeout))


def export_spice(project: str | Path, *, timeout: float = TIMEOUT) -> str:
    """Return KiCad's own SPICE net list of a project; its `.include` names the copy that KiCad read."""
    return _export(project, "netlist", ["--format", "spice"], timeout)


def export_pictures(project: str | Path, *, timeout: float = TIMEOUT) -> dict[str, str]:
    """Return by the name of its file an SVG of each sheet."""
    with _copied(Path(project)) as (folder, home, name):
        (home / "pictures").mkdir()
        command = ["sch", "export", "svg", "--exclude-drawing-sheet", "-o", str(home / "pictures")]
        _run([*command, f"{name}.kicad_sch"], folder, home, timeout)
        return {path.name: _text(path) for path in sorted((home / "pictures").glob("*.svg"))}


def export_pdf(project: str | Path, output: str | Path, *, timeout: float = TIMEOUT) -> Path:
    """Write all sheets of a project as one PDF; return its path."""
    with _copied(Path(project)) as (folder, home, name):
        made = home / "sheets.pdf"
        _run(["sch", "export", "pdf", "-o", str(made), f"{name}.kicad_sch"], folder, home, timeout)
        if not made.exists():
            raise KiCadError(f"{PROGRAM} sch export pdf: wrote no file")
        shutil.copyfile(made, output)
    return Path(output)


def _export(project: str | Path, kind: str, options: Sequence[str], timeout: float) -> str:
    with _copied(Path(project)) as (folder, home, name):
        output = home / "exported"
        _run(["sch", "export", kind, *options, "-o", str(output), f"{name}.kicad_sch"], folder, home, timeout)
        return _text(output)


@contextmanager
def _copied(project: Path) -> Iterator[tuple[Path, Path, str]]:
    """Yield a copy of a project's folder, a folder for home and output, and the project's name."""
    if not project.parent.is_dir():
        raise KiCadError(f"{project}: its folder is not there")
    with tempfile.TemporaryDirectory(prefix="kicad-") as temporary:
        folder, home = Path(temporary, "project"), Path(temporary, "home")
        home.mkdir()
        shutil.copytree(project.parent, folder, ignore=_others)
        yield folder, home, project.stem


def _others(folder: str, names: list[str]) -> set[str]:
    """Return what of a folder is no file of a project: other files, and folders but libraries of footprints."""
    kept = {
        name
        for name in names
        if (name.endswith(".pretty") if Path(folder, name).is_dir() else name.endswith(SUFFIXES) or name in TABLES)
    }
    return set(names) - kept


def _run(arguments: Sequence[str], folder: Path, home: Path, timeout: float, expected: Sequence[int] = (0,)) -> str:
    program = find_kicad()
    if program is None:
        raise KiCadMissing(f"{PROGRAM} is not installed; {HOW_TO_GET}")
    settings = {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_CACHE_HOME": str(home / "cache"),
        "XDG_DATA_HOME": str(home / "data"),
        "KICAD_CONFIG_HOME": str(home / "kicad"),
    }
    said = " ".join([PROGRAM, *arguments[:3]])
    try:
        ended = run_program([program, *arguments], folder, timeout, {**os.environ, **settings})
    except OSError as error:
        raise KiCadMissing(f"{program} cannot be started: {error}") from None
    except subprocess.TimeoutExpired:
        raise KiCadError(f"{said}: took more than {timeout:g} s and was stopped") from None
    if ended.status not in expected:
        lines = (ended.complained + ended.printed).strip().splitlines() or ["it said nothing"]
        raise KiCadError(f"{said}: ended with status {ended.status}: {lines[-1]:.200}")
    return ended.printed


def _text(path: Path) -> str:
    if not path.exists():
        raise KiCadError(f"{PROGRAM}: wrote no {path.name}, and said that all went well")
    return path.read_text(encoding="utf-8")


def _violations(found: list[dict[str, Any]]) -> Iterator[Violation]:
    for item in found:
        where = "; ".join(str(part.get("description", "")) for part in item.get("items", []))
        yield Violation(item["severity"], item["type"], f"{item['description']} ({where})")
