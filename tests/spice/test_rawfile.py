"""Raw files: what is written is read, and what is not whole is refused."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from hopfield_hw.spice.ngspice import run
from hopfield_hw.spice.rawfile import Plot, Variable, read
from hopfield_hw.values.errors import DeckError, InputError, TruncatedOutput

RC = "* divider\nv1 a 0 dc 1 ac 1\nr1 a b 1.0e3\nc1 b 0 1.0e-6 ic=0\n"
STYLES = ("binary", "batch", "write")  # `-r` binary, `-r` text, and the text of the command `write`


def number(value: complex, complex_: bool) -> str:
    return f"{value.real:.17e},{value.imag:.17e}" if complex_ else f"{value:.17e}"


def written(data: npt.NDArray[np.generic], style: str, title: str = "t", flags: str = "") -> bytes:
    """A plot as ngspice writes it: a second description of the format, on purpose apart from the reader's."""
    points, variables = data.shape
    complex_ = data.dtype == np.complex128
    text = f"Title: {title}\nDate: Mon Nov 23 23:18:41  2026\nCommand: ngspice-46, Build Sun\nPlotname: Analysis\n"
    text += f"Flags: {flags or ('complex' if complex_ else 'real')}\n"
    text += f"No. Variables: {variables}\nNo. Points: {points:<8}\nVariables:\n"
    text += "".join(f"\t{k}\tv({k})\tvoltage{' grid=3' if k == 0 else ''}\n" for k in range(variables))
    if style == "binary":
        return (text + "Binary:\n").encode() + data.tobytes()
    text += "Values:\n"
    for point, row in enumerate(data):
        text += f" {point}" if style == "write" else f"{point}\t"
        text += "".join(f"\t{number(value, complex_)}\n" for value in row.tolist())
        text += "\n" if style == "write" else ""
    return text.encode()


def values(points: int = 3, variables: int = 2, *, complex_: bool = False) -> npt.NDArray[np.generic]:
    data = np.arange(1.0, points * variables + 1.0).reshape(points, variables) / 7.0
    return data * (1.0 - 2.0j) if complex_ else data


def save(folder: Path, content: bytes) -> Path:
    path = folder / "out.raw"
    path.write_bytes(content)
    return path


tables = st.sampled_from([np.float64, np.complex128]).flatmap(
    lambda kind: arrays.arrays(kind, arrays.array_shapes(min_dims=2, max_dims=2, max_side=5))
)


@given(st.lists(st.tuples(tables, st.sampled_from(STYLES), st.text("ab: *é", max_size=9)), min_size=1, max_size=3))
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, plots: list[tuple[npt.NDArray[np.generic], str, str]]
) -> None:
    path = save(tmp_path_factory.mktemp("raw"), b"".join(written(*plot) for plot in plots))
    found = read(path)
    assert len(found) == len(plots)
    for plot, (data, _, title) in zip(found, plots, strict=True):
        assert plot.title == title
        assert plot.name == "Analysis"
        assert plot.flags == ("complex" if data.dtype == np.complex128 else "real")
        assert plot.variables == tuple(Variable(f"v({k})", "voltage") for k in range(data.shape[1]))
        assert plot.data.dtype == data.dtype
        assert not plot.data.flags.writeable
        np.testing.assert_array_equal(plot.data, data)  # 17 digits and raw bytes are both exact; NaN equals NaN


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("complex_", [False, True])
def test_a_file_cut_anywhere_is_refused(tmp_path: Path, style: str, complex_: bool) -> None:
    whole = written(values(2, complex_=complex_), style)
    assert len(read(save(tmp_path, whole))) == 1
    for size in range(len(whole)):
        path = save(tmp_path, whole[:size])
        with pytest.raises(TruncatedOutput, match=re.escape(f"raw file `{path}` of {size} bytes, plot 1: found ")):
            read(path)


@pytest.mark.parametrize("style", STYLES)
def test_a_second_plot_cut_anywhere_is_refused(tmp_path: Path, style: str) -> None:
    first, second = written(values(), style), written(values(2, complex_=True), style)
    for size in range(1, len(second)):
        with pytest.raises(TruncatedOutput, match=r"plot 2: found "):
            read(save(tmp_path, first + second[:size]))


