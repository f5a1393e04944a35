"""Dialects: a circuit as text. A new one is one file and one line in DIALECTS."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from ...circuit import Circuit
from ...values.errors import InputError
from .ngspice import write_ngspice

DIALECTS: Mapping[str, Callable[[Circuit], str]] = MappingProxyType({"ngspice": write_ngspice})

__all__ = ["DIALECTS", "write"]


def write(circuit: Circuit, dialect: str) -> str:
    """Return a circuit as text of a dialect. Raises InputError for an unknown one."""
    if dialect not in DIALECTS:
        raise InputError(f"dialect {dialect!r:.60}: must be one of {', '.join(DIALECTS)}")
    return DIALECTS[dialect](circuit)
