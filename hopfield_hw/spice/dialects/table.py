"""The table of dialects, and the circuit as text of one. A new dialect is one file and one line here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...values.errors import InputError
from ...values.tables import LazyTable

if TYPE_CHECKING:
    from ...circuit import Circuit
    from .dialect import Dialect

DIALECTS: LazyTable[Dialect] = LazyTable(
    __package__,
    {
        "ngspice": (".ngspice:Ngspice", "decks that ngspice runs as they are"),
        "ltspice": (".ltspice:LTspice", "LTspice; checked against its help, not run here"),
        "xyce": (".xyce:Xyce", "Xyce; checked against its reference guide, not run here"),
    },
    make=lambda dialect: dialect(),
)


def find_dialect(name: str | Dialect) -> Dialect:
    """Return a dialect of the table by its name, or anyone's own as it is. Raises InputError for an unknown one."""
    if not isinstance(name, str):
        if not hasattr(name, "format_analysis"):
            raise InputError(f"dialect {name!r:.60}: must be one of {', '.join(DIALECTS)}, or a Dialect")
        return name
    if name not in DIALECTS:
        raise InputError(f"dialect {name!r:.60}: must be one of {', '.join(DIALECTS)}")
    return DIALECTS[name]


def write(circuit: Circuit, dialect: str | Dialect) -> str:
    """Return a circuit as text of a dialect. Raises as `find_dialect` and `Dialect.write` do."""
    return find_dialect(dialect).write(circuit)
