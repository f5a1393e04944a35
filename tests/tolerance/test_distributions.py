"""Distributions against closed forms and quadrature, and the random numbers that a name and a sample have."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import integrate, stats

import hopfield_hw as hh
from hopfield_hw.tolerance import Cut, Distribution, Fixed, Lot, MinTypMax, Normal, Uniform
from hopfield_hw.tolerance.streams import uniforms

SIGMA = 0.05 / 3.0
# Each with its cumulative distribution of the value, written apart.
CASES: dict[str, tuple[Distribution, float, Any]] = {
    "uniform": (Uniform(tolerance="1%"), 1e3, stats.uniform(990.0, 20.0).cdf),
    "uniform amount": (Uniform(tolerance="5mV", unit="V"), 1e-3, stats.uniform(-4e-3, 10e-3).cdf),
    "normal": (Normal(tolerance=0.05), 1e3, stats.norm(1e3, 1e3 * SIGMA).cdf),
    "normal amount": (Normal(tolerance=1e-3, sigmas=1.0, unit="V"), 0.0, stats.norm(0.0, 1e-3).cdf),
    "cut at its end": (Cut(tolerance=0.05, inner=0.0), 1.0, stats.truncnorm(-3.0, 3.0, 1.0, SIGMA).cdf),
    "triangle": (MinTypMax(minimum=1.0, typical=2.0, maximum=6.0), 9.0, stats.triang(0.2, 1.0, 5.0).cdf),
    "triangle of a right angle": (MinTypMax(minimum=2.0, typical=2.0, maximum=6.0), 9.0, stats.triang(0, 2, 4).cdf),
}


@pytest.mark.parametrize(("distribution", "nominal", "cumulative"), CASES.values(), ids=CASES)
def test_values_are_quantiles_of_the_closed_form(distribution: Distribution, nominal: float, cumulative: Any) -> None:
    u = np.linspace(0.001, 0.999, 999)
    values = distribution.values(nominal, u)
    assert cumulative(values) == pytest.approx(u, abs=1e-9)
    assert np.all(np.diff(values) > 0.0)


LEFT = Cut(tolerance=0.05, inner=0.01, sigmas=2.0)


def test_a_cut_has_a_hole_where_a_better_grade_was_taken_out() -> None:
    u = np.linspace(1e-6, 1.0 - 1e-6, 100_001)
    e = LEFT.values(1e3, u) / 1e3 - 1.0
    assert np.abs(e).min() == pytest.approx(0.01, rel=1e-3)
    assert np.abs(e).max() == pytest.approx(0.05, rel=1e-3)
    normal = stats.norm(0.0, 0.025).cdf
    wanted = (normal(0.02) - normal(0.01)) / (normal(0.05) - normal(0.01))
    assert np.mean(np.abs(e) <= 0.02) == pytest.approx(wanted, abs=1e-4)
    assert np.mean(e < 0.0) == pytest.approx(0.5, abs=1e-5)


@pytest.mark.parametrize(
    "distribution", [*(case[0] for case in CASES.values()), LEFT, Fixed(), MinTypMax(typical=3.0, maximum=3.0)]
)
def test_standard_deviations_are_those_of_the_quantiles(distribution: Distribution) -> None:
    nominal = 2.5
    mean, square = (
        integrate.quad(lambda u, k=k: float(distribution.values(nominal, np.array([u]))[0]) ** k, 0, 1, limit=200)[0]
        for k in (1, 2)
    )
    assert distribution.deviation(nominal) == pytest.approx(np.sqrt(max(square - mean**2, 0.0)), rel=1e-3, abs=1e-6)


def test_limits_are_the_tolerance_also_of_a_negative_value() -> None:
    assert Uniform(tolerance=0.01).limits(-100.0) == (-101.0, -99.0)
    assert Normal(tolerance=0.01, unit="V").limits(0.0) == (-0.01, 0.01)
    assert Fixed().limits(3.0) == (3.0, 3.0)
    assert Lot(common=Uniform(tolerance=0.02), own=Normal(tolerance=0.01)).limits(100.0) == pytest.approx((97.0, 103.0))


def test_ends_that_a_sheet_leaves_out_are_mirrored() -> None:
    assert MinTypMax(typical=13e6, minimum=8e6).limits(0.0) == (8e6, 18e6)
    assert MinTypMax(typical=100e3, minimum=25e3).limits(0.0) == (25e3, 175e3)
    assert MinTypMax(typical=3.0, maximum=10.0).limits(0.0) == (0.9, 10.0)  # not -4: in the same ratio
    assert MinTypMax(typical="0V", maximum="5mV", unit="V").limits(0.0) == (-5e-3, 5e-3)


def test_a_lot_adds_what_is_common() -> None:
    lot = Lot(common=Uniform(tolerance=0.04), own=Uniform(tolerance=0.01))
    u, c = np.array([0.0, 0.5, 1.0]), np.array([1.0, 0.0, 0.5])
    assert lot.values(100.0, u, c) == pytest.approx([103.0, 96.0, 101.0])
    assert lot.values(100.0, u) == pytest.approx([99.0, 100.0, 101.0])
    assert lot.deviation(100.0) == pytest.approx(np.hypot(4.0, 1.0) / np.sqrt(3.0))


def test_a_sample_of_a_name_depends_on_nothing_else() -> None:
    names = ("R_a", "R_b", "lot x")
    all_of_them = uniforms(7, names, range(40))
    assert np.all((all_of_them > 0.0) & (all_of_them < 1.0))
    for samples in (range(1), range(5, 6), range(3, 29), range(4, 40, 5), range(39, 0, -2)):
        assert np.array_equal(uniforms(7, names, samples), all_of_them[list(samples)])
    assert np.array_equal(uniforms(7, ("r_B",), range(40))[:, 0], all_of_them[:, 1])
    assert not np.any(uniforms(8, names, range(40)) == all_of_them)
    far = 2**40
    assert np.array_equal(uniforms(7, names, range(far, far + 9))[3:6], uniforms(7, names, range(far + 3, far + 6)))
    assert uniforms(7, (), range(5)).shape == (5, 0)


def test_streams_are_uniform_and_independent() -> None:
    """Kolmogorov and Smirnov's test of 200,000 numbers, and correlations between names and between samples."""
    u = uniforms(1, [f"R_{k}" for k in range(20)], range(10_000))
    assert stats.kstest(u.ravel(), "uniform").pvalue > 1e-3
    between = np.corrcoef(u.T) - np.eye(20)
    assert np.abs(between).max() < 5.0 / np.sqrt(10_000)
    assert abs(np.corrcoef(u[:-1].ravel(), u[1:].ravel())[0, 1]) < 5.0 / np.sqrt(200_000)