@given(st.sampled_from(STYLES), st.booleans(), st.integers(0, 10_000), st.integers(1, 255))
def test_a_damaged_byte_gives_a_plot_or_a_named_error(
    tmp_path_factory: pytest.TempPathFactory, style: str, complex_: bool, place: int, change: int
) -> None:
    content = bytearray(written(values(complex_=complex_), style))
    content[place % len(content)] ^= change
    try:
        plots = read(save(tmp_path_factory.mktemp("raw"), bytes(content)))
    except TruncatedOutput:
        return
    assert plots[0].data.shape == (3, 2)  # a count that changed would have left bytes over, or too few


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("", None, "plot 1: found the end of the file after b'', but a plot must begin with `Title:`"),
        ("Points: 3       ", "Points: 4       ", "found 3 whole points (48 bytes), but 4 points of 2 real variables"),
        ("Points: 3 ", "Points: 2 ", "plot 2: found the end of the file after"),
        ("Points: 3 ", "Points: 0 ", "found `No. Points: 0`, but a whole number above 0 must be there (0: the run"),
        ("Points: 3 ", "Points: -3 ", "found `No. Points: -3`, but"),
        ("Points: 3 ", "Points: " + "9" * 5000, "found `No. Points: 999"),
        ("Variables: 2", "Variables: 3", "found `Binary:`, but variable 2 of the 3 declared must be there"),
        ("Variables: 2", "Variables: 1", "found `\t1\tv(1)\tvoltage`, but `Binary:` or `Values:` must follow"),
        ("Flags: real", "Flags: real unpadded", "found `Flags: real unpadded`, but `real` or `complex` is allowed"),
        ("Flags: real", "Flags: real forward", "found `Flags: real forward`, but"),
        ("Flags: real\n", "", "found no Flags, but a header must hold them before `Variables:`"),
        ("Flags: real\n", "Flags: real\nFlags: real\n", "found `Flags: real`, but only Title, Plotname, Flags,"),
        ("Flags: real\n", "Flags: real\nDimensions: 3,2\n", "found `Dimensions: 3,2`, but only Title,"),
        ("Flags: real\n", "Flags: real\nOffset: 1\n", "found `Offset: 1`, but only Title,"),
        ("Title: t", "title: t", "found `title: t`, but a plot must begin with `Title:`"),
        ("Title: t", "Title: \xff", "in UTF-8"),
        ("Title: t", "Title: " + "t" * 70_000, "found a line without end, but a plot must begin with `Title:`"),
        ("voltage\n", "voltage dims=2\n", "found `1 v(1) voltage dims=2`, but variable 1 of the 2 declared must be"),
        ("\t1\tv(1)", "\t2\tv(1)", "found `2 v(1) voltage`, but variable 1 of the 2 declared must be there, as"),
        ("Binary:", "Octal:", "found `Octal:`, but `Binary:` or `Values:` must follow the variables"),
    ],
)
def test_what_is_not_understood_is_refused(tmp_path: Path, old: str, new: str | None, message: str) -> None:
    whole = written(values(), "binary").decode("latin-1")
    content = "" if new is None else whole.replace(old, new, 1)
    assert content != whole
    with pytest.raises(TruncatedOutput, match=re.escape(message)):
        read(save(tmp_path, content.encode("latin-1")))


@pytest.mark.parametrize(
    ("style", "old", "new", "message"),
    [
        ("batch", "\n1\t", "\n2\t", "found `2\t\t"),
        ("batch", "\t4.28", "\t4,28", ", but point 1 of the 3 declared must be there, as `value`"),
        ("batch", "e-01", "e-0_1", ", but point 0 of the 3 declared must be there"),
        ("batch", "e-01", "e", ", but point 0 of the 3 declared must be there"),
        ("write", "\n\n", "\n3.0\n", "found `3.0`, but an empty line must end point 0"),
    ],
)
def test_text_that_is_not_understood_is_refused(tmp_path: Path, style: str, old: str, new: str, message: str) -> None:
    whole = written(values(), style).decode()
    content = whole.replace(old, new, 1)
    assert content != whole
    with pytest.raises(TruncatedOutput, match=re.escape(message)):
        read(save(tmp_path, content.encode()))


def test_a_real_value_in_a_complex_plot_is_refused(tmp_path: Path) -> None:
    path = save(tmp_path, written(values(), "batch", flags="complex"))
    with pytest.raises(TruncatedOutput, match=re.escape("must be there, as `real,imaginary`")):
        read(path)


