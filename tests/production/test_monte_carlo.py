"""Monte Carlo of boards: yields, what matters, files to go on from, centering, starts."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hopfield_hw as hh
from hopfield_hw.board import Board, design_board
from hopfield_hw.production.improve import center_board, part_sensitivities, resistor_grades
from hopfield_hw.production.monte_carlo import monte_carlo
from hopfield_hw.production.startup import simulate_starts, with_preset
from hopfield_hw.production.tasks import Optimum, Pattern
from hopfield_hw.production.usual import usual_tolerances
from hopfield_hw.tolerance import Rule, Tolerances, Uniform
from hopfield_hw.values.errors import InputError, Unrealisable

TASK = Pattern(signs=[1, -1])


def test_the_numbers_do_not_depend_on_workers_or_on_how_many_samples_there_are(board: Board) -> None:
    one = monte_carlo(board, task=TASK, samples=40, seed=5, engine="equation", workers=1)
    again = monte_carlo(board, task=TASK, samples=40, seed=5, engine="equation", workers=3)
    np.testing.assert_array_equal(one.margins, again.margins)
    assert one.yielded.count + one.yielded.undecided <= 40
    assert "yield" in str(one)
    assert 0.0 < one.power.min() < one.power.max() < 2.0


def test_a_study_goes_on_from_its_file_with_the_same_numbers(board: Board, tmp_path: Path) -> None:
    path = tmp_path / "samples.jsonl"
    whole = monte_carlo(board, task=TASK, samples=6, seed=2, engine="ngspice", workers=1, t_stop=3e-4, resume=path)
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:4]) + lines[4][:20])  # killed while it wrote
    counted: list[tuple[int, int]] = []
    rest = monte_carlo(
        board,
        task=TASK,
        samples=6,
        seed=2,
        engine="ngspice",
        workers=2,
        t_stop=3e-4,
        resume=path,
        progress=lambda done, of: counted.append((done, of)),
    )
    np.testing.assert_array_equal(whole.margins, rest.margins)
    np.testing.assert_array_equal(whole.energy, rest.energy)
    assert counted == [(4, 6), (5, 6), (6, 6)]
    assert len(path.read_text().splitlines()) == 7


def test_files_of_other_studies_are_refused(board: Board, tmp_path: Path) -> None:
    path = tmp_path / "samples.jsonl"
    how: dict[str, Any] = {"task": TASK, "samples": 2, "engine": "equation", "resume": path, "workers": 1}
    monte_carlo(board, seed=2, **how)
    with pytest.raises(InputError) as caught:
        monte_carlo(board, seed=3, **how)
    assert str(caught.value) == (
        f"`resume` = {str(path)!r}: is of another study (it differs in seed); give a new one, or the same arguments as "
        "before"
    )
    lines = path.read_text().splitlines()
    entry = json.loads(lines[1])
    for damage, message in (
        ({**entry, "block": 7}, "block 7 is damaged (ValueError('no block has the number 7'))"),
        (
            {**entry, "margins": [0.1]},
            "block 0 is damaged (ValueError('the figures of a block are of different samples'))",
        ),
        ({"block": 0}, "block 0 is damaged (KeyError('margins'))"),
    ):
        path.write_text("\n".join([lines[0], json.dumps(damage), ""]))
        with pytest.raises(InputError) as caught:
            monte_carlo(board, seed=2, **how)
        assert str(caught.value) == (f"`resume` = {str(path)!r}: {message}; remove its line, and it is made again")
    path.write_text(lines[0] + "\n" + lines[1][:40] + "\n")
    with pytest.raises(InputError, match="line 2 is damaged; remove it and those behind it"):
        monte_carlo(board, seed=2, **how)
    path.write_text(json.dumps({"format": "else"}) + "\n")
    with pytest.raises(InputError, match="is no file of samples of boards; give the path of one, or of a new file"):
        monte_carlo(board, seed=2, **how)


def test_the_part_that_matters_is_found(board: Board) -> None:
    rules = [Rule(distribution=Uniform(tolerance=0.3), name="R_x_0")]
    found = monte_carlo(
        board,
        task=TASK,
        samples=200,
        seed=1,
        tolerances=Tolerances(resistors=0.001, rules=rules),
        engine="equation",
        workers=1,
    )
    assert found.influences()[0].name == "R_x_0.resistance"


def test_bad_arguments_are_refused(board: Board) -> None:
    with pytest.raises(InputError, match=r"^monte_carlo: nothing varies: all tolerances are 0; give some$"):
        monte_carlo(board, task=TASK, tolerances=Tolerances())
    with pytest.raises(InputError, match=r"^monte_carlo: `tolerances` = 0.01: must be Tolerances, such as"):
        monte_carlo(board, task=TASK, tolerances=0.01)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"^monte_carlo: `engine` = 'spice': must be ensemble, equation or ngspice$"):
        monte_carlo(board, task=TASK, engine="spice")  # type: ignore[arg-type]


def test_a_board_off_its_center_is_centered(board: Board) -> None:
    network = replace(board.network, bias=[-0.5e-6, 0.5e-6], initial=[0.0, 0.0])
    weak = design_board(replace(network, gain=hh.Tanh(gain=0.7)), t_stop=1e-3)
    tolerances = replace(usual_tolerances(weak), resistors=0.02)
    found = center_board(
        weak, Pattern(signs=[-1, 1]), tolerances=tolerances, groups="roles", samples=60, fresh=60, steps=3, seed=1
    )
    assert found.after.value >= found.before.value
    assert set(found.factors) == {"weights", "bias", "resistance"}
    assert "yield before" in str(found)


def test_grades_of_resistors_are_chosen_by_what_the_margin_leaves(board: Board) -> None:
    found = resistor_grades(board, TASK)
    assert found.lost <= found.margin
    assert sum(found.counts.values()) == len(found.names)


def test_gradients_of_the_whole_circuit_are_sensitivities_of_the_equation(board: Board) -> None:
    """Within 2% of the largest; parts that the curve's flat ends hide from the equation move the circuit by less."""
    pytest.importorskip("numba")
    found = [part_sensitivities(board, TASK, engine=engine) for engine in ("equation", "ensemble")]
    assert found[0].names == found[1].names
    assert found[1].margin == pytest.approx(found[0].margin, rel=2e-3)
    largest = np.max(np.abs(found[0].relative))
    assert largest > 1.0
    np.testing.assert_allclose(found[1].relative, found[0].relative, atol=0.02 * largest)
    strong = np.abs(found[0].relative) > 0.1 * largest
    np.testing.assert_allclose(found[1].derivative[strong], found[0].derivative[strong], rtol=5e-3)
    with pytest.raises(InputError, match=r"^part_sensitivities: `engine` = 'ngspice': must be equation or ensemble$"):
        part_sensitivities(board, TASK, engine="ngspice")  # type: ignore[arg-type]
    with pytest.raises(Unrealisable, match=r"^task Optimum: its margin has no derivative; judge samples of boards"):
        part_sensitivities(board, Optimum(objective=lambda v: v[:, 0], best=0.0), engine="ensemble")


def test_a_preset_starts_the_board_where_it_is_told(board: Board) -> None:
    preset = with_preset(board, [-1.0, 1.0])
    np.testing.assert_allclose(preset.states, [-1.0, 1.0], rtol=0.02)
    chosen = board.with_circuit(board.circuit)
    found = simulate_starts(chosen, "preset", seed=1, t_stop=5e-4)
    assert found.was_predicted.all()
    assert found.signs.tolist() == [[1.0, -1.0]]


def test_what_a_ramp_leaves_follows_from_the_parts(board: Board) -> None:
    found = simulate_starts(board, "ramp", seed=2, samples=3, ramp=2e-4, t_stop=4e-4)
    assert found.left.shape == found.found.shape == (3, 2)
    # Of what differs between boards a fifth at most is left unexplained; in 100 boards of verify_yield it is a tenth.
    off = np.sqrt(np.mean((found.left - found.found) ** 2))
    assert off < 0.2 * np.std(found.found, axis=0).min()
    assert found.was_predicted.all()


def test_a_start_of_no_kind_is_refused(board: Board) -> None:
    with pytest.raises(InputError, match="`how` = 'slow': must be one of preset, reset, ramp"):
        simulate_starts(board, "slow", seed=1)  # type: ignore[arg-type]
