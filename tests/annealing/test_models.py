"""Models: energies by definition, conversions that keep them, and what is refused."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

from hopfield_hw.annealing import BinaryModel, GroupedModel, IsingModel, PolynomialModel, edges_matrix
from hopfield_hw.annealing.program import scale_of
from hopfield_hw.values.errors import InputError


def couplings(n: int, seed: int = 0, whole: bool = True) -> Any:
    rng = np.random.default_rng(seed)
    upper = np.triu(rng.integers(-5, 6, (n, n)).astype(float) if whole else rng.normal(size=(n, n)), 1)
    return upper + upper.T


def defined(model: Any, states: Any) -> list[float]:
    """The energies of quadratic models by their definition, pair by pair."""
    j, n = model.couplings, model.size
    pairs = [(a, b) for a in range(n) for b in range(a)]
    return [
        model.offset + sum(j[a, b] * s[a] * s[b] for a, b in pairs) + sum(model.fields[a] * s[a] for a in range(n))
        for s in states
    ]


def all_states(model: Any) -> Any:
    return np.array(list(product((-1, 1) if model.kind == "ising" else (0, 1), repeat=model.size)), np.int8)


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("kind", [IsingModel, BinaryModel])
@pytest.mark.parametrize("whole", [False, True])
def test_energies_are_those_of_the_definition(kind: Any, sparse: bool, whole: bool) -> None:
    matrix = couplings(6, whole=whole)
    model = kind(couplings=sp.csr_array(matrix) if sparse else matrix, fields=np.arange(6.0) - 2.0, offset=0.5)
    states = all_states(model)
    found = model.energies(states)
    if whole:
        assert found.tolist() == defined(model, states)
    else:
        np.testing.assert_allclose(found, defined(model, states), rtol=0.0, atol=1e-12)


def test_whole_numbers_beyond_single_precision_stay_exact() -> None:
    matrix = 1_000_003.0 * couplings(8)
    model = IsingModel(couplings=matrix)
    states = all_states(model)
    assert model.energies(states).tolist() == defined(model, states)


def test_conversions_keep_every_energy() -> None:
    ising = IsingModel(couplings=couplings(5), fields=np.arange(5.0), offset=2.0)
    spins = all_states(ising)
    binary = ising.to_binary()
    np.testing.assert_allclose(binary.energies((spins + 1) // 2), ising.energies(spins), atol=1e-12)
    np.testing.assert_allclose(binary.to_ising().energies(spins), ising.energies(spins), atol=1e-12)


def test_a_matrix_counts_what_is_beside_the_diagonal_twice() -> None:
    q = couplings(5) + np.diag([1.0, -2.0, 0.0, 4.0, 5.0])
    for matrix in (q, sp.csr_array(q)):
        model = BinaryModel.from_matrix(matrix, offset=1.0)
        x = all_states(model)
        assert model.energies(x).tolist() == (np.einsum("ri,ij,rj->r", x, q, x) + 1.0).tolist()


def test_the_energy_of_a_cut_is_minus_its_weight() -> None:
    weights = np.abs(couplings(6))
    model = IsingModel.max_cut(weights)
    for s in all_states(model)[::7]:
        cut = sum(weights[a, b] for a in range(6) for b in range(a) if s[a] != s[b])
        assert model.energies(s[np.newaxis])[0] == -cut


def test_a_colouring_counts_the_edges_of_one_colour() -> None:
    triangle = edges_matrix(4, [(0, 1, 1.0), (1, 2, 1.0), (2, 0, 1.0), (2, 3, 7.0)])
    model = GroupedModel.colouring(triangle, 3)
    assert model.state_size == 4
    assert model.energies([[0, 1, 2, 0], [0, 0, 0, 0], [0, 0, 1, 1]]).tolist() == [0.0, 4.0, 2.0]


def test_polynomials_are_the_sums_of_their_terms() -> None:
    terms = {(): 1.0, (0,): 2.0, (0, 1): -1.0, (2, 1, 0): 3.0, (0, 1, 2): 1.0, (0, 1, 2, 3): -2.0}
    for binary in (False, True):
        model = PolynomialModel(neurons=4, terms=terms, binary=binary)
        assert model.degree == 4
        for s in all_states(model):
            expected = 1 + 2 * s[0] - s[0] * s[1] + 4 * s[0] * s[1] * s[2] - 2 * np.prod(s)
            assert model.energies(s[np.newaxis])[0] == expected


def test_the_scale_is_the_mean_square_of_the_rows() -> None:
    assert scale_of(IsingModel(couplings=np.ones((5, 5)) - np.eye(5))) == 2.0
    assert scale_of(IsingModel(couplings=np.zeros((2, 2)), fields=[3.0, 3.0])) == 3.0
    assert scale_of(IsingModel(couplings=np.zeros((2, 2)))) == 1.0
    quadratic = {(i, j): 1.0 for i in range(5) for j in range(i)}
    assert scale_of(PolynomialModel(neurons=5, terms=quadratic)) == 2.0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: IsingModel(couplings=[[0.0, 1.0], [2.0, 0.0]]),
            "`IsingModel.couplings[0, 1]` = 1 but [1, 0] = 2: must be symmetric, as an energy knows pairs alone; give "
            "J + J^T, where each pair stands there once",
        ),
        (
            lambda: BinaryModel.from_matrix(sp.csr_array([[0.0, 1.0], [0.0, 0.0]])),
            "`matrix[0, 1]` = 1 but [1, 0] = 0: must be symmetric, as an energy knows pairs alone; give (Q + Q^T) / 2, "
            "which has the same energies",
        ),
        (
            lambda: IsingModel(couplings=[[0.0, 1.0], [1.0, 2.0]]),
            "`IsingModel.couplings[1, 1]` = 2: must be 0 on the diagonal; s^2 = 1 belongs to the offset, x^2 = x "
            "to the fields",
        ),
        (lambda: IsingModel(couplings=np.zeros((2, 3))), "`IsingModel.couplings` has shape (2, 3): must be (n, n)"),
        (
            lambda: IsingModel(couplings=np.zeros((2, 2))).energies([[0, 1]]),
            "`states` holds 0: must be -1 or 1",
        ),
        (lambda: BinaryModel(couplings=np.zeros((2, 2))).energies([[-1, 1]]), "`states` holds -1: must be 0 or 1"),
        (
            lambda: BinaryModel(couplings=np.zeros((2, 2))).energies([1, 1]),
            "`states` has shape (2,): must be (reads, 2)",
        ),
        (
            lambda: GroupedModel.colouring(np.zeros((2, 2)), 3).energies([[0, 3]]),
            "`states` holds 3: must be a neuron of its group, from 0 to below the group's size",
        ),
        (
            lambda: GroupedModel(couplings=np.zeros((4, 4)), groups=(2, 3)),
            "`GroupedModel.groups` add up to 5: must be 4, as the couplings have",
        ),
        (
            lambda: PolynomialModel(neurons=3, terms={(0, 0, 1): 1.0}),
            "`PolynomialModel.terms`: (0, 0, 1): must hold no neuron twice; shorten it by s^2 = 1",
        ),
        (
            lambda: PolynomialModel(neurons=3, terms={(0, 3): 1.0}),
            "`PolynomialModel.terms`: (0, 3): must hold neurons from 0 to 2",
        ),
        (lambda: edges_matrix(3, [(0, 3, 1.0)]), "edge (0, 3): must join two different vertices of 0 to 2"),
        (lambda: edges_matrix(3, [(1, 1, 1.0)]), "edge (1, 1): must join two different vertices of 0 to 2"),
    ],
)
def test_what_is_no_model_is_refused(make: Any, message: str) -> None:
    with pytest.raises(InputError) as caught:
        make()
    assert str(caught.value) == message
