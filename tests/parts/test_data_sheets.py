"""Data sheets of op-amps: those of the package, those of users, and what is refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import hopfield_hw as hh
from hopfield_hw.parts import MacroModel, as_op_amp
from hopfield_hw.parts.data_sheet import (
    CORNERS,
    FIGURES,
    FOLDER,
    LESS_IS_WORSE,
    DataSheet,
    figure_text,
    find_data_sheet,
    read_data_sheet,
    shipped_names,
    shipped_sheets,
)

SHEETS = dict(shipped_sheets())
TL074 = (FOLDER / "tl074.toml").read_text(encoding="utf-8")
FEWEST_READ = 13  # figures of each sheet that stand on a page


def test_the_parts_are_known() -> None:
    assert list(SHEETS) == ["LM358", "MCP6002", "NE5532", "OP07", "OPA2134", "TL074", "TL074H"]
    names = [name.lower() for sheet in SHEETS.values() for name in (sheet.name, *sheet.also)]
    assert len(names) == len(set(names)) == len(shipped_names())


@pytest.mark.parametrize("sheet", SHEETS.values(), ids=SHEETS)
def test_every_figure_says_where_it_is_from(sheet: DataSheet) -> None:
    assert set(sheet.figures) == set(FIGURES)
    for figure in sheet.figures.values():
        assert bool(figure.page) or bool(figure.estimate)
        assert bool(figure.sheet) == bool(figure.page)
        assert figure.source
    read = [name for name, figure in sheet.figures.items() if figure.page]
    assert len(read) >= FEWEST_READ
    assert all(document.seen for document in sheet.sheets.values())


def test_figures_of_the_tl074_are_those_of_its_sheet() -> None:
    """Motorola, page 3: V_IO 3 (10) mV, I_IB 30 (200) pA, A_VOL 25, 150 V/mV, SR 13 V/us, 28 V peak to peak."""
    sheet = find_data_sheet("TL074")
    offset, gain = sheet.figure("offset"), sheet.figure("gain")
    assert (offset.minimum, offset.typical, offset.maximum, offset.unit) == (None, 3e-3, 10e-3, "V")
    assert (gain.minimum, gain.typical, gain.maximum) == (25e3, 150e3, None)
    assert sheet.figure("bias_current").at("maximum") == 200e-12
    assert offset.source == "TL071C, page 3"
    model = sheet.model()
    # 14 V into 10 kOhm, at 1.4 mA; as ST states it 13.5 V and 12 V are 1.5 V in 4.65 mA apart.
    assert model.swing(14.0 / 1e4)[1] == pytest.approx(14.0, abs=1e-3)
    assert model.swing(1.35e-3)[1] - model.swing(6e-3)[1] == pytest.approx(1.5, rel=1e-3)
    assert sheet.model(corner="worst").swing(12.0 / 1e4)[1] == pytest.approx(12.0, abs=1e-3)
    assert sheet.model(corner="worst").swing(10.0 / 2e3)[1] == pytest.approx(10.0, abs=1e-3)


def test_swings_of_the_others_are_those_of_their_sheets() -> None:
    """Each is converted to a headroom and ohms; put together again they give what the sheet states."""
    lm358 = find_data_sheet("LM358").model(supplies=(30.0, 0.0))
    assert [lm358.swing(volts / ohms)[1] for volts, ohms in ((28.0, 1e4), (27.0, 2e3))] == pytest.approx(
        [28.0, 27.0], abs=2e-3
    )
    opa = find_data_sheet("OPA2134").model()
    assert [opa.swing(volts / ohms)[1] for volts, ohms in ((13.8, 1e4), (13.5, 2e3))] == pytest.approx(
        [13.8, 13.5], abs=2e-3
    )
    assert [opa.swing(volts / ohms)[0] for volts, ohms in ((-14.5, 1e4), (-13.8, 2e3))] == pytest.approx(
        [-14.5, -13.8], abs=2e-3
    )
    mcp = find_data_sheet("MCP6002").model()
    assert mcp.swing(2.725 / 1e4)[1] == pytest.approx(2.725, abs=1e-3)
    ne5532 = find_data_sheet("NE5532").model()
    assert [ne5532.swing(volts / ohms)[1] for volts, ohms in ((14.05, 1e3), (14.3, 3e3))] == pytest.approx(
        [14.05, 14.3], abs=2e-3
    )


@pytest.mark.parametrize("name", FIGURES)
def test_corners_bound_the_typical_figure(name: str) -> None:
    for sheet in SHEETS.values():
        values = {corner: float(getattr(sheet.model(corner=corner), name)) for corner in CORNERS}
        low, typical, high = (abs(values[corner]) for corner in ("minimum", "typical", "maximum"))
        assert min(low, high) <= typical <= max(low, high)
        assert low <= typical <= high or values["typical"] <= 0.0
        assert values["worst"] == values["minimum" if name in LESS_IS_WORSE else "maximum"]


def test_a_part_is_an_op_amp_by_its_name_in_any_case() -> None:
    sheet = find_data_sheet("tl072")
    assert sheet.name == "TL074"
    assert as_op_amp("Tl074").model == as_op_amp("tl072").model == sheet.model()
    assert as_op_amp("TL072H").model != as_op_amp("TL072").model
    net = hh.Network(weights=[[0.0]], resistance=1e4, capacitance=1e-8)
    text = hh.lower(net, cell="inverting_integrator", op_amp="TL074").netlist()
    assert re.search(r"(?m)^X_x_0 0 x_sum_0 xn_0 supply_plus supply_minus tl074_\w{8}$", text)


def test_a_model_has_the_rails_that_are_asked_for() -> None:
    sheet = find_data_sheet("LM358")
    assert sheet.model().supplies == {"supply_plus": 15.0, "supply_minus": -15.0}
    model = sheet.model(supplies=(5.0, 0.0))
    assert model.supplies == {"supply_plus": 5.0, "supply_minus": 0.0}
    assert model.nominal_supply == 30.0
    assert isinstance(model, MacroModel)


def test_a_sheet_of_a_user_is_read_as_those_of_the_package_are(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(TL074, encoding="utf-8")
    assert hh.read_data_sheet(path) == read_data_sheet(str(path)) == find_data_sheet("TL074")
    path.write_text(TL074.replace('typ = "13M"', "typ = 12e6"), encoding="utf-8")
    assert hh.read_data_sheet(path).model().slew_rate == 12e6


def test_figures_are_written_as_people_write_them() -> None:
    found = [figure_text(*one) for one in ((13e6, "V/s"), (86.0, "dB"), (45.0, "deg"), (-20e-9, "A"), (1e-30, "V"))]
    assert found == ["13 V/us", "86 dB", "45 deg", "-20 nA", "0 V"]
    assert figure_text(float("inf"), "V/s") == "inf V/s"


def changed(old: str, new: str) -> str:
    assert TL074.count(old) >= 1, old
    return TL074.replace(old, new, 1)


REFUSED = {
    "not TOML": ("name = ", "is not TOML (Invalid value (at end of document))"),
    "unknown key": (
        f"colour = 1\n{TL074}",
        "key 'colour' is unknown: must be one of also, amplifiers, beyond_common_mode, conditions, figures, name, "
        "packages, sheet, sheets, supplies, what",
    ),
    "missing key": (
        changed("amplifiers = 4\n", ""),
        "`amplifiers` is missing: must have name, what, amplifiers, supplies, beyond_common_mode, sheet, figures",
    ),
    "wrong type": (changed("amplifiers = 4", 'amplifiers = "four"'), "`amplifiers` = 'four': must be of type integer"),
    "key of a figure": (
        changed('typ = "3mV"', 'typical = "3mV"\ntyp = 1'),
        "key 'figures.offset.typical' is unknown: must be one of figures.offset.estimate, figures.offset.max, "
        "figures.offset.min, figures.offset.note, figures.offset.page, figures.offset.sheet, figures.offset.typ; did "
        "you mean 'figures.offset.typ'?",
    ),
    "no typical value": (changed('typ = "3mV"\n', ""), "`figures.offset.typ` is missing: must have typ"),
    "another unit": (
        changed('typ = "3mV"', 'typ = "3mA"'),
        "`figures.offset.typ` = '3mA': is in amperes: must be in volts",
    ),
    "no source": (
        changed('max = "10mV"\npage = 3', 'max = "10mV"'),
        "`figures.offset` has no source: must have a `page` (and a `sheet`), or an `estimate` that says why",
    ),
    "unknown sheet": (
        changed('sheet = "ST"', 'sheet = "TI"'),
        "`figures.phase_margin.sheet` 'TI' is unknown: must be one of ST",
    ),
    "bounds out of order": (
        changed('max = "10mV"', 'max = "1mV"'),
        "`figures.offset` has typ 0.003, max 0.001: must rise from min over typ to max (in size, where all are "
        "negative)",
    ),
    "figure missing": (
        changed('[figures.load]\ntyp = "2k"\npage = 3\nnote = "of the gain"\n', ""),
        "`figures.load` is missing: state it, or estimate it and say why",
    ),
    "unknown figure": (
        changed("[figures.load]", "[figures.loads]"),
        f"figure 'loads' is unknown: must be one of {', '.join(FIGURES)}; did you mean 'load'?",
    ),
    "supplies": (
        changed("[15.0, -15.0]", "[-15.0, 15.0]"),
        "`supplies` = [-15.0, 15.0]: must be two, volts, the upper one first",
    ),
    "beyond": (
        changed('beyond_common_mode = "reverse"', 'beyond_common_mode = "flip"'),
        "`beyond_common_mode`: 'flip' is not one of ['reverse', 'clamp', 'none']",
    ),
    "name": (changed('name = "TL074"', 'name = "74"'), "`name` = '74': must begin with a letter, and be printable"),
    "impossible figure": (
        changed("typ = 45", "typ = 95"),
        "corner typical: `MacroModel.phase_margin` = 95 deg: must be above 0 and at most 90 degrees",
    ),
}


@pytest.mark.parametrize(("text", "message"), REFUSED.values(), ids=REFUSED)
def test_a_sheet_that_is_wrong_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "own.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(hh.InputError) as refused:
        read_data_sheet(path)
    assert str(refused.value) == f"own.toml: {message}"


def test_what_is_not_there_is_refused(tmp_path: Path) -> None:
    for call, message in (
        (lambda: read_data_sheet(tmp_path / "none.toml"), "none.toml: cannot be read (No such file or directory)"),
        (lambda: read_data_sheet(3), "data sheet 3: must be the path of a TOML file"),  # type: ignore[arg-type]
        (
            lambda: find_data_sheet("TL074").figure("slew"),
            f"TL074: figure 'slew' is unknown: must be one of {', '.join(FIGURES)}; did you mean 'slew_rate'?",
        ),
        (
            lambda: find_data_sheet("TL074").model(corner="best"),  # type: ignore[arg-type]
            "TL074: corner 'best' is unknown: must be one of typical, minimum, maximum, worst",
        ),
        (
            lambda: find_data_sheet("TL074").model(supplies=(-12.0, 12.0)),
            "`TL074: supplies` = (-12.0, 12.0): must be two, volts, the upper one first",
        ),
        (
            lambda: find_data_sheet("TL704"),
            f"part 'TL704' is unknown: must be one of {', '.join(shipped_names())}; did you mean 'TL074'?; or read a "
            "sheet of your own with `read_data_sheet`",
        ),
    ):
        with pytest.raises(hh.InputError) as refused:
            call()
        assert str(refused.value) == message
