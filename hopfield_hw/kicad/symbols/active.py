"""Op-amps, transconductance amplifiers, multipliers and matched transistors: sections, then the supply of a package."""

from __future__ import annotations

from collections.abc import Iterable

from ..sexpr import Tree
from .shapes import THIN, Anchor, Pin, Symbol, SymbolUnit, Texts, arrow, circle, line, rectangle, text

TRIANGLE = line((-5.08, 5.08), (5.08, 0), (-5.08, -5.08), (-5.08, 5.08), fill="background")
OVER_AND_UNDER = Texts(Anchor(1, -3.8, "left"), Anchor(1, 3.8, "left"))
RIGHT = Texts(Anchor(3, -1, "left"), Anchor(3, 1, "left"))
LEFT = Texts(Anchor(-3, -1, "right"), Anchor(-3, 1, "right"))


def supply(
    plus: str,
    minus: str,
    *,
    ground: str | None = None,
    unconnected: Iterable[str] = (),
    kind: str = "power_in",
) -> SymbolUnit:
    """Return the supply pins of a package: plus on top, minus below, a ground on the left, free pins on the right.

    `kind`: of the pins of supplies; passive where an op-amp may feed them.
    """
    free = tuple(unconnected)
    rows = (0,) if len(free) == 1 else tuple(2 - 2 * k for k in range(len(free)))
    pins = [
        Pin(number=plus, name="V+", kind=kind, x=0, y=6, angle=270, length=3.81),
        Pin(number=minus, name="V-", kind=kind, x=0, y=-6, angle=90, length=3.81),
    ]
    shapes: list[Tree] = [rectangle((-2.54, 3.81), (2.54, -3.81), "background")]
    shapes += [text("V+", 0, 2.54), text("V-", 0, -2.54)]
    if ground is not None:
        pins.append(Pin(number=ground, name="GND", kind="power_in", x=-4, y=0, angle=0, length=2.54))
        shapes.append(text("GND", 0, 0, 1))
    for number, y in zip(free, rows, strict=True):
        pins.append(Pin(number=number, name="NC", kind="no_connect", x=4, y=y, angle=180, length=2.54))
    return SymbolUnit(pins=tuple(pins), shapes=tuple(shapes), texts=LEFT, turned=LEFT)


def op_amp(output: str, minus: str, plus: str) -> SymbolUnit:
    """Return a section of an op-amp, the inverting input on top."""
    return SymbolUnit(
        pins=(
            Pin(number=minus, name="-", kind="input", x=-6, y=2, angle=0, length=2.54),
            Pin(number=plus, name="+", kind="input", x=-6, y=-2, angle=0, length=2.54),
            Pin(number=output, name="OUT", kind="output", x=6, y=0, angle=180, length=2.54),
        ),
        shapes=(TRIANGLE, text("-", -3.81, 2.54), text("+", -3.81, -2.54)),
        texts=OVER_AND_UNDER,
        turned=RIGHT,
        sided=True,
    )


def ota(output: str, minus: str, plus: str, bias: str, diodes: str) -> SymbolUnit:
    """Return a transconductance amplifier: its bias current enters below, that of its linearising diodes on top."""
    return SymbolUnit(
        pins=(
            Pin(number=minus, name="-", kind="input", x=-6, y=2, angle=0, length=2.54),
            Pin(number=plus, name="+", kind="input", x=-6, y=-2, angle=0, length=2.54),
            # A current source: more than one may drive a node.
            Pin(number=output, name="OUT", kind="passive", x=6, y=0, angle=180, length=2.54),
            Pin(number=bias, name="BIAS", kind="input", x=0, y=-5, angle=90, length=3.81),
            Pin(number=diodes, name="DIODE", kind="passive", x=-2, y=5, angle=270, length=2.54),
        ),
        shapes=(
            TRIANGLE,
            text("-", -3.81, 2.54),
            text("+", -3.81, -2.54),
            circle((1.9, 0), 0.762),
            circle((2.7, 0), 0.762),
        ),
        texts=OVER_AND_UNDER,
        turned=RIGHT,
        sided=True,
    )


def buffer(output: str, entry: str) -> SymbolUnit:
    """Return a buffer, a Darlington follower."""
    return SymbolUnit(
        pins=(
            Pin(number=entry, name="IN", kind="input", x=-4, y=0, angle=0, length=2.54),
            Pin(number=output, name="OUT", kind="output", x=4, y=0, angle=180, length=2.54),
        ),
        shapes=(line((-2.54, 2.54), (2.54, 0), (-2.54, -2.54), (-2.54, 2.54), fill="background"), text("1", -1.2, 0)),
        texts=Texts(Anchor(0.5, -2.4, "left"), Anchor(0.5, 2.4, "left")),
        turned=RIGHT,
        sided=True,
    )


