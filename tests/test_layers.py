"""The layers of the package, checked by walking its imports; long files, folders not installed, paths of a machine."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterable, Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "hopfield_hw"
MAX_LINES = 400

# A module imports from those above it in this list alone.
LAYERS = (
    "version",
    "processes",
    "values",
    "functions",
    "graph",
    "networks",
    "transforms",
    "families",
    "recurrent",
    "formats",
    "equations",
    "annealing",
    "problems",
    "integers",
    "parts",
    "circuit",
    "cells",
    "lowering",
    "spice",
    "ensemble",
    "simulation",
    "extraction",
    "benches",
    "analysis",
    "stability",
    "memories",
    "optimisation",
    "verification",
    "tolerance",
    "board",
    "assembly",
    "kicad",
    "production",
    "bringup",
    "pictures",
    "pages",
    "builder_files",
    "designs",
    "trained",
    "tasks",
    "testing",
    "cli",
)
LAYER = {module: row for row, module in enumerate(LAYERS)}

AT_IMPORT = "the module"
FOR_TYPES = "TYPE_CHECKING"

# (module, where, imported module): the only imports from below, each within a method, with its reason.
EXCEPTIONS = {
    ("circuit", "Circuit.netlist", "spice"),  # a circuit is asked for its text; dialects print it
    ("circuit", "Circuit.to_pyspice", "spice"),
    ("verification", "Verification.plot", "pictures"),  # a result is asked for its page, which is of this type
    ("verification", FOR_TYPES, "pictures"),
    ("board", "ErrorBudget.plot", "pictures"),  # as of a verification
    ("board", "BoardVerification.plot", "pictures"),  # the same of a board
    ("board", FOR_TYPES, "pictures"),
    ("board", FOR_TYPES, "builder_files"),
    ("board", "Board.write", "builder_files"),  # a board is asked for its files, which stand on all that is made of it
    ("production", "MonteCarlo.plot", "pictures"),  # the same of a study
    ("production", "YieldCurve.plot", "pictures"),
}

# A reference that shares the circuit's arithmetic proves nothing about it.
INDEPENDENT = "equations"
CIRCUIT_SIDE = {"parts", "circuit", "cells", "lowering", "spice"}


class Import(NamedTuple):
    """One import of the package by itself: `target` is a module or folder in the package's root, or PACKAGE."""

    path: str
    line: int
    module: str
    where: str
    target: str

    @property
    def excepted(self) -> bool:
        return (self.module, self.where, self.target) in EXCEPTIONS

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.module} imports {self.target} in {self.where}"


def sources(root: Path) -> list[Path]:
    return sorted((root / PACKAGE).rglob("*.py"))


def unit(path: Path, root: Path) -> str:
    """Return the module or folder in the package's root that a file belongs to (PACKAGE for its __init__)."""
    first = path.relative_to(root / PACKAGE).parts[0].removesuffix(".py")
    return PACKAGE if first == "__init__" else first


def nodes(tree: ast.AST, where: str = AT_IMPORT) -> Iterator[tuple[ast.AST, str]]:
    """Yield every node below `tree` with the function, or the block for types only, that it stands in."""
    for node in ast.iter_child_nodes(tree):
        yield node, where
        inner = where
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            inner = node.name if where == AT_IMPORT else f"{where}.{node.name}"
        elif isinstance(node, ast.If) and where == AT_IMPORT and ast.unparse(node.test).endswith(FOR_TYPES):
            for statement in node.body:
                yield statement, FOR_TYPES
                yield from nodes(statement, FOR_TYPES)
            yield from nodes(ast.Module(body=node.orelse, type_ignores=[]), where)
            continue
        yield from nodes(node, inner)


