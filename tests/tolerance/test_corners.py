"""Worst cases against grids of the whole box, and the proofs that one corner is the worst."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest

import hopfield_hw as hh
from hopfield_hw.tolerance.corners import worst_case

NOMINAL, LOW, HIGH = np.array([1.0, 2.0, 0.5]), np.array([0.9, 1.8, 0.3]), np.array([1.1, 2.3, 0.6])


def margin(p: Any) -> Any:
    """A ratio and a product: monotone in each value over the box."""
    return p[:, 0] / p[:, 1] + p[:, 0] * p[:, 2] - 0.3


def gradient_bounds(low: Any, high: Any) -> tuple[Any, Any]:
    """Interval arithmetic of (1/p1 + p2, -p0/p1^2, p0)."""
    return (
        np.array([1.0 / high[1] + low[2], -high[0] / low[1] ** 2, low[0]]),
        np.array([1.0 / low[1] + high[2], -low[0] / high[1] ** 2, high[0]]),
    )


def least_of_a_grid(of: Any, low: Any = LOW, high: Any = HIGH, points: int = 21) -> float:
    axes = [np.linspace(a, b, points) for a, b in zip(low, high, strict=True)]
    return float(np.min(of(np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, len(axes)))))


def test_three_proofs_and_all_corners_agree_with_a_grid() -> None:
    change = np.abs(np.array(gradient_bounds(LOW, HIGH)) - np.array(gradient_bounds(NOMINAL, NOMINAL))).max(axis=0)
    found = {
        "given": worst_case(margin, NOMINAL, LOW, HIGH, signs=[1, -1, 1]),
        "intervals": worst_case(margin, NOMINAL, LOW, HIGH, gradient_bounds=gradient_bounds),
        "change": worst_case(margin, NOMINAL, LOW, HIGH, gradient_change=change),
        "corners": worst_case(margin, NOMINAL, LOW, HIGH),
    }
    for one in found.values():
        assert one.margin == pytest.approx(least_of_a_grid(margin), rel=1e-12)
        assert one.values.tolist() == [0.9, 2.3, 0.3]
        assert one.linear == pytest.approx(one.resolved + one.off)
        assert one.resolved == pytest.approx(one.margin)
        assert 0.0 < abs(one.off) < 0.05
    assert [one.basis for one in found.values()] == [
        "monotone: given",
        "monotone: proved",
        "monotone: proved",
        "all corners",
    ]
    assert [one.corners for one in found.values()] == [1, 1, 1, 8]


def bent(p: Any) -> Any:
    """Rises with the first value, then falls: its slope at the nominal value is 0.1."""
    return 1.0 - (p[:, 0] - 1.05) ** 2 + 0.1 * p[:, 1]


def test_boards_that_are_looked_at_are_counted() -> None:
    seen = []

    def counted(p: Any) -> Any:
        seen.append(len(p))
        return margin(p)

    for more in ({}, {"signs": [1, -1, 1]}, {"gradient_change": np.ones(3)}):
        seen.clear()
        assert worst_case(counted, NOMINAL, LOW, HIGH, **more).evaluations == sum(seen)


def test_what_is_not_monotone_is_not_taken_by_its_sign() -> None:
    low, high = np.array([0.8, -1.0]), np.array([1.6, 1.0])
    found = worst_case(bent, [1.0, 0.0], low, high, gradient_change=[1.2, 0.0])
    assert found.basis == "all corners"
    assert found.open == ("0",)
    assert found.signs.tolist() == [0.0, 1.0]
    assert found.corners == 2
    assert found.margin == pytest.approx(least_of_a_grid(bent, low, high))
    # The linear worst case goes to the lower end, where the sign at the nominal value points, and is wrong there.
    assert found.resolved == pytest.approx(1.0 - 0.25**2 - 0.1)
    assert found.margin == pytest.approx(1.0 - 0.55**2 - 0.1)
    assert found.linear - found.resolved == pytest.approx(found.off)
    proved = worst_case(bent, [1.0, 0.0], [0.99, -1.0], [1.01, 1.0], gradient_change=[0.02, 0.0])
    assert proved.basis == "monotone: proved"


def test_enumeration_sees_every_corner() -> None:
    """A margin that is linear in each value by itself has its least at a corner, and any of them can be it."""
    rng = np.random.default_rng(3)
    for _ in range(5):
        a = rng.normal(size=(7, 7))

        def of(p: Any, a: Any = a) -> Any:
            return np.einsum("si,ij,sj->s", p, np.triu(a, 1), p)

        found = worst_case(of, np.zeros(7), -np.ones(7), np.ones(7))
        every = np.array(list(product([-1.0, 1.0], repeat=7)))
        assert found.margin == pytest.approx(of(every).min())
        assert found.corners == 128


def test_a_value_without_room_is_no_corner() -> None:
    found = worst_case(margin, NOMINAL, [0.9, 2.0, 0.3], [1.1, 2.0, 0.6])
    assert found.corners == 4


def test_text() -> None:
    assert str(worst_case(margin, NOMINAL, LOW, HIGH, names=("R_1", "R_2", "R_3"))).splitlines()[:3] == [
        "worst case         0.3613 (nominal 0.7)",
        "basis              all corners",
        "sign not known     R_1, R_2, R_3: 8 corners",
    ]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (
            {"most_corners": 4},
            "worst_case: the sign of 3 values is not known, so 2^3 corners are to be looked at, more than "
            "`most_corners` = 4; give `signs` or bounds of the gradient, or fewer values that matter",
        ),
        (
            {"signs": [1, 1, 1], "gradient_change": [0, 0, 0]},
            "`worst_case`: give one of `signs`, `gradient_bounds` and `gradient_change`",
        ),
        ({"signs": [1, 2, 1]}, "`signs`: must be +1, -1, or 0 where a sign is not known"),
        ({"gradient_change": [1, -1, 1]}, "`gradient_change`: must not be negative"),
        ({"lower": [1.5, 1.8, 0.3]}, "`nominal[0]` = 1: must lie from lower, 1.5, to upper, 1.1"),
        ({"margin": lambda p: p}, "`margin` gave shape (13, 3) of 13 samples: must give (13,)"),
        (
            {"margin": lambda p: np.full(len(p), np.nan)},
            "`margin` gave nan of sample 0: must be finite, also where a board fails",
        ),
        ({"names": ("a",)}, "`names` has 1: must have 3"),
    ],
)
def test_what_is_no_box_is_refused(more: dict[str, Any], message: str) -> None:
    with pytest.raises(hh.InputError) as refused:
        worst_case(**{"margin": margin, "nominal": NOMINAL, "lower": LOW, "upper": HIGH, **more})
    assert str(refused.value) == message