def npn(collector: str, base: str, emitter: str) -> SymbolUnit:
    """Return an NPN transistor: collector up, base on the left, emitter down."""
    return SymbolUnit(
        pins=(
            Pin(number=collector, name="C", kind="passive", x=2, y=4, angle=270, length=2.54),
            Pin(number=base, name="B", kind="input", x=-4, y=0, angle=0, length=5.715),
            Pin(number=emitter, name="E", kind="passive", x=2, y=-4, angle=90, length=2.54),
        ),
        shapes=(
            line((0.635, 1.905), (0.635, -1.905), width=0.508),
            line((0.635, 0.635), (2.54, 2.54), width=THIN),
            line((0.635, -0.635), (2.54, -2.54), width=THIN),
            arrow((2.286, -2.286), (1, -1)),
            circle((1.27, 0), 2.8194),
        ),
        texts=Texts(Anchor(3.8, -1, "left"), Anchor(3.8, 1, "left")),
        turned=Texts(Anchor(0, -5.4), Anchor(0, 5.4)),
        sided=True,
    )


def multiplier(w: str, x: tuple[str, str], y: tuple[str, str], z: str) -> SymbolUnit:
    """Return a multiplier, W = (X1 - X2)(Y1 - Y2)/10 V + Z."""
    rows = (("X1", x[0], 4), ("X2", x[1], 2), ("Y1", y[0], 0), ("Y2", y[1], -2), ("Z", z, -4))
    return SymbolUnit(
        pins=(
            *(Pin(number=n, name=name, kind="input", x=-6, y=row, angle=0, length=2.54) for name, n, row in rows),
            Pin(number=w, name="W", kind="output", x=6, y=0, angle=180, length=2.54),
        ),
        shapes=(
            rectangle((-5.08, 6.35), (5.08, -6.35), "background"),
            *(text(name, -3.6, 1.27 * row) for name, _, row in rows),
            text("W", 3.9, 0),
            circle((0.6, 0), 1.27),
            line((-0.1, 0.7), (1.3, -0.7)),
            line((-0.1, -0.7), (1.3, 0.7)),
        ),
        texts=Texts(Anchor(-4, -6, "left"), Anchor(-4, 6, "left")),
        turned=Texts(Anchor(6, -2, "left"), Anchor(6, 2, "left")),
        sided=True,
    )


SINGLE = Symbol(
    name="OpAmp_Single",
    prefix="U",
    description="Operational amplifier",
    numbers=True,
    units=(op_amp("6", "2", "3"), supply("7", "4", unconnected=("1", "5", "8"))),
)
DUAL = Symbol(
    name="OpAmp_Dual",
    prefix="U",
    description="Dual operational amplifier",
    numbers=True,
    units=(op_amp("1", "2", "3"), op_amp("7", "6", "5"), supply("8", "4")),
)
QUAD = Symbol(
    name="OpAmp_Quad",
    prefix="U",
    description="Quad operational amplifier",
    numbers=True,
    units=(
        op_amp("1", "2", "3"),
        op_amp("7", "6", "5"),
        op_amp("8", "9", "10"),
        op_amp("14", "13", "12"),
        supply("4", "11"),
    ),
)
# Texas Instruments LM13700, SNOSBW2: connection diagram of the 16-pin packages.
LM13700 = Symbol(
    name="LM13700",
    prefix="U",
    description="Dual operational transconductance amplifier with linearising diodes and buffers",
    numbers=True,
    units=(
        ota("5", "4", "3", "1", "2"),
        ota("12", "13", "14", "16", "15"),
        buffer("8", "7"),
        buffer("9", "10"),
        supply("11", "6", kind="passive"),
    ),
)
# Analog Devices AD633, the 8-lead SOIC; its DIP has other numbers.
AD633 = Symbol(
    name="AD633",
    prefix="U",
    description="Four-quadrant analog multiplier, W = (X1 - X2)(Y1 - Y2)/10 V + Z",
    numbers=True,
    units=(multiplier("5", ("7", "8"), ("1", "2"), "4"), supply("6", "3")),
)
# Analog Devices SSM2212, the 8-lead SOIC; pins 4 and 5 are connected to nothing inside.
SSM2212 = Symbol(
    name="SSM2212",
    prefix="Q",
    description="Matched pair of NPN transistors",
    numbers=True,
    units=(npn("1", "2", "3"), npn("8", "7", "6")),
)

SYMBOLS = (SINGLE, DUAL, QUAD, LM13700, AD633, SSM2212)
