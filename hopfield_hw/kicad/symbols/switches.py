"""Analog switches, closed while their control is high."""

from __future__ import annotations

from .active import RIGHT, supply
from .shapes import THIN, Anchor, Pin, Symbol, SymbolUnit, Texts, circle, line


def switch(drain: str, source: str, control: str) -> SymbolUnit:
    """Return a switch between its two ends, its control on top."""
    return SymbolUnit(
        pins=(
            Pin(number=drain, name="D", kind="passive", x=-4, y=0, angle=0, length=2.794),
            Pin(number=source, name="S", kind="passive", x=4, y=0, angle=180, length=2.794),
            Pin(number=control, name="IN", kind="input", x=0, y=4, angle=270, length=2.54),
        ),
        shapes=(
            circle((-1.778, 0), 0.508),
            circle((1.778, 0), 0.508),
            line((-1.27, 0.2), (1.5, 1.778)),
            line((0, 0.9), (0, 2.54), width=THIN),
        ),
        texts=Texts(Anchor(-1.6, -2.4, "right"), Anchor(1.6, -2.4, "left")),
        turned=RIGHT,
    )


# Vishay DG441, DG442: pin configuration of the 16-pin SOIC.
DG442 = Symbol(
    name="DG442",
    prefix="U",
    description="Quad analog switch, closed at logic 1",
    numbers=True,
    units=(
        switch("2", "3", "1"),
        switch("15", "14", "16"),
        switch("10", "11", "9"),
        switch("7", "6", "8"),
        supply("13", "4", ground="5", unconnected=("12",)),
    ),
)
# Texas Instruments CD4066B, SCHS051: the 14-pin SOIC. Its control has the levels of its supply.
CD4066B = Symbol(
    name="CD4066B",
    prefix="U",
    description="Quad bilateral switch",
    numbers=True,
    units=(
        switch("1", "2", "13"),
        switch("4", "3", "5"),
        switch("8", "9", "6"),
        switch("11", "10", "12"),
        supply("14", "7"),
    ),
)

SYMBOLS = (DG442, CD4066B)
