"""What differs in curves, supplies or models alone is no agreement."""

from __future__ import annotations

from pathlib import Path

import pytest

import hopfield_hw as hh
from hopfield_hw.cli import run
from hopfield_hw.extraction import compare, extract
from hopfield_hw.values.errors import SimulatorMissing

BOARDS = Path(__file__).parent / "boards"
NET = hh.Network(
    weights=[[0.0, -2e-5], [3e-5, 0.0]], resistance=1e4, capacitance=1e-7, gain=hh.Tanh(gain=5.0, amplitude=2.0)
)


def _deck_with_half_the_swing() -> tuple[str, str]:
    good = hh.lower(NET, cell="hopfield_tank").netlist()
    bad = good.replace("V=2.0*tanh(5.0/2.0*v(x_0))", "V=1.0*tanh(5.0/1.0*v(x_0))")
    assert bad != good
    return good, bad


def test_a_curve_of_another_swing_is_no_agreement() -> None:
    """Its slope at rest is the same, and so is all else."""
    good, bad = _deck_with_half_the_swing()
    found = extract(bad, verify=False).diff(NET)
    assert not found.agrees
    assert [each.name for each in found.deviations] == ["swing of the curve of 0"]
    named = compare(bad, good)
    assert [finding.devices for finding in named.findings] == [("b_v_0",)]
    assert extract(good, verify=False).diff(NET).agrees
    assert compare(good, good).agrees


@pytest.mark.parametrize(
    ("board", "old", "new", "device"),
    [("tank_three", "VCC vp 0 12", "VCC vp 0 9", "vcc"), ("zener_clamp", "Bv=5.1", "Bv=3.3", "")],
)
def test_another_supply_or_model_is_no_agreement(board: str, old: str, new: str, device: str, tmp_path: Path) -> None:
    seen = 0
    for name, source in (("parts.lib", "parts.lib"), ("bad.cir", f"{board}.cir")):
        text = (BOARDS / source).read_text()
        seen += text.count(old)
        (tmp_path / name).write_text(text.replace(old, new))
    assert seen == 1
    found = compare(tmp_path / "bad.cir", BOARDS / f"{board}.cir")
    assert not found.agrees
    assert not device or (device,) in [finding.devices for finding in found.findings]


def test_a_deck_that_was_not_run_has_not_passed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def missing() -> None:
        raise SimulatorMissing("ngspice: missing")

    deck = tmp_path / "deck.cir"
    deck.write_text(hh.lower(NET, cell="ideal").netlist())
    assert run(["extract", str(deck)]) == 0
    monkeypatch.setattr("hopfield_hw.extraction.entry.find", missing)
    assert run(["extract", str(deck)]) == 3
