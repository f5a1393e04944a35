"""Schedules: their values, and the same as piecewise-linear sources."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hopfield_hw.annealing import Constant, Geometric, Linear, Power, Sawtooth, Schedule, Tabulated, as_schedule
from hopfield_hw.values.errors import InputError

SCHEDULES = {
    "constant": Constant(value=2.0),
    "linear": Linear(start=0.5, stop=3.0),
    "root": Power(start=1.0, stop=0.0, exponent=0.5),
    "square": Power(start=1.0, stop=0.25, exponent=2.0),
    "geometric": Geometric(start=0.1, stop=10.0),
    "tabulated": Tabulated(times=[0.0, 0.25, 1.0], table=[1.0, 3.0, -1.0]),
}


def test_values_at_both_ends_and_between() -> None:
    expected = {
        "constant": [2.0, 2.0, 2.0, 2.0, 2.0],
        "linear": [0.5, 1.125, 1.75, 2.375, 3.0],
        "root": [1.0, 0.75**0.5, 0.5**0.5, 0.5, 0.0],
        "square": [1.0, 0.25 + 0.75 * 0.5625, 0.4375, 0.25 + 0.75 * 0.0625, 0.25],
        "geometric": [0.1, 10**-0.5, 1.0, 10**0.5, 10.0],
        "tabulated": [1.0, 3.0, 3.0 - 4.0 / 3.0, 3.0 - 8.0 / 3.0, -1.0],
    }
    for name, schedule in SCHEDULES.items():
        np.testing.assert_allclose(schedule.values(5), expected[name], rtol=1e-14, atol=1e-15, err_msg=name)
        assert schedule.values(1)[0] == schedule.values(5)[0]


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("teeth", [1, 3])
def test_a_source_follows_the_schedule(name: str, teeth: int) -> None:
    tooth = SCHEDULES[name]
    schedule: Schedule = Sawtooth(tooth=tooth, teeth=teeth) if teeth > 1 else tooth
    times, values = schedule.points(7.0)
    assert times[0] == 0.0
    assert times[-1] == pytest.approx(7.0)
    assert np.all(np.diff(times) > 0.0)
    u = np.linspace(0.0, 1.0, 1201)
    away = (u * teeth) % 1.0 > 2e-3  # from where a tooth starts
    span = np.ptp(tooth.values(100)) or 1.0
    apart = np.abs(np.interp(7.0 * u, times, values) - schedule.at(u))[away]
    assert apart.max() < 2e-3 * span
    assert schedule.signal(7.0).size == 1


@given(teeth=st.integers(1, 9), u=st.floats(0.0, 0.999))
def test_each_tooth_is_the_whole_schedule(teeth: int, u: float) -> None:
    tooth = Linear(start=1.0, stop=5.0)
    places = (np.arange(teeth) + u) / teeth
    np.testing.assert_allclose(Sawtooth(tooth=tooth, teeth=teeth).at(places + 1e-12), 1.0 + 4.0 * u, atol=1e-8)


def test_a_sawtooth_ends_at_the_end_of_its_tooth() -> None:
    assert Sawtooth(tooth=(0.0, 1.0), teeth=4).values(2)[-1] == 1.0


def test_numbers_and_pairs_are_schedules() -> None:
    assert as_schedule(3, "gain").values(2).tolist() == [3.0, 3.0]
    assert as_schedule((1.0, 2.0), "gain").values(3).tolist() == [1.0, 1.5, 2.0]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: as_schedule("fast", "GainRamp.gain"),
            "`GainRamp.gain` = 'fast': must be a Schedule, a number, or a pair (start, stop); see "
            "hopfield_hw.annealing",
        ),
        (lambda: Geometric(start=0.0, stop=1.0), "`Geometric.start = 0.0`: must be positive"),
        (lambda: Power(start=1.0, stop=0.0, exponent=-1.0), "`Power.exponent = -1.0`: must be positive"),
        (
            lambda: Linear(start=float("nan"), stop=0.0),
            "`Linear.start = nan`: must be finite; replace missing or infinite values",
        ),
        (
            lambda: Tabulated(times=[0.0, 2.0], table=[1.0, 2.0]),
            "`Tabulated.times` = [0.0, 2.0]: must be one row that increases from 0 to 1; divide by the last time",
        ),
        (lambda: Sawtooth(tooth=1.0, teeth=0), "`Sawtooth.teeth` = 0: must be a whole number from 1 to 1000000"),
    ],
)
def test_what_is_no_schedule_is_refused(make: Any, message: str) -> None:
    with pytest.raises(InputError) as caught:
        make()
    assert str(caught.value) == message
