"""Learning rules: their definitions element by element, what they hold, pairs of patterns, and bad input."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from hopfield_hw.families import bam
from hopfield_hw.problems.learning_rules import RULES, hebb, hebb_pairs, learn, learn_pairs, projection, storkey
from hopfield_hw.values.errors import InputError

Floats = npt.NDArray[np.float64]
RNG = np.random.default_rng(7)
PATTERNS = RNG.choice([-1.0, 1.0], size=(4, 24))
TARGETS = RNG.choice([-1.0, 1.0], size=(4, 10))


def storkey_by_element(patterns: Floats) -> Floats:
    """Storkey's rule as it is written, one weight after the other."""
    n = patterns.shape[1]
    w = np.zeros((n, n))
    for xi in patterns:
        h = np.array([[sum(w[i, k] * xi[k] for k in range(n) if k not in (i, j)) for j in range(n)] for i in range(n)])
        new = w.copy()
        for i in range(n):
            for j in range(n):
                if i != j:
                    new[i, j] += (xi[i] * xi[j] - xi[i] * h[j, i] - h[i, j] * xi[j]) / n
        w = new
    return w


def test_storkey_is_its_definition() -> None:
    np.testing.assert_allclose(storkey(PATTERNS[:, :9]), storkey_by_element(PATTERNS[:, :9]), atol=1e-9)


def test_storkey_of_one_pattern_is_hebb() -> None:
    np.testing.assert_allclose(storkey(PATTERNS[:1]), hebb(PATTERNS[:1]), atol=1e-9)


@pytest.mark.parametrize("rule", RULES)
def test_weights_are_symmetric_without_a_diagonal(rule: str) -> None:
    weights = learn(rule, PATTERNS)
    np.testing.assert_array_equal(weights, weights.T)
    assert not np.diag(weights).any()
    # A pattern and its opposite are one memory.
    np.testing.assert_allclose(learn(rule, -PATTERNS), weights, atol=1e-12)


def test_storkey_and_projection_hold_more_than_hebb() -> None:
    patterns = np.random.default_rng(1).choice([-1.0, 1.0], size=(30, 100))
    held = {
        name: int(np.all(patterns * (patterns @ rule(patterns)) > 0.0, axis=1).sum()) for name, rule in RULES.items()
    }
    assert held["hebb"] < held["storkey"] <= held["projection"] == 30


def test_a_rule_of_ones_own() -> None:
    np.testing.assert_array_equal(learn(lambda rows: rows.T @ rows, PATTERNS), PATTERNS.T @ PATTERNS)


def test_pairs_lead_from_one_pattern_to_the_other() -> None:
    exact = learn_pairs("projection", PATTERNS, TARGETS)
    np.testing.assert_allclose(PATTERNS @ exact.T, TARGETS, atol=1e-7)
    np.testing.assert_allclose(
        hebb_pairs(PATTERNS, TARGETS), sum(np.outer(y, x) for x, y in zip(PATTERNS, TARGETS, strict=True)) / 24
    )
    # One pair among patterns at right angles to each other is met by Hebb's rule too.
    np.testing.assert_allclose(learn_pairs("hebb", PATTERNS[:1], TARGETS[:1]) @ PATTERNS[0], TARGETS[0])
    assert bam(learn_pairs("hebb", PATTERNS, TARGETS).T).kind == "ode"


def test_projection_pairs_of_a_population_with_itself_are_the_projection() -> None:
    weights = learn_pairs("projection", PATTERNS, PATTERNS)
    np.fill_diagonal(weights, 0.0)
    np.testing.assert_allclose(weights, projection(PATTERNS), atol=2e-9)


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "a rule": (
        lambda: learn("storkei", PATTERNS),
        "rule 'storkei' is unknown: must be one of hebb, storkey, projection; did you mean 'storkey'?",
    ),
    "a rule for pairs": (
        lambda: learn_pairs("storkey", PATTERNS, TARGETS),
        "rule for pairs 'storkey' is unknown: must be one of hebb, projection",
    ),
    "grey levels": (
        lambda: learn("hebb", 0.5 * PATTERNS),
        f"`patterns` holds {0.5 * PATTERNS[0, 0]:g}: each must be +1 or -1",
    ),
    "one row": (
        lambda: learn("hebb", [1.0, -1.0]),
        "`patterns` has shape (2,): must be (patterns, n), one row a pattern",
    ),
    "odd pairs": (
        lambda: learn_pairs("hebb", PATTERNS, TARGETS[:3]),
        "`sources` has 4 patterns, `targets` 3: must have as many",
    ),
}


@pytest.mark.parametrize(("make", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        make()
    assert str(caught.value) == message
