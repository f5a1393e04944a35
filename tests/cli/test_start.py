"""Light to start: what is imported when, what is public, and the tables from which `list` is written."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import hopfield_hw as hh
from hopfield_hw.benches import BENCHES
from hopfield_hw.cli import COMMANDS
from hopfield_hw.designs import load_design, shipped_designs, shipped_titles
from hopfield_hw.families import BUILDERS, FAMILIES, TEMPLATES
from hopfield_hw.formats.instances import INSTANCES
from hopfield_hw.optimisation import SOLVERS
from hopfield_hw.problems import PROBLEMS
from hopfield_hw.spice.dialects import DIALECTS
from hopfield_hw.transforms import DELAYS
from hopfield_hw.values.tables import LazyTable

PACKAGE = Path(hh.__file__).parent
HEAVY = {"numpy", "scipy", "xarray", "pandas", "networkx", "matplotlib", "jsonschema", "numba", "PySpice", "rich"}
TABLES: dict[str, LazyTable[Any]] = {
    "cells": hh.CELLS,
    "commands": COMMANDS,
    "problems": PROBLEMS,
    "families": BUILDERS,
    "random families": FAMILIES,
    "delays": DELAYS,
    "templates": TEMPLATES,
    "dialects": DIALECTS,
    "solvers": SOLVERS,
    "benchmark files": INSTANCES,
    "benches": BENCHES,
}
PUBLIC = (
    *(
        "",
        ".analysis",
        ".annealing",
        ".benches",
        ".board",
        ".cells",
        ".designs",
        ".families",
        ".families.cellular",
        ".formats",
        ".formats.instances",
        ".formats.onnx",
    ),
    *(
        ".memories",
        ".optimisation",
        ".pictures",
        ".problems",
        ".recurrent",
        ".spice.dialects",
        ".stability",
        ".tasks",
        ".trained",
        ".transforms",
    ),
)


def loaded(code: str) -> set[str]:
    """Return which heavy modules, and which of ours, a process has imported after it has run some code."""
    code += "\nimport sys\nprint('\\nloaded', *sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    names = set(done.stdout.splitlines()[-1].split()[1:])
    return {name for name in names if name in HEAVY or name.startswith("hopfield_hw.") or "." in name}


LIGHT: dict[str, tuple[str, set[str]]] = {
    "the package": ("import hopfield_hw", set()),
    "--help": ("from hopfield_hw.cli import run; run(['--help'])", set()),
    "--version": ("from hopfield_hw.cli import run; run(['--version'])", set()),
    "list": ("from hopfield_hw.cli import run; run(['list'])", set()),
    "pictures": ("import hopfield_hw as hh; dir(hh.pictures)", set()),
    "a network": (
        "import hopfield_hw as hh; hh.Network(weights=[[0.0]], resistance=1e4, capacitance=1e-8)",
        {"numpy", "scipy"},
    ),
    "a graph": (
        "import hopfield_hw as hh; hh.Network(weights=[[0.0]], resistance=1e4, capacitance=1e-8).graph()",
        {"numpy", "scipy", "networkx"},
    ),
    "a family": (
        "import hopfield_hw as hh; hh.families.bam([[1.0]]); hh.CELLS['ideal']",
        {"numpy", "scipy", "networkx"},
    ),
}


@pytest.mark.parametrize(("code", "allowed"), LIGHT.values(), ids=LIGHT)
def test_what_is_not_used_is_not_imported(code: str, allowed: set[str]) -> None:
    found = loaded(code)
    assert found & HEAVY <= allowed
    assert not {"scipy.optimize", "scipy.integrate"} & found


def test_a_command_imports_itself_alone() -> None:
    found = loaded("from hopfield_hw.cli import run; run(['list'])")
    modules = {name for name in found if name.startswith("hopfield_hw.cli.")}
    assert modules == {f"hopfield_hw.cli.{name}" for name in ("listing", "options", "reporting")}


def test_pyspice_is_imported_in_one_place() -> None:
    found = set()
    for path in PACKAGE.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        typing = {node for test in ast.walk(tree) if isinstance(test, ast.If) for node in ast.walk(test)}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("PySpice") and node not in typing:
                found.add(path.relative_to(PACKAGE).as_posix())
            if isinstance(node, ast.Import) and any(alias.name.startswith("PySpice") for alias in node.names):
                found.add(path.relative_to(PACKAGE).as_posix())
    assert found == {"spice/pyspice.py"}


@pytest.mark.parametrize("name", PUBLIC)
def test_dir_shows_what_is_public_and_nothing_else(name: str) -> None:
    module = import_module(f"hopfield_hw{name}")
    stub = ast.parse((Path(str(module.__file__)).with_suffix(".pyi")).read_text(encoding="utf-8"))
    imported = {alias.name for node in stub.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    (listed,) = [ast.literal_eval(node.value) for node in stub.body if isinstance(node, ast.Assign)]
    for public in listed:
        assert getattr(module, public) is not None
    # That other modules have been imported by now, and their names set, does not show.
    assert sorted(dir(module)) == sorted(module.__all__) == sorted(listed) == sorted(imported)
    assert not [public for public in listed if public.startswith("_") and public != "__version__"]


def test_a_function_is_not_hidden_by_the_module_of_its_name() -> None:
    code = "import hopfield_hw.families.bam, hopfield_hw as hh\nassert callable(hh.families.bam), hh.families.bam"
    assert loaded(code)


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_a_table_has_one_line_for_each_entry(table: LazyTable[Any]) -> None:
    assert list(table) == list(table.summaries)
    assert len(table) == len(set(table.values()))
    for name, summary in table.summaries.items():
        assert table[name] is table[name]
        assert 10 <= len(summary) <= 100
        assert "\n" not in summary


def test_a_table_refuses_as_a_mapping_does() -> None:
    table: LazyTable[Any] = LazyTable(None, {"root": ("math:sqrt", "square root"), "lost": ("math:none", "nothing")})
    assert isinstance(table, Mapping)
    assert table["root"](4.0) == 2.0
    assert ("root" in table, "lost" in table, "other" in table) == (True, True, False)
    with pytest.raises(KeyError):
        table["other"]
    with pytest.raises(AttributeError, match="none"):
        table["lost"]
    made = LazyTable(None, {"pi": ("math:pi", "the number")}, make=lambda number: [number])
    assert made["pi"] is made["pi"]
    assert repr(made) == "<table of 1: pi>"


def test_the_help_of_a_command_begins_with_its_line() -> None:
    for name, line in COMMANDS.summaries.items():
        assert (COMMANDS[name].__doc__ or "").split("\n", 1)[0] == line


def test_titles_are_those_of_the_designs() -> None:
    assert shipped_titles() == {name: load_design(name).title for name in shipped_designs()}


def test_cells_have_their_names() -> None:
    assert [cell.name for cell in hh.CELLS.values()] == list(hh.CELLS)
