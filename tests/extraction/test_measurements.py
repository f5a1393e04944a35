"""Waveforms from CSV files as oscilloscopes write them: every form that is read, and what is refused, in its words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hopfield_hw.extraction.measurements import read_scope
from hopfield_hw.values.errors import InputError

TIMES = np.arange(40) * 1e-5
STATES = np.stack([np.exp(-TIMES / 1e-4), 0.5 - 0.25 * np.exp(-TIMES / 2e-4)], axis=1)
BEFORE = 10  # samples before the trigger


def body(
    separator: str = ",",
    *,
    seconds: float = 1.0,
    volts: tuple[float, float] = (1.0, 1.0),
    comma: bool = False,
    ends: str = "",
    before: int = 0,
) -> str:
    lines = []
    for k in range(-before, TIMES.size):
        states = STATES[max(k, 0)]
        cells = [f"{k * 1e-5 / seconds:.12e}", *(f"{x / v:.12e}" for x, v in zip(states, volts, strict=True))]
        lines.append(separator.join(cells).replace(".", "," if comma else ".") + ends)
    return "\n".join(lines) + "\n"


FORMS: dict[str, tuple[str, dict[str, Any]]] = {
    "numbers alone": (body(), {}),
    "names": ("Time,CH1,CH2\n" + body(), {}),
    "units in brackets": ("Time (ms),CH1 [mV],CH2 (V)\n" + body(seconds=1e-3, volts=(1e-3, 1.0)), {}),
    "units after in": ("in s,C1 in mV,C2 in V\n" + body(volts=(1e-3, 1.0)), {}),
    "PicoScope": ("Time,Channel A,Channel B\n(ms),(V),(mV)\n\n" + body(seconds=1e-3, volts=(1.0, 1e-3)), {}),
    "Keysight": ("x-axis,1,2\nsecond,Volt,Volt\n" + body(), {}),
    "Siglent": (
        "Record Length,Analog:40\nSample Interval,Analog:1e-05\nVertical Units,CH1:V,CH2:V\n"
        "Source,CH1,CH2\nSecond,Volt,Volt\n" + body(),
        {},
    ),
    "Tektronix": (
        "Model,MSO54\nFirmware Version,1.2.3\n\nWaveform Type,ANALOG\nPoint Format,Y\nHorizontal Units,s\n"
        "Horizontal Scale,4e-05\n,,\nLabel,,\nTIME,CH1,CH2\n" + body(),
        {},
    ),
    "semicolons and decimal commas": ("Zeit;CH1;CH2\ns;V;V\n" + body(";", comma=True), {}),
    "tabs": ("time\tx0\tx1\n" + body("\t"), {}),
    "tabs and decimal commas": ("Time (us)\tx0\tx1\n" + body("\t", seconds=1e-6, comma=True), {}),
    "separators at the ends": ("Time,CH1,CH2,\n" + body(ends=","), {}),
    "quotes": ('"Time","CH1","CH2"\n"s","V","V"\n' + body(), {}),
    "returns": (("Time,CH1,CH2\n" + body()).replace("\n", "\r\n"), {}),
    "trigger": ("Time,CH1,CH2\n" + body(before=BEFORE), {}),
    "units given": ("Time,CH1,CH2\n" + body(seconds=1e-3, volts=(1.0, 1e-3)), {"units": {"time": "ms", "CH2": "mV"}}),
    "unit of a heading overruled": ("Time (s),CH1 (A),CH2 (V)\n" + body(), {"units": {"CH1": "V"}}),
}


@pytest.mark.parametrize(("text", "options"), FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_transient_is_read_in_each_form(tmp_path: Path, text: str, options: dict[str, Any], encoding: str) -> None:
    place = tmp_path / "scope.csv"
    place.write_bytes(text.encode(encoding))
    (found,) = read_scope(place, **options)
    np.testing.assert_allclose(found.times, TIMES, rtol=1e-11, atol=1e-18)
    np.testing.assert_allclose(found.states, STATES, rtol=1e-11)
    assert found.label == "scope file 'scope.csv'"
    (again,) = read_scope(text, **options)
    np.testing.assert_array_equal(again.states, found.states)
    assert again.label == "scope text"


def test_micro_signs_of_both_kinds_are_read() -> None:
    for micro in ("\N{MICRO SIGN}s", "\N{GREEK SMALL LETTER MU}s", "us"):
        (found,) = read_scope(f"Time ({micro}),A,B\n" + body(seconds=1e-6))
        np.testing.assert_allclose(found.times, TIMES, rtol=1e-11, atol=1e-18)


def test_what_is_before_the_trigger_is_kept_where_asked() -> None:
    (found,) = read_scope("Time,CH1,CH2\n" + body(before=BEFORE), before_trigger=True)
    assert found.times.size == TIMES.size + BEFORE
    assert found.times[0] == pytest.approx(-BEFORE * 1e-5)


def test_channels_are_picked_in_the_order_of_the_neurons() -> None:
    (found,) = read_scope("Time,CH1,CH2\n" + body(), channels=["CH2", "CH1"])
    np.testing.assert_allclose(found.states, STATES[:, ::-1], rtol=1e-11)
    (one,) = read_scope("Time (s),CH1 (A),CH2 (V)\n" + body(), channels=["CH2"])
    np.testing.assert_allclose(one.states, STATES[:, 1:], rtol=1e-11)


def test_rows_with_an_empty_cell_are_left_out() -> None:
    lines = body().splitlines()
    lines[7] = lines[7].rsplit(",", 1)[0] + ","
    lines[9] = lines[9].rsplit(",", 1)[0]
    (found,) = read_scope("\n".join(lines))
    np.testing.assert_allclose(found.times, np.delete(TIMES, [7, 9]), rtol=1e-11, atol=1e-18)


def test_names_above_a_row_of_units_are_names_whatever_they_are() -> None:
    (found,) = read_scope("Zeit,U1,U2\ns,V,V\n" + body(), channels=["U2"])
    np.testing.assert_allclose(found.states, STATES[:, 1:], rtol=1e-11)


REPEATED: dict[str, Callable[[], Any]] = {
    "time falls back": lambda: "Time,CH1,CH2\n" + body() + body(),
    "time falls back to before the trigger": lambda: "Time,CH1,CH2\n" + body(before=BEFORE) + body(before=BEFORE),
    "headings": lambda: "Time,CH1,CH2\n" + body() + "\nTime,CH1,CH2\n" + body(),
    "titles of segments": lambda: "Segment 1\nTime,CH1,CH2\n" + body() + "Segment 2\n" + body(),
    "texts": lambda: ["Time,CH1,CH2\n" + body(), "Time;CH1;CH2\n" + body(";", comma=True)],
}


@pytest.mark.parametrize("text", REPEATED.values(), ids=REPEATED)
def test_repeated_segments_are_recordings(text: Callable[[], Any]) -> None:
    found = read_scope(text())
    assert [one.label for one in found] == ["scope text 1", "scope text 2"]
    for one in found:
        np.testing.assert_allclose(one.times, TIMES, rtol=1e-11, atol=1e-18)
        np.testing.assert_allclose(one.states, STATES, rtol=1e-11)


def changed(line: int, cells: str) -> str:
    lines = ("Time,CH1,CH2\n" + body()).splitlines()
    lines[line - 1] = cells
    return "\n".join(lines)


REFUSED: dict[str, tuple[Any, dict[str, Any], str]] = {
    "no table": (
        "hello\nworld\n",
        {},
        "scope text: has no table of numbers: must have columns of time and voltages, separated by a comma, a "
        "semicolon or a tab",
    ),
    "one column": (
        "1\n2\n3\n",
        {},
        "scope text, line 2: has one column: must have the time and one voltage at least, separated by a comma, a "
        "semicolon or a tab",
    ),
    "current": (
        "Time,CH1,CH2\ns,A,V\n" + body(),
        {},
        "scope text: column 'CH1' is in 'A': must be in volts, such as V or mV; choose others in `channels`, or say "
        "its unit in `units`",
    ),
    "frequency": (
        "Time (Hz),CH1,CH2\n" + body(),
        {},
        "scope text: column 'Time' is in 'Hz': must be in seconds, such as s or ms; choose others in `channels`, or "
        "say its unit in `units`",
    ),
    "unknown channel": (
        "Time,CH1,CH2\n" + body(),
        {"channels": ["CH3"]},
        "`channels` has 'CH3': scope text has the channels CH1, CH2",
    ),
    "channel twice": (
        "Time,CH1,CH2\n" + body(),
        {"channels": ["CH1", "CH1"]},
        "`channels` = ['CH1', 'CH1']: has a name twice; must have each once",
    ),
    "column twice": (
        "Time,CH1,CH1\n" + body(),
        {"channels": ["CH1"]},
        "scope text: has the channel 'CH1' twice: must have each once; rename one of them",
    ),
    "column twice, all taken": (
        "Time,CH1,CH1\n" + body(),
        {},
        "scope text: has the channel 'CH1' twice: must have each once; rename one of them",
    ),
    "a spectrum": (
        "Frequency (Hz),CH1,CH2\n" + body(),
        {},
        "scope text, line 2: its first column is 'Frequency (Hz)': must be the time; record waveforms, not a spectrum",
    ),
    "channels in one text": (
        "Time,CH1,CH2\n" + body(),
        {"channels": "CH1"},
        "`channels` = 'CH1': must be a sequence of names, one for each neuron",
    ),
    "unknown unit's column": (
        "Time,CH1,CH2\n" + body(),
        {"units": {"CH9": "mV"}},
        "`units` has 'CH9': scope text has the columns time, CH1, CH2",
    ),
    "overrange": (
        changed(9, "7e-5,∞,0.1"),
        {},
        "scope text, line 9: 'CH1' is '∞', beyond the range of the instrument: must be a number; record it again in a "
        "larger range, or empty the cell to leave the row out",
    ),
    "text": (
        changed(9, "7e-5,0.1,high"),
        {},
        "scope text, line 9: 'CH2' is 'high': must be a number, with a point as decimal sign",
    ),
    "no time": (
        changed(9, ",0.1,0.2"),
        {},
        "scope text, line 9: the time is '': must be a number; delete the line, or complete it",
    ),
    "too long": (
        changed(9, "7e-5,0.1,0.2,0.3"),
        {},
        "scope text, line 9: has 4 columns: must have 3 as the first row; a decimal comma needs another separator, a "
        "semicolon or a tab",
    ),
    "time repeats": (
        changed(9, "6e-5,0.1,0.2"),
        {},
        "scope text, line 9: time 6e-05 s is not above 6e-05 s before it; times must rise: export them with more "
        "digits, and sort the rows",
    ),
    "mixed decimal signs": (
        "Time;A;B\n" + body(";", comma=True) + body(";"),
        {},
        "scope text: line 2 has a decimal comma and line 42 a decimal point; must be one of them, and thousands "
        "without a mark",
    ),
    "few samples": (
        "Time,CH1,CH2\n" + "\n".join(body(before=30).splitlines()[:40]) + "\n",
        {},
        "scope text, line 2: the recording that begins here has 10 complete samples after the trigger: must have 20 at "
        "least; `before_trigger=True` keeps those before it",
    ),
    "other channels": (
        ["Time,CH1,CH2\n" + body(), "Time,CH1,CH3\n" + body()],
        {},
        "scope text: has the channels CH1, CH3, and scope text CH1, CH2: all recordings must have the same ones in the "
        "same order; name them in `channels`",
    ),
    "nothing": ([], {}, "`source` is empty: must be a path, a text, or a sequence of them, one for each start"),
    "number": (7, {}, "`source` = 7: must be a path, a text, or a sequence of them"),
    "missing": (
        "nowhere.csv",
        {},
        "scope file 'nowhere.csv': cannot be read (No such file or directory); a text must have line breaks",
    ),
}


@pytest.mark.parametrize(("source", "options", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_wrong_is_refused_by_name(source: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as refused:
        read_scope(source, **options)
    assert str(refused.value) == message


def test_a_binary_file_is_refused(tmp_path: Path) -> None:
    place = tmp_path / "scope.wfm"
    place.write_bytes(bytes(range(256)) * 20)
    with pytest.raises(InputError, match="is no text; export the waveforms as CSV"):
        read_scope(place)