def imported(node: ast.AST, folder: list[str]) -> Iterator[list[str]]:
    """Yield the full dotted names, as lists, that a node imports; `folder` is the package that the file lies in."""
    match node:
        case ast.Import(names=names):
            yield from (alias.name.split(".") for alias in names)
        case ast.ImportFrom(module=module, names=names, level=level):
            base = folder[: len(folder) - level + 1] if level else []
            yield from ([*base, *(module.split(".") if module else []), alias.name] for alias in names)
        case ast.Call(func=function, args=[ast.Constant(value=str(name)), *_]) if ast.unparse(function).endswith(
            ("import_module", "__import__")
        ):
            level = len(name) - len(name.lstrip("."))
            base = folder[: len(folder) - level + 1] if level else []
            yield [*base, *name.lstrip(".").split(".")]


def imports(root: Path) -> list[Import]:
    """Return all imports of the package by its own modules, but for its __init__, which may import everything."""
    known = {unit(path, root) for path in sources(root)} | set(LAYER)
    found = []
    for path in sources(root):
        module = unit(path, root)
        if module == PACKAGE:
            continue
        folder = list(path.relative_to(root).parent.parts)
        for node, where in nodes(ast.parse(path.read_text(encoding="utf-8"))):
            for name in imported(node, folder):
                if name[0] != PACKAGE:
                    continue
                target = name[1] if len(name) > 1 and name[1] in known else PACKAGE
                line = getattr(node, "lineno", 0)
                found.append(Import(path.relative_to(root).as_posix(), line, module, where, target))
    return [entry for entry in dict.fromkeys(found) if entry.target != entry.module]


def layer_faults(root: Path) -> list[str]:
    """Return one sentence for each module that is not in the table, and for each import that the layers forbid."""
    units = {unit(path, root) for path in sources(root)} - {PACKAGE}
    faults = [f"{PACKAGE}/{module}: not in the table of layers" for module in sorted(units - set(LAYER))]
    entries = [entry for entry in imports(root) if entry.module in LAYER]
    for entry in entries:
        if entry.target == PACKAGE:
            faults.append(f"{entry}: the package's root imports every module")
        elif entry.target not in LAYER:
            faults.append(f"{entry}: {entry.target} is not in the table of layers")
        elif LAYER[entry.target] > LAYER[entry.module] and not entry.excepted:
            faults.append(f"{entry}: it stands below in the table of layers")
    return faults + cycle_faults(root) + independence_faults(entries)


def cycle_faults(root: Path) -> list[str]:
    """Return a sentence for a circle of files that import each other when they are loaded, if there is one."""
    files = {dotted(path, root): path for path in sources(root)}
    edges: dict[str, set[str]] = {}
    for name, path in files.items():
        folder = list(path.relative_to(root).parent.parts)
        for node, where in nodes(ast.parse(path.read_text(encoding="utf-8"))):
            if where != AT_IMPORT or name == PACKAGE:
                continue
            for target in (".".join(parts) for parts in imported(node, folder)):
                found = target if target in files else target.rpartition(".")[0]
                if found in files and found not in (name, PACKAGE):
                    edges.setdefault(name, set()).add(found)
    try:
        TopologicalSorter(edges).prepare()
    except CycleError as error:
        return [f"{PACKAGE}: modules import each other: {' <- '.join(error.args[1])}"]
    return []


def dotted(path: Path, root: Path) -> str:
    return ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")


def independence_faults(entries: Iterable[Import]) -> list[str]:
    """Return a sentence for each module of the circuit side that the reference reaches, directly or through others."""
    edges: dict[str, set[str]] = {}
    for entry in entries:
        if not entry.excepted:
            edges.setdefault(entry.module, set()).add(entry.target)
    chains = {INDEPENDENT: INDEPENDENT}
    queue = [INDEPENDENT]
    for module in queue:
        for target in sorted(edges.get(module, set()) - set(chains)):
            chains[target] = f"{chains[module]} -> {target}"
            queue.append(target)
    reached = sorted(CIRCUIT_SIDE & set(chains))
    return [f"{PACKAGE}: {chains[module]}: {INDEPENDENT} may not reach it" for module in reached]


def long_files(root: Path) -> list[str]:
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in sources(root)}
    return [
        f"{path.relative_to(root).as_posix()}: {length} lines, at most {MAX_LINES}"
        for path, length in lengths.items()
        if length > MAX_LINES
    ]


