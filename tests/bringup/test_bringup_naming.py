"""Faults of boards that ngspice runs, with drawn parts and 1% noise, named from what is read at the test points.

`tests/verify_bringup.py` has many.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from measured_boards import Planted, draw_fault, exchange_inputs, measure

from hopfield_hw.bringup import BringUp, BringUpComparison, Meter, Outside, compare_measurement, read_measurement
from hopfield_hw.bringup.bench import static_switches
from hopfield_hw.bringup.blocks import Trial, solve, split_board
from hopfield_hw.bringup.measured import Reading
from hopfield_hw.bringup.naming import Dictionary
from hopfield_hw.circuit import Circuit
from hopfield_hw.parts import Resistor
from hopfield_hw.values.errors import InputError
from hopfield_hw.verification import Suspect


def with_resistance(name: str, factor: float) -> Planted:
    def change(circuit: Circuit) -> Circuit:
        def changed(part: Resistor) -> Resistor:
            return replace(part, resistance=part.resistance * factor)

        return replace(
            circuit,
            devices=tuple(d._replace(part=changed(d.part)) if d.name == name else d for d in circuit.devices),
        )

    return Planted("value", (name,), f"{name} x {factor}", change)


def examine(table: BringUp, planted: Planted | None, seed: int) -> BringUpComparison:
    return compare_measurement(table, read_measurement(measure(table, planted, seed), table))


@pytest.mark.parametrize(
    ("name", "factor", "words"),
    [("R_syn_2_1", 1e9, "R_syn_2_1 is open"), ("R_v_3_offset", 0.1, "R_v_3_offset is a tenth of its value")],
)
def test_a_resistor_is_named(table: BringUp, name: str, factor: float, words: str) -> None:
    found = examine(table, with_resistance(name, factor), 11)
    assert not found.passed
    assert found.explained
    assert found.suspects[0].devices[0] == name
    assert words in found.suspects[0].change
    assert found.suspects[0].explained > 0.9


def test_exchanged_inputs_and_a_dead_section_are_named(table: BringUp) -> None:
    turned = Planted("inputs", ("X_x_1",), "", lambda c: exchange_inputs(c, "X_x_1"))
    found = examine(table, turned, 12)
    assert found.suspects[0].devices == ("X_x_1",)
    assert found.suspects[0].neuron == "1"
    assert "inputs exchanged" in found.suspects[0].change
    dead = draw_fault(table.board, "dead", np.random.default_rng(3))
    assert examine(table, dead, 13).suspects[0].devices == dead.devices


def test_a_part_that_no_voltage_tells_from_another_is_named_with_it(table: BringUp) -> None:
    # Twice a resistance of a pair in parallel is the same whichever of the two is short.
    found = examine(table, with_resistance("R_v_2_top", 1e-6), 14)
    assert set(found.suspects[0].devices) == {"R_v_2_top", "R_v_2_top_and"}
    assert "; or " in found.suspects[0].change


def test_a_good_board_passes_and_nothing_is_named(table: BringUp) -> None:
    found = examine(table, None, 15)
    assert found.passed
    assert not found.suspects
    assert ("fault", "none is seen") in found.rows()


def test_two_faults_are_not_explained_by_one(table: BringUp) -> None:
    def both(circuit: Circuit) -> Circuit:
        for one in (with_resistance("R_inv_v_0_in", 10.0), with_resistance("R_syn_2_1", 1e9)):
            circuit = one.change(circuit)
        return circuit

    found = examine(table, Planted("two", (), "", both), 16)
    assert not found.explained
    assert any("no fault of one part explains it" in said for _, said in found.rows())


def test_each_block_alone_gives_what_the_whole_board_gives(table: BringUp) -> None:
    measured = {point.name: table.volts[:, p] for p, point in enumerate(table.points)}
    dictionary = Dictionary(
        bench=table.bench,
        conditions=table.conditions,
        measured=measured,
        meter=Meter(),
        tolerances=table.tolerances,
        seed=1,
    )
    assert len(dictionary.blocks) == 15  # op-amps
    for block in dictionary.blocks:
        read = dictionary.read(block)
        trials = [Trial({}, c) for c in range(len(table.conditions))]
        on = [one.held for one in table.conditions]
        end = 5.0 * table.board.t_stop
        alone = solve(block, trials, dictionary.held(block), np.zeros_like(read), on, end)
        assert np.max(np.abs(alone - read)) < 2e-3, block.output


def test_every_part_but_supplies_lies_in_a_block(table: BringUp) -> None:
    circuit = static_switches(table.bench.circuit)
    blocks = split_board(circuit, {point.name for point in table.points})
    inside = {d.name for block in blocks for d in block.parts} | {block.op_amp for block in blocks}
    left = {d.name for d in circuit.devices if d.part.physical} - inside
    assert all(name.startswith("C_decoupling") for name in left), left


def test_few_readings_are_compared_and_little_is_named(table: BringUp) -> None:
    p, c = table.point("v_0"), table.condition("reset")
    assert p is not None
    assert c is not None
    good = compare_measurement(table, [Reading(p, c, float(table.volts[c, p]), 2)])
    assert good.verdict == "incomplete"
    assert not good.passed
    assert ("readings", f"1 of {5 * len(table.points)}, 0 outside of their bands") in good.rows()
    assert good.rows()[-1] == ("fault", "none is seen in what was read")
    bad = compare_measurement(table, [Reading(p, c, float(table.volts[c, p]) + 3.0, 2)])
    assert [one.point for one in bad.outside] == ["v_0"]
    assert bad.outside[0].condition == "reset"
    assert bad.verdict == "failed"


def test_one_point_that_no_fault_explains_is_to_be_read_again(table: BringUp) -> None:
    c = table.condition("reset")
    assert c is not None
    off = tuple(Outside(point, "reset", 1.0, 0.0, 0.1) for point in ("v_0", "v_1"))
    suspect = Suspect(neuron="2", weight="w", devices=("R_syn_2_1",), explained=0.1, change="is open")
    said = "two at once, or a net that is cut or bridged"
    for outside, more in ((off[:1], "v_0 was misread (measure it again), "), (off, "")):
        found = BringUpComparison(
            table=table, readings=2, asked=2, outside=outside, suspects=(suspect,), explained=False
        )
        assert ("fault", f"no fault of one part explains it: {more}{said}") in found.rows()


def test_a_reading_beyond_the_supplies_is_in_another_unit(table: BringUp) -> None:
    p, c = table.point("v_0"), table.condition("reset")
    assert p is not None
    assert c is not None
    with pytest.raises(InputError) as refused:
        compare_measurement(table, [Reading(p, c, 4500.0, 2)])
    assert str(refused.value) == (
        "measurement: v_0 in reset is 4500 V, on supplies of 12 V and -12 V; say its unit if that is not volts, as in "
        "`4500 mV`"
    )


def test_no_readings_are_refused(table: BringUp) -> None:
    with pytest.raises(InputError, match="no readings; measure one point at least"):
        compare_measurement(table, [])


def test_a_board_calls_its_parts_as_it_is_told(table: BringUp) -> None:
    named = replace(table, references={"R_syn_2_1": "R103"})
    suspect = Suspect(neuron="2", weight="syn.weights[2, 1]", devices=("R_syn_2_1",), explained=1.0, change="is open")
    found = BringUpComparison(table=named, readings=1, asked=1, outside=(), suspects=(suspect,), explained=True)
    assert ("likeliest", "neuron 2: R103 (R_syn_2_1): is open") in found.rows()
    assert found.to_json()["suspects"][0]["references"] == ["R103"]
