"""The command list."""

from __future__ import annotations

from ..cells import CELLS
from ..designs import shipped_titles
from ..families import BUILDERS, FAMILIES, TEMPLATES
from ..optimisation import SOLVERS
from ..problems import PROBLEMS
from ..spice.dialects import DIALECTS
from ..transforms import DELAYS
from .options import Json
from .reporting import emit, say_table

ENGINES = {"ngspice": "ngspice in a process for each run, its waveform checked"}


def show_list(as_json: Json = False) -> int:
    """List designs, problems, families, cells, dialects, engines and solvers."""
    tables = {
        "designs": shipped_titles(),
        "problems": PROBLEMS.summaries,
        "families": BUILDERS.summaries,
        "delays": DELAYS.summaries,
        "templates": TEMPLATES.summaries,
        "random_families": FAMILIES.summaries,
        "cells": CELLS.summaries,
        "dialects": DIALECTS.summaries,
        "engines": ENGINES,
        "solvers": SOLVERS.summaries,
    }
    if as_json:
        emit({"status": "done", **tables})
        return 0
    for title, table in tables.items():
        say_table([(f"  {name}", text) for name, text in table.items()], title=title)
    return 0