# Folders of one machine or one person. A path that only ends in such a name, as in an address, is none.
MACHINE_PATH = re.compile(r"(?<![\w.~-])/(?:(?:work|root)/|tmp/bash)")


def machine_paths(paths: Iterable[Path]) -> list[str]:
    """Return a sentence for each line of a text file that names a folder of the machine it was written on."""
    faults = []
    for path in paths:
        content = path.read_bytes()
        if b"\0" in content:
            continue
        for number, line in enumerate(content.decode("utf-8", errors="replace").splitlines(), start=1):
            faults += [f"{path.name}:{number}: {found.group()}" for found in MACHINE_PATH.finditer(line)]
    return faults


def tracked_files() -> list[Path]:
    git = shutil.which("git")
    if git is None:
        pytest.skip("git is not installed, so the tracked files are not known")
    listing = subprocess.run([git, "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listing.returncode != 0 or not listing.stdout:
        pytest.skip(f"this is not a git checkout: {listing.stderr.strip() or 'git tracks no file here'}")
    paths = [ROOT / name for name in listing.stdout.split("\0") if name]
    return [path for path in paths if path.is_file()]


def test_every_import_keeps_to_the_layers() -> None:
    faults = layer_faults(ROOT)
    assert not faults, "\n".join(faults)


def test_no_file_of_the_package_is_long() -> None:
    faults = long_files(ROOT)
    assert not faults, "\n".join(faults)


def test_every_folder_of_the_package_is_installed() -> None:
    folders = {".".join(path.relative_to(ROOT).parent.parts) for path in sources(ROOT)}
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["packages"]
    assert sorted(listed) == sorted(folders | {f"{PACKAGE}._circuits"})


def test_tracked_files_name_no_folder_of_this_machine() -> None:
    faults = machine_paths(tracked_files())
    assert not faults, "\n".join(faults)


GRAPH_METHOD = "class Network:\n    def graph(self):\n        from .graph import Graph\n"

WITH_GRAPH = "class Circuit:\n    def netlist(self):\n        from .spice import write\n"

ALLOWED = {
    "above": {"values/arrays.py": "from .errors import InputError\n", "graph/ir.py": "from ..values import arrays\n"},
    "absolute": {"graph/ir.py": "import hopfield_hw.functions.table\n"},
    "own folder": {"cells/ideal.py": "from . import base\nfrom .base import Cell\nfrom ..graph import ir\n"},
    "root": {"__init__.py": "from .cli import main\nfrom . import spice\n"},
    "other packages": {"values/arrays.py": "import numpy\nfrom scipy import sparse\nimport hopfield_hw_other.cli\n"},
    "exceptions": {
        "circuit/device.py": "class Circuit:\n    def netlist(self):\n        from ..spice import write\n",
        "circuit/more.py": "class Circuit:\n    def to_pyspice(self):\n        from ..spice.pyspice import build\n",
        "equations/ode.py": "from ..networks import Network\n",
    },
    "cycle within a call": {
        "cells/a.py": "def plot():\n    from .b import draw\n",
        "cells/b.py": "from .a import plot\n",
    },
}

REFUSED = {
    "below": (
        {"graph/ir.py": "from ..networks import Network\nfrom ..cli import main\n"},
        "graph/ir.py:2: graph imports cli in the module",
    ),
    "in a folder": ({"cells/a.py": "from ..lowering import lower\n"}, "cells/a.py:1: cells imports lowering"),
    "absolute": ({"values/units.py": "import hopfield_hw.graph.ir\n"}, "values/units.py:1: values imports graph"),
    "from the root": ({"lowering/a.py": "from .. import spice\n"}, "lowering imports spice in the module"),
    "the root itself": ({"cli/a.py": "from .. import Network\n"}, "cli imports hopfield_hw in the module"),
    "in a function": (
        {"graph/ir.py": "def f():\n    from .. import cli\n"},
        "graph/ir.py:2: graph imports cli in f",
    ),
    "by its name": (
        {"graph/ir.py": 'import_module("..cli", __package__)\n'},
        "graph imports cli in the module",
    ),
    "outside the method": ({"circuit/a.py": "from ..spice import write\n"}, "circuit imports spice in the module"),
    "another method": (
        {"circuit.py": WITH_GRAPH.replace("def netlist", "def draw")},
        "circuit imports spice in Circuit.draw",
    ),
    "another class": ({"cells.py": WITH_GRAPH}, "cells imports spice in Circuit.netlist"),
    "for types": (
        {"circuit.py": "if TYPE_CHECKING:\n    from .lowering import lower\n"},
        "circuit imports lowering in TYPE_CHECKING",
    ),
    "else of types": (
        {"circuit.py": "if TYPE_CHECKING:\n    pass\nelse:\n    from .spice import write\n"},
        "circuit.py:4: circuit imports spice in the module",
    ),
    "in try": (
        {"values/arrays.py": "try:\n    from ..cli import main\nexcept ImportError:\n    pass\n"},
        "values/arrays.py:2: values",
    ),
    "unknown module": ({"helpers.py": ""}, "hopfield_hw/helpers: not in the table of layers"),
    "unknown folder": ({"extras/a.py": ""}, "hopfield_hw/extras: not in the table of layers"),
    "import of unknown": ({"cli.py": "from .helpers import f\n", "helpers.py": ""}, "cli imports helpers"),
    "cycle": (
        {"cells/a.py": "from .b import f\n", "cells/b.py": "from . import a\n"},
        "modules import each other: hopfield_hw.cells.",
    ),
    "equations, direct": (
        {"equations/ode.py": "def f():\n    from ..circuit import Circuit\n"},
        "equations -> circuit: equations may not reach it",
    ),
    "equations, indirect": (
        {"equations/ode.py": "from ..families import bam\n", "families/bam.py": "from ..cells import ideal\n"},
        "equations -> families -> cells: equations may not reach it",
    ),
}


def write_package(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / PACKAGE / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


@pytest.mark.parametrize("files", ALLOWED.values(), ids=ALLOWED)
def test_allowed_imports_pass(tmp_path: Path, files: dict[str, str]) -> None:
    write_package(tmp_path, files)
    assert layer_faults(tmp_path) == []


@pytest.mark.parametrize(("files", "expected"), REFUSED.values(), ids=REFUSED)
def test_a_forbidden_import_is_found(tmp_path: Path, files: dict[str, str], expected: str) -> None:
    write_package(tmp_path, files)
    faults = layer_faults(tmp_path)
    assert any(expected in fault for fault in faults), faults


def test_a_long_file_is_found(tmp_path: Path) -> None:
    write_package(tmp_path, {"values/units.py": "x = 1\n" * MAX_LINES, "cells/a.py": "x = 1\n" * (MAX_LINES + 1)})
    assert long_files(tmp_path) == ["hopfield_hw/cells/a.py: 401 lines, at most 400"]


# Written in pieces, so that this file does not hold what is looked for.
@pytest.mark.parametrize("folder", ["/" + "work/x", "/" + "root/.cache", "/" + "tmp/bash_jobs.0"])
def test_a_path_of_the_machine_is_found(tmp_path: Path, folder: str) -> None:
    path = tmp_path / "deck.cir"
    path.write_text(f"* a deck\n.include {folder}/model.lib\n", encoding="utf-8")
    assert [fault.split(":")[:2] for fault in machine_paths([path])] == [["deck.cir", "2"]]


def test_other_paths_and_binary_files_pass(tmp_path: Path) -> None:
    text, binary = tmp_path / "README.md", tmp_path / "figure.png"
    text.write_text("https://example.org/work/ and frame/work/ and ~/root/ and " + "/" + "tmp/run\n", encoding="utf-8")
    binary.write_bytes(b"\0/" + b"work/")
    assert machine_paths([text, binary]) == []
