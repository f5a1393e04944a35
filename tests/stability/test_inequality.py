"""Matrix inequalities: what is proved is true, in integers, and what is not true is never proved."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from hopfield_hw.stability.inequality import (
    LARGEST_EXACT,
    check_definite,
    check_positive,
    exact,
    has_positive_minors,
    multiply,
)
from hopfield_hw.stability.semidefinite import Problem, Unknown, verify


def hilbert(n: int) -> np.ndarray:
    """The matrix 1 / (i + j + 1), positive definite, of condition 1e17 at 13 rows."""
    found = np.empty((n, n), dtype=object)
    for i in range(n):
        for j in range(n):
            found[i, j] = Fraction(1, i + j + 1)
    return found


def test_elimination_without_fractions_is_exact() -> None:
    assert has_positive_minors([[2, 1], [1, 1]])
    assert not has_positive_minors([[1, 1], [1, 1]])  # singular
    assert not has_positive_minors([[1, 2], [2, 1]])
    assert not has_positive_minors([])
    big = 10**40
    assert has_positive_minors([[big, big - 1], [big - 1, big]])
    assert not has_positive_minors([[big, big + 1], [big + 1, big]])


def test_the_hilbert_matrix_is_proved_where_eigenvalues_cannot_tell() -> None:
    found = check_definite("H", hilbert(12))
    assert found.holds
    assert found.arithmetic == "exact"
    as_floats = check_definite("H", np.asarray(hilbert(12), dtype=np.float64))
    assert not as_floats.holds
    assert as_floats.margin < 0.0  # below the bound for rounding
    shifted = hilbert(12)
    shifted[0, 0] -= Fraction(1, 100)  # less than 1/144 can be taken from it: e_1^T H^-1 e_1 = 144
    assert not check_definite("H", shifted).holds


@pytest.mark.parametrize("seed", range(8))
def test_definiteness_is_that_of_the_eigenvalues(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 9))
    root = rng.normal(size=(n, n))
    matrix = root @ root.T + (rng.uniform(-0.5, 0.5) if seed % 2 else 0.01) * np.eye(n)
    scale = np.diag(2.0 ** rng.integers(-30, 30, n))
    truth = bool(np.linalg.eigvalsh((matrix + matrix.T) / 2)[0] > 0.0)
    for given in (matrix, scale @ matrix @ scale):
        assert check_definite("M", exact(given)).holds is truth


@pytest.mark.parametrize("matrix", [[[0.0]], [[1.0, 1.0], [1.0, 1.0]], [[1.0, 0.0], [0.0, -1e-30]], [[np.nan]]])
def test_what_is_only_semidefinite_is_not_proved(matrix: list[list[float]]) -> None:
    array = np.array(matrix)
    assert not check_definite("M", array).holds
    if np.isfinite(array).all():
        assert not check_definite("M", exact(array)).holds


def cancelling(n: int, rest: float) -> Problem:
    """Return B - x y + rest > 0, x y = B + 1 in rational numbers and B in float64."""
    x = 2.0**27 + 1.0

    def build(unknowns: Mapping[str, Any], data: Mapping[str, Any]) -> dict[str, Any]:
        found = (data["B"] - multiply(unknowns["X"], data["Y"])) + data["rest"]
        return {"B - X Y + rest": found}

    eye = np.eye(n)
    return Problem((Unknown("X", "diagonal", n),), build, {"B": (x * x) * eye, "Y": x * eye, "rest": rest * eye})


@pytest.mark.parametrize("n", [2, LARGEST_EXACT, LARGEST_EXACT + 1])
@pytest.mark.parametrize("exactly", [True, False])
def test_errors_of_terms_that_cancel_prove_nothing(n: int, exactly: bool) -> None:
    """1/2 in float64, and -1/2 as the numbers that they are."""
    values = np.full(n, 2.0**27 + 1.0)
    problem = cancelling(n, 0.5)
    assert problem.build(problem.matrices(values), problem.data)["B - X Y + rest"][0, 0] == 0.5
    found = verify(problem, values, exactly=exactly)[0]
    assert not found.holds
    assert (found.margin < 0.0) is exactly
    assert verify(cancelling(n, 1.5), values)[0].holds
    assert not verify(cancelling(n, 1.5), values, exactly=False)[0].holds


def test_large_matrices_are_proved_with_a_bound_for_rounding() -> None:
    """1 - a/n (1 1^T) has the eigenvalue 1 - a; so near to a = 1 that only less than the bound tells."""
    n = LARGEST_EXACT + 1
    part = np.full((n, n), Fraction(1, n), dtype=object)
    for rest, holds in ((Fraction(1, 10**9), True), (Fraction(1, 10**15), False), (Fraction(-1, 10**15), False)):
        found = check_definite("M", exact(np.eye(n)) - part * (1 - rest))
        assert found.holds is holds
        assert found.arithmetic == "float64"
        assert found.margin > 0.0 or not holds
    assert not check_definite("M", np.eye(n)).holds  # the errors of its entries are not known


def test_products_of_fractions_are_those_of_floats() -> None:
    rng = np.random.default_rng(3)
    left, right = rng.integers(-4, 5, (3, 4)) / 8.0, rng.integers(-4, 5, (4, 2)) / 8.0
    np.testing.assert_array_equal(np.asarray(multiply(exact(left), exact(right)), float), left @ right)


def test_positive_vectors() -> None:
    assert check_positive("v", exact([1.0, 1e-300])).holds
    assert not check_positive("v", exact([1.0, 0.0])).holds
    assert check_positive("v", exact([1.0, 0.0]), strict=False).holds
    assert not check_positive("v", np.array([])).holds
