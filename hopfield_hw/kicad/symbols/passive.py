"""Parts with two ends: resistor, capacitor, diodes. Pin 1 is on the left."""

from __future__ import annotations

from .shapes import Anchor, Pin, Symbol, SymbolUnit, Texts, line, rectangle

# Beside each other above a body that lies, one above the other to the right of one that stands.
ABOVE = Texts(Anchor(-0.4, -1.7, "right"), Anchor(0.4, -1.7, "left"))
BESIDE = Texts(Anchor(1.8, -1, "left"), Anchor(1.8, 1, "left"))
ABOVE_PLATES = Texts(Anchor(-0.8, -2.4, "right"), Anchor(0.8, -2.4, "left"))
BESIDE_PLATES = Texts(Anchor(2.2, -1, "left"), Anchor(2.2, 1, "left"))

TRIANGLE = line((1.27, 1.27), (-1.27, 0), (1.27, -1.27), (1.27, 1.27))
BAR = line((-1.27, 1.27), (-1.27, -1.27))
ZENER_BAR = line((-0.762, 1.27), (-1.27, 1.27), (-1.27, -1.27), (-1.778, -1.27))


def ends(length: float, first: str = "~", second: str = "~") -> tuple[Pin, Pin]:
    """Return the two pins of a part whose leads have a length in millimetres."""
    return (
        Pin(number="1", name=first, kind="passive", x=-3, y=0, angle=0, length=length),
        Pin(number="2", name=second, kind="passive", x=3, y=0, angle=180, length=length),
    )


RESISTOR = Symbol(
    name="R",
    prefix="R",
    description="Resistor",
    units=(
        SymbolUnit(pins=ends(1.27), shapes=(rectangle((-2.54, 1.016), (2.54, -1.016)),), texts=ABOVE, turned=BESIDE),
    ),
)
CAPACITOR = Symbol(
    name="C",
    prefix="C",
    description="Capacitor",
    units=(
        SymbolUnit(
            pins=ends(3.302),
            shapes=(
                line((-0.508, 2.032), (-0.508, -2.032), width=0.508),
                line((0.508, 2.032), (0.508, -2.032), width=0.508),
            ),
            texts=ABOVE_PLATES,
            turned=BESIDE_PLATES,
        ),
    ),
)
DIODE = Symbol(
    name="D",
    prefix="D",
    description="Diode",
    units=(
        SymbolUnit(
            pins=ends(2.54, "K", "A"),
            shapes=(BAR, TRIANGLE, line((-1.27, 0), (1.27, 0), width=0)),
            texts=ABOVE,
            turned=BESIDE,
        ),
    ),
)
ZENER = Symbol(
    name="DZ",
    prefix="D",
    description="Zener diode",
    units=(
        SymbolUnit(
            pins=ends(2.54, "K", "A"),
            shapes=(ZENER_BAR, TRIANGLE, line((-1.27, 0), (1.27, 0), width=0)),
            texts=ABOVE,
            turned=BESIDE,
        ),
    ),
)
# Pin 3 of the SOT-23 is not connected, or to the anode (TI LM4040, SLOS456: pin functions).
REFERENCE = Symbol(
    name="LM4040",
    prefix="U",
    description="Shunt voltage reference",
    units=(
        SymbolUnit(
            pins=(
                *ends(2.54, "K", "A"),
                Pin(number="3", name="NC", kind="no_connect", x=0, y=-2, angle=90, length=1.27),
            ),
            shapes=(ZENER_BAR, TRIANGLE, line((-1.27, 0), (1.27, 0), width=0)),
            texts=ABOVE,
            turned=BESIDE,
        ),
    ),
)

SYMBOLS = (RESISTOR, CAPACITOR, DIODE, ZENER, REFERENCE)
