"""What an update of a project did, sheet by sheet."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from ...values.report import Report

UNCHANGED, REDRAWN, UPDATED, NEW, GONE = "unchanged", "drawn anew", "updated", "new", "gone"
SHOWN = 12  # lines of one kind in a table


class Change(NamedTuple):
    """A field of a part, a text or a pin of a sheet that says something else now."""

    item: str
    what: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.item} {self.what}: {self.before or '(none)'} -> {self.after or '(none)'}"


@dataclass
class Log:
    """What is done to a sheet while it is updated."""

    kept: int = 0
    moved: int = 0
    changed: list[Change] = field(default_factory=list)
    new: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    joined: list[str] = field(default_factory=list)
    added: list[str] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was done."""
        return not (self.changed or self.new or self.gone or self.joined)


class SheetUpdate(NamedTuple):
    """What was done to a sheet.

    `how`: `unchanged`; `updated`: a person has rearranged it, so that its drawing was kept; `drawn anew`: nobody has;
    `new`; or `gone`: it is on the root no more, its file is left. `kept`: how many symbols were there and stay;
    `moved`: how many of these lie, or are turned, otherwise than they were drawn; None where the file does not say.
    `changed`, `new`, `gone`: of parts, texts and sheets. `joined`: what was done to wires and names. `added`: what a
    person has added, which stays.
    """

    file: str
    how: str
    kept: int = 0
    moved: int | None = 0
    changed: tuple[Change, ...] = ()
    new: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    joined: tuple[str, ...] = ()
    added: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ProjectUpdate(Report):
    """What an update of a project did.

    `sheets`: one by one, the root first. `written`: the files that are other ones now. `board`: where the .kicad_pcb,
    which is never written again, differs now, in words. `folder`: where the project lies.
    """

    name: str
    folder: Path
    sheets: tuple[SheetUpdate, ...]
    written: tuple[str, ...]
    board: tuple[str, ...]

    @property
    def changed(self) -> bool:
        """Whether any file was written."""
        return bool(self.written)

    def sheet(self, file: str) -> SheetUpdate:
        """Return what was done to the sheet of a file. Raises KeyError for another name."""
        for sheet in self.sheets:
            if sheet.file == file:
                return sheet
        raise KeyError(file)

    def rows(self) -> list[tuple[str, str]]:
        """Return what was written, then each sheet, then what a person has to do on the board."""
        said = f"{len(self.written)} files written" if self.written else "nothing changed, no file written"
        rows = [("project", f"{self.name}: {said}")]
        for sheet in self.sheets:
            rows.append((sheet.file, _summary(sheet)))
            for what, lines in (
                ("changed", [str(change) for change in sheet.changed]),
                ("new", sheet.new),
                ("gone", sheet.gone),
                ("joined", sheet.joined),
            ):
                rows += _shortened(what, lines)
        rows += _shortened("board differs", self.board)
        if self.board:
            rows.append(("", "in KiCad's board editor: Tools, Update PCB from Schematic; then route what is new"))
        return rows

    def figures(self) -> dict[str, Any]:
        """Return all that was done."""
        sheets = [sheet._asdict() for sheet in self.sheets]
        return {"name": self.name, "written": self.written, "sheets": sheets, "board": self.board}


def _summary(sheet: SheetUpdate) -> str:
    if sheet.how == NEW:
        return NEW
    if sheet.how == GONE:
        return "gone: no sheet of the board any more; its file is left, remove it when you like"
    said = f"{sheet.how}: {sheet.kept} symbols kept"
    if sheet.how == REDRAWN:
        said = f"{sheet.how}, as nobody had rearranged it"
    elif sheet.moved is None:
        said += ", the file does not say which a person has moved"
    else:
        said += f", {sheet.moved} of them where a person has put them"
    return said + (f"; added by a person, kept: {', '.join(sheet.added)}" if sheet.added else "")


def _shortened(what: str, lines: tuple[str, ...] | list[str]) -> list[tuple[str, str]]:
    rows = [(f"  {what}" if k == 0 else "", line) for k, line in enumerate(lines[:SHOWN])]
    if len(lines) > SHOWN:
        rows.append(("", f"and {len(lines) - SHOWN} more"))
    return rows
