"""Faults of a board's parts, by the static equation and in ngspice; what is not known never counts as done."""

from __future__ import annotations

import numpy as np
import pytest

from hopfield_hw.board import Board
from hopfield_hw.parts import Resistor, VoltageSource
from hopfield_hw.production import faults as module
from hopfield_hw.production.circuit_faults import OPEN, SHORT, left_out_of, list_faults
from hopfield_hw.production.faults import FaultEffects, find_fault_effects
from hopfield_hw.production.tasks import Pattern
from hopfield_hw.values.errors import InputError, SimulatorError

TASK = Pattern(signs=[1, -1])
PARTS = ("R_syn_0_1", "R_x_0", "R_inv_v_1_in", "C_x_0", "X_v_0_pair", "X_x_1", "R_v_0_swing", "Q_v_0_tail")


@pytest.fixture(scope="module")
def by_equation(board: Board) -> FaultEffects:
    return find_fault_effects(board, TASK)


@pytest.fixture(scope="module")
def by_ngspice(board: Board) -> FaultEffects:
    return find_fault_effects(board, TASK, parts=PARTS, engine="ngspice", workers=2)


def test_faults_are_sorted_by_effect_and_a_dead_amplifier_fails(by_equation: FaultEffects) -> None:
    margins = [e.margin for e in by_equation.effects if not np.isnan(e.margin)]
    assert margins == sorted(margins)
    dead = [e for e in by_equation.effects if e.kind == "dead"]
    assert sorted(e.part.split(" at ")[0] for e in dead) == ["X_v_0_pair"] * 3 + ["X_v_1_pair"] * 3
    assert sum(e.effect == "fails" for e in dead) >= 4
    assert by_equation.left_out
    assert "test point" in str(by_equation)


def test_both_engines_find_the_same_effects(by_equation: FaultEffects, by_ngspice: FaultEffects) -> None:
    expected = {(e.part, e.kind): e for e in by_equation.effects}
    common = [(e, expected[e.part, e.kind]) for e in by_ngspice.effects if (e.part, e.kind) in expected]
    assert len(common) == 17
    for found, known in common:
        assert found.effect == known.effect, (found.part, found.kind)
        np.testing.assert_allclose(found.margin, known.margin, atol=0.01 * by_equation.nominal)
    assert by_ngspice.nominal == pytest.approx(by_equation.nominal, rel=0.01)
    assert by_ngspice.not_run == ()


def test_ngspice_knows_faults_that_the_equation_leaves_out(by_equation: FaultEffects, by_ngspice: FaultEffects) -> None:
    effects = {(e.part, e.kind): e for e in by_ngspice.effects}
    only = set(effects) - {(e.part, e.kind) for e in by_equation.effects}
    assert {("C_x_0", "open"), ("C_x_0", "short"), ("Q_v_0_tail", "short"), ("X_x_1 at 0 V", "dead")} <= only
    # Without its capacitor a neuron is fast and ends where it did; with one of ten times it still moves at the end.
    assert effects["C_x_0", "open"].margin == pytest.approx(by_ngspice.nominal, rel=0.01)
    assert effects["C_x_0", "short"].effect == "fails"
    assert effects["C_x_0", "times ten"].effect == "undecided"
    assert min(e.margin for (part, _), e in effects.items() if part.startswith("X_x_1")) < 0.0


def test_a_fault_changes_the_devices_that_it_names_alone(board: Board) -> None:
    found = {(fault.part, fault.kind): fault for fault in list_faults(board.circuit)}
    before = {d.name: d for d in board.circuit.devices}

    def changed(part: str, kind: str) -> dict[str, object]:
        circuit = found[part, kind].change(board.circuit)  # type: ignore[index]
        return {d.name: d.part for d in circuit.devices if d != before[d.name]}

    assert changed("R_x_0", "open") == {"R_x_0": Resistor(OPEN)}
    assert changed("C_x_0", "short") == {"C_x_0": Resistor(SHORT)}
    assert changed("X_x_0 at 0 V", "dead") == {"X_x_0": VoltageSource(0.0)}
    swap = next(fault for fault in found.values() if fault.kind == "swapped")
    one, _, other = swap.part.split()
    assert changed(swap.part, "swapped") == {one: before[other].part, other: before[one].part}
    assert left_out_of(board.circuit) == {"parts across the supplies, which are ideal sources": 6}


def test_a_fault_that_ngspice_does_not_run_is_never_done(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = module.simulate_board
    calls: list[str] = []

    def broken(*given: object, **how: object) -> object:
        calls.append("run")
        if len(calls) == 2:
            raise SimulatorError("time step too small")
        return runs(*given, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "simulate_board", broken)
    found = find_fault_effects(board, TASK, kinds=["open", "by ten"], parts=["C_x_0"], engine="ngspice")
    assert [(e.kind, e.effect) for e in found.effects] == [("open", "not run"), ("by ten", "done")]
    assert found.failing == found.not_run == found.effects[:1]
    assert "time step too small" in str(found)


def test_a_margin_of_next_to_nothing_is_not_done(by_ngspice: FaultEffects) -> None:
    assert all(e.margin > 0.01 * by_ngspice.nominal for e in by_ngspice.effects if e.effect == "done")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"kinds": ["loose"]}, "`kinds` holds 'loose': must be open, short, times ten, by ten, swapped, dead"),
        ({"parts": ["R_none"]}, "`parts` holds 'R_none': must be names of the board's parts"),
        (
            {"kinds": []},
            "`kinds`, `parts`: leave no fault that the engine equation knows; give others, or the engine ngspice",
        ),
        ({"kinds": ["open"], "parts": ["C_x_0"]}, "leave no fault that the engine equation knows"),
        (
            {"parts": ["C_decoupling_p_0"], "engine": "ngspice"},
            "leave no fault that the engine ngspice knows; give others$",
        ),
        ({"engine": "xyce"}, "`engine` = 'xyce': must be equation or ngspice"),
    ],
)
def test_bad_input_is_refused(board: Board, given: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        find_fault_effects(board, TASK, **given)  # type: ignore[arg-type]
