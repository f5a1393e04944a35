"""Dialects: a circuit as text. A new one is one file and one line in DIALECTS."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ...circuit import Circuit
from ...values.errors import InputError
from .dialect import Analysis, Dialect
from .ltspice import LTspice
from .ngspice import Ngspice
from .xyce import Xyce

DIALECTS: Mapping[str, Dialect] = MappingProxyType({"ngspice": Ngspice(), "ltspice": LTspice(), "xyce": Xyce()})

__all__ = ["DIALECTS", "Analysis", "Dialect", "find_dialect", "write"]


def find_dialect(name: str) -> Dialect:
    """Return a dialect of the table by its name. Raises InputError for an unknown one."""
    if name not in DIALECTS:
        raise InputError(f"dialect {name!r:.60}: must be one of {', '.join(DIALECTS)}")
    return DIALECTS[name]


def write(circuit: Circuit, dialect: str) -> str:
    """Return a circuit as text of a dialect. Raises as `find_dialect` and `Dialect.write` do."""
    return find_dialect(dialect).write(circuit)