@pytest.mark.parametrize("style", STYLES)
def test_bytes_after_the_last_plot_are_refused(tmp_path: Path, style: str) -> None:
    with pytest.raises(TruncatedOutput, match=re.escape("plot 2: found ")):
        read(save(tmp_path, written(values(), style) + b"\0"))


def test_windows_line_ends_are_read(tmp_path: Path) -> None:
    path = save(tmp_path, written(values(), "write").replace(b"\n", b"\r\n"))
    np.testing.assert_array_equal(read(path)[0].data, values())


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "none.raw"
    with pytest.raises(TruncatedOutput, match=re.escape(f"raw file `{path}`: found none to read (No such file")):
        read(path)


def test_columns_are_taken_by_name(tmp_path: Path) -> None:
    (plot,) = read(save(tmp_path, written(values(), "binary")))
    np.testing.assert_array_equal(plot.column("v(1)"), values()[:, 1])
    message = "variable `v(2)`: found 0 times in Analysis, which holds v(0), v(1); name one of these"
    with pytest.raises(InputError, match=re.escape(message)):
        plot.column("v(2)")


def simulated(folder: Path, analysis: str, *, script: bool = False) -> Plot:
    """What ngspice itself writes."""
    return run(f"{RC}{analysis}\n.end\n", t_stop=None, timeout=60.0, keep=folder, script=script)


@pytest.mark.usefixtures("ngspice")
def test_a_transient_of_ngspice_is_read_in_every_style(tmp_path: Path) -> None:
    tran = ".options reltol=1.0e-6\n.tran 1.0e-5 1.0e-3 0.0 1.0e-5 uic"
    script = f"{tran}\n.control\nset filetype=ascii\nrun\nwrite out.raw\nquit 0\n.endc"
    binary = simulated(tmp_path / "binary", tran)
    batch = simulated(tmp_path / "batch", f".options filetype=ascii\n{tran}")
    command = simulated(tmp_path / "write", script, script=True)
    for style, folder in (("Binary", "binary"), ("Values", "batch"), ("Values", "write")):
        assert f"\n{style}:\n".encode() in (tmp_path / folder / "out.raw").read_bytes()
    for plot in (binary, batch, command):
        assert (plot.title, plot.name, plot.flags) == ("* divider", "Transient Analysis", "real")
        assert plot.variables[0] == Variable("time", "time")
        # Second-order steps of RC/100 on an exponential: (1/100)^2/12 of its size, and a start of first order.
        exact = 1.0 - np.exp(-plot.column("time") / 1.0e-3)
        np.testing.assert_allclose(plot.column("v(b)"), exact, rtol=0.0, atol=1e-5)
        np.testing.assert_allclose(plot.column("i(v1)"), (plot.column("v(b)") - 1.0) / 1e3, rtol=0.0, atol=1e-11)
    for plot in (batch, command):
        np.testing.assert_allclose(plot.data, binary.data, rtol=1e-15, atol=0.0)  # text holds 16 digits


@pytest.mark.usefixtures("ngspice")
@pytest.mark.parametrize("style", ["binary", "ascii"])
def test_complex_values_of_ngspice_are_read(tmp_path: Path, style: str) -> None:
    plot = simulated(tmp_path, f".options filetype={style}\n.ac dec 3 1.0 1.0e4")
    assert plot.flags == "complex"
    assert plot.variables[0] == Variable("frequency", "frequency")
    frequency = plot.column("frequency").real
    np.testing.assert_allclose(frequency[[0, -1]], [1.0, 1e4], rtol=1e-12)
    exact = 1.0 / (1.0 + 2j * np.pi * frequency * 1.0e-3)
    np.testing.assert_allclose(plot.column("v(b)"), exact, rtol=1e-12)  # a 2 x 2 linear system, in doubles


@pytest.mark.usefixtures("ngspice")
def test_several_analyses_of_ngspice_are_read(tmp_path: Path) -> None:
    with pytest.raises(DeckError, match="found 3 analyses"):
        simulated(tmp_path, ".ac dec 1 1.0 100.0\n.op\n.dc v1 0.0 1.0 0.5")
    plots = read(tmp_path / "out.raw")
    assert [(plot.name, plot.flags, len(plot.data)) for plot in plots] == [
        ("AC Analysis", "complex", 3),
        ("DC transfer characteristic", "real", 3),
        ("Operating Point", "real", 1),
    ]
    np.testing.assert_allclose(plots[1].column("v(b)"), [0.0, 0.5, 1.0], rtol=1e-9)  # gmin of 1e-12 at 1 kOhm
