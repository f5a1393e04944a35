"""The table of kinds of benchmark files. A new one is one file and one line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from ...values.errors import InputError
from ...values.names import unknown
from ...values.tables import LazyTable

if TYPE_CHECKING:
    from .types import Instance

INSTANCES: LazyTable[Callable[[Path], Instance]] = LazyTable(
    __package__,
    {
        "max_cut": (".edge_lists:read_max_cut", "weighted graph of Gset or BiqMac, to be cut"),
        "qubo": (".edge_lists:read_qubo", "sparse matrix of min x^T Q x over 0 and 1"),
        "colouring": (".dimacs:read_colouring", "graph to be coloured, DIMACS .col"),
        "satisfiability": (".dimacs:read_clauses", "formula in conjunctive normal form, DIMACS .cnf"),
        "travelling_salesman": (".tsplib:read_cities", "cities of TSPLIB, or places in a CSV file"),
        "program": (".programs:read_program", "linear or quadratic program: .mps, .qplib, .mat"),
    },
)
SUFFIXES: Mapping[str, str] = MappingProxyType(
    {
        ".sparse": "qubo",
        ".qubo": "qubo",
        ".bqp": "qubo",
        ".col": "colouring",
        ".cnf": "satisfiability",
        ".tsp": "travelling_salesman",
        ".csv": "travelling_salesman",
        ".mps": "program",
        ".qps": "program",
        ".qplib": "program",
        ".mat": "program",
        ".mc": "max_cut",
        ".rud": "max_cut",
        ".txt": "max_cut",
        "": "max_cut",
    }
)


def find_kind(path: Path, kind: str | None = None) -> str:
    """Return the kind of a file: the one given, or that of its suffix, of which a number is none (`g05_60.0`).

    Raises InputError for an unknown kind, and for a suffix that says nothing where no kind is given.
    """
    if kind is not None:
        if kind not in INSTANCES:
            raise InputError(unknown("kind of file", kind, INSTANCES))
        return kind
    suffix = path.suffix.lower()
    suffix = "" if suffix[1:].isdigit() else suffix
    if suffix not in SUFFIXES:
        known = ", ".join(each for each in SUFFIXES if each)
        raise InputError(f"{path.name}: its suffix says no kind of problem; name the kind, or use one of {known}")
    return SUFFIXES[suffix]


def read_instance(path: Path | str, kind: str | None = None) -> Instance:
    """Return what a benchmark file holds; `kind`: a key of INSTANCES, by default as `find_kind` says.

    Raises InputError for what cannot be read, with the line and what must stand there.
    """
    place = Path(path)
    return INSTANCES[find_kind(place, kind)](place)
