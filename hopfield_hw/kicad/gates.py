"""Whether a project is what its assembly says: own gates, and those of KiCad where it is installed.

found = check_project("board/kicad", assembly)
found.verdict      # "passed"; "passed without KiCad" where KiCad is not there; or "failed"
print(found)       # each gate, with what it compared, or what it found
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from ..assembly import Assembly
from ..values.errors import InputError, KiCadError
from ..values.report import Report
from . import commands
from .board_reader import compare_board
from .compare import compare_listed, compare_nets, compare_parts
from .library_check import check_libraries
from .netlist import read_net_list
from .reader import Schematic, read_project

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"
SHOWN = 5  # problems in a table
MOST_LISTED = 499  # of a kind by KiCad's design rules; what is beyond is not listed


class Gate(NamedTuple):
    """One comparison: its verdict, what it compared or why not, and what it found."""

    name: str
    verdict: str
    said: str
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ProjectCheck(Report):
    """What checks of a project found, gate by gate."""

    name: str
    gates: tuple[Gate, ...]

    @property
    def verdict(self) -> str:
        """`passed`: all gates; `passed without KiCad`: the own ones, as KiCad is not there; or `failed`."""
        if any(gate.verdict == FAILED for gate in self.gates):
            return FAILED
        return "passed without KiCad" if any(gate.verdict == SKIPPED for gate in self.gates) else PASSED

    @property
    def passed(self) -> bool:
        """Whether no gate failed; see `verdict` for what was skipped."""
        return self.verdict != FAILED

    @property
    def problems(self) -> tuple[str, ...]:
        """All problems, each with its gate."""
        return tuple(f"{gate.name}: {problem}" for gate in self.gates for problem in gate.problems)

    def rows(self) -> list[tuple[str, str]]:
        """Return the verdict, then each gate."""
        rows = [("project", f"{self.name}: {self.verdict}")]
        for gate in self.gates:
            rows.append((gate.name, f"{gate.verdict}: {gate.said}"))
            rows += [("", problem) for problem in gate.problems[:SHOWN]]
            if len(gate.problems) > SHOWN:
                rows.append(("", f"and {len(gate.problems) - SHOWN} more"))
        return rows

    def figures(self) -> dict[str, Any]:
        """Return verdict and gates."""
        return {"name": self.name, "verdict": self.verdict, "gates": [gate._asdict() for gate in self.gates]}


def check_project(
    folder: str | Path, assembly: Assembly, *, kicad: bool | None = None, timeout: float = commands.TIMEOUT
) -> ProjectCheck:
    """Return whether the project in a folder is what an assembly says.

    Without KiCad: that all files are there, that the drawing has no problem of its own, that its nets are those of the
    assembly pin by pin, and its references, symbols, values, footprints and fields too; so of a board's file where
    there is one. With it: no error and no warning of its electrical rules, its own net list equal likewise, and of a
    board nothing but nets not routed. `kicad`: whether to ask KiCad; None: where it is installed. `timeout`: seconds
    for each call of it.

    Raises KiCadMissing where KiCad is asked for and not there.
    """
    root = Path(folder) / f"{assembly.name}.kicad_pro"
    gates = list(_own_gates(root, assembly))
    if kicad is None:
        kicad = commands.find_kicad() is not None
    elif kicad:
        commands.kicad_version()
    names = ("KiCad: rules", "KiCad: net list", *(("KiCad: board",) if _board(root).exists() else ()))
    if not kicad:
        why = "not compared: kicad-cli is not installed, or was not to be asked"
        gates += (Gate(name, SKIPPED, why) for name in names)
    else:
        checks: tuple[Callable[[Path, Assembly, float], Gate], ...] = (_rules, _net_list, _board_rules)
        for name, check in zip(names, checks, strict=False):
            try:
                gates.append(check(root, assembly, timeout))
            except (KiCadError, InputError) as error:
                gates.append(Gate(name, FAILED, "KiCad did not answer", (str(error),)))
    return ProjectCheck(name=assembly.name, gates=tuple(gates))


def _own_gates(root: Path, assembly: Assembly) -> Iterator[Gate]:
    yield _gate("files", "settings, libraries and tables", check_libraries(root.parent, assembly))
    names = ("drawing", "nets", "parts")
    try:
        schematic = read_project(root)
    except InputError as error:
        yield Gate(names[0], FAILED, "cannot be read", (str(error),))
        return
    yield _gate("drawing", f"{len(schematic.sheets)} sheets, wire by wire", schematic.problems)
    yield _nets("nets", assembly, schematic)
    said = f"{len(assembly.components)} references, symbols, values, footprints, fields"
    yield _gate("parts", said, compare_parts(assembly, schematic))
    board = _board(root)
    if board.exists():
        yield _gate("board", "footprints, and the net at each pad", compare_board(board, assembly, schematic))


def _nets(name: str, assembly: Assembly, found: Schematic) -> Gate:
    count = sum(map(len, assembly.nets.values()))
    differences = compare_nets(assembly, found.nets, set(found.free.values()))
    return _gate(name, f"{len(assembly.nets)} nets, {count} pins", differences)


def _rules(root: Path, assembly: Assembly, timeout: float) -> Gate:
    del assembly
    found = commands.check_rules(root, timeout=timeout)
    return _gate("KiCad: rules", "ERC of all severities", [str(violation) for violation in found])


def _net_list(root: Path, assembly: Assembly, timeout: float) -> Gate:
    listed = read_net_list(commands.export_net_list(root, timeout=timeout))
    differences = compare_nets(assembly, listed.nets, set(listed.free.values())) + compare_listed(assembly, listed)
    said = f"{len(listed.nets)} nets, {len(listed.components)} components of KiCad's own net list"
    return _gate("KiCad: net list", said, differences)


def _board_rules(root: Path, assembly: Assembly, timeout: float) -> Gate:
    del assembly
    found = commands.check_board(root, timeout=timeout)
    count = len(found.unconnected)
    left = f"{count} or more" if count >= MOST_LISTED else str(count)
    said = f"DRC of all severities, parity with the schematic; {left} connections not routed yet"
    return _gate("KiCad: board", said, [str(violation) for violation in (*found.rules, *found.parity)])


def _board(root: Path) -> Path:
    return root.with_suffix(".kicad_pcb")


def _gate(name: str, said: str, problems: list[str] | tuple[str, ...]) -> Gate:
    return Gate(name, FAILED if problems else PASSED, said, tuple(problems))
