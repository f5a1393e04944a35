"""Measurements that are read, and those that are refused with line and remedy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hopfield_hw.bringup import BringUp, read_measurement, table_csv
from hopfield_hw.values.errors import InputError

GOOD = "test point,state,volts\nv_0,reset,12 mV\nXN_1,pattern 0,-9.01\n"


def test_a_table_is_read(table: BringUp) -> None:
    first, second = read_measurement(GOOD, table)
    assert (table.points[first.point].name, table.conditions[first.condition].name) == ("v_0", "reset")
    assert first.volts == pytest.approx(0.012)
    assert second.volts == -9.01
    assert table.points[second.point].name == "xn_1"


@pytest.mark.parametrize(
    "text",
    [
        "state;test point;volts\nreset;v_0;12 mV\n",
        "# from the bench\ntest point,state,volts (mV)\nv_0,reset,12\n",
        "Point\tCondition\tValue\tUnit\nv_0\treset\t12\tmV\n",
        "test point,state,volts\nv_0,reset,0.012\nv_1,reset,\n",
    ],
)
def test_other_forms_of_a_table_are_read(table: BringUp, text: str) -> None:
    (one,) = read_measurement(text, table)
    assert one.volts == pytest.approx(0.012)


def test_the_printed_table_is_read_when_it_is_filled_in(table: BringUp) -> None:
    lines = table_csv(table).splitlines()
    filled = [lines[0]]
    for line in lines[1:]:
        name, state, empty, expected, *rest = line.split(",")
        assert empty == ""
        filled.append(",".join([name, state, expected, expected, *rest]))
    readings = read_measurement("\n".join(filled) + "\n", table)
    assert len(readings) == table.volts.size
    assert max(abs(one.volts - table.volts[one.condition, one.point]) for one in readings) <= 5.1e-5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "test point,state\nv_0,reset\n",
            "measurement, line 1: has no column 'volts': must have test point, state, volts once each, such as `test "
            "point,state,volts`, and `v_0,reset,12 mV` below it",
        ),
        ("test point,state,volts,value\n1,1,1,1\n", "measurement, line 1: has more than one column 'volts'"),
        ("test point,state,volts\n", "measurement, line 1: has no reading below its heading"),
        ("\n\n", "measurement: is empty: must have columns test point, state, volts"),
        (
            "test point,state,volts\nv_9,reset,1\n",
            "measurement, line 2: test point 'v_9' is unknown",
        ),
        ("test point,state,volts\nv_0,settled,1\n", "measurement, line 2: state 'settled' is unknown"),
        (
            "test point,state,volts\nv_0,reset,1\nv_0,reset,2\n",
            "measurement, line 3: v_0 in 'reset' is in line 2 already; delete one of them",
        ),
        (
            "test point,state,volts\nv_0,reset,nan\n",
            "measurement, line 2: `volts` = 'nan'",
        ),
        (
            "test point,state,volts\nv_0,reset,inf\n",
            "measurement, line 2: `volts` = 'inf': must be finite; leave the cell empty where nothing was read",
        ),
        ("test point,state,volts\nv_0,reset,3 mA\n", "measurement, line 2: `volts` = '3 mA'"),
        ("test point,state,volts (kOhm)\nv_0,reset,3\n", "measurement, line 2: `volts` = '3 kOhm'"),
        ("test point,state,volts\nv_0,reset,high\n", "write volts, such as 1.25, or with a unit, 1250 mV"),
        ("test point,state,volts\nv_0,reset,\n", "measurement: all readings are empty"),
    ],
)
def test_bad_measurements_are_refused_with_line_and_remedy(table: BringUp, text: str, message: str) -> None:
    with pytest.raises(InputError, match=r".") as told:
        read_measurement(text, table)
    assert message in str(told.value)


def trace(columns: dict[str, np.ndarray], times: np.ndarray) -> str:
    lines = [",".join(["Time (ms)", *(f"{name} (mV)" for name in columns)])]
    for k, t in enumerate(times):
        lines.append(",".join([f"{1e3 * t:.6f}", *(f"{1e3 * wave[k]:.4f}" for wave in columns.values())]))
    return "\n".join(lines) + "\n"


def test_a_trace_of_a_scope_is_read(table: BringUp, tmp_path: Path) -> None:
    times = np.linspace(-1e-4, 2e-3, 211)
    waves = {"v_0": np.where(times < 0.0, 0.5, 4.5), "xn_0": np.where(times < 0.0, -0.1, -9.0)}
    file = tmp_path / "scope.csv"
    file.write_text(trace(waves, times), encoding="utf-8")
    readings = read_measurement(file, table, start="pattern 1")
    found = {
        (table.points[one.point].name, table.conditions[one.condition].name): round(one.volts, 3) for one in readings
    }
    assert found == {
        ("v_0", "pattern 1"): 4.5,
        ("v_0", "pattern 1 held"): 0.5,
        ("xn_0", "pattern 1"): -9.0,
        ("xn_0", "pattern 1 held"): -0.1,
    }


@pytest.mark.parametrize(
    ("name", "start", "message"),
    [
        ("v_0", None, "does not say of which start its trace is: give it as `start`, one of pattern 0, pattern 1"),
        ("v_0", "reset", "a trace is of what settles"),
        ("v_0", "other", "state 'other' is unknown"),
        ("v_7", "pattern 0", "test point 'v_7' is unknown"),
    ],
)
def test_bad_traces_are_refused(table: BringUp, name: str, start: str | None, message: str) -> None:
    times = np.linspace(0.0, 2e-3, 101)
    with pytest.raises(InputError, match=r".") as told:
        read_measurement(trace({name: np.ones(101)}, times), table, start=start)
    assert message in str(told.value)


def test_a_file_that_is_not_there_is_refused(table: BringUp, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot be read \(No such file or directory\); give a CSV file"):
        read_measurement(tmp_path / "none.csv", table)
