"""Tasks: margins from waveforms, and when a board is undecided."""

from __future__ import annotations

import numpy as np
import pytest

from hopfield_hw.problems import Settled, Visited
from hopfield_hw.production.tasks import Answered, Code, Mask, Optimum, Pattern, Task, Waves
from hopfield_hw.values.errors import InputError, Unrealisable

TIMES = np.linspace(0.0, 1.0, 101)


def waves(*outputs: list[float]) -> Waves:
    """Return boards that are at rest from the start."""
    held = np.tile(np.array(outputs), (TIMES.size, 1, 1))
    return Waves(TIMES, held, held, 2.0)


def test_the_margin_of_a_pattern_is_its_least_output_with_the_right_sign() -> None:
    task = Pattern(signs=[1, -1, 0])
    np.testing.assert_allclose(task.judge(waves([0.5, -0.2, 9.0], [0.5, 0.1, 0.0])), [0.2, -0.1])


def test_the_margin_of_a_code_is_from_the_middle() -> None:
    task = Code(inputs=[1.0, 2.0], bits=[[1, 0], [0, 1]], middle=0.5)
    np.testing.assert_allclose(task.judge(waves([0.9, 0.2]), 0), [0.3])
    np.testing.assert_allclose(task.judge(waves([0.9, 0.2]), 1), [-0.4])


def test_an_optimum_is_judged_by_what_outputs_decode_to() -> None:
    task = Optimum(objective=lambda v: np.where(v[:, 0] > 0.0, 3.0, np.nan), best=3.0, tolerance=0.5)
    assert task.judge(waves([1.0], [-1.0])).tolist() == [0.5, -1e300]


def test_a_mask_takes_the_worst_output() -> None:
    nominal = np.stack([np.sin(TIMES), TIMES], axis=1)
    task = Mask(times=TIMES, outputs=nominal, band=0.1)
    moved = np.stack([nominal, nominal + np.array([0.0, 0.2])], axis=1)
    np.testing.assert_allclose(task.judge(Waves(TIMES, moved, moved, 1.0)), [0.1, -0.1], atol=1e-12)


def test_what_still_moves_or_breaks_off_is_undecided() -> None:
    moving = np.stack([np.ones((TIMES.size, 1)), TIMES[:, np.newaxis], np.ones((TIMES.size, 1))], axis=1)
    moving[50:, 2] = np.nan
    found = Waves(TIMES, moving, moving, 2.0)
    assert np.isnan(Pattern(signs=[1]).judge(found)).tolist() == [False, True, True]


def test_settling_is_counted_from_where_outputs_stay() -> None:
    wave = np.where(TIMES < 0.3, 0.0, 1.0)[:, np.newaxis, np.newaxis]
    np.testing.assert_allclose(Waves(TIMES, wave, wave, 1.0).settling(), [0.3])


def test_what_a_design_expects_is_a_task_on_the_boards_scale() -> None:
    expected = Settled((1.0, 0.0), 0.1)
    task = Answered(expected=expected, seconds=2.0, state_volts=3.0, output_volts=4.0, labels=("0", "1"))
    np.testing.assert_allclose(task.judge(waves([4.0, 0.2], [4.0, 0.8])), [0.05, -0.1])


def test_bad_tasks_are_refused() -> None:
    with pytest.raises(InputError, match=r"^`Pattern.signs`: must be \+1, -1 or 0 for each output, and not all 0$"):
        Pattern(signs=[0, 0])
    with pytest.raises(InputError, match=r"^`Code.bits`: must be 0 and 1$"):
        Code(inputs=[1.0], bits=[[0.5]], middle=0.5)
    with pytest.raises(InputError, match=r"^task: has 2 signs for 1 outputs$"):
        Pattern(signs=[1, 1]).judge(waves([1.0]))


def test_slopes_of_margins_are_central_differences() -> None:
    rng = np.random.default_rng(4)
    shape = (TIMES.size, 1, 3)
    outputs = np.sin(TIMES)[:, np.newaxis, np.newaxis] * np.array([0.5, -0.8, 0.3]) + 0.1 * rng.normal(size=shape)
    settled = Settled(outputs=(0.2, -0.3, 0.4), tolerance=0.05)
    tasks: list[Task] = [
        Pattern(signs=[1, -1, 0], middle=0.1),
        Code(inputs=[1.0], bits=[[1, 0, 1]], middle=0.5),
        Mask(times=TIMES, outputs=0.9 * outputs[:, 0] + 0.01, band=0.1),
        Answered(expected=settled, seconds=1.0, state_volts=1.0, output_volts=2.0, labels=("a", "b", "c")),
    ]
    way = rng.normal(size=shape)
    for task in tasks:
        slopes = task.slopes(Waves(TIMES, outputs, outputs, 2.0), 0)
        moved = [task.margins(Waves(TIMES, outputs, outputs + sign * 1e-6 * way, 2.0), 0)[0] for sign in (1.0, -1.0)]
        expected = (moved[0] - moved[1]) / 2e-6
        assert abs(expected) > 1e-3
        assert np.sum(slopes * way[:, 0]) == pytest.approx(expected, rel=1e-6)
    visited = Answered(
        expected=Visited(pieces=((0.0, 1.0),), codes=((1,),), dwell=0.1),
        seconds=1.0,
        state_volts=1.0,
        output_volts=1.0,
        labels=("a",),
    )
    with pytest.raises(Unrealisable, match=r"^task Answered: its margin has no derivative; judge samples of boards"):
        visited.slopes(waves([1.0]), 0)
