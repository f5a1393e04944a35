"""The table of dialects, and the circuit as text of one. A new dialect is one file and one line here."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ...values.errors import InputError
from ...values.tables import LazyTable

if TYPE_CHECKING:
    from ...circuit import Circuit

DIALECTS: LazyTable[Callable[[Circuit], str]] = LazyTable(
    __package__, {"ngspice": (".ngspice:write_ngspice", "decks that ngspice runs as they are")}
)


def write(circuit: Circuit, dialect: str) -> str:
    """Return a circuit as text of a dialect. Raises InputError for an unknown one."""
    if dialect not in DIALECTS:
        raise InputError(f"dialect {dialect!r:.60}: must be one of {', '.join(DIALECTS)}")
    return DIALECTS[dialect](circuit)
