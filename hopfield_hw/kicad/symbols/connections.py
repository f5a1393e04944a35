"""Connectors, test points, and what names a net: ground, supplies, the flag of a net that is powered from outside."""

from __future__ import annotations

from ..sexpr import Tree
from .shapes import Anchor, Pin, Symbol, SymbolUnit, Texts, circle, line, rectangle

MOST = 40  # pins of a header in one row


def connector(count: int) -> Symbol:
    """Return a pin header in one row: pin 1 on top, the wires on the left."""
    texts = Texts(Anchor(0.5, -2.2), Anchor(0.5, 2 * count + 0.2))
    unit = SymbolUnit(
        pins=tuple(
            Pin(number=str(k + 1), name=f"Pin_{k + 1}", kind="passive", x=-4, y=-2 * k, angle=0, length=3.81)
            for k in range(count)
        ),
        shapes=(rectangle((-1.27, 1.27), (2.54, -2.54 * count + 1.27), "background"),),
        texts=texts,
        turned=texts,
        sided=True,
    )
    return Symbol(
        name=f"Conn_{count:02d}", prefix="J", description=f"Pin header, 1 x {count}", units=(unit,), numbers=True
    )


def naming(name: str, prefix: str, description: str, shape: Tree, *, up: bool, kind: str = "power_in") -> Symbol:
    """Return a symbol with one pin and no body on a board; its value stands beyond the shape."""
    texts = Texts(Anchor(0, -3 if up else 3), Anchor(0, -3 if up else 3))
    pin = Pin(number="1", name=name, kind=kind, x=0, y=0, angle=90 if up else 270, length=0)
    unit = SymbolUnit(
        pins=(pin,), shapes=(line((0, 0), (0, 1.27 if up else -1.27), width=0), shape), texts=texts, turned=texts
    )
    return Symbol(name=name, prefix=prefix, description=description, units=(unit,), power=True)


TEST_POINT = Symbol(
    name="TP",
    prefix="TP",
    description="Test point",
    value_shown=False,
    units=(
        SymbolUnit(
            pins=(Pin(number="1", name="1", kind="passive", x=0, y=0, angle=90, length=2.54),),
            shapes=(circle((0, 3.302), 0.762),),
            texts=Texts(Anchor(0, -4.2), Anchor(0, -4.2)),
            turned=Texts(Anchor(0, -2), Anchor(0, -2)),
        ),
    ),
)
GND = naming("GND", "#PWR", "Ground", line((1.27, -1.27), (0, -2.54), (-1.27, -1.27), (1.27, -1.27), width=0), up=False)
SUPPLY_PLUS = naming(
    "SUPPLY_PLUS",
    "#PWR",
    "Positive supply, named by its value",
    line((-0.762, 1.27), (0, 2.54), (0.762, 1.27), (-0.762, 1.27), width=0),
    up=True,
)
SUPPLY_MINUS = naming(
    "SUPPLY_MINUS",
    "#PWR",
    "Negative supply, named by its value",
    line((-0.762, -1.27), (0, -2.54), (0.762, -1.27), (-0.762, -1.27), width=0),
    up=False,
)
PWR_FLAG = naming(
    "PWR_FLAG",
    "#FLG",
    "Says that a net is powered from outside",
    line((0, 1.27), (-1.016, 1.905), (0, 2.54), (1.016, 1.905), (0, 1.27), width=0),
    up=True,
    kind="power_out",
)

SYMBOLS = (TEST_POINT, GND, SUPPLY_PLUS, SUPPLY_MINUS, PWR_FLAG)
