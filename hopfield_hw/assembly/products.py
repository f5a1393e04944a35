"""Products: what is ordered for a part, where that is recorded."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Product(NamedTuple):
    """A part as it is ordered in the package that boards have it in. `number`: the manufacturer's."""

    number: str
    manufacturer: str


TI, ADI = "Texas Instruments", "Analog Devices"
# As the makers write their numbers for small-outline packages; look them up before an order, as grades change.
PRODUCTS: Mapping[str, Product] = MappingProxyType(
    {
        "TL071": Product("TL071CDR", TI),
        "TL072": Product("TL072CDR", TI),
        "TL074": Product("TL074CDR", TI),
        "TL072C": Product("TL072CDR", TI),
        "TL074C": Product("TL074CDR", TI),
        "TL071H": Product("TL071HIDR", TI),
        "TL072H": Product("TL072HIDR", TI),
        "TL074H": Product("TL074HIDR", TI),
        "LM358": Product("LM358DR", TI),
        "LM324": Product("LM324DR", TI),
        "MCP6002": Product("MCP6002-I/SN", "Microchip"),
        "MCP6004": Product("MCP6004-I/SL", "Microchip"),
        "NE5532": Product("NE5532DR", TI),
        "NE5532A": Product("NE5532ADR", TI),
        "SA5532": Product("SA5532DR", TI),
        "OPA134": Product("OPA134UA", TI),
        "OPA2134": Product("OPA2134UA", TI),
        "OPA4134": Product("OPA4134UA", TI),
        "OP07": Product("OP07CDR", TI),
        "OP07C": Product("OP07CDR", TI),
        "SSM2212": Product("SSM2212RZ", ADI),
        "AD633": Product("AD633JRZ", ADI),
        "LM13700": Product("LM13700M/NOPB", TI),
        "DG442": Product("DG442DY", "Vishay"),
        "CD4066B": Product("CD4066BM", TI),
        "1N4148W": Product("1N4148W-7-F", "Diodes Incorporated"),
        "BZT52C6V2": Product("BZT52C6V2-7-F", "Diodes Incorporated"),
        "LM4040-2.0": Product("LM4040AIM3-2.0/NOPB", TI),
        "LM4040-2.5": Product("LM4040AIM3-2.5/NOPB", TI),
        "LM4040-3.0": Product("LM4040AIM3-3.0/NOPB", TI),
        "LM4040-4.1": Product("LM4040AIM3-4.1/NOPB", TI),
        "LM4040-5.0": Product("LM4040AIM3-5.0/NOPB", TI),
        "LM4040-8.2": Product("LM4040AIM3-8.2/NOPB", TI),
        "LM4040-10.0": Product("LM4040AIM3-10.0/NOPB", TI),
    }
)
# Diodes that boards have in SOD-123: the same junctions under the name of that package.
IN_SOD123: Mapping[str, str] = MappingProxyType({"1N4148": "1N4148W", "BZX84C6V2": "BZT52C6V2"})
# By the volts of a shunt reference, its name.
SHUNT_REFERENCES: Mapping[float, str] = MappingProxyType(
    {
        2.048: "LM4040-2.0",
        2.5: "LM4040-2.5",
        3.0: "LM4040-3.0",
        4.096: "LM4040-4.1",
        5.0: "LM4040-5.0",
        8.192: "LM4040-8.2",
        10.0: "LM4040-10.0",
    }
)


def order_fields(name: str) -> dict[str, str]:
    """Return the fields MPN and Manufacturer of a product; none where nothing is recorded."""
    product = PRODUCTS.get(name)
    return {} if product is None else {"MPN": product.number, "Manufacturer": product.manufacturer}


def manufacturer_of(number: str) -> str:
    """Return who makes what is ordered under a number; "" where it is not recorded."""
    return next((product.manufacturer for product in PRODUCTS.values() if product.number == number), "")
