"""Symmetry and limits: the first pair that breaks them, in dense and sparse matrices, with and without rounding."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from hopfield_hw.formats.instances import Cities
from hopfield_hw.formats.instances.types import tour_lengths
from hopfield_hw.problems import TravellingSalesman
from hopfield_hw.values.arrays import first_asymmetry, first_crossed

MATRIX = np.array([[0.0, 1.0, 2.0], [1.0, 5.0, 3.0], [2.0, 3.0, 0.0]])


@pytest.mark.parametrize("form", [np.array, sp.csr_array])
def test_the_first_pair_that_differs(form: type) -> None:
    assert first_asymmetry(form(MATRIX)) is None
    assert first_asymmetry(form(np.zeros((3, 3)))) is None
    changed = MATRIX.copy()
    changed[2, 1] += 1e-9
    changed[2, 0] -= 1e-9
    assert first_asymmetry(form(changed)) == (0, 2)
    assert first_asymmetry(form(changed), 1e-9) is None  # 1e-9 of the largest, which is 5
    assert first_asymmetry(form(changed), 1e-10) == (0, 2)


def test_a_matrix_with_one_triangle_is_found_from_either() -> None:
    for triangle in (np.triu, np.tril):
        assert first_asymmetry(sp.csr_array(triangle(MATRIX))) == (0, 1)


def test_the_first_limits_without_a_number_between() -> None:
    low = np.array([-np.inf, 1.0, 0.0])
    assert first_crossed(low, np.array([np.inf, 1.0, 2.0])) is None
    assert first_crossed(low, np.array([np.inf, 0.5, -1.0])) == 1
    assert first_crossed(np.array([0.0, np.inf]), np.array([1.0, np.inf])) == 1
    assert first_crossed(np.array([-np.inf]), np.array([-np.inf])) == 0
    assert first_crossed(np.array([0.0]), np.array([np.nan])) == 0
    assert first_crossed(np.zeros(0), np.zeros(0)) is None


def test_one_length_of_a_tour_everywhere() -> None:
    distances = np.array([[0.0, 1.0, 4.0, 7.0], [1.0, 0.0, 2.0, 5.0], [4.0, 2.0, 0.0, 3.0], [7.0, 5.0, 3.0, 0.0]])
    tours = np.array([[0, 1, 2, 3], [0, 2, 1, 3], [3, 2, 1, 0]])
    assert tour_lengths(distances, tours).tolist() == [13.0, 18.0, 13.0]
    assert Cities(name="four", distances=distances).length(tours[1]) == 18.0
    assert TravellingSalesman(distances=distances).length(tours[1]) == 18.0