def test_the_numbers_are_those_of_the_documented_generator() -> None:
    """Philox written out in Python from its paper, ten rounds, so that a stream is what the text says for good."""
    import hashlib

    digest = hashlib.blake2b(b"3\0r_syn_0_1", digest_size=16).digest()
    key = [int.from_bytes(digest[:8], "little"), int.from_bytes(digest[8:], "little")]
    mask = 2**64 - 1
    for block in (0, 1, 9):
        word, k = [block, 0, 0, 0], list(key)
        for _ in range(10):
            high0, low0 = divmod(word[0] * 0xD2E7470EE14C6C93, 2**64)
            high1, low1 = divmod(word[2] * 0xCA5A826395121157, 2**64)
            word = [high1 ^ word[1] ^ k[0], low1, high0 ^ word[3] ^ k[1], low0]
            k = [(k[0] + 0x9E3779B97F4A7C15) & mask, (k[1] + 0xBB67AE8584CAA73B) & mask]
        expected = [((w >> 11) + 0.5) * 2.0**-53 for w in word]
        assert uniforms(3, ("R_syn_0_1",), range(4 * block, 4 * block + 4))[:, 0].tolist() == expected


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: Uniform(tolerance=5),
            "`Uniform.tolerance` = 5: is 500% of the value: must be below 100%; write 0.01 or '1%' for a percent, and "
            "give `unit` for an amount",
        ),
        (lambda: Normal(tolerance=-0.1), "`Normal.tolerance` = -0.1: must not be negative"),
        (lambda: Normal(tolerance=0.1, sigmas=0.0), "`Normal.sigmas = 0.0`: must be positive"),
        (
            lambda: Uniform(tolerance=1.0, unit="volts"),
            "`Uniform.unit` = 'volts': must be one of Ohm, F, S, A, V, s, Hz, 1, or left out",
        ),
        (
            lambda: Cut(tolerance=0.01, inner=0.01),
            "`Cut.inner` = 0.01: must be from 0 to below the tolerance, 0.01; nothing is left",
        ),
        (
            lambda: Lot(common=Fixed(), own=Uniform(tolerance=0.1)),  # type: ignore[arg-type]
            "`Lot.common` = Fixed(): must be a Uniform, a Normal or a Cut",
        ),
        (
            lambda: Lot(common=Uniform(tolerance=0.1, unit="V"), own=Uniform(tolerance=0.1)),
            "`Lot`: its parts are in 'V' and 'parts'",
        ),
        (
            lambda: Lot(common=Uniform(tolerance=0.6), own=Uniform(tolerance=0.5)),
            "`Lot`: the tolerances add up to 110%: must be below 100%",
        ),
        (
            lambda: MinTypMax(minimum=3.0, typical=2.0, maximum=4.0),
            "`MinTypMax`: 3, 2, 4: must be minimum <= typical <= maximum",
        ),
        (
            lambda: MinTypMax(typical=2.0),
            "`MinTypMax`: must have the typical value and a minimum or a maximum; Fixed() has no ends",
        ),
        (
            lambda: uniforms(-1, ("a",), range(3)),
            "`seed` = -1: must be a whole number from 0 to 18446744073709551615",
        ),
    ],
)
def test_a_distribution_that_is_none_is_refused(call: Any, message: str) -> None:
    with pytest.raises(hh.InputError) as refused:
        call()
    assert str(refused.value) == message
