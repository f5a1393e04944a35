"""MOSFETs and JFETs as devices of a deck: read with their models and sizes, held, and their curves as formulas say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import hopfield_hw as hh
from hopfield_hw.extraction import extract, flatten
from hopfield_hw.extraction.emission import format_devices

PARTS = Path(__file__).parent / "boards" / "parts.lib"
LEVEL_1 = ".model NM NMOS(Level=1 Vto=1 Kp=200u)\n.model PM PMOS(Level=1 Vto=-1 Kp=200u)\n"


def test_models_sizes_and_pins_are_kept() -> None:
    deck = flatten(
        "t\n.param wide=40u\nM1 d g s b NM W={wide} L=4u m=2\n.subckt pair g d\nJ1 d g 0 JN 2\n.ends\nX1 g d pair\n"
        f"R1 d 0 1k\nR2 g 0 1k\nR3 s b 1k\nR4 b 0 1k\n.model JN NJF(Vto=-2 Beta=1m)\n{LEVEL_1}"
    )
    mos, jfet = deck.device("m1"), deck.device("x1.j1")
    assert (mos.kind, mos.pins, mos.model) == ("M", ("d", "g", "s", "b"), "nm")
    assert dict(mos.keys) == {"w": pytest.approx(40e-6), "l": pytest.approx(4e-6), "m": 2.0}
    assert (jfet.kind, jfet.pins, jfet.model, dict(jfet.keys)) == ("J", ("d", "g", "0"), "x1_jn", {"area": 2.0})
    assert sorted(line.split("(")[0] for line in deck.models) == [".model nm nmos", ".model x1_jn njf"]
    assert format_devices([mos])[0].startswith("M_m1 d g s b nm w=")


@pytest.mark.parametrize(
    ("words", "area"),
    [
        ("IC=0.65,1", None),
        ("ic = 0.65 , 1", None),
        ("IC=0.65 1.0", None),
        ("2 IC=0.65,1", 2.0),
        ("area=3 off IC=0.65,1 temp=27", 3.0),
        ("IC={v},1", None),
        ("IC=0.65,1 area=3", 3.0),
    ],
)
def test_where_a_transistor_starts_is_no_area(words: str, area: float | None) -> None:
    deck = flatten(f"t\n.param v=0.65\nQ1 c b 0 QN {words}\nR1 c 0 1k\nR2 b 0 1k\n.model QN NPN(Bf=100)\n")
    assert dict(deck.device("q1").keys) == ({} if area is None else {"area": area})


def test_a_transistor_without_its_model_is_refused() -> None:
    with pytest.raises(hh.InputError, match=r"line 2 `m1 d g s b NM`: its model 'NM' is missing"):
        flatten("t\nM1 d g s b NM\nR1 d 0 1k\n")


def _neuron(parts: str, stage: str) -> str:
    """One neuron: 100 nF and 10 kOhm at x, devices from x to nodes `a` and `b`, their difference at y, back by 22k."""
    return (
        f"one neuron\n.include {PARTS}\n{parts}Vp vp 0 12\nVn vn 0 -12\nC1 x 0 100n\nR1 x 0 10k\n{stage}"
        "E1 d 0 a b 1\nXU1 d m vp vn y TL072\nR2 y m 10k\nR3 m 0 10k\nR4 y x 22k\n"
    )


def _curve(deck: str) -> tuple[np.ndarray, np.ndarray]:
    found = extract(deck, span=[(-3.0, 3.0)], verify=False)
    gain = found.gains[0]
    assert isinstance(gain, hh.Table)
    np.testing.assert_allclose(found.weights, [[found.signs[0] / 22e3]], rtol=1e-6)
    order = np.argsort(gain.x * found.signs[0])
    return (gain.x * found.signs[0])[order], gain.y[order]


def test_a_mosfet_pair_is_the_square_law() -> None:
    """I1 - I2 = (beta/2) v sqrt(4 I/beta - v^2) up to v = sqrt(2 I/beta), then all of I (Gray and Meyer)."""
    stage = "M1 b x s s NM W=20u L=2u\nM2 a 0 s s NM W=20u L=2u\nI1 s vn 1m\nR5 vp a 2k\nR6 vp b 2k\nR7 s vn 1g\n"
    x, y = _curve(_neuron(LEVEL_1, stage))
    beta, tail = 200e-6 * 10.0, 1e-3
    inside = 0.5 * beta * x * np.sqrt(np.maximum(4.0 * tail / beta - x**2, 0.0))
    current = np.where(np.abs(x) < np.sqrt(2.0 * tail / beta), inside, tail * np.sign(x))
    np.testing.assert_allclose(y, 2.0 * 2e3 * current, atol=5e-3 * 4.0)


def test_a_jfet_pair_is_the_square_law() -> None:
    """A JFET's I = beta (v - Vto)^2 is that of a MOSFET with half the beta."""
    stage = "J1 b x s JN\nJ2 a 0 s JN\nI1 s vn 1m\nR5 vp a 2k\nR6 vp b 2k\nR7 s vn 1g\n"
    x, y = _curve(_neuron(".model JN NJF(Vto=-3 Beta=1m Is=1e-15)\n", stage))
    beta, tail = 2e-3, 1e-3
    inside = 0.5 * beta * x * np.sqrt(np.maximum(4.0 * tail / beta - x**2, 0.0))
    current = np.where(np.abs(x) < np.sqrt(2.0 * tail / beta), inside, tail * np.sign(x))
    np.testing.assert_allclose(y, 2.0 * 2e3 * current, atol=5e-3 * 4.0)


def test_a_cmos_inverter_is_a_curve_between_its_supplies() -> None:
    """Equal transistors at +-2 V: odd, level where one of them is off, steep in the middle."""
    stage = "Vh h 0 2\nVl l 0 -2\nM1 a x l l NM W=20u L=2u\nM2 a x h h PM W=20u L=2u\nR5 b 0 1k\nR6 a 0 100k\n"
    x, y = _curve(_neuron(LEVEL_1, stage))
    np.testing.assert_allclose(np.interp(-x, x, y), -y, atol=2e-2)
    on = 2.0 * 100e3 / (100e3 + 1.0 / (2e-3 * 3.5))  # at 2.5 V a gate has 4.5 V, 3.5 V above threshold
    assert np.interp(-2.5, x, y) == pytest.approx(2.0 * on, rel=5e-3)
    assert np.interp(2.5, x, y) == pytest.approx(-2.0 * on, rel=5e-3)
    assert np.interp(-0.3, x, y) > 2.0
