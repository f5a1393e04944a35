"""The table of a new board: the nominal voltages against ngspice and by hand, the bands against the tolerances."""

from __future__ import annotations

import numpy as np
import pytest
from measured_boards import measure, memory_board

from hopfield_hw.bringup import BringUp, Start, bring_up, find_points, make_bench, read_measurement
from hopfield_hw.production.usual import usual_tolerances
from hopfield_hw.tolerance import Tolerances
from hopfield_hw.values.errors import InputError


def volts(table: BringUp, point: str, condition: str) -> float:
    p, c = table.point(point), table.condition(condition)
    assert p is not None
    assert c is not None
    return float(table.volts[c, p])


def test_every_output_of_an_op_amp_is_a_test_point_and_every_summing_node(table: BringUp) -> None:
    names = {point.name for point in table.points}
    assert {f"{what}_{k}" for what in ("xn", "v", "vn", "x_sum", "v_collector") for k in range(4)} <= names
    assert {"reference_p", "reference_n", "level_n_2p5", "tail_line", "tail_sense"} <= names
    assert len(names) == len(table.points) == 30
    kinds = {point.name: point.kind for point in table.points}
    assert (kinds["xn_2"], kinds["v_2"], kinds["vn_2"], kinds["x_sum_2"]) == (
        "state",
        "output",
        "complement",
        "summing",
    )
    assert [c.name for c in table.conditions] == [
        "reset",
        "pattern 0 held",
        "pattern 0",
        "pattern 1 held",
        "pattern 1",
    ]


def test_the_nominal_board_is_what_hand_calculation_says(table: BringUp) -> None:
    assert volts(table, "reference_p", "reset") == pytest.approx(5.0, abs=1e-4)
    assert volts(table, "reference_n", "reset") == pytest.approx(-5.0, abs=1e-3)
    assert volts(table, "level_n_2p5", "reset") == pytest.approx(-2.5, abs=1e-3)
    # Neuron 0 is driven by -v_3 through 11 kOhm, and has a leak of 22 kOhm: x = -(22 / 11) v_3.
    at = "pattern 0"
    assert volts(table, "xn_0", at) == pytest.approx(2.0 * volts(table, "v_3", at), rel=1e-3)
    assert volts(table, "vn_0", at) == pytest.approx(-volts(table, "v_0", at), rel=1e-4)
    # Held: R_h across 22 kOhm and the capacitor, R_h from the connector, and the synapse.
    hold, at = table.bench.ohms[0], "pattern 0 held"
    across = 1.0 / (1.0 / hold + 1.0 / 22e3)
    held = -across * (0.9 / hold + volts(table, "vn_3", at) / 11e3)
    assert volts(table, "xn_0", at) == pytest.approx(held, rel=1e-3)


def test_the_nominal_board_is_what_ngspice_says(table: BringUp, ngspice: str) -> None:
    exact = bring_up(
        table.board,
        starts={"pattern 0": table.bench.starts[1].states, "pattern 1": table.bench.starts[2].states},
        tolerances=Tolerances(resistors=1e-9),
        samples=8,
    )
    readings = read_measurement(measure(exact, None, seed=1, noise=0.0), exact)
    off = [abs(one.volts - exact.volts[one.condition, one.point]) for one in readings]
    assert len(off) == exact.volts.size
    assert max(off) < 2e-3


def test_bands_grow_with_the_tolerances(table: BringUp) -> None:
    starts = {"pattern 0": table.bench.starts[1].states}
    narrow, wide = (
        bring_up(table.board, starts=starts, samples=16, tolerances=Tolerances(resistors=part)) for part in (0.01, 0.02)
    )
    p = narrow.point("reference_n")
    # The inverted reference is -5 V times the ratio of two resistors, each uniform within +-1%.
    sigma = 5.0 * np.sqrt(2.0) * 0.01 / np.sqrt(3.0)
    assert narrow.band[0, p] == pytest.approx(4.0 * sigma, rel=0.4)
    assert wide.band[0, p] == pytest.approx(2.0 * narrow.band[0, p], rel=0.02)


def test_most_boards_of_other_draws_lie_in_the_bands(table: BringUp) -> None:
    from hopfield_hw.bringup.runs import read_boards

    other = read_boards(table.bench, table.points, table.conditions, usual_tolerances(table.board), samples=24, seed=77)
    inside = np.abs(other.volts[1:] - table.volts) <= table.band
    assert np.mean(inside) > 0.99


def test_currents_settling_and_order(table: BringUp) -> None:
    assert np.all(table.empty < 1e-3)
    assert np.all((table.currents > 5e-3) & (table.currents < 50e-3))
    settled = [k for k, one in enumerate(table.conditions) if not one.held]
    assert np.all(table.settling[settled] > 0.0)
    assert np.all(table.settling[settled] < table.board.t_stop)
    assert np.isnan(table.settling[0])
    steps = table.order
    places = [
        next(k for k, step in enumerate(steps) if word in step)
        for word in ("Without power", "Without the ICs", "With the ICs", "References", "Reset", "pattern 0 held")
    ]
    assert places == sorted(places)


def test_a_reset_that_holds_nothing_is_said(table: BringUp) -> None:
    weak = make_bench(table.board, reset_ohms="10k")
    assert not weak.holds
    # R_h max|T| g'(0): 10 kOhm, 94 uS, 4.
    assert weak.loop_gain == pytest.approx(10e3 * 1.0 / 11e3 * 4.0, rel=0.05)
    assert table.bench.holds


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"starts": {"a": [1.0, 2.0]}}, "starts['a']"),
        ({"starts": {"reset": np.zeros(4)}}, "is the name of another row"),
        ({"starts": {"a/b": np.zeros(4)}}, "must be a plain name"),
        ({"starts": {}}, "must be a mapping of names to states, (4,), volts"),
        ({"starts": {"a": Start(name="a", states=np.zeros(4), inputs=1.0)}}, "has inputs, and the board none"),
        ({"reset_ohms": -1.0}, "must be one positive resistance"),
        ({"samples": 2}, "`samples` = 2"),
        ({"tolerances": 0.01}, "must be Tolerances"),
    ],
)
def test_wrong_arguments_are_refused(table: BringUp, how: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=r".") as told:
        bring_up(table.board, **how)  # type: ignore[arg-type]
    assert message in str(told.value)


def test_something_else_than_a_board_is_refused() -> None:
    with pytest.raises(InputError, match="must be a Board"):
        bring_up(7)  # type: ignore[arg-type]


def test_points_of_a_board_do_not_depend_on_its_starts(ngspice: str) -> None:
    assert len(find_points(memory_board(4).circuit)) == 30
