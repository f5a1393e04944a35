"""The project's own symbols, drawn for it, so that a project needs no library of KiCad's.

    symbol("OpAmp_Quad").units[0].at["1"]  # (6, 0): where a wire meets the output, in grid units of 1.27 mm, y upwards

The names: R, C, D, DZ, LM4040; OpAmp_Single, OpAmp_Dual, OpAmp_Quad, LM13700, AD633, SSM2212; DG442, CD4066B; TP;
Conn_01 to Conn_40; and of nets GND, SUPPLY_PLUS, SUPPLY_MINUS, PWR_FLAG. The last unit of a package has its supply
pins, but of SSM2212, which has none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from ...values.errors import InputError
from ...values.names import unknown
from . import active, connections, passive, switches
from .shapes import Anchor, Pin, Symbol, SymbolUnit, Texts

__all__ = ["LIBRARY", "TABLE", "Anchor", "Pin", "Symbol", "SymbolUnit", "Texts", "symbol"]

LIBRARY = "hopfield"  # the name that projects give to it
TABLE: Mapping[str, Symbol] = {
    found.name: found for kind in (passive, active, switches, connections) for found in kind.SYMBOLS
}
CONNECTOR = re.compile(r"Conn_(\d\d)")


@cache
def symbol(name: str) -> Symbol:
    """Return a symbol by its name. Raises InputError for a name that is not there."""
    if name in TABLE:
        return TABLE[name]
    found = CONNECTOR.fullmatch(name)
    if found is None:
        raise InputError(unknown("symbol", name, [*TABLE, "Conn_NN"]))
    count = int(found[1])
    if not 1 <= count <= connections.MOST:
        raise InputError(f"symbol {name!r}: a header in one row has 1 to {connections.MOST} pins; use several")
    return connections.connector(count)
