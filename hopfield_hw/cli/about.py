"""Commands that look around: doctor and list."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Annotated, Any, TypeAlias

import typer

from ..cells import CELLS
from ..designs.design import load_design, shipped_designs
from ..families import BUILDERS, FAMILIES, TEMPLATES
from ..problems import PROBLEMS
from ..spice.dialects import DIALECTS
from ..spice.ngspice import find
from ..spice.run_folders import remove_old_folders
from ..transforms import DELAYS
from ..values.errors import MissingExtra, SimulatorMissing
from .doctor import examine
from .options import Json
from .reporting import emit, say_table, warn

ENGINES = {"ngspice": find}


Clean: TypeAlias = Annotated[
    bool, typer.Option("--clean", help="Remove the folders that failed runs have left, those older than an hour.")
]


def doctor(clean: Clean = False, as_json: Json = False) -> int:
    """Say what is installed, and how to get what is missing."""
    if clean:
        return _clean(as_json)
    parts = examine()
    missing = [part for part in parts if part.missing]
    if as_json:
        content: dict[str, Any] = {"status": "incomplete" if missing else "complete"}
        emit({**content, "parts": [{**part._asdict(), "missing": not part.version} for part in parts]})
    else:
        say_table([(part.name, part.version or "missing", part.note or part.remedy) for part in parts])
    for part in missing:
        warn(f"{part.name} is missing: {part.remedy}", "error")
    if not missing:
        return 0
    return SimulatorMissing.exit_status if any(part.name == "ngspice" for part in missing) else MissingExtra.exit_status


def _clean(as_json: bool) -> int:
    removed = [str(path) for path in remove_old_folders()]
    if as_json:
        emit({"status": "done", "removed": removed})
    else:
        said = "no run folder is older than an hour" if not removed else f"run folders removed: {len(removed)}"
        say_table([(path, "") for path in removed], title=said)
    return 0


def show_list(as_json: Json = False) -> int:
    """Show designs, families, delays, cells, dialects, engines."""
    tables = {
        "designs": {name: load_design(name).title for name in shipped_designs()},
        "problems": {name: _summary(problem) for name, problem in PROBLEMS.items()},
        "families": {name: _summary(family) for name, family in BUILDERS.items()},
        "delays": {name: _summary(form) for name, form in DELAYS.items()},
        "templates": {name: template.does for name, template in TEMPLATES.items()},
        "random_families": {name: _summary(family) for name, family in FAMILIES.items()},
        "cells": {name: cell.law for name, cell in CELLS.items()},
        "dialects": {name: _summary(dialect) for name, dialect in DIALECTS.items()},
        "engines": {name: _module_summary(engine) for name, engine in ENGINES.items()},
    }
    if as_json:
        emit({"status": "done", **tables})
        return 0
    for title, table in tables.items():
        say_table([(f"  {name}", text) for name, text in table.items()], title=title)
    return 0


def _summary(thing: object) -> str:
    return (thing.__doc__ or "").strip().split("\n", 1)[0].removeprefix("Return ")


def _module_summary(function: Callable[..., object]) -> str:
    return _summary(inspect.getmodule(function))
