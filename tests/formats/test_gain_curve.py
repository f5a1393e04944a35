"""Measured gain curves in CSV."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import hopfield_hw as hh
from hopfield_hw.formats import read_gain_curve

POINTS = [(-2.0, -1.0), (-0.5, -0.75), (0.0, 0.01), (0.5, 0.75), (2.0, 1.0)]


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


FORMS = {
    "plain": "".join(f"{x},{y}\n" for x, y in POINTS),
    "heading": "in,out\n" + "".join(f"{x},{y}\n" for x, y in POINTS),
    "millivolts": "in (mV); out [V]\n" + "".join(f"{1e3 * x};{y}\n" for x, y in POINTS),
    "tabs and comments": "# bench 3\n\n" + "".join(f"{x}\t{y} V\n" for x, y in POINTS),
    "prefixes": "".join(f"{1e3 * x}mV,{y}V\n" for x, y in POINTS),
}


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS)
def test_a_curve_is_read_in_each_form(tmp_path: Path, text: str) -> None:
    curve = read_gain_curve(written(tmp_path / "curve.csv", text))
    assert isinstance(curve, hh.Table)
    np.testing.assert_allclose(curve.x, [x for x, _ in POINTS], rtol=1e-12)
    np.testing.assert_allclose(curve.y, [y for _, y in POINTS], rtol=1e-12)


def test_a_curve_is_a_gain_of_a_network(tmp_path: Path) -> None:
    curve = hh.read_gain_curve(str(written(tmp_path / "curve.csv", FORMS["plain"])))
    net = hh.Network(weights=[[0.0]], resistance=1e4, capacitance=1e-8, gain=curve)
    assert float(np.asarray(curve.value(0.25))) == pytest.approx(0.38)
    assert net.graph() is not None


REFUSED = {
    "empty": ("\n# nothing\n", ": is empty; must have two columns, input and output, volts"),
    "three points": ("0,0\n1,1\n2,2\n", ": has 3 points: must have 4 to 100000"),
    "one column": ("0\n1\n2\n3\n", ", line 1: has 1 columns: must have two, input and output, volts"),
    "three columns": ("in,out,time\n0,0,0\n", ", line 1: has 3 columns: must have two, input and output, volts"),
    "unit": ("in (mA),out (V)\n0,0\n", ", line 1: column 'in (mA)' is in 'mA': must be in volts, V or mV"),
    "unit of a number": ("0,0\n1,1 mA\n", None),
    "text": ("0,0\n1,high\n2,2\n3,3\n", None),
    "not increasing": (
        "0,0\n1,1\n1,2\n3,3\n",
        ", line 3: input 1 V is not above 1 V before it; sort the points by input, and keep one of equal ones",
    ),
    "falling": (
        "in,out\n0,0\n1,-1\n2,-2\n3,-3\n",
        ", line 3: output -1 V is below 0 V before it; a gain is monotone: turn the sign of an inverting amplifier, "
        "and smooth noise",
    ),
}
NUMBERS = {
    "unit of a number": "`gain curve 'curve.csv', line 2: output` = '1 mA': is in amperes: must be in volts",
    "text": "`gain curve 'curve.csv', line 2: output` = 'high': must be a number, with an SI prefix and the unit V "
    "where wanted, such as '-3.3V' (m is milli, M or meg mega)",
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_curve_that_is_wrong_is_refused(tmp_path: Path, case: str) -> None:
    text, message = REFUSED[case]
    with pytest.raises(hh.InputError) as refused:
        read_gain_curve(written(tmp_path / "curve.csv", text))
    assert str(refused.value) == NUMBERS.get(case, f"gain curve 'curve.csv'{message}")


def test_what_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(hh.InputError) as refused:
        read_gain_curve(tmp_path / "none.csv")
    assert str(refused.value) == "gain curve 'none.csv': cannot be read (No such file or directory)"
    path = tmp_path / "curve.csv"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(hh.InputError) as refused:
        read_gain_curve(path)
    assert str(refused.value) == "gain curve 'curve.csv': cannot be read (it is not UTF-8 text)"
